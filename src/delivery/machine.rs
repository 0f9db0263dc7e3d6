//! What the panel finds out about itself: whether its disk has room, whether somebody backs it up,
//! whether orders stand still, and once a day whether its books are sound. All of it on a thread
//! of its own, since to read every row takes as long as the file is long.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::alerts::Out;
use super::{Delivery, Step, lock};
use crate::clock::Clock;
use crate::commands::alerts::{PANEL, RecordSlow, unsaved_since};
use crate::commands::conditions::{SetCondition, TellCondition};
use crate::domain::Timestamp;
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::Stage;
use crate::store::deliveries::Slow;
use crate::store::{Result, conditions, deliveries, providers};

const DISK_EVERY: i64 = 60;
const HOUR: i64 = 3600;
/// After a start, before anything but the disk is looked at.
const SETTLED: i64 = 600;
const DAY: i64 = 24 * HOUR;
/// From here on somebody should make room.
const LOW_BYTES: u64 = 1 << 30;
/// It is over only with some more than that, or it would come and go.
const ENOUGH_BYTES: u64 = LOW_BYTES + LOW_BYTES / 4;
/// Below, no order is sent: what came of it might not be written down.
const FULL_BYTES: u64 = 64 << 20;
const BACKUP_DAYS: i64 = 7;
/// So much is said of books that are not sound.
const FINDINGS_MAX: usize = 3;

/// When the panel looked at itself, and what sending has to know of it.
#[derive(Default)]
pub(super) struct Machine {
    due: Mutex<Option<Due>>,
    is_full: AtomicBool,
    is_out: AtomicBool,
}

/// When each look is due.
#[derive(Clone, Copy)]
struct Due {
    disk: Timestamp,
    hourly: Timestamp,
    books: Timestamp,
}

impl Machine {
    /// Whether it is time for a look.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let is_due = lock(&self.due).is_none_or(|due| due.disk <= now);
        is_due && !self.is_out.load(Ordering::Acquire)
    }

    /// Whether so little room is left that nothing is sent.
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Acquire)
    }

    /// What is due of the three, which is then due again later. A start is left alone for a while;
    /// it has looked at the sums of the books itself.
    fn take(&self, now: Timestamp) -> (bool, bool, bool) {
        let mut kept = lock(&self.due);
        let (soon, later) = (Timestamp(now.0 + SETTLED), Timestamp(now.0 + HOUR));
        let first = Due { disk: now, hourly: soon, books: later };
        let mut due = kept.unwrap_or(first);
        let take = |at: &mut Timestamp, every: i64| {
            let is_due = *at <= now;
            // A clock that was put back must not stop the looks.
            if is_due || at.0 > now.0 + every {
                *at = Timestamp(now.0 + every);
            }
            is_due
        };
        let taken = (
            take(&mut due.disk, DISK_EVERY),
            take(&mut due.hourly, HOUR),
            take(&mut due.books, DAY),
        );
        *kept = Some(due);
        taken
    }
}

impl Delivery {
    /// Has a thread look at the panel.
    pub(super) fn spawn_machine(self: &Arc<Self>) {
        if self.machine.is_out.swap(true, Ordering::AcqRel) {
            return;
        }
        let delivery = Arc::clone(self);
        let work = move || {
            let _out = Out(&delivery.machine.is_out);
            if let Err(error) = delivery.machine_step() {
                tracing::warn!(%error, "the panel could not look at itself");
            }
        };
        let spawned = std::thread::Builder::new().name("machine".to_owned()).spawn(work);
        if let Err(error) = spawned {
            self.machine.is_out.store(false, Ordering::Release);
            tracing::warn!(%error, "no thread to look at the panel");
        }
    }

    /// The looks that are due.
    pub(super) fn machine_step(&self) -> Result<Step> {
        let now = self.now();
        let (disk, hourly, books) = self.machine.take(now);
        if disk {
            self.look_at_disk()?;
        }
        if hourly {
            self.look_for_backup(now)?;
            self.look_for_slow(now)?;
        }
        if books {
            self.look_at_books()?;
        }
        Ok(if disk || hourly || books { Step::Did } else { Step::Idle })
    }

    fn look_at_disk(&self) -> Result<()> {
        let Some(free) = self.free_bytes() else { return Ok(()) };
        self.machine.is_full.store(free < FULL_BYTES, Ordering::Release);
        let (kind, subject) = (ConditionKind::Disk, PANEL.to_owned());
        if free < LOW_BYTES {
            let then = match free < FULL_BYTES {
                true => "Nothing is sent to providers until there is room",
                false => "Below 64 MiB nothing is sent to providers",
            };
            let bound = if free < FULL_BYTES { "64 MiB" } else { "1 GiB" };
            let text = format!("Less than {bound} is free on the disk of the panel. {then}");
            return self.store.write_blocking(TellCondition { kind, subject, text });
        }
        let is_open = self.store.point(|db| conditions::is_open(db, kind, PANEL))?;
        if is_open && free >= ENOUGH_BYTES {
            self.store.write_blocking(SetCondition { kind, subject, text: None })?;
        }
        Ok(())
    }

    /// What is free beside the panel's file; a server looks after its own disk. Under a test's
    /// clock only what it pretends.
    fn free_bytes(&self) -> Option<u64> {
        let pretended = self.world().free_bytes;
        if pretended.is_some() || matches!(self.clock, Clock::Manual(_)) {
            return pretended;
        }
        let folder = self.store.path()?.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(std::path::Path::new("."));
        match rustix::fs::statvfs(folder) {
            Ok(found) => Some(found.f_bavail.saturating_mul(found.f_frsize)),
            Err(error) => {
                tracing::warn!(%error, "nobody knows how full the disk is");
                None
            }
        }
    }

    /// A server's backups are none of ours.
    fn look_for_backup(&self, now: Timestamp) -> Result<()> {
        if self.store.path().is_none() {
            return Ok(());
        }
        let (kind, subject) = (ConditionKind::Backup, PANEL.to_owned());
        let (since, is_open) = self
            .store
            .page(|db| Ok((unsaved_since(db)?, conditions::is_open(db, kind, PANEL)?)))?;
        let is_late = since.is_some_and(|since| since.0 + BACKUP_DAYS * DAY < now.0);
        if is_late == is_open {
            return Ok(());
        }
        let text = "No backup for more than 7 days. Run `panelite backup FILE`".to_owned();
        let text = is_late.then_some(text);
        self.store.write_blocking(SetCondition { kind, subject, text })
    }

    fn look_for_slow(&self, now: Timestamp) -> Result<()> {
        let before = Timestamp(now.0 - DAY);
        let (slow, open) = self.store.page(|db| {
            let mut slow = BTreeMap::new();
            for provider in providers::list(db)? {
                for stage in [Stage::Send, Stage::Watch] {
                    let of = (provider.id, stage);
                    deliveries::add_slow(db, &mut slow, of, (before, now))?;
                }
            }
            Ok((slow, conditions::list_of_kind(db, ConditionKind::Slow)?))
        })?;
        if slow.is_empty() && open.is_empty() {
            return Ok(());
        }
        let said = |slow: Slow| match (slow.orders, slow.oldest) {
            (1, oldest) => format!("Order {oldest} has not moved for much longer than usual"),
            (orders, oldest) => format!(
                "{orders} orders have not moved for much longer than usual, the first is {oldest}"
            ),
        };
        let found = slow.into_iter().map(|(service, slow)| (service, said(slow))).collect();
        self.store.write_blocking(RecordSlow { found })
    }

    /// All of them, on a connection of its own.
    fn look_at_books(&self) -> Result<()> {
        let found = self.store.check()?;
        let (kind, subject) = (ConditionKind::Books, "books".to_owned());
        if found.is_empty() {
            return self.store.write_blocking(SetCondition { kind, subject, text: None });
        }
        let first: Vec<String> = found.iter().take(FINDINGS_MAX).map(ToString::to_string).collect();
        let noun = if found.len() == 1 { "finding" } else { "findings" };
        let text = format!("{} {noun}: {}", found.len(), first.join("; "));
        self.store.write_blocking(TellCondition { kind, subject, text })
    }
}
