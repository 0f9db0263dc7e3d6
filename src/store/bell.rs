//! The bell that the writer rings after a commit that left work for delivery, so that nobody has to
//! look for work all the time. What another process commits rings no bell here.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes who waits for work.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<u64>,
    wakes: Condvar,
}

impl Bell {
    /// There is work, or a reason to look up.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.wakes.notify_all();
    }

    /// Waits until the bell has been rung more than `seen` times, or the time is up. Says how often
    /// it has been rung.
    pub fn wait(&self, seen: u64, most: Duration) -> u64 {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wakes.wait_timeout_while(rung, most, |rung| *rung == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
