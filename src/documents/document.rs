//! JSON documents: one envelope for all, every kind with a schema of its own under `schema/`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::rfc3339;
use crate::store::records::{StoredParameterSet, StoredValue};

/// A kind of document.
pub trait Document: Serialize + JsonSchema {
    /// Name of the kind, e.g. `run`; the schema is `optimizer.<kind>/1`.
    const KIND: &'static str;
}

/// The envelope of every document.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Envelope<T> {
    /// `optimizer.<kind>/<version>`
    pub schema: String,
    /// When the document was made; RFC 3339, UTC.
    pub generated_at: String,
    /// The content.
    pub data: T,
}

impl<T: Document> Envelope<T> {
    /// Puts a document into its envelope.
    pub fn new(data: T, now_ms: i64) -> Self {
        Self { schema: format!("optimizer.{}/1", T::KIND), generated_at: rfc3339(now_ms), data }
    }

    /// Returns the document as JSON text: undefined values are `null`, never NaN.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("documents hold text keys and finite numbers only")
    }
}

/// Returns a parameter set as an object with the legacy names.
pub fn params_object(set: &StoredParameterSet) -> Map<String, Value> {
    let mut object: Map<String, Value> =
        set.exits.iter().map(|exit| (exit.name.clone(), number(exit.value))).collect();
    for filter in &set.filters {
        let value = match &filter.value {
            StoredValue::Number(value) => number(*value),
            StoredValue::Name(name) => Value::from(name.as_str()),
        };
        object.insert(filter.name.clone(), value);
    }
    object
}

/// Returns a number as JSON: whole numbers without a fraction, as the legacy files hold them.
pub fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}
