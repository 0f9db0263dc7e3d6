//! Our balances at providers over time: one reading in ten minutes, for thirty days.

use super::value::params;
use super::{Read, Result, Tx};
use crate::domain::money::Money;
use crate::domain::{ProviderId, Timestamp};

const EVERY_SECONDS: i64 = 600;
const KEPT_SECONDS: i64 = 30 * 86_400;

/// Keeps what was read now, unless the last reading is younger than ten minutes. What is older than
/// thirty days goes.
pub fn keep(tx: &Tx<'_>, provider: ProviderId, balance: Money) -> Result<()> {
    let sql = "SELECT max(read_at) FROM readings WHERE provider_id = $1";
    let last: Option<Timestamp> = tx.get(sql, params![provider], |row| row.get(0))?;
    if last.is_some_and(|last| tx.now.0 < last.0 + EVERY_SECONDS) {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO readings (provider_id, read_at, balance_micros) VALUES ($1, $2, $3)",
        params![provider, tx.now, balance],
    )?;
    let sql = "DELETE FROM readings WHERE provider_id = $1 AND read_at < $2";
    tx.execute(sql, params![provider, Timestamp(tx.now.0 - KEPT_SECONDS)])?;
    Ok(())
}

/// A provider's readings since then, the oldest first.
pub fn list(
    db: &Read<'_>,
    provider: ProviderId,
    since: Timestamp,
) -> Result<Vec<(Timestamp, Money)>> {
    db.list(
        "SELECT read_at, balance_micros FROM readings
         WHERE provider_id = $1 AND read_at >= $2 ORDER BY read_at LIMIT 10000",
        params![provider, since],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
