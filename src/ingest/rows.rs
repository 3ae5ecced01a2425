//! Rows of candles from lines: nothing is known of the file but its symbol.

use std::io::Read;

use super::layout::{self, Detected, Field, Layout, cell};
use super::lines::{Line, Lines, StreamError};
use super::number;
use super::rejection::Rejection;
use super::report::{Issue, IssueKind, TimeUnit, note};
use super::sniff::{self, excerpt};
use super::time;
use crate::model::{Candle, Symbol};

/// The most rows a file may have: thirty years of one-minute candles.
pub const ROWS_MAX: usize = 16 * 1024 * 1024;
/// How many lines that are neither header nor row may stand on top.
const PREAMBLE_LINES_MAX: u64 = 20;

/// A candle as it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    pub(super) candle: Candle,
    /// Index of the file among the sources of its symbol.
    pub(super) file: u32,
    /// Line from 1; a file of the largest size allowed has fewer than 2^32.
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
    /// Rows without a volume, and with one, may not mix: this is whether there is a column.
    pub(super) has_volume: bool,
    pub(super) units: [bool; TimeUnit::ALL.len()],
    pub(super) issues: Vec<Issue>,
    pub(super) bytes: u64,
    /// BLAKE3 in hex.
    pub(super) hash: String,
    pub(super) rejected: Option<Rejection>,
}

/// Why a row is left out; texts are made only for the first of a file.
enum RowError<'a> {
    Fields { expected: usize, found: usize },
    Time { error: time::TimeError, found: &'a [u8] },
    Number { column: &'static str, found: &'a [u8] },
}

impl RowError<'_> {
    fn text(&self) -> String {
        match self {
            Self::Fields { expected, found } => format!("expected {expected} fields, found {found}"),
            Self::Time { error, found } => format!("open time: {error}, found {:?}", excerpt(found)),
            Self::Number { column, found } => {
                format!("{column}: expected a number, found {:?}", excerpt(found))
            }
        }
    }
}

/// Reads all rows of a stream.
///
/// Errors: only what the stream itself reports; whatever its bytes are, they give rows or a rejection.
pub(super) fn parse(
    stream: impl Read,
    bytes_max: u64,
    symbol: &Symbol,
    file: u32,
) -> Result<Parsed, StreamError> {
    let mut lines = Lines::new(stream, bytes_max);
    let mut parser = Parser::new(symbol, file);
    let head = lines.peek()?;
    parser.out.rejected = sniff::reject(head);
    let byte_order_mark = if head.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    lines.skip(byte_order_mark);
    while parser.out.rejected.is_none() {
        match lines.next_line()? {
            Some((number, line)) => parser.line(number, &line),
            None => break,
        }
    }
    lines.drain()?;
    let mut parsed = parser.finish();
    (parsed.bytes, parsed.hash) = lines.digest();
    Ok(parsed)
}

struct Parser<'a> {
    symbol: &'a Symbol,
    file: u32,
    layout: Option<Layout>,
    /// Line number and text of the first line that is not blank.
    first: Option<(u64, String)>,
    fields: Vec<Field>,
    /// The last cell of the symbol column and whether it is our symbol.
    symbol_cell: (Vec<u8>, bool),
    time_last: i64,
    out: Parsed,
}

impl<'a> Parser<'a> {
    fn new(symbol: &'a Symbol, file: u32) -> Self {
        Self {
            symbol,
            file,
            layout: None,
            first: None,
            fields: Vec::new(),
            symbol_cell: (Vec::new(), true),
            time_last: i64::MIN,
            out: Parsed::default(),
        }
    }

    fn line(&mut self, number: u64, line: &Line<'_>) {
        let (text, ended) = match line {
            Line::Whole(text) => (*text, true),
            Line::Unended(text) => (*text, false),
            Line::TooLong => {
                self.out.rows_seen += 1;
                self.bad(IssueKind::BadRow, number, || {
                    "expected a row, found a line beyond 64 KiB".to_owned()
                });
                return;
            }
        };
        match text.first() {
            None => return,
            Some(b'#') => return self.comment(number, text),
            Some(byte) if *byte <= b' ' && text.trim_ascii().is_empty() => return,
            Some(_) => {}
        }
        match self.layout.take() {
            Some(layout) => self.layout = Some(self.row(layout, number, text, ended)),
            None => self.detect(number, text, ended),
        }
    }

    fn comment(&mut self, number: u64, text: &[u8]) {
        note(&mut self.out.issues, IssueKind::Comment, Some(number), || {
            format!("expected a row, found {:?}", excerpt(text))
        });
    }

    fn bad(&mut self, kind: IssueKind, number: u64, detail: impl FnOnce() -> String) {
        self.out.rows_bad += 1;
        note(&mut self.out.issues, kind, Some(number), detail);
    }

    fn detect(&mut self, number: u64, text: &[u8], ended: bool) {
        let (first_line, first_text) = self.first.get_or_insert_with(|| (number, excerpt(text)));
        match layout::detect(text, self.symbol) {
            Detected::Header(layout) => self.settle(layout),
            Detected::Data(layout) => {
                self.settle(layout.clone());
                self.layout = Some(self.row(layout, number, text, ended));
            }
            Detected::Ambiguous(columns) => {
                self.out.rejected = Some(Rejection::UnknownColumns { line: number, columns });
            }
            Detected::Neither(_) if number >= PREAMBLE_LINES_MAX + *first_line => {
                let rejection = Rejection::NoHeader { line: *first_line, found: first_text.clone() };
                self.out.rejected = Some(rejection);
            }
            Detected::Neither(fields) if fields >= 5 => {
                self.out.rows_seen += 1;
                self.bad(IssueKind::BadRow, number, || {
                    format!("expected a header or a row of candles, found {:?}", excerpt(text))
                });
            }
            Detected::Neither(_) => self.comment(number, text),
        }
    }

    fn settle(&mut self, layout: Layout) {
        self.out.has_volume = layout.volume.is_some();
        if layout.volume.is_none() {
            note(&mut self.out.issues, IssueKind::NoVolume, None, || {
                "expected a volume column, found none; volume is 0 throughout".to_owned()
            });
        }
        self.layout = Some(layout);
    }

    /// Takes one row; returns the layout of the rows that follow, which a header in between changes.
    fn row(&mut self, layout: Layout, number: u64, text: &[u8], ended: bool) -> Layout {
        let mut fields = std::mem::take(&mut self.fields);
        layout::split(text, layout.separator, &mut fields);
        let read = read_row(&layout, text, &fields);
        let field_count = fields.len();
        self.fields = fields;
        let error = match read {
            Ok(read) => {
                self.candle(&layout, number, text, read);
                return layout;
            }
            Err(error) => error,
        };
        if !ended && field_count < layout.fields {
            note(&mut self.out.issues, IssueKind::PartialLastLine, Some(number), || error.text());
            return layout;
        }
        if let Some(next) = layout::header(text, layout.separator, self.symbol) {
            self.comment(number, text);
            self.out.has_volume &= next.volume.is_some();
            return next;
        }
        self.out.rows_seen += 1;
        self.bad(IssueKind::BadRow, number, || error.text());
        layout
    }

    #[inline]
    fn candle(&mut self, layout: &Layout, number: u64, text: &[u8], read: ReadRow) {
        let candle = read.candle;
        self.out.rows_seen += 1;
        if self.out.rows.len() >= ROWS_MAX {
            self.out.rejected = Some(Rejection::TooLarge { limit: ROWS_MAX as u64, unit: "rows" });
            return;
        }
        if let Some(column) = layout.symbol
            && !self.is_our_symbol(cell(text, self.fields[column]))
        {
            let found = cell(text, self.fields[column]);
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
            note(&mut self.out.issues, IssueKind::OutOfOrder, Some(number), || {
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

    fn finish(self) -> Parsed {
        let mut out = self.out;
        if out.rejected.is_some() {
            return out;
        }
        out.rejected = match (&self.layout, self.first) {
            (None, None) => Some(Rejection::Empty),
            (None, Some((line, found))) => Some(Rejection::NoHeader { line, found }),
            (Some(_), _) if out.rows_seen == 0 => Some(Rejection::NoRows),
            (Some(_), _) => None,
        };
        out
    }
}

/// The cells of a row as values.
struct ReadRow {
    candle: Candle,
    unit: TimeUnit,
    span_ms: Option<u32>,
}

#[inline]
fn read_row<'a>(layout: &Layout, text: &'a [u8], fields: &[Field]) -> Result<ReadRow, RowError<'a>> {
    let expected = layout.fields;
    let found = fields.len();
    let one_empty_more = found == expected + 1 && cell(text, fields[expected]).is_empty();
    if found != expected && !one_empty_more {
        return Err(RowError::Fields { expected, found });
    }
    let at = |column: usize| cell(text, fields[column]);
    let (open_time, unit) =
        time::parse(at(layout.time)).map_err(|error| RowError::Time { error, found: at(layout.time) })?;
    let price = |name: &'static str, column: usize| {
        number::parse(at(column)).ok_or_else(|| RowError::Number { column: name, found: at(column) })
    };
    let candle = Candle {
        open_time,
        open: price("open", layout.open)?,
        high: price("high", layout.high)?,
        low: price("low", layout.low)?,
        close: price("close", layout.close)?,
        volume: layout.volume.map_or(Ok(0.0), |column| price("volume", column))?,
    };
    let span_ms = layout.close_time.and_then(|column| span(open_time, at(column)));
    Ok(ReadRow { candle, unit, span_ms })
}

/// Returns the milliseconds to a close time; one written in whole seconds counts to the end of its second.
fn span(open_time: i64, cell: &[u8]) -> Option<u32> {
    let (close, unit) = time::parse(cell).ok()?;
    let to_second_end = if matches!(unit, TimeUnit::Seconds | TimeUnit::Text) { 999 } else { 0 };
    let span = (close - open_time + to_second_end).clamp(0, i64::from(u32::MAX));
    u32::try_from(span).ok()
}
