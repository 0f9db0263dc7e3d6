//! Neither a page of the panel nor delivery waits for a server more than a few times: what they look
//! at is asked for together, wherever nothing depends on what was found before.

use actix_web::http::Method;
use panelite::admin::{Access, ROUTES};
use panelite::commands::accounts::Deposit;
use panelite::commands::orders::{CancelOrders, SetOrders};
use panelite::domain::money::Money;
use panelite::domain::order::PublicStatus;
use panelite::domain::{Actor, KeyId, OrderId};

use crate::fixture::engine;
use crate::fixture::operator::{Operator, filled};
use crate::fixture::panel::Panel;
use crate::fixture::sample;
use crate::fixture::upstream::{Upstream, report};

/// Pages that show something else than they do for the first of what they show.
const OTHERS: &[&str] = &[
    "/admin/orders?tab=hand",
    "/admin/orders?user=alice&state=completed",
    "/admin/services?category=2&state=enabled",
    "/admin/services/900",
    "/admin/services/902",
    "/admin/users?find=1",
    "/admin/ledger?user=alice",
    "/admin/ledger/12",
    "/admin/alerts?tab=past",
    "/admin/providers/2",
];
/// One of them to know who asks and what every page shows.
const TRIPS_MAX: u64 = 6;
/// What a connection is asked for the first time is prepared first.
const VISITS: usize = 6;

/// The fewest times that a visit of the page has waited.
fn trips(panel: &Panel, admin: &mut Operator, path: &str) -> u64 {
    let visit = |_| {
        let before = panel.store().read_trips();
        let reply = admin.get(path);
        assert_eq!(reply.status, 200, "{path}");
        panel.store().read_trips() - before
    };
    (0..VISITS).map(visit).min().unwrap()
}

#[test]
fn pages_ask_a_server_for_what_they_show_together() {
    if !engine::is_server() {
        return engine::say_left_out(module_path!(), "a file is not far away");
    }
    let panel = sample::shop();
    let mut admin = panel.log_in(sample::ADMIN);
    let reads = ROUTES.iter().filter(|it| it.method == Method::GET && it.access == Access::Signed);
    let first = reads.map(|route| format!("/admin{}", filled(route.path, "1")));
    let orders = [sample::bought_orders(&panel), sample::orders_to_see(&panel)].concat();
    let orders = orders.iter().map(|order| format!("/admin/orders/{order}"));
    let others = OTHERS.iter().map(ToString::to_string);
    let all: Vec<(u64, String)> = first
        .chain(others)
        .chain(orders)
        .map(|path| (trips(&panel, &mut admin, &path), path))
        .collect();
    for (trips, path) in &all {
        println!("{trips:>3} {path}");
    }
    let long: Vec<_> = all.iter().filter(|(trips, _)| *trips > TRIPS_MAX).collect();
    assert!(long.is_empty(), "{long:?}");
}

/// The most that delivery waits for in one command, however many orders it is about.
const MANY_MAX: u64 = 8;
/// To sell an order, to claim it and to record that it is there.
const SENT_MAX: u64 = 15;

#[test]
fn delivery_asks_a_server_for_many_orders_together() {
    if !engine::is_server() {
        return engine::say_left_out(module_path!(), "a file is not far away");
    }
    let shop = Upstream::open();
    let hook = ["user", "webhook", "ann", "https://a.example/events"];
    assert!(shop.panel.cli(&hook).status.success());
    let trips = |what: &dyn Fn()| {
        let before = shop.panel.store().turns().trips;
        what();
        shop.panel.store().turns().trips - before
    };
    let hear = |orders: &[i64], word: &str, remains: i64| {
        let report = |order: &i64| (OrderId(*order), Ok(report(word, remains)));
        shop.hears(orders.iter().map(report).collect());
    };
    // What is said for the first time has to be prepared.
    let first = [shop.places(1000), shop.places(1000)];
    shop.minutes(2);
    shop.leases();
    for (word, remains) in [("Pending", 1000), ("In progress", 400), ("Completed", 0)] {
        hear(&first, word, remains);
    }

    let orders: Vec<i64> = (0..40).map(|_| shop.places(1000)).collect();
    let sent = trips(&|| assert!(shop.places(1000) > 0));
    assert!(sent <= SENT_MAX, "{sent} to send an order");
    shop.minutes(2);
    assert!(trips(&|| assert_eq!(shop.leases().len(), 41)) <= MANY_MAX);
    for (word, remains) in [("Pending", 1000), ("In progress", 400), ("Completed", 0)] {
        let heard = trips(&|| hear(&orders, word, remains));
        assert!(heard <= MANY_MAX, "{heard} to hear that 40 orders are {word}");
    }
}

#[test]
fn what_is_asked_of_many_orders_takes_a_trip_for_each() {
    if !engine::is_server() {
        return engine::say_left_out(module_path!(), "a file is not far away");
    }
    let panel = Panel::start();
    panel.services(&["1,All,Plain,Default,1,10,1000,0,0,1"]);
    let ann = panel.reseller("ann", "1000");
    let (store, user, actor) = (panel.store(), ann.user, || Actor::CommandLine);
    let mut orders: Vec<OrderId> = (0..80).map(|_| OrderId(ann.buys(1, 10))).collect();
    let trips = |what: &mut dyn FnMut()| {
        let before = store.turns().trips;
        what();
        store.turns().trips - before
    };
    let mut fewest = |ask: &dyn Fn(Vec<OrderId>)| {
        // What is said for the first time has to be prepared.
        let twice = [20, 20].map(|count| orders.split_off(orders.len() - count));
        twice.map(|orders| trips(&mut || ask(orders.clone())))[1]
    };
    let canceled = fewest(&|orders| {
        let key = KeyId(1);
        let refunds = store.write_blocking(CancelOrders { user, key, orders }).unwrap();
        assert!(refunds.iter().all(Result::is_ok), "{refunds:?}");
    });
    let set = fewest(&|orders| {
        let (orders, status) = (orders.into_iter().collect(), PublicStatus::Completed);
        store.write_blocking(SetOrders { actor: actor(), orders, status }).unwrap();
    });
    assert!(canceled.max(set) <= 20 + MANY_MAX, "{canceled} to cancel 20 orders, {set} to set 20");
    let deposited = [(); 2].map(|()| {
        trips(&mut || {
            let (amount, note, reference) = (Money::from_micros(1), String::new(), None);
            let deposit = Deposit { actor: actor(), user, amount, note, reference };
            assert!(store.write_blocking(deposit).is_ok());
        })
    });
    assert_eq!(deposited[1], 2, "to deposit money");
}
