//! What the API's callers can be told about their orders and refills.

use std::fmt;

use crate::domain::input::Input;
use crate::domain::order::PublicStatus;
use crate::domain::placing::Rule;
use crate::domain::service::ServiceKind;

/// A "no" about a reseller's orders, refills or account. The API answers each with a status and a
/// code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefusal {
    // Placing an order. Which of two wins is `Rule`'s to say.
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
    /// The service costs more than the user pays for it.
    ServiceUnavailable,
    /// The link cannot be delivered to.
    BadLink,
    /// Fewer than the service's minimum, which is this.
    QuantityBelow(i64),
    /// More than the service's maximum, which is this.
    QuantityAbove(i64),
    /// The subscription's last day has passed.
    ExpiryIsPast,
    /// The service allows one open order per user and link.
    DuplicateOrder,
    /// The account does not hold that much.
    InsufficientFunds,

    // After an order was placed.
    /// No such order, or another user's.
    OrderNotFound,
    CancelNotOffered,
    OrderIsFinal(PublicStatus),
    /// No such refill, or another user's.
    RefillNotFound,
    RefillNotOffered,
    /// Only what was completed can be refilled.
    RefillNotCompleted,
    /// The refill window, which is that many days, is over.
    RefillTooLate(i64),
    /// Another refill of the order is still open.
    RefillIsOpen,

    /// The account is suspended: its keys are refused, whatever they ask for.
    Suspended,
}

impl OrderRefusal {
    /// The field of an order of that kind that it is about, if it is about one.
    pub const fn input(self, kind: ServiceKind) -> Option<Input> {
        match self {
            Self::Missing(input) | Self::Invalid(input) => Some(input),
            Self::BadLink | Self::DuplicateOrder => Some(kind.link()),
            Self::QuantityBelow(_) => Some(kind.counting().least()),
            Self::QuantityAbove(_) => Some(kind.counting().most()),
            Self::ExpiryIsPast => Some(Input::Expiry),
            Self::NoDripFeed
            | Self::RequestConflict
            | Self::ServiceNotFound
            | Self::ServiceUnavailable
            | Self::InsufficientFunds
            | Self::OrderNotFound
            | Self::CancelNotOffered
            | Self::OrderIsFinal(_)
            | Self::RefillNotFound
            | Self::RefillNotOffered
            | Self::RefillNotCompleted
            | Self::RefillTooLate(_)
            | Self::RefillIsOpen
            | Self::Suspended => None,
        }
    }

    /// The rule of placing that says it; `None` for what is not about placing an order.
    pub const fn rule(self) -> Option<Rule> {
        match self {
            Self::Missing(_) | Self::Invalid(_) | Self::NoDripFeed => Some(Rule::Fields),
            Self::RequestConflict => Some(Rule::RequestId),
            Self::ServiceNotFound => Some(Rule::Service),
            Self::ServiceUnavailable => Some(Rule::Cost),
            Self::BadLink => Some(Rule::Link),
            Self::QuantityBelow(_) => Some(Rule::Minimum),
            Self::QuantityAbove(_) => Some(Rule::Maximum),
            Self::ExpiryIsPast => Some(Rule::Expiry),
            Self::DuplicateOrder => Some(Rule::Duplicate),
            Self::InsufficientFunds => Some(Rule::Funds),
            Self::OrderNotFound
            | Self::CancelNotOffered
            | Self::OrderIsFinal(_)
            | Self::RefillNotFound
            | Self::RefillNotOffered
            | Self::RefillNotCompleted
            | Self::RefillTooLate(_)
            | Self::RefillIsOpen
            | Self::Suspended => None,
        }
    }
}

impl fmt::Display for OrderRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::Missing(input) => return write!(f, "{input} is missing"),
            Self::Invalid(input) => return write!(f, "{input} is not valid"),
            Self::NoDripFeed => "runs and interval need a service with drip-feed",
            Self::RequestConflict => "This request id was already used for another request",
            Self::ServiceNotFound => "Incorrect service ID",
            Self::ServiceUnavailable => "Service is not available now",
            Self::BadLink => "Bad link",
            Self::QuantityBelow(min) => return write!(f, "Quantity less than minimal {min}"),
            Self::QuantityAbove(max) => return write!(f, "Quantity more than maximum {max}"),
            Self::ExpiryIsPast => return write!(f, "{} is not valid", Input::Expiry),
            Self::DuplicateOrder => {
                "You have active order with this link. Please wait until order being completed."
            }
            Self::InsufficientFunds => "Not enough funds on balance",
            Self::OrderNotFound => "Incorrect order ID",
            Self::CancelNotOffered => "Service does not allow cancel",
            Self::OrderIsFinal(PublicStatus::Partial) => "Order is already partially completed",
            Self::OrderIsFinal(status) => {
                return write!(f, "Order is already {}", status.label().to_lowercase());
            }
            Self::RefillNotFound => "Refill not found",
            Self::RefillNotOffered => "Service does not allow refill",
            Self::RefillNotCompleted => "Order is not completed",
            Self::RefillTooLate(days) => {
                return write!(f, "Refill was possible for {days} days after completion");
            }
            Self::RefillIsOpen => "Order has a refill in progress",
            Self::Suspended => "Account is suspended",
        };
        f.write_str(sentence)
    }
}
