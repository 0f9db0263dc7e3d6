//! What every page has around it: navigation, theme, time zone, tokens, toasts.

use std::fmt::{self, Display};

use askama::filters::Safe;
use jiff::tz::TimeZone;

use crate::assets::Assets;
use crate::domain::Timestamp;
use crate::domain::money::Money;
use crate::secret;

/// Where in the navigation a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nav {
    Dashboard,
    Orders,
    Refills,
    Services,
    Categories,
    Users,
    Keys,
    Ledger,
    Audit,
    Settings,
    Account,
    /// Nowhere: errors, questions.
    Other,
}

/// One line of the navigation.
pub(crate) struct NavItem {
    pub(crate) nav: Nav,
    pub(crate) label: &'static str,
    pub(crate) path: &'static str,
    /// Its picture in `icons.svg`.
    pub(crate) icon: &'static str,
    /// The key that leads there after `g`.
    pub(crate) key: char,
}

const fn item(
    nav: Nav,
    label: &'static str,
    path: &'static str,
    icon_key: (&'static str, char),
) -> NavItem {
    NavItem { nav, label, path, icon: icon_key.0, key: icon_key.1 }
}

/// The navigation: groups by heading. A page that is not built has no line here.
pub(crate) const NAV: &[(&str, &[NavItem])] = &[
    (
        "Work",
        &[
            item(Nav::Dashboard, "Dashboard", "/admin", ("house", 'd')),
            item(Nav::Orders, "Orders", "/admin/orders", ("shopping-cart", 'o')),
            item(Nav::Refills, "Refills", "/admin/refills", ("refresh-cw", 'r')),
        ],
    ),
    (
        "Catalogue",
        &[
            item(Nav::Services, "Services", "/admin/services", ("boxes", 's')),
            item(Nav::Categories, "Categories", "/admin/categories", ("folder-tree", 'c')),
        ],
    ),
    (
        "People & money",
        &[
            item(Nav::Users, "Users", "/admin/users", ("users", 'u')),
            item(Nav::Keys, "API keys", "/admin/keys", ("key-round", 'k')),
            item(Nav::Ledger, "Ledger", "/admin/ledger", ("book-open", 'l')),
        ],
    ),
    (
        "System",
        &[
            item(Nav::Audit, "Audit", "/admin/audit", ("scroll-text", 'a')),
            item(Nav::Settings, "Settings", "/admin/settings", ("settings", 't')),
        ],
    ),
];

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) text: String,
    /// Where to post to take it back.
    pub(crate) undo: Option<String>,
}

impl Toast {
    /// A toast without a way back.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), undo: None }
    }

    /// A toast with a way back: posting there undoes it.
    pub(crate) fn with_undo(text: impl Into<String>, undo: impl Into<String>) -> Self {
        Self { text: text.into(), undo: Some(undo.into()) }
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

/// A large sum on one line: `1.8 M`. The exact one belongs in the title.
pub(crate) struct Short(pub(crate) Money);

impl Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0.is_negative() { "-" } else { "" };
        let whole = self.0.magnitude().micros() / 1_000_000;
        let scale = [(1_000_000_000, "B"), (1_000_000, "M"), (100_000, "k")];
        let Some((size, letter)) = scale.into_iter().find(|(size, _)| whole >= *size) else {
            let cents = self.0.magnitude().micros() / 10_000 % 100;
            return write!(f, "{sign}{}.{cents:02}", grouped(whole));
        };
        let size = if letter == "k" { 1000 } else { size };
        write!(f, "{sign}{}.{} {letter}", grouped(whole / size), whole % size * 10 / size)
    }
}

/// Thousands apart, by a narrow blank that does not break.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sums_are_shortened() {
        let short = |text: &str| {
            Short(Money::parse_signed(text).unwrap()).to_string().replace('\u{202f}', "_")
        };
        assert_eq!(short("0"), "0.00");
        assert_eq!(short("1234.567"), "1_234.56");
        assert_eq!(short("99999.99"), "99_999.99");
        assert_eq!(short("123456"), "123.4 k");
        assert_eq!(short("-1850000"), "-1.8 M");
        assert_eq!(grouped(-1_234_567).replace('\u{202f}', "_"), "-1_234_567");
    }
}
