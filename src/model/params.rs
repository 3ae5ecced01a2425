//! A parameter set: an exit rule and one threshold per filter dimension.

use super::exit_rule::ExitRule;

/// The value of one filter dimension, as documents and `learning_config.json` show it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum FilterValue {
    /// A threshold.
    Number(f64),
    /// A named set in a chain of sets, such as `trend_only` within `all`.
    Name(String),
}

impl std::fmt::Display for FilterValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One point of a style's space, self-contained: it can be read without the space it came from.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ParameterSet {
    /// How positions are closed.
    pub exit: ExitRule,
    /// Dimension name and value, in the order of the space.
    pub filters: Vec<(String, FilterValue)>,
}

impl ParameterSet {
    /// Returns the value of a filter dimension.
    pub fn filter(&self, name: &str) -> Option<&FilterValue> {
        self.filters.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Returns the numeric threshold of a filter dimension.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.filter(name)? {
            FilterValue::Number(value) => Some(*value),
            FilterValue::Name(_) => None,
        }
    }
}
