//! Bars, drawn here: no script, no floats. Labels are HTML, so that they never stretch.

/// Units of the drawing: one slot per bar, and its height.
const SLOT: i64 = 20;
const BAR: i64 = 14;
const HEIGHT: i64 = 120;
/// Parts of the scale between nothing and its top.
const STEPS: i64 = 4;

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// What it is the value of, such as a day.
    pub(super) label: String,
    pub(super) value: i64,
    /// The value as people read it, with its unit.
    pub(super) shown: String,
}

/// A bar to draw.
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) height: i64,
    pub(super) text: String,
}

/// A row of bars with its scale.
pub(super) struct Chart {
    /// What is drawn, with its unit.
    pub(super) title: String,
    /// The last value, which is the one of now.
    pub(super) current: String,
    /// The bars, oldest first.
    pub(super) bars: Vec<Bar>,
    /// The labels of the scale, from the top down to nothing.
    pub(super) scale: Vec<String>,
    /// The labels of the first, the middle and the last bar.
    pub(super) ends: Vec<String>,
}

impl Chart {
    /// Draws a row of values that are not below nothing. `unit` is what one is, in the row's own
    /// smallest units, and `say` writes a value on the scale.
    pub(super) fn new(
        title: impl Into<String>,
        points: &[Point],
        unit: i64,
        say: impl Fn(i64) -> String,
    ) -> Self {
        let top = top(points.iter().map(|point| point.value).max().unwrap_or(0), unit);
        let bars = (0_i64..).zip(points).map(|(at, point)| {
            let height = scaled(point.value, top);
            let text = format!("{}: {}", point.label, point.shown);
            Bar { x: at * SLOT + (SLOT - BAR) / 2, y: HEIGHT - height, height, text }
        });
        let bars = bars.collect();
        let labels = [points.first(), points.get(points.len() / 2), points.last()];
        Self {
            title: title.into(),
            current: points.last().map(|point| point.shown.clone()).unwrap_or_default(),
            bars,
            scale: (0..=STEPS).rev().map(|step| say(top / STEPS * step)).collect(),
            ends: labels.into_iter().flatten().map(|point| point.label.clone()).collect(),
        }
    }

    /// How wide the drawing is.
    pub(super) fn width(&self) -> i64 {
        i64::try_from(self.bars.len()).unwrap_or(i64::MAX / SLOT).max(1) * SLOT
    }

    /// How high it is.
    pub(super) fn height(&self) -> i64 {
        HEIGHT
    }

    /// How wide a bar is.
    pub(super) fn bar(&self) -> i64 {
        BAR
    }

    /// Where the lines of the scale are.
    pub(super) fn lines(&self) -> impl Iterator<Item = i64> {
        (0..=STEPS).map(|step| HEIGHT / STEPS * step)
    }
}

/// A height; what is there at all is seen.
fn scaled(value: i64, top: i64) -> i64 {
    let height = i128::from(value) * i128::from(HEIGHT) / i128::from(top.max(1));
    let least = i64::from(value > 0);
    i64::try_from(height).unwrap_or(HEIGHT).clamp(least, HEIGHT)
}

/// The next of 4, 8, 12, 16, 20, 24, 32, 40, 60, 80, 100 … units: its quarters are whole numbers
/// of units that one can read, and the highest bar fills two thirds or more of it.
fn top(most: i64, unit: i64) -> i64 {
    let mut decade = unit;
    loop {
        for digit in [4, 6, 8, 10, 12, 16, 20, 24, 32] {
            match decade.checked_mul(digit) {
                Some(top) if top >= most && top % (STEPS * unit) == 0 => return top,
                Some(_) => {}
                None => return i64::MAX,
            }
        }
        decade = match decade.checked_mul(10) {
            Some(next) => next,
            None => return i64::MAX,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_round_steps_and_bars_fit_below_it() {
        let point = |value| Point { label: "d".to_owned(), value, shown: value.to_string() };
        let tops = [(0, 4), (4, 4), (5, 8), (9, 12), (21, 24), (33, 40), (45, 60), (81, 100)];
        for (most, expected) in tops.into_iter().chain([(121, 160), (999, 1000), (4500, 6000)]) {
            assert_eq!(top(most, 1), expected, "{most}");
            assert_eq!(top(most * 10_000, 10_000), expected * 10_000, "{most}");
        }
        assert_eq!(top(i64::MAX, 1), i64::MAX);
        let chart = Chart::new("x", &[point(0), point(1), point(5000)], 1, |v| v.to_string());
        let heights: Vec<i64> = chart.bars.iter().map(|bar| bar.height).collect();
        assert_eq!(heights, [0, 1, 100]);
        assert!(chart.bars.iter().all(|bar| bar.y + bar.height == HEIGHT));
        assert_eq!(chart.scale, ["6000", "4500", "3000", "1500", "0"]);
        assert_eq!((chart.width(), chart.current.as_str()), (60, "5000"));
    }
}
