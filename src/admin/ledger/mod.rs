//! The ledger: all entries, one of them, and whether the books balance.

pub(super) mod books;
pub(super) mod list;
pub(super) mod one;
