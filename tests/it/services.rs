//! The catalogue over the API: never stale, whoever changes it, and the same in every encoding.

use std::io::Read;

use crate::fixture::http::{self, Reply};
use crate::fixture::panel::{Panel, Reseller, stderr};
use flate2::read::GzDecoder;

fn shop() -> Panel {
    let panel = Panel::start();
    let lines: Vec<String> = (1..=60)
        .map(|id| format!("{id},Likes,Service number {id},Default,2.00,10,1000,0,0,1,,,About {id}"))
        .collect();
    panel.services(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    panel
}

/// The rate of service 1, as the reseller sees it.
fn rate(reseller: &Reseller) -> String {
    let reply = reseller.form("key=KEY&action=services");
    reply.json()[0]["rate"].as_str().unwrap().to_owned()
}

fn ask(reseller: &Reseller, encoding: &str, body: &str) -> Reply {
    let body = body.replace("KEY", &reseller.key);
    http::send(
        reseller.address,
        "POST",
        "/api/v2",
        &[("Accept-Encoding", encoding)],
        body.as_bytes(),
    )
}

fn cli(panel: &Panel, args: &[&str]) {
    let output = panel.cli(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
}

#[test]
fn what_another_process_changes_counts_at_once() {
    let panel = shop();
    let (ann, bob) = (panel.reseller("ann", "0"), panel.reseller("bob", "0"));
    assert_eq!((rate(&ann), rate(&bob)), ("2.00".to_owned(), "2.00".to_owned()));

    cli(&panel, &["user", "set", "ann", "--discount", "10"]);
    assert_eq!((rate(&ann), rate(&bob)), ("1.80".to_owned(), "2.00".to_owned()));
    cli(&panel, &["user", "rate", "bob", "1", "0.50"]);
    assert_eq!((rate(&ann), rate(&bob)), ("1.80".to_owned(), "0.50".to_owned()));
    cli(&panel, &["user", "rate", "bob", "1", "default"]);
    assert_eq!((rate(&ann), rate(&bob)), ("1.80".to_owned(), "2.00".to_owned()));

    let csv = panel.db().with_file_name("services.csv");
    let header = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description";
    let import = |line: &str| {
        std::fs::write(&csv, format!("{header}\n{line}\n")).unwrap();
        cli(&panel, &["service", "import", csv.to_str().unwrap()]);
    };
    import("1,Likes,Service number 1,Default,3.00,10,1000,0,0,1,,,");
    assert_eq!((rate(&ann), rate(&bob)), ("2.70".to_owned(), "3.00".to_owned()));
    import("61,Likes,A new one,Default,3.00,10,1000,0,0,1,,,");
    let list = bob.form("key=KEY&action=services").json();
    assert_eq!(list.as_array().unwrap().len(), 61);
}

#[test]
fn prices_that_are_the_same_are_one_list_and_others_are_not() {
    let panel = shop();
    let resellers = ["a", "b", "c", "d"].map(|name| panel.reseller(name, "0"));
    for name in ["a", "b"] {
        cli(&panel, &["user", "set", name, "--discount", "25"]);
    }
    cli(&panel, &["user", "rate", "c", "1", "9"]);
    for _ in 0..3 {
        let rates = resellers.each_ref().map(rate);
        assert_eq!(rates, ["1.50", "1.50", "9.00", "2.00"]);
    }
}

#[test]
fn every_encoding_says_the_same() {
    let panel = shop();
    let ann = panel.reseller("ann", "0");
    for body in [
        "key=KEY&action=services",
        "key=KEY&action=services&extended=1",
        r#"{"key":"KEY","action":"services"}"#,
        r#"{"key":"KEY","action":"services","extended":true}"#,
    ] {
        let plain = ask(&ann, "identity", body);
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.text().contains("About 7"), body.contains("extended"));
        let gzip = ask(&ann, "deflate, gzip", body);
        let brotli = ask(&ann, "gzip, deflate, br", body);
        for reply in [&plain, &gzip, &brotli] {
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("vary"), Some("Accept-Encoding"));
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            assert_eq!(reply.header("content-type"), Some("application/json"));
        }
        let mut unpacked = Vec::new();
        assert_eq!(gzip.header("content-encoding"), Some("gzip"));
        GzDecoder::new(&gzip.body[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body);
        let mut unpacked = Vec::new();
        assert_eq!(brotli.header("content-encoding"), Some("br"));
        brotli::BrotliDecompress(&mut &brotli.body[..], &mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body);
        assert!(brotli.body.len() < plain.body.len() / 5);
    }
}

#[test]
fn many_who_ask_at_once_get_the_same() {
    let panel = shop();
    let ann = panel.reseller("ann", "0");
    let body = r#"{"key":"KEY","action":"services"}"#;
    let replies: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..16).map(|_| scope.spawn(|| ask(&ann, "br", body).body)).collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    assert!(replies.windows(2).all(|pair| pair[0] == pair[1]));
}
