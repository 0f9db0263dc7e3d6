//! One test binary: real servers on real ports over real files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod admin_audit;
mod admin_keys;
mod admin_ledger;
mod admin_orders;
mod admin_people;
mod admin_refills;
mod admin_services;
mod admin_settings;
mod backup;
mod browser;
mod browser_tour;
mod cli;
mod corrupt;
mod crash;
mod domain;
mod faults;
mod http;
mod ledger;
mod malformed;
mod operator;
mod orders;
mod panel;
mod placing;
mod refusals;
mod sample;
mod seed;
mod server;
mod services;
mod store;
mod table;
mod tidy;
mod together;
mod v2;
