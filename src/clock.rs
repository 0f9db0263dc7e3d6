//! The only reader of time. Everything else is handed a `Timestamp` or a `Clock`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use crate::domain::Timestamp;

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// For tests: seconds that move only when told.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at the given second.
    pub fn manual(seconds: i64) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(seconds)))
    }

    /// Moves a manual clock, back too; the machine's is left alone.
    pub fn advance(&self, seconds: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// The wall clock, which only grows: where the machine's has stepped back, it goes on by the
    /// time that has passed, so that what is due falls due. A manual one may step back.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the clock")]
                let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let seconds = since_epoch.map_or(0, |elapsed| elapsed.as_secs());
                let wall = i64::try_from(seconds).unwrap_or(i64::MAX);
                let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
                Timestamp(latest.grow(wall, instant()))
            }
            Self::Manual(now) => Timestamp(now.load(Ordering::Relaxed)),
        }
    }
}

/// What the wall clock of this process has last said.
static LATEST: Mutex<Latest> = Mutex::new(Latest(None));

/// The latest second of a clock, and when it was read.
struct Latest(Option<(i64, Instant)>);

impl Latest {
    /// The second that it is, where the wall clock says `wall`.
    fn grow(&mut self, wall: i64, now: Instant) -> i64 {
        if let Some((second, since)) = self.0 {
            let passed = now.saturating_duration_since(since).as_secs();
            let grown = second.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
            if grown > wall {
                return grown;
            }
        }
        self.0 = Some((wall, now));
        wall
    }
}

/// A point to measure durations from. It never jumps.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_clock_that_steps_back_goes_on_by_the_time_that_has_passed() {
        let (begun, mut latest) = (instant(), Latest(None));
        let mut after = |seconds, wall| latest.grow(wall, begun + Duration::from_secs(seconds));
        assert_eq!(after(0, 1000), 1000);
        assert_eq!(after(5, 1005), 1005);
        assert_eq!(after(10, 400), 1010, "it has stepped back");
        assert_eq!(after(70, 460), 1070);
        assert_eq!(after(80, 5000), 5000, "forward it is followed");
        assert_eq!(after(81, 5001), 5001);
    }
}
