//! Webhooks: what resellers are told, how often, and what happens where their endpoint misbehaves.

use std::collections::{BTreeMap, BTreeSet};

use panelite::commands::orders::SetRefill;
use panelite::commands::webhooks::{
    RotateSecret, SendEventAgain, SetWebhook, StopWebhook, WAITING_MAX,
};
use panelite::domain::condition::ConditionKind;
use panelite::domain::event::{Event, EventState, Webhook};
use panelite::domain::order::PublicStatus;
use panelite::domain::refill::RefillStatus;
use panelite::domain::{Actor, EventId, RefillId, Timestamp};
use panelite::secret::Sealer;
use panelite::store::page::Cursor;
use panelite::store::webhooks::{self, Place};
use panelite::store::{Error, conditions, events};

use crate::fixture::engine;
use crate::fixture::panel::{Panel, Reseller, cli, stderr, stdout};
use crate::fixture::receiver::{Call, Manner, Receiver};
use crate::fixture::server::{Server, Shop};

/// A panel whose reseller has an endpoint.
struct Told {
    panel: Panel,
    ann: Reseller,
    receiver: Receiver,
    /// As the command line has shown it.
    secret: String,
}

impl Told {
    fn open() -> Self {
        let panel = Panel::start();
        panel.services(&["1,C,Likes,Default,2.50,1,100000,1,1,1"]);
        let (ann, receiver) = (panel.reseller("ann", "1000"), Receiver::start());
        let secret = set(&panel, &[&receiver.url(), "--allow-insecure"]);
        Self { panel, ann, receiver, secret }
    }

    /// Buys an order and completes it: one event.
    fn completes(&self) -> i64 {
        let order = self.ann.buys(1, 1000);
        self.panel.set(order, PublicStatus::Completed, Some(7), None);
        order
    }

    fn webhook(&self) -> Webhook {
        self.panel.store().page(|db| webhooks::find(db, self.ann.user)).unwrap().unwrap()
    }

    /// Newest first.
    fn events(&self) -> Vec<Event> {
        let (store, user) = (self.panel.store(), self.ann.user);
        store.page(|db| events::page(db, user, Cursor::Newest, 500)).unwrap().rows
    }

    fn advance(&self, seconds: i64) {
        self.panel.clock.advance(seconds);
        self.panel.deliver();
    }

    fn kinds(&self) -> Vec<String> {
        self.receiver.taken().iter().map(Call::kind).collect()
    }
}

/// Sets ann's webhook by the command line; what that prints.
fn set(panel: &Panel, args: &[&str]) -> String {
    let args = [&["user", "webhook", "ann"], args].concat();
    let output = panel.cli(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).trim_end().to_owned()
}

#[test]
fn an_order_that_moves_is_told_with_all_there_is_to_know() {
    let told = Told::open();
    let bob = told.panel.reseller("bob", "100");
    let reply = told.ann.form(
        "key=KEY&action=add&service=1&link=https://example.com/p&quantity=1000&custom_id=mine",
    );
    assert_eq!(reply.json()["order"], 1);
    assert_eq!(bob.buys(1, 1000), 2);
    for order in [1, 2] {
        told.panel.set(order, PublicStatus::Processing, Some(10), None);
        told.panel.set(order, PublicStatus::InProgress, Some(10), Some(800));
        told.panel.set(order, PublicStatus::InProgress, Some(10), Some(700));
        told.panel.set(order, PublicStatus::Partial, None, Some(400));
    }
    told.panel.deliver();
    assert_eq!(told.kinds(), ["order.in_progress", "order.partial"]);
    let call = told.receiver.calls().remove(1);
    let id = call.id();
    assert!(id.starts_with("evt_") && id.ends_with("_2") && id.len() == 12, "{id}");
    let body = format!(
        r#"{{"id":"{id}","type":"order.partial","created":1767225600,"order":{{"id":"1","custom_id":"mine","charge":1.50,"refunded":1.00,"start_count":10,"status":"Partial","remains":400,"currency":"USD"}}}}"#
    );
    assert_eq!(call.body, body);
    assert_eq!(call.header("webhook-timestamp"), "1767225600");
    assert_eq!(call.header("content-type"), "application/json");
    let signature = call.header("webhook-signature");
    assert!(signature.starts_with("v1,") && signature.len() == 47, "{signature}");
    told.advance(86_400);
    assert_eq!(told.receiver.calls().len(), 2, "what was taken is not told again");
    let states: Vec<EventState> = told.events().iter().map(|event| event.state).collect();
    assert_eq!(states, [EventState::Done, EventState::Done]);
}

#[test]
fn a_drip_feed_is_told_as_one_order_and_its_runs_are_not() {
    let told = Told::open();
    let split = "quantity=1000&runs=2&interval=60";
    told.ann.form(&format!("key=KEY&action=add&service=1&link=x&{split}"));
    for run in [2, 3] {
        told.advance(3600);
        told.panel.set(run, PublicStatus::InProgress, Some(10), None);
        told.panel.set(run, PublicStatus::Completed, None, None);
    }
    told.panel.deliver();
    assert_eq!(told.kinds(), ["order.in_progress", "order.completed"]);
    for call in told.receiver.calls() {
        assert_eq!(call.json()["order"]["id"], "1", "{}", call.body);
    }
}

#[test]
fn refills_cancels_and_a_low_balance_are_told() {
    let told = Told::open();
    set(&told.panel, &[&told.receiver.url(), "--allow-insecure", "--low", "993"]);
    let canceled = told.ann.buys(1, 1000);
    told.ann.form(&format!("key=KEY&action=cancel&order={canceled}"));
    for (number, status) in [(1, RefillStatus::Completed), (2, RefillStatus::Error)] {
        let order = told.completes();
        told.ann.form(&format!("key=KEY&action=refill&order={order}"));
        let (actor, refill) = (Actor::CommandLine, RefillId(number));
        told.panel.store().write_blocking(SetRefill { actor, refill, status }).unwrap();
    }
    told.panel.deliver();
    assert_eq!(
        told.kinds(),
        [
            "order.canceled",
            "order.completed",
            "refill.completed",
            "order.completed",
            "refill.rejected"
        ]
    );
    let refill = &told.receiver.calls()[4].json()["refill"];
    assert_eq!(refill.to_string(), r#"{"id":"refill_2","order":"3","status":"Error"}"#);

    // 995 are left: one more is 992.50, and that is told once, until money has come in between.
    for _ in 0..3 {
        told.ann.buys(1, 1000);
    }
    assert!(told.panel.cli(&["user", "deposit", "ann", "10"]).status.success());
    for _ in 0..4 {
        told.ann.buys(1, 1000);
    }
    told.panel.deliver();
    let low: Vec<String> =
        told.receiver.calls()[5..].iter().map(|call| call.body.clone()).collect();
    assert_eq!(low.len(), 2, "{low:?}");
    assert!(low[0].contains(r#""balance":{"balance":"992.50","currency":"USD"}"#), "{low:?}");
    assert!(low[1].contains(r#""balance":"992.50""#), "{low:?}");
}

#[test]
fn an_endpoint_that_is_down_for_an_hour_misses_nothing_and_takes_nothing_twice() {
    let told = Told::open();
    told.receiver.behave(Manner::HangsUp);
    for minute in 0..60 {
        if minute % 2 == 0 {
            told.completes();
        }
        told.advance(60);
    }
    let tried = told.receiver.calls().len();
    assert!((5..40).contains(&tried), "{tried} calls within an hour");
    assert!(told.webhook().paused_until.is_some(), "{:?}", told.webhook());

    told.receiver.behave(Manner::Says(200));
    for _ in 0..11 {
        told.advance(60);
    }
    let taken = told.receiver.taken();
    let ids: BTreeSet<&str> = taken.iter().map(|call| call.id()).collect();
    assert_eq!((taken.len(), ids.len()), (30, 30), "each once, soon after it answers again");
    let webhook = told.webhook();
    assert_eq!((webhook.failures, webhook.paused_until, webhook.due_at), (0, None, None));
    assert_eq!(webhook.dropped, 0);
}

#[test]
fn an_endpoint_that_is_down_is_an_alert_until_it_answers_or_is_given_up() {
    let told = Told::open();
    let alerts = || {
        let open = told.panel.store().point(|db| conditions::list_open(db, 100)).unwrap();
        open.into_iter().map(|it| (it.kind, it.subject, it.text)).collect::<Vec<_>>()
    };
    let goes_down = || {
        told.receiver.behave(Manner::Says(503));
        told.completes();
        for _ in 0..6 {
            told.advance(600);
        }
        let text = "The endpoint takes no events: HTTP 503";
        let subject = format!("user {}", told.ann.user);
        assert_eq!(alerts(), [(ConditionKind::Webhook, subject, text.to_owned())]);
    };
    let listed = || stdout(&told.panel.cli(&["alert", "list"]));
    goes_down();
    assert_eq!(listed(), "1\tWebhook\tann\tThe endpoint takes no events: HTTP 503\n");
    told.receiver.behave(Manner::Says(204));
    told.advance(3600);
    assert_eq!(alerts(), [], "it answers");

    goes_down();
    told.receiver.behave(Manner::Says(410));
    told.advance(3600);
    assert_eq!(alerts(), [], "it wants nothing any more");

    set(&told.panel, &[&told.receiver.url(), "--allow-insecure"]);
    goes_down();
    set(&told.panel, &[&told.receiver.url(), "--allow-insecure"]);
    assert_eq!(alerts(), [], "it may be another place");

    goes_down();
    let (actor, user) = (Actor::CommandLine, told.ann.user);
    told.panel.store().write_blocking(StopWebhook { actor, user }).unwrap();
    assert_eq!(alerts(), [], "it was turned off");
}

#[test]
fn a_clock_that_was_ahead_silences_no_endpoint() {
    let told = Told::open();
    told.panel.clock.advance(365 * 86_400);
    told.receiver.behave(Manner::Says(500));
    for _ in 0..6 {
        told.completes();
        told.advance(60);
    }
    assert!(told.webhook().paused_until.is_some());
    told.panel.clock.advance(-365 * 86_400);
    told.receiver.behave(Manner::Says(204));
    told.completes();
    told.panel.deliver();
    assert_eq!(told.receiver.taken().len(), 0, "it is paused until next year");

    let told = Told { panel: told.panel.restarted(), ..told };
    told.panel.deliver();
    assert_eq!(told.receiver.taken().len(), 7);
    assert_eq!(told.webhook().paused_until, None);
}

#[test]
fn what_fails_is_tried_eleven_times_and_then_sent_again_by_hand() {
    let told = Told::open();
    told.receiver.behave(Manner::Says(500));
    told.completes();
    told.panel.deliver();
    for _ in 0..27 * 4 {
        told.advance(900);
    }
    let called = told.receiver.calls().len();
    assert!(called > 11, "in between it was only asked whether it answers again");
    let event = told.events().remove(0);
    assert_eq!((event.state, event.due_at, event.tries), (EventState::Failed, None, 11));
    assert_eq!(event.answer, "HTTP 500");

    told.receiver.behave(Manner::Says(204));
    let (actor, user, event) = (Actor::CommandLine, told.ann.user, event.id);
    told.panel.store().write_blocking(SendEventAgain { actor, user, event }).unwrap();
    told.advance(600);
    let ids: BTreeSet<String> =
        told.receiver.calls().iter().map(|call| call.id().to_owned()).collect();
    assert_eq!((told.receiver.calls().len(), ids.len()), (called + 1, 1));
    assert_eq!(told.events()[0].state, EventState::Done);
}

#[test]
fn one_event_that_waits_for_hours_arrives_soon_after_the_endpoint_answers_again() {
    let told = Told::open();
    told.receiver.behave(Manner::Says(500));
    told.completes();
    for _ in 0..6 * 3 {
        told.advance(600);
    }
    let event = told.events().remove(0);
    let waits = event.due_at.unwrap().0 - told.panel.clock.now().0;
    assert!(waits > 3600, "{event:?}");

    told.receiver.behave(Manner::Says(204));
    told.advance(600);
    assert_eq!(told.receiver.taken().len(), 1);
    assert_eq!(told.webhook().paused_until, None);
}

#[test]
fn no_answer_but_2xx_is_taken_for_one() {
    let told = Told::open();
    let other = Receiver::start();
    for (manner, answer) in [
        (Manner::Redirects(other.url()), "HTTP 307"),
        (Manner::Says(404), "HTTP 404"),
        (Manner::HangsUp, "The connection was closed before the answer was complete"),
        (Manner::KeepsSilent, "No answer came in time"),
    ] {
        told.receiver.behave(manner.clone());
        told.completes();
        told.panel.deliver();
        let event = told.events().remove(0);
        assert_eq!((event.state, event.tries), (EventState::Waiting, 1), "{manner:?}");
        assert_eq!(event.answer, answer, "{manner:?}");
        assert_eq!(event.due_at, Some(Timestamp(told.panel.clock.now().0 + 5)));
    }
    assert_eq!(other.calls(), [], "no redirect is followed");
    told.receiver.behave(Manner::Rambles);
    told.completes();
    told.panel.deliver();
    assert_eq!(told.events()[0].state, EventState::Done, "what it says besides is thrown away");
}

#[test]
fn who_answers_410_is_told_nothing_more_until_somebody_turns_it_on() {
    let told = Told::open();
    told.receiver.behave(Manner::Says(410));
    for _ in 0..3 {
        told.completes();
    }
    told.panel.deliver();
    assert_eq!(told.receiver.calls().len(), 1);
    let webhook = told.webhook();
    assert_eq!((webhook.is_enabled, webhook.dropped, webhook.due_at), (false, 2, None));
    assert!(told.events().iter().all(|event| event.state == EventState::Failed));
    told.completes();
    assert_eq!(told.events().len(), 3, "off: nothing is written down");
    let again =
        SendEventAgain { actor: Actor::CommandLine, user: told.ann.user, event: EventId(1) };
    let refused = told.panel.store().write_blocking(again).unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");

    told.receiver.behave(Manner::Says(204));
    assert_eq!(set(&told.panel, &[&told.receiver.url(), "--allow-insecure"]), "", "same secret");
    told.completes();
    told.panel.deliver();
    assert_eq!(told.receiver.calls().len(), 2);
}

#[test]
fn a_webhook_that_is_off_gives_up_what_waits() {
    let told = Told::open();
    told.receiver.behave(Manner::Says(503));
    told.completes();
    told.panel.deliver();
    let (actor, user) = (Actor::CommandLine, told.ann.user);
    told.panel.store().write_blocking(StopWebhook { actor, user }).unwrap();
    told.advance(60);
    let event = told.events().remove(0);
    assert_eq!(event.answer, "Given up: the webhook is off");
    assert_eq!((event.state, told.receiver.calls().len()), (EventState::Failed, 1));
}

/// A first change of the secret.
fn rotates(told: &Told) -> RotateSecret {
    let sealer = Sealer::open(&engine::key_file(told.panel.db())).unwrap();
    let place = webhooks::seal_place(told.ann.user);
    let secret_sealed = sealer.seal(&place, &[7; 32]);
    RotateSecret { actor: Actor::CommandLine, user: told.ann.user, secret_sealed, seen: None }
}

#[test]
fn a_clock_that_was_ahead_gives_an_old_secret_no_more_than_its_day() {
    let told = Told::open();
    told.panel.clock.advance(365 * 86_400);
    told.panel.store().write_blocking(rotates(&told)).unwrap();
    told.panel.clock.advance(-365 * 86_400);

    let told = Told { panel: told.panel.restarted(), ..told };
    told.panel.deliver();
    let until = told.webhook().old_until.unwrap();
    assert_eq!(until, Timestamp(told.panel.clock.now().0 + 86_400));
}

#[test]
fn for_a_day_both_secrets_sign() {
    let told = Told::open();
    told.completes();
    told.panel.deliver();
    told.panel.store().write_blocking(rotates(&told)).unwrap();
    let refused = told.panel.store().write_blocking(rotates(&told)).unwrap_err().to_string();
    assert!(refused.contains("has changed"), "the same form rotates once: {refused}");
    told.completes();
    told.advance(86_399);
    told.completes();
    told.advance(1);
    let count = |call: &Call| call.header("webhook-signature").split(' ').count();
    let counts: Vec<usize> = told.receiver.calls().iter().map(count).collect();
    assert_eq!(counts, [1, 2, 1]);
    assert_eq!(told.webhook().old_until, None, "the old one is forgotten");
    assert!(told.secret.starts_with("whsec_") && told.secret.len() == 50, "{}", told.secret);
}

#[test]
fn addresses_that_are_not_public_need_leave() {
    let told = Told::open();
    let output = told.panel.cli(&["user", "webhook", "ann", &told.receiver.url()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("must begin with https"), "{}", stderr(&output));
    // A name may lead anywhere: that is looked at with the call.
    set(&told.panel, &["https://localhost:8443/events"]);
    told.completes();
    told.panel.deliver();
    assert_eq!(told.events()[0].answer, "The address is not public");
    assert_eq!(told.receiver.calls(), []);
}

/// Events as if so many orders had ended, each a second after the other.
fn insert_events(told: &Told, count: i64) {
    let now = told.panel.clock.now().0;
    let sql = format!(
        "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted
                                        WHERE n < {count})
         INSERT INTO events (user_id, kind, status, balance_micros, created_at, due_at)
         SELECT {}, 'balance_low', '', n, {now}, {now} FROM counted;
         UPDATE webhooks SET due_at = {now} + 60, paused_until = {now} + 60, failures = 5;",
        told.ann.user
    );
    told.panel.sql(&sql);
}

#[test]
fn too_many_that_wait_lose_the_oldest_and_old_ones_are_forgotten() {
    let told = Told::open();
    told.receiver.behave(Manner::Says(500));
    insert_events(&told, WAITING_MAX + 700);
    told.panel.deliver();
    assert_eq!(told.webhook().dropped, 700);
    let (store, user) = (told.panel.store(), told.ann.user);
    let waiting = store.page(|db| events::count_waiting(db, user, 2 * WAITING_MAX)).unwrap();
    assert_eq!(waiting, WAITING_MAX);
    let oldest = store.page(|db| events::find(db, EventId(700))).unwrap().unwrap();
    assert_eq!(oldest.answer, "Given up: too many waited");

    store.write_blocking(StopWebhook { actor: Actor::CommandLine, user }).unwrap();
    told.advance(7 * 86_400 + 60);
    assert_eq!(told.events().len(), 1, "the newest stays, so that no number comes again");
    assert_eq!(told.events()[0].id, EventId(WAITING_MAX + 700));
    let actor = Actor::CommandLine;
    let place = Place { url: told.receiver.url(), is_insecure: true, low: None };
    let again = SetWebhook { actor, user, place, secret_sealed: vec![0; 72] };
    told.panel.store().write_blocking(again).unwrap();
    told.completes();
    assert_eq!(told.events()[0].id, EventId(WAITING_MAX + 701));
}

#[test]
fn one_endpoint_that_is_down_keeps_nobody_elses_events() {
    let told = Told::open();
    let (bob, other) = (told.panel.reseller("bob", "100"), Receiver::start());
    let output = told.panel.cli(&["user", "webhook", "bob", &other.url(), "--allow-insecure"]);
    assert!(output.status.success(), "{}", stderr(&output));
    told.receiver.behave(Manner::HangsUp);
    for _ in 0..10 {
        told.completes();
        let order = bob.buys(1, 1000);
        told.panel.set(order, PublicStatus::Completed, None, None);
    }
    told.panel.deliver();
    assert_eq!((other.taken().len(), told.receiver.calls().len()), (10, 5));
}

#[test]
fn killed_between_a_call_and_its_record_the_panel_tells_it_again_under_the_same_number() {
    for (point, calls) in [("telling", 1), ("told", 2)] {
        let (shop, receiver) = (Shop::new(), Receiver::start());
        let args = ["user", "webhook", "rich", &receiver.url(), "--allow-insecure"];
        let output = cli(&shop.db, &args);
        assert!(output.status.success(), "{}", stderr(&output));
        let server = Server::start_with(&shop.db, &[("PANELITE_FAIL_AT", point)]);
        let body = "key=KEY&action=add&service=1&link=https://example.com/p&quantity=1000";
        shop.ask(server.address, body);
        let moved = cli(&shop.db, &["order", "set", "1", "--status", "completed"]);
        assert!(moved.status.success(), "{}", stderr(&moved));
        assert_eq!(server.wait().code(), None, "{point}: was not killed");

        let server = Server::start(&shop.db);
        let known: BTreeMap<String, String> = receiver
            .wait_for(calls)
            .iter()
            .map(|call| (call.id().to_owned(), call.body.clone()))
            .collect();
        assert_eq!(known.len(), 1, "{point}");
        server.terminate();
        assert_eq!(receiver.calls().len(), calls, "{point}");
        shop.assert_sound();
    }
}
