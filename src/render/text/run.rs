//! A run as text, and the line that scripts read.

use std::fmt::Write as _;

use super::freshness::{age_lines, issue_lines};
use super::prose::count_of;
use crate::decide::RunResult;
use crate::documents::style::StylePart;
use crate::ingest::{PassedOver, Rejection};
use crate::run::freshness::ClockState;
use crate::run::input_report::{InputReport, SignalsNote};
use crate::run::issues::{InputIssue, input_issues};
use crate::run::report::{RunReport, StyleReport};

/// Returns what became of the rows of a file of signals, on one line.
pub(super) fn signals_line(note: &SignalsNote) -> String {
    let others: String = note.unused().map(|(count, what)| format!(", {count} {what}")).collect();
    let rows = count_of(note.rows, "signal");
    format!("{rows} given in `{}`: {} on days that count{others}", note.file, note.counted)
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
         elapsed={} stale={}{clock} significance={} verdict={}",
        report.result_to_tell().as_str(),
        report.input.symbols.len(),
        milliseconds_text(report.duration_ms),
        report.freshness.stale(),
        report.assurance(),
        report.verdict(),
    )
}

pub(crate) fn mebibytes_text(bytes: u64) -> String {
    format!("{}MiB", bytes.div_ceil(1 << 20))
}

/// Returns a time for scripts: in one unit, whatever it is.
pub(crate) fn milliseconds_text(ms: u64) -> String {
    format!("{ms}ms")
}

pub(crate) fn elapsed_text(ms: u64) -> String {
    if ms < 10_000 { format!("{ms}ms") } else { format!("{:.1}s", ms as f64 / 1000.0) }
}

/// Returns everything about a run as text for people; [`super::decision`] says what came of it.
pub fn run_text(report: &RunReport) -> String {
    let mut text = String::new();
    let span = report.input.days().map(|(a, b)| format!("{a} to {b}")).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} of {}, {span}; {}, {} of them evaluated",
        count_of(report.input.candles(), "candle"),
        count_of(report.input.symbols.len() as u64, "symbol"),
        count_of(report.units_total(), "symbol-day"),
        report.units_evaluated()
    );
    if let Some(signals) = &report.input.signals {
        let _ = writeln!(text, "{}", signals_line(signals));
    }
    let lines = age_lines(&report.freshness).into_iter().chain(data_lines(report));
    lines.for_each(|line| {
        text.push_str(&crate::render::text::prose::wrap_words("", 4, line.split_whitespace()))
    });
    for result in report.results() {
        let part = StylePart::from(&result);
        let _ = write!(text, "\n{}", part.text(result.style.as_str(), report.input.signals.is_some()));
    }
    text.push('\n');
    text
}

/// Returns what is wrong with the data, a line per kind. What files are not used is told before; files that are no candles by their
/// name, or were not asked for, and comments are no news.
fn data_lines(report: &RunReport) -> Vec<String> {
    let mut lines = issue_lines(&data_issues(report));
    if !lines.is_empty() {
        lines.push("`optimizer check data PATH` has the details".to_owned());
    }
    lines
}

/// Returns the issues that are news.
pub(super) fn data_issues(report: &RunReport) -> Vec<InputIssue> {
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
    input_issues(&input).into_iter().filter(told).collect()
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

pub(crate) fn run_conclusion(report: &RunReport) -> String {
    let result = report.result;
    if let (Some(run), true) = (report.same_as, result == RunResult::Unchanged) {
        return format!("parameters unchanged: same candles and plan as run {run}, whose decision stands");
    }
    let changes = report.styles.iter().flat_map(StyleReport::applied_changes);
    let scopes = changes.map(|change| change.scope).collect::<std::collections::BTreeSet<_>>();
    conclusion(result, &scopes.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns what a result means; the scopes are those that changed.
pub(super) fn conclusion(result: RunResult, scopes: &[&str]) -> String {
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
