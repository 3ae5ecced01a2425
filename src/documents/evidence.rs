//! What is known about a candidate.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::run::result::KnownEvidence;
use crate::study::captures::{Capture, Captures};
use crate::study::portfolio::{BothWays, TradeResults, Traded};
use crate::study::regimes::{RegimeResults, Regimes};
use crate::validate::assessment::Assessment;
use crate::validate::regimes::MarketRegime;

/// What is known about the candidate: luck, the past, the future so far.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EvidencePart {
    /// Parameter sets tried, all grids of the profile and those declared together.
    pub trials: u64,
    /// Is there anything here at all?
    pub edge: Option<AssessmentPart>,
    /// Does the rule of choice share in it? Null in runs of older programs.
    pub candidate: Option<AssessmentPart>,
    /// Is it better than what is active? Null where nothing is, or the candidate is.
    pub switch: Option<AssessmentPart>,
    /// What forbids the candidate whatever the evidence says, by condition.
    pub vetoes: Vec<String>,
    /// What becomes of the candidate when positions stay open; null where there is none.
    pub portfolio_simulation: Option<SimulationPart>,
    /// The candidate by kind of market, as it was known when each day began; null where it is never known.
    pub regimes: Option<RegimesPart>,
    /// What the candidate and the active set made of the moves an oracle would have taken; null where there is no candidate.
    /// Nothing is chosen by it.
    pub opportunity_capture: Option<CapturesPart>,
    /// Figures by name; what is not defined is not there.
    pub figures: BTreeMap<String, f64>,
}

/// An assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AssessmentPart {
    /// `REAL`, `PROMISING`, `UNPROVEN`, `LIKELY_LUCK`, `NOT_ENOUGH_DATA` or `UNTESTED`.
    pub assurance: String,
    /// Conditions that failed.
    pub lacks: Vec<String>,
    /// One line for people.
    pub sentence: String,
}

impl AssessmentPart {
    pub(super) fn new(assessment: &Assessment, sentence: String) -> Self {
        Self {
            assurance: assessment.assurance.to_string(),
            lacks: assessment.lacks.iter().map(|lack| lack.as_str().to_owned()).collect(),
            sentence,
        }
    }
}

/// The candidate traded as a bot trades (`[portfolio]`), on all days.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SimulationPart {
    /// The candidate.
    pub candidate: BothWaysPart,
    /// The active set; null where it was not measured.
    pub active: Option<BothWaysPart>,
    /// Signals of the candidate that are lost, by reason: `symbol_busy`, `cooling_down`, `portfolio_full`, `day_over`.
    pub lost: BTreeMap<String, u64>,
    /// What the candidate's independent trades are worth in trades that do not overlap.
    pub effective_trades: f64,
    /// Sets compared: the best, the neighbours of the candidate, the one active, and every signal.
    pub sets: u64,
    /// Rank correlation of their net results, independent and traded; null where they are few.
    pub agreement: Option<f64>,
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

/// Two sets beside each other, against the moves an oracle would have taken on all days.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CapturesPart {
    /// The candidate.
    pub candidate: CapturePart,
    /// The active set; null where it was not measured.
    pub active: Option<CapturePart>,
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

/// The candidate by kind of market.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RegimesPart {
    /// `uptrend_low_volatility`, `uptrend_high_volatility`, `downtrend_low_volatility`, `downtrend_high_volatility`.
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

impl From<&KnownEvidence> for EvidencePart {
    fn from(known: &KnownEvidence) -> Self {
        let evidence = &known.evidence;
        let part = |assessment: &Option<Assessment>, sentence: fn(&KnownEvidence) -> String| {
            assessment.as_ref().map(|assessment| AssessmentPart::new(assessment, sentence(known)))
        };
        Self {
            trials: evidence.trials,
            edge: part(&evidence.edge, KnownEvidence::edge_sentence),
            candidate: part(&evidence.candidate, KnownEvidence::candidate_sentence),
            switch: part(&evidence.switch, KnownEvidence::switch_sentence),
            vetoes: evidence.vetoes.iter().map(|veto| veto.as_str().to_owned()).collect(),
            portfolio_simulation: evidence.traded.as_ref().map(SimulationPart::from),
            regimes: evidence.regimes.as_ref().map(RegimesPart::from),
            opportunity_capture: evidence.captures.as_ref().map(CapturesPart::from),
            figures: evidence.figures().into_iter().collect(),
        }
    }
}

impl From<&TradeResults> for TradeResultsPart {
    fn from(results: &TradeResults) -> Self {
        let TradeResults { trades, win_rate, mean_pct, net_pct, drawdown_pct } = *results;
        Self { trades, win_rate, mean_pct, net_pct, drawdown_pct }
    }
}

impl From<&Traded> for SimulationPart {
    fn from(traded: &Traded) -> Self {
        let both = |both: &BothWays| BothWaysPart {
            independent: TradeResultsPart::from(&both.independent),
            traded: TradeResultsPart::from(&both.traded),
        };
        let lost = traded.lost().map(|(lost, count)| (lost.as_str().to_owned(), count));
        Self {
            candidate: both(&traded.best),
            active: traded.in_force.as_ref().map(both),
            lost: lost.filter(|(_, count)| *count > 0).collect(),
            effective_trades: traded.effective_trades,
            sets: traded.sets,
            agreement: traded.agreement,
        }
    }
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

impl From<&Captures> for CapturesPart {
    fn from(captures: &Captures) -> Self {
        let part = |capture: &Capture| {
            let Capture { captured, missed, trades, false_entries, net_pct } = *capture;
            CapturePart { captured, missed, trades, false_entries, net_pct }
        };
        Self { candidate: part(&captures.best), active: captures.in_force.as_ref().map(part) }
    }
}

impl EvidencePart {
    /// Returns whether all days chose the candidate: where a decision rests on p-values.
    pub fn all_days_chose(&self) -> bool {
        self.figures.contains_key("gate_edge_p")
    }
}
