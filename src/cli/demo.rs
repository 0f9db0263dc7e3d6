//! `demo`.

use std::path::Path;

use super::{Failure, Result, open};
use crate::commands::catalog_csv;
use crate::commands::demo::{self, FillDemo};
use crate::password::{self, Cost};
use crate::secret::{self, KeyHash, Secret};

pub(super) fn run(db: &Path, json: bool) -> Result {
    let drafts = catalog_csv::read(demo::CATALOGUE.as_bytes());
    let drafts = drafts.map_err(|error| Failure::Csv("demo.csv".to_owned(), error))?;
    let keys: Vec<Secret> = (0..demo::KEYS).map(|_| secret::new_api_key()).collect();
    let password = password::generate();
    let password_hash = Cost::STRONG.hash(&password);
    let fill = FillDemo { drafts, password_hash, keys: keys.iter().map(kept).collect() };
    let refill_orders = open(db)?.write_blocking(fill)?;
    let refill_orders: Vec<i64> = refill_orders.iter().map(|order| order.0).collect();
    let (alice, bob, password) = (keys[0].expose(), keys[1].expose(), password.expose());
    if json {
        let line = serde_json::json!({
            "admin": { "name": demo::ADMIN, "password": password },
            "keys": { "alice": alice, "bob": bob },
            "refill_orders": refill_orders,
        });
        return say!("{line}");
    }
    say!("A sample shop is ready.")?;
    say!("{} logs in to the pages with the password {password}", demo::ADMIN)?;
    say!("alice, who owns 1000.00, has the key {alice}")?;
    say!("bob, who owns nothing, has the key {bob}")?;
    Ok(())
}

/// What is kept of a key.
fn kept(key: &Secret) -> (KeyHash, String) {
    (KeyHash::of(key.expose()), secret::shown_prefix(key).to_owned())
}
