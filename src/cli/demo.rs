//! `demo`.

use std::sync::Arc;

use super::providers::{self, Done};
use super::{Failure, Files, Result, open};
use crate::commands::catalog_csv;
use crate::commands::demo::{self, FillDemo};
use crate::commands::importing::{self, Choice, Headings};
use crate::commands::providers::{AddProvider, seal};
use crate::commands::syncing::{List, RecordCatalogue, Slice};
use crate::delivery::url;
use crate::domain::money::Rate;
use crate::domain::pricing::{Offer, Rule};
use crate::domain::provider::{Dialect, Exchange, Terms};
use crate::domain::service::ServiceKind;
use crate::domain::setting::Setting;
use crate::domain::{Actor, ProviderId, Timestamp};
use crate::password::{self, Cost};
use crate::practice;
use crate::secret::{self, KeyHash, Secret};
use crate::store::{self, Store, services, settings};

/// How many of the practice provider's services the sample shop sells, and what for.
const IMPORTED: usize = 6;
const RULE_BP: i64 = 3000;

#[derive(clap::Args)]
pub(super) struct Args {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Sell a few services of the provider that `serve --practice` runs
    #[arg(long)]
    practice: bool,
}

pub(super) fn run(files: &Files, args: &Args) -> Result {
    let drafts = catalog_csv::read(demo::CATALOGUE.as_bytes());
    let drafts = drafts.map_err(|error| Failure::Csv("demo.csv".to_owned(), error))?;
    let keys: Vec<Secret> = (0..demo::KEYS).map(|_| secret::new_api_key()).collect();
    let password = password::generate();
    let password_hash = Cost::STRONG.hash(&password);
    let fill = FillDemo { drafts, password_hash, keys: keys.iter().map(kept).collect() };
    let store = open(&files.db)?;
    if args.practice {
        files.sealer(&store)?; // before anything is written
    }
    let refill_orders = store.write_blocking(fill)?;
    let bought = match args.practice {
        true => add_practice(files, &store)?,
        false => Vec::new(),
    };
    let refill_orders: Vec<i64> = refill_orders.iter().map(|order| order.0).collect();
    let (alice, bob, password) = (keys[0].expose(), keys[1].expose(), password.expose());
    if args.json {
        let line = serde_json::json!({
            "admin": { "name": demo::ADMIN, "password": password },
            "keys": { "alice": alice, "bob": bob },
            "refill_orders": refill_orders,
        });
        return say!("{line}");
    }
    say!("A sample shop is ready.")?;
    say!("{} logs in to the pages with the password {password}", demo::ADMIN)?;
    say!("alice, who owns 1000.00, has the key {alice}")?;
    say!("bob, who owns nothing, has the key {bob}")?;
    if let (Some(first), Some(last)) = (bought.first(), bought.last()) {
        let db = match files.db.file().and_then(|path| path.to_str()) {
            Some("panel.db") => String::new(),
            _ => format!(" --db {}", files.db),
        };
        let key = files.named_key.as_ref();
        let key = key.map_or_else(String::new, |path| format!(" --key-file {}", path.display()));
        let serve = format!("panelite{db}{key} serve --practice");
        say!("services {first} to {last} are bought from Practice, which runs with: {serve}")?;
    }
    Ok(())
}

/// What is kept of a key.
fn kept(key: &Secret) -> (KeyHash, String) {
    (KeyHash::of(key.expose()), secret::shown_prefix(key).to_owned())
}

/// The provider that `serve --practice` runs, and a few services imported from it, by number.
/// Nothing is called: the list is the one that it will answer with.
fn add_practice(files: &Files, store: &Store) -> Done<Vec<i64>> {
    let actor = Actor::CommandLine;
    let terms = Terms {
        name: "Practice".to_owned(),
        dialect: Dialect::Form,
        currency: store.page(|db| settings::get(db, Setting::Currency))?,
        exchange: Exchange::ONE,
        is_insecure: true,
        sends_ids: true,
        timeout_seconds: 30,
        low: None,
    };
    let address = format!("http://{}/api/v2", practice::ADDRESS);
    let url = url::check_url(&address, true, None).map_err(Failure::Url)?;
    let access = seal(&files.sealer(store)?, &url, &Secret::new(practice::KEY.to_owned()));
    let access = access.map_err(store::Error::from)?;
    let provider = store.write_blocking(AddProvider { actor, terms, access })?;

    let stock = practice::stock();
    let offers = stock.iter().filter_map(|service| offer(provider, service));
    let list = Arc::new(List::new(offers.collect(), 0));
    let mut from = 0;
    while let Slice::More { from: next, .. } =
        store.write_blocking(RecordCatalogue { provider, list: Arc::clone(&list), from })?
    {
        from = next;
    }
    let services = stock.iter().take(IMPORTED).map(|service| service.id.to_string());
    let choice = Choice {
        provider,
        services: Some(services.collect()),
        categories: Default::default(),
        headings: Headings::Theirs,
        rule: Rule { percent_bp: RULE_BP, ..Rule::default() },
        is_followed: true,
    };
    providers::write(store, store.page(|db| importing::plan(db, &choice))?)?;
    let known = store.page(|db| services::list_known(db, provider))?;
    let mut numbers: Vec<i64> = known.values().map(|service| service.0).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn offer(provider: ProviderId, service: &practice::Service) -> Option<Offer> {
    Some(Offer {
        provider,
        provider_service: service.id.to_string(),
        name: service.name.clone(),
        category: service.category.clone(),
        kind: ServiceKind::from_label(&service.kind)?,
        cost: Rate::parse(&service.rate)?,
        quantity_min: service.min,
        quantity_max: service.max,
        is_dripfeed: service.dripfeed,
        is_refill: service.refill,
        is_cancel: service.cancel,
        seen_at: Timestamp(0),
        gone_at: None,
    })
}
