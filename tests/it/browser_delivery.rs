//! Orders that deliver themselves, by pointer and keys in a browser: from a provider that is added
//! to the profit of an order it has completed, and the two ways to decide about an order nobody
//! knows about.

use panelite::practice::{Mode, Practice};
use serde_json::json;

use crate::browser_keys::Desk;
use crate::fixture::panel::{Panel, Reseller};

/// A panel in front of a browser, a provider that nobody has added yet, and ann, who has money.
struct Shop {
    desk: Desk,
    practice: Practice,
    ann: Reseller,
    panel: Panel,
}

impl Shop {
    /// Nothing where there is no browser.
    fn open() -> Option<Self> {
        let panel = Panel::start();
        panel.operator("olga");
        let desk = Desk::at(&panel, "olga")?;
        let any_port = "127.0.0.1:0".parse().unwrap();
        let practice = Practice::start(panel.clock.clone(), any_port).unwrap();
        let ann = panel.reseller("ann", "100");
        Some(Self { desk, practice, ann, panel })
    }

    /// Waits until something on the page says that, in one line.
    #[track_caller]
    fn reads(&self, css: &str, text: &str) {
        let (css, text) = (json!(css), json!(text));
        let line = r"it.textContent.replace(/\s*\n\s*/g, '')";
        let says = format!("(it) => {line}.includes({text})");
        self.desk.browser.until(&format!("[...document.querySelectorAll({css})].some({says})"));
    }

    /// Lets time pass, and what is due happen.
    fn wait(&self, seconds: i64) {
        self.panel.clock.advance(seconds);
        self.panel.deliver();
    }

    fn add_the_provider(&self) {
        let browser = &self.desk.browser;
        self.desk.open("/admin/providers");
        browser.click(".empty a[href='/admin/providers/new']");
        self.reads("h1", "Add provider");
        let (url, key) = (self.practice.url(), self.practice.key());
        for (name, text) in [("name", "North"), ("url", url.as_str()), ("key", key)] {
            browser.fill(&format!("#f-{name}"), text);
        }
        browser.click("button[formaction$='/test']");
        self.reads(".errors", "The address must begin with https://");
        assert_eq!(
            browser.complaints().len(),
            1,
            "a form that is refused has a status that says so"
        );
        browser.click("#f-insecure");
        browser.click("button[formaction$='/test']");
        self.reads(".banner", "It works. The balance is 1\u{202f}000.00 USD");
        self.reads(".banner li", "Instagram Followers");
        browser.click("main form .primary");
        self.reads(".toast", "North added");
        self.wait(1);
    }

    /// Imports its likes, with a markup of half the cost.
    fn import(&self) {
        let browser = &self.desk.browser;
        self.desk.open("/admin/providers/1");
        browser.click("a[href$='/import']");
        self.reads("h1", "Import from North");
        browser.fill("#q", "likes lifetime");
        browser.leave_by(".filter button");
        browser.click("tbody input[name=service]");
        self.reads("[data-chosen]", "1 selected");
        browser.click(".bulk button.primary");
        self.reads(".hint", "1 new, 0 changed, 0 skipped");
        browser.fill("#f-percent", "50");
        browser.leave_by("button[formaction$='/plan']");
        self.reads("td.sum", "0.21");
        self.reads("td.size", "+0.07");
        browser.click("main form .primary");
        self.reads("#ask", "Import 1 service from North?");
        browser.click("#ask .primary");
        self.reads("#t-run", "Importing");
        self.panel.deliver();
        self.reads("#t-run", "Imported");
        browser.click("a.primary[href='/admin/services']");
        self.reads("td", "Instagram Likes");
    }

    /// Sells 10 000 of the imported service, at that link.
    fn sell(&self, link: &str) -> i64 {
        let fields = format!("service=1&quantity=10000&link=https://example.com/{link}");
        let reply = self.ann.form(&format!("key=KEY&action=add&{fields}"));
        reply.json()["order"].as_i64().unwrap_or_else(|| panic!("not bought: {}", reply.text()))
    }

    /// Sells an order whose answer is lost, and opens its page.
    fn lose(&self, mode: Mode) -> i64 {
        let order = self.sell(&format!("p?say={}", mode.as_str()));
        self.wait(1);
        self.desk.open(&format!("/admin/orders/{order}"));
        self.reads("h2", "This order needs a decision");
        order
    }

    /// The browser has nothing to complain about.
    #[track_caller]
    fn ends_quietly(&self) {
        let complaints = self.desk.browser.complaints();
        assert!(complaints.is_empty(), "{complaints:?}");
    }

    /// Says to have looked, and goes on.
    fn agree(&self, question: &str) {
        self.reads("#ask", question);
        self.desk.browser.click("#ask #f-looked");
        self.desk.browser.click("#ask form .actions button");
    }
}

#[test]
fn from_a_new_provider_to_the_profit_of_an_order() {
    let Some(shop) = Shop::open() else { return };
    let browser = &shop.desk.browser;
    shop.add_the_provider();
    shop.import();

    assert_eq!(shop.sell("p"), 1);
    shop.desk.open("/admin/orders/1");
    shop.reads("#t-sent ~ .facts", "Sent as soon as the provider can take it");
    shop.wait(1);
    browser.open(&format!("http://{}/admin/orders/1", shop.panel.address));
    shop.reads("#t-sent ~ .facts", "1001");
    shop.reads(".table .state", "Accepted");
    shop.wait(31);
    shop.desk.open("/admin/orders/1");
    shop.reads("h1 ~ .about .state", "In progress");
    shop.reads(".key-figure", "of 10\u{202f}000 delivered");
    shop.wait(150);
    shop.desk.open("/admin/orders/1");
    shop.reads("h1 ~ .about .state", "Completed");
    shop.reads(".key-figure", "2.10 USD charged");
    shop.reads("dl", "Cost1.40");
    shop.reads("dl", "Profit+0.70");

    shop.desk.open("/admin");
    shop.reads(".figure", "Profit today, USD0.70");
    shop.reads(".figure", "At North, USD");
    shop.desk.open("/admin/orders");
    shop.reads("td", "North");
    assert_eq!(shop.ann.balance(), "97.90");
    shop.ends_quietly();
}

#[test]
fn an_unknown_order_is_decided_as_placed_or_refunded() {
    let Some(shop) = Shop::open() else { return };
    let browser = &shop.desk.browser;
    shop.add_the_provider();
    shop.import();

    let placed = shop.lose(Mode::AcceptsReset);
    let theirs = shop.practice.orders().pop().unwrap().id;
    browser.fill("#f-their_id", "4711");
    browser.click("button[value=placed_as]");
    shop.reads(".toast", "North was asked for 4711: Incorrect order ID");
    browser.fill("#f-their_id", &theirs);
    browser.click("button[value=placed_as]");
    shop.reads("#ask .facts", "North says");
    shop.reads("#ask .facts", "Pending");
    shop.agree(&format!("Is order {placed} at North as {theirs}?"));
    shop.reads(".toast", &format!("The provider has order {placed} as {theirs}"));
    shop.wait(200);
    shop.desk.open(&format!("/admin/orders/{placed}"));
    shop.reads("h1 ~ .about .state", "Completed");

    let lost = shop.lose(Mode::Reset);
    assert_eq!(shop.practice.orders().len(), 1, "the second one never arrived");
    shop.desk.open("/admin");
    browser.click(".needs a[href='/admin/orders?tab=hand']");
    shop.reads("td", "No clear answer");
    browser.click("tbody input[name=id]");
    browser.click(".bulk button[value=refund]");
    shop.agree(&format!("Cancel order {lost} and refund 2.10 USD?"));
    shop.reads(".toast", &format!("Canceled and refunded: order {lost}"));
    shop.reads(".empty", "No order needs a decision");
    shop.desk.open(&format!("/admin/orders/{lost}"));
    shop.reads("h1 ~ .about .state", "Canceled");
    shop.reads("td .state", "Not placed");
    assert_eq!(shop.ann.balance(), "97.90", "paid for the one that was there");
    assert_eq!(shop.practice.orders().len(), 1);
    shop.ends_quietly();
}
