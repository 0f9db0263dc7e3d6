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
use crate::commands::orders::{DeclineCancels, SetOrders};
use crate::domain::OrderId;
use crate::domain::errand::Errand;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, PublicStatus};
use crate::store::order_list::{self, Listed};
use crate::store::orders::{By, Filter};
use crate::store::{self, Read, errands};

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
        let page = order_list::page(db, filter, cursor, size)?;
        let mut asked = HashMap::new();
        for row in &page.rows {
            asked.extend(errands::find_cancel(db, row.order.id)?.map(|it| (row.order.id, it)));
        }
        Ok((Counts::read(db)?, page, asked))
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
    let (by_hand, all) = (canceled(), requested(cx).await?);
    let (mut orders, mut sum) = (Vec::new(), Money::ZERO);
    let selected = all.len();
    for listed in all {
        // One that is being handed to a provider has to wait until it is known where it is.
        let Ok(change) = listed.order.set(&by_hand) else { continue };
        let refund = change.settlement.map_or(Money::ZERO, |settlement| settlement.refund);
        sum = sum.checked_add(refund).unwrap_or(sum);
        orders.push(listed);
    }
    if orders.is_empty() {
        let toast = match selected {
            0 => bulk::none_selected("cancel request"),
            _ => "An order that is being sent to a provider cannot be canceled yet".to_owned(),
        };
        return cx.go(CANCELS_PATH, Toast::new(toast));
    }
    let ids: BTreeSet<OrderId> = orders.iter().map(|listed| listed.order.id).collect();
    let asked = ids.clone();
    let read = move |db: &Read<'_>| Ok((Terms::read(db)?, running(db, &asked)?));
    let (terms, running) = cx.read(read).await?;
    let mut ask = question(&orders, sum, &terms, selected - orders.len());
    if running > 0 {
        let verb = if running == 1 { "goes" } else { "go" };
        let go_on = format!("{} {verb} on there", bulk::counted(running, "order"));
        ask.facts.push(("At providers".to_owned(), go_on));
    }
    cx.confirm(ask)?;
    let command = SetOrders { actor: cx.actor()?, orders: ids, status: PublicStatus::Canceled };
    let refunded = format!("{} {}", money(cx.write(command).await?), terms.currency);
    let toast = match orders.as_slice() {
        [one] => format!("Order {} canceled, {refunded} refunded to {}", one.order.id, one.user),
        several => format!("{} orders canceled, {refunded} refunded", several.len()),
    };
    cx.go(CANCELS_PATH, Toast::new(toast))
}

/// How many of the orders run at a provider.
fn running(db: &Read<'_>, ids: &BTreeSet<OrderId>) -> store::Result<usize> {
    let at = ids.iter().map(|id| deciding::runs_at(db, *id));
    Ok(at.collect::<store::Result<Vec<_>>>()?.into_iter().flatten().count())
}

const fn canceled() -> ByHand {
    ByHand { status: PublicStatus::Canceled, start_count: None, remains: None }
}

fn question(orders: &[Listed], sum: Money, terms: &Terms, stay: usize) -> Ask {
    let users: HashSet<&str> = orders.iter().map(|listed| listed.user.as_str()).collect();
    let whom = match users.iter().next() {
        Some(user) if users.len() == 1 => (*user).to_owned(),
        _ => format!("{} users", users.len()),
    };
    let (what, shown) = (counted(orders), format!("{} {}", money(sum), terms.currency));
    let delivered: i64 = orders.iter().map(|listed| listed.order.delivered()).sum();
    let stay = match stay {
        0 => String::new(),
        stay => format!("{stay}, which are being sent to a provider"),
    };
    Ask {
        title: format!("Cancel {what} and refund {shown} to {whom}?"),
        facts: vec![
            ("Delivered so far".to_owned(), grouped(delivered)),
            (format!("Refunded to {whom}"), shown),
            ("Left as they are".to_owned(), stay),
        ],
        verb: format!("Cancel {what}"),
        typed: terms.typed(sum).or_else(|| bulk::typed(orders.len())),
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
