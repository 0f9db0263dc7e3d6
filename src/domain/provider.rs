//! Providers: upstream panels we buy from, and what their money is worth in ours.

use super::money::{Money, Rate};
use super::refusal::{OperatorRefusal, ProviderRefusal};
use super::{ProviderId, Timestamp, words};

/// How many providers a panel may have: each has a lane of its own.
pub const PROVIDERS_MAX: usize = 64;

words! {
    /// How requests are written: as a form, or as JSON.
    pub enum Dialect {
        Form = "Form",
        Json = "JSON",
    }
}

words! {
    /// What keeps a provider from taking orders until a call about its balance succeeds. It
    /// outlasts a restart.
    pub enum Trouble {
        /// Our balance there is used up.
        Funds = "Funds",
        /// It does not accept our key.
        Key = "Key",
    }
}

/// What one unit of a provider's currency is worth in ours, in 10⁻⁹. Fixed by the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange(i64);

impl Exchange {
    /// The same currency as ours.
    pub const ONE: Self = Self(NANOS);

    /// From 10⁻⁹ of ours for one of theirs; `None` unless it is above 0.
    pub fn from_nanos(nanos: i64) -> Option<Self> {
        (nanos > 0).then_some(Self(nanos))
    }

    /// In 10⁻⁹ of ours for one of theirs.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Reads `digits[.digits]` with at most nine decimals, above 0 and below a thousand million.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let are_digits = |part: &str| {
            (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
        Self::from_nanos(whole * NANOS + fraction)
    }

    /// An amount of theirs in our money, rounded up; `None` where nobody could hold that much.
    pub fn money(self, theirs: Money) -> Option<Money> {
        let product = i128::from(theirs.micros()) * i128::from(self.0);
        let nanos = i128::from(NANOS);
        let up = product.div_euclid(nanos) + i128::from(product.rem_euclid(nanos) > 0);
        i64::try_from(up).ok().map(Money::from_micros)
    }

    /// What they ask for 1000 units (for one package) in our money, rounded up; `None` above what
    /// can be written.
    pub fn rate(self, theirs: Rate) -> Option<Rate> {
        let ours = self.money(Money::from_micros(theirs.micros()))?;
        (ours.micros() <= Rate::MAX.micros()).then_some(Rate::from_micros(ours.micros()))
    }
}

const NANOS: i64 = 1_000_000_000;

impl std::fmt::Display for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fraction = format!("{:09}", self.0 % NANOS);
        let fraction = fraction.trim_end_matches('0');
        write!(f, "{}.{fraction:0<2}", self.0 / NANOS)
    }
}

/// What an operator sets about a provider. Its address and key are proven apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub name: String,
    pub dialect: Dialect,
    /// The currency of its balance and its rates.
    pub currency: String,
    pub exchange: Exchange,
    /// Whether http and private addresses are permitted: for tests and a LAN.
    pub is_insecure: bool,
    /// Whether our own ids go with an order, so that it can be found again.
    pub sends_ids: bool,
    /// For a whole call, 1 to 60.
    pub timeout_seconds: i64,
    /// The balance, in its currency, below which the operator wants to know.
    pub low: Option<Money>,
}

impl Terms {
    /// What makes terms ones that can be kept.
    ///
    /// # Errors
    /// The first of their flaws.
    pub fn check(&self) -> Result<(), OperatorRefusal> {
        let is_name = (1..=64).contains(&self.name.chars().count())
            && self.name.trim() == self.name
            && !self.name.chars().any(super::is_hidden);
        if !is_name {
            return Err(OperatorRefusal::BadName);
        }
        let is_currency = (1..=8).contains(&self.currency.len())
            && self.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_currency {
            return Err(ProviderRefusal::BadCurrency.into());
        }
        match (1..=60).contains(&self.timeout_seconds) {
            true => Ok(()),
            false => Err(ProviderRefusal::BadTimeout.into()),
        }
    }
}

/// A provider as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub id: ProviderId,
    pub url: String,
    pub terms: Terms,
    /// Whether it gets orders at all; what is there is watched all the same.
    pub is_enabled: bool,
    pub trouble: Option<Trouble>,
    /// What it said to its trouble, masked.
    pub answer: String,
    /// It gets no order before.
    pub paused_until: Option<Timestamp>,
    /// Our balance there, in its currency, and when it was read.
    pub balance: Option<Money>,
    pub balance_at: Option<Timestamp>,
    /// When its list was last taken over.
    pub synced_at: Option<Timestamp>,
    pub sync_due_at: Timestamp,
    /// Its newest number for an order of ours.
    pub last_order: Option<String>,
    pub created_at: Timestamp,
}

impl Provider {
    /// Whether it has given that number to an order after all those that are known. What is no
    /// number tells nothing of an order's age: the last that was heard counts.
    pub fn is_newer_order(&self, their_id: &str) -> bool {
        let number = |id: &str| id.parse::<u64>().ok();
        let known = self.last_order.as_deref().and_then(number);
        known.zip(number(their_id)).is_none_or(|(known, new)| known < new)
    }

    /// Whether it may get orders now, as far as the file knows.
    pub fn is_well(&self, now: Timestamp) -> bool {
        self.is_enabled
            && self.trouble != Some(Trouble::Key)
            && self.paused_until.is_none_or(|until| until <= now)
    }

    /// Whether its balance is below what the operator wants to keep there.
    pub fn is_low(&self) -> bool {
        self.balance.zip(self.terms.low).is_some_and(|(balance, low)| balance < low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_reads_rounds_up_and_prints() {
        let exchange = Exchange::parse("0.000039").unwrap();
        assert_eq!((exchange.nanos(), exchange.to_string()), (39_000, "0.000039".to_owned()));
        let money = |text: &str| Money::parse(text).unwrap();
        assert_eq!(exchange.money(money("25000")), Some(money("0.975")));
        assert_eq!(exchange.money(money("0.000001")), Some(money("0.000001")));
        assert_eq!(exchange.money(Money::from_micros(-1)), Some(Money::ZERO));
        assert_eq!(Exchange::ONE.money(money("1.25")), Some(money("1.25")));
        assert_eq!(Exchange::ONE.rate(Rate::MAX), Some(Rate::MAX));
        assert_eq!(Exchange::parse("2").unwrap().rate(Rate::MAX), None);
        for wrong in ["", "0", "-1", "1e3", "1.0000000001", "1,5", ".5", "1234567890"] {
            assert_eq!(Exchange::parse(wrong), None, "{wrong}");
        }
    }
}
