//! The list of services under pointer and keys: what is only true with a script.

use serde_json::json;

use crate::browser_keys::Desk;
use crate::fixture::browser::ENTER;
use crate::fixture::operator::PASSWORD;
use crate::fixture::panel::Panel;

const FOCUS: &str = "document.activeElement.name";
const TOASTS: &str = "[...document.querySelectorAll('.toast span')].map((it) => it.textContent)";

fn shop() -> (Panel, Option<Desk>) {
    let panel = Panel::start();
    panel.services(&[
        "1,Likes,Likes,Default,0.90,10,1000000,0,0,0,,,",
        "2,Likes,More likes,Default,0.80,10,10000,0,0,0,,,",
        "3,Packs,Story pack,Package,4.50,1,1,0,0,1,,,",
        "4,Packs,Another pack,Package,4.50,1,1,0,0,1,,,",
        "5,Packs,A third pack,Package,4.50,1,1,0,0,1,,,",
    ]);
    panel.operator("olga");
    let desk = Desk::at(&panel, "olga");
    if let Some(desk) = &desk {
        desk.open("/admin/services");
    }
    (panel, desk)
}

#[test]
fn a_heading_selects_what_stands_below_it() {
    let (_panel, Some(desk)) = shop() else { return };
    let browser = &desk.browser;
    let says = |text: &str| {
        browser.until(&format!(
            "document.querySelector('[data-chosen]').textContent === {}",
            json!(text)
        ))
    };
    let heading = "tbody:nth-of-type(2) [data-all-of]";
    browser.click(heading);
    says("3 selected");
    assert!(desk.is("[...document.querySelectorAll('[name=id]:checked')].map((it) => it.value)
        .join() === '3,4,5'"));
    browser.click("#s-4 [name=id]");
    says("2 selected");
    assert!(desk.is(&format!("!document.querySelector('{heading}').checked")));
    browser.click("[data-all]");
    says("5 selected");
    assert!(desk.is("[...document.querySelectorAll('[data-all-of]')].every((it) => it.checked)"));
    browser.click(".bulk [type=reset]");
    says("0 selected");
    browser.until("getComputedStyle(document.querySelector('.bulk')).display === 'none'");

    let is_clear = "getComputedStyle(document.querySelector('.filter .clear')).display !== 'none'";
    assert!(!desk.is(is_clear), "nothing is filtered");
    browser.fill("#q", "third");
    browser.until("document.querySelectorAll('tr[id]').length === 1");
    assert!(desk.is(is_clear));
    browser.leave_by(".filter .clear");
    assert_eq!(browser.path(), "/admin/services");
}

#[test]
fn a_row_begins_where_it_is_wrong_and_is_taken_back() {
    let (panel, Some(desk)) = shop() else { return };
    let browser = &desk.browser;
    browser.click("#s-1 [data-edit]");
    browser.until(&format!("{FOCUS} === 'rate'"));
    assert!(
        desk.is("document.querySelector('#f-max').scrollWidth
        <= document.querySelector('#f-max').clientWidth"),
        "1000000 fits"
    );
    for (name, wrong, right) in [("rate", "1e3", "1,20"), ("max", "0", "2000000")] {
        browser.fill(&format!("#f-{name}"), wrong);
        browser.fill("#f-min", "20");
        browser.press([ENTER]);
        browser.until(&format!("document.querySelector('#e-{name}') && {FOCUS} === '{name}'"));
        browser.fill(&format!("#f-{name}"), right);
    }
    assert!(desk.is(&format!("{TOASTS}.length === 0")), "a refusal is no failure");
    browser.press([ENTER]);
    browser.until(&format!("{TOASTS}.includes('Service 1 saved')"));
    browser.until("document.activeElement.matches('#s-1 [data-edit]')");
    assert!(browser.text("#s-1").contains("1.20"));
    browser.leave_by(".toast button");
    browser.until(&format!("{TOASTS}.includes('Service 1 changed back')"));
    assert!(browser.text("#s-1").contains("0.90"));

    browser.click("#s-2 [data-edit]");
    browser.until(&format!("{FOCUS} === 'rate'"));
    browser.fill("#f-rate", "7.77");
    panel.clock.advance(31 * 60);
    browser.press([ENTER]);
    browser.until("document.querySelector('#f-password')");
    browser.fill("#f-name", "olga");
    browser.fill("#f-password", PASSWORD);
    browser.press([ENTER]);
    browser.until("document.querySelector('h1')?.textContent === 'You are logged in'");
    browser.leave_by("main .primary");
    browser.until("document.querySelector('#s-2.edited #f-rate').value === '7.77'");
    browser.click("#s-2 .primary");
    browser.until(&format!("{TOASTS}.includes('Service 2 saved')"));
}
