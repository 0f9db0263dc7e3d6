//! The books' own auditor: everything that must be true and that no constraint can express.
//!
//! [`check_file`] reads the whole file once, row by row, and trusts none of it: not the guards, not
//! the cached sums, not that words are known ones, not even that it can be read. An empty answer
//! means sound. [`quick`] is the part that is cheap enough for every start.

mod accounts;
mod deliveries;
mod drips;
mod errands;
mod file;
mod guards;
mod orders;
mod sums;
mod webhooks;

use std::fmt;
use std::path::Path;

use super::conn::Conn;
use super::moment;
use super::pg::Wire;
use super::place::Place;
use super::value::params;
use super::{Error, Read, Result, schema};
use crate::domain::ledger::ESCROW;

const FINDINGS_MAX: usize = 100;

/// Something that is wrong: which rule is broken, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule, in a word.
    pub rule: &'static str,
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
}

/// Findings as lines of text.
pub fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("  {finding}\n")).collect()
}

/// What has been found so far. It stops counting at [`FINDINGS_MAX`].
#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, rule: &'static str, text: String) {
        if self.0.len() < FINDINGS_MAX {
            self.0.push(Finding { rule, text });
        }
    }

    /// Adds a finding where the rule does not hold.
    fn require(&mut self, holds: bool, rule: &'static str, text: impl FnOnce() -> String) {
        if !holds {
            self.add(rule, text());
        }
    }
}

/// Everything that is wrong with a file of today's schema, a backup too.
///
/// # Errors
/// A file that is missing or unreadable. What is wrong in it is found, never an error.
pub fn check_file(path: &Path) -> Result<Vec<Finding>> {
    let conn = Conn::Lite(schema::open_reader(path)?);
    moment::read_untrusted(&conn, run)
}

/// Everything that is wrong with a panel, wherever it lives.
///
/// # Errors
/// As [`check_file`]; a server that cannot be reached.
pub fn check_place(place: &Place) -> Result<Vec<Finding>> {
    match place {
        Place::File(path) => check_file(path),
        Place::Server(dsn) => {
            let wire = Wire::connect(dsn)?;
            wire.be_patient()?;
            let mut findings = moment::read_untrusted(&Conn::Pg(wire), run)?;
            findings.extend(guards::check(dsn)?);
            findings.truncate(FINDINGS_MAX);
            Ok(findings)
        }
    }
}

/// Everything that is wrong with what the transaction that is open sees.
pub(super) fn check_here(db: &Read<'_>) -> Result<Vec<Finding>> {
    let mut findings = run(db)?;
    if let Some(wire) = db.wire() {
        findings.extend(guards::check_here(wire)?);
    }
    findings.truncate(FINDINGS_MAX);
    Ok(findings)
}

/// Everything that is wrong with the file.
///
/// # Errors
/// Only where the file is missing or unreadable. What is in it and cannot be read is a finding.
fn run(db: &Read<'_>) -> Result<Vec<Finding>> {
    let parts: [fn(&Read<'_>, &mut Report) -> Result<()>; 18] = [
        file::check_pages,
        file::check_references,
        file::check_schema,
        file::check_words,
        check_books,
        accounts::check_bounds,
        check_submissions,
        deliveries::check_stages,
        deliveries::check_attempts,
        deliveries::check_words,
        drips::check_drips,
        check_refills,
        errands::check_errands,
        errands::check_finals,
        sums::check_counts,
        sums::check_figures,
        webhooks::check_webhooks,
        webhooks::check_events,
    ];
    let mut report = Report::default();
    for check in parts {
        match db.apart(|db| check(db, &mut report)) {
            Err(Error::Storage(fault)) => report.add("file", fault.text().to_owned()),
            done => done?,
        }
    }
    Ok(report.0)
}

/// Every account, every posting and every order, each against the others.
fn check_books(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let mut ledger = accounts::Ledger::load(db, report)?;
    ledger.check_postings(db, report)?;
    ledger.check_balances(report);
    let open = orders::check_orders(db, &ledger, report)?;
    check_escrow(db, open, report)
}

/// What a start can afford: the sum of all balances, the floors, and the escrow.
pub fn quick(db: &Read<'_>) -> Result<Vec<Finding>> {
    let mut report = Report::default();
    accounts::Ledger::load(db, &mut report)?.check_floors(&mut report);
    let mut open = 0;
    db.for_each("SELECT charge_micros FROM orders WHERE finished_at IS NULL", [], |row| {
        open += i128::from(row.get::<i64>(0)?);
        Ok(())
    })?;
    check_escrow(db, open, &mut report)?;
    Ok(report.0)
}

/// What waits in escrow is what open orders were charged.
fn check_escrow(db: &Read<'_>, open: i128, report: &mut Report) -> Result<()> {
    let sql = "SELECT balance_micros FROM accounts WHERE id = $1";
    let escrow: Option<i64> = db.find(sql, params![ESCROW], |row| row.get(0))?;
    let escrow = escrow.unwrap_or(0);
    report.require(i128::from(escrow) == open, "escrow", || {
        format!("escrow holds {escrow}, open orders were charged {open}")
    });
    Ok(())
}

/// At most one live submission per order, and in agreement with the order.
fn check_submissions(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let twice = "SELECT order_id FROM submissions WHERE state IN ('sending', 'unknown', 'accepted')
                 GROUP BY order_id HAVING count(*) > 1";
    db.for_each(twice, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("submission", format!("order {id} has two live submissions"));
        Ok(())
    })?;
    let disagree = "SELECT o.id FROM orders o LEFT JOIN submissions s
                      ON s.order_id = o.id AND s.state IN ('sending', 'unknown', 'accepted')
                    WHERE CASE coalesce(s.state, 'none')
                      WHEN 'none' THEN o.status IN ('sending', 'unknown')
                                       OR o.provider_order_id IS NOT NULL
                      WHEN 'accepted' THEN o.status IN ('pending', 'sending', 'unknown')
                                           OR o.provider_order_id IS NULL
                                           OR o.provider_id IS DISTINCT FROM s.provider_id
                      ELSE o.status <> s.state OR o.provider_order_id IS NOT NULL END";
    db.for_each(disagree, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("submission", format!("order {id} disagrees with its submission"));
        Ok(())
    })?;
    let shared = "SELECT min(id), count(*) FROM orders WHERE provider_order_id IS NOT NULL
                  GROUP BY provider_id, provider_order_id HAVING count(*) > 1";
    db.for_each(shared, [], |row| {
        let (id, count): (i64, i64) = (row.get(0)?, row.get(1)?);
        report.add("provider", format!("order {id} and {} more are one upstream", count - 1));
        Ok(())
    })
}

/// At most one open refill per order, and only of what was completed, for who bought it.
fn check_refills(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let sql = "SELECT r.id FROM refills r JOIN orders o ON o.id = r.order_id
               WHERE o.status <> 'completed' OR o.user_id <> r.user_id
                  OR r.status NOT IN ('pending', 'in_progress', 'completed', 'rejected', 'error')";
    db.for_each(sql, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("refill", format!("refill {id} does not fit its order"));
        Ok(())
    })?;
    let twice = "SELECT order_id FROM refills WHERE status IN ('pending', 'in_progress')
                 GROUP BY order_id HAVING count(*) > 1";
    db.for_each(twice, [], |row| {
        let id: i64 = row.get(0)?;
        report.add("refill", format!("order {id} has two open refills"));
        Ok(())
    })
}
