//! Orders on PostgreSQL: how many a second, and in how many trips, at the writers of one node and of
//! two in this process, and over HTTP; on this machine and with a network between, which is a relay
//! that holds each packet back.
//!
//! `PANELITE_TEST_PG` names the server, as `host=127.0.0.1 port=54321 user=postgres`. What is
//! measured is its processor and its disk: with `fsync` on, if it is to mean anything.

use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use panelite::clock::{self, Clock};
use panelite::commands::accounts::{CreateKey, CreateUser, Deposit};
use panelite::commands::catalog::ImportServices;
use panelite::commands::catalog_csv;
use panelite::commands::orders::PlaceOrder;
use panelite::domain::input::Input;
use panelite::domain::money::Money;
use panelite::domain::placing::Details;
use panelite::domain::{Actor, ServiceId, UserId};
use panelite::secret::KeyHash;
use panelite::store::orders::Origin;
use panelite::store::place::{Access, Place};
use panelite::store::requests::RequestId;
use panelite::store::{IfCallersUnchanged, Missing, Store};
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

use crate::Plan;
use crate::lane;
use crate::load::{self, Work};
use crate::shop::{self, request};

const SERVER: &str = "PANELITE_TEST_PG";
const SCHEMA: &str = "panelite_bench";
const USERS: i64 = 50;
const HELD_BACK: Duration = Duration::from_micros(500);
const CSV: &str =
    "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service
1,C,Plain,Default,0.9,1,5000,0,0,1,,
";

/// What is measured at writers: who waits how far away, at each of so many nodes.
struct Case {
    name: &'static str,
    waiting: usize,
    is_far: bool,
    has_desk: bool,
    nodes: usize,
}

const CASES: [Case; 9] = [
    case("desk", 1, false),
    case("desk", 64, false),
    case("desk", 256, false),
    case("desk, 0.5 ms away", 1, true),
    case("desk, 0.5 ms away", 64, true),
    case("desk, 0.5 ms away", 256, true),
    Case { name: "apart, 0.5 ms away", has_desk: false, ..case("", 64, true) },
    Case { name: "two nodes", nodes: 2, ..case("", 128, false) },
    Case { name: "two nodes, 0.5 ms away", nodes: 2, ..case("", 128, true) },
];
/// What is measured of delivery: whether the server is far away, and whether there is a desk.
const LANES: [(&str, bool, bool); 3] =
    [("desk", false, true), ("desk, 0.5 ms away", true, true), ("apart, 0.5 ms away", true, false)];
/// Connections over HTTP.
const CONNECTIONS: [usize; 2] = [64, 256];
const REQUESTS: i64 = 4096;

const fn case(name: &'static str, waiting: usize, is_far: bool) -> Case {
    Case { name, waiting, is_far, has_desk: true, nodes: 1 }
}

/// Measures and prints, or says why not.
pub(crate) fn print(plan: &Plan, folder: &Path) {
    let Some(server) = std::env::var_os(SERVER) else {
        println!("\nPostgreSQL: LEFT OUT, since {SERVER} names no server");
        return;
    };
    let config: Config = server.to_str().unwrap().parse().unwrap();
    println!(
        "\non PostgreSQL, {} ms each             orders/s   p50 ms   trips",
        plan.lasts.as_millis()
    );
    for waiting in [64, 256] {
        let path = folder.join(format!("writer-{waiting}.db"));
        let store = Store::open(path.as_path(), Missing::Create, Clock::System).unwrap();
        report("a file", &[store], waiting, plan);
    }
    for case in CASES {
        begin(&config);
        let address = if case.is_far { relay(address(&config)) } else { address(&config) };
        let open = |_| open(&config, address, case.has_desk);
        let stores: Vec<Store> = (0..case.nodes).map(open).collect();
        report(case.name, &stores, case.waiting, plan);
        stores.iter().for_each(Store::close);
    }
    println!("\ndelivery at the writer           sent/s   ms for 100 moved   completed");
    let path = folder.join("lane.db");
    let store = Store::open(path.as_path(), Missing::Create, Clock::System).unwrap();
    fill(&store);
    lane::report("a file", &store, folder);
    for (name, is_far, has_desk) in LANES {
        begin(&config);
        let address = if is_far { relay(address(&config)) } else { address(&config) };
        let store = open(&config, address, has_desk);
        fill(&store);
        lane::report(name, &store, folder);
        store.close();
    }
    println!();
    for (name, is_far) in [("HTTP", false), ("HTTP, 0.5 ms away", true)] {
        begin(&config);
        let address = if is_far { relay(address(&config)) } else { address(&config) };
        report_http(name, (&config, address), plan, folder);
    }
    run(&config, &format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"));
}

/// Makes an empty place for a panel.
fn begin(config: &Config) {
    run(config, &format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}"));
}

fn address(config: &Config) -> SocketAddr {
    let [Host::Tcp(host)] = config.get_hosts() else { panic!("one host, by number") };
    SocketAddr::new(host.parse().unwrap(), config.get_ports()[0])
}

/// Where the panel lives, as the command line is told.
fn text(config: &Config, address: SocketAddr) -> String {
    let user = config.get_user().unwrap();
    format!("postgres://{user}@{address}/postgres?options=-c%20search_path%3D{SCHEMA}")
}

fn open(config: &Config, address: SocketAddr, has_desk: bool) -> Store {
    let text = text(config, address);
    let Place::Server(dsn) = Place::parse(text.as_ref(), &Access::default()).unwrap() else {
        panic!("no server")
    };
    match has_desk {
        true => Store::open(Place::Server(dsn), Missing::Create, Clock::System).unwrap(),
        false => Store::open_apart(dsn, Clock::System).unwrap(),
    }
}

fn run(config: &Config, sql: &str) {
    let mut config = config.clone();
    config.dbname("postgres");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = config.connect(NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    });
}

fn fill(store: &Store) {
    let actor = || Actor::CommandLine;
    let drafts = catalog_csv::read(CSV.as_bytes()).unwrap();
    store.write_blocking(ImportServices { actor: actor(), drafts }).unwrap();
    for number in 1..=USERS {
        let name = format!("user {number}");
        let user = store.write_blocking(CreateUser { actor: actor(), name }).unwrap();
        let (hash, label) = (KeyHash::of(&key_of(number)), String::new());
        let key = CreateKey { actor: actor(), user, hash, prefix: "pl_bench".to_owned(), label };
        store.write_blocking(key).unwrap();
        let (amount, note) = (Money::parse("10000000").unwrap(), String::new());
        let deposit = Deposit { actor: actor(), user, amount, note, reference: None };
        store.write_blocking(deposit).unwrap();
    }
}

fn key_of(user: i64) -> String {
    shop::key_of(usize::try_from(user).unwrap())
}

/// An order of a service, by one of the users.
pub(crate) fn order(number: i64, service: ServiceId) -> PlaceOrder {
    let mut details = Details::default();
    details.add(Input::Link, format!("https://example.com/p/{number}")).unwrap();
    details.add(Input::Quantity, "100".to_owned()).unwrap();
    let request = Some(RequestId { text: format!("r{number}"), digest: [0; 32] });
    let origin = Origin { actor: Actor::CommandLine, request, custom_id: None };
    let user = UserId(number % USERS + 1);
    PlaceOrder { user, service: Some(service), details, origin }
}

/// Buys with so many waiting at once at each node, and prints what came of it.
fn report(name: &str, stores: &[Store], waiting: usize, plan: &Plan) {
    fill(&stores[0]);
    let version = stores[0].point(|db| Ok(db.versions()?.callers)).unwrap();
    let number = Rc::new(std::cell::Cell::new(0));
    let buy = |store, lasts: Duration| {
        let until = clock::instant() + lasts;
        let number = Rc::clone(&number);
        async move {
            let store: &Store = store;
            let mut took = Vec::new();
            while clock::instant() < until {
                number.set(number.get() + 1);
                let begun = clock::instant();
                let command =
                    IfCallersUnchanged { version, command: order(number.get(), ServiceId(1)) };
                assert!(store.write(command).await.unwrap().is_some());
                took.push(begun.elapsed());
            }
            took
        }
    };
    let all_buy = |lasts| {
        all(stores.iter().cycle().take(waiting * stores.len()).map(|store| buy(store, lasts)))
    };
    let turns = || {
        let turns = stores.iter().map(Store::turns);
        turns.fold((0, 0), |sum, it| (sum.0 + it.batches, sum.1 + it.trips))
    };
    all_buy(plan.warmup);
    let (before, begun) = (turns(), clock::instant());
    let mut took: Vec<Duration> = all_buy(plan.lasts).into_iter().flatten().collect();
    let (lasted, after) = (begun.elapsed(), turns());
    took.sort_unstable();
    let batches = (after.0 - before.0).max(1);
    println!(
        "{name:<22} {waiting:>4} waiting {:>10.0} {:>8.2} {:>7.2}",
        took.len() as f64 / lasted.as_secs_f64(),
        took[took.len() / 2].as_secs_f64() * 1000.0,
        (after.1 - before.1) as f64 / batches as f64,
    );
}

/// Buys over HTTP from a panel in a process of its own.
fn report_http(name: &str, (config, address): (&Config, SocketAddr), plan: &Plan, folder: &Path) {
    let store = open(config, address, true);
    fill(&store);
    store.close();
    let place = PathBuf::from(text(config, address));
    for limit in ["key_rate", "connections"] {
        plan.program.set(&place, limit, "0");
    }
    let server = plan.program.serve_with(&place, &folder.join(format!("{}.key", address.port())));
    let add = |number: i64| {
        let (key, id) = (key_of(number % USERS + 1), number);
        request(
            "",
            &format!(
                r#"{{"key":"{key}","action":"add","service":1,"link":"https://example.com/p/{id}","quantity":100}}"#
            ),
        )
    };
    let requests: Vec<Vec<u8>> = (0..REQUESTS).map(add).collect();
    for connections in CONNECTIONS {
        let work = Work {
            address: server.address,
            connections,
            requests: &requests,
            status: 200,
            warmup: plan.warmup,
            lasts: plan.lasts,
            rate: None,
        };
        let outcome = load::run(&work, &|| server.cpu());
        println!(
            "{name:<22} {connections:>4} waiting {:>10.0} {:>8.2}",
            outcome.per_second,
            outcome.latency_ms(500),
        );
    }
    server.stop();
}

/// Runs all of them at once on this thread.
fn all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(futures_util::future::join_all(futures))
}

/// Passes everything on to a server, half a millisecond later.
fn relay(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let near = near.unwrap();
            let far = TcpStream::connect(server).unwrap();
            for stream in [&near, &far] {
                stream.set_nodelay(true).unwrap();
            }
            pass(near.try_clone().unwrap(), far.try_clone().unwrap());
            pass(far, near);
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    let (sender, packets) = mpsc::channel::<(std::time::Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let due = clock::instant() + HELD_BACK;
            if sender.send((due, buffer[..read].to_vec())).is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        for (due, packet) in packets {
            // A sleep is late by a timer's slack, which would be a good part of it.
            let left = due.saturating_duration_since(clock::instant());
            std::thread::sleep(left.saturating_sub(Duration::from_micros(60)));
            if to.write_all(&packet).is_err() {
                return;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}
