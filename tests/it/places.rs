//! Where an order goes that its provider does not take, and what changes meanwhile: which places
//! its service has, what the providers say of our money, how long it has waited.

use panelite::commands::deciding::{DecideOrders, Decision, MoveOrders};
use panelite::commands::places::Unwell;
use panelite::commands::providers::{PauseProvider, RecordBalance, ResumeProvider};
use panelite::commands::sending::{Claim, ClaimOrder, RecordSubmission, Sending};
use panelite::commands::supply::SetSupply;
use panelite::domain::condition::ConditionKind;
use panelite::domain::delivery::{Ending, Hand, Submission};
use panelite::domain::money::Money;
use panelite::domain::outcome::{Family, Outcome};
use panelite::domain::pricing::{Offer, Rule};
use panelite::domain::provider::Provider;
use panelite::domain::service::ServiceKind;
use panelite::domain::{Actor, OrderId, ProviderId, ServiceId};
use panelite::secret::Sealer;
use panelite::store::{deliveries, orders, providers, submissions};

use crate::fixture::engine;
use crate::fixture::panel::{Panel, Reseller};
use crate::fixture::supply::offer;

const CSV: &str = "id,category,name,type,rate,min,max,cancel,provider,provider_service\n";
const DAY: i64 = 86_400;

/// A panel with two providers that sell the services 901 and 902 at 1.00, a service of ours at 2.50
/// that is bought as 901 of the first, and ann, who has money.
struct Market {
    panel: Panel,
    ann: Reseller,
    first: ProviderId,
    second: ProviderId,
}

impl Market {
    fn open() -> Self {
        let panel = Panel::start();
        let first = panel.provider("first", "http://127.0.0.1:9/api/v2", "key one");
        let second = panel.provider("second", "http://127.0.0.1:10/api/v2", "key two");
        panel.import(&format!("{CSV}1,C,Likes,Default,2.50,1,5000,1,first,901\n"));
        for provider in [first, second] {
            panel.lists(provider, &[offer("901", "1.00"), offer("902", "1.00")]);
        }
        let ann = panel.reseller("ann", "1000");
        Self { panel, ann, first, second }
    }

    /// The same, with 901 of the second provider as a substitute.
    fn with_substitute() -> Self {
        let market = Self::open();
        market.buys_at((market.first, "901"), &[(market.second, "901")]);
        market
    }

    /// Sets where the service is bought.
    fn buys_at(&self, own: (ProviderId, &str), substitutes: &[(ProviderId, &str)]) {
        let source = |(provider, name): &(ProviderId, &str)| (*provider, (*name).to_owned());
        let command = SetSupply {
            actor: Actor::CommandLine,
            service: ServiceId(1),
            own: Some(source(&own)),
            substitutes: substitutes.iter().map(source).collect(),
            rule: Rule::default(),
            is_followed: false,
            allows_loss: false,
        };
        self.panel.store().write_blocking(command).unwrap();
    }

    fn claims(&self, provider: ProviderId) -> Option<Box<Sending>> {
        let sealer = Sealer::open(&engine::key_file(self.panel.db())).unwrap();
        let command = ClaimOrder { provider, after: OrderId(0), unwell: Unwell::new(), sealer };
        match self.panel.store().write_blocking(command).unwrap() {
            Claim::Send(sending) => Some(sending),
            Claim::Idle | Claim::Did => None,
        }
    }

    /// Sends what is due at a provider, which refuses it.
    fn refuses(&self, provider: ProviderId, family: Family) {
        let sending = self.claims(provider).unwrap();
        self.hears(&sending, Outcome::Refused { family, answer: family.to_string() });
    }

    fn is_busy(&self, provider: ProviderId) {
        let sending = self.claims(provider).unwrap();
        let (retry_after, is_only_said, answer) = (None, false, "HTTP 429".to_owned());
        self.hears(&sending, Outcome::Busy { retry_after, is_only_said, answer });
    }

    fn hears(&self, sending: &Sending, outcome: Outcome) {
        let (submission, unwell) = (sending.submission, Unwell::new());
        let command = RecordSubmission { submission, outcome, unwell };
        self.panel.store().write_blocking(command).unwrap();
    }

    fn tells_balance(&self, provider: ProviderId, amount: &str, currency: &str) {
        let (balance, currency) = (Money::parse(amount).unwrap(), Some(currency.to_owned()));
        self.panel.store().write_blocking(RecordBalance { provider, balance, currency }).unwrap();
    }

    fn attempts(&self, order: i64) -> Vec<Submission> {
        self.panel.store().point(|db| submissions::list_of(db, OrderId(order))).unwrap()
    }

    fn provider(&self, id: ProviderId) -> Provider {
        self.panel.store().point(|db| providers::get(db, id)).unwrap()
    }

    /// Where an order waits, and how: `Pending, held waits at first`.
    fn stands(&self, order: i64) -> String {
        let id = OrderId(order);
        let read = self
            .panel
            .store()
            .point(|db| Ok((orders::find(db, id)?.unwrap(), deliveries::find(db, id)?)));
        let (order, delivery) = read.unwrap();
        let Some(delivery) = delivery else { return order.public_status().to_string() };
        let at = if delivery.provider == self.first { "first" } else { "second" };
        let hand = delivery.hand.map_or("", Hand::as_str);
        let stage = format!("{} {hand}", delivery.stage.as_str());
        format!("{}, {} at {at}", order.public_status(), stage.trim_end())
    }
}

#[test]
fn providers_that_put_an_order_off_do_not_hand_it_to_and_fro() {
    for (family, ending) in [(Family::Funds, Ending::Funds), (Family::Key, Ending::Key)] {
        let market = Market::with_substitute();
        let order = market.ann.buys(1, 100);
        market.refuses(market.first, family);
        assert_eq!(market.stands(order), "Pending, send at second");
        market.refuses(market.second, family);
        assert_eq!(market.stands(order), "Pending, send at second", "{family}");
        assert!(market.claims(market.first).is_none() && market.claims(market.second).is_none());
        let endings: Vec<_> = market.attempts(order).iter().map(|it| it.ending).collect();
        assert_eq!(endings, [Some(ending), Some(ending)]);
    }
}

#[test]
fn two_services_of_one_provider_are_no_way_round_its_empty_balance() {
    let market = Market::open();
    market.buys_at((market.first, "901"), &[(market.first, "902")]);
    let order = market.ann.buys(1, 100);
    market.refuses(market.first, Family::Funds);
    assert!(market.claims(market.first).is_none(), "it waits");
    assert_eq!(market.attempts(order).len(), 1);
}

#[test]
fn what_a_balance_does_not_pay_for_is_bought_elsewhere_or_waits() {
    let market = Market::with_substitute();
    let (one, two) = (market.ann.buys(1, 1000), market.ann.buys(1, 1000));
    market.refuses(market.first, Family::Funds);
    market.tells_balance(market.first, "0.40", "USD");
    assert!(market.claims(market.first).is_none(), "two moves on");
    assert_eq!(market.stands(two), "Pending, send at second");
    market.refuses(market.second, Family::Link);
    assert_eq!(market.stands(one), "Pending, send at first");
    assert!(market.claims(market.first).is_none(), "it is not sent for nothing");
    assert_eq!(market.attempts(one).len(), 2);
}

#[test]
fn a_provider_that_says_no_money_where_there_is_some_is_left_alone_for_a_while() {
    let market = Market::open();
    for _ in 0..3 {
        market.ann.buys(1, 100);
    }
    market.refuses(market.first, Family::Funds);
    market.tells_balance(market.first, "50", "USD");
    market.refuses(market.first, Family::Funds);
    let paused = market.provider(market.first).paused_until;
    assert_eq!(paused.unwrap().0, market.panel.clock.now().0 + 600);
    assert!(market.claims(market.first).is_none());
    market.tells_balance(market.first, "60", "USD");
    assert!(market.claims(market.first).is_some(), "somebody has paid in");
}

#[test]
fn places_that_change_while_an_order_is_out_are_not_mistaken_for_one_another() {
    for substitutes in [vec![], vec!["901"]] {
        let market = Market::open();
        let order = market.ann.buys(1, 100);
        let sending = market.claims(market.first).unwrap();
        let moved: Vec<_> = substitutes.iter().map(|name| (market.first, *name)).collect();
        market.buys_at((market.second, "902"), &moved);
        let answer = "Incorrect service ID".to_owned();
        market.hears(&sending, Outcome::Refused { family: Family::Service, answer });
        assert_eq!(market.stands(order), "Pending, send at second", "not refunded");
        assert_eq!(market.claims(market.second).unwrap().provider_service, "902");
    }
}

#[test]
fn our_own_id_belongs_to_what_is_bought_not_to_the_number_of_its_place() {
    let market = Market::open();
    let order = market.ann.buys(1, 100);
    market.is_busy(market.first);
    market.buys_at((market.first, "902"), &[(market.first, "901")]);
    market.panel.clock.advance(10);
    market.refuses(market.first, Family::Service);
    market.is_busy(market.first);
    let ids: Vec<(String, String)> = market
        .attempts(order)
        .into_iter()
        .map(|attempt| (attempt.provider_service, attempt.custom_id))
        .collect();
    let [(old, first), (new, second), (again, third)] = &ids[..] else { panic!("{ids:?}") };
    assert_eq!((old.as_str(), new.as_str(), again.as_str()), ("901", "902", "901"));
    assert_eq!(first, third, "the same, bought again, cannot be bought twice");
    assert_ne!(first, second, "another one is another order");
}

#[test]
fn an_order_that_waited_for_its_provider_is_not_held_at_the_first_request_for_patience() {
    let market = Market::open();
    let order = market.ann.buys(1, 100);
    let (actor, provider) = (Actor::CommandLine, market.first);
    market.panel.store().write_blocking(PauseProvider { actor, provider }).unwrap();
    market.panel.clock.advance(2 * DAY);
    let actor = Actor::CommandLine;
    market.panel.store().write_blocking(ResumeProvider { actor, provider }).unwrap();
    market.is_busy(market.first);
    assert_eq!(market.stands(order), "Pending, send at first");
    market.panel.clock.advance(DAY);
    market.is_busy(market.first);
    assert_eq!(market.stands(order), "Pending, held waits at first", "that was a day");
}

#[test]
fn a_key_is_proven_by_a_balance_in_any_currency() {
    let market = Market::open();
    let order = market.ann.buys(1, 100);
    market.refuses(market.first, Family::Key);
    market.panel.clock.advance(60);
    market.tells_balance(market.first, "50", "EUR");
    market.refuses(market.first, Family::Key);
    assert_eq!(market.stands(order), "Canceled");
}

#[test]
fn an_order_that_is_moved_needs_no_hand_any_more_where_it_was() {
    let market = Market::with_substitute();
    let order = market.ann.buys(1, 100);
    market.is_busy(market.first);
    market.panel.clock.advance(DAY);
    market.is_busy(market.first);
    let subject = format!("provider {}", market.first);
    assert!(market.panel.condition(ConditionKind::Hand, &subject).is_some());
    let (actor, orders) = (Actor::CommandLine, [OrderId(order)].into());
    let command = MoveOrders { actor, orders, is_elsewhere: true };
    market.panel.store().write_blocking(command).unwrap();
    assert_eq!(market.stands(order), "Pending, send at second");
    assert_eq!(market.panel.condition(ConditionKind::Hand, &subject), None);
}

#[test]
fn a_subscription_is_sent_as_it_is_and_moves_as_an_order_does() {
    let market = Market::open();
    market.panel.import(&format!("{CSV}2,C,Posts,Subscriptions,2.50,1,5000,1,first,903\n"));
    let body = "key=KEY&action=add&service=2&username=ann&min=10&max=20&delay=0";
    let order = market.ann.form(body).json()["order"].as_i64().unwrap();
    assert_eq!(market.stands(order), "Pending, send at first");
    let (actor, orders) = (Actor::CommandLine, [OrderId(order)].into());
    let command = MoveOrders { actor, orders, is_elsewhere: false };
    market.panel.store().write_blocking(command).unwrap();
    let sending = market.claims(market.first).unwrap();
    assert_eq!(sending.provider_service, "903");
    market.hears(&sending, Outcome::Accepted { their_id: "17".to_owned() });
    assert_eq!(market.stands(order), "Pending, posts at first");
}

#[test]
fn a_substitute_takes_a_subscription_if_it_sells_all_that_it_may_buy() {
    let posts = |quantity_max| Offer {
        kind: ServiceKind::Subscriptions,
        quantity_max,
        ..offer("903", "1.00")
    };
    for (max, stands) in [(900, "Pending, send at second"), (1001, "Canceled")] {
        let market = Market::open();
        market.panel.import(&format!("{CSV}1,C,Posts,Subscriptions,2.50,1,5000,1,first,903\n"));
        for (provider, most) in [(market.first, 5000), (market.second, 1000)] {
            market.panel.lists(provider, &[posts(most)]);
        }
        market.buys_at((market.first, "903"), &[(market.second, "903")]);
        let body = format!("key=KEY&action=add&service=1&username=ann&min=10&max={max}&delay=0");
        let order = market.ann.form(&body).json()["order"].as_i64().unwrap();
        market.refuses(market.first, Family::Link);
        assert_eq!(market.stands(order), stands, "{max}");
    }
}

#[test]
fn refused_quantities_have_a_list_fetched_once() {
    let market = Market::open();
    for _ in 0..2 {
        market.ann.buys(1, 100);
    }
    let due_at = || market.provider(market.first).sync_due_at;
    let planned = due_at();
    market.refuses(market.first, Family::Quantity);
    assert_eq!(due_at(), planned, "the list has just come");
    market.panel.clock.advance(700);
    market.refuses(market.first, Family::Quantity);
    assert_eq!(due_at(), market.panel.clock.now());
}

#[test]
fn a_decision_for_elsewhere_leaves_the_place_where_the_order_is() {
    let market = Market::with_substitute();
    let order = market.ann.buys(1, 100);
    let sending = market.claims(market.first).unwrap();
    market.hears(&sending, Outcome::Unknown { answer: "HTTP 500".to_owned() });
    market.buys_at((market.second, "901"), &[(market.first, "901")]);
    let (actor, orders) = (Actor::CommandLine, [OrderId(order)].into());
    let decision = Decision::Elsewhere;
    market.panel.store().write_blocking(DecideOrders { actor, orders, decision }).unwrap();
    assert_eq!(market.stands(order), "Pending, send at second");
}
