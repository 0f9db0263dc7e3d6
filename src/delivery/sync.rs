//! A provider's list of services: fetched when it is due, and taken over in slices.
//!
//! The lane does this for a provider that is well; the command line and the pages do the same with
//! a client of their own. [`look`] only reads: what is shown before a provider is trusted.

use std::sync::Arc;

use super::client::{Balance, CallError, Catalogue, Client, Fault, Item};
use super::{Delivery, Lane, Step};
use crate::commands::syncing::{LeaseCatalogue, List, RecordCatalogue, RecordNoCatalogue, Slice};
use crate::domain::catalogue::Unusable;
use crate::domain::pricing::Offer;
use crate::domain::provider::Trouble;
use crate::domain::{ProviderId, Timestamp};
use crate::store::{Read, Result, Store, providers};

/// Services that a look at a provider shows.
const SHOWN: usize = 3;

/// Whether the list is to be fetched now. A provider that is held back, or does not take our key,
/// is left alone.
pub(super) fn is_due(db: &Read<'_>, lane: &Lane, now: Timestamp) -> Result<bool> {
    if lane.health(|health| health.held(now)).is_some() {
        return Ok(false);
    }
    let provider = providers::find(db, lane.provider)?;
    let provider = provider.filter(|provider| provider.trouble != Some(Trouble::Key));
    Ok(provider.is_some_and(|provider| provider.sync_due_at <= now))
}

/// Fetches the list and takes it over.
pub(super) fn step(delivery: &Delivery, lane: &Lane) -> Result<Step> {
    let (now, store) = (delivery.now(), &delivery.store);
    if !store.point(|db| is_due(db, lane, now))? {
        return Ok(Step::Idle);
    }
    let Some(provider) = store.write_blocking(LeaseCatalogue { provider: lane.provider })? else {
        return Ok(Step::Idle);
    };
    let client = match delivery.client(&provider) {
        Ok(client) => client,
        Err(refusal) => {
            let (provider, text) = (provider.id, Some(refusal.to_string()));
            store.write_blocking(RecordNoCatalogue { provider, text })?;
            return Ok(Step::Did);
        }
    };
    match client.services() {
        Ok(catalogue) => {
            lane.health(|health| health.read());
            take_over(store, provider.id, catalogue)?;
        }
        Err(error) => {
            match error.is_failure() {
                true => lane.health(|health| health.failed(now)),
                false => lane.health(|health| health.read()),
            }
            store
                .write_blocking(RecordNoCatalogue { provider: provider.id, text: told(&error) })?;
            delivery.tell_held(lane);
        }
    }
    Ok(Step::Did)
}

/// What the operator should know of a list that did not come; nothing where the provider could not
/// be reached or is busy: it is asked again, and the lane tells if that goes on.
fn told(error: &CallError) -> Option<String> {
    match error.fault {
        Fault::NotSent | Fault::NoAnswer | Fault::Busy => None,
        Fault::Status | Fault::Unreadable | Fault::Said(_) => Some(error.to_string()),
    }
}

/// What taking over a list came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Services on the list.
    pub listed: usize,
    /// Lines that could not be read.
    pub unreadable: usize,
    /// Services of ours that were changed.
    pub changed: usize,
    /// Why none of it counts.
    pub thrown_away: Option<Unusable>,
}

/// Takes over a list, slice by slice.
///
/// # Errors
/// Where the provider was removed meanwhile, and faults of the storage.
pub fn take_over(store: &Store, provider: ProviderId, catalogue: Catalogue) -> Result<Synced> {
    let Catalogue { items, unreadable } = catalogue;
    let offers: Vec<Offer> = items.into_iter().map(|item| offer(provider, item)).collect();
    let mut synced = Synced { listed: offers.len(), unreadable, ..Synced::default() };
    let list = Arc::new(List::new(offers, unreadable));
    let mut from = 0;
    loop {
        let slice = RecordCatalogue { provider, list: Arc::clone(&list), from };
        match store.write_blocking(slice)? {
            Slice::More { from: next, changed } => {
                from = next;
                synced.changed += changed;
            }
            Slice::Ended { changed } => {
                synced.changed += changed;
                return Ok(synced);
            }
            Slice::ThrownAway(unusable) => {
                return Ok(Synced { thrown_away: Some(unusable), ..synced });
            }
        }
    }
}

/// A line of the list. When it was seen is written with it.
fn offer(provider: ProviderId, item: Item) -> Offer {
    Offer {
        provider,
        provider_service: item.id,
        name: item.name,
        category: item.category,
        kind: item.kind,
        cost: item.rate,
        quantity_min: item.min,
        quantity_max: item.max,
        is_dripfeed: item.is_dripfeed,
        is_refill: item.is_refill,
        is_cancel: item.is_cancel,
        seen_at: Timestamp(0),
        gone_at: None,
    }
}

/// What a provider answers before anything is bought there.
#[derive(Clone, Debug)]
pub struct Look {
    pub balance: Balance,
    /// The first few of its services.
    pub services: Vec<Item>,
    /// How many it has.
    pub listed: usize,
    pub unreadable: usize,
}

/// Asks a provider for our balance and its list, and changes nothing.
///
/// # Errors
/// The first call that brought nothing.
pub fn look(client: &Client) -> std::result::Result<Look, CallError> {
    let balance = client.balance()?;
    let Catalogue { mut items, unreadable } = client.services()?;
    let listed = items.len();
    items.truncate(SHOWN);
    Ok(Look { balance, services: items, listed, unreadable })
}
