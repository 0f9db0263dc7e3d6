//! A provider that misbehaves in every way we know of, beside a healthy one: each order arrives at
//! most once, is refunded only where it surely is nowhere, none is lost, and the healthy provider's
//! orders go out as if nothing were the matter.

use std::collections::BTreeMap;

use panelite::domain::OrderId;
use panelite::domain::delivery::{Delivery, Hand, State, Submission};
use panelite::domain::order::{Order, OrderStatus};
use panelite::practice::{Mode, Practice};
use panelite::store::{deliveries, orders, submissions};

use crate::fixture::engine;
use crate::fixture::panel::Panel;

const CSV: &str = "id,category,name,type,rate,min,max,cancel,provider,provider_service\n";
const ORDERS: i64 = 20;
const HEALTHY_ORDERS: i64 = 5;
/// As long as the mode lasts: then the provider answers well again.
const OUTAGE_SECONDS: i64 = 120;

/// An order of ours with all that is known of it.
struct Seen {
    order: Order,
    delivery: Option<Delivery>,
    attempts: Vec<Submission>,
}

fn seen(panel: &Panel, ids: impl Iterator<Item = i64>) -> Vec<Seen> {
    let read = |id: i64| {
        let found = panel.store().point(|db| {
            Ok((
                orders::find(db, OrderId(id))?.unwrap(),
                deliveries::find(db, OrderId(id))?,
                submissions::list_of(db, OrderId(id))?,
            ))
        });
        let (order, delivery, attempts) = found.unwrap();
        Seen { order, delivery, attempts }
    };
    ids.map(read).collect()
}

/// Lets time pass in small steps, with delivery at work.
fn pass(panel: &Panel, seconds: i64, step: i64) {
    for _ in 0..seconds / step {
        panel.deliver();
        panel.clock.advance(step);
    }
    panel.deliver();
}

/// What became of the orders under one mode.
fn survives(mode: Mode) {
    let panel = Panel::start();
    let start = || Practice::start(panel.clock.clone(), "127.0.0.1:0".parse().unwrap()).unwrap();
    let (bad, good) = (start(), start());
    panel.provider_of("bad", &bad, 1);
    panel.provider_of("good", &good, 30);
    panel.import(&format!(
        "{CSV}1,C,Likes,Default,2.50,1,100000,1,bad,1\n2,C,Views,Default,2.50,1,100000,1,good,1\n"
    ));
    let buyers: Vec<_> = (0..ORDERS).map(|n| panel.reseller(&format!("u{n}"), "10")).collect();
    bad.misbehave_at("add", mode);
    let sick: Vec<i64> = buyers.iter().map(|buyer| buyer.buys(1, 1000)).collect();
    let well: Vec<i64> = (0..HEALTHY_ORDERS).map(|_| buyers[0].buys(2, 100)).collect();

    pass(&panel, 10, 5);
    for Seen { order, .. } in seen(&panel, well.iter().copied()) {
        assert_eq!(order.status, OrderStatus::Active, "{mode:?}: the healthy provider waits");
    }
    assert_eq!(good.orders().len(), well.len());
    pass(&panel, OUTAGE_SECONDS, 10);
    let doubts = seen(&panel, sick.iter().copied())
        .iter()
        .filter(|seen| seen.attempts.iter().any(|attempt| attempt.state == State::Unknown))
        .count();
    assert!(doubts <= 6, "{mode:?}: {doubts} orders are in doubt");

    bad.behave();
    pass(&panel, 3 * 3600, engine::either(60, 300));
    assert_eq!(bad.redirect_hits(), 0, "{mode:?}: a redirect was followed");
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for placed in bad.orders() {
        *arrived.entry(placed.custom_id.unwrap_or_default()).or_default() += 1;
    }
    for (id, count) in &arrived {
        assert_eq!(*count, 1, "{mode:?}: {id} was bought {count} times");
    }
    for seen in seen(&panel, sick.iter().copied()) {
        check(mode, &seen, &arrived);
    }
}

/// One order: there if it says so, refunded only if it is not, and never lost.
fn check(mode: Mode, seen: &Seen, arrived: &BTreeMap<String, usize>) {
    let Seen { order, delivery, attempts } = seen;
    let is_there = attempts.iter().any(|attempt| arrived.contains_key(&attempt.custom_id));
    let hand = delivery.as_ref().and_then(|delivery| delivery.hand);
    let id = order.id;
    match order.status {
        OrderStatus::Canceled => assert!(!is_there, "{mode:?}: {id} was refunded and is there"),
        OrderStatus::Active | OrderStatus::Completed | OrderStatus::Partial => {
            assert!(is_there, "{mode:?}: {id} is said to be there and is not");
        }
        OrderStatus::Unknown => assert_eq!(hand, Some(Hand::Unknown), "{mode:?}: {id}"),
        OrderStatus::Pending => assert_eq!(hand, Some(Hand::Waits), "{mode:?}: {id} is stuck"),
        OrderStatus::Sending => panic!("{mode:?}: {id} is still being sent"),
    }
}

/// Every fourth mode, so that four tests share them.
fn a_quarter(of: usize) {
    let modes = Mode::ALL.iter().copied().enumerate();
    for (_, mode) in modes.filter(|(at, _)| at % 4 == of) {
        survives(mode);
    }
}

#[test]
fn a_quarter_of_all_misbehaviour_is_survived() {
    a_quarter(0);
}

#[test]
fn a_second_quarter_of_all_misbehaviour_is_survived() {
    a_quarter(1);
}

#[test]
fn a_third_quarter_of_all_misbehaviour_is_survived() {
    a_quarter(2);
}

#[test]
fn the_last_quarter_of_all_misbehaviour_is_survived() {
    a_quarter(3);
}

#[test]
fn an_order_that_arrived_in_doubt_is_found_by_our_own_id() {
    let panel = Panel::start();
    let address = "127.0.0.1:0".parse().unwrap();
    let practice = Practice::start(panel.clock.clone(), address).unwrap();
    practice.accepts_own_ids(true);
    panel.provider_of("practice", &practice, 1);
    panel.import(&format!("{CSV}1,C,Likes,Default,2.50,1,100000,1,practice,1\n"));
    let ann = panel.reseller("ann", "10");
    practice.misbehave_next(1, Mode::Accepts500);
    let order = ann.buys(1, 1000);
    panel.deliver();
    let found = |panel: &Panel| seen(panel, std::iter::once(order)).pop().unwrap();
    assert_eq!(found(&panel).order.status, OrderStatus::Unknown);

    panel.clock.advance(121);
    panel.deliver();
    let found = found(&panel);
    assert_eq!(found.order.status, OrderStatus::Active);
    assert_eq!(practice.orders().len(), 1);
    assert_eq!(found.attempts.last().unwrap().state, State::Accepted);
}

#[test]
fn a_healthy_provider_gets_its_next_order_within_three_seconds_of_a_doubt() {
    let panel = Panel::start();
    let address = "127.0.0.1:0".parse().unwrap();
    let practice = Practice::start(panel.clock.clone(), address).unwrap();
    panel.provider_of("practice", &practice, 2);
    panel.import(&format!("{CSV}1,C,Likes,Default,2.50,1,100000,1,practice,1\n"));
    let ann = panel.reseller("ann", "10");
    practice.misbehave_next(1, Mode::Status500);
    let (first, second) = (ann.buys(1, 1000), ann.buys(1, 1000));
    pass(&panel, 2, 1);
    let statuses: Vec<OrderStatus> =
        seen(&panel, [first, second].into_iter()).iter().map(|seen| seen.order.status).collect();
    assert_eq!(statuses, [OrderStatus::Unknown, OrderStatus::Active]);
}
