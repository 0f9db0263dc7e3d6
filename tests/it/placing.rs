//! Orders as they are bought, as tables: what each kind of service asks for and charges by, which
//! links, subscriptions and drip-feeds there may be, and which refusal wins.

use panelite::domain::input::{Input, QUANTITY_MAX};
use panelite::domain::money::{Discount, Money, Rate};
use panelite::domain::placing::{self, Details, Earlier, ForSale, NewOrder, Placing, Quote, Rule};
use panelite::domain::refusal::OrderRefusal;
use panelite::domain::service::{Service, ServiceKind};
use panelite::domain::user::User;
use panelite::domain::{AccountId, OrderId, Timestamp, UserId};

use crate::domain::{money, rate, service};
use crate::fixture::panel::{EPOCH, Panel};
use crate::fixture::supply::offer;
use crate::fixture::table::rows;

/// A customer with so much money.
fn customer(balance: &str) -> User {
    User {
        id: UserId(1),
        name: "ann".to_owned(),
        account: AccountId(4),
        balance: money(balance),
        credit_limit: Money::ZERO,
        discount: Discount::NONE,
        is_suspended: false,
    }
}

/// Reads and places an order for a customer with plenty of money.
fn place(service: &Service, fields: &[(Input, &str)]) -> Result<NewOrder, OrderRefusal> {
    let details = details(fields)?;
    place_for(&customer("1000000"), (service, None), &details)
}

fn details(fields: &[(Input, &str)]) -> Result<Details, OrderRefusal> {
    let mut details = Details::default();
    for (input, text) in fields {
        details.add(*input, (*text).to_owned())?;
    }
    Ok(details)
}

/// Places an order that nothing earlier stands in the way of.
fn place_for(
    user: &User,
    offer: (&Service, Option<Rate>),
    details: &Details,
) -> Result<NewOrder, OrderRefusal> {
    let (service, custom_rate) = offer;
    let (offer, now) = (Some(ForSale { service, custom_rate, floor: None }), Timestamp(EPOCH));
    match placing::place(&Placing { user, offer, details, earlier: None, twin: None, now })? {
        Quote::New(order) => Ok(*order),
        Quote::Bought(id) => panic!("order {id} was never bought"),
    }
}

/// A value for any field.
fn sample(input: Input) -> &'static str {
    match input {
        Input::Link => "https://example.com/p",
        Input::Quantity => "100",
        Input::Comments => "first\r\n\r\n  \nsecond\nthird\n",
        Input::Usernames => "ann\n\nbob",
        Input::Username => "ann",
        Input::Runs | Input::Min => "5",
        Input::Interval | Input::Max => "10",
        Input::Posts | Input::OldPosts => "0",
        Input::Delay => "1440",
        Input::Expiry => "01/01/2026",
        Input::Keywords | Input::Hashtags | Input::Groups => "one\ntwo\nthree\nfour",
        Input::Hashtag | Input::Media | Input::AnswerNumber => "x",
        Input::Country | Input::Device | Input::TypeOfTraffic => "y",
        Input::GoogleKeyword | Input::ReferringUrl => "z",
    }
}

/// Section 5 of the contract, with what an order of the samples is charged at 2.50. Three of the
/// comments and two of the user names are not blank.
const KINDS: &str = "
    type                    | needs                                          | may bring               | units | charge
    Default                 | link quantity                                  |                         | 100   | 0.25
    Package                 | link                                           |                         | 1     | 2.50
    SEO                     | link quantity keywords                         |                         | 100   | 0.25
    Custom Comments         | link comments                                  |                         | 3     | 0.0075
    Custom Comments Package | link comments                                  |                         | 1     | 2.50
    Mentions                | link quantity usernames                        |                         | 100   | 0.25
    Mentions with Hashtags  | link quantity usernames hashtags               |                         | 100   | 0.25
    Mentions Custom List    | link usernames                                 |                         | 2     | 0.005
    Mentions Hashtag        | link quantity hashtag                          |                         | 100   | 0.25
    Mentions User Followers | link quantity username                         |                         | 100   | 0.25
    Mentions Media Likers   | link quantity media                            |                         | 100   | 0.25
    Comment Likes           | link quantity username                         |                         | 100   | 0.25
    Poll                    | link quantity answer_number                    |                         | 100   | 0.25
    Comment Replies         | link username comments                         |                         | 3     | 0.0075
    Invites from Groups     | link quantity groups                           |                         | 100   | 0.25
    Web Traffic             | link quantity country device type_of_traffic   | google_keyword referring_url | 100 | 0.25
    Subscriptions           | username min max delay                         | posts old_posts expiry  | 0     | 0.00
";

/// The fields that a cell names, with their samples.
fn samples(names: &str) -> Vec<(Input, &'static str)> {
    let input = |name| Input::from_stored(name).unwrap();
    names.split_whitespace().map(|name| (input(name), sample(input(name)))).collect()
}

#[test]
fn each_kind_asks_for_its_fields_and_charges_by_its_count() {
    let table = rows(KINDS);
    let labels: Vec<&str> = table.iter().map(|row| row[0]).collect();
    let known: Vec<&str> = ServiceKind::ALL.iter().map(|kind| kind.label()).collect();
    assert_eq!(labels, known);

    for row in &table {
        let service = service(ServiceKind::from_label(row[0]).unwrap());
        let (needs, may_bring) = (samples(row[1]), samples(row[2]));
        let order = place(&service, &needs).unwrap_or_else(|no| panic!("{}: {no}", row[0]));
        let charged = (order.wanted.units.to_string(), order.charge.to_string());
        assert_eq!(charged, (row[3].to_owned(), row[4].to_owned()), "{}", row[0]);

        for absent in 0..needs.len() {
            let mut needs = needs.clone();
            let (input, _) = needs.remove(absent);
            assert_eq!(place(&service, &needs), Err(OrderRefusal::Missing(input)), "{}", row[0]);
        }
        // What a kind does not ask for is let pass and not kept; what it asks for is, as it came.
        let asked: Vec<_> = needs.iter().chain(&may_bring).copied().collect();
        let stray = Input::ALL.iter().filter(|input| asked.iter().all(|(name, _)| name != *input));
        let stray = stray.filter(|input| !matches!(input, Input::Runs | Input::Interval));
        let all: Vec<_> = asked.iter().copied().chain(stray.map(|i| (*i, sample(*i)))).collect();
        let kept = asked.iter().filter(|(i, _)| !matches!(i, Input::Link | Input::Quantity));
        let kept: Vec<_> = kept.map(|(input, text)| (*input, (*text).to_owned())).collect();
        let order = place(&service, &all).unwrap();
        assert_eq!(order.wanted.extras, kept, "{}", row[0]);
        assert_eq!(order.wanted.units.to_string(), row[3], "{}", row[0]);
    }
}

#[test]
fn limits_are_those_of_what_is_counted() {
    use OrderRefusal::{QuantityAbove, QuantityBelow};
    let limited = |kind, min, max| {
        let mut service = service(kind);
        (service.listing.quantity_min, service.listing.quantity_max) = (min, max);
        service
    };
    let quantity = |text| [(Input::Link, "x"), (Input::Quantity, text)];
    let default = limited(ServiceKind::Default, 50, QUANTITY_MAX);
    assert_eq!(place(&default, &quantity("0")), Err(QuantityBelow(50)));
    assert_eq!(place(&default, &quantity("49")), Err(QuantityBelow(50)));
    assert!(place(&default, &quantity("50")).is_ok());
    assert_eq!(place(&default, &quantity("1000000000")), Err(OrderRefusal::InsufficientFunds));
    for text in ["1000000001", "1e3", "-5", "+5", "1.5", "007", "", "ten"] {
        let refused = Err(OrderRefusal::Invalid(Input::Quantity));
        assert_eq!(place(&default, &quantity(text)), refused, "{text:?}");
    }
    let three = [(Input::Link, "x"), (Input::Comments, sample(Input::Comments))];
    let comments = |min, max| place(&limited(ServiceKind::CustomComments, min, max), &three);
    assert_eq!(comments(4, 9), Err(QuantityBelow(4)));
    assert_eq!(comments(1, 2), Err(QuantityAbove(2)));
    assert!(comments(3, 3).is_ok());
    let package = limited(ServiceKind::CustomCommentsPackage, 4, 9);
    assert!(place(&package, &three).is_ok(), "a package is one, whatever is in it");
}

#[test]
fn a_link_is_anything_that_cannot_run_or_deceive() {
    let service = service(ServiceKind::Default);
    let with = |link| place(&service, &[(Input::Link, link), (Input::Quantity, "1")]);
    let (longest, longer) = ("é".repeat(2048), "é".repeat(2049));
    let allowed = [
        "https://example.com/p?a=1&b=%20#x",
        "HTTP://EXAMPLE.COM",
        "@name",
        "ann",
        "two words",
        "tg://resolve?domain=ann",
        "ссылка 🔗",
        "https://example.com/?next=javascript:x",
        "javascript",
        "javascripts:x",
        "<script>alert(1)</script>",
        longest.as_str(),
    ];
    for link in allowed {
        assert_eq!(with(link).unwrap().wanted.link, link, "kept verbatim");
    }
    let refused = [
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "DATA:x",
        "vbscript:x",
        "file:///etc/passwd",
        "java\tscript:x",
        "a\nb",
        "a\0b",
        "a\u{7f}b",
        "a\u{85}b",
        "gpj.\u{202e}exe",
        "\u{2066}x\u{2069}",
        longer.as_str(),
    ];
    for link in refused {
        assert_eq!(with(link), Err(OrderRefusal::BadLink), "{link:?}");
    }
}

#[test]
fn a_subscription_names_its_own_limits() {
    // The clock stands at 2026-01-01, the service sells 1 to 10 000.
    let table = "
        username | min | max   | delay | expiry     | answer
        ann      | 5   | 10    | 0     | 01/01/2026 | yes
        ann      | 1   | 10000 | 1440  | 1/2/2026   | yes
        ann      | 7   | 7     | 0     | 31/12/9999 | yes
        ann      | 8   | 7     | 0     | 01/01/2027 | min is not valid
        ann      | 0   | 7     | 0     | 01/01/2027 | Quantity less than minimal 1
        ann      | 5   | 10001 | 0     | 01/01/2027 | Quantity more than maximum 10000
        ann      | 5   | 10    | 1441  | 01/01/2027 | delay is not valid
        ann      | 5   | 10    | soon  | 01/01/2027 | delay is not valid
        ann      | 5   | 10    | 0     | 31/12/2025 | expiry is not valid
        ann      | 5   | 10    | 0     | 2027-01-01 | expiry is not valid
        ann      | 5   | 10    | 0     | 30/02/2027 | expiry is not valid
        a\u{202e}| 5   | 10    | 0     | 01/01/2027 | Bad link
    ";
    let service = service(ServiceKind::Subscriptions);
    for row in rows(table) {
        use Input::{Delay, Expiry, Max, Min, Username};
        let fields: Vec<_> =
            [Username, Min, Max, Delay, Expiry].into_iter().zip(row.iter().copied()).collect();
        let answer = match place(&service, &fields) {
            Ok(order) => {
                assert_eq!((order.wanted.link.as_str(), order.charge), (row[0], Money::ZERO));
                "yes".to_owned()
            }
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(answer, row[5], "{row:?}");
    }
}

#[test]
fn a_drip_feed_repeats_the_quantity() {
    let table = "
        type         | offered | quantity | runs  | interval | answer
        Default      | yes     | 100      | 10    | 60       | 1000 units for 2.50
        Web Traffic  | yes     | 100      | 10    | 60       | 1000 units for 2.50
        Default      | yes     | 10000    | 10000 | 10000    | 100000000 units for 250000.00
        Default      | yes     | 1        | 1     | 1        | 1 units for 0.0025
        Default      | yes     | 10001    | 2     | 1        | Quantity more than maximum 10000
        Default      | yes     | 0        | 100   | 1        | Quantity less than minimal 1
        Default      | yes     | 100      | 10    |          | interval is missing
        Default      | yes     | 100      |       | 60       | runs is missing
        Default      | yes     | 100      | 0     | 60       | runs is not valid
        Default      | yes     | 100      | 10001 | 60       | runs is not valid
        Default      | yes     | 100      | 10    | 0        | interval is not valid
        Default      | yes     | 100      | 10    | 10001    | interval is not valid
        Default      | no      | 100      | 10    | 60       | runs and interval need a service with drip-feed
        SEO          | no      | 100      | 10    | 60       | runs and interval need a service with drip-feed
        Package      | no      | 100      | 10    | 60       | runs and interval need a service with drip-feed
    ";
    for row in rows(table) {
        let mut service = service(ServiceKind::from_label(row[0]).unwrap());
        service.listing.is_dripfeed = row[1] == "yes";
        let mut fields: Vec<_> = service.listing.kind.required().to_vec();
        fields.retain(|input| *input != Input::Quantity);
        let mut fields: Vec<_> = fields.into_iter().map(|input| (input, sample(input))).collect();
        let given = [Input::Quantity, Input::Runs, Input::Interval].into_iter();
        fields.extend(given.zip([row[2], row[3], row[4]]).filter(|(_, text)| !text.is_empty()));
        let answer = match place(&service, &fields) {
            Ok(order) => {
                assert_eq!(order.wanted.quantity.to_string(), row[2], "quantity is per run");
                format!("{} units for {}", order.wanted.units, order.charge)
            }
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(answer, row[5], "{row:?}");
    }
}

#[test]
fn a_price_is_the_custom_rate_else_the_discounted_one() {
    let service = service(ServiceKind::Default);
    let details = details(&[(Input::Link, "x"), (Input::Quantity, "1000")]).unwrap();
    let charge = |user: &User, custom_rate| {
        place_for(user, (&service, custom_rate), &details).map(|order| order.charge)
    };
    let discount = Discount::parse("10").unwrap();
    let ann = User { discount, ..customer("2.25") };
    assert_eq!(charge(&ann, None), Ok(money("2.25")), "to the last cent");
    assert_eq!(charge(&ann, Some(rate("1.00"))), Ok(money("1.00")), "no discount on top");
    assert_eq!(charge(&customer("2.25"), None), Err(OrderRefusal::InsufficientFunds));
    let on_credit = User { credit_limit: money("0.25"), ..customer("2.25") };
    assert_eq!(charge(&on_credit, None), Ok(money("2.50")));
    let in_debt = User { balance: Money::from_micros(-1), ..customer("0") };
    assert_eq!(charge(&in_debt, Some(rate("0"))), Ok(Money::ZERO), "what is free needs no money");
}

#[test]
fn a_charge_rounds_up_and_once() {
    let mut service = service(ServiceKind::Default);
    service.listing.rate = rate("0.0001"); // a tenth of a micro for one unit
    for (runs, charge) in [("1", 1), ("3", 1), ("10", 1), ("11", 2), ("1000", 100)] {
        let fields = [(Input::Link, "x"), (Input::Quantity, "1"), (Input::Interval, "1")];
        let fields = [&fields[..], &[(Input::Runs, runs)]].concat();
        assert_eq!(place(&service, &fields).unwrap().charge, Money::from_micros(charge), "{runs}");
    }
}

/// A request to place an order, about to be spoiled. It holds what both a plain service and a
/// subscription ask for.
struct Attempt {
    service: Service,
    is_on_sale: bool,
    /// What the service costs us.
    floor: Option<Rate>,
    fields: Vec<(Input, &'static str)>,
    balance: &'static str,
    earlier: Option<Earlier>,
    twin: Option<OrderId>,
}

impl Attempt {
    fn new() -> Self {
        use Input::{Delay, Expiry, Link, Max, Min, Quantity, Username};
        let fields = vec![
            (Link, "x"),
            (Username, "x"),
            (Quantity, "100"),
            (Min, "100"),
            (Max, "100"),
            (Delay, "0"),
            (Expiry, "01/01/2027"),
        ];
        let service = service(ServiceKind::Default);
        let (earlier, twin, floor) = (None, None, Some(rate("2.50")));
        Self { service, is_on_sale: true, floor, fields, balance: "1", earlier, twin }
    }

    /// Spoils it by one rule and no other.
    fn break_rule(&mut self, rule: Rule) {
        let listing = &mut self.service.listing;
        let mut set = |wanted: &[Input], text| {
            let fields = self.fields.iter_mut().filter(|(input, _)| wanted.contains(input));
            fields.for_each(|(_, value)| *value = text);
        };
        match rule {
            Rule::Fields => {
                self.fields.retain(|(input, _)| !matches!(input, Input::Quantity | Input::Min));
            }
            Rule::RequestId => {
                self.earlier = Some(Earlier { order: OrderId(1), is_same: false });
            }
            Rule::Service => self.is_on_sale = false,
            Rule::Cost => self.floor = Some(rate("2.500001")),
            Rule::Link => set(&[Input::Link, Input::Username], "file:x"),
            Rule::Minimum => listing.quantity_min = 101,
            Rule::Maximum => listing.quantity_max = 99,
            Rule::Expiry => {
                listing.kind = ServiceKind::Subscriptions;
                set(&[Input::Expiry], "31/12/2025");
            }
            Rule::Duplicate => self.twin = Some(OrderId(1)),
            Rule::Funds => self.balance = "0",
        }
    }

    fn place(&self) -> Result<Quote, OrderRefusal> {
        let (user, details) = (customer(self.balance), details(&self.fields)?);
        let (service, custom_rate, floor) = (&self.service, None, self.floor);
        let offer = self.is_on_sale.then_some(ForSale { service, custom_rate, floor });
        let (earlier, twin, now) = (self.earlier, self.twin, Timestamp(EPOCH));
        placing::place(&Placing { user: &user, offer, details: &details, earlier, twin, now })
    }
}

#[test]
fn of_two_broken_rules_the_earlier_one_answers() {
    assert!(matches!(Attempt::new().place(), Ok(Quote::New(_))));
    for (at, first) in Rule::ALL.iter().enumerate() {
        for second in &Rule::ALL[at..] {
            let mut attempt = Attempt::new();
            // The later one first: where both are about one field, the earlier one has the last word.
            attempt.break_rule(*second);
            attempt.break_rule(*first);
            // Without a service nobody knows which fields are missing.
            let is_unknown = (*first, *second) == (Rule::Fields, Rule::Service);
            let expected = if is_unknown { second } else { first };
            let refusal = attempt.place().unwrap_err();
            assert_eq!(refusal.rule(), Some(*expected), "{first} and {second}: {refusal}");
        }
    }
}

#[test]
fn a_replay_answers_unless_its_fields_cannot_be_read() {
    for rule in Rule::ALL {
        let mut attempt = Attempt::new();
        attempt.break_rule(*rule);
        attempt.earlier = Some(Earlier { order: OrderId(7), is_same: true });
        let is_unread = *rule == Rule::Fields;
        assert_eq!(attempt.place().is_err(), is_unread, "{rule}");
        assert!(is_unread || attempt.place() == Ok(Quote::Bought(OrderId(7))), "{rule}");
    }
}

/// What clients see of it. Every row breaks its own rule and all that come after it that can be
/// broken together with it; the rules are those of placing, the first rows come before them.
const PRECEDENCE: &str = r#"
    key       | rule       | fields                                                                         | status | code
    wrong     | -          | "action":"buy","service":9,"link":"file:x","quantity":"1e3","request_id":"used" | 401    | invalid_key
    suspended | -          | "action":"buy","service":9,"link":"file:x","quantity":"1e3","request_id":"used" | 403    | suspended
    ann       | -          | "action":"buy","service":9,"link":"file:x","quantity":"1e3","request_id":"used" | 400    | unknown_action
    ann       | fields     | "action":"add","service":9,"link":"file:x","quantity":"1e3","request_id":"used" | 400    | bad_request
    ann       | fields     | "action":"add","service":1,"link":"file:x","request_id":"used"                  | 400    | bad_request
    ann       | request id | "action":"add","service":9,"link":"file:x","quantity":1,"request_id":"used"     | 409    | request_conflict
    ann       | request id | "action":"add","service":"x","link":"x","quantity":1,"request_id":"used"        | 409    | request_conflict
    ann       | service    | "action":"add","service":9,"link":"file:x","quantity":1                         | 404    | service_not_found
    ann       | service    | "action":"add","service":"x","link":"file:x","quantity":1                       | 404    | service_not_found
    ann       | service    | "action":"add","service":2,"link":"file:x","quantity":1                         | 404    | service_not_found
    ann       | cost       | "action":"add","service":4,"link":"file:x","quantity":1                         | 404    | service_not_found
    ann       | link       | "action":"add","service":1,"link":"file:x","quantity":1                         | 422    | bad_link
    ann       | minimum    | "action":"add","service":1,"link":"taken","quantity":1                          | 422    | quantity_below
    ann       | maximum    | "action":"add","service":1,"link":"taken","quantity":9999                       | 422    | quantity_above
    ann       | expiry     | "action":"add","service":3,"username":"taken","min":50,"max":60,"delay":0,"expiry":"31/12/2025" | 400 | bad_request
    ann       | duplicate  | "action":"add","service":1,"link":"taken","quantity":1000                       | 409    | duplicate_order
    ann       | funds      | "action":"add","service":1,"link":"free","quantity":1000                        | 402    | insufficient_funds
    ann       | -          | "action":"add","service":1,"link":"free","quantity":100                         | 200    | -
"#;

#[test]
fn the_first_broken_rule_answers() {
    let table = rows(PRECEDENCE);
    let mut rules: Vec<&str> = table.iter().map(|row| row[1]).filter(|rule| *rule != "-").collect();
    rules.dedup();
    let all: Vec<&str> = Rule::ALL.iter().map(|rule| rule.label()).collect();
    assert_eq!(rules, all, "a row for each rule, in their order");

    let panel = Panel::start();
    panel.services(&[
        "1,C,On sale,Default,2.50,50,3000,0,0,0,,,,1",
        "2,C,Off sale,Default,2.50,50,3000,0,0,0",
        "3,C,Posts,Subscriptions,2.50,50,3000,0,0,0,,,,1",
    ]);
    let off_sale = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,\
                    provider_service,description,enabled\n\
                    2,C,Off sale,Default,2.50,50,3000,0,0,0,,,,0\n";
    panel.import(off_sale);
    let upstream = panel.provider("upstream", "http://127.0.0.1:9/api/v2", "key");
    panel.import(
        "id,category,name,type,rate,min,max,provider,provider_service\n\
         4,C,At a loss,Default,2.50,50,3000,upstream,901\n",
    );
    panel.lists(upstream, &[offer("901", "2.500001")]);
    let ann = panel.reseller("ann", "2.75");
    let suspended = panel.reseller("sue", "0");
    assert!(panel.cli(&["user", "set", "sue", "--suspend"]).status.success());
    let bought = r#"{"key":"KEY","action":"add","service":1,"link":"taken","quantity":1000,"request_id":"used"}"#;
    assert_eq!(ann.v2(bought).text(), r#"{"order":"1","currency":"USD"}"#);
    let posts = r#"{"key":"KEY","action":"add","service":3,"username":"taken","min":50,"max":60,"delay":0}"#;
    assert_eq!(ann.v2(posts).text(), r#"{"order":"2","currency":"USD"}"#);

    for row in table {
        let reply = match row[0] {
            "ann" => ann.v2(&format!(r#"{{"key":"KEY",{}}}"#, row[2])),
            "suspended" => suspended.v2(&format!(r#"{{"key":"KEY",{}}}"#, row[2])),
            _ => ann.v2(&format!(r#"{{"key":"nobody's",{}}}"#, row[2])),
        };
        let told = (reply.status.to_string(), reply.header("x-error-code").unwrap_or("-"));
        assert_eq!(told, (row[3].to_owned(), row[4]), "{row:?} → {}", reply.text());
    }

    // A replay answers before anything about the shop or the account is asked.
    panel.import(&off_sale.replace("\n2,C,Off sale", "\n1,C,Off sale"));
    assert_eq!(ann.v2(bought).text(), r#"{"order":"1","currency":"USD"}"#);
    assert_eq!(ann.balance(), "0.00");
}
