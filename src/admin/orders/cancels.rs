//! Cancel requests that somebody has to fulfil or decline.

use std::collections::{BTreeSet, HashMap, HashSet};

use askama::Template;

use super::tabs::{CANCELS_PATH, Counts, Tab};
use crate::admin::frame::answer::{Answer, local};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{Decimals, grouped, money};
use crate::admin::frame::link::Link;
use crate::admin::frame::list::{self, Address, List};
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::terms::Terms;
use crate::admin::frame::upstream;
use crate::commands::deciding;
use crate::commands::orders::{DeclineCancels, SetOrders, would_set};
use crate::domain::OrderId;
use crate::domain::errand::Errand;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, PublicStatus};
use crate::store::order_list::{self, Listed};
use crate::store::orders::{By, Filter};
use crate::store::{self, Read, errands, together};

#[derive(Template)]
#[template(path = "admin/orders/cancels.html")]
struct CancelsPage {
    shell: Shell,
    tabs: Vec<list::Tab>,
    list: List<Listed>,
    /// What a provider was asked for them.
    errands: HashMap<OrderId, Errand>,
}

impl CancelsPage {
    /// What came of asking the provider.
    fn told(&self, row: &Listed) -> Option<String> {
        self.errands.get(&row.order.id).map(upstream::told)
    }

    fn charges(&self) -> Decimals {
        Decimals::of(self.list.rows.iter().map(|row| row.order.charge.micros()))
    }
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (cursor, size) = (cx.cursor(), cx.size().rows);
    let read = move |db: &Read<'_>| {
        let filter = Filter { by: By::CancelRequest, ..Filter::default() };
        let (counts, page) =
            together!(db: Counts::read(db), order_list::page(db, filter.clone(), cursor, size));
        let asked = db.each(&page.rows, |db, row| errands::find_cancel(db, row.order.id))?;
        let ids = page.rows.iter().map(|row| row.order.id);
        let asked = ids.zip(asked).filter_map(|(id, errand)| Some((id, errand?))).collect();
        Ok((counts, page, asked))
    };
    let (counts, page, errands) = cx.read(read).await?;
    let list = List::new(page, Address::new(CANCELS_PATH).with("size", size), |row| row.order.id.0);
    let orders = |tab: Tab| Address::new("/admin/orders").with("state", tab.word());
    let tabs = counts.tabs(Tab::CancelRequests, orders);
    let shell = cx.shell("Cancel requests", Nav::Orders);
    cx.page(&CancelsPage { shell, tabs, list, errands })
}

/// The orders of the form whose customers still ask to cancel: the one whose button was pressed, or
/// those that are selected.
async fn requested(cx: &Cx) -> Result<Vec<Listed>, PageError> {
    let (only, selected) = (cx.form.selected("only"), cx.form.selected("id"));
    let ids = BTreeSet::from_iter(if only.is_empty() { selected } else { only });
    let find = move |db: &Read<'_>| {
        let found = ids.into_iter().map(|id| order_list::find(db, OrderId(id)));
        found.collect::<store::Result<Vec<_>>>()
    };
    let found = cx.read(find).await?.into_iter().flatten();
    Ok(found.filter(|listed| By::CancelRequest.holds(&listed.order)).collect())
}

fn counted(orders: &[Listed]) -> String {
    match orders {
        [one] => format!("order {}", one.order.id),
        several => format!("{} orders", several.len()),
    }
}

/// Where the form came from: the list, or the page of an order.
fn here(cx: &Cx) -> String {
    match cx.form.get("here") {
        "" => CANCELS_PATH.to_owned(),
        here => local(here).to_owned(),
    }
}

/// Cancels the orders and refunds them whole, after showing how much that is.
pub(crate) async fn refund(cx: &mut Cx) -> Answer {
    let all = requested(cx).await?;
    if all.is_empty() {
        return cx.go(CANCELS_PATH, Toast::new(bulk::none_selected("cancel request")));
    }
    let read = move |db: &Read<'_>| {
        let plan = Plan::read(db, all)?;
        let (terms, running) = (Terms::read(db)?, running(db, &plan.ids())?);
        Ok((plan, terms, running))
    };
    let (plan, terms, running) = cx.read(read).await?;
    if plan.orders.is_empty() {
        return cx.go(CANCELS_PATH, Toast::new(plan.cannot.nothing()));
    }
    let mut ask = question(&plan, &terms);
    if running > 0 {
        let verb = if running == 1 { "goes" } else { "go" };
        let go_on = format!("{} {verb} on there", bulk::counted(running, "order"));
        ask.facts.push(("At providers".to_owned(), go_on));
    }
    cx.confirm(ask)?;
    let (orders, status) = (plan.ids(), PublicStatus::Canceled);
    let refunded = cx.write(SetOrders { actor: cx.actor()?, orders, status }).await?;
    let refunded = format!("{} {}", money(refunded), terms.currency);
    let mut toast = match plan.orders.as_slice() {
        [one] => format!("Order {} canceled, {refunded} refunded to {}", one.order.id, one.user),
        several => format!("{} orders canceled, {refunded} refunded", several.len()),
    };
    toast.push_str(&plan.cannot.told());
    cx.go(CANCELS_PATH, Toast::new(toast))
}

/// What a refund of cancel requests would do.
struct Plan {
    /// Those that can be canceled now.
    orders: Vec<Listed>,
    /// What goes back in all.
    sum: Money,
    /// Those that cannot: where a provider or runs have them, that has to end first.
    cannot: bulk::Left,
}

impl Plan {
    fn read(db: &Read<'_>, all: Vec<Listed>) -> store::Result<Self> {
        let by_hand = ByHand { status: PublicStatus::Canceled, start_count: None, remains: None };
        let mut plan = Self { orders: Vec::new(), sum: Money::ZERO, cannot: bulk::Left::default() };
        for listed in all {
            match would_set(db, &listed.order, &by_hand)? {
                Ok(change) => {
                    let refund = change.settlement.map_or(Money::ZERO, |it| it.refund);
                    plan.sum = plan.sum.checked_add(refund).unwrap_or(plan.sum);
                    plan.orders.push(listed);
                }
                Err(refusal) => plan.cannot.push(&refusal, listed.order.id),
            }
        }
        Ok(plan)
    }

    fn ids(&self) -> BTreeSet<OrderId> {
        self.orders.iter().map(|listed| listed.order.id).collect()
    }
}

/// How many of the orders run at a provider.
fn running(db: &Read<'_>, ids: &BTreeSet<OrderId>) -> store::Result<usize> {
    let at = ids.iter().map(|id| deciding::runs_at(db, *id));
    Ok(at.collect::<store::Result<Vec<_>>>()?.into_iter().flatten().count())
}

fn question(plan: &Plan, terms: &Terms) -> Ask {
    let Plan { orders, sum, cannot } = plan;
    let users: HashSet<&str> = orders.iter().map(|listed| listed.user.as_str()).collect();
    let whom = match users.iter().next() {
        Some(user) if users.len() == 1 => (*user).to_owned(),
        _ => format!("{} users", users.len()),
    };
    let (what, shown) = (counted(orders), format!("{} {}", money(*sum), terms.currency));
    let delivered: i64 = orders.iter().map(|listed| listed.order.delivered()).sum();
    let mut facts = vec![
        ("Delivered so far".to_owned(), grouped(delivered)),
        (format!("Refunded to {whom}"), shown.clone()),
    ];
    facts.extend(cannot.lines());
    Ask {
        title: format!("Cancel {what} and refund {shown} to {whom}?"),
        facts,
        verb: format!("Cancel {what}"),
        typed: terms.typed(*sum).or_else(|| bulk::typed(orders.len())),
        is_danger: true,
        keep: if orders.len() == 1 { "Keep the order" } else { "Keep the orders" },
        ..Ask::default()
    }
}

/// Delivery goes on. The customer may ask again.
pub(crate) async fn decline(cx: &mut Cx) -> Answer {
    let (found, here) = (requested(cx).await?, here(cx));
    if found.is_empty() {
        return cx.go(&here, Toast::new(bulk::none_selected("cancel request")));
    }
    let orders = found.iter().map(|listed| listed.order.id).collect();
    cx.write(DeclineCancels { actor: cx.actor()?, orders }).await?;
    let toast = match found.as_slice() {
        [one] => format!("Cancel request of order {} declined", one.order.id),
        several => format!("{} cancel requests declined", several.len()),
    };
    cx.go(&here, Toast::new(toast))
}
