//! Many orders at once: those that are selected, or all that a list shows, are moved to one status
//! in one transaction.
//!
//! A move without money and with a way back is done at once. Otherwise a question says how many can
//! make the move, what is refunded and to how many users, and which cannot and why. What was
//! confirmed is done exactly: if anything about it has changed meanwhile, the question comes again;
//! if it changes in the very last moment, nothing is done. As with one order, refunds have a way of
//! their own that wants the password.

use std::collections::{BTreeSet, HashSet};

use super::list::matching;
use super::one::Kind;
use crate::admin::frame::answer::{Answer, local};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::money;
use crate::admin::frame::shell::{Toast, Undo};
use crate::admin::frame::terms::Terms;
use crate::commands::deciding::{self, MoveOrders};
use crate::commands::orders::{SetOrders, would_set};
use crate::commands::places;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, OrderStatus, PublicStatus};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal};
use crate::domain::{OrderId, Timestamp, UserId};
use crate::store::{self, Read, deliveries, orders};

/// Orders that a question names.
const NAMED_MAX: usize = 8;
/// Orders that one request moves.
const ALL_MAX: i64 = 1000;
/// So many orders are moved without a question, as long as there is a way back.
const UNASKED_MAX: usize = 50;

/// What a move of many orders would do.
#[derive(Debug, Default)]
struct Plan {
    /// Those that can make it.
    can: BTreeSet<OrderId>,
    /// Whose orders those are.
    users: HashSet<UserId>,
    /// What goes back in all.
    refund: Money,
    /// What is earned in all.
    earned: Money,
    /// How many of them a provider goes on with.
    running: usize,
    /// The statuses that they have now.
    before: Vec<PublicStatus>,
    /// Those that cannot.
    cannot: bulk::Left,
}

impl Plan {
    fn read(db: &Read<'_>, ids: &[OrderId], status: PublicStatus) -> store::Result<Self> {
        let by_hand = ByHand { status, start_count: None, remains: None };
        let mut plan = Self::default();
        for id in ids.iter().collect::<BTreeSet<_>>() {
            let Some(order) = orders::find(db, *id)? else {
                plan.cannot.push(&OrderRefusal::OrderNotFound.into(), *id);
                continue;
            };
            let change = match would_set(db, &order, &by_hand)? {
                Ok(change) => change,
                Err(refusal) => {
                    plan.cannot.push(&refusal, *id);
                    continue;
                }
            };
            plan.can.insert(order.id);
            plan.users.insert(order.user);
            plan.running += usize::from(deciding::runs_at(db, order.id)?.is_some());
            plan.before.push(order.public_status());
            if let Some(settled) = change.settlement {
                let add = |sum: Money, more| sum.checked_add(more);
                let too_much = OperatorRefusal::AmountTooLarge;
                plan.refund = add(plan.refund, settled.refund).ok_or(too_much.clone())?;
                plan.earned = add(plan.earned, settled.kept).ok_or(too_much)?;
            }
        }
        Ok(plan)
    }

    /// What somebody agrees to: how many, and how much goes back.
    fn terms(&self) -> String {
        format!("{} {} {}", self.can.len(), self.refund.micros(), self.earned.micros())
    }

    /// The way back, where all had the same status before and may have it again.
    fn undo(&self, here: &str, status: PublicStatus) -> Option<Undo> {
        let before = *self.before.first()?;
        let is_one = self.before.iter().all(|status| *status == before);
        if !is_one || !Kind::is_undoable(status) || !Kind::is_undoable(before) {
            return None;
        }
        let undo = Undo::post("/admin/orders/bulk").with("here", here);
        let undo = undo.with("status", before.as_str());
        Some(self.can.iter().fold(undo, |undo, id| undo.with("id", id)))
    }

    fn ask(&self, status: PublicStatus, terms: &Terms) -> Ask {
        let orders = bulk::counted(self.can.len(), "order");
        let (refund, currency) = (money(self.refund), &terms.currency);
        let verb = match status {
            PublicStatus::Canceled => format!("Cancel {orders} and refund {refund} {currency}"),
            PublicStatus::Completed => format!("Complete {orders}"),
            PublicStatus::Pending
            | PublicStatus::InProgress
            | PublicStatus::Processing
            | PublicStatus::Partial => format!("Set {orders} to {status}"),
        };
        let title = match status == PublicStatus::Canceled {
            true => {
                let users = bulk::counted(self.users.len(), "user");
                format!("Cancel {orders} and refund {refund} {currency} to {users}?")
            }
            false => format!("{verb}?"),
        };
        let mut facts = Vec::new();
        if status == PublicStatus::Completed {
            facts.push(("Earned".to_owned(), format!("{} {currency}", money(self.earned))));
        }
        if matches!(status, PublicStatus::Completed | PublicStatus::Canceled) {
            facts.push(("Afterwards".to_owned(), "the orders are final".to_owned()));
            facts.extend(go_on(self.running));
        }
        facts.extend(self.cannot.lines());
        Ask {
            title,
            facts,
            verb,
            typed: terms.typed(self.refund).or_else(|| bulk::typed(self.can.len())),
            is_danger: status == PublicStatus::Canceled,
            keep: if status == PublicStatus::Canceled { "Keep the orders" } else { "" },
            ..Ask::default()
        }
    }
}

/// That providers go on with so many of the orders.
fn go_on(running: usize) -> Option<(String, String)> {
    let count = bulk::counted(running, "order");
    let verb = if running == 1 { "goes" } else { "go" };
    (running > 0).then(|| ("At providers".to_owned(), format!("{count} {verb} on there")))
}

/// Says of those that are selected how far they are, or that they are done.
pub(crate) async fn set_status(cx: &mut Cx) -> Answer {
    set(cx, Kind::Progress).await
}

/// Cancels those that are selected; all that was charged for them goes back.
pub(crate) async fn refund(cx: &mut Cx) -> Answer {
    set(cx, Kind::Refund).await
}

/// The orders that the form is about: the selected ones, or all that the list shows and that are
/// not newer than they were when this was asked first.
async fn selected(cx: &mut Cx, here: &str) -> Result<Vec<OrderId>, PageError> {
    if !cx.form.flag("all") {
        return Ok(cx.form.selected("id").into_iter().map(OrderId).collect());
    }
    let query = here.split_once('?').map_or("", |(_, query)| query).to_owned();
    let until = cx.form.get("until").parse().ok().map(OrderId);
    let ids = cx.read(move |db| matching(db, &query, until, ALL_MAX)).await?;
    if let Some(newest) = ids.iter().max() {
        cx.form.put("until", newest);
    }
    Ok(ids)
}

/// The list from which the form was sent.
fn here(cx: &Cx) -> String {
    match cx.form.get("here") {
        "" => "/admin/orders".to_owned(),
        here => local(here).to_owned(),
    }
}

async fn set(cx: &mut Cx, kind: Kind) -> Answer {
    let here = here(cx);
    let ids = selected(cx, &here).await?;
    let status = kind.status(&cx.form).filter(|status| *status != PublicStatus::Partial);
    let Some(status) = status.filter(|_| !ids.is_empty()) else {
        let why = match ids.is_empty() {
            true => bulk::none_selected("order"),
            false => "Choose a status first".to_owned(),
        };
        return cx.go(&here, Toast::new(why));
    };
    let read = move |db: &Read<'_>| Ok((Plan::read(db, &ids, status)?, Terms::read(db)?));
    let (plan, terms) = cx.read(read).await?;
    if plan.can.is_empty() {
        return cx.go(&here, Toast::new(plan.cannot.nothing()));
    }
    if !Kind::is_undoable(status) || plan.can.len() > UNASKED_MAX {
        agree(cx, &plan, plan.ask(status, &terms))?;
    }

    let (count, undo) = (bulk::counted(plan.can.len(), "order"), plan.undo(&here, status));
    let refunded = cx.write(SetOrders { actor: cx.actor()?, orders: plan.can, status }).await?;
    let mut text = match refunded {
        Money::ZERO => format!("{count} set to {status}"),
        refunded => format!("{count} canceled, {} {} refunded", money(refunded), terms.currency),
    };
    text.push_str(&plan.cannot.told());
    cx.go(&here, Toast { text, undo })
}

/// Of the orders: those that wait to be sent and have a place to go to, and how many have not.
fn movable(
    db: &Read<'_>,
    ids: &[OrderId],
    is_elsewhere: bool,
    now: Timestamp,
) -> store::Result<(BTreeSet<OrderId>, usize)> {
    let deliveries = deliveries::find_each(db, ids)?;
    let mut can = BTreeSet::new();
    for (order, delivery) in orders::find_each(db, ids)?.into_iter().zip(deliveries) {
        let Some(order) = order else { continue };
        if order.status != OrderStatus::Pending || order.drip_feed.is_some() {
            continue;
        }
        let left = delivery.filter(|_| is_elsewhere).map(|delivery| delivery.place);
        let places = places::of(db, &order, &places::Unwell::new(), now)?;
        if places.0.iter().any(|place| Some(place.place) != left) {
            can.insert(order.id);
        }
    }
    let stay = ids.len() - can.len();
    Ok((can, stay))
}

/// Sends those that wait to their provider, or to another place of their service, after a question.
pub(crate) async fn move_to(cx: &mut Cx) -> Answer {
    let here = here(cx);
    let ids = selected(cx, &here).await?;
    if ids.is_empty() {
        return cx.go(&here, Toast::new(bulk::none_selected("order")));
    }
    let (is_elsewhere, now) = (cx.form.get("to") == "elsewhere", cx.now());
    let (can, stay) = cx.read(move |db| movable(db, &ids, is_elsewhere, now)).await?;
    let (count, to) = match is_elsewhere {
        true => (bulk::counted(can.len(), "order"), "elsewhere"),
        false => (bulk::counted(can.len(), "order"), "to the provider"),
    };
    if can.is_empty() {
        let toast =
            "Nothing was sent: only pending orders whose service has such a provider can be";
        return cx.go(&here, Toast::new(toast));
    }
    let stay = if stay == 0 { String::new() } else { bulk::counted(stay, "order") };
    cx.confirm(Ask {
        title: format!("Send {count} {to}?"),
        facts: vec![
            ("Orders".to_owned(), bulk::named(&can, NAMED_MAX)),
            ("Left as they are".to_owned(), stay),
        ],
        verb: format!("Send {count}"),
        typed: bulk::typed(can.len()),
        ..Ask::default()
    })?;
    let command = MoveOrders { actor: cx.actor()?, orders: can, is_elsewhere };
    match cx.write(command).await {
        Ok(()) => cx.go(&here, Toast::new(format!("{count} sent {to}"))),
        Err(PageError::Refused(refusal)) => cx.go(&here, Toast::new(refusal.to_string())),
        Err(error) => Err(error),
    }
}

/// Goes on once exactly this was agreed to; asks again where it has changed meanwhile.
fn agree(cx: &mut Cx, plan: &Plan, mut ask: Ask) -> Result<(), PageError> {
    let agreed = cx.form.get("agreed");
    if !agreed.is_empty() && agreed != plan.terms() {
        let changed = "The orders have changed since you were asked".to_owned();
        ask.facts.insert(0, ("Look again".to_owned(), changed));
        cx.form.put("confirmed", String::new());
    }
    cx.form.put("agreed", plan.terms());
    cx.confirm(ask)
}
