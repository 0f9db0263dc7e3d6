//! The first evening: from the link that `serve` prints to an order that is completed, by pointer
//! and keys in a browser, against the program itself.

use std::cell::Cell;
use std::time::Duration;

use serde_json::json;

use crate::fixture::browser::{Browser, ENTER};
use crate::fixture::http;
use crate::fixture::operator::PASSWORD;
use crate::fixture::panel::{cli, stdout};
use crate::fixture::server::Server;
use crate::fixture::shell::paste;

/// What a newcomer without a text may need from the printed link to a completed order.
const CLICKS_MAX: u32 = 12;
const TIME_MAX: Duration = Duration::from_secs(2 * 60);
/// How fast a newcomer is: a click with the look at the page before it, and a character typed.
const PER_CLICK: Duration = Duration::from_secs(4);
const PER_CHARACTER: Duration = Duration::from_millis(300);

/// A browser and the panel in front of it, and what was done in it by hand.
struct Evening {
    browser: Browser,
    server: Server,
    clicks: Cell<u32>,
    characters: Cell<u32>,
}

impl Evening {
    fn open(&self, path: &str) {
        self.browser.open(&format!("http://{}{path}", self.server.address));
    }

    fn fill(&self, fields: &[(&str, &str)]) {
        for (name, text) in fields {
            self.browser.fill(&format!("#f-{name}"), text);
            self.characters.set(self.characters.get() + u32::try_from(text.len()).unwrap());
        }
    }

    fn click(&self, css: &str) {
        self.browser.click(css);
        self.clicks.set(self.clicks.get() + 1);
    }

    /// Waits until the page says something.
    fn reads(&self, css: &str, text: &str) {
        let found = format!("[...document.querySelectorAll({})]", json!(css));
        self.browser
            .until(&format!("{found}.some((it) => it.textContent.includes({}))", json!(text)));
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
    let (clicks, characters) = (Cell::new(0), Cell::new(0));
    let evening = Evening { browser, server: Server::start(&db), clicks, characters };
    evening.set_up();
    evening.add_a_service();
    evening.add_a_user();
    let key = evening.make_a_key();
    evening.sell(&key);
    let (clicks, characters) = (evening.clicks.get(), evening.characters.get());
    assert!(clicks <= CLICKS_MAX, "{clicks} clicks");
    let time = PER_CLICK * clicks + PER_CHARACTER * characters;
    assert!(time < TIME_MAX, "{clicks} clicks and {characters} characters: {time:?}");

    evening.sell_more(&key);
    let Evening { browser, server, .. } = evening;
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    drop(browser);
    assert!(server.terminate().success());
    assert_eq!(stdout(&cli(&db, &["check"])), "sound\n");
}

impl Evening {
    fn set_up(&self) {
        self.browser.open(self.server.setup_link.as_deref().unwrap());
        let panel = [("time_zone", "Europe/Berlin"), ("currency", "EUR"), ("panel", "North")];
        self.fill(&panel);
        self.fill(&[("name", "olga"), ("password", PASSWORD), ("again", PASSWORD)]);
        self.click("main form .primary");
        self.reads(".toast", "Your panel is ready");
        self.reads(".card .hint", "0 of 4 done");
    }

    fn add_a_service(&self) {
        self.click(".checklist a[href='/admin/services/new']");
        self.reads("h1", "New service");
        self.fill(&[("category", "Likes"), ("name", "Photo likes"), ("rate", "0.90")]);
        self.fill(&[("min", "10"), ("max", "5000")]);
        self.click("main form .primary");
        self.reads(".toast", "Photo likes");
        self.reads(".card .hint", "1 of 4 done");
    }

    /// Adds ann, with money.
    fn add_a_user(&self) {
        self.click(".checklist a[href='/admin/users/new']");
        self.reads("h1", "New user");
        self.fill(&[("name", "ann")]);
        self.click("main form .primary");
        self.reads("h1", "ann");
        self.fill(&[("amount", "10")]);
        self.click("main form:has(#f-amount) .primary");
        self.reads("#ask", "Add 10.00 EUR to ann?");
        self.click("#ask .primary");
        self.reads(".toast", "The balance of ann is now 10.00 EUR");
    }

    fn make_a_key(&self) -> String {
        self.click(".tabs a[href$='/keys']");
        self.reads("h2", "API");
        self.fill(&[("label", "site")]);
        self.click("main form:has(#f-label) .primary");
        self.reads("h1", "New key of ann");
        self.reads("#first-use", "No request yet");
        self.browser.text("#key")
    }

    /// An order by the request that the key's page shows, and its end.
    fn sell(&self, key: &str) {
        let request = self.browser.text("#curl-add");
        let shown = ["action=add", "service=1", "quantity=10"];
        assert!(shown.iter().all(|part| request.contains(part)), "{request}");
        self.api(&format!("key={key}&action=balance"));
        self.reads("#first-use", "First request arrived");
        if let Some(answer) = paste(&request) {
            assert_eq!(answer, r#"{"order":1}"#);
        } else {
            let link = "https://example.com/p";
            let add = format!("key={key}&action=add&service=1&link={link}&quantity=10");
            assert_eq!(self.api(&add), json!({ "order": 1 }));
        }
        self.reads("#first-use a", "Order 1");
        self.click("#first-use a");
        self.reads("h1", "Order 1");
        self.click("button[name=status][value=completed]");
        self.reads("#ask", "Complete order 1?");
        self.click("#ask .primary");
        self.reads(".state", "Completed");
        let status = format!("key={key}&action=status&order=1");
        assert_eq!(self.api(&status)["status"], json!("Completed"));
    }

    /// One more order, by keys, with its start count; what is left is told by page and API.
    fn sell_more(&self, key: &str) {
        let add =
            format!("key={key}&action=add&service=1&link=https://example.com/p&quantity=1000");
        assert_eq!(self.api(&add), json!({ "order": 2 }));
        self.open("/admin");
        self.reads(".figure", "Open orders1");
        self.open("/admin/orders");
        self.browser.press(['j', ENTER]);
        self.reads("h1", "Order 2");
        self.browser.fill("#f-start_count", "250");
        self.browser.click("button[name=status][value=in_progress]");
        self.reads(".state", "In progress");
        let status = format!("key={key}&action=status&order=2");
        assert_eq!(self.api(&status)["start_count"], json!("250"));
        self.browser.click("button[name=status][value=completed]");
        self.reads("#ask", "Complete order 2?");
        self.browser.press([ENTER]);
        self.reads(".state", "Completed");

        self.open("/admin/users/1");
        self.reads(".key-figure", "9.091");
        let balance = format!("key={key}&action=balance");
        assert_eq!(self.api(&balance), json!({ "balance": "9.091", "currency": "EUR" }));
        self.open("/admin/users/1/keys");
        self.reads("td", "site");
        let shown = self.browser.text("body");
        assert!(shown.contains(&key[..8]) && !shown.contains(key), "the key is shown once");
    }
}
