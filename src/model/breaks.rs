//! Where candles do not go on: one is missing, or the price begins to be counted in another scale.
//!
//! Whoever reads "the candle before" or "the next candle" by its index asks here first whether it is that.

use super::candle::{Bars, Candle};
use super::time::{DAY_MS, HOUR_MS};

/// Why a candle does not go on from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Break {
    /// Candles are missing between them.
    Gap,
    /// The price is counted in another scale: a redenomination, a contract of 1000 units, another unit of the quote.
    Scale,
}

/// A candle that opens this many times higher or lower than the last close is no move of a market.
///
/// Markets trade from one price to the next: what looks like more in charts happened within a candle. Splits below it cannot be told
/// from moves.
pub const SCALE_JUMP: f64 = 5.0;
/// After holes longer than this a price may be anything.
const SCALE_GAP_MAX_MS: i64 = DAY_MS;
/// How close, in powers of ten, a change within one candle comes to a whole power. Some exchanges write the last close as the next
/// open, so that a new scale begins inside a candle.
const POWER_TOLERANCE: f64 = 0.08;
/// The longest candle in which such a change is looked for: in longer ones markets have moved as much.
const WITHIN_MAX_MS: i64 = HOUR_MS;

/// Returns whether the price is counted in another scale from a candle on: it opens far from the last close, and is calm beside that
/// jump. A market that fell so far does not stand still there.
fn jumps_scale(last_close: f64, now: &Candle) -> bool {
    if now.open < SCALE_JUMP * last_close && last_close < SCALE_JUMP * now.open {
        return false;
    }
    let jump = (now.open / last_close).max(last_close / now.open);
    let range = now.high / now.low;
    range * range < jump
}

/// Returns whether a new scale begins inside a candle.
fn changes_within(candle: &Candle, interval_ms: i64) -> bool {
    if candle.close < SCALE_JUMP * candle.open && candle.open < SCALE_JUMP * candle.close {
        return false;
    }
    let powers = (candle.close / candle.open).log10().abs();
    interval_ms <= WITHIN_MAX_MS && powers >= 0.5 && (powers - powers.round()).abs() <= POWER_TOLERANCE
}

impl<'a> Bars<'a> {
    /// Returns why a candle does not go on from the one before it, `None` where it does. The first has none before it.
    ///
    /// Causality: reads the candle and the one before it
    #[inline]
    pub fn break_at(&self, index: usize) -> Option<Break> {
        let before = index.checked_sub(1)?;
        let step_ms = self.open_time[index] - self.open_time[before];
        let (last, now) = (self.close[before], self.open[index]);
        let calm = |open: f64, close: f64| close < SCALE_JUMP * open && open < SCALE_JUMP * close;
        let gap = (step_ms != self.interval.ms()).then_some(Break::Gap);
        // All three hold for nearly every candle.
        if calm(last, now) && calm(now, self.close[index]) && calm(self.open[before], last) {
            return gap;
        }
        let (interval_ms, candle) = (self.interval.ms(), self.get(index));
        let scale = jumps_scale(last, &candle)
            || changes_within(&candle, interval_ms)
            || changes_within(&self.get(before), interval_ms);
        if scale && step_ms <= SCALE_GAP_MAX_MS.max(interval_ms) { Some(Break::Scale) } else { gap }
    }

    /// Returns how many candles are missing before one.
    pub fn missing_before(&self, index: usize) -> i64 {
        let before = index.checked_sub(1).map(|before| self.open_time[before]);
        before.map_or(0, |before| (self.open_time[index] - before) / self.interval.ms() - 1)
    }
}

/// All breaks of a symbol's candles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Breaks {
    /// Indices of the candles that do not go on, ascending, with why.
    all: Vec<(usize, Break)>,
    candles: usize,
}

/// Candles that go on from one to the next, around one of them.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The candles.
    pub bars: Bars<'a>,
    /// The index among them of the one that was asked for.
    pub at: usize,
    /// What ends them; `None` at the end of all candles.
    pub end: Option<Break>,
}

impl Breaks {
    /// Finds the breaks of candles.
    ///
    /// Cost: O(candles)
    pub fn of(bars: Bars<'_>) -> Self {
        let breaks = (0..bars.len()).filter_map(|index| Some((index, bars.break_at(index)?)));
        Self { all: breaks.collect(), candles: bars.len() }
    }

    /// Returns the breaks: the indices of the candles that do not go on, with why.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Break)> {
        self.all.iter().copied()
    }

    /// Returns the candles without a break around one; `bars` are those the breaks were found in.
    ///
    /// Cost: O(log breaks)
    pub fn run<'a>(&self, bars: Bars<'a>, index: usize) -> Run<'a> {
        assert!(bars.len() == self.candles, "a symbol's breaks go with its candles");
        let next = self.all.partition_point(|(at, _)| *at <= index);
        let start = next.checked_sub(1).map_or(0, |before| self.all[before].0);
        let end = self.all.get(next).copied();
        let bars = bars.slice(start..end.map_or(self.candles, |(at, _)| at));
        Run { bars, at: index - start, end: end.map(|(_, why)| why) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CandleSeries, Interval};
    use proptest::prelude::*;

    fn candle(step: i64, open: f64, close: f64) -> Candle {
        let (high, low) = (open.max(close) * 1.01, open.min(close) * 0.99);
        Candle { open_time: step * Interval::M15.ms(), open, high, low, close, volume: 1.0 }
    }

    fn breaks(candles: &[Candle]) -> Vec<(usize, Break)> {
        let mut series = CandleSeries::new(Interval::M15);
        candles.iter().for_each(|candle| series.push(*candle));
        Breaks::of(series.bars()).iter().collect()
    }

    #[test]
    fn a_scale_is_told_from_what_markets_do() {
        let after = |close: f64| vec![candle(0, 1.0, 1.0), candle(1, close, close * 1.02)];
        for scaled in [10.0, 1000.0, 1e6, 0.1, 0.001, 1e-6, 5.0, 6.0, 0.2] {
            assert_eq!(breaks(&after(scaled)), [(1, Break::Scale)], "x {scaled}");
        }
        for market in [4.9, 3.0, 0.25, 0.5, 1.0] {
            assert_eq!(breaks(&after(market)), [], "x {market}");
        }
        // A crash trades on its way, and is not calm where it arrives.
        let mut crash = after(0.1);
        (crash[1].high, crash[1].low) = (0.4, 0.05);
        assert_eq!(breaks(&crash), []);
        // Within a candle only a power of ten is one: LUNA lost nine tenths in hours.
        let within = |close: f64| [candle(0, 1.0, 1.0), candle(1, 1.0, close), candle(2, close, close)];
        assert_eq!(breaks(&within(0.15)), []);
        assert_eq!(breaks(&within(1020.0)), [(1, Break::Scale), (2, Break::Scale)]);
        // A single candle on another scale stands alone.
        let single = [candle(0, 1.0, 1.0), candle(1, 10.0, 10.0), candle(2, 1.0, 1.0)];
        assert_eq!(breaks(&single), [(1, Break::Scale), (2, Break::Scale)]);
    }

    #[test]
    fn a_gap_is_one_whatever_the_price_does_after_a_day() {
        let day = DAY_MS / Interval::M15.ms();
        assert_eq!(breaks(&[candle(0, 1.0, 1.0), candle(2, 1.0, 1.0)]), [(1, Break::Gap)]);
        assert_eq!(breaks(&[candle(0, 1.0, 1.0), candle(day, 1000.0, 1000.0)]), [(1, Break::Scale)]);
        assert_eq!(breaks(&[candle(0, 1.0, 1.0), candle(day + 1, 1000.0, 1000.0)]), [(1, Break::Gap)]);
    }

    proptest! {
        #[test]
        fn runs_are_the_candles_between_breaks(steps in prop::collection::vec((1_i64..3, 0..9_usize), 1..60)) {
            let mut time = 0;
            let price = |scaled: usize| if scaled == 0 { 50.0 } else { 1.0 };
            let candles: Vec<Candle> = steps
                .iter()
                .map(|(step, scaled)| {
                    time += step;
                    candle(time, price(*scaled), price(*scaled))
                })
                .collect();
            let mut series = CandleSeries::new(Interval::M15);
            candles.iter().for_each(|candle| series.push(*candle));
            let (bars, found) = (series.bars(), Breaks::of(series.bars()));
            for index in 0..bars.len() {
                let run = found.run(bars, index);
                prop_assert_eq!(run.bars.get(run.at), bars.get(index));
                prop_assert!(run.bars.is_contiguous(0..run.bars.len()));
                prop_assert!((1..run.bars.len()).all(|inner| run.bars.break_at(inner).is_none()));
                let end = index - run.at + run.bars.len();
                prop_assert_eq!(run.end, (end < bars.len()).then(|| bars.break_at(end)).flatten());
                prop_assert!(index == run.at || bars.break_at(index - run.at).is_some());
            }
        }
    }
}
