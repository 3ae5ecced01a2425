//! What was reported: the last run of each profile whose end was published and told, in a small file of its own.
//!
//! A run counts as not reported from the transaction that stores it until it is marked here, after everything was said. One
//! that was interrupted in between is found by the next: told at least once. The mark is written beside the store because
//! it changes nothing that was learned; losing it says something twice, never nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::backup::hex;
use super::disk::{Disk, Step};
use super::edition::Edition;
use super::error::StoreError;
use super::files;
use super::keys;
use super::location::Location;
use super::view::View;
use crate::ingest::read_whole;

/// The folder in the store's directory.
pub(super) const FOLDER: &str = "reported";
/// More than this is not read.
const BYTES_MAX: u64 = 4 << 10;

/// The last run of a profile that was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReportedMark {
    /// The store, as text.
    store: String,
    /// The run; 0 for none.
    pub(super) run: u64,
    /// The commit that was published by then.
    generation: u64,
}

impl ReportedMark {
    pub(super) fn new(edition: &Edition, run: u64) -> Self {
        Self { store: hex(&edition.store_uuid), run, generation: edition.generation }
    }
}

/// Returns the mark of a profile in a store; `None` where there is none, or of another store.
pub(super) fn read_mark(dir: &Path, profile: &str, store_uuid: &[u8; 16]) -> Option<ReportedMark> {
    read(&path(dir, profile)).filter(|mark| mark.store == hex(store_uuid))
}

/// Notes that a run of a profile was published and told; what was stored since counts as not reported.
///
/// Errors: it could not be noted; it will be told again
pub fn report_done(location: impl Into<Location>, profile: &str, run: u64) -> Result<(), StoreError> {
    let location = location.into();
    keys::profile_key(profile)?;
    let edition = View::open_as_it_is(&location.dir)?.read()?.edition()?;
    write_mark(&location.disk(), &location.dir, profile, &ReportedMark::new(&edition, run))
}

/// Returns the last commit of a store that was published and reported; 0 where nothing says so.
pub(super) fn last_reported(dir: &Path, stored: &Edition) -> u64 {
    let entries = fs::read_dir(dir.join(FOLDER)).into_iter().flatten().flatten();
    let marks = entries.filter_map(|entry| read(&entry.path()));
    let own = marks.filter(|mark| mark.store == hex(&stored.store_uuid));
    own.map(|mark| mark.generation).max().unwrap_or(0)
}

/// Writes a mark, whole or not at all.
pub(super) fn write_mark(
    disk: &Disk,
    dir: &Path,
    profile: &str,
    mark: &ReportedMark,
) -> Result<(), StoreError> {
    let folder = dir.join(FOLDER);
    files::create_directory(disk, &folder)?;
    let path = path(dir, profile);
    let new = folder.join(format!(".{profile}.new"));
    let bytes = serde_json::to_vec(mark).map_err(|error| StoreError::io(&path, "encode", error))?;
    let mut file = files::create_fresh(disk, &new)?;
    disk.pass(&new, "write", Step::Write { offset: 0, bytes: &bytes })?;
    file.write_all(&bytes).map_err(|error| StoreError::io(&new, "write", error))?;
    files::settle_file(disk, &new, &file)?;
    files::rename(disk, &new, &path)
}

fn read(path: &Path) -> Option<ReportedMark> {
    let is_own = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    is_own.then(|| serde_json::from_slice(&read_whole(path, BYTES_MAX).ok()?).ok())?
}

fn path(dir: &Path, profile: &str) -> PathBuf {
    dir.join(FOLDER).join(format!("{profile}.json"))
}
