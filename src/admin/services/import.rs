//! The catalogue as a file: out as CSV, in by way of a question that says what would change.

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

use super::bulk::counted;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::bulk;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::grouped_in;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::catalog::{self, ImportAsSeen, ImportServices, Report};
use crate::commands::catalog_csv;
use crate::domain::setting::Setting;
use crate::store::{Read, services, settings};

/// Changed services that the question shows, and new ones.
const CHANGED_MAX: usize = 12;
const CREATED_MAX: usize = 5;

#[derive(Template)]
#[template(path = "admin/services/import.html")]
struct ImportPage {
    shell: Shell,
    form: Form,
    /// What is wrong with the file, line by line.
    wrong: Vec<String>,
    required: String,
    optional: String,
}

fn import_page(cx: &mut Cx, wrong: Vec<String>) -> ImportPage {
    let (required, optional) = catalog_csv::COLUMNS
        .iter()
        .partition::<Vec<&str>, _>(|it| catalog_csv::REQUIRED.contains(it));
    let shell = cx.shell("Import services", Nav::Services);
    let (required, optional) = (required.join(", "), optional.join(", "));
    ImportPage { shell, form: cx.form.clone(), wrong, required, optional }
}

/// The form.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = import_page(cx, Vec::new());
    cx.page(&page)
}

/// Imports a file, after saying what would change. Where the catalogue has changed since, it says
/// that again.
pub(crate) async fn import(cx: &mut Cx) -> Answer {
    let drafts = match catalog_csv::read_all(cx.form.raw("csv").as_bytes()) {
        Ok(drafts) => drafts,
        Err(wrong) => return refused(cx, wrong.iter().map(ToString::to_string).collect()),
    };
    if drafts.is_empty() {
        return refused(cx, vec!["There is no service in it".to_owned()]);
    }
    let judged = drafts.clone();
    let read =
        move |db: &Read<'_>| Ok((catalog::preview(db, &judged)?, settings::catalogue_version(db)?));
    let (report, version) = match cx.read(read).await {
        Ok(seen) => seen,
        Err(PageError::Refused(refusal)) => return refused(cx, vec![refusal.to_string()]),
        Err(error) => return Err(error),
    };
    if report.created.is_empty() && report.changed.is_empty() {
        let toast = format!("Nothing to import: {} unchanged", counted(report.unchanged));
        return cx.go("/admin/services", Toast::new(toast));
    }
    let mut ask = question(&report, drafts.len());
    let seen: Option<i64> = cx.form.get("version").parse().ok();
    if seen.is_some_and(|seen| seen != version) {
        let changed = "The catalogue has changed since you were asked".to_owned();
        ask.facts.insert(0, ("Look again".to_owned(), changed));
        cx.form.put("confirmed", String::new());
    }
    cx.form.put("version", version);
    cx.confirm(ask)?;

    let import = ImportServices { actor: cx.actor()?, drafts };
    match cx.write(ImportAsSeen { import, version }).await {
        Ok(Report { created, changed, .. }) => {
            let toast = format!("{} added, {} changed", counted(created.len()), changed.len());
            cx.go("/admin/services", Toast::new(toast))
        }
        Err(PageError::Refused(refusal)) => refused(cx, vec![refusal.to_string()]),
        Err(error) => Err(error),
    }
}

/// What would change. Prices that fall steeply are confirmed on their own: their number is typed.
fn question(report: &Report, count: usize) -> Ask {
    let (falls, changed) = (report.falls(), report.changed.len());
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if falls > 0 {
        let value = format!("{}: type this number below", counted(falls));
        fact("Prices that fall by more than 20%", value);
    }
    for (name, is_enabled) in [("Will be enabled", true), ("Will be disabled", false)] {
        match report.switched(is_enabled) {
            0 => {}
            switched => fact(name, counted(switched)),
        }
    }
    fact("New", report.created.len().to_string());
    fact("Changed", changed.to_string());
    fact("Unchanged", report.unchanged.to_string());
    for changed in report.changed.iter().take(CHANGED_MAX) {
        fact(&format!("{} {}", changed.service, changed.name), grouped_in(&changed.summary()));
    }
    if changed > CHANGED_MAX {
        fact("And", format!("{} more changed", counted(changed - CHANGED_MAX)));
    }
    for created in report.created.iter().take(CREATED_MAX) {
        fact("New service", grouped_in(created));
    }
    if report.created.len() > CREATED_MAX {
        fact("And", format!("{} more added", counted(report.created.len() - CREATED_MAX)));
    }
    let count = counted(count);
    Ask {
        title: format!("Import {count}?"),
        facts,
        verb: format!("Import {count}"),
        typed: (falls > 0).then(|| falls.to_string()).or_else(|| bulk::typed(changed)),
        is_danger: falls > 0,
        ..Ask::default()
    }
}

/// The form with all that is wrong: above it, and beside the field.
fn refused(cx: &mut Cx, wrong: Vec<String>) -> Answer {
    cx.form.refuse("csv", wrong.first().map(String::as_str).unwrap_or_default());
    let page = import_page(cx, wrong);
    cx.refused_page(&page)
}

/// A file to fill in.
pub(crate) async fn template(_: &mut Cx) -> Answer {
    Ok(file("services.csv", catalog_csv::TEMPLATE.to_owned()))
}

/// A CSV file to be saved. The name is ours to choose: letters, digits, dashes and points.
fn file(name: &str, csv: String) -> HttpResponse {
    let disposition = format!("attachment; filename=\"{name}\"");
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .body(csv)
}

/// All services as a file that can be imported again.
pub(crate) async fn export(cx: &mut Cx) -> Answer {
    let read = |db: &Read<'_>| Ok((services::list(db)?, settings::get(db, Setting::Name)?));
    let (listed, panel) = cx.read(read).await?;
    let csv = catalog_csv::write(&listed);
    let csv = csv.map_err(|error| PageError::Template(error.to_string()))?;
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let panel: String = panel.chars().map(letter).collect();
    Ok(file(&format!("{panel}-services.csv"), csv))
}
