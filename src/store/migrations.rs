//! The steps that lead from each earlier schema to today's. `schema.sql` is their sum.
//!
//! A step is never changed once a version with it was released, and each has a kept file of the
//! schema before it in `tests/it/fixture/`. A column that is added stands last among its table's
//! columns in `schema.sql`, before the table's CHECKs: there SQLite puts it. A command that has the
//! file open beside a server that upgrades it goes on with the statements it knows, so a step adds;
//! what is to go is taken away a version later.

use std::cell::RefCell;

use super::sums::Sums;
use super::tx::{Conn, Tx};
use super::{Error, Result, links};
use crate::domain::Timestamp;

/// What leads from one version of the schema to the next.
pub(super) struct Step {
    /// Statements, as `schema.sql` has them.
    sql: &'static str,
    /// What SQL cannot say, over the rows, afterwards. It must not depend on the time, and it goes
    /// through them in slices: there may be millions.
    rows: Option<fn(&Tx<'_>) -> Result<()>>,
    /// Statements for when the rows are as they are to be: what each row would else pay for.
    after: &'static str,
}

/// First the step from version 1 to 2.
const MIGRATIONS: &[Step] = &[
    Step { sql: BOUNDS_AND_CATALOGUE, rows: None, after: "" },
    Step { sql: LINK_KEY, rows: Some(links::fill_keys), after: LINK_KEY_INDEX },
];

/// The version of `schema.sql`.
#[expect(clippy::cast_possible_wrap, reason = "a list in a source file")]
pub(super) const VERSION: i64 = 1 + MIGRATIONS.len() as i64;

/// Runs the steps that a file of that version lacks. The caller has begun a transaction.
pub(super) fn run(conn: &Conn, found: i64) -> Result<()> {
    if !(1..=VERSION).contains(&found) {
        return Err(Error::fault("only an older schema can be upgraded"));
    }
    let sums = RefCell::<Sums>::default();
    let done = usize::try_from(found - 1).unwrap_or(0);
    for Step { sql, rows, after } in MIGRATIONS.iter().skip(done) {
        conn.run_all(sql)?;
        if let Some(rows) = rows {
            rows(&Tx::new(conn, Timestamp(0), &sums))?;
        }
        conn.run_all(after)?;
    }
    conn.run(&format!("PRAGMA user_version = {VERSION}"))
}

const BOUNDS_AND_CATALOGUE: &str = "
ALTER TABLE accounts ADD COLUMN first_order_id INTEGER;
ALTER TABLE accounts ADD COLUMN last_order_id INTEGER;

UPDATE accounts SET first_order_id = bought.oldest, last_order_id = bought.newest
FROM (SELECT u.account_id, min(o.id) AS oldest, max(o.id) AS newest
      FROM orders o JOIN users u ON u.id = o.user_id GROUP BY u.account_id) AS bought
WHERE bought.account_id = accounts.id;

CREATE TRIGGER catalogue_discount_changed AFTER UPDATE OF discount_bp ON users
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_category_made AFTER INSERT ON categories
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_category_changed AFTER UPDATE ON categories
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_category_gone AFTER DELETE ON categories
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_service_made AFTER INSERT ON services
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_service_changed AFTER UPDATE ON services
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_service_gone AFTER DELETE ON services
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_rate_made AFTER INSERT ON user_rates
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_rate_changed AFTER UPDATE ON user_rates
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_rate_gone AFTER DELETE ON user_rates
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
";

const LINK_KEY: &str = "
DROP INDEX orders_link;
ALTER TABLE orders ADD COLUMN link_key TEXT NOT NULL DEFAULT '';
";

const LINK_KEY_INDEX: &str = "
CREATE INDEX orders_link ON orders (block, link_key);
";
