//! Writing postings, and what accounts hold.

use super::audit::WHO;
use super::figures::{self, Figures};
use super::page::{Cursor, Page};
use super::tx::params;
use super::{Read, Result, Tx};
use crate::domain::ledger::{Posting, PostingKind, Purse};
use crate::domain::money::Money;
use crate::domain::{AccountId, Actor, OrderId, PostingId, Timestamp};

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

/// A movement as the page of a user shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Its number.
    pub id: PostingId,
    /// When.
    pub created_at: Timestamp,
    /// Why.
    pub kind: PostingKind,
    /// What it did to the purse: more or less in it.
    pub amount: Money,
    /// What was in the purse afterwards.
    pub balance: Money,
    /// The order it was for.
    pub order: Option<OrderId>,
    /// What was written about it.
    pub note: String,
    /// Who moved it, an admin by his name.
    pub actor: String,
}

fn page_of_sql(cursor: Cursor) -> String {
    let (compares, direction) = cursor.direction();
    format!(
        "SELECT id, created_at, kind, source_id, amount_micros, source_balance_micros,
                destination_balance_micros, order_id, note, {WHO}
         FROM postings WHERE user_id = $1 AND id {compares} $2 ORDER BY id {direction} LIMIT $3"
    )
}

/// A page of what happened to a user's purse, newest first.
pub fn page_of(db: &Read<'_>, purse: Purse, cursor: Cursor, size: i64) -> Result<Page<Booked>> {
    let params = params![purse.user, cursor.bound(), size + 1];
    let rows = db.list(&page_of_sql(cursor), params, |row| {
        let is_out = row.get::<_, AccountId>(3)? == purse.account;
        let amount: Money = row.get(4)?;
        let sign = if is_out { -1 } else { 1 };
        Ok(Booked {
            id: row.get(0)?,
            created_at: row.get(1)?,
            kind: row.get(2)?,
            amount: Money::from_micros(sign * amount.micros()),
            balance: row.get(if is_out { 5 } else { 6 })?,
            order: row.get(7)?,
            note: row.get(8)?,
            actor: row.get(9)?,
        })
    })?;
    Ok(cursor.page(rows, size))
}

/// A movement as the page of an order shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfOrder {
    /// Its number.
    pub id: PostingId,
    /// When.
    pub created_at: Timestamp,
    /// Why.
    pub kind: PostingKind,
    /// How much.
    pub amount: Money,
    /// What was in the user's purse afterwards, if it moved.
    pub balance: Option<Money>,
    /// Who moved it, an admin by his name.
    pub actor: String,
}

fn list_of_order_sql() -> String {
    format!(
        "SELECT id, created_at, kind, amount_micros, source_balance_micros,
                destination_balance_micros, {WHO}
         FROM postings WHERE order_id = $1 LIMIT 100"
    )
}

/// What was moved for an order, oldest first: a handful.
pub fn list_of_order(db: &Read<'_>, order: OrderId) -> Result<Vec<OfOrder>> {
    let mut rows = db.list(&list_of_order_sql(), params![order], |row| {
        let kind = row.get(2)?;
        let balance = match kind {
            PostingKind::Charge => row.get(4)?,
            PostingKind::Refund | PostingKind::Goodwill => row.get(5)?,
            PostingKind::Capture | PostingKind::Deposit | PostingKind::Adjustment => None,
        };
        Ok(OfOrder {
            id: row.get(0)?,
            created_at: row.get(1)?,
            kind,
            amount: row.get(3)?,
            balance,
            actor: row.get(6)?,
        })
    })?;
    rows.sort_unstable_by_key(|row| row.id);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::assert_walks_an_index;

    #[test]
    fn a_page_of_postings_is_read_along_an_index() {
        for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
            assert_walks_an_index(&page_of_sql(cursor));
        }
        assert_walks_an_index(&list_of_order_sql());
    }
}
