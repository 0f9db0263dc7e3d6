//! What nearly every command of a transaction changes: figures, the counts of orders, what the
//! accounts of the house hold. It is added up here and written once, before the COMMIT, by
//! `writer/mod.rs`.

use crate::domain::AccountId;
use crate::domain::figures::Figures;
use crate::domain::ledger::HOUSE;
use crate::domain::money::Money;
use crate::domain::order::PublicStatus;

/// What the commands of a transaction have changed and not yet written.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// The slot that the figures are of.
    pub slot_at: i64,
    pub figures: Figures,
    /// Whether there is something for delivery to do.
    pub has_work: bool,
    /// By the place of the status in [`PublicStatus::ALL`].
    counts: [i64; PublicStatus::ALL.len()],
    /// By the place of the account in [`HOUSE`]; `None` where no money has moved.
    held: [Option<Money>; HOUSE.len()],
}

impl Sums {
    /// Whether nothing is to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.figures == Figures::default()
            && self.counts.iter().all(|count| *count == 0)
            && self.held.iter().all(Option::is_none)
    }

    /// Counts orders that come to a status, or leave it.
    pub(super) fn count(&mut self, status: PublicStatus, by: i64) {
        let counts = PublicStatus::ALL.iter().zip(&mut self.counts);
        counts.filter(|(known, _)| **known == status).for_each(|(_, count)| *count += by);
    }

    /// The statuses whose counts have changed, and by how much.
    pub(super) fn counted(&self) -> impl Iterator<Item = (PublicStatus, i64)> {
        PublicStatus::ALL.iter().copied().zip(self.counts).filter(|(_, by)| *by != 0)
    }

    /// What an account holds, if it is the house's and has moved.
    pub(super) fn held(&self, account: AccountId) -> Option<Money> {
        place(account).and_then(|place| self.held[place])
    }

    /// Keeps what an account of the house holds from now on. False where it is a user's.
    pub(super) fn hold(&mut self, account: AccountId, balance: Money) -> bool {
        let Some(place) = place(account) else { return false };
        self.held[place] = Some(balance);
        true
    }

    /// The accounts of the house that have moved, and what they hold.
    pub(super) fn all_held(&self) -> impl Iterator<Item = (AccountId, Money)> {
        HOUSE.into_iter().zip(self.held).filter_map(|(account, held)| Some((account, held?)))
    }
}

fn place(account: AccountId) -> Option<usize> {
    HOUSE.iter().position(|house| *house == account)
}
