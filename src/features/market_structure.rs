//! Swing highs and lows of a window, and where the price stands between them.
//!
//! Exists for parity: these are the ten `mkt_struct_*` columns of the legacy snapshots, and two of them are
//! filter dimensions. A swing needs two candles on either side, so the last two candles of a window can never
//! be one: nothing is repainted. Invariant: every field of valid candles is finite.

use super::kline_context::percent_of;
use super::rounding::round_decimals;
use crate::model::{Bars, Interval};

/// Candles on either side that a swing must reach over.
const SWING_WING: usize = 2;
/// The fewest candles that have a structure.
const BARS_MIN: usize = 10;
/// Candles of the range that the position is measured in.
const RANGE_BARS: usize = 20;

/// How the last two swing highs and the last two swing lows stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SwingStructure {
    /// Higher highs and higher lows.
    HigherHighs,
    /// Lower lows and lower highs.
    LowerLows,
    /// Two of each, but not both rising or both falling.
    Choppy,
    /// Fewer than two swing highs or two swing lows.
    Unknown,
}

impl SwingStructure {
    /// Returns the legacy label: `HH-HL`, `LL-LH`, `choppy` or `unknown`.
    pub fn label(self) -> &'static str {
        match self {
            Self::HigherHighs => "HH-HL",
            Self::LowerLows => "LL-LH",
            Self::Choppy => "choppy",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the structure of a legacy label; anything else (the legacy writers leave it empty) is `None`.
    pub fn parse(label: &str) -> Option<Self> {
        [Self::HigherHighs, Self::LowerLows, Self::Choppy, Self::Unknown]
            .into_iter()
            .find(|structure| structure.label() == label)
    }

    /// Returns whether the swings trend, in either direction: what the legacy value `trend_only` lets through.
    pub fn is_trend(self) -> bool {
        matches!(self, Self::HigherHighs | Self::LowerLows)
    }

    /// Returns the strength the legacy system attaches to a structure.
    pub fn trend_strength(self) -> TrendStrength {
        match self {
            Self::HigherHighs => TrendStrength::StrongBullish,
            Self::LowerLows => TrendStrength::StrongBearish,
            Self::Choppy | Self::Unknown => TrendStrength::Weak,
        }
    }
}

/// The strength of the swing trend; a function of the structure alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrendStrength {
    /// Higher highs and higher lows.
    StrongBullish,
    /// Lower lows and lower highs.
    StrongBearish,
    /// Anything else.
    Weak,
}

/// The swing structure of a window and the price's place in it.
///
/// Units:     prices in quote currency, `_pct` in percent, ages since the last swing of either kind
/// Source:    legacy columns `mkt_struct_*`, in their order
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarketStructure {
    /// What the last two swings of each kind say.
    pub swing: SwingStructure,
    /// The same as a strength.
    pub trend_strength: TrendStrength,
    /// Candles since the last swing; 0 if the window has none, else at least 2.
    pub age_bars: u32,
    /// The same in hours; see [`age_in_hours`].
    pub age_hours: f64,
    /// Close of the last swing's candle to the last close, two decimals; 0 without a swing.
    pub move_pct: f64,
    /// The last swing high (the legacy column says 0 if there is none).
    pub last_high: Option<f64>,
    /// The last swing low (the legacy column says 0 if there is none).
    pub last_low: Option<f64>,
    /// Where the close stands in the last 20 candles' range, in [0, 1], two decimals; 0.5 in a flat range.
    pub position_in_range: f64,
    /// Close to the high of that range, two decimals.
    pub distance_high_pct: f64,
    /// Low of that range to the close, two decimals.
    pub distance_low_pct: f64,
}

/// Returns the structure of a window, or `None` if it has fewer than ten candles.
///
/// Shape:     `candles[n]` -> one value over the whole window; the legacy writers give at least 20 candles
/// Units:     ages in hours follow the window's interval
/// Causality: a swing at i is known from i + 2 on and only candles of the window are read
/// Cost:      O(n) time, from the end until two swings of each kind are found; no allocation
/// Source:    legacy `analyze_market_structure`; missing candles are not noticed: age counts candles
pub fn market_structure(bars: Bars<'_>) -> Option<MarketStructure> {
    let n = bars.len();
    if n < BARS_MIN {
        return None;
    }
    let highs = last_two(n, |i, j| bars.high[i] >= bars.high[j]);
    let lows = last_two(n, |i, j| bars.low[i] <= bars.low[j]);
    let swing =
        structure_of_swings(highs.map(|i| i.map(|i| bars.high[i])), lows.map(|i| i.map(|i| bars.low[i])));
    let last_swing = highs[0].max(lows[0]);
    let age = last_swing.map_or(0, |i| n - 1 - i);
    let close = bars.close[n - 1];
    let range = bars.slice(n - RANGE_BARS.min(n)..n);
    let top = range.high.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let bottom = range.low.iter().copied().fold(f64::INFINITY, f64::min);
    Some(MarketStructure {
        swing,
        trend_strength: swing.trend_strength(),
        age_bars: age as u32,
        age_hours: age_in_hours(age, bars.interval),
        move_pct: last_swing
            .map_or(0.0, |i| round_decimals(percent_of(close - bars.close[i], bars.close[i]), 2)),
        last_high: highs[0].map(|i| bars.high[i]),
        last_low: lows[0].map(|i| bars.low[i]),
        position_in_range: position_between(close, bottom, top),
        distance_high_pct: round_decimals(percent_of(top - close, close), 2),
        distance_low_pct: round_decimals(percent_of(close - bottom, close), 2),
    })
}

/// Returns the length of so many candles in hours, one decimal (0.25 becomes 0.2, 0.75 becomes 0.8); two below 5m, where one
/// would make them all the same.
pub fn age_in_hours(bars: usize, interval: Interval) -> f64 {
    let decimals = if interval < Interval::from_minutes(5) { 2 } else { 1 };
    round_decimals(bars as f64 * interval.hours(), decimals)
}

/// Returns the indices of the last two swings, latest first: candles that hold against both wings, ties included.
fn last_two(n: usize, holds: impl Fn(usize, usize) -> bool) -> [Option<usize>; 2] {
    let is_swing = |i: &usize| (1..=SWING_WING).all(|wing| holds(*i, *i - wing) && holds(*i, *i + wing));
    let mut swings = (SWING_WING..n.saturating_sub(SWING_WING)).rev().filter(is_swing);
    [swings.next(), swings.next()]
}

/// Returns what two swing highs and two swing lows say, latest first.
fn structure_of_swings(highs: [Option<f64>; 2], lows: [Option<f64>; 2]) -> SwingStructure {
    let ([Some(high), Some(high_before)], [Some(low), Some(low_before)]) = (highs, lows) else {
        return SwingStructure::Unknown;
    };
    if high > high_before && low > low_before {
        SwingStructure::HigherHighs
    } else if high < high_before && low < low_before {
        SwingStructure::LowerLows
    } else {
        SwingStructure::Choppy
    }
}

/// Returns where a price stands between two others, two decimals, 0.5 where they meet.
fn position_between(price: f64, bottom: f64, top: f64) -> f64 {
    if top > bottom { round_decimals((price - bottom) / (top - bottom), 2) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, Interval};

    fn series(prices: &[f64]) -> CandleSeries {
        let candle = |(i, price): (usize, &f64)| Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: *price,
            high: price + 1.0,
            low: price - 1.0,
            close: *price,
            volume: 1.0,
        };
        prices.iter().enumerate().map(candle).collect()
    }

    #[test]
    fn rising_zigzag_has_higher_highs() {
        let prices: Vec<f64> =
            (0..40).map(|i| 100.0 + i as f64 + [0.0, 4.0, 8.0, 4.0, 0.0, -4.0][i % 6]).collect();
        let found = market_structure(series(&prices).bars()).unwrap();
        assert_eq!(found.swing, SwingStructure::HigherHighs);
        assert_eq!(found.trend_strength, TrendStrength::StrongBullish);
        assert!(found.age_bars >= 2);
    }

    #[test]
    fn a_straight_line_has_no_swing() {
        let prices: Vec<f64> = (0..12).map(|i| 100.0 + i as f64).collect();
        let found = market_structure(series(&prices).bars()).unwrap();
        assert_eq!((found.swing, found.age_bars, found.move_pct), (SwingStructure::Unknown, 0, 0.0));
        assert_eq!((found.last_high, found.last_low), (None, None));
        assert_eq!(market_structure(series(&prices[..9]).bars()), None);
    }

    #[test]
    fn labels_parse_back() {
        for label in ["HH-HL", "LL-LH", "choppy", "unknown"] {
            assert_eq!(SwingStructure::parse(label).map(SwingStructure::label), Some(label));
        }
        assert_eq!(SwingStructure::parse(""), None);
    }
}
