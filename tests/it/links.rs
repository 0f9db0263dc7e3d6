//! An order is found by its link, however the link was pasted.

use crate::admin_orders::{ids, shop};
use crate::fixture::http::Reply;
use crate::fixture::operator::{Operator, encode};
use crate::fixture::panel::Reseller;

/// Orders for these links, numbered from 1.
const LINKS: [&str; 8] = [
    "https://www.instagram.com/reel/DBiNWFlZA-x/?igsh=MzRlODBiNWFlZA==",
    "instagram.com/reel/DBiNWFlZA-x",
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ&si=AbCd",
    "https://youtube.com/watch?v=aQw4w9WgXcQ",
    "https://www.tiktok.com/@ann/video/7301?is_from_webapp=1",
    "https://t.me/ann/42",
    "@Ann",
    "https://www.instagram.com/reel/dbinwflza-x/",
];

/// What is pasted into the box of the list, and the orders that it finds.
const SEARCHES: &[(&str, &[i64])] = &[
    ("https://www.instagram.com/reel/DBiNWFlZA-x/?igsh=MzRlODBiNWFlZA==", &[2, 1]),
    ("https://www.instagram.com/reel/DBiNWFlZA-x/?igsh=other&utm_source=qr", &[2, 1]),
    ("INSTAGRAM.COM/reel/DBiNWFlZA-x", &[2, 1]),
    ("instagram.com/reel/DBiN", &[2, 1]),
    ("instagram.com/reel/", &[8, 2, 1]),
    ("www.instagram.com", &[8, 2, 1]),
    ("https://m.youtube.com/watch?v=dQw4w9WgXcQ", &[3]),
    ("youtube.com/watch?v=aQw4w9WgXcQ&t=30s", &[4]),
    ("youtube.com/watch?v=", &[4, 3]),
    ("youtube.com/watch?v=xQw4w9WgXcQ", &[]),
    ("tiktok.com/@ann/video/7301", &[5]),
    ("http://telegram.me/ann/42/", &[6]),
    ("@Ann", &[7]),
    ("@An", &[7]),
    ("@ann", &[]),
    ("%", &[]),
];

fn buy(ann: &Reseller) {
    for (number, link) in (1..).zip(LINKS) {
        let order = ["link", "service", "quantity"].into_iter().zip([link, "1", "100"]);
        assert_eq!(ask(ann, "add", order).json()["order"], number, "{link}");
    }
}

fn ask<'a>(
    ann: &Reseller,
    action: &'a str,
    fields: impl Iterator<Item = (&'a str, &'a str)>,
) -> Reply {
    let fields: Vec<(&str, String)> =
        fields.chain([("action", action)]).map(|(name, value)| (name, value.to_owned())).collect();
    ann.form(&format!("key=KEY&{}", encode(&fields)))
}

fn found(olga: &mut Operator, fields: &[(&str, &str)]) -> Vec<i64> {
    let fields: Vec<(&str, String)> =
        fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    ids(&olga.see(&format!("/admin/orders?{}", encode(&fields))))
}

#[test]
fn the_list_finds_an_order_however_its_link_is_pasted() {
    let (_panel, mut olga, ann, bob) = shop();
    buy(&ann);
    for (text, wanted) in SEARCHES {
        assert_eq!(found(&mut olga, &[("q", text)]), *wanted, "{text}");
        assert_eq!(found(&mut olga, &[("q", text), ("user", "ann")]), *wanted, "{text}");
        assert_eq!(found(&mut olga, &[("q", text), ("user", "bob")]), [0; 0], "{text}");
    }
    drop(bob);
    let pages = [("q", "instagram.com"), ("size", "50"), ("older", "8")];
    assert_eq!(found(&mut olga, &pages), [2, 1], "the next page");
    assert_eq!(found(&mut olga, &[("link", "Instagram.com/reel/DBiNWFlZA-x")]), [2, 1]);
    assert_eq!(found(&mut olga, &[("link", "instagram.com/reel/DBiN")]), [0; 0]);
}

#[test]
fn an_order_names_the_others_for_its_link() {
    let (_panel, mut olga, ann, _bob) = shop();
    buy(&ann);
    assert!(olga.see("/admin/orders/1").contains("href=\"/admin/orders/2\""));
    let video = olga.see("/admin/orders/3");
    assert!(!video.contains("href=\"/admin/orders/4\""), "another video");
}

#[test]
fn the_api_finds_exactly_the_link_that_was_sent() {
    let (_panel, _olga, ann, _bob) = shop();
    buy(&ann);
    for (number, link) in (1..).zip(LINKS) {
        let list = ask(&ann, "orders", [("link", link)].into_iter()).json();
        let orders: Vec<_> =
            list.as_array().unwrap().iter().map(|order| order["order"].clone()).collect();
        assert_eq!(orders, [number], "{link}");
    }
    let list =
        ask(&ann, "orders", [("link", "https://instagram.com/reel/DBiNWFlZA-x")].into_iter());
    assert_eq!(list.text(), "[]");
}
