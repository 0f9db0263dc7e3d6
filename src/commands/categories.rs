//! The headings of the catalogue. Places are distinct: a new one stands last, and moving swaps two.

use super::record;
use crate::domain::refusal::OperatorRefusal;
use crate::domain::service::{self, Way};
use crate::domain::{Actor, CategoryId};
use crate::store::categories::{self, Category};
use crate::store::{Command, Read, Result, Tx};

/// How the audit log names a category.
fn object(id: CategoryId) -> String {
    format!("category {id}")
}

/// A category that somebody named.
fn find(db: &Read<'_>, id: CategoryId) -> Result<Category> {
    Ok(categories::find(db, id)?.ok_or(OperatorRefusal::CategoryNotFound)?)
}

/// Adds a category, last in the list.
pub struct CreateCategory {
    pub actor: Actor,
    /// What customers read.
    pub name: String,
}

impl Command for CreateCategory {
    type Reply = CategoryId;

    fn run(&self, tx: &Tx<'_>) -> Result<CategoryId> {
        service::check_category_name(&self.name)?;
        if categories::find_named(tx, &self.name)?.is_some() {
            return Err(OperatorRefusal::CategoryTaken.into());
        }

        let id = categories::insert(tx, &self.name)?;
        record(tx, &self.actor, "category.create", object(id), self.name.clone())?;
        Ok(id)
    }
}

/// Gives a category another name.
pub struct RenameCategory {
    pub actor: Actor,
    pub category: CategoryId,
    /// What customers read from now on.
    pub name: String,
    /// The name that an undo takes back: refused unless it is still that.
    pub undone: Option<String>,
}

impl Command for RenameCategory {
    /// The name before; `None` where it was called that already.
    type Reply = Option<String>;

    fn run(&self, tx: &Tx<'_>) -> Result<Option<String>> {
        let before = find(tx, self.category)?;
        if self.undone.as_ref().is_some_and(|undone| *undone != before.name) {
            return Err(OperatorRefusal::UndoneTooLate.into());
        }
        service::check_category_name(&self.name)?;
        if before.name == self.name {
            return Ok(None);
        }
        if categories::find_named(tx, &self.name)?.is_some() {
            return Err(OperatorRefusal::CategoryTaken.into());
        }

        categories::update_name(tx, before.id, &self.name)?;
        let change = format!("{} → {}", before.name, self.name);
        record(tx, &self.actor, "category.rename", object(before.id), change)?;
        Ok(Some(before.name))
    }
}

/// Puts all services of a category on or off sale, without touching them.
pub struct SetCategoryEnabled {
    pub actor: Actor,
    pub category: CategoryId,
    /// Whether its services can be ordered.
    pub is_enabled: bool,
}

impl Command for SetCategoryEnabled {
    /// Its name; `None` where it was so already.
    type Reply = Option<String>;

    fn run(&self, tx: &Tx<'_>) -> Result<Option<String>> {
        let before = find(tx, self.category)?;
        if before.is_enabled == self.is_enabled {
            return Ok(None);
        }

        categories::update_enabled(tx, before.id, self.is_enabled)?;
        let verb = if self.is_enabled { "category.enable" } else { "category.disable" };
        record(tx, &self.actor, verb, object(before.id), before.name.clone())?;
        Ok(Some(before.name))
    }
}

/// Moves a category by one place; at the end of the list nothing happens.
pub struct ShiftCategory {
    pub actor: Actor,
    pub category: CategoryId,
    pub way: Way,
}

impl Command for ShiftCategory {
    type Reply = ();

    fn run(&self, tx: &Tx<'_>) -> Result<()> {
        let category = find(tx, self.category)?;
        let Some(other) = categories::neighbor(tx, &category, self.way)? else { return Ok(()) };

        categories::update_position(tx, category.id, other.position)?;
        categories::update_position(tx, other.id, category.position)?;
        let change = match self.way {
            Way::Up => format!("{} up, now before {}", category.name, other.name),
            Way::Down => format!("{} down, now after {}", category.name, other.name),
        };
        record(tx, &self.actor, "category.shift", object(category.id), change)
    }
}

/// Takes away a category that has no services.
pub struct DeleteCategory {
    pub actor: Actor,
    pub category: CategoryId,
}

impl Command for DeleteCategory {
    /// Its name.
    type Reply = String;

    fn run(&self, tx: &Tx<'_>) -> Result<String> {
        let before = find(tx, self.category)?;
        if !categories::is_empty(tx, before.id)? {
            return Err(OperatorRefusal::CategoryNotEmpty.into());
        }

        categories::delete(tx, before.id)?;
        record(tx, &self.actor, "category.delete", object(before.id), before.name.clone())?;
        Ok(before.name)
    }
}
