//! Events: what a reseller with a webhook is told, and what becomes of telling it.
//!
//! A try that fails is repeated, eleven times within a day; five failures in a row pause the whole
//! endpoint, which is then tried with one event at a time until it answers again. An answer of 410
//! turns the webhook off. Events of one reseller have growing numbers and hold the whole state, so
//! that a receiver keeps the largest.

use super::money::Money;
use super::order::{Change, Order, PublicStatus};
use super::refill::{Refill, RefillStatus};
use super::{EventId, OrderId, RefillId, Timestamp, UserId, words};

/// Seconds from each failed try to the next; after the last there is none.
const WAITS: [i64; 10] = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800];
/// Failures in a row that pause an endpoint.
const FAILURES_MAX: i64 = 5;
const PAUSE_MIN: i64 = 60;
const PAUSE_MAX: i64 = 600;

words! {
    /// What has happened. Pending and processing are not told: they flicker.
    pub enum EventKind {
        OrderInProgress = "Order in progress",
        OrderCompleted = "Order completed",
        OrderPartial = "Order partial",
        OrderCanceled = "Order canceled",
        RefillCompleted = "Refill completed",
        /// Rejected, or failed: its status says which.
        RefillRejected = "Refill rejected",
        /// A charge has taken the balance below what the reseller wants to know of.
        BalanceLow = "Balance low",
    }
}

words! {
    /// How far the telling of an event is.
    pub enum EventState {
        Waiting = "Waiting",
        /// The endpoint has taken it.
        Done = "Done",
        /// All tries were in vain, or it was given up.
        Failed = "Failed",
    }
}

/// What an event says, as it was when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Order {
        order: OrderId,
        status: PublicStatus,
        /// Charged less refunded.
        net_charge: Money,
        refunded: Money,
        start_count: Option<i64>,
        remains: i64,
    },
    Refill {
        refill: RefillId,
        order: OrderId,
        status: RefillStatus,
    },
    Balance(Money),
}

/// One thing that happened, and how far its telling is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub user: UserId,
    pub kind: EventKind,
    pub about: About,
    pub created_at: Timestamp,
    /// When it is told next; `None` where it is not told any more.
    pub due_at: Option<Timestamp>,
    /// How often it was told, well or not.
    pub tries: i64,
    pub state: EventState,
    /// What came of the last try, for people.
    pub answer: String,
}

impl EventKind {
    /// What is told of an order that moves from one word to another, if anything.
    pub fn of_order(before: PublicStatus, after: PublicStatus) -> Option<Self> {
        if before == after {
            return None;
        }
        match after {
            PublicStatus::Pending | PublicStatus::Processing => None,
            PublicStatus::InProgress => Some(Self::OrderInProgress),
            PublicStatus::Completed => Some(Self::OrderCompleted),
            PublicStatus::Partial => Some(Self::OrderPartial),
            PublicStatus::Canceled => Some(Self::OrderCanceled),
        }
    }

    /// What is told of a refill that comes to a status, if anything.
    pub const fn of_refill(status: RefillStatus) -> Option<Self> {
        match status {
            RefillStatus::Pending | RefillStatus::InProgress => None,
            RefillStatus::Completed => Some(Self::RefillCompleted),
            RefillStatus::Rejected | RefillStatus::Error => Some(Self::RefillRejected),
        }
    }
}

impl About {
    /// An order as it stands after a move.
    pub fn moved(order: &Order, change: &Change) -> Self {
        let refund = change.settlement.map_or(Money::ZERO, |settlement| settlement.refund);
        // What is refunded never exceeds the charge.
        let refunded = order.refunded.checked_add(refund).unwrap_or(order.refunded);
        Self::Order {
            order: order.id,
            status: PublicStatus::of(change.status, change.shown),
            net_charge: order.charge.checked_sub(refunded).unwrap_or(Money::ZERO),
            refunded,
            start_count: change.start_count,
            remains: change.remains,
        }
    }

    /// A refill that has come to a status.
    pub const fn refilled(refill: &Refill, status: RefillStatus) -> Self {
        Self::Refill { refill: refill.id, order: refill.order, status }
    }
}

/// Where a reseller wants to be told, and how telling goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub user: UserId,
    pub url: String,
    /// Whether http and addresses that are not public are permitted.
    pub is_insecure: bool,
    pub is_enabled: bool,
    /// The balance below which the reseller wants to know.
    pub low: Option<Money>,
    /// Whether that was told since the balance was above it.
    pub is_low: bool,
    /// Until when another secret counts beside the one of today.
    pub old_until: Option<Timestamp>,
    pub paused_until: Option<Timestamp>,
    /// In a row.
    pub failures: i64,
    /// Events that were given up since too many waited or waited too long.
    pub dropped: i64,
    /// When there is something to do: an event to tell, or events to give up.
    pub due_at: Option<Timestamp>,
}

impl Webhook {
    /// Whether a balance that a charge has changed is to be told, and whether it counts as told
    /// from now on. Once told, it is told again only after it was above in between.
    pub fn follow_balance(&self, before: Money, after: Money) -> Low {
        let Some(low) = self.low else { return Low::Same };
        match (after < low, self.is_low) {
            (true, true) if before < low => Low::Same,
            (true, _) => Low::Tell,
            (false, true) => Low::Above,
            (false, false) => Low::Same,
        }
    }

    /// When the endpoint is called for an event that is due then. One that is paused is called when
    /// the pause is over, with whatever waits: that it answers again must not be noticed only when
    /// an event's next try comes.
    pub fn may_tell(&self, due_at: Timestamp) -> Timestamp {
        self.paused_until.unwrap_or(due_at)
    }

    /// What becomes of the endpoint and of an event after a call. One that was not due yet, and was
    /// only told to see whether the endpoint answers again, loses no try by it.
    pub fn after(&self, said: &Said, event: &Event, now: Timestamp) -> Next {
        match said {
            Said::Taken => Next {
                state: EventState::Done,
                due_at: None,
                tries: event.tries.saturating_add(1),
                failures: 0,
                paused_until: None,
                is_enabled: self.is_enabled,
            },
            Said::Gone => Next {
                state: EventState::Failed,
                due_at: None,
                tries: event.tries.saturating_add(1),
                failures: 0,
                paused_until: None,
                is_enabled: false,
            },
            Said::No(_) => {
                let failures = self.failures.saturating_add(1);
                let (due_at, tries) = match event.due_at.filter(|due| *due > now) {
                    Some(later) => (Some(later), event.tries),
                    None => (after_tries(event.tries, now), event.tries.saturating_add(1)),
                };
                Next {
                    state: if due_at.is_some() { EventState::Waiting } else { EventState::Failed },
                    due_at,
                    tries,
                    failures,
                    paused_until: pause(failures).map(|seconds| Timestamp(now.0 + seconds)),
                    is_enabled: self.is_enabled,
                }
            }
        }
    }
}

/// What a charge means for the balance that a reseller wants to know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Low {
    /// Nothing new.
    Same,
    /// It is low, and this is to be told.
    Tell,
    /// It is no longer low.
    Above,
}

/// What an endpoint said to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// 2xx.
    Taken,
    /// 410: it wants nothing any more.
    Gone,
    /// Anything else, for people.
    No(String),
}

/// What comes after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    pub state: EventState,
    /// When the event is told again.
    pub due_at: Option<Timestamp>,
    pub tries: i64,
    pub failures: i64,
    pub paused_until: Option<Timestamp>,
    pub is_enabled: bool,
}

/// When an event is told again that was told so often before and once more now.
fn after_tries(tries: i64, now: Timestamp) -> Option<Timestamp> {
    let wait = usize::try_from(tries).ok().and_then(|tries| WAITS.get(tries));
    wait.map(|wait| Timestamp(now.0 + wait))
}

/// For how many seconds an endpoint is left alone after so many failures in a row.
fn pause(failures: i64) -> Option<i64> {
    let doublings = failures - FAILURES_MAX;
    // After four of them it is as long as it gets.
    (doublings >= 0).then(|| (PAUSE_MIN << doublings.min(4)).min(PAUSE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn webhook() -> Webhook {
        Webhook {
            user: UserId(1),
            url: "https://example.com/".to_owned(),
            is_insecure: false,
            is_enabled: true,
            low: Some(Money::from_micros(100)),
            is_low: false,
            old_until: None,
            paused_until: None,
            failures: 0,
            dropped: 0,
            due_at: None,
        }
    }

    fn no() -> Said {
        Said::No("HTTP 500".to_owned())
    }

    /// An event that was told so often.
    fn event(tries: i64) -> Event {
        Event {
            id: EventId(1),
            user: UserId(1),
            kind: EventKind::BalanceLow,
            about: About::Balance(Money::ZERO),
            created_at: NOW,
            due_at: Some(NOW),
            tries,
            state: EventState::Waiting,
            answer: String::new(),
        }
    }

    #[test]
    fn eleven_tries_take_a_day() {
        let mut waits = Vec::new();
        for tries in 0..11 {
            let next = webhook().after(&no(), &event(tries), NOW);
            let is_last = tries == 10;
            assert_eq!(next.state == EventState::Failed, is_last, "try {tries}");
            waits.extend(next.due_at.map(|due| due.0 - NOW.0));
        }
        assert_eq!(waits, WAITS);
        let day: i64 = waits.iter().sum();
        assert!((84_000..=86_400).contains(&day), "{day}");
        assert_eq!(webhook().after(&no(), &event(i64::MAX), NOW).state, EventState::Failed);
    }

    #[test]
    fn five_failures_in_a_row_pause_and_one_success_ends_it() {
        let mut webhook = webhook();
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let next = webhook.after(&no(), &event(0), NOW);
            webhook.failures = next.failures;
            pauses.push(next.paused_until.map_or(0, |until| until.0 - NOW.0));
        }
        assert_eq!(pauses, [0, 0, 0, 0, 60, 120, 240, 480, 600, 600]);
        webhook.failures = i64::MAX - 1;
        assert_eq!(webhook.after(&no(), &event(0), NOW).paused_until, Some(Timestamp(NOW.0 + 600)));
        let next = webhook.after(&Said::Taken, &event(3), NOW);
        assert_eq!((next.failures, next.paused_until, next.is_enabled), (0, None, true));
        assert_eq!((next.state, next.due_at), (EventState::Done, None));
        let next = webhook.after(&Said::Gone, &event(0), NOW);
        assert_eq!((next.state, next.is_enabled), (EventState::Failed, false));
    }

    #[test]
    fn a_paused_endpoint_is_called_with_what_waits_and_that_costs_no_try() {
        let later = Timestamp(NOW.0 + 7200);
        let paused = Webhook { paused_until: Some(NOW), failures: 5, ..webhook() };
        assert_eq!(paused.may_tell(later), NOW);
        assert_eq!(webhook().may_tell(later), later);

        let waits = Event { due_at: Some(later), ..event(6) };
        let next = paused.after(&no(), &waits, NOW);
        assert_eq!((next.due_at, next.tries, next.failures), (Some(later), 6, 6));
        assert_eq!(next.paused_until, Some(Timestamp(NOW.0 + 120)));
        assert_eq!(paused.after(&Said::Taken, &waits, NOW).due_at, None);
    }

    #[test]
    fn what_flickers_is_not_told_and_what_stays_is_not_told_twice() {
        let told = |before, after| EventKind::of_order(before, after);
        for &before in PublicStatus::ALL {
            assert_eq!(told(before, before), None, "{before}");
            assert_eq!(told(before, PublicStatus::Pending), None, "{before}");
            assert_eq!(told(before, PublicStatus::Processing), None, "{before}");
        }
        assert_eq!(
            told(PublicStatus::Pending, PublicStatus::InProgress),
            Some(EventKind::OrderInProgress)
        );
        assert_eq!(
            told(PublicStatus::InProgress, PublicStatus::Completed),
            Some(EventKind::OrderCompleted)
        );
        assert_eq!(
            told(PublicStatus::Processing, PublicStatus::Partial),
            Some(EventKind::OrderPartial)
        );
        assert_eq!(
            told(PublicStatus::Pending, PublicStatus::Canceled),
            Some(EventKind::OrderCanceled)
        );
        assert_eq!(EventKind::of_refill(RefillStatus::Error), Some(EventKind::RefillRejected));
        assert_eq!(EventKind::of_refill(RefillStatus::InProgress), None);
    }

    #[test]
    fn a_low_balance_is_told_once_until_it_was_above() {
        // is_low, before, after → what follows
        let table = [
            (false, 200, 100, Low::Same),
            (false, 200, 99, Low::Tell),
            (false, 50, 40, Low::Tell), // low before the reseller wanted to know
            (true, 99, 50, Low::Same),
            (true, 200, 99, Low::Tell), // money came in between
            (true, 300, 200, Low::Above),
            (true, 99, -20, Low::Same),
        ];
        for (is_low, before, after, expected) in table {
            let webhook = Webhook { is_low, ..webhook() };
            let (before, after) = (Money::from_micros(before), Money::from_micros(after));
            assert_eq!(webhook.follow_balance(before, after), expected, "{before} → {after}");
        }
        let webhook = Webhook { low: None, ..webhook() };
        let gone = Money::from_micros(-5);
        assert_eq!(webhook.follow_balance(Money::ZERO, gone), Low::Same);
    }
}
