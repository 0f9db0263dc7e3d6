//! Conditions: raised once, cleared once.

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::ConditionId;
use crate::domain::Timestamp;
use crate::domain::condition::{Condition, ConditionKind};

/// Raises a condition; one that is open already stays as it is.
pub fn raise(tx: &Tx<'_>, kind: ConditionKind, subject: &str, text: &str) -> Result<()> {
    if is_open(tx, kind, subject)? {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO conditions (kind, subject, text, raised_at) VALUES ($1, $2, $3, $4)",
        params![kind, subject, text, tx.now],
    )?;
    Ok(())
}

/// Raises a condition; one that is open already says this from now on.
pub fn tell(tx: &Tx<'_>, kind: ConditionKind, subject: &str, text: &str) -> Result<()> {
    raise(tx, kind, subject, text)?;
    tx.execute(
        "UPDATE conditions SET text = $1
         WHERE kind = $2 AND subject = $3 AND cleared_at IS NULL AND text <> $1",
        params![text, kind, subject],
    )?;
    Ok(())
}

/// Clears a condition, if it is open.
pub fn clear(tx: &Tx<'_>, kind: ConditionKind, subject: &str) -> Result<()> {
    if !is_open(tx, kind, subject)? {
        return Ok(());
    }
    tx.execute(
        "UPDATE conditions SET cleared_at = $1
         WHERE kind = $2 AND subject = $3 AND cleared_at IS NULL",
        params![tx.now, kind, subject],
    )?;
    Ok(())
}

/// Clears everything that is open about something that is gone.
pub fn clear_about(tx: &Tx<'_>, subject: &str) -> Result<()> {
    clear_each(tx, ConditionKind::ALL, subject)
}

/// Clears those that are open about something, having looked for all of them at once.
pub fn clear_each(tx: &Tx<'_>, kinds: &[ConditionKind], subject: &str) -> Result<()> {
    for kind in list_open_of(tx, kinds, subject)? {
        clear(tx, kind, subject)?;
    }
    Ok(())
}

/// Which of the kinds are open about something.
pub fn list_open_of(
    db: &Read<'_>,
    kinds: &[ConditionKind],
    subject: &str,
) -> Result<Vec<ConditionKind>> {
    db.list(&open_sql(kinds), params![subject], |row| row.get(0))
}

fn open_sql(kinds: &[ConditionKind]) -> String {
    let one = |kind: &ConditionKind| {
        format!(
            "SELECT kind FROM conditions
             WHERE kind = '{}' AND subject = $1 AND cleared_at IS NULL",
            kind.as_str()
        )
    };
    kinds.iter().map(one).collect::<Vec<_>>().join(" UNION ALL ")
}

/// Whether such a condition is open.
pub fn is_open(db: &Read<'_>, kind: ConditionKind, subject: &str) -> Result<bool> {
    Ok(find_raised(db, kind, subject)?.is_some())
}

/// Since when such a condition is open.
pub fn find_raised(db: &Read<'_>, kind: ConditionKind, subject: &str) -> Result<Option<Timestamp>> {
    let sql = "SELECT raised_at FROM conditions
               WHERE kind = $1 AND subject = $2 AND cleared_at IS NULL";
    db.find(sql, params![kind, subject], |row| row.get(0))
}

const COLUMNS: &str = "id, kind, subject, text, raised_at, cleared_at, muted_until";

fn read_condition(row: &Row<'_>) -> RowResult<Condition> {
    Ok(Condition {
        id: row.get(0)?,
        kind: row.get(1)?,
        subject: row.get(2)?,
        text: row.get(3)?,
        raised_at: row.get(4)?,
        cleared_at: row.get(5)?,
        muted_until: row.get(6)?,
    })
}

/// A condition by its number.
pub fn find(db: &Read<'_>, id: ConditionId) -> Result<Option<Condition>> {
    let sql = format!("SELECT {COLUMNS} FROM conditions WHERE id = $1");
    db.find(&sql, params![id], read_condition)
}

/// What is open, by kind.
pub fn list_open(db: &Read<'_>, limit: i64) -> Result<Vec<Condition>> {
    db.list(&list_open_sql(), params![limit], read_condition)
}

fn list_open_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conditions INDEXED BY conditions_open
         WHERE cleared_at IS NULL AND kind > '' ORDER BY kind, subject LIMIT $1"
    )
}

/// What is open of one kind.
pub fn list_of_kind(db: &Read<'_>, kind: ConditionKind) -> Result<Vec<Condition>> {
    db.list(&list_of_kind_sql(), params![kind], read_condition)
}

fn list_of_kind_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conditions INDEXED BY conditions_open
         WHERE cleared_at IS NULL AND kind = $1 ORDER BY subject"
    )
}

/// What was cleared last, newest first.
pub fn list_cleared(db: &Read<'_>, limit: i64) -> Result<Vec<Condition>> {
    db.list(&list_cleared_sql(), params![limit], read_condition)
}

fn list_cleared_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conditions INDEXED BY conditions_cleared
         WHERE cleared_at IS NOT NULL ORDER BY cleared_at DESC, id DESC LIMIT $1"
    )
}

/// What is open since before then, was never told and is not muted, by kind.
pub fn list_untold(
    db: &Read<'_>,
    (raised_by, now): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Condition>> {
    db.list(&list_untold_sql(), params![raised_by, now, limit], read_condition)
}

fn list_untold_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conditions INDEXED BY conditions_open
         WHERE cleared_at IS NULL AND kind > '' AND told_at IS NULL AND raised_at <= $1
           AND (muted_until IS NULL OR muted_until <= $2)
         ORDER BY kind, subject LIMIT $3"
    )
}

/// What was cleared since then and of which only the raise was told. What was muted when it was
/// cleared is left out.
pub fn list_untold_clears(db: &Read<'_>, since: Timestamp, limit: i64) -> Result<Vec<Condition>> {
    db.list(&list_untold_clears_sql(), params![since, limit], read_condition)
}

fn list_untold_clears_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM conditions INDEXED BY conditions_cleared
         WHERE cleared_at IS NOT NULL AND cleared_at >= $1
           AND told_at IS NOT NULL AND told_clear_at IS NULL
           AND (muted_until IS NULL OR muted_until <= cleared_at)
         ORDER BY cleared_at, id LIMIT $2"
    )
}

/// How many times something was told since then: all that is told together has one time.
pub fn count_tellings(db: &Read<'_>, since: Timestamp) -> Result<i64> {
    db.get(
        "SELECT count(*) FROM (
           SELECT told_at FROM conditions WHERE told_at > $1
           UNION SELECT told_clear_at FROM conditions WHERE told_clear_at > $1) AS tellings",
        params![since],
        |row| row.get(0),
    )
}

/// Writes down that a raise was told.
pub fn update_told(tx: &Tx<'_>, id: ConditionId) -> Result<()> {
    tx.execute("UPDATE conditions SET told_at = $1 WHERE id = $2", params![tx.now, id])?;
    Ok(())
}

/// Writes down that a clear was told.
pub fn update_told_clear(tx: &Tx<'_>, id: ConditionId) -> Result<()> {
    tx.execute("UPDATE conditions SET told_clear_at = $1 WHERE id = $2", params![tx.now, id])?;
    Ok(())
}

/// Keeps a condition out of sight until then; `None` shows it again.
pub fn update_muted(tx: &Tx<'_>, id: ConditionId, until: Option<Timestamp>) -> Result<()> {
    let sql = "UPDATE conditions SET muted_until = $1 WHERE id = $2";
    tx.execute(sql, params![until, id])?;
    Ok(())
}

/// Removes what was cleared before then, at most that many; says how many.
pub fn prune(tx: &Tx<'_>, before: Timestamp, limit: i64) -> Result<usize> {
    tx.execute(
        "DELETE FROM conditions WHERE id IN
           (SELECT id FROM conditions INDEXED BY conditions_cleared
            WHERE cleared_at IS NOT NULL AND cleared_at < $1 ORDER BY cleared_at LIMIT $2)",
        params![before, limit],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans;

    #[test]
    fn all_lists_walk_an_index() {
        plans::assert_walks_an_index(&open_sql(ConditionKind::ALL));
        plans::assert_walks_an_index(&list_open_sql());
        plans::assert_walks_an_index(&list_cleared_sql());
        plans::assert_walks_an_index(&list_of_kind_sql());
        plans::assert_walks_an_index(&list_untold_sql());
        plans::assert_walks_an_index(&list_untold_clears_sql());
    }
}
