//! A provider's list taken over: what goes off sale and comes back, what a broken list leaves as it
//! is, and what a sync that dies has done.

use std::sync::Arc;

use panelite::commands::providers::UpdateProvider;
use panelite::commands::services::SetServicesEnabled;
use panelite::commands::supply::SetSupply;
use panelite::commands::syncing::{List, RecordCatalogue, Slice};
use panelite::domain::catalogue::Unusable;
use panelite::domain::condition::ConditionKind;
use panelite::domain::delivery::{Hand, Stage};
use panelite::domain::pricing::{Offer, Rule};
use panelite::domain::provider::{Exchange, Terms};
use panelite::domain::service::ServiceKind;
use panelite::domain::setting::Setting;
use panelite::domain::{Actor, OrderId, ProviderId, ServiceId, Timestamp};
use panelite::practice::{Mode, Practice};
use panelite::store::{deliveries, offers, providers};

use crate::domain::rate;
use crate::fixture::panel::{EPOCH, Panel};
use crate::fixture::supply::offer;

const CSV: &str = "id,category,name,type,rate,min,max,refill,cancel,provider,provider_service\n";
const SIX_HOURS: i64 = 6 * 3600;

/// A panel that sells service 1 by 7 of the provider, which lists 7 and 8.
fn shop() -> (Panel, ProviderId) {
    let panel = Panel::start();
    let provider = panel.provider("upstream", "http://127.0.0.1:9/api/v2", "key");
    panel.import(&format!("{CSV}1,C,Likes,Default,1.30,10,1000,1,1,upstream,7\n"));
    panel.lists(provider, &[offer("7", "1"), offer("8", "1")]);
    (panel, provider)
}

fn is_on_sale(panel: &Panel) -> bool {
    panel.listing(1).is_enabled
}

#[test]
fn the_first_list_tells_what_a_service_costs() {
    let panel = Panel::start();
    let provider = panel.provider("upstream", "http://127.0.0.1:9/api/v2", "key");
    panel.import(&format!("{CSV}1,C,Likes,Default,1.30,10,1000,1,1,upstream,7\n"));
    assert_eq!(panel.pricing(1).cost, None);
    assert_eq!(panel.lists(provider, &[offer("7", "1")]), (Slice::Ended { changed: 0 }, 0));
    assert_eq!(panel.pricing(1).cost, Some(rate("1")));
    let found = panel.store().point(|db| providers::get(db, provider)).unwrap();
    assert_eq!(found.synced_at, Some(Timestamp(EPOCH)));
    assert_eq!(found.sync_due_at, Timestamp(EPOCH + SIX_HOURS));
    // What is imported later knows it at once.
    panel.import(&format!("{CSV}2,C,More,Default,0.90,10,1000,1,1,upstream,7\n"));
    assert_eq!(panel.pricing(2).cost, Some(rate("1")));
    assert_eq!(panel.open_conditions(), ["service 2: Below cost"]);
}

#[test]
fn what_is_gone_goes_off_sale_and_comes_back() {
    let (panel, provider) = shop();
    assert_eq!(panel.lists(provider, &[offer("8", "1")]).1, 1);
    assert!(!is_on_sale(&panel) && panel.pricing(1).off_by_sync);
    assert_eq!(panel.open_conditions(), ["service 1: Gone"]);
    assert_eq!(panel.lists(provider, &[offer("8", "1")]).1, 0, "once");
    assert_eq!(panel.lists(provider, &[offer("7", "1"), offer("8", "1")]).1, 1);
    assert!(is_on_sale(&panel) && !panel.pricing(1).off_by_sync);
    assert!(panel.open_conditions().is_empty());
}

#[test]
fn what_a_person_took_off_sale_stays_off() {
    let (panel, provider) = shop();
    let switch = |is_enabled| {
        let (actor, services) = (Actor::CommandLine, vec![ServiceId(1)]);
        let switch = SetServicesEnabled { actor, services, is_enabled };
        panel.store().write_blocking(switch).unwrap();
    };
    switch(false);
    panel.lists(provider, &[offer("8", "1")]);
    panel.lists(provider, &[offer("7", "1"), offer("8", "1")]);
    assert!(!is_on_sale(&panel));
    // Also where a list had taken it off before.
    switch(true);
    panel.lists(provider, &[offer("8", "1")]);
    switch(false);
    panel.lists(provider, &[offer("7", "1"), offer("8", "1")]);
    assert!(!is_on_sale(&panel));
}

#[test]
fn a_substitute_keeps_a_service_on_sale() {
    let (panel, provider) = shop();
    let other = panel.provider("other", "http://127.0.0.1:10/api/v2", "key");
    panel.lists(other, &[offer("6", "1"), offer("5", "1")]);
    let supply = SetSupply {
        actor: Actor::CommandLine,
        service: ServiceId(1),
        own: Some((provider, "7".to_owned())),
        substitutes: vec![(other, "6".to_owned())],
        rule: Rule::default(),
        is_followed: false,
        allows_loss: false,
    };
    panel.store().write_blocking(supply).unwrap();
    panel.lists(provider, &[offer("8", "1")]);
    assert!(is_on_sale(&panel));
    assert_eq!(panel.open_conditions(), ["service 1: Gone"], "it is told all the same");
    panel.lists(other, &[offer("5", "1")]);
    assert!(!is_on_sale(&panel), "nobody sells it any more");
    panel.lists(other, &[offer("5", "1"), offer("6", "1")]);
    assert!(is_on_sale(&panel));
}

#[test]
fn another_type_or_name_is_told_and_never_taken_over() {
    let (panel, provider) = shop();
    let renamed = Offer { name: "Views".to_owned(), ..offer("7", "1") };
    panel.lists(provider, &[renamed.clone(), offer("8", "1")]);
    assert_eq!(panel.listing(1).name, "Likes");
    let told = panel.condition(ConditionKind::Renamed, "service 1").unwrap();
    assert_eq!(told, "“Service 7” is now called “Views”");
    let package = Offer { kind: ServiceKind::Package, ..renamed.clone() };
    panel.lists(provider, &[package, offer("8", "1")]);
    assert!(!is_on_sale(&panel) && panel.listing(1).kind == ServiceKind::Default);
    let told = panel.condition(ConditionKind::KindChanged, "service 1").unwrap();
    assert_eq!(told, "The provider sells it as Package, we sell it as Default");
    panel.lists(provider, &[renamed, offer("8", "1")]);
    assert!(is_on_sale(&panel));
}

#[test]
fn a_broken_list_changes_nothing() {
    let panel = Panel::start();
    let provider = panel.provider("upstream", "http://127.0.0.1:9/api/v2", "key");
    let ids = || (1..=40).map(|id| id.to_string());
    let line = |id| format!("{id},C,S,Default,2,10,1000,1,1,upstream,{id}\n");
    let lines: String = ids().map(line).collect();
    panel.import(&format!("{CSV}{lines}"));
    let all: Vec<Offer> = ids().map(|id| offer(&id, "1")).collect();
    panel.lists(provider, &all);
    let dearer: Vec<Offer> = ids().map(|id| offer(&id, "1.50")).collect();

    let broken = [
        (&dearer[..0], 0, Unusable::Empty),
        (&dearer[..], 11, Unusable::Unreadable(11, 51)),
        (&dearer[13..], 0, Unusable::Vanishing(13, 40)),
    ];
    for (list, unreadable, why) in broken {
        assert_eq!(panel.lists_with(provider, list, unreadable).0, Slice::ThrownAway(why));
        assert_eq!(panel.pricing(40).cost, Some(rate("1")), "{why}");
        assert!(panel.listing(1).is_enabled, "{why}");
        assert_eq!(panel.open_conditions(), ["provider 1: Catalogue"], "{why}");
        let reason = panel.condition(ConditionKind::Catalogue, "provider 1").unwrap();
        assert_eq!(reason, why.to_string());
        panel.lists(provider, &all);
        assert!(panel.open_conditions().is_empty(), "{why}");
    }
    // Twelve of forty may go at once.
    panel.lists(provider, &dearer[12..]);
    assert!(!panel.listing(12).is_enabled && panel.listing(13).is_enabled);
}

#[test]
fn a_sync_that_dies_takes_nothing_off_sale() {
    let (panel, provider) = shop();
    let others: Vec<Offer> = (1000..1600).map(|id| offer(&id.to_string(), "1")).collect();
    let offers = others.iter().map(|offer| Offer { provider, ..offer.clone() }).collect();
    let list = Arc::new(List::new(offers, 0));
    let slice = |from| RecordCatalogue { provider, list: Arc::clone(&list), from };
    let more = |from, changed| Slice::More { from, changed };
    assert_eq!(panel.store().write_blocking(slice(0)).unwrap(), more(500, 0));
    assert_eq!(panel.store().write_blocking(slice(500)).unwrap(), more(600, 0));
    assert!(is_on_sale(&panel), "it is not known yet what is gone");
    let last = panel.store().write_blocking(slice(600)).unwrap();
    assert_eq!((last, is_on_sale(&panel)), (Slice::Ended { changed: 1 }, false));
    // More may go than a slice takes.
    panel.lists(provider, &[offer("7", "1")]);
    let left = panel.store().point(|db| offers::list(db, provider)).unwrap();
    assert_eq!((left.len(), is_on_sale(&panel)), (1, true));
}

#[test]
fn an_order_held_for_a_loss_goes_once_it_would_be_none() {
    let (panel, provider) = shop();
    let order = OrderId(panel.reseller("ann", "10").buys(1, 100));
    let waits = || {
        let found = panel.store().point(|db| deliveries::find(db, order)).unwrap().unwrap();
        (found.stage, found.hand)
    };
    panel.lists(provider, &[offer("7", "1.31"), offer("8", "1")]);
    panel.deliver();
    assert_eq!(waits(), (Stage::Held, Some(Hand::Loss)));
    panel.lists(provider, &[offer("7", "1.305"), offer("8", "1")]);
    assert_eq!(waits(), (Stage::Held, Some(Hand::Loss)), "it would still be one");
    panel.lists(provider, &[offer("7", "1.30"), offer("8", "1")]);
    assert_eq!(waits(), (Stage::Send, None));
}

#[test]
fn however_many_are_held_before_it_an_order_goes_that_would_be_no_loss() {
    let (panel, provider) = shop();
    panel.import(&format!("{CSV}2,C,More,Default,1.30,10,1000,1,1,upstream,8\n"));
    panel.setting(Setting::KeyRate, "0");
    let panel = panel.restarted(); // which reads it
    let ann = panel.reseller("ann", "100");
    for _ in 0..501 {
        ann.buys(1, 100);
    }
    let last = OrderId(ann.buys(2, 100));
    panel.lists(provider, &[offer("7", "1.31"), offer("8", "1.31")]);
    panel.deliver();
    panel.lists(provider, &[offer("7", "1.31"), offer("8", "1.30")]);
    let (held, found) = panel
        .store()
        .point(|db| {
            let held = deliveries::list_held(db, Hand::Loss, OrderId(0), 1000)?;
            Ok((held.len(), deliveries::find(db, last)?.unwrap()))
        })
        .unwrap();
    assert_eq!((held, found.stage, found.hand), (501, Stage::Send, None));
}

#[test]
fn costs_are_in_our_currency() {
    let (panel, provider) = shop();
    let is_worth = |exchange: &str| {
        let found = panel.store().point(|db| providers::get(db, provider)).unwrap();
        let exchange = Exchange::parse(exchange).unwrap();
        let (actor, terms) = (Actor::CommandLine, Terms { exchange, ..found.terms });
        panel.store().write_blocking(UpdateProvider { actor, provider, terms }).unwrap();
    };
    is_worth("0.5");
    let due = panel.store().point(|db| providers::get(db, provider)).unwrap().sync_due_at;
    assert_eq!(due, Timestamp(EPOCH), "the list is fetched again at once");
    panel.lists(provider, &[offer("7", "1.000001"), offer("8", "1")]);
    assert_eq!(panel.pricing(1).cost, Some(rate("0.500001")));
    is_worth("2");
    panel.lists(provider, &[offer("7", "999999999"), offer("8", "1")]);
    assert_eq!(panel.pricing(1).cost, Some(rate("999999999.999999")), "sold to nobody");
}

#[test]
fn a_lane_fetches_the_list_every_six_hours() {
    let panel = Panel::start();
    let at = "127.0.0.1:0".parse().unwrap();
    let practice = Practice::start(panel.clock.clone(), at).unwrap();
    let provider = panel.provider_of("practice", &practice, 1);
    panel.deliver();
    let listed = || panel.store().point(|db| offers::list(db, provider)).unwrap().len();
    assert_eq!((listed(), practice.calls("services")), (practice.services().len(), 1));
    panel.clock.advance(SIX_HOURS - 1);
    panel.deliver();
    assert_eq!(practice.calls("services"), 1);
    panel.clock.advance(1);
    practice.remove_service(1);
    panel.deliver();
    assert_eq!((listed(), practice.calls("services")), (practice.services().len(), 2));

    // A list that cannot be read is asked for again soon, and told.
    practice.set_catalogue_answer("{\"error\":\"Maintenance\"}");
    panel.clock.advance(SIX_HOURS);
    panel.deliver();
    assert_eq!(panel.open_conditions(), ["provider 1: Catalogue"]);
    practice.set_answer("services", None);
    panel.clock.advance(600);
    panel.deliver();
    assert_eq!((panel.open_conditions().len(), practice.calls("services")), (0, 4));
    practice.misbehave_at("services", Mode::Html);
    panel.clock.advance(SIX_HOURS);
    panel.deliver();
    assert_eq!(panel.open_conditions(), ["provider 1: Catalogue"]);
    assert_eq!(listed(), practice.services().len(), "the last good list stays");
}
