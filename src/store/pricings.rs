//! What services of providers cost, and how their rates follow.

use super::value::params;
use super::{Read, Result};
use crate::domain::ServiceId;
use crate::domain::pricing::{Pricing, Rule};

/// What a service costs and how its rate follows; `None` for one without a provider.
pub fn find(db: &Read<'_>, service: ServiceId) -> Result<Option<Pricing>> {
    db.find(
        "SELECT cost_micros, percent_bp, fixed_micros, step_micros, profit_micros, is_followed,
                allows_loss, off_by_sync
         FROM pricings WHERE service_id = $1",
        params![service],
        |row| {
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
        },
    )
}
