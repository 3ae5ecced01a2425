//! The only module that opens database files and begins write transactions.
//!
//! Every transaction asks for quick repair, which implies a two-phase commit: the default one-phase commit
//! destroys the file when a failed sync is followed by business as usual. The
//! authoritative file is never compacted in place.

use std::fs::File;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::{Database, DatabaseError, ReadOnlyDatabase, StorageBackend, WriteTransaction};

use super::disk::{Disk, EngineFile};
use super::edition::Edition;
use super::error::StoreError;
use super::files;
use super::guard::{damaged_error, run_guarded};
use super::look::{Overlay, look_unchanged};
use super::seal::{BlockHashes, Seal, Sealing};
use super::snapshot::Snapshot;
use super::written_blocks::WrittenBlocks;

/// Cache of the authoritative store; the engine's own default is 1 GiB.
pub const STATE_CACHE_BYTES: usize = 4 << 20;
/// Cache of the published copy.
pub const VIEW_CACHE_BYTES: usize = 1 << 18;

/// How long who only looks is waited for, and how often it is tried.
const LOOKERS_WAIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Opens the authoritative store and proves it whole: every row and section, and the engine's own structures.
///
/// It is never created here, and never repaired by force. A file that was closed as it should be is only read until its
/// rows are proved, so that one that is refused stays as it is, byte for byte.
pub(super) fn open_state(disk: &Disk, path: &Path) -> Result<Held<Database>, StoreError> {
    let file = files::open_private(disk, path, false)?;
    files::settle_file(disk, path, &file)?;
    prove_whole(path, || begin_file(disk, path, file, STATE_CACHE_BYTES))
}

/// The authoritative store, open and known to be whole.
pub(super) struct OpenState {
    pub(super) db: Held<Database>,
    /// Seals it again when it was closed.
    pub(super) sealing: Sealing,
    /// Whether every row was proved just now, and not only that the bytes are those that were.
    pub(super) is_proved_anew: bool,
}

/// Opens the authoritative store: where its seal holds its bytes are those that were proved, or it is proved as in
/// [`open_state`].
pub(super) fn open_sealed(
    disk: &Disk,
    dir: &Path,
    path: &Path,
    now_ms: i64,
) -> Result<OpenState, StoreError> {
    let seal = Seal::take(dir);
    let file = files::open_private(disk, path, false)?;
    files::settle_file(disk, path, &file)?;
    let mut held = None;
    if let Some(seal) = seal
        && seal.holds(disk, path, now_ms)?
        && run_guarded(path, || Ok(look_only(path, VIEW_CACHE_BYTES)?.is_some()))?
    {
        held = Some(seal);
    }
    let written = WrittenBlocks::default();
    let begin = || begin_noted(disk, path, file, STATE_CACHE_BYTES, &written);
    let is_proved_anew = held.is_none();
    let (db, seal) = match held {
        Some(seal) => (run_guarded(path, || Ok(Held::new(begin()?, path)))?, seal),
        None => {
            let db = prove_whole(path, begin)?;
            (db, Seal { hashes: BlockHashes::of(disk, path)?, proved_at_ms: now_ms })
        }
    };
    Ok(OpenState { db, sealing: Sealing::new(dir, seal, written), is_proved_anew })
}

/// Judges the authoritative store as [`open_state`] does, without changing it: what the engine would repair after a killed
/// run is repaired in memory. What `work` finds counts only if nobody changed the file meanwhile.
///
/// Errors: those of [`open_state`]; `Busy` while a run has it open
pub(super) fn look_at_state<T>(
    path: &Path,
    work: impl FnOnce(&Database) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    look_unchanged(path, || {
        let db = prove_whole(path, || {
            begin_backend(&Disk::default(), path, STATE_CACHE_BYTES, || Overlay::open(path))
        })?;
        run_guarded(path, || work(&db))
    })
}

/// Returns which store the authoritative file is of and as of which commit, without keeping a run out or proving more than
/// that.
///
/// Errors: `Busy` while a run has it open; what keeps it from being read
pub(super) fn glance_at_edition(path: &Path) -> Result<Edition, StoreError> {
    look_unchanged(path, || {
        run_guarded(path, || match look_only(path, VIEW_CACHE_BYTES)? {
            Some(db) => Snapshot::begin(&*db, path)?.edition(),
            None => {
                let db = begin_backend(&Disk::default(), path, VIEW_CACHE_BYTES, || Overlay::open(path))?;
                Snapshot::begin(&*Held::new(db, path), path)?.edition()
            }
        })
    })
}

/// Opens a database that is there and proves it whole.
fn prove_whole(
    path: &Path,
    begin: impl FnOnce() -> Result<Database, StoreError>,
) -> Result<Held<Database>, StoreError> {
    let length = std::fs::metadata(path).map_err(|error| StoreError::io(path, "look at", error))?.len();
    if length == 0 {
        return Err(damaged_error(path, "the file is empty"));
    }
    let closed = run_guarded(path, || verify_closed(path))?;
    run_guarded(path, || {
        let mut db = Held::new(begin()?, path);
        match db.check_integrity() {
            Ok(true) if closed => Ok(db),
            Ok(true) => Snapshot::begin(&*db, path)?.verify().map(|()| db),
            Ok(false) => Err(damaged_error(path, "the integrity check failed")),
            Err(error) => Err(StoreError::engine(path, "check", error)),
        }
    })
}

/// Verifies every row without changing the file; `false` where its last writer did not close it.
fn verify_closed(path: &Path) -> Result<bool, StoreError> {
    match look_only(path, STATE_CACHE_BYTES)? {
        Some(db) => Snapshot::begin(&*db, path)?.verify().map(|()| true),
        None => Ok(false),
    }
}

/// Opens a file to look only, without the engine's lock: who looks sees to it that nobody writes. `None` where its last
/// writer did not close it.
fn look_only(path: &Path, cache_bytes: usize) -> Result<Option<Held<ReadOnlyDatabase>>, StoreError> {
    let overlay = Overlay::open(path)?;
    match Database::builder().set_cache_size(cache_bytes).open_read_only_with_backend(overlay) {
        Ok(db) => Ok(Some(Held::new(db, path))),
        Err(DatabaseError::RepairAborted) => Ok(None),
        Err(error) => Err(StoreError::engine(path, "open", error)),
    }
}

/// Makes a database in an empty file, or opens the one in it.
///
/// The caller keeps other writers out, so who has it open only looks (`doctor` does), and is waited for.
pub(super) fn begin_file(
    disk: &Disk,
    path: &Path,
    file: File,
    cache_bytes: usize,
) -> Result<Database, StoreError> {
    begin_noted(disk, path, file, cache_bytes, &WrittenBlocks::default())
}

/// Does what [`begin_file`] does, and notes what is written from then on.
fn begin_noted(
    disk: &Disk,
    path: &Path,
    file: File,
    cache_bytes: usize,
    written: &WrittenBlocks,
) -> Result<Database, StoreError> {
    begin_backend(disk, path, cache_bytes, || {
        let own = file.try_clone().map_err(|error| StoreError::io(path, "open", error))?;
        EngineFile::new(path, own, disk, written).map_err(|error| StoreError::engine(path, "open", error))
    })
}

fn begin_backend<B: StorageBackend>(
    disk: &Disk,
    path: &Path,
    cache_bytes: usize,
    mut backend: impl FnMut() -> Result<B, StoreError>,
) -> Result<Database, StoreError> {
    let clock = Instant::now();
    loop {
        match Database::builder().set_cache_size(cache_bytes).create_with_backend(backend()?) {
            Err(DatabaseError::DatabaseAlreadyOpen) if clock.elapsed() < LOOKERS_WAIT => {
                disk.wait(LOOK_EVERY)?
            }
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                return Err(StoreError::Watched { path: path.to_owned() });
            }
            opened => return opened.map_err(|error| StoreError::engine(path, "open", error)),
        }
    }
}

/// Opens a published copy for reading.
pub(super) fn open_read_only(path: &Path) -> Result<ReadOnlyDatabase, StoreError> {
    let opened = Database::builder().set_cache_size(VIEW_CACHE_BYTES).open_read_only(path);
    opened.map_err(|error| StoreError::engine(path, "open", error))
}

/// A file that can be made again, open to look only.
pub(super) enum DisposableLook {
    /// Its last writer closed it.
    Closed(Held<ReadOnlyDatabase>),
    /// A run was killed while it wrote it: it is repaired in memory.
    Left(Held<Database>),
}

/// Opens a file that can be made again to look only, as a run would find it, without a lock: who looks sees to it that nobody
/// writes.
pub(super) fn look_at_disposable(path: &Path) -> Result<DisposableLook, StoreError> {
    if let Some(db) = look_only(path, VIEW_CACHE_BYTES)? {
        return Ok(DisposableLook::Closed(db));
    }
    let db = begin_backend(&Disk::default(), path, VIEW_CACHE_BYTES, || Overlay::open(path))?;
    Ok(DisposableLook::Left(Held::new(db, path)))
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

/// An open database. Where the engine stopped at damage it may stop again while it closes, so closing is guarded as well.
pub(super) struct Held<T> {
    /// `None` only while it is dropped.
    db: Option<T>,
    path: PathBuf,
}

impl<T> Held<T> {
    pub(super) fn new(db: T, path: &Path) -> Self {
        Self { db: Some(db), path: path.to_owned() }
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.db.as_ref().expect("held until it is dropped")
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.db.as_mut().expect("held until it is dropped")
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        let (db, path) = (self.db.take(), &self.path);
        let closed = run_guarded(path, || {
            drop(db);
            Ok(())
        });
        if let Err(error) = closed {
            tracing::debug!(%error, "the database engine stopped while it closed a damaged file");
        }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.db.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::super::guard::GUARDED;
    use super::*;
    use std::cell::Cell;

    struct Broken<'a>(&'a Cell<bool>);

    impl Drop for Broken<'_> {
        fn drop(&mut self) {
            self.0.set(true);
            panic!("a poisoned mutex");
        }
    }

    #[test]
    fn who_only_looks_is_waited_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("state.redb");
        drop(Database::create(&path).expect("a database"));
        let looking = open_read_only(&path).expect("readable");
        assert!(matches!(Database::open(&path), Err(DatabaseError::DatabaseAlreadyOpen)), "it is in the way");
        let leaves = std::thread::spawn(move || {
            std::thread::sleep(5 * LOOK_EVERY);
            drop(looking);
        });
        let file = File::options().read(true).write(true).open(&path).expect("a file");
        let opened = begin_file(&Disk::default(), &path, file, 1 << 20);
        assert!(opened.is_ok(), "{opened:?}");
        leaves.join().expect("it left");
    }

    #[test]
    fn closing_what_the_engine_gave_up_ends_nothing() {
        let closed = Cell::new(false);
        drop(Held::new(Broken(&closed), Path::new("evals.redb")));
        assert!(closed.get() && !GUARDED.get());
    }
}
