//! Panelite: a whole reseller panel in one executable.
//!
//! # The map
//! Layers, each of which names only what stands left of it:
//! [`domain`] ← [`store`] ← [`commands`] ← [`delivery`] ← [`api`] | [`admin`] ← [`app`] ← [`cli`],
//! but `api` does not name `delivery`. On the ground floor, for anyone but the domain: [`clock`],
//! [`secret`], [`password`], [`totp`], [`packed`], [`config`], [`request`], [`telemetry`];
//! [`assets`] serves the pages, and [`practice`] is a provider to try things out on.
//! `tests/it/tidy.rs` holds the table.
//!
//! # The walk of an order
//! The bytes of a request become flat fields (`api/fields.rs`), the key in them a caller, the rest
//! an `Action::Add` (`api/action.rs`). From that comes a
//! [`PlaceOrder`](commands::orders::PlaceOrder), which waits for the one writer thread
//! (`store/writer/mod.rs`). There it loads the user and the service, lets
//! [`placing::place`](domain::placing::place) decide, which is pure and holds every rule and all
//! the arithmetic, and writes two rows: the order, and the posting that moves its price from the
//! user into escrow. The batch it is in is committed and synced; only then the order's id goes back
//! and becomes bytes again (`api/wire.rs`).

pub mod admin;
pub mod api;
pub mod app;
pub mod assets;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod delivery;
pub mod domain;
pub mod packed;
pub mod password;
pub mod practice;
pub mod request;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod totp;
