//! Where orders are at providers, and by which numbers of theirs.

use super::value::params;
use super::{Read, Result, Tx};
use crate::domain::{OrderId, ProviderId};

/// The order is at that provider, under that number of its own.
pub fn update_provider(
    tx: &Tx<'_>,
    order: OrderId,
    provider: ProviderId,
    their_id: &str,
) -> Result<()> {
    let sql = "UPDATE orders SET provider_id = $1, provider_order_id = $2 WHERE id = $3";
    tx.save(sql, params![provider, their_id, order])
}

/// Our order that has that number at a provider.
pub fn find_by_their_id(
    db: &Read<'_>,
    provider: ProviderId,
    their_id: &str,
) -> Result<Option<OrderId>> {
    let sql = "SELECT id FROM orders WHERE provider_id = $1 AND provider_order_id = $2";
    db.find(sql, params![provider, their_id], |row| row.get(0))
}

/// Where an order is, and its number there; `None` for one that no provider has.
pub fn find(db: &Read<'_>, order: OrderId) -> Result<Option<(ProviderId, String)>> {
    let sql = "SELECT provider_id, provider_order_id FROM orders
               WHERE id = $1 AND provider_order_id IS NOT NULL";
    db.find(sql, params![order], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// An order's number at its provider.
pub fn their_id(db: &Read<'_>, order: OrderId) -> Result<Option<String>> {
    Ok(find(db, order)?.map(|(_, their_id)| their_id))
}
