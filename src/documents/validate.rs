//! What a closer look at a run found.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::run::deep_validation::{MethodFinding, StyleScrutiny};

/// The results of every method for the candidates of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ValidateDocument {
    pub profile: String,
    pub run: u64,
    /// Whether what takes long was looked at as well.
    pub full: bool,
    pub styles: Vec<ValidateStylePart>,
}

/// One style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ValidateStylePart {
    pub style: String,
    pub findings: Vec<MethodFinding>,
    /// Why something is not said, and what to do about it.
    pub notes: Vec<String>,
}

impl Document for ValidateDocument {
    const KIND: &'static str = "validate";
}

impl ValidateDocument {
    /// Returns the document of what was found.
    pub fn new(profile: &str, run: u64, full: bool, found: Vec<StyleScrutiny>) -> Self {
        let part = |found: StyleScrutiny| ValidateStylePart {
            style: found.style.to_string(),
            findings: found.findings,
            notes: found.notes,
        };
        Self { profile: profile.to_owned(), run, full, styles: found.into_iter().map(part).collect() }
    }
}
