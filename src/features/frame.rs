//! Everything known at each closed candle of a stretch: recursive indicators and trends for all of them at once,
//! the windowed families on demand.

use super::indicators::{IndicatorRow, WARM_UP_BARS, indicator_rows};
use super::kline_context::{KlineContext, kline_context};
use super::levels::{NearestLevels, SwingLevel, nearest_levels};
use super::market_structure::{MarketStructure, market_structure};
use super::patterns::{Patterns, patterns_at};
use super::sr_history::{LevelSide, SrHistory, sr_history};
use super::timeframes::{TIMEFRAME_WARM_UP_BARS, TimeframeCloses, TimeframeRow, Trend};
use crate::model::{Bars, Breaks, Candle, DAY_MS, Day, Interval, Run, Timeframes};

/// Candles of the base interval behind a day's recursive averages (3 days of 15m).
const BASE_LOOKBACK_BARS: i64 = 288;
/// Candles of the middle timeframe behind its averages (10 days of 1h).
const MIDDLE_LOOKBACK_BARS: i64 = 240;
/// Candles of the high timeframe behind its averages (30 days of 4h): the seed of EMA(50) weighs less than 0.1 % by then.
const HIGH_LOOKBACK_BARS: i64 = 180;
/// Candles of the k-line context.
const CONTEXT_BARS: usize = 10;
/// Candles of the market structure.
const STRUCTURE_BARS: usize = 50;
/// Candles a row reads at most.
const HISTORY_BARS: usize = 96;
/// A test of a level is a candle that comes this close, in ATR.
const LEVEL_TOLERANCE_ATR: f64 = 0.5;

/// Returns the milliseconds before a day from which on the averages of base, middle and high timeframe start.
fn lookback_ms(timeframes: Timeframes) -> [i64; 3] {
    let Timeframes { base, middle, high } = timeframes;
    [BASE_LOOKBACK_BARS * base.ms(), MIDDLE_LOOKBACK_BARS * middle.ms(), HIGH_LOOKBACK_BARS * high.ms()]
}

/// Returns the days of candles that the rows of a day may read, besides the day itself: 30 on 15m candles.
pub fn lookback_days(base: Interval) -> i32 {
    let longest = lookback_ms(Timeframes::over(base)).into_iter().max().unwrap_or(0);
    // At most 180 weeks of a daily base.
    (longest.div_euclid(DAY_MS) + i64::from(longest % DAY_MS != 0)) as i32
}

/// Returns how long after the first candle features begin, in milliseconds: eight days and eight hours on 15m candles.
pub fn warm_up_ms(base: Interval) -> i64 {
    let Timeframes { base, high, .. } = Timeframes::over(base);
    (WARM_UP_BARS as i64 * base.ms()).max(TIMEFRAME_WARM_UP_BARS as i64 * high.ms())
}

/// The candles of a symbol with their higher-timeframe closes.
#[derive(Debug, Clone)]
pub struct MarketSeries<'a> {
    /// Base candles.
    pub bars: Bars<'a>,
    timeframes: Timeframes,
    /// Whether no candle will follow the last: what is open then ends there.
    pub stopped: bool,
    breaks: Breaks,
    middle: TimeframeCloses,
    high: TimeframeCloses,
}

impl<'a> MarketSeries<'a> {
    /// Prepares a symbol's candles; see [`Timeframes::over`] for the higher timeframes.
    pub fn new(bars: Bars<'a>) -> Self {
        let timeframes = Timeframes::over(bars.interval);
        let breaks = Breaks::of(bars);
        let closes = |interval| TimeframeCloses::new(bars, &breaks, interval);
        let (middle, high) = (closes(timeframes.middle), closes(timeframes.high));
        Self { bars, timeframes, stopped: false, breaks, middle, high }
    }

    /// Returns the market of a symbol that has stopped, or not.
    pub fn ended(self, stopped: bool) -> Self {
        Self { stopped, ..self }
    }

    /// Returns the candles that go on from one to the next around one.
    pub fn run(&self, index: usize) -> Run<'a> {
        self.breaks.run(self.bars, index)
    }

    /// Returns the frame of a UTC day, with what there is of the `margin` candles before it.
    ///
    /// Causality: the row at candle t reads candles of [day - look-back, t], see [`lookback_days`]; recursive averages start at fixed
    ///            instants before the day, so a day's rows do not depend on how much history is loaded beyond them
    pub fn frame(&self, day: Day, margin: usize) -> Frame<'a> {
        let range = self.bars.day_range(day);
        let step = self.bars.interval.ms();
        // By time: a candle of before a hole is none of the last few.
        let first = self.bars.index_at(day.start_ms() - margin as i64 * step);
        let [base_ms, middle_ms, high_ms] = lookback_ms(self.timeframes);
        let from = self.bars.index_at(day.start_ms() - base_ms).min(first);
        let indicators = indicator_rows(self.bars.slice(from..range.end), first - from);
        let known_at: Vec<i64> = self.bars.open_time[first..range.end].iter().map(|t| t + step).collect();
        let middle = self.middle.rows(day.start_ms() - middle_ms, &known_at);
        let high = self.high.rows(day.start_ms() - high_ms, &known_at);
        let (bars, timeframes) = (self.bars, self.timeframes);
        Frame { bars, timeframes, first, day_start: range.start, end: range.end, indicators, middle, high }
    }
}

/// The recursive features of consecutive candles; see [`MarketSeries::frame`].
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// All base candles of the symbol; only those up to the row's own are read.
    pub bars: Bars<'a>,
    timeframes: Timeframes,
    /// Index of the first candle of the margin.
    pub first: usize,
    /// Index of the day's first candle.
    pub day_start: usize,
    /// Index after the day's last candle.
    pub end: usize,
    indicators: Vec<Option<IndicatorRow>>,
    middle: Vec<Option<TimeframeRow>>,
    high: Vec<Option<TimeframeRow>>,
}

/// The recursive features at one closed candle: enough to say where a market leans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndicatorSnapshot {
    /// Index of the candle.
    pub index: usize,
    /// Indicators on the base interval.
    pub indicators: IndicatorRow,
    /// Which timeframes these are.
    pub timeframes: Timeframes,
    /// Trend on the base interval.
    pub trend_base: Trend,
    /// Middle timeframe.
    pub middle: TimeframeRow,
    /// High timeframe.
    pub high: TimeframeRow,
}

impl Frame<'_> {
    /// Returns the pulse at a candle of the frame, or `None` while anything is warming up or right after a gap.
    pub fn pulse(&self, index: usize) -> Option<IndicatorSnapshot> {
        let at = index.checked_sub(self.first)?;
        let indicators = (*self.indicators.get(at)?)?;
        let close = self.bars.close[index];
        Some(IndicatorSnapshot {
            index,
            indicators,
            timeframes: self.timeframes,
            trend_base: Trend::of(close, indicators.ema_20, indicators.ema_50),
            middle: (*self.middle.get(at)?)?,
            high: (*self.high.get(at)?)?,
        })
    }

    /// Returns ATR(14) at a candle of the frame; price units, `None` while warming up.
    pub fn atr(&self, index: usize) -> Option<f64> {
        let row = self.indicators.get(index.checked_sub(self.first)?)?;
        row.map(|row| row.atr_14)
    }

    /// Returns the full feature row at a pulse.
    ///
    /// Causality: reads `bars[..=pulse.index]` only
    /// Cost:      O(96)
    pub fn row(&self, pulse: IndicatorSnapshot) -> FeatureRow {
        let past = self.bars.slice(pulse.index + 1 - HISTORY_BARS..pulse.index + 1);

        let near = past.slice(HISTORY_BARS - STRUCTURE_BARS..HISTORY_BARS);
        let levels = nearest_levels(past);
        let history = |level: Option<SwingLevel>, side| {
            let level = level?;
            let since = past.slice(HISTORY_BARS - level.age_bars..HISTORY_BARS);
            let tolerance_pct = 100.0 * LEVEL_TOLERANCE_ATR * pulse.indicators.atr_14 / level.price;
            sr_history(since, level.price, side, tolerance_pct)
        };
        let (now, before) = (past.get(HISTORY_BARS - 1), past.get(HISTORY_BARS - 2));
        FeatureRow {
            candle: now,
            body_before: before.close - before.open,
            closes: [past.close[HISTORY_BARS - 3], before.close, now.close],
            pulse,
            context: kline_context(past, CONTEXT_BARS).expect("96 candles hold a context of 10"),
            structure: market_structure(near).expect("50 candles hold a structure"),
            levels,
            resistance_history: history(levels.resistance, LevelSide::Resistance),
            support_history: history(levels.support, LevelSide::Support),
            patterns: patterns_at(past),
        }
    }
}

/// Everything known about a symbol at one closed candle; direction-free.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeatureRow {
    /// The closed candle itself.
    pub candle: Candle,
    /// Signed body of the candle before; price units.
    pub body_before: f64,
    /// The last three closes, oldest first; price units.
    pub closes: [f64; 3],
    /// Indicators and trends.
    pub pulse: IndicatorSnapshot,
    /// The last ten candles.
    pub context: KlineContext,
    /// Swings of the last 50 candles.
    pub structure: MarketStructure,
    /// Nearest support and resistance.
    pub levels: NearestLevels,
    /// How the resistance fared since its swing; `None` without one or without a test.
    ///
    /// The legacy history counts every candle beyond the level in a fixed window, those before the swing too, with a
    /// tolerance of 0.5 % of the price: wider than a candle, so that nearly every level was "tested" dozens of times
    /// and `max_sr_test_count` let nothing pass. Here a test is a candle since the swing that comes within 0.5 ATR.
    pub resistance_history: Option<SrHistory>,
    /// How the support fared.
    pub support_history: Option<SrHistory>,
    /// Candle patterns.
    pub patterns: Patterns,
}
