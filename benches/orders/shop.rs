//! The files that are measured on, and the requests.
//!
//! A file is made by the program that will serve it, so that it has that program's schema, and then
//! filled by plain SQL with books that add up. That SQL names only what every release has; a column
//! that came later is filled where it is there.

use std::path::{Path, PathBuf};

use panelite::secret::KeyHash;
use rusqlite::{Connection, Statement, Transaction, params};

use crate::process::Program;

/// Those who buy at random.
const USERS: usize = 1000;
/// One user more, who bought the first orders of all and none since.
pub(crate) const RESTED: usize = USERS + 1;
const RESTED_ORDERS: i64 = 20;
const SERVICES: i64 = 1000;
/// Orders that are not finished, at most.
const OPEN_MAX: i64 = 5000;
const REQUESTS: usize = 4096;
const RATE_MICROS: i64 = 2_500_000;
const DEPOSIT_MICROS: i64 = 1_000_000_000_000;
/// The accounts of the house; a user's account has the user's id and this many more.
const HOUSE: i64 = 3;
const NOW: i64 = 1_767_225_600;

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % end as u64).unwrap()
    }
}

/// Who buys: a few do most of it (Zipf).
struct Buyers(Vec<f64>);

impl Buyers {
    fn new() -> Self {
        let mut sum = 0.0;
        Self(
            (1..=USERS)
                .map(|rank| {
                    sum += 1.0 / rank as f64;
                    sum
                })
                .collect(),
        )
    }

    /// A user's id.
    fn pick(&self, random: &mut Random) -> usize {
        let point = random.below(1 << 30) as f64 / f64::from(1 << 30) * self.0[USERS - 1];
        self.0.partition_point(|sum| *sum < point).min(USERS - 1) + 1
    }
}

pub(crate) fn key_of(user: usize) -> String {
    format!("pl_bench_{user:046}")
}

/// A panel's file with so many orders, and whose each of them is.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) program: Program,
    db: PathBuf,
    /// The user of order 1, 2, …
    owners: Vec<usize>,
    /// Whether the indexes are gone that only pages need.
    lacks_lists: bool,
}

impl Shop {
    pub(crate) fn fill(program: &Program, folder: &Path, orders: i64) -> Self {
        let db = folder.join(format!("template-{orders}.db"));
        program.set(&db, "key_rate", "0");
        program.set(&db, "connections", "0");
        let mut conn = Connection::open(&db).unwrap();
        conn.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF").unwrap();
        let tx = conn.transaction().unwrap();
        fill_catalogue(&tx);
        let owners = fill_orders(&tx, orders);
        tx.commit().unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        Self { program: program.clone(), db, owners, lacks_lists: false }
    }

    /// The same without the indexes that only the lists of pages need.
    pub(crate) fn without_lists(&self, folder: &Path) -> Self {
        let db = self.copy(folder, "template-without-lists");
        let conn = Connection::open(&db).unwrap();
        for index in ["orders_status", "orders_service", "orders_link"] {
            conn.execute_batch(&format!("DROP INDEX {index}")).unwrap();
        }
        Self { db, lacks_lists: true, ..self.clone() }
    }

    /// The same with all services sold through one provider, which is paused: what it costs to
    /// buy, not to send.
    pub(crate) fn through_provider(&self, folder: &Path) -> Self {
        let db = self.copy(folder, "template-through-provider");
        let conn = Connection::open(&db).unwrap();
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF;
             INSERT INTO providers (id, name, url, created_at, account_mac, key_sealed, currency,
                                    exchange_nanos, is_enabled, sync_due_at)
             VALUES (1, 'upstream', 'https://upstream.example/api/v2', {NOW}, zeroblob(32),
                     zeroblob(64), 'USD', 1000000000, 0, 9999999999);
             UPDATE services SET provider_id = 1, provider_service = id;
             INSERT INTO pricings (service_id, cost_micros)
             SELECT id, rate_micros / 2 FROM services;
             PRAGMA journal_mode = WAL;"
        ))
        .unwrap();
        Self { db, ..self.clone() }
    }

    /// The same with limits so high that nobody meets them, so that every request is counted.
    pub(crate) fn with_limits(&self, folder: &Path) -> Self {
        let db = self.copy(folder, "template-with-limits");
        for key in ["key_rate", "key_burst"] {
            self.program.set(&db, key, "1000000");
        }
        // All of it into the file itself: that is what is copied.
        let conn = Connection::open(&db).unwrap();
        conn.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL").unwrap();
        Self { db, ..self.clone() }
    }

    /// What its program finds wrong with a copy of the file.
    pub(crate) fn check(&self, db: &Path) -> Vec<String> {
        let mut found = self.program.check(db);
        found.retain(|finding| !self.lacks_lists || !finding.starts_with("schema"));
        found
    }

    /// A fresh copy of the file, already on disk.
    pub(crate) fn copy(&self, folder: &Path, name: &str) -> PathBuf {
        let copy = folder.join(format!("{name}.db"));
        // An epoch file of an earlier round would tell of another file.
        for suffix in ["-wal", "-shm", ".epoch"] {
            let _ = std::fs::remove_file(folder.join(format!("{name}.db{suffix}")));
        }
        std::fs::copy(&self.db, &copy).unwrap();
        std::fs::File::open(&copy).unwrap().sync_all().unwrap();
        copy
    }

    pub(crate) fn orders(&self) -> usize {
        self.owners.len()
    }

    /// `add`s by Zipf users of all services, with or without their keys.
    pub(crate) fn adds(&self, with_key: bool) -> Vec<Vec<u8>> {
        let (mut random, buyers) = (Random(1), Buyers::new());
        let add = |_| {
            let user = buyers.pick(&mut random);
            let key =
                if with_key { format!(r#""key":"{}","#, key_of(user)) } else { String::new() };
            let service = random.below(SERVICES as usize) + 1;
            let (quantity, link) = (100 + random.below(900), random.below(1 << 20));
            request(
                "",
                &format!(
                    r#"{{{key}"action":"add","service":{service},"link":"https://example.com/posts/{link}","quantity":{quantity}}}"#
                ),
            )
        };
        (0..REQUESTS).map(add).collect()
    }

    pub(crate) fn statuses(&self) -> Vec<Vec<u8>> {
        let mut random = Random(2);
        let status = |_| {
            let order = random.below(self.owners.len());
            let key = key_of(self.owners[order]);
            let order = order + 1;
            request("", &format!(r#"{{"key":"{key}","action":"status","order":"{order}"}}"#))
        };
        (0..REQUESTS).map(status).collect()
    }

    /// A hundred orders of one user in each request.
    pub(crate) fn multi_statuses(&self) -> Vec<Vec<u8>> {
        let mut random = Random(3);
        let orders = 1..=self.owners.len();
        let theirs: Vec<usize> = orders.filter(|order| self.owners[order - 1] == 1).collect();
        let multi = |_| {
            let first = random.below(theirs.len() - 100);
            let ids: Vec<String> =
                theirs[first..first + 100].iter().map(usize::to_string).collect();
            let (key, ids) = (key_of(1), ids.join(","));
            request("", &format!(r#"{{"key":"{key}","action":"multiStatus","orders":"{ids}"}}"#))
        };
        (0..REQUESTS / 8).map(multi).collect()
    }

    /// The list of the user whose orders are the oldest ones.
    pub(crate) fn rested_lists(&self) -> Vec<Vec<u8>> {
        let body = format!(r#"{{"key":"{}","action":"orders"}}"#, key_of(RESTED));
        vec![request("", &body)]
    }

    pub(crate) fn services(&self) -> Vec<Vec<u8>> {
        let mut random = Random(4);
        let services = |_| {
            let key = key_of(random.below(USERS) + 1);
            let body = format!(r#"{{"key":"{key}","action":"services"}}"#);
            request("Accept-Encoding: gzip, deflate, br\r\n", &body)
        };
        (0..REQUESTS).map(services).collect()
    }
}

pub(crate) fn request(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /api/v2 HTTP/1.1\r\nHost: panel.example.com\r\nContent-Type: application/json\r\n\
         User-Agent: bench\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn fill_catalogue(tx: &Transaction<'_>) {
    for category in 1..=20 {
        let name = format!("Network {category}: likes, followers, views");
        let sql = "INSERT INTO categories (id, name, position) VALUES ($1, $2, $1)";
        tx.execute(sql, params![category, name]).unwrap();
    }
    for service in 1..=SERVICES {
        let category = (service - 1) / 50 + 1;
        let name = format!(
            "Network {category} likes [HQ, real, {}K a day, {} days refill] #{service}",
            service % 17 + 1,
            service % 90
        );
        tx.execute(
            "INSERT INTO services (id, category_id, position, name, description, kind, rate_micros,
                                   quantity_min, quantity_max, is_cancel, created_at)
             VALUES ($1, $2, $1, $3, 'Starts within the hour.', 'default', $4, 100, 100000, 1, $5)",
            params![service, category, name, RATE_MICROS, NOW],
        )
        .unwrap();
    }
}

/// The statements of an order's life, prepared once.
struct Books<'t> {
    charge: Statement<'t>,
    order: Statement<'t>,
    users: Vec<i64>,
    escrow: i64,
    revenue: i64,
}

impl<'t> Books<'t> {
    fn new(tx: &'t Transaction<'_>) -> Self {
        let posting = "INSERT INTO postings (created_at, kind, source_id, destination_id,
                                             amount_micros, source_balance_micros,
                                             destination_balance_micros, user_id, order_id, actor)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'command line')";
        let order = "INSERT INTO orders (id, user_id, service_id, kind, link, quantity, units,
                                         rate_micros, charge_micros, remains, status, finished_at,
                                         created_at, updated_at)
                     VALUES ($1, $2, $3, 'default', $4, $5, $5, $6, $7, $8, $9, $10, $11, $11)";
        let (charge, order) = (tx.prepare(posting).unwrap(), tx.prepare(order).unwrap());
        let mut books =
            Self { charge, order, users: vec![DEPOSIT_MICROS; RESTED + 1], escrow: 0, revenue: 0 };
        for user in 1..=RESTED as i64 {
            let before = -DEPOSIT_MICROS * user;
            books
                .charge
                .execute(params![
                    NOW,
                    "deposit",
                    1,
                    user + HOUSE,
                    DEPOSIT_MICROS,
                    before,
                    DEPOSIT_MICROS,
                    user,
                    None::<i64>
                ])
                .unwrap();
        }
        books
    }

    /// An order by a user, delivered already or still open.
    fn sell(&mut self, id: i64, user: usize, random: &mut Random, is_open: bool) {
        let quantity = 100 + random.below(900) as i64;
        let charge = RATE_MICROS * quantity / 1000;
        let (status, remains, finished_at) =
            if is_open { ("pending", quantity, None) } else { ("completed", 0, Some(NOW)) };
        let link = format!("https://example.com/posts/{}", random.below(1 << 20));
        let service = random.below(SERVICES as usize) as i64 + 1;
        self.order
            .execute(params![
                id,
                user as i64,
                service,
                link,
                quantity,
                RATE_MICROS,
                charge,
                remains,
                status,
                finished_at,
                NOW
            ])
            .unwrap();
        self.users[user] -= charge;
        self.escrow += charge;
        let (balance, user) = (self.users[user], user as i64);
        self.charge
            .execute(params![
                NOW,
                "charge",
                user + HOUSE,
                2,
                charge,
                balance,
                self.escrow,
                user,
                id
            ])
            .unwrap();
        if !is_open {
            self.escrow -= charge;
            self.revenue += charge;
            self.charge
                .execute(params![
                    NOW,
                    "capture",
                    2,
                    3,
                    charge,
                    self.escrow,
                    self.revenue,
                    None::<i64>,
                    id
                ])
                .unwrap();
        }
    }
}

fn fill_orders(tx: &Transaction<'_>, orders: i64) -> Vec<usize> {
    for user in 1..=RESTED {
        let id = user as i64;
        tx.execute("INSERT INTO accounts (id, kind) VALUES ($1, 'user')", [id + HOUSE]).unwrap();
        tx.execute(
            "INSERT INTO users (id, name, account_id, created_at) VALUES ($1, $2, $3, $4)",
            params![id, format!("user {id}"), id + HOUSE, NOW],
        )
        .unwrap();
        tx.execute(
            "INSERT INTO api_keys (user_id, key_hash, key_prefix, created_at, last_used_at)
             VALUES ($1, $2, 'pl_bench', $3, 9999999999)",
            params![id, KeyHash::of(&key_of(user)).0, NOW],
        )
        .unwrap();
    }
    let (mut random, buyers, mut books) = (Random(5), Buyers::new(), Books::new(tx));
    let owners: Vec<usize> = (1..=orders)
        .map(|id| {
            let user = if id <= RESTED_ORDERS { RESTED } else { buyers.pick(&mut random) };
            books.sell(id, user, &mut random, id > orders - OPEN_MAX.min(orders / 2));
            user
        })
        .collect();
    let set = |account: i64, balance: i64| {
        let sql = "UPDATE accounts SET balance_micros = $1 WHERE id = $2";
        tx.execute(sql, [balance, account]).unwrap();
    };
    set(1, -DEPOSIT_MICROS * RESTED as i64);
    set(2, books.escrow);
    set(3, books.revenue);
    for user in 1..=RESTED {
        set(user as i64 + HOUSE, books.users[user]);
    }
    fill_sums(tx);
    fill_bounds(tx);
    fill_link_keys(tx);
    owners
}

/// The first and last order of each account, where the schema keeps them.
fn fill_bounds(tx: &Transaction<'_>) {
    let sql = "SELECT count(*) FROM pragma_table_info('accounts') WHERE name = 'last_order_id'";
    if tx.query_row(sql, [], |row| row.get(0)).unwrap() {
        tx.execute_batch(
            "CREATE TEMP TABLE bounds AS
               SELECT user_id, min(id) AS first, max(id) AS last FROM orders GROUP BY user_id;
             UPDATE accounts SET first_order_id = b.first, last_order_id = b.last
             FROM bounds b JOIN users u ON u.id = b.user_id WHERE u.account_id = accounts.id;
             DROP TABLE bounds;",
        )
        .unwrap();
    }
}

/// The keys that orders are found by, where the schema keeps them: what `sell` writes as a link
/// differs from its key by the scheme alone.
fn fill_link_keys(tx: &Transaction<'_>) {
    let sql = "SELECT count(*) FROM pragma_table_info('orders') WHERE name = 'link_key'";
    if tx.query_row(sql, [], |row| row.get(0)).unwrap() {
        tx.execute_batch("UPDATE orders SET link_key = substr(link, length('https://') + 1)")
            .unwrap();
    }
}

/// The counts and figures that the panel keeps as it goes.
fn fill_sums(tx: &Transaction<'_>) {
    tx.execute_batch(&format!(
        "UPDATE order_counts SET count = (SELECT count(*) FROM orders o
                                          WHERE o.public_status = order_counts.public_status);
         INSERT INTO figures (slot_at, orders, charged_micros, captured_micros, deposit_micros)
         SELECT {NOW} - {NOW} % 900,
                (SELECT count(*) FROM orders),
                coalesce(sum(amount_micros) FILTER (WHERE kind = 'charge'), 0),
                coalesce(sum(amount_micros) FILTER (WHERE kind = 'capture'), 0),
                coalesce(sum(amount_micros) FILTER (WHERE kind = 'deposit'), 0)
         FROM postings;"
    ))
    .unwrap();
}
