//! The catalogue as a whole: its import, and what every way to write a service shares.

use std::collections::HashSet;

use super::record;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::service::{self, Listing, Service, ServiceKind};
use crate::domain::{Actor, CategoryId, ProviderId, ServiceId};
use crate::store::{
    Command, Read, Result, Tx, categories, orders, service_list, services, settings,
};

/// A service as a file or a form describes it: category and provider by name.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its number; `None` for the next one.
    pub id: Option<ServiceId>,
    pub provider: Option<String>,
    /// All else. The command looks up the provider.
    pub listing: Listing<String>,
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
    pub actor: Actor,
    pub drafts: Vec<Draft>,
}

/// The same, if the catalogue still is what it was when somebody looked at what would change. So a
/// form that is sent twice imports once.
pub struct ImportAsSeen {
    pub import: ImportServices,
    /// The version of the catalogue that was looked at.
    pub version: i64,
}

impl Command for ImportAsSeen {
    type Reply = Imported;

    fn run(&self, tx: &Tx<'_>) -> Result<Imported> {
        if settings::catalogue_version(tx)? != self.version {
            return Err(OperatorRefusal::CatalogueChanged.into());
        }
        self.import.run(tx)
    }
}

/// How many services an import made and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub created: usize,
    pub updated: usize,
}

impl Command for ImportServices {
    type Reply = Imported;

    fn run(&self, tx: &Tx<'_>) -> Result<Imported> {
        let known = judge_all(tx, &self.drafts)?;

        let mut imported = Imported::default();
        let mut orders_follow = false;
        for (draft, (before, provider)) in self.drafts.iter().zip(known) {
            let category = category(tx, &draft.listing.category)?;
            let listing = draft.listing.clone().in_category(category);
            let listing = Listing { provider, ..listing };
            let listing = draft.keep(before.as_ref(), listing);
            match before {
                Some(before) => {
                    imported.updated += 1;
                    orders_follow |= update(tx, &before, &listing)?;
                }
                None => {
                    imported.created += 1;
                    services::insert(tx, draft.id, &listing)?;
                }
            }
        }
        if orders_follow {
            orders::update_exclusive(tx)?;
        }
        let change = format!("{} created, {} updated", imported.created, imported.updated);
        record(tx, &self.actor, "service.import", "services", change)?;
        Ok(imported)
    }
}

/// A draft's service as it is now, and its provider.
type Known = (Option<Service>, Option<ProviderId>);

/// Decides whether drafts can be written, all of them.
fn judge_all(db: &Read<'_>, drafts: &[Draft]) -> Result<Vec<Known>> {
    let mut ids = HashSet::new();
    let mut known = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if draft.id.is_some_and(|id| !ids.insert(id)) {
            return Err(
                OperatorRefusal::AtLine(draft.line, Box::new(OperatorRefusal::IdTwice)).into()
            );
        }
        known.push(judge(db, draft)?);
    }
    Ok(known)
}

/// Decides whether a draft can be written; a refusal names its line.
fn judge(db: &Read<'_>, draft: &Draft) -> Result<Known> {
    let at_line = |refusal| OperatorRefusal::AtLine(draft.line, Box::new(refusal));
    draft.listing.check().map_err(at_line)?;
    service::check_category_name(&draft.listing.category).map_err(at_line)?;
    let before = match draft.id {
        Some(id) => services::find(db, id)?,
        None => None,
    };
    let provider = match &draft.provider {
        Some(name) => services::find_provider(db, name)?,
        None => None,
    };
    if draft.provider.is_some() && provider.is_none() {
        return Err(at_line(OperatorRefusal::ProviderNotFound).into());
    }
    if draft.provider.is_some() != draft.listing.provider_service.is_some() {
        return Err(at_line(OperatorRefusal::ProviderServiceMismatch).into());
    }
    if let Some(before) = &before
        && is_kind_fixed(db, before, draft.listing.kind)?
    {
        return Err(at_line(OperatorRefusal::KindIsFixed).into());
    }
    Ok((before, provider))
}

/// Whether the service cannot become of that kind: its orders were placed by the fields of its own.
pub(super) fn is_kind_fixed(db: &Read<'_>, before: &Service, kind: ServiceKind) -> Result<bool> {
    Ok(before.listing.kind != kind && orders::has_service(db, before.id)?)
}

/// What an import would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub created: usize,
    /// Ones that would change.
    pub updated: usize,
    /// Ones that are so already.
    pub same: usize,
}

/// What an import of these drafts would do.
///
/// # Errors
/// The refusal that the import would meet.
pub fn preview(db: &Read<'_>, drafts: &[Draft]) -> Result<Preview> {
    let mut preview = Preview::default();
    for (draft, (before, provider)) in drafts.iter().zip(judge_all(db, drafts)?) {
        let Some(before) = before else {
            preview.created += 1;
            continue;
        };
        let category = categories::find_named(db, &draft.listing.category)?;
        let is_same = category.is_some_and(|category| {
            let listing = draft.listing.clone().in_category(category.id);
            draft.keep(Some(&before), Listing { provider, ..listing }) == before.listing
        });
        match is_same {
            true => preview.same += 1,
            false => preview.updated += 1,
        }
    }
    Ok(preview)
}

/// The category of that name, made where there is none.
pub(super) fn category(tx: &Tx<'_>, name: &str) -> Result<CategoryId> {
    match categories::find_named(tx, name)? {
        Some(category) => Ok(category.id),
        None => categories::insert(tx, name),
    }
}

/// Writes a changed listing, and what follows from it for its place. Says whether open orders have
/// to follow: once for all services that change.
pub(super) fn update(tx: &Tx<'_>, before: &Service, listing: &Listing) -> Result<bool> {
    services::update(tx, before.id, listing)?;
    if before.listing.category != listing.category {
        service_list::update_category(tx, before.id, listing.category)?;
    }
    Ok(before.listing.denies_duplicates != listing.denies_duplicates)
}
