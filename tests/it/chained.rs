//! One panel sells through another over real HTTP, in both dialects: orders flow down, statuses,
//! partials, cancels and refills flow back, and the books of both are sound.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use panelite::clock::Clock;
use panelite::commands::orders::SetRefill;
use panelite::domain::delivery::{Stage, State};
use panelite::domain::order::{OrderStatus, PublicStatus};
use panelite::domain::provider::Dialect;
use panelite::domain::refill::RefillStatus;
use panelite::domain::{Actor, OrderId, ProviderId, RefillId, Timestamp};
use panelite::secret::Sealer;
use panelite::store::{Missing, Store, deliveries, orders, placed, refills, submissions};

use crate::fixture::engine;
use crate::fixture::panel::{Panel, Reseller, add_provider, cli, stderr};
use crate::fixture::server::{Server, Shop};

const CSV: &str =
    "id,category,name,type,rate,min,max,refill,cancel,provider,provider_service,refill_days\n";

/// Every type that is sent whole, with what an order of it asks for.
const KINDS: &[(&str, &str)] = &[
    ("Default", "quantity=100"),
    ("Package", ""),
    ("SEO", "quantity=100&keywords=a%0Ab"),
    ("Custom Comments", "comments=one%0Atwo%0Athree"),
    ("Custom Comments Package", "comments=one%0Atwo"),
    ("Mentions", "quantity=100&usernames=a"),
    ("Mentions with Hashtags", "quantity=100&usernames=a&hashtags=b"),
    ("Mentions Custom List", "usernames=a%0Ab"),
    ("Mentions Hashtag", "quantity=100&hashtag=a"),
    ("Mentions User Followers", "quantity=100&username=a"),
    ("Mentions Media Likers", "quantity=100&media=a"),
    ("Comment Likes", "quantity=100&username=a"),
    ("Poll", "quantity=100&answer_number=2"),
    ("Comment Replies", "username=a&comments=x%0Ay"),
    ("Invites from Groups", "quantity=100&groups=a%0Ab"),
    ("Web Traffic", "quantity=100&country=US&device=1&type_of_traffic=2"),
];

/// The services of a panel: the same at both, `sold_by` that provider, if by one.
fn services(rate: &str, sold_by: Option<&str>) -> String {
    let lines = KINDS.iter().zip(1..).map(|((kind, _), id)| {
        let provider = sold_by.map_or(",".to_owned(), |name| format!("{name},{id}"));
        format!("{id},All,{kind},{kind},{rate},1,1000,1,1,{provider},30\n")
    });
    format!("{CSV}{}", lines.collect::<String>())
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/api/v2")
}

/// A panel that sells, and the one it buys from, whose orders are fulfilled by hand.
struct Chain {
    seller: Panel,
    maker: Panel,
    ann: Reseller,
    /// The seller, as the maker knows it.
    buyer: Reseller,
}

impl Chain {
    fn new(dialect: Dialect) -> Self {
        let maker = Panel::start();
        maker.import(&services("1.00", None));
        let buyer = maker.reseller("seller", "1000");
        let seller = Panel::start();
        seller.provider_speaking("maker", (&url(maker.address), &buyer.key), dialect);
        seller.import(&services("1.30", Some("maker")));
        let ann = seller.reseller("ann", "1000");
        Self { seller, maker, ann, buyer }
    }

    /// Buys one of each type; says the numbers, which are the same at both.
    fn buys_all(&self) -> Vec<i64> {
        let buy = |((_, fields), id): (&(&str, &str), usize)| {
            let link = format!("https://example.com/{id}");
            let body = format!("key=KEY&action=add&service={id}&link={link}&{fields}");
            let reply = self.ann.form(&body);
            reply.json()["order"].as_i64().unwrap_or_else(|| panic!("{}", reply.text()))
        };
        let bought = KINDS.iter().zip(1..).map(buy).collect();
        self.seller.deliver();
        bought
    }

    /// Lets time pass at both.
    fn passes(&self, minutes: i64) {
        for _ in 0..minutes {
            self.seller.clock.advance(60);
            self.maker.clock.advance(60);
            self.seller.deliver();
        }
    }

    /// The maker's number for an order.
    fn there(&self, order: i64) -> i64 {
        let id = self.seller.store().point(|db| placed::their_id(db, OrderId(order))).unwrap();
        id.unwrap().parse().unwrap()
    }

    /// What ann reads of an order: its word, and what remains.
    fn reads(&self, order: i64) -> (String, String) {
        let status = self.ann.form(&format!("key=KEY&action=status&order={order}")).json();
        let text = |name: &str| status[name].as_str().unwrap().to_owned();
        (text("status"), text("remains"))
    }
}

#[test]
fn every_type_is_sold_through_another_panel_in_both_dialects() {
    for dialect in [Dialect::Form, Dialect::Json] {
        let chain = Chain::new(dialect);
        let bought = chain.buys_all();
        let list = chain.buyer.form("key=KEY&action=orders&limit=100").json();
        assert_eq!(list.as_array().unwrap().len(), KINDS.len(), "{dialect}");
        for order in &bought {
            chain.maker.set(chain.there(*order), PublicStatus::InProgress, Some(7), None);
        }
        chain.passes(3);
        for order in &bought {
            assert_eq!(chain.reads(*order).0, "In progress", "{dialect}: {order}");
        }
        for order in &bought {
            chain.maker.set(chain.there(*order), PublicStatus::Completed, None, None);
        }
        chain.passes(20);
        for order in &bought {
            assert_eq!(chain.reads(*order), ("Completed".to_owned(), "0".to_owned()), "{dialect}");
        }
    }
}

#[test]
fn partials_cancels_and_refills_flow_back() {
    for dialect in [Dialect::Form, Dialect::Json] {
        let chain = Chain::new(dialect);
        let bought = chain.buys_all();
        let (short, canceled, refilled) = (bought[0], bought[2], bought[5]);
        chain.maker.set(chain.there(short), PublicStatus::Partial, None, Some(40));
        chain.maker.set(chain.there(refilled), PublicStatus::Completed, None, None);
        chain.ann.form(&format!("key=KEY&action=cancel&order={canceled}"));
        chain.passes(30);
        assert_eq!(chain.reads(short), ("Partial".to_owned(), "40".to_owned()), "{dialect}");
        // A pending order is canceled there at once, and that is what the status says.
        assert_eq!(chain.reads(canceled).0, "Canceled", "{dialect}");

        let refill = chain.ann.form(&format!("key=KEY&action=refill&order={refilled}"));
        assert_eq!(refill.status, 200, "{dialect}: {}", refill.text());
        chain.passes(2);
        let theirs = chain.maker.store().point(|db| refills::find(db, RefillId(1))).unwrap();
        assert_eq!(theirs.unwrap().status, RefillStatus::Pending, "{dialect}: it was asked for");
        let set = SetRefill {
            actor: Actor::CommandLine,
            refill: RefillId(1),
            status: RefillStatus::Completed,
        };
        chain.maker.store().write_blocking(set).unwrap();
        chain.passes(45);
        let ours = chain.seller.store().point(|db| refills::find(db, RefillId(1))).unwrap();
        assert_eq!(ours.unwrap().status, RefillStatus::Completed, "{dialect}");
    }
}

/// Kills of either panel while orders flow; what was bought in each cycle.
const KILLS: usize = 20;
const PER_CYCLE: usize = 100;

#[test]
fn killed_at_random_neither_panel_loses_an_order_or_doubles_one() {
    // A port that nobody else takes meanwhile: the maker comes back where it was.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (maker, seller) = (Shop::new(), Shop::new());
    let import = |shop: &Shop, csv: String| {
        let file = shop.folder.path().join("all.csv");
        std::fs::write(&file, csv).unwrap();
        let done = cli(&shop.db, &["service", "import", file.to_str().unwrap()]);
        assert!(done.status.success(), "{}", stderr(&done));
    };
    import(&maker, services("1.00", None));
    let store = Store::open(engine::place(&seller.db), Missing::Refuse, Clock::System).unwrap();
    let sealer = Sealer::open(&engine::key_file(&seller.db)).unwrap();
    add_provider(&store, &sealer, ("maker", &url(port), &maker.key), 5);
    drop(store);
    import(&seller, services("1.30", Some("maker")));

    let mut bought = 0;
    for cycle in 0..engine::often(KILLS) {
        let below = Server::start_at(&maker.db, port);
        let above = Server::start(&seller.db);
        for number in 0..PER_CYCLE {
            let (kind, fields) = KINDS[number % 12];
            let service = 1 + number % 12;
            let body = format!(
                "key=KEY&action=add&service={service}&link=https://example.com/{cycle}/{number}\
                 &{fields}&request_id=c{cycle}n{number}"
            );
            let reply = seller.ask(above.address, &body);
            assert!(reply.json()["order"].as_i64().is_some(), "{kind}: {}", reply.text());
            bought += 1;
        }
        // The maker dies first in every second cycle, in the middle of what it is told.
        let (first, then) = if cycle % 2 == 0 { (above, below) } else { (below, above) };
        first.kill();
        then.kill();
    }
    let below = Server::start_at(&maker.db, port);
    let above = Server::start(&seller.db);
    while !is_all_sent(&seller) {}
    assert_eq!(above.terminate().code(), Some(0));
    assert_eq!(below.terminate().code(), Some(0));
    maker.assert_sound();
    seller.assert_sound();
    assert_partners(&seller, &maker, bought);
}

/// Whether nothing waits to be sent any more.
fn is_all_sent(seller: &Shop) -> bool {
    let store = Store::open(engine::place(&seller.db), Missing::Refuse, Clock::System).unwrap();
    let provider = ProviderId(1);
    let waits = store.point(|db| {
        let waiting = deliveries::count(db, provider, Stage::Send, 1)?;
        Ok(waiting > 0
            || !deliveries::list_interrupted(db, provider, Timestamp(i64::MAX), 1)?.is_empty())
    });
    !waits.unwrap()
}

/// Each order of the seller is one order of the maker, or waits for a person.
fn assert_partners(seller: &Shop, maker: &Shop, bought: usize) {
    let open =
        |shop: &Shop| Store::open(engine::place(&shop.db), Missing::Refuse, Clock::System).unwrap();
    let (above, below) = (open(seller), open(maker));
    let mut by_own_id: BTreeMap<String, usize> = BTreeMap::new();
    let all = |store: &Store| {
        let last = i64::try_from(bought).unwrap();
        let ids: Vec<OrderId> = (1..=last).map(OrderId).collect();
        store.point(|db| orders::find_each(db, &ids)).unwrap()
    };
    for order in all(&below).into_iter().flatten() {
        *by_own_id.entry(order.custom_id.unwrap()).or_default() += 1;
    }
    assert!(by_own_id.values().all(|count| *count == 1), "an order was bought twice");
    let mut there = 0;
    for order in all(&above).into_iter().map(Option::unwrap) {
        let attempts = above.point(|db| submissions::list_of(db, order.id)).unwrap();
        let arrived = attempts.iter().any(|it| by_own_id.contains_key(&it.custom_id));
        let is_accepted = attempts.iter().any(|it| it.state == State::Accepted);
        there += usize::from(arrived);
        match order.status {
            OrderStatus::Active => assert!(arrived && is_accepted, "order {}", order.id),
            OrderStatus::Unknown => {}
            OrderStatus::Pending
            | OrderStatus::Sending
            | OrderStatus::Completed
            | OrderStatus::Partial
            | OrderStatus::Canceled => panic!("order {} is {}", order.id, order.status),
        }
    }
    assert_eq!(there, by_own_id.len(), "the maker has an order that nobody bought");
}
