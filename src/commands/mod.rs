//! Everything that changes state: one struct for each change.
//!
//! A command loads what it needs, lets the domain decide, and saves what was decided; every refusal
//! comes before the first write. The pages, the API and the command line all go through these.

/// Resellers, their keys, money and prices.
pub mod accounts;
/// Admins, logging in and out, codes.
pub mod admins;
/// Importing services.
pub mod catalog;
/// The catalogue as a CSV file.
pub mod catalog_csv;
/// Headings of the catalogue.
pub mod categories;
/// The sample shop.
pub mod demo;
/// Orders and refills.
pub mod orders;
/// Services, one by one or many at once.
pub mod services;
/// Settings.
pub mod settings;

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
