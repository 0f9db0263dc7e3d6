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
pub mod offers;
pub mod order_list;
pub mod orders;
pub mod paces;
pub mod page;
pub mod placed;
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

mod bell;
mod command;
mod copies;
mod migrations;
mod schema;
mod sums;
mod tx;
mod upgrade;
mod value;
mod writer;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use r2d2::Pool;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::domain::refusal::{
    OperatorRefusal, OrderRefusal, ProviderRefusal, Refusal, WebhookRefusal,
};

pub use bell::Bell;
pub use check::check_file;
pub use command::{Command, IfCallersUnchanged, Traced};
pub use copies::CopyError;
pub use schema::OpenError;
use tx::Manager;
pub use tx::{Point, Read, Source, Tx, Versions};

/// Commands that may wait for the writer. Past that the panel is overloaded and says so.
pub const QUEUE_MAX: usize = 1024;
const PAGE_READERS: u32 = 4;

/// Why a read or a command gave no result.
#[derive(Clone, Debug)]
pub enum Error {
    /// A business "no". Nothing was changed.
    Refused(Refusal),
    /// Too much to do, or another process holds the file. Nothing was changed.
    Busy,
    /// The disk is full. Nothing was changed.
    DiskFull,
    /// Something broke. A command's outcome is unknown.
    Storage(Fault),
}

/// What the database said when something broke. For the log, never for a customer.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whether the file can no longer be trusted to keep what it is given.
    is_fatal: bool,
    text: Arc<str>,
}

/// The result of everything in the store and above it.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Something that cannot be, unless there is a mistake in the program.
    fn fault(text: &str) -> Self {
        Self::Storage(Fault { is_fatal: false, text: text.into() })
    }

    /// The same, for a failure that leaves the outcome unknown.
    fn into_fatal(self) -> Self {
        Self::Storage(Fault { is_fatal: true, text: self.to_string().into() })
    }

    /// Whether the disk or the database failed, and this is no refusal.
    pub const fn is_storage(&self) -> bool {
        matches!(self, Self::DiskFull | Self::Storage(_))
    }

    /// Whether nothing written from now on can be trusted.
    const fn is_fatal(&self) -> bool {
        matches!(self, Self::Storage(Fault { is_fatal: true, .. }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Busy => f.write_str("database busy"),
            Self::DiskFull => f.write_str("the disk is full"),
            Self::Storage(fault) => write!(f, "storage failed: {}", fault.text),
        }
    }
}

impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<OrderRefusal> for Error {
    fn from(refusal: OrderRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<ProviderRefusal> for Error {
    fn from(refusal: ProviderRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<WebhookRefusal> for Error {
    fn from(refusal: WebhookRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<OperatorRefusal> for Error {
    fn from(refusal: OperatorRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<r2d2::Error> for Error {
    fn from(_: r2d2::Error) -> Self {
        Self::Busy
    }
}

/// What to do where there is no file yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Make an empty panel.
    Create,
    Refuse,
}

/// An open panel file. Closing or dropping it waits for the writer, which empties the WAL.
pub struct Store {
    path: PathBuf,
    jobs: mpsc::SyncSender<writer::Queued>,
    writer: Mutex<Option<JoinHandle<()>>>,
    failed: watch::Receiver<bool>,
    bell: Arc<Bell>,
    points: Pool<Manager>,
    pages: Pool<Manager>,
    lock: Option<File>,
}

impl Store {
    /// Opens the file beside any other process.
    ///
    /// # Errors
    /// Refuses, and leaves untouched, what is not a panel's file or is a newer panel's.
    pub fn open(
        path: &Path,
        missing: Missing,
        clock: Clock,
    ) -> std::result::Result<Self, OpenError> {
        Self::open_with(path, missing, clock, None, 1)
    }

    /// Opens the file as its one server, with as many readers as there are worker threads.
    ///
    /// # Errors
    /// As [`Store::open`]; also where another server has the file.
    pub fn open_as_server(
        path: &Path,
        clock: Clock,
        workers: usize,
    ) -> std::result::Result<Self, OpenError> {
        let lock = schema::lock(path)?;
        let readers = u32::try_from(workers).unwrap_or(u32::MAX);
        Self::open_with(path, Missing::Create, clock, Some(lock), readers)
    }

    fn open_with(
        path: &Path,
        missing: Missing,
        clock: Clock,
        lock: Option<File>,
        readers: u32,
    ) -> std::result::Result<Self, OpenError> {
        let conn = upgrade::open_writer(path, missing, lock.as_ref())?;
        let (jobs, queue) = mpsc::sync_channel(QUEUE_MAX);
        let (failure, failed) = watch::channel(false);
        let bell = Arc::new(Bell::default());
        let signals = writer::Signals { failure, bell: Arc::clone(&bell) };
        let writer = writer::spawn(conn, clock, queue, signals)?;
        let janitor = Arc::new(scheduled_thread_pool());
        Ok(Self {
            path: path.to_owned(),
            jobs,
            writer: Mutex::new(Some(writer)),
            failed,
            bell,
            points: schema::reader_pool(path, schema::Reads::Points, readers, &janitor),
            pages: schema::reader_pool(path, schema::Reads::Pages, PAGE_READERS, &janitor),
            lock,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
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
        tx::read(&*self.points.get()?, read)
    }

    /// Reads a page's worth, all of it from one moment. Blocks: for threads that may.
    ///
    /// # Errors
    /// What `read` returns, or a fault of the database.
    pub fn page<T>(&self, read: impl FnOnce(&Read<'_>) -> Result<T>) -> Result<T> {
        tx::read(&*self.pages.get()?, |db| read(db))
    }

    /// Looks for anything that is wrong with the books, on a connection of its own.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn check(&self) -> Result<Vec<check::Finding>> {
        check_file(&self.path)
    }

    /// Resolves when the writer has met a fault after which nothing can be acknowledged.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.failed.clone()
    }

    /// Rung after each commit that leaves work for delivery.
    pub fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.bell)
    }

    /// Waits until everything queued so far is done and the WAL is empty; whoever still has the
    /// store can write nothing more. Blocks: for threads that may.
    pub fn close(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
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
    Error::Storage(Fault { is_fatal: true, text: "the writer has stopped".into() })
}

/// r2d2 wants a thread to open connections on; one serves both pools.
fn scheduled_thread_pool() -> scheduled_thread_pool::ScheduledThreadPool {
    scheduled_thread_pool::ScheduledThreadPool::builder().num_threads(1).build()
}
