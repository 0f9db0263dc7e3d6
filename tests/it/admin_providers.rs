//! The pages of providers.

use panelite::domain::ProviderId;
use panelite::practice::Practice;
use panelite::store::providers;

use crate::fixture::operator::{Operator, value_of};
use crate::fixture::panel::Panel;
use crate::fixture::providers::NOWHERE;

fn fields<'a>(name: &'a str, url: &'a str, key: &'a str) -> Vec<(&'a str, &'a str)> {
    let rest = [("dialect", "json"), ("currency", "eur"), ("exchange", "1,08"), ("timeout", "20")];
    let mut fields = vec![("name", name), ("url", url), ("key", key)];
    fields.extend(rest);
    fields.extend([("low", "50"), ("sends_ids", "1")]);
    fields
}

fn shop() -> (Panel, Operator) {
    let panel = Panel::start();
    panel.sells_through(20);
    let olga = panel.operator("olga");
    (panel, olga)
}

#[test]
fn a_provider_is_added_and_its_key_is_never_shown() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin/providers").contains("No providers yet"));
    let page = olga.see("/admin/providers/new");
    assert!(value_of(&page, "currency").is_some() && page.contains("Test"), "{page}");

    let sent = fields("East", "https://east.example/api/v2", "a very secret key");
    let reply = olga.post("/admin/providers", &sent);
    assert_eq!(reply.header("location"), Some("/admin/providers/1"), "{}", reply.text());
    let page = olga.see("/admin/providers/1");
    for text in ["East added", "value=\"EUR\"", "value=\"1.08\"", "value=\"50.00\"", "Working"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("a very secret key"), "{page}");
    let list = olga.see("/admin/providers");
    assert!(list.contains("<bdi>East</bdi>") && list.contains("never"), "{list}");
    let kept = panel.store().page(|db| providers::get(db, ProviderId(1))).unwrap();
    assert_eq!(kept.terms.exchange.nanos(), 1_080_000_000);
}

#[test]
fn what_is_wrong_stands_beside_its_field() {
    let (_panel, mut olga) = shop();
    for (name, value, says) in [
        ("name", "", "Enter a name"),
        ("name", "North", "taken"),
        ("url", "http://east.example/api/v2", "must begin with https"),
        ("url", "https://user@east.example/api/v2", "must not hold a user name"),
        ("key", "", "Enter the key that the provider gave you"),
        ("exchange", "0", "Enter an exchange rate above 0"),
        ("timeout", "61", "A timeout is 1 to 60 seconds"),
        ("currency", "dollars and cents", "A currency is 1 to 8 capital letters"),
        ("low", "much", "Enter an amount"),
    ] {
        let mut sent = fields("East", "https://east.example/api/v2", "a very secret key");
        sent.iter_mut().filter(|(field, _)| *field == name).for_each(|(_, it)| *it = value);
        let reply = olga.post("/admin/providers", &sent);
        assert_eq!(reply.status, 422, "{name}={value}: {}", reply.text());
        assert!(reply.text().contains(says), "{says}: {}", reply.text());
        assert!(!reply.text().contains("a very secret key"), "{}", reply.text());
    }
}

#[test]
fn a_test_says_why_it_does_not_work_and_keeps_the_key() {
    let (panel, mut olga) = shop();
    let mut sent = fields("East", NOWHERE, "a very secret key");
    sent.push(("insecure", "1"));
    let reply = olga.post("/admin/providers/test", &sent);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let page = reply.text();
    assert!(page.contains("It does not work:") && !page.contains("a very secret key"), "{page}");
    assert_eq!(panel.store().page(providers::list).unwrap().len(), 2, "nothing is kept");

    let sealed = value_of(page, "sealed").unwrap();
    sent.iter_mut().filter(|(name, _)| *name == "key").for_each(|(_, key)| *key = "");
    sent.push(("sealed", &sealed));
    let reply = olga.post("/admin/providers", &sent);
    assert_eq!(reply.status, 303, "the key need not be typed again: {}", reply.text());
    let sealed = panel.store().page(|db| providers::key_sealed(db, ProviderId(3))).unwrap();
    assert!(!sealed.is_empty());
}

#[test]
fn a_provider_is_paused_and_resumed() {
    let (panel, mut olga) = shop();
    let is_enabled =
        || panel.store().page(|db| providers::get(db, ProviderId(1))).unwrap().is_enabled;
    assert_eq!(olga.post("/admin/providers/1/pause", &[]).status, 303);
    let page = olga.see("/admin/providers/1");
    assert!(page.contains("North paused") && page.contains("It gets no orders."), "{page}");
    assert!(!is_enabled());
    olga.post("/admin/providers/1/resume", &[]);
    assert!(is_enabled());
    assert_eq!(olga.get("/admin/providers/99").status, 404);
    assert_eq!(olga.post("/admin/providers/99/pause", &[]).status, 404);
}

#[test]
fn a_new_key_is_of_the_same_account_while_orders_are_open() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    ann.buys(20, 100);
    panel.places(ProviderId(1), "5512");
    let path = "/admin/providers/1/access";
    let sent = [("url", "https://north.example/api/v2"), ("key", "the next key")];
    let refused = olga.post(path, &sent);
    assert_eq!(refused.status, 422, "http is permitted to it, this is not: {}", refused.text());
    assert!(refused.text().contains("confirm that the new key opens the same account"));
    let sealed = value_of(refused.text(), "sealed").unwrap();
    let again = [sent[0], ("key", ""), ("sealed", sealed.as_str()), ("same_account", "1")];
    assert_eq!(olga.post(path, &again).status, 303);
    let page = olga.see("/admin/providers/1");
    assert!(page.contains("https://north.example/api/v2"), "{page}");
}

#[test]
fn a_provider_that_is_named_stays() {
    let (panel, mut olga) = shop();
    panel.provider("Spare", NOWHERE, "key three");
    olga.post_and_confirm("/admin/providers/3/remove", &[]);
    assert!(olga.see("/admin/providers").contains("Spare removed"));
    assert_eq!(olga.get("/admin/providers/3").status, 404);
}

#[test]
fn its_last_calls_are_listed_without_the_key() {
    let (panel, mut olga) = shop();
    let page = olga.see("/admin/providers/1/calls");
    assert!(page.contains("No calls since the panel was started"), "{page}");
    assert_eq!(olga.post("/admin/providers/1/probe", &[]).status, 303);
    panel.deliver();
    let page = olga.see("/admin/providers/1/calls");
    assert!(page.contains("balance") && !page.contains("key one"), "{page}");
}

/// A panel with a provider that answers, its list taken over.
fn practice_shop() -> (Panel, Practice, Operator) {
    let panel = Panel::start();
    let practice = Practice::start(panel.clock.clone(), "127.0.0.1:0".parse().unwrap()).unwrap();
    panel.provider_of("Practice", &practice, 30);
    panel.deliver();
    let olga = panel.operator("olga");
    (panel, practice, olga)
}

#[test]
fn a_test_shows_the_balance_and_three_services() {
    let (_panel, practice, mut olga) = practice_shop();
    let url = practice.url();
    let mut sent = fields("Again", &url, practice.key());
    sent.push(("insecure", "1"));
    let page = olga.post("/admin/providers/test", &sent);
    let page = page.text();
    assert!(page.contains("It works.") && page.contains("services are on its list"), "{page}");
    assert_eq!(page.split("role=\"status\"").nth(1).unwrap().matches("<li>").count(), 3, "{page}");
    assert!(page.contains("Its currency is not the one below"), "USD, not EUR: {page}");
}

#[test]
fn the_balance_is_shown_with_its_trend() {
    let (panel, practice, mut olga) = practice_shop();
    panel.clock.advance(1200);
    practice.set_balance("12.50");
    panel.deliver();
    let page = panel.log_in("olga").see("/admin/providers");
    assert!(page.contains("12.50 USD") && page.contains("<polyline"), "{page}");
    assert!(page.contains("100 %") && page.contains("Working"), "{page}");
    assert!(olga.see("/admin").contains("At <bdi>Practice</bdi>, USD"));
    let calls = olga.see("/admin/providers/1/calls");
    assert!(calls.contains("services") && !calls.contains(practice.key()), "{calls}");
}

/// The lines of the dry run: number, rate and what becomes of it.
fn ids_of_choice(page: &str) -> Vec<String> {
    let boxes = page.split("name=\"service\" value=\"").skip(1);
    boxes.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn services_are_imported_after_a_dry_run_and_taken_back() {
    let (panel, practice, mut olga) = practice_shop();
    let import = "/admin/providers/1/import";
    let page = olga.see(import);
    let first = practice.services().remove(0);
    assert!(page.contains(&first.category) && ids_of_choice(&page).len() > 5, "{page}");
    let found = olga.see(&format!("{import}?q={}", first.id));
    assert!(ids_of_choice(&found).contains(&first.id.to_string()), "{found}");
    assert!(olga.see(&format!("{import}?q=nothing-is-called-so")).contains("matches this"));
    let none = olga.post(&format!("{import}/plan"), &[("category", "")]);
    assert_eq!(none.header("location"), Some(import));

    let chosen = [("service", "1"), ("service", "2"), ("percent", "100"), ("into", "one")];
    let missing = olga.post(&format!("{import}/plan"), &chosen);
    assert_eq!(missing.status, 422);
    assert!(missing.text().contains("Enter the category for all of them"), "{}", missing.text());
    let chosen = [&chosen[..], &[("one", "Bought")]].concat();
    let plan = olga.post(&format!("{import}/plan"), &chosen);
    assert!(plan.text().contains("2 new, 0 changed, 0 skipped"), "{}", plan.text());
    assert!(plan.text().contains("<bdi>Bought</bdi>"), "{}", plan.text());

    let asked = olga.post(import, &chosen);
    assert!(asked.text().contains("Import 2 services from Practice?"), "{}", asked.text());
    let reply = olga.post_and_confirm(import, &chosen);
    assert_eq!(reply.header("location"), Some("/admin/providers/1/import/run"));
    let running = olga.get("/admin/providers/1/import/run");
    assert_eq!(running.header("refresh"), Some("1"), "{}", running.text());
    panel.deliver();
    let done = olga.get("/admin/providers/1/import/run");
    assert!(done.header("refresh").is_none());
    assert!(done.text().contains("2 of 2 services done"), "{}", done.text());
    let sold = olga.see("/admin/services");
    assert!(sold.contains("Bought") && sold.contains(&first.name.replace('&', "&#38;")), "{sold}");
    assert!(olga.see(import).contains("href=\"/admin/services/1\">#1</a>"), "sold already");

    let undo = "/admin/providers/1/import/undo";
    olga.post_and_confirm(undo, &[]);
    panel.deliver();
    let page = olga.see("/admin/providers/1/import/run");
    assert!(page.contains("The import was undone") && page.contains("2 deleted"), "{page}");
    assert!(olga.see("/admin/services").contains("No services yet"));
}

#[test]
fn an_import_is_not_done_where_the_catalogue_has_changed() {
    let (panel, _practice, mut olga) = practice_shop();
    let import = "/admin/providers/1/import";
    let chosen = [("all", "1"), ("percent", "30")];
    let plan = olga.post(&format!("{import}/plan"), &chosen);
    let seen = value_of(plan.text(), "seen").unwrap();
    panel.services(&["1,Likes,Likes,Default,0.90,10,10000,0,0,0,,,"]);
    let sent = [chosen[0], chosen[1], ("seen", &seen), ("confirmed", "yes")];
    let again = olga.post(import, &sent);
    assert_eq!(again.status, 422);
    assert!(again.text().contains("The catalogue has changed since"), "{}", again.text());
    panel.deliver();
    assert!(panel.delivery().import_progress().is_none());
}

#[test]
fn the_page_of_a_service_says_where_it_is_bought_and_sets_it() {
    let (panel, _practice, mut olga) = practice_shop();
    panel.provider("Spare", NOWHERE, "key three");
    panel.services(&["1,Likes,Likes,Default,0.01,10,10000,0,0,0,,,"]);
    let ann = panel.reseller("ann", "10");
    let page = olga.see("/admin/services/1");
    assert!(page.contains("Orders are fulfilled by hand"), "{page}");
    let path = "/admin/services/1/supply";
    let half = olga.post(path, &[("provider_0", "1"), ("theirs_0", ""), ("percent", "10")]);
    assert!(half.status == 422 && half.text().contains("ID of the service"), "{}", half.text());

    let places = [("provider_0", "1"), ("theirs_0", "1"), ("provider_1", "2"), ("theirs_1", "77")];
    let sent = [&places[..], &[("percent", "50"), ("step", "0.01")]].concat();
    let reply = olga.post(path, &sent);
    assert_eq!(reply.status, 303, "{}", reply.text());
    let user = format!("/admin/users/{}/rates", ann.user);
    olga.post(&user, &[("service", "1"), ("rate", "0.001")]);
    let page = olga.see("/admin/services/1");
    for text in
        ["Cost</dt>", "Below cost for", "ann", "value=\"77\"", "Set the rate by the rule", "costs"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(olga.see("/admin/alerts").contains("Below cost"));
    assert_eq!(olga.post("/admin/services/1/by-rule", &[]).status, 303);
    assert!(olga.see("/admin/services/1").contains("The rate is"));
    assert!(
        !olga.see("/admin/alerts").contains("<bdi>#1 Likes</bdi></a></td>\n    <td class=\"do\"")
    );
}
