//! Copies of a whole file, written beside where they belong and named only once they are whole.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::Error;
use super::schema::{self, OpenError, beside};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target is there already.
    #[error("{} exists; it was left as it is", .0.display())]
    Exists(PathBuf),
    /// Another copy with the same target is being made.
    #[error("{} is being written by another panelite", .0.display())]
    InProgress(PathBuf),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// A file could not be read or written.
    #[error("{}: {}", .0.display(), .1)]
    File(PathBuf, io::Error),
}

type Result<T> = std::result::Result<T, CopyError>;

impl CopyError {
    /// Whether the storage failed (exit 74), and this is no refusal (exit 1).
    pub fn is_storage(&self) -> bool {
        match self {
            Self::Exists(_) | Self::InProgress(_) => false,
            Self::Store(error) => error.is_storage(),
            Self::File(..) => true,
        }
    }
}

impl From<CopyError> for OpenError {
    fn from(error: CopyError) -> Self {
        Self::NotCopied { reason: error.to_string(), is_storage: error.is_storage() }
    }
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Copies a database page by page into an empty file, whatever is in it.
pub(super) fn copy(source: &Connection, target: &Path) -> Result<()> {
    copy_over(source, &mut schema::open_copier(target)?)
}

/// Puts what a database holds in the place of what another one does.
pub(super) fn copy_over(source: &Connection, target: &mut Connection) -> Result<()> {
    // In one step, and so from one moment and in one transaction.
    let step = Backup::new(source, target)?.step(-1)?;
    if step == StepResult::Done { Ok(()) } else { Err(Error::Busy.into()) }
}

/// Refuses to write where something is already.
pub(super) fn refuse_existing(target: &Path) -> Result<()> {
    match std::fs::symlink_metadata(target) {
        Ok(_) => Err(CopyError::Exists(target.to_owned())),
        Err(_) => Ok(()),
    }
}

const SIDE_FILES: &[&str] = &["-wal", "-shm", "-journal"];

/// A file being written beside its target, readable by us alone. It goes away unless it is kept.
pub(super) struct Part {
    pub(super) path: PathBuf,
    file: File,
    is_kept: bool,
}

impl Part {
    /// Starts with an empty file, also where a crash has left one.
    pub(super) fn new(target: &Path) -> Result<Self> {
        let path = beside(target, ".part");
        let failed = |error| CopyError::File(path.clone(), error);
        let file = schema::private().create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CopyError::InProgress(path)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Whoever held the lock until now may have given the file its final name.
        let is_ours = std::fs::metadata(&path).map(|named| named.ino()).ok()
            == Some(file.metadata().map_err(failed)?.ino());
        if !is_ours {
            return Err(CopyError::InProgress(path));
        }
        let part = Self { path, file, is_kept: false };
        part.remove(SIDE_FILES);
        part.file.set_len(0).map_err(|error| CopyError::File(part.path.clone(), error))?;
        Ok(part)
    }

    /// Makes the file durable, then gives it its name. Returns its size.
    pub(super) fn keep_as(mut self, target: &Path) -> Result<u64> {
        let failed = |error| CopyError::File(target.to_owned(), error);
        self.file.sync_all().map_err(failed)?;
        refuse_existing(target)?;
        self.remove(SIDE_FILES);
        std::fs::rename(&self.path, target).map_err(failed)?;
        self.is_kept = true;
        schema::sync_folder(target).map_err(failed)?;
        Ok(self.file.metadata().map_err(failed)?.len())
    }

    /// The same, where an earlier file may have the name: that one gets a number behind it, unless
    /// it is the same to the byte and so can stand for this one.
    pub(super) fn keep_beside_earlier(self, target: &Path) -> Result<()> {
        if target.exists() {
            if is_same(&self.path, target)
                .map_err(|error| CopyError::File(target.to_owned(), error))?
            {
                return Ok(());
            }
            let numbered = |number: u32| beside(target, &format!(".{number}"));
            let free = (1..).map(numbered).find(|path| !path.exists());
            let free = free.unwrap_or_else(|| numbered(0));
            std::fs::rename(target, &free).map_err(|error| CopyError::File(free, error))?;
        }
        self.keep_as(target).map(|_| ())
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
            self.remove(SIDE_FILES);
            self.remove(&[""]);
        }
    }
}

/// Whether two files hold the same bytes.
fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    const CHUNK: usize = 64 * 1024;
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}
