//! A parameter that changed.

use schemars::JsonSchema;
use serde::Serialize;

use crate::decide::ParameterChange;
use crate::store::records::ChangeRecord;

/// One key that changed; null where it had, or has, no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ChangePart {
    pub scope: String,
    pub key: String,
    pub old: Option<String>,
    pub new: Option<String>,
}

impl From<&ParameterChange> for ChangePart {
    fn from(change: &ParameterChange) -> Self {
        let ParameterChange { scope, key, old, new } = change.clone();
        Self { scope, key, old, new }
    }
}

impl From<&ChangeRecord> for ChangePart {
    fn from(record: &ChangeRecord) -> Self {
        let ChangeRecord { scope, key, old, new } = record.clone();
        Self { scope, key, old, new }
    }
}
