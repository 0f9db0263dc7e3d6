//! API keys: looked up by their hash, never by themselves.

use super::page::{Cursor, Page};
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::money::Discount;
use crate::domain::setting::Setting;
use crate::domain::{KeyId, Timestamp, UserId};
use crate::secret::KeyHash;

/// Who a valid key belongs to, and what every answer to them needs. It holds until
/// [`Versions::callers`](super::Versions) moves.
#[derive(Clone, Debug)]
pub struct Caller {
    pub key: KeyId,
    pub user: UserId,
    pub is_suspended: bool,
    /// When the key was last seen, about.
    pub last_used_at: Option<Timestamp>,
    /// Off the rate of every service without a custom rate.
    pub discount: Discount,
    pub has_custom_rates: bool,
    pub currency: String,
}

/// An API key as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: KeyId,
    pub user: UserId,
    pub prefix: String,
    /// What the operator calls it.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last seen, about.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is refused.
    pub revoked_at: Option<Timestamp>,
}

/// The holder of a key that has not been revoked.
pub fn find_caller(db: &Read<'_>, hash: &KeyHash) -> Result<Option<Caller>> {
    db.find(
        "SELECT k.id, k.user_id, u.is_suspended, k.last_used_at, u.discount_bp,
                EXISTS (SELECT 1 FROM user_rates r WHERE r.user_id = u.id),
                (SELECT value FROM settings WHERE key = 'currency')
         FROM api_keys k JOIN users u ON u.id = k.user_id
         WHERE k.key_hash = $1 AND k.revoked_at IS NULL",
        params![hash],
        |row| {
            let currency: Option<String> = row.get(6)?;
            Ok(Caller {
                key: row.get(0)?,
                user: row.get(1)?,
                is_suspended: row.get(2)?,
                last_used_at: row.get(3)?,
                discount: row.get(4)?,
                has_custom_rates: row.get(5)?,
                currency: currency.unwrap_or_else(|| Setting::Currency.default().to_owned()),
            })
        },
    )
}

/// A user's keys, oldest first.
pub fn list(db: &Read<'_>, user: UserId) -> Result<Vec<ApiKey>> {
    db.list(
        "SELECT id, key_prefix, label, created_at, last_used_at, revoked_at, user_id
         FROM api_keys WHERE user_id = $1 ORDER BY id LIMIT 1000",
        params![user],
        read_key,
    )
}

/// A user's keys that were made after that one, oldest first.
pub fn list_newer(db: &Read<'_>, user: UserId, than: Option<KeyId>) -> Result<Vec<ApiKey>> {
    db.list(LIST_NEWER, params![user, than.map_or(0, |key| key.0)], read_key)
}

const LIST_NEWER: &str = "
    SELECT id, key_prefix, label, created_at, last_used_at, revoked_at, user_id
    FROM api_keys WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT 1000";

/// The key in whose place a replaced one now is refused.
pub fn find_successor(db: &Read<'_>, of: &ApiKey) -> Result<Option<ApiKey>> {
    let newer = list_newer(db, of.user, Some(of.id))?;
    let is_it = |key: &ApiKey| key.label == of.label && Some(key.created_at) == of.revoked_at;
    Ok(newer.into_iter().find(is_it))
}

/// The newest key of all users.
pub fn find_newest(db: &Read<'_>) -> Result<Option<KeyId>> {
    db.find("SELECT id FROM api_keys ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
}

/// Whether nobody has a key.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM api_keys LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// One key.
pub fn find(db: &Read<'_>, id: KeyId) -> Result<Option<ApiKey>> {
    db.find(
        "SELECT id, key_prefix, label, created_at, last_used_at, revoked_at, user_id
         FROM api_keys WHERE id = $1",
        params![id],
        read_key,
    )
}

fn read_key(row: &Row<'_>) -> RowResult<ApiKey> {
    Ok(ApiKey {
        id: row.get(0)?,
        prefix: row.get(1)?,
        label: row.get(2)?,
        created_at: row.get(3)?,
        last_used_at: row.get(4)?,
        revoked_at: row.get(5)?,
        user: row.get(6)?,
    })
}

/// Which keys a page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    #[default]
    All,
    Active,
    /// Those that work and were never used.
    NeverUsed,
    /// Those that work and were neither made nor used since then. They are looked for among those
    /// that work.
    IdleSince(Timestamp),
    /// Those that are refused.
    Revoked,
}

/// What a page of keys shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub which: Which,
    pub user: Option<UserId>,
    /// Where the page begins.
    pub cursor: Cursor,
    /// How many rows it has.
    pub size: i64,
}

/// A key as a page of keys shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub key: ApiKey,
    /// The name of its user.
    pub user_name: String,
    /// Whether all keys of the user are refused.
    pub is_suspended: bool,
}

fn page_sql(filter: &Filter) -> String {
    let (compares, direction) = filter.cursor.direction();
    let (index, is_one) = match filter.which {
        Which::All => ("NOT INDEXED", "$2 IS NULL"),
        Which::Active => ("INDEXED BY api_keys_active", "k.revoked_at IS NULL AND $2 IS NULL"),
        Which::NeverUsed => (
            "INDEXED BY api_keys_unused",
            "k.revoked_at IS NULL AND k.last_used_at IS NULL AND $2 IS NULL",
        ),
        Which::IdleSince(_) => (
            "INDEXED BY api_keys_active",
            "k.revoked_at IS NULL AND coalesce(k.last_used_at, k.created_at) < $2",
        ),
        Which::Revoked => {
            ("INDEXED BY api_keys_revoked", "k.revoked_at IS NOT NULL AND $2 IS NULL")
        }
    };
    let (index, is_theirs) = match filter.user {
        None => (index, "$1 IS NULL"),
        Some(_) => ("INDEXED BY api_keys_user", "k.user_id = $1"),
    };
    format!(
        "SELECT k.id, k.key_prefix, k.label, k.created_at, k.last_used_at, k.revoked_at, k.user_id,
                u.name, u.is_suspended
         FROM api_keys k {index} LEFT JOIN users u ON u.id = k.user_id
         WHERE {is_theirs} AND {is_one} AND k.id {compares} $3 ORDER BY k.id {direction} LIMIT $4"
    )
}

/// A page of keys, newest first.
pub fn page(db: &Read<'_>, filter: &Filter) -> Result<Page<Listed>> {
    let since = match filter.which {
        Which::IdleSince(at) => Some(at),
        Which::All | Which::Active | Which::NeverUsed | Which::Revoked => None,
    };
    let params = params![filter.user, since, filter.cursor.bound(), filter.size + 1];
    let rows = db.list(&page_sql(filter), params, |row| {
        Ok(Listed { key: read_key(row)?, user_name: row.get(7)?, is_suspended: row.get(8)? })
    })?;
    Ok(filter.cursor.page(rows, filter.size))
}

/// A new key: its hash and its first characters, which are all that is kept.
pub fn insert(
    tx: &Tx<'_>,
    user: UserId,
    hash: &KeyHash,
    prefix: &str,
    label: &str,
) -> Result<KeyId> {
    tx.get(
        "INSERT INTO api_keys (user_id, key_hash, key_prefix, label, created_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
        params![user, hash, prefix, label, tx.now],
        |row| row.get(0),
    )
}

/// From now on the key is refused.
pub fn update_revoked(tx: &Tx<'_>, id: KeyId) -> Result<()> {
    tx.execute("UPDATE api_keys SET revoked_at = $1 WHERE id = $2", params![tx.now, id])?;
    Ok(())
}

/// The key was seen now.
pub fn update_last_used(tx: &Tx<'_>, id: KeyId) -> Result<()> {
    tx.execute("UPDATE api_keys SET last_used_at = $1 WHERE id = $2", params![tx.now, id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn a_page_of_keys_is_read_along_an_index() {
        assert_walks_an_index(LIST_NEWER);
        let since = Which::IdleSince(Timestamp(7));
        for which in [Which::All, Which::Active, Which::NeverUsed, since, Which::Revoked] {
            for user in [None, Some(UserId(1))] {
                for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
                    assert_walks_an_index(&page_sql(&Filter { which, user, cursor, size: 50 }));
                }
            }
        }
    }
}
