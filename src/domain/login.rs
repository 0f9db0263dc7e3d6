//! Who may try to log in, and how long a session lasts.
//!
//! Tries are counted before the password is looked at, so that a crowd of them at once gains
//! nothing. A name with its address waits longer and longer; an address alone is stopped after
//! thirty; a name alone only makes the answer slower, so nobody can lock another out.

use super::Timestamp;
use super::refusal::OperatorRefusal;

/// The time in which failed tries count.
pub const WINDOW_SECONDS: i64 = 15 * 60;
/// Failed tries of one name from one address that cost nothing but themselves.
const FREE_TRIES: i64 = 5;
/// The wait after them; it doubles with each further try.
const FIRST_WAIT_SECONDS: i64 = 30;
/// Failed tries from one address, whatever the names.
const ADDRESS_TRIES: i64 = 30;
/// Failed tries of one name from anywhere before answers get slow.
const NAME_TRIES: i64 = 10;

/// A session unused for that long has ended.
pub const IDLE_SECONDS: i64 = 30 * 60;
/// However much it is used, a session ends after that.
pub const SESSION_SECONDS: i64 = 12 * 60 * 60;
/// How long the second step of a log-in may take.
pub const HALF_SECONDS: i64 = 5 * 60;
/// For how long after the password was given money, keys and admins may be touched.
pub const PROOF_SECONDS: i64 = 15 * 60;

/// The failed tries that count against a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// Of this name from this address in the window, and when the last one was.
    pub pair: (i64, Option<Timestamp>),
    /// From this address in the window, and when the first of the latest thirty was.
    pub address: (i64, Option<Timestamp>),
    /// Of this name from anywhere in the window.
    pub name: i64,
}

impl Tries {
    /// How many of an address's latest tries are looked at.
    pub const ADDRESS_MAX: i64 = ADDRESS_TRIES;

    /// Whether one more try is allowed now, and by how many seconds its answer is held back.
    ///
    /// # Errors
    /// `TooManyTries` with the seconds to wait.
    pub fn allow(&self, now: Timestamp) -> Result<u64, OperatorRefusal> {
        let (count, last) = self.pair;
        if count >= FREE_TRIES
            && let Some(last) = last
        {
            let doubled = u32::try_from(count - FREE_TRIES).unwrap_or(u32::MAX).min(10);
            let wait = (FIRST_WAIT_SECONDS << doubled).min(WINDOW_SECONDS);
            refuse_until(last.0 + wait, now)?;
        }
        let (count, first) = self.address;
        if count >= ADDRESS_TRIES
            && let Some(first) = first
        {
            refuse_until(first.0 + WINDOW_SECONDS, now)?;
        }
        Ok(match self.name {
            ..NAME_TRIES => 0,
            NAME_TRIES..50 => 1,
            _ => 3,
        })
    }
}

fn refuse_until(then: i64, now: Timestamp) -> Result<(), OperatorRefusal> {
    match then - now.0 {
        wait @ 1.. => Err(OperatorRefusal::TooManyTries(wait)),
        _ => Ok(()),
    }
}

/// What counts for whether a session is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Whether the code is still owed.
    pub is_half: bool,
    pub created_at: Timestamp,
    /// When it was last used, about.
    pub seen_at: Timestamp,
    /// When the password was last given.
    pub proved_at: Timestamp,
}

impl Life {
    /// Whether the session still counts.
    pub const fn is_alive(&self, now: Timestamp) -> bool {
        let longest = if self.is_half { HALF_SECONDS } else { SESSION_SECONDS };
        now.0 - self.created_at.0 < longest && now.0 - self.seen_at.0 < IDLE_SECONDS
    }

    /// Whether the password was given so lately that it need not be given again.
    pub const fn is_proved(&self, now: Timestamp) -> bool {
        !self.is_half && now.0 - self.proved_at.0 < PROOF_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(10_000);

    #[test]
    fn the_wait_of_a_name_and_its_address_doubles() {
        let tries =
            |count, ago| Tries { pair: (count, Some(Timestamp(NOW.0 - ago))), ..Tries::default() };
        assert_eq!(tries(4, 0).allow(NOW), Ok(0));
        assert_eq!(tries(5, 0).allow(NOW), Err(OperatorRefusal::TooManyTries(30)));
        assert_eq!(tries(5, 29).allow(NOW), Err(OperatorRefusal::TooManyTries(1)));
        assert_eq!(tries(5, 30).allow(NOW), Ok(0));
        assert_eq!(tries(6, 0).allow(NOW), Err(OperatorRefusal::TooManyTries(60)));
        assert_eq!(tries(99, 0).allow(NOW), Err(OperatorRefusal::TooManyTries(WINDOW_SECONDS)));
    }

    #[test]
    fn an_address_is_stopped_and_a_name_only_slowed() {
        let first = Some(Timestamp(NOW.0 - 100));
        let address = |count| Tries { address: (count, first), ..Tries::default() };
        assert_eq!(address(29).allow(NOW), Ok(0));
        assert_eq!(address(30).allow(NOW), Err(OperatorRefusal::TooManyTries(800)));
        let name = |name| Tries { name, ..Tries::default() };
        assert_eq!(name(9).allow(NOW), Ok(0));
        assert_eq!(name(10).allow(NOW), Ok(1));
        assert_eq!(name(1_000_000).allow(NOW), Ok(3));
    }

    #[test]
    fn a_session_ends_by_rest_and_by_age() {
        let life = Life { is_half: false, created_at: NOW, seen_at: NOW, proved_at: NOW };
        let at = |seconds| Timestamp(NOW.0 + seconds);
        assert!(life.is_alive(at(IDLE_SECONDS - 1)) && !life.is_alive(at(IDLE_SECONDS)));
        let used = Life { seen_at: at(SESSION_SECONDS - 1), ..life };
        assert!(used.is_alive(at(SESSION_SECONDS - 1)) && !used.is_alive(at(SESSION_SECONDS)));
        assert!(life.is_proved(at(PROOF_SECONDS - 1)) && !life.is_proved(at(PROOF_SECONDS)));
        let half = Life { is_half: true, ..life };
        assert!(!half.is_proved(NOW) && !half.is_alive(at(HALF_SECONDS)));
    }
}
