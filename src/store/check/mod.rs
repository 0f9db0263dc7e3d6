//! The books' own auditor: everything that must be true and that no constraint can express.
//!
//! [`run`] reads the whole file once, row by row, and trusts none of it: not the guards, not the
//! cached sums, not that words are known ones, not even that it can be read. An empty answer means
//! sound. [`quick`] is the part that is cheap enough for every start.

mod file;
mod sums;

use std::collections::HashMap;
use std::fmt;

use super::tx::{Row, params};
use super::{Error, Read, Result};
use crate::domain::ledger::{AccountKind, ESCROW, EXTERNAL, HOUSE, PostingKind, REVENUE};
use crate::domain::money::Rate;
use crate::domain::order::OrderStatus;
use crate::domain::service::{Counting, ServiceKind};

const FINDINGS_MAX: usize = 100;

/// Something that is wrong: which rule is broken, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule, in a word.
    pub rule: &'static str,
    /// What was found.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
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

/// Everything that is wrong with the file.
///
/// # Errors
/// Only where the file cannot be had at all. What is in it and cannot be read is a finding.
pub fn run(db: &Read<'_>) -> Result<Vec<Finding>> {
    let parts: [fn(&Read<'_>, &mut Report) -> Result<()>; 9] = [
        file::check_pages,
        file::check_references,
        file::check_schema,
        file::check_words,
        check_books,
        check_submissions,
        check_refills,
        sums::check_counts,
        sums::check_figures,
    ];
    let mut report = Report::default();
    for check in parts {
        match check(db, &mut report) {
            Err(Error::Storage(fault)) => report.add("file", fault.text.to_string()),
            done => done?,
        }
    }
    Ok(report.0)
}

/// Every account, every posting and every order, each against the others.
fn check_books(db: &Read<'_>, report: &mut Report) -> Result<()> {
    let mut ledger = Ledger::load(db, report)?;
    ledger.check_postings(db, report)?;
    ledger.check_balances(report);
    let open = check_orders(db, &ledger, report)?;
    check_escrow(db, open, report)
}

/// What a start can afford: the sum of all balances, the floors, and the escrow.
pub fn quick(db: &Read<'_>) -> Result<Vec<Finding>> {
    let mut report = Report::default();
    Ledger::load(db, &mut report)?.check_floors(&mut report);
    let mut open = 0;
    db.for_each("SELECT charge_micros FROM orders WHERE finished_at IS NULL", [], |row| {
        open += i128::from(row.get::<_, i64>(0)?);
        Ok(())
    })?;
    check_escrow(db, open, &mut report)?;
    Ok(report.0)
}

/// One account: as it is stored, and as the postings say.
struct Account {
    kind: Option<AccountKind>,
    stored: i64,
    credit_limit: i64,
    user: Option<i64>,
    derived: i128,
}

/// All accounts by id.
struct Ledger(HashMap<i64, Account>);

impl Ledger {
    fn load(db: &Read<'_>, report: &mut Report) -> Result<Self> {
        let mut accounts = HashMap::new();
        let sql = "SELECT a.id, a.kind, a.balance_micros, a.credit_limit_micros, u.id
                   FROM accounts a LEFT JOIN users u ON u.account_id = a.id";
        db.for_each(sql, [], |row| {
            let id: i64 = row.get(0)?;
            let kind: String = row.get(1)?;
            let user: Option<i64> = row.get(4)?;
            let kind = AccountKind::from_stored(&kind);
            let is_owned_right = match kind {
                Some(AccountKind::External) => id == EXTERNAL.0 && user.is_none(),
                Some(AccountKind::Escrow) => id == ESCROW.0 && user.is_none(),
                Some(AccountKind::Revenue) => id == REVENUE.0 && user.is_none(),
                Some(AccountKind::User) => user.is_some(),
                None => false,
            };
            report.require(is_owned_right, "account", || format!("account {id} has no owner"));
            let (stored, credit_limit) = (row.get(2)?, row.get(3)?);
            let account = Account { kind, stored, credit_limit, user, derived: 0 };
            if accounts.insert(id, account).is_some() {
                report.add("account", format!("account {id} belongs to two users"));
            }
            Ok(())
        })?;
        for house in HOUSE {
            let is_there = accounts.contains_key(&house.0);
            report.require(is_there, "account", || format!("account {house} is missing"));
        }
        Ok(Self(accounts))
    }

    /// Every posting by itself, and the balances running through them.
    fn check_postings(&mut self, db: &Read<'_>, report: &mut Report) -> Result<()> {
        let sql = "SELECT id, kind, source_id, destination_id, amount_micros,
                          source_balance_micros, destination_balance_micros, user_id, order_id
                   FROM postings ORDER BY id";
        db.for_each(sql, [], |row| self.check_posting(row, report))
    }

    fn check_posting(&mut self, row: &Row<'_>, report: &mut Report) -> Result<()> {
        let id: i64 = row.get(0)?;
        let kind: String = row.get(1)?;
        let (source, destination, amount): (i64, i64, i64) =
            (row.get(2)?, row.get(3)?, row.get(4)?);
        let after: [i64; 2] = [row.get(5)?, row.get(6)?];
        let (user, order): (Option<i64>, Option<i64>) = (row.get(7)?, row.get(8)?);

        report.require(amount > 0, "amount", || format!("posting {id} moves {amount}"));
        let kinds =
            [source, destination].map(|id| self.0.get(&id).and_then(|account| account.kind));
        let kind = PostingKind::from_stored(&kind);
        let joins = match (kind, kinds) {
            (Some(kind), [Some(source), Some(destination)]) => kind.joins(source, destination),
            _ => false,
        };
        report.require(joins, "posting", || format!("posting {id} joins the wrong accounts"));
        let owner = [source, destination].iter().find_map(|id| self.0.get(id)?.user);
        report.require(owner == user, "posting", || format!("posting {id} names the wrong user"));
        let pays_order =
            matches!(kind, Some(PostingKind::Charge | PostingKind::Capture | PostingKind::Refund));
        let is_named = !pays_order || order.is_some();
        report.require(is_named, "posting", || format!("posting {id} names no order"));

        let moves = [(source, -i128::from(amount)), (destination, i128::from(amount))];
        for ((id_moved, change), after) in moves.into_iter().zip(after) {
            let Some(account) = self.0.get_mut(&id_moved) else { continue };
            account.derived += change;
            let holds = account.derived == i128::from(after);
            report.require(holds, "chain", || {
                format!("after posting {id}, account {id_moved} is said to hold {after}")
            });
            account.derived = i128::from(after); // one broken link is one finding
        }
        Ok(())
    }

    /// What is stored is what the postings say, nothing is below its floor, and nothing is lost.
    fn check_balances(&self, report: &mut Report) {
        for (id, account) in &self.0 {
            let holds = account.derived == i128::from(account.stored);
            report.require(holds, "balance", || {
                format!(
                    "account {id} holds {}, its postings say {}",
                    account.stored, account.derived
                )
            });
        }
        self.check_floors(report);
    }

    fn check_floors(&self, report: &mut Report) {
        for (id, account) in &self.0 {
            let floor = match account.kind {
                Some(AccountKind::User) => -i128::from(account.credit_limit),
                Some(AccountKind::Escrow) => 0,
                Some(AccountKind::External | AccountKind::Revenue) | None => i128::MIN,
            };
            let holds = i128::from(account.stored) >= floor;
            report.require(holds, "floor", || format!("account {id} holds {}", account.stored));
        }
        let sum: i128 = self.0.values().map(|account| i128::from(account.stored)).sum();
        report.require(sum == 0, "sum", || format!("all balances together are {sum}, not 0"));
    }

    /// The account of a user.
    fn account_of(&self, user: i64) -> Option<i64> {
        // A user's account follows him in the table, so this is nearly always the first try.
        let is_his = |id: &i64| self.0.get(id).is_some_and(|account| account.user == Some(user));
        let likely = user + REVENUE.0;
        if is_his(&likely) {
            return Some(likely);
        }
        self.0.keys().copied().find(|id| is_his(id))
    }
}

/// An order as it is stored, its words not yet trusted.
struct StoredOrder {
    id: i64,
    user: i64,
    quantity: i64,
    units: i64,
    runs: Option<i64>,
    rate: i64,
    charge: i64,
    refunded: i64,
    remains: i64,
    is_finished: bool,
    is_run: bool,
    kind: Option<ServiceKind>,
    status: Option<OrderStatus>,
}

/// What the postings of one order add up to.
#[derive(Default)]
struct Paid {
    charge: i128,
    capture: i128,
    refund: i128,
    charges: u32,
    accounts: Vec<i64>,
}

/// Every order against its price, its postings and its status. Returns the charges still open.
fn check_orders(db: &Read<'_>, ledger: &Ledger, report: &mut Report) -> Result<i128> {
    let mut open = 0;
    // A run of a drip-feed costs nothing, its parent has paid; the posts of a subscription pay.
    let sql = "SELECT o.id, o.user_id, o.quantity, o.units, o.runs, o.rate_micros,
                      o.charge_micros, o.refunded_micros, o.remains, o.finished_at IS NOT NULL,
                      p.runs IS NOT NULL, o.kind, o.status
               FROM orders o LEFT JOIN orders p ON p.id = o.parent_id ORDER BY o.id";
    db.for_each(sql, [], |row| {
        let (kind, status): (String, String) = (row.get(11)?, row.get(12)?);
        let order = StoredOrder {
            id: row.get(0)?,
            user: row.get(1)?,
            quantity: row.get(2)?,
            units: row.get(3)?,
            runs: row.get(4)?,
            rate: row.get(5)?,
            charge: row.get(6)?,
            refunded: row.get(7)?,
            remains: row.get(8)?,
            is_finished: row.get(9)?,
            is_run: row.get(10)?,
            kind: ServiceKind::from_stored(&kind),
            status: OrderStatus::from_stored(&status),
        };
        let paid = paid(db, order.id)?;
        order.check_words(report);
        order.check_price(report);
        order.check_paid(&paid, ledger, report);
        order.check_settled(&paid, report);
        if !order.is_finished {
            open += i128::from(order.charge);
        }
        Ok(())
    })?;
    Ok(open)
}

fn paid(db: &Read<'_>, order: i64) -> Result<Paid> {
    let mut paid = Paid::default();
    let sql = "SELECT kind, source_id, destination_id, amount_micros
               FROM postings WHERE order_id = $1";
    let rows = db.list(sql, params![order], |row| {
        let kind: String = row.get(0)?;
        Ok((PostingKind::from_stored(&kind), row.get(1)?, row.get(2)?, row.get::<_, i64>(3)?))
    })?;
    for (kind, source, destination, amount) in rows {
        let amount = i128::from(amount);
        match kind {
            Some(PostingKind::Charge) => {
                paid.charge += amount;
                paid.charges += 1;
                paid.accounts.push(source);
            }
            Some(PostingKind::Refund) => {
                paid.refund += amount;
                paid.accounts.push(destination);
            }
            Some(PostingKind::Capture) => paid.capture += amount,
            Some(PostingKind::Deposit | PostingKind::Adjustment | PostingKind::Goodwill) | None => {
            }
        }
    }
    Ok(paid)
}

impl StoredOrder {
    fn check_words(&self, report: &mut Report) {
        let id = self.id;
        let are_known = self.kind.is_some() && self.status.is_some();
        report.require(are_known, "order", || format!("order {id} has a word nobody knows"));
        let is_final = self.status.is_some_and(OrderStatus::is_final);
        let agree = is_final == self.is_finished;
        report.require(agree, "order", || format!("order {id} ended, but its status did not"));
        let remains = match self.status {
            Some(OrderStatus::Completed) => self.remains == 0,
            Some(OrderStatus::Partial) => 0 < self.remains && self.remains < self.units,
            _ => (0..=self.units).contains(&self.remains),
        };
        report.require(remains, "remains", || {
            format!("of order {id}'s {} units {} remain", self.units, self.remains)
        });
    }

    /// The charge is what rate and units come to, and the units are what was asked for.
    fn check_price(&self, report: &mut Report) {
        let Some(kind) = self.kind else { return };
        let units = match kind.counting() {
            Counting::Quantity => self.quantity.checked_mul(self.runs.unwrap_or(1)),
            Counting::Lines(_) => Some(self.quantity),
            Counting::Piece => Some(1),
            Counting::Posts => Some(0),
        };
        report.require(units == Some(self.units), "units", || {
            format!("order {} counts {} units for {}", self.id, self.units, self.quantity)
        });
        let price = if self.is_run { Some(0) } else { self.price_of(self.units) };
        report.require(price == Some(self.charge), "price", || {
            format!("order {} was charged {}", self.id, self.charge)
        });
    }

    fn price_of(&self, units: i64) -> Option<i64> {
        let rate = Rate::from_micros(self.rate);
        rate.charge(units, self.kind?.per()).map(|charge| charge.micros())
    }

    /// Charged once, from and back to its owner's account.
    fn check_paid(&self, paid: &Paid, ledger: &Ledger, report: &mut Report) {
        let id = self.id;
        let is_once = paid.charge == i128::from(self.charge) && paid.charges <= 1;
        report.require(is_once, "charge", || {
            format!("order {id} costs {} and was charged {}", self.charge, paid.charge)
        });
        let own = ledger.account_of(self.user);
        let is_owners = paid.accounts.iter().all(|account| Some(*account) == own);
        report.require(is_owners, "account", || format!("order {id} moved another user's money"));
    }

    /// Open orders keep their money in escrow; final ones have none left there, and what was kept
    /// is what the delivery comes to.
    fn check_settled(&self, paid: &Paid, report: &mut Report) {
        let (id, charge) = (self.id, i128::from(self.charge));
        let refund_agrees = paid.refund == i128::from(self.refunded);
        report.require(refund_agrees, "refund", || {
            format!("order {id} says {} was refunded, its postings {}", self.refunded, paid.refund)
        });
        let is_bounded = paid.refund + paid.capture <= paid.charge;
        report.require(is_bounded, "settled", || format!("order {id} paid out more than it took"));
        if !self.is_finished {
            let is_untouched = paid.refund == 0 && paid.capture == 0;
            report.require(is_untouched, "settled", || format!("order {id} is open, yet settled"));
            return;
        }
        let is_empty = paid.refund + paid.capture == charge;
        report.require(is_empty, "settled", || format!("order {id} ended, yet is not settled"));
        let kept = match self.status {
            Some(OrderStatus::Completed) => Some(charge),
            Some(OrderStatus::Canceled) => Some(0),
            Some(OrderStatus::Partial) => {
                self.price_of(self.units - self.remains).map(|kept| i128::from(kept).min(charge))
            }
            _ => None,
        };
        report.require(kept == Some(paid.capture), "kept", || {
            format!("of order {id} {} was kept", paid.capture)
        });
    }
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
                                           OR o.provider_id IS NOT s.provider_id
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
