//! The tones of states: a colour for what waits for a person, goes on, or has ended and how, and a
//! mark that no other status of the same thing has, for those who see no colours.

use crate::domain::condition::{Condition, ConditionKind};
use crate::domain::delivery::State;
use crate::domain::event::EventState;
use crate::domain::order::PublicStatus;
use crate::domain::refill::RefillStatus;

/// The tone of an order's status.
pub(crate) const fn order(status: PublicStatus) -> &'static str {
    match status {
        PublicStatus::Pending => "attention ring",
        PublicStatus::Processing => "waiting target",
        PublicStatus::InProgress => "waiting half",
        PublicStatus::Completed => "good dot",
        PublicStatus::Partial => "attention part",
        PublicStatus::Canceled => "quiet bar",
    }
}

/// The tone of a refill's status.
pub(crate) const fn refill(status: &RefillStatus) -> &'static str {
    match status {
        RefillStatus::Pending => "attention ring",
        RefillStatus::InProgress => "waiting half",
        RefillStatus::Completed => "good dot",
        RefillStatus::Rejected => "quiet bar",
        RefillStatus::Error => "bad square",
    }
}

/// The tone of an attempt to buy an order at a provider.
pub(crate) const fn attempt(state: &State) -> &'static str {
    match state {
        State::Sending => "waiting half",
        State::Unknown => "bad square",
        State::Accepted => "good dot",
        State::Rejected => "attention part",
        State::NotSent => "quiet bar",
    }
}

/// The tone of telling an event.
pub(crate) const fn event(state: &EventState) -> &'static str {
    match state {
        EventState::Waiting => "waiting half",
        EventState::Done => "good dot",
        EventState::Failed => "bad square",
    }
}

/// The tone of an alert: what stops orders, what costs money, what is good to know, what is over.
pub(crate) const fn condition(condition: &Condition) -> &'static str {
    use ConditionKind as Kind;

    if condition.cleared_at.is_some() {
        return "quiet bar";
    }
    match condition.kind {
        Kind::Funds
        | Kind::Key
        | Kind::Failing
        | Kind::Refusing
        | Kind::Unproven
        | Kind::Hand
        | Kind::Restored
        | Kind::Epoch
        | Kind::Books
        | Kind::Disk => "bad square",
        Kind::LowBalance
        | Kind::PriceJump
        | Kind::BelowCost
        | Kind::Overcharged
        | Kind::ServiceRefused
        | Kind::Contradicts
        | Kind::UnpaidPosts
        | Kind::Gone
        | Kind::KindChanged
        | Kind::Currency
        | Kind::Backup
        | Kind::Catalogue => "attention ring",
        Kind::Renamed | Kind::Limits | Kind::Slow | Kind::Webhook => "waiting target",
    }
}
