//! The directory and the files in it: private, never through a symbolic link, made durable.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, OFlags};

use super::beside;
use super::disk::{Disk, Step};
use super::error::StoreError;
pub(super) use super::file_names::{EVALS, LOCK, SEAL_NEW, STAMP_NEW, STATE, STATE_NEW, VIEW, VIEW_NEW};
pub use super::owner::hand_over;
use crate::ingest::open_regular;

/// Free space below which nothing is written, whatever the size of the store.
const FREE_BYTES_MIN: u64 = 64 << 20;
/// Free space to keep, in sizes of the store's file: the engine doubles its file, and a copy is published.
const FREE_FILE_SIZES: u64 = 4;

/// Creates the directory (mode 0700) unless it exists; refuses a symbolic link or anything but a directory.
pub(super) fn create_directory(disk: &Disk, dir: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(dir) {
        Ok(found) if found.is_symlink() => refuse(dir, "a symbolic link"),
        Ok(found) if !found.is_dir() => refuse(dir, "not a directory"),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folders(dir, 0o700).map_err(|error| StoreError::io(dir, "create directory", error))?;
            let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
            sync_directory(disk, parent.unwrap_or(Path::new(".")))
        }
        Err(error) => Err(StoreError::io(dir, "look at", error)),
    }
}

/// Creates a folder and those above it that are missing; each is of whom the one above it is.
pub fn make_folders(dir: &Path, mode: u32) -> io::Result<()> {
    if dir.as_os_str().is_empty() || dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        make_folders(parent, mode)?;
    }
    match DirBuilder::new().mode(mode).create(dir) {
        Ok(()) => hand_over(dir).map_err(io::Error::other),
        // Somebody else made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns whether a file is there; refuses a symbolic link or anything but a file.
pub(super) fn file_exists(path: &Path) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => refuse(path, "a symbolic link"),
        Ok(found) if !found.is_file() => refuse(path, "not a file"),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io(path, "look at", error)),
    }
}

fn refuse<T>(path: &Path, found: &'static str) -> Result<T, StoreError> {
    Err(StoreError::Refused { path: path.to_owned(), found })
}

/// Opens a file for reading and writing, mode 0600 if it is created, never through a symbolic link.
pub(super) fn open_private(disk: &Disk, path: &Path, create: bool) -> Result<File, StoreError> {
    let is_new = create && !file_exists(path)?;
    if is_new {
        disk.pass(path, "create", Step::Create)?;
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits() as i32)
        .open(path)
        .map_err(|error| StoreError::io(path, "open", error))?;
    if is_new {
        hand_over(path)?;
    }
    Ok(file)
}

/// Creates a file that must not exist yet, mode 0600. A leftover of a killed process is removed first.
pub(super) fn create_fresh(disk: &Disk, path: &Path) -> Result<File, StoreError> {
    if fs::symlink_metadata(path).is_ok() {
        remove(disk, path)?;
    }
    disk.pass(path, "create", Step::Create)?;
    let opened = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
    let file = opened.map_err(|error| StoreError::io(path, "create", error))?;
    hand_over(path)?;
    Ok(file)
}

/// Removes a file.
pub(super) fn remove(disk: &Disk, path: &Path) -> Result<(), StoreError> {
    disk.pass(path, "remove", Step::Remove)?;
    fs::remove_file(path).map_err(|error| StoreError::io(path, "remove", error))
}

/// Makes a file durable and lets go of its cached pages, so that what is read next comes from the disk.
///
/// Pages whose write-back failed may otherwise look written to a process that opens the file again.
pub(super) fn settle_file(disk: &Disk, path: &Path, file: &File) -> Result<(), StoreError> {
    disk.pass(path, "sync", Step::Sync)?;
    file.sync_all().map_err(|error| StoreError::io(path, "sync", error))?;
    let advised = rustix::fs::fadvise(file, 0, None, Advice::DontNeed);
    advised.map_err(|error| StoreError::io(path, "drop cached pages of", error))
}

/// Renames a file within its directory and makes that durable.
pub(super) fn rename(disk: &Disk, from: &Path, to: &Path) -> Result<(), StoreError> {
    disk.pass(from, "rename", Step::Rename { to })?;
    fs::rename(from, to).map_err(|error| StoreError::io(from, "rename", error))?;
    sync_directory(disk, to.parent().unwrap_or(Path::new(".")))
}

/// Makes the entries of a directory durable.
pub(super) fn sync_directory(disk: &Disk, dir: &Path) -> Result<(), StoreError> {
    disk.pass(dir, "sync directory", Step::SyncDirectory)?;
    let synced = File::open(dir).and_then(|handle| handle.sync_all());
    synced.map_err(|error| StoreError::io(dir, "sync directory", error))
}

/// Refuses to go on when writing next to `file` could fill the disk.
pub(super) fn check_free_space(file: &Path) -> Result<(), StoreError> {
    let (free, needed) = free_space(file)?;
    match free >= needed {
        true => Ok(()),
        false => {
            let path = file.parent().unwrap_or(Path::new(".")).to_owned();
            Err(StoreError::DiskFull { path, free, needed })
        }
    }
}

/// Returns the free bytes next to `file`, and those that have to be free before anything is written.
pub(super) fn free_space(file: &Path) -> Result<(u64, u64), StoreError> {
    let dir = file.parent().unwrap_or(Path::new("."));
    let stat =
        rustix::fs::statvfs(dir).map_err(|error| StoreError::io(dir, "ask for free space of", error))?;
    let file_bytes = fs::metadata(file).map_or(0, |found| found.len());
    Ok((stat.f_bavail.saturating_mul(stat.f_frsize), bytes_to_keep_free(file_bytes)))
}

fn bytes_to_keep_free(file_bytes: u64) -> u64 {
    file_bytes.saturating_mul(FREE_FILE_SIZES).max(FREE_BYTES_MIN)
}

/// What stands between the name of a file that was set aside and when.
const ASIDE: &str = ".damaged-";
/// Files set aside that are kept of each name; the oldest go. Folders, which may be somebody's, stay.
pub const ASIDE_MAX: usize = 5;

/// Returns a name beside a file that nothing has.
fn free_name(path: &Path, now_ms: i64) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let candidates = (0..).map(|n| path.with_file_name(format!("{name}{ASIDE}{now_ms}-{n}")));
    let mut free = candidates.filter(|candidate| fs::symlink_metadata(candidate).is_err());
    free.next().expect("there is always a higher number")
}

/// Returns the files of a name that were set aside in its directory, oldest first.
pub(super) fn set_aside_before(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let when = |path: &Path| -> Option<(i64, u64)> {
        let found = path.file_name()?.to_str()?.strip_prefix(name.as_str())?.strip_prefix(ASIDE)?;
        let (now_ms, number) = found.rsplit_once('-')?;
        Some((now_ms.parse().ok()?, number.parse().ok()?))
    };
    let entries = fs::read_dir(path.parent().unwrap_or(Path::new("."))).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut found: Vec<_> =
        files.map(|entry| entry.path()).filter_map(|path| Some((when(&path)?, path))).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

/// Returns the files of a store that were set aside, with their sizes.
pub(super) fn all_set_aside(dir: &Path) -> Vec<(String, u64)> {
    let of = |name: &str| set_aside_before(&dir.join(name));
    let size = |path: &PathBuf| fs::symlink_metadata(path).map_or(0, |found| found.len());
    let named =
        |path: PathBuf| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), size(&path));
    [STATE, VIEW, EVALS].into_iter().flat_map(of).map(named).collect()
}

/// Removes the oldest files set aside of a name, beyond those that are kept.
fn forget_oldest(disk: &Disk, path: &Path) {
    let aside = set_aside_before(path);
    for old in &aside[..aside.len().saturating_sub(ASIDE_MAX)] {
        if let Err(error) = remove(disk, old) {
            tracing::debug!(%error, "a file that was set aside long ago stays");
        }
    }
}

/// Moves a file that cannot be used out of the way under a name that is free, and returns that name.
pub(super) fn set_aside(disk: &Disk, path: &Path, now_ms: i64) -> Result<PathBuf, StoreError> {
    let aside = free_name(path, now_ms);
    rename(disk, path, &aside)?;
    forget_oldest(disk, path);
    Ok(aside)
}

/// Gives a file a second name that is free, so that the first can be replaced at once without losing it; returns the
/// second name, or `None` where there is no file. Where a file cannot have two names it is copied.
pub(super) fn keep_aside(disk: &Disk, path: &Path, now_ms: i64) -> Result<Option<PathBuf>, StoreError> {
    if !file_exists(path)? {
        return Ok(None);
    }
    let aside = free_name(path, now_ms);
    let linked = disk.pass(path, "link", Step::Link { to: &aside }).and_then(|()| {
        fs::hard_link(path, &aside).map_err(|error| StoreError::io(path, "keep a second name of", error))
    });
    if let Err(error) = linked {
        match error {
            StoreError::Io { source, .. } if has_no_links(&source) => copy(disk, path, &aside)?,
            error => return Err(error),
        }
    }
    sync_directory(disk, path.parent().unwrap_or(Path::new(".")))?;
    forget_oldest(disk, path);
    Ok(Some(aside))
}

/// Returns whether an error says that links cannot be made here, not that the disk fails.
fn has_no_links(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    use rustix::io::Errno;
    [Errno::PERM, Errno::ACCESS, Errno::OPNOTSUPP, Errno::NOSYS, Errno::MLINK, Errno::XDEV, Errno::INVAL]
        .iter()
        .any(|refusal| code == Some(*refusal))
}

/// Bytes of a file that are copied at a time.
const COPY_BYTES: usize = 1 << 20;

fn copy(disk: &Disk, from: &Path, to: &Path) -> Result<(), StoreError> {
    let mut old = open_regular(from).map_err(|error| StoreError::io(from, "open", error))?;
    let mut file = create_fresh(disk, to)?;
    let (mut chunk, mut offset) = (vec![0; COPY_BYTES], 0);
    loop {
        let count = old.read(&mut chunk).map_err(|error| StoreError::io(from, "read", error))?;
        if count == 0 {
            return settle_file(disk, to, &file);
        }
        let bytes = &chunk[..count];
        disk.pass(to, "write", Step::Write { offset, bytes })?;
        file.write_all(bytes).map_err(|error| StoreError::io(to, "write", error))?;
        offset += count as u64;
    }
}

/// Files that only a process that was killed leaves.
pub(super) const TEMPORARY: [&str; 5] = [STATE_NEW, VIEW_NEW, STAMP_NEW, SEAL_NEW, "backups/.backup.new"];

/// What is written beside its own file in the directory by whoever exports or evaluates, with or without the lock.
const WRITTEN_BESIDE: [&str; 2] = ["bot-file-", "outcomes"];

/// Returns the names of what killed processes left. Only the holder of the lock may know so of [`TEMPORARY`].
pub(super) fn list_leftovers(dir: &Path) -> Vec<String> {
    let is_file = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let fixed = TEMPORARY.iter().map(|name| (*name).to_owned()).filter(|name| is_file(&dir.join(name)));
    let names = fs::read_dir(dir).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let ours = |name: &str| {
        // Earlier programs had another end of the name.
        let name = name.strip_suffix(".new").map_or(name.to_owned(), |start| format!("{start}.tmp"));
        let target = beside::target_of(&name);
        target.is_some_and(|target| WRITTEN_BESIDE.iter().any(|start| target.starts_with(start)))
    };
    let beside = names.filter(|name| ours(name) && beside::is_left(&dir.join(name)));
    let mut found: Vec<String> = fixed.chain(beside).collect();
    found.sort();
    found
}

/// Removes what killed processes left; only the holder of the lock may. Returns the names.
pub(super) fn remove_temporary(disk: &Disk, dir: &Path) -> Vec<String> {
    let mut found = list_leftovers(dir);
    found.retain(|name| remove(disk, &dir.join(name)).is_ok());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_store_needs_more_free_space() {
        assert_eq!(bytes_to_keep_free(0), 64 << 20);
        assert_eq!(bytes_to_keep_free(16 << 20), 64 << 20);
        assert_eq!(bytes_to_keep_free(17 << 20), 68 << 20);
        assert_eq!(bytes_to_keep_free(u64::MAX), u64::MAX);
    }
}
