//! Where a panel is moved from: open to be read, and closed to everybody else who writes.

use std::fs::File;
use std::path::Path;

use super::{MoveError, Result};
use crate::clock::Clock;
use crate::store::conn::Conn;
use crate::store::pg::Wire;
use crate::store::place::{Dsn, Place};
use crate::store::value::{Row, params};
use crate::store::{Missing, Read, opening, schema, upgrade};

/// Everything is read from one moment, and whoever wants to write waits until this ends. Whoever
/// writes to a server needs a row of the seat's.
const HOLD: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE seat IN EXCLUSIVE MODE";
/// Nodes give a sign of life every ten seconds.
const ALIVE_SECONDS: i64 = 30;
const ALIVE: &str = "SELECT count(*) FROM nodes WHERE seen_at > $1";

/// A panel that nobody changes.
pub(super) struct Source {
    conn: Conn,
    /// What a file's server would hold.
    _lock: Option<File>,
}

impl Source {
    /// Takes the place of whoever writes there.
    pub(super) fn hold(place: &Place) -> Result<Self> {
        match place {
            Place::File(path) => Self::hold_file(path),
            Place::Server(dsn) => Self::hold_server(dsn),
        }
    }

    /// What it holds.
    pub(super) fn look(&self) -> Read<'_> {
        self.conn.look()
    }

    fn hold_file(path: &Path) -> Result<Self> {
        schema::look_at(path)?;
        let lock = schema::lock(path)?;
        let conn = upgrade::open_writer(path, Missing::Refuse, Some(&lock))?;
        // Commands write without the lock.
        conn.run("BEGIN IMMEDIATE")?;
        Ok(Self { conn, _lock: Some(lock) })
    }

    fn hold_server(dsn: &Dsn) -> Result<Self> {
        let wire = opening::open(dsn, Missing::Refuse, &Clock::System)?;
        wire.be_patient()?;
        let alive = alive(&wire)?;
        if alive > 0 {
            return Err(MoveError::InUse(Place::Server(dsn.clone()), alive));
        }
        wire.run_all(HOLD)?;
        Ok(Self { conn: Conn::Pg(wire), _lock: None })
    }
}

/// How many processes have written to a database just now and not said that they have ended.
fn alive(wire: &Wire) -> Result<i64> {
    let since = Clock::System.now().0 - ALIVE_SECONDS;
    let rows = wire.query(ALIVE, params![since]).map_err(MoveError::Store)?;
    let alive = rows.first().map(|row| Row::Pg(row).get(0)).transpose();
    Ok(alive.map_err(crate::store::Error::from)?.unwrap_or(0))
}
