//! What stops reading altogether: a path that is not there, a disk that fails, candles that contradict each other.
//!
//! A single bad file stops nothing; it is rejected in its report with a [`super::Rejection`].

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::collector::ROWS_MAX;
use super::source::Source;
use crate::model::{Candle, Interval, Symbol, escaped, rfc3339};

/// Why no candles can be handed out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// A path given by the user does not exist.
    #[error("expected a file or folder of candles, found nothing at `{}`; check the path", shown(path))]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// The operating system refuses to list or read a path.
    #[error("cannot read `{}`; check the disk and that this user may read it", shown(path))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// More candles than there is room for.
    #[error(
        "expected candles of {symbol} that fit {}, found more in {}; {}",
        room_bytes.map_or_else(|| format!("{ROWS_MAX} rows"), |bytes| format!("the memory limit, which leaves {} MiB", bytes >> 20)),
        place(path, entry.as_deref()),
        if room_bytes.is_some() { "raise the limit (`--max-memory`) or split the file" } else { "take some of the files away" }
    )]
    TooMany {
        /// The symbol.
        symbol: Symbol,
        /// The file at which there was no more room.
        path: PathBuf,
        /// The member, if the file is an archive.
        entry: Option<String>,
        /// Bytes that could be taken; `None` without a limit.
        room_bytes: Option<u64>,
    },
    /// Two rows give different candles for one open time.
    #[error(transparent)]
    Conflict(Box<Conflict>),
}

impl IngestError {
    /// Says at which source there was no more room.
    pub(super) fn too_many(symbol: &Symbol, source: &Source, room_bytes: Option<u64>) -> Self {
        let (path, entry) = (source.path.clone(), source.entry.clone());
        Self::TooMany { symbol: symbol.clone(), path, entry, room_bytes }
    }
}

/// Two rows that give different candles of one symbol, interval and open time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "expected one {symbol} {interval} candle for {}, found two that differ: {first} and {second}; \
     pass one folder (one market) or use `--on-conflict last`",
    rfc3339(*open_time)
)]
pub struct Conflict {
    /// The symbol.
    pub symbol: Symbol,
    /// The interval of both candles.
    pub interval: Interval,
    /// The open time of both candles in UTC milliseconds.
    pub open_time: i64,
    /// The row that comes first in file order.
    pub first: RowRef,
    /// The row that comes later in file order.
    pub second: RowRef,
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
            place(&self.path, self.entry.as_deref()),
            self.line
        )
    }
}

/// Returns how a file, or a member of an archive, is named in texts.
pub(super) fn place(path: &Path, entry: Option<&str>) -> String {
    let path = shown(path);
    match entry {
        Some(entry) => format!("`{}` in `{path}`", entry.escape_debug()),
        None => format!("`{path}`"),
    }
}

/// Returns a path as it stands in texts: on one line, whatever is in its names.
pub(super) fn shown(path: &Path) -> String {
    escaped(&path.display().to_string(), &[]).into_owned()
}
