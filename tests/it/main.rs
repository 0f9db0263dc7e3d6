//! One test binary: real servers on real ports over real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod admin_money;
mod http;
mod operator;
mod panel;
mod seed;
