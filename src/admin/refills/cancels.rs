//! Cancel requests that somebody has to fulfil or decline.

use std::collections::{BTreeSet, HashSet};

use askama::Template;

use super::{CANCELS, CANCELS_PATH, tabs};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::link::Link;
use crate::admin::frame::list::{Address, List, Tab};
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::terms::Terms;
use crate::commands::orders::{DeclineCancels, SetOrders};
use crate::domain::OrderId;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, PublicStatus};
use crate::store::order_list::{self, Listed};
use crate::store::orders::{By, Filter};
use crate::store::{self, Read};

#[derive(Template)]
#[template(path = "admin/refills/cancels.html")]
struct CancelsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    list: List<Listed>,
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (cursor, size) = (cx.cursor(), cx.size().rows);
    let (tabs, page) = cx
        .read(move |db| {
            let filter = Filter { by: By::CancelRequest, ..Filter::default() };
            Ok((tabs(db, CANCELS)?, order_list::page(db, filter, cursor, size)?))
        })
        .await?;
    let list = List::new(page, Address::new(CANCELS_PATH).with("size", size), |row| row.order.id.0);
    let shell = cx.shell("Cancel wishes", Nav::Refills);
    cx.page(&CancelsPage { shell, tabs, list })
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

/// Cancels the orders with all their money back, after showing how much that is.
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
            0 => bulk::none_selected("order"),
            _ => "An order that is being handed to a provider cannot be canceled yet".to_owned(),
        };
        return cx.go(CANCELS_PATH, Toast::new(toast));
    }
    let terms = cx.read(Terms::read).await?;
    cx.confirm(question(&orders, sum, &terms, selected - orders.len()))?;
    let ids = orders.iter().map(|listed| listed.order.id).collect();
    let command = SetOrders { actor: cx.actor()?, orders: ids, status: PublicStatus::Canceled };
    let refunded = cx.write(command).await?;
    let currency = terms.currency;
    let toast = match orders.as_slice() {
        [one] => format!(
            "Order {} is canceled, {refunded} {currency} went back to {}",
            one.order.id, one.user
        ),
        several => {
            format!("{} orders are canceled, {refunded} {currency} went back", several.len())
        }
    };
    cx.go(CANCELS_PATH, Toast::new(toast))
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
    Ask {
        title: format!("Cancel {what} and return {sum} {currency} to {whom}?"),
        facts: vec![
            ("Delivered so far".to_owned(), delivered.to_string()),
            (format!("Returned to {whom}"), format!("{sum} {currency}")),
            ("Stay as they are".to_owned(), stay),
        ],
        verb: format!("Cancel {what}"),
        typed: terms.typed(sum).or_else(|| bulk::typed(orders.len())),
        is_danger: true,
    }
}

/// Goes on delivering. The customer may ask again.
pub(crate) async fn decline(cx: &mut Cx) -> Answer {
    let found = requested(cx).await?;
    if found.is_empty() {
        return cx.go(CANCELS_PATH, Toast::new(bulk::none_selected("order")));
    }
    let orders = found.iter().map(|listed| listed.order.id).collect();
    cx.write(DeclineCancels { actor: cx.actor()?, orders }).await?;
    let toast = match found.as_slice() {
        [one] => format!("Order {} goes on. {} may ask again", one.order.id, one.user),
        several => format!("{} orders go on. Their users may ask again", several.len()),
    };
    cx.go(CANCELS_PATH, Toast::new(toast))
}
