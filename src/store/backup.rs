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

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::cache::Cache;
use super::disk::{Disk, Step};
use super::edition::Edition;
use super::engine::{self, damaged_error};
use super::error::StoreError;
use super::files;
use super::keys::META_KEY;
use super::location::Location;
use super::lock::RunLock;
use super::records::{HeadRecord, MetaRecord};
use super::snapshot::{Snapshot, StoredRow};
use super::state::{Claim, create};
use super::tables::{self, Class, Section, TableInfo};
use super::view::View;
use super::writer::{ChangedRows, Heads, Writer};
use crate::ingest::open_regular;
use crate::model::{DAY_MS, excerpt};

/// The folder in the store's directory.
pub(super) const FOLDER: &str = "backups";
/// The next backup while it is written.
const NEW: &str = ".backup.new";
const SUFFIX: &str = ".jsonl.gz";
const FORMAT: &str = "retune backup";
/// Of a whole one; what goes on from another is of the next version, so that no older program takes it for all there is.
const VERSION: u32 = 1;
const VERSION_OF_CHANGES: u32 = 2;
/// A backup that is smaller than this is always made whole.
const WHOLE_BYTES: u64 = 128 << 10;
/// Backups of changes after which room is made; after a whole one it always is.
const ROOM_EVERY: u64 = 8;
/// More than this is not read from one backup, once decoded.
const BYTES_MAX: u64 = 1 << 30;
/// The longest line: the largest row, 32 MiB of JSON that is passed through, is JSON within JSON there.
const LINE_BYTES_MAX: u64 = 72 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    store_format: u32,
    app_version: String,
    created_at_ms: i64,
    rows: u64,
    /// The store, as text; a backup of an older program does not say it here.
    #[serde(default)]
    store: Option<String>,
    /// Commits of the store when it was made.
    #[serde(default)]
    generation: Option<u64>,
    /// A hash over what it holds, see [`Edition::content`].
    #[serde(default)]
    content: Option<String>,
    /// Whose run it was made after.
    #[serde(default)]
    profile: Option<String>,
    /// What it goes on from; `None` where it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<Base>,
}

/// The backup that another goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Base {
    /// The number of the whole one that they all begin with.
    whole: u64,
    /// Its own number.
    number: u64,
    /// Commits of the store when it was made.
    generation: u64,
    /// The hash over what it and those before it hold.
    content: String,
}

/// What a commit changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommitChanges<'c> {
    /// The store before it.
    pub(super) before: &'c Edition,
    /// The rows it wrote or took out.
    pub(super) rows: &'c ChangedRows,
}

/// A line for a row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BackupLine<'l> {
    table: &'l str,
    pub(super) key: String,
    pub(super) version: u16,
    #[serde(borrow)]
    pub(super) record: &'l RawValue,
}

impl BackupLine<'_> {
    /// Returns whether the row was taken out.
    fn is_gone(&self) -> bool {
        self.record.get() == "null"
    }
}

/// The last line: a hash of all lines before it.
#[derive(Debug, Serialize, Deserialize)]
struct Footer {
    blake3: String,
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

impl Base {
    /// Returns whether this is a backup.
    fn is_of(&self, number: u64, content: &BackupContent) -> bool {
        self.number == number
            && content.generation == Some(self.generation)
            && content.content.as_ref() == Some(&self.content)
    }

    fn missing(&self, path: &Path) -> StoreError {
        let Self { whole, number, .. } = self;
        let reason = format!(
            "it holds what changed since backup {number}: those from {whole} to {number} of its store have to be beside it, whole"
        );
        damaged_error(path, reason)
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
    engine::run_guarded(new, || Snapshot::begin(&*db, new)?.edition())
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

/// Returns a backup: whole, or what changed since another.
fn encode(
    folder: &Path,
    snapshot: &Snapshot<'_>,
    profile: &str,
    now_ms: i64,
    since: Option<(Base, &ChangedRows)>,
) -> Result<Vec<u8>, StoreError> {
    let mut lines =
        Lines { out: GzEncoder::new(Vec::new(), Compression::fast()), hash: blake3::Hasher::new() };
    let (base, changed) = since.unzip();
    let is_truth = |name: &str| truth().any(|table| table.name == name);
    let rows = match changed {
        Some(changed) => changed.iter().filter(|(table, _)| is_truth(table)).count() as u64,
        None => truth().map(|table| snapshot.count(table)).sum::<Result<u64, StoreError>>()?,
    };
    let failed = |error: io::Error| StoreError::io(folder, "encode", error);
    let edition = snapshot.edition()?;
    let header = Header {
        store: Some(short(&edition.store_uuid)),
        generation: Some(edition.generation),
        content: Some(hex(&edition.content)),
        profile: Some(profile.to_owned()),
        format: FORMAT.to_owned(),
        version: if base.is_some() { VERSION_OF_CHANGES } else { VERSION },
        store_format: tables::STORE_FORMAT,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at_ms: now_ms,
        rows,
        base,
    };
    lines.add(&header).map_err(failed)?;
    for table in truth() {
        let Some(changed) = changed else {
            snapshot.each(table, |key, row| lines.add_row(snapshot, table, key, Some(row)))?;
            continue;
        };
        for (_, key) in changed.iter().filter(|(name, _)| *name == table.name) {
            let row = snapshot.row(table, key)?;
            lines.add_row(snapshot, table, key, row.as_deref().map(StoredRow::of))?;
        }
    }
    let footer = Footer { blake3: lines.hash.finalize().to_hex().to_string() };
    lines.add(&footer).and_then(|()| lines.out.finish()).map_err(failed)
}

/// Lines on their way to a file, with the hash of all so far.
struct Lines {
    out: GzEncoder<Vec<u8>>,
    hash: blake3::Hasher,
}

impl Lines {
    /// Adds a row as it is now; `None` where it was taken out.
    fn add_row(
        &mut self,
        snapshot: &Snapshot<'_>,
        table: &TableInfo,
        key: &str,
        row: Option<StoredRow<'_>>,
    ) -> Result<(), StoreError> {
        let failed = |error: io::Error| StoreError::io(Path::new(FOLDER), "encode", error);
        let record = match row {
            Some(row) => {
                let record = (table.record.to_json)(row.version(), row.payload());
                let record = record.map_err(|error| snapshot.row_error(table, key, error))?;
                RawValue::from_string(record).map_err(|error| failed(error.into()))?
            }
            None => RawValue::NULL.to_owned(),
        };
        let version = if row.is_some() { table.record.version } else { 0 };
        let line = BackupLine { table: table.name, key: key.to_owned(), version, record: &record };
        self.add(&line).map_err(failed)
    }

    fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text)
    }
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

/// Reads one file of backups from the first line to the last and gives every row to `visit`. Returns what it says of itself, and
/// what it goes on from.
fn read_file(
    path: &Path,
    mut visit: impl FnMut(&'static TableInfo, &BackupLine<'_>) -> Result<(), StoreError>,
) -> Result<(BackupContent, Option<Base>), StoreError> {
    let mut input = decoded(path)?;
    let mut line = String::new();
    let mut hash = blake3::Hasher::new();
    let bad = |reason: &str| damaged_error(path, format!("the backup is not whole: {}", excerpt(reason)));
    let mut next = |line: &mut String| {
        line.clear();
        let read =
            (&mut input).take(LINE_BYTES_MAX).read_line(line).map_err(|error| bad(&error.to_string()))?;
        match read {
            0 => Err(bad("it ends too early")),
            _ if line.ends_with('\n') => Ok(()),
            _ => Err(bad("a line is too long, or cut short")),
        }
    };
    next(&mut line)?;
    let header = header(path, &line)?;
    hash.update(line.as_bytes());
    let mut content = BackupContent {
        created_at_ms: header.created_at_ms,
        app_version: header.app_version,
        rows: header.rows,
        params: 0,
        runs: 0,
        generation: header.generation,
        content: header.content,
        profile: header.profile,
        store: header.store,
    };
    for number in 0..header.rows {
        next(&mut line)?;
        hash.update(line.as_bytes());
        let row: BackupLine<'_> =
            serde_json::from_str(&line).map_err(|error| bad(&format!("row {}: {error}", number + 1)))?;
        let table = truth().find(|table| table.name == row.table);
        let table =
            table.ok_or_else(|| bad(&format!("row {}: no table {:?}", number + 1, excerpt(row.table))))?;
        if row.version > table.record.version {
            let (found, supported) = (row.version.into(), table.record.version.into());
            return Err(StoreError::TooNew { path: path.to_owned(), what: "row version", found, supported });
        }
        if !table.key.accepts(&row.key) {
            let (shape, key) = (table.key.text(), excerpt(&row.key));
            return Err(bad(&format!("row {}: the key {key:?} is not of the form {shape}", number + 1)));
        }
        if row.is_gone() && header.base.is_none() {
            return Err(bad(&format!("row {}: a whole backup takes nothing out", number + 1)));
        }
        content.params += u64::from(table.name == tables::PARAMS.info.name);
        content.runs += u64::from(table.name == tables::RUNS.info.name);
        visit(table, &row)?;
    }
    next(&mut line)?;
    let footer: Footer = serde_json::from_str(&line).map_err(|error| bad(&format!("its end: {error}")))?;
    if footer.blake3 != hash.finalize().to_hex().as_str() {
        return Err(bad("its content is not what was written"));
    }
    line.clear();
    match input.read_line(&mut line) {
        Ok(0) => {}
        Ok(_) => return Err(bad("there is more behind its end")),
        Err(error) => return Err(bad(&error.to_string())),
    }
    let mut compressed = input.into_inner().into_inner().into_inner();
    match compressed.fill_buf() {
        Ok([]) => Ok((content, header.base)),
        Ok(_) => Err(bad("there is more behind its end")),
        Err(error) => Err(StoreError::io(path, "read", error)),
    }
}

type Decoded = BufReader<io::Take<GzDecoder<BufReader<File>>>>;

fn decoded(path: &Path) -> Result<Decoded, StoreError> {
    let file = open_regular(path).map_err(|error| StoreError::io(path, "open", error))?;
    Ok(BufReader::new(GzDecoder::new(BufReader::new(file)).take(BYTES_MAX)))
}

/// Returns what a backup says first.
fn head_of(path: &Path) -> Result<Header, StoreError> {
    let mut line = String::new();
    let read = decoded(path)?.take(LINE_BYTES_MAX).read_line(&mut line);
    read.map_err(|error| StoreError::io(path, "read", error))?;
    header(path, &line)
}

fn header(path: &Path, line: &str) -> Result<Header, StoreError> {
    let bad = |reason: &str| damaged_error(path, format!("the backup is not whole: {}", excerpt(reason)));
    let header: Header = serde_json::from_str(line).map_err(|error| bad(&format!("its header: {error}")))?;
    if header.format != FORMAT {
        return Err(bad("it does not begin as one"));
    }
    for (what, found, supported) in [
        ("backup format", header.version, VERSION_OF_CHANGES),
        ("store format", header.store_format, tables::STORE_FORMAT),
    ] {
        if found > supported {
            return Err(StoreError::TooNew { path: path.to_owned(), what, found, supported });
        }
    }
    Ok(header)
}

fn truth() -> impl Iterator<Item = &'static TableInfo> {
    tables::ALL.iter().filter(|table| table.class == Class::Truth)
}

fn name(uuid: &[u8; 16], number: u64) -> String {
    format!("{}-{number:06}{SUFFIX}", short(uuid))
}

/// Returns the first half of a store's name as text.
fn short(uuid: &[u8; 16]) -> String {
    hex(&uuid[..8])
}

/// Returns bytes as text.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns store and number of a backup's name.
fn parts(path: &Path) -> Option<(String, u64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let (store, number) = name.split_once('-')?;
    Some((store.to_owned(), number.parse().ok()?))
}

/// Returns the backups of a store, oldest first.
fn numbered_backups(folder: &Path, uuid: &[u8; 16]) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let own = |path: PathBuf| parts(&path).filter(|(store, _)| *store == short(uuid)).map(|(_, n)| (n, path));
    let mut found: Vec<(u64, PathBuf)> = listed(folder)?.into_iter().filter_map(own).collect();
    found.sort();
    Ok(found)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |error| StoreError::io(folder, "list", error);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect(),
    }
}
