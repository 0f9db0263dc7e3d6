//! What a start finds: attempts that a crash has interrupted, and an older file in the panel's
//! place. Whatever may have been sent waits for a person; nothing is sent twice.

use super::places::Place;
use super::places::load;
use super::sending::{doubt, own_id};
use super::{drips, hands};
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::{Delivery, Hand, Stage, State};
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::{OrderId, ProviderId, Timestamp};
use crate::secret::Sealer;
use crate::store::submissions::NewSubmission;
use crate::store::timelines::Timeline;
use crate::store::{
    Command, Result, Tx, conditions, deliveries, errands, providers, services, submissions,
    substitutes, timelines,
};

/// Orders in one command.
const SLICE: i64 = 500;

/// For so long a node is silent until what it was sending is taken for interrupted.
const NODE_GONE_AFTER: i64 = 300;

/// Attempts that were being made when the panel last stopped, or by a node that is gone: nobody
/// knows what came of them. On a file it is for the start alone.
pub struct ParkInterrupted;

impl Command for ParkInterrupted {
    /// How many were parked; there are no more where it is 0.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let silent = Timestamp(tx.now.0 - NODE_GONE_AFTER);
        let mut parked = 0;
        for provider in providers::list(tx)? {
            let interrupted = deliveries::list_interrupted(tx, provider.id, silent, SLICE)?;
            for id in &interrupted {
                let (order, delivery) = load(tx, *id)?;
                doubt(tx, &order, delivery, Hand::Unknown)?;
                let Some(live) = submissions::find_live(tx, *id)? else { continue };
                let said = "The panel stopped while the order was being sent";
                submissions::update_state(tx, live.id, State::Unknown, None, said)?;
            }
            parked += interrupted.len();
            if !interrupted.is_empty() {
                hands::follow(tx, provider.id)?;
            }
        }
        Ok(parked)
    }
}

/// An older file, or another one, lies in the panel's place: all that waits to be sent may have
/// been sent in a life that the file does not know.
pub struct ParkRestored {
    pub sealer: Sealer,
    /// The name of the life that begins.
    pub word: String,
}

/// How far parking has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    Some,
    /// The new life has begun.
    All,
}

impl Command for ParkRestored {
    type Reply = Parked;

    fn run(&self, tx: &Tx<'_>) -> Result<Parked> {
        let timeline =
            timelines::find(tx)?.unwrap_or(Timeline { word: String::new(), is_parking: false });
        let mut left = SLICE;
        for provider in providers::list(tx)? {
            for stage in [Stage::Send, Stage::Held] {
                let waiting = deliveries::list_in_stage(tx, provider.id, stage, left)?;
                for id in &waiting {
                    self.park(tx, *id, provider.id)?;
                }
                left -= i64::try_from(waiting.len()).unwrap_or(left);
            }
            errands::hold_refills(tx, provider.id)?;
        }
        if left > 0 {
            left -= drips::park(tx, left)?;
        }
        if left < SLICE {
            timelines::update(tx, &Timeline { is_parking: true, ..timeline })?;
            return Ok(Parked::Some);
        }
        for provider in providers::list(tx)? {
            hands::follow(tx, provider.id)?;
        }
        let word = self.word.clone();
        timelines::update(tx, &Timeline { word, is_parking: false })?;
        let said = "An older file was put in the panel's place: what waited to be sent, waits for \
                    a decision";
        if !deliveries::list_held(tx, Hand::Restored, OrderId(0), 1)?.is_empty() {
            conditions::raise(tx, ConditionKind::Restored, hands::RESTORED, said)?;
        }
        Ok(Parked::All)
    }
}

impl ParkRestored {
    /// The order may have been sent from here, under the own id that it would have had.
    fn park(&self, tx: &Tx<'_>, id: OrderId, provider: ProviderId) -> Result<()> {
        let (order, delivery) = load(tx, id)?;
        let attempts = submissions::list_of(tx, id)?;
        let (last_order, sends_ids) = providers::get(tx, provider)
            .map(|provider| (provider.last_order, provider.terms.sends_ids))?;
        let here = Place {
            place: delivery.place,
            provider,
            provider_service: provider_service(tx, &order, &delivery)?,
            cost: None,
            is_well: false,
            is_affordable: true,
            lacks_funds: false,
        };
        let custom_id = match sends_ids {
            true => own_id(tx, &self.sealer, id, &here, &attempts)?,
            false => String::new(),
        };

        let submission = submissions::insert(
            tx,
            &NewSubmission {
                order: id,
                provider,
                place: here.place,
                provider_service: &here.provider_service,
                custom_id: &custom_id,
                state: State::Unknown,
                expected: Money::ZERO,
                after_order: last_order.as_deref(),
            },
        )?;
        let said = "An older file was put in the panel's place";
        submissions::update_state(tx, submission, State::Unknown, None, said)?;
        doubt(tx, &order, delivery, Hand::Restored)
    }
}

/// The first life of a file begins: nothing has ever been sent from it.
pub struct BeginTimeline {
    pub word: String,
}

impl Command for BeginTimeline {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        timelines::update(tx, &Timeline { word: self.word.clone(), is_parking: false })
    }
}

/// What the order is called where it waits; empty where the service no longer names that place.
fn provider_service(tx: &Tx<'_>, order: &Order, delivery: &Delivery) -> Result<String> {
    if delivery.place > 0 {
        let all = substitutes::list(tx, order.service)?;
        let here = all.into_iter().find(|other| other.place == delivery.place);
        return Ok(here.map(|here| here.provider_service).unwrap_or_default());
    }
    let service = services::get(tx, order.service)?;
    Ok(service.listing.provider_service.unwrap_or_default())
}
