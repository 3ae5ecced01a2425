//! Binance: spot and futures margined in USDT, by its interface and its published archives.

use std::ops::Range;

use serde_json::Value;
use ureq::http::HeaderMap;

use super::exchange::{Exchange, GivenRow};
use super::plan::{Market, Part, Source, Ticker};
use crate::model::Interval;

const INTERVALS: [&str; 12] = ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d"];

/// Binance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binance;

impl Exchange for Binance {
    fn intervals(&self) -> &'static [&'static str] {
        &INTERVALS
    }

    fn base_url(&self, market: Market, source: Source) -> &'static str {
        match (source, market) {
            (Source::Archive, _) => "https://data.binance.vision",
            (Source::Rest, Market::Spot) => "https://api.binance.com",
            (Source::Rest, Market::UsdtM) => "https://fapi.binance.com",
        }
    }

    fn rows_max(&self, market: Market) -> usize {
        match market {
            Market::Spot => 1_000,
            Market::UsdtM => 1_500,
        }
    }

    fn weight_per_minute(&self, market: Market) -> u64 {
        match market {
            Market::Spot => 6_000,
            Market::UsdtM => 2_400,
        }
    }

    fn used_weight(&self, headers: &HeaderMap) -> Option<u64> {
        headers.get("x-mbx-used-weight-1m")?.to_str().ok()?.trim().parse().ok()
    }

    fn candles_path(&self, market: Market, ticker: &Ticker, interval: Interval, span: &Range<i64>) -> String {
        let path = match market {
            Market::Spot => "api/v3/klines",
            Market::UsdtM => "fapi/v1/klines",
        };
        let (first_ms, last_ms, limit) = (span.start, span.end - 1, self.rows_max(market));
        format!(
            "{path}?symbol={ticker}&interval={interval}&startTime={first_ms}&endTime={last_ms}&limit={limit}"
        )
    }

    fn rows(&self, body: &[u8]) -> serde_json::Result<Vec<Value>> {
        serde_json::from_slice(body)
    }

    fn row<'a>(&self, row: &'a Value) -> GivenRow<'a> {
        let cells = row.as_array().map_or(&[][..], Vec::as_slice);
        let time = |index: usize| cells.get(index).and_then(Value::as_i64);
        let numbers = cells.get(1..6).unwrap_or_default();
        GivenRow { columns: cells.len(), open_ms: time(0), close_ms: time(6), numbers }
    }

    fn message(&self, body: &Value) -> Option<String> {
        let message = body.get("msg")?.as_str()?;
        Some(body.get("code").map_or_else(|| message.to_owned(), |code| format!("{message} (code {code})")))
    }

    fn archive_path(&self, market: Market, ticker: &Ticker, interval: Interval, part: Part) -> String {
        let folder = match market {
            Market::Spot => "data/spot",
            Market::UsdtM => "data/futures/um",
        };
        let period = if let Part::Month(_) = part { "monthly" } else { "daily" };
        let name = part.name(ticker, interval);
        format!("{folder}/{period}/klines/{ticker}/{interval}/{name}")
    }
}
