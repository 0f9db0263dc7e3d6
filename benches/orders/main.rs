//! How fast orders are, in ratios.
//!
//! `cargo bench` takes some minutes, `cargo bench -- --quick` less than one and leaves out the file
//! with a million orders; `--only NAME` measures one row beside the ceiling, `--only pages` the
//! pages, `--only delivery` what goes to providers and comes back, and how resellers are told of it,
//! `--only postgres` what is bought on the server that `PANELITE_TEST_PG` names; `--rounds N` and
//! `--ms N` say how often and how long.
//!
//! Absolute figures swing with the machine, so every round runs all contestants in turn, and what is
//! quoted is the median over rounds of the ratio within a round, or processor time per request. The
//! ceiling is the same server refusing a request without a key. One contestant has no indexes for
//! the lists of pages: what they cost an order. Each contestant gets a fresh copy of the same file;
//! afterwards the file holds exactly the orders that were acknowledged, and its books are sound.
//!
//! `--against FILE` brings in another executable, such as the last release, for every row but the
//! naive one and the one without lists. It runs in the same rounds on files of its own, which it
//! made itself, so that each program meets its own schema. Printed is new / old for each row, and
//! what is more than 5 % worse has a mark. `--program FILE` measures that executable instead of the
//! one built with the bench.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(
    clippy::float_arithmetic,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "ratios and small numbers, no money"
)]

mod contest;
mod delivery;
mod lane;
mod load;
mod naive;
mod pages;
mod postgres;
mod process;
mod report;
mod shop;
mod telling;

use std::path::Path;
use std::time::Duration;

use panelite::clock;

use contest::Shops;
use load::Work;
use process::Program;
use shop::Shop;

/// What to measure, and how long.
struct Plan {
    program: Program,
    /// An earlier release.
    against: Option<Program>,
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
            program: value("--program").map_or_else(Program::ours, |path| Program::at(&path)),
            against: value("--against").map(|path| Program::at(&path)),
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

fn main() {
    if let Some(db) = std::env::var_os(process::NAIVE) {
        return naive::serve(Path::new(&db));
    }
    let plan = Plan::from_arguments();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    if plan.only.as_deref() == Some("postgres") {
        return postgres::print(&plan, folder.path());
    }
    let new = Shops::fill(&plan, folder.path(), false);
    let old = plan.against.is_some().then(|| Shops::fill(&plan, folder.path(), true));

    let mut all = new.contestants();
    all.extend(old.iter().flat_map(Shops::contestants));
    all.retain(|contestant| plan.wants(contestant.name));
    let places: Vec<&str> = new.contestants().iter().map(|contestant| contestant.name).collect();
    let place = |name| places.iter().position(|place| *place == name);
    all.sort_by_key(|contestant| place(contestant.name)); // the old one beside the new one
    contest::run(&mut all, &plan, folder.path());

    report::print_figures(&all, plan.rounds);
    report::print_goals(&all);
    report::print_against(&all);
    let programs: Vec<&Shops> = std::iter::once(&new).chain(&old).collect();
    if plan.only.is_none() {
        for shops in &programs {
            report::print_footprint(shops, &all, folder.path());
            print_backup(shops.largest(), &plan, folder.path());
        }
    }
    if plan.only.as_ref().is_none_or(|only| only == "pages") {
        let largest: Vec<&Shop> = programs.iter().map(|shops| shops.largest()).collect();
        pages::print(&largest, folder.path());
    }
    if plan.only.as_ref().is_none_or(|only| only == "delivery") {
        delivery::print(&new.small, plan.is_quick, folder.path());
        telling::print(&new.small, plan.is_quick, folder.path());
    }
    if plan.only.is_none() {
        postgres::print(&plan, folder.path());
    }
}

/// What those who buy at a steady rate feel of a backup.
fn print_backup(shop: &Shop, plan: &Plan, folder: &Path) {
    let db = shop.copy(folder, "backup-source");
    let server = shop.program.serve(&db);
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
    let _ = std::fs::remove_file(&target); // the other program's
    let backup = std::thread::scope(|scope| {
        let backup = scope.spawn(|| {
            let started = clock::instant();
            let mut command = shop.program.command(&db);
            assert!(command.arg("backup").arg(&target).output().unwrap().status.success());
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
