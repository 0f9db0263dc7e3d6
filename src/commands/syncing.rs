//! A provider's list of services, taken over in slices, and what follows from it for what we sell.
//!
//! What is gone is marked by the last slices only, so a sync that dies takes nothing off sale. A
//! list that cannot be trusted changes nothing at all.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::conditions::{about_provider, about_service};
use super::sending::go_to;
use super::{hands, places, record};
use crate::domain::catalogue::{Count, Unusable};
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::Hand;
use crate::domain::following::{self, Followed, Seen, Standing};
use crate::domain::money::Rate;
use crate::domain::pricing::Offer;
use crate::domain::provider::Provider;
use crate::domain::service::Service;
use crate::domain::{Actor, OrderId, ProviderId, ServiceId, Timestamp};
use crate::store::{
    Command, Read, Result, Tx, conditions, deliveries, offers, pricings, providers, services,
    substitutes, together,
};

/// Lines that one command writes.
const SLICE: usize = 500;
/// Between two fetches of a list.
const EVERY_SECONDS: i64 = 6 * 3600;
/// As long a fetch may take before another one is begun.
const LEASE_SECONDS: i64 = 300;
/// How soon a list that could not be fetched is asked for again.
const AGAIN_SECONDS: i64 = 600;
/// Orders held for a loss that are read at once.
const RELEASED_AT_ONCE: i64 = 500;

/// Takes a provider's list to be fetched, if that is due: nobody else does for a while.
pub struct LeaseCatalogue {
    pub provider: ProviderId,
}

impl Command for LeaseCatalogue {
    /// The provider, where its list is to be fetched.
    type Reply = Option<Provider>;

    fn run(&self, tx: &Tx<'_>) -> Result<Option<Provider>> {
        let found = providers::find(tx, self.provider)?;
        let Some(found) = found.filter(|found| found.sync_due_at <= tx.now) else {
            return Ok(None);
        };

        providers::update_sync_due(tx, found.id, Timestamp(tx.now.0 + LEASE_SECONDS))?;
        Ok(Some(found))
    }
}

/// A list could not be fetched.
pub struct RecordNoCatalogue {
    pub provider: ProviderId,
    /// Why, where the operator should know: not for a provider that is out of reach just now.
    pub text: Option<String>,
}

impl Command for RecordNoCatalogue {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let Some(found) = providers::find(tx, self.provider)? else { return Ok(()) };

        providers::update_sync_due(tx, found.id, Timestamp(tx.now.0 + AGAIN_SECONDS))?;
        match &self.text {
            Some(text) => {
                let subject = about_provider(found.id);
                conditions::raise(tx, ConditionKind::Catalogue, &subject, text)
            }
            None => Ok(()),
        }
    }
}

/// A provider's list as it came.
#[derive(Clone, Debug, Default)]
pub struct List {
    offers: Vec<Offer>,
    unreadable: usize,
    names: HashSet<String>,
}

impl List {
    /// A list, with how many lines more there were that could not be read.
    pub fn new(offers: Vec<Offer>, unreadable: usize) -> Self {
        let names = offers.iter().map(|offer| offer.provider_service.clone()).collect();
        Self { offers, unreadable, names }
    }

    /// How many lines could be read.
    pub fn len(&self) -> usize {
        self.offers.len()
    }

    /// Whether none could.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// How many could not.
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// What taking it over would come to.
    fn count(&self, db: &Read<'_>, provider: ProviderId) -> Result<Count> {
        let mut used: HashSet<String> = services::list_used(db, provider)?.into_iter().collect();
        used.extend(substitutes::list_used(db, provider)?);
        let mut count =
            Count { read: self.offers.len(), unreadable: self.unreadable, ..Count::default() };
        offers::for_each_name(db, provider, |name| {
            let is_used = used.contains(&name);
            count.used += usize::from(is_used);
            count.vanishing += usize::from(is_used && !self.names.contains(&name));
        })?;
        Ok(count)
    }
}

/// Takes over a slice of a provider's list: first its lines, then what is gone from it.
pub struct RecordCatalogue {
    pub provider: ProviderId,
    pub list: Arc<List>,
    /// Where the slice begins; 0 looks at the list as a whole.
    pub from: usize,
}

/// What a slice came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// The next one begins there.
    More { from: usize, changed: usize },
    /// That was the last one.
    Ended { changed: usize },
    /// The list as a whole is not to be trusted. Nothing was changed.
    ThrownAway(Unusable),
}

impl Command for RecordCatalogue {
    type Reply = Slice;

    fn run(&self, tx: &Tx<'_>) -> Result<Slice> {
        let provider = super::providers::find(tx, self.provider)?;
        if self.from == 0
            && let Err(unusable) = self.list.count(tx, provider.id)?.check()
        {
            throw_away(tx, provider.id, unusable)?;
            return Ok(Slice::ThrownAway(unusable));
        }

        let mut changed = 0;
        let lines = self.list.offers.get(self.from..).unwrap_or_default();
        if !lines.is_empty() {
            let lines = &lines[..lines.len().min(SLICE)];
            let known = tx.each(lines, |db, offer| Known::of(db, provider.id, offer))?;
            for (offer, known) in lines.iter().zip(known) {
                changed += take_over(tx, &provider, offer, known)?;
            }
            return Ok(Slice::More { from: self.from + lines.len(), changed });
        }
        let gone = self.gone(tx)?;
        for name in gone.iter().take(SLICE) {
            changed += take_off(tx, provider.id, name)?;
        }
        if gone.len() > SLICE {
            return Ok(Slice::More { from: self.from, changed });
        }
        providers::update_synced(tx, provider.id, Timestamp(tx.now.0 + EVERY_SECONDS))?;
        conditions::clear(tx, ConditionKind::Catalogue, &about_provider(provider.id))?;
        release_losses(tx)?;
        Ok(Slice::Ended { changed })
    }
}

impl RecordCatalogue {
    /// What is no longer on the list; one more than a slice of it will do.
    fn gone(&self, db: &Read<'_>) -> Result<Vec<String>> {
        let mut gone = Vec::new();
        offers::for_each_name(db, self.provider, |name| {
            if gone.len() <= SLICE && !self.list.names.contains(&name) {
                gone.push(name);
            }
        })?;
        Ok(gone)
    }
}

fn throw_away(tx: &Tx<'_>, provider: ProviderId, unusable: Unusable) -> Result<()> {
    providers::update_sync_due(tx, provider, Timestamp(tx.now.0 + EVERY_SECONDS))?;
    let (kind, subject) = (ConditionKind::Catalogue, about_provider(provider));
    conditions::raise(tx, kind, &subject, &unusable.to_string())
}

/// What is known of a line of the list before it is written.
struct Known {
    before: Option<Offer>,
    /// The services that are sold by it.
    sold: Vec<ServiceId>,
    /// Those that it is a substitute for.
    elsewhere: Vec<ServiceId>,
}

impl Known {
    fn of(db: &Read<'_>, provider: ProviderId, offer: &Offer) -> Result<Self> {
        let name = &offer.provider_service;
        let (before, sold, elsewhere) = together!(db:
            offers::find(db, provider, name),
            services::list_of_provider(db, provider, name),
            substitutes::list_of_provider(db, provider, name),
        );
        Ok(Self { before, sold, elsewhere })
    }
}

/// Writes a line of the list, and what it changes of the services that are sold by it. Says how
/// many of them were changed.
fn take_over(tx: &Tx<'_>, provider: &Provider, offer: &Offer, known: Known) -> Result<usize> {
    let Known { before, sold, elsewhere } = known;
    offers::upsert(tx, offer)?;
    let mut changed = 0;
    for id in sold {
        let cost = cost_at(provider, offer);
        changed += usize::from(follow(tx, id, (before.as_ref(), offer), cost)?);
    }
    let is_back = before.is_none_or(|before| before.gone_at.is_some());
    for id in elsewhere.into_iter().filter(|_| is_back) {
        changed += usize::from(put_back(tx, id)?);
    }
    Ok(changed)
}

/// What a line costs in our currency. What cannot be written is sold to nobody.
pub(super) fn cost_at(provider: &Provider, offer: &Offer) -> Rate {
    provider.terms.exchange.rate(offer.cost).unwrap_or(Rate::MAX)
}

/// Says whether the service was changed.
fn follow(
    tx: &Tx<'_>,
    id: ServiceId,
    (before, now): (Option<&Offer>, &Offer),
    cost: Rate,
) -> Result<bool> {
    let (service, subject) = (services::get(tx, id)?, about_service(id));
    let pricing = pricings::find(tx, id)?.unwrap_or_default();
    let standing = Standing {
        is_elsewhere: is_sold_elsewhere(tx, &service)?,
        is_refused: conditions::is_open(tx, ConditionKind::ServiceRefused, &subject)?,
        is_jumping: conditions::is_open(tx, ConditionKind::PriceJump, &subject)?,
    };
    let listing = &service.listing;
    let seen = Seen { listing, pricing: &pricing, before, now, cost, standing };
    let followed = following::follow(&seen);
    save(tx, &service, &followed)?;
    if followed.pricing != pricing {
        pricings::update(tx, id, &followed.pricing)?;
    }
    Ok(followed.listing != service.listing)
}

fn save(tx: &Tx<'_>, service: &Service, followed: &Followed) -> Result<()> {
    let subject = about_service(service.id);
    for kind in &followed.cleared {
        conditions::clear(tx, *kind, &subject)?;
    }
    for (kind, text) in &followed.raised {
        conditions::raise(tx, *kind, &subject, text)?;
    }
    let changes = service.listing.changes(&followed.listing);
    if changes.is_empty() {
        return Ok(());
    }
    services::update(tx, service.id, &followed.listing)?;
    record(tx, &Actor::Delivery, "service.sync", &subject, changes.join("; "))
}

/// Whether a substitute of the service is on its provider's list and sells the same type.
fn is_sold_elsewhere(db: &Read<'_>, service: &Service) -> Result<bool> {
    for substitute in substitutes::list(db, service.id)? {
        let offer = offers::find(db, substitute.provider, &substitute.provider_service)?;
        if offer.is_some_and(|it| it.gone_at.is_none() && it.kind == service.listing.kind) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the service's own provider still lists it, or has not said yet.
fn is_sold_by_own(db: &Read<'_>, service: &Service) -> Result<bool> {
    let own = service.listing.provider.zip(service.listing.provider_service.as_deref());
    let Some((provider, name)) = own else { return Ok(true) };
    Ok(offers::find(db, provider, name)?.is_none_or(|offer| offer.gone_at.is_none()))
}

/// Marks a line that is gone, and takes off sale what nobody else sells. Says how many services.
fn take_off(tx: &Tx<'_>, provider: ProviderId, name: &str) -> Result<usize> {
    offers::update_gone(tx, provider, name)?;
    let own = services::list_of_provider(tx, provider, name)?;
    for id in &own {
        let text = "It is no longer on its provider's list";
        conditions::raise(tx, ConditionKind::Gone, &about_service(*id), text)?;
    }
    let mut changed = 0;
    for id in own.into_iter().chain(substitutes::list_of_provider(tx, provider, name)?) {
        let service = services::get(tx, id)?;
        let is_sold = is_sold_by_own(tx, &service)? || is_sold_elsewhere(tx, &service)?;
        if service.listing.is_enabled && !is_sold {
            switch(tx, &service)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Puts a service on sale again that a sync took off, since a substitute is back.
fn put_back(tx: &Tx<'_>, id: ServiceId) -> Result<bool> {
    let service = services::get(tx, id)?;
    let is_off = pricings::find(tx, id)?.is_some_and(|pricing| pricing.off_by_sync);
    if !is_off || service.listing.is_enabled || !is_sold_elsewhere(tx, &service)? {
        return Ok(false);
    }
    switch(tx, &service)?;
    Ok(true)
}

/// Takes a service off sale, or puts it back.
fn switch(tx: &Tx<'_>, service: &Service) -> Result<()> {
    let is_enabled = !service.listing.is_enabled;
    services::update_enabled(tx, service.id, is_enabled)?;
    pricings::update_off_by_sync(tx, service.id, !is_enabled)?;
    let change = if is_enabled { "Back on its provider's list" } else { "Gone from the list" };
    let subject = about_service(service.id);
    record(tx, &Actor::Delivery, "service.sync", subject, change.to_owned())
}

/// Lets orders go that were held since they would have been bought at a loss, where they no longer
/// would.
pub(super) fn release_losses(tx: &Tx<'_>) -> Result<()> {
    let (mut last, mut left) = (OrderId(0), BTreeSet::new());
    loop {
        let held = deliveries::list_held(tx, Hand::Loss, last, RELEASED_AT_ONCE)?;
        let Some(newest) = held.last() else { break };
        last = *newest;
        for id in held {
            left.extend(release(tx, id)?);
        }
    }
    left.iter().try_for_each(|provider| hands::follow(tx, *provider))
}

/// Lets an order go that would be no loss any more. Says where it was held then.
fn release(tx: &Tx<'_>, held: OrderId) -> Result<Option<ProviderId>> {
    let (order, delivery) = places::load(tx, held)?;
    let places = places::of(tx, &order, &places::Unwell::new(), tx.now)?;
    let Some(place) = places.0.iter().find(|place| place.is_affordable) else { return Ok(None) };
    let left = delivery.provider;
    go_to(tx, delivery, place)?;
    Ok(Some(left))
}
