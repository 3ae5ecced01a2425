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
pub const ROWS_MAX: u64 = 16 * 1024 * 1024;
/// How many lines that are neither header nor row may stand on top.
const PREAMBLE_LINES_MAX: u64 = 20;
/// The longest line between rows that may be a header.
const HEADER_BYTES_MAX: usize = 4096;

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
                self.count_row();
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
        if self.layout.is_some() {
            self.row(number, text, ended);
        } else {
            self.detect(number, text, ended);
        }
    }

    fn count_row(&mut self) {
        self.out.rows_seen += 1;
        if self.out.rows_seen > ROWS_MAX {
            self.out.rejected = Some(Rejection::TooLarge { limit: ROWS_MAX, unit: "rows" });
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
            Detected::Header(layout) => self.settle(layout, number),
            // Without a header a first row that is cut in the middle looks like a whole one of fewer columns;
            // from eight columns on, those that are read are whole.
            Detected::Data(layout) if !ended && layout.fields < 8 => {
                note(&mut self.out.issues, IssueKind::PartialLastLine, Some(number), || {
                    "expected the end of the line, found the end of the file in the only row".to_owned()
                });
            }
            Detected::Data(layout) => {
                self.settle(layout, number);
                self.row(number, text, ended);
            }
            Detected::Ambiguous(columns) => {
                self.out.rejected = Some(Rejection::UnknownColumns { line: number, columns });
            }
            Detected::Neither(_) if number >= PREAMBLE_LINES_MAX + *first_line => {
                let rejection = Rejection::NoHeader { line: *first_line, found: first_text.clone() };
                self.out.rejected = Some(rejection);
            }
            Detected::Neither(fields) if fields >= 5 => {
                self.count_row();
                self.bad(IssueKind::BadRow, number, || {
                    format!("expected a header or a row of candles, found {:?}", excerpt(text))
                });
            }
            Detected::Neither(_) => self.comment(number, text),
        }
    }

    fn settle(&mut self, layout: Layout, number: u64) {
        if layout.volume.is_none() {
            note(&mut self.out.issues, IssueKind::NoVolume, Some(number), || {
                "expected a volume column, found none; volume is 0 from here on".to_owned()
            });
        }
        self.layout = Some(layout);
    }

    /// Takes one row, or a header in between that changes the layout of the rows that follow.
    fn row(&mut self, number: u64, text: &[u8], ended: bool) {
        let Some(layout) = &self.layout else { return };
        layout::split(text, layout.separator, &mut self.fields);
        let error = match read_row(layout, text, &self.fields) {
            Ok(read) => {
                let symbol = layout.symbol.map(|column| cell(text, self.fields[column]));
                return self.candle(number, read, symbol);
            }
            Err(error) => error,
        };
        if !ended && self.fields.len() < layout.fields {
            return note(&mut self.out.issues, IssueKind::PartialLastLine, Some(number), || error.text());
        }
        let may_be_header = self.fields.len() >= 5 && text.len() <= HEADER_BYTES_MAX;
        if may_be_header && let Some(next) = layout::header(text, layout.separator, self.symbol) {
            self.comment(number, text);
            return self.settle(next, number);
        }
        self.count_row();
        self.bad(IssueKind::BadRow, number, || error.text());
    }

    #[inline]
    fn candle(&mut self, number: u64, read: ReadRow, symbol: Option<&[u8]>) {
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
        let cut = out.issues.iter().any(|issue| issue.kind == IssueKind::PartialLastLine);
        out.rejected = match (&self.layout, self.first) {
            (None, Some(_)) if cut => Some(Rejection::NoRows),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "open_time,open,high,low,close,volume";
    const ROW: &str = "1743700500000,10,12,9,11,5";

    fn parsed(text: impl AsRef<[u8]>) -> Parsed {
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        parse(text.as_ref(), 1 << 20, &symbol, 0).expect("a slice does not fail")
    }

    fn kinds(parsed: &Parsed) -> Vec<(IssueKind, u64, Vec<u64>)> {
        parsed.issues.iter().map(|issue| (issue.kind, issue.count, issue.lines.clone())).collect()
    }

    #[test]
    fn quirks_around_rows_are_survived() {
        let wanted = Candle {
            open_time: 1_743_700_500_000,
            open: 10.0,
            high: 12.0,
            low: 9.0,
            close: 11.0,
            volume: 5.0,
        };
        let texts = [
            format!("{HEADER}\n{ROW}\n"),
            format!("\u{FEFF}{HEADER}\r\n{ROW}\r\n\r\n"),
            format!("{HEADER}\n\n  \n{ROW}"),
            format!("{HEADER},\n{ROW},\n"),
            format!("{HEADER}\n{ROW},\n"),
            format!("{ROW}\n"),
            ROW.replace(',', "|") + "\n",
            ROW.replace(',', ";") + "\n",
            ROW.replace(',', "\t") + "\n",
            format!("\"{}\"\n", ROW.replace(',', "\",\"")),
            "Volume,close,LOW,High,open,Date\n5,1.1e1,9,12,1E+1,2025-04-03 17:15:00\n".to_owned(),
            format!("{ROW},1743701399999,1,1,1,1,0"),
        ];
        for text in texts {
            let parsed = parsed(&text);
            assert_eq!(parsed.rejected, None, "{text:?}");
            assert_eq!(parsed.rows.iter().map(|row| row.candle).collect::<Vec<_>>(), [wanted], "{text:?}");
            assert_eq!(parsed.issues, [], "{text:?}");
        }
    }

    #[test]
    fn lines_that_are_no_rows_are_told_apart() {
        let parsed = parsed(format!(
            "https://example.com\n# note\n{HEADER}\n{ROW}\nNULL,1,1,1,1,1\n{ROW}\n{HEADER}\n{ROW},7\n{ROW}\n1743700500000,10,1"
        ));
        assert_eq!(parsed.rejected, None);
        assert_eq!((parsed.rows.len(), parsed.rows_seen, parsed.rows_bad), (3, 5, 2));
        let expected = [
            (IssueKind::Comment, 3, vec![1, 2, 7]),
            (IssueKind::BadRow, 2, vec![5, 8]),
            (IssueKind::PartialLastLine, 1, vec![10]),
        ];
        assert_eq!(kinds(&parsed), expected);
        assert_eq!(
            parsed.issues[1].detail,
            "open time: expected seconds, milliseconds, microseconds, nanoseconds or text like \
             `2025-01-31 17:15:00`, found \"NULL\""
        );
    }

    #[test]
    fn a_second_header_changes_the_columns() {
        let parsed = parsed(format!("{HEADER}\n{ROW}\ntime,close,low,high,open\n1743701400,11,9,12,10\n"));
        assert_eq!(parsed.rows.iter().map(|row| row.candle.open).collect::<Vec<_>>(), [10.0, 10.0]);
        assert_eq!(parsed.rows[1].candle.volume, 0.0);
        assert_eq!(kinds(&parsed), [(IssueKind::Comment, 1, vec![3]), (IssueKind::NoVolume, 1, vec![3])]);
    }

    #[test]
    fn impossible_candles_and_other_symbols_are_left_out() {
        let text = "time,symbol,open,high,low,close,volume\n\
                    1743700500,BTC/USDT,10,12,9,11,5\n1743701400,BTC/USDT,10,9,9,9,5\n\
                    1743702300,ETH/USDT,10,12,9,11,5\n1743703200,BTCUSDT,nan,12,9,11,5\n1743704100,BTC/USDT:USDT,10,12,9,11,5\n";
        let parsed = parsed(text);
        assert_eq!(parsed.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 6]);
        let expected = [
            (IssueKind::Impossible(crate::model::CandleError::HighTooLow), 1, vec![3]),
            (IssueKind::OtherSymbol, 1, vec![4]),
            (IssueKind::Impossible(crate::model::CandleError::NotFinite), 1, vec![5]),
        ];
        assert_eq!(kinds(&parsed), expected);
    }

    #[test]
    fn files_that_are_no_candles_say_so() {
        let rejected = |text: &str| parsed(text).rejected;
        assert_eq!(rejected(" \n\n"), Some(Rejection::Empty));
        assert_eq!(rejected(&format!("{HEADER}\n")), Some(Rejection::NoRows));
        assert_eq!(rejected(ROW), Some(Rejection::NoRows), "the only row may be cut");
        assert_eq!(
            rejected("1743700500,1,2,1,2,1.5,9,17\n"),
            Some(Rejection::UnknownColumns { line: 1, columns: 8 })
        );
        let words = "\na b c\nd e f\n".repeat(30);
        assert_eq!(rejected(&words), Some(Rejection::NoHeader { line: 2, found: "a b c".to_owned() }));
    }

    #[test]
    fn close_times_in_seconds_count_to_the_end_of_the_second() {
        let span = |close: &str| span(1_743_700_500_000, close.as_bytes());
        assert_eq!(span("1743701399999"), Some(899_999));
        assert_eq!(span("1743701399"), Some(899_999));
        assert_eq!(span("2025-04-03 17:29:59"), Some(899_999));
        assert_eq!(span("1743701400000000"), Some(900_000));
        assert_eq!(span("1643701400000"), Some(0));
        assert_eq!(span("NULL"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let parsed = parsed(&bytes);
            prop_assert_eq!(parsed.bytes, bytes.len() as u64);
            prop_assert!(parsed.rows.len() as u64 + parsed.rows_bad == parsed.rows_seen);
        }

        #[test]
        fn any_text_like_candles_is_survived(
            header in proptest::bool::ANY,
            text in "([0-9]{10}(000)?[,;|\"][-.0-9eEN,\"]{0,30}[\r\n#]|open_time,open,high,low,close\n|1743700500,1,2,1,[12],[0-9]\n){0,40}",
        ) {
            let text = if header { format!("{HEADER}\n{text}") } else { text };
            let parsed = parsed(&text);
            prop_assert!(parsed.rows.iter().all(|row| row.candle.check().is_ok()));
            prop_assert!(parsed.rows.len() as u64 + parsed.rows_bad == parsed.rows_seen);
        }
    }
}
