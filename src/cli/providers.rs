//! `provider`: the upstream panels that orders are bought from.
//!
//! Keys come from standard input and never show. What calls a provider does it here, beside any
//! server: a server's lanes notice what was written.

use std::collections::HashSet;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};

use super::{Failure, Files, Result, open, open_existing, provider_args};
use crate::clock::Clock;
use crate::commands::importing::{self, Choice, Headings, ImportSlice, Plan};
use crate::commands::providers::{
    self as changing, AddProvider, PauseProvider, RecordBalance, RemoveProvider, ReplaceAccess,
    ResumeProvider, UpdateProvider,
};
use crate::delivery::calls::Calls;
use crate::delivery::client::Client;
use crate::delivery::{self, sync, url};
use crate::domain::Actor;
use crate::domain::money::Money;
use crate::domain::pricing::Rule;
use crate::domain::provider::{self, Exchange, Provider, Terms};
use crate::domain::refusal::{OperatorRefusal, Refusal};
use crate::domain::setting::Setting;
use crate::secret::{Sealer, Secret};
use crate::store::providers::{self, Access};
use crate::store::{self, Store, settings};

pub(super) type Done<T> = std::result::Result<T, Failure>;

#[derive(Subcommand)]
pub(super) enum ProviderCommand {
    /// Add a provider
    Add(AddArgs),
    /// Show all providers
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask a provider for the balance and three of its services; nothing is changed
    Test { name: String },
    /// Fetch a provider's list of services now
    Sync { name: String },
    /// Make services of what a provider sells; its list is fetched first if it never was
    Import(ImportArgs),
    /// Send a provider no orders; what is there is watched all the same
    Pause { name: String },
    /// Send a provider orders again
    Resume { name: String },
    /// Change a provider
    Set(SetArgs),
    /// Remove a provider that no service and no order names
    Remove { name: String },
}

/// How requests are written.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Dialect {
    Form,
    Json,
}

impl Dialect {
    const fn of(self) -> provider::Dialect {
        match self {
            Self::Form => provider::Dialect::Form,
            Self::Json => provider::Dialect::Json,
        }
    }
}

#[derive(Args)]
pub(super) struct AddArgs {
    name: String,
    /// Such as https://example.com/api/v2
    url: String,
    /// Read the key from standard input
    #[arg(long, required = true)]
    key_stdin: bool,
    /// How requests are written
    #[arg(long, default_value = "form")]
    dialect: Dialect,
    /// Its currency, where that is not the panel's; then say what it is worth too
    #[arg(long, requires = "exchange")]
    currency: Option<String>,
    /// What one of its currency is worth in the panel's
    #[arg(long, value_name = "RATE", value_parser = provider_args::exchange)]
    exchange: Option<Exchange>,
    /// Permit http and private addresses: for tests and a LAN
    #[arg(long)]
    allow_insecure: bool,
    /// Seconds that a call may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: i64,
}

#[derive(Args)]
pub(super) struct SetArgs {
    name: String,
    /// Call it that
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// Another address
    #[arg(long)]
    url: Option<String>,
    /// Read another key from standard input
    #[arg(long)]
    key_stdin: bool,
    /// The new address or key opens the same account: needed while it has open orders
    #[arg(long)]
    same_account: bool,
    /// How requests are written
    #[arg(long)]
    dialect: Option<Dialect>,
    /// Its currency
    #[arg(long)]
    currency: Option<String>,
    /// What one of its currency is worth in the panel's
    #[arg(long, value_name = "RATE", value_parser = provider_args::exchange)]
    exchange: Option<Exchange>,
    /// Whether http and private addresses are permitted
    #[arg(long, value_name = "YES|NO", value_parser = provider_args::flag)]
    insecure: Option<bool>,
    /// Whether our own id goes with each order, so that it can be found again
    #[arg(long, value_name = "YES|NO", value_parser = provider_args::flag)]
    send_ids: Option<bool>,
    /// Seconds that a call may take
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<i64>,
    /// Tell when the balance is below that, in its currency; `none` for never
    #[arg(long, value_name = "AMOUNT", value_parser = provider_args::low)]
    low: Option<provider_args::Low>,
}

#[derive(Args)]
pub(super) struct ImportArgs {
    name: String,
    /// What is put on top of the cost, in percent
    #[arg(long, value_parser = provider_args::percent)]
    percent: i64,
    /// An amount on top of that
    #[arg(long, value_name = "AMOUNT", value_parser = provider_args::amount)]
    fixed: Option<Money>,
    /// Rates are multiples of this
    #[arg(long, value_name = "AMOUNT", value_parser = provider_args::amount)]
    step: Option<Money>,
    /// The least that is earned
    #[arg(long, value_name = "AMOUNT", value_parser = provider_args::amount)]
    profit: Option<Money>,
    /// Only what stands under this heading of theirs; may be given more than once
    #[arg(long)]
    category: Vec<String>,
    /// Keep the rates as they are when the costs move
    #[arg(long)]
    keep_rates: bool,
    /// Show what would happen
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(files: &Files, command: ProviderCommand) -> Result {
    let actor = Actor::CommandLine;
    match command {
        ProviderCommand::Add(args) => add(files, args),
        ProviderCommand::List { json } => list(&open_existing(&files.db)?, json),
        ProviderCommand::Test { name } => test(files, &name),
        ProviderCommand::Sync { name } => sync_now(files, &name),
        ProviderCommand::Import(args) => import(files, args),
        ProviderCommand::Pause { name } => {
            let (store, provider) = found(files, &name)?;
            Ok(store.write_blocking(PauseProvider { actor, provider: provider.id })?)
        }
        ProviderCommand::Resume { name } => {
            let (store, provider) = found(files, &name)?;
            Ok(store.write_blocking(ResumeProvider { actor, provider: provider.id })?)
        }
        ProviderCommand::Set(args) => set(files, args),
        ProviderCommand::Remove { name } => {
            let (store, provider) = found(files, &name)?;
            Ok(store.write_blocking(RemoveProvider { actor, provider: provider.id })?)
        }
    }
}

/// The panel and the provider of that name.
fn found(files: &Files, name: &str) -> Done<(Store, Provider)> {
    let store = open_existing(&files.db)?;
    let provider = store.page(|db| providers::find_named(db, name))?;
    let none = || store::Error::from(OperatorRefusal::ProviderNotFound);
    Ok((store, provider.ok_or_else(none)?))
}

/// A refusal as the command line tells it.
fn no(refusal: impl Into<Refusal>) -> Failure {
    Failure::Store(store::Error::Refused(refusal.into()))
}

fn access(sealer: &Sealer, terms: &Terms, url: &str, key: &Secret) -> Done<Access> {
    let url = url::check_url(url, terms.is_insecure, None).map_err(Failure::Url)?;
    changing::seal(sealer, &url, key).map_err(no)
}

fn add(files: &Files, args: AddArgs) -> Result {
    let store = open(&files.db)?;
    let currency = match args.currency {
        Some(currency) => currency,
        None => store.page(|db| settings::get(db, Setting::Currency))?,
    };
    let terms = Terms {
        name: args.name,
        dialect: args.dialect.of(),
        currency,
        exchange: args.exchange.unwrap_or(Exchange::ONE),
        is_insecure: args.allow_insecure,
        sends_ids: true,
        timeout_seconds: args.timeout,
        low: None,
    };
    let sealer = files.sealer(&store)?;
    let access = access(&sealer, &terms, &args.url, &provider_args::read_key()?)?;
    let id = store.write_blocking(AddProvider { actor: Actor::CommandLine, terms, access })?;
    say!("{id}")
}

fn set(files: &Files, args: SetArgs) -> Result {
    let (store, before) = found(files, &args.name)?;
    let (was, provider, actor) = (before.terms.clone(), before.id, Actor::CommandLine);
    let terms = Terms {
        name: args.rename.unwrap_or(was.name),
        dialect: args.dialect.map_or(was.dialect, Dialect::of),
        currency: args.currency.unwrap_or(was.currency),
        exchange: args.exchange.unwrap_or(was.exchange),
        is_insecure: args.insecure.unwrap_or(was.is_insecure),
        sends_ids: args.send_ids.unwrap_or(was.sends_ids),
        timeout_seconds: args.timeout.unwrap_or(was.timeout_seconds),
        low: args.low.map_or(was.low, |low| low.0),
    };
    terms.check().map_err(no)?;
    let url = args.url.as_ref().unwrap_or(&before.url);
    // Also an address that stays may be one that is permitted no longer.
    url::check_url(url, terms.is_insecure, None).map_err(Failure::Url)?;
    if args.url.is_some() || args.key_stdin {
        let key = match args.key_stdin {
            true => provider_args::read_key()?,
            false => key_of(files, &store, &before)?,
        };
        let access = access(&files.sealer(&store)?, &terms, url, &key)?;
        let same_account = args.same_account;
        let actor = actor.clone();
        store.write_blocking(ReplaceAccess { actor, provider, access, same_account })?;
    }
    Ok(store.write_blocking(UpdateProvider { actor, provider, terms })?)
}

fn key_of(files: &Files, store: &Store, provider: &Provider) -> Done<Secret> {
    let opener = files.opener(store)?;
    Ok(store.page(|db| changing::unseal(db, &opener, provider.id))?)
}

/// A client of a provider, whose calls nobody looks at.
fn client(files: &Files, store: &Store, provider: &Provider) -> Done<Client> {
    let endpoint = delivery::endpoint(provider, key_of(files, store, provider)?);
    Ok(Client::new(&endpoint, Calls::new(Clock::System).book(provider.id)))
}

fn list(store: &Store, json: bool) -> Result {
    for provider in store.page(providers::list)? {
        let Terms { name, currency, exchange, .. } = &provider.terms;
        let balance = provider.balance.map(|balance| balance.to_string());
        let state = provider_args::state(&provider);
        if json {
            let line = serde_json::json!({
                "id": provider.id.0,
                "name": name,
                "url": provider.url,
                "dialect": provider.terms.dialect.as_str(),
                "currency": currency,
                "exchange": exchange.to_string(),
                "state": state,
                "answer": provider.answer,
                "balance": balance,
                "synced_at": provider.synced_at.map(|at| at.0),
            });
            say!("{line}")?;
            continue;
        }
        let balance = balance.unwrap_or_else(|| "-".to_owned());
        say!("{}\t{name}\t{}\t{balance} {currency}\t{state}", provider.id, provider.url)?;
    }
    Ok(())
}

fn test(files: &Files, name: &str) -> Result {
    let (store, provider) = found(files, name)?;
    let look = sync::look(&client(files, &store, &provider)?).map_err(Failure::Call)?;
    let currency = look.balance.currency.as_ref().unwrap_or(&provider.terms.currency);
    say!("balance {} {currency}", look.balance.amount)?;
    for item in &look.services {
        say!("{}\t{}\t{}\t{}", item.id, item.name, item.kind, item.rate)?;
    }
    say!("{} services, {} unreadable", look.listed, look.unreadable)
}

fn sync_now(files: &Files, name: &str) -> Result {
    let (store, provider) = found(files, name)?;
    let client = client(files, &store, &provider)?;
    let balance = client.balance().map_err(Failure::Call)?;
    let (amount, currency) = (balance.amount, balance.currency);
    let record = RecordBalance { provider: provider.id, balance: amount, currency };
    store.write_blocking(record)?;
    let catalogue = client.services().map_err(Failure::Call)?;
    let synced = sync::take_over(&store, provider.id, catalogue)?;
    if let Some(unusable) = synced.thrown_away {
        return Err(Failure::Unsound(format!("{unusable}; nothing was changed")));
    }
    let sync::Synced { listed, unreadable, changed, .. } = synced;
    say!("{listed} services, {unreadable} unreadable; {changed} of ours changed")
}

fn import(files: &Files, args: ImportArgs) -> Result {
    let (store, provider) = found(files, &args.name)?;
    let rule = Rule {
        percent_bp: args.percent,
        fixed: args.fixed.unwrap_or_default(),
        step: args.step.unwrap_or_default(),
        profit: args.profit.unwrap_or_default(),
    };
    let choice = Choice {
        provider: provider.id,
        services: None,
        categories: args.category.into_iter().collect::<HashSet<_>>(),
        headings: Headings::Theirs,
        rule,
        is_followed: !args.keep_rates,
    };
    if provider.synced_at.is_none() {
        sync_now(files, &args.name)?;
    }
    let plan = store.page(|db| importing::plan(db, &choice))?;
    show(&plan)?;
    if args.dry_run {
        return Ok(());
    }
    write(&store, plan)
}

/// What an import does, a line each.
fn show(plan: &Plan) -> Result {
    for line in &plan.lines {
        let (offer, cost, rate) = (&line.offer, line.cost, line.rate);
        let what = match line.known {
            None => "new".to_owned(),
            Some((id, before)) => format!("service {id} at {before}"),
        };
        let (theirs, name, category) = (&offer.provider_service, &offer.name, &line.category);
        say!("{what}\t{theirs}\t{category}\t{name}\t{cost}\t{rate}\t{}", line.margin())?;
    }
    for skipped in &plan.skipped {
        say!("skipped\t{}\t{}\t{}", skipped.provider_service, skipped.name, skipped.why)?;
    }
    say!("{plan}")
}

/// Writes a plan, slice by slice.
pub(super) fn write(store: &Store, plan: Plan) -> Result {
    let plan = Arc::new(plan);
    let mut from = 0;
    while from < plan.lines.len() {
        let (actor, plan) = (Actor::CommandLine, Arc::clone(&plan));
        (_, from) = store.write_blocking(ImportSlice { actor, plan, from })?;
    }
    Ok(())
}
