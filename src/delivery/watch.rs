//! Watching orders at a provider: take what is due, ask about all of it in one call, record what
//! was said.
//!
//! A call that fails says nothing of the orders: they are due again in a few minutes. A provider
//! that answers for one order but not for many is asked about one at a time until the next start.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::client::{CallError, Client, Fault, Said};
use super::lane::Held;
use super::{Delivery, Lane, Step};
use crate::commands::posts::{LeasePosts, NEW_POSTS_MAX, POSTS_MAX, Post, RecordPosts};
use crate::commands::watching::{Answer, LOOKS_MAX, LeaseStatuses, RecordStatuses};
use crate::domain::delivery::Stage;
use crate::domain::outcome::Family;
use crate::domain::report::Report;
use crate::domain::{OrderId, ProviderId, Timestamp};
use crate::store::{Read, Result, deliveries, placed, providers};

/// Answers for one order after none for many, until one is asked about at a time.
const STRIKES_MAX: usize = 3;

/// What a lane remembers of asking about orders.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// How often in a row there was an answer for one order but none for many.
    strikes: AtomicUsize,
}

impl Looks {
    fn are_single(&self) -> bool {
        self.strikes.load(Ordering::Acquire) >= STRIKES_MAX
    }
}

impl Delivery {
    /// Whether a provider is asked about one order at a time, since it cannot answer for many.
    pub fn asks_singly(&self, provider: ProviderId) -> bool {
        self.lane(provider).looks.are_single()
    }
}

/// Whether an order at the lane's provider should be looked at now.
pub(super) fn is_due(db: &Read<'_>, lane: &Lane, now: Timestamp) -> Result<bool> {
    if is_held(lane, now) {
        return Ok(false);
    }
    for stage in [Stage::Watch, Stage::Last, Stage::Posts] {
        let due = deliveries::next_due(db, lane.provider, stage)?;
        if due.is_some_and(|due| due <= now) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the provider is left alone: it does not answer, or has asked us to come back.
pub(super) fn is_held(lane: &Lane, now: Timestamp) -> bool {
    match lane.health(|health| health.held(now)) {
        Some(Held::Failing | Held::Busy) => true,
        Some(Held::Unproven | Held::Refusing | Held::Paused) | None => false,
    }
}

/// Looks at the orders that are due at the lane's provider.
pub(super) fn step(delivery: &Delivery, lane: &Lane) -> Result<Step> {
    let now = delivery.now();
    if !delivery.store.point(|db| is_due(db, lane, now))? {
        return Ok(Step::Idle);
    }
    let limit = if lane.looks.are_single() { 1 } else { LOOKS_MAX };
    let provider = lane.provider;
    let taken = delivery.store.write_blocking(LeaseStatuses { provider, limit })?;
    if taken.is_empty() {
        return look_for_posts(delivery, lane);
    }
    let found = delivery.store.point(|db| providers::get(db, provider))?;
    let Ok(client) = delivery.client(&found) else { return Ok(Step::Did) };
    match ask(lane, &client, &taken) {
        Ok(answers) => {
            lane.health(|health| health.read());
            delivery.store.write_blocking(RecordStatuses { provider, answers })?;
        }
        Err(error) => learn(delivery, lane, &error),
    }
    delivery.tell_held(lane);
    Ok(Step::Did)
}

/// Asks about the subscription that is due, and about posts of which only their charge tells how
/// much was bought.
fn look_for_posts(delivery: &Delivery, lane: &Lane) -> Result<Step> {
    let provider = lane.provider;
    let lease = LeasePosts { provider };
    let Some(taken) = delivery.store.write_blocking(lease)? else { return Ok(Step::Idle) };
    let found = delivery.store.point(|db| providers::get(db, provider))?;
    let Ok(client) = delivery.client(&found) else { return Ok(Step::Did) };
    match client.status(&taken.their_id) {
        Ok(said) => {
            lane.health(|health| health.read());
            let ids = said.as_ref().map(|said| said.orders.clone()).unwrap_or_default();
            let known =
                |id: &String| delivery.store.point(|db| placed::find_by_their_id(db, provider, id));
            let mut posts = Vec::new();
            // Some more than there may be: those cost money and end the subscription.
            for their_id in ids.into_iter().take(POSTS_MAX + NEW_POSTS_MAX) {
                let is_told = posts.iter().any(|post: &Post| post.their_id == their_id);
                if posts.len() < NEW_POSTS_MAX && !is_told && known(&their_id)?.is_none() {
                    posts.push(Post { report: None, their_id });
                }
            }
            if taken.is_range {
                for post in &mut posts {
                    let said = client.status(&post.their_id).ok().and_then(std::result::Result::ok);
                    post.report = said.map(report);
                }
            }
            let (order, answer) = (taken.order, said.map(report));
            delivery.store.write_blocking(RecordPosts { provider, order, answer, posts })?;
        }
        Err(error) => learn(delivery, lane, &error),
    }
    delivery.tell_held(lane);
    Ok(Step::Did)
}

/// What a call that brought nothing says of the provider.
pub(super) fn learn(delivery: &Delivery, lane: &Lane, error: &CallError) {
    let now = delivery.now();
    match error.fault {
        Fault::NotSent | Fault::NoAnswer | Fault::Status | Fault::Unreadable => {
            lane.health(|health| health.failed(now));
        }
        Fault::Busy | Fault::Said(Family::Busy) => {
            lane.health(|health| health.busy(error.retry_after, now));
        }
        Fault::Said(Family::Key) => lane.want_balance(),
        Fault::Said(_) => {}
    }
}

/// Asks about all orders; about the first alone, where there is no answer for all.
fn ask(
    lane: &Lane,
    client: &Client,
    taken: &[(OrderId, String)],
) -> std::result::Result<Vec<(OrderId, Answer)>, CallError> {
    if let [(order, their_id)] = taken {
        return Ok(vec![(*order, client.status(their_id)?.map(report))]);
    }
    let ids: Vec<String> = taken.iter().map(|(_, their_id)| their_id.clone()).collect();
    match client.statuses(&ids) {
        Ok(mut said) => {
            lane.looks.strikes.store(0, Ordering::Release);
            let mut answer = |(order, their_id): &(OrderId, String)| {
                let at = said.iter().position(|(id, _)| id == their_id);
                let silence = || Err("The answer does not speak of it".to_owned());
                let said = at.map_or_else(silence, |at| said.swap_remove(at).1.map(report));
                (*order, said)
            };
            Ok(taken.iter().map(&mut answer).collect())
        }
        Err(error) if may_be_the_plural(&error) => {
            let [(order, their_id), ..] = taken else { return Err(error) };
            let said = client.status(their_id)?.map(report);
            if said.is_ok() {
                lane.looks.strikes.fetch_add(1, Ordering::AcqRel);
            }
            Ok(vec![(*order, said)])
        }
        Err(error) => Err(error),
    }
}

/// Whether a provider may have failed to understand that many orders are asked about.
fn may_be_the_plural(error: &CallError) -> bool {
    match error.fault {
        Fault::Status | Fault::Unreadable => true,
        Fault::Said(family) => !matches!(family, Family::Key | Family::Busy | Family::Trouble),
        Fault::NotSent | Fault::NoAnswer | Fault::Busy => false,
    }
}

fn report(said: Said) -> Report {
    let Said { word, charge, currency, start_count, remains, .. } = said;
    Report { word, remains, start_count, charge, currency }
}
