//! Every "no" of the shop, as a value. `Display` is the sentence people read.
//!
//! The list is closed and carries no text of its callers: each face (API, pages, command line)
//! decides with one `match` how to say it, and nothing a customer typed is echoed by accident.

use std::fmt;

use super::PostingId;
use super::money::Money;
use super::order::PublicStatus;
use super::service::Input;

/// A business "no". Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    // Placing an order, in the order in which they win.
    /// A required field is absent.
    Missing(Input),
    /// A field's value cannot be what it must be.
    Invalid(Input),
    /// Runs were asked for where the service has no drip-feed.
    NoDripFeed,
    /// The request id was used for another request.
    RequestConflict,
    /// No such service, or it is not on sale.
    ServiceNotFound,
    /// The link cannot be delivered to.
    BadLink,
    /// Fewer than the service's minimum.
    QuantityBelow(i64),
    /// More than the service's maximum.
    QuantityAbove(i64),
    /// The service allows one open order per user and link.
    DuplicateOrder,
    /// The account does not hold that much.
    InsufficientFunds,

    // After an order was placed.
    /// No such order, or somebody else's.
    OrderNotFound,
    /// The service does not offer to cancel.
    CancelNotOffered,
    /// The order has ended.
    OrderIsFinal(PublicStatus),
    /// The order is on its way to a provider.
    OrderInHandOver,
    /// An order never becomes pending again.
    NeverBackToPending,
    /// Until its posts are delivered by the panel, a subscription can only be canceled.
    SubscriptionOnlyCancels,
    /// A package is delivered whole or not at all.
    PackageIsWhole,
    /// `Partial` needs to know how much is missing: 1 to this many.
    RemainsForPartial(i64),
    /// More remains than was ordered.
    RemainsAbove(i64),
    /// No such refill, or somebody else's.
    RefillNotFound,
    /// The service does not offer refills.
    RefillNotOffered,
    /// Only what was completed can be refilled.
    RefillNotCompleted,
    /// The refill window, in days, is over.
    RefillTooLate(i64),
    /// Another refill of the order is still open.
    RefillIsOpen,
    /// The refill has ended.
    RefillIsFinal,
    /// A refill never goes back a step.
    RefillNeverBack,

    // People and money.
    /// The account is suspended.
    Suspended,
    /// No such user.
    UserNotFound,
    /// The name is taken.
    NameTaken,
    /// The name is empty, too long or not printable.
    BadName,
    /// No such key.
    KeyNotFound,
    /// The key is refused already.
    KeyIsRevoked,
    /// The label is too long or not printable.
    BadLabel,
    /// A balance would pass what can be counted.
    AmountTooLarge,
    /// A movement of nothing.
    AmountIsZero,
    /// The balance is already further below zero than the new limit allows.
    BelowCreditLimit,
    /// A correction needs a reason.
    NoteMissing,
    /// The note is too long.
    NoteTooLong,
    /// A movement with this reference is in the books already.
    ReferenceTaken,
    /// No such movement.
    PostingNotFound,
    /// The movement belongs to an order, or is a kindness.
    NotReversible,
    /// The movement was taken back already, by that one.
    AlreadyReversed(PostingId),
    /// To take it back would put the user below his credit limit: he can give this much.
    ReversalAbove(Money),

    // The catalogue.
    /// The service's name is empty, too long or not printable.
    BadServiceName,
    /// The category's name is empty, too long or not printable.
    BadCategoryName,
    /// A limit is not a whole number from 1 to a thousand million.
    BadLimits,
    /// The minimum is above the maximum.
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
    /// No such category.
    CategoryNotFound,
    /// Another category has this name.
    CategoryTaken,
    /// The category has services.
    CategoryNotEmpty,
    /// A sample shop is for a panel without users.
    DemoNeedsEmpty,
    /// A file names one service twice.
    IdTwice,
    /// No provider has this name.
    ProviderNotFound,
    /// A service at a provider needs the provider's number for it, and the other way round.
    ProviderServiceMismatch,
    /// The refusal of one line of a file.
    AtLine(u64, Box<Self>),

    // Settings.
    /// There is no such setting.
    SettingNotFound,
    /// The setting cannot have this value.
    BadSetting,
    /// The books are kept in one currency, from the first posting on.
    CurrencyIsFixed,

    // Admins.
    /// No admin has this name.
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

impl fmt::Display for Refusal {
    #[expect(clippy::too_many_lines, reason = "a list: one sentence for each")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::Missing(input) => return write!(f, "{input} is missing"),
            Self::Invalid(input) => return write!(f, "{input} is not valid"),
            Self::QuantityBelow(min) => return write!(f, "Quantity less than minimal {min}"),
            Self::QuantityAbove(max) => return write!(f, "Quantity more than maximum {max}"),
            Self::OrderIsFinal(PublicStatus::Partial) => "Order is already partially completed",
            Self::OrderIsFinal(status) => {
                return write!(f, "Order is already {}", status.label().to_lowercase());
            }
            Self::RemainsForPartial(most) if *most < 1 => "Order is too small to be partial",
            Self::RemainsForPartial(most) => {
                return write!(f, "Partial needs what remains: 1 to {most}");
            }
            Self::RemainsAbove(units) => return write!(f, "Remains must be 0 to {units}"),
            Self::RefillTooLate(days) => {
                return write!(f, "Refill was possible for {days} days after completion");
            }
            Self::TooManyTries(seconds) => {
                return write!(f, "Too many tries. Wait {} and try again", wait(*seconds));
            }
            Self::AlreadyReversed(by) => return write!(f, "Movement {by} reverses this already"),
            Self::ReversalAbove(most) => {
                return write!(f, "At most {most} can be taken back: that is all he can spend");
            }
            Self::AtLine(line, refusal) => return write!(f, "line {line}: {refusal}"),

            Self::NoDripFeed => "runs and interval need a service with drip-feed",
            Self::RequestConflict => "This request id was already used for another request",
            Self::ServiceNotFound => "Incorrect service ID",
            Self::BadLink => "Bad link",
            Self::DuplicateOrder => {
                "You have active order with this link. Please wait until order being completed."
            }
            Self::InsufficientFunds => "Not enough funds on balance",
            Self::OrderNotFound => "Incorrect order ID",
            Self::CancelNotOffered => "Service does not allow cancel",
            Self::OrderInHandOver => "Order is being handed to a provider",
            Self::NeverBackToPending => "An order cannot go back to pending",
            Self::SubscriptionOnlyCancels => "A subscription can only be canceled",
            Self::PackageIsWhole => "A package is delivered whole: complete or cancel it",
            Self::RefillNotFound => "Refill not found",
            Self::RefillNotOffered => "Service does not allow refill",
            Self::RefillNotCompleted => "Order is not completed",
            Self::RefillIsOpen => "Order has a refill in progress",
            Self::RefillIsFinal => "Refill has ended already",
            Self::RefillNeverBack => "A refill cannot go back a step",
            Self::Suspended => "Account is suspended",
            Self::UserNotFound => "There is no user with this name",
            Self::NameTaken => "The name is taken",
            Self::BadName => "A name is 1 to 64 printable characters without blanks at its ends",
            Self::KeyNotFound => "There is no such key",
            Self::KeyIsRevoked => "This key is revoked already",
            Self::BadLabel => "A label is at most 100 printable characters",
            Self::AmountTooLarge => "The amount is larger than the books can hold",
            Self::AmountIsZero => "The amount must not be zero",
            Self::BelowCreditLimit => "The balance is already below this credit limit",
            Self::NoteMissing => "A correction needs a note",
            Self::NoteTooLong => "A note is at most 500 printable characters",
            Self::ReferenceTaken => "This was booked already",
            Self::PostingNotFound => "There is no such movement",
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
            Self::SetupIsOver => "This panel has an admin already",
            Self::BadPassword => "A password has 12 characters or more, and at most 256 bytes",
            Self::CommonPassword => "This password is one of the first that are tried",
            Self::WrongCode => "The code is wrong or was used already",
            Self::SessionNotFound => "This session has ended already",
        };
        f.write_str(sentence)
    }
}

/// Seconds as people say them.
fn wait(seconds: i64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        ..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}
