//! What was expected and found where an issue was met first: data, which is put into words late.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::as_text;
use super::place::{RowPlace, RowRef, place_of_member};

use super::time::TimeError;
use crate::model::{Candle, CandleError, Interval, rfc3339};

/// Words of this program, or of the one that kept them.
pub(crate) type Words = Cow<'static, str>;

/// What was expected and found at the first place of an issue. The names are those that stores keep, with their values; new ones
/// stand at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum IssueCause {
    /// In the words of a program that kept no data.
    #[error("{0}")]
    Told(String),
    #[error("expected {expected} fields, found {found}")]
    Fields { expected: u64, found: u64 },
    #[error("open time: {fault}, found {found:?}")]
    OpenTime { fault: TimeError, found: String },
    #[error("{column}: expected a number, found {found:?}")]
    Number { column: Words, found: String },
    #[error("whether the candle is finished: expected 1, 0, true or false, found {found:?}")]
    Finished { found: String },
    #[error("a row of a time without any price; left out as a candle that there is not")]
    NoPrice,
    #[error("symbol: expected the symbol of the row, found {found:?}")]
    NoSymbol { found: String },
    #[error("{found}")]
    OtherSymbol { found: String },
    #[error("expected a row, found a line beyond 64 KiB")]
    LineTooLong,
    #[error("expected a header or a row of candles, found {found:?}")]
    NoRow { found: String },
    #[error("expected a row, found {found:?}")]
    Comment { found: String },
    #[error("expected a volume column, found none; volume is 0 from here on")]
    NoVolumeColumn,
    #[error("expected a volume, found none; the candle is kept with volume 0")]
    NoVolume,
    #[error(
        "open or close lies outside high and low by a tick: open {}, high {}, low {}, close {}; high and low are taken that wide",
        .0.open, .0.high, .0.low, .0.close
    )]
    Widened(WrittenCandle),
    #[error("{fault}: {candle}")]
    Impossible { fault: CandleError, candle: WrittenCandle },
    #[error("expected rows from old to new, found {} after {}", rfc3339(*open_ms), rfc3339(*before_ms))]
    OutOfOrder { open_ms: i64, before_ms: i64 },
    #[error(
        "expected a newline behind the row, found the end of the file, so its last cell may be cut; it is read once the line is \
         ended or another row follows"
    )]
    NoNewline,
    #[error("expected the end of a row, found the end of the file")]
    CutRow,
    #[error("expected the end of the line, found the end of the file in the only row")]
    CutOnlyRow,
    #[error("the row calls the candle of {} unfinished", rfc3339(*open_ms))]
    CalledUnfinished { open_ms: i64 },
    #[error("the {interval} candle of {} is not closed yet", rfc3339(*open_ms))]
    NotClosed {
        #[serde(with = "as_text")]
        interval: Interval,
        open_ms: i64,
    },
    #[error("the {interval} candle of {} has a close time before its end", rfc3339(*open_ms))]
    ClosedEarly {
        #[serde(with = "as_text")]
        interval: Interval,
        open_ms: i64,
    },
    #[error("the {interval} candle of {} was stored before its end; line {line} goes on", rfc3339(*open_ms))]
    StoredEarly {
        #[serde(with = "as_text")]
        interval: Interval,
        open_ms: i64,
        line: u64,
    },
    #[error(
        "the candle of {} stands in line {line} as well, where it was not finished; this one counts",
        rfc3339(*open_ms)
    )]
    FinishedLater { open_ms: i64, line: u64 },
    #[error("expected an open time that is a multiple of {interval}, found {}", rfc3339(*open_ms))]
    Misaligned {
        #[serde(with = "as_text")]
        interval: Interval,
        open_ms: i64,
    },
    #[error("expected candles up to {}, found {} the newest", rfc3339(*as_of_ms), rfc3339(*newest_ms))]
    Future { as_of_ms: i64, newest_ms: i64 },
    #[error("no newline ends the row; it counts, because the candles go on in `{file}`")]
    GoesOn { file: String },
    #[error("no column tells when candles open; open times are close times less {interval}")]
    CloseTimes {
        #[serde(with = "as_text")]
        interval: Interval,
    },
    #[error("no header; all rows together show that the columns are open_time, {}", order.join(", "))]
    ColumnOrder { order: Vec<Words> },
    #[error("expected the columns of the header, found {fields} of {writer}; read by theirs")]
    OtherLayout { fields: u64, writer: Words },
    #[error("the same candle as {0}")]
    SameAs(CandleRowPlace),
    #[error("replaces another candle: {0}")]
    Replaces(CandleRowPlace),
    #[error("expected {expected} candles of {interval} from {}, found {found}", rfc3339(*from_ms))]
    IncompleteBucket {
        expected: u64,
        #[serde(with = "as_text")]
        interval: Interval,
        from_ms: i64,
        found: u64,
    },
    #[error(
        "{}: open {}, high {}, low {}, close {} is used; {interval} candles give [{}]",
        rfc3339(*open_ms), used[0], used[1], used[2], used[3], built.join(", ")
    )]
    OverlapDiffers {
        open_ms: i64,
        /// Open, high, low and close.
        used: [String; 4],
        #[serde(with = "as_text")]
        interval: Interval,
        /// The same of the candles that are not used.
        built: [String; 4],
    },
    #[error(
        "{missing} candles of {interval} are not there, in {holes} holes of at most a day: taken as the last close without volume"
    )]
    FlatCandles {
        missing: u64,
        #[serde(with = "as_text")]
        interval: Interval,
        holes: u64,
    },
    #[error(
        "expected the price to go on, found {} at the close of {} and {} at the open of {}, {} at its close: no market moves so, \
         trades and windows end there",
        close, rfc3339(*before_ms), next_open, rfc3339(*next_ms), next_close
    )]
    ScaleChange { close: String, before_ms: i64, next_open: String, next_ms: i64, next_close: String },
    #[error(
        "{missing} candle{} of {interval} {} missing in {gaps} gap{}, {longest} in the longest from {}",
        plural(*missing), if *missing == 1 { "is" } else { "are" }, plural(*gaps), rfc3339(*from_ms)
    )]
    Gaps {
        missing: u64,
        #[serde(with = "as_text")]
        interval: Interval,
        gaps: u64,
        longest: u64,
        from_ms: i64,
    },
    #[error(
        "{silent} candles of {interval} without volume in {stretches} stretches, {longest} in the longest from {}",
        rfc3339(*from_ms)
    )]
    ZeroVolume {
        silent: u64,
        #[serde(with = "as_text")]
        interval: Interval,
        stretches: u64,
        longest: u64,
        from_ms: i64,
    },
    #[error(
        "same bytes as {symbol} of {}; one of them holds the wrong symbol",
        place_of_member(Path::new(path), entry.as_deref())
    )]
    SameBytes { symbol: String, path: String, entry: Option<String> },
    #[error("expected {expected} fields, found {found} where the file ends")]
    CutFields { expected: u64, found: u64 },
    #[error(
        "expected a newline behind the row, found the end of the file, so its last cell may be cut; it is read once the line is \
         ended"
    )]
    UnendedSignal,
    #[error("expected a signal once, found {place} again")]
    RepeatedSignal { place: RowPlace },
    #[error("`{path}` {place}: expected {expected} fields as in the header, found {found}")]
    SignalFields { path: String, place: RowPlace, expected: u64, found: u64 },
    #[error("`{path}` {place}, column {column:?}: expected {expected}, found {found}")]
    SignalCell { path: String, place: RowPlace, column: String, expected: Words, found: String },
    #[error(
        "expected `enter_long` or `enter_short`, found neither, both, or one beside the exit from it: nothing is entered"
    )]
    NothingEntered,
}

/// A candle by its numbers as they are written: kept to the last digit, and whatever they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WrittenCandle {
    pub open: String,
    pub high: String,
    pub low: String,
    pub close: String,
    pub volume: String,
}

impl From<&Candle> for WrittenCandle {
    fn from(candle: &Candle) -> Self {
        let Candle { open_time: _, open, high, low, close, volume } = candle;
        let [open, high, low, close, volume] = [open, high, low, close, volume].map(f64::to_string);
        Self { open, high, low, close, volume }
    }
}

impl fmt::Display for WrittenCandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open, high, low, close, volume } = self;
        write!(f, "open {open}, high {high}, low {low}, close {close}, volume {volume}")
    }
}

/// A row of candles and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CandleRowPlace {
    pub path: String,
    pub entry: Option<String>,
    pub line: u64,
    pub candle: WrittenCandle,
}

impl From<&RowRef> for CandleRowPlace {
    fn from(row: &RowRef) -> Self {
        let RowRef { path, entry, line, candle } = row;
        let (path, entry) = (path.display().to_string(), entry.clone());
        Self { path, entry, line: *line, candle: candle.into() }
    }
}

impl fmt::Display for CandleRowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = place_of_member(Path::new(&self.path), self.entry.as_deref());
        write!(f, "{place} line {} ({})", self.line, self.candle)
    }
}

/// The first row of a file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FirstBadRow {
    pub line: Option<u64>,
    pub cause: IssueCause,
}

impl fmt::Display for FirstBadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        self.cause.fmt(f)
    }
}

/// Returns the ending of a noun that stands for so many.
fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
