//! Figures as pages write them: thousands apart, decimals aligned, signs where money moves.

use std::fmt::{self, Display};

use askama::filters::HtmlSafe;

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
    exact(sum.micros())
}

/// A rate on its own, as sums are written.
pub(crate) fn rate(rate: Rate) -> String {
    money(Money::from_micros(rate.micros()))
}

/// A sum that moves: the same with its sign.
pub(crate) fn signed(sum: Money) -> String {
    format!("{}{}", plus(sum.micros()), exact(sum.micros()))
}

/// How many decimals a column of sums or rates has room for, so that their points stand below each
/// other. Each figure shows the decimals it needs; the rest of the room is blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimals(usize);

/// A figure of a column, as HTML: what it shows, then the room that it leaves to longer ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figure {
    text: String,
    /// Decimals that longer figures of the column have and this one does not need.
    room: usize,
}

impl Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.room {
            0 => Ok(()),
            room => write!(f, "<i data-pad=\"{:0<room$}\"></i>", ""),
        }
    }
}

// Digits, a sign, a point and our own element: nothing that anybody entered.
impl HtmlSafe for Figure {}

impl Decimals {
    /// The most that any of these micro-units needs, at least two.
    pub(crate) fn of(micros: impl IntoIterator<Item = i64>) -> Self {
        Self(micros.into_iter().map(needed).max().unwrap_or(DECIMALS_MIN))
    }

    /// Micro-units as a figure of the column.
    pub(crate) fn show(self, micros: i64) -> Figure {
        Figure { text: exact(micros), room: self.0.saturating_sub(needed(micros)) }
    }

    /// The same, with a sign before what is more than nothing too.
    pub(crate) fn signed(self, micros: i64) -> Figure {
        let Figure { text, room } = self.show(micros);
        Figure { text: format!("{}{text}", plus(micros)), room }
    }
}

/// Decimals that a sum in micro-units needs, at least two.
fn needed(micros: i64) -> usize {
    let is_whole = |decimals: &usize| micros % 10_i64.pow(missing(*decimals)) == 0;
    (DECIMALS_MIN..DECIMALS_MAX).find(is_whole).unwrap_or(DECIMALS_MAX)
}

/// Micro-units with the decimals they need.
fn exact(micros: i64) -> String {
    let decimals = needed(micros);
    let whole = i64::try_from(micros.unsigned_abs() / 1_000_000).unwrap_or_default();
    let fraction = micros.unsigned_abs() % 1_000_000 / 10_u64.pow(missing(decimals));
    let sign = if micros < 0 { "-" } else { "" };
    format!("{sign}{}.{fraction:0decimals$}", grouped(whole))
}

/// The sign before what is more than nothing.
const fn plus(micros: i64) -> &'static str {
    if micros > 0 { "+" } else { "" }
}

/// A sentence of the log with its sums and counts grouped: `remains 2500`, `1200.50 → 0.50`. Other
/// figures, such as the number of a receipt, stay as they were written.
pub(crate) fn grouped_in(sentence: &str) -> String {
    let words: Vec<&str> = sentence.split(' ').collect();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let grouped = words.iter().enumerate().map(|(at, text)| {
        let is_counted = word(at + 1) == ARROW
            || at > 0 && [ARROW, "remains", "Remains", "count"].contains(&word(at - 1));
        grouped_word(text, is_counted).unwrap_or_else(|| (*text).to_owned())
    });
    grouped.collect::<Vec<_>>().join(" ")
}

/// Between what was and what is, in the log.
const ARROW: &str = "→";

/// A word that is a sum, or a count where it may be one, with what ends it.
fn grouped_word(word: &str, is_counted: bool) -> Option<String> {
    let figure = word.trim_end_matches([',', ';', ':', ')']);
    let (sign, digits) = match figure.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", figure),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let is_sum = (DECIMALS_MIN..=DECIMALS_MAX).contains(&decimals.len());
    let is_figure = is_sum || is_counted && !digits.contains('.');
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() < 4 || !is_figure || !is_digits(whole) || !is_digits(decimals) {
        return None;
    }
    let grouped = grouped(whole.parse().ok()?);
    Some(format!("{sign}{grouped}{}", word.get(sign.len() + whole.len()..)?))
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
        let room = |zeros: &str| format!("<i data-pad=\"{zeros}\"></i>");
        let shown = column.map(|sum| plain(decimals.show(sum)));
        let one = room("0");
        assert_eq!(shown, [format!("1.50{one}"), "0.025".into(), format!("12_345.00{one}")]);
        assert_eq!(Decimals::of([]), Decimals(2));
        let fine = Decimals::of([1, 1_000_000]);
        assert_eq!(fine.show(-1).to_string(), "-0.000001");
        assert_eq!(fine.signed(1_000_000).to_string(), format!("+1.00{}", room("0000")));
        assert_eq!(plain(fine.show(i64::MIN)), "-9_223_372_036_854.775808");
    }

    #[test]
    fn sentences_have_their_sums_and_counts_grouped() {
        for (sentence, expected) in [
            ("399.93 → 1000.00: USDT, receipt 4113", "399.93 → 1_000.00: USDT, receipt 4113"),
            (
                "rate 1200.50 → -1234.5678; max 10000 → 5",
                "rate 1_200.50 → -1_234.5678; max 10_000 → 5",
            ),
            ("start count 5000000000, remains 2500", "start count 5_000_000_000, remains 2_500"),
            ("in 2026, 1234.5 or 1.2345.678", "in 2026, 1234.5 or 1.2345.678"),
            ("→ 12345x, 127.0.0.1 ", "→ 12345x, 127.0.0.1 "),
            ("", ""),
        ] {
            assert_eq!(plain(grouped_in(sentence)), expected);
        }
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
