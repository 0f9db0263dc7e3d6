//! A service with substitutes: an order goes on to the next place where one has refused it or is
//! not well, never where it may have arrived, and never at a loss.

use panelite::commands::orders::CancelOrders;
use panelite::commands::providers::SyncSoon;
use panelite::commands::supply::SetSupply;
use panelite::domain::delivery::Hand;
use panelite::domain::pricing::Rule;
use panelite::domain::{Actor, KeyId, OrderId, ProviderId, ServiceId};
use panelite::practice::{Mode, Practice};
use panelite::store::{deliveries, orders, submissions};

use crate::fixture::panel::{Panel, Reseller};

const CSV: &str = "id,category,name,type,rate,min,max,cancel,provider,provider_service\n";

/// A service that `first` sells and `second` sells too.
struct Shop {
    panel: Panel,
    ann: Reseller,
    first: Practice,
    second: Practice,
    providers: [ProviderId; 2],
}

impl Shop {
    fn open() -> Self {
        let panel = Panel::start();
        let practice =
            || Practice::start(panel.clock.clone(), "127.0.0.1:0".parse().unwrap()).unwrap();
        let (first, second) = (practice(), practice());
        let providers =
            [panel.provider_of("first", &first, 2), panel.provider_of("second", &second, 2)];
        panel.import(&format!("{CSV}1,C,Likes,Default,2.50,10,5000,1,first,1\n"));
        panel.deliver(); // both lists are fetched
        let shop = Self { ann: panel.reseller("ann", "100"), panel, first, second, providers };
        shop.sells(false);
        shop
    }

    /// Sets both places.
    fn sells(&self, allows_loss: bool) {
        let [own, other] = self.providers.map(|provider| (provider, "1".to_owned()));
        let supply = SetSupply {
            actor: Actor::CommandLine,
            service: ServiceId(1),
            own: Some(own),
            substitutes: vec![other],
            rule: Rule::default(),
            is_followed: false,
            allows_loss,
        };
        self.panel.store().write_blocking(supply).unwrap();
    }

    fn passes(&self, seconds: i64) {
        for _ in 0..seconds / 5 {
            self.panel.deliver();
            self.panel.clock.advance(5);
        }
        self.panel.deliver();
    }

    /// How many orders each has.
    fn there(&self) -> [usize; 2] {
        [self.first.orders().len(), self.second.orders().len()]
    }

    /// Its public word, the place of its last attempt, and why it waits for a person.
    fn stands(&self, order: i64) -> (String, Option<i64>, Option<Hand>) {
        let id = OrderId(order);
        let read = self.panel.store().point(|db| {
            let order = orders::find(db, id)?.unwrap();
            let hand = deliveries::find(db, id)?.and_then(|delivery| delivery.hand);
            Ok((order.public_status().label().to_owned(), submissions::list_of(db, id)?, hand))
        });
        let (word, attempts, hand) = read.unwrap();
        (word, attempts.last().map(|attempt| attempt.place), hand)
    }
}

#[test]
fn what_one_place_refuses_for_good_the_next_one_takes() {
    for mode in [Mode::Service, Mode::Quantity, Mode::Link, Mode::Other, Mode::Funds, Mode::Key] {
        let shop = Shop::open();
        shop.first.misbehave_at("add", mode);
        let order = shop.ann.buys(1, 100);
        shop.passes(10);
        assert_eq!(shop.there(), [0, 1], "{mode:?}");
        assert_eq!(shop.stands(order), ("Pending".to_owned(), Some(1), None), "{mode:?}");
    }
}

#[test]
fn what_every_place_refuses_is_refunded() {
    let shop = Shop::open();
    shop.first.misbehave_at("add", Mode::Link);
    shop.second.misbehave_at("add", Mode::Other);
    let order = shop.ann.buys(1, 100);
    shop.passes(10);
    assert_eq!(shop.stands(order), ("Canceled".to_owned(), Some(1), None));
    assert_eq!((shop.there(), shop.ann.balance()), ([0, 0], "100.00".to_owned()));
}

#[test]
fn what_may_have_arrived_never_goes_elsewhere() {
    let shop = Shop::open();
    shop.first.misbehave_at("add", Mode::Accepts500);
    let order = shop.ann.buys(1, 100);
    shop.passes(600);
    assert_eq!(shop.there(), [1, 0]);
    assert_eq!(shop.stands(order), ("Processing".to_owned(), Some(0), Some(Hand::Unknown)));
}

#[test]
fn what_waits_at_a_place_that_is_down_moves_after_two_minutes() {
    let shop = Shop::open();
    shop.first.go_down();
    let order = shop.ann.buys(1, 100);
    shop.passes(90);
    assert_eq!(shop.there(), [0, 0], "it may be back soon");
    shop.passes(180);
    assert_eq!(shop.there(), [0, 1]);
    assert_eq!(shop.stands(order).1, Some(1));
}

#[test]
fn an_order_is_not_bought_at_a_loss_unless_that_is_allowed() {
    let shop = Shop::open();
    let order = shop.ann.buys(1, 100);
    for practice in [&shop.first, &shop.second] {
        practice.set_service(1, |service| service.rate = "9.00".to_owned());
    }
    // Their lists are fetched again before the order is sent.
    for provider in shop.providers {
        let lists = SyncSoon { actor: Actor::CommandLine, provider };
        shop.panel.store().write_blocking(lists).unwrap();
    }
    for practice in [&shop.first, &shop.second] {
        practice.misbehave_next(1, Mode::Status429);
    }
    shop.passes(600);
    assert_eq!(shop.there(), [0, 0]);
    assert_eq!(shop.stands(order).2, Some(Hand::Loss));

    shop.sells(true);
    shop.passes(60);
    assert_eq!(shop.there(), [1, 0], "it goes by itself once a loss is allowed");
}

#[test]
fn an_order_that_waits_to_be_sent_can_still_be_canceled() {
    let shop = Shop::open();
    shop.first.misbehave_at("add", Mode::Status429);
    let order = shop.ann.buys(1, 100);
    shop.panel.deliver();
    let key = KeyId(1);
    let cancel = CancelOrders { user: shop.ann.user, key, orders: vec![OrderId(order)] };
    shop.panel.store().write_blocking(cancel).unwrap()[0].as_ref().unwrap();
    shop.first.behave();
    shop.passes(600);
    assert_eq!(shop.there(), [0, 0]);
    assert_eq!(shop.stands(order).0, "Canceled");
}
