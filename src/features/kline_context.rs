//! The shape of the last few candles: bodies, ranges, colours, drift.
//!
//! Exists for parity: these are the twelve `kline_ctx_*` columns of the legacy snapshots (and the mean volume,
//! which they leave out), and two of them are filter dimensions. Invariant: every field of a context of valid
//! candles is finite.

use super::rounding::round_decimals;
use crate::model::Bars;

/// How many candles, counted from the end, the drift flags look back over.
const DRIFT_BARS: usize = 5;

/// What the last few candles look like.
///
/// Units:     prices in quote currency, volume in base currency, `_pct` in percent
/// Source:    legacy columns `kline_ctx_*`, in their order
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KlineContext {
    /// Candles in the window (2..=count).
    pub count: u32,
    /// The highest high.
    pub highest: f64,
    /// The lowest low.
    pub lowest: f64,
    /// The mean of |close - open|.
    pub avg_body: f64,
    /// The mean of high - low.
    pub avg_range: f64,
    /// The mean volume (no legacy column).
    pub avg_volume: f64,
    /// Candles that closed above their open.
    pub bullish_count: u32,
    /// All others: a candle that closed at its open is bearish.
    pub bearish_count: u32,
    /// `bullish_count / count`, in [0, 1].
    pub bullish_ratio: f64,
    /// First close to last close, two decimals.
    pub price_change_pct: f64,
    /// The last close is above the first and above the fifth from the end; false with fewer than five candles.
    pub is_up: bool,
    /// The last close is below both.
    pub is_down: bool,
    /// (highest - lowest) / lowest, not rounded.
    pub volatility_pct: f64,
}

/// Returns the context of the last candles, or `None` if there are fewer than two.
///
/// Shape:     `candles[n]`, count in candles -> one value over the last min(count, n)
/// Causality: reads the last `count` candles of the window only
/// Cost:      O(count) time, no allocation
/// Source:    legacy `get_kline_context`
pub fn kline_context(bars: Bars<'_>, count: usize) -> Option<KlineContext> {
    let window = bars.slice(bars.len() - count.min(bars.len())..bars.len());
    let n = window.len();
    if n < 2 {
        return None;
    }
    let length = n as f64;
    let highest = window.high.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = window.low.iter().copied().fold(f64::INFINITY, f64::min);
    let bullish = window.close.iter().zip(window.open).filter(|(close, open)| close > open).count();
    let (first, last) = (window.close[0], window.close[n - 1]);
    let (is_up, is_down) = closes_drift(window.close);
    Some(KlineContext {
        count: n as u32,
        highest,
        lowest,
        avg_body: total_of_columns(window.close, window.open, |close, open| (close - open).abs()) / length,
        avg_range: total_of_columns(window.high, window.low, |high, low| high - low) / length,
        avg_volume: window.volume.iter().sum::<f64>() / length,
        bullish_count: bullish as u32,
        bearish_count: (n - bullish) as u32,
        bullish_ratio: bullish as f64 / length,
        price_change_pct: round_decimals(percent_of(last - first, first), 2),
        is_up,
        is_down,
        volatility_pct: percent_of(highest - lowest, lowest),
    })
}

/// Returns `part / whole` in percent, 0 where there is no positive whole.
pub(super) fn percent_of(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole * 100.0 } else { 0.0 }
}

/// Returns the sum of a function of two columns, oldest candle first.
fn total_of_columns(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    a.iter().zip(b).map(|(a, b)| f(*a, *b)).sum()
}

/// Returns whether the closes drift up and whether they drift down.
fn closes_drift(close: &[f64]) -> (bool, bool) {
    let n = close.len();
    if n < DRIFT_BARS {
        return (false, false);
    }
    let (last, first, recent) = (close[n - 1], close[0], close[n - DRIFT_BARS]);
    (last > first && last > recent, last < first && last < recent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, Interval};

    fn series(closes: &[f64]) -> CandleSeries {
        let candle = |(i, close): (usize, &f64)| Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: 10.0,
            high: close.max(10.0) + 1.0,
            low: close.min(10.0) - 1.0,
            close: *close,
            volume: 2.0,
        };
        closes.iter().enumerate().map(candle).collect()
    }

    #[test]
    fn a_doji_is_bearish_and_four_candles_have_no_drift() {
        let series = series(&[10.0, 11.0, 12.0, 13.0]);
        let context = kline_context(series.bars(), 10).unwrap();
        assert_eq!((context.bullish_count, context.bearish_count), (3, 1));
        assert!(!context.is_up && !context.is_down);
        assert_eq!(context.price_change_pct, 30.0);
        assert_eq!(kline_context(series.bars(), 1), None);
    }

    #[test]
    fn drift_needs_both_the_first_and_the_fifth_last_close() {
        let up = kline_context(series(&[10.0, 9.0, 9.5, 9.0, 9.2, 12.0]).bars(), 10).unwrap();
        assert!(up.is_up && !up.is_down);
        let mixed = kline_context(series(&[13.0, 9.0, 9.5, 9.0, 9.2, 12.0]).bars(), 10).unwrap();
        assert!(!mixed.is_up && !mixed.is_down);
    }
}
