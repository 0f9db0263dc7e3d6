//! Webhooks under load: a provider says of a great many orders at once that they are completed, and
//! each of their users is told. Provider and endpoint are one small server in this process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use panelite::clock;
use panelite::domain::UserId;
use panelite::secret::Sealer;
use panelite::store::{providers, webhooks};
use rusqlite::{Connection, params};

use crate::delivery::asks;
use crate::load::{self, Work};
use crate::shop::Shop;

const MOVED: i64 = 10_000;
const USERS: i64 = 1000;

/// Prints what those feel who ask about their orders while all of them move and are told of. A
/// quick run has a tenth of the orders.
pub(crate) fn print(shop: &Shop, is_quick: bool, folder: &Path) {
    let wanted = if is_quick { MOVED / 10 } else { MOVED };
    let db = shop.through_provider(folder).copy(folder, "telling");
    let quiet = {
        let server = shop.program.serve(&db);
        server.settle();
        buy(shop, server.address, wanted, &db);
        let outcome = asks(shop, &server, Duration::from_secs(3));
        server.stop();
        outcome.latency_ms(990)
    };
    let count = place(&db, answer_all());

    let server = shop.program.serve(&db);
    let started = clock::instant();
    let conn = Connection::open(&db).unwrap();
    let until_none = |sql| {
        while conn.query_row(sql, [], |row| row.get::<_, bool>(0)).unwrap() {
            std::thread::sleep(Duration::from_millis(50));
        }
        started.elapsed().as_secs_f64()
    };
    let (busy, moved, told) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| asks(shop, &server, Duration::from_secs(5)));
        let moved = until_none("SELECT EXISTS (SELECT 1 FROM deliveries WHERE stage = 'watch')");
        let told = until_none("SELECT EXISTS (SELECT 1 FROM events WHERE state = 'waiting')");
        (asking.join().unwrap().latency_ms(990), moved, told)
    });
    let memory = server.memory_mb();
    server.stop();
    assert_eq!(shop.check(&db), Vec::<String>::new());
    let word = if busy <= 2.0 * quiet { "holds" } else { "MISSED" };
    println!(
        "{count} orders completed in {moved:.1} s and their users told in {told:.1} s; {memory:.1} MB\n  \
         status meanwhile: p99 {busy:.2} ms, {quiet:.2} idle, at most twice: {word}"
    );
}

/// Buys until so many orders wait to be sent.
fn buy(shop: &Shop, address: SocketAddr, wanted: i64, db: &Path) {
    let requests = shop.adds(true);
    let conn = Connection::open(db).unwrap();
    let waiting = || -> i64 {
        conn.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0)).unwrap()
    };
    while waiting() < wanted {
        let (warmup, lasts) = (Duration::ZERO, Duration::from_millis(100));
        let (connections, status, rate) = (64, 200, None);
        let work = Work { address, connections, requests: &requests, status, warmup, lasts, rate };
        load::run(&work, &|| Duration::ZERO);
    }
}

/// Puts every order that waits at the provider, and an endpoint at every user. Says how many.
fn place(db: &Path, address: SocketAddr) -> usize {
    let sealer = Sealer::open(&db.with_extension("db.key")).unwrap();
    let url = format!("http://{address}");
    let mut conn = Connection::open(db).unwrap();
    let tx = conn.transaction().unwrap();
    let mac = sealer.mac("bench");
    let key = sealer.seal(&providers::seal_place(&mac), b"key");
    let provider = "UPDATE providers SET url = $1, account_mac = $2, key_sealed = $3,
                                         is_insecure = 1, is_enabled = 1";
    tx.execute(provider, params![url, mac, key]).unwrap();
    for user in 1..=USERS {
        let secret = sealer.seal(&webhooks::seal_place(UserId(user)), &[7; webhooks::SECRET_BYTES]);
        let webhook = "INSERT INTO webhooks (user_id, url, is_insecure, secret_sealed)
                       VALUES ($1, $2, 1, $3)";
        tx.execute(webhook, params![user, url, secret]).unwrap();
    }
    tx.execute_batch(
        "UPDATE orders SET status = 'active', shown = 'in_progress', provider_id = 1,
                           provider_order_id = id
         WHERE id IN (SELECT order_id FROM deliveries);
         INSERT INTO submissions (order_id, provider_id, place, provider_service, custom_id, state,
                                  expected_micros, created_at)
         SELECT order_id, 1, 0, '1', '', 'accepted', 0, unixepoch() FROM deliveries;
         UPDATE order_counts SET count = count - (SELECT count(*) FROM deliveries)
         WHERE public_status = 'pending';
         UPDATE order_counts SET count = count + (SELECT count(*) FROM deliveries)
         WHERE public_status = 'in_progress'",
    )
    .unwrap();
    let count = tx.execute("UPDATE deliveries SET stage = 'watch', due_at = 1", []).unwrap();
    tx.commit().unwrap();
    count
}

/// A server that calls every order completed, and is content with whatever else it is told.
fn answer_all() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || while answer(stream.as_ref().unwrap()).is_some() {});
        }
    });
    address
}

/// Answers one request; `None` where none comes any more.
fn answer(mut stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap().replace("%2C", ",");
    let mut fields = body.split('&').filter_map(|field| field.split_once('='));
    let ids = fields.find(|(name, _)| *name == "orders" || *name == "order");
    let ids = ids.map_or("", |(_, ids)| ids);
    let done = r#"{"charge":"0.1","start_count":"1","status":"Completed","remains":"0","balance":"1000","currency":"USD"}"#;
    let orders: Vec<String> = ids.split(',').map(|id| format!(r#""{id}":{done}"#)).collect();
    let answer = if ids.contains(',') { format!("{{{}}}", orders.join(",")) } else { done.into() };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
    stream.write_all(format!("{head}: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()
}
