//! What `export-json --diff` shows.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::bot::learning_config::BotFileDifference;

/// The changes that writing the bot's file would make in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportDiffDocument {
    /// The profile.
    pub profile: String,
    /// The file.
    pub file: String,
    /// Whether the file is there.
    pub exists: bool,
    /// Whether this profile imported it or exported it last: if not, it is written by force only.
    pub is_known: bool,
    /// What differs.
    pub differences: Vec<BotFileDifference>,
}

impl Document for ExportDiffDocument {
    const KIND: &'static str = "export_diff";
}

impl ExportDiffDocument {
    /// Returns whether there is a reason to write the file.
    pub fn is_due(&self) -> bool {
        !self.exists || self.differences.iter().any(|difference| difference.is_due)
    }
}
