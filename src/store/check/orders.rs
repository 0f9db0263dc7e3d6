//! Every order against its price, its postings and its status.

use super::Report;
use super::accounts::Ledger;
use crate::domain::ledger::PostingKind;
use crate::domain::link;
use crate::domain::money::Rate;
use crate::domain::order::OrderStatus;
use crate::domain::service::{Counted, ServiceKind};
use crate::store::value::Row;
use crate::store::{Read, Result};

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
    /// The text that its units are counted from, where the kind counts one.
    counted: Option<String>,
    /// Whether the key by which its link is found is the link's.
    has_key: bool,
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
/// Orders come with their postings beside them, a row for each posting, so that the file is walked
/// once and nothing is kept but the order at hand.
pub(super) fn check_orders(db: &Read<'_>, ledger: &Ledger, report: &mut Report) -> Result<i128> {
    let counted = |kind: &ServiceKind| {
        let input = kind.counting().input()?;
        Some(format!("WHEN '{}' THEN '{}' ", kind.as_str(), input.as_str()))
    };
    let counted: String = ServiceKind::ALL.iter().filter_map(counted).collect();
    // A run of a drip-feed costs nothing, its parent has paid; the posts of a subscription pay.
    let sql = format!(
        "SELECT o.id, o.user_id, o.quantity, o.units, o.runs, o.rate_micros,
                      o.charge_micros, o.refunded_micros, o.remains, o.finished_at IS NOT NULL,
                      parent.runs IS NOT NULL, o.kind, o.status,
                      p.kind, p.source_id, p.destination_id, p.amount_micros, i.value,
                      o.link, o.link_key
               FROM orders o LEFT JOIN orders parent ON parent.id = o.parent_id
               LEFT JOIN order_inputs i ON i.order_id = o.id AND i.name = CASE o.kind {counted} END
               LEFT JOIN postings p ON p.order_id = o.id ORDER BY o.id"
    );
    let mut open = 0;
    let mut at_hand: Option<(StoredOrder, Paid)> = None;
    db.for_each(&sql, [], |row| {
        let id: i64 = row.get(0)?;
        if at_hand.as_ref().is_none_or(|(order, _)| order.id != id) {
            let next = (StoredOrder::read(row)?, Paid::default());
            if let Some((order, paid)) = at_hand.replace(next) {
                open += order.check(&paid, ledger, report);
            }
        }
        match &mut at_hand {
            Some((_, paid)) => paid.add(row),
            None => Ok(()),
        }
    })?;
    if let Some((order, paid)) = at_hand {
        open += order.check(&paid, ledger, report);
    }
    Ok(open)
}

impl Paid {
    /// Adds the posting that the row has beside its order, if there is one.
    fn add(&mut self, row: &Row<'_>) -> Result<()> {
        let Some(kind) = row.get::<Option<String>>(13)? else { return Ok(()) };
        let (source, destination): (i64, i64) = (row.get(14)?, row.get(15)?);
        let amount = i128::from(row.get::<i64>(16)?);
        match PostingKind::from_stored(&kind) {
            Some(PostingKind::Charge) => {
                self.charge += amount;
                self.charges += 1;
                self.accounts.push(source);
            }
            Some(PostingKind::Refund) => {
                self.refund += amount;
                self.accounts.push(destination);
            }
            Some(PostingKind::Capture) => self.capture += amount,
            Some(PostingKind::Deposit | PostingKind::Adjustment | PostingKind::Goodwill) | None => {
            }
        }
        Ok(())
    }
}

impl StoredOrder {
    fn read(row: &Row<'_>) -> Result<Self> {
        let (kind, status): (String, String) = (row.get(11)?, row.get(12)?);
        Ok(Self {
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
            counted: row.get(17)?,
            has_key: row.get::<String>(19)? == link::key(&row.get::<String>(18)?),
        })
    }

    /// The order against all that was paid for it. Returns what of its charge is still open.
    fn check(&self, paid: &Paid, ledger: &Ledger, report: &mut Report) -> i128 {
        self.check_words(report);
        report.require(self.has_key, "link", || {
            format!("order {} is not found by its link", self.id)
        });
        self.check_price(report);
        self.check_paid(paid, ledger, report);
        self.check_settled(paid, report);
        if self.is_finished { 0 } else { i128::from(self.charge) }
    }

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
        let text = |_| self.counted.as_deref();
        let counted = kind.counting().count(self.quantity, self.runs.unwrap_or(1), text);
        let stored = Counted { quantity: self.quantity, units: self.units };
        report.require(counted == Some(stored), "units", || {
            format!("order {} is stored as {stored:?}, its fields come to {counted:?}", self.id)
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
        report.require(is_owners, "owner", || format!("order {id} moved another user's money"));
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
