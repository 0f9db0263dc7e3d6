//! Lists, page by page: what a list's address says, how many rows it shows, the pages beside it.
//!
//! A list page reads its filter from the form, builds the [`Address`] that leads back to it, and
//! draws a [`List`]. Templates end it with `ui::pager` and put its tabs into `ui::tabs`.

use std::fmt::{self, Display};

use super::answer::encoded;
use super::cx::Cx;
use crate::store::page::{Cursor, Page};

/// Rows on a page: the first, unless the reader wants another of them.
const SIZES: [i64; 3] = [50, 100, 200];

/// The fields that say which part of a list is shown, not what the list is about.
const PLACE: [&str; 3] = ["size", "older", "newer"];

/// The address of a list: its path and what it says about filter, size and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    path: String,
    pairs: Vec<(&'static str, String)>,
}

impl Address {
    /// The list as it is without any filter.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new() }
    }

    /// With one more field.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.pairs.push((name, value.to_string()));
        self
    }

    /// With one more field, unless it is empty.
    pub(crate) fn with_some(self, name: &'static str, value: &str) -> Self {
        if value.is_empty() { self } else { self.with(name, value) }
    }

    /// The page that begins there.
    pub(crate) fn at(self, cursor: Cursor) -> Self {
        match cursor {
            Cursor::Newest => self,
            Cursor::Older(id) => self.with("older", id),
            Cursor::Newer(id) => self.with("newer", id),
        }
    }

    /// Its fields, for a form that leads back here.
    pub(crate) fn pairs(&self) -> &[(&'static str, String)] {
        &self.pairs
    }

    /// Whether anything but the place in the list was asked for.
    pub(crate) fn is_filtered(&self) -> bool {
        self.pairs.iter().any(|(name, value)| !PLACE.contains(name) && !value.is_empty())
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for (at, (name, value)) in self.pairs.iter().enumerate() {
            let joint = if at == 0 { '?' } else { '&' };
            write!(f, "{joint}{name}={}", encoded(value))?;
        }
        Ok(())
    }
}

/// One page of a list as it is drawn.
pub(crate) struct List<T> {
    pub(crate) rows: Vec<T>,
    address: Address,
    newer: Option<i64>,
    older: Option<i64>,
}

impl<T> List<T> {
    /// A page that was read. `address` leads to the list, `key` is what its pages begin behind.
    pub(crate) fn new(page: Page<T>, address: Address, key: impl Fn(&T) -> i64) -> Self {
        let newer = page.rows.first().filter(|_| page.has_newer).map(&key);
        let older = page.rows.last().filter(|_| page.has_older).map(&key);
        Self { rows: page.rows, address, newer, older }
    }

    /// A page whose neighbors were found with it.
    pub(crate) fn between(
        rows: Vec<T>,
        address: Address,
        (newer, older): (Option<i64>, Option<i64>),
    ) -> Self {
        Self { rows, address, newer, older }
    }

    /// The address of the page before this one, if there is one.
    pub(crate) fn newer(&self) -> Option<Address> {
        self.newer.map(|id| self.address.clone().at(Cursor::Newer(id)))
    }

    /// The address of the page behind this one, if there is one.
    pub(crate) fn older(&self) -> Option<Address> {
        self.older.map(|id| self.address.clone().at(Cursor::Older(id)))
    }

    /// Whether there are more rows than those of this page.
    pub(crate) fn is_part(&self) -> bool {
        self.newer.is_some() || self.older.is_some()
    }

    /// Whether anything but the place in the list was asked for.
    pub(crate) fn is_filtered(&self) -> bool {
        self.address.is_filtered()
    }
}

/// Where nothing was looked for, because what was asked cannot be understood.
pub(crate) fn no_page<T>() -> Page<T> {
    Page { rows: Vec::new(), has_newer: false, has_older: false }
}

/// A part of a list that has an address of its own.
pub(crate) struct Tab {
    pub(crate) href: String,
    pub(crate) label: &'static str,
    /// How many rows are there, where that is worth saying.
    pub(crate) count: Option<String>,
    pub(crate) is_this: bool,
}

impl Tab {
    /// A tab that does not count its rows.
    pub(crate) fn new(href: impl ToString, label: &'static str, is_this: bool) -> Self {
        Self { href: href.to_string(), label, count: None, is_this }
    }
}

/// How many rows a list shows, and how many it could show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: i64,
    pub(crate) offered: [i64; 3],
}

impl Size {
    /// The sizes on offer, and which of them is this one.
    pub(crate) fn choices(self) -> [(i64, bool); 3] {
        self.offered.map(|rows| (rows, rows == self.rows))
    }

    /// Whether the reader has not asked for another one.
    pub(crate) fn is_usual(self) -> bool {
        self.rows == self.offered[0]
    }
}

impl Cx {
    /// Where a list goes on: `older=…` or `newer=…` in the address.
    pub(crate) fn cursor(&self) -> Cursor {
        let id = |name: &str| self.form.get(name).parse().ok();
        let older = id("older").map(Cursor::Older);
        older.or_else(|| id("newer").map(Cursor::Newer)).unwrap_or_default()
    }

    /// How many rows a list shows: one of the usual sizes.
    pub(crate) fn size(&self) -> Size {
        self.size_of(SIZES)
    }

    /// The same for a list with sizes of its own.
    pub(crate) fn size_of(&self, offered: [i64; 3]) -> Size {
        let size = self.form.get("size").parse().ok();
        let rows = size.filter(|size| offered.contains(size)).unwrap_or(offered[0]);
        Size { rows, offered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_the_same_page() {
        let list = Address::new("/admin/x").with("state", "in_progress").with_some("q", "");
        let list = list.with("size", 50);
        assert!(list.is_filtered());
        assert_eq!(list.to_string(), "/admin/x?state=in_progress&size=50");
        let next = list.with_some("link", "a&b").at(Cursor::Older(7));
        assert_eq!(next.to_string(), "/admin/x?state=in_progress&size=50&link=a%26b&older=7");
        let bare = Address::new("/admin/x").with("state", "").with("size", 50);
        assert!(!bare.is_filtered());
    }

    #[test]
    fn only_pages_that_exist_are_led_to() {
        let page = |has_newer, has_older| {
            let page = Page { rows: vec![9, 8], has_newer, has_older };
            let list = List::new(page, Address::new("/x"), |row| *row);
            let text = |address: Option<Address>| address.map(|it| it.to_string());
            (text(list.newer()), text(list.older()))
        };
        assert_eq!(page(false, false), (None, None));
        let (newer, older) = ("/x?newer=9".to_owned(), "/x?older=8".to_owned());
        assert_eq!(page(true, true), (Some(newer), Some(older)));
    }
}
