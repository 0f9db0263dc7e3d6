//! Errands: what providers have to be asked for besides orders.

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::delivery::Hand;
use crate::domain::errand::Errand;
use crate::domain::{ErrandId, OrderId, ProviderId, RefillId, Timestamp};

const COLUMNS: &str =
    "id, order_id, refill_id, provider_id, stage, their_id, due_at, tries, hand, answer";

fn read_errand(row: &Row<'_>) -> RowResult<Errand> {
    let hand: String = row.get(8)?;
    Ok(Errand {
        id: row.get(0)?,
        order: row.get(1)?,
        refill: row.get(2)?,
        provider: row.get(3)?,
        stage: row.get(4)?,
        their_id: row.get(5)?,
        due_at: row.get(6)?,
        tries: row.get(7)?,
        hand: Hand::from_stored(&hand),
        answer: row.get(9)?,
    })
}

/// An errand by its number; it goes with what it is about.
pub fn find(db: &Read<'_>, id: ErrandId) -> Result<Option<Errand>> {
    let sql = format!("SELECT {COLUMNS} FROM errands WHERE id = $1");
    db.find(&sql, params![id], read_errand)
}

/// The errand to cancel an order.
pub fn find_cancel(db: &Read<'_>, order: OrderId) -> Result<Option<Errand>> {
    db.find(&cancel_sql(), params![order], read_errand)
}

fn cancel_sql() -> String {
    format!(
        "SELECT {COLUMNS} FROM errands INDEXED BY errands_cancel
         WHERE order_id = $1 AND refill_id IS NULL"
    )
}

/// The errand for a refill.
pub fn find_refill(db: &Read<'_>, refill: RefillId) -> Result<Option<Errand>> {
    let sql = format!("SELECT {COLUMNS} FROM errands WHERE refill_id = $1");
    db.find(&sql, params![refill], read_errand)
}

/// A provider is asked to cancel an order, from now on; not twice.
pub fn insert_cancel(tx: &Tx<'_>, order: OrderId, provider: ProviderId) -> Result<()> {
    if find_cancel(tx, order)?.is_some() {
        return Ok(());
    }
    tx.save(
        "INSERT INTO errands (order_id, provider_id, stage, due_at) VALUES ($1, $2, 'ask', $3)",
        params![order, provider, tx.now],
    )?;
    tx.sums.borrow_mut().has_work = true;
    Ok(())
}

/// A provider is asked for a refill, from now on.
pub fn insert_refill(
    tx: &Tx<'_>,
    refill: RefillId,
    order: OrderId,
    provider: ProviderId,
) -> Result<()> {
    tx.save(
        "INSERT INTO errands (order_id, refill_id, provider_id, stage, due_at)
         VALUES ($1, $2, $3, 'ask', $4)",
        params![order, refill, provider, tx.now],
    )?;
    tx.sums.borrow_mut().has_work = true;
    Ok(())
}

/// Writes how an errand stands.
pub fn update(tx: &Tx<'_>, errand: &Errand) -> Result<()> {
    tx.save(
        "UPDATE errands SET stage = $1, their_id = $2, due_at = $3, tries = $4, hand = $5,
                            answer = $6
         WHERE id = $7",
        params![
            errand.stage,
            errand.their_id,
            errand.due_at,
            errand.tries,
            errand.hand.map_or("", Hand::as_str),
            errand.answer,
            errand.id,
        ],
    )
}

/// Puts off when an errand is due next.
pub fn update_due(tx: &Tx<'_>, id: ErrandId, due_at: Timestamp) -> Result<()> {
    tx.save("UPDATE errands SET due_at = $1 WHERE id = $2", params![due_at, id])
}

const PULL: &str = "UPDATE errands SET due_at = $1 WHERE id IN
     (SELECT id FROM errands INDEXED BY errands_due
      WHERE provider_id = $2 AND stage <> 'held' AND due_at > $3
        AND (stage = 'ask' OR refill_id IS NOT NULL) LIMIT $4)";

/// Makes some of a provider's errands due that are due later than that. Says how many.
pub fn pull(tx: &Tx<'_>, provider: ProviderId, late: Timestamp, limit: i64) -> Result<usize> {
    tx.execute(PULL, params![tx.now, provider, late, limit])
}

/// The errand is over.
pub fn delete(tx: &Tx<'_>, id: ErrandId) -> Result<()> {
    tx.save("DELETE FROM errands WHERE id = $1", params![id])
}

/// Refills wait for a person: nobody knows which of them a provider has been asked for.
pub fn hold_refills(tx: &Tx<'_>, provider: ProviderId) -> Result<()> {
    tx.execute(HOLD_REFILLS, params![provider])?;
    Ok(())
}

const HOLD_REFILLS: &str =
    "UPDATE errands INDEXED BY errands_due SET stage = 'held', hand = 'refill'
     WHERE provider_id = $1 AND stage <> 'held' AND refill_id IS NOT NULL";

const DUE: &str = "SELECT id FROM errands INDEXED BY errands_due
     WHERE provider_id = $1 AND stage <> 'held' AND due_at <= $2 ORDER BY due_at LIMIT 1";

/// A provider's errand that has been due longest.
pub fn find_due(db: &Read<'_>, provider: ProviderId, now: Timestamp) -> Result<Option<ErrandId>> {
    db.find(DUE, params![provider, now], |row| row.get(0))
}

const NEXT_DUE: &str = "SELECT min(due_at) FROM errands INDEXED BY errands_due
     WHERE provider_id = $1 AND stage <> 'held'";

/// When the first of a provider's errands is due.
pub fn next_due(db: &Read<'_>, provider: ProviderId) -> Result<Option<Timestamp>> {
    db.get(NEXT_DUE, params![provider], |row| row.get(0))
}

const HANDS: &str = "SELECT 1 FROM errands INDEXED BY errands_hand
     WHERE hand <> '' AND hand > '' AND provider_id = $1 LIMIT $2";

/// How many of a provider's errands wait for a person, counted up to a limit.
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
        for sql in [DUE, NEXT_DUE, PULL, HANDS, HOLD_REFILLS, &cancel_sql()] {
            plans::assert_walks_an_index(sql);
        }
    }
}
