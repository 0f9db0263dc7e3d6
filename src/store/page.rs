//! Pages of long lists, by key: never by counting rows.
//!
//! A list is in the order of a key that only grows, newest first. A page asks for one row more than
//! it shows, so that it knows whether there is another; the way back reads upwards and turns the
//! rows round.
//!
//! A list whose index is in blocks of neighbouring numbers, as `schema.sql` tells why, is looked up
//! in one block after the other: see `Span::walk`.

use super::Result;

/// Neighbouring numbers in a block, as `schema.sql` has it.
const BLOCK: i64 = 1024;

/// A stretch of numbers, both ends outside, and from which end it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub above: i64,
    pub below: i64,
    pub is_upwards: bool,
}

impl Span {
    /// The stretch without what lies before a number.
    pub(super) fn starting_at(self, first: i64) -> Self {
        Self { above: self.above.max(first - 1), ..self }
    }

    /// Looks a list up in one block after the other, until there are enough numbers, in the order
    /// they are met: newest first, on the way back upwards. `of_block` says in any order what a
    /// block has; blocks that have nothing cost as much as others.
    pub(super) fn walk(
        self,
        enough: usize,
        mut of_block: impl FnMut(i64) -> Result<Vec<i64>>,
    ) -> Result<Vec<i64>> {
        let (first, last) = ((self.above + 1) / BLOCK, (self.below - 1) / BLOCK);
        let mut met = Vec::new();
        for step in 0..=last - first {
            let mut found = of_block(if self.is_upwards { first + step } else { last - step })?;
            found.retain(|key| self.above < *key && *key < self.below);
            found.sort_unstable();
            match self.is_upwards {
                true => met.extend(found),
                false => met.extend(found.into_iter().rev()),
            }
            if met.len() >= enough {
                break;
            }
        }
        met.truncate(enough);
        Ok(met)
    }
}

/// Where a page of a list begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// At the newest row.
    #[default]
    Newest,
    Older(i64),
    Newer(i64),
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows, in the order of the list.
    pub rows: Vec<T>,
    /// Whether there are rows before it.
    pub has_newer: bool,
    /// Whether there are rows behind it.
    pub has_older: bool,
}

impl Cursor {
    /// How the key compares with [`Cursor::bound`], and in which direction rows are read.
    pub(super) const fn direction(self) -> (&'static str, &'static str) {
        match self {
            Self::Newest | Self::Older(_) => ("<", "DESC"),
            Self::Newer(_) => (">", "ASC"),
        }
    }

    /// The same for lists that run upwards, first what was first.
    pub(super) const fn upwards(self) -> (&'static str, &'static str) {
        match self {
            Self::Newest | Self::Older(_) => (">", "ASC"),
            Self::Newer(_) => ("<", "DESC"),
        }
    }

    /// The key the page begins at.
    pub(super) const fn bound(self) -> i64 {
        match self {
            Self::Newest => i64::MAX,
            Self::Older(key) | Self::Newer(key) => key,
        }
    }

    /// Whether a page that begins here may show that key.
    pub(super) const fn reaches(self, key: i64) -> bool {
        match self {
            Self::Newest => true,
            Self::Older(bound) => key < bound,
            Self::Newer(bound) => key > bound,
        }
    }

    /// What a page that begins here may show of the numbers from 1 to the last.
    pub(super) fn span(self, last: i64) -> Span {
        let end = last.saturating_add(1);
        let (above, below) = match self {
            Self::Newest => (0, end),
            Self::Older(key) => (0, key.clamp(1, end)),
            Self::Newer(key) => (key.clamp(0, last), end),
        };
        Span { above, below, is_upwards: matches!(self, Self::Newer(_)) }
    }

    /// Makes a page of what was read: at most `size` rows and one.
    pub(super) fn page<T>(self, mut rows: Vec<T>, size: i64) -> Page<T> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let is_cut = rows.len() > size;
        rows.truncate(size);
        match self {
            Self::Newest => Page { rows, has_newer: false, has_older: is_cut },
            Self::Older(_) => Page { rows, has_newer: true, has_older: is_cut },
            Self::Newer(_) => {
                rows.reverse();
                Page { rows, has_newer: is_cut, has_older: true }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_its_neighbours() {
        let page = Cursor::Newest.page(vec![9, 8, 7], 2);
        assert_eq!(page, Page { rows: vec![9, 8], has_newer: false, has_older: true });
        let page = Cursor::Older(8).page(vec![7], 2);
        assert_eq!(page, Page { rows: vec![7], has_newer: true, has_older: false });
        let page = Cursor::Newer(7).page(vec![8, 9], 2);
        assert_eq!(page, Page { rows: vec![9, 8], has_newer: false, has_older: true });
    }

    #[test]
    fn a_list_in_blocks_is_met_in_order() {
        let keys = [1, 5, 1023, 1024, 1030, 4000];
        let walk = |cursor: Cursor, enough| {
            let mut asked = Vec::new();
            let met = cursor.span(4100).walk(enough, |block| {
                asked.push(block);
                Ok(keys.into_iter().filter(|key| key / BLOCK == block).collect())
            });
            (met.unwrap(), asked)
        };
        assert_eq!(walk(Cursor::Newest, 2), (vec![4000, 1030], vec![4, 3, 2, 1]));
        assert_eq!(
            walk(Cursor::Newest, 9),
            (vec![4000, 1030, 1024, 1023, 5, 1], vec![4, 3, 2, 1, 0])
        );
        assert_eq!(walk(Cursor::Older(1024), 2), (vec![1023, 5], vec![0]));
        assert_eq!(walk(Cursor::Older(1030), 1), (vec![1024], vec![1]));
        assert_eq!(walk(Cursor::Newer(5), 2), (vec![1023, 1024], vec![0, 1]));
        assert_eq!(walk(Cursor::Newer(1024), 9), (vec![1030, 4000], vec![1, 2, 3, 4]));
        for nowhere in [Cursor::Older(1), Cursor::Older(i64::MIN), Cursor::Newer(i64::MAX)] {
            assert_eq!(walk(nowhere, 9).0, [0; 0]);
        }
        assert_eq!(walk(Cursor::Older(i64::MAX), 1).0, [4000]);
        assert_eq!(walk(Cursor::Newer(i64::MIN), 1).0, [1]);
    }
}
