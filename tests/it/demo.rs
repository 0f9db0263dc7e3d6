//! The sample shop: what scripts are promised of it, and that its month looks alive.

use std::collections::BTreeSet;
use std::path::Path;

use panelite::clock::Clock;
use panelite::domain::ledger::PostingKind;
use panelite::domain::money::Money;
use panelite::domain::order::{Order, PublicStatus};
use panelite::domain::refill::RefillStatus;
use panelite::domain::service::ServiceKind;
use panelite::domain::setting::Setting;
use panelite::domain::{OrderId, Timestamp, UserId};
use panelite::store::page::Cursor;
use panelite::store::users::Which;
use panelite::store::{
    Missing, Read, Result, Store, figures, order_list, orders, postings, refills, services,
    settings, users,
};
use serde_json::Value;

use crate::fixture::engine;
use crate::fixture::http::{self, Reply};
use crate::fixture::panel::{EPOCH, cli, stderr, stdout};
use crate::fixture::sample;
use crate::fixture::server::Server;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Every field that any type of service asks for.
const FIELDS: &str = "&link=https://example.com/p&comments=one%0Atwo&usernames=ann%0Abob\
    &username=ann&hashtags=a%0Ab&hashtag=a&keywords=a%0Ab&groups=a%0Ab&media=m&answer_number=2\
    &country=WW&device=1&type_of_traffic=1&min=10&max=20&delay=0";

fn demo(db: &Path) -> Value {
    let output = cli(db, &["demo", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asks by the key of somebody whom the demo names.
fn ask(server: &Server, demo: &Value, who: &str, fields: &str) -> Reply {
    let body = format!("key={}&{fields}", demo["keys"][who].as_str().unwrap());
    http::send(server.address, "POST", "/api/v2", &[], body.as_bytes())
}

fn keys_of(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_sample_shop_is_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("demo.db");
    let demo = demo(&db);
    assert_eq!(keys_of(&demo), ["admin", "keys", "refill_orders"]);
    assert_eq!(keys_of(&demo["admin"]), ["name", "password"]);
    assert_eq!(keys_of(&demo["keys"]), ["alice", "bob"]);
    assert_eq!(demo["admin"]["name"], "admin");
    assert!(demo["admin"]["password"].as_str().unwrap().len() >= 12);
    assert_eq!(stdout(&cli(&db, &["check"])), "sound\n");
    let again = cli(&db, &["demo"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("There are users already"));

    let server = Server::start(&db);
    assert_eq!(ask(&server, &demo, "alice", "action=balance").json()["balance"], "1000.00");
    assert_eq!(ask(&server, &demo, "bob", "action=balance").json()["balance"], "0.00");
    let orders = ask(&server, &demo, "alice", "action=orders&limit=100").json();
    let statuses: BTreeSet<_> =
        orders.as_array().unwrap().iter().map(|line| line["status"].to_string()).collect();
    assert_eq!(statuses.len(), PublicStatus::ALL.len(), "an order of every status");

    let refill_orders: BTreeSet<i64> =
        demo["refill_orders"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect();
    assert_eq!(refill_orders.len(), 40);
    for order in refill_orders {
        let status = ask(&server, &demo, "alice", &format!("action=status&order={order}")).json();
        assert_eq!(status["status"], "Completed");
        let refill = ask(&server, &demo, "alice", &format!("action=refill&order={order}"));
        assert!(refill.json()["refill"].is_string(), "order {order}: {}", refill.text());
    }
    drop(server);
    assert_eq!(stdout(&cli(&db, &["check"])), "sound\n");
}

#[test]
fn a_sample_shop_that_could_not_seal_anything_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("demo.db");
    let nowhere = folder.path().join("none").join("panel.key");
    let args = ["demo", "--practice", "--key-file", nowhere.to_str().unwrap()];
    assert_eq!(cli(&db, &args).status.code(), Some(74));
    assert!(cli(&db, &["demo"]).status.success(), "nothing was written");
}

#[test]
fn everything_in_the_sample_shop_can_be_bought() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("demo.db");
    let demo = demo(&db);
    let server = Server::start(&db);
    let store = Store::open(engine::place(&db), Missing::Refuse, Clock::System).unwrap();
    for setting in
        [Setting::KeyRate, Setting::KeyBurst, Setting::WrongKeyRate, Setting::Connections]
    {
        assert_eq!(store.page(|db| settings::get(db, setting)).unwrap(), "0", "{setting:?}");
    }
    let offers = store.page(|db| services::list_offers(db, None)).unwrap();
    let listings: Vec<_> = offers.iter().map(|offer| &offer.service.listing).collect();
    for kind in ServiceKind::ALL {
        let is_sold = listings.iter().any(|it| it.kind == *kind && it.provider.is_none());
        assert!(is_sold, "{kind:?} without a provider");
    }
    assert!(listings.iter().any(|it| it.is_dripfeed && it.is_refill && it.is_cancel));
    let comments = listings.iter().find(|it| it.kind == ServiceKind::CustomComments).unwrap();
    assert_eq!(comments.quantity_max, 1000);

    for offer in &offers {
        let (id, least) = (offer.service.id, offer.service.listing.quantity_min);
        let fields = format!("action=add&service={id}&quantity={least}{FIELDS}");
        let reply = ask(&server, &demo, "alice", &fields);
        assert!(reply.json()["order"].is_i64(), "service {id}: {}", reply.text());
    }
    let cheapest = offers.iter().map(|offer| &offer.service);
    let cheapest = cheapest.filter(|it| it.listing.kind == ServiceKind::Default);
    let cheapest = cheapest.min_by_key(|it| it.listing.rate.micros()).unwrap();
    for number in 0..300 {
        let (id, quantity) = (cheapest.id, cheapest.listing.quantity_min + number);
        let fields = format!("action=add&service={id}&link=x{number}&quantity={quantity}");
        let reply = ask(&server, &demo, "alice", &fields);
        assert!(reply.json()["order"].is_i64(), "order {number}: {}", reply.text());
    }
    drop((store, server));
    assert_eq!(stdout(&cli(&db, &["check"])), "sound\n");
}

/// A sample shop that was filled at that instant; and alice's orders that can be refilled.
fn filled_at(now: i64) -> (tempfile::TempDir, Store, Vec<OrderId>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.db");
    let store = Store::open(engine::place(&path), Missing::Create, Clock::manual(now)).unwrap();
    let refillable = sample::fill(&store);
    (folder, store, refillable)
}

/// Every order there is, the newest first.
fn all_orders(db: &Read<'_>) -> Result<Vec<Order>> {
    orders::list(db, &orders::Filter { limit: 10_000, ..orders::Filter::default() })
}

#[test]
fn the_month_looks_alive_whenever_it_ends() {
    // Of the day and of the week every hour that may matter: each fill ends 21 hours after another.
    let ends = (0..8).map(|step| EPOCH + step * 21 * HOUR);
    for now in ends.take(engine::often(8)) {
        let (_folder, store, refillable) = filled_at(now);
        assert_eq!(refillable.len(), 40);
        let balance = |user| store.page(|db| users::balance(db, UserId(user))).unwrap();
        assert_eq!((balance(1), balance(2)), (Money::parse("1000").unwrap(), Money::ZERO));
        let findings = store.check().unwrap();
        assert!(findings.is_empty(), "{findings:#?}");

        store.page(|db| its_orders_are_spread(db, now)).unwrap();
        store.page(its_work_waits).unwrap();
        store.page(its_people_differ).unwrap();
    }
}

fn its_orders_are_spread(db: &Read<'_>, now: i64) -> Result<()> {
    let slots = figures::list(db, Timestamp(0), Timestamp(now + DAY))?;
    let sold = slots.iter().filter(|(_, slot)| slot.orders > 0);
    let days: BTreeSet<i64> = sold.map(|(at, _)| at.0 / DAY).collect();
    assert!(days.len() >= 25, "orders on {} days", days.len());
    assert!(slots.iter().all(|(at, _)| (now - 30 * DAY - HOUR..=now).contains(&at.0)));
    // The first of all days was a Thursday.
    let is_weekend = |at: Timestamp| matches!((at.0 / DAY + 4) % 7, 0 | 6);
    let count = |on_weekend: bool| -> i64 {
        let on = slots.iter().filter(|(at, _)| is_weekend(*at) == on_weekend);
        on.map(|(_, slot)| slot.orders).sum()
    };
    assert!(count(true) * 5 > count(false) * 2, "more on a day of the weekend");

    for (status, count) in orders::counts(db)? {
        assert!(count > 0, "{status:?}");
    }
    let orders = all_orders(db)?;
    assert!(orders.windows(2).all(|pair| pair[0].created_at >= pair[1].created_at));
    assert!(orders.iter().map(|order| order.user).collect::<BTreeSet<_>>().len() >= 6);
    assert!(orders.iter().map(|order| order.service).collect::<BTreeSet<_>>().len() >= 20);
    for part in ["igsh=", "tiktok.com/@", "youtube.com/watch?v=", "t.me/"] {
        assert!(orders.iter().any(|order| order.link.contains(part)), "{part}");
    }
    Ok(())
}

fn its_work_waits(db: &Read<'_>) -> Result<()> {
    assert!(order_list::count_cancel_requests(db, 100)? >= 3);
    assert!(refills::count(db, RefillStatus::Pending, 100)? >= 3);
    for status in RefillStatus::ALL {
        assert!(refills::count(db, *status, 100)? > 0, "{status:?}");
    }
    Ok(())
}

fn its_people_differ(db: &Read<'_>) -> Result<()> {
    let filter = users::Filter { size: 100, ..users::Filter::default() };
    let people = users::page(db, &filter)?.rows;
    assert!(people.iter().any(|it| it.rates > 0), "a custom rate");
    assert!(people.iter().any(|it| it.user.discount.basis_points() > 0), "a discount");
    let suspended = users::Filter { which: Which::Suspended, ..filter };
    assert_eq!(users::page(db, &suspended)?.rows.len(), 1);

    let deposits = postings::Filter {
        kind: Some(PostingKind::Deposit),
        cursor: Cursor::Newest,
        size: 1000,
        ..postings::Filter::default()
    };
    let deposits = postings::page(db, &deposits)?.rows;
    assert!(deposits.len() >= 10 && deposits.iter().all(|entry| !entry.note.is_empty()));

    let catalogue = services::list(db)?;
    let categories: BTreeSet<&str> = catalogue.iter().map(|it| it.category.as_str()).collect();
    assert!(categories.len() >= 8, "{categories:?}");
    for service in &catalogue {
        let name = &service.service.listing.name;
        assert!((60..=110).contains(&name.chars().count()), "{name}");
    }
    Ok(())
}

#[test]
fn two_sample_shops_of_one_instant_are_the_same() {
    let of = |now| {
        let (_folder, store, refillable) = filled_at(now);
        (store.page(all_orders).unwrap(), refillable)
    };
    assert_eq!(of(EPOCH + HOUR), of(EPOCH + HOUR));
}
