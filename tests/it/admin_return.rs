//! A session that ends while a form is being filled in: the form comes back after the log-in.

use panelite::domain::Timestamp;
use panelite::store::audit;
use panelite::totp::Seed;

use crate::fixture::operator::{Operator, PASSWORD, form, value_of};
use crate::fixture::panel::{EPOCH, Panel};

fn fields(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn written(panel: &Panel) -> usize {
    panel.store().page(|db| audit::list(db, i64::MAX, 1000)).unwrap().len()
}

/// A panel in which olga's session has just ended.
fn evening() -> (Panel, Operator) {
    let panel = Panel::start();
    panel.services(&["1,Likes,Likes,Default,1.00,10,10000,0,0,0,,,"]);
    panel.reseller("ann", "10");
    let olga = panel.operator("olga");
    panel.clock.advance(31 * 60);
    (panel, olga)
}

/// Logs in on the page that a late form was answered with; gives the page after that.
fn log_in(olga: &mut Operator, late: &str) -> String {
    olga.csrf = value_of(late, "csrf").unwrap();
    let mut sent = form(late, "/admin/login");
    for (name, value) in [("name", "olga"), ("password", PASSWORD)] {
        sent.iter_mut().filter(|(it, _)| it == name).for_each(|(_, it)| *it = value.to_owned());
    }
    let reply = olga.post("/admin/login", &fields(&sent));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().to_owned()
}

/// Presses the button that leads back to the form.
fn go_back(olga: &mut Operator, page: &str, path: &str) -> (u16, String) {
    olga.csrf = value_of(page, "csrf").unwrap();
    let reply = olga.post(path, &fields(&form(page, path)));
    (reply.status, reply.text().to_owned())
}

#[test]
fn a_form_that_came_too_late_comes_back_filled_in() {
    let (panel, mut olga) = evening();
    let before = written(&panel);
    let path = "/admin/users/1/funds";
    let note = "cash & \"more\" <b>ü</b>";
    let late = [
        ("kind", "deposit"),
        ("amount", "50"),
        ("note", note),
        ("proof", "secret word"),
        ("confirmed", "yes"),
    ];
    let reply = olga.post(path, &late);
    assert_eq!(reply.status, 401);
    let page = reply.text();
    assert!(page.contains("You are logged out") && page.contains("your form comes back"), "{page}");
    assert!(!page.contains("secret+word") && !page.contains("secret word"), "{page}");

    let mut wrong = form(page, "/admin/login");
    wrong.retain(|(name, _)| name != "name" && name != "password");
    wrong.extend([("name".into(), "olga".into()), ("password".into(), "not this one".into())]);
    olga.csrf = value_of(page, "csrf").unwrap();
    let refused = olga.post("/admin/login", &fields(&wrong));
    assert_eq!(refused.status, 422);

    let page = log_in(&mut olga, refused.text());
    assert!(page.contains("You are logged in") && page.contains("Nothing was sent"), "{page}");
    let (status, page) = go_back(&mut olga, &page, path);
    assert_eq!(status, 422);
    assert!(page.contains("You were logged out before this was sent. Check it"), "{page}");
    assert_eq!(value_of(&page, "amount").as_deref(), Some("50"));
    assert_eq!(value_of(&page, "note").as_deref(), Some(note));
    assert_eq!(written(&panel), before + 1, "nothing was done but the log-in");

    let again = [("kind", "deposit"), ("amount", "50"), ("note", note)];
    olga.post_and_confirm(path, &again);
    assert_eq!(written(&panel), before + 2);
}

#[test]
fn a_form_without_a_page_of_its_own_is_shown_with_its_fields() {
    let (panel, mut olga) = evening();
    let path = "/admin/users/bulk";
    let late = olga.post(path, &[("id", "1"), ("do", "suspend")]);
    let page = log_in(&mut olga, late.text());
    let (status, page) = go_back(&mut olga, &page, path);
    assert_eq!(status, 200);
    assert!(page.contains("Send this again?") && page.contains("<bdi>suspend</bdi>"), "{page}");
    assert!(!olga.see("/admin/users/1").contains("Suspended"), "nothing was done yet");
    olga.renew_csrf("/admin/account");
    assert_eq!(olga.post(path, &fields(&form(&page, path))).status, 303);
    assert!(olga.see("/admin/users/1").contains("Suspended"));
    drop(panel);
}

#[test]
fn an_edited_row_comes_back_as_it_was_typed() {
    let (_panel, mut olga) = evening();
    let path = "/admin/services/1/row";
    let typed = [("name", "Hearts"), ("rate", "7,77"), ("min", "20"), ("max", "500")];
    let late = olga.post(path, &[&typed[..], &[("q", "like"), ("size", "50")]].concat());
    let page = log_in(&mut olga, late.text());
    let (status, page) = go_back(&mut olga, &page, path);
    assert_eq!(status, 422);
    for (name, text) in typed {
        let field = format!("id=\"f-{name}\" name=\"{name}\" form=\"edit\" value=\"{text}\"");
        assert!(page.contains(&field), "{field}: {page}");
    }
    assert!(page.contains("name=\"q\" value=\"like\""), "the same list: {page}");
    assert!(olga.see("/admin/services").contains(">1.00<"), "nothing was done yet");
}

#[test]
fn a_button_without_fields_leads_to_its_page() {
    let (_panel, mut olga) = evening();
    let late = olga.post("/admin/users/1/suspend", &[]);
    assert_eq!(late.status, 401);
    assert!(late.text().contains("Log in and try again"), "{}", late.text());
    olga.csrf = value_of(late.text(), "csrf").unwrap();
    let next = value_of(late.text(), "next").unwrap();
    let fields = [("name", "olga"), ("password", PASSWORD), ("next", &*next)];
    let reply = olga.post("/admin/login", &fields);
    assert_eq!(reply.header("location"), Some("/admin/users/1"));
}

#[test]
fn only_our_own_forms_come_back_and_not_the_longest() {
    let (_panel, mut olga) = evening();
    for back in ["//evil.example", "/admin/login", "https://evil.example/admin/users", "/api/v2"] {
        let fields =
            [("name", "olga"), ("password", PASSWORD), ("back", back), ("kept", "name=bob")];
        olga.renew_csrf("/admin/login");
        let reply = olga.clone().post("/admin/login", &fields);
        assert_eq!(reply.header("location"), Some("/admin"), "{back}: {}", reply.text());
    }
    let long = "x".repeat(65 * 1024);
    let late = olga.post("/admin/users/1/note", &[("note", &long)]);
    assert_eq!(late.status, 401);
    assert!(!late.text().contains("xxxx") && late.text().contains("Log in and try again"));
}

#[test]
fn a_form_comes_back_after_the_code_too() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    let page = olga.see("/admin/account/app");
    let text = value_of(&page, "seed").unwrap();
    let seed = Seed::parse(&text.replace(' ', "")).unwrap();
    let code = seed.code(Timestamp(EPOCH));
    assert_eq!(olga.post("/admin/account/app", &[("seed", &text), ("code", &code)]).status, 200);
    panel.clock.advance(31 * 60);

    let late = olga.post("/admin/users", &[("name", "bob")]);
    let page = log_in(&mut olga, late.text());
    assert!(page.contains("name=\"kept\"") && page.contains("Enter your code"), "{page}");
    olga.csrf = value_of(&page, "csrf").unwrap();
    let mut sent = form(&page, "/admin/login/code");
    sent.retain(|(name, _)| name != "code");
    sent.push(("code".to_owned(), seed.code(Timestamp(EPOCH + 31 * 60))));
    let reply = olga.post("/admin/login/code", &fields(&sent));
    assert!(reply.text().contains("Nothing was sent"), "{}", reply.text());
    let (status, page) = go_back(&mut olga, reply.text(), "/admin/users");
    assert_eq!((status, value_of(&page, "name").as_deref()), (422, Some("bob")));
}
