//! Orders that last: when the runs of a drip-feed begin and what becomes of their parent, and the
//! last day of a subscription.
//!
//! A drip-feed order is in progress from its first run on, counts down with each of its runs, and
//! ends when all that have begun have ended and none is to come. A run that was canceled has
//! delivered nothing, whatever is said to remain of it.

use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::Date;

use super::delivery::Hand;
use super::money::Money;
use super::order::{Change, DripFeed, Order, OrderStatus, Shown};
use super::{OrderId, Timestamp};

const MINUTE_SECONDS: i64 = 60;
/// So long a run waits before it is looked at again whether the one before it was accepted.
const WAIT_SECONDS: i64 = 60;

/// How far a drip-feed order has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drip {
    pub order: OrderId,
    /// Runs that have begun.
    pub started: i64,
    /// When the next one begins; `None` where none is to come.
    pub next_at: Option<Timestamp>,
    /// Why a person has to say whether more are to come.
    pub hand: Option<Hand>,
}

impl Drip {
    /// A run begins now. What is late begins late: the next one keeps at least half the distance.
    #[must_use]
    pub fn begun(&self, feed: DripFeed, now: Timestamp) -> Self {
        let interval = feed.interval_minutes * MINUTE_SECONDS;
        let started = self.started + 1;
        let planned = self.next_at.map_or(now.0, |next| next.0) + interval;
        let next = Timestamp(planned.max(now.0 + interval / 2));
        let next_at = (started < feed.runs).then_some(next);
        Self { started, next_at, ..self.clone() }
    }

    /// The run that is due waits for the one before it.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> Self {
        Self { next_at: Some(Timestamp(now.0 + WAIT_SECONDS)), ..self.clone() }
    }

    /// No more runs begin.
    #[must_use]
    pub fn stopped(&self) -> Self {
        Self { next_at: None, hand: None, ..self.clone() }
    }

    /// The next run begins now, if one is left.
    #[must_use]
    pub fn resumed(&self, feed: DripFeed, now: Timestamp) -> Self {
        let next_at = (self.started < feed.runs).then_some(now);
        Self { next_at, hand: None, ..self.clone() }
    }

    /// Whether runs of the order may be kept from beginning.
    pub const fn can_stop(&self, order: &Order) -> bool {
        !order.status.is_final() && self.has_more()
    }

    /// Whether runs of the order are left that a person may let begin. Its customer may want to
    /// cancel it: then not.
    pub fn can_resume(&self, order: &Order) -> bool {
        let is_open = !order.status.is_final() && order.cancel_requested_at.is_none();
        let runs = order.drip_feed.map_or(0, |feed| feed.runs);
        is_open && self.next_at.is_none() && self.started < runs
    }

    /// Whether more runs begin, or may yet.
    pub const fn has_more(&self) -> bool {
        self.next_at.is_some() || self.hand.is_some()
    }
}

/// What an order so far has delivered that has so many units and that status.
const fn delivered(units: i64, remains: i64, status: OrderStatus) -> i64 {
    match status {
        OrderStatus::Canceled => 0,
        OrderStatus::Pending
        | OrderStatus::Sending
        | OrderStatus::Unknown
        | OrderStatus::Active
        | OrderStatus::Completed
        | OrderStatus::Partial => units - remains,
    }
}

impl Order {
    /// A run of the drip-feed order has begun, or moved so that so much remains of the order.
    fn drips_on(&self, start_count: Option<i64>, remains: i64) -> Change {
        Change {
            status: OrderStatus::Active,
            shown: Shown::InProgress,
            start_count,
            remains,
            settlement: None,
        }
    }

    /// The drip-feed order when its next run begins.
    pub fn run_begun(&self) -> Change {
        self.drips_on(self.start_count, self.remains)
    }

    /// The drip-feed order when one of its runs moves. It began to count where its first run did.
    pub fn run_moved(&self, run: &Self, change: &Change, is_first: bool) -> Change {
        let before = delivered(run.units, run.remains, run.status);
        let after = delivered(run.units, change.remains, change.status);
        let remains = (self.remains + before - after).clamp(0, self.units);
        let start_count = if is_first { change.start_count } else { self.start_count };
        self.drips_on(start_count, remains)
    }

    /// The drip-feed order when all of its runs have ended and none is to come.
    pub fn runs_over(&self) -> Change {
        match self.remains {
            0 => self.settle(OrderStatus::Completed, 0, self.charge),
            remains => self.end_short(Some(remains)).unwrap_or_else(|_| {
                // Nothing at all was delivered.
                self.settle(OrderStatus::Canceled, self.units, Money::ZERO)
            }),
        }
    }
}

const DAY_SECONDS: i64 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// The last second (UTC) of a day written `d/m/Y`, `None` for what is no day from 1970 to 9999.
pub fn end_of_day(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('/');
    let day = number(parts.next()?, 1..=2)?;
    let month = number(parts.next()?, 1..=2)?;
    let year = number(parts.next()?, 4..=4)?;
    let date = Date::new(year, month, day).ok()?;
    let is_day = parts.next().is_none() && date >= EPOCH;
    is_day.then(|| Timestamp(date.duration_since(EPOCH).as_secs() + DAY_SECONDS - 1))
}

/// A number of so many digits and nothing else, not even a sign.
fn number<T: FromStr>(text: &str, digits: RangeInclusive<usize>) -> Option<T> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEED: DripFeed = DripFeed { runs: 3, interval_minutes: 10 };

    fn drip(started: i64, next_at: i64) -> Drip {
        let (order, next_at) = (OrderId(1), Some(Timestamp(next_at)));
        Drip { order, started, next_at, hand: None }
    }

    #[test]
    fn runs_keep_their_distance_also_when_they_are_late() {
        for (now, next) in [(1000, 1600), (1200, 1600), (1300, 1600), (1400, 1700), (9000, 9300)] {
            let drip = drip(0, 1000).begun(FEED, Timestamp(now));
            assert_eq!((drip.started, drip.next_at), (1, Some(Timestamp(next))), "{now}");
        }
        assert_eq!(drip(2, 1000).begun(FEED, Timestamp(1000)).next_at, None, "that was the last");
    }

    #[test]
    fn what_was_stopped_goes_on_at_once_while_runs_are_left() {
        let stopped = Drip { hand: Some(Hand::Restored), ..drip(2, 1000) }.stopped();
        assert!(!stopped.has_more());
        assert_eq!(stopped.resumed(FEED, Timestamp(7)).next_at, Some(Timestamp(7)));
        let over = Drip { started: 3, ..stopped };
        assert!(!over.resumed(FEED, Timestamp(7)).has_more());
    }

    #[test]
    fn a_day_ends_at_its_last_second() {
        for (text, seconds) in [
            ("1/1/1970", 86_399),
            ("01/03/2000", 951_955_199),
            ("29/2/2024", 1_709_251_199),
            ("31/12/2026", 1_798_761_599),
            ("01/01/2100", 4_102_531_199),
        ] {
            assert_eq!(end_of_day(text), Some(Timestamp(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "",
            "1/1",
            "1/1/70",
            "0/1/2030",
            "32/1/2030",
            "29/2/2023",
            "31/4/2030",
            "1/13/2030",
            "1/1/2030/",
            "2030-01-01",
            "+1/1/2030",
            "1/1/1969",
            "001/1/2030",
            " 1/1/2030",
        ] {
            assert_eq!(end_of_day(text), None, "{text:?}");
        }
    }
}
