//! What a provider reports of an order that it has, and what the order becomes by that.
//!
//! | their word | the order | its money |
//! |---|---|---|
//! | pending, processing, in progress | is shown with that word, also backwards | waits |
//! | completed | Completed | earned |
//! | partial, with 0 < remains < units | Partial | the rest goes back |
//! | partial, nothing delivered · canceled | Canceled | goes back |
//! | partial otherwise, and any other word | waits for a person | waits |

use super::delivery::{Hand, Submission};
use super::money::Money;
use super::order::{Change, Order, OrderStatus, Shown};
use super::provider::Terms;
use super::service::Counting;

const HOUR: i64 = 3600;
/// More than anybody could be charged for one order, in micros.
const CHARGE_MAX: i64 = 1_000_000_000_000_000;

/// What a provider says of an order. What it did not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Their word for its status.
    pub word: String,
    pub remains: Option<i64>,
    pub start_count: Option<i64>,
    /// What it costs us, in `currency`.
    pub charge: Option<Money>,
    /// Theirs, where it is not said.
    pub currency: Option<String>,
}

/// What a report means for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing has changed.
    Same,
    Moved(Change),
    /// It cannot be read for sure: nothing moves, and a person looks.
    Unclear(Hand),
}

/// What a report says of the cost of an order, in our money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charged {
    Said(Money),
    NotSaid,
    /// It is in another currency than the provider's, so nothing follows from it.
    OtherCurrency,
}

/// What a provider's word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Runs(Shown),
    Completed,
    Partial,
    Canceled,
    /// Also "fail", which honest panels say of orders that run.
    Unknown,
}

impl Meaning {
    /// Reads a word in any case, with or without blanks, `_` and `-`.
    fn of(word: &str) -> Self {
        let word = word.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-'));
        let word: String = word.flat_map(char::to_lowercase).collect();
        match word.as_str() {
            "pending" | "queued" | "awaiting" | "waiting" | "new" | "submitted" => {
                Self::Runs(Shown::Pending)
            }
            "processing" | "preparing" | "moderation" | "onhold" => Self::Runs(Shown::Processing),
            "inprogress" | "active" | "running" | "started" => Self::Runs(Shown::InProgress),
            "completed" | "complete" | "success" | "done" | "finished" | "delivered" => {
                Self::Completed
            }
            "partial" | "partialcompleted" | "partiallycomplete" => Self::Partial,
            "canceled" | "cancelled" | "cancel" | "refunded" | "refund" | "rejected"
            | "declined" => Self::Canceled,
            _ => Self::Unknown,
        }
    }
}

/// Whether a provider speaks of the currency that was set up for it.
pub fn is_same_currency(theirs: &str, terms: &Terms) -> bool {
    theirs.trim().eq_ignore_ascii_case(&terms.currency)
}

impl Report {
    /// What it says of the cost. A part of a micro counts as a whole one.
    pub fn charged(&self, terms: &Terms) -> Charged {
        let Some(charge) = self.charge.filter(|charge| charge.micros() >= 0) else {
            return Charged::NotSaid;
        };
        if let Some(currency) = &self.currency
            && !is_same_currency(currency, terms)
        {
            return Charged::OtherCurrency;
        }
        let ours = terms.exchange.money(charge).filter(|ours| ours.micros() <= CHARGE_MAX);
        ours.map_or(Charged::NotSaid, Charged::Said)
    }
}

impl Order {
    /// What a report means for an order that is at the provider, so many seconds after it was
    /// bought. For an order that has ended it means nothing.
    pub fn report(&self, report: &Report, age_seconds: i64) -> Reading {
        if self.status != OrderStatus::Active {
            return Reading::Same;
        }
        let start_count = self.counted_from(report.start_count, age_seconds);
        let remains = report.remains.map_or(self.remains, |said| said.clamp(0, self.units));
        let end = |change| Reading::Moved(Change { start_count, ..change });
        match Meaning::of(&report.word) {
            Meaning::Unknown => Reading::Unclear(Hand::Word),
            Meaning::Completed => end(self.settle(OrderStatus::Completed, 0, self.charge)),
            Meaning::Canceled => end(self.settle(OrderStatus::Canceled, remains, Money::ZERO)),
            Meaning::Partial if self.is_untouched(report) => {
                end(self.settle(OrderStatus::Canceled, self.units, Money::ZERO))
            }
            Meaning::Partial => match self.end_short(report.remains) {
                Ok(change) => end(change),
                Err(_) => Reading::Unclear(Hand::Partial),
            },
            Meaning::Runs(shown) => {
                let is_same =
                    (shown, start_count, remains) == (self.shown, self.start_count, self.remains);
                if is_same {
                    return Reading::Same;
                }
                let status = OrderStatus::Active;
                Reading::Moved(Change { status, shown, start_count, remains, settlement: None })
            }
        }
    }

    /// What a report means for a subscription at the provider. It is charged nothing, so its end
    /// moves no money: its posts are orders of their own.
    pub fn report_subscription(&self, report: &Report) -> Reading {
        if self.status != OrderStatus::Active {
            return Reading::Same;
        }
        let ended = |status| Reading::Moved(self.settle(status, 0, Money::ZERO));
        let shown = match Meaning::of(&report.word) {
            Meaning::Completed => return ended(OrderStatus::Completed),
            Meaning::Canceled => return ended(OrderStatus::Canceled),
            Meaning::Runs(shown) => shown,
            Meaning::Partial | Meaning::Unknown => {
                match report.word.trim().to_lowercase().as_str() {
                    "expired" => return ended(OrderStatus::Completed),
                    "paused" => Shown::Processing,
                    _ => return Reading::Unclear(Hand::Word),
                }
            }
        };
        if shown == self.shown {
            return Reading::Same;
        }
        let (status, start_count) = (OrderStatus::Active, self.start_count);
        Reading::Moved(Change { status, shown, start_count, remains: 0, settlement: None })
    }

    /// Whether a provider says something else of an order than how it has ended. A word that nobody
    /// knows says nothing.
    pub fn is_contradicted(&self, report: &Report) -> bool {
        match (Meaning::of(&report.word), self.status) {
            (Meaning::Unknown, _) => false,
            (Meaning::Completed, status) => status != OrderStatus::Completed,
            (Meaning::Canceled, status) => status != OrderStatus::Canceled,
            (Meaning::Partial, OrderStatus::Partial) => {
                report.remains.is_some_and(|remains| remains != self.remains)
            }
            (Meaning::Partial, OrderStatus::Canceled) => !self.is_untouched(report),
            (Meaning::Partial | Meaning::Runs(_), _) => true,
        }
    }

    /// Whether "partial" means that nothing at all was delivered. Of a package it says too little:
    /// what remains of it is counted in units of theirs.
    fn is_untouched(&self, report: &Report) -> bool {
        self.kind.counting() != Counting::Piece && report.remains == Some(self.units)
    }

    /// The start count as it is known now. Nobody has counted where it is 0; later than in the
    /// first hour a larger one is no longer where delivery began.
    fn counted_from(&self, said: Option<i64>, age_seconds: i64) -> Option<i64> {
        let said = said.filter(|count| *count >= 0);
        match (self.start_count, said) {
            (None | Some(0), Some(said)) => Some(said),
            (Some(known), Some(said)) if said > known && age_seconds <= HOUR => Some(said),
            (known, _) => known,
        }
    }
}

impl Submission {
    /// What an order has cost that ended so: as said, else as expected. One that was canceled costs
    /// nothing unless they say so.
    pub fn cost_at(&self, end: OrderStatus, said: Option<Money>) -> Money {
        let expected = match end {
            OrderStatus::Canceled => Money::ZERO,
            OrderStatus::Pending
            | OrderStatus::Sending
            | OrderStatus::Unknown
            | OrderStatus::Active
            | OrderStatus::Completed
            | OrderStatus::Partial => self.expected,
        };
        said.unwrap_or(expected)
    }

    /// Whether so much is more than a fifth above what was expected, where anything was.
    pub fn is_overcharged(&self, said: Money) -> bool {
        let (said, expected) = (i128::from(said.micros()), i128::from(self.expected.micros()));
        expected > 0 && said * 5 > expected * 6
    }
}
