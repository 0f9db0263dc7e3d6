//! Events: the outbox of webhooks, written in the transaction of what they tell.
//!
//! Numbers only grow, also after pruning: the newest row is never deleted, since a number that came
//! again would be taken by a receiver for what it knows already.

use super::page::{Cursor, Page};
use super::value::{Row, RowError, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::event::{About, Event, EventKind, EventState, Next};
use crate::domain::order::PublicStatus;
use crate::domain::refill::RefillStatus;
use crate::domain::{EventId, Timestamp, UserId};

const COLUMNS: &str = "id, user_id, kind, order_id, refill_id, status, net_charge_micros,
    refunded_micros, start_count, remains, balance_micros, created_at, due_at, tries, state,
    answer";

fn read_event(row: &Row<'_>) -> RowResult<Event> {
    let kind: EventKind = row.get(2)?;
    Ok(Event {
        id: row.get(0)?,
        user: row.get(1)?,
        kind,
        about: read_about(row, kind)?,
        created_at: row.get(11)?,
        due_at: row.get(12)?,
        tries: row.get(13)?,
        state: row.get(14)?,
        answer: row.get(15)?,
    })
}

fn read_about(row: &Row<'_>, kind: EventKind) -> RowResult<About> {
    let status: String = row.get(5)?;
    let unknown = || RowError::Column("column 5 (status) holds an unfit word".to_owned());
    Ok(match kind {
        EventKind::OrderInProgress
        | EventKind::OrderCompleted
        | EventKind::OrderPartial
        | EventKind::OrderCanceled => About::Order {
            order: row.get(3)?,
            status: PublicStatus::from_stored(&status).ok_or_else(unknown)?,
            net_charge: row.get(6)?,
            refunded: row.get(7)?,
            start_count: row.get(8)?,
            remains: row.get(9)?,
        },
        EventKind::RefillCompleted | EventKind::RefillRejected => About::Refill {
            refill: row.get(4)?,
            order: row.get(3)?,
            status: RefillStatus::from_stored(&status).ok_or_else(unknown)?,
        },
        EventKind::BalanceLow => About::Balance(row.get(10)?),
    })
}

/// An event by its number; old ones are forgotten.
pub fn find(db: &Read<'_>, id: EventId) -> Result<Option<Event>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE id = $1");
    db.find(&sql, params![id], read_event)
}

fn next_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM events INDEXED BY events_due
         WHERE user_id = $1 AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1"
    )
}

/// The event that a user is told next: what is due first, of that the oldest.
pub fn find_next(db: &Read<'_>, user: UserId) -> Result<Option<Event>> {
    db.find(&next_sql(), params![user], read_event)
}

const WAITING: &str = "SELECT 1 FROM events INDEXED BY events_due
    WHERE user_id = $1 AND due_at IS NOT NULL LIMIT $2";

/// How many events of a user wait, counted up to a limit.
pub fn count_waiting(db: &Read<'_>, user: UserId, limit: i64) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM ({WAITING}) AS counted");
    db.get(&sql, params![user, limit], |row| row.get(0))
}

fn page_sql(cursor: Cursor) -> String {
    let (compares, direction) = cursor.direction();
    format!(
        "SELECT {COLUMNS} FROM events INDEXED BY events_user
         WHERE user_id = $1 AND id {compares} $2 ORDER BY id {direction} LIMIT $3"
    )
}

/// A page of what a user was told, newest first.
pub fn page(db: &Read<'_>, user: UserId, cursor: Cursor, size: i64) -> Result<Page<Event>> {
    let rows = db.list(&page_sql(cursor), params![user, cursor.bound(), size + 1], read_event)?;
    Ok(cursor.page(rows, size))
}

/// Something that happened, to be told from now on.
pub fn insert(tx: &Tx<'_>, user: UserId, kind: EventKind, about: &About) -> Result<()> {
    let sql = "INSERT INTO events (user_id, kind, order_id, refill_id, status, net_charge_micros,
                    refunded_micros, start_count, remains, balance_micros, created_at, due_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)";
    let none: Option<i64> = None;
    match about {
        About::Order { order, status, net_charge, refunded, start_count, remains } => tx.save(
            sql,
            params![
                user,
                kind,
                order,
                none,
                status,
                net_charge,
                refunded,
                start_count,
                remains,
                none,
                tx.now
            ],
        ),
        About::Refill { refill, order, status } => tx.save(
            sql,
            params![user, kind, order, refill, status, none, none, none, none, none, tx.now],
        ),
        About::Balance(balance) => tx.save(
            sql,
            params![user, kind, none, none, "", none, none, none, none, balance, tx.now],
        ),
    }
}

/// Writes what came of a call.
pub fn update_tried(tx: &Tx<'_>, id: EventId, next: &Next, answer: &str) -> Result<()> {
    tx.execute(
        "UPDATE events SET state = $1, due_at = $2, tries = $3, answer = $4 WHERE id = $5",
        params![next.state, next.due_at, next.tries, answer, id],
    )?;
    Ok(())
}

/// Lets an event be told once more, from the first try on.
pub fn update_again(tx: &Tx<'_>, id: EventId) -> Result<()> {
    tx.execute(
        "UPDATE events SET state = $1, due_at = $2, tries = 0 WHERE id = $3",
        params![EventState::Waiting, tx.now, id],
    )?;
    Ok(())
}

const RELEASE: &str = "UPDATE events INDEXED BY events_due SET due_at = $1
    WHERE user_id = $2 AND due_at IS NOT NULL AND due_at > $1";

/// What waits for its next try is due now: the endpoint answers again.
pub fn release(tx: &Tx<'_>, user: UserId) -> Result<()> {
    tx.execute(RELEASE, params![tx.now, user])?;
    Ok(())
}

const PULL: &str = "UPDATE events SET due_at = $1 WHERE id IN
    (SELECT id FROM events INDEXED BY events_due
     WHERE user_id = $2 AND due_at IS NOT NULL AND due_at > $3 LIMIT $4)";

/// Makes some of a user's events due that are due later than that. Says how many.
pub fn pull(tx: &Tx<'_>, user: UserId, late: Timestamp, limit: i64) -> Result<usize> {
    tx.execute(PULL, params![tx.now, user, late, limit])
}

const OLDEST: &str = "SELECT id FROM events INDEXED BY events_due
    WHERE user_id = $1 AND due_at IS NOT NULL ORDER BY due_at LIMIT $2";

/// Gives up what has waited longest, at most so many. Says how many there were.
pub fn give_up(tx: &Tx<'_>, user: UserId, limit: i64, answer: &str) -> Result<i64> {
    let ids: Vec<EventId> = tx.list(OLDEST, params![user, limit], |row| row.get(0))?;
    for id in &ids {
        tx.execute(
            "UPDATE events SET state = $1, due_at = NULL, answer = $2 WHERE id = $3",
            params![EventState::Failed, answer, id],
        )?;
    }
    Ok(i64::try_from(ids.len()).unwrap_or(limit))
}

const OLDER: &str = "SELECT id, user_id, state FROM events INDEXED BY events_created
    WHERE created_at < $1 AND id < (SELECT max(id) FROM events) ORDER BY created_at LIMIT $2";

/// Forgets what happened before then, at most so many. Says of whom, and whether it still waited.
pub fn prune(tx: &Tx<'_>, before: Timestamp, limit: i64) -> Result<Vec<(UserId, EventState)>> {
    let old: Vec<(EventId, UserId, EventState)> =
        tx.list(OLDER, params![before, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (id, ..) in &old {
        tx.execute("DELETE FROM events WHERE id = $1", params![id])?;
    }
    Ok(old.into_iter().map(|(_, user, state)| (user, state)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn all_that_is_asked_of_events_walks_an_index() {
        for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
            assert_walks_an_index(&page_sql(cursor));
        }
        for sql in [&next_sql(), WAITING, RELEASE, PULL, OLDEST, OLDER] {
            assert_walks_an_index(sql);
        }
    }
}
