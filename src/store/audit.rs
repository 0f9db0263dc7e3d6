//! The audit log: one row for every change by a person, in the change's own transaction.

use super::tx::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::{Actor, Timestamp};

/// One entry: who did what to what. `change` never holds a secret.
pub struct Entry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// The verb, such as `user.deposit`.
    pub verb: &'static str,
    /// The object, such as `user 7`.
    pub object: String,
    /// What it was and what it is now, for people.
    pub change: String,
}

/// Writes an entry.
pub fn record(tx: &Tx<'_>, entry: &Entry<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO audit (created_at, actor, address, verb, object, change, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            tx.now,
            entry.actor.to_string(),
            tx.source.address,
            entry.verb,
            entry.object,
            entry.change,
            tx.source.request,
        ],
    )?;
    Ok(())
}

/// Who did it, as people say it: the column `actor`, with an admin's name for his number and the
/// first characters of a key for its.
pub(super) const WHO: &str = "coalesce(
    (SELECT name FROM admins
     WHERE actor LIKE 'admin %' AND id = CAST(substr(actor, 7) AS INTEGER)),
    (SELECT 'key ' || key_prefix || '…' FROM api_keys
     WHERE actor LIKE 'key %' AND id = CAST(substr(actor, 5) AS INTEGER)),
    actor)";

/// An entry as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub id: i64,
    /// When.
    pub created_at: Timestamp,
    /// Who: an admin's name, `key pl_a1b2c…` or `command line`.
    pub actor: String,
    /// From where.
    pub address: String,
    /// What was done.
    pub verb: String,
    /// To what.
    pub object: String,
    /// What it was and is.
    pub change: String,
    /// The request it came by.
    pub request: String,
}

const COLUMNS: &str = "address, verb, object, change, request_id";

/// The entries below the given number, newest first.
pub fn list(db: &Read<'_>, before: i64, limit: i64) -> Result<Vec<Written>> {
    let sql = format!(
        "SELECT id, created_at, {WHO}, {COLUMNS}
         FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2"
    );
    db.list(&sql, params![before, limit], read_written)
}

fn list_about_sql() -> String {
    format!(
        "SELECT id, created_at, {WHO}, {COLUMNS}
         FROM audit WHERE object = $1 ORDER BY id DESC LIMIT $2"
    )
}

/// The last entries about exactly that object, newest first.
pub fn list_about(db: &Read<'_>, object: &str, limit: i64) -> Result<Vec<Written>> {
    db.list(&list_about_sql(), params![object, limit], read_written)
}

fn read_written(row: &Row<'_>) -> RowResult<Written> {
    Ok(Written {
        id: row.get(0)?,
        created_at: row.get(1)?,
        actor: row.get(2)?,
        address: row.get(3)?,
        verb: row.get(4)?,
        object: row.get(5)?,
        change: row.get(6)?,
        request: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::assert_walks_an_index;

    #[test]
    fn what_was_done_to_an_object_is_read_along_an_index() {
        assert_walks_an_index(&list_about_sql());
    }
}
