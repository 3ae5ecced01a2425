//! Cells of typed columns as times, prices, volumes and names.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::{DataType, TimeUnit as ArrowUnit};

use super::super::collector::RejectedRow;
use super::super::number;
use super::super::time::{self, LocalClock, TimeError, TimeUnit};
use crate::model::{DAY_MS, rfc3339};

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
    /// Instants in one unit since 1970: in UTC whatever zone they are shown in, or of a clock that the file does not name.
    Instants(&'a [i64], TimeUnit, Hangs),
    /// Days since 1970.
    Days(&'a [i32]),
    /// Milliseconds since midnight.
    TimesOfDay(Vec<i64>),
    Flags(&'a arrow_array::BooleanArray),
    Text(TextCells<'a>),
    /// A column that is null throughout.
    Nothing,
}

/// Where the clock hangs that instants were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hangs {
    InUtc,
    Somewhere,
}

enum TextCells<'a> {
    Short(&'a arrow_array::StringArray),
    Long(&'a arrow_array::LargeStringArray),
    View(&'a arrow_array::StringViewArray),
    /// Text that its writer did not declare as such.
    ShortBytes(&'a arrow_array::BinaryArray),
    LongBytes(&'a arrow_array::LargeBinaryArray),
    ViewBytes(&'a arrow_array::BinaryViewArray),
}

impl<'a> TextCells<'a> {
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
pub(super) struct CellColumn<'a> {
    name: &'static str,
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
    /// Which value stands in each row and in which rows none does, where values are kept once each: categories.
    keys: Option<(Vec<usize>, Option<&'a NullBuffer>)>,
}

impl<'a> CellColumn<'a> {
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
            let time = matches!(
                kind,
                DataType::Timestamp(..)
                    | DataType::Date32
                    | DataType::Date64
                    | DataType::Time32(_)
                    | DataType::Time64(_)
            );
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
    pub(super) fn is_no_number(&self) -> bool {
        matches!(
            self.values,
            Values::Instants(..) | Values::Days(_) | Values::TimesOfDay(_) | Values::Flags(_)
        )
    }

    /// Returns whether a row has nothing in it, or says so.
    pub(super) fn is_nothing(&self, row: usize) -> bool {
        match (&self.values, self.place(row)) {
            (_, None) => true,
            (Values::Text(text), Some(place)) => number::is_nothing(text.at(place).trim_ascii()),
            _ => self.number(row).is_ok_and(f64::is_nan),
        }
    }

    /// Returns a price or volume.
    #[inline]
    pub(super) fn number(&self, row: usize) -> Result<f64, RejectedRow<'a>> {
        let Some(place) = self.place(row) else {
            return Err(RejectedRow::Number { column: self.name, found: NULL });
        };
        Ok(match &self.values {
            Values::F64(values) => values[place],
            Values::F32(values) => f64::from(values[place]),
            Values::I64(values) | Values::Instants(values, ..) => values[place] as f64,
            Values::TimesOfDay(values) => values[place] as f64,
            Values::U64(values) => values[place] as f64,
            Values::I32(values) | Values::Days(values) => f64::from(values[place]),
            Values::U32(values) => f64::from(values[place]),
            Values::Small(values) => f64::from(values[place]),
            Values::Halves(values) => values[place],
            Values::Decimals(values, scale) => number::of_decimal(values[place], *scale),
            Values::Wide(values, scale) => wide(values[place], *scale),
            Values::Text(text) => {
                let found = text.at(place).trim_ascii();
                number::parse_number(found).ok_or(RejectedRow::Number { column: self.name, found })?
            }
            Values::Flags(_) | Values::Nothing => f64::NAN,
        })
    }

    /// Returns an instant in UTC milliseconds, all clocks hanging there.
    fn time(&self, row: usize) -> Result<(i64, TimeUnit), TimeError> {
        let place = self.place(row).ok_or(TimeError::NotATime)?;
        match &self.values {
            Values::Instants(values, unit, _) => time::of_unit(values[place], *unit),
            Values::Days(values) => time::of_unit(i64::from(values[place]) * 86_400, TimeUnit::Seconds),
            Values::I64(values) => time::of_integer(values[place]),
            Values::U64(values) => time::of_integer(i64::try_from(values[place]).unwrap_or(i64::MAX)),
            Values::I32(values) => time::of_integer(values[place].into()),
            Values::U32(values) => time::of_integer(values[place].into()),
            Values::Small(values) => time::of_integer(values[place].into()),
            Values::F64(values) => time::of_number(values[place]),
            Values::F32(values) => time::of_number(values[place].into()),
            Values::Halves(values) => time::of_number(values[place]),
            Values::Decimals(..) | Values::Wide(..) => time::parse_time(self.shown(row).as_bytes()),
            Values::Text(text) => time::parse_time(text.at(place).trim_ascii()),
            Values::TimesOfDay(_) | Values::Flags(_) | Values::Nothing => Err(TimeError::NotATime),
        }
    }

    /// Returns an instant in UTC milliseconds; text, days and instants that name no zone are of the clock's.
    pub(super) fn instant(&self, row: usize, clock: &mut LocalClock) -> Result<(i64, TimeUnit), TimeError> {
        match (&self.values, self.place(row)) {
            (Values::Text(text), Some(place)) => clock.parse(text.at(place).trim_ascii()),
            (Values::Instants(.., Hangs::Somewhere) | Values::Days(_), Some(_)) => {
                let (shown, unit) = self.time(row)?;
                Ok((clock.of_local(shown)?, unit))
            }
            _ => self.time(row),
        }
    }

    /// Returns the instant of a day, and of a time of day that stands in another column.
    pub(super) fn joined(
        &self,
        time: &Self,
        row: usize,
        clock: &mut LocalClock,
    ) -> Result<(i64, TimeUnit), TimeError> {
        if matches!(time.values, Values::Instants(..)) {
            return time.instant(row, clock);
        }
        clock.joined(&self.of_calendar(row)?, &time.of_calendar(row)?)
    }

    /// Returns a cell as text, with days and times of day as a calendar and a clock show them.
    fn of_calendar(&self, row: usize) -> Result<Cow<'a, [u8]>, TimeError> {
        Ok(match (&self.values, self.place(row)) {
            (Values::TimesOfDay(values), Some(place)) => {
                let seconds = values[place].div_euclid(1_000);
                let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
                Cow::Owned(format!("{hours:02}:{minutes:02}:{:02}", seconds % 60).into_bytes())
            }
            (Values::Instants(..) | Values::Days(_), Some(_)) => {
                let (ms, _) = self.time(row)?;
                let shown = rfc3339(ms - ms.rem_euclid(DAY_MS));
                Cow::Owned(shown.get(..10).unwrap_or_default().as_bytes().to_vec())
            }
            _ => self.text(row),
        })
    }

    /// Returns a cell as text for people.
    pub(super) fn shown(&self, row: usize) -> String {
        let Some(place) = self.place(row) else { return String::from_utf8_lossy(NULL).into_owned() };
        match &self.values {
            Values::F64(values) => values[place].to_string(),
            Values::F32(values) => values[place].to_string(),
            Values::I64(values) | Values::Instants(values, ..) => values[place].to_string(),
            Values::TimesOfDay(values) => values[place].to_string(),
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
    pub(super) fn text(&self, row: usize) -> Cow<'a, [u8]> {
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
        DataType::Date64 => {
            Values::Instants(of::<Date64Type>(array), TimeUnit::Milliseconds, Hangs::Somewhere)
        }
        DataType::Timestamp(unit, zone) => {
            let hangs = if zone.is_some() { Hangs::InUtc } else { Hangs::Somewhere };
            let (values, unit) = match unit {
                ArrowUnit::Second => (of::<TimestampSecondType>(array), TimeUnit::Seconds),
                ArrowUnit::Millisecond => (of::<TimestampMillisecondType>(array), TimeUnit::Milliseconds),
                ArrowUnit::Microsecond => (of::<TimestampMicrosecondType>(array), TimeUnit::Microseconds),
                ArrowUnit::Nanosecond => (of::<TimestampNanosecondType>(array), TimeUnit::Nanoseconds),
            };
            Values::Instants(values, unit, hangs)
        }
        DataType::Time32(ArrowUnit::Second) => Values::TimesOfDay(
            of::<Time32SecondType>(array).iter().map(|value| i64::from(*value) * 1_000).collect(),
        ),
        DataType::Time32(_) => Values::TimesOfDay(
            of::<Time32MillisecondType>(array).iter().map(|value| i64::from(*value)).collect(),
        ),
        DataType::Time64(ArrowUnit::Microsecond) => Values::TimesOfDay(
            of::<Time64MicrosecondType>(array).iter().map(|value| value.div_euclid(1_000)).collect(),
        ),
        DataType::Time64(_) => Values::TimesOfDay(
            of::<Time64NanosecondType>(array).iter().map(|value| value.div_euclid(1_000_000)).collect(),
        ),
        DataType::Boolean => Values::Flags(array.as_boolean()),
        DataType::Utf8 => Values::Text(TextCells::Short(array.as_string())),
        DataType::LargeUtf8 => Values::Text(TextCells::Long(array.as_string())),
        DataType::Utf8View => Values::Text(TextCells::View(array.as_string_view())),
        DataType::Binary => Values::Text(TextCells::ShortBytes(array.as_binary())),
        DataType::LargeBinary => Values::Text(TextCells::LongBytes(array.as_binary())),
        DataType::BinaryView => Values::Text(TextCells::ViewBytes(array.as_binary_view())),
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
