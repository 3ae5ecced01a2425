//! What is known about a candidate, and how it is said.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::metrics::MetricsPart;
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
    fn new(assessment: &Assessment, sentence: String) -> Self {
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

    /// Returns the answers, what forbids the candidate, what becomes of the candidate when it is traded, where it earns, and what hindsight says of
    /// it beside the active set; one line each.
    pub fn lines(&self) -> Vec<String> {
        let line = |(question, assessment): (&str, &Option<AssessmentPart>)| {
            let assessment = assessment.as_ref()?;
            let lacks = &assessment.lacks;
            let lacks = if lacks.is_empty() { String::new() } else { format!(" ({})", lacks.join(", ")) };
            Some(format!("{question} {}{lacks}: {}", assessment.assurance, assessment.sentence))
        };
        let answers = [("EDGE", &self.edge), ("CANDIDATE", &self.candidate), ("SWITCH", &self.switch)];
        let vetoes = (!self.vetoes.is_empty()).then(|| format!("VETOES {}", self.vetoes.join(", ")));
        let answers = answers.into_iter().filter_map(line).chain(vetoes);
        let simulation = self.portfolio_simulation.as_ref().map(SimulationPart::line);
        let regimes = self.regimes.as_ref().and_then(RegimesPart::line);
        let captures = self.opportunity_capture.as_ref().map(CapturesPart::line);
        answers.chain(simulation).chain(regimes).chain(captures).collect()
    }
}

impl SimulationPart {
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
        let (traded, independent) = (shown(&self.candidate.traded), shown(&self.candidate.independent));
        let worth = self.effective_trades;
        format!(
            "PORTFOLIO SIMULATION: {traded}; independent trades: {independent}, effective number of trades {worth:.0}; signals lost: {lost}{agreement}"
        )
    }

    /// Returns rows for the table of results, with the names given.
    pub fn rows(&self, candidate: &str, active: &str) -> Vec<(String, MetricsPart)> {
        let row = |name: &str, both: &BothWaysPart| {
            let results = &both.traded;
            let metrics = MetricsPart {
                trades: results.trades,
                win_rate: results.win_rate,
                expectancy_pct: results.mean_pct,
                total_return_pct: Some(results.net_pct),
                max_drawdown_pct: Some(results.drawdown_pct),
                ..MetricsPart::default()
            };
            (name.to_owned(), metrics)
        };
        let active = self.active.as_ref().map(|both| row(active, both));
        [row(candidate, &self.candidate)].into_iter().chain(active).collect()
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

impl CapturesPart {
    /// Returns the part in one line.
    fn line(&self) -> String {
        let said = |name: &str, part: &CapturePart| {
            let CapturePart { captured, missed, trades, false_entries, net_pct } = part;
            format!(
                "{name} captured {captured}, missed {missed}, {false_entries} of {trades} trades at none, {net_pct:+.1} % net"
            )
        };
        let active = self.active.as_ref().map(|part| format!("; {}", said("the active set", part)));
        let moves = self.candidate.captured + self.candidate.missed;
        format!(
            "OPPORTUNITY CAPTURE: of {moves} moves {}{}",
            said("the candidate", &self.candidate),
            active.unwrap_or_default()
        )
    }
}
