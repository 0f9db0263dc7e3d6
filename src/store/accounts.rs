//! What accounts hold, and between which orders their owners bought.

use super::Result;
use super::tx::{Read, Tx};
use super::value::params;
use crate::domain::money::Money;
use crate::domain::{AccountId, OrderId, UserId};

/// What an account holds, but for what the batch's sums have not written yet.
pub fn balance(db: &Read<'_>, account: AccountId) -> Result<Money> {
    if let Some(held) = db.held(account) {
        return Ok(held);
    }
    let sql = "SELECT balance_micros FROM accounts WHERE id = $1";
    db.get(sql, params![account], |row| row.get(0))
}

/// What an account holds, with all that this transaction has moved.
pub(super) fn balance_now(tx: &Tx<'_>, account: AccountId) -> Result<Money> {
    let held = tx.sums.borrow().held(account);
    held.map_or_else(|| balance(tx, account), Ok)
}

/// Keeps what an account holds from now on. What the house holds is written with the batch.
pub(super) fn update_balance(tx: &Tx<'_>, account: AccountId, balance: Money) -> Result<()> {
    if tx.sums.borrow_mut().hold(account, balance) {
        return Ok(());
    }
    if !tx.hold(account, Some(balance), None) {
        tx.execute(WRITE, params![balance, account])?;
    }
    Ok(())
}

const WRITE: &str = "UPDATE accounts SET balance_micros = $1 WHERE id = $2";

/// Writes what an account of the house holds, when nothing of the batch will look at it any more.
pub(super) fn write_balance(tx: &Tx<'_>, account: AccountId, balance: Money) -> Result<()> {
    tx.save(WRITE, params![balance, account])
}

/// The accounts of the house, on a server: number, what it holds, its first and its last order.
pub(super) const HOUSE: &str =
    "SELECT id, balance_micros, first_order_id, last_order_id FROM accounts WHERE id <= 3";

/// The first and the last order of a user; `None` where the user has not bought anything.
pub(super) fn order_bounds(db: &Read<'_>, user: UserId) -> Result<Option<(i64, i64)>> {
    let sql = "SELECT a.first_order_id, a.last_order_id
               FROM users u JOIN accounts a ON a.id = u.account_id WHERE u.id = $1";
    let found = db.find(sql, params![user], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.and_then(|(first, last): (Option<i64>, Option<i64>)| first.zip(last)))
}

/// Keeps what the account of a user holds after its latest order was paid.
pub(super) fn update_charged(
    tx: &Tx<'_>,
    account: AccountId,
    balance: Money,
    order: OrderId,
) -> Result<()> {
    if tx.hold(account, Some(balance), Some(order)) {
        return Ok(());
    }
    tx.execute(
        "UPDATE accounts SET balance_micros = $1, last_order_id = $2,
                             first_order_id = coalesce(first_order_id, $2)
         WHERE id = $3",
        params![balance, order, account],
    )?;
    Ok(())
}

/// Keeps that the account's owner has bought something that costs nothing.
pub fn update_last_order(tx: &Tx<'_>, account: AccountId, order: OrderId) -> Result<()> {
    if tx.hold(account, None, Some(order)) {
        return Ok(());
    }
    tx.execute(
        "UPDATE accounts SET last_order_id = $1, first_order_id = coalesce(first_order_id, $1)
         WHERE id = $2",
        params![order, account],
    )?;
    Ok(())
}
