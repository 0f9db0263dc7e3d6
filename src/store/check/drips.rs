//! Drip-feed orders against their runs: what has begun, what is to come, and what is delivered.

use super::Report;
use crate::domain::delivery::Hand;
use crate::store::{Read, Result};

/// Each drip-feed order against its runs, all of them walked once.
pub(super) fn check_drips(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "SELECT d.order_id, d.hand, o.runs, d.started, d.next_at IS NOT NULL,
                      o.finished_at IS NOT NULL, o.units - o.remains, coalesce(run.begun, 0),
                      coalesce(run.delivered, 0), coalesce(run.open, 0), o.status = 'pending'
               FROM drips d JOIN orders o ON o.id = d.order_id
               LEFT JOIN (SELECT parent_id, count(*) AS begun,
                                 CAST(sum(CASE status WHEN 'canceled' THEN 0
                                          ELSE units - remains END) AS BIGINT) AS delivered,
                                 count(*) - count(finished_at) AS open
                          FROM orders WHERE parent_id IS NOT NULL
                          GROUP BY parent_id) AS run ON run.parent_id = d.order_id";
    db.for_each(sql, [], |row| {
        let (id, hand): (i64, String) = (row.get(0)?, row.get(1)?);
        let (runs, started): (Option<i64>, i64) = (row.get(2)?, row.get(3)?);
        let (is_to_come, is_finished): (bool, bool) = (row.get(4)?, row.get(5)?);
        let (delivered, begun): (i64, i64) = (row.get(6)?, row.get(7)?);
        let (of_runs, open): (i64, i64) = (row.get(8)?, row.get(9)?);
        let is_pending: bool = row.get(10)?;
        let mut require = |holds: bool, text: &str| {
            report.require(holds, "drip", || format!("of drip-feed order {id} {text}"));
        };
        require(runs.is_some(), "there are no runs");
        require(started == begun, "other runs have begun than are counted");
        let most = if is_to_come { started + 1 } else { started };
        require(runs.is_none_or(|runs| most <= runs), "more runs begin than were bought");
        require(delivered == of_runs, "more or less is delivered than by its runs");
        let goes_on = is_to_come || !hand.is_empty() || open > 0;
        require(is_finished != goes_on, "the end is not that of its runs");
        require(is_pending == (started == 0 && !is_finished), "the status does not fit its runs");
        require(hand.is_empty() || Hand::from_stored(&hand).is_some(), "the hand is unknown");
        Ok(())
    })?;
    let elsewhere = "SELECT o.id FROM orders o JOIN orders parent ON parent.id = o.parent_id
                     WHERE parent.user_id <> o.user_id OR parent.parent_id IS NOT NULL
                        OR parent.runs IS NULL AND parent.kind <> 'subscriptions'";
    db.for_each(elsewhere, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("part", format!("order {id} is no part of the order that it names"));
        Ok(())
    })
}
