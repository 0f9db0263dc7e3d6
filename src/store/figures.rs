//! What happened when, in slots of a quarter of an hour: what charts are drawn from.
//!
//! A slot is written in the transaction of what it counts, so it is always exact.

use super::tx::params;
use super::{Read, Result, Tx};
use crate::domain::Timestamp;
use crate::domain::money::Money;

/// Seconds in a slot.
pub const SLOT_SECONDS: i64 = 900;

/// What happened in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Orders placed.
    pub orders: i64,
    /// Taken for them.
    pub charged: Money,
    /// Earned.
    pub captured: Money,
    /// Given back.
    pub refunded: Money,
    /// Paid in.
    pub deposits: Money,
}

impl Figures {
    pub(super) fn plus(&self, more: &Self) -> Self {
        let add = |a: Money, b: Money| Money::from_micros(a.micros().saturating_add(b.micros()));
        Self {
            orders: self.orders.saturating_add(more.orders),
            charged: add(self.charged, more.charged),
            captured: add(self.captured, more.captured),
            refunded: add(self.refunded, more.refunded),
            deposits: add(self.deposits, more.deposits),
        }
    }
}

/// Adds to a slot.
pub(super) fn write(tx: &Tx<'_>, slot_at: i64, figures: &Figures) -> Result<()> {
    if *figures == Figures::default() {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO figures (slot_at, orders, charged_micros, captured_micros, refunded_micros,
                              deposit_micros)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (slot_at) DO UPDATE SET
           orders          = orders          + excluded.orders,
           charged_micros  = charged_micros  + excluded.charged_micros,
           captured_micros = captured_micros + excluded.captured_micros,
           refunded_micros = refunded_micros + excluded.refunded_micros,
           deposit_micros  = deposit_micros  + excluded.deposit_micros",
        params![
            slot_at,
            figures.orders,
            figures.charged,
            figures.captured,
            figures.refunded,
            figures.deposits,
        ],
    )?;
    Ok(())
}

/// The slots from one instant to before another, oldest first. A month has some three thousand.
pub fn list(db: &Read<'_>, from: Timestamp, until: Timestamp) -> Result<Vec<(Timestamp, Figures)>> {
    db.list(
        "SELECT slot_at, orders, charged_micros, captured_micros, refunded_micros, deposit_micros
         FROM figures WHERE slot_at >= $1 AND slot_at < $2 ORDER BY slot_at LIMIT 40000",
        params![from, until],
        |row| {
            let figures = Figures {
                orders: row.get(1)?,
                charged: row.get(2)?,
                captured: row.get(3)?,
                refunded: row.get(4)?,
                deposits: row.get(5)?,
            };
            Ok((row.get(0)?, figures))
        },
    )
}
