//! Candles: one at a time where they are parsed, as columns where they are computed on.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::time::{Day, Interval};

/// One candle. Prices in quote currency, volume in base currency, open time in UTC milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Candle {
    pub open_time: i64,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
}

/// Why a candle cannot be.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum CandleError {
    /// A price or the volume is NaN or infinite.
    #[error("a value is not a finite number")]
    NotFinite,
    /// A price is zero or negative.
    #[error("a price is zero or negative")]
    NotPositive,
    /// The volume is negative.
    #[error("the volume is negative")]
    NegativeVolume,
    /// The high is below the open, close or low.
    #[error("the high is below another price of the candle")]
    HighTooLow,
    /// The low is above the open or close.
    #[error("the low is above another price of the candle")]
    LowTooHigh,
}

impl Candle {
    /// Checks that the candle can be: finite, prices positive, low <= open, close <= high.
    pub fn check(&self) -> Result<(), CandleError> {
        let prices = [self.open, self.high, self.low, self.close];
        if !prices.iter().chain([&self.volume]).all(|v| v.is_finite()) {
            return Err(CandleError::NotFinite);
        }
        if prices.iter().any(|p| *p <= 0.0) {
            return Err(CandleError::NotPositive);
        }
        if self.volume < 0.0 {
            return Err(CandleError::NegativeVolume);
        }
        if prices.iter().any(|p| *p > self.high) {
            return Err(CandleError::HighTooLow);
        }
        if prices.iter().any(|p| *p < self.low) {
            return Err(CandleError::LowTooHigh);
        }
        Ok(())
    }
}

/// The candles of one symbol at one interval, as columns.
///
/// Invariant: open times are multiples of the interval, strictly ascending; every candle passes
/// [`Candle::check`]. Missing candles are simply absent: nothing is filled.
#[derive(Debug, Clone, PartialEq)]
pub struct CandleSeries {
    interval: Interval,
    open_time: Vec<i64>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

impl CandleSeries {
    /// Returns a series without candles.
    pub fn new(interval: Interval) -> Self {
        let empty = Vec::new;
        Self {
            interval,
            open_time: Vec::new(),
            open: empty(),
            high: empty(),
            low: empty(),
            close: empty(),
            volume: empty(),
        }
    }

    /// Appends a candle.
    ///
    /// Panics if it breaks the series' invariant: callers order, align and check candles first.
    pub fn push(&mut self, candle: Candle) {
        assert!(
            candle.open_time.rem_euclid(self.interval.ms()) == 0,
            "candles are aligned to their interval"
        );
        assert!(self.open_time.last().is_none_or(|last| *last < candle.open_time), "candles ascend in time");
        debug_assert_eq!(candle.check(), Ok(()));
        self.open_time.push(candle.open_time);
        self.open.push(candle.open);
        self.high.push(candle.high);
        self.low.push(candle.low);
        self.close.push(candle.close);
        self.volume.push(candle.volume);
    }

    /// Gives up the candles that open before an instant, and their memory.
    pub fn forget_before(&mut self, open_ms: i64) {
        let end = self.bars().index_at(open_ms);
        let columns = [&mut self.open, &mut self.high, &mut self.low, &mut self.close, &mut self.volume];
        for column in columns {
            column.drain(..end);
            column.shrink_to_fit();
        }
        self.open_time.drain(..end);
        self.open_time.shrink_to_fit();
    }

    /// Returns the interval of the candles.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// Returns all candles as columns.
    pub fn bars(&self) -> Bars<'_> {
        Bars {
            interval: self.interval,
            open_time: &self.open_time,
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            volume: &self.volume,
        }
    }

    /// Returns whether there are no candles.
    pub fn is_empty(&self) -> bool {
        self.open_time.is_empty()
    }
}

impl FromIterator<Candle> for CandleSeries {
    /// Collects ascending candles; the interval is that between the first two (15 minutes for fewer).
    fn from_iter<T: IntoIterator<Item = Candle>>(candles: T) -> Self {
        let candles: Vec<Candle> = candles.into_iter().collect();
        let interval = match candles.as_slice() {
            [a, b, ..] => {
                Interval::from_minutes(((b.open_time - a.open_time) / super::time::MINUTE_MS) as u32)
            }
            _ => Interval::M15,
        };
        let mut series = Self::new(interval);
        candles.into_iter().for_each(|candle| series.push(candle));
        series
    }
}

/// A view of consecutive candles as columns of equal length; the invariant of [`CandleSeries`] holds.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it; units as in `Candle`")]
pub struct Bars<'a> {
    pub interval: Interval,
    pub open_time: &'a [i64],
    pub open: &'a [f64],
    pub high: &'a [f64],
    pub low: &'a [f64],
    pub close: &'a [f64],
    pub volume: &'a [f64],
}

impl<'a> Bars<'a> {
    /// Returns the number of candles.
    pub fn len(&self) -> usize {
        self.open_time.len()
    }

    /// Returns whether there are no candles.
    pub fn is_empty(&self) -> bool {
        self.open_time.is_empty()
    }

    /// Returns the candles of an index range.
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> Bars<'a> {
        Bars {
            interval: self.interval,
            open_time: &self.open_time[range.clone()],
            open: &self.open[range.clone()],
            high: &self.high[range.clone()],
            low: &self.low[range.clone()],
            close: &self.close[range.clone()],
            volume: &self.volume[range],
        }
    }

    /// Returns the candle at an index.
    pub fn get(&self, index: usize) -> Candle {
        Candle {
            open_time: self.open_time[index],
            open: self.open[index],
            high: self.high[index],
            low: self.low[index],
            close: self.close[index],
            volume: self.volume[index],
        }
    }

    /// Returns the index of the first candle that opens at or after an instant.
    pub fn index_at(&self, time_ms: i64) -> usize {
        self.open_time.partition_point(|t| *t < time_ms)
    }

    /// Returns the index range of the candles that open within a UTC day.
    pub fn day_range(&self, day: Day) -> Range<usize> {
        self.index_at(day.start_ms())..self.index_at(day.end_ms())
    }

    /// Returns whether the candles of an index range follow each other without a gap.
    pub fn is_contiguous(&self, range: Range<usize>) -> bool {
        if range.is_empty() {
            return true;
        }
        let span = self.open_time[range.end - 1] - self.open_time[range.start];
        span == (range.len() as i64 - 1) * self.interval.ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(open_time: i64) -> Candle {
        Candle { open_time, open: 1.0, high: 2.0, low: 0.5, close: 1.5, volume: 3.0 }
    }

    #[test]
    fn impossible_candles_are_told_apart() {
        assert_eq!(candle(0).check(), Ok(()));
        assert_eq!(Candle { high: f64::NAN, ..candle(0) }.check(), Err(CandleError::NotFinite));
        assert_eq!(Candle { low: 0.0, ..candle(0) }.check(), Err(CandleError::NotPositive));
        assert_eq!(Candle { high: 0.9, ..candle(0) }.check(), Err(CandleError::HighTooLow));
        assert_eq!(Candle { low: 1.2, ..candle(0) }.check(), Err(CandleError::LowTooHigh));
        assert_eq!(Candle { volume: -1.0, ..candle(0) }.check(), Err(CandleError::NegativeVolume));
    }

    #[test]
    fn a_missing_candle_breaks_contiguity() {
        let step = Interval::M15.ms();
        let series: CandleSeries = [0, 1, 3, 4].map(|i| candle(i * step)).into_iter().collect();
        assert!(series.bars().is_contiguous(0..2));
        assert!(!series.bars().is_contiguous(0..4));
        assert!(series.bars().is_contiguous(2..4));
        assert_eq!(series.bars().day_range(Day(0)), 0..4);
    }
}
