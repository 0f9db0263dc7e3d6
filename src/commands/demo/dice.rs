//! Numbers and links that look thrown, and are the same in every sample shop.

/// A row of numbers that its seed decides.
pub(super) struct Dice(u64);

const DIGITS: &[u8] = b"0123456789";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Who is promoted.
const NAMES: &[&str] = &[
    "lunatravels",
    "fitwithmara",
    "oldtownbakery",
    "nordlichtfoto",
    "streetfoodlab",
    "mikaplays",
    "cedarandclay",
    "djorbit",
    "studiovelvet",
    "pandacoffeeroasters",
    "urbangardenclub",
    "thehikingtwins",
    "salonamelie",
    "retromotors",
    "kitchenofnora",
    "pixelandpaper",
];

/// What is promoted. In patterns `$` stands for a name, `*` for a letter, `#` for a digit.
pub(super) struct Place {
    /// Where it is.
    pub target: &'static str,
    /// What a network's button to share appends.
    pub tails: &'static [&'static str],
}

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to before the end, which is more than 0.
    pub(super) fn below(&mut self, end: i64) -> i64 {
        // Knuth's MMIX; its upper half is good enough for a sample.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap_or(0) % end.max(1)
    }

    /// One of them; `None` of none.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let length = i64::try_from(from.len()).unwrap_or(i64::MAX);
        usize::try_from(self.below(length)).ok().and_then(|at| from.get(at).copied())
    }

    /// One of them, each as likely as its weight says.
    pub(super) fn weigh<T>(&mut self, from: impl Iterator<Item = (i64, T)> + Clone) -> Option<T> {
        let mut roll = self.below(from.clone().map(|(weight, _)| weight).sum());
        for (weight, it) in from {
            roll -= weight;
            if roll < 0 {
                return Some(it);
            }
        }
        None
    }

    /// The pattern with something in the place of each of its signs.
    pub(super) fn fill(&mut self, pattern: &str) -> String {
        let mut text = String::with_capacity(pattern.len());
        for sign in pattern.chars() {
            match sign {
                '$' => text.push_str(self.pick(NAMES).unwrap_or_default()),
                '*' => text.extend(self.pick(LETTERS).map(char::from)),
                '#' => text.extend(self.pick(DIGITS).map(char::from)),
                sign => text.push(sign),
            }
        }
        text
    }

    /// The target as somebody pastes it: often with a tail, now and then without the scheme.
    pub(super) fn paste(&mut self, target: &str, place: &Place) -> String {
        let tail = self.pick(place.tails).unwrap_or_default();
        let link = format!("{target}{}", self.fill(tail));
        match self.below(8) {
            0 => link.trim_start_matches("https://").to_owned(),
            _ => link,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_row() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            [dice.below(100), dice.below(100), dice.below(100)]
        };
        assert_eq!(throw(7), throw(7));
        assert_ne!(throw(7), throw(8));
        let mut dice = Dice::new(7);
        assert!((0..1000).all(|_| (0..6).contains(&dice.below(6))));
        assert_eq!(dice.weigh([(0, "never"), (3, "always")].into_iter()), Some("always"));
        let filled = dice.fill("https://t.me/$/###");
        assert!(!filled.contains(['$', '#', '*']), "{filled}");
    }
}
