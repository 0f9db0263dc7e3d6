//! What a provider's answer to an order means.

use super::words;

words! {
    /// What an error text is about.
    pub enum Family {
        /// Their machine is unwell: the order may have arrived all the same.
        Trouble = "Trouble",
        /// They know our own id already: an earlier try has arrived.
        Replay = "Replay",
        Funds = "Funds",
        Key = "Key",
        /// They have an open order for the link.
        Duplicate = "Duplicate",
        Busy = "Busy",
        Service = "Service",
        Quantity = "Quantity",
        Link = "Link",
        Other = "Other",
    }
}

/// What an answer to `add` means. `answer` is masked and fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They have it, under this number of theirs.
    Accepted { their_id: String },
    /// They clearly refused it. Never for trouble, replay or busy.
    Refused { family: Family, answer: String },
    /// Surely no byte of it has left us.
    NotSent { answer: String },
    /// They ask us to come back, in so many seconds where they say so. `is_only_said` where a text
    /// alone says it, without a status or a code that means it.
    Busy { retry_after: Option<i64>, is_only_said: bool, answer: String },
    /// It may have arrived.
    Unknown { answer: String },
}
