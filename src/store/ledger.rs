//! Writing postings, and what accounts hold.

use super::figures::{self, Figures};
use super::tx::params;
use super::{Read, Result, Tx};
use crate::domain::ledger::{Posting, PostingKind};
use crate::domain::money::Money;
use crate::domain::{AccountId, Actor, PostingId};

/// What an account holds.
pub fn balance(db: &Read<'_>, account: AccountId) -> Result<Money> {
    let sql = "SELECT balance_micros FROM accounts WHERE id = $1";
    db.get(sql, params![account], |row| row.get(0))
}

/// Moves the money and writes down that it moved.
///
/// # Errors
/// `AmountTooLarge`, before anything is written. Whether the source can pay was decided before:
/// if it cannot, this is a fault.
pub fn post(tx: &Tx<'_>, posting: &Posting, actor: &Actor) -> Result<PostingId> {
    let (source, destination) = balances(tx, posting)?;
    let (source, destination) = posting.balances_after(source, destination)?;
    count(tx, posting)?;
    set_balance(tx, posting.source, source)?;
    set_balance(tx, posting.destination, destination)?;
    let id = tx.insert(
        "INSERT INTO postings (created_at, kind, source_id, destination_id, amount_micros,
                               source_balance_micros, destination_balance_micros,
                               user_id, order_id, reference, note, actor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params![
            tx.now,
            posting.kind,
            posting.source,
            posting.destination,
            posting.amount,
            source,
            destination,
            posting.user,
            posting.order,
            posting.reference.as_deref().unwrap_or_default(),
            posting.note,
            actor.to_string(),
        ],
    )?;
    Ok(PostingId(id))
}

/// What both sides hold before a posting.
fn balances(db: &Read<'_>, posting: &Posting) -> Result<(Money, Money)> {
    db.get(
        "SELECT s.balance_micros, d.balance_micros FROM accounts s, accounts d
         WHERE s.id = $1 AND d.id = $2",
        params![posting.source, posting.destination],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Counts a movement for the charts. A charge is counted with its order.
fn count(tx: &Tx<'_>, posting: &Posting) -> Result<()> {
    let mut figures = Figures::default();
    match posting.kind {
        PostingKind::Deposit => figures.deposits = posting.amount,
        PostingKind::Capture => figures.captured = posting.amount,
        PostingKind::Refund => figures.refunded = posting.amount,
        PostingKind::Charge | PostingKind::Adjustment | PostingKind::Goodwill => return Ok(()),
    }
    figures::add(tx, &figures)
}

fn set_balance(tx: &Tx<'_>, account: AccountId, balance: Money) -> Result<()> {
    let sql = "UPDATE accounts SET balance_micros = $1 WHERE id = $2";
    tx.execute(sql, params![balance, account])?;
    Ok(())
}

/// Whether any money has ever moved.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM postings LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// Whether a movement with this reference is in the books.
pub fn has_reference(db: &Read<'_>, reference: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM postings WHERE reference = $1 AND reference <> ''";
    Ok(db.find(sql, params![reference], |_| Ok(()))?.is_some())
}
