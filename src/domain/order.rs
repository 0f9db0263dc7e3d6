//! Orders: where one stands, and every move it may make.
//!
//! [`Order::set`] and [`Order::request_cancel`] say what a move does to the order and to its money.
//! How an order comes to be is in `placing.rs`.
//!
//! | an order that is | may become | and its money |
//! |---|---|---|
//! | pending | active, or final | waits in escrow until it is final |
//! | active | active with another word, start count or remains; or final | waits |
//! | sending, unknown | nothing by hand: it is being handed to a provider | waits |
//! | completed, partial, canceled | nothing: final stays final | was settled with the end |
//!
//! - Never back to pending. While active, customers see one of three words ([`Shown`]).
//! - Completed earns the whole charge and sets what remains to 0. Canceled refunds all of it.
//!   Partial needs what remains, 1 to units − 1, and refunds what was not delivered; a package is
//!   delivered whole or not at all. What is given back after the end is goodwill.
//! - A customer's cancel request ends a pending order at once; otherwise it is kept until somebody
//!   settles it. It needs a service that offers it.
//! - A refill goes from pending through in progress to completed, rejected or error; pending may
//!   jump, final stays. No money moves.
//! - A drip-feed order holds the money of all its runs, which are charged nothing; how it follows
//!   them is in `schedule.rs`. A subscription is charged nothing, its posts are.

use super::money::{Money, Rate};
use super::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use super::service::{Counting, Listing, ServiceKind};
use super::{OrderId, ServiceId, Timestamp, UserId, words};

words! {
    /// Where an order stands with us.
    pub enum OrderStatus {
        /// Bought; nobody has touched it.
        Pending = "Pending",
        /// Being handed to a provider.
        Sending = "Sending",
        /// Handed over, perhaps: waits for proof or a person.
        Unknown = "Unknown",
        /// Taken up by a person or a provider.
        Active = "Active",
        Completed = "Completed",
        /// Ended short, the rest refunded; final.
        Partial = "Partial",
        /// Refunded whole; final.
        Canceled = "Canceled",
    }
}

impl OrderStatus {
    /// Whether the order has ended and its money is settled.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Partial | Self::Canceled)
    }
}

words! {
    /// The word customers see while an order is active.
    pub enum Shown {
        /// A provider has it in the queue.
        Pending = "Pending",
        Processing = "Processing",
        InProgress = "In progress",
    }
}

words! {
    /// The six words customers know.
    pub enum PublicStatus {
        Pending = "Pending",
        InProgress = "In progress",
        Completed = "Completed",
        /// Ended short, the rest refunded.
        Partial = "Partial",
        Canceled = "Canceled",
        Processing = "Processing",
    }
}

/// An order that is delivered in equal runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DripFeed {
    pub runs: i64,
    /// Minutes from one to the next.
    pub interval_minutes: i64,
}

/// What an order is of another one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// An order of its own.
    #[default]
    Whole,
    /// A run of a drip-feed order, which has paid for it. Customers know it by that order only.
    RunOf(OrderId),
    /// Of a post that a subscription has found; charged as any order.
    PostOf(OrderId),
}

impl PublicStatus {
    /// The word customers see.
    pub const fn of(status: OrderStatus, shown: Shown) -> Self {
        match (status, shown) {
            (OrderStatus::Pending, _) | (OrderStatus::Active, Shown::Pending) => Self::Pending,
            (OrderStatus::Sending | OrderStatus::Unknown, _)
            | (OrderStatus::Active, Shown::Processing) => Self::Processing,
            (OrderStatus::Active, Shown::InProgress) => Self::InProgress,
            (OrderStatus::Completed, _) => Self::Completed,
            (OrderStatus::Partial, _) => Self::Partial,
            (OrderStatus::Canceled, _) => Self::Canceled,
        }
    }
}

/// One purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub user: UserId,
    pub service: ServiceId,
    pub part: Part,
    /// The service's kind when it was bought.
    pub kind: ServiceKind,
    pub link: String,
    /// Units per run.
    pub quantity: i64,
    /// Units charged, and counted by `remains`.
    pub units: i64,
    /// The runs, if it is drip-fed.
    pub drip_feed: Option<DripFeed>,
    /// The price it was bought at.
    pub rate: Rate,
    pub charge: Money,
    pub refunded: Money,
    pub status: OrderStatus,
    /// The word for customers while it is active.
    pub shown: Shown,
    /// The counter seen when delivery began.
    pub start_count: Option<i64>,
    /// Units not delivered yet.
    pub remains: i64,
    /// The customer's own name for it.
    pub custom_id: Option<String>,
    pub created_at: Timestamp,
    /// When it became final.
    pub finished_at: Option<Timestamp>,
    /// When the customer asked to cancel, if that could not be done at once.
    pub cancel_requested_at: Option<Timestamp>,
}

/// How an order stands, as its customer may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The word for it.
    pub status: PublicStatus,
    /// What is paid as things stand: charged less refunded.
    pub net_charge: Money,
    /// The counter seen when delivery began.
    pub start_count: Option<i64>,
    /// Units not delivered yet.
    pub remains: i64,
}

/// How an order stands, and what has come of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub standing: Standing,
    pub parts: Parts,
}

/// What an order has led to. Of the numbers of its orders only the newest are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// It is delivered as one.
    None,
    /// Runs that have begun.
    Runs(i64, Vec<OrderId>),
    /// Posts that were bought for.
    Posts(i64, Vec<OrderId>),
}

/// A move of an order, decided: what to write, and what becomes of the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub status: OrderStatus,
    pub shown: Shown,
    pub start_count: Option<i64>,
    /// Units not delivered.
    pub remains: i64,
    /// Where the money goes, if the order becomes final.
    pub settlement: Option<Settlement>,
}

/// How the charge of an order is divided when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What we have earned.
    pub kept: Money,
    /// What goes back.
    pub refund: Money,
}

/// A move by a person: the new public word, and the counters where they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// The word customers will see.
    pub status: PublicStatus,
    /// The counter seen when delivery began; `None` leaves it.
    pub start_count: Option<i64>,
    /// Units not delivered; `None` leaves it. Completed makes it 0.
    pub remains: Option<i64>,
}

/// What a customer's request to cancel leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// The order ends now, with all its money back.
    AtOnce(Change),
    /// The request is kept until somebody can fulfil it.
    Requested,
}

impl Order {
    /// The word customers see.
    pub const fn public_status(&self) -> PublicStatus {
        PublicStatus::of(self.status, self.shown)
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            status: self.public_status(),
            net_charge: self.net_charge(),
            start_count: self.start_count,
            remains: self.remains,
        }
    }

    /// What the customer pays as things stand: charged less refunded.
    pub fn net_charge(&self) -> Money {
        // A refund never exceeds the charge.
        self.charge.checked_sub(self.refunded).unwrap_or(Money::ZERO)
    }

    /// A move by a person.
    ///
    /// # Errors
    /// Whatever the table of moves above does not have is refused.
    pub fn set(&self, by_hand: &ByHand) -> Result<Change, Refusal> {
        self.check_movable()?;
        if self.kind == ServiceKind::Subscriptions && by_hand.status != PublicStatus::Canceled {
            return Err(OperatorRefusal::SubscriptionOnlyCancels.into());
        }
        let start_count = by_hand.start_count.or(self.start_count);
        let remains = by_hand.remains.unwrap_or(self.remains);
        if !(0..=self.units).contains(&remains) {
            return Err(OperatorRefusal::RemainsAbove(self.units).into());
        }
        let progress = |shown| Change {
            status: OrderStatus::Active,
            shown,
            start_count,
            remains,
            settlement: None,
        };
        match by_hand.status {
            PublicStatus::Pending => Err(OperatorRefusal::NeverBackToPending.into()),
            PublicStatus::Processing => Ok(progress(Shown::Processing)),
            PublicStatus::InProgress => Ok(progress(Shown::InProgress)),
            PublicStatus::Completed => {
                let settled = self.settle(OrderStatus::Completed, 0, self.charge);
                Ok(Change { start_count, ..settled })
            }
            PublicStatus::Partial => Ok(Change { start_count, ..self.end_short(by_hand.remains)? }),
            PublicStatus::Canceled => {
                let settled = self.settle(OrderStatus::Canceled, remains, Money::ZERO);
                Ok(Change { start_count, ..settled })
            }
        }
    }

    /// The words a person may give it now, in the order of [`PublicStatus::ALL`].
    pub fn moves(&self) -> Vec<PublicStatus> {
        let may = |status: &PublicStatus| {
            // Of what partial needs, one unit is the least.
            let remains = (*status == PublicStatus::Partial).then_some(1);
            self.set(&ByHand { status: *status, start_count: None, remains }).is_ok()
        };
        PublicStatus::ALL.iter().copied().filter(may).collect()
    }

    /// The drip-feed order that it is a run of.
    pub const fn parent_of_run(&self) -> Option<OrderId> {
        match self.part {
            Part::RunOf(parent) => Some(parent),
            Part::Whole | Part::PostOf(_) => None,
        }
    }

    /// Units delivered.
    pub const fn delivered(&self) -> i64 {
        self.units - self.remains
    }

    /// The customer asks to cancel.
    ///
    /// # Errors
    /// Refused where the service does not offer it and for an order that is final.
    pub fn request_cancel(&self, listing: &Listing) -> Result<CancelAnswer, OrderRefusal> {
        if self.status.is_final() {
            return Err(OrderRefusal::OrderIsFinal(self.public_status()));
        }
        if !listing.is_cancel {
            return Err(OrderRefusal::CancelNotOffered);
        }
        if self.status == OrderStatus::Pending {
            let settled = self.settle(OrderStatus::Canceled, self.remains, Money::ZERO);
            return Ok(CancelAnswer::AtOnce(settled));
        }
        Ok(CancelAnswer::Requested)
    }

    fn check_movable(&self) -> Result<(), Refusal> {
        match self.status {
            OrderStatus::Pending | OrderStatus::Active => Ok(()),
            OrderStatus::Sending | OrderStatus::Unknown => {
                Err(OperatorRefusal::OrderInHandOver.into())
            }
            OrderStatus::Completed | OrderStatus::Partial | OrderStatus::Canceled => {
                Err(OrderRefusal::OrderIsFinal(self.public_status()).into())
            }
        }
    }

    /// The order ends with that much missing: what was delivered is kept, rounded up.
    pub(super) fn end_short(&self, remains: Option<i64>) -> Result<Change, OperatorRefusal> {
        if self.kind.counting() == Counting::Piece {
            return Err(OperatorRefusal::PackageIsWhole);
        }
        let remains = remains.filter(|remains| (1..self.units).contains(remains));
        let remains = remains.ok_or(OperatorRefusal::RemainsForPartial(self.units - 1))?;
        let kept = self.kept(self.units - remains);
        Ok(self.settle(OrderStatus::Partial, remains, kept))
    }

    /// What a delivery of so many units costs, never more than was charged.
    pub fn kept(&self, delivered: i64) -> Money {
        let kept = self.rate.charge(delivered, self.kind.per());
        kept.map_or(self.charge, |kept| kept.min(self.charge))
    }

    pub(super) fn settle(&self, status: OrderStatus, remains: i64, kept: Money) -> Change {
        let refund = self.charge.checked_sub(kept).unwrap_or(Money::ZERO);
        Change {
            status,
            shown: self.shown,
            start_count: self.start_count,
            remains,
            settlement: Some(Settlement { kept, refund }),
        }
    }
}
