//! Instants from bytes: integers and floats in four units, and ISO-like text.

use jiff::civil::Date;
use jiff::tz::Offset;

use super::report::TimeUnit;

/// 1990-01-01 in UTC milliseconds: no candle is older.
pub const TIME_MIN_MS: i64 = 631_152_000_000;
/// 2100-01-01 in UTC milliseconds: no candle is younger.
pub const TIME_MAX_MS: i64 = 4_102_444_800_000;

/// Why a cell is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TimeError {
    #[error("expected seconds, milliseconds, microseconds, nanoseconds or text like `2025-01-31 17:15:00`")]
    NotATime,
    #[error("expected a time between 1990 and 2100")]
    OutOfRange,
}

/// Returns the instant in UTC milliseconds (finer parts cut off) and how it was written.
///
/// The four units do not overlap between 1990 and 2100, so that the magnitude of each number tells its unit.
pub(super) fn parse(cell: &[u8]) -> Result<(i64, TimeUnit), TimeError> {
    let (ms, unit) = match integer(cell) {
        Some(number) => from_integer(number),
        None => from_text(cell).ok_or(TimeError::NotATime)?,
    };
    in_range(ms, unit)
}

/// Returns the midnight of `YYYYMMDD` or `YYYY-MM-DD` in UTC milliseconds.
pub(super) fn midnight(text: &str) -> Option<i64> {
    let compact = text.len() == 8 && is_digits(text);
    let written = || format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]);
    let ms = if compact { calendar(&written())? } else { calendar(text).filter(|_| text.len() == 10)? };
    (TIME_MIN_MS..TIME_MAX_MS).contains(&ms).then_some(ms)
}

/// Returns the instant of a number in one of the four units; see [`parse`].
#[cfg(feature = "columnar")]
pub(super) fn of_number(number: f64) -> Result<(i64, TimeUnit), TimeError> {
    let (ms, unit) = from_float(number).ok_or(TimeError::NotATime)?;
    in_range(ms, unit)
}

/// Returns the instant of an integer in a known unit.
#[cfg(feature = "columnar")]
pub(super) fn of_unit(number: i64, unit: TimeUnit) -> Result<(i64, TimeUnit), TimeError> {
    in_range(to_ms(number, unit).ok_or(TimeError::OutOfRange)?, unit)
}

/// Returns the instant of an integer; see [`parse`].
#[cfg(feature = "columnar")]
pub(super) fn of_integer(number: i64) -> Result<(i64, TimeUnit), TimeError> {
    let (ms, unit) = from_integer(number);
    in_range(ms, unit)
}

fn in_range(ms: i64, unit: TimeUnit) -> Result<(i64, TimeUnit), TimeError> {
    if (TIME_MIN_MS..TIME_MAX_MS).contains(&ms) { Ok((ms, unit)) } else { Err(TimeError::OutOfRange) }
}

/// Returns the value of up to 18 digits, or 19 that fit.
fn integer(cell: &[u8]) -> Option<i64> {
    if cell.is_empty() || cell.len() > 19 {
        return None;
    }
    let mut number = 0_u64;
    for byte in cell {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    i64::try_from(number).ok()
}

fn unit_of(magnitude: f64) -> TimeUnit {
    match magnitude {
        v if v < 1e11 => TimeUnit::Seconds,
        v if v < 1e14 => TimeUnit::Milliseconds,
        v if v < 1e17 => TimeUnit::Microseconds,
        _ => TimeUnit::Nanoseconds,
    }
}

fn from_integer(number: i64) -> (i64, TimeUnit) {
    let unit = unit_of(number as f64);
    // Out of range either way, but a number.
    (to_ms(number, unit).unwrap_or(i64::MIN), unit)
}

fn to_ms(number: i64, unit: TimeUnit) -> Option<i64> {
    Some(match unit {
        TimeUnit::Seconds => number.checked_mul(1_000)?,
        TimeUnit::Microseconds => number.div_euclid(1_000),
        TimeUnit::Nanoseconds => number.div_euclid(1_000_000),
        TimeUnit::Milliseconds | TimeUnit::Text => number,
    })
}

fn from_float(number: f64) -> Option<(i64, TimeUnit)> {
    if !number.is_finite() {
        return None;
    }
    let unit = unit_of(number);
    let ms = match unit {
        TimeUnit::Seconds => (number * 1_000.0).round(),
        TimeUnit::Microseconds => (number / 1_000.0).floor(),
        TimeUnit::Nanoseconds => (number / 1_000_000.0).floor(),
        TimeUnit::Milliseconds | TimeUnit::Text => number.floor(),
    };
    Some((ms as i64, unit))
}

fn from_text(cell: &[u8]) -> Option<(i64, TimeUnit)> {
    let text = std::str::from_utf8(cell).ok()?;
    if let Ok(number) = text.parse::<f64>() {
        return from_float(number);
    }
    Some((calendar(text)?, TimeUnit::Text))
}

/// Returns the instant of `YYYY-MM-DD`, optionally with a clock time and an offset; UTC where no offset stands.
fn calendar(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let parts = date.as_bytes();
    if !matches!((parts[4], parts[7]), (b'-', b'-') | (b'/', b'/')) {
        return None;
    }
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let (ms_of_day, offset_seconds) = match rest.strip_prefix([' ', 'T', 't']) {
        Some(clock) => clock_and_offset(clock)?,
        None if rest.is_empty() => (0, 0),
        None => return None,
    };
    let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_millisecond() + ms_of_day - offset_seconds * 1_000)
}

/// Returns the milliseconds since midnight and the offset in seconds of `HH:MM[:SS[.fff]][offset]` or `HH-AM`.
fn clock_and_offset(text: &str) -> Option<(i64, i64)> {
    if let Some((hour, half)) = text.split_once('-').filter(|(_, half)| half.len() == 2 && !is_digits(half)) {
        return Some((i64::from(hour_of_half_day(digits(hour)?, half)?) * 3_600_000, 0));
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(text.len());
    let (clock, offset) = text.split_at(end);
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = whole.split(':');
    let hour = two_digits(parts.next()?)?;
    let minute = two_digits(parts.next()?)?;
    let second = parts.next().map_or(Some(0), two_digits)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || !is_digits(fraction) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("00".chars()).take(3).collect();
    let ms = i64::from(digits(&thousandths)?);
    Some((((hour * 60 + minute) * 60 + second) * 1_000 + ms, offset_seconds(offset.trim())?))
}

fn hour_of_half_day(hour: i16, half: &str) -> Option<i16> {
    let shift = match half.to_ascii_uppercase().as_str() {
        "AM" => 0,
        "PM" => 12,
        _ => return None,
    };
    (1..=12).contains(&hour).then_some(hour % 12 + shift)
}

fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let compact: String = text[1..].chars().filter(|c| *c != ':').collect();
    if !is_digits(&compact) {
        return None;
    }
    let (hours, minutes) = match compact.len() {
        2 => (two_digits(&compact)?, 0),
        4 => (two_digits(&compact[..2])?, two_digits(&compact[2..])?),
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn two_digits(text: &str) -> Option<i64> {
    if text.len() == 2 { digits(text).map(i64::from) } else { None }
}

fn digits(text: &str) -> Option<i16> {
    if is_digits(text) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2025-04-03T17:15:00Z.
    const INSTANT: i64 = 1_743_700_500_000;

    #[test]
    fn magnitude_tells_the_unit() {
        use TimeUnit::*;
        let cases: [(&str, TimeUnit); 16] = [
            ("1743700500", Seconds),
            ("1743700500000", Milliseconds),
            ("1743700500000000", Microseconds),
            ("1743700500000999", Microseconds),
            ("1743700500000000000", Nanoseconds),
            ("1743700500.0", Seconds),
            ("1.7437005e9", Seconds),
            ("1743700500000.0", Milliseconds),
            ("2025-04-03 17:15:00+00:00", Text),
            ("2025-04-03T17:15:00Z", Text),
            ("2025-04-03 17:15", Text),
            ("2025/04/03 17:15:00.000", Text),
            ("2025-04-03 19:15:00+02:00", Text),
            ("2025-04-03 12:15:00.000000-0500", Text),
            ("2025-04-03 17:15:00 UTC", Text),
            ("2025-04-03T19:15:00+02", Text),
        ];
        for (text, unit) in cases {
            assert_eq!(parse(text.as_bytes()), Ok((INSTANT, unit)), "{text}");
        }
    }

    #[test]
    fn half_days_and_bare_dates() {
        let hour = |text: &str| parse(text.as_bytes()).map(|(ms, _)| ms / 3_600_000 % 24);
        assert_eq!(hour("2021-06-10 12-AM"), Ok(0));
        assert_eq!(hour("2021-06-10 01-PM"), Ok(13));
        assert_eq!(hour("2021-06-10 12-PM"), Ok(12));
        assert_eq!(parse(b"2012-01-31"), Ok((1_327_968_000_000, TimeUnit::Text)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let not_times = [
            "",
            "abc",
            "NULL",
            "2025-02-30",
            "2025-04-03x",
            "2025-04-03 25:00",
            "2025-04-03 13-PM",
            "nan",
            "2025-04-03 1:15",
            "31/01/2012",
            "2025-04-03 17:15:00+99:00",
            "99999999999999999999999x",
        ];
        for text in not_times {
            assert_eq!(parse(text.as_bytes()), Err(TimeError::NotATime), "{text:?}");
        }
        let beyond = [
            "0",
            "45",
            "20230101",
            "-5",
            "1e300",
            "9223372036854775807",
            "1889-01-01",
            "2100-01-01",
            "99999999999999999999",
        ];
        for text in beyond {
            assert_eq!(parse(text.as_bytes()), Err(TimeError::OutOfRange), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(cell in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok((ms, _)) = parse(&cell) {
                prop_assert!((TIME_MIN_MS..TIME_MAX_MS).contains(&ms));
            }
        }

        #[test]
        fn text_like_dates_are_survived(cell in "[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[ T]?[-+:.0-9APMZé]{0,14}") {
            if let Ok((ms, unit)) = parse(cell.as_bytes()) {
                prop_assert!((TIME_MIN_MS..TIME_MAX_MS).contains(&ms));
                prop_assert_eq!(unit, TimeUnit::Text);
            }
        }

        #[test]
        fn every_unit_gives_the_same_instant(seconds in TIME_MIN_MS / 1000..TIME_MAX_MS / 1000) {
            let ms = seconds * 1000;
            for scale in [1_i64, 1_000, 1_000_000, 1_000_000_000] {
                let text = (seconds * scale).to_string();
                prop_assert_eq!(parse(text.as_bytes()).map(|(ms, _)| ms), Ok(ms));
            }
            let iso = jiff::Timestamp::from_second(seconds).map(|t| t.to_string()).unwrap_or_default();
            prop_assert_eq!(parse(iso.as_bytes()), Ok((ms, TimeUnit::Text)));
        }
    }
}
