//! Every type of service by the API: what it asks for, what it costs, how it is fulfilled.

use panelite::domain::order::PublicStatus;
use panelite::domain::service::ServiceKind;

use crate::fixture::panel::{Panel, stderr};
use crate::v2::{json, shop};

#[test]
fn every_type_of_service_is_charged_by_its_own_units() {
    let panel = Panel::start();
    let kinds = [
        ("Default", "&quantity=100", "0.10"),
        ("Package", "", "1.00"),
        ("SEO", "&quantity=100&keywords=a%0Ab", "0.10"),
        ("Custom Comments", "&comments=one%0D%0Atwo%0A%0A+%0Athree&quantity=999", "0.003"),
        ("Custom Comments Package", "&comments=one%0Atwo", "1.00"),
        ("Mentions", "&quantity=100&usernames=a", "0.10"),
        ("Mentions with Hashtags", "&quantity=100&usernames=a&hashtags=b", "0.10"),
        ("Mentions Custom List", "&usernames=a%0Ab", "0.002"),
        ("Mentions Hashtag", "&quantity=100&hashtag=a", "0.10"),
        ("Mentions User Followers", "&quantity=100&username=a", "0.10"),
        ("Mentions Media Likers", "&quantity=100&media=a", "0.10"),
        ("Comment Likes", "&quantity=100&username=a", "0.10"),
        ("Poll", "&quantity=100&answer_number=2", "0.10"),
        ("Comment Replies", "&username=a&comments=x%0Ay", "0.002"),
        ("Invites from Groups", "&quantity=100&groups=a%0Ab", "0.10"),
        ("Web Traffic", "&quantity=100&country=US&device=1&type_of_traffic=2", "0.10"),
    ];
    let lines = kinds.iter().zip(1..);
    let lines: Vec<String> =
        lines.map(|((kind, ..), id)| format!("{id},All,{kind},{kind},1,1,1000,0,0,0")).collect();
    panel.services(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let ann = panel.reseller("ann", "1000");
    for ((kind, fields, charge), id) in kinds.iter().zip(1..) {
        let reply = ann.form(&format!("key=KEY&action=add&service={id}&link=x{fields}"));
        assert_eq!(reply.text(), format!("{{\"order\":{id}}}"), "{kind}");
        let status = ann.form(&format!("key=KEY&action=status&order={id}")).json();
        assert_eq!(status["charge"], *charge, "{kind}");
        // Without what its type asks for, it is refused by name.
        if let Some(field) = fields.strip_prefix('&').map(|rest| rest.split('=').next().unwrap()) {
            let reply = ann.form(&format!("key=KEY&action=add&service={id}&link=x"));
            assert!(reply.text().ends_with("is missing\"}"), "{kind} without {field}");
        }
    }
    let array = r#"{"key":"KEY","action":"add","service":4,"link":"x","comments":["a","b"]}"#;
    assert_eq!(ann.v2(array).status, 200);
    let last = format!("key=KEY&action=status&order={}", kinds.len() + 1);
    let status = ann.form(&last).json();
    assert_eq!((&status["charge"], &status["remains"]), (&"0.002".into(), &"2".into()));
}

#[test]
fn drip_feed_is_charged_whole_and_fulfilled_as_one() {
    let (panel, ann) = shop();
    let add = "key=KEY&action=add&service=4&link=x&quantity=100&runs=5&interval=60";
    assert_eq!(ann.form(add).text(), r#"{"order":1}"#);
    assert_eq!(ann.balance(), "99.50");
    let status = ann.form("key=KEY&action=status&order=1").json();
    assert_eq!((&status["remains"], &status["status"]), (&"500".into(), &"Pending".into()));
    panel.set(1, PublicStatus::Partial, None, Some(200));
    assert_eq!(ann.balance(), "99.70");
    for (fields, text) in [
        ("service=4&runs=5", "interval is missing"),
        ("service=4&interval=5", "runs is missing"),
        ("service=4&runs=0&interval=5", "runs is not valid"),
        ("service=4&runs=10001&interval=5", "runs is not valid"),
        ("service=4&runs=5&interval=10001", "interval is not valid"),
        ("service=4&runs=5&interval=1.5", "interval is not valid"),
        ("service=1&runs=5&interval=5", "runs and interval need a service with drip-feed"),
    ] {
        let reply = ann.form(&format!("key=KEY&action=add&link=x&quantity=10&{fields}"));
        assert_eq!(reply.text(), format!(r#"{{"error":"Incorrect request: {text}"}}"#), "{fields}");
    }
}

#[test]
fn subscriptions_are_accepted_and_cost_nothing_yet() {
    let (panel, ann) = shop();
    let add = |fields: &str| {
        ann.form(&format!("key=KEY&action=add&service=7&username=joe&{fields}")).text().to_owned()
    };
    let full = "min=10&max=20&posts=5&old_posts=1&delay=30&expiry=31/12/2026";
    assert_eq!(add(full), r#"{"order":1}"#);
    assert_eq!(ann.balance(), "100.00");
    let list = ann.form("key=KEY&action=orders").json();
    assert_eq!((&list[0]["link"], &list[0]["charge"]), (&"joe".into(), &"0.00".into()));
    for (fields, text) in [
        ("max=20&delay=0", "Incorrect request: min is missing"),
        ("min=10&max=20", "Incorrect request: delay is missing"),
        ("min=20&max=10&delay=0", "Incorrect request: min is not valid"),
        ("min=10&max=20&delay=1441", "Incorrect request: delay is not valid"),
        ("min=10&max=20&delay=0&expiry=2026-01-01", "Incorrect request: expiry is not valid"),
        ("min=10&max=20&delay=0&expiry=31/12/2025", "Incorrect request: expiry is not valid"),
        ("min=9&max=20&delay=0", "Quantity less than minimal 10"),
        ("min=10&max=1001&delay=0", "Quantity more than maximum 1000"),
    ] {
        assert_eq!(add(fields), format!(r#"{{"error":"{text}"}}"#), "{fields}");
    }
    let set = panel.cli(&["order", "set", "1", "--status", "Completed"]);
    assert_eq!(stderr(&set), "panelite: A subscription can only be canceled\n");
    let cancel = json(&ann, r#"{"key":"KEY","action":"cancel","order":1}"#);
    assert_eq!(cancel, r#"{"success":true,"refunded":0.00}"#);
}

#[test]
fn every_type_is_in_the_contract_and_the_readme() {
    let texts = [
        ("src/api/contract.md", include_str!("../../src/api/contract.md")),
        ("README.md", include_str!("../../README.md")),
    ];
    for kind in ServiceKind::ALL {
        for (name, text) in texts {
            assert!(text.contains(&format!("\n| {kind} |")), "{name} has no row for {kind}");
        }
    }
}
