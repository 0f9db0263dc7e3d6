//! `service supply`: where a service is bought and how its rate follows the cost. What is not said
//! stays as it is.

use clap::Args;

use super::{Failure, Result, open_existing, provider_args};
use crate::commands::supply::{SetSupply, Source};
use crate::domain::money::Money;
use crate::domain::pricing::Rule;
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use crate::domain::{Actor, ServiceId};
use crate::store::place::Place;
use crate::store::{self, Read, Store, pricings, providers, services, substitutes};

#[derive(Args)]
pub(super) struct SupplyArgs {
    id: i64,
    /// The provider it is bought from
    #[arg(requires = "service")]
    provider: Option<String>,
    /// The provider's own name for it
    service: Option<String>,
    /// It is fulfilled by hand
    #[arg(long, conflicts_with_all = ["provider", "substitute"])]
    by_hand: bool,
    /// Where else it can be bought; may be given more than once, in the order they are tried
    #[arg(long, num_args = 2, value_names = ["PROVIDER", "SERVICE"])]
    substitute: Vec<String>,
    /// It can be bought nowhere else
    #[arg(long, conflicts_with = "substitute")]
    no_substitutes: bool,
    /// What is put on top of the cost, in percent
    #[arg(long, value_parser = provider_args::percent)]
    percent: Option<i64>,
    /// An amount on top of that
    #[arg(long, value_name = "AMOUNT", value_parser = provider_args::amount)]
    fixed: Option<Money>,
    /// The rate is a multiple of this
    #[arg(long, value_name = "AMOUNT", value_parser = provider_args::amount)]
    step: Option<Money>,
    /// The least that is earned
    #[arg(long, value_name = "AMOUNT", value_parser = provider_args::amount)]
    profit: Option<Money>,
    /// Whether the rate follows the cost
    #[arg(long, value_name = "YES|NO", value_parser = provider_args::flag)]
    follow: Option<bool>,
    /// Whether it is sold below what it costs
    #[arg(long, value_name = "YES|NO", value_parser = provider_args::flag)]
    allow_loss: Option<bool>,
}

type Done<T> = std::result::Result<T, Failure>;

/// A refusal as the command line tells it.
fn no(refusal: impl Into<Refusal>) -> store::Error {
    store::Error::Refused(refusal.into())
}

pub(super) fn run(db: &Place, args: &SupplyArgs) -> Result {
    let store = open_existing(db)?;
    let command = store.page(|db| args.command(db))?;
    let (id, own) = (command.service, command.own.is_some());
    store.write_blocking(command)?;
    let rate = rate(&store, id)?;
    let bought = if own { "is bought" } else { "is fulfilled by hand" };
    say!("service {id} {bought}, rate {rate}")
}

fn rate(store: &Store, id: ServiceId) -> Done<String> {
    Ok(store.page(|db| services::get(db, id))?.listing.rate.to_string())
}

impl SupplyArgs {
    fn command(&self, db: &Read<'_>) -> store::Result<SetSupply> {
        let id = ServiceId(self.id);
        let found = services::find(db, id)?.ok_or_else(|| no(OrderRefusal::ServiceNotFound))?;
        let before = pricings::find(db, id)?.unwrap_or_default();
        let own = match self.provider.as_deref().zip(self.service.as_deref()) {
            _ if self.by_hand => None,
            Some((provider, service)) => Some(source(db, provider, service)?),
            None => found.listing.provider.zip(found.listing.provider_service),
        };
        Ok(SetSupply {
            actor: Actor::CommandLine,
            service: id,
            own,
            substitutes: self.substitutes(db)?,
            rule: Rule {
                percent_bp: self.percent.unwrap_or(before.rule.percent_bp),
                fixed: self.fixed.unwrap_or(before.rule.fixed),
                step: self.step.unwrap_or(before.rule.step),
                profit: self.profit.unwrap_or(before.rule.profit),
            },
            is_followed: self.follow.unwrap_or(before.is_followed),
            allows_loss: self.allow_loss.unwrap_or(before.allows_loss),
        })
    }

    fn substitutes(&self, db: &Read<'_>) -> store::Result<Vec<Source>> {
        if self.no_substitutes || self.by_hand {
            return Ok(Vec::new());
        }
        if self.substitute.is_empty() {
            let kept = substitutes::list(db, ServiceId(self.id))?.into_iter();
            return Ok(kept.map(|kept| (kept.provider, kept.provider_service)).collect());
        }
        let pairs = self.substitute.chunks(2);
        let named = pairs.filter_map(|pair| if let [a, b] = pair { Some((a, b)) } else { None });
        named.map(|(provider, service)| source(db, provider, service)).collect()
    }
}

/// A service of a provider, by the names of both.
fn source(db: &Read<'_>, provider: &str, service: &str) -> store::Result<Source> {
    let found = providers::find_named(db, provider)?;
    let found = found.ok_or_else(|| no(OperatorRefusal::ProviderNotFound))?;
    Ok((found.id, service.to_owned()))
}
