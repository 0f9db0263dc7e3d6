//! Refills.

use super::page::{Cursor, Page};
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::refill::{Refill, RefillStatus};
use crate::domain::{OrderId, RefillId, ServiceId, UserId};

fn read_refill(row: &Row<'_>) -> RowResult<Refill> {
    Ok(Refill {
        id: row.get(0)?,
        order: row.get(1)?,
        user: row.get(2)?,
        status: row.get(3)?,
        created_at: row.get(4)?,
    })
}

const FIND: &str = "SELECT id, order_id, user_id, status, created_at FROM refills WHERE id = $1";

/// A refill by its number.
pub fn find(db: &Read<'_>, id: RefillId) -> Result<Option<Refill>> {
    db.find(FIND, params![id], read_refill)
}

/// How refills stand, in the order of their numbers. Another user's is not there.
pub fn find_statuses(
    db: &Read<'_>,
    user: UserId,
    ids: &[RefillId],
) -> Result<Vec<Option<RefillStatus>>> {
    let found = db.find_each(FIND, ids, read_refill)?.into_iter();
    let of = |refill: Refill| (refill.user == user).then_some(refill.status);
    Ok(found.map(|refill| refill.and_then(of)).collect())
}

/// The status of an order's last refill.
pub fn find_latest_status(db: &Read<'_>, order: OrderId) -> Result<Option<RefillStatus>> {
    let sql = "SELECT status FROM refills WHERE order_id = $1 ORDER BY id DESC LIMIT 1";
    db.find(sql, params![order], |row| row.get(0))
}

const LIST_OF: &str = "SELECT id, order_id, user_id, status, created_at FROM refills
    WHERE order_id = $1 ORDER BY id DESC LIMIT $2";

/// An order's refills, newest first.
pub fn list_of(db: &Read<'_>, order: OrderId, limit: i64) -> Result<Vec<Refill>> {
    db.list(LIST_OF, params![order, limit], read_refill)
}

/// A refill as a page of refills shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub refill: Refill,
    pub user_name: String,
    /// What had been ordered.
    pub service: ServiceId,
    pub service_name: String,
    pub link: String,
    pub quantity: i64,
}

fn page_sql(status: Option<RefillStatus>, cursor: Cursor) -> String {
    let (compares, direction) = cursor.direction();
    let (index, is_one) = match status {
        None => ("NOT INDEXED", "$1 IS NULL"),
        Some(_) => ("INDEXED BY refills_status", "r.status = $1"),
    };
    format!(
        "SELECT r.id, r.order_id, r.user_id, r.status, r.created_at, u.name, o.service_id, s.name,
                o.link, o.units
         FROM refills r {index} LEFT JOIN users u ON u.id = r.user_id
           LEFT JOIN orders o ON o.id = r.order_id LEFT JOIN services s ON s.id = o.service_id
         WHERE {is_one} AND r.id {compares} $2 ORDER BY r.id {direction} LIMIT $3"
    )
}

/// A page of refills of one status, or of any, newest first.
pub fn page(
    db: &Read<'_>,
    status: Option<RefillStatus>,
    cursor: Cursor,
    size: i64,
) -> Result<Page<Listed>> {
    let params = params![status, cursor.bound(), size + 1];
    let rows = db.list(&page_sql(status, cursor), params, |row| {
        Ok(Listed {
            refill: read_refill(row)?,
            user_name: row.get(5)?,
            service: row.get(6)?,
            service_name: row.get(7)?,
            link: row.get(8)?,
            quantity: row.get(9)?,
        })
    })?;
    Ok(cursor.page(rows, size))
}

const COUNTED: &str = "SELECT 1 FROM refills WHERE status = $1 LIMIT $2";

/// How many refills have a status; counts no further than asked.
pub fn count(db: &Read<'_>, status: RefillStatus, most: i64) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM ({COUNTED}) AS counted");
    db.get(&sql, params![status, most], |row| row.get(0))
}

/// A new refill, pending.
pub fn insert(tx: &Tx<'_>, order: OrderId, user: UserId) -> Result<RefillId> {
    tx.get(
        "INSERT INTO refills (order_id, user_id, created_at, updated_at)
         VALUES ($1, $2, $3, $3) RETURNING id",
        params![order, user, tx.now],
        |row| row.get(0),
    )
}

/// Moves a refill.
pub fn update_status(tx: &Tx<'_>, id: RefillId, status: RefillStatus) -> Result<()> {
    let sql = "UPDATE refills SET status = $1, updated_at = $2 WHERE id = $3";
    tx.save(sql, params![status, tx.now, id])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn a_page_of_refills_is_read_along_an_index() {
        for status in RefillStatus::ALL.iter().copied().map(Some).chain([None]) {
            for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
                assert_walks_an_index(&page_sql(status, cursor));
            }
        }
        assert_walks_an_index(COUNTED);
        assert_walks_an_index(LIST_OF);
    }
}
