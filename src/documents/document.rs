//! JSON documents: one envelope for all, every kind with a schema of its own under `schema/`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{FilterValue, ParameterSet, rfc3339};
use crate::run::recall::parameter_set;
use crate::store::records::StoredParameterSet;

/// A kind of document.
pub trait Document: Serialize + JsonSchema {
    /// Name of the kind, e.g. `run`; the schema is `optimizer.<kind>/<version>`.
    const KIND: &'static str;
    /// Version of its shape; raised when a key is renamed, moved or removed.
    const VERSION: u32 = 1;
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
        Self { schema: schema_name::<T>(), generated_at: rfc3339(now_ms), data }
    }

    /// Returns the document as JSON text: undefined values are `null`, never NaN.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("documents hold text keys and finite numbers only")
    }
}

/// Returns the name of a kind's schema, which every document of it has.
pub fn schema_name<T: Document>() -> String {
    format!("optimizer.{}/{}", T::KIND, T::VERSION)
}

/// Returns a parameter set as an object with the legacy names; what is off is left out.
pub fn parameters_object(set: &ParameterSet) -> Map<String, Value> {
    let exits = set.exit.values().map(|(key, value)| (key.to_owned(), number(value)));
    let filters = set.filters.iter().map(|(key, value)| {
        let value = match value {
            FilterValue::Number(value) => number(*value),
            FilterValue::Name(name) => Value::from(name.as_str()),
        };
        (key.clone(), value)
    });
    exits.chain(filters).collect()
}

/// Returns a stored parameter set as an object with the legacy names.
pub fn params_object(stored: &StoredParameterSet) -> Map<String, Value> {
    parameters_object(&parameter_set(stored))
}

/// Returns a number as JSON: whole numbers without a fraction, as the legacy files hold them.
pub fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { Value::from(value as i64) } else { Value::from(value) }
}

/// Returns a parameter as text: names without quotes.
pub fn shown_parameter(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns bytes as lower-case hexadecimal digits.
pub fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_bytes_read_well() {
        assert_eq!(
            (shown_parameter(&Value::from("all")), shown_parameter(&Value::from(0.5))),
            ("all".into(), "0.5".into())
        );
        assert_eq!(hex_text(&[0, 0xAB]), "00ab");
    }
}
