//! `user` and `key`.

use clap::Subcommand;

use super::{Failure, Files, Result, open, open_existing};
use crate::commands::accounts::{
    Adjust, CreateKey, CreateUser, Deposit, RevokeKey, SetUser, SetUserRate,
};
use crate::commands::webhooks::{Kept, SetWebhook, StopWebhook};
use crate::delivery::url::check_url;
use crate::delivery::webhook::secret_text;
use crate::domain::money::{Discount, Money, Rate};
use crate::domain::user::User;
use crate::domain::{Actor, KeyId, ServiceId, Timestamp, UserId};
use crate::secret::{self, KeyHash};
use crate::store::place::Place;
use crate::store::{Store, keys, users, webhooks};

const PAGE: i64 = 500;

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Add a reseller
    Create { name: String },
    /// Show all resellers
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Book money that came in
    Deposit {
        name: String,
        #[arg(value_parser = amount)]
        amount: Money,
        /// What it is
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Correct a balance, up or down
    Adjust {
        name: String,
        #[arg(value_parser = signed_amount, allow_hyphen_values = true)]
        amount: Money,
        /// Why
        #[arg(long)]
        note: String,
    },
    /// Change discount, credit limit or suspension
    Set {
        name: String,
        /// How much less than the rate the user pays, in percent
        #[arg(long, value_parser = discount, value_name = "PERCENT")]
        discount: Option<Discount>,
        /// How far below zero the balance may go
        #[arg(long, value_parser = amount, value_name = "AMOUNT")]
        credit_limit: Option<Money>,
        /// Refuse their keys
        #[arg(long, conflicts_with = "resume")]
        suspend: bool,
        /// Accept their keys again
        #[arg(long)]
        resume: bool,
    },
    /// Set a custom rate for a service, or the default again
    Rate {
        name: String,
        service: i64,
        #[arg(value_parser = custom_rate)]
        rate: CustomRate,
    },
    /// Tell a user's orders to an address; prints the secret of a first webhook, this once
    Webhook {
        name: String,
        /// Where to, or `off`
        #[arg(value_name = "URL|off")]
        url: String,
        /// Permit http and addresses that are not public
        #[arg(long)]
        allow_insecure: bool,
        /// Tell when the balance falls below
        #[arg(long, value_parser = amount, value_name = "AMOUNT")]
        low: Option<Money>,
    },
}

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; it is shown this once
    Create {
        user: String,
        /// What to call it
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Show a user's keys
    List {
        user: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Refuse a key from now on
    Revoke { id: i64 },
}

/// A rate of a user's own, or the one for all.
#[derive(Clone, Copy)]
pub(super) struct CustomRate(Option<Rate>);

fn amount(text: &str) -> std::result::Result<Money, &'static str> {
    Money::parse(text).ok_or("not an amount like 10 or 2.50 (at most six decimals)")
}

fn signed_amount(text: &str) -> std::result::Result<Money, &'static str> {
    Money::parse_signed(text).ok_or("not an amount like 10 or -2.50 (at most six decimals)")
}

fn discount(text: &str) -> std::result::Result<Discount, &'static str> {
    Discount::parse(text).ok_or("not a percentage from 0 to 100 (at most two decimals)")
}

fn custom_rate(text: &str) -> std::result::Result<CustomRate, &'static str> {
    if text == "default" {
        return Ok(CustomRate(None));
    }
    let rate = Rate::parse(text).ok_or("not a rate like 2.50, nor `default`")?;
    Ok(CustomRate(Some(rate)))
}

pub(super) fn run_user(files: &Files, command: UserCommand) -> Result {
    let (db, actor) = (&files.db, Actor::CommandLine);
    match command {
        UserCommand::Create { name } => {
            let id = open(db)?.write_blocking(CreateUser { actor, name })?;
            say!("{id}")?;
        }
        UserCommand::List { json } => list_users(&open_existing(db)?, json)?,
        UserCommand::Deposit { name, amount, note } => {
            let store = open_existing(db)?;
            let user = find(&store, &name)?.id;
            let deposit = Deposit { actor, user, amount, note, reference: None };
            say!("{}", store.write_blocking(deposit)?)?;
        }
        UserCommand::Adjust { name, amount, note } => {
            let store = open_existing(db)?;
            let user = find(&store, &name)?.id;
            let adjust = Adjust { actor, user, amount, note, reference: None };
            say!("{}", store.write_blocking(adjust)?)?;
        }
        UserCommand::Set { name, discount, credit_limit, suspend, resume } => {
            let store = open_existing(db)?;
            let user = find(&store, &name)?.id;
            let suspended = (suspend || resume).then_some(suspend);
            store.write_blocking(SetUser { actor, user, discount, credit_limit, suspended })?;
        }
        UserCommand::Rate { name, service, rate: CustomRate(rate) } => {
            let store = open_existing(db)?;
            let user = find(&store, &name)?.id;
            let service = ServiceId(service);
            store.write_blocking(SetUserRate { actor, user, service, rate })?;
        }
        UserCommand::Webhook { name, url, allow_insecure, low } => {
            let store = open_existing(db)?;
            let user = find(&store, &name)?.id;
            if url == "off" {
                store.write_blocking(StopWebhook { actor, user })?;
                return Ok(());
            }
            let url = check_url(&url, allow_insecure, None).map_err(Failure::Url)?.to_string();
            let before = store.page(|db| webhooks::find(db, user))?;
            let low = low.or_else(|| before.and_then(|before| before.low));
            let place = webhooks::Place { url, is_insecure: allow_insecure, low };
            set_webhook(files, &store, user, place)?;
        }
    }
    Ok(())
}

/// Sets a user's webhook, and shows the secret where it is the first.
fn set_webhook(files: &Files, store: &Store, user: UserId, place: webhooks::Place) -> Result {
    let actor = Actor::CommandLine;
    let secret = secret::random_bytes(webhooks::SECRET_BYTES);
    let secret_sealed = files.sealer(store)?.seal(&webhooks::seal_place(user), &secret);
    match store.write_blocking(SetWebhook { actor, user, place, secret_sealed })? {
        Kept::New => say!("{}", secret_text(&secret).expose()),
        Kept::Before => Ok(()),
    }
}

fn find(store: &Store, name: &str) -> std::result::Result<User, Failure> {
    Ok(store.page(|db| users::get_named(db, name))?)
}

fn list_users(store: &Store, json: bool) -> Result {
    let mut after = None;
    loop {
        let page = store.page(|db| users::list(db, after, PAGE))?;
        for user in &page {
            print_user(user, json)?;
        }
        match page.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(()),
        }
    }
}

/// One line a user, in JSON too, so that a long list can be read as it comes.
fn print_user(user: &User, json: bool) -> Result {
    let User { id, name, balance, credit_limit, discount, is_suspended, .. } = user;
    if json {
        let line = serde_json::json!({
            "id": id.0,
            "name": name,
            "balance": balance.to_string(),
            "credit_limit": credit_limit.to_string(),
            "discount": discount.to_string(),
            "suspended": is_suspended,
        });
        return say!("{line}");
    }
    let state = if *is_suspended { "suspended" } else { "active" };
    say!("{id}\t{name}\t{balance}\t{discount}\t{credit_limit}\t{state}")
}

pub(super) fn run_key(db: &Place, command: KeyCommand) -> Result {
    let actor = Actor::CommandLine;
    match command {
        KeyCommand::Create { user, label } => {
            let store = open_existing(db)?;
            let user = find(&store, &user)?.id;
            let key = secret::new_api_key();
            let (hash, prefix) = (KeyHash::of(key.expose()), secret::shown_prefix(&key).to_owned());
            store.write_blocking(CreateKey { actor, user, hash, prefix, label })?;
            say!("{}", key.expose())?;
        }
        KeyCommand::List { user, json } => list_keys(&open_existing(db)?, &user, json)?,
        KeyCommand::Revoke { id } => {
            open_existing(db)?.write_blocking(RevokeKey { actor, key: KeyId(id) })?;
        }
    }
    Ok(())
}

fn list_keys(store: &Store, user: &str, json: bool) -> Result {
    let user = find(store, user)?.id;
    for key in store.page(|db| keys::list(db, user))? {
        let (created, last_used) = (key.created_at.0, key.last_used_at.map(|at| at.0));
        if json {
            let line = serde_json::json!({
                "id": key.id.0,
                "prefix": key.prefix,
                "label": key.label,
                "created": created,
                "last_used": last_used,
                "revoked": key.revoked_at.map(|at| at.0),
            });
            say!("{line}")?;
            continue;
        }
        let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
        let last_used = key.last_used_at.map_or("never".to_owned(), day);
        let (id, prefix, label) = (key.id, &key.prefix, &key.label);
        say!("{id}\t{prefix}…\t{state}\t{}\t{last_used}\t{label}", day(key.created_at))?;
    }
    Ok(())
}

/// A day in UTC, for people.
fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.0)
        .map_or_else(|_| at.0.to_string(), |at| at.strftime("%Y-%m-%d").to_string())
}
