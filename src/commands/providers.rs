//! Providers: added, changed and removed by a person, and what calls to them tell of their state.
//!
//! Whether an address may be called at all is for those to say who call; they check it before they
//! ask for any of this.

use url::Url;

use super::conditions::about_provider;
use super::record;
use crate::domain::condition::ConditionKind;
use crate::domain::money::Money;
use crate::domain::provider::{PROVIDERS_MAX, Provider, Terms, Trouble};
use crate::domain::refusal::{OperatorRefusal, ProviderRefusal};
use crate::domain::{Actor, ProviderId, Timestamp, is_hidden};
use crate::secret::{Sealer, Secret};
use crate::store::providers::{self, Access};
use crate::store::{Command, Read, Result, Tx, conditions, readings, services, substitutes};

const KEY_LENGTH_MAX: usize = 500;
const ANSWER_LENGTH_MAX: usize = 500;

/// What is kept of an address and a key: the key only sealed, and a MAC of host, port and key, by
/// which one account upstream is recognized.
///
/// # Errors
/// `BadKey` for what cannot be a key.
pub fn seal(
    sealer: &Sealer,
    url: &Url,
    key: &Secret,
) -> std::result::Result<Access, ProviderRefusal> {
    let text = key.expose();
    let fits = (1..=KEY_LENGTH_MAX).contains(&text.len()) && !text.chars().any(is_hidden);
    if !fits || text.trim() != text {
        return Err(ProviderRefusal::BadKey);
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let port = url.port_or_known_default().unwrap_or_default();
    let account_mac = sealer.mac(&format!("provider {host} {port} {text}")).to_vec();
    let key_sealed = sealer.seal(&providers::seal_place(&account_mac), text.as_bytes());
    Ok(Access { url: url.to_string(), account_mac, key_sealed })
}

/// A provider's key.
///
/// # Errors
/// `KeyUnreadable` where it was sealed with another key file.
pub fn unseal(db: &Read<'_>, sealer: &Sealer, provider: ProviderId) -> Result<Secret> {
    let (mac, sealed) =
        (providers::account_mac(db, provider)?, providers::key_sealed(db, provider)?);
    let key = sealer.unseal(&providers::seal_place(&mac), &sealed);
    let key = key.and_then(|key| String::from_utf8(key).ok());
    Ok(key.map(Secret::new).ok_or(ProviderRefusal::KeyUnreadable)?)
}

/// How the audit log names a provider.
fn object(id: ProviderId) -> String {
    about_provider(id)
}

/// A provider that somebody named.
pub(super) fn find(db: &Read<'_>, id: ProviderId) -> Result<Provider> {
    Ok(providers::find(db, id)?.ok_or(OperatorRefusal::ProviderNotFound)?)
}

/// Refuses the name or the account of another provider than this one.
fn check_free(db: &Read<'_>, own: Option<ProviderId>, access: &Access) -> Result<()> {
    match providers::find_account(db, &access.account_mac)?.filter(|other| Some(*other) != own) {
        Some(other) => {
            let name = services::provider_name(db, other)?;
            Err(ProviderRefusal::SameAccount(name).into())
        }
        None => Ok(()),
    }
}

fn check_name(db: &Read<'_>, own: Option<ProviderId>, terms: &Terms) -> Result<()> {
    terms.check()?;
    let holder = services::find_provider(db, &terms.name)?;
    match holder.filter(|holder| Some(*holder) != own) {
        Some(_) => Err(OperatorRefusal::NameTaken.into()),
        None => Ok(()),
    }
}

/// Adds an upstream panel. Its list is fetched at once, where delivery runs.
pub struct AddProvider {
    pub actor: Actor,
    pub terms: Terms,
    pub access: Access,
}

impl Command for AddProvider {
    type Reply = ProviderId;

    fn run(&self, tx: &Tx<'_>) -> Result<ProviderId> {
        check_name(tx, None, &self.terms)?;
        check_free(tx, None, &self.access)?;
        if providers::list(tx)?.len() >= PROVIDERS_MAX {
            return Err(ProviderRefusal::TooManyProviders.into());
        }

        let id = providers::insert(tx, &self.terms, &self.access)?;
        let Terms { name, currency, exchange, .. } = &self.terms;
        let change = format!("{name} at {}, {currency} at {exchange}", self.access.url);
        record(tx, &self.actor, "provider.add", object(id), change)?;
        Ok(id)
    }
}

/// Writes what an operator sets about a provider anew. Where its money is worth something else, its
/// list is taken over again at once.
pub struct UpdateProvider {
    pub actor: Actor,
    pub provider: ProviderId,
    pub terms: Terms,
}

impl Command for UpdateProvider {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let before = find(tx, self.provider)?;
        check_name(tx, Some(before.id), &self.terms)?;
        let changes = changes(&before.terms, &self.terms);
        if changes.is_empty() {
            return Ok(());
        }

        providers::update_terms(tx, before.id, &self.terms)?;
        let was = (&before.terms.currency, before.terms.exchange);
        if was != (&self.terms.currency, self.terms.exchange) {
            providers::update_sync_due(tx, before.id, tx.now)?;
        }
        record(tx, &self.actor, "provider.update", object(before.id), changes.join("; "))
    }
}

/// What differs, in words: `timeout 30 → 10 s`.
fn changes(before: &Terms, after: &Terms) -> Vec<String> {
    let flag = |is_set: bool| if is_set { "yes" } else { "no" }.to_owned();
    let low = |low: Option<Money>| low.map_or("none".to_owned(), |low| low.to_string());
    let pairs = [
        ("name", before.name.clone(), after.name.clone()),
        ("dialect", before.dialect.to_string(), after.dialect.to_string()),
        ("currency", before.currency.clone(), after.currency.clone()),
        ("exchange", before.exchange.to_string(), after.exchange.to_string()),
        ("insecure", flag(before.is_insecure), flag(after.is_insecure)),
        ("order ids sent", flag(before.sends_ids), flag(after.sends_ids)),
        ("timeout", before.timeout_seconds.to_string(), after.timeout_seconds.to_string()),
        ("low balance", low(before.low), low(after.low)),
    ];
    let changed = pairs.into_iter().filter(|(_, before, after)| before != after);
    changed.map(|(what, before, after)| format!("{what} {before} → {after}")).collect()
}

/// Gives a provider another address or another key.
pub struct ReplaceAccess {
    pub actor: Actor,
    pub provider: ProviderId,
    pub access: Access,
    /// Whether a person confirms that it opens the same account: else the statuses of another
    /// panel would settle the orders that are open there.
    pub same_account: bool,
}

impl Command for ReplaceAccess {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let before = find(tx, self.provider)?;
        check_free(tx, Some(before.id), &self.access)?;
        if !self.same_account && providers::has_open_orders(tx, before.id)? {
            return Err(ProviderRefusal::HasOpenOrders.into());
        }

        providers::update_access(tx, before.id, &self.access)?;
        providers::update_trouble(tx, before.id, None, None, "")?;
        providers::update_sync_due(tx, before.id, tx.now)?;
        if !self.same_account {
            providers::delete_last_order(tx, before.id)?;
        }
        conditions::clear(tx, ConditionKind::Key, &about_provider(before.id))?;
        let account = if self.same_account { "same account" } else { "another account" };
        let change = match before.url == self.access.url {
            true => format!("New key, {account}"),
            false => format!("{} → {}, {account}", before.url, self.access.url),
        };
        record(tx, &self.actor, "provider.access", object(before.id), change)
    }
}

/// Sends a provider no orders until it is resumed; what is there is watched all the same.
pub struct PauseProvider {
    pub actor: Actor,
    pub provider: ProviderId,
}

impl Command for PauseProvider {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let found = find(tx, self.provider)?;
        if !found.is_enabled {
            return Ok(());
        }

        providers::update_enabled(tx, found.id, false)?;
        record(tx, &self.actor, "provider.pause", object(found.id), found.terms.name)
    }
}

/// Sends a provider orders again.
pub struct ResumeProvider {
    pub actor: Actor,
    pub provider: ProviderId,
}

impl Command for ResumeProvider {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let found = find(tx, self.provider)?;
        if found.is_enabled {
            return Ok(());
        }

        providers::update_enabled(tx, found.id, true)?;
        record(tx, &self.actor, "provider.resume", object(found.id), found.terms.name)
    }
}

/// Removes a provider that nothing names: no service, no substitute, no order and no attempt.
pub struct RemoveProvider {
    pub actor: Actor,
    pub provider: ProviderId,
}

impl Command for RemoveProvider {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let found = find(tx, self.provider)?;
        let is_used = services::has_provider(tx, found.id)?
            || substitutes::has_provider(tx, found.id)?
            || providers::has_open_orders(tx, found.id)?
            || providers::has_orders(tx, found.id)?;
        if is_used {
            return Err(ProviderRefusal::InUse.into());
        }

        providers::delete(tx, found.id)?;
        conditions::clear_about(tx, &about_provider(found.id))?;
        record(tx, &self.actor, "provider.remove", object(found.id), found.terms.name)
    }
}

/// Has a provider's list of services fetched at once, where delivery runs.
pub struct SyncSoon {
    pub actor: Actor,
    pub provider: ProviderId,
}

impl Command for SyncSoon {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let found = find(tx, self.provider)?;

        providers::update_sync_due(tx, found.id, tx.now)?;
        record(tx, &self.actor, "provider.sync", object(found.id), found.terms.name)
    }
}

/// Our balance at a provider, as it says: proof that it lives and takes our key. What it has been
/// paused for is over, but for a lack of money that nobody has made good.
pub struct RecordBalance {
    pub provider: ProviderId,
    pub balance: Money,
    /// As it says, where it does. A balance in another currency than the operator set is not used.
    pub currency: Option<String>,
}

impl Command for RecordBalance {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let Some(found) = providers::find(tx, self.provider)? else { return Ok(()) };
        let subject = about_provider(found.id);
        let set = &found.terms.currency;
        let other = self.currency.as_ref().filter(|said| *said != set);
        let has_grown = other.is_none() && found.balance.is_some_and(|was| self.balance > was);

        if found.trouble == Some(Trouble::Key) {
            providers::update_trouble(tx, found.id, None, None, "")?;
            conditions::clear(tx, ConditionKind::Key, &subject)?;
        } else if has_grown && (found.trouble.is_some() || found.paused_until.is_some()) {
            providers::update_trouble(tx, found.id, None, None, "")?;
        }
        if let Some(other) = other {
            let text = format!("The balance is in {other}, not in {set}");
            // The amount counts not, but that it was told proves our key.
            providers::update_balance(tx, found.id, found.balance)?;
            return conditions::raise(tx, ConditionKind::Currency, &subject, &text);
        }
        if self.currency.is_some() {
            conditions::clear(tx, ConditionKind::Currency, &subject)?;
        }
        providers::update_balance(tx, found.id, Some(self.balance))?;
        readings::keep(tx, found.id, self.balance)?;
        let now = Provider { balance: Some(self.balance), ..found };
        tell_low(tx, &now)
    }
}

/// Says that a balance is low, or no longer is.
fn tell_low(tx: &Tx<'_>, provider: &Provider) -> Result<()> {
    let subject = about_provider(provider.id);
    match provider.balance.filter(|_| provider.is_low()) {
        Some(balance) => {
            let text = format!("{balance} {} are left", provider.terms.currency);
            conditions::raise(tx, ConditionKind::LowBalance, &subject, &text)
        }
        None => conditions::clear(tx, ConditionKind::LowBalance, &subject),
    }
}

/// A provider cannot take orders just now, by what it said.
pub struct RecordTrouble {
    pub provider: ProviderId,
    pub trouble: Option<Trouble>,
    pub paused_until: Option<Timestamp>,
    /// What it said, masked.
    pub answer: String,
}

impl Command for RecordTrouble {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let Some(found) = providers::find(tx, self.provider)? else { return Ok(()) };
        let answer: String = self.answer.chars().take(ANSWER_LENGTH_MAX).collect();

        providers::update_trouble(tx, found.id, self.trouble, self.paused_until, &answer)?;
        let kind = match self.trouble {
            Some(Trouble::Funds) => ConditionKind::Funds,
            Some(Trouble::Key) => ConditionKind::Key,
            None => return Ok(()),
        };
        let text = format!("{} says: {answer}", found.terms.name);
        conditions::raise(tx, kind, &about_provider(found.id), &text)
    }
}
