//! `[signals]`: entries of the user's own.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Entries of your own instead of those derived from candles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct SignalsConfig {
    /// A file with the columns symbol, time and direction. Its other columns of numbers can be filtered on, as
    /// `signals.NAME`. Filters of the default space act only where they are named in the space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}
