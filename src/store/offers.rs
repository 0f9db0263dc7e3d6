//! What providers have on their lists, as last seen.

use super::value::{Row, RowResult, params};
use super::{Read, Result};
use crate::domain::ProviderId;
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
