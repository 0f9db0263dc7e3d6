//! Orders as pages show them: with the names of who bought and of what, page by page, and what is
//! known about where one came from.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::links::ByLink;
use super::orders::{self, By, Filter};
use super::page::{Cursor, Page};
use super::value::{FromValue, ToValue, params};
use super::{Read, Result, together};
use crate::domain::order::Order;
use crate::domain::{OrderId, Timestamp};

/// An order with the names a page shows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub order: Order,
    pub user: String,
    pub service: String,
}

/// A page of the orders that a filter is about. Where it begins and how long it is comes from the
/// cursor and the size.
pub fn page(db: &Read<'_>, filter: Filter, cursor: Cursor, size: i64) -> Result<Page<Listed>> {
    named(db, rows(db, filter, cursor, size)?)
}

/// The same without the names.
pub fn rows(db: &Read<'_>, filter: Filter, cursor: Cursor, size: i64) -> Result<Page<Order>> {
    let limit = usize::try_from(size).unwrap_or_default() + 1;
    let found = orders::list(db, &Filter { from: cursor, limit, ..filter })?;
    Ok(cursor.page(found, size))
}

/// A page of the orders of those numbers that a filter is about, newest first, without the names.
/// Numbers that are no order are left out.
pub fn rows_of(
    db: &Read<'_>,
    ids: &[OrderId],
    filter: &Filter,
    cursor: Cursor,
    size: i64,
) -> Result<Page<Order>> {
    let mut ids: Vec<OrderId> = ids.iter().copied().filter(|id| cursor.reaches(id.0)).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    if matches!(cursor, Cursor::Newer(_)) {
        ids.reverse();
    }
    ids.dedup();
    let is_wanted = |order: &Order| {
        filter.by.holds(order) && filter.status.is_none_or(|status| order.public_status() == status)
    };
    let found = orders::find_each(db, &ids)?.into_iter().flatten();
    Ok(cursor.page(found.filter(is_wanted).collect(), size))
}

/// Puts the names beside the orders of a page.
pub fn named(db: &Read<'_>, page: Page<Order>) -> Result<Page<Listed>> {
    let (users, services) = together!(
        db: names(db, "SELECT id, name FROM users WHERE id = $1", &page, |o| o.user),
        names(db, "SELECT id, name FROM services WHERE id = $1", &page, |o| o.service),
    );
    let listed = |order: Order| {
        let user = users[&order.user].clone();
        let service = services[&order.service].clone();
        Listed { order, user, service }
    };
    let Page { rows, has_newer, has_older } = page;
    Ok(Page { rows: rows.into_iter().map(listed).collect(), has_newer, has_older })
}

/// The names of what the orders of a page refer to, each read once.
fn names<Id: ToValue + FromValue + Ord + Hash>(
    db: &Read<'_>,
    sql: &str,
    page: &Page<Order>,
    of: impl Fn(&Order) -> Id,
) -> Result<HashMap<Id, String>> {
    let ids: BTreeSet<Id> = page.rows.iter().map(of).collect();
    let ids: Vec<Id> = ids.into_iter().collect();
    Ok(db.get_each(sql, &ids, |row| Ok((row.get(0)?, row.get(1)?)))?.into_iter().collect())
}

/// An order with its names.
pub fn find(db: &Read<'_>, id: OrderId) -> Result<Option<Listed>> {
    let rows = orders::find(db, id)?.into_iter().collect();
    Ok(named(db, Page { rows, has_newer: false, has_older: false })?.rows.pop())
}

/// The last other orders for what an order's link leads to, however it was pasted.
pub fn list_same_link(db: &Read<'_>, order: &Order, limit: usize) -> Result<Vec<Listed>> {
    let by = By::Link(ByLink::Same(order.link.clone()));
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

// Named, for the index of open orders would be walked past all that nobody asks to cancel.
const CANCEL_REQUESTS: &str = "SELECT count(*) FROM (
    SELECT 1 FROM orders INDEXED BY orders_cancel
    WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL AND id > 0 LIMIT $1) AS counted";

/// How many cancel requests wait; counts no further than asked.
pub fn count_cancel_requests(db: &Read<'_>, most: i64) -> Result<i64> {
    db.get(CANCEL_REQUESTS, params![most], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::order::PublicStatus;
    use crate::domain::{ServiceId, UserId};
    use crate::store::plans::assert_walks_an_index;
    use crate::store::{Command, Missing, Store, Tx};

    #[test]
    fn cancel_requests_are_counted_along_their_index() {
        assert_walks_an_index(
            CANCEL_REQUESTS
                .trim_start_matches("SELECT count(*) FROM (")
                .trim_end_matches(") AS counted"),
        );
    }

    const ORDERS: i64 = 2500;

    /// Orders of three users for three services, in more blocks than one. Of the first, which is
    /// a drip-feed, there are runs, more than fill any page; of the second, which is not, posts.
    struct Fill;

    impl Command for Fill {
        type Reply = ();

        fn run(&self, tx: &Tx<'_>) -> Result<()> {
            for sql in [
                "INSERT INTO categories (id, name, position) VALUES (1, 'c', 1)",
                "INSERT INTO services (id, category_id, position, name, kind, rate_micros,
                                       quantity_min, quantity_max, created_at)
                 VALUES (1, 1, 1, 'a', 'default', 1, 1, 1, 0),
                        (2, 1, 2, 'b', 'default', 1, 1, 1, 0),
                        (3, 1, 3, 'c', 'default', 1, 1, 1, 0)",
                "INSERT INTO accounts (id, kind) VALUES (4, 'user'), (5, 'user'), (6, 'user')",
                "INSERT INTO users (id, name, account_id, created_at)
                 VALUES (1, 'x', 4, 0), (2, 'y', 5, 0), (3, 'z', 6, 0)",
            ] {
                tx.execute(sql, [])?;
            }
            // The third user bought only at the start, the second never for a while.
            tx.execute(
                "WITH RECURSIVE numbers (n) AS
                   (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
                 INSERT INTO orders (id, user_id, service_id, kind, link, quantity, units,
                                     rate_micros, charge_micros, remains, status, shown,
                                     custom_id, created_at, updated_at, finished_at,
                                     link_key)
                 SELECT n, CASE WHEN n < 20 THEN 3 WHEN n < 1500 THEN 1 ELSE 1 + n % 2 END,
                        1 + n * 7 % 3, 'default', 'link ' || (n * 13 % 400), 1, 1, 1, 1, 1,
                        CASE WHEN n % 4 = 0 THEN 'canceled' ELSE 'active' END,
                        CASE WHEN n % 4 = 1 THEN 'in_progress' ELSE 'pending' END,
                        'name ' || (n % 100), 0, 0, CASE WHEN n % 4 = 0 THEN 0 END,
                        'link ' || (n * 13 % 400)
                 FROM numbers",
                params![ORDERS],
            )?;
            for sql in [
                "UPDATE orders SET runs = 1000, interval_minutes = 1 WHERE id = 1",
                "UPDATE orders SET parent_id = 1 WHERE id > 1000 AND id % 5 > 0 OR id = 19",
                "UPDATE orders SET parent_id = 2 WHERE parent_id IS NULL AND id > 2 AND id % 9 = 0",
            ] {
                tx.execute(sql, [])?;
            }
            tx.execute(
                "UPDATE accounts SET first_order_id = bought.oldest, last_order_id = bought.newest
                 FROM (SELECT user_id + 3 AS id, min(id) AS oldest, max(id) AS newest
                       FROM orders GROUP BY user_id) AS bought
                 WHERE bought.id = accounts.id",
                [],
            )?;
            Ok(())
        }
    }

    #[test]
    fn the_pages_of_every_list_are_the_list_there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        let store = Store::open(&path, Missing::Create, Clock::manual(0)).unwrap();
        store.write_blocking(Fill).unwrap();
        let ids: Vec<OrderId> = (1..=ORDERS).rev().map(OrderId).collect();
        let all: Vec<Order> = store
            .page(|db| ids.iter().map(|id| Ok(orders::find(db, *id)?.unwrap())).collect())
            .unwrap();
        let (user, custom_id) = (UserId(1), Some("name 2".to_owned()));
        let link = |text: &str| Some(ByLink::Same(text.to_owned()));
        let own = [
            By::Own { user, link: link("link 26"), custom_id: None },
            By::Own { user, link: None, custom_id: custom_id.clone() },
            By::Own { user, link: link("link 26"), custom_id: custom_id.clone() },
            By::Own { user, link: Some(ByLink::Starting("link 2".to_owned())), custom_id },
        ];
        let of_link = |text: String| {
            [ByLink::Exactly, ByLink::Same, ByLink::Starting].map(|by| By::Link(by(text.clone())))
        };
        let of = |id| [By::User(UserId(id)), By::Service(ServiceId(id))];
        let links = (1..=3).flat_map(|id| of_link(format!("link {id}")));
        let lists = (1..=3).flat_map(of).chain(links).chain(own);
        let lists = lists.chain([By::Nothing, By::CancelRequest]);
        let statuses = [None, Some(PublicStatus::InProgress), Some(PublicStatus::Partial)];
        let which = statuses.map(|status| [(status, false), (status, true)]).concat();
        let lists = lists.flat_map(|by| which.clone().into_iter().map(move |it| (by.clone(), it)));
        for (by, (status, hides_runs)) in lists {
            let is_wanted = |order: &&Order| {
                let is_shown = !hides_runs || order.parent_of_run().is_none();
                let has_status = status.is_none_or(|status| order.public_status() == status);
                by.holds(order) && has_status && is_shown
            };
            let wanted: Vec<OrderId> = all.iter().filter(is_wanted).map(|order| order.id).collect();
            let filter = Filter { by: by.clone(), status, hides_runs, ..Filter::default() };
            let numbers = |cursor, size| {
                let page = store.page(|db| page(db, filter.clone(), cursor, size)).unwrap();
                page.rows.iter().map(|row| row.order.id).collect::<Vec<_>>()
            };
            for (chunk_size, size) in [(7, 7), (200, 200)] {
                let mut cursor = Cursor::Newest;
                for chunk in wanted.chunks(chunk_size) {
                    assert_eq!(numbers(cursor, size), chunk, "{filter:?} {cursor:?}");
                    cursor = Cursor::Older(chunk[chunk.len() - 1].0);
                    let before = Cursor::Newer(chunk[0].0);
                    let end = wanted.iter().position(|id| *id == chunk[0]).unwrap();
                    let newer = &wanted[end.saturating_sub(chunk_size)..end];
                    assert_eq!(numbers(before, size), newer, "{filter:?} {before:?}");
                }
                assert_eq!(numbers(cursor, 7), [], "{filter:?} {cursor:?}");
            }
        }
    }
}
