//! The steps that lead from each earlier schema to today's. `schema.sql` is their sum.
//!
//! A step is never changed once a version with it was released, and each has a kept file of the
//! schema before it in `tests/it/fixture/`. A column that is added stands last among its table's
//! columns in `schema.sql`, before the table's CHECKs: there SQLite puts it. A command that has the
//! file open beside a server that upgrades it goes on with the statements it knows, so a step adds;
//! what is to go is taken away a version later.

use std::cell::RefCell;

use super::conn::Conn;
use super::sums::Sums;
use super::tx::Tx;
use super::{Error, Result, links, pg_schema};
use crate::domain::Timestamp;

/// What leads from one version of the schema to the next.
#[derive(Clone, Copy)]
pub(super) struct Step {
    /// Statements, as `schema.sql` has them.
    pub(super) sql: &'static str,
    /// What SQL cannot say, over the rows, afterwards. It must not depend on the time, and it goes
    /// through them in slices: there may be millions.
    pub(super) rows: Option<fn(&Tx<'_>) -> Result<()>>,
    /// Statements for when the rows are as they are to be: what each row would else pay for.
    pub(super) after: &'static str,
}

/// First the step from version 1 to 2.
pub(super) const MIGRATIONS: &[Step] = &[
    Step { sql: BOUNDS_AND_CATALOGUE, rows: None, after: "" },
    Step { sql: LINK_KEY, rows: Some(links::fill_keys), after: LINK_KEY_INDEX },
    Step { sql: DELIVERY, rows: None, after: "" },
    Step { sql: RUNS_AND_EVENTS, rows: None, after: "" },
];

/// The version of `schema.sql`.
pub(super) const VERSION: i64 = version(MIGRATIONS);

/// The version that all those steps lead to.
#[expect(clippy::cast_possible_wrap, reason = "a list in a source file")]
pub(super) const fn version(steps: &[Step]) -> i64 {
    1 + steps.len() as i64
}

/// Runs the steps, of all there are, that a panel of that version lacks. The caller has begun a
/// transaction.
pub(super) fn run(conn: &Conn, found: i64, steps: &[Step]) -> Result<()> {
    let version = version(steps);
    if !(1..=version).contains(&found) {
        return Err(Error::fault("only an older schema can be upgraded"));
    }
    let sums = RefCell::<Sums>::default();
    let done = usize::try_from(found - 1).unwrap_or(0);
    for Step { sql, rows, after } in steps.iter().skip(done) {
        run_all(conn, sql)?;
        if let Some(rows) = rows {
            rows(&Tx::new(conn, Timestamp(0), &sums))?;
        }
        run_all(conn, after)?;
    }
    conn.run(&match conn {
        Conn::Lite(_) => format!("PRAGMA user_version = {version}"),
        Conn::Pg(_) => format!("UPDATE panelite SET schema_version = {version}"),
    })
}

fn run_all(conn: &Conn, sql: &str) -> Result<()> {
    match conn {
        Conn::Lite(_) => conn.run_all(sql),
        Conn::Pg(_) => conn.run_all(&pg_schema::translated(sql)),
    }
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

/// `providers` and `submissions` are made anew: no earlier program could fill either. Where a row
/// is found all the same, the first statements fail and nothing is changed.
const DELIVERY: &str = "
INSERT INTO settings (key, value) SELECT 'name', NULL FROM providers LIMIT 1;
INSERT INTO settings (key, value) SELECT 'name', NULL FROM submissions LIMIT 1;
DROP TABLE submissions;
DROP TABLE providers;
CREATE TABLE providers (
  id              INTEGER PRIMARY KEY,
  name            TEXT    NOT NULL UNIQUE,
  url             TEXT    NOT NULL,
  created_at      INTEGER NOT NULL,
  account_mac     BLOB    NOT NULL UNIQUE CHECK (length(account_mac) = 32),
  key_sealed      BLOB    NOT NULL,
  dialect         TEXT    NOT NULL DEFAULT 'form' CHECK (dialect = 'form' OR dialect = 'json'),
  currency        TEXT    NOT NULL,
  exchange_nanos  INTEGER NOT NULL CHECK (exchange_nanos > 0),
  is_enabled      INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  is_insecure     INTEGER NOT NULL DEFAULT 0 CHECK (is_insecure IN (0, 1)),
  sends_ids       INTEGER NOT NULL DEFAULT 1 CHECK (sends_ids IN (0, 1)),
  timeout_seconds INTEGER NOT NULL DEFAULT 30 CHECK (timeout_seconds BETWEEN 1 AND 60),
  low_micros      INTEGER,
  trouble         TEXT    NOT NULL DEFAULT ''
                  CHECK (trouble = '' OR trouble = 'funds' OR trouble = 'key'),
  answer          TEXT    NOT NULL DEFAULT '',
  paused_until    INTEGER,
  balance_micros  INTEGER,
  balance_at      INTEGER,
  synced_at       INTEGER,
  sync_due_at     INTEGER NOT NULL,
  last_order      TEXT
) STRICT;
CREATE TABLE readings (
  provider_id    INTEGER NOT NULL REFERENCES providers (id),
  read_at        INTEGER NOT NULL,
  balance_micros INTEGER NOT NULL,
  PRIMARY KEY (provider_id, read_at)
) STRICT, WITHOUT ROWID;
CREATE TABLE offers (
  provider_id      INTEGER NOT NULL REFERENCES providers (id),
  provider_service TEXT    NOT NULL,
  name             TEXT    NOT NULL,
  category         TEXT    NOT NULL,
  kind             TEXT    NOT NULL,
  cost_micros      INTEGER NOT NULL CHECK (cost_micros >= 0),
  quantity_min     INTEGER NOT NULL,
  quantity_max     INTEGER NOT NULL,
  is_dripfeed      INTEGER NOT NULL CHECK (is_dripfeed IN (0, 1)),
  is_refill        INTEGER NOT NULL CHECK (is_refill IN (0, 1)),
  is_cancel        INTEGER NOT NULL CHECK (is_cancel IN (0, 1)),
  seen_at          INTEGER NOT NULL,
  gone_at          INTEGER,
  PRIMARY KEY (provider_id, provider_service)
) STRICT, WITHOUT ROWID;
CREATE TABLE substitutes (
  service_id       INTEGER NOT NULL REFERENCES services (id),
  place            INTEGER NOT NULL CHECK (place BETWEEN 1 AND 9),
  provider_id      INTEGER NOT NULL REFERENCES providers (id),
  provider_service TEXT    NOT NULL,
  PRIMARY KEY (service_id, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE pricings (
  service_id    INTEGER PRIMARY KEY REFERENCES services (id),
  cost_micros   INTEGER CHECK (cost_micros >= 0),
  percent_bp    INTEGER NOT NULL DEFAULT 0 CHECK (percent_bp >= 0),
  fixed_micros  INTEGER NOT NULL DEFAULT 0 CHECK (fixed_micros >= 0),
  step_micros   INTEGER NOT NULL DEFAULT 0 CHECK (step_micros >= 0),
  profit_micros INTEGER NOT NULL DEFAULT 0 CHECK (profit_micros >= 0),
  is_followed   INTEGER NOT NULL DEFAULT 0 CHECK (is_followed IN (0, 1)),
  allows_loss   INTEGER NOT NULL DEFAULT 0 CHECK (allows_loss IN (0, 1)),
  off_by_sync   INTEGER NOT NULL DEFAULT 0 CHECK (off_by_sync IN (0, 1))
) STRICT;
CREATE TABLE deliveries (
  order_id    INTEGER PRIMARY KEY REFERENCES orders (id),
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  place       INTEGER NOT NULL DEFAULT 0,
  stage       TEXT    NOT NULL
              CHECK (stage = 'send' OR stage = 'call' OR stage = 'watch' OR stage = 'posts' OR
                     stage = 'last' OR stage = 'held'),
  due_at      INTEGER NOT NULL,
  tries       INTEGER NOT NULL DEFAULT 0,
  moved_at    INTEGER NOT NULL,
  hand        TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE submissions (
  id               INTEGER PRIMARY KEY,
  order_id         INTEGER NOT NULL REFERENCES orders (id),
  provider_id      INTEGER NOT NULL REFERENCES providers (id),
  place            INTEGER NOT NULL,
  provider_service TEXT    NOT NULL,
  custom_id        TEXT    NOT NULL,
  state            TEXT    NOT NULL
                   CHECK (state = 'sending' OR state = 'unknown' OR state = 'accepted' OR
                          state = 'rejected' OR state = 'not_sent'),
  family           TEXT    NOT NULL DEFAULT '',
  expected_micros  INTEGER NOT NULL CHECK (expected_micros >= 0),
  cost_micros      INTEGER CHECK (cost_micros >= 0),
  after_order      TEXT,
  answer           TEXT    NOT NULL DEFAULT '',
  evidence         TEXT    NOT NULL DEFAULT '',
  created_at       INTEGER NOT NULL,
  ended_at         INTEGER
) STRICT;
CREATE TABLE paces (
  service_id INTEGER PRIMARY KEY REFERENCES services (id),
  completed  INTEGER NOT NULL,
  seconds    INTEGER NOT NULL
) STRICT;
CREATE TABLE timelines (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  word       TEXT    NOT NULL,
  is_parking INTEGER NOT NULL DEFAULT 0 CHECK (is_parking IN (0, 1))
) STRICT;
CREATE TABLE errands (
  id          INTEGER PRIMARY KEY,
  order_id    INTEGER NOT NULL REFERENCES orders (id),
  refill_id   INTEGER UNIQUE REFERENCES refills (id),
  provider_id INTEGER NOT NULL REFERENCES providers (id),
  stage       TEXT    NOT NULL CHECK (stage = 'ask' OR stage = 'asked' OR stage = 'held'),
  their_id    TEXT,
  due_at      INTEGER NOT NULL,
  tries       INTEGER NOT NULL DEFAULT 0,
  hand        TEXT    NOT NULL DEFAULT '',
  answer      TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE conditions (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL,
  subject       TEXT    NOT NULL,
  text          TEXT    NOT NULL,
  raised_at     INTEGER NOT NULL,
  cleared_at    INTEGER,
  muted_until   INTEGER,
  told_at       INTEGER,
  told_clear_at INTEGER
) STRICT;
CREATE INDEX services_provider ON services (provider_id, provider_service)
  WHERE provider_id IS NOT NULL;
CREATE INDEX substitutes_provider ON substitutes (provider_id, provider_service);
CREATE INDEX deliveries_due ON deliveries (provider_id, stage, due_at);
CREATE INDEX deliveries_hand ON deliveries (hand, order_id) WHERE hand <> '';
CREATE UNIQUE INDEX submissions_live ON submissions (order_id)
  WHERE state = 'sending' OR state = 'unknown' OR state = 'accepted';
CREATE INDEX submissions_order ON submissions (order_id, id);
CREATE UNIQUE INDEX errands_cancel ON errands (order_id) WHERE refill_id IS NULL;
CREATE INDEX errands_due ON errands (provider_id, due_at) WHERE stage <> 'held';
CREATE INDEX errands_hand ON errands (hand, id) WHERE hand <> '';
CREATE UNIQUE INDEX conditions_open ON conditions (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX conditions_cleared ON conditions (cleared_at, id) WHERE cleared_at IS NOT NULL;
ALTER TABLE figures ADD COLUMN cost_micros INTEGER NOT NULL DEFAULT 0;
";

/// Drip-feed orders from before have no row in `drips` and stay one order, fulfilled by hand.
const RUNS_AND_EVENTS: &str = "
ALTER TABLE submissions ADD COLUMN node_id INTEGER;
CREATE TABLE drips (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  started  INTEGER NOT NULL DEFAULT 0 CHECK (started >= 0),
  next_at  INTEGER,
  hand     TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE webhooks (
  user_id           INTEGER PRIMARY KEY REFERENCES users (id),
  url               TEXT    NOT NULL,
  is_insecure       INTEGER NOT NULL DEFAULT 0 CHECK (is_insecure IN (0, 1)),
  secret_sealed     BLOB    NOT NULL,
  old_secret_sealed BLOB,
  old_until         INTEGER,
  is_enabled        INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  low_micros        INTEGER,
  is_low            INTEGER NOT NULL DEFAULT 0 CHECK (is_low IN (0, 1)),
  paused_until      INTEGER,
  failures          INTEGER NOT NULL DEFAULT 0,
  dropped           INTEGER NOT NULL DEFAULT 0,
  due_at            INTEGER
) STRICT;
CREATE TABLE events (
  id                INTEGER PRIMARY KEY,
  user_id           INTEGER NOT NULL REFERENCES users (id),
  kind              TEXT    NOT NULL,
  order_id          INTEGER,
  refill_id         INTEGER,
  status            TEXT    NOT NULL,
  net_charge_micros INTEGER,
  refunded_micros   INTEGER,
  start_count       INTEGER,
  remains           INTEGER,
  balance_micros    INTEGER,
  created_at        INTEGER NOT NULL,
  due_at            INTEGER,
  tries             INTEGER NOT NULL DEFAULT 0,
  state             TEXT    NOT NULL DEFAULT 'waiting'
                    CHECK (state = 'waiting' OR state = 'done' OR state = 'failed'),
  answer            TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE secrets (
  name   TEXT PRIMARY KEY,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
DROP INDEX deliveries_due;
DROP INDEX deliveries_hand;
ALTER TABLE deliveries RENAME TO deliveries_with_keys;
CREATE TABLE deliveries (
  order_id    INTEGER PRIMARY KEY,
  provider_id INTEGER NOT NULL,
  place       INTEGER NOT NULL DEFAULT 0,
  stage       TEXT    NOT NULL
              CHECK (stage = 'send' OR stage = 'call' OR stage = 'watch' OR stage = 'posts' OR
                     stage = 'last' OR stage = 'held'),
  due_at      INTEGER NOT NULL,
  tries       INTEGER NOT NULL DEFAULT 0,
  moved_at    INTEGER NOT NULL,
  hand        TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO deliveries (order_id, provider_id, place, stage, due_at, tries, moved_at, hand)
  SELECT order_id, provider_id, place, stage, due_at, tries, moved_at, hand
  FROM deliveries_with_keys;
DROP TABLE deliveries_with_keys;
CREATE INDEX deliveries_due ON deliveries (provider_id, stage, due_at) WHERE due_at > 0;
CREATE INDEX deliveries_hand ON deliveries (hand, order_id) WHERE hand <> '';
CREATE INDEX orders_runs ON orders (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX drips_next ON drips (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX drips_hand ON drips (hand, order_id) WHERE hand <> '';
CREATE INDEX webhooks_due ON webhooks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX events_due ON events (user_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX events_user ON events (user_id, id);
CREATE INDEX events_created ON events (created_at);
";
