//! The score weights phase 2 chose among, and how.
//!
//! The choice rewards a high average score of opportunities that all won: there are no losers to tell them from (D25).
//! The weights were never written where the bot reads them (D24).

use super::signal_score::ScoreWeights;
use super::statistics::{mean, sample_deviation};
use retune::model::Style;

/// A named table of weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WeightCandidate {
    /// The legacy name.
    pub name: &'static str,
    /// The table; the score passes over keys it does not know, and takes fallbacks for those that are missing.
    pub weights: &'static [(&'static str, f64)],
}

impl WeightCandidate {
    /// Returns the weights as the score reads them.
    pub(crate) fn score_weights(&self, style: Style) -> ScoreWeights {
        let weight =
            |key: &str| self.weights.iter().find(|(name, _)| *name == key).map(|(_, weight)| *weight);
        ScoreWeights::from_table(style, weight)
    }
}

macro_rules! candidate {
    ($name:literal: $($key:ident $weight:literal),+) => {
        WeightCandidate { name: $name, weights: &[$((stringify!($key), $weight as f64)),+] }
    };
}

const SCALPING: [WeightCandidate; 6] = [
    candidate!("默认": momentum 25, volume 30, breakout 25, pattern 15, trend_align 12, volatility 20,
        volume_pulse 15, momentum_accel 15),
    candidate!("动量优先": momentum 30, volume 28, breakout 25, pattern 15, trend_align 10, volatility 18,
        volume_pulse 12, momentum_accel 20),
    candidate!("放量优先": momentum 22, volume 35, breakout 22, pattern 15, trend_align 10, volatility 18,
        volume_pulse 20, momentum_accel 12),
    candidate!("突破优先": momentum 22, volume 28, breakout 30, pattern 15, trend_align 10, volatility 25,
        volume_pulse 12, momentum_accel 12),
    candidate!("平衡": momentum 24, volume 29, breakout 24, pattern 14, trend_align 11, volatility 19,
        volume_pulse 14, momentum_accel 14),
    candidate!("高盈亏比探索": momentum 35, volume 20, breakout 20, pattern 10, trend_align 5, volatility 25,
        volume_pulse 10, momentum_accel 30, space_factor 35, position_factor 25),
];

const SWING: [WeightCandidate; 6] = [
    candidate!("默认": momentum 20, volume 35, breakout 25, trend_align 35, ema_divergence 15,
        trend_4h_strength 25),
    candidate!("趋势优先": momentum 20, volume 30, breakout 20, trend_align 40, ema_divergence 15,
        trend_4h_strength 25),
    candidate!("4H优先": momentum 20, volume 30, breakout 20, trend_align 35, ema_divergence 10,
        trend_4h_strength 35),
    candidate!("动量放量": momentum 25, volume 40, breakout 20, trend_align 30, ema_divergence 15,
        trend_4h_strength 20),
    candidate!("平衡": momentum 22, volume 33, breakout 23, trend_align 33, ema_divergence 15,
        trend_4h_strength 25),
    candidate!("高盈亏比探索": momentum 15, volume 15, breakout 15, trend_align 10, ema_divergence 5,
        trend_4h_strength 10, space_factor 35, position_factor 30, freshness_factor 20),
];

/// Returns the tables of a style, in the legacy order.
pub(crate) fn candidates(style: Style) -> &'static [WeightCandidate] {
    match style {
        Style::Scalping => &SCALPING,
        _ => &SWING,
    }
}

/// What a table of weights gives on opportunities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WeightQuality {
    pub mean_score: f64,
    /// Of the best 30 % by profit.
    pub best_mean_score: f64,
    /// Of a sample.
    pub deviation: f64,
    /// What the legacy compares.
    pub value: f64,
}

/// Returns what scores are worth; scores of 0 are left out. `None` where none is left.
///
/// Shape:     pairs of score and profit in percent
/// Source:    section 10 of the legacy specification
pub(crate) fn weight_quality(scored: &[(f64, f64)]) -> Option<WeightQuality> {
    let mut scored: Vec<(f64, f64)> = scored.iter().copied().filter(|(score, _)| *score != 0.0).collect();
    if scored.is_empty() {
        return None;
    }
    let scores: Vec<f64> = scored.iter().map(|(score, _)| *score).collect();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = ((0.3 * scored.len() as f64) as usize).max(1);
    let mean_score = mean(scores.iter().copied());
    let best_mean_score = mean(scored.iter().take(best).map(|(score, _)| *score));
    let deviation = sample_deviation(&scores);
    let spread = 1.0 - (deviation - 15.0).abs() / 15.0;
    let value = 0.5 * mean_score / 100.0 + 0.4 * best_mean_score / 100.0 + 0.1 * spread;
    Some(WeightQuality { mean_score, best_mean_score, deviation, value })
}

/// Returns the place of the best table; the first of equals, and the first where nothing can be said.
pub(crate) fn best(qualities: &[Option<WeightQuality>]) -> usize {
    let value = |index: usize| qualities[index].map_or(f64::NEG_INFINITY, |quality| quality.value);
    (0..qualities.len()).fold(0, |best, index| if value(index) > value(best) { index } else { best })
}
