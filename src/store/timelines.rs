//! Which life of the file this is.

use super::value::params;
use super::{Read, Result, Tx};

/// The life of a file: a new one begins where an older file was found in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Random; `<db>.epoch` names the same.
    pub word: String,
    /// Whether what waits is still being parked.
    pub is_parking: bool,
}

/// The file's timeline; `None` before the first start of delivery.
pub fn find(db: &Read<'_>) -> Result<Option<Timeline>> {
    db.find("SELECT word, is_parking FROM timelines WHERE id = 1", [], |row| {
        Ok(Timeline { word: row.get(0)?, is_parking: row.get(1)? })
    })
}

/// Writes the timeline.
pub fn update(tx: &Tx<'_>, timeline: &Timeline) -> Result<()> {
    tx.execute(
        "INSERT INTO timelines (id, word, is_parking) VALUES (1, $1, $2)
         ON CONFLICT (id) DO UPDATE SET word = excluded.word, is_parking = excluded.is_parking",
        params![timeline.word, timeline.is_parking],
    )?;
    Ok(())
}
