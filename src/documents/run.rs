//! The document of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::ChangePart;
use super::document::Document;

use super::input::{InputPart, RunPart};
use super::style::StylePart;
use crate::model::rfc3339;
use crate::run::losses::SymbolLosses;
use crate::run::report::{RunReport, StyleReport};
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
