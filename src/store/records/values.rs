//! The values several records share: a parameter set, its metrics, a named number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, at_most, finite};
use crate::model::{ExitAxis, ExitRule, FilterValue, ParameterSet};

/// The most filter dimensions a stored parameter set may have.
const FILTERS_MAX: usize = 64;

/// A number with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NamedNumber {
    pub name: String,
    pub value: f64,
}

/// The value of a filter dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum StoredValue {
    /// A threshold.
    Number(f64),
    /// A named set in a chain of sets.
    Name(String),
}

/// A filter dimension and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StoredFilter {
    pub name: String,
    pub value: StoredValue,
}

/// A parameter set: exit rule (multiples of ATR, hours), then by name the exit mechanisms that are on and the filters,
/// in the order of the space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the legacy names, as every document shows them")]
pub struct StoredParameterSet {
    pub atr_tp_multiplier: f64,
    pub atr_stop_multiplier: f64,
    pub max_holding_hours: f64,
    pub filters: Vec<StoredFilter>,
}

impl StoredParameterSet {
    /// Checks that every number is finite and the exit rule's are positive.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let exit = [self.atr_tp_multiplier, self.atr_stop_multiplier, self.max_holding_hours];
        finite("exit rule", exit)?;
        if exit.iter().any(|value| *value <= 0.0) {
            return Err(Invalid { field: "exit rule", rule: "must be positive" });
        }
        at_most("filters", self.filters.len(), FILTERS_MAX)?;
        self.filters.iter().try_for_each(|filter| match filter.value {
            StoredValue::Number(value) => finite("filter", [value]),
            StoredValue::Name(_) => Ok(()),
        })
    }
}

impl From<&ParameterSet> for StoredParameterSet {
    fn from(set: &ParameterSet) -> Self {
        let mechanisms = set.exit.values().filter(|(key, _)| is_mechanism(key));
        let mechanisms = mechanisms
            .map(|(key, value)| StoredFilter { name: key.to_owned(), value: StoredValue::Number(value) });
        let filters = set.filters.iter().map(|(name, value)| StoredFilter {
            name: name.clone(),
            value: match value {
                FilterValue::Number(number) => StoredValue::Number(*number),
                FilterValue::Name(text) => StoredValue::Name(text.clone()),
            },
        });
        Self {
            atr_tp_multiplier: set.exit.take_profit_atr,
            atr_stop_multiplier: set.exit.stop_atr,
            max_holding_hours: set.exit.hold_hours,
            filters: mechanisms.chain(filters).collect(),
        }
    }
}

/// Returns whether a name in a stored set is that of an exit mechanism.
fn is_mechanism(name: &str) -> bool {
    ExitAxis::named(name).is_some_and(ExitAxis::is_optional)
}

impl TryFrom<&StoredParameterSet> for ParameterSet {
    type Error = Invalid;

    fn try_from(stored: &StoredParameterSet) -> Result<Self, Invalid> {
        stored.validate()?;
        let mut exit =
            ExitRule::new(stored.atr_tp_multiplier, stored.atr_stop_multiplier, stored.max_holding_hours);
        let mut filters = Vec::with_capacity(stored.filters.len());
        for filter in &stored.filters {
            let mechanism = ExitAxis::named(&filter.name).filter(|axis| axis.is_optional());
            match (&filter.value, mechanism) {
                (StoredValue::Number(number), Some(axis)) => axis.set(&mut exit, *number),
                (StoredValue::Number(number), None) => {
                    filters.push((filter.name.clone(), FilterValue::Number(*number)));
                }
                (StoredValue::Name(text), _) => {
                    filters.push((filter.name.clone(), FilterValue::Name(text.clone())));
                }
            }
        }
        Ok(Self { exit, filters })
    }
}

/// What a parameter set achieved. `None` is undefined (too few trades, nothing lost, ...), never zero.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StoredMetrics {
    /// Closed trades.
    pub trades: u64,
    /// Winning share of the trades, 0..=1.
    pub win_rate: Option<f64>,
    /// Mean net return of a trade in percent.
    pub expectancy_pct: Option<f64>,
    /// Mean net return of the winners in percent.
    pub avg_win_pct: Option<f64>,
    /// Mean net return of the losers in percent.
    pub avg_loss_pct: Option<f64>,
    /// Mean win over mean loss.
    pub payoff_ratio: Option<f64>,
    /// Sum of wins over sum of losses.
    pub profit_factor: Option<f64>,
    /// Sum of net returns in percent.
    pub total_return_pct: Option<f64>,
    /// Deepest fall of the summed net returns in percent.
    pub max_drawdown_pct: Option<f64>,
    /// Sharpe ratio of daily net returns.
    pub sharpe_daily: Option<f64>,
    /// Sum of net returns in percent when the favourable extreme of each exit candle comes first.
    pub best_case_return_pct: Option<f64>,
    /// Sum of returns before costs in percent.
    pub gross_return_pct: Option<f64>,
    /// Mean holding time in hours.
    pub avg_hold_hours: Option<f64>,
    /// Share of the candidates that pass the filters, 0..=1.
    pub taken_share: Option<f64>,
    /// Share of the opportunities that were taken, 0..=1.
    pub capture_rate: Option<f64>,
    /// Share of the taken signals that were opportunities, 0..=1.
    pub capture_precision: Option<f64>,
    /// Precision over that of taking everything.
    pub capture_lift: Option<f64>,
    /// Trades whose fill depends on the order of extremes inside the exit candle.
    pub ambiguous_exits: u64,
}

impl StoredMetrics {
    /// Returns every fractional metric with its name, in the order of the fields.
    pub fn values(&self) -> [(&'static str, Option<f64>); 16] {
        [
            ("win_rate", self.win_rate),
            ("expectancy_pct", self.expectancy_pct),
            ("avg_win_pct", self.avg_win_pct),
            ("avg_loss_pct", self.avg_loss_pct),
            ("payoff_ratio", self.payoff_ratio),
            ("profit_factor", self.profit_factor),
            ("total_return_pct", self.total_return_pct),
            ("max_drawdown_pct", self.max_drawdown_pct),
            ("sharpe_daily", self.sharpe_daily),
            ("best_case_return_pct", self.best_case_return_pct),
            ("gross_return_pct", self.gross_return_pct),
            ("avg_hold_hours", self.avg_hold_hours),
            ("taken_share", self.taken_share),
            ("capture_rate", self.capture_rate),
            ("capture_precision", self.capture_precision),
            ("capture_lift", self.capture_lift),
        ]
    }

    /// Checks that every defined metric is finite.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        self.values().into_iter().try_for_each(|(name, value)| finite(name, value))
    }
}
