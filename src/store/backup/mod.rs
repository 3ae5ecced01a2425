//! Backups of the tables of truth in a second format, made after every commit, and the way back from them.
//!
//! A backup is a gzip file of JSON lines: a header, every row of every table of truth with its names, and a hash of all
//! of it. Nothing of the database engine or of the stored encoding is needed to read it. Each is written beside its
//! final name, made durable and renamed; older ones of the same store make room, by day and by profile. A store that is replaced by a backup
//! is kept under another name.
//!
//! Where the last backup is large, the next says only what changed since, as the same lines: rows as they are now, `null` for those
//! that are gone. It names the backup it goes on from, by number and content, and the whole one they all begin with; it is
//! restored from all of them. A whole one is made again when what was added is as large.

mod file;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use self::file::{Base, encode, head_of, read_file};
use self::names::{SUFFIX, listed, name, numbered_backups, parts, short};
use super::cache::Cache;
use super::disk::{Disk, Step};
use super::edition::Edition;
use super::engine;
use super::error::StoreError;
use super::files;
use super::guard::{damaged_error, run_guarded};
use super::keys::META_KEY;
use super::location::Location;
use super::lock::RunLock;
use super::records::{HeadRecord, MetaRecord};
use super::snapshot::Snapshot;
use super::state::{Claim, create};
use super::tables::{self, Section, TableInfo};
use super::view::View;
use super::writer::{ChangedRows, Heads, Writer};
use crate::model::{DAY_MS, excerpt};

pub(super) use self::file::BackupLine;
pub(super) use self::names::{FOLDER, hex};

/// The next backup while it is written.
const NEW: &str = ".backup.new";

/// A backup that is smaller than this is always made whole.
const WHOLE_BYTES: u64 = 128 << 10;
/// Backups of changes after which room is made; after a whole one it always is.
const ROOM_EVERY: u64 = 8;
/// What a commit changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommitChanges<'c> {
    /// The store before it.
    pub(super) before: &'c Edition,
    /// The rows it wrote or took out.
    pub(super) rows: &'c ChangedRows,
}

/// A backup among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its number among those of its store.
    pub number: u64,
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// The first half of the name of its store.
    pub store: String,
    /// What it says, or why it cannot be used.
    pub content: Result<BackupContent, String>,
}

/// What a sound backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupContent {
    /// When it was made; UTC ms.
    pub created_at_ms: i64,
    /// The program that made it.
    pub app_version: String,
    /// Rows of all tables.
    pub rows: u64,
    /// Rows of active parameters.
    pub params: u64,
    /// Runs in the history.
    pub runs: u64,
    /// Commits of the store when it was made; `None` for that of an older program.
    pub generation: Option<u64>,
    /// A hash over what it holds; `None` for that of an older program.
    pub content: Option<String>,
    /// Whose run it was made after; `None` for that of an older program.
    pub profile: Option<String>,
    /// The first half of the name of its store; `None` for that of an older program.
    pub store: Option<String>,
}

/// What was done by [`restore_backup`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub from: PathBuf,
    /// Where the store that was there is now; `None` if there was none.
    pub set_aside: Option<PathBuf>,
    /// What the backup says about itself.
    pub content: BackupContent,
    /// Whether it is of another store than the one that was there.
    pub is_foreign: bool,
}

/// Writes a backup of a snapshot, made after a run of a profile, and removes those of the same store that are no longer
/// kept: of each profile the newest of each of the last `keep` days, and the newest `keep` of all.
pub(super) fn write_backup(
    disk: &Disk,
    dir: &Path,
    snapshot: &Snapshot<'_>,
    changes: CommitChanges<'_>,
    profile: &str,
    (keep, now_ms): (usize, i64),
) -> Result<(), StoreError> {
    let folder = dir.join(FOLDER);
    files::create_directory(disk, &folder)?;
    let uuid = snapshot.meta()?.store_uuid;
    let numbers = numbered_backups(&folder, &uuid)?;
    let base = base_of(&numbers, changes.before);
    let is_whole = base.is_none();
    let bytes = encode(&folder, snapshot, profile, now_ms, base.map(|base| (base, changes.rows)))?;
    let number = numbers.last().map_or(1, |(number, _)| number + 1);
    let (new, path) = (folder.join(NEW), folder.join(name(&uuid, number)));
    let mut file = files::create_fresh(disk, &new)?;
    disk.pass(&new, "write", Step::Write { offset: 0, bytes: &bytes })?;
    file.write_all(&bytes).map_err(|error| StoreError::io(&new, "write", error))?;
    files::settle_file(disk, &new, &file)?;
    files::rename(disk, &new, &path)?;
    if !is_whole && !number.is_multiple_of(ROOM_EVERY) {
        return Ok(());
    }
    let old = superseded_backups(&numbered_backups(&folder, &uuid)?, keep);
    old.iter().try_for_each(|path| files::remove(disk, path))
}

/// Returns the backups that make room, of those of a store, oldest first.
fn superseded_backups(numbers: &[(u64, PathBuf)], keep: usize) -> Vec<PathBuf> {
    let mut days: BTreeMap<Option<String>, BTreeSet<i64>> = BTreeMap::new();
    let mut old = Vec::new();
    // From here on they are needed by a later one that is kept.
    let mut needed_from = u64::MAX;
    for (age, (number, path)) in numbers.iter().rev().enumerate() {
        // One that cannot be read is worth no more than its place among the newest.
        let head = head_of(path).ok();
        let base = head.as_ref().and_then(|head| head.base.clone());
        let is_of_a_new_day = head.is_some_and(|head| {
            let days = days.entry(head.profile).or_default();
            days.len() < keep && days.insert(head.created_at_ms.div_euclid(DAY_MS))
        });
        if age >= keep && !is_of_a_new_day && *number < needed_from {
            old.push(path.clone());
        } else if let Some(base) = base {
            needed_from = needed_from.min(base.whole);
        }
    }
    old
}

/// Returns what the next backup can go on from: the last one, if it is of the store before the commit, all that it goes on from
/// is there, and it pays.
fn base_of(numbers: &[(u64, PathBuf)], before: &Edition) -> Option<Base> {
    let (number, path) = numbers.last()?;
    let head = head_of(path).ok()?;
    let content = head.content.filter(|content| *content == hex(&before.content))?;
    let generation = head.generation.filter(|generation| *generation == before.generation)?;
    let whole = head.base.map_or(*number, |base| base.whole);
    let first = numbers.iter().position(|(number, _)| *number == whole)?;
    let chain = &numbers[first..];
    let has_no_gap = chain.len() as u64 == number - whole + 1;
    let bytes = |(_, path): &(u64, PathBuf)| fs::metadata(path).map_or(0, |found| found.len());
    let (of_whole, added) = (bytes(&chain[0]), chain[1..].iter().map(bytes).sum::<u64>());
    let pays = has_no_gap && of_whole >= WHOLE_BYTES && added < of_whole;
    // The last one at least is read: nothing is to go on from what is damaged.
    let is_sound = || *number == whole || read_file(path, |_, _| Ok(())).is_ok();
    (pays && is_sound()).then_some(Base { whole, number: *number, generation, content })
}

/// Returns how many backups there are in a store's directory, of whatever store.
pub(super) fn count_backups(dir: &Path) -> Result<usize, StoreError> {
    Ok(listed(&dir.join(FOLDER))?.iter().filter(|path| parts(path).is_some()).count())
}

/// Returns the name of a store as those of its backups begin.
pub(super) fn store_name(uuid: &[u8; 16]) -> String {
    short(uuid)
}

/// Returns the backups in a store's directory, newest first of each store; every one is read and checked.
///
/// Errors: the folder cannot be read; there being none is no error
pub fn list_backups(dir: &Path) -> Result<Vec<Backup>, StoreError> {
    let folder = dir.join(FOLDER);
    let mut found: Vec<(String, u64, PathBuf)> = Vec::new();
    for path in listed(&folder)? {
        found.extend(parts(&path).map(|(store, number)| (store, number, path.clone())));
    }
    // Oldest first, so that each is read once and held against what it goes on from.
    found.sort();
    let mut chain = Chain::default();
    let mut listed = Vec::new();
    for (store, number, path) in found {
        let content = chain.add(&store, number, &path).map_err(|error| error.to_string());
        let bytes = fs::metadata(&path).map_or(0, |found| found.len());
        listed.push(Backup { number, store, bytes, content, path });
    }
    listed.sort_by(|a, b| (&a.store, b.number).cmp(&(&b.store, a.number)));
    Ok(listed)
}

/// What the backups of a store hold up to one of them.
#[derive(Default)]
struct Chain {
    store: String,
    /// The last one, where it and all that it goes on from are whole.
    last: Option<(u64, BackupContent)>,
    keys: BTreeSet<(&'static str, String)>,
}

impl Chain {
    /// Reads the next backup and returns what it holds together with those before it.
    fn add(&mut self, store: &str, number: u64, path: &Path) -> Result<BackupContent, StoreError> {
        let last = self.last.take().filter(|_| self.store == store);
        store.clone_into(&mut self.store);
        let mut rows = Vec::new();
        let (mut content, base) = read_file(path, |table, row| {
            rows.push((table.name, row.key.clone(), row.is_gone()));
            Ok(())
        })?;
        match base {
            None => self.keys.clear(),
            Some(base) => {
                let fits = last.is_some_and(|(number, last)| base.is_of(number, &last));
                if !fits {
                    return Err(base.missing(path));
                }
            }
        }
        for (table, key, is_gone) in rows {
            match is_gone {
                true => self.keys.remove(&(table, key)),
                false => self.keys.insert((table, key)),
            };
        }
        content.count(self.keys.iter().map(|(table, _)| *table));
        self.last = Some((number, content.clone()));
        Ok(content)
    }
}

impl BackupContent {
    /// Counts rows by the tables they are of.
    fn count<'t>(&mut self, tables: impl Iterator<Item = &'t str>) {
        (self.rows, self.params, self.runs) = (0, 0, 0);
        for table in tables {
            self.rows += 1;
            self.params += u64::from(table == tables::PARAMS.info.name);
            self.runs += u64::from(table == tables::RUNS.info.name);
        }
    }
}

/// Puts a store made from a backup in the place of the one that is there, which is kept under another name.
///
/// All of the backup is checked before anything is touched, and the new store is verified before it takes its place.
///
/// Errors: `Busy` while a run is at work, `NeedsRepair` or `TooNew` for a backup that cannot be used
pub fn restore_backup(
    location: impl Into<Location>,
    backup: &Path,
    now_ms: i64,
) -> Result<Restored, StoreError> {
    let location = location.into();
    let (disk, dir) = (location.disk(), &location.dir);
    let content = read_backup(backup, |_, _| Ok(()))?;
    files::create_directory(&disk, dir)?;
    let lock = RunLock::take(&location, now_ms)?;
    let (new, state) = (dir.join(files::STATE_NEW), dir.join(files::STATE));
    files::check_free_space(backup)?;
    // Whatever was known of the store is older than what is put in its place.
    let known: Vec<Edition> = editions(dir).collect();
    let newest = known.iter().map(|known| known.generation).max().unwrap_or(0);
    let generation = newest.max(content.generation.unwrap_or(0)) + 1;
    let edition = rebuild_store(&disk, &new, backup, generation).map_err(|error| disk.explain(error))?;
    keep_what_is_nowhere_else(&disk, dir, Some(&edition), now_ms)?;
    let set_aside = files::keep_aside(&disk, &state, now_ms)?;
    files::rename(&disk, &new, &state)?;
    let is_foreign = !known.is_empty() && known.iter().all(|known| known.store_uuid != edition.store_uuid);
    drop(Claim::of(location.clone(), lock).open_restored(now_ms)?);
    Ok(Restored { from: backup.to_owned(), set_aside, content, is_foreign })
}

/// Puts a new store without any content in the place of what is there, which is kept under another name.
///
/// Errors: `Busy` while a run is at work; what was there is still there then
pub fn begin_anew(location: impl Into<Location>, now_ms: i64) -> Result<Option<PathBuf>, StoreError> {
    let location = location.into();
    let (disk, dir) = (location.disk(), location.dir.clone());
    files::create_directory(&disk, &dir)?;
    let lock = RunLock::take(&location, now_ms)?;
    let state = dir.join(files::STATE);
    keep_what_is_nowhere_else(&disk, &dir, None, now_ms)?;
    let set_aside = files::keep_aside(&disk, &state, now_ms)?;
    create(&disk, &dir, &state, now_ms).map_err(|error| disk.explain(error))?;
    drop(Claim::of(location, lock).open_restored(now_ms)?);
    Ok(set_aside)
}

/// Returns the name of the store in a directory as those of its backups begin; `None` where no file tells.
pub fn own_store(dir: &Path) -> Option<String> {
    let own = editions(dir).next()?;
    Some(short(&own.store_uuid))
}

/// Keeps the readers' copy aside where neither the store itself holds the same nor what takes its place.
fn keep_what_is_nowhere_else(
    disk: &Disk,
    dir: &Path,
    next: Option<&Edition>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Ok(copy) = View::open(dir).and_then(|view| view.read()?.edition()) else { return Ok(()) };
    let state = engine::glance_at_edition(&dir.join(files::STATE)).ok();
    match state.iter().chain(next).any(|held| held.content == copy.content) {
        true => Ok(()),
        false => files::keep_aside(disk, &dir.join(files::VIEW), now_ms).map(drop),
    }
}

/// Returns what can be told of the editions of the files in a store's directory: itself, its copy, its cache.
fn editions(dir: &Path) -> impl Iterator<Item = Edition> {
    let state = engine::glance_at_edition(&dir.join(files::STATE)).ok();
    let copy = move || View::open_as_it_is(dir).and_then(|view| view.read()?.edition()).ok();
    let looks: [Box<dyn Fn() -> Option<Edition>>; 3] =
        [Box::new(move || state), Box::new(copy), Box::new(move || Cache::stamp_of(dir))];
    looks.into_iter().filter_map(|look| look())
}

/// Makes a store of a backup's rows in a file of its own, as of a commit, and verifies it. Returns its edition.
fn rebuild_store(disk: &Disk, new: &Path, backup: &Path, generation: u64) -> Result<Edition, StoreError> {
    let file = files::create_fresh(disk, new)?;
    let settled = file.try_clone().map_err(|error| StoreError::io(new, "open", error))?;
    let db = engine::begin_file(disk, new, file, engine::STATE_CACHE_BYTES)?;
    engine::transact(&db, new, |transaction| {
        let meta = meta_of(backup)?;
        Writer::create(transaction, new, &meta)?;
        let before = HeadRecord { generation: generation - 1, ..HeadRecord::default() };
        let heads = Heads::from(Section::HEADED.map(|section| (section, before)));
        let mut writer = Writer::new(transaction, new, meta.store_uuid, heads);
        read_backup(backup, |table, row| match table.name == tables::META.info.name {
            true => Ok(()),
            false => writer.put_json(table, &row.key, row.version, row.record.get()),
        })?;
        writer.finish_all()
    })?;
    drop(db);
    files::settle_file(disk, new, &settled)?;
    drop(settled);
    let db = engine::open_state(disk, new)?;
    run_guarded(new, || Snapshot::begin(&*db, new)?.edition())
}

fn meta_of(backup: &Path) -> Result<MetaRecord, StoreError> {
    let mut meta = None;
    read_backup(backup, |table, row| {
        if (table.name, row.key.as_str()) == (tables::META.info.name, META_KEY) {
            let parsed = serde_json::from_str::<MetaRecord>(row.record.get());
            let parsed = parsed.map_err(|error| {
                damaged_error(backup, format!("its store: {}", excerpt(&error.to_string())))
            });
            meta = Some(parsed?);
        }
        Ok(())
    })?;
    meta.ok_or_else(|| damaged_error(backup, "it does not say which store it is of"))
}

/// Reads a backup, and those that it goes on from, and gives every row to `visit`; what they say is only to be believed when all
/// of it was read.
pub(super) fn read_backup(
    path: &Path,
    mut visit: impl FnMut(&'static TableInfo, &BackupLine<'_>) -> Result<(), StoreError>,
) -> Result<BackupContent, StoreError> {
    let (mut content, mut base) = (None, None);
    let mut next = path.to_owned();
    // The newest first: what a later one says of a row is how it is.
    let (mut seen, mut rows) = (BTreeSet::new(), Vec::new());
    loop {
        let (found, goes_on_from) = read_file(&next, |table, row| {
            let is_last_word = seen.insert((table.name, row.key.clone()));
            match is_last_word && !row.is_gone() {
                true => {
                    rows.push(table.name);
                    visit(table, row)
                }
                false => Ok(()),
            }
        })?;
        if let Some(wanted) = base.as_ref().filter(|wanted: &&Base| !wanted.is_of(wanted.number, &found)) {
            return Err(wanted.missing(path));
        }
        content.get_or_insert(found);
        let Some(older) = goes_on_from else { break };
        let newer: Option<Base> = base.replace(older.clone());
        let goes_back = newer.is_none_or(|newer| newer.number > older.number);
        let beside = content.as_ref().and_then(|content| content.store.as_deref());
        let file = beside.map(|store| path.with_file_name(format!("{store}-{:06}{SUFFIX}", older.number)));
        match file.filter(|file| goes_back && file.is_file()) {
            Some(file) => next = file,
            None => return Err(older.missing(path)),
        }
    }
    let mut content = content.expect("one was read");
    content.count(rows.into_iter());
    Ok(content)
}
