//! Importing a legacy `learning_config.json`: its parameters become active, the rest is passed through.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::bot::keys::{CACHES, DEFAULT_TREE, FILLED_IN, SWITCHES, is_filled_in, is_live};
use crate::decide::{DecisionReason, ParameterChange, list_changes};
use crate::ingest::{LegacyConfig, place_of_key, with_keys};
use crate::model::{EXIT_AXES, ExitRule, FilterValue, ParameterSet, Style};
use crate::run::adopt::IMPORTED;
use crate::run::recall::parameter_set;
use crate::run::records::{change_record, reason_record};
use crate::run::unreported::{Overdue, unreported_runs};
use crate::search::space::SearchSpace;
use crate::store::bot_file::{self, FileOrigin, Mark};
use crate::store::records::{
    CandidateRecord, CarriedRecord, ChangeRecord, DecisionRecord, ParamsRecord, RunRecord, StoredMetrics,
    StoredParameterSet,
};
use crate::store::{LearningCommit, Location, Store, StoreError};

/// Largest plausible value of a multiple or of hours; more is no parameter.
const VALUE_MAX: f64 = 10_000.0;
/// Places of one kind that are named one by one.
const PLACES_SHOWN: usize = 5;

/// What was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The number it has in the history.
    pub run: u64,
    /// What changed.
    pub changes: Vec<ParameterChange>,
    /// Styles of which the file has no parameters.
    pub without: Vec<Style>,
    /// Styles of which it has what an export filled in: nothing was active, and nothing becomes active.
    pub filled_in: Vec<Style>,
    /// Keys that are passed through to the next export.
    pub carried: Vec<String>,
    /// Keys that are not: caches that nothing reads.
    pub dropped: Vec<String>,
    /// What somebody should know about values: what could not be kept as it was, what nobody reads, what the bot expects
    /// otherwise.
    pub notes: Vec<String>,
    /// Earlier runs that were stored and never reported.
    pub overdue: Vec<Overdue>,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a value where a parameter should be.
    #[error("{place}: expected {expected}, found {found}")]
    Value {
        /// Where it stands.
        place: String,
        /// What can stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// No style has parameters.
    #[error(
        "expected scalping_params or swing_params with atr_tp_multiplier, atr_stop_multiplier and max_holding_hours, \
         found neither"
    )]
    NoParameters,
    /// What would be passed through is too much.
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
pub fn import_document(
    location: impl Into<Location>,
    profile: &str,
    file: &LegacyConfig,
    source: &str,
    now_ms: i64,
) -> Result<Imported, ImportError> {
    let (location, document) = (location.into(), &file.document);
    let default: Value = serde_json::from_str(DEFAULT_TREE).expect("the default tree is valid JSON");
    let mut notes = notes_of_reading(file);
    look_at_kinds(document, default.as_object().expect("an object"), "", &mut notes)?;
    let mut sets = BTreeMap::new();
    let (filled_in, own): (Vec<Style>, Vec<Style>) =
        Style::ALL.into_iter().partition(|style| is_filled_in(document, *style));
    for style in own {
        if let Some(found) = set_of(document, style)? {
            notes.extend(found.inert.iter().map(|key| inert_note(style, key)));
            sets.insert(style, found.set);
        }
    }
    if sets.is_empty() && filled_in.is_empty() {
        return Err(ImportError::NoParameters);
    }
    let is_cache = |key: &str| CACHES.contains(&key);
    let listed = |cache: bool| {
        let keys = document.keys().filter(|key| *key != FILLED_IN && is_cache(key) == cache);
        keys.cloned().collect::<Vec<String>>()
    };
    let json = with_keys(&file.json, |key| !is_cache(key));
    let limit = <CarriedRecord as crate::store::records::Record>::BYTES_MAX - (1 << 10);
    if json.len() > limit {
        return Err(ImportError::TooLarge { bytes: json.len(), limit });
    }
    let carried = CarriedRecord { json, imported_at_ms: now_ms };
    let Activated { run, changes, overdue } =
        activate(&location, profile, &sets, source, Some(carried), now_ms)?;
    // Without it the next export asks before it writes over the file, which is the safe side.
    let mark = Mark::new(FileOrigin::Import, source, &file.hash, now_ms);
    if let Err(error) = bot_file::remember(&location, profile, mark) {
        notes.push(format!("{source} could not be remembered, its export will ask for --force: {error}"));
    }
    let is_without = |style: &Style| !sets.contains_key(style) && !filled_in.contains(style);
    let without = Style::ALL.into_iter().filter(is_without).collect();
    let (carried, dropped) = (listed(false), listed(true));
    Ok(Imported { run, changes, without, filled_in, carried, dropped, notes, overdue })
}

/// What became active, by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Activated {
    /// The number it has in the history.
    pub run: u64,
    /// What changed.
    pub changes: Vec<ParameterChange>,
    /// Earlier runs that were stored and never reported.
    pub overdue: Vec<Overdue>,
}

/// Makes sets of a bot's file active, in one transaction, with what is passed through of it.
///
/// Errors: the store is as it was
pub fn activate(
    location: &Location,
    profile: &str,
    sets: &BTreeMap<Style, ParameterSet>,
    source: &str,
    carried: Option<CarriedRecord>,
    now_ms: i64,
) -> Result<Activated, StoreError> {
    let mut store = Store::open(location.clone(), now_ms)?;
    let overdue = unreported_runs(&store, profile)?;
    let (mut learning, changes) = import_commit(&store, profile, sets, source, now_ms)?;
    learning.carried = carried;
    let run = store.commit(learning)?;
    store.publish_run(run)?;
    Ok(Activated { run, changes, overdue })
}

/// Returns what reading a file changed, as notes.
fn notes_of_reading(file: &LegacyConfig) -> Vec<String> {
    let is_kept = |place: &&String| !CACHES.iter().any(|cache| place.starts_with(cache));
    let note = |places: &[String], what: &str| {
        let places: Vec<&str> = places.iter().filter(is_kept).map(String::as_str).collect();
        let more = places.len().saturating_sub(PLACES_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = places[..places.len().min(PLACES_SHOWN)].join(", ");
        (!places.is_empty()).then(|| format!("{shown}{more}: {what}"))
    };
    let bare = note(&file.bare_words, "NaN and Infinity are no JSON; null in the next export");
    let repeated = note(&file.repeated, "there twice; the last counts");
    let version = (!file.document.contains_key("version")).then(|| {
        "version: missing, so that the bot takes its defaults instead of the file; the next export has one"
            .to_owned()
    });
    [bare, repeated, version].into_iter().flatten().collect()
}

fn inert_note(style: Style, key: &str) -> String {
    format!("{style}_params.{key}: nobody reads it and it stays inert; the bot follows global.{style}_params")
}

/// Holds the kinds of values to those of the bot's defaults: without an object the export has no place for what it
/// writes; another kind of value is kept, and told.
fn look_at_kinds(
    document: &Map<String, Value>,
    default: &Map<String, Value>,
    place: &str,
    notes: &mut Vec<String>,
) -> Result<(), ImportError> {
    for (key, expected) in default {
        let Some(found) = document.get(key) else { continue };
        let place = place_of_key(place, key);
        let (kind, is_kind) = match expected {
            Value::Object(_) => ("an object", found.is_object()),
            Value::Number(_) => ("a number", found.is_number()),
            Value::Bool(_) => ("true or false", found.is_boolean()),
            Value::String(_) => ("text", found.is_string()),
            _ => continue,
        };
        match (expected, found) {
            (Value::Object(default), Value::Object(own)) => look_at_kinds(own, default, &place, notes)?,
            (Value::Object(_), found) => return Err(wrong_value(place, kind, found)),
            _ if is_kind => {}
            _ => {
                notes.push(format!("{place}: the bot expects {kind}, found {}; kept", shortened_value(found)))
            }
        }
    }
    Ok(())
}

/// What a file says of a style.
#[derive(Debug)]
pub struct ImportedStyle {
    /// Its parameters.
    pub set: ParameterSet,
    /// Switches that are on where nobody reads them: the keys by which the bot follows positions say otherwise.
    pub inert: Vec<&'static str>,
}

/// Reads the parameters of a style; `None` where the file has none.
///
/// Errors: a value of another kind or beyond its range
pub fn set_of(document: &Map<String, Value>, style: Style) -> Result<Option<ImportedStyle>, ImportError> {
    let key = format!("{style}_params");
    let params = match document.get(&key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(params)) => params,
        Some(found) => return Err(wrong_value(key, "an object", found)),
    };
    let place = |key: &str| place_of_key(&format!("{style}_params"), key);
    let number = |key: &'static str| match params.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64().filter(|value| *value > 0.0 && *value <= VALUE_MAX) {
            Some(number) => Ok(Some(number)),
            None if value.as_f64().is_some_and(|value| value > VALUE_MAX) => {
                Err(wrong_value(place(key), &format!("at most {VALUE_MAX}"), value))
            }
            None => Err(wrong_value(place(key), "a positive number", value)),
        },
    };
    let (target, stop, hours) =
        (number("atr_tp_multiplier")?, number("atr_stop_multiplier")?, number("max_holding_hours")?);
    let filters = filters_of(params, style)?;
    let (Some(target), Some(stop), Some(hours)) = (target, stop, hours) else { return Ok(None) };
    let bare = ExitRule::new(target, stop, hours);
    let exit = with_mechanisms(params, style, bare)?;
    let full = ParameterSet { exit: exit.normalised(), filters };
    // What the bot does not do is no property of what is active.
    let set = match is_live(document, style, &(&full).into()) {
        true => full,
        false => ParameterSet { exit: bare.normalised(), ..full },
    };
    let stored = StoredParameterSet::from(&set);
    let is_inert = |(switch, axes): &(&'static str, &[&str])| {
        let is_on = params.get(*switch) == Some(&Value::Bool(true));
        (is_on && axes.iter().all(|axis| stored.number(axis).is_none())).then_some(*switch)
    };
    let inert = SWITCHES.iter().filter_map(is_inert).collect();
    Ok(Some(ImportedStyle { set, inert }))
}

/// Returns a rule with the exit mechanisms of a style that are switched on.
fn with_mechanisms(
    params: &Map<String, Value>,
    style: Style,
    mut exit: ExitRule,
) -> Result<ExitRule, ImportError> {
    for axis in EXIT_AXES.iter().filter(|axis| axis.is_optional() && axis.is_known_to_bot) {
        let switch = SWITCHES.iter().find(|(_, axes)| axes.contains(&axis.key));
        if switch.is_some_and(|(switch, _)| params.get(*switch) != Some(&Value::Bool(true))) {
            continue;
        }
        let Some(value) = params.get(axis.key).filter(|value| !value.is_null()) else { continue };
        match value.as_f64().filter(|number| axis.allows(*number)) {
            Some(number) => axis.set(&mut exit, number),
            None => {
                let place = place_of_key(&format!("{style}_params"), axis.key);
                return Err(wrong_value(place, &format!("a number, {}", axis.range()), value));
            }
        }
    }
    Ok(exit.without_halves())
}

/// Reads the filters of a style; a value of another kind than the filter's is no value.
fn filters_of(params: &Map<String, Value>, style: Style) -> Result<Vec<(String, FilterValue)>, ImportError> {
    let mut filters = Vec::new();
    for dimension in SearchSpace::default_dimensions(style) {
        let key = dimension.key();
        let other = (key == "min_consensus").then_some("min_indicator_consensus");
        let found = [Some(key), other].into_iter().flatten().find_map(|name| Some((name, params.get(name)?)));
        let Some((name, value)) = found.filter(|(_, value)| !value.is_null()) else { continue };
        let is_named = matches!(dimension.levels()[0].shown, FilterValue::Name(_));
        let read = match value {
            Value::Number(number) if !is_named => number.as_f64().map(FilterValue::Number),
            Value::String(name) if is_named => Some(FilterValue::Name(name.clone())),
            _ => None,
        };
        let expected = if is_named { "a name" } else { "a number" };
        let place = || place_of_key(&format!("{style}_params"), name);
        filters.push((key.to_owned(), read.ok_or_else(|| wrong_value(place(), expected, value))?));
    }
    Ok(filters)
}

fn wrong_value(place: String, expected: &str, found: &Value) -> ImportError {
    ImportError::Value { place, expected: expected.to_owned(), found: shortened_value(found) }
}

/// Returns a value as text that fits an error.
fn shortened_value(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        text
    } else {
        format!("{}...", text.chars().take(60).collect::<String>())
    }
}

fn import_commit(
    store: &Store,
    profile: &str,
    sets: &BTreeMap<Style, ParameterSet>,
    source: &str,
    now_ms: i64,
) -> Result<(LearningCommit, Vec<ParameterChange>), StoreError> {
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
        let own: Vec<ChangeRecord> =
            list_changes(*style, old.as_ref(), set).iter().map(change_record).collect();
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
            reasons: vec![reason_record(&DecisionReason::Imported { source: source.to_owned() })],
            candidate: Some(candidate),
            changes: own.clone(),
            ..DecisionRecord::default()
        };
        learning.params.insert(style.to_string(), Some(params));
        learning.decisions.insert(*style, decision);
        all.extend(own.iter().map(ParameterChange::from));
    }
    Ok((learning, all))
}
