//! Settings, and the version that the catalogue has.

use super::value::params;
use super::{Read, Result, Tx};
use crate::domain::setting::{Limits, Setting};

/// The value of a setting, set or by default.
pub fn get(db: &Read<'_>, setting: Setting) -> Result<String> {
    let sql = "SELECT value FROM settings WHERE key = $1";
    let value = db.find(sql, params![setting.as_str()], |row| row.get(0))?;
    Ok(value.unwrap_or_else(|| setting.default().to_owned()))
}

/// Sets a value.
pub fn set(tx: &Tx<'_>, setting: Setting, value: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO settings (key, value) VALUES ($1, $2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        params![setting.as_str(), value],
    )?;
    Ok(())
}

/// What clients may do.
pub fn limits(db: &Read<'_>) -> Result<Limits> {
    let limit = |setting| -> Result<u32> { Ok(get(db, setting)?.parse().unwrap_or(0)) };
    Ok(Limits {
        key_rate: limit(Setting::KeyRate)?,
        key_burst: limit(Setting::KeyBurst)?,
        wrong_key_rate: limit(Setting::WrongKeyRate)?,
        connections: limit(Setting::Connections)?,
    })
}

/// A number that moves with every change of the catalogue.
pub fn catalogue_version(db: &Read<'_>) -> Result<i64> {
    db.get("SELECT catalogue FROM versions", [], |row| row.get(0))
}
