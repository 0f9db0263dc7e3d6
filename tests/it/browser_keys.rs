//! The keys: each does what the list of keys says, and none gets in the way of somebody who types.

use serde_json::json;

use crate::fixture::browser::{Browser, ENTER, ESCAPE};
use crate::fixture::operator::PASSWORD;
use crate::fixture::panel::Panel;
use crate::fixture::sample;

/// A browser that is logged in.
pub(crate) struct Desk {
    pub(crate) browser: Browser,
    here: String,
}

impl Desk {
    pub(crate) fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.here));
    }

    /// Logs an admin in; nothing where there is no browser.
    pub(crate) fn at(panel: &Panel, admin: &str) -> Option<Self> {
        let desk = Self { browser: Browser::start()?, here: format!("http://{}", panel.address) };
        desk.open("/admin/login");
        desk.browser.fill("#f-name", admin);
        desk.browser.fill("#f-password", PASSWORD);
        desk.browser.press([ENTER]);
        desk.browser.until("location.pathname === '/admin'");
        Some(desk)
    }

    /// Whether an expression is true in the page.
    pub(crate) fn is(&self, expression: &str) -> bool {
        self.browser.run(&format!("return Boolean({expression})"), &[]) == json!(true)
    }

    /// The number of the row under the cursor, from 0 on.
    fn row(&self) -> Option<i64> {
        let script = "return [...document.querySelectorAll('tbody tr')]
            .findIndex((row) => row.classList.contains('cursor'))";
        self.browser.run(script, &[]).as_i64().filter(|row| *row >= 0)
    }
}

#[test]
fn keys_do_what_their_list_says() {
    let panel = sample::shop();
    let Some(desk) = Desk::at(&panel, sample::ADMIN) else { return };
    let browser = &desk.browser;
    the_list_opens_and_closes(&desk);

    let script = "return [...document.querySelectorAll('[data-go]')]
        .map((it) => [it.dataset.go, it.getAttribute('href')])";
    let jumps = browser.run(script, &[]);
    for jump in jumps.as_array().unwrap() {
        desk.open("/admin/account");
        browser.press(['g', jump[0].as_str().unwrap().chars().next().unwrap()]);
        browser.until(&format!("location.pathname === {}", jump[1]));
    }

    desk.open("/admin/users");
    let rows = || desk.row();
    assert_eq!(rows(), None);
    browser.press(['j']);
    assert_eq!(rows(), Some(0));
    browser.press(['j', 'j', 'k']);
    assert_eq!(rows(), Some(1));
    browser.press(['x']);
    assert!(desk.is("document.querySelector('tr.cursor :checked')"));
    browser.press(['/', 'j', 'n', '?', 'g', 'd']);
    assert!(desk.is("document.activeElement.value === 'jn?gd'"), "what is typed is only typed");
    browser.press([ESCAPE]);
    browser.until("document.activeElement === document.body");

    desk.open("/admin/users");
    browser.press([']']);
    browser.until("document.querySelector('.pager a[rel=prev]')");
    browser.press(['[']);
    browser.until("document.querySelector('.pager a[rel=next]')");
    browser.press(['j', 'j', ENTER]);
    browser.until("/^.admin.users.[0-9]+$/.test(location.pathname)");
    browser.press(['e']);
    assert!(desk.is("document.activeElement.matches('[data-edit]')"));
    desk.open("/admin/users");
    browser.press(['n']);
    browser.until("location.pathname === '/admin/users/new'");
}

fn the_list_opens_and_closes(desk: &Desk) {
    let is_open = "document.querySelector('#help:modal')";
    let browser = &desk.browser;
    browser.press(['?']);
    browser.until(is_open);
    browser.press(['g', 'u']);
    assert!(desk.is(is_open), "no jumps out of a dialog");
    browser.press([ESCAPE]);
    browser.until(&format!("!{is_open}"));

    let switch = |word: &str| {
        browser.click(".menu summary");
        browser.leave_by(&format!("button[name=keys][value={word}]"));
        browser.until(&format!("document.querySelector('[value={word}][aria-pressed=true]')"));
    };
    switch("off");
    browser.press(['?', 'n', 'g', 'u']);
    assert!(!desk.is(is_open) && browser.path() == "/admin", "keys can be switched off");
    switch("on");
    browser.press(['?']);
    browser.until(is_open);
}

#[test]
fn a_dialog_is_answered_by_keys_and_gives_the_focus_back() {
    let panel = sample::shop();
    let Some(desk) = Desk::at(&panel, sample::ADMIN) else { return };
    let browser = &desk.browser;
    let is_open = "document.querySelector('#ask:modal form')";
    desk.open("/admin/users/1");
    browser.fill("#f-amount", "5");
    browser.press([ENTER]);
    browser.until(is_open);
    browser.press([ESCAPE]);
    browser.until("!document.querySelector('#ask:modal')");
    browser.until("document.activeElement.id === 'f-amount'");
    browser.press([ENTER]);
    browser.until(is_open);
    assert!(browser.text("#ask").contains("Add 5.00 USD to alice?"));
    browser.press([ENTER]);
    let toast = "document.querySelector('.toast span')?.textContent";
    browser.until(&format!("{toast} === 'The balance of alice is now 1\u{202f}004.876539 USD'"));
}
