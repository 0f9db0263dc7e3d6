//! Whether the books balance: what was found when they were last looked at.
//!
//! A page looks by itself, at what is cheap to look at, when nobody has for a while. All of it is
//! read when somebody asks for that, once at a time, since it takes as long as the file is long.

use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::block;

use super::Admin;
use super::error::PageError;
use super::gate::Cx;
use super::reply::Answer;
use super::shell::Toast;
use crate::commands::accounts::RecordCheck;
use crate::domain::Timestamp;
use crate::store;
use crate::store::check::{self, Finding};

/// After that long a page looks again, at what is cheap.
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
pub(super) struct Books(Mutex<Known>);

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
struct Turn<'a>(&'a Books);

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
    fn begin(&self, now: Timestamp) -> Option<Turn<'_>> {
        let mut known = self.lock();
        if known.runs_since.is_some() {
            return None;
        }
        known.runs_since = Some(now);
        Some(Turn(self))
    }
}

/// What a page says about the books.
pub(super) struct State {
    /// When they were last looked at.
    pub(super) at: Timestamp,
    /// Whether every row was read then.
    pub(super) is_whole: bool,
    /// Since when every row is being read.
    pub(super) runs_since: Option<Timestamp>,
    /// What is wrong, at most [`SHOWN_MAX`] of it.
    pub(super) findings: Vec<String>,
    /// How much more is wrong.
    pub(super) more: usize,
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

/// How the books stand. Looks at the sums if nobody has looked lately.
pub(super) async fn state(cx: &Cx) -> Result<State, PageError> {
    let now = cx.now();
    let known = cx.admin.books.lock().clone();
    let looked = known.quick.iter().chain(&known.whole).map(|checked| checked.at).max();
    if looked.is_some_and(|at| now.0 - at.0 < QUICK_EVERY_SECONDS) {
        return Ok(known.state(now));
    }
    let findings = cx.read(check::quick).await?;
    let mut known = cx.admin.books.lock();
    known.quick = Some(Checked { at: now, findings });
    Ok(known.state(now))
}

/// Reads every row. What comes of it is kept, should nobody wait for the answer.
fn read_all(admin: &Admin) -> Option<store::Result<Vec<Finding>>> {
    let turn = admin.books.begin(admin.clock.now())?;
    let found = admin.store.check();
    if let Ok(findings) = &found {
        let checked = Checked { at: admin.clock.now(), findings: findings.clone() };
        admin.books.lock().whole = Some(checked);
    }
    drop(turn);
    Some(found)
}

/// Checks everything, as `panelite check` does.
pub(super) async fn check_now(cx: &mut Cx) -> Answer {
    cx.admit_change()?;
    let admin = cx.admin.clone();
    let found = block(move || read_all(&admin)).await.unwrap_or(Some(Err(store::Error::Busy)));
    let Some(found) = found else {
        return cx.go("/admin/ledger", Toast::said("The books are being checked already"));
    };
    let findings: Vec<String> = found?.iter().map(Finding::to_string).collect();
    let toast = match findings.len() {
        0 => "Everything was checked, the books are sound".to_owned(),
        1 => "Something is wrong with the books".to_owned(),
        count => format!("{count} things are wrong with the books"),
    };
    cx.write(RecordCheck { actor: cx.actor()?, findings }).await?;
    cx.go("/admin/ledger", Toast::said(toast))
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
