//! What a provider's new list changes of a service by itself, as a table, and what nobody is sold
//! at a loss.

use panelite::commands::supply::{SetRateByRule, SetSupply};
use panelite::domain::condition::ConditionKind;
use panelite::domain::following::{Followed, Seen, Standing, follow};
use panelite::domain::pricing::{Offer, Pricing, Rule};
use panelite::domain::refusal::{OperatorRefusal, ProviderRefusal};
use panelite::domain::service::{Listing, ServiceKind};
use panelite::domain::{Actor, ProviderId, ServiceId, Timestamp};
use panelite::store::substitutes;

use crate::domain::{rate, service};
use crate::fixture::panel::Panel;
use crate::fixture::supply::offer;
use crate::fixture::table::rows;

const CSV: &str = "id,category,name,type,rate,min,max,refill,cancel,provider,provider_service\n";

/// A service at 1.30 whose cost was 1.00, by a rule of +30 %, and what its provider lists.
struct Case {
    listing: Listing,
    pricing: Pricing,
    before: Option<Offer>,
    now: Offer,
    standing: Standing,
}

impl Case {
    fn new() -> Self {
        let mut listing = service(ServiceKind::Default).listing;
        (listing.rate, listing.quantity_min, listing.quantity_max) = (rate("1.30"), 10, 1000);
        let rule = Rule { percent_bp: 3000, ..Rule::default() };
        let pricing =
            Pricing { cost: Some(rate("1")), rule, is_followed: true, ..Pricing::default() };
        let (before, now) = (Some(offer("7", "1")), offer("7", "1"));
        Self { listing, pricing, before, now, standing: Standing::default() }
    }

    fn followed(&self) -> Followed {
        follow(&Seen {
            listing: &self.listing,
            pricing: &self.pricing,
            before: self.before.as_ref(),
            now: &self.now,
            cost: self.now.cost,
            standing: self.standing,
        })
    }

    /// Changes one thing, by a word of the tables below.
    fn with(mut self, what: &str) -> Self {
        match what.split_once(' ').unwrap_or((what, "")) {
            ("cost", text) => self.now.cost = rate(text),
            ("rate", text) => self.listing.rate = rate(text),
            ("unfollowed", _) => self.pricing.is_followed = false,
            ("loss", _) => self.pricing.allows_loss = true,
            ("new", _) => (self.before, self.pricing.cost) = (None, None),
            ("free", _) => self.pricing.cost = Some(rate("0")),
            ("jumping", _) => self.standing.is_jumping = true,
            ("limits", text) => {
                let (min, max) = text.split_once('-').unwrap();
                let limits = (min.parse().unwrap(), max.parse().unwrap());
                (self.now.quantity_min, self.now.quantity_max) = limits;
            }
            ("no-refill", _) => self.now.is_refill = false,
            ("no-cancel", _) => self.now.is_cancel = false,
            ("nothing-offered", _) => {
                (self.listing.is_refill, self.listing.is_cancel) = (false, false);
            }
            ("renamed", _) => self.now.name = "Other".to_owned(),
            ("package", _) => self.now.kind = ServiceKind::Package,
            ("was-package", _) => self.before.as_mut().unwrap().kind = ServiceKind::Package,
            ("off", _) => self.listing.is_enabled = false,
            ("off-by-sync", _) => {
                (self.listing.is_enabled, self.pricing.off_by_sync) = (false, true);
            }
            ("back", _) => self.before.as_mut().unwrap().gone_at = Some(Timestamp(1)),
            ("refused", _) => self.standing.is_refused = true,
            ("elsewhere", _) => self.standing.is_elsewhere = true,
            (other, _) => panic!("{other} is nothing that can change"),
        }
        self
    }
}

/// What is as given | the rate, limits, refill and cancel, on sale | what is told
const FOLLOWED: &str = "
    what                    | rate | limits   | offers        | sale | told
    cost 1                  | 1.30 | 10-1000  | refill cancel | on   |
    cost 1.20               | 1.56 | 10-1000  | refill cancel | on   |
    cost 1.200001           | 1.30 | 10-1000  | refill cancel | on   | Price jump
    cost 0.80               | 1.04 | 10-1000  | refill cancel | on   |
    cost 0.799999           | 1.30 | 10-1000  | refill cancel | on   | Price jump
    cost 0                  | 1.30 | 10-1000  | refill cancel | on   | Price jump
    cost 1.35               | 1.30 | 10-1000  | refill cancel | on   | Price jump, Below cost
    cost 1.35, loss         | 1.30 | 10-1000  | refill cancel | on   | Price jump
    cost 1.10, jumping      | 1.30 | 10-1000  | refill cancel | on   | Price jump
    cost 1.10, unfollowed   | 1.30 | 10-1000  | refill cancel | on   |
    cost 9, unfollowed      | 1.30 | 10-1000  | refill cancel | on   | Below cost
    free, cost 0.01         | 1.30 | 10-1000  | refill cancel | on   | Price jump
    rate 5                  | 5.00 | 10-1000  | refill cancel | on   |
    rate 5, cost 1.10       | 1.43 | 10-1000  | refill cancel | on   |
    new, cost 2             | 1.30 | 10-1000  | refill cancel | on   | Price jump, Below cost
    new, rate 2.60, cost 2  | 2.60 | 10-1000  | refill cancel | on   |
    cost 900000000          | 1.30 | 10-1000  | refill cancel | on   | Price jump, Below cost
    limits 50-500           | 1.30 | 50-500   | refill cancel | on   |
    limits 1-100000         | 1.30 | 10-1000  | refill cancel | on   |
    limits 2000-9000        | 1.30 | 10-1000  | refill cancel | off by sync | Limits
    limits 2000-9000, elsewhere | 1.30 | 10-1000 | refill cancel | on | Limits
    no-refill               | 1.30 | 10-1000  | cancel        | on   |
    no-cancel               | 1.30 | 10-1000  | refill        | on   |
    nothing-offered         | 1.30 | 10-1000  |               | on   |
    renamed                 | 1.30 | 10-1000  | refill cancel | on   | Renamed
    package                 | 1.30 | 10-1000  | refill cancel | off by sync | Kind changed
    package, elsewhere      | 1.30 | 10-1000  | refill cancel | off by sync | Kind changed
    package, was-package    | 1.30 | 10-1000  | refill cancel | on   | Kind changed
    off-by-sync, back       | 1.30 | 10-1000  | refill cancel | on   |
    off-by-sync, was-package | 1.30 | 10-1000 | refill cancel | on   |
    off-by-sync, package    | 1.30 | 10-1000  | refill cancel | off by sync | Kind changed
    off-by-sync, refused    | 1.30 | 10-1000  | refill cancel | off by sync |
    off, back               | 1.30 | 10-1000  | refill cancel | off  |
    off, package            | 1.30 | 10-1000  | refill cancel | off  | Kind changed
";

#[test]
fn a_new_list_changes_no_more_than_it_may() {
    for row in rows(FOLLOWED) {
        let case = row[0].split(", ").fold(Case::new(), Case::with);
        let Followed { listing, pricing, raised, cleared } = case.followed();
        assert_eq!(listing.rate, rate(row[1]), "{row:?}");
        let limits = format!("{}-{}", listing.quantity_min, listing.quantity_max);
        assert_eq!(limits, row[2], "{row:?}");
        let offers = [(listing.is_refill, "refill"), (listing.is_cancel, "cancel")];
        let offers = offers.iter().filter(|(is_offered, _)| *is_offered).map(|(_, what)| *what);
        assert_eq!(offers.collect::<Vec<_>>().join(" "), row[3], "{row:?}");
        let sale = match (listing.is_enabled, pricing.off_by_sync) {
            (true, false) => "on",
            (false, true) => "off by sync",
            (false, false) => "off",
            (true, true) => "on and off",
        };
        assert_eq!(sale, row[4], "{row:?}");
        let told: Vec<&str> = raised.iter().map(|(kind, _)| kind.label()).collect();
        assert_eq!(told.join(", "), row[5], "{row:?}");

        assert!(raised.iter().all(|(kind, _)| !cleared.contains(kind)), "{row:?}");
        assert!(cleared.contains(&ConditionKind::Gone), "it is there: {row:?}");
        assert_eq!(pricing.cost, Some(case.now.cost), "the cost counts at once: {row:?}");
        let mut as_before = case.listing.clone();
        as_before.rate = listing.rate;
        (as_before.quantity_min, as_before.quantity_max) =
            (listing.quantity_min, listing.quantity_max);
        (as_before.is_refill, as_before.is_cancel) = (listing.is_refill, listing.is_cancel);
        as_before.is_enabled = listing.is_enabled;
        assert_eq!(listing, as_before, "nothing else ever changes: {row:?}");
    }
}

/// A panel with service 1 of the provider, which costs 1.00 and is sold for 1.30.
fn shop() -> (Panel, ProviderId) {
    let panel = Panel::start();
    let provider = panel.provider("upstream", "http://127.0.0.1:9/api/v2", "key");
    panel.import(&format!("{CSV}1,C,Likes,Default,1.30,10,1000,1,1,upstream,7\n"));
    panel.lists(provider, &[offer("7", "1"), offer("8", "0.90")]);
    (panel, provider)
}

fn supply(provider: ProviderId) -> SetSupply {
    SetSupply {
        actor: Actor::CommandLine,
        service: ServiceId(1),
        own: Some((provider, "7".to_owned())),
        substitutes: Vec::new(),
        rule: Rule { percent_bp: 3000, ..Rule::default() },
        is_followed: true,
        allows_loss: false,
    }
}

#[test]
fn nobody_is_sold_below_the_cost_unless_a_loss_is_allowed() {
    let (panel, provider) = shop();
    let (ann, bob) = (panel.reseller("ann", "10"), panel.reseller("bob", "10"));
    assert!(panel.cli(&["user", "set", "ann", "--discount", "10"]).status.success());
    assert!(panel.cli(&["user", "rate", "bob", "1", "1"]).status.success());
    ann.buys(1, 100);
    bob.buys(1, 100);

    panel.lists(provider, &[offer("7", "1.18"), offer("8", "0.90")]);
    let add = "key=KEY&action=add&service=1&link=x&quantity=100";
    let refused = |reply: &crate::fixture::http::Reply| {
        let told = (reply.header("x-error-code"), reply.text().to_owned());
        told == (
            Some("service_not_found"),
            r#"{"error":"Service is not available now"}"#.to_owned(),
        )
    };
    for reseller in [&ann, &bob] {
        let reply = reseller.form(add);
        assert!(refused(&reply), "{}", reply.text());
        let json = r#"{"key":"KEY","action":"add","service":1,"link":"x","quantity":100}"#;
        assert_eq!(reseller.v2(json).status, 404);
    }
    panel.reseller("cid", "10").buys(1, 100);

    let allows_loss = SetSupply { allows_loss: true, is_followed: false, ..supply(provider) };
    panel.store().write_blocking(allows_loss).unwrap();
    ann.buys(1, 100);
    bob.buys(1, 100);
}

#[test]
fn the_rate_follows_when_a_person_says_so_and_by_the_rule_on_demand() {
    let (panel, provider) = shop();
    let rule = Rule { percent_bp: 5000, ..Rule::default() };
    panel.store().write_blocking(SetSupply { rule, ..supply(provider) }).unwrap();
    assert_eq!(panel.listing(1).rate, rate("1.50"), "at once");
    panel.lists(provider, &[offer("7", "1.10"), offer("8", "0.90")]);
    assert_eq!(panel.listing(1).rate, rate("1.65"));

    panel.lists(provider, &[offer("7", "2"), offer("8", "0.90")]);
    let told = panel.condition(ConditionKind::PriceJump, "service 1").unwrap();
    let text = "The cost went from 1.10 to 2.00; the rule says 3.00, the rate stays 1.65";
    assert_eq!(told, text);
    panel.lists(provider, &[offer("7", "2.01"), offer("8", "0.90")]);
    assert_eq!(panel.listing(1).rate, rate("1.65"), "a small step does not hide the large one");
    assert_eq!(panel.open_conditions(), ["service 1: Below cost", "service 1: Price jump"]);

    let by_rule = SetRateByRule { actor: Actor::CommandLine, service: ServiceId(1) };
    assert_eq!(panel.store().write_blocking(by_rule).unwrap(), rate("3.015"));
    assert!(panel.open_conditions().is_empty());
}

#[test]
fn places_are_services_of_providers_that_can_stand_in_for_each_other() {
    let (panel, provider) = shop();
    let other = panel.provider("other", "http://127.0.0.1:10/api/v2", "key");
    let package = Offer { kind: ServiceKind::Package, ..offer("5", "1") };
    panel.lists(other, &[offer("6", "1"), package]);
    let at = |provider, name: &str| (provider, name.to_owned());
    let with = |substitutes: &[(ProviderId, String)]| {
        let supply = SetSupply { substitutes: substitutes.to_vec(), ..supply(provider) };
        panel.store().write_blocking(supply).map_err(|error| error.to_string())
    };
    let no = |refusal: ProviderRefusal| Err(refusal.to_string());
    let nine: Vec<_> = (1..=9).map(|number| at(other, &format!("x{number}"))).collect();
    let ten: Vec<_> = (1..=10).map(|number| at(other, &format!("x{number}"))).collect();
    assert_eq!(with(&ten), no(ProviderRefusal::TooManySubstitutes));
    assert_eq!(with(&[at(provider, "7")]), no(ProviderRefusal::PlaceTwice));
    assert_eq!(with(&[at(other, "5")]), no(ProviderRefusal::KindDiffers));
    assert_eq!(with(&[at(other, "no such thing")]), no(ProviderRefusal::BadTheirService));
    let nobody = Err(OperatorRefusal::ProviderNotFound.to_string());
    assert_eq!(with(&[at(ProviderId(99), "1")]), nobody);
    assert_eq!(with(&nine), Ok(()));
    assert_eq!(with(&[at(provider, "8"), at(other, "6")]), Ok(()));
    let places = panel.store().point(|db| substitutes::list(db, ServiceId(1))).unwrap();
    let places: Vec<_> =
        places.iter().map(|it| (it.place, it.provider, &*it.provider_service)).collect();
    assert_eq!(places, [(1, provider, "8"), (2, other, "6")]);

    let by_hand = SetSupply { own: None, ..supply(provider) };
    panel.store().write_blocking(by_hand).unwrap();
    assert_eq!(panel.listing(1).provider, None);
    assert!(panel.store().point(|db| substitutes::list(db, ServiceId(1))).unwrap().is_empty());
}
