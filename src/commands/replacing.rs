//! What waits at a provider that is held back goes to another place that could take it: it is
//! surely nowhere, so it is free to move.

use super::places::{self, Unwell};
use super::sending::{go_to, load};
use crate::domain::ProviderId;
use crate::domain::delivery::Stage;
use crate::store::{Command, Result, Tx, deliveries};

const AT_ONCE: i64 = 500;
/// Orders wait at least so long where they were to be bought first.
const PATIENCE: i64 = 120;

/// Moves orders that have waited a while at a provider that is held back.
pub struct ReplaceWaiting {
    pub provider: ProviderId,
    /// Providers that are held back just now.
    pub unwell: Unwell,
}

impl Command for ReplaceWaiting {
    /// How many were moved.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let waiting = deliveries::list_in_stage(tx, self.provider, Stage::Send, AT_ONCE)?;
        let mut moved = Vec::new();
        for id in waiting {
            let (order, delivery) = load(tx, id)?;
            if tx.now.0 - delivery.moved_at.0 < PATIENCE {
                continue;
            }
            let others = places::of(tx, &order, &self.unwell, tx.now)?.without(delivery.place);
            if let Some(place) = others.first_good() {
                moved.push((delivery, place.clone()));
            }
        }

        let count = moved.len();
        for (delivery, place) in moved {
            go_to(tx, delivery, &place)?;
        }
        Ok(count)
    }
}
