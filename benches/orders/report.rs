//! What is printed.

use std::path::Path;

use crate::contest::{
    AT_A_MILLION, Contestant, NAIVE, RESTED_LIST, Shops, THROUGH_PROVIDER, WITHOUT_LISTS,
};
use crate::contest::{median, ratio};
use crate::load::Outcome;

/// How much worse than the old program a figure may be.
const TOLERANCE: f64 = 0.05;

/// What is compared: its name, how to have it, whether more of it is better.
type Figure = (&'static str, fn(&Outcome) -> f64, bool);

const FIGURES: [Figure; 4] = [
    ("req/s", |outcome| outcome.per_second, true),
    ("p50", |outcome| outcome.latency_ms(500), false),
    ("p99", |outcome| outcome.latency_ms(990), false),
    ("CPU", |outcome| outcome.cpu_us, false),
];

/// The row of that name of one program.
fn find<'c, 'a>(all: &'c [Contestant<'a>], name: &str, is_old: bool) -> Option<&'c Contestant<'a>> {
    all.iter().find(|contestant| contestant.name == name && contestant.is_old == is_old)
}

fn named<'c, 'a>(all: &'c [Contestant<'a>], name: &str) -> Option<&'c Contestant<'a>> {
    find(all, name, false)
}

pub(crate) fn print_figures(all: &[Contestant<'_>], rounds: usize) {
    println!(
        "\nmedian of {rounds} rounds                   req/s    p50 ms    p99 ms    CPU us   / ceiling"
    );
    for contestant in all {
        let ceiling = format!("ceiling, {}", contestant.connections);
        let ceiling = find(all, &ceiling, contestant.is_old).unwrap();
        println!(
            "{:<32} {:>9.0} {:>9.2} {:>9.2} {:>9.1} {:>11.2}",
            format!("{}{}", if contestant.is_old { "old " } else { "" }, contestant.name),
            contestant.median(|outcome| outcome.per_second),
            contestant.median(|outcome| outcome.latency_ms(500)),
            contestant.median(|outcome| outcome.latency_ms(990)),
            contestant.median(|outcome| outcome.cpu_us),
            ratio(contestant, ceiling, |outcome| outcome.per_second),
        );
    }
}

/// New / old for every row that both have, a mark where the new one is worse.
pub(crate) fn print_against(all: &[Contestant<'_>]) {
    let new = all.iter().filter(|contestant| !contestant.is_old);
    let pairs: Vec<_> = new.filter_map(|new| Some((new, find(all, new.name, true)?))).collect();
    if pairs.is_empty() {
        return;
    }
    print!("\n{:<32}", "new / old");
    for (figure, _, _) in FIGURES {
        print!(" {figure:>9}");
    }
    let mut worse = 0;
    for (new, old) in pairs {
        print!("\n{:<32}", new.name);
        for (_, of, is_more_better) in FIGURES {
            let figure = ratio(new, old, of);
            let loss = if is_more_better { 1.0 - figure } else { figure - 1.0 };
            let is_worse = loss > TOLERANCE;
            worse += usize::from(is_worse);
            print!(" {figure:>8.2}{}", if is_worse { "*" } else { " " });
        }
    }
    println!("\n* more than {:.0} % worse than the old one: {worse}", TOLERANCE * 100.0);
}

pub(crate) fn print_goals(all: &[Contestant<'_>]) {
    let rate = |outcome: &Outcome| outcome.per_second;
    let cpu = |outcome: &Outcome| outcome.cpu_us;
    let at_least: [(&str, &str, f64); 5] = [
        ("add, 64", "ceiling, 64", 0.20),
        ("add, 256", "ceiling, 256", 0.35),
        ("add, 64", NAIVE, 8.0),
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
    let pair = (named(all, THROUGH_PROVIDER), named(all, "add, 64"));
    if let (Some(through), Some(by_hand)) = pair {
        let figure = ratio(through, by_hand, cpu);
        let word = if figure <= 1.05 { "holds" } else { "MISSED" };
        println!("CPU of an order through a provider / by hand: {figure:.2}, at most 1.05: {word}");
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
    if let Some(list) = named(all, RESTED_LIST) {
        for (name, of_thousand) in [("p50", 500), ("p99", 990)] {
            let figure = list.median(|outcome| outcome.latency_ms(of_thousand));
            let word = if figure <= 1.0 { "holds" } else { "MISSED" };
            println!(
                "a list of the oldest of a million orders, {name}: {figure:.2} ms, at most 1: {word}"
            );
        }
    }
}

/// Start-up, memory, size.
pub(crate) fn print_footprint(shops: &Shops, all: &[Contestant<'_>], folder: &Path) {
    let (mut ready, mut idle) = (Vec::new(), Vec::new());
    let program = &shops.small.program;
    for _ in 0..9 {
        let server = program.serve(&shops.small.copy(folder, "start"));
        ready.push(server.ready_after.as_secs_f64() * 1000.0);
        server.settle();
        idle.push(server.memory_mb());
        server.stop();
    }
    let loaded = all.iter().filter(|one| one.name != NAIVE && one.is_old == shops.is_old);
    let loaded = loaded.map(|contestant| contestant.memory_mb).fold(0.0, f64::max);
    println!(
        "\n{}ready after {:.1} ms (below 50), idle {:.1} MB (below 20), under load up to {loaded:.0} MB, \
         binary {:.1} MB (below 18)",
        if shops.is_old { "old: " } else { "" },
        median(ready),
        median(idle),
        program.size_mb()
    );
}
