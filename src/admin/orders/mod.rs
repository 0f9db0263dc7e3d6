//! Orders: the list, one order, a new one, many at once, those that customers ask to cancel, those
//! that need a decision.

pub(super) mod bulk;
pub(super) mod cancels;
pub(super) mod decide;
mod hand;
pub(super) mod list;
pub(super) mod new;
pub(super) mod one;
mod parts;
pub(super) mod posts;
mod sent;
mod tabs;
