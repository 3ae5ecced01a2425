//! What a run did: everything that is stored, printed or exported about it.

use std::collections::{BTreeMap, BTreeSet};

use super::freshness::Freshness;
use crate::decide::insights::Insights;
use crate::decide::reason::HoldReason;
use crate::decide::{Decision, DecisionOutcome, DecisionReason, ParameterChange, RunResult};
use crate::engine::reuse::Reason;
use crate::engine::unit::SkipCounts;
use crate::fingerprint::Fingerprint;
use crate::ingest::PassedOver;
use crate::model::{Day, Style, Symbol};
use crate::run::file_summary::{FileNote, IssueNote};
use crate::run::given_signals::SignalsNote;
use crate::run::symbol_evaluator::UnitCounts;
use crate::run::unreported::Overdue;
use crate::search::weights::LearnedWeights;
use crate::store::CacheSize;
use crate::study::Study;
use crate::study::evidence::Evidence;
use crate::study::per_symbol::OwnSet;
use crate::study::series::Series;
use crate::validate::assessment::Assurance;

/// What was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InputReport {
    /// Every file of a symbol, with what was wrong with it.
    pub files: Vec<FileNote>,
    /// Files that are no candles, with why.
    pub passed_over: Vec<PassedOver>,
    /// Symbols in order, with candles, the days they span and issues of all their files together.
    pub symbols: Vec<SymbolReport>,
    /// What became of the signals, where they were given.
    pub signals: Option<SignalsNote>,
}

/// What was read of one symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolReport {
    /// Its name.
    pub name: String,
    /// Candles at the base interval.
    pub candles: u64,
    /// First and last day with candles.
    pub days: Option<(Day, Day)>,
    /// Issues of all its files together.
    pub issues: Vec<IssueNote>,
    /// Open time of its last candle; UTC ms.
    pub last_open: i64,
    /// Last close of every day with candles, those before the window included.
    pub closes: Vec<(Day, f64)>,
    /// Fingerprint of its candles.
    pub fingerprint: Fingerprint,
    /// When its newest candle closed; UTC ms.
    pub newest_close_ms: i64,
}

impl InputReport {
    /// Returns the candles of all symbols.
    pub fn candles(&self) -> u64 {
        self.symbols.iter().map(|symbol| symbol.candles).sum()
    }

    /// Returns the open time of the newest candle of all symbols; UTC ms.
    pub fn newest_open(&self) -> i64 {
        self.symbols.iter().map(|symbol| symbol.last_open).max().unwrap_or(i64::MIN)
    }

    /// Returns the symbol that stands for the market: the one wanted, or the first.
    pub fn market(&self, wanted: &Symbol) -> Option<&SymbolReport> {
        self.symbols.iter().find(|symbol| symbol.name == wanted.as_str()).or(self.symbols.first())
    }

    /// Returns the first and last day with candles.
    pub fn days(&self) -> Option<(Day, Day)> {
        let spans = self.symbols.iter().filter_map(|symbol| symbol.days);
        spans.reduce(|(a, b), (first, last)| (a.min(first), b.max(last)))
    }
}

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

/// What signals and candles are lost by: the name in documents, and in words. The first five are why signals of days that count
/// are not used.
pub const LOSSES: [(&str, &str); 7] = [
    ("no_entry", "without a candle at their entry"),
    ("no_atr", "before ATR(14) is known (15 candles that move)"),
    ("rescaled", "across a price in another scale"),
    ("pending", "that wait for candles"),
    ("filtered", "that pass no filter"),
    ("cut", "closed at the last close before a gap under some exit rule"),
    ("blind", "candles too soon after a gap, or after the first, to look for signals at"),
];

/// What missing candles, and prices in another scale, cost a symbol in one style.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct SymbolLosses {
    /// Its name.
    pub symbol: String,
    /// Candidates that come to nothing, by reason.
    pub lost: SkipCounts,
    /// Candles at which no signal could be looked for.
    pub blind: u64,
    /// Signals in the lattice that some exit rule closes at the last close before a gap.
    pub cut: u64,
}

impl SymbolLosses {
    /// Returns the losses of all symbols together.
    pub fn sum(losses: &[Self]) -> Self {
        losses.iter().fold(Self::default(), |mut all, own| {
            all.lost += own.lost;
            all.blind += own.blind;
            all.cut += own.cut;
            all
        })
    }

    /// Returns everything that was lost, with the name in documents and in words.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, u64, &'static str)> {
        let lost = self.lost.reasons().into_iter().zip(LOSSES);
        let lost = lost.map(|((name, count), (_, what))| (name, u64::from(count), what));
        let of = |(name, what): (&'static str, &'static str), count| (name, count, what);
        let (cut, blind) = (of(LOSSES[5], self.cut), of(LOSSES[6], self.blind));
        lost.chain([cut, blind]).filter(|(_, count, _)| *count > 0)
    }
}

/// Returns the signals of days that count and are not used, by the name of [`LOSSES`] and in words.
pub(super) fn unused_signals(
    (signals, in_lattice, pending): (u64, u64, u64),
    losses: &[SymbolLosses],
) -> Vec<(&'static str, u64, &'static str)> {
    let lost = SymbolLosses::sum(losses).lost.reasons().map(|(_, count)| u64::from(count));
    let counts = lost.into_iter().chain([pending, signals - in_lattice]);
    let all = LOSSES.into_iter().zip(counts).map(|((name, what), count)| (name, count, what));
    all.filter(|(_, count, _)| *count > 0).collect()
}

impl StyleReport {
    /// Returns the signals of days that count and are not used; see [`LOSSES`].
    pub fn unused(&self) -> Vec<(&'static str, u64, &'static str)> {
        unused_signals((self.signals, self.in_lattice, self.pending), &self.losses)
    }

    /// Returns how sure one can be of the candidate: better than what is active, or than nothing where nothing is.
    pub fn assurance(&self) -> Assurance {
        let assessment = self.evidence.switch.as_ref().or(self.evidence.edge.as_ref());
        assessment.map_or(Assurance::NotEnoughData, |assessment| assessment.assurance)
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
