//! One file of backups: a header, a line for each row and a hash of all of it, as gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::BackupContent;
use super::names::{FOLDER, hex, short};
use crate::ingest::open_regular;
use crate::model::excerpt;
use crate::store::error::StoreError;
use crate::store::guard::damaged_error;
use crate::store::snapshot::{Snapshot, StoredRow};
use crate::store::tables::{self, Class, TableInfo};
use crate::store::writer::ChangedRows;

const FORMAT: &str = "retune backup";
/// Of a whole one; what goes on from another is of the next version, so that no older program takes it for all there is.
const VERSION: u32 = 1;
const VERSION_OF_CHANGES: u32 = 2;
/// More than this is not read from one backup, once decoded.
const BYTES_MAX: u64 = 1 << 30;
/// The longest line: the largest row, 32 MiB of JSON that is passed through, is JSON within JSON there.
const LINE_BYTES_MAX: u64 = 72 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) store_format: u32,
    pub(super) app_version: String,
    pub(super) created_at_ms: i64,
    pub(super) rows: u64,
    /// The store, as text; a backup of an older program does not say it here.
    #[serde(default)]
    pub(super) store: Option<String>,
    /// Commits of the store when it was made.
    #[serde(default)]
    pub(super) generation: Option<u64>,
    /// A hash over what it holds, see `Edition::content`.
    #[serde(default)]
    pub(super) content: Option<String>,
    /// Whose run it was made after.
    #[serde(default)]
    pub(super) profile: Option<String>,
    /// What it goes on from; `None` where it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<Base>,
}

/// The backup that another goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    /// The number of the whole one that they all begin with.
    pub(super) whole: u64,
    /// Its own number.
    pub(super) number: u64,
    /// Commits of the store when it was made.
    pub(super) generation: u64,
    /// The hash over what it and those before it hold.
    pub(super) content: String,
}

impl Base {
    /// Returns whether this is a backup.
    pub(super) fn is_of(&self, number: u64, content: &BackupContent) -> bool {
        self.number == number
            && content.generation == Some(self.generation)
            && content.content.as_ref() == Some(&self.content)
    }

    pub(super) fn missing(&self, path: &Path) -> StoreError {
        let Self { whole, number, .. } = self;
        let reason = format!(
            "it holds what changed since backup {number}: those from {whole} to {number} of its store have to be beside it, whole"
        );
        damaged_error(path, reason)
    }
}

/// A line for a row.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct BackupLine<'l> {
    table: &'l str,
    pub(in crate::store) key: String,
    pub(in crate::store) version: u16,
    #[serde(borrow)]
    pub(in crate::store) record: &'l RawValue,
}

impl BackupLine<'_> {
    /// Returns whether the row was taken out.
    pub(super) fn is_gone(&self) -> bool {
        self.record.get() == "null"
    }
}

/// The last line: a hash of all lines before it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Footer {
    pub(super) blake3: String,
}

/// Returns a backup: whole, or what changed since another.
pub(super) fn encode(
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
                let record =
                    row.payload().and_then(|payload| (table.record.to_json)(row.version(), &payload));
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

/// Reads one file of backups from the first line to the last and gives every row to `visit`. Returns what it says of itself, and
/// what it goes on from.
pub(super) fn read_file(
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

pub(super) type Decoded = BufReader<io::Take<GzDecoder<BufReader<File>>>>;

pub(super) fn decoded(path: &Path) -> Result<Decoded, StoreError> {
    let file = open_regular(path).map_err(|error| StoreError::io(path, "open", error))?;
    Ok(BufReader::new(GzDecoder::new(BufReader::new(file)).take(BYTES_MAX)))
}

/// Returns what a backup says first.
pub(super) fn head_of(path: &Path) -> Result<Header, StoreError> {
    let mut line = String::new();
    let read = decoded(path)?.take(LINE_BYTES_MAX).read_line(&mut line);
    read.map_err(|error| StoreError::io(path, "read", error))?;
    header(path, &line)
}

pub(super) fn header(path: &Path, line: &str) -> Result<Header, StoreError> {
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

pub(super) fn truth() -> impl Iterator<Item = &'static TableInfo> {
    tables::ALL.iter().filter(|table| table.class == Class::Truth)
}
