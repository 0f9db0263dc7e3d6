//! Providers as pages show them: how much waits and runs there, how the balance went, what is sold.

use super::value::params;
use super::{Read, Result, deliveries, providers, readings, together};
use crate::domain::delivery::Stage;
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::provider::Provider;
use crate::domain::service::Service;
use crate::domain::user;
use crate::domain::{ProviderId, ServiceId, Timestamp};

/// A provider with what a page shows beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub provider: Provider,
    /// Orders that wait to be sent there, counted up to [`COUNTED_MAX`].
    pub waiting: i64,
    /// Orders that are there, counted up to [`COUNTED_MAX`].
    pub open: i64,
    /// Its balance over time, oldest first, in its own currency.
    pub readings: Vec<(Timestamp, Money)>,
}

/// Orders of a provider are counted up to here.
pub const COUNTED_MAX: i64 = 10_000;

/// A provider with its figures; the readings are those since then.
pub fn listed(db: &Read<'_>, provider: Provider, since: Timestamp) -> Result<Listed> {
    let count =
        |db: &Read<'_>, stage: &Stage| deliveries::count(db, provider.id, *stage, COUNTED_MAX);
    let stages = [Stage::Send, Stage::Call, Stage::Watch, Stage::Posts];
    let (counts, readings) =
        together!(db: db.each(&stages, count), readings::list(db, provider.id, since));
    let (waiting, open) = (counts[0], counts[1..].iter().sum());
    Ok(Listed { waiting, open, readings, provider })
}

/// All providers with their figures, the oldest first.
pub fn list(db: &Read<'_>, since: Timestamp) -> Result<Vec<Listed>> {
    db.each(&providers::list(db)?, |db, provider| listed(db, provider.clone(), since))
}

const USED_BY: &str = "SELECT id FROM services INDEXED BY services_provider
     WHERE provider_id IS NOT NULL AND provider_id = $1 LIMIT $2";

/// Services whose own provider it is, up to so many.
pub fn list_services(db: &Read<'_>, provider: ProviderId, most: i64) -> Result<Vec<ServiceId>> {
    db.list(USED_BY, params![provider, most], |row| row.get(0))
}

const WITH_OWN_PRICES: &str = "SELECT u.name, u.discount_bp, r.rate_micros
     FROM users u LEFT JOIN user_rates r ON r.user_id = u.id AND r.service_id = $1
     WHERE r.rate_micros IS NOT NULL OR u.discount_bp > 0 ORDER BY u.name LIMIT $2";

/// The users who would pay less for a service than that, by custom rate or discount, by name. Those
/// who pay the listed rate are not among them.
pub fn list_below(db: &Read<'_>, service: &Service, cost: Rate) -> Result<Vec<String>> {
    let mut below = Vec::new();
    let params = params![service.id, COUNTED_MAX];
    db.for_each(WITH_OWN_PRICES, params, |row| {
        let (name, discount): (String, Discount) = (row.get(0)?, row.get(1)?);
        if user::rate(service.listing.rate, row.get(2)?, discount) < cost {
            below.push(name);
        }
        Ok(())
    })?;
    Ok(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans;

    #[test]
    fn the_services_of_a_provider_are_found_along_an_index() {
        plans::assert_walks_an_index(USED_BY);
    }
}
