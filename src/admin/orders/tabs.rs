//! The tabs above lists of orders, with how many orders stand behind each.

use crate::admin::frame::figure::grouped;
use crate::admin::frame::list::{self, Address};
use crate::domain::order::PublicStatus;
use crate::store::{self, Read, delivery_list, order_list, orders, together};

/// Where open orders with a cancel request are listed.
pub(crate) const CANCELS_PATH: &str = "/admin/refills/cancels";
/// Where orders that need a decision are listed.
pub(crate) const HAND_PATH: &str = "/admin/orders?tab=hand";
/// Orders that wait for a person are counted up to here.
const WAITING_MAX: i64 = 100;

/// Which orders a tab shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    All,
    Of(PublicStatus),
    /// Those whose customer asks to cancel: a page of its own.
    CancelRequests,
    /// Those of which nobody knows where they are, or that wait for a person otherwise.
    Hand,
}

impl Tab {
    /// In the order in which they stand.
    const ALL: [Self; 9] = [
        Self::All,
        Self::Hand,
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
            Self::All | Self::CancelRequests | Self::Hand => "",
            Self::Of(status) => status.as_str(),
        }
    }

    /// What it says.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Of(status) => status.label(),
            Self::CancelRequests => "Cancel requests",
            Self::Hand => "Needs a decision",
        }
    }
}

/// How many orders there are behind each tab, whatever a list is filtered by.
pub(crate) struct Counts {
    by_status: Vec<(PublicStatus, i64)>,
    cancel_requests: i64,
    /// Nothing in a panel without providers.
    hand: Option<i64>,
}

impl Counts {
    /// As they are now.
    pub(crate) fn read(db: &Read<'_>) -> store::Result<Self> {
        let hand = |db: &Read<'_>| match delivery_list::names(db)?.is_empty() {
            true => Ok(None),
            false => delivery_list::count(db, WAITING_MAX).map(Some),
        };
        let (cancel_requests, hand, by_status) = together!(
            db: order_list::count_cancel_requests(db, WAITING_MAX),
            hand(db),
            orders::counts(db),
        );
        Ok(Self { by_status, cancel_requests, hand })
    }

    /// Orders of that tab.
    pub(crate) fn of(&self, tab: Tab) -> i64 {
        let of = |status| self.by_status.iter().filter(move |(known, _)| *known == status);
        match tab {
            Tab::All => self.by_status.iter().map(|(_, count)| count).sum(),
            Tab::Of(status) => of(status).map(|(_, count)| count).sum(),
            Tab::CancelRequests => self.cancel_requests,
            Tab::Hand => self.hand.unwrap_or_default(),
        }
    }

    /// The tabs, the shown one marked. `address` leads to the list of a status, filtered as it is.
    pub(crate) fn tabs(&self, shown: Tab, address: impl Fn(Tab) -> Address) -> Vec<list::Tab> {
        let draw = |tab: Tab| {
            let count = match (tab, self.of(tab)) {
                (Tab::CancelRequests | Tab::Hand, WAITING_MAX..) => {
                    format!("{}+", WAITING_MAX - 1)
                }
                (_, count) => grouped(count),
            };
            let href = match tab {
                Tab::CancelRequests => CANCELS_PATH.to_owned(),
                Tab::Hand => HAND_PATH.to_owned(),
                Tab::All | Tab::Of(_) => address(tab).to_string(),
            };
            let tab = list::Tab::new(href, tab.label(), tab == shown);
            list::Tab { count: Some(count), ..tab }
        };
        let is_there = |tab: &Tab| *tab != Tab::Hand || self.hand.is_some() || shown == Tab::Hand;
        Tab::ALL.into_iter().filter(is_there).map(draw).collect()
    }
}
