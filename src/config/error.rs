//! What is wrong with a configuration: by key, place and origin.

use super::origin::{Origin, Provenance};
use super::place::Place;
use crate::engine::plan::PlanningError;
use crate::model::{Style, excerpt};
use crate::search::space::SpaceError;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not TOML.
    #[error("{place}{message}")]
    Syntax {
        /// Where.
        place: Box<Place>,
        /// The parser's sentence.
        message: String,
    },
    /// A section has no such key.
    #[error("{place}unknown key `{key}` {section}{hint}, expected one of {known}")]
    UnknownKey {
        /// Where.
        place: Box<Place>,
        /// The key.
        key: String,
        /// The section it stands in.
        section: String,
        /// The key that was meant, ready to print.
        hint: String,
        /// The keys of the section.
        known: String,
    },
    /// A value is of another type, or no known word.
    #[error("{place}{key}: expected {expected}, found {found}")]
    Type {
        /// Where.
        place: Box<Place>,
        /// The key.
        key: String,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A value is out of range or not understood.
    #[error("{key}: expected {expected}, found {found}{}", .origin.behind())]
    Value {
        /// The key.
        key: String,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
        /// Where the value comes from.
        origin: Origin,
    },
    /// A space that cannot be searched.
    #[error("style {style}: {source}{}", .origin.behind())]
    Space {
        /// The style.
        style: Style,
        /// Why.
        source: SpaceError,
        /// Where the axis comes from.
        origin: Origin,
    },
    /// A plan that cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanningError),
}

impl ConfigError {
    pub(super) fn of_space(style: Style, source: SpaceError) -> Self {
        Self::Space { style, source, origin: Origin::Default }
    }

    /// Names where the value comes from that it is about.
    pub(super) fn traced(self, provenance: &Provenance) -> Self {
        match self {
            Self::Value { key, expected, found, origin: Origin::Default } => {
                let origin = provenance.of(&key);
                Self::Value { key, expected, found, origin }
            }
            Self::Space { style, source, origin: Origin::Default } => {
                let origin = match &source {
                    SpaceError::Axis { axis: key, .. } | SpaceError::UnknownColumn { key, .. } => {
                        ["space", "filters"]
                            .map(|section| provenance.of(&format!("style.{style}.{section}.{key}")))
                            .into_iter()
                            .find(|origin| *origin != Origin::Default)
                    }
                    _ => None,
                };
                Self::Space { style, source, origin: origin.unwrap_or_default() }
            }
            other => other,
        }
    }
}

pub(crate) fn value_error(key: &str, expected: &str, found: impl std::fmt::Display) -> ConfigError {
    let found = match found.to_string() {
        found if found.is_empty() => "\"\"".to_owned(),
        found => excerpt(&found).into_owned(),
    };
    let key = excerpt(key).into_owned();
    ConfigError::Value { key, expected: expected.to_owned(), found, origin: Origin::Default }
}

/// Checks a share of something.
pub(super) fn share(key: &str, value: f64, most: f64) -> Result<f64, ConfigError> {
    match value > 0.0 && value <= most {
        true => Ok(value),
        false => Err(value_error(key, &format!("more than 0 and at most {most}"), value)),
    }
}
