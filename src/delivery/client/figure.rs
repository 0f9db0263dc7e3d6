//! Amounts and counts as providers write them: numbers or texts, with blanks, currency signs, and
//! `,` or `.` between thousands or before decimals. What could mean two things says nothing.

use crate::delivery::json::Json;
use crate::domain::money::Money;

/// Decimals of our money.
const DECIMALS: i32 = 6;
const MICROS: i128 = 1_000_000;
/// More digits than anything that can be kept.
const DIGITS_MAX: usize = 30;
const EXPONENT_MAX: i32 = 30;
const AFFIX_LENGTH_MAX: usize = 8;

/// An amount of money; what is finer than a micro-unit is rounded up. `None` where nothing is said,
/// or nothing clear.
pub(super) fn amount(json: &Json) -> Option<Money> {
    let micros = match json {
        Json::Number(text) => micros_of_number(text),
        Json::Text(text) => micros_of_text(text),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => None,
    };
    micros.and_then(|micros| i64::try_from(micros).ok()).map(Money::from_micros)
}

/// A count of units: decimals are cut off, below 0 is 0. `None` as for amounts.
pub(super) fn count(json: &Json) -> Option<i64> {
    let micros = match json {
        Json::Number(text) => micros_of_number(text),
        Json::Text(text) if is_grouped(text) => None,
        Json::Text(text) => micros_of_text(text),
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => None,
    };
    micros.and_then(|micros| i64::try_from(micros.max(0) / MICROS).ok())
}

/// Whether the one point of a text may stand between thousands as well: `1.200` units.
fn is_grouped(text: &str) -> bool {
    text.trim().split_once('.').is_some_and(|(whole, fraction)| {
        let is_group = fraction.len() == 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
        is_group && whole.trim_start_matches('-') != "0"
    })
}

/// Reads a JSON number, with an exponent too.
fn micros_of_number(text: &str) -> Option<i128> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (mantissa, is_negative) = match mantissa.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (mantissa, false),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let are_digits = !whole.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits || digits.len() > DIGITS_MAX {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    if exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let value: i128 = digits.parse().ok()?;
    let value = if is_negative { -value } else { value };
    let shift = DECIMALS + exponent - i32::try_from(fraction.len()).ok()?;
    let factor = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        return value.checked_mul(factor);
    }
    Some(value.div_euclid(factor) + i128::from(value.rem_euclid(factor) > 0))
}

fn micros_of_text(text: &str) -> Option<i128> {
    let text = text.trim();
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let last = text.rfind(|c: char| c.is_ascii_digit())?;
    let (before, core, behind) = (&text[..first], &text[first..=last], &text[last + 1..]);
    let minuses = before.matches(['-', '\u{2212}']).count();
    let before = before.replace(['-', '\u{2212}', '+'], "");
    if minuses > 1 || before.ends_with(['.', ',']) || behind.starts_with(['.', ',']) {
        return None;
    }
    if !is_affix(&before) || !is_affix(behind) {
        return None;
    }
    let is_scientific = core.contains(['e', 'E']);
    let plain = if is_scientific { core.to_owned() } else { plain(core)? };
    let sign = if minuses == 1 { "-" } else { "" };
    micros_of_number(&format!("{sign}{plain}"))
}

/// Whether a text beside a figure is a currency, by its sign or its name.
fn is_affix(text: &str) -> bool {
    let is_known = |c: char| {
        let is_sign = matches!(c, '$' | '¢' | '£' | '¥' | '฿' | '\u{20a0}'..='\u{20cf}');
        is_sign || c == '.' || c.is_whitespace() || c.is_alphabetic()
    };
    text.chars().count() <= AFFIX_LENGTH_MAX && text.chars().all(is_known)
}

/// Digits with separators as `digits[.digits]`.
fn plain(core: &str) -> Option<String> {
    let is_separator = |c: char| !c.is_ascii_digit();
    let Some((at, last)) = core.char_indices().rfind(|(_, c)| is_separator(*c)) else {
        return Some(core.to_owned());
    };
    let (whole, fraction) = (&core[..at], &core[at + last.len_utf8()..]);
    let is_only_one = !whole.contains(is_separator);
    let is_decimal = match last {
        '.' => !whole.contains('.'),
        ',' if is_only_one => fraction.len() != 3 || whole == "0",
        ',' => !whole.contains(','),
        _ => false,
    };
    if is_decimal {
        return Some(format!("{}.{fraction}", without_groups(whole)?));
    }
    if is_only_one && last == ',' {
        return None;
    }
    without_groups(core)
}

/// Digits in groups of three, all with the same separator, without it.
fn without_groups(text: &str) -> Option<String> {
    let Some(separator) = text.chars().find(|c| !c.is_ascii_digit()) else {
        return Some(text.to_owned());
    };
    let is_separator =
        matches!(separator, ',' | '.' | '\'' | '\u{2019}') || separator.is_whitespace();
    let groups: Vec<&str> = text.split(separator).collect();
    let are_digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let are_whole = groups.iter().skip(1).all(|group| group.len() == 3);
    let is_led = (1..=3).contains(&groups[0].len());
    (is_separator && are_digits && are_whole && is_led).then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::fuzz::{Dice, ROUNDS};

    fn text(text: &str) -> Json {
        Json::Text(text.to_owned())
    }

    #[test]
    fn amounts_are_read_where_they_are_clear() {
        let table = [
            ("100.84292", Some("100.84292")),
            ("0.90", Some("0.90")),
            ("1.200", Some("1.20")),
            ("1,5", Some("1.50")),
            ("0,333", Some("0.333")),
            ("12,3456", Some("12.3456")),
            ("1,234.56", Some("1234.56")),
            ("1.234,56", Some("1234.56")),
            ("1 234,5", Some("1234.50")),
            ("1\u{a0}234\u{a0}567.8", Some("1234567.80")),
            ("1'234.50", Some("1234.50")),
            ("1,234,567", Some("1234567.00")),
            ("1.234.567", Some("1234567.00")),
            ("$12.50", Some("12.50")),
            ("-$12.50", Some("-12.50")),
            ("€ -3", Some("-3.00")),
            ("\u{2212}3", Some("-3.00")),
            ("12.50 USD", Some("12.50")),
            ("Rs. 500", Some("500.00")),
            ("500 руб.", Some("500.00")),
            ("₹1,23,456", None),
            ("1e-5", Some("0.00001")),
            ("1.0E-5", Some("0.00001")),
            ("0.0000001", Some("0.000001")),
            ("0.27819000000000005", Some("0.278191")),
            ("-0.0000001", Some("0.00")),
            ("0", Some("0.00")),
            // What could mean two things, or nothing.
            ("1,200", None),
            ("1,23", Some("1.23")),
            ("1.23.4", None),
            ("1,2,3", None),
            ("1 23", None),
            (".5", None),
            ("5.", None),
            ("12abc34", None),
            ("--5", None),
            ("5%", None),
            ("N/A", None),
            ("", None),
            ("1e99", None),
            ("99999999999999999999", None),
            ("a long tale of 5", None),
        ];
        for (written, amount_of_it) in table {
            let found = amount(&text(written)).map(|amount| amount.to_string());
            assert_eq!(found.as_deref(), amount_of_it, "{written}");
        }
    }

    #[test]
    fn numbers_are_read_as_json_means_them() {
        for (written, micros) in [
            ("2.50", Some(2_500_000)),
            ("1.200", Some(1_200_000)),
            ("-5", Some(-5_000_000)),
            ("1E3", Some(1_000_000_000)),
            ("12e-1", Some(1_200_000)),
            ("0.00000149", Some(2)),
            ("1e31", None),
            ("9223372036854.775807", Some(i64::MAX)),
            ("9223372036854.775808", None),
        ] {
            let found = amount(&Json::Number(written.to_owned())).map(Money::micros);
            assert_eq!(found, micros, "{written}");
        }
        for json in [Json::Null, Json::Bool(true), Json::List(Vec::new())] {
            assert_eq!((amount(&json), count(&json)), (None, None));
        }
    }

    #[test]
    fn whatever_is_written_has_the_digits_that_are_read() {
        let mut dice = Dice(0x5eed_0003);
        let mut read = 0;
        for _ in 0..ROUNDS {
            let length = dice.below(9);
            let alphabet: Vec<char> = "0123456789.,-+ eE$€'\u{a0}xN/".chars().collect();
            let written = (0..length).map(|_| alphabet[dice.below(alphabet.len())]);
            let written: String = written.collect();
            for json in [text(&written), Json::Number(written.clone())] {
                assert!(count(&json).is_none_or(|units| units >= 0), "{written}");
                let Some(amount) = amount(&json) else { continue };
                read += 1;
                let has_exponent = written.contains(['e', 'E']);
                let digits = |text: &str| -> String {
                    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                    digits.trim_matches('0').to_owned()
                };
                let is_small = written.chars().filter(char::is_ascii_digit).count() <= 6;
                let is_same = digits(&written) == digits(&amount.to_string());
                assert!(has_exponent || !is_small || is_same, "{written} is {amount}");
                assert!(!amount.is_negative() || written.contains('-'), "{written}");
            }
        }
        assert!(read > ROUNDS / 20, "{read}");
    }

    #[test]
    fn counts_are_whole_and_not_below_0() {
        for (written, units) in [
            ("157", Some(157)),
            ("1 000", Some(1000)),
            ("12.7", Some(12)),
            ("-5", Some(0)),
            ("0.999", Some(0)),
            ("1,200,000", Some(1_200_000)),
            ("1.200", None),
            ("1,200", None),
            ("N/A", None),
            ("", None),
        ] {
            assert_eq!(count(&text(written)), units, "{written}");
        }
        assert_eq!(count(&Json::Number("1.200".to_owned())), Some(1));
        assert_eq!(count(&Json::Number("123456789012345".to_owned())), Some(123_456_789_012_345));
    }
}
