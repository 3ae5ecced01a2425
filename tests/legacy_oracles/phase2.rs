//! The legacy phase 2: take-profit and stop from outcomes, then a handful of threshold pairs.
//!
//! ATR in quote currency is read as percent there (D20), stops can never matter because only winners exist (D04), and
//! risk/reward is exported without being applied (D29).

use super::exit_simulation::{Multiples, SimulatedSignal, SimulationOptions, simulate_exit};
use super::statistics::{mean, percentile, sorted};
use retune::features::rounding::round_decimals;
use retune::ingest::LegacyRecord;
use retune::model::Style;

/// The options with which phases 2 and 3 value a trade for their tables.
pub(crate) const TABLE_OPTIONS: SimulationOptions = SimulationOptions { dynamic_atr: false, costs: true };

/// The ranges phase 2 drew from opportunities before it searched; only the lower end of the first was ever used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SamplingRanges {
    /// Risk/reward; its lower end is a label of two test points.
    pub risk_reward: [f64; 2],
    /// Take-profit in ATR; can be inverted (D52).
    pub target: [f64; 2],
}

/// Returns the ranges of opportunities: quantiles held by fixed ends.
///
/// Source:    section 10 of the legacy specification
pub(crate) fn sampling_ranges(records: &[LegacyRecord]) -> SamplingRanges {
    let ratios: Vec<f64> =
        records.iter().filter_map(|r| r.risk_reward).filter(|ratio| *ratio > 0.0).collect();
    let multiple = |record: &LegacyRecord| {
        let (entry, atr) = (record.entry_price?, record.atr.filter(|atr| *atr > 0.0)?);
        Some((entry * record.objective_profit? / 100.0 / atr).abs())
    };
    let targets: Vec<f64> =
        records.iter().filter_map(multiple).filter(|multiple| *multiple > 0.5 && *multiple < 10.0).collect();
    let range = |values: &[f64], [low, high]: [f64; 2], shares: [f64; 2], otherwise| {
        let ascending = sorted(values);
        match ascending.is_empty() {
            true => otherwise,
            false => {
                [percentile(&ascending, shares[0]).max(low), percentile(&ascending, shares[1]).min(high)]
            }
        }
    };
    SamplingRanges {
        risk_reward: range(&ratios, [1.2, 3.0], [0.10, 0.75], [1.5, 3.0]),
        target: range(&targets, [1.5, 6.0], [0.25, 0.95], [2.5, 6.0]),
    }
}

/// A pair of take-profit and stop with its result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ExitTrial {
    /// ATR multiples.
    pub multiples: Multiples,
    /// Percent.
    pub avg_profit: f64,
    /// Profitable outcomes, percent of all.
    pub capture_pct: f64,
}

impl ExitTrial {
    /// Returns what the legacy compares.
    pub(crate) fn value(&self) -> f64 {
        self.avg_profit * self.capture_pct / 100.0
    }
}

/// Returns the take-profit in ATR the outcomes seem to need: their mean in percent over the median ATR in quote
/// currency (D20); a default where there is none.
pub(crate) fn required_target(records: &[LegacyRecord], style: Style) -> f64 {
    let atr: Vec<f64> = records.iter().filter_map(|record| record.atr).filter(|atr| *atr > 0.0).collect();
    let median = percentile(&sorted(&atr), 0.5);
    let objective = mean(records.iter().map(|record| record.objective_profit.unwrap_or(0.0)));
    match style {
        _ if median > 0.0 && objective > 0.0 => objective / median,
        Style::Scalping => 10.0,
        _ => 12.0,
    }
}

/// Returns the pairs that are tried, targets outer and stops inner, with their results.
///
/// Cost:      O(records)
/// Source:    section 10 of the legacy specification
pub(crate) fn exit_trials(records: &[LegacyRecord], style: Style) -> Vec<ExitTrial> {
    let required = required_target(records, style);
    let (largest, stops) = match style {
        Style::Scalping => (20.0, [1.5, 2.0, 2.5]),
        _ => (22.0, [2.5, 3.0, 3.5]),
    };
    let targets = [1.0, 1.2, 1.4].map(|factor| round_decimals(required * factor, 1));
    let targets = targets.into_iter().chain([round_decimals(required * 1.5, 1).min(largest)]);
    targets.flat_map(|target| stops.map(|stop| exit_trial(records, Multiples { stop, target }))).collect()
}

fn exit_trial(records: &[LegacyRecord], multiples: Multiples) -> ExitTrial {
    let outcome = |record: &LegacyRecord| {
        let (atr, objective) = (record.atr.unwrap_or(0.0), record.objective_profit.unwrap_or(0.0));
        let (stop, target) = (atr * multiples.stop, atr * multiples.target);
        match objective {
            objective if objective < -stop => -stop,
            objective if objective >= target => target,
            objective => objective,
        }
    };
    let outcomes: Vec<f64> = records.iter().map(outcome).collect();
    let profitable = outcomes.iter().filter(|profit| **profit > 0.0).count();
    let capture_pct = if records.is_empty() { 0.0 } else { profitable as f64 / records.len() as f64 * 100.0 };
    ExitTrial { multiples, avg_profit: mean(outcomes.into_iter()), capture_pct }
}

/// Returns the best pair, the first of equals; `None` of none.
pub(crate) fn best_exit(trials: &[ExitTrial]) -> Option<&ExitTrial> {
    trials.iter().reduce(|best, trial| if trial.value() > best.value() { trial } else { best })
}

/// Thresholds that are tried; risk/reward is a label only (D29).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TestPoint {
    pub min_risk_reward: f64,
    pub min_consensus: f64,
    pub min_signal_score: f64,
}

/// Returns the thresholds of a style; `rr_min` is the lower end of the risk/reward range.
pub(crate) fn test_points(style: Style, rr_min: f64) -> Vec<TestPoint> {
    let points: &[(f64, f64, f64)] = match style {
        Style::Scalping => &[
            (1.0, 1.0, 50.0),
            (1.0, 1.0, 55.0),
            (1.0, 1.0, 60.0),
            (1.0, 1.0, 65.0),
            (1.0, 1.0, 70.0),
            (1.0, 2.0, 65.0),
            (1.5, 1.0, 70.0),
            (1.5, 2.0, 75.0),
        ],
        _ => &[
            (1.0, 1.0, 65.0),
            (1.0, 1.0, 70.0),
            (1.0, 1.0, 75.0),
            (rr_min, 1.0, 70.0),
            (rr_min, 1.0, 75.0),
            (1.8, 1.0, 75.0),
            (1.8, 2.0, 75.0),
        ],
    };
    let point = |(min_risk_reward, min_consensus, min_signal_score): &(f64, f64, f64)| TestPoint {
        min_risk_reward: *min_risk_reward,
        min_consensus: *min_consensus,
        min_signal_score: *min_signal_score,
    };
    points.iter().map(point).collect()
}

/// What thresholds give on simulated trades.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Tally {
    pub captured_count: u64,
    pub capture_rate: f64,
    pub avg_profit: f64,
    pub total_profit: f64,
}

impl Tally {
    /// Sums up the profits of what was captured out of so many.
    pub(crate) fn of(profits: &[f64], total: usize) -> Self {
        Self {
            captured_count: profits.len() as u64,
            capture_rate: if total == 0 { 0.0 } else { profits.len() as f64 / total as f64 },
            avg_profit: mean(profits.iter().copied()),
            total_profit: profits.iter().sum(),
        }
    }
}

/// Returns whether score and consensus of a record pass.
pub(crate) fn passes(record: &LegacyRecord, min_consensus: f64, min_signal_score: f64) -> bool {
    record.consensus.or(record.indicator_consensus).unwrap_or(0.0) >= min_consensus
        && record.signal_score >= min_signal_score
}

/// Returns the simulated profit of a record in percent.
pub(crate) fn profit(record: &LegacyRecord, multiples: &Multiples, options: SimulationOptions) -> f64 {
    simulate_exit(&SimulatedSignal::from(record), multiples, options).profit_pct()
}

/// Returns what thresholds give.
pub(crate) fn tally(records: &[&LegacyRecord], point: &TestPoint, multiples: &Multiples) -> Tally {
    let captured = records.iter().filter(|r| passes(r, point.min_consensus, point.min_signal_score));
    let profits: Vec<f64> = captured.map(|record| profit(record, multiples, TABLE_OPTIONS)).collect();
    Tally::of(&profits, records.len())
}

/// Returns the early 70 % and the late 30 % of records in time; the legacy judged on both together (D14).
pub(crate) fn split_in_time(records: &[LegacyRecord]) -> (Vec<&LegacyRecord>, Vec<&LegacyRecord>) {
    let mut in_time: Vec<&LegacyRecord> = records.iter().collect();
    in_time.sort_by(|a, b| a.timestamp.cmp(&b.timestamp));
    let late = in_time.split_off((0.7 * in_time.len() as f64) as usize);
    (in_time, late)
}

/// Returns the thresholds with the highest total profit on records, the first of equals, and their result.
pub(crate) fn best_point(
    records: &[&LegacyRecord],
    points: &[TestPoint],
    multiples: &Multiples,
) -> Option<(TestPoint, Tally)> {
    let total = |tally: &Tally| tally.captured_count as f64 * tally.avg_profit;
    let tried = points.iter().map(|point| (*point, tally(records, point, multiples)));
    tried.reduce(|best, next| if total(&next.1) > total(&best.1) { next } else { best })
}
