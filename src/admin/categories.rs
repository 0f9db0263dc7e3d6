//! The headings of the catalogue: added, renamed in their rows, moved, switched, taken away.

use askama::Template;

use super::error::PageError;
use super::form::Form;
use super::gate::Cx;
use super::reply::{Answer, see_other};
use super::shell::{Nav, Shell, Toast, grouped};
use crate::commands::categories::{
    CreateCategory, DeleteCategory, RenameCategory, SetCategoryEnabled, ShiftCategory,
};
use crate::domain::CategoryId;
use crate::domain::service::Way;
use crate::store::Read;
use crate::store::categories::{self, Category, Listed};
use crate::store::page::{Cursor, Page};

const SIZES: [i64; 3] = [100, 200, 500];

#[derive(Template)]
#[template(path = "admin/categories.html", blocks = ["list"])]
struct CategoriesPage {
    shell: Shell,
    page: Page<Listed>,
    cursor: Cursor,
    size: i64,
    /// The row that is being renamed.
    edited: Option<CategoryId>,
    /// The row that was worked on just now and what of it, to go on from there.
    left: Option<(CategoryId, &'static str)>,
    /// What was sent, or what the edited row holds.
    form: Form,
}

impl CategoriesPage {
    fn is_edited(&self, category: &Category) -> bool {
        self.edited == Some(category.id)
    }

    fn is_left(&self, category: &Category, at: &str) -> bool {
        self.left.is_some_and(|(left, part)| left == category.id && part == at)
    }

    /// The fields by which the page is found again.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        pairs(self.cursor, self.size)
    }

    fn here(&self) -> String {
        address(self.cursor, self.size)
    }

    fn previous(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(address(Cursor::Newer(first.category.id.0), self.size))
    }

    fn next(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(address(Cursor::Older(last.category.id.0), self.size))
    }
}

fn pairs(cursor: Cursor, size: i64) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("size", size.to_string())];
    match cursor {
        Cursor::Newest => {}
        Cursor::Older(id) => pairs.push(("older", id.to_string())),
        Cursor::Newer(id) => pairs.push(("newer", id.to_string())),
    }
    pairs
}

fn address(cursor: Cursor, size: i64) -> String {
    let pairs = pairs(cursor, size).into_iter().map(|(name, value)| format!("{name}={value}"));
    format!("/admin/categories?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// The address of the page from which a form was sent.
fn here(cx: &Cx) -> String {
    address(cx.cursor(), cx.size(&SIZES))
}

fn id(cx: &Cx) -> Result<CategoryId, PageError> {
    cx.path_id("id").map(CategoryId)
}

async fn categories_page(
    cx: &mut Cx,
    edited: Option<CategoryId>,
) -> Result<CategoriesPage, PageError> {
    let (cursor, size) = (cx.cursor(), cx.size(&SIZES));
    let page = cx.read(move |db: &Read<'_>| categories::page(db, cursor, size)).await?;
    let left = cx.form.get("left").parse().ok().map(|left| (CategoryId(left), "edit"));
    let (shell, form) = (cx.shell("Categories", Nav::Categories), cx.form.clone());
    Ok(CategoriesPage { shell, page, cursor, size, edited, left, form })
}

/// The list, with one row open where that is asked for.
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let edited = cx.form.get("edit").parse().ok().map(CategoryId);
    let mut page = categories_page(cx, edited).await?;
    let row = page.page.rows.iter().find(|row| page.is_edited(&row.category));
    page.form = match row {
        Some(row) => Form::filled([("name", row.category.name.clone())]),
        None => Form::default(),
    };
    cx.list(&page, &page.as_list())
}

/// Adds one.
pub(super) async fn create(cx: &mut Cx) -> Answer {
    let name = cx.form.required("new", "A category needs a name");
    if cx.form.is_sound() {
        let create = CreateCategory { actor: cx.actor()?, name: name.clone() };
        match cx.write(create).await {
            Ok(id) => {
                let toast = Toast::said(format!("{name} is added, last in the list"));
                return cx.go(&format!("/admin/categories#c-{id}"), toast);
            }
            Err(PageError::Refused(refusal)) => cx.form.refuse("new", refusal),
            Err(error) => return Err(error),
        }
    }
    let page = categories_page(cx, None).await?;
    cx.refused_page(&page)
}

/// Saves the name in the row that was open.
pub(super) async fn rename(cx: &mut Cx) -> Answer {
    let category = id(cx)?;
    let name = cx.form.required("name", "A category needs a name");
    if cx.form.is_sound() {
        let rename = RenameCategory { actor: cx.actor()?, category, name };
        match cx.write(rename).await {
            Ok(()) => return after(cx, category, "edit").await,
            Err(PageError::Refused(refusal)) => cx.form.refuse("name", refusal),
            Err(error) => return Err(error),
        }
    }
    let page = categories_page(cx, Some(category)).await?;
    cx.refused_list(&page, &page.as_list())
}

/// The list as it is now: the part of it that htmx waits for, or the way to the row.
async fn after(cx: &mut Cx, category: CategoryId, part: &'static str) -> Answer {
    if !cx.wants_part() {
        return Ok(see_other(&format!("{}#c-{category}", here(cx))));
    }
    let mut page = categories_page(cx, None).await?;
    page.left = Some((category, part));
    cx.list(&page, &page.as_list())
}

/// One place up.
pub(super) async fn up(cx: &mut Cx) -> Answer {
    shift(cx, Way::Up).await
}

/// One place down.
pub(super) async fn down(cx: &mut Cx) -> Answer {
    shift(cx, Way::Down).await
}

async fn shift(cx: &mut Cx, way: Way) -> Answer {
    let category = id(cx)?;
    cx.write(ShiftCategory { actor: cx.actor()?, category, way }).await?;
    let part = if way == Way::Up { "up" } else { "down" };
    after(cx, category, part).await
}

/// Puts its services on sale again.
pub(super) async fn enable(cx: &mut Cx) -> Answer {
    set_enabled(cx, true).await
}

/// Takes its services off sale.
pub(super) async fn disable(cx: &mut Cx) -> Answer {
    set_enabled(cx, false).await
}

async fn set_enabled(cx: &mut Cx, is_enabled: bool) -> Answer {
    let category = id(cx)?;
    let command = SetCategoryEnabled { actor: cx.actor()?, category, is_enabled };
    let name = cx.write(command).await?;
    let (said, undo) = match is_enabled {
        true => ("is enabled: its services can be ordered", "disable"),
        false => ("is disabled: none of its services can be ordered", "enable"),
    };
    let undo = format!("/admin/categories/{category}/{undo}");
    cx.go(&here(cx), Toast::with_undo(format!("{name} {said}"), undo))
}

/// Takes one away that has no services.
pub(super) async fn delete(cx: &mut Cx) -> Answer {
    let category = id(cx)?;
    let name = cx.write(DeleteCategory { actor: cx.actor()?, category }).await?;
    cx.go(&here(cx), Toast::said(format!("{name} is deleted")))
}
