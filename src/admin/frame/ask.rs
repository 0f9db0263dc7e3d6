//! A question before something is done, and the page that asks it.

use askama::Template;

use super::shell::{Nav, Shell};

/// Values that are longer, in bytes, stand below their names, not beside them.
const LONG: usize = 60;

/// A question before something is done: what it is, in a verb, a count and a sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    /// The question: "Add 50.00 USD to ann?"
    pub(crate) title: String,
    /// What follows from it, one line each: a name and a value. Empty values are left out.
    pub(crate) facts: Vec<(String, String)>,
    /// What the button says: "Add 50.00 USD".
    pub(crate) verb: String,
    /// What has to be typed first, where a lot is at stake.
    pub(crate) typed: Option<String>,
    /// What has to be checked first, where only the person can know.
    pub(crate) looked: Option<String>,
    /// Whether the button warns. The way out has the focus then.
    pub(crate) is_danger: bool,
    /// What the way out says, where "Cancel" could be taken for what the button does.
    pub(crate) keep: &'static str,
}

impl Ask {
    /// Whether that is what has to be typed. Blanks between digits do not count.
    pub(crate) fn is_typed(&self, sent: &str) -> bool {
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        self.typed.as_deref().is_none_or(|typed| bare(typed) == bare(sent))
    }

    /// What the way out says.
    pub(crate) fn way_out(&self) -> &'static str {
        if self.keep.is_empty() { "Cancel" } else { self.keep }
    }
}

/// The page that asks: everything that was sent, once more, with a button.
#[derive(Template)]
#[template(path = "admin/frame/ask.html", blocks = ["question"])]
pub(super) struct AskPage<'a> {
    pub(super) shell: Shell,
    pub(super) ask: &'a Ask,
    /// Where the answer goes.
    pub(super) action: String,
    pub(super) carried: Vec<(&'a str, &'a str)>,
    /// Whether the password is to be given along with the answer.
    pub(super) owes_password: bool,
    pub(super) error: Option<String>,
    /// The page before.
    pub(super) back: String,
}
