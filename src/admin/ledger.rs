//! The ledger: every movement of money, and the way to take one back.

use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::books;
use super::error::PageError;
use super::form::Form;
use super::gate::Cx;
use super::reply::{Answer, Ask, encoded};
use super::shell::{Nav, Shell, Toast, grouped};
use crate::commands::accounts::Reverse;
use crate::domain::ledger::{self, ESCROW, EXTERNAL, Posting, PostingKind, REVENUE};
use crate::domain::money::Money;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::setting::Setting;
use crate::domain::user::User;
use crate::domain::{AccountId, OrderId, PostingId, Timestamp};
use crate::store::postings::{self, Entry, Filter, Found, WALK_MAX};
use crate::store::{settings, users};

const SIZES: [i64; 3] = [50, 100, 200];
/// What can be asked for, by the name in the address.
const FILTERS: [&str; 6] = ["user", "kind", "from", "to", "order", "reference"];

#[derive(Template)]
#[template(path = "admin/ledger.html", blocks = ["list"])]
struct LedgerPage {
    shell: Shell,
    /// What was asked for, as it was typed, and what cannot be understood of it.
    form: Form,
    /// How the books stand; a part of a page does not say.
    books: Option<books::State>,
    found: Found,
    size: i64,
}

impl LedgerPage {
    fn is_filtered(&self) -> bool {
        FILTERS.iter().any(|name| !self.form.get(name).is_empty())
    }

    fn older(&self) -> Option<String> {
        Some(format!("{}&older={}", self.address(), self.found.older?))
    }

    fn newer(&self) -> Option<String> {
        Some(format!("{}&newer={}", self.address(), self.found.newer?))
    }

    fn address(&self) -> String {
        let mut address = format!("/admin/ledger?size={}", self.size);
        for name in FILTERS {
            let value = self.form.get(name);
            if !value.is_empty() {
                address.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        address
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
        form.refuse(name, "Write a day like 2026-01-31");
    }
    start.map(|start| Timestamp(start.timestamp().as_second()))
}

/// What the form asks for, but the user, who has to be looked up.
fn filter(cx: &mut Cx, zone: &TimeZone) -> Filter {
    let order = match cx.form.get("order").is_empty() {
        true => None,
        false => Some(OrderId(cx.form.id("order", "Write the number of an order"))),
    };
    Filter {
        user: None,
        kind: PostingKind::from_stored(cx.form.get("kind")),
        since: day(&mut cx.form, "from", zone),
        until: day(&mut cx.form, "to", zone),
        order,
        reference: cx.form.get("reference").to_owned(),
        cursor: cx.cursor(),
        size: cx.size(&SIZES),
    }
}

/// The list.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let shell = cx.shell("Ledger", Nav::Ledger);
    let mut filter = filter(cx, &shell.zone);
    let user = cx.form.get("user").to_owned();
    let none = Found { rows: Vec::new(), older: None, newer: None };
    let (size, is_sound) = (filter.size, cx.form.is_sound());
    let found = cx
        .read(move |db| {
            if !user.is_empty() {
                let Some(user) = users::find_called(db, &user)? else { return Ok(None) };
                filter.user = Some(user.id);
            }
            if !is_sound { Ok(Some(none)) } else { postings::page(db, &filter).map(Some) }
        })
        .await?;
    let found = found.unwrap_or_else(|| {
        cx.form.refuse("user", OperatorRefusal::UserNotFound);
        Found { rows: Vec::new(), older: None, newer: None }
    });
    let books = if cx.wants_part() { None } else { Some(books::state(cx).await?) };
    let page = LedgerPage { shell, form: cx.form.clone(), books, found, size };
    cx.list(&page, &page.as_list())
}

// ---------------------------------------------------------------------------------- one movement

#[derive(Template)]
#[template(path = "admin/ledger_entry.html")]
struct EntryPage {
    shell: Shell,
    form: Form,
    entry: Entry,
    user: Option<User>,
}

impl EntryPage {
    /// An account, as people call it.
    fn account(&self, account: &AccountId) -> String {
        match *account {
            EXTERNAL => "Outside".to_owned(),
            ESCROW => "Escrow".to_owned(),
            REVENUE => "Revenue".to_owned(),
            _ => self.entry.user_name.clone().unwrap_or_default(),
        }
    }

    /// Why it cannot be reversed.
    fn refusal(&self) -> Option<String> {
        let Err(refusal) = reversal(&self.entry, self.user.as_ref(), "why") else { return None };
        Some(match (refusal, self.entry.posted.kind) {
            (OperatorRefusal::NotReversible, PostingKind::Goodwill) => {
                "A kindness is not reversed. Deduct the amount on the user's page.".to_owned()
            }
            (OperatorRefusal::NotReversible, _) => {
                "This belongs to an order and is settled with it: cancel the order, or end it \
                 as partial, to return money."
                    .to_owned()
            }
            (refusal, _) => format!("{refusal}."),
        })
    }

    /// What the balance would be if it was reversed.
    fn after(&self) -> Option<Money> {
        let user = self.user.as_ref()?;
        balance_after(user, &reversal(&self.entry, Some(user), "why").ok()?)
    }
}

/// The movement that would take this one back.
fn reversal(entry: &Entry, user: Option<&User>, note: &str) -> Result<Posting, OperatorRefusal> {
    entry.posted.reverse(user.ok_or(OperatorRefusal::NotReversible)?, note)
}

fn balance_after(user: &User, posting: &Posting) -> Option<Money> {
    match posting.source == user.account {
        true => user.balance.checked_sub(posting.amount),
        false => user.balance.checked_add(posting.amount),
    }
}

async fn movement(cx: &Cx) -> Result<(Entry, Option<User>), PageError> {
    let id = PostingId(cx.path_id("id")?);
    let found = cx
        .read(move |db| {
            let Some(entry) = postings::find(db, id)? else { return Ok(None) };
            let user = entry.posted.user.map(|user| users::get(db, user)).transpose()?;
            Ok(Some((entry, user)))
        })
        .await?;
    let not_there = || format!("No movement {id}. The number may have been typed wrong.");
    found.ok_or_else(|| PageError::NotFound(not_there()))
}

/// One movement, both its sides.
pub(super) async fn show(cx: &mut Cx) -> Answer {
    let (entry, user) = movement(cx).await?;
    let shell = cx.shell(&format!("Movement {}", entry.posted.id), Nav::Ledger);
    cx.page(&EntryPage { shell, form: cx.form.clone(), entry, user })
}

/// Takes a movement back, after showing what becomes of the balance.
pub(super) async fn reverse(cx: &mut Cx) -> Answer {
    let (entry, user) = movement(cx).await?;
    let id = entry.posted.id;
    let note = cx.form.get("note").to_owned();
    let asked = reversal(&entry, user.as_ref(), &note).and_then(|posting| {
        let user = user.as_ref().ok_or(OperatorRefusal::NotReversible)?;
        let after = balance_after(user, &posting).ok_or(OperatorRefusal::AmountTooLarge)?;
        Ok((user, posting, after))
    });
    match asked {
        Err(refusal) => cx.form.refuse_by(&refusal.into()),
        Ok((user, posting, after)) => {
            let ask = question(&entry, user, (&posting, after));
            let above = cx.read(|db| settings::get(db, Setting::ConfirmAbove)).await?;
            let is_much = Money::parse(&above).is_some_and(|above| posting.amount > above);
            cx.confirm(Ask { typed: is_much.then(|| posting.amount.to_string()), ..ask })?;
            let command = Reverse { actor: cx.actor()?, posting: id, note };
            if let Some(balance) = cx.try_write(command).await? {
                let said =
                    format!("Movement {id} is reversed, {}'s balance is {balance}", user.name);
                return cx.go(&format!("/admin/ledger/{id}"), Toast::said(said));
            }
        }
    }
    let shell = cx.shell(&format!("Movement {id}"), Nav::Ledger);
    let page = EntryPage { shell, form: cx.form.clone(), entry, user };
    cx.refused_page(&page)
}

fn question(entry: &Entry, user: &User, (posting, after): (&Posting, Money)) -> Ask {
    let is_out = posting.source == user.account;
    let (sum, way) = (posting.amount, if is_out { "from" } else { "to" });
    let verb = if is_out { format!("Take {sum} back") } else { format!("Give {sum} back") };
    Ask {
        title: format!("Reverse movement {}: {sum} {way} {}?", entry.posted.id, user.name),
        facts: vec![
            ("It was".to_owned(), format!("{} of {}", entry.posted.kind, entry.posted.amount)),
            ("Balance now".to_owned(), user.balance.to_string()),
            ("New balance".to_owned(), after.to_string()),
            ("Note".to_owned(), posting.note.clone()),
        ],
        verb,
        typed: None,
        is_danger: is_out,
    }
}
