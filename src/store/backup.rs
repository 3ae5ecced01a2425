//! Backups of the tables of truth in a second format, made after every commit, and the way back from them.
//!
//! A backup is a gzip file of JSON lines: a header, every row of every table of truth with its names, and a hash of all
//! of it. Nothing of the database engine or of the stored encoding is needed to read it. Each is written beside its
//! final name, made durable and renamed; the oldest of the same store make room. A store that is replaced by a backup
//! is kept under another name.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::disk::{Disk, Step};
use super::engine::{self, damaged};
use super::error::StoreError;
use super::files;
use super::keys::META_KEY;
use super::location::Location;
use super::lock::RunLock;
use super::records::MetaRecord;
use super::snapshot::Snapshot;
use super::tables::{self, Class, TableInfo};
use super::writer::{Heads, Writer};
use crate::model::excerpt;

/// The folder in the store's directory.
pub(super) const FOLDER: &str = "backups";
/// The next backup while it is written.
const NEW: &str = ".backup.new";
const SUFFIX: &str = ".jsonl.gz";
const FORMAT: &str = "retune backup";
const VERSION: u32 = 1;
/// More than this is not read from one backup, once decoded.
const BYTES_MAX: u64 = 1 << 30;
/// The longest line: the largest row, 32 MiB of JSON that is carried along, is JSON within JSON there.
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
}

/// A line for a row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line<'l> {
    table: &'l str,
    pub(super) key: String,
    pub(super) version: u16,
    #[serde(borrow)]
    pub(super) record: &'l RawValue,
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
    /// Rows of parameters in force.
    pub params: u64,
    /// Runs in the history.
    pub runs: u64,
}

/// What was done by [`restore`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub from: PathBuf,
    /// Where the store that was there is now; `None` if there was none.
    pub set_aside: Option<PathBuf>,
    /// What the backup says about itself.
    pub content: BackupContent,
}

/// Writes a backup of a snapshot and removes the oldest beyond `keep` of the same store.
pub(super) fn write(
    disk: &Disk,
    dir: &Path,
    snapshot: &Snapshot<'_>,
    keep: usize,
    now_ms: i64,
) -> Result<(), StoreError> {
    let folder = dir.join(FOLDER);
    files::create_directory(disk, &folder)?;
    let uuid = snapshot.meta()?.store_uuid;
    let bytes = encode(&folder, snapshot, now_ms)?;
    let numbers = numbered(&folder, &uuid)?;
    let number = numbers.last().map_or(1, |(number, _)| number + 1);
    let (new, path) = (folder.join(NEW), folder.join(name(&uuid, number)));
    let mut file = files::create_fresh(disk, &new)?;
    disk.pass(&new, "write", Step::Write { offset: 0, bytes: &bytes })?;
    file.write_all(&bytes).map_err(|error| StoreError::io(&new, "write", error))?;
    files::settle(disk, &new, &file)?;
    files::rename(disk, &new, &path)?;
    let old = (numbers.len() + 1).saturating_sub(keep);
    numbers.iter().take(old).try_for_each(|(_, path)| files::remove(disk, path))
}

/// Returns the backups in a store's directory, newest first of each store; every one is read and checked.
///
/// Errors: the folder cannot be read; there being none is no error
pub fn backups(dir: &Path) -> Result<Vec<Backup>, StoreError> {
    let folder = dir.join(FOLDER);
    let mut found: Vec<(String, u64, PathBuf)> = Vec::new();
    for path in listed(&folder)? {
        found.extend(parts(&path).map(|(store, number)| (store, number, path.clone())));
    }
    found.sort_by(|a, b| (&a.0, b.1).cmp(&(&b.0, a.1)));
    let backup = |(_, number, path): (String, u64, PathBuf)| Backup {
        number,
        bytes: fs::metadata(&path).map_or(0, |found| found.len()),
        content: read(&path, |_, _| Ok(())).map_err(|error| error.to_string()),
        path,
    };
    Ok(found.into_iter().map(backup).collect())
}

/// Puts a store made from a backup in the place of the one that is there, which is kept under another name.
///
/// All of the backup is checked before anything is touched, and the new store is verified before it takes its place.
///
/// Errors: `Busy` while a run is at work, `NeedsRepair` or `TooNew` for a backup that cannot be used
pub fn restore(location: impl Into<Location>, backup: &Path, now_ms: i64) -> Result<Restored, StoreError> {
    let location = location.into();
    let (disk, dir) = (location.disk(), &location.dir);
    let content = read(backup, |_, _| Ok(()))?;
    files::create_directory(&disk, dir)?;
    let lock = RunLock::take(&location, now_ms)?;
    let (new, state) = (dir.join(files::STATE_NEW), dir.join(files::STATE));
    files::check_free_space(backup)?;
    rebuild(&disk, &new, backup).map_err(|error| disk.explain(error))?;
    let set_aside = files::keep_aside(&disk, &state, now_ms)?;
    files::rename(&disk, &new, &state)?;
    drop(lock);
    Ok(Restored { from: backup.to_owned(), set_aside, content })
}

/// Makes a store of a backup's rows in a file of its own and verifies it.
fn rebuild(disk: &Disk, new: &Path, backup: &Path) -> Result<(), StoreError> {
    let file = files::create_fresh(disk, new)?;
    let settled = file.try_clone().map_err(|error| StoreError::io(new, "open", error))?;
    let db = engine::begin_file(disk, new, file, engine::STATE_CACHE_BYTES)?;
    engine::transact(&db, new, |transaction| {
        let meta = meta_of(backup)?;
        Writer::create(transaction, new, &meta)?;
        let mut writer = Writer::new(transaction, new, meta.store_uuid, Heads::new());
        read(backup, |table, row| match table.name == tables::META.info.name {
            true => Ok(()),
            false => writer.put_json(table, &row.key, row.version, row.record.get()),
        })?;
        writer.finish()
    })?;
    drop(db);
    files::settle(disk, new, &settled)?;
    drop(settled);
    engine::open_state(disk, new).map(drop)
}

fn meta_of(backup: &Path) -> Result<MetaRecord, StoreError> {
    let mut meta = None;
    read(backup, |table, row| {
        if (table.name, row.key.as_str()) == (tables::META.info.name, META_KEY) {
            let parsed = serde_json::from_str::<MetaRecord>(row.record.get());
            let parsed = parsed
                .map_err(|error| damaged(backup, format!("its store: {}", excerpt(&error.to_string()))));
            meta = Some(parsed?);
        }
        Ok(())
    })?;
    meta.ok_or_else(|| damaged(backup, "it does not say which store it is of"))
}

fn encode(folder: &Path, snapshot: &Snapshot<'_>, now_ms: i64) -> Result<Vec<u8>, StoreError> {
    let mut lines =
        Lines { out: GzEncoder::new(Vec::new(), Compression::fast()), hash: blake3::Hasher::new() };
    let mut rows = 0;
    for table in truth() {
        snapshot.each(table, |_, _| {
            rows += 1;
            Ok(())
        })?;
    }
    let failed = |error: io::Error| StoreError::io(folder, "encode", error);
    let header = Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        store_format: tables::STORE_FORMAT,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at_ms: now_ms,
        rows,
    };
    lines.add(&header).map_err(failed)?;
    for table in truth() {
        snapshot.each(table, |key, row| {
            let record = (table.record.to_json)(row.version(), row.payload());
            let record = record.map_err(|error| snapshot.row_error(table, key, error))?;
            let record = RawValue::from_string(record).map_err(|error| failed(error.into()))?;
            let version = table.record.version;
            lines
                .add(&Line { table: table.name, key: key.to_owned(), version, record: &record })
                .map_err(failed)
        })?;
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
    fn add(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text)
    }
}

/// Reads a backup from the first line to the last and gives every row to `visit`; what it says is only to be believed
/// when all of it was read.
pub(super) fn read(
    path: &Path,
    mut visit: impl FnMut(&'static TableInfo, &Line<'_>) -> Result<(), StoreError>,
) -> Result<BackupContent, StoreError> {
    let file = File::open(path).map_err(|error| StoreError::io(path, "open", error))?;
    let mut input = BufReader::new(GzDecoder::new(BufReader::new(file)).take(BYTES_MAX));
    let mut line = String::new();
    let mut hash = blake3::Hasher::new();
    let bad = |reason: &str| damaged(path, format!("the backup is not whole: {}", excerpt(reason)));
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
    let header: Header = serde_json::from_str(&line).map_err(|error| bad(&format!("its header: {error}")))?;
    if header.format != FORMAT {
        return Err(bad("it does not begin as one"));
    }
    for (what, found, supported) in [
        ("backup format", header.version, VERSION),
        ("store format", header.store_format, tables::STORE_FORMAT),
    ] {
        if found > supported {
            return Err(StoreError::TooNew { path: path.to_owned(), what, found, supported });
        }
    }
    hash.update(line.as_bytes());
    let mut content = BackupContent {
        created_at_ms: header.created_at_ms,
        app_version: header.app_version,
        rows: header.rows,
        params: 0,
        runs: 0,
    };
    for number in 0..header.rows {
        next(&mut line)?;
        hash.update(line.as_bytes());
        let row: Line<'_> =
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
        Ok(0) => Ok(content),
        Ok(_) => Err(bad("there is more behind its end")),
        Err(error) => Err(bad(&error.to_string())),
    }
}

fn truth() -> impl Iterator<Item = &'static TableInfo> {
    tables::ALL.iter().filter(|table| table.class == Class::Truth)
}

fn name(uuid: &[u8; 16], number: u64) -> String {
    format!("{}-{number:06}{SUFFIX}", short(uuid))
}

/// Returns the first half of a store's name as text.
fn short(uuid: &[u8; 16]) -> String {
    uuid[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns store and number of a backup's name.
fn parts(path: &Path) -> Option<(String, u64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    let (store, number) = name.split_once('-')?;
    Some((store.to_owned(), number.parse().ok()?))
}

/// Returns the backups of a store, oldest first.
fn numbered(folder: &Path, uuid: &[u8; 16]) -> Result<Vec<(u64, PathBuf)>, StoreError> {
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
