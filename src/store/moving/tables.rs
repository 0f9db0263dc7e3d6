//! The tables of today's schema, as SQLite reads it: what is moved, and in which order.

use rusqlite::Connection;

use crate::store::schema::SCHEMA;
use crate::store::value::Kind;

/// A table whose rows are moved.
pub(super) struct Table {
    pub(super) name: String,
    /// Those that hold something of their own: what is derived is derived again.
    pub(super) columns: Vec<Column>,
    key: Vec<String>,
}

/// A column that is stored.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

const TABLES: &str = "SELECT name FROM sqlite_schema
    WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
const COLUMNS: &str =
    "SELECT name, type, pk FROM pragma_table_xinfo($1) WHERE hidden = 0 ORDER BY cid";

/// All tables, by name.
pub(super) fn all() -> rusqlite::Result<Vec<Table>> {
    let conn = Connection::open_in_memory()?;
    conn.execute_batch(SCHEMA)?;
    let mut tables = conn.prepare(TABLES)?;
    let mut columns = conn.prepare(COLUMNS)?;
    let names = tables.query_map([], |row| row.get::<_, String>(0))?;
    names
        .map(|name| {
            let name = name?;
            let mut table = Table { name: name.clone(), columns: Vec::new(), key: Vec::new() };
            let mut key: Vec<(i64, String)> = Vec::new();
            let mut rows = columns.query([name])?;
            while let Some(row) = rows.next()? {
                let (name, stored, place): (String, String, i64) = row.try_into()?;
                if place > 0 {
                    key.push((place, name.clone()));
                }
                table.columns.push(Column { name, kind: kind(&stored) });
            }
            key.sort_unstable();
            table.key = key.into_iter().map(|(_, name)| name).collect();
            Ok(table)
        })
        .collect()
}

/// STRICT tables know no other words; `ANY` and `REAL` are not ours.
fn kind(stored: &str) -> Kind {
    match stored {
        "TEXT" => Kind::Text,
        "BLOB" => Kind::Blob,
        _ => Kind::Int,
    }
}

impl Table {
    /// How many rows it has.
    pub(super) fn count(&self) -> String {
        format!("SELECT count(*) FROM {}", self.name)
    }

    /// All rows, in the order of the key.
    pub(super) fn select(&self) -> String {
        let key = self.key.join(", ");
        format!("SELECT {} FROM {} ORDER BY {key}", self.listed(), self.name)
    }

    /// Adds a row to a file.
    pub(super) fn insert(&self) -> String {
        let values: Vec<String> = (1..=self.columns.len()).map(|at| format!("${at}")).collect();
        let values = values.join(", ");
        format!("INSERT INTO {} ({}) VALUES ({values})", self.name, self.listed())
    }

    /// Adds rows to a server's table, which was made in the same transaction: nobody will have to
    /// look again at whether they are there.
    pub(super) fn copy(&self) -> String {
        format!("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE)", self.name, self.listed())
    }

    /// Whether the engine may number its rows.
    pub(super) fn is_numbered(&self) -> bool {
        self.key == ["id"]
    }

    fn listed(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_key_and_no_derived_column() {
        let tables = all().unwrap();
        assert!(tables.len() > 20);
        assert_eq!(tables.len(), SCHEMA.matches("CREATE TABLE").count());
        let named = |name: &str| tables.iter().find(|table| table.name == name).unwrap();
        assert!(tables.iter().all(|table| !table.key.is_empty()));
        assert_eq!(named("order_inputs").key, ["order_id", "name"]);
        assert_eq!(named("api_keys").columns[2].kind, Kind::Blob);
        let orders = named("orders");
        assert!(orders.is_numbered() && !named("settings").is_numbered());
        let is_derived = |column: &Column| ["block", "public_status"].contains(&&*column.name);
        assert!(!orders.columns.iter().any(is_derived));
        assert_eq!(
            named("paces").insert(),
            "INSERT INTO paces (service_id, completed, seconds) VALUES ($1, $2, $3)"
        );
    }
}
