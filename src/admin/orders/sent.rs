//! What the page of an order shows of its way to a provider: where it is, every attempt to buy it,
//! what it costs.

use std::collections::HashMap;

use super::decide;
use crate::domain::delivery::{Ending, Hand, Stage, State, Submission};
use crate::domain::errand::Errand;
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::{OrderId, ProviderId, Timestamp};
use crate::store::delivery_list::{self, Upstream};
use crate::store::{self, Read, errands, submissions, together};

/// An order's way to a provider.
pub(super) struct Sent {
    pub(super) upstream: Upstream,
    /// Every attempt to buy it, the oldest first.
    pub(super) attempts: Vec<Submission>,
    /// The cancel that the provider was asked for.
    pub(super) cancel: Option<Errand>,
    names: HashMap<ProviderId, String>,
}

impl Sent {
    /// As it stands now.
    pub(super) fn read(db: &Read<'_>, id: OrderId) -> store::Result<Self> {
        let (upstream, attempts, cancel, names) = together!(
            db: delivery_list::find(db, id),
            submissions::list_of(db, id),
            errands::find_cancel(db, id),
            delivery_list::names(db),
        );
        Ok(Self { upstream, attempts, cancel, names })
    }

    /// Whether a provider has anything to do with the order.
    pub(super) fn has_any(&self) -> bool {
        self.upstream.is_automatic() || !self.attempts.is_empty()
    }

    /// Whether a person has to say what becomes of it.
    pub(super) fn can_decide(&self, order: &Order) -> bool {
        decide::can_decide(order, &self.upstream)
    }

    /// Whether nobody knows if the provider has it.
    pub(super) fn may_be_there(&self, order: &Order) -> bool {
        decide::may_be_there(order)
    }

    /// Why it needs a person.
    pub(super) fn why(&self) -> Option<&'static str> {
        let hand = self.upstream.delivery.as_ref().and_then(|delivery| delivery.hand);
        hand.map(Hand::why)
    }

    /// What it costs, and whether the provider has said so.
    pub(super) fn cost(&self) -> Option<(Money, bool)> {
        let said = self.upstream.live.as_ref().is_some_and(|live| live.cost.is_some());
        self.upstream.cost.map(|cost| (cost, said))
    }

    /// What is earned by it less what it costs, as things stand.
    pub(super) fn profit(&self, order: &Order) -> Money {
        let cost = self.upstream.cost.unwrap_or_default();
        order.net_charge().checked_sub(cost).unwrap_or_default()
    }

    /// A provider by its name.
    pub(super) fn name(&self, provider: &ProviderId) -> &str {
        self.names.get(provider).map_or("", String::as_str)
    }

    /// Where the search for a provider stands.
    pub(super) fn place(&self, place: &i64) -> String {
        match place {
            0 => "the service’s own".to_owned(),
            place => format!("substitute {place}"),
        }
    }

    /// What happens next, in a sentence.
    pub(super) fn stage(&self) -> &'static str {
        let Some(delivery) = &self.upstream.delivery else { return "Nothing more" };
        match delivery.stage {
            Stage::Send => "Sent as soon as the provider can take it",
            Stage::Call if delivery.hand.is_none() => "Being sent",
            Stage::Call => "Waits for proof, or for you",
            Stage::Watch | Stage::Posts => "Looked at from time to time",
            Stage::Last => "One last look at whether the provider still says so",
            Stage::Held => "Waits for you",
        }
    }

    /// When it is sent or looked at next.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        let delivery = self.upstream.delivery.as_ref()?;
        let is_known = delivery.stage != Stage::Held && delivery.hand.is_none();
        Some(delivery.due_at).filter(|due_at| is_known && due_at.0 > 0)
    }

    /// How an attempt stands, and why it ended.
    pub(super) fn state(&self, attempt: &Submission) -> String {
        match (attempt.state, attempt.ending) {
            (State::NotSent, Some(Ending::Person)) => "Not placed".to_owned(),
            (state, Some(ending)) => format!("{state}: {}", ending.label().to_lowercase()),
            (state, None) => state.label().to_owned(),
        }
    }
}
