//! `[style.scalping]` and `[style.swing]`: the spaces that are searched.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::axes::{AxisConfig, FilterConfig, check_hours, check_timeframe};
use super::{ConfigError, value_error};
use crate::model::{EXIT_AXES, ExitAxis, Interval, Style};
use crate::search::defaults::Defaults;
use crate::search::space::{Dimension, ExitAxes, ExitAxisValue, SIGNALS_PREFIX};
use crate::search::strategy::SpaceAxes;

/// The spaces that are searched, one for each style.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct StylesConfig {
    /// Short trades.
    pub scalping: StyleConfig,
    /// Long trades.
    pub swing: StyleConfig,
}

/// The space of a style.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(default, deny_unknown_fields)]
pub struct StyleConfig {
    /// Axes to replace, by key; what is not named keeps its default.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub space: BTreeMap<String, AxisConfig>,
    /// Filter dimensions of your own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<FilterConfig>,
}

impl StylesConfig {
    fn of(&self, style: Style) -> &StyleConfig {
        let by_style: [&StyleConfig; Style::COUNT] = [&self.scalping, &self.swing];
        by_style[style.index()]
    }

    /// Returns the styles that the configuration says something of.
    pub fn named(&self) -> Vec<Style> {
        Style::ALL.into_iter().filter(|style| *self.of(*style) != StyleConfig::default()).collect()
    }

    /// Returns the columns of given signals that filters read, of any style.
    pub fn signals_columns(&self) -> Vec<&str> {
        let filters = Style::ALL.into_iter().flat_map(|style| &self.of(style).filters);
        filters.filter_map(|filter| filter.column.strip_prefix(SIGNALS_PREFIX)).collect()
    }

    /// Returns the axes of a style's space, of given signals or derived ones.
    pub(super) fn axes(
        &self,
        style: Style,
        base: Interval,
        has_signals_file: bool,
    ) -> Result<SpaceAxes, ConfigError> {
        let config = self.of(style);
        let Defaults { mut exits, mut dimensions } = Defaults::of(style, base).expect("a base of a run");
        let known: Vec<String> = dimensions.iter().map(|d| d.key().to_owned()).collect();
        if has_signals_file {
            // The default thresholds belong to derived signals: of given ones they would drop nearly all in silence.
            dimensions.retain(|dimension| config.space.contains_key(dimension.key()));
        }
        config.replace_axes(style, base, (&mut exits, &mut dimensions), &known)?;
        if exits.follow_signals() && !has_signals_file {
            let key = format!("style.{style}.space.exit_signal");
            let expected = "a file with the column exit_time: [signals] file, or --signals";
            return Err(value_error(&key, expected, "none"));
        }
        for filter in &config.filters {
            let dimension = filter.dimension(style)?;
            if let (Some(column), false) = (dimension.source().signals_column(), has_signals_file) {
                let key = format!("style.{style}.filters.{}", dimension.key());
                let expected = format!("a file with the column {column:?}: [signals] file, or --signals");
                return Err(value_error(&key, &expected, "none"));
            }
            check_timeframe(style, &dimension, base)?;
            dimensions.push(dimension);
        }
        Ok(SpaceAxes::new(style, exits, dimensions))
    }
}

impl StyleConfig {
    /// Turns off the levels in ATR that are named in percent only, and the take-profit where a staircase is named in its place.
    ///
    /// Errors: a level that is named as off in percent only: it may be meant to be in ATR, or not to be
    fn replace_units(&self, style: Style, exits: &mut ExitAxes) -> Result<(), ConfigError> {
        let off = [ExitAxisValue::Off];
        for (place, atr) in EXIT_AXES.iter().enumerate() {
            let Some(percent) = atr.in_percent().filter(|_| !self.space.contains_key(atr.key)) else {
                continue;
            };
            let Some(config) = self.space.get(percent.key) else { continue };
            let path = format!("style.{style}.space.{}", percent.key);
            if config.exit_levels(&path, percent)? == off && exits.levels(place) != off {
                let expected = format!("a number, or {} = \"off\" beside it for none at all", atr.key);
                return Err(value_error(&path, &expected, "\"off\""));
            }
            exits.set(atr.key, off.to_vec());
        }
        let is_named = |key: &str| self.space.contains_key(key);
        let has_target = ["atr_tp_multiplier", "take_profit_pct"].into_iter().any(is_named);
        if !has_target && self.space.keys().any(|key| key.starts_with("roi_")) {
            exits.set("atr_tp_multiplier", off.to_vec());
        }
        Ok(())
    }

    fn replace_axes(
        &self,
        style: Style,
        base: Interval,
        (exits, dimensions): (&mut ExitAxes, &mut [Dimension]),
        known: &[String],
    ) -> Result<(), ConfigError> {
        self.replace_units(style, exits)?;
        for (key, axis) in &self.space {
            let path = format!("style.{style}.space.{key}");
            if let Some(exit_axis) = ExitAxis::named(key) {
                let levels = axis.exit_levels(&path, exit_axis)?;
                check_hours(&path, exit_axis, &levels, base)?;
                exits.set(key, levels);
                continue;
            }
            let dimension = dimensions
                .iter_mut()
                .find(|dimension| dimension.key() == key)
                .ok_or_else(|| unknown_axis(&path, key, known))?;
            let levels = axis.levels(&path, dimension)?;
            *dimension = Dimension::new(key, dimension.source().name(), dimension.bound(), levels)
                .map_err(|source| ConfigError::of_space(style, source))?;
        }
        for axis in self.space.keys().filter_map(|key| ExitAxis::named(key)) {
            let partner = ExitAxis::pairs().find(|(of, _)| of.key == axis.key && of.needs_named_partner);
            if let Some((_, partner)) = partner.filter(|(_, partner)| !self.space.contains_key(partner.key)) {
                let path = format!("style.{style}.space.{}", axis.key);
                return Err(value_error(&path, &format!("{} beside it", partner.key), "none"));
            }
            if let Some(mechanism) = exits.missing_mechanism(axis) {
                let path = format!("style.{style}.space.{}", axis.key);
                return Err(value_error(
                    &path,
                    &format!("{mechanism} beside it: nothing else reads it"),
                    "none",
                ));
            }
        }
        Ok(())
    }
}

fn unknown_axis(path: &str, key: &str, known: &[String]) -> ConfigError {
    let names = || known.iter().map(String::as_str).chain(EXIT_AXES.iter().map(|axis| axis.key));
    let all: Vec<&str> = names().collect();
    let near = crate::search::nearest_name(key, names()).map(|near| format!("; did you mean {near:?}?"));
    value_error(
        path,
        &format!("a dimension of the style's space{}", near.unwrap_or_default()),
        format!("{key:?}; dimensions of your own go under [[style.….filters]]; there are {}", all.join(", ")),
    )
}
