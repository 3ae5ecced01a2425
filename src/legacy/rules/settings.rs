//! A legacy parameter set: names and values in the order in which they were set.
//!
//! The order and the kind of number are part of it: summaries show the first three, and `5` is not `5.0` there.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

use super::metrics::LegacyThresholds;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// A whole number.
    Whole(i64),
    /// A number with a fraction, shown with at least one decimal.
    Real(f64),
    /// Whether something is on.
    Flag(bool),
    /// A word, such as `trend_only`.
    Name(String),
}

impl Setting {
    /// Returns the value as a number, `None` for a word; what is on is 1.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            Self::Flag(value) => Some(f64::from(u8::from(*value))),
            Self::Name(_) => None,
        }
    }

    /// Orders numbers by size (5 equals 5.0), then words by letters.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => a.cmp(b),
            (Self::Name(_), _) => Ordering::Greater,
            (_, Self::Name(_)) => Ordering::Less,
            (a, b) => a.number().unwrap_or(0.0).total_cmp(&b.number().unwrap_or(0.0)),
        }
    }
}

impl From<f64> for Setting {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<i64> for Setting {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self::Name(value.to_owned())
    }
}

impl From<&Setting> for Value {
    fn from(setting: &Setting) -> Self {
        match setting {
            Setting::Whole(value) => Self::from(*value),
            Setting::Real(value) => Self::from(*value),
            Setting::Flag(value) => Self::from(*value),
            Setting::Name(name) => Self::from(name.as_str()),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => write!(f, "{value}"),
            Self::Real(value) => f.write_str(&shortest(*value)),
            Self::Flag(value) => f.write_str(if *value { "True" } else { "False" }),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Returns a finite number in the fewest digits that read back as it, as legacy texts show it: `2.0`, `1e-05`.
pub fn shortest(value: f64) -> String {
    let text = format!("{value:?}");
    match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            let (sign, size) = exponent.strip_prefix('-').map_or(("+", exponent), |size| ("-", size));
            format!("{digits}e{sign}{size:0>2}")
        }
    }
}

/// Parameters by name, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings(Vec<(String, Setting)>);

impl Settings {
    /// Returns the settings of a JSON object; null, lists and objects are left out.
    pub fn from_json(object: &Map<String, Value>) -> Self {
        let setting = |value: &Value| match value {
            Value::String(name) => Some(Setting::Name(name.clone())),
            Value::Bool(flag) => Some(Setting::Flag(*flag)),
            Value::Number(number) => {
                number.as_i64().map(Setting::Whole).or_else(|| number.as_f64().map(Setting::Real))
            }
            _ => None,
        };
        object.iter().filter_map(|(key, value)| Some((key.clone(), setting(value)?))).collect()
    }

    /// Returns a value.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns a value as a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(Setting::number)
    }

    /// Returns whether a value is there and on.
    pub fn is_on(&self, key: &str) -> bool {
        self.number(key).is_some_and(|value| value != 0.0)
    }

    /// Sets a value; one that is there keeps its place.
    pub fn set(&mut self, key: &str, value: impl Into<Setting>) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some(slot) => slot.1 = value.into(),
            None => self.0.push((key.to_owned(), value.into())),
        }
    }

    /// Returns names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the thresholds of the legacy filter; what is not set has the filter's own default.
    pub fn thresholds(&self) -> LegacyThresholds {
        let default = LegacyThresholds::default();
        let number = |key: &str, default: f64| self.number(key).unwrap_or(default);
        let structures = self.get("allowed_mkt_struct");
        LegacyThresholds {
            min_signal_score: number("min_signal_score", default.min_signal_score),
            min_consensus_score: self.number("min_consensus_score"),
            min_consensus: number("min_consensus", default.min_consensus),
            min_risk_reward: number("min_risk_reward", default.min_risk_reward),
            advanced: self.is_on("enable_advanced_filters"),
            min_kline_bullish_ratio: number("min_kline_bullish_ratio", default.min_kline_bullish_ratio),
            min_price_chg_pct: number("min_price_chg_pct", default.min_price_chg_pct),
            trend_only: matches!(structures, Some(Setting::Name(name)) if name == "trend_only"),
            min_trend_age_hours: number("min_trend_age_hours", default.min_trend_age_hours),
            max_sr_test_count: number("max_sr_test_count", default.max_sr_test_count),
        }
    }
}

impl FromIterator<(String, Setting)> for Settings {
    fn from_iter<T: IntoIterator<Item = (String, Setting)>>(settings: T) -> Self {
        let mut all = Self::default();
        settings.into_iter().for_each(|(key, value)| all.set(&key, value));
        all
    }
}

impl From<&Settings> for Value {
    fn from(settings: &Settings) -> Self {
        Self::Object(settings.iter().map(|(key, value)| (key.to_owned(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_were_written() {
        for (value, text) in [
            (2.0, "2.0"),
            (0.1, "0.1"),
            (1e-5, "1e-05"),
            (2.5e-7, "2.5e-07"),
            (1e16, "1e+16"),
            (0.0001, "0.0001"),
            (-3.25, "-3.25"),
        ] {
            assert_eq!(shortest(value), text);
        }
        let settings: Settings = [("a", 5i64.into()), ("b", 5.0.into()), ("c", "all".into())]
            .into_iter()
            .map(|(key, value): (&str, Setting)| (key.to_owned(), value))
            .collect();
        let shown: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(shown, ["a=5", "b=5.0", "c=all"]);
        assert!(Setting::Whole(5).order(&Setting::Real(5.0)).is_eq());
        assert!(Setting::Real(9.0).order(&Setting::Name("all".into())).is_lt());
    }

    #[test]
    fn only_plain_values_are_settings() {
        let object = serde_json::json!({"a": null, "b": 1, "c": 1.5, "d": "all", "e": [1], "f": true});
        let kept = serde_json::json!({"b": 1, "c": 1.5, "d": "all", "f": true});
        let settings = Settings::from_json(object.as_object().unwrap());
        assert_eq!(Value::from(&settings), kept);
        assert!(settings.is_on("f") && settings.is_on("b") && !settings.is_on("d"));
        assert!(!settings.thresholds().trend_only && !settings.thresholds().advanced);
    }
}
