//! Leaders that die: two nodes of a panel on three members of Patroni's, with resellers at both, and
//! the member that leads killed again and again, or frozen. Run by hand, `cargo test --test patroni`:
//! it takes minutes, and packages of Debian's that nothing else here needs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cluster;
#[path = "../it/fixture/debian.rs"]
mod debian;
#[expect(dead_code, reason = "connections are kept open here")]
#[path = "../it/fixture/http.rs"]
mod http;
mod panel;
mod processes;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use panelite::clock;

use crate::cluster::Cluster;
use crate::panel::{Bought, Load, Node, Panel};

const ENDS: [End; 4] = [End::Killed, End::Frozen, End::Killed, End::Killed];
const RESELLERS_EACH: usize = 8;
/// How many orders each node sells before a leader ends and after it.
const STRETCH: usize = 250;
/// How long a node waits for a server that says nothing.
const PATIENCE: Duration = Duration::from_secs(35);

/// How a leader ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// All its processes at once.
    Killed,
    /// It stops where it is. Whoever connects is let in and hears nothing.
    Frozen,
}

impl End {
    const fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Frozen => "frozen",
        }
    }
}

/// Says how it goes past the capture of output, which hides what a passing test prints.
fn say(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// The longest pause of one of the nodes after that moment.
fn gap(bought: &[Bought], from: Instant) -> Duration {
    let of_node = |node: usize| {
        let mut at: Vec<Instant> =
            bought.iter().filter(|order| order.node == node).map(|order| order.at).collect();
        at.sort_unstable();
        let pauses = at.windows(2).filter(|pair| pair[1] > from);
        pauses.map(|pair| pair[1] - pair[0]).max().unwrap_or(Duration::MAX)
    };
    (0..2).map(of_node).max().unwrap()
}

/// The number of each order by its request, as somebody has it.
fn numbers(list: impl Iterator<Item = (String, i64)>) -> BTreeMap<String, i64> {
    let (mut numbers, mut count) = (BTreeMap::new(), 0);
    numbers.extend(list.inspect(|_| count += 1));
    assert_eq!(numbers.len(), count, "a request has two orders");
    numbers
}

/// Ends the member that leads, waits until both nodes sell again, and lets the member come back.
/// For how long one of the nodes sold nothing.
fn outlive(cluster: &mut Cluster, load: &Load, end: End, bought: &mut Vec<Bought>) -> Duration {
    cluster.wait_until_whole();
    bought.extend(load.take(STRETCH));
    let (member, at) = (cluster.leader(), clock::instant());
    match end {
        End::Killed => cluster.kill(member),
        End::Frozen => cluster.freeze(member),
    }
    let leader = cluster.leader();
    let leads_after = at.elapsed();
    bought.extend(load.take(STRETCH));
    let (from, to, gap) = (cluster.name(member), cluster.name(leader), gap(bought, at));
    let end_name = end.name();
    say(&format!("{from} {end_name}, {to} leads after {leads_after:.1?}, no sale for {gap:.1?}"));
    if end == End::Frozen {
        cluster.kill(member);
    }
    cluster.revive(member);
    gap
}

#[test]
fn leaders_that_die_under_load_lose_nothing_that_was_acknowledged() {
    let mut cluster = Cluster::start();
    say(&format!("three members, ttl {:?}: {}", cluster.ttl(), cluster.address()));
    let panel = Panel::create(&cluster);
    let mut nodes = [panel.serve("node-0"), panel.serve("node-1")];
    let load = Load::start(&panel, &nodes, RESELLERS_EACH);
    let mut bought = Vec::new();
    let gaps = ENDS.map(|end| (end, outlive(&mut cluster, &load, end, &mut bought)));
    cluster.wait_until_whole();
    bought.extend(load.take(STRETCH));
    let (last, told) = load.finish();
    bought.extend(last);

    let busy: usize = told.iter().map(|told| told.busy).sum();
    let nothing: usize = told.iter().map(|told| told.nothing).sum();
    say(&format!("{} orders, {busy} 503s, {nothing} connections lost", bought.len()));
    let other: Vec<&String> = told.iter().flat_map(|told| &told.other).collect();
    assert!(other.is_empty(), "resellers were told {other:?}");
    assert_eq!(nothing, 0);
    assert!(nodes.iter_mut().all(Node::is_running), "a node has ended");
    let acknowledged = numbers(bought.into_iter().map(|order| (order.request, order.order)));
    let rows = cluster.tell("panel", "SELECT request_id, id FROM orders");
    let row = |row: &String| {
        let (request, order) = row.split_once('|').unwrap();
        (request.to_owned(), order.parse().unwrap())
    };
    assert!(acknowledged == numbers(rows.iter().map(row)), "rows are not what was acknowledged");
    assert_eq!(panel.run(&["check"]), "sound");
    for (end, gap) in gaps {
        let most = 2 * cluster.ttl() + if end == End::Frozen { PATIENCE } else { Duration::ZERO };
        assert!(gap <= most, "{}: no sale for {gap:?}", end.name());
    }
}
