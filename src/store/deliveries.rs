//! Deliveries: what still has to happen to orders that are sold through a provider.

use std::collections::BTreeMap;

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::delivery::{Delivery, Hand, Stage};
use crate::domain::{OrderId, ProviderId, ServiceId, Timestamp};

const COLUMNS: &str = "order_id, provider_id, place, stage, due_at, tries, moved_at, hand";

fn read_delivery(row: &Row<'_>) -> RowResult<Delivery> {
    let hand: String = row.get(7)?;
    Ok(Delivery {
        order: row.get(0)?,
        provider: row.get(1)?,
        place: row.get(2)?,
        stage: row.get(3)?,
        due_at: row.get(4)?,
        tries: row.get(5)?,
        moved_at: row.get(6)?,
        hand: Hand::from_stored(&hand),
    })
}

/// What still has to happen to an order, if it is sold through a provider and has not ended.
pub fn find(db: &Read<'_>, order: OrderId) -> Result<Option<Delivery>> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE order_id = $1");
    db.find(&sql, params![order], read_delivery)
}

/// The same for many orders, in their order.
pub fn find_each(db: &Read<'_>, orders: &[OrderId]) -> Result<Vec<Option<Delivery>>> {
    db.find_each(&format!("SELECT {COLUMNS} FROM deliveries WHERE order_id = $1"), orders, |row| {
        read_delivery(row)
    })
}

/// An order that was just bought: to be sent at once.
pub fn insert(tx: &Tx<'_>, order: OrderId, provider: ProviderId) -> Result<()> {
    tx.insert(
        "INSERT INTO deliveries (order_id, provider_id, stage, due_at, moved_at)
         VALUES ($1, $2, 'send', $3, $3)",
        params![order, provider, tx.now],
    )?;
    tx.sums.borrow_mut().has_work = true;
    Ok(())
}

/// Writes all of a row.
pub fn update(tx: &Tx<'_>, delivery: &Delivery) -> Result<()> {
    tx.execute(
        "UPDATE deliveries SET provider_id = $1, place = $2, stage = $3, due_at = $4, tries = $5,
                               moved_at = $6, hand = $7
         WHERE order_id = $8",
        params![
            delivery.provider,
            delivery.place,
            delivery.stage,
            delivery.due_at,
            delivery.tries,
            delivery.moved_at,
            delivery.hand.map_or("", Hand::as_str),
            delivery.order,
        ],
    )?;
    tx.sums.borrow_mut().has_work |= delivery.due_at <= tx.now;
    Ok(())
}

/// Puts off when something is due next.
pub fn update_due(tx: &Tx<'_>, order: OrderId, due_at: Timestamp) -> Result<()> {
    tx.execute("UPDATE deliveries SET due_at = $1 WHERE order_id = $2", params![due_at, order])?;
    Ok(())
}

const PULL: &str = "UPDATE deliveries SET due_at = $1 WHERE order_id IN
     (SELECT order_id FROM deliveries INDEXED BY deliveries_due
      WHERE provider_id = $2 AND stage = $3 AND due_at > $4 LIMIT $5)";

/// Makes some of a provider's orders due that are due later than that in their stage. Says how
/// many.
pub fn pull(
    tx: &Tx<'_>,
    provider: ProviderId,
    (stage, late): (Stage, Timestamp),
    limit: i64,
) -> Result<usize> {
    tx.execute(PULL, params![tx.now, provider, stage, late, limit])
}

const SLOW: &str = "SELECT o.service_id, d.order_id
     FROM deliveries d INDEXED BY deliveries_due
     JOIN orders o ON o.id = d.order_id LEFT JOIN paces p ON p.service_id = o.service_id
     WHERE d.provider_id = $1 AND d.stage = $2 AND d.moved_at <= $3
       AND d.moved_at <= $4 - 3 * coalesce(p.seconds, 0)";

/// A service's orders that have not moved for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    pub orders: i64,
    pub oldest: OrderId,
}

/// Adds a provider's orders in a stage that have not moved since `before`, nor for three times as
/// long as their service takes. Looks at all of the stage.
pub fn add_slow(
    db: &Read<'_>,
    slow: &mut BTreeMap<ServiceId, Slow>,
    (provider, stage): (ProviderId, Stage),
    (before, now): (Timestamp, Timestamp),
) -> Result<()> {
    db.for_each(SLOW, params![provider, stage, before, now], |row| {
        let (service, order) = (row.get(0)?, row.get(1)?);
        let found = slow.entry(service).or_insert(Slow { orders: 0, oldest: order });
        found.orders += 1;
        found.oldest = found.oldest.min(order);
        Ok(())
    })
}

/// Nothing more has to happen to the order.
pub fn delete(tx: &Tx<'_>, order: OrderId) -> Result<()> {
    tx.execute("DELETE FROM deliveries WHERE order_id = $1", params![order])?;
    Ok(())
}

const DUE: &str = "SELECT order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = $2 AND due_at <= $3 ORDER BY due_at LIMIT $4";

/// A provider's orders that are due in a stage by then, what is due longest first.
pub fn list_due(
    db: &Read<'_>,
    provider: ProviderId,
    stage: Stage,
    by: Timestamp,
    limit: i64,
) -> Result<Vec<OrderId>> {
    db.list(DUE, params![provider, stage, by, limit], |row| row.get(0))
}

const NEXT_DUE: &str = "SELECT min(due_at) FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = $2";

/// When the first of a provider's orders in a stage is due.
pub fn next_due(db: &Read<'_>, provider: ProviderId, stage: Stage) -> Result<Option<Timestamp>> {
    db.get(NEXT_DUE, params![provider, stage], |row| row.get(0))
}

/// Whether a provider has an order that is due in a stage.
pub fn is_due(db: &Read<'_>, provider: ProviderId, stage: Stage, now: Timestamp) -> Result<bool> {
    Ok(next_due(db, provider, stage)?.is_some_and(|due| due <= now))
}

const IN_STAGE: &str = "SELECT order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = $2 LIMIT $3";

/// Some of a provider's orders in a stage.
pub fn list_in_stage(
    db: &Read<'_>,
    provider: ProviderId,
    stage: Stage,
    limit: i64,
) -> Result<Vec<OrderId>> {
    db.list(IN_STAGE, params![provider, stage, limit], |row| row.get(0))
}

const WAITING: &str = "SELECT due_at, order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = 'send' AND (due_at, order_id) > ($2, $3)
     ORDER BY due_at, order_id LIMIT $4";

/// A provider's orders that wait to be sent, behind one of them, with when they are due.
pub fn list_waiting(
    db: &Read<'_>,
    provider: ProviderId,
    after: Option<(Timestamp, OrderId)>,
    limit: usize,
) -> Result<Vec<(Timestamp, OrderId)>> {
    let (due_at, order) = after.unwrap_or((Timestamp(i64::MIN), OrderId(0)));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.list(WAITING, params![provider, due_at, order, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn hand_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM deliveries INDEXED BY deliveries_hand
         WHERE hand <> '' AND hand > '' ORDER BY hand, order_id LIMIT $1"
    )
}

/// Orders that wait for a person, by what for.
pub fn list_hand(db: &Read<'_>, limit: i64) -> Result<Vec<Delivery>> {
    db.list(&hand_sql(), params![limit], read_delivery)
}

const HELD: &str = "SELECT order_id FROM deliveries INDEXED BY deliveries_hand
     WHERE hand <> '' AND hand = $1 ORDER BY order_id LIMIT $2";

/// Orders that wait for a person for that reason.
pub fn list_held(db: &Read<'_>, hand: Hand, limit: i64) -> Result<Vec<OrderId>> {
    db.list(HELD, params![hand, limit], |row| row.get(0))
}

const INTERRUPTED: &str = "SELECT order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = 'call' AND hand = '' LIMIT $2";

/// Some of a provider's orders that were being sent, of which nobody has said what came of it.
pub fn list_interrupted(db: &Read<'_>, provider: ProviderId, limit: i64) -> Result<Vec<OrderId>> {
    db.list(INTERRUPTED, params![provider, limit], |row| row.get(0))
}

const COUNTED: &str = "SELECT 1 FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = $2 LIMIT $3";

/// How many of a provider's orders are in a stage, counted up to a limit.
pub fn count(db: &Read<'_>, provider: ProviderId, stage: Stage, limit: i64) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM ({COUNTED}) AS counted");
    db.get(&sql, params![provider, stage, limit], |row| row.get(0))
}

const HANDS: &str = "SELECT 1 FROM deliveries INDEXED BY deliveries_hand
     WHERE hand <> '' AND hand > '' AND provider_id = $1 LIMIT $2";

/// How many of a provider's orders wait for a person, counted up to a limit.
pub fn count_hands(db: &Read<'_>, provider: ProviderId, limit: i64) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM ({HANDS}) AS counted");
    db.get(&sql, params![provider, limit], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn all_that_a_lane_asks_walks_an_index() {
        for sql in [DUE, NEXT_DUE, IN_STAGE, WAITING, PULL, HELD, INTERRUPTED, COUNTED, HANDS, SLOW]
        {
            schema::assert_walks_an_index(sql);
        }
        schema::assert_walks_an_index(&hand_sql());
    }
}
