//! Which addresses may be written down for a provider. What their names lead to is looked at with
//! every call, in `http.rs`.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::domain::address::is_public;

const LENGTH_MAX: usize = 500;
const HTTPS_PORT: u16 = 443;
const PLAIN_PORT_MIN: u16 = 1024;

/// Why an address may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlRefusal {
    NotValid,
    NotHttps,
    /// A name or a password stands before the host.
    UserInfo,
    Port,
    /// A number, not a name, and in this machine or its network.
    NotPublic,
    /// It is this panel's own.
    Own,
}

impl fmt::Display for UrlRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotValid => "Enter an address, such as https://example.com/api/v2",
            Self::NotHttps => "The address must begin with https://",
            Self::UserInfo => "The address must not hold a user name or a password",
            Self::Port => "The port must be 443, or 1024 or above",
            Self::NotPublic => "The address is not public",
            Self::Own => "This is the address of this panel",
        })
    }
}

/// Reads an address that may be called: https, at 443 or from 1024 on, public as far as it shows,
/// without user info, not this panel's own. `is_insecure` lifts all but the user info.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(
    url: &str,
    is_insecure: bool,
    own_public_url: Option<&str>,
) -> Result<Url, UrlRefusal> {
    let url = Some(url.trim()).filter(|url| url.len() <= LENGTH_MAX);
    let url = url.and_then(|url| Url::parse(url).ok()).ok_or(UrlRefusal::NotValid)?;
    let has_host = url.host_str().is_some_and(|host| !host.is_empty());
    if !has_host || !matches!(url.scheme(), "https" | "http") {
        return Err(UrlRefusal::NotValid);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefusal::UserInfo);
    }
    if is_insecure {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return Err(UrlRefusal::NotHttps);
    }
    let port = url.port_or_known_default().unwrap_or(HTTPS_PORT);
    if port != HTTPS_PORT && port < PLAIN_PORT_MIN {
        return Err(UrlRefusal::Port);
    }
    let number = match url.host() {
        Some(Host::Ipv4(number)) => Some(IpAddr::V4(number)),
        Some(Host::Ipv6(number)) => Some(IpAddr::V6(number)),
        Some(Host::Domain(_)) | None => None,
    };
    if number.is_some_and(|number| !is_public(number)) {
        return Err(UrlRefusal::NotPublic);
    }
    let place = |url: &Url| (url.host_str().map(without_dot), url.port_or_known_default());
    let own = own_public_url.and_then(|own| Url::parse(own).ok());
    if own.is_some_and(|own| place(&own) == place(&url)) {
        return Err(UrlRefusal::Own);
    }
    Ok(url)
}

/// A host by its one spelling: `example.com.` is `example.com`.
fn without_dot(host: &str) -> String {
    host.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_and_somebody_elses() {
        let own = Some("https://panel.example.com/");
        let table = [
            ("https://example.com/api/v2", None),
            (" https://example.com:8443/api/v2?x=1 ", None),
            ("https://panel.example.com:8443/api/v2", None),
            ("https://PANEL.example.com/api/v2", Some(UrlRefusal::Own)),
            ("https://panel.example.com.:443/", Some(UrlRefusal::Own)),
            ("http://example.com/api/v2", Some(UrlRefusal::NotHttps)),
            ("https://example.com:80/", Some(UrlRefusal::Port)),
            ("https://example.com:22/", Some(UrlRefusal::Port)),
            ("https://10.0.0.1/", Some(UrlRefusal::NotPublic)),
            ("https://[::1]:8443/", Some(UrlRefusal::NotPublic)),
            ("https://93.184.216.34/", None),
            ("https://user@example.com/", Some(UrlRefusal::UserInfo)),
            ("https://:word@example.com/", Some(UrlRefusal::UserInfo)),
            ("ftp://example.com/", Some(UrlRefusal::NotValid)),
            ("example.com", Some(UrlRefusal::NotValid)),
            ("https://", Some(UrlRefusal::NotValid)),
            ("", Some(UrlRefusal::NotValid)),
        ];
        for (url, refusal) in table {
            assert_eq!(check_url(url, false, own).err(), refusal, "{url}");
        }
        for url in ["http://127.0.0.1:80/", "https://panel.example.com/"] {
            assert!(check_url(url, true, own).is_ok(), "{url}");
        }
        let named = check_url("http://user@127.0.0.1/", true, own);
        assert_eq!(named.err(), Some(UrlRefusal::UserInfo));
        let long = format!("https://example.com/{}", "a".repeat(LENGTH_MAX));
        assert_eq!(check_url(&long, false, None).err(), Some(UrlRefusal::NotValid));
    }
}
