//! A file from a clock that was ahead: what would fall due only when the clock gets there again is
//! due now. Looks for it with each start.

use super::webhooks::pull_webhook;
use crate::domain::Timestamp;
use crate::domain::delivery::Stage;
use crate::store::{Command, Result, Tx, deliveries, errands, providers, webhooks};

/// Rows in one command.
const SLICE: i64 = 500;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// Later than a stage is ever due by itself.
const TOO_LATE: &[(Stage, i64)] = &[
    (Stage::Send, 30 * MINUTE),
    (Stage::Watch, 2 * HOUR),
    (Stage::Posts, 2 * HOUR),
    (Stage::Last, 25 * HOUR),
];
const ERRAND_TOO_LATE: i64 = 8 * HOUR;
const PAUSE_TOO_LATE: i64 = HOUR;
const SYNC_TOO_LATE: i64 = 7 * HOUR;

/// Makes due what a clock that was ahead has put off too far.
pub struct PullToNow;

impl Command for PullToNow {
    /// How much was put off too far; there is no more where it is 0.
    type Reply = usize;

    fn run(&self, tx: &Tx<'_>) -> Result<usize> {
        let after = |seconds: i64| Timestamp(tx.now.0 + seconds);
        let mut pulled = 0;
        for provider in providers::list(tx)? {
            for (stage, seconds) in TOO_LATE {
                let late = (*stage, after(*seconds));
                pulled += deliveries::pull(tx, provider.id, late, SLICE)?;
            }
            pulled += errands::pull(tx, provider.id, after(ERRAND_TOO_LATE), SLICE)?;
            let is_paused = provider.paused_until.is_some_and(|at| at > after(PAUSE_TOO_LATE));
            let is_read = provider.balance_at.is_some_and(|at| at > tx.now);
            if is_paused || is_read || provider.sync_due_at > after(SYNC_TOO_LATE) {
                providers::pull(tx, provider.id)?;
            }
        }
        for user in webhooks::list_unsettled(tx)? {
            pulled += pull_webhook(tx, user, SLICE)?;
        }
        Ok(pulled)
    }
}
