//! The seat: one row of the server that whoever writes has to lock first, so that the nodes take
//! turns as processes do with a file. What is right under a file's lock is right here.
//!
//! Each turn is also written into the node's own row, in the same transaction. Where the answer to
//! a COMMIT is lost with the connection, that row says afterwards what became of it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::instant;
use crate::domain::Timestamp;
use crate::store::pg::{Wire, WireRow};
use crate::store::place::Dsn;
use crate::store::pool::Down;
use crate::store::value::{Due, List, Row, params};
use crate::store::{Error, Result};

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const TAKE: &str = "UPDATE seat SET turn = turn + 1 WHERE id = 1 RETURNING last_at, turn";
const LEAVE: &str = "UPDATE seat SET last_at = $1 WHERE id = 1";
const SIGN: &str = "INSERT INTO nodes (id, turn, seen_at) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, seen_at = excluded.seen_at";
/// Waits until the connection that held the seat has ended, one way or the other.
const WAIT: &str = "SELECT turn FROM seat WHERE id = 1 FOR UPDATE";
const SIGNED: &str = "SELECT turn FROM nodes WHERE id = $1";
/// Nodes that have been silent for a week are gone, and this one goes now.
const FORGET: &str = "DELETE FROM nodes WHERE id = $1 OR seen_at < $2";
const SILENT_SECONDS: i64 = 7 * 24 * 3600;
/// How long a node may be silent.
pub(super) const TICK: Duration = Duration::from_secs(10);

/// Whether the commands of a batch ask and write together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Batching {
    /// In two trips for all of them.
    Desk,
    /// Each by itself.
    Apart,
}

/// This process among those that write to a database.
pub(in crate::store) struct Seat {
    dsn: Dsn,
    /// What the connections of reads know of the server.
    down: Arc<Down>,
    node: i64,
    /// The turn of the transaction that is open.
    turn: i64,
    /// Whether its COMMIT was sent and not answered.
    is_unsure: bool,
    /// When it last showed the others that it is alive.
    signed: Option<Instant>,
    has_desk: bool,
}

impl Seat {
    /// Takes a number for this process.
    pub(in crate::store) fn new(dsn: Dsn, batching: Batching, down: Arc<Down>) -> io::Result<Self> {
        let has_desk = batching == Batching::Desk;
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let node = i64::from_le_bytes(bytes);
        Ok(Self { dsn, down, node, turn: 0, is_unsure: false, signed: None, has_desk })
    }

    /// Whether the commands of a batch share what they fetch and write.
    pub(super) fn has_desk(&self) -> bool {
        self.has_desk
    }

    /// Begins a transaction that may write, when it is this node's turn, and asks what is asked
    /// then. Says when the latest of the others was.
    pub(super) fn take(
        &mut self,
        wire: &Wire,
        asked: &[Due],
    ) -> Result<(Timestamp, Vec<Vec<WireRow>>)> {
        self.is_unsure = false;
        wire.set_node(self.node);
        let lists: Vec<_> = asked.iter().map(Due::params).collect();
        let asked = asked.iter().zip(&lists).map(|(due, list)| (&*due.sql, &list[..]));
        let list: Vec<(&str, List<'_>)> =
            [(TAKE, &[] as List<'_>)].into_iter().chain(asked).collect();
        let mut answers = wire.pipeline(Some(BEGIN), &list, None)?;
        let taken = answers.remove(0);
        let row = taken.first().map(Row::Pg);
        let row = row.ok_or_else(|| Error::fault("the database has no seat"))?;
        self.turn = row.get(1)?;
        Ok((row.get(0)?, answers))
    }

    /// Writes what waits and commits the transaction.
    pub(super) fn leave(&mut self, wire: &Wire, due: &[Due], last: Timestamp) -> Result<()> {
        let left: List<'_> = params![last];
        let signed: List<'_> = params![self.node, self.turn, last];
        self.is_unsure = true;
        let lists: Vec<_> = due.iter().map(Due::params).collect();
        let due = due.iter().zip(&lists).map(|(due, list)| (&*due.sql, &list[..]));
        let list: Vec<(&str, List<'_>)> = due.chain([(LEAVE, left), (SIGN, signed)]).collect();
        let done = wire.pipeline(None, &list, Some("COMMIT"));
        // Whatever the server answered, it is known.
        self.is_unsure = done.is_err() && wire.is_lost();
        if done.is_ok() {
            self.signed = Some(instant());
        }
        done.map(drop)
    }

    /// Whether the others have to be shown again that this node is alive, although it has written
    /// nothing.
    pub(super) fn is_to_sign(&self) -> bool {
        self.signed.is_none_or(|signed| signed.elapsed() >= TICK)
    }

    /// Whether a COMMIT was sent that nobody knows the end of.
    pub(super) fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// Connects anew, and says whether the transaction that was open was committed.
    pub(super) fn find_out(&self) -> Result<(Wire, bool)> {
        let wire = Wire::connect(&self.dsn)?;
        self.down.lose(wire.made_at()); // it may be another server's now
        let signed = params![self.node];
        let list: [(&str, List<'_>); 2] = [(WAIT, &[]), (SIGNED, signed)];
        let answers = wire.pipeline(Some(BEGIN), &list, Some("COMMIT"))?;
        let row = answers.get(1).and_then(|rows| rows.first()).map(Row::Pg);
        let signed: Option<i64> = row.map(|row| row.get(0)).transpose()?;
        Ok((wire, self.is_unsure && signed == Some(self.turn)))
    }

    /// Takes the node's name off the list, as far as the server is there to do so.
    pub(super) fn give_up(&self, wire: &Wire, last: Timestamp) {
        let silent = Timestamp(last.0 - SILENT_SECONDS);
        if let Err(error) = wire.execute(FORGET, params![self.node, silent]) {
            tracing::warn!(%error, "this node stays on the list of nodes");
        }
    }
}
