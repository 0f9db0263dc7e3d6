//! The last calls to each provider, masked, in memory: for the person who wonders what it says.
//!
//! A ring of 200 calls of at most 4 KiB each, and of the last 1000 only whether they were answered
//! and in what time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mask::excerpt;
use crate::clock::Clock;
use crate::domain::{ProviderId, Timestamp};

const CALLS_MAX: usize = 200;
const TIMED_MAX: usize = 1000;
/// Characters kept of a request, and of an answer: at most 2 KiB where they are ASCII, and cut to
/// that where they are not.
const TEXT_LENGTH_MAX: usize = 2000;
const TEXT_BYTES_MAX: usize = 2048;

/// One call, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub at: Timestamp,
    pub action: &'static str,
    /// How long it took.
    pub ms: i64,
    /// The HTTP status, if one came.
    pub http: Option<u16>,
    /// What became of it, in a word or two.
    pub outcome: &'static str,
    /// Whether it was answered and understood, be it by a refusal.
    pub is_answered: bool,
    pub request: String,
    /// The answer's body, or why there is none.
    pub answer: String,
}

/// How the last calls to a provider went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub calls: usize,
    /// Of those the ones that were answered, in percent, rounded down.
    pub answered_percent: usize,
    pub median_ms: i64,
}

#[derive(Default)]
struct Ring {
    calls: VecDeque<Call>,
    timed: VecDeque<(bool, i64)>,
}

/// The calls to all providers. Clones are one and the same.
#[derive(Clone, Default)]
pub struct Calls {
    clock: Clock,
    rings: Arc<Mutex<HashMap<ProviderId, Ring>>>,
}

impl Calls {
    /// No calls yet.
    pub fn new(clock: Clock) -> Self {
        Self { clock, rings: Arc::default() }
    }

    /// Where one provider's calls are written down.
    pub fn book(&self, provider: ProviderId) -> Book {
        Book { calls: self.clone(), provider }
    }

    /// The last calls to a provider, newest first.
    pub fn list(&self, provider: ProviderId) -> Vec<Call> {
        let rings = self.rings();
        rings
            .get(&provider)
            .map(|ring| ring.calls.iter().rev().cloned().collect())
            .unwrap_or_default()
    }

    /// How the last 1000 calls to a provider went.
    pub fn figures(&self, provider: ProviderId) -> Figures {
        let rings = self.rings();
        let Some(ring) = rings.get(&provider).filter(|ring| !ring.timed.is_empty()) else {
            return Figures::default();
        };
        let calls = ring.timed.len();
        let answered = ring.timed.iter().filter(|(is_answered, _)| *is_answered).count();
        let mut times: Vec<i64> = ring.timed.iter().map(|(_, ms)| *ms).collect();
        times.sort_unstable();
        let median_ms = times[times.len() / 2];
        Figures { calls, answered_percent: answered * 100 / calls, median_ms }
    }

    /// Forgets a provider that is gone.
    pub fn forget(&self, provider: ProviderId) {
        self.rings().remove(&provider);
    }

    /// A thread that panicked while it wrote a call down left nothing half done that matters.
    fn rings(&self) -> MutexGuard<'_, HashMap<ProviderId, Ring>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Calls")
    }
}

/// Where one provider's calls are written down.
#[derive(Clone, Debug)]
pub struct Book {
    calls: Calls,
    provider: ProviderId,
}

impl Book {
    /// Writes a call down, as of now. Its texts are masked; they are cut here.
    pub(super) fn record(&self, call: Call) {
        let at = self.calls.clock.now();
        let (request, answer) = (cut(&call.request), cut(&call.answer));
        let mut rings = self.calls.rings();
        let ring = rings.entry(self.provider).or_default();
        push(&mut ring.timed, (call.is_answered, call.ms), TIMED_MAX);
        push(&mut ring.calls, Call { at, request, answer, ..call }, CALLS_MAX);
    }
}

fn push<T>(ring: &mut VecDeque<T>, item: T, most: usize) {
    if ring.len() == most {
        ring.pop_front();
    }
    ring.push_back(item);
}

fn cut(text: &str) -> String {
    let mut text = excerpt(text, TEXT_LENGTH_MAX);
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(ms: i64) -> Call {
        Call {
            at: Timestamp(0),
            action: "add",
            ms,
            http: Some(200),
            outcome: "accepted",
            is_answered: ms % 4 != 0,
            request: "é".repeat(3000),
            answer: "{}".to_owned(),
        }
    }

    #[test]
    fn the_ring_keeps_the_last_calls() {
        let calls = Calls::new(Clock::manual(7));
        let (one, other) = (ProviderId(1), ProviderId(2));
        assert_eq!(calls.figures(one), Figures::default());
        for ms in 0..2000 {
            calls.book(one).record(call(ms));
        }
        let list = calls.list(one);
        assert_eq!((list.len(), list[0].ms, list[199].ms), (CALLS_MAX, 1999, 1800));
        assert!(list.iter().all(|call| call.at == Timestamp(7)));
        assert!(list.iter().all(|call| call.request.len() <= TEXT_BYTES_MAX));
        let figures = Figures { calls: 1000, answered_percent: 75, median_ms: 1500 };
        assert_eq!(calls.figures(one), figures);
        assert!(calls.list(other).is_empty());
        calls.forget(one);
        assert!(calls.list(one).is_empty());
    }
}
