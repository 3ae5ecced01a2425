//! Instants are UTC milliseconds (`i64`); intervals and days are newtypes over them.

use std::fmt;
use std::str::FromStr;

/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds in a UTC day.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// Milliseconds in a week.
const WEEK_MS: i64 = 7 * DAY_MS;
/// 1970-01-05, the first Monday.
const FIRST_MONDAY_MS: i64 = 4 * DAY_MS;

/// The length of a candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(i64);

/// An interval that is not a whole number of minutes, or not written like `15m`, `1h`, `4h`, `1d`, `1w`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an interval such as 15m, 1h or 1d, found {found:?}")]
pub struct IntervalError {
    /// The text that was given.
    pub found: String,
}

impl Interval {
    /// The default base interval of the optimizer.
    pub const M15: Self = Self(15 * MINUTE_MS);

    /// Returns the interval of so many minutes (at least one).
    pub fn from_minutes(minutes: u32) -> Self {
        assert!(minutes > 0, "an interval has at least one minute");
        Self(i64::from(minutes) * MINUTE_MS)
    }

    /// Returns the length in milliseconds.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Returns the length in hours.
    pub fn hours(self) -> f64 {
        self.0 as f64 / HOUR_MS as f64
    }

    /// Returns the interval of so many candles of this one.
    pub(super) fn times(self, count: i64) -> Self {
        Self(self.0 * count)
    }

    /// Returns the open time of the candle that covers an instant: candles are counted from 1970-01-01, weeks begin on
    /// Mondays.
    pub fn floor(self, time_ms: i64) -> i64 {
        let origin = if self.0 == WEEK_MS { FIRST_MONDAY_MS } else { 0 };
        (time_ms - origin).div_euclid(self.0) * self.0 + origin
    }

    /// Returns how many candles of this interval a finer or equal one is split into, or `None` if it does not divide.
    pub fn divided_by(self, finer: Self) -> Option<usize> {
        (self.0 % finer.0 == 0).then(|| (self.0 / finer.0) as usize)
    }

    /// Returns how many whole candles fit in so many hours (to the millisecond), rounded up, at least one.
    pub fn bars_in_hours(self, hours: f64) -> usize {
        ((hours * HOUR_MS as f64).round() / self.0 as f64).ceil().max(1.0) as usize
    }

    /// Returns whether so many hours (to the millisecond) are one whole candle or more.
    pub fn is_whole_in_hours(self, hours: f64) -> bool {
        let ms = (hours * HOUR_MS as f64).round();
        ms >= self.0 as f64 && ms % self.0 as f64 == 0.0
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == WEEK_MS {
            return f.write_str("1w");
        }
        for (unit, ms) in [('d', DAY_MS), ('h', HOUR_MS)] {
            if self.0 % ms == 0 {
                return write!(f, "{}{unit}", self.0 / ms);
            }
        }
        write!(f, "{}m", self.0 / MINUTE_MS)
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || IntervalError { found: text.to_owned() };
        let unit = text.chars().last().ok_or_else(bad)?;
        let unit_ms = match unit {
            'm' => MINUTE_MS,
            'h' => HOUR_MS,
            'd' => DAY_MS,
            'w' => WEEK_MS,
            _ => return Err(bad()),
        };
        let digits = &text[..text.len() - 1];
        let count: i64 = digits.parse().map_err(|_| bad())?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        if !plain || count < 1 || count > WEEK_MS / unit_ms {
            return Err(bad());
        }
        Ok(Self(count * unit_ms))
    }
}

/// A UTC calendar day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Day(pub i32);

impl Day {
    /// Returns the day an instant falls in.
    pub fn of(time_ms: i64) -> Self {
        Self(time_ms.div_euclid(DAY_MS) as i32)
    }

    /// Returns the first instant of the day.
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS
    }

    /// Returns the first instant of the next day.
    pub fn end_ms(self) -> i64 {
        self.start_ms() + DAY_MS
    }

    /// Parses `YYYYMMDD` or `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let dashed = match text.len() {
            8 if digits(text) => format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]),
            _ => text.to_owned(),
        };
        let parts: Vec<&str> = dashed.split('-').collect();
        let is_plain =
            parts.iter().all(|part| digits(part)) && parts.iter().map(|part| part.len()).eq([4, 2, 2]);
        let date: jiff::civil::Date = is_plain.then(|| dashed.parse().ok())??;
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self::of(midnight.timestamp().as_millisecond()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", rfc3339(self.start_ms()).split('T').next().unwrap_or_default())
    }
}

/// Returns an instant as RFC 3339 text in UTC, to the second; `-` where the calendar does not reach.
pub fn rfc3339(time_ms: i64) -> String {
    jiff::Timestamp::from_second(time_ms.div_euclid(1000))
        .map_or_else(|_| "-".to_owned(), |instant| instant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_print_as_they_parse() {
        for text in ["1m", "5m", "15m", "1h", "4h", "1d", "3d", "1w"] {
            assert_eq!(text.parse::<Interval>().map(|i| i.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "m", "0m", "-5m", "+5m", "15", "15x", "99999d", "2w", "1M"] {
            assert!(text.parse::<Interval>().is_err(), "{text:?} is no interval");
        }
    }

    #[test]
    fn weeks_begin_on_mondays_and_other_candles_at_the_epoch() {
        let floor = |interval: &str, date: &str| {
            let interval: Interval = interval.parse().expect("an interval");
            Day::of(interval.floor(Day::parse(date).expect("a day").start_ms())).to_string()
        };
        assert_eq!(floor("1w", "2025-01-05"), "2024-12-30");
        assert_eq!(floor("1w", "2025-01-06"), "2025-01-06");
        assert_eq!(floor("3d", "1970-01-03"), "1970-01-01");
    }

    #[test]
    fn hours_are_whole_candles_or_not() {
        let minutes = Interval::from_minutes;
        for (hours, base, bars) in
            [(0.1, 3, 2), (0.7, 3, 14), (0.333_333_3, 5, 4), (7.25, 15, 29), (48.0, 1440, 2)]
        {
            assert!(minutes(base).is_whole_in_hours(hours), "{hours} h of {base}m");
            assert_eq!(minutes(base).bars_in_hours(hours), bars, "{hours} h of {base}m");
        }
        for (hours, base) in [(0.1, 15), (7.3, 15), (0.33, 5), (4.0, 1440), (36.0, 1440), (0.0, 1), (-1.0, 1)]
        {
            assert!(!minutes(base).is_whole_in_hours(hours), "{hours} h of {base}m");
        }
    }

    #[test]
    fn days_print_as_they_parse_and_hold_before_the_epoch() {
        assert_eq!(Day::parse("20250131").map(|d| d.to_string()), Some("2025-01-31".to_owned()));
        assert_eq!(Day::parse("2025-01-31"), Day::parse("20250131"));
        for text in [
            "20250230",
            "-20250131",
            "2025-0131",
            "2025--01-31",
            "20-25-01-31",
            "2025-1-31",
            "2025013",
            "é250131",
            "",
        ] {
            assert_eq!(Day::parse(text), None, "{text:?}");
        }
        assert_eq!(Day::of(-1), Day(-1));
        assert_eq!(rfc3339(1_735_689_600_000), "2025-01-01T00:00:00Z");
    }
}
