//! Orders that need a decision: the list, the order's own page, and what each decision does.

use panelite::domain::delivery::Stage;
use panelite::domain::outcome::{Family, Outcome};
use panelite::domain::{OrderId, ProviderId};
use panelite::practice::{Mode, Practice};
use panelite::store::{audit, deliveries};

use crate::fixture::operator::{Operator, form};
use crate::fixture::panel::{Panel, Reseller};

const HAND: &str = "/admin/orders?tab=hand";

/// A panel whose service 20 is bought from North, and ann with so many orders of 1000 units, of
/// which nobody knows where they are.
fn shop(orders: usize) -> (Panel, Reseller, Operator, ProviderId) {
    let panel = Panel::start();
    let north = panel.sells_through(20);
    let ann = panel.reseller("ann", "100");
    for _ in 0..orders {
        ann.buys(20, 1000);
        panel.doubts(north);
    }
    let olga = panel.operator("olga");
    (panel, ann, olga, north)
}

fn stage(panel: &Panel, order: i64) -> Option<Stage> {
    let found = panel.store().point(|db| deliveries::find(db, OrderId(order))).unwrap();
    found.map(|delivery| delivery.stage)
}

/// Answers the question that a decision leads to, as somebody who has looked.
fn decide(olga: &mut Operator, path: &str, fields: &[(&str, &str)]) -> String {
    let asked = olga.post(path, fields);
    assert_eq!(asked.status, 200, "{}", asked.text());
    let mut carried = form(asked.text(), path);
    carried.iter_mut().filter(|(name, _)| name == "looked").for_each(|(_, it)| *it = "1".into());
    let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let reply = olga.post(path, &carried);
    assert_eq!(reply.status, 303, "{}", reply.text());
    asked.text().to_owned()
}

#[test]
fn an_order_nobody_knows_about_is_shown_with_what_was_said() {
    let (_panel, _ann, mut olga, _) = shop(2);
    let page = olga.see(HAND);
    for text in [
        "Needs a decision <span class=\"count\">2</span>",
        "The connection was closed before an answer came",
        "Bought likes",
        "<bdi>North</bdi>",
        "Send again",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(olga.see("/admin").contains("2 orders need a decision"));
    let other = olga.see(&format!("{HAND}&provider=2"));
    assert!(other.contains("No order needs a decision for this"), "{other}");
    let loss = olga.see(&format!("{HAND}&hand=loss"));
    assert!(loss.contains("Clear the filter"), "{loss}");
    assert!(olga.see(&format!("{HAND}&hand=unknown&provider=1")).contains("/admin/orders/2"));
}

#[test]
fn nothing_is_decided_before_somebody_has_looked() {
    let (panel, ann, mut olga, _) = shop(1);
    let fields = [("id", "1"), ("decision", "refund"), ("confirmed", "yes")];
    let asked = olga.post("/admin/orders/hand", &fields);
    for text in [
        "Cancel order 1 and refund 1.00 USD?",
        "I have looked at the provider: it does not have this order",
        "it is delivered for nothing",
        "The connection was closed",
    ] {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    assert_eq!((stage(&panel, 1), ann.balance()), (Some(Stage::Call), "99.00".to_owned()));

    decide(&mut olga, "/admin/orders/hand", &[("id", "1"), ("decision", "refund")]);
    assert_eq!((stage(&panel, 1), ann.balance()), (None, "100.00".to_owned()));
    let page = olga.see(HAND);
    assert!(page.contains("Canceled and refunded: order 1"), "{page}");
    assert!(page.contains("No order needs a decision."), "{page}");
    let last = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!((last.verb.as_str(), last.object.as_str()), ("order.give_up", "order 1"));
    assert!(last.change.contains("connection was closed"), "with the evidence: {}", last.change);
}

#[test]
fn a_decision_sent_twice_decides_once() {
    let (panel, _ann, mut olga, north) = shop(1);
    let path = "/admin/orders/1/decide";
    let asked = olga.post(path, &[("decision", "send_again")]);
    let mut fields = form(asked.text(), path);
    fields.push(("looked".to_owned(), "1".to_owned()));
    let fields: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(olga.post(path, &fields).status, 303);
    assert_eq!(stage(&panel, 1), Some(Stage::Send));
    assert_eq!(olga.post(path, &fields).status, 303);
    assert!(olga.see("/admin/orders/1").contains("This order waits for no decision"));

    panel.clock.advance(60);
    panel.doubts(north);
    let again = olga.post(path, &fields);
    assert!(again.text().contains("have changed since you were asked"), "{}", again.text());
    assert_eq!(stage(&panel, 1), Some(Stage::Call));
}

#[test]
fn many_of_one_provider_and_one_reason_are_decided_at_once() {
    let (panel, _ann, mut olga, north) = shop(3);
    let path = "/admin/orders/hand";
    let selected = [("id", "1"), ("id", "2"), ("id", "99"), ("decision", "by_hand")];
    let asked = decide(&mut olga, path, &selected);
    assert!(asked.contains("Deliver 2 orders by hand?"), "{asked}");
    assert!(asked.contains("it has none of these orders"), "{asked}");
    assert_eq!((stage(&panel, 1), stage(&panel, 3)), (None, Some(Stage::Call)));
    assert!(olga.see("/admin/orders/2").contains("In progress"));
    assert!(olga.see(HAND).contains("orders/3\""));

    for (fields, says) in [
        (vec![("decision", "refund")], "Select at least one order"),
        (vec![("id", "3")], "Choose what is to be done"),
        (vec![("id", "1"), ("decision", "refund")], "waits for no decision"),
    ] {
        assert_eq!(olga.post(path, &fields).status, 303);
        let page = olga.see(HAND);
        assert!(page.contains(says), "{says}: {page}");
    }
    assert_eq!(panel.store().page(|db| deliveries::count(db, north, Stage::Call, 9)).unwrap(), 1);
}

#[test]
fn a_number_at_a_provider_that_cannot_be_asked_is_not_believed() {
    let (panel, _ann, mut olga, _) = shop(1);
    let fields = [("decision", "placed_as"), ("their_id", "5512"), ("confirmed", "yes")];
    assert_eq!(olga.post("/admin/orders/1/decide", &fields).status, 303);
    let page = olga.see("/admin/orders/1");
    assert!(page.contains("North was asked for 5512"), "{page}");
    assert_eq!(stage(&panel, 1), Some(Stage::Call));
}

#[test]
fn the_page_of_an_order_shows_its_way_to_the_provider() {
    let (panel, ann, mut olga, north) = shop(0);
    let placed = ann.buys(20, 1000);
    panel.places(north, "5512");
    let page = olga.see(&format!("/admin/orders/{placed}"));
    for text in ["At the provider", "<bdi>5512</bdi>", "the service’s own", "Accepted", "Profit"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(page.contains("the provider’s order goes on"), "{page}");
    let list = olga.see("/admin/orders");
    assert!(list.contains(">5512</span>") && list.contains("<bdi>North</bdi>"), "{list}");
    let fields = [("status", "completed")];
    let asked = olga.post(&format!("/admin/orders/{placed}/status"), &fields);
    assert!(asked.text().contains("its order goes on there"), "{}", asked.text());
    let many = [("id", placed.to_string()), ("status", "canceled".to_owned())];
    let many = many.each_ref().map(|(name, value)| (*name, value.as_str()));
    let asked = olga.post("/admin/orders/bulk/refund", &many);
    assert!(asked.text().contains("1 order goes on there"), "{}", asked.text());

    let refused = ann.buys(20, 1000);
    let answer = "Incorrect link".to_owned();
    panel.sends(north, Outcome::Refused { family: Family::Link, answer });
    let page = olga.see(&format!("/admin/orders/{refused}"));
    assert!(page.contains("Rejected: link") && page.contains("Incorrect link"), "{page}");
    assert_eq!(ann.balance(), "99.00", "what nobody takes is refunded");
}

#[test]
fn pending_orders_are_sent_to_their_provider_or_elsewhere() {
    let (panel, ann, mut olga, _) = shop(0);
    panel.services(&["1,Likes,Likes,Default,0.90,10,10000,0,0,0,,,"]);
    let (by_hand, bought) = (ann.buys(1, 100), ann.buys(20, 100));
    let ids = [by_hand, bought].map(|id| id.to_string());
    let selected = [("id", ids[0].as_str()), ("id", ids[1].as_str()), ("to", "provider")];
    let asked = olga.post("/admin/orders/bulk/move", &selected);
    assert!(asked.text().contains("Send 1 order to the provider?"), "{}", asked.text());
    olga.post_and_confirm("/admin/orders/bulk/move", &selected);
    assert!(olga.see("/admin/orders").contains("1 order sent to the provider"));
    assert_eq!((stage(&panel, by_hand), stage(&panel, bought)), (None, Some(Stage::Send)));

    let elsewhere = [("id", ids[1].as_str()), ("to", "elsewhere")];
    olga.post("/admin/orders/bulk/move", &elsewhere);
    assert!(olga.see("/admin/orders").contains("Nothing was sent"), "there is no other place");
}

#[test]
fn a_number_that_a_person_found_is_shown_with_its_status_first() {
    let panel = Panel::start();
    let practice = Practice::start(panel.clock.clone(), "127.0.0.1:0".parse().unwrap()).unwrap();
    practice.accepts_own_ids(false);
    panel.provider_of("Practice", &practice, 30);
    panel.import(
        "id,category,name,type,rate,min,max,cancel,provider,provider_service\n\
         20,C,Likes,Default,2.50,1,100000,1,Practice,1\n",
    );
    let ann = panel.reseller("ann", "100");
    practice.misbehave_at("add", Mode::AcceptsReset);
    ann.buys(20, 1000);
    panel.deliver();
    practice.behave();
    assert_eq!(stage(&panel, 1), Some(Stage::Call), "it has arrived, and its answer was lost");

    let mut olga = panel.operator("olga");
    let path = "/admin/orders/1/decide";
    olga.post(path, &[("decision", "placed_as"), ("their_id", "99999")]);
    let page = olga.see("/admin/orders/1");
    assert!(page.contains("Practice was asked for 99999"), "{page}");

    let their_id = practice.orders().remove(0).id;
    let fields = [("decision", "placed_as"), ("their_id", their_id.as_str())];
    let asked = decide(&mut olga, path, &fields);
    for text in [&format!("Is order 1 at Practice as {their_id}?"), "Practice says", "1\u{202f}000"]
    {
        assert!(asked.contains(text), "{text}: {asked}");
    }
    assert_eq!(stage(&panel, 1), Some(Stage::Watch));
    assert!(olga.see("/admin/orders/1").contains(&format!("<bdi>{their_id}</bdi>")));
    assert_eq!(practice.orders().len(), 1, "bought once");
}
