//! Sending: an order is claimed, sent by whoever claimed it, and what came of it recorded.
//!
//! The claim is on disk before a byte leaves, so a crash leaves an order that is being sent, never
//! one that may be sent again. What a record finds ended already stays as it is.

use super::orders::save;
use super::places::{self, Looked, Place, Unwell};
use super::{conditions, drips, hands};
use crate::domain::delivery::{self, Attempt, Delivery, Ending, Hand, HandOver, Next};
use crate::domain::delivery::{Stage, State, Submission};
use crate::domain::input::Input;
use crate::domain::order::{Order, OrderStatus};
use crate::domain::outcome::Outcome;
use crate::domain::provider::Provider;
use crate::domain::service::ServiceKind;
use crate::domain::{Actor, OrderId, ProviderId, SubmissionId, Timestamp};
use crate::secret::Sealer;
use crate::store::submissions::NewSubmission;
use crate::store::{
    Command, Read, Result, Tx, deliveries, errands, orders, placed, providers, submissions,
    timelines,
};

/// Orders that one claim may look at, of which it takes the first that can be sent.
const LOOKED_AT_MAX: i64 = 100;
/// Until what our balance does not pay for is tried again.
const FUNDS_WAIT: i64 = 600;

/// Takes the order that has waited longest for a provider, and records the attempt to buy it there.
pub struct ClaimOrder {
    pub provider: ProviderId,
    /// An order before which none waits that nothing has happened to.
    pub after: OrderId,
    /// Providers that are held back just now.
    pub unwell: Unwell,
    /// Makes our own id for the order at the provider.
    pub sealer: Sealer,
}

/// What came of a claim.
#[derive(Debug)]
pub enum Claim {
    /// Nothing is due.
    Idle,
    /// Something was put off or moved; there may be more.
    Did,
    /// This has to be sent now.
    Send(Box<Sending>),
}

/// An order that has to be sent, and everything that is said of it.
#[derive(Debug)]
pub struct Sending {
    pub submission: SubmissionId,
    pub order: OrderId,
    pub provider_service: String,
    pub kind: ServiceKind,
    pub link: String,
    pub quantity: i64,
    pub inputs: Vec<(Input, String)>,
    /// Our own id for it there; empty where none is sent.
    pub custom_id: String,
}

impl Command for ClaimOrder {
    type Reply = Claim;

    fn run(&self, tx: &Tx<'_>) -> Result<Claim> {
        let due = |db: &Read<'_>| {
            deliveries::list_due(db, self.provider, Stage::Send, tx.now, LOOKED_AT_MAX)
        };
        tx.ahead(&[&|db| providers::find(db, self.provider).map(drop), &|db| due(db).map(drop)])?;
        let Some(provider) = providers::find(tx, self.provider)? else { return Ok(Claim::Idle) };
        if !provider.is_well(tx.now) {
            return Ok(Claim::Idle);
        }
        let mut due = due(tx)?;
        if due.is_empty() {
            due = deliveries::list_untouched(tx, provider.id, self.after, LOOKED_AT_MAX)?;
        }
        if due.is_empty() {
            return Ok(Claim::Idle);
        }
        for id in due {
            if let Some(sending) = self.claim(tx, id, &provider)? {
                return Ok(Claim::Send(Box::new(sending)));
            }
        }
        Ok(Claim::Did)
    }
}

impl ClaimOrder {
    /// The order, if it can be sent; else it waits elsewhere, longer, or for a person.
    fn claim(&self, tx: &Tx<'_>, id: OrderId, provider: &Provider) -> Result<Option<Sending>> {
        tx.ahead(&[
            &|db| orders::inputs(db, id).map(drop),
            &|db| timelines::find(db).map(drop),
            &|db| places::look(db, id, &self.unwell, tx.now).map(drop),
        ])?;
        let Looked { order, delivery, attempts, places } =
            places::look(tx, id, &self.unwell, tx.now)?;
        let Some(here) = places.at(delivery.place, provider.id) else {
            // The service is no longer sold here: its provider or its substitutes were changed.
            match places.best() {
                Some(place) => go_to(tx, delivery, place)?,
                None => hold(tx, delivery, Hand::Waits)?,
            }
            return Ok(None);
        };
        if !here.is_affordable {
            match places.0.iter().find(|place| place.is_affordable) {
                Some(place) => go_to(tx, delivery, place)?,
                None => hold(tx, delivery, Hand::Loss)?,
            }
            return Ok(None);
        }
        if here.lacks_funds {
            match places.away_from(provider.id).first_good() {
                Some(place) => go_to(tx, delivery, place)?,
                None => deliveries::update_due(tx, id, Timestamp(tx.now.0 + FUNDS_WAIT))?,
            }
            return Ok(None);
        }
        self.submit(tx, (&order, delivery), here, &attempts).map(Some)
    }

    /// Records the attempt that is about to be made.
    fn submit(
        &self,
        tx: &Tx<'_>,
        (order, delivery): (&Order, Delivery),
        here: &Place,
        attempts: &[Submission],
    ) -> Result<Sending> {
        let provider = providers::get(tx, here.provider)?;
        let custom_id = match provider.terms.sends_ids {
            true => own_id(tx, &self.sealer, order.id, here, attempts)?,
            false => String::new(),
        };
        let change = order.hand_over(HandOver::Claimed)?;
        let inputs = orders::inputs(tx, order.id)?;

        let submission = submissions::insert(
            tx,
            &NewSubmission {
                order: order.id,
                provider: here.provider,
                place: here.place,
                provider_service: &here.provider_service,
                custom_id: &custom_id,
                state: State::Sending,
                expected: here.expected(order),
                after_order: provider.last_order.as_deref(),
            },
        )?;
        orders::update_state(tx, order, &change)?;
        deliveries::update(tx, &Delivery { stage: Stage::Call, due_at: tx.now, ..delivery })?;
        Ok(Sending {
            submission,
            order: order.id,
            provider_service: here.provider_service.clone(),
            kind: order.kind,
            link: order.link.clone(),
            quantity: order.quantity,
            inputs,
            custom_id,
        })
    }
}

/// Our own id for an order at a place: made once, kept with every attempt to buy the same there,
/// whichever place that is by now. The timeline is in it, since a file that was restored gives out
/// the numbers of orders again.
pub(super) fn own_id(
    db: &Read<'_>,
    sealer: &Sealer,
    order: OrderId,
    here: &Place,
    attempts: &[Submission],
) -> Result<String> {
    let earlier = attempts.iter().find(|attempt| {
        attempt.provider == here.provider
            && attempt.provider_service == here.provider_service
            && !attempt.custom_id.is_empty()
    });
    if let Some(earlier) = earlier {
        return Ok(earlier.custom_id.clone());
    }
    let timeline = timelines::find(db)?.map(|timeline| timeline.word).unwrap_or_default();
    let message = format!("order {timeline} {order} {} {}", here.provider, here.place);
    let id = sealer.id_of(&message);
    // The place sold something else before: that id is taken.
    match attempts.iter().any(|attempt| attempt.custom_id == id) {
        true => Ok(sealer.id_of(&format!("{message} {}", here.provider_service))),
        false => Ok(id),
    }
}

/// The order waits at another place, from now on.
pub(super) fn go_to(tx: &Tx<'_>, delivery: Delivery, place: &Place) -> Result<()> {
    let (provider, number) = (place.provider, place.place);
    let (stage, due_at, hand) = (Stage::Send, tx.now, None);
    let there = Delivery { provider, place: number, stage, due_at, tries: 0, hand, ..delivery };
    deliveries::update(tx, &there)
}

/// The order waits for a person.
pub(super) fn hold(tx: &Tx<'_>, delivery: Delivery, hand: Hand) -> Result<()> {
    let provider = delivery.provider;
    let held = Delivery { stage: Stage::Held, due_at: tx.now, hand: Some(hand), ..delivery };
    deliveries::update(tx, &held)?;
    hands::follow(tx, provider)
}

/// Records what came of an attempt, and lets the order go where that leads.
pub struct RecordSubmission {
    pub submission: SubmissionId,
    pub outcome: Outcome,
    pub unwell: Unwell,
}

/// Where an attempt has led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    Accepted,
    /// They clearly said no.
    Refused(Ending),
    /// It surely is not there, and they have said nothing of the order.
    NotSent,
    /// Nobody knows.
    Doubted,
    /// It had been decided before.
    Over,
}

impl Command for RecordSubmission {
    type Reply = Recorded;

    fn run(&self, tx: &Tx<'_>) -> Result<Recorded> {
        let found = submissions::find(tx, self.submission)?;
        let Some(submission) = found.filter(|found| found.state == State::Sending) else {
            return Ok(Recorded::Over);
        };
        tx.ahead(&[
            &|db| providers::get(db, submission.provider).map(drop),
            &|db| self.namesake(db, &submission).map(drop),
            &|db| places::look(db, submission.order, &self.unwell, tx.now).map(drop),
        ])?;
        let Looked { order, delivery, attempts, places } =
            places::look(tx, submission.order, &self.unwell, tx.now)?;
        let others = places.untried(&submission);
        let ready = others.ready(&submission, &attempts, tx.now).cloned();
        let namesake = self.namesake(tx, &submission)?;
        let attempt = judged(
            tx,
            &Facts { submission: &submission, delivery: &delivery, attempts: &attempts },
        )?;
        let attempt = Attempt {
            has_other: !others.0.is_empty(),
            has_well: ready.is_some(),
            is_known: namesake.is_some(),
            ..attempt
        };

        let next = delivery::decide(&self.outcome, &attempt);

        let target = match &next {
            Next::Move(ending) if !ending.is_final() => ready,
            Next::Move(_) => others.best().cloned(),
            Next::Watch(_) | Next::Doubt | Next::Wait(..) | Next::Refund(_) | Next::Hold(..) => {
                None
            }
        };
        let answer = match namesake {
            Some(other) => &format!("They gave it the number of order {other}"),
            None => self.answer(),
        };
        let step = Step { submission: &submission, order: &order, answer, target };
        step.take(tx, delivery, &next)
    }
}

impl RecordSubmission {
    /// What they said, as far as it is worth keeping.
    fn answer(&self) -> &str {
        match &self.outcome {
            Outcome::Accepted { .. } => "",
            Outcome::Refused { answer, .. }
            | Outcome::NotSent { answer }
            | Outcome::Busy { answer, .. }
            | Outcome::Unknown { answer } => answer,
        }
    }

    /// The other order of ours that has the number they gave.
    fn namesake(&self, db: &Read<'_>, submission: &Submission) -> Result<Option<OrderId>> {
        let Outcome::Accepted { their_id } = &self.outcome else { return Ok(None) };
        let known = placed::find_by_their_id(db, submission.provider, their_id)?;
        Ok(known.filter(|order| *order != submission.order))
    }
}

struct Facts<'a> {
    submission: &'a Submission,
    delivery: &'a Delivery,
    attempts: &'a [Submission],
}

/// What earlier attempts say about this one.
fn judged(tx: &Tx<'_>, facts: &Facts<'_>) -> Result<Attempt> {
    let Facts { submission, delivery, attempts } = facts;
    let provider = providers::get(tx, submission.provider)?;
    let here = attempts
        .iter()
        .filter(|attempt| attempt.id != submission.id && attempt.provider == submission.provider);
    let earlier: Vec<&Submission> = here.collect();
    let ended = |ending| earlier.iter().filter(move |attempt| attempt.ending == Some(ending));
    let is_key_proven = ended(Ending::Key).any(|attempt| provider.balance_at > attempt.ended_at);
    // Since it is put off with no other answer between, or since a person has sent it on its way.
    let is_put_off = |it: &&&Submission| it.ending.is_some_and(Ending::is_patience);
    let is_no_answer = |it: &&&Submission| it.ending.is_none() || is_put_off(it);
    let first = earlier.iter().rev().take_while(is_no_answer).filter(is_put_off).last();
    let waits_since = first.map_or(tx.now, |first| first.created_at.max(delivery.moved_at));
    Ok(Attempt {
        order: submission.order,
        now: tx.now,
        tries: delivery.tries,
        waits_since,
        has_other: false,
        has_well: false,
        said_busy: i64::try_from(ended(Ending::Busy).count()).unwrap_or(i64::MAX),
        has_doubt: earlier.iter().any(|it| it.ending.is_some_and(Ending::is_doubtful)),
        is_key_proven,
        is_known: false,
    })
}

/// The end of an attempt.
struct Step<'a> {
    submission: &'a Submission,
    order: &'a Order,
    answer: &'a str,
    /// Where it goes, if it moves.
    target: Option<Place>,
}

impl Step<'_> {
    /// Lets the order go where the answer leads. What leads back to sending ends an order that its
    /// customer wants to cancel.
    fn take(&self, tx: &Tx<'_>, delivery: Delivery, next: &Next) -> Result<Recorded> {
        let wants_cancel = self.order.cancel_requested_at.is_some();
        match next {
            Next::Watch(their_id) => {
                accept_now(tx, self.order, delivery, self.submission, their_id)?;
                return Ok(Recorded::Accepted);
            }
            Next::Doubt => {
                doubt(tx, self.order, delivery, Hand::Unknown)?;
                self.end(tx, State::Unknown, None)?;
                hands::follow(tx, self.submission.provider)?;
                return Ok(Recorded::Doubted);
            }
            Next::Refund(ending) => {
                self.refuse(tx, *ending)?;
                drips::refused(tx, self.order)?;
                refund(tx, self.order, &Actor::Delivery)?;
            }
            Next::Wait(ending, _) if wants_cancel => {
                self.returned(tx, *ending)?;
                refund(tx, self.order, &Actor::Delivery)?;
            }
            Next::Move(ending) | Next::Hold(ending, _) if wants_cancel => {
                self.refuse(tx, *ending)?;
                refund(tx, self.order, &Actor::Delivery)?;
            }
            Next::Wait(ending, until) => {
                self.returned(tx, *ending)?;
                self.give_back(tx)?;
                let (stage, due_at, tries) = (Stage::Send, *until, delivery.tries + 1);
                deliveries::update(tx, &Delivery { stage, due_at, tries, ..delivery })?;
            }
            Next::Move(ending) => {
                self.refuse(tx, *ending)?;
                self.give_back(tx)?;
                match &self.target {
                    Some(place) => go_to(tx, delivery, place)?,
                    None => hold(tx, delivery, Hand::Waits)?,
                }
            }
            Next::Hold(ending, hand) => {
                self.returned(tx, Some(*ending))?;
                self.give_back(tx)?;
                hold(tx, delivery, *hand)?;
            }
        }
        Ok(self.recorded(next))
    }

    fn recorded(&self, next: &Next) -> Recorded {
        match next {
            Next::Wait(None | Some(Ending::Busy | Ending::Limited), _)
            | Next::Hold(Ending::Busy | Ending::Limited, _) => Recorded::NotSent,
            Next::Wait(Some(ending), _)
            | Next::Move(ending)
            | Next::Refund(ending)
            | Next::Hold(ending, _) => Recorded::Refused(*ending),
            Next::Watch(_) => Recorded::Accepted,
            Next::Doubt => Recorded::Doubted,
        }
    }

    fn end(&self, tx: &Tx<'_>, state: State, ending: Option<Ending>) -> Result<()> {
        submissions::update_state(tx, self.submission.id, state, ending, self.answer)
    }

    /// They said no.
    fn refuse(&self, tx: &Tx<'_>, ending: Ending) -> Result<()> {
        self.end(tx, State::Rejected, Some(ending))?;
        conditions::refused(tx, self.submission, self.order.service, (ending, self.answer))
    }

    /// It is not there, or they said no for a reason that passes.
    fn returned(&self, tx: &Tx<'_>, ending: Option<Ending>) -> Result<()> {
        match ending {
            None | Some(Ending::Busy | Ending::Limited) => self.end(tx, State::NotSent, ending),
            Some(ending) => self.refuse(tx, ending),
        }
    }

    fn give_back(&self, tx: &Tx<'_>) -> Result<()> {
        orders::update_state(tx, self.order, &self.order.hand_over(HandOver::Returned)?)
    }
}

/// The provider has the order, under that number of its own.
pub(super) fn accept(
    tx: &Tx<'_>,
    order: &Order,
    delivery: Delivery,
    submission: &Submission,
    their_id: &str,
) -> Result<()> {
    const FIRST_LOOK: i64 = 30;
    let change = order.hand_over(HandOver::Accepted)?;

    let answer = match submission.answer.as_str() {
        "" => format!("Order {their_id}"),
        doubtful => doubtful.to_owned(),
    };
    submissions::update_state(tx, submission.id, State::Accepted, None, &answer)?;
    placed::update_provider(tx, order.id, submission.provider, their_id)?;
    orders::update_state(tx, order, &change)?;
    let due_at = Timestamp(tx.now.0 + FIRST_LOOK);
    let (provider, place) = (submission.provider, submission.place);
    let is_subscription = order.kind == ServiceKind::Subscriptions;
    let stage = if is_subscription { Stage::Posts } else { Stage::Watch };
    let (tries, moved_at, hand) = (0, tx.now, None);
    let watched = Delivery { provider, place, stage, due_at, tries, moved_at, hand, ..delivery };
    deliveries::update(tx, &watched)?;
    if order.cancel_requested_at.is_some() {
        errands::insert_cancel(tx, order.id, submission.provider)?;
    }
    match delivery.hand {
        Some(_) => hands::follow(tx, submission.provider),
        None => Ok(()),
    }
}

/// The provider has taken the order just now: that is its newest number, and what its refusals have
/// said before no longer holds.
pub(super) fn accept_now(
    tx: &Tx<'_>,
    order: &Order,
    delivery: Delivery,
    submission: &Submission,
    their_id: &str,
) -> Result<()> {
    accept(tx, order, delivery, submission, their_id)?;
    providers::update_last_order(tx, submission.provider, their_id)?;
    conditions::accepted(tx, submission.provider, order.service)
}

/// Nobody knows whether the order has arrived: it waits for proof or a person.
pub(super) fn doubt(tx: &Tx<'_>, order: &Order, delivery: Delivery, hand: Hand) -> Result<()> {
    const EVIDENCE_AFTER: i64 = 120;
    if order.status != OrderStatus::Unknown {
        orders::update_state(tx, order, &order.hand_over(HandOver::Doubted)?)?;
    }
    let due_at = Timestamp(tx.now.0 + EVIDENCE_AFTER);
    let (stage, hand, tries) = (Stage::Call, Some(hand), 0);
    deliveries::update(tx, &Delivery { stage, due_at, tries, hand, ..delivery })
}

/// All money goes back: the order is at no provider.
pub(super) fn refund(tx: &Tx<'_>, order: &Order, actor: &Actor) -> Result<()> {
    let change = order.hand_over(HandOver::Refused)?;
    save(tx, order, &change, actor)
}
