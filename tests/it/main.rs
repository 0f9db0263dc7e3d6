//! One test binary: real servers on real ports over real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod crash;
mod faults;
mod http;
mod panel;
mod seed;
mod server;
