//! A server's schema in two parts: the tables that rows are copied into, and what is made when they
//! are there. Copying a million postings under their references takes ten times as long.

use crate::store::migrations::VERSION;
use crate::store::pg_schema;
use crate::store::schema::SCHEMA;

const TABLE: &str = "CREATE TABLE ";
const REFERENCES: &str = " REFERENCES ";
/// What statements begin with. No line within one does.
const VERBS: [&str; 3] = ["CREATE ", "INSERT INTO ", "ALTER TABLE "];

/// The statements of the schema.
#[derive(Default)]
pub(super) struct Schema {
    /// Tables with their keys, and what a server has beside those of a file.
    pub(super) tables: Vec<String>,
    /// Indexes, then references, then triggers.
    pub(super) guards: Vec<String>,
}

/// Today's schema.
pub(super) fn schema() -> Schema {
    let mut schema = Schema::default();
    let (mut references, mut triggers) = (Vec::new(), Vec::new());
    for statement in statements(&pg_schema::of(SCHEMA)) {
        if let Some(table) = statement.strip_prefix(TABLE) {
            let (table, found) = without_references(table);
            schema.tables.push(format!("{TABLE}{table}"));
            references.extend(found);
        } else if statement.starts_with("CREATE FUNCTION")
            || statement.starts_with("CREATE TRIGGER")
        {
            triggers.push(statement);
        } else if statement.starts_with("CREATE ") {
            schema.guards.push(statement);
        } else if !statement.starts_with("INSERT ") || statement.starts_with("INSERT INTO seat ") {
            schema.tables.push(statement);
        }
    }
    schema.tables.push(format!("INSERT INTO panelite (schema_version) VALUES ({VERSION});\n"));
    schema.guards.extend(references.into_iter().chain(triggers));
    schema
}

/// Lets the engine go on counting where the rows end.
pub(super) fn go_on_counting(table: &str) -> String {
    format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
}

fn statements(sql: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    for line in sql.lines() {
        let begins = VERBS.iter().any(|verb| line.starts_with(verb));
        match statements.last_mut().filter(|_| !begins) {
            Some(statement) => statement.push_str(line),
            None => statements.push(line.to_owned()),
        }
        if let Some(statement) = statements.last_mut() {
            statement.push('\n');
        }
    }
    statements
}

/// A table without what its rows say about those of others, and that as statements of its own.
fn without_references(table: &str) -> (String, Vec<String>) {
    let name = table.split(' ').next().unwrap_or_default();
    let (mut kept, mut references) = (String::new(), Vec::new());
    for line in table.lines() {
        let reference = line.split_once(REFERENCES).and_then(|(before, rest)| {
            let (to, after) = rest.split_at(rest.find(')')? + 1);
            Some((before, to, after))
        });
        match reference {
            None => kept.push_str(line),
            Some((before, to, after)) => {
                let column = before.split_whitespace().next().unwrap_or_default();
                references.push(format!(
                    "ALTER TABLE {name} ADD FOREIGN KEY ({column}){REFERENCES}{to};\n"
                ));
                kept.push_str(before);
                kept.push_str(after);
            }
        }
        kept.push('\n');
    }
    (kept, references)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_schema_is_lost() {
        let whole = pg_schema::of(SCHEMA);
        let Schema { tables, guards } = schema();
        let (tables, guards) = (tables.concat(), guards.concat());
        for word in ["CREATE TABLE", "PRIMARY KEY", "NULL UNIQUE", "CHECK", "ALTER TABLE accounts"]
        {
            assert_eq!(tables.matches(word).count(), whole.matches(word).count(), "{word}");
        }
        for word in ["INDEX", "CREATE FUNCTION", "CREATE TRIGGER", "REFERENCES"] {
            assert_eq!(guards.matches(word).count(), whole.matches(word).count(), "{word}");
            assert_eq!(tables.matches(word).count(), 0, "{word}");
        }
    }

    #[test]
    fn references_become_statements() {
        let table =
            "a (\n  id BIGINT PRIMARY KEY,\n  b_id BIGINT NOT NULL UNIQUE REFERENCES b (id),
  c BIGINT REFERENCES a (id)\n);\n";
        let (kept, references) = without_references(table);
        assert_eq!(
            kept,
            "a (\n  id BIGINT PRIMARY KEY,\n  b_id BIGINT NOT NULL UNIQUE,\n  c BIGINT\n);\n"
        );
        assert_eq!(
            references,
            [
                "ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b (id);\n",
                "ALTER TABLE a ADD FOREIGN KEY (c) REFERENCES a (id);\n",
            ]
        );
    }
}
