//! The catalogue as a whole: its import, and what every way to write a service shares.

use std::collections::HashSet;
use std::fmt;

use super::{record, supply};
use crate::domain::money::Discount;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::service::{self, Listing, Service, ServiceKind};
use crate::domain::{Actor, CategoryId, ServiceId};
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
    /// What the file does not say: a service that is there keeps it.
    pub unsaid: Vec<Part>,
    /// Where it stood in the file, for a refusal to name.
    pub line: u64,
}

/// A part of a service that a file may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Kind,
    Description,
    DripFeed,
    Refill,
    RefillDays,
    Cancel,
    DenyDuplicates,
    Enabled,
    /// Who delivers it, with the provider's own name for it.
    Provider,
}

impl Part {
    /// Takes it over from what the service was before.
    fn keep(self, before: &Listing<String>, listing: &mut Listing<String>) {
        match self {
            Self::Kind => listing.kind = before.kind,
            Self::Description => listing.description.clone_from(&before.description),
            Self::DripFeed => listing.is_dripfeed = before.is_dripfeed,
            Self::Refill => listing.is_refill = before.is_refill,
            Self::RefillDays => listing.refill_days = before.refill_days,
            Self::Cancel => listing.is_cancel = before.is_cancel,
            Self::DenyDuplicates => listing.denies_duplicates = before.denies_duplicates,
            Self::Enabled => listing.is_enabled = before.is_enabled,
            Self::Provider => {
                listing.provider = before.provider;
                listing.provider_service.clone_from(&before.provider_service);
            }
        }
    }
}

/// Writes services, all of them or none: an empty id is a new service, an unknown id is created
/// with it, a known one is updated. Categories are made as they are met. Each service that is made
/// or changed has its own line in the audit log.
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
    type Reply = Report;

    fn run(&self, tx: &Tx<'_>) -> Result<Report> {
        if settings::catalogue_version(tx)? != self.version {
            return Err(OperatorRefusal::CatalogueChanged.into());
        }
        self.import.run(tx)
    }
}

/// What an import does, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each new service: its name, type, rate and category.
    pub created: Vec<String>,
    /// Those whose price falls steeply come first, then those that are switched on or off.
    pub changed: Vec<Changed>,
    /// Those that are so already.
    pub unchanged: usize,
}

/// A service that an import changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub service: ServiceId,
    /// As it was called before.
    pub name: String,
    /// One for each part: `rate 0.90 → 1.00`.
    pub changes: Vec<String>,
    /// By how much its price falls, if by more than 20 %.
    pub fall: Option<Discount>,
    /// Whether it is enabled or disabled; `None` where that stays.
    pub switched: Option<bool>,
}

impl Changed {
    /// All that changes, what deserves a second look first.
    pub fn summary(&self) -> String {
        let changes = self.changes.join("; ");
        match self.fall {
            Some(fall) => format!("price falls by {fall}: {changes}"),
            None => changes,
        }
    }
}

impl Report {
    /// The report with its lines in the order in which people should read them.
    fn sorted(mut self) -> Self {
        self.changed.sort_by_key(|it| (it.fall.is_none(), it.switched.is_none()));
        self
    }

    /// How many prices fall by more than 20 %.
    pub fn falls(&self) -> usize {
        self.changed.iter().filter(|changed| changed.fall.is_some()).count()
    }

    /// How many services are enabled, or else disabled, that were not.
    pub fn switched(&self, is_enabled: bool) -> usize {
        self.changed.iter().filter(|changed| changed.switched == Some(is_enabled)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} created, {} updated", self.created.len(), self.changed.len())?;
        if self.unchanged > 0 { write!(f, ", {} unchanged", self.unchanged) } else { Ok(()) }
    }
}

impl Command for ImportServices {
    type Reply = Report;

    fn run(&self, tx: &Tx<'_>) -> Result<Report> {
        let judged = judge_all(tx, &self.drafts)?;

        let mut report = Report::default();
        let mut orders_follow = false;
        for (draft, Judged { before, after }) in self.drafts.iter().zip(judged) {
            let change = before.as_ref().map(|before| before.changed(tx, &after)).transpose()?;
            let Some(before) = before else {
                create(tx, &self.actor, draft.id, &after)?;
                report.created.push(described(&after));
                continue;
            };
            let Some(change) = change.flatten() else {
                report.unchanged += 1;
                continue;
            };
            let listing = after.clone().in_category(category(tx, &after.category)?);
            orders_follow |= update(tx, &before.service, &listing)?;
            let (object, changes) = (object(change.service), change.changes.join("; "));
            record(tx, &self.actor, "service.update", object, changes)?;
            report.changed.push(change);
        }
        if orders_follow {
            orders::update_exclusive(tx)?;
        }
        record(tx, &self.actor, "service.import", "services", report.to_string())?;
        Ok(report.sorted())
    }
}

/// How the audit log names a service.
pub(super) fn object(id: ServiceId) -> String {
    format!("service {id}")
}

/// Puts a new service on the list and writes that down.
pub(super) fn create(
    tx: &Tx<'_>,
    actor: &Actor,
    id: Option<ServiceId>,
    listing: &Listing<String>,
) -> Result<ServiceId> {
    let category = category(tx, &listing.category)?;
    let listed = listing.clone().in_category(category);
    let id = services::insert(tx, id, &listed)?;
    if listed.provider.is_some() {
        supply::own_changed(tx, id, &listed)?;
    }
    record(tx, actor, "service.create", object(id), described(listing))?;
    Ok(id)
}

/// What a new service is, in a line.
fn described(listing: &Listing<String>) -> String {
    let Listing { name, kind, rate, category, .. } = listing;
    format!("{name}, {kind}, rate {rate}, in {category}")
}

/// What a service is before it changes.
pub(super) struct Before {
    pub(super) service: Service,
    /// The same, with the name of its category.
    listing: Listing<String>,
}

impl Before {
    /// The service of that number, if there is one.
    pub(super) fn find(db: &Read<'_>, id: ServiceId) -> Result<Option<Self>> {
        let Some(service) = services::find(db, id)? else { return Ok(None) };
        let category = categories::find(db, service.listing.category)?;
        let category = category.map(|category| category.name).unwrap_or_default();
        let listing = service.listing.clone().in_category(category);
        Ok(Some(Self { service, listing }))
    }

    /// What changes, if anything does.
    pub(super) fn changed(
        &self,
        db: &Read<'_>,
        after: &Listing<String>,
    ) -> Result<Option<Changed>> {
        let before = &self.listing;
        let mut changes = before.changes(after);
        if before.category != after.category {
            changes.push(format!("category {} → {}", before.category, after.category));
        }
        if before.provider != after.provider {
            let name = |provider: Option<_>| match provider {
                Some(provider) => services::provider_name(db, provider),
                None => Ok("none".to_owned()),
            };
            let (left, now) = (name(before.provider)?, name(after.provider)?);
            changes.push(format!("provider {left} → {now}"));
        }
        if before.provider_service != after.provider_service {
            let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
            let (left, now) = (name(&before.provider_service), name(&after.provider_service));
            changes.push(format!("provider service {left} → {now}"));
        }
        let is_switched = before.is_enabled != after.is_enabled;
        Ok((!changes.is_empty()).then(|| Changed {
            service: self.service.id,
            name: before.name.clone(),
            changes,
            fall: before.steep_fall(after),
            switched: is_switched.then_some(after.is_enabled),
        }))
    }
}

/// A draft that can be written: the service it is about, and what that becomes.
struct Judged {
    before: Option<Before>,
    after: Listing<String>,
}

/// Decides whether drafts can be written, all of them.
fn judge_all(db: &Read<'_>, drafts: &[Draft]) -> Result<Vec<Judged>> {
    let mut ids = HashSet::new();
    let mut judged = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if draft.id.is_some_and(|id| !ids.insert(id)) {
            return Err(
                OperatorRefusal::AtLine(draft.line, Box::new(OperatorRefusal::IdTwice)).into()
            );
        }
        judged.push(judge(db, draft)?);
    }
    Ok(judged)
}

/// Decides whether a draft can be written; a refusal names its line.
fn judge(db: &Read<'_>, draft: &Draft) -> Result<Judged> {
    let at_line = |refusal| OperatorRefusal::AtLine(draft.line, Box::new(refusal));
    let before = match draft.id {
        Some(id) => Before::find(db, id)?,
        None => None,
    };
    let provider = match &draft.provider {
        Some(name) => services::find_provider(db, name)?,
        None => None,
    };
    let mut after = Listing { provider, ..draft.listing.clone() };
    if let Some(before) = &before {
        for part in &draft.unsaid {
            part.keep(&before.listing, &mut after);
        }
    }
    after.check().map_err(at_line)?;
    service::check_category_name(&after.category).map_err(at_line)?;
    if draft.provider.is_some() && provider.is_none() {
        return Err(at_line(OperatorRefusal::ProviderNotFound).into());
    }
    if draft.provider.is_some() != draft.listing.provider_service.is_some() {
        return Err(at_line(OperatorRefusal::ProviderServiceMismatch).into());
    }
    if let Some(before) = &before
        && is_kind_fixed(db, &before.service, after.kind)?
    {
        return Err(at_line(OperatorRefusal::KindIsFixed).into());
    }
    Ok(Judged { before, after })
}

/// Whether the service cannot become of that kind: its orders were placed by the fields of its own.
pub(super) fn is_kind_fixed(db: &Read<'_>, before: &Service, kind: ServiceKind) -> Result<bool> {
    Ok(before.listing.kind != kind && orders::has_service(db, before.id)?)
}

/// What an import of these drafts would do.
///
/// # Errors
/// The refusal that the import would meet.
pub fn preview(db: &Read<'_>, drafts: &[Draft]) -> Result<Report> {
    let mut report = Report::default();
    for Judged { before, after } in judge_all(db, drafts)? {
        let Some(before) = before else {
            report.created.push(described(&after));
            continue;
        };
        match before.changed(db, &after)? {
            Some(changed) => report.changed.push(changed),
            None => report.unchanged += 1,
        }
    }
    Ok(report.sorted())
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
    supply::listing_changed(tx, before, listing)?;
    Ok(before.listing.denies_duplicates != listing.denies_duplicates)
}
