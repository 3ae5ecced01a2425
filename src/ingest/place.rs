//! Where something stands in a file, and how files are named in texts.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Candle, escaped};

/// Where something stands in a file of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowPlace {
    /// A line of text, from 1.
    Line(u64),
    /// A row of a table, from 1.
    Row(u64),
    /// The names of a table's columns.
    Columns,
}

impl RowPlace {
    /// Returns the number of the line or row.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Line(number) | Self::Row(number) => Some(number),
            Self::Columns => None,
        }
    }
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
            Self::Columns => f.write_str("columns"),
        }
    }
}

/// A candle and where it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct RowRef {
    /// The file.
    pub path: PathBuf,
    /// The member, if the file is an archive.
    pub entry: Option<String>,
    /// The line, from 1.
    pub line: u64,
    /// The candle that stands there.
    pub candle: Candle,
}

impl fmt::Display for RowRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Candle { open, high, low, close, volume, .. } = self.candle;
        write!(
            f,
            "{} line {} (open {open}, high {high}, low {low}, close {close}, volume {volume})",
            place_of_member(&self.path, self.entry.as_deref()),
            self.line
        )
    }
}

/// Returns how a file, or a member of an archive, is named in texts.
pub(super) fn place_of_member(path: &Path, entry: Option<&str>) -> String {
    let path = shown_path(path);
    match entry {
        Some(entry) => format!("`{}` in `{path}`", entry.escape_debug()),
        None => format!("`{path}`"),
    }
}

/// Returns a path as it stands in texts: on one line, whatever is in its names.
pub(super) fn shown_path(path: &Path) -> String {
    escaped(&path.display().to_string(), &[]).into_owned()
}
