//! The headings of the catalogue, in the order of the shop.

use super::page::{Cursor, Page};
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::CategoryId;
use crate::domain::service::Way;

/// How many categories a menu offers.
const NAMED_MAX: i64 = 1000;

/// A heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    pub id: CategoryId,
    pub name: String,
    /// Where it stands; of two with the same place the older stands first.
    pub position: i64,
    /// Whether its services can be ordered.
    pub is_enabled: bool,
}

/// A heading as a page of them shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub category: Category,
    /// How many services stand under it.
    pub services: i64,
}

fn read_category(row: &Row<'_>) -> RowResult<Category> {
    Ok(Category {
        id: row.get(0)?,
        name: row.get(1)?,
        position: row.get(2)?,
        is_enabled: row.get(3)?,
    })
}

/// A category by its number.
pub fn find(db: &Read<'_>, id: CategoryId) -> Result<Option<Category>> {
    let sql = "SELECT id, name, position, is_enabled FROM categories WHERE id = $1";
    db.find(sql, params![id], read_category)
}

/// The category of that name.
pub fn find_named(db: &Read<'_>, name: &str) -> Result<Option<Category>> {
    let sql = "SELECT id, name, position, is_enabled FROM categories WHERE name = $1";
    db.find(sql, params![name], read_category)
}

/// The first thousand, in the order of the shop.
pub fn list(db: &Read<'_>) -> Result<Vec<Category>> {
    let sql = "SELECT id, name, position, is_enabled FROM categories
               ORDER BY position, id LIMIT $1";
    db.list(sql, params![NAMED_MAX], read_category)
}

/// The statement of a page, which begins behind a place or ends before it.
fn page_sql(cursor: Cursor) -> String {
    let (compares, direction) = cursor.upwards();
    format!(
        "SELECT c.id, c.name, c.position, c.is_enabled,
                (SELECT count(*) FROM services s WHERE s.category_id = c.id)
         FROM categories c WHERE (c.position, c.id) {compares} ($1, $2)
         ORDER BY c.position {direction}, c.id {direction} LIMIT $3"
    )
}

/// A page, in the order of the shop. The cursor is the number of a category.
pub fn page(db: &Read<'_>, cursor: Cursor, size: i64) -> Result<Page<Listed>> {
    let at = find(db, CategoryId(cursor.bound()))?;
    let cursor = if at.is_some() { cursor } else { Cursor::Newest };
    let (position, id) = at.map_or((i64::MIN, i64::MIN), |at| (at.position, at.id.0));
    let rows = db.list(&page_sql(cursor), params![position, id, size + 1], |row| {
        Ok(Listed { category: read_category(row)?, services: row.get(4)? })
    })?;
    Ok(cursor.page(rows, size))
}

/// Whether no service stands under it.
pub fn is_empty(db: &Read<'_>, id: CategoryId) -> Result<bool> {
    let sql = "SELECT 1 FROM services WHERE category_id = $1 LIMIT 1";
    Ok(db.find(sql, params![id], |_| Ok(()))?.is_none())
}

/// The statement that finds the next one on the way.
fn neighbor_sql(way: Way) -> String {
    let (compares, direction) = way_words(way);
    format!(
        "SELECT id, name, position, is_enabled FROM categories
         WHERE (position, id) {compares} ($1, $2)
         ORDER BY position {direction}, id {direction} LIMIT 1"
    )
}

/// How places on the way compare, and how they are sorted.
pub(super) const fn way_words(way: Way) -> (&'static str, &'static str) {
    match way {
        Way::Up => ("<", "DESC"),
        Way::Down => (">", "ASC"),
    }
}

/// The next one on the way.
pub fn neighbor(db: &Read<'_>, of: &Category, way: Way) -> Result<Option<Category>> {
    db.find(&neighbor_sql(way), params![of.position, of.id], read_category)
}

/// A new category, last in the list.
pub fn insert(tx: &Tx<'_>, name: &str) -> Result<CategoryId> {
    tx.get(
        "INSERT INTO categories (name, position)
         VALUES ($1, (SELECT coalesce(max(position), 0) + 1 FROM categories)) RETURNING id",
        params![name],
        |row| row.get(0),
    )
}

/// What customers read.
pub fn update_name(tx: &Tx<'_>, id: CategoryId, name: &str) -> Result<()> {
    tx.execute("UPDATE categories SET name = $1 WHERE id = $2", params![name, id])?;
    Ok(())
}

/// Whether its services can be ordered.
pub fn update_enabled(tx: &Tx<'_>, id: CategoryId, is_enabled: bool) -> Result<()> {
    tx.execute("UPDATE categories SET is_enabled = $1 WHERE id = $2", params![is_enabled, id])?;
    Ok(())
}

/// Where it stands.
pub fn update_position(tx: &Tx<'_>, id: CategoryId, position: i64) -> Result<()> {
    tx.execute("UPDATE categories SET position = $1 WHERE id = $2", params![position, id])?;
    Ok(())
}

/// Takes an empty one away.
pub fn delete(tx: &Tx<'_>, id: CategoryId) -> Result<()> {
    tx.execute("DELETE FROM categories WHERE id = $1", params![id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::plans::assert_walks_an_index;

    #[test]
    fn pages_and_neighbors_are_read_along_an_index() {
        for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
            assert_walks_an_index(&page_sql(cursor));
        }
        for way in [Way::Up, Way::Down] {
            assert_walks_an_index(&neighbor_sql(way));
        }
    }
}
