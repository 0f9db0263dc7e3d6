//! The catalogue as a file: out as CSV, in by way of a question that says what would change.

use actix_web::HttpResponse;
use actix_web::http::header;
use askama::Template;

use super::error::PageError;
use super::form::Form;
use super::gate::Cx;
use super::reply::{Answer, Ask};
use super::services::counted;
use super::shell::{Nav, Shell, Toast};
use crate::commands::catalog::{self, Draft, ImportServices};
use crate::commands::catalog_csv;
use crate::domain::setting::Setting;
use crate::store::{Read, services, settings};

#[derive(Template)]
#[template(path = "admin/service_import.html")]
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
pub(super) async fn show(cx: &mut Cx) -> Answer {
    let page = import_page(cx, Vec::new());
    cx.page(&page)
}

/// Imports a file, after saying what would change.
pub(super) async fn import(cx: &mut Cx) -> Answer {
    let drafts = match catalog_csv::read_all(cx.form.raw("csv").trim_start().as_bytes()) {
        Ok(drafts) => drafts,
        Err(wrong) => return refused(cx, wrong.iter().map(ToString::to_string).collect()),
    };
    if drafts.is_empty() {
        return refused(cx, vec!["There is no service in it".to_owned()]);
    }
    let ask = match question(cx, &drafts).await {
        Ok(ask) => ask,
        Err(PageError::Refused(refusal)) => return refused(cx, vec![refusal.to_string()]),
        Err(error) => return Err(error),
    };
    cx.confirm(ask)?;
    match cx.write(ImportServices { actor: cx.actor()?, drafts }).await {
        Ok(imported) => {
            let (created, updated) = (imported.created, imported.updated);
            let said = format!("{} added, {updated} updated", counted(created));
            cx.go("/admin/services", Toast::said(said))
        }
        Err(PageError::Refused(refusal)) => refused(cx, vec![refusal.to_string()]),
        Err(error) => Err(error),
    }
}

async fn question(cx: &Cx, drafts: &[Draft]) -> Result<Ask, PageError> {
    let (count, judged) = (counted(drafts.len()), drafts.to_vec());
    let preview = cx.read(move |db: &Read<'_>| catalog::preview(db, &judged)).await?;
    Ok(Ask {
        title: format!("Import {count}?"),
        facts: vec![
            ("New".to_owned(), preview.created.to_string()),
            ("Changed".to_owned(), preview.updated.to_string()),
            ("As they are already".to_owned(), preview.same.to_string()),
        ],
        verb: format!("Import {count}"),
        typed: None,
        is_danger: false,
    })
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
pub(super) async fn export(cx: &mut Cx) -> Answer {
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
