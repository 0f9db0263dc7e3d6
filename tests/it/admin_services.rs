//! What an operator does with the catalogue: finds, adds, edits, moves, prices, takes away.

use panelite::domain::service::ServiceKind;
use panelite::store::audit;

use crate::fixture::operator::{Operator, form, value_of};
use crate::fixture::panel::{Panel, Reseller};

pub(crate) fn shop() -> (Panel, Operator) {
    let panel = Panel::start();
    panel.services(&[
        "1,Likes,Likes,Default,0.90,10,10000,1,1,1,,,Fast,,30",
        "2,Likes,More likes,Default,0.80,10,10000,0,0,0,,,",
        "3,Likes,Лайки,Default,0.333333,10,10000,0,1,0,,,",
        "4,Packs,Story pack,Package,4.50,1,1,0,0,1,,,",
    ]);
    let operator = panel.operator("olga");
    (panel, operator)
}

/// What was written down last.
pub(crate) fn last_change(panel: &Panel) -> (String, String) {
    let last = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    (last.object, last.change)
}

/// The numbers of the services on a page, in its order.
fn rows(page: &str) -> Vec<i64> {
    let rows = page.split("<tr id=\"s-").skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect()
}

/// Name, rate and category of a service, as a reseller sees them.
pub(crate) fn offer(reseller: &Reseller, service: i64) -> Option<(String, String, String)> {
    let list = reseller.form("key=KEY&action=services").json();
    let found = list.as_array().unwrap().iter().find(|it| it["service"] == service)?.clone();
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    Some((text("name"), text("rate"), text("category")))
}

const NEW: &[(&str, &str)] = &[
    ("category", "Telegram"),
    ("name", "Poll votes"),
    ("kind", "poll"),
    ("rate", "2.50"),
    ("min", "10"),
    ("max", "5000"),
    ("description", "One\r\nTwo"),
    ("cancel", "1"),
    ("enabled", "1"),
];

/// The fields with others in their place.
fn with<'a>(
    fields: &[(&'a str, &'a str)],
    others: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let is_other = |name| others.iter().any(|(other, _)| *other == name);
    let kept = fields.iter().filter(|(name, _)| !is_other(*name));
    kept.chain(others).copied().collect()
}

#[test]
fn an_empty_shop_says_how_to_fill_it() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin").contains("href=\"/admin/services\""), "the first step leads there");
    let page = olga.see("/admin/services");
    assert!(page.contains("No services yet") && page.contains("CSV"), "{page}");
    assert!(page.contains("href=\"/admin/services/new\""));
}

#[test]
fn the_list_is_in_the_order_of_the_shop() {
    let (_panel, mut olga) = shop();
    let page = olga.see("/admin/services");
    assert_eq!(rows(&page), [1, 2, 3, 4]);
    assert_eq!(page.matches("<tr class=\"heading\">").count(), 2);
    for text in
        ["0.90", "10 – 10\u{202f}000", "Default · refill 30 d · cancel · drip-feed", ">each<"]
    {
        assert!(page.contains(text), "{text}");
    }
    let mut see = |query: &str| rows(&olga.see(&format!("/admin/services?{query}")));
    assert_eq!(see("q=LIKES"), [1, 2]);
    assert_eq!(see("q=%D0%BB%D0%B0%D0%B9"), [3], "every alphabet has two cases");
    assert_eq!(see("q=4"), [4], "by number");
    assert_eq!(see("q=%234"), [4]);
    assert_eq!(see("category=2"), [4]);
    assert_eq!(see("state=disabled"), [0_i64; 0]);
    assert_eq!(see("state=enabled&category=1&q=likes"), [1, 2]);
    assert!(olga.see("/admin/services?q=nothing").contains("No service matches this"));
    assert_eq!(rows(&olga.see("/admin/services?older=999")), [1, 2, 3, 4], "begins anew");
}

#[test]
fn long_lists_have_pages() {
    let panel = Panel::start();
    let line = |id: i64| format!("{id},Category {},Number {id},Default,1,1,9,0,0,0,,,", id % 7);
    let lines: Vec<String> = (1..=230).map(line).collect();
    panel.services(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut olga = panel.operator("olga");
    for filter in ["size=50", "size=100&q=number", "size=50&state=enabled"] {
        let (mut all, mut pages) = (Vec::new(), Vec::new());
        let mut next = Some(format!("/admin/services?{filter}"));
        while let Some(path) = next {
            let page = olga.see(&path);
            all.extend(rows(&page));
            pages.push(page);
            next = link(pages.last().unwrap(), "next");
        }
        let mut sorted = all.clone();
        sorted.sort_by_key(|id| ((id + 6) % 7, *id));
        assert_eq!(all, sorted, "{filter}");
        assert_eq!(all.len(), 230);
        for (at, page) in pages.iter().enumerate().skip(1) {
            let before = olga.see(&link(page, "prev").unwrap());
            assert_eq!(rows(&before), rows(&pages[at - 1]), "{filter} {at}");
        }
        assert!(link(&pages[0], "prev").is_none());
    }
}

/// Where a page's neighbor is.
fn link(page: &str, rel: &str) -> Option<String> {
    let rest = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
    Some(rest.split('"').next()?.replace("&#38;", "&"))
}

#[test]
fn a_row_is_edited_where_it_stands() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    assert_eq!(offer(&ann, 1).unwrap().1, "0.90");
    let page = olga.see("/admin/services?category=1&edit=1");
    assert_eq!(value_of(&page, "name").as_deref(), None, "its attributes stand in another order");
    assert!(page.contains("id=\"f-rate\" name=\"rate\" form=\"edit\" value=\"0.90\""), "{page}");

    let fields = [("name", "Hearts"), ("rate", "1.05"), ("min", "20"), ("max", "500")];
    let at = [("category", "1"), ("size", "50")];
    let reply = olga.post("/admin/services/1/row", &with(&fields, &at));
    let to = reply.header("location").unwrap();
    assert_eq!((reply.status, to), (303, "/admin/services?state=&category=1&q=&size=50#s-1"));
    let now = ("Hearts".to_owned(), "1.05".to_owned(), "Likes".to_owned());
    assert_eq!(offer(&ann, 1), Some(now), "resellers see it at once");
    let change = "name Likes → Hearts; rate 0.90 → 1.05; min 10 → 20; max 10000 → 500";
    assert_eq!(last_change(&panel), ("service 1".to_owned(), change.to_owned()));

    let bad = [("name", ""), ("rate", "1e3"), ("min", "0"), ("max", "x")];
    let reply = olga.post("/admin/services/1/row", &bad);
    assert_eq!(reply.status, 422);
    for name in ["name", "rate", "min", "max"] {
        assert!(reply.text().contains(&format!("id=\"e-{name}\"")), "{name}: {}", reply.text());
    }
    assert!(reply.text().contains("value=\"1e3\""), "what was typed stays");
    let reply = olga.post("/admin/services/1/row", &with(&fields, &[("min", "501")]));
    assert!(reply.status == 422 && reply.text().contains("min is above max"));
    assert_eq!(offer(&ann, 1).unwrap().1, "1.05");
    assert_eq!(olga.post("/admin/services/99/row", &fields).status, 422);
    let before = last_change(&panel);
    assert_eq!(olga.post("/admin/services/1/row", &fields).status, 303);
    assert_eq!(last_change(&panel), before, "nothing changed, nothing is written down");
}

#[test]
fn htmx_gets_the_row_back() {
    let (_panel, mut olga) = shop();
    let origin = format!("http://{}", olga.address);
    let headers =
        [("HX-Request", "true"), ("Sec-Fetch-Site", "same-origin"), ("Origin", origin.as_str())];
    let mut send = |path: &str, fields: &str| {
        let body = format!("csrf={}&{fields}", olga.csrf);
        olga.send("POST", path, &headers, &body)
    };
    let reply = send("/admin/services/2/row", "name=Hearts&rate=2&min=1&max=9");
    assert!(reply.status == 200 && reply.text().trim_start().starts_with("<div id=\"list\">"));
    assert!(reply.text().contains("Hearts") && reply.text().contains("autofocus"));
    let reply = send("/admin/services/2/row", "name=Hearts&rate=two&min=1&max=9");
    assert!(reply.status == 422 && reply.text().trim_start().starts_with("<div id=\"list\">"));
    let reply = send("/admin/services/2/up", "");
    assert_eq!((reply.status, rows(reply.text())), (200, vec![2, 1, 3, 4]));
}

#[test]
fn services_move_within_their_category() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "0");
    let mut shift = |path: &str| {
        let reply = olga.post(&format!("/admin/services/{path}"), &[]);
        assert_eq!(reply.status, 303);
        rows(&olga.see("/admin/services"))
    };
    assert_eq!(shift("3/up"), [1, 3, 2, 4]);
    assert_eq!(shift("3/up"), [3, 1, 2, 4]);
    let before = last_change(&panel);
    assert_eq!(before.1, "up, now before service 1");
    assert_eq!(shift("3/up"), [3, 1, 2, 4], "is the first already");
    assert_eq!(shift("4/down"), [3, 1, 2, 4]);
    assert_eq!(last_change(&panel), before);
    assert_eq!(shift("3/down"), [1, 3, 2, 4]);
    let list = ann.form("key=KEY&action=services").json();
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|it| it["service"].as_i64()).collect();
    assert_eq!(ids, [1, 3, 2, 4].map(Some), "as resellers see it");
}

#[test]
fn many_are_switched_and_switched_back() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    assert_eq!(olga.post("/admin/services/2/disable", &[]).status, 303);
    assert_eq!(offer(&ann, 2), None);
    let selected = [("id", "1"), ("id", "2"), ("id", "3"), ("state", "enabled")];
    let reply = olga.post("/admin/services/disable", &selected);
    assert!(reply.header("location").unwrap().starts_with("/admin/services?state=enabled"));
    let page = olga.see("/admin/services?state=enabled");
    assert_eq!(rows(&page), [4]);
    assert!(page.contains("2 services disabled"), "{page}");
    let undo = "/admin/services/1.3/enable";
    assert!(page.contains(&format!("action=\"{undo}\"")), "only what was changed: {page}");
    assert_eq!(olga.post(undo, &[]).status, 303);
    assert_eq!(rows(&olga.see("/admin/services?state=enabled")), [1, 3, 4]);
    assert!(offer(&ann, 1).is_some() && offer(&ann, 2).is_none());

    olga.post("/admin/services/enable", &[("id", "1")]);
    assert!(olga.see("/admin/services").contains("Nothing to do: already enabled"));
    olga.post("/admin/services/enable", &[]);
    assert!(olga.see("/admin/services").contains("Select at least one service"));
    assert_eq!(olga.post("/admin/services/1.x/enable", &[]).status, 404);
}

#[test]
fn rates_change_by_a_percentage_after_they_were_shown() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let path = "/admin/services/rates";
    let selected = [("id", "1"), ("id", "3"), ("id", "4"), ("id", "3")];
    let fields = with(&selected, &[("percent", "-5")]);
    let asked = olga.post(path, &fields);
    for text in ["Change the rates of 3 services by -5%?", "0.90 → 0.855", "0.333333 → 0.316667"]
    {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    assert_eq!(offer(&ann, 1).unwrap().1, "0.90", "not yet");
    let carried = form(asked.text(), path);
    let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(olga.post(path, &carried).status, 303);
    let rates = [1, 3, 4].map(|id| offer(&ann, id).unwrap().1);
    assert_eq!(rates, ["0.855", "0.316667", "4.275"]);
    assert_eq!(last_change(&panel).1, "rate 4.50 → 4.275 (-5%)");

    let again = olga.post(path, &carried);
    assert_eq!(again.status, 422, "the same form, sent twice");
    assert!(again.text().contains("The rates have changed since you were asked"));
    assert_eq!(offer(&ann, 1).unwrap().1, "0.855");

    for (percent, why) in [("", "Enter a percentage"), ("0", "Enter a percentage"), ("-100", "")] {
        let reply = olga.post(path, &with(&selected, &[("percent", percent)]));
        let beside = reply.text().split("id=\"e-percent\">").nth(1).unwrap();
        assert!(reply.status == 422 && beside.starts_with(why), "{percent}");
        assert_eq!(reply.text().matches(" checked").count(), 3, "they stay selected");
    }
    olga.post(
        "/admin/services/1/row",
        &[("name", "x"), ("rate", "999999999"), ("min", "1"), ("max", "9")],
    );
    let high = [("id", "1"), ("percent", "10"), ("confirmed", "yes")];
    let reply = olga.post(path, &high);
    assert!(reply.status == 422 && reply.text().contains("A rate would be above"));
}

#[test]
fn many_move_to_a_category() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let fields = [("id", "1"), ("id", "3"), ("to", "2")];
    olga.post_and_confirm("/admin/services/move", &fields);
    let page = olga.see("/admin/services");
    assert!(page.contains("2 services moved to Packs"));
    assert_eq!(rows(&page), [2, 4, 1, 3]);
    assert_eq!(offer(&ann, 3).unwrap().2, "Packs");
    assert_eq!(last_change(&panel).1, "category Likes → Packs");
    let reply = olga.post("/admin/services/move", &[("id", "1"), ("to", "99")]);
    assert!(reply.status == 422 && reply.text().contains("There is no such category"));
}

#[test]
fn a_service_is_added_by_hand() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let page = olga.see("/admin/services/new");
    assert_eq!(
        page.matches("<option value=\"").count(),
        ServiceKind::ALL.len() + 2,
        "types, 2 categories"
    );
    let reply = olga.post("/admin/services", NEW);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/admin/services/5")));
    let now = ("Poll votes".to_owned(), "2.50".to_owned(), "Telegram".to_owned());
    assert_eq!(offer(&ann, 5), Some(now));
    assert_eq!(last_change(&panel).1, "Poll votes, Poll, rate 2.50, in Telegram");
    let page = olga.see("/admin/services/5");
    assert!(page.contains("Poll votes is added as service 5") && page.contains("One\nTwo</text"));

    let reply = olga.post("/admin/services", &with(NEW, &[("then", "another")]));
    assert_eq!(reply.header("location"), Some("/admin/services/new?category=Telegram"));
    let next = olga.see("/admin/services/new?category=Telegram");
    assert!(next.contains("value=\"Telegram\""));
    let copy = olga.see("/admin/services/new?copy=1");
    for text in ["value=\"Likes\"", "value=\"0.90\"", "value=\"30\"", "action=\"/admin/services\""]
    {
        assert!(copy.contains(text), "{text}");
    }
}

#[test]
fn every_kind_can_be_added_and_wrong_forms_come_back() {
    let (panel, mut olga) = shop();
    for kind in ServiceKind::ALL {
        let reply = olga.post("/admin/services", &with(NEW, &[("kind", kind.as_str())]));
        assert_eq!(reply.status, 303, "{kind}");
    }
    let before = last_change(&panel);
    for (name, value, sentence) in [
        ("name", "", "A service needs a name"),
        ("category", "", "Choose a category"),
        ("kind", "nonsense", "Choose a type"),
        ("rate", "1.2345678", "Enter a rate"),
        ("rate", "-1", "Enter a rate"),
        ("min", "0", "Enter a whole number"),
        ("min", "5001", "min is above max"),
        ("max", "1000000001", "Enter a whole number"),
        ("refill_days", "4000", "refill_days is 1 to 3650"),
        ("dripfeed", "1", "Only Default and Web Traffic can have drip-feed"),
    ] {
        let reply = olga.post("/admin/services", &with(NEW, &[(name, value)]));
        assert_eq!(reply.status, 422, "{name}");
        let beside = reply.text().split(&format!("id=\"e-{name}\">")).nth(1).unwrap_or_default();
        assert!(beside.starts_with(sentence), "{name}: {}", reply.text());
    }
    assert_eq!(last_change(&panel), before);
}

#[test]
fn a_service_that_has_orders_keeps_its_type_and_stays() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let fields = with(NEW, &[("kind", "seo"), ("category", "Likes"), ("name", "Likes")]);
    assert_eq!(olga.post("/admin/services/1", &fields).status, 303);
    assert!(
        last_change(&panel).1.contains("type Default → SEO; rate 0.90 → 2.50"),
        "{:?}",
        last_change(&panel)
    );

    let order = ann.buys(2, 100);
    let page = olga.see("/admin/services/2");
    assert!(page.contains("The type is fixed") && !page.contains("<select id=\"f-kind\""));
    assert!(page.contains("disable it") && !page.contains("Delete the service"));
    let reply = olga.post("/admin/services/2", &with(NEW, &[("kind", "seo")]));
    assert_eq!(reply.status, 303, "the type of the form does not count");
    assert_eq!(offer(&ann, 2).unwrap().0, "Poll votes");
    let list = ann.form("key=KEY&action=services").json();
    let kind =
        list.as_array().unwrap().iter().find(|it| it["service"] == 2).unwrap()["type"].clone();
    assert_eq!(kind, "Default");
    assert_eq!(ann.balance(), "9.92", "order {order} costs what it cost");
    assert_eq!(olga.post("/admin/services/2/delete", &[("confirmed", "yes")]).status, 422);

    olga.post("/admin/users/1/rates", &[("service", "3"), ("rate", "0.5")]);
    olga.post_and_confirm("/admin/services/3/delete", &[]);
    assert_eq!(olga.get("/admin/services/3").status, 404);
    assert_eq!(offer(&ann, 3), None);
    assert_eq!(last_change(&panel).1, "Лайки, Default, rate 0.333333");
}

#[test]
fn categories_are_added_renamed_moved_and_switched() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let reply = olga.post("/admin/categories", &[("new", "Telegram")]);
    assert_eq!(reply.header("location"), Some("/admin/categories#c-3"));
    let names = |page: &str| -> Vec<String> {
        let rows = page.split("<a href=\"/admin/services?category=").skip(1);
        let name = |row: &str| row.split("<bdi>").nth(1)?.split('<').next().map(str::to_owned);
        rows.filter_map(name).collect()
    };
    let page = olga.see("/admin/categories");
    assert_eq!(names(&page), ["Likes", "Packs", "Telegram"]);
    assert!(page.contains("<td class=\"num\" data-l=\"Services\">3</td>"), "{page}");
    for (path, order) in [
        ("3/up", ["Likes", "Telegram", "Packs"]),
        ("3/up", ["Telegram", "Likes", "Packs"]),
        ("3/up", ["Telegram", "Likes", "Packs"]),
        ("1/down", ["Telegram", "Packs", "Likes"]),
        ("1/down", ["Telegram", "Packs", "Likes"]),
    ] {
        let reply = olga.post(&format!("/admin/categories/{path}"), &[]);
        assert_eq!(reply.status, 303);
        assert_eq!(names(&olga.see("/admin/categories")), order, "{path}");
    }
    assert_eq!(last_change(&panel).1, "Likes down, now after Packs");
    assert_eq!(rows(&olga.see("/admin/services")), [4, 1, 2, 3]);

    assert!(olga.see("/admin/categories?edit=1").contains("action=\"/admin/categories/1\""));
    let reply = olga.post("/admin/categories/1", &[("name", "Hearts")]);
    assert_eq!(reply.header("location"), Some("/admin/categories?size=100#c-1"));
    assert_eq!(offer(&ann, 1).unwrap().2, "Hearts");
    assert_eq!(last_change(&panel), ("category 1".to_owned(), "Likes → Hearts".to_owned()));
    let long = "x".repeat(256);
    for (name, sentence) in [
        ("", "A category needs a name"),
        ("Packs", "Another category has this name"),
        (&*long, "A category&#39;s name is 1 to 255"),
    ] {
        for (path, field) in [("/admin/categories/1", "name"), ("/admin/categories", "new")] {
            let reply = olga.post(path, &[(field, name)]);
            assert_eq!(reply.status, 422, "{path} {name}");
            let beside = reply.text().split(&format!("id=\"e-{field}\">")).nth(1).unwrap();
            assert!(beside.starts_with(sentence), "{path} {name}: {beside}");
        }
    }

    assert_eq!(olga.post("/admin/categories/1/disable", &[]).status, 303);
    assert!(offer(&ann, 1).is_none() && offer(&ann, 4).is_some());
    let reply = ann.form("key=KEY&action=add&service=1&link=https://example.com/p&quantity=100");
    assert_eq!(reply.json()["error"], "Incorrect service ID", "nor can it be ordered");
    let page = olga.see("/admin/categories");
    assert!(page.contains("action=\"/admin/categories/1/enable\""), "{page}");
    assert!(olga.see("/admin/services").contains("Category off"));
    olga.post("/admin/categories/1/enable", &[]);
    assert!(offer(&ann, 1).is_some());

    let reply = olga.post("/admin/categories/1/delete", &[]);
    assert!(reply.status == 422 && reply.text().contains("The category has services"));
    assert_eq!(olga.post("/admin/categories/3/delete", &[]).status, 303);
    assert_eq!(names(&olga.see("/admin/categories")), ["Packs", "Hearts"]);
    assert_eq!(olga.post("/admin/categories/3/up", &[]).status, 404);
}
