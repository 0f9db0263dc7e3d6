//! Cancels and refills of orders at providers: asked for on the customer's word, and gone with what
//! they are about. Money moves by the order's status, never by the answer to a cancel.

use panelite::commands::errands::{ClaimErrand, Claimed, Question, RecordErrand};
use panelite::domain::condition::ConditionKind;
use panelite::domain::delivery::Hand;
use panelite::domain::errand::{ErrandStage, Said};
use panelite::domain::order::PublicStatus;
use panelite::domain::outcome::Outcome;
use panelite::domain::refill::RefillStatus;
use panelite::domain::{ErrandId, RefillId};
use panelite::practice::{Practice, Says};
use panelite::store::{audit, refills};

use crate::fixture::panel::{Panel, stdout};
use crate::fixture::upstream::{Upstream, report};

impl Upstream {
    fn wants_cancel(&self, order: i64) -> String {
        self.ann.form(&format!("key=KEY&action=cancel&order={order}")).text().to_owned()
    }

    /// An order that has completed there, and ann's refill of it.
    fn wants_refill(&self) -> i64 {
        let order = self.places(1000);
        self.says(order, report("Completed", 0));
        let reply = self.ann.form(&format!("key=KEY&action=refill&order={order}")).json();
        reply["refill"].as_str().unwrap().parse().unwrap()
    }

    fn claims(&self) -> Option<(ErrandId, Question)> {
        let claim = ClaimErrand { provider: self.provider };
        match self.panel.store().write_blocking(claim).unwrap() {
            Claimed::Ask(errand, question) => Some((errand, question)),
            Claimed::Idle | Claimed::Did => None,
        }
    }

    fn answers(&self, errand: ErrandId, said: Said) {
        self.panel.store().write_blocking(RecordErrand { errand, said }).unwrap();
    }

    fn refill(&self, id: i64) -> RefillStatus {
        let found = self.panel.store().point(|db| refills::find(db, RefillId(id))).unwrap();
        found.unwrap().status
    }
}

#[test]
fn a_cancel_request_asks_the_provider_once_and_its_status_decides() {
    let shop = Upstream::open();
    let order = shop.places(1000);
    let answer = shop.wants_cancel(order);
    assert!(answer.contains(r#""refunded":"0.00""#), "{answer}");
    let errand = shop.cancel_errand(order).unwrap();
    assert_eq!((errand.stage, errand.due_at), (ErrandStage::Ask, shop.panel.clock.now()));
    assert_eq!(shop.wants_cancel(order), answer, "asked again, nothing changes");

    let (claimed, question) = shop.claims().unwrap();
    assert_eq!((claimed, question), (errand.id, Question::Cancel("T1".to_owned())));
    assert_eq!(shop.claims(), None, "nobody asks twice at once");
    shop.answers(errand.id, Said::Yes(None));
    assert_eq!(shop.cancel_errand(order).unwrap().stage, ErrandStage::Asked);
    assert_eq!(shop.stands(order), "watch / Pending, – → 1000 left = 997.50");
    assert!(shop.delivery(order).unwrap().due_at.0 <= shop.panel.clock.now().0 + 60);

    shop.says(order, report("Canceled", 1000));
    assert_eq!(shop.stands(order), "last / Canceled, – → 1000 left = 1000.00");
    assert_eq!(shop.cancel_errand(order), None);
}

#[test]
fn a_refused_cancel_waits_for_a_person_who_declines_it_or_ends_the_order() {
    let shop = Upstream::open();
    let (declined, ended) = (shop.places(1000), shop.places(1000));
    for order in [declined, ended] {
        shop.wants_cancel(order);
        let (errand, _) = shop.claims().unwrap();
        shop.answers(errand, Said::No("Too late".to_owned()));
        let errand = shop.cancel_errand(order).unwrap();
        let is = (errand.stage, errand.hand, errand.answer.as_str());
        assert_eq!(is, (ErrandStage::Held, Some(Hand::CancelRefused), "Too late"));
        shop.wants_cancel(order);
        assert_eq!(shop.claims(), None, "held");
    }
    let told = shop.condition(ConditionKind::Hand).unwrap();
    assert_eq!(told, "provider 1: 2 orders at first need a hand");
    shop.declines(declined);
    shop.panel.set(ended, PublicStatus::Canceled, None, None);
    assert_eq!((shop.cancel_errand(declined), shop.cancel_errand(ended)), (None, None));
    assert_eq!(shop.condition(ConditionKind::Hand), None);
    assert_eq!(shop.stands(declined), "watch / Pending, – → 1000 left = 997.50");
    assert_eq!(shop.stands(ended), "gone / Canceled, – → 1000 left = 997.50");

    shop.wants_cancel(declined);
    assert!(shop.cancel_errand(declined).is_some(), "declined, and asked anew");
}

#[test]
fn a_cancel_of_what_is_on_its_way_is_asked_for_when_it_has_arrived() {
    let shop = Upstream::open();
    let order = shop.ann.buys(1, 1000);
    shop.sends(Outcome::Unknown { answer: "?".to_owned() });
    shop.wants_cancel(order);
    assert_eq!(shop.cancel_errand(order), None);
    let placed = shop.panel.cli(&["order", "decide", "1", "--placed-as", "T1"]);
    assert!(placed.status.success(), "{}", stdout(&placed));
    assert!(shop.cancel_errand(order).is_some());
}

#[test]
fn a_refill_is_asked_for_followed_and_ended_by_the_provider() {
    let shop = Upstream::open();
    for (their_end, ours) in [
        (RefillStatus::Completed, RefillStatus::Completed),
        (RefillStatus::Rejected, RefillStatus::Rejected),
        (RefillStatus::Error, RefillStatus::Error),
    ] {
        let refill = shop.wants_refill();
        let (errand, question) = shop.claims().unwrap();
        assert!(matches!(question, Question::Refill(_)), "{question:?}");
        shop.answers(errand, Said::Yes(Some("R7".to_owned())));
        assert_eq!(shop.refill(refill), RefillStatus::InProgress);
        assert_eq!(shop.claims(), None, "later");
        shop.minutes(40);
        let looks = shop.claims();
        assert_eq!(looks, Some((errand, Question::RefillStatus("R7".to_owned()))));
        shop.answers(errand, Said::Refill(RefillStatus::Pending));
        assert_eq!(shop.refill(refill), RefillStatus::InProgress, "never back");
        shop.answers(errand, Said::Refill(their_end));
        assert_eq!((shop.refill(refill), shop.refill_errand(refill)), (ours, None));
    }
}

#[test]
fn a_refused_refill_is_rejected_with_the_reason_in_the_log() {
    let shop = Upstream::open();
    let refill = shop.wants_refill();
    let (errand, _) = shop.claims().unwrap();
    shop.answers(errand, Said::No("Not eligible".to_owned()));
    assert_eq!((shop.refill(refill), shop.refill_errand(refill)), (RefillStatus::Rejected, None));
    let about = format!("refill {refill}");
    let log = shop.panel.store().page(|db| audit::list_about(db, &about, 10));
    let last = log.unwrap().into_iter().next().unwrap();
    assert_eq!(last.change, "Pending → Rejected: Not eligible");
}

#[test]
fn an_unclear_refill_is_asked_for_once_more_and_then_waits_for_a_person() {
    let shop = Upstream::open();
    let refill = shop.wants_refill();
    let unclear = || Said::Unclear("<html>".to_owned());
    let (errand, _) = shop.claims().unwrap();
    shop.answers(errand, unclear());
    shop.minutes(73);
    assert!(shop.claims().is_some());
    shop.answers(errand, unclear());
    let held = shop.refill_errand(refill).unwrap();
    assert_eq!((held.stage, held.hand), (ErrandStage::Held, Some(Hand::Refill)));
    assert_eq!(shop.refill(refill), RefillStatus::Pending);
    shop.answers(errand, Said::Yes(Some("R1".to_owned())));
    assert_eq!(shop.refill_errand(refill).unwrap(), held, "too late");
    shop.sets_refill(refill, RefillStatus::InProgress);
    assert!(shop.refill_errand(refill).is_some());
    shop.sets_refill(refill, RefillStatus::Completed);
    assert_eq!(shop.refill_errand(refill), None);
    assert_eq!(shop.condition(ConditionKind::Hand), None);
}

// ------------------------------------------------------------------------------- over the wire

#[test]
fn cancels_and_refills_reach_a_provider_and_come_back() {
    let panel = Panel::start();
    let practice = Practice::start(panel.clock.clone(), "127.0.0.1:0".parse().unwrap()).unwrap();
    panel.provider_of("practice", &practice, 5);
    panel.import(
        "id,category,name,type,rate,min,max,refill,cancel,provider,provider_service\n\
         1,C,Likes,Default,20,1,5000,1,1,practice,1\n",
    );
    let ann = panel.reseller("ann", "1000");
    let (canceled, done) = (ann.buys(1, 1000), ann.buys(1, 1000));
    panel.deliver();
    let shows = |order: i64| {
        let reply = ann.form(&format!("key=KEY&action=status&order={order}")).json();
        reply["status"].as_str().unwrap().to_owned()
    };
    ann.form(&format!("key=KEY&action=cancel&order={canceled}"));
    panel.deliver();
    assert_eq!(practice.calls("cancel"), 1);
    practice.set_status(&practice.orders()[1].id, Says::status("Completed"));
    panel.clock.advance(60);
    panel.deliver();
    assert_eq!((shows(canceled), shows(done)), ("Canceled".to_owned(), "Completed".to_owned()));
    assert_eq!(ann.balance(), "980.00");

    let refill = ann.form(&format!("key=KEY&action=refill&order={done}")).json();
    let refill = refill["refill"].as_str().unwrap().to_owned();
    let status = || {
        let reply = ann.form(&format!("key=KEY&action=refill_status&refill={refill}")).json();
        reply["status"].as_str().unwrap().to_owned()
    };
    panel.deliver();
    assert_eq!((practice.calls("refill"), status()), (1, "In progress".to_owned()));
    practice.set_refill_status(1, "Completed");
    panel.clock.advance(7 * 3600);
    panel.deliver();
    assert_eq!(status(), "Completed");
}
