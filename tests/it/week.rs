//! A week of drip-feeds and subscriptions at a provider on the manual clock, with restarts and a
//! clock that jumps: every run is sent once, every post charged once, the money is exact to the
//! micro, and the books are sound after every step.

use panelite::practice::Practice;
use panelite::store::check_file;
use rusqlite::Connection;

use crate::fixture::panel::{Panel, Reseller};

/// Numbers that look drawn, the same in every run.
struct Dice(u64);

impl Dice {
    /// One of `low` to `high`.
    fn draw(&mut self, low: i64, high: i64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let width = u64::try_from(high - low + 1).unwrap();
        low + i64::try_from((self.0 >> 33) % width).unwrap()
    }
}

/// A drip-feed as the model knows it.
struct Feed {
    link: String,
    runs: i64,
    quantity: i64,
}

/// What so many units cost at 2.50, in micros.
fn price(units: i64) -> i64 {
    (2_500_000 * units + 999) / 1000
}

fn buy(ann: &Reseller, fields: &str) -> i64 {
    let reply = ann.form(&format!("key=KEY&action=add&{fields}"));
    reply.json()["order"].as_i64().unwrap_or_else(|| panic!("not bought: {}", reply.text()))
}

fn open() -> (Panel, Practice, Reseller) {
    let panel = Panel::start();
    let address = "127.0.0.1:0".parse().unwrap();
    let practice = Practice::start(panel.clock.clone(), address).unwrap();
    panel.provider_of("practice", &practice, 5);
    panel.import(
        "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service\n\
         1,C,Likes,Default,2.50,100,5000,1,0,1,practice,2\n\
         2,C,Posts,Subscriptions,2.50,10,5000,0,0,1,practice,19\n",
    );
    let conn = Connection::open(panel.db()).unwrap();
    conn.execute("INSERT OR IGNORE INTO pricings (service_id) VALUES (1), (2)", []).unwrap();
    conn.execute("UPDATE pricings SET cost_micros = 850000", []).unwrap();
    let ann = panel.reseller("ann", "1000");
    (panel, practice, ann)
}

#[test]
fn a_week_of_runs_and_posts_is_exact_whatever_the_clock_and_the_process_do() {
    let (mut panel, practice, mut ann) = open();
    let mut dice = Dice(13);
    let mut feeds = Vec::new();
    for number in 0..15 {
        let (runs, quantity, interval) = (dice.draw(1, 6), dice.draw(100, 900), dice.draw(20, 600));
        let link = format!("https://example.com/{number}");
        let split = format!("quantity={quantity}&runs={runs}&interval={interval}");
        buy(&ann, &format!("service=1&link={link}&{split}"));
        feeds.push(Feed { link, runs, quantity });
    }
    for user in ["joe", "jim"] {
        buy(&ann, &format!("service=2&username={user}&min=50&max=50&delay=0"));
    }

    let mut posts = 0;
    for step in 0..220 {
        panel.clock.advance(dice.draw(1, 90) * 60);
        match dice.draw(0, 19) {
            0 => panel.clock.advance(dice.draw(1, 20) * 3600),
            1 => panel.clock.advance(-dice.draw(1, 60) * 60),
            2 | 3 => {
                panel = panel.restarted();
                ann.address = panel.address;
            }
            4 => {
                let subscriptions = practice.orders().into_iter().filter(|it| it.link == "joe");
                let id = subscriptions.map(|it| it.id).next();
                posts += i64::from(id.and_then(|id| practice.post(&id, 50)).is_some());
            }
            _ => {}
        }
        panel.deliver();
        assert_eq!(check_file(panel.db()).unwrap(), [], "step {step}");
    }
    for _ in 0..60 {
        panel.clock.advance(30 * 60);
        panel.deliver();
    }

    let placed = practice.orders();
    let mut spent = posts * price(50);
    for Feed { link, runs, quantity } in &feeds {
        let sent: Vec<_> = placed.iter().filter(|it| it.link == *link).collect();
        assert_eq!(i64::try_from(sent.len()).unwrap(), *runs, "{link}");
        let delivered = sent.iter().map(|it| match it.status.as_str() {
            "Completed" => *quantity,
            "Partial" => quantity - quantity / 4,
            other => panic!("{link} is {other}"),
        });
        spent += price(delivered.sum());
    }
    // Of the posts, too, every seventh order at the provider ends short.
    let short = placed.iter().filter(|it| it.link == "joe" && it.status == "Partial").count();
    spent -= i64::try_from(short).unwrap() * (price(50) - price(50 - 50 / 4));
    let left = 1_000_000_000 - spent;
    let balance = ann.balance().replace('.', "");
    let digits = ann.balance().split('.').nth(1).unwrap().len();
    let balance: i64 =
        balance.parse::<i64>().unwrap() * 10_i64.pow(u32::try_from(6 - digits).unwrap());
    assert_eq!(balance, left);
    assert!(posts > 3);
}
