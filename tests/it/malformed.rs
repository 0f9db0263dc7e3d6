//! Requests that are wrong in every way we could think of: each gets a clear error in its dialect,
//! never a 5xx, costs nothing, tells nothing, and the panel goes on.

use crate::fixture::http::{self, Reply};
use crate::fixture::panel::{Panel, Reseller};

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn shop() -> (Panel, Reseller) {
    let panel = Panel::start();
    panel.services(&[
        "1,All,Plain,Default,1,10,1000,1,1,1",
        "2,All,Comments,Custom Comments,1,1,1000,0,0,1",
    ]);
    let ann = panel.reseller("ann", "10");
    (panel, ann)
}

/// Holds what must be true of every answer to nonsense.
fn check(reply: &Reply, ann: &Reseller, request: &str) {
    assert!(reply.status < 500, "{request}: {}", reply.status);
    assert_eq!(reply.header("content-type"), Some("application/json"), "{request}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{request}");
    let text = reply.text();
    assert!(!text.contains(&ann.key), "{request}: the key is repeated");
    assert!(!text.contains(".rs") && !text.contains("SQL") && !text.contains("line"), "{request}");
    assert!(reply.json()["error"].as_str().is_some_and(|error| error.len() <= 300), "{request}");
    assert_eq!(reply.json().as_object().unwrap().len(), 1, "{request}");
    assert!(reply.header("x-error-code").is_some(), "{request}");
}

/// Values that are no quantity, as they stand in JSON.
const NO_QUANTITY: [&str; 40] = [
    "0.5",
    "1.0",
    "100.0",
    "1e2",
    "1E2",
    "1e+2",
    "-1",
    "-0",
    "-100",
    "10000000000",
    "1000000001",
    "1e30",
    "1e400",
    "-1e400",
    "123456789012345678901234567890",
    "9223372036854775807",
    "18446744073709551616",
    "0.1e1",
    "\"1e2\"",
    "\"+100\"",
    "\"-100\"",
    "\"0100\"",
    "\"00\"",
    "\"1 00\"",
    "\"1,00\"",
    "\"1_00\"",
    "\"0x64\"",
    "\"100a\"",
    "\"１００\"",
    "\"٣\"",
    "\"ten\"",
    "\"∞\"",
    "\"NaN\"",
    "true",
    "false",
    "[]x",
    "[100]",
    "{}",
    "{\"a\":1}",
    "\"100\\u0000\"",
];

#[test]
fn numbers_of_every_shape() {
    let (_panel, ann) = shop();
    for value in NO_QUANTITY {
        let body =
            format!(r#"{{"key":"KEY","action":"add","service":1,"link":"x","quantity":{value}}}"#);
        let reply = ann.v2(&body);
        check(&reply, &ann, value);
        assert_eq!((reply.status, reply.header("x-error-code")), (400, Some("bad_request")));
        let text = value.trim_matches('"').replace('+', "%2B").replace("\\u0000", "%00");
        let reply = ann.form(&format!("key=KEY&action=add&service=1&link=x&quantity={text}"));
        check(&reply, &ann, &text);
        assert_eq!((reply.status, reply.header("x-error-code")), (200, Some("bad_request")));
    }
    assert_eq!(ann.balance(), "10.00");
}

/// Bodies that begin like JSON and are none, or are none that means something.
const BROKEN_JSON: [&str; 44] = [
    "{",
    "{}",
    "{{",
    "{}}",
    "{]",
    "{,}",
    "{\"",
    "{\"key",
    "{\"key\"",
    "{\"key\":",
    "{\"key\":}",
    "{\"key\":\"KEY\"",
    "{\"key\":\"KEY\",}",
    "{\"key\":\"KEY\" \"action\":\"balance\"}",
    "{\"key\":\"KEY\",\"action\":\"balance\"}x",
    "{\"key\":\"KEY\",\"action\":\"balance\"}{}",
    "{'key':'KEY','action':'balance'}",
    "{key:\"KEY\"}",
    "{\"key\":\"KEY\",\"action\":balance}",
    "{\"key\":\"KEY\",\"action\":\"bal\nance\"}",
    "{\"key\":\"KEY\",\"action\":\"\\x\"}",
    "{\"key\":\"KEY\",\"action\":\"\\u12\"}",
    "{\"key\":\"KEY\",\"action\":01}",
    "{\"key\":\"KEY\",\"action\":+1}",
    "{\"key\":\"KEY\",\"action\":.5}",
    "{\"key\":\"KEY\",\"action\":1.}",
    "{\"key\":\"KEY\",\"action\":NaN}",
    "{\"key\":\"KEY\",\"action\":Infinity}",
    "{\"key\":\"KEY\",\"action\":nul}",
    "{\"key\":\"KEY\",\"action\":True}",
    "{\"key\":\"KEY\"/**/,\"action\":\"balance\"}",
    "{\"key\":\"KEY\",\"action\":\"balance\",}",
    "{\"key\":\"KEY\",\"action\":{}}",
    "{\"key\":\"KEY\",\"action\":[{}]}",
    "{\"key\":\"KEY\",\"action\":[]}",
    "{\"key\":\"KEY\",\"action\":null}",
    "{\"key\":\"KEY\",\"action\":\"\"}",
    "{\"key\":\"KEY\",\"action\":\"balance\",\"action\":\"balance\"}",
    "{\"key\":\"KEY\",\"key\":\"KEY\",\"action\":\"balance\"}",
    "{\"key\":[\"KEY\"],\"action\":\"balance\"}",
    "{\"key\":{},\"action\":\"balance\"}",
    "{\"key\":\"KEY\",\"action\":\"\\ud800\"}",
    "{\"action\":\"balance\"}",
    "{\"key\":\"KEY\"}",
];

#[test]
fn json_broken_in_every_way() {
    let (_panel, ann) = shop();
    for body in BROKEN_JSON {
        let reply = ann.v2(body);
        check(&reply, &ann, body);
        let is_keyless = matches!(body, "{}" | "{\"action\":\"balance\"}");
        assert_eq!(reply.status, if is_keyless { 401 } else { 400 }, "{body}: {}", reply.text());
    }
    let deep = |count: usize| format!("{{\"key\":{}{}}}", "[".repeat(count), "]".repeat(count));
    for count in [2, 127, 128, 129, 10_000, 500_000] {
        let reply = ann.v2(&deep(count));
        check(&reply, &ann, "deep");
        assert_eq!(reply.status, 400);
    }
    assert_eq!(ann.balance(), "10.00");
}

/// Bodies in no encoding at all, or in a broken one.
const BROKEN_BYTES: [&[u8]; 24] = [
    b"\x00",
    b"\xff",
    b"\xff\xfe{\x00}\x00",
    b"{\"key\":\"\xff\"}",
    b"{\"\xc3\x28\":1}",
    b"[]",
    b"[1]",
    b"null",
    b"1",
    b"\"text\"",
    b"true",
    b"<xml/>",
    b"key",
    b"=",
    b"&&&",
    b"key=%zz&action=balance",
    b"key=%&action=balance",
    b"key=%f&action=balance",
    b"key=%ff&action=balance",
    b"key=%c3%28&action=balance",
    b"key=\xff&action=balance",
    b"key=a&key=a&action=balance",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    b"--B\r\n",
];

#[test]
fn encodings_broken_in_every_way() {
    let (panel, ann) = shop();
    for body in BROKEN_BYTES {
        for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"]
        {
            let reply = panel.send("POST", "/api/v2", &[("Content-Type", content_type)], body);
            check(&reply, &ann, &String::from_utf8_lossy(body));
            let is_json = body.starts_with(b"{");
            assert_eq!(reply.status, if is_json { 400 } else { 200 }, "{content_type}");
        }
    }
    let key = format!("key={}&action=add&service=1&quantity=10&link=", ann.key);
    for link in [&b"%"[..], b"%f", b"%zz", b"%ff", b"\xff", b"%c3%28", b"%ed%a0%80", b"a&link=b"] {
        let body = [key.as_bytes(), link].concat();
        let reply = panel.send("POST", "/api/v2", &[], &body);
        check(&reply, &ann, &String::from_utf8_lossy(link));
        assert_eq!(reply.header("x-error-code"), Some("bad_request"));
    }
    assert_eq!(ann.balance(), "10.00");
}

#[test]
fn multipart_broken_in_every_way() {
    let (panel, ann) = shop();
    let part = |name: &str, value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let key = part("key", &ann.key);
    let bodies = [
        String::new(),
        "--B--\r\n".to_owned(),
        "garbage".to_owned(),
        format!("{key}{}", part("action", "balance")), // the end is missing
        format!("{key}--B--\r\n"),
        format!("{key}{key}{}--B--\r\n", part("action", "balance")),
        "--B\r\n\r\nno name\r\n--B--\r\n".to_owned(),
        format!("--X\r\n{key}--B--\r\n"),
        key.replace("\r\n\r\n", "\r\n"),
    ];
    let types = [
        "multipart/form-data; boundary=B",
        "multipart/form-data",
        "multipart/form-data; boundary=",
    ];
    for body in &bodies {
        for content_type in types {
            let reply = panel.send("POST", "/api/v2", &[("Content-Type", content_type)], body);
            check(&reply, &ann, &format!("{content_type}: {body}"));
            assert_eq!(reply.status, 200);
        }
    }
}

/// Links nobody should be asked to deliver to, as they stand in JSON.
const BAD_LINKS: [&str; 18] = [
    "javascript:alert(1)",
    "JaVaScRiPt:1",
    " javascript:1",
    "data:text/html,x",
    "DATA:,",
    "vbscript:x",
    "file:///etc/passwd",
    "a\\u0000b",
    "\\u0000",
    "a\\u0007b",
    "a\\nb",
    "a\\tb",
    "a\\u007fb",
    "a\\u0085b",
    "\\u202eabc",
    "a\\u2066b",
    "a\\u2069",
    "\\u202a",
];

#[test]
fn links_that_could_run_or_deceive() {
    let (_panel, ann) = shop();
    let add = |link: &str| {
        ann.v2(&format!(
            r#"{{"key":"KEY","action":"add","service":1,"link":"{link}","quantity":10}}"#
        ))
    };
    for link in BAD_LINKS {
        let reply = add(link);
        check(&reply, &ann, link);
        assert_eq!((reply.status, reply.text()), (422, r#"{"error":"Bad link"}"#), "{link}");
    }
    assert_eq!(add(&"y".repeat(2049)).status, 422);
    assert_eq!(ann.balance(), "10.00");
    let good =
        ["@ann", "tg://resolve?domain=x", "some words", "https://x.y/ü?a=b&c#d", "javascript"];
    for link in good {
        assert_eq!(add(link).status, 200, "{link}");
    }
    assert_eq!(add(&"ü".repeat(2048)).status, 200);
}

#[test]
fn fields_of_every_size() {
    let (panel, ann) = shop();
    let megabyte = "y".repeat(1_000_000);
    for body in [
        format!(r#"{{"key":"{megabyte}","action":"balance"}}"#),
        format!(r#"{{"key":"KEY","action":"{megabyte}"}}"#),
        format!(r#"{{"key":"KEY","action":"status","order":"{megabyte}"}}"#),
        format!(
            r#"{{"key":"KEY","action":"add","service":"{megabyte}","link":"x","quantity":10}}"#
        ),
        format!(r#"{{"key":"KEY","action":"add","service":1,"link":"{megabyte}","quantity":10}}"#),
        format!(
            r#"{{"key":"KEY","action":"add","service":1,"link":"x","quantity":{}}}"#,
            "9".repeat(1_000_000)
        ),
        format!(
            r#"{{"key":"KEY","action":"add","service":1,"link":"x","quantity":10,"request_id":"{megabyte}"}}"#
        ),
        format!(
            r#"{{"key":"KEY","action":"add","service":1,"link":"x","quantity":10,"custom_id":"{megabyte}"}}"#
        ),
        format!(
            r#"{{"key":"KEY","action":"status","orders":[{}1]}}"#,
            "1,2,".repeat(100_000).replace("2", "x")
        ),
    ] {
        let reply = ann.v2(&body);
        if reply.status == 200 {
            continue; // a list whose repeats are dropped is a short one
        }
        check(&reply, &ann, &body[..60]);
    }
    let many: String = (0..40_000).map(|n| format!("&a{n}=1&b[]={n}")).collect();
    assert_eq!(ann.form(&format!("key=KEY&action=balance{many}")).status, 200);
    let long_key = "y".repeat(8_000);
    let reply =
        panel.send("POST", "/api/v2", &[JSON, ("X-Api-Key", &long_key)], r#"{"action":"balance"}"#);
    assert_eq!(reply.status, 401);
    // As many comments as a request holds are one order, and nothing is cut off.
    let comments = "nice\\n".repeat(999) + "last";
    let body =
        format!(r#"{{"key":"KEY","action":"add","service":2,"link":"x","comments":"{comments}"}}"#);
    assert_eq!(ann.v2(&body).status, 200);
    let more = format!(
        r#"{{"key":"KEY","action":"add","service":2,"link":"x","comments":"{comments}\nx"}}"#
    );
    assert_eq!(ann.v2(&more).header("x-error-code"), Some("quantity_above"));
}

/// Bytes that are no HTTP, or only nearly.
const BROKEN_HTTP: [&[u8]; 22] = [
    b"\r\n\r\n", b"\x00\x00\x00\x00\r\n\r\n", b"GET\r\n\r\n", b"POST /api/v2\r\n\r\n",
    b"POST /api/v2 HTTP/9.9\r\n\r\n", b"POST /api/v2 HTTP/1.1\r\nHost\r\n\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n{}",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
    b"POST /api/v2 HTTP/1.1\r\nHost: x\r\n X: y\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /api/v2\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /api/v2?key=\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST http://[/api/v2 HTTP/1.1\r\nHost: x\r\n\r\n",
];

#[test]
fn bytes_that_are_no_http() {
    use std::io::Write as _;
    use std::net::Shutdown;

    let (panel, ann) = shop();
    let long =
        [b"POST /api/v2 HTTP/1.1\r\nX: ".as_slice(), &vec![b'y'; 300_000], b"\r\n\r\n"].concat();
    for bytes in BROKEN_HTTP.iter().copied().chain([long.as_slice()]) {
        let mut stream = http::connect(panel.address);
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        if let Some(reply) = http::read_reply(&mut stream) {
            let request = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
            assert!((200..500).contains(&reply.status), "{request}: {}", reply.status);
        }
        assert_eq!(ann.balance(), "10.00", "the panel goes on");
    }
}

/// A seeded storm of mutated requests: whatever comes, the panel answers and nobody pays.
#[test]
fn mutated_requests() {
    let (panel, ann) = shop();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let seeds = [
        r#"{"key":"KEY","action":"add","service":1,"link":"x","quantity":5}"#.to_owned(),
        "key=KEY&action=add&service=1&link=x&quantity=5".to_owned(),
        r#"{"key":"KEY","action":"status","orders":[1,2,"3"]}"#.to_owned(),
    ];
    for round in 0..400 {
        let mut body = seeds[round % seeds.len()].replace("KEY", &ann.key).into_bytes();
        for _ in 0..=random(3) {
            let at = random(body.len());
            match random(4) {
                0 => body[at] = b"\"{}[],:\\%&=\x00\xff0-e."[random(17)],
                1 => body.truncate(at.max(1)),
                2 => body.insert(at, b"\"{}[],:\\%&=\x00\xff0-e."[random(17)]),
                _ => drop(body.remove(at)),
            }
            if body.is_empty() {
                body.push(b'{');
            }
        }
        let reply = panel.send("POST", "/api/v2", &[JSON], &body);
        let request = String::from_utf8_lossy(&body);
        assert!(reply.status < 500, "{request}: {}", reply.status);
        assert!(reply.json().is_object() || reply.json().is_array(), "{request}");
    }
    assert_eq!(ann.balance(), "10.00", "5 is below the minimum, whatever else is wrong");
}

#[test]
fn what_says_nothing_is_not_there() {
    let panel = Panel::start();
    let ann = panel.reseller("ann", "10");
    let bearer = format!("Bearer {}", ann.key);
    for empty in ["", " ", "null", "undefined"] {
        let headers = [("X-Api-Key", empty), ("Authorization", &bearer)];
        let reply = http::send(ann.address, "POST", "/api/v2", &headers, b"action=balance");
        assert_eq!(reply.status, 200, "{empty:?}: {}", reply.text());
        assert_eq!(reply.json()["balance"], "10.00");
    }
    // Clients that always say multipart say it also of nothing.
    let headers = [("Content-Type", "multipart/form-data; boundary=x")];
    let path = format!("/api/v2?key={}&action=balance", ann.key);
    for method in ["GET", "POST"] {
        let reply = http::send(ann.address, method, &path, &headers, b"");
        assert_eq!(reply.json()["balance"], "10.00", "{method}: {}", reply.text());
    }
}
