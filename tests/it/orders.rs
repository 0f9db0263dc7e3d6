//! Orders that come all at once, and while another process changes who may buy at what price.

use std::collections::HashSet;
use std::sync::Barrier;

use panelite::domain::setting::Setting;
use panelite::store::keys;

use crate::fixture::panel::{Panel, Reseller};

const CUSTOMERS: usize = 200;
const AFFORDABLE: usize = 73;

#[test]
fn parallel_orders_spend_what_is_there_and_no_more() {
    let panel = Panel::start();
    panel.services(&["1,C,Service,Default,2.50,50,3000,0,0,1"]);
    // 73 × 2.50, and not quite enough for one more.
    let ann = panel.reseller("ann", "184.99");
    let start = Barrier::new(CUSTOMERS);

    let replies: Vec<_> = std::thread::scope(|scope| {
        let order = |number: usize| {
            let (ann, start) = (&ann, &start);
            scope.spawn(move || {
                let body = format!(
                    r#"{{"key":"KEY","action":"add","service":1,"link":"{number}","quantity":1000}}"#
                );
                start.wait();
                ann.v2(&body)
            })
        };
        let threads: Vec<_> = (0..CUSTOMERS).map(order).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    let mut ids = HashSet::new();
    for reply in &replies {
        match reply.status {
            200 => assert!(ids.insert(reply.json()["order"].as_str().unwrap().to_owned())),
            402 => assert_eq!(reply.text(), r#"{"error":"Not enough funds on balance"}"#),
            other => panic!("{other}: {}", reply.text()),
        }
    }
    assert_eq!((replies.len(), ids.len()), (CUSTOMERS, AFFORDABLE));
    assert_eq!(ann.balance(), "2.49");
}

#[test]
fn parallel_repeats_of_one_request_buy_once() {
    let panel = Panel::start();
    panel.services(&["1,C,Service,Default,2.50,50,3000,0,0,1"]);
    let ann = panel.reseller("ann", "100");
    let start = Barrier::new(20);
    let body =
        r#"{"key":"KEY","action":"add","service":1,"link":"x","quantity":1000,"request_id":"r"}"#;

    let replies: HashSet<_> = std::thread::scope(|scope| {
        let repeat = |_| {
            scope.spawn(|| {
                start.wait();
                ann.v2(body).text().to_owned()
            })
        };
        let threads: Vec<_> = (0..20).map(repeat).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    assert_eq!(replies, HashSet::from([r#"{"order":"1","currency":"USD"}"#.to_owned()]));
    assert_eq!(ann.balance(), "97.50");
}

#[test]
fn what_another_process_changes_counts_for_the_next_order() {
    let panel = Panel::start();
    panel.services(&["1,All,Plain,Default,1,10,1000,0,0,1"]);
    let ann = panel.reseller("ann", "10");
    let done = |args: &[&str]| assert!(panel.cli(args).status.success(), "{args:?}");
    let refused = |status: u16, code: &str| {
        let add = r#"{"key":"KEY","action":"add","service":1,"link":"x","quantity":1000}"#;
        let reply = ann.v2(add);
        assert_eq!((reply.status, reply.header("x-error-code")), (status, Some(code)));
    };
    let spent = |left: &str| {
        ann.buys(1, 1000);
        assert_eq!(ann.balance(), left);
    };
    spent("9.00");
    done(&["user", "set", "ann", "--discount=50"]);
    spent("8.50");
    done(&["user", "rate", "ann", "1", "2"]);
    spent("6.50");
    done(&["user", "set", "ann", "--suspend"]);
    refused(403, "suspended");
    done(&["user", "set", "ann", "--resume"]);
    spent("4.50");
    done(&["key", "revoke", "1"]);
    refused(401, "invalid_key");
    let bob = Reseller { key: panel.new_key(ann.user), ..ann.clone() };
    bob.buys(1, 1000);
    assert_eq!(bob.balance(), "2.50");
}

#[test]
fn open_orders_stand_in_the_way_as_their_service_says_now() {
    let panel = Panel::start();
    let ann = panel.reseller("ann", "10");
    let plain =
        |id: i64, denies: i64| format!("{id},All,Plain {id},Default,1,10,1000,0,0,1,,,,{denies}");
    let import = |first: i64, second: i64| panel.services(&[&plain(1, first), &plain(2, second)]);
    let is_refused = |service: i64| {
        let fields = "key=KEY&action=add&link=https://example.com/p&quantity=10";
        let reply = ann.form(&format!("{fields}&service={service}"));
        reply.header("x-error-code") == Some("duplicate_order")
    };
    import(0, 0);
    assert_eq!((ann.buys(1, 10), ann.buys(2, 10)), (1, 2));
    import(1, 0);
    assert_eq!((is_refused(1), is_refused(2)), (true, false));
    import(0, 1);
    assert_eq!((is_refused(1), is_refused(2)), (false, true));
}

#[test]
fn an_order_counts_once_though_its_caller_is_looked_up_again() {
    let panel = Panel::start();
    panel.services(&["1,All,Plain,Default,1,10,1000,0,0,1"]);
    let ann = panel.reseller("ann", "10");
    panel.setting(Setting::KeyRate, "1");
    panel.setting(Setting::KeyBurst, "2");
    let panel = panel.restarted();
    let ann = Reseller { address: panel.address, ..ann };
    ann.buys(1, 1000);
    assert!(panel.cli(&["user", "rate", "ann", "1", "2"]).status.success());
    ann.buys(1, 1000);
}

#[test]
fn a_key_is_in_use_though_its_order_is_refused() {
    let panel = Panel::start();
    panel.services(&["1,All,Plain,Default,1,10,1000,0,0,1"]);
    let ann = panel.reseller("ann", "10");
    let last_used_at = || {
        panel.setting(Setting::Name, "whatever waits for the writer is written before this");
        let keys = panel.store().page(|db| keys::list(db, ann.user)).unwrap();
        keys[0].last_used_at.unwrap()
    };
    ann.buys(1, 1000);
    let before = last_used_at();
    ann.buys(1, 1000); // looked up after the change of a setting, and remembered
    panel.clock.advance(3600);
    let refused = ann.form("key=KEY&action=add&service=1&link=x&quantity=1");
    assert_eq!(refused.header("x-error-code"), Some("quantity_below"));
    assert_eq!(last_used_at().0, before.0 + 3600);
}
