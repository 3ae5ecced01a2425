//! The section `[daily]`: what the steps of a day are asked for.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, value_error};
use crate::model::Day;

/// What `optimizer daily` does besides the run; a step that is not asked for is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DailyConfig {
    /// Symbols whose candles are fetched first, as the exchange writes them; none fetches nothing.
    pub fetch: Vec<String>,
    /// First day that is fetched, YYYY-MM-DD; needed where anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Where the symbols trade.
    pub market: FetchedMarket,
    /// Folder for the candles; each market has one of its own in it.
    pub folder: PathBuf,
    /// Address to ask instead of the exchange's usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The bot's file, written when parameters changed and the gate of the export lets them pass; none writes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<PathBuf>,
    /// File of metrics for node_exporter's textfile collector, written at the end of the day; none writes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<PathBuf>,
}

/// A market that candles are fetched from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "kebab-case")]
pub enum FetchedMarket {
    /// Spot.
    #[default]
    Spot,
    /// Perpetual contracts in USDT.
    UsdtM,
}

impl FetchedMarket {
    /// Returns the word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::UsdtM => "usdt-m",
        }
    }
}

impl Default for DailyConfig {
    fn default() -> Self {
        Self {
            fetch: Vec::new(),
            since: None,
            market: FetchedMarket::Spot,
            folder: PathBuf::from("candles"),
            base_url: None,
            export: None,
            metrics: None,
        }
    }
}

impl DailyConfig {
    /// Returns the first day that is fetched; `None` where nothing is.
    ///
    /// Errors: no day where symbols are to be fetched
    pub fn first_day(&self) -> Result<Option<Day>, ConfigError> {
        if self.fetch.is_empty() {
            return Ok(None);
        }
        let text = self.since.as_deref().unwrap_or_default();
        let day = Day::parse(text)
            .ok_or_else(|| value_error("daily.since", "a day such as \"2025-01-31\"", format!("{text:?}")));
        day.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn what_is_fetched_needs_a_first_day() {
        let first =
            |text: &str| Config::from_texts(&[("x".to_owned(), format!("[daily]\n{text}"))])?.daily_since();
        assert!(first("").is_ok_and(|day| day.is_none()));
        assert!(first("fetch = [\"BTCUSDT\"]\nsince = \"2025-01-31\"").is_ok_and(|day| day.is_some()));
        for wrong in ["", "since = \"soon\"", "since = \"2025-02-30\""] {
            let error = first(&format!("fetch = [\"BTCUSDT\"]\n{wrong}")).expect_err(wrong).to_string();
            assert!(error.starts_with("daily.since: expected a day"), "{error}");
        }
    }
}
