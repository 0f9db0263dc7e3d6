//! The rules of the shop: what an order costs, when it may move, where money goes.
//!
//! Everything here is pure: no clock, no I/O, no serde, no floats, nothing but `std`. Time and all
//! that was loaded come in as arguments, decisions go out as values. What the panel says no to is
//! a [`Refusal`](refusal::Refusal).

pub mod address;
pub mod alert;
pub mod catalogue;
pub mod condition;
pub mod delivery;
pub mod errand;
pub mod event;
pub mod figures;
pub mod following;
pub mod input;
pub mod ledger;
pub mod link;
pub mod login;
pub mod money;
pub mod order;
pub mod outcome;
pub mod pace;
pub mod placing;
pub mod pricing;
pub mod provider;
pub mod refill;
pub mod refusal;
pub mod report;
pub mod schedule;
pub mod service;
pub mod setting;
pub mod user;

use std::fmt;

/// Characters that nobody sees or that reorder what is seen: nothing that people read on one line
/// may hold them.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Declares the typed row ids. They never mix: an `OrderId` is not a `UserId`.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// An account in the ledger: a user's or the house's.
    AccountId
    /// Somebody who logs in to the pages.
    AdminId
    /// A heading in the list of services.
    CategoryId
    /// Something the operator should know.
    ConditionId
    /// A cancel or a refill that a provider is asked for.
    ErrandId
    /// Something that a reseller with a webhook is told. Only grows.
    EventId
    /// An API key.
    KeyId
    /// One purchase. Public, from 1, below 2^31, only growing.
    OrderId
    /// One immutable movement of money.
    PostingId
    /// An upstream panel we buy from.
    ProviderId
    /// One request to deliver again what dropped.
    RefillId
    /// A browser that is logged in.
    SessionId
    /// A thing we sell.
    ServiceId
    /// One attempt to buy an order at a provider.
    SubmissionId
    /// A reseller.
    UserId
}

/// An instant in unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// Who does something. Written beside every movement of money and into the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A reseller, through one of their keys.
    Key(KeyId),
    /// A person in the pages.
    Admin(AdminId),
    /// Somebody with a shell on the machine.
    CommandLine,
    /// The panel itself, by what a provider said.
    Delivery,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key {id}"),
            Self::Admin(id) => write!(f, "admin {id}"),
            Self::CommandLine => f.write_str("command line"),
            Self::Delivery => f.write_str("delivery"),
        }
    }
}

/// The word of the database that belongs to a label: in small letters, with `_` for blanks.
const fn stored_word<const LENGTH: usize>(label: &str) -> [u8; LENGTH] {
    let (label, mut word, mut at) = (label.as_bytes(), [0; LENGTH], 0);
    while at < LENGTH {
        word[at] = if label[at] == b' ' { b'_' } else { label[at].to_ascii_lowercase() };
        at += 1;
    }
    word
}

/// Declares an enum whose every value has a label for people and a word in the database. The
/// labels are the trade's own terms and therefore what clients of the API see too; the stored word
/// follows from the label, `In progress` is stored as `in_progress`: so to reword the label of what
/// stands in files is a migration, and `tests/it/domain.rs` keeps the words.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $label:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in the database.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => const {
                        const WORD: [u8; $label.len()] = $crate::domain::stored_word($label);
                        match str::from_utf8(&WORD) { Ok(word) => word, Err(_) => $label }
                    },)*
                }
            }

            /// The word for people.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// Reads the word of the database.
            pub fn from_stored(word: &str) -> Option<Self> {
                $(if word == const { Self::$variant.as_str() } {
                    return Some(Self::$variant);
                })*
                None
            }

            /// Reads the word for people, in any case, with `_` or a blank between words.
            pub fn from_label(text: &str) -> Option<Self> {
                let text = text.trim().replace('_', " ");
                Self::ALL.iter().copied().find(|value| value.label().eq_ignore_ascii_case(&text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.label())
            }
        }
    };
}
pub(crate) use words;
