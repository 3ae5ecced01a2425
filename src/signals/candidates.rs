//! Candidate entries: where the market leans, when it starts to, and what kind of entry that is.
//!
//! Everything is decided at the close of a candle from closed candles; the entry is the next candle's open. The
//! rule reads no outcome and no threshold of the grid.

use crate::features::frame::{FeatureRow, Frame, IndicatorSnapshot, MarketSeries};
use crate::features::patterns::{Patterns, patterns_at};
use crate::features::score::Sided;
use crate::model::{Day, Direction, Interval, Setup};

/// Candles of quiet in one direction before an event in that direction is a new candidate.
pub const QUIET_BARS: usize = 4;
/// Candles within which a turn of the averages makes a trend a new one.
const TURN_BARS: usize = 8;
/// Votes that make a market lean.
const LEAN_VOTES: i32 = 3;
/// Votes of a reversal pattern at a key level: it turns a market that only momentum holds.
const REVERSAL_VOTES: i32 = 3;
/// A reversal needs a candle of at least this range, in ATR, ...
const REVERSAL_RANGE_ATR: f64 = 1.2;
/// ... whose extreme is within this many ATR of the level.
const NEAR_LEVEL_ATR: f64 = 0.5;
/// Volume and range of a burst, against the usual volume and in ATR.
const BURST_VOLUME: f64 = 3.0;
const BURST_RANGE_ATR: f64 = 1.5;

/// A candidate entry with everything known at its candle's close.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The features at the signal candle.
    pub row: FeatureRow,
    /// Side of the trade.
    pub direction: Direction,
    /// Kind of entry; decides the style.
    pub setup: Setup,
}

impl Candidate {
    /// Returns the index of the entry candle in the symbol's candles: the one after the signal candle.
    pub fn entry_index(&self) -> usize {
        self.row.pulse.index + 1
    }
}

/// Returns the candidates whose signal candle opens within a UTC day, in time order.
///
/// Causality: a candidate at candle t reads `bars[..=t]`; cutting the candles after t changes nothing at or before t
/// Cost:      O(candles of the look-back)
pub fn candidates_of_day(market: &MarketSeries<'_>, day: Day) -> Vec<Candidate> {
    found_candidates(market, day).0
}

/// Returns the candidates of a day, and at how many of its candles nothing could be looked for: too little is known before them.
pub fn found_candidates(market: &MarketSeries<'_>, day: Day) -> (Vec<Candidate>, u32) {
    let frame = market.frame(day, candles_before_day(market.bars.interval));
    let mut quiet_since = [QUIET_BARS; 2];
    let mut lean_before = None;
    let (mut found, mut blind) = (Vec::new(), 0);
    for index in frame.first..frame.end {
        let pulse = frame.pulse(index);
        blind += u32::from(index >= frame.day_start && pulse.is_none());
        let lean = pulse.and_then(|pulse| DirectionalBias::at(&frame, pulse));
        let event = lean.as_ref().filter(|l| l.is_event(lean_before)).map(|l| l.direction);
        if let Some((lean, direction)) = lean.as_ref().zip(event)
            && quiet_since[direction as usize] >= QUIET_BARS
            && index >= frame.day_start
            && market.bars.volume[index] > 0.0
        {
            found.push(lean.candidate(&frame));
        }
        for direction in [Direction::Long, Direction::Short] {
            let quiet = &mut quiet_since[direction as usize];
            *quiet = if event == Some(direction) { 0 } else { *quiet + 1 };
        }
        lean_before = lean.map(|l| l.direction);
    }
    (found, blind)
}

/// Returns the candles before a day that its candidates see.
///
/// On 15m and finer a turn of the averages is not looked for further back than this from the first candles of a day; where
/// a day is few candles, that would be most of them.
fn candles_before_day(base: Interval) -> usize {
    if base > Interval::M15 { TURN_BARS } else { QUIET_BARS + 1 }
}

/// A market that leans to one side at a closed candle.
struct DirectionalBias {
    pulse: IndicatorSnapshot,
    patterns: Patterns,
    direction: Direction,
    reversal_at_level: bool,
    burst: bool,
}

impl DirectionalBias {
    /// Counts the votes at a pulse; `None` when they do not lean either way.
    fn at(frame: &Frame<'_>, pulse: IndicatorSnapshot) -> Option<Self> {
        let past = frame.bars.slice(pulse.index + 1 - 51..pulse.index + 1);
        let patterns = patterns_at(past);
        let indicators = &pulse.indicators;
        let vote = |value: f64, limit: f64| i32::from(value >= limit) - i32::from(value <= -limit);
        let mut votes = pulse.trend_base.vote() + pulse.middle.trend.vote() + pulse.high.trend.vote();
        votes += vote(indicators.macd_histogram / indicators.atr_14, 0.05);
        votes += vote(indicators.rsi_14 - 50.0, 5.0);
        votes += vote(indicators.momentum_atr, 0.75);
        let reversal =
            patterns.reversal().filter(|direction| near_level(past, *direction, indicators.atr_14));
        votes += reversal.map_or(0, |direction| REVERSAL_VOTES * direction.sign() as i32);
        let direction = match votes {
            LEAN_VOTES.. => Direction::Long,
            v if v <= -LEAN_VOTES => Direction::Short,
            _ => return None,
        };
        let candle = frame.bars.get(pulse.index);
        let body = (candle.close - candle.open) * direction.sign();
        let burst = indicators.volume_ratio >= BURST_VOLUME
            && candle.high - candle.low >= BURST_RANGE_ATR * indicators.atr_14
            && body > 0.0;
        Some(Self { pulse, patterns, direction, reversal_at_level: reversal == Some(direction), burst })
    }

    /// Returns whether something happens here: the lean is new, or a pattern, burst or breakout renews it.
    fn is_event(&self, before: Option<Direction>) -> bool {
        before != Some(self.direction)
            || self.reversal_at_level
            || self.burst
            || self.patterns.breakout == Some(self.direction)
    }

    fn candidate(&self, frame: &Frame<'_>) -> Candidate {
        let row = frame.row(self.pulse);
        Candidate { row, direction: self.direction, setup: self.setup(frame, &row) }
    }

    /// Names the setup: scalping patterns first, then swing entries where a higher timeframe stands behind.
    fn setup(&self, frame: &Frame<'_>, row: &FeatureRow) -> Setup {
        if self.reversal_at_level {
            return Setup::ReversalAtLevel;
        }
        if self.burst {
            return Setup::VolumeBurst;
        }
        let sign = self.direction.sign() as i32;
        let votes = [row.pulse.middle.trend.vote(), row.pulse.high.trend.vote()].map(|vote| vote * sign);
        let supported = votes.contains(&1) && !votes.contains(&-1);
        if !supported {
            return Setup::RangeMomentum;
        }
        let turned = (1..=TURN_BARS).any(|back| {
            frame.pulse(row.pulse.index - back).is_some_and(|p| {
                (p.indicators.ema_20 > p.indicators.ema_50) != (self.direction == Direction::Long)
            })
        });
        let touched = touched_average(frame, &row.pulse, self.direction);
        match (turned && Sided::new(row, self.direction).aligned_timeframes() > 0, touched) {
            (true, _) => Setup::TrendInitiation,
            (false, true) => Setup::Pullback,
            (false, false) => Setup::Continuation,
        }
    }
}

/// Returns whether the last candle's extreme came near a key level on the side a reversal needs.
fn near_level(past: crate::model::Bars<'_>, direction: Direction, atr: f64) -> bool {
    let long = direction == Direction::Long;
    let last = past.get(past.len() - 1);
    let extreme = if long { last.low } else { last.high };
    let level = crate::features::levels::nearest_levels(past).behind(long);
    let wide = last.high - last.low >= REVERSAL_RANGE_ATR * atr;
    wide && level.is_some_and(|level| (extreme - level.price).abs() <= NEAR_LEVEL_ATR * atr)
}

/// Returns whether one of the last four candles reached back to EMA(20) and the last closed beyond it.
fn touched_average(frame: &Frame<'_>, pulse: &IndicatorSnapshot, direction: Direction) -> bool {
    let average = pulse.indicators.ema_20;
    let recent = frame.bars.slice(pulse.index - 3..pulse.index + 1);
    match direction {
        Direction::Long => recent.low.iter().any(|low| *low <= average) && recent.close[3] > average,
        Direction::Short => recent.high.iter().any(|high| *high >= average) && recent.close[3] < average,
    }
}
