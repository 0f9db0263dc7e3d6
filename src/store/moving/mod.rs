//! Moving a whole panel to another place: from a file to a server, back, or to another of its kind.
//!
//! Nobody else writes where it comes from as long as that takes, and what arrives is kept only
//! once it was checked like the panel itself and found to be the same to the byte. A move that
//! fails leaves nothing. The key that seals secrets is not part of it, nor is the epoch file; but a
//! server is told which key that is.

mod digest;
mod server;
mod source;
mod tables;
mod target;

use std::time::{Duration, Instant};

use self::digest::Digest;
use self::source::Source;
use self::tables::Table;
use self::target::Target;
use super::check::{self, Finding};
use super::copies::CopyError;
use super::place::Place;
use super::schema::OpenError;
use super::value::{RowResult, Value};
use super::{Error, Read, nodes};
use crate::clock::instant;
use crate::config::fail_at;
use crate::domain::money::Money;

/// Rows between two looks at the clock.
const ROWS_PER_LOOK: u64 = 1024;
/// How often it is told how far the move is.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// Something lives in the target already.
    #[error("{0} is not empty; it was left as it is")]
    NotEmpty(Place),
    /// Processes that write to the source are alive.
    #[error("{0} is in use, nodes at work: {1}; stop them (one that was killed counts for 30 s)")]
    InUse(Place, i64),
    /// The target's file could not be written.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The source could not be opened, or is no panel.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// One of the two failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// What was moved does not add up.
    #[error("what was moved is not sound and was not kept:\n{}", check::lines(.0))]
    Unsound(Vec<Finding>),
    /// What arrived is not what was sent: the table.
    #[error("{0} did not arrive as it was; nothing was kept")]
    Changed(String),
}

type Result<T> = std::result::Result<T, MoveError>;

impl MoveError {
    /// Whether the storage failed (exit 74), and this is no refusal (exit 1).
    pub fn is_storage(&self) -> bool {
        match self {
            Self::NotEmpty(_) | Self::InUse(..) | Self::Unsound(_) => false,
            Self::Copy(error) => error.is_storage(),
            Self::Open(error) => error.is_storage(),
            Self::Store(error) => error.is_storage(),
            Self::Changed(_) => true,
        }
    }
}

impl From<rusqlite::Error> for MoveError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    pub step: Step<'a>,
    /// Of [`Progress::of`]: rows, or guards.
    pub done: u64,
    /// What the step will have done when it ends.
    pub of: u64,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The rows of a table are copied.
    Copy(&'a str),
    /// Indexes, references and triggers are made.
    Guard,
    /// What has arrived is checked.
    Check,
    /// The rows of a table are read again, to compare them.
    Compare(&'a str),
}

/// Who is told how far a move is: ten times a second, and when a step ends.
pub type Tell<'t> = &'t mut dyn FnMut(Progress<'_>);

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub tables: usize,
    pub rows: u64,
    /// What resellers hold together.
    pub held: Money,
    /// The same for the same panel, wherever it lives: SHA-256 over those of its tables.
    pub digest: [u8; 32],
}

/// Moves a panel into an empty place. Where it comes from, everything stays as it is. The key file
/// that has `key_id` is the one that a server's nodes will need, unless the source is a server and
/// knows it; without either it is that of the first node.
///
/// # Errors
/// Leaves nothing in the target, whatever goes wrong.
pub fn run(from: &Place, to: &Place, key_id: Option<String>, tell: Tell<'_>) -> Result<Moved> {
    let tables = tables::all()?;
    let target = Target::begin(to)?;
    let source = Source::hold(from)?;
    let there = source.look();
    if let Some(id) = nodes::key_id(&there)?.or(key_id) {
        target.set_key_id(&id)?;
    }
    let mut sent = Vec::with_capacity(tables.len());
    for table in &tables {
        sent.push(copy(table, &there, &target, tell)?);
    }
    fail_at("move-copied");
    target.guard(&tables, tell)?;

    tell(Progress { step: Step::Check, done: 0, of: 1 });
    let here = target.look();
    let findings = check::check_here(&here)?;
    if !findings.is_empty() {
        return Err(MoveError::Unsound(findings));
    }
    tell(Progress { step: Step::Check, done: 1, of: 1 });
    for (table, sent) in tables.iter().zip(&sent) {
        let step = Step::Compare(&table.name);
        let arrived = read(table, &here, Watch::new(step, sent.rows, tell), |_| Ok(()))?;
        if arrived != *sent {
            return Err(MoveError::Changed(table.name.clone()));
        }
    }
    let held = held(&here)?;
    if held != self::held(&there)? {
        return Err(MoveError::Changed("what resellers hold".to_owned()));
    }
    fail_at("move-compared");
    target.keep()?;
    Ok(Moved {
        tables: tables.len(),
        rows: sent.iter().map(|content| content.rows).sum(),
        held: Money::from_micros(i64::try_from(held).unwrap_or(i64::MAX)),
        digest: digest::of_all(sent.iter().map(|content| &content.digest)),
    })
}

/// What a table holds, in short.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    rows: u64,
    digest: [u8; 32],
}

fn copy(table: &Table, there: &Read<'_>, target: &Target, tell: Tell<'_>) -> Result<Content> {
    let count = there.get(&table.count(), [], |row| row.get::<i64>(0))?;
    let watch = Watch::new(Step::Copy(&table.name), count.unsigned_abs(), tell);
    let mut filling = target.fill(table)?;
    let content = read(table, there, watch, |row| filling.add(row))?;
    filling.end()?;
    Ok(content)
}

/// Goes through a table in the order of its key.
fn read(
    table: &Table,
    db: &Read<'_>,
    mut watch: Watch<'_, '_>,
    mut each: impl FnMut(&[Value<'_>]) -> super::Result<()>,
) -> Result<Content> {
    let mut digest = Digest::of(table);
    db.for_each(&table.select(), [], |row| {
        let row =
            (0..table.columns.len()).map(|at| row.value(at)).collect::<RowResult<Vec<_>>>()?;
        digest.add(&row);
        watch.count();
        each(&row)
    })?;
    watch.end();
    Ok(Content { rows: watch.done, digest: digest.end() })
}

/// The balances of all resellers.
fn held(db: &Read<'_>) -> Result<i128> {
    let mut sum = 0;
    db.for_each("SELECT balance_micros FROM accounts WHERE kind = 'user'", [], |row| {
        sum += i128::from(row.get::<i64>(0)?);
        Ok(())
    })?;
    Ok(sum)
}

/// Counts what a step has done, and tells of it now and then.
struct Watch<'s, 't> {
    step: Step<'s>,
    done: u64,
    of: u64,
    told_at: Instant,
    tell: Tell<'t>,
}

impl<'s, 't> Watch<'s, 't> {
    fn new(step: Step<'s>, of: u64, tell: Tell<'t>) -> Self {
        Self { step, done: 0, of, told_at: instant(), tell }
    }

    fn count(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(ROWS_PER_LOOK) && self.told_at.elapsed() >= TELL_EVERY {
            self.told_at = instant();
            (self.tell)(Progress { step: self.step, done: self.done, of: self.of });
        }
    }

    fn end(&mut self) {
        self.of = self.done;
        (self.tell)(Progress { step: self.step, done: self.done, of: self.of });
    }
}
