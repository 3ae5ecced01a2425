//! Axes of a space in the configuration: the values of one that exists, and filters of the user's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, value_error};
use crate::model::{ExitAxis, ExitUnit, FilterValue, Interval, Style, Timeframes};
use crate::search::space::{
    Bound, Dimension, ExitAxisValue, FilterSource, SIGNALS_PREFIX, ThresholdLevel, number_levels,
};

/// What the values of an axis can be.
pub(super) const AXIS_VALUES: &str =
    "a number, a list of numbers or names, or a range { min = 1, max = 2, step = 0.5 }";

/// The values of an axis: a list, one value, or a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a number, a list of numbers or names, or a range { min = 1, max = 2, step = 0.5 }"
)]
#[schemars(extend("x-shape" = "axis"))]
pub enum AxisConfig {
    /// One number.
    One(f64),
    /// A list of numbers.
    Many(Vec<f64>),
    /// A list of names, for chains of sets.
    Names(Vec<String>),
    /// One name.
    Name(String),
    /// Numbers and names, for exit mechanisms that may be off.
    Mixed(Vec<AxisValue>),
    /// Yes or no.
    Switch(bool),
    /// From `min` to `max` in steps.
    Range {
        /// First value.
        min: f64,
        /// Last value, included when a step lands on it.
        max: f64,
        /// Distance of two values.
        step: f64,
    },
}

/// A value among numbers and names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the names say it")]
pub enum AxisValue {
    Number(f64),
    Name(String),
    Switch(bool),
}

/// A filter dimension on a feature column, or on a column of the user's signals (`signals.NAME`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterConfig {
    /// Name of the dimension; the column's, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A feature column, or `signals.NAME` for a column of your signals.
    pub column: String,
    /// Least values to try; a filter has these or `at_most`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<AxisConfig>,
    /// Largest values to try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<AxisConfig>,
}

/// Values of a range at most; a wider one is a mistake in its step.
const RANGE_MAX: usize = 255;

impl AxisConfig {
    fn values(&self, key: &str) -> Result<Vec<f64>, ConfigError> {
        match self {
            Self::One(value) => Ok(vec![*value]),
            Self::Many(values) => Ok(values.clone()),
            Self::Names(names) => Err(value_error(key, "numbers", format!("{names:?}"))),
            Self::Name(name) => Err(value_error(key, "numbers", format!("{name:?}"))),
            Self::Mixed(values) => Err(value_error(key, "numbers", format!("{values:?}"))),
            Self::Switch(value) => Err(value_error(key, AXIS_VALUES, value)),
            Self::Range { min, max, step } => {
                let count = ((max - min) / step + 1e-9).floor();
                if !(*step > 0.0 && max >= min && count < RANGE_MAX as f64) {
                    let found = format!("min {min}, max {max}, step {step}");
                    return Err(value_error(
                        key,
                        "min <= max and a positive step, at most 255 values",
                        found,
                    ));
                }
                // Rounded, so that 0.1 + 0.2 is written 0.3.
                let value = |i: usize| ((min + step * i as f64) * 1e9).round() / 1e9;
                Ok((0..=count as usize).map(value).collect())
            }
        }
    }

    /// Returns the values of an exit axis: numbers, true and false where they are yes and no, `off`, and `tp1` for break-even.
    pub(crate) fn exit_levels(&self, key: &str, axis: &ExitAxis) -> Result<Vec<ExitAxisValue>, ConfigError> {
        let switched = |value: bool| match axis.unit {
            // A mechanism that is not wanted is off.
            ExitUnit::Switch if axis.may_be_off() && !value => Ok(ExitAxisValue::Off),
            ExitUnit::Switch => Ok(ExitAxisValue::At(f64::from(u8::from(value)))),
            _ => Err(value_error(key, "numbers or \"off\"", value)),
        };
        let named = |name: &String| match name.as_str() {
            "off" => Ok(ExitAxisValue::Off),
            "tp1" => Ok(ExitAxisValue::AtFirstTarget),
            other if axis.unit == ExitUnit::Switch => {
                Err(value_error(key, "true, false or both", format!("{other:?}")))
            }
            other => Err(value_error(key, "numbers or \"off\"", format!("{other:?}"))),
        };
        let number = |value: f64| match axis.unit {
            ExitUnit::Switch => Err(value_error(key, "true, false or both", value)),
            _ => Ok(ExitAxisValue::At(value)),
        };
        let level = |value: &AxisValue| match value {
            AxisValue::Number(value) => number(*value),
            AxisValue::Name(name) => named(name),
            AxisValue::Switch(value) => switched(*value),
        };
        match self {
            Self::Switch(value) => Ok(vec![switched(*value)?]),
            Self::Names(names) => names.iter().map(named).collect(),
            Self::Name(name) => Ok(vec![named(name)?]),
            Self::Mixed(values) => values.iter().map(level).collect(),
            numbers => numbers.values(key)?.into_iter().map(number).collect(),
        }
    }

    /// Returns levels of a known dimension: numbers, or the names its levels have.
    pub(crate) fn levels(
        &self,
        key: &str,
        dimension: &Dimension,
    ) -> Result<Vec<ThresholdLevel>, ConfigError> {
        let named = |name: &String| {
            let wanted = FilterValue::Name(name.clone());
            let names: Vec<String> = dimension.levels().iter().map(|level| level.shown.to_string()).collect();
            dimension
                .levels()
                .iter()
                .find(|level| level.shown == wanted)
                .cloned()
                .ok_or_else(|| value_error(key, &format!("some of {names:?}"), format!("{name:?}")))
        };
        match self {
            Self::Names(names) => names.iter().map(named).collect(),
            Self::Name(name) => Ok(vec![named(name)?]),
            numbers_of => Ok(number_levels(&numbers_of.values(key)?)),
        }
    }
}

/// Bytes of the key of a dimension at most.
const KEY_BYTES_MAX: usize = 64;
/// Bytes of the name of a column at most.
const COLUMN_BYTES_MAX: usize = 240;

/// Returns the name of a filter's dimension: its key, or its column's.
pub(crate) fn filter_name<'a>(key: Option<&'a str>, column: Option<&'a str>) -> Option<&'a str> {
    key.or_else(|| column.map(|column| column.strip_prefix(SIGNALS_PREFIX).unwrap_or(column)))
}

impl FilterConfig {
    pub(crate) fn dimension(&self, style: Style) -> Result<Dimension, ConfigError> {
        let name = filter_name(self.key.as_deref(), Some(&self.column)).unwrap_or_default();
        let key = format!("style.{style}.filters.{name}");
        // Keys become column heads, file fields and words of the bot's file.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_key = name.len() <= KEY_BYTES_MAX && name.chars().all(plain);
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !is_key {
            let key = format!("style.{style}.filters.key");
            return Err(value_error(&key, "a name such as min_volume_ratio", format!("{name:?}")));
        }
        if self.column.len() > COLUMN_BYTES_MAX {
            return Err(value_error(&key, "the name of a column", format!("{:?}", self.column)));
        }
        let (bound, axis) = match (&self.at_least, &self.at_most) {
            (Some(axis), None) => (Bound::AtLeast, axis),
            (None, Some(axis)) => (Bound::AtMost, axis),
            _ => return Err(value_error(&key, "either at_least or at_most", "both or neither")),
        };
        Dimension::new(name, &self.column, bound, number_levels(&axis.values(&key)?))
            .map_err(|source| ConfigError::of_space(style, source))
    }
}

/// Checks that a run on a base interval has the timeframe that a column names.
pub(crate) fn check_timeframe(
    style: Style,
    dimension: &Dimension,
    base: Interval,
) -> Result<(), ConfigError> {
    let timeframes = Timeframes::over(base);
    match dimension.source() {
        FilterSource::Feature(column) if !column.is_on(timeframes) => {
            let key = format!("style.{style}.filters.{}", dimension.key());
            let known = column.namesakes(timeframes).join(", ");
            let expected = format!("a timeframe of data.base_interval, {base}: {known}");
            Err(value_error(&key, &expected, column.name))
        }
        _ => Ok(()),
    }
}

/// Checks that hours are whole candles: what lies between would be rounded up in silence.
pub(crate) fn check_hours(
    path: &str,
    axis: &ExitAxis,
    levels: &[ExitAxisValue],
    base: Interval,
) -> Result<(), ConfigError> {
    if axis.unit != ExitUnit::Hours {
        return Ok(());
    }
    let broken = levels.iter().find_map(|level| match level {
        // What is out of the axis' range is refused with the space.
        ExitAxisValue::At(hours) if axis.allows(*hours) && !base.is_whole_in_hours(*hours) => Some(*hours),
        _ => None,
    });
    let Some(hours) = broken else { return Ok(()) };
    let above = base.bars_in_hours(hours);
    let near: Vec<String> = [above - 1, above]
        .into_iter()
        .filter(|bars| *bars > 0)
        .map(|bars| shown_hours(bars as f64 * base.hours()))
        .collect();
    let expected = format!("whole candles of data.base_interval, {base}: {} hours", near.join(" or "));
    Err(value_error(path, &expected, hours))
}

/// Returns hours as they can be written in a configuration.
fn shown_hours(hours: f64) -> String {
    ((hours * 1e7).round() / 1e7).to_string()
}
