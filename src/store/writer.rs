//! Rows and heads inside one transaction: whatever changes a row changes its section's head.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use redb::{ReadableTable, WriteTransaction};

use super::envelope::{RowAddress, RowEnvelope, Tag, decode_record, encode_record, stored_tag};
use super::error::StoreError;
use super::guard::damaged_error;
use super::keys::META_KEY;
use super::records::{HeadRecord, MetaRecord, Record};
use super::snapshot::xor;
use super::tables::{self, Section, Table, TableInfo};

/// Rows that were written or taken out.
pub(super) type ChangedRows = BTreeSet<(&'static str, String)>;

/// The heads of all sections.
pub(super) type Heads = BTreeMap<Section, HeadRecord>;

/// A transaction on the authoritative store.
pub(super) struct Writer<'t> {
    transaction: &'t WriteTransaction,
    path: &'t Path,
    store_uuid: [u8; 16],
    before: Heads,
    heads: Heads,
    changed: ChangedRows,
}

impl<'t> Writer<'t> {
    /// Begins to write rows.
    pub(super) fn new(
        transaction: &'t WriteTransaction,
        path: &'t Path,
        store_uuid: [u8; 16],
        heads: Heads,
    ) -> Self {
        Self { transaction, path, store_uuid, before: heads.clone(), heads, changed: ChangedRows::new() }
    }

    /// Writes the tables of a new store.
    pub(super) fn create(
        transaction: &WriteTransaction,
        path: &Path,
        meta: &MetaRecord,
    ) -> Result<(), StoreError> {
        let writer = Writer::new(transaction, path, [0; 16], Heads::new());
        writer.insert(&tables::META, META_KEY, meta)?;
        let writer = Writer { store_uuid: meta.store_uuid, ..writer };
        for section in Section::HEADED {
            writer.insert(&tables::HEADS, section.as_str(), &HeadRecord::default())?;
        }
        for table in &tables::ALL {
            writer.open(table)?;
        }
        Ok(())
    }

    /// Returns a row.
    pub(super) fn get<R: Record>(
        &self,
        table: &'static Table<R>,
        key: &str,
    ) -> Result<Option<R>, StoreError> {
        let open = self.open(&table.info)?;
        let found = open.get(key).map_err(|error| self.failed(error))?;
        let Some(row) = found else { return Ok(None) };
        let decoded = decode_record(self.place(&table.info, key), row.value());
        decoded.map(Some).map_err(|error| StoreError::row(self.path, table.info.name, key, error))
    }

    /// Returns the last key of a range.
    pub(super) fn last_key(
        &self,
        table: &TableInfo,
        range: Range<String>,
    ) -> Result<Option<String>, StoreError> {
        let open = self.open(table)?;
        let mut keys = open.range(range.start.as_str()..range.end.as_str()).map_err(|e| self.failed(e))?;
        let last = keys.next_back().transpose().map_err(|error| self.failed(error))?;
        Ok(last.map(|(key, _)| key.value().to_owned()))
    }

    /// Returns the keys of a range.
    pub(super) fn keys(&self, table: &TableInfo, range: Range<String>) -> Result<Vec<String>, StoreError> {
        let open = self.open(table)?;
        let keys = open.range(range.start.as_str()..range.end.as_str()).map_err(|e| self.failed(e))?;
        keys.map(|entry| Ok(entry.map_err(|error| self.failed(error))?.0.value().to_owned())).collect()
    }

    /// Writes a row, whether or not there was one.
    pub(super) fn put<R: Record>(
        &mut self,
        table: &'static Table<R>,
        key: &str,
        record: &R,
    ) -> Result<(), StoreError> {
        let (old, new) = self.insert(table, key, record)?;
        self.account(&table.info, key, old, new)
    }

    /// Writes a row of any table whose record is given as JSON of some version.
    pub(super) fn put_json(
        &mut self,
        table: &'static TableInfo,
        key: &str,
        version: u16,
        json: &str,
    ) -> Result<(), StoreError> {
        if !table.key.accepts(key) {
            return Err(damaged_error(self.path, format!("table {}: {key:?} is no key of it", table.name)));
        }
        let row = (table.record.from_json)(self.place(table, key), version, json);
        let row = row.map_err(|source| StoreError::row(self.path, table.name, key, source))?;
        let (old, new) = self.insert_row(table, key, &row)?;
        self.account(table, key, old, new)
    }

    /// Takes a row out, if there is one.
    pub(super) fn remove(&mut self, table: &'static TableInfo, key: &str) -> Result<(), StoreError> {
        let old = {
            let mut open = self.open(table)?;
            let removed = open.remove(key).map_err(|error| self.failed(error))?;
            removed.map(|row| self.tag(table, row.value())).transpose()?
        };
        self.account(table, key, old, None)
    }

    /// Takes all rows of a range out.
    pub(super) fn remove_range(
        &mut self,
        table: &'static TableInfo,
        range: Range<String>,
    ) -> Result<(), StoreError> {
        self.keys(table, range)?.iter().try_for_each(|key| self.remove(table, key))
    }

    /// Writes the heads of the sections that changed, and returns the rows that did.
    pub(super) fn finish(self) -> Result<ChangedRows, StoreError> {
        self.write_heads(|before, head| before != Some(head))?;
        Ok(self.changed)
    }

    /// Writes the heads of all sections, whether or not they changed.
    pub(super) fn finish_all(self) -> Result<(), StoreError> {
        self.write_heads(|_, _| true)
    }

    fn write_heads(
        &self,
        wanted: impl Fn(Option<&HeadRecord>, &HeadRecord) -> bool,
    ) -> Result<(), StoreError> {
        for (section, head) in &self.heads {
            if wanted(self.before.get(section), head) {
                let next = HeadRecord { generation: head.generation + 1, ..*head };
                self.insert(&tables::HEADS, section.as_str(), &next)?;
            }
        }
        Ok(())
    }

    fn insert<R: Record>(
        &self,
        table: &'static Table<R>,
        key: &str,
        record: &R,
    ) -> Result<(Option<Tag>, Option<Tag>), StoreError> {
        let name = table.info.name;
        let encoded = encode_record(self.place(&table.info, key), record);
        let row =
            encoded.map_err(|source| StoreError::Unstorable { table: name, key: key.to_owned(), source })?;
        self.insert_row(&table.info, key, &row)
    }

    fn insert_row(
        &self,
        table: &'static TableInfo,
        key: &str,
        row: &[u8],
    ) -> Result<(Option<Tag>, Option<Tag>), StoreError> {
        let mut open = self.open(table)?;
        let replaced = open.insert(key, row).map_err(|error| self.failed(error))?;
        let old = replaced.map(|old| self.tag(table, old.value())).transpose()?;
        Ok((old, stored_tag(row)))
    }

    fn account(
        &mut self,
        table: &'static TableInfo,
        key: &str,
        old: Option<Tag>,
        new: Option<Tag>,
    ) -> Result<(), StoreError> {
        self.changed.insert((table.name, key.to_owned()));
        let head = self.heads.entry(table.section).or_default();
        old.iter().chain(&new).for_each(|tag| xor(&mut head.set_hash, *tag));
        let rows = head.rows + u64::from(new.is_some());
        assert!(rows >= u64::from(old.is_some()), "a row that is taken out was counted when it was written");
        head.rows = rows - u64::from(old.is_some());
        Ok(())
    }

    /// Returns the tag of a row that is already in the store; all of them were checked when it was opened.
    fn tag(&self, table: &TableInfo, row: &[u8]) -> Result<Tag, StoreError> {
        stored_tag(row)
            .ok_or_else(|| damaged_error(self.path, format!("a row of table {} is too short", table.name)))
    }

    fn open(&self, table: &TableInfo) -> Result<redb::Table<'t, &'static str, RowEnvelope>, StoreError> {
        self.transaction.open_table(table.definition()).map_err(|error| self.failed(error))
    }

    fn place<'a>(&'a self, table: &'a TableInfo, key: &'a str) -> RowAddress<'a> {
        RowAddress { store_uuid: &self.store_uuid, table, key }
    }

    fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        StoreError::engine(self.path, "write", error)
    }
}
