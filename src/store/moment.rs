//! Looks at what the panel holds at one moment.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use super::conn::Conn;
use super::pg::Wire;
use super::tx::Read;
use super::value::{Row, RowResult};
use super::{Error, Result};

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
            let point = Read::bare(conn).with_ahead(&ahead);
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

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::store::{Missing, schema};

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
