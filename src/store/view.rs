//! The published copy: what readers open while the writer works.
//!
//! Readers never open the authoritative file, because an open reader would keep the next run out. A copy is
//! written beside the last one, made durable, opened again and verified, and takes its place by a rename; who
//! has the last one open keeps it. Reading creates and changes nothing.

use std::path::{Path, PathBuf};

use redb::ReadOnlyDatabase;

use super::disk::Disk;
use super::engine::{self, Held, guarded};
use super::error::StoreError;
use super::files;
use super::snapshot::{Proved, Snapshot};
use super::tables;

/// The published copy, open for reading.
pub struct View {
    db: Held<ReadOnlyDatabase>,
    /// `None` if every row was verified when it was opened.
    proved: Option<Proved>,
    path: PathBuf,
}

impl View {
    /// Opens the published copy in a directory and verifies every row.
    ///
    /// Errors: `NoStore` when nothing was published there.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_whole(dir.join(files::VIEW))
    }

    /// Opens the published copy in a directory; what is read of it is verified when it is read, so that a look at what is small
    /// costs little beside a long history. Nothing that is damaged is shown, and nothing is said not to be there that was lost.
    ///
    /// Errors: `NoStore` when nothing was published there; damage also when it is read
    pub fn open_for_a_look(dir: &Path) -> Result<Self, StoreError> {
        Self::open_file(dir.join(files::VIEW), Some(Proved::default()))
    }

    /// Returns its content.
    pub fn read(&self) -> Result<Snapshot<'_>, StoreError> {
        guarded(&self.path, || Snapshot::begin_with(&*self.db, &self.path, self.proved.as_ref()))
    }

    fn open_whole(path: PathBuf) -> Result<Self, StoreError> {
        let view = Self::open_file(path, None)?;
        guarded(&view.path, || view.read()?.verify())?;
        Ok(view)
    }

    fn open_file(path: PathBuf, proved: Option<Proved>) -> Result<Self, StoreError> {
        if !files::exists(&path)? {
            return Err(StoreError::NoStore { path });
        }
        let db = guarded(&path, || Ok(Held::new(engine::open_read_only(&path)?, &path)))?;
        let view = Self { db, proved, path };
        view.read()?;
        Ok(view)
    }
}

/// Returns whether the published copy has the content of a snapshot.
///
/// A copy that cannot be read is moved aside: it is disposable, but it may be somebody else's file.
pub(super) fn is_current(
    disk: &Disk,
    dir: &Path,
    state: &Snapshot<'_>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    match View::open(dir) {
        Ok(view) => same(&view.read()?, state),
        Err(StoreError::NoStore { .. }) => Ok(false),
        Err(error) if error.is_unreadable() && !matches!(error, StoreError::Refused { .. }) => {
            let path = dir.join(files::VIEW);
            let aside = files::set_aside(disk, &path, now_ms)?;
            tracing::warn!(%error, aside = %aside.display(), "the published copy was unreadable and moved aside");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Publishes a snapshot. If anything fails the last copy stays.
pub(super) fn publish(disk: &Disk, dir: &Path, state: &Snapshot<'_>) -> Result<(), StoreError> {
    let (new, path) = (dir.join(files::VIEW_NEW), dir.join(files::VIEW));
    write_copy(disk, state, &new)?;
    files::exists(&path)?;
    files::rename(disk, &new, &path)
}

/// Writes a snapshot to a file of its own, makes it durable, opens it again and verifies it.
pub(super) fn write_copy(disk: &Disk, state: &Snapshot<'_>, new: &Path) -> Result<(), StoreError> {
    let file = files::create_fresh(disk, new)?;
    let settled = file.try_clone().map_err(|error| StoreError::io(new, "open", error))?;
    copy(disk, state, new, file)?;
    files::settle(disk, new, &settled)?;
    drop(settled);
    // The engine keeps to itself what fails while it closes a file. What was just written and cannot be read is the
    // disk's doing, whatever it looks like.
    if let Some(failure) = disk.failure() {
        return Err(failure);
    }
    let unwritten = |reason: String| StoreError::io(new, "read back", std::io::Error::other(reason));
    let copied = View::open_whole(new.to_owned()).map_err(|error| unwritten(error.to_string()))?;
    match same(&copied.read()?, state)? {
        true => Ok(()),
        false => Err(unwritten("the copy differs from the store".to_owned())),
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
