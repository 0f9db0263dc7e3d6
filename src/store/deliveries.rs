//! Deliveries: what still has to happen to orders that are sold through a provider.
//!
//! What was only just bought is due at `AT_ONCE` and in no index: every purchase would pay for
//! its place there. It is found by walking the table behind what was looked at already.

use std::collections::BTreeMap;

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::delivery::{Delivery, Hand, Stage};
use crate::domain::{OrderId, ProviderId, ServiceId, Timestamp};

/// When an order is due that was just bought and that nothing has happened to since.
const AT_ONCE: Timestamp = Timestamp(0);

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
    tx.save(
        "INSERT INTO deliveries (order_id, provider_id, stage, due_at, moved_at)
         VALUES ($1, $2, 'send', $3, $4)",
        params![order, provider, AT_ONCE, tx.now],
    )?;
    tx.sums.borrow_mut().has_work = true;
    Ok(())
}

/// Writes all of a row.
pub fn update(tx: &Tx<'_>, delivery: &Delivery) -> Result<()> {
    tx.save(
        "UPDATE deliveries SET provider_id = $1, place = $2, stage = $3, due_at = $4, tries = $5,
                               moved_at = $6, hand = $7
         WHERE order_id = $8",
        params![
            delivery.provider,
            delivery.place,
            delivery.stage,
            in_index(delivery.due_at),
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
    let sql = "UPDATE deliveries SET due_at = $1 WHERE order_id = $2";
    tx.save(sql, params![in_index(due_at), order])
}

/// The same instant, unless that is in no index.
fn in_index(due_at: Timestamp) -> Timestamp {
    due_at.max(Timestamp(AT_ONCE.0 + 1))
}

const PULL: &str = "UPDATE deliveries SET due_at = $1 WHERE order_id IN
     (SELECT order_id FROM deliveries INDEXED BY deliveries_due
      WHERE provider_id = $2 AND stage = $3 AND due_at > 0 AND due_at > $4 LIMIT $5)";

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

/// The slow ones of some deliveries, in whatever order.
macro_rules! slow {
    ($deliveries:literal) => {
        concat!(
            "SELECT o.service_id, d.order_id FROM deliveries d ",
            $deliveries,
            " AND d.provider_id = $1 AND d.stage = $2 AND d.moved_at <= $3
              AND d.moved_at <= $4 - 3 * coalesce(p.seconds, 0)"
        )
    };
}
const SLOW: &str = slow!(
    "INDEXED BY deliveries_due JOIN orders o ON o.id = d.order_id
     LEFT JOIN paces p ON p.service_id = o.service_id WHERE d.due_at > 0"
);
const SLOW_UNTOUCHED: &str = slow!(
    "NOT INDEXED JOIN orders o ON o.id = d.order_id
     LEFT JOIN paces p ON p.service_id = o.service_id WHERE d.order_id > 0 AND d.due_at = 0"
);

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
    let untouched = [SLOW_UNTOUCHED].into_iter().filter(|_| stage == Stage::Send);
    for sql in untouched.chain([SLOW]) {
        db.for_each(sql, params![provider, stage, before, now], |row| {
            let (service, order) = (row.get(0)?, row.get(1)?);
            let found = slow.entry(service).or_insert(Slow { orders: 0, oldest: order });
            found.orders += 1;
            found.oldest = found.oldest.min(order);
            Ok(())
        })?;
    }
    Ok(())
}

/// Nothing more has to happen to the order.
pub fn delete(tx: &Tx<'_>, order: OrderId) -> Result<()> {
    tx.save("DELETE FROM deliveries WHERE order_id = $1", params![order])
}

const DUE: &str = "SELECT order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = $2 AND due_at > 0 AND due_at <= $3
     ORDER BY due_at LIMIT $4";

/// A provider's orders that are due in a stage by then, what is due longest first; without those
/// that nothing has happened to.
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
     WHERE provider_id = $1 AND stage = $2 AND due_at > 0";

/// When the first of a provider's orders in a stage is due; without those that nothing has happened
/// to.
pub fn next_due(db: &Read<'_>, provider: ProviderId, stage: Stage) -> Result<Option<Timestamp>> {
    db.get(NEXT_DUE, params![provider, stage], |row| row.get(0))
}

const UNTOUCHED: &str = "SELECT order_id FROM deliveries NOT INDEXED
     WHERE order_id > $1 AND due_at = 0 AND stage = 'send' AND provider_id = $2
     ORDER BY order_id LIMIT $3";

/// A provider's orders that were bought after that one and that nothing has happened to. Looks at
/// all that is behind it.
pub fn list_untouched(
    db: &Read<'_>,
    provider: ProviderId,
    after: OrderId,
    limit: i64,
) -> Result<Vec<OrderId>> {
    db.list(UNTOUCHED, params![after, provider, limit], |row| row.get(0))
}

/// The newest order that something still has to happen to.
pub fn newest(db: &Read<'_>) -> Result<Option<OrderId>> {
    db.get("SELECT max(order_id) FROM deliveries", [], |row| row.get(0))
}

/// Whether a provider has an order that waits to be sent and is due. `after` is an order before
/// which all have been touched, and is moved on as far as that is true.
pub fn is_due_to_send(
    db: &Read<'_>,
    provider: ProviderId,
    after: &mut OrderId,
    now: Timestamp,
) -> Result<bool> {
    let untouched = list_untouched(db, provider, *after, 1)?.pop();
    *after = match untouched {
        Some(first) => OrderId(first.0 - 1),
        None => newest(db)?.unwrap_or(*after).max(*after),
    };
    Ok(untouched.is_some()
        || next_due(db, provider, Stage::Send)?.is_some_and(|due_at| due_at <= now))
}

const IN_STAGE: &str = "SELECT order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = $2 AND due_at > 0 LIMIT $3";

/// Some of a provider's orders in a stage.
pub fn list_in_stage(
    db: &Read<'_>,
    provider: ProviderId,
    stage: Stage,
    limit: i64,
) -> Result<Vec<OrderId>> {
    let mut found = match stage {
        Stage::Send => list_untouched(db, provider, OrderId(0), limit)?,
        Stage::Call | Stage::Watch | Stage::Posts | Stage::Last | Stage::Held => Vec::new(),
    };
    let left = limit - as_count(&found);
    found.extend(db.list(IN_STAGE, params![provider, stage, left], |row| row.get::<OrderId>(0))?);
    Ok(found)
}

const WAITING: &str = "SELECT due_at, order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = 'send' AND due_at > 0 AND (due_at, order_id) > ($2, $3)
     ORDER BY due_at, order_id LIMIT $4";

/// A provider's orders that wait to be sent, behind one of them, with when they are due.
pub fn list_waiting(
    db: &Read<'_>,
    provider: ProviderId,
    after: Option<(Timestamp, OrderId)>,
    limit: usize,
) -> Result<Vec<(Timestamp, OrderId)>> {
    let (due_at, order) = after.unwrap_or((AT_ONCE, OrderId(0)));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    if due_at == AT_ONCE {
        let untouched = list_untouched(db, provider, order, limit)?;
        found.extend(untouched.into_iter().map(|order| (AT_ONCE, order)));
    }
    let left = limit - as_count(&found);
    let more = params![provider, due_at, order, left];
    found.extend(db.list(WAITING, more, |row| Ok((row.get(0)?, row.get(1)?)))?);
    Ok(found)
}

fn as_count<T>(found: &[T]) -> i64 {
    i64::try_from(found.len()).unwrap_or(i64::MAX)
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
     WHERE hand <> '' AND hand = $1 AND order_id > $2 ORDER BY order_id LIMIT $3";

/// Orders behind that one that wait for a person for that reason, the oldest first.
pub fn list_held(db: &Read<'_>, hand: Hand, after: OrderId, limit: i64) -> Result<Vec<OrderId>> {
    db.list(HELD, params![hand, after, limit], |row| row.get(0))
}

const INTERRUPTED: &str = "SELECT order_id FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = 'call' AND due_at > 0 AND hand = '' LIMIT $2";
const FORSAKEN: &str = "SELECT d.order_id FROM deliveries d
     WHERE d.provider_id = $1 AND d.stage = 'call' AND d.due_at > 0 AND d.hand = ''
       AND NOT EXISTS (SELECT 1 FROM submissions s JOIN nodes n ON n.id = s.node_id
                       WHERE s.order_id = d.order_id AND s.state = 'sending' AND n.seen_at > $2)
     LIMIT $3";

/// Some of a provider's orders that were being sent, of which nobody will say what came of it: the
/// process that sent them is gone. Before the first order is sent, that is all there are; on a
/// server, those whose node has been silent since `silent`.
pub fn list_interrupted(
    db: &Read<'_>,
    provider: ProviderId,
    silent: Timestamp,
    limit: i64,
) -> Result<Vec<OrderId>> {
    match db.wire() {
        None => db.list(INTERRUPTED, params![provider, limit], |row| row.get(0)),
        Some(_) => db.list(FORSAKEN, params![provider, silent, limit], |row| row.get(0)),
    }
}

const COUNTED: &str = "SELECT 1 FROM deliveries INDEXED BY deliveries_due
     WHERE provider_id = $1 AND stage = $2 AND due_at > 0 LIMIT $3";

/// How many of a provider's orders are in a stage, counted up to a limit.
pub fn count(db: &Read<'_>, provider: ProviderId, stage: Stage, limit: i64) -> Result<i64> {
    let untouched = match stage {
        Stage::Send => as_count(&list_untouched(db, provider, OrderId(0), limit)?),
        Stage::Call | Stage::Watch | Stage::Posts | Stage::Last | Stage::Held => 0,
    };
    let sql = format!("SELECT count(*) FROM ({COUNTED}) AS counted");
    let counted: i64 = db.get(&sql, params![provider, stage, limit], |row| row.get(0))?;
    Ok((untouched + counted).min(limit))
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
    use crate::store::plans;

    #[test]
    fn all_that_a_lane_asks_walks_an_index() {
        for sql in [
            DUE,
            NEXT_DUE,
            UNTOUCHED,
            IN_STAGE,
            WAITING,
            PULL,
            HELD,
            INTERRUPTED,
            COUNTED,
            HANDS,
            SLOW,
            SLOW_UNTOUCHED,
        ] {
            plans::assert_walks_an_index(sql);
        }
        plans::assert_walks_an_index(&hand_sql());
    }
}
