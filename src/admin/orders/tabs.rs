//! The tabs above lists of orders, with how many orders stand behind each.

use crate::admin::frame::figure::grouped;
use crate::admin::frame::list::{self, Address};
use crate::domain::order::PublicStatus;
use crate::store::{self, Read, order_list, orders};

/// Where open orders with a cancel request are listed.
pub(crate) const CANCELS_PATH: &str = "/admin/refills/cancels";
/// Cancel requests are counted up to here.
const CANCEL_REQUESTS_MAX: i64 = 100;

/// Which orders a tab shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    All,
    Of(PublicStatus),
    /// Those whose customer asks to cancel: a page of its own.
    CancelRequests,
}

impl Tab {
    /// In the order in which they stand.
    const ALL: [Self; 8] = [
        Self::All,
        Self::CancelRequests,
        Self::Of(PublicStatus::Pending),
        Self::Of(PublicStatus::InProgress),
        Self::Of(PublicStatus::Processing),
        Self::Of(PublicStatus::Completed),
        Self::Of(PublicStatus::Partial),
        Self::Of(PublicStatus::Canceled),
    ];

    /// The one with this word in the address; all orders, where there is none.
    pub(crate) fn named(word: &str) -> Self {
        PublicStatus::from_stored(word).map_or(Self::All, Self::Of)
    }

    /// The word in the address.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::All | Self::CancelRequests => "",
            Self::Of(status) => status.as_str(),
        }
    }

    /// What it says.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Of(status) => status.label(),
            Self::CancelRequests => "Cancel requests",
        }
    }
}

/// How many orders there are behind each tab, whatever a list is filtered by.
pub(crate) struct Counts {
    by_status: Vec<(PublicStatus, i64)>,
    cancel_requests: i64,
}

impl Counts {
    /// As they are now.
    pub(crate) fn read(db: &Read<'_>) -> store::Result<Self> {
        let cancel_requests = order_list::count_cancel_requests(db, CANCEL_REQUESTS_MAX)?;
        Ok(Self { by_status: orders::counts(db)?, cancel_requests })
    }

    /// Orders of that tab.
    pub(crate) fn of(&self, tab: Tab) -> i64 {
        let of = |status| self.by_status.iter().filter(move |(known, _)| *known == status);
        match tab {
            Tab::All => self.by_status.iter().map(|(_, count)| count).sum(),
            Tab::Of(status) => of(status).map(|(_, count)| count).sum(),
            Tab::CancelRequests => self.cancel_requests,
        }
    }

    /// The tabs, the shown one marked. `address` leads to the list of a status, filtered as it is.
    pub(crate) fn tabs(&self, shown: Tab, address: impl Fn(Tab) -> Address) -> Vec<list::Tab> {
        let draw = |tab: Tab| {
            let count = match (tab, self.of(tab)) {
                (Tab::CancelRequests, CANCEL_REQUESTS_MAX..) => {
                    format!("{}+", CANCEL_REQUESTS_MAX - 1)
                }
                (_, count) => grouped(count),
            };
            let href = match tab {
                Tab::CancelRequests => CANCELS_PATH.to_owned(),
                Tab::All | Tab::Of(_) => address(tab).to_string(),
            };
            let tab = list::Tab::new(href, tab.label(), tab == shown);
            list::Tab { count: Some(count), ..tab }
        };
        Tab::ALL.into_iter().map(draw).collect()
    }
}
