//! Whether the books balance: what was found when they were last looked at, kept in memory.
//!
//! `ledger/books.rs` does the looking.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::Timestamp;
use crate::store::check::Finding;

/// After that long the sums are worth another look.
const QUICK_EVERY_SECONDS: i64 = 15 * 60;
/// So many findings are shown; the command line says all.
const SHOWN_MAX: usize = 10;

/// What was found, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Checked {
    at: Timestamp,
    findings: Vec<Finding>,
}

/// What this process knows about its books.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Known>);

#[derive(Clone, Debug, Default)]
struct Known {
    /// By the sums alone.
    quick: Option<Checked>,
    /// By every row.
    whole: Option<Checked>,
    /// Since when every row is being read.
    runs_since: Option<Timestamp>,
}

/// The one check that runs; another can begin when it is dropped.
pub(crate) struct Turn<'a>(&'a Books);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().runs_since = None;
    }
}

impl Books {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to read every row, unless somebody does already.
    pub(crate) fn begin(&self, now: Timestamp) -> Option<Turn<'_>> {
        let mut known = self.lock();
        if known.runs_since.is_some() {
            return None;
        }
        known.runs_since = Some(now);
        Some(Turn(self))
    }

    /// What is known, if somebody has looked lately.
    pub(crate) fn lately(&self, now: Timestamp) -> Option<State> {
        let known = self.lock();
        let looked = known.quick.iter().chain(&known.whole).map(|checked| checked.at).max();
        looked.filter(|at| now.0 - at.0 < QUICK_EVERY_SECONDS).map(|_| known.state(now))
    }

    /// Keeps what the sums have shown, and tells how the books stand now.
    pub(crate) fn keep_quick(&self, at: Timestamp, findings: Vec<Finding>) -> State {
        let mut known = self.lock();
        known.quick = Some(Checked { at, findings });
        known.state(at)
    }
}

impl Turn<'_> {
    /// Keeps what every row has shown.
    pub(crate) fn keep(&self, at: Timestamp, findings: Vec<Finding>) {
        self.0.lock().whole = Some(Checked { at, findings });
    }
}

/// What a page says about the books.
pub(crate) struct State {
    /// The last look at them.
    pub(crate) at: Timestamp,
    /// Whether every row was read then.
    pub(crate) is_whole: bool,
    /// Since when every row is being read.
    pub(crate) runs_since: Option<Timestamp>,
    /// What is wrong, at most [`SHOWN_MAX`] of it.
    pub(crate) findings: Vec<String>,
    /// How much more is wrong.
    pub(crate) more: usize,
}

impl Known {
    /// What a look at every row has found stays until the next one finds it gone.
    fn state(&self, now: Timestamp) -> State {
        let of = |checked: &Option<Checked>| checked.clone().unwrap_or_else(|| nothing(now));
        let (quick, whole) = (of(&self.quick), self.whole.as_ref().map(|_| of(&self.whole)));
        let is_whole = whole.as_ref().is_some_and(|whole| whole.at >= quick.at);
        let at = whole.as_ref().map_or(quick.at, |whole| whole.at.max(quick.at));
        let found = whole.map(|whole| whole.findings).filter(|findings| !findings.is_empty());
        let found = found.unwrap_or(quick.findings);
        let findings = found.iter().take(SHOWN_MAX).map(Finding::to_string).collect();
        let more = found.len().saturating_sub(SHOWN_MAX);
        State { at, is_whole, runs_since: self.runs_since, findings, more }
    }
}

fn nothing(at: Timestamp) -> Checked {
    Checked { at, findings: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_reads_every_row() {
        let books = Books::default();
        let turn = books.begin(Timestamp(1)).unwrap();
        assert!(books.begin(Timestamp(2)).is_none());
        assert_eq!(books.lock().state(Timestamp(3)).runs_since, Some(Timestamp(1)));
        drop(turn);
        assert!(books.begin(Timestamp(4)).is_some());
    }

    #[test]
    fn what_every_row_says_counts_more_than_the_sums() {
        let finding = Finding { rule: "chain", text: "broken".to_owned() };
        let known = Known {
            quick: Some(nothing(Timestamp(9))),
            whole: Some(Checked { at: Timestamp(5), findings: vec![finding; 12] }),
            runs_since: None,
        };
        let state = known.state(Timestamp(10));
        assert_eq!((state.at, state.is_whole, state.more), (Timestamp(9), false, 2));
        assert_eq!(state.findings[0], "chain: broken");
    }
}
