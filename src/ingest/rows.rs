//! Rows of candles from lines: nothing is known of the file but its symbol.

use std::io::Read;

use super::collector::{Collector, Parsed, ReadRow, RowError, span};
use super::layout::{self, Detected, Field, Layout, cell};
use super::lines::{Line, Lines, StreamError};
use super::number;
use super::rejection::Rejection;
use super::report::{IssueKind, excerpt};
use super::time;
use crate::model::Candle;

/// How many lines that are neither header nor row may stand on top.
const PREAMBLE_LINES_MAX: u64 = 20;
/// The longest line between rows that may be a header.
const HEADER_BYTES_MAX: usize = 4096;

/// Reads the rows of CSV until its end, or until it is known to be of no use.
///
/// Errors: only what the stream itself reports; whatever its bytes are, they give rows or a rejection.
pub(super) fn parse(lines: &mut Lines<impl Read>, collector: Collector<'_>) -> Result<Parsed, StreamError> {
    let mut parser = Parser::new(collector);
    while !parser.is_done() {
        match lines.next_line()? {
            Some((number, line)) => parser.line(number, &line),
            None => break,
        }
    }
    Ok(parser.finish())
}

/// Takes lines for rows, whatever they were lines of.
pub(super) struct Parser<'a> {
    collector: Collector<'a>,
    layout: Option<Layout>,
    /// Line number and text of the first line that is not blank.
    first: Option<(u64, String)>,
    fields: Vec<Field>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(collector: Collector<'a>) -> Self {
        Self { collector, layout: None, first: None, fields: Vec::new() }
    }

    /// Returns whether the file is known to be of no use.
    pub(super) fn is_done(&self) -> bool {
        self.collector.out.rejected.is_some()
    }

    /// Rejects the file, if that has not been done before.
    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.collector.out.rejected.get_or_insert(rejection);
    }

    pub(super) fn line(&mut self, number: u64, line: &Line<'_>) {
        let (text, ended) = match line {
            Line::Whole(text) => (*text, true),
            Line::Unended(text) => (*text, false),
            Line::TooLong => {
                self.collector.count_row();
                self.collector.bad(IssueKind::BadRow, number, || {
                    "expected a row, found a line beyond 64 KiB".to_owned()
                });
                return;
            }
        };
        match text.first() {
            None => return,
            Some(b'#') => return self.collector.comment(number, text),
            Some(byte) if *byte <= b' ' && text.trim_ascii().is_empty() => return,
            Some(_) => {}
        }
        if self.layout.is_some() {
            self.row(number, text, ended);
        } else {
            self.detect(number, text, ended);
        }
    }

    fn detect(&mut self, number: u64, text: &[u8], ended: bool) {
        let (first_line, first_text) = self.first.get_or_insert_with(|| (number, excerpt(text)));
        match layout::detect(text, self.collector.symbol) {
            Detected::Header(layout) => self.settle(layout, number),
            // Without a header a first row that is cut in the middle looks like a whole one of fewer columns;
            // from eight columns on, those that are read are whole.
            Detected::Data(layout) if !ended && layout.fields < 8 => {
                self.collector.note(IssueKind::PartialLastLine, number, || {
                    "expected the end of the line, found the end of the file in the only row".to_owned()
                });
            }
            Detected::Data(layout) => {
                self.settle(layout, number);
                self.row(number, text, ended);
            }
            Detected::Ambiguous(columns) => {
                self.collector.out.rejected = Some(Rejection::UnknownColumns { line: number, columns });
            }
            Detected::Neither(_) if number >= PREAMBLE_LINES_MAX + *first_line => {
                let rejection = Rejection::NoHeader { line: *first_line, found: first_text.clone() };
                self.collector.out.rejected = Some(rejection);
            }
            Detected::Neither(fields) if fields >= 5 => {
                self.collector.count_row();
                self.collector.bad(IssueKind::BadRow, number, || {
                    format!("expected a header or a row of candles, found {:?}", excerpt(text))
                });
            }
            Detected::Neither(_) => self.collector.comment(number, text),
        }
    }

    fn settle(&mut self, layout: Layout, number: u64) {
        if layout.columns.volume.is_none() {
            self.collector.no_volume(number);
        }
        self.layout = Some(layout);
    }

    /// Takes one row, or a header in between that changes the layout of the rows that follow.
    fn row(&mut self, number: u64, text: &[u8], ended: bool) {
        let Some(layout) = &self.layout else { return };
        layout::split(text, layout.separator, &mut self.fields);
        let error = match read_row(layout, text, &self.fields) {
            Ok(read) => {
                let symbol = layout.columns.symbol.map(|column| cell(text, self.fields[column]));
                return self.collector.candle(number, read, symbol);
            }
            Err(error) => error,
        };
        if !ended && self.fields.len() < layout.fields {
            return self.collector.note(IssueKind::PartialLastLine, number, || error.text());
        }
        let may_be_header = self.fields.len() >= 5 && text.len() <= HEADER_BYTES_MAX;
        if may_be_header && let Some(next) = layout::header(text, layout.separator, self.collector.symbol) {
            self.collector.comment(number, text);
            return self.settle(next, number);
        }
        let whole = self.fields.len() == layout.fields;
        let symbol = layout.columns.symbol.filter(|_| whole).map(|column| cell(text, self.fields[column]));
        if self.collector.passes_over(symbol) {
            return;
        }
        self.collector.count_row();
        self.collector.bad(IssueKind::BadRow, number, || error.text());
    }

    pub(super) fn finish(self) -> Parsed {
        let mut out = self.collector.finish();
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

#[inline]
fn read_row<'a>(layout: &Layout, text: &'a [u8], fields: &[Field]) -> Result<ReadRow, RowError<'a>> {
    let expected = layout.fields;
    let found = fields.len();
    let one_empty_more = found == expected + 1 && cell(text, fields[expected]).is_empty();
    if found != expected && !one_empty_more {
        return Err(RowError::Fields { expected, found });
    }
    let at = |column: usize| cell(text, fields[column]);
    let columns = &layout.columns;
    let time = columns.time.places().next().map_or(&b""[..], at);
    let (open_time, unit) = time::parse(time).map_err(|error| RowError::Time { error, found: time })?;
    let price = |name: &'static str, column: usize| {
        number::parse(at(column)).ok_or_else(|| RowError::Number { column: name, found: at(column) })
    };
    let candle = Candle {
        open_time,
        open: price("open", columns.open)?,
        high: price("high", columns.high)?,
        low: price("low", columns.low)?,
        close: price("close", columns.close)?,
        volume: columns.volume.map_or(Ok(0.0), |column| price("volume", column))?,
    };
    let span_ms = columns.close_time.and_then(|column| {
        let (close, unit) = time::parse(at(column)).ok()?;
        span(open_time, close, unit)
    });
    Ok(ReadRow { candle, unit, span_ms })
}

#[cfg(test)]
mod tests {
    use super::super::format::{self, Frame};
    use super::*;
    use crate::model::Symbol;
    use proptest::prelude::*;

    const HEADER: &str = "open_time,open,high,low,close,volume";
    const ROW: &str = "1743700500000,10,12,9,11,5";

    fn parsed(text: impl AsRef<[u8]>) -> Parsed {
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        let mut bytes = text.as_ref();
        format::parse(&mut bytes, 1 << 20, Collector::new(&symbol, 0), Frame::default())
            .expect("a slice does not fail")
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
        let span = |close: &str| {
            let (close, unit) = time::parse(close.as_bytes()).ok()?;
            span(1_743_700_500_000, close, unit)
        };
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
