//! `Read` and `Tx`: what the SQL files are written against, and the door to the engine.
//!
//! `fn find(db: &Read, …)` serves pages and commands alike, since a `Tx` is a `Read` too;
//! `fn insert(tx: &Tx, …)` cannot be called from a page. Statements are cached by their text. What
//! goes in and comes out is in `value/mod.rs`.

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;

use super::ahead::Ahead;
use super::conn::{Conn, bind, first_row};
use super::desk::{self, Desk, What};
use super::pg::{self, Answered, Wire, WireRow};
use super::sums::Sums;
use super::value::{List, Param, Params, Row, RowError, RowResult, ToValue, params};
use super::{Error, Result};
use crate::domain::money::Money;
use crate::domain::{AccountId, OrderId, Timestamp};

/// A look at the database from one moment.
#[derive(Clone, Copy)]
pub struct Read<'c> {
    conn: &'c Conn,
    /// What was fetched before and what is to be written later, where a batch has that.
    desk: Option<&'c RefCell<Desk>>,
    /// What a look at a server knows already.
    pub(super) ahead: Option<&'c RefCell<Ahead>>,
}

/// What the file holds at one moment, and the versions that tell whether what is remembered of it
/// still holds.
pub struct Point<'c> {
    read: Read<'c>,
    versions: Cell<Option<Versions>>,
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
        Self { read: Read::bare(conn), now, source: Source::default(), sums }
    }

    /// The same transaction, as one of a batch that has a desk.
    pub(super) fn with_desk(self, desk: Option<&'c RefCell<Desk>>) -> Self {
        Self { read: Read { desk, ..self.read }, ..self }
    }

    /// The same transaction, for what came by that request.
    pub(super) fn with_source(&self, source: Source) -> Tx<'c> {
        Tx { read: self.read, now: self.now, source, sums: self.sums }
    }

    /// The same transaction at an earlier instant: for a past that is made up.
    pub fn at(&self, now: Timestamp) -> Tx<'c> {
        Tx { read: self.read, now: now.min(self.now), source: self.source.clone(), sums: self.sums }
    }

    /// Runs an `INSERT` of one row; says the `id` the row was given. For SQLite, to ask for it by
    /// `RETURNING` would cost a temporary table each time. Rows of some tables wait on the desk.
    pub(super) fn insert(&self, sql: &str, params: impl Params) -> Result<i64> {
        if let Conn::Lite(conn) = self.read.conn {
            self.execute(sql, params)?;
            return Ok(conn.last_insert_rowid());
        }
        if let Some(desk) = self.read.desk
            && let Some(id) = desk.borrow_mut().lay(sql, params.list())
        {
            return Ok(id);
        }
        let numbered = desk::is_numbered(sql).then(|| pg::numbered(sql)).flatten();
        let sql = numbered.unwrap_or_else(|| format!("{sql} RETURNING id"));
        self.get(&sql, params, |row| row.get(0))
    }

    /// Runs a statement that may wait until something else is asked or the batch is committed: an
    /// `INSERT` whose number nobody asks for, or what changes a table that nothing fetched looks
    /// at.
    pub(super) fn save(&self, sql: &str, params: impl Params) -> Result<()> {
        match self.read.desk {
            None => self.execute(sql, params).map(drop),
            Some(desk) => {
                desk.borrow_mut().save(sql, params.list());
                Ok(())
            }
        }
    }

    /// Runs a statement that returns nothing; says how many rows it touched.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        match self.read.conn {
            Conn::Lite(conn) => {
                let mut statement = conn.prepare_cached(sql)?;
                bind(&mut statement, params.list())?;
                Ok(statement.raw_execute()?)
            }
            Conn::Pg(wire) => {
                let touched = self.asked(wire, sql, params.list())?.touched;
                Ok(usize::try_from(touched).unwrap_or(usize::MAX))
            }
        }
    }

    /// Keeps on the desk what an account holds, and that its owner has bought. False where that is
    /// to be written at once.
    pub(super) fn hold(
        &self,
        account: AccountId,
        balance: Option<Money>,
        bought: Option<OrderId>,
    ) -> bool {
        self.read.desk.is_some_and(|desk| desk.borrow_mut().hold(account, balance, bought))
    }

    /// What was fetched by that key no longer holds.
    pub(super) fn forget_one(&self, what: What, key: List<'_>) {
        if let Some(desk) = self.read.desk {
            desk.borrow_mut().forget_one(what, key);
        }
    }
}

impl Conn {
    /// What the transaction that is open sees.
    pub(super) fn look(&self) -> Read<'_> {
        Read::bare(self)
    }
}

impl Point<'_> {
    /// The versions of what is read. Those of a file are read to begin with.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn versions(&self) -> Result<Versions> {
        if let Some(versions) = self.versions.get() {
            return Ok(versions);
        }
        let versions = self.get(VERSIONS, [], |row| row.versions())?;
        self.versions.set(Some(versions));
        Ok(versions)
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

impl<'c> Read<'c> {
    /// With nothing fetched before.
    const fn bare(conn: &'c Conn) -> Self {
        Self { conn, desk: None, ahead: None }
    }
}

impl Read<'_> {
    /// The server's connection, where the panel lives on one: for the few places where the
    /// engines differ in what they must be asked.
    pub(super) fn wire(&self) -> Option<&Wire> {
        match self.conn {
            Conn::Lite(_) => None,
            Conn::Pg(wire) => Some(wire),
        }
    }

    /// What a server answers. What waits is written before; if this changes anything, all that was
    /// fetched is forgotten.
    fn asked(&self, wire: &Wire, sql: &str, params: List<'_>) -> Result<Answered> {
        let Some(desk) = self.desk else { return wire.behind(&[], sql, params) };
        let due = desk.borrow_mut().drain();
        if !pg::only_reads(sql) {
            desk.borrow_mut().forget();
        }
        wire.behind(&due, sql, params)
    }

    /// The rows that a server finds, or has found before.
    fn rows(&self, wire: &Wire, sql: &str, params: List<'_>) -> Result<Rc<[WireRow]>> {
        if let Some(ahead) = self.ahead
            && let Some(known) = ahead.borrow_mut().recall(sql, params)?
        {
            return Ok(known);
        }
        Ok(self.asked(wire, sql, params)?.rows.into())
    }

    /// Writes what waits.
    fn settle(&self, wire: &Wire) -> Result<()> {
        let due = self.desk.map(|desk| desk.borrow_mut().drain()).unwrap_or_default();
        wire.write(&due).map(drop)
    }

    /// What was fetched by that key; `None` where it was not. `Some(None)`: there is no such row.
    pub(super) fn recall<T>(
        &self,
        what: What,
        key: List<'_>,
        map: impl FnOnce(&Row<'_>) -> RowResult<T>,
    ) -> Result<Option<Option<T>>> {
        let Some(desk) = self.desk else { return Ok(None) };
        let desk = desk.borrow();
        let Some(found) = desk.recall(what, key) else { return Ok(None) };
        Ok(Some(found.map(|row| map(&Row::Pg(row))).transpose()?))
    }

    /// What an account holds, if that was fetched: with all that the batch has changed.
    pub(super) fn held(&self, account: AccountId) -> Option<Money> {
        self.desk.and_then(|desk| desk.borrow().held(account))
    }

    /// The version of callers, as [`Versions`] has it.
    pub(super) fn callers(&self) -> Result<i64> {
        let known = self.desk.and_then(|desk| desk.borrow().callers());
        let ask = || self.get("SELECT callers FROM versions", [], |row| row.get(0));
        known.map_or_else(ask, Ok)
    }

    /// Runs a part of what is read, so that a fault in it does not spoil what follows.
    pub(super) fn apart(&self, read: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let Some(wire) = self.wire() else { return read(self) };
        wire.run_all("SAVEPOINT part")?;
        let done = read(self);
        wire.run_all(if done.is_ok() { "RELEASE part" } else { "ROLLBACK TO part" })?;
        done
    }

    /// The row, if there is one.
    pub(super) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> RowResult<T>,
    ) -> Result<Option<T>> {
        match self.conn {
            Conn::Lite(conn) => first_row(&mut *conn.prepare_cached(sql)?, params.list(), map),
            Conn::Pg(wire) => {
                let rows = self.rows(wire, sql, params.list())?;
                Ok(rows.first().map(|row| map(&Row::Pg(row))).transpose()?)
            }
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
        if let Conn::Pg(wire) = self.conn {
            let rows = self.rows(wire, sql, params.list())?;
            return Ok(rows.iter().map(|row| map(&Row::Pg(row))).collect::<RowResult<_>>()?);
        }
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
        let wire = match self.conn {
            Conn::Lite(conn) => {
                let mut statement = conn.prepare_cached(sql)?;
                let find = |key: &K| first_row(&mut statement, params![*key], &map);
                return keys.iter().map(find).collect();
            }
            Conn::Pg(wire) => wire,
        };
        if self.ahead.is_some() {
            let rows = self.each(keys, |db, key| db.rows(wire, sql, params![*key]))?;
            let found = rows.iter().map(|rows| rows.first().map(|row| map(&Row::Pg(row))));
            return Ok(found.map(Option::transpose).collect::<RowResult<_>>()?);
        }
        self.settle(wire)?;
        let params: Vec<[&dyn Param; 1]> = keys.iter().map(|key| [key as &dyn Param]).collect();
        let list: Vec<(&str, List<'_>)> = params.iter().map(|key| (sql, &key[..])).collect();
        let mut found = Vec::with_capacity(keys.len());
        for rows in wire.pipeline(None, &list, None)? {
            found.push(rows.first().map(|row| map(&Row::Pg(row))).transpose()?);
        }
        Ok(found)
    }

    /// For each key the row, which must be there; in the order of the keys.
    pub(super) fn get_each<K: ToValue, T>(
        &self,
        sql: &str,
        keys: &[K],
        map: impl Fn(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>> {
        let found = self.find_each(sql, keys, map)?.into_iter().collect::<Option<Vec<_>>>();
        found.ok_or_else(|| Error::fault("a row that must exist does not"))
    }

    /// Hands every row to `each` as it comes, keeping none of them. Nothing may be asked in
    /// between.
    pub(super) fn for_each(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let conn = match self.conn {
            Conn::Lite(conn) => conn,
            Conn::Pg(wire) => {
                if self.ahead.is_some_and(|ahead| ahead.borrow().is_trying()) {
                    return Ok(()); // so many rows are asked for when they are read
                }
                self.settle(wire)?;
                return wire.stream(sql, params.list(), |row| each(&Row::Pg(row)));
            }
        };
        let mut statement = conn.prepare_cached(sql)?;
        bind(&mut statement, params.list())?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            each(&Row::Lite(row))?;
        }
        Ok(())
    }
}

const VERSIONS: &str = "SELECT catalogue, callers FROM versions";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Runs `read` on what the panel holds at one moment. As long as the first statement is not through
/// with its rows, SQLite shows all others the moment that it saw; on a server that is the moment of
/// the first question. However `read` ends, that ends.
pub(super) fn read<T>(conn: &Conn, read: impl FnOnce(&Point<'_>) -> Result<T>) -> Result<T> {
    match conn {
        Conn::Lite(lite) => {
            let mut statement = lite.prepare_cached(VERSIONS)?;
            let mut rows = statement.raw_query();
            let first = rows.next()?.ok_or_else(|| Error::fault("the file has no versions"))?;
            let versions = Cell::new(Some(Row::Lite(first).versions()?));
            read(&Point { read: Read::bare(conn), versions })
        }
        Conn::Pg(wire) => {
            let _moment = Moment(wire);
            wire.begin_with_next(BEGIN_READ);
            let ahead = RefCell::default();
            let point = Read { ahead: Some(&ahead), ..Read::bare(conn) };
            read(&Point { read: point, versions: Cell::default() })
        }
    }
}

/// A transaction that reads.
struct Moment<'c>(&'c Wire);

impl Drop for Moment<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Row<'_> {
    fn versions(&self) -> RowResult<Versions> {
        Ok(Versions { catalogue: self.get(0)?, callers: self.get(1)? })
    }
}

/// Runs `read` on what the panel holds at one moment, without trusting its contents. The connection
/// is good for nothing else afterwards.
pub(super) fn read_untrusted<T>(
    conn: &Conn,
    read: impl FnOnce(&Read<'_>) -> Result<T>,
) -> Result<T> {
    conn.run(match conn {
        Conn::Lite(_) => "BEGIN",
        Conn::Pg(_) => BEGIN_READ,
    })?;
    read(&Read::bare(conn))
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
            assert_eq!((version(db)?, db.versions()?.callers), (before, before));
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
