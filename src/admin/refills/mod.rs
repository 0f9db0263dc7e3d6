//! Refills, which customers asked to have delivered again, and the runs of drip-feeds.

pub(super) mod drips;
pub(super) mod list;
mod tabs;
