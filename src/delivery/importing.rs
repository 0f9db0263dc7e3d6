//! The one import that may run at a time. It lives in memory: the house writes it slice by slice,
//! pages look how far it is, and a restart ends it where it stands.

use std::sync::{Arc, Mutex};

use super::{Delivery, Step, lock};
use crate::commands::importing::{ImportSlice, Plan, UndoImport, Undone, Written};
use crate::domain::refusal::{ProviderRefusal, Refusal};
use crate::domain::{Actor, ProviderId};
use crate::store::{Error, Result};

/// What is known of the import that runs, or has run last.
#[derive(Default)]
pub(super) struct Importer(Mutex<Option<Import>>);

struct Import {
    actor: Actor,
    plan: Arc<Plan>,
    /// Where the next slice begins.
    from: usize,
    written: Written,
    phase: Phase,
}

/// How an import stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    Runs,
    Done,
    /// It ended early: what was written until then stands.
    Refused(Refusal),
    /// What it wrote is being taken back.
    Undoing(Undone),
    Undone(Undone),
}

/// How far an import is, for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub provider: ProviderId,
    /// Lines of the plan.
    pub total: usize,
    pub done: usize,
    /// What was written and can be taken back.
    pub written: usize,
    pub phase: Phase,
}

impl Progress {
    /// Whether it goes on by itself.
    pub fn is_running(&self) -> bool {
        match self.phase {
            Phase::Runs | Phase::Undoing(_) => true,
            Phase::Done | Phase::Refused(_) | Phase::Undone(_) => false,
        }
    }
}

impl Import {
    fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Runs | Phase::Undoing(_))
    }
}

impl Delivery {
    /// Begins an import that was planned and looked at.
    ///
    /// # Errors
    /// `ImportRuns` while another one does.
    pub fn import(&self, actor: Actor, plan: Plan) -> std::result::Result<(), ProviderRefusal> {
        let mut import = lock(&self.importer.0);
        if import.as_ref().is_some_and(Import::is_running) {
            return Err(ProviderRefusal::ImportRuns);
        }
        let (plan, written) = (Arc::new(plan), Written::default());
        *import = Some(Import { actor, plan, from: 0, written, phase: Phase::Runs });
        drop(import);
        self.store.bell().ring();
        Ok(())
    }

    /// Begins to take back what the last import wrote.
    ///
    /// # Errors
    /// `ImportRuns` while it is not through, `NothingToUndo` where there is none.
    pub fn undo_import(&self, actor: Actor) -> std::result::Result<(), ProviderRefusal> {
        let mut import = lock(&self.importer.0);
        let import_of = import.as_mut().filter(|import| import.is_running() || has_any(import));
        let found = import_of.ok_or(ProviderRefusal::NothingToUndo)?;
        if found.is_running() {
            return Err(ProviderRefusal::ImportRuns);
        }
        (found.actor, found.phase) = (actor, Phase::Undoing(Undone::default()));
        drop(import);
        self.store.bell().ring();
        Ok(())
    }

    /// How far the import is that runs, or has run last.
    pub fn import_progress(&self) -> Option<Progress> {
        let import = lock(&self.importer.0);
        import.as_ref().map(|import| Progress {
            provider: import.plan.provider,
            total: import.plan.lines.len(),
            done: import.from,
            written: import.written.len(),
            phase: import.phase.clone(),
        })
    }
}

fn has_any(import: &Import) -> bool {
    !import.written.is_empty()
}

/// Whether a slice is to be written.
pub(super) fn is_due(delivery: &Delivery) -> bool {
    lock(&delivery.importer.0).as_ref().is_some_and(Import::is_running)
}

/// Writes the next slice, or takes the next one back. Only the house does, so nobody else moves the
/// import on while the command runs; pages may look at it.
pub(super) fn step(delivery: &Delivery) -> Result<Step> {
    enum Next {
        Write(ImportSlice),
        TakeBack(UndoImport),
    }
    let next = {
        let mut import = lock(&delivery.importer.0);
        let Some(import) = import.as_mut().filter(|import| import.is_running()) else {
            return Ok(Step::Idle);
        };
        let (actor, plan, from) = (import.actor.clone(), Arc::clone(&import.plan), import.from);
        match import.phase {
            Phase::Undoing(_) => {
                let (provider, written) = (plan.provider, import.written.split());
                Next::TakeBack(UndoImport { actor, provider, written })
            }
            Phase::Runs | Phase::Done | Phase::Refused(_) | Phase::Undone(_) => {
                Next::Write(ImportSlice { actor, plan, from })
            }
        }
    };
    match next {
        Next::Write(slice) => wrote(delivery, delivery.store.write_blocking(slice)),
        Next::TakeBack(undo) => {
            let tried = undo.written.clone();
            took_back(delivery, tried, delivery.store.write_blocking(undo))
        }
    }
}

fn wrote(delivery: &Delivery, reply: Result<(Written, usize)>) -> Result<Step> {
    let mut import = lock(&delivery.importer.0);
    let Some(import) = import.as_mut() else { return Ok(Step::Idle) };
    match reply {
        Ok((written, from)) => {
            import.written.extend(written);
            import.from = from;
            if from >= import.plan.lines.len() {
                import.phase = Phase::Done;
            }
        }
        Err(Error::Refused(refusal)) => import.phase = Phase::Refused(refusal),
        Err(error @ (Error::Busy | Error::DiskFull | Error::Storage(_))) => return Err(error),
    }
    Ok(Step::Did)
}

/// What could not be taken back just now is taken back later.
fn took_back(delivery: &Delivery, tried: Written, reply: Result<Undone>) -> Result<Step> {
    let mut import = lock(&delivery.importer.0);
    let Some(import) = import.as_mut() else { return Ok(Step::Idle) };
    let more = match reply {
        Ok(more) => more,
        Err(error) => {
            import.written.extend(tried);
            return Err(error);
        }
    };
    let before = match import.phase {
        Phase::Undoing(undone) => undone,
        Phase::Runs | Phase::Done | Phase::Refused(_) | Phase::Undone(_) => Undone::default(),
    };
    let undone = before.and(more);
    import.phase = match import.written.is_empty() {
        true => Phase::Undone(undone),
        false => Phase::Undoing(undone),
    };
    Ok(Step::Did)
}
