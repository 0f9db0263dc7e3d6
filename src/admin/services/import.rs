//! The catalogue as a file: out as CSV, in by way of a question that says what would change.

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

use super::bulk::counted;
use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::catalog::{self, ImportAsSeen, ImportServices, Preview};
use crate::commands::catalog_csv;
use crate::domain::setting::Setting;
use crate::store::{Read, services, settings};

#[derive(Template)]
#[template(path = "admin/services/import.html")]
struct ImportPage {
    shell: Shell,
    form: Form,
    /// What is wrong with the file, line by line.
    wrong: Vec<String>,
    columns: String,
}

fn import_page(cx: &mut Cx, wrong: Vec<String>) -> ImportPage {
    let (required, optional) = (catalog_csv::REQUIRED, catalog_csv::OPTIONAL);
    let columns: Vec<&str> = required.into_iter().chain(optional).collect();
    let shell = cx.shell("Import services", Nav::Services);
    ImportPage { shell, form: cx.form.clone(), wrong, columns: columns.join(",") }
}

/// The form.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = import_page(cx, Vec::new());
    cx.page(&page)
}

/// Imports a file, after saying what would change.
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
    let (preview, now) = match cx.read(read).await {
        Ok(seen) => seen,
        Err(PageError::Refused(refusal)) => return refused(cx, vec![refusal.to_string()]),
        Err(error) => return Err(error),
    };
    let version = cx.form.get("version").parse().unwrap_or(now);
    cx.form.put("version", version);
    cx.confirm(question(&preview, drafts.len()))?;
    let import = ImportServices { actor: cx.actor()?, drafts };
    match cx.write(ImportAsSeen { import, version }).await {
        Ok(_) => {
            let Preview { created, updated, .. } = preview;
            let toast = format!("{} added, {updated} changed", counted(created));
            cx.go("/admin/services", Toast::new(toast))
        }
        Err(PageError::Refused(refusal)) => refused(cx, vec![refusal.to_string()]),
        Err(error) => Err(error),
    }
}

/// What would change.
fn question(preview: &Preview, count: usize) -> Ask {
    let count = counted(count);
    Ask {
        title: format!("Import {count}?"),
        facts: vec![
            ("New".to_owned(), preview.created.to_string()),
            ("Changed".to_owned(), preview.updated.to_string()),
            ("As they are already".to_owned(), preview.same.to_string()),
        ],
        verb: format!("Import {count}"),
        typed: None,
        is_danger: false,
        ..Ask::default()
    }
}

fn refused(cx: &mut Cx, wrong: Vec<String>) -> Answer {
    let complaint = match wrong.len() {
        1 => "This file cannot be imported, nothing was changed".to_owned(),
        count => format!("{count} lines cannot be imported, nothing was changed"),
    };
    cx.form.refuse("csv", complaint);
    let page = import_page(cx, wrong);
    cx.refused_page(&page)
}

/// All services as a file that can be imported again.
pub(crate) async fn export(cx: &mut Cx) -> Answer {
    let read = |db: &Read<'_>| Ok((services::list(db)?, settings::get(db, Setting::Name)?));
    let (listed, panel) = cx.read(read).await?;
    let csv = catalog_csv::write(&listed);
    let csv = csv.map_err(|error| PageError::Template(error.to_string()))?;
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let panel: String = panel.chars().map(letter).collect();
    let file = format!("attachment; filename=\"{panel}-services.csv\"");
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, file))
        .body(csv))
}
