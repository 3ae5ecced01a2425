//! What an exchange is to `fetch`: how it is asked, and how its answers are read. A new one is a file and an entry in [`EXCHANGES`].
//!
//! It does not ask, wait or judge what candles can be: that is the same for all of them.

use std::fmt::Debug;
use std::ops::Range;

use serde_json::Value;
use ureq::http::HeaderMap;

use super::binance::Binance;
use super::plan::{Market, Part, Source, Ticker};
use crate::model::Interval;

/// Every exchange; the first is asked where nothing else is said.
pub const EXCHANGES: [&dyn Exchange; 1] = [&Binance];

/// How an exchange is asked and how its answers are read.
pub trait Exchange: Debug + Sync {
    /// Returns the intervals that it has and whose candles are aligned to the epoch.
    fn intervals(&self) -> &'static [&'static str];

    /// Returns where candles are asked for unless told otherwise.
    fn base_url(&self, market: Market, source: Source) -> &'static str;

    /// Returns how many candles one request gives at most.
    fn rows_max(&self, market: Market) -> usize;

    /// Returns what it allows in a minute, in its own weights.
    fn weight_per_minute(&self, market: Market) -> u64;

    /// Returns the weight that was used in this minute, where an answer says so.
    fn used_weight(&self, headers: &HeaderMap) -> Option<u64>;

    /// Returns the path of the candles of a span of open times, below the exchange's address.
    fn candles_path(&self, market: Market, ticker: &Ticker, interval: Interval, span: &Range<i64>) -> String;

    /// Returns the rows in an answer.
    ///
    /// Errors: text that is no list of anything
    fn rows(&self, body: &[u8]) -> serde_json::Result<Vec<Value>>;

    /// Returns what a row says.
    fn row<'a>(&self, row: &'a Value) -> GivenRow<'a>;

    /// Returns what a refusal says, where it is one of its own.
    fn message(&self, body: &Value) -> Option<String>;

    /// Returns the path of a published archive, below the archive's address.
    fn archive_path(&self, market: Market, ticker: &Ticker, interval: Interval, part: Part) -> String;
}

/// A row of an answer, as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenRow<'a> {
    /// How many columns it has.
    pub columns: usize,
    /// When the candle opens; UTC ms.
    pub open_ms: Option<i64>,
    /// The last ms of the candle; UTC ms.
    pub close_ms: Option<i64>,
    /// Open, high, low, close and volume.
    pub numbers: &'a [Value],
}
