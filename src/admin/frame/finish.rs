//! What every answer carries: cookies and headers.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

use super::cx::Cx;
use super::shell::Toast;
use super::{Admin, cookies};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; object-src 'none'";
const PERMISSIONS: &str =
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()";

/// Sets what every answer carries: cookies and headers.
pub(super) fn finish(cx: Cx, mut response: HttpResponse) -> HttpResponse {
    let mut cookies = cx.cookies;
    let is_redirect = response.status() == StatusCode::SEE_OTHER;
    let is_part = !is_redirect && is_htmx(cx.request.headers());
    match &cx.toast {
        Some(toast) if is_part => trigger(toast, response.headers_mut()),
        Some(toast) => cookies.push(cookies::leave_toast(&cx.admin, &cx.token, toast)),
        None if cx.is_told => cookies.push(cookies::no_toast(&cx.admin)),
        None => {}
    }
    for cookie in cookies {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "a cookie was not set");
        }
    }
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

/// Has the script show a toast beside the part of a page that was fetched.
fn trigger(toast: &Toast, headers: &mut HeaderMap) {
    let event = serde_json::json!({ "toast": toast }).to_string();
    let mut ascii = String::with_capacity(event.len());
    for c in event.chars() {
        match c.is_ascii() {
            true => ascii.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }),
        }
    }
    if let Ok(value) = HeaderValue::from_str(&ascii) {
        headers.insert(HeaderName::from_static("hx-trigger"), value);
    }
}

fn is_htmx(headers: &HeaderMap) -> bool {
    headers.get("hx-request").is_some_and(|value| value == "true")
}

/// Nothing inline, nothing from elsewhere, in nobody's frame, kept by no cache.
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
