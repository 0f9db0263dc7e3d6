//! Who the keys belong to, remembered.
//!
//! What is remembered holds as long as the version of the callers stands still, which the file
//! itself moves with every change of a key, its holder or the settings, also one by another
//! process. The version is read with every request, or by the writer with the change that is asked
//! for, so a key that was revoked is never good again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::Timestamp;
use crate::secret::KeyHash;
use crate::store::keys::{self, Caller};
use crate::store::{self, Point};

/// Keys that are remembered at most.
const KNOWN_MAX: usize = 10_000;

/// A caller, and when it was last noted that the key is in use.
pub(super) struct Known {
    pub caller: Caller,
    noted_at: AtomicI64,
}

impl Known {
    fn new(caller: Caller) -> Self {
        let noted_at = caller.last_used_at.map_or(i64::MIN, |at| at.0);
        Self { caller, noted_at: AtomicI64::new(noted_at) }
    }

    /// Whether the last note is so old. If it is, this is the next one.
    pub(super) fn is_due(&self, now: Timestamp, every_seconds: i64) -> bool {
        let noted_at = self.noted_at.load(Ordering::Relaxed);
        let is_due = now.0.saturating_sub(noted_at) >= every_seconds;
        is_due
            && self
                .noted_at
                .compare_exchange(noted_at, now.0, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// A caller, and the version of all callers in which this one was seen.
pub(super) struct Seen {
    pub known: Arc<Known>,
    pub callers: i64,
}

/// The callers of the newest version that was seen.
#[derive(Default)]
pub(super) struct Callers(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    version: i64,
    known: HashMap<KeyHash, Arc<Known>>,
}

impl Shelf {
    fn find(&self, hash: &KeyHash) -> Option<Seen> {
        let known = self.known.get(hash)?;
        Some(Seen { known: Arc::clone(known), callers: self.version })
    }
}

impl Callers {
    /// The holder of a key that has not been revoked.
    pub(super) fn find(&self, db: &Point<'_>, hash: KeyHash) -> store::Result<Option<Seen>> {
        let version = db.versions()?.callers;
        if let Some(seen) = self.shelf(version).and_then(|shelf| shelf.find(&hash)) {
            return Ok(Some(seen));
        }
        let Some(caller) = keys::find_caller(db, &hash)? else { return Ok(None) };
        let known = Arc::new(Known::new(caller));
        if let Some(mut shelf) = self.shelf(version) {
            if shelf.known.len() >= KNOWN_MAX {
                shelf.known.clear();
            }
            shelf.known.insert(hash, Arc::clone(&known));
        }
        Ok(Some(Seen { known, callers: version }))
    }

    /// Whose key it was when it was last looked up, and in which version.
    pub(super) fn recall(&self, hash: &KeyHash) -> Option<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).find(hash)
    }

    /// What is known at a version; nothing where the version is an older one than was seen.
    fn shelf(&self, version: i64) -> Option<MutexGuard<'_, Shelf>> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if version > shelf.version {
            *shelf = Shelf { version, ..Shelf::default() };
        }
        (version == shelf.version).then_some(shelf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Discount;
    use crate::domain::{KeyId, UserId};

    #[test]
    fn a_use_is_noted_once_in_a_while() {
        let caller = Caller {
            key: KeyId(1),
            user: UserId(1),
            is_suspended: false,
            last_used_at: None,
            discount: Discount::NONE,
            has_custom_rates: false,
            currency: "USD".to_owned(),
        };
        let known = Known::new(caller);
        let due: Vec<_> =
            [5, 6, 64, 65, 66].map(|at| known.is_due(Timestamp(at), 60)).into_iter().collect();
        assert_eq!(due, [true, false, false, true, false]);
    }

    #[test]
    fn what_is_known_goes_with_its_version() {
        let callers = Callers::default();
        callers.shelf(2).unwrap().known.reserve(1);
        assert!(callers.shelf(1).is_none());
        assert!(callers.shelf(2).unwrap().known.capacity() > 0);
        assert_eq!(callers.shelf(3).unwrap().known.capacity(), 0);
    }
}
