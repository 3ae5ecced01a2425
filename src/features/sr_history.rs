//! How often a level was tested within a window, and what the price did then.
//!
//! Exists for parity: these are the `resist_hist_*` and `support_hist_*` columns of the legacy snapshots; the
//! number of tests is a filter dimension. Invariant: a history has at least one test; no test means no history.
//! Not here: finding the levels.

use super::rounding::round_decimals;
use crate::model::Bars;

/// What the legacy columns say for `last_test_ago` when a level was never tested.
pub const LEGACY_NEVER_TESTED: u32 = 999;

/// The side a level is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LevelSide {
    /// A level above: tested by highs.
    Resistance,
    /// A level below: tested by lows.
    Support,
}

/// The tests of one level.
///
/// Units:     reactions are the test candle's close against the level, in percent of the level, two decimals
/// Source:    legacy columns `resist_hist_*` / `support_hist_*`, in their order
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SrHistory {
    /// The side of the level.
    pub side: LevelSide,
    /// Candles that came within the tolerance of the level, or beyond it.
    pub test_count: u32,
    /// Candles since the last test; 0 if the last candle is one.
    pub last_test_ago: u32,
    /// The mean reaction.
    pub avg_reaction_pct: f64,
    /// The strongest reaction away from the level: the lowest at a resistance (max rejection), the highest at
    /// a support (max bounce).
    pub extreme_reaction_pct: f64,
    /// Tests that went beyond the level and closed back on the inside.
    pub false_breaks: u32,
}

/// Returns the tests of a level within a window, or `None` if there was none or the level is not positive.
///
/// Shape:     `candles[n]` -> one value over the whole window; the legacy writers give at least 50 candles
/// Units:     level in quote currency, tolerance in percent of the level
/// Causality: reads candles of the window only
/// Cost:      O(n) time, one pass, no allocation
/// Source:    legacy `analyze_sr_history`
pub fn sr_history(bars: Bars<'_>, level: f64, side: LevelSide, tolerance_pct: f64) -> Option<SrHistory> {
    if level.is_nan() || level <= 0.0 {
        return None;
    }
    match side {
        LevelSide::Resistance => {
            let reach = level * (1.0 - tolerance_pct / 100.0);
            let is_false = |high: f64, close: f64| high > level && close < level;
            collect_history(bars.high, bars.close, level, side, |high| high >= reach, is_false)
        }
        LevelSide::Support => {
            let reach = level * (1.0 + tolerance_pct / 100.0);
            let is_false = |low: f64, close: f64| low < level && close > level;
            collect_history(bars.low, bars.close, level, side, |low| low <= reach, is_false)
        }
    }
}

/// Returns the history over the candles whose extreme passes a test.
fn collect_history(
    extremes: &[f64],
    closes: &[f64],
    level: f64,
    side: LevelSide,
    is_test: impl Fn(f64) -> bool,
    is_false: impl Fn(f64, f64) -> bool,
) -> Option<SrHistory> {
    let (mut tests, mut false_breaks, mut last) = (0u32, 0u32, 0usize);
    let (mut sum, mut lowest, mut highest) = (0.0, f64::INFINITY, f64::NEG_INFINITY);
    for (i, (extreme, close)) in extremes.iter().zip(closes).enumerate() {
        if !is_test(*extreme) {
            continue;
        }
        let reaction = (close - level) / level * 100.0;
        tests += 1;
        false_breaks += u32::from(is_false(*extreme, *close));
        last = i;
        sum += reaction;
        lowest = reaction.min(lowest);
        highest = reaction.max(highest);
    }
    let extreme_reaction = match side {
        LevelSide::Resistance => lowest,
        LevelSide::Support => highest,
    };
    (tests > 0).then(|| SrHistory {
        side,
        test_count: tests,
        last_test_ago: (extremes.len() - 1 - last) as u32,
        avg_reaction_pct: round_decimals(sum / f64::from(tests), 2),
        extreme_reaction_pct: round_decimals(extreme_reaction, 2),
        false_breaks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, Interval};

    fn series(candles: &[(f64, f64, f64)]) -> CandleSeries {
        let candle = |(i, (low, high, close)): (usize, &(f64, f64, f64))| Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: *close,
            high: *high,
            low: *low,
            close: *close,
            volume: 1.0,
        };
        candles.iter().enumerate().map(candle).collect()
    }

    #[test]
    fn a_poke_through_that_closes_back_is_a_false_break() {
        let series =
            series(&[(97.0, 101.0, 99.0), (97.0, 98.0, 97.5), (98.0, 99.6, 98.0), (95.0, 97.0, 96.0)]);
        let found = sr_history(series.bars(), 100.0, LevelSide::Resistance, 0.5).unwrap();
        assert_eq!((found.test_count, found.false_breaks, found.last_test_ago), (2, 1, 1));
        assert_eq!((found.avg_reaction_pct, found.extreme_reaction_pct), (-1.5, -2.0));
    }

    #[test]
    fn no_test_or_no_level_is_no_history() {
        let series = series(&[(97.0, 101.0, 99.0)]);
        for level in [0.0, -1.0, f64::NAN, 200.0] {
            assert_eq!(sr_history(series.bars(), level, LevelSide::Resistance, 0.5), None);
        }
        assert_eq!(sr_history(series.bars().slice(0..0), 1.0, LevelSide::Support, 0.5), None);
    }
}
