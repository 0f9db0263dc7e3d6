//! Telling resellers: the event that is due longest at an endpoint is signed and posted, and what
//! came of it is recorded.
//!
//! Calls are as Standard Webhooks says. An endpoint is called by one thread at a time; nothing is
//! claimed in the file, since an event that was told and not recorded is told again under the same
//! number, by which its receiver knows it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use data_encoding::BASE64;
use serde::Serialize;
use serde_json::value::RawValue;

use super::http::{Agent, Reach, Request};
use super::{Delivery, Step, lock, pause_a_second};
use crate::commands::webhooks::{PruneEvents, RecordAttempt, TidyWebhook, WAITING_MAX};
use crate::config::fail_at;
use crate::domain::event::{About, Event, EventKind, Said, Webhook};
use crate::domain::setting::Setting;
use crate::domain::{EventId, Timestamp, UserId};
use crate::secret::{self, Sealer, Secret};
use crate::store::{Read, Result, events, orders, settings, timelines, webhooks};

/// Endpoints that are called at once.
const CALLS_MAX: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 64 << 10;
const STACK_BYTES: usize = 512 << 10;
/// Characters of a timeline's word that stand in the number of an event.
const WORD_LENGTH: usize = 6;

/// What the calls to all endpoints share.
#[derive(Default)]
pub(super) struct Webhooks {
    /// Users whose endpoints are being called.
    out: Mutex<BTreeSet<UserId>>,
    threads: AtomicUsize,
    agents: [OnceLock<Agent>; 2],
}

impl Webhooks {
    /// Whether a call is out.
    pub(super) fn is_out(&self) -> bool {
        !lock(&self.out).is_empty()
    }

    fn agent(&self, is_insecure: bool) -> &Agent {
        let make = || Agent::for_reading(&Reach { is_insecure, root: None });
        self.agents[usize::from(is_insecure)].get_or_init(make)
    }

    /// The endpoint that has been due longest and that nobody calls; nobody else does while it is
    /// taken.
    fn take(&self, delivery: &Delivery) -> Result<Option<Taken<'_>>> {
        let mut out = lock(&self.out);
        // Those that are out may all be due.
        let limit = i64::try_from(out.len() + 1).unwrap_or(i64::MAX);
        let now = delivery.now();
        let due = delivery.store.point(|db| webhooks::list_due(db, now, limit))?;
        let free = due.into_iter().find(|user| !out.contains(user));
        Ok(free.map(|user| {
            out.insert(user);
            Taken { out: &self.out, user }
        }))
    }
}

/// An endpoint that only this thread calls; free again when dropped.
struct Taken<'a> {
    out: &'a Mutex<BTreeSet<UserId>>,
    user: UserId,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        lock(self.out).remove(&self.user);
    }
}

/// Whether an endpoint is due and may be called.
pub(super) fn has_work(delivery: &Delivery) -> Result<bool> {
    let webhooks = &delivery.webhooks;
    let limit = i64::try_from(lock(&webhooks.out).len() + 1).unwrap_or(i64::MAX);
    let now = delivery.now();
    let due = delivery.store.point(|db| webhooks::list_due(db, now, limit))?;
    let out = lock(&webhooks.out);
    let is_due = due.iter().any(|user| !out.contains(user));
    Ok(is_due && webhooks.threads.load(Ordering::Acquire) < CALLS_MAX)
}

/// One more thread that calls endpoints until none is due.
pub(super) fn spawn(delivery: &Arc<Delivery>) {
    delivery.webhooks.threads.fetch_add(1, Ordering::AcqRel);
    let working = Arc::clone(delivery);
    let work = move || {
        let _working = Working(&working.webhooks.threads);
        while !working.is_stopping() {
            match step(&working) {
                Ok(Step::Did) => {}
                Ok(Step::Idle) => return,
                Err(error) => {
                    tracing::warn!(%error, "a webhook could not be called");
                    return pause_a_second();
                }
            }
        }
    };
    let thread = std::thread::Builder::new().name("webhooks".to_owned()).stack_size(STACK_BYTES);
    if let Err(error) = thread.spawn(work) {
        delivery.webhooks.threads.fetch_sub(1, Ordering::AcqRel);
        tracing::warn!(%error, "no thread for webhooks");
    }
}

/// A thread at work, counted until it ends, however it ends.
struct Working<'a>(&'a AtomicUsize);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Tells one event to the endpoint that has been due longest.
pub(super) fn step(delivery: &Delivery) -> Result<Step> {
    let Some(taken) = delivery.webhooks.take(delivery)? else { return Ok(Step::Idle) };
    let now = delivery.now();
    let call = delivery.store.point(|db| prepare(db, &delivery.sealer, (taken.user, now)))?;
    let Some(call) = call else {
        delivery.store.write_blocking(TidyWebhook { user: taken.user })?;
        return Ok(Step::Did);
    };
    fail_at("telling");
    let (said, answer) = match &call.secrets {
        Some(secrets) => post(delivery, &call, secrets),
        None => refused("The secret cannot be read with our key file".to_owned()),
    };
    fail_at("told");
    record(delivery, &RecordAttempt { event: call.event, said, answer });
    Ok(Step::Did)
}

/// Forgets old events, and gives up what is too much.
pub(super) fn tidy(delivery: &Delivery) -> Result<()> {
    let store = &delivery.store;
    while !delivery.is_stopping() && store.write_blocking(PruneEvents)? {}
    let crowded = store.page(|db| {
        let mut crowded = webhooks::list_waiting(db)?;
        let mut counts = Vec::with_capacity(crowded.len());
        for user in &crowded {
            counts.push(events::count_waiting(db, *user, WAITING_MAX + 1)?);
        }
        let mut counts = counts.into_iter();
        crowded.retain(|_| counts.next().is_some_and(|count| count > WAITING_MAX));
        Ok(crowded)
    })?;
    for user in crowded {
        while !delivery.is_stopping() && store.write_blocking(TidyWebhook { user })? {}
    }
    Ok(())
}

/// Records what came of a call, as often as it takes.
fn record(delivery: &Delivery, attempt: &RecordAttempt) {
    loop {
        let RecordAttempt { event, said, answer } = attempt;
        let command = RecordAttempt { event: *event, said: said.clone(), answer: answer.clone() };
        let Err(error) = delivery.store.write_blocking(command) else { return };
        tracing::error!(event = event.0, %error, "not recorded yet");
        if delivery.is_over() || *delivery.store.failed().borrow() {
            return; // it is told again under the same number
        }
        pause_a_second();
    }
}

/// A call, ready to be signed.
struct Call {
    event: EventId,
    webhook: Webhook,
    /// What the receiver knows the event by.
    id: String,
    now: Timestamp,
    body: String,
    /// `None` where they cannot be opened.
    secrets: Option<Vec<Vec<u8>>>,
}

/// The next call of a user's webhook, if one is due.
fn prepare(
    db: &Read<'_>,
    sealer: &Sealer,
    (user, now): (UserId, Timestamp),
) -> Result<Option<Call>> {
    let Some(webhook) = webhooks::find_enabled(db, user)? else { return Ok(None) };
    let Some(event) = events::find_next(db, user)? else { return Ok(None) };
    if event.due_at.is_none_or(|due| webhook.may_tell(due) > now) {
        return Ok(None);
    }
    let (secret, old) = webhooks::secrets_sealed(db, user, now)?;
    let open = |sealed: &Vec<u8>| sealer.unseal(&webhooks::seal_place(user), sealed);
    let secrets = [Some(secret), old].iter().flatten().map(open).collect();
    let id = id(db, &event)?;
    let body = body(db, &event, &id)?;
    Ok(Some(Call { event: event.id, webhook, id, now, body, secrets }))
}

/// What a receiver knows an event by: a file that an older one replaces has another word, so that
/// its numbers are not taken for those that were told before.
fn id(db: &Read<'_>, event: &Event) -> Result<String> {
    let mut word = timelines::find(db)?.map(|timeline| timeline.word).unwrap_or_default();
    word.truncate(WORD_LENGTH);
    Ok(format!("evt_{word}_{}", event.id))
}

fn post(delivery: &Delivery, call: &Call, secrets: &[Vec<u8>]) -> (Said, String) {
    let timestamp = call.now.0.to_string();
    let signed = format!("{}.{timestamp}.{}", call.id, call.body);
    let sign = |secret: &Vec<u8>| {
        format!("v1,{}", BASE64.encode(&secret::mac_of(secret, signed.as_bytes())))
    };
    let signatures: Vec<String> = secrets.iter().map(sign).collect();
    let request = Request {
        url: &call.webhook.url,
        content_type: "application/json",
        body: call.body.as_bytes(),
        timeout: TIMEOUT,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let headers = [
        ("webhook-id", call.id.as_str()),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &signatures.join(" ")),
    ];
    match delivery.webhooks.agent(call.webhook.is_insecure).tell(&request, &headers) {
        Ok(status @ 200..300) => (Said::Taken, format!("HTTP {status}")),
        Ok(410) => (Said::Gone, "HTTP 410: it wants no events".to_owned()),
        Ok(status) => refused(format!("HTTP {status}")),
        Err(failure) => refused(failure.to_string()),
    }
}

fn refused(why: String) -> (Said, String) {
    (Said::No(why.clone()), why)
}

/// A secret as receivers are given it.
pub fn secret_text(secret: &[u8]) -> Secret {
    Secret::new(format!("whsec_{}", BASE64.encode(secret)))
}

/// The body of a call: one of the three parts is there.
#[derive(Default, Serialize)]
struct Body<'a> {
    id: &'a str,
    r#type: &'static str,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refill: Option<RefillPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<BalancePart>,
}

#[derive(Serialize)]
struct OrderPart {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_id: Option<String>,
    charge: Box<RawValue>,
    refunded: Box<RawValue>,
    start_count: i64,
    status: &'static str,
    remains: i64,
    currency: String,
}

#[derive(Serialize)]
struct RefillPart {
    id: String,
    order: String,
    status: &'static str,
}

#[derive(Serialize)]
struct BalancePart {
    balance: String,
    currency: String,
}

fn body(db: &Read<'_>, event: &Event, id: &str) -> Result<String> {
    let currency = || settings::get(db, Setting::Currency);
    let (r#type, created) = (type_of(event.kind), event.created_at.0);
    let mut body = Body { id, r#type, created, ..Body::default() };
    match &event.about {
        About::Order { order, status, net_charge, refunded, start_count, remains } => {
            body.order = Some(OrderPart {
                id: order.to_string(),
                custom_id: orders::find(db, *order)?.and_then(|order| order.custom_id),
                charge: literal(&net_charge.to_string()),
                refunded: literal(&refunded.to_string()),
                start_count: start_count.unwrap_or(0),
                status: status.label(),
                remains: *remains,
                currency: currency()?,
            });
        }
        About::Refill { refill, order, status } => {
            let (id, order) = (format!("refill_{refill}"), order.to_string());
            body.refill = Some(RefillPart { id, order, status: status.label() });
        }
        About::Balance(balance) => {
            let (balance, currency) = (balance.to_string(), currency()?);
            body.balance = Some(BalancePart { balance, currency });
        }
    }
    Ok(serde_json::to_string(&body).unwrap_or_default())
}

/// A sum as a number of JSON, to the micro.
fn literal(sum: &str) -> Box<RawValue> {
    RawValue::from_string(sum.to_owned()).unwrap_or_default()
}

const fn type_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::OrderInProgress => "order.in_progress",
        EventKind::OrderCompleted => "order.completed",
        EventKind::OrderPartial => "order.partial",
        EventKind::OrderCanceled => "order.canceled",
        EventKind::RefillCompleted => "refill.completed",
        EventKind::RefillRejected => "refill.rejected",
        EventKind::BalanceLow => "balance.low",
    }
}
