//! A connection to either engine, and what is the same about both.

use rusqlite::{Connection, ErrorCode, Statement};

use super::error::FaultKind;
use super::pg::Wire;
use super::value::{List, Row, RowResult};
use super::{Error, Result};

/// A connection to the engine that holds the panel.
pub(super) enum Conn {
    Lite(Connection),
    Pg(Wire),
}

impl Conn {
    /// Runs a statement that has no parameters and returns nothing.
    pub(super) fn run(&self, sql: &str) -> Result<()> {
        match self {
            Self::Lite(conn) => conn.prepare_cached(sql)?.raw_execute().map(drop)?,
            Self::Pg(wire) => wire.run_all(sql)?,
        }
        Ok(())
    }

    /// Runs statements, one after the other.
    pub(super) fn run_all(&self, sql: &str) -> Result<()> {
        match self {
            Self::Lite(conn) => Ok(conn.execute_batch(sql)?),
            Self::Pg(wire) => wire.run_all(sql),
        }
    }

    /// How many rows this connection has ever written.
    pub(super) fn changes(&self) -> u64 {
        match self {
            Self::Lite(conn) => conn.total_changes(),
            Self::Pg(wire) => wire.changes(),
        }
    }

    /// How often it has waited for a server.
    pub(super) fn trips(&self) -> u64 {
        match self {
            Self::Lite(_) => 0,
            Self::Pg(wire) => wire.trips(),
        }
    }

    /// Ends the transaction without a trace, if one is open. SQLite has done so by itself after
    /// some errors, a server when the connection was lost.
    pub(super) fn roll_back(&self) {
        let is_open = match self {
            Self::Lite(conn) => !conn.is_autocommit(),
            Self::Pg(wire) => !wire.is_lost(),
        };
        if is_open && let Err(error) = self.run("ROLLBACK") {
            tracing::error!(%error, "rollback failed");
        }
    }

    /// Empties the WAL, as far as readers let it. A server looks after its own.
    pub(super) fn checkpoint(&self) -> Result<()> {
        match self {
            Self::Lite(conn) => {
                Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
            }
            Self::Pg(_) => Ok(()),
        }
    }
}

/// Gives a statement its parameters, all of them.
pub(super) fn bind(statement: &mut Statement<'_>, params: List<'_>) -> rusqlite::Result<()> {
    if params.len() != statement.parameter_count() {
        let wanted = statement.parameter_count();
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), wanted));
    }
    for (number, param) in (1..).zip(params) {
        statement.raw_bind_parameter::<usize, _>(number, param.value())?;
    }
    Ok(())
}

/// The first row that a statement finds, if there is one.
pub(super) fn first_row<T>(
    statement: &mut Statement<'_>,
    params: List<'_>,
    map: impl FnOnce(&Row<'_>) -> RowResult<T>,
) -> Result<Option<T>> {
    bind(statement, params)?;
    let mut rows = statement.raw_query();
    Ok(rows.next()?.map(|row| map(&Row::Lite(row))).transpose()?)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        if matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
            return Self::Busy;
        }
        if matches!(code, Some(ErrorCode::DiskFull)) {
            return Self::DiskFull;
        }
        let is_fatal = matches!(
            code,
            Some(
                ErrorCode::SystemIoFailure
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ReadOnly
            )
        );
        let kind = if is_fatal { FaultKind::Fatal } else { FaultKind::Plain };
        Self::of_kind(kind, &error.to_string())
    }
}
