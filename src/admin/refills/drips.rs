//! Drip-feeds: how far the runs of each order are, and what stops and resumes them.
//!
//! Where no run is under way a stop ends the order, and what was not delivered goes back: so it
//! asks first, with the amount.

use askama::Template;

use super::tabs::{DRIPS_PATH, tabs};
use crate::admin::frame::answer::{Answer, local};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{grouped, money};
use crate::admin::frame::link::Link;
use crate::admin::frame::list::{Address, List, Tab};
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::terms::Terms;
use crate::admin::frame::tone;
use crate::commands::drips::{ResumeDrip, StopDrip};
use crate::domain::OrderId;
use crate::domain::money::Money;
use crate::domain::refusal::OrderRefusal;
use crate::store::drip_list::{self, Dripping};
use crate::store::order_list::Listed;
use crate::store::{Read, drips, together};

#[derive(Template)]
#[template(path = "admin/refills/drips.html")]
struct DripsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    list: List<Dripping>,
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (cursor, size) = (cx.cursor(), cx.size().rows);
    let read = move |db: &Read<'_>| {
        Ok(together!(db: tabs(db, DRIPS_PATH), drip_list::page(db, cursor, size)))
    };
    let (tabs, page) = cx.read(read).await?;
    let address = Address::new(DRIPS_PATH).with("size", size);
    let list = List::new(page, address, |row: &Dripping| row.drip.order.0);
    let shell = cx.shell("Drip-feeds", Nav::Refills);
    cx.page(&DripsPage { shell, tabs, list })
}

/// Where the form came from: the list, or the page of an order.
fn here(cx: &Cx) -> String {
    match cx.form.get("here") {
        "" => DRIPS_PATH.to_owned(),
        here => local(here).to_owned(),
    }
}

/// No more runs begin.
pub(crate) async fn stop(cx: &mut Cx) -> Answer {
    let (order, here) = (OrderId(cx.path_id("id")?), here(cx));
    let read = move |db: &Read<'_>| {
        let is_under_way = drips::has_open_part(db, order)?;
        Ok((Terms::read(db)?, drip_list::find(db, order)?, is_under_way))
    };
    let (terms, found, is_under_way) = cx.read(read).await?;
    let found = found.ok_or_else(|| PageError::from(OrderRefusal::OrderNotFound))?;
    cx.confirm(question(&found, &terms, is_under_way))?;
    cx.write(StopDrip { actor: cx.actor()?, order }).await?;
    cx.go(&here, Toast::new(format!("No more runs of order {order} begin")))
}

fn question(found: &Dripping, terms: &Terms, is_under_way: bool) -> Ask {
    let Listed { order, user, .. } = &found.listed;
    let settlement = (!is_under_way).then(|| order.runs_over().settlement).flatten();
    let refund = settlement.map(|settlement| settlement.refund);
    let ends = match is_under_way {
        true => "the order ends with the runs that have begun",
        false => "the order is final",
    };
    let back = refund.map(|refund| format!("{} {}", money(refund), terms.currency));
    Ask {
        title: format!("Stop the runs of order {}?", order.id),
        facts: vec![
            ("Begun".to_owned(), format!("{} of {} runs", found.drip.started, found.runs())),
            (format!("Refunded to {user}"), back.unwrap_or_default()),
            ("Afterwards".to_owned(), ends.to_owned()),
        ],
        verb: "Stop the runs".to_owned(),
        typed: terms.typed(refund.unwrap_or(Money::ZERO)),
        is_danger: refund.is_some_and(|refund| refund > Money::ZERO),
        ..Ask::default()
    }
}

/// The next run begins now.
pub(crate) async fn resume(cx: &mut Cx) -> Answer {
    let (order, here) = (OrderId(cx.path_id("id")?), here(cx));
    cx.write(ResumeDrip { actor: cx.actor()?, order }).await?;
    cx.go(&here, Toast::new(format!("Runs of order {order} resumed")))
}
