//! What a run means in words and in sensitivities.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, Record, at_most, finite};

/// The most lines or sensitivities a record keeps.
const LINES_MAX: usize = 64;

/// How much a dimension matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SensitivityRecord {
    /// Name of the dimension.
    pub dimension: String,
    /// Share of the variance of the score that the dimension explains, 0..=1.
    pub importance: f64,
    /// Mean score of its best level minus that of its worst.
    pub effect: f64,
    /// The best level.
    pub best_value: String,
}

/// What a run learned about one style, for people.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct InsightsRecord {
    /// The run; assigned by the store.
    pub run: u64,
    /// Day of the run, `YYYYMMDD`.
    pub date: String,
    /// One sentence each.
    pub lessons: Vec<String>,
    /// What to look at next.
    pub focus: String,
    /// The market contexts that served best, best first.
    pub best_contexts: Vec<String>,
    /// The dimensions, most important first.
    pub sensitivities: Vec<SensitivityRecord>,
    /// When it was written, UTC milliseconds.
    pub updated_at_ms: i64,
}

impl Record for InsightsRecord {
    const NAME: &'static str = "InsightsRecord";
    const TYPE_ID: u16 = 5;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = 64 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("lessons", self.lessons.len(), LINES_MAX)?;
        at_most("best_contexts", self.best_contexts.len(), LINES_MAX)?;
        at_most("sensitivities", self.sensitivities.len(), LINES_MAX)?;
        finite("sensitivities", self.sensitivities.iter().flat_map(|s| [s.importance, s.effect]))
    }
}
