//! Drip-feed orders: their runs begin one by one, each an order of its own that costs nothing, and
//! the parent, which has paid, follows every move of theirs.
//!
//! A run begins only when the one before it was accepted somewhere, so that what stood still for a
//! while goes on with one run and not with all that were missed.

use super::orders::write;
use crate::domain::delivery::Hand;
use crate::domain::order::{Change, DripFeed, Order, OrderStatus};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, ProviderRefusal};
use crate::domain::schedule::Drip;
use crate::domain::{Actor, OrderId};
use crate::store::{Command, Read, Result, Tx, deliveries, drips, orders, services};

/// Runs that begin in one command.
const SLICE: i64 = 50;

/// Lets runs begin that are due, or puts them off where the one before was not accepted yet.
pub struct StartRuns;

impl Command for StartRuns {
    /// How many were looked at; nothing is due where it is 0.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let due = drips::list_due(tx, tx.now, SLICE)?;
        for id in &due {
            let Some((parent, feed, drip)) = load(tx, *id)? else { continue };
            if is_one_unaccepted(tx, *id)? {
                drips::update(tx, &drip.waiting(tx.now))?;
            } else {
                start(tx, &parent, &drip.begun(feed, tx.now))?;
            }
        }
        Ok(due.len())
    }
}

/// The order, how it is split, and how far it has come; `None` where it is no drip-feed of ours.
fn load(db: &Read<'_>, id: OrderId) -> Result<Option<(Order, DripFeed, Drip)>> {
    let (order, drip) = (orders::find(db, id)?, drips::find(db, id)?);
    let feed = order.as_ref().and_then(|order| order.drip_feed);
    let found = order.zip(feed).zip(drip);
    Ok(found.map(|((order, feed), drip)| (order, feed, drip)))
}

/// Whether the newest run was not accepted yet. Those before it were.
fn is_one_unaccepted(db: &Read<'_>, parent: OrderId) -> Result<bool> {
    let Some(newest) = drips::newest_part(db, parent)? else { return Ok(false) };
    let newest = orders::find(db, newest)?;
    Ok(newest.is_some_and(|run| match run.status {
        OrderStatus::Pending | OrderStatus::Sending | OrderStatus::Unknown => true,
        OrderStatus::Active
        | OrderStatus::Completed
        | OrderStatus::Partial
        | OrderStatus::Canceled => false,
    }))
}

fn start(tx: &Tx<'_>, parent: &Order, drip: &Drip) -> Result<()> {
    let run = drips::insert_run(tx, parent)?;
    if let Some(provider) = services::get(tx, parent.service)?.listing.provider {
        deliveries::insert(tx, run, provider)?;
    }
    drips::update(tx, drip)?;
    write(tx, parent, &parent.run_begun(), &Actor::Delivery)
}

/// A run has moved: its parent counts down with it, and ends with the last.
pub(super) fn follow(tx: &Tx<'_>, run: &Order, change: &Change, actor: &Actor) -> Result<()> {
    let Some(parent) = run.parent_of_run() else { return Ok(()) };
    let Some(order) = orders::find(tx, parent)? else { return Ok(()) };
    let is_first = drips::first_part(tx, parent)? == Some(run.id);
    let moved = order.run_moved(run, change, is_first);
    if (moved.remains, moved.start_count) != (order.remains, order.start_count) {
        write(tx, &order, &moved, actor)?;
    }
    match change.status.is_final() {
        true => settle(tx, parent, actor),
        false => Ok(()),
    }
}

/// Ends the order if all of its runs have ended and none is to come.
fn settle(tx: &Tx<'_>, id: OrderId, actor: &Actor) -> Result<()> {
    let Some((parent, _, drip)) = load(tx, id)? else { return Ok(()) };
    if parent.status.is_final() || drip.has_more() || drips::has_open_part(tx, id)? {
        return Ok(());
    }
    write(tx, &parent, &parent.runs_over(), actor)
}

/// No more runs of the order begin; it ends with those that have.
pub(super) fn stop(tx: &Tx<'_>, id: OrderId, actor: &Actor) -> Result<()> {
    let Some(drip) = drips::find(tx, id)? else { return Ok(()) };
    drips::update(tx, &drip.stopped())?;
    settle(tx, id, actor)
}

/// A run was refused: no more of its kind are sent.
pub(super) fn refused(tx: &Tx<'_>, run: &Order) -> Result<()> {
    let Some(parent) = run.parent_of_run() else { return Ok(()) };
    let Some(drip) = drips::find(tx, parent)? else { return Ok(()) };
    drips::update(tx, &drip.stopped())
}

/// The order has ended, or is delivered by hand as one: none of its runs begins any more.
pub(super) fn leave(tx: &Tx<'_>, order: &Order, change: &Change) -> Result<()> {
    if order.drip_feed.is_none() {
        return Ok(());
    }
    match drips::find(tx, order.id)? {
        Some(drip) if change.status.is_final() && drip.has_more() => {
            drips::update(tx, &drip.stopped())
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether runs of the order have begun: then it is moved with them, and by no hand of its own.
pub fn has_begun(db: &Read<'_>, order: &Order) -> Result<bool> {
    if order.drip_feed.is_none() {
        return Ok(false);
    }
    Ok(drips::find(db, order.id)?.is_some_and(|drip| drip.started > 0))
}

/// A person moves an order as one: refused once runs of it have begun.
pub(super) fn check_by_hand(db: &Read<'_>, order: &Order) -> Result<()> {
    match has_begun(db, order)? {
        true => Err(OperatorRefusal::RunsHaveBegun.into()),
        false => Ok(()),
    }
}

/// Lets no more runs of a drip-feed order begin. It ends at once where none is under way.
pub struct StopDrip {
    pub actor: Actor,
    pub order: OrderId,
}

impl Command for StopDrip {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let (parent, _, drip) = load(tx, self.order)?.ok_or(OrderRefusal::OrderNotFound)?;
        if !drip.can_stop(&parent) {
            return Err(ProviderRefusal::NoRunsToCome.into());
        }

        stop(tx, self.order, &self.actor)?;
        let change = format!("No more runs after {}", drip.started);
        super::record(tx, &self.actor, "order.stop_runs", format!("order {}", parent.id), change)
    }
}

/// Lets the runs of a drip-feed order go on that were stopped; the next one begins at once.
pub struct ResumeDrip {
    pub actor: Actor,
    pub order: OrderId,
}

impl Command for ResumeDrip {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let (parent, feed, drip) = load(tx, self.order)?.ok_or(OrderRefusal::OrderNotFound)?;
        if !drip.can_resume(&parent) {
            return Err(ProviderRefusal::NoRunsToCome.into());
        }

        drips::update(tx, &drip.resumed(feed, tx.now))?;
        let change = format!("Runs go on after {}", drip.started);
        super::record(tx, &self.actor, "order.resume_runs", format!("order {}", parent.id), change)
    }
}

/// Runs that a clock which was ahead has put far away come closer: for a start.
pub struct PullRuns;

impl Command for PullRuns {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        drips::update_from_later_clock(tx)
    }
}

/// An older file lies in the panel's place: runs may have begun that it does not know of.
/// Says how many drip-feed orders were stopped.
pub(super) fn park(tx: &Tx<'_>, limit: i64) -> Result<i64> {
    let coming = drips::list_coming(tx, limit)?;
    for id in &coming {
        if let Some(drip) = drips::find(tx, *id)? {
            drips::update(tx, &Drip { next_at: None, hand: Some(Hand::Restored), ..drip })?;
        }
    }
    Ok(i64::try_from(coming.len()).unwrap_or(limit))
}
