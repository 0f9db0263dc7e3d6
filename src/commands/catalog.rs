//! The catalogue: services and their categories.

use std::collections::HashSet;

use super::record;
use crate::domain::refusal::Refusal;
use crate::domain::service::{Listing, Service};
use crate::domain::{Actor, CategoryId, ProviderId, ServiceId};
use crate::store::{Command, Result, Tx, orders, services, settings};

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
            let judged = judge(tx, draft)?;
            known.push(judged.map_err(|refusal| Refusal::AtLine(draft.line, Box::new(refusal)))?);
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

/// Decides whether a draft can be written.
fn judge(tx: &Tx<'_>, draft: &Draft) -> Result<std::result::Result<Known, Refusal>> {
    let before = match draft.id {
        Some(id) => services::find(tx, id)?,
        None => None,
    };
    let provider = match &draft.provider {
        Some(name) => services::find_provider(tx, name)?,
        None => None,
    };
    if let Err(refusal) = draft.listing.check() {
        return Ok(Err(refusal));
    }
    let category_length = draft.category.chars().count();
    if !(1..=255).contains(&category_length) || draft.category.chars().any(char::is_control) {
        return Ok(Err(Refusal::BadCategoryName));
    }
    if draft.provider.is_some() && provider.is_none() {
        return Ok(Err(Refusal::ProviderNotFound));
    }
    if draft.provider.is_some() != draft.listing.provider_service.is_some() {
        return Ok(Err(Refusal::ProviderServiceMismatch));
    }
    if let Some(before) = &before
        && before.listing.kind != draft.listing.kind
        && orders::has_service(tx, before.id)?
    {
        return Ok(Err(Refusal::KindIsFixed));
    }
    Ok(Ok((before, provider)))
}

fn category(tx: &Tx<'_>, name: &str) -> Result<CategoryId> {
    match services::find_category(tx, name)? {
        Some(id) => Ok(id),
        None => services::insert_category(tx, name),
    }
}

/// Writes a changed listing, and what follows from it for the orders that are open.
fn update(tx: &Tx<'_>, before: &Service, listing: &Listing) -> Result<()> {
    services::update(tx, before.id, listing)?;
    if before.listing.denies_duplicates != listing.denies_duplicates {
        orders::update_exclusive(tx, before.id, listing.denies_duplicates)?;
    }
    Ok(())
}
