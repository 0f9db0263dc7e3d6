//! Where a panel is moved to: tables first, with nothing that each row would have to pay for, then
//! their rows, then indexes, references and triggers. Nobody sees any of it before it is kept: a
//! server because it is one transaction, a file because it has another name until then.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Statement};

use super::tables::Table;
use super::{MoveError, Progress, Result, Step, Tell, server};
use crate::store::conn::Conn;
use crate::store::copies::{Part, refuse_existing};
use crate::store::migrations::VERSION;
use crate::store::pg::{CopyIn, Wire};
use crate::store::place::{Dsn, Place};
use crate::store::schema::{self, APPLICATION_ID, SCHEMA, beside};
use crate::store::value::{Kind, Value, params};
use crate::store::{Error, Read, nodes, opening};

/// What would be taken for a new file's.
const LEFT_BEHIND: [&str; 3] = ["", "-wal", "-journal"];
/// What a file's guards are, in the order in which they were written.
const GUARDS: &str = "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL";
const TABLES: &str = "SELECT sql FROM sqlite_schema
    WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'";
/// How the server goes about what is made only once.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL work_mem = '64MB';
    SET LOCAL maintenance_work_mem = '256MB'";

/// A place that is being filled. Unless it is kept it goes away.
pub(super) struct Target {
    conn: Conn,
    /// For a file: what it is called until it is kept, and then.
    file: Option<(Part, PathBuf)>,
}

impl Target {
    /// Makes the tables in an empty place.
    pub(super) fn begin(place: &Place) -> Result<Self> {
        match place {
            Place::File(path) => Self::begin_file(path),
            Place::Server(dsn) => Self::begin_server(dsn),
        }
    }

    /// What it holds so far.
    pub(super) fn look(&self) -> Read<'_> {
        self.conn.look()
    }

    /// Lets a server know which key file its nodes need. A file has its own beside it.
    pub(super) fn set_key_id(&self, id: &str) -> Result<()> {
        if let Conn::Pg(wire) = &self.conn {
            wire.execute(nodes::SET_KEY_ID, params![id])?;
        }
        Ok(())
    }

    fn begin_file(path: &Path) -> Result<Self> {
        for suffix in LEFT_BEHIND {
            refuse_existing(&beside(path, suffix))?;
        }
        let part = Part::new(path)?;
        let conn = schema::open_copier(&part.path)?;
        // A crash would leave nothing to go on with anyway.
        conn.pragma_update(None, "journal_mode", "OFF")?;
        conn.pragma_update(None, "synchronous", "OFF")?;
        conn.pragma_update(None, "foreign_keys", false)?;
        conn.pragma_update(None, "cache_size", -65_536)?;
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
        conn.pragma_update(None, "user_version", VERSION)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for sql in in_schema(TABLES)? {
            conn.execute_batch(&sql)?;
        }
        Ok(Self { conn: Conn::Lite(conn), file: Some((part, path.to_owned())) })
    }

    fn begin_server(dsn: &Dsn) -> Result<Self> {
        let wire = Wire::connect(dsn)?;
        if !opening::is_empty(&wire)? {
            return Err(MoveError::NotEmpty(Place::Server(dsn.clone())));
        }
        wire.be_patient()?;
        wire.run_all(BEGIN)?;
        wire.run_all(&server::schema().tables.concat())?;
        Ok(Self { conn: Conn::Pg(wire), file: None })
    }

    /// Opens a table to be filled.
    pub(super) fn fill(&self, table: &Table) -> Result<Filling<'_>> {
        Ok(match &self.conn {
            Conn::Lite(conn) => Filling::Lite(conn.prepare(&table.insert())?),
            Conn::Pg(wire) => {
                let kinds: Vec<Kind> = table.columns.iter().map(|column| column.kind).collect();
                Filling::Pg(wire.copy_in(&table.copy(), &kinds)?, table.name.clone())
            }
        })
    }

    /// Makes what was left out when the tables were made.
    pub(super) fn guard(&self, tables: &[Table], tell: Tell<'_>) -> Result<()> {
        let guards = match &self.conn {
            Conn::Lite(_) => in_schema(GUARDS)?,
            Conn::Pg(_) => server::schema().guards,
        };
        let of = guards.len() as u64;
        for (done, sql) in (1..).zip(&guards) {
            self.conn.run_all(sql)?;
            tell(Progress { step: Step::Guard, done, of });
        }
        match &self.conn {
            Conn::Lite(_) => self.conn.run("COMMIT")?,
            Conn::Pg(wire) => {
                for table in tables.iter().filter(|table| table.is_numbered()) {
                    wire.run_all(&server::go_on_counting(&table.name))?;
                }
                // Ours alone: others' tables may be locked.
                let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
                wire.run_all(&format!("ANALYZE {}", names.join(", ")))?;
            }
        }
        Ok(())
    }

    /// Makes it last.
    pub(super) fn keep(self) -> Result<()> {
        let Some((part, path)) = self.file else { return Ok(self.conn.run("COMMIT")?) };
        drop(self.conn);
        part.keep_as(&path)?;
        Ok(())
    }
}

/// The statements that a query finds in the schema of a file.
fn in_schema(query: &str) -> Result<Vec<String>> {
    let conn = Connection::open_in_memory()?;
    conn.execute_batch(SCHEMA)?;
    let mut statement = conn.prepare(query)?;
    let found = statement.query_map([], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A table that rows are put into, in the order of its key.
pub(super) enum Filling<'t> {
    Lite(Statement<'t>),
    Pg(CopyIn<'t>, String),
}

impl Filling<'_> {
    /// Puts a row behind the others.
    pub(super) fn add(&mut self, row: &[Value<'_>]) -> crate::store::Result<()> {
        match self {
            Self::Lite(statement) => {
                for (number, value) in (1..).zip(row) {
                    statement.raw_bind_parameter::<usize, _>(number, value)?;
                }
                statement.raw_execute()?;
                Ok(())
            }
            Self::Pg(copy, table) => {
                let has_nul =
                    |value: &Value<'_>| matches!(value, Value::Text(text) if text.contains('\0'));
                match row.iter().any(has_nul) {
                    true => Err(nul(table, row)),
                    false => copy.add(row),
                }
            }
        }
    }

    /// Waits until all of it has arrived.
    pub(super) fn end(self) -> Result<()> {
        if let Self::Pg(copy, _) = self {
            copy.end()?;
        }
        Ok(())
    }
}

#[cold]
fn nul(table: &str, row: &[Value<'_>]) -> Error {
    let id = match row.first() {
        Some(Value::Int(id)) => format!(" {id}"),
        _ => String::new(),
    };
    Error::fault(&format!("{table}{id}: a text holds a NUL, which PostgreSQL cannot keep"))
}
