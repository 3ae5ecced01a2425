//! Cells of typed columns as times, prices and volumes.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, TimeUnit as ArrowUnit};

use super::super::collector::{Collector, ReadRow, RowError, span};
use super::super::columns::CandleColumns;
use super::super::report::{IssueKind, TimeUnit};
use super::super::time::{self, TimeError};
use super::super::{number, rejection::Rejection};
use crate::model::Candle;

/// What is said where a cell is null.
const NULL: &[u8] = b"null";

/// The values of a column.
enum Values<'a> {
    F64(&'a [f64]),
    F32(&'a [f32]),
    I64(&'a [i64]),
    U64(&'a [u64]),
    I32(&'a [i32]),
    U32(&'a [u32]),
    /// Of fewer bits.
    Small(Vec<i32>),
    /// Instants in one unit since 1970, in UTC whatever time zone they are shown in.
    Instants(&'a [i64], TimeUnit),
    /// Days since 1970.
    Days(&'a [i32]),
    Text(Text<'a>),
}

enum Text<'a> {
    Short(&'a arrow_array::StringArray),
    Long(&'a arrow_array::LargeStringArray),
    View(&'a arrow_array::StringViewArray),
}

impl<'a> Text<'a> {
    fn at(&self, row: usize) -> &'a [u8] {
        match self {
            Self::Short(array) => array.value(row).as_bytes(),
            Self::Long(array) => array.value(row).as_bytes(),
            Self::View(array) => array.value(row).as_bytes(),
        }
    }
}

/// A column with the rows in which it is null.
pub(super) struct Column<'a> {
    name: &'static str,
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Column<'a> {
    /// Returns the values of a column, or `None` for a type that is neither number, time nor text.
    pub(super) fn new(name: &'static str, array: &'a dyn Array) -> Option<Self> {
        fn of<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
            array.as_primitive::<T>().values()
        }
        fn small<T: ArrowPrimitiveType<Native: Copy + Into<i32>>>(array: &dyn Array) -> Values<'_> {
            Values::Small(of::<T>(array).iter().map(|value| (*value).into()).collect())
        }
        let values = match array.data_type() {
            DataType::Float64 => Values::F64(of::<Float64Type>(array)),
            DataType::Float32 => Values::F32(of::<Float32Type>(array)),
            DataType::Int64 => Values::I64(of::<Int64Type>(array)),
            DataType::UInt64 => Values::U64(of::<UInt64Type>(array)),
            DataType::Int32 => Values::I32(of::<Int32Type>(array)),
            DataType::UInt32 => Values::U32(of::<UInt32Type>(array)),
            DataType::Int8 => small::<Int8Type>(array),
            DataType::Int16 => small::<Int16Type>(array),
            DataType::UInt8 => small::<UInt8Type>(array),
            DataType::UInt16 => small::<UInt16Type>(array),
            DataType::Date32 => Values::Days(of::<Date32Type>(array)),
            DataType::Date64 => Values::Instants(of::<Date64Type>(array), TimeUnit::Milliseconds),
            DataType::Timestamp(unit, _) => match unit {
                ArrowUnit::Second => Values::Instants(of::<TimestampSecondType>(array), TimeUnit::Seconds),
                ArrowUnit::Millisecond => {
                    Values::Instants(of::<TimestampMillisecondType>(array), TimeUnit::Milliseconds)
                }
                ArrowUnit::Microsecond => {
                    Values::Instants(of::<TimestampMicrosecondType>(array), TimeUnit::Microseconds)
                }
                ArrowUnit::Nanosecond => {
                    Values::Instants(of::<TimestampNanosecondType>(array), TimeUnit::Nanoseconds)
                }
            },
            DataType::Utf8 => Values::Text(Text::Short(array.as_string())),
            DataType::LargeUtf8 => Values::Text(Text::Long(array.as_string())),
            DataType::Utf8View => Values::Text(Text::View(array.as_string_view())),
            _ => return None,
        };
        Some(Self { name, values, nulls: array.nulls() })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    fn is_of_instants(&self) -> bool {
        matches!(self.values, Values::Instants(..) | Values::Days(_))
    }

    /// Returns a price or volume.
    fn number(&self, row: usize) -> Result<f64, RowError<'a>> {
        if self.is_null(row) {
            return Err(RowError::Number { column: self.name, found: NULL });
        }
        Ok(match &self.values {
            Values::F64(values) => values[row],
            Values::F32(values) => f64::from(values[row]),
            Values::I64(values) | Values::Instants(values, _) => values[row] as f64,
            Values::U64(values) => values[row] as f64,
            Values::I32(values) | Values::Days(values) => f64::from(values[row]),
            Values::U32(values) => f64::from(values[row]),
            Values::Small(values) => f64::from(values[row]),
            Values::Text(text) => {
                let found = text.at(row);
                number::parse(found).ok_or(RowError::Number { column: self.name, found })?
            }
        })
    }

    /// Returns an instant in UTC milliseconds.
    fn time(&self, row: usize) -> Result<(i64, TimeUnit), TimeError> {
        match &self.values {
            Values::Instants(values, unit) => time::of_unit(values[row], *unit),
            Values::Days(values) => time::of_unit(i64::from(values[row]) * 86_400, TimeUnit::Seconds),
            Values::I64(values) => time::of_integer(values[row]),
            Values::U64(values) => time::of_integer(i64::try_from(values[row]).unwrap_or(i64::MAX)),
            Values::I32(values) => time::of_integer(values[row].into()),
            Values::U32(values) => time::of_integer(values[row].into()),
            Values::Small(values) => time::of_integer(values[row].into()),
            Values::F64(values) => time::of_number(values[row]),
            Values::F32(values) => time::of_number(values[row].into()),
            Values::Text(text) => time::parse(text.at(row)),
        }
    }

    /// Returns a cell as text for people.
    fn shown(&self, row: usize) -> String {
        match &self.values {
            _ if self.is_null(row) => String::from_utf8_lossy(NULL).into_owned(),
            Values::F64(values) => values[row].to_string(),
            Values::F32(values) => values[row].to_string(),
            Values::I64(values) | Values::Instants(values, _) => values[row].to_string(),
            Values::U64(values) => values[row].to_string(),
            Values::I32(values) | Values::Days(values) => values[row].to_string(),
            Values::U32(values) => values[row].to_string(),
            Values::Small(values) => values[row].to_string(),
            Values::Text(text) => String::from_utf8_lossy(text.at(row)).into_owned(),
        }
    }

    /// Appends a cell as a CSV would have it: instants in milliseconds, nothing where it is null.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.values {
            _ if self.is_null(row) => {}
            Values::Text(text) => out.extend_from_slice(text.at(row).trim_ascii()),
            Values::Instants(..) | Values::Days(_) => match self.time(row) {
                Ok((ms, _)) => out.extend_from_slice(ms.to_string().as_bytes()),
                // No number: it could pass for a time in another unit.
                Err(_) => out.extend_from_slice(format!("{} since 1970", self.shown(row)).as_bytes()),
            },
            _ => out.extend_from_slice(self.shown(row).as_bytes()),
        }
    }
}

/// The columns of candles in one batch.
pub(super) struct Columns<'a> {
    time: Column<'a>,
    prices: [Column<'a>; 4],
    volume: Option<Column<'a>>,
    close_time: Option<Column<'a>>,
    /// Only where it is text: categories are not looked at.
    symbol: Option<Column<'a>>,
}

impl<'a> Columns<'a> {
    /// Takes the columns of a layout out of a batch that holds those at these places of the file's schema.
    pub(super) fn new(
        batch: &'a RecordBatch,
        layout: &CandleColumns,
        places: &[usize],
    ) -> Result<Self, Rejection> {
        let any = |name: &'static str, place: usize| {
            let array = batch.columns().get(places.binary_search(&place).ok()?)?;
            Column::new(name, array.as_ref())
        };
        let wrong = |name: &'static str, place: usize, expected: &'static str| {
            let schema = batch.schema();
            let field = places.binary_search(&place).ok().and_then(|index| schema.fields().get(index));
            Rejection::ColumnType {
                column: field.map_or(name.to_owned(), |field| field.name().clone()),
                expected,
                found: field.map_or("categories".to_owned(), |field| field.data_type().to_string()),
            }
        };
        let number = |name: &'static str, place: usize| {
            let column = any(name, place).filter(|column| !column.is_of_instants());
            column.ok_or_else(|| wrong(name, place, "numbers"))
        };
        let time = layout.time.places().next().unwrap_or_default();
        Ok(Self {
            time: any("open time", time).ok_or_else(|| wrong("open time", time, "times"))?,
            prices: [
                number("open", layout.open)?,
                number("high", layout.high)?,
                number("low", layout.low)?,
                number("close", layout.close)?,
            ],
            volume: layout.volume.map(|place| number("volume", place)).transpose()?,
            close_time: layout.close_time.and_then(|place| any("close time", place)),
            symbol: layout.symbol.and_then(|place| any("symbol", place)),
        })
    }

    /// Hands one row over; `number` is its number in the file, from 1.
    #[inline]
    pub(super) fn row(&self, row: usize, number: u64, collector: &mut Collector<'_>) {
        let leave_out = |collector: &mut Collector<'_>, text: String| {
            collector.count_row();
            collector.bad(IssueKind::BadRow, number, || text);
        };
        let time = if self.time.is_null(row) { Err(TimeError::NotATime) } else { self.time.time(row) };
        let (open_time, unit) = match time {
            Ok(time) => time,
            Err(error) => {
                let shown = self.time.shown(row);
                return leave_out(collector, RowError::Time { error, found: shown.as_bytes() }.text());
            }
        };
        match self.candle(row, open_time) {
            Ok(candle) => {
                let closed = self.close_time.as_ref().filter(|column| !column.is_null(row));
                let closed = closed.and_then(|column| column.time(row).ok());
                let span_ms = closed.and_then(|(close, unit)| span(open_time, close, unit));
                let symbol = match &self.symbol {
                    Some(column) if !column.is_null(row) => match &column.values {
                        Values::Text(text) => Some(text.at(row)),
                        _ => None,
                    },
                    _ => None,
                };
                collector.candle(number, ReadRow { candle, unit, span_ms }, symbol);
            }
            Err(error) => leave_out(collector, error.text()),
        }
    }

    fn candle(&self, row: usize, open_time: i64) -> Result<Candle, RowError<'a>> {
        let [open, high, low, close] = &self.prices;
        Ok(Candle {
            open_time,
            open: open.number(row)?,
            high: high.number(row)?,
            low: low.number(row)?,
            close: close.number(row)?,
            volume: self.volume.as_ref().map_or(Ok(0.0), |volume| volume.number(row))?,
        })
    }
}
