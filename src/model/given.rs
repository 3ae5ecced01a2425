//! Signals that were given instead of derived: what a row says, and all rows of a symbol in order.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::signal::Direction;
use super::style::Style;
use super::time::{Day, Interval};

/// A signal that the user gave.
///
/// Causality: it is known at `time_ms`. What is computed for it reads candles that have closed by then, and the position is
///            entered at the open of the first candle that opens at that instant or after it
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenSignal {
    /// When it was known; UTC ms.
    pub time_ms: i64,
    /// Side.
    pub direction: Direction,
    /// The style it belongs to; `None` for every style.
    pub style: Option<Style>,
    /// ATR to measure exits in; price units, `None` for ATR(14) of the candles.
    pub atr: Option<f64>,
    /// When its exit was known, later than the signal; UTC ms. Whoever follows it leaves at the open of the first candle that opens
    /// at that instant or after it.
    pub exit_ms: Option<i64>,
}

impl GivenSignal {
    /// Returns the open time of the last candle that has closed when the signal is known; UTC ms.
    pub fn known_candle_ms(&self, interval: Interval) -> i64 {
        interval.floor(self.time_ms) - interval.ms()
    }

    /// Returns the open time of the entry candle; UTC ms.
    pub fn entry_ms(&self, interval: Interval) -> i64 {
        interval.floor(self.time_ms + interval.ms() - 1)
    }

    /// Returns the candle, from the entry on, at whose open its exit is: after the entry's, so that there is a trade.
    pub fn exit_at(&self, interval: Interval) -> Option<u16> {
        let bars =
            (interval.floor(self.exit_ms? + interval.ms() - 1) - self.entry_ms(interval)) / interval.ms();
        u16::try_from(bars.max(1)).ok()
    }

    /// Returns the day whose unit the signal belongs to: that of the candle before the entry, as for derived signals.
    pub fn day(&self, interval: Interval) -> Day {
        Day::of(self.entry_ms(interval) - interval.ms())
    }

    /// Returns whether a style takes the signal.
    pub fn is_of(&self, style: Style) -> bool {
        self.style.is_none_or(|own| own == style)
    }

    /// Compares by time, then side, then style; the rest does not make another signal.
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |signal: &Self| (signal.time_ms, signal.direction, signal.style);
        key(self).cmp(&key(other))
    }
}

/// The given signals of one symbol with the values of the user's columns.
///
/// Invariant: signals ascend by [`GivenSignal::order`]; `values` holds one number per signal and column, NaN where none was given.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenSignals {
    columns: Arc<[String]>,
    signals: Vec<GivenSignal>,
    values: Vec<f64>,
}

impl GivenSignals {
    /// Returns no signals, with these columns.
    pub fn none(columns: Arc<[String]>) -> Self {
        Self { columns, signals: Vec::new(), values: Vec::new() }
    }

    /// Appends a signal with one value per column.
    ///
    /// Panics when signals do not ascend or a value is missing: the caller sorts first.
    pub fn push(&mut self, signal: GivenSignal, values: impl Iterator<Item = f64>) {
        assert!(self.signals.last().is_none_or(|last| last.order(&signal).is_le()), "signals ascend");
        self.signals.push(signal);
        self.values.extend(values);
        assert!(self.values.len() == self.signals.len() * self.columns.len(), "one value per column");
    }

    /// Returns the names of the columns, sorted.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns the signals, in order.
    pub fn signals(&self) -> &[GivenSignal] {
        &self.signals
    }

    /// Returns a signal's values, in the order of the columns; NaN where none was given.
    pub fn values(&self, signal: usize) -> &[f64] {
        let width = self.columns.len();
        &self.values[signal * width..(signal + 1) * width]
    }

    /// Returns every part, for fingerprints: columns, signals, and their values, one row per signal.
    pub fn parts(&self) -> (&[String], &[GivenSignal], &[f64]) {
        let Self { columns, signals, values } = self;
        (columns, signals, values)
    }

    /// Returns the signals that belong to the unit of a day.
    pub fn of_day(&self, day: Day, interval: Interval) -> Range<usize> {
        let at = |day: Day| self.signals.partition_point(|signal| signal.day(interval) < day);
        at(day)..at(Day(day.0 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY_MS, MINUTE_MS};

    fn at(time_ms: i64) -> GivenSignal {
        GivenSignal { time_ms, direction: Direction::Long, style: None, atr: None, exit_ms: None }
    }

    #[test]
    fn nothing_later_than_the_signal_is_known_and_nothing_earlier_is_entered() {
        let quarter = 15 * MINUTE_MS;
        for minutes in 0..200 {
            let time_ms = DAY_MS + minutes * MINUTE_MS;
            let signal = at(time_ms);
            let (known, entry) = (signal.known_candle_ms(Interval::M15), signal.entry_ms(Interval::M15));
            assert!(
                (time_ms - quarter..=time_ms).contains(&(known + quarter)),
                "closed, and the last that is"
            );
            assert!(
                (time_ms..time_ms + quarter).contains(&entry),
                "opens then or later, and the first that does"
            );
            assert_eq!((known % quarter, entry % quarter), (0, 0));
        }
        // At midnight the signal candle is the last of the day before; a moment later it is entered a candle on.
        assert_eq!(at(DAY_MS).day(Interval::M15), Day(0));
        assert_eq!(at(DAY_MS + 1).day(Interval::M15), Day(1));
    }

    #[test]
    fn an_exit_is_at_the_open_of_a_later_candle_than_the_entry() {
        let quarter = 15 * MINUTE_MS;
        // Known within the entry candle, so entered at the next: candles count from there.
        let exits = [(1, 1), (14, 1), (15, 1), (16, 1), (29, 1), (30, 1), (31, 2), (45, 2), (46, 3)];
        for (minutes, bars) in exits {
            let signal = GivenSignal { exit_ms: Some(DAY_MS + minutes * MINUTE_MS), ..at(DAY_MS + 1) };
            assert_eq!(signal.exit_at(Interval::M15), Some(bars), "{minutes} minutes");
            let opens = signal.entry_ms(Interval::M15) + i64::from(bars) * quarter;
            assert!(opens >= signal.exit_ms.expect("given"), "not before it is known");
        }
        assert_eq!(at(DAY_MS).exit_at(Interval::M15), None);
    }

    #[test]
    fn a_day_holds_the_signals_between_two_midnights() {
        let mut given = GivenSignals::none(["a".to_owned()].into());
        for (time_ms, value) in [(1, 0.0), (DAY_MS, 1.0), (DAY_MS + 1, 2.0), (3 * DAY_MS, 3.0)] {
            given.push(at(time_ms), [value].into_iter());
        }
        let of = |day| given.of_day(Day(day), Interval::M15);
        assert_eq!([of(-1), of(0), of(1), of(2), of(3)], [0..0, 0..2, 2..3, 3..4, 4..4]);
        assert_eq!(given.values(2), [2.0]);
    }
}
