//! What resellers with a webhook are told, written in the transaction of what it tells.
//!
//! Every move of an order goes through [`move_order`], every move of a refill through
//! [`move_refill`]. A user without a webhook costs one read of one row that is not there.

use crate::domain::event::{About, EventKind, Low, Webhook};
use crate::domain::money::Money;
use crate::domain::order::{Change, Order, PublicStatus};
use crate::domain::refill::{Refill, RefillStatus};
use crate::domain::{AccountId, UserId};
use crate::store::{Result, Tx, accounts, events, orders, refills, webhooks};

/// Writes a decided move of an order, and that it is to be told. Its postings are the caller's.
pub(super) fn move_order(tx: &Tx<'_>, order: &Order, change: &Change) -> Result<()> {
    orders::update_state(tx, order, change)?;
    if order.parent_of_run().is_some() {
        return Ok(()); // the order that has paid for it tells
    }
    let after = PublicStatus::of(change.status, change.shown);
    let Some(kind) = EventKind::of_order(order.public_status(), after) else { return Ok(()) };
    let Some(webhook) = webhooks::find_enabled(tx, order.user)? else { return Ok(()) };
    tell(tx, webhook, (kind, About::moved(order, change)))
}

/// Moves a refill, and writes that it is to be told.
pub(super) fn move_refill(tx: &Tx<'_>, refill: &Refill, status: RefillStatus) -> Result<()> {
    refills::update_status(tx, refill.id, status)?;
    let Some(kind) = EventKind::of_refill(status) else { return Ok(()) };
    match webhooks::find_enabled(tx, refill.user)? {
        Some(webhook) => tell(tx, webhook, (kind, About::refilled(refill, status))),
        None => Ok(()),
    }
}

/// A charge was taken from a user's account: a balance that is low now is to be told.
pub(super) fn charged(tx: &Tx<'_>, user: UserId, account: AccountId, charge: Money) -> Result<()> {
    let webhook = webhooks::find_enabled(tx, user)?.filter(|webhook| webhook.low.is_some());
    let Some(webhook) = webhook else { return Ok(()) };
    let after = accounts::balance(tx, account)?;
    let before = after.checked_add(charge).unwrap_or(after);
    match webhook.follow_balance(before, after) {
        Low::Same => Ok(()),
        Low::Above => webhooks::update(tx, &Webhook { is_low: false, ..webhook }),
        Low::Tell => {
            let webhook = Webhook { is_low: true, due_at: None, ..webhook };
            tell(tx, webhook, (EventKind::BalanceLow, About::Balance(after)))
        }
    }
}

/// Writes an event, and wakes who tells it.
fn tell(tx: &Tx<'_>, webhook: Webhook, (kind, about): (EventKind, About)) -> Result<()> {
    events::insert(tx, webhook.user, kind, &about)?;
    let due_at = webhook.may_tell(tx.now);
    match webhook.due_at {
        // What is due as early is told, and this after it, without another write.
        Some(earlier) if earlier <= due_at => Ok(()),
        Some(_) | None => webhooks::update(tx, &Webhook { due_at: Some(due_at), ..webhook }),
    }
}
