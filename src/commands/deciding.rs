//! What a person decides about an order that waits for a hand.

use std::collections::BTreeSet;

use super::hands;
use super::places::{self, Place, Unwell, load};
use super::sending::{accept, go_to, refund};
use super::telling;
use crate::domain::delivery::{Delivery, Ending, Hand, HandOver, Stage, State, Submission};
use crate::domain::order::{Order, OrderStatus};
use crate::domain::refusal::{OrderRefusal, ProviderRefusal};
use crate::domain::{Actor, OrderId, ProviderId, Timestamp};
use crate::store::{Command, Read, Result, Tx, deliveries, orders, placed, providers, submissions};

/// What becomes of an order that waits for a hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The provider has it, under this number of its own.
    PlacedAs(String),
    /// It is not there: it is sent there again.
    SendAgain,
    /// It is not there: it is sent to another place.
    Elsewhere,
    /// It is not there, and its money goes back.
    Refund,
    /// It is not there, and a person delivers it.
    ByHand,
}

impl Decision {
    const fn verb(&self) -> &'static str {
        match self {
            Self::PlacedAs(_) => "order.adopt",
            Self::SendAgain => "order.send_again",
            Self::Elsewhere => "order.send_elsewhere",
            Self::Refund => "order.give_up",
            Self::ByHand => "order.take_over",
        }
    }
}

/// Decides about one order or many of one kind: all of them, or none where one cannot go that way.
pub struct DecideOrders {
    pub actor: Actor,
    pub orders: BTreeSet<OrderId>,
    pub decision: Decision,
}

impl Command for DecideOrders {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let mut decided = Vec::with_capacity(self.orders.len());
        for id in &self.orders {
            let (order, delivery) = load(tx, *id)?;
            let step = decide(tx, &self.decision, &order, &delivery, self.orders.len())?;
            decided.push((order, delivery, step));
        }

        let mut touched = BTreeSet::new();
        for (order, delivery, place) in decided {
            touched.insert(delivery.provider);
            self.record(tx, &order, &delivery)?;
            self.take(tx, &order, delivery, place)?;
        }
        touched.iter().try_for_each(|provider| hands::follow(tx, *provider))
    }
}

/// Checks that the order can go that way. Says where to, if somewhere.
fn decide(
    db: &Tx<'_>,
    decision: &Decision,
    order: &Order,
    delivery: &Delivery,
    count: usize,
) -> Result<Option<Place>> {
    let is_doubtful = matches!(delivery.hand, Some(Hand::Unknown | Hand::Restored))
        && order.status == OrderStatus::Unknown;
    let is_held = delivery.stage == Stage::Held && order.status == OrderStatus::Pending;
    if !is_doubtful && !is_held {
        return Err(ProviderRefusal::NothingToDecide.into());
    }
    match decision {
        Decision::PlacedAs(their_id) => {
            if !is_doubtful || count != 1 {
                return Err(ProviderRefusal::DecisionDoesNotFit.into());
            }
            check_their_id(db, delivery.provider, their_id)?;
            Ok(None)
        }
        Decision::SendAgain => {
            let places = places::of(db, order, &Unwell::new(), db.now)?;
            let here = places.at(delivery.place, delivery.provider).or_else(|| places.best());
            Ok(Some(here.cloned().ok_or(ProviderRefusal::NoOtherPlace)?))
        }
        Decision::Elsewhere => {
            let places = places::of(db, order, &Unwell::new(), db.now)?.beside(delivery);
            Ok(Some(places.best().cloned().ok_or(ProviderRefusal::NoOtherPlace)?))
        }
        Decision::Refund | Decision::ByHand => Ok(None),
    }
}

/// Whether that number of a provider can be an order's.
fn check_their_id(db: &Read<'_>, provider: ProviderId, their_id: &str) -> Result<()> {
    let fits = (1..=64).contains(&their_id.len())
        && their_id.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'));
    if !fits {
        return Err(ProviderRefusal::BadTheirId.into());
    }
    match placed::find_by_their_id(db, provider, their_id)? {
        Some(order) => Err(ProviderRefusal::TheirOrderIsKnown(order.0).into()),
        None => Ok(()),
    }
}

impl DecideOrders {
    /// Who decided what, on which evidence.
    fn record(&self, tx: &Tx<'_>, order: &Order, delivery: &Delivery) -> Result<()> {
        let live = submissions::find_live(tx, order.id)?;
        let said = live.map(|live| {
            let parts = [live.answer, live.evidence.replace('\n', "; ")];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
        });
        let hand = delivery.hand.map_or("", Hand::title);
        let decision = match &self.decision {
            Decision::PlacedAs(their_id) => format!("placed as {their_id}"),
            Decision::SendAgain => "not placed, sent again".to_owned(),
            Decision::Elsewhere => "not placed, sent elsewhere".to_owned(),
            Decision::Refund => format!("not placed, refunded {}", order.charge),
            Decision::ByHand => "not placed, delivered by hand".to_owned(),
        };
        let mut change = format!("{hand} → {decision}");
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            change.push_str(&format!(" ({said})"));
        }
        super::record(tx, &self.actor, self.decision.verb(), format!("order {}", order.id), change)
    }

    /// Lets the order go where it was decided, unless its customer wants to cancel it.
    fn take(
        &self,
        tx: &Tx<'_>,
        order: &Order,
        delivery: Delivery,
        place: Option<Place>,
    ) -> Result<()> {
        let live = submissions::find_live(tx, order.id)?;
        if let (Decision::PlacedAs(their_id), Some(live)) = (&self.decision, &live) {
            return accept_late(tx, order, delivery, live, their_id);
        }
        if let Some(live) = live {
            let (state, ending) = (State::NotSent, Some(Ending::Person));
            submissions::update_state(tx, live.id, state, ending, &live.answer)?;
        }
        let wants_cancel = order.cancel_requested_at.is_some();
        match (place, &self.decision) {
            (_, Decision::Refund) => refund(tx, order, &self.actor),
            (_, Decision::ByHand) => {
                let change = order.hand_over(HandOver::TakenOver)?;
                telling::move_order(tx, order, &change)?;
                deliveries::delete(tx, order.id)
            }
            (Some(_), _) if wants_cancel => refund(tx, order, &self.actor),
            (Some(place), _) => {
                if order.status == OrderStatus::Unknown {
                    let change = order.hand_over(HandOver::Returned)?;
                    orders::update_state(tx, order, &change)?;
                }
                go_to(tx, Delivery { moved_at: tx.now, ..delivery }, &place)
            }
            (None, _) => Ok(()),
        }
    }
}

/// Sends orders that wait to be sent, or to be fulfilled by hand, to a place of their service: all
/// of them, or none where one cannot go.
pub struct MoveOrders {
    pub actor: Actor,
    pub orders: BTreeSet<OrderId>,
    /// Whether they leave the place where they wait.
    pub is_elsewhere: bool,
}

impl Command for MoveOrders {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let mut decided = Vec::with_capacity(self.orders.len());
        for id in &self.orders {
            decided.push(self.decide(tx, *id)?);
        }

        for (order, delivery, place) in decided {
            if delivery.is_none() {
                deliveries::insert(tx, order, place.provider)?;
            }
            let waiting = deliveries::find(tx, order)?;
            if let Some(waiting) = waiting {
                let left = waiting.provider;
                go_to(tx, Delivery { moved_at: tx.now, ..waiting }, &place)?;
                hands::follow(tx, left)?;
            }
            let change = format!("To provider {}, place {}", place.provider, place.place);
            super::record(tx, &self.actor, "order.move", format!("order {order}"), change)?;
        }
        Ok(())
    }
}

impl MoveOrders {
    fn decide(&self, tx: &Tx<'_>, id: OrderId) -> Result<(OrderId, Option<Delivery>, Place)> {
        let order = orders::find(tx, id)?.ok_or(OrderRefusal::OrderNotFound)?;
        let delivery = deliveries::find(tx, id)?;
        // A drip-feed is sent in runs, each an order of its own.
        if order.status != OrderStatus::Pending || order.drip_feed.is_some() {
            return Err(ProviderRefusal::NotWaiting.into());
        }
        let mut places = places::of(tx, &order, &Unwell::new(), tx.now)?;
        if places.0.is_empty() {
            return Err(ProviderRefusal::NoProvider.into());
        }
        if let (true, Some(delivery)) = (self.is_elsewhere, &delivery) {
            places = places.beside(delivery);
        }
        let best = places.best().cloned().ok_or(ProviderRefusal::NoOtherPlace)?;
        Ok((id, delivery, best))
    }
}

/// Adopts an order that our own id was found for at its provider: proof that it arrived.
pub struct AdoptProven {
    pub order: OrderId,
    pub their_id: String,
}

impl Command for AdoptProven {
    /// Whether it was adopted: it may have been decided since.
    type Reply = bool;

    fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let (order, delivery) =
            match (orders::find(tx, self.order)?, deliveries::find(tx, self.order)?) {
                (Some(order), Some(delivery)) => (order, delivery),
                _ => return Ok(false),
            };
        let live = submissions::find_live(tx, self.order)?;
        let Some(live) = live.filter(|live| live.state == State::Unknown) else { return Ok(false) };
        let known = placed::find_by_their_id(tx, live.provider, &self.their_id)?;
        if known.is_some() {
            return Ok(false);
        }
        accept_late(tx, &order, delivery, &live, &self.their_id)?;
        let change = format!("Found at the provider as {}", self.their_id);
        super::record(tx, &Actor::Delivery, "order.adopt", format!("order {}", order.id), change)?;
        Ok(true)
    }
}

/// The provider turned out to have the order. That says nothing of how the provider is now; its
/// newest number only goes on.
fn accept_late(
    tx: &Tx<'_>,
    order: &Order,
    delivery: Delivery,
    live: &Submission,
    their_id: &str,
) -> Result<()> {
    accept(tx, order, delivery, live, their_id)?;
    let provider = providers::get(tx, live.provider)?;
    match provider.is_newer_order(their_id) {
        true => providers::update_last_order(tx, provider.id, their_id),
        false => Ok(()),
    }
}

/// Keeps what was found out about an order nobody knows the end of, and when it is looked at next.
pub struct RecordEvidence {
    pub order: OrderId,
    /// What was found, for people.
    pub evidence: String,
    /// `None` where there is nothing more to ask.
    pub again_at: Option<Timestamp>,
}

impl Command for RecordEvidence {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let live = submissions::find_live(tx, self.order)?;
        let Some(live) = live.filter(|live| live.state == State::Unknown) else { return Ok(()) };
        let Some(delivery) = deliveries::find(tx, self.order)? else { return Ok(()) };

        submissions::update_evidence(tx, live.id, &self.evidence)?;
        let due_at = self.again_at.unwrap_or(Timestamp(tx.now.0 + 365 * 86_400));
        deliveries::update(tx, &Delivery { due_at, tries: delivery.tries + 1, ..delivery })
    }
}

/// What is said to who would end an order that runs at a provider.
pub fn runs_at(db: &Read<'_>, order: OrderId) -> Result<Option<ProviderId>> {
    let delivery = deliveries::find(db, order)?;
    let at = delivery.filter(|it| matches!(it.stage, Stage::Watch | Stage::Posts));
    Ok(at.map(|delivery| delivery.provider))
}
