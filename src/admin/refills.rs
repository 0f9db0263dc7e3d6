//! Refills: what customers asked to have delivered again, and what became of it.
//!
//! A refill moves no money and goes forward only, so what ends many at once asks first: there is
//! no way back from an end.

use std::collections::BTreeSet;

use askama::Template;

use super::gate::Cx;
use super::link::Link;
use super::reply::{Answer, Ask};
use super::shell::{Nav, Shell, Toast};
use crate::commands::orders::{SetRefill, SetRefills};
use crate::domain::RefillId;
use crate::domain::refill::{Refill, RefillStatus};
use crate::domain::refusal::OperatorRefusal;
use crate::store::page::Page;
use crate::store::refills::{self, Listed};
use crate::store::{self, Read, order_list};

pub(super) const SIZES: [i64; 3] = [50, 100, 200];
/// What waits is counted up to here.
const COUNTED_MAX: i64 = 100;
/// The numbers among the ticked that a question shows.
const NAMED_MAX: usize = 10;
/// More ticked rows than that have to be confirmed by typing their number.
pub(super) const TYPED_ABOVE: usize = 50;
/// The word of the tab that shows all.
const ALL: &str = "all";

/// A tab of this page and of the one beside it.
pub(super) struct Tab {
    pub(super) href: String,
    pub(super) label: &'static str,
    /// How many wait there; not said of what waits for nobody.
    pub(super) count: Option<String>,
    pub(super) is_this: bool,
}

/// The tabs, of which `this` is shown: a status, `all`, or `cancels`.
pub(super) fn tabs(db: &Read<'_>, this: &str) -> store::Result<Vec<Tab>> {
    let said = |count: i64| match count {
        0 => None,
        COUNTED_MAX.. => Some(format!("{}+", COUNTED_MAX - 1)),
        count => Some(count.to_string()),
    };
    let mut tabs = Vec::new();
    for status in RefillStatus::ALL {
        let count = match status.is_open() {
            true => said(refills::count(db, *status, COUNTED_MAX)?),
            false => None,
        };
        let href = format!("/admin/refills?state={}", status.as_str());
        tabs.push(Tab { href, label: status.label(), count, is_this: status.as_str() == this });
    }
    let href = format!("/admin/refills?state={ALL}");
    tabs.push(Tab { href, label: "All", count: None, is_this: this == ALL });
    let count = said(order_list::count_cancel_requests(db, COUNTED_MAX)?);
    let (href, label) = ("/admin/refills/cancels".to_owned(), "Cancel wishes");
    tabs.push(Tab { href, label, count, is_this: this == "cancels" });
    Ok(tabs)
}

/// What a button says that moves a refill there.
pub(super) const fn verb(status: RefillStatus) -> &'static str {
    match status {
        RefillStatus::Pending => "Wait",
        RefillStatus::InProgress => "Start",
        RefillStatus::Completed => "Complete",
        RefillStatus::Rejected => "Reject",
        RefillStatus::Error => "Fail",
    }
}

/// The tone of a refill's state.
pub(super) const fn tone(status: &RefillStatus) -> &'static str {
    match status {
        RefillStatus::Pending => "attention",
        RefillStatus::InProgress => "waiting",
        RefillStatus::Completed => "good",
        RefillStatus::Rejected => "quiet",
        RefillStatus::Error => "bad",
    }
}

#[derive(Template)]
#[template(path = "admin/refills.html")]
struct RefillsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    /// Which are shown; all without.
    status: Option<RefillStatus>,
    page: Page<Listed>,
    size: i64,
}

impl RefillsPage {
    fn state(&self) -> &'static str {
        self.status.map_or(ALL, RefillStatus::as_str)
    }

    /// Where those that are shown may go: all that some of them may.
    fn moves(&self) -> Vec<RefillStatus> {
        let may =
            |status: &RefillStatus| self.page.rows.iter().any(|row| row.refill.may_become(*status));
        RefillStatus::ALL.iter().copied().filter(may).collect()
    }

    fn older(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(format!("{}&size={}&older={}", address(self.state()), self.size, last.refill.id))
    }

    fn newer(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(format!("{}&size={}&newer={}", address(self.state()), self.size, first.refill.id))
    }
}

fn address(state: &str) -> String {
    format!("/admin/refills?state={state}")
}

/// The tab that the form names: what waits, unless it says otherwise.
fn status(cx: &Cx) -> Option<RefillStatus> {
    match cx.form.get("state") {
        ALL => None,
        word => Some(RefillStatus::from_stored(word).unwrap_or(RefillStatus::Pending)),
    }
}

/// The list.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let (status, cursor, size) = (status(cx), cx.cursor(), cx.size(&SIZES));
    let this = status.map_or(ALL, RefillStatus::as_str);
    let (tabs, page) =
        cx.read(move |db| Ok((tabs(db, this)?, refills::page(db, status, cursor, size)?))).await?;
    let shell = cx.shell("Refills", Nav::Refills);
    cx.page(&RefillsPage { shell, tabs, status, page, size })
}

/// Where the form wants them to go.
fn wanted(cx: &Cx) -> Result<RefillStatus, OperatorRefusal> {
    RefillStatus::from_stored(cx.form.get("to")).ok_or(OperatorRefusal::RefillNeverBack)
}

/// Moves one.
pub(super) async fn set(cx: &mut Cx) -> Answer {
    let (refill, status, here) = (RefillId(cx.path_id("id")?), wanted(cx)?, status(cx));
    cx.write(SetRefill { actor: cx.actor()?, refill, status }).await?;
    let here = address(here.map_or(ALL, RefillStatus::as_str));
    cx.go(&here, Toast::said(format!("Refill {refill}: {status}")))
}

/// Moves those that are ticked and may go there.
pub(super) async fn bulk(cx: &mut Cx) -> Answer {
    let status = wanted(cx)?;
    let here = address(self::status(cx).map_or(ALL, RefillStatus::as_str));
    let ids: BTreeSet<i64> = cx.form.ids("id").into_iter().collect();
    let find = move |db: &Read<'_>| {
        let found = ids.into_iter().map(|id| refills::find(db, RefillId(id)));
        Ok(found.collect::<store::Result<Vec<_>>>()?.into_iter().flatten().collect::<Vec<_>>())
    };
    let found: Vec<Refill> = cx.read(find).await?;
    if found.is_empty() {
        return cx.go(&here, Toast::said("No refill was ticked, nothing was done"));
    }
    let refills: BTreeSet<RefillId> =
        found.iter().filter(|refill| refill.may_become(status)).map(|refill| refill.id).collect();
    let stay = found.len() - refills.len();
    if refills.is_empty() {
        let said = format!("None of those that were ticked can become {status}");
        return cx.go(&here, Toast::said(said));
    }
    if !status.is_open() {
        cx.confirm(question(&refills, status, stay))?;
    }
    let moved = cx.write(SetRefills { actor: cx.actor()?, refills, status }).await?;
    let mut said = format!("{}: {status}", counted(moved));
    if stay > 0 {
        said.push_str(&format!("; {stay} stayed as they were"));
    }
    cx.go(&here, Toast::said(said))
}

fn counted(count: usize) -> String {
    match count {
        1 => "1 refill".to_owned(),
        count => format!("{count} refills"),
    }
}

fn question(refills: &BTreeSet<RefillId>, status: RefillStatus, stay: usize) -> Ask {
    let (count, verb) = (counted(refills.len()), verb(status));
    let named: Vec<String> = refills.iter().take(NAMED_MAX).map(RefillId::to_string).collect();
    let more = if refills.len() > NAMED_MAX { " …" } else { "" };
    let stay = match stay {
        0 => String::new(),
        stay => format!("{stay} of those that are ticked"),
    };
    Ask {
        title: format!("{verb} {count}?"),
        facts: vec![
            ("Refills".to_owned(), format!("{}{more}", named.join(", "))),
            ("From now on".to_owned(), format!("{status}, which is final")),
            ("Stay as they are".to_owned(), stay),
        ],
        verb: format!("{verb} {count}"),
        typed: (refills.len() > TYPED_ABOVE).then(|| refills.len().to_string()),
        is_danger: status != RefillStatus::Completed,
    }
}
