//! Subscriptions at providers: each post that a provider has bought for becomes an order of its
//! own, charged at the subscription's rate.
//!
//! Only what is sure is charged: a subscription of one quantity has bought that much for a post. Of
//! a range nobody knows; a person decides, with what the provider's charge would make of it. Who
//! cannot pay gets no order, nor does a post too many, and the provider is asked to cancel the
//! subscription.

use super::orders::{count_cost, write};
use super::places;
use super::places::Unwell;
use super::sending::accept_now;
use super::{hands, telling, watching};
use crate::domain::condition::ConditionKind;
use crate::domain::delivery::{self, Delivery, Hand, HandOver, Stage, State};
use crate::domain::input::{Input, parse_number};
use crate::domain::ledger::Posting;
use crate::domain::money::{Money, Per};
use crate::domain::order::{Order, OrderStatus};
use crate::domain::refusal::{OrderRefusal, ProviderRefusal};
use crate::domain::report::{Charged, Reading, Report};
use crate::domain::service::ServiceKind;
use crate::domain::{Actor, OrderId, ProviderId, Timestamp};
use crate::store::submissions::NewSubmission;
use crate::store::{
    Command, Read, Result, Tx, accounts, conditions, deliveries, drips, errands, ledger, orders,
    placed, providers, submissions, users,
};

/// Posts of one subscription.
pub const POSTS_MAX: usize = 1000;
/// New posts that one look takes up.
pub const NEW_POSTS_MAX: usize = 20;

/// So long nobody else looks at what was taken.
const LEASE_SECONDS: i64 = 300;
const DAY: i64 = 86_400;

/// Takes the subscription of a provider that is due to be looked at. Whoever takes it asks.
pub struct LeasePosts {
    pub provider: ProviderId,
}

/// A subscription to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub order: OrderId,
    pub their_id: String,
    /// Whether only their charge can tell how much was bought for a post.
    pub is_range: bool,
}

impl Command for LeasePosts {
    type Reply = Option<Subscription>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        let due = deliveries::list_due(tx, self.provider, Stage::Posts, tx.now, 1)?;
        let Some(order) = due.first().copied() else { return Ok(None) };
        let is_range = units(tx, order)?.is_none();
        let their_id = placed::their_id(tx, order)?;

        deliveries::update_due(tx, order, Timestamp(tx.now.0 + LEASE_SECONDS))?;
        Ok(their_id.map(|their_id| Subscription { order, their_id, is_range }))
    }
}

/// The least and the most that a subscription buys for a post.
pub(super) fn limits(db: &Read<'_>, order: OrderId) -> Result<(i64, i64)> {
    let inputs = orders::inputs(db, order)?;
    let number = |of: Input| {
        let found = inputs.iter().find(|(input, _)| *input == of);
        found.and_then(|(_, text)| parse_number(text)).unwrap_or(0)
    };
    Ok((number(Input::Min), number(Input::Max)))
}

/// How much a subscription buys for each post, where that is sure.
fn units(db: &Read<'_>, order: OrderId) -> Result<Option<i64>> {
    let (min, max) = limits(db, order)?;
    Ok((min == max && min > 0).then_some(min))
}

/// A post that a provider has bought for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Their number for it.
    pub their_id: String,
    /// What they say of it, where somebody has asked.
    pub report: Option<Report>,
}

/// Records what a provider said of a subscription, and the posts that are new.
pub struct RecordPosts {
    pub provider: ProviderId,
    pub order: OrderId,
    pub answer: watching::Answer,
    pub posts: Vec<Post>,
}

impl Command for RecordPosts {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let (order, found) = (orders::find(tx, self.order)?, deliveries::find(tx, self.order)?);
        let (Some(order), Some(delivery)) = (order, found) else { return Ok(()) };
        if delivery.provider != self.provider || delivery.stage != Stage::Posts {
            return Ok(());
        }
        let before = delivery.hand;
        let was_asked = before == Some(Hand::Post) && self.answer.is_ok();
        let Taken { hand, has_bought } = self.take_posts(tx, &order, was_asked)?;
        let tries = if has_bought { 0 } else { delivery.tries + 1 };
        let delivery = Delivery { hand, tries, ..delivery };
        let delivery = match &self.answer {
            Ok(report) => watch(tx, &order, delivery, report)?,
            Err(_) => {
                let is_lost = tx.now.0 - delivery.moved_at.0 >= DAY;
                let lost = is_lost.then_some(Hand::Lost);
                Delivery { hand: hand.or(before).or(lost), ..delivery }
            }
        };
        let due_at = match delivery.stage {
            Stage::Last => Timestamp(tx.now.0 + DAY),
            Stage::Posts | Stage::Watch | Stage::Send | Stage::Call | Stage::Held => {
                delivery::next_look(&delivery, tx.now, tx.now)
            }
        };
        let changed = before != delivery.hand;
        deliveries::update(tx, &Delivery { due_at, ..delivery })?;
        if changed { hands::follow(tx, self.provider) } else { Ok(()) }
    }
}

/// What came of new posts.
struct Taken {
    /// Why a person is needed for one of them.
    hand: Option<Hand>,
    /// Whether one became an order.
    has_bought: bool,
}

impl RecordPosts {
    /// Makes orders of the new posts. `was_asked`: a person had to say how much some were.
    fn take_posts(&self, tx: &Tx<'_>, order: &Order, was_asked: bool) -> Result<Taken> {
        let sure = units(tx, order.id)?;
        let (mut unsure, mut has_bought) = (Vec::new(), false);
        let (mut unpaid, mut is_full) = (Vec::new(), is_full(tx, order.id)?);
        for post in self.posts.iter().take(NEW_POSTS_MAX) {
            let is_known = placed::find_by_their_id(tx, self.provider, &post.their_id)?.is_some();
            if is_known || !is_id(&post.their_id) {
                continue;
            }
            match sure {
                Some(units) if !is_full => match buy(tx, order, &post.their_id, units)? {
                    Some(_) => (has_bought, is_full) = (true, self::is_full(tx, order.id)?),
                    None => unpaid.push(post.their_id.as_str()),
                },
                None if !is_full => unsure.push(self.figures(tx, order, post)?),
                Some(_) | None => unpaid.push(&post.their_id),
            }
        }
        if (has_bought || was_asked) && unpaid.is_empty() && unsure.is_empty() {
            forget_unpaid(tx, order)?; // there was money in the meantime
        }
        cancel_unpaid(tx, order, &unpaid, sure)?;
        if unsure.is_empty() {
            return Ok(Taken { hand: None, has_bought });
        }
        if let Some(live) = submissions::find_live(tx, order.id)? {
            submissions::update_answer(tx, live.id, &unsure.join("; "))?;
        }
        Ok(Taken { hand: Some(Hand::Post), has_bought })
    }

    /// What is known of a post of a range: `Post 17: 10 to 50, their charge 0.02 makes 20`.
    fn figures(&self, tx: &Tx<'_>, order: &Order, post: &Post) -> Result<String> {
        let (min, max) = limits(tx, order.id)?;
        let mut text = format!("Post {}: {min} to {max}", post.their_id);
        let terms = providers::get(tx, self.provider)?.terms;
        let said = post.report.as_ref().map(|report| report.charged(&terms));
        if let Some(Charged::Said(charge)) = said {
            text.push_str(&format!(", their charge {charge}"));
            let places = places::of(tx, order, &Unwell::new(), tx.now)?;
            let cost = places.0.first().and_then(|place| place.cost);
            if let Some(cost) = cost.filter(|cost| cost.micros() > 0) {
                let made = i128::from(charge.micros()) * 1000 / i128::from(cost.micros());
                text.push_str(&format!(" makes {made}"));
            }
        }
        Ok(text)
    }
}

fn is_full(db: &Read<'_>, order: OrderId) -> Result<bool> {
    let most = i64::try_from(POSTS_MAX).unwrap_or(i64::MAX);
    Ok(drips::count_parts(db, order)? >= most)
}

/// Whether a text can be a provider's number for an order.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'))
}

/// What is said of the subscription itself. It ends without money.
fn watch(tx: &Tx<'_>, order: &Order, delivery: Delivery, report: &Report) -> Result<Delivery> {
    match order.report_subscription(report) {
        Reading::Same => Ok(delivery),
        Reading::Unclear(hand) => Ok(Delivery { hand: delivery.hand.or(Some(hand)), ..delivery }),
        Reading::Moved(change) => {
            write(tx, order, &change, &Actor::Delivery)?;
            if change.settlement.is_none() {
                return Ok(Delivery { moved_at: tx.now, ..delivery });
            }
            let live = submissions::find_live(tx, order.id)?;
            count_cost(tx, live.as_ref(), change.status, None)?;
            hands::drop_cancel(tx, order.id)?;
            let (stage, hand) = (Stage::Last, None);
            Ok(Delivery { stage, hand, tries: 0, moved_at: tx.now, ..delivery })
        }
    }
}

/// Makes a post an order that is at the provider already, if its user can pay for it.
fn buy(tx: &Tx<'_>, subscription: &Order, their_id: &str, units: i64) -> Result<Option<OrderId>> {
    let user = users::get(tx, subscription.user)?;
    let charge = subscription.rate.charge(units, Per::Thousand);
    let Some(charge) = charge.filter(|charge| charge.micros() == 0 || user.can_pay(*charge)) else {
        return Ok(None);
    };
    let (attempt, from) = placed_as(tx, subscription)?;

    let id = drips::insert_post(tx, subscription, units, charge)?;
    let account = users::account(tx, subscription.user)?;
    match Posting::charge(account, charge, id) {
        Some(posting) => {
            ledger::post(tx, &posting, &Actor::Delivery)?;
            telling::charged(tx, subscription.user, account.id, charge)?;
        }
        None => accounts::update_last_order(tx, account.id, id)?,
    }
    let order = orders::find(tx, id)?.ok_or(OrderRefusal::OrderNotFound)?;
    deliveries::insert(tx, id, attempt.provider)?;
    let places = places::of(tx, subscription, &Unwell::new(), tx.now)?;
    let here = places.at(attempt.place, attempt.provider);
    let submission = submissions::insert(
        tx,
        &NewSubmission {
            order: id,
            provider: attempt.provider,
            place: attempt.place,
            provider_service: &attempt.provider_service,
            custom_id: "",
            state: State::Sending,
            expected: here.map_or(Money::ZERO, |it| it.expected(&order)),
            after_order: None,
        },
    )?;
    orders::update_state(tx, &order, &order.hand_over(HandOver::Claimed)?)?;
    let sending = Order { status: OrderStatus::Sending, ..order };
    let submission = submissions::find(tx, submission)?.ok_or(ProviderRefusal::NothingToDecide)?;
    let delivery = Delivery { order: id, tries: 0, hand: None, ..from };
    accept_now(tx, &sending, delivery, &submission, their_id)?;
    Ok(Some(id))
}

/// How the subscription was bought, and where it is looked for.
fn placed_as(db: &Read<'_>, subscription: &Order) -> Result<(delivery::Submission, Delivery)> {
    let (live, from) =
        (submissions::find_live(db, subscription.id)?, deliveries::find(db, subscription.id)?);
    let found = live.filter(|live| live.state == State::Accepted).zip(from);
    Ok(found.ok_or(ProviderRefusal::NothingToDecide)?)
}

/// Posts were bought that nobody pays for, of how many units is not always known: the provider is
/// asked to cancel the subscription, and the operator told what is lost.
fn cancel_unpaid(tx: &Tx<'_>, order: &Order, posts: &[&str], units: Option<i64>) -> Result<()> {
    let Some((first, others)) = posts.split_first() else { return Ok(()) };
    let (attempt, delivery) = placed_as(tx, order)?;
    orders::update_cancel_requested(tx, order.id)?;
    if errands::find_cancel(tx, order.id)?.is_none() {
        errands::insert_cancel(tx, order.id, delivery.provider)?;
    }
    let places = places::of(tx, order, &Unwell::new(), tx.now)?;
    let cost = places.at(attempt.place, attempt.provider).and_then(|place| place.cost);
    let all = units.zip(i64::try_from(posts.len()).ok());
    let all = all.and_then(|(units, count)| units.checked_mul(count));
    let loss = cost.zip(all).and_then(|(cost, units)| cost.charge(units, Per::Thousand));
    let is_one = others.is_empty();
    let which =
        if is_one { format!("Post {first}") } else { format!("Posts {}", posts.join(", ")) };
    let mut text = format!("{which} of order {}", order.id);
    match units {
        Some(units) if is_one => text.push_str(&format!(" is {units}")),
        Some(units) => text.push_str(&format!(" are {units} each")),
        None => {}
    }
    if let Some(loss) = loss {
        let costs = if is_one { "costs" } else { "cost" };
        text.push_str(&format!(", which {costs} {loss}"));
    }
    text.push_str(": not paid for");
    if is_full(tx, order.id)? {
        text.push_str(&format!(", after {POSTS_MAX} posts"));
    }
    conditions::tell(tx, ConditionKind::UnpaidPosts, &format!("order {}", order.id), &text)
}

/// Nobody need look at posts that were not paid for any more.
pub(super) fn forget_unpaid(tx: &Tx<'_>, order: &Order) -> Result<()> {
    if order.kind != ServiceKind::Subscriptions {
        return Ok(());
    }
    conditions::clear(tx, ConditionKind::UnpaidPosts, &format!("order {}", order.id))
}

/// Makes an order of a post of which only a person could tell how much was bought.
pub struct BuyPost {
    pub actor: Actor,
    pub subscription: OrderId,
    /// The provider's number for the post.
    pub their_id: String,
    /// How much was bought, within what the subscription allows.
    pub units: i64,
}

impl Command for BuyPost {
    /// The new order; `None` where its user cannot pay for it.
    type Reply = Option<OrderId>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        let order = orders::find(tx, self.subscription)?.ok_or(OrderRefusal::OrderNotFound)?;
        let delivery = deliveries::find(tx, order.id)?;
        let delivery = delivery.filter(|it| it.hand == Some(Hand::Post));
        let delivery = delivery.ok_or(ProviderRefusal::NothingToDecide)?;
        let (min, max) = limits(tx, order.id)?;
        if !(min..=max).contains(&self.units) || is_full(tx, order.id)? {
            return Err(ProviderRefusal::DecisionDoesNotFit.into());
        }
        if !is_id(&self.their_id) {
            return Err(ProviderRefusal::BadTheirId.into());
        }
        if let Some(known) = placed::find_by_their_id(tx, delivery.provider, &self.their_id)? {
            return Err(ProviderRefusal::TheirOrderIsKnown(known.0).into());
        }

        let bought = buy(tx, &order, &self.their_id, self.units)?;
        if bought.is_none() {
            cancel_unpaid(tx, &order, &[&self.their_id], Some(self.units))?;
        }
        // The next look says what else is new.
        deliveries::update_due(tx, order.id, tx.now)?;
        let change = format!("Post {} is {}", self.their_id, self.units);
        super::record(tx, &self.actor, "order.buy_post", format!("order {}", order.id), change)?;
        Ok(bought)
    }
}
