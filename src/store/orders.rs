//! Orders.

use super::desk::What;
use super::links::{ByLink, LinkParams};
use super::page::{Cursor, Span};
use super::requests::RequestId;
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx, accounts, figures};
use crate::domain::figures::Figures;
use crate::domain::input::Input;
use crate::domain::link;
use crate::domain::order::{Change, DripFeed, Order, Part, PublicStatus};
use crate::domain::placing::NewOrder;
use crate::domain::{Actor, OrderId, ServiceId, UserId};

fn read_order(row: &Row<'_>) -> RowResult<Order> {
    let runs: Option<i64> = row.get(7)?;
    let interval_minutes: Option<i64> = row.get(8)?;
    Ok(Order {
        id: row.get(0)?,
        user: row.get(1)?,
        service: row.get(2)?,
        part: read_part(row)?,
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

fn read_part(row: &Row<'_>) -> RowResult<Part> {
    let parent: Option<OrderId> = row.get(20)?;
    let runs_of_parent: Option<i64> = row.get(21)?;
    Ok(match (parent, runs_of_parent) {
        (None, _) => Part::Whole,
        (Some(parent), Some(_)) => Part::RunOf(parent),
        (Some(parent), None) => Part::PostOf(parent),
    })
}

const FIND: &str =
    "SELECT o.id, o.user_id, o.service_id, o.kind, o.link, o.quantity, o.units, o.runs,
            o.interval_minutes, o.rate_micros, o.charge_micros, o.refunded_micros, o.status,
            o.shown, o.start_count, o.remains, o.custom_id, o.created_at, o.finished_at,
            o.cancel_requested_at, o.parent_id,
            (SELECT parent.runs FROM orders parent WHERE parent.id = o.parent_id)
     FROM orders o WHERE o.id = $1";

/// An order by its number, whichever user's it is.
pub fn find(db: &Read<'_>, id: OrderId) -> Result<Option<Order>> {
    db.find(FIND, params![id], read_order)
}

/// The orders of those numbers, in that order, whichever users' they are.
pub fn find_each(db: &Read<'_>, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
    db.find_each(FIND, ids, read_order)
}

/// An order by its number, if it is that user's. Another's is not there, nor is a run.
pub fn find_of(db: &Read<'_>, user: UserId, id: OrderId) -> Result<Option<Order>> {
    let is_theirs = |order: &Order| order.user == user && order.parent_of_run().is_none();
    Ok(find(db, id)?.filter(is_theirs))
}

/// Who placed an order, and under what names of the customer's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub actor: Actor,
    /// The id under which the request buys only once.
    pub request: Option<RequestId>,
    /// The customer's own name for the order.
    pub custom_id: Option<String>,
}

/// The user's open order of the service for the link, where the service allows only one.
pub fn find_twin(
    db: &Read<'_>,
    user: UserId,
    service: ServiceId,
    link: &str,
) -> Result<Option<OrderId>> {
    let sql = if db.wire().is_some() { TWIN_BY_DIGEST } else { TWIN };
    db.find(sql, params![user, service, link], |row| row.get(0))
}

const TWIN: &str = "SELECT id FROM orders
    WHERE user_id = $1 AND service_id = $2 AND link = $3
      AND is_exclusive = 1 AND finished_at IS NULL";
/// A link may be too long for an index of PostgreSQL's, which holds its digest.
const TWIN_BY_DIGEST: &str = "SELECT id FROM orders
    WHERE user_id = $1 AND service_id = $2 AND md5(link) = md5($3) AND link = $3
      AND is_exclusive = 1 AND finished_at IS NULL";

/// Whether the service has ever been ordered. Looks in every block where it has not.
pub fn has_service(db: &Read<'_>, service: ServiceId) -> Result<bool> {
    let filter = Filter { by: By::Service(service), limit: 1, ..Filter::default() };
    Ok(!list(db, &filter)?.is_empty())
}

/// Whether nobody has ordered anything.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM orders LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// A new order, pending.
pub fn insert(tx: &Tx<'_>, order: &NewOrder, origin: &Origin) -> Result<OrderId> {
    let wanted = &order.wanted;
    let key = match origin.actor {
        Actor::Key(key) => Some(key),
        Actor::Admin(_) | Actor::CommandLine | Actor::Delivery => None,
    };
    let id = tx.insert(
        "INSERT INTO orders (user_id, service_id, kind, link, quantity, units, runs,
                             interval_minutes, rate_micros, charge_micros, remains, key_id,
                             request_id, request_digest, custom_id, is_exclusive,
                             created_at, updated_at, link_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $6, $11, $12, $13, $14, $15, $16, $16,
                 $17)",
        params![
            order.account.user,
            order.service,
            order.kind,
            wanted.link,
            wanted.quantity,
            wanted.units,
            wanted.drip_feed.map(|drip_feed| drip_feed.runs),
            wanted.drip_feed.map(|drip_feed| drip_feed.interval_minutes),
            order.rate,
            order.charge,
            key,
            origin.request.as_ref().map(|request| request.text.as_str()),
            origin.request.as_ref().map(|request| request.digest.as_slice()),
            origin.custom_id,
            order.is_exclusive,
            tx.now,
            link::key(&wanted.link),
        ],
    )?;
    let id = OrderId(id);
    tx.sums.borrow_mut().count(PublicStatus::Pending, 1);
    figures::add(tx, &Figures { orders: 1, charged: order.charge, ..Figures::default() })?;
    for (input, text) in &wanted.extras {
        let sql = "INSERT INTO order_inputs (order_id, name, value) VALUES ($1, $2, $3)";
        tx.save(sql, params![id, input, text])?;
    }
    if let Some(request) = &origin.request {
        tx.forget_one(What::Request, params![order.account.user, request.text]);
    }
    Ok(id)
}

/// What else the customer sent for the order.
pub fn inputs(db: &Read<'_>, id: OrderId) -> Result<Vec<(Input, String)>> {
    let sql = "SELECT name, value FROM order_inputs WHERE order_id = $1 ORDER BY name";
    db.list(sql, params![id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Writes a decided move. Its postings are the caller's to write beside it.
pub fn update_state(tx: &Tx<'_>, order: &Order, change: &Change) -> Result<()> {
    let (before, after) = (order.public_status(), PublicStatus::of(change.status, change.shown));
    if before != after {
        let mut sums = tx.sums.borrow_mut();
        sums.count(before, -1);
        sums.count(after, 1);
    }
    let finished_at = change.status.is_final().then_some(tx.now);
    let refund = change.settlement.map_or(0, |settlement| settlement.refund.micros());
    tx.save(
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
            order.id,
        ],
    )
}

/// Keeps the customer's cancel request; the first time counts.
pub fn update_cancel_requested(tx: &Tx<'_>, id: OrderId) -> Result<()> {
    tx.save(
        "UPDATE orders SET cancel_requested_at = $1, updated_at = $1
         WHERE id = $2 AND cancel_requested_at IS NULL",
        params![tx.now, id],
    )
}

/// Forgets the customer's cancel request. They may ask again.
pub fn update_cancel_declined(tx: &Tx<'_>, id: OrderId) -> Result<()> {
    let sql = "UPDATE orders SET cancel_requested_at = NULL, updated_at = $1 WHERE id = $2";
    tx.save(sql, params![tx.now, id])
}

/// Open orders stand in the way of a second one where their service now says so, and no longer do
/// where it does not. Looks through the open orders: for a change of services.
pub fn update_exclusive(tx: &Tx<'_>) -> Result<()> {
    tx.execute(
        "UPDATE orders INDEXED BY orders_open SET is_exclusive = 1 - is_exclusive
         WHERE finished_at IS NULL
           AND is_exclusive <> (SELECT denies_duplicates FROM services WHERE id = service_id)",
        [],
    )?;
    Ok(())
}

/// Which orders are wanted. A user's own names only mean something together with the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that customers see with this status.
    pub status: Option<PublicStatus>,
    /// Whose, of what, for which link.
    pub by: By,
    /// Where the page begins.
    pub from: Cursor,
    /// How many at most.
    pub limit: usize,
    /// Whether runs are left out: their customers do not know them as orders.
    pub hides_runs: bool,
}

/// What a list of orders is about. Each has an index to find it by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// All of them.
    #[default]
    Nothing,
    User(UserId),
    Service(ServiceId),
    Link(ByLink),
    /// A user's, by the link and by the user's own name for them, one of which is given.
    Own {
        user: UserId,
        link: Option<ByLink>,
        custom_id: Option<String>,
    },
    /// Open ones with a cancel request.
    CancelRequest,
}

/// A page of orders, in the order they are met: newest first, on the way back upwards.
pub fn list(db: &Read<'_>, filter: &Filter) -> Result<Vec<Order>> {
    let ids = match filter.by.index() {
        Some(index) if db.wire().is_none() => ids_in_blocks(db, filter, index)?,
        _ => ids_in_run(db, filter)?,
    };
    let ids: Vec<OrderId> = ids.into_iter().map(OrderId).collect();
    Ok(find_each(db, &ids)?.into_iter().flatten().collect())
}

/// The numbers on a page of a list that is kept in one run, as all are on a server.
fn ids_in_run(db: &Read<'_>, filter: &Filter) -> Result<Vec<i64>> {
    let (owner, custom_id) = filter.by.params();
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let status = filter.status.map(PublicStatus::as_str);
    let LinkParams { low, high, exactly } = filter.by.link_params();
    let from = filter.from.bound();
    let params = params![owner, custom_id, low, high, exactly, status, from, limit];
    db.list(&run_sql(filter), params, |row| row.get(0))
}

fn run_sql(filter: &Filter) -> String {
    let by = filter.condition();
    // The one list that is kept by status; others are walked past what has another one.
    let of_status = match filter.status {
        None => "$6 IS NULL",
        Some(_) if matches!(filter.by, By::Nothing) => "public_status = $6",
        Some(_) => "+public_status = $6",
    };
    // Few of many open orders, which another index would walk past one by one.
    let index = match filter.by {
        By::CancelRequest => "INDEXED BY orders_cancel",
        By::Nothing | By::User(_) | By::Service(_) | By::Link(_) | By::Own { .. } => "",
    };
    let (compares, direction) = filter.from.direction();
    format!(
        "SELECT id FROM orders {index} WHERE {by} AND {of_status} AND id {compares} $7
         ORDER BY id {direction} LIMIT $8"
    )
}

/// The numbers on a page of a list that is kept in blocks.
fn ids_in_blocks(db: &Read<'_>, filter: &Filter, index: &str) -> Result<Vec<i64>> {
    let (owner, custom_id) = filter.by.params();
    let status = filter.status.map(PublicStatus::as_str);
    let LinkParams { low, high, exactly } = filter.by.link_params();
    let sql = block_sql(filter, index);
    let Some(span) = span(db, filter)? else { return Ok(Vec::new()) };
    span.walk(filter.limit, |block| {
        let params = params![owner, custom_id, low, high, exactly, status, block];
        db.list(&sql, params, |row| row.get(0))
    })
}

/// The numbers among which a list in blocks is looked for: those between a user's first and last
/// order, so that a user who has not bought for long is found as quickly as any.
/// `None` where the user has no order.
fn span(db: &Read<'_>, filter: &Filter) -> Result<Option<Span>> {
    let (By::User(user) | By::Own { user, .. }) = filter.by else {
        return Ok(Some(filter.from.span(last(db)?)));
    };
    let bounds = accounts::order_bounds(db, user)?;
    Ok(bounds.map(|(first, last)| filter.from.span(last).starting_at(first)))
}

fn block_sql(filter: &Filter, index: &str) -> String {
    let by = filter.condition();
    let of_status = if filter.status.is_some() { "public_status = $6" } else { "$6 IS NULL" };
    format!("SELECT id FROM orders INDEXED BY {index} WHERE {by} AND {of_status} AND block = $7")
}

/// The newest order's number, 0 where there is none.
fn last(db: &Read<'_>) -> Result<i64> {
    db.get("SELECT coalesce(max(id), 0) FROM orders", [], |row| row.get(0))
}

impl Filter {
    /// What a row has to fulfil besides its status, with the parameters of [`By::condition`].
    fn condition(&self) -> String {
        let mut condition = self.by.condition();
        if self.hides_runs {
            condition.push_str(
                " AND (parent_id IS NULL OR
                       (SELECT parent.runs FROM orders parent
                        WHERE parent.id = orders.parent_id) IS NULL)",
            );
        }
        condition
    }
}

impl By {
    /// The index of a list that is kept in blocks.
    const fn index(&self) -> Option<&'static str> {
        match self {
            Self::User(_) => Some("orders_user"),
            Self::Service(_) => Some("orders_service"),
            Self::Link(_) | Self::Own { link: Some(_), custom_id: None, .. } => Some("orders_link"),
            Self::Nothing | Self::Own { .. } | Self::CancelRequest => None,
        }
    }

    /// Whether an order that was found otherwise belongs to the list.
    pub fn holds(&self, order: &Order) -> bool {
        match self {
            Self::Nothing => true,
            Self::User(user) => order.user == *user,
            Self::Service(service) => order.service == *service,
            Self::Link(link) => link.holds(order),
            Self::Own { user, link, custom_id } => {
                order.user == *user
                    && link.as_ref().is_none_or(|link| link.holds(order))
                    && custom_id.as_ref().is_none_or(|id| order.custom_id.as_ref() == Some(id))
            }
            Self::CancelRequest => order.cancel_requested_at.is_some() && !order.status.is_final(),
        }
    }

    /// The condition, in which `$1` and `$2` are [`By::params`], `$3` to `$5` [`LinkParams`].
    fn condition(&self) -> String {
        let owner = match self {
            Self::Nothing | Self::Link(_) | Self::CancelRequest => "$1 = 0",
            Self::User(_) | Self::Own { .. } => "user_id = $1",
            Self::Service(_) => "service_id = $1",
        };
        let (_, custom_id) = self.params();
        let custom_id = if custom_id.is_some() { "custom_id = $2" } else { "$2 IS NULL" };
        let link = match self.link() {
            None => "$3 IS NULL AND $4 IS NULL AND $5 IS NULL",
            Some(ByLink::Exactly(_)) => "link_key BETWEEN $3 AND $4 AND link = $5",
            Some(ByLink::Same(_) | ByLink::Starting(_)) => {
                "link_key BETWEEN $3 AND $4 AND $5 IS NULL"
            }
        };
        let mut condition = format!("{owner} AND {custom_id} AND {link}");
        if *self == Self::CancelRequest {
            condition.push_str(" AND cancel_requested_at IS NOT NULL AND finished_at IS NULL");
        }
        condition
    }

    const fn link(&self) -> Option<&ByLink> {
        match self {
            Self::Link(link) => Some(link),
            Self::Own { link, .. } => link.as_ref(),
            Self::Nothing | Self::User(_) | Self::Service(_) | Self::CancelRequest => None,
        }
    }

    fn params(&self) -> (i64, Option<&str>) {
        match self {
            Self::Nothing | Self::CancelRequest | Self::Link(_) => (0, None),
            Self::User(user) => (user.0, None),
            Self::Service(service) => (service.0, None),
            Self::Own { user, custom_id, .. } => (user.0, custom_id.as_deref()),
        }
    }

    fn link_params(&self) -> LinkParams<'_> {
        self.link().map_or_else(LinkParams::default, ByLink::params)
    }
}

/// Writes how many orders more or fewer have a status.
pub(super) fn write_count(tx: &Tx<'_>, status: PublicStatus, by: i64) -> Result<()> {
    let sql = "UPDATE order_counts SET count = count + $1 WHERE public_status = $2";
    tx.save(sql, params![by, status])
}

/// How many orders there are of each status.
pub fn counts(db: &Read<'_>) -> Result<Vec<(PublicStatus, i64)>> {
    let mut counts = Vec::with_capacity(PublicStatus::ALL.len());
    db.for_each("SELECT public_status, count FROM order_counts", [], |row| {
        let status: String = row.get(0)?;
        counts.extend(PublicStatus::from_stored(&status).zip(row.get(1)?));
        Ok(())
    })?;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans;

    #[test]
    fn every_list_is_walked_in_the_order_of_an_index() {
        let user = UserId(1);
        let custom_id = Some("y".to_owned());
        let links = [ByLink::Exactly, ByLink::Same, ByLink::Starting].map(|by| by("x".to_owned()));
        let of_link = |link: ByLink| {
            let own = |custom_id| By::Own { user, link: Some(link.clone()), custom_id };
            [By::Link(link.clone()), own(None), own(custom_id.clone())]
        };
        let others = [
            By::Nothing,
            By::User(user),
            By::Service(ServiceId(1)),
            By::Own { user, link: None, custom_id: custom_id.clone() },
            By::CancelRequest,
        ];
        let lists: Vec<By> = links.into_iter().flat_map(of_link).chain(others).collect();
        let statuses = || PublicStatus::ALL.iter().copied().map(Some).chain([None]);
        for by in lists {
            for from in [Cursor::Newest, Cursor::Newer(1)] {
                for (status, hides_runs) in
                    statuses().flat_map(|status| [(status, false), (status, true)])
                {
                    let by = by.clone();
                    let filter = Filter { by, from, status, hides_runs, ..Filter::default() };
                    let in_blocks = filter.by.index().map(|index| block_sql(&filter, index));
                    in_blocks.iter().for_each(|sql| plans::assert_walks_an_index(sql));
                    plans::assert_walks_an_index(&run_sql(&filter));
                }
            }
        }
    }
}
