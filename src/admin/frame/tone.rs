//! The tones of states: what waits for a person, what goes on, what has ended and how.

use crate::domain::order::PublicStatus;
use crate::domain::refill::RefillStatus;

/// The tone of an order's status.
pub(crate) const fn order(status: PublicStatus) -> &'static str {
    match status {
        PublicStatus::Pending | PublicStatus::Partial => "attention",
        PublicStatus::Processing | PublicStatus::InProgress => "waiting",
        PublicStatus::Completed => "good",
        PublicStatus::Canceled => "quiet",
    }
}

/// The tone of a refill's status.
pub(crate) const fn refill(status: &RefillStatus) -> &'static str {
    match status {
        RefillStatus::Pending => "attention",
        RefillStatus::InProgress => "waiting",
        RefillStatus::Completed => "good",
        RefillStatus::Rejected => "quiet",
        RefillStatus::Error => "bad",
    }
}
