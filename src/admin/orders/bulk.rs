//! Many orders at once: those that are selected are moved to one status, in one transaction.
//!
//! The question says how many can make the move, what goes back and to how many users, and which
//! cannot and why. What was confirmed is done exactly: if anything about it has changed meanwhile,
//! the question comes again; if it changes in the very last moment, nothing is done. As with one
//! order, giving money back has a way of its own that wants the password.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::one::Kind;
use crate::admin::frame::answer::{Answer, local};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::shell::Toast;
use crate::admin::frame::terms::Terms;
use crate::commands::orders::SetOrders;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, PublicStatus};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal};
use crate::domain::{OrderId, UserId};
use crate::store::{self, Read, orders};

/// Orders that a question names for each reason why they stay as they are.
const NAMED_MAX: usize = 8;

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
    /// Those that cannot, by the reason.
    cannot: BTreeMap<String, Vec<OrderId>>,
}

impl Plan {
    fn read(db: &Read<'_>, ids: &[OrderId], status: PublicStatus) -> store::Result<Self> {
        let by_hand = ByHand { status, start_count: None, remains: None };
        let mut plan = Self::default();
        for id in ids.iter().collect::<BTreeSet<_>>() {
            let order = orders::find(db, *id)?;
            let change = order
                .as_ref()
                .ok_or(OrderRefusal::OrderNotFound.into())
                .and_then(|o| o.set(&by_hand));
            match (order, change) {
                (Some(order), Ok(change)) => {
                    plan.can.insert(order.id);
                    plan.users.insert(order.user);
                    if let Some(settled) = change.settlement {
                        let add = |sum: Money, more| sum.checked_add(more);
                        let too_much = OperatorRefusal::AmountTooLarge;
                        plan.refund = add(plan.refund, settled.refund).ok_or(too_much.clone())?;
                        plan.earned = add(plan.earned, settled.kept).ok_or(too_much)?;
                    }
                }
                (_, Err(refusal)) => {
                    plan.cannot.entry(refusal.to_string()).or_default().push(*id);
                }
                (None, Ok(_)) => {}
            }
        }
        Ok(plan)
    }

    /// What somebody agrees to: how many, and how much goes back.
    fn terms(&self) -> String {
        format!("{} {} {}", self.can.len(), self.refund.micros(), self.earned.micros())
    }

    /// Those that stay as they are: a reason and their numbers, for each reason.
    fn left(&self) -> Vec<(String, String)> {
        let line = |(why, ids): (&String, &Vec<OrderId>)| {
            let named: Vec<_> = ids.iter().take(NAMED_MAX).map(ToString::to_string).collect();
            let more = match ids.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            (format!("{} left: {why}", ids.len()), format!("{}{more}", named.join(", ")))
        };
        self.cannot.iter().map(line).collect()
    }

    fn ask(&self, status: PublicStatus, terms: &Terms) -> Ask {
        let orders = bulk::counted(self.can.len(), "order");
        let (refund, currency) = (self.refund, &terms.currency);
        let verb = match status {
            PublicStatus::Canceled => format!("Cancel {orders}, return {refund} {currency}"),
            PublicStatus::Completed => format!("Complete {orders}"),
            PublicStatus::Pending
            | PublicStatus::InProgress
            | PublicStatus::Processing
            | PublicStatus::Partial => format!("Set {orders} to {status}"),
        };
        let title = match status == PublicStatus::Canceled {
            true => {
                let users = bulk::counted(self.users.len(), "user");
                format!("Cancel {orders} and return {refund} {currency} to {users}?")
            }
            false => format!("{verb}?"),
        };
        let mut facts = Vec::new();
        if status == PublicStatus::Completed {
            facts.push(("Earned".to_owned(), format!("{} {currency}", self.earned)));
        }
        if matches!(status, PublicStatus::Completed | PublicStatus::Canceled) {
            facts.push(("From now on".to_owned(), "the orders are final".to_owned()));
        }
        facts.extend(self.left());
        Ask {
            title,
            facts,
            verb,
            typed: terms.typed(refund).or_else(|| bulk::typed(self.can.len())),
            is_danger: refund > Money::ZERO,
        }
    }
}

/// Says of those that are selected how far they are, or that they are done.
pub(crate) async fn set_status(cx: &mut Cx) -> Answer {
    set(cx, Kind::Progress).await
}

/// Cancels those that are selected; all that was charged for them goes back.
pub(crate) async fn refund(cx: &mut Cx) -> Answer {
    set(cx, Kind::Refund).await
}

async fn set(cx: &mut Cx, kind: Kind) -> Answer {
    let here = match cx.form.get("here") {
        "" => "/admin/orders".to_owned(),
        here => local(here).to_owned(),
    };
    let ids: Vec<_> = cx.form.selected("id").into_iter().map(OrderId).collect();
    let status = kind.status(&cx.form).filter(|status| *status != PublicStatus::Partial);
    let Some(status) = status.filter(|_| !ids.is_empty()) else {
        let why = match ids.is_empty() {
            true => bulk::none_selected("order"),
            false => "No move was chosen, nothing was done".to_owned(),
        };
        return cx.go(&here, Toast::new(why));
    };
    let read = move |db: &Read<'_>| Ok((Plan::read(db, &ids, status)?, Terms::read(db)?));
    let (plan, terms) = cx.read(read).await?;
    if plan.can.is_empty() {
        let why: Vec<_> =
            plan.left().into_iter().map(|(why, ids)| format!("{why} ({ids})")).collect();
        return cx.go(&here, Toast::new(format!("Nothing was done. {}", why.join(". "))));
    }
    let mut ask = plan.ask(status, &terms);
    let agreed = cx.form.get("agreed");
    if !agreed.is_empty() && agreed != plan.terms() {
        let changed = "The orders have changed since you were asked".to_owned();
        ask.facts.insert(0, ("Look again".to_owned(), changed));
        cx.form.put("confirmed", String::new());
    }
    cx.form.put("agreed", plan.terms());
    cx.confirm(ask)?;

    let count = bulk::counted(plan.can.len(), "order");
    let refunded = cx.write(SetOrders { actor: cx.actor()?, orders: plan.can, status }).await?;
    let toast = match refunded {
        Money::ZERO => format!("{count}: {status}"),
        refunded => format!("{count}: {status}, {refunded} {} returned", terms.currency),
    };
    cx.go(&here, Toast::new(toast))
}
