//! The practice provider where it misbehaves: each mode answers what it says, an order is there
//! exactly where the mode accepts it, and nothing hangs when the provider is gone.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use panelite::practice::{KEY, Mode, Practice, UNREAD};

use crate::fixture::http::{self, Reply};
use crate::practice::start;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

/// What a whole answer is to be.
type Whole = (Mode, u16, &'static str);

const BUSY: &str = r#"{"error":"Service temporarily unavailable"}"#;
const LIMITED: &str = r#"{"error":"Rate limit exceeded"}"#;
const DUPLICATE: &str =
    r#"{"error":"You have active order with this link. Please wait until order being completed."}"#;

/// Every mode whose answer arrives whole and is the same each time. The one order before has the
/// number 1001, so this one is 1002 where there is one.
const WHOLE: &[Whole] = &[
    (Mode::Ok, 200, r#"{"order":1002}"#),
    (Mode::ResetAfterBody, 200, r#"{"order":1002}"#),
    (Mode::Status500, 500, r#"{"error":"Internal error"}"#),
    (Mode::Html502, 502, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
    (Mode::Status503, 503, BUSY),
    (Mode::Busy503, 503, BUSY),
    (Mode::Html, 200, "<!doctype html><html><body>Just a moment…</body></html>"),
    (Mode::Empty, 200, ""),
    (Mode::Cut, 200, r#"{"order":1002,"curr"#),
    (Mode::Status301, 301, ""),
    (Mode::Status307, 307, ""),
    (Mode::Status308, 308, ""),
    (Mode::Status401, 401, r#"{"error":"Invalid API key"}"#),
    (Mode::Html403, 403, "<html><body>Access denied</body></html>"),
    (Mode::Status404, 404, r#"{"error":"Not found"}"#),
    (Mode::Status408, 408, r#"{"error":"Request timeout"}"#),
    (Mode::Status429, 429, LIMITED),
    (Mode::RetryAfter429, 429, LIMITED),
    (Mode::ErrorMessage, 200, r#"{"error":{"message":"Bad link"}}"#),
    (Mode::ErrorsList, 200, r#"{"errors":["Bad link"]}"#),
    (Mode::StatusMessage, 200, r#"{"status":"fail","message":"Bad link"}"#),
    (Mode::SuccessMsg, 200, r#"{"success":false,"msg":"Bad link"}"#),
    (Mode::Funds, 200, r#"{"error":"Not enough funds on balance"}"#),
    (Mode::Key, 200, r#"{"error":"Invalid API key"}"#),
    (Mode::Duplicate, 200, DUPLICATE),
    (Mode::Busy, 200, r#"{"error":"Too many requests, please slow down"}"#),
    (Mode::Service, 200, r#"{"error":"Incorrect service ID"}"#),
    (Mode::Quantity, 200, r#"{"error":"Quantity less than minimal 5000"}"#),
    (Mode::Link, 200, r#"{"error":"Bad link"}"#),
    (Mode::Other, 200, r#"{"error":"The moon is in the wrong phase"}"#),
    (Mode::Trouble, 200, r#"{"error":"Something went wrong"}"#),
    (Mode::Replay, 200, r#"{"error":"This request id was used for another order"}"#),
    (Mode::Bom, 200, "\u{feff}{\"order\":1002}"),
    (Mode::InData, 200, r#"{"data":{"order":1002}}"#),
    (Mode::InResult, 200, r#"{"result":{"order":1002}}"#),
    (Mode::InResponse, 200, r#"{"response":{"order":1002}}"#),
    (Mode::ListOfOne, 200, r#"[{"order":1002}]"#),
    (Mode::IdText, 200, r#"{"order":"P-1002"}"#),
    (Mode::IdFloat, 200, r#"{"order":1002.0}"#),
    (Mode::IdZero, 200, r#"{"order":0}"#),
    (Mode::IdNegative, 200, r#"{"order":-1}"#),
    (Mode::IdNull, 200, r#"{"order":null}"#),
    (Mode::IdOfAnother, 200, r#"{"order":1001}"#),
    (Mode::IdRepeated, 200, r#"{"order":1002,"order":1003}"#),
    (Mode::IdWithError, 200, r#"{"order":1002,"error":"Bad link"}"#),
    (Mode::IdOdd, 200, r#"{"order":"see <b>1002</b> in your account"}"#),
    (Mode::Accepts500, 500, r#"{"error":"Internal error"}"#),
];

/// Modes with a test of their own, below.
const APART: &[Mode] = &[
    Mode::HangBefore,
    Mode::Hang,
    Mode::Reset,
    Mode::ResetAfterHead,
    Mode::ResetAtHalf,
    Mode::Close,
    Mode::Trickle,
    Mode::Huge,
    Mode::Deep,
    Mode::Notices,
    Mode::AcceptsLate,
    Mode::AcceptsReset,
];

/// The body of an order whose link asks for a mode.
fn order(mode: Mode) -> String {
    let link = format!("https%3A%2F%2Fexample.com%2Fp%3Fsay%3D{}", mode.as_str());
    format!("key={KEY}&action=add&service=1&quantity=10&link={link}&custom_id={}", mode.as_str())
}

/// A provider with one order.
fn with_an_order() -> Practice {
    let (practice, _) = start();
    assert_eq!(ask(&practice, &order(Mode::Ok).replace("custom_id", "x")).status, 200);
    practice
}

fn ask(practice: &Practice, body: &str) -> Reply {
    http::send(practice.address(), "POST", "/api/v2", &[], body.as_bytes())
}

/// Sends a request and leaves the answer in the connection.
fn send(practice: &Practice, body: &str) -> TcpStream {
    let mut stream = http::connect(practice.address());
    let head = format!("POST /api/v2 HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
    stream
}

/// Reads to the end.
fn hear(mut stream: TcpStream) -> (String, End) {
    let (mut heard, mut buffer) = (Vec::new(), [0; 64 * 1024]);
    let end = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break End::Closed,
            Ok(count) => heard.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Err(error) => panic!("{error}"),
        }
    };
    (String::from_utf8(heard).unwrap(), end)
}

/// Panics unless the order is there exactly where the mode promises it.
fn assert_recorded(practice: &Practice, mode: Mode) {
    assert_eq!(practice.count(mode.as_str()), usize::from(mode.accepts()), "{mode:?}");
}

#[test]
fn whole_answers_are_what_their_mode_says() {
    for (mode, status, body) in WHOLE {
        let practice = with_an_order();
        let reply = ask(&practice, &order(*mode));
        assert_eq!((reply.status, reply.text()), (*status, *body), "{mode:?}");
        assert_recorded(&practice, *mode);
    }
}

#[test]
fn every_mode_has_a_test() {
    let tested = WHOLE.iter().map(|(mode, ..)| *mode).chain(APART.iter().copied());
    let tested: Vec<Mode> = tested.collect();
    for mode in Mode::ALL {
        assert_eq!(tested.iter().filter(|it| *it == mode).count(), 1, "{mode:?}");
    }
}

#[test]
fn some_answers_say_more_in_their_head() {
    let practice = with_an_order();
    let header =
        |mode: Mode, name: &str| ask(&practice, &order(mode)).header(name).map(str::to_owned);
    assert_eq!(header(Mode::Busy503, "x-error-code").as_deref(), Some("busy"));
    assert_eq!(header(Mode::Status503, "x-error-code"), None);
    assert_eq!(header(Mode::RetryAfter429, "retry-after").as_deref(), Some("7"));
    assert_eq!(header(Mode::Status429, "retry-after"), None);
    assert_eq!(header(Mode::Html, "content-type").as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(header(Mode::Ok, "content-type").as_deref(), Some("application/json"));
}

#[test]
fn whoever_follows_a_redirect_is_counted() {
    let practice = with_an_order();
    for (hits, mode) in [Mode::Status301, Mode::Status307, Mode::Status308].into_iter().enumerate()
    {
        let reply = ask(&practice, &order(mode));
        let location = reply.header("location").unwrap();
        let counter = location.strip_prefix("http://").unwrap().strip_suffix("/api/v2").unwrap();
        assert_eq!(practice.redirect_hits(), hits);
        http::send(counter.parse().unwrap(), "POST", "/api/v2", &[], b"a=b");
        assert_eq!(practice.redirect_hits(), hits + 1);
        assert_eq!(practice.orders().len(), 1);
    }
}

#[test]
fn long_and_deep_answers_are_longer_and_deeper_than_anyone_should_read() {
    let practice = with_an_order();
    assert!(ask(&practice, &order(Mode::Huge)).text().len() > 1024 * 1024);
    assert!(ask(&practice, &order(Mode::Deep)).text().starts_with(&r#"{"order":"#.repeat(1000)));
    let notices = ask(&practice, &order(Mode::Notices));
    assert!(notices.text().starts_with("<br />") && notices.text().ends_with("{\"order\":1002}"));
    for mode in [Mode::Huge, Mode::Deep, Mode::Notices] {
        assert_recorded(&practice, mode);
    }
}

#[test]
fn connections_end_where_the_mode_says() {
    let cases = [
        (Mode::Close, "", End::Closed),
        (Mode::Reset, "", End::Reset),
        (Mode::AcceptsReset, "", End::Reset),
        (Mode::ResetAfterHead, "\r\n\r\n", End::Reset),
        (Mode::ResetAtHalf, "\r\n\r\n{\"order", End::Reset),
        (Mode::ResetAfterBody, "\r\n\r\n{\"order\":1002}", End::Reset),
    ];
    for (mode, last, end) in cases {
        let practice = with_an_order();
        let (heard, ended) = hear(send(&practice, &order(mode)));
        assert!(heard.ends_with(last) && heard.is_empty() == last.is_empty(), "{mode:?}: {heard}");
        assert_eq!(ended, end, "{mode:?}");
        assert_recorded(&practice, mode);
    }
}

#[test]
fn a_hanging_provider_is_silent_until_it_is_dropped() {
    let practice = with_an_order();
    let hanging = send(&practice, &order(Mode::Hang));
    let trickling = send(&practice, &order(Mode::Trickle));
    let late = send(&practice, &order(Mode::AcceptsLate));
    assert!(practice.wait_for_calls("add", 4));
    practice.misbehave(Mode::HangBefore);
    let unread = send(&practice, &order(Mode::Ok));
    assert!(practice.wait_for_calls(UNREAD, 1));
    for mut silent in [&hanging, &late, &unread] {
        silent.set_nonblocking(true).unwrap();
        let heard = silent.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(heard, Err(ErrorKind::WouldBlock));
        silent.set_nonblocking(false).unwrap();
    }
    let mut first = [0];
    (&trickling).read_exact(&mut first).unwrap();
    assert_eq!(first, *b"H");
    assert_eq!(practice.orders().len(), 1);

    drop(practice);
    for stream in [hanging, late, unread] {
        assert_eq!(hear(stream).0, "");
    }
    assert!(!hear(trickling).0.contains('}'));
}

#[test]
fn a_late_order_is_taken_when_the_client_has_given_up() {
    let practice = with_an_order();
    let stream = send(&practice, &order(Mode::AcceptsLate));
    assert!(practice.wait_for_calls("add", 2));
    assert_eq!(practice.count("accepts_late"), 0);
    stream.shutdown(Shutdown::Both).unwrap();
    assert!(practice.wait_for_orders(2));
    assert_recorded(&practice, Mode::AcceptsLate);
}

#[test]
fn a_test_says_what_meets_which_request() {
    let practice = with_an_order();
    let balance = format!("key={KEY}&action=balance");
    let status = |body: &str| ask(&practice, body).status;
    practice.misbehave_next(2, Mode::Status500);
    practice.misbehave_at("balance", Mode::Status503);
    let order = order(Mode::Status404);
    assert_eq!([status(&order), status(&order), status(&order)], [500, 500, 404]);
    assert_eq!(status(&balance), 503);
    practice.misbehave(Mode::Html502);
    assert_eq!([status(&order), status(&balance)], [502, 503]);
    practice.behave();
    assert_eq!([status(&order), status(&balance)], [404, 200]);
    // A number that nobody bought is nothing to say about a balance.
    practice.misbehave(Mode::IdNull);
    assert!(ask(&practice, &balance).text().contains("balance"));
}

#[test]
fn an_order_with_letters_in_its_number_keeps_them() {
    let practice = with_an_order();
    ask(&practice, &order(Mode::IdText));
    for (id, found) in [("P-1002", true), ("1002", false), ("1001.0", true)] {
        let reply = ask(&practice, &format!("key={KEY}&action=status&order={id}"));
        assert_eq!(reply.text().contains("Pending"), found, "{id}");
    }
}
