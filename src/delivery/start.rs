//! What comes before the first lane: attempts that a crash interrupted are parked, and an older
//! file in the panel's place is noticed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock};

use super::alerts::Alerts;
use super::calls::Calls;
use super::epoch::{self, Epoch, Mark};
use super::house::House;
use super::importing::Importer;
use super::lives;
use super::machine::Machine;
use super::webhook::Webhooks;
use super::{Delivery, RUNS};
use crate::clock::Clock;
use crate::commands::conditions::SetCondition;
use crate::commands::drips::PullRuns;
use crate::commands::nodes::BeginNode;
use crate::commands::parking::{BeginTimeline, ParkInterrupted, ParkRestored, Parked};
use crate::commands::returning::PullToNow;
use crate::config::fail_at;
use crate::domain::condition::ConditionKind;
use crate::secret::{self, Sealer};
use crate::store::{self, Store, nodes, submissions, timelines};

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
    /// makes the epoch file agree, which lies beside the panel's file, or beside the key of a panel
    /// that lives on a server. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the file or its epoch cannot be read or written: then nothing may be sent.
    pub fn prepare(
        store: Arc<Store>,
        clock: Clock,
        sealer: Sealer,
        key_file: &Path,
    ) -> Result<Arc<Self>, PrepareError> {
        let path = epoch::path(store.path().unwrap_or(key_file));
        let broken = |error| PrepareError::Epoch(path.clone(), error);
        begin_node(&store, key_file)?;
        park_interrupted(&store)?;
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
            (Some(timeline), None)
                if !timeline.is_parking && (last.0 == 0 || has_other_nodes(&store, &clock)?) =>
            {
                timeline.word
            }
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

/// On a server, tells the others which nodes of this machine are gone, and the next start of this
/// one.
fn begin_node(store: &Store, key_file: &Path) -> store::Result<()> {
    if store.path().is_some() {
        return Ok(());
    }
    let path = lives::path(key_file);
    let own = store.write_blocking(BeginNode { gone: lives::gone(&path) })?;
    if let Some(Err(error)) = own.map(|node| lives::remember(&path, node)) {
        tracing::warn!(%error, path = %path.display(), "a crash will be noticed late");
    }
    Ok(())
}

/// Whether other nodes are at work in this life: then it is no older file, and this node is new.
fn has_other_nodes(store: &Store, clock: &Clock) -> store::Result<bool> {
    Ok(store.point(|db| nodes::count_alive(db, clock.now()))? > 1)
}

/// Parks what was being sent by a process that is gone.
pub(super) fn park_interrupted(store: &Store) -> store::Result<()> {
    let mut parked = 0;
    loop {
        match store.write_blocking(ParkInterrupted)? {
            0 => break,
            some => parked += some,
        }
    }
    if parked > 0 {
        tracing::warn!(
            parked,
            "orders that were being sent when a process ended wait for a person"
        );
    }
    Ok(())
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
