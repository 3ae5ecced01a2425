//! Given signals on the candles of their symbol: where each is entered, and what was known then.

use crate::features::frame::{FeatureRow, MarketSeries};
use crate::features::indicators::atr;
use crate::model::{Break, Day, GivenSignal, GivenSignals};

/// A given signal with everything known at its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<'a> {
    /// What was given.
    pub signal: GivenSignal,
    /// The user's columns; NaN where nothing was given.
    pub values: &'a [f64],
    /// Index of the entry candle; `None` where it is missing.
    pub entry: Option<usize>,
    /// The candle from the entry on at whose open the signal has its exit; `None` where it has none.
    pub exit_at: Option<u16>,
    /// Whether a new scale of the price begins at the entry: what was known then is on another.
    pub rescaled: bool,
    /// ATR that was given, or ATR(14) at the last candle closed by then; `None` where it cannot be measured. It waits for no other
    /// feature.
    pub atr: Option<f64>,
    /// The features at that candle; `None` while anything warms up or right after a gap.
    pub row: Option<FeatureRow>,
}

/// Returns the given signals of a UTC day, in order; see [`GivenSignal`] for when each is entered.
///
/// Causality: nothing but the entry's place reads a candle that closes after the signal's time
/// Cost:      nothing without signals, else O(candles of the look-back)
pub fn given_of_day<'a>(market: &MarketSeries<'_>, day: Day, given: &'a GivenSignals) -> Vec<Placed<'a>> {
    let interval = market.bars.interval;
    let range = given.of_day(day, interval);
    if range.is_empty() {
        return Vec::new();
    }
    // A signal within the day's first candle was known by the candle before it.
    let frame = market.frame(day, 1);
    let index_of = |open_ms: i64| {
        let index = market.bars.index_at(open_ms);
        (market.bars.open_time.get(index) == Some(&open_ms)).then_some(index)
    };
    let place = |index: usize| {
        let signal = given.signals()[index];
        let known = index_of(signal.known_candle_ms(interval));
        let entry = index_of(signal.entry_ms(interval));
        Placed {
            signal,
            values: given.values(index),
            entry,
            exit_at: signal.exit_at(interval),
            rescaled: entry.is_some_and(|entry| market.bars.break_at(entry) == Some(Break::Scale)),
            atr: signal.atr.or_else(|| atr(market.bars, known?)),
            row: known.and_then(|known| frame.pulse(known)).map(|pulse| frame.row(pulse)),
        }
    };
    range.map(place).collect()
}
