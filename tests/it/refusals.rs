//! Every "no" of the API: its status, code and text in both dialects.

use panelite::clock;
use panelite::config::TrustedProxies;
use panelite::domain::order::PublicStatus;
use panelite::domain::setting::Setting;

use crate::fixture::http::{self, Reply};
use crate::fixture::panel::{Panel, Reseller};

/// One customer, one order of each final and open sort, a service for every refusal.
fn shop() -> (Panel, Reseller) {
    let panel = Panel::start();
    panel.services(&[
        "1,All,Plain,Default,1,10,1000,0,0,1",
        "2,All,Fixed,Default,1,10,1000,0,1,0,,,,0,1",
        "3,All,Once,Default,1,10,1000,0,0,1,,,,1",
    ]);
    let ann = panel.reseller("ann", "10");
    ann.form("key=KEY&action=add&service=3&link=taken&quantity=10&request_id=used");
    ann.buys(1, 10); // 2: completed
    ann.buys(2, 10); // 3: open, not to be canceled
    ann.buys(2, 10); // 4: completed a day and a second ago
    panel.set(2, PublicStatus::Completed, None, None);
    panel.set(4, PublicStatus::Completed, None, None);
    panel.clock.advance(86_401);
    (panel, ann)
}

/// action and its fields | status in JSON | code | text
const TABLE: &str = "
                                                  | 400 | bad_request        | Incorrect request: action is missing
action=nothing                                    | 400 | unknown_action     | Incorrect action
action=add                                        | 400 | bad_request        | Incorrect request: service is missing
action=add service=1                              | 400 | bad_request        | Incorrect request: link is missing
action=add service=1 link=x                       | 400 | bad_request        | Incorrect request: quantity is missing
action=add service=1 link=x quantity=1e3          | 400 | bad_request        | Incorrect request: quantity is not valid
action=add service=1 link=x quantity=50 request_id=a\u{e9}\u{1} | 400 | bad_request | Incorrect request: request_id is not valid
action=add service=9 link=x quantity=50           | 404 | service_not_found  | Incorrect service ID
action=add service=x link=x quantity=50           | 404 | service_not_found  | Incorrect service ID
action=add service=1 link=javascript:1 quantity=50| 422 | bad_link           | Bad link
action=add service=3 link=taken quantity=50       | 409 | duplicate_order    | You have active order with this link. Please wait until order being completed.
action=add service=1 link=x quantity=9            | 422 | quantity_below     | Quantity less than minimal 10
action=add service=1 link=x quantity=1001         | 422 | quantity_above     | Quantity more than maximum 1000
action=add service=1 link=x quantity=50 request_id=used | 409 | request_conflict | This request id was already used for another request
action=status                                     | 400 | bad_request        | Incorrect request: order is missing
action=status order=99                            | 404 | order_not_found    | Incorrect order ID
action=status order=x                             | 404 | order_not_found    | Incorrect order ID
action=status order=01                            | 404 | order_not_found    | Incorrect order ID
action=cancel order=99                            | 404 | order_not_found    | Incorrect order ID
action=cancel order=2                             | 422 | not_cancelable     | Order is already completed
action=cancel order=3                             | 422 | not_cancelable     | Service does not allow cancel
action=refill order=2                             | 422 | not_refillable     | Service does not allow refill
action=refill order=3                             | 422 | not_refillable     | Order is not completed
action=refill order=4                             | 422 | not_refillable     | Refill was possible for 1 days after completion
action=refillStatus                               | 400 | bad_request        | Incorrect request: refill is missing
action=refillStatus refill=refill_9               | 404 | refill_not_found   | Refill not found
";

#[test]
fn every_refusal_in_both_dialects() {
    let (_panel, ann) = shop();
    for row in TABLE.trim_matches('\n').lines() {
        let mut cells = row.split('|').map(str::trim);
        let (fields, status) = (cells.next().unwrap(), cells.next().unwrap());
        let (code, text) = (cells.next().unwrap(), cells.next().unwrap());
        let fields = fields.replace("\\u{e9}", "é").replace("\\u{1}", "\u{1}");
        let status = status.parse().unwrap();
        let body = serde_json::json!({ "error": text }).to_string();
        for (reply, status) in [(json(&ann, &fields), status), (form(&ann, &fields), 200)] {
            assert_eq!((reply.status, reply.text()), (status, body.as_str()), "{row}");
            assert_eq!(reply.header("x-error-code"), Some(code), "{row}");
            assert_eq!(reply.header("content-type"), Some("application/json"), "{row}");
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{row}");
        }
    }
    assert_eq!(ann.balance(), "9.96", "a refusal costs nothing");
}

/// Sends `name=value` pairs as JSON.
fn json(reseller: &Reseller, fields: &str) -> Reply {
    let mut object = serde_json::json!({ "key": reseller.key });
    for (name, value) in fields.split_whitespace().map(|pair| pair.split_once('=').unwrap()) {
        object[name] = value.into();
    }
    reseller.v2(&object.to_string())
}

/// Sends `name=value` pairs urlencoded.
fn form(reseller: &Reseller, fields: &str) -> Reply {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let pairs = fields.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    let pairs = pairs.map(|(name, value)| format!("&{name}={}", encode(value)));
    reseller.form(&format!("key=KEY{}", pairs.collect::<String>()))
}

#[test]
fn funds_are_checked_to_the_last_micro() {
    let panel = Panel::start();
    panel.services(&["1,All,Plain,Default,1,1,1000000,0,0,1"]);
    let ann = panel.reseller("ann", "0.0999");
    let reply = json(&ann, "action=add service=1 link=x quantity=100");
    let text = r#"{"error":"Not enough funds on balance"}"#;
    assert_eq!((reply.status, reply.text()), (402, text));
    assert_eq!(reply.header("x-error-code"), Some("insufficient_funds"));
    panel.cli(&["user", "set", "ann", "--credit-limit", "0.0001"]);
    assert_eq!(json(&ann, "action=add service=1 link=x quantity=100").status, 200);
    assert_eq!(ann.balance(), "-0.0001");
    assert_eq!(json(&ann, "action=add service=1 link=x quantity=1").status, 402);
}

#[test]
fn the_http_layer_speaks_json_too() {
    let (panel, ann) = shop();
    let large = format!("key={}&action=balance&x={}", ann.key, "y".repeat(1024 * 1024));
    let huge = "y".repeat(4 * 1024 * 1024);
    let rows: [(&str, &str, &str, u16, &str); 10] = [
        ("GET", "/", "", 404, "not_found"),
        ("POST", "/api/v3", "", 404, "not_found"),
        ("GET", "/api/v2/x", "", 404, "not_found"),
        ("PUT", "/api/v2", "", 405, "method_not_allowed"),
        ("DELETE", "/api/v2/", "", 405, "method_not_allowed"),
        ("OPTIONS", "/api/v2", "", 405, "method_not_allowed"),
        ("PATCH", "/api/v2", "{", 405, "method_not_allowed"),
        ("POST", "/api/v2", &large, 413, "too_large"),
        ("POST", "/api/v2", &huge, 413, "too_large"),
        ("POST", "/api/v2", "{", 400, "bad_request"),
    ];
    for (method, path, body, status, code) in rows {
        let reply = panel.send(method, path, &[], body);
        assert_eq!((reply.status, reply.header("x-error-code")), (status, Some(code)), "{path}");
        assert_eq!(reply.header("content-type"), Some("application/json"), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(reply.json().as_object().unwrap().len(), 1, "{path}");
    }
    let head =
        http::raw(panel.address, b"HEAD /api/v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(head.unwrap().status, 405);
}

#[test]
fn a_body_that_never_comes_is_given_up() {
    use std::io::Write as _;

    let (panel, ann) = shop();
    let head = "POST /api/v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"key\"";
    let mut slow: Vec<_> = (0..20).map(|_| http::connect(panel.address)).collect();
    for stream in &mut slow {
        stream.write_all(head.as_bytes()).unwrap();
    }
    assert_eq!(ann.balance(), "9.96", "the slow do not delay the others");
    for stream in &mut slow {
        let reply = http::read_reply(stream).unwrap();
        let text = r#"{"error":"Request timed out"}"#;
        assert_eq!((reply.status, reply.text()), (408, text));
    }
}

#[test]
fn a_key_may_ask_so_often_and_no_more() {
    let panel = Panel::start();
    panel.setting(Setting::KeyRate, "1");
    panel.setting(Setting::KeyBurst, "3");
    let panel = panel.restarted();
    let (ann, bob) = (panel.reseller("ann", "1"), panel.reseller("bob", "1"));
    let started = clock::instant();
    let mut granted = 0;
    let reply = loop {
        let reply = ann.form("key=KEY&action=balance");
        if reply.status != 200 {
            break reply;
        }
        granted += 1;
    };
    // However slow this machine is, more than the burst takes its seconds.
    let seconds = started.elapsed().as_secs();
    assert!((3..=3 + seconds).contains(&granted), "{granted} in {seconds} s");
    assert_eq!((reply.status, reply.text()), (429, r#"{"error":"Rate limit exceeded"}"#));
    assert_eq!(reply.header("x-error-code"), Some("rate_limited"));
    assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(bob.form("key=KEY&action=balance").status, 200);
}

#[test]
fn wrong_keys_slow_down_only_wrong_keys() {
    let proxies = TrustedProxies(vec!["127.0.0.1".parse().unwrap()]);
    let panel = Panel::start_with(proxies);
    panel.setting(Setting::WrongKeyRate, "2");
    let panel = panel.restarted();
    let ann = panel.reseller("ann", "1");
    let ask = |key: &str, from: &str| {
        let headers = [("X-Forwarded-For", from)];
        let body = format!("key={key}&action=balance");
        panel.send("POST", "/api/v2", &headers, body).status
    };
    let statuses: Vec<u16> = (0..4).map(|_| ask("wrong", "203.0.113.7")).collect();
    assert_eq!(statuses, [200, 200, 429, 429], "form dialect: 200 until it is too much");
    assert_eq!(ask(&ann.key, "203.0.113.7"), 200, "a valid key from there still works");
    assert_eq!(ask("wrong", "203.0.113.8"), 200, "another address is not touched");
    // Only the last hop before us is believed: an invented first one does not help.
    assert_eq!(ask("wrong", "203.0.113.99, 203.0.113.7"), 429);
    let twice = [("X-Forwarded-For", "203.0.113.99"), ("X-Forwarded-For", "203.0.113.7")];
    let reply = panel.send("POST", "/api/v2", &twice, "key=wrong&action=balance");
    assert_eq!(reply.status, 429);
}
