//! Refills: what customers asked to have delivered again.

pub(super) mod list;
