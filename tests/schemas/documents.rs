//! JSON Schemas of everything that is exported, generated from the types.
//!
//! They are committed under `schema/documents/`; `tests/documents.rs` holds them to the code. They describe what is written:
//! every field is there, `null` where it has no value. Documents may grow, so unknown keys are allowed.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use retune::documents::by_hand::{ByHandDocument, ImportDocument};
use retune::documents::check::CheckDataDocument;
use retune::documents::config::ConfigDocument;
use retune::documents::digest::DigestDocument;
use retune::documents::doctor::DoctorDocument;
use retune::documents::document::{Document, Envelope, schema_name};
use retune::documents::dry_run::ForecastDocument;
use retune::documents::export::ExportDiffDocument;
use retune::documents::export_freqtrade::{ExportFreqtradeDocument, ImportFreqtradeDocument};
use retune::documents::fetch::FetchDocument;
use retune::documents::inspect::{
    ExplainDocument, InspectCacheDocument, InspectChangesDocument, InspectDiffDocument,
    InspectFeaturesDocument, InspectImportanceDocument, InspectInsightsDocument, InspectOverviewDocument,
    InspectParamsDocument, InspectRunDocument, InspectRunsDocument, InspectSetTradesDocument,
    InspectSignalsDocument, InspectSpaceDocument, InspectStoreDocument, InspectTopDocument,
    InspectTrialsDocument,
};
use retune::documents::judge::JudgeDocument;
use retune::documents::lookahead::CheckLookaheadDocument;
use retune::documents::memory::{
    HeapDiffDocument, MemoryDiffDocument, MemoryReportDocument, MemoryWatchDocument,
};
use retune::documents::notify::NotifyDocument;
use retune::documents::restore::RestoreDocument;
use retune::documents::run::RunDocument;
use retune::documents::status::StatusDocument;
use retune::documents::validate::ValidateDocument;
use retune::legacy::documents::{InspectLegacyDocument, InspectResolveDocument, InspectTradesDocument};
use retune::model::Style;

/// An exported document and the schema it satisfies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exported {
    /// Name of the kind, and of its file.
    pub kind: &'static str,
    /// Makes the schema.
    pub schema: fn() -> Value,
}

/// Every exported document.
pub(crate) const EXPORTED: [Exported; 43] = [
    enveloped::<RunDocument>(),
    enveloped::<ForecastDocument>(),
    enveloped::<CheckDataDocument>(),
    enveloped::<CheckLookaheadDocument>(),
    enveloped::<InspectOverviewDocument>(),
    enveloped::<InspectResolveDocument>(),
    enveloped::<InspectLegacyDocument>(),
    enveloped::<InspectTradesDocument>(),
    enveloped::<InspectSetTradesDocument>(),
    enveloped::<InspectSignalsDocument>(),
    enveloped::<InspectRunsDocument>(),
    enveloped::<InspectRunDocument>(),
    enveloped::<InspectParamsDocument>(),
    enveloped::<InspectChangesDocument>(),
    enveloped::<InspectTopDocument>(),
    enveloped::<InspectStoreDocument>(),
    enveloped::<InspectCacheDocument>(),
    enveloped::<InspectDiffDocument>(),
    enveloped::<InspectTrialsDocument>(),
    enveloped::<InspectFeaturesDocument>(),
    enveloped::<InspectInsightsDocument>(),
    enveloped::<InspectImportanceDocument>(),
    enveloped::<InspectSpaceDocument>(),
    enveloped::<ExplainDocument>(),
    enveloped::<ByHandDocument>(),
    enveloped::<ConfigDocument>(),
    enveloped::<ImportDocument>(),
    enveloped::<ExportDiffDocument>(),
    enveloped::<ExportFreqtradeDocument>(),
    enveloped::<ImportFreqtradeDocument>(),
    enveloped::<DoctorDocument>(),
    enveloped::<MemoryReportDocument>(),
    enveloped::<MemoryWatchDocument>(),
    enveloped::<MemoryDiffDocument>(),
    enveloped::<HeapDiffDocument>(),
    enveloped::<ValidateDocument>(),
    enveloped::<JudgeDocument>(),
    enveloped::<RestoreDocument>(),
    enveloped::<StatusDocument>(),
    enveloped::<FetchDocument>(),
    enveloped::<NotifyDocument>(),
    enveloped::<DigestDocument>(),
    Exported { kind: "learning_config", schema: learning_config_schema },
];

/// Returns the schema of a kind.
pub(crate) fn schema_of(kind: &str) -> Option<Value> {
    EXPORTED.iter().find(|exported| exported.kind == kind).map(|exported| (exported.schema)())
}

const fn enveloped<T: Document>() -> Exported {
    Exported { kind: T::KIND, schema: envelope_schema::<T> }
}

fn envelope_schema<T: Document>() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Envelope<T>>();
    let name = schema_name::<T>();
    schema.insert("title".to_owned(), json!(name));
    let mut schema = Value::from(schema);
    schema["properties"]["schema"]["const"] = json!(name);
    schema["properties"]["generated_at"]["format"] = json!("date-time");
    schema
}

/// Keys the bot reads from a style's parameters.
const STYLE_KEYS: [&str; 7] = [
    "atr_tp_multiplier",
    "atr_stop_multiplier",
    "max_holding_hours",
    "min_signal_score",
    "min_risk_reward",
    "min_indicator_consensus",
    "min_consensus",
];
/// Keys the bot reads from a symbol's entry.
const SYMBOL_KEYS: [&str; 6] = [
    "sample_count",
    "min_risk_reward",
    "min_signal_score",
    "min_indicator_consensus",
    "atr_stop_multiplier",
    "base_position_ratio",
];

/// Returns the schema of `learning_config.json` where no file was imported: every key of the bot's own defaults, and what
/// is always added. An imported file lacks what it lacked, but for what the bot reads without asking.
fn learning_config_schema() -> Value {
    let tree = serde_json::from_str(retune::bot::keys::DEFAULT_TREE).expect("the default tree is valid JSON");
    let mut schema = schema_like(&tree);
    let of_styles = Style::ALL.map(|style| (format!("{style}_params"), numbers(&STYLE_KEYS)));
    for (key, part) in of_styles {
        require(&mut schema, &key, part);
    }
    schema["properties"]["last_update"] = json!({"type": "string"});
    schema["properties"]["per_symbol"] =
        json!({"type": "object", "additionalProperties": numbers(&SYMBOL_KEYS)});
    let regime = &mut schema["properties"]["market_regime"];
    require(regime, "type", json!({"type": "string"}));
    require(regime, "pause_level", json!({"type": "number"}));
    let mut phase2 = json!({"type": "object"});
    require(&mut phase2, "latest", json!({"type": "object"}));
    require(&mut phase2, "history", json!({"type": "array", "items": {"type": "object"}}));
    require(&mut schema, "phase2_learning", phase2);
    let mut insights = json!({"type": "object"});
    for key in ["date", "focus", "updated_at"] {
        require(&mut insights, key, json!({"type": "string"}));
    }
    require(&mut insights, "lessons", json!({"type": "array", "items": {"type": "string"}}));
    require(&mut insights, "v8321_insights", json!({"type": "object"}));
    require(&mut schema, "compressed_insights", insights);
    let mut headed = Map::new();
    headed.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    headed.insert("title".to_owned(), json!("learning_config.json"));
    let description = "The bot's file where none was imported: every key of the bot's own defaults, and what is always added.";
    headed.insert("description".to_owned(), json!(description));
    headed.extend(schema.as_object().cloned().unwrap_or_default());
    Value::Object(headed)
}

/// Returns a schema that asks for the keys of an example, with values of the same type.
fn schema_like(example: &Value) -> Value {
    match example {
        Value::Object(object) => {
            let mut schema = json!({"type": "object"});
            for (key, value) in object {
                require(&mut schema, key, schema_like(value));
            }
            schema
        }
        Value::Number(_) => json!({"type": "number"}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(_) => json!({"type": "array"}),
        Value::Null => json!({"type": ["string", "null"]}),
    }
}

/// Returns a schema of an object with these numbers.
fn numbers(keys: &[&str]) -> Value {
    let mut schema = json!({"type": "object"});
    for key in keys {
        require(&mut schema, key, json!({"type": "number"}));
    }
    schema
}

/// Adds a required key to the schema of an object.
fn require(schema: &mut Value, key: &str, part: Value) {
    schema["properties"][key] = part;
    match schema["required"].as_array_mut() {
        Some(required) if required.iter().any(|known| known == key) => {}
        Some(required) => required.push(json!(key)),
        None => schema["required"] = json!([key]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_satisfies_its_own_schema_and_a_part_of_it_does_not() {
        let schema = schema_like(&json!({"a": 1, "b": {"c": null, "d": true}}));
        let fits = |value: Value| jsonschema::is_valid(&schema, &value);
        assert!(fits(json!({"a": 2.5, "b": {"c": "text", "d": false}, "more": []})));
        assert!(!fits(json!({"a": 1, "b": {"c": null}})));
        assert!(!fits(json!({"a": "1", "b": {"c": null, "d": true}})));
    }
}
