//! PostgreSQL: the wire, how its errors are told, and how our SQL is put into its words.
//!
//! All connections live on one thread, "wire"; whoever asks waits by parking, so that any thread
//! may ask: one of the server's workers too, where a runtime of its own would panic.

mod copying;
mod fault;
mod hosts;
mod hub;
mod text;
mod wire;

pub(super) use copying::CopyIn;
#[cfg(test)]
pub(super) use text::translated;
pub(super) use text::{many, numbered, only_reads};
pub(super) use tokio_postgres::Row as WireRow;
pub(super) use wire::{Answered, Wire};
