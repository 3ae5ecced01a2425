//! What happened: runs, what each decided per style, and the best trials of each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::METRICS_VERSION;
use super::{
    DecisionRecordV1, Invalid, Record, StoredMetrics, StoredParameterSet, TrialsRecordV1, at_most, finite,
};
use crate::decide::ParameterChange;
use crate::model::Day;

/// The most kinds of issue a run keeps.
const ISSUES_MAX: usize = 200;
/// The most trials kept per run and style.
const TRIALS_MAX: usize = 50;

/// Something wrong with an input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct IssueRecord {
    pub file: String,
    pub kind: String,
    pub count: u64,
    pub detail: String,
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
}

impl RunRecord {
    /// Returns the days that were asked for: the first, and the one to end before.
    pub fn asked_days(&self) -> (Option<Day>, Option<Day>) {
        (Day::parse(&self.asked_first_day), Day::parse(&self.asked_end_day))
    }
}

impl Record for RunRecord {
    type Earlier = RunRecordV1;
    const NAME: &'static str = "RunRecord";
    const TYPE_ID: u16 = 6;
    const VERSION: u16 = 2;
    const BYTES_MAX: usize = 256 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("issues", self.issues.len(), ISSUES_MAX)?;
        let is_day = |text: &String| text.is_empty() || Day::parse(text).is_some();
        match [&self.asked_first_day, &self.asked_end_day].into_iter().all(is_day) {
            true => Ok(()),
            false => Err(Invalid {
                field: "asked_first_day, asked_end_day",
                rule: "must be days as YYYY-MM-DD, or empty",
            }),
        }
    }
}

/// The first version, which kept the days that were asked for in a comment of the configuration; as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct RunRecordV1 {
    pub started_at_ms: i64,
    pub duration_ms: u64,
    pub app_version: String,
    pub result: String,
    pub exit_code: i32,
    pub data_fingerprint: [u8; 32],
    pub plan_fingerprint: [u8; 32],
    pub config_toml: String,
    pub files: u64,
    pub symbols: Vec<String>,
    pub candles: u64,
    pub days: u64,
    pub first_day: String,
    pub last_day: String,
    pub styles: Vec<RunStyleRecord>,
    pub threads: u32,
    pub peak_rss_bytes: u64,
    pub issues: Vec<IssueRecord>,
}

impl From<RunRecordV1> for RunRecord {
    fn from(before: RunRecordV1) -> Self {
        let (asked, config_toml) = asked_in_comment(&before.config_toml);
        let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
        let config_toml = config_toml.to_owned();
        let RunRecordV1 {
            started_at_ms,
            duration_ms,
            app_version,
            result,
            exit_code,
            data_fingerprint,
            plan_fingerprint,
            config_toml: _,
            files,
            symbols,
            candles,
            days,
            first_day,
            last_day,
            styles,
            threads,
            peak_rss_bytes,
            issues,
        } = before;
        Self {
            started_at_ms,
            duration_ms,
            app_version,
            result,
            exit_code,
            data_fingerprint,
            plan_fingerprint,
            config_toml,
            files,
            symbols,
            candles,
            days,
            first_day,
            last_day,
            styles,
            threads,
            peak_rss_bytes,
            issues,
            asked_first_day: day(asked.0),
            asked_end_day: day(asked.1),
        }
    }
}

/// Returns the days that the first version kept before a configuration, as `# style = Both, timerange = 20250101-20250630`,
/// and the configuration.
fn asked_in_comment(config_toml: &str) -> ((Option<Day>, Option<Day>), &str) {
    let (line, rest) = config_toml.split_once('\n').unwrap_or((config_toml, ""));
    let asked = line.strip_prefix("# style = ").and_then(|line| line.split_once(", timerange = "));
    let Some((_, timerange)) = asked else { return ((None, None), config_toml) };
    let (first, end) = timerange.split_once('-').unwrap_or_default();
    ((Day::parse(first), Day::parse(end)), rest)
}

impl Record for RunRecordV1 {
    type Earlier = Self;
    const NAME: &'static str = RunRecord::NAME;
    const TYPE_ID: u16 = RunRecord::TYPE_ID;
    const VERSION: u16 = 1;
    const BYTES_MAX: usize = RunRecord::BYTES_MAX;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("issues", self.issues.len(), ISSUES_MAX)
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
    fn validate(&self) -> Result<(), Invalid> {
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

/// Why something was decided: the kind of the reason, and its values as JSON by their names; nothing where it has none.
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
