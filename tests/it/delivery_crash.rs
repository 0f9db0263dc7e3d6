//! Crashes and restores: whatever instant the panel dies at, and whichever older file is put in its
//! place, nothing is bought twice and nothing acknowledged is lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use panelite::clock::Clock;
use panelite::domain::OrderId;
use panelite::domain::delivery::{Hand, State};
use panelite::domain::order::OrderStatus;
use panelite::practice::{Mode, Practice};
use panelite::secret::Sealer;
use panelite::store::{Missing, Store, deliveries, orders, submissions};

use crate::fixture::engine::{self, file_only};
use crate::fixture::panel::{Panel, add_provider, cli, stderr};
use crate::fixture::server::{self, Server, Shop};

const CSV: &str = "id,category,name,type,rate,min,max,cancel,provider,provider_service\n";

pub(crate) fn practice(clock: Clock) -> Practice {
    Practice::start(clock, "127.0.0.1:0".parse().unwrap()).unwrap()
}

/// A shop that sells through a practice provider, in a file that a server opens.
pub(crate) fn shop(practice: &Practice) -> Shop {
    let shop = Shop::new();
    let key_file = engine::key_file(&shop.db);
    let store = Store::open(engine::place(&shop.db), Missing::Refuse, Clock::System).unwrap();
    let sealer = Sealer::open(&key_file).unwrap();
    add_provider(&store, &sealer, ("practice", &practice.url(), practice.key()), 5);
    drop(store);
    let csv = shop.folder.path().join("sold.csv");
    std::fs::write(&csv, format!("{CSV}1,Likes,Fast likes,Default,2.50,10,100000,1,practice,1\n"))
        .unwrap();
    let imported = cli(&shop.db, &["service", "import", csv.to_str().unwrap()]);
    assert!(imported.status.success(), "{}", stderr(&imported));
    shop
}

/// How often each of our own ids has arrived.
fn arrived(practice: &Practice) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for placed in practice.orders() {
        *found.entry(placed.custom_id.unwrap()).or_default() += 1;
    }
    found
}

fn assert_bought_once(practice: &Practice, context: &str) {
    for (id, count) in arrived(practice) {
        assert_eq!(count, 1, "{context}: {id} was bought {count} times");
    }
}

fn add(shop: &Shop, server: &Server, request: &str) -> i64 {
    let link = format!("https://example.com/{request}");
    let body =
        format!("key=KEY&action=add&service=1&link={link}&quantity=100&request_id={request}");
    let reply = shop.ask(server.address, &body);
    reply.json()["order"].as_i64().unwrap_or_else(|| panic!("{}", reply.text()))
}

#[test]
fn whichever_point_the_panel_dies_at_an_order_is_sent_once_or_waits_for_a_person() {
    for (point, is_there) in [
        ("claimed", false),
        ("epoch", false),
        ("sent", true),
        ("answered", true),
        ("recorded", true),
    ] {
        let practice = practice(Clock::System);
        let shop = shop(&practice);
        let server = Server::start_with(&shop.db, &[("PANELITE_FAIL_AT", point)]);
        let order = add(&shop, &server, "one");
        assert_eq!(server.wait().code(), None, "{point}: was not killed");
        assert_eq!(!practice.orders().is_empty(), is_there, "{point}");

        let server = Server::start(&shop.db);
        let next = add(&shop, &server, "two");
        assert!(practice.wait_for_orders(1 + usize::from(is_there)), "{point}: not sent");
        assert_eq!(add(&shop, &server, "one"), order, "{point}: a request id buys once");
        server.terminate();
        shop.assert_sound();
        assert_bought_once(&practice, point);
        let status = |id| status(&shop.db, id);
        let first = if point == "recorded" { OrderStatus::Active } else { OrderStatus::Unknown };
        assert_eq!((status(order), status(next)), (first, OrderStatus::Active), "{point}");
    }
}

fn status(db: &Path, id: i64) -> OrderStatus {
    let store = Store::open(engine::place(db), Missing::Refuse, Clock::System).unwrap();
    store.point(|db| orders::find(db, OrderId(id))).unwrap().unwrap().status
}

#[test]
fn killed_at_random_under_load_the_panel_buys_everything_at_most_once() {
    let practice = practice(Clock::System);
    practice.set_delay(3);
    let shop = shop(&practice);
    let mut bought = Vec::new();
    for cycle in 0..25 {
        let before = practice.orders().len();
        let server = Server::start(&shop.db);
        for number in 0..8 + cycle % 5 {
            bought.push(add(&shop, &server, &format!("c{cycle}n{number}")));
        }
        if cycle % 3 == 0 {
            practice.wait_for_orders(before + 1);
        }
        server.kill();
    }
    let server = Server::start(&shop.db);
    // What was on its way at a kill waits for a person, whether it is there or not; all else arrives.
    let nowhere = doubtful_and_nowhere(&shop.db, &practice);
    assert!(practice.wait_for_orders(bought.len() - nowhere), "orders were lost");
    server.terminate();
    shop.assert_sound();
    assert_bought_once(&practice, "25 kills");
    let there = arrived(&practice);
    let store = Store::open(engine::place(&shop.db), Missing::Refuse, Clock::System).unwrap();
    for id in bought {
        let (order, attempts) = store
            .point(|db| {
                let id = OrderId(id);
                Ok((orders::find(db, id)?.unwrap(), submissions::list_of(db, id)?))
            })
            .unwrap();
        let is_there = attempts.iter().any(|attempt| there.contains_key(&attempt.custom_id));
        let fits =
            order.status == OrderStatus::Unknown || is_there && order.status == OrderStatus::Active;
        assert!(fits, "order {id} is {} and there: {is_there}", order.status);
    }
}

fn doubtful_and_nowhere(db: &Path, practice: &Practice) -> usize {
    let store = Store::open(engine::place(db), Missing::Refuse, Clock::System).unwrap();
    let attempts = |order| store.point(|db| submissions::list_of(db, order)).unwrap();
    let waiting = store.point(|db| deliveries::list_hand(db, 1000)).unwrap();
    let there = arrived(practice);
    let is_there = |order| attempts(order).iter().any(|it| there.contains_key(&it.custom_id));
    waiting.iter().filter(|it| !is_there(it.order)).count()
}

fn doubtful(db: &Path) -> usize {
    let store = Store::open(engine::place(db), Missing::Refuse, Clock::System).unwrap();
    store.point(|db| deliveries::list_hand(db, 1000)).unwrap().len()
}

/// What lies where the panel's file was when it starts again.
enum Put {
    /// The file of an earlier day, with the epoch file of today.
    Older,
    /// The same, and without an epoch file.
    OlderWithoutEpoch,
    /// The file of today, and no epoch file.
    WithoutEpoch,
    /// The file of today, and half an epoch file.
    WithTornEpoch,
}

#[test]
fn a_file_that_is_not_the_last_one_sends_nothing_that_waited() {
    file_only!("an older file is put in its place");
    for (put, context) in [
        (Put::Older, "older"),
        (Put::OlderWithoutEpoch, "older without epoch"),
        (Put::WithoutEpoch, "without epoch"),
        (Put::WithTornEpoch, "torn epoch"),
    ] {
        let mut restored = Restored::new();
        let panel = restored.put(&put);
        restored.assert_parked(&panel, context);
    }
}

/// A panel that has one order at its provider and one that waited when a copy of it was made; the
/// one that waited has been sent since.
struct Restored {
    panel: Option<Panel>,
    practice: Practice,
    copy: PathBuf,
    waited: i64,
}

impl Restored {
    fn new() -> Self {
        let panel = Panel::start();
        let practice = practice(panel.clock.clone());
        panel.provider_of("practice", &practice, 2);
        panel.import(&format!("{CSV}1,C,Likes,Default,2.50,1,100000,1,practice,1\n"));
        let ann = panel.reseller("ann", "10");
        ann.buys(1, 100);
        panel.deliver();
        let waited = ann.buys(1, 100);
        let copy = panel.db().with_file_name("copy.db");
        let made = panel.cli(&["backup", copy.to_str().unwrap()]);
        assert!(made.status.success(), "{}", stderr(&made));
        panel.deliver();
        assert_eq!(practice.orders().len(), 2);
        Self { panel: Some(panel), practice, copy, waited }
    }

    /// The panel on what was put in its place.
    fn put(&mut self, put: &Put) -> Panel {
        let copy = self.copy.clone();
        self.panel.take().unwrap().restarted_after(|db| {
            let epoch = engine::epoch_file(db);
            match put {
                Put::Older => replace(db, &copy),
                Put::OlderWithoutEpoch => {
                    replace(db, &copy);
                    std::fs::remove_file(&epoch).unwrap();
                }
                Put::WithoutEpoch => std::fs::remove_file(&epoch).unwrap(),
                Put::WithTornEpoch => std::fs::write(&epoch, "half a li").unwrap(),
            }
        })
    }

    /// What waited waits for a person, what is bought now is sent.
    fn assert_parked(&self, panel: &Panel, context: &str) {
        panel.deliver();
        assert_eq!(self.practice.orders().len(), 2, "{context}: sent again");
        let found = panel.store().point(|db| deliveries::find(db, OrderId(self.waited))).unwrap();
        // In the file of today it is at the provider; in an older one nobody can know.
        let hand = found.unwrap().hand;
        assert!(matches!(hand, Some(Hand::Restored) | None), "{context}: {hand:?}");
        let bob = panel.reseller("bob", "10");
        let next = bob.buys(1, 100);
        panel.deliver();
        assert_eq!(self.practice.orders().len(), 3, "{context}: what is bought now waits");
        let live = panel.store().point(|db| submissions::find_live(db, OrderId(next))).unwrap();
        assert_eq!(live.unwrap().state, State::Accepted, "{context}");
        assert_bought_once(&self.practice, context);
    }
}

fn replace(db: &Path, copy: &Path) {
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(db.with_file_name(format!("panel.db{suffix}")));
    }
    std::fs::copy(copy, db).unwrap();
}

#[test]
fn a_kill_while_parking_goes_on_parking() {
    let practice = practice(Clock::System);
    let shop = shop(&practice);
    let server = Server::start(&shop.db);
    add(&shop, &server, "one");
    assert!(practice.wait_for_orders(1));
    practice.misbehave_at("add", Mode::Status429);
    for number in 0..5 {
        add(&shop, &server, &format!("more{number}"));
    }
    server.terminate();
    std::fs::remove_file(engine::epoch_file(&shop.db)).unwrap();
    practice.behave();
    let mut child = server::spawn(&shop.db, &[("PANELITE_FAIL_AT", "parking")]);
    assert_eq!(child.wait().unwrap().code(), None, "was not killed");
    let server = Server::start(&shop.db);
    add(&shop, &server, "two");
    assert!(practice.wait_for_orders(2));
    server.terminate();
    assert_eq!((practice.orders().len(), doubtful(&shop.db)), (2, 5));
    shop.assert_sound();
}
