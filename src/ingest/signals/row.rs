//! The cells of a row of signals as values.

use super::header::{DirectionSource, SignalHeader, TimeSays};
use crate::ingest::ending::Endings;
use crate::ingest::file::end_of_candle;
use crate::ingest::layout::Field;
use crate::ingest::number as decimal;
use crate::ingest::report::excerpt_of_bytes;
use crate::ingest::time::{LocalClock, TimeError};
use crate::model::{Direction, GivenSignal, Interval, Style, Symbol};

/// A cell that does not hold what it must.
pub(super) struct BadCell {
    pub(super) column: &'static str,
    pub(super) expected: &'static str,
    pub(super) found: String,
}

/// A cell of a column of numbers.
pub(super) enum Number {
    Given(f64),
    /// Nothing stands there.
    Missing,
    Not,
}

/// Returns what a cell of a column of numbers holds; infinity is no number to filter on.
pub(super) fn number(cell: &[u8]) -> Number {
    match decimal::parse_number(cell).filter(|value| value.is_finite()) {
        Some(value) => Number::Given(value),
        None if decimal::is_nothing(cell) => Number::Missing,
        None => Number::Not,
    }
}

/// Returns whether a cell is one of the words for yes and no that tables of flags are written with.
fn truth(cell: &[u8]) -> Option<bool> {
    let is = |word: &str| cell.eq_ignore_ascii_case(word.as_bytes());
    is("true").then_some(true).or_else(|| is("false").then_some(false))
}

/// Returns the number in a cell of a column of the user's own; yes is 1 and no is 0.
pub(super) fn own_number(cell: &[u8]) -> Number {
    match (number(cell), truth(cell)) {
        (Number::Not, Some(truth)) => Number::Given(f64::from(u8::from(truth))),
        (number, _) => number,
    }
}

/// Returns what a cell of a column of 0 and 1 says; nothing is no.
fn flag(cell: &[u8]) -> Option<bool> {
    match own_number(cell) {
        Number::Given(value) => (value == 0.0 || value == 1.0).then_some(value == 1.0),
        Number::Missing => Some(false),
        Number::Not => None,
    }
}

/// Returns the side of a row, `None` where nothing is entered: no flag, both, or one beside the exit from it.
fn side_of<'a>(
    direction_source: DirectionSource,
    at: impl Fn(usize) -> &'a [u8],
) -> Result<Option<Direction>, BadCell> {
    let bad = |column, expected, cell: &[u8]| BadCell {
        column,
        expected,
        found: format!("{:?}", excerpt_of_bytes(cell)),
    };
    match direction_source {
        DirectionSource::Word(place) => {
            let cell = at(place);
            let known =
                direction(cell).ok_or_else(|| bad("direction", "long, short, buy, sell, 1 or -1", cell));
            known.map(Some)
        }
        DirectionSource::Flags { enter, exit } => {
            let read = |place: Option<usize>, column| match place {
                None => Ok(false),
                Some(place) => flag(at(place)).ok_or_else(|| bad(column, "0, 1 or nothing", at(place))),
            };
            let enters = [read(enter[0], "enter_long")?, read(enter[1], "enter_short")?];
            let exits = [read(exit[0], "exit_long")?, read(exit[1], "exit_short")?];
            Ok(match (enters, exits) {
                ([true, false], [false, _]) => Some(Direction::Long),
                ([false, true], [_, false]) => Some(Direction::Short),
                _ => None,
            })
        }
    }
}

/// Reads the columns with a meaning; `at` gives the cell at a place. `None` for a row on which nothing is entered.
pub(super) fn signal<'a>(
    header: &SignalHeader,
    at: impl Fn(usize) -> &'a [u8],
    interval: Interval,
    clock: &mut LocalClock,
) -> Result<Option<(Symbol, GivenSignal)>, BadCell> {
    let Some(direction) = side_of(header.direction, &at)? else { return Ok(None) };
    let bad = |column, expected, cell: &[u8]| BadCell {
        column,
        expected,
        found: format!("{:?}", excerpt_of_bytes(cell)),
    };
    let cell = at(header.symbol);
    let symbol = symbol(cell).ok_or_else(|| bad("symbol", "a symbol such as BTCUSDT", cell))?;
    let (place, says) = header.time;
    let cell = at(place);
    let (time_ms, _) = clock.parse(cell).map_err(|error| {
        let expected = if error == TimeError::NotInZone { LOCAL_TIME_EXPECTED } else { TIME_EXPECTED };
        bad(says.column(), expected, cell)
    })?;
    let time_ms = match says {
        TimeSays::Known => time_ms,
        TimeSays::Open | TimeSays::Date => time_ms + interval.ms(),
        TimeSays::Close => end_of_candle(time_ms),
    };
    let style = match header.style.map(&at) {
        Some(cell) if !decimal::is_nothing(cell) => {
            Some(style(cell).ok_or_else(|| bad("style", "scalping, swing or nothing", cell))?)
        }
        _ => None,
    };
    let atr = match header.atr.map(&at) {
        Some(cell) => match number(cell) {
            Number::Given(atr) if atr > 0.0 => Some(atr),
            Number::Missing => None,
            Number::Given(_) | Number::Not => {
                return Err(bad("atr", "a positive number in the price's unit, or nothing", cell));
            }
        },
        None => None,
    };
    let exit_ms = match header.exit_time.map(&at) {
        Some(cell) if !decimal::is_nothing(cell) => {
            let later =
                clock.parse(cell).ok().map(|(exit_ms, _)| exit_ms).filter(|exit_ms| *exit_ms > time_ms);
            Some(later.ok_or_else(|| bad("exit_time", "a time after that of the signal, or nothing", cell))?)
        }
        _ => None,
    };
    Ok(Some((symbol, GivenSignal { time_ms, direction, style, atr, exit_ms })))
}

/// Returns whether a last row that no newline ends may be cut in its last cell, and nothing else is wrong with it: the cell
/// does not show that it is whole, and is none of the words that none begins another of.
pub(super) fn may_be_cut<'a>(
    header: &SignalHeader,
    text: &'a [u8],
    fields: &[Field],
    at: impl Fn(usize) -> &'a [u8],
    interval: Interval,
    clock: &mut LocalClock,
) -> bool {
    let Some(last) = header.fields.checked_sub(1).filter(|_| fields.len() == header.fields) else {
        // A separator stands behind the last cell.
        return false;
    };
    let is_word = (DirectionSource::Word(last) == header.direction && direction(at(last)).is_some())
        || (Some(last) == header.style && style(at(last)).is_some());
    let (start, end) = fields[last];
    if is_word || Endings::default().is_whole(&text[start as usize..end as usize]) {
        return false;
    }
    signal(header, &at, interval, clock).err().is_none_or(|bad| header.place_of(bad.column) == Some(last))
}

const TIME_EXPECTED: &str = "a time between 1990 and 2100 such as 2025-01-31T17:15:00Z, or seconds, milliseconds, \
                             microseconds or nanoseconds since 1970";

const LOCAL_TIME_EXPECTED: &str = "a local time that there is once: clocks leave this hour out or repeat it";

/// Reads `BTCUSDT`, `BTC/USDT`, `BTC/USDT:USDT`.
fn symbol(cell: &[u8]) -> Option<Symbol> {
    Symbol::parse(std::str::from_utf8(cell).ok()?)
}

fn direction(cell: &[u8]) -> Option<Direction> {
    let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()));
    match decimal::parse_number(cell) {
        Some(1.0) => Some(Direction::Long),
        Some(-1.0) => Some(Direction::Short),
        None if is(&["long", "buy"]) => Some(Direction::Long),
        None if is(&["short", "sell"]) => Some(Direction::Short),
        _ => None,
    }
}

fn style(cell: &[u8]) -> Option<Style> {
    Style::ALL.into_iter().find(|style| cell.eq_ignore_ascii_case(style.as_str().as_bytes()))
}
