//! An order between us and a provider: claimed, sent, and where each answer leads. Here nothing is
//! called: what a provider says is a value.

use panelite::commands::conditions::SetCondition;
use panelite::commands::deciding::{DecideOrders, Decision};
use panelite::commands::parking::ParkInterrupted;
use panelite::commands::places::Unwell;
use panelite::commands::sending::{Claim, ClaimOrder, RecordSubmission, Recorded, Sending};
use panelite::domain::condition::ConditionKind;
use panelite::domain::delivery::{Ending, Hand, Stage, State};
use panelite::domain::order::{OrderStatus, PublicStatus};
use panelite::domain::outcome::{Family, Outcome};
use panelite::domain::refusal::ProviderRefusal;
use panelite::domain::{Actor, OrderId, ProviderId};
use panelite::secret::Sealer;
use panelite::store::{Error, deliveries, orders, providers, submissions};

use crate::fixture::engine;
use crate::fixture::panel::{Panel, Reseller};
use crate::fixture::table::rows;

const CSV: &str = "id,category,name,type,rate,min,max,cancel,provider,provider_service\n";

/// A panel with two providers and a service of the first, and ann, who has money.
struct Shop {
    panel: Panel,
    ann: Reseller,
    first: ProviderId,
}

impl Shop {
    fn open() -> Self {
        let panel = Panel::start();
        let first = panel.provider("first", "http://127.0.0.1:9/api/v2", "key one");
        panel.provider("second", "http://127.0.0.1:10/api/v2", "key two");
        panel.import(&format!("{CSV}1,C,Likes,Default,2.50,1,5000,1,first,901\n"));
        let ann = panel.reseller("ann", "100");
        Self { panel, ann, first }
    }

    fn sealer(&self) -> Sealer {
        Sealer::open(&engine::key_file(self.panel.db())).unwrap()
    }

    fn claim(&self) -> Claim {
        let (provider, unwell, sealer) = (self.first, Unwell::new(), self.sealer());
        self.panel
            .store()
            .write_blocking(ClaimOrder { provider, after: OrderId(0), unwell, sealer })
            .unwrap()
    }

    /// Claims the order that is due.
    fn sends(&self) -> Box<Sending> {
        match self.claim() {
            Claim::Send(sending) => sending,
            other @ (Claim::Idle | Claim::Did) => panic!("nothing to send: {other:?}"),
        }
    }

    fn hears(&self, sending: &Sending, outcome: Outcome) -> Recorded {
        let (submission, unwell) = (sending.submission, Unwell::new());
        let command = RecordSubmission { submission, outcome, unwell };
        self.panel.store().write_blocking(command).unwrap()
    }

    fn decides(&self, order: i64, decision: Decision) -> Result<(), Error> {
        let (actor, orders) = (Actor::CommandLine, [OrderId(order)].into());
        self.panel.store().write_blocking(DecideOrders { actor, orders, decision })
    }

    /// How an order stands: the order, what is to happen, the last attempt, what ann has.
    fn stands(&self, order: i64) -> String {
        let id = OrderId(order);
        let (order, delivery, attempts) = self
            .panel
            .store()
            .point(|db| {
                let order = orders::find(db, id)?.unwrap();
                Ok((order, deliveries::find(db, id)?, submissions::list_of(db, id)?))
            })
            .unwrap();
        let stage = delivery.as_ref().map_or("gone", |delivery| delivery.stage.as_str());
        let hand = delivery.and_then(|delivery| delivery.hand).map_or("", Hand::as_str);
        let attempt = attempts.last().map_or("–".to_owned(), |attempt| {
            let ending = attempt.ending.map_or("", Ending::as_str);
            format!("{} {ending}", attempt.state.as_str()).trim_end().to_owned()
        });
        let words = [order.status.as_str(), format!("{stage} {hand}").trim_end(), &attempt]
            .map(str::to_owned);
        format!("{} / {} = {}", words.join(" / "), order.public_status(), self.ann.balance())
    }
}

fn outcome(words: &str) -> Outcome {
    let answer = words.to_owned();
    match words.split(' ').collect::<Vec<_>>()[..] {
        ["accepted", id] => Outcome::Accepted { their_id: id.to_owned() },
        ["refused", family] => {
            Outcome::Refused { family: Family::from_stored(family).unwrap(), answer }
        }
        ["not", "sent"] => Outcome::NotSent { answer },
        ["busy", said] => Outcome::Busy { retry_after: None, is_only_said: said == "said", answer },
        ["unknown"] => Outcome::Unknown { answer },
        _ => panic!("no outcome: {words}"),
    }
}

/// What a provider says to one order of 2.50, and where that leads, without another place.
const ANSWERS: &str = "
    answer            | order / what happens / attempt / shown = balance
    accepted 55       | active / watch / accepted / Pending = 97.50
    refused service   | canceled / gone / rejected service / Canceled = 100.00
    refused quantity  | canceled / gone / rejected quantity / Canceled = 100.00
    refused link      | canceled / gone / rejected link / Canceled = 100.00
    refused other     | canceled / gone / rejected other / Canceled = 100.00
    refused funds     | pending / send / rejected funds / Pending = 97.50
    refused key       | pending / send / rejected key / Pending = 97.50
    refused duplicate | pending / send / rejected duplicate / Pending = 97.50
    not sent          | pending / send / not_sent / Pending = 97.50
    busy said         | pending / send / not_sent busy / Pending = 97.50
    busy limit        | pending / send / not_sent limited / Pending = 97.50
    unknown           | unknown / call unknown / unknown / Processing = 97.50
";

#[test]
fn each_answer_leads_where_the_table_says() {
    for row in rows(ANSWERS) {
        let (answer, becomes) = (row[0], row[1]);
        let shop = Shop::open();
        let order = shop.ann.buys(1, 1000);
        assert_eq!(shop.stands(order), "pending / send / – / Pending = 97.50");
        let sending = shop.sends();
        assert_eq!(shop.stands(order), "sending / call / sending / Processing = 97.50");
        shop.hears(&sending, outcome(answer));
        assert_eq!(shop.stands(order), becomes, "{answer}");
        let again = shop.hears(&sending, outcome("refused other"));
        assert_eq!((again, shop.stands(order)), (Recorded::Over, becomes.to_owned()), "{answer}");
    }
}

#[test]
fn what_came_back_is_due_again_later_and_later() {
    let shop = Shop::open();
    shop.ann.buys(1, 1000);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let sending = shop.sends();
        shop.hears(&sending, outcome("not sent"));
        let mut waited = 0;
        while matches!(shop.claim(), Claim::Idle) {
            shop.panel.clock.advance(1);
            waited += 1;
        }
        // The claim that ended the wait is out: it comes back like the others.
        let attempts = shop.panel.store().point(|db| submissions::list_of(db, OrderId(1))).unwrap();
        let live = attempts.iter().find(|attempt| attempt.state.is_live()).unwrap().id;
        let (submission, unwell) = (live, Unwell::new());
        let command = RecordSubmission { submission, outcome: outcome("not sent"), unwell };
        shop.panel.store().write_blocking(command).unwrap();
        shop.panel.clock.advance(200);
        waits.push(waited);
    }
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1] + 48), "{waits:?}");
    assert!((4..=6).contains(&waits[0]) && (96..=144).contains(&waits[5]), "{waits:?}");
}

#[test]
fn a_text_that_asks_for_patience_three_times_is_shown_to_a_person() {
    let shop = Shop::open();
    let order = shop.ann.buys(1, 1000);
    for _ in 0..3 {
        let sending = shop.sends();
        shop.hears(&sending, outcome("busy said"));
        shop.panel.clock.advance(150);
    }
    assert_eq!(shop.stands(order), "pending / held waits / not_sent busy / Pending = 97.50");
    shop.decides(order, Decision::SendAgain).unwrap();
    shop.hears(&shop.sends(), outcome("accepted 7"));
    assert_eq!(shop.stands(order), "active / watch / accepted / Pending = 97.50");
}

#[test]
fn a_duplicate_after_a_doubtful_end_means_that_it_arrived() {
    let shop = Shop::open();
    let order = shop.ann.buys(1, 1000);
    shop.hears(&shop.sends(), outcome("busy limit"));
    shop.panel.clock.advance(150);
    shop.hears(&shop.sends(), outcome("refused duplicate"));
    assert_eq!(shop.stands(order), "unknown / call unknown / unknown / Processing = 97.50");
}

#[test]
fn a_number_that_is_another_orders_is_no_proof() {
    let shop = Shop::open();
    let (one, two) = (shop.ann.buys(1, 1000), shop.ann.buys(1, 1000));
    shop.hears(&shop.sends(), outcome("accepted 55"));
    shop.hears(&shop.sends(), outcome("accepted 55"));
    let (active, unknown) = (shop.stands(one), shop.stands(two));
    assert_eq!(active, "active / watch / accepted / Pending = 95.00");
    assert_eq!(unknown, "unknown / call unknown / unknown / Processing = 95.00");
    let refused = shop.decides(two, Decision::PlacedAs("55".to_owned())).unwrap_err();
    let known = Error::from(ProviderRefusal::TheirOrderIsKnown(one));
    assert_eq!(refused.to_string(), known.to_string());
    let live = shop.panel.store().point(|db| submissions::find_live(db, OrderId(two))).unwrap();
    assert_eq!(live.unwrap().answer, format!("They gave it the number of order {one}"));
}

#[test]
fn what_a_person_decides_says_nothing_of_how_the_provider_is_now() {
    let shop = Shop::open();
    let (lost, later) = (shop.ann.buys(1, 1000), shop.ann.buys(1, 1000));
    shop.hears(&shop.sends(), outcome("unknown"));
    shop.hears(&shop.sends(), outcome("accepted 55"));
    let (kind, subject) = (ConditionKind::Funds, format!("provider {}", shop.first));
    let text = Some("No money".to_owned());
    let store = shop.panel.store();
    store.write_blocking(SetCondition { kind, subject: subject.clone(), text }).unwrap();
    shop.decides(lost, Decision::PlacedAs("7".to_owned())).unwrap();
    assert!(shop.panel.condition(kind, &subject).is_some(), "it may have been before that");
    let provider = store.point(|db| providers::get(db, shop.first)).unwrap();
    assert_eq!(provider.last_order.as_deref(), Some("55"), "numbers only go on");
    assert_eq!(shop.stands(later), "active / watch / accepted / Pending = 95.00");

    // Who begins to count anew says so with the next order that is taken.
    shop.ann.buys(1, 1000);
    shop.hears(&shop.sends(), outcome("accepted 3"));
    let provider = store.point(|db| providers::get(db, shop.first)).unwrap();
    assert_eq!(provider.last_order.as_deref(), Some("3"));
    assert!(shop.panel.condition(kind, &subject).is_none(), "it takes orders now");
}

/// What a person decides of an order nobody knows the end of.
const DECISIONS: &str = "
    decision   | order / what happens / attempt / shown = balance
    placed     | active / watch / accepted / Pending = 97.50
    again      | pending / send / not_sent person / Pending = 97.50
    refund     | canceled / gone / not_sent person / Canceled = 100.00
    by hand    | active / gone / not_sent person / In progress = 97.50
";

fn decision(word: &str) -> Decision {
    match word {
        "placed" => Decision::PlacedAs("77".to_owned()),
        "again" => Decision::SendAgain,
        "refund" => Decision::Refund,
        "by hand" => Decision::ByHand,
        _ => panic!("no decision: {word}"),
    }
}

#[test]
fn a_person_decides_what_nobody_knows() {
    for row in rows(DECISIONS) {
        let (word, becomes) = (row[0], row[1]);
        let shop = Shop::open();
        let order = shop.ann.buys(1, 1000);
        assert!(shop.decides(order, decision(word)).is_err(), "nothing to decide yet");
        shop.hears(&shop.sends(), outcome("unknown"));
        assert!(shop.decides(order, Decision::Elsewhere).is_err(), "there is no other place");
        shop.decides(order, decision(word)).unwrap();
        assert_eq!(shop.stands(order), becomes, "{word}");
        assert!(shop.decides(order, decision(word)).is_err(), "decided once");
    }
}

#[test]
fn a_cancel_request_ends_what_leads_back_to_sending() {
    for (answer, becomes) in [
        ("not sent", "canceled / gone / not_sent / Canceled = 100.00"),
        ("refused funds", "canceled / gone / rejected funds / Canceled = 100.00"),
        ("accepted 5", "active / watch / accepted / Pending = 97.50"),
        ("unknown", "unknown / call unknown / unknown / Processing = 97.50"),
    ] {
        let shop = Shop::open();
        let order = shop.ann.buys(1, 1000);
        let sending = shop.sends();
        shop.ann.form(&format!("key=KEY&action=cancel&order={order}"));
        shop.hears(&sending, outcome(answer));
        assert_eq!(shop.stands(order), becomes, "{answer}");
        if answer == "unknown" {
            shop.decides(order, Decision::SendAgain).unwrap();
            assert!(shop.stands(order).ends_with("Canceled = 100.00"), "{}", shop.stands(order));
        }
    }
}

#[test]
fn an_order_that_was_canceled_or_ended_by_hand_is_never_sent() {
    let shop = Shop::open();
    let (one, two, three) = (shop.ann.buys(1, 10), shop.ann.buys(1, 10), shop.ann.buys(1, 10));
    shop.ann.form(&format!("key=KEY&action=cancel&order={one}"));
    shop.panel.set(two, PublicStatus::Completed, None, None);
    shop.panel.set(three, PublicStatus::InProgress, None, None);
    assert!(matches!(shop.claim(), Claim::Idle));
    for order in [one, two, three] {
        assert!(shop.stands(order).contains(" / gone / "), "{}", shop.stands(order));
    }
}

#[test]
fn what_was_being_sent_at_a_crash_waits_for_a_person() {
    let shop = Shop::open();
    let order = shop.ann.buys(1, 1000);
    let sending = shop.sends();
    if engine::is_server() {
        assert_eq!(shop.panel.store().write_blocking(ParkInterrupted).unwrap(), 0, "is at work");
        shop.panel.sql("UPDATE nodes SET seen_at = 0");
    }
    assert_eq!(shop.panel.store().write_blocking(ParkInterrupted).unwrap(), 1);
    assert_eq!(shop.panel.store().write_blocking(ParkInterrupted).unwrap(), 0);
    assert_eq!(shop.stands(order), "unknown / call unknown / unknown / Processing = 97.50");
    assert_eq!(shop.hears(&sending, outcome("accepted 5")), Recorded::Over);
}

#[test]
fn an_attempt_says_what_it_says_in_every_word() {
    let shop = Shop::open();
    let order = shop.ann.buys(1, 1000);
    let sending = shop.sends();
    assert_eq!((&*sending.link, sending.quantity), ("https://example.com/p", 1000));
    assert_eq!((&*sending.provider_service, sending.custom_id.len()), ("901", 26));
    let (found, delivery) = shop
        .panel
        .store()
        .point(|db| {
            Ok((submissions::find_live(db, OrderId(order))?, deliveries::find(db, OrderId(order))?))
        })
        .unwrap();
    let (live, delivery) = (found.unwrap(), delivery.unwrap());
    assert_eq!((live.state, delivery.stage), (State::Sending, Stage::Call));
    shop.hears(&sending, outcome("not sent"));
    shop.panel.clock.advance(10);
    assert_eq!(shop.sends().custom_id, sending.custom_id, "one id for one order at one place");
    let status = shop.panel.store().point(|db| orders::find(db, OrderId(order))).unwrap();
    assert_eq!(status.unwrap().status, OrderStatus::Sending);
}
