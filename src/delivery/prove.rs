//! Proving: our balance, which shows that a provider is well, and what can be found out about an
//! order nobody knows the end of. Neither ever buys anything.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::client::{CallError, Fault, Hit};
use super::lane::Told;
use super::watch::is_held;
use super::{Delivery, Lane, Step, Turn, lock};
use crate::commands::deciding::{AdoptProven, RecordEvidence};
use crate::commands::providers::{RecordBalance, RecordTrouble};
use crate::domain::delivery::{Delivery as Waiting, Stage, State, Submission};
use crate::domain::order::Order;
use crate::domain::provider::{Provider, Trouble};
use crate::domain::{OrderId, Timestamp};
use crate::store::{Read, Result, deliveries, orders, placed, providers, submissions};

/// Between two looks at a balance: as a rule, and while something is the matter.
const BALANCE_EVERY: i64 = 600;
const BALANCE_IN_TROUBLE_EVERY: i64 = 60;
const KEY_PAUSE: i64 = 600;
/// How often a look for an order is made again that has failed, a minute later and twice as long
/// each time.
const LOOKS_MAX: i64 = 6;
const LOOK_AGAIN_AFTER: i64 = 60;
const EVIDENCE_BYTES_MAX: usize = 2048;

/// What a lane remembers of the proofs it has asked for.
#[derive(Default)]
pub(super) struct Proof {
    /// Somebody wants to know the balance now.
    is_wanted: AtomicBool,
    /// A call about it is out.
    is_out: AtomicBool,
    tried_at: Mutex<Option<Timestamp>>,
    /// An order is being looked for.
    is_looking: AtomicBool,
    /// What the operator was told last; nothing since the panel has started, where it is `None`.
    told: Mutex<Option<Told>>,
    /// Whether the provider has said that it does not know orders by our own ids.
    knows_no_ids: AtomicBool,
}

impl Proof {
    pub(super) fn want(&self) {
        self.is_wanted.store(true, Ordering::Release);
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Acquire)
    }

    /// Whether this was told last; else it is from now on.
    pub(super) fn has_told(&self, told: Told) -> bool {
        lock(&self.told).replace(told) == Some(told)
    }

    /// What was to be told could not be written.
    pub(super) fn tell_again(&self) {
        *lock(&self.told) = None;
    }
}

/// Whether a lane's provider should be asked for our balance now.
pub(super) fn is_due(db: &Read<'_>, lane: &Lane, now: Timestamp) -> Result<bool> {
    if lane.proof.is_out.load(Ordering::Acquire) {
        return Ok(false);
    }
    if lane.proof.is_wanted() {
        return Ok(true);
    }
    let tried_at = *lock(&lane.proof.tried_at);
    let is_new_second = tried_at.is_none_or(|tried| tried < now);
    if lane.health(|health| health.proof_due(now)).is_some_and(|due| due <= now) {
        return Ok(is_new_second);
    }
    let Some(provider) = providers::find(db, lane.provider)? else { return Ok(false) };
    let every = match provider.trouble {
        None | Some(Trouble::Key) => BALANCE_EVERY,
        Some(Trouble::Funds) => BALANCE_IN_TROUBLE_EVERY,
    };
    let last = provider.balance_at.max(tried_at);
    Ok(last.is_none_or(|last| last.0 + every <= now.0))
}

/// Asks the lane's provider for our balance.
pub(super) fn step(delivery: &Delivery, lane: &Lane) -> Result<Step> {
    let now = delivery.now();
    if !delivery.store.point(|db| is_due(db, lane, now))? {
        return Ok(Step::Idle);
    }
    let Some(_turn) = Turn::take(&lane.proof.is_out) else { return Ok(Step::Idle) };
    lane.proof.is_wanted.store(false, Ordering::Release);
    *lock(&lane.proof.tried_at) = Some(now);
    ask_balance(delivery, lane)?;
    Ok(Step::Did)
}

fn ask_balance(delivery: &Delivery, lane: &Lane) -> Result<()> {
    let provider = delivery.store.point(|db| providers::get(db, lane.provider))?;
    let call = lane.health(|health| health.begin());
    let answer = match delivery.client(&provider) {
        Ok(client) => client.balance(),
        Err(refusal) => return has_no_key(delivery, &provider, refusal.to_string()),
    };
    match answer {
        Ok(balance) => {
            lane.health(|health| health.told_balance(call));
            let (provider, currency) = (provider.id, balance.currency);
            let command = RecordBalance { provider, balance: balance.amount, currency };
            delivery.store.write_blocking(command)?;
        }
        Err(error) => fail(delivery, lane, &provider, &error)?,
    }
    delivery.tell_held(lane);
    Ok(())
}

/// Nothing can be asked or sent: our key file does not open the provider's key.
fn has_no_key(delivery: &Delivery, provider: &Provider, answer: String) -> Result<()> {
    // A file that cannot be read just now says nothing of the key.
    delivery.store.point(|db| providers::key_sealed(db, provider.id))?;
    let (provider, trouble) = (provider.id, Some(Trouble::Key));
    let paused_until = Some(Timestamp(delivery.now().0 + KEY_PAUSE));
    delivery.store.write_blocking(RecordTrouble { provider, trouble, paused_until, answer })
}

/// A balance was not told: a text that says so is about our key, all else is a failure.
fn fail(delivery: &Delivery, lane: &Lane, provider: &Provider, error: &CallError) -> Result<()> {
    let now = delivery.now();
    if error.is_failure() {
        lane.health(|health| health.failed_to_prove(now));
        return Ok(());
    }
    if !matches!(error.fault, Fault::Said(_)) {
        lane.health(|health| health.busy(error.retry_after, now));
        return Ok(());
    }
    lane.health(|health| health.refused_to_prove(now));
    let trouble = Some(Trouble::Key);
    let paused_until = Some(Timestamp(now.0 + KEY_PAUSE));
    let (provider, answer) = (provider.id, error.to_string());
    delivery.store.write_blocking(RecordTrouble { provider, trouble, paused_until, answer })
}

/// Whether an order nobody knows the end of should be looked for now.
pub(super) fn is_evidence_due(db: &Read<'_>, lane: &Lane, now: Timestamp) -> Result<bool> {
    if is_held(lane, now) || lane.proof.is_looking.load(Ordering::Acquire) {
        return Ok(false);
    }
    let due = deliveries::next_due(db, lane.provider, Stage::Call)?;
    Ok(due.is_some_and(|due| due <= now) && !doubtful(db, lane, now)?.is_empty())
}

/// Orders that are due to be looked for: those on their way have no evidence yet.
fn doubtful(db: &Read<'_>, lane: &Lane, now: Timestamp) -> Result<Vec<Waiting>> {
    let due = deliveries::list_due(db, lane.provider, Stage::Call, now, 10)?;
    let found = deliveries::find_each(db, &due)?;
    Ok(found.into_iter().flatten().filter(|delivery| delivery.hand.is_some()).collect())
}

/// An order that is looked for.
pub(super) struct Sought {
    order: Order,
    /// The attempt that it may have arrived by.
    pub(super) live: Submission,
    /// How often it was looked for before.
    tries: i64,
}

/// An order as it is looked for, and where; `None` where nobody has to.
pub(super) fn sought(db: &Read<'_>, id: OrderId) -> Result<Option<(Sought, Provider)>> {
    let live = submissions::find_live(db, id)?.filter(|live| live.state == State::Unknown);
    let (order, delivery) = (orders::find(db, id)?, deliveries::find(db, id)?);
    let (Some(order), Some(delivery), Some(live)) = (order, delivery, live) else {
        return Ok(None);
    };
    let provider = providers::get(db, live.provider)?;
    Ok(Some((Sought { order, live, tries: delivery.tries }, provider)))
}

/// What was found out, as it is kept: what does not fit is left out at its end.
pub(super) fn evidence(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    if text.len() > EVIDENCE_BYTES_MAX {
        let most = EVIDENCE_BYTES_MAX - '…'.len_utf8();
        let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Looks for an order nobody knows the end of.
pub(super) fn evidence_step(delivery: &Delivery, lane: &Lane) -> Result<Step> {
    let now = delivery.now();
    if !delivery.store.point(|db| is_evidence_due(db, lane, now))? {
        return Ok(Step::Idle);
    }
    let Some(_turn) = Turn::take(&lane.proof.is_looking) else { return Ok(Step::Idle) };
    let found = delivery.store.point(|db| match doubtful(db, lane, now)?.first() {
        Some(due) => sought(db, due.order),
        None => Ok(None),
    })?;
    let Some((sought, provider)) = found else { return Ok(Step::Idle) };
    let id = sought.order.id;
    let found = look(delivery, lane, &provider, &sought)?;
    match found {
        Found::Proof(their_id) => {
            delivery.store.write_blocking(AdoptProven { order: id, their_id })?;
        }
        Found::Evidence(lines, again_at) => {
            let evidence = evidence(&lines);
            delivery.store.write_blocking(RecordEvidence { order: id, evidence, again_at })?;
        }
    }
    Ok(Step::Did)
}

pub(super) enum Found {
    /// It is there, under this number.
    Proof(String),
    /// What there is to say, and when it is worth asking again.
    Evidence(Vec<String>, Option<Timestamp>),
}

/// Asks for the order by our own id; says what the balance did.
pub(super) fn look(
    delivery: &Delivery,
    lane: &Lane,
    provider: &Provider,
    sought: &Sought,
) -> Result<Found> {
    let Sought { order, live, tries } = sought;
    let mut lines = Vec::new();
    let mut again_at = None;
    let can_ask = !live.custom_id.is_empty() && !lane.proof.knows_no_ids.load(Ordering::Acquire);
    if can_ask && let Ok(client) = delivery.client(provider) {
        match client.find_own(&live.custom_id) {
            Ok(hits) => {
                if let Some(their_id) = proof(delivery, &hits, order, live)? {
                    return Ok(Found::Proof(their_id));
                }
                lines.push(told(&hits, live));
            }
            Err(error) if error.is_unknown_action() => {
                lane.proof.knows_no_ids.store(true, Ordering::Release);
                lines.push("The provider cannot look for our own ID".to_owned());
            }
            Err(error) => {
                let wait = LOOK_AGAIN_AFTER << (*tries).clamp(0, LOOKS_MAX);
                again_at = (*tries < LOOKS_MAX).then(|| Timestamp(delivery.now().0 + wait));
                lines.push(format!("Our own ID could not be looked for: {error}"));
            }
        }
    }
    lines.extend(delivery.store.point(|db| balance_moved(db, provider, live))?);
    Ok(Found::Evidence(lines, again_at))
}

/// The one hit that is this order and no other of ours.
fn proof(
    delivery: &Delivery,
    hits: &[Hit],
    order: &Order,
    live: &Submission,
) -> Result<Option<String>> {
    let [hit] = hits else { return Ok(None) };
    let is_same = hit.service == live.provider_service
        && hit.link == order.link
        && (hit.quantity == order.quantity || hit.quantity == order.units);
    let known =
        delivery.store.point(|db| placed::find_by_their_id(db, live.provider, &hit.their_id))?;
    Ok((is_same && known.is_none()).then(|| hit.their_id.clone()))
}

fn told(hits: &[Hit], live: &Submission) -> String {
    match hits {
        [] => format!("Nothing is found there under our own ID {}", live.custom_id),
        [hit] => format!("Order {} has our own ID but is another order", hit.their_id),
        _ => format!("{} orders there have our own ID {}", hits.len(), live.custom_id),
    }
}

/// What our balance there has done since, beside what this order would have cost.
fn balance_moved(db: &Read<'_>, provider: &Provider, live: &Submission) -> Result<Option<String>> {
    let Some((before, after)) = providers::balances_around(db, provider.id, live.created_at)?
    else {
        return Ok(None);
    };
    let currency = &provider.terms.currency;
    let cost = live.expected;
    Ok(Some(format!(
        "The balance there was {before} {currency} before and {after} {currency} later; this order \
         would have cost {cost} in our currency"
    )))
}
