//! `Read` and `Tx`: what the SQL files are written against, and the door to the engine.
//!
//! `fn find(db: &Read, …)` serves pages and commands alike, since a `Tx` is a `Read` too;
//! `fn insert(tx: &Tx, …)` cannot be called from a page. Statements are cached by their text. What
//! goes in and comes out is in `value.rs`.

use std::cell::RefCell;
use std::ops::Deref;

use r2d2::ManageConnection;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, ErrorCode, Statement};

use super::sums::Sums;
use super::value::{List, Params, Row, RowError, RowResult, ToValue, params};
use super::{Error, Fault, Result};
use crate::domain::Timestamp;

/// A connection to the engine that holds the panel.
pub(super) enum Conn {
    Lite(Connection),
}

impl Conn {
    /// Runs a statement that has no parameters and returns nothing.
    pub(super) fn run(&self, sql: &str) -> Result<()> {
        let Self::Lite(conn) = self;
        conn.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    /// Runs statements, one after the other.
    pub(super) fn run_all(&self, sql: &str) -> Result<()> {
        let Self::Lite(conn) = self;
        Ok(conn.execute_batch(sql)?)
    }

    /// How many rows this connection has ever written.
    pub(super) fn changes(&self) -> u64 {
        let Self::Lite(conn) = self;
        conn.total_changes()
    }

    /// Whether a transaction is open.
    pub(super) fn is_in_transaction(&self) -> bool {
        let Self::Lite(conn) = self;
        !conn.is_autocommit()
    }

    /// Empties the WAL, as far as readers let it.
    pub(super) fn checkpoint(&self) -> Result<()> {
        let Self::Lite(conn) = self;
        Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

/// Opens the connections of a pool.
pub(super) struct Manager(pub(super) SqliteConnectionManager);

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = rusqlite::Error;

    fn connect(&self) -> rusqlite::Result<Conn> {
        self.0.connect().map(Conn::Lite)
    }

    fn is_valid(&self, conn: &mut Conn) -> rusqlite::Result<()> {
        let Conn::Lite(conn) = conn;
        self.0.is_valid(conn)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        let Conn::Lite(conn) = conn;
        self.0.has_broken(conn)
    }
}

/// A look at the database from one moment.
pub struct Read<'c> {
    conn: &'c Conn,
}

/// What the file holds at one moment, and the versions that tell whether what is remembered of it
/// still holds.
pub struct Point<'c> {
    read: Read<'c>,
    pub versions: Versions,
}

/// Numbers that move with every change, by whichever process, of what they stand for. They are
/// compared for equality and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Services, categories, custom rates and discounts.
    pub catalogue: i64,
    /// Keys, and what their holders may do and see.
    pub callers: i64,
}

/// A transaction that may write. Everything in it happens at `now`.
pub struct Tx<'c> {
    read: Read<'c>,
    /// The instant of everything that the command writes.
    pub now: Timestamp,
    pub(super) source: Source,
    /// What is written once for all commands of the transaction.
    pub(super) sums: &'c RefCell<Sums>,
}

/// The request that a change came by, for the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub address: String,
    /// The request's id, as in the log.
    pub request: String,
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c Conn, now: Timestamp, sums: &'c RefCell<Sums>) -> Self {
        Self { read: Read { conn }, now, source: Source::default(), sums }
    }

    /// The same transaction, for what came by that request.
    pub(super) fn with_source(&self, source: Source) -> Tx<'c> {
        Tx { read: Read { conn: self.read.conn }, now: self.now, source, sums: self.sums }
    }

    /// The same transaction at an earlier instant: for a past that is made up.
    pub fn at(&self, now: Timestamp) -> Tx<'c> {
        Tx {
            read: Read { conn: self.read.conn },
            now: now.min(self.now),
            source: self.source.clone(),
            sums: self.sums,
        }
    }

    /// Runs an `INSERT` of one row; says the number the row was given. To ask for it by `RETURNING`
    /// would cost a temporary table each time.
    pub(super) fn insert(&self, sql: &str, params: impl Params) -> Result<i64> {
        self.execute(sql, params)?;
        let Conn::Lite(conn) = self.read.conn;
        Ok(conn.last_insert_rowid())
    }

    /// Runs a statement that returns nothing; says how many rows it touched.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        let Conn::Lite(conn) = self.read.conn;
        let mut statement = conn.prepare_cached(sql)?;
        bind(&mut statement, params.list())?;
        Ok(statement.raw_execute()?)
    }
}

impl<'c> Deref for Point<'c> {
    type Target = Read<'c>;

    fn deref(&self) -> &Read<'c> {
        &self.read
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Read<'c>;

    fn deref(&self) -> &Read<'c> {
        &self.read
    }
}

impl Read<'_> {
    /// The row, if there is one.
    pub(super) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> RowResult<T>,
    ) -> Result<Option<T>> {
        let Conn::Lite(conn) = self.conn;
        let mut statement = conn.prepare_cached(sql)?;
        bind(&mut statement, params.list())?;
        let mut rows = statement.raw_query();
        match rows.next()? {
            Some(row) => Ok(Some(map(&Row::Lite(row))?)),
            None => Ok(None),
        }
    }

    /// The row, which must be there.
    pub(super) fn get<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> RowResult<T>,
    ) -> Result<T> {
        self.find(sql, params, map)?.ok_or_else(|| Error::fault("a row that must exist does not"))
    }

    /// All rows. The statement bounds how many.
    pub(super) fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut map: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.for_each(sql, params, |row| {
            found.push(map(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// For each key, which is the statement's one parameter, the row, if there is one; in the order
    /// of the keys.
    pub(super) fn find_each<K: ToValue, T>(
        &self,
        sql: &str,
        keys: &[K],
        map: impl Fn(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<Option<T>>> {
        keys.iter().map(|key| self.find(sql, params![*key], &map)).collect()
    }

    /// For each key the row, which must be there; in the order of the keys.
    pub(super) fn get_each<K: ToValue, T>(
        &self,
        sql: &str,
        keys: &[K],
        map: impl Fn(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>> {
        keys.iter().map(|key| self.get(sql, params![*key], &map)).collect()
    }

    /// Hands every row to `each` as it comes, keeping none of them.
    pub(super) fn for_each(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let Conn::Lite(conn) = self.conn;
        let mut statement = conn.prepare_cached(sql)?;
        bind(&mut statement, params.list())?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            each(&Row::Lite(row))?;
        }
        Ok(())
    }
}

/// Gives a statement its parameters, all of them.
fn bind(statement: &mut Statement<'_>, params: List<'_>) -> rusqlite::Result<()> {
    if params.len() != statement.parameter_count() {
        let wanted = statement.parameter_count();
        return Err(rusqlite::Error::InvalidParameterCount(params.len(), wanted));
    }
    for (number, param) in (1..).zip(params) {
        statement.raw_bind_parameter::<usize, _>(number, param.value())?;
    }
    Ok(())
}

/// Runs `read` on what the file holds at one moment. As long as the first statement is not through
/// with its rows, SQLite shows all others the moment that it saw. However `read` ends, that ends.
pub(super) fn read<T>(conn: &Conn, read: impl FnOnce(&Point<'_>) -> Result<T>) -> Result<T> {
    let Conn::Lite(lite) = conn;
    let mut statement = lite.prepare_cached("SELECT catalogue, callers FROM versions")?;
    let mut rows = statement.raw_query();
    let row = rows.next()?.ok_or_else(|| Error::fault("the file has no versions"))?;
    let versions = Versions { catalogue: row.get(0)?, callers: row.get(1)? };
    read(&Point { read: Read { conn }, versions })
}

/// Runs `read` on what a file holds at one moment, without trusting its contents. The connection is
/// good for nothing else afterwards.
pub(super) fn read_untrusted<T>(
    conn: &Conn,
    read: impl FnOnce(&Read<'_>) -> Result<T>,
) -> Result<T> {
    conn.run("BEGIN")?;
    read(&Read { conn })
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
        Self::Storage(Fault { is_fatal, text: error.to_string().into() })
    }
}

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Lite(error) => error.into(),
            RowError::Column(text) => Self::fault(&text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::super::{Error, Missing, schema};
    use super::*;

    #[test]
    fn a_read_sees_one_moment_and_ends_however_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        let writer = schema::open_writer(&path, Missing::Create).unwrap();
        writer.busy_timeout(std::time::Duration::ZERO).unwrap(); // is told at once
        let reader = Conn::Lite(schema::open_reader(&path).unwrap());
        let version = |db: &Point<'_>| -> Result<i64> {
            db.get("SELECT callers FROM versions WHERE id = 1", [], |row| row.get(0))
        };
        let is_idle = || {
            let (busy, log, done): (i64, i64, i64) = writer
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.try_into())
                .unwrap();
            busy == 0 && log == done
        };
        let seen = read(&reader, |db| {
            let before = version(db)?;
            writer.execute("UPDATE versions SET callers = callers + 1", [])?;
            assert_eq!((version(db)?, db.versions.callers), (before, before));
            assert!(!is_idle());
            Ok(before)
        });
        assert_eq!(read(&reader, version).unwrap(), seen.unwrap() + 1);
        assert!(is_idle());

        let panics = || read::<()>(&reader, |_| panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert!(is_idle());
        assert!(read::<()>(&reader, |_| Err(Error::Busy)).is_err());
        assert!(is_idle());
    }
}
