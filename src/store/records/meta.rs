//! What the store says about itself. Simple types only, so that any old program can refuse instead of failing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, Record};

/// Which store this is and who may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetaRecord {
    /// The set of tables and key shapes this file was created with.
    pub store_format: u32,
    /// The lowest `store_format` a program must know to read the file.
    pub min_reader_format: u32,
    /// Drawn at creation; part of every row's tag, so that rows of another store are refused.
    pub store_uuid: [u8; 16],
    /// The program that created the file.
    pub app_version: String,
    /// When the file was created, UTC milliseconds.
    pub created_at_ms: i64,
}

impl Record for MetaRecord {
    type Earlier = Self;
    const NAME: &'static str = "MetaRecord";
    const TYPE_ID: u16 = 1;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 4 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        match self.min_reader_format <= self.store_format {
            true => Ok(()),
            false => Err(Invalid { field: "min_reader_format", rule: "must not exceed store_format" }),
        }
    }
}

/// What a section must contain; written in the transaction that changes the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct HeadRecord {
    /// Commits that changed the section.
    pub generation: u64,
    /// Rows in all tables of the section.
    pub rows: u64,
    /// XOR of the tags of these rows.
    pub set_hash: [u8; 16],
}

impl Record for HeadRecord {
    type Earlier = Self;
    const NAME: &'static str = "HeadRecord";
    const TYPE_ID: u16 = 2;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 1 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        Ok(())
    }
}
