//! Where values come from.

use std::collections::BTreeMap;
use std::fmt;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nobody named it.
    #[default]
    Default,
    /// A line of a text.
    Line {
        /// Name of the text: a file in backticks.
        source: String,
        /// The line, from 1.
        line: u32,
    },
    /// Several lines of a text, or a source of one value: an environment variable, a flag.
    Source(String),
}

impl Origin {
    /// Returns the name of the source: `default`, a file, an environment variable, a flag.
    pub fn source(&self) -> &str {
        match self {
            Self::Default => "default",
            Self::Line { source, .. } | Self::Source(source) => source,
        }
    }

    /// Returns the line, where it is one of a text.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Line { line, .. } => Some(*line),
            _ => None,
        }
    }

    /// Returns it in brackets behind an error; nothing for a default.
    pub(crate) fn behind(&self) -> String {
        match self {
            Self::Default => String::new(),
            given => format!(" ({given})"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { source, line } => write!(f, "{source}, line {line}"),
            other => f.write_str(other.source()),
        }
    }
}

/// Where every value that somebody named comes from, and what is to be said of how it was named.
#[derive(Debug, Clone, Default)]
pub(crate) struct Provenance {
    /// By dotted key; lists, axes and filters as one value.
    pub(crate) origins: BTreeMap<String, Origin>,
    pub(crate) warnings: Vec<String>,
}

impl Provenance {
    /// Returns where a value comes from: the key's own origin, or that of the value it is a part of.
    pub(crate) fn of(&self, key: &str) -> Origin {
        let parts = std::iter::successors(Some(key), |key| key.rsplit_once('.').map(|(front, _)| front));
        parts.filter_map(|part| self.origins.get(part)).next().cloned().unwrap_or_default()
    }
}

/// Two configurations with the same values are the same, wherever the values come from.
impl PartialEq for Provenance {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
