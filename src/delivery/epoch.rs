//! `<db>.epoch`: one line that names the file's timeline and the largest submission that may have
//! left, synced before the first byte of it does. An older file in the panel's place is noticed by
//! it at the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::{SubmissionId, Timestamp};

/// Between two tries to make a file anew that could not be synced.
pub(super) const RETRY_SECONDS: i64 = 10;

/// What an epoch file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub timeline: String,
    /// No larger submission has left.
    pub submission: SubmissionId,
}

impl Mark {
    /// As one line of fixed width for a timeline.
    fn line(&self) -> String {
        format!("{} {:019}\n", self.timeline, self.submission.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let (timeline, number) = text.strip_suffix('\n')?.split_once(' ')?;
        let is_number = number.len() == 19 && number.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = !timeline.is_empty() && timeline.bytes().all(|it| it.is_ascii_alphanumeric());
        if !is_number || !is_word {
            return None;
        }
        let submission = SubmissionId(number.parse().ok()?);
        Some(Self { timeline: timeline.to_owned(), submission })
    }
}

/// Where the file of a panel lies.
pub fn path(db: &Path) -> PathBuf {
    let mut name = db.as_os_str().to_owned();
    name.push(".epoch");
    PathBuf::from(name)
}

/// What the file says; `None` where there is none, or one that is torn.
///
/// # Errors
/// Where it cannot be read.
pub fn read(path: &Path) -> io::Result<Option<Mark>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Mark::parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

/// The epoch file of a panel that sends.
pub struct Epoch {
    path: PathBuf,
    timeline: String,
    /// The largest submission that somebody wants to send.
    wanted: AtomicI64,
    state: Mutex<State>,
}

struct State {
    /// `None` where the last write failed: what a sync has failed for can prove nothing any more,
    /// so the file is made anew.
    file: Option<File>,
    /// The largest submission that is on disk.
    synced: i64,
    retry_at: Timestamp,
}

impl Epoch {
    /// Makes the file say that much, whole and on disk.
    ///
    /// # Errors
    /// Where that cannot be done: nothing may be sent.
    pub fn create(path: PathBuf, mark: Mark) -> io::Result<Self> {
        let file = make(&path, &mark)?;
        let number = mark.submission.0;
        let state = State { file: Some(file), synced: number, retry_at: Timestamp(0) };
        let wanted = AtomicI64::new(number);
        Ok(Self { path, timeline: mark.timeline, wanted, state: Mutex::new(state) })
    }

    /// Returns when the file says that this submission may have left. Who waits behind another
    /// mostly finds it done.
    ///
    /// # Errors
    /// Where it cannot be synced: then not a byte may leave. The next tries come ten seconds apart.
    pub fn raise(&self, submission: SubmissionId, now: Timestamp) -> io::Result<()> {
        self.wanted.fetch_max(submission.0, Ordering::AcqRel);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.file.is_some() && state.synced >= submission.0 {
            return Ok(());
        }
        let submission = SubmissionId(self.wanted.load(Ordering::Acquire));
        let mark = Mark { timeline: self.timeline.clone(), submission };
        let written = match &state.file {
            Some(file) => overwrite(file, &mark),
            None if now < state.retry_at => Err(io::Error::other("the epoch file is not written")),
            None => make(&self.path, &mark).map(|file| state.file = Some(file)),
        };
        match written {
            Ok(()) => state.synced = submission.0,
            Err(_) => {
                state.file = None;
                if state.retry_at <= now {
                    state.retry_at = Timestamp(now.0 + RETRY_SECONDS);
                }
            }
        }
        written
    }
}

fn overwrite(file: &File, mark: &Mark) -> io::Result<()> {
    file.write_all_at(mark.line().as_bytes(), 0)?;
    file.sync_data()
}

/// Writes a new file beside the old one and puts it in its place.
fn make(path: &Path, mark: &Mark) -> io::Result<File> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&part)?;
    file.write_all(mark.line().as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_and_a_torn_one_is_none() {
        let mark = Mark { timeline: "abc".to_owned(), submission: SubmissionId(812) };
        assert_eq!(Mark::parse(&mark.line()), Some(mark.clone()));
        let line = mark.line();
        for torn in ["", "abc", &line[..line.len() - 1], "abc 12\n", "a b 0000000000000000001\n"] {
            assert_eq!(Mark::parse(torn), None, "{torn:?}");
        }
    }

    #[test]
    fn the_file_says_the_largest_number_that_may_have_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(&folder.path().join("panel.db"));
        assert_eq!(read(&path).unwrap(), None);
        let mark = Mark { timeline: "abc".to_owned(), submission: SubmissionId(7) };
        let epoch = Epoch::create(path.clone(), mark).unwrap();
        epoch.raise(SubmissionId(9), Timestamp(0)).unwrap();
        epoch.raise(SubmissionId(8), Timestamp(0)).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().submission, SubmissionId(9));
    }
}
