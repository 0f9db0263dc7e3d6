//! Who is measured, and a round of it.

use std::path::Path;

use rusqlite::Connection;

use crate::Plan;
use crate::load::{self, Outcome, Work};
use crate::process::Server;
use crate::shop::Shop;

pub(crate) const NAIVE: &str = "naive add, 64";
pub(crate) const THROUGH_PROVIDER: &str = "add through a provider, 64";
pub(crate) const AT_A_MILLION: &str = "add at a million orders, 64";
pub(crate) const WITHOUT_LISTS: &str = "add at a million, no lists, 64";
pub(crate) const RESTED_LIST: &str = "oldest orders of a million, 1";
/// The rows that need the file with a million orders.
const LARGE: &[&str] = &[AT_A_MILLION, WITHOUT_LISTS, RESTED_LIST];

/// The files of one program.
pub(crate) struct Shops {
    pub(crate) small: Shop,
    limited: Shop,
    /// Sold through a provider; the earlier release may not know any.
    through_provider: Option<Shop>,
    /// A million orders.
    pub(crate) large: Option<Shop>,
    /// Those without indexes for the lists of pages.
    without_lists: Option<Shop>,
    /// Whether its program is the earlier release.
    pub(crate) is_old: bool,
}

impl Shops {
    /// Fills what the plan needs. Only the new program is measured without lists.
    pub(crate) fn fill(plan: &Plan, folder: &Path, is_old: bool) -> Self {
        let program = if is_old { plan.against.clone().unwrap() } else { plan.program.clone() };
        let folder = folder.join(if is_old { "old" } else { "new" });
        std::fs::create_dir(&folder).unwrap();
        let small = Shop::fill(&program, &folder, 1000);
        let wants_large = LARGE.iter().any(|name| plan.wants(name)) || plan.wants("pages");
        let fill_large = || Shop::fill(&program, &folder, 1_000_000);
        let large = (!plan.is_quick && wants_large).then(fill_large);
        let bare = large.as_ref().filter(|_| !is_old && plan.wants(WITHOUT_LISTS));
        let without_lists = bare.map(|large| large.without_lists(&folder));
        let through_provider = (!is_old).then(|| small.through_provider(&folder));
        let limited = small.with_limits(&folder);
        Self { small, limited, through_provider, large, without_lists, is_old }
    }

    /// The largest file there is.
    pub(crate) fn largest(&self) -> &Shop {
        self.large.as_ref().unwrap_or(&self.small)
    }

    /// Everyone who is measured on these files.
    pub(crate) fn contestants(&self) -> Vec<Contestant<'_>> {
        let small = &self.small;
        let refused = |name, connections| Contestant {
            status: 401,
            ..self.contestant(name, small, connections, small.adds(false))
        };
        let add = |name, shop, connections| Contestant {
            sells: true,
            ..self.contestant(name, shop, connections, small.adds(true))
        };
        let mut all = vec![
            refused("ceiling, 1", 1),
            refused("ceiling, 64", 64),
            refused("ceiling, 256", 256),
            add("add, 1", small, 1),
            add("add, 64", small, 64),
            add("add, 256", small, 256),
            add("add with limits, 64", &self.limited, 64),
            self.contestant("status, 64", small, 64, small.statuses()),
            self.contestant("multiStatus of 100, 64", small, 64, small.multi_statuses()),
            self.contestant("services, 64", small, 64, small.services()),
        ];
        if let Some(shop) = &self.through_provider {
            all.push(add(THROUGH_PROVIDER, shop, 64));
        }
        if !self.is_old {
            all.push(Contestant { is_naive: true, ..add(NAIVE, small, 64) });
        }
        if let Some(large) = &self.large {
            all.push(add(AT_A_MILLION, large, 64));
            all.push(self.contestant(RESTED_LIST, large, 1, large.rested_lists()));
        }
        if let Some(without_lists) = &self.without_lists {
            all.push(add(WITHOUT_LISTS, without_lists, 64));
        }
        all
    }

    fn contestant<'a>(
        &self,
        name: &'static str,
        shop: &'a Shop,
        connections: usize,
        requests: Vec<Vec<u8>>,
    ) -> Contestant<'a> {
        Contestant {
            name,
            is_old: self.is_old,
            is_naive: false,
            shop,
            connections,
            requests,
            status: 200,
            sells: false,
            running: None,
            orders: shop.orders(),
            outcomes: Vec::new(),
            memory_mb: 0.0,
        }
    }
}

/// What is measured against what.
pub(crate) struct Contestant<'a> {
    pub(crate) name: &'static str,
    pub(crate) is_old: bool,
    is_naive: bool,
    shop: &'a Shop,
    pub(crate) connections: usize,
    requests: Vec<Vec<u8>>,
    status: u16,
    /// Whether an answer is an order.
    sells: bool,
    /// Kept from round to round, where a fresh file each time would cost too much.
    running: Option<Server>,
    orders: usize,
    outcomes: Vec<Outcome>,
    pub(crate) memory_mb: f64,
}

impl Contestant<'_> {
    /// One round: a fresh file and server, the work, the proof that nothing was lost.
    pub(crate) fn run(&mut self, plan: &Plan, folder: &Path, is_last: bool) {
        let keeps = self.shop.orders() > 100_000;
        let age = if self.is_old { "old" } else { "new" };
        let name = format!("{age}-{}", self.name.replace([' ', ','], "-"));
        let db = folder.join(format!("{name}.db"));
        let server = self.running.take().unwrap_or_else(|| {
            self.orders = self.shop.orders();
            self.shop.copy(folder, &name);
            if self.is_naive { Server::naive(&db) } else { self.shop.program.serve(&db) }
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
        self.prove(&db, is_last);
    }

    /// Every acknowledged order is there and no other, and in the end the books are sound.
    fn prove(&self, db: &Path, is_last: bool) {
        let conn = Connection::open(db).unwrap();
        let orders: i64 =
            conn.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).unwrap();
        assert_eq!(orders, self.orders as i64, "{}: orders are not those acknowledged", self.name);
        drop(conn);
        if is_last {
            let found = self.shop.check(db);
            assert!(found.is_empty(), "{}: the books are not sound: {found:?}", self.name);
        }
    }

    /// The median over the rounds.
    pub(crate) fn median(&self, of: impl Fn(&Outcome) -> f64) -> f64 {
        median(self.outcomes.iter().map(of).collect())
    }
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median over the rounds of one contestant's figure divided by another's.
pub(crate) fn ratio(
    one: &Contestant<'_>,
    other: &Contestant<'_>,
    of: impl Fn(&Outcome) -> f64,
) -> f64 {
    let pairs = one.outcomes.iter().zip(&other.outcomes);
    median(pairs.map(|(one, other)| of(one) / of(other)).collect())
}

/// Runs all contestants in turn, the other way round in every second round.
pub(crate) fn run(all: &mut [Contestant<'_>], plan: &Plan, folder: &Path) {
    let (count, rounds) = (all.len(), plan.rounds);
    for round in 0..rounds {
        for turn in 0..count {
            let at = (turn + round) % count;
            let at = if round % 2 == 0 { at } else { count - 1 - at };
            all[at].run(plan, folder, round + 1 == rounds);
        }
    }
}
