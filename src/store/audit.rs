//! The audit log: one row for every change by a person, in the change's own transaction.

use super::page::{Cursor, Page};
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::{Actor, Timestamp};

/// One entry: who did what to what. `change` never holds a secret.
pub struct Entry<'a> {
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
    tx.insert(
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

/// Who did it, as people say it: the column `actor`, with the name of an admin and the label of a
/// key, or else its first characters, in place of their numbers.
pub(super) const WHO: &str = "coalesce(
    CASE WHEN actor LIKE 'admin %' THEN
      (SELECT name FROM admins WHERE id = CAST(substr(actor, 7) AS BIGINT)) END,
    CASE WHEN actor LIKE 'key %' THEN
      (SELECT 'key ' || CASE WHEN label = '' THEN key_prefix || '…' ELSE label END FROM api_keys
       WHERE id = CAST(substr(actor, 5) AS BIGINT)) END,
    actor)";

/// An entry as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub id: i64,
    pub created_at: Timestamp,
    /// Who: an admin's name, `key website` or `command line`.
    pub actor: String,
    pub address: String,
    pub verb: String,
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

/// When the first entry was written.
pub fn first_at(db: &Read<'_>) -> Result<Option<Timestamp>> {
    db.find("SELECT created_at FROM audit ORDER BY id LIMIT 1", [], |row| row.get(0))
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

/// Which entries a page shows. What is empty asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By whom, as it is stored: `admin 1`, `command line`.
    pub actor: String,
    pub verb: String,
    pub object: String,
    /// Where the page begins.
    pub cursor: Cursor,
    /// How many rows it has.
    pub size: i64,
}

impl Filter {
    fn sql(&self) -> String {
        let (compares, direction) = self.cursor.direction();
        let has = [&self.actor, &self.verb, &self.object].map(|text| !text.is_empty());
        let (index, is_one) = match has {
            // Little is ever done to one thing, so the rest is looked for among that.
            [_, _, true] => (
                "INDEXED BY audit_object",
                "($1 = '' OR +actor = $1) AND ($2 = '' OR +verb = $2) AND object = $3",
            ),
            [false, false, false] => ("NOT INDEXED", "$1 = '' AND $2 = '' AND $3 = ''"),
            [true, false, false] => {
                ("INDEXED BY audit_actor", "actor = $1 AND $2 = '' AND $3 = ''")
            }
            [false, true, false] => ("INDEXED BY audit_verb", "$1 = '' AND verb = $2 AND $3 = ''"),
            [true, true, false] => {
                ("INDEXED BY audit_actor_verb", "actor = $1 AND verb = $2 AND $3 = ''")
            }
        };
        format!(
            "SELECT id, created_at, {WHO}, {COLUMNS} FROM audit {index}
             WHERE {is_one} AND id {compares} $4 ORDER BY id {direction} LIMIT $5"
        )
    }
}

/// A page of entries, newest first.
pub fn page(db: &Read<'_>, filter: &Filter) -> Result<Page<Written>> {
    let Filter { actor, verb, object, cursor, size } = filter;
    let params = params![actor, verb, object, cursor.bound(), size + 1];
    let rows = db.list(&filter.sql(), params, read_written)?;
    Ok(cursor.page(rows, *size))
}

/// A choice is out of so many at most.
const CHOICES_MAX: usize = 200;
const NEXT_ACTOR: &str = "SELECT min(actor) FROM audit WHERE actor > $1";
const NEXT_VERB: &str = "SELECT min(verb) FROM audit WHERE verb > $1";

/// What stands in a column, each once: steps from one to the next along the index.
fn choices(db: &Read<'_>, next: &str) -> Result<Vec<String>> {
    if db.wire().is_some() {
        let (first, next) = (next.replace("$1", "''"), next.replace("$1", "word"));
        // The same steps, without a trip for each.
        let all = format!(
            "WITH RECURSIVE words (word) AS (
                 {first} UNION ALL SELECT ({next}) FROM words WHERE word IS NOT NULL)
             SELECT word FROM words WHERE word IS NOT NULL LIMIT $1"
        );
        let most = i64::try_from(CHOICES_MAX).unwrap_or(i64::MAX);
        return db.list(&all, params![most], |row| row.get(0));
    }
    let mut found: Vec<String> = Vec::new();
    while found.len() < CHOICES_MAX {
        let last = found.last().map_or("", String::as_str);
        match db.get(next, params![last], |row| row.get(0))? {
            Some(word) => found.push(word),
            None => break,
        }
    }
    Ok(found)
}

/// The actors in the log: as stored, and with the names of admins.
pub fn actors(db: &Read<'_>) -> Result<Vec<(String, String)>> {
    let sql = format!("SELECT {WHO} FROM (SELECT $1 AS actor) AS one");
    let actors = choices(db, NEXT_ACTOR)?;
    let names = db.each(&actors, |db, actor| db.get(&sql, params![*actor], |row| row.get(0)))?;
    Ok(actors.into_iter().zip(names).collect())
}

/// The verbs in the log.
pub fn verbs(db: &Read<'_>) -> Result<Vec<String>> {
    choices(db, NEXT_VERB)
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
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn what_was_done_to_an_object_is_read_along_an_index() {
        assert_walks_an_index(&list_about_sql());
    }

    #[test]
    fn a_page_of_the_log_is_read_along_an_index() {
        let texts = |is_there: bool| if is_there { "x".to_owned() } else { String::new() };
        for bits in 0..8 {
            for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
                let [actor, verb, object] = [1, 2, 4].map(|bit| texts(bits & bit > 0));
                let filter = Filter { actor, verb, object, cursor, size: 50 };
                assert_walks_an_index(&filter.sql());
            }
        }
        assert_walks_an_index(NEXT_ACTOR);
        assert_walks_an_index(NEXT_VERB);
    }
}
