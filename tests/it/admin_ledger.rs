//! The ledger's pages: what moved, by what it can be found, how it is taken back.

use panelite::commands::accounts::{Adjust, SetUser};
use panelite::domain::Actor;
use panelite::domain::UserId;
use panelite::domain::money::Money;
use panelite::domain::order::PublicStatus;
use panelite::domain::setting::Setting;
use panelite::store::{accounts, audit};

use crate::fixture::operator::Operator;
use crate::fixture::panel::{Panel, Reseller};

const DAY: i64 = 86_400;

/// The numbers of the entries on a page.
fn ids(page: &str) -> Vec<i64> {
    let links = page.split("<td class=\"id num\"><a href=\"/admin/ledger/").skip(1);
    links.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

/// The address of the neighbouring page.
fn link(page: &str, rel: &str) -> Option<String> {
    let rest = page.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
    Some(rest.split('"').next()?.replace("&#38;", "&"))
}

fn adjust(panel: &Panel, user: UserId, amount: &str, reference: Option<&str>) {
    let amount = Money::parse_signed(amount).unwrap();
    let (actor, reference) = (Actor::CommandLine, reference.map(str::to_owned));
    let note = "a correction".to_owned();
    panel.store().write_blocking(Adjust { actor, user, amount, note, reference }).unwrap();
}

fn set_credit(panel: &Panel, user: UserId, limit: &str) {
    let credit_limit = Money::parse(limit);
    let (actor, discount, suspended) = (Actor::CommandLine, None, None);
    let set = SetUser { actor, user, discount, credit_limit, suspended };
    panel.store().write_blocking(set).unwrap();
}

/// Two resellers over three days: deposits 1 and 2, then ann's charge 3, capture 4, charge 5,
/// refund 6 and correction 7.
fn shop() -> (Panel, Reseller, Operator) {
    let panel = Panel::start();
    panel.services(&["1,Likes,Likes,Default,1.00,10,10000,0,0,1,,,"]);
    let ann = panel.reseller("ann", "10");
    panel.reseller("77", "20");
    panel.clock.advance(DAY);
    let order = ann.buys(1, 1000);
    panel.set(order, PublicStatus::Completed, None, None);
    let order = ann.buys(1, 2000);
    panel.set(order, PublicStatus::Canceled, None, None);
    panel.clock.advance(DAY);
    adjust(&panel, ann.user, "-0.5", Some("ticket 9"));
    let olga = panel.operator("olga");
    (panel, ann, olga)
}

#[test]
fn the_ledger_is_found_by_user_kind_day_order_and_reference() {
    let (panel, _, mut olga) = shop();
    let mut found = |query: &str| ids(&olga.see(&format!("/admin/ledger?{query}")));
    assert_eq!(found(""), [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(found("user=ann"), [7, 6, 5, 3, 1], "a capture moves no account");
    assert_eq!(found("user=77"), [2], "a name comes before a number");
    assert_eq!(found("user=%231"), [7, 6, 5, 3, 1]);
    for (kind, expected) in [
        ("deposit", &[2, 1][..]),
        ("adjustment", &[7]),
        ("charge", &[5, 3]),
        ("capture", &[4]),
        ("refund", &[6]),
        ("goodwill", &[]),
        ("nonsense", &[7, 6, 5, 4, 3, 2, 1]),
    ] {
        assert_eq!(found(&format!("kind={kind}")), expected, "{kind}");
    }
    assert_eq!(found("user=ann&kind=deposit"), [1]);
    assert_eq!(found("user=ann&kind=charge"), [5, 3]);
    assert_eq!(found("user=ann&kind=capture"), [0; 0]);
    assert_eq!(found("order=1"), [4, 3]);
    assert_eq!(found("order=%232&kind=refund"), [6]);
    assert_eq!(found("order=1&user=77"), [0; 0]);
    assert_eq!(found("reference=ticket+9"), [7]);
    assert_eq!(found("reference=ticket"), [0; 0], "exactly");
    assert_eq!(found("from=2026-01-02&to=2026-01-02"), [6, 5, 4, 3]);
    assert_eq!(found("from=2026-01-02"), [7, 6, 5, 4, 3]);
    assert_eq!(found("to=2026-01-01"), [2, 1]);
    assert_eq!(found("from=2026-01-03&user=ann"), [7]);
    assert_eq!(found("from=2027-01-01"), [0; 0]);
    assert_eq!(found("from=2026-01-02&kind=deposit"), [0; 0]);

    panel.setting(Setting::TimeZone, "America/New_York");
    assert_eq!(found("to=2025-12-31"), [2, 1], "a day begins where the panel is");
    assert_eq!(found("from=2026-01-01&to=2026-01-01"), [6, 5, 4, 3]);

    for (query, says) in [
        ("user=bob", "There is no user with this name"),
        ("from=yesterday", "Enter a day, such as 2026-01-31"),
        ("order=x", "Enter the number of an order"),
    ] {
        let page = olga.see(&format!("/admin/ledger?{query}"));
        assert!(page.contains(says) && ids(&page).is_empty(), "{query}: {page}");
    }
    let page = olga.see("/admin/ledger?kind=goodwill");
    assert!(page.contains("No entry matches this") && page.contains("Clear the filter"));
    let page = olga.see("/admin/ledger");
    for text in ["-1.00", "+10.00", "+2.00", "8.50", "a correction", "/admin/orders/2"] {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn an_empty_ledger_says_what_will_stand_there() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin/ledger").contains("No entries yet"));
    assert_eq!(olga.get("/admin/ledger/1").status, 404);
    assert_eq!(olga.post("/admin/ledger/1/reverse", &[("note", "x")]).status, 404);
}

#[test]
fn the_ledger_goes_older_and_newer() {
    let panel = Panel::start();
    let ann = panel.reseller("ann", "1000");
    panel.reseller("bob", "1");
    for _ in 0..118 {
        adjust(&panel, ann.user, "1", None);
    }
    let mut olga = panel.operator("olga");
    for query in ["", "user=ann", "kind=adjustment", "user=ann&kind=adjustment", "from=2026-01-01"]
    {
        let mut all = Vec::new();
        let mut next = Some(format!("/admin/ledger?{query}"));
        let mut last = String::new();
        while let Some(address) = next {
            last = olga.see(&address);
            all.extend(ids(&last));
            next = link(&last, "next");
        }
        assert!(all.len() >= 118 && all.is_sorted_by(|a, b| a > b), "{query}: {all:?}");
        let back = olga.see(&link(&last, "prev").unwrap());
        assert_eq!(ids(&back), all[50..100], "{query}");
        let first = olga.see(&link(&back, "prev").unwrap());
        assert_eq!((ids(&first), link(&first, "prev")), (all[..50].to_vec(), None), "{query}");
    }
    assert_eq!(ids(&olga.see("/admin/ledger?size=100")).len(), 100);
    assert_eq!(ids(&olga.see("/admin/ledger?size=7&older=x")).len(), 50);
    let part = olga.send("GET", "/admin/ledger?user=bob", &[("HX-Request", "true")], "");
    assert!(part.text().trim_start().starts_with("<div id=\"list\">"), "{}", part.text());
}

#[test]
fn a_deposit_is_taken_back_once() {
    let (panel, ann, mut olga) = shop();
    let path = "/admin/ledger/1/reverse";
    let refused = olga.post(path, &[("note", "typo")]);
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Only 8.50 is left to take back"), "{}", refused.text());
    assert!(olga.see("/admin/ledger/1").contains("Only 8.50 is left to take back"));

    set_credit(&panel, ann.user, "1.5");
    assert!(olga.see("/admin/ledger/1").contains("-1.50 USD"));
    let refused = olga.post(path, &[("note", " ")]);
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("id=\"e-note\""), "{}", refused.text());
    let refused = olga.post(path, &[("note", &"x".repeat(501)), ("confirmed", "yes")]);
    assert!(refused.text().contains("at most 500"), "{}", refused.text());

    let asked = olga.post(path, &[("note", "typo <1>")]);
    for text in ["Reverse entry 1: 10.00 from ann?", "8.50", "-1.50", "Take back 10.00"] {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    assert_eq!(ann.balance(), "8.50", "nothing has moved yet");
    olga.post_and_confirm(path, &[("note", "typo <1>")]);
    assert_eq!(ann.balance(), "-1.50");
    let page = olga.see("/admin/ledger/1");
    assert!(page.contains("Entry 1 reversed. The balance of ann is now -1.50"), "{page}");
    assert!(page.contains("Entry 8 already reverses this"), "{page}");
    let page = olga.see("/admin/ledger/8");
    assert!(page.contains("typo &#60;1&#62;") && page.contains("href=\"/admin/ledger/1\""));

    let again = olga.post(path, &[("note", "twice"), ("confirmed", "yes")]);
    assert_eq!(again.status, 422);
    assert!(again.text().contains("Entry 8 already reverses this"), "{}", again.text());
    let page = olga.see("/admin/ledger");
    assert!(page.contains("Reversed by 8") && page.contains("Reverses 1"), "{page}");
    assert_eq!(ids(&olga.see("/admin/ledger?reference=reversal+of+1")), [8]);

    let written = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!(
        (written.verb.as_str(), written.object.as_str()),
        ("posting.reverse", "user 1 posting 8")
    );
    assert_eq!(written.change, "8.50 → -1.50: typo <1>");
    olga.post_and_confirm("/admin/ledger/8/reverse", &[("note", "it was right")]);
    assert_eq!(ann.balance(), "8.50", "a reversal is an entry like any other");
}

#[test]
fn a_correction_goes_back_and_what_belongs_to_an_order_does_not() {
    let (panel, ann, mut olga) = shop();
    let asked = olga.post("/admin/ledger/7/reverse", &[("note", "it was right")]);
    assert!(asked.text().contains("Reverse entry 7: 0.50 to ann?"), "{}", asked.text());
    olga.post_and_confirm("/admin/ledger/7/reverse", &[("note", "it was right")]);
    assert_eq!(ann.balance(), "9.00");
    for id in [3, 4, 5, 6] {
        let page = olga.see(&format!("/admin/ledger/{id}"));
        assert!(page.contains("This entry belongs to an order"), "{id}: {page}");
        assert!(!page.contains("/reverse\""), "{id}");
        let path = format!("/admin/ledger/{id}/reverse");
        let refused = olga.post(&path, &[("note", "x"), ("confirmed", "yes")]);
        assert_eq!(refused.status, 422, "{id}");
        assert!(refused.text().contains("Only deposits and adjustments"), "{}", refused.text());
    }
    assert_eq!(ann.balance(), "9.00");

    panel.setting(Setting::ConfirmAbove, "0.4");
    let fields = [("note", "again"), ("confirmed", "yes")];
    let asked = olga.post("/admin/ledger/8/reverse", &fields);
    assert!(asked.text().contains("Type <strong>0.50</strong>"), "{}", asked.text());
    let all = panel.store().page(|db| {
        (1..=5).map(|id| accounts::balance(db, panelite::domain::AccountId(id))).collect()
    });
    let all: Vec<Money> = all.unwrap();
    assert_eq!(all.iter().map(|balance| balance.micros()).sum::<i64>(), 0);
}

#[test]
fn the_books_say_whether_they_balance() {
    let (panel, _, mut olga) = shop();
    let page = olga.see("/admin/ledger");
    assert!(page.contains("Books balance") && page.contains(">checked <time"), "{page}");
    panel.clock.advance(60);
    assert_eq!(olga.post("/admin/ledger/check", &[]).status, 303);
    let page = olga.see("/admin/ledger");
    assert!(page.contains("Every entry checked: the books balance"), "{page}");
    assert!(page.contains("every entry checked <time datetime=\"2026-01-03T00:01:00Z\""), "{page}");
    let written = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!((written.verb.as_str(), written.change.as_str()), ("books.check", "sound"));
    panel.clock.advance(15 * 60);
    assert!(olga.see("/admin/ledger").contains(">checked <time"), "looked again by itself");
}

#[test]
fn books_that_do_not_balance_are_said_so_loudly() {
    let (panel, _, mut olga) = shop();
    let lose = |micros: i64| {
        let sql = "UPDATE accounts SET balance_micros = balance_micros -";
        panel.sql(&format!("{sql} ({micros}) WHERE id = 3"));
    };
    lose(5);
    assert_eq!(olga.post("/admin/ledger/check", &[]).status, 303);
    for says in ["The books do not balance: ", "Books do not balance", "Stop taking money"] {
        let page = olga.clone().see("/admin/ledger");
        assert!(page.contains(says), "{says}: {page}");
    }
    let page = olga.see("/admin/ledger");
    assert!(page.contains("<li>sum: all balances together are -5, not 0</li>"), "{page}");
    lose(-5);
    panel.clock.advance(16 * 60);
    let page = olga.see("/admin/ledger");
    assert!(page.contains("Books do not balance"), "the sums alone do not clear it: {page}");
    assert_eq!(olga.post("/admin/ledger/check", &[]).status, 303);
    assert!(olga.see("/admin/ledger").contains("Books balance"));
}
