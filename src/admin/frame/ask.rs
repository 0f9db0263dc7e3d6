//! A question before something is done, and the page that asks it.

use askama::Template;

use super::shell::{Nav, Shell};

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
    /// Whether the button warns.
    pub(crate) is_danger: bool,
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
    pub(super) error: Option<&'a str>,
    /// The page before.
    pub(super) back: String,
}
