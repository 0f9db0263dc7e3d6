//! Refills.

use super::tx::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::refill::{Refill, RefillStatus};
use crate::domain::{OrderId, RefillId, UserId};

fn read_refill(row: &Row<'_>) -> RowResult<Refill> {
    Ok(Refill {
        id: row.get(0)?,
        order: row.get(1)?,
        user: row.get(2)?,
        status: row.get(3)?,
        created_at: row.get(4)?,
    })
}

/// A refill by its number.
pub fn find(db: &Read<'_>, id: RefillId) -> Result<Option<Refill>> {
    let sql = "SELECT id, order_id, user_id, status, created_at FROM refills WHERE id = $1";
    db.find(sql, params![id], read_refill)
}

/// A refill by its number, if it is that user's. Another's is not there.
pub fn find_of(db: &Read<'_>, user: UserId, id: RefillId) -> Result<Option<Refill>> {
    Ok(find(db, id)?.filter(|refill| refill.user == user))
}

/// The status of an order's last refill.
pub fn find_latest_status(db: &Read<'_>, order: OrderId) -> Result<Option<RefillStatus>> {
    let sql = "SELECT status FROM refills WHERE order_id = $1 ORDER BY id DESC LIMIT 1";
    db.find(sql, params![order], |row| row.get(0))
}

/// An order's refills, newest first.
pub fn list_of(db: &Read<'_>, order: OrderId, limit: i64) -> Result<Vec<Refill>> {
    let sql = "SELECT id, order_id, user_id, status, created_at FROM refills
               WHERE order_id = $1 ORDER BY id DESC LIMIT $2";
    db.list(sql, params![order, limit], read_refill)
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
    tx.execute(sql, params![status, tx.now, id])?;
    Ok(())
}
