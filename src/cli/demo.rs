//! `demo`.

use std::path::Path;

use super::{Failure, Result, open};
use crate::commands::catalog_csv;
use crate::commands::demo::{self, FillDemo};
use crate::secret::{self, KeyHash, Secret};

pub(super) fn run(db: &Path, json: bool) -> Result {
    let drafts = catalog_csv::read(demo::CATALOGUE.as_bytes());
    let drafts = drafts.map_err(|error| Failure::Csv("demo.csv".to_owned(), error))?;
    let (alice, bob) = (secret::new_api_key(), secret::new_api_key());
    let (alice_key, bob_key) = (kept(&alice), kept(&bob));
    let refill_orders = open(db)?.write_blocking(FillDemo { drafts, alice_key, bob_key })?;
    let refill_orders: Vec<i64> = refill_orders.iter().map(|order| order.0).collect();
    let (alice, bob) = (alice.expose(), bob.expose());
    if json {
        let keys = serde_json::json!({ "alice": alice, "bob": bob });
        say!("{}", serde_json::json!({ "keys": keys, "refill_orders": refill_orders }))?;
        return Ok(());
    }
    say!("A sample shop is ready.")?;
    say!("alice, who owns 1000.00, has the key {alice}")?;
    say!("bob, who owns nothing, has the key {bob}")?;
    Ok(())
}

/// What is kept of a key.
fn kept(key: &Secret) -> (KeyHash, String) {
    (KeyHash::of(key.expose()), secret::shown_prefix(key).to_owned())
}
