//! What `fetch` did, symbol by symbol.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use crate::fetch::{FetchError, Fetched, FetchedSymbol, Request};
use crate::model::{Interval, rfc3339};

/// The result of `fetch`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FetchDocument {
    /// `spot` or `usdt-m`.
    pub market: String,
    /// `rest` or `archive`.
    pub source: String,
    /// The interval of the candles.
    pub interval: String,
    /// First open time asked for; RFC 3339.
    pub since: String,
    /// First open time not asked for; RFC 3339.
    pub until: String,
    /// The folder of the market's files.
    pub folder: String,
    /// Requests made.
    pub requests: u64,
    /// Whether nothing that was asked for is missing.
    pub complete: bool,
    /// One entry per symbol that was begun.
    pub symbols: Vec<FetchedPart>,
    /// Why the rest was not begun; null if nothing stopped it.
    pub error: Option<String>,
}

impl Document for FetchDocument {
    const KIND: &'static str = "fetch";
}

/// What came of one symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FetchedPart {
    /// The symbol as the exchange writes it.
    pub symbol: String,
    /// New candles in its file.
    pub candles_new: u64,
    /// New archives.
    pub archives_new: Vec<String>,
    /// Archives that are not published (yet).
    pub not_published: Vec<String>,
    /// Rows of the exchange that cannot be used; left out.
    pub refused: u64,
    /// What is odd about rows, by kind.
    pub odd_rows: Vec<OddRowsPart>,
    /// Missing candles of which the exchange gave no sound row before: asked for again for a week, then no more.
    pub refused_before: u64,
    /// Candles that are not there.
    pub missing: u64,
    /// Open time of the first of them; RFC 3339.
    pub first_missing: Option<String>,
    /// Why it is not complete; null if nothing failed.
    pub error: Option<String>,
}

/// Rows that are not as they should be.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OddRowsPart {
    /// `unreadable`, `not_asked_for`, `off_grid`, `close_time`, `impossible_candle`, `contradictory`: left out; `repeated`: kept once;
    /// `out_of_order`: put in its place.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// What was expected and found at the first.
    pub first: String,
}

impl FetchedPart {
    fn new(symbol: &FetchedSymbol, interval: Interval) -> Self {
        let candles = |span: &Range<i64>| ((span.end - span.start) / interval.ms()).unsigned_abs();
        Self {
            symbol: symbol.ticker.to_string(),
            candles_new: symbol.candles,
            archives_new: symbol.archives.clone(),
            not_published: symbol.not_published.clone(),
            refused: symbol.refused,
            odd_rows: symbol
                .odd
                .iter()
                .map(|odd| OddRowsPart {
                    kind: odd.kind.to_owned(),
                    count: odd.count,
                    first: odd.first.clone(),
                })
                .collect(),
            refused_before: symbol.refused_before,
            missing: symbol.missing.iter().map(candles).sum(),
            first_missing: symbol.missing.first().map(|span| rfc3339(span.start)),
            error: symbol.error.as_ref().map(FetchError::to_string),
        }
    }
}

impl FetchDocument {
    /// Returns the document of what came of a request.
    pub fn new(request: &Request, fetched: &Fetched) -> Self {
        let symbols: Vec<FetchedPart> =
            fetched.symbols.iter().map(|symbol| FetchedPart::new(symbol, request.interval)).collect();
        Self {
            market: request.market.as_str().to_owned(),
            source: request.source.as_str().to_owned(),
            interval: request.interval.to_string(),
            since: rfc3339(fetched.span.start),
            until: rfc3339(fetched.span.end),
            folder: request.out.join(request.market.as_str()).display().to_string(),
            requests: fetched.requests,
            complete: symbols.len() == request.tickers.len() && symbols.iter().all(|part| part.missing == 0),
            symbols,
            error: fetched.error.as_ref().map(FetchError::to_string),
        }
    }
}
