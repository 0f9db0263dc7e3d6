//! Admins, their recovery codes, and tries to log in that failed.

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::login::{Tries, WINDOW_SECONDS};
use crate::domain::refusal::OperatorRefusal;
use crate::domain::{AdminId, Timestamp};
use crate::secret::KeyHash;

/// Failed tries are forgotten after a day, and never more than that many are kept.
const FAILURES_KEPT_SECONDS: i64 = 24 * 60 * 60;
const FAILURES_MAX: i64 = 10_000;

const SELECT: &str = "SELECT id, name, password_hash, totp_seed, totp_step_last FROM admins";

/// Who logs in to the pages.
#[derive(Clone)]
pub struct Admin {
    pub id: AdminId,
    pub name: String,
    pub password_hash: String,
    /// Sealed with the key beside the file.
    pub totp_seed: Option<Vec<u8>>,
    /// The last step whose code was used.
    pub totp_step_last: i64,
}

fn read_admin(row: &Row<'_>) -> RowResult<Admin> {
    Ok(Admin {
        id: row.get(0)?,
        name: row.get(1)?,
        password_hash: row.get(2)?,
        totp_seed: row.get(3)?,
        totp_step_last: row.get(4)?,
    })
}

/// An admin who must exist.
pub fn get(db: &Read<'_>, id: AdminId) -> Result<Admin> {
    db.get(&format!("{SELECT} WHERE id = $1"), params![id], read_admin)
}

/// The admin of that name, if there is one.
pub fn find_named(db: &Read<'_>, name: &str) -> Result<Option<Admin>> {
    db.find(&format!("{SELECT} WHERE name = $1"), params![name], read_admin)
}

/// The admin of that name.
///
/// # Errors
/// `AdminNotFound`.
pub fn get_named(db: &Read<'_>, name: &str) -> Result<Admin> {
    find_named(db, name)?.ok_or(OperatorRefusal::AdminNotFound.into())
}

/// Whether there is nobody yet.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM admins LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// A new admin.
pub fn insert(tx: &Tx<'_>, name: &str, password_hash: &str) -> Result<AdminId> {
    tx.get(
        "INSERT INTO admins (name, password_hash, created_at) VALUES ($1, $2, $3) RETURNING id",
        params![name, password_hash, tx.now],
        |row| row.get(0),
    )
}

/// A new password.
pub fn update_password(tx: &Tx<'_>, id: AdminId, password_hash: &str) -> Result<()> {
    let sql = "UPDATE admins SET password_hash = $1 WHERE id = $2";
    tx.execute(sql, params![password_hash, id])?;
    Ok(())
}

/// A new seed for codes, sealed; none for no codes.
pub fn update_totp(tx: &Tx<'_>, id: AdminId, seed: Option<&[u8]>, step: i64) -> Result<()> {
    let sql = "UPDATE admins SET totp_seed = $1, totp_step_last = $2 WHERE id = $3";
    tx.execute(sql, params![seed, step, id])?;
    Ok(())
}

/// Codes up to this step no longer count.
pub fn update_totp_step(tx: &Tx<'_>, id: AdminId, step: i64) -> Result<()> {
    tx.execute("UPDATE admins SET totp_step_last = $1 WHERE id = $2", params![step, id])?;
    Ok(())
}

/// These are the admin's recovery codes, and no others.
pub fn replace_recovery_codes(tx: &Tx<'_>, id: AdminId, codes: &[KeyHash]) -> Result<()> {
    tx.execute("DELETE FROM recovery_codes WHERE admin_id = $1", params![id])?;
    for code in codes {
        let sql = "INSERT INTO recovery_codes (admin_id, code_hash) VALUES ($1, $2)";
        tx.execute(sql, params![id, code])?;
    }
    Ok(())
}

/// How many recovery codes are left.
pub fn recovery_codes_left(db: &Read<'_>, id: AdminId) -> Result<i64> {
    let sql = "SELECT count(*) FROM recovery_codes WHERE admin_id = $1";
    db.get(sql, params![id], |row| row.get(0))
}

/// Whether this is one of the admin's recovery codes.
pub fn has_recovery_code(db: &Read<'_>, id: AdminId, code: &KeyHash) -> Result<bool> {
    let sql = "SELECT 1 FROM recovery_codes WHERE admin_id = $1 AND code_hash = $2";
    Ok(db.find(sql, params![id, code], |_| Ok(()))?.is_some())
}

/// The code has been used.
pub fn delete_recovery_code(tx: &Tx<'_>, id: AdminId, code: &KeyHash) -> Result<()> {
    let sql = "DELETE FROM recovery_codes WHERE admin_id = $1 AND code_hash = $2";
    tx.execute(sql, params![id, code])?;
    Ok(())
}

/// What counts against one more try.
pub fn tries(db: &Read<'_>, name: &KeyHash, address: &str, now: Timestamp) -> Result<Tries> {
    let since = now.0 - WINDOW_SECONDS;
    let pair = db.get(
        "SELECT count(*), max(created_at) FROM login_failures
         WHERE name_hash = $1 AND created_at > $2 AND address = $3",
        params![name, since, address],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let address = db.get(
        "SELECT count(*), min(created_at) FROM
           (SELECT created_at FROM login_failures WHERE address = $1 AND created_at > $2
            ORDER BY created_at DESC LIMIT $3) AS latest",
        params![address, since, Tries::ADDRESS_MAX],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let of_name = "SELECT count(*) FROM login_failures WHERE name_hash = $1 AND created_at > $2";
    let name = db.get(of_name, params![name, since], |row| row.get(0))?;
    Ok(Tries { pair, address, name })
}

/// Counts a try; forgets what is old, and the oldest where there are too many.
pub fn insert_failure(tx: &Tx<'_>, name: &KeyHash, address: &str) -> Result<()> {
    let id: i64 = tx.get(
        "INSERT INTO login_failures (name_hash, address, created_at) VALUES ($1, $2, $3)
         RETURNING id",
        params![name, address, tx.now],
        |row| row.get(0),
    )?;
    tx.execute(
        "DELETE FROM login_failures WHERE created_at < $1",
        params![tx.now.0 - FAILURES_KEPT_SECONDS],
    )?;
    tx.execute("DELETE FROM login_failures WHERE id <= $1", params![id - FAILURES_MAX])?;
    Ok(())
}

/// The name has logged in from there: nothing counts against the two any more.
pub fn delete_failures(tx: &Tx<'_>, name: &KeyHash, address: &str) -> Result<()> {
    let sql = "DELETE FROM login_failures WHERE name_hash = $1 AND address = $2";
    tx.execute(sql, params![name, address])?;
    Ok(())
}
