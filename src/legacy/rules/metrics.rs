//! The legacy system's filter and metrics.
//!
//! Sums run over the captured profits in the order given, as floating point: unlike the tallies they are not free of
//! order. The drawdown is in percentage points (D07). Invariant: nothing here is NaN for finite inputs; what the legacy
//! leaves out is 0.

use crate::evaluate::legacy_score::LegacyInputs;
use crate::features::market_structure::SwingStructure;
use crate::model::Direction;

/// What the legacy reports as profit/loss ratio when nothing was lost.
pub const RATIO_WITHOUT_LOSS: f64 = 999.0;
/// The most false breaks of a level that layer 4 lets through.
const FALSE_BREAKS_MAX: f64 = 2.0;

/// The fields of a legacy opportunity that the filter reads; `None` where the key is absent.
///
/// Units:     profits and price change in percent, ages in hours
/// Source:    keys of the legacy opportunities JSON
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct LegacyOpportunity {
    /// Anything but `long` is short.
    pub direction: Direction,
    pub signal_score: f64,
    pub consensus_score: Option<f64>,
    pub consensus: Option<f64>,
    pub indicator_consensus: Option<f64>,
    pub actual_risk_reward: Option<f64>,
    pub risk_reward: Option<f64>,
    pub actual_profit_pct: Option<f64>,
    pub objective_profit: Option<f64>,
    pub kline_ctx_bullish_ratio: Option<f64>,
    pub kline_ctx_price_chg_pct: Option<f64>,
    /// `None` also for a label that is none.
    pub mkt_struct_swing: Option<SwingStructure>,
    pub mkt_struct_age_hours: Option<f64>,
    pub support_hist_test_cnt: Option<f64>,
    pub support_hist_false_bd: Option<f64>,
    pub resist_hist_test_cnt: Option<f64>,
    pub resist_hist_false_bo: Option<f64>,
}

impl LegacyOpportunity {
    /// Returns the profit in percent: the actual one if it is known, else the one of hindsight, else 0.
    pub fn profit_pct(&self) -> f64 {
        self.actual_profit_pct.or(self.objective_profit).unwrap_or(0.0)
    }
}

/// The thresholds of the legacy filter; the default is what it takes for keys that are absent.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct LegacyThresholds {
    pub min_signal_score: f64,
    /// Takes the place of `min_consensus`, but only where the key is present and the opportunity has the score.
    pub min_consensus_score: Option<f64>,
    pub min_consensus: f64,
    pub min_risk_reward: f64,
    /// `enable_advanced_filters`: whether layers 2 to 4 apply. The legacy search never turned it on (D13).
    pub advanced: bool,
    pub min_kline_bullish_ratio: f64,
    pub min_price_chg_pct: f64,
    /// `allowed_mkt_struct` is `trend_only`.
    pub trend_only: bool,
    pub min_trend_age_hours: f64,
    pub max_sr_test_count: f64,
}

impl Default for LegacyThresholds {
    fn default() -> Self {
        Self {
            min_signal_score: 50.0,
            min_consensus_score: None,
            min_consensus: 2.0,
            min_risk_reward: 1.5,
            advanced: false,
            min_kline_bullish_ratio: 0.6,
            min_price_chg_pct: 0.5,
            trend_only: false,
            min_trend_age_hours: 0.5,
            max_sr_test_count: 999.0,
        }
    }
}

/// A layer of the filter, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FilterLayer {
    BasicParams,
    KlineContext,
    MarketStructure,
    SrHistory,
}

impl FilterLayer {
    /// Returns the name under which the legacy counts what the layer held back.
    pub fn label(self) -> &'static str {
        match self {
            Self::BasicParams => "basic_params",
            Self::KlineContext => "kline_context",
            Self::MarketStructure => "market_structure",
            Self::SrHistory => "sr_history",
        }
    }
}

/// How many opportunities each layer held back, in the order in which the layers first did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MissedReasons {
    counts: [Option<(FilterLayer, u64)>; 4],
}

impl MissedReasons {
    /// Counts one more opportunity held back by a layer.
    pub fn add(&mut self, layer: FilterLayer) {
        let known = |slot: &&mut Option<(FilterLayer, u64)>| slot.is_none_or(|(held, _)| held == layer);
        let slot = self.counts.iter_mut().find(known).expect("there is a slot for every layer");
        *slot = Some((layer, slot.map_or(0, |(_, count)| count) + 1));
    }

    /// Returns the layers that held something back, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (FilterLayer, u64)> + '_ {
        self.counts.iter().flatten().copied()
    }
}

/// Returns the first layer that holds an opportunity back, or `None` if it is captured.
///
/// Units:     all comparisons include the threshold
/// Cost:      O(1)
/// Source:    legacy filter, section 3 of the legacy specification
pub fn legacy_filter(opportunity: &LegacyOpportunity, thresholds: &LegacyThresholds) -> Option<FilterLayer> {
    if !passes_basics(opportunity, thresholds) {
        return Some(FilterLayer::BasicParams);
    }
    if !thresholds.advanced {
        return None;
    }
    if !passes_context(opportunity, thresholds) {
        return Some(FilterLayer::KlineContext);
    }
    if !passes_structure(opportunity, thresholds) {
        return Some(FilterLayer::MarketStructure);
    }
    (!passes_history(opportunity, thresholds)).then_some(FilterLayer::SrHistory)
}

fn passes_basics(opportunity: &LegacyOpportunity, thresholds: &LegacyThresholds) -> bool {
    let consensus_passes = match (opportunity.consensus_score, thresholds.min_consensus_score) {
        (Some(score), Some(min)) => score >= min,
        _ => {
            let count = opportunity.consensus.or(opportunity.indicator_consensus).unwrap_or(0.0);
            count >= thresholds.min_consensus
        }
    };
    let risk_reward = opportunity.actual_risk_reward.or(opportunity.risk_reward).unwrap_or(0.0);
    consensus_passes
        && opportunity.signal_score >= thresholds.min_signal_score
        && risk_reward >= thresholds.min_risk_reward
}

fn passes_context(opportunity: &LegacyOpportunity, thresholds: &LegacyThresholds) -> bool {
    let bullish = opportunity.kline_ctx_bullish_ratio.unwrap_or(0.0);
    let with_direction = match opportunity.direction {
        Direction::Long => bullish,
        Direction::Short => 1.0 - bullish,
    };
    let change = opportunity.kline_ctx_price_chg_pct.unwrap_or(0.0).abs();
    with_direction >= thresholds.min_kline_bullish_ratio && change >= thresholds.min_price_chg_pct
}

fn passes_structure(opportunity: &LegacyOpportunity, thresholds: &LegacyThresholds) -> bool {
    let trends = opportunity.mkt_struct_swing.is_some_and(SwingStructure::is_trend);
    let age = opportunity.mkt_struct_age_hours.unwrap_or(0.0);
    (trends || !thresholds.trend_only) && age >= thresholds.min_trend_age_hours
}

fn passes_history(opportunity: &LegacyOpportunity, thresholds: &LegacyThresholds) -> bool {
    let (tests, false_breaks) = match opportunity.direction {
        Direction::Long => (opportunity.support_hist_test_cnt, opportunity.support_hist_false_bd),
        Direction::Short => (opportunity.resist_hist_test_cnt, opportunity.resist_hist_false_bo),
    };
    tests.unwrap_or(0.0) <= thresholds.max_sr_test_count && false_breaks.unwrap_or(0.0) <= FALSE_BREAKS_MAX
}

/// What the legacy says about a captured set.
///
/// Units:     profits in percent, rates in [0, 1], drawdown in percentage points of summed profit
/// Source:    keys of the legacy metrics, in their order
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LegacyMetrics {
    /// Opportunities before the filter.
    pub total_opportunities: u64,
    /// Opportunities that passed it.
    pub captured_count: u64,
    /// `captured_count / total_opportunities`.
    pub capture_rate: f64,
    /// The mean profit.
    pub avg_profit: f64,
    /// The share of profits above 0.
    pub win_rate: f64,
    /// The mean of profits above 0.
    pub avg_win: f64,
    /// The mean of all others, hence 0 or less.
    pub avg_loss: f64,
    /// |avg_win / avg_loss|, or [`RATIO_WITHOUT_LOSS`] where `avg_loss` is 0.
    pub profit_loss_ratio: f64,
    /// The mean profit again, put together from wins and losses.
    pub expectancy: f64,
    /// The deepest fall of the running sum below its peak; both start at 0, in the order given, not in time.
    pub max_drawdown: f64,
    /// Profits above 0.
    pub win_count: u64,
    /// All others: a profit of 0 is a loss.
    pub loss_count: u64,
}

impl LegacyMetrics {
    /// Returns the metrics of captured profits out of so many opportunities; all 0 if none was captured.
    ///
    /// Shape:     `profits[captured]` in the order of the opportunities
    /// Units:     profits in percent, finite
    /// Cost:      O(captured) time, no allocation
    /// Source:    legacy metrics, section 3 of the legacy specification
    pub fn of(profits_pct: &[f64], total: u64) -> Self {
        let empty = Self { total_opportunities: total, ..Self::default() };
        if profits_pct.is_empty() {
            return empty;
        }
        let captured = profits_pct.len() as u64;
        assert!(captured <= total, "what is captured is part of the opportunities");
        let is_win = |profit: &f64| *profit > 0.0;
        let (avg_win, wins) = mean(profits_pct.iter().copied().filter(is_win));
        let (avg_loss, losses) = mean(profits_pct.iter().copied().filter(|profit| !is_win(profit)));
        let win_rate = wins as f64 / captured as f64;
        Self {
            captured_count: captured,
            capture_rate: captured as f64 / total as f64,
            avg_profit: mean(profits_pct.iter().copied()).0,
            win_rate,
            avg_win,
            avg_loss,
            profit_loss_ratio: if avg_loss == 0.0 { RATIO_WITHOUT_LOSS } else { (avg_win / avg_loss).abs() },
            expectancy: win_rate * avg_win + (1.0 - win_rate) * avg_loss,
            max_drawdown: max_drawdown(profits_pct),
            win_count: wins,
            loss_count: losses,
            ..empty
        }
    }

    /// Returns the share of time exits the legacy reports: a constant, it does not look.
    pub fn time_exit_rate(&self) -> f64 {
        if self.captured_count == 0 { 0.0 } else { 0.5 }
    }
}

/// Returns the mean, left to right, and the count; 0 of nothing.
fn mean(values: impl Iterator<Item = f64>) -> (f64, u64) {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { (0.0, 0) } else { (sum / count as f64, count) }
}

fn max_drawdown(profits: &[f64]) -> f64 {
    let (mut sum, mut peak, mut deepest) = (0.0f64, 0.0f64, 0.0f64);
    for profit in profits {
        sum += profit;
        peak = peak.max(sum);
        deepest = deepest.max(peak - sum);
    }
    deepest
}

impl From<&LegacyMetrics> for LegacyInputs {
    fn from(metrics: &LegacyMetrics) -> Self {
        Self {
            captured_count: metrics.captured_count,
            capture_rate: metrics.capture_rate,
            win_rate: metrics.win_rate,
            profit_loss_ratio: metrics.profit_loss_ratio,
            expectancy: metrics.expectancy,
            max_drawdown: metrics.max_drawdown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::legacy_score::legacy_score;

    #[test]
    fn a_profit_of_zero_is_a_loss_and_no_loss_is_999() {
        let metrics = LegacyMetrics::of(&[2.0, 0.0], 4);
        assert_eq!((metrics.win_count, metrics.loss_count, metrics.win_rate), (1, 1, 0.5));
        assert_eq!(metrics.profit_loss_ratio, RATIO_WITHOUT_LOSS);
        assert_eq!(metrics.capture_rate, 0.5);
    }

    #[test]
    fn drawdown_starts_at_zero_and_follows_the_order() {
        assert_eq!(LegacyMetrics::of(&[-1.0, 3.0, -2.0, -0.5, 4.0], 5).max_drawdown, 2.5);
        assert_eq!(LegacyMetrics::of(&[-3.0, 4.0], 2).max_drawdown, 3.0);
    }

    #[test]
    fn losing_sets_rank_above_a_profitable_one_with_a_drawdown() {
        let losing = LegacyMetrics::of(&[-1.0], 1);
        let profitable = LegacyMetrics::of(&[5.0, -2.0, 5.0], 3);
        assert_eq!(legacy_score(&(&losing).into()), 0.042);
        assert_eq!(legacy_score(&(&profitable).into()), 0.0);
        assert_eq!(legacy_score(&(&LegacyMetrics::of(&[], 3)).into()), 0.0);
        assert_eq!(legacy_score(&(&LegacyMetrics::of(&[9.0], 1)).into()), 1.35);
    }

    #[test]
    fn reasons_come_in_the_order_they_first_occurred() {
        let mut reasons = MissedReasons::default();
        for layer in [FilterLayer::SrHistory, FilterLayer::BasicParams, FilterLayer::SrHistory] {
            reasons.add(layer);
        }
        let found: Vec<_> = reasons.iter().collect();
        assert_eq!(found, [(FilterLayer::SrHistory, 2), (FilterLayer::BasicParams, 1)]);
    }
}
