//! Where a store lies and how it is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::disk::{Disk, Gate};
use super::learning::FULL_RUNS;

/// A store's directory, and what its writer does besides writing.
#[derive(Debug, Clone)]
pub struct Location {
    /// The directory.
    pub dir: PathBuf,
    /// Backups kept; none are made with 0.
    pub backups: usize,
    /// Runs of a profile that are kept whole; of older ones that changed nothing the summary is.
    pub full_runs: u64,
    /// How long to wait for another writer to end.
    pub lock_wait: Duration,
    /// Raised by a signal: whoever waits for the store then does so no longer.
    pub stop: Option<Arc<AtomicBool>>,
    /// What every step on the disk passes; none but in tests.
    pub gate: Option<Arc<dyn Gate>>,
}

impl Location {
    /// Returns a directory without backups, and without waiting for its lock. However it is written, it is the same: a slash
    /// at its end does not hide that it is a link.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into().components().collect();
        Self { dir, backups: 0, full_runs: FULL_RUNS, lock_wait: Duration::ZERO, stop: None, gate: None }
    }

    /// Returns the disk that the directory is on.
    pub(super) fn disk(&self) -> Disk {
        Disk::behind(self.gate.clone()).stopped_by(self.stop.clone())
    }
}

impl From<&Path> for Location {
    fn from(dir: &Path) -> Self {
        Self::new(dir)
    }
}

impl From<&PathBuf> for Location {
    fn from(dir: &PathBuf) -> Self {
        Self::new(dir)
    }
}

impl From<PathBuf> for Location {
    fn from(dir: PathBuf) -> Self {
        Self::new(dir)
    }
}
