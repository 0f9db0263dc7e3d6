//! Services made of what a provider sells: planned, looked at, then written in slices.
//!
//! A plan is what happens: it is refused where the catalogue or the provider's list is no longer
//! what it was made from, and a slice leaves out what has changed under it since.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::catalog::{create, object};
use super::conditions::about_provider;
use super::record;
use super::supply::tell_below_cost;
use crate::domain::money::{Money, Rate};
use crate::domain::pricing::{Offer, Pricing, Rule};
use crate::domain::provider::Provider;
use crate::domain::refusal::{OperatorRefusal, ProviderRefusal};
use crate::domain::service::{Listing, check_category_name};
use crate::domain::{Actor, ProviderId, ServiceId, Timestamp};
use crate::store::{
    Command, Read, Result, Tx, categories, conditions, offers, orders, pricings, services, settings,
};

/// How many services one import may write.
pub const IMPORT_MAX: usize = 5000;
/// Services that one command writes.
const SLICE: usize = 200;

/// What somebody chose to import.
#[derive(Clone, Debug)]
pub struct Choice {
    pub provider: ProviderId,
    /// By the provider's own names; `None` for all that is on the list.
    pub services: Option<HashSet<String>>,
    /// Only what stands under one of these headings of theirs, where any are named.
    pub categories: HashSet<String>,
    pub headings: Headings,
    pub rule: Rule,
    /// Whether the rates follow the costs by themselves.
    pub is_followed: bool,
}

/// Under which headings the services go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Headings {
    /// Under the provider's own.
    Theirs,
    /// All under one.
    One(String),
    /// Theirs → ours; what is not named goes under theirs.
    Mapped(BTreeMap<String, String>),
}

impl Headings {
    fn of(&self, offer: &Offer, provider: &Provider) -> String {
        let theirs = match offer.category.is_empty() {
            true => provider.terms.name.clone(),
            false => offer.category.clone(),
        };
        match self {
            Self::Theirs => theirs,
            Self::One(ours) => ours.clone(),
            Self::Mapped(map) => map.get(&offer.category).cloned().unwrap_or(theirs),
        }
    }
}

/// What an import does, or would do.
#[derive(Clone, Debug)]
pub struct Plan {
    pub provider: ProviderId,
    /// Those that are new, then those that change.
    pub lines: Vec<Line>,
    pub skipped: Vec<Skipped>,
    rule: Rule,
    is_followed: bool,
    version: i64,
    synced_at: Option<Timestamp>,
}

/// A service that is made, or one that gets another rate or rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub offer: Offer,
    /// Our heading.
    pub category: String,
    /// In our currency.
    pub cost: Rate,
    pub rate: Rate,
    /// The service that is sold by it already, and its rate before.
    pub known: Option<(ServiceId, Rate)>,
}

impl Line {
    /// The service that is made of it.
    fn listing(&self) -> Listing<String> {
        let offer = &self.offer;
        Listing {
            category: self.category.clone(),
            name: offer.name.clone(),
            description: String::new(),
            kind: offer.kind,
            rate: self.rate,
            quantity_min: offer.quantity_min,
            quantity_max: offer.quantity_max,
            // Runs are never the provider's, and nobody has said yet that they are to be ours.
            is_dripfeed: false,
            is_refill: offer.is_refill,
            refill_days: None,
            is_cancel: offer.is_cancel,
            denies_duplicates: false,
            is_enabled: true,
            provider: Some(offer.provider),
            provider_service: Some(offer.provider_service.clone()),
        }
    }

    /// What is earned of the rate; negative for a loss.
    pub fn margin(&self) -> Money {
        Money::from_micros(self.rate.micros() - self.cost.micros())
    }
}

/// What is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub provider_service: String,
    pub name: String,
    pub why: Why,
}

/// Why something is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is imported, at that rate and by that rule.
    Same,
    /// The rate would be more than can be written.
    RateTooHigh,
    /// Its heading cannot be one of ours.
    BadCategory,
    /// Its name or its limits cannot be those of a service of ours.
    NotSellable,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "unchanged",
            Self::RateTooHigh => "rate too high",
            Self::BadCategory => "category cannot be used",
            Self::NotSellable => "name or limits cannot be used",
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (new, changed) = (self.new_lines(), self.lines.len() - self.new_lines());
        write!(f, "{new} new, {changed} changed, {} skipped", self.skipped.len())
    }
}

impl Plan {
    /// How many services are made.
    pub fn new_lines(&self) -> usize {
        self.lines.iter().filter(|line| line.known.is_none()).count()
    }
}

/// What an import of that choice would do.
///
/// # Errors
/// Where it is nothing at all or too much, or the rule cannot be one.
pub fn plan(db: &Read<'_>, choice: &Choice) -> Result<Plan> {
    let provider = super::providers::find(db, choice.provider)?;
    choice.rule.check()?;
    if let Headings::One(ours) = &choice.headings {
        check_category_name(ours)?;
    }
    let known = services::list_known(db, provider.id)?;
    let sold = pricings::list_of_provider(db, provider.id)?;
    let find = |name: &String| known.get(name).and_then(|id| Some((*id, *sold.get(id)?)));
    let mut plan = Plan {
        provider: provider.id,
        lines: Vec::new(),
        skipped: Vec::new(),
        rule: choice.rule,
        is_followed: choice.is_followed,
        version: settings::catalogue_version(db)?,
        synced_at: provider.synced_at,
    };
    for offer in offers::list(db, provider.id)? {
        let has = |names: &HashSet<String>, name: &String| names.contains(name);
        let is_named =
            choice.services.as_ref().is_none_or(|names| has(names, &offer.provider_service));
        if !is_named || !(choice.categories.is_empty() || has(&choice.categories, &offer.category))
        {
            continue;
        }
        let known = find(&offer.provider_service);
        match judge(choice, &provider, known, offer) {
            Ok(line) => plan.lines.push(*line),
            Err(skipped) => plan.skipped.push(skipped),
        }
    }
    check_size(db, plan)
}

fn check_size(db: &Read<'_>, mut plan: Plan) -> Result<Plan> {
    if plan.lines.is_empty() && plan.skipped.is_empty() {
        return Err(ProviderRefusal::NothingToImport.into());
    }
    let new = i64::try_from(plan.new_lines()).unwrap_or(i64::MAX);
    let is_too_many = services::count(db)?.saturating_add(new) > services::SERVICES_MAX;
    if plan.lines.len() > IMPORT_MAX || (new > 0 && is_too_many) {
        return Err(ProviderRefusal::ImportTooLarge.into());
    }
    plan.lines.sort_by_key(|line| line.known.is_some());
    Ok(plan)
}

/// What becomes of one line of the provider's list; `known` is the service that is sold by it
/// already, with its rate.
fn judge(
    choice: &Choice,
    provider: &Provider,
    known: Option<(ServiceId, (Rate, Pricing))>,
    offer: Offer,
) -> std::result::Result<Box<Line>, Skipped> {
    let skipped = |offer: Offer, why| {
        let Offer { provider_service, name, .. } = offer;
        Err(Skipped { provider_service, name, why })
    };
    let cost = provider.terms.exchange.rate(offer.cost);
    let Some((cost, rate)) = cost.and_then(|cost| Some((cost, choice.rule.rate(cost)?))) else {
        return skipped(offer, Why::RateTooHigh);
    };
    let category = choice.headings.of(&offer, provider);
    let Some((id, (before, pricing))) = known else {
        if check_category_name(&category).is_err() {
            return skipped(offer, Why::BadCategory);
        }
        let line = Line { offer, category, cost, rate, known: None };
        return match line.listing().check() {
            Ok(()) => Ok(Box::new(line)),
            Err(_) => skipped(line.offer, Why::NotSellable),
        };
    };
    let is_same =
        before == rate && (pricing.rule, pricing.is_followed) == (choice.rule, choice.is_followed);
    if is_same {
        return skipped(offer, Why::Same);
    }
    Ok(Box::new(Line { offer, category, cost, rate, known: Some((id, before)) }))
}

/// What an import has written, for whoever wants it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub created: Vec<ServiceId>,
    pub changed: Vec<Changed>,
    /// The names of the categories that it made.
    categories: Vec<String>,
}

/// A service that an import gave another rate or rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub service: ServiceId,
    /// The rate before, and the one that the import gave it.
    pub rates: (Rate, Rate),
    before: Pricing,
}

impl Written {
    /// How many services.
    pub fn len(&self) -> usize {
        self.created.len() + self.changed.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty()
    }

    /// Adds what a further slice has written.
    pub fn extend(&mut self, more: Self) {
        self.created.extend(more.created);
        self.changed.extend(more.changed);
        self.categories.extend(more.categories);
    }
}

/// Writes the next services of a plan. The first slice is refused where the plan no longer is what
/// would happen.
pub struct ImportSlice {
    pub actor: Actor,
    pub plan: Arc<Plan>,
    /// Where in the plan's lines it begins.
    pub from: usize,
}

impl Command for ImportSlice {
    /// What was written, and where the next slice begins; the plan's length at the end.
    type Reply = (Written, usize);

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        let plan = &self.plan;
        let provider = super::providers::find(tx, plan.provider)?;
        let is_as_seen = provider.synced_at == plan.synced_at
            && (self.from > 0 || settings::catalogue_version(tx)? == plan.version);
        if !is_as_seen {
            return Err(OperatorRefusal::CatalogueChanged.into());
        }

        if self.from == 0 {
            let change = format!("{plan} by the rule {}", plan.rule);
            record(tx, &self.actor, "provider.import", about_provider(provider.id), change)?;
        }
        let lines = plan.lines.get(self.from..).unwrap_or_default();
        let lines = &lines[..lines.len().min(SLICE)];
        let mut written = Written::default();
        for line in lines {
            match line.known {
                Some((id, _)) => written.changed.extend(self.change(tx, id, line)?),
                None => self.create(tx, &provider, line, &mut written)?,
            }
        }
        Ok((written, self.from + lines.len()))
    }
}

impl ImportSlice {
    /// Makes a service, unless somebody has in the meantime.
    fn create(
        &self,
        tx: &Tx<'_>,
        provider: &Provider,
        line: &Line,
        written: &mut Written,
    ) -> Result<()> {
        let name = &line.offer.provider_service;
        if !services::list_of_provider(tx, provider.id, name)?.is_empty() {
            return Ok(());
        }
        if categories::find_named(tx, &line.category)?.is_none() {
            written.categories.push(line.category.clone());
        }
        let id = create(tx, &self.actor, None, &line.listing())?;
        pricings::update(tx, id, &self.priced(Pricing::default(), line.cost))?;
        written.created.push(id);
        Ok(())
    }

    /// Gives a service the plan's rate and rule, unless it is sold by another provider by now.
    fn change(&self, tx: &Tx<'_>, id: ServiceId, line: &Line) -> Result<Option<Changed>> {
        let found = services::find(tx, id)?.filter(|found| {
            found.listing.provider == Some(self.plan.provider)
                && found.listing.provider_service.as_ref() == Some(&line.offer.provider_service)
        });
        let Some(found) = found else { return Ok(None) };
        let before = pricings::find(tx, id)?.unwrap_or_default();
        services::update_rate(tx, id, line.rate)?;
        pricings::update(tx, id, &self.priced(before, line.cost))?;
        tell_below_cost(tx, id, line.rate)?;
        let rates = (found.listing.rate, line.rate);
        let change = format!("rate {} → {} (by the rule {})", rates.0, rates.1, self.plan.rule);
        record(tx, &self.actor, "service.rate", object(id), change)?;
        Ok(Some(Changed { service: id, rates, before }))
    }

    fn priced(&self, before: Pricing, cost: Rate) -> Pricing {
        let Plan { rule, is_followed, .. } = *self.plan;
        Pricing { cost: Some(cost), rule, is_followed, ..before }
    }
}

/// Takes back what a part of an import has written: what nobody has ordered goes, with the
/// categories that are left empty, what somebody has goes off sale, and a rate that was changed is
/// as before, unless it was changed again since.
pub struct UndoImport {
    pub actor: Actor,
    pub provider: ProviderId,
    pub written: Written,
}

/// What taking back came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    pub deleted: usize,
    pub disabled: usize,
    pub restored: usize,
}

impl Undone {
    /// This and what more was taken back.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            deleted: self.deleted + more.deleted,
            disabled: self.disabled + more.disabled,
            restored: self.restored + more.restored,
        }
    }
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deleted, disabled, restored } = self;
        write!(f, "{deleted} deleted, {disabled} disabled, {restored} changed back")
    }
}

impl Written {
    /// Takes off as much as one command takes back, the categories last.
    pub fn split(&mut self) -> Self {
        let created = self.created.split_off(self.created.len().saturating_sub(SLICE));
        let room = SLICE - created.len();
        let changed = self.changed.split_off(self.changed.len().saturating_sub(room));
        let is_last = self.is_empty();
        let categories = if is_last { std::mem::take(&mut self.categories) } else { Vec::new() };
        Self { created, changed, categories }
    }
}

impl Command for UndoImport {
    type Reply = Undone;

    fn run(&self, tx: &Tx<'_>) -> Result<Undone> {
        let mut undone = Undone::default();
        for id in &self.written.created {
            let Some(service) = services::find(tx, *id)? else { continue };
            if !orders::has_service(tx, *id)? {
                services::delete(tx, *id)?;
                conditions::clear_about(tx, &object(*id))?;
                let change = format!("{} (import undone)", service.listing.name);
                record(tx, &self.actor, "service.delete", object(*id), change)?;
                undone.deleted += 1;
            } else if service.listing.is_enabled {
                services::update_enabled(tx, *id, false)?;
                let change = format!("{} (import undone)", service.listing.name);
                record(tx, &self.actor, "service.disable", object(*id), change)?;
                undone.disabled += 1;
            }
        }
        for changed in &self.written.changed {
            undone.restored += usize::from(self.restore(tx, changed)?);
        }
        self.delete_empty_categories(tx)?;
        let subject = about_provider(self.provider);
        record(tx, &self.actor, "provider.undo_import", subject, undone.to_string())?;
        Ok(undone)
    }
}

impl UndoImport {
    fn delete_empty_categories(&self, tx: &Tx<'_>) -> Result<()> {
        for name in &self.written.categories {
            let Some(found) = categories::find_named(tx, name)? else { continue };
            if categories::is_empty(tx, found.id)? {
                categories::delete(tx, found.id)?;
                let (object, change) = (format!("category {}", found.id), found.name);
                record(tx, &self.actor, "category.delete", object, change)?;
            }
        }
        Ok(())
    }

    fn restore(&self, tx: &Tx<'_>, changed: &Changed) -> Result<bool> {
        let Changed { service: id, rates: (before, now), before: pricing } = changed;
        let found = services::find(tx, *id)?.filter(|found| found.listing.rate == *now);
        let Some(cost) = pricings::find(tx, *id)?.filter(|_| found.is_some()).map(|it| it.cost)
        else {
            return Ok(false);
        };
        services::update_rate(tx, *id, *before)?;
        pricings::update(tx, *id, &Pricing { cost, ..*pricing })?;
        tell_below_cost(tx, *id, *before)?;
        let change = format!("rate {now} → {before} (import undone)");
        record(tx, &self.actor, "service.rate", object(*id), change)?;
        Ok(true)
    }
}
