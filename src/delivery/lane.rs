//! How well a provider is, as its lane has found: what holds its sends back, and what lets them go
//! on. Pure: what has happened comes in, with the instant.
//!
//! After an unclear answer nothing is sent until a call about the balance has succeeded, and then
//! one order at a time until one is accepted or clearly refused. So an outage costs at most as many
//! unclear orders as were out together. Five failures in a row open a breaker that such a call
//! closes too.

use crate::domain::Timestamp;

/// Orders that are sent to one provider at a time.
pub const CALLS_MAX: usize = 4;
const FAILURES_MAX: u32 = 5;
const BREAKER_FIRST: i64 = 30;
const BREAKER_MOST: i64 = 600;
const DOUBT_FIRST: i64 = 10;
const DOUBT_MOST: i64 = 3600;
const BUSY_MOST: i64 = 30;
/// From when on somebody should know that a provider has not been proven well.
const UNPROVEN_TOO_LONG: i64 = 900;

/// The number of a call to a provider: a later one is larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallNumber(u64);

/// What a lane remembers of its provider. It begins anew with each start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    calls: u64,
    /// The last call that proved the provider well.
    proven_by: CallNumber,
    /// Since when an unclear answer has not been followed by a proof.
    pub unproven_since: Option<Timestamp>,
    /// Whether orders go one at a time until one is accepted or clearly refused.
    is_on_probation: bool,
    /// Unclear answers that counted, with no acceptance or clear refusal between them.
    doubts: u32,
    /// Calls in a row that brought no readable answer.
    failures: u32,
    /// Orders in a row that were refused for no reason we know.
    refusals: u32,
    /// How long such refusals have paused it last, with no order accepted since.
    refusing_seconds: i64,
    breaker: Option<Breaker>,
    busy_until: Option<Timestamp>,
    busy_in_row: u32,
    /// Nothing is sent before, whatever else is well.
    paused_until: Option<Timestamp>,
}

/// Sends are off until a call about the balance succeeds, which is made from that instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Breaker {
    seconds: i64,
    retry_at: Timestamp,
}

/// What the operator should know of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub is_failing: bool,
    pub is_refusing: bool,
    /// For long.
    pub is_unproven: bool,
}

/// Why a provider gets no orders just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// An answer was unclear.
    Unproven,
    /// It does not answer.
    Failing,
    /// It refuses one order after the other.
    Refusing,
    /// It asked us to come back.
    Busy,
    /// Its answers were unclear more than once.
    Paused,
}

impl Health {
    /// A call begins.
    pub fn begin(&mut self) -> CallNumber {
        self.calls += 1;
        CallNumber(self.calls)
    }

    /// What keeps the provider from orders, if anything does.
    pub fn held(&self, now: Timestamp) -> Option<Held> {
        let is_later = |until: Option<Timestamp>| until.is_some_and(|until| until > now);
        if self.breaker.is_some() {
            let is_refusing = self.refusals >= FAILURES_MAX;
            return Some(if is_refusing { Held::Refusing } else { Held::Failing });
        }
        if self.unproven_since.is_some() {
            return Some(Held::Unproven);
        }
        if is_later(self.paused_until) {
            return Some(Held::Paused);
        }
        is_later(self.busy_until).then_some(Held::Busy)
    }

    /// What the operator should know.
    pub fn told(&self, now: Timestamp) -> Told {
        let held = self.held(now);
        let is_long = |since: Timestamp| since.0 + UNPROVEN_TOO_LONG <= now.0;
        Told {
            is_failing: held == Some(Held::Failing),
            is_refusing: held == Some(Held::Refusing),
            is_unproven: self.unproven_since.is_some_and(is_long),
        }
    }

    /// How many orders may be out at once.
    pub fn sends_max(&self, now: Timestamp) -> usize {
        if self.held(now).is_some() {
            return 0;
        }
        let is_doubtful = self.is_on_probation || self.failures > 0 || self.refusals > 0;
        if is_doubtful { 1 } else { CALLS_MAX }
    }

    /// When a call about the balance is wanted to prove the provider well.
    pub fn proof_due(&self, now: Timestamp) -> Option<Timestamp> {
        let breaker = self.breaker.map(|breaker| breaker.retry_at);
        let due = breaker.or(self.unproven_since.map(|_| now))?;
        Some(self.busy_until.map_or(due, |until| due.max(until)))
    }

    /// When what holds it back is over by itself.
    pub fn over_at(&self, now: Timestamp) -> Option<Timestamp> {
        let later = [self.paused_until, self.busy_until].into_iter().flatten();
        later.filter(|until| *until > now).max()
    }

    /// An order was accepted, or clearly refused: the provider reads what we send.
    pub fn answered(&mut self, call: CallNumber) {
        self.prove(call);
        self.is_on_probation = false;
        self.doubts = 0;
        self.busy_in_row = 0;
        self.busy_until = None;
    }

    /// An order was accepted.
    pub fn accepted(&mut self, call: CallNumber) {
        self.answered(call);
        self.refusals = 0;
        self.refusing_seconds = 0;
    }

    /// An order was refused for no reason that we know: five in a row pause the lane, so that a
    /// provider gone mad does not turn the queue into refunds.
    pub fn refused_oddly(&mut self, call: CallNumber, now: Timestamp) {
        self.answered(call);
        self.refusals += 1;
        if self.refusals >= FAILURES_MAX && self.breaker.is_none() {
            let seconds = (self.refusing_seconds * 2).clamp(BREAKER_FIRST, BREAKER_MOST);
            self.refusing_seconds = seconds;
            self.breaker = Some(Breaker { seconds, retry_at: Timestamp(now.0 + seconds) });
        }
    }

    /// Nobody knows whether an order has arrived. Only what began after the last proof counts, and
    /// nothing while a proof is still owed: orders that were out together are one outage.
    pub fn doubted(&mut self, call: CallNumber, now: Timestamp) {
        if self.unproven_since.is_some() || call < self.proven_by {
            return;
        }
        self.unproven_since = Some(now);
        self.doubts += 1;
        if let Some(more) = self.doubts.checked_sub(2) {
            let seconds = DOUBT_FIRST.saturating_mul(1 << more.min(20)).min(DOUBT_MOST);
            self.paused_until = Some(Timestamp(now.0 + seconds));
        }
    }

    /// The provider has told our balance.
    pub fn told_balance(&mut self, call: CallNumber) {
        let was_held = self.unproven_since.is_some() || self.breaker.is_some();
        self.prove(call);
        self.breaker = None;
        self.refusals = 0;
        self.is_on_probation |= was_held;
    }

    /// A call has brought a readable answer.
    pub fn read(&mut self) {
        self.failures = 0;
    }

    /// A call was not sent, had no answer, or one that cannot be read.
    pub fn failed(&mut self, now: Timestamp) {
        self.failures += 1;
        if self.failures >= FAILURES_MAX {
            self.open(now);
        }
    }

    /// A call that was to prove it well has failed.
    pub fn failed_to_prove(&mut self, now: Timestamp) {
        if self.breaker.is_some() { self.open(now) } else { self.failed(now) }
    }

    /// A call that was to prove it well was answered by a refusal: the next one waits longer.
    pub fn refused_to_prove(&mut self, now: Timestamp) {
        self.read();
        if self.breaker.is_some() || self.unproven_since.is_some() {
            self.open(now);
        }
    }

    /// It asked us to come back, in so many seconds where it said so.
    pub fn busy(&mut self, retry_after: Option<i64>, now: Timestamp) {
        let own = (1 << self.busy_in_row.min(5)).min(BUSY_MOST);
        self.busy_in_row += 1;
        let seconds = retry_after.map_or(own, |seconds| seconds.clamp(1, 120));
        self.busy_until = Some(Timestamp(now.0 + seconds));
    }

    fn prove(&mut self, call: CallNumber) {
        self.proven_by = self.proven_by.max(call);
        self.unproven_since = None;
        self.failures = 0;
    }

    /// Opens the breaker, or leaves it open for twice as long.
    fn open(&mut self, now: Timestamp) {
        let twice = |breaker: Breaker| (breaker.seconds * 2).min(BREAKER_MOST);
        let seconds = self.breaker.map_or(BREAKER_FIRST, twice);
        let retry_at = Timestamp(now.0 + seconds);
        self.breaker = Some(Breaker { seconds, retry_at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn later(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 + seconds)
    }

    #[test]
    fn orders_that_were_out_together_are_one_outage() {
        let mut health = Health::default();
        let calls: Vec<CallNumber> = (0..4).map(|_| health.begin()).collect();
        for call in calls {
            health.doubted(call, NOW);
        }
        assert_eq!((health.held(NOW), health.sends_max(NOW)), (Some(Held::Unproven), 0));
        assert_eq!(health.proof_due(NOW), Some(NOW));

        let balance = health.begin();
        health.told_balance(balance);
        assert_eq!((health.held(NOW), health.sends_max(NOW)), (None, 1), "one at a time");

        let order = health.begin();
        health.accepted(order);
        assert_eq!(health.sends_max(NOW), CALLS_MAX);
    }

    #[test]
    fn what_was_sent_before_the_proof_counts_no_more() {
        let mut health = Health::default();
        let (order, balance) = (health.begin(), health.begin());
        health.told_balance(balance);
        health.doubted(order, NOW);
        assert_eq!(health.held(NOW), None);
    }

    #[test]
    fn a_balance_that_lives_while_orders_die_pauses_longer_and_longer() {
        let mut health = Health::default();
        let mut pauses = Vec::new();
        for _ in 0..14 {
            let order = health.begin();
            health.doubted(order, NOW);
            let balance = health.begin();
            health.told_balance(balance);
            pauses.push(health.over_at(NOW).map_or(0, |until| until.0 - NOW.0));
        }
        assert_eq!(pauses[..6], [0, 10, 20, 40, 80, 160]);
        assert_eq!(pauses[13], 3600);
        let order = health.begin();
        health.accepted(order);
        let order = health.begin();
        health.doubted(order, later(4000));
        assert_eq!(health.over_at(later(4000)), None, "it has worked since");
    }

    #[test]
    fn five_failures_open_a_breaker_that_only_a_balance_closes() {
        let mut health = Health::default();
        for _ in 0..4 {
            health.failed(NOW);
        }
        assert_eq!((health.held(NOW), health.sends_max(NOW)), (None, 1));
        health.failed(NOW);
        assert_eq!(
            (health.held(NOW), health.proof_due(NOW)),
            (Some(Held::Failing), Some(later(30)))
        );
        health.failed_to_prove(later(30));
        assert_eq!(health.proof_due(later(30)), Some(later(90)));
        for _ in 0..9 {
            health.failed_to_prove(later(90));
        }
        assert_eq!(health.proof_due(later(90)), Some(later(690)), "ten minutes at most");
        let balance = health.begin();
        health.told_balance(balance);
        assert_eq!((health.held(later(90)), health.sends_max(later(90))), (None, 1));
    }

    #[test]
    fn five_odd_refusals_in_a_row_pause_the_lane() {
        let mut health = Health::default();
        for _ in 0..5 {
            let order = health.begin();
            health.refused_oddly(order, NOW);
        }
        assert_eq!(health.held(NOW), Some(Held::Refusing));
        let balance = health.begin();
        health.told_balance(balance);
        assert_eq!(health.sends_max(NOW), 1);
    }

    #[test]
    fn a_provider_that_goes_on_refusing_is_paused_longer_and_longer() {
        let mut health = Health::default();
        let mut pauses = Vec::new();
        for _ in 0..7 {
            for _ in 0..7 {
                let order = health.begin();
                health.refused_oddly(order, NOW);
            }
            pauses.push(health.proof_due(NOW).map_or(0, |due| due.0 - NOW.0));
            let balance = health.begin();
            health.told_balance(balance);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
        let order = health.begin();
        health.accepted(order);
        for _ in 0..5 {
            let order = health.begin();
            health.refused_oddly(order, NOW);
        }
        assert_eq!(health.proof_due(NOW), Some(later(30)), "it has accepted one since");
    }

    #[test]
    fn a_proof_that_is_put_off_or_refused_is_not_asked_for_every_second() {
        let mut health = Health::default();
        let order = health.begin();
        health.doubted(order, NOW);
        health.busy(Some(60), NOW);
        assert_eq!(health.proof_due(NOW), Some(later(60)));
        health.refused_to_prove(later(60));
        assert_eq!(health.proof_due(later(60)), Some(later(90)));
        health.refused_to_prove(later(90));
        assert_eq!(health.proof_due(later(90)), Some(later(150)));
    }

    #[test]
    fn somebody_is_told_of_a_provider_that_is_not_proven_for_long() {
        let mut health = Health::default();
        let order = health.begin();
        health.doubted(order, NOW);
        assert_eq!(health.told(later(899)), Told::default());
        assert!(health.told(later(900)).is_unproven);
        let balance = health.begin();
        health.told_balance(balance);
        assert_eq!(health.told(later(900)), Told::default());
    }

    #[test]
    fn a_busy_provider_is_left_alone_as_long_as_it_says_or_twice_as_long_each_time() {
        let mut health = Health::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            health.busy(None, NOW);
            waits.push(health.over_at(NOW).map_or(0, |until| until.0 - NOW.0));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        health.busy(Some(77), NOW);
        assert_eq!(health.over_at(NOW), Some(later(77)));
        assert_eq!((health.held(NOW), health.held(later(77))), (Some(Held::Busy), None));
    }
}
