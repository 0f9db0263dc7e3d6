//! What a provider's service costs us, and the rule that makes a rate of it.

use super::money::{Money, Rate};
use super::service::ServiceKind;
use super::{ProviderId, Timestamp};

/// A service on a provider's list, as it was last seen. Its cost is in their currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub provider: ProviderId,
    /// Their own name for it.
    pub provider_service: String,
    pub name: String,
    pub category: String,
    pub kind: ServiceKind,
    /// For 1000 units, for one package.
    pub cost: Rate,
    pub quantity_min: i64,
    pub quantity_max: i64,
    pub is_dripfeed: bool,
    pub is_refill: bool,
    pub is_cancel: bool,
    pub seen_at: Timestamp,
    /// Since when it is no longer on the list.
    pub gone_at: Option<Timestamp>,
}

/// How a cost becomes a rate: a share and a fixed part on top, at least so much profit, up to a
/// multiple of the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// What is put on top, in basis points of the cost.
    pub percent_bp: i64,
    pub fixed: Money,
    /// 0 for none.
    pub step: Money,
    /// The least that is earned.
    pub profit: Money,
}

/// What a service of a provider costs us, and how its rate follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pricing {
    /// In our currency, at its own provider; not known before the first list.
    pub cost: Option<Rate>,
    pub rule: Rule,
    /// Whether the rate follows the cost by itself.
    pub is_followed: bool,
    /// Whether it is sold below what it costs.
    pub allows_loss: bool,
    /// Whether a sync took it off sale, and may put it back.
    pub off_by_sync: bool,
}
