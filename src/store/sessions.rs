//! Sessions: browsers that are logged in. Looked up by the hash of their token.

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::login::{IDLE_SECONDS, Life, SESSION_SECONDS};
use crate::domain::{AdminId, SessionId, Timestamp};
use crate::secret::KeyHash;

/// A log-in, and whose it is.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    /// Who is logged in.
    pub admin: AdminId,
    pub name: String,
    /// How long it has lived.
    pub life: Life,
    pub address: String,
    pub agent: String,
}

const SELECT: &str = "SELECT s.id, s.admin_id, a.name, s.is_half, s.created_at, s.seen_at,
                             s.proved_at, s.address, s.agent
                      FROM sessions s JOIN admins a ON a.id = s.admin_id";

fn read_session(row: &Row<'_>) -> RowResult<Session> {
    Ok(Session {
        id: row.get(0)?,
        admin: row.get(1)?,
        name: row.get(2)?,
        life: Life {
            is_half: row.get(3)?,
            created_at: row.get(4)?,
            seen_at: row.get(5)?,
            proved_at: row.get(6)?,
        },
        address: row.get(7)?,
        agent: row.get(8)?,
    })
}

/// The session of a token, alive or not.
pub fn find(db: &Read<'_>, token: &KeyHash) -> Result<Option<Session>> {
    db.find(&format!("{SELECT} WHERE s.token_hash = $1"), params![token], read_session)
}

/// A session by its number.
pub fn find_by_id(db: &Read<'_>, id: SessionId) -> Result<Option<Session>> {
    db.find(&format!("{SELECT} WHERE s.id = $1"), params![id], read_session)
}

/// An admin's sessions that are alive, newest first.
pub fn list(db: &Read<'_>, admin: AdminId, now: Timestamp) -> Result<Vec<Session>> {
    let sql = format!(
        "{SELECT} WHERE s.admin_id = $1 AND s.is_half = 0 AND s.created_at > $2 AND s.seen_at > $3
         ORDER BY s.id DESC LIMIT 100"
    );
    let (born, seen) = (now.0 - SESSION_SECONDS, now.0 - IDLE_SECONDS);
    db.list(&sql, params![admin, born, seen], read_session)
}

/// What a new session is made of.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The hash of its token.
    pub token: KeyHash,
    pub address: String,
    pub agent: String,
}

/// A new session, whole or still owing the code. Those that have ended are forgotten.
pub fn insert(
    tx: &Tx<'_>,
    admin: AdminId,
    session: &NewSession,
    is_half: bool,
) -> Result<SessionId> {
    tx.execute(
        "DELETE FROM sessions WHERE admin_id = $1 AND (created_at <= $2 OR seen_at <= $3)",
        params![admin, tx.now.0 - SESSION_SECONDS, tx.now.0 - IDLE_SECONDS],
    )?;
    tx.get(
        "INSERT INTO sessions (admin_id, token_hash, is_half, address, agent,
                               created_at, seen_at, proved_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $6) RETURNING id",
        params![admin, session.token, is_half, session.address, session.agent, tx.now],
        |row| row.get(0),
    )
}

/// The session was used now.
pub fn update_seen(tx: &Tx<'_>, id: SessionId) -> Result<()> {
    tx.execute("UPDATE sessions SET seen_at = $1 WHERE id = $2", params![tx.now, id])?;
    Ok(())
}

/// The password was given again now.
pub fn update_proved(tx: &Tx<'_>, id: SessionId) -> Result<()> {
    tx.execute("UPDATE sessions SET proved_at = $1 WHERE id = $2", params![tx.now, id])?;
    Ok(())
}

/// Ends a session.
pub fn delete(tx: &Tx<'_>, id: SessionId) -> Result<()> {
    tx.execute("DELETE FROM sessions WHERE id = $1", params![id])?;
    Ok(())
}

/// Ends all of an admin's sessions but one.
pub fn delete_others(tx: &Tx<'_>, admin: AdminId, kept: Option<SessionId>) -> Result<usize> {
    let sql = "DELETE FROM sessions WHERE admin_id = $1 AND ($2 IS NULL OR id <> $2)";
    tx.execute(sql, params![admin, kept])
}
