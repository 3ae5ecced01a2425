//! What every reader does with the rows it finds: count them, check the candles, note what is wrong.

use super::rejection::Rejection;
use super::report::{Issue, IssueKind, TimeUnit, excerpt, note};
use super::time;
use crate::model::{Candle, Symbol};

/// The most rows a file may have: thirty years of one-minute candles.
pub const ROWS_MAX: u64 = 16 * 1024 * 1024;

/// A candle as it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) candle: Candle,
    /// Index of the file among the sources of its symbol.
    pub(super) file: u32,
    /// Line from 1, or number of the row where the format has no lines; a file of the largest size allowed has fewer
    /// than 2^32.
    pub(super) line: u32,
    /// Milliseconds from open to close time; `None` where no close time stands.
    pub(super) span_ms: Option<u32>,
}

/// What the rows of one file are, before its interval is known.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Candles that can be, in the order of the file.
    pub(super) rows: Vec<Row>,
    /// All data rows, those left out included.
    pub(super) rows_seen: u64,
    /// Rows left out.
    pub(super) rows_bad: u64,
    pub(super) units: [bool; TimeUnit::ALL.len()],
    pub(super) issues: Vec<Issue>,
    pub(super) bytes: u64,
    /// BLAKE3 in hex.
    pub(super) hash: String,
    pub(super) rejected: Option<Rejection>,
}

/// The cells of a row as values.
pub(super) struct ReadRow {
    pub(super) candle: Candle,
    pub(super) unit: TimeUnit,
    pub(super) span_ms: Option<u32>,
}

/// Why a row is left out; texts are made only for the first of a file.
pub(super) enum RowError<'a> {
    Fields { expected: usize, found: usize },
    Time { error: time::TimeError, found: &'a [u8] },
    Number { column: &'static str, found: &'a [u8] },
}

impl RowError<'_> {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Fields { expected, found } => format!("expected {expected} fields, found {found}"),
            Self::Time { error, found } => format!("open time: {error}, found {:?}", excerpt(found)),
            Self::Number { column, found } => {
                format!("{column}: expected a number, found {:?}", excerpt(found))
            }
        }
    }
}

/// Takes in the rows of one file.
pub(super) struct Collector<'a> {
    pub(super) symbol: &'a Symbol,
    file: u32,
    /// The last cell of the symbol column and whether it is our symbol.
    symbol_cell: (Vec<u8>, bool),
    time_last: i64,
    pub(super) out: Parsed,
}

impl<'a> Collector<'a> {
    /// Returns a collector for the file with this index among the sources of its symbol.
    pub(super) fn new(symbol: &'a Symbol, file: u32) -> Self {
        Self { symbol, file, symbol_cell: (Vec::new(), true), time_last: i64::MIN, out: Parsed::default() }
    }

    /// Rejects the whole file.
    #[cfg(feature = "columnar")]
    pub(super) fn reject(mut self, rejection: Rejection) -> Parsed {
        self.out.rejected = Some(rejection);
        self.out
    }

    pub(super) fn count_row(&mut self) {
        self.out.rows_seen += 1;
        if self.out.rows_seen > ROWS_MAX {
            self.out.rejected = Some(Rejection::TooLarge { limit: ROWS_MAX, unit: "rows" });
        }
    }

    pub(super) fn note(&mut self, kind: IssueKind, number: u64, detail: impl FnOnce() -> String) {
        note(&mut self.out.issues, kind, Some(number), detail);
    }

    pub(super) fn comment(&mut self, number: u64, text: &[u8]) {
        self.note(IssueKind::Comment, number, || format!("expected a row, found {:?}", excerpt(text)));
    }

    /// Notes that rows of a file from this one on say nothing of volume.
    pub(super) fn no_volume(&mut self, number: u64) {
        self.note(IssueKind::NoVolume, number, || {
            "expected a volume column, found none; volume is 0 from here on".to_owned()
        });
    }

    /// Leaves out a row that has been counted.
    pub(super) fn bad(&mut self, kind: IssueKind, number: u64, detail: impl FnOnce() -> String) {
        self.out.rows_bad += 1;
        self.note(kind, number, detail);
    }

    /// Counts a row and keeps its candle, if it can be and is of our symbol.
    #[inline]
    pub(super) fn candle(&mut self, number: u64, read: ReadRow, symbol: Option<&[u8]>) {
        let candle = read.candle;
        self.count_row();
        if let Some(found) = symbol
            && !self.is_our_symbol(found)
        {
            return self.bad(IssueKind::OtherSymbol, number, || excerpt(found));
        }
        if let Err(error) = candle.check() {
            return self.bad(IssueKind::Impossible(error), number, || {
                let Candle { open, high, low, close, volume, .. } = candle;
                format!("{error}: open {open}, high {high}, low {low}, close {close}, volume {volume}")
            });
        }
        if candle.open_time < self.time_last {
            let before = self.time_last;
            self.note(IssueKind::OutOfOrder, number, || {
                let (this, before) = (crate::model::rfc3339(candle.open_time), crate::model::rfc3339(before));
                format!("expected rows from old to new, found {this} after {before}")
            });
        }
        self.time_last = candle.open_time;
        self.out.units[read.unit as usize] = true;
        let line = u32::try_from(number).unwrap_or(u32::MAX);
        self.out.rows.push(Row { candle, file: self.file, line, span_ms: read.span_ms });
    }

    /// A cell that names no symbol, or only the base currency, contradicts nothing.
    fn is_our_symbol(&mut self, found: &[u8]) -> bool {
        if self.symbol_cell.0 != found {
            let text = String::from_utf8_lossy(found);
            let market = text.split(':').next().unwrap_or_default();
            let same = Symbol::parse(market).is_none_or(|other| {
                other.as_str() == "NULL" || self.symbol.as_str().starts_with(other.as_str())
            });
            self.symbol_cell = (found.to_vec(), same);
        }
        self.symbol_cell.1
    }
}

/// Returns the milliseconds to a close time; one written in whole seconds counts to the end of its second.
pub(super) fn span(open_time: i64, close: i64, unit: TimeUnit) -> Option<u32> {
    let to_second_end = if matches!(unit, TimeUnit::Seconds | TimeUnit::Text) { 999 } else { 0 };
    let span = (close - open_time + to_second_end).clamp(0, i64::from(u32::MAX));
    u32::try_from(span).ok()
}
