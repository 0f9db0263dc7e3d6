//! How a balance went, as a line drawn here: no script, no floats.

use crate::domain::Timestamp;
use crate::domain::money::Money;

/// Units of the drawing.
const WIDTH: i64 = 120;
const HEIGHT: i64 = 24;

/// A line to draw, and what it says to those who do not see it.
pub(super) struct Trend {
    pub(super) points: String,
    pub(super) text: String,
}

impl Trend {
    /// Draws readings, the oldest first; nothing where there is no time between them.
    pub(super) fn new(
        readings: &[(Timestamp, Money)],
        say: impl Fn(Money) -> String,
    ) -> Option<Self> {
        let ((from, first), (until, last)) = (*readings.first()?, *readings.last()?);
        let span = until.0 - from.0;
        if span <= 0 {
            return None;
        }
        let amounts = || readings.iter().map(|(_, amount)| amount.micros());
        let (low, high) = (amounts().min()?, amounts().max()?);
        let room = i128::from(high) - i128::from(low);
        let mut points: Vec<(i64, i64)> = Vec::new();
        for (at, amount) in readings {
            let x = (at.0 - from.0) * WIDTH / span;
            let above = (i128::from(amount.micros()) - i128::from(low)) * i128::from(HEIGHT);
            let y = match room {
                0 => HEIGHT / 2,
                room => HEIGHT - i64::try_from(above / room).unwrap_or(0),
            };
            // Of the readings that fall on one place the last is drawn.
            match points.last_mut() {
                Some(point) if point.0 == x => point.1 = y,
                _ => points.push((x, y)),
            }
        }
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let text = format!("from {} to {}", say(first), say(last));
        Some(Self { points: points.join(" "), text })
    }

    /// How wide and how high the drawing is.
    pub(super) fn view_box(&self) -> String {
        format!("-1 -1 {} {}", WIDTH + 2, HEIGHT + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_from_the_first_reading_to_the_last() {
        let reading = |at, micros| (Timestamp(at), Money::from_micros(micros));
        let say = |amount: Money| amount.micros().to_string();
        let line = |readings: &[_]| Trend::new(readings, say).map(|line| (line.points, line.text));
        let (points, text) = line(&[reading(0, 10), reading(50, 30), reading(100, 20)]).unwrap();
        assert_eq!((points.as_str(), text.as_str()), ("0,24 60,0 120,12", "from 10 to 20"));
        let (flat, _) = line(&[reading(0, 7), reading(9, 7)]).unwrap();
        assert_eq!(flat, "0,12 120,12");
        let many: Vec<_> = (0..9000).map(|at| reading(at, i64::MAX - at)).collect();
        assert!(line(&many).unwrap().0.split(' ').count() <= 121);
        assert_eq!((line(&[]), line(&[reading(5, 1)])), (None, None));
    }
}
