//! A style of a run: one part, whether the run has just ended or is read from the store.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::change::ChangePart;
use super::document::parameters_object;
use super::evidence::EvidencePart;
use super::metrics::MetricsPart;
use crate::decide::DecisionReason;
use crate::decide::reason::OwnReason;
use crate::model::Day;
use crate::run::losses::SymbolLosses;
use crate::run::result::{StyleDecision, StyleResult};
use crate::study::Measured;
use crate::study::per_symbol::OwnSet;

/// One style. What the store does not keep, of runs of older programs and of those that are not among the newest 90, is null in the
/// document of a stored run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StylePart {
    pub parameter_sets: u64,
    /// Sets of the space that was asked for; more than those searched where it is beyond the budget.
    pub parameter_sets_asked: Option<u64>,
    /// Sets with enough in-sample trades to have a score.
    pub rated: Option<u64>,
    pub signals: u64,
    /// Signals that pass the loosest level of every dimension.
    pub signals_in_lattice: Option<u64>,
    /// Signals whose longest label is not complete yet.
    pub pending_signals: u64,
    /// Signals of days that count and are not used, by reason: `no_entry`, `no_atr`, `rescaled`, `pending`, `filtered`.
    pub unused_signals: Option<BTreeMap<String, u64>>,
    /// What missing candles, and prices in another scale, cost; the symbols that they cost something.
    pub losses: Option<BTreeMap<String, LossesPart>>,
    /// Moves an oracle would have taken; the denominator of the capture rate and nothing else.
    pub opportunities: u64,
    /// Null where nothing was decided.
    pub decision: Option<StyleDecisionPart>,
    /// Null where nothing was asked.
    pub evidence: Option<EvidencePart>,
    /// What each symbol trades; empty where the candidate did not survive.
    pub symbols: Option<BTreeMap<String, SymbolPart>>,
}

/// What was decided about a style, and on what grounds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StyleDecisionPart {
    /// What the last days say of the candidate: out of sample with `decide.require = "stable"`, a description otherwise; a decision by
    /// hand has a word of its own.
    pub verdict: String,
    /// `adopted`, `unchanged`, `not_convincing` or `rejected`; a decision by hand has a word of its own.
    pub outcome: String,
    pub adopted: bool,
    /// Whether parameters of the style or of a symbol changed.
    pub changed: bool,
    pub score_name: String,
    pub stability: Option<f64>,
    pub degradation: Option<f64>,
    pub win_rate_ratio: Option<f64>,
    pub in_sample_days: Option<[String; 2]>,
    pub out_of_sample_days: Option<[String; 2]>,
    /// The best set of the search.
    pub candidate: Option<CandidatePart>,
    /// The active set.
    pub incumbent: Option<CandidatePart>,
    /// What changed, or would have changed had the candidate been adopted.
    pub changes: Vec<ChangePart>,
    /// The most important first.
    pub reasons: Vec<ReasonPart>,
}

/// Why something was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReasonPart {
    /// The kind of the reason; `told` of one that a program kept as a sentence.
    pub code: String,
    /// A sentence for people.
    pub text: String,
}

impl From<&DecisionReason> for ReasonPart {
    fn from(reason: &DecisionReason) -> Self {
        Self { code: reason.code(), text: reason.to_string() }
    }
}

impl From<&OwnReason> for ReasonPart {
    fn from(reason: &OwnReason) -> Self {
        Self { code: reason.code(), text: reason.to_string() }
    }
}

/// What missing candles, and prices in another scale, cost a symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LossesPart {
    /// Signals whose entry candle is missing.
    pub no_entry: u64,
    /// Signals before ATR(14) is known.
    pub no_atr: u64,
    /// Signals whose longest holding time crosses a price in another scale.
    pub rescaled: u64,
    /// Signals that some exit rule closes at the last close before a gap; they count.
    pub cut: u64,
    /// Candles at which no signal could be looked for.
    pub blind: u64,
}

/// What a symbol trades in a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SymbolPart {
    /// Its own set with what it achieved on the symbol; null where the set of all symbols is used.
    pub own: Option<CandidatePart>,
    pub reason: ReasonPart,
}

/// A parameter set with its results.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CandidatePart {
    pub params: Map<String, Value>,
    /// Score in sample, which the search maximises.
    pub score: Option<f64>,
    /// On all days.
    pub metrics: MetricsPart,
    pub in_sample: MetricsPart,
    pub out_of_sample: MetricsPart,
}

impl From<&StyleResult> for StylePart {
    fn from(result: &StyleResult) -> Self {
        let extent = result.extent.as_ref();
        let unused = result.unused();
        let loss = |own: &SymbolLosses| (own.symbol.clone(), LossesPart::from(own));
        Self {
            parameter_sets: result.parameter_sets,
            parameter_sets_asked: extent.map(|extent| extent.asked),
            rated: extent.map(|extent| extent.rated),
            signals: result.signals,
            signals_in_lattice: extent.map(|extent| extent.in_lattice),
            pending_signals: result.pending,
            unused_signals: unused
                .map(|unused| unused.into_iter().map(|(name, count, _)| (name.to_owned(), count)).collect()),
            losses: extent.map(|extent| extent.losses.iter().map(loss).collect()),
            opportunities: result.opportunities,
            decision: result.decided.as_ref().map(StyleDecisionPart::from),
            evidence: result.evidence.as_ref().map(EvidencePart::from),
            symbols: result.own.as_ref().map(|own| own.iter().map(symbol_part).collect()),
        }
    }
}

impl From<&StyleDecision> for StyleDecisionPart {
    fn from(decided: &StyleDecision) -> Self {
        let days = |days: &Range<Day>| [days.start.to_string(), Day(days.end.0 - 1).to_string()];
        let split = decided.split.as_ref();
        Self {
            verdict: decided.verdict.clone(),
            outcome: decided.outcome.clone(),
            adopted: decided.adopted,
            changed: decided.changed,
            score_name: decided.score_name.clone(),
            stability: decided.stability,
            degradation: decided.degradation,
            win_rate_ratio: decided.win_rate_ratio,
            in_sample_days: split.map(|split| days(&split.early)),
            out_of_sample_days: split.map(|split| days(&split.late)),
            candidate: decided.candidate.as_ref().map(CandidatePart::from),
            incumbent: decided.incumbent.as_ref().map(CandidatePart::from),
            changes: decided.changes.iter().map(ChangePart::from).collect(),
            reasons: decided.reasons.iter().map(ReasonPart::from).collect(),
        }
    }
}

impl From<&Measured> for CandidatePart {
    fn from(measured: &Measured) -> Self {
        Self {
            params: parameters_object(&measured.set),
            score: measured.score,
            metrics: MetricsPart::from(&measured.full),
            in_sample: MetricsPart::from(&measured.early),
            out_of_sample: MetricsPart::from(&measured.late),
        }
    }
}

impl From<&SymbolLosses> for LossesPart {
    fn from(losses: &SymbolLosses) -> Self {
        let [no_entry, no_atr, rescaled] = losses.lost.reasons().map(|(_, count)| u64::from(count));
        Self { no_entry, no_atr, rescaled, cut: losses.cut, blind: losses.blind }
    }
}

fn symbol_part(own: &OwnSet) -> (String, SymbolPart) {
    let part = SymbolPart {
        own: own.measured.as_ref().map(CandidatePart::from),
        reason: ReasonPart::from(&own.reason),
    };
    (own.symbol.clone(), part)
}
