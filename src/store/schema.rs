//! Opening the file: who may, what it must be, how each connection is set.
//!
//! Nothing is written before we know that the file is ours and not newer than we are. A new file
//! gets the whole of `schema.sql` in one transaction; an older one is upgraded by `upgrade.rs`.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::migrations::VERSION;
use super::{Error, Missing};

/// "Pnlt": says that a SQLite file is a panel's.
pub(super) const APPLICATION_ID: i32 = 0x506e_6c74;
/// The schema of a file, and what that of a database is made of.
pub(super) const SCHEMA: &str = include_str!("../../schema.sql");

const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
const STATEMENTS_CACHED: usize = 128;

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no file, and nobody asked for a new one.
    #[error("there is no panel at {0}")]
    NotFound(String),
    /// The file is something else.
    #[error("{0} is not a panel's database; it was left as it is")]
    Foreign(String),
    /// A later version of the program wrote it.
    #[error("{place} was written by a newer version (schema {found}, known up to {known})")]
    Newer { place: String, found: i64, known: i64 },
    /// An earlier version of the program wrote it, and somebody has it open.
    #[error(
        "{} was written by an older version (schema {found}, this one has {known}) and is in use; \
         stop the server, then start this version, or wait for the one that upgrades it",
        .path.display()
    )]
    Older { path: PathBuf, found: i64, known: i64 },
    /// It could be upgraded, but not to something sound.
    #[error(
        "an upgraded copy of {} is not sound; the file was left as it is:\n{}",
        .0.display(), .1
    )]
    Unsound(PathBuf, String),
    /// It could not be copied, and so is not upgraded.
    #[error("{reason}")]
    NotCopied { reason: String, is_storage: bool },
    /// The database failed while it was upgraded.
    #[error(transparent)]
    Store(#[from] Error),
    /// The server's clock and ours disagree: dates would jump between nodes.
    #[error("the clock of the database's server differs from this machine's by {0} seconds")]
    Clocks(i64),
    /// Another server has it.
    #[error("{0} is in use by another panelite")]
    Locked(String),
    /// The database could not be opened or brought up to date.
    #[error("the database could not be opened: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file could not be opened.
    #[error("the database could not be opened: {0}")]
    File(#[from] io::Error),
}

impl OpenError {
    /// Whether somebody else has the file.
    pub(super) const fn is_locked(&self) -> bool {
        matches!(self, Self::Locked(_))
    }

    /// Whether the storage failed (exit 74), and this is no refusal (exit 1).
    pub fn is_storage(&self) -> bool {
        match self {
            Self::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull | ErrorCode::DatabaseCorrupt)
            ),
            Self::NotCopied { is_storage, .. } => *is_storage,
            Self::Store(error) => error.is_storage(),
            Self::NotFound(_)
            | Self::Older { .. }
            | Self::Unsound(..)
            | Self::Foreign(_)
            | Self::Newer { .. }
            | Self::Clocks(_)
            | Self::Locked(_)
            | Self::File(_) => false,
        }
    }
}

/// What a reader is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// A few rows by key, from mapped memory.
    Points,
    Pages,
}

/// Takes the lock that only one server at a time can have. It lasts as long as the file is open.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = beside(path, ".lock");
    let lock = private().create(true).truncate(false).open(lock_path)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// `<path><suffix>`, in the same folder.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Options to open a file nobody else may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// Takes the file, and what a crash may have left beside it, out of everybody else's sight.
fn make_private(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        match std::fs::set_permissions(beside(path, suffix), Permissions::from_mode(0o600)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done?,
        }
    }
    Ok(())
}

/// Opens a connection that writes, filling the file where it is new. An older one stays as it is.
pub(super) fn open_writer(path: &Path, missing: Missing) -> Result<Connection, OpenError> {
    let is_new = is_new(path, missing)?;
    if !is_new {
        look_at(path)?;
    }
    make_private(path)?;
    // Without SQLite's own locks: a connection is used by one thread at a time anyway.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    set_common(&conn)?;
    if is_new || is_blank(&conn)? {
        create(&mut conn, path)?;
    }
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 10_000)?;
    conn.pragma_update(None, "cache_size", -32_768)?;
    Ok(conn)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set_common(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// Opens a connection that copies a whole file, from it or into it.
pub(super) fn open_copier(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    Ok(conn)
}

/// Opens a connection that leaves the file as it is.
pub(super) fn open_untouched(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    Ok(conn)
}

/// What opens the connections of readers.
pub(super) fn readers(path: &Path, reads: Reads) -> SqliteConnectionManager {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    SqliteConnectionManager::file(path).with_flags(flags).with_init(move |conn| {
        set_common(conn)?;
        conn.pragma_update(None, "query_only", true)?;
        if reads == Reads::Points {
            // Mapped pages are looked at anew with every read, so the check of their cells would be
            // made with every read too; whoever writes them makes it.
            conn.pragma_update(None, "cell_size_check", false)?;
            conn.pragma_update(None, "mmap_size", 4_i64 << 30)?;
        }
        Ok(())
    })
}

fn set_common(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // Or else a statement with a `LIMIT $n` is compiled again each time it is given a value.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)
}

/// Whether the file is still to be filled. An empty one counts: a crash may have left it.
fn is_new(path: &Path, missing: Missing) -> Result<bool, OpenError> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(found.is_file() && found.len() == 0),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        Err(_) if missing == Missing::Refuse => {
            Err(OpenError::NotFound(path.display().to_string()))
        }
        Err(_) => {
            private().create(true).truncate(false).open(path)?;
            Ok(true)
        }
    }
}

/// Looks at the file without touching it: is it ours, whole, and no newer than we are?
pub(super) fn look_at(path: &Path) -> Result<(), OpenError> {
    let foreign = || OpenError::Foreign(path.display().to_string());
    if !path.try_exists()? {
        return Err(OpenError::NotFound(path.display().to_string()));
    }
    let mut header = [0; 100];
    File::open(path)?.read_exact(&mut header).map_err(|_| foreign())?;
    let field = |at: usize| i32::from_be_bytes([0, 1, 2, 3].map(|offset| header[at + offset]));
    if !header.starts_with(b"SQLite format 3\0") || field(68) != APPLICATION_ID {
        return Err(foreign());
    }
    check_version(path.display(), i64::from(field(60)))?;
    // The WAL may know better than the header. A connection that cannot write leaves both alone.
    let conn = open_untouched(path)?;
    match is_blank(&conn) {
        // One of us died while filling the file: whoever may write rolls that back.
        Err(error) if is_to_roll_back(&error) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => check_version(path.display(), user_version(&conn)?),
    }
}

/// Whether there is nothing in the file.
fn is_blank(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
}

fn is_to_roll_back(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
}

pub(super) fn check_version(place: impl fmt::Display, found: i64) -> Result<(), OpenError> {
    let known = VERSION;
    if found > known {
        let place = place.to_string();
        return Err(OpenError::Newer { place, found, known });
    }
    Ok(())
}

/// The version of the schema that a file has.
pub(super) fn user_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Fills an empty file, unless another process has just done so. Not yet in WAL mode, so that the
/// file itself says from its first byte on whose it is.
fn create(conn: &mut Connection, path: &Path) -> Result<(), OpenError> {
    conn.pragma_update(None, "synchronous", "FULL")?;
    let tx = conn.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    if is_blank(&tx)? {
        tx.execute_batch(SCHEMA)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        tx.commit()?;
        sync_folder(path)?;
    }
    Ok(())
}

/// Every table, index and trigger of this version, by name, as [`compared`] has it.
pub(super) fn guards() -> rusqlite::Result<HashMap<String, String>> {
    let conn = Connection::open_in_memory()?;
    conn.execute_batch(SCHEMA)?;
    let mut statement =
        conn.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    found.map(|row| row.map(|(name, sql)| (name, compared(&sql)))).collect()
}

/// The text of a CREATE statement without comments and white space, which is how far two of them
/// must agree: comments may be reworded, and an added column is written where SQLite puts it.
pub(super) fn compared(sql: &str) -> String {
    let mut kept = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if matches!(next, '\'' | '"') {
            let end = rest[1..].find(next).map_or(rest.len(), |end| end + 2);
            kept.push_str(&rest[..end]);
            rest = &rest[end..];
        } else {
            if !next.is_whitespace() {
                kept.push(next);
            }
            rest = &rest[next.len_utf8()..];
        }
    }
    kept
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Fails where a list would read a whole table or sort what it has read. It does not see that a
/// list of rare rows passes the others over along the primary key: such a list names an index.
#[cfg(test)]
pub(super) fn assert_walks_an_index_of_a_file(sql: &str) {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3));
    let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
    let is_scan = |step: &String| step.contains("SCAN") && !step.contains("SCAN (subquery");
    let is_bad = |step: &String| is_scan(step) || step.contains("TEMP B-TREE");
    assert!(!steps.iter().any(is_bad), "{steps:#?}\n{sql}");
}

#[cfg(test)]
mod tests {
    use r2d2::ManageConnection as _;
    use rusqlite::StatementStatus;

    use super::*;
    use crate::store::conn::Conn;

    #[test]
    fn the_bundled_sqlite_has_no_wal_reset_bug() {
        assert!(rusqlite::version_number() >= 3_053_000, "{}", rusqlite::version());
    }

    #[test]
    fn guards_are_compared_without_comments_and_white_space() {
        let one = "CREATE TABLE a (\n  b TEXT, -- what\n  CHECK (b <> ' -- ''x')\n) STRICT";
        let other = "CREATE TABLE a (b TEXT,CHECK (b<>' -- ''x')) STRICT";
        assert_eq!(compared(one), compared(other));
        for changed in [other.replace(" -- ", "--"), other.replace("TEXT", "BLOB")] {
            assert_ne!(compared(one), compared(&changed));
        }
    }

    #[test]
    fn statements_are_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let conn = open_writer(&folder.path().join("panel.db"), Missing::Create).unwrap();
        let sql = "SELECT user_id FROM webhooks INDEXED BY webhooks_due
            WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at, user_id LIMIT $2";
        let mut statement = conn.prepare(sql).unwrap();
        for due in 1..10 {
            assert!(!statement.exists([due, 5]).unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        let writer = open_writer(&path, Missing::Create).unwrap();
        let sql = "INSERT INTO settings (key, value) VALUES ('name', 'x')";
        let pooled = |reads| readers(&path, reads).connect();
        for reader in [open_reader(&path), pooled(Reads::Points), pooled(Reads::Pages)] {
            let reader = Conn::Lite(reader.unwrap());
            let refused = reader.run(sql).unwrap_err();
            assert!(refused.to_string().contains("readonly"), "{refused}");
        }
        assert_eq!(writer.execute(sql, []).unwrap(), 1);
    }
}
