//! Where a service is bought and what its rate is by that: read, shown, and read from its form.

use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::rate;
use crate::admin::frame::form::Form;
use crate::commands::supply::{SUBSTITUTES_MAX, SetSupply, Source};
use crate::domain::money::{Money, Rate};
use crate::domain::pace::Pace;
use crate::domain::pricing::{Offer, Pricing};
use crate::domain::provider::Provider;
use crate::domain::service::Service;
use crate::domain::{Actor, ProviderId, ServiceId};
use crate::store::{
    self, Read, offers, paces, pricings, provider_list, providers, substitutes, together,
};

/// Users that the page names.
const NAMED_MAX: usize = 5;
/// Rows for substitutes that the form has beside those that are filled in.
const EMPTY_ROWS: usize = 1;

/// A place where a service is bought.
pub(super) struct Place {
    pub(super) provider: Option<ProviderId>,
    /// The provider's own name for it.
    pub(super) name: String,
    /// What it is called on the provider's list, and whether it is still there.
    pub(super) offer: Option<Offer>,
    /// What it costs there, in our currency.
    pub(super) cost: Option<Rate>,
}

/// All that is known of where a service is bought.
pub(super) struct Supply {
    pub(super) providers: Vec<Provider>,
    pub(super) pricing: Pricing,
    pub(super) own: Place,
    pub(super) substitutes: Vec<Place>,
    pub(super) pace: Option<Pace>,
    rate: Rate,
    /// Users who would pay less than it costs.
    below: Vec<String>,
}

fn place(db: &Read<'_>, at: Option<(ProviderId, String)>) -> store::Result<Place> {
    let Some((provider, name)) = at else {
        return Ok(Place { provider: None, name: String::new(), offer: None, cost: None });
    };
    let (offer, known) =
        together!(db: offers::find(db, provider, &name), providers::get(db, provider));
    let cost = offer.as_ref().and_then(|offer| known.terms.exchange.rate(offer.cost));
    Ok(Place { provider: Some(provider), name, offer, cost })
}

impl Supply {
    /// As it is saved now.
    pub(super) fn read(db: &Read<'_>, service: &Service) -> store::Result<Self> {
        let listing = &service.listing;
        let others = |db: &Read<'_>| {
            db.each(&substitutes::list(db, service.id)?, |db, it| {
                place(db, Some((it.provider, it.provider_service.clone())))
            })
        };
        let (pricing, providers, own, substitutes, pace) = together!(
            db: pricings::find(db, service.id),
            providers::list(db),
            place(db, listing.provider.zip(listing.provider_service.clone())),
            others(db),
            paces::find(db, service.id),
        );
        let pricing = pricing.unwrap_or_default();
        let below = match pricing.cost {
            Some(cost) => provider_list::list_below(db, service, cost)?,
            None => Vec::new(),
        };
        Ok(Self { providers, own, substitutes, pace, rate: listing.rate, pricing, below })
    }

    /// The form as it is saved now.
    pub(super) fn form(&self) -> Form {
        let flag = |is_set: bool| if is_set { "1" } else { "" }.to_owned();
        let some = |amount: Money| match amount {
            Money::ZERO => String::new(),
            amount => amount.to_string(),
        };
        let rule = self.pricing.rule;
        let mut form = Form::filled([
            ("percent", rule.percent()),
            ("fixed", some(rule.fixed)),
            ("step", some(rule.step)),
            ("profit", some(rule.profit)),
            ("followed", flag(self.pricing.is_followed)),
            ("allows_loss", flag(self.pricing.allows_loss)),
        ]);
        for (row, place) in std::iter::once(&self.own).chain(&self.substitutes).enumerate() {
            let provider = place.provider.map(|provider| provider.to_string());
            form.put(&format!("provider_{row}"), provider.unwrap_or_default());
            form.put(&format!("theirs_{row}"), &place.name);
        }
        form
    }

    /// The rows of the form: the service's own place, those that are filled in, one to fill in.
    pub(super) fn rows(&self, form: &Form) -> std::ops::RangeInclusive<usize> {
        let filled = (1..=SUBSTITUTES_MAX).filter(|row| !theirs(form, *row).is_empty());
        0..=(filled.max().unwrap_or(0) + EMPTY_ROWS).min(SUBSTITUTES_MAX)
    }

    /// What the row of that number is called.
    pub(super) fn label(&self, row: &usize) -> String {
        match row {
            0 => "Provider".to_owned(),
            row => format!("Substitute {row}"),
        }
    }

    /// What is known of the place in a row: the name of the service there and its cost.
    pub(super) fn about(&self, row: &usize) -> String {
        let place = match row {
            0 => Some(&self.own),
            row => self.substitutes.get(row - 1),
        };
        let Some(place) = place.filter(|place| place.provider.is_some()) else {
            return String::new();
        };
        match (&place.offer, place.cost) {
            (Some(offer), _) if offer.gone_at.is_some() => {
                format!("{}: no longer on its list", offer.name)
            }
            (Some(offer), Some(cost)) => format!("{}, costs {}", offer.name, rate(cost)),
            (Some(offer), None) => offer.name.clone(),
            (None, _) => "Not on its list, as far as is known".to_owned(),
        }
    }

    /// Whether the service is bought anywhere.
    pub(super) fn is_bought(&self) -> bool {
        self.own.provider.is_some()
    }

    /// What is earned of the rate, and in percent of it.
    pub(super) fn margin(&self) -> Option<(Money, i64)> {
        let margin = Money::from_micros(self.rate.micros() - self.pricing.cost?.micros());
        let percent = i128::from(margin.micros()) * 100 / i128::from(self.rate.micros().max(1));
        Some((margin, i64::try_from(percent).unwrap_or_default()))
    }

    /// Who would pay less than it costs: "3 users: ann, bob …"; nothing where nobody does.
    pub(super) fn below(&self) -> Option<(usize, String)> {
        let named = crate::admin::frame::bulk::named(&self.below, NAMED_MAX);
        (!self.below.is_empty()).then_some((self.below.len(), named))
    }

    /// Whether the rate by the rule is another one than it is.
    pub(super) fn rate_by_rule(&self) -> Option<Rate> {
        let by_rule = self.pricing.rule.rate(self.pricing.cost?);
        by_rule.filter(|by_rule| *by_rule != self.rate)
    }

    /// About how long an order takes.
    pub(super) fn pace(&self) -> Option<String> {
        let pace = self.pace?;
        Some(match pace.minutes() {
            minutes @ ..120 => format!("{minutes} min"),
            minutes @ 120..2880 => format!("{} h", minutes / 60),
            minutes => format!("{} d", minutes / 1440),
        })
    }
}

fn theirs(form: &Form, row: usize) -> String {
    form.get(&format!("theirs_{row}")).to_owned()
}

/// The place in a row of the form, or a complaint about it.
fn source(form: &mut Form, row: usize) -> Option<Source> {
    let (provider, theirs) = (form.get(&format!("provider_{row}")).parse().ok(), theirs(form, row));
    match (provider, theirs.is_empty()) {
        (Some(provider), false) => Some((ProviderId(provider), theirs)),
        (None, true) => None,
        (Some(_), true) => {
            form.refuse(&format!("theirs_{row}"), "Enter the provider’s ID of the service");
            None
        }
        (None, false) => {
            form.refuse(&format!("provider_{row}"), "Choose the provider");
            None
        }
    }
}

/// What the form says, or complaints about it.
pub(super) fn command(cx: &mut Cx, actor: Actor, service: ServiceId) -> Option<SetSupply> {
    let form = &mut cx.form;
    if form.get("percent").is_empty() {
        form.put("percent", "0");
    }
    let (own, rule) = (source(form, 0), form.rule());
    let substitutes = (1..=SUBSTITUTES_MAX).filter_map(|row| source(form, row)).collect();
    let (is_followed, allows_loss) = (form.flag("followed"), form.flag("allows_loss"));
    let command = SetSupply { actor, service, own, substitutes, rule, is_followed, allows_loss };
    form.is_sound().then_some(command)
}
