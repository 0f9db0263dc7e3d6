//! What an operator does with the catalogue: finds, adds, edits, moves, prices, takes away.

use panelite::domain::service::ServiceKind;
use panelite::store::audit;

use crate::fixture::operator::Operator;
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
pub(crate) fn rows(page: &str) -> Vec<i64> {
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
pub(crate) fn with<'a>(
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
        ["0.90", "10 – 10\u{202f}000", "Default · refill 30 d · cancel · drip-feed", "per order<"]
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
fn a_service_is_added_by_hand() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let page = olga.see("/admin/services/new");
    assert!(page.contains("required autofocus") && page.contains(">Rate, USD<"), "{page}");
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
    assert!(page.contains("Poll votes added as service 5") && page.contains("One\nTwo</text"));

    let reply = olga.post("/admin/services", &with(NEW, &[("then", "another"), ("rate", "2,5")]));
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
        ("name", "", "Enter a name"),
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
    let all = [
        ("name", ""),
        ("category", ""),
        ("kind", "nonsense"),
        ("rate", "1,200"),
        ("min", "9"),
        ("max", "8"),
        ("refill_days", "4000"),
    ];
    let reply = olga.post("/admin/services", &with(NEW, &all));
    for name in ["name", "category", "kind", "rate", "min", "refill_days"] {
        let (summary, beside) = (format!("<a href=\"#f-{name}\">"), format!("id=\"e-{name}\""));
        assert!(reply.text().contains(&summary), "{name} is told of with the others");
        assert!(reply.text().contains(&beside), "{name}: {}", reply.text());
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
    assert!(page.contains("disable it") && !page.contains("Delete service"));
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
