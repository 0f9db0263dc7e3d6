//! What waits at a provider that is held back goes to another place that could take it: it is
//! surely nowhere, so it is free to move.

use super::places::{self, Unwell, load};
use super::sending::go_to;
use crate::domain::{OrderId, ProviderId, Timestamp};
use crate::store::{Command, Result, Tx, deliveries};

const AT_ONCE: usize = 500;
/// Orders wait at least so long where they were to be bought first.
const PATIENCE: i64 = 120;

/// Moves orders that have waited a while at a provider that is held back.
pub struct ReplaceWaiting {
    pub provider: ProviderId,
    /// Providers that are held back just now.
    pub unwell: Unwell,
    /// Behind which order the slice begins; `None` for the first.
    pub after: Option<(Timestamp, OrderId)>,
}

/// What a slice came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// How many were moved.
    pub moved: usize,
    /// The last one that was looked at; `None` where there are no more.
    pub last: Option<(Timestamp, OrderId)>,
}

impl Command for ReplaceWaiting {
    type Reply = Replaced;

    fn run(&self, tx: &Tx<'_>) -> Result<Replaced> {
        let waiting = deliveries::list_waiting(tx, self.provider, self.after, AT_ONCE)?;
        let last = waiting.get(AT_ONCE - 1).copied();
        let mut moved = Vec::new();
        for (_, id) in waiting {
            let (order, delivery) = load(tx, id)?;
            if tx.now.0 - delivery.moved_at.0 < PATIENCE {
                continue;
            }
            let others = places::of(tx, &order, &self.unwell, tx.now)?.beside(&delivery);
            if let Some(place) = others.first_good() {
                moved.push((delivery, place.clone()));
            }
        }

        let count = moved.len();
        for (delivery, place) in moved {
            go_to(tx, delivery, &place)?;
        }
        Ok(Replaced { moved: count, last })
    }
}
