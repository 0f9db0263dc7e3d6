//! Orders as pages show them: with the names of who bought and of what, page by page, and what is
//! known about where one came from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::orders::{self, By, Filter, Start};
use super::page::{Cursor, Page};
use super::tx::params;
use super::{Read, Result};
use crate::domain::order::Order;
use crate::domain::{OrderId, ServiceId, Timestamp, UserId};

/// An order with the names a page shows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The order.
    pub order: Order,
    /// Who bought it.
    pub user: String,
    /// What.
    pub service: String,
}

/// A page of the orders that a filter is about. Where it begins and how long it is comes from the
/// cursor and the size.
pub fn page(db: &Read<'_>, filter: Filter, cursor: Cursor, size: i64) -> Result<Page<Listed>> {
    let from = match cursor {
        Cursor::Newest => Start::Newest,
        Cursor::Older(id) => Start::Below(OrderId(id)),
        Cursor::Newer(id) => Start::Above(OrderId(id)),
    };
    let limit = usize::try_from(size).unwrap_or_default() + 1;
    let mut found = orders::list(db, &Filter { from, limit, ..filter })?;
    if matches!(cursor, Cursor::Newer(_)) {
        found.reverse(); // a page is made of rows as they are met
    }
    named(db, cursor.page(found, size))
}

/// A page of the orders of those numbers that a filter is about, newest first. Numbers that are no
/// order are left out.
pub fn page_of(
    db: &Read<'_>,
    ids: &[OrderId],
    filter: &Filter,
    cursor: Cursor,
    size: i64,
) -> Result<Page<Listed>> {
    let mut ids: Vec<OrderId> = ids.iter().copied().filter(|id| cursor.reaches(id.0)).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    if matches!(cursor, Cursor::Newer(_)) {
        ids.reverse();
    }
    ids.dedup();
    let enough = usize::try_from(size).unwrap_or_default() + 1;
    let mut found = Vec::new();
    for id in ids {
        if found.len() >= enough {
            break;
        }
        let order = orders::find(db, id)?.filter(|order| {
            filter.by.holds(order)
                && filter.status.is_none_or(|status| order.public_status() == status)
        });
        found.extend(order);
    }
    named(db, cursor.page(found, size))
}

/// Puts the names beside the orders of a page, each read once.
fn named(db: &Read<'_>, page: Page<Order>) -> Result<Page<Listed>> {
    let (mut users, mut services) = (HashMap::new(), HashMap::new());
    let mut rows = Vec::with_capacity(page.rows.len());
    for order in page.rows {
        let user = match users.entry(order.user) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(user_name(db, order.user)?),
        };
        let service = match services.entry(order.service) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(service_name(db, order.service)?),
        };
        rows.push(Listed { user: user.clone(), service: service.clone(), order });
    }
    Ok(Page { rows, has_newer: page.has_newer, has_older: page.has_older })
}

fn user_name(db: &Read<'_>, id: UserId) -> Result<String> {
    db.get("SELECT name FROM users WHERE id = $1", params![id], |row| row.get(0))
}

fn service_name(db: &Read<'_>, id: ServiceId) -> Result<String> {
    db.get("SELECT name FROM services WHERE id = $1", params![id], |row| row.get(0))
}

/// An order with its names.
pub fn find(db: &Read<'_>, id: OrderId) -> Result<Option<Listed>> {
    let Some(order) = orders::find(db, id)? else { return Ok(None) };
    let (user, service) = (user_name(db, order.user)?, service_name(db, order.service)?);
    Ok(Some(Listed { order, user, service }))
}

/// The last other orders for the link of an order.
pub fn list_same_link(db: &Read<'_>, order: &Order, limit: usize) -> Result<Vec<Listed>> {
    let by = By::Link(order.link.clone());
    let filter = Filter { by, limit: limit + 1, ..Filter::default() };
    let mut rows = orders::list(db, &filter)?;
    rows.retain(|other| other.id != order.id);
    rows.truncate(limit);
    Ok(named(db, Page { rows, has_newer: false, has_older: false })?.rows)
}

/// What an order came by, and when it last moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The first characters of the API key that bought it, if one did.
    pub key: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Where an order that must exist came from.
pub fn source(db: &Read<'_>, id: OrderId) -> Result<Source> {
    db.get(
        "SELECT k.key_prefix, o.updated_at FROM orders o LEFT JOIN api_keys k ON k.id = o.key_id
         WHERE o.id = $1",
        params![id],
        |row| Ok(Source { key: row.get(0)?, updated_at: row.get(1)? }),
    )
}

const WISHES: &str = "SELECT count(*) FROM (
    SELECT 1 FROM orders
    WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL AND id > 0 LIMIT $1)";

/// How many orders somebody wishes to cancel; counts no further than asked.
pub fn count_wishes(db: &Read<'_>, most: i64) -> Result<i64> {
    db.get(WISHES, params![most], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::assert_walks_an_index;

    #[test]
    fn wishes_are_counted_along_their_index() {
        assert_walks_an_index(
            WISHES.trim_start_matches("SELECT count(*) FROM (").trim_end_matches(')'),
        );
    }
}
