//! One order: its money, its delivery, what happened to it, and the moves a person may make.
//!
//! The two ways to move it differ by what they do to money. What only tells how far delivery is,
//! and what earns the charge, asks for no password: fulfilling by hand is done all day. What
//! refunds asks for it, as everything does that pays somebody.

use askama::Template;

use super::parts::{PartsOf, whole};
use super::sent::Sent;
use crate::admin::frame::answer::{Answer, encoded, see_other};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::{Decimals, grouped, grouped_in, money, rate, signed};
use crate::admin::frame::form::Form;
use crate::admin::frame::link::Link;
use crate::admin::frame::shell::{Nav, Shell, Toast, Undo};
use crate::admin::frame::terms::Terms;
use crate::admin::frame::tone;
use crate::admin::frame::upstream;
use crate::commands::deciding;
use crate::commands::orders::SetOrder;
use crate::domain::input::Input;
use crate::domain::ledger::PostingKind;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, Change, Order, OrderStatus, PublicStatus};
use crate::domain::refill::Refill;
use crate::domain::refusal::{OrderRefusal, Refusal};
use crate::domain::{OrderId, Timestamp};
use crate::store::audit::{self, Written};
use crate::store::ledger::{self, OfOrder};
use crate::store::order_list::{self, Listed, Source};
use crate::store::{self, Read, orders, providers, refills, together};

/// Entries of the audit log, refills and other orders that a page shows.
const LAST: i64 = 200;
const LAST_REFILLS: i64 = 20;
const LAST_OTHERS: usize = 5;

/// All that is known about an order.
struct Known {
    order: Order,
    user: String,
    service: String,
    source: Source,
    inputs: Vec<(Input, String)>,
    postings: Vec<OfOrder>,
    /// What people did to it, oldest first.
    written: Vec<Written>,
    refills: Vec<Refill>,
    others: Vec<Listed>,
    sent: Sent,
    parts: PartsOf,
}

impl Known {
    fn read(db: &Read<'_>, id: OrderId) -> store::Result<Self> {
        let found = order_list::find(db, id)?.ok_or(OrderRefusal::OrderNotFound)?;
        let Listed { order, user, service } = found;
        let (source, inputs, postings, mut written, refills, others, sent, parts) = together!(
            db: order_list::source(db, id),
            orders::inputs(db, id),
            ledger::list_of_order(db, id),
            audit::list_about(db, &format!("order {id}"), LAST),
            refills::list_of(db, id, LAST_REFILLS),
            order_list::list_same_link(db, &order, LAST_OTHERS),
            Sent::read(db, id),
            PartsOf::read(db, &order),
        );
        written.reverse();
        Ok(Self {
            order,
            user,
            service,
            source,
            inputs,
            postings,
            written,
            refills,
            others,
            sent,
            parts,
        })
    }

    /// Who placed it: a key or a person, named as in the ledger.
    fn placed_by(&self) -> String {
        let by_key = || self.source.key.as_ref().map(|key| format!("key {key}…"));
        let created = self.written.iter().find(|entry| entry.verb == "order.create");
        let charge = self.postings.iter().find(|posting| posting.kind == PostingKind::Charge);
        let by_hand = || created.map(|entry| entry.actor.clone());
        let paid = || charge.map(|posting| posting.actor.clone());
        paid().or_else(by_hand).or_else(by_key).unwrap_or_default()
    }

    /// What happened to it, oldest first.
    fn events(&self, currency: &str) -> Vec<Event> {
        let (order, user) = (&self.order, &self.user);
        let mut events = vec![event(order.created_at, "Placed", &self.placed_by())];
        let (charges, rest): (Vec<_>, Vec<_>) =
            self.postings.iter().partition(|posting| posting.kind == PostingKind::Charge);
        for posting in charges {
            let what = format!("Charged {user} {} {currency}", money(posting.amount));
            events.push(event(posting.created_at, what, &posting.actor));
        }
        if let Some(at) = order.cancel_requested_at {
            events.push(event(at, "Cancel requested", user));
        }
        for entry in self.written.iter().filter(|entry| entry.verb != "order.create") {
            events.push(event(entry.created_at, grouped_in(&entry.change), &entry.actor));
        }
        events.extend(self.end_by_customer());
        for posting in rest {
            let what = match posting.kind {
                PostingKind::Capture => format!("Earned {} {currency}", money(posting.amount)),
                PostingKind::Refund
                | PostingKind::Goodwill
                | PostingKind::Charge
                | PostingKind::Deposit
                | PostingKind::Adjustment => {
                    format!("Refunded {} {currency} to {user}", money(posting.amount))
                }
            };
            events.push(event(posting.created_at, what, &posting.actor));
        }
        for refill in &self.refills {
            let what = format!("Refill {} requested", refill.id);
            events.push(event(refill.created_at, what, user));
        }
        events.sort_by_key(|event| event.at);
        events
    }

    /// The end of an order that its customer canceled: no person wrote it down.
    fn end_by_customer(&self) -> Option<Event> {
        let at = self.order.finished_at?;
        let is_written =
            self.written.iter().any(|entry| entry.verb == "order.set" && entry.created_at == at);
        let refund = self.postings.iter().find(|posting| posting.kind == PostingKind::Refund);
        let by = refund.map_or("", |posting| &posting.actor);
        (!is_written).then(|| event(at, self.order.public_status().label(), by))
    }
}

/// One line of an order's history.
struct Event {
    at: Timestamp,
    what: String,
    by: String,
}

fn event(at: Timestamp, what: impl Into<String>, by: &str) -> Event {
    Event { at, what: what.into(), by: by.to_owned() }
}

/// The name of a field for people.
pub(crate) fn label(input: &Input) -> String {
    let words = input.as_str().replace('_', " ");
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

/// A button that moves the order.
struct Move {
    status: PublicStatus,
    says: String,
}

/// What the button says that gives an order a status.
fn says(status: PublicStatus, now: PublicStatus) -> String {
    if status == now {
        return "Save".to_owned();
    }
    if status == PublicStatus::Completed {
        return "Complete".to_owned();
    }
    status.label().to_owned()
}

#[derive(Template)]
#[template(path = "admin/orders/one.html")]
struct OrderPage {
    shell: Shell,
    form: Form,
    known: Known,
}

impl OrderPage {
    /// The moves that only tell how far delivery is or that it is done, the present one first.
    fn moves(&self) -> Vec<Move> {
        let order = &self.known.order;
        let (now, legal) = (order.public_status(), order.moves());
        let mut moves: Vec<Move> = Kind::Progress
            .statuses()
            .iter()
            .filter(|status| legal.contains(status))
            .map(|status| Move { status: *status, says: says(*status, now) })
            .collect();
        moves.sort_by_key(|button| button.status != now);
        moves
    }

    fn can(&self, status: PublicStatus) -> bool {
        self.can_move() && self.known.order.moves().contains(&status)
    }

    /// Whether it is moved by itself, and may be moved.
    fn can_move(&self) -> bool {
        !self.known.parts.has_begun() && !self.known.order.moves().is_empty()
    }

    fn is_open(&self) -> bool {
        !self.known.order.status.is_final()
    }

    /// Whether nobody can move it just now, for it is being handed over.
    fn is_away(&self) -> bool {
        matches!(self.known.order.status, OrderStatus::Sending | OrderStatus::Unknown)
    }

    fn is_cancel_request(&self) -> bool {
        self.is_open() && self.known.order.cancel_requested_at.is_some()
    }

    fn events(&self) -> Vec<Event> {
        self.known.events(&self.shell.currency)
    }

    fn amounts(&self) -> Decimals {
        Decimals::of(self.known.postings.iter().map(|posting| posting.amount.micros()))
    }

    fn balances(&self) -> Decimals {
        let balances = self.known.postings.iter().filter_map(|posting| posting.balance);
        Decimals::of(balances.map(Money::micros))
    }

    /// What an entry did to the user's balance; a capture adds to the revenue.
    fn change(&self, posting: &OfOrder) -> i64 {
        let amount = posting.amount.micros();
        if posting.kind == PostingKind::Charge { -amount } else { amount }
    }

    /// The list of all orders for the link.
    fn all_for_link(&self) -> String {
        format!("/admin/orders?link={}", encoded(&self.known.order.link))
    }
}

async fn order_page(cx: &mut Cx) -> Result<OrderPage, PageError> {
    let id = OrderId(cx.path_id("id")?);
    let known = cx.read(move |db| Known::read(db, id)).await.map_err(not_found(id))?;
    let shell = cx.shell(&format!("Order {id}"), Nav::Orders);
    let form = match cx.form.is_sound() {
        false => cx.form.clone(),
        true => {
            let start_count = known.order.start_count.map(|count| count.to_string());
            let remains = known.order.remains.to_string();
            Form::filled([("start_count", start_count.unwrap_or_default()), ("remains", remains)])
        }
    };
    Ok(OrderPage { shell, form, known })
}

/// An order that is not there is a page that is not there.
fn not_found(id: OrderId) -> impl Fn(PageError) -> PageError {
    move |error| {
        if matches!(error, PageError::Refused(Refusal::Order(OrderRefusal::OrderNotFound))) {
            return PageError::NotFound(format!(
                "There is no order {id}. Check the number, or look for it among all orders."
            ));
        }
        error
    }
}

/// The page.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = order_page(cx).await?;
    cx.page(&page)
}

/// What a move does to money, and so which way it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// None, or the charge is earned.
    Progress,
    /// Some goes back.
    Refund,
}

impl Kind {
    /// Whether there is a way back from a move to that status: it moves no money and is no end.
    pub(crate) const fn is_undoable(status: PublicStatus) -> bool {
        matches!(status, PublicStatus::InProgress | PublicStatus::Processing)
    }

    const fn statuses(self) -> &'static [PublicStatus] {
        match self {
            Self::Progress => {
                &[PublicStatus::InProgress, PublicStatus::Processing, PublicStatus::Completed]
            }
            Self::Refund => &[PublicStatus::Partial, PublicStatus::Canceled],
        }
    }

    /// The status that was asked for, if it comes this way.
    pub(crate) fn status(self, form: &Form) -> Option<PublicStatus> {
        let status = PublicStatus::from_stored(form.get("status"))?;
        self.statuses().contains(&status).then_some(status)
    }
}

/// Says how far delivery is, or that it is done. Done is for ever, so that asks first.
pub(crate) async fn set_status(cx: &mut Cx) -> Answer {
    set(cx, Kind::Progress).await
}

/// Ends the order short or cancels it: all or a part of the charge goes back. Asks first, with
/// what is kept and what goes back.
pub(crate) async fn refund(cx: &mut Cx) -> Answer {
    set(cx, Kind::Refund).await
}

async fn set(cx: &mut Cx, kind: Kind) -> Answer {
    let id = OrderId(cx.path_id("id")?);
    let found = cx.read(move |db| order_list::find(db, id)).await?;
    let Some(found) = found else { return Err(not_found(id)(OrderRefusal::OrderNotFound.into())) };
    let Some(status) = kind.status(&cx.form) else {
        cx.form.refuse("", "Choose a status");
        return refused(cx).await;
    };
    let path = format!("/admin/orders/{id}");
    if found.order.status.is_final() && found.order.public_status() == status {
        return Ok(see_other(&path)); // the same form, sent twice: the first time counted
    }
    let (start_count, remains) = (cx.form.number("start_count"), cx.form.number("remains"));
    let by_hand = ByHand { status, start_count, remains };
    if !cx.form.is_sound() {
        return refused(cx).await;
    }
    let change = match found.order.set(&by_hand) {
        Ok(change) => change,
        Err(refusal) => {
            cx.form.refuse_by(&refusal);
            return refused(cx).await;
        }
    };
    if change.status.is_final() {
        let read = move |db: &Read<'_>| Ok((Terms::read(db)?, running_at(db, id)?));
        let (terms, at) = cx.read(read).await?;
        cx.confirm(ask(&found, &change, &terms, at))?;
    }
    let Some(refunded) = cx.try_write(SetOrder { actor: cx.actor()?, order: id, by_hand }).await?
    else {
        return refused(cx).await;
    };
    let what = if found.order.public_status() == status && Kind::is_undoable(status) {
        format!("Order {id} saved")
    } else {
        format!("Order {id} set to {status}")
    };
    let text = match refunded {
        Money::ZERO => what,
        refunded => format!("{what}, {} refunded to {}", money(refunded), found.user),
    };
    cx.go(&path, Toast { text, undo: undo(&found.order, &by_hand) })
}

/// The provider that goes on with an order when it is ended by hand.
fn running_at(db: &Read<'_>, id: OrderId) -> store::Result<Option<String>> {
    let provider = deciding::runs_at(db, id)?.map(|provider| providers::get(db, provider));
    Ok(provider.transpose()?.map(|provider| provider.terms.name))
}

/// The way back to how an order was, where there is one.
fn undo(before: &Order, by_hand: &ByHand) -> Option<Undo> {
    let status = before.public_status();
    let is_start_lost = by_hand.start_count.is_some() && before.start_count.is_none();
    if !Kind::is_undoable(by_hand.status) || !Kind::is_undoable(status) || is_start_lost {
        return None;
    }
    let undo = Undo::post(format!("/admin/orders/{}/status", before.id));
    let undo = undo.with("status", status.as_str()).with("remains", before.remains);
    Some(match before.start_count {
        Some(count) => undo.with("start_count", count),
        None => undo,
    })
}

async fn refused(cx: &mut Cx) -> Answer {
    let page = order_page(cx).await?;
    cx.refused_page(&page)
}

/// The question before an order ends: what was delivered, what is earned, what is refunded.
fn ask(found: &Listed, change: &Change, terms: &Terms, at: Option<String>) -> Ask {
    let Listed { order, user, .. } = found;
    let (kept, refund) =
        change.settlement.map_or((order.charge, Money::ZERO), |s| (s.kept, s.refund));
    let shown = |amount: Money| format!("{} {}", money(amount), terms.currency);
    let (id, back) = (order.id, shown(refund));
    let (title, verb, keep) = match change.status {
        OrderStatus::Partial => (
            format!("Set order {id} to partial and refund {back} to {user}?"),
            format!("Set partial and refund {back}"),
            "",
        ),
        OrderStatus::Canceled => (
            format!("Cancel order {id} and refund {back} to {user}?"),
            format!("Cancel and refund {back}"),
            "Keep the order",
        ),
        OrderStatus::Completed
        | OrderStatus::Pending
        | OrderStatus::Sending
        | OrderStatus::Unknown
        | OrderStatus::Active => {
            (format!("Complete order {id}?"), format!("Complete order {id}"), "")
        }
    };
    let delivered = match change.status == OrderStatus::Canceled {
        true => String::new(),
        false => format!("{} of {}", grouped(order.units - change.remains), grouped(order.units)),
    };
    Ask {
        title,
        facts: vec![
            ("Delivered".to_owned(), delivered),
            ("Charged".to_owned(), shown(order.charge)),
            ("Earned".to_owned(), shown(kept)),
            (format!("Refunded to {user}"), back),
            ("Afterwards".to_owned(), "the order is final".to_owned()),
            (
                at.clone().unwrap_or_default(),
                at.map_or("", |_| "its order goes on there").to_owned(),
            ),
        ],
        verb,
        typed: terms.typed(refund),
        is_danger: refund > Money::ZERO,
        keep,
        ..Ask::default()
    }
}
