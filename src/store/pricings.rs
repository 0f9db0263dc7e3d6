//! What services of providers cost, and how their rates follow.

use std::collections::HashMap;

use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::money::Rate;
use crate::domain::pricing::{Pricing, Rule};
use crate::domain::{ProviderId, ServiceId};

const COLUMNS: &str = "cost_micros, percent_bp, fixed_micros, step_micros, profit_micros,
    is_followed, allows_loss, off_by_sync";

fn read_pricing(row: &Row<'_>) -> RowResult<Pricing> {
    Ok(Pricing {
        cost: row.get(0)?,
        rule: Rule {
            percent_bp: row.get(1)?,
            fixed: row.get(2)?,
            step: row.get(3)?,
            profit: row.get(4)?,
        },
        is_followed: row.get(5)?,
        allows_loss: row.get(6)?,
        off_by_sync: row.get(7)?,
    })
}

/// What a service costs and how its rate follows; `None` for one without a provider.
pub fn find(db: &Read<'_>, service: ServiceId) -> Result<Option<Pricing>> {
    let sql = format!("SELECT {COLUMNS} FROM pricings WHERE service_id = $1");
    db.find(&sql, params![service], read_pricing)
}

/// For each service that is sold through a provider, its rate and how that follows.
pub fn list_of_provider(
    db: &Read<'_>,
    provider: ProviderId,
) -> Result<HashMap<ServiceId, (Rate, Pricing)>> {
    let sql = format!(
        "SELECT {COLUMNS}, id, rate_micros
         FROM services INDEXED BY services_provider JOIN pricings ON service_id = id
         WHERE provider_id = $1"
    );
    let read = |row: &Row<'_>| Ok((row.get(8)?, (row.get(9)?, read_pricing(row)?)));
    Ok(db.list(&sql, params![provider], read)?.into_iter().collect())
}

/// Writes all of what a service costs and how its rate follows. The row is there, as it is for each
/// service of a provider.
pub fn update(tx: &Tx<'_>, service: ServiceId, pricing: &Pricing) -> Result<()> {
    let Pricing { cost, rule, is_followed, allows_loss, off_by_sync } = *pricing;
    tx.execute(
        "UPDATE pricings SET cost_micros = $1, percent_bp = $2, fixed_micros = $3,
                             step_micros = $4, profit_micros = $5, is_followed = $6,
                             allows_loss = $7, off_by_sync = $8
         WHERE service_id = $9",
        params![
            cost,
            rule.percent_bp,
            rule.fixed,
            rule.step,
            rule.profit,
            is_followed,
            allows_loss,
            off_by_sync,
            service,
        ],
    )?;
    Ok(())
}

/// Whether a sync took the service off sale, and may put it back.
pub fn update_off_by_sync(tx: &Tx<'_>, service: ServiceId, is_off: bool) -> Result<()> {
    let sql = "UPDATE pricings SET off_by_sync = $1 WHERE service_id = $2";
    tx.execute(sql, params![is_off, service])?;
    Ok(())
}

/// A service of a provider has a row, one without has none.
pub(super) fn follow_provider(
    tx: &Tx<'_>,
    service: ServiceId,
    provider: Option<ProviderId>,
) -> Result<()> {
    let sql = match provider {
        Some(_) => "INSERT INTO pricings (service_id) VALUES ($1) ON CONFLICT DO NOTHING",
        None => "DELETE FROM pricings WHERE service_id = $1",
    };
    tx.execute(sql, params![service])?;
    Ok(())
}
