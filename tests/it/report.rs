//! What providers say of orders, as a table: every word, and what it does to an order and its
//! money. Random reports afterwards, which never move money unless a line of the table says so.

use panelite::domain::delivery::Hand;
use panelite::domain::money::{Money, Rate};
use panelite::domain::order::{Change, Order, OrderStatus, Part, PublicStatus, Settlement, Shown};
use panelite::domain::provider::{Dialect, Exchange, Terms};
use panelite::domain::report::{Charged, Reading, Report};
use panelite::domain::service::ServiceKind;
use panelite::domain::{OrderId, ServiceId, Timestamp, UserId};

use crate::fixture::table::rows;

/// An order of 1000 units at 2.50 that runs, of which 400 remain.
fn order(kind: ServiceKind) -> Order {
    let units = if kind == ServiceKind::Package { 1 } else { 1000 };
    let money = |text| Money::parse(text).unwrap();
    Order {
        id: OrderId(1),
        user: UserId(1),
        service: ServiceId(1),
        part: Part::Whole,
        kind,
        link: "x".to_owned(),
        quantity: units,
        units,
        drip_feed: None,
        rate: Rate::parse("2.50").unwrap(),
        charge: money("2.50"),
        refunded: Money::ZERO,
        status: OrderStatus::Active,
        shown: Shown::Processing,
        start_count: None,
        remains: if kind == ServiceKind::Package { 1 } else { 400 },
        custom_id: None,
        created_at: Timestamp(0),
        finished_at: None,
        cancel_requested_at: None,
    }
}

fn said(word: &str, remains: Option<i64>) -> Report {
    Report { word: word.to_owned(), remains, ..Report::default() }
}

/// `Completed, remains 0, kept 2.50`, `hand word` or `same`.
fn told(reading: &Reading) -> String {
    match reading {
        Reading::Same => "same".to_owned(),
        Reading::Unclear(hand) => format!("hand {}", hand.as_str()),
        Reading::Moved(change) => {
            let status = PublicStatus::of(change.status, change.shown);
            let kept = change.settlement.map(|it| format!(", kept {}", it.kept));
            format!("{status}, remains {}{}", change.remains, kept.unwrap_or_default())
        }
    }
}

const WORDS: &str = "
    words                                                  | remains | the order
    pending, Queued, AWAITING, waiting, new, submitted     | 400     | Pending, remains 400
    processing, Preparing, moderation, On hold, on-hold    | 400     | same
    In progress, in_progress, INPROGRESS, active, running  | 400     | In progress, remains 400
    started                                                | –       | In progress, remains 400
    started                                                | 0       | In progress, remains 0
    processing                                             | 700     | Processing, remains 700
    processing                                             | -5      | Processing, remains 0
    processing                                             | 5000    | Processing, remains 1000
    completed, Complete, success, Done, finished,delivered | 17      | Completed, remains 0, kept 2.50
    partial, Partial completed, partially_complete         | 400     | Partial, remains 400, kept 1.50
    partial                                                | 1       | Partial, remains 1, kept 2.4975
    partial                                                | 999     | Partial, remains 999, kept 0.0025
    partial                                                | 1000    | Canceled, remains 1000, kept 0.00
    partial                                                | 0       | hand partial
    partial                                                | –       | hand partial
    partial                                                | 1001    | hand partial
    partial                                                | -1      | hand partial
    Canceled, cancelled, cancel, refunded, refund          | –       | Canceled, remains 400, kept 0.00
    rejected, DECLINED                                     | 1000    | Canceled, remains 1000, kept 0.00
    fail, failed, error, expired, paused, refill           | 0       | hand word
    Completed?, 42, complété                               | 0       | hand word
";

#[test]
fn each_word_does_what_the_table_says() {
    for row in rows(WORDS) {
        for word in row[0].split(',').map(str::trim) {
            let report = said(word, row[1].parse().ok());
            let reading = order(ServiceKind::Default).report(&report, 0);
            assert_eq!(told(&reading), row[2], "{word}, {}", row[1]);
        }
    }
    let nothing = order(ServiceKind::Default).report(&said("", Some(0)), 0);
    assert_eq!(nothing, Reading::Unclear(Hand::Word));
}

#[test]
fn a_package_is_delivered_whole_or_waits_for_a_person() {
    for remains in [None, Some(0), Some(1), Some(500)] {
        let partial = order(ServiceKind::Package).report(&said("Partial", remains), 0);
        assert_eq!(partial, Reading::Unclear(Hand::Partial), "{remains:?}");
    }
    let done = order(ServiceKind::Package).report(&said("Completed", Some(500)), 0);
    assert_eq!(told(&done), "Completed, remains 0, kept 2.50");
}

#[test]
fn what_has_ended_is_not_moved_and_a_contradiction_is_seen() {
    let ends = [
        (OrderStatus::Completed, 0, "Completed"),
        (OrderStatus::Partial, 400, "Partial"),
        (OrderStatus::Canceled, 1000, "Canceled"),
    ];
    for (status, remains, own) in ends {
        let order = Order { status, remains, ..order(ServiceKind::Default) };
        for word in ["Completed", "Partial", "Canceled", "In progress", "fail"] {
            let report = said(word, Some(remains));
            assert_eq!(order.report(&report, 0), Reading::Same, "{own}: {word}");
            let is_nothing = status == OrderStatus::Canceled && word == "Partial";
            let agrees = word == own || word == "fail" || is_nothing;
            assert_eq!(order.is_contradicted(&report), !agrees, "{own}: {word}");
        }
    }
    let partial = Order { status: OrderStatus::Partial, ..order(ServiceKind::Default) };
    assert!(partial.is_contradicted(&said("Partial", Some(300))));
    assert!(!partial.is_contradicted(&said("Partial", None)));
}

#[test]
fn a_start_count_is_only_raised_and_only_in_the_first_hour() {
    let table = "
        known | said | minutes | becomes
        –     | –    | 0       | –
        –     | 0    | 0       | 0
        –     | 70   | 5000    | 70
        0     | 70   | 5000    | 70
        70    | 90   | 60      | 90
        70    | 90   | 61      | 70
        70    | 50   | 1       | 70
        70    | –    | 1       | 70
        70    | -1   | 1       | 70
    ";
    for row in rows(table) {
        let order = Order { start_count: row[0].parse().ok(), ..order(ServiceKind::Default) };
        let start_count = row[1].parse().ok();
        let report = Report { start_count, ..said("Completed", None) };
        let reading = order.report(&report, row[2].parse::<i64>().unwrap() * 60);
        let Reading::Moved(change) = reading else { panic!("{reading:?}") };
        assert_eq!(change.start_count, row[3].parse().ok(), "{row:?}");
    }
}

#[test]
fn a_charge_counts_in_the_currency_that_was_set_up() {
    let terms = Terms {
        name: "p".to_owned(),
        dialect: Dialect::Form,
        currency: "EUR".to_owned(),
        exchange: Exchange::parse("1.1").unwrap(),
        is_insecure: false,
        sends_ids: true,
        timeout_seconds: 30,
        low: None,
    };
    let charged = |micros: Option<i64>, currency: Option<&str>| {
        let (charge, currency) = (micros.map(Money::from_micros), currency.map(str::to_owned));
        Report { charge, currency, ..said("Completed", None) }.charged(&terms)
    };
    let ours = |micros| Charged::Said(Money::from_micros(micros));
    assert_eq!(charged(Some(1_000_001), Some("eur")), ours(1_100_002));
    assert_eq!(charged(Some(10), None), ours(11));
    assert_eq!(charged(Some(10), Some("USD")), Charged::OtherCurrency);
    for nothing in [None, Some(-1), Some(i64::MAX)] {
        assert_eq!(charged(nothing, None), Charged::NotSaid);
    }
}

#[test]
fn no_report_moves_money_unless_the_table_says_so() {
    const PARTS: [&str; 16] = [
        "partial",
        "Completed",
        "cancel",
        "in",
        "progress",
        "fail",
        "ed",
        "_",
        "-",
        " ",
        "0",
        "refund",
        "\u{202e}",
        "done",
        "Pending",
        "K",
    ];
    let mut seed: u64 = 0x5eed;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from((seed >> 33) % below).unwrap()
    };
    for _ in 0..100_000 {
        let kind = if draw(4) == 0 { ServiceKind::Package } else { ServiceKind::Default };
        let order = Order { remains: draw(2), ..order(kind) };
        let parts = (0..=draw(3)).map(|_| PARTS[usize::try_from(draw(16)).unwrap()]);
        let word: String = parts.collect();
        let remains = (draw(3) > 0).then(|| draw(3000) - 1000);
        let start_count = (draw(2) > 0).then(|| draw(100) - 50);
        let report = Report { start_count, ..said(&word, remains) };
        let reading = order.report(&report, draw(8000));
        let Reading::Moved(Change { status, remains: left, settlement, .. }) = reading else {
            continue;
        };
        assert!((0..=order.units).contains(&left), "{report:?}");
        let plain = word.to_lowercase().replace([' ', '_', '-'], "");
        let is_partial = ["partial", "partialcompleted"].contains(&&*plain);
        let Some(Settlement { kept, refund }) = settlement else {
            assert_eq!(status, OrderStatus::Active);
            continue;
        };
        assert_eq!(kept.checked_add(refund), Some(order.charge), "{report:?}");
        match status {
            OrderStatus::Completed => {
                assert!(["completed", "done"].contains(&&*plain), "{report:?}");
            }
            OrderStatus::Partial => {
                assert!(is_partial && remains == Some(left), "{report:?}");
            }
            OrderStatus::Canceled => {
                let is_nothing = is_partial && remains == Some(order.units);
                let is_said = ["cancel", "canceled", "refund", "refunded"].contains(&&*plain);
                assert!(is_said || is_nothing, "{report:?}");
            }
            OrderStatus::Pending
            | OrderStatus::Sending
            | OrderStatus::Unknown
            | OrderStatus::Active => panic!("{report:?}"),
        }
    }
}
