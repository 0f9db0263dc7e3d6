//! What is sold, one by one or many at once.

use super::catalog::{self, Before, category, is_kind_fixed, object, update};
use super::conditions::about_service;
use super::{record, supply};
use crate::domain::money::{Change, Rate};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal};
use crate::domain::service::{self, Listing, Service, Way};
use crate::domain::{Actor, CategoryId, ServiceId};
use crate::store::{
    Command, Read, Result, Tx, categories, conditions, orders, service_list, services,
};

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

        catalog::create(tx, &self.actor, None, &self.listing)
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
        let before = Before::find(tx, self.service)?.ok_or(OrderRefusal::ServiceNotFound)?;
        self.listing.check()?;
        service::check_category_name(&self.listing.category)?;
        if is_kind_fixed(tx, &before.service, self.listing.kind)? {
            return Err(OperatorRefusal::KindIsFixed.into());
        }
        let after = Listing {
            provider: before.service.listing.provider,
            provider_service: before.service.listing.provider_service.clone(),
            ..self.listing.clone()
        };
        let Some(changed) = before.changed(tx, &after)? else { return Ok(()) };

        let category = category(tx, &after.category)?;
        let listing = after.in_category(category);
        save(tx, &self.actor, &before.service, &listing, &changed.changes)
    }
}

/// What a row of the list shows of a service and lets people edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedRow {
    /// What customers read.
    pub name: String,
    pub rate: Rate,
    pub quantity_min: i64,
    pub quantity_max: i64,
}

impl EditedRow {
    /// What the row of a service shows.
    #[must_use]
    pub fn of(listing: &Listing) -> Self {
        let Listing { name, rate, quantity_min, quantity_max, .. } = listing;
        let (quantity_min, quantity_max) = (*quantity_min, *quantity_max);
        Self { name: name.clone(), rate: *rate, quantity_min, quantity_max }
    }
}

/// Changes what a row of the list shows of a service.
pub struct EditService {
    pub actor: Actor,
    pub service: ServiceId,
    pub row: EditedRow,
    /// What an undo takes back: refused unless the row is still that.
    pub undone: Option<EditedRow>,
}

impl Command for EditService {
    /// The row before, for whoever wants it back; `None` where nothing changed.
    type Reply = Option<EditedRow>;

    fn run(&self, tx: &Tx<'_>) -> Result<Option<EditedRow>> {
        let before = find(tx, self.service)?;
        let shown = EditedRow::of(&before.listing);
        if self.undone.as_ref().is_some_and(|undone| *undone != shown) {
            return Err(OperatorRefusal::UndoneTooLate.into());
        }
        let EditedRow { name, rate, quantity_min, quantity_max } = self.row.clone();
        let listing = Listing { name, rate, quantity_min, quantity_max, ..before.listing.clone() };
        listing.check()?;
        let changes = before.listing.changes(&listing);
        if changes.is_empty() {
            return Ok(None);
        }

        save(tx, &self.actor, &before, &listing, &changes)?;
        Ok(Some(shown))
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
        for id in &self.services {
            supply::switched_by_hand(tx, *id)?;
        }
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

/// A rate that was changed: of which service, from what, to what.
pub type ChangedRate = (ServiceId, Rate, Rate);

impl Command for ChangeRates {
    /// Those that were changed.
    type Reply = Vec<ChangedRate>;

    fn run(&self, tx: &Tx<'_>) -> Result<Vec<ChangedRate>> {
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
            supply::tell_below_cost(tx, *id, *rate)?;
            let change = format!("rate {before} → {rate} ({})", self.by);
            record(tx, &self.actor, "service.rate", object(*id), change)?;
        }
        Ok(changed)
    }
}

/// Gives services the rates back that they had before [`ChangeRates`], if all of them still have
/// those that it gave them.
pub struct RestoreRates {
    pub actor: Actor,
    /// As they were changed.
    pub changed: Vec<ChangedRate>,
}

impl Command for RestoreRates {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        for (id, _, now) in &self.changed {
            if find(tx, *id)?.listing.rate != *now {
                return Err(OperatorRefusal::UndoneTooLate.into());
            }
        }

        for (id, before, now) in &self.changed {
            services::update_rate(tx, *id, *before)?;
            supply::tell_below_cost(tx, *id, *before)?;
            let change = format!("rate {now} → {before} (undone)");
            record(tx, &self.actor, "service.rate", object(*id), change)?;
        }
        Ok(())
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
        conditions::clear_about(tx, &about_service(id))?;
        let Listing { name, kind, rate, .. } = listing;
        let change = format!("{name}, {kind}, rate {rate}");
        record(tx, &self.actor, "service.delete", object(id), change)
    }
}
