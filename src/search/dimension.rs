//! Filter dimensions: nested conditions on one column, from loose to strict.

use crate::features::catalog::{FeatureColumn, SIGNAL_SCORE, column};
use crate::fingerprint::Canonical;
use crate::model::FilterValue;

/// Which side of a level passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Values at or above the level pass.
    AtLeast,
    /// Values at or below the level pass.
    AtMost,
}

/// A level of a dimension: the threshold and how it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdLevel {
    /// Threshold, in the column's unit.
    pub threshold: f64,
    /// What documents and `learning_config.json` hold.
    pub shown: FilterValue,
}

/// What stands before the names of columns of the user's signals.
pub const SIGNALS_PREFIX: &str = "signals.";

/// What a dimension filters on.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterSource {
    /// A feature, computed from candles.
    Feature(&'static FeatureColumn),
    /// A column of the user's signals; its name with [`SIGNALS_PREFIX`].
    Signals(String),
}

impl FilterSource {
    /// Returns the source of a name, if there can be one: a feature column, or any name behind [`SIGNALS_PREFIX`].
    pub fn named(name: &str) -> Option<Self> {
        let own = name.strip_prefix(SIGNALS_PREFIX).filter(|own| !own.is_empty());
        own.map(|_| Self::Signals(name.to_owned())).or_else(|| column(name).map(Self::Feature))
    }

    /// Returns its name; no feature has that of a column of signals.
    pub fn name(&self) -> &str {
        match self {
            Self::Feature(column) => column.name,
            Self::Signals(name) => name,
        }
    }

    /// Returns the name in the user's file, for a column of signals.
    pub fn signals_column(&self) -> Option<&str> {
        match self {
            Self::Feature(_) => None,
            Self::Signals(name) => name.strip_prefix(SIGNALS_PREFIX),
        }
    }
}

/// A filter dimension: nested conditions on one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    key: String,
    source: FilterSource,
    bound: Bound,
    /// Loose to strict.
    levels: Vec<ThresholdLevel>,
}

/// A space that cannot be searched.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// A dimension names a column that does not exist.
    #[error(
        "dimension {key:?}: expected a feature column, or signals.NAME for a column of your signals, found {found:?}{hint}"
    )]
    UnknownColumn {
        /// The dimension.
        key: String,
        /// The name given.
        found: String,
        /// The nearest known name, ready to print.
        hint: String,
    },
    /// An axis has no value, too many, or one that is not a finite number.
    #[error("{axis:?}: expected {expected}, found {found}")]
    Axis {
        /// The axis or dimension.
        axis: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// The product of all axes is too large to enumerate.
    #[error(
        "the space has {sets} parameter sets, more than {limit}; remove values or dimensions, or search it in stages \
             (`[search] strategy = \"coarse-fine\"`)"
    )]
    TooLarge {
        /// Its size.
        sets: u128,
        /// The limit.
        limit: u128,
    },
}

impl Dimension {
    /// Returns a dimension; levels are ordered and doubles dropped.
    ///
    /// Errors: an unknown column; no level, more than 255, or one that is not finite
    pub fn new(
        key: &str,
        name: &str,
        bound: Bound,
        mut levels: Vec<ThresholdLevel>,
    ) -> Result<Self, SpaceError> {
        let source = FilterSource::named(name).ok_or_else(|| SpaceError::UnknownColumn {
            key: key.to_owned(),
            found: name.to_owned(),
            hint: columns_hint(name),
        })?;
        if let Some(bad) = levels.iter().find(|level| !level.threshold.is_finite()) {
            return Err(axis_error(key, "finite numbers", format!("{}", bad.threshold)));
        }
        levels.sort_by(|a, b| match bound {
            Bound::AtLeast => a.threshold.total_cmp(&b.threshold),
            Bound::AtMost => b.threshold.total_cmp(&a.threshold),
        });
        levels.dedup_by(|a, b| a.threshold == b.threshold);
        if levels.is_empty() || levels.len() > 255 {
            return Err(axis_error(key, "1 to 255 levels", levels.len().to_string()));
        }
        Ok(Self { key: key.to_owned(), source, bound, levels })
    }

    /// Returns the key in parameter sets.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns what it reads.
    pub fn source(&self) -> &FilterSource {
        &self.source
    }

    /// Returns whether it filters on the signal score.
    pub fn reads_score(&self) -> bool {
        self.source.name() == SIGNAL_SCORE
    }

    /// Returns which side passes.
    pub fn bound(&self) -> Bound {
        self.bound
    }

    /// Returns the levels, loose to strict.
    pub fn levels(&self) -> &[ThresholdLevel] {
        &self.levels
    }

    /// Adds every part to a fingerprint.
    pub(super) fn hashed(&self, hash: Canonical) -> Canonical {
        let Self { key, source, bound, levels } = self;
        let bound = match bound {
            Bound::AtLeast => 0,
            Bound::AtMost => 1,
        };
        let hash = hash.text(key).text(source.name()).count(bound).count(levels.len() as u64);
        levels.iter().fold(hash, |hash, ThresholdLevel { threshold, shown }| {
            hash.float(*threshold).text(&shown.to_string())
        })
    }

    /// Returns the dimension with only some levels, by their places.
    pub(super) fn with_only(&self, kept: &[usize]) -> Self {
        Self { levels: kept.iter().map(|place| self.levels[*place].clone()).collect(), ..self.clone() }
    }

    /// Returns the strictest level a value passes, or `None` when it passes none or is not defined.
    pub fn coordinate(&self, value: Option<f64>) -> Option<u8> {
        let value = value.filter(|v| !v.is_nan())?;
        let passes = |level: &ThresholdLevel| match self.bound {
            Bound::AtLeast => value >= level.threshold,
            Bound::AtMost => value <= level.threshold,
        };
        let passed = self.levels.partition_point(passes);
        passed.checked_sub(1).map(|level| level as u8)
    }
}

/// Returns the nearest column, and all there are.
fn columns_hint(name: &str) -> String {
    let names = || crate::features::catalog::COLUMNS.iter().map(|column| column.name);
    let near = crate::search::nearest_name(name, names()).map(|near| format!("; did you mean {near:?}?"));
    let all: Vec<&str> = names().collect();
    format!(
        "{}; columns: {} (of candles at other timeframes see docs/reference/columns.md)",
        near.unwrap_or_default(),
        all.join(", ")
    )
}

pub(super) fn axis_error(axis: &str, expected: &'static str, found: String) -> SpaceError {
    SpaceError::Axis { axis: axis.to_owned(), expected, found }
}

/// Returns levels that are shown as their thresholds.
pub fn number_levels(values: &[f64]) -> Vec<ThresholdLevel> {
    values.iter().map(|v| ThresholdLevel { threshold: *v, shown: FilterValue::Number(*v) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_sits_at_the_strictest_level_it_passes() {
        let at_least =
            Dimension::new("a", "consensus", Bound::AtLeast, number_levels(&[2.0, 0.0, 1.0])).expect("sound");
        assert_eq!(
            [-1.0, 0.0, 1.5, 2.0].map(|v| at_least.coordinate(Some(v))),
            [None, Some(0), Some(1), Some(2)]
        );
        let at_most =
            Dimension::new("b", "consensus", Bound::AtMost, number_levels(&[5.0, 999.0])).expect("sound");
        assert_eq!([1000.0, 999.0, 5.0].map(|v| at_most.coordinate(Some(v))), [None, Some(0), Some(1)]);
        assert_eq!(at_most.coordinate(None), None);
        assert_eq!(at_most.coordinate(Some(f64::NAN)), None);
    }
}
