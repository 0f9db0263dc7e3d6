//! Orders at a provider: how often they are looked at, what follows from what is said, and what is
//! never believed. Each panel's books are checked when it is dropped.

use panelite::domain::condition::ConditionKind;
use panelite::domain::delivery::Stage;
use panelite::domain::figures::Figures;
use panelite::domain::money::Money;
use panelite::domain::order::PublicStatus;
use panelite::domain::report::Report;
use panelite::domain::{OrderId, ProviderId, Timestamp};
use panelite::practice::{Mode, Practice, Says};
use panelite::store::{deliveries, figures};

use crate::fixture::panel::Panel;
use crate::fixture::table::rows;
use crate::fixture::upstream::{Upstream, report};

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

/// What a provider says of an order of 1000 at 2.50, and how that stands then.
const REPORTS: &str = "
    word        | remains | stands
    Pending     | 1000    | watch / Pending, – → 1000 left = 997.50
    Processing  | 1000    | watch / Processing, – → 1000 left = 997.50
    In progress | 400     | watch / In progress, – → 400 left = 997.50
    Completed   | 3       | last / Completed, – → 0 left = 997.50
    Partial     | 400     | last / Partial, – → 400 left = 998.50
    Partial     | 1000    | last / Canceled, – → 1000 left = 1000.00
    Partial     | 0       | watch partial / Pending, – → 1000 left = 997.50
    Partial     | 1001    | watch partial / Pending, – → 1000 left = 997.50
    Canceled    | 600     | last / Canceled, – → 600 left = 1000.00
    fail        | 1000    | watch word / Pending, – → 1000 left = 997.50
";

#[test]
fn each_report_leads_where_the_table_says_and_the_same_again_nowhere() {
    for row in rows(REPORTS) {
        let shop = Upstream::open();
        let order = shop.places(1000);
        let said = report(row[0], row[1].parse().unwrap());
        shop.says(order, said.clone());
        assert_eq!(shop.stands(order), row[2], "{row:?}");
        let before = shop.delivery(order).unwrap();
        shop.says(order, said);
        assert_eq!(shop.stands(order), row[2], "{row:?}");
        let after = shop.delivery(order).unwrap();
        assert_eq!((before.moved_at, before.hand), (after.moved_at, after.hand));
    }
}

#[test]
fn the_word_that_customers_see_follows_the_providers_also_backwards() {
    let shop = Upstream::open();
    let order = shop.places(1000);
    shop.says(order, Report { start_count: Some(70), ..report("In progress", 400) });
    assert_eq!(shop.stands(order), "watch / In progress, 70 → 400 left = 997.50");
    shop.says(order, Report { start_count: Some(90), ..report("Pending", 900) });
    assert_eq!(shop.stands(order), "watch / Pending, 90 → 900 left = 997.50");
}

#[test]
fn looks_come_less_often_until_something_moves() {
    let shop = Upstream::open();
    let order = shop.places(1000);
    let minutes = |said: Report| {
        let due = shop.delivery(order).unwrap().due_at;
        shop.panel.clock.advance(due.0 - shop.panel.clock.now().0);
        assert_eq!(shop.leases(), [(OrderId(order), format!("T{order}"))]);
        assert_eq!(shop.leases(), [], "nobody looks twice at once");
        shop.says(order, said);
        let seconds = shop.delivery(order).unwrap().due_at.0 - shop.panel.clock.now().0;
        (seconds + 30) / 60
    };
    assert_eq!(shop.delivery(order).unwrap().due_at.0, shop.panel.clock.now().0 + 30);
    let same = || report("Pending", 1000);
    let waits: Vec<i64> = (0..9).map(|_| minutes(same())).collect();
    let around = |wait: &i64, step: i64| (step * 4 / 5..=step * 6 / 5 + 1).contains(wait);
    for (wait, step) in waits.iter().zip([1, 2, 3, 5, 8, 13, 20, 20, 20]) {
        assert!(around(wait, step), "{waits:?}");
    }
    let moved = minutes(report("Pending", 999));
    assert!(around(&moved, 2), "{moved}");
    shop.minutes(8 * 24 * 60);
    shop.leases();
    shop.says(order, report("Pending", 999));
    let week = (shop.delivery(order).unwrap().due_at.0 - shop.panel.clock.now().0) / 60;
    assert!((48..=72).contains(&week), "{week}");
}

#[test]
fn a_hundred_orders_are_looked_at_together_and_recorded_as_one() {
    let shop = Upstream::open();
    let orders: Vec<i64> = (0..103).map(|_| shop.places(100)).collect();
    assert_eq!(shop.leases(), [], "not yet");
    shop.panel.clock.advance(20); // what falls due within a quarter of a minute goes along
    assert_eq!(shop.leases(), []);
    shop.panel.clock.advance(10);
    let first = shop.leases();
    assert_eq!((first.len(), shop.leases().len(), shop.leases().len()), (100, 3, 0));

    let answers = orders.iter().map(|order| {
        let word = if order % 2 == 0 { "Completed" } else { "Partial" };
        (OrderId(*order), Ok(report(word, 50)))
    });
    shop.hears(answers.collect());
    let ends = orders.iter().filter(|order| shop.stands(**order).contains("Completed")).count();
    assert_eq!((ends, shop.ann.balance()), (51, "980.75".to_owned())); // 51 × 0.25 + 52 × 0.125
    shop.minutes(1);
    assert_eq!(shop.leases(), [], "they are looked at once more, in a day");
}

#[test]
fn what_waits_for_a_person_goes_on_with_the_next_clear_word() {
    let shop = Upstream::open();
    let (one, two) = (shop.places(1000), shop.places(1000));
    shop.says(one, report("fail", 0));
    let told = shop.condition(ConditionKind::Hand);
    assert_eq!(told.unwrap(), "provider 1: 1 order at first needs a hand");
    shop.says(two, report("Partial", 0));
    let told = shop.condition(ConditionKind::Hand);
    assert_eq!(told.unwrap(), "provider 1: 2 orders at first need a hand");

    shop.denies(one, "Incorrect order ID");
    assert_eq!(shop.stands(one), "watch word / Pending, – → 1000 left = 995.00");
    shop.says(one, report("In progress", 10));
    assert_eq!(shop.stands(one), "watch / In progress, – → 10 left = 995.00");
    shop.panel.set(two, PublicStatus::Partial, None, Some(500));
    assert_eq!(shop.stands(two), "gone / Partial, – → 500 left = 996.25");
    assert_eq!(shop.condition(ConditionKind::Hand), None);
}

#[test]
fn an_order_that_nobody_knows_is_fresh_at_first_and_lost_after_a_day() {
    let shop = Upstream::open();
    let order = shop.places(1000);
    for _ in 0..4 {
        shop.denies(order, "Incorrect order ID");
        assert_eq!(shop.delivery(order).unwrap().tries, 0, "they may not know it yet");
        shop.minutes(2);
    }
    shop.minutes(2);
    shop.denies(order, "Incorrect order ID");
    assert_eq!(shop.delivery(order).unwrap().tries, 1);
    shop.minutes(24 * 60 - 11);
    shop.denies(order, "Incorrect order ID");
    assert_eq!(shop.stands(order), "watch / Pending, – → 1000 left = 997.50");
    shop.minutes(1);
    shop.denies(order, "Incorrect order ID");
    assert_eq!(shop.stands(order), "watch lost / Pending, – → 1000 left = 997.50");
    shop.says(order, report("Completed", 0));
    assert_eq!(shop.stands(order), "last / Completed, – → 0 left = 997.50");
    assert_eq!(shop.condition(ConditionKind::Hand), None);
}

#[test]
fn a_day_after_the_end_there_is_one_last_look_and_it_moves_nothing() {
    let shop = Upstream::open();
    let (agrees, differs, silent) = (shop.places(1000), shop.places(1000), shop.places(1000));
    for order in [agrees, differs, silent] {
        shop.says(order, report("Canceled", 1000));
    }
    shop.says(differs, report("Completed", 0));
    assert_eq!(shop.condition(ConditionKind::Contradicts), None, "overtaken, and no look");
    shop.minutes(24 * 60);
    assert_eq!(shop.leases().len(), 3);
    shop.says(agrees, report("Refunded", 1000));
    shop.says(differs, report("Completed", 0));
    shop.denies(silent, "Incorrect order ID");
    let told = shop.condition(ConditionKind::Contradicts).unwrap();
    let expected = "order 2: first now says \"Completed\", 0 remain; the order ended as Canceled";
    assert_eq!(told, expected);
    for order in [agrees, differs] {
        assert_eq!(shop.stands(order), "gone / Canceled, – → 1000 left = 1000.00");
    }
    for _ in 0..4 {
        assert_eq!(shop.delivery(silent).unwrap().stage, Stage::Last);
        shop.minutes(60);
        shop.denies(silent, "Incorrect order ID");
    }
    assert_eq!(shop.delivery(silent), None, "asked often enough");
}

#[test]
fn what_a_person_ends_is_not_watched_any_more() {
    let shop = Upstream::open();
    let (here, waiting) = (shop.places(1000), shop.ann.buys(1, 1000));
    shop.panel.set(here, PublicStatus::InProgress, Some(5), Some(900));
    assert_eq!(shop.stands(here), "watch / In progress, 5 → 900 left = 995.00");
    shop.panel.set(here, PublicStatus::Completed, None, None);
    shop.says(here, report("Canceled", 1000));
    assert_eq!(shop.stands(here), "gone / Completed, 5 → 0 left = 995.00");
    shop.panel.set(waiting, PublicStatus::InProgress, None, None);
    assert_eq!(shop.stands(waiting), "gone / In progress, – → 1000 left = 995.00");
}

/// What an order of 1000 has cost that was expected to cost 1.00.
const COSTS: &str = "
    word      | remains | charge | cost
    Completed | 0       | –      | 1.00
    Completed | 0       | 0.90   | 0.90
    Partial   | 500     | –      | 1.00
    Partial   | 500     | 0.50   | 0.50
    Canceled  | 1000    | –      | 0.00
    Canceled  | 1000    | 0.10   | 0.10
";

#[test]
fn what_orders_cost_is_counted_when_they_end() {
    let shop = Upstream::open();
    let figures = |shop: &Upstream| {
        let slots =
            shop.panel.store().point(|db| figures::list(db, Timestamp(0), Timestamp(i64::MAX)));
        slots.unwrap().iter().fold(Figures::default(), |sum, (_, slot)| sum.plus(slot))
    };
    for row in rows(COSTS) {
        let order = shop.places(1000);
        let charge = Money::parse(row[2]);
        let currency = Some("usd".to_owned());
        assert_eq!(shop.cost(order), None, "it runs");
        shop.says(order, Report { charge, currency, ..report(row[0], row[1].parse().unwrap()) });
        assert_eq!(shop.cost(order), Money::parse(row[3]), "{row:?}");
    }
    assert_eq!(figures(&shop).cost, money("3.50"));
    let (by_hand, elsewhere) = (shop.places(1000), shop.ann.buys(1, 1000));
    shop.panel.set(by_hand, PublicStatus::Completed, None, None);
    shop.panel.set(elsewhere, PublicStatus::Completed, None, None);
    assert_eq!(shop.cost(by_hand), Some(money("1.00")));
    assert_eq!(figures(&shop).cost, money("4.50"));
}

#[test]
fn too_high_a_charge_is_shown_and_another_currency_is_not_believed() {
    let shop = Upstream::open();
    let ends = |charge: &str, currency: &str| {
        let order = shop.places(1000);
        let (charge, currency) = (Money::parse(charge), Some(currency.to_owned()));
        shop.says(order, Report { charge, currency, ..report("Completed", 0) });
        shop.cost(order).unwrap()
    };
    assert_eq!(ends("1.20", "USD"), money("1.20"));
    assert_eq!(shop.condition(ConditionKind::Overcharged), None);
    assert_eq!(ends("1.21", "USD"), money("1.21"));
    let told = shop.condition(ConditionKind::Overcharged).unwrap();
    assert_eq!(told, "service 1: Order 2 cost 1.21 at first, 1.00 was expected");
    assert_eq!(ends("0.50", "EUR"), money("1.00"));
    let told = shop.condition(ConditionKind::Currency).unwrap();
    assert_eq!(told, "provider 1: first charges in EUR, not in USD as it was set up");
    assert_eq!(ends("1.00", "USD"), money("1.00"));
    assert_eq!(shop.condition(ConditionKind::Overcharged), None);
    assert_eq!(shop.condition(ConditionKind::Currency), None);
}

#[test]
fn how_long_a_service_takes_is_shown_in_minutes() {
    let shop = Upstream::open();
    let average = || {
        let list = shop.ann.form("key=KEY&action=services&extended=1").json();
        list[0]["average_time"].clone()
    };
    assert_eq!(average(), serde_json::Value::Null);
    for minutes in [90, 190] {
        let order = shop.places(1000);
        shop.minutes(minutes);
        shop.says(order, report("Completed", 0));
        if minutes == 90 {
            assert_eq!(average(), 90, "the hour has changed");
        }
    }
    assert_eq!(average(), 100);
}

// ------------------------------------------------------------------------------- over the wire

/// A panel that buys from a practice provider.
fn practicing() -> (Panel, Practice) {
    let panel = Panel::start();
    let practice = Practice::start(panel.clock.clone(), "127.0.0.1:0".parse().unwrap()).unwrap();
    panel.provider_of("practice", &practice, 5);
    panel.import(
        "id,category,name,type,rate,min,max,refill,cancel,provider,provider_service\n\
         1,C,Likes,Default,20,1,5000,1,1,practice,1\n",
    );
    (panel, practice)
}

#[test]
fn an_order_is_followed_to_its_end_and_looked_at_once_more() {
    let (panel, practice) = practicing();
    let ann = panel.reseller("ann", "1000");
    let order = ann.buys(1, 1000);
    panel.deliver();
    let status = || {
        panel.clock.advance(120);
        panel.deliver();
        let reply = ann.form(&format!("key=KEY&action=status&order={order}")).json();
        reply["status"].as_str().unwrap().to_owned()
    };
    let their_id = practice.orders()[0].id.clone();
    practice.set_status(&their_id, Says::status("In progress").remains(500));
    assert_eq!(status(), "In progress");
    practice.set_status(&their_id, Says::status("Partial").remains(250));
    assert_eq!(status(), "Partial");
    let looks = practice.calls("status");
    assert_eq!((status(), practice.calls("status")), ("Partial".to_owned(), looks));
    panel.clock.advance(24 * 3600);
    assert_eq!((status(), practice.calls("status")), ("Partial".to_owned(), looks + 1));
    panel.clock.advance(24 * 3600);
    assert_eq!((status(), practice.calls("status")), ("Partial".to_owned(), looks + 1));
}

#[test]
fn a_provider_that_cannot_answer_for_many_is_asked_one_by_one() {
    let (panel, practice) = practicing();
    let ann = panel.reseller("ann", "1000");
    for _ in 0..3 {
        ann.buys(1, 100);
    }
    panel.deliver();
    let provider = ProviderId(1);
    // It answers for the one order that it takes the list to be.
    let one = r#"{"charge":"0.01","start_count":"7","status":"In progress","remains":"50"}"#;
    practice.set_answer("status", Some(one.to_owned()));
    for strike in 1..=3 {
        assert!(!panel.delivery().asks_singly(provider), "{strike}");
        panel.clock.advance(1500);
        let asked = practice.calls("status");
        panel.deliver();
        assert_eq!(practice.calls("status"), asked + 2, "all, then one");
    }
    assert!(panel.delivery().asks_singly(provider));
    panel.clock.advance(1500);
    let asked = practice.calls("status");
    panel.deliver();
    assert_eq!(practice.calls("status"), asked + 3);
    let statuses = ann.form("key=KEY&action=status&orders=1,2,3").json();
    for order in ["1", "2", "3"] {
        assert_eq!(statuses[order]["status"], "In progress");
    }
}

#[test]
fn a_provider_that_does_not_answer_says_nothing_of_its_orders() {
    let (panel, practice) = practicing();
    let ann = panel.reseller("ann", "1000");
    let order = ann.buys(1, 100);
    panel.deliver();
    for mode in [Mode::Reset, Mode::Html, Mode::Empty] {
        practice.misbehave_at("status", mode);
        panel.clock.advance(600);
        panel.deliver();
        let found = panel.store().point(|db| deliveries::find(db, OrderId(order))).unwrap();
        assert_eq!(found.map(|it| (it.stage, it.tries, it.hand)), Some((Stage::Watch, 0, None)));
    }
    practice.behave();
    panel.clock.advance(600);
    panel.deliver();
    let status = ann.form(&format!("key=KEY&action=status&order={order}")).json();
    assert_eq!(status["status"], "Completed");
}
