//! What a provider's answer to an order means, and what its error texts are about.
//!
//! The texts are those that panels of this trade are known to say. Where a text may mean that the
//! order has arrived all the same, it is no refusal, whatever else it says.

use super::words;

words! {
    /// What an error text is about.
    pub enum Family {
        /// Their machine is unwell: the order may have arrived all the same.
        Trouble = "Trouble",
        /// They know our own id already: an earlier try has arrived.
        Replay = "Replay",
        Funds = "Funds",
        Key = "Key",
        /// They have an open order for the link.
        Duplicate = "Duplicate",
        Busy = "Busy",
        Service = "Service",
        Quantity = "Quantity",
        Link = "Link",
        Other = "Other",
    }
}

/// What an answer to `add` means. `answer` is masked and fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They have it, under this number of theirs.
    Accepted { their_id: String },
    /// They clearly refused it. Never for trouble, replay or busy.
    Refused { family: Family, answer: String },
    /// Surely no byte of it has left us.
    NotSent { answer: String },
    /// They ask us to come back, in so many seconds where they say so. `is_only_said` where a text
    /// alone says it, without a status or a code that means it.
    Busy { retry_after: Option<i64>, is_only_said: bool, answer: String },
    /// It may have arrived.
    Unknown { answer: String },
}

/// What is said in which matter, by precedence: the first phrase that a text contains decides. In
/// small letters, with blanks for `_`, `.` and `-`.
const PHRASES: &[(Family, &[&str])] = &[
    (
        Family::Trouble,
        &[
            "timeout",
            "timed out",
            "gateway",
            "internal error",
            "server error",
            "exception",
            "sqlstate",
            "went wrong",
            "unexpected",
            "unknown error",
            "try to refresh",
        ],
    ),
    (Family::Replay, &["request id", "idempotency"]),
    (
        Family::Funds,
        &[
            "not enough funds",
            "not enough balance",
            "insufficient balance",
            "insufficient funds",
            "low balance",
            "balance is not enough",
        ],
    ),
    (
        Family::Key,
        &[
            "invalid api key",
            "incorrect api key",
            "api key is incorrect",
            "wrong api key",
            "api key not found",
            "unauthorized",
            "unauthenticated",
            "account is inactive",
            "suspended",
            "ip not allowed",
            "not allowed from this address",
        ],
    ),
    (
        Family::Duplicate,
        &[
            "active order with this link",
            "link duplicate",
            "already has an order",
            "order in progress",
            "wait until order",
            "link currently active",
        ],
    ),
    (
        Family::Busy,
        &[
            "rate limit",
            "too many requests",
            "spam protection",
            "slow down",
            "maintenance",
            "temporarily",
            "try again later",
            "processing another",
            "please wait a",
        ],
    ),
    (
        Family::Service,
        &[
            "incorrect service",
            "service not found",
            "invalid service",
            "service is disabled",
            "disabled service",
            "service inactive",
            "not available",
            "service id",
        ],
    ),
    (
        Family::Quantity,
        &[
            "less than minimal",
            "less than minimum",
            "more than maximum",
            "min quantity",
            "max quantity",
            "minimum order",
            "incorrect quantity",
            "multiple of",
        ],
    ),
    (
        Family::Link,
        &[
            "bad link",
            "incorrect link",
            "invalid link",
            "wrong link",
            "neworder error link",
            "link not found",
            "private account",
        ],
    ),
];

/// Texts of an order shorter than this are too likely to stand in any sentence.
const OWN_LENGTH_MIN: usize = 4;

impl Outcome {
    /// What it is, in a word, for the log.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused { .. } => "refused",
            Self::NotSent { .. } => "not sent",
            Self::Busy { .. } => "busy",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Their number for the order, where they have it.
    pub fn their_id(&self) -> Option<&str> {
        match self {
            Self::Accepted { their_id } => Some(their_id),
            Self::Refused { .. }
            | Self::NotSent { .. }
            | Self::Busy { .. }
            | Self::Unknown { .. } => None,
        }
    }
}

impl Family {
    /// What an error text is about. `own` is what the order itself brought, its link and inputs: a
    /// provider may repeat it, and a customer must not choose the family with it.
    pub fn of(text: &str, own: &[&str]) -> Self {
        let text = text.to_lowercase();
        let rest = without_own(&text, own);
        let has_words = rest.chars().any(char::is_alphabetic);
        let plain = plain(if has_words { &rest } else { &text });
        let is_said = |(_, phrases): &&(Self, &[&str])| phrases.iter().any(|it| plain.contains(it));
        PHRASES.iter().find(is_said).map_or(Self::Other, |(family, _)| *family)
    }
}

/// The text without what the order brought. Kept is what could be the provider's own word: a part
/// of a longer word, or of one of the phrases we look for.
fn without_own(text: &str, own: &[&str]) -> String {
    let mut rest = text.to_owned();
    for own in own.iter().flat_map(|own| [*own].into_iter().chain(own.lines())) {
        let own = own.trim().to_lowercase();
        let is_cut = own.len() >= OWN_LENGTH_MIN && own.len() <= rest.len() && !is_of_phrase(&own);
        if is_cut {
            rest = cut_out(&rest, &own);
        }
    }
    rest
}

/// Whether one of the phrases holds that text.
fn is_of_phrase(own: &str) -> bool {
    let own = plain(own);
    PHRASES.iter().flat_map(|(_, phrases)| phrases.iter()).any(|phrase| phrase.contains(&own))
}

/// The text with each whole occurrence of `own` made a blank.
fn cut_out(text: &str, own: &str) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(own) {
        let end = at + own.len();
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        let is_whole =
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric);
        if is_whole {
            rest.push_str(&text[from..at]);
            rest.push(' ');
            from = end;
        }
    }
    rest.push_str(&text[from..]);
    rest
}

/// A text as the phrases are written: single blanks, also for `_`, `.` and `-`.
fn plain(text: &str) -> String {
    let spaced = text.replace(['_', '.', '-'], " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_families() {
        let table = [
            ("Timeout was reached", Family::Trouble),
            ("SQLSTATE[HY000] [2002]", Family::Trouble),
            ("Something went wrong, try again later", Family::Trouble),
            ("request_id was used for another order", Family::Replay),
            ("neworder.error.not_enough_funds", Family::Funds),
            ("Not enough funds on balance", Family::Funds),
            ("INSUFFICIENT  BALANCE", Family::Funds),
            ("Invalid API key", Family::Key),
            ("User account suspended", Family::Key),
            (
                "You have active order with this link. Please wait until order being completed.",
                Family::Duplicate,
            ),
            ("neworder.error.link_duplicate", Family::Duplicate),
            ("Rate limit exceeded", Family::Busy),
            ("Service temporarily unavailable", Family::Busy),
            ("Incorrect service ID", Family::Service),
            ("Service is not available now", Family::Service),
            ("Quantity less than minimal 100", Family::Quantity),
            ("Quantity must be a multiple of 10", Family::Quantity),
            ("Bad link", Family::Link),
            ("neworder.error.link", Family::Link),
            ("This is a private account", Family::Link),
            ("Nope", Family::Other),
            ("", Family::Other),
        ];
        for (text, family) in table {
            assert_eq!(Family::of(text, &[]), family, "{text}");
        }
    }

    #[test]
    fn every_phrase_leads_to_its_family_whatever_its_spelling() {
        for (family, phrases) in PHRASES {
            for phrase in *phrases {
                assert_eq!(plain(phrase), **phrase);
                for text in [(*phrase).to_owned(), phrase.to_uppercase(), phrase.replace(' ', "_")]
                {
                    let found = Family::of(&format!("error: {text}!"), &[]);
                    let rank = |family| PHRASES.iter().position(|(it, _)| *it == family);
                    assert!(rank(found) <= rank(*family), "{text} is {found}");
                }
            }
        }
    }

    #[test]
    fn what_a_customer_wrote_does_not_choose_the_family() {
        let link = "https://example.com/Internal-Error?gateway=timeout";
        for (text, own, family) in [
            (format!("Bad link: {link}"), vec![link], Family::Link),
            (format!("bad link {}", link.to_uppercase()), vec![link], Family::Link),
            (format!("{link} is odd"), vec![link], Family::Other),
            (
                "Nice, unexpected! is a bad word".to_owned(),
                vec!["nice, unexpected!"],
                Family::Other,
            ),
            ("No: first rate limit".to_owned(), vec!["a\nfirst rate limit\nb"], Family::Other),
            // Nor does it hide what the provider says.
            ("Request timeout".to_owned(), vec!["timeout"], Family::Trouble),
            ("Request timeout".to_owned(), vec!["st timeout", "e"], Family::Trouble),
            ("Request timeout".to_owned(), vec!["request timeout"], Family::Trouble),
        ] {
            assert_eq!(Family::of(&text, &own), family, "{text}");
        }
    }
}
