//! What an operator does with orders: finds them, reads them, moves them.

use panelite::domain::order::PublicStatus;
use panelite::domain::setting::Setting;

use crate::fixture::operator::{Operator, form};
use crate::fixture::panel::{Panel, Reseller};

/// Two resellers, a service of 0.90 for 1000 with all that can be offered, one of comments, a
/// package and a subscription.
pub(crate) fn shop() -> (Panel, Operator, Reseller, Reseller) {
    let panel = Panel::start();
    panel.services(&[
        "1,Likes,Likes <fast>,Default,0.90,10,100000,1,1,1,,,",
        "2,Likes,Comments,Custom Comments,10,1,1000,0,0,1,,,",
        "3,Likes,Pack,Package,4.50,1,1,0,0,1,,,",
        "4,Likes,New posts,Subscriptions,1.10,10,10000,0,0,1,,,",
    ]);
    let (ann, bob) = (panel.reseller("ann", "100"), panel.reseller("bob", "100"));
    let olga = panel.operator("olga");
    (panel, olga, ann, bob)
}

/// The orders of a list, in its order.
pub(crate) fn ids(page: &str) -> Vec<i64> {
    let cells = page.split("data-open>").skip(1);
    cells.filter_map(|cell| cell.split('<').next().unwrap().parse().ok()).collect()
}

fn neighbour(page: &str, rel: &str) -> Option<String> {
    let at = page.find(&format!("rel=\"{rel}\" href=\""))?;
    Some(page[at..].split('"').nth(3).unwrap().replace("&#38;", "&").replace("&amp;", "&"))
}

/// What a page says, without its tags.
fn words(page: &str) -> String {
    let text = page.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    text.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(crate) fn assert_says(page: &str, sentences: &[&str]) {
    let words = words(page);
    for sentence in sentences {
        assert!(words.contains(sentence), "{sentence:?} is not in {words}");
    }
}

#[test]
fn a_list_without_orders_says_how_to_get_one() {
    let (panel, mut olga, ann, _) = shop();
    let page = olga.see("/admin/orders");
    let address = format!("curl http://{}/api/v2", panel.address);
    assert_says(&page, &["No orders yet", &address]);
    assert!(!page.contains("Clear the filter"));
    ann.buys(1, 1000);
    let page = olga.see("/admin/orders?q=999");
    assert_says(&page, &["No order matches this", "Clear the filter"]);
    assert_says(&olga.see("/admin/orders?state=completed"), &["No orders are completed"]);
    assert_says(&olga.see("/admin/refills/cancels"), &["No cancel requests. An order that is"]);
    assert_eq!(olga.get("/admin/orders/999").status, 404);
    assert_eq!(olga.get("/admin/orders/x").status, 404);
}

#[test]
fn a_list_shows_and_counts_what_was_bought() {
    let (panel, mut olga, ann, bob) = shop();
    let first = ann.buys(1, 1000);
    bob.form("key=KEY&action=add&service=1&link=ftp://x.example/%3Cb%3E&quantity=200");
    let third = ann.buys(1, 500);
    panel.set(third, PublicStatus::InProgress, Some(1250), Some(300));
    let page = olga.see("/admin/orders");
    assert_eq!(ids(&page), [3, 2, 1]);
    let texts = ["All 3", "Pending 2", "In progress 1", "Completed 0", "Cancel requests 0"];
    assert_says(&page, &texts);
    assert_says(&page, &["0.45 1 250 300 In progress", "ann #1 Likes &#60;fast&#62;"]);
    let web = "<a class=\"link\" href=\"https://example.com/p\" title=\"https://example.com/p\" \
               target=\"_blank\" rel=\"noopener noreferrer nofollow\"><bdi>example.com/p</bdi></a>";
    assert!(page.contains(web), "{page}");
    assert!(!page.contains("href=\"ftp:") && page.contains("<bdi title=\"ftp://x.example/&#60;b"));

    ann.form(&format!("key=KEY&action=cancel&order={third}"));
    let page = olga.see("/admin/refills/cancels");
    assert_eq!(ids(&page), [third]);
    assert_says(&page, &["All 3 Cancel requests 1"]);
    assert_says(&olga.see("/admin/orders"), &["In progress Cancel requested"]);
    ann.form(&format!("key=KEY&action=cancel&order={first}"));
    assert_eq!(ids(&olga.see("/admin/orders?state=canceled")), [first]);
    assert_eq!(ids(&olga.see("/admin/orders?state=pending")), [2]);
    assert_eq!(ids(&olga.see("/admin/orders?state=nonsense")).len(), 3);
}

#[test]
fn orders_are_found_by_what_people_know_of_them() {
    let (_panel, mut olga, ann, bob) = shop();
    for (who, link, own) in
        [(&ann, "https://a.example/1", "A-1"), (&ann, "12345", "A-2"), (&bob, "12345", "A-1")]
    {
        who.form(&format!("key=KEY&action=add&service=1&link={link}&quantity=100&custom_id={own}"));
    }
    ann.form("key=KEY&action=add&service=3&link=12345&custom_id=A-1");
    let mut found = |query: &str| ids(&olga.see(&format!("/admin/orders?{query}")));
    for (query, expected) in [
        ("q=1", &[1][..]),
        ("q=%231%2C+%233%3B2%0A99", &[3, 2, 1]),
        ("q=3+3+3", &[3]),
        ("q=a.example", &[1]),
        ("q=https%3A%2F%2Fa.example%2F1", &[1]),
        ("link=12345", &[4, 3, 2]),
        ("user=ann", &[4, 2, 1]),
        ("user=%232", &[3]),
        ("user=2&link=12345", &[3]),
        ("user=ann&own=A-1", &[4, 1]),
        ("user=ann&own=A-1&link=12345", &[4]),
        ("service=3", &[4]),
        ("service=%231", &[3, 2, 1]),
        ("user=ann&q=1+2+3", &[2, 1]),
        ("state=completed&q=1", &[]),
        ("state=pending&user=ann&q=2", &[2]),
        ("q=99999999999999999999", &[]),
        ("q=%2C%2C", &[]),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
    for (query, field, says) in [
        ("user=nobody", "user", "There is no user with this name or ID"),
        ("own=A-1", "user", "Enter the user whose own order ID this is"),
        ("service=77", "service", "There is no service with this ID"),
        ("service=x", "service", "There is no service with this ID"),
        ("service=1&user=ann", "service", "Filter by the service alone"),
    ] {
        let reply = olga.get(&format!("/admin/orders?{query}"));
        assert_eq!((reply.status, ids(reply.text()).len()), (422, 0), "{query}");
        let beside = format!("aria-describedby=\"e-{field}\"");
        assert!(reply.text().contains(&beside), "{query}: {}", reply.text());
        assert_says(reply.text(), &[says]);
    }
    let page = olga.see("/admin/orders?user=ann&own=A-1");
    assert!(page.contains("/admin/orders?state=pending&#38;user=ann&#38;own=A-1"), "{page}");
    assert!(page.contains("<details class=\"more\" open>"));
}

#[test]
fn a_list_of_orders_goes_older_and_newer() {
    let (_panel, mut olga, ann, bob) = shop();
    for number in 0..120 {
        if number % 10 == 0 {
            bob.buys(1, 10)
        } else {
            ann.buys(1, 10)
        };
    }
    let pasted: Vec<_> = (1..=300).map(|id: i32| id.to_string()).collect();
    let pasted = format!("q={}", pasted.join("%0A"));
    for (query, all) in [("size=50", 120), (&pasted, 120), ("user=ann", 108), ("service=1", 120)] {
        let first = olga.see(&format!("/admin/orders?{query}"));
        assert_eq!((ids(&first).len(), neighbour(&first, "prev")), (50, None), "{query}");
        let second = olga.see(&neighbour(&first, "next").unwrap());
        let third = olga.see(&neighbour(&second, "next").unwrap());
        assert_eq!((ids(&third).len(), neighbour(&third, "next")), (all - 100, None), "{query}");
        let back = olga.see(&neighbour(&third, "prev").unwrap());
        assert_eq!(ids(&back), ids(&second), "{query}");
        assert_eq!(ids(&olga.see(&neighbour(&back, "prev").unwrap())), ids(&first), "{query}");
        let together = [ids(&first), ids(&second), ids(&third)].concat();
        assert!(together.len() == all && together.is_sorted_by(|a, b| a > b), "{query}");
    }
    assert_eq!(ids(&olga.see("/admin/orders?size=100")).len(), 100);
    assert_eq!(ids(&olga.see("/admin/orders?size=1000000&older=x")).len(), 50);
    assert!(olga.see("/admin/orders?size=100&user=ann").contains("size=100&#38;older="));
}

#[test]
fn a_page_tells_all_about_an_order() {
    let (panel, mut olga, ann, bob) = shop();
    let drip = "key=KEY&action=add&service=1&link=https://example.com/p&quantity=100&runs=5\
                &interval=60&custom_id=A-7";
    ann.form(drip);
    let comments = "key=KEY&action=add&service=2&link=https://example.com/p\
                    &comments=Lovely%0A%3Cb%3EWhere%3C/b%3E";
    ann.form(comments);
    bob.form("key=KEY&action=add&service=4&username=bob.s&min=10&max=20&delay=0");
    let prefix = &ann.key[..8];

    let page = olga.see("/admin/orders/1");
    assert_says(&page, &["Order 1", "Pending", "5 runs of 100, every 60 min", "A-7", "0 of 500"]);
    assert_says(&page, &["Rate 0.90 per 1000", "Held (escrow) 0.45"]);
    assert_says(&page, &[&format!("Placed key {prefix}…"), &format!("0.45 USD key {prefix}…")]);
    let page = olga.see("/admin/orders/2");
    assert_says(&page, &["Comments, 2 lines Lovely &#60;b&#62;Where&#60;/b&#62;", "0.02 USD"]);
    assert_eq!(ids(&page), [1], "the other order for the link");
    let page = olga.see("/admin/orders/3");
    assert_says(&page, &["User name bob.s", "Min 10", "Max 20", "Delay 0"]);
    assert!(!page.contains("<progress") && !page.contains("value=\"completed\""), "{page}");
    assert!(page.contains("value=\"canceled\""), "a subscription can only be canceled");

    panel.set(1, PublicStatus::Completed, Some(7), None);
    ann.form("key=KEY&action=refill&order=1");
    panel.clock.advance(60);
    ann.form("key=KEY&action=cancel&order=2");
    let page = olga.see("/admin/orders/1");
    let texts = ["Pending → Completed, start count 7, remains 0 command line", "Earned 0.45 USD"];
    assert_says(&page, &texts);
    assert_says(
        &page,
        &["Refill 1 requested", "Refunded 0.00 Earned 0.45", "500 of 500 delivered"],
    );
    assert!(!page.contains("Update order"), "final is final");
    let page = olga.see("/admin/orders/2");
    assert_says(&page, &[&format!("Canceled key {prefix}…"), "Refunded 0.02 USD to ann"]);
    assert_says(&page, &["Refunded 0.02 Earned 0.00", "final since 2026-01-01 00:01"]);
}

#[test]
fn delivery_is_told_by_hand() {
    let (_panel, mut olga, ann, _) = shop();
    ann.buys(1, 1000);
    let path = "/admin/orders/1/status";
    let moved = [("status", "in_progress"), ("start_count", "5000000000"), ("remains", "640")];
    assert_eq!(olga.post(path, &moved).header("location"), Some("/admin/orders/1"));
    let page = olga.see("/admin/orders/1");
    assert_says(&page, &["Order 1 set to In progress"]);
    assert!(page.contains("<progress max=\"1000\" value=\"360\""), "{page}");
    assert!(page.contains("name=\"start_count\" value=\"5000000000\""));
    assert_says(&page, &["Pending → In progress, start count 5 000 000 000, remains 640 olga"]);
    assert!(page.contains("value=\"in_progress\">Save<"), "the counters alone can be saved");
    olga.post(path, &[("status", "in_progress"), ("start_count", "7"), ("remains", "300")]);
    assert_says(&olga.see("/admin/orders/1"), &[" Start count 7, remains 300 olga"]);

    for (fields, field, says) in [
        (&[("status", "processing"), ("remains", "1001")][..], "remains", "Remains must be 0 to"),
        (&[("status", "processing"), ("remains", "-1")], "remains", "Enter a whole number"),
        (&[("status", "processing"), ("start_count", "1e3")], "start_count", "Enter a whole"),
        (&[("status", "pending")], "", "Choose a status"),
        (&[("status", "partial"), ("remains", "5")], "", "Choose a status"),
        (&[], "", "Choose a status"),
    ] {
        let reply = olga.post(path, fields);
        assert_eq!(reply.status, 422, "{fields:?}");
        assert_says(reply.text(), &[says]);
        let beside = format!("aria-describedby=\"e-{field}\"");
        assert!(field.is_empty() || reply.text().contains(&beside), "{}", reply.text());
        for (name, value) in fields.iter().filter(|(name, _)| *name != "status") {
            assert!(reply.text().contains(&format!("name=\"{name}\" value=\"{value}\"")));
        }
    }

    let asked = olga.post(path, &[("status", "completed")]);
    assert_says(asked.text(), &["Complete order 1?", "Earned 0.90 USD", "1 000 of 1 000"]);
    olga.post_and_confirm(path, &[("status", "completed")]);
    assert_says(&olga.see("/admin/orders/1"), &["Refunded 0.00 Earned 0.90"]);
    assert_eq!(ann.balance(), "99.10");
    let again = olga.post(path, &[("status", "completed")]);
    assert_eq!(again.status, 303, "sent twice: the first time counted");
    let other = olga.post(path, &[("status", "processing")]);
    assert_eq!(other.status, 422);
    assert_says(other.text(), &["Order is already completed"]);
    assert_eq!(olga.post("/admin/orders/77/status", &[("status", "processing")]).status, 404);
}

#[test]
fn money_goes_back_only_after_it_was_shown() {
    let (panel, mut olga, ann, _) = shop();
    ann.buys(1, 1000);
    ann.buys(1, 1000);
    ann.form("key=KEY&action=add&service=3&link=x");
    assert_says(&olga.see("/admin/orders/3"), &["4.50 per order"]);
    let path = "/admin/orders/1/refund";
    let partial = [("status", "partial"), ("remains", "700")];
    let asked = olga.post(path, &partial);
    assert_says(asked.text(), &["Set order 1 to partial and refund 0.63 USD to ann?"]);
    assert_says(asked.text(), &["Delivered 300 of 1 000", "Charged 0.90 USD", "Earned 0.27 USD"]);
    assert_says(asked.text(), &["Refunded to ann 0.63 USD", "Set partial and refund 0.63 USD"]);
    assert_eq!(ann.balance(), "93.70", "nothing has moved yet");
    olga.post_and_confirm(path, &partial);
    assert_eq!(ann.balance(), "94.33");
    let page = olga.see("/admin/orders/1");
    assert_says(&page, &["Order 1 set to Partial, 0.63 refunded to ann"]);
    assert_eq!(olga.post(path, &partial).status, 303, "sent twice: the first time counted");
    assert_eq!(ann.balance(), "94.33");

    let path = "/admin/orders/2/refund";
    for (remains, says) in [
        ("", "Partial needs what remains: 1 to 999"),
        ("0", "Partial needs what remains: 1 to 999"),
        ("1000", "Partial needs what remains: 1 to 999"),
        ("x", "Enter a whole number"),
    ] {
        let reply = olga.post(path, &[("status", "partial"), ("remains", remains)]);
        assert_eq!(reply.status, 422, "{remains:?}");
        assert!(reply.text().contains("aria-describedby=\"e-remains\""));
        assert_says(reply.text(), &[says]);
    }
    let page = olga.see("/admin/orders/3");
    assert!(!page.contains("value=\"partial\""), "a package is delivered whole");
    let reply = olga.post("/admin/orders/3/refund", &[("status", "partial"), ("remains", "1")]);
    assert_says(reply.text(), &["A package is delivered whole: complete or cancel it"]);

    panel.setting(Setting::ConfirmAbove, "4");
    let cancel = [("status", "canceled"), ("confirmed", "yes")];
    assert_eq!(olga.post(path, &cancel).status, 303, "little money");
    assert_eq!(ann.balance(), "95.23");
    let reply = olga.post("/admin/orders/3/refund", &cancel);
    assert!(reply.text().contains("Type <strong>4.50</strong>"), "{}", reply.text());
    let typed = [&cancel[..], &[("typed", "4.50")]].concat();
    assert_eq!(olga.post("/admin/orders/3/refund", &typed).status, 303);
    assert_eq!(ann.balance(), "99.73");

    ann.buys(1, 1000);
    panel.clock.advance(16 * 60);
    olga.see("/admin/orders/4");
    let moved = [("status", "processing")];
    assert_eq!(olga.post("/admin/orders/4/status", &moved).status, 303, "no money, no password");
    let asked = olga.post("/admin/orders/4/refund", &cancel);
    assert!(form(asked.text(), "/admin/orders/4/refund").iter().any(|(name, _)| name == "proof"));
    assert_eq!(ann.balance(), "98.83", "not without the password");
}

#[test]
fn selected_orders_move_together_or_say_why_not() {
    let (panel, mut olga, ann, bob) = shop();
    for _ in 0..4 {
        ann.buys(1, 1000);
    }
    bob.buys(1, 500);
    bob.form("key=KEY&action=add&service=4&username=bob.s&min=10&max=20&delay=0");
    panel.set(4, PublicStatus::Completed, None, None);
    let (set, back) = ("/admin/orders/bulk", "/admin/orders/bulk/refund");
    let here = ("here", "/admin/orders?state=&user=ann");
    let selected = |numbers: &[&'static str]| {
        numbers.iter().map(|id| ("id", *id)).chain([here]).collect::<Vec<_>>()
    };
    let with =
        |fields: &[(&'static str, &'static str)], status| [fields, &[("status", status)]].concat();

    let fields = with(&selected(&["1", "2", "2", "4", "6", "99"]), "in_progress");
    let asked = olga.post(set, &fields);
    assert_eq!(asked.header("location"), Some(here.1), "back to the list as it was");
    let page = olga.see(here.1);
    assert_says(&page, &["2 orders set to In progress; 3 left as they were"]);
    assert!(!page.contains("Undo"), "never back to pending");
    assert_eq!(ids(&olga.see("/admin/orders?state=in_progress")), [2, 1]);

    let fields = with(&selected(&["1"]), "completed");
    assert_says(olga.post(set, &fields).text(), &["Complete 1 order?", "Earned 0.90 USD"]);
    olga.post_and_confirm(set, &fields);

    let fields = with(&selected(&["2", "3", "4", "5"]), "canceled");
    let asked = olga.post(back, &fields);
    assert_says(asked.text(), &["Cancel 3 orders and refund 2.25 USD to 2 users?"]);
    assert_says(asked.text(), &["Cancel 3 orders and refund 2.25 USD", "completed 4"]);
    let carried = form(asked.text(), back);
    let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    bob.form("key=KEY&action=cancel&order=5");
    let again = olga.post(back, &carried);
    assert_says(again.text(), &["Cancel 2 orders and refund 1.80 USD to 1 user?"]);
    assert_says(again.text(), &["The orders have changed since you were asked"]);
    assert_eq!(ann.balance(), "96.40", "other figures, so nothing was done");
    let carried = form(again.text(), back);
    let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(olga.post(back, &carried).status, 303);
    assert_eq!((ann.balance().as_str(), bob.balance().as_str()), ("98.20", "100.00"));
    assert_says(&olga.see("/admin/orders"), &["2 orders canceled, 1.80 USD refunded"]);
    assert_says(&olga.see("/admin/orders/2"), &["In progress → Canceled olga"]);

    let mut nothing = |path: &str, fields: &[(&str, &str)], says: &str| {
        assert_eq!(olga.post(path, fields).status, 303);
        assert_says(&olga.see("/admin/orders"), &[says]);
    };
    let final_ones = with(&selected(&["2", "3"]), "completed");
    nothing(set, &final_ones, "Nothing was changed. 2 left: Order is already canceled (2, 3)");
    nothing(set, &with(&selected(&[]), "completed"), "Select at least one order");
    nothing(set, &with(&selected(&["6"]), "canceled"), "Choose a status first");
    nothing(back, &with(&selected(&["6"]), "partial"), "Choose a status first");
    nothing(back, &[("id", "x"), ("here", "//evil.example")], "Select at least one order");
    assert_eq!(ids(&olga.see("/admin/orders?state=pending")), [6]);
}

#[test]
fn much_is_typed_before_it_is_done() {
    let (panel, mut olga, ann, _) = shop();
    for _ in 0..51 {
        ann.buys(1, 1000);
    }
    let selected: Vec<_> = (1..=51).map(|id: i32| id.to_string()).collect();
    let mut fields: Vec<_> = selected.iter().map(|id| ("id", id.as_str())).collect();
    fields.extend([("status", "canceled"), ("confirmed", "yes")]);
    let path = "/admin/orders/bulk/refund";
    let asked = olga.post(path, &fields);
    assert!(asked.text().contains("Type <strong>51</strong>"), "{}", asked.text());
    panel.setting(Setting::ConfirmAbove, "45");
    let asked = olga.post(path, &fields);
    assert!(asked.text().contains("Type <strong>45.90</strong>"), "{}", asked.text());
    assert_eq!(ann.balance(), "54.10");
    fields.push(("typed", "45.90"));
    assert_eq!(olga.post(path, &fields).status, 303);
    assert_eq!(ann.balance(), "100.00");
}

#[test]
fn other_pages_lead_to_orders() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin").contains("<a href=\"/admin/orders/new\">Place a test order</a>"));
    panel.services(&["1,Likes,Likes,Default,0.90,10,10000,0,0,0,,,"]);
    let ann = panel.reseller("ann", "10");
    ann.buys(1, 1000);
    let page = olga.see("/admin/users/1");
    assert!(page.contains("<a href=\"/admin/orders?user=ann\">Orders</a>"), "{page}");
    assert!(page.contains("<a href=\"/admin/orders/1\">1</a>"), "the ledger leads to the order");
    let page = olga.see("/admin");
    assert!(page.contains("<a href=\"/admin/orders?state=pending\">1 pending</a>"), "{page}");
}

#[test]
fn moves_without_money_are_taken_back_as_they_were() {
    let (_panel, mut olga, ann, _) = shop();
    for _ in 0..3 {
        ann.buys(1, 1000);
    }
    let path = "/admin/orders/bulk";
    let all = [("id", "1"), ("id", "2"), ("id", "3"), ("here", "/admin/orders")];
    let to = |status| [&all[..], &[("status", status)]].concat();
    olga.post(path, &to("processing"));
    assert!(!olga.see("/admin/orders").contains("Undo"), "never back to pending");
    olga.post(path, &to("in_progress"));
    let undo = form(&olga.see("/admin/orders/1"), path);
    let undo: Vec<_> = undo.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(olga.post(path, &undo).status, 303);
    assert_eq!(ids(&olga.see("/admin/orders?state=processing")), [3, 2, 1]);

    let path = "/admin/orders/2/status";
    let saved =
        |start, remains| [("status", "in_progress"), ("start_count", start), ("remains", remains)];
    olga.post(path, &saved("10", "900"));
    assert!(!olga.see("/admin/orders/2").contains("Undo"), "there was no start count");
    olga.post(path, &saved("20", "800"));
    let page = olga.see("/admin/orders/2");
    for field in ["name=\"start_count\" value=\"10\"", "name=\"remains\" value=\"900\""] {
        assert!(page.contains(field) && page.contains("<button>Undo</button>"), "{page}");
    }
}

#[test]
fn all_that_match_are_moved_and_no_newer_ones() {
    let (_panel, mut olga, ann, bob) = shop();
    for _ in 0..60 {
        ann.buys(1, 100);
    }
    bob.buys(1, 100);
    let page = olga.see("/admin/orders?user=ann");
    assert_says(&page, &["All that match, up to 1 000"]);
    assert!(page.contains("data-sum=\"90000\""), "{page}");
    assert!(!olga.see("/admin/orders?user=bob").contains("All that match"), "one page is all");

    let path = "/admin/orders/bulk/refund";
    let here = ("here", "/admin/orders?state=pending&user=ann");
    let fields = [("id", "60"), ("all", "1"), here, ("status", "canceled")];
    let asked = olga.post(path, &fields);
    assert_says(asked.text(), &["Cancel 60 orders and refund 5.40 USD to 1 user?"]);
    assert!(asked.text().contains("Type <strong>60</strong>"), "{}", asked.text());
    ann.buys(1, 100);
    let carried = form(asked.text(), path);
    let mut carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    carried.retain(|(name, _)| *name != "typed");
    carried.push(("typed", "60"));
    assert_eq!(olga.post(path, &carried).status, 303);
    assert_eq!(ids(&olga.see("/admin/orders?state=pending")), [62, 61], "the newest stays");
}

#[test]
fn a_cancel_request_is_answered_where_the_order_is() {
    let (panel, mut olga, ann, _) = shop();
    let order = ann.buys(1, 1000);
    panel.set(order, PublicStatus::InProgress, None, Some(400));
    ann.form(&format!("key=KEY&action=cancel&order={order}"));
    let page = olga.see("/admin/orders/1");
    assert_says(&page, &["Cancel requested by ann , just now. Refund Set partial Decline"]);
    assert_says(&olga.see("/admin"), &["Needs a hand 1 cancel request"]);
    let decline = [("only", "1"), ("here", "/admin/orders/1")];
    let reply = olga.post("/admin/refills/cancels/decline", &decline);
    assert_eq!(reply.header("location"), Some("/admin/orders/1"));
    assert_says(&olga.see("/admin/orders/1"), &["Cancel request of order 1 declined"]);
    assert_says(&olga.see("/admin"), &["Nothing is waiting for you"]);
}
