//! What happened in a time, in numbers: what charts are drawn from.

use super::money::Money;

/// Seconds in a slot of figures: a quarter of an hour, the largest that the days of every time zone
/// are made of.
pub const SLOT_SECONDS: i64 = 900;

/// What happened in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Orders placed.
    pub orders: i64,
    /// Taken for them.
    pub charged: Money,
    /// Earned.
    pub captured: Money,
    /// Given back.
    pub refunded: Money,
    /// Paid in.
    pub deposits: Money,
    /// What orders that ended have cost at providers.
    pub cost: Money,
}

impl Figures {
    /// What was earned less what providers have asked for it; less than nothing for a loss.
    pub fn profit(&self) -> Money {
        self.captured.checked_sub(self.cost).unwrap_or(self.captured)
    }

    /// Both times together; the largest number there is, where that is not enough.
    pub fn plus(&self, more: &Self) -> Self {
        let add = |a: Money, b: Money| Money::from_micros(a.micros().saturating_add(b.micros()));
        Self {
            orders: self.orders.saturating_add(more.orders),
            charged: add(self.charged, more.charged),
            captured: add(self.captured, more.captured),
            refunded: add(self.refunded, more.refunded),
            deposits: add(self.deposits, more.deposits),
            cost: add(self.cost, more.cost),
        }
    }
}
