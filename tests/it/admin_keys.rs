//! The page of all API keys: found, made, replaced, revoked.

use panelite::commands::accounts::SetSuspended;
use panelite::domain::Actor;
use panelite::store::audit;

use crate::fixture::operator::{Operator, PASSWORD, decode, form};
use crate::fixture::panel::Panel;
use crate::fixture::shell::paste;

/// The numbers of the keys on a page.
fn ids(page: &str) -> Vec<i64> {
    let cells = page.split("<td class=\"id num\">").skip(1);
    cells.map(|rest| rest.split('<').next().unwrap().parse().unwrap()).collect()
}

/// The key that a page shows once.
fn shown(page: &str) -> String {
    let rest = page.split("id=\"key\">").nth(1).unwrap_or_else(|| panic!("no key in {page}"));
    rest.split('<').next().unwrap().to_owned()
}

fn balance(panel: &Panel, key: &str) -> String {
    panel.send("POST", "/api/v2", &[], format!("key={key}&action=balance")).text().to_owned()
}

fn link(page: &str, rel: &str) -> Option<String> {
    let rest = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
    Some(rest.split('"').next()?.replace("&#38;", "&"))
}

fn shop() -> (Panel, Operator) {
    let panel = Panel::start();
    panel.reseller("ann", "5");
    panel.reseller("bob", "0");
    let olga = panel.operator("olga");
    (panel, olga)
}

#[test]
fn keys_are_found_by_user_and_state() {
    let (panel, mut olga) = shop();
    let ann = panelite::domain::UserId(1);
    let old = panel.new_key(ann);
    assert!(balance(&panel, &old).contains("5.00"));
    olga.post_and_confirm("/admin/keys/1/revoke", &[]);
    panel.clock.advance(91 * 86_400);
    let mut olga = panel.log_in("olga");
    panel.new_key(ann);
    let mut found = |query: &str| ids(&olga.see(&format!("/admin/keys?{query}")));
    assert_eq!(found(""), [4, 3, 2, 1]);
    assert_eq!(found("user=ann"), [4, 3, 1]);
    assert_eq!(found("user=%232"), [2]);
    assert_eq!(found("state=active"), [4, 3, 2]);
    assert_eq!(found("state=revoked"), [1]);
    assert_eq!(found("state=unused"), [4, 2]);
    assert_eq!(found("state=idle"), [3, 2], "the new one had no time yet");
    assert_eq!(found("state=idle&user=bob"), [2]);
    assert_eq!(found("state=revoked&user=bob"), [0; 0]);
    balance(&panel, &old);
    panel.setting(panelite::domain::setting::Setting::Name, "Northwind"); // behind the key's use
    assert_eq!(found("state=idle"), [2], "used just now");

    let page = olga.see("/admin/keys?user=nobody");
    assert!(page.contains("There is no user with this name") && ids(&page).is_empty());
    let page = olga.see("/admin/keys?state=revoked&user=bob");
    assert!(page.contains("No key matches this"), "{page}");
    let bob = vec![panelite::domain::UserId(2)];
    let suspend = SetSuspended { actor: Actor::CommandLine, users: bob, is_suspended: true };
    panel.store().write_blocking(suspend).unwrap();
    assert!(olga.see("/admin/keys?user=bob").contains("User suspended"));
    let part = olga.send("GET", "/admin/keys?user=bob", &[("HX-Request", "true")], "");
    assert!(part.text().trim_start().starts_with("<div id=\"list\">"), "{}", part.text());
}

#[test]
fn an_empty_list_leads_to_the_first_key() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin/keys").contains("Create the first key"));
}

#[test]
fn keys_go_older_and_newer() {
    let (panel, mut olga) = shop();
    (0..118).for_each(|_| drop(panel.new_key(panelite::domain::UserId(1))));
    for query in ["", "state=active", "state=unused", "user=ann"] {
        let first = olga.see(&format!("/admin/keys?{query}"));
        let second = olga.see(&link(&first, "next").unwrap());
        let third = olga.see(&link(&second, "next").unwrap());
        assert!(link(&third, "next").is_none() && link(&first, "prev").is_none(), "{query}");
        let all = [ids(&first), ids(&second), ids(&third)].concat();
        assert!(all.len() >= 119 && all.is_sorted_by(|a, b| a > b), "{query}: {all:?}");
        assert_eq!(ids(&olga.see(&link(&third, "prev").unwrap())), ids(&second), "{query}");
    }
    assert_eq!(ids(&olga.see("/admin/keys?size=100")).len(), 100);
}

#[test]
fn a_key_is_made_for_a_user_and_shown_once() {
    let (panel, mut olga) = shop();
    olga.see("/admin/keys/new");
    for (user, says) in [("", "Enter the name of the user"), ("nobody", "There is no user")] {
        let reply = olga.post("/admin/keys", &[("user", user), ("label", "site")]);
        assert_eq!(reply.status, 422, "{user}");
        assert!(reply.text().contains(says), "{user}: {}", reply.text());
        assert!(reply.text().contains("value=\"site\""), "what was typed stays");
    }
    let reply = olga.post("/admin/keys", &[("user", "ann"), ("label", &"x".repeat(101))]);
    assert!(reply.status == 422 && reply.text().contains("id=\"e-label\""), "{}", reply.text());

    let reply = olga.post("/admin/keys", &[("user", "ann"), ("label", "site <1>")]);
    let key = shown(reply.text());
    assert!(balance(&panel, &key).contains("5.00"));
    assert!(reply.text().contains("href=\"/admin/keys\">I have stored it"), "{}", reply.text());
    let page = olga.see("/admin/keys");
    assert!(!page.contains(&key) && page.contains(&key[..8]) && page.contains("site &#60;1&#62;"));
    let written = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!((written.verb.as_str(), written.object.as_str()), ("key.create", "user 1 key 3"));
    assert!(!format!("{written:?}").contains(&key), "no secret in the log");
}

#[test]
fn a_key_is_replaced_in_one_step() {
    let (panel, mut olga) = shop();
    let reply = olga.post("/admin/keys", &[("user", "ann"), ("label", "site")]);
    let old = shown(reply.text());
    let asked = olga.post("/admin/keys/3/rotate", &[]);
    for says in [&format!("Replace key {}… of ann?", &old[..8]), "never", "Replace key"] {
        assert!(asked.text().contains(says), "{says}: {}", asked.text());
    }
    assert!(balance(&panel, &old).contains("5.00"), "nothing was done yet");
    let reply = olga.post("/admin/keys/3/rotate", &[("confirmed", "yes")]);
    let new = shown(reply.text());
    assert!(reply.text().contains("is refused from now on"), "{}", reply.text());
    assert!(balance(&panel, &old).contains("Invalid API key"));
    assert!(balance(&panel, &new).contains("5.00"));
    let page = olga.see("/admin/users/1/keys");
    assert_eq!(page.matches("<bdi>site</bdi>").count(), 2, "the label stays: {page}");
    let again = olga.post("/admin/keys/3/rotate", &[("confirmed", "yes")]);
    assert!(again.text().contains("This key was created already"), "{}", again.text());
    assert!(again.text().contains(&new[..8]) && !again.text().contains(&new), "not shown again");
    assert!(again.text().contains("action=\"/admin/keys/4/revoke\""), "{}", again.text());
    let written = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!((written.verb.as_str(), written.object.as_str()), ("key.rotate", "user 1 key 3"));
    assert_eq!(olga.post("/admin/keys/99/rotate", &[]).status, 404);
    assert_eq!(olga.post("/admin/keys/99/revoke", &[]).status, 404);

    panel.clock.advance(16 * 60);
    let mut olga = panel.log_in("olga");
    panel.clock.advance(16 * 60);
    let fields = [("confirmed", "yes"), ("proof", "wrong one, surely")];
    assert_eq!(olga.post("/admin/keys/4/rotate", &fields).status, 422);
    assert!(balance(&panel, &new).contains("5.00"), "not without the password");
    let fields = [("confirmed", "yes"), ("proof", PASSWORD)];
    let reply = olga.post("/admin/keys/4/rotate", &fields);
    assert!(balance(&panel, &shown(reply.text())).contains("5.00"));
    assert_eq!(olga.post("/admin/users/2/keys/5/revoke", &[]).status, 404, "another's key");
}

#[test]
fn a_form_that_is_sent_again_makes_no_other_key() {
    let (panel, mut olga) = shop();
    for (page, path) in
        [("/admin/keys/new", "/admin/keys"), ("/admin/users/1/keys", "/admin/users/1/keys")]
    {
        let mut sent = form(&olga.see(page), path);
        sent.retain(|(name, _)| name != "user" && name != "label");
        sent.extend([("user".to_owned(), "ann".to_owned()), ("label".to_owned(), path.to_owned())]);
        let sent: Vec<_> = sent.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let key = shown(olga.post(path, &sent).text());
        let count = ids(&olga.see("/admin/keys")).len();

        let again = olga.post(path, &sent);
        assert_eq!(again.status, 200);
        assert!(again.text().contains("This key was created already"), "{}", again.text());
        assert!(again.text().contains(&key[..8]) && !again.text().contains(&key));
        assert_eq!(ids(&olga.see("/admin/keys")).len(), count, "{path}");
        let at = again.text().find("/revoke\" data-ask").expect("it can be revoked");
        let revoke = again.text()[..at].rsplit('"').next().unwrap();
        olga.post_and_confirm(&format!("{revoke}/revoke"), &[]);
        assert!(balance(&panel, &key).contains("Invalid API key"));
        assert!(olga.post(path, &sent).text().contains("It is revoked"), "{path}");

        let mut fresh = form(&olga.see(page), path);
        fresh.retain(|(name, _)| name == "last_key");
        fresh.extend([("user".to_owned(), "ann".to_owned()), ("label".to_owned(), path.into())]);
        let fresh: Vec<_> = fresh.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        shown(olga.post(path, &fresh).text()); // a form that was opened later makes one
    }
}

/// A command of the page, as it is copied.
fn command(page: &str, id: &str) -> String {
    let rest = page.split(&format!("id=\"{id}\"")).nth(1).unwrap_or_else(|| panic!("{page}"));
    decode(rest.split_once('>').unwrap().1.split('<').next().unwrap())
}

#[test]
fn a_new_key_comes_with_requests_that_work_as_they_stand() {
    let (panel, mut olga) = shop();
    let page = olga.post("/admin/keys", &[("user", "ann"), ("label", "bare")]);
    assert!(page.text().contains("There is nothing to order yet"), "{}", page.text());

    panel.services(&[
        "1,Votes,Votes,Poll,1.00,10,10000,0,0,0,,,",
        "2,Likes,YouTube likes,Default,1.00,10,10000,0,0,0,,,",
    ]);
    let reply = olga.post("/admin/keys", &[("user", "ann"), ("label", "site")]);
    let (page, key) = (reply.text(), shown(reply.text()));
    let address = format!("http://{}/api/v2", panel.address);
    assert!(page.contains(&format!("id=\"address\">{address}<")), "{page}");
    let (balance, add) = (command(page, "curl-balance"), command(page, "curl-add"));
    for (command, parts) in [
        (&balance, &["-d action=balance"][..]),
        (&add, &["-d action=add", "-d service=2", "-d quantity=10", "youtube.com/watch?v="]),
    ] {
        assert!(command.starts_with(&format!("curl {address} ")), "{command}");
        let has = |part: &&str| command.contains(*part);
        assert!(command.contains(&format!("-d key={key}")) && parts.iter().all(has), "{command}");
    }
    let used = "/admin/keys/4/used";
    let part = |olga: &mut Operator| olga.send("GET", used, &[("HX-Request", "true")], "");
    let waiting = part(&mut olga);
    assert!(waiting.text().contains("No request yet"), "{}", waiting.text());
    assert!(waiting.text().contains("hx-trigger=\"load delay:3s\""), "{}", waiting.text());

    if let Some(answer) = paste(&balance) {
        assert_eq!(answer, r#"{"balance":"5.00","currency":"USD"}"#);
        assert_eq!(paste(&add).unwrap(), r#"{"order":1}"#);
    } else {
        panel.send("POST", "/api/v2", &[], format!("key={key}&action=balance"));
    }
    panel.setting(panelite::domain::setting::Setting::Name, "Northwind"); // behind the key's use
    panel.clock.advance(3);
    let arrived = part(&mut olga);
    assert!(arrived.text().contains("First request arrived 3 s ago"), "{}", arrived.text());
    assert!(!arrived.text().contains("hx-trigger"), "no longer watched");
    assert!(arrived.header("hx-trigger").unwrap().contains("First request arrived"), "read out");
    assert!(olga.see(used).contains("<h1>Requests with key"));

    let page = olga.post("/admin/keys", &[("user", "bob"), ("label", "poor")]);
    assert!(page.text().contains("has 0.00 USD available"), "{}", page.text());
    panel.clock.advance(5 * 60);
    let given_up = olga.send("GET", "/admin/keys/5/used", &[("HX-Request", "true")], "");
    assert!(given_up.text().contains("No request yet"), "{}", given_up.text());
    assert!(!given_up.text().contains("hx-trigger"), "not watched for ever");
    let tab = olga.see("/admin/users/1/keys");
    assert!(tab.contains(&format!("curl {address}")) && tab.contains("key=YOUR_KEY"), "{tab}");
}
