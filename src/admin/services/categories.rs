//! The headings of the catalogue: added, renamed in their rows, moved, switched, taken away.

use askama::Template;

use crate::admin::frame::answer::{Answer, see_other};
use crate::admin::frame::cx::Cx;
use crate::admin::frame::error::PageError;
use crate::admin::frame::figure::grouped;
use crate::admin::frame::form::Form;
use crate::admin::frame::list::{Address, List};
use crate::admin::frame::shell::{Nav, Shell, Toast, Undo};
use crate::commands::categories::{
    CreateCategory, DeleteCategory, RenameCategory, SetCategoryEnabled, ShiftCategory,
};
use crate::domain::CategoryId;
use crate::domain::service::Way;
use crate::store::Read;
use crate::store::categories::{self, Category, Listed};

const PATH: &str = "/admin/categories";
const SIZES: [i64; 3] = [100, 200, 500];

#[derive(Template)]
#[template(path = "admin/services/categories.html", blocks = ["list"])]
struct CategoriesPage {
    shell: Shell,
    list: List<Listed>,
    /// The address of this page, which its forms carry.
    here: Address,
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
}

/// The list, and the page of it from which a form was sent.
fn addresses(cx: &Cx) -> (Address, Address) {
    let list = Address::new(PATH).with("size", cx.size_of(SIZES).rows);
    (list.clone(), list.at(cx.cursor()))
}

/// The address of the page from which a form was sent.
fn here(cx: &Cx) -> String {
    addresses(cx).1.to_string()
}

fn id(cx: &Cx) -> Result<CategoryId, PageError> {
    cx.path_id("id").map(CategoryId)
}

async fn categories_page(
    cx: &mut Cx,
    edited: Option<CategoryId>,
) -> Result<CategoriesPage, PageError> {
    let (cursor, size) = (cx.cursor(), cx.size_of(SIZES).rows);
    let page = cx.read(move |db: &Read<'_>| categories::page(db, cursor, size)).await?;
    let left = cx.form.get("left").parse().ok().map(|left| (CategoryId(left), "edit"));
    let (address, here) = addresses(cx);
    let list = List::new(page, address, |row| row.category.id.0);
    let (shell, form) = (cx.shell("Categories", Nav::Categories), cx.form.clone());
    Ok(CategoriesPage { shell, list, here, edited, left, form })
}

/// The list, with one row open where that is asked for.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let edited = cx.form.get("edit").parse().ok().map(CategoryId);
    let mut page = categories_page(cx, edited).await?;
    let row = page.list.rows.iter().find(|row| page.is_edited(&row.category));
    page.form = match row {
        Some(row) => Form::filled([("name", row.category.name.clone())]),
        None => Form::default(),
    };
    cx.list(&page, &page.as_list())
}

/// Adds one.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    let name = cx.form.required("new", "Enter a name");
    if cx.form.is_sound() {
        let create = CreateCategory { actor: cx.actor()?, name: name.clone() };
        match cx.write(create).await {
            Ok(id) => {
                let toast = Toast::new(format!("{name} added at the end of the list"));
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
pub(crate) async fn rename(cx: &mut Cx) -> Answer {
    let category = id(cx)?;
    let name = cx.form.required("name", "Enter a name");
    let undone = cx.form.has("now").then(|| cx.form.get("now").to_owned());
    if cx.form.is_sound() {
        let is_undo = undone.is_some();
        let rename = RenameCategory { actor: cx.actor()?, category, name: name.clone(), undone };
        match cx.write(rename).await {
            Ok(before) => {
                cx.toast = Some(renamed(cx, category, before.filter(|_| !is_undo), name));
                return after(cx, category, "edit").await;
            }
            Err(PageError::Refused(refusal)) if is_undo => {
                cx.toast = Some(Toast::new(refusal.to_string()));
                return after(cx, category, "edit").await;
            }
            Err(PageError::Refused(refusal)) => cx.form.refuse("name", refusal),
            Err(error) => return Err(error),
        }
    }
    let page = categories_page(cx, Some(category)).await?;
    cx.refused_list(&page, &page.as_list())
}

/// Says that a category was renamed; from a name to go back to, the toast takes it back.
fn renamed(cx: &Cx, category: CategoryId, before: Option<String>, name: String) -> Toast {
    let text = format!("Category {category} is now {name}");
    let Some(before) = before else { return Toast::new(text) };
    let undo = Undo::post(format!("{PATH}/{category}")).with("name", before).with("now", name);
    Toast::with_undo(text, from_here(cx, undo))
}

/// An undoing that leads back to the page of the list from which the form was sent.
fn from_here(cx: &Cx, undo: Undo) -> Undo {
    let (_, here) = addresses(cx);
    undo.with_each(here.pairs())
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
pub(crate) async fn up(cx: &mut Cx) -> Answer {
    shift(cx, Way::Up).await
}

/// One place down.
pub(crate) async fn down(cx: &mut Cx) -> Answer {
    shift(cx, Way::Down).await
}

async fn shift(cx: &mut Cx, way: Way) -> Answer {
    let category = id(cx)?;
    cx.write(ShiftCategory { actor: cx.actor()?, category, way }).await?;
    let part = if way == Way::Up { "up" } else { "down" };
    after(cx, category, part).await
}

/// Puts its services on sale again.
pub(crate) async fn enable(cx: &mut Cx) -> Answer {
    set_enabled(cx, true).await
}

/// Takes its services off sale.
pub(crate) async fn disable(cx: &mut Cx) -> Answer {
    set_enabled(cx, false).await
}

async fn set_enabled(cx: &mut Cx, is_enabled: bool) -> Answer {
    let category = id(cx)?;
    let command = SetCategoryEnabled { actor: cx.actor()?, category, is_enabled };
    let (word, what, undo) = match is_enabled {
        true => ("enabled", "its enabled services are on sale", "disable"),
        false => ("disabled", "its services cannot be ordered", "enable"),
    };
    let toast = match cx.write(command).await? {
        Some(name) => {
            let undo = from_here(cx, Undo::post(format!("{PATH}/{category}/{undo}")));
            Toast::with_undo(format!("{name} {word}: {what}"), undo)
        }
        None => Toast::new(format!("Nothing changed: already {word}")),
    };
    cx.go(&here(cx), toast)
}

/// Takes one away that has no services.
pub(crate) async fn delete(cx: &mut Cx) -> Answer {
    let category = id(cx)?;
    let name = cx.write(DeleteCategory { actor: cx.actor()?, category }).await?;
    cx.go(&here(cx), Toast::new(format!("{name} deleted")))
}
