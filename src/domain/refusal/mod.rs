//! Every "no" of the shop, as a value. `Display` is the sentence people read.
//!
//! The list is closed and carries no text of its callers: each face (API, pages, command line)
//! decides with one `match` how to say it, and nothing a customer typed is echoed by accident.

mod operator;
mod order;
mod provider;
mod webhook;

use std::fmt;

pub use operator::OperatorRefusal;
pub use order::OrderRefusal;
pub use provider::ProviderRefusal;
pub use webhook::WebhookRefusal;

/// A business "no". Nothing was changed.
///
/// Rules that only one audience can meet return the enum of that audience; `?` and `.into()` make
/// a `Refusal` of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// About a reseller's orders and refills. The API has an answer of its own for each.
    Order(OrderRefusal),
    /// About what only an operator does. The API has one answer for all of them.
    Operator(OperatorRefusal),
}

impl From<OrderRefusal> for Refusal {
    fn from(refusal: OrderRefusal) -> Self {
        Self::Order(refusal)
    }
}

impl From<OperatorRefusal> for Refusal {
    fn from(refusal: OperatorRefusal) -> Self {
        Self::Operator(refusal)
    }
}

impl From<ProviderRefusal> for OperatorRefusal {
    fn from(refusal: ProviderRefusal) -> Self {
        Self::Provider(refusal)
    }
}

impl From<WebhookRefusal> for Refusal {
    fn from(refusal: WebhookRefusal) -> Self {
        Self::Operator(OperatorRefusal::Webhook(refusal))
    }
}

impl From<ProviderRefusal> for Refusal {
    fn from(refusal: ProviderRefusal) -> Self {
        Self::Operator(refusal.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(refusal) => refusal.fmt(f),
            Self::Operator(refusal) => refusal.fmt(f),
        }
    }
}
