//! Candles out of the columns of a batch.

use std::borrow::Cow;

use arrow_array::RecordBatch;

use super::super::collector::{Collector, Labels, ReadRow, RejectedRow, span};
use super::super::columns::{CandleColumns, TimeColumn};
use super::super::number;
use super::super::rejection::Rejection;
use super::super::time::{LocalClock, TimeError, TimeUnit};
use super::cells::CellColumn;
use crate::model::Candle;

/// Where the time of a row stands.
enum When<'a> {
    At(CellColumn<'a>),
    DateAndTime(CellColumn<'a>, CellColumn<'a>),
}

impl When<'_> {
    fn instant(&self, row: usize, clock: &mut LocalClock) -> Result<(i64, TimeUnit), TimeError> {
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
pub(super) struct BatchColumns<'a> {
    time: When<'a>,
    prices: [CellColumn<'a>; 4],
    volume: Option<CellColumn<'a>>,
    close_time: Option<CellColumn<'a>>,
    closed: Option<CellColumn<'a>>,
    symbol: Option<CellColumn<'a>>,
    exchange: Option<CellColumn<'a>>,
    interval: Option<CellColumn<'a>>,
}

/// Why a row gives no candle, with what stands in it.
enum CandleFault<'a> {
    Row(RejectedRow<'a>),
    Time(TimeError, String),
    Flag(Cow<'a, [u8]>),
}

impl CandleFault<'_> {
    fn tell(&self, number: u64, collector: &mut Collector<'_>) {
        let told = match self {
            Self::Row(error) => return collector.unread(number, error),
            Self::Time(error, found) => RejectedRow::Time { error: *error, found: found.as_bytes() },
            Self::Flag(found) => RejectedRow::Flag { found },
        };
        collector.unread(number, &told);
    }
}

impl<'a> From<RejectedRow<'a>> for CandleFault<'a> {
    fn from(error: RejectedRow<'a>) -> Self {
        Self::Row(error)
    }
}

impl<'a> BatchColumns<'a> {
    /// Takes the columns of a layout out of a batch that holds those at these places of the file's schema.
    pub(super) fn new(
        batch: &'a RecordBatch,
        layout: &CandleColumns,
        places: &[usize],
    ) -> Result<Self, Rejection> {
        let any = |name: &'static str, place: usize| {
            let index = places.binary_search(&place).ok();
            let column = index.and_then(|index| CellColumn::new(name, batch.columns().get(index)?.as_ref()));
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
    pub(super) fn row(&self, row: usize, number: u64, collector: &mut Collector<'_>, clock: &mut LocalClock) {
        let label = |column: &Option<CellColumn<'a>>| column.as_ref().map(|column| column.text(row));
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

    fn read(&self, row: usize, clock: &mut LocalClock) -> Result<ReadRow, CandleFault<'a>> {
        let time = self.time.instant(row, clock);
        let (open_time, unit) = time.map_err(|error| CandleFault::Time(error, self.time.shown(row)))?;
        let mut values = [0.0; 4];
        for (value, column) in values.iter_mut().zip(&self.prices) {
            let number = column.number(row);
            if !number.as_ref().is_ok_and(|number| !number.is_nan())
                && self.prices.iter().all(|price| price.is_nothing(row))
            {
                return Err(RejectedRow::NoCandle.into());
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
            Some(found) => match number::parse_flag(&found) {
                Some(closed) => !closed,
                None => return Err(CandleFault::Flag(found)),
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
        expected: expected.into(),
        found: field.map_or("nothing".to_owned(), |field| field.data_type().to_string()),
    }
}
