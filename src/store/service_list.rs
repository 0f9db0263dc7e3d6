//! The catalogue as its operator reads it: by category, in the order of the shop, a page at a time.

use super::categories::way_words;
use super::page::{Cursor, Page};
use super::services::{self, Headed, SERVICES_MAX};
use super::value::{Row, RowResult, params};
use super::{Read, Result, Tx};
use crate::domain::service::Way;
use crate::domain::{CategoryId, ServiceId};

/// Which services a page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    #[default]
    All,
    /// Those on sale, as far as it is up to them.
    Enabled,
    /// Those that are not.
    Disabled,
}

/// What a page of services shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub which: Which,
    /// Only those of one category.
    pub category: Option<CategoryId>,
    /// Only those whose name has this in it, in any case, or whose number it is.
    pub text: String,
    /// Where the page begins, by the number of a service.
    pub cursor: Cursor,
    /// How many rows it has.
    pub size: i64,
}

/// Where a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    category_position: i64,
    pub category: CategoryId,
    /// Its place there; of two with the same the older stands first.
    pub position: i64,
    pub service: ServiceId,
}

/// Where a service stands, if there is one of that number.
pub fn find_place(db: &Read<'_>, id: ServiceId) -> Result<Option<Place>> {
    db.find(
        "SELECT c.position, c.id, s.position, s.id
         FROM services s JOIN categories c ON c.id = s.category_id WHERE s.id = $1",
        params![id],
        |row| {
            Ok(Place {
                category_position: row.get(0)?,
                category: row.get(1)?,
                position: row.get(2)?,
                service: row.get(3)?,
            })
        },
    )
}

/// The statement that finds the numbers of a page.
fn page_sql(filter: &Filter) -> String {
    let (compares, direction) = filter.cursor.upwards();
    let is_wanted = match filter.which {
        Which::All => "",
        Which::Enabled => "AND s.is_enabled = 1",
        Which::Disabled => "AND s.is_enabled = 0",
    };
    if filter.category.is_some() {
        return format!(
            "SELECT s.id, s.name FROM services s INDEXED BY services_category
             WHERE s.category_id = $1 AND (s.position, s.id) {compares} ($2, $3) {is_wanted}
             ORDER BY s.position {direction}, s.id {direction} LIMIT $4"
        );
    }
    format!(
        "SELECT s.id, s.name
         FROM categories c INDEXED BY categories_position
         CROSS JOIN services s INDEXED BY services_category ON s.category_id = c.id
         WHERE (c.position, c.id) {compares}= ($1, $2)
           AND ((c.position, c.id) {compares} ($1, $2) OR (s.position, s.id) {compares} ($3, $4))
           {is_wanted}
         ORDER BY c.position {direction}, c.id {direction}, s.position {direction},
                  s.id {direction}
         LIMIT $5"
    )
}

/// A page of services, in the order of the shop. Text is compared here rather than in SQL, which
/// knows the letters of one alphabet only.
pub fn page(db: &Read<'_>, filter: &Filter) -> Result<Page<Headed>> {
    let at = match filter.cursor {
        Cursor::Newest => None,
        Cursor::Older(id) | Cursor::Newer(id) => find_place(db, ServiceId(id))?,
    };
    let cursor = if at.is_some() { filter.cursor } else { Cursor::Newest };
    let filter = Filter { cursor, ..filter.clone() };
    let (first, lowest) = (i64::MIN, CategoryId(i64::MIN));
    let at = at.map_or((first, lowest, first, first), |at| {
        (at.category_position, at.category, at.position, at.service.0)
    });
    let text = Text::of(&filter.text);
    let limit = if filter.text.is_empty() { filter.size + 1 } else { SERVICES_MAX };
    let sql = page_sql(&filter);
    let read = |row: &Row<'_>| -> RowResult<(ServiceId, String)> { Ok((row.get(0)?, row.get(1)?)) };
    let found = match filter.category {
        Some(category) => db.list(&sql, params![category, at.2, at.3, limit], read)?,
        None => db.list(&sql, params![at.0, at.1, at.2, at.3, limit], read)?,
    };
    let most = usize::try_from(filter.size + 1).unwrap_or(usize::MAX);
    let wanted = found.into_iter().filter(|(id, name)| text.is_in(*id, name)).take(most);
    let ids: Vec<ServiceId> = wanted.map(|(id, _)| id).collect();
    let rows = services::get_each_headed(db, &ids)?;
    Ok(cursor.page(rows, filter.size))
}

/// What somebody looks for.
struct Text {
    text: String,
    id: Option<ServiceId>,
}

impl Text {
    fn of(text: &str) -> Self {
        let id = text.trim_start_matches('#').parse().ok().map(ServiceId);
        Self { text: text.to_lowercase(), id }
    }

    fn is_in(&self, id: ServiceId, name: &str) -> bool {
        self.id == Some(id) || name.to_lowercase().contains(&self.text)
    }
}

/// The statement that finds the next one on the way.
fn neighbor_sql(way: Way) -> String {
    let (compares, direction) = way_words(way);
    format!(
        "SELECT s.id FROM services s INDEXED BY services_category
         WHERE s.category_id = $1 AND (s.position, s.id) {compares} ($2, $3)
         ORDER BY s.position {direction}, s.id {direction} LIMIT 1"
    )
}

/// The next one on the way within the category.
pub fn find_neighbor(db: &Read<'_>, of: &Place, way: Way) -> Result<Option<Place>> {
    let params = params![of.category, of.position, of.service];
    let id = db.find(&neighbor_sql(way), params, |row| row.get(0))?;
    id.map_or(Ok(None), |id| find_place(db, id))
}

/// All that stand in a category, from the first to the last.
pub fn list_category(db: &Read<'_>, category: CategoryId) -> Result<Vec<ServiceId>> {
    let sql = "SELECT id FROM services WHERE category_id = $1 ORDER BY position, id LIMIT $2";
    db.list(sql, params![category, SERVICES_MAX], |row| row.get(0))
}

/// Where in its category a service stands.
pub fn update_position(tx: &Tx<'_>, id: ServiceId, position: i64) -> Result<()> {
    tx.execute("UPDATE services SET position = $1 WHERE id = $2", params![position, id])?;
    Ok(())
}

/// Puts a service behind all others of a category.
pub fn update_category(tx: &Tx<'_>, id: ServiceId, category: CategoryId) -> Result<()> {
    tx.execute(
        "UPDATE services SET category_id = $1,
                position = (SELECT coalesce(max(position), 0) + 1 FROM services
                            WHERE category_id = $1)
         WHERE id = $2",
        params![category, id],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::assert_walks_an_index_of_a_file;

    /// PostgreSQL does not see that all of a category comes together, and sorts within each.
    #[test]
    fn pages_and_neighbors_are_read_along_an_index() {
        for which in [Which::All, Which::Enabled, Which::Disabled] {
            for cursor in [Cursor::Newest, Cursor::Older(7), Cursor::Newer(7)] {
                for category in [None, Some(CategoryId(1))] {
                    let text = String::new();
                    let filter = Filter { which, category, text, cursor, size: 50 };
                    assert_walks_an_index_of_a_file(&page_sql(&filter));
                }
            }
        }
        for way in [Way::Up, Way::Down] {
            assert_walks_an_index_of_a_file(&neighbor_sql(way));
        }
    }
}
