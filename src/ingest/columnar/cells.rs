//! Cells of typed columns as times, prices, volumes and names.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};

use super::super::collector::{Collector, Labels, ReadRow, RowError, span};
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
    /// Integers of fewer bits.
    Small(Vec<i32>),
    /// Half precision.
    Halves(Vec<f64>),
    /// Numbers with so many digits behind the point, as integers.
    Decimals(Vec<i128>, i8),
    /// The same with more digits.
    Wide(&'a [i256], i8),
    /// Instants in one unit since 1970, in UTC whatever time zone they are shown in.
    Instants(&'a [i64], TimeUnit),
    /// Days since 1970.
    Days(&'a [i32]),
    Flags(&'a arrow_array::BooleanArray),
    Text(Text<'a>),
    /// A column that is null throughout.
    Nothing,
}

enum Text<'a> {
    Short(&'a arrow_array::StringArray),
    Long(&'a arrow_array::LargeStringArray),
    View(&'a arrow_array::StringViewArray),
    /// Text that its writer did not declare as such.
    ShortBytes(&'a arrow_array::BinaryArray),
    LongBytes(&'a arrow_array::LargeBinaryArray),
    ViewBytes(&'a arrow_array::BinaryViewArray),
}

impl<'a> Text<'a> {
    fn at(&self, place: usize) -> &'a [u8] {
        match self {
            Self::Short(array) => array.value(place).as_bytes(),
            Self::Long(array) => array.value(place).as_bytes(),
            Self::View(array) => array.value(place).as_bytes(),
            Self::ShortBytes(array) => array.value(place),
            Self::LongBytes(array) => array.value(place),
            Self::ViewBytes(array) => array.value(place),
        }
    }
}

/// A column with the rows in which it is null.
pub(super) struct Column<'a> {
    name: &'static str,
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
    /// Which value stands in each row and in which rows none does, where values are kept once each: categories.
    keys: Option<(Vec<usize>, Option<&'a NullBuffer>)>,
}

impl<'a> Column<'a> {
    /// Returns whether a column of a type can be read.
    pub(super) fn is_readable(kind: &DataType) -> bool {
        let flat = |kind: &DataType| {
            let text = matches!(
                kind,
                DataType::Utf8
                    | DataType::LargeUtf8
                    | DataType::Utf8View
                    | DataType::Binary
                    | DataType::LargeBinary
                    | DataType::BinaryView
            );
            let time = matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64);
            text || time || kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null)
        };
        match kind {
            DataType::Dictionary(_, values) => flat(values),
            other => flat(other),
        }
    }

    /// Returns the values of a column, or `None` for a type that is neither number, time, flag nor text.
    pub(super) fn new(name: &'static str, array: &'a dyn Array) -> Option<Self> {
        let Some(categories) = array.as_any_dictionary_opt() else {
            return Some(Self { name, values: values_of(array)?, nulls: array.nulls(), keys: None });
        };
        let known = categories.values();
        // There is nothing to look up where all is null.
        let keys = if known.is_empty() { vec![0; array.len()] } else { categories.normalized_keys() };
        let values = if known.is_empty() { Values::Nothing } else { values_of(known)? };
        Some(Self { name, values, nulls: known.nulls(), keys: Some((keys, array.nulls())) })
    }

    /// Returns the place of a row's value, `None` where it has none.
    #[inline]
    fn place(&self, row: usize) -> Option<usize> {
        let is_null = |nulls: Option<&NullBuffer>, at| nulls.is_some_and(|nulls| nulls.is_null(at));
        let place = match &self.keys {
            Some((_, nulls)) if is_null(*nulls, row) => return None,
            Some((keys, _)) => keys[row],
            None => row,
        };
        let missing = is_null(self.nulls, place) || matches!(self.values, Values::Nothing);
        if missing { None } else { Some(place) }
    }

    fn is_null(&self, row: usize) -> bool {
        self.place(row).is_none()
    }

    /// Returns whether no number can stand in it.
    fn is_no_number(&self) -> bool {
        matches!(self.values, Values::Instants(..) | Values::Days(_) | Values::Flags(_))
    }

    /// Returns a price or volume.
    #[inline]
    fn number(&self, row: usize) -> Result<f64, RowError<'a>> {
        let Some(place) = self.place(row) else {
            return Err(RowError::Number { column: self.name, found: NULL });
        };
        Ok(match &self.values {
            Values::F64(values) => values[place],
            Values::F32(values) => f64::from(values[place]),
            Values::I64(values) | Values::Instants(values, _) => values[place] as f64,
            Values::U64(values) => values[place] as f64,
            Values::I32(values) | Values::Days(values) => f64::from(values[place]),
            Values::U32(values) => f64::from(values[place]),
            Values::Small(values) => f64::from(values[place]),
            Values::Halves(values) => values[place],
            Values::Decimals(values, scale) => number::of_decimal(values[place], *scale),
            Values::Wide(values, scale) => wide(values[place], *scale),
            Values::Text(text) => {
                let found = text.at(place).trim_ascii();
                number::parse(found).ok_or(RowError::Number { column: self.name, found })?
            }
            Values::Flags(_) | Values::Nothing => f64::NAN,
        })
    }

    /// Returns an instant in UTC milliseconds.
    fn time(&self, row: usize) -> Result<(i64, TimeUnit), TimeError> {
        let place = self.place(row).ok_or(TimeError::NotATime)?;
        match &self.values {
            Values::Instants(values, unit) => time::of_unit(values[place], *unit),
            Values::Days(values) => time::of_unit(i64::from(values[place]) * 86_400, TimeUnit::Seconds),
            Values::I64(values) => time::of_integer(values[place]),
            Values::U64(values) => time::of_integer(i64::try_from(values[place]).unwrap_or(i64::MAX)),
            Values::I32(values) => time::of_integer(values[place].into()),
            Values::U32(values) => time::of_integer(values[place].into()),
            Values::Small(values) => time::of_integer(values[place].into()),
            Values::F64(values) => time::of_number(values[place]),
            Values::F32(values) => time::of_number(values[place].into()),
            Values::Halves(values) => time::of_number(values[place]),
            Values::Decimals(..) | Values::Wide(..) => time::parse(self.shown(row).as_bytes()),
            Values::Text(text) => time::parse(text.at(place).trim_ascii()),
            Values::Flags(_) | Values::Nothing => Err(TimeError::NotATime),
        }
    }

    /// Returns a cell as text for people.
    fn shown(&self, row: usize) -> String {
        let Some(place) = self.place(row) else { return String::from_utf8_lossy(NULL).into_owned() };
        match &self.values {
            Values::F64(values) => values[place].to_string(),
            Values::F32(values) => values[place].to_string(),
            Values::I64(values) | Values::Instants(values, _) => values[place].to_string(),
            Values::U64(values) => values[place].to_string(),
            Values::I32(values) | Values::Days(values) => values[place].to_string(),
            Values::U32(values) => values[place].to_string(),
            Values::Small(values) => values[place].to_string(),
            Values::Halves(values) => values[place].to_string(),
            Values::Decimals(values, scale) => {
                Decimal128Type::format_decimal(values[place], Decimal128Type::MAX_PRECISION, *scale)
            }
            Values::Wide(values, scale) => {
                Decimal256Type::format_decimal(values[place], Decimal256Type::MAX_PRECISION, *scale)
            }
            Values::Flags(flags) => flags.value(place).to_string(),
            Values::Text(text) => String::from_utf8_lossy(text.at(place)).into_owned(),
            Values::Nothing => String::new(),
        }
    }

    /// Returns a cell as bytes; nothing where it is null.
    #[inline]
    fn text(&self, row: usize) -> Cow<'a, [u8]> {
        match (&self.values, self.place(row)) {
            (_, None) => Cow::Borrowed(b""),
            (Values::Text(text), Some(place)) => Cow::Borrowed(text.at(place).trim_ascii()),
            _ => Cow::Owned(self.shown(row).into_bytes()),
        }
    }

    /// Appends a cell as a CSV would have it: instants in milliseconds, nothing where it is null.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.values {
            _ if self.is_null(row) => {}
            Values::Instants(..) | Values::Days(_) => match self.time(row) {
                Ok((ms, _)) => out.extend_from_slice(ms.to_string().as_bytes()),
                // No number: it could pass for a time in another unit.
                Err(_) => out.extend_from_slice(format!("{} since 1970", self.shown(row)).as_bytes()),
            },
            _ => out.extend_from_slice(&self.text(row)),
        }
    }
}

/// Returns the values of an array that is no dictionary.
fn values_of(array: &dyn Array) -> Option<Values<'_>> {
    fn of<T: ArrowPrimitiveType>(array: &dyn Array) -> &[T::Native] {
        array.as_primitive::<T>().values()
    }
    fn small<T: ArrowPrimitiveType<Native: Copy + Into<i32>>>(array: &dyn Array) -> Values<'_> {
        Values::Small(of::<T>(array).iter().map(|value| (*value).into()).collect())
    }
    fn decimals<T: ArrowPrimitiveType<Native: Copy + Into<i128>>>(
        array: &dyn Array,
        scale: i8,
    ) -> Values<'_> {
        Values::Decimals(of::<T>(array).iter().map(|value| (*value).into()).collect(), scale)
    }
    Some(match array.data_type() {
        DataType::Float64 => Values::F64(of::<Float64Type>(array)),
        DataType::Float32 => Values::F32(of::<Float32Type>(array)),
        DataType::Float16 => {
            Values::Halves(of::<Float16Type>(array).iter().map(|half| half.to_f64()).collect())
        }
        DataType::Int64 => Values::I64(of::<Int64Type>(array)),
        DataType::UInt64 => Values::U64(of::<UInt64Type>(array)),
        DataType::Int32 => Values::I32(of::<Int32Type>(array)),
        DataType::UInt32 => Values::U32(of::<UInt32Type>(array)),
        DataType::Int8 => small::<Int8Type>(array),
        DataType::Int16 => small::<Int16Type>(array),
        DataType::UInt8 => small::<UInt8Type>(array),
        DataType::UInt16 => small::<UInt16Type>(array),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale),
        DataType::Decimal256(_, scale) => Values::Wide(of::<Decimal256Type>(array), *scale),
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
        DataType::Boolean => Values::Flags(array.as_boolean()),
        DataType::Utf8 => Values::Text(Text::Short(array.as_string())),
        DataType::LargeUtf8 => Values::Text(Text::Long(array.as_string())),
        DataType::Utf8View => Values::Text(Text::View(array.as_string_view())),
        DataType::Binary => Values::Text(Text::ShortBytes(array.as_binary())),
        DataType::LargeBinary => Values::Text(Text::LongBytes(array.as_binary())),
        DataType::BinaryView => Values::Text(Text::ViewBytes(array.as_binary_view())),
        DataType::Null => Values::Nothing,
        _ => return None,
    })
}

/// Returns a decimal of up to 76 digits, rounded once.
fn wide(value: i256, scale: i8) -> f64 {
    value.to_i128().map_or_else(
        || format!("{value}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN),
        |value| number::of_decimal(value, scale),
    )
}

/// The columns of candles in one batch.
pub(super) struct Columns<'a> {
    time: Column<'a>,
    prices: [Column<'a>; 4],
    volume: Option<Column<'a>>,
    close_time: Option<Column<'a>>,
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
        let time = layout.time.places().next().unwrap_or_default();
        Ok(Self {
            time: any("open time", time)?,
            prices: [
                number("open", layout.open)?,
                number("high", layout.high)?,
                number("low", layout.low)?,
                number("close", layout.close)?,
            ],
            volume: layout.volume.map(|place| number("volume", place)).transpose()?,
            close_time: layout.close_time.map(|place| any("close time", place)).transpose()?,
            symbol: layout.symbol.map(|place| any("symbol", place)).transpose()?,
        })
    }

    /// Hands one row over; `number` is its number in the file, from 1.
    #[inline]
    pub(super) fn row(&self, row: usize, number: u64, collector: &mut Collector<'_>) {
        let symbol = self.symbol.as_ref().map(|column| column.text(row));
        let symbol = symbol.as_deref();
        if collector.passes_over(symbol) {
            return;
        }
        let leave_out = |collector: &mut Collector<'_>, text: String| {
            collector.count_row();
            collector.bad(IssueKind::BadRow, number, || text);
        };
        let (open_time, unit) = match self.time.time(row) {
            Ok(time) => time,
            Err(error) => {
                let shown = self.time.shown(row);
                return leave_out(collector, RowError::Time { error, found: shown.as_bytes() }.text());
            }
        };
        match self.candle(row, open_time) {
            Ok(candle) => {
                let closed = self.close_time.as_ref().and_then(|column| column.time(row).ok());
                let span_ms = closed.and_then(|(close, unit)| span(open_time, close, unit));
                let read = ReadRow { candle, unit, span_ms, unfinished: false, no_volume: false };
                collector.candle(number, read, Labels { symbol, ..Labels::default() });
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
