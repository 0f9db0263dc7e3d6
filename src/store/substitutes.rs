//! Where else a service can be bought, in order.

use super::value::params;
use super::{Read, Result, Tx};
use crate::domain::{ProviderId, ServiceId};

/// Another place to buy a service at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    /// 1 to 9, in the order they are tried.
    pub place: i64,
    pub provider: ProviderId,
    pub provider_service: String,
}

/// A service's substitutes, in order.
pub fn list(db: &Read<'_>, service: ServiceId) -> Result<Vec<Substitute>> {
    db.list(
        "SELECT place, provider_id, provider_service FROM substitutes
         WHERE service_id = $1 ORDER BY place",
        params![service],
        |row| {
            Ok(Substitute {
                place: row.get(0)?,
                provider: row.get(1)?,
                provider_service: row.get(2)?,
            })
        },
    )
}

/// Writes a service's substitutes anew: the first is at place 1.
pub fn replace(tx: &Tx<'_>, service: ServiceId, all: &[(ProviderId, String)]) -> Result<()> {
    tx.execute("DELETE FROM substitutes WHERE service_id = $1", params![service])?;
    for (place, (provider, name)) in (1_i64..).zip(all) {
        tx.execute(
            "INSERT INTO substitutes (service_id, place, provider_id, provider_service)
             VALUES ($1, $2, $3, $4)",
            params![service, place, provider, name],
        )?;
    }
    Ok(())
}

const OF_PROVIDER: &str = "SELECT DISTINCT service_id FROM substitutes
     WHERE provider_id = $1 AND provider_service = $2 ORDER BY service_id";

/// The services that one service of a provider is a substitute for.
pub fn list_of_provider(db: &Read<'_>, provider: ProviderId, name: &str) -> Result<Vec<ServiceId>> {
    db.list(OF_PROVIDER, params![provider, name], |row| row.get(0))
}

const USED: &str = "SELECT DISTINCT u.provider_service
     FROM substitutes u CROSS JOIN services s ON s.id = u.service_id
     WHERE u.provider_id = $1 AND s.is_enabled = 1";

/// Which of a provider's services are substitutes of what is on sale here.
pub fn list_used(db: &Read<'_>, provider: ProviderId) -> Result<Vec<String>> {
    db.list(USED, params![provider], |row| row.get(0))
}

/// Whether the provider is somebody's substitute.
pub fn has_provider(db: &Read<'_>, provider: ProviderId) -> Result<bool> {
    let sql = "SELECT 1 FROM substitutes WHERE provider_id = $1 LIMIT 1";
    Ok(db.find(sql, params![provider], |_| Ok(()))?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn who_has_a_substitute_is_found_along_an_index() {
        for sql in [OF_PROVIDER, USED] {
            assert_walks_an_index(sql);
        }
    }
}
