//! What a run did: everything that is stored, printed or exported about it.

use std::collections::{BTreeMap, BTreeSet};

use super::freshness::Freshness;
use super::input_report::InputReport;
use super::losses::{SymbolLosses, unused_signals};
use crate::decide::insights::Insights;
use crate::decide::reason::{HoldReason, OwnReason, SetBack};
use crate::decide::{Decision, DecisionOutcome, DecisionReason, ParameterChange, RunResult};
use crate::engine::reuse::Reason;
use crate::fingerprint::Fingerprint;
use crate::model::{Day, Style};
use crate::run::unit_counts::UnitCounts;
use crate::run::unreported::Overdue;
use crate::search::weights::LearnedWeights;
use crate::store::CacheSize;
use crate::study::Study;
use crate::study::evidence::Evidence;
use crate::study::per_symbol::OwnSet;
use crate::study::series::Series;
use crate::validate::assessment::Assurance;

/// One style of a run.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StyleReport {
    /// The style.
    pub style: Style,
    /// Candidates of sealed days.
    pub signals: u64,
    /// Those that pass the loosest level of every dimension.
    pub in_lattice: u64,
    /// Candidates that wait for candles.
    pub pending: u64,
    /// What missing candles, and prices in another scale, cost; the symbols that they cost something.
    pub losses: Vec<SymbolLosses>,
    /// Opportunities by hindsight; for the capture rate only.
    pub opportunities: u64,
    /// Search and judgement.
    pub study: Study,
    /// What becomes of the parameters.
    pub decision: Decision,
    /// What each symbol trades; nothing where the pooled set did not survive.
    pub own: Vec<OwnSet>,
    /// What is known about the candidate.
    pub evidence: Evidence,
    /// The weights of the signal score that it was found under, where they are learned.
    pub weights: Option<LearnedWeights>,
    /// What pictures are drawn from.
    pub series: Series,
    /// What was learned.
    pub insights: Insights,
}

impl StyleReport {
    /// Returns the signals of days that count and are not used; see [`super::losses::LOSSES`].
    pub fn unused(&self) -> Vec<(&'static str, u64, &'static str)> {
        unused_signals((self.signals, self.in_lattice, self.pending), &self.losses)
    }

    /// Returns how sure one can be of the candidate: better than what is active, or than nothing where nothing is.
    pub fn assurance(&self) -> Assurance {
        let assessment = self.evidence.switch.as_ref().or(self.evidence.edge.as_ref());
        assessment.map_or(Assurance::NotEnoughData, |assessment| assessment.assurance)
    }

    /// Takes back what the run would adopt of the style, for a clock that was set back.
    pub(crate) fn hold_back_by_clock(&mut self, clock: SetBack) {
        self.decision.hold_back(DecisionReason::ClockSetBack(clock));
        for own in self.own.iter_mut().filter(|own| !own.changes.is_empty()) {
            own.changes.clear();
            own.reason = OwnReason::ClockSetBack(clock);
        }
    }

    /// Keeps the run from adopting anything of the style, and says why.
    pub(crate) fn hold_back(&mut self, reason: HoldReason) {
        self.own.retain(|own| own.changes.is_empty());
        self.decision.hold_back(DecisionReason::HeldBack(reason));
    }

    /// Returns the changes that take effect: those of the style if its active parameters become others, and those of symbols.
    pub fn applied_changes(&self) -> Vec<ParameterChange> {
        let changes = self.decision.outcome.changes_parameters();
        let own = self.own.iter().flat_map(|own| &own.changes);
        self.decision.changes.iter().filter(|_| changes).chain(own).cloned().collect()
    }
}

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// Number of the run in its profile; `None` when nothing was stored.
    pub run: Option<u64>,
    /// Profile.
    pub profile: String,
    /// Start; UTC ms.
    pub started_at_ms: i64,
    /// Wall time.
    pub duration_ms: u64,
    /// Worker threads.
    pub threads: u32,
    /// Peak resident memory of the process, where the system tells.
    pub peak_rss_bytes: Option<u64>,
    /// Fingerprint of all candles.
    pub data_fingerprint: Fingerprint,
    /// Fingerprint of the plan.
    pub plan_fingerprint: Fingerprint,
    /// An earlier run on the same candles and plan, whose decisions stand.
    pub same_as: Option<u64>,
    /// Whether an interrupted run left results that this one could go on from.
    pub resumed: bool,
    /// What was read.
    pub input: InputReport,
    /// How old it is.
    pub freshness: Freshness,
    /// What became of each symbol's units, in the order of the symbols.
    pub units: Vec<UnitCounts>,
    /// What is kept of evaluated units; `None` when nothing is.
    pub cached: Option<CacheSize>,
    /// Styles, in order.
    pub styles: Vec<StyleReport>,
    /// Name of the score that sets were compared by.
    pub score_name: String,
    /// The first day that was asked for, and the one to end before.
    pub asked_days: (Option<Day>, Option<Day>),
    /// The result.
    pub result: RunResult,
    /// Earlier runs that were stored and never reported.
    pub overdue: Vec<Overdue>,
}

impl RunReport {
    /// Returns what there is to tell: that parameters changed also where an earlier run changed them and was interrupted
    /// before anybody was told.
    pub fn result_to_tell(&self) -> RunResult {
        match self.overdue.iter().any(|earlier| !earlier.changes.is_empty()) {
            true => RunResult::Changed,
            false => self.result,
        }
    }

    /// Returns the worst verdict of the styles, as the legacy system reported it.
    pub fn verdict(&self) -> &'static str {
        let verdicts = self.styles.iter().map(|style| style.study.judgement.verdict);
        verdicts.max_by_key(|verdict| verdict.severity()).map_or("SKIPPED", |verdict| verdict.as_str())
    }

    /// Returns how sure one can be of the run, as an [`Assurance`]'s word: of the least certain of the candidates that were
    /// adopted, else of the most certain one.
    pub fn assurance(&self) -> &'static str {
        let adopted = self.styles.iter().filter(|style| style.decision.outcome == DecisionOutcome::Adopted);
        let least = adopted.map(StyleReport::assurance).min();
        let reached = least.or_else(|| self.styles.iter().map(StyleReport::assurance).max());
        reached.unwrap_or(Assurance::NotEnoughData).as_str()
    }

    /// Returns the symbol-days of the run.
    pub fn units_total(&self) -> u64 {
        self.units.iter().map(|units| units.total).sum()
    }

    /// Returns the symbol-days that were evaluated; the others were reused.
    pub fn units_evaluated(&self) -> u64 {
        self.units.iter().map(|units| units.evaluated.len() as u64).sum()
    }

    /// Returns the symbol-days evaluated, by kind of reason.
    pub fn reasons(&self) -> BTreeMap<&'static str, u64> {
        let mut reasons = BTreeMap::new();
        for (_, reason) in self.units.iter().flat_map(|units| &units.evaluated) {
            *reasons.entry(reason.kind()).or_insert(0) += 1;
        }
        reasons
    }

    /// Returns the calendar days that no symbol had been evaluated on before.
    pub fn days_new(&self) -> u64 {
        let evaluated = self.units.iter().flat_map(|units| &units.evaluated);
        let new = evaluated.filter(|(_, reason)| *reason == Reason::New).map(|(day, _)| *day);
        new.collect::<BTreeSet<Day>>().len() as u64
    }
}
