//! What a run means in words and in sensitivities.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, Record, at_most, finite};
use crate::model::Day;

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

/// A lesson of this run or an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LessonRecord {
    /// `axis`, `context` or `verdict`.
    pub kind: String,
    /// The axis or the context; empty for the verdict.
    pub topic: String,
    /// What it says about the topic, without figures: the best level, `earns`, `loses`, the verdict.
    pub claim: String,
    /// The sentence with the newest figures.
    pub text: String,
    /// Last day of the candles that taught it first, `YYYY-MM-DD`.
    pub first_day: String,
    /// Last day of the candles that confirmed it last.
    pub last_day: String,
    /// On how many such days it was seen, the first included.
    pub confirmed: u64,
}

/// What runs learned about one style, for people and for the bot's prompt.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct InsightsRecord {
    /// The run; assigned by the store.
    pub run: u64,
    /// Day of the run, `YYYYMMDD`.
    pub date: String,
    /// Of this run, one sentence each.
    pub lessons: Vec<String>,
    /// What to look at next.
    pub focus: String,
    /// The market contexts that served best, best first.
    pub best_contexts: Vec<String>,
    /// The dimensions, most important first.
    pub sensitivities: Vec<SensitivityRecord>,
    /// When it was written, UTC milliseconds.
    pub updated_at_ms: i64,
    /// The lessons of this run and of earlier ones, the most certain first.
    pub memory: Vec<LessonRecord>,
}

impl Record for InsightsRecord {
    type Earlier = InsightsRecordV1;
    const NAME: &'static str = "InsightsRecord";
    const TYPE_ID: u16 = 5;
    const VERSION: u16 = 2;
    const BYTES_MAX: usize = 64 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("lessons", self.lessons.len(), LINES_MAX)?;
        at_most("best_contexts", self.best_contexts.len(), LINES_MAX)?;
        at_most("sensitivities", self.sensitivities.len(), LINES_MAX)?;
        at_most("memory", self.memory.len(), LINES_MAX)?;
        let is_day = |text: &String| Day::parse(text).is_some();
        if !self.memory.iter().all(|lesson| is_day(&lesson.first_day) && is_day(&lesson.last_day)) {
            return Err(Invalid { field: "memory", rule: "must hold days as YYYY-MM-DD" });
        }
        finite("sensitivities", self.sensitivities.iter().flat_map(|s| [s.importance, s.effect]))
    }
}

/// The first version, which remembered nothing of earlier runs; kept as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct InsightsRecordV1 {
    pub run: u64,
    pub date: String,
    pub lessons: Vec<String>,
    pub focus: String,
    pub best_contexts: Vec<String>,
    pub sensitivities: Vec<SensitivityRecord>,
    pub updated_at_ms: i64,
}

impl From<InsightsRecordV1> for InsightsRecord {
    fn from(before: InsightsRecordV1) -> Self {
        let InsightsRecordV1 { run, date, lessons, focus, best_contexts, sensitivities, updated_at_ms } =
            before;
        let memory = Vec::new();
        Self { run, date, lessons, focus, best_contexts, sensitivities, updated_at_ms, memory }
    }
}

impl Record for InsightsRecordV1 {
    type Earlier = Self;
    const NAME: &'static str = InsightsRecord::NAME;
    const TYPE_ID: u16 = InsightsRecord::TYPE_ID;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = InsightsRecord::BYTES_MAX;

    fn validate(&self) -> Result<(), Invalid> {
        InsightsRecord::from(self.clone()).validate()
    }
}
