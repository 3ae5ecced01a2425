//! What this program knows about the bot's file: which content a profile imported and exported last, by its hash.
//!
//! It stands beside the database, a small file per profile, because an export must not wait for a run that holds the
//! database. Without it nothing is lost: an export asks before it writes over a file that it does not know.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{Disk, Step};
use super::error::StoreError;
use super::{Location, beside, files, is_profile};
use crate::ingest::open_regular;

/// Marks that are kept of a profile; the oldest go first.
pub const MARKS_MAX: usize = 16;
/// Most bytes of the file.
const BYTES_MAX: u64 = 256 << 10;

/// How a profile came to know a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileOrigin {
    /// It was taken over; the last time counts.
    Import,
    /// It was written; the last time counts for each file.
    Export,
}

/// A content that may be written over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How it came to be known.
    pub origin: FileOrigin,
    /// The file, as it was named.
    pub file: String,
    /// blake3 hashes of its bytes. There are two while a file is written: the old content or the new one is there.
    pub hashes: Vec<String>,
    /// When; UTC milliseconds.
    pub at_ms: i64,
}

impl Mark {
    /// Returns the mark of a content.
    pub fn new(origin: FileOrigin, file: &str, hash: &str, at_ms: i64) -> Self {
        Self { origin, file: file.to_owned(), hashes: vec![hash.to_owned()], at_ms }
    }

    /// Returns whether the other says the same of another time.
    fn is_replaced_by(&self, other: &Self) -> bool {
        self.origin == other.origin && (self.origin == FileOrigin::Import || self.file == other.file)
    }
}

/// Returns what a profile knows; nothing where the file is not there or damaged.
pub fn read_marks(dir: &Path, profile: &str) -> Vec<Mark> {
    let path = path_of(dir, profile);
    let mut bytes = Vec::new();
    let read = open_regular(&path).and_then(|file| file.take(BYTES_MAX).read_to_end(&mut bytes));
    if read.is_err() {
        return Vec::new();
    }
    serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        tracing::warn!(%error, path = %path.display(), "what was exported is not known any more");
        Vec::new()
    })
}

/// Returns whether a profile imported a content or exported it last.
pub fn is_known(dir: &Path, profile: &str, hash: &str) -> bool {
    read_marks(dir, profile).iter().any(|mark| mark.hashes.iter().any(|known| known == hash))
}

/// Remembers a content in place of what was known of the same origin and file.
///
/// Errors: the disk; what was known is still known then
pub fn remember(location: &Location, profile: &str, mark: Mark) -> Result<(), StoreError> {
    let mut known = read_marks(&location.dir, profile);
    known.retain(|old| !old.is_replaced_by(&mark));
    known.push(mark);
    let excess = known.len().saturating_sub(MARKS_MAX);
    known.drain(..excess);
    let bytes = serde_json::to_vec(&known).expect("text and numbers only");
    write(&location.disk(), &path_of(&location.dir, profile), &bytes)
}

fn path_of(dir: &Path, profile: &str) -> PathBuf {
    debug_assert!(is_profile(profile), "the name of a profile is the name of a file");
    dir.join(format!("bot-file-{profile}.json"))
}

fn write(disk: &Disk, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    beside::remove_leftovers(path);
    let new = beside::path_of(path);
    let mut file = files::create_fresh(disk, &new)?;
    let written =
        beside::is_held(&file).map_err(|error| StoreError::io(&new, "lock", error)).and_then(|_| {
            disk.pass(&new, "write", Step::Write { offset: 0, bytes })?;
            file.write_all(bytes).map_err(|error| StoreError::io(&new, "write", error))?;
            files::settle_file(disk, &new, &file)?;
            files::rename(disk, &new, path)
        });
    written.inspect_err(|_| {
        // Only what this process made.
        let _ = std::fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_import_and_the_last_export_of_each_file_are_known() {
        let dir = tempfile::tempdir().expect("a folder");
        let location = Location::new(dir.path());
        let remember = |origin, file: &str, hash: &str| {
            remember(&location, "default", Mark::new(origin, file, hash, 1)).expect("written");
        };
        let known = |hash| is_known(dir.path(), "default", hash);
        assert!(!known("a"));
        remember(FileOrigin::Import, "x", "a");
        remember(FileOrigin::Import, "y", "b");
        assert_eq!(["a", "b"].map(known), [false, true], "the last import");
        remember(FileOrigin::Export, "x", "c");
        remember(FileOrigin::Export, "y", "d");
        remember(FileOrigin::Export, "x", "e");
        assert_eq!(["b", "c", "d", "e"].map(known), [true, false, true, true]);
        assert!(!is_known(dir.path(), "other", "e"), "another bot's");
        (0..40).for_each(|n| remember(FileOrigin::Export, &n.to_string(), &n.to_string()));
        assert_eq!(read_marks(dir.path(), "default").len(), MARKS_MAX);
        std::fs::write(dir.path().join("bot-file-default.json"), "[{").expect("written");
        assert!(!known("39"), "damaged: nothing is known");
        let left = std::fs::read_dir(dir.path()).expect("a folder").count();
        assert_eq!(left, 1, "nothing is left beside it");
    }
}
