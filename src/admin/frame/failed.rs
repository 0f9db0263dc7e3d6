//! What goes wrong, as a page: what happened, whether anything was done, what to do now. A question
//! that has to be answered first is such a page too.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use askama::Template;

use super::answer::{bare, encoded, html, local, see_other};
use super::ask::{Ask, AskPage};
use super::cx::{Cx, Proof};
use super::error::PageError;
use super::form::Form;
use super::kept::Kept;
use super::nav::{self, Nav};
use super::shell::Shell;
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal, WebhookRefusal};
use crate::store;

/// The page of an error.
#[derive(Template)]
#[template(path = "admin/frame/failed.html", blocks = ["main"])]
struct ErrorPage {
    shell: Shell,
    text: String,
    /// Where to go from here: a path and what the link says.
    way_out: (String, String),
    /// What the log knows it by.
    code: Option<String>,
}

/// The log-in in the place of a form that came too late.
#[derive(Template)]
#[template(path = "admin/frame/failed_login.html")]
struct LateFormPage {
    shell: Shell,
    form: Form,
    /// The form, unless it is too long or has nothing to keep.
    kept: Option<Kept>,
    /// Where to go where no form comes back.
    next: String,
    /// Whether only the code is owed.
    is_half: bool,
}

impl LateFormPage {
    fn action(&self) -> &'static str {
        if self.is_half { "/admin/login/code" } else { "/admin/login" }
    }
}

/// A form that came back from a log-in, where its own page does not show it again.
#[derive(Template)]
#[template(path = "admin/frame/failed_returned.html")]
struct ReturnedPage<'a> {
    shell: Shell,
    action: String,
    fields: Vec<(&'a str, &'a str)>,
    /// Where to go instead.
    page: String,
}

impl ReturnedPage<'_> {
    /// A field's name as a person reads it.
    fn label(&self, name: &str) -> String {
        let mut words = name.replace('_', " ");
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        words
    }
}

/// What a person is told.
struct Told {
    status: StatusCode,
    title: &'static str,
    text: String,
}

fn told(status: StatusCode, title: &'static str, text: impl Into<String>) -> Told {
    Told { status, title, text: text.into() }
}

/// Makes the answer of an error.
pub(super) fn page(cx: &mut Cx, error: PageError) -> HttpResponse {
    match &error {
        PageError::SignedOut if cx.request.method() == Method::GET || cx.wants_part() => {
            return to_login(cx);
        }
        PageError::SignedOut => return late_form(cx),
        PageError::Ask(ask) => return question(cx, &ask.clone()),
        PageError::Dry if cx.is_returned => return returned(cx),
        PageError::Dry => return HttpResponse::NoContent().finish(),
        PageError::Prove => {
            let title = "Enter your password to continue".to_owned();
            return question(cx, &Ask { title, verb: "Continue".to_owned(), ..Ask::default() });
        }
        PageError::Store(fault @ store::Error::Storage(_)) => {
            tracing::error!(request_id = cx.request_tag(), error = %fault, "a page failed");
        }
        PageError::Template(fault) => {
            tracing::error!(request_id = cx.request_tag(), error = fault, "a page failed");
        }
        PageError::Forbidden(_)
        | PageError::NotFound(_)
        | PageError::Refused(_)
        | PageError::TooLarge
        | PageError::Unreadable
        | PageError::Store(_) => {}
    }
    let is_fault =
        matches!(error, PageError::Template(_) | PageError::Store(store::Error::Storage(_)));
    let retry = retry_after(&error);
    let Told { status, title, text } = tell(error);
    let way_out = match cx.session {
        Some(_) => {
            let item = nav::above(cx.request.uri().path());
            (item.path.to_owned(), format!("Go to {}", item.label))
        }
        None => (login_path(cx), "Log in".to_owned()),
    };
    let code = is_fault.then(|| cx.request_tag());
    let page = ErrorPage { shell: cx.shell(title, Nav::Other), text, way_out, code };
    let answer = match cx.wants_part() {
        true => html(status, &page.as_main()),
        false => html(status, &page),
    };
    let mut response = answer.unwrap_or_else(|error| bare(&error));
    if let Some(seconds) = retry {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

const fn retry_after(error: &PageError) -> Option<i64> {
    if let PageError::Refused(Refusal::Operator(OperatorRefusal::TooManyTries(seconds))) = error {
        return Some(*seconds);
    }
    if matches!(error, PageError::Store(store::Error::Busy)) { Some(1) } else { None }
}

fn tell(error: PageError) -> Told {
    match error {
        PageError::Forbidden(why) => told(
            StatusCode::FORBIDDEN,
            "Not saved",
            format!("{why} Open the page again and send the form from there."),
        ),
        PageError::NotFound(text) => told(StatusCode::NOT_FOUND, "Nothing here", text),
        PageError::Refused(refusal) => {
            told(status_of(&refusal), "Not saved", format!("{refusal}."))
        }
        PageError::TooLarge => told(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Form too large",
            "A form can hold 1 MiB. Nothing was changed.",
        ),
        PageError::Unreadable => told(
            StatusCode::BAD_REQUEST,
            "This could not be read",
            "The request did not arrive whole. Nothing was changed.",
        ),
        PageError::Store(store::Error::Busy) => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "The panel is busy",
            "Nothing was changed. Try again in a few seconds.",
        ),
        PageError::Store(store::Error::DiskFull) => told(
            StatusCode::SERVICE_UNAVAILABLE,
            "The disk is full",
            "Nothing was changed. Reading goes on; make room on the disk to change things.",
        ),
        PageError::SignedOut
        | PageError::Ask(_)
        | PageError::Dry
        | PageError::Prove
        | PageError::Template(_)
        | PageError::Store(store::Error::Storage(_) | store::Error::Refused(_)) => told(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong",
            "The log says more under the code below. Look before you try again: \
             the change may or may not have happened.",
        ),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are about what was asked")]
const fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Operator(OperatorRefusal::TooManyTries(_)) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Operator(OperatorRefusal::SetupIsOver) => StatusCode::GONE,
        Refusal::Order(
            OrderRefusal::OrderNotFound
            | OrderRefusal::RefillNotFound
            | OrderRefusal::ServiceNotFound,
        )
        | Refusal::Operator(
            OperatorRefusal::UserNotFound
            | OperatorRefusal::KeyNotFound
            | OperatorRefusal::Webhook(WebhookRefusal::NotSet | WebhookRefusal::EventNotFound)
            | OperatorRefusal::PostingNotFound
            | OperatorRefusal::CategoryNotFound
            | OperatorRefusal::SessionNotFound,
        ) => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The log-in, on the very page; it takes the form along that came too late.
fn late_form(cx: &mut Cx) -> HttpResponse {
    let is_half = cx.session.as_ref().is_some_and(|session| session.life.is_half);
    let next = cx.table().page_at(cx.request.uri().path());
    let (kept, shell) = (Kept::of(cx), cx.shell("You are logged out", Nav::Other));
    let page = LateFormPage { shell, form: Form::default(), kept, next, is_half };
    html(StatusCode::UNAUTHORIZED, &page).unwrap_or_else(|error| bare(&error))
}

/// The fields of a form that came back, and the button that sends it.
fn returned(cx: &mut Cx) -> HttpResponse {
    let shell = cx.shell("Send this again?", Nav::Other);
    let action = cx.request.uri().path().to_owned();
    let page = cx.table().page_at(&action);
    let page = ReturnedPage { shell, action, fields: cx.form.carried(), page };
    html(StatusCode::OK, &page).unwrap_or_else(|error| bare(&error))
}

/// To the log-in, and back here afterwards.
fn to_login(cx: &Cx) -> HttpResponse {
    if !cx.wants_part() {
        return see_other(&login_path(cx));
    }
    let mut response = HttpResponse::Unauthorized().finish();
    if let Ok(location) = HeaderValue::from_str(&login_path(cx)) {
        response.headers_mut().insert(HeaderName::from_static("hx-redirect"), location);
    }
    response
}

/// The log-in page, with the way back to what was read; not to what was posted.
fn login_path(cx: &Cx) -> String {
    let half = cx.session.as_ref().is_some_and(|session| session.life.is_half);
    let page = if half { "/admin/login/code" } else { "/admin/login" };
    let uri = cx.request.uri().path_and_query().map_or("", |uri| uri.as_str());
    if cx.request.method() != Method::GET || uri == "/admin" {
        return page.to_owned();
    }
    let next = encoded(uri);
    format!("{page}?next={next}")
}

/// The page that asks.
fn question(cx: &mut Cx, ask: &Ask) -> HttpResponse {
    let is_second = cx.form.get("confirmed") == "yes";
    let error = match (cx.proof, &ask.typed) {
        (Proof::Wrong, _) => Some("That is not your password.".to_owned()),
        (Proof::Owed, _) if is_second => Some("Your password is needed for this.".to_owned()),
        (_, Some(typed)) if is_second && !ask.is_typed(cx.form.get("typed")) => {
            Some(format!("That does not match: type {typed}."))
        }
        (Proof::Given | Proof::Owed, _) => None,
    };
    let status = match &error {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let shell = cx.shell(&ask.title, Nav::Other);
    let page = AskPage {
        shell,
        ask,
        action: cx.request.uri().path().to_owned(),
        carried: cx.form.carried(),
        owes_password: cx.proof != Proof::Given,
        error,
        back: back(cx),
    };
    let asked = match cx.wants_part() {
        true => html(status, &page.as_question()),
        false => html(status, &page),
    };
    let mut response = asked.unwrap_or_else(|error| bare(&error));
    let asks = HeaderName::from_static("x-asks");
    response.headers_mut().insert(asks, HeaderValue::from_static("1"));
    response
}

/// The page before, if it was one of ours.
fn back(cx: &Cx) -> String {
    let referrer = cx.request.headers().get(header::REFERER);
    let referrer = referrer.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = referrer.find("/admin").map_or("/admin", |at| &referrer[at..]);
    local(path).to_owned()
}
