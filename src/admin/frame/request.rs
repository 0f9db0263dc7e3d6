//! What a request says about itself, before anybody knows who asks: where it comes from, and how
//! its reader wants pages to look.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

use super::Admin;
use super::shell::{Looks, Theme};
use crate::request;

const AGENT_LENGTH_MAX: usize = 200;

/// The client's address; the networks of one household are one address in IPv6.
pub(super) fn address(request: &HttpRequest, admin: &Admin) -> String {
    match request::client_address(request, &admin.proxies).to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// What the browser calls itself.
pub(super) fn agent(request: &HttpRequest) -> String {
    let agent = request.headers().get(header::USER_AGENT);
    let agent = agent.and_then(|value| value.to_str().ok()).unwrap_or_default();
    agent.chars().filter(|c| !c.is_control()).take(AGENT_LENGTH_MAX).collect()
}

/// Where the API is, as somebody would type it who sits where this request comes from.
pub(super) fn api_address(request: &HttpRequest, admin: &Admin) -> String {
    if let Some(url) = &admin.public_url {
        return format!("{}/api/v2", url.origin());
    }
    let text = |name| {
        let value = request.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    let host = text(header::HOST);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    let host = if host.chars().all(is_plain) { host } else { "localhost" };
    let secure = format!("https://{host}");
    let is_secure = text(header::ORIGIN) == secure || text(header::REFERER).starts_with(&secure);
    let scheme = if is_secure { "https" } else { "http" };
    format!("{scheme}://{host}/api/v2")
}

/// Whether htmx asks, for a part of a page.
pub(super) fn wants_part(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let says = |name: &str| headers.get(name).is_some_and(|value| value == "true");
    says("hx-request") && !says("hx-boosted") && !says("hx-history-restore-request")
}

/// How pages are to look, by the cookies.
pub(super) fn looks(request: &HttpRequest) -> Looks {
    let word = |name| request.cookie(name).map(|cookie| cookie.value().to_owned());
    let theme = word("theme").and_then(|word| Theme::from_word(&word)).unwrap_or_default();
    let is = |name, wanted: &str| word(name).is_some_and(|word| word == wanted);
    Looks { theme, is_compact: is("density", "compact"), has_no_keys: is("keys", "off") }
}

/// Where a change may come from: our own pages. Says why not.
pub(super) fn check_origin(request: &HttpRequest, admin: &Admin) -> Result<(), &'static str> {
    const FOREIGN: &str = "The request came from another site.";
    let text = |name: &str| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"))
    };
    match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin"), _) => Ok(()),
        (Some(_), _) => Err(FOREIGN),
        (None, Some(origin)) => {
            let is_public = |url: &crate::config::PublicUrl| origin == url.origin();
            let host = text("host").unwrap_or_default();
            let is_host = || {
                let bare = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
                bare.is_some_and(|bare| !bare.is_empty() && bare.eq_ignore_ascii_case(host))
            };
            let is_ours = admin.public_url.as_ref().map_or_else(is_host, is_public);
            if is_ours { Ok(()) } else { Err(FOREIGN) }
        }
        (None, None) => Err("The browser did not say where the request came from."),
    }
}
