//! One consistent state of the store, to read from; the same for the writer and for readers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range, RangeBounds};
use std::path::Path;
use std::sync::OnceLock;

use redb::{ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTableMetadata, TableError};

use super::edition::Edition;
use super::envelope::{
    RowAddress, RowEnvelope, RowError, check_row, decode_record, record_version, row_payload, stored_tag,
};
use super::error::StoreError;
use super::guard::{damaged_error, run_guarded};
use super::keys::{self, META_KEY};
use super::records::{
    CarriedRecord, DecisionRecord, EvidenceRecord, FeaturesRecord, HeadRecord, InsightsRecord, MetaRecord,
    ParamsRecord, Record, RunRecord, SeriesRecord, TrialsRecord, WorkRecord,
};
use super::space::Space;
use super::tables::{self, Class, Section, Table, TableInfo};
use crate::model::{Day, Style};

/// Key derivation context of the hash over all heads.
const CONTENT_CONTEXT: &str = "retune 2026-11 store content v1";
/// The scope of what is passed through: it concerns all of a profile.
pub(super) const CARRIED_SCOPE: &str = "global";

/// Fingerprints of grids by style, and the last day of the first window that was tested with the run that did, by style.
pub(super) type GridsAndLooks = (BTreeSet<(Style, [u8; 32])>, BTreeMap<Style, (Day, u64)>);

/// The store as it was at one commit.
///
/// It borrows what it was taken from, so the writer cannot commit while one is held: an open read transaction
/// would keep every replaced page and let the file grow.
#[derive(Debug)]
pub struct Snapshot<'s> {
    transaction: ReadTransaction,
    path: &'s Path,
    store_uuid: [u8; 16],
    /// What was proved before anything is read; `None` if all of it was.
    proved: Option<&'s Proved>,
}

/// The sections of a file that were proved whole since it was opened.
///
/// A row that is found proves itself by its tag. That there is none, and that there are no more, is believed only of a section
/// whose every row was held against its head.
#[derive(Debug, Default)]
pub(super) struct Proved([OnceLock<()>; Section::HEADED.len()]);

/// How much a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    /// Name of the table.
    pub name: &'static str,
    /// What its rows say.
    pub doc: &'static str,
    /// Whether it could be rebuilt.
    pub class: Class,
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and rows, without the engine's own.
    pub bytes: u64,
}

impl<'s> Snapshot<'s> {
    /// Takes a snapshot of a file that is verified as a whole, and reads which store it is.
    pub(super) fn begin(db: &'s impl ReadableDatabase, path: &'s Path) -> Result<Self, StoreError> {
        Self::begin_with(db, path, None)
    }

    /// Takes a snapshot of a file of which only some sections were proved; the others are when they are read.
    pub(super) fn begin_with(
        db: &'s impl ReadableDatabase,
        path: &'s Path,
        proved: Option<&'s Proved>,
    ) -> Result<Self, StoreError> {
        let transaction = db.begin_read().map_err(|error| StoreError::engine(path, "read", error))?;
        let mut snapshot = Self { transaction, path, store_uuid: [0; 16], proved };
        let meta = snapshot.meta()?;
        if meta.min_reader_format > tables::STORE_FORMAT {
            let (found, supported) = (meta.min_reader_format, tables::STORE_FORMAT);
            return Err(StoreError::TooNew { path: path.to_owned(), what: "store format", found, supported });
        }
        snapshot.store_uuid = meta.store_uuid;
        Ok(snapshot)
    }

    /// Returns what the store says about itself.
    pub fn meta(&self) -> Result<MetaRecord, StoreError> {
        let meta = self.get(&tables::META, META_KEY)?;
        meta.ok_or_else(|| damaged_error(self.path, "it does not say which store it is"))
    }

    /// Returns the head of every section, in order.
    pub fn heads(&self) -> Result<Vec<(Section, HeadRecord)>, StoreError> {
        Section::HEADED.into_iter().map(|section| Ok((section, self.head(section)?))).collect()
    }

    /// Returns which store this is, and as of which commit.
    pub fn edition(&self) -> Result<Edition, StoreError> {
        let mut hash = blake3::Hasher::new_derive_key(CONTENT_CONTEXT);
        let mut generation = 0;
        for (section, head) in self.heads()? {
            hash.update(&head.rows.to_le_bytes());
            hash.update(&head.set_hash);
            if section == Section::History {
                // Every commit is a run of the history.
                generation = head.generation;
            }
        }
        let mut content = [0; 16];
        hash.finalize_xof().fill(&mut content);
        Ok(Edition { store_uuid: self.store_uuid, generation, content })
    }

    fn head(&self, section: Section) -> Result<HeadRecord, StoreError> {
        // A file from before a section existed has no head for it, and no rows.
        Ok(self.get(&tables::HEADS, section.as_str())?.unwrap_or_default())
    }

    /// Returns the active parameters in a scope.
    pub fn params(&self, profile: &str, scope: &str) -> Result<Option<ParamsRecord>, StoreError> {
        self.get(&tables::PARAMS, &keys::scope_key(profile, scope)?)
    }

    /// Returns the active parameters in all scopes, in the order of the scopes.
    pub fn params_all(&self, profile: &str) -> Result<Vec<(String, ParamsRecord)>, StoreError> {
        let rows = self.scan(&tables::PARAMS, keys::all_of(profile)?, usize::MAX, false)?;
        Ok(rows.into_iter().map(|(key, record)| (rest(&key).to_owned(), record)).collect())
    }

    /// Returns what was learned about the features of a style.
    pub fn features(&self, profile: &str, style: Style) -> Result<Option<FeaturesRecord>, StoreError> {
        self.get(&tables::FEATURES, &keys::style_key(profile, style)?)
    }

    /// Returns what was learned about a style, for people.
    pub fn insights(&self, profile: &str, style: Style) -> Result<Option<InsightsRecord>, StoreError> {
        self.get(&tables::INSIGHTS, &keys::style_key(profile, style)?)
    }

    /// Returns the runs of an id range, newest first, at most `limit`.
    pub fn runs(
        &self,
        profile: &str,
        ids: impl RangeBounds<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, RunRecord)>, StoreError> {
        let Some((first, last)) = inclusive(ids) else { return Ok(Vec::new()) };
        let rows = self.scan(&tables::RUNS, keys::run_key_range(profile, first, last)?, limit, true)?;
        Ok(rows.into_iter().filter_map(|(key, run)| Some((keys::run_numbered(rest(&key))?, run))).collect())
    }

    /// Returns the numbers of all runs, newest first, without reading what they say.
    pub fn run_ids(&self, profile: &str) -> Result<Vec<u64>, StoreError> {
        self.prove(Section::History)?;
        let Some(open) = self.open(&tables::RUNS.info)? else { return Ok(Vec::new()) };
        let range = keys::run_key_range(profile, 0, u64::MAX)?;
        let rows = open.range(range.start.as_str()..range.end.as_str());
        let mut ids = Vec::new();
        for row in rows.map_err(|error| self.failed(error))?.rev() {
            let (key, _) = row.map_err(|error| self.failed(error))?;
            ids.extend(keys::run_numbered(rest(key.value())));
        }
        Ok(ids)
    }

    /// Returns a run.
    pub fn run(&self, profile: &str, run: u64) -> Result<Option<RunRecord>, StoreError> {
        self.get(&tables::RUNS, &keys::run_key(profile, run)?)
    }

    /// Returns what a run decided, per style.
    pub fn decisions(&self, profile: &str, run: u64) -> Result<Vec<(Style, DecisionRecord)>, StoreError> {
        let decision = |style: Style| {
            let found = self.get(&tables::DECISIONS, &keys::run_style(profile, run, style)?)?;
            Ok(found.map(|record| (style, record)))
        };
        Style::ALL.into_iter().filter_map(|style| decision(style).transpose()).collect()
    }

    /// Returns the best trials of a run and style.
    pub fn trials(&self, profile: &str, run: u64, style: Style) -> Result<Option<TrialsRecord>, StoreError> {
        self.get(&tables::TRIALS, &keys::run_style(profile, run, style)?)
    }

    /// Returns what an imported file held besides parameters.
    pub fn carried(&self, profile: &str) -> Result<Option<CarriedRecord>, StoreError> {
        self.get(&tables::CARRIED, &keys::scope_key(profile, CARRIED_SCOPE)?)
    }

    /// Returns the fingerprints of the grids that the runs kept have tried, and the last day of the first window they tested with
    /// the run that did, by style.
    pub fn grids_and_looks(&self, profile: &str) -> Result<GridsAndLooks, StoreError> {
        let rows = self.scan(&tables::EVIDENCE, keys::all_of(profile)?, usize::MAX, false)?;
        let (mut grids, mut looks) = (BTreeSet::new(), BTreeMap::new());
        for (key, record) in rows {
            let mut parts = key.rsplit('/');
            let Some(style) = parts.next().and_then(keys::style_named) else { continue };
            grids.insert((style, record.grid));
            let run = parts.next().and_then(|run| run.parse::<u64>().ok());
            if let Some(look) = record.figure("look_day").map(|day| Day(day as i32)).zip(run) {
                let first = looks.entry(style).or_insert(look);
                *first = look.min(*first);
            }
        }
        Ok((grids, looks))
    }

    /// Returns what is known about the candidate of a run and style.
    pub fn evidence(
        &self,
        profile: &str,
        run: u64,
        style: Style,
    ) -> Result<Option<EvidenceRecord>, StoreError> {
        self.get(&tables::EVIDENCE, &keys::run_style(profile, run, style)?)
    }

    /// Returns what pictures of a run and style are drawn from.
    pub fn series(&self, profile: &str, run: u64, style: Style) -> Result<Option<SeriesRecord>, StoreError> {
        self.get(&tables::SERIES, &keys::run_style(profile, run, style)?)
    }

    /// Returns what a run evaluated, and why.
    pub fn work(&self, profile: &str, run: u64) -> Result<Option<WorkRecord>, StoreError> {
        self.get(&tables::WORK, &keys::run_key(profile, run)?)
    }

    /// Returns the profiles that have parameters or runs, sorted.
    pub fn profiles(&self) -> Result<Vec<String>, StoreError> {
        let mut profiles = BTreeSet::new();
        for table in [&tables::PARAMS.info, &tables::RUNS.info] {
            self.prove(table.section)?;
            let Some(open) = self.open(table)? else { continue };
            let mut from = String::new();
            // From the first row of one profile to that of the next, whatever lies between.
            while let Some(row) = open
                .range(from.as_str()..)
                .map_err(|error| self.failed(error))?
                .next()
                .transpose()
                .map_err(|error| self.failed(error))?
            {
                let Some((profile, _)) = keys::split_key(row.0.value()) else { break };
                from = keys::all_of(profile)?.end;
                profiles.insert(profile.to_owned());
            }
        }
        Ok(profiles.into_iter().collect())
    }

    /// Returns whether a profile has parameters or runs.
    pub fn has_profile(&self, profile: &str) -> Result<bool, StoreError> {
        Ok(!self.params_all(profile)?.is_empty() || !self.run_ids(profile)?.is_empty())
    }

    /// Returns how much every table holds.
    pub fn table_sizes(&self) -> Result<Vec<TableSize>, StoreError> {
        let size = |table: &'static TableInfo| {
            let (mut rows, mut bytes) = (0, 0);
            self.each(table, |key, row| {
                rows += 1;
                bytes += (key.len() + row.len()) as u64;
                Ok(())
            })?;
            Ok(TableSize { name: table.name, doc: table.doc, class: table.class, rows, bytes })
        };
        tables::ALL.iter().map(size).collect()
    }

    /// Returns how the bytes of all tables are used.
    pub(super) fn space(&self) -> Result<Space, StoreError> {
        let mut space = Space::default();
        for table in &tables::ALL {
            if let Some(open) = self.open(table)? {
                space.add(&open.stats().map_err(|error| self.failed(error))?);
            }
        }
        Ok(space)
    }

    /// Returns how many rows a table has.
    pub(super) fn count(&self, table: &'static TableInfo) -> Result<u64, StoreError> {
        self.prove(table.section)?;
        let Some(open) = self.open(table)? else { return Ok(0) };
        open.len().map_err(|error| self.failed(error))
    }

    /// Checks the tag of every row, and every section against its head.
    pub(super) fn verify(&self) -> Result<(), StoreError> {
        tables::of_section(Section::Store).try_for_each(|table| self.each_unproved(table, |_, _| Ok(())))?;
        Section::HEADED.into_iter().try_for_each(|section| self.verify_section(section))
    }

    /// Holds every row of a section against its head.
    fn verify_section(&self, section: Section) -> Result<(), StoreError> {
        let head = self.head(section)?;
        let mut found = HeadRecord { generation: head.generation, ..HeadRecord::default() };
        for table in tables::of_section(section) {
            self.each_unproved(table, |_, row| {
                found.rows += 1;
                xor(&mut found.set_hash, row.tag);
                Ok(())
            })?;
        }
        if found != head {
            let (section, expected, found) = (section.as_str(), head.rows, found.rows);
            let reason = format!("section {section} has {found} rows that are not the {expected} written");
            return Err(damaged_error(self.path, reason));
        }
        Ok(())
    }

    /// Proves a section whole, unless it was.
    fn prove(&self, section: Section) -> Result<(), StoreError> {
        let place = Section::HEADED.iter().position(|headed| *headed == section);
        let Some((proved, place)) = self.proved.zip(place) else { return Ok(()) };
        if proved.0[place].get().is_none() {
            run_guarded(self.path, || self.verify_section(section))?;
            proved.0[place].get_or_init(|| ());
        }
        Ok(())
    }

    /// Gives every row of a table, checked, to `visit`.
    pub(super) fn each(
        &self,
        table: &'static TableInfo,
        visit: impl FnMut(&str, StoredRow<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.prove(table.section)?;
        self.each_unproved(table, visit)
    }

    fn each_unproved(
        &self,
        table: &'static TableInfo,
        mut visit: impl FnMut(&str, StoredRow<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Some(open) = self.open(table)? else { return Ok(()) };
        let failed = |error: redb::StorageError| match self.failed(error) {
            StoreError::NeedsRepair { path, reason } => {
                StoreError::NeedsRepair { path, reason: format!("table {}: {reason}", table.name) }
            }
            error => error,
        };
        for entry in open.range::<&str>(..).map_err(failed)? {
            let (key, bytes) = entry.map_err(failed)?;
            let (key, bytes) = (key.value(), bytes.value());
            let checked = check_row(self.place(table, key), bytes);
            let tag = checked.map_err(|error| StoreError::row(self.path, table.name, key, error))?;
            visit(key, StoredRow { bytes, tag })?;
        }
        Ok(())
    }

    /// Returns the bytes of a row, checked.
    pub(super) fn row(&self, table: &'static TableInfo, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        run_guarded(self.path, || {
            let Some(open) = self.open(table)? else { return Ok(None) };
            let Some(found) = open.get(key).map_err(|error| self.failed(error))? else { return Ok(None) };
            let checked = check_row(self.place(table, key), found.value());
            checked.map_err(|error| self.row_error(table, key, error))?;
            Ok(Some(found.value().to_vec()))
        })
    }

    fn get<R: Record>(&self, table: &'static Table<R>, key: &str) -> Result<Option<R>, StoreError> {
        let read = || {
            let Some(open) = self.open(&table.info)? else { return Ok(None) };
            let found = open.get(key).map_err(|error| self.failed(error))?;
            found.map(|row| self.decode(table, key, row.value())).transpose()
        };
        // The engine may stop at what nobody has walked through yet.
        let found = if self.proved.is_some() { run_guarded(self.path, read) } else { read() }?;
        if found.is_none() {
            self.prove(table.info.section)?;
        }
        Ok(found)
    }

    fn scan<R: Record>(
        &self,
        table: &'static Table<R>,
        range: Range<String>,
        limit: usize,
        backwards: bool,
    ) -> Result<Vec<(String, R)>, StoreError> {
        self.prove(table.info.section)?;
        let Some(open) = self.open(&table.info)? else { return Ok(Vec::new()) };
        let range = range.start.as_str()..range.end.as_str();
        let mut entries = open.range(range).map_err(|error| self.failed(error))?;
        let next = || if backwards { entries.next_back() } else { entries.next() };
        let read =
            |entry: Result<(redb::AccessGuard<'_, &'static str>, redb::AccessGuard<'_, RowEnvelope>), _>| {
                let (key, row) = entry.map_err(|error: redb::StorageError| self.failed(error))?;
                Ok((key.value().to_owned(), self.decode(table, key.value(), row.value())?))
            };
        std::iter::from_fn(next).take(limit).map(read).collect()
    }

    fn decode<R: Record>(&self, table: &'static Table<R>, key: &str, row: &[u8]) -> Result<R, StoreError> {
        let decoded = decode_record(self.place(&table.info, key), row);
        decoded.map_err(|error| StoreError::row(self.path, table.info.name, key, error))
    }

    fn place<'a>(&'a self, table: &'a TableInfo, key: &'a str) -> RowAddress<'a> {
        // The row that says which store this is cannot depend on it.
        let store_uuid = if table.name == tables::META.info.name { &[0; 16] } else { &self.store_uuid };
        RowAddress { store_uuid, table, key }
    }

    /// Opens a table; `None` when the file is from before the table existed.
    fn open(
        &self,
        table: &TableInfo,
    ) -> Result<Option<ReadOnlyTable<&'static str, RowEnvelope>>, StoreError> {
        match self.transaction.open_table(table.definition()) {
            Ok(open) => Ok(Some(open)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Names a row that is not what it should be.
    pub(super) fn row_error(&self, table: &TableInfo, key: &str, source: RowError) -> StoreError {
        StoreError::row(self.path, table.name, key, source)
    }

    fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        StoreError::engine(self.path, "read", error)
    }
}

/// A row as it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredRow<'r> {
    pub bytes: &'r [u8],
    pub tag: [u8; 16],
}

impl<'r> StoredRow<'r> {
    /// Takes the bytes of a row that was checked.
    pub(super) fn of(bytes: &'r [u8]) -> Self {
        Self { bytes, tag: stored_tag(bytes).unwrap_or_default() }
    }

    fn len(self) -> usize {
        self.bytes.len()
    }

    /// The version of the record.
    pub(super) fn version(&self) -> u16 {
        record_version(self.bytes)
    }

    /// The record without its envelope.
    pub(super) fn payload(&self) -> Result<Cow<'r, [u8]>, RowError> {
        row_payload(self.bytes)
    }
}

/// Adds a tag to a set hash, or takes it out again.
pub(super) fn xor(hash: &mut [u8; 16], tag: [u8; 16]) {
    hash.iter_mut().zip(tag).for_each(|(byte, other)| *byte ^= other);
}

/// Returns what follows the profile in a key.
fn rest(key: &str) -> &str {
    key.split_once('/').map_or("", |(_, rest)| rest)
}

/// Returns the first and last number of a range; `None` if it is empty.
fn inclusive(range: impl RangeBounds<u64>) -> Option<(u64, u64)> {
    let first = match range.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(before) => before.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let last = match range.end_bound() {
        Bound::Included(last) => *last,
        Bound::Excluded(after) => after.checked_sub(1)?,
        Bound::Unbounded => u64::MAX,
    };
    (first <= last).then_some((first, last))
}
