//! Conditions: what the operator should know, raised once and cleared by itself or by a person.

use super::{ConditionId, Timestamp, words};

words! {
    /// What is the matter. A kind and a subject have at most one open condition.
    pub enum ConditionKind {
        /// A provider's balance does not pay for an order.
        Funds = "Funds",
        LowBalance = "Low balance",
        /// A provider does not accept our key.
        Key = "Key",
        /// A provider does not answer.
        Failing = "Failing",
        /// A provider refuses one order after the other.
        Refusing = "Refusing",
        /// A provider has given an unclear answer and has not been proven well since.
        Unproven = "Unproven",
        /// A provider's list could not be taken over.
        Catalogue = "Catalogue",
        PriceJump = "Price jump",
        /// A service is no longer on its provider's list.
        Gone = "Gone",
        Renamed = "Renamed",
        /// A service's type is another on its provider's list.
        KindChanged = "Kind changed",
        BelowCost = "Below cost",
        /// A provider refused a quantity that we sell.
        Limits = "Limits",
        /// A provider refused a service that we sell.
        ServiceRefused = "Service refused",
        /// A provider's currency is not the one that was set.
        Currency = "Currency",
        /// An order cost more than expected.
        Overcharged = "Overcharged",
        /// Orders at a provider wait for a person.
        Hand = "Hand",
        /// A provider says something else of an order that has ended.
        Contradicts = "Contradicts",
        /// A subscription's post was bought that its user cannot pay for.
        UnpaidPosts = "Unpaid posts",
        /// A user's endpoint takes no events.
        Webhook = "Webhook",
        /// Orders of a service have not moved for long.
        Slow = "Slow",
        /// An older file lies in the place of the panel's.
        Restored = "Restored",
        /// The epoch file cannot be written, so nothing is sent.
        Epoch = "Epoch",
        /// The books are not sound.
        Books = "Books",
        /// The disk is nearly full.
        Disk = "Disk",
        /// Nobody has backed up the panel for long.
        Backup = "Backup",
    }
}

impl ConditionKind {
    /// What is the matter, in words for a narrow column.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Funds => "Not enough funds",
            Self::LowBalance => "Low balance",
            Self::Key => "Key refused",
            Self::Failing => "Does not answer",
            Self::Refusing => "Refuses orders",
            Self::Unproven => "No clear answer",
            Self::Catalogue => "List not usable",
            Self::PriceJump => "Price jump",
            Self::Gone => "Gone from the list",
            Self::Renamed => "Renamed",
            Self::KindChanged => "Type changed",
            Self::BelowCost => "Below cost",
            Self::Limits => "Quantity refused",
            Self::ServiceRefused => "Service refused",
            Self::Currency => "Other currency",
            Self::Overcharged => "Overcharged",
            Self::Hand => "Needs a decision",
            Self::Contradicts => "Changed after its end",
            Self::UnpaidPosts => "Unpaid posts",
            Self::Webhook => "Takes no events",
            Self::Slow => "Slow",
            Self::Books => "Books unsound",
            Self::Disk => "Disk nearly full",
            Self::Backup => "No recent backup",
            Self::Restored => "Older file restored",
            Self::Epoch => "Nothing is sent",
        }
    }
}

/// Something the operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub id: ConditionId,
    pub kind: ConditionKind,
    /// What it is about: `provider 3`, `service 12`, `order 812`, `user 7`, or nothing.
    pub subject: String,
    pub text: String,
    pub raised_at: Timestamp,
    pub cleared_at: Option<Timestamp>,
    pub muted_until: Option<Timestamp>,
}

impl Condition {
    /// Whether somebody has put it out of sight for now.
    pub fn is_muted(&self, now: Timestamp) -> bool {
        self.muted_until.is_some_and(|until| until > now)
    }
}
