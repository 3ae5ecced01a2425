//! Values of flags: how they are read, and what is said about one that cannot be. The name of the flag and what was
//! found are said by whoever parses the command line.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, StringValueParser, TypedValueParser};

use crate::config::quantity;
use crate::documents::inspect::SortKey;
use crate::model::{Day, HOUR_MS, MINUTE_MS, Style};
use crate::store::is_profile;

/// The longest time that can be asked for: a year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// Threads at most: beyond the cores of any machine they only wait for each other.
const THREADS_MAX: usize = 1024;

/// Reads a time to work or to look back: more than nothing.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = wait(text).ok().filter(|time| !time.is_zero());
    time.ok_or_else(|| "expected a time such as 45m, 90s, 500ms or 1h, of at most 365d".to_owned())
}

/// Reads a time to wait: 0 is not at all.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let time = quantity::duration(text).filter(|time| *time <= LONGEST);
    time.ok_or_else(|| "expected a time such as 30s, 5m or 0, of at most 365d".to_owned())
}

/// Checks the name of a profile.
pub(super) fn profile(text: &str) -> Result<String, String> {
    let name = is_profile(text).then(|| text.to_owned());
    name.ok_or_else(|| "expected 1 to 64 letters, digits, dots, dashes or underscores".to_owned())
}

/// Checks a size, more than nothing, and returns it as it is, for the configuration.
pub(super) fn size(text: &str) -> Result<String, String> {
    let size = quantity::size_bytes(text).filter(|bytes| *bytes > 0).map(|_| text.to_owned());
    size.ok_or_else(|| format!("expected {}", quantity::SIZE))
}

/// Checks a window and returns it as it is, for the configuration.
pub(super) fn window(text: &str) -> Result<String, String> {
    let window = quantity::window(text).map(|_| text.to_owned());
    window.ok_or_else(|| format!("expected {}", quantity::WINDOW))
}

/// Reads a whole number, or says what is expected in its place.
pub(super) fn number<T>(expected: &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
{
    StringValueParser::new()
        .try_map(move |text| text.parse::<T>().map_err(|_| format!("expected {expected}")))
}

/// Reads a number of threads.
pub(super) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads = text.parse().ok().filter(|threads: &NonZeroUsize| threads.get() <= THREADS_MAX);
    threads.ok_or_else(|| format!("expected a number of threads such as 2, of 1 to {THREADS_MAX}"))
}

/// Reads the number of a run.
pub(super) fn run() -> impl TypedValueParser<Value = u64> {
    number("the number of a run such as 3; `optimizer inspect runs` lists them")
}

/// Reads how much of a list is shown.
pub(super) fn limit() -> impl TypedValueParser<Value = NonZeroUsize> {
    number("a number such as 20, at least 1")
}

/// Reads a number of parameter sets. The configuration, where it goes, knows signed numbers only.
pub(super) fn parameter_sets(text: &str) -> Result<u64, String> {
    let sets = text.parse().ok().filter(|sets: &u64| i64::try_from(*sets).is_ok());
    sets.ok_or_else(|| "expected a number of parameter sets such as 200000".to_owned())
}

/// Reads a number of trades.
pub(super) fn trades() -> impl TypedValueParser<Value = u64> {
    number("a number of trades such as 50")
}

/// Reads the number of a process.
pub(super) fn process() -> impl TypedValueParser<Value = u32> {
    number("the number of a process such as 1234")
}

/// Reads minutes, a day of them at most.
pub(super) fn minutes_of_day(text: &str) -> Result<u16, String> {
    let minutes = text.parse().ok().filter(|minutes: &u16| *minutes <= 1440);
    minutes.ok_or_else(|| "expected minutes such as 5, at most 1440".to_owned())
}

/// What stands for all styles at once.
pub(super) const EVERY_STYLE: &str = "both";

/// Reads the name of a style, or of all of them.
pub(super) fn styles() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(Style::ALL.into_iter().map(Style::as_str).chain([EVERY_STYLE]))
}

/// Returns the styles of a name that was read so.
pub(super) fn styles_named(name: &str) -> Vec<Style> {
    Style::named(name).map_or_else(|| Style::ALL.to_vec(), |style| vec![style])
}

pub(super) fn style() -> impl TypedValueParser<Value = Style> {
    PossibleValuesParser::new(Style::ALL.map(Style::as_str))
        .map(|name: String| Style::named(&name).expect("every possible value is a style"))
}

pub(super) fn sort_key() -> impl TypedValueParser<Value = SortKey> {
    let named = |name: String| SortKey::ALL.into_iter().find(|key| key.as_str() == name);
    PossibleValuesParser::new(SortKey::ALL.map(SortKey::as_str))
        .map(move |name| named(name).expect("every possible value is a key"))
}

pub(super) fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "expected a day such as 2025-01-31".to_owned())
}

pub(super) fn drawdown(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent: &f64| *percent >= 0.0 && percent.is_finite());
    percent.ok_or_else(|| "expected percent, such as 25".to_owned())
}

pub(super) fn amount(text: &str) -> Result<f64, String> {
    let amount = text.parse().ok().filter(|amount: &f64| *amount > 0.0 && amount.is_finite());
    amount.ok_or_else(|| "expected an amount such as 250".to_owned())
}

/// Parses `+08:00` or `-03:30`.
pub(super) fn offset_ms(text: &str) -> Result<i64, String> {
    let (sign, clock) = match text.split_at_checked(1) {
        Some(("+", clock)) => (1, clock),
        Some(("-", clock)) => (-1, clock),
        _ => (1, text),
    };
    let (hours, minutes) = clock.split_once(':').unwrap_or((clock, "0"));
    let within = |text: &str, most: i64| text.parse().ok().filter(|value: &i64| (0..=most).contains(value));
    let parts = within(hours, 14).zip(within(minutes, 59));
    let offset = parts.map(|(hours, minutes)| sign * (hours * HOUR_MS + minutes * MINUTE_MS));
    offset.ok_or_else(|| "expected hours and minutes ahead of UTC such as +08:00".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_to_their_ranges() {
        let ms = |text| time(text).map(|time| time.as_millis());
        let read = ["45m", "90s", "1h", "250ms", "1d", "8760h"].map(ms);
        assert_eq!(read, [2_700_000, 90_000, 3_600_000, 250, 86_400_000, 31_536_000_000].map(Ok));
        for text in ["", "45", "m", "0", "0s", "-1s", "1.5h", "8761h", "99999999999999999999h"] {
            assert!(ms(text).is_err_and(|error| error.contains("45m")), "{text:?}");
        }
        assert_eq!([wait("0"), wait("0s"), wait("2m")], [0, 0, 120].map(|s| Ok(Duration::from_secs(s))));
        assert_eq!(threads("1024").map(NonZeroUsize::get), Ok(1024));
        assert!(["0", "1025", "18446744073709551615", "all"].iter().all(|text| threads(text).is_err()));
        assert_eq!(parameter_sets("9223372036854775807"), Ok(i64::MAX as u64));
        assert!(parameter_sets("9223372036854775808").is_err() && parameter_sets("-1").is_err());
        assert!(wait("soon").is_err_and(|error| error.contains("such as 30s")));
    }
}
