//! `Read` and `Tx`: what the SQL files are written against, and the door to the driver.
//!
//! `fn find(db: &Read, …)` serves pages and commands alike, since a `Tx` is a `Read` too;
//! `fn insert(tx: &Tx, …)` cannot be called from a page. Statements are cached by their text.

use std::cell::RefCell;
use std::ops::Deref;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params};

use super::sums::Sums;
use super::{Command, Result};
use crate::domain::ledger::{AccountKind, PostingKind};
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::order::{OrderStatus, PublicStatus, Shown};
use crate::domain::refill::RefillStatus;
use crate::domain::service::{Input, ServiceKind};
use crate::domain::{
    AccountId, AdminId, CategoryId, KeyId, OrderId, PostingId, ProviderId, RefillId, ServiceId,
    SessionId, Timestamp, UserId,
};
use crate::secret::KeyHash;

pub(super) use rusqlite::{Row, params};

/// What a function makes of a row.
pub(super) type RowResult<T> = rusqlite::Result<T>;

/// A look at the database from one moment.
pub struct Read<'c> {
    conn: &'c Connection,
}

/// What the file holds at one moment, and the versions that tell whether what is remembered of it
/// still holds.
pub struct Point<'c> {
    read: Read<'c>,
    /// What may be remembered under which number.
    pub versions: Versions,
}

/// Numbers that grow with every change, by whichever process, of what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Services, categories, custom rates and discounts.
    pub catalogue: i64,
    /// Keys and what their holders may do and see.
    pub callers: i64,
}

/// A transaction that may write. Everything in it happens at `now`.
pub struct Tx<'c> {
    read: Read<'c>,
    /// The instant of everything that the command writes.
    pub now: Timestamp,
    /// The request behind it.
    pub(super) source: Source,
    /// What is written once for all commands of the transaction.
    pub(super) sums: &'c RefCell<Sums>,
}

/// The request that a change came by, for the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The client's address.
    pub address: String,
    /// The request's id, as in the log.
    pub request: String,
}

/// A command with the request it came by.
pub struct Traced<C> {
    /// Where it came from.
    pub source: Source,
    /// What to do.
    pub command: C,
}

impl<C: Command> Command for Traced<C> {
    type Reply = C::Reply;

    fn run(&self, tx: &Tx<'_>) -> Result<C::Reply> {
        let (source, read) = (self.source.clone(), Read { conn: tx.conn });
        self.command.run(&Tx { read, now: tx.now, source, sums: tx.sums })
    }
}

/// Runs the command only if no key, user or setting has changed since `version` was read.
pub struct IfCallersUnchanged<C> {
    pub version: i64,
    pub command: C,
}

impl<C: Command> Command for IfCallersUnchanged<C> {
    /// `None` where something has changed; then nothing was done.
    type Reply = Option<C::Reply>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        let version: i64 = tx.get("SELECT callers FROM versions", [], |row| row.get(0))?;
        if version != self.version {
            return Ok(None);
        }
        self.command.run(tx).map(Some)
    }
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c Connection, now: Timestamp, sums: &'c RefCell<Sums>) -> Self {
        Self { read: Read { conn }, now, source: Source::default(), sums }
    }

    /// Runs an `INSERT` of one row; says the number the row was given. To ask for it by `RETURNING`
    /// would cost a temporary table each time.
    pub(super) fn insert(&self, sql: &str, params: impl Params) -> Result<i64> {
        self.conn.prepare_cached(sql)?.execute(params)?;
        Ok(self.conn.last_insert_rowid())
    }

    /// Runs a statement that returns nothing; says how many rows it touched.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
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
        Ok(self.conn.prepare_cached(sql)?.query_row(params, map).optional()?)
    }

    /// The row, which must be there.
    pub(super) fn get<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> RowResult<T>,
    ) -> Result<T> {
        Ok(self.conn.prepare_cached(sql)?.query_row(params, map)?)
    }

    /// All rows. The statement bounds how many.
    pub(super) fn list<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&Row<'_>) -> RowResult<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_map(params, map)?.collect::<RowResult<_>>()?)
    }

    /// Hands every row to `each`, keeping none of them.
    pub(super) fn for_each(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut statement = self.conn.prepare(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    }
}

/// Runs `read` on what the file holds at one moment. As long as the first statement is not through
/// with its rows, SQLite shows all others the moment that it saw. However `read` ends, that ends.
pub(super) fn read<T>(conn: &Connection, read: impl FnOnce(&Point<'_>) -> Result<T>) -> Result<T> {
    let mut statement = conn.prepare_cached("SELECT catalogue, callers FROM versions")?;
    let mut rows = statement.query([])?;
    let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let versions = Versions { catalogue: row.get(0)?, callers: row.get(1)? };
    read(&Point { read: Read { conn }, versions })
}

/// Runs `read` on what a file holds at one moment, of which nothing is taken to be as it should.
/// The connection is good for nothing else afterwards.
pub(super) fn read_untrusted<T>(
    conn: &Connection,
    read: impl FnOnce(&Read<'_>) -> Result<T>,
) -> Result<T> {
    conn.execute_batch("BEGIN")?;
    read(&Read { conn })
}

/// Wrappers around one integer column.
macro_rules! integer_columns {
    ($($name:ident: $from:expr, $to:expr;)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let to: fn(&$name) -> i64 = $to;
                Ok(ToSqlOutput::from(to(self)))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let from: fn(i64) -> Option<$name> = $from;
                from(value.as_i64()?).ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}

integer_columns! {
    AccountId: |id| Some(AccountId(id)), |id| id.0;
    AdminId: |id| Some(AdminId(id)), |id| id.0;
    CategoryId: |id| Some(CategoryId(id)), |id| id.0;
    KeyId: |id| Some(KeyId(id)), |id| id.0;
    OrderId: |id| Some(OrderId(id)), |id| id.0;
    PostingId: |id| Some(PostingId(id)), |id| id.0;
    ProviderId: |id| Some(ProviderId(id)), |id| id.0;
    RefillId: |id| Some(RefillId(id)), |id| id.0;
    ServiceId: |id| Some(ServiceId(id)), |id| id.0;
    SessionId: |id| Some(SessionId(id)), |id| id.0;
    UserId: |id| Some(UserId(id)), |id| id.0;
    Timestamp: |seconds| Some(Timestamp(seconds)), |at| at.0;
    Money: |micros| Some(Money::from_micros(micros)), |money| money.micros();
    Rate: |micros| Some(Rate::from_micros(micros)), |rate| rate.micros();
    Discount: Discount::from_basis_points, |discount| discount.basis_points();
}

/// Enums stored as a word.
macro_rules! word_columns {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                $name::from_stored(value.as_str()?).ok_or(FromSqlError::InvalidType)
            }
        }
    )*};
}

word_columns! {
    AccountKind Input OrderStatus PostingKind PublicStatus RefillStatus ServiceKind Shown
}

impl ToSql for KeyHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_slice()))
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
        let reader = schema::open_reader(&path).unwrap();
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
