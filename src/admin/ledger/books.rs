//! Looks whether the books balance.
//!
//! A page looks by itself, at what is cheap to look at, when nobody has for a while. All of it is
//! read when somebody asks for that, once at a time, since it takes as long as the file is long.

use actix_web::web::block;

use crate::admin::frame::Admin;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::books::State;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::shell::Toast;
use crate::commands::accounts::RecordCheck;
use crate::store;
use crate::store::check::{self, Finding};

/// How the books stand. Looks at the sums if nobody has looked lately.
pub(super) async fn state(cx: &Cx) -> Result<State, PageError> {
    let now = cx.now();
    if let Some(state) = cx.admin.books.lately(now) {
        return Ok(state);
    }
    let findings = cx.read(check::quick).await?;
    Ok(cx.admin.books.keep_quick(now, findings))
}

/// Reads every row. What comes of it is kept, should nobody wait for the answer.
fn read_all(admin: &Admin) -> Option<store::Result<Vec<Finding>>> {
    let turn = admin.books.begin(admin.clock.now())?;
    let found = admin.store.check();
    if let Ok(findings) = &found {
        turn.keep(admin.clock.now(), findings.clone());
    }
    Some(found)
}

/// Checks everything, as `panelite check` does.
pub(crate) async fn check_now(cx: &mut Cx) -> Answer {
    cx.admit_change()?;
    let admin = cx.admin.clone();
    let found = block(move || read_all(&admin)).await.unwrap_or(Some(Err(store::Error::Busy)));
    let Some(found) = found else {
        return cx.go("/admin/ledger", Toast::new("The books are already being checked"));
    };
    let findings: Vec<String> = found?.iter().map(Finding::to_string).collect();
    let toast = match findings.len() {
        0 => "Every entry checked: the books balance".to_owned(),
        1 => "The books do not balance: 1 finding".to_owned(),
        count => format!("The books do not balance: {count} findings"),
    };
    cx.write(RecordCheck { actor: cx.actor()?, findings }).await?;
    cx.go("/admin/ledger", Toast::new(toast))
}
