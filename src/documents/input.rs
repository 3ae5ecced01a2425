//! A run and what it read: the same parts for a run that has just ended and for one that is read from the store.

use schemars::JsonSchema;
use serde::Serialize;

use super::freshness::FreshnessPart;
use crate::fingerprint::Fingerprint;
use crate::model::{Day, rfc3339};
use crate::run::input_report::SignalsNote;
use crate::run::issues::{InputIssue, all_issues};
use crate::run::recall::input_issue;
use crate::run::report::RunReport;
use crate::store::records::{RunRecord, SignalsRecord};

/// The run. What an older program did not keep is null in the document of a stored run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RunPart {
    /// Number of the run in its profile; null when nothing was stored.
    pub id: Option<u64>,
    pub profile: String,
    pub started_at: String,
    pub duration_ms: u64,
    /// How it ended, as the history says.
    pub result: String,
    pub exit_code: i32,
    /// Null where the system does not tell.
    pub peak_rss_bytes: Option<u64>,
    pub threads: u32,
    pub app_version: String,
    /// Whether an interrupted run left results that this one could go on from.
    pub resumed: Option<bool>,
    pub data_fingerprint: String,
    pub plan_fingerprint: String,
    /// The earlier run with the same candles and plan, whose decisions stand.
    pub same_as: Option<u64>,
}

/// What was read. What an older program did not keep is null in the document of a stored run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InputPart {
    pub files: u64,
    pub symbols: Vec<String>,
    pub candles: u64,
    pub days: u64,
    pub days_new: Option<u64>,
    pub first_day: Option<String>,
    pub last_day: Option<String>,
    /// First day that was asked for; null for as many as there are.
    pub asked_first_day: Option<String>,
    /// The day that was asked to end before; null for as many as there are.
    pub asked_end_day: Option<String>,
    /// The signals that were given; null where they are derived from candles.
    pub signals: Option<SignalsPart>,
    /// How old the candles are.
    pub freshness: Option<FreshnessPart>,
    /// The most pressing first; the store keeps at most 200.
    pub issues: Vec<IssuePart>,
}

/// What became of the rows of a file of signals: each is in exactly one place.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SignalsPart {
    pub file: String,
    pub rows: u64,
    /// Signals on days that count, for at least one of the styles tuned.
    pub counted: u64,
    /// Rows equal to an earlier one.
    pub duplicates: u64,
    /// Signals of symbols without candles.
    pub without_candles: u64,
    /// Signals on days before the first candle of their symbol.
    pub before_candles: u64,
    /// Signals on days after the last candle.
    pub after_candles: u64,
    /// Signals on days with candles that are not looked at.
    pub outside_window: u64,
    /// Signals of styles that are not tuned.
    pub other_styles: u64,
    /// Of all signals and their columns.
    pub fingerprint: String,
}

/// Something about the input that should be known.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct IssuePart {
    /// File, or symbol for what concerns all its files together.
    pub file: String,
    /// The first line concerned; null where lines have no meaning, and in runs of older programs.
    pub line: Option<u64>,
    pub kind: String,
    pub count: u64,
    pub detail: String,
}

impl From<&InputIssue> for IssuePart {
    fn from(issue: &InputIssue) -> Self {
        let InputIssue { file, line, kind, count, detail } = issue;
        Self {
            file: file.clone(),
            line: *line,
            kind: kind.clone(),
            count: *count,
            detail: detail.to_string(),
        }
    }
}

impl From<&SignalsRecord> for SignalsPart {
    fn from(record: &SignalsRecord) -> Self {
        let SignalsRecord {
            file,
            rows,
            counted,
            duplicates,
            without_candles,
            before_candles,
            after_candles,
            outside_window,
            other_styles,
            fingerprint,
        } = record;
        Self {
            file: file.clone(),
            rows: *rows,
            counted: *counted,
            duplicates: *duplicates,
            without_candles: *without_candles,
            before_candles: *before_candles,
            after_candles: *after_candles,
            outside_window: *outside_window,
            other_styles: *other_styles,
            fingerprint: Fingerprint(*fingerprint).to_string(),
        }
    }
}

impl From<&SignalsNote> for SignalsPart {
    fn from(note: &SignalsNote) -> Self {
        Self {
            file: note.file.clone(),
            rows: note.rows,
            counted: note.counted,
            duplicates: note.duplicates,
            without_candles: note.without_candles,
            before_candles: note.before_candles,
            after_candles: note.after_candles,
            outside_window: note.outside_window,
            other_styles: note.other_styles,
            fingerprint: note.fingerprint.to_string(),
        }
    }
}

impl From<&RunReport> for RunPart {
    fn from(report: &RunReport) -> Self {
        Self {
            id: report.run,
            profile: report.profile.clone(),
            started_at: rfc3339(report.started_at_ms),
            duration_ms: report.duration_ms,
            result: report.result.as_str().to_owned(),
            exit_code: report.result.exit_code().into(),
            peak_rss_bytes: report.peak_rss_bytes,
            threads: report.threads,
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            resumed: Some(report.resumed),
            data_fingerprint: report.data_fingerprint.to_string(),
            plan_fingerprint: report.plan_fingerprint.to_string(),
            same_as: report.same_as,
        }
    }
}

impl RunPart {
    /// Returns the part of a run in the store.
    pub fn stored(profile: &str, id: u64, record: &RunRecord) -> Self {
        Self {
            id: Some(id),
            profile: profile.to_owned(),
            started_at: rfc3339(record.started_at_ms),
            duration_ms: record.duration_ms,
            result: record.result.clone(),
            exit_code: record.exit_code,
            // The record has 0 for unknown.
            peak_rss_bytes: Some(record.peak_rss_bytes).filter(|bytes| *bytes > 0),
            threads: record.threads,
            app_version: record.app_version.clone(),
            resumed: record.resumed,
            data_fingerprint: Fingerprint(record.data_fingerprint).to_string(),
            plan_fingerprint: Fingerprint(record.plan_fingerprint).to_string(),
            same_as: record.same_as,
        }
    }
}

impl From<&RunReport> for InputPart {
    fn from(report: &RunReport) -> Self {
        let days = report.input.days();
        let count = days.map_or(0, |(first, last)| u64::from(last.0.abs_diff(first.0)) + 1);
        let text = |day: Option<Day>| day.map(|day| day.to_string());
        Self {
            files: report.input.files.len() as u64,
            symbols: report.input.symbols.iter().map(|symbol| symbol.name.clone()).collect(),
            candles: report.input.candles(),
            days: count,
            days_new: Some(report.days_new()),
            first_day: text(days.map(|(first, _)| first)),
            last_day: text(days.map(|(_, last)| last)),
            asked_first_day: text(report.asked_days.0),
            asked_end_day: text(report.asked_days.1),
            signals: report.input.signals.as_ref().map(SignalsPart::from),
            freshness: Some(FreshnessPart::from(&report.freshness)),
            issues: all_issues(report).iter().map(IssuePart::from).collect(),
        }
    }
}

impl From<&RunRecord> for InputPart {
    fn from(record: &RunRecord) -> Self {
        let day = |day: &String| Some(day.clone()).filter(|day| !day.is_empty());
        Self {
            files: record.files,
            symbols: record.symbols.clone(),
            candles: record.candles,
            days: record.days,
            days_new: record.days_new,
            first_day: day(&record.first_day),
            last_day: day(&record.last_day),
            asked_first_day: day(&record.asked_first_day),
            asked_end_day: day(&record.asked_end_day),
            signals: record.signals.as_ref().map(SignalsPart::from),
            freshness: record.freshness.as_ref().map(FreshnessPart::from),
            issues: record.issues.iter().map(|issue| IssuePart::from(&input_issue(issue))).collect(),
        }
    }
}
