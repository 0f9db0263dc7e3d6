//! The catalogue: services in their categories, and the providers they may come from.

use std::collections::HashMap;

use super::desk::What;
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx, pricings};
use crate::domain::money::{Discount, Rate};
use crate::domain::placing::ForSale;
use crate::domain::service::{Listing, Service};
use crate::domain::{ProviderId, ServiceId, UserId};

/// A statement that begins with the columns that `read_service` takes.
macro_rules! select {
    ($end:literal) => {
        concat!(
            "SELECT s.id, s.category_id, s.name, s.description, s.kind, s.rate_micros,
                    s.quantity_min, s.quantity_max, s.is_dripfeed, s.is_refill, s.refill_days,
                    s.is_cancel, s.denies_duplicates, s.is_enabled, s.provider_id,
                    s.provider_service ",
            $end
        )
    };
}

/// Services are bounded so that the list of all of them stays a list one can send.
pub const SERVICES_MAX: i64 = 100_000;

fn read_service(row: &Row<'_>) -> RowResult<Service> {
    Ok(Service {
        id: row.get(0)?,
        listing: Listing {
            category: row.get(1)?,
            name: row.get(2)?,
            description: row.get(3)?,
            kind: row.get(4)?,
            rate: row.get(5)?,
            quantity_min: row.get(6)?,
            quantity_max: row.get(7)?,
            is_dripfeed: row.get(8)?,
            is_refill: row.get(9)?,
            refill_days: row.get(10)?,
            is_cancel: row.get(11)?,
            denies_duplicates: row.get(12)?,
            is_enabled: row.get(13)?,
            provider: row.get(14)?,
            provider_service: row.get(15)?,
        },
    })
}

/// A service by its number, on sale or not.
pub fn find(db: &Read<'_>, id: ServiceId) -> Result<Option<Service>> {
    db.find(select!("FROM services s WHERE s.id = $1"), params![id], read_service)
}

/// A service that must exist.
pub fn get(db: &Read<'_>, id: ServiceId) -> Result<Service> {
    db.get(select!("FROM services s WHERE s.id = $1"), params![id], read_service)
}

/// A service with its heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headed {
    pub service: Service,
    pub category: String,
    /// Whether the category's services can be ordered.
    pub is_category_enabled: bool,
}

/// The services of those numbers, which must exist, in that order, with their headings.
pub fn get_each_headed(db: &Read<'_>, ids: &[ServiceId]) -> Result<Vec<Headed>> {
    let sql = select!(
        ", c.name, c.is_enabled
         FROM services s JOIN categories c ON c.id = s.category_id WHERE s.id = $1"
    );
    db.get_each(sql, ids, |row| {
        Ok(Headed {
            service: read_service(row)?,
            category: row.get(16)?,
            is_category_enabled: row.get(17)?,
        })
    })
}

/// A service that can be ordered.
#[derive(Clone, Debug)]
pub struct OnSale {
    pub service: Service,
    /// The custom rate of the user, where one was named and has one.
    pub custom_rate: Option<Rate>,
    /// What it costs us, where it is not to be sold below that.
    pub floor: Option<Rate>,
}

impl OnSale {
    /// As placing an order asks for it.
    pub fn for_sale(&self) -> ForSale<'_> {
        let Self { service, custom_rate, floor } = self;
        ForSale { service, custom_rate: *custom_rate, floor: *floor }
    }
}

/// A service that can be ordered, as a user sees it, where one is named.
pub fn find_on_sale(db: &Read<'_>, user: Option<UserId>, id: ServiceId) -> Result<Option<OnSale>> {
    if let Some(known) = db.recall(What::Offer, params![user, id], read_on_sale)? {
        return Ok(known);
    }
    db.find(
        select!(
            ", r.rate_micros, CASE WHEN p.allows_loss = 0 THEN p.cost_micros END
             FROM services s JOIN categories c ON c.id = s.category_id
             LEFT JOIN user_rates r ON r.user_id = $1 AND r.service_id = s.id
             LEFT JOIN pricings p ON p.service_id = s.id
             WHERE s.id = $2 AND s.is_enabled = 1 AND c.is_enabled = 1"
        ),
        params![user, id],
        read_on_sale,
    )
}

/// Many services, each as a user sees it, on a server; the user stands behind what is read.
pub(super) const MANY_ON_SALE: &str = select!(
    ", r.rate_micros, CASE WHEN p.allows_loss = 0 THEN p.cost_micros END, w.user_id
     FROM unnest($1, $2) AS w(user_id, service_id)
     JOIN services s ON s.id = w.service_id JOIN categories c ON c.id = s.category_id
     LEFT JOIN user_rates r ON r.user_id = w.user_id AND r.service_id = s.id
     LEFT JOIN pricings p ON p.service_id = s.id
     WHERE s.is_enabled = 1 AND c.is_enabled = 1"
);

fn read_on_sale(row: &Row<'_>) -> RowResult<OnSale> {
    let service = read_service(row)?;
    Ok(OnSale { service, custom_rate: row.get(16)?, floor: row.get(17)? })
}

/// A service with the name of its category and the reader's custom rate for it.
#[derive(Clone, Debug)]
pub struct Offer {
    pub service: Service,
    pub category: String,
    /// The user's custom rate.
    pub custom_rate: Option<Rate>,
}

/// Which prices a user sees. Users of whom this is equal see the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PriceList {
    /// The version of the catalogue.
    pub version: i64,
    /// What is paid less than the rate.
    pub discount: Discount,
    /// The user, where one has custom rates.
    pub own: Option<UserId>,
}

/// Everything on sale, by category, then by position; with a user's custom rates, where a user is
/// named.
pub fn list_offers(db: &Read<'_>, user: Option<UserId>) -> Result<Vec<Offer>> {
    let sql = select!(
        ", c.name, r.rate_micros
         FROM categories c
         JOIN services s ON s.category_id = c.id
         LEFT JOIN user_rates r ON r.user_id = $1 AND r.service_id = s.id
         WHERE s.is_enabled = 1 AND c.is_enabled = 1
         ORDER BY c.position, c.id, s.position, s.id
         LIMIT $2"
    );
    db.list(sql, params![user, SERVICES_MAX], |row| {
        Ok(Offer { service: read_service(row)?, category: row.get(16)?, custom_rate: row.get(17)? })
    })
}

/// A service with the names of its category and its provider.
#[derive(Clone, Debug)]
pub struct Listed {
    pub service: Service,
    pub category: String,
    pub provider: Option<String>,
}

/// The whole catalogue, disabled services too, in the order of the shop.
pub fn list(db: &Read<'_>) -> Result<Vec<Listed>> {
    let sql = select!(
        ", c.name, p.name
         FROM categories c
         JOIN services s ON s.category_id = c.id
         LEFT JOIN providers p ON p.id = s.provider_id
         ORDER BY c.position, c.id, s.position, s.id
         LIMIT $1"
    );
    db.list(sql, params![SERVICES_MAX], |row| {
        Ok(Listed { service: read_service(row)?, category: row.get(16)?, provider: row.get(17)? })
    })
}

/// The names of what is on sale, by number.
pub fn list_on_sale(db: &Read<'_>, limit: i64) -> Result<Vec<(ServiceId, String)>> {
    let sql = "SELECT id, name FROM services
               WHERE id > 0 AND is_enabled = 1 ORDER BY id LIMIT $1";
    db.list(sql, params![limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Whether there is nothing to sell.
pub fn is_empty(db: &Read<'_>) -> Result<bool> {
    Ok(db.find("SELECT 1 FROM services LIMIT 1", [], |_| Ok(()))?.is_none())
}

/// Writes a service under the given number, or under the next one. It stands last in its category.
pub fn insert(tx: &Tx<'_>, id: Option<ServiceId>, listing: &Listing) -> Result<ServiceId> {
    let id = tx.get(
        "INSERT INTO services (id, category_id, position, name, description, kind, rate_micros,
                               quantity_min, quantity_max, is_dripfeed, is_refill, refill_days,
                               is_cancel, denies_duplicates, is_enabled, provider_id,
                               provider_service, created_at)
         VALUES (coalesce($1, (SELECT coalesce(max(id), 0) + 1 FROM services)),
                 $2, (SELECT coalesce(max(position), 0) + 1 FROM services
                          WHERE category_id = $2),
                 $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         RETURNING id",
        params![
            id,
            listing.category,
            listing.name,
            listing.description,
            listing.kind,
            listing.rate,
            listing.quantity_min,
            listing.quantity_max,
            listing.is_dripfeed,
            listing.is_refill,
            listing.refill_days,
            listing.is_cancel,
            listing.denies_duplicates,
            listing.is_enabled,
            listing.provider,
            listing.provider_service,
            tx.now,
        ],
        |row| row.get(0),
    )?;
    pricings::follow_provider(tx, id, listing.provider)?;
    Ok(id)
}

/// Writes all of a listing anew.
pub fn update(tx: &Tx<'_>, id: ServiceId, listing: &Listing) -> Result<()> {
    tx.execute(
        "UPDATE services SET category_id = $1, name = $2, description = $3, kind = $4,
                             rate_micros = $5, quantity_min = $6, quantity_max = $7,
                             is_dripfeed = $8, is_refill = $9, refill_days = $10,
                             is_cancel = $11, denies_duplicates = $12, is_enabled = $13,
                             provider_id = $14, provider_service = $15
         WHERE id = $16",
        params![
            listing.category,
            listing.name,
            listing.description,
            listing.kind,
            listing.rate,
            listing.quantity_min,
            listing.quantity_max,
            listing.is_dripfeed,
            listing.is_refill,
            listing.refill_days,
            listing.is_cancel,
            listing.denies_duplicates,
            listing.is_enabled,
            listing.provider,
            listing.provider_service,
            id,
        ],
    )?;
    pricings::follow_provider(tx, id, listing.provider)
}

/// Our price.
pub fn update_rate(tx: &Tx<'_>, id: ServiceId, rate: Rate) -> Result<()> {
    tx.execute("UPDATE services SET rate_micros = $1 WHERE id = $2", params![rate, id])?;
    Ok(())
}

/// Whether it can be ordered.
pub fn update_enabled(tx: &Tx<'_>, id: ServiceId, is_enabled: bool) -> Result<()> {
    tx.execute("UPDATE services SET is_enabled = $1 WHERE id = $2", params![is_enabled, id])?;
    Ok(())
}

/// Takes away a service that nobody has ordered, and the rates that users have for it. SQLite looks
/// for itself, through an index of all orders, whether none names it.
pub fn delete(tx: &Tx<'_>, id: ServiceId) -> Result<()> {
    for sql in [
        "DELETE FROM user_rates WHERE service_id = $1",
        "DELETE FROM substitutes WHERE service_id = $1",
        "DELETE FROM pricings WHERE service_id = $1",
        "DELETE FROM paces WHERE service_id = $1",
    ] {
        tx.execute(sql, params![id])?;
    }
    tx.execute("DELETE FROM services WHERE id = $1", params![id])?;
    Ok(())
}

/// Who delivers it, under what name of theirs.
pub fn update_provider(tx: &Tx<'_>, id: ServiceId, own: Option<(ProviderId, &str)>) -> Result<()> {
    let (provider, name) = own.unzip();
    let sql = "UPDATE services SET provider_id = $1, provider_service = $2 WHERE id = $3";
    tx.execute(sql, params![provider, name, id])?;
    pricings::follow_provider(tx, id, provider)
}

const OF_PROVIDER: &str = "SELECT id FROM services INDEXED BY services_provider
     WHERE provider_id = $1 AND provider_service = $2 ORDER BY id";

/// The services that are one service of a provider.
pub fn list_of_provider(db: &Read<'_>, provider: ProviderId, name: &str) -> Result<Vec<ServiceId>> {
    db.list(OF_PROVIDER, params![provider, name], |row| row.get(0))
}

const USED: &str = "SELECT DISTINCT provider_service FROM services INDEXED BY services_provider
     WHERE provider_id = $1 AND is_enabled = 1";

/// Which of a provider's services are on sale here.
pub fn list_used(db: &Read<'_>, provider: ProviderId) -> Result<Vec<String>> {
    db.list(USED, params![provider], |row| row.get(0))
}

const KNOWN: &str = "SELECT provider_service, id FROM services INDEXED BY services_provider
     WHERE provider_id = $1 ORDER BY id DESC";

/// Which of a provider's services were made services of ours, on sale or not; the oldest of ours
/// where one was made more than once.
pub fn list_known(db: &Read<'_>, provider: ProviderId) -> Result<HashMap<String, ServiceId>> {
    let known = db.list(KNOWN, params![provider], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(known.into_iter().collect())
}

/// Whether a service is sold through the provider.
pub fn has_provider(db: &Read<'_>, provider: ProviderId) -> Result<bool> {
    let sql = "SELECT 1 FROM services INDEXED BY services_provider WHERE provider_id = $1 LIMIT 1";
    Ok(db.find(sql, params![provider], |_| Ok(()))?.is_some())
}

/// How many services there are.
pub fn count(db: &Read<'_>) -> Result<i64> {
    db.get("SELECT count(*) FROM services", [], |row| row.get(0))
}

/// The provider of that name.
pub fn find_provider(db: &Read<'_>, name: &str) -> Result<Option<ProviderId>> {
    db.find("SELECT id FROM providers WHERE name = $1", params![name], |row| row.get(0))
}

/// What a provider is called.
pub fn provider_name(db: &Read<'_>, id: ProviderId) -> Result<String> {
    db.get("SELECT name FROM providers WHERE id = $1", params![id], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn the_services_of_a_provider_are_found_along_an_index() {
        for sql in [OF_PROVIDER, USED] {
            assert_walks_an_index(sql);
        }
    }
}
