//! The tones of states: a colour for what waits for a person, goes on, or has ended and how, and a
//! mark that no other status of the same thing has, for those who see no colours.

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
