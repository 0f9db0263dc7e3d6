//! The seed's requests and responses, byte for byte. The wire is the contract.

use panelite::domain::order::PublicStatus;

use crate::fixture::panel::{Panel, Reseller};

/// A shop as the seed shows it, with a customer who owns 102.50.
fn shop() -> (Panel, Reseller) {
    let panel = Panel::start();
    panel.services(&[
        "1,Category,Service Name,Default,2.50,50,3000,0,0,1",
        "2,Category,Refillable,Default,3.00,50,3000,0,1,0",
    ]);
    let reseller = panel.reseller("seed", "102.50");
    (panel, reseller)
}

fn add(reseller: &Reseller) {
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "add",
    "service": 1,
    "link": "https://example.com",
    "quantity": 1000
}"#);
    assert_eq!(reply.text(), r#"{"order":"1","currency":"USD"}"#);
}

#[test]
fn get_services() {
    let panel = Panel::start();
    panel.services(&["1,Category,Service Name,Default,2.50,50,3000,0,0,1"]);
    let reseller = panel.reseller("seed", "0");
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "services"
}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.text(),
        r#"[{"service":1,"name":"Service Name","category":"Category","type":"Default","rate":2.50,"min":50,"max":3000,"dripfeed":false,"refill":false,"cancel":true}]"#
    );
}

#[test]
fn create_order() {
    let (_panel, reseller) = shop();
    add(&reseller);
    assert_eq!(reseller.balance(), "100.00");
}

#[test]
fn check_order_status() {
    let (_panel, reseller) = shop();
    add(&reseller);
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "status",
    "order": "1"
}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.text(),
        r#"{"charge":2.50,"start_count":0,"status":"Pending","remains":1000,"currency":"USD"}"#
    );
}

#[test]
fn check_multiple_orders_status() {
    let (panel, reseller) = shop();
    add(&reseller);
    let second = reseller.buys(2, 1000);
    panel.set(1, PublicStatus::Completed, Some(0), None);
    panel.set(second, PublicStatus::InProgress, Some(100), Some(500));
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "multiStatus",
    "orders": "1,2,3"
}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.text(),
        concat!(
            r#"{"1":{"charge":2.50,"start_count":0,"status":"Completed","remains":0,"currency":"USD"},"#,
            r#""2":{"charge":3.00,"start_count":100,"status":"In progress","remains":500,"currency":"USD"},"#,
            r#""3":{"error":"Incorrect order ID"}}"#
        )
    );
}

#[test]
fn cancel_order() {
    let (_panel, reseller) = shop();
    add(&reseller);
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "cancel",
    "order": "1"
}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), r#"{"success":true,"refunded":2.50}"#);
    assert_eq!(reseller.balance(), "102.50");
}

#[test]
fn create_refill_and_check_its_status() {
    let (panel, reseller) = shop();
    let order = reseller.buys(2, 1000);
    panel.set(order, PublicStatus::Completed, None, None);
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "refill",
    "order": "1"
}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), r#"{"refill":"refill_1"}"#);
    panel.cli(&["refill", "set", "1", "--status", "Completed"]);
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "refillStatus",
    "refill": "refill_1"
}"#);
    assert_eq!(reply.text(), r#"{"status":"Completed"}"#);
}

#[test]
fn check_balance() {
    let (_panel, reseller) = shop();
    add(&reseller);
    let reply = reseller.v2(r#"{
    "key": "KEY",
    "action": "balance"
}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), r#"{"balance":"100.00","currency":"USD"}"#);
}

#[test]
fn status_codes() {
    let (panel, reseller) = shop();
    let shown = |order: i64| {
        let reply = reseller.v2(&format!(r#"{{"key":"KEY","action":"status","order":"{order}"}}"#));
        reply.json()["status"].as_str().unwrap().to_owned()
    };
    for status in PublicStatus::ALL.iter().skip(1) {
        let order = reseller.buys(1, 100);
        assert_eq!(shown(order), "Pending");
        panel.set(order, *status, None, Some(50));
        assert_eq!(shown(order), status.label());
    }
}

#[test]
fn error_responses() {
    let (_panel, reseller) = shop();
    let reply = reseller.v2(r#"{"key":"wrong","action":"balance"}"#);
    assert_eq!((reply.status, reply.text()), (401, r#"{"error":"Invalid API key"}"#));
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
}
