//! The catalogue: what is sold, and the import of all of it.

use std::collections::HashSet;

use super::record;
use crate::domain::money::{Change, Rate};
use crate::domain::refusal::Refusal;
use crate::domain::service::{self, Listing, Service, ServiceKind, Way};
use crate::domain::{Actor, CategoryId, ProviderId, ServiceId};
use crate::store::{
    Command, Read, Result, Tx, categories, orders, service_list, services, settings,
};

/// A service as a file or a form describes it: category and provider by name.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its number; `None` for the next one.
    pub id: Option<ServiceId>,
    /// The category's name.
    pub category: String,
    /// The provider's name.
    pub provider: Option<String>,
    /// All else. Category and provider in it are filled in by the command.
    pub listing: Listing,
    /// Whether a service that is there stays on or off sale as it is.
    pub keeps_enabled: bool,
    /// Whether a service that is there keeps its refill window.
    pub keeps_refill_days: bool,
    /// Whether a service that is there keeps its rule about duplicates.
    pub keeps_duplicates: bool,
    /// Where it stood in the file, for a refusal to name.
    pub line: u64,
}

impl Draft {
    /// What the file does not speak of stays as it was.
    fn keep(&self, before: Option<&Service>, mut listing: Listing) -> Listing {
        let Some(Service { listing: before, .. }) = before else { return listing };
        if self.keeps_enabled {
            listing.is_enabled = before.is_enabled;
        }
        if self.keeps_refill_days {
            listing.refill_days = before.refill_days;
        }
        if self.keeps_duplicates {
            listing.denies_duplicates = before.denies_duplicates;
        }
        listing
    }
}

/// Writes services, all of them or none: an empty id is a new service, an unknown id is created
/// with it, a known one is updated. Categories are made as they are met.
pub struct ImportServices {
    /// Who imports.
    pub actor: Actor,
    /// What.
    pub drafts: Vec<Draft>,
}

/// How many services an import made and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New ones.
    pub created: usize,
    /// Ones that were there.
    pub updated: usize,
}

impl Command for ImportServices {
    type Reply = Imported;

    fn run(&self, tx: &Tx<'_>) -> Result<Imported> {
        let mut known = Vec::with_capacity(self.drafts.len());
        let mut ids = HashSet::new();
        for draft in &self.drafts {
            if draft.id.is_some_and(|id| !ids.insert(id)) {
                return Err(Refusal::AtLine(draft.line, Box::new(Refusal::IdTwice)).into());
            }
            known.push(judge(tx, draft)?);
        }

        let mut imported = Imported::default();
        for (draft, (before, provider)) in self.drafts.iter().zip(known) {
            let category = category(tx, &draft.category)?;
            let listing = Listing { category, provider, ..draft.listing.clone() };
            let listing = draft.keep(before.as_ref(), listing);
            match before {
                Some(before) => {
                    imported.updated += 1;
                    update(tx, &before, &listing)?;
                }
                None => {
                    imported.created += 1;
                    services::insert(tx, draft.id, &listing)?;
                }
            }
        }
        settings::bump_catalogue_version(tx)?;
        let change = format!("{} created, {} updated", imported.created, imported.updated);
        record(tx, &self.actor, "service.import", "services", change)?;
        Ok(imported)
    }
}

/// A draft's service as it is now, and its provider.
type Known = (Option<Service>, Option<ProviderId>);

/// Decides whether a draft can be written; a refusal names its line.
fn judge(db: &Read<'_>, draft: &Draft) -> Result<Known> {
    let at_line = |refusal| Refusal::AtLine(draft.line, Box::new(refusal));
    draft.listing.check().map_err(at_line)?;
    service::check_category_name(&draft.category).map_err(at_line)?;
    let before = match draft.id {
        Some(id) => services::find(db, id)?,
        None => None,
    };
    let provider = match &draft.provider {
        Some(name) => services::find_provider(db, name)?,
        None => None,
    };
    if draft.provider.is_some() && provider.is_none() {
        return Err(at_line(Refusal::ProviderNotFound).into());
    }
    if draft.provider.is_some() != draft.listing.provider_service.is_some() {
        return Err(at_line(Refusal::ProviderServiceMismatch).into());
    }
    if let Some(before) = &before
        && is_kind_fixed(db, before, draft.listing.kind)?
    {
        return Err(at_line(Refusal::KindIsFixed).into());
    }
    Ok((before, provider))
}

/// Whether the service cannot become of that kind: its orders were placed by the fields of its own.
fn is_kind_fixed(db: &Read<'_>, before: &Service, kind: ServiceKind) -> Result<bool> {
    Ok(before.listing.kind != kind && orders::has_service(db, before.id)?)
}

/// What an import of these drafts would do, and how many of them would change nothing.
///
/// # Errors
/// The refusal that the import would meet.
pub fn preview(db: &Read<'_>, drafts: &[Draft]) -> Result<(Imported, usize)> {
    let (mut imported, mut same) = (Imported::default(), 0);
    let mut ids = HashSet::new();
    for draft in drafts {
        if draft.id.is_some_and(|id| !ids.insert(id)) {
            return Err(Refusal::AtLine(draft.line, Box::new(Refusal::IdTwice)).into());
        }
        let (before, provider) = judge(db, draft)?;
        let Some(before) = before else {
            imported.created += 1;
            continue;
        };
        let category = categories::find_named(db, &draft.category)?.map(|category| category.id);
        let category = category.unwrap_or(CategoryId(0));
        let listing = Listing { category, provider, ..draft.listing.clone() };
        match draft.keep(Some(&before), listing) == before.listing {
            true => same += 1,
            false => imported.updated += 1,
        }
    }
    Ok((imported, same))
}

fn category(tx: &Tx<'_>, name: &str) -> Result<CategoryId> {
    match categories::find_named(tx, name)? {
        Some(category) => Ok(category.id),
        None => categories::insert(tx, name),
    }
}

/// Writes a changed listing, and what follows from it for its place and for the orders that are
/// open.
fn update(tx: &Tx<'_>, before: &Service, listing: &Listing) -> Result<()> {
    services::update(tx, before.id, listing)?;
    if before.listing.category != listing.category {
        service_list::update_category(tx, before.id, listing.category)?;
    }
    if before.listing.denies_duplicates != listing.denies_duplicates {
        orders::update_exclusive(tx, before.id, listing.denies_duplicates)?;
    }
    Ok(())
}

/// How the audit log names a service.
fn object(id: ServiceId) -> String {
    format!("service {id}")
}

/// A service that somebody named.
fn find(db: &Read<'_>, id: ServiceId) -> Result<Service> {
    Ok(services::find(db, id)?.ok_or(Refusal::ServiceNotFound)?)
}

/// Puts a new service on the list, last in its category; an unknown category is made.
pub struct CreateService {
    /// Who adds it.
    pub actor: Actor,
    /// The name of its category, which stands for the one in the listing.
    pub category: String,
    /// All else.
    pub listing: Listing,
}

impl Command for CreateService {
    type Reply = ServiceId;

    fn run(&self, tx: &Tx<'_>) -> Result<ServiceId> {
        self.listing.check()?;
        service::check_category_name(&self.category)?;

        let listing = Listing { category: category(tx, &self.category)?, ..self.listing.clone() };
        let id = services::insert(tx, None, &listing)?;
        settings::bump_catalogue_version(tx)?;
        let (name, kind, rate) = (&listing.name, listing.kind, listing.rate);
        let change = format!("{name}, {kind}, rate {rate}, in {}", self.category);
        record(tx, &self.actor, "service.create", object(id), change)?;
        Ok(id)
    }
}

/// Writes all that an operator decides about a service anew. Its provider stays.
pub struct UpdateService {
    /// Who changes it.
    pub actor: Actor,
    /// Which.
    pub service: ServiceId,
    /// The name of its category, which stands for the one in the listing.
    pub category: String,
    /// All else.
    pub listing: Listing,
}

impl Command for UpdateService {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let before = find(tx, self.service)?;
        self.listing.check()?;
        service::check_category_name(&self.category)?;
        if is_kind_fixed(tx, &before, self.listing.kind)? {
            return Err(Refusal::KindIsFixed.into());
        }
        let left = categories::find(tx, before.listing.category)?.map(|category| category.name);
        let left = left.unwrap_or_default();
        let listing = Listing {
            category: before.listing.category,
            provider: before.listing.provider,
            provider_service: before.listing.provider_service.clone(),
            ..self.listing.clone()
        };
        let mut changes = before.listing.changes(&listing);
        if left != self.category {
            changes.push(format!("category {left} → {}", self.category));
        }
        if changes.is_empty() {
            return Ok(());
        }

        let listing = Listing { category: category(tx, &self.category)?, ..listing };
        save(tx, &self.actor, &before, &listing, &changes)
    }
}

/// Changes what a row of the list shows of a service.
pub struct EditService {
    /// Who changes it.
    pub actor: Actor,
    /// Which.
    pub service: ServiceId,
    /// What customers read.
    pub name: String,
    /// Our price.
    pub rate: Rate,
    /// The smallest quantity.
    pub quantity_min: i64,
    /// The largest quantity.
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
    update(tx, before, listing)?;
    settings::bump_catalogue_version(tx)?;
    record(tx, actor, "service.update", object(before.id), changes.join("; "))
}

/// Puts services on or off sale. Those that are so already stay untouched.
pub struct SetServicesEnabled {
    /// Who changes it.
    pub actor: Actor,
    /// Which.
    pub services: Vec<ServiceId>,
    /// Whether they can be ordered.
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
        settings::bump_catalogue_version(tx)?;
        Ok(changed.into_iter().map(|service| service.id).collect())
    }
}

/// Raises or lowers the rates of services, if they still are what was shown to whoever asks.
pub struct ChangeRates {
    /// Who changes them.
    pub actor: Actor,
    /// Of which services, each once.
    pub services: Vec<ServiceId>,
    /// By how much.
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
            let rate = listing.rate.changed(self.by).ok_or(Refusal::RateTooHigh)?;
            sum = sum.saturating_add(listing.rate.micros());
            changed.push((id, listing.rate, rate));
        }
        if self.shown.is_some_and(|shown| shown != sum) {
            return Err(Refusal::RatesChanged.into());
        }
        changed.retain(|(_, before, rate)| before != rate);

        for (id, before, rate) in &changed {
            services::update_rate(tx, *id, *rate)?;
            let change = format!("rate {before} → {rate} ({})", self.by);
            record(tx, &self.actor, "service.rate", object(*id), change)?;
        }
        settings::bump_catalogue_version(tx)?;
        Ok(changed.len())
    }
}

/// Puts services into a category, behind those that are there.
pub struct MoveServices {
    /// Who moves them.
    pub actor: Actor,
    /// Which.
    pub services: Vec<ServiceId>,
    /// Where to.
    pub category: CategoryId,
}

impl Command for MoveServices {
    /// How many were not there yet.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let to = categories::find(tx, self.category)?.ok_or(Refusal::CategoryNotFound)?;
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
        settings::bump_catalogue_version(tx)?;
        Ok(moved.len())
    }
}

/// Moves a service by one place within its category; at the end of it nothing happens.
pub struct ShiftService {
    /// Who moves it.
    pub actor: Actor,
    /// Which.
    pub service: ServiceId,
    /// Where to.
    pub way: Way,
}

impl Command for ShiftService {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let place = service_list::find_place(tx, self.service)?.ok_or(Refusal::ServiceNotFound)?;
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
        settings::bump_catalogue_version(tx)?;
        let change = match self.way {
            Way::Up => format!("up, now before service {}", other.service),
            Way::Down => format!("down, now after service {}", other.service),
        };
        record(tx, &self.actor, "service.shift", object(self.service), change)
    }
}

/// Takes away a service that nobody has ordered, and with it the rates that users have for it.
pub struct DeleteService {
    /// Who deletes it.
    pub actor: Actor,
    /// Which.
    pub service: ServiceId,
}

impl Command for DeleteService {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let Service { id, listing } = find(tx, self.service)?;
        if orders::has_service(tx, id)? {
            return Err(Refusal::ServiceHasOrders.into());
        }

        services::delete(tx, id)?;
        settings::bump_catalogue_version(tx)?;
        let Listing { name, kind, rate, .. } = listing;
        let change = format!("{name}, {kind}, rate {rate}");
        record(tx, &self.actor, "service.delete", object(id), change)
    }
}
