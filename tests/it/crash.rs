//! What is left when the process is killed: everything that was acknowledged, once.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::fixture::engine::{self, Held};
use crate::fixture::http;
use crate::fixture::panel::{cli, stdout};
use crate::fixture::server::{self, Buyer, Load, Sent, Server, Shop};

const CYCLES: usize = 25;
const CONNECTIONS: usize = 6;
/// Orders acknowledged before a kill at most; the kill falls somewhere among those in flight.
const ANSWERS_MAX: u64 = 300;

/// A number below `end`, different in every run.
fn random(end: u64) -> usize {
    usize::try_from(RandomState::new().hash_one(0) % end).unwrap()
}

/// Sends every request once more: what was acknowledged keeps its number, the rest is bought now
/// unless it was bought then. Returns all of them with their numbers.
fn replay(shop: &Shop, server: &Server, sent: Vec<Sent>) -> Vec<Sent> {
    let mut buyer = Buyer::connect(server.address, &shop.key);
    let replay = |sent: Sent| {
        let answer = buyer.buy(&sent.request_id);
        assert!(answer.is_some(), "no answer to {sent:?}");
        assert!(sent.answer.is_none() || sent.answer == answer, "{sent:?} is now {answer:?}");
        Sent { answer, ..sent }
    };
    sent.into_iter().map(replay).collect()
}

#[test]
fn acknowledged_orders_survive_kill_9() {
    let shop = Shop::new();
    let mut known: Vec<Sent> = Vec::new();
    let mut last = Vec::new();
    let mut ready = Vec::new();
    for cycle in 0..engine::often(CYCLES) {
        let server = Server::start(&shop.db);
        ready.push(server.ready_after);
        known.extend(replay(&shop, &server, last));

        let load = Load::start(&shop, server.address, CONNECTIONS, &cycle.to_string());
        last = load.wait_for(random(ANSWERS_MAX));
        server.kill();
        last.extend(load.finish());
        shop.assert_sound();
    }
    let server = Server::start(&shop.db);
    known.extend(replay(&shop, &server, last));
    let known = replay(&shop, &server, known);
    assert_eq!(server.terminate().code(), Some(0));

    let orders: HashSet<i64> = known.iter().filter_map(|sent| sent.answer).collect();
    assert_eq!(orders.len(), known.len(), "two requests share an order");
    assert_eq!(shop.orders_paid(), orders.len(), "charged for other orders than were bought");
    shop.assert_sound();
    // What recovery takes shows in the quickest: the others also waited for their turn.
    let ready_after = ready.into_iter().min().unwrap();
    println!("{} orders, ready after {ready_after:?} at best", known.len());
    assert!(ready_after < Duration::from_secs(1), "ready only after {ready_after:?}");
}

#[test]
fn a_start_that_is_killed_harms_nothing() {
    let shop = Shop::new();
    let new = Held::new(shop.folder.path().join("new.db"));
    for db in [&shop.db, &new] {
        for _ in 0..engine::often(20) {
            let mut child = server::spawn(db, &[]);
            (0..random(4000)).for_each(|_| std::thread::yield_now());
            child.kill().unwrap();
            child.wait().unwrap();
        }
        Server::start(db).kill();
        assert_eq!(stdout(&cli(db, &["check"])), "sound\n");
    }
}

#[test]
fn sigterm_answers_everything_it_charges() {
    let shop = Shop::new();
    let server = Server::start(&shop.db);
    let load = Load::start(&shop, server.address, 16, "term");
    let mut sent = load.wait_for(300);
    let idle = http::connect(server.address);
    assert_eq!(server.terminate().code(), Some(0));
    drop(idle);
    sent.extend(load.finish());

    let acknowledged = sent.iter().filter(|sent| sent.answer.is_some()).count();
    assert_eq!(shop.orders_paid(), acknowledged, "charged, but not answered");
    let wal = std::fs::metadata(shop.folder.path().join("panel.db-wal"));
    assert!(wal.map_or(0, |wal| wal.len()) == 0, "the WAL was left full");
    shop.assert_sound();
}
