//! Where a service is bought, and what its rate is by that: set by a person, and kept right
//! whichever way the service is written.

use std::collections::HashSet;

use super::conditions::about_service;
use super::record;
use super::syncing::{cost_at, release_losses};
use crate::domain::condition::ConditionKind;
use crate::domain::money::Rate;
use crate::domain::pricing::{Offer, Pricing, Rule};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, ProviderRefusal};
use crate::domain::service::{Listing, Service};
use crate::domain::{Actor, ProviderId, ServiceId};
use crate::store::{
    Command, Read, Result, Tx, conditions, offers, pricings, providers, services, substitutes,
};

/// The most that a service can have beside its own provider.
pub const SUBSTITUTES_MAX: usize = 9;
const THEIR_SERVICE_LENGTH_MAX: usize = 64;

/// One service of a provider, by the provider's own name for it.
pub type Source = (ProviderId, String);

/// Sets where a service is bought and how its rate follows the cost. A rate that follows is set by
/// the rule at once, where the cost is known.
pub struct SetSupply {
    pub actor: Actor,
    pub service: ServiceId,
    /// `None` for a service that is fulfilled by hand.
    pub own: Option<Source>,
    /// Where else, in order; at most [`SUBSTITUTES_MAX`].
    pub substitutes: Vec<Source>,
    pub rule: Rule,
    pub is_followed: bool,
    pub allows_loss: bool,
}

impl Command for SetSupply {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let service = find(tx, self.service)?;
        self.rule.check()?;
        self.check_places(tx, &service)?;
        let cost = match &self.own {
            Some(own) => cost_of(tx, own)?,
            None => None,
        };
        let rate = self.rate(&service, cost)?;

        let subject = about_service(service.id);
        services::update_provider(tx, service.id, borrowed(self.own.as_ref()))?;
        substitutes::replace(tx, service.id, &self.substitutes)?;
        let before = pricings::find(tx, service.id)?.unwrap_or_default();
        if self.own.is_some() {
            let Self { rule, is_followed, allows_loss, .. } = *self;
            let pricing = Pricing { cost, rule, is_followed, allows_loss, ..before };
            pricings::update(tx, service.id, &pricing)?;
        }
        if rate != service.listing.rate {
            services::update_rate(tx, service.id, rate)?;
        }
        // Somebody has looked at it: what is still the matter is said again by the next list.
        conditions::clear_about(tx, &subject)?;
        tell_below_cost(tx, service.id, rate)?;
        release_losses(tx)?;
        record(tx, &self.actor, "service.supply", subject, self.told(&service, rate))
    }
}

impl SetSupply {
    /// Every place is a service of a provider that is there, sold as the same type as far as is
    /// known, and none is named twice.
    fn check_places(&self, db: &Read<'_>, service: &Service) -> Result<()> {
        if self.substitutes.len() > SUBSTITUTES_MAX {
            return Err(ProviderRefusal::TooManySubstitutes.into());
        }
        if self.own.is_none() && !self.substitutes.is_empty() {
            return Err(ProviderRefusal::NoProvider.into());
        }
        let mut seen = HashSet::new();
        for (provider, name) in self.own.iter().chain(&self.substitutes) {
            super::providers::find(db, *provider)?;
            let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if !(1..=THEIR_SERVICE_LENGTH_MAX).contains(&name.len()) || !name.chars().all(is_sign) {
                return Err(ProviderRefusal::BadTheirService.into());
            }
            if !seen.insert((*provider, name)) {
                return Err(ProviderRefusal::PlaceTwice.into());
            }
            let offer = offers::find(db, *provider, name)?;
            if offer.is_some_and(|offer| offer.kind != service.listing.kind) {
                return Err(ProviderRefusal::KindDiffers.into());
            }
        }
        Ok(())
    }

    fn rate(&self, service: &Service, cost: Option<Rate>) -> Result<Rate> {
        match cost.filter(|_| self.is_followed) {
            Some(cost) => Ok(self.rule.rate(cost).ok_or(OperatorRefusal::RateTooHigh)?),
            None => Ok(service.listing.rate),
        }
    }

    fn told(&self, service: &Service, rate: Rate) -> String {
        let place = |(provider, name): &Source| format!("{name} of provider {provider}");
        let mut parts = vec![self.own.as_ref().map_or("by hand".to_owned(), place)];
        parts.extend(self.substitutes.iter().map(|source| format!("else {}", place(source))));
        if self.own.is_some() {
            parts.push(self.rule.to_string());
        }
        if self.is_followed {
            parts.push("the rate follows".to_owned());
        }
        if self.allows_loss {
            parts.push("a loss is allowed".to_owned());
        }
        if rate != service.listing.rate {
            parts.push(format!("rate {} → {rate}", service.listing.rate));
        }
        parts.join("; ")
    }
}

/// Sets a service's rate by its rule, whatever the cost has done.
pub struct SetRateByRule {
    pub actor: Actor,
    pub service: ServiceId,
}

impl Command for SetRateByRule {
    /// The rate.
    type Reply = Rate;

    fn run(&self, tx: &Tx<'_>) -> Result<Rate> {
        let service = find(tx, self.service)?;
        let pricing = pricings::find(tx, service.id)?.ok_or(ProviderRefusal::NoProvider)?;
        let Some(cost) = pricing.cost else { return Ok(service.listing.rate) };
        let rate = pricing.rule.rate(cost).ok_or(OperatorRefusal::RateTooHigh)?;

        let subject = about_service(service.id);
        services::update_rate(tx, service.id, rate)?;
        conditions::clear(tx, ConditionKind::PriceJump, &subject)?;
        tell_below_cost(tx, service.id, rate)?;
        let change =
            format!("rate {} → {rate} (by the rule {})", service.listing.rate, pricing.rule);
        record(tx, &self.actor, "service.rate", subject, change)?;
        Ok(rate)
    }
}

/// A service that somebody named.
fn find(db: &Read<'_>, id: ServiceId) -> Result<Service> {
    Ok(services::find(db, id)?.ok_or(OrderRefusal::ServiceNotFound)?)
}

fn borrowed(own: Option<&Source>) -> Option<(ProviderId, &str)> {
    own.map(|(provider, name)| (*provider, name.as_str()))
}

/// What a service of a provider costs in our currency, where its list has it.
fn cost_of(db: &Read<'_>, (provider, name): &Source) -> Result<Option<Rate>> {
    let offer: Option<Offer> = offers::find(db, *provider, name)?;
    let Some(offer) = offer else { return Ok(None) };
    Ok(Some(cost_at(&providers::get(db, *provider)?, &offer)))
}

/// A service has got its provider, or another one: what was known of its cost no longer holds.
pub(super) fn own_changed(tx: &Tx<'_>, id: ServiceId, listing: &Listing) -> Result<()> {
    conditions::clear_about(tx, &about_service(id))?;
    let own = listing.provider.zip(listing.provider_service.clone());
    let Some(own) = own else { return substitutes::replace(tx, id, &[]) };
    let before = pricings::find(tx, id)?.unwrap_or_default();
    let pricing = Pricing { cost: cost_of(tx, &own)?, off_by_sync: false, ..before };
    pricings::update(tx, id, &pricing)?;
    tell_below_cost(tx, id, listing.rate)
}

/// A person has written a service anew, in whatever way.
pub(super) fn listing_changed(tx: &Tx<'_>, before: &Service, after: &Listing) -> Result<()> {
    let was = &before.listing;
    if was.is_enabled != after.is_enabled {
        switched_by_hand(tx, before.id)?;
    }
    if (was.provider, &was.provider_service) != (after.provider, &after.provider_service) {
        return own_changed(tx, before.id, after);
    }
    match was.rate == after.rate {
        true => Ok(()),
        false => tell_below_cost(tx, before.id, after.rate),
    }
}

/// A person has put a service on or off sale: no list does from now on what that has decided.
pub(super) fn switched_by_hand(tx: &Tx<'_>, id: ServiceId) -> Result<()> {
    pricings::update_off_by_sync(tx, id, false)?;
    conditions::clear(tx, ConditionKind::ServiceRefused, &about_service(id))
}

/// Says that a rate is below the cost, or no longer is.
pub(super) fn tell_below_cost(tx: &Tx<'_>, id: ServiceId, rate: Rate) -> Result<()> {
    let Some(pricing) = pricings::find(tx, id)? else { return Ok(()) };
    let subject = about_service(id);
    match pricing.floor().filter(|floor| rate < *floor) {
        Some(cost) => {
            let text = format!("It costs {cost} and is sold for {rate}");
            conditions::raise(tx, ConditionKind::BelowCost, &subject, &text)
        }
        None => conditions::clear(tx, ConditionKind::BelowCost, &subject),
    }
}
