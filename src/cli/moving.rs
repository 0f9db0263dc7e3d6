//! `move`.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};

use data_encoding::HEXLOWER;

use super::{Failure, Files, Result};
use crate::app::AppError;
use crate::commands::nodes;
use crate::config::default_key_file;
use crate::delivery::epoch;
use crate::secret::Sealer;
use crate::store::moving::{self, Progress, Step};
use crate::store::place::Place;

const BAR_WIDTH: u64 = 24;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where the panel lives; nobody writes there meanwhile
    #[arg(long, value_name = "PLACE")]
    from: OsString,
    /// Where it is to live: a file that is not there yet, or an empty database
    #[arg(long, value_name = "PLACE")]
    to: OsString,
}

pub(super) fn run(files: &Files, args: &Args) -> Result {
    let from = Place::parse(&args.from, &files.access)?;
    let to = Place::parse(&args.to, &files.access)?;
    let key_id = key_id(files, &from)?;
    let is_terminal = std::io::stderr().is_terminal();
    let moved = moving::run(&from, &to, key_id, &mut |progress| match is_terminal {
        true => draw(progress),
        false => tell(progress),
    });
    if is_terminal {
        show("\r\x1b[K");
    }
    let moved = moved?;
    say!(
        "{to} is now what {from} holds: {} rows in {} tables, {} with resellers, sha256 {}",
        moved.rows,
        moved.tables,
        moved.held,
        HEXLOWER.encode(&moved.digest)
    )?;
    let [(key, epoch), (to_key, to_epoch)] = [beside(&from), beside(&to)];
    say!(
        "what lies beside it was not moved: where there is one, copy {key} to {to_key}, without \
         which no secret can be read, and {epoch} to {to_epoch}, without which what waits to be \
         sent is parked"
    )
}

/// Of the key file that was named, or lies beside the file that is moved, if there is one.
fn key_id(files: &Files, from: &Place) -> std::result::Result<Option<String>, Failure> {
    let beside = || from.file().map(default_key_file).filter(|path| path.exists());
    let Some(path) = files.named_key.clone().or_else(beside) else { return Ok(None) };
    let sealer = Sealer::open_existing(&path).map_err(|error| AppError::KeyFile(path, error))?;
    Ok(Some(nodes::key_id(&sealer)))
}

/// The key and the epoch file of a panel: a server's lie on each of its nodes.
fn beside(place: &Place) -> (String, String) {
    let shown = |path: &std::path::Path| path.display().to_string();
    match place.file() {
        Some(path) => (shown(&default_key_file(path)), shown(&epoch::path(path))),
        None => ("the nodes' KEY_FILE".to_owned(), "their KEY_FILE.epoch".to_owned()),
    }
}

/// One line, drawn anew each time.
fn draw(Progress { step, done, of }: Progress<'_>) {
    if of == 0 {
        return;
    }
    let done = done.min(of);
    let bar: String =
        (0..BAR_WIDTH).map(|at| if at * of < done * BAR_WIDTH { '#' } else { '-' }).collect();
    let percent = done * 100 / of;
    show(&format!("\r\x1b[K[{bar}] {percent:>3} %  {} {done} of {of}", name(step)));
}

/// A line for each step that has ended, but for tables that hold nothing.
fn tell(Progress { step, done, of }: Progress<'_>) {
    if done == of && of > 0 {
        show(&format!("{}: {of}\n", name(step)));
    }
}

fn name(step: Step<'_>) -> String {
    match step {
        Step::Copy(table) => format!("copy {table}"),
        Step::Guard => "indexes and guards".to_owned(),
        Step::Check => "check".to_owned(),
        Step::Compare(table) => format!("compare {table}"),
    }
}

/// Nobody has to read it.
fn show(text: &str) {
    let mut output = std::io::stderr().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
