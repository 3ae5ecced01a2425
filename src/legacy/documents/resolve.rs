//! What the bot ends up with for a symbol, step by step.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::bot::keys::TRADES_LEARNED_MIN;
use crate::bot::{learning_config, market_name};
use crate::documents::document::Document;
use crate::documents::inspect::{InspectError, require_profile};
use crate::legacy::rules::resolution::{OrderThresholds, SymbolConfig};
use crate::legacy::rules::symbol_params::{Experience, ParamsSource, SymbolParams, safe_params};
use crate::model::Style;
use crate::render::text::prose::{count_of, wrap_sentence};
use crate::render::text::table::text_table;
use crate::store::Snapshot;

/// The parameters that the bot's rules make of the current export for one symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct InspectResolveDocument {
    pub profile: String,
    /// As the bot names it: `BTC/USDT:USDT`.
    pub symbol: String,
    /// Trades the bot has closed; null where it is not said, and taken for enough of them.
    pub closed_trades: Option<u64>,
    /// Every source of parameters, in the order in which the bot asks them; the first that applies is taken.
    pub steps: Vec<ResolveStepPart>,
    /// What an order of each style is held to: the order path takes three thresholds from the style, whatever was
    /// resolved before.
    pub orders: BTreeMap<String, ResolveOrderPart>,
}

impl Document for InspectResolveDocument {
    const KIND: &'static str = "inspect_resolve";
}

/// A source of parameters.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResolveStepPart {
    /// `experience`, `own` or `risk_class`.
    pub source: String,
    /// Whether it is the one that is taken.
    pub taken: bool,
    /// Why, or why not.
    pub reason: String,
    /// What it gives; null where it gives nothing.
    pub params: Option<ResolvedPart>,
}

/// What an order is held to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResolveOrderPart {
    /// The parameters.
    pub params: ResolvedPart,
    /// Keys by which it asks for less than what was resolved.
    pub loosened: Vec<String>,
}

/// Parameters as the bot names them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are the keys")]
pub struct ResolvedPart {
    pub min_risk_reward: f64,
    pub min_signal_score: f64,
    pub min_indicator_consensus: f64,
    pub atr_stop_multiplier: f64,
    pub base_position_ratio: f64,
    pub max_total_positions: f64,
    pub max_hold_time_hours: f64,
}

impl From<&SymbolParams> for ResolvedPart {
    fn from(params: &SymbolParams) -> Self {
        let SymbolParams {
            min_risk_reward,
            min_signal_score,
            min_indicator_consensus,
            atr_stop_multiplier,
            base_position_ratio,
            max_total_positions,
            max_hold_time_hours,
        } = *params;
        Self {
            min_risk_reward,
            min_signal_score,
            min_indicator_consensus,
            atr_stop_multiplier,
            base_position_ratio,
            max_total_positions,
            max_hold_time_hours,
        }
    }
}

impl InspectResolveDocument {
    /// Resolves the parameters of a symbol, named as in the data or as the bot names it, in what would be exported.
    ///
    /// Errors: those of reading the store; an unknown profile
    pub fn read(
        snapshot: &Snapshot<'_>,
        profile: &str,
        symbol: &str,
        closed_trades: Option<u64>,
    ) -> Result<Self, InspectError> {
        require_profile(snapshot, profile)?;
        // When it is exported makes no difference here.
        let export = learning_config(snapshot, profile, "")?;
        Ok(Self::new(profile, &export, symbol, closed_trades))
    }

    fn new(profile: &str, export: &Value, symbol: &str, closed_trades: Option<u64>) -> Self {
        let symbol =
            if symbol.contains('/') { symbol.to_owned() } else { market_name(&symbol.to_uppercase()) };
        let config = SymbolConfig::read(export, &symbol);
        let (resolved, source) = config.resolve(closed_trades.unwrap_or(u64::MAX));
        let order = |(style, orders): (Style, &OrderThresholds)| {
            (style.to_string(), order_part(&resolved, &orders.over(&resolved)))
        };
        Self {
            profile: profile.to_owned(),
            closed_trades,
            steps: steps(&config, closed_trades, &symbol, source),
            orders: Style::ALL.into_iter().zip(&config.orders).map(order).collect(),
            symbol,
        }
    }

    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let trades = match self.closed_trades {
            Some(count) => count_of(count, "closed trade"),
            None => "closed trades not given and taken for enough".to_owned(),
        };
        let mut text = wrap_sentence(
            "",
            &format!("{} in the export of profile {}; {trades}", self.symbol, self.profile),
        );
        text.extend(self.steps.iter().map(|step| {
            let mark = if step.taken { "taken" } else { "not taken" };
            wrap_sentence("  ", &format!("{}: {mark}, {}", step.source, step.reason))
        }));
        let steps = self.steps.iter().map(|step| (step.source.clone(), step.params));
        let orders = self.orders.iter().map(|(style, order)| (format!("{style} order"), Some(order.params)));
        let rows: Vec<Vec<String>> = steps.chain(orders).map(|(name, params)| row(name, params)).collect();
        let header = ["", "R:R", "Score", "Consensus", "Stop ATR", "Position", "Positions", "Hours"];
        let _ = writeln!(text, "\n{}", text_table(&header, &rows));
        for (style, order) in self.orders.iter().filter(|(_, order)| !order.loosened.is_empty()) {
            let loosened = order.loosened.join(", ");
            text += &wrap_sentence(
                "  ",
                &format!(
                    "{style}_params loosen {loosened} for every order, whatever was resolved (defect D40)"
                ),
            );
        }
        text
    }
}

fn row(name: String, params: Option<ResolvedPart>) -> Vec<String> {
    let values = params.map(|params| {
        [
            format!("{:.2}", params.min_risk_reward),
            format!("{:.0}", params.min_signal_score),
            format!("{:.0}", params.min_indicator_consensus),
            format!("{:.2}", params.atr_stop_multiplier),
            format!("{:.2}", params.base_position_ratio),
            format!("{:.0}", params.max_total_positions),
            format!("{:.0}", params.max_hold_time_hours),
        ]
    });
    let values = values.unwrap_or_else(|| std::array::from_fn(|_| "-".to_owned()));
    [name].into_iter().chain(values).collect()
}

fn steps(
    config: &SymbolConfig,
    closed_trades: Option<u64>,
    symbol: &str,
    source: ParamsSource,
) -> Vec<ResolveStepPart> {
    let experience = closed_trades.map_or(Experience::Seasoned, Experience::of);
    let careful = safe_params(experience, &config.general);
    let own = config.learned.as_ref();
    let class = config.margin.apply(&config.general);
    let own_params = own.map(|own| own.over(&class));
    let step = |name: &str, taken, reason, params: Option<&SymbolParams>| ResolveStepPart {
        source: name.to_owned(),
        taken,
        reason,
        params: params.map(ResolvedPart::from),
    };
    let own_reason = own.map_or_else(
        || format!("per_symbol has no {symbol}"),
        |own| {
            let least = TRADES_LEARNED_MIN;
            format!("learned from {}, at least {least} needed", count_of(own.sample_count, "trade"))
        },
    );
    vec![
        step(
            "experience",
            matches!(source, ParamsSource::Careful(_)),
            experience_reason(experience),
            careful.as_ref(),
        ),
        step("own", matches!(source, ParamsSource::Learned), own_reason, own_params.as_ref()),
        step(
            "risk_class",
            matches!(source, ParamsSource::Class(_)),
            format!("{} by risk_profiles", config.class.as_str()),
            Some(&class),
        ),
    ]
}

fn experience_reason(experience: Experience) -> String {
    match experience {
        Experience::Beginner => "fewer than 5 closed trades",
        Experience::Learning => "fewer than 20 closed trades",
        Experience::Growing => "fewer than 50 closed trades",
        Experience::Seasoned => "50 closed trades or more",
    }
    .to_owned()
}

fn order_part(resolved: &SymbolParams, params: &SymbolParams) -> ResolveOrderPart {
    let thresholds = [
        ("min_risk_reward", resolved.min_risk_reward, params.min_risk_reward),
        ("min_signal_score", resolved.min_signal_score, params.min_signal_score),
        ("min_indicator_consensus", resolved.min_indicator_consensus, params.min_indicator_consensus),
    ];
    let loosened = thresholds.iter().filter(|(_, before, after)| after < before);
    ResolveOrderPart {
        params: ResolvedPart::from(params),
        loosened: loosened.map(|(key, ..)| (*key).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_source_that_applies_is_taken_and_orders_may_undo_it() {
        let export = json!({
            "global": {"min_risk_reward": 2.0, "min_signal_score": 55, "min_indicator_consensus": 2},
            "per_symbol": {"BTC/USDT:USDT": {"sample_count": 4, "min_risk_reward": 1.1}},
            "risk_profiles": {"BTC/USDT:USDT": "high_risk"},
            "risk_safety_multipliers": {"high_risk": {"min_risk_reward_multiplier": 1.5, "min_signal_score_bonus": 20}},
            "swing_params": {"min_risk_reward": 1.0, "min_signal_score": 80, "min_indicator_consensus": 3},
        });
        let resolve = |symbol: &str, trades| InspectResolveDocument::new("default", &export, symbol, trades);
        let taken = |document: &InspectResolveDocument| -> Vec<String> {
            document.steps.iter().filter(|step| step.taken).map(|step| step.source.clone()).collect()
        };
        let new = resolve("btcusdt", Some(0));
        assert_eq!((new.symbol.as_str(), taken(&new)), ("BTC/USDT:USDT", vec!["experience".to_owned()]));
        let careful = new.steps[0].params.expect("careful parameters");
        assert_eq!((careful.min_risk_reward, careful.min_signal_score), (3.0, 90.0));
        assert_eq!(
            new.orders["swing"].loosened,
            ["min_risk_reward", "min_signal_score", "min_indicator_consensus"]
        );
        assert_eq!(new.orders["swing"].params.min_signal_score, 80.0);
        assert!(new.orders["scalping"].loosened.is_empty());
        assert!(new.text().contains("swing_params loosen min_risk_reward"), "{}", new.text());
        let seasoned = resolve("BTC/USDT:USDT", None);
        assert_eq!(taken(&seasoned), ["risk_class"], "four trades are too few of its own");
        assert_eq!(seasoned.steps[0].params, None);
        assert_eq!(seasoned.orders["scalping"].params.min_risk_reward, 3.0);
        assert_eq!(seasoned.orders["swing"].loosened, ["min_risk_reward"]);
        assert!(seasoned.text().contains("learned from 4 trades, at least 5 needed"), "{}", seasoned.text());
    }
}
