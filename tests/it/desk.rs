//! Batches on a server: whatever commands they are made of, what is left is what the same commands
//! leave in a file, and on a server when each asks and writes by itself. And they take two trips.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;

use panelite::clock::Clock;
use panelite::commands::accounts::{CreateKey, CreateUser, Deposit, SetUser, SetUserRate};
use panelite::commands::catalog::ImportServices;
use panelite::commands::catalog_csv;
use panelite::commands::orders::{CancelOrders, PlaceOrder, RequestRefills, SetOrder};
use panelite::commands::services::SetServicesEnabled;
use panelite::commands::webhooks::SetWebhook;
use panelite::domain::input::Input;
use panelite::domain::ledger::Posting;
use panelite::domain::money::{Discount, Money, Rate};
use panelite::domain::order::{ByHand, PublicStatus};
use panelite::domain::placing::Details;
use panelite::domain::provider::{Dialect, Exchange, Terms};
use panelite::domain::{Actor, KeyId, OrderId, ProviderId, ServiceId, UserId};
use panelite::secret::KeyHash;
use panelite::store::orders::Origin;
use panelite::store::place::Place;
use panelite::store::providers::{self, Access};
use panelite::store::requests::RequestId;
use panelite::store::webhooks::SEALED_BYTES;
use panelite::store::{
    self, Command, Error, IfCallersUnchanged, Missing, Store, Turns, Tx, ledger, webhooks,
};
use tempfile::TempDir;

use crate::desk_delivery;
use crate::fixture::engine;
use crate::ledger::Dice;

const USERS: i64 = 4;
const ROUNDS: usize = 64;
const STEPS: usize = 24;
const SERVICES: &str = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,deny_duplicates
1,C,Plain,Default,2.50,1,5000,0,1,1,,,0
2,C,Package,Package,0.99,1,5000,0,0,1,,,0
3,C,One at a time,Default,0.333333,1,5000,0,1,0,,,1
4,C,Free,Default,0,1,5000,0,0,1,,,0
5,C,Bought,Default,1.20,1,5000,0,1,1,p,3,0
6,C,Dripping,Default,0.50,1,5000,1,0,1,,,0
7,C,Comments,Custom Comments,9,1,5000,0,0,1,,,0
";
const BOUGHT: ServiceId = ServiceId(5);
const LAST_SERVICE: i64 = 8; // which is none

/// One random command. Orders count from 1.
#[derive(Debug)]
enum Step {
    Add {
        user: UserId,
        service: i64,
        quantity: i64,
        name: Option<i64>,
        by: By,
    },
    Deposit {
        user: UserId,
        amount: i64,
    },
    Terms {
        user: UserId,
        discount: Option<i64>,
        credit: Option<i64>,
    },
    Price {
        user: UserId,
        service: ServiceId,
        rate: i64,
    },
    Cancel {
        user: UserId,
        orders: Vec<OrderId>,
    },
    Refill {
        user: UserId,
        orders: Vec<OrderId>,
    },
    Move {
        order: OrderId,
        status: PublicStatus,
        remains: Option<i64>,
    },
    OnSale {
        service: ServiceId,
        is_enabled: bool,
    },
    Webhook {
        user: UserId,
        low: i64,
    },
    /// What delivery does.
    Deliver(desk_delivery::Step),
    /// What the database does not let anybody write.
    Break,
}

#[derive(Clone, Copy, Debug)]
enum By {
    Hand,
    Key,
    /// By a key whose holder may have changed since.
    Seen,
}

/// What the commands of a round have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Plain,
    /// Some are by keys whose holders may have changed since.
    Seen,
    /// Some break, and everything is run again one by one. What a server numbers by itself is not
    /// numbered in one run then: nothing that is told to anybody.
    Breaking,
}

const ROUND: [Round; 4] = [Round::Plain, Round::Seen, Round::Breaking, Round::Seen];

fn step(dice: &mut Dice, [last_order, last_submission]: [i64; 2], round: Round) -> Step {
    let (are_seen, may_break) = (round == Round::Seen, round == Round::Breaking);
    let user = UserId(dice.up_to(USERS - 1) + 1);
    let service = ServiceId(dice.up_to(LAST_SERVICE - 1) + 1);
    let mut order = || OrderId((last_order - dice.up_to(40)).max(1));
    let (one, orders) = (order(), vec![order(), order()]);
    match dice.roll(58) {
        0..=23 => {
            let service = if dice.roll(3) == 0 { BOUGHT } else { service };
            let name = (dice.roll(2) == 0).then(|| dice.up_to(30));
            let by = [By::Hand, By::Key, if are_seen { By::Seen } else { By::Key }];
            let (quantity, by) = (dice.up_to(3000), by[dice.roll(by.len())]);
            Step::Add { user, service: service.0, quantity, name, by }
        }
        24..=26 => Step::Deposit { user, amount: dice.up_to(9) * 4_111_111 },
        27 | 28 => Step::Terms {
            user,
            discount: (dice.roll(2) == 0).then(|| dice.up_to(9000)),
            credit: (dice.roll(2) == 0).then(|| dice.up_to(3) * 1_000_000),
        },
        29 if !are_seen => Step::Price { user, service, rate: dice.up_to(3_000_000) },
        29 | 30 => Step::Cancel { user, orders },
        31 | 32 if !may_break => Step::Refill { user, orders },
        31 | 32 => Step::Cancel { user, orders },
        33..=35 => {
            let remains = (dice.roll(3) > 0).then(|| dice.up_to(2000));
            Step::Move { order: one, status: dice.pick(PublicStatus::ALL), remains }
        }
        36 => Step::OnSale { service, is_enabled: service == BOUGHT || dice.roll(3) > 0 },
        37 | 38 => Step::Webhook { user, low: dice.up_to(20_000_000) },
        39 if may_break => Step::Break,
        39 => Step::Deposit { user, amount: 1 },
        _ if may_break => Step::Cancel { user, orders },
        _ => Step::Deliver(desk_delivery::Step::any(dice, last_submission, last_order)),
    }
}

/// Takes from the escrow for an order that there is not.
struct Break;

impl Command for Break {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> store::Result<()> {
        let one = Posting::capture(Money::from_micros(1), OrderId(2_000_000_000)).unwrap();
        ledger::post(tx, &one, &Actor::CommandLine).map(drop)
    }
}

/// A provider that is the same everywhere: nothing about it is random.
struct AddProvider;

impl Command for AddProvider {
    type Reply = ProviderId;

    fn run(&self, tx: &Tx<'_>) -> store::Result<ProviderId> {
        let (url, key_sealed) = ("https://p.example".to_owned(), vec![1; 64]);
        let terms = Terms {
            name: "p".to_owned(),
            dialect: Dialect::Form,
            currency: "USD".to_owned(),
            exchange: Exchange::ONE,
            is_insecure: true,
            sends_ids: true,
            timeout_seconds: 30,
            low: None,
        };
        providers::insert(tx, &terms, &Access { url, account_mac: vec![2; 32], key_sealed })
    }
}

/// Where the commands go.
pub(crate) struct Shop {
    store: Store,
    clock: Clock,
    /// The version that keys were seen at.
    seen: i64,
}

/// An answer on its way.
pub(crate) type Asked<'s> = Pin<Box<dyn Future<Output = String> + 's>>;

impl Shop {
    fn open(store: Store, clock: Clock) -> Self {
        let actor = || Actor::CommandLine;
        store.write_blocking(AddProvider).unwrap();
        let drafts = catalog_csv::read(SERVICES.as_bytes()).unwrap();
        store.write_blocking(ImportServices { actor: actor(), drafts }).unwrap();
        for number in 1..=USERS {
            let name = format!("user {number}");
            let user = store.write_blocking(CreateUser { actor: actor(), name }).unwrap();
            let (hash, label) = (KeyHash::of(&format!("key {number}")), String::new());
            let prefix = format!("pk_{number}");
            let key = CreateKey { actor: actor(), user, hash, prefix, label };
            store.write_blocking(key).unwrap();
        }
        Self { store, clock, seen: 0 }
    }

    pub(crate) fn send<C: Command>(&self, command: C) -> Asked<'_>
    where
        C::Reply: std::fmt::Debug,
    {
        Box::pin(async {
            match self.store.write(command).await {
                Ok(reply) => format!("{reply:?}"),
                Err(Error::Refused(refusal)) => refusal.to_string(),
                // Each engine has words of its own.
                Err(Error::Busy | Error::DiskFull | Error::Storage(_)) => "fault".to_owned(),
            }
        })
    }

    fn take(&self, step: &Step) -> Asked<'_> {
        let actor = Actor::CommandLine;
        match *step {
            Step::Add { user, service, quantity, name, by } => {
                let add = add(user, service, quantity, name, by);
                match by {
                    By::Hand | By::Key => self.send(add),
                    By::Seen => self.send(IfCallersUnchanged { version: self.seen, command: add }),
                }
            }
            Step::Deposit { user, amount } => {
                let (amount, note, reference) = (Money::from_micros(amount), String::new(), None);
                self.send(Deposit { actor, user, amount, note, reference })
            }
            Step::Terms { user, discount, credit } => {
                let discount = discount.and_then(Discount::from_basis_points);
                let (credit_limit, suspended) = (credit.map(Money::from_micros), None);
                self.send(SetUser { actor, user, discount, credit_limit, suspended })
            }
            Step::Price { user, service, rate } => {
                let rate = Some(Rate::from_micros(rate));
                self.send(SetUserRate { actor, user, service, rate })
            }
            Step::Cancel { user, ref orders } => {
                let (key, orders) = (KeyId(user.0), orders.clone());
                self.send(CancelOrders { user, key, orders })
            }
            Step::Refill { user, ref orders } => {
                self.send(RequestRefills { user, orders: orders.clone() })
            }
            Step::Move { order, status, remains } => {
                let by_hand = ByHand { status, start_count: None, remains };
                self.send(SetOrder { actor, order, by_hand })
            }
            Step::OnSale { service, is_enabled } => {
                self.send(SetServicesEnabled { actor, services: vec![service], is_enabled })
            }
            Step::Webhook { user, low } => {
                let (url, low) = ("https://a.example".to_owned(), Some(Money::from_micros(low)));
                let place = webhooks::Place { url, is_insecure: false, low };
                let secret_sealed = vec![0; SEALED_BYTES];
                self.send(SetWebhook { actor, user, place, secret_sealed })
            }
            Step::Deliver(ref step) => step.take(self),
            Step::Break => self.send(Break),
        }
    }

    /// Sends all steps, in order, before any of them is answered. Returns the answers.
    fn take_all(&mut self, steps: &[Step]) -> Vec<String> {
        self.seen = self.store.point(|db| Ok(db.versions()?.callers)).unwrap();
        self.clock.advance(60);
        wait(steps.iter().map(|step| self.take(step)).collect())
    }
}

fn add(user: UserId, service: i64, quantity: i64, name: Option<i64>, by: By) -> PlaceOrder {
    let mut details = Details::default();
    details.add(Input::Link, format!("https://example.com/{}", quantity % 3)).unwrap();
    match service {
        7 => details.add(Input::Comments, "a\nb".repeat(2)).unwrap(),
        2 => {}
        _ => details.add(Input::Quantity, quantity.to_string()).unwrap(),
    }
    if service == 6 && quantity % 2 == 0 {
        details.add(Input::Runs, "3".to_owned()).unwrap();
        details.add(Input::Interval, "60".to_owned()).unwrap();
    }
    let request = name.map(|name| {
        // Now and then the same name for another request.
        let digest = [u8::try_from(quantity % 4 / 3).unwrap(); 32];
        RequestId { text: format!("request {name}"), digest }
    });
    let actor = match by {
        By::Hand => Actor::CommandLine,
        By::Key | By::Seen => Actor::Key(KeyId(user.0)),
    };
    let origin = Origin { actor, request, custom_id: None };
    PlaceOrder { user, service: Some(ServiceId(service)), details, origin }
}

/// Waits for all of them; what is asked first goes first.
fn wait(mut asked: Vec<Asked<'_>>) -> Vec<String> {
    let mut answers: Vec<Option<String>> = asked.iter().map(|_| None).collect();
    let all = poll_fn(|context| {
        for (asked, answer) in asked.iter_mut().zip(&mut answers).filter(|(_, it)| it.is_none()) {
            if let Poll::Ready(text) = asked.as_mut().poll(context) {
                *answer = Some(text);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    });
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(all);
    answers.into_iter().flatten().collect()
}

/// A folder whose paths stand for panels on the server; `None` where the tests have none.
fn server() -> Option<TempDir> {
    if !engine::is_server() {
        engine::say_left_out(module_path!(), "there is no server");
        return None;
    }
    Some(tempfile::tempdir().unwrap())
}

fn on_server(db: &Path) -> Shop {
    let clock = Clock::manual(0);
    Shop::open(Store::open(engine::place(db), Missing::Create, clock.clone()).unwrap(), clock)
}

#[test]
fn batches_leave_what_commands_leave_one_by_one() {
    let Some(folder) = server() else { return };
    let [file, desk, apart] = ["file", "desk", "apart"].map(|name| folder.path().join(name));
    let clock = Clock::manual(0);
    let store = Store::open(file.as_path(), Missing::Create, clock.clone()).unwrap();
    let mut in_file = Shop::open(store, clock);
    let mut with_desk = on_server(&desk);
    let Place::Server(dsn) = engine::place(&apart) else { panic!("no server") };
    let clock = Clock::manual(0);
    let mut without = Shop::open(Store::open_apart(dsn, clock.clone()).unwrap(), clock);

    let seed = RandomState::new().hash_one(0) | 1;
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for round in 0..ROUNDS {
        let last = ["orders", "submissions"]
            .map(|table| engine::number_of_file(&file, &format!("SELECT count(*) FROM {table}")));
        let of = ROUND[round % ROUND.len()];
        let steps: Vec<Step> = (0..STEPS).map(|_| step(&mut dice, last, of)).collect();
        let expected = in_file.take_all(&steps);
        let answers = std::thread::scope(|scope| {
            let all =
                [&mut with_desk, &mut without].map(|shop| scope.spawn(|| shop.take_all(&steps)));
            all.map(|answers| answers.join().unwrap())
        });
        for (name, answers) in ["desk", "apart"].iter().zip(answers) {
            for ((answer, expected), step) in answers.iter().zip(&expected).zip(&steps) {
                assert_eq!(answer, expected, "{name}, seed {seed}, round {round}: {step:?}");
            }
        }
        if round % 16 == 15 {
            assert_same_rows(&file, &[&desk, &apart]);
        }
    }
    let turns = with_desk.store.turns();
    println!("{turns:?}; apart: {:?}", without.store.turns());
    assert!(turns.commands > 2 * turns.batches, "batches of one each: {turns:?}");
    let orders = engine::number(&desk, "SELECT count(*) FROM orders");
    assert!(orders > 150, "only {orders} orders");
    let accepted = "SELECT count(*) FROM submissions WHERE state = 'accepted'";
    let ended = "SELECT count(*) FROM deliveries WHERE stage = 'last'";
    let delivered = [accepted, ended].map(|sql| engine::number(&desk, sql));
    assert!(delivered.iter().all(|count| *count > 5), "only {delivered:?} were delivered");
    for shop in [in_file, with_desk, without] {
        assert_eq!(shop.store.check().unwrap(), []);
    }
    [desk, apart].iter().for_each(|db| engine::forget(db));
}

/// Every row of every table is the same in the file as in the schemas.
fn assert_same_rows(file: &Path, others: &[&PathBuf]) {
    for (table, mut columns) in engine::tables_of_file(file) {
        if table == "events" || table == "errands" {
            // They are told in this order; a server leaves numbers out, a file gives some twice.
            columns[0].0 = "row_number() OVER (ORDER BY id)".to_owned();
        }
        columns.retain(|(name, _)| name != "node_id"); // a file is no node's
        // They are compared for equality only, and may move once too often.
        if table == "versions" {
            continue;
        }
        let expected = engine::rows_of_file(file, &table, &columns);
        for other in others {
            let found = engine::rows(other, &table, &columns);
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{table} in {other:?}");
            }
            assert_eq!(found.len(), expected.len(), "{table} in {other:?}");
        }
    }
}

/// So many orders of each kind, by all users.
fn adds(shop: &Shop, round: i64, count: i64) -> Vec<Asked<'_>> {
    let kinds = [1, 2, 4, 5, 6, 7];
    let adds = (0..count).zip(kinds.iter().cycle()).map(|(number, service)| {
        let by = if number % 2 == 0 { By::Key } else { By::Hand };
        let name = (number % 3 == 0).then_some(round * count + number);
        shop.send(add(UserId(number % USERS + 1), *service, 6, name, by))
    });
    adds.collect()
}

#[test]
fn a_batch_of_orders_takes_two_trips() {
    let Some(folder) = server() else { return };
    let db = folder.path().join("trips");
    let shop = on_server(&db);
    for user in 1..=USERS {
        let (user, amount) = (UserId(user), Money::parse("100000").unwrap());
        let (actor, note, reference) = (Actor::CommandLine, String::new(), None);
        let deposit = Deposit { actor, user, amount, note, reference };
        shop.store.write_blocking(deposit).unwrap();
    }
    let mut before = Turns::default();
    for round in 0..5 {
        let answers = wait(adds(&shop, round, 240));
        let bought = answers.iter().filter(|answer| answer.starts_with("OrderId(")).count();
        assert_eq!(bought, 240, "{answers:?}");
        let after = shop.store.turns();
        let batches = after.batches - before.batches;
        // What is said for the first time has to be prepared.
        if round > 0 {
            assert_eq!(after.trips - before.trips, 2 * batches, "{before:?}, {after:?}");
            assert!(batches < 30, "{batches} batches of 240 commands");
        }
        before = after;
    }
    assert_eq!(engine::number(&db, "SELECT max(id) FROM orders"), 5 * 240);
    assert_eq!(shop.store.check().unwrap(), []);
    drop(shop);
    engine::forget(&db);
}
