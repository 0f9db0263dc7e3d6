//! The nodes of a panel that lives on a server: processes that take turns with one database. A
//! panel in a file has but one.

use super::value::params;
use super::{Read, Result, Tx};
use crate::domain::Timestamp;

/// A node that was seen so long ago is at work.
const ALIVE_SECONDS: i64 = 30;

/// Says which key file all nodes have: its id.
pub(super) const SET_KEY_ID: &str = "UPDATE panelite SET key_id = $1";

/// The number of the node that writes, on a server.
pub fn own(tx: &Tx<'_>) -> Option<i64> {
    tx.wire()?.node()
}

/// A node is gone: nobody waits for it any longer.
pub fn forget(tx: &Tx<'_>, node: i64) -> Result<()> {
    if tx.wire().is_some() {
        tx.execute("UPDATE nodes SET seen_at = 0 WHERE id = $1", params![node])?;
    }
    Ok(())
}

/// How many nodes are at work, or were at that instant, this one among them: at least one.
pub fn count_alive(db: &Read<'_>, at: Timestamp) -> Result<i64> {
    if db.wire().is_none() {
        return Ok(1);
    }
    let since = Timestamp(at.0 - ALIVE_SECONDS);
    let sql = "SELECT count(*) FROM nodes WHERE seen_at > $1";
    let alive: i64 = db.get(sql, params![since], |row| row.get(0))?;
    Ok(alive.max(1))
}

/// Whether the key file of that id is the one that all nodes have. The first to come says which
/// that is; beside a file there is one key file, whichever.
pub fn claim_key(tx: &Tx<'_>, id: &str) -> Result<bool> {
    if tx.wire().is_some() && key_id(tx)?.is_none() {
        tx.execute(SET_KEY_ID, params![id])?;
    }
    fits_key(tx, id)
}

/// Whether no node has another key file than that of the id.
pub fn fits_key(db: &Read<'_>, id: &str) -> Result<bool> {
    Ok(key_id(db)?.is_none_or(|known| known == id))
}

/// Whether a node may make a key file: not where there is one, nor where there is something that
/// only the one that was can open.
pub fn may_make_key(db: &Read<'_>) -> Result<bool> {
    if db.wire().is_none() {
        return Ok(true);
    }
    let sql = "SELECT 1 FROM panelite WHERE key_id IS NULL
                 AND NOT EXISTS (SELECT 1 FROM providers) AND NOT EXISTS (SELECT 1 FROM webhooks)
                 AND NOT EXISTS (SELECT 1 FROM secrets)";
    Ok(db.find(sql, params![], |_| Ok(()))?.is_some())
}

/// The id of the key file that all nodes have, once that is known. A file knows none.
pub(super) fn key_id(db: &Read<'_>) -> Result<Option<String>> {
    if db.wire().is_none() {
        return Ok(None);
    }
    db.get("SELECT key_id FROM panelite", params![], |row| row.get(0))
}
