//! Changes of state, as values; and what may be wrapped around one.

use super::Result;
use super::desk::Wants;
use super::tx::{Source, Tx};

/// A change of state, as a value. It loads, decides, saves; it does no I/O of its own, waits for
/// nothing and never asks the clock. It may be run again after a rollback.
pub trait Command: Send + 'static {
    /// What the caller gets once the change is safe on disk.
    type Reply: Send + 'static;

    /// Runs the command inside a transaction.
    ///
    /// # Errors
    /// A refusal, always before anything is written; or a fault of the database.
    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply>;

    /// What it is going to look at, so that a server is asked once for all commands of a batch.
    fn wants(&self, _: &mut Wants) {}
}

/// A command with the request it came by.
pub struct Traced<C> {
    pub source: Source,
    pub command: C,
}

impl<C: Command> Command for Traced<C> {
    type Reply = C::Reply;

    fn run(&self, tx: &Tx<'_>) -> Result<C::Reply> {
        self.command.run(&tx.with_source(self.source.clone()))
    }

    fn wants(&self, wants: &mut Wants) {
        self.command.wants(wants);
    }
}

/// Runs the command only if no key, user or setting has changed since `version` was read.
pub struct IfCallersUnchanged<C> {
    pub version: i64,
    pub command: C,
}

impl<C: Command> Command for IfCallersUnchanged<C> {
    /// `None` where something has changed; then nothing was done.
    type Reply = Option<C::Reply>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        if tx.callers()? != self.version {
            return Ok(None);
        }
        self.command.run(tx).map(Some)
    }

    fn wants(&self, wants: &mut Wants) {
        self.command.wants(wants);
    }
}
