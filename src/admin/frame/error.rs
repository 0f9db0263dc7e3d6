//! Why a page was not answered as asked. What a person is told about it stands in `failed.rs`.

use super::ask::Ask;
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use crate::password;
use crate::store;

/// Why a page was not answered as asked.
#[derive(Clone, Debug)]
pub(crate) enum PageError {
    /// Nobody is logged in, or no longer.
    SignedOut,
    /// The request is not from our own pages, and why.
    Forbidden(&'static str),
    /// There is no such thing, in a sentence.
    NotFound(String),
    /// A business "no" that no form took care of.
    Refused(Refusal),
    /// The password is needed first.
    Prove,
    /// A question has to be answered first.
    Ask(Box<Ask>),
    /// A script asked what would be asked: nothing.
    Dry,
    /// The body is too large.
    TooLarge,
    /// The body did not come, or not in time.
    Unreadable,
    /// A page could not be made.
    Template(String),
    /// The store had something else than a refusal.
    Store(store::Error),
}

impl From<store::Error> for PageError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Refused(refusal) => Self::Refused(refusal),
            store::Error::Busy | store::Error::DiskFull | store::Error::Storage(_) => {
                Self::Store(error)
            }
        }
    }
}

impl From<Refusal> for PageError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OrderRefusal> for PageError {
    fn from(refusal: OrderRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<OperatorRefusal> for PageError {
    fn from(refusal: OperatorRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<password::Busy> for PageError {
    fn from(_: password::Busy) -> Self {
        Self::Store(store::Error::Busy)
    }
}
