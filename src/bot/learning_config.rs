//! `learning_config.json` as the live bot reads it.
//!
//! The bot reads some keys by index and does arithmetic on others without asking: every key it may miss is
//! here, and numbers are numbers. So this is the one document in which an undefined metric is 0 (and only under
//! `performance`, where the bot multiplies it); elsewhere a key without a value is left out.
//!
//! Where a file was imported the document is that file, and what is active or was learned is laid over it: key by key, and
//! only where it says something else. Elsewhere it is the bot's default tree. Each change keeps its reason.

mod difference;
mod draft;
mod history;
mod learned;
mod text;

use serde_json::{Map, Value, json};

pub use self::difference::{BotFileDifference, find_differences};
use self::draft::Draft;
use crate::bot::import::set_of;
use crate::bot::keys::{
    DEFAULT_TREE, FILLED_IN, TRADES_LEARNED_MIN, has_mechanisms, inexpressible, is_filled_in, is_same,
    live_exits, number_under_key, switches,
};
use crate::ingest::ExactNumbers;
use crate::model::{Style, Symbol, rfc3339};
use crate::search::space::SCORE_WEIGHTS;
use crate::store::records::{ParamsRecord, StoredFilter, StoredParameterSet, StoredValue};
use crate::store::{Snapshot, StoreError};

/// Keys that the bot reads without asking whether they are there, with those by which it decides whether to read the file.
const DIRECT: [&[&str]; 11] = [
    &["version"],
    &["global", "min_risk_reward"],
    &["global", "atr_stop_multiplier"],
    &["global", "max_loss_per_trade"],
    &["global", "max_consecutive_losses"],
    &["global", "base_position_ratio"],
    &["global", "min_indicator_consensus"],
    &["global", "key_level_penalty"],
    &["global", "max_hold_time_hours"],
    &["global", "min_signal_score"],
    &["market_regime"],
];

/// Consensus where nothing is active.
const CONSENSUS_DEFAULT: f64 = 2.0;
/// Signal score where nothing is active.
const SIGNAL_SCORE_DEFAULT: f64 = 60.0;

/// Why there is no file for the bot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BotFileError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Active parameters say what the bot's file has no place for: it would do something else.
    #[error(
        "the active parameters of {scope} have {}, which the bot's file has no place for: expected take-profit and stop in ATR",
        found.join(", ")
    )]
    Inexpressible {
        /// Where they are active.
        scope: String,
        /// What they say.
        found: Vec<String>,
    },
}

/// A JSON object.
type Object = Map<String, Value>;

/// The bot's file as it is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct BotFile {
    /// The document.
    pub document: Value,
    /// Numbers as the imported file had them.
    exact: ExactNumbers,
    /// Why something differs from the imported file, by place.
    reasons: Vec<(String, String)>,
    /// When the file was imported that it begins with; UTC milliseconds.
    imported_at_ms: Option<i64>,
}

impl BotFile {
    /// Returns the text of the file.
    pub fn text(&self) -> String {
        text::pretty_text(&self.document, &self.exact)
    }
}

/// Returns the complete document for a profile.
///
/// Units: `generated_at` is `YYYY-MM-DD HH:MM:SS`, as the bot writes it.
/// Errors: see [`BotFileError`]
pub fn learning_config(
    snapshot: &Snapshot<'_>,
    profile: &str,
    generated_at: &str,
) -> Result<Value, BotFileError> {
    Ok(bot_file(snapshot, profile, generated_at)?.document)
}

/// Returns the bot's file for a profile. See [`learning_config`].
pub fn bot_file(snapshot: &Snapshot<'_>, profile: &str, generated_at: &str) -> Result<BotFile, BotFileError> {
    let default: Object = serde_json::from_str(DEFAULT_TREE).expect("the default tree is valid JSON");
    let carried = snapshot.carried(profile)?;
    let json = carried.as_ref().map_or("", |carried| &carried.json);
    // Checked when it was imported.
    let imported: Option<Object> = serde_json::from_str(json).ok();
    let in_force = ActiveScopes::read(snapshot, profile)?;
    in_force.check()?;
    let mut draft = Draft::new(imported.clone().unwrap_or_else(|| default.clone()));
    draft.put(&["last_update"], json!(generated_at), "when it was written");
    match &imported {
        Some(_) => complete_document(&mut draft, &default),
        None => complete_default(&mut draft),
    }
    let imported_at_ms = carried.as_ref().map(|carried| carried.imported_at_ms);
    let before = |style| {
        let imported = imported.as_ref()?;
        // An earlier program took more of the same file.
        let record = in_force.of(style).filter(|record| record.source == "import");
        let record = record.filter(|record| Some(record.adopted_at_ms) == imported_at_ms);
        record.map(|record| record.set.clone()).or_else(|| imported_set(imported, style))
    };
    lay_global(&mut draft, &in_force, &before);
    for style in Style::ALL {
        lay_live_exits(&mut draft, style, in_force.of(style), before(style).as_ref());
    }
    lay_symbols(&mut draft, &in_force);
    let filled_in = lay_styles(&mut draft, &in_force, imported.as_ref(), &before);
    // So that an import does not take them for active parameters.
    match filled_in.is_empty() {
        true => draft.remove(FILLED_IN),
        false => draft.put(&[FILLED_IN], Value::Object(filled_in), "defaults, which an import passes over"),
    }
    let learned = learned::LearnedLessons::read(snapshot, profile)?;
    learned.lay_over(&mut draft, &in_force, generated_at, imported.is_some());
    for (key, value) in history::RecentRuns::read(snapshot, profile)?.entries(&in_force) {
        draft.put(&[&key], value, "what the last runs decided");
    }
    let (document, reasons) = draft.finish();
    Ok(BotFile { document, reasons, exact: ExactNumbers::of(json), imported_at_ms })
}

/// Returns the parameters that an imported file had of a style.
fn imported_set(imported: &Object, style: Style) -> Option<StoredParameterSet> {
    // Files imported by an earlier program may say what would be refused today.
    let found = set_of(imported, style).ok().flatten().filter(|_| !is_filled_in(imported, style))?;
    Some((&found.set).into())
}

/// Adds what the bot reads without asking and an imported file lacks.
fn complete_document(draft: &mut Draft, default: &Object) {
    for path in DIRECT {
        if draft.get(path).is_none() {
            let value =
                path.iter().try_fold(&Value::Object(default.clone()), |value, key| value.get(key)).cloned();
            let value = value.expect("the default tree has every key that the bot reads");
            draft.put(path, value, "missing; the bot reads it without asking");
        }
    }
    // Older versions wrote the insights as text, which the bot's prompt does not read.
    let text = draft.get(&["compressed_insights"]).and_then(Value::as_str);
    if let Some(object @ Value::Object(_)) = text.and_then(|text| serde_json::from_str(text).ok()) {
        draft.put(&["compressed_insights"], object, "text of an older version; the bot reads an object");
    }
}

/// Adds what the bot reads although its own defaults lack it.
fn complete_default(draft: &mut Draft) {
    draft.put(&["market_regime", "type"], json!("unknown"), "");
    draft.put(&["market_regime", "pause_level"], json!(0), "");
}

/// Lays over the values for all styles; none where what speaks for all is what the imported file says.
fn lay_global(
    draft: &mut Draft,
    in_force: &ActiveScopes,
    before: &dyn Fn(Style) -> Option<StoredParameterSet>,
) {
    let Some((style, record)) = in_force.general() else { return };
    if style.and_then(before).is_some_and(|before| before == record.set) {
        return;
    }
    let reason =
        format!("{}, which hold for all", active_reason(style.map_or("global", Style::as_str), record));
    let flat = flat_parameters(&record.set);
    for key in ["min_risk_reward", "atr_stop_multiplier", "min_signal_score"] {
        if let Some(value) = flat.get(key) {
            draft.put(&["global", key], value.clone(), &reason);
        }
    }
    if let Some(consensus) = consensus_of_set(&record.set) {
        let key = "min_indicator_consensus";
        draft.put(&["global", key], number_under_key(key, consensus), &reason);
    }
}

/// Lays over the keys by which the bot follows open positions: where a set has mechanisms, or no longer has those of the
/// imported file. Elsewhere the bot's own values stay.
fn lay_live_exits(
    draft: &mut Draft,
    style: Style,
    record: Option<&ParamsRecord>,
    before: Option<&StoredParameterSet>,
) {
    let Some(record) = record.filter(|record| before != Some(&record.set)) else { return };
    if !has_mechanisms(&record.set) && !before.is_some_and(has_mechanisms) {
        return;
    }
    let key = format!("{style}_params");
    for (name, value) in live_exits(&record.set) {
        draft.put(&["global", &key, &name], value, &active_reason(style.as_str(), record));
    }
}

/// Lays over the parameters of each style; returns those that are defaults because nothing is active.
fn lay_styles(
    draft: &mut Draft,
    in_force: &ActiveScopes,
    imported: Option<&Object>,
    before: &dyn Fn(Style) -> Option<StoredParameterSet>,
) -> Object {
    let mut filled_in = Object::new();
    for style in Style::ALL {
        let (key, record) = (format!("{style}_params"), in_force.of(style));
        match (record, imported) {
            (Some(record), Some(_)) => {
                let changed = changed_keys(&record.set, before(style).as_ref());
                for (name, value) in changed {
                    draft.put(&[&key, &name], value, &active_reason(style.as_str(), record));
                }
            }
            (None, Some(imported)) => {
                let marked = imported.get(FILLED_IN).and_then(|filled_in| filled_in.get(&key));
                let marked = marked.filter(|_| is_filled_in(imported, style));
                filled_in.extend(marked.map(|values| (key, values.clone())));
            }
            (record, None) => {
                let params = style_params(style, record.map(|record| &record.set));
                if record.is_none() {
                    filled_in.insert(key.clone(), params.clone());
                }
                let reason =
                    record.map_or("a default".to_owned(), |record| active_reason(style.as_str(), record));
                draft.put(&[&key], params, &reason);
            }
        }
    }
    filled_in
}

/// Returns the keys of a style that say something else than those of an imported set.
fn changed_keys(set: &StoredParameterSet, before: Option<&StoredParameterSet>) -> Object {
    let old = before.map(flat_parameters).unwrap_or_default();
    let mut changed = flat_parameters(set);
    changed.retain(|key, value| !old.get(key).is_some_and(|old| is_same(old, value)));
    if let Some(value) =
        consensus_of_set(set).filter(|value| before.and_then(consensus_of_set) != Some(*value))
    {
        for key in ["min_indicator_consensus", "min_consensus"] {
            changed.insert(key.to_owned(), number_under_key(key, value));
        }
    }
    if before != Some(set) && (has_mechanisms(set) || before.is_some_and(has_mechanisms)) {
        changed.extend(switches(set));
    }
    changed
}

/// Returns what is active in a scope as a reason.
fn active_reason(scope: &str, record: &ParamsRecord) -> String {
    format!("active parameters of {scope}, by {} as run {}", record.source, record.run)
}

/// The active parameters in every scope.
struct ActiveScopes(Vec<(String, ParamsRecord)>);

impl ActiveScopes {
    fn read(snapshot: &Snapshot<'_>, profile: &str) -> Result<Self, StoreError> {
        Ok(Self(snapshot.params_all(profile)?))
    }

    /// Checks that the file can say what is active in every scope.
    fn check(&self) -> Result<(), BotFileError> {
        let found = self.0.iter().map(|(scope, record)| (scope, inexpressible(&record.set)));
        match found.into_iter().find(|(_, found)| !found.is_empty()) {
            Some((scope, found)) => Err(BotFileError::Inexpressible { scope: scope.clone(), found }),
            None => Ok(()),
        }
    }

    fn scope(&self, scope: &str) -> Option<&ParamsRecord> {
        self.0.iter().find(|(found, _)| found == scope).map(|(_, record)| record)
    }

    fn of(&self, style: Style) -> Option<&ParamsRecord> {
        self.scope(style.as_str())
    }

    /// Returns what speaks for all styles, with the style it is of: the global scope, else swing, else scalping.
    fn general(&self) -> Option<(Option<Style>, &ParamsRecord)> {
        let of = |style| Some((Some(style), self.of(style)?));
        let global = self.scope("global").map(|record| (None, record));
        // The longest one first.
        global.or_else(|| Style::ALL.into_iter().rev().find_map(of))
    }

    /// Returns symbol, style and parameters of every symbol's own parameters, in the order of the scopes.
    fn of_symbols(&self) -> impl Iterator<Item = (&str, &str, &ParamsRecord)> {
        self.0.iter().filter_map(|(scope, record)| {
            let (symbol, style) = scope.strip_prefix("symbol/")?.split_once('/')?;
            Some((symbol, style, record))
        })
    }
}

fn value_of(filter: &StoredFilter) -> Value {
    match &filter.value {
        StoredValue::Number(value) => number_under_key(&filter.name, *value),
        StoredValue::Name(name) => json!(name),
    }
}

/// Returns the consensus a set asks for; the bot has two names for it.
fn consensus_of_set(set: &StoredParameterSet) -> Option<f64> {
    set.number("min_indicator_consensus").or_else(|| set.number("min_consensus"))
}

/// Returns the exit rule and every filter of a set under the bot's names. Score weights have a place of their own.
fn flat_parameters(set: &StoredParameterSet) -> Object {
    let exit = set.exits.iter();
    let exit = exit.map(|exit| (exit.name.clone(), number_under_key(&exit.name, exit.value)));
    let filters = set.filters.iter().filter(|filter| filter.name != SCORE_WEIGHTS);
    exit.chain(filters.map(|filter| (filter.name.clone(), value_of(filter)))).collect()
}

/// The bot's own take-profit, longest holding time and risk-reward ratio of every style.
const BOT_DEFAULTS: [[f64; 3]; Style::COUNT] = [[2.5, 12.0, 1.5], [4.0, 72.0, 2.0]];

/// Returns the parameters of a style: the bot's defaults under what is active.
fn style_params(style: Style, set: Option<&StoredParameterSet>) -> Value {
    let [take_profit, hours, risk_reward] = BOT_DEFAULTS[style.index()];
    let consensus = set.and_then(consensus_of_set).unwrap_or(CONSENSUS_DEFAULT);
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
        defaults.into_iter().map(|(key, value)| (key.to_owned(), number_under_key(key, value))).collect();
    params.extend(set.map(flat_parameters).into_iter().flatten());
    params.extend(set.filter(|set| has_mechanisms(set)).map(switches).into_iter().flatten());
    Value::Object(params)
}

/// Lays over the entries of the symbols that have parameters of their own; swing wins over scalping. What else an entry
/// holds stays.
fn lay_symbols(draft: &mut Draft, in_force: &ActiveScopes) {
    let none = Value::Object(Object::new());
    let known = draft.get(&["per_symbol"]).unwrap_or(&none).clone();
    let global = draft.get(&["global"]).unwrap_or(&none).clone();
    // What is active is what the bot shall take, and it takes nothing learned from fewer trades than this.
    let least = TRADES_LEARNED_MIN;
    // Scopes are sorted: scalping comes before swing.
    for (symbol, style, record) in in_force.of_symbols() {
        let (name, flat) = (spelled_symbol(&known, symbol), flat_parameters(&record.set));
        let reason = active_reason(&format!("{symbol}, {style}"), record);
        let entry = known.get(&name).unwrap_or(&none);
        let is_taken = entry.get("sample_count").and_then(Value::as_u64).is_some_and(|count| count >= least);
        let mut put = |key: &str, value: Value| draft.put(&["per_symbol", &name, key], value, &reason);
        put("sample_count", json!(record.metrics.trades.max(least)));
        for key in [
            "min_risk_reward",
            "min_signal_score",
            "min_indicator_consensus",
            "atr_stop_multiplier",
            "base_position_ratio",
        ] {
            let own = match key {
                "min_indicator_consensus" => {
                    consensus_of_set(&record.set).map(|value| number_under_key(key, value))
                }
                key => flat.get(key).cloned(),
            };
            let taken = entry.get(key).filter(|_| is_taken);
            // A value of an entry that the bot did not take comes from what it took instead.
            if let Some(value) = own.as_ref().or(taken).or_else(|| global.get(key)) {
                put(key, value.clone());
            }
        }
    }
}

/// Returns a symbol as the entries that are known spell it, else as the bot's exchange library names it.
fn spelled_symbol(known: &Value, symbol: &str) -> String {
    let is_it = |name: &&String| Symbol::parse(name).is_some_and(|key| key.as_str() == symbol);
    let name = known.as_object().and_then(|known| known.keys().find(is_it).cloned());
    name.unwrap_or_else(|| market_name(symbol))
}

/// Returns a symbol as the bot's exchange library names it: `BTC/USDT:USDT`, of a dated contract `BTC/USDT:USDT-250328`.
pub fn market_name(symbol: &str) -> String {
    let (pair, expiry) =
        symbol.split_once('_').map_or((symbol, String::new()), |(pair, expiry)| (pair, format!("-{expiry}")));
    let mut split =
        ["USDT", "USDC", "USD"].into_iter().filter_map(|quote| Some((pair.strip_suffix(quote)?, quote)));
    match split.find(|(base, _)| !base.is_empty()) {
        Some((base, quote)) => format!("{base}/{quote}:{quote}{expiry}"),
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
fn performance_of_style(record: Option<&ParamsRecord>) -> Value {
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
