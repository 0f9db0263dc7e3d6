//! Calendar arithmetic for orders that last: the last day of a subscription.

use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::Date;

use super::Timestamp;

const DAY_SECONDS: i64 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// The last second (UTC) of a day written `d/m/Y`, `None` for what is no day from 1970 to 9999.
pub fn end_of_day(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('/');
    let day = number(parts.next()?, 1..=2)?;
    let month = number(parts.next()?, 1..=2)?;
    let year = number(parts.next()?, 4..=4)?;
    let date = Date::new(year, month, day).ok()?;
    let is_day = parts.next().is_none() && date >= EPOCH;
    is_day.then(|| Timestamp(date.duration_since(EPOCH).as_secs() + DAY_SECONDS - 1))
}

/// A number of so many digits and nothing else, not even a sign.
fn number<T: FromStr>(text: &str, digits: RangeInclusive<usize>) -> Option<T> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_its_last_second() {
        for (text, seconds) in [
            ("1/1/1970", 86_399),
            ("01/03/2000", 951_955_199),
            ("29/2/2024", 1_709_251_199),
            ("31/12/2026", 1_798_761_599),
            ("01/01/2100", 4_102_531_199),
        ] {
            assert_eq!(end_of_day(text), Some(Timestamp(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_none() {
        for text in [
            "",
            "1/1",
            "1/1/70",
            "0/1/2030",
            "32/1/2030",
            "29/2/2023",
            "31/4/2030",
            "1/13/2030",
            "1/1/2030/",
            "2030-01-01",
            "+1/1/2030",
            "1/1/1969",
            "001/1/2030",
            " 1/1/2030",
        ] {
            assert_eq!(end_of_day(text), None, "{text:?}");
        }
    }
}
