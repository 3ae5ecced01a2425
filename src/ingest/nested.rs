//! Candles within JSON as interfaces give it: `{"code":"0","data":[[...]]}`, lists of records, a record or list a line.
//!
//! The bytes go by once. What counts as a row is a list of values, or a record of values, that stands in a list (or at the
//! top, as lines of JSON have it). All rows must stand in one list: which of two is meant is not guessed. Rows go on to the
//! reader of CSV; the keys of a record are its header.

use std::io::Read;

use super::ReadingOptions;
use super::collector::{Collector, Hints, Parsed};
use super::lines::{LineReader, RawLine, StreamError};
use super::rejection::Rejection;
use super::report::excerpt_of_bytes;
use super::rows::Parser;

/// Containers within each other; interfaces have up to six.
const DEPTH_MAX: usize = 32;
/// The longest value, and the most bytes of a row.
const ROW_BYTES_MAX: usize = 32 << 10;
/// The fewest values that are a candle.
const VALUES_MIN: usize = 5;

/// Takes in the rows that are found.
trait RowSink {
    /// Takes in a row by the list it stands in (0 at the top), its keys (none in a list of values) and its values.
    fn row(&mut self, list: u64, keys: &[Vec<u8>], values: &[Vec<u8>]) -> Result<(), Rejection>;
}

/// Returns whether JSON that begins so holds rows of candles.
pub(super) fn holds_rows(head: &[u8]) -> bool {
    struct Any(bool);
    impl RowSink for Any {
        fn row(&mut self, _: u64, _: &[Vec<u8>], _: &[Vec<u8>]) -> Result<(), Rejection> {
            self.0 = true;
            Ok(())
        }
    }
    let (mut scan, mut any) = (JsonScan::default(), Any(false));
    let sound = head.iter().try_for_each(|byte| scan.take_in(*byte, &mut any));
    let _ = sound.and_then(|()| scan.end_of_value(&mut any));
    any.0
}

/// Reads all rows of the one list. Rows have numbers, from 1, instead of lines.
///
/// Errors: only what the stream itself reports; JSON that does not end is rejected, for what is missing is unknown
pub(super) fn parse_nested_rows(
    lines: &mut LineReader<impl Read>,
    collector: Collector<'_>,
    reading: &ReadingOptions,
    hints: &Hints,
) -> Result<Parsed, StreamError> {
    let mut scan = JsonScan::default();
    let mut rows = NestedTable {
        parser: Parser::new(collector, reading, hints),
        list: None,
        keys: Vec::new(),
        number: 0,
        line: Vec::new(),
    };
    let mut fault = None;
    while fault.is_none() && !rows.parser.is_done() {
        let chunk = lines.chunk()?;
        let count = chunk.len();
        if count == 0 {
            fault = scan.finish(&mut rows).err();
            // A line of JSON that is still being written.
            if rows.list == Some(0) && !scan.open.is_empty() && fault.take().is_some() {
                rows.parser.cut_short(rows.number + 1);
            }
            break;
        }
        fault = chunk.iter().try_for_each(|byte| scan.take_in(*byte, &mut rows)).err();
        lines.skip(count);
    }
    if let Some(fault) = fault {
        rows.parser.reject(fault);
    }
    Ok(rows.parser.finish())
}

/// Hands rows on to the reader of lines.
struct NestedTable<'a> {
    parser: Parser<'a>,
    /// The list that rows stand in.
    list: Option<u64>,
    /// The keys that the values of a line belong to.
    keys: Vec<Vec<u8>>,
    number: u64,
    line: Vec<u8>,
}

impl NestedTable<'_> {
    /// Hands on values as a line of CSV.
    fn hand_on<'v>(&mut self, values: impl Iterator<Item = &'v [u8]>) {
        self.line.clear();
        for (place, value) in values.enumerate() {
            if place > 0 {
                self.line.push(b',');
            }
            self.line.push(b'"');
            self.line
                .extend(value.iter().map(|byte| if *byte == b'"' || *byte < b' ' { b'\'' } else { *byte }));
            self.line.push(b'"');
        }
        self.parser.line(self.number.max(1), &RawLine::Whole(&self.line));
    }
}

impl RowSink for NestedTable<'_> {
    fn row(&mut self, list: u64, keys: &[Vec<u8>], values: &[Vec<u8>]) -> Result<(), Rejection> {
        if self.parser.is_done() {
            return Ok(());
        }
        if *self.list.get_or_insert(list) != list {
            return Err(Rejection::TwoLists { row: self.number + 1 });
        }
        self.number += 1;
        if keys.iter().any(|key| !self.keys.contains(key)) {
            self.keys = keys.to_vec();
            let header = self.keys.clone();
            self.hand_on(header.iter().map(Vec::as_slice));
        }
        if keys.is_empty() {
            self.hand_on(values.iter().map(Vec::as_slice));
            return Ok(());
        }
        let known = std::mem::take(&mut self.keys);
        let at = |key: &Vec<u8>| {
            let place = keys.iter().position(|other| other == key);
            place.and_then(|place| values.get(place)).map_or(&b""[..], Vec::as_slice)
        };
        self.hand_on(known.iter().map(at));
        self.keys = known;
        Ok(())
    }
}

/// A container that is open.
struct Open {
    is_record: bool,
    /// Its number, from 1.
    id: u64,
    /// The key that stands before the next value.
    key: Option<Vec<u8>>,
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    bytes: usize,
    /// Rows found before it.
    rows_before: u64,
}

/// What is being read.
#[derive(Default, PartialEq)]
enum Token {
    #[default]
    None,
    /// A number or a word.
    Plain,
    /// A text; whether the byte before was a backslash, and what is gathered of a code point.
    Text { escaped: bool, code: Option<Vec<u8>> },
}

/// JSON that goes by, byte by byte. It is looked through, not proved: what is taken from it is checked as a row.
#[derive(Default)]
struct JsonScan {
    open: Vec<Open>,
    containers: u64,
    token: Token,
    text: Vec<u8>,
    /// A text that ended, and may be a key.
    ended: Option<Vec<u8>>,
    rows: u64,
}

impl JsonScan {
    fn bad(&self, expected: &'static str, found: String) -> Rejection {
        Rejection::BadJson { row: self.rows + 1, expected: expected.into(), found }
    }

    fn take_in(&mut self, byte: u8, rows: &mut impl RowSink) -> Result<(), Rejection> {
        match &mut self.token {
            Token::Text { .. } => return self.in_text(byte),
            Token::Plain if !is_end(byte) => return self.keep(&[byte]),
            Token::Plain => {
                self.token = Token::None;
                let value = std::mem::take(&mut self.text);
                self.value(value)?;
            }
            Token::None => {}
        }
        match byte {
            b'"' => {
                self.end_text()?;
                self.token = Token::Text { escaped: false, code: None };
                Ok(())
            }
            b':' => self.key(),
            b',' | b'\n' | b' ' | b'\t' | b'\r' => {
                if byte == b',' {
                    self.end_text()
                } else {
                    Ok(())
                }
            }
            b'[' | b'{' => self.begin(byte == b'{'),
            b']' | b'}' => self.end(byte == b'}', rows),
            _ => {
                self.end_text()?;
                self.token = Token::Plain;
                self.keep(&[byte])
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        if self.text.len() + bytes.len() > ROW_BYTES_MAX {
            return Err(self.bad("a value of at most 32 KiB", excerpt_of_bytes(&self.text)));
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }

    fn in_text(&mut self, byte: u8) -> Result<(), Rejection> {
        let Token::Text { escaped, code } = &mut self.token else { return Ok(()) };
        if let Some(digits) = code {
            digits.push(byte);
            if digits.len() < 4 {
                return Ok(());
            }
            let number =
                std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
            *code = None;
            // Halves of a pair are no name and no number that is looked for.
            let written = number.and_then(char::from_u32).unwrap_or('?').to_string();
            return self.keep(written.as_bytes());
        }
        if std::mem::take(escaped) {
            return match byte {
                b'u' => {
                    *code = Some(Vec::with_capacity(4));
                    Ok(())
                }
                b'n' | b't' | b'r' | b'b' | b'f' => self.keep(b" "),
                other => self.keep(&[other]),
            };
        }
        match byte {
            b'\\' => *escaped = true,
            b'"' => {
                self.token = Token::None;
                self.ended = Some(std::mem::take(&mut self.text));
            }
            other => return self.keep(&[other]),
        }
        Ok(())
    }

    /// Takes the text that ended for a key.
    fn key(&mut self) -> Result<(), Rejection> {
        let text = self.ended.take();
        match (self.open.last_mut(), text) {
            (Some(Open { is_record: true, key, .. }), Some(text)) if key.is_none() => *key = Some(text),
            _ => return Err(self.bad("a value, or a key before `:`", "`:`".to_owned())),
        }
        Ok(())
    }

    /// Takes the text that ended, if there is one, for a value.
    fn end_text(&mut self) -> Result<(), Rejection> {
        match self.ended.take() {
            Some(text) => self.value(text),
            None => Ok(()),
        }
    }

    fn value(&mut self, value: Vec<u8>) -> Result<(), Rejection> {
        let (row, found) = (self.rows + 1, excerpt_of_bytes(&value));
        let bad = |expected: &'static str| Err(Rejection::BadJson { row, expected: expected.into(), found });
        let Some(open) = self.open.last_mut() else { return bad("`[` or `{`") };
        if open.is_record {
            let Some(key) = open.key.take() else { return bad("a key before a value") };
            open.bytes += key.len();
            open.keys.push(key);
        }
        open.bytes += value.len() + 1;
        if open.bytes > ROW_BYTES_MAX && open.values.len() >= VALUES_MIN {
            // A long list of values is no row; what it holds need not be kept.
            (open.keys, open.values) = (Vec::new(), Vec::new());
            open.bytes = ROW_BYTES_MAX;
            return Ok(());
        }
        open.values.push(value);
        Ok(())
    }

    fn begin(&mut self, is_record: bool) -> Result<(), Rejection> {
        self.end_text()?;
        if self.open.len() == DEPTH_MAX {
            return Err(self.bad("at most 32 lists within each other", "more".to_owned()));
        }
        if let Some(outer) = self.open.last_mut() {
            let has_key = outer.key.take().is_some();
            if outer.is_record != has_key {
                return Err(self.bad("a key before a value of a record", "`[` or `{`".to_owned()));
            }
        }
        self.containers += 1;
        let (keys, values) = (Vec::new(), Vec::new());
        self.open.push(Open {
            is_record,
            id: self.containers,
            key: None,
            keys,
            values,
            bytes: 0,
            rows_before: self.rows,
        });
        Ok(())
    }

    fn end(&mut self, is_record: bool, rows: &mut impl RowSink) -> Result<(), Rejection> {
        self.end_text()?;
        let Some(ended) = self.open.pop().filter(|open| open.is_record == is_record && open.key.is_none())
        else {
            return Err(self.bad("an end of what is open", "`]` or `}`".to_owned()));
        };
        let list = match self.open.last() {
            None => Some(0),
            Some(outer) => (!outer.is_record).then_some(outer.id),
        };
        // What rows stand in is none.
        let is_row =
            ended.values.len() >= VALUES_MIN && ended.bytes < ROW_BYTES_MAX && self.rows == ended.rows_before;
        if let Some(list) = list.filter(|_| is_row) {
            self.rows += 1;
            rows.row(list, &ended.keys, &ended.values)?;
        }
        Ok(())
    }

    /// Takes the end of the bytes for the end of what is being read.
    fn end_of_value(&mut self, rows: &mut impl RowSink) -> Result<(), Rejection> {
        if self.token == Token::Plain { self.take_in(b' ', rows) } else { Ok(()) }
    }

    /// Ends the reading: nothing may be open still.
    fn finish(&mut self, rows: &mut impl RowSink) -> Result<(), Rejection> {
        self.end_of_value(rows)?;
        if self.open.is_empty() && self.token == Token::None && self.ended.is_none() {
            return Ok(());
        }
        Err(self.bad("`]` or `}` at the end", "the end of the file".to_owned()))
    }
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b',' | b':' | b'[' | b']' | b'{' | b'}' | b'"') || byte <= b' '
}

#[cfg(test)]
mod tests {
    use super::super::format::{self, RowContext};
    use super::super::report::IssueKind;
    use super::*;
    use crate::model::{Candle, Symbol};
    use proptest::prelude::*;

    fn parsed(text: impl AsRef<[u8]>) -> Parsed {
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        let mut bytes = text.as_ref();
        format::parse_stream(&mut bytes, 1 << 20, Collector::new(&symbol, 0), &RowContext::default())
            .expect("a slice does not fail")
    }

    fn candles(parsed: &Parsed) -> Vec<Candle> {
        parsed.rows.iter().map(|row| row.candle).collect()
    }

    fn prices() -> Vec<[f64; 5]> {
        let row = |index: i32| {
            let open = 100.0 + f64::from((index * 7) % 11);
            let close = 100.0 + f64::from(((index + 1) * 7) % 11);
            [open, open.max(close) + 1.5, open.min(close) - 1.25, close, 10.0 + f64::from(index)]
        };
        (0..30).map(row).collect()
    }

    fn time(index: usize) -> i64 {
        1_743_700_500_000 + index as i64 * 900_000
    }

    fn lists(quote: &str, more: &str) -> Vec<String> {
        let row = |(index, [o, h, l, c, v]): (usize, [f64; 5])| {
            let cells = [
                time(index).to_string(),
                o.to_string(),
                h.to_string(),
                l.to_string(),
                c.to_string(),
                v.to_string(),
            ];
            format!("[{}{more}]", cells.map(|cell| format!("{quote}{cell}{quote}")).join(", "))
        };
        prices().into_iter().enumerate().map(row).collect()
    }

    fn records() -> Vec<String> {
        let row = |(index, [o, h, l, c, v]): (usize, [f64; 5])| {
            let t = time(index);
            format!(
                r#"{{"close": "{c}", "ts": {t}, "low": {l}, "open": {o}, "vol": "{v}", "high": {h}, "more": {{"x": [1]}}}}"#
            )
        };
        prices().into_iter().enumerate().map(row).collect()
    }

    #[test]
    fn the_one_list_is_read_wherever_it_stands() {
        let wanted: Vec<Candle> = prices()
            .into_iter()
            .enumerate()
            .map(|(index, [open, high, low, close, volume])| Candle {
                open_time: time(index),
                open,
                high,
                low,
                close,
                volume,
            })
            .collect();
        let (plain, quoted) = (lists("", ""), lists("\"", ""));
        let okx = lists("\"", ", \"1\", \"1\", \"1\"");
        let texts = [
            format!(r#"{{"code": "0", "msg": "", "data": [{}]}}"#, quoted.join(",")),
            format!(r#"{{"result": {{"category": "spot", "list": [{}]}}, "time": 1}}"#, plain.join(",\n")),
            format!(r#"{{"error": [], "result": {{"XXBTZUSD": [{}], "last": 17}}}}"#, plain.join(",")),
            format!("[{}]", records().join(",")),
            format!(r#"{{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "candles": [{}]}}"#, plain.join(",")),
            format!(r#"{{"data": [{}], "success": true, "list": []}}"#, records().join(",")),
            records().join("\n"),
            records().join("\r\n") + "\n",
            plain.join("\n"),
        ];
        for text in texts {
            let parsed = parsed(&text);
            assert_eq!((&parsed.rejected, candles(&parsed) == wanted), (&None, true), "{}", &text[..200]);
            assert_eq!((&parsed.issues, &parsed.again), (&Vec::new(), &None), "{}", &text[..200]);
        }
        assert!(parsed(format!("[{}]", okx.join(","))).rejected.is_some(), "which column is the volume");
    }

    #[test]
    fn a_flag_at_the_end_leaves_out_the_newest_row() {
        let rows = lists("\"", "");
        let with_flag = |(index, row): (usize, &String)| {
            let volume = prices()[index][4];
            let flag = u8::from(index != 0);
            row.replace(']', &format!(", \"{volume}\", \"{volume}\", \"{flag}\"]"))
        };
        let newest_first: Vec<String> = rows
            .iter()
            .rev()
            .enumerate()
            .map(|(index, row)| with_flag((rows.len() - 1 - index, row)))
            .collect();
        let mut newest_first = newest_first;
        newest_first[0] = newest_first[0].replace("\"1\"]", "\"0\"]");
        let last = newest_first.len() - 1;
        newest_first[last] = newest_first[last].replace("\"0\"]", "\"1\"]");
        let text = format!(r#"{{"code":"0","data":[{}]}}"#, newest_first.join(","));
        let again = parsed(&text).again.expect("the flag shows only at the end");
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        let frame = RowContext { hints: again, ..RowContext::default() };
        let read = format::parse_stream(&mut text.as_bytes(), 1 << 20, Collector::new(&symbol, 0), &frame)
            .expect("a slice");
        assert_eq!((read.rejected, read.again, read.rows.len()), (None, None, 29));
        assert_eq!(read.unfinished, [time(29)]);
    }

    #[test]
    fn two_lists_and_what_breaks_off_are_rejected() {
        let rejected =
            |text: &str| parsed(text).rejected.map(|reason| reason.to_string()).unwrap_or_default();
        let rows = lists("", "").join(",");
        let two = rejected(&format!(r#"{{"spot": [{rows}], "swap": [{rows}]}}"#));
        assert!(two.contains("two lists of rows"), "{two}");
        let text = format!(r#"{{"data": [{rows}]}}"#);
        let lines = records().join("\n");
        let cut = parsed(&lines[..lines.len() - 5]);
        assert_eq!((cut.rejected, cut.rows.len()), (None, 29));
        assert_eq!(
            cut.issues.iter().map(|issue| issue.kind).collect::<Vec<_>>(),
            [IssueKind::PartialLastLine]
        );
        for cut in [text.len() - 1, text.len() - 2, text.len() - 9, text.len() / 2] {
            assert!(rejected(&text[..cut]).contains("the end of the file"), "{}", rejected(&text[..cut]));
        }
        assert!(rejected(&format!("{text}]")).contains("an end of what is open"));
        let unknown = rejected(
            r#"[{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}, {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}]"#,
        );
        assert!(unknown.contains("found no column for the time"), "{unknown}");
        for other in [r#"{"t": [1, 2, 3, 4, 5]}"#, "[1,2]", r#"[{"open": 1}]"#, r#"{"a": {"b": 1}}"#] {
            assert!(!holds_rows(other.as_bytes()), "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn any_text_like_json_is_survived(text in "\\{\"data\":\\[([\\[\\]{},:\" ]|[0-9]{1,12}|\"[a-z\\\\u0-9]{0,8}\"|null|\\[1743700500,1,2,1,2,9\\],){0,40}") {
            let parsed = parsed(&text);
            prop_assert!(parsed.rows.iter().all(|row| row.candle.check().is_ok()));
        }

        #[test]
        fn what_a_text_holds_breaks_nothing(value in any::<String>()) {
            let written = serde_json::to_string(&value).expect("a text");
            let record = format!(r#"{{"note": {written}, "time": 1743700500, "open": 1, "high": 2, "low": 1, "close": 2}}"#);
            let parsed = parsed(format!("[{record}]"));
            prop_assert_eq!((parsed.rejected, parsed.rows.len()), (None, 1));
        }
    }
}
