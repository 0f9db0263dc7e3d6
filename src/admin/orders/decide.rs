//! Deciding what becomes of orders that need a person.
//!
//! The question says what is known, wants the password, and that the person has looked at the
//! provider. What was confirmed is done exactly: where an order has moved meanwhile, the question
//! comes again, so that a form that is sent twice decides once.

use std::collections::{BTreeSet, HashSet};

use super::tabs::HAND_PATH;
use crate::admin::frame::answer::{Answer, local};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::money;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::Toast;
use crate::admin::frame::terms::Terms;
use crate::admin::frame::upstream;
use crate::commands::deciding::{DecideOrders, Decision};
use crate::delivery::Looked;
use crate::domain::delivery::{Hand, Stage};
use crate::domain::money::Money;
use crate::domain::order::{Order, OrderStatus};
use crate::domain::refusal::ProviderRefusal;
use crate::domain::{OrderId, ProviderId};
use crate::store::delivery_list::{self, Upstream};
use crate::store::{self, Read, orders};

/// Orders that a question names.
const NAMED_MAX: usize = 10;

/// An order that waits for a decision.
struct Waiting {
    order: Order,
    upstream: Upstream,
    provider: (ProviderId, String),
    hand: Hand,
}

/// Whether a person can decide about an order as it stands there: whether the provider may have it,
/// or it is held before it was sent.
pub(super) fn can_decide(order: &Order, upstream: &Upstream) -> bool {
    let Some(delivery) = &upstream.delivery else { return false };
    let is_held = order.status == OrderStatus::Pending && delivery.stage == Stage::Held;
    delivery.hand.is_some() && (is_held || may_be_there(order))
}

/// Whether nobody knows if the provider has it.
pub(super) fn may_be_there(order: &Order) -> bool {
    order.status == OrderStatus::Unknown
}

/// Those of the orders that wait for a decision.
fn waiting(db: &Read<'_>, ids: &BTreeSet<OrderId>) -> store::Result<Vec<Waiting>> {
    let ids: Vec<OrderId> = ids.iter().copied().collect();
    let orders = orders::find_each(db, &ids)?;
    let upstreams = delivery_list::find_each(db, &ids)?;
    let found = orders.into_iter().zip(upstreams).filter_map(|(order, upstream)| {
        let order = order.filter(|order| can_decide(order, &upstream))?;
        let hand = upstream.delivery.as_ref().and_then(|delivery| delivery.hand)?;
        Some(Waiting { order, provider: upstream.provider.clone()?, hand, upstream })
    });
    Ok(found.collect())
}

/// What is decided, as the form says it.
fn decision(form: &Form) -> Option<Decision> {
    match form.get("decision") {
        "placed_as" => {
            Some(Decision::PlacedAs(form.get("their_id").trim_start_matches('#').to_owned()))
        }
        "send_again" => Some(Decision::SendAgain),
        "elsewhere" => Some(Decision::Elsewhere),
        "refund" => Some(Decision::Refund),
        "by_hand" => Some(Decision::ByHand),
        _ => None,
    }
}

/// Decides about the selected orders, which are of one provider and wait for one reason.
pub(crate) async fn many(cx: &mut Cx) -> Answer {
    let here = match cx.form.get("here") {
        "" => HAND_PATH.to_owned(),
        here => local(here).to_owned(),
    };
    let ids: BTreeSet<OrderId> = cx.form.selected("id").into_iter().map(OrderId).collect();
    if ids.is_empty() {
        return cx.go(&here, Toast::new(bulk::none_selected("order")));
    }
    decide(cx, &ids, &here).await
}

/// Decides about one order.
pub(crate) async fn one(cx: &mut Cx) -> Answer {
    let id = OrderId(cx.path_id("id")?);
    decide(cx, &BTreeSet::from([id]), &format!("/admin/orders/{id}")).await
}

/// Looks for the order at its provider: what is found stands on its page then.
pub(crate) async fn look(cx: &mut Cx) -> Answer {
    let id = OrderId(cx.path_id("id")?);
    let toast = match upstream::look_for(cx, id).await? {
        Looked::Adopted(their_id) => format!("The provider has order {id} as {their_id}"),
        Looked::Candidates(0) => format!("Order {id} was not found"),
        Looked::Candidates(1) => format!("1 order there may be order {id}"),
        Looked::Candidates(several) => format!("{several} orders there may be order {id}"),
        Looked::Over => ProviderRefusal::NothingToDecide.to_string(),
    };
    cx.go(&format!("/admin/orders/{id}"), Toast::new(toast))
}

async fn decide(cx: &mut Cx, ids: &BTreeSet<OrderId>, here: &str) -> Answer {
    let Some(decision) = decision(&cx.form) else {
        return cx.go(here, Toast::new("Choose what is to be done"));
    };
    let asked = ids.clone();
    let read = move |db: &Read<'_>| Ok((waiting(db, &asked)?, Terms::read(db)?));
    let (found, terms) = cx.read(read).await?;
    let Some(Waiting { provider, hand, .. }) = found.first() else {
        return cx.go(here, Toast::new(ProviderRefusal::NothingToDecide.to_string()));
    };
    if found.iter().any(|it| it.provider.0 != provider.0 || it.hand != *hand) {
        let toast = "Select orders of one provider that wait for the same reason";
        return cx.go(here, Toast::new(toast));
    }
    let mut ask = question(&found, &decision, &terms);
    if let Decision::PlacedAs(their_id) = &decision {
        match there(cx, provider.0, their_id).await? {
            Ok(said) => ask.facts.insert(0, (format!("{} says", provider.1), said)),
            Err(why) => {
                let toast = format!("{} was asked for {their_id}: {why}", provider.1);
                return cx.go(here, Toast::new(toast));
            }
        }
    }
    agree(cx, &seen(&found), ask)?;

    let orders: BTreeSet<OrderId> = found.iter().map(|it| it.order.id).collect();
    let left = ids.len() - orders.len();
    let mut toast = done(&orders, &decision);
    if left > 0 {
        toast.push_str(&format!("; {left} left, for they wait for no decision"));
    }
    let command = DecideOrders { actor: cx.actor()?, orders, decision };
    match cx.write(command).await {
        Ok(()) => cx.go(here, Toast::new(toast)),
        Err(PageError::Refused(refusal)) => cx.go(here, Toast::new(refusal.to_string())),
        Err(error) => Err(error),
    }
}

/// What the provider says of the number that a person has entered. It is asked once for a question.
async fn there(
    cx: &mut Cx,
    provider: ProviderId,
    their_id: &str,
) -> Result<upstream::Reached<String>, PageError> {
    let shown = cx.form.get("shown").to_owned();
    if !shown.is_empty() {
        return Ok(Ok(shown));
    }
    let said = upstream::status(cx, provider, their_id).await?;
    if let Ok(said) = &said {
        cx.form.put("shown", said);
    }
    Ok(said)
}

/// What somebody agrees to: these orders, as they wait now.
fn seen(found: &[Waiting]) -> String {
    let live = |it: &Waiting| it.upstream.live.as_ref().map_or(0, |live| live.id.0);
    let moved = |it: &Waiting| it.upstream.delivery.as_ref().map_or(0, |it| it.moved_at.0);
    let newest = found.iter().map(live).max().unwrap_or_default();
    let moved = found.iter().map(moved).fold(0_i64, i64::wrapping_add);
    format!("{} {newest} {moved}", found.len())
}

/// Goes on once exactly this was agreed to; asks again where an order has moved meanwhile.
fn agree(cx: &mut Cx, seen: &str, mut ask: Ask) -> Result<(), PageError> {
    let agreed = cx.form.get("agreed");
    if !agreed.is_empty() && agreed != seen {
        let changed = "The orders have changed since you were asked".to_owned();
        ask.facts.insert(0, ("Look again".to_owned(), changed));
        cx.form.put("confirmed", String::new());
    }
    cx.form.put("agreed", seen);
    cx.confirm(ask)
}

fn question(found: &[Waiting], decision: &Decision, terms: &Terms) -> Ask {
    let orders: Vec<OrderId> = found.iter().map(|it| it.order.id).collect();
    let what = counted(&orders);
    let add = |sum: Money, it: &Waiting| sum.checked_add(it.order.charge).unwrap_or(sum);
    let sum = found.iter().fold(Money::ZERO, add);
    let back = format!("{} {}", money(sum), terms.currency);
    let (provider, hand) =
        found.first().map_or(("", Hand::Unknown), |it| (&it.provider.1, it.hand));
    let (title, verb, otherwise) = match decision {
        Decision::PlacedAs(id) => {
            (format!("Is {what} at {provider} as {id}?"), "Take this number", "")
        }
        Decision::SendAgain => {
            (format!("Send {what} again?"), "Send again", "it is bought a second time")
        }
        Decision::Elsewhere => {
            (format!("Send {what} elsewhere?"), "Send elsewhere", "it is bought a second time")
        }
        Decision::Refund => (
            format!("Cancel {what} and refund {back}?"),
            "Cancel and refund",
            "it is delivered for nothing",
        ),
        Decision::ByHand => {
            (format!("Deliver {what} by hand?"), "Deliver by hand", "it is delivered twice")
        }
    };
    let users: HashSet<_> = found.iter().map(|it| it.order.user).collect();
    let is_refund = *decision == Decision::Refund;
    let refunded = if is_refund { back } else { String::new() };
    let (said, evidence) = match found {
        [Waiting { upstream: Upstream { live: Some(live), .. }, .. }] => {
            (live.answer.clone(), live.evidence.replace('\n', ". "))
        }
        _ => Default::default(),
    };
    let if_there = if hand == Hand::Loss { "" } else { otherwise };
    let fact = |name: &str, value: String| (name.to_owned(), value);
    Ask {
        title,
        facts: vec![
            fact("Orders", bulk::named(&orders, NAMED_MAX)),
            fact("Provider", provider.to_owned()),
            fact("Why it waits", hand.why().to_owned()),
            fact("What was said", said),
            fact("Evidence", evidence),
            fact(&format!("Refunded to {}", bulk::counted(users.len(), "user")), refunded),
            fact("If the provider has it after all", if_there.to_owned()),
        ],
        verb: verb.to_owned(),
        typed: match is_refund {
            true => terms.typed(sum).or_else(|| bulk::typed(orders.len())),
            false => bulk::typed(orders.len()),
        },
        looked: (hand != Hand::Loss).then(|| looked(decision, orders.len())),
        is_danger: is_refund,
        keep: if is_refund && orders.len() == 1 { "Keep the order" } else { "" },
    }
}

/// What a person says to have seen.
fn looked(decision: &Decision, count: usize) -> String {
    match (decision, count) {
        (Decision::PlacedAs(id), _) => {
            format!("I have looked at the provider: {id} is this order")
        }
        (_, 1) => "I have looked at the provider: it does not have this order".to_owned(),
        _ => "I have looked at the provider: it has none of these orders".to_owned(),
    }
}

fn counted(orders: &[OrderId]) -> String {
    match orders {
        [one] => format!("order {one}"),
        several => bulk::counted(several.len(), "order"),
    }
}

/// What the toast says.
fn done(orders: &BTreeSet<OrderId>, decision: &Decision) -> String {
    let what = counted(&Vec::from_iter(orders.iter().copied()));
    match decision {
        Decision::PlacedAs(id) => format!("The provider has {what} as {id}"),
        Decision::SendAgain => format!("Sending again: {what}"),
        Decision::Elsewhere => format!("Sending elsewhere: {what}"),
        Decision::Refund => format!("Canceled and refunded: {what}"),
        Decision::ByHand => format!("To be delivered by hand: {what}"),
    }
}
