//! What the features of a style's signals say: score weights, typical moves, best combinations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::METRICS_VERSION;
use super::{
    FeaturesRecordV1, Invalid, NamedNumber, Record, StoredMetrics, StoredParameterSet, at_most, finite,
};

/// The most combinations a record keeps.
const COMBINATIONS_MAX: usize = 5;
/// The most weights a record keeps.
const WEIGHTS_MAX: usize = 256;

/// A parameter set that did well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CombinationRecord {
    pub set: StoredParameterSet,
    pub score: f64,
    pub metrics: StoredMetrics,
}

/// What a run learned about the features of one style.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FeaturesRecord {
    /// The run; assigned by the store.
    pub run: u64,
    /// When it was computed, UTC milliseconds.
    pub computed_at_ms: i64,
    /// Signals it was computed from.
    pub signals: u64,
    /// Weight of each part of the signal score.
    pub weights: Vec<NamedNumber>,
    /// Name of the method the weights come from.
    pub weights_name: String,
    /// Mean holding time in hours.
    pub avg_holding_hours: Option<f64>,
    /// Mean profit of an opportunity in percent.
    pub avg_profit_pct: Option<f64>,
    /// Mean profit density (percent per hour).
    pub avg_density: Option<f64>,
    /// Density above which an opportunity counts as dense.
    pub high_density_threshold: Option<f64>,
    /// All candidates without a filter.
    pub baseline: StoredMetrics,
    /// Take-profit in ATR that would have served best.
    pub optimal_take_profit_atr: Option<f64>,
    /// Stop in ATR that would have served best.
    pub optimal_stop_atr: Option<f64>,
    /// The best parameter sets, best first; at most 5.
    pub top_combinations: Vec<CombinationRecord>,
}

impl Record for FeaturesRecord {
    type Earlier = FeaturesRecordV1;
    const NAME: &'static str = "FeaturesRecord";
    const TYPE_ID: u16 = 4;
    const VERSION: u16 = 1 + METRICS_VERSION;
    const BYTES_MAX: usize = 256 << 10;

    fn validate(&self) -> Result<(), Invalid> {
        at_most("weights", self.weights.len(), WEIGHTS_MAX)?;
        finite("weights", self.weights.iter().map(|weight| weight.value))?;
        finite("avg_holding_hours", self.avg_holding_hours)?;
        finite("avg_profit_pct", self.avg_profit_pct)?;
        finite("avg_density", self.avg_density)?;
        finite("high_density_threshold", self.high_density_threshold)?;
        self.baseline.validate()?;
        finite("optimal_take_profit_atr", self.optimal_take_profit_atr)?;
        finite("optimal_stop_atr", self.optimal_stop_atr)?;
        at_most("top_combinations", self.top_combinations.len(), COMBINATIONS_MAX)?;
        self.top_combinations.iter().try_for_each(|combination| {
            combination.set.validate()?;
            finite("score", [combination.score])?;
            combination.metrics.validate()
        })
    }
}
