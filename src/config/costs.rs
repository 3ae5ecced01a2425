//! `[costs]`: what a trade costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, value_error};
use crate::exits::{Costs, Fills};
use crate::model::{ExitAxis, Symbol};
use crate::search::strategy::SpaceAxes;

/// The largest rebate of a resting fill; percent of the notional.
const REBATE_PCT_MAX: f64 = 1.0;
/// The largest income from funding in eight hours; percent of the notional.
const FUNDING_INCOME_PCT_MAX: f64 = 5.0;

/// What a trade costs. Check it against your account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CostsConfig {
    /// Fee of a fill at the market; 0 to 10.
    #[schemars(extend("x-unit" = "% of the notional"))]
    pub taker_fee_pct: f64,
    /// Fee of a resting fill; negative is a rebate, -1 to 10.
    #[schemars(extend("x-unit" = "% of the notional"))]
    pub maker_fee_pct: f64,
    /// Slippage of a fill at the market, of the symbols in `majors`; 0 to 10.
    #[schemars(extend("x-unit" = "% of the notional"))]
    pub slippage_major_pct: f64,
    /// Slippage of a fill at the market, of all others; 0 to 10.
    #[schemars(extend("x-unit" = "% of the notional"))]
    pub slippage_other_pct: f64,
    /// Times the slippage that a stop suffers; 0 to 100.
    pub stop_slippage_factor: f64,
    /// Symbols that trade with little slippage.
    pub majors: Vec<String>,
    /// Funding paid while a position is open; negative is income of both sides, -5 to 10.
    #[schemars(extend("x-unit" = "% of the notional in 8 hours"))]
    pub funding_pct_per_8h: f64,
    /// Whose rules say where exits are filled.
    pub fills: Fills,
}

impl Default for CostsConfig {
    fn default() -> Self {
        Self {
            taker_fee_pct: 0.05,
            maker_fee_pct: 0.02,
            slippage_major_pct: 0.02,
            slippage_other_pct: 0.05,
            stop_slippage_factor: 2.0,
            majors: vec!["BTCUSDT".to_owned(), "ETHUSDT".to_owned()],
            funding_pct_per_8h: 0.01,
            fills: Fills::default(),
        }
    }
}

impl CostsConfig {
    /// Checks that the rules of fills know every exit that is asked for.
    pub(super) fn check_fills(&self, axes: &[SpaceAxes]) -> Result<(), ConfigError> {
        let beyond = |axes: &SpaceAxes| Some((axes.style(), axes.beyond_freqtrade()?));
        match axes.iter().find_map(beyond).filter(|_| self.fills == Fills::Freqtrade) {
            None => Ok(()),
            Some((style, axis)) => {
                let expected = format!(
                    "\"off\", with exits that freqtrade has ({}) for costs.fills = \"freqtrade\"",
                    ExitAxis::of_freqtrade().map(|axis| axis.key).collect::<Vec<_>>().join(", ")
                );
                Err(value_error(&format!("style.{style}.space.{}", axis.key), &expected, "values"))
            }
        }
    }

    pub(super) fn costs(&self) -> Result<Costs, ConfigError> {
        let from = |least: f64, key: &str, percent: f64| match (least..=10.0).contains(&percent) {
            true => Ok(percent / 100.0),
            false => Err(value_error(&format!("costs.{key}"), &format!("{least} to 10 percent"), percent)),
        };
        let share = |key: &str, percent: f64| from(0.0, key, percent);
        let factor = self.stop_slippage_factor;
        if !(0.0..=100.0).contains(&factor) {
            return Err(value_error("costs.stop_slippage_factor", "0 to 100", factor));
        }
        let major = |name: &String| {
            Symbol::parse(name).ok_or_else(|| value_error("costs.majors", "a symbol such as BTCUSDT", name))
        };
        Ok(Costs {
            taker_fee: share("taker_fee_pct", self.taker_fee_pct)?,
            maker_fee: from(-REBATE_PCT_MAX, "maker_fee_pct", self.maker_fee_pct)?,
            slippage_major: share("slippage_major_pct", self.slippage_major_pct)?,
            slippage_other: share("slippage_other_pct", self.slippage_other_pct)?,
            stop_slippage_factor: factor,
            majors: self.majors.iter().map(major).collect::<Result<_, _>>()?,
            funding_per_8h: from(-FUNDING_INCOME_PCT_MAX, "funding_pct_per_8h", self.funding_pct_per_8h)?,
            fills: self.fills,
        })
    }
}
