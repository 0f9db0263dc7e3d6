//! Providers: what the operator set about them, and what outlasts a restart.

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::money::Money;
use crate::domain::provider::{Provider, Terms, Trouble};
use crate::domain::{ProviderId, Timestamp};

const COLUMNS: &str = "id, url, name, dialect, currency, exchange_nanos, is_insecure, sends_ids,
    timeout_seconds, low_micros, is_enabled, trouble, answer, paused_until, balance_micros,
    balance_at, synced_at, sync_due_at, last_order, created_at";

fn read_provider(row: &Row<'_>) -> RowResult<Provider> {
    let trouble: String = row.get(11)?;
    Ok(Provider {
        id: row.get(0)?,
        url: row.get(1)?,
        terms: Terms {
            name: row.get(2)?,
            dialect: row.get(3)?,
            currency: row.get(4)?,
            exchange: row.get(5)?,
            is_insecure: row.get(6)?,
            sends_ids: row.get(7)?,
            timeout_seconds: row.get(8)?,
            low: row.get(9)?,
        },
        is_enabled: row.get(10)?,
        trouble: Trouble::from_stored(&trouble),
        answer: row.get(12)?,
        paused_until: row.get(13)?,
        balance: row.get(14)?,
        balance_at: row.get(15)?,
        synced_at: row.get(16)?,
        sync_due_at: row.get(17)?,
        last_order: row.get(18)?,
        created_at: row.get(19)?,
    })
}

/// A provider, if there is one of that number.
pub fn find(db: &Read<'_>, id: ProviderId) -> Result<Option<Provider>> {
    let sql = format!("SELECT {COLUMNS} FROM providers WHERE id = $1");
    db.find(&sql, params![id], read_provider)
}

/// A provider that must be there.
pub fn get(db: &Read<'_>, id: ProviderId) -> Result<Provider> {
    let sql = format!("SELECT {COLUMNS} FROM providers WHERE id = $1");
    db.get(&sql, params![id], read_provider)
}

/// The provider of that name.
pub fn find_named(db: &Read<'_>, name: &str) -> Result<Option<Provider>> {
    let sql = format!("SELECT {COLUMNS} FROM providers WHERE name = $1");
    db.find(&sql, params![name], read_provider)
}

/// All providers, the oldest first. There are at most
/// [`PROVIDERS_MAX`](crate::domain::provider::PROVIDERS_MAX).
pub fn list(db: &Read<'_>) -> Result<Vec<Provider>> {
    let sql = format!("SELECT {COLUMNS} FROM providers ORDER BY id");
    db.list(&sql, [], read_provider)
}

/// Its key, sealed for the place that [`seal_place`] names.
pub fn key_sealed(db: &Read<'_>, id: ProviderId) -> Result<Vec<u8>> {
    db.get("SELECT key_sealed FROM providers WHERE id = $1", params![id], |row| row.get(0))
}

/// The MAC of its host, port and key, which the key is sealed for.
pub fn account_mac(db: &Read<'_>, id: ProviderId) -> Result<Vec<u8>> {
    db.get("SELECT account_mac FROM providers WHERE id = $1", params![id], |row| row.get(0))
}

/// The place a provider's key is sealed for, by the MAC of its account.
pub fn seal_place(account_mac: &[u8]) -> String {
    let hex: String = account_mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("providers/key_sealed/{hex}")
}

/// Where a provider is and what opens it: its address, and its key sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub url: String,
    /// MAC of host, port and key: one account upstream is one provider.
    pub account_mac: Vec<u8>,
    pub key_sealed: Vec<u8>,
}

/// Whether another provider is the same account upstream.
pub fn find_account(db: &Read<'_>, account_mac: &[u8]) -> Result<Option<ProviderId>> {
    let sql = "SELECT id FROM providers WHERE account_mac = $1";
    db.find(sql, params![account_mac], |row| row.get(0))
}

/// A new provider; its list is due at once.
pub fn insert(tx: &Tx<'_>, terms: &Terms, access: &Access) -> Result<ProviderId> {
    let id = tx.insert(
        "INSERT INTO providers (name, url, created_at, account_mac, key_sealed, dialect, currency,
                                exchange_nanos, is_insecure, sends_ids, timeout_seconds,
                                low_micros, sync_due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $3)",
        params![
            terms.name,
            access.url,
            tx.now,
            access.account_mac.as_slice(),
            access.key_sealed.as_slice(),
            terms.dialect,
            terms.currency,
            terms.exchange,
            terms.is_insecure,
            terms.sends_ids,
            terms.timeout_seconds,
            terms.low,
        ],
    )?;
    Ok(ProviderId(id))
}

/// Writes what the operator sets.
pub fn update_terms(tx: &Tx<'_>, id: ProviderId, terms: &Terms) -> Result<()> {
    tx.execute(
        "UPDATE providers SET name = $1, dialect = $2, currency = $3, exchange_nanos = $4,
                              is_insecure = $5, sends_ids = $6, timeout_seconds = $7,
                              low_micros = $8
         WHERE id = $9",
        params![
            terms.name,
            terms.dialect,
            terms.currency,
            terms.exchange,
            terms.is_insecure,
            terms.sends_ids,
            terms.timeout_seconds,
            terms.low,
            id,
        ],
    )?;
    Ok(())
}

/// Writes where it is and what opens it.
pub fn update_access(tx: &Tx<'_>, id: ProviderId, access: &Access) -> Result<()> {
    tx.execute(
        "UPDATE providers SET url = $1, account_mac = $2, key_sealed = $3 WHERE id = $4",
        params![access.url, access.account_mac.as_slice(), access.key_sealed.as_slice(), id],
    )?;
    Ok(())
}

/// Whether it gets orders at all.
pub fn update_enabled(tx: &Tx<'_>, id: ProviderId, is_enabled: bool) -> Result<()> {
    let sql = "UPDATE providers SET is_enabled = $1 WHERE id = $2";
    tx.execute(sql, params![is_enabled, id])?;
    Ok(())
}

/// What keeps it from orders, until when, and what it said.
pub fn update_trouble(
    tx: &Tx<'_>,
    id: ProviderId,
    trouble: Option<Trouble>,
    paused_until: Option<Timestamp>,
    answer: &str,
) -> Result<()> {
    tx.execute(
        "UPDATE providers SET trouble = $1, paused_until = $2, answer = $3 WHERE id = $4",
        params![trouble.map_or("", Trouble::as_str), paused_until, answer, id],
    )?;
    Ok(())
}

/// Its balance, in its currency, as told now; `None` where it never was in that currency.
pub fn update_balance(tx: &Tx<'_>, id: ProviderId, balance: Option<Money>) -> Result<()> {
    let sql = "UPDATE providers SET balance_micros = $1, balance_at = $2 WHERE id = $3";
    tx.execute(sql, params![balance, tx.now, id])?;
    Ok(())
}

/// Its newest number for an order of ours.
pub fn update_last_order(tx: &Tx<'_>, id: ProviderId, last: &str) -> Result<()> {
    tx.save("UPDATE providers SET last_order = $1 WHERE id = $2", params![last, id])
}

/// Removes one that nothing names any more.
pub fn delete(tx: &Tx<'_>, id: ProviderId) -> Result<()> {
    tx.execute("DELETE FROM readings WHERE provider_id = $1", params![id])?;
    tx.execute("DELETE FROM offers WHERE provider_id = $1", params![id])?;
    tx.execute("DELETE FROM providers WHERE id = $1", params![id])?;
    Ok(())
}

/// When its list is fetched next.
pub fn update_sync_due(tx: &Tx<'_>, id: ProviderId, due_at: Timestamp) -> Result<()> {
    tx.execute("UPDATE providers SET sync_due_at = $1 WHERE id = $2", params![due_at, id])?;
    Ok(())
}

/// Our balance there as it was read last before that instant, and as it was read first after it;
/// `None` where one of them is missing.
pub fn balances_around(
    db: &Read<'_>,
    id: ProviderId,
    at: Timestamp,
) -> Result<Option<(Money, Money)>> {
    let before = db.find(
        "SELECT balance_micros FROM readings WHERE provider_id = $1 AND read_at <= $2
         ORDER BY read_at DESC LIMIT 1",
        params![id, at],
        |row| row.get(0),
    )?;
    let after = db.find(
        "SELECT balance_micros FROM readings WHERE provider_id = $1 AND read_at > $2
         ORDER BY read_at LIMIT 1",
        params![id, at],
        |row| row.get(0),
    )?;
    Ok(before.zip(after))
}

/// Nothing about it lies ahead of now: its list is due, no pause lasts, and what was read of its
/// balance ahead of now is forgotten.
pub fn pull(tx: &Tx<'_>, id: ProviderId) -> Result<()> {
    tx.execute(
        "UPDATE providers SET paused_until = NULL, sync_due_at = $1, balance_at = NULL
         WHERE id = $2",
        params![tx.now, id],
    )?;
    let sql = "DELETE FROM readings WHERE provider_id = $1 AND read_at > $2";
    tx.execute(sql, params![id, tx.now])?;
    Ok(())
}

/// Its list was taken over now; when it is fetched next.
pub fn update_synced(tx: &Tx<'_>, id: ProviderId, due_at: Timestamp) -> Result<()> {
    let sql = "UPDATE providers SET synced_at = $1, sync_due_at = $2 WHERE id = $3";
    tx.execute(sql, params![tx.now, due_at, id])?;
    Ok(())
}

/// The numbers that it gives our orders begin anew: it is another account.
pub fn delete_last_order(tx: &Tx<'_>, id: ProviderId) -> Result<()> {
    tx.execute("UPDATE providers SET last_order = NULL WHERE id = $1", params![id])?;
    Ok(())
}

/// Whether an order is there, or is to be sent there, or has not been looked at for the last time;
/// or the provider is being asked for a refill.
pub fn has_open_orders(db: &Read<'_>, id: ProviderId) -> Result<bool> {
    let orders = "SELECT 1 FROM deliveries WHERE provider_id = $1 LIMIT 1";
    let errands = "SELECT 1 FROM errands WHERE provider_id = $1 LIMIT 1";
    Ok(db.find(orders, params![id], |_| Ok(()))?.is_some()
        || db.find(errands, params![id], |_| Ok(()))?.is_some())
}

/// Whether an order ever was there, or was tried. Where none was, this reads all attempts.
pub fn has_orders(db: &Read<'_>, id: ProviderId) -> Result<bool> {
    for sql in [
        "SELECT 1 FROM orders WHERE provider_id = $1 AND provider_order_id IS NOT NULL LIMIT 1",
        "SELECT 1 FROM submissions WHERE provider_id = $1 LIMIT 1",
    ] {
        if db.find(sql, params![id], |_| Ok(()))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
