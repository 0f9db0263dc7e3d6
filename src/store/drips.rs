//! Drip-feed orders and their runs; also the posts of subscriptions, which are found the same way.

use super::page::{Cursor, Page};
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx, accounts, figures, users};
use crate::domain::delivery::Hand;
use crate::domain::figures::Figures;
use crate::domain::money::Money;
use crate::domain::order::{Order, Parts, PublicStatus, Standing, Told};
use crate::domain::schedule::Drip;
use crate::domain::{OrderId, Timestamp, UserId};

/// Numbers of runs or posts that are told of an order.
const TOLD_MAX: i64 = 100;

const COLUMNS: &str = "order_id, started, next_at, hand";

fn read_drip(row: &Row<'_>) -> RowResult<Drip> {
    let hand: String = row.get(3)?;
    Ok(Drip {
        order: row.get(0)?,
        started: row.get(1)?,
        next_at: row.get(2)?,
        hand: Hand::from_stored(&hand),
    })
}

/// How far a drip-feed order has come; `None` for one that is fulfilled by hand as one order.
pub fn find(db: &Read<'_>, order: OrderId) -> Result<Option<Drip>> {
    let sql = format!("SELECT {COLUMNS} FROM drips WHERE order_id = $1");
    db.find(&sql, params![order], read_drip)
}

/// A drip-feed order that was just bought: its first run begins at once.
pub fn insert(tx: &Tx<'_>, order: OrderId) -> Result<()> {
    let sql = "INSERT INTO drips (order_id, next_at) VALUES ($1, $2)";
    tx.save(sql, params![order, tx.now])?;
    tx.sums.borrow_mut().has_work = true;
    Ok(())
}

/// Writes how far an order has come.
pub fn update(tx: &Tx<'_>, drip: &Drip) -> Result<()> {
    let hand = drip.hand.map_or("", Hand::as_str);
    let sql = "UPDATE drips SET started = $1, next_at = $2, hand = $3 WHERE order_id = $4";
    tx.save(sql, params![drip.started, drip.next_at, hand, drip.order])?;
    tx.sums.borrow_mut().has_work |= drip.next_at.is_some_and(|next| next <= tx.now);
    Ok(())
}

/// The order is fulfilled by hand, as one.
pub fn delete(tx: &Tx<'_>, order: OrderId) -> Result<()> {
    tx.save("DELETE FROM drips WHERE order_id = $1", params![order])
}

const DUE: &str = "SELECT order_id FROM drips INDEXED BY drips_next
     WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at LIMIT $2";

/// Orders of which a run is due, what is due longest first.
pub fn list_due(db: &Read<'_>, now: Timestamp, limit: i64) -> Result<Vec<OrderId>> {
    db.list(DUE, params![now, limit], |row| row.get(0))
}

const NEXT_DUE: &str =
    "SELECT min(next_at) FROM drips INDEXED BY drips_next WHERE next_at IS NOT NULL";

/// When the first run is due.
pub fn next_due(db: &Read<'_>) -> Result<Option<Timestamp>> {
    db.get(NEXT_DUE, [], |row| row.get(0))
}

fn page_sql(cursor: Cursor) -> String {
    let (compares, direction) = cursor.direction();
    format!(
        "SELECT {COLUMNS} FROM drips WHERE order_id {compares} $1
         ORDER BY order_id {direction} LIMIT $2"
    )
}

/// A page of drip-feed orders, the newest first.
pub fn page(db: &Read<'_>, cursor: Cursor, size: i64) -> Result<Page<Drip>> {
    let rows = db.list(&page_sql(cursor), params![cursor.bound(), size + 1], read_drip)?;
    Ok(cursor.page(rows, size))
}

const HELD: &str = "SELECT 1 FROM drips INDEXED BY drips_hand
     WHERE hand <> '' AND hand > '' LIMIT $1";

/// How many drip-feed orders wait for a person; counts no further than asked.
pub fn count_held(db: &Read<'_>, most: i64) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM ({HELD}) AS counted");
    db.get(&sql, params![most], |row| row.get(0))
}

const COMING: &str = "SELECT order_id FROM drips INDEXED BY drips_next
     WHERE next_at IS NOT NULL AND next_at > -1 LIMIT $1";

/// Some orders that have a run to come.
pub fn list_coming(db: &Read<'_>, limit: i64) -> Result<Vec<OrderId>> {
    db.list(COMING, params![limit], |row| row.get(0))
}

/// No run is further away than its interval: what a clock put there that was ahead comes closer.
/// Walks all runs to come: for a start.
pub fn update_from_later_clock(tx: &Tx<'_>) -> Result<()> {
    tx.execute(
        "UPDATE drips SET next_at = $1 + 60 * o.interval_minutes FROM orders o
         WHERE o.id = drips.order_id AND drips.next_at > $1 + 60 * o.interval_minutes",
        params![tx.now],
    )?;
    Ok(())
}

/// A run of a drip-feed order begins: an order of its own that is charged nothing.
pub fn insert_run(tx: &Tx<'_>, parent: &Order) -> Result<OrderId> {
    let id = tx.insert(
        "INSERT INTO orders (user_id, service_id, parent_id, kind, link, quantity, units,
                             rate_micros, charge_micros, remains, created_at, updated_at, link_key)
         SELECT user_id, service_id, id, kind, link, quantity, quantity, rate_micros, 0, quantity,
                $1, $1, link_key
         FROM orders WHERE id = $2",
        params![tx.now, parent.id],
    )?;
    let run = OrderId(id);
    tx.execute(
        "INSERT INTO order_inputs (order_id, name, value)
         SELECT $1, name, value FROM order_inputs WHERE order_id = $2",
        params![run, parent.id],
    )?;
    tx.sums.borrow_mut().count(PublicStatus::Pending, 1);
    accounts::update_last_order(tx, users::account(tx, parent.user)?.id, run)?;
    Ok(run)
}

/// A post of a subscription was bought: an order of its own, of so many units, that is charged.
pub fn insert_post(
    tx: &Tx<'_>,
    subscription: &Order,
    units: i64,
    charge: Money,
) -> Result<OrderId> {
    let id = tx.insert(
        "INSERT INTO orders (user_id, service_id, parent_id, kind, link, quantity, units,
                             rate_micros, charge_micros, remains, created_at, updated_at, link_key)
         SELECT user_id, service_id, id, 'default', link, $1, $1, rate_micros, $2, $1, $3, $3,
                link_key
         FROM orders WHERE id = $4",
        params![units, charge, tx.now, subscription.id],
    )?;
    tx.sums.borrow_mut().count(PublicStatus::Pending, 1);
    figures::add(tx, &Figures { orders: 1, charged: charge, ..Figures::default() })?;
    Ok(OrderId(id))
}

const NEWEST: &str = "SELECT id FROM orders INDEXED BY orders_runs
     WHERE parent_id IS NOT NULL AND parent_id = $1 ORDER BY id DESC LIMIT $2";

/// The newest runs or posts of an order, the oldest of them first.
pub fn newest_parts(db: &Read<'_>, parent: OrderId) -> Result<Vec<OrderId>> {
    let mut newest = db.list(NEWEST, params![parent, TOLD_MAX], |row| row.get(0))?;
    newest.reverse();
    Ok(newest)
}

/// The newest run or post of an order.
pub fn newest_part(db: &Read<'_>, parent: OrderId) -> Result<Option<OrderId>> {
    db.find(NEWEST, params![parent, 1_i64], |row| row.get(0))
}

const FIRST: &str = "SELECT id FROM orders INDEXED BY orders_runs
     WHERE parent_id IS NOT NULL AND parent_id = $1 ORDER BY id LIMIT 1";

/// The first run of an order.
pub fn first_part(db: &Read<'_>, parent: OrderId) -> Result<Option<OrderId>> {
    db.find(FIRST, params![parent], |row| row.get(0))
}

const OPEN: &str = "SELECT id FROM orders INDEXED BY orders_runs
     WHERE parent_id IS NOT NULL AND parent_id = $1 AND +finished_at IS NULL
     ORDER BY id DESC LIMIT 1";

/// Whether a run or post of an order has not ended. Walks those that have, from the newest on.
pub fn has_open_part(db: &Read<'_>, parent: OrderId) -> Result<bool> {
    let found: Option<OrderId> = db.find(OPEN, params![parent], |row| row.get(0))?;
    Ok(found.is_some())
}

const COUNTED: &str = "SELECT count(*) FROM orders INDEXED BY orders_runs
     WHERE parent_id IS NOT NULL AND parent_id = $1";

/// How many posts of a subscription were bought for.
pub fn count_parts(db: &Read<'_>, parent: OrderId) -> Result<i64> {
    db.get(COUNTED, params![parent], |row| row.get(0))
}

/// With nothing in it that most orders have no need of: it is asked for by the hundred.
const STANDING: &str = "SELECT id, user_id, public_status, charge_micros - refunded_micros,
    start_count, remains, runs, parent_id, CASE units WHEN 0 THEN kind = 'subscriptions' END
    FROM orders WHERE id = $1";

/// An order as it is found, before it is known what has come of it.
struct Found {
    id: OrderId,
    user: UserId,
    standing: Standing,
    runs: Option<i64>,
    parent: Option<OrderId>,
    is_subscription: bool,
}

fn read_found(row: &Row<'_>) -> RowResult<Found> {
    let is_subscription: Option<bool> = row.get(8)?;
    Ok(Found {
        id: row.get(0)?,
        user: row.get(1)?,
        standing: Standing {
            status: row.get(2)?,
            net_charge: row.get(3)?,
            start_count: row.get(4)?,
            remains: row.get(5)?,
        },
        runs: row.get(6)?,
        parent: row.get(7)?,
        is_subscription: is_subscription == Some(true),
    })
}

/// How orders stand, in the order of their numbers. Another user's is not there, nor is a run.
pub fn find_told(db: &Read<'_>, user: UserId, ids: &[OrderId]) -> Result<Vec<Option<Told>>> {
    let found = db.find_each(STANDING, ids, read_found)?;
    db.each(&found, |db, found| match found {
        Some(found) if found.user == user => tell(db, found),
        _ => Ok(None),
    })
}

fn tell(db: &Read<'_>, found: &Found) -> Result<Option<Told>> {
    let is_dripped = "SELECT runs IS NOT NULL FROM orders WHERE id = $1";
    if let Some(parent) = found.parent
        && db.get(is_dripped, params![parent], |row| row.get(0))?
    {
        return Ok(None);
    }
    let parts = if found.runs.is_some() {
        let begun = find(db, found.id)?.map_or(0, |drip| drip.started);
        Parts::Runs(begun, newest_parts(db, found.id)?)
    } else if found.is_subscription {
        Parts::Posts(count_parts(db, found.id)?, newest_parts(db, found.id)?)
    } else {
        Parts::None
    };
    Ok(Some(Told { standing: found.standing, parts }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans;

    #[test]
    fn all_that_is_asked_of_runs_walks_an_index() {
        for sql in [DUE, NEXT_DUE, HELD, COMING, NEWEST, FIRST, OPEN, COUNTED] {
            plans::assert_walks_an_index(sql);
        }
        for cursor in [Cursor::Newest, Cursor::Newer(1)] {
            plans::assert_walks_an_index(&page_sql(cursor));
        }
    }
}
