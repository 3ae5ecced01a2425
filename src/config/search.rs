//! `[search]`: what is the best parameter set, and how it is looked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::share;
use super::{ConfigError, value_error};
use crate::engine::plan::SearchSettings;
use crate::evaluate::score::Score;
use crate::search::rank::{Constraint, RankBy};
use crate::search::space::SETS_MAX;
use crate::search::strategy::{Search, Strategy};
use crate::search::weights::Weighting;

/// What the best parameter set is, and how it is looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SearchConfig {
    /// What is maximised.
    pub score: Score,
    /// What makes a parameter set the best.
    pub rank: RankBy,
    /// Conditions on the days of the choice, such as `max_drawdown_pct<40` or `win_rate>0.35`.
    pub constraints: Vec<String>,
    /// Fewest trades of a parameter set.
    #[schemars(extend("x-unit" = "trades"))]
    pub min_trades: u32,
    /// Share of the account in a position; more than 0, at most 100.
    #[schemars(extend("x-unit" = "of the account"))]
    pub position_ratio: f64,
    /// The best parameter sets that are kept and shown; 1 to 50.
    #[schemars(extend("x-unit" = "parameter sets"))]
    pub top: usize,
    /// How a space beyond the budget is searched.
    pub strategy: Strategy,
    /// Parameter sets per stage and style at most; 1 to 4000000.
    #[schemars(extend("x-unit" = "parameter sets"))]
    pub budget: u64,
    /// Seed of what is drawn at random.
    pub seed: u64,
    /// Where the weights of the signal score's parts come from.
    pub weights: Weighting,
}

impl Default for SearchConfig {
    fn default() -> Self {
        let settings = SearchSettings::default();
        Self {
            score: settings.score,
            rank: settings.rank,
            constraints: Vec::new(),
            min_trades: settings.trades_min,
            position_ratio: settings.position_ratio,
            top: settings.top,
            strategy: settings.stages.strategy,
            budget: settings.stages.budget,
            seed: settings.stages.seed,
            weights: settings.weights,
        }
    }
}

impl SearchConfig {
    pub(super) fn constraints(&self) -> Result<Vec<Constraint>, ConfigError> {
        let constraint = |text: &String| {
            let parsed: Result<Constraint, String> = text.parse();
            parsed.map_err(|message| value_error("search.constraints", &message, text))
        };
        self.constraints.iter().map(constraint).collect()
    }

    pub(super) fn top(&self) -> Result<usize, ConfigError> {
        match (1..=50).contains(&self.top) {
            true => Ok(self.top),
            false => Err(value_error("search.top", "1 to 50", self.top)),
        }
    }

    pub(super) fn position_ratio(&self) -> Result<f64, ConfigError> {
        share("search.position_ratio", self.position_ratio, 100.0)
    }

    pub(super) fn stages(&self) -> Result<Search, ConfigError> {
        match (1..=SETS_MAX as u64).contains(&self.budget) {
            true => Ok(Search { strategy: self.strategy, budget: self.budget, seed: self.seed }),
            false => {
                let expected = format!("1 to {SETS_MAX} parameter sets");
                Err(value_error("search.budget", &expected, self.budget))
            }
        }
    }
}
