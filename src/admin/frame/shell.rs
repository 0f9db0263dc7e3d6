//! What every page has around it: theme, time zone, tokens, toasts, and the navigation of `nav.rs`.

use askama::filters::Safe;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::nav::{NAV, NavItem};
use super::needs::Waiting;
use crate::assets::Assets;
use crate::domain::Timestamp;
use crate::secret;

pub(crate) use super::nav::Nav;

/// How a page looks, as its reader chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looks {
    /// Light, dark, or as the system has it.
    pub(crate) theme: Theme,
    /// Whether rows are low.
    pub(crate) is_compact: bool,
    /// Whether single keys do nothing.
    pub(crate) has_no_keys: bool,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    /// In the order of the menu.
    pub(crate) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The word in the cookie and in the page.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The word on the button.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// Reads the word of the cookie.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }
}

/// A line that says what was done, with the way back where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Toast {
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) undo: Option<Undo>,
}

/// A form that takes back what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// Where it is posted.
    pub(crate) path: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Undo {
    /// Posts to that path.
    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self { path: path.into(), fields: Vec::new() }
    }

    /// With one more field.
    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.fields.push((name.to_owned(), value.to_string()));
        self
    }

    /// With all of these fields.
    pub(crate) fn with_each(self, fields: &[(&'static str, String)]) -> Self {
        fields.iter().fold(self, |undo, (name, value)| undo.with(name, value))
    }
}

impl Toast {
    /// A toast without a way back.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }

    /// A toast with a way back.
    pub(crate) fn with_undo(text: impl Into<String>, undo: Undo) -> Self {
        Self { text: text.into(), undo: Some(undo) }
    }
}

/// What every page is given. Templates call it `shell`.
#[derive(Clone)]
pub(crate) struct Shell {
    pub(crate) title: String,
    /// Where it stands in the navigation.
    pub(crate) nav: Nav,
    pub(crate) panel: String,
    pub(crate) currency: String,
    /// The zone in which times are shown.
    pub(crate) zone: TimeZone,
    pub(crate) now: Timestamp,
    pub(crate) looks: Looks,
    /// Who is logged in.
    pub(crate) who: Option<String>,
    /// The token for its forms.
    pub(crate) csrf: String,
    /// What was just done.
    pub(crate) toast: Option<Toast>,
    /// Whether cookies travel in the clear.
    pub(crate) is_insecure: bool,
    /// What waits for a person.
    pub(crate) waiting: Waiting,
    /// The page's own path and query, to come back to.
    pub(crate) here: String,
}

impl Shell {
    /// Where a file of `static/` is.
    pub(crate) fn asset(&self, name: &str) -> &'static str {
        Assets::get().url(name)
    }

    /// The navigation.
    pub(crate) fn groups(&self) -> &'static [(&'static str, &'static [NavItem])] {
        NAV
    }

    /// The version of this executable.
    pub(crate) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The themes, for the menu.
    pub(crate) fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }

    /// A name for one rendered form, so that sending it twice does a thing once.
    pub(crate) fn idem(&self) -> String {
        secret::new_token(26).expose().to_owned()
    }

    /// An instant, in the panel's zone, with the exact one in UTC behind it.
    pub(crate) fn time(&self, at: &Timestamp) -> Safe<String> {
        self.stamp(*at, "%Y-%m-%d %H:%M")
    }

    /// An instant on less room: the hour of this year's, the day of an older one.
    pub(crate) fn moment(&self, at: &Timestamp) -> Safe<String> {
        let year = |at: Timestamp| {
            let utc = jiff::Timestamp::from_second(at.0).unwrap_or_default();
            utc.to_zoned(self.zone.clone()).year()
        };
        let is_this_year = year(*at) == year(self.now);
        self.stamp(*at, if is_this_year { "%-d %b %H:%M" } else { "%-d %b %Y" })
    }

    /// A day, in the panel's zone.
    pub(crate) fn day(&self, at: &Timestamp) -> Safe<String> {
        self.stamp(*at, "%Y-%m-%d")
    }

    /// Nothing in this can be anyone's text: digits, months, dashes and colons only.
    fn stamp(&self, at: Timestamp, format: &str) -> Safe<String> {
        let Ok(utc) = jiff::Timestamp::from_second(at.0) else { return Safe(at.0.to_string()) };
        let local = utc.to_zoned(self.zone.clone()).strftime(format);
        let exact = utc.strftime("%Y-%m-%d %H:%M:%S UTC");
        Safe(format!("<time datetime=\"{utc}\" title=\"{exact}\">{local}</time>"))
    }

    /// How long ago, in one unit.
    pub(crate) fn ago(&self, at: &Timestamp) -> String {
        match self.now.0 - at.0 {
            ..60 => "just now".to_owned(),
            seconds @ 60..3600 => format!("{} min ago", seconds / 60),
            seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
            seconds => format!("{} d ago", seconds / 86_400),
        }
    }
}
