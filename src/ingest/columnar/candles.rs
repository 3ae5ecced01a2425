//! Candles out of the columns of a batch.

use std::borrow::Cow;

use arrow_array::RecordBatch;

use super::super::collector::{Collector, Labels, ReadRow, RowError, span};
use super::super::columns::{CandleColumns, TimeColumn};
use super::super::number;
use super::super::rejection::Rejection;
use super::super::report::TimeUnit;
use super::super::time::{Clock, TimeError};
use super::cells::Column;
use crate::model::Candle;

/// Where the time of a row stands.
enum When<'a> {
    At(Column<'a>),
    DateAndTime(Column<'a>, Column<'a>),
}

impl When<'_> {
    fn instant(&self, row: usize, clock: &mut Clock) -> Result<(i64, TimeUnit), TimeError> {
        match self {
            Self::At(column) => column.instant(row, clock),
            Self::DateAndTime(date, time) => date.joined(time, row, clock),
        }
    }

    /// Returns what stands there as text for people.
    fn shown(&self, row: usize) -> String {
        match self {
            Self::At(column) => column.shown(row),
            Self::DateAndTime(date, time) => format!("{} {}", date.shown(row), time.shown(row)),
        }
    }
}

/// The columns of candles in one batch.
pub(super) struct Columns<'a> {
    time: When<'a>,
    prices: [Column<'a>; 4],
    volume: Option<Column<'a>>,
    close_time: Option<Column<'a>>,
    closed: Option<Column<'a>>,
    symbol: Option<Column<'a>>,
    exchange: Option<Column<'a>>,
    interval: Option<Column<'a>>,
}

/// Why a row gives no candle, with what stands in it.
enum Fault<'a> {
    Row(RowError<'a>),
    Time(TimeError, String),
    Flag(Cow<'a, [u8]>),
}

impl Fault<'_> {
    fn tell(&self, number: u64, collector: &mut Collector<'_>) {
        let told = match self {
            Self::Row(error) => return collector.unread(number, error),
            Self::Time(error, found) => RowError::Time { error: *error, found: found.as_bytes() },
            Self::Flag(found) => RowError::Flag { found },
        };
        collector.unread(number, &told);
    }
}

impl<'a> From<RowError<'a>> for Fault<'a> {
    fn from(error: RowError<'a>) -> Self {
        Self::Row(error)
    }
}

impl<'a> Columns<'a> {
    /// Takes the columns of a layout out of a batch that holds those at these places of the file's schema.
    pub(super) fn new(
        batch: &'a RecordBatch,
        layout: &CandleColumns,
        places: &[usize],
    ) -> Result<Self, Rejection> {
        let any = |name: &'static str, place: usize| {
            let index = places.binary_search(&place).ok();
            let column = index.and_then(|index| Column::new(name, batch.columns().get(index)?.as_ref()));
            column.ok_or_else(|| wrong(batch, places, (name, place), "numbers, times or text"))
        };
        let number = |name: &'static str, place: usize| {
            let column = any(name, place)?;
            if column.is_no_number() {
                Err(wrong(batch, places, (name, place), "numbers"))
            } else {
                Ok(column)
            }
        };
        let or_none =
            |name: &'static str, place: Option<usize>| place.map(|place| any(name, place)).transpose();
        Ok(Self {
            time: match layout.time {
                TimeColumn::Open(place) | TimeColumn::Close(place) => When::At(any("time", place)?),
                TimeColumn::DateAndTime(date, time) => {
                    When::DateAndTime(any("date", date)?, any("time", time)?)
                }
            },
            prices: [
                number("open", layout.open)?,
                number("high", layout.high)?,
                number("low", layout.low)?,
                number("close", layout.close)?,
            ],
            volume: layout.volume.map(|place| number("volume", place)).transpose()?,
            close_time: or_none("close time", layout.close_time)?,
            closed: or_none("closed", layout.closed)?,
            symbol: or_none("symbol", layout.symbol)?,
            exchange: or_none("exchange", layout.exchange)?,
            interval: or_none("interval", layout.interval)?,
        })
    }

    /// Hands one row over; `number` is its number in the file, from 1.
    #[inline]
    pub(super) fn row(&self, row: usize, number: u64, collector: &mut Collector<'_>, clock: &mut Clock) {
        let label = |column: &Option<Column<'a>>| column.as_ref().map(|column| column.text(row));
        let symbol = label(&self.symbol);
        if collector.passes_over(symbol.as_deref()) {
            return;
        }
        match self.read(row, clock) {
            Ok(read) => {
                let (exchange, interval) = (label(&self.exchange), label(&self.interval));
                let (exchange, interval) = (exchange.as_deref(), interval.as_deref());
                collector.candle(number, read, Labels { symbol: symbol.as_deref(), exchange, interval });
            }
            Err(fault) => fault.tell(number, collector),
        }
    }

    fn read(&self, row: usize, clock: &mut Clock) -> Result<ReadRow, Fault<'a>> {
        let time = self.time.instant(row, clock);
        let (open_time, unit) = time.map_err(|error| Fault::Time(error, self.time.shown(row)))?;
        let mut values = [0.0; 4];
        for (value, column) in values.iter_mut().zip(&self.prices) {
            let number = column.number(row);
            if !number.as_ref().is_ok_and(|number| !number.is_nan())
                && self.prices.iter().all(|price| price.is_nothing(row))
            {
                return Err(RowError::NoCandle.into());
            }
            *value = number?;
        }
        let [open, high, low, close] = values;
        let (volume, no_volume) = match &self.volume {
            None => (0.0, false),
            Some(column) if column.is_nothing(row) => (0.0, true),
            Some(column) => (column.number(row)?, false),
        };
        let unfinished = match self.closed.as_ref().map(|column| column.text(row)) {
            None => false,
            Some(found) => match number::flag(&found) {
                Some(closed) => !closed,
                None => return Err(Fault::Flag(found)),
            },
        };
        let closed = self.close_time.as_ref().and_then(|column| column.instant(row, clock).ok());
        let span_ms = closed.and_then(|(close, unit)| span(open_time, close, unit));
        let candle = Candle { open_time, open, high, low, close, volume };
        Ok(ReadRow { candle, unit, span_ms, unfinished, no_volume })
    }
}

/// Says what a column of a batch holds instead of what is expected.
fn wrong(
    batch: &RecordBatch,
    places: &[usize],
    (name, place): (&str, usize),
    expected: &'static str,
) -> Rejection {
    let schema = batch.schema();
    let field = places.binary_search(&place).ok().and_then(|index| schema.fields().get(index));
    Rejection::ColumnType {
        column: field.map_or(name.to_owned(), |field| field.name().clone()),
        expected,
        found: field.map_or("nothing".to_owned(), |field| field.data_type().to_string()),
    }
}
