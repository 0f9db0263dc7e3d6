//! `Read` and `Tx`: what the SQL files are written against, and the door to the engine.
//!
//! `fn find(db: &Read, …)` serves pages and commands alike, since a `Tx` is a `Read` too;
//! `fn insert(tx: &Tx, …)` cannot be called from a page. Statements are cached by their text. What
//! goes in and comes out is in `value/mod.rs`.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

use super::ahead::Ahead;
use super::conn::{Conn, bind, first_row};
use super::desk::{self, Desk, What};
use super::pg::{self, Answered, Wire, WireRow};
use super::sums::Sums;
use super::value::{Due, List, Params, Row, RowError, RowResult, ToValue, params};
use super::{Error, Result};
use crate::domain::money::Money;
use crate::domain::{AccountId, OrderId, Timestamp};

/// A look at the database from one moment.
#[derive(Clone, Copy)]
pub struct Read<'c> {
    conn: &'c Conn,
    /// What was fetched before and what is to be written later, where a batch has that.
    desk: Option<&'c RefCell<Desk>>,
    /// What a look at a server knows already, or a batch that has a desk.
    pub(super) ahead: Option<&'c RefCell<Ahead>>,
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
    pub(super) fn with_desk(self, desk: &'c RefCell<Desk>, ahead: &'c RefCell<Ahead>) -> Self {
        Self { read: Read { desk: Some(desk), ahead: Some(ahead), ..self.read }, ..self }
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
        self.read.forget_ahead();
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
    /// at. If something does, that is forgotten beside it.
    pub(super) fn save(&self, sql: &str, params: impl Params) -> Result<()> {
        match self.read.desk {
            None => self.execute(sql, params).map(drop),
            Some(desk) => {
                self.read.forget_ahead();
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
        self.read.forget_ahead();
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

impl<'c> Deref for Tx<'c> {
    type Target = Read<'c>;

    fn deref(&self) -> &Read<'c> {
        &self.read
    }
}

impl<'c> Read<'c> {
    /// With nothing fetched before.
    pub(super) const fn bare(conn: &'c Conn) -> Self {
        Self { conn, desk: None, ahead: None }
    }

    /// What remembers what it asks for together.
    pub(super) fn with_ahead(self, ahead: &'c RefCell<Ahead>) -> Self {
        Self { ahead: Some(ahead), ..self }
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

    /// The desk, and the connection that what lies on it came by.
    pub(super) fn desk(&self) -> Option<(&Wire, &RefCell<Desk>)> {
        self.wire().zip(self.desk)
    }

    /// What a server answers. What waits is written before; if this changes anything, all that was
    /// fetched is forgotten.
    fn asked(&self, wire: &Wire, sql: &str, params: List<'_>) -> Result<Answered> {
        let Some(desk) = self.desk else { return wire.behind(&[], sql, params) };
        let due = desk.borrow_mut().drain();
        if !pg::only_reads(sql) {
            desk.borrow_mut().forget();
            self.forget_ahead();
        }
        wire.behind(&due, sql, params)
    }

    /// What was asked for ahead may no longer hold.
    fn forget_ahead(&self) {
        if let Some(ahead) = self.ahead {
            ahead.borrow_mut().forget();
        }
    }

    /// The rows that a server finds, or has found before.
    fn rows(&self, wire: &Wire, sql: &str, params: List<'_>) -> Result<Arc<[WireRow]>> {
        if let Some(ahead) = self.ahead
            && let Some(known) = ahead.borrow_mut().recall(sql, params)?
        {
            return Ok(known);
        }
        Ok(self.asked(wire, sql, params)?.rows.into())
    }

    /// What a server answers to all of these at once. What waits is written before.
    pub(super) fn ask_all(&self, wire: &Wire, list: &[Due]) -> Result<Vec<Vec<WireRow>>> {
        let due = self.desk.map(|desk| desk.borrow_mut().drain()).unwrap_or_default();
        let mut answers = wire.write(due.iter().chain(list))?;
        Ok(answers.split_off(due.len()))
    }

    /// Writes what waits.
    fn settle(&self, wire: &Wire) -> Result<()> {
        self.ask_all(wire, &[]).map(drop)
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

    /// The row that a statement finds by that key, if there is one: as it was fetched, else as it
    /// is now, and kept from then on.
    pub(super) fn find_kept<T>(
        &self,
        what: What,
        sql: &str,
        key: List<'_>,
        map: impl Fn(&Row<'_>) -> RowResult<T>,
    ) -> Result<Option<T>> {
        if let Some(known) = self.recall(what, key, &map)? {
            return Ok(known);
        }
        let Some((wire, desk)) = self.desk() else { return self.find(sql, key, map) };
        let rows = self.rows(wire, sql, key)?;
        desk.borrow_mut().keep(what, key, rows.first().cloned());
        Ok(rows.first().map(|row| map(&Row::Pg(row))).transpose()?)
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
        let rows = self.each(keys, |db, key| db.rows(wire, sql, params![*key]))?;
        let found = rows.iter().map(|rows| rows.first().map(|row| map(&Row::Pg(row))));
        Ok(found.map(Option::transpose).collect::<RowResult<_>>()?)
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

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Lite(error) => error.into(),
            RowError::Column(text) => Self::fault(&text),
        }
    }
}
