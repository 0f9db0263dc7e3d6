//! Delivery under load: a queue of pending orders to a provider that takes its time, and a great
//! many open ones that have to be looked at. The practice provider runs in this process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use panelite::clock::{self, Clock};
use panelite::practice::Practice;
use panelite::secret::Sealer;
use panelite::store::providers::seal_place;
use rusqlite::{Connection, params};

use crate::load::{self, Outcome, Work};
use crate::process::Server;
use crate::shop::Shop;

const PENDING: i64 = 10_000;
const OPEN: i64 = 100_000;
const ANSWERS_AFTER_MS: u64 = 50;
/// Requests a second by those who want to know how their orders stand.
const RATE: u32 = 200;
const CONNECTIONS: usize = 16;

/// Prints how fast a queue drains and how long a round of looks takes. A quick run has a tenth of
/// the orders.
pub(crate) fn print(shop: &Shop, is_quick: bool, folder: &Path) {
    let share = if is_quick { 10 } else { 1 };
    print_pending(shop, PENDING / share, folder);
    print_open(shop, OPEN / share, folder);
}

/// A provider that answers after a while, and a file whose services are sold through it.
struct Upstream {
    practice: Practice,
    db: PathBuf,
}

impl Upstream {
    fn new(shop: &Shop, folder: &Path, name: &str) -> Self {
        let practice = Practice::start(Clock::System, "127.0.0.1:0".parse().unwrap()).unwrap();
        practice.set_balance("100000000");
        let db = shop.through_provider(folder).copy(folder, name);
        let sealer = Sealer::open(&db.with_extension("db.key")).unwrap();
        let mac = sealer.mac("bench");
        let key = sealer.seal(&seal_place(&mac), practice.key().as_bytes());
        let conn = Connection::open(&db).unwrap();
        conn.execute(
            "UPDATE providers SET url = $1, account_mac = $2, key_sealed = $3, is_insecure = 1,
                                  is_enabled = 1",
            params![practice.url(), mac, key],
        )
        .unwrap();
        conn.execute("UPDATE services SET provider_service = '1'", []).unwrap();
        Self { practice, db }
    }
}

/// What those feel who ask about their orders at a steady rate.
pub(crate) fn asks(shop: &Shop, server: &Server, lasts: Duration) -> Outcome {
    let requests = shop.statuses();
    let work = Work {
        address: server.address,
        connections: CONNECTIONS,
        requests: &requests,
        status: 200,
        warmup: Duration::from_millis(200),
        lasts,
        rate: Some(RATE),
    };
    load::run(&work, &|| server.cpu())
}

fn print_pending(shop: &Shop, count: i64, folder: &Path) {
    let idle = {
        let server = shop.program.serve(&shop.copy(folder, "delivery-idle"));
        server.settle();
        let outcome = asks(shop, &server, Duration::from_secs(3));
        server.stop();
        outcome
    };
    let upstream = Upstream::new(shop, folder, "delivery-pending");
    let conn = Connection::open(&upstream.db).unwrap();
    let first = queue(&conn, count);
    drop(conn);
    upstream.practice.set_delay(ANSWERS_AFTER_MS);
    let server = shop.program.serve(&upstream.db);
    let (started, before) = (clock::instant(), server.memory_mb());
    let during = asks(shop, &server, Duration::from_secs(5));
    let wanted = usize::try_from(count).unwrap();
    let mut most = server.memory_mb();
    while upstream.practice.calls("add") < wanted && server.cpu() > Duration::ZERO {
        std::thread::sleep(Duration::from_millis(50));
        most = most.max(server.memory_mb());
    }
    let took = started.elapsed();
    server.stop();
    let conn = Connection::open(&upstream.db).unwrap();
    let sql = "SELECT count(*) FROM orders WHERE id >= $1 AND provider_order_id IS NOT NULL";
    let sent: i64 = conn.query_row(sql, [first], |row| row.get(0)).unwrap();
    assert_eq!(sent, count, "orders were not sent");
    let per_second = count as f64 / took.as_secs_f64();
    let word = if per_second >= 60.0 { "holds" } else { "MISSED" };
    println!(
        "\n{count} pending orders to a provider that answers after {ANSWERS_AFTER_MS} ms, 4 calls at \
         a time: {per_second:.0} a second, at least 60: {word}; memory {before:.1} MB at the start, \
         {most:.1} at most"
    );
    let (quiet, busy) = (idle.latency_ms(990), during.latency_ms(990));
    let word = if busy <= 2.0 * quiet { "holds" } else { "MISSED" };
    println!(
        "  status at {RATE} a second meanwhile: p99 {busy:.2} ms, {quiet:.2} idle, at most twice: \
         {word}"
    );
}

/// Orders that wait to be sent; says the number of the first.
fn queue(conn: &Connection, count: i64) -> i64 {
    let last: i64 = conn.query_row("SELECT max(id) FROM orders", [], |row| row.get(0)).unwrap();
    conn.execute_batch(&format!(
        "BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO orders (id, user_id, service_id, kind, link, link_key, quantity, units,
                             rate_micros, charge_micros, remains, created_at, updated_at)
         SELECT {last} + i, 1, 1, 'default', 'https://example.com/q/' || i, 'example.com/q/' || i,
                100, 100, 2500000, 0, 100, 1767225600, 1767225600 FROM n;
         INSERT INTO deliveries (order_id, provider_id, stage, due_at, moved_at)
         SELECT id, 1, 'send', 1767225600, unixepoch() FROM orders WHERE id > {last};
         UPDATE order_counts SET count = count + {count} WHERE public_status = 'pending';
         COMMIT;"
    ))
    .unwrap();
    last + 1
}

fn print_open(shop: &Shop, count: i64, folder: &Path) {
    let upstream = Upstream::new(shop, folder, "delivery-open");
    let conn = Connection::open(&upstream.db).unwrap();
    let first = queue(&conn, count);
    conn.execute_batch(&format!(
        "BEGIN;
         UPDATE orders SET status = 'active', shown = 'in_progress', provider_id = 1,
                           provider_order_id = id WHERE id >= {first};
         INSERT INTO submissions (order_id, provider_id, place, provider_service, custom_id, state,
                                  expected_micros, created_at)
         SELECT id, 1, 0, '1', '', 'accepted', 0, unixepoch() FROM orders WHERE id >= {first};
         UPDATE deliveries SET stage = 'watch' WHERE order_id >= {first};
         UPDATE order_counts SET count = count - {count} WHERE public_status = 'pending';
         UPDATE order_counts SET count = count + {count} WHERE public_status = 'in_progress';
         COMMIT;"
    ))
    .unwrap();
    let server = shop.program.serve(&upstream.db);
    let started = clock::instant();
    let sql = "SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_due
               WHERE provider_id = 1 AND stage = 'watch' AND due_at > 0 AND due_at = 1767225600
               LIMIT 1)";
    while conn.query_row(sql, [], |row| row.get::<_, bool>(0)).unwrap() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = started.elapsed().as_secs_f64();
    println!(
        "{count} open orders looked at in {took:.1} s with {} calls, at most 1200 s; {:.1} MB",
        upstream.practice.calls("status"),
        server.memory_mb()
    );
    server.stop();
}
