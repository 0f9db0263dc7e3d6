//! What comes before the first lane: attempts that a crash interrupted are parked, and an older
//! file in the panel's place is noticed.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};

use super::alerts::Alerts;
use super::calls::Calls;
use super::epoch::{self, Epoch, Mark};
use super::house::House;
use super::importing::Importer;
use super::machine::Machine;
use super::webhook::Webhooks;
use super::{Delivery, RUNS};
use crate::clock::Clock;
use crate::commands::conditions::SetCondition;
use crate::commands::drips::PullRuns;
use crate::commands::parking::{BeginTimeline, ParkInterrupted, ParkRestored, Parked};
use crate::commands::returning::PullToNow;
use crate::config::fail_at;
use crate::domain::condition::ConditionKind;
use crate::secret::{self, Sealer};
use crate::store::{self, Store, submissions, timelines};

/// Why delivery cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("cannot use the epoch file {}: {}", .0.display(), .1)]
    Epoch(PathBuf, io::Error),
}

impl Delivery {
    /// Looks at what the last life of the file has left, parks what nobody knows the end of, and
    /// makes the epoch file agree. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the file or its epoch cannot be read or written: then nothing may be sent.
    pub fn prepare(
        store: Arc<Store>,
        clock: Clock,
        sealer: Sealer,
    ) -> Result<Arc<Self>, PrepareError> {
        let path = epoch::path(store.path());
        let broken = |error| PrepareError::Epoch(path.clone(), error);
        while store.write_blocking(ParkInterrupted)? > 0 {}
        store.write_blocking(PullRuns)?;
        let mark = epoch::read(&path).map_err(broken)?;
        let (timeline, last) =
            store.point(|db| Ok((timelines::find(db)?, submissions::last(db)?)))?;
        let word = || secret::new_token(26).expose().to_owned();
        let timeline = match (timeline, mark) {
            (None, None) if last.0 == 0 => {
                let word = word();
                store.write_blocking(BeginTimeline { word: word.clone() })?;
                word
            }
            (Some(timeline), Some(mark))
                if !timeline.is_parking
                    && mark.timeline == timeline.word
                    && mark.submission <= last =>
            {
                timeline.word
            }
            (Some(timeline), None) if last.0 == 0 && !timeline.is_parking => timeline.word,
            _ => park_restored(&store, &sealer, word())?,
        };
        while store.write_blocking(PullToNow)? > 0 {}
        let submission = store.point(|db| submissions::last(db))?;
        let epoch = Epoch::create(path.clone(), Mark { timeline, submission }).map_err(broken)?;
        let (kind, subject) = (ConditionKind::Epoch, "panel".to_owned());
        store.write_blocking(SetCondition { kind, subject, text: None })?;
        let calls = Calls::new(clock.clone());
        Ok(Arc::new(Self {
            house: House::default(),
            alerts: Alerts::default(),
            machine: Machine::default(),
            importer: Importer::default(),
            webhooks: Webhooks::default(),
            store,
            clock,
            sealer,
            epoch,
            mute_until: Mutex::default(),
            lanes: Mutex::new(BTreeMap::new()),
            calls,
            phase: AtomicUsize::new(RUNS),
            stopped_at: OnceLock::new(),
        }))
    }
}

/// Another file lies here than the epoch knows. Says the name of the life that begins.
fn park_restored(store: &Store, sealer: &Sealer, word: String) -> store::Result<String> {
    tracing::warn!("an older file was put in the panel's place: what waited to be sent is parked");
    let park = || ParkRestored { sealer: sealer.clone(), word: word.clone() };
    while store.write_blocking(park())? == Parked::Some {
        fail_at("parking");
    }
    Ok(word)
}
