//! What providers have on their lists, as last seen.

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::ProviderId;
use crate::domain::catalogue::OFFERS_MAX;
use crate::domain::pricing::Offer;

const COLUMNS: &str = "provider_id, provider_service, name, category, kind, cost_micros,
    quantity_min, quantity_max, is_dripfeed, is_refill, is_cancel, seen_at, gone_at";

fn read_offer(row: &Row<'_>) -> RowResult<Offer> {
    Ok(Offer {
        provider: row.get(0)?,
        provider_service: row.get(1)?,
        name: row.get(2)?,
        category: row.get(3)?,
        kind: row.get(4)?,
        cost: row.get(5)?,
        quantity_min: row.get(6)?,
        quantity_max: row.get(7)?,
        is_dripfeed: row.get(8)?,
        is_refill: row.get(9)?,
        is_cancel: row.get(10)?,
        seen_at: row.get(11)?,
        gone_at: row.get(12)?,
    })
}

/// A service on a provider's list; also one that is gone from it.
pub fn find(db: &Read<'_>, provider: ProviderId, service: &str) -> Result<Option<Offer>> {
    let sql =
        format!("SELECT {COLUMNS} FROM offers WHERE provider_id = $1 AND provider_service = $2");
    db.find(&sql, params![provider, service], read_offer)
}

/// All that is on a provider's list now, by category as it stands there.
pub fn list(db: &Read<'_>, provider: ProviderId) -> Result<Vec<Offer>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM offers WHERE provider_id = $1 AND gone_at IS NULL
         ORDER BY category, length(provider_service), provider_service LIMIT $2"
    );
    db.list(&sql, params![provider, most()], read_offer)
}

/// Calls for each of a provider's own names that are on its list now.
pub fn for_each_name(
    db: &Read<'_>,
    provider: ProviderId,
    mut each: impl FnMut(String),
) -> Result<()> {
    let sql = "SELECT provider_service FROM offers WHERE provider_id = $1 AND gone_at IS NULL";
    db.for_each(sql, params![provider], |row| {
        each(row.get(0)?);
        Ok(())
    })
}

fn most() -> i64 {
    i64::try_from(OFFERS_MAX).unwrap_or(i64::MAX)
}

/// Writes a line of a list, over what was there of it.
pub fn upsert(tx: &Tx<'_>, offer: &Offer) -> Result<()> {
    tx.save(
        "INSERT INTO offers (provider_id, provider_service, name, category, kind, cost_micros,
                             quantity_min, quantity_max, is_dripfeed, is_refill, is_cancel,
                             seen_at, gone_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL)
         ON CONFLICT (provider_id, provider_service) DO UPDATE SET
           name = excluded.name, category = excluded.category, kind = excluded.kind,
           cost_micros = excluded.cost_micros, quantity_min = excluded.quantity_min,
           quantity_max = excluded.quantity_max, is_dripfeed = excluded.is_dripfeed,
           is_refill = excluded.is_refill, is_cancel = excluded.is_cancel,
           seen_at = excluded.seen_at, gone_at = NULL",
        params![
            offer.provider,
            offer.provider_service,
            offer.name,
            offer.category,
            offer.kind,
            offer.cost,
            offer.quantity_min,
            offer.quantity_max,
            offer.is_dripfeed,
            offer.is_refill,
            offer.is_cancel,
            tx.now,
        ],
    )
}

/// It is no longer on the list.
pub fn update_gone(tx: &Tx<'_>, provider: ProviderId, service: &str) -> Result<()> {
    let sql = "UPDATE offers SET gone_at = $1 WHERE provider_id = $2 AND provider_service = $3";
    tx.save(sql, params![tx.now, provider, service])
}
