//! The first evening: from the link that `serve` prints to an order that is completed, by pointer
//! and keys in a browser, against the program itself.

use serde_json::json;

use crate::fixture::browser::{Browser, ENTER};
use crate::fixture::http;
use crate::fixture::operator::PASSWORD;
use crate::fixture::panel::{cli, stdout};
use crate::fixture::server::Server;

/// A browser and the panel in front of it.
struct Evening {
    browser: Browser,
    server: Server,
}

impl Evening {
    fn open(&self, path: &str) {
        self.browser.open(&format!("http://{}{path}", self.server.address));
    }

    /// Fills in the fields of a form and sends it by Enter in the last.
    fn send(&self, fields: &[(&str, &str)]) {
        fields.iter().for_each(|(name, text)| self.browser.fill(&format!("#f-{name}"), text));
        self.browser.press([ENTER]);
    }

    /// Waits until the page says something.
    fn reads(&self, css: &str, text: &str) {
        let found = format!("[...document.querySelectorAll({})]", json!(css));
        self.browser
            .until(&format!("{found}.some((it) => it.textContent.includes({}))", json!(text)));
    }

    /// How far the checklist of the dashboard is.
    fn is_done(&self, steps: &str) {
        self.open("/admin");
        self.reads(".checklist ~ *, .card .hint", steps);
    }

    fn api(&self, body: &str) -> serde_json::Value {
        let reply = http::send(self.server.address, "POST", "/api/v2", &[], body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }
}

#[test]
fn from_the_printed_link_to_a_completed_order() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("panel.db");
    let evening = Evening { browser, server: Server::start(&db) };
    evening.set_up();
    evening.add_a_service();
    let key = evening.add_a_user();
    evening.sell(&key);

    let Evening { browser, server } = evening;
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    drop(browser);
    assert!(server.terminate().success());
    assert_eq!(stdout(&cli(&db, &["check"])), "sound\n");
}

impl Evening {
    fn set_up(&self) {
        self.browser.open(self.server.setup_link.as_deref().unwrap());
        self.browser.fill("#f-time_zone", "Europe/Berlin");
        self.browser.fill("#f-currency", "EUR");
        let fields =
            [("name", "olga"), ("password", PASSWORD), ("panel", "North"), ("again", PASSWORD)];
        self.send(&fields);
        self.reads(".toast", "Your panel is ready");
        self.is_done("0 of 4 done");
    }

    fn add_a_service(&self) {
        self.open("/admin/services/new");
        let fields = [("category", "Likes"), ("min", "10"), ("max", "5000"), ("rate", "0.90")];
        fields.iter().for_each(|(name, text)| self.browser.fill(&format!("#f-{name}"), text));
        self.send(&[("name", "Photo likes")]);
        self.reads(".toast", "Photo likes");
        self.is_done("1 of 4 done");
    }

    /// Adds ann, a key, money, and gives the key.
    fn add_a_user(&self) -> String {
        self.open("/admin/users/new");
        self.send(&[("name", "ann")]);
        self.reads("h1", "ann");
        self.reads("h2", "Balance");
        self.send(&[("amount", "10")]);
        self.reads("#ask", "Add 10.00 EUR to ann?");
        self.browser.press([ENTER]);
        self.reads(".toast", "The balance of ann is now 10.00 EUR");

        self.browser.click(".tabs a[href$='/keys']");
        self.reads("h2", "API");
        self.send(&[("label", "site")]);
        self.reads("h1", "New key of ann");
        let key = self.browser.text("#key");
        self.reads("#first-use", "No request yet");
        self.api(&format!("key={key}&action=balance"));
        self.reads("#first-use", "First request arrived");
        self.browser.click("#t-key ~ .actions a.primary");
        self.reads("td", "site");
        let shown = self.browser.text("body");
        assert!(shown.contains(&key[..8]) && !shown.contains(&key), "the key is shown once");
        self.is_done("3 of 4 done");
        key
    }

    fn sell(&self, key: &str) {
        let add =
            format!("key={key}&action=add&service=1&link=https://example.com/p&quantity=1000");
        assert_eq!(self.api(&add), json!({ "order": 1 }));
        self.open("/admin");
        self.reads(".figure", "Open orders1");
        self.open("/admin/orders");
        self.browser.press(['j', ENTER]);
        self.reads("h1", "Order 1");
        self.browser.fill("#f-start_count", "250");
        self.browser.click("button[name=status][value=in_progress]");
        self.reads(".state", "In progress");
        let status = format!("key={key}&action=status&order=1");
        assert_eq!(self.api(&status)["start_count"], json!("250"));
        self.browser.click("button[name=status][value=completed]");
        self.reads("#ask", "Complete order 1?");
        self.browser.press([ENTER]);
        self.reads(".state", "Completed");
        assert_eq!(self.api(&status)["status"], json!("Completed"));

        self.open("/admin/users/1");
        self.reads(".key-figure", "9.10");
        let balance = format!("key={key}&action=balance");
        assert_eq!(self.api(&balance), json!({ "balance": "9.10", "currency": "EUR" }));
    }
}
