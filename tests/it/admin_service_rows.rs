//! The list of services: rows edited where they stand, moved, and many at once, with the way back.

use crate::admin_services::{last_change, offer, rows, shop, with};
use crate::fixture::operator::{Operator, form};

/// The field of the edited row that has the focus.
fn begins(page: &str) -> &str {
    let row = page.split("class=\"edited\"").nth(1).unwrap();
    let before = row.split(" autofocus").next().unwrap();
    before.rsplit("id=\"f-").next().unwrap().split('"').next().unwrap()
}

/// Presses the "Undo" of the toast on a page, a form that goes to that path.
fn undo(olga: &mut Operator, page: &str, path: &str) -> String {
    assert!(page.contains(">Undo<"), "{page}");
    let toast = &page[page.find("class=\"toast\"").unwrap()..];
    let fields = form(toast, path);
    let fields: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let reply = olga.post(path, &fields);
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.header("location").unwrap().to_owned()
}

#[test]
fn a_row_is_edited_where_it_stands() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    assert_eq!(offer(&ann, 1).unwrap().1, "0.90");
    let page = olga.see("/admin/services?category=1&edit=1");
    assert!(page.contains("id=\"f-rate\" name=\"rate\" form=\"edit\" value=\"0.90\""), "{page}");
    assert_eq!(begins(&page), "rate");

    let fields = [("name", "Hearts"), ("rate", "1,05"), ("min", "20"), ("max", "500")];
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
    assert_eq!(begins(reply.text()), "name", "the first that is wrong");
    let reply = olga.post("/admin/services/1/row", &with(&fields, &[("min", "501")]));
    assert_eq!(begins(reply.text()), "min");
    assert!(reply.status == 422 && reply.text().contains("min is above max"));
    assert_eq!(offer(&ann, 1).unwrap().1, "1.05");
    assert_eq!(olga.post("/admin/services/99/row", &fields).status, 422);
    let before = last_change(&panel);
    assert_eq!(olga.post("/admin/services/1/row", &fields).status, 303);
    assert_eq!(last_change(&panel), before, "nothing changed, nothing is written down");
}

#[test]
fn a_saved_row_is_taken_back_unless_it_was_changed_since() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let path = "/admin/services/1/row";
    let fields = [("name", "Hearts & <b>"), ("rate", "1.05"), ("min", "20"), ("max", "500")];
    let at = [("category", "1"), ("size", "100")];
    for is_changed_since in [false, true] {
        olga.post(path, &with(&fields, &at));
        let page = olga.see("/admin/services");
        assert!(page.contains("Service 1 saved"), "{page}");
        if is_changed_since {
            olga.post(path, &with(&fields, &[("rate", "1.06")]));
        }
        let to = undo(&mut olga, &page, path);
        assert_eq!(to, "/admin/services?state=&category=1&q=&size=100#s-1");
        let page = olga.see("/admin/services");
        let (told, now) = match is_changed_since {
            false => ("Service 1 changed back", ("Likes", "0.90")),
            true => ("Not undone: it has been changed again since", ("Hearts & <b>", "1.06")),
        };
        assert!(page.contains(told) && !page.contains(">Undo<"), "{page}");
        let (name, rate, _) = offer(&ann, 1).unwrap();
        assert_eq!((&*name, &*rate), now);
    }
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
    let told = reply.header("hx-trigger").unwrap();
    assert!(told.contains("Service 2 saved") && told.contains("[\"now_rate\",\"2.00\"]"), "{told}");
    let reply = send("/admin/services/2/row", "name=Hearts&rate=two&min=1&max=9");
    assert!(reply.status == 422 && reply.text().trim_start().starts_with("<div id=\"list\">"));
    assert_eq!((begins(reply.text()), reply.header("hx-trigger")), ("rate", None));
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
    let selected = [("id", "1"), ("id", "2"), ("id", "3"), ("state", "enabled"), ("size", "50")];
    let reply = olga.post("/admin/services/disable", &selected);
    assert!(reply.header("location").unwrap().starts_with("/admin/services?state=enabled"));
    let page = olga.see("/admin/services?state=enabled");
    assert_eq!(rows(&page), [4]);
    assert!(page.contains("2 services disabled"), "{page}");
    let undo = "/admin/services/1.3/enable";
    assert!(page.contains(&format!("action=\"{undo}\"")), "only what was changed: {page}");
    let to = self::undo(&mut olga, &page, undo);
    assert!(to.starts_with("/admin/services?state=enabled"), "back to the same list: {to}");
    assert_eq!(rows(&olga.see("/admin/services?state=enabled")), [1, 3, 4]);
    assert!(offer(&ann, 1).is_some() && offer(&ann, 2).is_none());

    olga.post("/admin/services/enable", &[("id", "1")]);
    assert!(olga.see("/admin/services").contains("Nothing changed: already enabled"));
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
fn changed_rates_are_changed_back_while_they_are_the_same() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let rates = || [1, 3, 4].map(|id| offer(&ann, id).unwrap().1);
    let before = rates();
    let fields = [("id", "1"), ("id", "3"), ("id", "4"), ("percent", "+10 %"), ("size", "50")];
    olga.post_and_confirm("/admin/services/rates", &fields);
    assert_eq!(rates(), ["0.99", "0.366667", "4.95"]);
    let page = olga.see("/admin/services");
    assert!(page.contains("Rates of 3 services changed by +10%"), "{page}");
    let path = "/admin/services/rates/undo";
    undo(&mut olga, &page, path);
    assert_eq!(rates(), before, "exactly");
    assert_eq!(last_change(&panel).1, "rate 4.95 → 4.50 (undone)");
    assert!(olga.see("/admin/services").contains("Rates of 3 services changed back"));
    undo(&mut olga, &page, path);
    let told = "Not undone: it has been changed again since";
    assert!(olga.see("/admin/services").contains(told), "once");
    assert_eq!(rates(), before);
    assert_eq!(olga.post(path, &[("rates", "1:x"), ("percent", "10")]).status, 303);
    assert!(olga.see("/admin/services").contains("Not undone: this could not be read"));
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
fn a_heading_selects_its_services_and_long_names_are_whole() {
    let (panel, mut olga) = shop();
    let long = "long ".repeat(22);
    panel.services(&[&format!("9,Packs,{},Default,1000000,1,1000000,0,0,0,,,", long.trim())]);
    let page = olga.see("/admin/services");
    for text in [
        "data-all aria-label=\"Select all services on this page\"",
        "data-all-of hidden aria-label=\"Select all in Likes\"",
        "data-all-of hidden aria-label=\"Select all in Packs\"",
        "aria-label=\"Select Story pack\"",
        &format!("title=\"{}\"", long.trim()),
        "1\u{202f}000\u{202f}000.00<i data-pad=\"0000\">",
        "0.90<i data-pad=\"0000\">",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
}
