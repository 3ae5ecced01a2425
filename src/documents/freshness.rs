//! The age of the candles of a run.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{HOUR_MS, rfc3339};
use crate::run::freshness::{Age, Freshness, SymbolAge};
use crate::run::recall::clock_reason;
use crate::store::records::{FreshnessRecord, SymbolAgeRecord};

/// How old the candles of a run are.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FreshnessPart {
    /// Age from which a symbol is stale (`data.stale_after`, at least two candles), in hours.
    pub stale_after_hours: f64,
    /// `ok`, `behind` or `ahead`.
    pub clock: String,
    /// What speaks against the clock; null where nothing does.
    pub clock_reason: Option<String>,
    /// Symbols that are stale, lag or have vanished.
    pub stale: u64,
    /// Every symbol of the run, and those that vanished.
    pub symbols: Vec<SymbolAgePart>,
}

/// The newest candle of a symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SymbolAgePart {
    /// The symbol.
    pub symbol: String,
    /// When its newest candle closed, RFC 3339; null where there is none.
    pub newest_close: Option<String>,
    /// `fresh`, `stale`, `lagging` (ends long before others) or `vanished` (candles in the last run, none in this).
    pub age: String,
}

impl From<&FreshnessRecord> for FreshnessPart {
    fn from(record: &FreshnessRecord) -> Self {
        let symbol = |record: &SymbolAgeRecord| SymbolAgePart {
            symbol: record.symbol.clone(),
            newest_close: record.newest_close_ms.map(rfc3339),
            age: record.age.clone(),
        };
        let stale = record.symbols.iter().filter(|symbol| symbol.age == Age::Stale.as_str());
        Self {
            stale_after_hours: record.limit_ms as f64 / HOUR_MS as f64,
            clock: record.clock.clone(),
            clock_reason: record.clock_reason.as_ref().map(|reason| clock_reason(reason).to_string()),
            stale: stale.count() as u64,
            symbols: record.symbols.iter().map(symbol).collect(),
        }
    }
}

impl From<&Freshness> for FreshnessPart {
    fn from(freshness: &Freshness) -> Self {
        let symbol = |symbol: &SymbolAge| SymbolAgePart {
            symbol: symbol.symbol.clone(),
            newest_close: symbol.newest_close_ms.map(rfc3339),
            age: symbol.age.as_str().to_owned(),
        };
        Self {
            stale_after_hours: freshness.limit_ms as f64 / HOUR_MS as f64,
            clock: freshness.clock.as_str().to_owned(),
            clock_reason: freshness.clock.reason().map(ToString::to_string),
            stale: freshness.stale() as u64,
            symbols: freshness.symbols.iter().map(symbol).collect(),
        }
    }
}
