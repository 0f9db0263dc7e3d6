//! Errands at a provider: take the one that has been due longest, ask once, record what was said.

use super::client::{CallError, CancelSaid, Client, Fault, RefillReport, RefillSaid};
use super::watch::{is_held, learn};
use super::{Delivery, Lane, Step};
use crate::commands::errands::{ClaimErrand, Claimed, Question, RecordErrand};
use crate::domain::Timestamp;
use crate::domain::errand::Said;
use crate::domain::outcome::Family;
use crate::store::{Read, Result, errands, providers};

/// Whether the lane's provider should be asked for something now.
pub(super) fn is_due(db: &Read<'_>, lane: &Lane, now: Timestamp) -> Result<bool> {
    let due = errands::next_due(db, lane.provider)?;
    Ok(due.is_some_and(|due| due <= now) && !is_held(lane, now))
}

/// Asks the lane's provider for what has been due longest.
pub(super) fn step(delivery: &Delivery, lane: &Lane) -> Result<Step> {
    let now = delivery.now();
    if !delivery.store.point(|db| is_due(db, lane, now))? {
        return Ok(Step::Idle);
    }
    let claim = ClaimErrand { provider: lane.provider };
    let (errand, question) = match delivery.store.write_blocking(claim)? {
        Claimed::Idle => return Ok(Step::Idle),
        Claimed::Did => return Ok(Step::Did),
        Claimed::Ask(errand, question) => (errand, question),
    };
    let provider = delivery.store.point(|db| providers::get(db, lane.provider))?;
    let said = match delivery.client(&provider) {
        Ok(client) => match ask(&client, &question) {
            Ok(said) => {
                lane.health(|health| health.read());
                said
            }
            Err(error) => {
                learn(delivery, lane, &error);
                missed(&error)
            }
        },
        Err(refusal) => Said::NotNow(refusal.to_string()),
    };
    delivery.store.write_blocking(RecordErrand { errand, said })?;
    delivery.tell_held(lane);
    Ok(Step::Did)
}

/// The one call.
fn ask(client: &Client, question: &Question) -> std::result::Result<Said, CallError> {
    Ok(match question {
        Question::Cancel(their_id) => match client.cancel(their_id)? {
            CancelSaid::Asked => Said::Yes(None),
            CancelSaid::Refused(text) => Said::No(text),
            CancelSaid::Unclear(text) => unclear(text),
        },
        Question::Refill(their_id) => match client.refill(their_id)? {
            RefillSaid::Asked { their_id } => Said::Yes(their_id),
            RefillSaid::Refused(text) => Said::No(text),
            RefillSaid::Unclear(text) => unclear(text),
        },
        Question::RefillStatus(their_id) => match client.refill_status(their_id)? {
            RefillReport::Status(status) => Said::Refill(status),
            RefillReport::Unclear(text) => unclear(text),
        },
    })
}

/// A text about our key or their load says nothing of what was asked.
fn unclear(text: String) -> Said {
    match Family::of(&text, &[]) {
        Family::Key | Family::Busy => Said::NotNow(text),
        Family::Trouble
        | Family::Replay
        | Family::Funds
        | Family::Duplicate
        | Family::Service
        | Family::Quantity
        | Family::Link
        | Family::Other => Said::Unclear(text),
    }
}

/// A call that brought nothing: unclear only where they may have heard us.
fn missed(error: &CallError) -> Said {
    match error.fault {
        Fault::NotSent | Fault::Busy => Said::NotNow(error.to_string()),
        Fault::NoAnswer | Fault::Status | Fault::Unreadable => Said::Unclear(error.to_string()),
        Fault::Said(_) => unclear(error.to_string()),
    }
}
