//! A customer's link on a page: without what is the same for every post, followed only where it is
//! one of the web's.

use std::borrow::Cow;
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

    /// Where a browser goes without harm: only to `http` or `https`, which a link that was pasted
    /// without its scheme gets. A name with a dot and no path may be a user's: it leads nowhere.
    pub(crate) fn address(self) -> Option<Cow<'a, str>> {
        match self.0.split_once("://") {
            Some((scheme, _)) => link::is_web(scheme).then_some(Cow::Borrowed(self.0)),
            None if link::is_bare(self.0) => Some(Cow::Owned(format!("https://{}", self.0.trim()))),
            None => None,
        }
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
            assert_eq!(Link(link).address().as_deref(), Some(link));
        }
        for link in ["example.com/p?a=1", "www.example.com"] {
            assert_eq!(Link(link).address(), Some(format!("https://{link}").into()));
        }
        let nowhere = ["ann.smith", "ann.smith/", "ftp://x.example", "intent://x", "@ann"];
        let odd =
            ["x https://a.example", "javascript:alert(1)/x", "//example.com/p", "a@b.example/p"];
        for link in nowhere.into_iter().chain(odd) {
            assert_eq!(Link(link).address(), None, "{link}");
        }
    }

    #[test]
    fn a_link_is_shown_by_what_tells_it_from_others() {
        let link = Link("https://www.instagram.com/reel/C1/?igsh=MzRlODBiNWFlZA==");
        assert_eq!(link.to_string(), "instagram.com/reel/C1");
        assert_eq!(link.whole(), link.0);
    }
}
