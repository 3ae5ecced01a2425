//! `[portfolio]`: how a bot trades the best sets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity;
use super::{ConfigError, value_error};
use crate::evaluate::portfolio::{Cooldown, PortfolioLimits};
use crate::model::{DAY_MS, Direction, MINUTE_MS, MarketKind, Sides};

const PPM_PER_PERCENT: f64 = 10_000.0;

/// The sides that an account can trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SidesConfig {
    /// Long on `data.market = "spot"`, else both: a spot account cannot short.
    #[default]
    Market,
    /// Long only.
    Long,
    /// Short only.
    Short,
    /// Both.
    Both,
}

impl SidesConfig {
    /// Returns the sides on a market, if one is asked for.
    pub(super) fn on(self, market: Option<MarketKind>) -> Sides {
        match self {
            Self::Market if market == Some(MarketKind::Spot) => Sides::Only(Direction::Long),
            Self::Market | Self::Both => Sides::Both,
            Self::Long => Sides::Only(Direction::Long),
            Self::Short => Sides::Only(Direction::Short),
        }
    }
}

/// How a bot trades the best sets, to tell what becomes of trades that overlap. 0 is no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PortfolioConfig {
    /// The sides that are traded; signals on another are left out of all that is tuned and told.
    pub sides: SidesConfig,
    /// Positions of a symbol at a time.
    #[schemars(extend("x-unit" = "positions"))]
    pub positions_per_symbol: u32,
    /// Positions of a style at a time, on all symbols together.
    #[schemars(extend("x-unit" = "positions"))]
    pub max_positions: u32,
    /// Losses in succession after which a symbol is left alone.
    #[schemars(extend("x-unit" = "losses"))]
    pub cooldown_losses: u32,
    /// How long it is left alone; a minute to a year.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a time"))]
    pub cooldown: String,
    /// Loss by positions closed on a UTC day after which none is opened; a position is `search.position_ratio` of the account.
    #[schemars(extend("x-unit" = "% of the account"))]
    pub max_daily_loss_pct: f64,
}

impl Default for PortfolioConfig {
    fn default() -> Self {
        Self {
            sides: SidesConfig::default(),
            positions_per_symbol: 1,
            max_positions: 0,
            cooldown_losses: 0,
            cooldown: "4h".to_owned(),
            max_daily_loss_pct: 0.0,
        }
    }
}

impl PortfolioConfig {
    /// Returns what a portfolio allows that puts a share of the account in each position.
    pub(super) fn limits(&self, position_ratio: f64) -> Result<PortfolioLimits, ConfigError> {
        let limit = |count: u32| (count > 0).then_some(count);
        let pause_ms = quantity::duration(&self.cooldown).and_then(|time| time.as_millis().try_into().ok());
        let pause_ms = pause_ms.filter(|ms| (MINUTE_MS..=365 * DAY_MS).contains(ms)).ok_or_else(|| {
            let expected = "a time such as 90m, 4h or 1d, of a minute to a year";
            value_error("portfolio.cooldown", expected, &self.cooldown)
        })?;
        let loss = self.max_daily_loss_pct;
        if !(0.0..=100.0).contains(&loss) {
            return Err(value_error("portfolio.max_daily_loss_pct", "0 to 100 percent of the account", loss));
        }
        // In ppm of a position: a position is only a part of the account.
        let day_loss_ppm = (loss * PPM_PER_PERCENT / position_ratio).round() as i64;
        Ok(PortfolioLimits {
            per_symbol: limit(self.positions_per_symbol),
            positions: limit(self.max_positions),
            cooldown: limit(self.cooldown_losses).map(|losses| Cooldown { losses, pause_ms }),
            day_loss_ppm: (loss > 0.0).then_some(day_loss_ppm.max(1)),
        })
    }
}
