//! An attack by HTTP alone: texts that would run if a page let them, paths and fields that make no
//! sense.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use actix_web::http::Method;
use panelite::admin::ROUTES;
use panelite::domain::order::PublicStatus;
use panelite::domain::pricing::Offer;
use panelite::domain::setting::Setting;
use panelite::store::audit;
use serde_json::json;

use crate::fixture::engine;
use crate::fixture::http::Reply;
use crate::fixture::operator::{Operator, PASSWORD, decode, encode, filled};
use crate::fixture::panel::Panel;
use crate::fixture::providers::NOWHERE;
use crate::fixture::supply::offer;

/// What every payload has in it.
const MARK: &str = "zq9";

/// Texts that leave their place unless they are escaped there: in texts, attributes, links.
const PAYLOADS: &[&str] = &[
    "zq9\"><script>alert(1)</script>",
    "zq9' onmouseover='alert(1)",
    "zq9\" autofocus onfocus=\"alert(1)",
    "zq9</textarea></title><svg onload=alert(1)>",
    "zq9<!--<base href=//evil.example>",
    "javascript:alert(1)//zq9",
];

/// Pages of one kind that are looked at: enough to see each kind, few enough to come to an end.
const OF_ONE_KIND_MAX: usize = 12;

/// Every header of every page.
const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         object-src 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

/// An opening tag, as a browser would read it.
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
}

impl Tag {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// What is wrong with it on a page of ours.
    fn complaint(&self) -> Option<String> {
        const FOREIGN: &[&str] = &[
            "animate", "applet", "audio", "base", "embed", "frame", "iframe", "img", "object",
            "set", "style", "template", "video",
        ];
        const LEADING: &[&str] =
            &["href", "src", "action", "formaction", "hx-get", "hx-post", "poster", "xlink:href"];
        let is_bare_script =
            self.name == "script" && !self.attribute("src").starts_with("/static/");
        if is_bare_script || FOREIGN.contains(&self.name.as_str()) {
            return Some(format!("<{}>", self.name));
        }
        let is_inline = |name: &str| {
            name.starts_with("on")
                || name.starts_with("hx-on")
                || ["style", "srcdoc"].contains(&name)
        };
        if let Some(name) = self.attributes.keys().find(|name| is_inline(name)) {
            return Some(format!("<{} {name}=>", self.name));
        }
        let leads_away = |url: &str| {
            let is_ours = ["/admin", "/static/", "#", "?"].iter().any(|to| url.starts_with(to));
            let is_safe = ["noopener", "noreferrer", "nofollow"]
                .iter()
                .all(|word| self.attribute("rel").split(' ').any(|part| part == *word));
            let is_link = url.starts_with("https://") || url.starts_with("http://");
            let is_app = url.starts_with("otpauth://totp/");
            !(is_ours || is_app || is_link && is_safe && self.attribute("target") == "_blank")
        };
        let leading = LEADING.iter().filter_map(|name| self.attributes.get(*name));
        leading.map(|url| decode(url)).find(|url| leads_away(url))
    }
}

/// The opening tags of a page.
fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let (tag, after) = tag(rest);
            tags.push(tag);
            rest = after;
        }
    }
    tags
}

/// The tag that a text begins with, and what follows it.
fn tag(text: &str) -> (Tag, &str) {
    let is_end = |c: char| c.is_ascii_whitespace() || c == '/' || c == '>';
    let (name, mut rest) = text.split_at(text.find(is_end).unwrap_or(text.len()));
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            let name = name.to_ascii_lowercase();
            return (Tag { name, attributes }, rest);
        }
        let is_end = |c: char| is_end(c) || c == '=';
        let (name, after) = rest.split_at(rest[1..].find(is_end).map_or(rest.len(), |at| at + 1));
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=').map(str::trim_start) {
            Some(quoted) if quoted.starts_with(['"', '\'']) => {
                let (quote, value) = quoted.split_at(1);
                value.split_once(quote).unwrap_or((value, ""))
            }
            Some(bare) => {
                let is_end = |c: char| c.is_ascii_whitespace() || c == '>';
                bare.split_at(bare.find(is_end).unwrap_or(bare.len()))
            }
            None => ("", after),
        };
        attributes.insert(name.to_ascii_lowercase(), value.to_owned());
        rest = after;
    }
}

/// What is wrong with an answer, whatever was asked.
fn complaints(reply: &Reply) -> Vec<String> {
    let is_missing = |(name, value): &&(&str, &str)| reply.header(name) != Some(value);
    let missing = HEADERS.iter().filter(is_missing).map(|(name, _)| format!("no {name}"));
    let mut all: Vec<String> = missing.collect();
    if reply.status >= 500 {
        all.push(format!("{}: {}", reply.status, reply.text()));
    }
    if reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        all.extend(tags(reply.text()).iter().filter_map(Tag::complaint));
    }
    all
}

pub(crate) fn assert_sound(what: impl std::fmt::Display, reply: &Reply) {
    let complaints = complaints(reply);
    assert!(complaints.is_empty(), "{what}: {complaints:#?}");
}

#[test]
fn the_checks_find_what_they_are_for() {
    let is_bad = |html: &str| tags(html).iter().any(|tag| tag.complaint().is_some());
    for html in [
        "<p><script>alert(1)</script>",
        "<script src=//evil.example/x.js>",
        "<a href=\"JavaScript:alert(1)\">",
        "<a href='java&#115;cript:alert(1)'>",
        "<a href=//evil.example>",
        "<a href=\"https://example.com\" rel=\"noopener\" target=\"_blank\">",
        "<form action=\"https://evil.example\">",
        "<p class=\"x\"onclick=\"y\">",
        "<b/ONCLICK=x>",
        "<p style='x'>",
        "<svg onload = alert(1)>",
        "</p><img src=x>",
        "<!-- <p> --><base href=x>",
    ] {
        assert!(is_bad(html), "{html}");
    }
    for html in [
        "<!doctype html><html lang=\"en\"><a class=\"on\" href=\"/admin/users\">x</a>",
        "<script src=\"/static/app.0.js\" defer></script><p>&#60;script&#62;</p>",
        "<input value=\"&#34; onfocus=&#34;x\" required><!-- <script> -->",
        "<a href=\"http://x\" rel=\"noopener noreferrer nofollow\" target=\"_blank\">x</a>",
    ] {
        assert!(!is_bad(html), "{html}");
    }
}

/// A shop in which everything that anybody can name is called by one of the payloads.
fn hostile_shop() -> (Panel, Operator) {
    let panel = Panel::start();
    panel.setting(Setting::Name, PAYLOADS[0]);
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let kinds = ["Default", "Custom Comments", "Mentions Custom List", "SEO", "Default", "Package"];
    let lines = kinds.iter().zip(PAYLOADS).zip(1..).map(|((kind, payload), id)| {
        let text = quoted(payload);
        let max = if *kind == "Package" { 1 } else { 9000 };
        format!("{id},{text},{text},{kind},0.90,1,{max},0,1,1,,,{text},0,30")
    });
    let lines: Vec<String> = lines.collect();
    panel.services(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut admin = panel.operator(PAYLOADS[0]);
    for (payload, user) in PAYLOADS.iter().zip(1..) {
        let reseller = panel.reseller(payload, "100");
        for service in 1..=PAYLOADS.len() {
            let link = match service % 2 == 1 || payload.starts_with("javascript:") {
                true => format!("https://example.com/{payload}"),
                false => (*payload).to_owned(),
            };
            let order = json!({
                "key": reseller.key, "action": "add", "service": service, "quantity": 10,
                "link": link, "comments": payload, "usernames": payload, "keywords": payload,
                "custom_id": format!("{service} {payload}"),
            });
            let reply = reseller.v2(&order.to_string());
            assert_eq!(reply.status, 200, "{payload}: {}", reply.text());
        }
        fill(&mut admin, user, payload);
    }
    let provider = panel.provider(PAYLOADS[0], NOWHERE, PAYLOADS[1]);
    let (name, category) = (PAYLOADS[2].to_owned(), PAYLOADS[3].to_owned());
    panel.lists(provider, &[Offer { name, category, ..offer("1", "0.10") }]);
    panel.set(1, PublicStatus::Completed, Some(7), None);
    panel.set(4, PublicStatus::Partial, None, Some(1));
    panel.set(3, PublicStatus::Canceled, None, None);
    panel.set(5, PublicStatus::InProgress, Some(1), Some(5));
    (panel, admin)
}

/// Fills in what the pages have for a user.
fn fill(admin: &mut Operator, user: i64, payload: &str) {
    let mut post = |what: &str, fields: &[(&str, &str)]| {
        let confirmed = [fields, &[("confirmed", "yes")]].concat();
        let reply = admin.post(&format!("/admin/users/{user}/{what}"), &confirmed);
        assert!(matches!(reply.status, 200 | 303), "{what}: {}", reply.text());
        assert_sound(what, &reply);
    };
    post("note", &[("note", payload)]);
    post("keys", &[("label", payload)]);
    post("funds", &[("kind", "deposit"), ("amount", "1"), ("note", payload)]);
    post("rates", &[("service", "1"), ("rate", "0.5")]);
    let page = admin.see(&format!("/admin/users/{user}"));
    assert!(page.contains(MARK));
}

/// Whether one more page of this kind is to be looked at. Numbers make no other kind.
fn is_wanted(path: &str, seen: &mut BTreeMap<String, usize>) -> bool {
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    let is_number = |part: &&str| part.parse::<i64>().is_ok();
    let place = place.split('/').map(|part| if is_number(&part) { "#" } else { part });
    let names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    let kind = format!("{}?{}", place.collect::<Vec<_>>().join("/"), names.collect::<String>());
    let count = seen.entry(kind).or_default();
    *count += 1;
    *count <= OF_ONE_KIND_MAX
}

#[test]
fn what_people_write_stays_text_on_every_page_a_link_leads_to() {
    let (panel, _) = hostile_shop();
    let mut visitor = panel.visitor();
    let body = encode(&[
        ("csrf", visitor.csrf.clone()),
        ("name", PAYLOADS[0].to_owned()),
        ("password", PASSWORD.to_owned()),
    ]);
    let headers = [("Sec-Fetch-Site", "same-origin"), ("User-Agent", PAYLOADS[3])];
    assert_eq!(visitor.send("POST", "/admin/login", &headers, &body).status, 303);

    let mut ahead = VecDeque::from(["/admin".to_owned()]);
    let (mut known, mut kinds) = (BTreeSet::new(), BTreeMap::new());
    let (mut pages, mut marked) = (0, BTreeSet::new());
    while let Some(path) = ahead.pop_front() {
        let reply = visitor.get(&path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert_sound(&path, &reply);
        pages += 1;
        if reply.text().replace(PAYLOADS[0], "").contains(MARK) {
            marked.insert(path.split('?').next().unwrap().to_owned());
        }
        for link in tags(reply.text()).iter().filter(|tag| tag.name == "a") {
            let url = decode(link.attribute("href"));
            let url = url.split('#').next().unwrap();
            let is_new = url.starts_with("/admin") && known.insert(url.to_owned());
            if is_new && is_wanted(url, &mut kinds) {
                ahead.push_back(url.to_owned());
            }
        }
    }
    let unreached = ROUTES.iter().filter(|route| {
        let pattern: Vec<_> = route.path.split('/').collect();
        let is_it = |path: &String| {
            let path = path.split('?').next().unwrap().trim_start_matches("/admin");
            let parts: Vec<_> = path.split('/').collect();
            let fits = |(part, of): (&&str, &&str)| part == of || of.starts_with('{');
            parts.len() == pattern.len() && parts.iter().zip(&pattern).all(fits)
        };
        // A log-in leads to the first ones, an import that was begun to the last.
        let has_no_link =
            ["/setup", "/login", "/login/code", "/providers/{id}/import/run"].contains(&route.path);
        let is_start = route.path.is_empty();
        route.method == Method::GET && !has_no_link && !is_start && !known.iter().any(is_it)
    });
    let unreached: Vec<_> = unreached.map(|route| route.path).collect();
    assert!(unreached.is_empty(), "no link leads to {unreached:?}");
    assert!(pages > 20 && marked.len() > 20, "{pages} pages, of which {marked:?} show payloads");
}

/// Fields that forms have, all of which are filled with the same nonsense.
const FIELDS: &[&str] = &[
    "q",
    "state",
    "older",
    "newer",
    "size",
    "range",
    "next",
    "here",
    "theme",
    "token",
    "name",
    "amount",
    "kind",
    "note",
    "id",
    "do",
    "label",
    "service",
    "rate",
    "discount",
    "credit_limit",
    "password",
    "again",
    "code",
    "seed",
    "typed",
    "proof",
    "idem",
    "status",
    "remains",
    "link",
    "start_count",
    "min",
    "max",
    "type",
    "category",
    "description",
    "value",
    "user",
    "from",
    "to",
];

fn nonsense() -> Vec<String> {
    let plain = ["", "-1", "0", "1", "999999999999999999999", "1e309", "%00", "\u{202e}", "\0\r\n"];
    let plain = plain.into_iter().chain(PAYLOADS.iter().copied()).map(str::to_owned);
    plain.chain(["9".repeat(200)]).collect()
}

#[test]
fn nonsense_is_answered_with_sense() {
    let (panel, mut admin) = hostile_shop();
    let ids = ["0", "-1", "99", "99999999999999999999", "1%00", "..", "%2e%2e", "1%3Cscript%3E"];
    for route in ROUTES.iter().filter(|route| route.method == Method::GET) {
        for text in nonsense() {
            let fields: Vec<_> = FIELDS.iter().map(|name| (*name, text.clone())).collect();
            let path = format!("/admin{}?{}", filled(route.path, "1"), encode(&fields));
            assert_sound(format!("{} {text:?}", route.path), &admin.get(&path));
        }
        for id in ids.iter().filter(|_| route.path.contains('{')) {
            let path = format!("/admin{}", filled(route.path, id));
            let reply = admin.get(&path);
            assert_sound(&path, &reply);
            assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
        }
    }
    for (route, number) in ROUTES.iter().filter(|it| it.method == Method::POST).zip(1..) {
        panel.clock.advance(16 * 60); // behind it tries to log in are forgotten
        let mut admin = panel.operator(&format!("admin {number}"));
        for text in nonsense() {
            let fields: Vec<_> = FIELDS.iter().map(|name| (*name, text.as_str())).collect();
            for id in ["1", "99", "x"].iter().take(engine::often(3)) {
                let path = format!("/admin{}", filled(route.path, id));
                let reply = admin.post(&path, &fields);
                assert_sound(format!("{path} {text:?}"), &reply);
            }
        }
    }
}

#[test]
fn other_methods_do_nothing() {
    let panel = Panel::start();
    panel.reseller("ann", "10");
    let mut olga = panel.operator("olga");
    let written = || panel.store().page(|db| audit::list(db, i64::MAX, 1000)).unwrap().len();
    let before = written();
    let body = encode(&[("csrf", olga.csrf.clone()), ("confirmed", "yes".to_owned())]);
    for route in ROUTES.iter().filter(|route| route.method == Method::POST) {
        let path = format!("/admin{}", filled(route.path, "1"));
        for method in ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "POSTX"] {
            let headers = [("Sec-Fetch-Site", "same-origin"), ("X-HTTP-Method-Override", "POST")];
            let reply = olga.send(method, &path, &headers, &body);
            assert!(matches!(reply.status, 404 | 405), "{method} {path}: {}", reply.status);
        }
        let reply = olga.send("GET", &path, &[("X-HTTP-Method-Override", "POST")], &body);
        assert!(matches!(reply.status, 200 | 303 | 404 | 410), "{path}: {}", reply.status);
    }
    assert_eq!(written(), before);
}
