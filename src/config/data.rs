//! `[data]`: which candles are read, and how.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity;
use super::{ConfigError, value_error};
use crate::ingest::{EmptyCandles, Glob, OnBadRows, ReadingOptions, Selection, StatedColumns};
use crate::model::{Interval, MarketKind, Symbol, Timeframes};

/// Longest age of candles that can be asked for: ten years.
const STALE_AFTER_MAX_S: u64 = 3_650 * 86_400;

/// The form of a time zone, for messages.
const ZONE: &str = "a time zone such as \"Asia/Shanghai\", or \"UTC\"";

/// Which candles are read, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Files and folders of candles; `--data` on the command line replaces them. `freqtrade:FOLDER` is a folder `user_data` of
    /// freqtrade, of which the candles of one exchange and market are read.
    pub paths: Vec<PathBuf>,
    /// Length of the candles of a run: 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h or 1d. Finer candles are put together
    /// to it; holding times and some filters have other defaults on other lengths.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "an interval"))]
    pub base_interval: String,
    /// What to do with candles that contradict each other.
    pub on_conflict: ConflictPolicy,
    /// What to do with a file of which more than 1 % of the rows (and more than three) cannot be used.
    pub on_bad_rows: BadRowsPolicy,
    /// The zone of times that are text without an offset, of candles and signals.
    pub timezone: String,
    /// What columns hold where no header says it, from left to right, `ignore` for what is not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// What a candle that is not there means. Holes of up to a day are filled where nothing was traded.
    pub empty_candles: EmptyPolicy,
    /// Only these symbols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbols: Option<Vec<String>>,
    /// One market of every symbol, as names and folders say it: spot, usdt-m, coin-m or dated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// One exchange of every symbol, as names and folders say it: binance, okx, kraken and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// Patterns of files and folders that are left out, such as `*-mark.feather` or `futures/*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// The days that count, before the last one: 90d, 26w, or all.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a window"))]
    pub window: String,
    /// Age of a symbol's newest candle from which it is called stale; at least two candles.
    #[serde(deserialize_with = "quantity::text")]
    #[schemars(extend("x-quantity" = "a time"))]
    pub stale_after: String,
}

/// What to do with candles that differ for the same symbol, interval and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum ConflictPolicy {
    /// Stop and name both lines.
    #[default]
    Error,
    /// The later in order of files and lines wins; counted.
    Last,
}

/// What a candle that is not there means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum EmptyPolicy {
    /// It is missing.
    #[default]
    Missing,
    /// Nothing was traded: it holds the last close, without volume.
    Flat,
}

impl From<EmptyPolicy> for EmptyCandles {
    fn from(policy: EmptyPolicy) -> Self {
        match policy {
            EmptyPolicy::Missing => Self::Missing,
            EmptyPolicy::Flat => Self::Flat,
        }
    }
}

/// What to do with a file of which more than 1 % of the rows (and more than three) cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum BadRowsPolicy {
    /// Use nothing of the file.
    #[default]
    Error,
    /// Leave such rows out, as long as they are fewer than half; counted.
    Skip,
}

impl From<BadRowsPolicy> for OnBadRows {
    fn from(policy: BadRowsPolicy) -> Self {
        match policy {
            BadRowsPolicy::Error => Self::Refuse,
            BadRowsPolicy::Skip => Self::Skip,
        }
    }
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            base_interval: Interval::M15.to_string(),
            on_conflict: ConflictPolicy::Error,
            on_bad_rows: BadRowsPolicy::Error,
            timezone: "UTC".to_owned(),
            columns: None,
            empty_candles: EmptyPolicy::Missing,
            symbols: None,
            market: None,
            exchange: None,
            exclude: Vec::new(),
            window: "365d".to_owned(),
            stale_after: "2d".to_owned(),
        }
    }
}

impl DataConfig {
    pub(super) fn interval(&self) -> Result<Interval, ConfigError> {
        let text = &self.base_interval;
        let base = text.parse().ok().and_then(Timeframes::of).map(|timeframes| timeframes.base);
        base.ok_or_else(|| {
            let bases = Timeframes::bases();
            let why =
                "finer candles are put together to it, and no candle is longer than a day, the unit of a run";
            value_error("data.base_interval", &format!("{bases} ({why})"), text)
        })
    }

    pub(super) fn reading(&self) -> Result<ReadingOptions, ConfigError> {
        let zone = self.timezone.as_str();
        let timezone = match zone {
            "UTC" => None,
            _ => Some(TimeZone::get(zone).map_err(|_| value_error("data.timezone", ZONE, zone))?),
        };
        let columns = self.columns.as_deref().map(StatedColumns::parse).transpose();
        let columns = columns.map_err(|problem| {
            value_error("data.columns", "a name for every column, from left to right", problem)
        })?;
        let (on_bad_rows, empty_candles) = (self.on_bad_rows.into(), self.empty_candles.into());
        Ok(ReadingOptions { on_bad_rows, timezone, columns, empty_candles, signals_timeframe: None })
    }

    pub(super) fn symbols(&self) -> Result<Option<Vec<Symbol>>, ConfigError> {
        let parse = |name: &String| {
            Symbol::parse(name).ok_or_else(|| value_error("data.symbols", "a symbol such as BTCUSDT", name))
        };
        self.symbols.as_ref().map(|names| names.iter().map(parse).collect()).transpose()
    }

    pub(super) fn selection(&self) -> Result<Selection, ConfigError> {
        let market = self.market.as_ref().map(|name| {
            let market = name.parse::<MarketKind>();
            market.map_err(|_| value_error("data.market", "spot, usdt-m, coin-m or dated", name))
        });
        let pattern = |text: &String| {
            let expected = "patterns of names such as \"*-mark.feather\" or \"futures/*\"";
            text.parse::<Glob>().map_err(|_| value_error("data.exclude", expected, text))
        };
        let exclude = self.exclude.iter().map(pattern).collect::<Result<_, _>>()?;
        let exchange = self.exchange.as_ref().map(|name| {
            let is_name = !name.is_empty() && name.len() <= 64 && !name.contains(['/', '\\']);
            let expected = "the name of an exchange such as \"binance\", as files or their folders have it";
            is_name.then(|| name.clone()).ok_or_else(|| value_error("data.exchange", expected, name))
        });
        Ok(Selection { market: market.transpose()?, exchange: exchange.transpose()?, exclude })
    }

    /// Returns the days before the last one that count; `None` for all.
    pub(super) fn window_days(&self) -> Result<Option<i32>, ConfigError> {
        let window = quantity::window(&self.window);
        let window = window.ok_or_else(|| value_error("data.window", quantity::WINDOW, &self.window))?;
        Ok(window.days())
    }

    pub(super) fn stale_after_ms(&self) -> Result<i64, ConfigError> {
        let text = &self.stale_after;
        let time = quantity::duration(text).filter(|time| (1..=STALE_AFTER_MAX_S).contains(&time.as_secs()));
        let time = time.ok_or_else(|| {
            value_error("data.stale_after", "a time such as 36h or 2d, of at most 3650d", text)
        })?;
        Ok(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }
}
