//! Indicators on the base interval: recursive averages, oscillators and ranges for a run of closed candles.

use crate::model::{Bars, Break};

/// Candles that must follow each other without a gap before the first row is given.
///
/// The longest window on the base interval is the level history (96 candles); by then the slowest recursive
/// average (50) has forgotten 98 % of its seed.
pub const WARM_UP_BARS: usize = 96;

/// Indicator values at one closed candle. Price units are quote currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndicatorRow {
    /// Simple mean of the true range over 14 candles; price units, > 0.
    pub atr_14: f64,
    /// `atr_14` over its simple mean of the last 96 candles' true ranges; 1 = usual.
    pub atr_ratio: f64,
    /// Relative strength over 14 changes (simple means), 0..=100; 50 when nothing moved.
    pub rsi_14: f64,
    /// Relative strength over 7 changes, 0..=100.
    pub rsi_7: f64,
    /// ATR(14) as Wilder smooths it; price units.
    pub atr_14_wilder: f64,
    /// Relative strength over 14 changes as Wilder smooths it, 0..=100; 50 when nothing moved.
    pub rsi_14_wilder: f64,
    /// Exponential average of closes, span 20; price units.
    pub ema_20: f64,
    /// Exponential average of closes, span 50; price units.
    pub ema_50: f64,
    /// EMA(12) - EMA(26); price units.
    pub macd_line: f64,
    /// Exponential average of the MACD line, span 9; price units.
    pub macd_signal: f64,
    /// Line - signal; price units.
    pub macd_histogram: f64,
    /// Volume over the mean volume of the 20 candles before it; 1 = usual, 0 without volume.
    pub volume_ratio: f64,
    /// Close minus the close four candles before, in ATR.
    pub momentum_atr: f64,
}

/// An exponential average with the usual span weight 2 / (span + 1), seeded with its first value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ema {
    weight: f64,
    value: Option<f64>,
}

impl Ema {
    pub(crate) fn new(span: u32) -> Self {
        Self { weight: 2.0 / (f64::from(span) + 1.0), value: None }
    }

    pub(crate) fn push(&mut self, input: f64) -> f64 {
        let next = self.value.map_or(input, |last| last + self.weight * (input - last));
        self.value = Some(next);
        next
    }
}

/// A mean as Wilder smooths it: the plain mean of the first values, then each new one weighs 1 / period.
#[derive(Debug, Clone, Copy)]
struct Wilder {
    period: f64,
    seen: f64,
    value: f64,
}

impl Wilder {
    fn new(period: u32) -> Self {
        Self { period: f64::from(period), seen: 0.0, value: 0.0 }
    }

    fn push(&mut self, input: f64) -> f64 {
        self.seen = (self.seen + 1.0).min(self.period);
        self.value += (input - self.value) / self.seen;
        self.value
    }
}

/// True range, gains and losses of 14 candles, smoothed.
struct Smoothed {
    before: Option<f64>,
    range: Wilder,
    gain: Wilder,
    loss: Wilder,
}

impl Smoothed {
    fn new() -> Self {
        let mean = Wilder::new(ATR_BARS as u32);
        Self { before: None, range: mean, gain: mean, loss: mean }
    }

    /// Takes in a candle; returns ATR and relative strength.
    fn push(&mut self, high: f64, low: f64, close: f64) -> (f64, f64) {
        if let Some(before) = self.before {
            self.range.push(high.max(before) - low.min(before));
            self.gain.push((close - before).max(0.0));
            self.loss.push((before - close).max(0.0));
        }
        self.before = Some(close);
        (self.range.value, strength(self.gain.value, self.loss.value))
    }
}

struct Averages {
    smoothed: Smoothed,
    ema_12: Ema,
    ema_20: Ema,
    ema_26: Ema,
    ema_50: Ema,
    signal: Ema,
}

impl Averages {
    fn new() -> Self {
        Self {
            smoothed: Smoothed::new(),
            ema_12: Ema::new(12),
            ema_20: Ema::new(20),
            ema_26: Ema::new(26),
            ema_50: Ema::new(50),
            signal: Ema::new(9),
        }
    }
}

/// Candles that may be missing in succession without averages and windows starting anew.
///
/// A mean over the last so many candles means the same with one left out; one over candles of before a longer hole does not.
pub const SHORT_GAP_BARS: i64 = 4;
/// Candles before the last that have to be there: what is compared with its neighbours (momentum, bodies, patterns) reads so far.
const RECENT_BARS: usize = 4;

/// Returns whether the last candles, so many and the one before them, lack no more than a fifth of their time.
fn is_dense(bars: Bars<'_>, t: usize, count: usize) -> bool {
    let nominal = count as i64 * bars.interval.ms();
    t >= count && 4 * (bars.open_time[t] - bars.open_time[t - count]) <= 5 * nominal
}

/// Returns the indicator row of every candle from `first` on.
///
/// Shape:     `bars[n]` (with warm-up in front), first < n -> `[n - first]`
/// Causality: `out[i]` reads `bars[..=first + i]` only; recursive averages start at the first candle given, after the last hole
///            of more than [`SHORT_GAP_BARS`] candles or on the last new scale of the price, so the same slice always gives
///            the same bits
/// Errors:    a row is `None` with fewer than [`WARM_UP_BARS`] candles known since that start, or in more than 5/4 of their
///            time, with one of the four before it missing, or without any range
/// Cost:      O(n)
pub fn indicator_rows(bars: Bars<'_>, first: usize) -> Vec<Option<IndicatorRow>> {
    let mut averages = Averages::new();
    // Candles before the present one: since the averages' start, and without any break.
    let (mut known, mut gapless) = (0, 0);
    let mut rows = Vec::with_capacity(bars.len().saturating_sub(first));
    for t in 0..bars.len() {
        let broken = bars.break_at(t);
        if broken.is_some() {
            gapless = 0;
        }
        if broken == Some(Break::Scale) || bars.missing_before(t) > SHORT_GAP_BARS {
            averages = Averages::new();
            known = 0;
        }
        let close = bars.close[t];
        let ema_20 = averages.ema_20.push(close);
        let ema_50 = averages.ema_50.push(close);
        let macd_line = averages.ema_12.push(close) - averages.ema_26.push(close);
        let macd_signal = averages.signal.push(macd_line);
        let (atr_14_wilder, rsi_14_wilder) = averages.smoothed.push(bars.high[t], bars.low[t], close);
        if t >= first {
            let whole = known >= WARM_UP_BARS && gapless >= RECENT_BARS && is_dense(bars, t, WARM_UP_BARS);
            let windowed = whole.then(|| Windowed::at(bars, t)).flatten();
            rows.push(windowed.map(|w| IndicatorRow {
                atr_14: w.atr_14,
                atr_ratio: w.atr_ratio,
                rsi_14: relative_strength(&bars.close[t - 14..=t]),
                rsi_7: relative_strength(&bars.close[t - 7..=t]),
                atr_14_wilder,
                rsi_14_wilder,
                ema_20,
                ema_50,
                macd_line,
                macd_signal,
                macd_histogram: macd_line - macd_signal,
                volume_ratio: w.volume_ratio,
                momentum_atr: (close - bars.close[t - 4]) / w.atr_14,
            }));
        }
        known += 1;
        gapless += 1;
    }
    rows
}

/// Candles that ATR is the mean range of.
const ATR_BARS: usize = 14;

/// Returns ATR(14) at a candle; price units, as in [`IndicatorRow::atr_14`].
///
/// Causality: reads the candle, the 13 before it and the close before those
/// Errors:    `None` where one of them is missing or on another scale, or none has any range
pub fn atr(bars: Bars<'_>, t: usize) -> Option<f64> {
    let first = t.checked_sub(ATR_BARS).filter(|_| t < bars.len())?;
    let whole = (first + 1..=t).all(|at| bars.break_at(at).is_none());
    whole.then(|| mean_true_range(bars, t, ATR_BARS)).filter(|atr| *atr > 0.0)
}

struct Windowed {
    atr_14: f64,
    atr_ratio: f64,
    volume_ratio: f64,
}

impl Windowed {
    fn at(bars: Bars<'_>, t: usize) -> Option<Self> {
        let atr_14 = mean_true_range(bars, t, ATR_BARS);
        let usual = mean_true_range(bars, t, 95);
        if !(atr_14 > 0.0 && usual > 0.0) {
            return None;
        }
        let volume_mean = bars.volume[t - 20..t].iter().sum::<f64>() / 20.0;
        let volume_ratio = if volume_mean > 0.0 { bars.volume[t] / volume_mean } else { 0.0 };
        Some(Self { atr_14, atr_ratio: atr_14 / usual, volume_ratio })
    }
}

/// Returns the mean true range of the last `count` candles up to and including `t`; price units.
fn mean_true_range(bars: Bars<'_>, t: usize, count: usize) -> f64 {
    let range = t + 1 - count..=t;
    let high = &bars.high[range.clone()];
    let low = &bars.low[range];
    let previous = &bars.close[t - count..t];
    let total: f64 = (0..count).map(|i| high[i].max(previous[i]) - low[i].min(previous[i])).sum();
    total / count as f64
}

/// Returns 100 x gains / (gains + losses) over consecutive closes; 50 when nothing moved.
///
/// Source: Cutler's variant of the index, whose sums are plain ones
fn relative_strength(closes: &[f64]) -> f64 {
    let (mut gain, mut loss) = (0.0, 0.0);
    for pair in closes.windows(2) {
        let change = pair[1] - pair[0];
        gain += change.max(0.0);
        loss -= change.min(0.0);
    }
    strength(gain, loss)
}

fn strength(gain: f64, loss: f64) -> f64 {
    if gain + loss > 0.0 { 100.0 * gain / (gain + loss) } else { 50.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, Interval};

    fn ramp(n: usize) -> CandleSeries {
        (0..n)
            .map(|i| {
                let close = 100.0 + i as f64;
                Candle {
                    open_time: i as i64 * Interval::M15.ms(),
                    open: close - 1.0,
                    high: close + 0.5,
                    low: close - 1.5,
                    close,
                    volume: 10.0,
                }
            })
            .collect()
    }

    #[test]
    fn a_steady_rise_has_known_values() {
        let series = ramp(200);
        let rows = indicator_rows(series.bars(), 150);
        let row = rows[0].expect("warmed up");
        assert!((row.atr_14 - 2.0).abs() < 1e-12);
        assert!((row.atr_ratio - 1.0).abs() < 1e-12);
        assert_eq!((row.rsi_14, row.rsi_7), (100.0, 100.0));
        assert_eq!((row.rsi_14_wilder, row.atr_14_wilder), (100.0, 2.0));
        assert_eq!(row.volume_ratio, 1.0);
        assert_eq!(row.momentum_atr, 2.0);
        // An exponential average of a ramp lags by (span - 1) / 2 steps once its seed is forgotten.
        assert!((series.bars().close[150] - row.ema_20 - 9.5).abs() < 1e-4);
    }

    #[test]
    fn wilders_means_are_the_plain_one_first_and_forget_by_a_fourteenth() {
        let mut mean = Wilder::new(14);
        for value in 1..=14 {
            mean.push(f64::from(value));
        }
        assert!((mean.value - 7.5).abs() < 1e-12);
        assert!((mean.push(35.0) - (7.5 * 13.0 + 35.0) / 14.0).abs() < 1e-12);
    }

    #[test]
    fn no_row_before_the_warm_up_or_right_after_a_gap() {
        let series = ramp(300);
        let found = indicator_rows(series.bars(), 0);
        let bars = series.bars();
        assert!(found[WARM_UP_BARS - 1].is_none() && found[WARM_UP_BARS].is_some());
        let without = |missing: std::ops::Range<usize>| -> CandleSeries {
            (0..300).filter(|i| !missing.contains(i)).map(|i| bars.get(i)).collect()
        };
        // A short hole breaks what neighbours are compared by, and averages go on behind it.
        let short = indicator_rows(without(150..154).bars(), 0);
        assert!(short[149].is_some() && short[150..154].iter().all(Option::is_none));
        assert!(short[154..].iter().all(Option::is_some));
        // A longer one starts everything anew.
        let long = indicator_rows(without(150..155).bars(), 0);
        assert!(long[150..150 + WARM_UP_BARS].iter().all(Option::is_none));
        assert!(long[150 + WARM_UP_BARS].is_some());
        assert_eq!(long[260], indicator_rows(bars.slice(155..300), 0)[110], "nothing of before is in it");
    }

    #[test]
    fn a_window_with_many_holes_has_no_row() {
        let series = ramp(900);
        let bars = series.bars();
        let every =
            |n: usize| -> CandleSeries { (0..900).filter(|i| i % n != 0).map(|i| bars.get(i)).collect() };
        let known =
            |n: usize| indicator_rows(every(n).bars(), 400).iter().filter(|row| row.is_some()).count();
        assert!(known(20) > 200, "one in twenty is missing: {}", known(20));
        assert_eq!(known(5), 0, "one in five is missing: no five follow each other");
    }

    #[test]
    fn a_flat_market_has_no_row() {
        let flat: CandleSeries = (0..200)
            .map(|i| Candle {
                open_time: i * Interval::M15.ms(),
                open: 5.0,
                high: 5.0,
                low: 5.0,
                close: 5.0,
                volume: 0.0,
            })
            .collect();
        let found = indicator_rows(flat.bars(), 0);
        assert!(found.iter().all(Option::is_none));
    }
}
