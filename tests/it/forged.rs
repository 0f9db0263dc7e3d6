//! What somebody claims to be: by cookies that were not given to them, by made-up addresses.

use panelite::config::TrustedProxies;

use crate::attack::assert_sound;
use crate::fixture::operator::{Operator, PASSWORD, encode, value_of};
use crate::fixture::panel::Panel;

/// The cookie of a browser that has just logged in.
fn cookie(panel: &Panel, name: &str) -> String {
    let mut visitor = panel.visitor();
    let reply = visitor.post("/admin/login", &[("name", name), ("password", PASSWORD)]);
    reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

#[test]
fn a_cookie_that_was_not_given_is_nobodys() {
    let (panel, other) = (Panel::start(), Panel::start());
    panel.operator("olga");
    other.operator("olga");
    let mine = cookie(&panel, "olga");
    let (name, value) = mine.split_once('=').unwrap();
    let status = |cookie: &str| panel.send("GET", "/admin", &[("Cookie", cookie)], "").status;
    assert_eq!(status(&mine), 200);

    let last = value.len() - 1;
    let turned = if value.ends_with('a') { "b" } else { "a" };
    let flipped = |text: &str| text.chars().rev().collect::<String>();
    for foreign in [
        cookie(&other, "olga"),
        format!("{name}={}{turned}", &value[..last]),
        format!("{name}={}", &value[..last]),
        format!("{name}={value}a"),
        format!("{name}={}", flipped(value)),
        format!("{name}={}", value.to_uppercase()),
        format!("{name}="),
        format!("{name}={}", "a".repeat(value.len())),
        format!("{name}=' OR 1=1 --"),
        format!("{name}=1"),
        format!("{name}={}", "%".repeat(value.len())),
        format!("panelite={value}"),
        format!("__Secure-panelite={value}"),
        format!("{}={value}", name.to_uppercase()),
    ] {
        assert_ne!(foreign, mine);
        let reply = panel.send("GET", "/admin", &[("Cookie", &foreign)], "");
        assert_eq!(reply.status, 303, "{foreign}: {}", reply.text());
        assert_sound(&foreign, &reply);
    }
}

#[test]
fn nobody_else_can_make_the_panel_say_things() {
    let panel = Panel::start();
    panel.operator("olga");
    let (mine, theirs) = (cookie(&panel, "olga"), cookie(&panel, "olga"));
    let origin = format!("http://{}", panel.address);
    let page = panel.send("GET", "/admin/users/new", &[("Cookie", &theirs)], "");
    let csrf = value_of(page.text(), "csrf").unwrap();
    let body = encode(&[("csrf", csrf), ("name", "ann".to_owned())]);
    let headers = [("Cookie", &*theirs), ("Origin", &*origin)];
    let reply = panel.send("POST", "/admin/users", &headers, body);
    let cookies = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
    let toast =
        cookies.map(|(_, it)| it.split(';').next().unwrap()).find(|it| it.starts_with("toast="));
    let toast = toast.unwrap();
    let see = |session: &str, toast: &str, more: &str| {
        let cookies = format!("{session}; {toast}{more}");
        let reply = panel.send("GET", "/admin/users", &[("Cookie", &cookies)], "");
        assert_eq!(reply.status, 200);
        assert_sound(&cookies, &reply);
        reply.text().contains("class=\"toast\"")
    };
    assert!(see(&theirs, toast, ""));
    assert!(!see(&mine, toast, ""), "a toast of one browser is not shown in another");
    let last = toast.len() - 1;
    assert!(!see(&theirs, &toast[..last], ""));
    assert!(!see(&theirs, "toast=aaaa", ""));
    assert!(!see(&mine, "toast=", "; theme=\"><script>; density=zq9; keys='"));
}

/// Tries a wrong password and gives the status.
fn try_wrong(visitor: &mut Operator, name: &str, headers: &[(&str, &str)]) -> u16 {
    let fields = [("name", name.to_owned()), ("password", "wrong".to_owned())];
    let body = encode(&[&fields[..], &[("csrf", visitor.csrf.clone())]].concat());
    let headers = [headers, &[("Sec-Fetch-Site", "same-origin")]].concat();
    visitor.send("POST", "/admin/login", &headers, &body).status
}

/// Headers in which an address can be claimed.
const CLAIMS: &[&str] = &[
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "X-Originating-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Cluster-Client-IP",
    "Fastly-Client-IP",
];

#[test]
fn no_header_makes_another_address() {
    let panel = Panel::start();
    panel.operator("olga");
    for attempt in 0..5 {
        let claimed = format!("203.0.113.{attempt}");
        let forwarded = format!("for={claimed};proto=https");
        let mut headers: Vec<_> = CLAIMS.iter().map(|name| (*name, claimed.as_str())).collect();
        headers.push(("Forwarded", &forwarded));
        let name = ["olga", " olga", "olga ", "olga\t", "olga"][attempt];
        assert_eq!(try_wrong(&mut panel.visitor(), name, &headers), 422, "{attempt}");
    }
    for name in CLAIMS {
        let headers = [(*name, "198.51.100.7")];
        assert_eq!(try_wrong(&mut panel.visitor(), "olga", &headers), 429, "{name}");
    }
}

#[test]
fn only_the_last_proxy_is_believed() {
    let panel = Panel::start_with(TrustedProxies(vec!["127.0.0.1".parse().unwrap()]));
    panel.operator("olga");
    let mut visitor = panel.visitor();
    for attempt in 0..5 {
        let claimed = format!("203.0.113.{attempt}");
        let both = format!("{claimed}, 198.51.100.9");
        let apart = [("X-Forwarded-For", claimed.as_str()), ("X-Forwarded-For", "198.51.100.9")];
        let together = [("X-Forwarded-For", both.as_str()), ("X-Real-IP", claimed.as_str())];
        let headers = if attempt % 2 == 0 { apart } else { together };
        assert_eq!(try_wrong(&mut visitor, "olga", &headers), 422, "{attempt}");
    }
    for claimed in ["203.0.113.77, 198.51.100.9", "127.0.0.1,198.51.100.9", "x, 198.51.100.9"] {
        let headers = [("X-Forwarded-For", claimed), ("CF-Connecting-IP", "203.0.113.77")];
        assert_eq!(try_wrong(&mut visitor, "olga", &headers), 429, "{claimed}");
    }
}
