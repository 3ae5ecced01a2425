//! The only module that opens database files and begins write transactions.
//!
//! Every transaction asks for quick repair, which implies a two-phase commit: the default one-phase commit
//! destroys the file when a failed sync is followed by business as usual. The
//! authoritative file is never compacted in place.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::{Database, ReadOnlyDatabase, WriteTransaction};

use super::error::StoreError;
use super::files;

/// Cache of the authoritative store; the engine's own default is 1 GiB.
pub const STATE_CACHE_BYTES: usize = 4 << 20;
/// Cache of the published copy.
pub const VIEW_CACHE_BYTES: usize = 1 << 20;

/// Opens the authoritative store and proves it whole. It is never created here, and never repaired by force.
pub(super) fn open_state(path: &Path) -> Result<Database, StoreError> {
    let file = files::open_private(path, false)?;
    let length = file.metadata().map_err(|error| StoreError::io(path, "look at", error))?.len();
    if length == 0 {
        return Err(damaged(path, "the file is empty"));
    }
    files::settle(path, &file)?;
    guarded(path, || {
        let mut db = begin_file(path, file, STATE_CACHE_BYTES)?;
        match db.check_integrity() {
            Ok(true) => Ok(db),
            Ok(false) => Err(damaged(path, "the integrity check failed")),
            Err(error) => Err(StoreError::engine(path, "check", error)),
        }
    })
}

/// Makes a database in an empty file, or opens the one in it.
pub(super) fn begin_file(path: &Path, file: File, cache_bytes: usize) -> Result<Database, StoreError> {
    let opened = Database::builder().set_cache_size(cache_bytes).create_file(file);
    opened.map_err(|error| StoreError::engine(path, "open", error))
}

/// Opens a published copy for reading.
pub(super) fn open_read_only(path: &Path) -> Result<ReadOnlyDatabase, StoreError> {
    let opened = Database::builder().set_cache_size(VIEW_CACHE_BYTES).open_read_only(path);
    opened.map_err(|error| StoreError::engine(path, "open", error))
}

/// Runs a change in one transaction: all of it is committed, or nothing.
pub(super) fn transact<T>(
    db: &Database,
    path: &Path,
    change: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut transaction = db.begin_write().map_err(|error| StoreError::engine(path, "begin", error))?;
    transaction.set_quick_repair(true);
    match change(&transaction) {
        Ok(value) => {
            transaction.commit().map_err(|error| StoreError::engine(path, "commit", error))?;
            Ok(value)
        }
        Err(error) => {
            transaction.abort().map_err(|error| StoreError::engine(path, "abort", error))?;
            Err(error)
        }
    }
}

/// Compacts a file that can be made again, in place.
pub(super) fn compact_disposable(db: &mut Database, path: &Path) -> Result<(), StoreError> {
    db.compact().map(drop).map_err(|error| StoreError::engine(path, "compact", error))
}

/// Runs something the engine may panic on when a file is damaged, and turns that into an error.
pub(super) fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(damaged(path, "the database engine stopped at its content")))
}

/// Says that a file cannot be used.
pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::NeedsRepair { path: path.to_owned(), reason: reason.into() }
}
