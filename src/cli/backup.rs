//! `backup` and `restore`.

use std::path::{Path, PathBuf};

use super::Result;
use crate::store::backup;

#[derive(clap::Args)]
pub(super) struct BackupArgs {
    /// The file to write; it must not be there yet
    file: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct RestoreArgs {
    /// The backup to read
    file: PathBuf,
}

pub(super) fn back_up(db: &Path, args: BackupArgs) -> Result {
    let bytes = backup::create(db, &args.file)?;
    say!("{} is a sound copy of {} ({bytes} bytes)", args.file.display(), db.display())?;
    note_key(db)
}

pub(super) fn restore(db: &Path, args: RestoreArgs) -> Result {
    let kept = backup::restore(&args.file, db)?;
    say!("{} is now what {} holds", db.display(), args.file.display())?;
    if let Some(kept) = kept {
        say!("what was there before is in {}", kept.display())?;
    }
    note_key(db)
}

fn note_key(db: &Path) -> Result {
    let key = db.display();
    say!("{key}.key, where there is one, is not part of a backup: keep a copy of it elsewhere")
}
