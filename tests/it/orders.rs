//! Orders that come all at once.

use std::collections::HashSet;
use std::sync::Barrier;

use crate::panel::Panel;

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
