//! A page of the panel does not wait for a server more than a few times: what it shows is asked for
//! together, wherever nothing depends on what was found before.

use crate::fixture::engine;
use crate::fixture::operator::Operator;
use crate::fixture::panel::Panel;
use crate::fixture::sample;

/// Every page of the panel that reads.
const PAGES: &[&str] = &[
    "/admin",
    "/admin/orders",
    "/admin/orders?tab=hand",
    "/admin/orders?user=alice&state=completed",
    "/admin/orders/new",
    "/admin/orders/12",
    "/admin/refills",
    "/admin/refills/cancels",
    "/admin/refills/drips",
    "/admin/alerts",
    "/admin/alerts/channels",
    "/admin/services",
    "/admin/services/new",
    "/admin/services/import",
    "/admin/services/900",
    "/admin/categories",
    "/admin/providers",
    "/admin/providers/new",
    "/admin/providers/1",
    "/admin/providers/1/import",
    "/admin/users",
    "/admin/users/new",
    "/admin/users/1",
    "/admin/users/1/keys",
    "/admin/users/1/rates",
    "/admin/users/1/webhook",
    "/admin/users/1/note",
    "/admin/keys",
    "/admin/keys/new",
    "/admin/keys/1/used",
    "/admin/ledger",
    "/admin/ledger/12",
    "/admin/settings",
    "/admin/audit",
    "/admin/account",
    "/admin/account/app",
];
/// To know who asks and what every page shows: one to begin, one for all of it.
const WHO: u64 = 2;
const DATA_MAX: u64 = 6;
/// What a connection is asked for the first time is prepared first.
const VISITS: usize = 6;

/// The fewest times that a visit of the page has waited.
fn trips(panel: &Panel, admin: &mut Operator, path: &str) -> u64 {
    let visit = |_| {
        let before = panel.store().read_trips();
        let reply = admin.get(path);
        assert_eq!(reply.status, 200, "{path}");
        panel.store().read_trips() - before
    };
    (0..VISITS).map(visit).min().unwrap()
}

#[test]
fn pages_ask_a_server_for_what_they_show_together() {
    if !engine::is_server() {
        return engine::say_left_out(module_path!(), "a file is not far away");
    }
    let panel = sample::shop();
    let mut admin = panel.log_in(sample::ADMIN);
    let all: Vec<(u64, &str)> =
        PAGES.iter().map(|path| (trips(&panel, &mut admin, path), *path)).collect();
    for (trips, path) in &all {
        println!("{trips:>3} {path}");
    }
    let long: Vec<_> = all.iter().filter(|(trips, _)| *trips > WHO + DATA_MAX).collect();
    assert!(long.is_empty(), "{long:?}");
}
