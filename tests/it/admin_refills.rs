//! The pages of refills and of cancel requests.

use panelite::domain::order::PublicStatus;
use panelite::domain::setting::Setting;
use panelite::store::audit;

use crate::fixture::operator::{Operator, value_of};
use crate::fixture::panel::{Panel, Reseller};

/// A service that is refilled and canceled, a completed order of it with a refill, and two orders
/// in progress whose customer asked to cancel. Says the number of the first of the three orders.
pub(crate) fn cancel_requests(panel: &Panel, ann: &Reseller) -> i64 {
    panel.services(&["9,Refilled,Refilled likes,Default,1.00,10,10000,0,1,1,,,"]);
    let [done, first, second] = [1000, 2000, 500].map(|quantity| ann.buys(9, quantity));
    panel.set(done, PublicStatus::Completed, None, None);
    ann.form(&format!("key=KEY&action=refill&order={done}"));
    for (order, remains) in [(first, 1500), (second, 500)] {
        panel.set(order, PublicStatus::InProgress, None, Some(remains));
        ann.form(&format!("key=KEY&action=cancel&order={order}"));
    }
    done
}

fn shop() -> (Panel, Reseller, Operator) {
    let panel = Panel::start();
    let ann = panel.reseller("ann", "100");
    cancel_requests(&panel, &ann);
    let olga = panel.operator("olga");
    (panel, ann, olga)
}

/// The numbers in the ticks of a page.
fn ticks(page: &str) -> Vec<i64> {
    let boxes = page.split("type=\"checkbox\" name=\"id\" value=\"").skip(1);
    boxes.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

fn last_written(panel: &Panel, count: i64) -> Vec<(String, String, String)> {
    let last = panel.store().page(|db| audit::list(db, i64::MAX, count)).unwrap();
    last.into_iter().map(|entry| (entry.verb, entry.object, entry.change)).collect()
}

fn written(verb: &str, object: &str, change: &str) -> (String, String, String) {
    (verb.to_owned(), object.to_owned(), change.to_owned())
}

fn refill_status(ann: &Reseller, refill: i64) -> String {
    let reply = ann.form(&format!("key=KEY&action=refill_status&refill={refill}"));
    reply.json()["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_refill_is_moved_forward_and_never_back() {
    let (panel, ann, mut olga) = shop();
    let page = olga.see("/admin/refills");
    for text in ["Refilled likes", "/admin/orders/1", "example.com/p", "Set status"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(ticks(&page), [1]);
    assert!(page.contains("Pending <span class=\"count\">1</span>"), "{page}");
    assert!(page.contains("1<span class=\"hidden\"> refill requests waiting</span>"), "{page}");
    assert!(page.contains("2<span class=\"hidden\"> cancel requests waiting</span>"), "{page}");

    let state = ("state", "pending");
    let reply = olga.post("/admin/refills/1/set", &[("to", "in_progress"), state]);
    assert_eq!(reply.header("location"), Some("/admin/refills?state=pending"));
    let page = olga.see("/admin/refills");
    assert!(
        page.contains("Refill 1 set to In progress") && page.contains("No refills waiting"),
        "{page}"
    );
    assert_eq!(refill_status(&ann, 1), "In progress");
    let page = olga.see("/admin/refills?state=in_progress");
    assert!(
        ticks(&page) == [1] && !page.contains("\"to\" value=\"in_progress\""),
        "not where it is"
    );

    let refused = olga.post("/admin/refills/1/set", &[("to", "pending"), state]);
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("cannot go back a step"), "{}", refused.text());
    assert_eq!(olga.post("/admin/refills/1/set", &[("to", "nonsense")]).status, 422);
    assert_eq!(olga.post("/admin/refills/9/set", &[("to", "completed")]).status, 404);
    assert_eq!(olga.post("/admin/refills/1/set", &[("to", "completed")]).status, 303);
    assert_eq!(refill_status(&ann, 1), "Completed");
    let refused = olga.post("/admin/refills/1/set", &[("to", "error")]);
    assert!(refused.status == 422 && refused.text().contains("has ended already"));
    assert_eq!(
        last_written(&panel, 1),
        [written("refill.set", "refill 1", "In progress → Completed")]
    );

    let page = olga.see("/admin/refills?state=all");
    assert!(page.contains("Completed") && ticks(&page).is_empty(), "{page}");
    assert!(!page.contains("class=\"bulk\""), "nothing to move");
    assert!(olga.see("/admin/refills?state=error").contains("No refills with this status"));
}

#[test]
fn many_refills_end_after_a_question() {
    let (panel, ann, mut olga) = shop();
    for _ in 0..4 {
        let order = ann.buys(9, 100);
        panel.set(order, PublicStatus::Completed, None, None);
        ann.form(&format!("key=KEY&action=refill&order={order}"));
    }
    let path = "/admin/refills/bulk";
    let start = [("id", "1"), ("id", "2"), ("to", "in_progress"), ("state", "pending")];
    assert_eq!(olga.post(path, &start).status, 303, "a step on the way needs no question");
    olga.post("/admin/refills/3/set", &[("to", "error")]);

    let selected = [("id", "1"), ("id", "2"), ("id", "3"), ("id", "4"), ("id", "99")];
    let complete = [&selected[..], &[("to", "completed"), ("state", "all")]].concat();
    let asked = olga.post(path, &complete);
    for says in ["Set 3 refills to Completed?", "1, 2, 4", "are final", "1 of the selected refills"]
    {
        assert!(asked.text().contains(says), "{says}: {}", asked.text());
    }
    assert_eq!(refill_status(&ann, 4), "Pending", "nothing was done yet");
    let reply = olga.post_and_confirm(path, &complete);
    assert_eq!(reply.header("location"), Some("/admin/refills?state=all"));
    let page = olga.see("/admin/refills?state=all");
    assert!(page.contains("3 refills set to Completed; 1 left as they were"), "{page}");
    assert_eq!(ticks(&page), [5]);
    assert_eq!(refill_status(&ann, 3), "Error");
    assert_eq!(ticks(&olga.see("/admin/refills?state=pending")), [5]);

    for (fields, says) in [
        (vec![("to", "completed")], "Select at least one refill"),
        (vec![("to", "completed"), ("id", "1")], "None of the selected refills can be set to"),
    ] {
        assert_eq!(olga.post(path, &fields).status, 303);
        let page = olga.see("/admin/refills");
        assert!(page.contains(says), "{says}: {page}");
    }
}

#[test]
fn refills_go_older_and_newer() {
    let (panel, ann, mut olga) = shop();
    for _ in 0..54 {
        let order = ann.buys(9, 10);
        panel.set(order, PublicStatus::Completed, None, None);
        ann.form(&format!("key=KEY&action=refill&order={order}"));
    }
    for state in ["pending", "all"] {
        let first = olga.see(&format!("/admin/refills?state={state}"));
        assert_eq!(ticks(&first), (6..=55).rev().collect::<Vec<_>>());
        let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let second = olga.see(&next.replace("&#38;", "&"));
        assert_eq!(ticks(&second), [5, 4, 3, 2, 1]);
        assert!(second.contains("rel=\"prev\"") && !second.contains("rel=\"next\""));
    }
    let all: Vec<_> = (1..=55).map(|id: i32| id.to_string()).collect();
    let mut fields: Vec<_> = all.iter().map(|id| ("id", id.as_str())).collect();
    fields.extend([("to", "rejected"), ("confirmed", "yes")]);
    let asked = olga.post("/admin/refills/bulk", &fields);
    assert!(asked.text().contains("Type <strong>55</strong>"), "{}", asked.text());
    assert_eq!(ticks(&olga.see("/admin/refills?size=100")).len(), 55);
}

#[test]
fn a_cancel_request_is_fulfilled_with_all_money_back_or_declined() {
    let (panel, ann, mut olga) = shop();
    assert_eq!(ann.balance(), "96.50");
    let page = olga.see("/admin/refills/cancels");
    assert_eq!(ticks(&page), [3, 2]);
    assert!(page.contains("500 of 2\u{202f}000") && page.contains("2.00"), "{page}");

    let asked = olga.post("/admin/refills/cancels/refund", &[("only", "2"), ("id", "3")]);
    assert!(
        asked.text().contains("Cancel order 2 and refund 2.00 USD to ann?"),
        "{}",
        asked.text()
    );
    assert_eq!(ann.balance(), "96.50", "nothing was done yet");
    olga.post_and_confirm("/admin/refills/cancels/refund", &[("only", "2"), ("id", "3")]);
    assert_eq!(ann.balance(), "98.50");
    let page = olga.see("/admin/refills/cancels");
    assert!(page.contains("Order 2 canceled, 2.00 USD refunded to ann"), "{page}");
    assert_eq!(ticks(&page), [3]);
    assert_eq!(last_written(&panel, 1)[0].1, "order 2");

    assert_eq!(olga.post("/admin/refills/cancels/decline", &[("only", "3")]).status, 303);
    let page = olga.see("/admin/refills/cancels");
    assert!(page.contains("Cancel request of order 3 declined"), "{page}");
    assert!(page.contains("No cancel requests."), "{page}");
    let declined = written("order.decline_cancel", "order 3", "Cancel request declined");
    assert_eq!(last_written(&panel, 1), [declined]);
    assert_eq!(ann.balance(), "98.50");
    for path in ["/admin/refills/cancels/refund", "/admin/refills/cancels/decline"] {
        assert_eq!(olga.post(path, &[("only", "3"), ("confirmed", "yes")]).status, 303);
        assert!(
            olga.see("/admin/refills/cancels").contains("Select at least one cancel request"),
            "{path}"
        );
    }
    ann.form("key=KEY&action=cancel&order=3");
    assert_eq!(ticks(&olga.see("/admin/refills/cancels")), [3], "asked again");
}

#[test]
fn many_cancel_requests_are_fulfilled_at_once() {
    let (panel, ann, mut olga) = shop();
    let bob = panel.reseller("bob", "10");
    let order = bob.buys(9, 3000);
    panel.set(order, PublicStatus::InProgress, None, None);
    bob.form(&format!("key=KEY&action=cancel&order={order}"));
    let path = "/admin/refills/cancels/refund";
    let selected = [("id", "2"), ("id", "3"), ("id", "4"), ("id", "1")];
    let asked = olga.post(path, &selected);
    let says = "Cancel 3 orders and refund 5.50 USD to 2 users?";
    assert!(asked.text().contains(says), "{}", asked.text());
    assert!(value_of(asked.text(), "csrf").is_some());
    panel.setting(Setting::ConfirmAbove, "5");
    let asked = olga.post(path, &[&selected[..], &[("confirmed", "yes")]].concat());
    assert!(asked.text().contains("Type <strong>5.50</strong>"), "{}", asked.text());
    let typed = [&selected[..], &[("confirmed", "yes"), ("typed", "5.50")]].concat();
    assert_eq!(olga.post(path, &typed).status, 303);
    assert_eq!((ann.balance().as_str(), bob.balance().as_str()), ("99.00", "10.00"));
    assert!(olga.see("/admin/refills/cancels").contains("3 orders canceled, 5.50 USD refunded"));
}

#[test]
fn what_cannot_be_canceled_yet_does_not_keep_the_others_from_it() {
    let (panel, ann, mut olga) = shop();
    panel.services(&["8,Dripped,Dripped likes,Default,1.00,10,10000,1,0,1,,,"]);
    ann.form("key=KEY&action=add&service=8&link=x&quantity=1000&runs=3&interval=60");
    panel.deliver();
    ann.form("key=KEY&action=cancel&order=4");
    assert_eq!(ticks(&olga.see("/admin/refills/cancels")), [4, 3, 2]);
    let (path, list) = ("/admin/refills/cancels/refund", "/admin/refills/cancels");
    olga.post(path, &[("only", "4")]);
    let page = olga.see(list);
    let why = "1 left: Runs of this order have begun: move them, or stop the rest";
    assert!(page.contains(&format!("Nothing was changed. {why} (4)")), "{page}");

    let selected = [("id", "2"), ("id", "3"), ("id", "4")];
    let asked = olga.post(path, &selected);
    for says in ["Cancel 2 orders and refund 2.50 USD to ann?", why] {
        assert!(asked.text().contains(says), "{says}: {}", asked.text());
    }
    olga.post_and_confirm(path, &selected);
    let page = olga.see(list);
    let says = "2 orders canceled, 2.50 USD refunded; 1 left as they were";
    assert!(page.contains(says) && ticks(&page) == [4], "{page}");

    let bulk = [("id", "1"), ("id", "4"), ("status", "canceled"), ("confirmed", "yes")];
    olga.post("/admin/orders/bulk/refund", &bulk);
    assert!(olga.see("/admin/orders").contains(why), "also among orders");
}

#[test]
fn empty_lists_say_what_will_stand_there() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin/refills").contains("No refills waiting"));
    assert!(olga.see("/admin/refills?state=all").contains("No refills yet"));
    assert!(olga.see("/admin/refills/cancels").contains("No cancel requests."));
}
