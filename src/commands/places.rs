//! Where an order can be bought: its service's own provider, then its substitutes, in order.

use std::collections::BTreeSet;

use super::posts;
use crate::domain::delivery::{Delivery, Ending, Submission};
use crate::domain::money::{Money, Rate};
use crate::domain::order::Order;
use crate::domain::provider::{Provider, Trouble};
use crate::domain::refusal::{OrderRefusal, ProviderRefusal};
use crate::domain::service::{Counting, Service};
use crate::domain::{OrderId, ProviderId, Timestamp};
use crate::store::substitutes::Substitute;
use crate::store::{
    Read, Result, deliveries, offers, orders, pricings, providers, services, submissions,
    substitutes, together,
};

/// So long an order does not go back to a provider that has put it off.
const PUT_OFF_SECONDS: i64 = 600;

/// Providers whose lanes hold them back just now. Only the server that runs them knows.
pub type Unwell = BTreeSet<ProviderId>;

/// A place where an order can be bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// 0 for the service's own provider, 1 to 9 for a substitute.
    pub place: i64,
    pub provider: ProviderId,
    pub provider_service: String,
    /// In our currency; `None` before the provider's first list.
    pub cost: Option<Rate>,
    /// Whether the provider may get orders now.
    pub is_well: bool,
    /// Whether the order was sold for what it costs here, or may be bought at a loss.
    pub is_affordable: bool,
    /// Whether the provider has said that our balance is used up, and it is less than the order
    /// costs.
    pub lacks_funds: bool,
}

impl Place {
    /// What the order should cost here.
    pub(super) fn expected(&self, order: &Order) -> Money {
        expected(order, self.cost)
    }

    const fn is_good(&self) -> bool {
        self.is_well && self.is_affordable && !self.lacks_funds
    }
}

/// The places that have not refused an order for good, in order.
#[derive(Clone, Debug, Default)]
pub struct Places(pub Vec<Place>);

impl Places {
    /// Where the order can be bought, as of `now`.
    pub fn list(
        db: &Read<'_>,
        order: &Order,
        attempts: &[Submission],
        unwell: &Unwell,
        now: Timestamp,
    ) -> Result<Self> {
        let (service, pricing, substitutes) = together!(db:
            services::get(db, order.service),
            pricings::find(db, order.service),
            substitutes::list(db, order.service),
        );
        let pricing = pricing.unwrap_or_default();
        let every = every_place(&service, substitutes);
        let providers = db.each(&every, |db, (_, provider, _)| providers::get(db, *provider))?;
        let sold: Vec<_> = every.into_iter().zip(providers).collect();
        let costs = db.each(&sold, |db, ((place, _, name), provider)| match place {
            0 => Ok(Some(pricing.cost)),
            _ => substitute_cost(db, order, provider, name),
        })?;
        let mut found = Vec::new();
        for (((place, _, provider_service), provider), cost) in sold.into_iter().zip(costs) {
            let has_refused = attempts.iter().any(|attempt| {
                attempt.provider == provider.id
                    && attempt.provider_service == provider_service
                    && attempt.ending.is_some_and(|ending| ending.is_final())
            });
            let Some(cost) = cost.filter(|_| !has_refused) else { continue };
            found.push(Place {
                place,
                provider: provider.id,
                provider_service,
                cost,
                is_well: provider.is_well(now) && !unwell.contains(&provider.id),
                is_affordable: pricing.allows_loss || cost.is_none_or(|cost| cost <= order.rate),
                lacks_funds: lacks_funds(&provider, expected(order, cost)),
            });
        }
        Ok(Self(found))
    }

    /// The place of that number at that provider.
    pub(super) fn at(&self, place: i64, provider: ProviderId) -> Option<&Place> {
        self.0.iter().find(|found| found.place == place && found.provider == provider)
    }

    /// All but the one where the order waits.
    pub(super) fn beside(&self, delivery: &Delivery) -> Self {
        let is_here = |it: &&Place| (it.place, it.provider) == (delivery.place, delivery.provider);
        Self(self.0.iter().filter(|it| !is_here(it)).cloned().collect())
    }

    /// All but the one that was tried, whatever its number is by now.
    pub(super) fn untried(&self, tried: &Submission) -> Self {
        let is_same = |it: &&Place| {
            it.provider == tried.provider && it.provider_service == tried.provider_service
        };
        Self(self.0.iter().filter(|it| !is_same(it)).cloned().collect())
    }

    /// All that are at other providers.
    pub(super) fn away_from(&self, provider: ProviderId) -> Self {
        Self(self.0.iter().filter(|it| it.provider != provider).cloned().collect())
    }

    /// The first that could take the order now.
    pub(super) fn first_good(&self) -> Option<&Place> {
        self.0.iter().find(|place| place.is_good())
    }

    /// Where an order may go at once that its provider has put off: to another provider, unless
    /// that has put it off too just now. So no two providers hand an order to and fro.
    pub(super) fn ready(
        &self,
        submission: &Submission,
        attempts: &[Submission],
        now: Timestamp,
    ) -> Option<&Place> {
        let has_put_off = |provider: ProviderId| {
            attempts.iter().any(|attempt| {
                let is_recent = attempt.ended_at.is_some_and(|at| at.0 + PUT_OFF_SECONDS > now.0);
                let is_put_off = matches!(attempt.ending, Some(Ending::Funds | Ending::Key));
                attempt.provider == provider && is_recent && is_put_off
            })
        };
        let is_away = |it: &&Place| it.provider != submission.provider && !has_put_off(it.provider);
        self.0.iter().filter(is_away).find(|place| place.is_good())
    }

    /// The first that could take the order now; else one that could later; else the first.
    pub(super) fn best(&self) -> Option<&Place> {
        let later = || self.0.iter().find(|place| place.is_affordable);
        self.first_good().or_else(later).or_else(|| self.0.first())
    }
}

/// What the order should cost at that cost.
fn expected(order: &Order, cost: Option<Rate>) -> Money {
    let charge = cost.and_then(|cost| cost.charge(order.units, order.kind.per()));
    charge.unwrap_or(Money::ZERO)
}

/// Whether the provider's balance, which it has said is used up, is less than that.
fn lacks_funds(provider: &Provider, expected: Money) -> bool {
    let ours = provider.balance.and_then(|balance| provider.terms.exchange.money(balance));
    provider.trouble == Some(Trouble::Funds) && ours.is_some_and(|balance| balance < expected)
}

/// Number, provider and the provider's own name of every place that sells a service.
fn every_place(service: &Service, others: Vec<Substitute>) -> Vec<(i64, ProviderId, String)> {
    let listing = &service.listing;
    let own = listing.provider.zip(listing.provider_service.clone());
    let own = own.into_iter().map(|(provider, name)| (0, provider, name));
    let others = others.into_iter().map(|it| (it.place, it.provider, it.provider_service));
    own.chain(others).collect()
}

/// What the order costs at a substitute; `None` where that does not sell it.
fn substitute_cost(
    db: &Read<'_>,
    order: &Order,
    provider: &Provider,
    provider_service: &str,
) -> Result<Option<Option<Rate>>> {
    let offer = offers::find(db, provider.id, provider_service)?;
    let (least, most) = match order.kind.counting() {
        Counting::Posts => posts::limits(db, order.id)?,
        Counting::Quantity | Counting::Lines(_) | Counting::Piece => {
            (order.quantity, order.quantity)
        }
    };
    let offer = offer.filter(|offer| {
        let fits = offer.quantity_min <= least && most <= offer.quantity_max;
        offer.gone_at.is_none() && offer.kind == order.kind && fits
    });
    Ok(offer.map(|offer| provider.terms.exchange.rate(offer.cost)))
}

/// Where an order can be bought, when all that was tried is still to be looked up.
pub fn of(db: &Read<'_>, order: &Order, unwell: &Unwell, now: Timestamp) -> Result<Places> {
    Places::list(db, order, &submissions::list_of(db, order.id)?, unwell, now)
}

/// An order on its way, and what still has to happen to it. Both must be there.
pub(super) fn load(db: &Read<'_>, id: OrderId) -> Result<(Order, Delivery)> {
    let (order, delivery) = together!(db: orders::find(db, id), deliveries::find(db, id));
    let order = order.ok_or(OrderRefusal::OrderNotFound)?;
    Ok((order, delivery.ok_or(ProviderRefusal::NothingToDecide)?))
}

/// An order on its way, with all that was tried and where it can be bought.
pub(super) struct Looked {
    pub(super) order: Order,
    pub(super) delivery: Delivery,
    pub(super) attempts: Vec<Submission>,
    pub(super) places: Places,
}

/// Looks for all of that. The order must be on its way.
pub(super) fn look(db: &Read<'_>, id: OrderId, unwell: &Unwell, now: Timestamp) -> Result<Looked> {
    let ((order, delivery), attempts) = together!(db: load(db, id), submissions::list_of(db, id));
    let places = Places::list(db, &order, &attempts, unwell, now)?;
    Ok(Looked { order, delivery, attempts, places })
}
