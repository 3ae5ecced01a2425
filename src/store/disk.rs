//! The disk as the writer sees it: every step that decides what survives a crash passes a gate.
//!
//! There is no gate in production. Tests put one up to fail a step, to tear a write, or to know what would be left if
//! the power went now. The files behind it are the same, and so is the code that works on them.

use std::fmt::Debug;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::error::StoreError;
use super::written_blocks::WrittenBlocks;

/// Something that is about to be done to a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step<'a> {
    /// A file is created, empty.
    Create,
    /// Bytes are read.
    Read,
    /// Bytes are written.
    Write {
        /// Where they begin.
        offset: u64,
        /// All of them.
        bytes: &'a [u8],
    },
    /// A file is cut or grown with zeros.
    SetLength(u64),
    /// A file's content is made durable.
    Sync,
    /// A file gets another name in its directory, whatever had that name before.
    Rename {
        /// The new name.
        to: &'a Path,
    },
    /// A file gets a second name in its directory.
    Link {
        /// The second name.
        to: &'a Path,
    },
    /// A file is removed.
    Remove,
    /// The names in a directory are made durable.
    SyncDirectory,
}

/// What every step passes before it is carried out.
pub trait Gate: Debug + Send + Sync {
    /// Lets a step pass, or gives the error that it fails with; then it is not carried out.
    fn pass(&self, path: &Path, step: Step<'_>) -> io::Result<()>;
}

/// The disk, with or without a gate.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    gate: Option<Arc<dyn Gate>>,
    stop: Option<Arc<AtomicBool>>,
    /// The first thing that failed under the engine, which later says only that something did, or nothing at all.
    failure: Arc<OnceLock<DiskFailure>>,
}

#[derive(Debug)]
struct DiskFailure {
    path: PathBuf,
    operation: &'static str,
    errno: i32,
}

impl Disk {
    /// Returns a disk behind a gate.
    pub(super) fn behind(gate: Option<Arc<dyn Gate>>) -> Self {
        Self { gate, ..Self::default() }
    }

    /// Returns the same disk, for somebody who stops waiting when a flag is raised.
    pub(super) fn stopped_by(self, stop: Option<Arc<AtomicBool>>) -> Self {
        Self { stop, ..self }
    }

    /// Waits for somebody else for a moment.
    ///
    /// Errors: `Stopped` when the flag is raised
    pub(super) fn wait(&self, moment: Duration) -> Result<(), StoreError> {
        std::thread::sleep(moment);
        match self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            true => Err(StoreError::Stopped),
            false => Ok(()),
        }
    }

    /// Returns what failed under the engine, if anything did.
    pub(super) fn failure(&self) -> Option<StoreError> {
        let DiskFailure { path, operation, errno } = self.failure.get()?;
        Some(StoreError::io(path, operation, io::Error::from_raw_os_error(*errno)))
    }

    /// Returns what is behind an error that only says that something failed earlier.
    pub(super) fn explain(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Poisoned { .. } => self.failure().unwrap_or(error),
            error => error,
        }
    }

    /// Asks the gate; `operation` is what an error says was tried.
    pub(super) fn pass(
        &self,
        path: &Path,
        operation: &'static str,
        step: Step<'_>,
    ) -> Result<(), StoreError> {
        self.ask(path, step).map_err(|error| StoreError::io(path, operation, error))
    }

    fn ask(&self, path: &Path, step: Step<'_>) -> io::Result<()> {
        self.gate.as_ref().map_or(Ok(()), |gate| gate.pass(path, step))
    }
}

/// A file under the database engine.
#[derive(Debug)]
pub(super) struct EngineFile {
    file: FileBackend,
    path: PathBuf,
    disk: Disk,
    written: WrittenBlocks,
}

impl EngineFile {
    /// Takes the engine's lock on a file; what is written to it is noted.
    pub(super) fn new(
        path: &Path,
        file: std::fs::File,
        disk: &Disk,
        written: &WrittenBlocks,
    ) -> Result<Self, redb::DatabaseError> {
        let (path, disk, written) = (path.to_owned(), disk.clone(), written.clone());
        Ok(Self { file: FileBackend::new(file)?, path, disk, written })
    }

    /// Remembers what the system refused.
    fn noted(&self, operation: &'static str, done: io::Result<()>) -> io::Result<()> {
        if let Some(errno) = done.as_ref().err().and_then(io::Error::raw_os_error) {
            let path = self.path.clone();
            // Only the first is kept: what follows from it says less.
            let _ = self.disk.failure.set(DiskFailure { path, operation, errno });
        }
        done
    }
}

/// Content passes the gate; locks are the file's own, or two writers could meet.
impl StorageBackend for EngineFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let passed = self.disk.ask(&self.path, Step::Read);
        self.noted("read", passed.and_then(|()| self.file.read(offset, out)))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.written.note_length(length);
        let passed = self.disk.ask(&self.path, Step::SetLength(length));
        self.noted("grow", passed.and_then(|()| self.file.set_len(length)))
    }

    fn sync_data(&self) -> io::Result<()> {
        let passed = self.disk.ask(&self.path, Step::Sync);
        self.noted("sync", passed.and_then(|()| self.file.sync_data()))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.written.note(offset, bytes.len());
        let passed = self.disk.ask(&self.path, Step::Write { offset, bytes });
        self.noted("write", passed.and_then(|()| self.file.write(offset, bytes)))
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
