//! The health of an installation, check by check.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Not looked at, with why.
    Skipped,
    /// Somebody should see to it.
    Warning,
    /// It has to be repaired.
    Broken,
}

impl Status {
    /// Returns the word of the text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "WARNING",
            Self::Broken => "BROKEN",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckPart {
    /// `configuration`, `state.redb`, `disk`, `clock`, ...
    pub name: String,
    /// How it is.
    pub status: Status,
    /// What was found.
    pub detail: String,
    /// What to do; null where there is nothing.
    pub hint: Option<String>,
}

/// A file of the store.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FileSpacePart {
    pub name: String,
    pub bytes: u64,
    /// Keys and rows; null, as what follows, where the file could not be read.
    pub stored_bytes: Option<u64>,
    /// What the engine needs to find them.
    pub metadata_bytes: Option<u64>,
    /// Unused parts of pages in use.
    pub fragmented_bytes: Option<u64>,
    /// Everything else: pages that nothing uses, and the engine's own.
    pub free_bytes: Option<u64>,
}

/// A symbol's candles.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SymbolFreshnessPart {
    pub symbol: String,
    pub newest_close_at: String,
    pub age_hours: f64,
    /// Units that a run would reuse.
    pub reusable: u64,
    /// Of those, evaluated again just now.
    pub checked: u64,
    /// Whether they repeat.
    pub sound: bool,
}

/// One of the last runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DoctorRunPart {
    pub run: u64,
    pub started_at: String,
    pub result: String,
    pub exit_code: i32,
    pub duration_ms: u64,
    pub peak_rss_bytes: u64,
}

/// The state of an installation, check by check.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DoctorDocument {
    /// Whether nothing needs anybody's attention.
    pub healthy: bool,
    /// Everything that was looked at.
    pub checks: Vec<CheckPart>,
    /// Files of the store.
    pub files: Vec<FileSpacePart>,
    /// Symbols, where the candles are known.
    pub symbols: Vec<SymbolFreshnessPart>,
    /// The last runs of the profile, newest first.
    pub runs: Vec<DoctorRunPart>,
    /// What was repaired or compacted.
    pub done: Vec<String>,
}

impl Document for DoctorDocument {
    const KIND: &'static str = "doctor";
}
