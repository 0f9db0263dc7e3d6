//! The first page: what needs a hand, the way to the first order, today beside yesterday, a month
//! in bars, what was changed last.

mod activity;
mod chart;

use askama::Template;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::{Decimals, Short, grouped, money};
use crate::admin::frame::list::Address;
use crate::admin::frame::shell::{Nav, Shell};
use crate::domain::Timestamp;
use crate::domain::figures::Figures as Happened;
use crate::domain::ledger::{ESCROW, EXTERNAL, PostingKind, REVENUE};
use crate::domain::money::Money;
use crate::domain::order::PublicStatus;
use crate::domain::provider::Provider;
use crate::store::figures;
use crate::store::{self, Read, accounts, keys, orders, providers, services, together, users};

use activity::Activity;
use chart::{Chart, Point};

/// Days with orders that a chart needs.
const CHARTED_MIN: usize = 2;
/// The ranges on offer, in days.
const RANGES: [i64; 3] = [7, 30, 90];

/// One step of the way to the first order.
struct Step {
    is_done: bool,
    text: &'static str,
    hint: &'static str,
    /// Where it is done; nothing where no page does it.
    path: String,
    /// Another way to do it: its text and where.
    instead: Option<(&'static str, &'static str)>,
}

/// A slot of time with what happened in it.
type Slot = (Timestamp, Happened);

/// What happened in a while.
#[derive(Clone, Copy, Default)]
struct Sum {
    orders: i64,
    sales: Money,
    earned: Money,
    /// What was earned less what providers have asked for it.
    profit: Money,
}

impl Sum {
    /// Of the slots that begin in that time.
    fn of(slots: &[Slot], from: i64, until: i64) -> Self {
        let inside = slots.iter().filter(|(at, _)| (from..until).contains(&at.0));
        let plus = |a: Money, b: Money| a.checked_add(b).unwrap_or(a);
        inside.fold(Self::default(), |sum, (_, slot)| Self {
            orders: sum.orders + slot.orders,
            sales: plus(sum.sales, slot.charged),
            earned: plus(sum.earned, slot.captured),
            profit: plus(sum.profit, slot.profit()),
        })
    }
}

/// A day in the panel's zone, and what happened on it.
struct Day {
    date: Date,
    sum: Sum,
}

/// What the page shows.
struct Figures {
    steps: Vec<Step>,
    today: Sum,
    /// Yesterday, up to the same time of the day.
    yesterday: Sum,
    /// How many orders there are of each status.
    counts: Vec<(PublicStatus, i64)>,
    /// What users have with us.
    accounts: Money,
    /// What was paid for open orders.
    escrow: Money,
    days: Vec<Day>,
    activity: Vec<Activity>,
    /// Those with a balance that was read.
    providers: Vec<Provider>,
}

impl Figures {
    fn read(db: &Read<'_>, now: Timestamp, zone: &TimeZone, range: i64) -> store::Result<Self> {
        let starts = starts(now, zone, range);
        let house = [EXTERNAL, ESCROW, REVENUE];
        let (house, slots, steps, counts, activity, providers) = together!(
            db: db.each(&house, |db, account| accounts::balance(db, *account)),
            figures::list(db, Timestamp(starts[0].1), Timestamp(i64::MAX)),
            steps(db),
            orders::counts(db),
            activity::read(db),
            providers::list(db),
        );
        // The sum of all balances is nothing, so what is not the house's is the users'.
        let accounts = -house.iter().map(|balance| balance.micros()).sum::<i64>();
        let [.., (_, yesterday), (_, today)] = starts[..] else { unreachable!("two days or more") };
        let same_time = yesterday + (now.0 - today) + 1;
        Ok(Self {
            steps,
            today: Sum::of(&slots, today, i64::MAX),
            yesterday: Sum::of(&slots, yesterday, same_time),
            counts,
            accounts: Money::from_micros(accounts),
            escrow: house[1],
            days: days(&starts, &slots),
            activity,
            providers,
        })
    }

    /// Orders that are not final, by their status: the word in an address, how many, what it says.
    fn open_by_status(&self) -> Vec<(&'static str, i64, String)> {
        let open = [PublicStatus::Pending, PublicStatus::InProgress, PublicStatus::Processing];
        let counted = open.map(|status| (status, self.count(status)));
        let some = counted.into_iter().filter(|(_, count)| *count > 0);
        some.map(|(status, count)| (status.as_str(), count, status.label().to_lowercase()))
            .collect()
    }

    /// Orders that are not final.
    fn open(&self) -> i64 {
        self.count(PublicStatus::Pending)
            + self.count(PublicStatus::Processing)
            + self.count(PublicStatus::InProgress)
    }

    fn count(&self, status: PublicStatus) -> i64 {
        self.counts.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count)
    }
}

/// The first seconds of the last days in a zone, oldest first, today last.
fn starts(now: Timestamp, zone: &TimeZone, range: i64) -> Vec<(Date, i64)> {
    let now = jiff::Timestamp::from_second(now.0).unwrap_or_default().to_zoned(zone.clone());
    let start = |back: i64| {
        let day: Zoned = now.checked_sub(back.days()).ok()?.start_of_day().ok()?;
        Some((day.date(), day.timestamp().as_second()))
    };
    (0..range.max(2)).rev().filter_map(start).collect()
}

/// What happened on each day. Slots are as long as the days of every zone are made of.
fn days(starts: &[(Date, i64)], slots: &[Slot]) -> Vec<Day> {
    let ends = starts.iter().skip(1).map(|(_, start)| *start).chain([i64::MAX]);
    let day = |((date, start), end): (&(Date, i64), i64)| Day {
        date: *date,
        sum: Sum::of(slots, *start, end),
    };
    starts.iter().zip(ends).map(day).collect()
}

/// What a new panel still lacks, in the order in which one does it.
fn steps(db: &Read<'_>) -> store::Result<Vec<Step>> {
    let (users, lacks_services, lacks_keys, lacks_orders) = together!(
        db: users::list(db, None, 1),
        services::is_empty(db),
        keys::is_empty(db),
        orders::is_empty(db),
    );
    let first = users.into_iter().next();
    Ok(vec![
        Step {
            is_done: !lacks_services,
            text: "Add a service",
            hint: "What resellers can order, at which rate.",
            path: "/admin/services/new".to_owned(),
            instead: Some(("Import a CSV file", "/admin/services/import")),
        },
        Step {
            is_done: first.is_some(),
            text: "Add a user",
            hint: "A reseller who orders through the API.",
            path: "/admin/users/new".to_owned(),
            instead: None,
        },
        Step {
            is_done: !lacks_keys,
            text: "Create an API key",
            hint: "Shown once; the user sends it with every request.",
            path: first.map_or_else(String::new, |user| format!("/admin/users/{}/keys", user.id)),
            instead: None,
        },
        Step {
            is_done: !lacks_orders,
            text: "Place a test order",
            hint: "Here, or by POST /api/v2 with action=add.",
            path: "/admin/orders/new".to_owned(),
            instead: None,
        },
    ])
}

#[derive(Template)]
#[template(path = "admin/dashboard/mod.html")]
struct DashboardPage {
    shell: Shell,
    figures: Figures,
    range: i64,
    orders: Chart,
    sales: Chart,
    /// Nothing in a panel without providers.
    profit: Option<Chart>,
}

impl DashboardPage {
    fn sales(&self) -> Decimals {
        Decimals::of(self.figures.days.iter().map(|day| day.sum.sales.micros()))
    }

    fn profits(&self) -> Decimals {
        Decimals::of(self.figures.days.iter().map(|day| day.sum.profit.micros()))
    }

    fn has_providers(&self) -> bool {
        !self.figures.providers.is_empty()
    }

    fn is_new(&self) -> bool {
        self.figures.steps.iter().any(|step| !step.is_done)
    }

    /// Whether there is enough to draw.
    fn has_charts(&self) -> bool {
        let busy = self.figures.days.iter().filter(|day| day.sum.orders > 0);
        busy.take(CHARTED_MIN).count() == CHARTED_MIN
    }

    /// The entries that made a figure of today.
    fn entries_of_today(&self, kind: PostingKind) -> Address {
        let today = self.figures.days.last().map_or_else(String::new, |day| day.date.to_string());
        Address::new("/admin/ledger").with("kind", kind.as_str()).with("from", today)
    }

    fn done(&self) -> usize {
        self.figures.steps.iter().filter(|step| step.is_done).count()
    }
}

/// The page.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let asked = cx.form.get("range").parse().ok();
    let range = asked.filter(|range| RANGES.contains(range)).unwrap_or(30);
    let shell = cx.shell("Dashboard", Nav::Dashboard);
    let (now, zone) = (shell.now, shell.zone.clone());
    let figures = cx.read(move |db| Figures::read(db, now, &zone, range)).await?;
    let point = |day: &Day, value: i64, shown: String| Point {
        label: day.date.strftime("%-d %b").to_string(),
        value,
        shown,
    };
    let count = |day: &Day| point(day, day.sum.orders, grouped(day.sum.orders));
    let orders: Vec<Point> = figures.days.iter().map(count).collect();
    let sum = |day: &Day| point(day, day.sum.sales.micros(), Short(day.sum.sales).to_string());
    let sales: Vec<Point> = figures.days.iter().map(sum).collect();
    let profit = |day: &Day| {
        let shown = Short(day.sum.profit).to_string();
        point(day, day.sum.profit.micros().max(0), shown)
    };
    let profits: Vec<Point> = figures.days.iter().map(profit).collect();
    let label = |micros: i64| match micros % 1_000_000 {
        0 => Short(Money::from_micros(micros)).to_string().replace(".00", ""),
        _ => money(Money::from_micros(micros)),
    };
    let title = format!("Sales a day, {}", shell.currency);
    let page = DashboardPage {
        orders: Chart::new("Orders a day", &orders, 1, grouped),
        sales: Chart::new(title, &sales, 10_000, label),
        profit: (!figures.providers.is_empty()).then(|| {
            Chart::new(format!("Profit a day, {}", shell.currency), &profits, 10_000, label)
        }),
        shell,
        figures,
        range,
    };
    cx.page(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_zone_also_where_clocks_change() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        // 2026-03-29 had 23 hours there; now is the 30th, 12:00.
        let now = Timestamp(1_774_864_800);
        let starts = starts(now, &berlin, 3);
        let hours: Vec<i64> = starts.windows(2).map(|two| (two[1].1 - two[0].1) / 3600).collect();
        assert_eq!(hours, [24, 23]);
        assert_eq!(starts[2].0.to_string(), "2026-03-30");
        let one = Happened { orders: 1, ..Happened::default() };
        let (saturday, sunday) = (starts[0].1, starts[1].1);
        let slots = [saturday, sunday - 900, sunday, now.0].map(|at| (Timestamp(at), one));
        let counts: Vec<i64> = days(&starts, &slots).iter().map(|day| day.sum.orders).collect();
        assert_eq!(counts, [2, 1, 1]);
    }
}
