//! The operator places an order for a user, in the fields of its type.

use crate::admin_orders::{assert_says, ids, shop};
use crate::fixture::operator::form;

#[test]
fn an_operator_places_an_order_for_a_user() {
    let (_panel, mut olga, ann, _) = shop();
    let page = olga.see("/admin/orders/new");
    for suggested in ["<option value=\"ann\">", "<option value=\"2\">Comments</option>"] {
        assert!(page.contains(suggested), "{page}");
    }
    for (query, field, says) in [
        ("user=nobody&service=1", "user", "There is no user with this name or ID"),
        ("user=ann&service=77", "service", "No enabled service has this ID"),
        ("user=ann&service=x", "service", "No enabled service has this ID"),
    ] {
        let reply = olga.get(&format!("/admin/orders/new?{query}"));
        assert_eq!(reply.status, 422, "{query}");
        assert!(reply.text().contains(&format!("aria-describedby=\"e-{field}\"")), "{query}");
        assert_says(reply.text(), &[says]);
    }
    assert!(olga.see("/admin/orders/new?user=ann").contains("name=\"user\" value=\"ann\""));

    let page = olga.see("/admin/orders/new?user=ann&service=1");
    assert_says(&page, &["Balance 100.00 USD", "Rate 0.90 USD per 1000", "10 to 100000"]);
    let mut fields = form(&page, "/admin/orders");
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["link", "quantity", "runs", "interval", "idem", "user", "service"]);
    for (name, value) in &mut fields {
        match name.as_str() {
            "link" => "https://example.com/p".clone_into(value),
            "quantity" => "1000".clone_into(value),
            _ => {}
        }
    }
    let fields: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let asked = olga.post("/admin/orders", &fields);
    assert_says(asked.text(), &["Place this order and charge ann 0.90 USD?"]);
    assert_says(asked.text(), &["#1 Likes", "Balance 100.00 USD", "Balance after 99.10 USD"]);
    assert_eq!(ann.balance(), "100.00", "nothing was placed yet");
    let carried = form(asked.text(), "/admin/orders");
    let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    for _ in 0..2 {
        let reply = olga.post("/admin/orders", &carried);
        assert_eq!(reply.header("location"), Some("/admin/orders/1"), "placed once");
    }
    assert_eq!(ann.balance(), "99.10");
    let page = olga.see("/admin/orders/1");
    assert_says(&page, &["Order 1 placed for ann", "Placed olga", "Charged ann 0.90 USD"]);
    assert_eq!(ids(&olga.see("/admin/orders?user=ann")), [1]);
}

#[test]
fn every_type_asks_for_its_own_fields() {
    let (_panel, mut olga, ann, _) = shop();
    let mut refused = |fields: &[(&str, &str)], field: &str, says: &str| {
        let fields = [&[("user", "ann")], fields].concat();
        let reply = olga.post("/admin/orders", &fields);
        assert_eq!(reply.status, 422, "{fields:?}: {}", reply.text());
        let beside = format!("aria-describedby=\"e-{field}\"");
        let is_beside = field.is_empty() || reply.text().contains(&beside);
        assert!(is_beside, "{fields:?}: {}", reply.text());
        assert_says(reply.text(), &[says]);
    };
    let (link, ten) = (("link", "x"), ("quantity", "10"));
    refused(&[], "service", "Choose a service");
    refused(&[("service", "1"), ten], "link", "Enter a value");
    refused(&[("service", "1"), link], "quantity", "Enter a value");
    refused(&[("service", "1"), link, ("quantity", "1e3")], "quantity", "Enter a whole number");
    refused(&[("service", "1"), link, ("quantity", "9")], "quantity", "less than minimal 10");
    refused(&[("service", "1"), link, ("quantity", "100001")], "quantity", "more than maximum");
    refused(&[("service", "1"), ("link", "javascript:x"), ten], "link", "Bad link");
    refused(&[("service", "1"), ("link", "a\nb"), ten], "link", "Enter this on one line");
    refused(&[("service", "1"), link, ten, ("runs", "3")], "interval", "interval is missing");
    refused(&[("service", "2"), link, ("comments", " \r\n ")], "comments", "Enter a value");
    refused(&[("service", "4"), ("username", "u")], "min", "Enter a value");
    let posts = [("service", "4"), ("username", "u"), ("max", "20"), ("delay", "0")];
    refused(&[&posts[..], &[("min", "30")]].concat(), "min", "min is above max");
    refused(&[&posts[..], &[("min", "5")]].concat(), "min", "less than minimal 10");
    let ended = [("min", "10"), ("expiry", "1/1/2020")];
    refused(&[&posts[..], &ended].concat(), "expiry", "expiry is not valid");
    let dear = [("service", "1"), link, ("quantity", "100000"), ("runs", "9"), ("interval", "5")];
    refused(&dear, "", "Not enough funds on balance: ann has 100.00 available");
    assert_eq!(ann.balance(), "100.00");

    let typed = [("service", "2"), link, ("comments", " One\r\n\r\nTwo <b> \r\n")];
    let fields = [&[("user", "ann")][..], &typed].concat();
    let asked = olga.post("/admin/orders", &fields);
    assert_says(asked.text(), &["charge ann 0.02 USD", "Quantity 2"]);
    olga.post_and_confirm("/admin/orders", &fields);
    assert_says(&olga.see("/admin/orders/1"), &["Comments, 3 lines One Two &#60;b&#62;"]);
    let package = [("user", "ann"), ("service", "3"), link];
    olga.post_and_confirm("/admin/orders", &package);
    assert_eq!(ann.balance(), "95.48");
    let page = olga.see("/admin/orders/new?user=ann&service=4");
    let names: Vec<_> = form(&page, "/admin/orders").into_iter().map(|(name, _)| name).collect();
    let own = ["username", "min", "max", "delay", "posts", "old_posts", "expiry"];
    assert_eq!(names[..own.len()], own);
}
