//! Reads that do not depend on each other, asked of a server at once: a page whose parts are asked
//! one after the other waits for the network as often.
//!
//! They are tried, each until it asks for what is not known yet; all that is asked then, and they
//! are tried again, until nothing is missing. What is known then is found where it is asked for. It
//! holds for as long as a look does, since a look is at one moment; in a transaction that writes,
//! until it writes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::pg::WireRow;
use super::value::{Due, List, Owned};
use super::{Error, Read, Result};

/// How often reads are tried: one that asks for something else each time would go on forever.
const TRIES_MAX: usize = 8;

/// A statement and its parameters.
type Question = (Box<str>, Vec<Owned>);

/// What a look knows before it is asked for.
#[derive(Default)]
pub(super) struct Ahead {
    known: HashMap<Question, Arc<[WireRow]>>,
    /// What was asked for and is not known; `None` where reads are not tried but done.
    missing: Option<HashSet<Question>>,
}

impl Ahead {
    /// The rows of a statement, if they are known. An error where reads are only tried and they
    /// are not.
    pub(super) fn recall(&mut self, sql: &str, params: List<'_>) -> Result<Option<Arc<[WireRow]>>> {
        if self.known.is_empty() && self.missing.is_none() {
            return Ok(None);
        }
        let key = (Box::from(sql), Owned::all(params));
        let known = self.known.get(&key).cloned();
        let Some(missing) = self.missing.as_mut().filter(|_| known.is_none()) else {
            return Ok(known);
        };
        missing.insert(key);
        Err(Error::fault("a read was only tried"))
    }

    /// Forgets all that is known: what was written since may have changed it.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Whether reads are only tried.
    pub(super) const fn is_trying(&self) -> bool {
        self.missing.is_some()
    }
}

/// What several reads find, as a tuple: asked of a server at once, as far as none of them waits for
/// another. Each is an expression that can be evaluated twice.
macro_rules! together {
    ($db:ident: $($read:expr),+ $(,)?) => {{
        $db.ahead(&[$(&|$db: &$crate::store::Read<'_>| $read.map(drop)),+])?;
        ($($read?),+)
    }};
}
pub(crate) use together;

/// One of several reads, told apart from what it finds.
pub type Part<'a> = &'a dyn Fn(&Read<'_>) -> Result<()>;

impl Read<'_> {
    /// Asks a server at once for what these reads are going to ask for, as far as it is known. They
    /// must ask for the same when they are done.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn ahead(&self, parts: &[Part<'_>]) -> Result<()> {
        let (Some(wire), Some(ahead)) = (self.wire(), self.ahead) else { return Ok(()) };
        // What goes wrong goes wrong again where it is told.
        let tried = || parts.iter().for_each(|part| drop(part(self)));
        if ahead.borrow().is_trying() {
            tried(); // as a part of another
            return Ok(());
        }
        for _ in 0..TRIES_MAX {
            ahead.borrow_mut().missing = Some(HashSet::new());
            tried();
            let missing = ahead.borrow_mut().missing.take().unwrap_or_default();
            if missing.is_empty() {
                break;
            }
            let due = |(sql, values)| Due { sql: String::from(sql).into(), values };
            let missing: Vec<Due> = missing.into_iter().map(due).collect();
            let answers = self.ask_all(wire, &missing)?;
            let keys = missing.into_iter().map(|due| (Box::from(&*due.sql), due.values));
            let known = keys.zip(answers.into_iter().map(Arc::from));
            ahead.borrow_mut().known.extend(known);
        }
        Ok(())
    }

    /// Does the same read for each of several keys, all at once.
    ///
    /// # Errors
    /// What `read` returns, or a fault of the database.
    pub fn each<K, T>(
        &self,
        keys: &[K],
        read: impl Fn(&Read<'_>, &K) -> Result<T>,
    ) -> Result<Vec<T>> {
        if self.ahead.is_some() {
            let all = |db: &Read<'_>, key: &K| read(db, key).map(drop);
            let parts: Vec<_> = keys.iter().map(|key| move |db: &Read<'_>| all(db, key)).collect();
            let parts: Vec<Part<'_>> = parts.iter().map(|part| part as Part<'_>).collect();
            self.ahead(&parts)?;
        }
        keys.iter().map(|key| read(self, key)).collect()
    }
}
