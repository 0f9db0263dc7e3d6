//! Everything that changes state: one struct for each change.
//!
//! A command loads what it needs, lets the domain decide, and saves what was decided; every refusal
//! comes before the first write. The pages, the API and the command line all go through these.

pub mod accounts;
pub mod admins;
pub mod alerts;
pub mod catalog;
pub mod catalog_csv;
pub mod categories;
pub mod conditions;
pub mod deciding;
pub mod demo;
pub mod drips;
pub mod errands;
mod hands;
pub mod importing;
pub mod nodes;
pub mod orders;
pub mod parking;
pub mod places;
pub mod posts;
pub mod providers;
pub mod replacing;
pub mod returning;
pub mod sending;
pub mod services;
pub mod settings;
pub mod supply;
pub mod syncing;
mod telling;
pub mod watching;
pub mod webhooks;

use crate::domain::Actor;
use crate::store::audit::{self, Entry};
use crate::store::{Result, Tx};

/// Writes down what a person changed.
fn record(
    tx: &Tx<'_>,
    actor: &Actor,
    verb: &'static str,
    object: impl ToString,
    change: String,
) -> Result<()> {
    audit::record(tx, &Entry { actor, verb, object: object.to_string(), change })
}
