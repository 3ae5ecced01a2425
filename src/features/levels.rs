//! Support and resistance: the nearest unbroken three-candle swings around the price, and the room between them.

use crate::model::Bars;

/// Candles searched for swings.
pub const LEVEL_WINDOW: usize = 50;

/// The nearest levels at one closed candle; price units, `None` when the window holds none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NearestLevels {
    /// Highest swing low below the close.
    pub support: Option<SwingLevel>,
    /// Lowest swing high above the close.
    pub resistance: Option<SwingLevel>,
}

/// A swing that acts as support or resistance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SwingLevel {
    /// Price of the swing's extreme.
    pub price: f64,
    /// Closed candles since the swing's own, at least 1.
    pub age_bars: usize,
}

/// Returns the nearest support below and resistance above the last close.
///
/// Shape:     `bars[n]`; reads the last 50
/// Causality: a swing needs one closed candle on each side, so the newest swing is one candle old
/// Source:    the live legacy writer (a level never includes the current candle, unlike the exporter: D44);
///            deviation: a swing that a later candle closed beyond is broken and no longer a level
pub fn nearest_levels(bars: Bars<'_>) -> NearestLevels {
    let window = bars.slice(bars.len().saturating_sub(LEVEL_WINDOW)..bars.len());
    let Some(close) = window.close.last().copied() else { return NearestLevels::default() };
    let mut levels = NearestLevels::default();
    let (mut lowest_close, mut highest_close) = (close, close);
    for i in (1..window.len().saturating_sub(1)).rev() {
        let age_bars = window.len() - 1 - i;
        lowest_close = lowest_close.min(window.close[i + 1]);
        highest_close = highest_close.max(window.close[i + 1]);
        let high = window.high[i];
        let nearer = levels.resistance.is_none_or(|best| high < best.price);
        let swing = high >= window.high[i - 1] && high >= window.high[i + 1];
        if swing && high > close && high >= highest_close && nearer {
            levels.resistance = Some(SwingLevel { price: high, age_bars });
        }
        let low = window.low[i];
        let nearer = levels.support.is_none_or(|best| low > best.price);
        let swing = low <= window.low[i - 1] && low <= window.low[i + 1];
        if swing && low < close && low <= lowest_close && nearer {
            levels.support = Some(SwingLevel { price: low, age_bars });
        }
    }
    levels
}

impl NearestLevels {
    /// Returns the level that protects a trade (support for longs, resistance for shorts).
    pub fn behind(&self, long: bool) -> Option<SwingLevel> {
        if long { self.support } else { self.resistance }
    }

    /// Returns the level in the way of a trade.
    pub fn ahead(&self, long: bool) -> Option<SwingLevel> {
        if long { self.resistance } else { self.support }
    }

    /// Returns the distance to the level ahead over the distance to the level behind.
    ///
    /// Units:  ratio in 0..=10; without a level ahead the road counts as 3 ATR, without one behind the risk as
    ///         1.5 ATR; the risk is at least half an ATR
    /// Source: replaces the legacy label heuristic, which took seven values and measured nothing (D48)
    pub fn risk_reward(&self, close: f64, atr: f64, long: bool) -> f64 {
        let reward = self.ahead(long).map_or(3.0 * atr, |level| (level.price - close).abs());
        let risk = self.behind(long).map_or(1.5 * atr, |level| (close - level.price).abs());
        (reward / risk.max(0.5 * atr)).min(10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, Interval};

    fn series(closes: &[f64]) -> CandleSeries {
        let bar = |(i, close): (usize, &f64)| Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: *close,
            high: close + 1.0,
            low: close - 1.0,
            close: *close,
            volume: 1.0,
        };
        closes.iter().enumerate().map(bar).collect()
    }

    #[test]
    fn the_nearest_swings_are_found() {
        let levels = nearest_levels(series(&[10.0, 14.0, 10.0, 6.0, 10.0, 12.0, 10.0, 10.5]).bars());
        let level = |price, age_bars| Some(SwingLevel { price, age_bars });
        assert_eq!(levels, NearestLevels { support: level(9.0, 1), resistance: level(13.0, 2) });
        assert_eq!(levels.risk_reward(10.5, 1.0, true), 2.5 / 1.5);
        assert_eq!(levels.risk_reward(10.5, 1.0, false), 1.5 / 2.5);
    }

    #[test]
    fn a_one_way_market_has_no_level_ahead() {
        let closes: Vec<f64> = (0..60).map(|i| 100.0 + f64::from(i)).collect();
        let levels = nearest_levels(series(&closes).bars());
        assert_eq!(levels.resistance, None);
        assert_eq!(levels.risk_reward(159.0, 2.0, true), 6.0 / 3.0);
    }
}
