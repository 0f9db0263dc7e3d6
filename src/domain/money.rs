//! Money as whole micro-units, and the one rounding rule.
//!
//! A charge rounds **up**, what is kept of it after a partial delivery rounds **up** too, so a
//! refund (charge − kept) rounds down: 0 ≤ refund ≤ charge always, and splitting an order never
//! pays. Products are made in `i128` and checked; no float comes near.

use std::fmt;

/// Micro-units in one unit of the currency.
const MICROS: i64 = 1_000_000;

/// An amount of money in micro-units (10⁻⁶ of the currency's unit). May be negative: a balance
/// within a credit limit is.
///
/// ```
/// use panelite::domain::money::Money;
///
/// let balance = Money::parse("100").unwrap();
/// assert_eq!(balance.to_string(), "100.00");                 // at least two decimals …
/// assert_eq!(Money::parse("0.278190").unwrap().to_string(), "0.27819"); // … at most six
/// assert_eq!(Money::from_micros(-5_000_000).to_string(), "-5.00");
/// assert_eq!(Money::parse("1e3"), None);                     // digits and one point, no more
/// assert_eq!(Money::parse("0.0000001"), None);               // finer than we can keep
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount from micro-units.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The amount in micro-units.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads `digits[.digits]`: at most nine digits before the point and six behind it, no sign.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let whole = digits(whole, 9)?;
        let micros = digits(fraction, 6)? * 10_i64.pow(6 - u32::try_from(fraction.len()).ok()?);
        Some(Self(whole * MICROS + micros))
    }

    /// Reads an amount that may carry a sign: a correction of a balance.
    pub fn parse_signed(text: &str) -> Option<Self> {
        match text.strip_prefix('-') {
            Some(rest) => Self::parse(rest).map(|amount| Self(-amount.0)),
            None => Self::parse(text.strip_prefix('+').unwrap_or(text)),
        }
    }

    /// The sum, or `None` where it does not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` where it does not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount without its sign.
    pub fn magnitude(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Whether this is less than nothing.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.unsigned_abs();
        let (whole, mut fraction) = (micros / 1_000_000, micros % 1_000_000);
        let mut decimals = 6;
        while decimals > 2 && fraction.is_multiple_of(10) {
            fraction /= 10;
            decimals -= 1;
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{whole}.{fraction:0decimals$}")
    }
}

/// A figure as people type it, with its decimal comma made a point: `1,20` is `1.20`. `None` where
/// the comma may stand between thousands as well: `1,200`. What has no comma stays as it is.
pub fn with_point(text: &str) -> Option<String> {
    let Some((whole, fraction)) = text.split_once(',') else { return Some(text.to_owned()) };
    let is_thousands = fraction.len() == 3 && whole.trim_start_matches(['+', '-']) != "0";
    if is_thousands || fraction.contains([',', '.']) || whole.contains('.') {
        return None;
    }
    Some(format!("{whole}.{fraction}"))
}

/// One to `most` decimal digits and nothing else.
fn digits(text: &str, most: usize) -> Option<i64> {
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// For how many units a rate is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The usual case: a price for a thousand.
    Thousand,
    /// Packages: a price for one.
    One,
}

impl Per {
    /// The number of units.
    pub const fn units(self) -> i64 {
        match self {
            Self::Thousand => 1000,
            Self::One => 1,
        }
    }

    /// What stands behind a price.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Thousand => "per 1000",
            Self::One => "per order",
        }
    }
}

/// Our price in micro-units for 1000 units (for one package).
///
/// ```
/// use panelite::domain::money::{Discount, Money, Per, Rate};
///
/// let rate = Rate::parse("2.50").unwrap();
/// assert_eq!(rate.charge(1000, Per::Thousand), Money::parse("2.50"));
/// assert_eq!(rate.charge(1, Per::Thousand), Money::parse("0.0025"));
/// let tiny = Rate::parse("0.0001").unwrap();
/// assert_eq!(tiny.charge(1, Per::Thousand), Money::parse("0.000001")); // rounded up
/// assert_eq!(rate.discounted(Discount::parse("12.5").unwrap()), Rate::parse("2.1875").unwrap());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(Money);

impl Rate {
    /// The highest rate that can be written.
    pub const MAX: Self = Self(Money(999_999_999_999_999));

    /// A rate from micro-units.
    pub const fn from_micros(micros: i64) -> Self {
        Self(Money(micros))
    }

    /// The rate in micro-units.
    pub const fn micros(self) -> i64 {
        self.0.0
    }

    /// Reads a rate, written like an amount without a sign.
    pub fn parse(text: &str) -> Option<Self> {
        Money::parse(text).map(Self)
    }

    /// ⌈rate × units / per⌉, or `None` where nobody could hold that much.
    pub fn charge(self, units: i64, per: Per) -> Option<Money> {
        let product = i128::from(self.micros()).checked_mul(i128::from(units))?;
        div_up(product, per.units()).map(Money)
    }

    /// ⌈rate × (1 + change)⌉, or `None` where nobody could write that rate.
    pub fn changed(self, change: Change) -> Option<Self> {
        let share = i128::from(Change::WHOLE + change.0);
        let micros = div_up(i128::from(self.micros()) * share, Change::WHOLE)?;
        (micros <= Self::MAX.micros()).then_some(Self::from_micros(micros))
    }

    /// ⌈rate × (1 − discount)⌉.
    pub fn discounted(self, discount: Discount) -> Self {
        let share = i128::from(Discount::WHOLE - discount.0);
        let micros = div_up(i128::from(self.micros()) * share, Discount::WHOLE);
        // A share of a rate is never more than the rate.
        Self(micros.map_or(self.0, Money))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// ⌈product / divisor⌉ for a product of at least 0.
fn div_up(product: i128, divisor: i64) -> Option<i64> {
    let divisor = i128::from(divisor);
    i64::try_from(product.checked_add(divisor - 1)? / divisor).ok()
}

/// What a user pays less than the rate, in basis points (hundredths of a percent), 0 to 10 000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Discount(i64);

impl Discount {
    const WHOLE: i64 = 10_000;

    /// No discount.
    pub const NONE: Self = Self(0);

    /// A discount from basis points, `None` outside 0 to 10 000.
    pub fn from_basis_points(basis_points: i64) -> Option<Self> {
        (0..=Self::WHOLE).contains(&basis_points).then_some(Self(basis_points))
    }

    /// The discount in basis points.
    pub const fn basis_points(self) -> i64 {
        self.0
    }

    /// Reads a percentage with at most two decimals, with or without its sign: `12.5`, `12.5%`.
    pub fn parse(text: &str) -> Option<Self> {
        let percent = Money::parse(text.trim().trim_end_matches('%'))?;
        let per_basis_point = MICROS / 100;
        if percent.0 % per_basis_point != 0 {
            return None;
        }
        Self::from_basis_points(percent.0 / per_basis_point)
    }
}

impl fmt::Display for Discount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match (hundredths, hundredths % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", hundredths / 10),
            _ => write!(f, "{whole}.{hundredths:02}%"),
        }
    }
}

/// By how much rates go up or down, in basis points: from −99.99 % to +1000 %, never by nothing.
///
/// ```
/// use panelite::domain::money::{Change, Rate};
///
/// let rate = Rate::parse("0.90").unwrap();
/// assert_eq!(rate.changed(Change::parse("+10").unwrap()), Rate::parse("0.99"));
/// assert_eq!(rate.changed(Change::parse("-5%").unwrap()), Rate::parse("0.855"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change(i64);

impl Change {
    const WHOLE: i64 = 10_000;
    const MOST: i64 = 100_000;

    /// Reads a percentage with at most two decimals, with or without its signs: `+10`, `-5%`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('%').trim_end().replace('\u{2212}', "-");
        let percent = Money::parse_signed(&text)?;
        let per_basis_point = MICROS / 100;
        let basis_points = percent.0 / per_basis_point;
        let fits = basis_points > -Self::WHOLE && basis_points <= Self::MOST && basis_points != 0;
        (fits && percent.0 % per_basis_point == 0).then_some(Self(basis_points))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "+" };
        write!(f, "{sign}{}", Discount(self.0.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in ["0.00", "2.50", "0.27819", "0.000001", "999999999.999999", "1.0001"] {
            assert_eq!(Money::parse(text).unwrap().to_string(), text);
        }
        for text in ["", ".", "1.", ".5", "1.0000001", "1234567890", "-1", "+1", " 1", "1,5", "٣"]
        {
            assert_eq!(Money::parse(text), None, "{text:?}");
        }
        assert_eq!(Money::parse_signed("-0.5").unwrap().to_string(), "-0.50");
        assert_eq!(Money::parse_signed("+0.5").unwrap().to_string(), "0.50");
        assert_eq!(Money::parse_signed("--1"), None);
        assert_eq!(Money::from_micros(i64::MIN).to_string(), "-9223372036854.775808");
    }

    #[test]
    fn a_decimal_comma_is_a_point_where_it_can_be_nothing_else() {
        let point = |text| with_point(text).and_then(|text| Money::parse_signed(&text));
        for (text, amount) in
            [("1,20", "1.20"), ("1,5", "1.50"), ("-0,333", "-0.333"), ("12,3456", "12.3456")]
        {
            assert_eq!(point(text).map(|it| it.to_string()).as_deref(), Some(amount), "{text}");
        }
        for text in ["1,200", "1,200.50", "1.200,50", "1,200,000", ",5", "1,"] {
            assert_eq!(point(text), None, "{text}");
        }
    }

    #[test]
    fn a_charge_rounds_up_and_never_overflows() {
        let rate = Rate::from_micros(1);
        assert_eq!(rate.charge(0, Per::Thousand), Some(Money::ZERO));
        assert_eq!(rate.charge(1, Per::Thousand), Some(Money::from_micros(1)));
        assert_eq!(rate.charge(1000, Per::Thousand), Some(Money::from_micros(1)));
        assert_eq!(rate.charge(1001, Per::Thousand), Some(Money::from_micros(2)));
        assert_eq!(rate.charge(7, Per::One), Some(Money::from_micros(7)));
        assert_eq!(Rate::from_micros(i64::MAX).charge(i64::MAX, Per::Thousand), None);
    }

    #[test]
    fn splitting_an_order_never_pays() {
        for micros in [1, 999, 1001, 2_500_000, 333_333] {
            let rate = Rate::from_micros(micros);
            for (a, b) in [(1, 1), (7, 993), (999, 2), (50, 51)] {
                let charge = |units| rate.charge(units, Per::Thousand).unwrap().micros();
                assert!(charge(a) + charge(b) >= charge(a + b), "{micros} {a} {b}");
            }
        }
    }

    #[test]
    fn a_discount_is_a_percentage() {
        assert_eq!(Discount::parse("100%").unwrap().basis_points(), 10_000);
        assert_eq!(Discount::parse("0.01").unwrap().to_string(), "0.01%");
        assert_eq!(Discount::parse("12.5").unwrap().to_string(), "12.5%");
        assert_eq!(Discount::parse("7").unwrap().to_string(), "7%");
        for text in ["100.01", "-1", "1.001", "half", ""] {
            assert_eq!(Discount::parse(text), None, "{text:?}");
        }
        let rate = Rate::from_micros(1);
        assert_eq!(rate.discounted(Discount::parse("99").unwrap()), rate);
        assert_eq!(rate.discounted(Discount::parse("100").unwrap()), Rate::from_micros(0));
    }

    #[test]
    fn a_change_of_rates_rounds_up_and_stays_within_what_can_be_written() {
        let change = |text: &str| Change::parse(text).unwrap();
        for (text, shown) in
            [("10", "+10%"), ("-5 %", "-5%"), ("−0.25", "-0.25%"), ("1000", "+1000%")]
        {
            assert_eq!(change(text).to_string(), shown);
        }
        for text in ["0", "-100", "1000.01", "1.001", "", "ten", "1e3", "--1"] {
            assert_eq!(Change::parse(text), None, "{text:?}");
        }
        for (before, by, after) in [
            (1_000_000, "+10", Some(1_100_000)),
            (1, "+10", Some(2)),
            (1, "-99.99", Some(1)),
            (0, "+1000", Some(0)),
            (333_333, "-5", Some(316_667)),
            (Rate::MAX.micros(), "-0.01", Some(999_900_000_000_000)),
            (Rate::MAX.micros(), "+0.01", None),
        ] {
            let changed = Rate::from_micros(before).changed(change(by));
            assert_eq!(changed.map(Rate::micros), after, "{before} {by}");
        }
    }
}
