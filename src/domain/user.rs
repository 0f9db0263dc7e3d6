//! Resellers: their account, their prices.

use super::money::{Discount, Money, Rate};
use super::refusal::OperatorRefusal;
use super::{AccountId, UserId};

/// Who buys by API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    /// Unique, for the operator.
    pub name: String,
    pub account: AccountId,
    pub balance: Money,
    /// How far below zero the balance may go.
    pub credit_limit: Money,
    /// How much less than the rate the user pays.
    pub discount: Discount,
    /// Whether all their keys are refused.
    pub is_suspended: bool,
}

impl User {
    /// What the user pays: the custom rate for the service, else the rate less the discount.
    pub fn rate(&self, listed: Rate, own: Option<Rate>) -> Rate {
        rate(listed, own, self.discount)
    }

    /// What can still be taken from the account: the balance and the credit limit.
    pub fn available(&self) -> Money {
        self.balance.checked_add(self.credit_limit).unwrap_or(self.balance)
    }

    /// Whether the account holds that much, the credit limit included.
    pub fn can_pay(&self, amount: Money) -> bool {
        let after = self.balance.checked_sub(amount).and_then(|b| b.checked_add(self.credit_limit));
        after.is_some_and(|left| !left.is_negative())
    }
}

/// What is paid with that discount: the custom rate, if there is one, else the discounted rate.
pub fn rate(listed: Rate, own: Option<Rate>, discount: Discount) -> Rate {
    own.unwrap_or_else(|| listed.discounted(discount))
}

/// A name for a user or an admin: 1 to 64 visible characters, no blanks at its ends.
pub fn check_name(name: &str) -> Result<(), OperatorRefusal> {
    let is_sound = (1..=64).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(super::is_hidden);
    if is_sound { Ok(()) } else { Err(OperatorRefusal::BadName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credit_limit_counts_as_money() {
        let user = User {
            id: UserId(1),
            name: "ann".to_owned(),
            account: AccountId(4),
            balance: Money::from_micros(10),
            credit_limit: Money::from_micros(5),
            discount: Discount::NONE,
            is_suspended: false,
        };
        assert!(user.can_pay(Money::from_micros(15)));
        assert!(!user.can_pay(Money::from_micros(16)));
        assert!(!user.can_pay(Money::from_micros(i64::MAX)));
    }

    #[test]
    fn names_are_printable() {
        for name in ["ann", "Ann Lee", "アン"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", " ann", "ann\n", "a\u{202e}b", &"x".repeat(65)] {
            assert_eq!(check_name(name), Err(OperatorRefusal::BadName), "{name:?}");
        }
    }
}
