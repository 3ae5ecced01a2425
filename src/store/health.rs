//! How the store's files are, looked at without changing any; repair and compaction under the writer's lock.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::backup;
use super::cache::Cache;
use super::disk::Disk;
use super::edition::{Edition, Standing};
use super::engine;
use super::error::StoreError;
use super::files;
use super::guard::run_guarded;
use super::lock;
use super::lost::expect_none_lost;
use super::reported;
use super::snapshot::Snapshot;
use super::space::Space;
use super::state::Store;
use super::view::{self, View};

pub use super::files::ASIDE_MAX;

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

/// Something about the files of a store that somebody should see to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub name: &'static str,
    /// Whether readers or runs refuse it.
    pub is_broken: bool,
    /// What was found.
    pub detail: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

/// The backups in a store's directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BackupHealth {
    /// Whole ones of this store; of all, where it is not known which it is.
    pub whole: usize,
    /// Those that cannot be used, with why.
    pub damaged: Vec<String>,
    /// Whole ones of other stores.
    pub foreign: usize,
    /// Commits of this store that the newest does not hold; `None` where that is not known.
    pub behind: Option<u64>,
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
    /// Files that were replaced and are kept, with their sizes.
    pub set_aside: Vec<(String, u64)>,
    /// What does not belong together, or is not as a run leaves it.
    pub apart: Vec<Finding>,
    /// Backups of this store that are whole, and of others.
    pub backups: BackupHealth,
    /// Free bytes of the file system, and those that must be free before anything is written.
    pub free_bytes: u64,
    /// See `free_bytes`.
    pub needed_bytes: u64,
}

/// Looks at every file of a store; nothing is changed and nobody is kept out.
///
/// Errors: `NoStore` where there is no such directory, `Io` when it cannot be looked at
pub fn examine_store(dir: &Path) -> Result<StoreHealth, StoreError> {
    let failed = |error| StoreError::io(dir, "look at", error);
    match fs::metadata(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::NoStore { path: dir.to_owned() });
        }
        found => found.map_err(failed)?,
    };
    let (free_bytes, needed_bytes) = files::free_space(&dir.join(files::STATE))?;
    let mut edition = None;
    let state = expect_none_lost(dir).and_then(|()| state(dir, &mut edition));
    let mut apart = Vec::new();
    if let Some(stored) = &edition {
        apart.extend(copy_apart(dir, stored));
        apart.extend(cache_apart(dir, stored));
    }
    Ok(StoreHealth {
        apart,
        backups: backup_health(dir, edition.as_ref())?,
        files: vec![
            file(dir, files::STATE, false, state),
            file(dir, files::VIEW, true, database(&dir.join(files::VIEW))),
            file(dir, super::cache::FILE, true, cache(dir)),
        ],
        exposed: exposed_paths(dir).map_err(failed)?,
        leftovers: files::list_leftovers(dir),
        set_aside: files::all_set_aside(dir),
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
        Err(StoreError::Busy { .. } | StoreError::Watched { .. }) => FileState::Busy,
        Err(error) => FileState::Broken(error),
    };
    FileHealth { name, bytes, state, disposable }
}

/// Judges the authoritative file as a run does, without changing it, and notes which store it is.
fn state(dir: &Path, edition: &mut Option<Edition>) -> Result<Option<Space>, StoreError> {
    let path = dir.join(files::STATE);
    if !files::file_exists(&path)? {
        return Ok(None);
    }
    engine::look_at_state(&path, |db| {
        let snapshot = Snapshot::begin(db, &path)?;
        *edition = Some(snapshot.edition()?);
        Ok(Some(snapshot.space()?))
    })
}

/// Holds the copy for readers against the store.
fn copy_apart(dir: &Path, stored: &Edition) -> Option<Finding> {
    let path = dir.join(files::VIEW);
    let found = |error: StoreError, is_broken| {
        let hint = error.hint();
        Some(Finding { name: "copy", is_broken, detail: error.to_string(), hint })
    };
    let shown = match View::open_as_it_is(dir).and_then(|view| view.read()?.edition()) {
        Ok(shown) => shown,
        Err(StoreError::NoStore { .. }) => return found(StoreError::Unpublished { path }, true),
        // What is wrong with the file itself is told of it.
        Err(_) => return None,
    };
    let standing = shown.against(stored);
    if standing == Standing::Same || lock::is_held(dir) {
        return None;
    }
    if view::is_pending(dir, &shown, stored) {
        let detail = format!("the run of commit {} is stored and not published yet", stored.generation);
        let hint = Some("the next run publishes it, or `optimizer doctor --repair`");
        return Some(Finding { name: "copy", is_broken: false, detail, hint });
    }
    let (shown, stored) = (Box::new(shown), Box::new(*stored));
    found(StoreError::Apart { path, shown, stored, standing }, true)
}

/// Holds the cache against the store; whatever it holds changes no result.
fn cache_apart(dir: &Path, stored: &Edition) -> Option<Finding> {
    let stamp = Cache::stamp_of(dir)?;
    let (detail, hint) = match stamp.against(stored) {
        Standing::Foreign => {
            ("another store evaluated what it holds".to_owned(), "the next run begins it anew")
        }
        Standing::Ahead => (
            format!("it is of commit {}, the store is at {}", stamp.generation, stored.generation),
            "if an older store was put back by mistake, `optimizer restore` lists newer backups",
        ),
        Standing::Same | Standing::Behind | Standing::Parted => return None,
    };
    Some(Finding { name: "cache", is_broken: false, detail, hint: Some(hint) })
}

/// Reads every backup.
fn backup_health(dir: &Path, stored: Option<&Edition>) -> Result<BackupHealth, StoreError> {
    let own = stored.map(|stored| backup::store_name(&stored.store_uuid));
    let mut health = BackupHealth::default();
    let (mut newest, mut holds_all) = (None, false);
    for backup in backup::list_backups(dir)? {
        match backup.content {
            Err(reason) => health.damaged.push(format!("{}: {reason}", backup.path.display())),
            Ok(_) if own.as_ref().is_some_and(|own| *own != backup.store) => health.foreign += 1,
            Ok(content) => {
                health.whole += 1;
                newest = newest.max(content.generation);
                holds_all |= stored.is_some_and(|s| content.content == Some(backup::hex(&s.content)));
            }
        }
    }
    let behind = |(stored, newest): (&Edition, u64)| match holds_all {
        true => 0,
        false => stored.generation.saturating_sub(newest),
    };
    health.behind = stored.zip(newest).map(behind);
    Ok(health)
}

/// Verifies every row of the copy for readers.
fn database(path: &Path) -> Result<Option<Space>, StoreError> {
    if !files::file_exists(path)? {
        return Ok(None);
    }
    run_guarded(path, || {
        let db = engine::open_read_only(path)?;
        let snapshot = Snapshot::begin(&db, path)?;
        snapshot.verify()?;
        Ok(Some(snapshot.space()?))
    })
}

fn cache(dir: &Path) -> Result<Option<Space>, StoreError> {
    if !files::file_exists(&dir.join(super::cache::FILE))? {
        return Ok(None);
    }
    Cache::examine(dir).map(Some)
}

/// Returns what others may read or write, or own.
fn exposed_paths(dir: &Path) -> std::io::Result<Vec<String>> {
    let user = rustix::process::geteuid();
    // What root looks at belongs to whom the directory belongs.
    let own = if user.is_root() { fs::metadata(dir)?.uid() } else { user.as_raw() };
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

/// Throws away what can be made again and is damaged, publishes the readers' copy again, removes leftovers and closes the
/// directory to others. What only this store knows is read and verified, never changed. Returns what was done.
///
/// Errors: those of [`Store::open`]: a damaged authoritative file is for a person, and a backup
pub fn repair_store(dir: &Path, now_ms: i64) -> Result<Vec<String>, StoreError> {
    drop(examine_store(dir)?);
    let claim = Store::claim(dir, now_ms)?;
    let mut done = Vec::new();
    // A file is replaced; a folder would be in its way.
    let view = dir.join(files::VIEW);
    if fs::symlink_metadata(&view).is_ok_and(|found| found.is_dir()) {
        let aside = files::set_aside(&Disk::default(), &view, now_ms)?;
        done.push(format!("moved the folder in place of {} aside to `{}`", files::VIEW, aside.display()));
    }
    let leftovers = files::remove_temporary(&Disk::default(), dir);
    // Readers have a copy before anything is thrown away.
    let store = claim.open(now_ms)?;
    store.publish_view()?;
    if let Err(error) = cache(dir) {
        let thrown = throw_away(&dir.join(super::cache::FILE), now_ms)?;
        done.push(format!("{thrown}, the next run evaluates again: {error}"));
    }
    let edition = store.read()?.edition()?;
    if Cache::stamp_of(dir).is_some_and(|stamp| stamp.against(&edition) == Standing::Ahead) {
        Cache::open(dir, u64::MAX)?.put_stamp(&edition)?;
        done.push("went on from a store that is older than its cache".to_owned());
    }
    done.push("verified the store and published the readers' copy again".to_owned());
    done.extend(leftovers.iter().map(|name| format!("removed the leftover {name}")));
    done.extend(give_back(dir)?);
    for exposed in close_rights(dir)? {
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

/// Gives files that root made to whom the directory belongs, where root asks for it; returns what was done.
fn give_back(dir: &Path) -> Result<Option<String>, StoreError> {
    let failed = |error| StoreError::io(dir, "list", error);
    let owner = |path: &Path| fs::symlink_metadata(path).map(|found| (found.uid(), found.gid()));
    let mut given = 0;
    for folder in [dir.to_owned(), dir.join(backup::FOLDER), dir.join(reported::FOLDER)] {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let before = owner(&path).map_err(failed)?;
            files::hand_over(&path)?;
            given += usize::from(owner(&path).map_err(failed)? != before);
        }
    }
    Ok((given > 0).then(|| format!("gave {given} files to the owner of the directory")))
}

/// Takes the rights of others away from the directory and its files; returns the names.
fn close_rights(dir: &Path) -> Result<Vec<String>, StoreError> {
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
pub fn compact_store(dir: &Path, now_ms: i64) -> Result<Vec<Compacted>, StoreError> {
    drop(examine_store(dir)?);
    let store = Store::open(dir, now_ms)?;
    let size = |name: &str| fs::metadata(dir.join(name)).map_or(0, |found| found.len());
    let before = [files::STATE, super::cache::FILE].map(size);
    if files::file_exists(&dir.join(super::cache::FILE))? {
        Cache::compact(dir)?;
    }
    drop(store.rewrite()?);
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
        examine_store(dir).expect("a store").files.iter().map(whole).collect()
    }

    #[test]
    fn what_is_whole_is_found_whole_and_compacts() {
        let dir = filled();
        let found = examine_store(dir.path()).expect("a store");
        assert_eq!(states(dir.path()), [true, true, true], "{found:?}");
        assert!(found.exposed.is_empty() && found.leftovers.is_empty(), "{found:?}");
        let compacted = compact_store(dir.path(), 2).expect("compacted");
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
        let found = examine_store(dir.path()).expect("a store");
        assert_eq!(found.leftovers, [files::VIEW_NEW]);
        assert!(found.exposed.iter().any(|line| line == "view.redb has mode 644"), "{:?}", found.exposed);
        let done = repair_store(dir.path(), 3).expect("repaired");
        assert!(done.iter().any(|line| line.contains("cache")), "{done:?}");
        assert_eq!(states(dir.path())[..2], [true, true]);
        assert!(!path(super::super::cache::FILE).exists(), "the next run begins it");
        assert!(examine_store(dir.path()).expect("a store").leftovers.is_empty());
        assert!(View::open(dir.path()).is_ok());
        // A truth that is damaged is refused and stays as it is.
        let mut damaged = truth;
        let middle = damaged.len() / 2;
        damaged[middle..].fill(0xaa);
        damaged[..4096].fill(0x55);
        fs::write(path(files::STATE), &damaged).expect("written");
        assert!(repair_store(dir.path(), 4).expect_err("damaged").is_unreadable());
        assert!(fs::read(path(files::STATE)).expect("readable") == damaged);
        assert!(matches!(examine_store(&path("nowhere")), Err(StoreError::NoStore { .. })));
    }
}
