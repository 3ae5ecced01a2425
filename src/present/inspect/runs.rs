//! The runs of a profile, one line each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::{HistoryFilter, InspectError, minute, require_profile};
use crate::model::rfc3339;
use crate::present::document::Document;
use crate::present::table::table;
use crate::store::Snapshot;
use crate::store::records::RunRecord;

/// The runs of a profile, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectRunsDocument {
    pub profile: String,
    /// Runs in the store, filters aside.
    pub kept: u64,
    /// Runs that pass the filters, the limit aside.
    pub matching: u64,
    pub runs: Vec<RunLinePart>,
}

impl Document for InspectRunsDocument {
    const KIND: &'static str = "inspect_runs";
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RunLinePart {
    pub id: u64,
    pub started_at: String,
    pub duration_ms: u64,
    /// `changed`, `unchanged`, `not_convincing`, `rejected`, ...
    pub result: String,
    pub exit_code: i32,
    pub symbols: u64,
    pub candles: u64,
    pub first_day: Option<String>,
    pub last_day: Option<String>,
    /// Kinds of issue found in the input; at most 200 are kept.
    pub issues: u64,
    /// What was decided per style.
    pub styles: BTreeMap<String, StyleVerdictPart>,
}

/// What a run decided for a style, in two words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StyleVerdictPart {
    pub verdict: String,
    /// `adopted`, `unchanged`, `not_convincing` or `rejected`.
    pub outcome: String,
}

/// Returns a day, nothing where there is none.
pub(super) fn day(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl RunLinePart {
    fn new(id: u64, run: &RunRecord, styles: BTreeMap<String, StyleVerdictPart>) -> Self {
        Self {
            id,
            started_at: rfc3339(run.started_at_ms),
            duration_ms: run.duration_ms,
            result: run.result.clone(),
            exit_code: run.exit_code,
            symbols: run.symbols.len() as u64,
            candles: run.candles,
            first_day: day(&run.first_day),
            last_day: day(&run.last_day),
            issues: run.issues.len() as u64,
            styles,
        }
    }
}

/// Returns what a run decided, per style that passes the filter.
pub(super) fn verdicts(
    snapshot: &Snapshot<'_>,
    profile: &str,
    run: u64,
    filter: &HistoryFilter,
) -> Result<BTreeMap<String, StyleVerdictPart>, InspectError> {
    let decisions =
        snapshot.decisions(profile, run)?.into_iter().filter(|(style, _)| filter.concerns(*style));
    let part = |decision: crate::store::records::DecisionRecord| StyleVerdictPart {
        verdict: decision.verdict,
        outcome: decision.outcome,
    };
    Ok(decisions.map(|(style, decision)| (style.to_string(), part(decision))).collect())
}

impl InspectRunsDocument {
    /// Reads the runs that pass a filter.
    ///
    /// Errors: those of reading the store; an unknown profile.
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        filter: &HistoryFilter,
    ) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        let all = snapshot.runs(profile, .., usize::MAX)?;
        let mut runs = Vec::new();
        let mut matching = 0;
        for (id, run) in all.iter().filter(|(_, run)| filter.in_time(run.started_at_ms)) {
            let styles = verdicts(snapshot, profile, *id, filter)?;
            if filter.style.is_some() && styles.is_empty() {
                continue;
            }
            matching += 1;
            if runs.len() < filter.limit {
                runs.push(RunLinePart::new(*id, run, styles));
            }
        }
        Ok(Self { profile: profile.to_owned(), kept: all.len() as u64, matching, runs })
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let (shown, kept) = (self.runs.len(), self.kept);
        if shown == 0 {
            return format!("profile {}: none of {kept} runs match\n", self.profile);
        }
        let styles: BTreeMap<&str, ()> =
            self.runs.iter().flat_map(|run| run.styles.keys()).map(|style| (style.as_str(), ())).collect();
        let mut header = vec!["Run", "When", "Result", "Symbols", "Candles", "Last day", "ms"];
        header.extend(styles.keys());
        let rows: Vec<Vec<String>> = self.runs.iter().map(|run| row(run, styles.keys())).collect();
        let mut text = format!("{}\n", table(&header, &rows));
        let _ = write!(text, "\nprofile {}: {shown} of {kept} runs", self.profile);
        let more = if self.matching > shown as u64 { "; --limit shows more" } else { "" };
        let _ = writeln!(text, "{more}; `optimizer inspect run {}` shows one", self.runs[0].id);
        text
    }
}

fn row<'a>(run: &RunLinePart, styles: impl Iterator<Item = &'a &'a str>) -> Vec<String> {
    let mut cells = vec![
        run.id.to_string(),
        minute(&run.started_at),
        run.result.clone(),
        run.symbols.to_string(),
        run.candles.to_string(),
        run.last_day.clone().unwrap_or_else(|| "-".to_owned()),
        run.duration_ms.to_string(),
    ];
    let verdict = |style: &&str| run.styles.get(*style).map_or_else(|| "-".to_owned(), |v| v.verdict.clone());
    cells.extend(styles.map(verdict));
    cells
}
