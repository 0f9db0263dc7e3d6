//! The lane without a provider: runs of drip-feeds begin, what waits at a provider that is held
//! back goes elsewhere, what another node left half-sent is parked, imports go on, what is over is
//! forgotten.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::start::park_interrupted;
use super::{Delivery, Step, Turn, importing, lock, pause_a_second, webhook};
use crate::commands::conditions::PruneConditions;
use crate::commands::drips::StartRuns;
use crate::commands::replacing::{ReplaceWaiting, Replaced};
use crate::domain::{ProviderId, Timestamp};
use crate::store::{Result, drips, providers};

const EVERY: i64 = 60;

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
            && (self.is_tidying_due(delivery.now())
                || importing::is_due(delivery)
                || delivery.are_runs_due().unwrap_or(false))
    }

    fn is_tidying_due(&self, now: Timestamp) -> bool {
        lock(&self.tidied_at).is_none_or(|tidied| tidied.0 + EVERY <= now.0)
    }
}

impl Delivery {
    /// Gives the house a thread, which ends when nothing is left to do.
    pub(super) fn spawn_house(self: &Arc<Self>) {
        let delivery = Arc::clone(self);
        let work = move || {
            let Some(_turn) = Turn::take(&delivery.house.is_out) else { return };
            while !delivery.is_stopping() {
                match delivery.house_step() {
                    Ok(Step::Did) => {}
                    Ok(Step::Idle) => return,
                    Err(error) => {
                        tracing::warn!(%error, "the house could not do what is due");
                        return pause_a_second();
                    }
                }
            }
        };
        let spawned = std::thread::Builder::new().name("house".to_owned()).spawn(work);
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for the house");
        }
    }

    /// Whether a run of a drip-feed should begin.
    fn are_runs_due(&self) -> Result<bool> {
        let next = self.store.point(|db| drips::next_due(db))?;
        Ok(next.is_some_and(|next| next <= self.now()))
    }

    /// Runs that are due, a slice of an import, or what is due each minute.
    pub(super) fn house_step(&self) -> Result<Step> {
        if self.are_runs_due()? && self.store.write_blocking(StartRuns)? > 0 {
            return Ok(Step::Did);
        }
        if importing::step(self)? == Step::Did {
            return Ok(Step::Did);
        }
        let now = self.now();
        if !self.house.is_tidying_due(now) {
            return Ok(Step::Idle);
        }
        *lock(&self.house.tidied_at) = Some(now);
        for provider in self.store.point(|db| providers::list(db))? {
            self.tell_held(&self.lane(provider.id));
            if !provider.is_well(now) || self.unwell().contains(&provider.id) {
                self.replace_waiting(provider.id)?;
            }
        }
        if self.store.path().is_none() {
            park_interrupted(&self.store)?;
        }
        self.store.write_blocking(PruneConditions)?;
        webhook::tidy(self)?;
        Ok(Step::Did)
    }

    /// All that waits at a provider is looked at, slice by slice.
    fn replace_waiting(&self, provider: ProviderId) -> Result<()> {
        let mut after = None;
        while !self.is_stopping() {
            let command = ReplaceWaiting { provider, unwell: self.unwell(), after };
            let Replaced { last, .. } = self.store.write_blocking(command)?;
            let Some(last) = last else { break };
            after = Some(last);
        }
        Ok(())
    }
}
