//! Orders and refills: bought, canceled and refilled by customers, moved by hand.

use std::collections::BTreeSet;

use super::hands::{self, Upstream};
use super::{drips, errands, posts, telling};
use crate::domain::delivery::{State, Submission};
use crate::domain::ledger::Posting;
use crate::domain::money::Money;
use crate::domain::order::{ByHand, CancelAnswer, Change, Order, OrderStatus, PublicStatus};
use crate::domain::placing::{self, Details, Earlier, ForSale, Placing, Quote};
use crate::domain::refill::{self, Refill, RefillStatus};
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use crate::domain::service::Service;
use crate::domain::{Actor, KeyId, OrderId, RefillId, ServiceId, Timestamp, UserId};
use crate::store::orders::{By, Origin};
use crate::store::services::OnSale;
use crate::store::{
    self, Command, Error, Read, Result, Tx, Wants, accounts, deliveries, ledger, orders, placed,
    refills, requests, services, submissions, together, users,
};

/// Takes the customer's money and records the order, or refuses. A request id that has bought
/// already gets that order again, whatever has changed since.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    pub user: UserId,
    /// `None` where what was asked for is no service's id.
    pub service: Option<ServiceId>,
    pub details: Details,
    /// Who places it, and under what names.
    pub origin: Origin,
}

impl Command for PlaceOrder {
    type Reply = OrderId;

    fn run(&self, tx: &Tx<'_>) -> Result<OrderId> {
        let order = match self.quote(tx, tx.now)? {
            Quote::Bought(id) => return Ok(id),
            Quote::New(order) => order,
        };

        let id = orders::insert(tx, &order, &self.origin)?;
        if let Some(provider) = order.provider {
            deliveries::insert(tx, id, provider)?;
        }
        if order.wanted.drip_feed.is_some() {
            store::drips::insert(tx, id)?;
        }
        match Posting::charge(order.account, order.charge, id) {
            Some(charge) => {
                ledger::post(tx, &charge, &self.origin.actor)?;
                telling::charged(tx, self.user, order.account.id, order.charge)?;
            }
            None => accounts::update_last_order(tx, order.account.id, id)?,
        }
        if !matches!(self.origin.actor, Actor::Key(_)) {
            let change = format!("user {}, service {}, {}", self.user, order.service, order.charge);
            let (actor, object) = (&self.origin.actor, format!("order {id}"));
            super::record(tx, actor, "order.create", object, change)?;
        }
        Ok(id)
    }

    fn wants(&self, wants: &mut Wants) {
        wants.user(self.user);
        if let Some(service) = self.service {
            wants.offer(self.user, service);
        }
        if let Some(request) = &self.origin.request {
            wants.request(self.user, &request.text);
        }
    }
}

impl PlaceOrder {
    /// Decides on the order and changes nothing.
    ///
    /// # Errors
    /// Every refusal that placing it has.
    pub fn quote(&self, db: &Read<'_>, now: Timestamp) -> Result<Quote> {
        let offer = match self.service {
            Some(service) => services::find_on_sale(db, Some(self.user), service)?,
            None => None,
        };
        let offer = offer.as_ref().map(OnSale::for_sale);
        let user = users::get(db, self.user)?;
        let (earlier, twin) = (self.find_earlier(db)?, self.find_twin(db, offer)?);

        let details = &self.details;
        Ok(placing::place(&Placing { user: &user, offer, details, earlier, twin, now })?)
    }

    /// The order that the request's id has bought before.
    fn find_earlier(&self, db: &Read<'_>) -> Result<Option<Earlier>> {
        let Some(request) = &self.origin.request else { return Ok(None) };
        let found = requests::find(db, self.user, &request.text)?;
        Ok(found.map(|(order, digest)| Earlier { order, is_same: digest == request.digest }))
    }

    /// The user's open order that stands in the way of this one.
    fn find_twin(&self, db: &Read<'_>, offer: Option<ForSale<'_>>) -> Result<Option<OrderId>> {
        let service = offer.map(|offer| offer.service);
        let Some(service) = service.filter(|service| service.listing.denies_duplicates) else {
            return Ok(None);
        };
        match self.details.get(service.listing.kind.link()) {
            Some(link) => orders::find_twin(db, self.user, service.id, link),
            None => Ok(None),
        }
    }
}

/// Cancels a customer's orders, each by itself, or keeps the request where that takes time.
pub struct CancelOrders {
    pub user: UserId,
    /// By which of the user's keys.
    pub key: KeyId,
    pub orders: Vec<OrderId>,
}

impl Command for CancelOrders {
    /// For each order what was refunded, which is nothing where only the request was kept.
    type Reply = Vec<std::result::Result<Money, Refusal>>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        each_of(tx, self.user, &self.orders, |order, service| self.cancel(tx, order, service))
    }

    fn wants(&self, wants: &mut Wants) {
        wants.user(self.user);
    }
}

impl CancelOrders {
    fn cancel(&self, tx: &Tx<'_>, order: &Order, service: &Service) -> Result<Money> {
        match order.request_cancel(&service.listing)? {
            CancelAnswer::AtOnce(change) => {
                save(tx, order, &change, &Actor::Key(self.key))?;
                Ok(change.settlement.map_or(Money::ZERO, |settlement| settlement.refund))
            }
            CancelAnswer::Requested => {
                orders::update_cancel_requested(tx, order.id)?;
                errands::ask_to_cancel(tx, order.id)?;
                if order.drip_feed.is_none() {
                    return Ok(Money::ZERO);
                }
                drips::stop(tx, order.id, &Actor::Key(self.key))?;
                let ended = orders::find(tx, order.id)?.map(|order| order.refunded);
                Ok(ended.unwrap_or(Money::ZERO))
            }
        }
    }
}

/// Asks to deliver again what dropped of a customer's orders, each by itself.
pub struct RequestRefills {
    pub user: UserId,
    pub orders: Vec<OrderId>,
}

impl Command for RequestRefills {
    /// For each order the new refill.
    type Reply = Vec<std::result::Result<RefillId, Refusal>>;

    fn run(&self, tx: &Tx<'_>) -> Result<Self::Reply> {
        each_of(tx, self.user, &self.orders, |order, service| self.request(tx, order, service))
    }

    fn wants(&self, wants: &mut Wants) {
        wants.user(self.user);
    }
}

impl RequestRefills {
    fn request(&self, tx: &Tx<'_>, order: &Order, service: &Service) -> Result<RefillId> {
        let (latest, placed) = together!(tx:
            refills::find_latest_status(tx, order.id),
            placed::find(tx, order.id),
        );

        refill::request(order, &service.listing, latest, tx.now)?;

        let refill = refills::insert(tx, order.id, self.user)?;
        if let Some((provider, _)) = placed {
            store::errands::insert_refill(tx, refill, order.id, provider)?;
        }
        Ok(refill)
    }
}

/// Does something with each of a user's orders, and keeps what it refuses. They are read together;
/// one that is named again is read again.
fn each_of<T>(
    tx: &Tx<'_>,
    user: UserId,
    ids: &[OrderId],
    act: impl Fn(&Order, &Service) -> Result<T>,
) -> Result<Vec<std::result::Result<T, Refusal>>> {
    let look = |db: &Read<'_>, id: &OrderId| -> Result<Option<(Order, Service)>> {
        let Some(order) = orders::find_of(db, user, *id)? else { return Ok(None) };
        let service = services::get(db, order.service)?;
        Ok(Some((order, service)))
    };
    let mut seen = BTreeSet::new();
    let found = ids.iter().zip(tx.each(ids, look)?);
    let done = found.map(|(id, found)| {
        let found = if seen.insert(*id) { found } else { look(tx, id)? };
        let (order, service) = match found {
            Some(found) => found,
            None => return Ok(Err(OrderRefusal::OrderNotFound.into())),
        };
        refused(act(&order, &service))
    });
    done.collect()
}

/// Moves an order by hand and settles its money if that ends it.
pub struct SetOrder {
    pub actor: Actor,
    pub order: OrderId,
    pub by_hand: ByHand,
}

impl Command for SetOrder {
    /// What was refunded.
    type Reply = Money;

    fn run(&self, tx: &Tx<'_>) -> Result<Money> {
        let order = orders::find(tx, self.order)?.ok_or(OrderRefusal::OrderNotFound)?;

        let change = by_hand(tx, &order, &self.by_hand)?;

        save_by_hand(tx, &order, &change, &self.actor)
    }
}

/// Moves many orders to one status by hand: all of them, or none where one cannot.
pub struct SetOrders {
    pub actor: Actor,
    pub orders: BTreeSet<OrderId>,
    pub status: PublicStatus,
}

impl Command for SetOrders {
    /// What was refunded for all of them.
    type Reply = Money;

    fn run(&self, tx: &Tx<'_>) -> Result<Money> {
        let all = ByHand { status: self.status, start_count: None, remains: None };
        let ids: Vec<OrderId> = self.orders.iter().copied().collect();
        let mut decided = Vec::with_capacity(ids.len());
        for order in orders::find_each(tx, &ids)? {
            let order = order.ok_or(OrderRefusal::OrderNotFound)?;
            let change = by_hand(tx, &order, &all)?;
            decided.push((order, change));
        }

        let mut wants = Wants::default();
        decided.iter().for_each(|(order, _)| wants.user(order.user));
        tx.fetch(&wants)?;
        let mut refunded = Money::ZERO;
        for (order, change) in &decided {
            let refund = save_by_hand(tx, order, change, &self.actor)?;
            refunded = refunded.checked_add(refund).ok_or(OperatorRefusal::AmountTooLarge)?;
        }
        Ok(refunded)
    }
}

fn by_hand(db: &Read<'_>, order: &Order, by_hand: &ByHand) -> Result<Change> {
    let change = order.set(by_hand)?;
    drips::check_by_hand(db, order)?;
    Ok(change)
}

/// What a move of an order by hand would change, or why it cannot be made: for a question before.
pub fn would_set(
    db: &Read<'_>,
    order: &Order,
    set: &ByHand,
) -> Result<std::result::Result<Change, Refusal>> {
    refused(by_hand(db, order, set))
}

/// Moves a refill by hand.
pub struct SetRefill {
    pub actor: Actor,
    pub refill: RefillId,
    pub status: RefillStatus,
}

impl Command for SetRefill {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let refill = refills::find(tx, self.refill)?.ok_or(OrderRefusal::RefillNotFound)?;

        refill.status.check_move(self.status)?;

        set_refill(tx, &self.actor, &refill, self.status)
    }
}

/// Moves many refills by hand. Those that may not go there stay as they are.
pub struct SetRefills {
    pub actor: Actor,
    pub refills: BTreeSet<RefillId>,
    pub status: RefillStatus,
}

impl Command for SetRefills {
    /// How many were moved.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let mut moved = Vec::new();
        for id in &self.refills {
            let refill = refills::find(tx, *id)?.ok_or(OrderRefusal::RefillNotFound)?;
            if refill.may_become(self.status) {
                moved.push(refill);
            }
        }

        for refill in &moved {
            set_refill(tx, &self.actor, refill, self.status)?;
        }
        Ok(moved.len())
    }
}

fn set_refill(tx: &Tx<'_>, actor: &Actor, refill: &Refill, status: RefillStatus) -> Result<()> {
    telling::move_refill(tx, refill, status)?;
    if !status.is_open() {
        errands::drop_refill(tx, refill.id)?;
    }
    let change = format!("{} → {status}", refill.status);
    super::record(tx, actor, "refill.set", format!("refill {}", refill.id), change)
}

/// Declines cancel requests: their orders go on. The users may ask again.
pub struct DeclineCancels {
    pub actor: Actor,
    /// Those of them that have no cancel request are left alone.
    pub orders: BTreeSet<OrderId>,
}

impl Command for DeclineCancels {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let mut declined = Vec::new();
        for id in &self.orders {
            let order = orders::find(tx, *id)?.ok_or(OrderRefusal::OrderNotFound)?;
            if By::CancelRequest.holds(&order) {
                declined.push(order.id);
            }
        }

        for id in declined {
            orders::update_cancel_declined(tx, id)?;
            hands::drop_cancel(tx, id)?;
            let change = "Cancel request declined".to_owned();
            super::record(tx, &self.actor, "order.decline_cancel", format!("order {id}"), change)?;
        }
        Ok(())
    }
}

/// Writes a decided move, and in the audit log who made it. Returns what was refunded.
fn save_by_hand(tx: &Tx<'_>, order: &Order, change: &Change, actor: &Actor) -> Result<Money> {
    save(tx, order, change, actor)?;
    if order.status == OrderStatus::Pending {
        if change.settlement.is_none() {
            hands::leave(tx, Upstream::find(tx, order.id)?)?;
        }
        store::drips::delete(tx, order.id)?;
    }
    let text = told(order, change);
    super::record(tx, actor, "order.set", format!("order {}", order.id), text)?;
    Ok(change.settlement.map_or(Money::ZERO, |settlement| settlement.refund))
}

/// What a move changes: `Pending → In progress, start count 7`, or the counters alone.
fn told(order: &Order, change: &Change) -> String {
    let (before, after) = (order.public_status(), PublicStatus::of(change.status, change.shown));
    let moved = (before != after).then(|| format!("{before} → {after}"));
    let new_start = change.start_count.filter(|_| change.start_count != order.start_count);
    let start_count = new_start.map(|count| format!("start count {count}"));
    let remains = (change.remains != order.remains).then(|| format!("remains {}", change.remains));
    let parts: Vec<String> = [moved, start_count, remains].into_iter().flatten().collect();
    let mut text = parts.join(", ");
    match text.get_mut(..1) {
        Some(first) => first.make_ascii_uppercase(),
        None => text = format!("{after}, unchanged"),
    }
    text
}

/// Writes a decided move. Where it ends the order, its money is settled, and nothing more is to be
/// done about it at a provider.
pub(super) fn save(tx: &Tx<'_>, order: &Order, change: &Change, actor: &Actor) -> Result<()> {
    if change.settlement.is_none() {
        return write(tx, order, change, actor);
    }
    let (live, upstream) = together!(tx:
        submissions::find_live(tx, order.id),
        Upstream::find(tx, order.id),
    );
    write(tx, order, change, actor)?;
    count_cost(tx, live.as_ref(), change.status, None)?;
    posts::forget_unpaid(tx, order)?;
    hands::leave(tx, upstream)
}

/// Writes a decided move and, where it ends the order, the two postings that settle it. A
/// drip-feed order follows its runs.
pub(super) fn write(tx: &Tx<'_>, order: &Order, change: &Change, actor: &Actor) -> Result<()> {
    telling::move_order(tx, order, change)?;
    settle(tx, order, change, actor)?;
    drips::leave(tx, order, change)?;
    drips::follow(tx, order, change, actor)
}

fn settle(tx: &Tx<'_>, order: &Order, change: &Change, actor: &Actor) -> Result<()> {
    let Some(settlement) = change.settlement else { return Ok(()) };
    let account = users::account(tx, order.user)?;
    let postings = [
        Posting::capture(settlement.kept, order.id),
        Posting::refund(account, settlement.refund, order.id),
    ];
    for posting in postings.iter().flatten() {
        ledger::post(tx, posting, actor)?;
    }
    Ok(())
}

/// Counts what an order that ends has cost, if a provider has it by a live attempt: as it says,
/// else as expected.
pub(super) fn count_cost(
    tx: &Tx<'_>,
    live: Option<&Submission>,
    end: OrderStatus,
    said: Option<Money>,
) -> Result<()> {
    let Some(accepted) = live.filter(|live| live.state == State::Accepted) else { return Ok(()) };
    submissions::update_cost(tx, accepted.id, accepted.cost_at(end, said))
}

/// Keeps a refusal as one answer among several; anything else ends the command.
fn refused<T>(result: Result<T>) -> Result<std::result::Result<T, Refusal>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal)),
        Err(error @ (Error::Busy | Error::DiskFull | Error::Storage(_))) => Err(error),
    }
}
