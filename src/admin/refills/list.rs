//! Refills: what customers asked to have delivered again, and what became of it.
//!
//! A refill moves no money and goes forward only, so what ends many at once asks first: there is
//! no way back from an end.

use std::collections::{BTreeSet, HashMap};

use askama::Template;

use super::tabs::{ALL, address, tabs};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::grouped;
use crate::admin::frame::link::Link;
use crate::admin::frame::list::{List, Tab};
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::admin::frame::tone;
use crate::admin::frame::upstream;
use crate::commands::orders::{SetRefill, SetRefills};
use crate::domain::RefillId;
use crate::domain::errand::Errand;
use crate::domain::refill::{Refill, RefillStatus};
use crate::domain::refusal::OperatorRefusal;
use crate::store::page::Cursor;
use crate::store::refills::{self, Listed};
use crate::store::{self, Read, errands, together};

/// The numbers of selected refills that a question shows.
const NAMED_MAX: usize = 10;
/// Refills that one request moves.
const ALL_MAX: i64 = 1000;
#[derive(Template)]
#[template(path = "admin/refills/list.html")]
struct RefillsPage {
    shell: Shell,
    tabs: Vec<Tab>,
    /// The status shown; `None` shows all.
    status: Option<RefillStatus>,
    list: List<Listed>,
    /// What a provider was asked for them.
    errands: HashMap<RefillId, Errand>,
}

impl RefillsPage {
    /// What came of asking the provider.
    fn told(&self, row: &Listed) -> Option<String> {
        self.errands.get(&row.refill.id).map(upstream::told)
    }

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
    let read = move |db: &Read<'_>| {
        let (tabs, page) = together!(db: tabs(db, this), refills::page(db, status, cursor, size));
        let asked = db.each(&page.rows, |db, row| errands::find_refill(db, row.refill.id))?;
        let ids = page.rows.iter().map(|row| row.refill.id);
        let asked = ids.zip(asked).filter_map(|(id, errand)| Some((id, errand?))).collect();
        Ok((tabs, page, asked))
    };
    let (tabs, page, errands) = cx.read(read).await?;
    let list = List::new(page, address(this).with("size", size), |row| row.refill.id.0);
    let shell = cx.shell("Refills", Nav::Refills);
    cx.page(&RefillsPage { shell, tabs, status, list, errands })
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
    cx.go(&here, Toast::new(format!("Refill {refill} set to {status}")))
}

/// The refills that the form is about: the selected ones, or the newest of the tab.
async fn selected(cx: &Cx) -> Result<Vec<Refill>, PageError> {
    let shown = status(cx);
    let ids = cx.form.selected("id");
    let is_all = cx.form.flag("all");
    let find = move |db: &Read<'_>| {
        if is_all {
            let page = refills::page(db, shown, Cursor::Newest, ALL_MAX)?;
            return Ok(page.rows.into_iter().map(|row| row.refill).collect());
        }
        let found = ids.into_iter().map(|id| refills::find(db, RefillId(id)));
        Ok(found.collect::<store::Result<Vec<_>>>()?.into_iter().flatten().collect())
    };
    cx.read(find).await
}

/// Moves those that are selected and may go there.
pub(crate) async fn bulk(cx: &mut Cx) -> Answer {
    let status = wanted(cx)?;
    let here = address(self::status(cx).map_or(ALL, RefillStatus::as_str)).to_string();
    let found = selected(cx).await?;
    if found.is_empty() {
        return cx.go(&here, Toast::new(bulk::none_selected("refill")));
    }
    let refills: BTreeSet<RefillId> =
        found.iter().filter(|refill| refill.may_become(status)).map(|refill| refill.id).collect();
    let stay = found.len() - refills.len();
    if refills.is_empty() {
        let toast = format!("None of the selected refills can be set to {status}");
        return cx.go(&here, Toast::new(toast));
    }
    if !status.is_open() {
        cx.confirm(question(&refills, status, stay))?;
    }
    let moved = cx.write(SetRefills { actor: cx.actor()?, refills, status }).await?;
    let mut toast = format!("{} set to {status}", bulk::counted(moved, "refill"));
    if stay > 0 {
        toast.push_str(&format!("; {stay} left as they were"));
    }
    cx.go(&here, Toast::new(toast))
}

fn question(refills: &BTreeSet<RefillId>, status: RefillStatus, stay: usize) -> Ask {
    let count = bulk::counted(refills.len(), "refill");
    let stay = match stay {
        0 => String::new(),
        stay => format!("{stay} of the selected refills"),
    };
    Ask {
        title: format!("Set {count} to {status}?"),
        facts: vec![
            ("Refills".to_owned(), bulk::named(refills, NAMED_MAX)),
            ("Afterwards".to_owned(), "the refills are final".to_owned()),
            ("Left as they are".to_owned(), stay),
        ],
        verb: format!("Set to {status}"),
        typed: bulk::typed(refills.len()),
        is_danger: status != RefillStatus::Completed,
        ..Ask::default()
    }
}
