//! What `export-freqtrade` wrote, or would write, and what `import-freqtrade` took over.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::ChangePart;
use super::document::Document;
use crate::bot::freqtrade::ParamsChange;

/// What an export of parameters to a freqtrade strategy changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportFreqtradeDocument {
    /// The profile.
    pub profile: String,
    /// The strategy's parameter file.
    pub file: String,
    /// The class that it is of.
    pub strategy: String,
    /// The style whose parameters are handed over.
    pub style: String,
    /// A short name of the set, the same wherever it is exported; the file has it under `retune.params_id`.
    pub params_id: String,
    /// Whether the file was there.
    pub exists: bool,
    /// Parameters that differ.
    pub changes: Vec<ParamsChange>,
    /// Whether the file was written.
    pub written: bool,
    /// Whether the bot was told to read it again.
    pub reloaded: bool,
}

impl Document for ExportFreqtradeDocument {
    const KIND: &'static str = "export_freqtrade";
}

impl ExportFreqtradeDocument {
    /// Returns whether there is a reason to write the file.
    pub fn is_due(&self) -> bool {
        !self.exists || !self.changes.is_empty()
    }
}

/// What an import of a freqtrade strategy's parameters made active.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ImportFreqtradeDocument {
    /// The profile.
    pub profile: String,
    /// The strategy's parameter file.
    pub file: String,
    /// The class that it is of.
    pub strategy: String,
    /// The style whose parameters they are.
    pub style: String,
    /// The number it has in the history.
    pub run: u64,
    /// A short name of the set, the same wherever it is exported.
    pub params_id: String,
    /// What changed.
    pub changes: Vec<ChangePart>,
    /// Parameters of the file that the map does not hand over; an export leaves them as they are.
    pub not_mapped: Vec<String>,
}

impl Document for ImportFreqtradeDocument {
    const KIND: &'static str = "import_freqtrade";
}
