//! The published copy: what readers open while the writer works.
//!
//! Readers never open the authoritative file, because an open reader would keep the next run out. A copy is
//! written beside the last one, made durable, opened again and verified, and takes its place by a rename; who
//! has the last one open keeps it. Reading creates and changes nothing.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use redb::ReadOnlyDatabase;

use super::disk::{Disk, Step};
use super::edition::{Edition, Standing};
use super::engine::{self, Held};
use super::error::StoreError;
use super::files;
use super::guard::run_guarded;
use super::lock;
use super::lost;
use super::reported;
use super::seal::{self, BlockHashes};
use super::snapshot::{Proved, Snapshot};
use super::stamp;
use super::tables;
use super::writer::ChangedRows;

/// Times that copy and store are looked at again when they differ: a run may be publishing.
const LOOKS_MAX: usize = 4;

/// Bytes that are copied at a time.
const COPY_BYTES: usize = 1 << 18;

/// The published copy, open for reading.
pub struct View {
    db: Held<ReadOnlyDatabase>,
    /// `None` if every row was verified when it was opened.
    proved: Option<Proved>,
    path: PathBuf,
    is_pending: bool,
}

impl View {
    /// Opens the published copy in a directory and verifies every row.
    ///
    /// Errors: `NoStore` when nothing was published there.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_whole(dir.join(files::VIEW))
    }

    /// Opens the published copy in a directory and holds it against the store itself; what is read of it is verified when it
    /// is read, so that a look at what is small costs little beside a long history. Nothing that is damaged is shown, and
    /// nothing is said not to be there that was lost.
    ///
    /// A store that cannot be read is no reason to show nothing: what was published last is shown.
    ///
    /// Errors: `NoStore` when there is none, `Lost` when only its copy is left, `Unpublished` when it has no copy, `Apart` when
    ///         the copy is not the store's, or was put back; damage also when it is read
    pub fn open_for_a_look(dir: &Path) -> Result<Self, StoreError> {
        lost::expect_none_lost(dir)?;
        let (path, state) = (dir.join(files::VIEW), dir.join(files::STATE));
        let open = || match Self::open_file(path.clone(), Some(Proved::default())) {
            // A first run publishes what it has just begun.
            Err(StoreError::NoStore { .. }) if files::file_exists(&state)? && !lock::is_held(dir) => {
                Err(StoreError::Unpublished { path: path.clone() })
            }
            opened => opened,
        };
        let stamped = stamp::stamped_copy(dir);
        let mut view = open()?;
        if stamped.is_some_and(|stamped| stamped.is_still()) {
            return Ok(view);
        }
        for _ in 0..LOOKS_MAX {
            let shown = view.read()?.edition()?;
            // Who has it open publishes what it stores.
            let Ok(stored) = engine::glance_at_edition(&state) else { return Ok(view) };
            let standing = shown.against(&stored);
            if standing == Standing::Same {
                return Ok(view);
            }
            // It may have been published since it was opened.
            view = open()?;
            if view.read()?.edition()? == shown && !lock::is_held(dir) {
                view.is_pending = is_pending(dir, &shown, &stored);
                return match view.is_pending {
                    true => Ok(view),
                    false => Err(apart(path, shown, stored, standing)),
                };
            }
        }
        Ok(view)
    }

    /// Opens the published copy as it is, whatever it is of; what is read of it is verified when it is read.
    pub(super) fn open_as_it_is(dir: &Path) -> Result<Self, StoreError> {
        Self::open_file(dir.join(files::VIEW), Some(Proved::default()))
    }

    /// Returns whether a later run is stored, which was interrupted before it was published. The next one publishes it.
    pub fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// Returns its content.
    pub fn read(&self) -> Result<Snapshot<'_>, StoreError> {
        run_guarded(&self.path, || Snapshot::begin_with(&*self.db, &self.path, self.proved.as_ref()))
    }

    fn open_whole(path: PathBuf) -> Result<Self, StoreError> {
        let view = Self::open_file(path, None)?;
        run_guarded(&view.path, || view.read()?.verify())?;
        Ok(view)
    }

    fn open_file(path: PathBuf, proved: Option<Proved>) -> Result<Self, StoreError> {
        if !files::file_exists(&path)? {
            return Err(StoreError::NoStore { path });
        }
        let db = run_guarded(&path, || Ok(Held::new(engine::open_read_only(&path)?, &path)))?;
        let view = Self { db, proved, path, is_pending: false };
        view.read()?;
        Ok(view)
    }
}

/// Returns whether a copy was the last one before a run that was stored and not published: each run publishes what the one
/// before it left, so it is one commit behind, and the store was never published beyond it.
pub(super) fn is_pending(dir: &Path, shown: &Edition, stored: &Edition) -> bool {
    let is_before = shown.against(stored) == Standing::Behind && shown.generation + 1 == stored.generation;
    is_before && reported::last_reported(dir, stored) <= shown.generation
}

/// Returns whether the published copy has the content of a snapshot.
///
/// A copy that cannot be read is moved aside, and one that is not an earlier one of the same store: both are disposable, but
/// may be somebody else's file, or all that is left of a history.
pub(super) fn is_current(
    disk: &Disk,
    dir: &Path,
    state: &Snapshot<'_>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let path = dir.join(files::VIEW);
    let found = View::open(dir).and_then(|view| view.read()?.edition());
    let reason = match found {
        Ok(shown) => {
            let stored = state.edition()?;
            match shown.against(&stored) {
                Standing::Same => return Ok(true),
                Standing::Behind => return Ok(false),
                standing => apart(path.clone(), shown, stored, standing),
            }
        }
        Err(StoreError::NoStore { .. }) => return Ok(false),
        Err(error) if error.is_unreadable() && !matches!(error, StoreError::Refused { .. }) => error,
        Err(error) => return Err(error),
    };
    // Readers have it until the store's own takes its place.
    let aside = files::keep_aside(disk, &path, now_ms)?.unwrap_or(path);
    // Somebody should know, whatever they asked to be spared.
    tracing::error!("{reason}; it is kept as {} and the store's own is published", aside.display());
    Ok(false)
}

/// Returns whether the copy that a stamp vouches for has the content of a snapshot. What is read of it is verified then.
pub(super) fn is_still_current(dir: &Path, state: &Snapshot<'_>) -> Result<bool, StoreError> {
    let shown = View::open_as_it_is(dir).and_then(|view| view.read()?.edition());
    let stored = state.edition()?;
    Ok(shown.is_ok_and(|shown| shown.against(&stored) == Standing::Same))
}

/// Publishes the store as it is: a copy of its bytes, which are known. If anything fails the last copy stays.
///
/// Between two transactions the file is as a killed writer would leave it; the engine closes the copy. It is read back from the
/// disk, byte for byte before that and the rows that are new to readers after it.
pub(super) fn publish_copy(
    disk: &Disk,
    dir: &Path,
    state: &Snapshot<'_>,
    hashes: &BlockHashes,
    changed: &ChangedRows,
) -> Result<(), StoreError> {
    let (new, path) = (dir.join(files::VIEW_NEW), dir.join(files::VIEW));
    let file = files::create_fresh(disk, &new)?;
    copy_bytes(disk, (&dir.join(files::STATE), &new), &file)?;
    files::settle_file(disk, &new, &file)?;
    if !hashes.is_of(disk, &new)? {
        return Err(unwritten(&new, "the copy differs from the store"));
    }
    let settled = file.try_clone().map_err(|error| StoreError::io(&new, "open", error))?;
    drop(Held::new(engine::begin_file(disk, &new, file, engine::VIEW_CACHE_BYTES)?, &new));
    files::settle_file(disk, &new, &settled)?;
    drop(settled);
    // The engine keeps to itself what fails while it closes a file.
    if let Some(failure) = disk.failure() {
        return Err(failure);
    }
    let copied = View::open_file(new.clone(), None).and_then(|view| has_rows(&view.read()?, state, changed));
    match copied {
        Ok(true) => {}
        Ok(false) => return Err(unwritten(&new, "the copy differs from the store")),
        Err(error) => return Err(unwritten(&new, error.to_string())),
    }
    files::file_exists(&path)?;
    files::rename(disk, &new, &path)
}

/// Copies the bytes of a file to an empty one; blocks of zeros stay holes.
fn copy_bytes(disk: &Disk, (from, to): (&Path, &Path), out: &File) -> Result<(), StoreError> {
    let file = seal::open(from)?;
    let length = file.metadata().map_err(|error| StoreError::io(from, "look at", error))?.len();
    disk.pass(to, "grow", Step::SetLength(length))?;
    out.set_len(length).map_err(|error| StoreError::io(to, "grow", error))?;
    let mut buffer = vec![0; COPY_BYTES];
    for offset in (0..length).step_by(COPY_BYTES) {
        let bytes = &mut buffer[..(length - offset).min(COPY_BYTES as u64) as usize];
        disk.pass(from, "read", Step::Read)?;
        file.read_exact_at(bytes, offset).map_err(|error| StoreError::io(from, "read", error))?;
        if bytes.iter().all(|byte| *byte == 0) {
            continue;
        }
        disk.pass(to, "write", Step::Write { offset, bytes })?;
        out.write_all_at(bytes, offset).map_err(|error| StoreError::io(to, "write", error))?;
    }
    Ok(())
}

/// Returns whether a copy has the rows that changed, and the heads, of a snapshot.
fn has_rows(copied: &Snapshot<'_>, state: &Snapshot<'_>, changed: &ChangedRows) -> Result<bool, StoreError> {
    for (name, key) in changed {
        let table = tables::ALL.iter().find(|table| table.name == *name).expect("it was written");
        if copied.row(table, key)? != state.row(table, key)? {
            return Ok(false);
        }
    }
    same(copied, state)
}

/// What was just written and cannot be read is the disk's doing, whatever it looks like.
fn unwritten(new: &Path, reason: impl Into<String>) -> StoreError {
    StoreError::io(new, "read back", std::io::Error::other(reason.into()))
}

/// Writes a snapshot to a file of its own, makes it durable, opens it again and verifies it.
pub(super) fn write_copy(disk: &Disk, state: &Snapshot<'_>, new: &Path) -> Result<(), StoreError> {
    let file = files::create_fresh(disk, new)?;
    let settled = file.try_clone().map_err(|error| StoreError::io(new, "open", error))?;
    copy(disk, state, new, file)?;
    files::settle_file(disk, new, &settled)?;
    drop(settled);
    // The engine keeps to itself what fails while it closes a file.
    if let Some(failure) = disk.failure() {
        return Err(failure);
    }
    let copied = View::open_whole(new.to_owned()).map_err(|error| unwritten(new, error.to_string()))?;
    match same(&copied.read()?, state)? {
        true => Ok(()),
        false => Err(unwritten(new, "the copy differs from the store")),
    }
}

fn copy(disk: &Disk, state: &Snapshot<'_>, new: &Path, file: std::fs::File) -> Result<(), StoreError> {
    let db = engine::begin_file(disk, new, file, engine::VIEW_CACHE_BYTES)?;
    engine::transact(&db, new, |transaction| {
        for table in &tables::ALL {
            let failed = |error: redb::Error| StoreError::engine(new, "write", error);
            let mut copied = transaction.open_table(table.definition()).map_err(|e| failed(e.into()))?;
            state.each(table, |key, row| {
                copied.insert(key, row.bytes).map(|_| ()).map_err(|error| failed(error.into()))
            })?;
        }
        Ok(())
    })
}

fn same(one: &Snapshot<'_>, other: &Snapshot<'_>) -> Result<bool, StoreError> {
    Ok(one.meta()? == other.meta()? && one.heads()? == other.heads()?)
}

fn apart(path: PathBuf, shown: Edition, stored: Edition, standing: Standing) -> StoreError {
    StoreError::Apart { path, shown: Box::new(shown), stored: Box::new(stored), standing }
}
