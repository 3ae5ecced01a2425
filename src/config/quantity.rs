//! Quantities in text: sizes, times, windows. The one place that reads them, for configuration and flags alike; what
//! is too little or too much is for the caller to say.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserializer, Error, Visitor};

/// What a size looks like, for messages.
pub const SIZE: &str = "a size such as 64MiB";

/// What a window looks like, for messages.
pub const WINDOW: &str = "a number of days or weeks such as 90d or 26w, or all";

/// Days, or weeks, of a window at most.
const WINDOW_COUNT_MAX: u64 = 5000;

/// How far back candles count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryWindow {
    /// As far as there are any.
    All,
    /// So many days, at least one.
    Days(i32),
}

impl HistoryWindow {
    /// Returns the days, unless all count.
    pub fn days(self) -> Option<i32> {
        match self {
            Self::All => None,
            Self::Days(days) => Some(days),
        }
    }
}

/// Splits a whole number from its unit. Nothing is nothing in any unit, so 0 needs none; anything else does.
fn count_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit))
}

/// Parses a size such as `64MiB`, `1GiB`, `512B` or `0`.
///
/// Units:  bytes; a KiB is 1,024 of them
pub fn size_bytes(text: &str) -> Option<u64> {
    let (count, unit) = count_and_unit(text)?;
    let shift = match unit {
        "" if count == 0 => 0,
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    count.checked_mul(1 << shift)
}

/// Parses a time such as `500ms`, `90s`, `45m`, `4h`, `1d` or `0`.
pub fn duration(text: &str) -> Option<Duration> {
    let (count, unit) = count_and_unit(text)?;
    let unit_ms = match unit {
        "" if count == 0 => 0,
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.checked_mul(unit_ms).map(Duration::from_millis)
}

/// Parses a window such as `90d`, `26w` or `all`.
pub fn window(text: &str) -> Option<HistoryWindow> {
    if text == "all" {
        return Some(HistoryWindow::All);
    }
    let (count, unit) = count_and_unit(text)?;
    let unit_days = match unit {
        "d" => 1,
        "w" => 7,
        _ => return None,
    };
    let count = i32::try_from(count).ok().filter(|_| (1..=WINDOW_COUNT_MAX).contains(&count))?;
    Some(HistoryWindow::Days(count * unit_days))
}

/// Takes text, or a number as text: one without its unit is then refused by name, with what it must look like.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(TextOrNumber)
}

/// The same where nothing need be said.
pub(crate) fn some_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer).map(Some)
}

struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number with its unit in quotes, such as \"64MiB\", \"15m\" or \"90d\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        // With its exponent, if it has one: hundreds of zeros help nobody.
        Ok(format!("{number:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_have_a_unit() {
        let sizes = ["0", "0MiB", "512B", "1KiB", "2MiB", "1GiB"].map(size_bytes);
        assert_eq!(sizes, [0, 0, 512, 1 << 10, 2 << 20, 1 << 30].map(Some));
        let wrong =
            ["", "64", "MiB", "5MB", "5mib", "5 MiB", " 5MiB", "5MiB ", "-5MiB", "+5MiB", "1.5MiB", "٣MiB"];
        for text in wrong.into_iter().chain(["17179869184GiB", "18446744073709551616B"]) {
            assert_eq!(size_bytes(text), None, "{text:?}");
        }
        assert_eq!(size_bytes("17179869183GiB"), Some(17_179_869_183 << 30));
    }

    #[test]
    fn times_have_a_unit() {
        let ms = |text| duration(text).map(|time| time.as_millis());
        let times = ["0", "0s", "100ms", "90s", "45m", "4h", "1d", "365d"].map(ms);
        assert_eq!(times, [0, 0, 100, 90_000, 2_700_000, 14_400_000, 86_400_000, 31_536_000_000].map(Some));
        let wrong = ["", "45", "m", "-1s", "+1s", "1.5h", "2 days", "1w", "1h30m", "99999999999999999999h"];
        for text in wrong.into_iter().chain(["18446744073709551615d", "१s", "1ｓ"]) {
            assert_eq!(ms(text), None, "{text:?}");
        }
    }

    #[test]
    fn windows_are_days_weeks_or_all() {
        let windows = ["all", "1d", "90d", "2w", "5000w"].map(window);
        assert_eq!(
            windows.map(|found| found.map(HistoryWindow::days)),
            [Some(None), Some(Some(1)), Some(Some(90)), Some(Some(14)), Some(Some(35_000))]
        );
        for text in
            ["", "d", "0", "90", "-1d", "+1d", "1y", "0d", "5001d", "5001w", "99999999999999999999d", "ALL"]
        {
            assert_eq!(window(text), None, "{text:?}");
        }
    }

    /// Digits and units, whole or in pieces, and what is neither.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[0-9]{0,25}",
            Just("18446744073709551615".to_owned()),
            prop::sample::select(vec![
                "ms", "s", "m", "h", "d", "w", "B", "KiB", "MiB", "GiB", "all", "-", "."
            ])
            .prop_map(str::to_owned),
            "\\PC{0,4}",
        ];
        prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(count in any::<u64>(), few in 1_i32..=5000) {
            let sizes = [("B", 1_u64), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
            for (unit, bytes) in sizes {
                prop_assert_eq!(size_bytes(&format!("{count}{unit}")), count.checked_mul(bytes));
            }
            for (unit, ms) in [("ms", 1_u64), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)] {
                let wanted = count.checked_mul(ms).map(Duration::from_millis);
                prop_assert_eq!(duration(&format!("{count}{unit}")), wanted);
            }
            prop_assert_eq!(window(&format!("{few}d")), Some(HistoryWindow::Days(few)));
            prop_assert_eq!(window(&format!("{few}w")), Some(HistoryWindow::Days(7 * few)));
        }

        /// Nothing panics or overflows, and what is accepted is digits with a unit.
        #[test]
        fn hostile_texts_are_refused(text in hostile()) {
            let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = &text[..text.len() - unit.len()];
            let nothing = unit.is_empty() && !digits.is_empty() && digits.trim_start_matches('0').is_empty();
            let one_of = |units: &[&str]| nothing || (!digits.is_empty() && units.contains(&unit));
            prop_assert!(size_bytes(&text).is_none() || one_of(&["B", "KiB", "MiB", "GiB"]));
            prop_assert!(duration(&text).is_none() || one_of(&["ms", "s", "m", "h", "d"]));
            if let Some(found) = window(&text) {
                prop_assert!(text == "all" || one_of(&["d", "w"]), "{:?}", text);
                prop_assert!(found.days().is_none_or(|days| (1..=35_000).contains(&days)));
            }
        }
    }
}
