//! Looking at a database file that a run may open at any moment: nobody is kept out, and nothing is changed.
//!
//! The file is read without a lock, what the engine writes stays in memory, and what was found counts only if nobody wrote
//! meanwhile. So a look judges a file as a run does, that of a killed run included.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::ops::Bound;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use redb::{BackendError, StorageBackend};
use rustix::fs::OFlags;

use super::error::StoreError;

const BLOCK_BYTES: u64 = 4096;
type Block = [u8; BLOCK_BYTES as usize];

/// A file under what was written over it in memory.
#[derive(Debug)]
pub(super) struct Overlay {
    file: File,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    length: u64,
    /// What of the file still shows where nothing was written.
    shown: u64,
    blocks: BTreeMap<u64, Box<Block>>,
}

impl Overlay {
    /// Opens a file to look only.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = open(path)?;
        let length = metadata(path, &file)?.len();
        let written = Mutex::new(Written { length, shown: length, blocks: BTreeMap::new() });
        Ok(Self { file, written })
    }

    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the file; what is beyond what shows of it is zero.
    fn read_file(&self, shown: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inside = shown.saturating_sub(offset).min(out.len() as u64) as usize;
        let (inside, beyond) = out.split_at_mut(inside);
        beyond.fill(0);
        self.file.read_exact_at(inside, offset)
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= written.length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.read_file(written.shown, offset, out)?;
        for (number, block) in written.blocks.range(offset / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES)) {
            let start = number * BLOCK_BYTES;
            let (from, to) = (start.max(offset), (start + BLOCK_BYTES).min(end));
            out[(from - offset) as usize..(to - offset) as usize]
                .copy_from_slice(&block[(from - start) as usize..(to - start) as usize]);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.written();
        written.shown = written.shown.min(length);
        written.length = length;
        drop(written.blocks.split_off(&length.div_ceil(BLOCK_BYTES)));
        let inside = (length % BLOCK_BYTES) as usize;
        if let Some(last) = written.blocks.get_mut(&(length / BLOCK_BYTES)) {
            last[inside..].fill(0);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let (end, shown) = (offset + bytes.len() as u64, written.shown);
        written.length = written.length.max(end);
        for number in offset / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES) {
            let start = number * BLOCK_BYTES;
            let block = match written.blocks.entry(number) {
                Entry::Occupied(block) => block.into_mut(),
                Entry::Vacant(place) => {
                    let mut block = Box::new([0; BLOCK_BYTES as usize]);
                    self.read_file(shown, start, &mut block[..])?;
                    place.insert(block)
                }
            };
            let (from, to) = (start.max(offset), (start + BLOCK_BYTES).min(end));
            block[(from - start) as usize..(to - start) as usize]
                .copy_from_slice(&bytes[(from - offset) as usize..(to - offset) as usize]);
        }
        Ok(())
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}

/// A file as it was when somebody began to look at it.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    before: [i64; 6],
}

impl Watch {
    /// Begins to look.
    ///
    /// Errors: `Busy` while somebody has the file open to write
    pub(super) fn begin(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { path: path.to_owned(), before: trace(path)? })
    }

    /// Says that what was found so far counts.
    ///
    /// Errors: `Busy` where somebody has the file open to write, or had
    pub(super) fn expect_unchanged(&self) -> Result<(), StoreError> {
        match trace(&self.path)? == self.before {
            true => Ok(()),
            false => Err(busy(&self.path)),
        }
    }
}

/// Runs a look at a file; what it finds counts only if nobody has the file open to write, before and after, and it did not
/// change.
///
/// Errors: `Busy` where somebody has, or it did
pub(super) fn look_unchanged<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let watch = Watch::begin(path)?;
    let found = work();
    watch.expect_unchanged()?;
    found
}

/// Returns what changes whenever somebody writes to a file.
///
/// Errors: `Busy` while somebody has it open to write
fn trace(path: &Path) -> Result<[i64; 6], StoreError> {
    // Held for as long as it takes to let it go.
    let file = keep_out(path)?;
    file.unlock().map_err(|error| StoreError::io(path, "unlock", error))?;
    let found = metadata(path, &file)?;
    let (length, inode) = (found.len() as i64, found.ino() as i64);
    Ok([length, inode, found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec()])
}

/// Keeps out of a file who opens it to write, and waits for it, as long as what is returned is held.
///
/// Errors: `Busy` while somebody has it open to write
fn keep_out(path: &Path) -> Result<File, StoreError> {
    let file = open(path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(busy(path)),
        Err(TryLockError::Error(error)) => Err(StoreError::io(path, "lock", error)),
    }
}

fn busy(path: &Path) -> StoreError {
    StoreError::Busy { path: path.to_owned(), pid: None, age_ms: None }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    opened.map_err(|error| StoreError::io(path, "open", error))
}

fn metadata(path: &Path, file: &File) -> Result<Metadata, StoreError> {
    file.metadata().map_err(|error| StoreError::io(path, "look at", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_over_a_file_shows_and_the_file_stays() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("file");
        let base: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
        std::fs::write(&path, &base).expect("written");
        let overlay = Overlay::open(&path).expect("open");
        let mut wanted = base.clone();
        // Within a block, across blocks, beyond the end, cut and grown again.
        for (offset, bytes) in [(5, vec![9; 3]), (4_000, vec![8; 5_000]), (9_990, vec![7; 4_000])] {
            overlay.write(offset, &bytes).expect("written");
            let (start, end) = (offset as usize, offset as usize + bytes.len());
            wanted.resize(wanted.len().max(end), 0);
            wanted[start..end].copy_from_slice(&bytes);
        }
        for length in [13_990, 6_000, 9_000, 4_096, 12_288] {
            overlay.set_len(length).expect("set");
            wanted.resize(length as usize, 0);
            let mut all = vec![1; length as usize];
            overlay.read(0, &mut all).expect("read");
            assert!(all == wanted, "of length {length}");
            let mut part = [0; 100];
            overlay.read(length - 100, &mut part).expect("read");
            assert_eq!(part[..], wanted[length as usize - 100..]);
            assert!(overlay.read(length - 99, &mut part).is_err());
        }
        assert_eq!(std::fs::read(&path).expect("read"), base);
    }

    #[test]
    fn what_changes_meanwhile_is_not_judged() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("file");
        std::fs::write(&path, b"a").expect("written");
        assert!(look_unchanged(&path, || Ok(())).is_ok());
        let changed = look_unchanged(&path, || {
            std::fs::write(&path, b"bc").expect("written");
            Ok(())
        });
        assert!(matches!(changed, Err(StoreError::Busy { .. })), "{changed:?}");
        let held = File::options().write(true).open(&path).expect("open");
        held.lock().expect("locked");
        assert!(matches!(look_unchanged(&path, || Ok(())), Err(StoreError::Busy { .. })));
        held.unlock().expect("let go");
        assert!(look_unchanged(&path, || Ok(())).is_ok());
    }
}
