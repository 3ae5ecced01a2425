//! `[symbols]`: parameters of symbols' own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, value_error};
use crate::engine::plan::OwnSettings;

/// Parameters of symbols' own, next to those of all symbols.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SymbolsConfig {
    /// Whether a symbol may get a parameter set of its own.
    pub own_parameters: bool,
    /// Fewest trades of a symbol for a set of its own.
    #[schemars(extend("x-unit" = "trades"))]
    pub min_trades: u32,
    /// Weight of what all symbols show against what one shows.
    #[schemars(extend("x-unit" = "trades"))]
    pub prior_trades: u32,
}

impl Default for SymbolsConfig {
    fn default() -> Self {
        Self { own_parameters: true, min_trades: 30, prior_trades: 100 }
    }
}

impl SymbolsConfig {
    pub(super) fn settings(&self) -> Result<Option<OwnSettings>, ConfigError> {
        let counts = [("symbols.min_trades", self.min_trades), ("symbols.prior_trades", self.prior_trades)];
        if let Some((key, count)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(value_error(key, "at least 1", count));
        }
        let settings = OwnSettings { trades_min: self.min_trades, prior_trades: self.prior_trades };
        Ok(self.own_parameters.then_some(settings))
    }
}
