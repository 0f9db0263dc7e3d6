//! The catalogue: services, many of them at once, one of them, as a file; and their categories.

pub(super) mod bulk;
pub(super) mod categories;
pub(super) mod import;
pub(super) mod list;
pub(super) mod one;
mod supply;
