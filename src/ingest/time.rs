//! Instants from bytes: integers and floats in four units, and ISO-like text.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use serde::{Deserialize, Serialize};

/// 1990-01-01 in UTC milliseconds: no candle is older.
pub const TIME_MIN_MS: i64 = 631_152_000_000;
/// 2100-01-01 in UTC milliseconds: no candle is younger.
pub const TIME_MAX_MS: i64 = 4_102_444_800_000;

/// How an instant was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TimeUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    /// ISO-like text.
    Text,
}

impl TimeUnit {
    /// All units, in the order they are reported.
    pub const ALL: [Self; 5] =
        [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds, Self::Text];

    /// Returns the short name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
            Self::Text => "text",
        }
    }
}

/// Why a cell is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum TimeError {
    #[error("expected seconds, milliseconds, microseconds, nanoseconds or text like `2025-01-31 17:15:00`")]
    NotATime,
    #[error("expected a time between 1990 and 2100")]
    OutOfRange,
    #[error("expected a local time that there is once, found one of an hour that clocks leave out or repeat")]
    NotInZone,
}

/// Reads times that say neither their offset nor which number is the day.
#[derive(Debug, Clone, Default)]
pub(super) struct LocalClock {
    /// Where the clock hangs; `None` for UTC.
    zone: Option<TimeZone>,
    /// Dates with the year at their end begin with the day, as the file has shown; the month is taken to come first until
    /// it does.
    day_first: bool,
    /// Dates that leave open which number is the day are none.
    strict: bool,
    seen: SeenDates,
}

/// What dates with the year at their end have shown.
#[derive(Debug, Clone, Copy, Default)]
struct SeenDates {
    /// Dates in which the first number can only be the day.
    day_first: bool,
    /// Dates in which the second number can only be the day.
    month_first: bool,
    /// Dates that can be read either way, and as different days.
    either: bool,
}

/// What all dates of a file say of their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatesSay {
    /// The dates were read rightly.
    Settled,
    /// They have to be read again, the day first.
    DayFirst,
    /// Every date can be read either way.
    Nothing,
    /// Some can be read in one order only, some in the other.
    Both,
}

impl LocalClock {
    /// Returns a clock of a zone, `None` being UTC; `day_first` where the file has shown that of its dates.
    pub(super) fn new(zone: Option<TimeZone>, day_first: bool) -> Self {
        Self { zone, day_first, strict: false, seen: SeenDates::default() }
    }

    /// Returns a clock for which dates such as `1/2/2025` are none.
    pub(super) fn strict(zone: Option<TimeZone>) -> Self {
        Self { strict: true, ..Self::new(zone, false) }
    }

    /// Returns the instant in UTC milliseconds (finer parts cut off) and how it was written; see [`parse_time`].
    #[inline]
    pub(super) fn parse(&mut self, cell: &[u8]) -> Result<(i64, TimeUnit), TimeError> {
        if let Some(number) = parse_integer(cell) {
            let (ms, unit) = from_integer(number);
            return in_range(ms, unit);
        }
        let text = std::str::from_utf8(cell).map_err(|_| TimeError::NotATime)?;
        if let Ok(number) = text.parse::<f64>() {
            let (ms, unit) = from_float(number).ok_or(TimeError::NotATime)?;
            return in_range(ms, unit);
        }
        in_range(self.calendar(text)?, TimeUnit::Text)
    }

    /// Returns the instant of a day and a time of day that stand in two cells.
    ///
    /// Either may be a whole instant of its own, which then counts.
    pub(super) fn joined(&mut self, date: &[u8], time: &[u8]) -> Result<(i64, TimeUnit), TimeError> {
        let alone = |cell: &[u8]| cell.len() >= 10 && !(cell.len() <= 12 && cell.contains(&b':'));
        if alone(time)
            && let Ok(instant) = self.parse(time)
        {
            return Ok(instant);
        }
        let (date, time) = (std::str::from_utf8(date), std::str::from_utf8(time));
        let (date, time) = (date.map_err(|_| TimeError::NotATime)?, time.map_err(|_| TimeError::NotATime)?);
        let padded = is_digits(time) && time.len() < 4;
        let text = if padded { format!("{date} {time:0>4}") } else { format!("{date} {time}") };
        in_range(self.calendar(&text)?, TimeUnit::Text)
    }

    /// Returns the instant of what the clock shows, given as if it hung in UTC.
    #[cfg(feature = "columnar")]
    pub(super) fn of_local(&self, shown: i64) -> Result<i64, TimeError> {
        match &self.zone {
            None => Ok(shown),
            Some(zone) => in_zone(zone, shown),
        }
    }

    /// Returns what the dates read so far say of their order.
    pub(super) fn dates_say(&self) -> DatesSay {
        let SeenDates { day_first, month_first, either } = self.seen;
        match (day_first, month_first) {
            (true, true) => DatesSay::Both,
            (true, false) if either && !self.day_first => DatesSay::DayFirst,
            (false, false) if either => DatesSay::Nothing,
            _ => DatesSay::Settled,
        }
    }

    /// Returns the instant of a date, optionally with a time of day and an offset.
    fn calendar(&mut self, text: &str) -> Result<i64, TimeError> {
        let (date, rest) = self.date(text).ok_or(TimeError::NotATime)?;
        let clock = match rest.strip_prefix([' ', 'T', 't']) {
            Some(clock) => clock_and_offset(clock.trim_start()).ok_or(TimeError::NotATime)?,
            None if rest.is_empty() => (0, None),
            None => return Err(TimeError::NotATime),
        };
        let (ms_of_day, offset_seconds) = clock;
        let midnight = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| TimeError::OutOfRange)?;
        let utc = midnight.as_millisecond() + ms_of_day;
        match (offset_seconds, &self.zone) {
            (Some(offset), _) => Ok(utc - offset * 1_000),
            (None, None) => Ok(utc),
            (None, Some(zone)) => in_zone(zone, utc),
        }
    }

    /// Returns the date that a text begins with, and what follows.
    fn date<'t>(&mut self, text: &'t str) -> Option<(Date, &'t str)> {
        let (first, text_after) = leading_digits(text)?;
        if first.len() == 8 {
            return Some((ymd(&first[..4], &first[4..6], &first[6..])?, text_after));
        }
        let separator = text_after.chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
        let (second, rest) = leading_digits(&text_after[1..])?;
        let (third, rest) = leading_digits(rest.strip_prefix(separator)?)?;
        if first.len() == 4 {
            return Some((ymd(first, second, third)?, rest));
        }
        let date = if third.len() != 4 {
            None
        } else if separator == '.' {
            // Nobody writes months first with dots between.
            ymd(third, second, first)
        } else {
            self.year_last(first, second, third)
        };
        Some((date?, rest))
    }

    fn year_last(&mut self, first: &str, second: &str, year: &str) -> Option<Date> {
        let (day_first, month_first) = (ymd(year, second, first), ymd(year, first, second));
        match (day_first, month_first) {
            _ if self.strict => return None,
            (Some(a), Some(b)) if a == b => return Some(a),
            (Some(_), Some(_)) => self.seen.either = true,
            (Some(_), None) => self.seen.day_first = true,
            (None, Some(_)) => self.seen.month_first = true,
            (None, None) => return None,
        }
        if self.day_first { day_first } else { month_first.or(day_first) }
    }
}

/// Returns the instant of a local time, given as if it were UTC.
fn in_zone(zone: &TimeZone, utc: i64) -> Result<i64, TimeError> {
    let civil = jiff::Timestamp::from_millisecond(utc).map_err(|_| TimeError::OutOfRange)?;
    let civil: DateTime = Offset::UTC.to_datetime(civil);
    let instant = zone.to_ambiguous_timestamp(civil).unambiguous().map_err(|_| TimeError::NotInZone)?;
    Ok(instant.as_millisecond())
}

/// Returns the digits a text begins with, of which there are some, and what follows.
fn leading_digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn ymd(year: &str, month: &str, day: &str) -> Option<Date> {
    if year.len() != 4 || month.len() > 2 || day.len() > 2 {
        return None;
    }
    let (month, day) = (i8::try_from(digits(month)?).ok()?, i8::try_from(digits(day)?).ok()?);
    Date::new(digits(year)?, month, day).ok()
}

/// Returns the instant in UTC milliseconds (finer parts cut off) and how it was written; text without an offset is UTC.
///
/// The four units do not overlap between 1990 and 2100, so that the magnitude of each number tells its unit. A date in
/// which the day and the month could be taken for each other is none.
pub(super) fn parse_time(cell: &[u8]) -> Result<(i64, TimeUnit), TimeError> {
    LocalClock::strict(None).parse(cell)
}

/// Returns the midnight of `YYYYMMDD` or `YYYY-MM-DD` in UTC milliseconds.
pub(super) fn parse_midnight(text: &str) -> Option<i64> {
    let compact = text.len() == 8 && is_digits(text);
    let written = || format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]);
    let written = if compact { written() } else { text.to_owned() };
    let (ms, _) = parse_time(written.as_bytes()).ok().filter(|_| written.len() == 10)?;
    (TIME_MIN_MS..TIME_MAX_MS).contains(&ms).then_some(ms)
}

/// Returns the instant of a number in one of the four units; see [`parse_time`].
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

/// Returns the instant of an integer; see [`parse_time`].
#[cfg(feature = "columnar")]
pub(super) fn of_integer(number: i64) -> Result<(i64, TimeUnit), TimeError> {
    let (ms, unit) = from_integer(number);
    in_range(ms, unit)
}

fn in_range(ms: i64, unit: TimeUnit) -> Result<(i64, TimeUnit), TimeError> {
    if (TIME_MIN_MS..TIME_MAX_MS).contains(&ms) { Ok((ms, unit)) } else { Err(TimeError::OutOfRange) }
}

/// Returns the value of up to 18 digits, or 19 that fit.
fn parse_integer(cell: &[u8]) -> Option<i64> {
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

/// Returns the milliseconds since midnight and the offset in seconds of `HH:MM[:SS[.fff]][ AM][offset]`, `HHMM[SS]` or
/// `HH-AM`; `24:00` is the end of the day.
fn clock_and_offset(text: &str) -> Option<(i64, Option<i64>)> {
    if let Some((hour, half)) = text.split_once('-').filter(|(_, half)| half.len() == 2 && !is_digits(half)) {
        return Some((i64::from(hour_of_half_day(digits(hour)?, half)?) * 3_600_000, None));
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = clock_parts(whole)?;
    let (half, offset) = match rest.trim_start().split_at_checked(2) {
        Some((half, offset)) if half.to_ascii_uppercase().ends_with('M') && !half.starts_with(['G', 'g']) => {
            (Some(half), offset)
        }
        _ => (None, rest),
    };
    let hour = match half {
        Some(half) => i64::from(hour_of_half_day(i16::try_from(hour).ok()?, half)?),
        None => hour,
    };
    let end_of_day = hour == 24 && minute == 0 && second == 0 && fraction.bytes().all(|digit| digit == b'0');
    if !(hour <= 23 || end_of_day) || minute > 59 || second > 59 || !is_digits(fraction) {
        return None;
    }
    let thousandths: String = fraction.chars().chain("00".chars()).take(3).collect();
    let ms = i64::from(digits(&thousandths)?);
    Some((((hour * 60 + minute) * 60 + second) * 1_000 + ms, offset_seconds(offset.trim())?))
}

/// Returns hour, minute and second of `H:MM`, `H:MM:SS`, `HHMM` or `HHMMSS`.
fn clock_parts(text: &str) -> Option<[i64; 3]> {
    let number = |text: &str| if text.len() == 2 { digits(text).map(i64::from) } else { None };
    if is_digits(text) {
        return match text.len() {
            4 => Some([number(&text[..2])?, number(&text[2..])?, 0]),
            6 => Some([number(&text[..2])?, number(&text[2..4])?, number(&text[4..])?]),
            _ => None,
        };
    }
    let mut parts = text.split(':');
    let hour = parts.next().filter(|hour| hour.len() <= 2).and_then(digits)?;
    let minute = number(parts.next()?)?;
    let second = parts.next().map_or(Some(0), number)?;
    parts.next().is_none().then_some([i64::from(hour), minute, second])
}

fn hour_of_half_day(hour: i16, half: &str) -> Option<i16> {
    let shift = match half.to_ascii_uppercase().as_str() {
        "AM" => 0,
        "PM" => 12,
        _ => return None,
    };
    (1..=12).contains(&hour).then_some(hour % 12 + shift)
}

/// Returns the offset a text gives in seconds, `None` within where nothing stands.
fn offset_seconds(text: &str) -> Option<Option<i64>> {
    match text {
        "" => return Some(None),
        "Z" | "z" | "UTC" | "GMT" => return Some(Some(0)),
        _ => {}
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
    (hours <= 14 && minutes <= 59).then_some(Some(sign * (hours * 3_600 + minutes * 60)))
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
            assert_eq!(parse_time(text.as_bytes()), Ok((INSTANT, unit)), "{text}");
        }
    }

    #[test]
    fn half_days_and_bare_dates() {
        let hour = |text: &str| parse_time(text.as_bytes()).map(|(ms, _)| ms / 3_600_000 % 24);
        assert_eq!(hour("2021-06-10 12-AM"), Ok(0));
        assert_eq!(hour("2021-06-10 01-PM"), Ok(13));
        assert_eq!(hour("2021-06-10 12-PM"), Ok(12));
        assert_eq!(hour("2021-06-10 1:00 AM"), Ok(1));
        assert_eq!(hour("2021-06-10 1:00:00 pm"), Ok(13));
        assert_eq!(parse_time(b"2012-01-31"), Ok((1_327_968_000_000, TimeUnit::Text)));
    }

    #[test]
    fn spreadsheets_write_fewer_digits_and_a_day_of_24_hours() {
        let same = |text: &str, other: &str| {
            let read = parse_time(text.as_bytes());
            assert!(read.is_ok(), "{text}");
            assert_eq!(read, parse_time(other.as_bytes()), "{text}");
        };
        same("2025/10/2 0:00", "2025-10-02 00:00");
        same("2025-1-2 9:05:00", "2025-01-02 09:05");
        same("2025-01-31 24:00:00", "2025-02-01 00:00");
        same("2025-12-31T24:00", "2026-01-01T00:00Z");
        same("20250131 093000", "2025-01-31 09:30");
        same("31.01.2025 9:30", "2025-01-31 09:30");
        same("2025.01.31 09:30", "2025-01-31 09:30");
    }

    #[test]
    fn the_whole_file_tells_which_number_is_the_day() {
        let say = |dates: &[&str], day_first| {
            let mut clock = LocalClock::new(None, day_first);
            let days: Vec<i64> = dates
                .iter()
                .map(|date| clock.parse(date.as_bytes()).map_or(0, |(ms, _)| ms / 86_400_000 - 20_089))
                .collect();
            (clock.dates_say(), days)
        };
        // Counted from 2025-01-01.
        assert_eq!(say(&["1/2/2025 0:00", "1/13/2025 0:00"], false), (DatesSay::Settled, vec![1, 12]));
        let (says, _) = say(&["1/2/2025 0:00", "13/2/2025 0:00"], false);
        assert_eq!(says, DatesSay::DayFirst);
        let (says, days) = say(&["1/2/2025 0:00", "13/2/2025 0:00"], true);
        assert_eq!((says, days), (DatesSay::Settled, vec![31, 43]));
        assert_eq!(say(&["1/2/2025", "2/2/2025"], false).0, DatesSay::Nothing);
        assert_eq!(say(&["1/13/2025", "13/1/2025"], false).0, DatesSay::Both);
        assert_eq!(say(&["3/3/2025"], false).0, DatesSay::Settled, "either way the same day");
    }

    #[test]
    fn a_day_and_a_time_of_day_in_two_cells() {
        let mut clock = LocalClock::default();
        let wanted = parse_time(b"2025-01-31 00:15:00");
        for (date, time) in [
            ("2025.01.31", "00:15"),
            ("20250131", "001500"),
            ("20250131", "0015"),
            ("20250131", "15"),
            ("2025-01-31", "0:15:00"),
            ("2025-01-31", "2025-01-31 00:15:00"),
        ] {
            assert_eq!(clock.joined(date.as_bytes(), time.as_bytes()), wanted, "{date} {time}");
        }
        let epoch = clock.joined(b"2025-01-31", b"1738282500");
        assert_eq!(epoch.map(|(ms, _)| ms), wanted.map(|(ms, _)| ms));
    }

    #[test]
    fn local_times_are_of_their_zone_where_no_offset_stands() {
        let zone = |name: &str| LocalClock::new(Some(TimeZone::get(name).expect("bundled")), false);
        let utc = |text: &str| parse_time(text.as_bytes()).map(|(ms, _)| ms);
        let mut shanghai = zone("Asia/Shanghai");
        let ms = |clock: &mut LocalClock, text: &str| clock.parse(text.as_bytes()).map(|(ms, _)| ms);
        assert_eq!(ms(&mut shanghai, "2025-01-01 08:00"), utc("2025-01-01 00:00"));
        assert_eq!(ms(&mut shanghai, "2025-01-01 08:00Z"), utc("2025-01-01 08:00"));
        assert_eq!(ms(&mut shanghai, "2025-01-01 08:00+02:00"), utc("2025-01-01 06:00"));
        assert_eq!(ms(&mut shanghai, "1735689600"), Ok(1_735_689_600_000));
        let mut berlin = zone("Europe/Berlin");
        assert_eq!(ms(&mut berlin, "2025-07-01 02:00"), utc("2025-07-01 00:00"));
        assert_eq!(ms(&mut berlin, "2025-03-30 02:30"), Err(TimeError::NotInZone));
        assert_eq!(ms(&mut berlin, "2025-10-26 02:30"), Err(TimeError::NotInZone));
        assert_eq!(ms(&mut berlin, "2025-10-26 03:00"), utc("2025-10-26 02:00"));
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
            "2025-04-03 24:15",
            "2025-04-03 24:00:01",
            "2025-04-03 1:5",
            "03/04/25",
            "31/01/2012",
            "2025-04-03 17:15:00+99:00",
            "99999999999999999999999x",
        ];
        for text in not_times {
            assert_eq!(parse_time(text.as_bytes()), Err(TimeError::NotATime), "{text:?}");
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
            assert_eq!(parse_time(text.as_bytes()), Err(TimeError::OutOfRange), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(cell in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok((ms, _)) = parse_time(&cell) {
                prop_assert!((TIME_MIN_MS..TIME_MAX_MS).contains(&ms));
            }
        }

        #[test]
        fn text_like_dates_are_survived(cell in "[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[ T]?[-+:.0-9APMZé]{0,14}") {
            if let Ok((ms, unit)) = parse_time(cell.as_bytes()) {
                prop_assert!((TIME_MIN_MS..TIME_MAX_MS).contains(&ms));
                prop_assert_eq!(unit, TimeUnit::Text);
            }
        }

        #[test]
        fn every_unit_gives_the_same_instant(seconds in TIME_MIN_MS / 1000..TIME_MAX_MS / 1000) {
            let ms = seconds * 1000;
            for scale in [1_i64, 1_000, 1_000_000, 1_000_000_000] {
                let text = (seconds * scale).to_string();
                prop_assert_eq!(parse_time(text.as_bytes()).map(|(ms, _)| ms), Ok(ms));
            }
            let iso = jiff::Timestamp::from_second(seconds).map(|t| t.to_string()).unwrap_or_default();
            prop_assert_eq!(parse_time(iso.as_bytes()), Ok((ms, TimeUnit::Text)));
        }
    }
}
