//! Answers: pages, parts of pages, the way to the next page, questions; and the headers of all.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use askama::Template;

use super::error::PageError;
use super::gate::{Cx, Proof};
use super::shell::{Nav, Shell, Toast};
use super::{Admin, cookies};

/// What a handler gives back.
pub(super) type Answer = Result<HttpResponse, PageError>;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; object-src 'none'";
const PERMISSIONS: &str =
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()";

/// A question before something is done: what it is, in a verb, a count and a sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    /// The question: "Add 50.00 USD to ann?"
    pub(super) title: String,
    /// What follows from it, one line each: a name and a value.
    pub(super) facts: Vec<(String, String)>,
    /// What the button says: "Add 50.00 USD".
    pub(super) verb: String,
    /// What has to be typed first, where a lot is at stake.
    pub(super) typed: Option<String>,
    /// Whether the button warns.
    pub(super) is_danger: bool,
}

/// The page that asks: everything that was sent, once more, with a button.
#[derive(Template)]
#[template(path = "admin/ask.html", blocks = ["question"])]
struct AskPage<'a> {
    shell: Shell,
    ask: &'a Ask,
    /// Where the answer goes.
    action: String,
    carried: Vec<(&'a str, &'a str)>,
    /// Whether the password is to be given along with the answer.
    owes_password: bool,
    error: Option<&'a str>,
    back: String,
}

impl Cx {
    /// A whole page.
    pub(super) fn page(&self, page: &impl Template) -> Answer {
        self.page_with(StatusCode::OK, page)
    }

    /// A page whose form was refused.
    pub(super) fn refused_page(&self, page: &impl Template) -> Answer {
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, page)
    }

    /// A whole page with a status of its own.
    pub(super) fn page_with(&self, status: StatusCode, page: &impl Template) -> Answer {
        html(status, page)
    }

    /// The page, or only its list where htmx asks for that.
    pub(super) fn list(&self, page: &impl Template, list: &impl Template) -> Answer {
        if self.wants_part() { html(StatusCode::OK, list) } else { html(StatusCode::OK, page) }
    }

    /// The same for a form that was refused.
    pub(super) fn refused_list(&self, page: &impl Template, list: &impl Template) -> Answer {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        if self.wants_part() { html(status, list) } else { html(status, page) }
    }

    /// On to the next page, after something was done.
    pub(super) fn go(&mut self, path: &str, toast: Toast) -> Answer {
        self.toast = Some(toast);
        Ok(see_other(path))
    }

    /// Goes on once the person has confirmed what he sees; asks first.
    ///
    /// # Errors
    /// `Ask` with the page that asks, until it was answered.
    pub(super) fn confirm(&self, ask: Ask) -> Result<(), PageError> {
        let is_confirmed = self.form.get("confirmed") == "yes";
        let is_typed = ask.typed.as_deref().is_none_or(|typed| self.form.get("typed") == typed);
        if is_confirmed && is_typed && self.proof == Proof::Given {
            return Ok(());
        }
        Err(PageError::Ask(Box::new(ask)))
    }

    /// The page that asks.
    pub(super) fn ask(&mut self, ask: &Ask) -> HttpResponse {
        let is_second = self.form.get("confirmed") == "yes";
        let error = match (self.proof, &ask.typed) {
            (Proof::Wrong, _) => Some("That is not your password."),
            (Proof::Owed, _) if is_second => Some("Your password is needed for this."),
            (_, Some(typed)) if is_second && self.form.get("typed") != typed => {
                Some("What you typed is something else.")
            }
            (Proof::Given | Proof::Owed, _) => None,
        };
        let status = match error {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let shell = self.shell(&ask.title, Nav::Other);
        let page = AskPage {
            shell,
            ask,
            action: self.request.uri().path().to_owned(),
            carried: self.form.carried(),
            owes_password: self.proof != Proof::Given,
            error,
            back: back(self),
        };
        let asked = match self.wants_part() {
            true => html(status, &page.as_question()),
            false => html(status, &page),
        };
        let mut response = asked.unwrap_or_else(|error| super::error::bare(&error));
        let asks = HeaderName::from_static("x-asks");
        response.headers_mut().insert(asks, HeaderValue::from_static("1"));
        response
    }
}

/// The page before, if it was one of ours.
fn back(cx: &Cx) -> String {
    let referrer = cx.request.headers().get(header::REFERER);
    let referrer = referrer.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = referrer.find("/admin").map_or("/admin", |at| &referrer[at..]);
    local(path).to_owned()
}

/// A path of ours to go to, whatever was asked for.
pub(super) fn local(path: &str) -> &str {
    let is_ours = path == "/admin" || path.starts_with("/admin/") || path.starts_with("/admin?");
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours && is_plain { path } else { "/admin" }
}

/// A value in an address.
pub(super) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Go there, with GET.
pub(super) fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

/// A rendered template.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Answer {
    let body = page.render().map_err(|error| PageError::Template(error.to_string()))?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body))
}

/// Sets what every answer carries: cookies and headers.
pub(super) fn finish(cx: Cx, mut response: HttpResponse) -> HttpResponse {
    let mut cookies = cx.cookies;
    match &cx.toast {
        Some(toast) => cookies.push(cookies::say(&cx.admin, &cx.token, toast)),
        None if cx.is_told => cookies.push(cookies::nothing_said(&cx.admin)),
        None => {}
    }
    for cookie in cookies {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "a cookie was not set");
        }
    }
    let is_redirect = response.status() == StatusCode::SEE_OTHER;
    if is_redirect && cx.request.method() != Method::GET && is_htmx(cx.request.headers()) {
        // A fetch would follow the redirect silently; htmx takes the browser there by this.
        if let Some(location) = response.headers_mut().remove(header::LOCATION).next() {
            *response.status_mut() = StatusCode::OK;
            response.headers_mut().insert(HeaderName::from_static("hx-redirect"), location);
        }
    }
    secure(&cx.admin, response.headers_mut());
    response
}

fn is_htmx(headers: &HeaderMap) -> bool {
    headers.get("hx-request").is_some_and(|value| value == "true")
}

/// The headers of D7: nothing inline, nothing from elsewhere, in nobody's frame, kept by no cache.
fn secure(admin: &Admin, headers: &mut HeaderMap) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (header::PERMISSIONS_POLICY, PERMISSIONS),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept-Encoding, HX-Request"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if admin.public_url.as_ref().is_some_and(|url| url.is_https()) {
        let a_year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, a_year);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_are_gone_to() {
        for path in ["/admin", "/admin/users?after=7", "/admin?range=7"] {
            assert_eq!(local(path), path);
        }
        for path in ["", "//evil.example", "https://evil.example/admin", "/administrator", "/x"] {
            assert_eq!(local(path), "/admin");
        }
        assert_eq!(local("/admin/\r\nSet-Cookie: x"), "/admin");
    }
}
