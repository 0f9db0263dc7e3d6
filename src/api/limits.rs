//! How often a key, or an address with wrong keys, may ask.
//!
//! `governor` counts (GCRA: a token bucket kept as the one instant at which it will be full again).
//! Ours are what is set while we run, how many buckets are remembered at most, and the clock.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::clock;
use crate::domain::KeyId;
use crate::domain::setting::Limits;

const BUCKETS_MAX: usize = 10_000;

/// The limits in force, and who has used how much of them.
pub(super) struct Limiter {
    keys: Buckets<KeyId, Ticks>,
    addresses: Buckets<IpAddr, Ticks>,
}

impl Limiter {
    /// Starts with everybody rested.
    pub(super) fn new(limits: &Limits) -> Self {
        let limiter = Self { keys: Buckets::new(Ticks), addresses: Buckets::new(Ticks) };
        limiter.set(limits);
        limiter
    }

    /// Takes over what the operator has set. Where that is a change, everybody is rested again.
    pub(super) fn set(&self, limits: &Limits) {
        self.keys.set(quota(Duration::from_secs(1), limits.key_rate, limits.key_burst));
        let rate = limits.wrong_key_rate;
        self.addresses.set(quota(Duration::from_secs(60), rate, rate));
    }

    /// Counts a request of a valid key.
    ///
    /// # Errors
    /// The seconds to wait, where there were too many.
    pub(super) fn count_key(&self, key: KeyId) -> Result<(), u64> {
        self.keys.take(&key)
    }

    /// Counts a wrong key. Loopback is where operators try things, and is let be.
    ///
    /// # Errors
    /// The seconds to wait, where there were too many.
    pub(super) fn count_wrong_key(&self, address: IpAddr) -> Result<(), u64> {
        if address.is_loopback() {
            return Ok(());
        }
        self.addresses.take(&network(address))
    }
}

/// Whoever holds one address of an IPv6 /64 holds them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}

/// `None` where there is no limit.
fn quota(per: Duration, rate: u32, burst: u32) -> Option<Quota> {
    let every = per.checked_div(rate)?;
    Some(Quota::with_period(every)?.allow_burst(NonZeroU32::new(burst)?))
}

/// Lets `governor` read the time where all of us read it.
#[derive(Clone)]
struct Ticks;

impl Clock for Ticks {
    type Instant = Instant;

    fn now(&self) -> Instant {
        clock::instant()
    }
}

/// A bucket for each key that was used lately.
struct Buckets<K: Hash + Eq + Clone, C: Clock> {
    clock: C,
    in_force: RwLock<Option<InForce<K, C>>>,
}

struct InForce<K: Hash + Eq + Clone, C: Clock> {
    quota: Quota,
    limiter: RateLimiter<K, HashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Buckets<K, C> {
    /// Without a limit.
    fn new(clock: C) -> Self {
        Self { clock, in_force: RwLock::new(None) }
    }

    fn set(&self, quota: Option<Quota>) {
        let has = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        let is_new = has.as_ref().map(|has| has.quota) != quota;
        drop(has);
        if is_new {
            self.start(quota);
        }
    }

    /// Starts with all buckets full.
    fn start(&self, quota: Option<Quota>) {
        let in_force = quota.map(|quota| {
            let limiter = RateLimiter::hashmap_with_clock(quota, self.clock.clone());
            InForce { quota, limiter }
        });
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
    }

    /// Takes one token, or says in how many seconds there will be one.
    fn take(&self, key: &K) -> Result<(), u64> {
        let has = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        let Some(InForce { quota, limiter }) = &*has else { return Ok(()) };
        if limiter.len() >= BUCKETS_MAX {
            limiter.retain_recent();
            if limiter.len() >= BUCKETS_MAX {
                let quota = *quota;
                drop(has);
                self.start(Some(quota)); // more are busy than we can remember: start over with all
                return self.take(key);
            }
        }
        let taken = limiter.check_key(key);
        taken.map_err(|until| until.wait_time_from(self.clock.now()).as_secs() + 1)
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Buckets whose clock stands still.
    fn buckets(rate: u32, burst: u32) -> (Buckets<usize, FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::new(clock.clone());
        buckets.set(quota(SECOND, rate, burst));
        (buckets, clock)
    }

    #[test]
    fn a_burst_passes_then_the_rate_rules() {
        let (buckets, clock) = buckets(10, 3);
        for _ in 0..3 {
            assert_eq!(buckets.take(&1), Ok(()));
        }
        assert_eq!(buckets.take(&1), Err(1));
        assert_eq!(buckets.take(&2), Ok(()), "others are not touched");
        clock.advance(Duration::from_millis(100));
        assert_eq!(buckets.take(&1), Ok(()));
        assert_eq!(buckets.take(&1), Err(1));
    }

    #[test]
    fn the_wait_is_whole_seconds_and_long_enough() {
        let clock = FakeRelativeClock::default();
        let buckets = Buckets::new(clock.clone());
        buckets.set(quota(Duration::from_secs(60), 6, 1));
        assert_eq!(buckets.take(&1), Ok(()));
        for (after, seconds) in [(0, 11), (1, 10), (8_500, 2), (499, 2), (1, 1)] {
            clock.advance(Duration::from_millis(after));
            assert_eq!(buckets.take(&1).unwrap_err(), seconds);
        }
        clock.advance(SECOND);
        assert_eq!(buckets.take(&1), Ok(()));
    }

    #[test]
    fn limits_count_from_the_moment_they_are_set() {
        let (buckets, _) = buckets(1, 1);
        assert_eq!(buckets.take(&1), Ok(()));
        assert_eq!(buckets.take(&1), Err(2));
        buckets.set(quota(SECOND, 1, 1));
        assert_eq!(buckets.take(&1), Err(2), "the same limits change nothing");
        buckets.set(quota(SECOND, 1, 2));
        assert_eq!(buckets.take(&1), Ok(()));
        assert_eq!(buckets.take(&1), Ok(()));
        assert_eq!(buckets.take(&1), Err(2));
        buckets.set(None);
        assert_eq!(buckets.take(&1), Ok(()));
    }

    #[test]
    fn zero_is_no_limit_and_memory_is_bounded() {
        assert!(quota(SECOND, 0, 5).is_none());
        assert!(quota(SECOND, 5, 0).is_none());
        let (buckets, _) = buckets(1, 1);
        for key in 0..3 * BUCKETS_MAX {
            buckets.take(&key).unwrap();
        }
        let in_force = buckets.in_force.read().unwrap();
        assert!(in_force.as_ref().unwrap().limiter.len() <= BUCKETS_MAX);
    }

    #[test]
    fn addresses_count_by_network() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    }
}
