//! Resellers with their purses, and their own rates.

use super::tx::{Row, RowResult, params};
use super::{Error, Read, Result, Tx};
use crate::domain::ledger::Purse;
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::refusal::Refusal;
use crate::domain::user::User;
use crate::domain::{AccountId, ServiceId, UserId};

/// A statement that `read_user` understands, with the given end.
macro_rules! select {
    ($end:literal) => {
        concat!(
            "SELECT u.id, u.name, u.account_id, a.balance_micros, a.credit_limit_micros,
                    u.discount_bp, u.is_suspended
             FROM users u JOIN accounts a ON a.id = u.account_id ",
            $end
        )
    };
}

fn read_user(row: &Row<'_>) -> RowResult<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        account: row.get(2)?,
        balance: row.get(3)?,
        credit_limit: row.get(4)?,
        discount: row.get(5)?,
        is_suspended: row.get(6)?,
    })
}

/// A user who must exist.
pub fn get(db: &Read<'_>, id: UserId) -> Result<User> {
    db.get(select!("WHERE u.id = $1"), params![id], read_user)
}

/// The user of that name.
///
/// # Errors
/// `UserNotFound`.
pub fn get_named(db: &Read<'_>, name: &str) -> Result<User> {
    let user = db.find(select!("WHERE u.name = $1"), params![name], read_user)?;
    user.ok_or(Error::Refused(Refusal::UserNotFound))
}

/// Users after the given one, by id.
pub fn list(db: &Read<'_>, after: UserId, limit: i64) -> Result<Vec<User>> {
    let sql = select!("WHERE u.id > $1 ORDER BY u.id LIMIT $2");
    db.list(sql, params![after, limit], read_user)
}

/// Whether there is anybody at all.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM users LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// The balance of a user who must exist.
pub fn balance(db: &Read<'_>, id: UserId) -> Result<Money> {
    db.get(
        "SELECT a.balance_micros FROM users u JOIN accounts a ON a.id = u.account_id
         WHERE u.id = $1",
        params![id],
        |row| row.get(0),
    )
}

/// The purse of a user who must exist.
pub fn purse(db: &Read<'_>, id: UserId) -> Result<Purse> {
    let sql = "SELECT account_id FROM users WHERE id = $1";
    db.get(sql, params![id], |row| Ok(Purse { user: id, account: row.get(0)? }))
}

/// A new user with an empty purse.
pub fn insert(tx: &Tx<'_>, name: &str) -> Result<UserId> {
    let account: AccountId =
        tx.get("INSERT INTO accounts (kind) VALUES ('user') RETURNING id", [], |row| row.get(0))?;
    tx.get(
        "INSERT INTO users (name, account_id, created_at) VALUES ($1, $2, $3) RETURNING id",
        params![name, account, tx.now],
        |row| row.get(0),
    )
}

/// Whether the name is in use.
pub fn is_named(db: &Read<'_>, name: &str) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM users WHERE name = $1", params![name], |_| Ok(()))?.is_some())
}

/// What the user pays less than the rate.
pub fn update_discount(tx: &Tx<'_>, id: UserId, discount: Discount) -> Result<()> {
    tx.execute("UPDATE users SET discount_bp = $1 WHERE id = $2", params![discount, id])?;
    Ok(())
}

/// How far below zero the balance may go.
pub fn update_credit_limit(tx: &Tx<'_>, account: AccountId, limit: Money) -> Result<()> {
    let sql = "UPDATE accounts SET credit_limit_micros = $1 WHERE id = $2";
    tx.execute(sql, params![limit, account])?;
    Ok(())
}

/// Whether the user's keys are refused.
pub fn update_suspended(tx: &Tx<'_>, id: UserId, is_suspended: bool) -> Result<()> {
    tx.execute("UPDATE users SET is_suspended = $1 WHERE id = $2", params![is_suspended, id])?;
    Ok(())
}

/// The user's own rate for a service.
pub fn find_rate(db: &Read<'_>, user: UserId, service: ServiceId) -> Result<Option<Rate>> {
    let sql = "SELECT rate_micros FROM user_rates WHERE user_id = $1 AND service_id = $2";
    db.find(sql, params![user, service], |row| row.get(0))
}

/// Gives the user a rate of his own.
pub fn update_rate(tx: &Tx<'_>, user: UserId, service: ServiceId, rate: Rate) -> Result<()> {
    tx.execute(
        "INSERT INTO user_rates (user_id, service_id, rate_micros) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, service_id) DO UPDATE SET rate_micros = excluded.rate_micros",
        params![user, service, rate],
    )?;
    Ok(())
}

/// The user pays what others pay.
pub fn delete_rate(tx: &Tx<'_>, user: UserId, service: ServiceId) -> Result<()> {
    let sql = "DELETE FROM user_rates WHERE user_id = $1 AND service_id = $2";
    tx.execute(sql, params![user, service])?;
    Ok(())
}
