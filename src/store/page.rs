//! Pages of long lists, by key: never by counting rows.
//!
//! A list is in the order of a key that only grows, newest first. A page asks for one row more than
//! it shows, so that it knows whether there is another; the way back reads upwards and turns the
//! rows round.

/// Where a page of a list begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cursor {
    /// At the newest row.
    #[default]
    Newest,
    /// Behind this one.
    Older(i64),
    /// Before this one.
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
}
