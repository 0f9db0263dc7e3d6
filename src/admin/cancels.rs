//! Wishes to cancel that somebody has to fulfil or decline.

use std::collections::{BTreeSet, HashSet};

use askama::Template;

use super::error::PageError;
use super::gate::Cx;
use super::link::Link;
use super::order::Terms;
use super::refills::{SIZES, TYPED_ABOVE, Tab, tabs};
use super::reply::{Answer, Ask};
use super::shell::{Nav, Shell, Toast};
use crate::commands::orders::{DeclineCancels, SetOrders};
use crate::domain::OrderId;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, PublicStatus};
use crate::store::order_list::{self, Listed};
use crate::store::orders::{By, Filter};
use crate::store::page::Page;
use crate::store::{self, Read};

const HERE: &str = "/admin/refills/cancels";

#[derive(Template)]
#[template(path = "admin/cancels.html")]
struct CancelsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    page: Page<Listed>,
    size: i64,
}

impl CancelsPage {
    fn older(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(format!("{HERE}?size={}&older={}", self.size, last.order.id))
    }

    fn newer(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(format!("{HERE}?size={}&newer={}", self.size, first.order.id))
    }
}

/// The list.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let (cursor, size) = (cx.cursor(), cx.size(&SIZES));
    let (tabs, page) = cx
        .read(move |db| {
            let filter = Filter { by: By::CancelRequest, ..Filter::default() };
            Ok((tabs(db, "cancels")?, order_list::page(db, filter, cursor, size)?))
        })
        .await?;
    let shell = cx.shell("Cancel wishes", Nav::Refills);
    cx.page(&CancelsPage { shell, tabs, page, size })
}

/// The orders of the form whose customers still wish to cancel: the one whose button was pressed,
/// or those that are ticked.
async fn requested(cx: &Cx) -> Result<Vec<Listed>, PageError> {
    let only = cx.form.ids("only");
    let ids: BTreeSet<i64> =
        if only.is_empty() { cx.form.ids("id") } else { only }.into_iter().collect();
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

/// Cancels the orders with all their money back, after showing how much that is.
pub(super) async fn refund(cx: &mut Cx) -> Answer {
    let (by_hand, all) = (canceled(), requested(cx).await?);
    let (mut orders, mut sum) = (Vec::new(), Money::ZERO);
    let ticked = all.len();
    for listed in all {
        // One that is being handed to a provider has to wait until it is known where it is.
        let Ok(change) = listed.order.set(&by_hand) else { continue };
        let refund = change.settlement.map_or(Money::ZERO, |settlement| settlement.refund);
        sum = sum.checked_add(refund).unwrap_or(sum);
        orders.push(listed);
    }
    if orders.is_empty() {
        let said = match ticked {
            0 => "No order was ticked, nothing was done",
            _ => "An order that is being handed to a provider cannot be canceled yet",
        };
        return cx.go(HERE, Toast::said(said));
    }
    let terms = cx.read(Terms::read).await?;
    cx.confirm(question(&orders, sum, &terms, ticked - orders.len()))?;
    let ids = orders.iter().map(|listed| listed.order.id).collect();
    let command = SetOrders { actor: cx.actor()?, orders: ids, status: PublicStatus::Canceled };
    let refunded = cx.write(command).await?;
    let currency = terms.currency;
    let said = match orders.as_slice() {
        [one] => format!(
            "Order {} is canceled, {refunded} {currency} went back to {}",
            one.order.id, one.user
        ),
        several => {
            format!("{} orders are canceled, {refunded} {currency} went back", several.len())
        }
    };
    cx.go(HERE, Toast::said(said))
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
    let (what, currency) = (counted(orders), &terms.currency);
    let delivered: i64 = orders.iter().map(|listed| listed.order.delivered()).sum();
    let stay = match stay {
        0 => String::new(),
        stay => format!("{stay}, for they are being handed to a provider"),
    };
    let much = (orders.len() > TYPED_ABOVE).then(|| orders.len().to_string());
    Ask {
        title: format!("Cancel {what} and return {sum} {currency} to {whom}?"),
        facts: vec![
            ("Delivered so far".to_owned(), delivered.to_string()),
            (format!("Returned to {whom}"), format!("{sum} {currency}")),
            ("Stay as they are".to_owned(), stay),
        ],
        verb: format!("Cancel {what}"),
        typed: terms.typed(sum).or(much),
        is_danger: true,
    }
}

/// Goes on delivering. The customer may ask again.
pub(super) async fn decline(cx: &mut Cx) -> Answer {
    let found = requested(cx).await?;
    if found.is_empty() {
        return cx.go(HERE, Toast::said("No order was ticked, nothing was done"));
    }
    let orders = found.iter().map(|listed| listed.order.id).collect();
    cx.write(DeclineCancels { actor: cx.actor()?, orders }).await?;
    let said = match found.as_slice() {
        [one] => format!("Order {} goes on. {} may ask again", one.order.id, one.user),
        several => format!("{} orders go on. Their users may ask again", several.len()),
    };
    cx.go(HERE, Toast::said(said))
}
