//! One writer at a time: an advisory lock on a file of its own, held for as long as the store is open.
//!
//! The kernel drops the lock with the process, however it ends; the file is never removed. What it says is for
//! people only.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::files;
use super::location::Location;
use crate::ingest::open_regular;

/// More than this is not read from a lock file.
const CONTENT_BYTES_MAX: u64 = 1 << 10;
/// Time between two looks at a lock that somebody else holds.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a lock is asked for at least: who only asks whether it is held has it for a moment.
const ASKERS_WAIT: Duration = Duration::from_millis(100);
/// Time between two looks then.
const ASK_EVERY: Duration = Duration::from_millis(2);

/// Returns whether a run is at work in a directory.
pub(super) fn is_held(dir: &Path) -> bool {
    let Ok(file) = open_regular(&dir.join(files::LOCK)) else { return false };
    let held = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    // Closing it lets go as well.
    let _ = file.unlock();
    held
}

/// The lock; let go when dropped.
#[derive(Debug)]
pub(super) struct RunLock {
    file: File,
}

impl Drop for RunLock {
    /// Lets go at once: closing alone would wait for a child process that was forked and has not yet closed its copy.
    fn drop(&mut self) {
        // Nothing can be done about a lock that cannot be released but to close its file, which follows.
        let _ = self.file.unlock();
    }
}

impl RunLock {
    /// Takes the lock, waiting as long as the location says, or tells who holds it.
    pub(super) fn take(location: &Location, now_ms: i64) -> Result<Self, StoreError> {
        let path = location.dir.join(files::LOCK);
        files::file_exists(&path)?;
        let disk = location.disk();
        let mut file = files::open_private(&disk, &path, true)?;
        let clock = Instant::now();
        let waited_ms = loop {
            let waited = clock.elapsed();
            // Who does not wait has only looked twice.
            let counted = if location.lock_wait.is_zero() { Duration::ZERO } else { waited };
            let waited_ms = i64::try_from(counted.as_millis()).unwrap_or(i64::MAX);
            match file.try_lock() {
                Ok(()) => break waited_ms,
                Err(TryLockError::WouldBlock) if waited < ASKERS_WAIT => disk.wait(ASK_EVERY)?,
                Err(TryLockError::WouldBlock) if waited < location.lock_wait => {
                    disk.wait(LOOK_EVERY.min(location.lock_wait - waited))?;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(busy(&path, &file, now_ms.saturating_add(waited_ms)));
                }
                Err(TryLockError::Error(error)) => return Err(StoreError::io(&path, "lock", error)),
            }
        };
        let now_ms = now_ms.saturating_add(waited_ms);
        let version = env!("CARGO_PKG_VERSION");
        let content = format!("pid {}\nstarted_at_ms {now_ms}\nversion {version}\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.write_all(content.as_bytes()));
        written.map_err(|error| StoreError::io(&path, "write", error))?;
        Ok(Self { file })
    }
}

fn busy(path: &Path, mut file: &File, now_ms: i64) -> StoreError {
    if file.try_lock_shared().is_ok() {
        // Who writes shares it with nobody: what holds it has only looked whether somebody does, and did not come to let it go.
        let _ = file.unlock();
        return StoreError::Watched { path: path.to_owned() };
    }
    let mut content = String::new();
    // The holder may be writing this very moment; what cannot be read is left out.
    let _ = file.rewind().and_then(|()| file.take(CONTENT_BYTES_MAX).read_to_string(&mut content));
    let field = |name: &str| {
        let mut pairs = content.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse::<i64>().ok())
    };
    StoreError::Busy {
        path: path.to_owned(),
        pid: field("pid").and_then(|pid| pid.try_into().ok()),
        age_ms: field("started_at_ms").map(|started| now_ms.saturating_sub(started).max(0)),
    }
}
