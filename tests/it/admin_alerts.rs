//! The page of alerts, and what the dashboard and the navigation say of them.

use panelite::commands::conditions::SetCondition;
use panelite::domain::condition::ConditionKind;

use crate::fixture::panel::Panel;

fn tell(panel: &Panel, kind: ConditionKind, subject: &str, text: Option<&str>) {
    let (subject, text) = (subject.to_owned(), text.map(str::to_owned));
    panel.store().write_blocking(SetCondition { kind, subject, text }).unwrap();
}

#[test]
fn an_alert_is_shown_until_it_is_over() {
    let panel = Panel::start();
    panel.sells_through(20);
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin/alerts").contains("No open alerts"));
    assert!(!olga.see("/admin").contains("alerts waiting"));

    tell(&panel, ConditionKind::Failing, "provider 1", Some("The provider does not answer"));
    tell(&panel, ConditionKind::Renamed, "service 20", Some("Likes is now called Hearts"));
    let page = olga.see("/admin/alerts");
    for text in [
        "href=\"/admin/providers/1\" data-open><bdi>North</bdi>",
        "The provider does not answer",
        "href=\"/admin/services/20\" data-open><bdi>#20 Bought likes</bdi>",
        "2<span class=\"hidden\"> alerts waiting</span>",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(olga.see("/admin").contains("<a href=\"/admin/alerts\">2 alerts</a>"));

    tell(&panel, ConditionKind::Failing, "provider 1", None);
    let page = olga.see("/admin/alerts");
    let over = page.split("id=\"t-over\"").nth(1).unwrap();
    assert!(over.contains("does not answer") && !over.contains("Hearts"), "{page}");
    assert!(olga.see("/admin").contains("<a href=\"/admin/alerts\">1 alert</a>"));
}

#[test]
fn an_alert_is_muted_for_a_day_or_a_week() {
    let panel = Panel::start();
    panel.sells_through(20);
    tell(&panel, ConditionKind::LowBalance, "provider 1", Some("Only 3.00 USD are left"));
    let mut olga = panel.operator("olga");
    assert_eq!(olga.post("/admin/alerts/1/mute", &[("days", "1")]).status, 303);
    let page = olga.see("/admin/alerts");
    assert!(page.contains("Alert muted for a day") && page.contains("Show again"), "{page}");
    assert!(!olga.see("/admin").contains("alerts waiting"));

    panel.clock.advance(86_400 + 1);
    let mut olga = panel.log_in("olga");
    assert!(olga.see("/admin").contains("alerts waiting"), "a day later it is back");
    olga.post("/admin/alerts/1/mute", &[("days", "7")]);
    olga.post("/admin/alerts/1/mute", &[("days", "0")]);
    let page = olga.see("/admin/alerts");
    assert!(page.contains("For a day") && !page.contains("id=\"t-muted\""), "{page}");
    assert_eq!(olga.post("/admin/alerts/99/mute", &[("days", "1")]).status, 303);
}
