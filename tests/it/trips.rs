//! A page of the panel does not wait for a server more than a few times: what it shows is asked for
//! together, wherever nothing depends on what was found before.

use actix_web::http::Method;
use panelite::admin::{Access, ROUTES};

use crate::fixture::engine;
use crate::fixture::operator::{Operator, filled};
use crate::fixture::panel::Panel;
use crate::fixture::sample;

/// Pages that show something else than they do for the first of what they show.
const OTHERS: &[&str] = &[
    "/admin/orders?tab=hand",
    "/admin/orders?user=alice&state=completed",
    "/admin/services?category=2&state=enabled",
    "/admin/services/900",
    "/admin/services/902",
    "/admin/users?find=1",
    "/admin/ledger?user=alice",
    "/admin/ledger/12",
    "/admin/alerts?tab=past",
    "/admin/providers/2",
];
/// One of them to know who asks and what every page shows.
const TRIPS_MAX: u64 = 6;
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
    let reads = ROUTES.iter().filter(|it| it.method == Method::GET && it.access == Access::Signed);
    let first = reads.map(|route| format!("/admin{}", filled(route.path, "1")));
    let orders = [sample::bought_orders(&panel), sample::orders_to_see(&panel)].concat();
    let orders = orders.iter().map(|order| format!("/admin/orders/{order}"));
    let others = OTHERS.iter().map(ToString::to_string);
    let all: Vec<(u64, String)> = first
        .chain(others)
        .chain(orders)
        .map(|path| (trips(&panel, &mut admin, &path), path))
        .collect();
    for (trips, path) in &all {
        println!("{trips:>3} {path}");
    }
    let long: Vec<_> = all.iter().filter(|(trips, _)| *trips > TRIPS_MAX).collect();
    assert!(long.is_empty(), "{long:?}");
}
