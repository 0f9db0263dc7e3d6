//! A week of drip-feeds and subscriptions at a provider on the manual clock, with restarts, lives
//! that are killed where they stand, and a clock that jumps: every run is sent once, every post
//! charged once, the money is exact to the micro, and the books are sound after every step.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use panelite::clock::Clock;
use panelite::commands::deciding::{DecideOrders, Decision};
use panelite::delivery::Delivery;
use panelite::domain::Actor;
use panelite::domain::delivery::Hand;
use panelite::practice::{Placed, Practice};
use panelite::secret::Sealer;
use panelite::store::{Store, check_file, deliveries, submissions};
use rusqlite::Connection;

use crate::fixture::engine::file_only;
use crate::fixture::panel::{Panel, Reseller};

/// The file of a life that is to be killed, for the process that it is lived in.
const DB: &str = "WEEK_DB";
/// The second at which its clock stands.
const NOW: &str = "WEEK_NOW";
/// What it says when it begins.
const BEGINS: &str = "the life begins";
/// Where a life ends by itself if it sends an order. `None` is killed from outside.
const ENDS: [Option<&str>; 8] = [
    None,
    Some("claimed"),
    None,
    Some("epoch"),
    Some("sent"),
    None,
    Some("answered"),
    Some("recorded"),
];

/// Numbers that look drawn, the same in every run.
struct Dice(u64);

impl Dice {
    /// One of `low` to `high`.
    fn draw(&mut self, low: i64, high: i64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let width = u64::try_from(high - low + 1).unwrap();
        low + i64::try_from((self.0 >> 33) % width).unwrap()
    }
}

/// A drip-feed as the model knows it.
struct Feed {
    link: String,
    runs: i64,
    quantity: i64,
}

/// What so many units cost at 2.50, in micros.
fn price(units: i64) -> i64 {
    (2_500_000 * units + 999) / 1000
}

fn buy(ann: &Reseller, fields: &str) -> i64 {
    let reply = ann.form(&format!("key=KEY&action=add&{fields}"));
    reply.json()["order"].as_i64().unwrap_or_else(|| panic!("not bought: {}", reply.text()))
}

fn open() -> (Panel, Practice, Reseller) {
    let panel = Panel::start();
    let address = "127.0.0.1:0".parse().unwrap();
    let practice = Practice::start(panel.clock.clone(), address).unwrap();
    panel.provider_of("practice", &practice, 5);
    panel.import(
        "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service\n\
         1,C,Likes,Default,2.50,100,5000,1,0,1,practice,2\n\
         2,C,Posts,Subscriptions,2.50,10,5000,0,0,1,practice,19\n",
    );
    let conn = Connection::open(panel.db()).unwrap();
    conn.execute("INSERT OR IGNORE INTO pricings (service_id) VALUES (1), (2)", []).unwrap();
    conn.execute("UPDATE pricings SET cost_micros = 850000", []).unwrap();
    let ann = panel.reseller("ann", "1000");
    (panel, practice, ann)
}

#[test]
fn a_week_of_runs_and_posts_is_exact_whatever_the_clock_and_the_process_do() {
    file_only!("its lives are killed over a file");
    let mut week = Week::begin();
    let feeds = week.buy_feeds();
    for step in 0..220 {
        week.pass(step);
        week.panel().deliver();
        assert_eq!(check_file(week.panel().db()).unwrap(), [], "step {step}");
    }
    for _ in 0..60 {
        week.decide();
        week.panel().clock.advance(30 * 60);
        week.panel().deliver();
    }

    let placed = week.practice.orders();
    let mut spent = week.posts * price(50);
    for Feed { link, runs, quantity } in &feeds {
        let sent: Vec<_> = placed.iter().filter(|it| it.link == *link).collect();
        assert_eq!(i64::try_from(sent.len()).unwrap(), *runs, "{link}");
        let delivered = sent.iter().map(|it| match it.status.as_str() {
            "Completed" => *quantity,
            "Partial" => quantity - quantity / 4,
            other => panic!("{link} is {other}"),
        });
        spent += price(delivered.sum());
    }
    // Of the posts, too, every seventh order at the provider ends short.
    let short = placed.iter().filter(|it| it.link == "joe" && it.status == "Partial").count();
    spent -= i64::try_from(short).unwrap() * (price(50) - price(50 - 50 / 4));
    assert_eq!(micros(&week.ann.balance()), 1_000_000_000 - spent);
    for user in ["joe", "jim"] {
        let is_it = |it: &&Placed| it.link == user && it.inputs.contains_key("username");
        assert_eq!(placed.iter().filter(is_it).count(), 1, "the subscription to {user}");
    }
    assert!(week.posts > 3);
    assert!(week.killed > 5, "{} were killed", week.killed);
    assert!(week.decided > 0, "{} were in doubt", week.decided);
}

/// A balance in micros.
fn micros(balance: &str) -> i64 {
    let (whole, part) = balance.split_once('.').unwrap();
    format!("{whole}{part:0<6}").parse().unwrap()
}

/// What happens in the week, and what it has come to.
struct Week {
    panel: Option<Panel>,
    practice: Practice,
    ann: Reseller,
    dice: Dice,
    posts: i64,
    /// Lives that did not end by themselves.
    killed: i64,
    /// Orders that a life left in doubt.
    decided: i64,
}

impl Week {
    fn begin() -> Self {
        let (panel, practice, ann) = open();
        let panel = Some(panel);
        Self { panel, practice, ann, dice: Dice(13), posts: 0, killed: 0, decided: 0 }
    }

    fn panel(&self) -> &Panel {
        self.panel.as_ref().unwrap()
    }

    fn buy_feeds(&mut self) -> Vec<Feed> {
        let (ann, dice) = (&self.ann, &mut self.dice);
        let feeds = (0..15).map(|number| {
            let (runs, quantity) = (dice.draw(1, 10), dice.draw(100, 900));
            let interval = dice.draw(60, 900);
            let link = format!("https://example.com/{number}");
            let split = format!("quantity={quantity}&runs={runs}&interval={interval}");
            buy(ann, &format!("service=1&link={link}&{split}"));
            Feed { link, runs, quantity }
        });
        let feeds = feeds.collect();
        for user in ["joe", "jim"] {
            buy(ann, &format!("service=2&username={user}&min=50&max=50&delay=0"));
        }
        feeds
    }

    /// Lets time pass, and something happen.
    fn pass(&mut self, step: usize) {
        self.decide();
        let (clock, dice) = (self.panel().clock.clone(), &mut self.dice);
        clock.advance(dice.draw(1, 90) * 60);
        match dice.draw(0, 19) {
            0 => clock.advance(dice.draw(1, 20) * 3600),
            1 => clock.advance(-dice.draw(1, 60) * 60),
            2 | 3 => self.restart(|_| {}),
            4 => {
                let subscriptions =
                    self.practice.orders().into_iter().filter(|it| it.link == "joe");
                let id = subscriptions.map(|it| it.id).next();
                self.posts += i64::from(id.and_then(|id| self.practice.post(&id, 50)).is_some());
            }
            5..=9 => self.live_and_die(step),
            _ => {}
        }
    }

    fn restart(&mut self, between: impl FnOnce(&Path)) {
        let panel = self.panel.take().unwrap().restarted_after(between);
        self.ann.address = panel.address;
        self.panel = Some(panel);
    }

    /// Between two lives of the panel another one does what is due, until it is killed.
    fn live_and_die(&mut self, step: usize) {
        let (now, kill_after) = (self.panel().clock.now().0, self.dice.draw(0, 100));
        let kill_after = Duration::from_millis(kill_after.unsigned_abs());
        let mut was_killed = false;
        self.practice.set_delay(4);
        self.restart(|db| {
            was_killed = live(db, now, (ENDS[step % ENDS.len()], kill_after));
            assert_eq!(check_file(db).unwrap(), [], "step {step}");
        });
        self.practice.set_delay(0);
        self.killed += i64::from(was_killed);
    }

    /// Of all that is in doubt a person finds out whether the provider has it.
    fn decide(&mut self) {
        let store = self.panel.as_ref().unwrap().store();
        let placed = self.practice.orders();
        for waiting in store.point(|db| deliveries::list_hand(db, 1000)).unwrap() {
            assert_eq!(waiting.hand, Some(Hand::Unknown));
            let live =
                store.point(|db| submissions::find_live(db, waiting.order)).unwrap().unwrap();
            let found = placed.iter().find(|it| it.custom_id.as_ref() == Some(&live.custom_id));
            let decision = match found {
                Some(found) => Decision::PlacedAs(found.id.clone()),
                None => Decision::SendAgain,
            };
            let (actor, orders) = (Actor::CommandLine, [waiting.order].into());
            store.write_blocking(DecideOrders { actor, orders, decision }).unwrap();
            self.decided += 1;
        }
    }
}

/// Lets a process of its own live on the file, which kills itself at a point or is killed after
/// some time. Says whether it was: it may have ended before.
fn live(db: &Path, now: i64, (point, kill_after): (Option<&str>, Duration)) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "week::a_life_that_may_end_anywhere", "--nocapture"])
        .env(DB, db)
        .env(NOW, now.to_string())
        .envs(point.map(|point| ("PANELITE_FAIL_AT", point)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, said) = mpsc::channel();
    let listener = std::thread::spawn(move || {
        lines.map_while(Result::ok).filter(|line| !line.is_empty()).for_each(|line| {
            let _ = sender.send(line);
        });
    });
    while !said.recv().unwrap().contains(BEGINS) {}
    // It says nothing more before it ends.
    let has_ended = match point {
        Some(_) => said.recv().is_ok(),
        None => said.recv_timeout(kill_after).is_ok(),
    };
    if point.is_none() && !has_ended {
        child.kill().unwrap();
    }
    let code = child.wait().unwrap().code();
    listener.join().unwrap();
    assert!(matches!(code, None | Some(0)), "the life failed: {code:?}");
    code.is_none()
}

/// A process of its own, which the week above starts and kills. Alone it is nothing.
#[test]
fn a_life_that_may_end_anywhere() {
    let (Some(db), Some(now)) = (std::env::var_os(DB), std::env::var_os(NOW)) else { return };
    println!("{BEGINS}");
    let (db, now) = (Path::new(&db), now.to_str().unwrap().parse().unwrap());
    let clock = Clock::manual(now);
    let store = Arc::new(Store::open_as_server(db, clock.clone(), 1).unwrap());
    let key_file = db.with_file_name("panel.db.key");
    let sealer = Sealer::open(&key_file).unwrap();
    Delivery::prepare(store, clock, sealer, &key_file).unwrap().run_until_idle().unwrap();
}
