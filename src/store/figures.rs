//! What happened when, in slots of a quarter of an hour: what charts are drawn from.
//!
//! A slot is written in the transaction of what it counts, so it is always exact.

use super::value::params;
use super::{Read, Result, Tx};
use crate::domain::Timestamp;
use crate::domain::figures::{Figures, SLOT_SECONDS};

/// Counts something that happens now. It is written with the batch, or when the next slot begins.
pub(super) fn add(tx: &Tx<'_>, figures: &Figures) -> Result<()> {
    let slot_at = tx.now.0 - tx.now.0.rem_euclid(SLOT_SECONDS);
    let mut sums = tx.sums.borrow_mut();
    if sums.slot_at != slot_at {
        write(tx, sums.slot_at, &std::mem::take(&mut sums.figures))?;
        sums.slot_at = slot_at;
    }
    sums.figures = sums.figures.plus(figures);
    Ok(())
}

/// Adds to a slot.
pub(super) fn write(tx: &Tx<'_>, slot_at: i64, figures: &Figures) -> Result<()> {
    if *figures == Figures::default() {
        return Ok(());
    }
    tx.save(
        "INSERT INTO figures (slot_at, orders, charged_micros, captured_micros, refunded_micros,
                              deposit_micros, cost_micros)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (slot_at) DO UPDATE SET
           orders          = figures.orders          + excluded.orders,
           charged_micros  = figures.charged_micros  + excluded.charged_micros,
           captured_micros = figures.captured_micros + excluded.captured_micros,
           refunded_micros = figures.refunded_micros + excluded.refunded_micros,
           deposit_micros  = figures.deposit_micros  + excluded.deposit_micros,
           cost_micros     = figures.cost_micros     + excluded.cost_micros",
        params![
            slot_at,
            figures.orders,
            figures.charged,
            figures.captured,
            figures.refunded,
            figures.deposits,
            figures.cost,
        ],
    )
}

/// The slots from one instant to before another, oldest first. A month has some three thousand.
pub fn list(db: &Read<'_>, from: Timestamp, until: Timestamp) -> Result<Vec<(Timestamp, Figures)>> {
    db.list(
        "SELECT slot_at, orders, charged_micros, captured_micros, refunded_micros, deposit_micros,
                cost_micros
         FROM figures WHERE slot_at >= $1 AND slot_at < $2 ORDER BY slot_at LIMIT 40000",
        params![from, until],
        |row| {
            let figures = Figures {
                orders: row.get(1)?,
                charged: row.get(2)?,
                captured: row.get(3)?,
                refunded: row.get(4)?,
                deposits: row.get(5)?,
                cost: row.get(6)?,
            };
            Ok((row.get(0)?, figures))
        },
    )
}
