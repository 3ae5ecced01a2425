//! Runs as earlier programs kept them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::history::{ISSUES_MAX, days_or_empty};
use super::{
    FreshnessRecord, Invalid, IssueRecord, ReasonRecord, Record, RunRecord, RunStyleRecord, SignalsRecord,
    SymbolAgeRecord, at_most,
};
use crate::model::Day;

/// What is wrong with an input file, in a sentence; as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct IssueRecordV1 {
    pub file: String,
    pub kind: String,
    pub count: u64,
    pub detail: String,
}

impl From<IssueRecordV1> for IssueRecord {
    fn from(IssueRecordV1 { file, kind, count, detail }: IssueRecordV1) -> Self {
        Self { file, line: None, kind, count, detail: ReasonRecord::told(detail) }
    }
}

/// The age of the candles of a run with what speaks against the clock as a sentence; as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct FreshnessRecordV1 {
    pub limit_ms: i64,
    pub clock: String,
    pub clock_reason: Option<String>,
    pub symbols: Vec<SymbolAgeRecord>,
}

impl From<FreshnessRecordV1> for FreshnessRecord {
    fn from(FreshnessRecordV1 { limit_ms, clock, clock_reason, symbols }: FreshnessRecordV1) -> Self {
        Self { limit_ms, clock, clock_reason: clock_reason.map(ReasonRecord::told), symbols }
    }
}

/// The third version, which kept what speaks against the clock as a sentence; as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct RunRecordV3 {
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
    pub asked_first_day: String,
    pub asked_end_day: String,
    pub resumed: Option<bool>,
    pub same_as: Option<u64>,
    pub days_new: Option<u64>,
    pub signals: Option<SignalsRecord>,
    pub freshness: Option<FreshnessRecordV1>,
}

impl From<RunRecordV3> for RunRecord {
    fn from(before: RunRecordV3) -> Self {
        let RunRecordV3 {
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
            asked_first_day,
            asked_end_day,
            resumed,
            same_as,
            days_new,
            signals,
            freshness,
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
            asked_first_day,
            asked_end_day,
            resumed,
            same_as,
            days_new,
            signals,
            freshness: freshness.map(FreshnessRecord::from),
        }
    }
}

impl Record for RunRecordV3 {
    type Earlier = RunRecordV2;
    const NAME: &'static str = RunRecord::NAME;
    const TYPE_ID: u16 = RunRecord::TYPE_ID;
    const VERSION: u16 = 3;
    const BYTES_MAX: usize = RunRecord::BYTES_MAX;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("issues", self.issues.len(), ISSUES_MAX)?;
        days_or_empty([&self.asked_first_day, &self.asked_end_day])
    }
}

/// The second version, which kept what there is to say of an issue as a sentence; as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "see the newest version")]
pub struct RunRecordV2 {
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
    pub issues: Vec<IssueRecordV1>,
    pub asked_first_day: String,
    pub asked_end_day: String,
}

impl From<RunRecordV2> for RunRecordV3 {
    fn from(before: RunRecordV2) -> Self {
        let RunRecordV2 {
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
            asked_first_day,
            asked_end_day,
        } = before;
        let issues = issues.into_iter().map(IssueRecord::from).collect();
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
            asked_first_day,
            asked_end_day,
            resumed: None,
            same_as: None,
            days_new: None,
            signals: None,
            freshness: None,
        }
    }
}

impl Record for RunRecordV2 {
    type Earlier = RunRecordV1;
    const NAME: &'static str = RunRecord::NAME;
    const TYPE_ID: u16 = RunRecord::TYPE_ID;
    const VERSION: u16 = 2;
    const BYTES_MAX: usize = RunRecord::BYTES_MAX;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("issues", self.issues.len(), ISSUES_MAX)?;
        days_or_empty([&self.asked_first_day, &self.asked_end_day])
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
    pub issues: Vec<IssueRecordV1>,
}

impl From<RunRecordV1> for RunRecordV2 {
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
