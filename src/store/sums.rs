//! What nearly every command of a transaction changes, added up and written once before its COMMIT:
//! figures, the counts of orders, what the accounts of the house hold.

use std::cell::RefCell;

use super::figures::{self, Figures, SLOT_SECONDS};
use super::tx::params;
use super::{Result, Tx, ledger};
use crate::domain::AccountId;
use crate::domain::ledger::HOUSE;
use crate::domain::money::Money;
use crate::domain::order::PublicStatus;

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
                write_balance(tx, account, balance)?;
            }
        }
        figures::write(tx, slot_at, &figures)
    }
}

/// Where the balance of an account is kept, if it is the house's.
fn place(account: AccountId) -> Option<usize> {
    HOUSE.iter().position(|house| *house == account)
}

/// What an account holds, with all that this transaction has moved.
pub(super) fn balance(tx: &Tx<'_>, account: AccountId) -> Result<Money> {
    let held = place(account).and_then(|place| tx.sums.borrow().held[place]);
    held.map_or_else(|| ledger::balance(tx, account), Ok)
}

/// Keeps what an account holds from now on.
pub(super) fn set_balance(tx: &Tx<'_>, account: AccountId, balance: Money) -> Result<()> {
    let Some(place) = place(account) else { return write_balance(tx, account, balance) };
    tx.sums.borrow_mut().held[place] = Some(balance);
    Ok(())
}

fn write_balance(tx: &Tx<'_>, account: AccountId, balance: Money) -> Result<()> {
    let sql = "UPDATE accounts SET balance_micros = $1 WHERE id = $2";
    tx.execute(sql, params![balance, account])?;
    Ok(())
}

/// Counts something that happens now.
pub(super) fn add(tx: &Tx<'_>, figures: &Figures) -> Result<()> {
    let slot_at = tx.now.0 - tx.now.0.rem_euclid(SLOT_SECONDS);
    let mut sums = tx.sums.borrow_mut();
    if sums.slot_at != slot_at {
        figures::write(tx, sums.slot_at, &std::mem::take(&mut sums.figures))?;
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
