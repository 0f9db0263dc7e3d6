//! Orders: the list, one order, a new one, many at once.

pub(super) mod bulk;
pub(super) mod list;
pub(super) mod new;
pub(super) mod one;
