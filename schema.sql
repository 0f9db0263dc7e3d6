-- The whole state of a panel. One file, this schema, nothing else.
--
-- Money is whole micro-units (10^-6 of the currency's unit), time is unix seconds, flags are 0 or 1.
-- CHECKs and triggers are guards: they hold what the program has already decided, they never are
-- its way to say no. `panelite check` proves what no constraint can express. Where many rows come
-- a second, words are compared one by one: IN with more than two builds a table for each row.

-- What the operator set; a key that is absent has its default (domain/setting.rs).
CREATE TABLE settings (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Counters that tell whether what a server remembers still holds, whoever has changed it:
-- `catalogue` moves with every change of services, categories, custom rates and discounts,
-- `callers` with every change of what a key and its holder may do and see. Triggers move them, one
-- column each and nothing else; they are compared for equality only.
CREATE TABLE versions (
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  catalogue INTEGER NOT NULL DEFAULT 1,
  callers   INTEGER NOT NULL DEFAULT 1
) STRICT;

INSERT INTO versions (id) VALUES (1);

CREATE TRIGGER settings_made AFTER INSERT ON settings
  BEGIN UPDATE versions SET callers = callers + 1; END;
CREATE TRIGGER settings_changed AFTER UPDATE ON settings
  BEGIN UPDATE versions SET callers = callers + 1; END;

------------------------------------------------------------------------------------------- people

-- What holds money. The first three accounts are the house's, one more belongs to each user. The
-- balance is kept here and can be derived from the postings; both must agree. The first and the
-- last order of its user bound where a list of them has to look.
CREATE TABLE accounts (
  id                  INTEGER PRIMARY KEY,
  kind                TEXT    NOT NULL CHECK (kind IN ('external', 'escrow', 'revenue', 'user')),
  balance_micros      INTEGER NOT NULL DEFAULT 0,
  credit_limit_micros INTEGER NOT NULL DEFAULT 0 CHECK (credit_limit_micros >= 0),
  first_order_id      INTEGER,
  last_order_id       INTEGER,
  CHECK (kind <> 'user' OR balance_micros >= -credit_limit_micros),
  CHECK (kind <> 'escrow' OR balance_micros >= 0)
) STRICT;

-- Who is below zero.
CREATE INDEX accounts_owing ON accounts (id) WHERE kind = 'user' AND balance_micros < 0;

INSERT INTO accounts (id, kind) VALUES (1, 'external'), (2, 'escrow'), (3, 'revenue');

-- Resellers: who buys by API.
CREATE TABLE users (
  id           INTEGER PRIMARY KEY,
  name         TEXT    NOT NULL UNIQUE,
  account_id   INTEGER NOT NULL UNIQUE REFERENCES accounts (id),
  discount_bp  INTEGER NOT NULL DEFAULT 0 CHECK (discount_bp BETWEEN 0 AND 10000),
  is_suspended INTEGER NOT NULL DEFAULT 0 CHECK (is_suspended IN (0, 1)),
  note         TEXT    NOT NULL DEFAULT '',
  created_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX users_suspended ON users (id) WHERE is_suspended = 1;

CREATE TRIGGER users_changed AFTER UPDATE OF discount_bp, is_suspended ON users
  BEGIN UPDATE versions SET callers = callers + 1; END;
CREATE TRIGGER catalogue_discount_changed AFTER UPDATE OF discount_bp ON users
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;

-- A key is shown once; only its SHA-256 and its first characters stay.
CREATE TABLE api_keys (
  id           INTEGER PRIMARY KEY,
  user_id      INTEGER NOT NULL REFERENCES users (id),
  key_hash     BLOB    NOT NULL UNIQUE CHECK (length(key_hash) = 32),
  key_prefix   TEXT    NOT NULL,
  label        TEXT    NOT NULL DEFAULT '',
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at   INTEGER
) STRICT;

CREATE INDEX api_keys_user ON api_keys (user_id, id);
-- Those that work, those of them that nobody has used yet, and those that were revoked.
CREATE INDEX api_keys_active ON api_keys (id) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_unused ON api_keys (id) WHERE revoked_at IS NULL AND last_used_at IS NULL;
CREATE INDEX api_keys_revoked ON api_keys (id) WHERE revoked_at IS NOT NULL;

CREATE TRIGGER api_keys_changed AFTER UPDATE OF user_id, key_hash, revoked_at ON api_keys
  BEGIN UPDATE versions SET callers = callers + 1; END;
CREATE TRIGGER api_keys_gone AFTER DELETE ON api_keys
  BEGIN UPDATE versions SET callers = callers + 1; END;

-------------------------------------------------------------------------------------------- admins

-- Who logs in to the pages. The password is an argon2id string; the seed of the six-digit codes is
-- sealed with the key beside the file, and the last step used never counts again.
CREATE TABLE admins (
  id             INTEGER PRIMARY KEY,
  name           TEXT    NOT NULL UNIQUE,
  password_hash  TEXT    NOT NULL,
  totp_seed      BLOB,
  totp_step_last INTEGER NOT NULL DEFAULT 0,
  created_at     INTEGER NOT NULL
) STRICT;

-- One-time codes for the day the phone is lost, as hashes.
CREATE TABLE recovery_codes (
  admin_id  INTEGER NOT NULL REFERENCES admins (id),
  code_hash BLOB    NOT NULL CHECK (length(code_hash) = 32),
  PRIMARY KEY (admin_id, code_hash)
) STRICT, WITHOUT ROWID;

-- Browsers that are logged in, or (is_half) have given the password and owe the code.
CREATE TABLE sessions (
  id         INTEGER PRIMARY KEY,
  admin_id   INTEGER NOT NULL REFERENCES admins (id),
  token_hash BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  is_half    INTEGER NOT NULL CHECK (is_half IN (0, 1)),
  address    TEXT    NOT NULL,
  agent      TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  proved_at  INTEGER NOT NULL   -- when the password was last given
) STRICT;

CREATE INDEX sessions_admin ON sessions (admin_id, id);

-- Tries to log in that have not succeeded. Of the name only its hash stays: people type passwords
-- into the wrong field.
CREATE TABLE login_failures (
  id         INTEGER PRIMARY KEY,
  name_hash  BLOB    NOT NULL CHECK (length(name_hash) = 32),
  address    TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX login_failures_name ON login_failures (name_hash, created_at);
CREATE INDEX login_failures_address ON login_failures (address, created_at);
CREATE INDEX login_failures_time ON login_failures (created_at);

----------------------------------------------------------------------------------------- catalogue

-- Upstream panels we buy from. `account_mac` is the MAC of host, port and key: one upstream account
-- is one row, and it is the place the key is sealed for. A balance is in their currency, which
-- `exchange_nanos` (10^-9 of ours for one of theirs) leads to ours. What outlasts a restart stands
-- here; what a lane only remembers does not.
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
  low_micros      INTEGER,   -- the balance below which somebody wants to know
  trouble         TEXT    NOT NULL DEFAULT ''
                  CHECK (trouble = '' OR trouble = 'funds' OR trouble = 'key'),
  answer          TEXT    NOT NULL DEFAULT '',   -- what they said to it
  paused_until    INTEGER,
  balance_micros  INTEGER,
  balance_at      INTEGER,
  synced_at       INTEGER,
  sync_due_at     INTEGER NOT NULL,
  last_order      TEXT   -- their newest number for an order of ours
) STRICT;

-- Their balance over time, for its trend.
CREATE TABLE readings (
  provider_id    INTEGER NOT NULL REFERENCES providers (id),
  read_at        INTEGER NOT NULL,
  balance_micros INTEGER NOT NULL,
  PRIMARY KEY (provider_id, read_at)
) STRICT, WITHOUT ROWID;

-- The last good list of each provider, costs in their currency.
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

CREATE TABLE categories (
  id         INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL UNIQUE,
  position   INTEGER NOT NULL,
  is_enabled INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1))
) STRICT;

CREATE INDEX categories_position ON categories (position, id);

CREATE TRIGGER catalogue_category_made AFTER INSERT ON categories
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_category_changed AFTER UPDATE ON categories
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_category_gone AFTER DELETE ON categories
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;

-- What we sell. A rate is the price of 1000 units, of one piece for packages.
CREATE TABLE services (
  id                INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
  category_id       INTEGER NOT NULL REFERENCES categories (id),
  position          INTEGER NOT NULL,
  name              TEXT    NOT NULL,
  description       TEXT    NOT NULL DEFAULT '',
  kind              TEXT    NOT NULL,
  rate_micros       INTEGER NOT NULL CHECK (rate_micros BETWEEN 0 AND 999999999999999),
  quantity_min      INTEGER NOT NULL CHECK (quantity_min BETWEEN 1 AND 1000000000),
  quantity_max      INTEGER NOT NULL CHECK (quantity_max BETWEEN quantity_min AND 1000000000),
  is_dripfeed       INTEGER NOT NULL DEFAULT 0 CHECK (is_dripfeed IN (0, 1)),
  is_refill         INTEGER NOT NULL DEFAULT 0 CHECK (is_refill IN (0, 1)),
  refill_days       INTEGER CHECK (refill_days BETWEEN 1 AND 3650),
  is_cancel         INTEGER NOT NULL DEFAULT 0 CHECK (is_cancel IN (0, 1)),
  denies_duplicates INTEGER NOT NULL DEFAULT 0 CHECK (denies_duplicates IN (0, 1)),
  is_enabled        INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  provider_id       INTEGER REFERENCES providers (id),
  provider_service  TEXT,
  created_at        INTEGER NOT NULL,
  CHECK ((provider_id IS NULL) = (provider_service IS NULL))
) STRICT;

-- The order of the shop. Looking for a word or for what is off sale reads nothing but this.
CREATE INDEX services_category ON services (category_id, position, id, is_enabled, name);
-- What is sold through a provider, for its lists of services.
CREATE INDEX services_provider ON services (provider_id, provider_service)
  WHERE provider_id IS NOT NULL;

CREATE TRIGGER catalogue_service_made AFTER INSERT ON services
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_service_changed AFTER UPDATE ON services
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_service_gone AFTER DELETE ON services
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;

-- A user's own price for a service, before any discount.
CREATE TABLE user_rates (
  user_id     INTEGER NOT NULL REFERENCES users (id),
  service_id  INTEGER NOT NULL REFERENCES services (id),
  rate_micros INTEGER NOT NULL CHECK (rate_micros BETWEEN 0 AND 999999999999999),
  PRIMARY KEY (user_id, service_id)
) STRICT, WITHOUT ROWID;

-- Who has custom rates sees a list of their own.
CREATE TRIGGER user_rates_made AFTER INSERT ON user_rates
  BEGIN UPDATE versions SET callers = callers + 1; END;
CREATE TRIGGER user_rates_gone AFTER DELETE ON user_rates
  BEGIN UPDATE versions SET callers = callers + 1; END;
CREATE TRIGGER catalogue_rate_made AFTER INSERT ON user_rates
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_rate_changed AFTER UPDATE ON user_rates
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;
CREATE TRIGGER catalogue_rate_gone AFTER DELETE ON user_rates
  BEGIN UPDATE versions SET catalogue = catalogue + 1; END;

-- Where else a service can be bought, in order. Its own provider columns are place 0.
CREATE TABLE substitutes (
  service_id       INTEGER NOT NULL REFERENCES services (id),
  place            INTEGER NOT NULL CHECK (place BETWEEN 1 AND 9),
  provider_id      INTEGER NOT NULL REFERENCES providers (id),
  provider_service TEXT    NOT NULL,
  PRIMARY KEY (service_id, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX substitutes_provider ON substitutes (provider_id, provider_service);

-- What a service of a provider costs us (in our currency, at place 0), and the rule that makes its
-- rate of that. Each service with a provider has a row.
CREATE TABLE pricings (
  service_id    INTEGER PRIMARY KEY REFERENCES services (id),
  cost_micros   INTEGER CHECK (cost_micros >= 0),   -- not known before the first list
  percent_bp    INTEGER NOT NULL DEFAULT 0 CHECK (percent_bp >= 0),
  fixed_micros  INTEGER NOT NULL DEFAULT 0 CHECK (fixed_micros >= 0),
  step_micros   INTEGER NOT NULL DEFAULT 0 CHECK (step_micros >= 0),
  profit_micros INTEGER NOT NULL DEFAULT 0 CHECK (profit_micros >= 0),
  is_followed   INTEGER NOT NULL DEFAULT 0 CHECK (is_followed IN (0, 1)),
  allows_loss   INTEGER NOT NULL DEFAULT 0 CHECK (allows_loss IN (0, 1)),
  off_by_sync   INTEGER NOT NULL DEFAULT 0 CHECK (off_by_sync IN (0, 1))
) STRICT;

-------------------------------------------------------------------------------------------- orders

-- One purchase. `status` is where it stands with us, `shown` what customers read while it is
-- active. Price, kind and units are frozen when it is bought. Open means finished_at IS NULL.
CREATE TABLE orders (
  id                  INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
  user_id             INTEGER NOT NULL REFERENCES users (id),
  service_id          INTEGER NOT NULL REFERENCES services (id),
  parent_id           INTEGER REFERENCES orders (id),
  kind                TEXT    NOT NULL,
  link                TEXT    NOT NULL,
  quantity            INTEGER NOT NULL CHECK (quantity >= 0),
  units               INTEGER NOT NULL CHECK (units >= 0),
  runs                INTEGER CHECK (runs > 0),
  interval_minutes    INTEGER CHECK (interval_minutes > 0),
  rate_micros         INTEGER NOT NULL CHECK (rate_micros >= 0),
  charge_micros       INTEGER NOT NULL CHECK (charge_micros >= 0),
  refunded_micros     INTEGER NOT NULL DEFAULT 0
                      CHECK (refunded_micros BETWEEN 0 AND charge_micros),
  status              TEXT    NOT NULL DEFAULT 'pending'
                      CHECK (status = 'pending' OR status = 'sending' OR status = 'unknown' OR
                             status = 'active' OR status = 'completed' OR status = 'partial' OR
                             status = 'canceled'),
  shown               TEXT    NOT NULL DEFAULT 'pending'
                      CHECK (shown = 'pending' OR shown = 'processing' OR shown = 'in_progress'),
  start_count         INTEGER CHECK (start_count >= 0),
  remains             INTEGER NOT NULL CHECK (remains BETWEEN 0 AND units),
  provider_id         INTEGER REFERENCES providers (id),
  provider_order_id   TEXT,
  key_id              INTEGER REFERENCES api_keys (id),
  request_id          TEXT,
  request_digest      BLOB,   -- what else was asked for under the request id
  custom_id           TEXT,
  is_exclusive        INTEGER NOT NULL DEFAULT 0 CHECK (is_exclusive IN (0, 1)),
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL,
  finished_at         INTEGER,
  cancel_requested_at INTEGER,
  -- Neighbours are listed together; see the indexes.
  block               INTEGER GENERATED ALWAYS AS (id / 1024) VIRTUAL,
  -- The word customers see.
  public_status       TEXT GENERATED ALWAYS AS (
    CASE status WHEN 'active'  THEN shown
                WHEN 'sending' THEN 'processing'
                WHEN 'unknown' THEN 'processing'
                ELSE status END) VIRTUAL,
  -- What the link leads to, however it was pasted (domain/link.rs).
  link_key            TEXT    NOT NULL DEFAULT '',
  CHECK ((runs IS NULL) = (interval_minutes IS NULL)),
  CHECK ((request_id IS NULL) = (request_digest IS NULL)),
  CHECK ((finished_at IS NOT NULL) =
         (status = 'completed' OR status = 'partial' OR status = 'canceled'))
) STRICT;

-- Lists, newest first: by status; by reseller, by service and by link, block by block. Sorted by
-- reseller alone, every order would write to a page of its own somewhere in the index, and that
-- would be most of what buying costs. In blocks of a thousand neighbours all that is new goes to
-- the same few pages however many orders there are, and a list is looked up once in each block.
CREATE INDEX orders_status ON orders (public_status, id);
CREATE INDEX orders_user ON orders (block, user_id, public_status);
CREATE INDEX orders_service ON orders (block, service_id, public_status);
CREATE INDEX orders_link ON orders (block, link_key);
-- Cancel requests that somebody has to fulfil.
CREATE INDEX orders_cancel ON orders (id)
  WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL;
-- What is open, and how much of the escrow is its.
CREATE INDEX orders_open ON orders (id, charge_micros) WHERE finished_at IS NULL;
-- A request id buys once.
CREATE UNIQUE INDEX orders_request ON orders (user_id, request_id) WHERE request_id IS NOT NULL;
-- The reseller's own names.
CREATE INDEX orders_custom ON orders (user_id, custom_id, id) WHERE custom_id IS NOT NULL;
-- One open order per user, service and link, where the service says so.
CREATE INDEX orders_exclusive ON orders (user_id, service_id, link)
  WHERE is_exclusive = 1 AND finished_at IS NULL;
-- One order of a provider is one of ours.
CREATE UNIQUE INDEX orders_provider ON orders (provider_id, provider_order_id)
  WHERE provider_order_id IS NOT NULL;

-- The runs of a drip-feed, the posts of a subscription.
CREATE INDEX orders_runs ON orders (parent_id, id) WHERE parent_id IS NOT NULL;

-- How many orders there are of each status. Kept in the transaction that moves an order.
CREATE TABLE order_counts (
  public_status TEXT PRIMARY KEY,
  count         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO order_counts (public_status, count)
VALUES ('pending', 0), ('in_progress', 0), ('completed', 0), ('partial', 0), ('canceled', 0),
       ('processing', 0);

-- What else the kind of an order asks for, as it came.
CREATE TABLE order_inputs (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  name     TEXT    NOT NULL,
  value    TEXT    NOT NULL,
  PRIMARY KEY (order_id, name)
) STRICT, WITHOUT ROWID;

-- What still has to happen to an order that is sold through a provider: one row from the purchase
-- to the end. `place` says where the search for a provider goes on, `hand` why a person is needed.
-- Without foreign keys and, until something happens to it (`due_at` is 0), in no index: every
-- purchase would pay for them. `check` looks for both parents.
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

CREATE INDEX deliveries_due ON deliveries (provider_id, stage, due_at) WHERE due_at > 0;
CREATE INDEX deliveries_hand ON deliveries (hand, order_id) WHERE hand <> '';

-- Our attempts to buy an order at a provider. At most one is alive. Costs are ours: as expected,
-- then as they said. `node_id` says which node of a server made it.
CREATE TABLE submissions (
  id               INTEGER PRIMARY KEY,
  order_id         INTEGER NOT NULL REFERENCES orders (id),
  provider_id      INTEGER NOT NULL REFERENCES providers (id),
  place            INTEGER NOT NULL,
  provider_service TEXT    NOT NULL,
  custom_id        TEXT    NOT NULL,   -- our own id for it there, empty where none is sent
  state            TEXT    NOT NULL
                   CHECK (state = 'sending' OR state = 'unknown' OR state = 'accepted' OR
                          state = 'rejected' OR state = 'not_sent'),
  family           TEXT    NOT NULL DEFAULT '',
  expected_micros  INTEGER NOT NULL CHECK (expected_micros >= 0),
  cost_micros      INTEGER CHECK (cost_micros >= 0),
  after_order      TEXT,   -- their newest number for us when it was sent
  answer           TEXT    NOT NULL DEFAULT '',
  evidence         TEXT    NOT NULL DEFAULT '',
  created_at       INTEGER NOT NULL,
  ended_at         INTEGER,
  node_id          INTEGER
) STRICT;

CREATE UNIQUE INDEX submissions_live ON submissions (order_id)
  WHERE state = 'sending' OR state = 'unknown' OR state = 'accepted';
CREATE INDEX submissions_order ON submissions (order_id, id);

-- How long a service takes: how many of its orders have completed, and about how many seconds each.
CREATE TABLE paces (
  service_id INTEGER PRIMARY KEY REFERENCES services (id),
  completed  INTEGER NOT NULL,
  seconds    INTEGER NOT NULL
) STRICT;

-- Drip-feed orders: how many of their runs have begun, and when the next one does. A run is an
-- order of its own that is charged nothing; `hand` says why a person is needed.
CREATE TABLE drips (
  order_id INTEGER PRIMARY KEY REFERENCES orders (id),
  started  INTEGER NOT NULL DEFAULT 0 CHECK (started >= 0),
  next_at  INTEGER,   -- NULL when no run is to come
  hand     TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX drips_next ON drips (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX drips_hand ON drips (hand, order_id) WHERE hand <> '';

-- Which life of the file this is: a random word that `<db>.epoch` names too. Another file in its
-- place is noticed by it, and then what waits is parked.
CREATE TABLE timelines (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  word       TEXT    NOT NULL,
  is_parking INTEGER NOT NULL DEFAULT 0 CHECK (is_parking IN (0, 1))
) STRICT;

-- Requests to deliver again what dropped. At most one per order is open.
CREATE TABLE refills (
  id         INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 2147483647),
  order_id   INTEGER NOT NULL REFERENCES orders (id),
  user_id    INTEGER NOT NULL REFERENCES users (id),
  status     TEXT    NOT NULL DEFAULT 'pending'
             CHECK (status IN ('pending', 'in_progress', 'completed', 'rejected', 'error')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX refills_order ON refills (order_id, id);
-- Lists by status, and how many wait. Whole, since what was rejected has to be found as well, and
-- refills are few beside orders.
CREATE INDEX refills_status ON refills (status, id);
CREATE UNIQUE INDEX refills_open ON refills (order_id) WHERE status IN ('pending', 'in_progress');

-- Cancels and refills that a provider has to be asked for: one without a refill is a cancel.
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
  answer      TEXT    NOT NULL DEFAULT ''   -- what they said last
) STRICT;

CREATE UNIQUE INDEX errands_cancel ON errands (order_id) WHERE refill_id IS NULL;
CREATE INDEX errands_due ON errands (provider_id, due_at) WHERE stage <> 'held';
CREATE INDEX errands_hand ON errands (hand, id) WHERE hand <> '';

--------------------------------------------------------------------------------------------- books

-- A posting moves money from one account to another: one row, never changed. The balances are those
-- after it.
CREATE TABLE postings (
  id                         INTEGER PRIMARY KEY,
  created_at                 INTEGER NOT NULL,
  kind                       TEXT    NOT NULL
                             CHECK (kind = 'charge' OR kind = 'capture' OR kind = 'refund' OR
                                    kind = 'deposit' OR kind = 'adjustment' OR
                                    kind = 'goodwill'),
  source_id                  INTEGER NOT NULL REFERENCES accounts (id),
  destination_id             INTEGER NOT NULL REFERENCES accounts (id),
  amount_micros              INTEGER NOT NULL CHECK (amount_micros > 0),
  source_balance_micros      INTEGER NOT NULL,
  destination_balance_micros INTEGER NOT NULL,
  user_id                    INTEGER REFERENCES users (id),
  order_id                   INTEGER REFERENCES orders (id),
  reference                  TEXT    NOT NULL DEFAULT '',
  note                       TEXT    NOT NULL DEFAULT '',
  actor                      TEXT    NOT NULL,
  block                      INTEGER GENERATED ALWAYS AS (id / 1024) VIRTUAL,
  CHECK (source_id <> destination_id)
) STRICT;

-- An account's history, newest first, in blocks as orders are.
CREATE INDEX postings_user ON postings (block, user_id) WHERE user_id IS NOT NULL;
-- The rarer kinds, of everybody and of one account: a deposit among a million charges. Charges and
-- captures, one each for an order, are left out: the ledger finds them by walking the numbers, so
-- that buying pays for no page's index.
CREATE INDEX postings_kind ON postings (kind, id) WHERE kind <> 'charge' AND kind <> 'capture';
CREATE INDEX postings_user_kind ON postings (user_id, kind, id)
  WHERE kind <> 'charge' AND kind <> 'capture';
-- An order is charged, captured and refunded once each.
CREATE UNIQUE INDEX postings_order ON postings (order_id, kind, reference)
  WHERE order_id IS NOT NULL;
-- What carries a reference is booked once.
CREATE UNIQUE INDEX postings_reference ON postings (reference) WHERE reference <> '';

CREATE TRIGGER postings_stay_as_written BEFORE UPDATE ON postings
  BEGIN SELECT raise(ABORT, 'postings are never changed'); END;
CREATE TRIGGER postings_stay BEFORE DELETE ON postings
  BEGIN SELECT raise(ABORT, 'postings are never deleted'); END;

-- What happened in each quarter of an hour, so that no chart has to read the orders. A quarter is
-- the largest slot that the days of every time zone are made of.
CREATE TABLE figures (
  slot_at         INTEGER PRIMARY KEY CHECK (slot_at % 900 = 0),
  orders          INTEGER NOT NULL DEFAULT 0,
  charged_micros  INTEGER NOT NULL DEFAULT 0,
  captured_micros INTEGER NOT NULL DEFAULT 0,
  refunded_micros INTEGER NOT NULL DEFAULT 0,
  deposit_micros  INTEGER NOT NULL DEFAULT 0,
  cost_micros     INTEGER NOT NULL DEFAULT 0   -- of the orders that ended then, at providers
) STRICT;

-- Where resellers want to be told what becomes of their orders. `due_at` is when the endpoint's
-- next event is, NULL where none waits. A secret that was replaced still signs until `old_until`.
CREATE TABLE webhooks (
  user_id           INTEGER PRIMARY KEY REFERENCES users (id),
  url               TEXT    NOT NULL,
  is_insecure       INTEGER NOT NULL DEFAULT 0 CHECK (is_insecure IN (0, 1)),
  secret_sealed     BLOB    NOT NULL,
  old_secret_sealed BLOB,
  old_until         INTEGER,
  is_enabled        INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
  low_micros        INTEGER,   -- the balance below which the reseller wants to know
  is_low            INTEGER NOT NULL DEFAULT 0 CHECK (is_low IN (0, 1)),
  paused_until      INTEGER,
  failures          INTEGER NOT NULL DEFAULT 0,
  dropped           INTEGER NOT NULL DEFAULT 0,
  due_at            INTEGER
) STRICT;

CREATE INDEX webhooks_due ON webhooks (due_at) WHERE due_at IS NOT NULL;

-- What resellers with a webhook are told, written in the transaction of what it tells. `due_at` is
-- NULL when it is done.
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

CREATE INDEX events_due ON events (user_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX events_user ON events (user_id, id);
CREATE INDEX events_created ON events (created_at);

-- What must be read again to tell the operator: a mail server's password, a bot's token, sealed.
CREATE TABLE secrets (
  name   TEXT PRIMARY KEY,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What the operator should know: at most one open for a kind and a subject.
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

CREATE UNIQUE INDEX conditions_open ON conditions (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX conditions_cleared ON conditions (cleared_at, id) WHERE cleared_at IS NOT NULL;

-- Who changed what, apart from orders bought through the API.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY,
  created_at INTEGER NOT NULL,
  actor      TEXT    NOT NULL,
  address    TEXT    NOT NULL DEFAULT '',
  verb       TEXT    NOT NULL,
  object     TEXT    NOT NULL,
  change     TEXT    NOT NULL DEFAULT '',
  request_id TEXT    NOT NULL DEFAULT ''
) STRICT;

-- By whom, by what was done, by both.
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_verb ON audit (verb, id);
CREATE INDEX audit_actor_verb ON audit (actor, verb, id);
-- What was done to one thing.
CREATE INDEX audit_object ON audit (object, id);

CREATE TRIGGER audit_stays_as_written BEFORE UPDATE ON audit
  BEGIN SELECT raise(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
  BEGIN SELECT raise(ABORT, 'the audit log is never shortened'); END;
