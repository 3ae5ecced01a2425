//! Candles as a JSON list of rows: `[[open time, open, high, low, close, volume, ...], ...]`.
//!
//! Written so by freqtrade (numbers) and by Binance's interface (strings, close time in the seventh cell). Rows are
//! framed by their brackets and read as lines of CSV are, one by one: nothing is nested, so nothing recurses, and a
//! file is never in memory as a whole.

use std::io::Read;

use super::ReadingOptions;
use super::collector::{Collector, Hints, Parsed};
use super::lines::{LineReader, RawLine, StreamError};
use super::rejection::Rejection;
use super::report::excerpt_of_bytes;
use super::rows::Parser;

/// Reads all rows of a list. Rows have numbers, from 1, instead of lines.
///
/// Errors: only what the stream itself reports; a list that does not end is rejected, for what is missing is unknown
pub(super) fn parse_json_rows(
    lines: &mut LineReader<impl Read>,
    collector: Collector<'_>,
    reading: &ReadingOptions,
    hints: &Hints,
) -> Result<Parsed, StreamError> {
    lines.end_at(b']');
    let mut parser = Parser::new(collector, reading, hints);
    let (mut ended, mut last) = (false, 0);
    while !parser.is_done() {
        let Some((number, line)) = lines.next_line()? else { break };
        last = number;
        match line {
            RawLine::Whole(text) if !ended => match row(text, number == 1) {
                Framed::Row(cells) => parser.line(number, &RawLine::Whole(cells)),
                Framed::End => ended = true,
                Framed::Neither => parser.reject(bad(number, "`[` and a row of candles", text)),
            },
            RawLine::TooLong if !ended => parser.line(number, &line),
            RawLine::Unended(text) if text.trim_ascii().is_empty() => {}
            RawLine::Unended(text) if !ended => {
                parser.reject(bad(number, "`]` at the end of a row, not the end of the file", text));
            }
            RawLine::Whole(text) | RawLine::Unended(text) => {
                parser.reject(bad(number, "nothing behind the list", text));
            }
            RawLine::TooLong => parser.reject(bad(number, "nothing behind the list", b"a lot")),
        }
    }
    if !ended {
        parser.reject(Rejection::BadJson {
            row: last + 1,
            expected: "`]` at the end of the list".into(),
            found: "the end of the file".to_owned(),
        });
    }
    Ok(parser.finish())
}

fn bad(row: u64, expected: &'static str, text: &[u8]) -> Rejection {
    Rejection::BadJson { row, expected: expected.into(), found: excerpt_of_bytes(text.trim_ascii()) }
}

/// What stands before a `]`.
enum Framed<'a> {
    /// The cells of a row.
    Row(&'a [u8]),
    /// Nothing: the bracket ends the list.
    End,
    Neither,
}

fn row(text: &[u8], first: bool) -> Framed<'_> {
    let text = text.trim_ascii();
    let opened = if first { text.strip_prefix(b"[") } else { Some(text) };
    let Some(text) = opened.map(<[u8]>::trim_ascii_start) else { return Framed::Neither };
    if text.is_empty() {
        return Framed::End;
    }
    let row = if first { Some(text) } else { text.strip_prefix(b",").map(<[u8]>::trim_ascii_start) };
    row.and_then(|row| row.strip_prefix(b"[")).map_or(Framed::Neither, Framed::Row)
}

#[cfg(test)]
mod tests {
    use super::super::format::{self, RowContext};
    use super::super::report::IssueKind;
    use super::*;
    use crate::model::{Candle, Symbol};
    use proptest::prelude::*;

    /// The columns of two rows alone could mean several things: they are named.
    const ROWS: &str = "[[\"date\",\"open\",\"high\",\"low\",\"close\",\"volume\"],[1743700500000,10,12,9,11,5],[1743701400000,11.0,1.2e1,9,10,0.5]]";

    fn parsed(text: impl AsRef<[u8]>) -> Parsed {
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        let mut bytes = text.as_ref();
        format::parse_stream(&mut bytes, 1 << 20, Collector::new(&symbol, 0), &RowContext::default())
            .expect("a slice does not fail")
    }

    fn candles(parsed: &Parsed) -> Vec<Candle> {
        parsed.rows.iter().map(|row| row.candle).collect()
    }

    #[test]
    fn lists_as_tools_write_them() {
        let wanted = candles(&parsed(ROWS));
        let second = Candle {
            open_time: 1_743_701_400_000,
            open: 11.0,
            high: 12.0,
            low: 9.0,
            close: 10.0,
            volume: 0.5,
        };
        assert_eq!((wanted.len(), wanted[1]), (2, second));
        let texts = [
            ROWS.replace(',', ",\n  ").replace('[', " [\n").replace(']', " ]\r\n"),
            format!("\u{FEFF}{ROWS}\n"),
            ROWS.replace("[\"date\",\"open\",\"high\",\"low\",\"close\",\"volume\"],", "")
                .replace(",5]", ",5,1743701399999,\"7\",3,\"1\",\"2\",\"0\"]")
                .replace(",0.5]", ",0.5,1743702299999,\"7\",3,\"1\",\"2\",\"0\"]")
                .replace("10,12,9,11,5,", "\"10\",\"12.00\",\"9\",\"11\",\"5\","),
        ];
        for text in texts {
            let parsed = parsed(&text);
            assert_eq!((parsed.rejected.clone(), candles(&parsed)), (None, wanted.clone()), "{text}");
            assert_eq!(parsed.issues, [], "{text}");
        }
        assert!(parsed(ROWS).rows[0].span_ms.is_none());
    }

    #[test]
    fn rows_that_are_no_candles_are_left_out_with_their_number() {
        let text = ROWS.replacen("5],", "5],[1743702300000,null,1,1,1,1],[[[[[],[],", 1);
        let parsed = parsed(text);
        assert_eq!(parsed.rejected, None);
        let bad: Vec<_> = parsed.issues.iter().map(|issue| (issue.kind, issue.lines.clone())).collect();
        assert_eq!(bad, [(IssueKind::BadRow, vec![3, 4])]);
        assert_eq!(parsed.issues[0].cause.to_string(), "open: expected a number, found \"null\"");
    }

    #[test]
    fn lists_that_break_off_or_go_on_are_rejected() {
        let rejected =
            |text: &str| parsed(text).rejected.map(|reason| reason.to_string()).unwrap_or_default();
        assert_eq!(
            rejected("[[],[]]"),
            "expected rows of candles, found an empty file; download it again or remove it"
        );
        assert!(rejected("[[1743700500000,10,12,9,11,5] 7]").contains("row 2: expected `[` and a row"));
        assert!(rejected(&format!("{ROWS} []")).contains("expected nothing behind the list"));
        assert!(rejected(&format!("{ROWS} x")).contains("expected nothing behind the list"));
        let deep = "[".repeat(1 << 20);
        assert!(rejected(&deep).contains("found \"the end of the file\""), "{}", rejected(&deep));
        for cut in 1..ROWS.len() {
            let parsed = parsed(&ROWS[..cut]);
            assert!(parsed.rejected.is_some(), "cut at {cut}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn any_text_like_lists_is_survived(text in "\\[\\[([0-9]{10}(000)?,|[-.0-9eEN,\"]{0,12}|[\\[\\],{}]|1743700500,1,2,1,2,9\\],\\[){0,40}\\]?\\]?") {
            let parsed = parsed(&text);
            prop_assert!(parsed.rows.iter().all(|row| row.candle.check().is_ok()));
            prop_assert!(parsed.rows.len() as u64 + parsed.rows_bad <= parsed.rows_seen);
        }
    }
}
