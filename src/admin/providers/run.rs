//! The import that runs, or ran last: how far it is, what became of it, and the way back.

use actix_web::http::header::{HeaderName, HeaderValue};
use askama::Template;

use super::one::known;
use crate::admin::frame::answer::{Answer, see_other};
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::delivery::importing::{Phase, Progress};
use crate::domain::ProviderId;
use crate::domain::provider::Provider;

/// Where the progress of a provider's import is shown.
pub(super) fn path(provider: ProviderId) -> String {
    format!("/admin/providers/{provider}/import/run")
}

#[derive(Template)]
#[template(path = "admin/providers/run.html")]
struct RunPage {
    shell: Shell,
    provider: Provider,
    progress: Option<Progress>,
}

impl RunPage {
    fn title(&self, progress: &Progress) -> &'static str {
        match progress.phase {
            Phase::Runs => "Importing …",
            Phase::Done => "Imported",
            Phase::Refused(_) => "The import ended early",
            Phase::Undoing(_) => "Taking it back …",
            Phase::Undone(_) => "The import was undone",
        }
    }

    fn told(&self, progress: &Progress) -> String {
        let lines = bulk::counted(progress.total, "service");
        match &progress.phase {
            Phase::Runs | Phase::Done => format!("{} of {lines} done", progress.done),
            Phase::Refused(refusal) => {
                format!("{refusal}. {} of {lines} were done and stay", progress.done)
            }
            Phase::Undoing(undone) | Phase::Undone(undone) => undone.to_string(),
        }
    }

    /// How much is through, of how much.
    fn bar(&self, progress: &Progress) -> (usize, usize) {
        match progress.phase {
            Phase::Undoing(_) => {
                (progress.done - progress.written.min(progress.done), progress.done)
            }
            Phase::Runs | Phase::Done | Phase::Refused(_) | Phase::Undone(_) => {
                (progress.done, progress.total)
            }
        }
    }

    fn can_undo(&self, progress: &Progress) -> bool {
        !progress.is_running() && progress.written > 0
    }
}

fn progress(cx: &Cx, provider: ProviderId) -> Option<Progress> {
    cx.admin.delivery.import_progress().filter(|progress| progress.provider == provider)
}

/// The page. While the import runs it loads itself again each second.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let provider = known(cx).await?;
    let progress = progress(cx, provider.id);
    let is_running = progress.as_ref().is_some_and(Progress::is_running);
    let shell = cx.shell(&format!("Import from {}", provider.terms.name), Nav::Providers);
    let mut response = cx.page(&RunPage { shell, provider, progress })?;
    if is_running {
        let refresh = HeaderName::from_static("refresh");
        response.headers_mut().insert(refresh, HeaderValue::from_static("1"));
    }
    Ok(response)
}

/// Takes the import back: what nobody has ordered goes, the rest goes off sale.
pub(crate) async fn undo(cx: &mut Cx) -> Answer {
    let provider = known(cx).await?;
    let here = path(provider.id);
    let Some(progress) = progress(cx, provider.id) else {
        return cx.go(&here, Toast::new("There is no import to undo"));
    };
    let count = bulk::counted(progress.written, "service");
    cx.confirm(Ask {
        title: format!("Undo the import of {count}?"),
        facts: vec![
            ("New services without orders".to_owned(), "are deleted".to_owned()),
            ("New services with orders".to_owned(), "are disabled".to_owned()),
            ("Changed rates".to_owned(), "are as before, unless changed since".to_owned()),
        ],
        verb: "Undo the import".to_owned(),
        is_danger: true,
        keep: "Keep it",
        ..Ask::default()
    })?;
    cx.admit_change()?;
    match cx.admin.delivery.undo_import(cx.actor()?) {
        Ok(()) => Ok(see_other(&here)),
        Err(refusal) => cx.go(&here, Toast::new(refusal.to_string())),
    }
}
