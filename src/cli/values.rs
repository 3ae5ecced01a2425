//! Values of flags: how they are read, and what is said about one that cannot be. The name of the flag and what was
//! found are said by whoever parses the command line.

use std::time::Duration;

use crate::run::quantity;

/// The longest time that can be asked for: a year.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

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

/// Checks a window and returns it as it is, for the configuration.
pub(super) fn window(text: &str) -> Result<String, String> {
    let window = quantity::window(text).map(|_| text.to_owned());
    window.ok_or_else(|| format!("expected {}", quantity::WINDOW))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_more_than_nothing_and_at_most_a_year() {
        let ms = |text| time(text).map(|time| time.as_millis());
        let read = ["45m", "90s", "1h", "250ms", "1d", "8760h"].map(ms);
        assert_eq!(read, [2_700_000, 90_000, 3_600_000, 250, 86_400_000, 31_536_000_000].map(Ok));
        for text in ["", "45", "m", "0", "0s", "-1s", "1.5h", "8761h", "99999999999999999999h"] {
            assert!(ms(text).is_err_and(|error| error.contains("45m")), "{text:?}");
        }
        assert_eq!([wait("0"), wait("0s"), wait("2m")], [0, 0, 120].map(|s| Ok(Duration::from_secs(s))));
        assert!(wait("soon").is_err_and(|error| error.contains("such as 30s")));
    }
}
