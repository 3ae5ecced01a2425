//! `learning_config.json` as the live bot reads it.
//!
//! The bot reads some keys by index and does arithmetic on others without asking: every key it may miss is
//! here, and numbers are numbers. So this is the one document in which an undefined metric is 0 (and only under
//! `performance`, where the bot multiplies it); elsewhere a key without a value is left out.
//!
//! The document is the bot's default tree with what was learned laid over it. What the store does not know
//! (market regime, position sizes, cool-downs) keeps its default.

mod history;
mod learned;

use serde_json::{Map, Value, json};

use crate::legacy::symbol_params::FromTrades;
use crate::model::{ExitAxis, Style, rfc3339};
use crate::run::import::FILLED_IN;
use crate::search::space::SCORE_WEIGHTS;
use crate::store::records::{ParamsRecord, StoredFilter, StoredParameterSet, StoredValue};
use crate::store::{Snapshot, StoreError};

/// Every key of the bot's own defaults, in its order.
pub(super) const DEFAULT_TREE: &str = include_str!("learning_config/default.json");

/// Keys the bot has as integers; whole numbers are written so.
const WHOLE: [&str; 7] = [
    "max_holding_hours",
    "tp1_close_pct",
    "min_signal_score",
    "min_indicator_consensus",
    "min_consensus",
    "min_consensus_score",
    "max_sr_test_count",
];

/// Consensus where nothing is in force.
const CONSENSUS_DEFAULT: f64 = 2.0;
/// Signal score where nothing is in force.
const SIGNAL_SCORE_DEFAULT: f64 = 60.0;

/// A JSON object.
type Object = Map<String, Value>;

/// Returns the complete document for a profile.
///
/// Units: `generated_at` is `YYYY-MM-DD HH:MM:SS`, as the bot writes it.
/// Errors: those of reading the store.
pub fn learning_config(
    snapshot: &Snapshot<'_>,
    profile: &str,
    generated_at: &str,
) -> Result<Value, StoreError> {
    let mut tree: Object = serde_json::from_str(DEFAULT_TREE).expect("the default tree is valid JSON");
    if let Some(carried) = snapshot.carried(profile)? {
        // Checked when it was taken over.
        let carried: Object = serde_json::from_str(&carried.json).unwrap_or_default();
        lay_in(&mut tree, carried);
    }
    let in_force = InForce::read(snapshot, profile)?;
    tree["last_update"] = json!(generated_at);
    if let Some(record) = in_force.general() {
        let global = tree["global"].as_object_mut().expect("the default tree has a global object");
        lay_over(global, &record.set, &["min_risk_reward", "atr_stop_multiplier", "min_signal_score"]);
        if let Some(consensus) = consensus(&record.set) {
            global.insert("min_indicator_consensus".to_owned(), number("min_indicator_consensus", consensus));
        }
    }
    for style in Style::ALL {
        if let Some(record) = in_force.of(style) {
            let followed = tree["global"][format!("{style}_params")].as_object_mut();
            followed.expect("the default tree has both styles").extend(live_exits(&record.set));
        }
    }
    let defaults = tree["global"].clone();
    let mut symbols = per_symbol(&in_force, &defaults);
    if let (Value::Object(carried), Some(symbols)) = (tree["per_symbol"].take(), symbols.as_object_mut()) {
        for (symbol, value) in carried {
            symbols.entry(symbol).or_insert(value);
        }
    }
    tree["per_symbol"] = symbols;
    let regime = tree["market_regime"].as_object_mut().expect("the default tree has a market_regime object");
    // Read by the bot although its own defaults lack them.
    regime.entry("type").or_insert_with(|| json!("unknown"));
    regime.entry("pause_level").or_insert_with(|| json!(0));
    let mut filled_in = Object::new();
    for style in Style::ALL {
        let set = in_force.of(style).map(|record| &record.set);
        let key = format!("{style}_params");
        let mut params = style_params(style, set);
        if set.is_none() {
            filled_in.insert(key.clone(), params.clone());
        }
        if let (Some(Value::Object(carried)), Some(params)) = (tree.remove(&key), params.as_object_mut()) {
            for (key, value) in carried {
                params.entry(key).or_insert(value);
            }
        }
        tree.insert(key, params);
    }
    // So that an import does not take them for parameters in force.
    tree.remove(FILLED_IN);
    if !filled_in.is_empty() {
        tree.insert(FILLED_IN.to_owned(), Value::Object(filled_in));
    }
    let learned = learned::Learned::read(snapshot, profile)?;
    tree.extend(learned.score_weights(&in_force));
    tree.insert("phase2_learning".to_owned(), learned.phase2_learning(&in_force));
    tree.insert("compressed_insights".to_owned(), learned.compressed_insights(&in_force, generated_at));
    tree.extend(history::History::read(snapshot, profile)?.entries(&in_force));
    Ok(Value::Object(tree))
}

/// Lays what was carried along into the default tree: its values count, objects are merged key by key. A key that has
/// another type than the bot expects is left out, except where the bot expects nothing.
fn lay_in(tree: &mut Object, carried: Object) {
    for (key, value) in carried {
        match (tree.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => lay_in(known, more),
            (Some(Value::Object(_)), _) => {}
            (_, value) => drop(tree.insert(key, value)),
        }
    }
}

/// The parameters in force in every scope.
struct InForce(Vec<(String, ParamsRecord)>);

impl InForce {
    fn read(snapshot: &Snapshot<'_>, profile: &str) -> Result<Self, StoreError> {
        Ok(Self(snapshot.params_all(profile)?))
    }

    fn scope(&self, scope: &str) -> Option<&ParamsRecord> {
        self.0.iter().find(|(found, _)| found == scope).map(|(_, record)| record)
    }

    fn of(&self, style: Style) -> Option<&ParamsRecord> {
        self.scope(style.as_str())
    }

    /// Returns what speaks for all styles: the global scope, else swing, else scalping.
    fn general(&self) -> Option<&ParamsRecord> {
        self.scope("global").or_else(|| self.of(Style::Swing)).or_else(|| self.of(Style::Scalping))
    }

    /// Returns symbol, style and parameters of every symbol's own parameters, in the order of the scopes.
    fn of_symbols(&self) -> impl Iterator<Item = (&str, &str, &ParamsRecord)> {
        self.0.iter().filter_map(|(scope, record)| {
            let (symbol, style) = scope.strip_prefix("symbol/")?.split_once('/')?;
            Some((symbol, style, record))
        })
    }
}

/// Returns a number as the bot has it under this key.
fn number(key: &str, value: f64) -> Value {
    match WHOLE.contains(&key) && value.fract() == 0.0 && value.abs() < 1e15 {
        true => json!(value as i64),
        false => json!(value),
    }
}

fn value_of(filter: &StoredFilter) -> Value {
    match &filter.value {
        StoredValue::Number(value) => number(&filter.name, *value),
        StoredValue::Name(name) => json!(name),
    }
}

/// Returns the threshold of a filter dimension.
fn filter(set: &StoredParameterSet, name: &str) -> Option<f64> {
    set.filters.iter().find(|filter| filter.name == name).and_then(|filter| match filter.value {
        StoredValue::Number(value) => Some(value),
        StoredValue::Name(_) => None,
    })
}

/// Returns the consensus a set asks for; the bot has two names for it.
fn consensus(set: &StoredParameterSet) -> Option<f64> {
    filter(set, "min_indicator_consensus").or_else(|| filter(set, "min_consensus"))
}

/// Returns the exit rule and every filter of a set under the bot's names. Score weights have a place of their own.
fn flat(set: &StoredParameterSet) -> Object {
    let exit = [
        ("atr_tp_multiplier", set.atr_tp_multiplier),
        ("atr_stop_multiplier", set.atr_stop_multiplier),
        ("max_holding_hours", set.max_holding_hours),
    ];
    let exit = exit.into_iter().map(|(key, value)| (key.to_owned(), number(key, value)));
    let filters = set.filters.iter().filter(|filter| filter.name != SCORE_WEIGHTS);
    exit.chain(filters.map(|filter| (filter.name.clone(), value_of(filter)))).collect()
}

/// Returns what a set with exit mechanisms switches on and off; nothing for one without any, which leaves the bot as
/// it is.
fn switches(set: &StoredParameterSet) -> Object {
    let mechanism = |filter: &StoredFilter| ExitAxis::named(&filter.name).is_some_and(ExitAxis::is_optional);
    if !set.filters.iter().any(mechanism) {
        return Object::new();
    }
    let switches = [
        ("partial_tp_enabled", "tp1_atr_multiplier"),
        ("move_sl_to_breakeven", "breakeven_atr"),
        ("trailing_stop_enabled", "trailing_stop_distance"),
    ];
    switches.map(|(key, value)| (key.to_owned(), json!(filter(set, value).is_some()))).into_iter().collect()
}

/// Returns the keys by which the bot follows open positions.
fn live_exits(set: &StoredParameterSet) -> Object {
    let mut object = switches(set);
    for key in ["tp1_atr_multiplier", "tp1_close_pct"] {
        object.extend(filter(set, key).map(|value| (key.to_owned(), number(key, value))));
    }
    if filter(set, "breakeven_atr").is_some() {
        object.insert("breakeven_buffer_pct".to_owned(), json!(0.0));
    }
    if let Some(distance) = filter(set, "trailing_stop_distance") {
        object.insert("trailing_distance_atr".to_owned(), json!(distance));
        let first = filter(set, "tp1_atr_multiplier");
        let after = first.is_some() && first == filter(set, "trailing_stop_activation");
        object.insert("trailing_start_after_tp1".to_owned(), json!(after));
    }
    object
}

/// Puts the values a set has for some keys over those of an object.
fn lay_over(object: &mut Object, set: &StoredParameterSet, keys: &[&str]) {
    let flat = flat(set);
    for key in keys {
        if let Some(value) = flat.get(*key) {
            object.insert((*key).to_owned(), value.clone());
        }
    }
}

/// Returns the parameters of a style: the bot's defaults under what is in force.
fn style_params(style: Style, set: Option<&StoredParameterSet>) -> Value {
    let (take_profit, hours, risk_reward) = match style {
        Style::Scalping => (2.5, 12.0, 1.5),
        Style::Swing => (4.0, 72.0, 2.0),
    };
    let consensus = set.and_then(consensus).unwrap_or(CONSENSUS_DEFAULT);
    let defaults = [
        ("atr_tp_multiplier", take_profit),
        ("atr_stop_multiplier", 1.5),
        ("max_holding_hours", hours),
        ("min_signal_score", SIGNAL_SCORE_DEFAULT),
        ("min_risk_reward", risk_reward),
        ("min_indicator_consensus", consensus),
        ("min_consensus", consensus),
    ];
    let mut params: Object =
        defaults.into_iter().map(|(key, value)| (key.to_owned(), number(key, value))).collect();
    params.extend(set.map(flat).into_iter().flatten());
    params.extend(set.map(switches).into_iter().flatten());
    Value::Object(params)
}

/// Returns the entries of the symbols that have parameters of their own; swing wins over scalping.
fn per_symbol(in_force: &InForce, global: &Value) -> Value {
    let mut symbols = Object::new();
    // Scopes are sorted: scalping comes before swing.
    for (symbol, _, record) in in_force.of_symbols() {
        let mut entry = Object::new();
        // What is in force is what the bot shall take, and it takes nothing learned from fewer trades than this.
        let FromTrades(least) = FromTrades::LEGACY;
        entry.insert("sample_count".to_owned(), json!(record.metrics.trades.max(least)));
        let taken_over = [
            "min_risk_reward",
            "min_signal_score",
            "min_indicator_consensus",
            "atr_stop_multiplier",
            "base_position_ratio",
        ];
        entry.extend(taken_over.map(|key| (key.to_owned(), global[key].clone())));
        lay_over(&mut entry, &record.set, &taken_over);
        if let Some(consensus) = consensus(&record.set) {
            entry.insert("min_indicator_consensus".to_owned(), number("min_indicator_consensus", consensus));
        }
        symbols.insert(market(symbol), Value::Object(entry));
    }
    Value::Object(symbols)
}

/// Returns a symbol as the bot's exchange library names it: `BTC/USDT:USDT`.
pub(super) fn market(symbol: &str) -> String {
    let mut split =
        ["USDT", "USDC", "USD"].into_iter().filter_map(|quote| Some((symbol.strip_suffix(quote)?, quote)));
    match split.find(|(base, _)| !base.is_empty()) {
        Some((base, quote)) => format!("{base}/{quote}:{quote}"),
        None => symbol.to_owned(),
    }
}

/// Returns an instant as the bot writes it.
fn time_text(time_ms: i64) -> String {
    rfc3339(time_ms).replace('T', " ").trim_end_matches('Z').to_owned()
}

/// Returns what the bot shows about the parameters of a style.
///
/// Units: shares 0..=1; `avg_profit` a fraction (the bot multiplies it by 100). Undefined is 0 here.
fn performance(record: Option<&ParamsRecord>) -> Value {
    let metrics = record.map(|record| &record.metrics);
    let metric = |value: Option<f64>| value.unwrap_or(0.0);
    json!({
        "score": metric(record.and_then(|record| record.score)),
        "capture_rate": metric(metrics.and_then(|metrics| metrics.capture_rate)),
        "avg_profit": metric(metrics.and_then(|metrics| metrics.expectancy_pct)) / 100.0,
        "win_rate": metric(metrics.and_then(|metrics| metrics.win_rate)),
    })
}

#[cfg(test)]
mod tests;
