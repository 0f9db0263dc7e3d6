//! `<key file>.lives`: the processes that this machine has run as nodes of a panel on a server.
//!
//! A node that is silent may be cut off and still hear its provider answer, so what it was sending
//! is left alone for minutes. A process of this machine that is no more is surely gone: a panel
//! that is started again after a crash need not wait.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A process, told from every other that ever was: by the machine's start, the space of its number,
/// the number and the instant of its own start.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Life {
    machine: String,
    number: String,
    node: i64,
}

impl Life {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let [machine, number, node] = [words.next()?, words.next()?, words.next()?];
        let (machine, number) = (machine.to_owned(), number.to_owned());
        Some(Self { machine, number, node: node.parse().ok()? })
    }

    /// Whether the process is one of this machine's, and no more.
    fn is_over(&self, machine: &str) -> bool {
        self.machine == machine && number_now(&self.number) != Some(self.number.clone())
    }
}

/// Where the lives of a key file are told.
pub(super) fn path(key_file: &Path) -> PathBuf {
    let mut name = key_file.as_os_str().to_owned();
    name.push(".lives");
    PathBuf::from(name)
}

/// The nodes of this machine that are surely gone.
pub(super) fn gone(path: &Path) -> Vec<i64> {
    let Some(machine) = machine() else { return Vec::new() };
    let lives = read(path).into_iter();
    lives.filter(|life| life.is_over(&machine)).map(|life| life.node).collect()
}

/// Tells of a node that begins in this process, and no longer of those that are gone.
///
/// # Errors
/// Where the file cannot be written.
pub(super) fn remember(path: &Path, node: i64) -> io::Result<()> {
    let Some(machine) = machine() else { return Ok(()) };
    let Some(number) = number_now(&std::process::id().to_string()) else { return Ok(()) };
    let mut lives = read(path);
    lives.retain(|life| life.machine == machine && !life.is_over(&machine));
    lives.push(Life { machine, number, node });
    let mut file = fs::File::create(path)?;
    for life in lives {
        writeln!(file, "{} {} {}", life.machine, life.number, life.node)?;
    }
    Ok(())
}

fn read(path: &Path) -> Vec<Life> {
    fs::read_to_string(path).unwrap_or_default().lines().filter_map(Life::parse).collect()
}

/// This start of the machine, and the space that its processes are numbered in.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), space.display()))
}

/// The process that has that number now, with the instant of its start.
fn number_now(number: &str) -> Option<String> {
    let pid = number.split('/').next()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of a process may hold anything, and ends with the last parenthesis.
    let start = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?;
    Some(format!("{pid}/{start}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_no_more_is_gone_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(&folder.path().join("key"));
        assert!(gone(&path).is_empty());
        remember(&path, 1).unwrap();
        let machine = machine().unwrap();
        let mut text = fs::read_to_string(&path).unwrap();
        text += &format!("{machine} {}/1 2\n", std::process::id()); // another with our number
        text += &format!("{machine} 4194999/5 3\n{machine}x 4194999/5 4\nnonsense\n");
        fs::write(&path, text).unwrap();
        assert_eq!(gone(&path), [2, 3]);
        remember(&path, -5).unwrap();
        assert!(gone(&path).is_empty());
        assert_eq!(read(&path).iter().map(|life| life.node).collect::<Vec<_>>(), [1, -5]);
    }
}
