//! Bringing an older file up to today's schema: under the file's lock, after a copy of
//! it was kept and another copy was upgraded and found sound, in one transaction. So whatever
//! happens in between, the file is the old one or the new one, whole.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::conn::Conn;
use super::copies::{Part, copy};
use super::migrations::{self, MIGRATIONS, VERSION};
use super::schema::{self, OpenError, beside};
use super::{Missing, Result, check};
use crate::config::fail_at;

/// Opens the connection that writes: to a new file, to one of today's schema, or to an older one
/// that is upgraded before, under the lock that the caller holds or else can be taken.
///
/// # Errors
/// `Older` where the file would have to be upgraded and somebody else has it.
pub(super) fn open_writer(
    path: &Path,
    missing: Missing,
    lock: Option<&File>,
) -> std::result::Result<Conn, OpenError> {
    let lite = schema::open_writer(path, missing)?;
    let found = schema::user_version(&lite)?;
    let conn = Conn::Lite(lite);
    if found == VERSION {
        return Ok(conn);
    }
    let taken;
    let lock = match lock {
        Some(held) => held,
        None => {
            taken = schema::lock(path).map_err(|error| match error.is_locked() {
                true => OpenError::Older { path: path.to_owned(), found, known: VERSION },
                false => error,
            })?;
            &taken
        }
    };
    upgrade(path, &conn, lock)?;
    Ok(conn)
}

/// Upgrades a file, whose lock is held all the while.
fn upgrade(path: &Path, conn: &Conn, _lock: &File) -> std::result::Result<(), OpenError> {
    // From here on nobody writes, so the copy is what the steps will find.
    conn.run("BEGIN IMMEDIATE")?;
    let done = keep_and_run(path, conn);
    if done.is_err() || matches!(done, Ok(None)) {
        // Nothing was changed, and what went wrong is worth more than that this did too.
        let _ = conn.run("ROLLBACK");
    }
    if let Some((found, kept)) = done? {
        fail_at("upgraded");
        tracing::warn!(
            from = found,
            to = VERSION,
            "the schema of {} was upgraded; to go back, stop the panel, take away {0}-wal and \
             {0}-shm, put {} in the place of {0}, and start the older version",
            path.display(),
            kept.display()
        );
    }
    Ok(())
}

/// Keeps a copy of the file and runs the steps it lacks. Says from which version, and where the
/// copy is; `None` where another process has been quicker.
fn keep_and_run(
    path: &Path,
    conn: &Conn,
) -> std::result::Result<Option<(i64, PathBuf)>, OpenError> {
    let source = schema::open_untouched(path)?;
    let found = schema::user_version(&source)?;
    schema::check_version(path.display(), found)?;
    if found == VERSION {
        return Ok(None);
    }
    let kept = keep_before(path, &source)?;
    fail_at("upgrade-kept");
    migrations::run(conn, found, MIGRATIONS)?;
    fail_at("upgrade");
    conn.run("COMMIT")?;
    Ok(Some((found, kept)))
}

/// Copies the file to `<db>.before-v<N>`, where N is what it becomes, if that copy can be upgraded
/// to something sound.
fn keep_before(path: &Path, source: &Connection) -> std::result::Result<PathBuf, OpenError> {
    let kept = beside(path, &format!(".before-v{VERSION}"));
    let part = Part::new(&kept)?;
    copy(source, &part.path)?;
    let findings = check_upgraded(&part.path)?;
    if !findings.is_empty() {
        return Err(OpenError::Unsound(path.to_owned(), check::lines(&findings)));
    }
    part.keep_beside_earlier(&kept)?;
    Ok(kept)
}

/// What is wrong with a file that nobody has open. One of an older schema is judged by a copy that
/// is upgraded, since only today's schema can be judged.
pub(super) fn check_upgraded(path: &Path) -> std::result::Result<Vec<check::Finding>, OpenError> {
    let source = schema::open_untouched(path)?;
    if schema::user_version(&source)? == VERSION {
        drop(source);
        return Ok(check::check_file(path)?);
    }
    let copied = Part::new(&beside(path, ".upgraded"))?;
    copy(&source, &copied.path)?;
    run_on_copy(&copied.path)?;
    Ok(check::check_file(&copied.path)?)
}

/// Runs the steps that a copy lacks, which nobody else has open.
pub(super) fn run_on_copy(path: &Path) -> Result<()> {
    let lite = schema::open_copier(path)?;
    let found = schema::user_version(&lite)?;
    let conn = Conn::Lite(lite);
    conn.run("BEGIN IMMEDIATE")?;
    migrations::run(&conn, found, MIGRATIONS)?;
    conn.run("COMMIT")
}
