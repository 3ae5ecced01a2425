//! `[validate]`: how the best is held to what came after.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::share;
use super::{ConfigError, value_error};
use crate::engine::plan::{REGIME_SYMBOL, SearchSettings};
use crate::model::Symbol;

/// How the best parameter set is held to the days after those it was chosen on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ValidateConfig {
    /// Leave out the tests against luck.
    pub quick: bool,
    /// Share of the days that are the first ones: with `decide.require = "stable"` these choose and the last ones judge, elsewhere both
    /// describe. More than 0, at most 0.95.
    #[schemars(extend("x-unit" = "of the days"))]
    pub in_sample_share: f64,
    /// Fewest trades on the last days for a verdict.
    #[schemars(extend("x-unit" = "trades"))]
    pub min_out_of_sample_trades: u32,
    /// Symbol whose trend and volatility tell kinds of market apart; where it has no candles, the first symbol does.
    pub regime_symbol: String,
}

impl Default for ValidateConfig {
    fn default() -> Self {
        let settings = SearchSettings::default();
        Self {
            quick: settings.quick,
            in_sample_share: settings.early_share,
            min_out_of_sample_trades: settings.late_trades_min,
            regime_symbol: REGIME_SYMBOL.to_owned(),
        }
    }
}

impl ValidateConfig {
    pub(super) fn in_sample_share(&self) -> Result<f64, ConfigError> {
        share("validate.in_sample_share", self.in_sample_share, 0.95)
    }

    pub(super) fn regime_symbol(&self) -> Result<Symbol, ConfigError> {
        let symbol = &self.regime_symbol;
        Symbol::parse(symbol)
            .ok_or_else(|| value_error("validate.regime_symbol", "a symbol such as BTCUSDT", symbol))
    }
}
