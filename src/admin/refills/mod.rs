//! What customers ask for after they ordered: refills, and to cancel.

pub(super) mod cancels;
pub(super) mod list;

use crate::admin::frame::list::{Address, Tab};
use crate::domain::refill::RefillStatus;
use crate::store::{self, Read, order_list, refills};

/// What waits is counted up to here.
const COUNTED_MAX: i64 = 100;
/// The word of the tab that shows all refills.
const ALL: &str = "all";
/// The word of the tab beside them.
const CANCELS: &str = "cancels";
const CANCELS_PATH: &str = "/admin/refills/cancels";

/// A list of refills: of one status, or `all`.
fn address(state: &str) -> Address {
    Address::new("/admin/refills").with("state", state)
}

/// The tabs; `this` is the one that is shown: a status, `all`, or `cancels`. What waits is counted.
fn tabs(db: &Read<'_>, this: &str) -> store::Result<Vec<Tab>> {
    let shown = |count: i64| match count {
        0 => None,
        COUNTED_MAX.. => Some(format!("{}+", COUNTED_MAX - 1)),
        count => Some(count.to_string()),
    };
    let mut tabs = Vec::new();
    for status in RefillStatus::ALL {
        let count = match status.is_open() {
            true => shown(refills::count(db, *status, COUNTED_MAX)?),
            false => None,
        };
        let word = status.as_str();
        tabs.push(Tab { count, ..Tab::new(address(word), status.label(), word == this) });
    }
    tabs.push(Tab::new(address(ALL), "All", this == ALL));
    let count = shown(order_list::count_cancel_requests(db, COUNTED_MAX)?);
    tabs.push(Tab { count, ..Tab::new(CANCELS_PATH, "Cancel wishes", this == CANCELS) });
    Ok(tabs)
}
