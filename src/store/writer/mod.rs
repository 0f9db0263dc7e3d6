//! The writer: one thread that owns the only writing connection.
//!
//! It takes whatever waits (at most [`BATCH_MAX`] commands, no timer: the sync of the last batch is
//! the window), runs each in one transaction, commits once, and only then answers everyone. So an
//! answer is a promise, and the cost of a sync is shared.
//!
//! A command decides before it writes, so a refusal leaves nothing behind. Where a statement fails,
//! the batch is rolled back and each command runs once more in a transaction of its own: only the
//! guilty one gets the error. After an I/O error, or a COMMIT that failed for anything but a full
//! disk, the outcome is unknown: everyone gets an error and nothing is ever acknowledged again.
//! A panic here aborts the process, because the state of the money would be anyone's guess; the WAL
//! brings the last commit back at the next start.
//!
//! On a server much of this is different: see `server.rs`.

mod fetch;
mod seat;
mod server;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};

use super::ahead::Ahead;
use super::bell::Bell;
use super::command::Command;
use super::conn::Conn;
use super::desk::{Desk, Wants};
use super::sums::Sums;
use super::{Error, Result, Tx, accounts, figures, orders};
use crate::clock::Clock;
use crate::domain::Timestamp;
pub(super) use seat::{Batching, Seat};

/// Commands in one transaction at most.
const BATCH_MAX: usize = 256;

/// A command that waits for its turn, with the place where its answer goes.
pub(super) trait Job: Send {
    /// What it is going to look at.
    fn wants(&self, wants: &mut Wants);
    /// Runs the command and keeps its result.
    fn run(&mut self, tx: &Tx<'_>);
    /// Why it failed, if it did.
    fn error(&self) -> Option<&Error>;
    /// Replaces whatever the result was.
    fn fail(&mut self, error: &Error);
    /// Hands the result to the caller, who may have gone.
    fn answer(self: Box<Self>);
}

/// What the queue holds.
pub(super) enum Queued {
    Job(Box<dyn Job>),
    /// Nothing after this is taken.
    Stop,
}

struct Waiting<C: Command> {
    command: C,
    result: Result<C::Reply>,
    caller: oneshot::Sender<Result<C::Reply>>,
}

impl<C: Command> Job for Waiting<C> {
    fn wants(&self, wants: &mut Wants) {
        self.command.wants(wants);
    }

    fn run(&mut self, tx: &Tx<'_>) {
        self.result = self.command.run(tx);
    }

    fn error(&self) -> Option<&Error> {
        self.result.as_ref().err()
    }

    fn fail(&mut self, error: &Error) {
        self.result = Err(error.clone());
    }

    fn answer(self: Box<Self>) {
        let _ = self.caller.send(self.result);
    }
}

/// Wraps a command for the queue, with the place where its answer will arrive.
pub(super) fn queue<C: Command>(command: C) -> (Queued, oneshot::Receiver<Result<C::Reply>>) {
    let (caller, answer) = oneshot::channel();
    (Queued::Job(Box::new(Waiting { command, result: Err(Error::Busy), caller })), answer)
}

/// Starts the thread. It ends when it is told to, when every sender is gone, or after a fatal
/// fault, which it tells through `failure`; what it leaves for delivery, by the bell.
pub(super) fn spawn(
    (conn, seat): (Conn, Option<Seat>),
    clock: Clock,
    jobs: mpsc::Receiver<Queued>,
    Signals { failure, bell, turns }: Signals,
) -> std::io::Result<JoinHandle<()>> {
    let sums = RefCell::default();
    let desk = seat.as_ref().filter(|seat| seat.has_desk()).map(|_| RefCell::default());
    let ahead = RefCell::default();
    let writer = Writer { conn, seat, desk, ahead, clock, last: Timestamp(0), sums, bell, turns };
    std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| writer.work(jobs, &failure)));
        if ended.is_err() {
            std::process::abort();
        }
    })
}

/// What the thread tells others.
pub(super) struct Signals {
    /// Set when nothing can be acknowledged any more.
    pub failure: watch::Sender<bool>,
    /// Rung when there is work for delivery.
    pub bell: Arc<Bell>,
    /// What was done on a server.
    pub turns: Arc<Mutex<Turns>>,
}

/// What the writer has done on a server since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Batches that were committed.
    pub batches: u64,
    /// Commands in them.
    pub commands: u64,
    /// How often the writer waited for the server.
    pub trips: u64,
}

struct Writer {
    conn: Conn,
    /// On a server.
    seat: Option<Seat>,
    /// On a server, unless every command is to ask and write by itself.
    desk: Option<RefCell<Desk>>,
    /// What a command has read ahead of itself, beside the desk.
    ahead: RefCell<Ahead>,
    clock: Clock,
    /// The latest instant handed out: time never runs backwards here.
    last: Timestamp,
    /// What the commands of this transaction make of counts, figures and the house's balances.
    sums: RefCell<Sums>,
    bell: Arc<Bell>,
    turns: Arc<Mutex<Turns>>,
}

/// Whether the queue may hold more.
struct More(bool);

/// A fault after which nothing may be acknowledged.
struct Fatal;

impl Writer {
    fn work(mut self, jobs: mpsc::Receiver<Queued>, failure: &watch::Sender<bool>) {
        let mut is_open = true;
        while is_open && let Some(first) = self.next(&jobs) {
            if self.seat.is_some() {
                is_open = self.turn(first, &jobs).0;
                continue;
            }
            match self.batch(first, &jobs) {
                Ok(More(more)) => is_open = more,
                Err(Fatal) => {
                    failure.send_replace(true);
                    return;
                }
            }
        }
        if let Conn::Pg(wire) = &self.conn {
            self.leave(wire);
        }
        // Everything is committed already; an empty WAL only makes the next start quicker.
        if let Err(error) = self.conn.checkpoint() {
            tracing::warn!(%error, "the last checkpoint failed");
        }
    }

    /// The next job; `None` where there is none to come. While it waits, a node shows others that
    /// it is alive.
    fn next(&mut self, jobs: &mpsc::Receiver<Queued>) -> Option<Box<dyn Job>> {
        loop {
            let queued = match &self.seat {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(_) => jobs.recv_timeout(seat::TICK),
            };
            match queued {
                Ok(Queued::Job(job)) => return Some(job),
                Ok(Queued::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.settle(Vec::new()),
            }
        }
    }

    /// Runs what waits in one transaction, commits, answers.
    fn batch(
        &mut self,
        first: Box<dyn Job>,
        jobs: &mpsc::Receiver<Queued>,
    ) -> std::result::Result<More, Fatal> {
        if let Err(error) = self.begin() {
            // Another process holds the file, and has for a long time: nobody waits for it twice.
            let mut more = More(true);
            let mut waiting = vec![first];
            while let Ok(queued) = jobs.try_recv() {
                match queued {
                    Queued::Job(job) => waiting.push(job),
                    Queued::Stop => more = More(false),
                }
            }
            return answer_all(waiting, &error).map(|()| more);
        }
        let mut more = More(true);
        let mut batch = Vec::with_capacity(16);
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            let is_clean = self.run(job.as_mut());
            batch.push(job);
            if !is_clean {
                return self.one_by_one(batch).map(|()| more);
            }
            if batch.len() < BATCH_MAX {
                match jobs.try_recv() {
                    Ok(Queued::Job(job)) => next = Some(job),
                    Ok(Queued::Stop) => more = More(false),
                    Err(_) => {}
                }
            }
        }
        match self.commit() {
            Ok(()) => {
                batch.into_iter().for_each(Job::answer);
                Ok(more)
            }
            Err(error) => answer_all(batch, &error).map(|()| more),
        }
    }

    /// After a failed statement: each command once more, in a transaction of its own.
    fn one_by_one(&mut self, batch: Vec<Box<dyn Job>>) -> std::result::Result<(), Fatal> {
        if let Some(error) = fatal_error(&batch) {
            return answer_all(batch, &error);
        }
        self.roll_back();
        let mut jobs = batch.into_iter();
        while let Some(mut job) = jobs.next() {
            let done = self.begin().and_then(|()| {
                if self.run(job.as_mut()) {
                    return self.commit();
                }
                self.roll_back();
                job.error().cloned().map_or(Ok(()), Err)
            });
            let Err(error) = done else {
                job.answer();
                continue;
            };
            tracing::error!(%error, "a command failed and was rolled back");
            if error.is_fatal() {
                let rest = std::iter::once(job).chain(jobs).collect();
                return answer_all(rest, &error);
            }
            job.fail(&error);
            job.answer();
        }
        Ok(())
    }

    /// Runs one command. False where the transaction holds something that must not be committed.
    fn run(&mut self, job: &mut dyn Job) -> bool {
        self.last = self.last.max(self.clock.now());
        let changes = self.changes();
        job.run(&self.tx());
        match job.error() {
            None => true,
            Some(Error::Refused(refusal)) => {
                let has_written = self.changes() != changes;
                debug_assert!(!has_written, "refused after a write: {refusal}");
                !has_written
            }
            Some(Error::Busy | Error::DiskFull | Error::Storage(_)) => false,
        }
    }

    fn tx(&self) -> Tx<'_> {
        let tx = Tx::new(&self.conn, self.last, &self.sums);
        match &self.desk {
            None => tx,
            Some(desk) => tx.with_desk(desk, &self.ahead),
        }
    }

    /// How many rows were ever written, or laid down to be.
    fn changes(&self) -> u64 {
        self.conn.changes() + self.desk.as_ref().map_or(0, |desk| desk.borrow().changes())
    }

    fn begin(&self) -> Result<()> {
        self.conn.run("BEGIN IMMEDIATE")
    }

    fn commit(&self) -> Result<()> {
        let has_work = self.sums.borrow().has_work;
        let written = self.write_sums();
        let Err(error) = written.and_then(|()| self.conn.run("COMMIT")) else {
            if has_work {
                self.bell.ring();
            }
            return Ok(());
        };
        self.roll_back();
        match error {
            Error::DiskFull => Err(Error::DiskFull),
            Error::Refused(_) | Error::Busy | Error::Storage(_) => Err(error.into_fatal()),
        }
    }

    fn roll_back(&self) {
        self.sums.take();
        self.clear_desk();
        self.conn.roll_back();
    }

    /// Nothing that was fetched or waits is of the next transaction.
    fn clear_desk(&self) {
        if let Some(desk) = &self.desk {
            desk.borrow_mut().clear();
        }
        self.ahead.borrow_mut().forget();
    }

    /// Writes what the commands of the transaction have added up.
    fn write_sums(&self) -> Result<()> {
        let tx = self.tx();
        let sums = self.sums.take();
        for (status, by) in sums.counted() {
            orders::write_count(&tx, status, by)?;
        }
        for (account, balance) in sums.all_held() {
            accounts::write_balance(&tx, account, balance)?;
        }
        figures::write(&tx, sums.slot_at, &sums.figures)
    }
}

fn fatal_error(batch: &[Box<dyn Job>]) -> Option<Error> {
    batch.iter().find_map(|job| job.error().filter(|error| error.is_fatal()).cloned())
}

/// Nobody in the batch gets anything but the error.
fn answer_all(batch: Vec<Box<dyn Job>>, error: &Error) -> std::result::Result<(), Fatal> {
    tracing::error!(%error, commands = batch.len(), "a batch was not committed");
    for mut job in batch {
        job.fail(error);
        job.answer();
    }
    if error.is_fatal() { Err(Fatal) } else { Ok(()) }
}
