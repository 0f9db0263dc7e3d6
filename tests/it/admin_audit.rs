//! The page of the audit log.

use panelite::commands::accounts::CreateUser;
use panelite::domain::Actor;

use crate::fixture::panel::Panel;

/// What was done, on a page, from the top.
fn verbs(page: &str) -> Vec<String> {
    let cells = page.split("<td class=\"what\"").skip(1);
    let verb =
        |rest: &str| rest.split("title=\"").nth(1).unwrap().split(',').next().unwrap().into();
    cells.map(verb).collect()
}

fn create(panel: &Panel, name: &str) {
    let name = name.to_owned();
    panel.store().write_blocking(CreateUser { actor: Actor::CommandLine, name }).unwrap();
}

#[test]
fn what_was_done_is_found_by_who_what_and_to_which() {
    let panel = Panel::start();
    create(&panel, "ann");
    let mut olga = panel.operator("olga");
    let mut paul = panel.operator("paul");
    paul.post("/admin/users/1/note", &[("note", "pays late")]);
    olga.post("/admin/users/1/terms", &[("discount", "5"), ("credit_limit", "<0")]);
    olga.post("/admin/users/1/terms", &[("discount", "5"), ("credit_limit", "0")]);
    let fields = [("kind", "deposit"), ("amount", "5"), ("note", "<cash>"), ("confirmed", "yes")];
    olga.post("/admin/users/1/funds", &fields);
    let mut found = |query: &str| verbs(&olga.see(&format!("/admin/audit?{query}")));
    let all = found("");
    assert_eq!(all[..2], ["user.balance", "user.discount"], "{all:?}");
    assert!(all.contains(&"user.note".to_owned()) && all.contains(&"admin.create".to_owned()));
    assert_eq!(found("verb=user.note"), ["user.note"]);
    assert_eq!(found("actor=admin+2"), ["user.note", "session.start"]);
    assert_eq!(found("actor=admin+2&verb=session.start"), ["session.start"]);
    assert_eq!(found("actor=admin+1&verb=user.note"), [""; 0]);
    assert_eq!(found("object=user+1"), ["user.discount", "user.note", "user.create"]);
    assert_eq!(found("object=user+1&actor=admin+2"), ["user.note"]);

    let page = olga.see("/admin/audit");
    for text in [
        "<option value=\"admin 1\">olga</option>",
        "<option value=\"command line\">command line</option>",
        "<option value=\"user.balance\">Changed the balance of user</option>",
        "0.00 → 5.00: &#60;cash&#62;",
        "href=\"/admin/ledger/1\"",
        "127.0.0.1",
        "Added funds to ann, 5.00",
        "Logged in",
        "<bdi>paul</bdi>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let page = olga.see("/admin/audit?verb=nothing");
    assert!(page.contains("Nothing matches this"), "{page}");
    let part = olga.send("GET", "/admin/audit?verb=user.note", &[("HX-Request", "true")], "");
    assert!(part.text().trim_start().starts_with("<div id=\"list\">"), "{}", part.text());
}

#[test]
fn the_log_goes_older_and_newer() {
    let panel = Panel::start();
    (0..120).for_each(|number| create(&panel, &format!("user {number}")));
    let mut olga = panel.operator("olga");
    let link = |page: &str, rel: &str| {
        let rest = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
        Some(rest.split('"').next()?.replace("&#38;", "&"))
    };
    for query in ["", "verb=user.create", "actor=command+line"] {
        let first = olga.see(&format!("/admin/audit?{query}"));
        let second = olga.see(&link(&first, "next").unwrap());
        let third = olga.see(&link(&second, "next").unwrap());
        assert!(link(&third, "next").is_none() && link(&first, "prev").is_none(), "{query}");
        let count = [&first, &second, &third].map(|page| verbs(page).len()).iter().sum::<usize>();
        assert!((120..=123).contains(&count), "{query} {count}");
        assert_eq!(verbs(&olga.see(&link(&third, "prev").unwrap())), verbs(&second), "{query}");
    }
    assert_eq!(verbs(&olga.see("/admin/audit?size=200")).len(), 122);
}
