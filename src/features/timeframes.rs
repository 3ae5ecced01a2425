//! Trends on the base interval and two higher timeframes (15m, 1h, 4h by default; see [`crate::model::Timeframes`]).
//!
//! Of a higher-timeframe candle only the close is read, which is that of its last base candle: it counts once that has
//! closed, whatever is missing before it, and is left out without it, never filled. A hole longer than 96 base candles (a day
//! of 15m), or a price in another scale, starts the averages anew.

use super::indicators::{Ema, WARM_UP_BARS};
use crate::model::{Bars, Break, Breaks, Interval};

/// The state of a trend, from EMA(20), EMA(50) and the close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trend {
    /// EMA(20) above EMA(50), close at or above EMA(20).
    Bull,
    /// EMA(20) above EMA(50), close below EMA(20).
    BullWeakening,
    /// EMA(20) at or below EMA(50), close below EMA(20).
    Bear,
    /// EMA(20) at or below EMA(50), close at or above EMA(20).
    BearWeakening,
}

impl Trend {
    /// Classifies a close against its averages.
    pub fn of(close: f64, ema_20: f64, ema_50: f64) -> Self {
        match (ema_20 > ema_50, close >= ema_20) {
            (true, true) => Self::Bull,
            (true, false) => Self::BullWeakening,
            (false, false) => Self::Bear,
            (false, true) => Self::BearWeakening,
        }
    }

    /// Returns +1 for a bull trend, -1 for a bear trend, 0 for a weakening one.
    ///
    /// The legacy system counted weakening trends as aligned (D44); here they have no say.
    pub fn vote(self) -> i32 {
        match self {
            Self::Bull => 1,
            Self::Bear => -1,
            Self::BullWeakening | Self::BearWeakening => 0,
        }
    }
}

/// A higher timeframe at one closed base candle; price units.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TimeframeRow {
    pub trend: Trend,
    pub ema_20: f64,
    pub ema_50: f64,
}

/// Higher-timeframe closes: of buckets whose last base candle is there, ascending.
#[derive(Debug, Clone)]
pub struct TimeframeCloses {
    interval: Interval,
    /// The longest hole that averages are carried over: as long as the warm-up of the base interval.
    hole_ms: i64,
    close_time: Vec<i64>,
    close: Vec<f64>,
    /// Close times of the first close on every new scale of the price.
    rescaled: Vec<i64>,
}

/// Higher-timeframe candles before the first row.
pub const TIMEFRAME_WARM_UP_BARS: usize = 50;

impl TimeframeCloses {
    /// Collects the closes of the buckets of an interval, a multiple of the base interval.
    ///
    /// Causality: a bucket's close is that of its last base candle, which nothing before it changes
    /// Cost:      O(n)
    pub fn new(bars: Bars<'_>, breaks: &Breaks, interval: Interval) -> Self {
        assert!(interval.divided_by(bars.interval).is_some(), "a higher timeframe is a multiple of the base");
        let hole_ms = WARM_UP_BARS as i64 * bars.interval.ms();
        let closes = |(_, open): &(usize, &i64)| interval.floor(**open + bars.interval.ms()) > **open;
        let last_parts = bars.open_time.iter().enumerate().filter(closes);
        let (close_time, close): (Vec<i64>, Vec<f64>) =
            last_parts.map(|(at, open)| (open + bars.interval.ms(), bars.close[at])).unzip();
        let rescaled = breaks.iter().filter(|(_, why)| *why == Break::Scale).filter_map(|(at, _)| {
            let next = close_time.partition_point(|time| *time <= bars.open_time[at]);
            close_time.get(next).copied()
        });
        Self { interval, hole_ms, rescaled: rescaled.collect(), close_time, close }
    }

    /// Returns the timeframe's row at every given instant.
    ///
    /// Shape:     from_ms <= `known_at[..]` ascending -> `[len]`
    /// Causality: `out[i]` reads buckets that opened at or after `from_ms` and closed by `known_at[i]`
    /// Errors:    `None` while fewer than 50 candles are known since the start, a hole of over 96 base candles or a new scale, or
    ///            when the last one closed over 96 base candles ago
    pub fn rows(&self, from_ms: i64, known_at: &[i64]) -> Vec<Option<TimeframeRow>> {
        // A bucket of several days that began before is none of the look-back.
        let mut next = self.close_time.partition_point(|t| *t - self.interval.ms() < from_ms);
        let (mut ema_20, mut ema_50, mut seen) = (Ema::new(20), Ema::new(50), 0);
        let mut last: Option<(i64, TimeframeRow)> = None;
        let mut rows = Vec::with_capacity(known_at.len());
        for now in known_at {
            while next < self.close.len() && self.close_time[next] <= *now {
                let close_time = self.close_time[next];
                let hole = last.is_some_and(|(at, _)| close_time - at > self.hole_ms + self.interval.ms());
                if hole || self.rescaled.binary_search(&close_time).is_ok() {
                    (ema_20, ema_50, seen) = (Ema::new(20), Ema::new(50), 0);
                }
                let close = self.close[next];
                let (fast, slow) = (ema_20.push(close), ema_50.push(close));
                seen += 1;
                let row = TimeframeRow { trend: Trend::of(close, fast, slow), ema_20: fast, ema_50: slow };
                last = Some((close_time, row));
                next += 1;
            }
            let fresh = last.filter(|(at, _)| seen >= TIMEFRAME_WARM_UP_BARS && now - at <= self.hole_ms);
            rows.push(fresh.map(|(_, row)| row));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, DAY_MS};

    fn candle(i: i64) -> Candle {
        let close = 100.0 + i as f64 * 0.1;
        Candle { open_time: i * Interval::M15.ms(), open: close, high: close, low: close, close, volume: 1.0 }
    }

    fn closes(series: &CandleSeries, interval: Interval) -> TimeframeCloses {
        TimeframeCloses::new(series.bars(), &Breaks::of(series.bars()), interval)
    }

    #[test]
    fn only_buckets_whose_close_is_known_count() {
        let hour = Interval::from_minutes(60);
        let series: CandleSeries = (0..14).filter(|i| ![5, 11].contains(i)).map(candle).collect();
        let closes = closes(&series, hour);
        assert_eq!(closes.close_time, vec![hour.ms(), 2 * hour.ms()], "the third's last part is missing");
        assert_eq!(closes.close, vec![100.3, 100.7]);
    }

    #[test]
    fn a_price_in_another_scale_starts_anew() {
        let hour = Interval::from_minutes(60);
        let scaled = |i: i64| {
            let scale = if i < 242 { 1.0 } else { 1000.0 };
            let Candle { open, close, high, low, .. } = candle(i);
            Candle {
                open: scale * open,
                close: scale * close,
                high: scale * high,
                low: scale * low,
                ..candle(i)
            }
        };
        let series: CandleSeries = (0..120 * 4).map(scaled).collect();
        let closes = closes(&series, hour);
        let rows = closes.rows(-1, &[60, 61, 109, 110].map(|hours| hours * hour.ms()));
        assert!(rows[0].is_some() && rows[1].is_none() && rows[2].is_none());
        assert!(rows[3].is_some_and(|row| row.ema_50 > 1000.0 * 120.0), "nothing of before is in it");
    }

    #[test]
    fn a_bucket_is_known_when_it_has_closed_and_not_before() {
        let hour = Interval::from_minutes(60);
        let series: CandleSeries = (0..51 * 4).map(candle).collect();
        let closes = closes(&series, hour);
        let before = 50 * hour.ms() - 1;
        let rows = closes.rows(-1, &[before, before + 1]);
        assert!(rows[0].is_none());
        assert_eq!(rows[1].map(|r| r.trend), Some(Trend::Bull));
    }

    #[test]
    fn a_stale_timeframe_is_unknown() {
        let hour = Interval::from_minutes(60);
        let series: CandleSeries = (0..60 * 4).map(candle).collect();
        let closes = closes(&series, hour);
        let end = 60 * hour.ms();
        let rows = closes.rows(-1, &[end, end + DAY_MS, end + DAY_MS + 1]);
        assert!(rows[0].is_some() && rows[1].is_some() && rows[2].is_none());
    }
}
