//! The lane that tells the operator what is the matter: each raise once it has lasted a minute,
//! each clear, all that waits in one message, and no more than twenty messages an hour.
//!
//! What was told is written down after a channel has taken it, so that nothing is lost to a crash.
//! Where no channel takes a message it is tried again, ever more rarely; the failure is shown on
//! the page of alerts and raises nothing itself.

pub mod channels;
mod mail;
pub mod message;
mod telegram;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use self::channels::{Channel, World};
use self::message::{Message, Waiting};
use super::{Delivery, Step, lock};
use crate::commands::alerts::RecordTold;
use crate::domain::Timestamp;
use crate::domain::alert::{ChannelKind, HOURLY_MAX};
use crate::store::Result;

const EVERY: i64 = 10;
/// How long a message that nobody took waits; each time twice as long, up to an hour.
const RETRY_SECONDS: i64 = 60;
const RETRY_SECONDS_MAX: i64 = 3600;

/// What the lane remembers.
#[derive(Default)]
pub(super) struct Alerts {
    state: Mutex<State>,
    tries: Mutex<Vec<Try>>,
    is_out: AtomicBool,
    /// `None` for the real one.
    world: Mutex<Option<World>>,
}

#[derive(Default)]
struct State {
    looked_at: Option<Timestamp>,
    failures: u32,
    /// Until when nothing is tried after a failure.
    retry_at: Option<Timestamp>,
    /// Whether an hour's messages were used up, so that the next one sums up.
    is_held: bool,
}

/// How a channel was used last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    pub channel: ChannelKind,
    pub at: Timestamp,
    /// Why nobody was told, in a sentence.
    pub flaw: Option<String>,
}

impl Alerts {
    /// Whether it is time to look.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let looked = lock(&self.state).looked_at;
        // A clock that was put back must not silence the lane.
        let is_due = looked.is_none_or(|at| at.0 + EVERY <= now.0 || at > now);
        is_due && !self.is_out.load(Ordering::Acquire)
    }

    fn keep(&self, tried: Try) {
        let mut tries = lock(&self.tries);
        tries.retain(|before| before.channel != tried.channel);
        tries.push(tried);
    }

    fn is_waiting(&self, now: Timestamp) -> bool {
        let retry_at = lock(&self.state).retry_at;
        retry_at.is_some_and(|at| at > now && at.0 <= now.0 + RETRY_SECONDS_MAX)
    }

    /// The next try comes later than the last one did.
    fn put_off(&self, now: Timestamp) {
        let mut state = lock(&self.state);
        let seconds = RETRY_SECONDS.saturating_mul(1 << state.failures.min(10));
        state.failures = state.failures.saturating_add(1);
        state.retry_at = Some(Timestamp(now.0 + seconds.min(RETRY_SECONDS_MAX)));
    }
}

impl Delivery {
    /// From now on the world is another one: for tests, whose servers are on loopback.
    pub fn pretend(&self, world: World) {
        *lock(&self.alerts.world) = Some(world);
    }

    pub(super) fn world(&self) -> World {
        lock(&self.alerts.world).clone().unwrap_or_default()
    }

    /// How each channel was used last since the panel was started.
    pub fn tries(&self) -> Vec<Try> {
        lock(&self.alerts.tries).clone()
    }

    /// Sends a message to see whether it arrives.
    ///
    /// # Errors
    /// Why it was not taken, in a sentence.
    pub fn test_channel(&self, kind: ChannelKind) -> Result<std::result::Result<(), String>> {
        let (channels, message) = self.store.page(|db| {
            Ok((channels::read(db, &self.sealer)?, Message::test(db, self.clock.now())?))
        })?;
        let channel = channels.iter().find(|channel| channel.kind() == kind);
        let Some(channel) = channel else { return Ok(Err("It is not set up".to_owned())) };
        Ok(self.tell(channel, &message))
    }

    fn tell(&self, channel: &Channel, message: &Message) -> std::result::Result<(), String> {
        let told = channel.tell(message, &self.world());
        if let Err(flaw) = &told {
            tracing::warn!(channel = channel.kind().label(), %flaw, "an alert was not told");
        }
        let (channel, flaw) = (channel.kind(), told.as_ref().err().cloned());
        self.alerts.keep(Try { channel, at: self.now(), flaw });
        told
    }

    /// Gives the lane a thread, which ends when nothing is left to tell.
    pub(super) fn spawn_alerts(self: &Arc<Self>) {
        if self.alerts.is_out.swap(true, Ordering::AcqRel) {
            return;
        }
        let delivery = Arc::clone(self);
        let work = move || {
            let _out = Out(&delivery.alerts.is_out);
            if let Err(error) = delivery.alerts_step() {
                tracing::warn!(%error, "alerts could not be told");
            }
        };
        let spawned = std::thread::Builder::new().name("alerts".to_owned()).spawn(work);
        if let Err(error) = spawned {
            self.alerts.is_out.store(false, Ordering::Release);
            tracing::warn!(%error, "no thread for alerts");
        }
    }

    /// Tells what waits, if it is time.
    pub(super) fn alerts_step(&self) -> Result<Step> {
        let now = self.now();
        lock(&self.alerts.state).looked_at = Some(now);
        if self.is_stopping() || self.alerts.is_waiting(now) {
            return Ok(Step::Idle);
        }
        let (waiting, channels) = self
            .store
            .page(|db| Ok((Waiting::read(db, now)?, channels::read(db, &self.sealer)?)))?;
        if waiting.is_empty() || channels.is_empty() {
            return Ok(Step::Idle);
        }
        if waiting.told_lately >= HOURLY_MAX {
            lock(&self.alerts.state).is_held = true;
            return Ok(Step::Idle);
        }

        let is_held = lock(&self.alerts.state).is_held;
        let message = self.store.page(|db| waiting.message(db, is_held))?;
        let told: Vec<_> = channels.iter().map(|it| self.tell(it, &message)).collect();
        // Put off before it is written down: should that fail, nobody is told each moment.
        self.alerts.put_off(now);
        if !told.iter().any(std::result::Result::is_ok) {
            return Ok(Step::Idle);
        }
        let (raised, cleared) = waiting.ids();
        self.store.write_blocking(RecordTold { raised, cleared })?;
        *lock(&self.alerts.state) = State { looked_at: Some(now), ..State::default() };
        Ok(Step::Did)
    }
}

/// A thread at work, until it ends, however it ends.
pub(super) struct Out<'a>(pub(super) &'a AtomicBool);

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
