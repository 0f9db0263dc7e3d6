//! How fast orders are, in ratios.
//!
//! `cargo bench` takes some minutes, `cargo bench -- --quick` less than one and leaves out the file
//! with a million orders; `--only NAME` measures one row beside the ceiling,
//! `--rounds N` and `--ms N` say how often and how long. Absolute figures swing
//! with the machine, so every round runs all contestants in turn, and what is quoted is the median
//! over rounds of the ratio within a round, or processor time per request. The ceiling is the same
//! server refusing a request without a key. One contestant has no indexes for the lists of pages:
//! what they cost an order. Each contestant gets a fresh copy of the same file;
//! afterwards the file holds exactly the orders that were acknowledged, and its books are sound.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(
    clippy::float_arithmetic,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "ratios and small numbers, no money"
)]

mod load;
mod naive;
mod pages;
mod process;
mod shop;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use panelite::clock;
use panelite::store::check_file;
use rusqlite::Connection;

use load::{Outcome, Work};
use process::Server;
use shop::Shop;

const SMALL: i64 = 1000;
const LARGE: i64 = 1_000_000;
const AT_A_MILLION: &str = "add at a million orders, 64";
const WITHOUT_LISTS: &str = "add at a million, no lists, 64";

/// How long to measure.
struct Plan {
    is_quick: bool,
    rounds: usize,
    warmup: Duration,
    lasts: Duration,
    only: Option<String>,
}

impl Plan {
    fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1).cloned()
        };
        let is_quick = arguments.iter().any(|argument| argument == "--quick");
        let (rounds, lasts) = if is_quick { (5, 250) } else { (7, 1000) };
        let lasts = value("--ms").map_or(lasts, |lasts| lasts.parse().unwrap());
        Self {
            is_quick,
            rounds: value("--rounds").map_or(rounds, |rounds| rounds.parse().unwrap()),
            warmup: Duration::from_millis(lasts / 5),
            lasts: Duration::from_millis(lasts),
            only: value("--only"),
        }
    }

    fn wants(&self, name: &str) -> bool {
        let is_ceiling = name.starts_with("ceiling");
        self.only.as_ref().is_none_or(|only| is_ceiling || name.contains(only))
    }
}

/// What is measured against what.
struct Contestant<'a> {
    name: &'static str,
    shop: &'a Shop,
    connections: usize,
    requests: Vec<Vec<u8>>,
    status: u16,
    start: fn(&Path) -> Server,
    /// Whether an answer is an order.
    sells: bool,
    /// Kept from round to round, where a fresh file each time would cost too much.
    running: Option<Server>,
    orders: usize,
    outcomes: Vec<Outcome>,
    memory_mb: f64,
}

impl<'a> Contestant<'a> {
    fn new(name: &'static str, shop: &'a Shop, connections: usize, requests: Vec<Vec<u8>>) -> Self {
        let (running, orders, outcomes) = (None, shop.orders(), Vec::new());
        let (status, start, sells) = (200, Server::panelite as fn(&Path) -> Server, false);
        let memory_mb = 0.0;
        Self {
            name,
            shop,
            connections,
            requests,
            status,
            start,
            sells,
            running,
            orders,
            outcomes,
            memory_mb,
        }
    }

    /// One round: a fresh file and server, the work, the proof that nothing was lost.
    fn run(&mut self, plan: &Plan, folder: &Path, is_last: bool) {
        let keeps = self.shop.orders() > 100_000;
        let name = self.name.replace([' ', ','], "-");
        let db = folder.join(format!("{name}.db"));
        let server = self.running.take().unwrap_or_else(|| {
            self.orders = self.shop.orders();
            (self.start)(&self.shop.copy(folder, &name))
        });
        server.settle();
        let work = Work {
            address: server.address,
            connections: self.connections,
            requests: &self.requests,
            status: self.status,
            warmup: plan.warmup,
            lasts: plan.lasts,
            rate: None,
        };
        let outcome = load::run(&work, &|| server.cpu());
        self.memory_mb = server.memory_mb();
        if self.sells {
            self.orders += outcome.answers;
        }
        self.outcomes.push(outcome);
        if keeps && !is_last {
            self.running = Some(server);
            return;
        }
        server.stop();
        let orders: i64 = Connection::open(&db)
            .unwrap()
            .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
            .unwrap();
        assert_eq!(orders, self.orders as i64, "{}: orders are not those acknowledged", self.name);
        if is_last {
            let mut found = check_file(&db).unwrap();
            found.retain(|finding| !self.shop.lacks_lists || finding.rule != "schema");
            assert_eq!(found, [], "{}: the books are not sound", self.name);
        }
    }

    fn median(&self, of: impl Fn(&Outcome) -> f64) -> f64 {
        median(self.outcomes.iter().map(of).collect())
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median over the rounds of one contestant's figure divided by another's.
fn ratio(one: &Contestant<'_>, other: &Contestant<'_>, of: impl Fn(&Outcome) -> f64) -> f64 {
    let pairs = one.outcomes.iter().zip(&other.outcomes);
    median(pairs.map(|(one, other)| of(one) / of(other)).collect())
}

fn contestants<'a>(small: &'a Shop, large: Option<&'a [Shop; 2]>) -> Vec<Contestant<'a>> {
    let refused = |name, connections| Contestant {
        status: 401,
        ..Contestant::new(name, small, connections, small.adds(false))
    };
    let add = |name, shop: &'a Shop, connections| Contestant {
        sells: true,
        ..Contestant::new(name, shop, connections, shop.adds(true))
    };
    let mut all = vec![
        refused("ceiling, 1", 1),
        refused("ceiling, 64", 64),
        refused("ceiling, 256", 256),
        add("add, 1", small, 1),
        add("add, 64", small, 64),
        add("add, 256", small, 256),
        Contestant { start: Server::naive, ..add("naive add, 64", small, 64) },
        Contestant::new("status, 64", small, 64, small.statuses()),
        Contestant::new("multiStatus of 100, 64", small, 64, small.multi_statuses()),
        Contestant::new("services, 64", small, 64, small.services()),
    ];
    if let Some([large, without_lists]) = large {
        all.push(add(AT_A_MILLION, large, 64));
        all.push(add(WITHOUT_LISTS, without_lists, 64));
    }
    all
}

fn main() {
    if let Some(db) = std::env::var_os(process::NAIVE) {
        return naive::serve(Path::new(&db));
    }
    let plan = Plan::from_arguments();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let small = Shop::fill(folder.path(), SMALL);
    let wants_large = !plan.is_quick && (plan.wants(AT_A_MILLION) || plan.wants("pages"));
    let large = wants_large.then(|| {
        let large = Shop::fill(folder.path(), LARGE);
        let without_lists = large.without_lists(folder.path());
        [large, without_lists]
    });

    let mut all = contestants(&small, large.as_ref());
    all.retain(|contestant| plan.wants(contestant.name));
    for round in 0..plan.rounds {
        let count = all.len();
        for turn in 0..count {
            let is_last = round + 1 == plan.rounds;
            all[(turn + round) % count].run(&plan, folder.path(), is_last);
        }
    }
    print_figures(&all, plan.rounds);
    print_goals(&all);
    let largest = large.as_ref().map_or(&small, |[large, _]| large);
    if plan.only.is_none() {
        print_footprint(&small, &all, folder.path());
        print_backup(largest, &plan, folder.path());
    }
    if plan.only.as_ref().is_none_or(|only| only == "pages") {
        pages::print(largest, folder.path());
    }
}

/// The row of that name.
fn named<'c, 'a>(all: &'c [Contestant<'a>], name: &str) -> Option<&'c Contestant<'a>> {
    all.iter().find(|contestant| contestant.name == name)
}

fn print_figures(all: &[Contestant<'_>], rounds: usize) {
    println!(
        "\nmedian of {rounds} rounds               req/s    p50 ms    p99 ms    CPU us   / ceiling"
    );
    for contestant in all {
        let ceiling = named(all, &format!("ceiling, {}", contestant.connections)).unwrap();
        println!(
            "{:<28} {:>9.0} {:>9.2} {:>9.2} {:>9.1} {:>11.2}",
            contestant.name,
            contestant.median(|outcome| outcome.per_second),
            contestant.median(|outcome| outcome.latency_ms(500)),
            contestant.median(|outcome| outcome.latency_ms(990)),
            contestant.median(|outcome| outcome.cpu_us),
            ratio(contestant, ceiling, |outcome| outcome.per_second),
        );
    }
}

fn print_goals(all: &[Contestant<'_>]) {
    let rate = |outcome: &Outcome| outcome.per_second;
    let cpu = |outcome: &Outcome| outcome.cpu_us;
    let at_least: [(&str, &str, f64); 5] = [
        ("add, 64", "ceiling, 64", 0.20),
        ("add, 256", "ceiling, 256", 0.35),
        ("add, 64", "naive add, 64", 8.0),
        ("status, 64", "ceiling, 64", 0.6),
        ("services, 64", "ceiling, 64", 0.7),
    ];
    println!();
    for (one, other, goal) in at_least {
        if let (Some(left), Some(right)) = (named(all, one), named(all, other)) {
            let figure = ratio(left, right, rate);
            let word = if figure >= goal { "holds" } else { "MISSED" };
            println!("{one} / {other}: {figure:.2}, at least {goal:.2}: {word}");
        }
    }
    let pair = (named(all, AT_A_MILLION), named(all, "add, 64"));
    if let (Some(large), Some(small)) = pair {
        let figure = ratio(large, small, cpu);
        let word = if figure <= 3.0 { "holds" } else { "MISSED" };
        println!("CPU of an order at a million / at a thousand: {figure:.2}, at most 3.00: {word}");
    }
    let pair = (named(all, AT_A_MILLION), named(all, WITHOUT_LISTS));
    if let (Some(with), Some(without)) = pair {
        let (with_us, without_us) = (with.median(cpu), without.median(cpu));
        let more = with_us - without_us;
        println!("the lists of pages cost an order at a million {more:.1} us of {with_us:.1}");
    }
}

/// Start-up, memory, size.
fn print_footprint(small: &Shop, all: &[Contestant<'_>], folder: &Path) {
    let (mut ready, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let server = Server::panelite(&small.copy(folder, "start"));
        ready.push(server.ready_after.as_secs_f64() * 1000.0);
        server.settle();
        idle.push(server.memory_mb());
        server.stop();
    }
    let loaded = all.iter().filter(|contestant| contestant.name != "naive add, 64");
    let loaded = loaded.map(|contestant| contestant.memory_mb).fold(0.0, f64::max);
    let binary = std::fs::metadata(process::PANELITE).unwrap().len() as f64 / 1e6;
    println!(
        "\nready after {:.1} ms (below 50), idle {:.1} MB (below 20), under load up to {loaded:.0} MB, \
         binary {binary:.1} MB (below 15)",
        median(ready),
        median(idle)
    );
}

/// What those who buy at a steady rate feel of a backup.
fn print_backup(shop: &Shop, plan: &Plan, folder: &Path) {
    let db = shop.copy(folder, "backup-source");
    let server = Server::panelite(&db);
    server.settle();
    let requests = shop.adds(true);
    let work = |lasts| Work {
        address: server.address,
        connections: 64,
        requests: &requests,
        status: 200,
        warmup: Duration::from_millis(200),
        lasts,
        rate: Some(1000),
    };
    let lasts = Duration::from_secs(if plan.is_quick { 1 } else { 5 });
    let before = load::run(&work(lasts), &|| server.cpu());
    let target = folder.join("backup.db");
    let backup = std::thread::scope(|scope| {
        let backup = scope.spawn(|| {
            let started = clock::instant();
            let mut command = Command::new(process::PANELITE);
            let command = command.arg("--db").arg(&db).arg("backup").arg(&target);
            assert!(command.output().unwrap().status.success());
            started.elapsed()
        });
        let during = load::run(&work(lasts), &|| server.cpu());
        (backup.join().unwrap(), during)
    });
    let (took, during) = backup;
    println!(
        "\n1000 orders a second while a backup of {} orders is made ({took:.1?}):",
        shop.orders()
    );
    for (name, outcome) in [("without", before), ("with", during)] {
        let (p50, p99) = (outcome.latency_ms(500), outcome.latency_ms(990));
        println!(
            "  {name:<8} p50 {p50:.2} ms, p99 {p99:.2} ms, worst {:.1} ms",
            outcome.latency_ms(1000)
        );
    }
}
