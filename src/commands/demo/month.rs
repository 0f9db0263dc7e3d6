//! The orders of a sample month: who buys what, and what becomes of it.

use super::dice::{Dice, Place};
use super::people::{self, ALICE, GROW, NOVA, PULSE};
use super::shelf::{
    self, CHANNEL, COMMENTS, Extras, PROFILE, REEL, SHELF, SITE, TIKTOK_VIDEO, VIDEO, VISITS,
};
use crate::domain::input::Input;
use crate::domain::order::{ByHand, PublicStatus};
use crate::domain::refill::RefillStatus;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// Alice's completed orders that can be refilled: for tests and tools.
const REFILLABLE: i64 = 40;

/// What happens to an order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Set(ByHand),
    AskCancel,
    AskRefill,
    SetRefill(RefillStatus),
}

/// An order, and what happens to it when.
pub(super) struct Sale {
    /// The buyer's place among the people.
    pub buyer: usize,
    pub service: i64,
    pub fields: Vec<(Input, String)>,
    pub at: i64,
    pub events: Vec<(i64, Event)>,
    /// Whether it is one of the [`REFILLABLE`].
    pub is_refillable: bool,
}

/// What a buyer has asked for, and how long ago.
#[derive(Clone, Copy)]
enum Asked {
    Nothing,
    /// Waits for an answer.
    Cancel {
        minutes: i64,
    },
    Refill {
        minutes: i64,
        status: RefillStatus,
    },
}

/// An order that is there whatever the dice say.
struct Certain {
    minutes_ago: i64,
    buyer: usize,
    service: i64,
    place: &'static Place,
    /// 0 where the service has none.
    quantity: i64,
    extras: Extras,
    status: PublicStatus,
    asked: Asked,
}

const fn of_alice(minutes_ago: i64, status: PublicStatus, quantity: i64) -> Certain {
    let (asked, extras, place) = (Asked::Nothing, &[], &REEL);
    Certain { minutes_ago, buyer: ALICE, service: 1, place, quantity, extras, status, asked }
}

/// In progress when the buyer asks.
const fn to_cancel(hours_ago: i64, buyer: usize, service: i64, minutes: i64) -> Certain {
    let asked = Asked::Cancel { minutes };
    let plain = of_alice(hours_ago * 60, PublicStatus::InProgress, 1000);
    Certain { buyer, service, place: &PROFILE, asked, ..plain }
}

const fn to_refill(days_ago: i64, buyer: usize, minutes: i64, status: RefillStatus) -> Certain {
    let asked = Asked::Refill { minutes, status };
    let plain = of_alice(days_ago * 24 * 60, PublicStatus::Completed, 2500);
    Certain { buyer, service: 18, place: &PROFILE, asked, ..plain }
}

/// Orders of alice's in every status and of several kinds; of others fresh ones, cancel requests
/// that wait, and refills in every state.
const CERTAIN: &[Certain] = &[
    of_alice(1700, PublicStatus::Completed, 1000),
    of_alice(1560, PublicStatus::Partial, 1000),
    of_alice(1410, PublicStatus::Canceled, 500),
    of_alice(700, PublicStatus::InProgress, 2000),
    Certain { service: 2, ..of_alice(310, PublicStatus::InProgress, 0) },
    Certain { service: 3, extras: COMMENTS, ..of_alice(190, PublicStatus::Processing, 0) },
    of_alice(95, PublicStatus::Processing, 1000),
    Certain {
        extras: &[(Input::Runs, "5"), (Input::Interval, "60")],
        ..of_alice(60, PublicStatus::Pending, 100)
    },
    Certain {
        service: 16,
        place: &SITE,
        extras: VISITS,
        ..of_alice(25, PublicStatus::Pending, 5000)
    },
    of_alice(6, PublicStatus::Pending, 1000),
    Certain {
        buyer: PULSE,
        service: 28,
        place: &VIDEO,
        ..of_alice(40, PublicStatus::Processing, 1000)
    },
    Certain {
        buyer: GROW,
        service: 25,
        place: &TIKTOK_VIDEO,
        ..of_alice(14, PublicStatus::Pending, 500)
    },
    Certain { buyer: NOVA, service: 22, ..of_alice(3, PublicStatus::Pending, 5000) },
    to_cancel(19, NOVA, 1, 210),
    to_cancel(11, GROW, 18, 75),
    Certain { place: &CHANNEL, ..to_cancel(8, PULSE, 32, 20) },
    to_refill(12, NOVA, 6 * 24 * 60, RefillStatus::Completed),
    to_refill(10, GROW, 4 * 24 * 60, RefillStatus::Rejected),
    to_refill(9, PULSE, 3 * 24 * 60, RefillStatus::Error),
    to_refill(8, NOVA, 26 * 60, RefillStatus::InProgress),
    to_refill(7, GROW, 15 * 60, RefillStatus::Pending),
    to_refill(6, NOVA, 9 * 60, RefillStatus::Pending),
    Certain { service: 28, place: &VIDEO, ..to_refill(5, PULSE, 40, RefillStatus::Pending) },
];

/// The orders of the month that ends at `now`, the oldest first.
pub(super) fn sales(now: i64) -> Vec<Sale> {
    let mut month = Month { now, dice: Dice::new(20), promoted: Vec::new(), sales: Vec::new() };
    for days_ago in (0..30).rev() {
        month.day(days_ago);
    }
    for number in 0..REFILLABLE {
        month.refillable(number);
    }
    CERTAIN.iter().for_each(|certain| month.certain(certain));
    month.sales.sort_by_key(|sale| sale.at);
    month.sales
}

struct Month {
    now: i64,
    dice: Dice,
    /// Services and links: some of it is promoted again.
    promoted: Vec<(i64, String)>,
    sales: Vec<Sale>,
}

impl Month {
    /// The orders of a day: more from week to week, more on Saturdays and Sundays, most at night.
    fn day(&mut self, days_ago: i64) {
        let midnight = self.now - self.now.rem_euclid(DAY) - days_ago * DAY;
        // The first of all days was a Thursday.
        let is_weekend = matches!((midnight / DAY + 4) % 7, 0 | 6);
        let most = if is_weekend { 27 } else { 16 } + (30 - days_ago) / 4;
        for _ in 0..most - self.dice.below(6) {
            let hour = self.dice.below(24).max(self.dice.below(24));
            let at = midnight + hour * HOUR + self.dice.below(HOUR);
            if at < self.now - 3 * MINUTE {
                self.sale(at);
            }
        }
    }

    /// Something that the dice choose.
    fn sale(&mut self, at: i64) {
        let shelf = SHELF.iter().map(|seller| (seller.weight, seller));
        let Some(seller) = self.dice.weigh(shelf) else { return };
        let buyer = people::pick_buyer(&mut self.dice, (self.now - at) / DAY);
        let quantity = self.dice.pick(seller.quantities);
        let target = self.target(seller);
        let link = self.dice.paste(&target, &seller.place);
        let end = match self.dice.below(100) {
            0..5 => PublicStatus::Canceled,
            5..12 if quantity.is_some() => PublicStatus::Partial,
            _ => PublicStatus::Completed,
        };
        let takes = 30 * MINUTE + self.dice.below(26 * HOUR);
        let mut events = self.way(at, takes, end, quantity);
        events.retain(|(at, _)| *at < self.now);
        let fields = fields(link, quantity, seller.extras);
        let (service, is_refillable) = (seller.service, false);
        self.sales.push(Sale { buyer, service, fields, at, events, is_refillable });
    }

    /// What is promoted: one time in five what was before.
    fn target(&mut self, seller: &shelf::Seller) -> String {
        let is_same = |(service, _): &&(i64, String)| *service == seller.service;
        let before: Vec<&String> =
            self.promoted.iter().filter(is_same).map(|(_, target)| target).collect();
        if self.dice.below(5) == 0
            && let Some(target) = self.dice.pick(&before)
        {
            return target.clone();
        }
        let target = self.dice.fill(seller.place.target);
        self.promoted.push((seller.service, target.clone()));
        target
    }

    /// An order of alice's that was completed within the last two weeks, eleven hours ago or more.
    fn refillable(&mut self, number: i64) {
        let at = self.now - 14 * DAY + number * 7 * HOUR + self.dice.below(3 * HOUR);
        let target = self.dice.fill(PROFILE.target);
        let link = self.dice.paste(&target, &PROFILE);
        let quantity = 200 + self.dice.below(5) * 100;
        let takes = 2 * HOUR + self.dice.below(30 * HOUR);
        let events = self.way(at, takes, PublicStatus::Completed, Some(quantity));
        let fields = fields(link, Some(quantity), &[]);
        let buyer = ALICE;
        self.sales.push(Sale { buyer, service: 1, fields, at, events, is_refillable: true });
    }

    fn certain(&mut self, certain: &Certain) {
        let Certain { buyer, service, .. } = *certain;
        let at = self.now - certain.minutes_ago * MINUTE;
        let target = self.dice.fill(certain.place.target);
        let link = self.dice.paste(&target, certain.place);
        let quantity = Some(certain.quantity).filter(|quantity| *quantity > 0);
        let asked_at = match certain.asked {
            Asked::Nothing => self.now,
            Asked::Cancel { minutes } | Asked::Refill { minutes, .. } => {
                self.now - minutes * MINUTE
            }
        };
        let mut events = self.way(at, (asked_at - at) / 2, certain.status, quantity);
        match certain.asked {
            Asked::Nothing => {}
            Asked::Cancel { .. } => events.push((asked_at, Event::AskCancel)),
            Asked::Refill { status, .. } => {
                events.push((asked_at, Event::AskRefill));
                if status != RefillStatus::Pending {
                    events.push((asked_at + 5 * HOUR, Event::SetRefill(status)));
                }
            }
        }
        let fields = fields(link, quantity, certain.extras);
        self.sales.push(Sale { buyer, service, fields, at, events, is_refillable: false });
    }

    /// The way of an order that takes so long to an end, or to where it stands now.
    fn way(
        &mut self,
        at: i64,
        takes: i64,
        end: PublicStatus,
        quantity: Option<i64>,
    ) -> Vec<(i64, Event)> {
        let start_count = Some(self.dice.below(24_000));
        let share = 10 + self.dice.below(5) * 10;
        let rest = quantity.map(|quantity| quantity * share / 100);
        let set = |part: i64, status, start_count, remains| {
            (at + takes * part / 8, Event::Set(ByHand { status, start_count, remains }))
        };
        let seen = set(1, PublicStatus::Processing, None, None);
        let begun = set(2, PublicStatus::InProgress, start_count, None);
        let half = set(5, PublicStatus::InProgress, None, rest);
        match end {
            PublicStatus::Pending => Vec::new(),
            PublicStatus::Processing => vec![seen],
            PublicStatus::InProgress => vec![begun, half],
            PublicStatus::Canceled => vec![seen, set(8, end, None, None)],
            PublicStatus::Partial => vec![begun, half, set(8, end, None, rest)],
            PublicStatus::Completed => vec![begun, half, set(8, end, None, None)],
        }
    }
}

fn fields(link: String, quantity: Option<i64>, extras: Extras) -> Vec<(Input, String)> {
    let quantity = quantity.map(|quantity| (Input::Quantity, quantity.to_string()));
    let extras = extras.iter().map(|(input, text)| (*input, (*text).to_owned()));
    [(Input::Link, link)].into_iter().chain(quantity).chain(extras).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_month_has_what_it_must_whenever_it_ends() {
        for hour in 0..7 * 24 {
            let now = 1_767_225_600 + hour * HOUR + 1;
            let sales = sales(now);
            let days: std::collections::BTreeSet<i64> =
                sales.iter().map(|sale| sale.at / DAY).collect();
            assert!(days.len() >= 29, "{hour}: {}", days.len());
            for sale in &sales {
                let times: Vec<i64> =
                    [sale.at].into_iter().chain(sale.events.iter().map(|(at, _)| *at)).collect();
                assert!(times.is_sorted() && times.iter().all(|at| *at < now), "{hour}: {times:?}");
            }
        }
    }
}
