//! Taking over a legacy `learning_config.json`: its parameters come into force, the rest is carried along.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::adopt::IMPORTED;
use super::records::{change_record, parameter_set};
use crate::decide::changes;
use crate::model::{EXIT_AXES, ExitRule, FilterValue, ParameterSet, Style};
use crate::search::space::Space;
use crate::store::records::{
    CandidateRecord, CarriedRecord, ChangeRecord, DecisionRecord, ParamsRecord, RunRecord, StoredMetrics,
};
use crate::store::{LearningCommit, Location, Store, StoreError};

/// Caches of the old system that nothing reads; megabytes each.
const DROPPED: [&str; 2] = ["_phase1_cache", "_iterative_history"];
/// The key under which an export names the parameters that it filled in where nothing was in force: `{style}_params`, each
/// with the values it wrote.
pub const FILLED_IN: &str = "filled_in";
/// Deepest plausible value of a multiple or of hours; more is no parameter.
const VALUE_MAX: f64 = 10_000.0;

/// The switches of exit mechanisms, each with the keys that count only where it is on.
const SWITCHES: [(&str, &[&str]); 3] = [
    ("trailing_stop_enabled", &["trailing_stop_distance", "trailing_stop_activation"]),
    ("partial_tp_enabled", &["tp1_atr_multiplier", "tp1_close_pct"]),
    ("move_sl_to_breakeven", &["breakeven_atr"]),
];

/// What was taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The number it has in the history.
    pub run: u64,
    /// What changed.
    pub changes: Vec<ChangeRecord>,
    /// Styles of which the file has no parameters.
    pub without: Vec<Style>,
    /// Styles of which it has what an export filled in: nothing was in force, and nothing comes into force.
    pub filled_in: Vec<Style>,
    /// Keys that are carried along to the next export.
    pub carried: Vec<String>,
    /// Keys that are not: caches that nothing reads.
    pub dropped: Vec<String>,
}

/// Why nothing was taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a value where a parameter should be.
    #[error("{style}_params.{key}: expected a positive number, found {found}")]
    Value {
        /// The style.
        style: Style,
        /// The key.
        key: &'static str,
        /// What stands there.
        found: String,
    },
    /// No style has parameters.
    #[error(
        "expected scalping_params or swing_params with atr_tp_multiplier, atr_stop_multiplier and max_holding_hours, \
         found neither"
    )]
    NoParameters,
    /// What would be carried along is too much.
    #[error("expected at most {} MiB besides caches, found {} MiB", limit >> 20, bytes >> 20)]
    TooLarge {
        /// Bytes of the document.
        bytes: usize,
        /// The most that is carried.
        limit: usize,
    },
}

/// Takes a document over, in one transaction.
///
/// Errors: see [`ImportError`]; the store is as it was
pub fn import(
    location: impl Into<Location>,
    profile: &str,
    document: &Map<String, Value>,
    source: &str,
    now_ms: i64,
) -> Result<Imported, ImportError> {
    let mut sets = BTreeMap::new();
    let (filled_in, own): (Vec<Style>, Vec<Style>) =
        Style::ALL.into_iter().partition(|style| is_filled_in(document, *style));
    for style in own {
        if let Some(set) = set_of(document, style)? {
            sets.insert(style, set);
        }
    }
    if sets.is_empty() && filled_in.is_empty() {
        return Err(ImportError::NoParameters);
    }
    let (carried, dropped): (Vec<&String>, Vec<&String>) =
        document.keys().filter(|key| *key != FILLED_IN).partition(|key| !DROPPED.contains(&key.as_str()));
    let (carried, dropped): (Vec<String>, Vec<String>) =
        (carried.into_iter().cloned().collect(), dropped.into_iter().cloned().collect());
    let kept: Map<String, Value> = document
        .iter()
        .filter(|(key, _)| carried.contains(key))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let json = Value::Object(kept).to_string();
    let limit = <CarriedRecord as crate::store::records::Record>::BYTES_MAX - (1 << 10);
    if json.len() > limit {
        return Err(ImportError::TooLarge { bytes: json.len(), limit });
    }
    let mut store = Store::open(location, now_ms)?;
    let (mut learning, all) = learning(&store, profile, &sets, source, now_ms)?;
    learning.carried = Some(CarriedRecord { json, imported_at_ms: now_ms });
    let run = store.commit(learning)?;
    store.publish_view()?;
    let is_without = |style: &Style| !sets.contains_key(style) && !filled_in.contains(style);
    let without = Style::ALL.into_iter().filter(is_without).collect();
    Ok(Imported { run, changes: all, without, filled_in, carried, dropped })
}

/// Returns whether the parameters of a style are what an export filled in, untouched since: somebody who changed one of
/// them means them.
fn is_filled_in(document: &Map<String, Value>, style: Style) -> bool {
    let key = format!("{style}_params");
    let filled_in =
        document.get(FILLED_IN).and_then(|filled_in| filled_in.get(&key)).and_then(Value::as_object);
    let (Some(filled_in), Some(params)) = (filled_in, document.get(&key).and_then(Value::as_object)) else {
        return false;
    };
    // As numbers: who writes the file again may write 12 as 12.0.
    let is_same = |(key, value): (&String, &Value)| {
        params.get(key).is_some_and(|own| own == value || (own.is_number() && own.as_f64() == value.as_f64()))
    };
    !filled_in.is_empty() && filled_in.iter().all(is_same)
}

/// Reads the parameters of a style; `None` where the file has none.
pub(super) fn set_of(
    document: &Map<String, Value>,
    style: Style,
) -> Result<Option<ParameterSet>, ImportError> {
    let Some(params) = document.get(&format!("{style}_params")).and_then(Value::as_object) else {
        return Ok(None);
    };
    let number = |key: &'static str| match params.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64().filter(|value| *value > 0.0 && *value <= VALUE_MAX) {
            Some(number) => Ok(Some(number)),
            None => Err(ImportError::Value { style, key, found: shortened(value) }),
        },
    };
    let (target, stop, hours) =
        (number("atr_tp_multiplier")?, number("atr_stop_multiplier")?, number("max_holding_hours")?);
    let (Some(target), Some(stop), Some(hours)) = (target, stop, hours) else { return Ok(None) };
    let mut exit = ExitRule::new(target, stop, hours);
    for axis in EXIT_AXES.iter().filter(|axis| axis.is_optional()) {
        let switch = SWITCHES.iter().find(|(_, axes)| axes.contains(&axis.key));
        if switch.is_some_and(|(switch, _)| params.get(*switch) != Some(&Value::Bool(true))) {
            continue;
        }
        let Some(value) = params.get(axis.key).filter(|value| !value.is_null()) else { continue };
        match value.as_f64().filter(|number| axis.allows(*number)) {
            Some(number) => axis.set(&mut exit, number),
            None => return Err(ImportError::Value { style, key: axis.key, found: shortened(value) }),
        }
    }
    // Half of a pair is none.
    exit.trailing_distance_atr = exit.trailing_activation_atr.and(exit.trailing_distance_atr);
    exit.first_target_atr = exit.first_target_pct.and(exit.first_target_atr);
    let mut filters = Vec::new();
    for dimension in Space::default_dimensions(style) {
        let key = dimension.key();
        let value = params
            .get(key)
            .or_else(|| params.get("min_indicator_consensus").filter(|_| key == "min_consensus"));
        match value {
            Some(Value::Number(number)) => {
                filters.extend(number.as_f64().map(|n| (key.to_owned(), FilterValue::Number(n))));
            }
            Some(Value::String(name)) => filters.push((key.to_owned(), FilterValue::Name(name.clone()))),
            _ => {}
        }
    }
    Ok(Some(ParameterSet { exit: exit.normalised(), filters }))
}

/// Returns a value as text that fits an error.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        text
    } else {
        format!("{}...", text.chars().take(60).collect::<String>())
    }
}

fn learning(
    store: &Store,
    profile: &str,
    sets: &BTreeMap<Style, ParameterSet>,
    source: &str,
    now_ms: i64,
) -> Result<(LearningCommit, Vec<ChangeRecord>), ImportError> {
    let run = RunRecord {
        started_at_ms: now_ms,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        result: IMPORTED.to_owned(),
        ..RunRecord::default()
    };
    let mut learning = LearningCommit::new(profile, run);
    let mut all = Vec::new();
    let snapshot = store.read()?;
    for (style, set) in sets {
        let old = snapshot.params(profile, style.as_str())?.map(|record| parameter_set(&record.set));
        let own: Vec<ChangeRecord> = changes(*style, old.as_ref(), set).iter().map(change_record).collect();
        let params = ParamsRecord {
            set: set.into(),
            score_name: String::new(),
            score: None,
            metrics: StoredMetrics::default(),
            verdict: IMPORTED.to_owned(),
            run: 0,
            adopted_at_ms: now_ms,
            generation: 0,
            source: "import".to_owned(),
        };
        let candidate = CandidateRecord {
            set: set.into(),
            score: None,
            full: StoredMetrics::default(),
            early: StoredMetrics::default(),
            late: StoredMetrics::default(),
        };
        let decision = DecisionRecord {
            verdict: IMPORTED.to_owned(),
            adopted: !own.is_empty(),
            changed: !own.is_empty(),
            outcome: "adopted".to_owned(),
            reasons: vec![format!("taken over from {source}")],
            candidate: Some(candidate),
            changes: own.clone(),
            ..DecisionRecord::default()
        };
        learning.params.insert(style.to_string(), Some(params));
        learning.decisions.insert(*style, decision);
        all.extend(own);
    }
    Ok((learning, all))
}
