//! Why a file of signals gives none, with the place and what to do.

use std::io;
use std::path::PathBuf;

use crate::ingest::cause::{IssueCause, Words};
use crate::ingest::format::{FileFormat, Packing};
use crate::ingest::place::RowPlace;
use crate::ingest::rejection::Rejection;
use crate::model::{Direction, Interval, Symbol, rfc3339};

/// Why a file of signals cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalsError {
    /// The file is not there or refuses to be read.
    #[error("cannot read the signals in `{}`; check the path and that this user may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A folder, a pipe, a socket or a device: opening one may wait for ever, so none is opened.
    #[error(
        "`{}`: expected signals in a regular file, found {found}; write them to a file and name that",
        path.display()
    )]
    NotRegular {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// Neither text nor a table.
    #[error("`{}`: expected signals as CSV with a header, found {found}", path.display())]
    NotCsv {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Words,
    },
    /// A table that cannot be decoded.
    #[error("the signals in `{}`", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Rejection,
    },
    /// More than is read.
    #[error("`{}`: expected at most {limit} {unit}, found more; split the file by time", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// The header does not say what is needed.
    #[error("`{}` {at}: expected {expected}, found {found}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// The header.
        at: RowPlace,
        /// What it must hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// More signals than there is room for.
    #[error(
        "`{}`: expected signals that fit the memory limit, which leaves {} MiB for them, found more than {rows} rows; \
         raise the limit (`--max-memory`) or give fewer signals or columns",
        path.display(), room_bytes >> 20
    )]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// The rows that fit.
        rows: u64,
        /// Bytes that reading could take.
        room_bytes: u64,
    },
    /// A row cannot be read.
    #[error("{0}")]
    Row(Box<IssueCause>),
    /// Two rows say different things about one signal.
    #[error(transparent)]
    Conflict(Box<SignalsConflict>),
    /// A signal is on a side that is not traded.
    #[error(
        "`{}`: expected signals on the sides that are traded, {sides} (`[portfolio] sides`; on spot long, unless it says otherwise), found \
         {found} on the other; leave them out, or write sides = \"both\"",
        path.display()
    )]
    Side {
        /// The file.
        path: PathBuf,
        /// The sides.
        sides: &'static str,
        /// How many are on another.
        found: u64,
    },
    /// An exit rule follows the exits of signals that have none.
    #[error(
        "`{}`: expected a column `exit_time` with the time of each signal's exit, which `exit_signal` follows, found no such time",
        path.display()
    )]
    NoExits {
        /// The file.
        path: PathBuf,
    },
    /// Dates that are not the opens of candles of the interval.
    #[error(
        "`{}`, column \"date\": expected the opens of the {interval} candles that signals were given on, as freqtrade has them, found \
         {found}; say how long those candles are (`[signals] timeframe`), or call the column `time` where it says when a signal was known",
        path.display()
    )]
    Dates {
        /// The file.
        path: PathBuf,
        /// The interval expected.
        interval: Interval,
        /// What stands there.
        found: String,
    },
    /// A filter asks for a column that holds no numbers.
    #[error("`{}`, column {name:?}: expected numbers to filter on, found {found}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column asked for.
        name: String,
        /// What is there instead.
        found: String,
    },
}

/// Two rows that say different things about one signal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "`{}`: expected one {} of {symbol} at {}, found two that differ in column {column:?}: {} in {} and {} in {}; keep \
     the one that was traded",
    path.display(), side(*direction), rfc3339(*time_ms), first.1, first.0, second.1, second.0
)]
pub struct SignalsConflict {
    /// The file.
    pub path: PathBuf,
    /// The symbol.
    pub symbol: Symbol,
    /// The time of both; UTC ms.
    pub time_ms: i64,
    /// The side of both.
    pub direction: Direction,
    /// The first column that differs.
    pub column: String,
    /// Place and value of the row that stands first.
    pub first: (RowPlace, String),
    /// The same of the later row.
    pub second: (RowPlace, String),
}

fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Long => "long",
        Direction::Short => "short",
    }
}

/// Returns what a file is that is no CSV at all.
pub(super) fn format_of(
    packing: Packing,
    format: Result<FileFormat, Rejection>,
    head: &[u8],
) -> Option<Words> {
    let holds = |member: &str| memchr::memmem::find(head, member.as_bytes()).is_some();
    let said = match (packing, format) {
        (Packing::Zip, _) if ["xl/", "docProps/", "[Content_Types].xml"].into_iter().any(holds) => {
            Some("an Excel workbook: open it and save the sheet as CSV (UTF-8)")
        }
        (Packing::Gzip, _) => Some("a gzip file"),
        (Packing::Zip, _) => Some("a zip archive"),
        (
            Packing::None,
            Ok(FileFormat::Json | FileFormat::NestedJson) | Err(Rejection::LegacyOpportunities),
        ) => Some("JSON"),
        (Packing::None, Ok(FileFormat::Feather)) => Some("feather"),
        (Packing::None, Err(Rejection::Unsupported { format, .. })) => return Some(format),
        (Packing::None, Err(Rejection::LfsPointer)) => Some("a Git LFS pointer"),
        (Packing::None, Err(Rejection::Empty)) => Some("an empty file"),
        (Packing::None, _) => None,
    };
    said.map(Words::Borrowed)
}
