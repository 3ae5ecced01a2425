//! The configuration in effect.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::table::table;

/// A value in effect.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ConfigValue {
    pub value: serde_json::Value,
    /// `default`, a file, an environment variable or a flag.
    pub origin: String,
}

/// The effective configuration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ConfigDocument {
    /// By dotted key.
    pub values: BTreeMap<String, ConfigValue>,
    /// Parameter sets per style.
    pub parameter_sets: BTreeMap<String, u64>,
}

impl Document for ConfigDocument {
    const KIND: &'static str = "config";
}

impl ConfigDocument {
    /// Returns every value with where it comes from, as text for people.
    pub fn text(&self) -> String {
        let row = |(key, value): (&String, &ConfigValue)| {
            vec![key.clone(), value.value.to_string(), value.origin.clone()]
        };
        let rows: Vec<Vec<String>> = self.values.iter().map(row).collect();
        format!("{}\n", table(&["Key", "Value", "From"], &rows))
    }

    /// Returns that it is sound, and the sizes of its spaces.
    pub fn summary(&self) -> String {
        let mut text = "the configuration is sound\n".to_owned();
        for (style, sets) in &self.parameter_sets {
            let _ = writeln!(text, "{style}: {sets} parameter sets");
        }
        text
    }
}
