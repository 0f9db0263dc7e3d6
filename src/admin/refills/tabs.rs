//! The tabs above the lists of refills and of drip-feeds, those that are open with how many wait.

use crate::admin::frame::list::{Address, Tab};
use crate::domain::refill::RefillStatus;
use crate::store::{self, Read, refills};

/// Where drip-feeds are listed.
pub(super) const DRIPS_PATH: &str = "/admin/refills/drips";
/// The word of the tab that shows all refills.
pub(super) const ALL: &str = "all";
/// Open refills are counted up to here.
const COUNTED_MAX: i64 = 100;

/// A list of refills: of one status, or `all`.
pub(super) fn address(state: &str) -> Address {
    Address::new("/admin/refills").with("state", state)
}

/// The tabs; `this` is the one that is shown: a status, or `all`. Those that are open are counted.
pub(super) fn tabs(db: &Read<'_>, this: &str) -> store::Result<Vec<Tab>> {
    let mut tabs = Vec::new();
    let open = Vec::from_iter(RefillStatus::ALL.iter().filter(|status| status.is_open()));
    let counts = db.each(&open, |db, status| refills::count(db, **status, COUNTED_MAX))?;
    for (status, count) in open.into_iter().zip(counts) {
        let count = match count {
            COUNTED_MAX.. => format!("{}+", COUNTED_MAX - 1),
            count => count.to_string(),
        };
        let tab = Tab::new(address(status.as_str()), status.label(), status.as_str() == this);
        tabs.push(Tab { count: Some(count), ..tab });
    }
    for status in RefillStatus::ALL.iter().filter(|status| !status.is_open()) {
        tabs.push(Tab::new(address(status.as_str()), status.label(), status.as_str() == this));
    }
    tabs.push(Tab::new(address(ALL), "All", this == ALL));
    tabs.push(Tab::new(DRIPS_PATH, "Drip-feeds", this == DRIPS_PATH));
    Ok(tabs)
}
