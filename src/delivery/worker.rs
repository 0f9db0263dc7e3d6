//! The supervisor: wakes when there is work, and gives each lane threads for what is due. A thread
//! takes steps until nothing is left and ends; no lane ever waits for another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use super::lane::CALLS_MAX;
use super::{
    Delivery, IS_OVER, Lane, STOPS, Step, errand, lock, pause_a_second, prove, send, sync, watch,
    webhook,
};
use crate::store::{Result, providers};

/// At least this much time lies between two looks at what is due.
const PAUSE: Duration = Duration::from_millis(20);
/// What another process commits rings no bell here.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// For orders that are out when the panel stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const STACK_BYTES: usize = 512 << 10;

/// Delivery at work; stops when dropped.
pub struct Running {
    delivery: Arc<Delivery>,
    supervisor: Option<JoinHandle<()>>,
}

impl Delivery {
    /// Begins to deliver.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(self: &Arc<Self>) -> std::io::Result<Running> {
        let delivery = Arc::clone(self);
        let supervise = move || delivery.supervise();
        let supervisor =
            std::thread::Builder::new().name("delivery".to_owned()).spawn(supervise)?;
        Ok(Running { delivery: Arc::clone(self), supervisor: Some(supervisor) })
    }

    /// Claims no more orders from now on. What is out may still come back.
    pub fn stop_claiming(&self) {
        let _ = self.stopped_at.set(crate::clock::instant());
        self.phase.store(STOPS, Ordering::Release);
        self.store.bell().ring();
    }

    fn supervise(self: Arc<Self>) {
        let bell = self.store.bell();
        let mut seen = 0;
        while !self.is_stopping() {
            // Should it panic, the panic is in the log, and the others go on.
            let look = || self.follow_providers().and_then(|()| self.assign());
            if let Ok(Err(error)) = catch_unwind(AssertUnwindSafe(look)) {
                tracing::warn!(%error, "delivery could not look for work");
            }
            std::thread::sleep(PAUSE);
            seen = bell.wait(seen, LOOK_EVERY);
        }
    }

    /// A lane for each provider there is.
    pub(super) fn follow_providers(&self) -> Result<()> {
        let found = self.store.point(|db| providers::list(db))?;
        for provider in &found {
            self.lane(provider.id);
        }
        lock(&self.lanes).retain(|id, _| {
            let is_there = found.iter().any(|provider| provider.id == *id);
            if !is_there {
                self.calls.forget(*id);
            }
            is_there
        });
        Ok(())
    }

    /// One more thread for each lane that has something due.
    fn assign(self: &Arc<Self>) -> Result<()> {
        if self.house.is_due(self) {
            self.spawn_house();
        }
        let now = self.now();
        if self.alerts.is_due(now) {
            self.spawn_alerts();
        }
        if self.machine.is_due(now) {
            self.spawn_machine();
        }
        if webhook::has_work(self)? {
            webhook::spawn(self);
        }
        let lanes: Vec<Arc<Lane>> = lock(&self.lanes).values().cloned().collect();
        for lane in lanes {
            let threads = lane.threads.load(Ordering::Acquire);
            if threads < CALLS_MAX && self.has_work(&lane)? {
                self.spawn(lane);
            }
        }
        Ok(())
    }

    /// Whether a step of the lane would do something, as far as a look tells.
    fn has_work(&self, lane: &Lane) -> Result<bool> {
        let now = self.now();
        let can_send = !self.is_mute(now)
            && lane.sending.load(Ordering::Acquire) < lane.health(|health| health.sends_max(now));
        self.store.point(|db| {
            Ok(can_send && send::is_due(db, lane, now)?
                || watch::is_due(db, lane, now)?
                || errand::is_due(db, lane, now)?
                || prove::is_due(db, lane, now)?
                || prove::is_evidence_due(db, lane, now)?
                || sync::is_due(db, lane, now)?)
        })
    }

    fn spawn(self: &Arc<Self>, lane: Arc<Lane>) {
        lane.threads.fetch_add(1, Ordering::AcqRel);
        let (delivery, working) = (Arc::clone(self), Arc::clone(&lane));
        let name = format!("provider {}", lane.provider);
        let work = move || {
            let _working = Working(&working);
            delivery.work(&working);
        };
        let spawned = std::thread::Builder::new().name(name).stack_size(STACK_BYTES).spawn(work);
        if let Err(error) = spawned {
            lane.threads.fetch_sub(1, Ordering::AcqRel);
            tracing::warn!(%error, "no thread for a provider");
        }
    }

    fn work(&self, lane: &Lane) {
        while !self.is_stopping() {
            // What a panic leaves was taken for a while only, and comes again.
            match catch_unwind(AssertUnwindSafe(|| self.step(lane))) {
                Ok(Ok(Step::Did)) => {}
                Ok(Ok(Step::Idle)) => return,
                Ok(Err(_)) if self.is_stopping() => return,
                Ok(Err(error)) => {
                    tracing::warn!(provider = lane.provider.0, %error, "a step failed");
                    return pause_a_second();
                }
                Err(_) => return pause_a_second(),
            }
        }
    }

    /// The first thing that is due at a provider. Every fourth step begins with looking at what is
    /// there and sends last, so that no queue of orders starves the rest; a balance that is wanted
    /// goes before all, since it decides what is sent.
    pub(super) fn step(&self, lane: &Lane) -> Result<Step> {
        type Part = fn(&Delivery, &Lane) -> Result<Step>;
        const PARTS: [Part; 6] =
            [send::step, errand::step, watch::step, prove::step, prove::evidence_step, sync::step];
        const REST_FIRST: [Part; 6] =
            [watch::step, errand::step, prove::step, prove::evidence_step, sync::step, send::step];
        if lane.proof.is_wanted() && prove::step(self, lane)? == Step::Did {
            return Ok(Step::Did);
        }
        let has_rest_first = lane.steps.fetch_add(1, Ordering::Relaxed) % 4 == 3;
        for part in if has_rest_first { REST_FIRST } else { PARTS } {
            if part(self, lane)? == Step::Did {
                return Ok(Step::Did);
            }
        }
        Ok(Step::Idle)
    }
}

/// A thread at work in a lane, counted until it ends, however it ends.
struct Working<'a>(&'a Lane);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.threads.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Running {
    /// Claims nothing more, waits for the orders that are out, and gives up the rest.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(supervisor) = self.supervisor.take() else { return };
        self.delivery.stop_claiming();
        let _ = supervisor.join();
        let begun = self.delivery.stopped_at.get().copied().unwrap_or_else(crate::clock::instant);
        let is_sending = || {
            let lanes = lock(&self.delivery.lanes);
            self.delivery.webhooks.is_out()
                || lanes.values().any(|lane| lane.sending.load(Ordering::Acquire) > 0)
        };
        while is_sending() && begun.elapsed() < STOP_TIMEOUT {
            std::thread::sleep(PAUSE);
        }
        self.delivery.phase.store(IS_OVER, Ordering::Release);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
