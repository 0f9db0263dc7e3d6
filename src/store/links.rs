//! How orders are found by their links: by a key that is the same however a link was pasted.

use super::value::params;
use super::{Result, Tx};
use crate::domain::link;
use crate::domain::order::Order;

/// How much of a link orders are found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ByLink {
    /// Those for exactly this text.
    Exactly(String),
    /// Those for the same post, however it was pasted.
    Same(String),
    /// Those for what begins like this, however it was pasted.
    Starting(String),
}

/// Between which keys a link lies, both ends within, and the text it must have.
#[derive(Default)]
pub(super) struct LinkParams<'a> {
    pub low: Option<String>,
    pub high: Option<String>,
    pub exactly: Option<&'a str>,
}

impl ByLink {
    /// Whether an order that was found otherwise is for it.
    pub(super) fn holds(&self, order: &Order) -> bool {
        match self {
            Self::Exactly(link) => order.link == *link,
            Self::Same(link) => link::key(&order.link) == link::key(link),
            Self::Starting(start) => link::key(&order.link).starts_with(&link::key(start)),
        }
    }

    pub(super) fn params(&self) -> LinkParams<'_> {
        let (Self::Exactly(link) | Self::Same(link) | Self::Starting(link)) = self;
        let (low, exactly) = (link::key(link), matches!(self, Self::Exactly(_)).then_some(&**link));
        let high = match self {
            Self::Exactly(_) | Self::Same(_) => low.clone(),
            // No character sorts after it.
            Self::Starting(_) => format!("{low}{}", char::MAX),
        };
        LinkParams { low: Some(low), high: Some(high), exactly }
    }
}

/// Orders that are read and written at once where all of them get a key.
const SLICE: i64 = 5000;

/// Gives every order the key of its link.
pub(super) fn fill_keys(tx: &Tx<'_>) -> Result<()> {
    let mut after = 0;
    loop {
        let slice: Vec<(i64, String)> = tx.list(
            "SELECT id, link FROM orders WHERE id > $1 ORDER BY id LIMIT $2",
            params![after, SLICE],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let Some((last, _)) = slice.last() else { return Ok(()) };
        after = *last;
        for (id, link) in &slice {
            let sql = "UPDATE orders SET link_key = $1 WHERE id = $2";
            tx.execute(sql, params![link::key(link), *id])?;
        }
    }
}
