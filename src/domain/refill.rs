//! Refills: delivering again what dropped. No money moves.

use super::order::{Order, OrderStatus};
use super::refusal::{OperatorRefusal, OrderRefusal};
use super::service::Listing;
use super::{OrderId, RefillId, Timestamp, UserId, words};

const DAY_SECONDS: i64 = 86_400;

words! {
    /// How far a refill is.
    pub enum RefillStatus {
        /// Nobody has touched it.
        Pending = "Pending",
        InProgress = "In progress",
        Completed = "Completed",
        /// Refused by the operator; final.
        Rejected = "Rejected",
        /// Failed; final.
        Error = "Error",
    }
}

impl RefillStatus {
    /// Whether the refill still waits for its end.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress)
    }

    /// Whether it ended without being delivered.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Rejected | Self::Error)
    }

    /// Whether a refill may go from here to there: forward only, and what is final stays.
    pub const fn check_move(self, next: Self) -> Result<(), OperatorRefusal> {
        match (self, next) {
            (Self::Completed | Self::Rejected | Self::Error, _) => {
                Err(OperatorRefusal::RefillIsFinal)
            }
            (_, Self::Pending) => Err(OperatorRefusal::RefillNeverBack),
            (Self::Pending | Self::InProgress, _) => Ok(()),
        }
    }
}

/// One request to deliver again what dropped of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refill {
    pub id: RefillId,
    /// What is to be delivered again.
    pub order: OrderId,
    pub user: UserId,
    pub status: RefillStatus,
    pub created_at: Timestamp,
}

impl Refill {
    /// Whether a person may move it there, from somewhere else.
    pub fn may_become(&self, status: RefillStatus) -> bool {
        status != self.status && self.status.check_move(status).is_ok()
    }

    /// Where a person may move it.
    pub fn moves(&self) -> Vec<RefillStatus> {
        RefillStatus::ALL.iter().copied().filter(|status| self.may_become(*status)).collect()
    }
}

/// Decides whether the customer may have a refill of the order now.
pub fn request(
    order: &Order,
    listing: &Listing,
    latest: Option<RefillStatus>,
    now: Timestamp,
) -> Result<(), OrderRefusal> {
    if !listing.is_refill {
        return Err(OrderRefusal::RefillNotOffered);
    }
    let finished_at = match (order.status, order.finished_at) {
        (OrderStatus::Completed, Some(at)) => at,
        _ => return Err(OrderRefusal::RefillNotCompleted),
    };
    if let Some(days) = listing.refill_days
        && now.0 - finished_at.0 > days * DAY_SECONDS
    {
        return Err(OrderRefusal::RefillTooLate(days));
    }
    if latest.is_some_and(RefillStatus::is_open) {
        return Err(OrderRefusal::RefillIsOpen);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::RefillStatus::{Completed, Error, InProgress, Pending, Rejected};
    use super::*;

    #[test]
    fn a_refill_only_goes_forward() {
        let allowed = [
            (Pending, InProgress),
            (Pending, Completed),
            (Pending, Rejected),
            (Pending, Error),
            (InProgress, InProgress),
            (InProgress, Completed),
            (InProgress, Rejected),
            (InProgress, Error),
        ];
        for &from in RefillStatus::ALL {
            for &to in RefillStatus::ALL {
                let is_allowed = allowed.contains(&(from, to));
                assert_eq!(from.check_move(to).is_ok(), is_allowed, "{from} → {to}");
            }
        }
    }
}
