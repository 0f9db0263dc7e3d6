//! How often a key, or an address with wrong keys, may ask.
//!
//! Each is a token bucket, kept as the one instant at which it will be full again. Buckets that are
//! full are forgotten, so the map stays as small as the number of those who are busy now.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::clock;
use crate::domain::KeyId;
use crate::domain::setting::Limits;

const BUCKETS_MAX: usize = 10_000;

/// The limits in force, and who has used how much of them.
pub(super) struct Limiter {
    start: Instant,
    key_rate: AtomicU32,
    key_burst: AtomicU32,
    wrong_key_rate: AtomicU32,
    keys: Buckets<KeyId>,
    addresses: Buckets<IpAddr>,
}

impl Limiter {
    /// Starts with everybody rested.
    pub(super) fn new(limits: &Limits) -> Self {
        let limiter = Self {
            start: clock::instant(),
            key_rate: AtomicU32::new(0),
            key_burst: AtomicU32::new(0),
            wrong_key_rate: AtomicU32::new(0),
            keys: Buckets::default(),
            addresses: Buckets::default(),
        };
        limiter.set(limits);
        limiter
    }

    /// Takes over what the operator has set.
    pub(super) fn set(&self, limits: &Limits) {
        self.key_rate.store(limits.key_rate, Ordering::Relaxed);
        self.key_burst.store(limits.key_burst, Ordering::Relaxed);
        self.wrong_key_rate.store(limits.wrong_key_rate, Ordering::Relaxed);
    }

    /// Counts a request of a valid key.
    ///
    /// # Errors
    /// The seconds to wait, where there were too many.
    pub(super) fn count_key(&self, key: KeyId) -> Result<(), u64> {
        let rate = self.key_rate.load(Ordering::Relaxed);
        let burst = self.key_burst.load(Ordering::Relaxed);
        self.keys.take(key, Refill::new(Duration::from_secs(1), rate, burst), self.now())
    }

    /// Counts a wrong key. Loopback is where operators try things, and is let be.
    ///
    /// # Errors
    /// The seconds to wait, where there were too many.
    pub(super) fn count_wrong_key(&self, address: IpAddr) -> Result<(), u64> {
        if address.is_loopback() {
            return Ok(());
        }
        let rate = self.wrong_key_rate.load(Ordering::Relaxed);
        let refill = Refill::new(Duration::from_secs(60), rate, rate);
        self.addresses.take(network(address), refill, self.now())
    }

    fn now(&self) -> Duration {
        clock::instant().duration_since(self.start)
    }
}

/// Whoever holds one address of an IPv6 /64 holds them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}

/// How fast a bucket fills, and how much is in a full one.
#[derive(Clone, Copy, Debug)]
struct Refill {
    every: Duration,
    full: Duration,
}

impl Refill {
    /// `None` where there is no limit.
    fn new(per: Duration, rate: u32, burst: u32) -> Option<Self> {
        let every = per.checked_div(rate)?;
        (burst > 0).then(|| Self { every, full: every * burst })
    }
}

struct Buckets<K>(Mutex<HashMap<K, Duration>>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Hash + Eq> Buckets<K> {
    /// Takes one token, or says in how many seconds there will be one.
    fn take(&self, key: K, refill: Option<Refill>, now: Duration) -> Result<(), u64> {
        let Some(Refill { every, full }) = refill else { return Ok(()) };
        let mut buckets = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if buckets.len() >= BUCKETS_MAX {
            buckets.retain(|_, full_at| *full_at > now);
            if buckets.len() >= BUCKETS_MAX {
                buckets.clear(); // more are busy than we can remember: start over with all
            }
        }
        let full_at = buckets.entry(key).or_insert(now);
        let next = (*full_at).max(now) + every;
        let lacking = next.saturating_sub(now + full);
        if lacking.is_zero() {
            *full_at = next;
            return Ok(());
        }
        Err(lacking.as_secs() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_then_the_rate_rules() {
        let buckets = Buckets::default();
        let refill = Refill::new(Duration::from_secs(1), 10, 3);
        for _ in 0..3 {
            assert_eq!(buckets.take(1, refill, at(0)), Ok(()));
        }
        assert_eq!(buckets.take(1, refill, at(0)), Err(1));
        assert_eq!(buckets.take(2, refill, at(0)), Ok(()), "others are not touched");
        assert_eq!(buckets.take(1, refill, at(100)), Ok(()));
        assert_eq!(buckets.take(1, refill, at(100)), Err(1));
    }

    #[test]
    fn zero_is_no_limit_and_memory_is_bounded() {
        let buckets = Buckets::default();
        assert!(Refill::new(Duration::from_secs(1), 0, 5).is_none());
        assert!(Refill::new(Duration::from_secs(1), 5, 0).is_none());
        let refill = Refill::new(Duration::from_secs(1), 1, 1);
        for key in 0..3 * BUCKETS_MAX {
            buckets.take(key, refill, at(0)).unwrap();
        }
        assert!(buckets.0.lock().unwrap().len() <= BUCKETS_MAX);
    }

    #[test]
    fn addresses_count_by_network() {
        let address = |text: &str| network(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_eq!(address("::ffff:10.0.0.1"), address("10.0.0.1"));
    }
}
