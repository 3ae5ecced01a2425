//! A style of a run: one part and one text, whether the run has just ended or is read from the store.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::change::ChangePart;
use super::document::parameters_object;
use super::evidence::{EvidencePart, SimulationPart};
use super::metrics::MetricsPart;
use super::prose::{key_values, wrap_sentence, wrap_words};
use super::table::{results_table, with_decimals};
use crate::decide::DecisionReason;
use crate::decide::reason::OwnReason;
use crate::model::Day;
use crate::run::report::SymbolLosses;
use crate::run::result::{StyleDecision, StyleResult};
use crate::study::Measured;
use crate::study::per_symbol::OwnSet;

/// Symbols whose losses are told one by one.
const LOSSES_SHOWN: usize = 5;

/// One style. What the store does not keep is null in the document of a stored run.
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

impl StylePart {
    /// Returns the style as text for people; `given` says whether its signals were given.
    pub fn text(&self, name: &str, given: bool) -> String {
        let mut text = self.head(name);
        text += &self.losses_text(given);
        let simulation = self.evidence.as_ref().and_then(|evidence| evidence.portfolio_simulation.as_ref());
        if let Some(decision) = &self.decision {
            text += &decision
                .sets_text(simulation, self.evidence.as_ref().is_some_and(EvidencePart::all_days_chose));
        }
        for line in self.evidence.iter().flat_map(EvidencePart::lines) {
            text += &wrap_words("", 4, line.split_whitespace());
        }
        if let Some(decision) = &self.decision {
            text.extend(decision.reasons.iter().map(|reason| wrap_sentence("  - ", &reason.text)));
        }
        for (symbol, part) in self.symbols.iter().flatten() {
            if let Some(own) = &part.own {
                text += &wrap_words(&format!("{symbol} has its own: "), 6, key_values(&own.params));
            }
        }
        text + &self.decision.as_ref().map(StyleDecisionPart::changes_text).unwrap_or_default()
    }

    fn head(&self, name: &str) -> String {
        let said = self.decision.as_ref().map_or_else(
            || "nothing decided".to_owned(),
            |decision| format!("verdict {}, {}", decision.verdict, decision.outcome),
        );
        if self.parameter_sets == 0 && self.signals == 0 {
            return format!("{name}: {said}\n");
        }
        let asked = self.parameter_sets_asked.filter(|asked| *asked > self.parameter_sets);
        let asked = asked.map_or_else(String::new, |asked| format!(" of {asked}"));
        let in_grid =
            self.signals_in_lattice.map_or_else(String::new, |count| format!("{count} in the grid, "));
        let head = format!(
            "{name}: {} parameter sets{asked} over {} signals ({in_grid}{} pending), {} opportunities; {said}",
            self.parameter_sets, self.signals, self.pending_signals, self.opportunities
        );
        wrap_words("", 2, head.split(' '))
    }

    /// Returns what became of given signals that are not used, and what gaps cost the symbols that they cost most.
    fn losses_text(&self, given: bool) -> String {
        let mut text = String::new();
        let in_words = |(name, count): (&str, u64)| format!("{count} {}", loss_in_words(name));
        let unused = self.unused_signals.iter().flatten().filter(|_| given);
        let unused: Vec<String> = unused.map(|(name, count)| in_words((name.as_str(), *count))).collect();
        if !unused.is_empty() {
            text += &wrap_words("  not used: ", 4, unused.join(", ").split_whitespace());
        }
        let mut losses: Vec<(&String, &LossesPart)> = self.losses.iter().flatten().collect();
        losses.sort_by_key(|(_, own)| std::cmp::Reverse(own.all()));
        for (symbol, own) in losses.iter().take(LOSSES_SHOWN) {
            let told: Vec<String> = own.named().filter(|(_, count)| *count > 0).map(in_words).collect();
            text += &wrap_words(&format!("  {symbol}: "), 4, told.join(", ").split_whitespace());
        }
        if let more @ 1.. = losses.len().saturating_sub(LOSSES_SHOWN) {
            let _ = writeln!(text, "  and {more} more symbols (--json, `optimizer inspect run`)");
        }
        text
    }
}

impl LossesPart {
    fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let Self { no_entry, no_atr, rescaled, cut, blind } = *self;
        [("no_entry", no_entry), ("no_atr", no_atr), ("rescaled", rescaled), ("cut", cut), ("blind", blind)]
            .into_iter()
    }

    fn all(&self) -> u64 {
        self.named().map(|(_, count)| count).sum()
    }
}

impl StyleDecisionPart {
    /// Returns the parts of the days, and what the sets came to on them: where all days chose, the last ones are not out of sample.
    fn sets_text(&self, simulation: Option<&SimulationPart>, all_days_chose: bool) -> String {
        let mut text = String::new();
        if let (Some([a, b]), Some([c, d])) = (&self.in_sample_days, &self.out_of_sample_days) {
            let _ = match all_days_chose {
                true => writeln!(text, "  chosen on all days; first days {a} to {b}, last days {c} to {d}"),
                false => writeln!(text, "  in-sample {a} to {b}, out-of-sample {c} to {d}"),
            };
        }
        let both = [("candidate", &self.candidate), ("active", &self.incumbent)];
        let both: Vec<(&str, &CandidatePart)> =
            both.iter().filter_map(|(n, c)| Some((*n, c.as_ref()?))).collect();
        let mut rows: Vec<(String, MetricsPart)> =
            both.iter().flat_map(|(name, part)| metric_rows(name, part, all_days_chose)).collect();
        rows.extend(simulation.iter().flat_map(|part| part.rows("candidate, traded", "active, traded")));
        if !rows.is_empty() {
            text += &format!("{}\n", results_table(&rows));
        }
        for (name, part) in &both {
            let (score, score_name) = (with_decimals(part.score, 4), &self.score_name);
            let label = format!("  {name}: {score_name} score {score};");
            text += &wrap_words(&label, 4, key_values(&part.params));
        }
        text
    }

    /// Returns what changed, or would have. Without active parameters every value is new, and the candidate stands above.
    fn changes_text(&self) -> String {
        let is_first = self.incumbent.is_none() && self.candidate.is_some();
        let told: Vec<&ChangePart> =
            self.changes.iter().filter(|change| !is_first || change.scope.contains('/')).collect();
        if told.is_empty() {
            return String::new();
        }
        let mut text = if self.changed { "  changed:\n" } else { "  would have changed:\n" }.to_owned();
        for change in told {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let symbol =
                change.scope.split_once('/').map_or_else(String::new, |_| format!("{} ", change.scope));
            let (old, new) = (value(&change.old), value(&change.new));
            let _ = writeln!(text, "  * {symbol}{}: {old} -> {new}", change.key);
        }
        text
    }
}

fn metric_rows(name: &str, part: &CandidatePart, all_days_chose: bool) -> [(String, MetricsPart); 3] {
    let [first, last] = if all_days_chose { ["first", "last"] } else { ["IS", "OOS"] };
    [(first, &part.in_sample), (last, &part.out_of_sample), ("all", &part.metrics)]
        .map(|(when, metrics)| (format!("{name}, {when}"), metrics.clone()))
}

/// Returns what a kind of loss is called for people.
fn loss_in_words(name: &str) -> &str {
    crate::run::report::LOSSES.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| words)
}
