//! The ledger: all entries.

use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::books;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::books::State;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::{Decimals, grouped};
use crate::admin::frame::form::Form;
use crate::admin::frame::list::{Address, List, Size};
use crate::admin::frame::shell::{Nav, Shell};
use crate::domain::ledger::{self, PostingKind};
use crate::domain::refusal::OperatorRefusal;
use crate::domain::{OrderId, Timestamp};
use crate::store::postings::{self, Entry, Filter, Found, WALK_MAX};
use crate::store::users;

const PATH: &str = "/admin/ledger";
/// What can be asked for, by the name in the address.
const FILTERS: [&str; 6] = ["user", "kind", "from", "to", "order", "reference"];

#[derive(Template)]
#[template(path = "admin/ledger/list.html", blocks = ["list"])]
struct LedgerPage {
    shell: Shell,
    /// What was asked for, as it was typed, and what cannot be understood of it.
    form: Form,
    /// How the books stand; a part of a page does not say.
    books: Option<State>,
    size: Size,
    list: List<Entry>,
}

impl LedgerPage {
    fn amounts(&self) -> Decimals {
        Decimals::of(self.list.rows.iter().map(|row| row.posted.amount.micros()))
    }

    fn balances(&self) -> Decimals {
        let balances = self.list.rows.iter().filter_map(Entry::seen_by_user);
        Decimals::of(balances.map(|(_, balance)| balance.micros()))
    }
}

/// Reads a day of the panel's zone; gives its first instant, or that of the day after it.
fn day(form: &mut Form, name: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = form.get(name).to_owned();
    if text.is_empty() {
        return None;
    }
    let days = if name == "to" { 1 } else { 0 };
    let date = text.parse::<Date>().ok().and_then(|date| date.checked_add(days.days()).ok());
    let start = date.and_then(|date| date.to_zoned(zone.clone()).ok());
    if start.is_none() {
        form.refuse(name, "Enter a day, such as 2026-01-31");
    }
    start.map(|start| Timestamp(start.timestamp().as_second()))
}

/// What the form asks for, but the user, who has to be looked up.
fn filter(cx: &mut Cx, zone: &TimeZone) -> Filter {
    let order = match cx.form.get("order").is_empty() {
        true => None,
        false => Some(OrderId(cx.form.id("order", "Enter the number of an order"))),
    };
    Filter {
        user: None,
        kind: PostingKind::from_stored(cx.form.get("kind")),
        since: day(&mut cx.form, "from", zone),
        until: day(&mut cx.form, "to", zone),
        order,
        reference: cx.form.get("reference").to_owned(),
        cursor: cx.cursor(),
        size: cx.size().rows,
    }
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let shell = cx.shell("Ledger", Nav::Ledger);
    let mut filter = filter(cx, &shell.zone);
    let (user, size, is_sound) = (cx.form.get("user").to_owned(), cx.size(), cx.form.is_sound());
    let none = || Found { rows: Vec::new(), older: None, newer: None };
    let found = cx
        .read(move |db| {
            if !user.is_empty() {
                let Some(user) = users::find_called(db, &user)? else { return Ok(None) };
                filter.user = Some(user.id);
            }
            if !is_sound { Ok(Some(none())) } else { postings::page(db, &filter).map(Some) }
        })
        .await?;
    let Found { rows, older, newer } = found.unwrap_or_else(|| {
        cx.form.refuse("user", OperatorRefusal::UserNotFound);
        none()
    });
    let address = FILTERS.iter().fold(Address::new(PATH).with("size", size.rows), |to, name| {
        to.with_some(name, cx.form.get(name))
    });
    let list = List::between(rows, address, (newer, older));
    let books = if cx.wants_part() { None } else { Some(books::state(cx).await?) };
    let page = LedgerPage { shell, form: cx.form.clone(), books, size, list };
    cx.list(&page, &page.as_list())
}
