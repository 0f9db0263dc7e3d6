//! What providers are asked for besides orders, and what orders at providers leave behind when they
//! end.

use super::Report;
use crate::domain::delivery::Hand;
use crate::store::{Read, Result};

/// Each errand against its order, and against its refill if it is about one.
pub(super) fn check_errands(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let unfit = "SELECT e.id FROM errands e JOIN orders o ON o.id = e.order_id
                   LEFT JOIN refills r ON r.id = e.refill_id
                 WHERE o.provider_order_id IS NULL OR o.provider_id <> e.provider_id
                    OR (e.stage = 'held') <> (e.hand <> '')
                    OR CASE WHEN e.refill_id IS NULL
                       THEN o.status <> 'active' OR o.cancel_requested_at IS NULL
                       ELSE r.order_id IS DISTINCT FROM e.order_id
                            OR r.status NOT IN ('pending', 'in_progress')
                            OR (e.stage = 'asked' AND e.their_id IS NULL) END";
    db.for_each(unfit, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("errand", format!("errand {id} does not fit its order or its refill"));
        Ok(())
    })?;
    let missing = "SELECT d.order_id FROM deliveries d JOIN orders o ON o.id = d.order_id
                     LEFT JOIN errands e ON e.order_id = o.id AND e.refill_id IS NULL
                   WHERE d.stage = 'watch' AND o.cancel_requested_at IS NOT NULL
                     AND e.id IS NULL";
    db.for_each(missing, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("errand", format!("no provider is asked to cancel order {id}"));
        Ok(())
    })?;
    db.for_each("SELECT id, hand FROM errands WHERE hand <> ''", [], |row| {
        let (id, hand): (i64, String) = (row.get(0)?, row.get(1)?);
        let is_known = Hand::from_stored(&hand).is_some();
        report.require(is_known, "errand", || format!("errand {id} waits for an unknown hand"));
        Ok(())
    })
}

/// Costs of what has not ended, and paces that cannot be.
pub(super) fn check_finals(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let early = "SELECT s.id FROM submissions s JOIN orders o ON o.id = s.order_id
                 WHERE s.cost_micros IS NOT NULL
                   AND (s.state <> 'accepted' OR o.finished_at IS NULL)";
    db.for_each(early, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("cost", format!("submission {id} has cost something before its order ended"));
        Ok(())
    })?;
    let sql = "SELECT service_id FROM paces WHERE completed < 1 OR seconds < 0";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("pace", format!("service {id} cannot be that fast"));
        Ok(())
    })
}
