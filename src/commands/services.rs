//! What is sold, one by one or many at once.

use super::catalog::{category, is_kind_fixed, update};
use super::record;
use crate::domain::money::{Change, Rate};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal};
use crate::domain::service::{self, Listing, Service, Way};
use crate::domain::{Actor, CategoryId, ServiceId};
use crate::store::{Command, Read, Result, Tx, categories, orders, service_list, services};

/// How the audit log names a service.
fn object(id: ServiceId) -> String {
    format!("service {id}")
}

/// A service that somebody named.
fn find(db: &Read<'_>, id: ServiceId) -> Result<Service> {
    Ok(services::find(db, id)?.ok_or(OrderRefusal::ServiceNotFound)?)
}

/// Puts a new service on the list, last in its category; an unknown category is made.
pub struct CreateService {
    pub actor: Actor,
    pub listing: Listing<String>,
}

impl Command for CreateService {
    type Reply = ServiceId;

    fn run(&self, tx: &Tx<'_>) -> Result<ServiceId> {
        self.listing.check()?;
        service::check_category_name(&self.listing.category)?;

        let category = category(tx, &self.listing.category)?;
        let listing = self.listing.clone().in_category(category);
        let id = services::insert(tx, None, &listing)?;
        let (name, kind, rate) = (&listing.name, listing.kind, listing.rate);
        let change = format!("{name}, {kind}, rate {rate}, in {}", self.listing.category);
        record(tx, &self.actor, "service.create", object(id), change)?;
        Ok(id)
    }
}

/// Writes all that an operator decides about a service anew. Its provider stays.
pub struct UpdateService {
    pub actor: Actor,
    pub service: ServiceId,
    pub listing: Listing<String>,
}

impl Command for UpdateService {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let before = find(tx, self.service)?;
        self.listing.check()?;
        service::check_category_name(&self.listing.category)?;
        if is_kind_fixed(tx, &before, self.listing.kind)? {
            return Err(OperatorRefusal::KindIsFixed.into());
        }
        let left = categories::find(tx, before.listing.category)?.map(|category| category.name);
        let left = left.unwrap_or_default();
        let listing = Listing {
            provider: before.listing.provider,
            provider_service: before.listing.provider_service.clone(),
            ..self.listing.clone().in_category(before.listing.category)
        };
        let mut changes = before.listing.changes(&listing);
        if left != self.listing.category {
            changes.push(format!("category {left} → {}", self.listing.category));
        }
        if changes.is_empty() {
            return Ok(());
        }

        let listing = Listing { category: category(tx, &self.listing.category)?, ..listing };
        save(tx, &self.actor, &before, &listing, &changes)
    }
}

/// Changes what a row of the list shows of a service.
pub struct EditService {
    pub actor: Actor,
    pub service: ServiceId,
    /// What customers read.
    pub name: String,
    pub rate: Rate,
    pub quantity_min: i64,
    pub quantity_max: i64,
}

impl Command for EditService {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let before = find(tx, self.service)?;
        let listing = Listing {
            name: self.name.clone(),
            rate: self.rate,
            quantity_min: self.quantity_min,
            quantity_max: self.quantity_max,
            ..before.listing.clone()
        };
        listing.check()?;
        let changes = before.listing.changes(&listing);
        if changes.is_empty() {
            return Ok(());
        }

        save(tx, &self.actor, &before, &listing, &changes)
    }
}

fn save(
    tx: &Tx<'_>,
    actor: &Actor,
    before: &Service,
    listing: &Listing,
    changes: &[String],
) -> Result<()> {
    if update(tx, before, listing)? {
        orders::update_exclusive(tx)?;
    }
    record(tx, actor, "service.update", object(before.id), changes.join("; "))
}

/// Puts services on or off sale. Those that are so already stay untouched.
pub struct SetServicesEnabled {
    pub actor: Actor,
    pub services: Vec<ServiceId>,
    pub is_enabled: bool,
}

impl Command for SetServicesEnabled {
    /// Those that were changed.
    type Reply = Vec<ServiceId>;

    fn run(&self, tx: &Tx<'_>) -> Result<Vec<ServiceId>> {
        let mut changed = Vec::new();
        for id in &self.services {
            let service = find(tx, *id)?;
            if service.listing.is_enabled != self.is_enabled {
                changed.push(service);
            }
        }

        let verb = if self.is_enabled { "service.enable" } else { "service.disable" };
        for service in &changed {
            services::update_enabled(tx, service.id, self.is_enabled)?;
            record(tx, &self.actor, verb, object(service.id), service.listing.name.clone())?;
        }
        Ok(changed.into_iter().map(|service| service.id).collect())
    }
}

/// Raises or lowers the rates of services, if they still are what was shown to whoever asks.
pub struct ChangeRates {
    pub actor: Actor,
    pub services: Vec<ServiceId>,
    pub by: Change,
    /// The sum of the rates that were shown; so sending a form twice raises them once.
    pub shown: Option<i64>,
}

impl Command for ChangeRates {
    /// How many were changed.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let mut changed = Vec::new();
        let mut sum = 0_i64;
        for id in &self.services {
            let Service { id, listing } = find(tx, *id)?;
            let rate = listing.rate.changed(self.by).ok_or(OperatorRefusal::RateTooHigh)?;
            sum = sum.saturating_add(listing.rate.micros());
            changed.push((id, listing.rate, rate));
        }
        if self.shown.is_some_and(|shown| shown != sum) {
            return Err(OperatorRefusal::RatesChanged.into());
        }
        changed.retain(|(_, before, rate)| before != rate);

        for (id, before, rate) in &changed {
            services::update_rate(tx, *id, *rate)?;
            let change = format!("rate {before} → {rate} ({})", self.by);
            record(tx, &self.actor, "service.rate", object(*id), change)?;
        }
        Ok(changed.len())
    }
}

/// Puts services into a category, behind those that are there.
pub struct MoveServices {
    pub actor: Actor,
    pub services: Vec<ServiceId>,
    pub category: CategoryId,
}

impl Command for MoveServices {
    /// How many were not there yet.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let to = categories::find(tx, self.category)?.ok_or(OperatorRefusal::CategoryNotFound)?;
        let mut moved = Vec::new();
        for id in &self.services {
            let service = find(tx, *id)?;
            if service.listing.category != to.id {
                let left = categories::find(tx, service.listing.category)?;
                moved.push((service.id, left.map(|left| left.name).unwrap_or_default()));
            }
        }

        for (id, left) in &moved {
            service_list::update_category(tx, *id, to.id)?;
            let change = format!("category {left} → {}", to.name);
            record(tx, &self.actor, "service.move", object(*id), change)?;
        }
        Ok(moved.len())
    }
}

/// Moves a service by one place within its category; at the end of it nothing happens.
pub struct ShiftService {
    pub actor: Actor,
    pub service: ServiceId,
    pub way: Way,
}

impl Command for ShiftService {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let place =
            service_list::find_place(tx, self.service)?.ok_or(OrderRefusal::ServiceNotFound)?;
        let Some(other) = service_list::find_neighbor(tx, &place, self.way)? else {
            return Ok(());
        };

        if place.position == other.position {
            // Places that were given twice are given anew to the whole category.
            let mut all = service_list::list_category(tx, place.category)?;
            let at = |id| all.iter().position(|known| *known == id);
            if let (Some(one), Some(two)) = (at(place.service), at(other.service)) {
                all.swap(one, two);
            }
            for (position, id) in (1..).zip(all) {
                service_list::update_position(tx, id, position)?;
            }
        } else {
            service_list::update_position(tx, place.service, other.position)?;
            service_list::update_position(tx, other.service, place.position)?;
        }
        let change = match self.way {
            Way::Up => format!("up, now before service {}", other.service),
            Way::Down => format!("down, now after service {}", other.service),
        };
        record(tx, &self.actor, "service.shift", object(self.service), change)
    }
}

/// Takes away a service that nobody has ordered, and with it the rates that users have for it.
pub struct DeleteService {
    pub actor: Actor,
    pub service: ServiceId,
}

impl Command for DeleteService {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let Service { id, listing } = find(tx, self.service)?;
        if orders::has_service(tx, id)? {
            return Err(OperatorRefusal::ServiceHasOrders.into());
        }

        services::delete(tx, id)?;
        let Listing { name, kind, rate, .. } = listing;
        let change = format!("{name}, {kind}, rate {rate}");
        record(tx, &self.actor, "service.delete", object(id), change)
    }
}
