//! One test binary: real servers on real ports over real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
mod http;
mod malformed;
mod panel;
mod refusals;
mod seed;
mod together;
mod v2;
