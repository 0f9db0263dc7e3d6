//! Backups: a whole panel in one file, taken while it is in use, and put back.
//!
//! What arrives under its final name has been copied from one moment, checked like the panel
//! itself, and synced. Nothing here overwrites what it was not told to: a backup never replaces a
//! file, and a restore keeps what was there. The key that seals providers' keys is not in it.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::check::Finding;
use super::schema::{self, OpenError, beside};
use super::{Error, Missing, check_file};

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target is there already.
    #[error("{} exists; it was left as it is", .0.display())]
    Exists(PathBuf),
    /// Another backup to the same target is being made.
    #[error("{} is being written by another panelite", .0.display())]
    InProgress(PathBuf),
    /// The file to copy could not be opened, or is no panel's.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What was copied does not add up.
    #[error("the copy is not sound and was not kept:\n{}", lines(.0))]
    Unsound(Vec<Finding>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// A file could not be written.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("  {finding}\n")).collect()
}

type Result<T> = std::result::Result<T, BackupError>;

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Copies a panel, in use or not, to a file that is not there yet. Returns the copy's size.
///
/// # Errors
/// Keeps nothing of a copy that failed or is not sound.
pub fn create(db: &Path, target: &Path) -> Result<u64> {
    refuse_existing(target)?;
    schema::look_at(db)?;
    let part = Part::new(target)?;
    let name = part.path.to_str().ok_or_else(|| {
        BackupError::File(target.to_owned(), io::Error::other("the name is not UTF-8"))
    })?;
    schema::open_copier(db)?.execute("VACUUM INTO $1", [name])?;
    let findings = check_file(&part.path)?;
    if !findings.is_empty() {
        return Err(BackupError::Unsound(findings));
    }
    part.keep_as(target)
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
    let source = schema::open_writer(&part.path, Missing::Refuse)?;
    let findings = check_file(&part.path)?;
    if !findings.is_empty() {
        return Err(BackupError::Unsound(findings));
    }

    let kept = keep_before(db)?;
    let mut target = schema::open_writer(db, Missing::Create)?;
    copy_all(&source, &mut target)?;
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
    if kept.exists() {
        let numbered = |number: u32| beside(db, &format!(".before-restore.{number}"));
        let free = (1..).map(numbered).find(|path| !path.exists());
        let free = free.unwrap_or_else(|| numbered(0));
        std::fs::rename(&kept, &free).map_err(|error| BackupError::File(free, error))?;
    }
    part.keep_as(&kept)?;
    Ok(Some(kept))
}

/// Copies a database page by page into an empty file, whatever is in it.
fn copy(source: &Connection, target: &Path) -> Result<()> {
    copy_all(source, &mut schema::open_copier(target)?)
}

fn copy_all(source: &Connection, target: &mut Connection) -> Result<()> {
    // In one step, and so from one moment and in one transaction.
    let step = Backup::new(source, target)?.step(-1)?;
    if step == StepResult::Done { Ok(()) } else { Err(Error::Busy.into()) }
}

fn refuse_existing(target: &Path) -> Result<()> {
    match std::fs::symlink_metadata(target) {
        Ok(_) => Err(BackupError::Exists(target.to_owned())),
        Err(_) => Ok(()),
    }
}

/// A file being written beside its target, for our eyes only. It goes away unless it is kept.
struct Part {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl Part {
    /// Starts with an empty file, also where a crash has left one.
    fn new(target: &Path) -> Result<Self> {
        let path = beside(target, ".part");
        let failed = |error| BackupError::File(path.clone(), error);
        let file = schema::private().create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::InProgress(path)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Whoever held the lock until now may have given the file its final name.
        let is_ours = std::fs::metadata(&path).map(|named| named.ino()).ok()
            == Some(file.metadata().map_err(failed)?.ino());
        if !is_ours {
            return Err(BackupError::InProgress(path));
        }
        let part = Self { path, file, is_kept: false };
        part.remove(&["-wal", "-shm", "-journal"]);
        part.file.set_len(0).map_err(|error| BackupError::File(part.path.clone(), error))?;
        Ok(part)
    }

    /// Makes the file durable, then gives it its name. Returns its size.
    fn keep_as(mut self, target: &Path) -> Result<u64> {
        let failed = |error| BackupError::File(target.to_owned(), error);
        self.file.sync_all().map_err(failed)?;
        refuse_existing(target)?;
        std::fs::rename(&self.path, target).map_err(failed)?;
        self.is_kept = true;
        schema::sync_folder(target).map_err(failed)?;
        Ok(self.file.metadata().map_err(failed)?.len())
    }

    fn remove(&self, suffixes: &[&str]) {
        for suffix in suffixes {
            let _ = std::fs::remove_file(beside(&self.path, suffix));
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_kept {
            self.remove(&["-wal", "-shm", "-journal", ""]);
        }
    }
}
