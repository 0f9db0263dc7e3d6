//! Every action in single and multi form, in both dialects, by every way in.

use panelite::domain::order::PublicStatus;
use panelite::domain::setting::Setting;

use crate::fixture::panel::{EPOCH, Panel, Reseller, stderr};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A shop with a service of most sorts and a customer who owns 100.00.
pub(crate) fn shop() -> (Panel, Reseller) {
    let panel = Panel::start();
    panel.services(&[
        "1,Likes,Cancelable,Default,2.50,10,5000,0,0,1",
        "2,Likes,Refillable,Default,0.90,10,5000,0,1,0,,,,0,30",
        "3,Likes,Once per link,Default,1,10,5000,0,0,1,,,,1",
        "4,Views,Dripped,Default,1,10,5000,1,0,1",
        "5,Views,Package,Package,3.50,1,1,0,0,1",
        "6,Views,Comments,Custom Comments,20,1,1000,0,0,1",
        "7,Views,Subscription,Subscriptions,5,10,1000,0,0,1",
        "8,Views,Poll,Poll,1,10,1000,0,0,0",
    ]);
    let reseller = panel.reseller("ann", "100.00");
    (panel, reseller)
}

pub(crate) fn json(reseller: &Reseller, body: &str) -> String {
    reseller.v2(body).text().to_owned()
}

#[test]
fn every_way_in_says_the_same() {
    let (panel, ann) = shop();
    let key = &ann.key;
    let bearer = format!("bearer {key}");
    let multipart = format!(
        "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n{key}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nbalance\r\n--B--\r\n"
    );
    let query = format!("/api/v2?key={key}&action=balance");
    let boundary = ("content-type", "Multipart/Form-Data; boundary=B");
    let named = format!("key={key}&action=BALANCE");
    let body = format!(r#"{{"key":"{key}","action":"balance"}}"#);
    let keyless = r#"{"action":"balance"}"#;
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let ways: [(&str, &str, Headers<'_>, &str); 16] = [
        ("POST", "/api/v2", &[JSON], &body),
        ("POST", "/api/v2/", &[JSON], &body),
        ("POST", "/api/v2", &[], &body),
        ("POST", "/api/v2", &[FORM], &body),
        ("POST", "/api/v2", &[JSON], &format!("\u{feff} \r\n{body}")),
        ("POST", "/api/v2", &[FORM], &named),
        ("POST", "/api/v2", &[], &named),
        ("POST", "/api/v2", &[JSON], &named),
        ("POST", "/api/v2", &[boundary], &multipart),
        ("POST", &query, &[], ""),
        ("GET", &query, &[], ""),
        ("POST", "/api/v2?action=wrong", &[FORM], &named),
        ("POST", "/api/v2", &[JSON, ("X-Api-Key", key)], keyless),
        ("POST", "/api/v2", &[JSON, ("Authorization", &bearer)], keyless),
        ("POST", "/api/v2", &[JSON, ("Origin", "https://evil.example"), ("Cookie", "a=b")], &body),
        ("POST", "/api/v2", &[JSON, ("Content-Encoding", "identity")], &body),
    ];
    for (method, path, headers, body) in ways {
        let reply = panel.send(method, path, headers, body);
        let answer = (reply.status, reply.text());
        let expected = (200, r#"{"balance":"100.00","currency":"USD"}"#);
        assert_eq!(answer, expected, "{method} {path} {headers:?} {body}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert!(reply.header("access-control-allow-origin").is_none());
        assert!(reply.header("x-request-id").is_some());
    }
}

#[test]
fn add_and_status_speak_both_dialects() {
    let (_panel, ann) = shop();
    let first = json(
        &ann,
        r#"{"key":"KEY","action":"add","service":"1","link":" x.com/a ","quantity":"1000"}"#,
    );
    assert_eq!(first, r#"{"order":"1","currency":"USD"}"#);
    let second = ann.form("key=KEY&action=add&service_id=2&link=x.com%2Fa&quantity=100");
    assert_eq!((second.status, second.text()), (200, r#"{"order":2}"#));
    assert_eq!(ann.balance(), "97.41");

    assert_eq!(
        json(&ann, r#"{"key":"KEY","action":"status","order":2}"#),
        r#"{"charge":0.09,"start_count":0,"status":"Pending","remains":100,"currency":"USD"}"#
    );
    assert_eq!(
        ann.form("key=KEY&action=status&order=2").text(),
        r#"{"charge":"0.09","start_count":"0","status":"Pending","remains":"100","currency":"USD"}"#
    );
}

#[test]
fn several_orders_are_asked_for_in_many_shapes() {
    let (_panel, ann) = shop();
    ann.buys(1, 100);
    ann.buys(1, 200);
    let status = |id: &str, charge: &str, remains: &str| {
        format!(
            r#""{id}":{{"charge":"{charge}","start_count":"0","status":"Pending","remains":"{remains}","currency":"USD"}}"#
        )
    };
    let (one, two) = (status("1", "0.25", "100"), status("2", "0.50", "200"));
    let unknown = r#""x":{"error":"Incorrect order ID"}"#;
    let all = format!("{{{one},{two},{unknown}}}");
    for orders in [
        "orders=1,2,x",
        "orders=1,,2,%202,x,",
        "orders[]=1&orders[]=2&orders[]=x",
        "orders%5B0%5D=1&orders%5B1%5D=2&orders%5B2%5D=x",
        "order=1,2,x",
        "order=7&orders=1,2,x",
    ] {
        let reply = ann.form(&format!("key=KEY&action=status&{orders}"));
        assert_eq!((reply.status, reply.text()), (200, all.as_str()), "{orders}");
    }
    for action in ["multiStatus", "multi_status", "statuses", "status", "MULTISTATUS"] {
        let reply = ann.form(&format!("key=KEY&action={action}&orders=1"));
        assert_eq!(reply.text(), format!("{{{one}}}"), "{action}");
    }
    for orders in [r#""1,2""#, r#"["1","2"]"#, "[1,2,null]", r#"[1," 2 ",2]"#] {
        let body = format!(r#"{{"key":"KEY","action":"status","orders":{orders}}}"#);
        assert_eq!(ann.v2(&body).json().as_object().unwrap().len(), 2, "{orders}");
    }
}

#[test]
fn a_list_is_at_most_a_thousand() {
    let (_panel, ann) = shop();
    let list = |count: usize| {
        let ids: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
        ann.form(&format!("key=KEY&action=status&orders={}", ids.join(",")))
    };
    assert_eq!(list(1000).json().as_object().unwrap().len(), 1000);
    let text = r#"{"error":"Incorrect request: orders is not valid"}"#;
    assert_eq!(list(1001).text(), text);
}

#[test]
fn services_show_the_callers_own_prices() {
    let (panel, ann) = shop();
    let rates = |query: &str| {
        let reply = ann.form(&format!("key=KEY&action=services{query}"));
        let list = reply.json();
        let rates = list.as_array().unwrap().iter().map(|line| line["rate"].clone());
        rates.map(|rate| rate.as_str().unwrap().to_owned()).take(3).collect::<Vec<_>>()
    };
    assert_eq!(rates(""), ["2.50", "0.90", "1.00"]);
    assert!(panel.cli(&["user", "set", "ann", "--discount", "12.5"]).status.success());
    assert_eq!(rates(""), ["2.1875", "0.7875", "0.875"]);
    assert!(panel.cli(&["user", "rate", "ann", "2", "0.123456"]).status.success());
    assert_eq!(rates(""), ["2.1875", "0.123456", "0.875"]);
    assert_eq!(rates("&extended=1"), ["2.1875", "0.123456", "0.875"]);
    ann.buys(2, 100);
    assert_eq!(ann.balance(), "99.987654"); // ⌈0.0123456⌉ at six decimals
    assert!(panel.cli(&["user", "rate", "ann", "2", "default"]).status.success());
    assert_eq!(rates(""), ["2.1875", "0.7875", "0.875"]);

    let lines = ann.form("key=KEY&action=services").json();
    let keys: Vec<String> = lines[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 10);
    let extended = ann.form("key=KEY&action=services&extended=1").json();
    assert_eq!(extended[1]["refill_days"], 30);
    assert_eq!(extended[0].as_object().unwrap().len(), 13);
    assert_eq!(extended[0]["min"], "10");
    let json = ann.v2(r#"{"key":"KEY","action":"services"}"#).json();
    assert_eq!(json[0]["min"], 10);
}

#[test]
fn a_service_off_sale_is_gone() {
    let (panel, ann) = shop();
    panel.services(&["9,Old,Gone,Default,1,1,10,0,0,0"]);
    let csv = panel.db().with_file_name("off.csv");
    let line = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description,enabled\n9,Old,Gone,Default,1,1,10,0,0,0,,,,0\n";
    std::fs::write(&csv, line).unwrap();
    let import = panel.cli(&["service", "import", csv.to_str().unwrap()]);
    assert!(import.status.success(), "{}", stderr(&import));
    let list = ann.form("key=KEY&action=services").json();
    assert_eq!(list.as_array().unwrap().len(), 8);
    let gone = ann.v2(r#"{"key":"KEY","action":"add","service":9,"link":"x","quantity":5}"#);
    let never = ann.v2(r#"{"key":"KEY","action":"add","service":99,"link":"x","quantity":5}"#);
    assert_eq!((gone.status, &gone.body), (404, &never.body));
}

#[test]
fn cancel_in_every_form() {
    let (panel, ann) = shop();
    for _ in 0..4 {
        ann.buys(1, 1000);
    }
    ann.buys(2, 100); // 5: cannot be canceled
    panel.set(2, PublicStatus::InProgress, None, None);
    panel.set(3, PublicStatus::Completed, None, None);
    assert_eq!(ann.balance(), "89.91");

    let text = r#"{"success":true,"status":"success","cancel":1,"order":1,"refunded":"2.50"}"#;
    assert_eq!(ann.form("key=KEY&action=cancel&order=1").text(), text);
    assert_eq!(ann.balance(), "92.41");
    // Somebody works on it: the request is kept, asking again changes nothing.
    for _ in 0..2 {
        let reply = json(&ann, r#"{"key":"KEY","action":"cancel","order":"2"}"#);
        assert_eq!(reply, r#"{"success":true,"refunded":0.00}"#);
    }
    assert_eq!(ann.balance(), "92.41");
    panel.set(2, PublicStatus::Canceled, None, None);
    assert_eq!(ann.balance(), "94.91");

    let reply = ann.v2(r#"{"key":"KEY","action":"cancel","order":3}"#);
    let text = r#"{"error":"Order is already completed"}"#;
    assert_eq!((reply.status, reply.text()), (422, text));
    assert_eq!(reply.header("x-error-code"), Some("not_cancelable"));
    assert_eq!(
        ann.form("key=KEY&action=cancel&orders=1,3,4,5,99,x").text(),
        concat!(
            r#"[{"order":1,"cancel":{"error":"Order is already canceled"}},"#,
            r#"{"order":3,"cancel":{"error":"Order is already completed"}},"#,
            r#"{"order":4,"cancel":1},"#,
            r#"{"order":5,"cancel":{"error":"Service does not allow cancel"}},"#,
            r#"{"order":99,"cancel":{"error":"Incorrect order ID"}},"#,
            r#"{"order":"x","cancel":{"error":"Incorrect order ID"}}]"#
        )
    );
    assert_eq!(ann.balance(), "97.41");
}

#[test]
fn refills_in_every_form() {
    let (panel, ann) = shop();
    for _ in 0..3 {
        ann.buys(2, 100);
    }
    ann.buys(1, 100); // 4: no refill
    for order in [1, 2] {
        panel.set(order, PublicStatus::Completed, None, None);
    }
    panel.set(4, PublicStatus::Completed, None, None);
    assert_eq!(ann.form("key=KEY&action=refill&order=1").text(), r#"{"refill":"1"}"#);
    assert_eq!(
        json(&ann, r#"{"key":"KEY","action":"refill","orders":[1,2,3,4,9]}"#),
        concat!(
            r#"[{"order":1,"refill":{"error":"Order has a refill in progress"}},"#,
            r#"{"order":2,"refill":2},"#,
            r#"{"order":3,"refill":{"error":"Order is not completed"}},"#,
            r#"{"order":4,"refill":{"error":"Service does not allow refill"}},"#,
            r#"{"order":9,"refill":{"error":"Incorrect order ID"}}]"#
        )
    );
    for body in [
        "key=KEY&action=refillStatus&refill=2",
        "key=KEY&action=refill_status&refill=refill_2",
        "key=KEY&refill=2",
    ] {
        assert_eq!(ann.form(body).text(), r#"{"status":"Pending"}"#, "{body}");
    }
    assert!(panel.cli(&["refill", "set", "1", "--status", "rejected"]).status.success());
    assert_eq!(
        ann.form("key=KEY&action=refillStatus&refills=1,refill_2,3,x").text(),
        concat!(
            r#"[{"refill":1,"status":"Rejected"},{"refill":2,"status":"Pending"},"#,
            r#"{"refill":3,"status":{"error":"Refill not found"}},"#,
            r#"{"refill":"x","status":{"error":"Refill not found"}}]"#
        )
    );
    // A final refill makes room for the next one, inside the window.
    panel.clock.advance(30 * 86_400);
    assert_eq!(
        json(&ann, r#"{"key":"KEY","action":"refill","order":1}"#),
        r#"{"refill":"refill_3"}"#
    );
    panel.cli(&["refill", "set", "3", "--status", "In_Progress"]);
    panel.cli(&["refill", "set", "3", "--status", "completed"]);
    let again = panel.cli(&["refill", "set", "3", "--status", "error"]);
    assert_eq!(
        (again.status.code(), stderr(&again).as_str()),
        (Some(1), "panelite: Refill has ended already\n")
    );
    panel.clock.advance(1);
    let late = ann.v2(r#"{"key":"KEY","action":"refill","order":1}"#);
    let text = r#"{"error":"Refill was possible for 30 days after completion"}"#;
    assert_eq!((late.status, late.text()), (422, text));
    assert_eq!(late.header("x-error-code"), Some("not_refillable"));
}

#[test]
fn orders_lists_newest_first() {
    let (panel, ann) = shop();
    for quantity in [100, 200, 300] {
        ann.buys(1, quantity);
    }
    let named = "key=KEY&action=add&service=5&link=other&custom_id=mine%201";
    assert_eq!(ann.form(named).text(), r#"{"order":4}"#);
    panel.set(2, PublicStatus::Partial, Some(7), Some(50));
    let bob = panel.reseller("bob", "10");
    bob.buys(1, 100);

    assert_eq!(
        json(&ann, r#"{"key":"KEY","action":"orders","limit":1}"#),
        format!(
            r#"[{{"order":"4","service":5,"link":"other","quantity":1,"created":{EPOCH},"custom_id":"mine 1","charge":3.50,"start_count":0,"status":"Pending","remains":1,"currency":"USD"}}]"#
        )
    );
    assert_eq!(
        ann.form("key=KEY&action=orders&before=3&limit=1").text(),
        format!(
            r#"[{{"order":2,"service":1,"link":"https://example.com/p","quantity":"200","created":{EPOCH},"charge":"0.375","start_count":"7","status":"Partial","remains":"50","currency":"USD"}}]"#
        )
    );
    let ids = |filter: &str| {
        let reply = ann.form(&format!("key=KEY&action=orders&{filter}"));
        let list = reply.json();
        let ids = list.as_array().unwrap_or_else(|| panic!("{}", reply.text())).iter();
        ids.map(|line| line["order"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(""), [4, 3, 2, 1]);
    assert_eq!(ids("status=pending"), [4, 3, 1]);
    assert_eq!(ids("status=Partial"), [2]);
    assert!(ids("status=In+progress").is_empty());
    assert_eq!(ids("link=other"), [4]);
    assert_eq!(ids("link=https%3A%2F%2Fexample.com%2Fp&status=Pending&before=3"), [1]);
    assert_eq!(ids("custom_id=mine+1"), [4]);
    assert!(ids("custom_id=mine").is_empty());
    for wrong in ["limit=0", "limit=101", "limit=x", "before=x", "before=0", "status=Done"] {
        let reply = ann.form(&format!("key=KEY&action=orders&{wrong}"));
        assert_eq!(reply.header("x-error-code"), Some("bad_request"), "{wrong}");
    }
}

#[test]
fn one_open_order_per_link_where_the_service_says_so() {
    let (panel, ann) = shop();
    let add = |link: &str| {
        let body = r#"{"key":"KEY","action":"add","service":3,"link":"LINK","quantity":10}"#;
        ann.v2(&body.replace("LINK", link))
    };
    assert_eq!(add("x").status, 200);
    let twin = add(" x ");
    let text = r#"{"error":"You have active order with this link. Please wait until order being completed."}"#;
    assert_eq!((twin.status, twin.text()), (409, text));
    assert_eq!(twin.header("x-error-code"), Some("duplicate_order"));
    assert_eq!(add("y").status, 200);
    panel.set(1, PublicStatus::InProgress, None, None);
    assert_eq!(add("x").status, 409);
    panel.set(1, PublicStatus::Completed, None, None);
    assert_eq!(add("x").status, 200);
    let bob = panel.reseller("bob", "10");
    let body = r#"{"key":"KEY","action":"add","service":3,"link":"y","quantity":10}"#;
    assert_eq!(bob.v2(body).status, 200);
}

#[test]
fn an_order_of_somebody_else_is_no_order() {
    let (panel, ann) = shop();
    let bob = panel.reseller("bob", "10");
    ann.buys(2, 100);
    panel.set(1, PublicStatus::Completed, None, None);
    assert_eq!(ann.form("key=KEY&action=refill&order=1").text(), r#"{"refill":"1"}"#);
    for action in ["status&order=", "cancel&order=", "refill&order=", "refillStatus&refill="] {
        for dialect in [Reseller::form, |reseller: &Reseller, body: &str| {
            let fields = body.split('&').map(|pair| pair.split_once('=').unwrap());
            let fields = fields.map(|(name, value)| format!("{name:?}:{value:?}"));
            reseller.v2(&format!("{{{}}}", fields.collect::<Vec<_>>().join(",")))
        }] {
            let ask = |id: &str| {
                let reply = dialect(&bob, &format!("key=KEY&action={action}{id}"));
                let mut headers = reply.headers.clone();
                headers.retain(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"));
                headers.sort();
                (reply.status, headers, reply.body)
            };
            assert_eq!(ask("1"), ask("4999"), "{action}");
        }
    }
}

#[test]
fn a_suspended_account_is_told_so() {
    let (panel, ann) = shop();
    assert!(panel.cli(&["user", "set", "ann", "--suspend"]).status.success());
    let reply = ann.v2(r#"{"key":"KEY","action":"balance"}"#);
    assert_eq!((reply.status, reply.text()), (403, r#"{"error":"Account is suspended"}"#));
    assert_eq!(reply.header("x-error-code"), Some("suspended"));
    let reply = ann.form("key=KEY&action=balance");
    assert_eq!((reply.status, reply.text()), (200, r#"{"error":"Account is suspended"}"#));
    assert!(panel.cli(&["user", "set", "ann", "--resume"]).status.success());
    assert_eq!(ann.balance(), "100.00");
}

#[test]
fn a_revoked_key_is_wrong_at_once() {
    let (panel, ann) = shop();
    let other = Reseller { key: panel.new_key(ann.user), ..ann.clone() };
    assert!(panel.cli(&["key", "revoke", "1"]).status.success());
    assert_eq!(ann.v2(r#"{"key":"KEY","action":"balance"}"#).status, 401);
    assert_eq!(other.balance(), "100.00");
}

#[test]
fn the_currency_is_the_panels() {
    let panel = Panel::start();
    panel.setting(Setting::Currency, "INR");
    let ann = panel.reseller("ann", "5");
    let text = r#"{"balance":"5.00","currency":"INR"}"#;
    assert_eq!(json(&ann, r#"{"key":"KEY","action":"balance"}"#), text);
    let late = panel.cli(&["setting", "set", "currency", "USD"]);
    assert_eq!(stderr(&late), "panelite: The currency cannot change once money has moved\n");
}

#[test]
fn a_client_that_waits_for_a_go_gets_it() {
    let (panel, ann) = shop();
    let body = format!(r#"{{"key":"{}","action":"balance"}}"#, ann.key);
    let reply = panel.send("POST", "/api/v2", &[JSON, ("Expect", "100-continue")], body);
    assert_eq!(reply.text(), r#"{"balance":"100.00","currency":"USD"}"#);
}
