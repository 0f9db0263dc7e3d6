//! What becomes of an order that is sold through a provider, until it has ended.
//!
//! [`Order::hand_over`] has every move between being bought and being at a provider, [`decide`]
//! says which of them an answer to `add` leads to. What a provider reports of an order that it has
//! is in `report.rs`. Three promises decide every doubt: a byte of an order leaves only after its
//! claim is on disk, money moves only on what was said clearly, and what is not clear waits for
//! proof or a person.

use super::money::Money;
use super::order::{Change, Order, OrderStatus, Shown};
use super::outcome::{Family, Outcome};
use super::refusal::{ProviderRefusal, Refusal};
use super::{OrderId, ProviderId, SubmissionId, Timestamp, words};

words! {
    /// What happens next to an order that is sold through a provider.
    pub enum Stage {
        /// It waits to be sent.
        Send = "Send",
        /// It is being sent, or nobody knows whether it has arrived.
        Call = "Call",
        /// It is at the provider and looked at from time to time.
        Watch = "Watch",
        /// A subscription whose posts are looked for.
        Posts = "Posts",
        /// It has ended; one last look tells whether the provider still says so.
        Last = "Last",
        /// It waits for a person.
        Held = "Held",
    }
}

words! {
    /// How an attempt to buy an order at a provider stands.
    pub enum State {
        Sending = "Sending",
        /// It may have arrived.
        Unknown = "Unknown",
        Accepted = "Accepted",
        Rejected = "Rejected",
        /// It surely is not there.
        NotSent = "Not sent",
    }
}

impl State {
    /// Whether the order is or may be at the provider by this attempt.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Sending | Self::Unknown | Self::Accepted)
    }
}

words! {
    /// Why an attempt ended that did not bring the order to the provider.
    pub enum Ending {
        /// They said no for a reason that is about the order.
        Service = "Service",
        Quantity = "Quantity",
        Link = "Link",
        Other = "Other",
        /// They said no for a reason that passes.
        Funds = "Funds",
        Key = "Key",
        Duplicate = "Duplicate",
        /// A text asked us to come back.
        Busy = "Busy",
        /// A status or a code asked us to come back.
        Limited = "Limited",
        /// A person says it is not there.
        Person = "Person",
    }
}

impl Ending {
    /// Whether the place has refused this order for good.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Service | Self::Quantity | Self::Link | Self::Other)
    }

    /// Whether the place has asked us to wait, and may do so for a day.
    pub const fn is_patience(self) -> bool {
        matches!(self, Self::Busy | Self::Limited | Self::Duplicate)
    }

    /// Whether an attempt that ended so may have arrived after all.
    pub const fn is_doubtful(self) -> bool {
        matches!(self, Self::Busy | Self::Limited | Self::Person)
    }
}

words! {
    /// Why an order needs a person.
    pub enum Hand {
        /// Nobody knows whether the provider has it.
        Unknown = "Unknown",
        /// It waited to be sent when an older file was put in the panel's place.
        Restored = "Restored",
        /// It would be bought for more than it was sold for.
        Loss = "Loss",
        /// The provider has put it off for a day.
        Waits = "Waits",
        /// The provider says a word that nobody knows.
        Word = "Word",
        /// It ended short, and the provider does not say by how much.
        Partial = "Partial",
        /// The provider has not known it for a day.
        Lost = "Lost",
        /// It was posted, and only a person can tell what of the subscription's range was bought.
        Post = "Post",
        /// The provider refuses to cancel it.
        CancelRefused = "Cancel refused",
        /// A refill that the provider was asked for needs somebody to look.
        Refill = "Refill",
    }
}

impl Hand {
    /// Why a person is needed, in words for a narrow column.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Unknown => "No clear answer",
            Self::Restored => "Older file restored",
            Self::Loss => "Costs too much",
            Self::Waits => "Put off for a day",
            Self::Word => "Unknown status",
            Self::Partial => "Partial, no count",
            Self::Lost => "Not known there",
            Self::Post => "New post, no count",
            Self::CancelRefused => "Cancel refused",
            Self::Refill => "Refill not clear",
        }
    }

    /// The same as a sentence, without its period.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Unknown => "Nobody knows whether the provider has it",
            Self::Restored => "It waited to be sent when an older file was restored",
            Self::Loss => "It would cost more than it was sold for",
            Self::Waits => "The provider has put it off for a day",
            Self::Word => "The provider says a status that is not known",
            Self::Partial => "It ended short, and the provider does not say by how much",
            Self::Lost => "The provider has not known it for a day",
            Self::Post => "A new post of a subscription: how much was bought for it is not said",
            Self::CancelRefused => "The provider refuses to cancel it",
            Self::Refill => "The provider refuses the refill, or says nothing clear",
        }
    }
}

/// The state of an order that is sold through a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub order: OrderId,
    /// Where it is, or is to be sent.
    pub provider: ProviderId,
    /// Where the search for a provider goes on: 0 is the service's own, 1 to 9 its substitutes.
    pub place: i64,
    pub stage: Stage,
    /// 0 where it was just bought and nothing has happened to it since.
    pub due_at: Timestamp,
    /// How often in a row the stage has come to nothing.
    pub tries: i64,
    /// When something last moved.
    pub moved_at: Timestamp,
    pub hand: Option<Hand>,
}

/// One attempt to buy an order at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    pub id: SubmissionId,
    pub order: OrderId,
    pub provider: ProviderId,
    pub place: i64,
    pub provider_service: String,
    /// Our own id for it there; empty where none is sent.
    pub custom_id: String,
    pub state: State,
    pub ending: Option<Ending>,
    /// What it should cost in our currency.
    pub expected: Money,
    /// What they said it costs, in our currency.
    pub cost: Option<Money>,
    /// Their newest number for us when it was sent.
    pub after_order: Option<String>,
    /// What they said, masked.
    pub answer: String,
    pub evidence: String,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// A move of an order between us and a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOver {
    /// It is about to be sent.
    Claimed,
    /// Nobody knows whether it has arrived.
    Doubted,
    /// The provider has it.
    Accepted,
    /// It surely is nowhere and waits again.
    Returned,
    /// No provider takes it, or the customer no longer wants it: all money back.
    Refused,
    /// A person delivers it.
    TakenOver,
}

impl Order {
    /// A move between us and a provider.
    ///
    /// # Errors
    /// What the table below does not have is refused.
    pub fn hand_over(&self, to: HandOver) -> Result<Change, Refusal> {
        let stay = |status, shown| Change {
            status,
            shown,
            start_count: self.start_count,
            remains: self.remains,
            settlement: None,
        };

        match (self.status, to) {
            (OrderStatus::Pending, HandOver::Claimed) => Ok(stay(OrderStatus::Sending, self.shown)),
            (OrderStatus::Pending | OrderStatus::Sending, HandOver::Doubted) => {
                Ok(stay(OrderStatus::Unknown, self.shown))
            }
            (OrderStatus::Sending | OrderStatus::Unknown, HandOver::Accepted) => {
                Ok(stay(OrderStatus::Active, Shown::Pending))
            }
            (OrderStatus::Sending | OrderStatus::Unknown, HandOver::Returned) => {
                Ok(stay(OrderStatus::Pending, self.shown))
            }
            (
                OrderStatus::Pending | OrderStatus::Sending | OrderStatus::Unknown,
                HandOver::Refused,
            ) => Ok(self.settle(OrderStatus::Canceled, self.remains, Money::ZERO)),
            (OrderStatus::Pending | OrderStatus::Unknown, HandOver::TakenOver) => {
                Ok(stay(OrderStatus::Active, Shown::InProgress))
            }
            _ => Err(ProviderRefusal::NothingToDecide.into()),
        }
    }
}

/// What is known of an order when an answer to its `add` is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub order: OrderId,
    pub now: Timestamp,
    /// How often it has come back from being sent.
    pub tries: i64,
    /// Since when the place asks us to wait.
    pub waits_since: Timestamp,
    /// Whether another place has not refused it for good.
    pub has_other: bool,
    /// Whether such a place could take it now.
    pub has_well: bool,
    /// How often before a mere text of this place has asked us to come back.
    pub said_busy: i64,
    /// Whether an earlier attempt at this place may have arrived after all.
    pub has_doubt: bool,
    /// Whether this place has refused our key for this order before, and has since told our
    /// balance: then the text is about the order.
    pub is_key_proven: bool,
    /// Whether the number they gave belongs to another order of ours.
    pub is_known: bool,
}

/// What an answer to `add` leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// They have it, under this number.
    Watch(String),
    /// It waits for proof or a person.
    Doubt,
    /// It stays where it is until then.
    Wait(Option<Ending>, Timestamp),
    /// It goes to another place: one that could take it, or else the first that has not refused it.
    Move(Ending),
    /// Nobody takes it.
    Refund(Ending),
    /// It waits for a person.
    Hold(Ending, Hand),
}

const DAY: i64 = 86_400;
const MINUTE: i64 = 60;
/// How often a mere text may ask us to come back before a person looks.
const SAID_BUSY_MAX: i64 = 3;

/// What an answer to `add` leads to. Money goes back only where nobody has the order for sure.
pub fn decide(outcome: &Outcome, attempt: &Attempt) -> Next {
    match outcome {
        Outcome::Accepted { .. } if attempt.is_known => Next::Doubt,
        Outcome::Accepted { their_id } => Next::Watch(their_id.clone()),
        Outcome::Unknown { .. } => Next::Doubt,
        Outcome::NotSent { .. } => Next::Wait(None, attempt.after_failure(None)),
        Outcome::Busy { retry_after, is_only_said, .. } => {
            let ending = if *is_only_said { Ending::Busy } else { Ending::Limited };
            let is_liar = *is_only_said && attempt.said_busy + 1 >= SAID_BUSY_MAX;
            attempt.wait_or_hold(ending, is_liar, attempt.after_failure(*retry_after))
        }
        Outcome::Refused { family, .. } => attempt.refused(*family),
    }
}

impl Attempt {
    fn refused(&self, family: Family) -> Next {
        let passing = |ending, seconds| match self.has_well {
            true => Next::Move(ending),
            false => Next::Wait(Some(ending), self.after(seconds)),
        };
        let lasting = |ending| match self.has_other {
            true => Next::Move(ending),
            false => Next::Refund(ending),
        };
        match family {
            Family::Funds => passing(Ending::Funds, 10 * MINUTE),
            Family::Key if self.is_key_proven => lasting(Ending::Other),
            Family::Key => passing(Ending::Key, MINUTE),
            Family::Duplicate if self.has_doubt => Next::Doubt,
            Family::Duplicate => {
                let steps = [2, 5, 10, 20].map(|minutes| minutes * MINUTE);
                let seconds = spread(step(&steps, self.tries), self.order, self.tries);
                self.wait_or_hold(Ending::Duplicate, false, self.after(seconds))
            }
            Family::Service => lasting(Ending::Service),
            Family::Quantity => lasting(Ending::Quantity),
            Family::Link => lasting(Ending::Link),
            Family::Other => lasting(Ending::Other),
            // No reading of an answer calls these a refusal.
            Family::Trouble | Family::Replay | Family::Busy => Next::Doubt,
        }
    }

    fn wait_or_hold(&self, ending: Ending, is_over: bool, until: Timestamp) -> Next {
        let waits_for = self.now.0 - self.waits_since.0;
        match is_over || waits_for >= DAY {
            true => Next::Hold(ending, Hand::Waits),
            false => Next::Wait(Some(ending), until),
        }
    }

    fn after_failure(&self, retry_after: Option<i64>) -> Timestamp {
        let back_off = spread(step(&[5, 15, 30, 60, 120], self.tries), self.order, self.tries);
        self.after(retry_after.map_or(back_off, |seconds| seconds.clamp(1, 2 * MINUTE)))
    }

    fn after(&self, seconds: i64) -> Timestamp {
        Timestamp(self.now.0 + seconds)
    }
}

/// When an order at a provider is looked at next, `tries` looks after something moved. A younger
/// one more often than one that has been there for a week.
pub fn next_look(delivery: &Delivery, bought_at: Timestamp, now: Timestamp) -> Timestamp {
    let minutes = match now.0 - bought_at.0 > 7 * DAY {
        true => 60,
        false => step(&[1, 2, 3, 5, 8, 13, 20], delivery.tries),
    };
    Timestamp(now.0 + spread(minutes * MINUTE, delivery.order, delivery.tries))
}

/// The step of that number, or the last one.
fn step(steps: &[i64], tries: i64) -> i64 {
    let at = usize::try_from(tries).unwrap_or(0).min(steps.len() - 1);
    steps[at]
}

/// So many seconds, a fifth more or less: the same for the same order and try, so that a run can
/// be repeated. What is short stays as it is.
pub fn spread(seconds: i64, order: OrderId, tries: i64) -> i64 {
    let fifth = seconds / 5;
    if fifth == 0 {
        return seconds;
    }
    let mut mixed = (order.0.unsigned_abs() << 8) ^ tries.unsigned_abs();
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let width = (2 * fifth + 1).unsigned_abs();
    seconds - fifth + i64::try_from((mixed ^ (mixed >> 31)) % width).unwrap_or(0)
}
