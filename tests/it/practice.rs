//! The practice provider where it is honest: every action in both dialects, orders that move with
//! the clock, and what a test can set.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use panelite::clock::Clock;
use panelite::practice::{KEY, Practice, Says};

use crate::fixture::engine::{self, Held};
use crate::fixture::http::{self, Reply};

/// A provider at a free port whose clock stands still, and that clock.
pub(crate) fn start() -> (Practice, Clock) {
    let clock = Clock::manual(1_800_000_000);
    let practice = Practice::start(clock.clone(), "127.0.0.1:0".parse().unwrap()).unwrap();
    (practice, clock)
}

fn post(practice: &Practice, body: &str) -> Reply {
    http::send(practice.address(), "POST", "/api/v2", &[], body.as_bytes())
}

/// What the form dialect answers.
fn form(practice: &Practice, fields: &str) -> String {
    let reply = post(practice, &format!("key={KEY}&{fields}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().to_owned()
}

/// What the JSON dialect answers.
fn json(practice: &Practice, fields: &str) -> String {
    let reply = post(practice, &format!(r#"{{"key":"{KEY}",{fields}}}"#));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().to_owned()
}

/// Buys so many of a service; the provider's number.
fn buy(practice: &Practice, service: i64, quantity: i64) -> String {
    let fields = format!("action=add&service={service}&link=x&quantity={quantity}");
    let answer = form(practice, &fields);
    let digits = answer.strip_prefix(r#"{"order":"#).unwrap().strip_suffix('}').unwrap();
    digits.to_owned()
}

#[test]
fn the_list_shows_every_type_in_both_dialects() {
    let (practice, _) = start();
    let first = r#"{"service":1,"name":"Instagram Followers | Max 200K | 30 Days Refill ♻️ | Real Mixed | Start 0-1 Hour | 10K per Day","category":"Instagram | Followers","type":"Default","rate":RATE,"min":MIN,"max":MAX,"dripfeed":false,"refill":true,"cancel":true}"#;
    let bare = first.replace("RATE", "0.90").replace("MIN", "10").replace("MAX", "200000");
    let text = first.replace("RATE", r#""0.90""#).replace("MIN", r#""10""#);
    let text = text.replace("MAX", r#""200000""#);
    assert!(json(&practice, r#""action":"services""#).starts_with(&format!("[{bare},")));
    assert!(form(&practice, "action=services").starts_with(&format!("[{text},")));
    let kinds = practice.services().into_iter().map(|service| service.kind);
    let kinds: std::collections::BTreeSet<String> = kinds.collect();
    let known = panelite::domain::service::ServiceKind::ALL.iter().map(|it| it.label().to_owned());
    assert_eq!(kinds, known.collect());
}

#[test]
fn an_order_is_bought_and_paid() {
    let (practice, _) = start();
    let balance = r#"{"balance":"1000.00","currency":"USD"}"#;
    assert_eq!(json(&practice, r#""action":"balance""#), balance);
    let more = "custom_id=a&request_id=b";
    let fields = format!("action=add&service=1&link=https%3A%2F%2Fx%2Fp&quantity=1000&{more}");
    assert_eq!(form(&practice, &fields), r#"{"order":1001}"#);
    let fields = r#""action":"add","service":"1","link":"y","quantity":"500""#;
    assert_eq!(json(&practice, fields), r#"{"order":"1002","currency":"USD"}"#);
    assert_eq!(form(&practice, "action=balance"), r#"{"balance":"998.65","currency":"USD"}"#);

    let placed = &practice.orders()[0];
    assert_eq!((placed.id.as_str(), placed.service, placed.quantity), ("1001", 1, 1000));
    assert_eq!((placed.link.as_str(), placed.charge.as_str()), ("https://x/p", "0.90"));
    assert_eq!(placed.custom_id.as_deref(), Some("a"));
    assert_eq!(placed.request_id.as_deref(), Some("b"));
    assert_eq!((practice.count("a"), practice.count("c")), (1, 0));
    assert_eq!((practice.calls("add"), practice.calls("balance")), (2, 2));
}

#[test]
fn a_panel_that_has_bought_here_before_gets_new_numbers() {
    let (practice, _) = start();
    practice.count_after(1007);
    practice.count_after(3);
    assert_eq!(buy(&practice, 1, 10), "1008");
    practice.count_after(2000);
    assert_eq!(buy(&practice, 1, 10), "1009", "numbers follow on each other");
}

#[test]
fn every_type_asks_for_its_fields_and_counts_its_units() {
    let (practice, _) = start();
    let cases = [
        ("Package", "link=x", "", 1, "3.60"),
        ("SEO", "link=x&quantity=10", "keywords=a", 10, "0.19"),
        ("Custom Comments", "link=x", "comments=a%0A%0Ab", 2, "0.019"),
        ("Custom Comments Package", "link=x", "comments=a%0Ab", 1, "4.80"),
        ("Mentions", "link=x&quantity=10", "usernames=a", 10, "0.011"),
        ("Mentions with Hashtags", "link=x&quantity=10&usernames=a", "hashtags=b", 10, "0.0125"),
        ("Mentions Custom List", "link=x", "usernames=a%0Ab%0Ac", 3, "0.0042"),
        ("Mentions Hashtag", "link=x&quantity=10", "hashtag=a", 10, "0.0095"),
        ("Mentions User Followers", "link=x&quantity=10", "username=a", 10, "0.0102"),
        ("Mentions Media Likers", "link=x&quantity=10", "media=a", 10, "0.0102"),
        ("Comment Likes", "link=x&quantity=10", "username=a", 10, "0.0055"),
        ("Comment Replies", "link=x&username=a", "comments=b", 1, "0.0118"),
        ("Poll", "link=x&quantity=10", "answer_number=2", 10, "0.017"),
        ("Invites from Groups", "link=x&quantity=10", "groups=a", 10, "0.062"),
        (
            "Web Traffic",
            "link=x&quantity=100&country=a&device=b",
            "type_of_traffic=c",
            100,
            "0.024",
        ),
        ("Subscriptions", "username=a&min=10&max=20", "delay=0", 0, "0.00"),
        ("Default", "quantity=10", "link=x", 10, "0.009"),
    ];
    for (kind, some, last, quantity, charge) in cases {
        let service = practice.services().into_iter().find(|it| it.kind == kind).unwrap().id;
        let (field, _) = last.split_once('=').unwrap_or(("", ""));
        if !field.is_empty() {
            let answer = form(&practice, &format!("action=add&service={service}&{some}"));
            let refused = format!(r#"{{"error":"Incorrect request: {field} is missing"}}"#);
            assert_eq!(answer, refused, "{kind}");
        }
        let answer = form(&practice, &format!("action=add&service={service}&{some}&{last}"));
        assert!(answer.starts_with(r#"{"order":"#), "{kind}: {answer}");
        let placed = practice.orders().pop().unwrap();
        assert_eq!((placed.quantity, placed.charge.as_str()), (quantity, charge), "{kind}");
    }
    assert_eq!(practice.orders()[2].inputs["comments"], "a\n\nb");
    let link = practice.orders()[15].link.clone();
    assert_eq!(link, "a", "the link of a subscription");
}

#[test]
fn refusals_are_sentences() {
    let (practice, _) = start();
    practice.set_balance("0.50");
    let cases = [
        ("action=dance", "Incorrect action"),
        ("action=orders", "Incorrect action"),
        ("link=x", "Incorrect request: action is missing"),
        ("action=add&service=99&link=x&quantity=10", "Incorrect service ID"),
        ("action=add&service=1&link=x&quantity=9", "Quantity less than minimal 10"),
        ("action=add&service=1&link=x&quantity=200001", "Quantity more than maximum 200000"),
        ("action=add&service=1&link=x&quantity=1000", "Not enough funds on balance"),
        ("action=status&order=7", "Incorrect order ID"),
        ("action=status", "Incorrect request: order is missing"),
        ("action=refill&order=7", "Incorrect order ID"),
        ("action=refill_status&refill=7", "Refill not found"),
    ];
    for (fields, sentence) in cases {
        assert_eq!(form(&practice, fields), format!(r#"{{"error":"{sentence}"}}"#), "{fields}");
    }
    let wrong_key = post(&practice, "key=wrong&action=balance");
    assert_eq!(wrong_key.text(), r#"{"error":"Invalid API key"}"#);
    let elsewhere = http::send(practice.address(), "POST", "/api/v3", &[], b"");
    assert_eq!(elsewhere.status, 404);
    assert!(practice.orders().is_empty());
}

#[test]
fn orders_move_with_the_clock_and_every_seventh_ends_partial() {
    let (practice, clock) = start();
    for _ in 0..7 {
        buy(&practice, 1, 1000);
    }
    let says = |start: u32, word: &str, remains: u32| {
        format!(
            r#"{{"charge":"0.90","start_count":"{start}","status":"{word}","remains":"{remains}","currency":"USD"}}"#
        )
    };
    let status = || form(&practice, "action=status&order=1001");
    assert_eq!(status(), says(0, "Pending", 1000));
    clock.advance(10);
    assert_eq!(status(), says(101, "Processing", 1000));
    clock.advance(20);
    assert_eq!(status(), says(101, "In progress", 750));
    clock.advance(30);
    assert_eq!(status(), says(101, "Completed", 0));

    let seventh =
        r#"{"charge":0.675,"start_count":107,"status":"Partial","remains":250,"currency":"USD"}"#;
    assert_eq!(json(&practice, r#""action":"status","order":"1007""#), seventh);
    let many = format!(r#"{{"1007":{seventh},"5":{{"error":"Incorrect order ID"}}}}"#);
    assert_eq!(json(&practice, r#""action":"status","orders":[1007,"5"]"#), many);
    assert!(form(&practice, "action=multiStatus&orders=1001,5").starts_with(r#"{"1001":{"#));
    assert_eq!(practice.balance(), "993.925");
}

#[test]
fn a_canceled_order_pays_back_what_is_missing() {
    let (practice, clock) = start();
    let (early, late, done) = (buy(&practice, 1, 1000), buy(&practice, 1, 1000), "1001,1002,7");
    let one = form(&practice, &format!("action=cancel&order={early}"));
    assert_eq!(one, r#"{"success":true,"status":"success","cancel":1}"#);
    clock.advance(30);
    let many = r#"[{"order":1001,"cancel":{"error":"Order has ended already"}},{"order":1002,"cancel":1},{"order":7,"cancel":{"error":"Incorrect order ID"}}]"#;
    assert_eq!(form(&practice, &format!("action=cancel&orders={done}")), many);
    clock.advance(3600);
    let placed: Vec<(String, String)> =
        practice.orders().into_iter().map(|order| (order.status, order.charge)).collect();
    let expected = [("Canceled", "0.00"), ("Partial", "0.225")];
    assert_eq!(placed, expected.map(|(word, charge)| (word.to_owned(), charge.to_owned())));
    assert_eq!((late.as_str(), practice.balance().as_str()), ("1002", "999.775"));
}

#[test]
fn a_completed_order_is_refilled() {
    let (practice, clock) = start();
    let order = buy(&practice, 1, 1000);
    let ask = format!("action=refill&order={order}");
    assert_eq!(form(&practice, &ask), r#"{"error":"Order is not completed"}"#);
    clock.advance(60);
    assert_eq!(form(&practice, &ask), r#"{"refill":"1"}"#);
    assert_eq!(form(&practice, &ask), r#"{"error":"Order is being refilled already"}"#);
    let asked = json(&practice, r#""action":"refillStatus","refill":"refill_1""#);
    assert_eq!(asked, r#"{"status":"Pending"}"#);
    clock.advance(30);
    let both = form(&practice, "action=refill_status&refills=1,2");
    let expected =
        r#"[{"refill":1,"status":"Completed"},{"refill":2,"status":{"error":"Refill not found"}}]"#;
    assert_eq!(both, expected);
    let again = json(&practice, r#""action":"refill","order":1001"#);
    assert_eq!(again, r#"{"refill":"refill_2"}"#);
    practice.set_refill_status(2, "Rejected");
    let rejected = form(&practice, "action=refill_status&refill=2");
    assert_eq!(rejected, r#"{"status":"Rejected"}"#);
}

#[test]
fn own_ids_are_understood_where_that_is_switched_on() {
    let (practice, _) = start();
    practice.accepts_own_ids(true);
    let add = "action=add&service=1&link=x&quantity=10&custom_id=mine&request_id=r";
    assert_eq!(form(&practice, add), r#"{"order":1001}"#);
    assert_eq!(form(&practice, add), r#"{"order":1001}"#);
    let body = format!("key={KEY}&{}", add.replace("quantity=10", "quantity=20"));
    let conflict = post(&practice, &body);
    assert_eq!(conflict.header("x-error-code"), Some("request_conflict"));
    buy(&practice, 1, 10);
    let found = form(&practice, "action=orders&custom_id=mine");
    let row = r#"[{"order":1001,"service":1,"link":"x","quantity":"10","created":1800000000,"custom_id":"mine","charge":"0.009","start_count":"0","status":"Pending","remains":"10","currency":"USD"}]"#;
    assert_eq!(found, row);
    assert!(form(&practice, "action=orders&limit=1").starts_with(r#"[{"order":1002,"#));
    assert!(form(&practice, "action=orders&before=1002").starts_with(r#"[{"order":1001,"#));
    let refused = post(&practice, r#"{"key":"x","action":"balance"}"#);
    assert_eq!((refused.status, refused.header("x-error-code")), (401, Some("invalid_key")));
}

#[test]
fn a_test_sets_what_the_provider_says() {
    let (practice, _) = start();
    let order = buy(&practice, 1, 1000);
    practice.set_status(&order, Says::status("Partial").remains(250).start_count("N/A"));
    let status = json(&practice, r#""action":"status","order":1001"#);
    let expected =
        r#"{"charge":0.675,"start_count":"N/A","status":"Partial","remains":250,"currency":"USD"}"#;
    assert_eq!(status, expected);
    practice.set_status(&order, Says::status("Odd").charge("9.99"));
    assert_eq!(practice.orders()[0].charge, "9.99");

    practice.set_service(2, |service| {
        service.rate = "free".to_owned();
        service.cancel = false;
    });
    practice.remove_service(1);
    let services = form(&practice, "action=services");
    assert!(!services.contains(r#""service":1,"#) && services.contains(r#""rate":"free""#));
    let mut more = practice.services()[0].clone();
    more.id = 77;
    practice.add_service(more);
    assert_eq!(buy(&practice, 77, 100), "1002");
    practice.set_catalogue_answer("[oops");
    assert_eq!(form(&practice, "action=services"), "[oops");
    practice.behave();
    assert_ne!(form(&practice, "action=services"), "[oops");
    practice.set_balance("0.10");
    assert_eq!(form(&practice, "action=balance"), r#"{"balance":"0.10","currency":"USD"}"#);
}

#[test]
fn one_connection_serves_many_requests() {
    let (practice, _) = start();
    let mut stream = http::connect(practice.address());
    for _ in 0..3 {
        let body = format!("key={KEY}&action=balance");
        let head = "POST /api/v2/ HTTP/1.1\r\nHOST: x\r\ncontent-LENGTH: ";
        stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
        assert_eq!(http::read_reply(&mut stream).unwrap().status, 200);
    }
    let query = format!("/api/v2?key={KEY}&action=balance");
    let reply = http::send(practice.address(), "GET", &query, &[], b"");
    assert_eq!(reply.text(), r#"{"balance":"1000.00","currency":"USD"}"#);
}

#[test]
fn it_goes_down_and_up_again_with_its_orders() {
    let (practice, _) = start();
    let order = buy(&practice, 1, 10);
    practice.go_down();
    assert!(std::net::TcpStream::connect(practice.address()).is_err());
    practice.go_up().unwrap();
    assert!(form(&practice, &format!("action=status&order={order}")).contains("Pending"));
}

#[test]
fn nobody_else_can_reach_it() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    assert!(Practice::start(Clock::System, everywhere).is_err());
}

#[test]
fn serve_runs_it_beside_the_panel() {
    let folder = tempfile::tempdir().unwrap();
    let db = Held::new(folder.path().join("panel.db"));
    let mut server = engine::tell(&mut Command::new(env!("CARGO_BIN_EXE_panelite")), &db)
        .env("PANELITE_LOG", "off")
        .args(["serve", "--listen", "127.0.0.1:0", "--practice=127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.filter_map(|line| Some(line.split_once("Practice provider: ")?.1.to_owned()));
    let told = told.take(1).last();
    let reply = told.as_ref().map(|line| {
        let (url, rest) = line.split_once(", with the key ").unwrap();
        let address = url.strip_prefix("http://").unwrap().strip_suffix("/api/v2").unwrap();
        let body = format!("key={rest}&action=balance");
        http::send(address.parse().unwrap(), "POST", "/api/v2", &[], body.as_bytes())
    });
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(reply.unwrap().text(), r#"{"balance":"1000.00","currency":"USD"}"#);
}
