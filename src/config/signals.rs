//! `[signals]`: entries of the user's own.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, value_error};
use crate::model::Interval;

/// Entries of your own instead of those derived from candles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct SignalsConfig {
    /// A file (CSV, Parquet or feather) with the columns symbol, time and direction. Its other columns of numbers can be filtered on, as
    /// `signals.NAME`. Filters of the default space act only where they are named in the space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Length of the candles that these signals were given on, where a column `date` or `open_time` says when they opened; the base
    /// interval unless it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeframe: Option<String>,
}

impl SignalsConfig {
    pub(super) fn timeframe(&self) -> Result<Option<Interval>, ConfigError> {
        let parse = |text: &String| {
            let expected = "the length of a candle such as 5m, 1h or 1d";
            text.parse().map_err(|_| value_error("signals.timeframe", expected, text))
        };
        self.timeframe.as_ref().map(parse).transpose()
    }
}
