//! Drip-feeds: their runs begin when they are due, each once, and the order that has paid for them
//! follows. Each panel's books are checked when it is dropped.

use panelite::commands::drips::{ResumeDrip, StopDrip};
use panelite::commands::orders::{DeclineCancels, SetOrder};
use panelite::domain::delivery::Hand;
use panelite::domain::order::{ByHand, Order, PublicStatus};
use panelite::domain::outcome::{Family, Outcome};
use panelite::domain::refusal::OperatorRefusal;
use panelite::domain::schedule::Drip;
use panelite::domain::{Actor, OrderId};
use panelite::store::{Error, drips, orders};

use crate::fixture::engine;
use crate::fixture::panel::{Panel, Reseller};
use crate::fixture::upstream::{Upstream, report};

/// A panel with a service of 2.50 that is drip-fed by hand, and ann, who has 100.
fn open() -> (Panel, Reseller) {
    let panel = Panel::start();
    panel.services(&["1,C,Likes,Default,2.50,1,5000,1,1,1"]);
    let ann = panel.reseller("ann", "100");
    (panel, ann)
}

/// Buys 3 runs of 1000, one each hour, for 7.50.
fn buys(ann: &Reseller) -> i64 {
    let reply = ann.form("key=KEY&action=add&service=1&link=x&quantity=1000&runs=3&interval=60");
    reply.json()["order"].as_i64().unwrap_or_else(|| panic!("not bought: {}", reply.text()))
}

fn order(panel: &Panel, id: i64) -> Order {
    panel.store().point(|db| orders::find(db, OrderId(id))).unwrap().unwrap()
}

fn drip(panel: &Panel, id: i64) -> Option<Drip> {
    panel.store().point(|db| drips::find(db, OrderId(id))).unwrap()
}

/// Lets so many minutes pass, and what is due begin.
fn minutes(panel: &Panel, minutes: i64) {
    panel.clock.advance(minutes * 60);
    panel.deliver();
}

/// What the customer is told: `In progress, 2 runs [2, 3], 500 left, pays 7.50`.
fn told(ann: &Reseller, id: i64) -> String {
    let reply = ann.form(&format!("key=KEY&action=status&order={id}")).json();
    let text = |name: &str| reply[name].to_string().replace(['"', ' '], "");
    let (status, charge) = (reply["status"].as_str().unwrap().to_owned(), text("charge"));
    let (runs, orders, remains) = (text("runs"), text("orders"), text("remains"));
    format!("{status}, {runs} runs {orders}, {remains} left, pays {charge}")
}

fn stop(panel: &Panel, id: i64) -> Result<(), Error> {
    panel.store().write_blocking(StopDrip { actor: Actor::CommandLine, order: OrderId(id) })
}

fn resume(panel: &Panel, id: i64) -> Result<(), Error> {
    panel.store().write_blocking(ResumeDrip { actor: Actor::CommandLine, order: OrderId(id) })
}

#[test]
fn runs_begin_by_the_clock_and_the_order_follows_them_to_its_end() {
    let (panel, ann) = open();
    let id = buys(&ann);
    assert_eq!(told(&ann, id), "Pending, 0 runs [], 3000 left, pays 7.50");
    panel.deliver();
    panel.deliver();
    assert_eq!(told(&ann, id), "In progress, 1 runs [2], 3000 left, pays 7.50");

    panel.set(2, PublicStatus::InProgress, Some(70), Some(400));
    assert_eq!(told(&ann, id), "In progress, 1 runs [2], 2400 left, pays 7.50");
    assert_eq!(order(&panel, id).start_count, Some(70));
    minutes(&panel, 59);
    assert_eq!(drip(&panel, id).unwrap().started, 1);
    minutes(&panel, 1);
    panel.set(3, PublicStatus::Completed, Some(670), None);
    minutes(&panel, 60);
    assert_eq!(told(&ann, id), "In progress, 3 runs [2,3,4], 1400 left, pays 7.50");
    assert_eq!(drip(&panel, id).unwrap().next_at, None);

    panel.set(4, PublicStatus::Canceled, None, Some(300)); // has delivered nothing
    panel.set(2, PublicStatus::Partial, None, Some(250));
    assert_eq!(told(&ann, id), "Partial, 3 runs [2,3,4], 1250 left, pays 4.375");
    assert_eq!((order(&panel, id).start_count, ann.balance().as_str()), (Some(70), "95.625"));
    minutes(&panel, 600);
    assert_eq!(drip(&panel, id).unwrap().started, 3);
}

#[test]
fn an_order_of_which_all_or_nothing_was_delivered_ends_so() {
    for (status, end) in [
        (PublicStatus::Completed, "Completed, 3 runs [2,3,4], 0 left, pays 7.50"),
        (PublicStatus::Canceled, "Canceled, 3 runs [2,3,4], 3000 left, pays 0.00"),
    ] {
        let (panel, ann) = open();
        let id = buys(&ann);
        panel.deliver();
        for run in 2..=4 {
            panel.set(run, status, None, None);
            minutes(&panel, 60);
        }
        assert_eq!(told(&ann, id), end);
    }
}

#[test]
fn a_run_waits_for_the_one_before_it_and_what_was_missed_comes_without_a_burst() {
    let (panel, ann) = open();
    let id = buys(&ann);
    panel.deliver();
    minutes(&panel, 600);
    assert_eq!(drip(&panel, id).unwrap().started, 1, "nobody has taken up the first");
    panel.set(2, PublicStatus::InProgress, None, None);
    minutes(&panel, 1);
    assert_eq!(drip(&panel, id).unwrap().started, 2);
    panel.set(3, PublicStatus::InProgress, None, None);

    let panel = panel.restarted();
    minutes(&panel, 30);
    assert_eq!(drip(&panel, id).unwrap().started, 2);
    minutes(&panel, 30);
    assert_eq!(drip(&panel, id).unwrap().started, 3);
}

#[test]
fn after_downtime_and_under_a_clock_that_jumps_each_run_begins_once_and_keeps_its_distance() {
    let (panel, ann) = open();
    let id = buys(&ann);
    panel.deliver();
    panel.set(2, PublicStatus::Completed, None, None);
    let ann = |panel: &Panel| Reseller { address: panel.address, ..ann.clone() };
    let panel = panel.restarted_after(|_| {});
    minutes(&panel, 5 * 24 * 60);
    assert_eq!(told(&ann(&panel), id), "In progress, 2 runs [2,3], 2000 left, pays 7.50");
    panel.set(3, PublicStatus::Completed, None, None);
    minutes(&panel, 29);
    assert_eq!(drip(&panel, id).unwrap().started, 2, "half the distance at least");

    // The clock was ahead by five days: the run that is to come is an hour away at most.
    panel.clock.advance(-5 * 24 * 3600);
    let panel = panel.restarted();
    minutes(&panel, 60);
    let next = drip(&panel, id).unwrap();
    if next.started == 2 {
        assert!(next.next_at.unwrap().0 <= panel.clock.now().0 + 5 * 24 * 3600 + 3600);
        minutes(&panel, 5 * 24 * 60);
    }
    panel.set(4, PublicStatus::Completed, None, None);
    assert_eq!(told(&ann(&panel), id), "Completed, 3 runs [2,3,4], 0 left, pays 7.50");
}

#[test]
fn runs_are_no_orders_of_the_customer() {
    let (panel, ann) = open();
    let id = buys(&ann);
    panel.deliver();
    panel.set(2, PublicStatus::Completed, None, None);
    for action in ["status", "cancel", "refill"] {
        let reply = ann.form(&format!("key=KEY&action={action}&order=2"));
        assert_eq!(reply.text(), r#"{"error":"Incorrect order ID"}"#, "{action}");
    }
    let both = ann.form(&format!("key=KEY&action=status&orders=2,{id}")).json();
    assert_eq!(both["2"]["error"], "Incorrect order ID");
    assert_eq!(
        (&both[id.to_string()]["runs"], &both[id.to_string()]["orders"][0]),
        (&"1".into(), &2.into())
    );

    let other = ann.buys(1, 10);
    let listed = ann.form("key=KEY&action=orders&limit=2").json();
    let ids: Vec<i64> =
        listed.as_array().unwrap().iter().map(|it| it["order"].as_i64().unwrap()).collect();
    assert_eq!(ids, [other, id]);
}

#[test]
fn a_canceled_order_ends_at_once_or_with_what_has_begun() {
    let (panel, ann) = open();
    let (never, begun) = (buys(&ann), buys(&ann));
    let cancel = |id: i64| ann.form(&format!("key=KEY&action=cancel&order={id}")).json();
    assert_eq!(cancel(never)["refunded"], "7.50");
    panel.deliver();
    assert_eq!(told(&ann, never), "Canceled, 0 runs [], 3000 left, pays 0.00");

    panel.set(3, PublicStatus::InProgress, None, Some(100));
    cancel(begun);
    minutes(&panel, 120);
    assert_eq!(told(&ann, begun), "In progress, 1 runs [3], 2100 left, pays 7.50");
    panel.set(3, PublicStatus::Completed, None, None);
    assert_eq!(told(&ann, begun), "Partial, 1 runs [3], 2000 left, pays 2.50");
    assert_eq!(ann.balance(), "97.50");
}

#[test]
fn a_person_stops_runs_and_lets_them_go_on_but_moves_a_begun_order_only_with_them() {
    let (panel, ann) = open();
    let (id, as_one) = (buys(&ann), buys(&ann));
    panel.set(as_one, PublicStatus::InProgress, None, Some(1500));
    panel.deliver();
    assert_eq!((drip(&panel, as_one), drip(&panel, id).unwrap().started), (None, 1));
    panel.set(as_one, PublicStatus::Completed, None, None);

    let by_hand = ByHand { status: PublicStatus::Completed, start_count: None, remains: None };
    let set = SetOrder { actor: Actor::CommandLine, order: OrderId(id), by_hand };
    let refused = panel.store().write_blocking(set).unwrap_err();
    assert!(matches!(refused, Error::Refused(it) if it == OperatorRefusal::RunsHaveBegun.into()));

    stop(&panel, id).unwrap();
    assert!(stop(&panel, id).is_err(), "it is stopped");
    minutes(&panel, 120);
    assert_eq!(drip(&panel, id).unwrap().started, 1);
    panel.set(3, PublicStatus::InProgress, None, None);
    resume(&panel, id).unwrap();
    minutes(&panel, 0);
    assert_eq!(drip(&panel, id).unwrap().started, 2);
    panel.set(3, PublicStatus::Completed, None, None);
    panel.set(4, PublicStatus::Completed, None, None);
    stop(&panel, id).unwrap();
    assert_eq!(told(&ann, id), "Partial, 2 runs [3,4], 1000 left, pays 5.00");
    assert!(resume(&panel, id).is_err(), "it has ended");

    let third = buys(&ann);
    stop(&panel, third).unwrap();
    assert_eq!(told(&ann, third), "Canceled, 0 runs [], 3000 left, pays 0.00");
}

#[test]
fn a_declined_cancel_request_leaves_it_to_a_person_whether_runs_go_on() {
    let (panel, ann) = open();
    let id = buys(&ann);
    panel.deliver();
    ann.form(&format!("key=KEY&action=cancel&order={id}"));
    assert!(resume(&panel, id).is_err(), "its customer wants to cancel it");
    let (actor, orders) = (Actor::CommandLine, [OrderId(id)].into());
    panel.store().write_blocking(DeclineCancels { actor, orders }).unwrap();
    panel.set(2, PublicStatus::InProgress, None, None);
    resume(&panel, id).unwrap();
    panel.deliver();
    assert_eq!(drip(&panel, id).unwrap().started, 2);
}

/// The same service at a provider, drip-fed.
fn upstream() -> Upstream {
    let shop = Upstream::open();
    let service = "id,dripfeed\n1,1\n";
    shop.panel.import(&format!(
        "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service\n{}",
        service.replace("id,dripfeed\n1,1", "1,C,Likes,Default,2.50,1,5000,1,1,1,first,901")
    ));
    shop
}

/// The provider accepts the order that is due.
fn accepts(shop: &Upstream, order: i64) {
    shop.sends(Outcome::Accepted { their_id: format!("T{order}") });
}

#[test]
fn runs_go_through_the_provider_one_after_the_other() {
    let shop = upstream();
    let id = buys(&shop.ann);
    shop.panel.store().write_blocking(panelite::commands::drips::StartRuns).unwrap();
    accepts(&shop, 2);
    shop.says(2, report("In progress", 600));
    assert_eq!(told(&shop.ann, id), "In progress, 1 runs [2], 2600 left, pays 7.50");
    for run in [3, 4] {
        shop.minutes(60);
        shop.panel.store().write_blocking(panelite::commands::drips::StartRuns).unwrap();
        accepts(&shop, run);
    }
    shop.says(2, report("Completed", 0));
    shop.says(3, report("Partial", 400));
    shop.says(4, report("Canceled", 100));
    assert_eq!(told(&shop.ann, id), "Partial, 3 runs [2,3,4], 1400 left, pays 4.00");
    shop.says(3, report("Completed", 0));
    assert_eq!(told(&shop.ann, id), "Partial, 3 runs [2,3,4], 1400 left, pays 4.00");
}

#[test]
fn a_run_that_is_refused_stops_the_rest() {
    let shop = upstream();
    let id = buys(&shop.ann);
    shop.panel.store().write_blocking(panelite::commands::drips::StartRuns).unwrap();
    accepts(&shop, 2);
    shop.minutes(60);
    shop.panel.store().write_blocking(panelite::commands::drips::StartRuns).unwrap();
    shop.sends(Outcome::Refused { family: Family::Link, answer: "Bad link".to_owned() });
    shop.minutes(600);
    shop.panel.store().write_blocking(panelite::commands::drips::StartRuns).unwrap();
    assert_eq!(told(&shop.ann, id), "In progress, 2 runs [2,3], 3000 left, pays 7.50");
    shop.says(2, report("Completed", 0));
    assert_eq!(told(&shop.ann, id), "Partial, 2 runs [2,3], 2000 left, pays 2.50");
}

#[test]
fn an_older_file_stops_all_runs_until_a_person_lets_them_go_on() {
    let (panel, ann) = open();
    let id = buys(&ann);
    panel.deliver();
    panel.set(2, PublicStatus::Completed, None, None);
    let panel = panel.restarted_after(|db| {
        let epoch = engine::epoch_file(db);
        let word = std::fs::read_to_string(&epoch).unwrap();
        std::fs::write(&epoch, word.replacen(|it: char| it.is_ascii_alphanumeric(), "z", 3))
            .unwrap();
    });
    minutes(&panel, 600);
    let parked = drip(&panel, id).unwrap();
    assert_eq!((parked.started, parked.next_at, parked.hand), (1, None, Some(Hand::Restored)));
    resume(&panel, id).unwrap();
    panel.deliver();
    assert_eq!(drip(&panel, id).unwrap().started, 2);
}

#[test]
fn pages_show_the_runs_and_stop_and_resume_them() {
    let (panel, ann) = open();
    let mut olga = panel.operator("olga");
    let page = olga.see("/admin/refills/drips");
    assert!(page.contains("No drip-feed orders yet"), "{page}");
    let id = buys(&ann);
    panel.deliver();
    let list = olga.see("/admin/refills/drips");
    for text in ["1 of 3", "/admin/refills/drips/1/stop", "In progress", "Likes"] {
        assert!(list.contains(text), "{text}: {list}");
    }
    let page = olga.see(&format!("/admin/orders/{id}"));
    for text in ["1 of 3 begun", "/admin/orders/2", "Stop the runs"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Update order"), "{page}");
    assert!(olga.see("/admin/orders/2").contains("Run of"));

    let asked = olga.post("/admin/refills/drips/1/stop", &[]);
    assert_eq!(asked.status, 200, "a question first");
    assert!(asked.text().contains("the order ends with the runs that have begun"));
    stop(&panel, id).unwrap();
    assert!(olga.see("/admin/refills/drips").contains("stopped"));
    let resumed = olga.post("/admin/refills/drips/1/resume", &[]);
    assert_eq!(resumed.header("location"), Some("/admin/refills/drips"));
    assert!(drip(&panel, id).unwrap().next_at.is_some());
    let again = olga.post("/admin/refills/drips/1/resume", &[]);
    assert_eq!(again.status, 422);
}
