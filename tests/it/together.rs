//! Requests that arrive together: one request id buys once, one order is refunded once.

use std::collections::HashSet;
use std::sync::Barrier;

use crate::fixture::http::{self, Reply};
use crate::fixture::panel::{Panel, Reseller};

/// Sends the bodies all at once, each on a connection of its own.
fn at_once(count: usize, send: impl Fn(usize) -> Reply + Sync) -> Vec<Reply> {
    let (barrier, send) = (Barrier::new(count), &send);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    send(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn shop() -> (Panel, Reseller) {
    let panel = Panel::start();
    panel.services(&[
        "1,All,Plain,Default,1,10,1000,0,0,1",
        "2,All,Comments,Custom Comments,1,1,1000,0,0,1",
        "3,All,Refills,Default,1,10,1000,0,1,1",
    ]);
    let ann = panel.reseller("ann", "10");
    (panel, ann)
}

#[test]
fn one_request_id_buys_one_order() {
    let (_panel, ann) = shop();
    let replies = at_once(60, |number| {
        match number % 3 {
        0 => ann.v2(
            r#"{"key":"KEY","action":"add","service":1,"link":"x","quantity":1000,"request_id":"r"}"#,
        ),
        1 => ann.form("quantity=1000&link=+x+&service=1&idempotency_key=r&action=add&key=KEY"),
        _ => {
            let body = format!("key={}&action=add&service_id=1&link=x&quantity=1000", ann.key);
            let headers = [("Idempotency-Key", "r")];
            http::send(ann.address, "POST", "/api/v2", &headers, body.as_bytes())
        }
    }
    });
    for reply in replies {
        let order = reply.json()["order"].clone();
        assert!(order == 1 || order == "1", "{}", reply.text());
    }
    assert_eq!(ann.balance(), "9.00");
}

#[test]
fn a_request_id_is_one_request() {
    let (panel, ann) = shop();
    let add = |fields: &str| ann.form(&format!("key=KEY&action=add&request_id=r&{fields}"));
    let first = add("service=2&link=x&comments=a%0D%0Ab&custom_id=c");
    assert_eq!(first.text(), r#"{"order":1}"#);
    for same in ["a%0Ab", "+a+%0D%0A%0D%0Ab%0D%0A", "a%0A%0A%0Ab"] {
        let again = add(&format!("service=2&link=x&comments={same}&custom_id=c"));
        assert_eq!(again.text(), r#"{"order":1}"#, "{same}");
    }
    for other in [
        "service=2&link=y&comments=a%0Ab&custom_id=c",
        "service=2&link=x&comments=a%0Ac&custom_id=c",
        "service=2&link=x&comments=a%0Ab&custom_id=d",
        "service=2&link=x&comments=a%0Ab",
        "service=1&link=x&quantity=10",
    ] {
        assert_eq!(add(other).header("x-error-code"), Some("request_conflict"), "{other}");
    }
    // It is each user's own, and whatever changes later, it answers the same.
    let bob = panel.reseller("bob", "10");
    assert_eq!(
        bob.form("key=KEY&action=add&request_id=r&service=1&link=x&quantity=10").json()["order"],
        2
    );
    panel.cli(&["user", "adjust", "ann", "-9", "--note", "gone"]);
    panel.services(&["2,All,Comments,Custom Comments,900,500,1000,0,0,1"]);
    assert_eq!(add("service=2&link=x&comments=a%0Ab&custom_id=c").text(), r#"{"order":1}"#);
    // A request that was refused has used nothing up.
    let later = |id: &str| {
        bob.form(&format!("key=KEY&action=add&request_id=s&service={id}&link=x&quantity=10"))
    };
    assert_eq!(later("99").header("x-error-code"), Some("service_not_found"));
    assert_eq!(later("1").json()["order"], 3);
}

#[test]
fn a_request_id_in_a_header_is_read_or_refused() {
    let (_panel, ann) = shop();
    let body = format!("key={}&action=add&service=1&link=x&quantity=10", ann.key);
    let add = |id: &[u8]| {
        let (host, length) = (ann.address, body.len());
        let head = format!("POST /api/v2 HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n");
        let id = [b"Connection: close\r\nIdempotency-Key: ", id].concat();
        let whole = [head.as_bytes(), &id, b"\r\n\r\n", body.as_bytes()].concat();
        http::raw(ann.address, &whole).unwrap()
    };
    let first = add("Ωmega-1".as_bytes());
    assert_eq!(first.text(), r#"{"order":1}"#);
    assert_eq!(add("Ωmega-1".as_bytes()).text(), first.text());
    for broken in [&b"caf\xe9-1"[..], b"\xa0", b"id\x80", b"a b"] {
        let refused = add(broken);
        assert_eq!(refused.header("x-error-code"), Some("bad_request"), "{broken:?}");
    }
    // What says nothing is no id.
    assert_eq!(add(b"").text(), r#"{"order":2}"#);
    assert_eq!(add(b"null").text(), r#"{"order":3}"#);
    assert_eq!(ann.balance(), "9.97");
}

#[test]
fn one_order_is_refunded_once() {
    let (_panel, ann) = shop();
    ann.buys(1, 1000);
    assert_eq!(ann.balance(), "9.00");
    let replies = at_once(40, |_| ann.v2(r#"{"key":"KEY","action":"cancel","order":1}"#));
    let refunds = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(refunds, 1);
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 422)));
    assert_eq!(ann.balance(), "10.00");
}

#[test]
fn one_order_has_one_open_refill() {
    let (panel, ann) = shop();
    ann.buys(3, 100);
    panel.set(1, panelite::domain::order::PublicStatus::Completed, None, None);
    let replies = at_once(20, |_| ann.form("key=KEY&action=refill&order=1"));
    let granted: HashSet<_> = replies
        .iter()
        .filter_map(|reply| reply.json()["refill"].as_str().map(str::to_owned))
        .collect();
    let refused = replies.iter().filter(|reply| reply.json()["error"].is_string()).count();
    assert_eq!((granted.len(), refused), (1, 19));
}
