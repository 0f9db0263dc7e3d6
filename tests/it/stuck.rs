//! Nothing stands still for ever, and nothing is done over and over: what a fault, a restart or a
//! clock that was wrong leaves behind is found and ended.

use panelite::clock::instant;
use panelite::commands::conditions::SetCondition;
use panelite::commands::deciding::{DecideOrders, Decision};
use panelite::commands::parking::ParkRestored;
use panelite::commands::places::Unwell;
use panelite::commands::providers::{PauseProvider, ReplaceAccess};
use panelite::commands::replacing::{ReplaceWaiting, Replaced};
use panelite::commands::supply::SetSupply;
use panelite::domain::condition::ConditionKind;
use panelite::domain::delivery::{Delivery, State, Submission};
use panelite::domain::pricing::Rule;
use panelite::domain::{Actor, OrderId, ProviderId, ServiceId};
use panelite::practice::{Mode, Practice, Says};
use panelite::secret::Sealer;
use panelite::store::providers::Access;
use panelite::store::{deliveries, providers, submissions};
use rusqlite::Connection;

use crate::fixture::engine;
use crate::fixture::panel::{Panel, Reseller};
use crate::fixture::supply::offer;
use crate::fixture::upstream::{Upstream, report};

const CSV: &str = "id,category,name,type,rate,min,max,cancel,provider,provider_service\n";
const DAY: i64 = 86_400;

/// A panel that sells through a practice provider, and ann, who has money.
fn shop() -> (Panel, Practice, Reseller, ProviderId) {
    let panel = Panel::start();
    let address = "127.0.0.1:0".parse().unwrap();
    let practice = Practice::start(panel.clock.clone(), address).unwrap();
    let provider = panel.provider_of("practice", &practice, 2);
    panel.import(&format!("{CSV}1,C,Likes,Default,2.50,1,100000,1,practice,1\n"));
    let ann = panel.reseller("ann", "1000");
    (panel, practice, ann, provider)
}

fn attempts(panel: &Panel, order: i64) -> Vec<Submission> {
    panel.store().point(|db| submissions::list_of(db, OrderId(order))).unwrap()
}

fn delivery(panel: &Panel, order: i64) -> Delivery {
    panel.store().point(|db| deliveries::find(db, OrderId(order))).unwrap().unwrap()
}

/// Lets time pass in steps, with delivery at work.
fn pass(panel: &Panel, seconds: i64, step: i64) {
    for _ in 0..seconds / step {
        panel.deliver();
        panel.clock.advance(step);
    }
    panel.deliver();
}

fn about(provider: ProviderId) -> String {
    format!("provider {provider}")
}

#[test]
fn a_key_that_cannot_be_opened_is_told_once_and_nothing_is_claimed_for_it() {
    let (panel, practice, ann, provider) = shop();
    let zeros = engine::either("zeroblob(70)", "decode(repeat('00', 70), 'hex')");
    panel.sql(&format!("UPDATE providers SET key_sealed = {zeros}"));
    let order = ann.buys(1, 1000);
    pass(&panel, 3600, 60);
    assert_eq!(attempts(&panel, order), []);
    assert_eq!(practice.calls("add"), 0);
    assert!(panel.condition(ConditionKind::Key, &about(provider)).is_some());
}

#[test]
fn an_empty_balance_is_noticed_before_the_whole_queue_is_refused() {
    let (panel, practice, ann, _) = shop();
    panel.deliver();
    practice.set_balance("0.10");
    practice.misbehave_at("add", Mode::Funds);
    for _ in 0..20 {
        ann.buys(1, 1000);
    }
    panel.deliver();
    assert!(practice.calls("add") <= 2, "{} orders were sent", practice.calls("add"));
}

#[test]
fn what_the_operator_was_told_is_taken_back_also_after_a_restart() {
    let (panel, practice, ann, provider) = shop();
    panel.deliver();
    practice.go_down();
    ann.buys(1, 1000);
    pass(&panel, 1200, 10);
    assert!(panel.condition(ConditionKind::Failing, &about(provider)).is_some());
    let command = SetCondition {
        kind: ConditionKind::Epoch,
        subject: "panel".to_owned(),
        text: Some("The disk was full".to_owned()),
    };
    panel.store().write_blocking(command).unwrap();

    let panel = panel.restarted();
    assert_eq!(panel.condition(ConditionKind::Epoch, "panel"), None);
    practice.go_up().unwrap();
    pass(&panel, 1200, 10);
    assert_eq!(panel.condition(ConditionKind::Failing, &about(provider)), None);
}

#[test]
fn an_older_file_is_spoken_of_until_nothing_of_it_waits() {
    let (panel, _, ann, provider) = shop();
    panel.store().write_blocking(PauseProvider { actor: Actor::CommandLine, provider }).unwrap();
    let orders: Vec<i64> = (0..2).map(|_| ann.buys(1, 100)).collect();
    let restores = || {
        let sealer = Sealer::open(&engine::key_file(panel.db())).unwrap();
        let word = "another".to_owned();
        while panel
            .store()
            .write_blocking(ParkRestored { sealer: sealer.clone(), word: word.clone() })
            .unwrap()
            == panelite::commands::parking::Parked::Some
        {}
    };
    restores();
    let is_told = || panel.condition(ConditionKind::Restored, "panel").is_some();
    for order in orders {
        assert!(is_told());
        let (actor, orders) = (Actor::CommandLine, [OrderId(order)].into());
        let decision = Decision::Refund;
        panel.store().write_blocking(DecideOrders { actor, orders, decision }).unwrap();
    }
    assert!(!is_told());
    restores();
    assert!(!is_told(), "nothing waited");
}

#[test]
fn a_look_for_an_order_that_fails_is_not_made_for_ever() {
    let (panel, practice, ann, _) = shop();
    practice.accepts_own_ids(true);
    panel.deliver();
    practice.misbehave_next(1, Mode::Accepts500);
    practice.misbehave_at("orders", Mode::Status500);
    let order = ann.buys(1, 1000);
    pass(&panel, 12 * 3600, 60);
    assert!((2..=7).contains(&practice.calls("orders")), "{}", practice.calls("orders"));
    assert!(attempts(&panel, order)[0].evidence.contains("could not be looked for"));
}

#[test]
fn an_answer_that_cannot_be_written_waits_for_a_person() {
    let (panel, _practice, ann, _) = shop();
    let (broken, mended) = engine::either(
        (
            "CREATE TRIGGER broken BEFORE UPDATE OF provider_order_id ON orders
             BEGIN SELECT RAISE(ABORT, 'broken'); END",
            "DROP TRIGGER broken",
        ),
        (
            "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
             CREATE TRIGGER broken BEFORE UPDATE OF provider_order_id ON orders
               FOR EACH STATEMENT EXECUTE FUNCTION broken()",
            "DROP FUNCTION broken CASCADE",
        ),
    );
    panel.sql(broken);
    let order = ann.buys(1, 1000);
    panel.deliver();
    panel.sql(mended);
    let attempt = attempts(&panel, order).pop().unwrap();
    assert_eq!(attempt.state, State::Unknown);
    assert!(attempt.answer.starts_with("accepted, order "), "{}", attempt.answer);
}

#[test]
fn all_that_waits_at_a_paused_provider_is_looked_at_slice_by_slice() {
    let panel = Panel::start();
    let first = panel.provider("first", "http://127.0.0.1:9/api/v2", "key one");
    let second = panel.provider("second", "http://127.0.0.1:10/api/v2", "key two");
    panel.import(&format!(
        "{CSV}1,C,Likes,Default,2.50,1,5000,1,first,901\n2,C,Views,Default,2.50,1,5000,1,first,902\n"
    ));
    panel.lists(second, &[offer("902", "1.00")]);
    let command = SetSupply {
        actor: Actor::CommandLine,
        service: ServiceId(2),
        own: Some((first, "902".to_owned())),
        substitutes: vec![(second, "902".to_owned())],
        rule: Rule::default(),
        is_followed: false,
        allows_loss: false,
    };
    panel.store().write_blocking(command).unwrap();
    let (actor, provider) = (Actor::CommandLine, first);
    panel.store().write_blocking(PauseProvider { actor, provider }).unwrap();
    let ann = panel.reseller("ann", "10");
    let (stays, goes) = (ann.buys(1, 100), ann.buys(2, 100));
    panel.clock.advance(200);
    let waiting = |order| (delivery(&panel, order).due_at, OrderId(order));
    let slice = |after| {
        let command = ReplaceWaiting { provider, unwell: Unwell::new(), after };
        panel.store().write_blocking(command).unwrap()
    };
    let none = Replaced { moved: 0, last: None };
    assert_eq!(slice(Some(waiting(goes))), none, "nothing is behind the last");
    assert_eq!(slice(Some(waiting(stays))), Replaced { moved: 1, last: None });
    assert_eq!(delivery(&panel, goes).provider, second);
    assert_eq!(slice(None), none);
}

#[test]
fn a_file_from_a_clock_that_was_ahead_goes_on_at_once() {
    let (panel, practice, ann, provider) = shop();
    panel.clock.advance(400 * DAY);
    panel.deliver();
    let there = ann.buys(1, 1000);
    let ended = ann.buys(1, 1000);
    panel.deliver();
    let their_id = practice.orders()[1].id.clone();
    practice.set_status(&their_id, Says::status("Completed"));
    pass(&panel, 120, 30);
    panel.clock.advance(-400 * DAY);

    let panel = panel.restarted();
    let now = panel.clock.now();
    for order in [there, ended] {
        assert!(delivery(&panel, order).due_at <= now, "order {order}");
    }
    let found = panel.store().point(|db| providers::get(db, provider)).unwrap();
    assert!(found.sync_due_at <= now && found.balance_at.is_none_or(|at| at <= now));
    panel.deliver();
    let left = panel.store().point(|db| deliveries::find(db, OrderId(ended))).unwrap();
    assert_eq!(left, None, "the last look is over");
    assert!(practice.calls("status") > 0);
}

#[test]
fn a_refill_that_is_asked_for_keeps_the_account_as_an_open_order_does() {
    let shop = Upstream::open();
    let order = shop.places(1000);
    shop.says(order, report("Completed", 0));
    shop.ann.form(&format!("key=KEY&action=refill&order={order}"));
    shop.minutes(24 * 60 + 1);
    shop.leases();
    shop.says(order, report("Completed", 0));
    assert_eq!(shop.delivery(order), None);
    let replaces = |same_account| {
        let access = Access {
            url: "https://example.com/".to_owned(),
            account_mac: vec![7; 32],
            key_sealed: vec![7; 60],
        };
        let (actor, provider) = (Actor::CommandLine, shop.provider);
        let command = ReplaceAccess { actor, provider, access, same_account };
        shop.panel.store().write_blocking(command)
    };
    assert!(replaces(false).is_err(), "another account would speak of another refill");
    assert!(replaces(true).is_ok());
}

#[test]
fn a_provider_with_nothing_to_do_costs_no_writes() {
    let (panel, _practice, _ann, _) = shop();
    panel.deliver();
    panel.clock.advance(60);
    panel.deliver();
    // A connection that stays open is told of others' writes by one, whoever takes the seat by the
    // other.
    let conn = (!engine::is_server()).then(|| Connection::open(panel.db()).unwrap());
    let version = || -> i64 {
        match &conn {
            Some(conn) => conn.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap(),
            None => engine::number(panel.db(), "SELECT turn FROM seat"),
        }
    };
    let (before, begun) = (version(), instant());
    pass(&panel, 500, 10);
    // A node shows every ten seconds that it is alive, whatever the panel's own clock says.
    let signs = engine::either(0, 1 + begun.elapsed().as_secs() / 10);
    assert!(version().abs_diff(before) <= signs);
}
