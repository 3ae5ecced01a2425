//! The document of a run and its text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::document::{Document, params_object};
use super::freshness::{FreshnessPart, age_lines, issue_lines};
use crate::ingest::{PassedOver, Rejection};
use crate::model::rfc3339;
use crate::run::freshness::ClockState;
use crate::run::given_signals::SignalsNote;
use crate::run::records::{change_record, evidence_record, issue_records, lost_records};
use crate::run::report::{InputReport, RunReport, StyleReport, SymbolLosses};
use crate::run::unreported::Overdue;
use crate::store::records::{AssessmentRecord, ChangeRecord, EvidenceRecord, IssueRecord, StoredMetrics};
use crate::study::Measured;
use crate::study::captures::{Capture, Captures};
use crate::study::per_symbol::OwnSet;
use crate::study::portfolio::{BothWays, TradeResults, Traded};
use crate::study::regimes::{RegimeResults, Regimes};
use crate::validate::regimes::MarketRegime;

/// The input, evaluation and decisions of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunDocument {
    /// The run.
    pub run: RunPart,
    /// What was read.
    pub input: InputPart,
    /// What was evaluated.
    pub evaluation: EvaluationPart,
    /// Per style: the best set, the active set, the judgement.
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
    pub changes: Vec<crate::store::records::ChangeRecord>,
}

impl Document for RunDocument {
    const KIND: &'static str = "run";
}

/// The run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RunPart {
    /// Number of the run in its profile; null when nothing was stored.
    pub id: Option<u64>,
    pub profile: String,
    pub started_at: String,
    pub duration_ms: u64,
    pub peak_rss_bytes: Option<u64>,
    pub threads: u32,
    /// Whether an interrupted run left results that this one could go on from.
    pub resumed: bool,
    pub data_fingerprint: String,
    pub plan_fingerprint: String,
    /// The earlier run with the same candles and plan, whose decisions stand.
    pub same_as: Option<u64>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InputPart {
    pub files: u64,
    pub symbols: Vec<String>,
    pub candles: u64,
    pub days: u64,
    pub days_new: u64,
    pub first_day: Option<String>,
    pub last_day: Option<String>,
    /// The signals that were given; null where they are derived from candles.
    pub signals: Option<SignalsPart>,
    /// How old the candles are.
    pub freshness: FreshnessPart,
    pub issues: Vec<IssuePart>,
}

/// What became of the rows of a file of signals: each is in exactly one place.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SignalsPart {
    pub file: String,
    pub rows: u64,
    /// Signals on days that count, for at least one of the styles tuned.
    pub counted: u64,
    /// Rows equal to an earlier one.
    pub duplicates: u64,
    /// Signals of symbols without candles.
    pub without_candles: u64,
    /// Signals on days before the first candle of their symbol.
    pub before_candles: u64,
    /// Signals on days after the last candle.
    pub after_candles: u64,
    /// Signals on days with candles that are not looked at.
    pub outside_window: u64,
    /// Signals of styles that are not tuned.
    pub other_styles: u64,
    /// Of all signals and their columns.
    pub fingerprint: String,
}

impl From<&SignalsNote> for SignalsPart {
    fn from(note: &SignalsNote) -> Self {
        Self {
            file: note.file.clone(),
            rows: note.rows,
            counted: note.counted,
            duplicates: note.duplicates,
            without_candles: note.without_candles,
            before_candles: note.before_candles,
            after_candles: note.after_candles,
            outside_window: note.outside_window,
            other_styles: note.other_styles,
            fingerprint: note.fingerprint.to_string(),
        }
    }
}

/// Returns what became of the rows of a file of signals, on one line.
fn signals_line(note: &SignalsNote) -> String {
    let others: String = note.unused().map(|(count, what)| format!(", {count} {what}")).collect();
    format!("{} signals given in `{}`: {} on days that count{others}", note.rows, note.file, note.counted)
}

/// Something about the input that should be known.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct IssuePart {
    /// File, or symbol for what concerns all its files together.
    pub file: String,
    pub line: Option<u64>,
    pub kind: String,
    pub count: u64,
    pub detail: String,
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

/// One style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StylePart {
    pub parameter_sets: u64,
    /// Sets of the space that was asked for; more than those searched where it is beyond the budget.
    pub parameter_sets_asked: u64,
    /// Sets with enough in-sample trades to have a score.
    pub rated: u64,
    pub signals: u64,
    /// Signals that pass the loosest level of every dimension.
    pub signals_in_lattice: u64,
    pub pending_signals: u64,
    /// Signals of days that count and are not used, by reason: `no_entry`, `no_atr`, `rescaled`, `pending`, `filtered`.
    pub unused_signals: BTreeMap<String, u64>,
    /// What missing candles, and prices in another scale, cost; the symbols that they cost something.
    pub losses: BTreeMap<String, LossesPart>,
    /// Moves an oracle would have taken; the denominator of the capture rate and nothing else.
    pub opportunities: u64,
    pub best: Option<CandidatePart>,
    pub incumbent: Option<CandidatePart>,
    pub validation: ValidationPart,
    pub evidence: EvidencePart,
    pub decision: String,
    /// What each symbol trades; empty where the best set did not survive.
    pub symbols: BTreeMap<String, SymbolPart>,
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

impl From<&SymbolLosses> for LossesPart {
    fn from(losses: &SymbolLosses) -> Self {
        let [no_entry, no_atr, rescaled] = losses.lost.reasons().map(|(_, count)| u64::from(count));
        Self { no_entry, no_atr, rescaled, cut: losses.cut, blind: losses.blind }
    }
}

/// What is known about the best set: luck, the past, the future so far.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EvidencePart {
    /// Parameter sets tried, all grids of the profile and those declared together.
    pub trials: u64,
    /// Is there anything here at all?
    pub edge: Option<AssessmentRecord>,
    /// Is it better than what is active? Null where nothing is, or the best set is.
    pub switch: Option<AssessmentRecord>,
    /// What becomes of the best set when positions stay open; null where there is none.
    pub replay: Option<ReplayPart>,
    /// The best set by kind of market, as it was known when each day began; null where it is never known.
    pub regimes: Option<RegimesPart>,
    /// What the best set and the one active made of the moves an oracle would have taken; null where there is no best
    /// set. Nothing is chosen by it.
    pub hindsight: Option<HindsightPart>,
    /// Figures by name; what is not defined is not there.
    pub figures: BTreeMap<String, f64>,
}

/// The best sets traded as a bot trades them (`[portfolio]`), on all days.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReplayPart {
    /// The best set.
    pub best: BothWaysPart,
    /// The active set; null where it was not measured.
    pub in_force: Option<BothWaysPart>,
    /// Signals of the best set that are lost, by reason: `symbol_busy`, `cooling_down`, `portfolio_full`, `day_over`.
    pub lost: BTreeMap<String, u64>,
    /// What the best set's independent trades are worth in trades that do not overlap.
    pub effective_trades: f64,
    /// Sets compared: the best, the neighbours of the very best, the one active, and every signal.
    pub sets: u64,
    /// Rank correlation of their net results, independent and traded; null where they are few.
    pub agreement: Option<f64>,
}

/// Two sets beside each other, against the moves an oracle would have taken on all days.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HindsightPart {
    /// The best set.
    pub best: CapturePart,
    /// The active set; null where it was not measured.
    pub in_force: Option<CapturePart>,
}

/// What a set made of those moves, every signal a trade of its own.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CapturePart {
    /// Moves with a trade at their beginning, on their side.
    pub captured: u64,
    /// Moves without one.
    pub missed: u64,
    /// All trades.
    pub trades: u64,
    /// Trades at no move.
    pub false_entries: u64,
    /// What all trades came to, after costs.
    pub net_pct: f64,
}

impl From<&Captures> for HindsightPart {
    fn from(captures: &Captures) -> Self {
        let part = |capture: &Capture| {
            let Capture { captured, missed, trades, false_entries, net_pct } = *capture;
            CapturePart { captured, missed, trades, false_entries, net_pct }
        };
        Self { best: part(&captures.best), in_force: captures.in_force.as_ref().map(part) }
    }
}

impl HindsightPart {
    /// Returns the part in one line.
    fn line(&self) -> String {
        let said = |name: &str, part: &CapturePart| {
            let CapturePart { captured, missed, trades, false_entries, net_pct } = part;
            format!(
                "{name} captured {captured}, missed {missed}, {false_entries} of {trades} trades at none, {net_pct:+.1} % net"
            )
        };
        let in_force = self.in_force.as_ref().map(|part| format!("; {}", said("the active set", part)));
        let moves = self.best.captured + self.best.missed;
        format!(
            "OPPORTUNITY CAPTURE: of {moves} moves {}{}",
            said("the best set", &self.best),
            in_force.unwrap_or_default()
        )
    }
}

/// The best set by kind of market.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RegimesPart {
    /// `rising_calm`, `rising_wild`, `falling_calm`, `falling_wild`.
    pub regimes: BTreeMap<String, RegimePart>,
    /// Probability that the means differ as much by chance; null with fewer than two means.
    pub p_alike: Option<f64>,
}

/// The days of one kind of market.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RegimePart {
    pub days: u64,
    pub net_pct: f64,
    /// Mean of a day; null with fewer than 20 days.
    pub mean_pct: Option<f64>,
    /// 90 % interval of the mean.
    pub interval_pct: Option<[f64; 2]>,
}

impl From<&Regimes> for RegimesPart {
    fn from(regimes: &Regimes) -> Self {
        let part = |(regime, results): (MarketRegime, &RegimeResults)| {
            let RegimeResults { days, net_pct, mean_pct, interval_pct } = *results;
            let interval_pct = interval_pct.map(|(low, high)| [low, high]);
            (regime.as_str().to_owned(), RegimePart { days, net_pct, mean_pct, interval_pct })
        };
        let regimes_by_name = MarketRegime::ALL.into_iter().zip(&regimes.results).map(part).collect();
        Self { regimes: regimes_by_name, p_alike: regimes.p_alike }
    }
}

impl RegimesPart {
    /// Returns the part in one line; `None` where no kind has days enough.
    fn line(&self) -> Option<String> {
        let judged = self.regimes.iter().filter_map(|(name, part)| Some((name, part, part.mean_pct?)));
        let judged: Vec<(&String, &RegimePart, f64)> = judged.collect();
        let earning = judged.iter().filter(|(_, _, mean)| *mean > 0.0).count();
        let shown = |(name, part, mean): &(&String, &RegimePart, f64)| {
            let kind = MarketRegime::named(name).map_or(name.as_str(), |regime| regime.in_words());
            format!("{kind} {mean:+.3} %/day over {} days", part.days)
        };
        let shown: Vec<String> = judged.iter().map(shown).collect();
        let alike = self.p_alike.map_or_else(String::new, |p| {
            format!("; they differ as much by chance in {:.0} of 100 simulations", 100.0 * p)
        });
        let kinds = judged.len();
        (kinds > 0).then(|| {
            format!("REGIMES earns in {earning} of {kinds} kinds of market: {}{alike}", shown.join("; "))
        })
    }
}

/// One set both ways.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BothWaysPart {
    /// Every signal is a trade of its own.
    pub independent: TradeResultsPart,
    /// As the portfolio allows.
    pub traded: TradeResultsPart,
}

/// What some trades came to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TradeResultsPart {
    pub trades: u64,
    pub win_rate: Option<f64>,
    pub mean_pct: Option<f64>,
    pub net_pct: f64,
    pub drawdown_pct: f64,
}

impl From<&TradeResults> for TradeResultsPart {
    fn from(results: &TradeResults) -> Self {
        let TradeResults { trades, win_rate, mean_pct, net_pct, drawdown_pct } = *results;
        Self { trades, win_rate, mean_pct, net_pct, drawdown_pct }
    }
}

impl From<&Traded> for ReplayPart {
    fn from(traded: &Traded) -> Self {
        let both = |both: &BothWays| BothWaysPart {
            independent: TradeResultsPart::from(&both.independent),
            traded: TradeResultsPart::from(&both.traded),
        };
        let lost = traded.lost().map(|(lost, count)| (lost.as_str().to_owned(), count));
        Self {
            best: both(&traded.best),
            in_force: traded.in_force.as_ref().map(both),
            lost: lost.filter(|(_, count)| *count > 0).collect(),
            effective_trades: traded.effective_trades,
            sets: traded.sets,
            agreement: traded.agreement,
        }
    }
}

impl ReplayPart {
    /// Returns the part in one line.
    fn line(&self) -> String {
        let shown = |results: &TradeResultsPart| {
            let mean = results.mean_pct.map_or_else(|| "-".to_owned(), |mean| format!("{mean:+.3}"));
            format!("{} trades of {mean} %, {:+.1} % in all", results.trades, results.net_pct)
        };
        let lost: Vec<String> =
            self.lost.iter().map(|(why, count)| format!("{count} {}", why.replace('_', " "))).collect();
        let lost = if lost.is_empty() { "none".to_owned() } else { lost.join(", ") };
        let agreement = self.agreement.map_or_else(String::new, |agreement| {
            format!("; rank correlation {agreement:.2} over {} sets", self.sets)
        });
        let (traded, independent) = (shown(&self.best.traded), shown(&self.best.independent));
        let worth = self.effective_trades;
        format!(
            "PORTFOLIO SIMULATION: {traded}; independent trades: {independent}, effective number of trades {worth:.0}; signals lost: {lost}{agreement}"
        )
    }

    /// Returns rows for the table of results, with the names given.
    pub fn rows(&self, best: &str, in_force: &str) -> Vec<(String, StoredMetrics)> {
        let row = |name: &str, both: &BothWaysPart| {
            let results = &both.traded;
            let metrics = StoredMetrics {
                trades: results.trades,
                win_rate: results.win_rate,
                expectancy_pct: results.mean_pct,
                total_return_pct: Some(results.net_pct),
                max_drawdown_pct: Some(results.drawdown_pct),
                ..StoredMetrics::default()
            };
            (name.to_owned(), metrics)
        };
        let in_force = self.in_force.as_ref().map(|both| row(in_force, both));
        [row(best, &self.best)].into_iter().chain(in_force).collect()
    }
}

impl EvidencePart {
    /// Returns the two answers, what becomes of the best set when it is traded, where it earns, and what hindsight says of
    /// it beside the active set; one line each.
    pub fn lines(&self) -> Vec<String> {
        let line = |(question, assessment): (&str, &Option<AssessmentRecord>)| {
            let assessment = assessment.as_ref()?;
            let lacks = &assessment.lacks;
            let lacks = if lacks.is_empty() { String::new() } else { format!(" ({})", lacks.join(", ")) };
            Some(format!("{question} {}{lacks}: {}", assessment.assurance, assessment.sentence))
        };
        let answers = [("EDGE", &self.edge), ("SWITCH", &self.switch)].into_iter().filter_map(line);
        let replay = self.replay.as_ref().map(ReplayPart::line);
        let regimes = self.regimes.as_ref().and_then(RegimesPart::line);
        let hindsight = self.hindsight.as_ref().map(HindsightPart::line);
        answers.chain(replay).chain(regimes).chain(hindsight).collect()
    }
}

impl From<&EvidenceRecord> for EvidencePart {
    fn from(record: &EvidenceRecord) -> Self {
        Self {
            trials: record.trials,
            edge: record.edge.clone(),
            switch: record.switch.clone(),
            replay: Traded::of_figures(|name| record.figure(name)).as_ref().map(ReplayPart::from),
            regimes: Regimes::of_figures(|name| record.figure(name)).as_ref().map(RegimesPart::from),
            hindsight: Captures::of_figures(|name| record.figure(name)).as_ref().map(HindsightPart::from),
            figures: record.figures.iter().map(|figure| (figure.name.clone(), figure.value)).collect(),
        }
    }
}

/// What a symbol trades in a style.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SymbolPart {
    /// Its own set with what it achieved on the symbol; null where the set of all symbols is used.
    pub own: Option<CandidatePart>,
    pub reason: String,
}

/// A parameter set with its results.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CandidatePart {
    pub params: Map<String, Value>,
    /// Score in sample, which the search maximises.
    pub score: Option<f64>,
    /// On all days.
    pub metrics: StoredMetrics,
    pub early: StoredMetrics,
    pub late: StoredMetrics,
}

/// The judgement.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ValidationPart {
    pub verdict: String,
    pub stability: Option<f64>,
    pub degradation: Option<f64>,
    pub win_rate_ratio: Option<f64>,
    pub early_days: Option<[String; 2]>,
    pub late_days: Option<[String; 2]>,
    pub reasons: Vec<String>,
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
    pub changes: Vec<ChangeRecord>,
    pub reasons: Vec<String>,
}

impl RunDocument {
    /// Returns the document of a report.
    pub fn new(report: &RunReport) -> Self {
        let sum = |count: fn(&StyleReport) -> u64| report.styles.iter().map(count).sum();
        let (total, evaluated) = (report.units_total(), report.units_evaluated());
        Self {
            run: RunPart {
                id: report.run,
                profile: report.profile.clone(),
                started_at: rfc3339(report.started_at_ms),
                duration_ms: report.duration_ms,
                peak_rss_bytes: report.peak_rss_bytes,
                threads: report.threads,
                resumed: report.resumed,
                data_fingerprint: report.data_fingerprint.to_string(),
                plan_fingerprint: report.plan_fingerprint.to_string(),
                same_as: report.same_as,
            },
            input: input_part(report),
            evaluation: EvaluationPart {
                signals: sum(|style| style.signals),
                pending_signals: sum(|style| style.pending),
                broken_signals: sum(|style| style.losses_all().lost.all()),
                parameter_sets: sum(|style| style.study.sets as u64),
                units_total: total,
                units_evaluated: evaluated,
                units_reused: total - evaluated,
                reasons: report.reasons().into_iter().map(|(kind, n)| (kind.to_owned(), n)).collect(),
            },
            styles: report.styles.iter().map(|style| (style.style.to_string(), style_part(style))).collect(),
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
        changes: earlier.changes.clone(),
    }
}

fn input_part(report: &RunReport) -> InputPart {
    let days = report.input.days();
    let count = days.map_or(0, |(first, last)| u64::from(last.0.abs_diff(first.0)) + 1);
    let issue = |(issue, line): (crate::store::records::IssueRecord, Option<u64>)| IssuePart {
        file: issue.file,
        line,
        kind: issue.kind,
        count: issue.count,
        detail: issue.detail,
    };
    InputPart {
        files: report.input.files.len() as u64,
        symbols: report.input.symbols.iter().map(|symbol| symbol.name.clone()).collect(),
        candles: report.input.candles(),
        days: count,
        days_new: report.days_new(),
        first_day: days.map(|(first, _)| first.to_string()),
        last_day: days.map(|(_, last)| last.to_string()),
        signals: report.input.signals.as_ref().map(SignalsPart::from),
        freshness: FreshnessPart::from(&report.freshness),
        issues: issue_records(&report.input)
            .into_iter()
            .chain(lost_records(&report.styles).map(|lost| (lost, None)))
            .map(issue)
            .collect(),
    }
}

fn style_part(style: &StyleReport) -> StylePart {
    let judgement = &style.study.judgement;
    let days = |days: &std::ops::Range<crate::model::Day>| {
        [days.start.to_string(), crate::model::Day(days.end.0 - 1).to_string()]
    };
    StylePart {
        parameter_sets: style.study.sets as u64,
        parameter_sets_asked: style.study.asked,
        rated: style.study.rated as u64,
        signals: style.signals,
        signals_in_lattice: style.in_lattice,
        pending_signals: style.pending,
        unused_signals: style.unused().map(|(name, count, _)| (name.to_owned(), count)).collect(),
        losses: style.losses.iter().map(|own| (own.symbol.clone(), LossesPart::from(own))).collect(),
        opportunities: style.opportunities,
        best: style.study.top.first().map(candidate_part),
        incumbent: style.study.incumbent.as_ref().map(candidate_part),
        validation: ValidationPart {
            verdict: judgement.verdict.to_string(),
            stability: judgement.stability,
            degradation: judgement.degradation,
            win_rate_ratio: judgement.win_rate_ratio,
            early_days: style.study.split.as_ref().map(|split| days(&split.early)),
            late_days: style.study.split.as_ref().map(|split| days(&split.late)),
            reasons: judgement.reasons.clone(),
        },
        evidence: EvidencePart::from(&evidence_record(&style.evidence, [0; 32])),
        decision: style.decision.outcome.as_str().to_owned(),
        symbols: style.own.iter().map(symbol_part).collect(),
    }
}

fn symbol_part(own: &OwnSet) -> (String, SymbolPart) {
    let part = SymbolPart { own: own.measured.as_ref().map(candidate_part), reason: own.reason.clone() };
    (own.symbol.clone(), part)
}

fn candidate_part(measured: &Measured) -> CandidatePart {
    CandidatePart {
        params: params_object(&(&measured.set).into()),
        score: measured.score,
        metrics: (&measured.full).into(),
        early: (&measured.early).into(),
        late: (&measured.late).into(),
    }
}

fn decision_part(report: &RunReport) -> DecisionPart {
    let adopted =
        report.styles.iter().filter(|s| s.decision.outcome == crate::decide::DecisionOutcome::Adopted);
    let adopted: Vec<&StyleReport> = adopted.collect();
    let changes = report.styles.iter().flat_map(StyleReport::applied_changes);
    let changes: Vec<ChangeRecord> = changes.map(|change| change_record(&change)).collect();
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
    lines.for_each(|line| text.push_str(&super::inspect::wrap_words("", 4, line.split_whitespace())));
    for style in &report.styles {
        let _ = write!(text, "\n{}", style_text(style, report.input.signals.is_some()));
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
    let told = |issue: &IssueRecord| !matches!(issue.kind.as_str(), "rejected" | "comment");
    let issues: Vec<IssueRecord> =
        issue_records(&input).into_iter().map(|(issue, _)| issue).filter(told).collect();
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
    let rejected = issue_records(&report.input).into_iter().map(|(issue, _)| issue);
    issue_lines(&rejected.filter(|issue| issue.kind == "rejected").collect::<Vec<_>>())
}

fn style_text(style: &StyleReport, given: bool) -> String {
    let mut text = String::new();
    let study = &style.study;
    let asked = if study.asked > study.sets as u64 { format!(" of {}", study.asked) } else { String::new() };
    let _ = writeln!(
        text,
        "{}: {} parameter sets{} over {} signals ({} in the grid, {} pending), verdict {}",
        style.style,
        study.sets,
        asked,
        style.signals,
        style.in_lattice,
        style.pending,
        study.judgement.verdict
    );
    text.push_str(&losses_text(style, given));
    if let Some(best) = study.top.first() {
        let mut rows = result_rows(best, study.incumbent.as_ref());
        rows.extend(replay(style).iter().flat_map(|replay| replay.rows("best, traded", "active, traded")));
        let _ = writeln!(text, "{}", super::table::results_table(&rows));
        let set: Vec<String> = crate::decide::key_values(&best.set)
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        text.push_str(&super::inspect::wrap_words("best: ", 6, set));
    }
    for line in EvidencePart::from(&evidence_record(&style.evidence, [0; 32])).lines() {
        text.push_str(&super::inspect::wrap_words("", 4, line.split_whitespace()));
    }
    for reason in &style.decision.reasons {
        let _ = writeln!(text, "  - {reason}");
    }
    for own in style.own.iter().filter(|own| own.measured.is_some()) {
        let set = own.measured.iter().flat_map(|measured| crate::decide::key_values(&measured.set));
        let set = set.map(|(key, value)| format!("{key}={value}"));
        text.push_str(&super::inspect::wrap_words(&format!("{} has its own: ", own.symbol), 6, set));
    }
    // Without active parameters every value is new, and the best set stands above.
    if style.decision.outcome == crate::decide::DecisionOutcome::Adopted && study.incumbent.is_some() {
        for change in &style.decision.changes {
            let old = change.old.as_deref().unwrap_or("-");
            let new = change.new.as_deref().unwrap_or("-");
            let _ = writeln!(text, "  * {}: {old} -> {new}", change.key);
        }
    }
    text
}

/// Symbols whose losses are told one by one.
const LOSSES_SHOWN: usize = 5;

/// Returns what became of given signals that are not used, and what gaps cost the symbols that they cost most.
fn losses_text(style: &StyleReport, given: bool) -> String {
    let counted = |(_, count, what): (&str, u64, &str)| format!("{count} {what}");
    let mut text = String::new();
    let unused: Vec<String> = style.unused().filter(|_| given).map(counted).collect();
    if !unused.is_empty() {
        text.push_str(&super::inspect::wrap_words("  not used: ", 4, unused.join(", ").split_whitespace()));
    }
    let mut losses: Vec<_> = style.losses.iter().collect();
    losses.sort_by_key(|own| std::cmp::Reverse(own.lost.all() + own.cut + own.blind));
    for own in losses.iter().take(LOSSES_SHOWN) {
        let told: Vec<String> = own.told().map(counted).collect();
        let head = format!("  {}: ", own.symbol);
        text.push_str(&super::inspect::wrap_words(&head, 4, told.join(", ").split_whitespace()));
    }
    if let more @ 1.. = losses.len().saturating_sub(LOSSES_SHOWN) {
        let _ = writeln!(text, "  and {more} more symbols (--json, `optimizer inspect run`)");
    }
    text
}

fn replay(style: &StyleReport) -> Option<ReplayPart> {
    style.evidence.traded.as_ref().map(ReplayPart::from)
}

fn result_rows(best: &Measured, incumbent: Option<&Measured>) -> Vec<(String, StoredMetrics)> {
    let named = |name: &str, measured: &Measured| {
        let parts = [("IS", &measured.early), ("OOS", &measured.late), ("all", &measured.full)];
        parts.map(|(part, metrics)| (format!("{name}, {part}"), metrics.into())).to_vec()
    };
    let mut rows = named("best", best);
    rows.extend(incumbent.map(|measured| named("active", measured)).unwrap_or_default());
    rows
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
            "parameters unchanged: a better candidate, but its verdict is not good enough".to_owned()
        }
        RunResult::Rejected => "parameters unchanged: no candidate survived unseen days".to_owned(),
    }
}
