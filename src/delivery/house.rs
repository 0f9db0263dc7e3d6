//! The lane without a provider: what waits at a provider that is held back goes elsewhere, imports
//! go on, what is over is forgotten.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Delivery, Held, Step, importing, lock};
use crate::commands::conditions::{PruneConditions, SetCondition, about_provider};
use crate::commands::replacing::ReplaceWaiting;
use crate::domain::condition::ConditionKind;
use crate::domain::{ProviderId, Timestamp};
use crate::store::{Result, providers};

const EVERY: i64 = 60;
/// From when on somebody should know that a provider has not been proven well.
const UNPROVEN_TOO_LONG: i64 = 900;

/// What the house remembers.
#[derive(Default)]
pub(super) struct House {
    tidied_at: Mutex<Option<Timestamp>>,
    is_out: AtomicBool,
}

impl House {
    /// Whether there is something to do.
    pub(super) fn is_due(&self, delivery: &Delivery) -> bool {
        !self.is_out.load(Ordering::Acquire)
            && (self.is_tidying_due(delivery.now()) || importing::is_due(delivery))
    }

    fn is_tidying_due(&self, now: Timestamp) -> bool {
        lock(&self.tidied_at).is_none_or(|tidied| tidied.0 + EVERY <= now.0)
    }
}

impl Delivery {
    /// Gives the house a thread, which ends when nothing is left to do.
    pub(super) fn spawn_house(self: &Arc<Self>) {
        if self.house.is_out.swap(true, Ordering::AcqRel) {
            return;
        }
        let delivery = Arc::clone(self);
        let work = move || {
            while !delivery.is_stopping() && matches!(delivery.house_step(), Ok(Step::Did)) {}
            delivery.house.is_out.store(false, Ordering::Release);
        };
        let spawned = std::thread::Builder::new().name("house".to_owned()).spawn(work);
        if let Err(error) = spawned {
            self.house.is_out.store(false, Ordering::Release);
            tracing::warn!(%error, "no thread for the house");
        }
    }

    /// A slice of an import, or what is due each minute.
    pub(super) fn house_step(&self) -> Result<Step> {
        if importing::step(self)? == Step::Did {
            return Ok(Step::Did);
        }
        let now = self.now();
        if !self.house.is_tidying_due(now) {
            return Ok(Step::Idle);
        }
        *lock(&self.house.tidied_at) = Some(now);
        for provider in self.store.point(|db| providers::list(db))? {
            self.tell_unproven(provider.id, now);
            if !provider.is_well(now) || self.unwell().contains(&provider.id) {
                let (provider, unwell) = (provider.id, self.unwell());
                self.store.write_blocking(ReplaceWaiting { provider, unwell })?;
            }
        }
        self.store.write_blocking(PruneConditions)?;
        Ok(Step::Did)
    }

    /// An unclear answer that has long not been followed by a proof.
    fn tell_unproven(&self, provider: ProviderId, now: Timestamp) {
        let lane = self.lane(provider);
        let (held, since) = lane.health(|health| (health.held(now), health.unproven_since));
        let is_long = since.is_some_and(|since| since.0 + UNPROVEN_TOO_LONG <= now.0);
        if held != Some(Held::Unproven) || !is_long {
            return;
        }
        let text = Some("No call has succeeded since an unclear answer".to_owned());
        let (kind, subject) = (ConditionKind::Unproven, about_provider(provider));
        self.store.write_soon(SetCondition { kind, subject, text });
    }
}
