//! The configuration in effect.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;

/// A value in effect.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ConfigValue {
    pub value: serde_json::Value,
    /// `default`, a file, an environment variable or a flag.
    pub origin: String,
    /// Line of the file, where the value stands in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
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
