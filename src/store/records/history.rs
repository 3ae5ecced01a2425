//! What happened: runs, what each decided per style, and the best trials of each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::METRICS_VERSION;
use super::{
    DecisionRecordV1, Invalid, Record, RunRecordV3, StoredMetrics, StoredParameterSet, TrialsRecordV1,
    at_most, finite,
};
use crate::decide::ParameterChange;
use crate::model::Day;

/// The most kinds of issue a run keeps.
pub(super) const ISSUES_MAX: usize = 200;
/// The most trials kept per run and style.
const TRIALS_MAX: usize = 50;

/// Something about the input of a run that should be known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IssueRecord {
    /// The file, or the symbol for what concerns all its files together.
    pub file: String,
    /// The first line concerned, where lines have a meaning.
    pub line: Option<u64>,
    /// Name of the kind.
    pub kind: String,
    /// How often.
    pub count: u64,
    /// What there is to say besides.
    pub detail: ReasonRecord,
}

/// The size of one style's evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunStyleRecord {
    /// Name of the style.
    pub style: String,
    /// Signals evaluated.
    pub signals: u64,
    /// Signals whose longest holding time is not over yet.
    pub pending: u64,
    /// Parameter sets evaluated.
    pub parameter_sets: u64,
    /// Opportunities found by hindsight.
    pub opportunities: u64,
}

impl RunStyleRecord {
    /// Returns the record of a style about which something was decided without evaluating anything.
    pub fn unevaluated(style: &str) -> Self {
        Self { style: style.to_owned(), signals: 0, pending: 0, parameter_sets: 0, opportunities: 0 }
    }
}

/// What became of the rows of a file of signals: each is in exactly one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SignalsRecord {
    pub file: String,
    pub rows: u64,
    pub counted: u64,
    pub duplicates: u64,
    pub without_candles: u64,
    pub before_candles: u64,
    pub after_candles: u64,
    pub outside_window: u64,
    pub other_styles: u64,
    pub fingerprint: [u8; 32],
}

/// The age of the candles of a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SymbolAgeRecord {
    /// The symbol.
    pub symbol: String,
    /// When its newest candle closed, UTC milliseconds.
    pub newest_close_ms: Option<i64>,
    /// The word of its age.
    pub age: String,
}

/// The age of the candles of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FreshnessRecord {
    /// Age from which a symbol is stale, milliseconds.
    pub limit_ms: i64,
    /// The word of the clock.
    pub clock: String,
    /// What speaks against the clock.
    pub clock_reason: Option<ReasonRecord>,
    /// Symbols with candles in order, then those that vanished.
    pub symbols: Vec<SymbolAgeRecord>,
}

/// One run: what went in, what it cost, how it ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// When it started, UTC milliseconds.
    pub started_at_ms: i64,
    /// How long it took.
    pub duration_ms: u64,
    /// The program.
    pub app_version: String,
    /// How it ended, as the last line of the run says: `changed`, `unchanged`, `rejected`, ...
    pub result: String,
    /// The exit code.
    pub exit_code: i32,
    /// Fingerprint of the data.
    pub data_fingerprint: [u8; 32],
    /// Fingerprint of everything that decides the results besides the data.
    pub plan_fingerprint: [u8; 32],
    /// The effective configuration.
    pub config_toml: String,
    /// Files read.
    pub files: u64,
    /// Symbols, sorted.
    pub symbols: Vec<String>,
    /// Candles read.
    pub candles: u64,
    /// Days with data.
    pub days: u64,
    /// First day with data, `YYYY-MM-DD`; empty without data.
    pub first_day: String,
    /// Last day with data.
    pub last_day: String,
    /// Per style.
    pub styles: Vec<RunStyleRecord>,
    /// Worker threads.
    pub threads: u32,
    /// Largest resident set.
    pub peak_rss_bytes: u64,
    /// What was wrong with the data; at most 200.
    pub issues: Vec<IssueRecord>,
    /// First day that was asked for, `YYYY-MM-DD`; empty for as many as there are.
    pub asked_first_day: String,
    /// The day that was asked to end before; empty for as many as there are.
    pub asked_end_day: String,
    /// Whether an interrupted run left results that this one went on from. Here and below: `None` of runs of older programs.
    pub resumed: Option<bool>,
    /// The earlier run with the same candles and plan, whose decisions stand.
    pub same_as: Option<u64>,
    /// Days that no run of before had.
    pub days_new: Option<u64>,
    /// The signals that were given.
    pub signals: Option<SignalsRecord>,
    /// The age of the candles.
    pub freshness: Option<FreshnessRecord>,
}

impl RunRecord {
    /// Returns the days that were asked for: the first, and the one to end before.
    pub fn asked_days(&self) -> (Option<Day>, Option<Day>) {
        (Day::parse(&self.asked_first_day), Day::parse(&self.asked_end_day))
    }
}

impl Record for RunRecord {
    type Earlier = RunRecordV3;
    const NAME: &'static str = "RunRecord";
    const TYPE_ID: u16 = 6;
    const VERSION: u16 = 4;
    const BYTES_MAX: usize = 256 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("issues", self.issues.len(), ISSUES_MAX)?;
        days_or_empty([&self.asked_first_day, &self.asked_end_day])
    }
}

/// Checks the days that were asked for.
pub(super) fn days_or_empty(asked: [&String; 2]) -> Result<(), Invalid> {
    let is_day = |text: &String| text.is_empty() || Day::parse(text).is_some();
    match asked.into_iter().all(is_day) {
        true => Ok(()),
        false => Err(Invalid {
            field: "asked_first_day, asked_end_day",
            rule: "must be days as YYYY-MM-DD, or empty",
        }),
    }
}

/// A parameter set on trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CandidateRecord {
    /// The parameters.
    pub set: StoredParameterSet,
    /// Score on all data; `None` when undefined.
    pub score: Option<f64>,
    /// Metrics on all data.
    pub full: StoredMetrics,
    /// Metrics on the earlier part.
    pub early: StoredMetrics,
    /// Metrics on the later part.
    pub late: StoredMetrics,
}

impl CandidateRecord {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        self.set.validate()?;
        finite("score", self.score)?;
        [&self.full, &self.early, &self.late].into_iter().try_for_each(StoredMetrics::validate)
    }
}

/// One key that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ChangeRecord {
    pub scope: String,
    pub key: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

impl From<&ChangeRecord> for ParameterChange {
    fn from(record: &ChangeRecord) -> Self {
        let ChangeRecord { scope, key, old, new } = record.clone();
        Self { scope, key, old, new }
    }
}

/// Why something was decided, or what there is to say of it: the kind of the reason, and its values as JSON by their names; nothing where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ReasonRecord {
    pub code: String,
    pub values: String,
}

impl ReasonRecord {
    /// Returns the record of a reason that a program kept as a sentence.
    pub fn told(sentence: String) -> Self {
        Self { code: "told".to_owned(), values: serde_json::Value::from(sentence).to_string() }
    }
}

/// What a run decided for one style, and on what grounds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DecisionRecord {
    /// Verdict of the validation.
    pub verdict: String,
    /// Whether the candidate is now active.
    pub adopted: bool,
    /// Whether the active parameters changed.
    pub changed: bool,
    /// What became of the candidate, in a word.
    pub outcome: String,
    /// Why.
    pub reasons: Vec<ReasonRecord>,
    /// Name of the score compared by.
    pub score_name: String,
    /// The best parameter set of the run.
    pub candidate: Option<CandidateRecord>,
    /// The parameters that were active, on the same data.
    pub incumbent: Option<CandidateRecord>,
    /// How stable the candidate is between the two parts.
    pub stability: Option<f64>,
    /// What the candidate lost from the earlier to the later part.
    pub degradation: Option<f64>,
    /// Later win rate over earlier win rate.
    pub win_rate_ratio: Option<f64>,
    /// First day of the earlier part, `YYYY-MM-DD`.
    pub early_first_day: String,
    /// Last day of the earlier part.
    pub early_last_day: String,
    /// First day of the later part.
    pub late_first_day: String,
    /// Last day of the later part.
    pub late_last_day: String,
    /// The keys that changed.
    pub changes: Vec<ChangeRecord>,
}

impl Record for DecisionRecord {
    type Earlier = DecisionRecordV1;
    const NAME: &'static str = "DecisionRecord";
    const TYPE_ID: u16 = 7;
    const VERSION: u16 = 1 + METRICS_VERSION;
    const BYTES_MAX: usize = 128 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        self.candidate.iter().chain(&self.incumbent).try_for_each(CandidateRecord::validate)?;
        finite("stability", self.stability)?;
        finite("degradation", self.degradation)?;
        finite("win_rate_ratio", self.win_rate_ratio)
    }
}

/// One evaluated parameter set of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrialRecord {
    /// 1 is the best.
    pub rank: u32,
    /// The parameters.
    pub set: StoredParameterSet,
    /// Their score.
    pub score: f64,
    /// What they achieved.
    pub metrics: StoredMetrics,
}

/// The best trials of a run and style, best first; at most 50.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TrialsRecord {
    pub trials: Vec<TrialRecord>,
}

impl Record for TrialsRecord {
    type Earlier = TrialsRecordV1;
    const NAME: &'static str = "TrialsRecord";
    const TYPE_ID: u16 = 8;
    const VERSION: u16 = 1 + METRICS_VERSION;
    const BYTES_MAX: usize = 256 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("trials", self.trials.len(), TRIALS_MAX)?;
        self.trials.iter().try_for_each(|trial| {
            trial.set.validate()?;
            finite("score", [trial.score])?;
            trial.metrics.validate()
        })
    }
}
