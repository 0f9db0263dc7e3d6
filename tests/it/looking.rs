//! Looking for an order nobody knows the end of: the orders around it at its provider, and the
//! button for it.

use panelite::delivery::Looked;
use panelite::domain::OrderId;
use panelite::domain::order::OrderStatus;
use panelite::practice::{Mode, Practice};
use panelite::store::{orders, submissions};

use crate::fixture::engine;
use crate::fixture::panel::{Panel, Reseller};

const CSV: &str = "id,category,name,type,rate,min,max,cancel,provider,provider_service\n";

/// A panel with two orders at a practice provider, and a third that arrived in doubt.
fn shop() -> (Panel, Practice, Reseller, i64) {
    let panel = Panel::start();
    let address = "127.0.0.1:0".parse().unwrap();
    let practice = Practice::start(panel.clock.clone(), address).unwrap();
    practice.accepts_own_ids(false);
    panel.provider_of("practice", &practice, 2);
    panel.import(&format!("{CSV}1,C,Likes,Default,2.50,1,100000,1,practice,1\n"));
    let ann = panel.reseller("ann", "1000");
    let lost = loses(&panel, &practice, &ann);
    (panel, practice, ann, lost)
}

/// Buys two orders that are there, and a third that arrives in doubt.
fn loses(panel: &Panel, practice: &Practice, ann: &Reseller) -> i64 {
    panel.clock.advance(5); // behind one in doubt the provider is left alone for a while
    for _ in 0..2 {
        ann.buys(1, 1000);
    }
    panel.deliver();
    practice.misbehave_next(1, Mode::Accepts500);
    let lost = ann.buys(1, 700);
    panel.deliver();
    lost
}

fn evidence(panel: &Panel, order: i64) -> String {
    let live = panel.store().point(|db| submissions::find_live(db, OrderId(order))).unwrap();
    live.unwrap().evidence
}

fn status(panel: &Panel, order: i64) -> OrderStatus {
    panel.store().point(|db| orders::find(db, OrderId(order))).unwrap().unwrap().status
}

#[test]
fn the_orders_around_a_lost_one_are_shown_and_nothing_is_decided() {
    let (panel, practice, ann, lost) = shop();
    ann.buys(1, 1000);
    panel.clock.advance(5);
    panel.deliver();
    let before = practice.calls("status");
    assert_eq!(panel.delivery().neighbours(OrderId(lost)).unwrap(), Looked::Candidates(1));
    assert!(practice.calls("status") <= before + 5);
    let evidence = evidence(&panel, lost);
    let theirs = &practice.orders()[2].id;
    assert!(evidence.contains(&format!("\n{theirs}: ")), "{evidence}");
    assert!(evidence.ends_with("\n1 order there may be it"), "{evidence}");
    assert_eq!(status(&panel, lost), OrderStatus::Unknown);
}

#[test]
fn a_lost_order_is_looked_for_behind_all_that_the_nodes_had_out_together() {
    let (panel, practice, ann, _) = shop();
    let lost = loses(&panel, &practice, &ann);
    let looks = || panel.delivery().neighbours(OrderId(lost)).unwrap();
    let first: u64 = practice.orders()[0].id.parse().unwrap();
    let before = first - 1;
    panel.sql(&format!("UPDATE submissions SET after_order = '{before}' WHERE order_id = {lost}"));
    // Four of ours are there before it: as many as one node has out. One that is lost is between.
    assert_eq!(looks(), Looked::Candidates(1));
    if engine::is_server() {
        let now = panel.clock.now().0;
        panel.sql(&format!("INSERT INTO nodes (id, turn, seen_at) VALUES (7, 0, {now})"));
        assert_eq!(looks(), Looked::Candidates(2));
    }
}

#[test]
fn a_person_who_looks_finds_our_own_id_where_the_provider_knows_it() {
    let (panel, practice, _ann, lost) = shop();
    practice.accepts_own_ids(true);
    let theirs = practice.orders()[2].id.clone();
    let found = panel.delivery().neighbours(OrderId(lost)).unwrap();
    assert_eq!(found, Looked::Adopted(theirs));
    assert_eq!(status(&panel, lost), OrderStatus::Active);
    assert_eq!(panel.delivery().neighbours(OrderId(lost)).unwrap(), Looked::Over);
}

#[test]
fn the_page_of_a_lost_order_has_it_looked_for() {
    let (panel, practice, _ann, lost) = shop();
    let mut olga = panel.operator("olga");
    let page = format!("/admin/orders/{lost}");
    assert!(olga.see(&page).contains("Look for it"));
    assert_eq!(olga.post(&format!("{page}/look"), &[]).status, 303);
    let shown = olga.see(&page);
    assert!(shown.contains(&format!("1 order there may be order {lost}")), "{shown}");
    assert!(shown.contains(&format!("{}: ", practice.orders()[2].id)), "{shown}");
    assert!(!olga.see("/admin/orders/1").contains("Look for it"));
}

#[test]
fn what_is_kept_of_a_look_is_bounded() {
    let (panel, practice, _ann, lost) = shop();
    let said = "x".repeat(300);
    let item = format!(r#"{{"status":"Pending","link":"{said}","quantity":"{said}"}}"#);
    let first: i64 = practice.orders()[2].id.parse().unwrap();
    let items: Vec<_> = (first..first + 100).map(|id| format!("\"{id}\":{item}")).collect();
    practice.set_answer("status", Some(format!("{{{}}}", items.join(","))));
    assert_eq!(panel.delivery().neighbours(OrderId(lost)).unwrap(), Looked::Candidates(100));
    let evidence = evidence(&panel, lost);
    assert!(evidence.len() <= 2048 && evidence.ends_with('…'), "{}", evidence.len());
}
