//! What only an operator is ever told: in the pages and at the command line.

use std::fmt;

use super::{ProviderRefusal, WebhookRefusal};
use crate::domain::PostingId;
use crate::domain::money::Money;

/// A "no" to something that only an operator does. The API never says one on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorRefusal {
    // Orders and refills, moved by hand.
    /// The order is on its way to a provider.
    OrderInHandOver,
    NeverBackToPending,
    /// Until its posts are delivered by the panel, a subscription can only be canceled.
    SubscriptionOnlyCancels,
    /// A drip-feed order is moved with its runs, once one has begun.
    RunsHaveBegun,
    /// A package is delivered whole or not at all.
    PackageIsWhole,
    /// `Partial` needs to know how much is missing: 1 to this many.
    RemainsForPartial(i64),
    /// More remains than was ordered.
    RemainsAbove(i64),
    RefillIsFinal,
    RefillNeverBack,

    // People and money.
    UserNotFound,
    NameTaken,
    /// The name is empty, too long or not printable.
    BadName,
    KeyNotFound,
    /// The key was revoked before.
    KeyIsRevoked,
    /// The label is too long or not printable.
    BadLabel,
    /// A balance would pass what can be counted.
    AmountTooLarge,
    /// A posting of nothing.
    AmountIsZero,
    /// The balance is already further below zero than the new limit allows.
    BelowCreditLimit,
    /// A correction needs a reason.
    NoteMissing,
    NoteTooLong,
    /// A posting with this reference is in the books already.
    ReferenceTaken,
    PostingNotFound,
    /// The posting belongs to an order, or is goodwill.
    NotReversible,
    /// That posting has reversed it already.
    AlreadyReversed(PostingId),
    /// Reversing it would put the user below their credit limit: this much is available.
    ReversalAbove(Money),

    // The catalogue.
    /// The service's name is empty, too long or not printable.
    BadServiceName,
    /// The category's name is empty, too long or not printable.
    BadCategoryName,
    /// A limit is not a whole number from 1 to a thousand million.
    BadLimits,
    MinAboveMax,
    /// Only Default and Web Traffic can be drip-fed.
    KindWithoutDripFeed,
    /// The refill window is not 1 to 3650 days.
    BadRefillDays,
    /// The service has orders, which were placed by the fields of its type.
    KindIsFixed,
    /// The service has orders, which name it.
    ServiceHasOrders,
    /// A rate would pass what can be written.
    RateTooHigh,
    /// The rates are no longer those that were shown.
    RatesChanged,
    /// The catalogue is no longer what it was when somebody was asked.
    CatalogueChanged,
    /// What somebody wants to take back was changed again since.
    UndoneTooLate,
    CategoryNotFound,
    CategoryTaken,
    CategoryNotEmpty,
    DemoNeedsEmpty,
    /// A file names one service twice.
    IdTwice,
    ProviderNotFound,
    /// A service at a provider needs the provider's number for it, and the other way round.
    ProviderServiceMismatch,
    /// The refusal of one line of a file; lines count from 1.
    AtLine(u64, Box<Self>),

    /// About a provider, or an order that is sold through one.
    Provider(ProviderRefusal),
    /// Something about a webhook.
    Webhook(WebhookRefusal),

    // Settings.
    SettingNotFound,
    BadSetting,
    /// The books are kept in one currency, from the first posting on.
    CurrencyIsFixed,

    // Admins.
    AdminNotFound,
    /// The panel has an admin: the setup link is over.
    SetupIsOver,
    /// A password is too short or too long.
    BadPassword,
    /// A password that everybody tries first.
    CommonPassword,
    /// So many seconds must pass before the next try to log in.
    TooManyTries(i64),
    /// The code is wrong or was used already.
    WrongCode,
    /// The session has ended.
    SessionNotFound,
}

impl fmt::Display for OperatorRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::RemainsForPartial(..1) => "Order is too small to be partial",
            Self::RemainsForPartial(most) => {
                return write!(f, "Partial needs what remains: 1 to {most}");
            }
            Self::RemainsAbove(units) => return write!(f, "Remains must be 0 to {units}"),
            Self::TooManyTries(seconds) => return too_many_tries(f, *seconds),
            Self::AlreadyReversed(by) => return write!(f, "Entry {by} already reverses this"),
            Self::ReversalAbove(most) => return write!(f, "Only {most} is left to take back"),
            Self::AtLine(line, refusal) => return write!(f, "line {line}: {refusal}"),
            Self::Provider(refusal) => return refusal.fmt(f),
            Self::Webhook(refusal) => return refusal.fmt(f),
            Self::OrderInHandOver => "Order is being handed to a provider",
            Self::NeverBackToPending => "An order cannot go back to pending",
            Self::RunsHaveBegun => "Runs of this order have begun: move them, or stop the rest",
            Self::SubscriptionOnlyCancels => "A subscription can only be canceled",
            Self::PackageIsWhole => "A package is delivered whole: complete or cancel it",
            Self::RefillIsFinal => "Refill has ended already",
            Self::RefillNeverBack => "A refill cannot go back a step",
            Self::UserNotFound => "There is no user with this name",
            Self::NameTaken => "The name is taken",
            Self::BadName => "A name is 1 to 64 printable characters without blanks at its ends",
            Self::KeyNotFound => "There is no such key",
            Self::KeyIsRevoked => "This key is already revoked",
            Self::BadLabel => "A label is at most 100 printable characters",
            Self::AmountTooLarge => "Amount too large",
            Self::AmountIsZero => "The amount must not be zero",
            Self::BelowCreditLimit => "The balance is already below this credit limit",
            Self::NoteMissing => "An adjustment needs a note",
            Self::NoteTooLong => "A note is at most 500 printable characters",
            Self::ReferenceTaken => "This was booked already",
            Self::PostingNotFound => "There is no such entry",
            Self::NotReversible => "Only deposits and adjustments can be reversed",
            Self::BadServiceName => "A service's name is 1 to 255 printable characters",
            Self::BadCategoryName => "A category's name is 1 to 255 printable characters",
            Self::BadLimits => "min and max are whole numbers from 1 to 1000000000",
            Self::MinAboveMax => "min is above max",
            Self::KindWithoutDripFeed => "Only Default and Web Traffic can have drip-feed",
            Self::BadRefillDays => "refill_days is 1 to 3650, or empty for no limit",
            Self::KindIsFixed => "The type of a service that has orders cannot change",
            Self::ServiceHasOrders => "A service that has orders stays: disable it instead",
            Self::RateTooHigh => "A rate would be above 999999999.999999",
            Self::RatesChanged => "The rates have changed since you were asked: look again",
            Self::CatalogueChanged => {
                "The catalogue has changed since you were asked: look again what would change"
            }
            Self::UndoneTooLate => "Not undone: it has been changed again since",
            Self::CategoryNotFound => "There is no such category",
            Self::CategoryTaken => "Another category has this name",
            Self::CategoryNotEmpty => "The category has services: move them first",
            Self::DemoNeedsEmpty => "There are users already: a sample shop is for an empty panel",
            Self::IdTwice => "An earlier line has the same id",
            Self::ProviderNotFound => "There is no provider with this name",
            Self::ProviderServiceMismatch => {
                "provider and provider_service are both given or both empty"
            }
            Self::SettingNotFound => "There is no such setting",
            Self::BadSetting => "The setting cannot have this value",
            Self::CurrencyIsFixed => "The currency cannot change once money has moved",
            Self::AdminNotFound => "There is no admin with this name",
            Self::SetupIsOver => "This panel already has an admin",
            Self::BadPassword => "A password needs at least 12 characters, and at most 256 bytes",
            Self::CommonPassword => "This password is too common",
            Self::WrongCode => "The code is wrong or was already used",
            Self::SessionNotFound => "This session has already ended",
        };
        f.write_str(sentence)
    }
}

fn too_many_tries(f: &mut fmt::Formatter<'_>, seconds: i64) -> fmt::Result {
    let wait = match seconds {
        1 => "1 second".to_owned(),
        ..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    };
    write!(f, "Too many tries. Wait {wait} and try again")
}
