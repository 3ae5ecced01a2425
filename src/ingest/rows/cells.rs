//! The cells of one row become a candle.

use crate::ingest::collector::{ReadRow, RejectedRow, span};
use crate::ingest::columns::{CandleColumns, TimeColumn};
use crate::ingest::layout::{Field, FileLayout, cell};
use crate::ingest::number;
use crate::ingest::time::LocalClock;
use crate::model::Candle;

/// Reads a row by the columns of a layout.
#[inline]
pub(super) fn read_row<'a>(
    layout: &FileLayout,
    text: &'a [u8],
    fields: &[Field],
    clock: &mut LocalClock,
) -> Result<ReadRow, RejectedRow<'a>> {
    let expected = layout.fields;
    let found = fields.len();
    let one_empty_more = found == expected + 1 && cell(text, fields[expected]).is_empty();
    if found != expected && !one_empty_more {
        return Err(RejectedRow::Fields { expected, found });
    }
    read_cells(&layout.columns, |column| cell(text, fields[column]), clock)
}

/// Reads the cells of a row.
#[inline]
fn read_cells<'a>(
    columns: &CandleColumns,
    at: impl Fn(usize) -> &'a [u8],
    clock: &mut LocalClock,
) -> Result<ReadRow, RejectedRow<'a>> {
    let (time, found) = match columns.time {
        TimeColumn::Open(place) | TimeColumn::Close(place) => (clock.parse(at(place)), at(place)),
        TimeColumn::DateAndTime(date, time) => (clock.joined(at(date), at(time)), at(time)),
    };
    let (open_time, unit) = time.map_err(|error| RejectedRow::Time { error, found })?;
    let prices =
        [("open", columns.open), ("high", columns.high), ("low", columns.low), ("close", columns.close)];
    let mut values = [0.0; 4];
    for (value, (name, place)) in values.iter_mut().zip(prices) {
        let found = at(place);
        *value = number::parse_number(found).unwrap_or(f64::NAN);
        if value.is_nan() {
            let no_candle = || prices.into_iter().all(|(_, place)| number::is_nothing(at(place)));
            if number::parse_number(found).is_none() || no_candle() {
                let no_candle = number::is_nothing(found) && no_candle();
                return Err(if no_candle {
                    RejectedRow::NoCandle
                } else {
                    RejectedRow::Number { column: name, found }
                });
            }
        }
    }
    let [open, high, low, close] = values;
    let (volume, no_volume) = match columns.volume.map(&at) {
        None => (0.0, false),
        Some(found) => match number::parse_number(found).filter(|volume| !volume.is_nan()) {
            Some(volume) => (volume, false),
            None if number::is_nothing(found) => (0.0, true),
            None => return Err(RejectedRow::Number { column: "volume", found }),
        },
    };
    let unfinished = match columns.closed.map(&at) {
        None => false,
        Some(found) => !number::parse_flag(found).ok_or(RejectedRow::Flag { found })?,
    };
    let span_ms = columns.close_time.and_then(|column| {
        let (close, unit) = clock.parse(at(column)).ok()?;
        span(open_time, close, unit)
    });
    let candle = Candle { open_time, open, high, low, close, volume };
    Ok(ReadRow { candle, unit, span_ms, unfinished, no_volume })
}
