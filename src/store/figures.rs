//! What happened when, in slots of a quarter of an hour: what charts are drawn from.
//!
//! A slot is written in the transaction of what it counts, so it is always exact; so are the counts
//! of orders. A transaction of many commands adds them up first and writes each but once, and so
//! it does with what the house holds, which nearly every posting moves.

use std::cell::RefCell;

use super::tx::params;
use super::{Read, Result, Tx, ledger};
use crate::domain::ledger::HOUSE;
use crate::domain::money::Money;
use crate::domain::order::PublicStatus;
use crate::domain::{AccountId, Timestamp};

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
    fn plus(&self, more: &Self) -> Self {
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

/// What the commands of a transaction make of figures, counts and the house's balances, until it is
/// written.
#[derive(Debug, Default)]
pub(super) struct Sums {
    slot_at: i64,
    figures: Figures,
    /// By the place of the status in [`PublicStatus::ALL`].
    counts: [i64; PublicStatus::ALL.len()],
    /// What the accounts of the house hold, by their place in [`HOUSE`], as far as they were moved.
    held: [Option<Money>; HOUSE.len()],
}

impl Sums {
    /// Writes what was added up. Goes before every COMMIT.
    pub(super) fn write(sums: &RefCell<Self>, tx: &Tx<'_>) -> Result<()> {
        let Self { slot_at, figures, counts, held } = sums.take();
        for (status, by) in PublicStatus::ALL.iter().zip(counts).filter(|(_, by)| *by != 0) {
            let sql = "UPDATE order_counts SET count = count + $1 WHERE public_status = $2";
            tx.execute(sql, params![by, status.as_str()])?;
        }
        for (account, balance) in HOUSE.into_iter().zip(held) {
            if let Some(balance) = balance {
                ledger::write_balance(tx, account, balance)?;
            }
        }
        write(tx, slot_at, &figures)
    }
}

/// What an account of the house holds now, if it was moved in this transaction.
pub(super) fn held(tx: &Tx<'_>, account: AccountId) -> Option<Money> {
    let place = HOUSE.iter().position(|house| *house == account)?;
    tx.sums.borrow().held[place]
}

/// Keeps what an account holds now, if it is the house's.
pub(super) fn hold(tx: &Tx<'_>, account: AccountId, balance: Money) -> bool {
    let place = HOUSE.iter().position(|house| *house == account);
    if let Some(place) = place {
        tx.sums.borrow_mut().held[place] = Some(balance);
    }
    place.is_some()
}

/// Counts something that happens now.
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

/// Counts orders that come to a status, or leave it.
pub(super) fn count(tx: &Tx<'_>, status: PublicStatus, by: i64) {
    let mut sums = tx.sums.borrow_mut();
    let counts = PublicStatus::ALL.iter().zip(&mut sums.counts);
    counts.filter(|(known, _)| **known == status).for_each(|(_, count)| *count += by);
}

fn write(tx: &Tx<'_>, slot_at: i64, figures: &Figures) -> Result<()> {
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
