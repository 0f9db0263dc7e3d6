//! Subscriptions at a provider: each new post becomes an order that is charged, what is not sure
//! waits for a person, and who cannot pay gets none. Each panel's books are checked when it is
//! dropped.

use panelite::commands::posts::{BuyPost, POSTS_MAX};
use panelite::domain::condition::ConditionKind;
use panelite::domain::delivery::{Hand, Stage};
use panelite::domain::order::{Part, PublicStatus};
use panelite::domain::{Actor, OrderId};
use panelite::practice::{Mode, Practice, Says};
use panelite::store::{self, conditions, deliveries, orders, placed, submissions};

use crate::fixture::panel::{Panel, Reseller};
use crate::fixture::receiver::{Call, Receiver};

/// A panel that sells subscriptions of a practice provider at 2.00, which cost 0.85.
struct Shop {
    panel: Panel,
    practice: Practice,
    ann: Reseller,
}

impl Shop {
    fn open(money: &str) -> Self {
        let panel = Panel::start();
        let clock = panel.clock.clone();
        let practice = Practice::start(clock, "127.0.0.1:0".parse().unwrap()).unwrap();
        panel.provider_of("practice", &practice, 5);
        panel.import(
            "id,category,name,type,rate,min,max,refill,cancel,provider,provider_service\n\
             1,C,New posts,Subscriptions,2.00,10,5000,0,1,practice,19\n",
        );
        panel.sql("INSERT INTO pricings (service_id) VALUES (1) ON CONFLICT DO NOTHING");
        panel.sql("UPDATE pricings SET cost_micros = 850000");
        let ann = panel.reseller("ann", money);
        Self { panel, practice, ann }
    }

    /// Subscribes to so many for each new post. Says our number and the provider's.
    fn subscribes(&self, min: i64, max: i64) -> (i64, String) {
        let fields = format!("username=joe&min={min}&max={max}&delay=0&posts=9");
        let reply = self.ann.form(&format!("key=KEY&action=add&service=1&{fields}"));
        let id = reply.json()["order"].as_i64().unwrap_or_else(|| panic!("{}", reply.text()));
        self.panel.deliver();
        let placed = self.panel.store().point(|db| placed::their_id(db, OrderId(id))).unwrap();
        (id, placed.unwrap())
    }

    /// Lets half an hour pass in steps, and everything that is due happen.
    fn looks(&self) {
        for _ in 0..15 {
            self.panel.clock.advance(120);
            self.panel.deliver();
        }
    }

    fn status(&self, id: i64) -> serde_json::Value {
        self.ann.form(&format!("key=KEY&action=status&order={id}")).json()
    }

    /// What is told of posts that nobody pays for.
    fn unpaid(&self) -> Option<String> {
        let open = self.panel.store().point(|db| conditions::list_open(db, 100)).unwrap();
        open.into_iter().find(|it| it.kind == ConditionKind::UnpaidPosts).map(|it| it.text)
    }

    /// A person says how much was bought for a post.
    fn buys(&self, id: i64, post: &str, units: i64) -> store::Result<Option<OrderId>> {
        let (subscription, their_id) = (OrderId(id), post.to_owned());
        let command = BuyPost { actor: Actor::CommandLine, subscription, their_id, units };
        self.panel.store().write_blocking(command)
    }

    fn hand(&self, id: i64) -> Option<Hand> {
        let found = self.panel.store().point(|db| deliveries::find(db, OrderId(id))).unwrap();
        found.unwrap().hand
    }
}

#[test]
fn each_new_post_is_an_order_that_is_charged_once() {
    let shop = Shop::open("10");
    let (id, theirs) = shop.subscribes(100, 100);
    let sent = &shop.practice.orders()[0];
    assert_eq!((sent.link.as_str(), sent.inputs["min"].as_str()), ("joe", "100"));
    let delivery = shop.panel.store().point(|db| deliveries::find(db, OrderId(id))).unwrap();
    assert_eq!(delivery.unwrap().stage, Stage::Posts);

    shop.practice.post(&theirs, 100).unwrap();
    shop.looks();
    shop.practice.post(&theirs, 100).unwrap();
    let panel = shop.panel.restarted();
    let ann = Reseller { address: panel.address, ..shop.ann };
    let shop = Shop { panel, ann, practice: shop.practice };
    shop.looks();
    shop.looks();
    let status = shop.status(id);
    assert_eq!((&status["status"], &status["posts"]), (&"In progress".into(), &"2".into()));
    assert_eq!(status["orders"], serde_json::json!([2, 3]));
    assert_eq!(shop.ann.balance(), "9.60");
    for post in [2, 3] {
        let order = shop.panel.store().point(|db| orders::find(db, OrderId(post)));
        let order = order.unwrap().unwrap();
        assert_eq!((order.part, order.units), (Part::PostOf(OrderId(id)), 100));
        assert_eq!(order.public_status(), PublicStatus::Completed);
        assert_eq!(shop.status(post)["charge"], "0.20", "the customer sees it");
    }
}

#[test]
fn a_reseller_is_told_of_posts_and_of_the_balance_that_they_leave() {
    let shop = Shop::open("10");
    let receiver = Receiver::start();
    let url = receiver.url();
    let set = ["user", "webhook", "ann", &url, "--allow-insecure", "--low", "9.70"];
    assert!(shop.panel.cli(&set).status.success());
    let (_, theirs) = shop.subscribes(100, 100);
    for _ in 0..2 {
        shop.practice.post(&theirs, 100).unwrap();
        shop.looks();
    }
    let kinds: Vec<String> = receiver.calls().iter().map(Call::kind).collect();
    let count = |kind: &str| kinds.iter().filter(|it| *it == kind).count();
    assert_eq!((count("balance.low"), count("order.completed")), (1, 2), "{kinds:?}");
    let low = receiver.calls().into_iter().find(|call| call.kind() == "balance.low").unwrap();
    assert_eq!(low.json()["balance"]["balance"], "9.60");
}

#[test]
fn a_subscription_pauses_expires_and_is_canceled_without_money() {
    for (word, status) in [
        ("Paused", "Processing"),
        ("Completed", "Completed"),
        ("Expired", "Completed"),
        ("Canceled", "Canceled"),
        ("Active", "In progress"),
    ] {
        let shop = Shop::open("10");
        let (id, theirs) = shop.subscribes(100, 100);
        shop.practice.set_status(&theirs, Says::status(word));
        shop.looks();
        assert_eq!(shop.status(id)["status"], status, "{word}");
        assert_eq!(shop.ann.balance(), "10.00");
    }
    let shop = Shop::open("10");
    let (id, _) = shop.subscribes(100, 100);
    shop.looks();
    shop.ann.form(&format!("key=KEY&action=cancel&order={id}"));
    shop.looks();
    assert_eq!(shop.status(id)["status"], "Canceled");
}

#[test]
fn of_a_range_a_person_says_how_much_was_bought() {
    let shop = Shop::open("10");
    let (id, theirs) = shop.subscribes(100, 200);
    let post = shop.practice.post(&theirs, 150).unwrap();
    shop.looks();
    assert_eq!((shop.hand(id), shop.ann.balance().as_str()), (Some(Hand::Post), "10.00"));
    let live = shop.panel.store().point(|db| submissions::find_live(db, OrderId(id))).unwrap();
    let said = live.unwrap().answer;
    assert_eq!(said, format!("Post {post}: 100 to 200, their charge 0.1275 makes 150"));

    let buys = |units| shop.buys(id, &post, units);
    assert!(buys(99).is_err() && buys(201).is_err());
    assert_eq!(buys(150).unwrap(), Some(OrderId(2)));
    assert!(buys(150).is_err(), "it is an order already");
    shop.looks();
    assert_eq!((shop.hand(id), shop.ann.balance().as_str()), (None, "9.70"));
}

#[test]
fn who_cannot_pay_gets_no_order_and_the_provider_is_asked_to_cancel() {
    let shop = Shop::open("0.30");
    let (id, theirs) = shop.subscribes(100, 100);
    let posts: Vec<String> = (0..3).map(|_| shop.practice.post(&theirs, 100).unwrap()).collect();
    shop.looks();
    assert_eq!(
        (shop.status(id)["posts"].as_str(), shop.ann.balance().as_str()),
        (Some("1"), "0.10")
    );
    assert_eq!(shop.status(id)["status"], "Canceled");
    let which = format!("Posts {}, {} of order {id} are 100 each", posts[1], posts[2]);
    assert_eq!(shop.unpaid(), Some(format!("{which}, which cost 0.17: not paid for")));

    shop.panel.clock.advance(86_400);
    shop.looks();
    assert_eq!(shop.unpaid(), None, "a day after its end nothing more can be bought for it");
}

#[test]
fn posts_that_are_paid_for_later_are_told_no_longer() {
    let shop = Shop::open("0.10");
    shop.practice.misbehave_at("cancel", Mode::Other);
    let (id, theirs) = shop.subscribes(100, 100);
    shop.practice.post(&theirs, 100).unwrap();
    shop.looks();
    assert!(shop.unpaid().is_some());
    assert!(shop.panel.cli(&["user", "deposit", "ann", "0.10"]).status.success());
    shop.looks();
    assert_eq!((shop.unpaid(), shop.ann.balance().as_str()), (None, "0.00"), "it was paid for");

    shop.practice.post(&theirs, 100).unwrap();
    shop.looks();
    assert!(shop.unpaid().is_some());
    shop.panel.set(id, PublicStatus::Canceled, None, None);
    assert_eq!(shop.unpaid(), None, "a person has ended the subscription");
}

#[test]
fn posts_of_a_range_are_told_until_each_is_paid_for() {
    let shop = Shop::open("0.10");
    shop.practice.misbehave_at("cancel", Mode::Other);
    let (id, theirs) = shop.subscribes(100, 200);
    let [large, small] = [150, 100].map(|units| shop.practice.post(&theirs, units).unwrap());
    shop.looks();
    assert_eq!(shop.buys(id, &large, 150).unwrap(), None, "there is no money for it");
    let deposit =
        |money| assert!(shop.panel.cli(&["user", "deposit", "ann", money]).status.success());
    deposit("0.10");
    shop.looks();
    assert!(shop.buys(id, &small, 100).unwrap().is_some());
    shop.looks();
    assert!(shop.unpaid().is_some_and(|text| text.contains(&large)), "one is left");
    deposit("0.30");
    assert!(shop.buys(id, &large, 150).unwrap().is_some());
    shop.looks();
    assert_eq!((shop.unpaid(), shop.ann.balance().as_str()), (None, "0.00"), "all is paid for");
}

#[test]
fn a_subscription_has_a_thousand_posts_and_is_canceled_with_the_next() {
    let shop = Shop::open("100");
    let (id, theirs) = shop.subscribes(10, 10);
    for _ in 0..POSTS_MAX {
        shop.practice.post(&theirs, 10).unwrap();
    }
    for _ in 0..4 {
        shop.looks();
    }
    let stands = || {
        let status = shop.status(id);
        let word = |name: &str| status[name].as_str().unwrap().to_owned();
        format!("{}, {} posts, {} left", word("status"), word("posts"), shop.ann.balance())
    };
    // Each costs 0.02; every seventh order there ends two units short.
    assert_eq!(stands(), "In progress, 1000 posts, 80.572 left");

    let last = shop.practice.post(&theirs, 10).unwrap();
    shop.looks();
    assert_eq!(stands(), "Canceled, 1000 posts, 80.572 left");
    let text = "which costs 0.0085: not paid for, after 1000 posts";
    assert_eq!(shop.unpaid(), Some(format!("Post {last} of order {id} is 10, {text}")));
}
