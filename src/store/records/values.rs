//! The values several records share: a parameter set, a named number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Invalid, at_most, finite};
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, FilterValue, Need, ParameterSet};

/// The most filter dimensions a stored parameter set may have.
const FILTERS_MAX: usize = 64;

/// A number with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NamedNumber {
    pub name: String,
    pub value: f64,
}

/// The value of a filter dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum StoredValue {
    /// A threshold.
    Number(f64),
    /// A named set in a chain of sets.
    Name(String),
}

/// A filter dimension and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StoredFilter {
    pub name: String,
    pub value: StoredValue,
}

/// A parameter set: the numbers of its exit rule that are on and its filters, by name in the order of the space.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StoredParameterSet {
    /// Exit axes under their keys.
    pub exits: Vec<NamedNumber>,
    /// Filter dimensions under theirs.
    pub filters: Vec<StoredFilter>,
}

impl StoredParameterSet {
    /// Returns the set of an exit rule and filters.
    pub fn of(exit: &ExitRule, filters: Vec<StoredFilter>) -> Self {
        let exits = exit.values().map(|(key, value)| NamedNumber { name: key.to_owned(), value });
        Self { exits: exits.collect(), filters }
    }

    /// Returns the number of an exit axis or a filter.
    pub fn number(&self, key: &str) -> Option<f64> {
        let exit = self.exits.iter().find(|exit| exit.name == key).map(|exit| exit.value);
        let filter = || self.filters.iter().find(|filter| filter.name == key);
        exit.or_else(|| match filter()?.value {
            StoredValue::Number(value) => Some(value),
            StoredValue::Name(_) => None,
        })
    }

    /// Checks that the exit rule is one: every name an axis of this program, none twice, what every rule has there, no level of the
    /// price in two units, what a rule is made of positive; and that every number is finite.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        finite("exits", self.exits.iter().map(|exit| exit.value))?;
        let is_one = |axis: &ExitAxis| {
            let mut own = self.exits.iter().filter(|exit| exit.name == axis.key);
            match (own.next(), own.next()) {
                (None, _) => axis.need != Need::Always,
                (Some(exit), None) => axis.is_optional() || exit.value > 0.0,
                (Some(_), Some(_)) => false,
            }
        };
        let are_known = self.exits.iter().all(|exit| ExitAxis::named(&exit.name).is_some());
        let are_apart = |axis: &ExitAxis| {
            let has = |axis: &ExitAxis| self.exits.iter().any(|exit| exit.name == axis.key);
            !(has(axis) && axis.in_percent().is_some_and(has))
        };
        if !(are_known && EXIT_AXES.iter().all(|axis| is_one(axis) && are_apart(axis))) {
            return Err(Invalid {
                field: "exits",
                rule: "must be axes that this program knows, each once, a level in one unit, positive where every rule has them",
            });
        }
        at_most("filters", self.filters.len(), FILTERS_MAX)?;
        self.filters.iter().try_for_each(|filter| match filter.value {
            StoredValue::Number(value) => finite("filter", [value]),
            StoredValue::Name(_) => Ok(()),
        })
    }
}

impl From<&ParameterSet> for StoredParameterSet {
    fn from(set: &ParameterSet) -> Self {
        let filters = set.filters.iter().map(|(name, value)| StoredFilter {
            name: name.clone(),
            value: match value {
                FilterValue::Number(number) => StoredValue::Number(*number),
                FilterValue::Name(text) => StoredValue::Name(text.clone()),
            },
        });
        Self::of(&set.exit, filters.collect())
    }
}

impl TryFrom<&StoredParameterSet> for ParameterSet {
    type Error = Invalid;

    fn try_from(stored: &StoredParameterSet) -> Result<Self, Invalid> {
        stored.validate()?;
        // What every rule has is there.
        let mut exit = ExitRule::holding(0.0);
        for number in &stored.exits {
            ExitAxis::named(&number.name).into_iter().for_each(|axis| axis.set(&mut exit, number.value));
        }
        let filters = stored.filters.iter().map(|filter| {
            let value = match &filter.value {
                StoredValue::Number(number) => FilterValue::Number(*number),
                StoredValue::Name(text) => FilterValue::Name(text.clone()),
            };
            (filter.name.clone(), value)
        });
        Ok(Self { exit, filters: filters.collect() })
    }
}
