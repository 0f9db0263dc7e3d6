//! Paces: how long services take.

use std::collections::BTreeMap;

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::ServiceId;
use crate::domain::pace::Pace;

fn read_pace(row: &Row<'_>) -> RowResult<Pace> {
    Ok(Pace { completed: row.get(0)?, seconds: row.get(1)? })
}

/// How long a service takes, if any of its orders has completed at a provider.
pub fn find(db: &Read<'_>, service: ServiceId) -> Result<Option<Pace>> {
    let sql = "SELECT completed, seconds FROM paces WHERE service_id = $1";
    db.find(sql, params![service], read_pace)
}

/// How long each service takes of which that is known.
pub fn all(db: &Read<'_>) -> Result<BTreeMap<ServiceId, Pace>> {
    let mut found = BTreeMap::new();
    db.for_each("SELECT completed, seconds, service_id FROM paces", [], |row| {
        found.insert(row.get(2)?, read_pace(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// Writes how long a service takes.
pub fn update(tx: &Tx<'_>, service: ServiceId, pace: Pace) -> Result<()> {
    tx.save(
        "INSERT INTO paces (service_id, completed, seconds) VALUES ($1, $2, $3)
         ON CONFLICT (service_id) DO UPDATE SET completed = excluded.completed,
                                                seconds = excluded.seconds",
        params![service, pace.completed, pace.seconds],
    )
}
