//! Orders.

use super::tx::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::order::{Change, DripFeed, Order, PublicStatus};
use crate::domain::placing::NewOrder;
use crate::domain::service::Input;
use crate::domain::{KeyId, OrderId, ServiceId, UserId};

const SELECT: &str = "SELECT id, user_id, service_id, kind, link, quantity, units, runs,
                             interval_minutes, rate_micros, charge_micros, refunded_micros, status,
                             shown, start_count, remains, custom_id, created_at, finished_at,
                             cancel_requested_at
                      FROM orders";

fn read_order(row: &Row<'_>) -> RowResult<Order> {
    let runs: Option<i64> = row.get(7)?;
    let interval_minutes: Option<i64> = row.get(8)?;
    Ok(Order {
        id: row.get(0)?,
        user: row.get(1)?,
        service: row.get(2)?,
        kind: row.get(3)?,
        link: row.get(4)?,
        quantity: row.get(5)?,
        units: row.get(6)?,
        drip_feed: runs
            .zip(interval_minutes)
            .map(|(runs, interval_minutes)| DripFeed { runs, interval_minutes }),
        rate: row.get(9)?,
        charge: row.get(10)?,
        refunded: row.get(11)?,
        status: row.get(12)?,
        shown: row.get(13)?,
        start_count: row.get(14)?,
        remains: row.get(15)?,
        custom_id: row.get(16)?,
        created_at: row.get(17)?,
        finished_at: row.get(18)?,
        cancel_requested_at: row.get(19)?,
    })
}

/// An order by its number, whoever's it is.
pub fn find(db: &Read<'_>, id: OrderId) -> Result<Option<Order>> {
    db.find(&format!("{SELECT} WHERE id = $1"), params![id], read_order)
}

/// An order by its number, if it is that user's. Another's is not there.
pub fn find_of(db: &Read<'_>, user: UserId, id: OrderId) -> Result<Option<Order>> {
    Ok(find(db, id)?.filter(|order| order.user == user))
}

/// Who asked, and under what names of his own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The key the order came by.
    pub key: Option<KeyId>,
    /// The id under which the request buys only once.
    pub request: Option<RequestId>,
    /// The customer's own name for the order.
    pub custom_id: Option<String>,
}

/// A client's name for one request, with a digest of all else in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    /// The name.
    pub text: String,
    /// SHA-256 of the request's content, normalised.
    pub digest: [u8; 32],
}

/// The order that a request id has bought, with the digest of that request.
pub fn find_by_request(
    db: &Read<'_>,
    user: UserId,
    request_id: &str,
) -> Result<Option<(OrderId, Vec<u8>)>> {
    db.find(
        "SELECT id, request_digest FROM orders WHERE user_id = $1 AND request_id = $2",
        params![user, request_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The user's open order of the service for the link, where the service allows only one.
pub fn find_twin(
    db: &Read<'_>,
    user: UserId,
    service: ServiceId,
    link: &str,
) -> Result<Option<OrderId>> {
    db.find(
        "SELECT id FROM orders
         WHERE user_id = $1 AND service_id = $2 AND link = $3
           AND is_exclusive = 1 AND finished_at IS NULL",
        params![user, service, link],
        |row| row.get(0),
    )
}

/// Whether the service has ever been ordered. Looks through the orders: for rare questions.
pub fn has_service(db: &Read<'_>, service: ServiceId) -> Result<bool> {
    let sql = "SELECT 1 FROM orders WHERE service_id = $1 LIMIT 1";
    Ok(db.find(sql, params![service], |_| Ok(()))?.is_some())
}

/// Whether nobody has ordered anything.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM orders LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// Open orders are counted up to here.
pub const COUNTED_MAX: i64 = 10_000;

/// How many orders are open, as far as anybody counts.
pub fn count_open(db: &Read<'_>) -> Result<i64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM orders WHERE finished_at IS NULL LIMIT $1)";
    db.get(sql, params![COUNTED_MAX], |row| row.get(0))
}

/// A new order, pending.
pub fn insert(tx: &Tx<'_>, order: &NewOrder, origin: &Origin) -> Result<OrderId> {
    let wanted = &order.wanted;
    let id = tx.get(
        "INSERT INTO orders (user_id, service_id, kind, link, quantity, units, runs,
                             interval_minutes, rate_micros, charge_micros, remains, key_id,
                             request_id, request_digest, custom_id, is_exclusive,
                             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $6, $11, $12, $13, $14, $15, $16, $16)
         RETURNING id",
        params![
            order.purse.user,
            order.service,
            order.kind,
            wanted.link,
            wanted.quantity,
            wanted.units,
            wanted.drip_feed.map(|drip_feed| drip_feed.runs),
            wanted.drip_feed.map(|drip_feed| drip_feed.interval_minutes),
            order.rate,
            order.charge,
            origin.key,
            origin.request.as_ref().map(|request| request.text.as_str()),
            origin.request.as_ref().map(|request| request.digest.as_slice()),
            origin.custom_id,
            order.is_exclusive,
            tx.now,
        ],
        |row| row.get(0),
    )?;
    for (input, text) in &wanted.extras {
        let sql = "INSERT INTO order_inputs (order_id, name, value) VALUES ($1, $2, $3)";
        tx.execute(sql, params![id, input, text])?;
    }
    Ok(id)
}

/// What else the customer sent for the order.
pub fn inputs(db: &Read<'_>, id: OrderId) -> Result<Vec<(Input, String)>> {
    let sql = "SELECT name, value FROM order_inputs WHERE order_id = $1 ORDER BY name";
    db.list(sql, params![id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Writes a decided move. Its postings are the caller's to write beside it.
pub fn update_state(tx: &Tx<'_>, id: OrderId, change: &Change) -> Result<()> {
    let finished_at = change.status.is_final().then_some(tx.now);
    let refund = change.settlement.map_or(0, |settlement| settlement.refund.micros());
    tx.execute(
        "UPDATE orders SET status = $1, shown = $2, start_count = $3, remains = $4,
                           refunded_micros = refunded_micros + $5, finished_at = $6,
                           updated_at = $7
         WHERE id = $8",
        params![
            change.status,
            change.shown,
            change.start_count,
            change.remains,
            refund,
            finished_at,
            tx.now,
            id,
        ],
    )?;
    Ok(())
}

/// Remembers the customer's wish to cancel; the first time counts.
pub fn update_cancel_requested(tx: &Tx<'_>, id: OrderId) -> Result<()> {
    tx.execute(
        "UPDATE orders SET cancel_requested_at = $1, updated_at = $1
         WHERE id = $2 AND cancel_requested_at IS NULL",
        params![tx.now, id],
    )?;
    Ok(())
}

/// From now on the service's open orders stand in the way of a second one, or no longer do.
/// Looks through the open orders: for a change of the service.
pub fn update_exclusive(tx: &Tx<'_>, service: ServiceId, is_exclusive: bool) -> Result<()> {
    tx.execute(
        "UPDATE orders SET is_exclusive = $1 WHERE service_id = $2 AND finished_at IS NULL",
        params![is_exclusive, service],
    )?;
    Ok(())
}

/// Which of a user's orders are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// How many at most.
    pub limit: i64,
    /// Only older ones than this.
    pub before: Option<OrderId>,
    /// Only those that customers see with this status.
    pub status: Option<PublicStatus>,
    /// Only those for exactly this link.
    pub link: Option<String>,
    /// Only those with exactly this name of the customer's own.
    pub custom_id: Option<String>,
}

/// A user's orders, newest first.
pub fn list_of(db: &Read<'_>, user: UserId, filter: &Filter) -> Result<Vec<Order>> {
    // A filter that is not asked for compares nothing, but its parameter is always named.
    let custom_id = if filter.custom_id.is_some() { "custom_id = $3" } else { "$3 IS NULL" };
    let link = if filter.link.is_some() { "link = $4" } else { "$4 IS NULL" };
    let status = filter.status.map_or("1 = 1", condition);
    let sql = format!(
        "{SELECT} WHERE user_id = $1 AND id < $2 AND {custom_id} AND {link} AND {status}
         ORDER BY id DESC LIMIT $5"
    );
    let before = filter.before.unwrap_or(OrderId(i64::MAX));
    let params = params![user, before, filter.custom_id, filter.link, filter.limit];
    db.list(&sql, params, read_order)
}

/// What is stored of the orders that customers see with this status.
const fn condition(status: PublicStatus) -> &'static str {
    match status {
        PublicStatus::Pending => {
            "(status = 'pending' OR (status = 'active' AND shown = 'pending'))"
        }
        PublicStatus::Processing => {
            "(status IN ('sending', 'unknown') OR (status = 'active' AND shown = 'processing'))"
        }
        PublicStatus::InProgress => "(status = 'active' AND shown = 'in_progress')",
        PublicStatus::Completed => "status = 'completed'",
        PublicStatus::Partial => "status = 'partial'",
        PublicStatus::Canceled => "status = 'canceled'",
    }
}
