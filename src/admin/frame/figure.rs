//! Figures as pages write them: thousands apart, decimals aligned, signs where money moves.

use std::fmt::{self, Display};

use crate::domain::money::{Money, Rate};

/// Decimals that a sum of money always has.
const DECIMALS_MIN: usize = 2;
/// Decimals of a micro-unit.
const DECIMALS_MAX: usize = 6;

/// Thousands apart, by a narrow blank that does not break.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A sum on its own: `1 218.86`, with as many decimals as it needs, at least two.
pub(crate) fn money(sum: Money) -> String {
    Decimals::of([sum.micros()]).show(sum.micros())
}

/// A rate on its own, as sums are written.
pub(crate) fn rate(rate: Rate) -> String {
    money(Money::from_micros(rate.micros()))
}

/// A sum that moves: the same with its sign.
pub(crate) fn signed(sum: Money) -> String {
    Decimals::of([sum.micros()]).signed(sum.micros())
}

/// How many decimals a column of sums or rates has, so that they stand below each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimals(usize);

impl Decimals {
    /// The most that any of these micro-units needs, at least two.
    pub(crate) fn of(micros: impl IntoIterator<Item = i64>) -> Self {
        let needed = |micros: i64| {
            let is_whole = |decimals: &usize| micros % 10_i64.pow(missing(*decimals)) == 0;
            (DECIMALS_MIN..DECIMALS_MAX).find(is_whole).unwrap_or(DECIMALS_MAX)
        };
        Self(micros.into_iter().map(needed).max().unwrap_or(DECIMALS_MIN))
    }

    /// Micro-units as a figure of the column.
    pub(crate) fn show(self, micros: i64) -> String {
        let whole = i64::try_from(micros.unsigned_abs() / 1_000_000).unwrap_or_default();
        let fraction = micros.unsigned_abs() % 1_000_000 / 10_u64.pow(missing(self.0));
        let sign = if micros < 0 { "-" } else { "" };
        format!("{sign}{}.{fraction:0width$}", grouped(whole), width = self.0)
    }

    /// The same, with a sign before what is more than nothing too.
    pub(crate) fn signed(self, micros: i64) -> String {
        let plus = if micros > 0 { "+" } else { "" };
        format!("{plus}{}", self.show(micros))
    }
}

/// Digits of a micro-unit that so many decimals leave away.
const fn missing(decimals: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most six")]
    let missing = (DECIMALS_MAX - decimals) as u32;
    missing
}

/// A large sum on one line: `1.8 M`. The exact one belongs in the title.
pub(crate) struct Short(pub(crate) Money);

impl Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0.is_negative() { "-" } else { "" };
        let whole = self.0.magnitude().micros() / 1_000_000;
        let scale = [(1_000_000_000, "B"), (1_000_000, "M"), (100_000, "k")];
        let Some((size, letter)) = scale.into_iter().find(|(size, _)| whole >= *size) else {
            let cents = self.0.magnitude().micros() / 10_000 % 100;
            return write!(f, "{sign}{}.{cents:02}", grouped(whole));
        };
        let size = if letter == "k" { 1000 } else { size };
        write!(f, "{sign}{}.{} {letter}", grouped(whole / size), whole % size * 10 / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: impl Display) -> String {
        text.to_string().replace('\u{202f}', "_")
    }

    #[test]
    fn decimals_of_a_column_are_those_that_one_of_them_needs() {
        let column = [1_500_000, 25_000, 12_345_000_000];
        let decimals = Decimals::of(column);
        assert_eq!(column.map(|sum| plain(decimals.show(sum))), ["1.500", "0.025", "12_345.000"]);
        assert_eq!(Decimals::of([]), Decimals(2));
        assert_eq!(Decimals::of([1, 1_000_000]).show(-1), "-0.000001");
        assert_eq!(plain(Decimals::of([0]).show(i64::MIN)), "-9_223_372_036_854.77");
    }

    #[test]
    fn sums_that_move_have_a_sign() {
        let sum = |text: &str| Money::parse_signed(text).unwrap();
        assert_eq!(["5", "-5", "0"].map(|text| signed(sum(text))), ["+5.00", "-5.00", "0.00"]);
        assert_eq!(plain(money(sum("1218.8601"))), "1_218.8601");
    }

    #[test]
    fn large_sums_are_shortened() {
        let short = |text: &str| plain(Short(Money::parse_signed(text).unwrap()));
        assert_eq!(short("0"), "0.00");
        assert_eq!(short("1234.567"), "1_234.56");
        assert_eq!(short("99999.99"), "99_999.99");
        assert_eq!(short("123456"), "123.4 k");
        assert_eq!(short("-1850000"), "-1.8 M");
        assert_eq!(plain(grouped(-1_234_567)), "-1_234_567");
    }
}
