//! Sums that are kept so that no page has to count: each must be what counting gives.

use super::Report;
use crate::domain::figures::SLOT_SECONDS;
use crate::store::value::params;
use crate::store::{Read, Result};

/// How many orders there are of each status.
pub(super) fn check_counts(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "SELECT coalesce(o.status, c.public_status), coalesce(o.count, 0),
                      coalesce(c.count, 0)
               FROM (SELECT public_status AS status, count(*) AS count
                     FROM orders GROUP BY public_status) AS o
               FULL JOIN order_counts c ON c.public_status = o.status
               WHERE coalesce(o.count, 0) <> coalesce(c.count, 0)";
    db.for_each(sql, [], |row| {
        let (status, found, kept): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        report.add("count", format!("{found} orders are {status}, {kept} are counted"));
        Ok(())
    })
}

/// What happened in each slot.
pub(super) fn check_figures(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "WITH happened AS (
                 SELECT o.created_at, 1 AS orders, o.charge_micros AS charged, 0 AS captured,
                        0 AS refunded, 0 AS deposits, 0 AS cost
                 FROM orders o LEFT JOIN orders parent ON parent.id = o.parent_id
                 WHERE parent.runs IS NULL
                 UNION ALL
                 SELECT created_at, 0, 0, CASE kind WHEN 'capture' THEN amount_micros ELSE 0 END,
                        CASE kind WHEN 'refund' THEN amount_micros ELSE 0 END,
                        CASE kind WHEN 'deposit' THEN amount_micros ELSE 0 END, 0
                 FROM postings WHERE kind IN ('capture', 'refund', 'deposit')
                 UNION ALL
                 SELECT o.finished_at, 0, 0, 0, 0, 0, s.cost_micros
                 FROM submissions s JOIN orders o ON o.id = s.order_id
                 WHERE s.state = 'accepted' AND s.cost_micros > 0
                   AND o.finished_at IS NOT NULL),
               slots AS (
                 SELECT created_at - created_at % $1 AS slot_at, sum(orders) AS orders,
                        sum(charged) AS charged, sum(captured) AS captured,
                        sum(refunded) AS refunded, sum(deposits) AS deposits, sum(cost) AS cost
                 FROM happened GROUP BY created_at - created_at % $1)
               SELECT coalesce(s.slot_at, f.slot_at)
               FROM slots s FULL JOIN figures f ON f.slot_at = s.slot_at
               WHERE s.orders IS DISTINCT FROM f.orders
                  OR s.charged IS DISTINCT FROM f.charged_micros
                  OR s.captured IS DISTINCT FROM f.captured_micros
                  OR s.refunded IS DISTINCT FROM f.refunded_micros
                  OR s.deposits IS DISTINCT FROM f.deposit_micros
                  OR s.cost IS DISTINCT FROM f.cost_micros";
    db.for_each(sql, params![SLOT_SECONDS], |row| {
        let slot: i64 = row.get(0)?;
        report.add("figures", format!("the figures from {slot} on are not what happened"));
        Ok(())
    })
}
