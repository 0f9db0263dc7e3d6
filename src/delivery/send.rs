//! Sending one order: claim it, put the claim beyond a crash, call once, record what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use super::client::Purchase;
use super::lane::CallNumber;
use super::{Delivery, Lane, Step, pause_a_second};
use crate::commands::conditions::SetCondition;
use crate::commands::sending::{Claim, ClaimOrder, RecordSubmission, Recorded, Sending};
use crate::config::fail_at;
use crate::domain::Timestamp;
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::Ending;
use crate::domain::outcome::Outcome;
use crate::store::{Error, Read, Result, deliveries, providers};

/// Whether an order waits that the provider may get, as far as the file knows.
pub(super) fn is_due(db: &Read<'_>, lane: &Lane, now: Timestamp) -> Result<bool> {
    if !providers::find(db, lane.provider)?.is_some_and(|provider| provider.is_well(now)) {
        return Ok(false);
    }
    let mut after = lane.after();
    let is_due = deliveries::is_due_to_send(db, lane.provider, &mut after, now)?;
    lane.touched.fetch_max(after.0, Ordering::AcqRel);
    Ok(is_due)
}

/// Sends the order that has waited longest for the lane's provider.
pub(super) fn step(delivery: &Delivery, lane: &Lane) -> Result<Step> {
    let now = delivery.now();
    let Some(_slot) = lane.take_slot(now) else { return Ok(Step::Idle) };
    let is_free = !delivery.is_stopping() && !delivery.is_mute(now);
    if !is_free || !delivery.store.point(|db| is_due(db, lane, now))? {
        return Ok(Step::Idle);
    }
    let provider = delivery.store.point(|db| providers::get(db, lane.provider))?;
    if delivery.client(&provider).is_err() {
        // The call about the balance finds out what is the matter, and nothing is claimed for it.
        lane.want_balance();
        return Ok(Step::Idle);
    }

    let (unwell, sealer) = (delivery.unwell(), delivery.sealer.clone());
    let claim = ClaimOrder { provider: lane.provider, after: lane.after(), unwell, sealer };
    let sending = match delivery.store.write_blocking(claim)? {
        Claim::Idle => return Ok(Step::Idle),
        Claim::Did => return Ok(Step::Did),
        Claim::Send(sending) => sending,
    };
    fail_at("claimed");
    let call = lane.health(|health| health.begin());
    let sent = catch_unwind(AssertUnwindSafe(|| send(delivery, lane, &sending)));
    let outcome = sent.unwrap_or_else(|_| Sent::Called(unclear("The panel failed while sending")));
    fail_at("answered");
    let (is_called, outcome) = match outcome {
        Sent::Called(outcome) => (true, outcome),
        Sent::Kept(outcome) => (false, outcome),
    };
    let recorded = record(delivery, &sending, &outcome);
    fail_at("recorded");
    if is_called {
        learn(delivery, lane, (call, &outcome, recorded));
    }
    Ok(Step::Did)
}

/// Whether the provider was called at all.
enum Sent {
    Called(Outcome),
    /// We could not even begin.
    Kept(Outcome),
}

fn unclear(answer: &str) -> Outcome {
    Outcome::Unknown { answer: answer.to_owned() }
}

/// The one call, once it is on disk that it may be made.
fn send(delivery: &Delivery, lane: &Lane, sending: &Sending) -> Sent {
    let kept = |answer: String| Sent::Kept(Outcome::NotSent { answer });
    let found = delivery.store.point(|db| providers::get(db, lane.provider));
    let client = match found.map(|provider| delivery.client(&provider)) {
        Ok(Ok(client)) => client,
        Ok(Err(refusal)) => return kept(refusal.to_string()),
        Err(error) => return kept(error.to_string()),
    };
    if let Err(error) = delivery.raise_epoch(sending.submission) {
        tell_epoch(delivery, Some(format!("Nothing is sent: the epoch file: {error}")));
        return kept("The epoch file cannot be written".to_owned());
    }
    fail_at("epoch");
    let outcome = client.add(&Purchase {
        service: sending.provider_service.clone(),
        kind: sending.kind,
        link: sending.link.clone(),
        quantity: sending.quantity,
        inputs: sending.inputs.clone(),
        own_id: Some(sending.custom_id.clone()).filter(|id| !id.is_empty()),
    });
    fail_at("sent");
    Sent::Called(outcome)
}

/// Says that nothing can be sent, or that it can again.
pub(super) fn tell_epoch(delivery: &Delivery, text: Option<String>) {
    let (kind, subject) = (ConditionKind::Epoch, "panel".to_owned());
    delivery.store.write_soon(SetCondition { kind, subject, text });
}

/// Records the outcome, as often as it takes: the answer is in hand and must not be lost.
fn record(delivery: &Delivery, sending: &Sending, outcome: &Outcome) -> Recorded {
    tracing::info!(
        submission = sending.submission.0,
        order = sending.order.0,
        outcome = outcome.word(),
        their_id = outcome.their_id(),
        "an attempt to buy an order has ended"
    );
    let mut outcome = outcome.clone();
    loop {
        let (submission, unwell) = (sending.submission, delivery.unwell());
        let command = RecordSubmission { submission, outcome: outcome.clone(), unwell };
        let error = match delivery.store.write_blocking(command) {
            Ok(recorded) => return recorded,
            Err(error) => error,
        };
        tracing::error!(submission = submission.0, %error, "not recorded yet");
        let is_given_up = match (&error, &outcome) {
            (Error::Busy | Error::DiskFull, _) => false,
            // It cannot be written as it is: a person decides.
            (Error::Refused(_) | Error::Storage(_), Outcome::Unknown { .. }) => true,
            (Error::Refused(_) | Error::Storage(_), _) => {
                let their_id = outcome.their_id().unwrap_or("none");
                outcome = unclear(&format!(
                    "{}, order {their_id}: it could not be recorded",
                    outcome.word()
                ));
                false
            }
        };
        if is_given_up || delivery.is_over() || *delivery.store.failed().borrow() {
            // It stays on its way in the file, and the next start asks a person.
            return Recorded::Doubted;
        }
        pause_a_second();
    }
}

/// What the lane learns of its provider.
fn learn(
    delivery: &Delivery,
    lane: &Lane,
    (call, outcome, recorded): (CallNumber, &Outcome, Recorded),
) {
    let now = delivery.now();
    lane.health(|health| match (recorded, outcome) {
        (Recorded::Accepted, _) => health.accepted(call),
        (Recorded::Doubted, _) => health.doubted(call, now),
        (Recorded::Refused(Ending::Other), _) => health.refused_oddly(call, now),
        (Recorded::Refused(_), _) => health.accepted(call),
        (Recorded::NotSent, Outcome::Busy { retry_after, .. }) => {
            health.read();
            health.busy(*retry_after, now);
        }
        (Recorded::NotSent, _) => health.failed(now),
        (Recorded::Over, _) => {}
    });
    if matches!(recorded, Recorded::Refused(Ending::Funds | Ending::Key)) {
        lane.want_balance();
    }
    delivery.tell_held(lane);
}
