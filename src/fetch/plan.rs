//! What to ask for: markets, spans that are missing, parts of archives, pauses. No network, disk or clock.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::error::FetchError;
use super::exchange::Exchange;
use crate::ingest::claims_of;
use crate::model::{DAY_MS, Day, Interval, MINUTE_MS, Symbol};

/// After a candle's end the exchange may still count a late trade in; ms.
const SETTLE_MS: i64 = 5_000;
/// Days after the end of a month by which its archive is published.
const MONTH_PUBLISHED_DAYS: i32 = 10;
/// Share of the weight a minute allows that is used, in percent: others may share the address.
const WEIGHT_PERCENT: u64 = 80;

/// Whose candles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Market {
    /// Spot trading.
    Spot,
    /// Perpetual futures margined in USDT.
    UsdtM,
}

impl Market {
    /// Returns the name, which is also that of the folder.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::UsdtM => "usdt-m",
        }
    }
}

/// Where candles come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The exchange's interface: up to the last closed candle.
    Rest,
    /// Published archives of whole months and days: up to yesterday.
    Archive,
}

impl Source {
    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Archive => "archive",
        }
    }
}

/// A market's name as the exchange writes it; safe in paths and addresses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticker(String);

impl Ticker {
    /// Parses a name whose files will be read as what they are.
    ///
    /// Errors: anything but 2 to 32 of `A-Z 0-9 _ -`; a name whose file would be taken for another symbol, or none
    pub fn parse(text: &str, interval: Interval) -> Result<Self, FetchError> {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        if !(2..=32).contains(&text.len()) || !text.bytes().all(allowed) {
            return Err(FetchError::Ticker { found: text.chars().take(40).collect() });
        }
        let ticker = Self(text.to_owned());
        let (symbol, _) = claims_of(ticker.csv_name(interval).as_ref());
        match symbol {
            Some(symbol) if Some(&symbol) == Symbol::parse(text).as_ref() => Ok(ticker),
            read_as => Err(FetchError::TickerName {
                ticker: text.to_owned(),
                read_as: read_as.map_or_else(|| "none".to_owned(), |symbol| symbol.to_string()),
            }),
        }
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn csv_name(&self, interval: Interval) -> String {
        format!("{self}-{interval}.csv")
    }
}

impl fmt::Display for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns an interval that an exchange has.
pub fn interval(exchange: &dyn Exchange, text: &str) -> Result<Interval, FetchError> {
    let known = exchange.intervals();
    let found = known.contains(&text).then(|| text.parse().ok()).flatten();
    found.ok_or_else(|| FetchError::Interval { found: text.to_owned(), known: known.join(", ") })
}

/// Returns the open times that can be asked for: whole candles that have closed by now.
///
/// Errors: a span without any
pub(super) fn wanted(
    since_ms: i64,
    until_ms: Option<i64>,
    interval: Interval,
    now_ms: i64,
) -> Result<Range<i64>, FetchError> {
    let closed = interval.floor(now_ms - SETTLE_MS);
    let end = until_ms.map_or(closed, |until| interval.floor(until).min(closed));
    let start = -interval.floor(-since_ms);
    if start >= end {
        return Err(FetchError::Span { since_ms, until_ms: until_ms.unwrap_or(now_ms) });
    }
    Ok(start..end)
}

/// Returns whether a candle had closed for good at an instant.
pub(super) fn is_closed(open_ms: i64, interval: Interval, now_ms: i64) -> bool {
    open_ms + interval.ms() <= now_ms
}

/// Returns what is wanted and not held, in order; what is held may overlap and be in any order.
pub(super) fn missing(wanted: &Range<i64>, held: &[Range<i64>]) -> Vec<Range<i64>> {
    let mut held: Vec<&Range<i64>> = held.iter().filter(|span| !span.is_empty()).collect();
    held.sort_by_key(|span| span.start);
    let mut spans = Vec::new();
    let mut at = wanted.start;
    for span in held {
        if span.start > at {
            spans.push(at..span.start.min(wanted.end));
        }
        at = at.max(span.end);
        if at >= wanted.end {
            break;
        }
    }
    if at < wanted.end {
        spans.push(at..wanted.end);
    }
    spans.retain(|span| !span.is_empty());
    spans
}

/// A file of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The month that begins with a day.
    Month(Day),
    /// One day.
    Day(Day),
}

impl Part {
    /// Returns the month of a day.
    pub(super) fn month_of(day: Day) -> Self {
        let text = day.to_string();
        Self::Month(Day::parse(&format!("{}-01", &text[..text.len() - 3])).unwrap_or(day))
    }

    fn end(self) -> Day {
        match self {
            // The 32nd day of any month is in the next one.
            Self::Month(first) => match Self::month_of(Day(first.0 + 31)) {
                Self::Month(next) | Self::Day(next) => next,
            },
            Self::Day(day) => Day(day.0 + 1),
        }
    }

    fn first(self) -> Day {
        match self {
            Self::Month(day) | Self::Day(day) => day,
        }
    }

    /// Returns the open times it covers.
    pub(super) fn span(self) -> Range<i64> {
        self.first().start_ms()..self.end().start_ms()
    }

    /// Returns the days of a month whose archive may not be published yet, none once it must have been.
    pub(super) fn days_instead(self, now_ms: i64) -> Vec<Self> {
        let late = Day::of(now_ms).0 >= self.end().0 + MONTH_PUBLISHED_DAYS;
        match self {
            Self::Month(first) if !late => (first.0..self.end().0).map(|day| Self::Day(Day(day))).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the name of the file.
    pub fn name(self, ticker: &Ticker, interval: Interval) -> String {
        let date = self.first().to_string();
        let date = if let Self::Month(_) = self { &date[..date.len() - 3] } else { &date };
        format!("{ticker}-{interval}-{date}.zip")
    }

    /// Returns the part that a file name stands for.
    pub(super) fn of_name(name: &str, ticker: &Ticker, interval: Interval) -> Option<Self> {
        let date = name.strip_prefix(&format!("{ticker}-{interval}-"))?.strip_suffix(".zip")?;
        let part = match date.len() {
            7 => Self::Month(Day::parse(&format!("{date}-01"))?),
            10 => Self::Day(Day::parse(date)?),
            _ => return None,
        };
        (part.name(ticker, interval) == name).then_some(part)
    }
}

/// Returns the archives to get: whole months where nothing of them is held and they are over, days otherwise.
///
/// What is held in part is left to the other source: archives do not overlap with candles that are there.
pub(super) fn archive_parts(wanted: &Range<i64>, held: &[Range<i64>], now_ms: i64) -> Vec<Part> {
    let overlaps = |span: &Range<i64>| held.iter().any(|held| held.start < span.end && span.start < held.end);
    let mut parts = Vec::new();
    let mut month = Part::month_of(Day::of(wanted.start));
    while month.span().start < wanted.end {
        let span = month.span();
        if span.end <= wanted.end && !overlaps(&span) {
            parts.push(month);
        } else {
            let days = (month.first().0..month.end().0).map(|day| Part::Day(Day(day)));
            let over = |part: &Part| part.span().end <= now_ms;
            let inside = |part: &Part| part.span().start < wanted.end && part.span().end > wanted.start;
            parts.extend(days.filter(|day| over(day) && inside(day) && !overlaps(&day.span())));
        }
        month = Part::month_of(month.end());
    }
    parts
}

/// Returns how long to pause when most of a minute's weight is used: to the end of the exchange's minute.
pub(super) fn pause(used: u64, allowed: u64, server_ms: i64) -> Option<Duration> {
    let left = MINUTE_MS - server_ms.rem_euclid(MINUTE_MS);
    (used.saturating_mul(100) >= allowed.saturating_mul(WEIGHT_PERCENT))
        .then(|| Duration::from_millis(left.unsigned_abs()))
}

/// Returns the days that a span of open times touches.
pub(super) fn days(span: &Range<i64>) -> (Day, Day) {
    (Day::of(span.start), Day((span.end - 1).div_euclid(DAY_MS) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::exchange::EXCHANGES;

    const M15: i64 = 15 * MINUTE_MS;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    #[test]
    fn names_that_could_leave_the_folder_or_be_misread_are_refused() {
        for good in ["BTCUSDT", "1000PEPEUSDT", "ETHBTC"] {
            assert_eq!(Ticker::parse(good, Interval::M15).map(|t| t.to_string()).ok().as_deref(), Some(good));
        }
        for bad in [
            "",
            "B",
            "btcusdt",
            "../BTCUSDT",
            "BTC/USDT",
            "BTCUSDT.",
            "BTC USDT",
            "BTCUSDT\0",
            &"A".repeat(33),
        ] {
            assert!(matches!(Ticker::parse(bad, Interval::M15), Err(FetchError::Ticker { .. })), "{bad:?}");
        }
        assert!(
            Ticker::parse("BTCUSDT_250328", Interval::M15).is_ok(),
            "a dated contract is a symbol of its own"
        );
        for misread in ["FOOBAR", "--"] {
            assert!(
                matches!(Ticker::parse(misread, Interval::M15), Err(FetchError::TickerName { .. })),
                "{misread}"
            );
        }
    }

    #[test]
    fn only_intervals_of_the_exchange_pass() {
        let interval = |text: &str| super::interval(EXCHANGES[0], text);
        for text in EXCHANGES[0].intervals() {
            assert_eq!(interval(text).map(|interval| interval.to_string()).ok().as_deref(), Some(*text));
        }
        for text in ["7m", "3d", "60m", "", "1M"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_open_candle_is_never_wanted() {
        let now = 10 * M15 + SETTLE_MS;
        assert_eq!(wanted(1, None, Interval::M15, now).ok(), Some(M15..10 * M15));
        assert_eq!(
            wanted(0, None, Interval::M15, now - 1).ok(),
            Some(0..9 * M15),
            "late trades may still come"
        );
        assert_eq!(wanted(0, Some(3 * M15 + 1), Interval::M15, now).ok(), Some(0..3 * M15));
        assert!(wanted(10 * M15, None, Interval::M15, now).is_err());
        assert!(wanted(5, Some(4), Interval::M15, now).is_err());
    }

    #[test]
    fn what_is_held_is_not_missing() {
        let missing = |first: i64, end: i64, held: &[(i64, i64)]| -> Vec<(i64, i64)> {
            let held: Vec<Range<i64>> = held.iter().map(|(first, end)| *first..*end).collect();
            missing(&(first..end), &held).into_iter().map(|span| (span.start, span.end)).collect()
        };
        assert_eq!(missing(0, 10, &[]), [(0, 10)]);
        assert_eq!(missing(0, 10, &[(4, 6), (2, 3), (5, 7)]), [(0, 2), (3, 4), (7, 10)]);
        assert_eq!(missing(5, 10, &[(0, 20)]), []);
        assert_eq!(missing(5, 10, &[(0, 5), (10, 12), (20, 30)]), [(5, 10)]);
        assert_eq!(missing(5, 10, &[(0, 6), (9, 9), (9, 30)]), [(6, 9)]);
    }

    #[test]
    fn archives_are_months_where_they_can_be() {
        let now = day("2025-03-04").start_ms() + 5 * MINUTE_MS;
        let wanted = day("2025-01-15").start_ms()..now;
        let parts = archive_parts(&wanted, &[], now);
        let (january, february) = (Part::Month(day("2025-01-01")), Part::Month(day("2025-02-01")));
        let march = ["2025-03-01", "2025-03-02", "2025-03-03"].map(|text| Part::Day(day(text)));
        assert_eq!(parts, [&[january, february][..], &march].concat());
        let held = [day("2025-02-02").start_ms()..day("2025-02-28").start_ms(), january.span()];
        let rest = archive_parts(&wanted, &held, now);
        assert_eq!(
            rest,
            [&["2025-02-01", "2025-02-28"].map(|text| Part::Day(day(text)))[..], &march].concat()
        );
        assert_eq!(february.days_instead(now).len(), 28);
        assert_eq!(january.days_instead(now), [], "published long ago, if ever");
    }

    #[test]
    fn names_of_archives_say_what_they_cover() {
        let ticker = Ticker::parse("BTCUSDT", Interval::M15).expect("sound");
        for part in [Part::Month(day("2024-12-01")), Part::Day(day("2024-02-29"))] {
            assert_eq!(Part::of_name(&part.name(&ticker, Interval::M15), &ticker, Interval::M15), Some(part));
        }
        let december = Part::Month(day("2024-12-01"));
        assert_eq!(december.span().end, day("2025-01-01").start_ms());
        assert_eq!(
            EXCHANGES[0].archive_path(Market::UsdtM, &ticker, Interval::M15, december),
            "data/futures/um/monthly/klines/BTCUSDT/15m/BTCUSDT-15m-2024-12.zip"
        );
        for other in ["BTCUSDT-15m-2024-13.zip", "BTCUSDT-1h-2024-12.zip", "BTCUSDT-15m-20241201.zip"] {
            assert_eq!(Part::of_name(other, &ticker, Interval::M15), None, "{other}");
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits =
            |tries| crate::net::pause_after(tries, Duration::from_secs(1), Duration::from_secs(20)).as_secs();
        assert_eq!([1, 2, 3, 5, 6, 40].map(waits), [1, 2, 4, 16, 20, 20]);
    }

    #[test]
    fn a_pause_lasts_to_the_end_of_the_minute() {
        assert_eq!(pause(100, 6_000, 59_000), None);
        assert_eq!(pause(4_800, 6_000, 59_000), Some(Duration::from_secs(1)));
        assert_eq!(pause(9_999, 6_000, 60_000), Some(Duration::from_secs(60)));
    }
}
