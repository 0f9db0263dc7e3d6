//! Orders at providers: what still has to happen to one fits how it stands, and what was tried
//! fits both.

use super::Report;
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::{Ending, Hand};
use crate::domain::service::ServiceKind;
use crate::store::{Read, Result};

/// Each delivery against its order, and each order that must have one.
pub(super) fn check_stages(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let unfit = "SELECT d.order_id FROM deliveries d JOIN orders o ON o.id = d.order_id
                 WHERE NOT CASE d.stage
                   WHEN 'send' THEN o.status = 'pending' AND (d.due_at > 0 OR d.tries = 0)
                   WHEN 'held' THEN o.status = 'pending' AND d.hand <> ''
                   WHEN 'call' THEN o.status = 'sending' AND d.hand = ''
                                    OR o.status = 'unknown' AND d.hand <> ''
                   WHEN 'last' THEN o.finished_at IS NOT NULL
                   ELSE o.status = 'active' AND o.provider_order_id IS NOT NULL END
                   OR d.due_at < 0 OR d.due_at = 0 AND d.stage <> 'send'";
    db.for_each(unfit, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("delivery", format!("what is to happen to order {id} does not fit it"));
        Ok(())
    })?;
    let orphaned = "SELECT d.order_id FROM deliveries d LEFT JOIN orders o ON o.id = d.order_id
                    LEFT JOIN providers p ON p.id = d.provider_id
                    WHERE o.id IS NULL OR p.id IS NULL";
    db.for_each(orphaned, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("delivery", format!("order {id} or its provider does not exist"));
        Ok(())
    })?;
    let missing = "SELECT o.id FROM orders o LEFT JOIN deliveries d ON d.order_id = o.id
                   WHERE d.order_id IS NULL
                     AND (o.status = 'sending' OR o.status = 'unknown'
                          OR o.status = 'active' AND o.provider_order_id IS NOT NULL)";
    db.for_each(missing, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("delivery", format!("order {id} is at a provider and nobody looks at it"));
        Ok(())
    })
}

/// Each live attempt against the delivery of its order.
pub(super) fn check_attempts(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let elsewhere = "SELECT s.order_id FROM submissions s JOIN deliveries d
                       ON d.order_id = s.order_id
                     WHERE s.state IN ('sending', 'unknown', 'accepted')
                       AND (s.provider_id <> d.provider_id OR s.place <> d.place)";
    db.for_each(elsewhere, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("delivery", format!("order {id} was sent elsewhere than it is looked for"));
        Ok(())
    })?;
    let ended = "SELECT id FROM submissions
                 WHERE (ended_at IS NULL) <> (state IN ('sending', 'unknown', 'accepted'))";
    db.for_each(ended, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("submission", format!("submission {id} has ended, or has not"));
        Ok(())
    })
}

/// Words that no CHECK knows, and keys that cannot be ones.
pub(super) fn check_words(db: &Read<'_>, report: &mut Report) -> Result<()> {
    db.for_each("SELECT order_id, hand FROM deliveries WHERE hand <> ''", [], |row| {
        let (id, hand): (i64, String) = (row.get(0)?, row.get(1)?);
        let is_known = Hand::from_stored(&hand).is_some();
        report.require(is_known, "delivery", || format!("order {id} waits for an unknown hand"));
        Ok(())
    })?;
    db.for_each("SELECT id, family FROM submissions WHERE family <> ''", [], |row| {
        let (id, family): (i64, String) = (row.get(0)?, row.get(1)?);
        let is_known = Ending::from_stored(&family).is_some();
        report.require(is_known, "submission", || format!("submission {id} ended unknowably"));
        Ok(())
    })?;
    db.for_each("SELECT id, kind FROM conditions", [], |row| {
        let (id, kind): (i64, String) = (row.get(0)?, row.get(1)?);
        let is_known = ConditionKind::from_stored(&kind).is_some();
        report.require(is_known, "condition", || format!("condition {id} is of no known kind"));
        Ok(())
    })?;
    db.for_each("SELECT provider_id, provider_service, kind FROM offers", [], |row| {
        let (provider, service, kind): (i64, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_known = ServiceKind::from_stored(&kind).is_some();
        report.require(is_known, "offer", || {
            format!("offer {service} of provider {provider} is of no known kind")
        });
        Ok(())
    })?;
    check_keys(db, report)
}

/// A sealed key has a nonce of 24 bytes, a tag of 16, and something between.
fn check_keys(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "SELECT id FROM providers WHERE length(key_sealed) <= 40";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("provider", format!("provider {id} has no sealed key"));
        Ok(())
    })?;
    let sql = "SELECT s.id FROM services s LEFT JOIN pricings p ON p.service_id = s.id
               WHERE s.provider_id IS NOT NULL AND p.service_id IS NULL";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("pricing", format!("service {id} has a provider and no pricing"));
        Ok(())
    })
}
