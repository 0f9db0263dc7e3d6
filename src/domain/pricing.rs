//! What a provider's service costs us, and the rule that makes a rate of it.
//!
//! All sums are made in whole numbers and rounded up, so a rule never sells below what it says.
//! What a provider's new list changes of a service by itself is in `following.rs`.

use super::money::{Money, Rate};
use super::refusal::{OperatorRefusal, ProviderRefusal};
use super::service::ServiceKind;
use super::{ProviderId, Timestamp};

/// 100 % in basis points.
const WHOLE_BP: i64 = 10_000;
/// The most that a rule puts on top of a cost: 1000 %.
const PERCENT_MAX_BP: i64 = 100_000;

/// A service on a provider's list, as it was last seen. Its cost is in their currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub provider: ProviderId,
    /// Their own name for it.
    pub provider_service: String,
    pub name: String,
    pub category: String,
    pub kind: ServiceKind,
    /// For 1000 units, for one package.
    pub cost: Rate,
    pub quantity_min: i64,
    pub quantity_max: i64,
    pub is_dripfeed: bool,
    pub is_refill: bool,
    pub is_cancel: bool,
    pub seen_at: Timestamp,
    /// Since when it is no longer on the list.
    pub gone_at: Option<Timestamp>,
}

/// How a cost becomes a rate: a share and a fixed part on top, at least so much profit, up to a
/// multiple of the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// What is put on top, in basis points of the cost.
    pub percent_bp: i64,
    pub fixed: Money,
    /// 0 for none.
    pub step: Money,
    /// The least that is earned.
    pub profit: Money,
}

impl Rule {
    /// Reads a share as a percentage with at most two decimals, with or without its sign: `30`,
    /// `12.5%`. In basis points, 0 to 100 000.
    pub fn parse_percent(text: &str) -> Option<i64> {
        let micros = Money::parse(text.trim().trim_end_matches('%').trim_end())?.micros();
        let basis_points = micros / WHOLE_BP;
        let fits = micros % WHOLE_BP == 0 && basis_points <= PERCENT_MAX_BP;
        fits.then_some(basis_points)
    }

    /// The share as people write it: `12.5`.
    pub fn percent(&self) -> String {
        let text = Money::from_micros(self.percent_bp.saturating_mul(WHOLE_BP)).to_string();
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// What makes it a rule that can be kept.
    ///
    /// # Errors
    /// Where a part of it is below 0, or above what can be written.
    pub fn check(&self) -> Result<(), OperatorRefusal> {
        let amounts = [self.fixed, self.step, self.profit];
        let most = Rate::MAX.micros();
        let are_amounts = amounts.iter().all(|amount| (0..=most).contains(&amount.micros()));
        match are_amounts && (0..=PERCENT_MAX_BP).contains(&self.percent_bp) {
            true => Ok(()),
            false => Err(ProviderRefusal::BadRule.into()),
        }
    }

    /// The rate for what costs that much; `None` above what can be written.
    ///
    /// ```
    /// use panelite::domain::money::{Money, Rate};
    /// use panelite::domain::pricing::Rule;
    ///
    /// let step = Money::parse("0.01").unwrap();
    /// let rule = Rule { percent_bp: 3000, step, ..Rule::default() };
    /// assert_eq!(rule.rate(Rate::parse("0.333333").unwrap()), Rate::parse("0.44"));
    /// ```
    pub fn rate(&self, cost: Rate) -> Option<Rate> {
        let [cost, fixed, step, profit] =
            [cost.micros(), self.fixed.micros(), self.step.micros(), self.profit.micros()]
                .map(i128::from);
        let share = i128::from(WHOLE_BP) + i128::from(self.percent_bp);
        let with_share = up_to(cost * share, i128::from(WHOLE_BP)) / i128::from(WHOLE_BP);
        let least = (with_share + fixed).max(cost + profit);
        let micros = if step > 0 { up_to(least, step) } else { least };
        let rate = i64::try_from(micros).ok().filter(|micros| *micros <= Rate::MAX.micros());
        rate.map(Rate::from_micros)
    }
}

/// The next multiple of a step, for what is not below 0.
fn up_to(amount: i128, step: i128) -> i128 {
    (amount + step - 1) / step * step
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "+{}%", self.percent())?;
        let parts =
            [("fixed", self.fixed), ("in steps of", self.step), ("earning at least", self.profit)];
        for (what, amount) in parts.iter().filter(|(_, amount)| *amount != Money::ZERO) {
            write!(f, ", {what} {amount}")?;
        }
        Ok(())
    }
}

/// What a service of a provider costs us, and how its rate follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pricing {
    /// In our currency, at its own provider; not known before the first list.
    pub cost: Option<Rate>,
    pub rule: Rule,
    /// Whether the rate follows the cost by itself.
    pub is_followed: bool,
    /// Whether it is sold below what it costs.
    pub allows_loss: bool,
    /// Whether a sync took it off sale, and may put it back.
    pub off_by_sync: bool,
}

impl Pricing {
    /// Below what the service is not sold, to nobody; `None` where any rate will do.
    pub fn floor(&self) -> Option<Rate> {
        self.cost.filter(|_| !self.allows_loss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_rounds_up_and_never_overflows() {
        // percent, fixed, step, profit; cost and rate
        let table = [
            ("30", "0", "0.01", "0", "0.333333", Some("0.44")),
            ("0", "0", "0", "0.10", "0", Some("0.10")),
            ("0", "0", "0", "0", "0.000001", Some("0.000001")),
            ("0.01", "0", "0", "0", "0.000001", Some("0.000002")),
            ("30", "0", "0", "0", "1", Some("1.30")),
            ("30", "0.05", "0", "0", "1", Some("1.35")),
            ("30", "0", "0", "0.50", "1", Some("1.50")),
            ("60", "0", "0", "0.50", "1", Some("1.60")),
            ("12.5", "0", "0.25", "0", "1", Some("1.25")),
            ("25", "0", "0.25", "0", "1", Some("1.25")),
            ("0", "0", "5", "0", "0", Some("0")),
            ("0", "0", "0", "0", "999999999.999999", Some("999999999.999999")),
            ("0.01", "0", "0", "0", "999999999.999999", None),
            ("0", "0", "1", "0", "999999999.999999", None),
            ("0", "0", "0", "0.000001", "999999999.999999", None),
        ];
        let money = |text| Money::parse(text).unwrap();
        for (percent, fixed, step, profit, cost, rate) in table {
            let percent_bp = Rule::parse_percent(percent).unwrap();
            let (fixed, step, profit) = (money(fixed), money(step), money(profit));
            let rule = Rule { percent_bp, fixed, step, profit };
            let rate = rate.map(|rate| Rate::parse(rate).unwrap());
            assert_eq!(rule.rate(Rate::parse(cost).unwrap()), rate, "{rule} of {cost}");
            assert_eq!(rule.check(), Ok(()), "{rule}");
        }
    }

    #[test]
    fn a_rule_is_bounded_and_reads_as_people_write_it() {
        assert_eq!(Rule::parse_percent("12.5%"), Some(1250));
        assert_eq!(Rule::parse_percent("1000"), Some(100_000));
        for text in ["1000.01", "0.001", "-5", "", "ten"] {
            assert_eq!(Rule::parse_percent(text), None, "{text}");
        }
        let step = Money::from_micros(10_000);
        let rule = Rule { percent_bp: 1250, step, ..Rule::default() };
        assert_eq!(rule.to_string(), "+12.5%, in steps of 0.01");
        assert_eq!(Rule { percent_bp: 3000, ..Rule::default() }.to_string(), "+30%");
        let wrong = [
            Rule { percent_bp: -1, ..Rule::default() },
            Rule { percent_bp: 100_001, ..Rule::default() },
            Rule { fixed: Money::from_micros(-1), ..Rule::default() },
            Rule { step: Money::from_micros(i64::MAX), ..Rule::default() },
        ];
        for rule in wrong {
            assert!(rule.check().is_err(), "{rule:?}");
        }
    }
}
