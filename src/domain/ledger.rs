//! The books: every movement of money is one posting from one account to another.
//!
//! A posting is a single row, so both sides always agree and the sum of all balances is 0 at every
//! moment. Money of an open order waits in escrow; it leaves for revenue when delivered and goes
//! back to the user when not.

use super::money::Money;
use super::refusal::OperatorRefusal;
use super::user::User;
use super::{AccountId, OrderId, PostingId, UserId, words};

/// The world outside: where deposits come from. Its balance is minus all that is inside.
pub const EXTERNAL: AccountId = AccountId(1);
/// What customers paid for orders that are still open.
pub const ESCROW: AccountId = AccountId(2);
/// What the house has earned.
pub const REVENUE: AccountId = AccountId(3);
/// The accounts that are no user's.
pub const HOUSE: [AccountId; 3] = [EXTERNAL, ESCROW, REVENUE];

words! {
    /// What an account is for.
    pub enum AccountKind {
        /// The world outside.
        External = "External",
        /// Money of open orders.
        Escrow = "Escrow",
        /// The house's earnings.
        Revenue = "Revenue",
        /// A reseller's account.
        User = "User",
    }
}

words! {
    /// Why money moved.
    pub enum PostingKind {
        /// Money came in from outside: external → user.
        Deposit = "Deposit",
        /// A correction by the operator, with a reason: external ↔ user.
        Adjustment = "Adjustment",
        /// An order was placed: user → escrow.
        Charge = "Charge",
        /// What was delivered is earned: escrow → revenue.
        Capture = "Capture",
        /// What was not delivered goes back: escrow → user.
        Refund = "Refund",
        /// Given back after an order was final: revenue → user.
        Goodwill = "Goodwill",
    }
}

impl PostingKind {
    /// Whether postings of this kind may move money between accounts of those kinds.
    pub fn joins(self, source: AccountKind, destination: AccountKind) -> bool {
        use AccountKind::{Escrow, External, Revenue, User};
        let ways: &[(AccountKind, AccountKind)] = match self {
            Self::Deposit => &[(External, User)],
            Self::Adjustment => &[(External, User), (User, External)],
            Self::Charge => &[(User, Escrow)],
            Self::Capture => &[(Escrow, Revenue)],
            Self::Refund => &[(Escrow, User)],
            Self::Goodwill => &[(Revenue, User)],
        };
        ways.contains(&(source, destination))
    }
}

/// One movement of money, about to be written. The amount is always more than nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    pub kind: PostingKind,
    pub source: AccountId,
    /// Where it arrives.
    pub destination: AccountId,
    pub amount: Money,
    /// The user whose account moves, if one does.
    pub user: Option<UserId>,
    /// The order it pays for, if any.
    pub order: Option<OrderId>,
    /// What the operator or the customer reads about it.
    pub note: String,
    /// A name for this one movement; writing it a second time is refused.
    pub reference: Option<String>,
}

/// A user's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    pub user: UserId,
    pub id: AccountId,
}

impl Posting {
    fn new(kind: PostingKind, source: AccountId, destination: AccountId, amount: Money) -> Self {
        assert!(amount > Money::ZERO, "a posting moves something: {kind} {amount}");
        let (user, order, note, reference) = (None, None, String::new(), None);
        Self { kind, source, destination, amount, user, order, note, reference }
    }

    /// Money from outside into an account.
    pub fn deposit(account: Account, amount: Money) -> Self {
        let posting = Self::new(PostingKind::Deposit, EXTERNAL, account.id, amount);
        Self { user: Some(account.user), ..posting }
    }

    /// A correction of an account by a signed amount, `None` for a correction by nothing.
    pub fn adjustment(account: Account, by: Money) -> Option<Self> {
        let (source, destination) = match by.micros() {
            0 => return None,
            micros if micros > 0 => (EXTERNAL, account.id),
            _ => (account.id, EXTERNAL),
        };
        let posting = Self::new(PostingKind::Adjustment, source, destination, by.magnitude());
        Some(Self { user: Some(account.user), ..posting })
    }

    /// The price of an order into escrow, `None` for one that costs nothing.
    pub fn charge(account: Account, amount: Money, order: OrderId) -> Option<Self> {
        (amount > Money::ZERO).then(|| Self {
            user: Some(account.user),
            order: Some(order),
            ..Self::new(PostingKind::Charge, account.id, ESCROW, amount)
        })
    }

    /// What was delivered of an order is earned, `None` where nothing was.
    pub fn capture(amount: Money, order: OrderId) -> Option<Self> {
        (amount > Money::ZERO).then(|| Self {
            order: Some(order),
            ..Self::new(PostingKind::Capture, ESCROW, REVENUE, amount)
        })
    }

    /// What was not delivered goes back, `None` where all was.
    pub fn refund(account: Account, amount: Money, order: OrderId) -> Option<Self> {
        (amount > Money::ZERO).then(|| Self {
            user: Some(account.user),
            order: Some(order),
            ..Self::new(PostingKind::Refund, ESCROW, account.id, amount)
        })
    }

    /// The balances of both sides after the posting.
    ///
    /// # Errors
    /// `AmountTooLarge` where a balance would no longer fit.
    pub fn balances_after(
        &self,
        source: Money,
        destination: Money,
    ) -> Result<(Money, Money), OperatorRefusal> {
        let after = (source.checked_sub(self.amount), destination.checked_add(self.amount));
        let (Some(source), Some(destination)) = after else {
            return Err(OperatorRefusal::AmountTooLarge);
        };
        Ok((source, destination))
    }
}

/// A posting that stands in the books, as far as taking it back needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub id: PostingId,
    pub kind: PostingKind,
    pub source: AccountId,
    pub amount: Money,
    /// Whose account moved, if one did.
    pub user: Option<UserId>,
    /// The posting that has taken it back already.
    pub reversed_by: Option<PostingId>,
}

impl Posted {
    /// The reference under which this one is taken back. A reference is booked once, so a posting
    /// is reversed once.
    pub fn reversal_reference(&self) -> String {
        format!("{REVERSAL}{}", self.id)
    }

    /// The posting that takes this one back: the same amount the other way.
    ///
    /// # Errors
    /// What belongs to an order is settled with the order; what was reversed stays reversed; nobody
    /// is put below their credit limit; and there has to be a reason.
    pub fn reverse(&self, user: &User, note: &str) -> Result<Posting, OperatorRefusal> {
        let by = match self.kind {
            PostingKind::Deposit => -self.amount.micros(),
            PostingKind::Adjustment if self.source == user.account => self.amount.micros(),
            PostingKind::Adjustment => -self.amount.micros(),
            PostingKind::Charge
            | PostingKind::Capture
            | PostingKind::Refund
            | PostingKind::Goodwill => return Err(OperatorRefusal::NotReversible),
        };
        if let Some(id) = self.reversed_by {
            return Err(OperatorRefusal::AlreadyReversed(id));
        }
        if by < 0 && !user.can_pay(self.amount) {
            return Err(OperatorRefusal::ReversalAbove(user.available().max(Money::ZERO)));
        }
        if note.trim().is_empty() {
            return Err(OperatorRefusal::NoteMissing);
        }
        let account = Account { user: user.id, id: user.account };
        let posting = Posting::adjustment(account, Money::from_micros(by));
        let posting = posting.ok_or(OperatorRefusal::AmountIsZero)?;
        let reference = Some(self.reversal_reference());
        Ok(Posting { note: note.to_owned(), reference, ..posting })
    }
}

/// What the reference of a reversal begins with; the number of what it takes back follows.
pub const REVERSAL: &str = "reversal of ";

/// The posting that a reference says was taken back.
pub fn reversed(reference: &str) -> Option<PostingId> {
    reference.strip_prefix(REVERSAL)?.parse().ok().map(PostingId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Discount;

    const ACCOUNT: Account = Account { user: UserId(7), id: AccountId(9) };

    #[test]
    fn nothing_moves_for_nothing() {
        assert_eq!(Posting::charge(ACCOUNT, Money::ZERO, OrderId(1)), None);
        assert_eq!(Posting::capture(Money::ZERO, OrderId(1)), None);
        assert_eq!(Posting::refund(ACCOUNT, Money::ZERO, OrderId(1)), None);
        assert_eq!(Posting::adjustment(ACCOUNT, Money::ZERO), None);
    }

    #[test]
    fn a_correction_goes_both_ways() {
        let up = Posting::adjustment(ACCOUNT, Money::from_micros(5)).unwrap();
        let down = Posting::adjustment(ACCOUNT, Money::from_micros(-5)).unwrap();
        assert_eq!((up.source, up.destination), (EXTERNAL, ACCOUNT.id));
        assert_eq!((down.source, down.destination), (ACCOUNT.id, EXTERNAL));
        assert_eq!(up.amount, down.amount);
    }

    #[test]
    fn what_came_in_is_taken_back_once_and_within_the_credit_limit() {
        let user = User {
            id: ACCOUNT.user,
            name: "ann".to_owned(),
            account: ACCOUNT.id,
            balance: Money::from_micros(10),
            credit_limit: Money::from_micros(5),
            discount: Discount::NONE,
            is_suspended: false,
        };
        let posted = |kind, amount| Posted {
            id: PostingId(3),
            kind,
            source: EXTERNAL,
            amount: Money::from_micros(amount),
            user: Some(ACCOUNT.user),
            reversed_by: None,
        };
        let deposit = posted(PostingKind::Deposit, 15);
        let back = deposit.reverse(&user, "typo").unwrap();
        assert_eq!((back.kind, back.source), (PostingKind::Adjustment, ACCOUNT.id));
        assert_eq!((back.destination, back.amount), (EXTERNAL, deposit.amount));
        assert_eq!(back.reference.as_deref().and_then(reversed), Some(PostingId(3)));

        let most = OperatorRefusal::ReversalAbove(Money::from_micros(15));
        assert_eq!(posted(PostingKind::Deposit, 16).reverse(&user, "typo"), Err(most));
        assert_eq!(deposit.reverse(&user, " "), Err(OperatorRefusal::NoteMissing));
        let twice = Posted { reversed_by: Some(PostingId(9)), ..deposit };
        assert_eq!(
            twice.reverse(&user, "typo"),
            Err(OperatorRefusal::AlreadyReversed(PostingId(9)))
        );

        let down = Posted { source: ACCOUNT.id, ..posted(PostingKind::Adjustment, 16) };
        let up = down.reverse(&user, "typo").unwrap();
        assert_eq!((up.source, up.destination), (EXTERNAL, ACCOUNT.id));
        for kind in PostingKind::ALL {
            let is_ours = matches!(kind, PostingKind::Deposit | PostingKind::Adjustment);
            assert_eq!(posted(*kind, 1).reverse(&user, "typo").is_ok(), is_ours, "{kind}");
        }
    }

    #[test]
    fn balances_that_do_not_fit_are_refused() {
        let posting = Posting::deposit(ACCOUNT, Money::from_micros(1));
        let full = Money::from_micros(i64::MAX);
        assert_eq!(posting.balances_after(Money::ZERO, full), Err(OperatorRefusal::AmountTooLarge));
        let empty = Money::from_micros(i64::MIN);
        assert_eq!(
            posting.balances_after(empty, Money::ZERO),
            Err(OperatorRefusal::AmountTooLarge)
        );
    }
}
