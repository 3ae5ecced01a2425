//! One- and two-candle patterns, and the break of a range.

use crate::model::{Bars, Direction};

/// Candles whose extremes a breakout must pass; the current candle is not among them (D44).
pub const BREAKOUT_WINDOW: usize = 20;

/// Patterns at one closed candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Patterns {
    /// One wick longer than two bodies, the other shorter than half a body of the wick's candle: its direction.
    pub pin_bar: Option<Direction>,
    /// A body that covers the opposite body before it: its direction.
    pub engulfing: Option<Direction>,
    /// A close beyond the extremes of the 20 candles before: its direction.
    pub breakout: Option<Direction>,
}

impl Patterns {
    /// Returns the direction of a reversal pattern; a pin bar and an engulfing candle that disagree cancel out.
    pub fn reversal(&self) -> Option<Direction> {
        match (self.pin_bar, self.engulfing) {
            (Some(a), Some(b)) if a != b => None,
            (a, b) => a.or(b),
        }
    }
}

/// Returns the patterns at the last candle.
///
/// Shape:     `bars[n]`, n >= 21
/// Causality: reads the last 21 closed candles
pub fn patterns_at(bars: Bars<'_>) -> Patterns {
    let t = bars.len() - 1;
    let now = bars.get(t);
    let before = bars.get(t - 1);
    let body = (now.close - now.open).abs();
    let upper = now.high - now.open.max(now.close);
    let lower = now.open.min(now.close) - now.low;
    let pin_bar = match now.high > now.low {
        true if lower > 2.0 * body && lower > 2.0 * upper => Some(Direction::Long),
        true if upper > 2.0 * body && upper > 2.0 * lower => Some(Direction::Short),
        _ => None,
    };
    let covers = body > (before.close - before.open).abs();
    let engulfing = match covers && before.close != before.open {
        true if before.close < before.open && now.close > before.open && now.open <= before.close => {
            Some(Direction::Long)
        }
        true if before.close > before.open && now.close < before.open && now.open >= before.close => {
            Some(Direction::Short)
        }
        _ => None,
    };
    let past = bars.slice(t - BREAKOUT_WINDOW..t);
    let breakout = if past.high.iter().all(|high| now.close > *high) {
        Some(Direction::Long)
    } else if past.low.iter().all(|low| now.close < *low) {
        Some(Direction::Short)
    } else {
        None
    };
    Patterns { pin_bar, engulfing, breakout }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, Interval};

    fn ending_with(last: [(f64, f64, f64, f64); 2]) -> Patterns {
        let flat = (10.0, 11.0, 9.0, 10.1);
        let series: CandleSeries = std::iter::repeat_n(flat, 25)
            .chain(last)
            .enumerate()
            .map(|(i, (open, high, low, close))| Candle {
                open_time: i as i64 * Interval::M15.ms(),
                open,
                high,
                low,
                close,
                volume: 1.0,
            })
            .collect();
        patterns_at(series.bars())
    }

    #[test]
    fn each_pattern_is_seen_on_its_side() {
        let hammer = ending_with([(10.0, 11.0, 9.0, 10.1), (10.0, 10.2, 9.0, 10.1)]);
        assert_eq!(hammer.pin_bar, Some(Direction::Long));
        let engulfing = ending_with([(10.4, 10.5, 9.9, 10.0), (10.0, 10.8, 9.9, 10.7)]);
        assert_eq!(engulfing.engulfing, Some(Direction::Long));
        let down = ending_with([(10.0, 10.5, 9.9, 10.4), (10.4, 10.5, 9.5, 9.6)]);
        assert_eq!((down.engulfing, down.breakout), (Some(Direction::Short), None));
        let out = ending_with([(10.0, 11.0, 9.0, 10.1), (10.1, 11.6, 10.0, 11.5)]);
        assert_eq!(out.breakout, Some(Direction::Long));
    }
}
