//! Webhooks: set by an operator, told by delivery, pruned.
//!
//! A webhook that is off keeps its address and its secret; what waits for it is given up a slice at
//! a time, so that the writer is never held.

use std::collections::BTreeMap;

use super::conditions::about_user;
use super::record;
use crate::domain::condition::ConditionKind;
use crate::domain::event::{EventState, Said, Webhook};
use crate::domain::refusal::{OperatorRefusal, WebhookRefusal};
use crate::domain::{Actor, EventId, Timestamp, UserId};
use crate::store::webhooks::{Place, SEALED_BYTES};
use crate::store::{Command, Result, Tx, conditions, events, users, webhooks};

/// Events of one user that may wait; beyond, the oldest are given up.
pub const WAITING_MAX: i64 = 100_000;

/// Rows that one command touches at most.
const SLICE: i64 = 500;
/// How long the old secret counts beside a new one.
const OVERLAP_SECONDS: i64 = 86_400;
const KEPT_SECONDS: i64 = 7 * 86_400;
const ANSWER_LENGTH_MAX: usize = 500;
/// Later than an event is ever due, and an endpoint ever paused, by itself.
const TOO_LATE: i64 = 9 * 3600;
const PAUSE_TOO_LATE: i64 = 3600;

/// Tells a user's orders to an address from now on.
pub struct SetWebhook {
    pub actor: Actor,
    pub user: UserId,
    /// Checked, as `check_url` wants it.
    pub place: Place,
    /// The secret of a first webhook, sealed; one that has a secret keeps it.
    pub secret_sealed: Vec<u8>,
}

/// Whether the secret that came along counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It does, and somebody has to be shown it.
    New,
    /// The one from before does.
    Before,
}

impl Command for SetWebhook {
    type Reply = Kept;

    fn run(&self, tx: &Tx<'_>) -> Result<Kept> {
        let user = users::find(tx, self.user)?.ok_or(OperatorRefusal::UserNotFound)?;
        let before = webhooks::find(tx, user.id)?;

        let kept = match before {
            None => {
                debug_assert_eq!(self.secret_sealed.len(), SEALED_BYTES, "a sealed secret");
                webhooks::insert(tx, user.id, &self.place, &self.secret_sealed)?;
                Kept::New
            }
            Some(_) => {
                webhooks::update_place(tx, user.id, &self.place)?;
                answers_again(tx, user.id)?;
                follow(tx, user.id)?;
                Kept::Before
            }
        };
        let low = self.place.low.map_or(String::new(), |low| format!(", low below {low}"));
        let change = format!("{}{low}", self.place.url);
        record(tx, &self.actor, "user.webhook", object(user.id), change)?;
        Ok(kept)
    }
}

/// Tells a user nothing more.
pub struct StopWebhook {
    pub actor: Actor,
    pub user: UserId,
}

impl Command for StopWebhook {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let webhook = found(tx, self.user)?;
        if !webhook.is_enabled {
            return Ok(());
        }

        stop(tx, webhook)?;
        record(tx, &self.actor, "user.webhook_off", object(self.user), String::new())
    }
}

/// Puts a new secret in the place of one. The old one counts for a day beside it.
pub struct RotateSecret {
    pub actor: Actor,
    pub user: UserId,
    pub secret_sealed: Vec<u8>,
    /// Until when another secret counted, as it was shown to who asks: the same form, sent twice,
    /// rotates once.
    pub seen: Option<Timestamp>,
}

impl Command for RotateSecret {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let webhook = found(tx, self.user)?;
        if webhook.old_until != self.seen {
            return Err(WebhookRefusal::SecretChanged.into());
        }

        let old_until = Timestamp(tx.now.0 + OVERLAP_SECONDS);
        webhooks::update_secret(tx, self.user, &self.secret_sealed, old_until)?;
        record(tx, &self.actor, "user.webhook_secret", object(self.user), String::new())
    }
}

/// Records what an endpoint said to an event. An event that was given up in between stays so.
pub struct RecordAttempt {
    pub event: EventId,
    pub said: Said,
    /// The same for people.
    pub answer: String,
}

impl Command for RecordAttempt {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let found = events::find(tx, self.event)?;
        let Some(event) = found.filter(|event| event.state == EventState::Waiting) else {
            return Ok(());
        };
        let Some(webhook) = webhooks::find(tx, event.user)? else { return Ok(()) };

        let next = webhook.after(&self.said, &event, tx.now);

        let answer: String = self.answer.chars().take(ANSWER_LENGTH_MAX).collect();
        events::update_tried(tx, event.id, &next, &answer)?;
        let was_paused = webhook.paused_until.is_some();
        if was_paused && next.state == EventState::Done {
            events::release(tx, event.user)?;
        }
        if webhook.old_until.is_some_and(|until| until <= tx.now) {
            webhooks::forget_old_secret(tx, event.user)?;
        }
        let after = Webhook {
            failures: next.failures,
            paused_until: next.paused_until,
            is_enabled: next.is_enabled,
            ..webhook
        };
        match (after.is_enabled, was_paused, after.paused_until.is_some()) {
            (false, ..) => return stop(tx, after),
            (true, false, true) => {
                let text = format!("The endpoint takes no events: {answer}");
                conditions::raise(tx, ConditionKind::Webhook, &about_user(event.user), &text)?;
            }
            (true, true, false) => answers_again(tx, event.user)?,
            (true, true, true) | (true, false, false) => {}
        }
        write(tx, after)
    }
}

/// Tells an event once more that is not told any more: its number stays, so that a receiver that
/// has it knows it.
pub struct SendEventAgain {
    pub actor: Actor,
    pub user: UserId,
    pub event: EventId,
}

impl Command for SendEventAgain {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let webhook = found(tx, self.user)?;
        if !webhook.is_enabled {
            return Err(WebhookRefusal::IsOff.into());
        }
        let event = events::find(tx, self.event)?.filter(|event| event.user == self.user);
        let event = event.ok_or(WebhookRefusal::EventNotFound)?;
        if event.state == EventState::Waiting {
            return Ok(());
        }

        events::update_again(tx, event.id)?;
        write(tx, webhook)?;
        let object = format!("user {} event {}", self.user, event.id);
        record(tx, &self.actor, "user.webhook_again", object, event.kind.to_string())
    }
}

/// Does what is due for a webhook besides telling: gives up what waits for one that is off, or what
/// is too much, and says when to look again.
pub struct TidyWebhook {
    pub user: UserId,
}

impl Command for TidyWebhook {
    /// Whether there is more to give up.
    type Reply = bool;

    fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let Some(webhook) = webhooks::find(tx, self.user)? else { return Ok(false) };
        let most = if webhook.is_enabled { WAITING_MAX } else { 0 };
        let excess = events::count_waiting(tx, self.user, most + SLICE)? - most;
        let answer = match webhook.is_enabled {
            true => "Given up: too many waited",
            false => "Given up: the webhook is off",
        };

        let given_up = events::give_up(tx, self.user, excess.max(0), answer)?;
        write(tx, Webhook { dropped: webhook.dropped + given_up, ..webhook })?;
        Ok(given_up == SLICE)
    }
}

/// Forgets events of more than 7 days, told or not.
pub struct PruneEvents;

impl Command for PruneEvents {
    /// Whether there may be more.
    type Reply = bool;

    fn run(&self, tx: &Tx<'_>) -> Result<bool> {
        let pruned = events::prune(tx, Timestamp(tx.now.0 - KEPT_SECONDS), SLICE)?;
        let is_full = i64::try_from(pruned.len()).is_ok_and(|count| count == SLICE);
        let waited = pruned.into_iter().filter(|(_, state)| *state == EventState::Waiting);
        let mut dropped = BTreeMap::<UserId, i64>::new();
        waited.for_each(|(user, _)| *dropped.entry(user).or_default() += 1);
        for (user, count) in dropped {
            if let Some(webhook) = webhooks::find(tx, user)? {
                write(tx, Webhook { dropped: webhook.dropped + count, ..webhook })?;
            }
        }
        Ok(is_full)
    }
}

/// Makes due what a clock that was ahead has put off too far, at most so many events of a user, and
/// has an old secret count no longer than it should. Says how much that was.
pub(super) fn pull_webhook(tx: &Tx<'_>, user: UserId, limit: i64) -> Result<usize> {
    let Some(webhook) = webhooks::find(tx, user)? else { return Ok(0) };
    let is_after = |at: Option<Timestamp>, seconds| at.is_some_and(|at| at.0 > tx.now.0 + seconds);
    let is_paused = is_after(webhook.paused_until, PAUSE_TOO_LATE);
    let is_late = is_after(webhook.due_at, TOO_LATE);
    let overlaps_too_long = is_after(webhook.old_until, OVERLAP_SECONDS);

    let pulled = events::pull(tx, user, Timestamp(tx.now.0 + TOO_LATE), limit)?;
    if overlaps_too_long {
        webhooks::update_old_until(tx, user, Timestamp(tx.now.0 + OVERLAP_SECONDS))?;
    }
    if !is_paused && !is_late && pulled == 0 {
        return Ok(usize::from(overlaps_too_long));
    }
    let paused_until = if is_paused { Some(tx.now) } else { webhook.paused_until };
    write(tx, Webhook { paused_until, ..webhook })?;
    Ok(pulled + usize::from(is_paused || is_late))
}

fn object(user: UserId) -> String {
    format!("user {user}")
}

fn found(tx: &Tx<'_>, user: UserId) -> Result<Webhook> {
    let webhook = webhooks::find(tx, user)?.ok_or(WebhookRefusal::NotSet)?;
    Ok(webhook)
}

/// Turns a webhook off. What waits is given up soon.
fn stop(tx: &Tx<'_>, webhook: Webhook) -> Result<()> {
    answers_again(tx, webhook.user)?;
    let (failures, paused_until) = (0, None);
    write(tx, Webhook { is_enabled: false, failures, paused_until, ..webhook })
}

/// Nobody need look after the endpoint any more.
fn answers_again(tx: &Tx<'_>, user: UserId) -> Result<()> {
    conditions::clear(tx, ConditionKind::Webhook, &about_user(user))
}

/// Makes the time of a webhook that was put elsewhere that of its next event.
fn follow(tx: &Tx<'_>, user: UserId) -> Result<()> {
    let webhook = found(tx, user)?;
    write(tx, webhook)
}

/// Writes how telling goes, due when the next event is.
fn write(tx: &Tx<'_>, webhook: Webhook) -> Result<()> {
    let next = events::find_next(tx, webhook.user)?.and_then(|event| event.due_at);
    let due_at = match webhook.is_enabled {
        true => next.map(|due| webhook.may_tell(due)),
        false => next.map(|_| tx.now),
    };
    webhooks::update(tx, &Webhook { due_at, ..webhook })
}
