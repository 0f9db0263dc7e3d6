//! Services made of what a provider sells: a dry run is what happens, thousands go in slices, and
//! what was imported can be taken back.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use panelite::commands::importing::{
    self, Choice, Headings, ImportSlice, Plan, UndoImport, Undone, Why, Written,
};
use panelite::delivery::importing::Phase;
use panelite::domain::money::Rate;
use panelite::domain::pricing::{Offer, Rule};
use panelite::domain::refusal::{OperatorRefusal, ProviderRefusal, Refusal};
use panelite::domain::{Actor, ProviderId, ServiceId};
use panelite::store::{Error, Result, categories, services};

use crate::domain::rate;
use crate::fixture::engine;
use crate::fixture::panel::Panel;
use crate::fixture::supply::offer;

const PERCENT_30: Rule = Rule {
    percent_bp: 3000,
    fixed: panelite::domain::money::Money::ZERO,
    step: panelite::domain::money::Money::ZERO,
    profit: panelite::domain::money::Money::ZERO,
};

/// A panel with a provider that lists so many services, at 0.01, 0.02, … under two headings.
fn shop(count: i64) -> (Panel, ProviderId) {
    let panel = Panel::start();
    let provider = panel.provider("upstream", "http://127.0.0.1:9/api/v2", "key");
    let list: Vec<Offer> = (1..=count)
        .map(|id| Offer {
            cost: Rate::from_micros(id * 10_000),
            category: if id % 2 == 0 { "Even" } else { "Odd" }.to_owned(),
            ..offer(&id.to_string(), "1")
        })
        .collect();
    panel.lists(provider, &list);
    (panel, provider)
}

fn all_of(provider: ProviderId) -> Choice {
    Choice {
        provider,
        services: None,
        categories: HashSet::new(),
        headings: Headings::Theirs,
        rule: PERCENT_30,
        is_followed: true,
    }
}

fn planned(panel: &Panel, choice: &Choice) -> Plan {
    panel.store().point(|db| importing::plan(db, choice)).unwrap()
}

/// Writes a plan; what was written, and in how many slices.
fn written(panel: &Panel, plan: &Plan) -> Result<(Written, usize)> {
    let plan = Arc::new(plan.clone());
    let (mut all, mut from, mut slices) = (Written::default(), 0, 0);
    while from < plan.lines.len() {
        let (actor, plan) = (Actor::CommandLine, Arc::clone(&plan));
        let (more, next) = panel.store().write_blocking(ImportSlice { actor, plan, from })?;
        all.extend(more);
        (from, slices) = (next, slices + 1);
    }
    Ok((all, slices))
}

#[test]
fn a_dry_run_is_what_happens() {
    let (panel, provider) = shop(3);
    let plan = planned(&panel, &all_of(provider));
    assert_eq!(plan.to_string(), "3 new, 0 changed, 0 skipped");
    let line = &plan.lines[0];
    let (cost, margin) = (line.cost.to_string(), line.margin().to_string());
    assert_eq!((&*cost, line.rate, &*margin), ("0.02", rate("0.026"), "0.006"));
    assert!(panel.store().point(|db| services::is_empty(db)).unwrap(), "nothing was written");

    let (written, _) = written(&panel, &plan).unwrap();
    assert_eq!(written.created, [ServiceId(1), ServiceId(2), ServiceId(3)]);
    for (id, line) in (1..).zip(&plan.lines) {
        let (listing, pricing) = (panel.listing(id), panel.pricing(id));
        assert_eq!((listing.rate, pricing.cost), (line.rate, Some(line.cost)));
        assert_eq!((pricing.rule, pricing.is_followed), (PERCENT_30, true));
        assert_eq!(listing.name, line.offer.name);
        assert_eq!((listing.quantity_min, listing.quantity_max), (10, 1000));
        assert!(listing.is_refill && listing.is_cancel && listing.is_enabled);
        assert_eq!(listing.provider_service.as_ref(), Some(&line.offer.provider_service));
    }
    panel.reseller("ann", "1").buys(1, 10);
}

#[test]
fn what_is_imported_is_changed_or_left() {
    let (panel, provider) = shop(4);
    let odd = Choice { categories: ["Odd".to_owned()].into(), ..all_of(provider) };
    written(&panel, &planned(&panel, &odd)).unwrap();
    let plan = planned(&panel, &all_of(provider));
    assert_eq!(plan.to_string(), "2 new, 0 changed, 2 skipped");
    assert!(plan.skipped.iter().all(|skipped| skipped.why == Why::Same));

    let rule = Rule { percent_bp: 5000, ..PERCENT_30 };
    let plan = planned(&panel, &Choice { rule, ..all_of(provider) });
    assert_eq!(plan.to_string(), "2 new, 2 changed, 0 skipped");
    assert!(plan.lines[..2].iter().all(|line| line.known.is_none()), "the new ones first");
    let (written, _) = written(&panel, &plan).unwrap();
    assert_eq!((written.created.len(), written.changed.len()), (2, 2));
    assert_eq!(panel.listing(1).rate, rate("0.015"));
}

#[test]
fn services_go_where_they_are_wanted() {
    let (panel, provider) = shop(4);
    let one = |id: &str| Some(HashSet::from([id.to_owned()]));
    let map = Headings::Mapped(BTreeMap::from([("Odd".to_owned(), "Strange".to_owned())]));
    for (id, headings, category) in [
        ("1", Headings::Theirs, "Odd"),
        ("2", Headings::One("All".to_owned()), "All"),
        ("3", map.clone(), "Strange"),
        ("4", map, "Even"),
    ] {
        let choice = Choice { services: one(id), headings, ..all_of(provider) };
        let plan = planned(&panel, &choice);
        assert_eq!((plan.lines.len(), &*plan.lines[0].category), (1, category));
        written(&panel, &plan).unwrap();
    }
    let listed = panel.store().point(|db| services::list(db)).unwrap();
    let listed: Vec<&str> = listed.iter().map(|listed| listed.category.as_str()).collect();
    assert_eq!(listed, ["Odd", "All", "Strange", "Even"]);
}

#[test]
fn a_plan_that_is_no_longer_true_is_refused() {
    let (panel, provider) = shop(2);
    let refused = |plan: &Plan| match written(&panel, plan) {
        Err(Error::Refused(Refusal::Operator(refusal))) => refusal,
        other => panic!("not refused: {other:?}"),
    };
    let plan = planned(&panel, &all_of(provider));
    panel.services(&["9,C,Another,Default,1,1,10,0,0,0"]);
    assert_eq!(refused(&plan), OperatorRefusal::CatalogueChanged);

    let plan = planned(&panel, &all_of(provider));
    panel.clock.advance(1);
    panel.lists(provider, &[offer("1", "5"), offer("2", "5")]);
    assert_eq!(refused(&plan), OperatorRefusal::CatalogueChanged);

    let plan = planned(&panel, &all_of(provider));
    written(&panel, &plan).unwrap();
    assert_eq!(refused(&plan), OperatorRefusal::CatalogueChanged, "a plan is written once");

    let none = Choice { services: Some(HashSet::new()), ..all_of(provider) };
    let nothing = panel.store().point(|db| importing::plan(db, &none)).unwrap_err();
    assert_eq!(nothing.to_string(), ProviderRefusal::NothingToImport.to_string());
}

#[test]
fn thousands_are_imported_in_slices_and_taken_back() {
    let (panel, provider) = shop(5001);
    let too_many = panel.store().point(|db| importing::plan(db, &all_of(provider))).unwrap_err();
    assert_eq!(too_many.to_string(), ProviderRefusal::ImportTooLarge.to_string());

    let most = (1..=5000).map(|id| id.to_string()).collect();
    assert_eq!(
        planned(&panel, &Choice { services: Some(most), ..all_of(provider) }).lines.len(),
        5000
    );
    let many = engine::often(5000);
    let names = (1..=many).map(|id| id.to_string()).collect();
    let plan = planned(&panel, &Choice { services: Some(names), ..all_of(provider) });
    let (mut written, slices) = written(&panel, &plan).unwrap();
    assert_eq!((written.len(), slices), (many, many.div_ceil(200)));

    let ann = panel.reseller("ann", "100");
    ann.buys(7, 10);
    let (mut undone, mut undone_slices) = (Undone::default(), 0);
    while !written.is_empty() {
        let undo = UndoImport { actor: Actor::CommandLine, provider, written: written.split() };
        undone = undone.and(panel.store().write_blocking(undo).unwrap());
        undone_slices += 1;
    }
    assert_eq!(undone, Undone { deleted: many - 1, disabled: 1, restored: 0 });
    assert_eq!(undone_slices, slices);
    assert!(!panel.listing(7).is_enabled, "what was ordered only goes off sale");
    assert_eq!(panel.store().point(|db| services::count(db)).unwrap(), 1);
    let left = panel.store().point(|db| categories::list(db)).unwrap();
    assert_eq!(left.len(), 1, "of the categories only the one of what was ordered: {left:?}");
}

#[test]
fn the_house_imports_and_takes_back_while_a_page_looks_on() {
    let (panel, provider) = shop(450);
    panel.import("id,category,name,type,rate,min,max,provider,provider_service\n1,C,Likes,Default,9,10,100,upstream,1\n");
    let delivery = panel.delivery();
    let no = |refusal| Err::<(), _>(refusal);
    assert_eq!(delivery.import_progress(), None);
    assert_eq!(delivery.undo_import(Actor::CommandLine), no(ProviderRefusal::NothingToUndo));

    let plan = planned(&panel, &all_of(provider));
    delivery.import(Actor::CommandLine, plan.clone()).unwrap();
    let progress = delivery.import_progress().unwrap();
    assert!(progress.is_running() && (progress.done, progress.total) == (0, 450));
    let second = delivery.import(Actor::CommandLine, plan.clone());
    assert_eq!(second, no(ProviderRefusal::ImportRuns));
    assert_eq!(delivery.undo_import(Actor::CommandLine), no(ProviderRefusal::ImportRuns));

    panel.deliver();
    let progress = delivery.import_progress().unwrap();
    assert_eq!((progress.done, progress.written, progress.phase), (450, 450, Phase::Done));
    assert_eq!(panel.listing(1).rate, rate("0.013"));
    panel.reseller("ann", "100").buys(2, 10);

    delivery.undo_import(Actor::CommandLine).unwrap();
    panel.deliver();
    let undone = Undone { deleted: 448, disabled: 1, restored: 1 };
    assert_eq!(delivery.import_progress().unwrap().phase, Phase::Undone(undone));
    assert_eq!(panel.listing(1).rate, rate("9"));
    assert_eq!(delivery.undo_import(Actor::CommandLine), no(ProviderRefusal::NothingToUndo));

    // What is no longer true ends the import, and says so.
    delivery.import(Actor::CommandLine, plan).unwrap();
    panel.deliver();
    let refused = Phase::Refused(OperatorRefusal::CatalogueChanged.into());
    assert_eq!(delivery.import_progress().unwrap().phase, refused);
}
