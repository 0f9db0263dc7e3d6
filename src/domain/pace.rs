//! How long a service takes: a moving figure, since what was true a year ago says little.

/// About how long the orders of a service take from the purchase to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Orders that have completed.
    pub completed: i64,
    pub seconds: i64,
}

impl Pace {
    /// The pace after one more order that took so long: a tenth of the way to it. The first one is
    /// the pace.
    pub fn after(known: Option<Self>, seconds: i64) -> Self {
        let seconds = seconds.max(0);
        match known {
            None => Self { completed: 1, seconds },
            Some(pace) => Self {
                completed: pace.completed.saturating_add(1),
                seconds: pace.seconds + (seconds - pace.seconds) / 10,
            },
        }
    }

    /// In minutes, a part of one counts as a whole.
    pub const fn minutes(self) -> i64 {
        (self.seconds + 59) / 60
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_follows_slowly() {
        let first = Pace::after(None, 1000);
        assert_eq!(first, Pace { completed: 1, seconds: 1000 });
        assert_eq!(Pace::after(Some(first), 2000), Pace { completed: 2, seconds: 1100 });
        assert_eq!(Pace::after(Some(first), 0).seconds, 900);
        let minutes = |seconds| Pace { completed: 1, seconds }.minutes();
        assert_eq!((minutes(0), minutes(1), minutes(60), minutes(61)), (0, 1, 1, 2));
    }
}
