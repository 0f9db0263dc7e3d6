//! Backups: a whole panel in one file, taken while it is in use, and put back.
//!
//! What arrives under its final name has been copied from one moment, checked like the panel
//! itself, and synced. Nothing here overwrites what it was not told to: a backup never replaces a
//! file, and a restore keeps what was there. The key that seals providers' keys is not in it.

use std::io;
use std::path::{Path, PathBuf};

use super::check::{self, Finding};
use super::copies::{CopyError, Part, copy, copy_over, refuse_existing};
use super::migrations::VERSION;
use super::schema::{self, OpenError, beside};
use super::{Error, Missing, upgrade};

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file could not be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The file to copy could not be opened, or is no panel's.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What was copied does not add up.
    #[error("the copy is not sound and was not kept:\n{}", check::lines(.0))]
    Unsound(Vec<Finding>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

type Result<T> = std::result::Result<T, BackupError>;

impl BackupError {
    /// Whether the storage failed (exit 74), and this is no refusal (exit 1).
    pub fn is_storage(&self) -> bool {
        match self {
            Self::Copy(error) => error.is_storage(),
            Self::Open(error) => error.is_storage(),
            Self::Store(error) => error.is_storage(),
            Self::Unsound(_) => false,
        }
    }
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Copies a panel, in use or not, to a file that is not there yet. Returns the copy's size. A panel
/// of an older schema is copied as it is.
///
/// # Errors
/// Keeps nothing of a copy that failed or is not sound.
pub fn create(db: &Path, target: &Path) -> Result<u64> {
    refuse_existing(target)?;
    schema::look_at(db)?;
    let part = Part::new(target)?;
    let name = part.path.to_str().ok_or_else(|| {
        CopyError::File(target.to_owned(), io::Error::other("the name is not UTF-8"))
    })?;
    schema::open_copier(db)?.execute("VACUUM INTO $1", [name])?;
    let findings = upgrade::check_upgraded(&part.path)?;
    if !findings.is_empty() {
        return Err(BackupError::Unsound(findings));
    }
    Ok(part.keep_as(target)?)
}

/// Whether a file is a panel's of this version.
pub fn is_current(db: &Path) -> bool {
    let version = schema::open_untouched(db).and_then(|conn| schema::user_version(&conn));
    version.is_ok_and(|version| version == VERSION)
}

/// Puts a backup in a panel's place, unless a server runs there. Returns where the content that
/// was there before is kept, if there was any.
///
/// # Errors
/// Refuses, before anything is changed, what is not a sound panel of this version or an older one.
pub fn restore(backup: &Path, db: &Path) -> Result<Option<PathBuf>> {
    let _lock = schema::lock(db)?;
    // The copy is brought up to date and checked; the backup itself stays as it is.
    let part = Part::new(&beside(db, ".restore"))?;
    schema::look_at(backup)?;
    copy(&schema::open_untouched(backup)?, &part.path)?;
    upgrade::run_on_copy(&part.path)?;
    let findings = check::check_file(&part.path)?;
    if !findings.is_empty() {
        return Err(BackupError::Unsound(findings));
    }

    let kept = keep_before(db)?;
    let source = schema::open_copier(&part.path)?;
    let mut target = schema::open_writer(db, Missing::Create)?;
    copy_over(&source, &mut target)?;
    target.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    drop((source, target));
    Ok(kept)
}

/// Copies what a panel's file holds now to `<db>.before-restore`. An earlier copy gets a number.
fn keep_before(db: &Path) -> Result<Option<PathBuf>> {
    if !std::fs::metadata(db).is_ok_and(|found| found.len() > 0) {
        return Ok(None);
    }
    let kept = beside(db, ".before-restore");
    let part = Part::new(&kept)?;
    copy(&schema::open_writer(db, Missing::Refuse)?, &part.path)?;
    part.keep_beside_earlier(&kept)?;
    Ok(Some(kept))
}
