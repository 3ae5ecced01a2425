//! Everything a store knows about one run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{InspectError, require_profile, unknown_run};
use crate::documents::document::Document;
use crate::documents::input::{InputPart, RunPart};
use crate::documents::style::StylePart;
use crate::model::Style;
use crate::run::adopt::is_by_hand;
use crate::run::recall::style_results;
use crate::run::result::StyleResult;
use crate::store::records::RunRecord;
use crate::store::{Snapshot, StoreError};

/// Returns whether only the summary of a run that searched is kept.
pub(super) fn is_summary(
    snapshot: &Snapshot<'_>,
    profile: &str,
    id: u64,
    record: &RunRecord,
) -> Result<bool, StoreError> {
    // Decisions by hand search nothing.
    if record.config_toml.is_empty() || is_by_hand(&record.result) || snapshot.work(profile, id)?.is_some() {
        return Ok(false);
    }
    for style in Style::ALL {
        if snapshot.trials(profile, id, style)?.is_some() || snapshot.series(profile, id, style)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One run: what went in, what was decided per style and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectRunDocument {
    pub run: RunPart,
    pub input: InputPart,
    pub styles: BTreeMap<String, StylePart>,
    /// The effective configuration, as TOML.
    pub config_toml: String,
    /// Whether what it is drawn and explained from is no longer kept; for the text.
    #[serde(skip)]
    pub is_summary: bool,
}

impl Document for InspectRunDocument {
    const KIND: &'static str = "inspect_run";
    const VERSION: u32 = 2;
}

impl InspectRunDocument {
    /// Reads a run.
    ///
    /// Errors: those of reading the store; an unknown profile or run.
    pub fn read(snapshot: &Snapshot<'_>, profile: &str, id: u64) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        let Some(record) = snapshot.run(profile, id)? else {
            return Err(unknown_run(snapshot, profile, id)?);
        };
        let results = style_results(snapshot, profile, id, &record.styles)?;
        let part = |result: &StyleResult| (result.style.to_string(), StylePart::from(result));
        Ok(Self {
            run: RunPart::stored(profile, id, &record),
            input: InputPart::from(&record),
            styles: results.iter().map(part).collect(),
            is_summary: is_summary(snapshot, profile, id, &record)?,
            config_toml: record.config_toml,
        })
    }
}
