//! What the bot ends up with for a symbol, read from its `learning_config.json`.

use serde_json::Value;

use super::symbol_params::{
    LearnedParams, ParamsSource, RiskClass, RiskMargin, SymbolInputs, SymbolParams, resolve_parameters,
};
use crate::model::Style;

/// The thresholds that the order path takes from a style, whatever was resolved before (D40).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "the names are the keys; `None` leaves what was resolved")]
pub struct OrderThresholds {
    pub min_risk_reward: Option<f64>,
    pub min_signal_score: Option<f64>,
    pub min_indicator_consensus: Option<f64>,
}

impl OrderThresholds {
    /// Returns resolved parameters with what the order path makes of them.
    pub fn over(&self, resolved: &SymbolParams) -> SymbolParams {
        SymbolParams {
            min_risk_reward: self.min_risk_reward.unwrap_or(resolved.min_risk_reward),
            min_signal_score: self.min_signal_score.unwrap_or(resolved.min_signal_score),
            min_indicator_consensus: self.min_indicator_consensus.unwrap_or(resolved.min_indicator_consensus),
            ..*resolved
        }
    }
}

/// All that a configuration says about a symbol. What it lacks is what the legacy takes then.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SymbolConfig {
    pub general: SymbolParams,
    /// Of `per_symbol`.
    pub learned: Option<LearnedParams>,
    pub class: RiskClass,
    /// Of the class.
    pub margin: RiskMargin,
    /// By style, in the order of [`Style::ALL`].
    pub orders: [OrderThresholds; Style::ALL.len()],
}

impl SymbolConfig {
    /// Reads what a configuration says about a symbol under the bot's name for it, e.g. `BTC/USDT:USDT`.
    pub fn read(config: &Value, market: &str) -> Self {
        let class = config["risk_profiles"][market].as_str().and_then(RiskClass::parse).unwrap_or_default();
        let order = |style: Style| {
            let params = &config[format!("{style}_params")];
            OrderThresholds {
                min_risk_reward: params["min_risk_reward"].as_f64(),
                min_signal_score: params["min_signal_score"].as_f64(),
                min_indicator_consensus: params["min_indicator_consensus"].as_f64(),
            }
        };
        Self {
            general: general(&config["global"]),
            learned: config["per_symbol"].get(market).map(learned),
            class,
            margin: margin(
                &config["risk_safety_multipliers"][class.as_str()],
                &config["risk_fallback_minimums"][class.as_str()],
            ),
            orders: Style::ALL.map(order),
        }
    }

    /// Returns the parameters after so many closed trades and where they come from, by the legacy rules; the order path
    /// comes after them.
    pub fn resolve(&self, closed_trades: u64) -> (SymbolParams, ParamsSource) {
        let inputs = SymbolInputs {
            closed_trades,
            general: &self.general,
            learned: self.learned.as_ref(),
            class: self.class,
            margin: &self.margin,
        };
        resolve_parameters(&inputs)
    }
}

/// Reads the `global` object.
pub fn general(json: &Value) -> SymbolParams {
    let default = SymbolParams::default();
    let number = |key: &str, default: f64| json[key].as_f64().unwrap_or(default);
    SymbolParams {
        min_risk_reward: number("min_risk_reward", default.min_risk_reward),
        min_signal_score: number("min_signal_score", default.min_signal_score),
        min_indicator_consensus: number("min_indicator_consensus", default.min_indicator_consensus),
        atr_stop_multiplier: number("atr_stop_multiplier", default.atr_stop_multiplier),
        base_position_ratio: number("base_position_ratio", default.base_position_ratio),
        max_total_positions: number("max_total_positions", default.max_total_positions),
        max_hold_time_hours: number("max_hold_time_hours", default.max_hold_time_hours),
    }
}

fn learned(json: &Value) -> LearnedParams {
    LearnedParams {
        sample_count: json["sample_count"].as_u64().unwrap_or(0),
        min_risk_reward: json["min_risk_reward"].as_f64(),
        min_signal_score: json["min_signal_score"].as_f64(),
        min_indicator_consensus: json["min_indicator_consensus"].as_f64(),
        atr_stop_multiplier: json["atr_stop_multiplier"].as_f64(),
        base_position_ratio: json["base_position_ratio"].as_f64(),
    }
}

fn margin(factors: &Value, minimums: &Value) -> RiskMargin {
    let default = RiskMargin::default();
    let number = |json: &Value, key: &str, default: f64| json[key].as_f64().unwrap_or(default);
    RiskMargin {
        min_risk_reward_multiplier: number(
            factors,
            "min_risk_reward_multiplier",
            default.min_risk_reward_multiplier,
        ),
        min_signal_score_bonus: number(factors, "min_signal_score_bonus", default.min_signal_score_bonus),
        min_risk_reward: number(minimums, "min_risk_reward", default.min_risk_reward),
        min_signal_score: number(minimums, "min_signal_score", default.min_signal_score),
        atr_stop_multiplier: factors["atr_stop_multiplier"].as_f64(),
        min_indicator_consensus: factors["min_indicator_consensus"].as_f64(),
        base_position_ratio: factors["base_position_ratio"].as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_path_undoes_what_was_careful() {
        let config = json!({
            "global": {"min_risk_reward": 3.0, "min_signal_score": 55},
            "risk_profiles": {"BTC/USDT:USDT": "low_risk"},
            "risk_safety_multipliers": {"low_risk": {"min_risk_reward_multiplier": 1.1, "atr_stop_multiplier": 1.2}},
            "per_symbol": {"BTC/USDT:USDT": {"sample_count": 5, "min_risk_reward": 2.0}},
            "scalping_params": {"min_risk_reward": 1.0, "min_signal_score": 60},
        });
        let btc = SymbolConfig::read(&config, "BTC/USDT:USDT");
        let (careful, source) = btc.resolve(3);
        assert_eq!(source, ParamsSource::Careful(super::super::symbol_params::Experience::Beginner));
        assert_eq!((careful.min_risk_reward, careful.min_signal_score), (4.5, 90.0));
        let [scalping, swing] = btc.orders.map(|orders| orders.over(&careful));
        assert_eq!((scalping.min_risk_reward, scalping.min_signal_score), (1.0, 60.0));
        assert_eq!(scalping.min_indicator_consensus, careful.min_indicator_consensus);
        assert_eq!(swing, careful, "no parameters of the style, nothing to overwrite with");
        let (own, source) = btc.resolve(50);
        assert_eq!(source, ParamsSource::Learned);
        assert_eq!((own.min_risk_reward, own.atr_stop_multiplier), (2.0, 1.2));
        let other = SymbolConfig::read(&config, "NEW/USDT:USDT");
        assert_eq!(
            (other.class, other.learned, other.margin),
            (RiskClass::Medium, None, RiskMargin::default())
        );
    }
}
