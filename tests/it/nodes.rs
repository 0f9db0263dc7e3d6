//! Several nodes on one database: what holds in one process holds across them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use panelite::clock::Clock;
use panelite::domain::OrderId;
use panelite::domain::order::OrderStatus;
use panelite::secret::Sealer;
use panelite::store::{Missing, Store, orders};

use crate::delivery_crash::{practice, shop};
use crate::fixture::browser::say;
use crate::fixture::engine;
use crate::fixture::http::{self, Reply};
use crate::fixture::panel::{cli, stderr, stdout};
use crate::fixture::server::{Server, Shop};

/// Whether there is a server to have nodes on; says so where there is none.
fn has_server(test: &str) -> bool {
    if !engine::is_server() {
        say(&format!("SKIPPED: {test}: PANELITE_TEST_PG names no server"));
    }
    engine::is_server()
}

/// A shop with two nodes.
fn nodes() -> (Shop, [Server; 2]) {
    let shop = Shop::new();
    let nodes = [Server::start(&shop.db), Server::start(&shop.db)];
    (shop, nodes)
}

fn ask(address: SocketAddr, body: &str) -> Reply {
    http::send(address, "POST", "/api/v2", &[], body.as_bytes())
}

fn run(shop: &Shop, args: &[&str]) -> String {
    let output = cli(&shop.db, args);
    assert!(output.status.success(), "{args:?}: {}", stdout(&output));
    stdout(&output).trim().to_owned()
}

/// What so many requests at each node, all at once, are answered.
fn race(nodes: &[Server; 2], each: usize, body: impl Fn(usize) -> String + Sync) -> Vec<Reply> {
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..2 * each)
            .map(|number| {
                let (address, body) = (nodes[number % 2].address, body(number));
                scope.spawn(move || ask(address, &body))
            })
            .collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    })
}

fn order(reply: &Reply) -> Option<i64> {
    reply.json()["order"].as_i64()
}

fn stop(shop: &Shop, nodes: [Server; 2]) {
    for node in nodes {
        assert!(node.terminate().success());
    }
    shop.assert_sound();
}

#[test]
fn money_for_so_many_orders_buys_so_many_over_both() {
    if !has_server("money_for_so_many_orders_buys_so_many_over_both") {
        return;
    }
    let (shop, nodes) = nodes();
    run(&shop, &["user", "create", "bob"]);
    run(&shop, &["user", "deposit", "bob", "5"]);
    let key = run(&shop, &["key", "create", "bob"]);
    let replies = race(&nodes, 20, |number| {
        format!("key={key}&action=add&service=1&link=x{number}&quantity=100")
    });
    let bought: BTreeSet<i64> = replies.iter().filter_map(order).collect();
    assert_eq!(bought.len(), 20, "5.00 buys 20 at 0.25");
    assert_eq!(bought, (1..=20).collect(), "numbers have no holes");
    for refused in replies.iter().filter(|reply| order(reply).is_none()) {
        assert!(refused.text().contains("Not enough funds"), "{}", refused.text());
    }
    stop(&shop, nodes);
}

#[test]
fn a_request_id_buys_once_over_both() {
    if !has_server("a_request_id_buys_once_over_both") {
        return;
    }
    let (shop, nodes) = nodes();
    let replies = race(&nodes, 24, |number| {
        let request = number / 4;
        format!("key={}&action=add&service=1&link=x&quantity=100&request_id=r{request}", shop.key)
    });
    for asked in replies.chunks(4) {
        let numbers: BTreeSet<Option<i64>> = asked.iter().map(order).collect();
        assert_eq!(numbers.len(), 1, "{numbers:?}");
        assert!(!numbers.contains(&None));
    }
    assert_eq!(shop.orders_paid(), 12);
    stop(&shop, nodes);
}

#[test]
fn a_key_that_is_revoked_at_one_is_dead_at_the_other_at_once() {
    if !has_server("a_key_that_is_revoked_at_one_is_dead_at_the_other_at_once") {
        return;
    }
    let (shop, nodes) = nodes();
    run(&shop, &["user", "create", "bob"]);
    for number in 2..6 {
        let key = run(&shop, &["key", "create", "bob"]);
        for node in &nodes {
            assert_eq!(ask(node.address, &format!("key={key}&action=balance")).status, 200);
        }
        run(&shop, &["key", "revoke", &number.to_string()]);
        for node in &nodes {
            let reply = ask(node.address, &format!("key={key}&action=balance"));
            assert!(reply.json()["balance"].is_null(), "{}", reply.text());
        }
    }
    stop(&shop, nodes);
}

#[test]
fn both_deliver_and_nothing_is_bought_twice_though_one_is_killed() {
    if !has_server("both_deliver_and_nothing_is_bought_twice_though_one_is_killed") {
        return;
    }
    let practice = practice(Clock::System);
    practice.set_delay(5);
    let shop = shop(&practice);
    let mut bought = Vec::new();
    let mut nodes = [Server::start(&shop.db), Server::start(&shop.db)];
    for round in 0..4 {
        let replies = race(&nodes, 10, |number| {
            let link = format!("https://example.com/{round}-{number}");
            format!("key={}&action=add&service=1&link={link}&quantity=100", shop.key)
        });
        bought.extend(replies.iter().map(|reply| order(reply).unwrap()));
        let [one, other] = nodes;
        one.kill();
        nodes = [other, Server::start(&shop.db)];
    }
    let store = Store::open(engine::place(&shop.db), Missing::Refuse, Clock::System).unwrap();
    let state =
        |id: &i64| store.point(|db| orders::find(db, OrderId(*id))).unwrap().unwrap().status;
    while bought.iter().any(|id| matches!(state(id), OrderStatus::Pending | OrderStatus::Sending)) {
        std::thread::yield_now();
    }
    let links: Vec<String> = practice.orders().into_iter().map(|placed| placed.link).collect();
    let different: BTreeSet<&String> = links.iter().collect();
    assert_eq!(links.len(), different.len(), "something was bought twice");
    let active = bought.iter().filter(|id| state(id) == OrderStatus::Active).count();
    assert!(links.len() >= active && active > 0, "{} of {active} arrived", links.len());
    drop(store);
    stop(&shop, nodes);
}

#[test]
fn connections_that_are_cut_lose_nothing_that_was_acknowledged() {
    if !has_server("connections_that_are_cut_lose_nothing_that_was_acknowledged") {
        return;
    }
    let shop = Shop::new();
    let node = Server::start(&shop.db);
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'panelite {}'",
        node.pid()
    );
    let is_over = AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for buyer in 0..8 {
            let (tell, shop, node, is_over) = (tell.clone(), &shop, &node, &is_over);
            scope.spawn(move || {
                let mut number = 0;
                while !is_over.load(Ordering::Acquire) {
                    let request = format!("request_id=b{buyer}n{number}");
                    let order =
                        format!("key=KEY&action=add&service=1&link=x&quantity=100&{request}");
                    let reply = shop.ask(node.address, &order);
                    match reply.status {
                        200 => tell.send(reply.json()["order"].as_i64().unwrap()).unwrap(),
                        503 => continue,
                        _ => panic!("{}: {}", reply.status, reply.text()),
                    }
                    number += 1;
                }
            });
        }
        drop(tell);
        let mut bought = BTreeSet::new();
        for _ in 0..20 {
            bought.extend(told.iter().take(15));
            engine::execute(&shop.db, &cut);
        }
        is_over.store(true, Ordering::Release);
        bought.extend(told.iter());
        assert_eq!(shop.orders_paid(), bought.len());
    });
    assert!(node.terminate().success());
    shop.assert_sound();
}

#[test]
fn a_node_with_another_key_file_does_not_begin() {
    if !has_server("a_node_with_another_key_file_does_not_begin") {
        return;
    }
    let shop = Shop::new();
    let node = Server::start(&shop.db);
    let other = shop.folder.path().join("other.key");
    Sealer::open(&other).unwrap();
    let output =
        crate::fixture::server::spawn(&shop.db, &[("PANELITE_KEY_FILE", other.to_str().unwrap())])
            .wait_with_output()
            .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (other, hook) = (other.to_str().unwrap(), "https://example.com/events");
    let output = cli(&shop.db, &["--key-file", other, "user", "webhook", "rich", hook]);
    assert_eq!(output.status.code(), Some(1), "nor is anything sealed that no node can open");
    assert!(stderr(&output).contains("key file"), "{}", stderr(&output));
    assert!(node.terminate().success());
    shop.assert_sound();
}
