//! The document of a run and its text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::ChangePart;
use super::document::Document;
use super::freshness::{age_lines, issue_lines};
use super::input::{InputPart, RunPart};
use super::style::StylePart;
use crate::ingest::{PassedOver, Rejection};
use crate::model::rfc3339;
use crate::run::freshness::ClockState;
use crate::run::given_signals::SignalsNote;
use crate::run::issues::{InputIssue, input_issues};
use crate::run::report::{InputReport, RunReport, StyleReport, SymbolLosses};
use crate::run::unreported::Overdue;

/// The input, evaluation and decisions of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunDocument {
    /// The run.
    pub run: RunPart,
    /// What was read.
    pub input: InputPart,
    /// What was evaluated.
    pub evaluation: EvaluationPart,
    /// Per style: the candidate, the active set, the decision and what it rests on.
    pub styles: BTreeMap<String, StylePart>,
    /// What was decided.
    pub decision: DecisionPart,
    /// Earlier runs that were stored, interrupted, and are reported only now.
    pub overdue: Vec<OverduePart>,
}

/// A run that was interrupted after it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct OverduePart {
    pub run: u64,
    pub started_at: String,
    /// How it ended, as the history says.
    pub result: String,
    pub changes: Vec<ChangePart>,
}

impl Document for RunDocument {
    const KIND: &'static str = "run";
    const VERSION: u32 = 2;
}

/// Returns what became of the rows of a file of signals, on one line.
fn signals_line(note: &SignalsNote) -> String {
    let others: String = note.unused().map(|(count, what)| format!(", {count} {what}")).collect();
    format!("{} signals given in `{}`: {} on days that count{others}", note.rows, note.file, note.counted)
}

/// What was evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct EvaluationPart {
    /// Candidates of sealed days, all styles.
    pub signals: u64,
    /// Candidates whose longest label is not complete yet.
    pub pending_signals: u64,
    /// Candidates dropped because candles are missing after them.
    pub broken_signals: u64,
    pub parameter_sets: u64,
    /// Symbol-days.
    pub units_total: u64,
    pub units_evaluated: u64,
    pub units_reused: u64,
    /// Units evaluated by reason.
    pub reasons: BTreeMap<String, u64>,
}

/// The decision over all styles.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DecisionPart {
    /// `changed`, `unchanged`, `not_convincing` or `rejected`.
    pub result: String,
    /// The worst verdict of the styles.
    pub verdict: String,
    /// How sure one can be, as in the last line of the text: `REAL`, `PROMISING`, `UNPROVEN`, `LIKELY_LUCK`,
    /// `NOT_ENOUGH_DATA`, or `UNTESTED`.
    pub assurance: String,
    pub changed: bool,
    /// Styles whose parameters changed.
    pub adopted: Vec<String>,
    pub changes: Vec<ChangePart>,
    pub reasons: Vec<String>,
}

impl RunDocument {
    /// Returns the document of a report.
    pub fn new(report: &RunReport) -> Self {
        let sum = |count: fn(&StyleReport) -> u64| report.styles.iter().map(count).sum();
        let (total, evaluated) = (report.units_total(), report.units_evaluated());
        Self {
            run: RunPart::from(report),
            input: InputPart::from(report),
            evaluation: EvaluationPart {
                signals: sum(|style| style.signals),
                pending_signals: sum(|style| style.pending),
                broken_signals: sum(|style| SymbolLosses::sum(&style.losses).lost.all()),
                parameter_sets: sum(|style| style.study.sets as u64),
                units_total: total,
                units_evaluated: evaluated,
                units_reused: total - evaluated,
                reasons: report.reasons().into_iter().map(|(kind, n)| (kind.to_owned(), n)).collect(),
            },
            styles: report
                .results()
                .map(|result| (result.style.to_string(), StylePart::from(&result)))
                .collect(),
            decision: decision_part(report),
            overdue: report.overdue.iter().map(overdue_part).collect(),
        }
    }
}

fn overdue_part(earlier: &Overdue) -> OverduePart {
    OverduePart {
        run: earlier.run,
        started_at: rfc3339(earlier.started_at_ms),
        result: earlier.result.clone(),
        changes: earlier.changes.iter().map(ChangePart::from).collect(),
    }
}

fn decision_part(report: &RunReport) -> DecisionPart {
    let adopted =
        report.styles.iter().filter(|s| s.decision.outcome == crate::decide::DecisionOutcome::Adopted);
    let adopted: Vec<&StyleReport> = adopted.collect();
    let changes = report.styles.iter().flat_map(StyleReport::applied_changes);
    let changes: Vec<ChangePart> = changes.map(|change| ChangePart::from(&change)).collect();
    let same = report.same_as.map(|run| format!("same candles and plan as run {run}, whose decision stands"));
    let reason = |style: &StyleReport| {
        style.decision.reasons.first().map(|reason| format!("{}: {reason}", style.style))
    };
    DecisionPart {
        result: report.result_to_tell().as_str().to_owned(),
        verdict: report.verdict().to_owned(),
        assurance: report.assurance().to_owned(),
        changed: !changes.is_empty(),
        adopted: adopted.iter().map(|style| style.style.to_string()).collect(),
        changes,
        reasons: same.into_iter().chain(report.styles.iter().filter_map(reason)).collect(),
    }
}

/// Returns the line that scripts read: always the last one of a run.
pub fn summary_line(report: &RunReport) -> String {
    let run = report.run.map_or_else(|| "none".to_owned(), |run| run.to_string());
    let rss = report.peak_rss_bytes.map_or_else(|| "unknown".to_owned(), mebibytes_text);
    let evaluated = report.units_evaluated();
    let reused = report.units_total() - evaluated;
    let clock = match &report.freshness.clock {
        ClockState::Sound => String::new(),
        clock => format!(" clock={}", clock.as_str()),
    };
    format!(
        "result={} run={run} symbols={} units_new={evaluated} units_reused={reused} peak_rss={rss} \
         elapsed={} stale={}{clock} verdict={}",
        report.result_to_tell().as_str(),
        report.input.symbols.len(),
        elapsed_text(report.duration_ms),
        report.freshness.stale(),
        report.assurance(),
    )
}

pub(super) fn mebibytes_text(bytes: u64) -> String {
    format!("{}MiB", bytes.div_ceil(1 << 20))
}

pub(super) fn elapsed_text(ms: u64) -> String {
    if ms < 10_000 { format!("{ms}ms") } else { format!("{:.1}s", ms as f64 / 1000.0) }
}

/// Returns a run as text for people.
pub fn run_text(report: &RunReport) -> String {
    let mut text = String::new();
    let span = report.input.days().map(|(a, b)| format!("{a} to {b}")).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} candles of {} symbols, {span}; {} symbol-days, {} of them evaluated",
        report.input.candles(),
        report.input.symbols.len(),
        report.units_total(),
        report.units_evaluated()
    );
    if let Some(signals) = &report.input.signals {
        let _ = writeln!(text, "{}", signals_line(signals));
    }
    let lines = age_lines(&report.freshness).into_iter().chain(data_lines(report));
    lines.for_each(|line| text.push_str(&super::prose::wrap_words("", 4, line.split_whitespace())));
    for result in report.results() {
        let part = StylePart::from(&result);
        let _ = write!(text, "\n{}", part.text(result.style.as_str(), report.input.signals.is_some()));
    }
    let _ = writeln!(text, "\n{}", run_conclusion(report));
    text
}

/// Returns what is wrong with the data, a line per kind. What files are not used is told before; files that are no candles by their
/// name, or were not asked for, and comments are no news.
fn data_lines(report: &RunReport) -> Vec<String> {
    let is_news = |passed: &&PassedOver| {
        use Rejection::{Coarser, LegacyOpportunities, NotCandles, NotSelected};
        !matches!(
            passed.reason,
            Coarser { .. } | LegacyOpportunities | NotCandles { .. } | NotSelected { .. }
        )
    };
    let passed_over: Vec<PassedOver> = report.input.passed_over.iter().filter(is_news).cloned().collect();
    let input = InputReport { passed_over, ..report.input.clone() };
    let told = |issue: &InputIssue| !matches!(issue.kind.as_str(), "rejected" | "comment");
    let issues: Vec<InputIssue> = input_issues(&input).into_iter().filter(told).collect();
    let mut lines = issue_lines(&issues);
    if !lines.is_empty() {
        lines.push("`optimizer check data PATH` has the details".to_owned());
    }
    lines
}

/// Returns what somebody should know of a run, whoever does not read its text: the age of the candles and the clock.
pub fn run_warnings(report: &RunReport) -> Vec<String> {
    age_lines(&report.freshness)
}

/// Returns which files are not used and why, folded.
pub fn rejected_lines(report: &RunReport) -> Vec<String> {
    let rejected = input_issues(&report.input).into_iter();
    issue_lines(&rejected.filter(|issue| issue.kind == "rejected").collect::<Vec<_>>())
}

pub(super) fn run_conclusion(report: &RunReport) -> String {
    use crate::decide::RunResult;
    let result = report.result;
    if let (Some(run), true) = (report.same_as, result == RunResult::Unchanged) {
        return format!("parameters unchanged: same candles and plan as run {run}, whose decision stands");
    }
    let changes = report.styles.iter().flat_map(StyleReport::applied_changes);
    let scopes: Vec<String> =
        changes.map(|change| change.scope).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    match result {
        RunResult::Changed => format!("parameters changed: {}", scopes.join(", ")),
        RunResult::Unchanged => "parameters unchanged".to_owned(),
        RunResult::NotConvincing => {
            "parameters unchanged: another candidate, but what speaks for it is not enough".to_owned()
        }
        RunResult::Rejected => {
            "parameters unchanged: no candidate held on days that did not choose it".to_owned()
        }
    }
}
