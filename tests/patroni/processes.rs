//! Processes by their numbers, as Linux shows them: who came from whom, and who is alive.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Sends all of them a signal at once. Some may be dead already.
pub(crate) fn send(signal: &str, processes: &[u32]) {
    if !processes.is_empty() {
        let numbers = processes.iter().map(ToString::to_string);
        let _ = Command::new("kill").arg(signal).args(numbers).stderr(Stdio::null()).status();
    }
}

/// Whether it does anything yet. One that is dead may be listed until somebody asks after it.
pub(crate) fn is_alive(process: u32) -> bool {
    state(process).is_some_and(|(state, _)| !["Z", "X"].contains(&state.as_str()))
}

pub(crate) fn children_of(parent: u32) -> Vec<u32> {
    let is_child = |process: &u32| state(*process).is_some_and(|(_, from)| from == parent);
    all().filter(is_child).collect()
}

/// Those whose command names something in that folder.
pub(crate) fn named_by(folder: &Path) -> Vec<u32> {
    let folder = folder.to_str().unwrap();
    let is_named = |process: &u32| {
        let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(folder)
    };
    all().filter(is_named).collect()
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// What it does, as a letter, and the process it came from.
fn state(process: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before may hold anything, brackets too.
    let mut words = text.rsplit_once(')')?.1.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}
