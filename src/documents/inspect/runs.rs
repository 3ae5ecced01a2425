//! The runs of a profile, one line each.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::{HistoryFilter, InspectError, Listed, require_profile, sort_rows};
use crate::documents::document::Document;
use crate::documents::listing::{Cell, ColumnKind, Listing};
use crate::model::rfc3339;
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
pub(super) fn day_text(text: &str) -> Option<String> {
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
            first_day: day_text(&run.first_day),
            last_day: day_text(&run.last_day),
            issues: run.issues.len() as u64,
            styles,
        }
    }
}

/// Returns what a run decided, per style that passes the filter.
pub fn verdicts_of_run(
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
    /// Reads the runs that pass a filter, newest first or in the order of a column.
    ///
    /// Errors: those of reading the store; an unknown profile or column.
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        filter: &HistoryFilter,
        sort: Option<&str>,
    ) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        let all = snapshot.runs(profile, .., usize::MAX)?;
        let mut runs = Vec::new();
        let wanted = |run: &RunRecord| filter.in_time(run.started_at_ms) && filter.read_it(run);
        for (id, run) in all.iter().filter(|(_, run)| wanted(run)) {
            let styles = verdicts_of_run(snapshot, profile, *id, filter)?;
            if filter.style.is_some() && styles.is_empty() {
                continue;
            }
            runs.push(RunLinePart::new(*id, run, styles));
        }
        let matching = runs.len() as u64;
        let mut runs = sort_rows(runs, sort, runs_listing)?;
        runs.truncate(filter.limit);
        Ok(Self { profile: profile.to_owned(), kept: all.len() as u64, matching, runs })
    }
}

impl Listed for InspectRunsDocument {
    fn listing(&self) -> Listing {
        runs_listing(&self.runs)
    }
}

/// Returns runs as a listing; with the verdict of every style that any of them has.
fn runs_listing(runs: &[RunLinePart]) -> Listing {
    let mut rows = Listing::of(runs)
        .column("run", "Run", ColumnKind::Number, |run| Cell::count(run.id))
        .column("started_at", "When", ColumnKind::Text, |run| Cell::instant(&run.started_at))
        .column("result", "Result", ColumnKind::Text, |run| Cell::text(run.result.as_str()))
        .column("symbols", "Symbols", ColumnKind::Number, |run| Cell::count(run.symbols))
        .column("candles", "Candles", ColumnKind::Number, |run| Cell::count(run.candles))
        .column("last_day", "Last day", ColumnKind::Text, |run| Cell::maybe(run.last_day.as_deref()))
        .column("duration_ms", "ms", ColumnKind::Number, |run| Cell::count(run.duration_ms));
    let styles: BTreeSet<&String> = runs.iter().flat_map(|run| run.styles.keys()).collect();
    for style in &styles {
        rows = rows.column(style, style, ColumnKind::Text, |run| {
            Cell::maybe(run.styles.get(*style).map(|part| part.verdict.as_str()))
        });
    }
    for style in &styles {
        let outcome = format!("{style}_outcome");
        rows = rows.more(&outcome, &outcome, ColumnKind::Text, |run| {
            Cell::maybe(run.styles.get(*style).map(|part| part.outcome.as_str()))
        });
    }
    rows.more("exit_code", "Exit code", ColumnKind::Number, |run| Cell::number(Some(run.exit_code.into()), 0))
        .more("first_day", "First day", ColumnKind::Text, |run| Cell::maybe(run.first_day.as_deref()))
        .more("issues", "Issues", ColumnKind::Number, |run| Cell::count(run.issues))
        .done()
}
