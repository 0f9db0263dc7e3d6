//! Connections to the database that end at any moment, and a database that crashes: what was
//! acknowledged is there, once, and nobody is told anything worse than to ask again.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use panelite::clock::Clock;
use panelite::commands::accounts::{CreateUser, Deposit};
use panelite::commands::catalog::ImportServices;
use panelite::commands::catalog_csv;
use panelite::commands::orders::PlaceOrder;
use panelite::domain::input::Input;
use panelite::domain::money::Money;
use panelite::domain::placing::Details;
use panelite::domain::{Actor, ServiceId, UserId};
use panelite::store::orders::Origin;
use panelite::store::requests::RequestId;
use panelite::store::{Error, Missing, Store};

use crate::fixture::cluster::Cluster;
use crate::fixture::engine;

const ROUNDS: usize = 14;
/// The round in which the whole database crashes.
const CRASH: usize = 7;
const THREADS: usize = 8;
/// Orders acknowledged before connections end, at most.
const ANSWERS_MAX: u64 = 400;
const CSV: &str =
    "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service
1,C,Plain,Default,1,1,5000,0,0,1,,
";
/// Ends every connection of a panel's.
const END: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name LIKE 'panelite%'";

fn random(end: u64) -> usize {
    usize::try_from(RandomState::new().hash_one(0) % end).unwrap() + 1
}

fn fill(store: &Store) {
    let actor = || Actor::CommandLine;
    let drafts = catalog_csv::read(CSV.as_bytes()).unwrap();
    store.write_blocking(ImportServices { actor: actor(), drafts }).unwrap();
    for number in 0..THREADS {
        let name = format!("user {number}");
        let user = store.write_blocking(CreateUser { actor: actor(), name }).unwrap();
        let (amount, note) = (Money::parse("1000000").unwrap(), String::new());
        let deposit = Deposit { actor: actor(), user, amount, note, reference: None };
        store.write_blocking(deposit).unwrap();
    }
}

fn order(user: UserId, name: &str) -> PlaceOrder {
    let mut details = Details::default();
    details.add(Input::Link, "x".to_owned()).unwrap();
    details.add(Input::Quantity, "10".to_owned()).unwrap();
    let request = Some(RequestId { text: name.to_owned(), digest: [0; 32] });
    let origin = Origin { actor: Actor::CommandLine, request, custom_id: None };
    PlaceOrder { user, service: Some(ServiceId(1)), details, origin }
}

/// Buys until told to stop; asks again by the same name where it has to.
fn keep_buying(
    store: &Store,
    user: UserId,
    stop: &AtomicBool,
    errors: &AtomicUsize,
    bought: &mpsc::Sender<i64>,
) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = format!("{number}");
        loop {
            match store.write_blocking(order(user, &name)) {
                Ok(id) => break bought.send(id.0).unwrap(),
                Err(error) => {
                    let is_passing = matches!(error, Error::Busy) || error.is_away();
                    assert!(is_passing, "{error}");
                    errors.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Stops those who buy, also where the test fails.
struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_was_acknowledged_is_there_once() {
    let cluster = if engine::is_server() { Cluster::start_open() } else { None };
    let Some(cluster) = cluster else {
        return engine::say_left_out(module_path!(), "there is no server to crash");
    };
    let open = || Store::open(cluster.place(), Missing::Create, Clock::System).unwrap();
    let nodes = [open(), open()];
    fill(&nodes[0]);

    let (stop, errors) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (sender, bought) = mpsc::channel();
    let mut ids: Vec<i64> = std::thread::scope(|scope| {
        let stopping = Stopping(&stop);
        for (number, sender) in std::iter::repeat_n(sender, THREADS).enumerate() {
            let (store, user) = (&nodes[number % 2], UserId(i64::try_from(number + 1).unwrap()));
            let (stop, errors) = (&stop, &errors);
            scope.spawn(move || keep_buying(store, user, stop, errors, &sender));
        }
        let mut ids = Vec::new();
        for round in 0..ROUNDS {
            ids.extend(bought.iter().take(random(ANSWERS_MAX)));
            match round {
                CRASH => cluster.crash(),
                _ => assert!(cluster.number(END) >= 1),
            }
        }
        ids.extend(bought.iter().take(100));
        drop(stopping);
        ids.extend(bought.iter());
        ids
    });

    ids.sort_unstable();
    let count = i64::try_from(ids.len()).unwrap();
    assert!(ids.iter().copied().eq(1..=count), "{count} orders are not numbered in one run");
    assert_eq!(cluster.number("SELECT count(*) FROM orders"), count);
    for node in nodes {
        assert_eq!(node.check().unwrap(), []);
    }
    println!("{count} orders, {} errors", errors.into_inner());
}
