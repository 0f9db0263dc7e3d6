//! What the page of an order shows of its runs or posts, and of the order that it is a part of.

use super::sent::Sent;
use crate::domain::OrderId;
use crate::domain::delivery::Hand;
use crate::domain::order::{Order, Part};
use crate::domain::service::ServiceKind;
use crate::store::drip_list::{self, Dripping};
use crate::store::{self, Read, drips, orders, together};

/// The orders that have come of an order.
pub(super) struct PartsOf {
    /// How far its runs are, if it is drip-fed.
    pub(super) dripping: Option<Dripping>,
    /// The newest of them, the oldest first.
    pub(super) rows: Vec<Order>,
    /// What they are called: `Runs` or `Posts`.
    pub(super) name: &'static str,
}

impl PartsOf {
    /// As they stand now.
    pub(super) fn read(db: &Read<'_>, order: &Order) -> store::Result<Self> {
        let is_subscription = order.kind == ServiceKind::Subscriptions;
        let name = if is_subscription { "Posts" } else { "Runs" };
        if !is_subscription && order.drip_feed.is_none() {
            return Ok(Self { dripping: None, rows: Vec::new(), name });
        }
        let parts = |db: &Read<'_>| orders::find_each(db, &drips::newest_parts(db, order.id)?);
        let (parts, dripping) = together!(db: parts(db), drip_list::find(db, order.id));
        Ok(Self { dripping, rows: parts.into_iter().flatten().collect(), name })
    }

    /// What is known of posts that only a person can tell the quantity of.
    pub(super) fn unsure(&self, sent: &Sent) -> Option<String> {
        let hand = sent.upstream.delivery.as_ref().and_then(|delivery| delivery.hand);
        let live = sent.upstream.live.as_ref()?;
        (hand == Some(Hand::Post)).then(|| live.answer.clone())
    }

    /// Whether it is moved with its runs, and not by itself.
    pub(super) fn has_begun(&self) -> bool {
        self.dripping.as_ref().is_some_and(|it| it.drip.started > 0)
    }
}

/// The order that an order is a part of, and what it is of it.
pub(super) const fn whole(order: &Order) -> Option<(&'static str, OrderId)> {
    match order.part {
        Part::Whole => None,
        Part::RunOf(parent) => Some(("Run of", parent)),
        Part::PostOf(parent) => Some(("Post of", parent)),
    }
}
