//! A customer's link on a page: cut in the middle, followed only where it is one of the web's.

use std::fmt::{self, Display};

/// Characters of a link that a row has room for, and how many of them are from its end.
const SHOWN_MAX: usize = 26;
const END: usize = 11;

/// A link as a customer wrote it. Shown short; the whole of it belongs in the title.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a>(pub(crate) &'a str);

impl<'a> Link<'a> {
    /// The whole of it.
    pub(crate) fn whole(self) -> &'a str {
        self.0
    }

    /// Whether a browser can go there without harm: only where it says `http` or `https` itself.
    pub(crate) fn is_web(self) -> bool {
        self.without_scheme().is_some()
    }

    fn without_scheme(self) -> Option<&'a str> {
        let (scheme, rest) = self.0.split_once("://")?;
        let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        is_web.then_some(rest)
    }
}

impl Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.without_scheme().unwrap_or(self.0);
        let shown = shown.strip_prefix("www.").unwrap_or(shown);
        let length = shown.chars().count();
        if length <= SHOWN_MAX {
            return f.write_str(shown);
        }
        let start: String = shown.chars().take(SHOWN_MAX - END - 1).collect();
        let end: String = shown.chars().skip(length - END).collect();
        write!(f, "{start}…{end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_of_the_web_are_followed() {
        for link in ["https://example.com/p", "http://example.com", "HTTPS://example.com"] {
            assert!(Link(link).is_web(), "{link}");
        }
        for link in ["example.com", "ftp://x.example", "intent://x", "@ann", "x https://a.example"]
        {
            assert!(!Link(link).is_web(), "{link}");
        }
    }

    #[test]
    fn a_long_link_keeps_its_ends() {
        assert_eq!(Link("https://www.example.com/p").to_string(), "example.com/p");
        let long = format!("https://example.com/{}/reel/Cxyz0123456789", "ü".repeat(40));
        let shown = Link(&long).to_string();
        assert!(shown.starts_with("example.com/üü…"), "{shown}");
        assert!(shown.ends_with("…z0123456789"), "{shown}");
        assert_eq!(shown.chars().count(), SHOWN_MAX);
    }
}
