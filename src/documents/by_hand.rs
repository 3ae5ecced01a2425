//! What a decision by hand changed.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::ChangePart;
use super::document::Document;
use crate::bot::import::Imported;
use crate::run::adopt::ByHand;

/// The change that `adopt` or `rollback` made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ByHandDocument {
    pub profile: String,
    /// The number it has in the history; null when nothing changed.
    pub run: Option<u64>,
    pub changes: Vec<ChangePart>,
}

impl Document for ByHandDocument {
    const KIND: &'static str = "by_hand";
}

impl ByHandDocument {
    /// Returns the document of what was done.
    pub fn new(profile: &str, done: ByHand) -> Self {
        Self {
            profile: profile.to_owned(),
            run: done.run,
            changes: done.changes.iter().map(ChangePart::from).collect(),
        }
    }
}

/// The parts of a file that `import-json` imported.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ImportDocument {
    pub profile: String,
    /// The number it has in the history.
    pub run: u64,
    pub changes: Vec<ChangePart>,
    /// Styles of which the file has no parameters.
    pub styles_without_parameters: Vec<String>,
    /// Styles of which the file has defaults that an export filled in: they do not become active.
    pub styles_filled_in: Vec<String>,
    /// Top-level keys that go along to the next export.
    pub passed_through: Vec<String>,
    /// Top-level keys that do not: caches that nothing reads.
    pub dropped: Vec<String>,
    /// What somebody should know about single values.
    pub notes: Vec<String>,
}

impl Document for ImportDocument {
    const KIND: &'static str = "import";
    const VERSION: u32 = 2;
}

impl ImportDocument {
    /// Returns the document of what was imported.
    pub fn new(profile: &str, done: Imported) -> Self {
        Self {
            profile: profile.to_owned(),
            run: done.run,
            changes: done.changes.iter().map(ChangePart::from).collect(),
            styles_without_parameters: done.without.iter().map(ToString::to_string).collect(),
            styles_filled_in: done.filled_in.iter().map(ToString::to_string).collect(),
            passed_through: done.carried,
            dropped: done.dropped,
            notes: done.notes,
        }
    }
}
