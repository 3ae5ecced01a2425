//! The result of a style, the same whether its run has just ended or is read from the store.
//!
//! Documents are made of this and of nothing else, so that what a run printed and what is told of it later are one.

use super::losses::{SymbolLosses, unused_signals};
use super::report::{RunReport, StyleReport};
use crate::decide::{DecisionOutcome, DecisionReason, ParameterChange};
use crate::model::Style;
use crate::study::Measured;
use crate::study::evidence::Evidence;
use crate::study::per_symbol::OwnSet;
use crate::validate::split::Split;

/// What is known of a style in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleResult {
    /// The style.
    pub style: Style,
    /// Candidates of sealed days.
    pub signals: u64,
    /// Candidates that wait for candles.
    pub pending: u64,
    /// Parameter sets evaluated.
    pub parameter_sets: u64,
    /// Opportunities by hindsight.
    pub opportunities: u64,
    /// What was searched and what was lost; `None` where the store does not keep it: of runs that are not among the newest, or of an
    /// older program.
    pub extent: Option<SearchExtent>,
    /// What was decided; `None` where nothing was.
    pub decided: Option<StyleDecision>,
    /// What is known about the candidate; `None` where nothing was asked.
    pub evidence: Option<KnownEvidence>,
    /// What each symbol trades; `None` where the store does not keep it, as above.
    pub own: Option<Vec<OwnSet>>,
}

/// The size of a search, and what its signals lost on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchExtent {
    /// Parameter sets of the space that was asked for.
    pub asked: u64,
    /// Parameter sets with a score in sample.
    pub rated: u64,
    /// Candidates that pass the loosest level of every dimension.
    pub in_lattice: u64,
    /// What missing candles, and prices in another scale, cost; the symbols that they cost something.
    pub losses: Vec<SymbolLosses>,
}

/// What was decided about a style, and on what grounds.
#[derive(Debug, Clone, PartialEq)]
pub struct StyleDecision {
    /// The word of the verdict; a decision by hand has one of its own.
    pub verdict: String,
    /// The word of the outcome; a decision by hand has one of its own.
    pub outcome: String,
    /// Whether the candidate is active now.
    pub adopted: bool,
    /// Whether parameters of the style or of a symbol changed.
    pub changed: bool,
    /// Name of the score compared by; empty where none was.
    pub score_name: String,
    /// The best parameter set of the run.
    pub candidate: Option<Measured>,
    /// The parameters that were active.
    pub incumbent: Option<Measured>,
    /// 0..=100; `None` when not judged.
    pub stability: Option<f64>,
    /// Share of the in-sample average return that was lost out of sample.
    pub degradation: Option<f64>,
    /// Win rate out of sample over that in sample.
    pub win_rate_ratio: Option<f64>,
    /// The parts of the days, where there were enough for two.
    pub split: Option<Split>,
    /// What changed, or would have changed had the candidate been adopted.
    pub changes: Vec<ParameterChange>,
    /// Why, the most important first.
    pub reasons: Vec<DecisionReason>,
}

/// The evidence on a candidate, with what an older program said of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KnownEvidence {
    /// The evidence.
    pub evidence: Evidence,
    /// What was said of the edge, where the figures do not say it.
    pub told_edge: Option<String>,
    /// What was said of the switch, where the figures do not say it.
    pub told_switch: Option<String>,
}

impl From<&Evidence> for KnownEvidence {
    fn from(evidence: &Evidence) -> Self {
        Self { evidence: evidence.clone(), told_edge: None, told_switch: None }
    }
}

impl KnownEvidence {
    /// Returns what the evidence says of the edge, for people.
    pub fn edge_sentence(&self) -> String {
        self.told_edge.clone().unwrap_or_else(|| self.evidence.edge_grounds().to_string())
    }

    /// Returns what the evidence says of the rule of choice, for people.
    pub fn candidate_sentence(&self) -> String {
        self.evidence.candidate_line()
    }

    /// Returns what the evidence says of the switch, for people.
    pub fn switch_sentence(&self) -> String {
        self.told_switch.clone().unwrap_or_else(|| self.evidence.switch_line())
    }
}

impl RunReport {
    /// Returns the results of the styles, in order.
    pub fn results(&self) -> impl Iterator<Item = StyleResult> {
        self.styles.iter().map(|style| style.result(&self.score_name))
    }
}

impl StyleReport {
    /// Returns the result of a style; the name is that of the score that sets were compared by.
    pub fn result(&self, score_name: &str) -> StyleResult {
        StyleResult {
            style: self.style,
            signals: self.signals,
            pending: self.pending,
            parameter_sets: self.study.sets as u64,
            opportunities: self.opportunities,
            extent: Some(SearchExtent {
                asked: self.study.asked,
                rated: self.study.rated as u64,
                in_lattice: self.in_lattice,
                losses: self.losses.clone(),
            }),
            decided: Some(self.decided(score_name)),
            evidence: Some(KnownEvidence::from(&self.evidence)),
            own: Some(self.own.clone()),
        }
    }

    pub(crate) fn decided(&self, score_name: &str) -> StyleDecision {
        let judgement = &self.study.judgement;
        StyleDecision {
            verdict: judgement.verdict.to_string(),
            outcome: self.decision.outcome.as_str().to_owned(),
            adopted: self.decision.outcome == DecisionOutcome::Adopted,
            changed: !self.applied_changes().is_empty(),
            score_name: score_name.to_owned(),
            candidate: self.study.top.first().cloned(),
            incumbent: self.study.incumbent.clone(),
            stability: judgement.stability,
            degradation: judgement.degradation,
            win_rate_ratio: judgement.win_rate_ratio,
            split: self.study.split.clone(),
            changes: self
                .decision
                .changes
                .iter()
                .chain(self.own.iter().flat_map(|own| &own.changes))
                .cloned()
                .collect(),
            reasons: self.decision.reasons.clone(),
        }
    }
}

impl StyleResult {
    /// Returns the signals of days that count and are not used, by their name and in words; `None` where the
    /// store does not keep it.
    pub fn unused(&self) -> Option<Vec<(&'static str, u64, &'static str)>> {
        let extent = self.extent.as_ref()?;
        Some(unused_signals((self.signals, extent.in_lattice, self.pending), &extent.losses))
    }
}
