//! Conditions: what the course of orders raises and clears, and what a person mutes.

use crate::domain::condition::ConditionKind;
use crate::domain::delivery::{Ending, Submission};
use crate::domain::provider::{Provider, Trouble};
use crate::domain::{Actor, ConditionId, ProviderId, ServiceId, Timestamp, UserId};
use crate::store::{
    Command, Read, Result, Tx, conditions, pricings, providers, services, substitutes, users,
};

/// So long a provider gets no orders that says our balance is used up when it is not.
const FUNDS_PAUSE: i64 = 600;
/// A list this young says what a provider sells.
const LIST_AGE: i64 = 600;

/// What a condition about a provider is about.
pub fn about_provider(provider: ProviderId) -> String {
    format!("provider {provider}")
}

/// What a condition about a service is about.
pub fn about_service(service: ServiceId) -> String {
    format!("service {service}")
}

/// What a condition about a user is about.
pub fn about_user(user: UserId) -> String {
    format!("user {user}")
}

/// What a condition is about, as people call it; `None` where that is gone or is the panel itself.
pub fn name_of(db: &Read<'_>, subject: &str) -> Result<Option<String>> {
    let (noun, id) = subject.split_once(' ').unwrap_or_default();
    let id: i64 = id.parse().unwrap_or_default();
    Ok(match noun {
        "provider" => providers::find(db, ProviderId(id))?.map(|it| it.terms.name),
        "user" => users::find(db, UserId(id))?.map(|user| user.name),
        "service" => {
            let service = services::find(db, ServiceId(id))?;
            service.map(|service| format!("#{id} {}", service.listing.name))
        }
        _ => Some(format!("{noun} {id}")).filter(|_| id > 0),
    })
}

/// A provider has refused an order: what that says of the provider and of the service.
pub(super) fn refused(
    tx: &Tx<'_>,
    submission: &Submission,
    service: ServiceId,
    (ending, answer): (Ending, &str),
) -> Result<()> {
    let provider = providers::get(tx, submission.provider)?;
    let said = format!("{} says: {answer}", provider.terms.name);
    match ending {
        Ending::Funds => {
            trouble(tx, &provider, submission, answer)?;
            let kind = ConditionKind::Funds;
            conditions::raise(tx, kind, &about_provider(provider.id), &said)
        }
        Ending::Service => {
            take_off_sale(tx, submission, service)?;
            let kind = ConditionKind::ServiceRefused;
            conditions::raise(tx, kind, &about_service(service), &said)
        }
        Ending::Quantity => {
            if provider.synced_at.is_none_or(|at| at.0 + LIST_AGE <= tx.now.0) {
                providers::update_sync_due(tx, provider.id, tx.now)?;
            }
            conditions::raise(tx, ConditionKind::Limits, &about_service(service), &said)
        }
        Ending::Link
        | Ending::Other
        | Ending::Key
        | Ending::Duplicate
        | Ending::Busy
        | Ending::Limited
        | Ending::Person => Ok(()),
    }
}

/// The balance there is used up; a dead key is worse and stays. Where the balance was asked for
/// since, and pays for the order, nothing more is sent for a while.
fn trouble(tx: &Tx<'_>, provider: &Provider, submission: &Submission, answer: &str) -> Result<()> {
    let until = match provider.trouble {
        Some(Trouble::Key) => return Ok(()),
        Some(Trouble::Funds) => {
            let subject = about_provider(provider.id);
            let since = conditions::find_raised(tx, ConditionKind::Funds, &subject)?;
            let is_asked = provider.balance_at.is_some_and(|at| {
                since.is_some_and(|since| since <= at) && at <= submission.created_at
            });
            let ours = provider.balance.and_then(|it| provider.terms.exchange.money(it));
            if !is_asked || ours.is_some_and(|balance| balance < submission.expected) {
                return Ok(());
            }
            Some(Timestamp(tx.now.0 + FUNDS_PAUSE))
        }
        None => provider.paused_until,
    };
    providers::update_trouble(tx, provider.id, Some(Trouble::Funds), until, answer)
}

/// A service that its own provider no longer sells goes off sale, where nobody else sells it.
fn take_off_sale(tx: &Tx<'_>, submission: &Submission, service: ServiceId) -> Result<()> {
    let is_elsewhere = !substitutes::list(tx, service)?.is_empty();
    let found = services::get(tx, service)?;
    if submission.place != 0 || is_elsewhere || !found.listing.is_enabled {
        return Ok(());
    }
    services::update_enabled(tx, service, false)?;
    pricings::update_off_by_sync(tx, service, true)
}

/// A provider has accepted an order: what its refusals have said before no longer holds.
pub(super) fn accepted(tx: &Tx<'_>, provider: ProviderId, service: ServiceId) -> Result<()> {
    let of_provider = [ConditionKind::Funds, ConditionKind::Refusing, ConditionKind::Unproven];
    let of_service = [ConditionKind::ServiceRefused, ConditionKind::Limits];
    let [seller, sold] = [about_provider(provider), about_service(service)];
    tx.ahead(&[
        &|db| providers::get(db, provider).map(drop),
        &|db| conditions::list_open_of(db, &of_provider, &seller).map(drop),
        &|db| conditions::list_open_of(db, &of_service, &sold).map(drop),
    ])?;
    let found = providers::get(tx, provider)?;
    if found.trouble == Some(Trouble::Funds) {
        providers::update_trouble(tx, provider, None, found.paused_until, "")?;
    }
    conditions::clear_each(tx, &of_provider, &seller)?;
    conditions::clear_each(tx, &of_service, &sold)
}

/// Says that something is the matter, or that it no longer is.
pub struct SetCondition {
    pub kind: ConditionKind,
    pub subject: String,
    /// What there is to say; `None` where it is over.
    pub text: Option<String>,
}

impl Command for SetCondition {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        match &self.text {
            Some(text) => conditions::raise(tx, self.kind, &self.subject, text),
            None => conditions::clear(tx, self.kind, &self.subject),
        }
    }
}

/// Says what is the matter now, in place of what was said before.
pub struct TellCondition {
    pub kind: ConditionKind,
    pub subject: String,
    pub text: String,
}

impl Command for TellCondition {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        conditions::tell(tx, self.kind, &self.subject, &self.text)
    }
}

/// Keeps a condition out of sight until then; `None` shows it again.
pub struct MuteCondition {
    pub actor: Actor,
    pub condition: ConditionId,
    pub until: Option<Timestamp>,
}

impl Command for MuteCondition {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let Some(found) = conditions::find(tx, self.condition)? else { return Ok(()) };

        conditions::update_muted(tx, found.id, self.until)?;
        let change = if self.until.is_some() { "Muted" } else { "Shown again" };
        let object = format!("condition {}", found.id);
        let change = format!("{change}: {} ({})", found.kind, found.subject);
        super::record(tx, &self.actor, "condition.mute", object, change)
    }
}

/// How long what is over stays to be read.
const KEPT_SECONDS: i64 = 90 * 86_400;
const PRUNED_AT_ONCE: i64 = 500;

/// Forgets conditions that were over long ago, some of them.
pub struct PruneConditions;

impl Command for PruneConditions {
    /// How many.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        conditions::prune(tx, Timestamp(tx.now.0 - KEPT_SECONDS), PRUNED_AT_ONCE)
    }
}
