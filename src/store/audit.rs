//! The audit log: one row for every change by a person, in the change's own transaction.

use super::tx::params;
use super::{Result, Tx};
use crate::domain::Actor;

/// One entry: who did what to what. `change` never holds a secret.
pub struct Entry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// The verb, such as `user.deposit`.
    pub verb: &'static str,
    /// The object, such as `user 7`.
    pub object: String,
    /// What it was and what it is now, for people.
    pub change: String,
}

/// Writes an entry.
pub fn record(tx: &Tx<'_>, entry: &Entry<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO audit (created_at, actor, verb, object, change) VALUES ($1, $2, $3, $4, $5)",
        params![tx.now, entry.actor.to_string(), entry.verb, entry.object, entry.change],
    )?;
    Ok(())
}
