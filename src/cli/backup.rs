//! `backup` and `restore`.

use std::path::{Path, PathBuf};

use super::{Result, open_existing};
use crate::commands::alerts::RecordBackup;
use crate::delivery::epoch;
use crate::domain::Actor;
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
    note_time(db);
    note_key(db)
}

/// Remembers in the panel that it was backed up just now. What was copied is copied, also where
/// that cannot be written down; a file of an older schema stays as it is.
fn note_time(db: &Path) {
    if !backup::is_current(db) {
        return;
    }
    let noted = open_existing(&db.into())
        .and_then(|store| Ok(store.write_blocking(RecordBackup { actor: Actor::CommandLine })?));
    if let Err(failure) = noted {
        eprintln!("panelite: the time of the backup could not be written down: {failure}");
    }
}

pub(super) fn restore(db: &Path, args: RestoreArgs) -> Result {
    let kept = backup::restore(&args.file, db)?;
    say!("{} is now what {} holds", db.display(), args.file.display())?;
    if let Some(kept) = kept {
        say!("what was there before is in {}", kept.display())?;
    }
    if epoch::path(db).exists() {
        say!(
            "orders that waited to be sent to a provider are parked until you have looked at them"
        )?;
    }
    note_key(db)
}

fn note_key(db: &Path) -> Result {
    let key = db.display();
    say!("{key}.key, where there is one, is not part of a backup: keep a copy of it elsewhere")
}
