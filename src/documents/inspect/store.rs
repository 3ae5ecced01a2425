//! The store itself: tables, files, identity.

use schemars::JsonSchema;
use serde::Serialize;

use super::InspectError;
use crate::documents::document::Document;
use crate::documents::document::hex_text;
use crate::model::rfc3339;
use crate::store::{Class, Snapshot, TableSize};

/// The tables, files and identity of the store.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectStoreDocument {
    pub directory: String,
    pub store_format: u32,
    /// The lowest format a program must know to read it.
    pub min_reader_format: u32,
    pub uuid: String,
    pub created_at: String,
    /// Version of the program that created it.
    pub created_by: String,
    pub profiles: Vec<String>,
    pub files: Vec<StoreFilePart>,
    pub tables: Vec<StoreTablePart>,
}

impl Document for InspectStoreDocument {
    const KIND: &'static str = "inspect_store";
}

/// A file of the store's directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StoreFilePart {
    pub name: String,
    pub bytes: u64,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StoreTablePart {
    pub name: String,
    pub doc: String,
    /// `truth`, or `derived` where it follows from others.
    pub class: String,
    pub rows: u64,
    /// Of keys and rows, without the engine's own.
    pub bytes: u64,
}

impl StoreTablePart {
    fn new(size: TableSize) -> Self {
        let class = match size.class {
            Class::Truth => "truth",
            Class::Derived => "derived",
        };
        let (name, doc) = (size.name.to_owned(), size.doc.to_owned());
        Self { name, doc, class: class.to_owned(), rows: size.rows, bytes: size.bytes }
    }
}

impl InspectStoreDocument {
    /// Reads what the store says about itself; the files of its directory come from the caller.
    ///
    /// Errors: those of reading the store.
    pub fn read(
        snapshot: &Snapshot<'_>,
        directory: String,
        files: Vec<StoreFilePart>,
    ) -> Result<Self, InspectError> {
        let meta = snapshot.meta()?;
        Ok(Self {
            directory,
            store_format: meta.store_format,
            min_reader_format: meta.min_reader_format,
            uuid: hex_text(&meta.store_uuid),
            created_at: rfc3339(meta.created_at_ms),
            created_by: meta.app_version,
            profiles: snapshot.profiles()?,
            files,
            tables: snapshot.table_sizes()?.into_iter().map(StoreTablePart::new).collect(),
        })
    }
}
