//! What an operator is told about providers, and about orders that are sold through one.

use std::fmt;

/// A "no" to something about a provider or a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderRefusal {
    // The provider itself.
    BadCurrency,
    BadTimeout,
    BadExchange,
    /// Another provider, of that name, is the same account upstream.
    SameAccount(String),
    TooManyProviders,
    /// Services or orders name it.
    InUse,
    /// Its open orders are at the account that it has now.
    HasOpenOrders,
    /// The key file is another one, so its key cannot be read.
    KeyUnreadable,
    /// The key is empty, or is longer than any is.
    BadKey,

    // What it sells, and what we make of that.
    /// A part of a rule is negative, or more than can be written.
    BadRule,
    /// A provider's name for a service is 1 to 64 letters, digits, `_` or `-`.
    BadTheirService,
    /// A service has at most nine substitutes.
    TooManySubstitutes,
    /// Two places of a service are one service of one provider.
    PlaceTwice,
    /// The provider sells that one as another type.
    KindDiffers,
    /// The provider's list has nothing of what was chosen.
    NothingToImport,
    /// More than can be imported at a time.
    ImportTooLarge,
    /// Another import is under way.
    ImportRuns,
    /// What was imported is forgotten, or undone already.
    NothingToUndo,

    // An order at a provider, or one that is sent in runs.
    /// No run is left that could begin, or be kept from it.
    NoRunsToCome,
    /// The order waits for no decision.
    NothingToDecide,
    /// The decision does not fit what the order waits for.
    DecisionDoesNotFit,
    /// That number at the provider belongs to the order of that number here.
    TheirOrderIsKnown(i64),
    /// A provider's number is 1 to 64 letters, digits, `_` or `-`.
    BadTheirId,
    /// No other provider sells the service.
    NoOtherPlace,
    /// The order is not waiting to be sent.
    NotWaiting,
    /// The service names no provider.
    NoProvider,
}

impl fmt::Display for ProviderRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::SameAccount(name) => {
                return write!(f, "This is the account of provider {name}");
            }
            Self::TheirOrderIsKnown(order) => {
                return write!(f, "This number belongs to order {order} already");
            }
            Self::BadCurrency => "A currency is 1 to 8 capital letters, such as USD",
            Self::BadTimeout => "A timeout is 1 to 60 seconds",
            Self::BadExchange => "Enter an exchange rate above 0, such as 1.08",
            Self::TooManyProviders => "A panel has at most 64 providers",
            Self::InUse => "Services or orders name this provider: pause it instead",
            Self::HasOpenOrders => {
                "It has open orders: confirm that the new key opens the same account"
            }
            Self::KeyUnreadable => "The provider's key cannot be read with this key file",
            Self::BadKey => "A key is 1 to 500 printable characters",
            Self::BadRule => "A rule adds 0 to 1000 % and amounts of at least 0",
            Self::BadTheirService => {
                "A provider's service number is 1 to 64 letters, digits, _ or -"
            }
            Self::TooManySubstitutes => "A service has at most 9 substitutes",
            Self::PlaceTwice => "The same provider service is named twice",
            Self::KindDiffers => "The provider sells this service as another type",
            Self::NothingToImport => "Nothing was chosen that the provider sells",
            Self::ImportTooLarge => "At most 5000 services are imported at a time: choose fewer",
            Self::ImportRuns => "Another import is running: wait until it has ended",
            Self::NothingToUndo => "There is no import to undo",
            Self::NothingToDecide => "This order waits for no decision",
            Self::DecisionDoesNotFit => "This order cannot be decided that way",
            Self::BadTheirId => "A provider's order number is 1 to 64 letters, digits, _ or -",
            Self::NoOtherPlace => "No other provider can take this order",
            Self::NotWaiting => "Only orders that wait to be sent can be moved",
            Self::NoRunsToCome => "No more runs of this order can begin",
            Self::NoProvider => "The service has no provider",
        };
        f.write_str(sentence)
    }
}
