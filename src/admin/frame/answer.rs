//! Answers without a page around them: rendered templates, the way to another page, addresses.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::PageError;

/// What a handler gives back.
pub(crate) type Answer = Result<HttpResponse, PageError>;

/// What stays as it is in the value of an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// A rendered template.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Answer {
    let body = page.render().map_err(|error| PageError::Template(error.to_string()))?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body))
}

/// Go there, with GET.
pub(crate) fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}

/// A value in an address.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A path of ours to go to, whatever was asked for.
pub(crate) fn local(path: &str) -> &str {
    let is_ours = path == "/admin" || path.starts_with("/admin/") || path.starts_with("/admin?");
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours && is_plain { path } else { "/admin" }
}

/// Where not even a page can be made.
pub(super) fn bare(error: &impl std::fmt::Debug) -> HttpResponse {
    tracing::error!(?error, "a page could not be made");
    HttpResponse::ServiceUnavailable()
        .insert_header((header::RETRY_AFTER, "1"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .content_type("text/plain; charset=utf-8")
        .body("The panel cannot answer now. Try again in a few seconds.\n")
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
