//! How the store's files are, looked at without changing any; repair and compaction under the writer's lock.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::cache::Cache;
use super::disk::Disk;
use super::engine;
use super::error::StoreError;
use super::files;
use super::snapshot::Snapshot;
use super::state::Store;

/// How the bytes of a file are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Keys and rows.
    pub stored: u64,
    /// What the engine needs to find them.
    pub metadata: u64,
    /// Unused parts of pages in use.
    pub fragmented: u64,
}

impl Space {
    /// Adds what the engine says of a table.
    pub(super) fn add(&mut self, table: &redb::TableStats) {
        self.stored += table.stored_bytes();
        self.metadata += table.metadata_bytes();
        self.fragmented += table.fragmented_bytes();
    }
}

/// What was found about a file.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileState {
    /// It is not there.
    Missing,
    /// Every row was read and verified.
    Whole(Space),
    /// A run has it open; it is not looked into.
    Busy,
    /// It cannot be used as it is.
    Broken(StoreError),
}

/// A file of the store.
#[derive(Debug)]
pub struct FileHealth {
    /// Its name.
    pub name: &'static str,
    /// Its size.
    pub bytes: u64,
    /// What was found.
    pub state: FileState,
    /// Whether it can be made again from others, or by a run.
    pub disposable: bool,
}

/// How a store is.
#[derive(Debug)]
pub struct StoreHealth {
    /// Its files.
    pub files: Vec<FileHealth>,
    /// What of the directory and its files others may read or write, and what is not ours.
    pub exposed: Vec<String>,
    /// Files of processes that were killed while they wrote them.
    pub leftovers: Vec<String>,
    /// Free bytes of the file system, and those that must be free before anything is written.
    pub free_bytes: u64,
    /// See `free_bytes`.
    pub needed_bytes: u64,
}

/// Looks at every file of a store; nothing is changed and nobody is kept out.
///
/// Errors: `NoStore` where there is no such directory, `Io` when it cannot be looked at
pub fn examine(dir: &Path) -> Result<StoreHealth, StoreError> {
    let failed = |error| StoreError::io(dir, "look at", error);
    match fs::metadata(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::NoStore { path: dir.to_owned() });
        }
        found => found.map_err(failed)?,
    };
    let (free_bytes, needed_bytes) = files::free_space(&dir.join(files::STATE))?;
    let leftover = |name: &&str| dir.join(name).exists();
    Ok(StoreHealth {
        files: vec![
            file(dir, files::STATE, false, database(&dir.join(files::STATE))),
            file(dir, files::VIEW, true, database(&dir.join(files::VIEW))),
            file(dir, super::cache::FILE, true, cache(dir)),
        ],
        exposed: exposed(dir).map_err(failed)?,
        leftovers: [files::STATE_NEW, files::VIEW_NEW]
            .iter()
            .filter(|n| leftover(n))
            .map(|n| (*n).to_owned())
            .collect(),
        free_bytes,
        needed_bytes,
    })
}

fn file(
    dir: &Path,
    name: &'static str,
    disposable: bool,
    found: Result<Option<Space>, StoreError>,
) -> FileHealth {
    let bytes = fs::metadata(dir.join(name)).map_or(0, |found| found.len());
    let state = match found {
        Ok(None) => FileState::Missing,
        Ok(Some(space)) => FileState::Whole(space),
        Err(StoreError::Busy { .. }) => FileState::Busy,
        Err(error) => FileState::Broken(error),
    };
    FileHealth { name, bytes, state, disposable }
}

/// Verifies every row of the authoritative file or its copy.
fn database(path: &Path) -> Result<Option<Space>, StoreError> {
    if !files::exists(path)? {
        return Ok(None);
    }
    engine::guarded(path, || {
        let db = engine::open_read_only(path)?;
        let snapshot = Snapshot::begin(&db, path)?;
        snapshot.verify()?;
        Ok(Some(snapshot.space()?))
    })
}

fn cache(dir: &Path) -> Result<Option<Space>, StoreError> {
    if !files::exists(&dir.join(super::cache::FILE))? {
        return Ok(None);
    }
    Cache::examine(dir).map(Some)
}

/// Returns what others may read or write, or own.
fn exposed(dir: &Path) -> std::io::Result<Vec<String>> {
    let own = rustix::process::geteuid().as_raw();
    let mut exposed = Vec::new();
    let mut look = |name: String, meta: &fs::Metadata| {
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            exposed.push(format!("{name} has mode {mode:03o}"));
        }
        if meta.uid() != own {
            exposed.push(format!("{name} belongs to user {}", meta.uid()));
        }
    };
    look("the directory".to_owned(), &fs::metadata(dir)?);
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let meta = fs::symlink_metadata(entry.path())?;
        if meta.is_file() {
            look(entry.file_name().to_string_lossy().into_owned(), &meta);
        }
    }
    exposed.sort();
    Ok(exposed)
}

/// Throws away what can be made again and is damaged, publishes the readers' copy anew, removes leftovers and closes the
/// directory to others. What only this store knows is read and verified, never changed. Returns what was done.
///
/// Errors: those of [`Store::open`]: a damaged authoritative file is for a person, and a backup
pub fn repair(dir: &Path, now_ms: i64) -> Result<Vec<String>, StoreError> {
    drop(examine(dir)?);
    let claim = Store::claim(dir, now_ms)?;
    let mut done = Vec::new();
    if let Err(error) = cache(dir) {
        let thrown = throw_away(&dir.join(super::cache::FILE), now_ms)?;
        done.push(format!("{thrown}, the next run evaluates anew: {error}"));
    }
    // A file is replaced; a folder would be in its way.
    let view = dir.join(files::VIEW);
    if fs::symlink_metadata(&view).is_ok_and(|found| found.is_dir()) {
        let aside = files::set_aside(&Disk::default(), &view, now_ms)?;
        done.push(format!("moved the folder in place of {} aside to `{}`", files::VIEW, aside.display()));
    }
    let store = claim.open(now_ms)?;
    store.publish_view()?;
    done.push("verified the store and published the readers' copy anew".to_owned());
    for name in [files::STATE_NEW, files::VIEW_NEW] {
        if fs::remove_file(dir.join(name)).is_ok() {
            done.push(format!("removed the leftover {name}"));
        }
    }
    for exposed in close(dir)? {
        done.push(format!("closed to others: {exposed}"));
    }
    Ok(done)
}

/// Removes what can be made again. What is no file but stands in its place, such as a folder, is moved aside: it is not
/// ours. Returns what was done.
fn throw_away(path: &Path, now_ms: i64) -> Result<String, StoreError> {
    let found = fs::symlink_metadata(path).map_err(|error| StoreError::io(path, "look at", error))?;
    if found.is_file() {
        files::remove(&Disk::default(), path)?;
        return Ok("removed the cache".to_owned());
    }
    let aside = files::set_aside(&Disk::default(), path, now_ms)?;
    Ok(format!("moved aside to `{}` what is no file but stood for the cache", aside.display()))
}

/// Takes the rights of others away from the directory and its files; returns the names.
fn close(dir: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error| StoreError::io(dir, "change the rights in", error);
    let mut closed = Vec::new();
    let mut paths = vec![dir.to_owned()];
    for entry in fs::read_dir(dir).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    for path in paths {
        let meta = fs::symlink_metadata(&path).map_err(failed)?;
        let mode = meta.permissions().mode();
        if mode & 0o077 != 0 && (meta.is_file() || meta.is_dir()) {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o7700)).map_err(failed)?;
            closed.push(path.display().to_string());
        }
    }
    Ok(closed)
}

/// Bytes of a file before and after it was compacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// Its name.
    pub name: &'static str,
    /// Bytes before.
    pub before: u64,
    /// Bytes after.
    pub after: u64,
}

/// Gives unused space of the store's files back to the file system.
///
/// The authoritative file is written anew beside itself, verified, and takes its place by a rename; the cache is compacted
/// by the engine.
/// Errors: `Busy` when a run has it open; whatever happens, one of old and new file is there and whole
pub fn compact(dir: &Path, now_ms: i64) -> Result<Vec<Compacted>, StoreError> {
    drop(examine(dir)?);
    let store = Store::open(dir, now_ms)?;
    let size = |name: &str| fs::metadata(dir.join(name)).map_or(0, |found| found.len());
    let before = [files::STATE, super::cache::FILE].map(size);
    if files::exists(&dir.join(super::cache::FILE))? {
        Cache::compact(dir)?;
    }
    store.rewrite()?;
    let after = [files::STATE, super::cache::FILE].map(size);
    let names = [files::STATE, super::cache::FILE].into_iter();
    Ok(names
        .zip(before)
        .zip(after)
        .map(|((name, before), after)| Compacted { name, before, after })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::records::RunRecord;
    use crate::store::{CacheBatch, LearningCommit, View};

    /// A store with some runs and a cache most of which was forgotten again.
    fn filled() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("ours");
        let mut store = Store::open(dir.path(), 1).expect("a new store");
        for _ in 0..5 {
            store.commit(LearningCommit::new("default", RunRecord::default())).expect("committed");
        }
        store.publish_view().expect("published");
        let cache = Cache::open(dir.path(), 64 << 20).expect("a cache");
        for symbol in ["A", "B", "C"] {
            let units = (0..1000).map(|day| ((0, day), vec![1; 1000])).collect();
            cache.put(symbol, &CacheBatch { units, ..CacheBatch::default() }, 1).expect("put");
        }
        cache.forget("A").and_then(|()| cache.forget("B")).expect("forgotten");
        drop(cache);
        dir
    }

    fn states(dir: &Path) -> Vec<bool> {
        let whole = |file: &FileHealth| matches!(file.state, FileState::Whole(_));
        examine(dir).expect("a store").files.iter().map(whole).collect()
    }

    #[test]
    fn what_is_whole_is_found_whole_and_compacts() {
        let dir = filled();
        let found = examine(dir.path()).expect("a store");
        assert_eq!(states(dir.path()), [true, true, true], "{found:?}");
        assert!(found.exposed.is_empty() && found.leftovers.is_empty(), "{found:?}");
        let compacted = compact(dir.path(), 2).expect("compacted");
        assert!(compacted.iter().all(|file| file.after <= file.before), "{compacted:?}");
        assert!(compacted[1].after * 2 < compacted[1].before, "{compacted:?}");
        assert_eq!(states(dir.path()), [true, true, true]);
        let view = View::open(dir.path()).expect("a copy");
        assert_eq!(view.read().and_then(|all| all.runs("default", .., 9)).expect("runs").len(), 5);
        let cache = Cache::open(dir.path(), 64 << 20).expect("a cache");
        assert_eq!(cache.size().expect("read").units, 1000);
    }

    #[test]
    fn what_can_be_made_again_is_repaired_and_truth_is_not_touched() {
        let dir = filled();
        let path = |name: &str| dir.path().join(name);
        let truth = fs::read(path(files::STATE)).expect("readable");
        fs::write(path(files::VIEW), b"garbage").expect("written");
        fs::write(path(files::VIEW_NEW), b"half").expect("written");
        fs::write(path(super::super::cache::FILE), vec![7; 9000]).expect("written");
        fs::set_permissions(path(files::VIEW), fs::Permissions::from_mode(0o644)).expect("ours");
        assert_eq!(states(dir.path()), [true, false, false]);
        let found = examine(dir.path()).expect("a store");
        assert_eq!(found.leftovers, [files::VIEW_NEW]);
        assert!(found.exposed.iter().any(|line| line == "view.redb has mode 644"), "{:?}", found.exposed);
        let done = repair(dir.path(), 3).expect("repaired");
        assert!(done.iter().any(|line| line.contains("cache")), "{done:?}");
        assert_eq!(states(dir.path())[..2], [true, true]);
        assert!(!path(super::super::cache::FILE).exists(), "the next run begins it");
        assert!(examine(dir.path()).expect("a store").leftovers.is_empty());
        assert!(View::open(dir.path()).is_ok());
        // A truth that is damaged is refused and stays as it is.
        let mut damaged = truth;
        let middle = damaged.len() / 2;
        damaged[middle..].fill(0xaa);
        damaged[..4096].fill(0x55);
        fs::write(path(files::STATE), &damaged).expect("written");
        assert!(repair(dir.path(), 4).expect_err("damaged").is_unreadable());
        assert!(fs::read(path(files::STATE)).expect("readable") == damaged);
        assert!(matches!(examine(&path("nowhere")), Err(StoreError::NoStore { .. })));
    }
}
