//! What waits for a person: one line of [`NEEDS`] each. The dashboard shows them first, the
//! navigation counts them.

use super::figure::grouped;
use super::nav::Nav;
use crate::domain::Timestamp;
use crate::domain::condition::{Condition, ConditionKind};
use crate::domain::refill::RefillStatus;
use crate::store::{self, Read, conditions, delivery_list, drips, order_list, refills};

/// Waiting work is counted up to here.
const COUNTED_MAX: i64 = 100;

/// A kind of work that a person has to do.
pub(crate) struct Need {
    /// The line of the navigation that counts it.
    nav: Nav,
    /// Where it is done.
    pub(crate) path: &'static str,
    one: &'static str,
    many: &'static str,
    /// What it asks for.
    pub(crate) hint: &'static str,
    /// How much of it there is at that time, counted no further than asked.
    count: fn(&Read<'_>, Timestamp, i64) -> store::Result<i64>,
}

/// All of it, the most urgent first.
const NEEDS: &[Need] = &[
    Need {
        nav: Nav::Orders,
        path: "/admin/orders?tab=hand",
        one: "order needs a decision",
        many: "orders need a decision",
        hint: "Nobody knows what the provider has, or it waits for you",
        count: |db, _, most| delivery_list::count(db, most),
    },
    Need {
        nav: Nav::Alerts,
        path: "/admin/alerts",
        one: "alert",
        many: "alerts",
        hint: "Something is the matter with a provider, a service or an order",
        count: count_alerts,
    },
    Need {
        nav: Nav::Orders,
        path: "/admin/refills/cancels",
        one: "cancel request",
        many: "cancel requests",
        hint: "Refund, set partial or decline",
        count: |db, _, most| order_list::count_cancel_requests(db, most),
    },
    Need {
        nav: Nav::Refills,
        path: "/admin/refills",
        one: "refill request",
        many: "refill requests",
        hint: "Deliver again what dropped, or reject",
        count: |db, _, most| refills::count(db, RefillStatus::Pending, most),
    },
    Need {
        nav: Nav::Refills,
        path: "/admin/refills/drips",
        one: "drip-feed stopped",
        many: "drip-feeds stopped",
        hint: "An older file was put back: resume the runs, or stop them",
        count: |db, _, most| drips::count_held(db, most),
    },
];

/// Alerts that nobody has muted. That orders need a decision is a line of its own.
fn count_alerts(db: &Read<'_>, now: Timestamp, most: i64) -> store::Result<i64> {
    let open = conditions::list_open(db, most)?;
    let is_seen = |it: &&Condition| it.kind != ConditionKind::Hand && !it.is_muted(now);
    Ok(i64::try_from(open.iter().filter(is_seen).count()).unwrap_or(most))
}

/// How much of each kind waits.
#[derive(Clone, Default)]
pub(crate) struct Waiting(Vec<(&'static Need, i64)>);

impl Waiting {
    /// What waits now; kinds of which nothing waits are left out.
    pub(crate) fn read(db: &Read<'_>, now: Timestamp) -> store::Result<Self> {
        let counts = db.each(NEEDS, |db, need| (need.count)(db, now, COUNTED_MAX))?;
        Ok(Self(NEEDS.iter().zip(counts).filter(|(_, count)| *count > 0).collect()))
    }

    /// Every kind that waits, with what is said of it: "4 cancel requests".
    pub(crate) fn lines(&self) -> Vec<(&'static Need, String)> {
        let line = |(need, count): &(&'static Need, i64)| {
            let noun = if *count == 1 { need.one } else { need.many };
            (*need, format!("{} {noun}", shown(*count)))
        };
        self.0.iter().map(line).collect()
    }

    /// The figure beside a line of the navigation, and what it counts; nothing where nothing waits.
    pub(crate) fn badge(&self, nav: Nav) -> Option<(String, String)> {
        let here: Vec<_> = self.0.iter().filter(|(need, _)| need.nav == nav).collect();
        let sum: i64 = here.iter().map(|(_, count)| count).sum();
        let nouns: Vec<&str> = here.iter().map(|(need, _)| need.many).collect();
        (sum > 0).then(|| (shown(sum), format!("{} waiting", nouns.join(", "))))
    }
}

fn shown(count: i64) -> String {
    match count {
        COUNTED_MAX.. => format!("{}+", COUNTED_MAX - 1),
        count => grouped(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_sums_what_waits_in_its_place() {
        let waiting = Waiting(vec![(&NEEDS[2], 1), (&NEEDS[3], COUNTED_MAX)]);
        let lines: Vec<String> = waiting.lines().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["1 cancel request", "99+ refill requests"]);
        let badge = ("1".to_owned(), "cancel requests waiting".to_owned());
        assert_eq!(waiting.badge(Nav::Orders), Some(badge));
        assert_eq!(waiting.badge(Nav::Users), None);
    }
}
