//! Cancels and refills that providers are asked for: made by a customer's request, in its
//! transaction, and gone with what they are about.

use super::{hands, telling};
use crate::domain::delivery::{Delivery, Stage};
use crate::domain::errand::{Errand, ErrandStage, Moment, Said};
use crate::domain::refill::{Refill, RefillStatus};
use crate::domain::{Actor, ErrandId, OrderId, ProviderId, RefillId, Timestamp};
use crate::store::{Command, Result, Tx, deliveries, errands, placed, refills};

/// So long nobody else takes an errand that was taken.
const LEASE_SECONDS: i64 = 300;
/// A provider that was asked to cancel an order is asked soon what has become of it.
const LOOK_AFTER: i64 = 60;
/// An asked cancel needs no second look: the order's status tells.
const NEVER: i64 = 365 * 86_400;

/// A customer wants to cancel an order: its provider is asked to, if one has it. Asked again,
/// nothing changes.
pub(super) fn ask_to_cancel(tx: &Tx<'_>, order: OrderId) -> Result<()> {
    tx.ahead(&[&|db| deliveries::find(db, order).map(drop), &|db| {
        errands::find_cancel(db, order).map(drop)
    }])?;
    let Some(delivery) = deliveries::find(tx, order)? else { return Ok(()) };
    match delivery.stage {
        Stage::Watch | Stage::Posts => {
            errands::insert_cancel(tx, order, delivery.provider)?;
            look_soon(tx, &delivery)
        }
        // Not there yet, or nobody knows: the request is met when that is decided.
        Stage::Send | Stage::Call | Stage::Held | Stage::Last => Ok(()),
    }
}

/// A refill has ended: its provider no longer has to be asked about it.
pub(super) fn drop_refill(tx: &Tx<'_>, refill: RefillId) -> Result<()> {
    hands::drop_errand(tx, errands::find_refill(tx, refill)?.as_ref())
}

fn look_soon(tx: &Tx<'_>, delivery: &Delivery) -> Result<()> {
    let soon = Timestamp(tx.now.0 + LOOK_AFTER);
    deliveries::update_due(tx, delivery.order, delivery.due_at.min(soon))
}

/// Takes the errand of a provider that has been due longest. Whoever takes it asks.
pub struct ClaimErrand {
    pub provider: ProviderId,
}

/// What came of looking for an errand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nothing is due.
    Idle,
    /// Nothing has to be asked; there may be more.
    Did,
    Ask(ErrandId, Question),
}

/// What a provider is asked, about which number of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Cancel(String),
    Refill(String),
    RefillStatus(String),
}

impl Command for ClaimErrand {
    type Reply = Claimed;

    fn run(&self, tx: &Tx<'_>) -> Result<Claimed> {
        let Some(id) = errands::find_due(tx, self.provider, tx.now)? else {
            return Ok(Claimed::Idle);
        };
        let Some(errand) = errands::find(tx, id)? else { return Ok(Claimed::Idle) };

        let question = question(tx, &errand)?;

        let seconds = if question.is_some() { LEASE_SECONDS } else { NEVER };
        errands::update_due(tx, id, Timestamp(tx.now.0 + seconds))?;
        Ok(question.map_or(Claimed::Did, |question| Claimed::Ask(id, question)))
    }
}

fn question(tx: &Tx<'_>, errand: &Errand) -> Result<Option<Question>> {
    let their_order = || placed::their_id(tx, errand.order);
    Ok(match (errand.refill, errand.stage) {
        (None, ErrandStage::Ask) => their_order()?.map(Question::Cancel),
        (Some(_), ErrandStage::Ask) => their_order()?.map(Question::Refill),
        (Some(_), ErrandStage::Asked) => errand.their_id.clone().map(Question::RefillStatus),
        (None, ErrandStage::Asked) | (_, ErrandStage::Held) => None,
    })
}

/// Records what a provider said to an errand. One that is over, or held since, stays as it is.
pub struct RecordErrand {
    pub errand: ErrandId,
    pub said: Said,
}

impl Command for RecordErrand {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let found = errands::find(tx, self.errand)?;
        let Some(errand) = found.filter(|it| it.stage != ErrandStage::Held) else {
            return Ok(());
        };
        let refill = match errand.refill {
            Some(refill) => refills::find(tx, refill)?,
            None => None,
        };
        let asked_at = refill.as_ref().map_or(tx.now, |refill| refill.created_at);
        let moment = Moment { now: tx.now, age_seconds: tx.now.0 - asked_at.0 };

        let next = errand.after(&self.said, moment);

        match &next.errand {
            Some(goes_on) => errands::update(tx, goes_on)?,
            None => errands::delete(tx, errand.id)?,
        }
        if let (Some(refill), Some(status)) = (refill, next.refill) {
            self.move_refill(tx, &refill, status)?;
        }
        if errand.refill.is_none()
            && matches!(self.said, Said::Yes(_))
            && let Some(delivery) = deliveries::find(tx, errand.order)?
        {
            look_soon(tx, &delivery)?;
        }
        let has_hand = next.errand.is_some_and(|goes_on| goes_on.hand.is_some());
        if has_hand { hands::follow(tx, errand.provider) } else { Ok(()) }
    }
}

impl RecordErrand {
    /// The refill goes where the provider says, if it can. The log keeps the reason.
    fn move_refill(&self, tx: &Tx<'_>, refill: &Refill, status: RefillStatus) -> Result<()> {
        if !refill.may_become(status) {
            return Ok(());
        }
        telling::move_refill(tx, refill, status)?;
        let mut change = format!("{} → {status}", refill.status);
        if let Said::No(text) = &self.said {
            change.push_str(&format!(": {text}"));
        }
        let object = format!("refill {}", refill.id);
        super::record(tx, &Actor::Delivery, "refill.set", object, change)
    }
}
