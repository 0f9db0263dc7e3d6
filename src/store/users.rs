//! Resellers with their accounts, and their custom rates.

use super::desk::What;
use super::page::{Cursor, Page};
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::ledger::Account;
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::refusal::OperatorRefusal;
use crate::domain::user::User;
use crate::domain::{AccountId, ServiceId, Timestamp, UserId};

/// A statement that `read_user` understands, with the given end.
macro_rules! select {
    ($end:literal) => {
        select!("", $end)
    };
    ($more:literal, $end:literal) => {
        concat!(
            "SELECT u.id, u.name, u.account_id, a.balance_micros, a.credit_limit_micros,
                    u.discount_bp, u.is_suspended",
            $more,
            " FROM users u JOIN accounts a ON a.id = u.account_id ",
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
    if let Some(Some(user)) = db.recall(What::User, params![id], read_user)?
        && let Some(balance) = db.held(user.account)
    {
        return Ok(User { balance, ..user });
    }
    db.get(select!("WHERE u.id = $1"), params![id], read_user)
}

/// Many users, on a server; the first and the last order of each stand behind what is read.
pub(super) const MANY: &str =
    select!(", a.first_order_id, a.last_order_id", "WHERE u.id = ANY($1)");

/// A user by number.
pub fn find(db: &Read<'_>, id: UserId) -> Result<Option<User>> {
    db.find(select!("WHERE u.id = $1"), params![id], read_user)
}

/// The users of those numbers, in that order.
pub fn find_each(db: &Read<'_>, ids: &[UserId]) -> Result<Vec<Option<User>>> {
    db.find_each(select!("WHERE u.id = $1"), ids, read_user)
}

/// The user of that name.
///
/// # Errors
/// `UserNotFound`.
pub fn get_named(db: &Read<'_>, name: &str) -> Result<User> {
    let user = db.find(select!("WHERE u.name = $1"), params![name], read_user)?;
    user.ok_or(OperatorRefusal::UserNotFound.into())
}

/// A user by name, or else by number, as people type them.
pub fn find_called(db: &Read<'_>, text: &str) -> Result<Option<User>> {
    let named = db.find(select!("WHERE u.name = $1"), params![text], read_user)?;
    match (named, text.trim_start_matches('#').parse()) {
        (None, Ok(id)) => find(db, UserId(id)),
        (named, _) => Ok(named),
    }
}

/// Users behind the given one, or from the first, by number.
pub fn list(db: &Read<'_>, after: Option<UserId>, limit: i64) -> Result<Vec<User>> {
    let sql = select!("WHERE u.id > $1 ORDER BY u.id LIMIT $2");
    db.list(sql, params![after.map_or(0, |user| user.0), limit], read_user)
}

/// Which users a page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    #[default]
    All,
    /// Those whose keys are refused.
    Suspended,
    /// Those whose balance is below zero.
    Owing,
}

/// What a page of users shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub which: Which,
    /// Names that begin so, then sorted by name; else the newest first.
    pub name: String,
    /// Where the page begins, by the number of a user.
    pub cursor: Cursor,
    /// How many rows it has.
    pub size: i64,
}

/// A user as a page of users shows one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub user: User,
    pub created_at: Timestamp,
    /// How many keys work.
    pub keys: i64,
    /// When one of them was last seen.
    pub last_used_at: Option<Timestamp>,
    /// How many custom rates there are.
    pub rates: i64,
}

/// The statement of a page. `CROSS JOIN` keeps the page in front and the order of its index.
fn page_sql(filter: &Filter) -> String {
    let (compares, direction) = filter.cursor.direction();
    let rows = match (filter.name.is_empty(), filter.which) {
        (true, Which::All) => format!(
            "users u CROSS JOIN accounts a ON a.id = u.account_id
             WHERE u.id {compares} $1 AND $2 = '' ORDER BY u.id {direction}"
        ),
        (true, Which::Suspended) => format!(
            "users u INDEXED BY users_suspended CROSS JOIN accounts a ON a.id = u.account_id
             WHERE u.is_suspended = 1 AND u.id {compares} $1 AND $2 = '' ORDER BY u.id {direction}"
        ),
        // Accounts are made with their users, so both are in the same order.
        (true, Which::Owing) => format!(
            "accounts a INDEXED BY accounts_owing CROSS JOIN users u ON u.account_id = a.id
             WHERE a.kind = 'user' AND a.balance_micros < 0
               AND a.id {compares} coalesce((SELECT account_id FROM users WHERE id = $1), $1)
               AND $2 = '' ORDER BY a.id {direction}"
        ),
        (false, which) => {
            let is_one = match which {
                Which::All => "1 = 1",
                Which::Suspended => "u.is_suspended = 1",
                Which::Owing => "a.balance_micros < 0",
            };
            // By name the list runs upwards, so its ends change places.
            let (compares, direction, end) = match compares {
                "<" => (">", "ASC", "''"),
                _ => ("<", "DESC", "$2 || char(1114111)"),
            };
            format!(
                "users u CROSS JOIN accounts a ON a.id = u.account_id
                 WHERE u.name {compares} coalesce((SELECT name FROM users WHERE id = $1), {end})
                   AND u.name >= $2 AND u.name < $2 || char(1114111) AND {is_one}
                 ORDER BY u.name {direction}"
            )
        }
    };
    format!(
        "SELECT u.id, u.name, u.account_id, a.balance_micros, a.credit_limit_micros,
                u.discount_bp, u.is_suspended, u.created_at,
                (SELECT count(*) FROM api_keys k WHERE k.user_id = u.id AND k.revoked_at IS NULL),
                (SELECT max(last_used_at) FROM api_keys k WHERE k.user_id = u.id),
                (SELECT count(*) FROM user_rates r WHERE r.user_id = u.id)
         FROM {rows} LIMIT $3"
    )
}

/// A page of users.
pub fn page(db: &Read<'_>, filter: &Filter) -> Result<Page<Listed>> {
    let params = params![filter.cursor.bound(), filter.name, filter.size + 1];
    let rows = db.list(&page_sql(filter), params, |row| {
        Ok(Listed {
            user: read_user(row)?,
            created_at: row.get(7)?,
            keys: row.get(8)?,
            last_used_at: row.get(9)?,
            rates: row.get(10)?,
        })
    })?;
    Ok(filter.cursor.page(rows, filter.size))
}

/// What the operator wrote down about a user.
pub fn note(db: &Read<'_>, id: UserId) -> Result<String> {
    db.get("SELECT note FROM users WHERE id = $1", params![id], |row| row.get(0))
}

/// Since when a user is with us.
pub fn created_at(db: &Read<'_>, id: UserId) -> Result<Timestamp> {
    db.get("SELECT created_at FROM users WHERE id = $1", params![id], |row| row.get(0))
}

/// Writes down something about a user.
pub fn update_note(tx: &Tx<'_>, id: UserId, note: &str) -> Result<()> {
    tx.execute("UPDATE users SET note = $1 WHERE id = $2", params![note, id])?;
    Ok(())
}

/// A rate of a user's own, beside the one for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRate {
    pub service: ServiceId,
    pub name: String,
    /// The rate for all.
    pub listed: Rate,
    pub own: Rate,
}

/// A user's custom rates, by service.
pub fn list_rates(db: &Read<'_>, user: UserId) -> Result<Vec<CustomRate>> {
    db.list(
        "SELECT r.service_id, s.name, s.rate_micros, r.rate_micros
         FROM user_rates r CROSS JOIN services s ON s.id = r.service_id
         WHERE r.user_id = $1 ORDER BY r.service_id LIMIT 1000",
        params![user],
        |row| {
            Ok(CustomRate {
                service: row.get(0)?,
                name: row.get(1)?,
                listed: row.get(2)?,
                own: row.get(3)?,
            })
        },
    )
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

/// The account of a user who must exist.
pub fn account(db: &Read<'_>, id: UserId) -> Result<Account> {
    if let Some(Some(user)) = db.recall(What::User, params![id], read_user)? {
        return Ok(Account { user: id, id: user.account });
    }
    let sql = "SELECT account_id FROM users WHERE id = $1";
    db.get(sql, params![id], |row| Ok(Account { user: id, id: row.get(0)? }))
}

/// A new user with an empty account.
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

/// The user's custom rate for a service.
pub fn find_rate(db: &Read<'_>, user: UserId, service: ServiceId) -> Result<Option<Rate>> {
    let sql = "SELECT rate_micros FROM user_rates WHERE user_id = $1 AND service_id = $2";
    db.find(sql, params![user, service], |row| row.get(0))
}

/// Gives the user a custom rate.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn a_page_of_users_is_read_along_an_index() {
        for which in [Which::All, Which::Suspended, Which::Owing] {
            for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
                for name in ["", "a"] {
                    let filter = Filter { which, name: name.to_owned(), cursor, size: 50 };
                    assert_walks_an_index(&page_sql(&filter));
                }
            }
        }
    }
}
