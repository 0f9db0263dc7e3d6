//! Where else a service can be bought, in order.

use super::value::params;
use super::{Read, Result};
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
