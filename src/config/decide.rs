//! `[decide]`: what a change of parameters needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, value_error};
use crate::decide::{Fallback, Require};

/// What a change of parameters needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct DecideConfig {
    /// What a change needs.
    pub require: Require,
    /// Keep the active parameters unless the score improves by more than this: on all days, or out of sample with `stable`; 0 to 1000.
    #[schemars(extend("x-unit" = "points of the score"))]
    pub min_improvement: f64,
    /// Steps of an axis that one run moves a parameter at most; 0 for as many as it likes.
    #[schemars(extend("x-unit" = "steps"))]
    pub max_step: usize,
    /// Parameter sets tried elsewhere; they count as tries.
    #[schemars(extend("x-unit" = "parameter sets"))]
    pub declared_trials: u64,
    /// What becomes of active parameters that decay, where no candidate is adopted in their place.
    pub decayed: Fallback,
    /// What becomes of a run whose candles are all stale.
    pub stale_data: StaleData,
}

/// What becomes of a run whose candles are all stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum StaleData {
    /// It may adopt, and says how old they are.
    #[default]
    Warn,
    /// It adopts nothing.
    Hold,
}

impl DecideConfig {
    pub(super) fn min_improvement(&self) -> Result<f64, ConfigError> {
        let least = self.min_improvement;
        match (0.0..=1000.0).contains(&least) {
            true => Ok(least),
            false => Err(value_error("decide.min_improvement", "0 to 1000 points of the score", least)),
        }
    }
}
