//! Cookies, and the tokens made from them.
//!
//! One cookie holds the browser's secret: once logged in that of its session, before only that of
//! its forms. The token of a form is a MAC under this secret, masked anew in every page, so that
//! the size of a compressed page says nothing about it.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};

use super::Admin;
use super::shell::Toast;
use crate::secret::{self, Secret};

const TOKEN_LENGTH: usize = 52;
const CSRF_BYTES: usize = 20;
const TOAST_SECONDS: i64 = 60;
const LOOKS_DAYS: i64 = 400;

const TOAST: &str = "toast";
/// What a cookie of 4096 bytes has room for, coded and signed.
const TOAST_BYTES_MAX: usize = 2900;
const TOAST_CHARS_MAX: usize = 500;

/// `__Host-`: set by us, over TLS, for this host and all its paths. Not to be had without TLS.
fn session_name(admin: &Admin) -> &'static str {
    if admin.insecure_cookies { "panelite" } else { "__Host-panelite" }
}

fn made(admin: &Admin, name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(!admin.insecure_cookies)
        .same_site(SameSite::Lax)
        .finish()
}

/// The browser's secret, if it has one of ours.
pub(crate) fn token(request: &HttpRequest, admin: &Admin) -> Option<Secret> {
    let cookie = request.cookie(session_name(admin))?;
    let value = cookie.value();
    let is_ours = value.len() == TOKEN_LENGTH && value.bytes().all(|b| b.is_ascii_alphanumeric());
    is_ours.then(|| Secret::new(value.to_owned()))
}

/// The cookie of a new secret. It goes when the browser is closed.
pub(crate) fn session(admin: &Admin, token: &Secret) -> Cookie<'static> {
    made(admin, session_name(admin), token.expose().to_owned())
}

/// Takes the secret away.
pub(crate) fn no_session(admin: &Admin) -> Cookie<'static> {
    let mut cookie = made(admin, session_name(admin), String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

/// How pages look: kept for long, and no secret.
pub(crate) fn looks(admin: &Admin, name: &'static str, word: &'static str) -> Cookie<'static> {
    let mut cookie = made(admin, name, word.to_owned());
    cookie.set_max_age(Duration::days(LOOKS_DAYS));
    cookie
}

/// A token for one rendered page.
pub(crate) fn csrf(token: &Secret) -> String {
    let mask = secret::random_bytes(CSRF_BYTES);
    let plain = secret::mac(token.expose(), "csrf");
    let masked = mask.iter().zip(plain).map(|(a, b)| a ^ b);
    let bytes: Vec<u8> = mask.iter().copied().chain(masked).collect();
    BASE32_NOPAD.encode(&bytes).to_lowercase()
}

/// Whether a form's token belongs to the browser's secret.
pub(crate) fn is_csrf(token: &Secret, sent: &str) -> bool {
    let Ok(bytes) = BASE32_NOPAD.decode(sent.to_uppercase().as_bytes()) else { return false };
    let Some((mask, masked)) = bytes.split_at_checked(CSRF_BYTES) else { return false };
    let plain: Vec<u8> = mask.iter().zip(masked).map(|(a, b)| a ^ b).collect();
    let expected = secret::mac(token.expose(), "csrf");
    secret::is_same(&plain, &expected[..CSRF_BYTES])
}

/// Keeps a toast for the next page, signed so that nobody else can make us say things. One that
/// is too long for a cookie loses its way back, and then its end.
pub(crate) fn leave_toast(admin: &Admin, token: &Secret, toast: &Toast) -> Cookie<'static> {
    let written = |toast: &Toast| serde_json::to_string(toast).unwrap_or_default();
    let mut text = written(toast);
    if text.len() > TOAST_BYTES_MAX {
        text = written(&Toast::new(toast.text.chars().take(TOAST_CHARS_MAX).collect::<String>()));
    }
    let mac = BASE64URL_NOPAD.encode(&secret::mac(token.expose(), &format!("{TOAST} {text}")));
    let value = format!("{mac}{}", BASE64URL_NOPAD.encode(text.as_bytes()));
    let mut cookie = made(admin, TOAST, value);
    cookie.set_max_age(Duration::seconds(TOAST_SECONDS));
    cookie
}

/// Forgets the toast.
pub(crate) fn no_toast(admin: &Admin) -> Cookie<'static> {
    let mut cookie = made(admin, TOAST, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

/// The toast that the last answer left.
pub(crate) fn left_toast(request: &HttpRequest, token: &Secret) -> Option<Toast> {
    let cookie = request.cookie(TOAST)?;
    let (mac, text) = cookie.value().split_at_checked(43)?;
    let text = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
    let expected = BASE64URL_NOPAD.encode(&secret::mac(token.expose(), &format!("{TOAST} {text}")));
    if !secret::is_same(mac.as_bytes(), expected.as_bytes()) {
        return None;
    }
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forms_token_is_masked_and_belongs_to_one_browser() {
        let (mine, other) = (secret::new_token(52), secret::new_token(52));
        let (first, second) = (csrf(&mine), csrf(&mine));
        assert_ne!(first, second);
        assert!(is_csrf(&mine, &first) && is_csrf(&mine, &second));
        assert!(!is_csrf(&other, &first));
        for sent in ["", "aaaa", &first[1..], &first.replace(&first[..8], "aaaaaaaa")] {
            assert!(!is_csrf(&mine, sent), "{sent}");
        }
    }
}
