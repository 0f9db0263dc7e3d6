//! What an operator sets in the browser.

use panelite::store::audit;

use crate::fixture::panel::Panel;

const GENERAL: &str = "/admin/settings/general";

#[test]
fn each_card_is_saved_alone_and_whole() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    let page = olga.see("/admin/settings");
    for text in ["value=\"Panelite\"", "value=\"USD\"", "value=\"UTC\"", "value=\"100\""] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let fields = [("name", "Northwind"), ("currency", "EUR"), ("time_zone", "Europe/Berlin")];
    assert_eq!(olga.post(GENERAL, &fields).header("location"), Some("/admin/settings"));
    let page = olga.see("/admin");
    assert!(page.contains("Northwind") && page.contains("EUR"), "{page}");
    let count = || panel.store().page(|db| audit::list(db, i64::MAX, 100)).unwrap().len();
    let before = count();
    olga.post(GENERAL, &fields);
    assert_eq!(count(), before, "nothing changed, nothing is written down");
    let reply = olga.post(
        "/admin/settings/limits",
        &[("key_rate", "10"), ("key_burst", "20"), ("wrong_key_rate", "5"), ("connections", "0")],
    );
    assert_eq!(reply.status, 303);
    assert_eq!(count(), before + 4);
    let last = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!((last.object.as_str(), last.change.as_str()), ("connections", "1024 → 0"));
}

#[test]
fn what_cannot_be_set_is_said_beside_its_field() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    let long = "x".repeat(65);
    let good = [("name", "Northwind"), ("currency", "EUR"), ("time_zone", "UTC")];
    let limits =
        [("key_rate", "1"), ("key_burst", "1"), ("wrong_key_rate", "1"), ("connections", "1")];
    let money = [("confirm_above", "1")];
    for (path, fields, (name, value), sentence) in [
        ("general", &good[..], ("name", ""), "A name is 1 to 64"),
        ("general", &good[..], ("name", &*long), "A name is 1 to 64"),
        ("general", &good[..], ("currency", "eur"), "Enter three capital letters"),
        ("general", &good[..], ("time_zone", "Atlantis"), "Enter a time zone"),
        ("money", &money[..], ("confirm_above", "-1"), "Enter an amount"),
        ("limits", &limits[..], ("key_rate", "many"), "Enter a whole number"),
        ("limits", &limits[..], ("connections", "1000001"), "Enter a whole number"),
    ] {
        let others = fields.iter().filter(|(other, _)| *other != name).copied();
        let fields: Vec<_> = others.chain([(name, value)]).collect();
        let reply = olga.post(&format!("/admin/settings/{path}"), &fields);
        assert_eq!(reply.status, 422, "{name}");
        let beside = reply.text().split(&format!("id=\"e-{name}\">")).nth(1).unwrap_or_default();
        assert!(beside.starts_with(sentence), "{name}: {}", reply.text());
        assert!(
            reply.text().contains("name=\"key_burst\" value=\""),
            "the other cards stay filled"
        );
    }
    assert!(olga.see("/admin/settings").contains("value=\"Panelite\""), "nothing was set");

    assert!(!olga.see("/admin/settings").contains("readonly"));
    panel.reseller("ann", "1");
    let page = olga.see("/admin/settings");
    assert!(page.contains("Fixed since the first deposit.") && page.contains("readonly"), "{page}");
    let reply = olga.post(GENERAL, &good);
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("The currency cannot change once money has moved"));
}
