//! Watching: orders at a provider are looked at by the hundred, and what it says of them is
//! recorded in one command.
//!
//! An answer that comes twice finds its order where the first has brought it and changes nothing.
//! After the end there is one last look, which never moves money.

use std::collections::{BTreeMap, HashMap};

use super::conditions::{about_provider, about_service};
use super::{hands, orders as settling, posts};
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::{self, Delivery, Hand, Stage, State, Submission};
use crate::domain::errand::Errand;
use crate::domain::money::Money;
use crate::domain::order::{Change, Order, OrderStatus};
use crate::domain::pace::Pace;
use crate::domain::provider::Provider;
use crate::domain::report::{Charged, Reading, Report, is_same_currency};
use crate::domain::{Actor, OrderId, ProviderId, ServiceId, Timestamp};
use crate::store::{
    Command, Read, Result, Tx, Wants, conditions, deliveries, errands, orders, paces, placed,
    providers, submissions, together,
};

/// Orders that are asked about in one call.
pub const LOOKS_MAX: i64 = 100;

/// So long nobody else looks at what was taken.
const LEASE_SECONDS: i64 = 300;
/// What falls due so soon after goes along.
const AHEAD_SECONDS: i64 = 15;
const DAY: i64 = 86_400;
/// Providers may not know at once what they have just accepted.
const FRESH_SECONDS: i64 = 600;
/// Looks without an answer after which an order that has ended is left alone.
const LAST_TRIES_MAX: i64 = 5;
const LAST_AGAIN_AFTER: i64 = 3600;
/// Characters of their words that are kept.
const WORD_MAX: usize = 60;

/// Takes orders of a provider that are due to be looked at. Whoever takes them asks.
pub struct LeaseStatuses {
    pub provider: ProviderId,
    /// At most so many; never more than [`LOOKS_MAX`].
    pub limit: i64,
}

impl Command for LeaseStatuses {
    /// The orders with the provider's numbers for them.
    type Reply = Vec<(OrderId, String)>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        let next = |db: &Read<'_>, stage: &Stage| deliveries::next_due(db, self.provider, *stage);
        let due = tx.each(&[Stage::Watch, Stage::Last], next)?;
        if !due.into_iter().flatten().any(|due| due <= tx.now) {
            return Ok(Vec::new());
        }
        let by = Timestamp(tx.now.0 + AHEAD_SECONDS);
        let mut left = self.limit.clamp(1, LOOKS_MAX);
        let mut taken = Vec::new();
        for stage in [Stage::Watch, Stage::Last] {
            if left > 0 {
                let some = deliveries::list_due(tx, self.provider, stage, by, left)?;
                left -= i64::try_from(some.len()).unwrap_or(left);
                taken.extend(some);
            }
        }

        let their_ids = tx.each(&taken, |db, order| placed::their_id(db, *order))?;
        for order in &taken {
            deliveries::update_due(tx, *order, Timestamp(tx.now.0 + LEASE_SECONDS))?;
        }
        let named = taken.into_iter().zip(their_ids);
        Ok(named.filter_map(|(order, their_id)| Some((order, their_id?))).collect())
    }
}

/// What a provider said of one order: a report, or why there is none.
pub type Answer = std::result::Result<Report, String>;

/// Records what a provider said of orders that it was asked about.
pub struct RecordStatuses {
    pub provider: ProviderId,
    pub answers: Vec<(OrderId, Answer)>,
}

impl Command for RecordStatuses {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let ids: Vec<OrderId> = self.answers.iter().map(|(id, _)| *id).collect();
        let (provider, found, deliveries) = together!(tx:
            providers::get(tx, self.provider),
            orders::find_each(tx, &ids),
            deliveries::find_each(tx, &ids),
        );
        let mut heard = Vec::with_capacity(ids.len());
        for ((order, delivery), (_, answer)) in found.into_iter().zip(deliveries).zip(&self.answers)
        {
            let (Some(order), Some(delivery)) = (order, delivery) else { continue };
            if delivery.provider == self.provider {
                heard.push(Heard::of(order, delivery, answer, tx.now));
            }
        }

        let mut round = Round {
            tx,
            provider,
            hand_before: None,
            have_hands_moved: false,
            currency: None,
            ends: look_at_ends(tx, &heard)?,
            services: BTreeMap::new(),
        };
        heard.into_iter().try_for_each(|heard| round.take(heard))?;
        round.end()
    }
}

/// What they said of an order.
struct Heard<'a> {
    order: Order,
    delivery: Delivery,
    answer: &'a Answer,
    /// What a report of an order means that runs there.
    reading: Option<Reading>,
}

impl<'a> Heard<'a> {
    fn of(order: Order, delivery: Delivery, answer: &'a Answer, now: Timestamp) -> Self {
        let report = answer.as_ref().ok().filter(|_| delivery.stage == Stage::Watch);
        let reading = report.map(|report| order.report(report, now.0 - order.created_at.0));
        Self { order, delivery, answer, reading }
    }
}

/// What has to be known of an order that ends: by which attempt it is there, and whether they were
/// asked to cancel it.
type End = (Option<Submission>, Option<Errand>);

/// What the orders of a service that have ended say of the service.
#[derive(Default)]
struct Learned {
    /// The seconds that each took that was completed.
    took: Vec<i64>,
    /// What there is to say of the last that has cost more than was expected.
    overcharge: Option<String>,
    /// Whether the last that has said what it cost did cost what was expected.
    is_charged_right: bool,
}

impl Learned {
    fn keep(&self, tx: &Tx<'_>, service: ServiceId, known: Known) -> Result<()> {
        let (kind, subject) = (ConditionKind::Overcharged, about_service(service));
        if let Some(text) = &self.overcharge {
            conditions::tell(tx, kind, &subject, text)?;
        }
        if self.is_charged_right && (known.is_overcharged || self.overcharge.is_some()) {
            conditions::clear(tx, kind, &subject)?;
        }
        let took = self.took.iter();
        match took.fold(known.pace, |known, took| Some(Pace::after(known, *took))) {
            Some(pace) if !self.took.is_empty() => paces::update(tx, service, pace),
            Some(_) | None => Ok(()),
        }
    }
}

/// What is known of a service by now.
struct Known {
    pace: Option<Pace>,
    is_overcharged: bool,
}

impl Known {
    fn of(db: &Read<'_>, service: ServiceId) -> Result<Self> {
        let (kind, subject) = (ConditionKind::Overcharged, about_service(service));
        let (pace, is_overcharged) = together!(db:
            paces::find(db, service),
            conditions::is_open(db, kind, &subject),
        );
        Ok(Self { pace, is_overcharged })
    }
}

/// What all answers of one call have in common.
struct Round<'a> {
    tx: &'a Tx<'a>,
    provider: Provider,
    /// What the order at hand waited for.
    hand_before: Option<Hand>,
    have_hands_moved: bool,
    /// The last currency they said.
    currency: Option<String>,
    ends: HashMap<OrderId, End>,
    services: BTreeMap<ServiceId, Learned>,
}

/// Looks for all orders that end at once, and has the users of all that move at hand.
fn look_at_ends(tx: &Tx<'_>, heard: &[Heard<'_>]) -> Result<HashMap<OrderId, End>> {
    let (mut wants, mut ending) = (Wants::default(), Vec::new());
    for Heard { order, reading, .. } in heard {
        if let Some(Reading::Moved(change)) = reading {
            wants.user(order.user);
            ending.extend(change.settlement.map(|_| order.id));
        }
    }
    tx.fetch(&wants)?;
    let (lives, cancels) = together!(tx:
        tx.each(&ending, |db, order| submissions::find_live(db, *order)),
        tx.each(&ending, |db, order| errands::find_cancel(db, *order)),
    );
    Ok(ending.into_iter().zip(lives.into_iter().zip(cancels)).collect())
}

impl Round<'_> {
    fn take(&mut self, Heard { order, delivery, answer, reading }: Heard<'_>) -> Result<()> {
        let order = &order;
        self.hand_before = delivery.hand;
        if let Ok(Report { currency: Some(currency), .. }) = answer {
            self.currency = Some(currency.clone());
        }
        match (delivery.stage, answer) {
            (Stage::Watch, Ok(report)) => match reading {
                Some(reading) => self.watch(order, delivery, report, reading),
                None => Ok(()),
            },
            (Stage::Watch, Err(text)) => self.miss(order, delivery, text),
            (Stage::Last, answer) if self.is_last_look(order) => {
                self.look_last(order, &delivery, answer)
            }
            // An answer that comes twice, or one that was overtaken.
            (Stage::Last | Stage::Send | Stage::Call | Stage::Posts | Stage::Held, _) => Ok(()),
        }
    }

    /// An order that runs there, of which they said something.
    fn watch(
        &mut self,
        order: &Order,
        delivery: Delivery,
        report: &Report,
        reading: Reading,
    ) -> Result<()> {
        let now = self.tx.now;
        match reading {
            Reading::Unclear(hand) => self.wait_for_hand(order, delivery, (hand, &told(report))),
            Reading::Same => self.look_again(order, Delivery { hand: None, ..delivery }),
            Reading::Moved(change) if change.settlement.is_some() => {
                self.finish(order, delivery, &change, report)
            }
            Reading::Moved(change) => {
                settling::write(self.tx, order, &change, &Actor::Delivery)?;
                let moved = Delivery { hand: None, tries: 1, moved_at: now, ..delivery };
                self.look_again(order, moved)
            }
        }
    }

    /// They do not know it, or did not speak of it.
    fn miss(&mut self, order: &Order, delivery: Delivery, text: &str) -> Result<()> {
        let silence = self.tx.now.0 - delivery.moved_at.0;
        if silence < FRESH_SECONDS {
            let due_at = delivery::next_look(&delivery, order.created_at, self.tx.now);
            return deliveries::update_due(self.tx, order.id, due_at);
        }
        match delivery.hand {
            None if silence >= DAY => self.wait_for_hand(order, delivery, (Hand::Lost, text)),
            _ => self.look_again(order, delivery),
        }
    }

    /// It goes on, and is looked at all the same: the next clear answer ends the wait.
    fn wait_for_hand(
        &mut self,
        order: &Order,
        delivery: Delivery,
        (hand, text): (Hand, &str),
    ) -> Result<()> {
        if delivery.hand != Some(hand)
            && let Some(live) = submissions::find_live(self.tx, order.id)?
        {
            submissions::update_answer(self.tx, live.id, text)?;
        }
        self.look_again(order, Delivery { hand: Some(hand), ..delivery })
    }

    fn look_again(&mut self, order: &Order, delivery: Delivery) -> Result<()> {
        let due_at = delivery::next_look(&delivery, order.created_at, self.tx.now);
        let tries = delivery.tries + 1;
        self.put(&Delivery { due_at, tries, ..delivery })
    }

    /// It has ended: its money is settled, and what it has cost is known.
    fn finish(
        &mut self,
        order: &Order,
        delivery: Delivery,
        change: &Change,
        report: &Report,
    ) -> Result<()> {
        let now = self.tx.now;
        let (live, cancel) = self.ends.remove(&order.id).unwrap_or_default();
        let said = self.charged(order, live.as_ref(), report);
        settling::write(self.tx, order, change, &Actor::Delivery)?;
        settling::count_cost(self.tx, live.as_ref(), change.status, said)?;
        hands::drop_errand(self.tx, cancel.as_ref())?;
        if change.status == OrderStatus::Completed {
            let took = now.0 - order.created_at.0;
            self.services.entry(order.service).or_default().took.push(took);
        }
        let (stage, due_at, tries) = (Stage::Last, Timestamp(now.0 + DAY), 0);
        self.put(&Delivery { stage, due_at, tries, moved_at: now, hand: None, ..delivery })
    }

    /// What they say it has cost, in our money; keeps what there is to know of that.
    fn charged(
        &mut self,
        order: &Order,
        live: Option<&Submission>,
        report: &Report,
    ) -> Option<Money> {
        let Charged::Said(said) = report.charged(&self.provider.terms) else { return None };
        if let Some(accepted) = live.filter(|live| live.state == State::Accepted) {
            let learned = self.services.entry(order.service).or_default();
            learned.is_charged_right = !accepted.is_overcharged(said);
            if !learned.is_charged_right {
                let (id, expected, name) = (order.id, accepted.expected, &self.provider.terms.name);
                let text = format!("Order {id} cost {said} at {name}, {expected} was expected");
                learned.overcharge = Some(text);
            }
        }
        Some(said)
    }

    fn is_last_look(&self, order: &Order) -> bool {
        let latest = self.tx.now.0 + AHEAD_SECONDS;
        let (now, is_over) = (self.tx.now, |at: Timestamp| at.0 + DAY <= latest);
        // One that has ended later than now was written by a clock that was ahead.
        order.finished_at.is_some_and(|finished| is_over(finished) || finished > now)
    }

    /// A day after the end: what has changed since is shown and moves nothing.
    fn look_last(&mut self, order: &Order, delivery: &Delivery, answer: &Answer) -> Result<()> {
        if answer.is_err() && delivery.tries + 1 < LAST_TRIES_MAX {
            let due_at = Timestamp(self.tx.now.0 + LAST_AGAIN_AFTER);
            let tries = delivery.tries + 1;
            return deliveries::update(self.tx, &Delivery { due_at, tries, ..delivery.clone() });
        }
        deliveries::delete(self.tx, order.id)?;
        posts::forget_unpaid(self.tx, order)?;
        let Some(report) = answer.as_ref().ok().filter(|report| order.is_contradicted(report))
        else {
            return Ok(());
        };
        let (name, ended) = (&self.provider.terms.name, order.public_status());
        let text = format!("{name} now says {}; the order ended as {ended}", told(report));
        let subject = format!("order {}", order.id);
        conditions::raise(self.tx, ConditionKind::Contradicts, &subject, &text)
    }

    fn put(&mut self, delivery: &Delivery) -> Result<()> {
        self.have_hands_moved |= self.hand_before != delivery.hand;
        deliveries::update(self.tx, delivery)
    }

    /// What somebody should know of the services and of the provider by all that was said.
    fn end(self) -> Result<()> {
        let Self { tx, provider, .. } = self;
        let services: Vec<ServiceId> = self.services.keys().copied().collect();
        let known = tx.each(&services, |db, service| Known::of(db, *service))?;
        for ((service, learned), known) in self.services.iter().zip(known) {
            learned.keep(tx, *service, known)?;
        }
        if self.have_hands_moved {
            hands::follow(tx, provider.id)?;
        }
        let Some(theirs) = self.currency else { return Ok(()) };
        let (kind, subject) = (ConditionKind::Currency, about_provider(provider.id));
        if is_same_currency(&theirs, &provider.terms) {
            return conditions::clear(tx, kind, &subject);
        }
        let (name, ours) = (&provider.terms.name, &provider.terms.currency);
        let theirs = excerpt(&theirs);
        let text = format!("{name} charges in {theirs}, not in {ours} as it was set up");
        conditions::raise(tx, kind, &subject, &text)
    }
}

/// What they said of an order, for people.
fn told(report: &Report) -> String {
    let word = format!("\"{}\"", excerpt(&report.word));
    match report.remains {
        Some(remains) => format!("{word}, {remains} remain"),
        None => word,
    }
}

/// The beginning of a text of theirs, without what nobody sees.
fn excerpt(text: &str) -> String {
    text.chars().filter(|c| !crate::domain::is_hidden(*c)).take(WORD_MAX).collect()
}
