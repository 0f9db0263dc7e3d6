//! Webhooks and what they tell: secrets are sealed, events are about what there is, and none waits
//! that nobody looks for.

use super::Report;
use crate::domain::event::{EventKind, EventState};
use crate::domain::order::PublicStatus;
use crate::domain::refill::RefillStatus;
use crate::store::value::params;
use crate::store::webhooks::SEALED_BYTES;
use crate::store::{Read, Result};

/// Secrets have the length of sealed ones; an endpoint is due when its next event is, or when its
/// pause is over.
pub(super) fn check_webhooks(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "SELECT user_id FROM webhooks
               WHERE length(secret_sealed) <> $1
                  OR length(coalesce(old_secret_sealed, secret_sealed)) <> $1
                  OR (old_secret_sealed IS NULL) <> (old_until IS NULL)
                  OR failures < 0 OR dropped < 0 OR url = ''";
    let length = i64::try_from(SEALED_BYTES).unwrap_or(i64::MAX);
    db.for_each(sql, params![length], |row| {
        let id: i64 = row.get(0)?;
        report.add("webhook", format!("the webhook of user {id} cannot be as it is"));
        Ok(())
    })?;
    let sql = "SELECT w.user_id FROM webhooks w
                 JOIN (SELECT user_id, min(due_at) AS due_at FROM events
                       WHERE due_at IS NOT NULL GROUP BY user_id) e ON e.user_id = w.user_id
               WHERE w.due_at IS NULL
                  OR (w.is_enabled = 1 AND w.due_at > e.due_at
                      AND w.due_at > coalesce(w.paused_until, 0))";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("webhook", format!("events of user {id} wait and nobody looks for them"));
        Ok(())
    })
}

/// Each event by itself, and against the order or the refill that it is about.
pub(super) fn check_events(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "SELECT id, kind, status, state, order_id, refill_id, net_charge_micros,
                      refunded_micros, remains, balance_micros, due_at, tries
               FROM events";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        let (kind, status): (String, String) = (row.get(1)?, row.get(2)?);
        let state: String = row.get(3)?;
        let mut is_set = Vec::with_capacity(6);
        for column in 4..10 {
            is_set.push(row.get::<Option<i64>>(column)?.is_some());
        }
        let fits = EventKind::from_stored(&kind).is_some_and(|kind| fits(kind, &status, &is_set));
        let (due_at, tries): (Option<i64>, i64) = (row.get(10)?, row.get(11)?);
        let is_due = EventState::from_stored(&state)
            .is_some_and(|state| (state == EventState::Waiting) == due_at.is_some());
        report.require(fits && is_due && tries >= 0, "event", || {
            format!("event {id} cannot be as it is")
        });
        Ok(())
    })?;
    let sql = "SELECT e.id FROM events e LEFT JOIN webhooks w ON w.user_id = e.user_id
                 LEFT JOIN orders o ON o.id = e.order_id LEFT JOIN refills r ON r.id = e.refill_id
               WHERE w.user_id IS NULL
                  OR (e.order_id IS NOT NULL AND o.user_id IS DISTINCT FROM e.user_id)
                  OR (e.refill_id IS NOT NULL AND r.order_id IS DISTINCT FROM e.order_id)";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("event", format!("event {id} is about nothing of its user"));
        Ok(())
    })
}

/// Whether an event of that kind has what it tells and nothing else: the order, the refill, the two
/// sums, what remains, the balance.
fn fits(kind: EventKind, status: &str, is_set: &[bool]) -> bool {
    let order = PublicStatus::from_stored(status);
    match kind {
        EventKind::OrderInProgress
        | EventKind::OrderCompleted
        | EventKind::OrderPartial
        | EventKind::OrderCanceled => {
            // Any other word would have been told as another kind.
            let told = order.and_then(|after| EventKind::of_order(PublicStatus::Pending, after));
            told == Some(kind) && is_set == [true, false, true, true, true, false]
        }
        EventKind::RefillCompleted | EventKind::RefillRejected => {
            let told = RefillStatus::from_stored(status).and_then(EventKind::of_refill);
            told == Some(kind) && is_set == [true, true, false, false, false, false]
        }
        EventKind::BalanceLow => {
            status.is_empty() && is_set == [false, false, false, false, false, true]
        }
    }
}
