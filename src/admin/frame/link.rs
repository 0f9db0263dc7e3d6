//! A customer's link on a page: without what is the same for every post, followed only where it is
//! one of the web's.

use std::fmt::{self, Display};

use crate::domain::link;

/// A link as a customer wrote it. Shown whole but for tracking, so that it says which post it is:
/// the page cuts it where there is no room. All of it belongs in the title.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a>(pub(crate) &'a str);

impl<'a> Link<'a> {
    /// The whole of it.
    pub(crate) fn whole(self) -> &'a str {
        self.0
    }

    /// Whether a browser can go there without harm: only where it says `http` or `https` itself.
    pub(crate) fn is_web(self) -> bool {
        self.0.split_once("://").is_some_and(|(scheme, _)| link::is_web(scheme))
    }
}

impl Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&link::shown(self.0))
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
    fn a_link_is_shown_by_what_tells_it_from_others() {
        let link = Link("https://www.instagram.com/reel/C1/?igsh=MzRlODBiNWFlZA==");
        assert_eq!(link.to_string(), "instagram.com/reel/C1");
        assert_eq!(link.whole(), link.0);
    }
}
