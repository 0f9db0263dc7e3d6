//! Refills: what customers asked to have delivered again, and what became of it.
//!
//! A refill moves no money and goes forward only, so what ends many at once asks first: there is
//! no way back from an end.

use std::collections::BTreeSet;

use askama::Template;

use super::{ALL, address, tabs};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::link::Link;
use crate::admin::frame::list::{List, Tab};
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::tone;
use crate::commands::orders::{SetRefill, SetRefills};
use crate::domain::RefillId;
use crate::domain::refill::{Refill, RefillStatus};
use crate::domain::refusal::OperatorRefusal;
use crate::store::refills::{self, Listed};
use crate::store::{self, Read};

/// The numbers of selected refills that a question shows.
const NAMED_MAX: usize = 10;

/// What a button says that moves a refill there.
const fn verb(status: RefillStatus) -> &'static str {
    match status {
        RefillStatus::Pending => "Wait",
        RefillStatus::InProgress => "Start",
        RefillStatus::Completed => "Complete",
        RefillStatus::Rejected => "Reject",
        RefillStatus::Error => "Fail",
    }
}

#[derive(Template)]
#[template(path = "admin/refills/list.html")]
struct RefillsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    /// The status shown; `None` shows all.
    status: Option<RefillStatus>,
    list: List<Listed>,
}

impl RefillsPage {
    fn state(&self) -> &'static str {
        self.status.map_or(ALL, RefillStatus::as_str)
    }

    /// Where those that are shown may go: all that some of them may.
    fn moves(&self) -> Vec<RefillStatus> {
        let may =
            |status: &RefillStatus| self.list.rows.iter().any(|row| row.refill.may_become(*status));
        RefillStatus::ALL.iter().copied().filter(may).collect()
    }
}

/// The tab that the form names: what waits, unless it says otherwise.
fn status(cx: &Cx) -> Option<RefillStatus> {
    match cx.form.get("state") {
        ALL => None,
        word => Some(RefillStatus::from_stored(word).unwrap_or(RefillStatus::Pending)),
    }
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let (status, cursor, size) = (status(cx), cx.cursor(), cx.size().rows);
    let this = status.map_or(ALL, RefillStatus::as_str);
    let (tabs, page) =
        cx.read(move |db| Ok((tabs(db, this)?, refills::page(db, status, cursor, size)?))).await?;
    let list = List::new(page, address(this).with("size", size), |row| row.refill.id.0);
    let shell = cx.shell("Refills", Nav::Refills);
    cx.page(&RefillsPage { shell, tabs, status, list })
}

/// Where the form wants them to go.
fn wanted(cx: &Cx) -> Result<RefillStatus, OperatorRefusal> {
    RefillStatus::from_stored(cx.form.get("to")).ok_or(OperatorRefusal::RefillNeverBack)
}

/// Moves one.
pub(crate) async fn set(cx: &mut Cx) -> Answer {
    let (refill, status, here) = (RefillId(cx.path_id("id")?), wanted(cx)?, status(cx));
    cx.write(SetRefill { actor: cx.actor()?, refill, status }).await?;
    let here = address(here.map_or(ALL, RefillStatus::as_str)).to_string();
    cx.go(&here, Toast::new(format!("Refill {refill}: {status}")))
}

/// Moves those that are selected and may go there.
pub(crate) async fn bulk(cx: &mut Cx) -> Answer {
    let status = wanted(cx)?;
    let here = address(self::status(cx).map_or(ALL, RefillStatus::as_str)).to_string();
    let ids: BTreeSet<i64> = cx.form.selected("id").into_iter().collect();
    let find = move |db: &Read<'_>| {
        let found = ids.into_iter().map(|id| refills::find(db, RefillId(id)));
        Ok(found.collect::<store::Result<Vec<_>>>()?.into_iter().flatten().collect::<Vec<_>>())
    };
    let found: Vec<Refill> = cx.read(find).await?;
    if found.is_empty() {
        return cx.go(&here, Toast::new(bulk::none_selected("refill")));
    }
    let refills: BTreeSet<RefillId> =
        found.iter().filter(|refill| refill.may_become(status)).map(|refill| refill.id).collect();
    let stay = found.len() - refills.len();
    if refills.is_empty() {
        let toast = format!("None of those that were ticked can become {status}");
        return cx.go(&here, Toast::new(toast));
    }
    if !status.is_open() {
        cx.confirm(question(&refills, status, stay))?;
    }
    let moved = cx.write(SetRefills { actor: cx.actor()?, refills, status }).await?;
    let mut toast = format!("{}: {status}", bulk::counted(moved, "refill"));
    if stay > 0 {
        toast.push_str(&format!("; {stay} stayed as they were"));
    }
    cx.go(&here, Toast::new(toast))
}

fn question(refills: &BTreeSet<RefillId>, status: RefillStatus, stay: usize) -> Ask {
    let (count, verb) = (bulk::counted(refills.len(), "refill"), verb(status));
    let stay = match stay {
        0 => String::new(),
        stay => format!("{stay} of those that are ticked"),
    };
    Ask {
        title: format!("{verb} {count}?"),
        facts: vec![
            ("Refills".to_owned(), bulk::named(refills, NAMED_MAX)),
            ("From now on".to_owned(), format!("{status}, which is final")),
            ("Stay as they are".to_owned(), stay),
        ],
        verb: format!("{verb} {count}"),
        typed: bulk::typed(refills.len()),
        is_danger: status != RefillStatus::Completed,
    }
}
