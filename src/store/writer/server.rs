//! The writer on a server: the same batches, under the seat.
//!
//! A connection that is lost is made anew, and then either the batch was committed or it is run
//! again: nobody is told anything before it is known. Only where the server stays away for longer
//! than [`GONE`] is the outcome unknown, for those whose COMMIT had been sent.

use std::sync::{PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::{BATCH_MAX, Job, More, Queued, Seat, Writer, fetch};
use crate::clock::instant;
use crate::domain::Timestamp;
use crate::store::conn::Conn;
use crate::store::desk::Wants;
use crate::store::error::FaultKind;
use crate::store::pg::Wire;
use crate::store::{Error, Result};

/// How long a lost connection is tried to be made anew before callers are told.
const GONE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);
/// How often a batch is tried again that the server has given up.
const TRIES_MAX: u32 = 3;
/// How often one is tried that the connection does not survive.
const LOST_MAX: u32 = 8;
/// A time of another node's that is further ahead of our clock is not believed.
const AHEAD_MAX_SECONDS: i64 = 60;

/// What became of one try.
enum Ended {
    Committed,
    /// Nothing was begun, since others are at work.
    Kept(Error),
    /// A command was refused after it had written; nothing was kept.
    Unfit,
    Failed(Error),
}

/// What became of what was under way when the connection was lost.
enum Found {
    Committed,
    Undone,
    /// The server does not come back.
    Nothing,
}

impl Writer {
    /// Runs what waits as one turn, and answers.
    pub(super) fn turn(&mut self, first: Box<dyn Job>, jobs: &mpsc::Receiver<Queued>) -> More {
        let mut batch = vec![first];
        let mut more = More(true);
        while batch.len() < BATCH_MAX && more.0 {
            match jobs.try_recv() {
                Ok(Queued::Job(job)) => batch.push(job),
                Ok(Queued::Stop) => more = More(false),
                Err(_) => break,
            }
        }
        self.settle(batch);
        more
    }

    /// Runs commands until it is known what became of them, and answers. None at all is a sign of
    /// life.
    pub(super) fn settle(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let begun = instant();
        let (mut tries, mut losses) = (0, 0);
        let error = loop {
            match self.attempt(&mut batch) {
                Ended::Committed => return batch.into_iter().for_each(Job::answer),
                Ended::Kept(error) => return fail_all(batch, &error),
                Ended::Unfit => break None,
                Ended::Failed(error) if error.is_of_kind(FaultKind::Lost) => {
                    losses += 1;
                    match self.find_out(begun) {
                        Found::Committed => {
                            self.bell.ring(); // there may be work
                            return batch.into_iter().for_each(Job::answer);
                        }
                        Found::Undone if losses < LOST_MAX => {}
                        Found::Undone => break Some(error),
                        Found::Nothing => return self.give_up_on(batch, &error),
                    }
                }
                Ended::Failed(error) if error.is_of_kind(FaultKind::Again) => {
                    tries += 1;
                    if tries == TRIES_MAX {
                        break Some(error);
                    }
                }
                Ended::Failed(error) => break Some(error),
            }
        };
        if batch.len() > 1 {
            // Only the guilty one gets the error.
            return batch.into_iter().for_each(|job| self.settle(vec![job]));
        }
        match error {
            Some(error) => fail_all(batch, &error),
            None => batch.into_iter().for_each(Job::answer),
        }
    }

    /// Runs the commands in one transaction.
    fn attempt(&mut self, batch: &mut [Box<dyn Job>]) -> Ended {
        let trips = self.conn.trips();
        if let Err(error) = self.take_seat(batch) {
            self.roll_back();
            return match error {
                Error::Busy => Ended::Kept(error),
                Error::DiskFull | Error::Refused(_) | Error::Storage(_) => Ended::Failed(error),
            };
        }
        let changes = self.changes();
        for at in 0..batch.len() {
            if let Err(error) = self.look_again(&batch[at..]) {
                self.roll_back();
                return Ended::Failed(error);
            }
            let job = &mut batch[at];
            if !self.run(job.as_mut()) {
                self.roll_back();
                return match job.error() {
                    None | Some(Error::Refused(_)) => Ended::Unfit,
                    Some(error) => Ended::Failed(error.clone()),
                };
            }
        }
        let has_work = self.sums.borrow().has_work;
        let commands = batch.len();
        let is_idle = self.changes() == changes && self.sums.borrow().is_empty();
        let is_to_sign = self.seat.as_ref().is_none_or(Seat::is_to_sign);
        // That an order was bought before is as good an answer as that it is bought: only what is
        // committed behind it proves that it is on the standby too.
        if is_idle && !is_to_sign && !wants(batch).names_requests() {
            self.roll_back();
        } else if let Err(error) = self.write_sums().and_then(|()| self.leave_seat()) {
            self.roll_back();
            return Ended::Failed(error);
        }
        self.count(commands, trips);
        if has_work {
            self.bell.ring();
        }
        Ended::Committed
    }

    /// Counts a turn that began after so many trips.
    fn count(&self, commands: usize, trips: u64) {
        if commands == 0 {
            return; // a sign of life
        }
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.batches += 1;
        turns.commands += u64::try_from(commands).unwrap_or_default();
        turns.trips += self.conn.trips() - trips;
    }

    /// Takes the seat, and fetches what the commands are going to look at.
    fn take_seat(&mut self, batch: &[Box<dyn Job>]) -> Result<()> {
        let (Conn::Pg(wire), Some(seat)) = (&self.conn, &mut self.seat) else { return Ok(()) };
        let wants = wants(batch);
        let asked = self.desk.as_ref().map(|_| fetch::statements(&wants)).unwrap_or_default();
        let (theirs, answers) = seat.take(wire, &asked)?;
        if let Some(desk) = &self.desk {
            desk.borrow_mut().learn(fetch::known(&wants, answers)?);
            desk.borrow_mut().set_whole();
        }
        let now = self.clock.now();
        self.last = self.last.max(now);
        if theirs.0 <= now.0.saturating_add(AHEAD_MAX_SECONDS) {
            self.last = self.last.max(theirs);
        }
        Ok(())
    }

    fn leave_seat(&mut self) -> Result<()> {
        let (Conn::Pg(wire), Some(seat)) = (&self.conn, &mut self.seat) else { return Ok(()) };
        let due = self.desk.as_ref().map(|desk| desk.borrow_mut().drain()).unwrap_or_default();
        seat.leave(wire, &due, self.last)?;
        self.clear_desk();
        Ok(())
    }

    /// Fetches for the commands that are left what an earlier one made the desk forget, if the
    /// next one looks at it.
    fn look_again(&self, left: &[Box<dyn Job>]) -> Result<()> {
        let Some(desk) = &self.desk else { return Ok(()) };
        if desk.borrow().is_whole() || left.first().is_none_or(|next| wants_nothing(&**next)) {
            return Ok(());
        }
        self.tx().fetch(&wants(left))?;
        desk.borrow_mut().set_whole();
        Ok(())
    }

    /// Connects anew, for as long as it takes but not longer than callers wait.
    fn find_out(&mut self, begun: Instant) -> Found {
        let mut is_told = false;
        loop {
            let Some(seat) = &self.seat else { return Found::Nothing };
            match seat.find_out() {
                Ok((wire, is_committed)) => {
                    tracing::info!(is_committed, "connected to the database anew");
                    self.conn = Conn::Pg(wire);
                    return if is_committed { Found::Committed } else { Found::Undone };
                }
                Err(error) if is_told => tracing::debug!(%error, "the database is not there"),
                Err(error) => tracing::warn!(%error, "the database is not there"),
            }
            is_told = true;
            if begun.elapsed() >= GONE {
                return Found::Nothing;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn give_up_on(&self, batch: Vec<Box<dyn Job>>, error: &Error) {
        match self.seat.as_ref().is_some_and(Seat::is_unsure) {
            true => fail_all(batch, error),
            false => fail_all(batch, &Error::Busy),
        }
    }

    /// What is left to be done on a server when nothing more is to be written.
    pub(super) fn leave(&self, wire: &Wire) {
        if let Some(seat) = &self.seat
            && !wire.is_lost()
        {
            seat.give_up(wire, self.last.max(Timestamp(0)));
        }
    }
}

/// What all of them are going to look at.
fn wants(batch: &[Box<dyn Job>]) -> Wants {
    let mut wants = Wants::default();
    batch.iter().for_each(|job| job.wants(&mut wants));
    wants
}

fn wants_nothing(job: &dyn Job) -> bool {
    let mut wants = Wants::default();
    job.wants(&mut wants);
    wants.is_empty()
}

fn fail_all(batch: Vec<Box<dyn Job>>, error: &Error) {
    tracing::error!(%error, commands = batch.len(), "a batch was not committed");
    for mut job in batch {
        job.fail(error);
        job.answer();
    }
}
