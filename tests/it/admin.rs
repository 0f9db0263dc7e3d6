//! The pages: who may come in, what each form does, what each answer carries. The loops walk the
//! one table of routes, so that a new route is tested before anybody thinks of it.

use actix_web::http::Method;
use panelite::admin::{Access, ROUTES, Route};
use panelite::commands::conditions::SetCondition;
use panelite::commands::drips::StartRuns;
use panelite::domain::condition::ConditionKind;
use panelite::store::audit;

use crate::fixture::operator::{Operator, PASSWORD, encode, form, value_of};
use crate::fixture::panel::Panel;
use crate::fixture::providers::NOWHERE;

/// A panel in which every path of the table leads somewhere.
fn shop() -> (Panel, Operator) {
    let panel = Panel::start();
    panel.services(&[
        "1,Likes,Likes,Default,0.90,10,10000,0,0,0,,,",
        "2,Likes,More likes,Default,0.80,10,10000,0,0,0,,,",
        "3,Views,Views,Default,0.10,10,10000,0,0,0,,,",
    ]);
    let ann = panel.reseller("ann", "100");
    panel.cli(&["user", "deposit", "ann", "10"]); // so that the first can be reversed
    for _ in 0..3 {
        ann.buys(2, 100);
        panel.new_key(ann.user);
    }
    crate::admin_refills::cancel_requests(&panel, &ann);
    let north = panel.sells_through(20);
    panel.provider("Spare", NOWHERE, "key three");
    // Two orders of which nobody knows where they are, and one that waits to be sent.
    for _ in 0..2 {
        ann.buys(20, 100);
        panel.doubts(north);
    }
    ann.buys(20, 100);
    // A drip-feed of which the first run has begun.
    panel.services(&["4,Votes,Slow votes,Default,0.10,10,10000,1,0,0,,,"]);
    ann.form("key=KEY&action=add&service=4&link=x&quantity=10&runs=3&interval=60");
    panel.store().write_blocking(StartRuns).unwrap();
    let (kind, subject) = (ConditionKind::Catalogue, "provider 1".to_owned());
    let text = Some("The list of North is not a list".to_owned());
    panel.store().write_blocking(SetCondition { kind, subject, text }).unwrap();
    let operator = panel.operator("olga");
    (panel, operator)
}

/// The path of a route in that panel. The last of olga's sessions can be ended.
fn path(route: &Route) -> String {
    // Each key ends once.
    // The order that waits for a decision, the provider that nothing names.
    let path = route.path.replace("/orders/{id}/decide", "/orders/8/decide");
    let path = path.replace("/drips/{id}", "/drips/10");
    let path = path.replace("/providers/{id}/remove", "/providers/3/remove");
    let path = path.replace("/keys/{id}/rotate", "/keys/2/rotate");
    let path = path.replace("/keys/{id}/revoke", "/keys/3/revoke");
    let path = path.replace("{id}", "1").replace("{key}", "1").replace("{service}", "1");
    let path = path.replace("{event}", "1");
    format!("/admin{path}")
}

fn written(panel: &Panel) -> Vec<String> {
    let last = panel.store().page(|db| audit::list(db, i64::MAX, 1000)).unwrap();
    last.into_iter().map(|entry| entry.verb).collect()
}

fn posts() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.method == Method::POST)
}

#[test]
fn nobody_comes_in_without_logging_in() {
    let (panel, _) = shop();
    let before = written(&panel);
    for route in ROUTES.iter().filter(|route| route.access != Access::Open) {
        let mut visitor = panel.visitor();
        let reply = match route.method {
            Method::GET => visitor.get(&path(route)),
            _ => visitor.post(&path(route), &[("name", "x"), ("amount", "1")]),
        };
        let is_login = reply.header("location").is_some_and(|to| to.starts_with("/admin/login"));
        match route.method {
            Method::GET => assert!(reply.status == 303 && is_login, "{route:?} {}", reply.status),
            _ => assert_eq!(reply.status, 401, "{route:?}"),
        }
    }
    assert_eq!(written(&panel), before);
}

type Headers<'a> = &'a [(&'a str, &'a str)];

#[test]
fn every_change_is_refused_unless_it_comes_from_our_own_pages() {
    let (panel, mut olga) = shop();
    let other = panel.operator("other");
    let origin = format!("http://{}", panel.address);
    let before = written(&panel);
    for route in posts() {
        let path = path(route);
        let good = encode(&[("csrf", olga.csrf.clone())]);
        let theirs = encode(&[("csrf", other.csrf.clone())]);
        let refused: &[(&str, Headers<'_>, &str)] = &[
            ("says nothing", &[], &good),
            ("cross-site", &[("Sec-Fetch-Site", "cross-site"), ("Origin", &origin)], &good),
            ("same-site", &[("Sec-Fetch-Site", "same-site"), ("Origin", &origin)], &good),
            ("none", &[("Sec-Fetch-Site", "none"), ("Origin", &origin)], &good),
            ("other origin", &[("Origin", "https://evil.example")], &good),
            ("null origin", &[("Origin", "null")], &good),
            ("no token", &[("Origin", &origin)], "x=1"),
            ("empty token", &[("Sec-Fetch-Site", "same-origin")], "csrf="),
            ("another's token", &[("Sec-Fetch-Site", "same-origin")], &theirs),
        ];
        for (why, headers, body) in refused {
            let reply = olga.clone().send("POST", &path, headers, body);
            let is_half = route.access == Access::Half;
            assert!(reply.status == 403 || is_half && reply.status == 401, "{route:?} {why}");
        }
    }
    assert_eq!(written(&panel), before, "something was done all the same");
    let reply = olga.post("/admin/users", &[("name", "bob")]);
    assert_eq!(reply.status, 303);
}

/// A catalogue as a file, which empties the first category.
const IMPORTED: &str = "\
id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description
2,Views,More likes,Default,0.80,10,10000,0,0,0,,,
";

const PROVIDER: [(&str, &str); 8] = [
    ("name", "East"),
    ("url", "https://east.example/api/v2"),
    ("key", "the key of East"),
    ("dialect", "form"),
    ("currency", "EUR"),
    ("exchange", "1.08"),
    ("timeout", "30"),
    ("sends_ids", "1"),
];

/// What to send to each route so that it does its thing, in an order in which that works.
const DONE: &[(&str, &[(&str, &str)])] = &[
    (
        "/orders",
        &[
            ("user", "ann"),
            ("service", "2"),
            ("link", "x"),
            ("quantity", "10"),
            ("confirmed", "yes"),
        ],
    ),
    ("/orders/bulk", &[("id", "2"), ("status", "processing"), ("confirmed", "yes")]),
    ("/orders/bulk/refund", &[("id", "2"), ("status", "canceled"), ("confirmed", "yes")]),
    ("/orders/{id}/status", &[("status", "in_progress"), ("remains", "40")]),
    ("/orders/{id}/refund", &[("status", "partial"), ("remains", "40"), ("confirmed", "yes")]),
    ("/orders/bulk/move", &[("id", "9"), ("to", "provider"), ("confirmed", "yes")]),
    (
        "/orders/hand",
        &[("id", "7"), ("decision", "by_hand"), ("looked", "1"), ("confirmed", "yes")],
    ),
    ("/orders/{id}/decide", &[("decision", "refund"), ("looked", "1"), ("confirmed", "yes")]),
    ("/alerts/{id}/mute", &[("days", "1")]),
    ("/alerts/mail", &[("mail_port", "587"), ("mail_tls", "tls")]),
    ("/refills/drips/{id}/stop", &[("confirmed", "yes")]),
    ("/refills/drips/{id}/resume", &[]),
    ("/providers", &PROVIDER),
    (
        "/providers/{id}",
        &[("name", "West"), ("currency", "USD"), ("exchange", "1"), ("timeout", "9")],
    ),
    ("/providers/{id}/pause", &[]),
    ("/providers/{id}/resume", &[]),
    ("/providers/{id}/sync", &[]),
    (
        "/services/{id}/supply",
        &[("provider_0", "1"), ("theirs_0", "901"), ("percent", "30"), ("allows_loss", "1")],
    ),
    (
        "/providers/{id}/access",
        &[("url", "https://north.example/api/v2"), ("key", "a new one"), ("same_account", "1")],
    ),
    ("/providers/{id}/remove", &[("confirmed", "yes")]),
    ("/refills/{id}/set", &[("to", "in_progress")]),
    ("/refills/bulk", &[("id", "1"), ("to", "completed"), ("confirmed", "yes")]),
    ("/refills/cancels/refund", &[("id", "5"), ("confirmed", "yes")]),
    ("/refills/cancels/decline", &[("only", "6")]),
    ("/users", &[("name", "bob")]),
    ("/users/bulk", &[("id", "1"), ("do", "suspend"), ("confirmed", "yes")]),
    ("/users/{id}/resume", &[]),
    ("/users/{id}/funds", &[("kind", "deposit"), ("amount", "5"), ("confirmed", "yes")]),
    ("/keys", &[("user", "ann"), ("label", "site")]),
    ("/keys/{id}/rotate", &[("confirmed", "yes")]),
    ("/keys/{id}/revoke", &[("confirmed", "yes")]),
    ("/ledger/check", &[]),
    ("/ledger/{id}/reverse", &[("note", "a typo"), ("confirmed", "yes")]),
    ("/users/{id}/terms", &[("discount", "7"), ("credit_limit", "0")]),
    ("/users/{id}/suspend", &[]),
    ("/users/{id}/resume", &[]),
    ("/users/{id}/keys", &[("label", "site")]),
    ("/users/{id}/keys/{key}/revoke", &[("confirmed", "yes")]),
    ("/users/{id}/rates", &[("service", "1"), ("rate", "0.5")]),
    ("/users/{id}/rates/{service}/drop", &[]),
    ("/users/{id}/webhook", &[("url", "https://example.com/events"), ("low", "5")]),
    ("/users/{id}/webhook/secret", &[("seen", ""), ("confirmed", "yes")]),
    ("/users/{id}/webhook/off", &[]),
    ("/users/{id}/note", &[("note", "pays late")]),
    (
        "/services",
        &[
            ("category", "Votes"),
            ("name", "Votes"),
            ("kind", "poll"),
            ("rate", "2"),
            ("min", "1"),
            ("max", "9"),
        ],
    ),
    (
        "/services/{id}",
        &[
            ("category", "Likes"),
            ("name", "Fast likes"),
            ("kind", "default"),
            ("rate", "1"),
            ("min", "1"),
            ("max", "9"),
            ("enabled", "1"),
        ],
    ),
    ("/services/{id}/row", &[("name", "Hearts"), ("rate", "1.5"), ("min", "1"), ("max", "9")]),
    ("/services/{id}/down", &[]),
    ("/services/{id}/up", &[]),
    ("/services/{id}/disable", &[]),
    ("/services/{id}/enable", &[]),
    ("/services/disable", &[("id", "1")]),
    ("/services/enable", &[("id", "1")]),
    ("/services/rates", &[("id", "1"), ("percent", "+10"), ("confirmed", "yes")]),
    ("/services/rates/undo", &[("rates", "1:1.50"), ("percent", "+10")]),
    ("/services/move", &[("id", "1"), ("to", "2"), ("confirmed", "yes")]),
    ("/services/{id}/delete", &[("confirmed", "yes")]),
    ("/services/import", &[("csv", IMPORTED), ("confirmed", "yes")]),
    ("/categories", &[("new", "Shares")]),
    ("/categories/{id}", &[("name", "Loves")]),
    ("/categories/{id}/down", &[]),
    ("/categories/{id}/up", &[]),
    ("/categories/{id}/disable", &[]),
    ("/categories/{id}/enable", &[]),
    ("/categories/{id}/delete", &[]),
    ("/settings/general", &[("name", "Northwind"), ("currency", "USD"), ("time_zone", "UTC")]),
    ("/settings/money", &[("confirm_above", "50")]),
    (
        "/settings/limits",
        &[
            ("key_rate", "0"),
            ("key_burst", "400"),
            ("wrong_key_rate", "60"),
            ("connections", "1024"),
        ],
    ),
    ("/account/recovery", &[]),
    ("/account/app/off", &[("confirmed", "yes")]),
    ("/account/sessions/end-others", &[]),
    ("/account/password", &[("password", PASSWORD), ("again", PASSWORD)]),
    ("/logout", &[]),
];

/// Routes that need more than a form; each has a test of its own.
const ELSEWHERE: &[&str] = &[
    "/users/{id}/webhook/{event}/again",
    "/orders/{id}/look",
    "/orders/{id}/post",
    "/alerts/mail/test",
    "/alerts/telegram",
    "/alerts/telegram/test",
    "/services/{id}/by-rule",
    "/providers/test",
    "/providers/{id}/probe",
    "/providers/{id}/import/plan",
    "/providers/{id}/import",
    "/providers/{id}/import/undo",
    "/setup",
    "/login",
    "/login/code",
    "/looks",
    "/account/app",
    "/account/sessions/{id}/end",
];

#[test]
fn every_change_is_written_down_by_its_verb() {
    let (panel, mut olga) = shop();
    let known = DONE.iter().map(|(path, _)| path).chain(ELSEWHERE);
    let mut missing: Vec<_> = posts().map(|route| route.path).collect();
    known.for_each(|known| missing.retain(|path| path != known));
    assert!(missing.is_empty(), "no example for {missing:?}");

    for (to, fields) in DONE {
        let route = posts().find(|route| route.path == *to).unwrap();
        let before = written(&panel).len();
        let reply = olga.post(&path(route), fields);
        assert!(matches!(reply.status, 200 | 303), "{to} {}: {}", reply.status, reply.text());
        let after = written(&panel);
        // An import has a line of its own and one for each service that it changes, here one.
        let lines = if *to == "/services/import" { 2 } else { 1 };
        assert_eq!(after.len(), before + lines, "{to}: {after:?}");
        assert_eq!(after[0], route.verb, "{to}");
    }
    let last = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!((last.actor.as_str(), last.address.as_str()), ("olga", "127.0.0.1"));
    assert!(last.request.len() > 8, "{last:?}");
}

#[test]
fn money_keys_and_admins_want_the_password_again() {
    let (panel, olga) = shop();
    panel.clock.advance(16 * 60);
    let before = written(&panel);
    for route in posts().filter(|route| route.access == Access::Proved) {
        let fields = DONE.iter().find(|(path, _)| *path == route.path);
        let Some((_, fields)) = fields else { continue };
        let mut olga = olga.clone();
        let reply = olga.post(&path(route), fields);
        assert!(reply.text().contains("name=\"proof\""), "{route:?}: {}", reply.text());

        let mut wrong = fields.to_vec();
        wrong.extend([("proof", "not the password"), ("confirmed", "yes")]);
        let reply = olga.post(&path(route), &wrong);
        assert_eq!(reply.status, 422, "{route:?}");
        assert!(reply.text().contains("That is not your password"), "{}", reply.text());
        panel.clock.advance(8 * 60); // five wrong ones in a row would have to wait
        olga.see("/admin");
    }
    assert_eq!(written(&panel), before, "something was done without the password");

    let mut olga = panel.log_in("olga");
    panel.clock.advance(16 * 60);
    let asked = olga.post("/admin/users/1/keys", &[("label", "site <1>")]);
    let mut fields = form(asked.text(), "/admin/users/1/keys");
    fields.iter_mut().filter(|(name, _)| name == "proof").for_each(|(_, v)| *v = PASSWORD.into());
    let fields: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let reply = olga.post("/admin/users/1/keys", &fields);
    assert!(reply.text().contains("pl_"), "{}", reply.text());
    assert!(reply.text().contains("site &#60;1&#62;"), "what was typed came along");
    let reply = olga.post("/admin/users/1/keys", &[("label", "again")]);
    assert!(reply.text().contains("pl_"), "asked twice within a quarter of an hour");
}

#[test]
fn a_dry_run_does_nothing() {
    let (panel, mut olga) = shop();
    let before = written(&panel);
    for (to, fields) in DONE {
        let route = posts().find(|route| route.path == *to).unwrap();
        let mut all = vec![("csrf", olga.csrf.clone())];
        all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let headers = [("Sec-Fetch-Site", "same-origin"), ("X-Dry-Run", "1")];
        let reply = olga.send("POST", &path(route), &headers, &encode(&all));
        assert_eq!(reply.status, 204, "{to}: {}", reply.text());
    }
    assert_eq!(written(&panel), before);
}

#[test]
fn every_page_carries_its_headers() {
    let (_panel, mut olga) = shop();
    for route in ROUTES.iter().filter(|route| route.method == Method::GET) {
        let reply = olga.get(&path(route));
        let header = |name| reply.header(name).unwrap_or_else(|| panic!("{route:?}: no {name}"));
        assert!(header("content-security-policy").starts_with("default-src 'none'; script-src"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "same-origin");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
        assert!(header("permissions-policy").contains("camera=()"));
        assert!(reply.header("strict-transport-security").is_none(), "not over plain http");
        assert!(reply.status < 500, "{route:?} {}", reply.text());
    }
    let reply = olga.get("/admin/nowhere");
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("There is no such page"));
    assert!(reply.header("content-security-policy").is_some());
    assert_eq!(olga.get("/admin/users/999").status, 404);
}

#[test]
fn pages_have_one_title_and_every_form_its_token() {
    let (_panel, mut olga) = shop();
    for route in ROUTES.iter().filter(|route| route.method == Method::GET) {
        let page = olga.get(&path(route));
        if page.status != 200 {
            continue;
        }
        if !page.header("content-type").unwrap().starts_with("text/html") {
            continue;
        }
        let page = page.text();
        assert_eq!(page.matches("<h1").count(), 1, "{route:?}");
        let forms = page.matches("method=\"post\"").count();
        assert_eq!(page.matches("name=\"csrf\"").count(), forms, "{route:?}");
    }
}

#[test]
fn parts_come_alone_where_htmx_asks() {
    let (_panel, mut olga) = shop();
    let part = olga.send("GET", "/admin/users?q=a", &[("HX-Request", "true")], "");
    assert!(part.text().trim_start().starts_with("<div id=\"list\">"), "{}", part.text());
    let whole = olga.see("/admin/users?q=a");
    let masked = |page: &str| page.replace(&value_of(page, "csrf").unwrap(), "");
    let part = masked(part.text());
    assert!(whole.contains("<!doctype html>"));
    let list = whole.find("<div id=\"list\">").map(|at| masked(&whole[at..])).unwrap();
    assert!(list.starts_with(part.trim()), "{list}");
    let boosted = [("HX-Request", "true"), ("HX-Boosted", "true")];
    assert!(olga.send("GET", "/admin/users", &boosted, "").text().contains("<!doctype html>"));
}

#[test]
fn the_bare_address_leads_a_browser_to_the_pages() {
    let panel = Panel::start();
    let accept = [("Accept", "text/html,application/xhtml+xml;q=0.9")];
    let reply = panel.send("GET", "/", &accept, "");
    assert_eq!((reply.status, reply.header("location")), (303, Some("/admin")));
    assert_eq!(panel.send("GET", "/", &[("Accept", "application/json")], "").status, 404);
}

#[test]
fn an_unknown_address_is_a_page_for_browsers_and_json_for_programs() {
    let panel = Panel::start();
    let accept = [("Accept", "text/html,application/xhtml+xml;q=0.9")];
    for path in ["/nowhere", "/api/v3", "/index.php"] {
        let reply = panel.send("GET", path, &accept, "");
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(reply.text().contains("There is no such page"), "{}", reply.text());
        assert!(reply.text().contains("href=\"/admin/login"), "{}", reply.text());
        for (method, headers) in
            [("GET", &[("Accept", "*/*")][..]), ("POST", &accept), ("GET", &[])]
        {
            let reply = panel.send(method, path, headers, "");
            assert_eq!((reply.status, reply.text()), (404, r#"{"error":"Not found"}"#), "{path}");
        }
    }
}

#[test]
fn looking_at_what_is_only_posted_to_leads_to_its_page() {
    let (_panel, mut olga) = shop();
    let is_page = |path: &str| {
        let route = path.strip_prefix("/admin").unwrap();
        ROUTES.iter().any(|it| it.method == Method::GET && it.path == route)
    };
    for route in posts() {
        if is_page(&format!("/admin{}", route.path)) {
            continue;
        }
        let reply = olga.get(&path(route));
        assert_eq!(reply.status, 303, "{route:?}: {}", reply.text());
        let to = reply.header("location").unwrap().to_owned();
        assert!(path(route).starts_with(&to), "{route:?} leads to {to}");
        let page = olga.get(&to);
        assert!(matches!(page.status, 200 | 303 | 404), "{route:?} leads to {to}: {}", page.status);
    }
    let reply = olga.get("/admin/orders/bulk");
    assert_eq!(reply.header("location"), Some("/admin/orders"), "bulk is no order");
    assert_eq!(olga.get("/admin/users/none").status, 404);
}

#[test]
fn files_are_kept_by_browsers_and_packed() {
    let (panel, mut olga) = shop();
    let page = olga.see("/admin");
    let at = page.find("/static/app.").unwrap();
    let css = page[at..].split('"').next().unwrap();
    let plain = panel.send("GET", css, &[], "");
    assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(plain.header("content-type"), Some("text/css; charset=utf-8"));
    for encoding in ["br", "gzip"] {
        let packed = panel.send("GET", css, &[("Accept-Encoding", encoding)], "");
        assert_eq!(packed.header("content-encoding"), Some(encoding));
        assert!(packed.body.len() * 2 < plain.body.len());
    }
    let refused = panel.send("GET", css, &[("Accept-Encoding", "br;q=0, identity")], "");
    assert_eq!(refused.body, plain.body);
    assert_eq!(panel.send("GET", "/static/app.css", &[], "").status, 404);
}
