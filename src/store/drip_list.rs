//! Drip-feed orders as pages show them: with the names of who bought and of what.

use super::drips;
use super::order_list::{self, Listed};
use super::page::{Cursor, Page};
use super::{Read, Result, together};
use crate::domain::OrderId;
use crate::domain::schedule::Drip;

/// A drip-feed order and how far its runs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dripping {
    pub listed: Listed,
    pub drip: Drip,
}

impl Dripping {
    /// Runs of the order, all of them.
    pub fn runs(&self) -> i64 {
        self.listed.order.drip_feed.map_or(0, |feed| feed.runs)
    }

    /// Whether runs may be kept from beginning.
    pub const fn can_stop(&self) -> bool {
        self.drip.can_stop(&self.listed.order)
    }

    /// Whether runs are left that a person may let begin.
    pub fn can_resume(&self) -> bool {
        self.drip.can_resume(&self.listed.order)
    }

    /// What is to come, where no instant says so.
    pub fn next(&self) -> &'static str {
        if self.listed.order.status.is_final() {
            "ended"
        } else if self.drip.hand.is_some() {
            "stopped: an older file was put back"
        } else if self.drip.started < self.runs() {
            "stopped"
        } else {
            "all have begun"
        }
    }
}

/// The order of that number, if its runs are ours to begin.
pub fn find(db: &Read<'_>, id: OrderId) -> Result<Option<Dripping>> {
    let (listed, drip) = together!(db: order_list::find(db, id), drips::find(db, id));
    Ok(listed.zip(drip).map(|(listed, drip)| Dripping { listed, drip }))
}

/// A page of them, the newest first.
pub fn page(db: &Read<'_>, cursor: Cursor, size: i64) -> Result<Page<Dripping>> {
    let Page { rows, has_newer, has_older } = drips::page(db, cursor, size)?;
    let found = db.each(&rows, |db, drip| find(db, drip.order))?;
    let rows = found.into_iter().flatten().collect();
    Ok(Page { rows, has_newer, has_older })
}
