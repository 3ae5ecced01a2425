//! The keys of the bot's file that import and export both have to understand: one place for what a switch means.
//!
//! The bot follows open positions by `global.{style}_params` and by nothing else. The mechanisms of a set stand a second
//! time at the top, in `{style}_params`, where the old system wrote switches that nobody reads.

use serde_json::{Map, Value, json};

use crate::model::{EXIT_AXES, ExitAxis, Need, Style};
use crate::store::records::StoredParameterSet;

/// Every key of the bot's own defaults, in its order.
pub const DEFAULT_TREE: &str = include_str!("bot_default.json");

/// The key under which an export names the parameters that it filled in where nothing was active: `{style}_params`, each
/// with the values it wrote.
pub const FILLED_IN: &str = "filled_in";

/// Trades that a symbol's own parameters are learned from at least, for the bot to take them.
pub const TRADES_LEARNED_MIN: u64 = 5;

/// Caches of the old system that nothing reads; megabytes each.
pub const CACHES: [&str; 2] = ["_phase1_cache", "_iterative_history"];

/// The switches of exit mechanisms, each with the keys that count only where it is on.
pub const SWITCHES: [(&str, &[&str]); 3] = [
    ("partial_tp_enabled", &["tp1_atr_multiplier", "tp1_close_pct"]),
    ("move_sl_to_breakeven", &["breakeven_atr"]),
    ("trailing_stop_enabled", &["trailing_stop_distance", "trailing_stop_activation"]),
];

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

/// Returns a number as the bot has it under this key.
pub fn number_under_key(key: &str, value: f64) -> Value {
    match WHOLE.contains(&key) && value.fract() == 0.0 && value.abs() < 1e15 {
        true => json!(value as i64),
        false => json!(value),
    }
}

/// Returns whether a set has exit mechanisms.
pub fn has_mechanisms(set: &StoredParameterSet) -> bool {
    let axes = set.exits.iter().filter_map(|exit| ExitAxis::named(&exit.name));
    axes.into_iter().any(ExitAxis::is_optional)
}

/// Returns what a set says that the bot's file cannot: values of axes that it has no key for, and levels that it always has and
/// the set does without. Left out, the bot would put its own values in their place.
pub fn inexpressible(set: &StoredParameterSet) -> Vec<String> {
    let is_known = |name: &str| ExitAxis::named(name).is_none_or(|axis| axis.is_known_to_bot);
    let own = set.exits.iter().filter(|exit| !is_known(&exit.name));
    let own = own.map(|exit| format!("{} = {}", exit.name, exit.value));
    let levels = EXIT_AXES.iter().filter(|axis| axis.need == Need::Level && set.number(axis.key).is_none());
    own.chain(levels.map(|axis| format!("no {}", axis.key))).collect()
}

/// Returns what a set switches on and off.
pub fn switches(set: &StoredParameterSet) -> Map<String, Value> {
    let is_on = |axes: &[&str]| axes.iter().any(|axis| set.number(axis).is_some());
    SWITCHES.into_iter().map(|(key, axes)| (key.to_owned(), json!(is_on(axes)))).collect()
}

/// Returns the keys by which the bot follows open positions, as a set wants them; all switches are off for one without
/// mechanisms.
pub fn live_exits(set: &StoredParameterSet) -> Map<String, Value> {
    let mut object = switches(set);
    for key in ["tp1_atr_multiplier", "tp1_close_pct"] {
        object.extend(set.number(key).map(|value| (key.to_owned(), number_under_key(key, value))));
    }
    if set.number("breakeven_atr").is_some() {
        object.insert("breakeven_buffer_pct".to_owned(), json!(0.0));
    }
    if let Some(distance) = set.number("trailing_stop_distance") {
        object.insert("trailing_distance_atr".to_owned(), json!(distance));
        let first = set.number("tp1_atr_multiplier");
        let after = first.is_some() && first == set.number("trailing_stop_activation");
        object.insert("trailing_start_after_tp1".to_owned(), json!(after));
    }
    object
}

/// Returns whether the keys by which the bot follows positions of a style say what a set with mechanisms says.
pub fn is_live(document: &Map<String, Value>, style: Style, set: &StoredParameterSet) -> bool {
    let followed = document.get("global").and_then(|global| global.get(format!("{style}_params")));
    let says = |(key, value): (&String, &Value)| {
        followed.and_then(|followed| followed.get(key)).is_some_and(|found| is_same(found, value))
    };
    live_exits(set).iter().all(says)
}

/// Returns whether two values are the same to a program that reads them: 12 is 12.0.
pub fn is_same(one: &Value, other: &Value) -> bool {
    one == other || (one.is_number() && other.is_number() && one.as_f64() == other.as_f64())
}

/// Returns whether the parameters of a style are what an export filled in, untouched since: somebody who changed one of
/// them means them.
pub fn is_filled_in(document: &Map<String, Value>, style: Style) -> bool {
    let key = format!("{style}_params");
    let filled_in =
        document.get(FILLED_IN).and_then(|filled_in| filled_in.get(&key)).and_then(Value::as_object);
    let (Some(filled_in), Some(params)) = (filled_in, document.get(&key).and_then(Value::as_object)) else {
        return false;
    };
    // As numbers: who writes the file again may write 12 as 12.0.
    let stands = |(key, value): (&String, &Value)| params.get(key).is_some_and(|own| is_same(own, value));
    !filled_in.is_empty() && filled_in.iter().all(stands)
}
