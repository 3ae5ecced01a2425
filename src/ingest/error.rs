//! What stops reading altogether: a path that is not there, a disk that fails, candles that contradict each other.
//!
//! A single bad file stops nothing; it is rejected in its report with a [`super::Rejection`].

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::limits::ROWS_MAX;
use super::place::{RowRef, place_of_member, shown_path};
use crate::model::{Interval, MarketKind, Symbol, rfc3339};

/// Why no candles can be handed out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// A path given by the user does not exist.
    #[error("expected a file or folder of candles, found nothing at `{}`; check the path", shown_path(path))]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// The operating system refuses to list or read a path.
    #[error("cannot read `{}`; check the disk and that this user may read it", shown_path(path))]
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
        place_of_member(path, entry.as_deref()),
        if room_bytes.is_some() { "raise the limit (`--max-memory`) or split the file" } else { "take some of the files away" }
    )]
    TooMany {
        /// The symbol.
        symbol: Box<Symbol>,
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
    /// Files of one symbol are of different markets.
    #[error(transparent)]
    Markets(Box<MarketConflict>),
    /// A folder of freqtrade does not say which candles are meant.
    #[error(transparent)]
    Freqtrade(Box<FreqtradeFolderError>),
}

/// Why a folder of freqtrade does not say which candles are meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found} in `{}`", shown_path(folder))]
pub struct FreqtradeFolderError {
    /// The folder, as it was given or below that.
    pub folder: PathBuf,
    /// What was expected.
    pub expected: String,
    /// What there is.
    pub found: String,
}

/// Two files of one symbol whose names say different markets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one market of {symbol}, found two: {first}, {second}; {}", self.way_out())]
pub struct MarketConflict {
    /// The symbol.
    pub symbol: Symbol,
    /// A file.
    pub first: MarketFile,
    /// A file of another market.
    pub second: MarketFile,
}

/// A file and the market that its name or its folder says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketFile {
    /// The file.
    pub path: PathBuf,
    /// The member, if the file is an archive.
    pub entry: Option<String>,
    /// The kind of market, if one is said.
    pub kind: Option<MarketKind>,
    /// The exchange, if one is said.
    pub exchange: Option<&'static str>,
}

impl MarketConflict {
    /// Returns what the user can do.
    fn way_out(&self) -> String {
        match (self.first.kind, self.second.kind) {
            (Some(first), Some(second)) if first != second => format!(
                "choose with `--market {first}` or `--market {second}`, or leave files out with `--exclude GLOB`"
            ),
            (Some(said), None) | (None, Some(said)) => format!(
                "`--market {said}` reads only what says so, a folder `{said}` says it of the files in it, `--exclude GLOB` \
                 leaves files out"
            ),
            _ => match (self.first.exchange, self.second.exchange) {
                (Some(first), Some(second)) => format!(
                    "choose with `--exchange {first}` or `--exchange {second}`, or leave the files of one exchange out with \
                     `--exclude GLOB`"
                ),
                _ => "leave the files of one exchange out with `--exclude GLOB`".to_owned(),
            },
        }
    }
}

impl fmt::Display for MarketFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = place_of_member(&self.path, self.entry.as_deref());
        match (self.kind, self.exchange) {
            (Some(kind), Some(exchange)) => write!(f, "{file} is of {exchange} {kind}"),
            (Some(kind), None) => write!(f, "{file} is of {kind}"),
            (None, Some(exchange)) => write!(f, "{file} is of {exchange}"),
            (None, None) => write!(f, "{file} says no market"),
        }
    }
}

/// Two rows that give different candles of one symbol, interval and open time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "expected one {symbol} {interval} candle for {}, found two that differ: {first} and {second}; {}",
    rfc3339(*open_time),
    self.way_out()
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
    /// Candles that both files hold; of one file, its candles.
    pub shared: u64,
    /// How many of them have other prices in the second.
    pub differing: u64,
}

/// So many candles tell a correction from another market.
const TELLING_CANDLES: u64 = 20;

impl Conflict {
    /// Returns whether most candles differ: that is another market, or another coin, and no correction.
    pub(super) fn is_of_two_markets(&self) -> bool {
        self.shared >= TELLING_CANDLES && self.differing * 2 > self.shared
    }

    /// Returns what the user can do.
    fn way_out(&self) -> String {
        let (shared, differing) = (self.shared, self.differing);
        let within_one = self.first.path == self.second.path && self.first.entry == self.second.entry;
        match (self.is_of_two_markets(), within_one) {
            (true, true) => format!(
                "{differing} of its {shared} candles are there twice with other prices, so it holds two markets: split it, or \
                 leave it out with `--exclude GLOB`"
            ),
            (true, false) => format!(
                "{differing} of {shared} candles that both hold have other prices, so they are hardly of one market: leave one \
                 out with `--exclude GLOB`"
            ),
            (false, true) => "`--on-conflict last` uses the later row".to_owned(),
            (false, false) => {
                "`--on-conflict last` uses the second, which is right if it is a later download of the same; \
                               `--exclude GLOB` leaves one out"
                    .to_owned()
            }
        }
    }
}
