//! Below the books: whether the file can be read, holds together, is guarded, and speaks our words.

use super::Report;
use crate::domain::alert::SecretName;
use crate::domain::input::Input;
use crate::domain::service::ServiceKind;
use crate::domain::setting::Setting;
use crate::store::{Read, Result, schema};

/// What sealing adds to a text: the nonce and the tag.
const SEAL_BYTES: i64 = 24 + 16;

/// The pages of the file, its indexes, and what CHECKs say about single rows. A server looks after
/// its own.
pub(super) fn check_pages(db: &Read<'_>, report: &mut Report) -> Result<()> {
    if db.wire().is_some() {
        return Ok(());
    }
    db.for_each("PRAGMA integrity_check(20)", [], |row| {
        let text: String = row.get(0)?;
        let is_sound = text == "ok";
        report.require(is_sound, "file", || text);
        Ok(())
    })
}

/// What one row says about another. A server never lets it be otherwise.
pub(super) fn check_references(db: &Read<'_>, report: &mut Report) -> Result<()> {
    if db.wire().is_some() {
        return Ok(());
    }
    db.for_each("PRAGMA foreign_key_check", [], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        let line: Option<i64> = row.get(1)?;
        let line = line.unwrap_or(0);
        report.add("reference", format!("row {line} of {table} has no row in {parent}"));
        Ok(())
    })
}

/// The guards themselves. What SQLite keeps for its planner is its own business; those of a server
/// are looked at by `guards.rs`.
pub(super) fn check_schema(db: &Read<'_>, report: &mut Report) -> Result<()> {
    if db.wire().is_some() {
        return Ok(());
    }
    let mut guards = schema::guards()?;
    let sql = "SELECT name, sql FROM sqlite_schema
               WHERE sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_'";
    db.for_each(sql, [], |row| {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        let is_known =
            guards.remove(&name).is_some_and(|expected| expected == schema::compared(&sql));
        report.require(is_known, "schema", || format!("{name} is not as this version makes it"));
        Ok(())
    })?;
    for name in guards.keys() {
        report.add("schema", format!("{name} is missing"));
    }
    Ok(())
}

/// Words outside the books that no CHECK knows: a row with another one could not be loaded.
pub(super) fn check_words(db: &Read<'_>, report: &mut Report) -> Result<()> {
    db.for_each("SELECT id, kind FROM services", [], |row| {
        let (id, kind): (i64, String) = (row.get(0)?, row.get(1)?);
        let is_known = ServiceKind::from_stored(&kind).is_some();
        report.require(is_known, "service", || format!("service {id} is of no known kind"));
        Ok(())
    })?;
    db.for_each("SELECT order_id, name FROM order_inputs", [], |row| {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let is_known = Input::from_stored(&name).is_some();
        report.require(is_known, "input", || format!("order {id} has an unknown input"));
        Ok(())
    })?;
    db.for_each("SELECT name, length(sealed) FROM secrets", [], |row| {
        let (name, length): (String, i64) = (row.get(0)?, row.get(1)?);
        let is_sound = SecretName::from_stored(&name).is_some() && length > SEAL_BYTES;
        report.require(is_sound, "secret", || format!("{name} is no secret of ours"));
        Ok(())
    })?;
    db.for_each("SELECT key, value FROM settings", [], |row| {
        let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
        let is_sound = Setting::from_stored(&key).is_some_and(|s| s.check(&value).is_ok());
        report.require(is_sound, "setting", || format!("{key} cannot be {value}"));
        Ok(())
    })
}
