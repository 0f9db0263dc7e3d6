//! The only reader of time. Everything else is handed a `Timestamp` or a `Clock`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
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

    /// The wall clock. It may jump either way: the store makes it only grow.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the clock")]
                let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let seconds = since_epoch.map_or(0, |elapsed| elapsed.as_secs());
                Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX))
            }
            Self::Manual(now) => Timestamp(now.load(Ordering::Relaxed)),
        }
    }
}

/// A point to measure durations from. It never jumps.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn instant() -> Instant {
    Instant::now()
}
