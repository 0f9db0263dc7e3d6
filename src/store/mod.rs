//! All SQL, and the doors to it.
//!
//! Four ways in, and no other: [`Store::write`] and [`Store::write_blocking`] hand a command to the
//! writer thread, [`Store::point`] reads on the calling thread, [`Store::page`] reads on a thread
//! of its own. Nothing read here outlives its call as an open transaction.

pub mod accounts;
pub mod admins;
pub mod audit;
pub mod backup;
pub mod categories;
pub mod check;
pub mod conditions;
pub mod deliveries;
pub mod delivery_list;
pub mod drip_list;
pub mod drips;
pub mod errands;
pub mod events;
pub mod figures;
pub mod keys;
pub mod ledger;
pub mod links;
pub mod moving;
pub mod nodes;
pub mod offers;
pub mod order_list;
pub mod orders;
pub mod paces;
pub mod page;
pub mod place;
pub mod placed;
#[cfg(test)]
mod plans;

pub mod postings;
pub mod pricings;
pub mod provider_list;
pub mod providers;
pub mod readings;
pub mod refills;
pub mod requests;
pub mod secrets;
pub mod service_list;
pub mod services;
pub mod sessions;
pub mod settings;
pub mod submissions;
pub mod substitutes;
pub mod timelines;
pub mod users;
pub mod webhooks;

mod ahead;
mod bell;
mod command;
mod conn;
mod copies;
mod desk;
mod error;
mod migrations;
mod moment;
mod opening;
mod pg;
mod pg_schema;
mod pool;
mod schema;
#[cfg(test)]
mod scratch;
mod sums;
mod tx;
mod upgrade;
mod value;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::clock::Clock;

pub use ahead::Part;
pub(crate) use ahead::together;
pub use bell::Bell;
pub use check::{check_file, check_place};
pub use command::{Command, IfCallersUnchanged, Traced};
use conn::Conn;
pub use copies::CopyError;
pub use desk::Wants;
pub use error::{Error, Fault, Result};
pub use moment::{Point, Versions};
use place::{Dsn, Place};
use pool::Readers;
pub use schema::OpenError;
pub use tx::{Read, Source, Tx};
use writer::Batching;
pub use writer::Turns;

/// Commands that may wait for the writer. Past that the panel is overloaded and says so.
pub const QUEUE_MAX: usize = 1024;
const PAGE_READERS: u32 = 4;
/// On a server, where a read waits for the wire most of its time.
const SERVER_POINT_READERS: u32 = 16;

/// What to do where there is no file yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make an empty panel.
    Create,
    Refuse,
}

/// What a store has beside its writer.
struct Opened {
    place: Place,
    points: Readers,
    pages: Readers,
    lock: Option<File>,
}

/// An open panel. Closing or dropping it waits for the writer, which empties the WAL of a file.
pub struct Store {
    place: Place,
    jobs: mpsc::SyncSender<writer::Queued>,
    writer: Mutex<Option<JoinHandle<()>>>,
    failed: watch::Receiver<bool>,
    bell: Arc<Bell>,
    turns: Arc<Mutex<Turns>>,
    points: Readers,
    pages: Readers,
    lock: Option<File>,
}

impl Store {
    /// Opens the panel beside any other process.
    ///
    /// # Errors
    /// Refuses, and leaves untouched, what is not a panel's file or is a newer panel's.
    pub fn open(
        place: impl Into<Place>,
        missing: Missing,
        clock: Clock,
    ) -> std::result::Result<Self, OpenError> {
        match place.into() {
            Place::File(path) => Self::open_file(&path, missing, clock, None, 1),
            Place::Server(dsn) => Self::open_database(dsn, missing, (clock, Batching::Desk), 1),
        }
    }

    /// Opens a database whose writer runs each command of a batch by itself, as it does on a file:
    /// slow, and what its batches are to be equal to.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_apart(dsn: Dsn, clock: Clock) -> std::result::Result<Self, OpenError> {
        Self::open_database(dsn, Missing::Create, (clock, Batching::Apart), 1)
    }

    /// Opens a file as its one server, with as many readers as there are worker threads; or a
    /// database as one of the nodes that serve it.
    ///
    /// # Errors
    /// As [`Store::open`]; also where another server has the file.
    pub fn open_as_server(
        place: impl Into<Place>,
        clock: Clock,
        workers: usize,
    ) -> std::result::Result<Self, OpenError> {
        let readers = u32::try_from(workers).unwrap_or(u32::MAX);
        match place.into() {
            Place::File(path) => {
                let lock = schema::lock(&path)?;
                Self::open_file(&path, Missing::Create, clock, Some(lock), readers)
            }
            Place::Server(dsn) => {
                let readers = readers.max(SERVER_POINT_READERS);
                Self::open_database(dsn, Missing::Create, (clock, Batching::Desk), readers)
            }
        }
    }

    fn open_file(
        path: &Path,
        missing: Missing,
        clock: Clock,
        lock: Option<File>,
        readers: u32,
    ) -> std::result::Result<Self, OpenError> {
        let conn = upgrade::open_writer(path, missing, lock.as_ref())?;
        let janitor = Arc::new(scheduled_thread_pool());
        let [points, pages] =
            [(schema::Reads::Points, readers), (schema::Reads::Pages, PAGE_READERS)].map(
                |(reads, size)| Readers::of_file(schema::readers(path, reads), size, &janitor),
            );
        let opened = Opened { place: path.into(), points, pages, lock };
        Self::start(opened, (conn, None), clock)
    }

    fn open_database(
        dsn: Dsn,
        missing: Missing,
        (clock, batching): (Clock, Batching),
        readers: u32,
    ) -> std::result::Result<Self, OpenError> {
        let conn = Conn::Pg(opening::open(&dsn, missing, &clock)?);
        let janitor = Arc::new(scheduled_thread_pool());
        let down = Arc::default();
        let [points, pages] = [readers, PAGE_READERS]
            .map(|size| Readers::of_server(dsn.clone(), size, &janitor, Arc::clone(&down)));
        let seat = Some(writer::Seat::new(dsn.clone(), batching, down)?);
        let opened = Opened { place: Place::Server(dsn), points, pages, lock: None };
        Self::start(opened, (conn, seat), clock)
    }

    fn start(
        opened: Opened,
        hand: (Conn, Option<writer::Seat>),
        clock: Clock,
    ) -> std::result::Result<Self, OpenError> {
        let (jobs, queue) = mpsc::sync_channel(QUEUE_MAX);
        let (failure, failed) = watch::channel(false);
        let bell = Arc::new(Bell::default());
        let turns = Arc::default();
        let signals =
            writer::Signals { failure, bell: Arc::clone(&bell), turns: Arc::clone(&turns) };
        let writer = writer::spawn(hand, clock, queue, signals)?;
        let Opened { place, points, pages, lock } = opened;
        Ok(Self {
            place,
            jobs,
            writer: Mutex::new(Some(writer)),
            failed,
            bell,
            turns,
            points,
            pages,
            lock,
        })
    }

    /// Where the panel lives.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        }
    }

    /// Runs a command and answers when it is committed and synced.
    ///
    /// # Errors
    /// The command's refusal; `Busy` where too much waits already.
    pub async fn write<C: Command>(&self, command: C) -> Result<C::Reply> {
        let (job, answer) = writer::queue(command);
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => Error::Busy,
            mpsc::TrySendError::Disconnected(_) => writer_is_gone(),
        })?;
        answer.await.unwrap_or_else(|_| Err(writer_is_gone()))
    }

    /// Leaves a command that nobody waits for. Where too much waits already, it is dropped.
    pub fn write_soon<C: Command>(&self, command: C) {
        let _ = self.jobs.try_send(writer::queue(command).0);
    }

    /// Does what [`Store::write`] does, on a thread that may wait.
    ///
    /// # Errors
    /// The command's refusal.
    pub fn write_blocking<C: Command>(&self, command: C) -> Result<C::Reply> {
        let (job, answer) = writer::queue(command);
        self.jobs.send(job).map_err(|_| writer_is_gone())?;
        answer.blocking_recv().unwrap_or_else(|_| Err(writer_is_gone()))
    }

    /// Reads a little on this thread, all of it from one moment.
    ///
    /// # Errors
    /// What `read` returns, or a fault of the database.
    pub fn point<T>(&self, read: impl FnOnce(&Point<'_>) -> Result<T>) -> Result<T> {
        self.points.read(read)
    }

    /// Reads a page's worth, all of it from one moment. Blocks: for threads that may.
    ///
    /// # Errors
    /// What `read` returns, or a fault of the database.
    pub fn page<T>(&self, read: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        self.pages.read(|db| read(db))
    }

    /// Looks for anything that is wrong with the books, on a connection of its own.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn check(&self) -> Result<Vec<check::Finding>> {
        check_place(&self.place)
    }

    /// Resolves when the writer has met a fault after which nothing can be acknowledged.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.failed.clone()
    }

    /// Rung after each commit that leaves work for delivery.
    pub fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    /// What the writer has done, if it is on a server.
    pub fn turns(&self) -> Turns {
        *self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often reads have waited for a server since the start: once for each question, or for
    /// several that were asked together.
    pub fn read_trips(&self) -> u64 {
        self.points.trips() + self.pages.trips()
    }

    /// Waits until everything queued so far is done and the WAL is empty; whoever still has the
    /// store can write nothing more. Blocks: for threads that may.
    pub fn close(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
        self.points.end();
        self.pages.end();
        // Neither can fail in a way that matters: a writer that is gone has stopped, one that
        // panicked has aborted the process.
        let _ = self.jobs.send(writer::Queued::Stop);
        let _ = writer.join();
        if let Some(lock) = &self.lock
            && let Err(error) = lock.unlock()
        {
            tracing::warn!(%error, "the lock could not be released");
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

fn writer_is_gone() -> Error {
    Error::of_kind(error::FaultKind::Fatal, "the writer has stopped")
}

/// r2d2 wants a thread to open connections on; one serves both pools.
fn scheduled_thread_pool() -> scheduled_thread_pool::ScheduledThreadPool {
    scheduled_thread_pool::ScheduledThreadPool::builder().num_threads(1).build()
}
