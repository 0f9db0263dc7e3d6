//! Calendar arithmetic for orders that last: the last day of a subscription.

use super::Timestamp;

const DAY_SECONDS: i64 = 86_400;

/// The last second (UTC) of a day written `d/m/Y`, `None` for what is no day from 1970 to 9999.
pub fn end_of_day(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('/');
    let (day, month, year) = (part(parts.next()?, 2)?, part(parts.next()?, 2)?, parts.next()?);
    let year = if year.len() == 4 { part(year, 4)? } else { return None };
    let is_day = parts.next().is_none()
        && year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    is_day.then(|| Timestamp((days_since_epoch(year, month, day) + 1) * DAY_SECONDS - 1))
}

fn part(text: &str, most: usize) -> Option<i64> {
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01, both days valid.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400 - 477;
    let in_months: i64 = (1..month).map(|month| days_in_month(year, month)).sum();
    (year - 1970) * 365 + leap_days + in_months + day - 1
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
