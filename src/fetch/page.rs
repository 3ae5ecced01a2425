//! One answer of the exchange: rows of candles in JSON, held to what was asked for.

use std::ops::Range;

use serde_json::Value;

use super::client::Trouble;
use super::error::FetchError;
use crate::model::{Candle, Interval, excerpt, rfc3339};

/// Most bytes of an answer: 1,500 rows take 0.3 MB.
pub(super) const PAGE_BYTES_MAX: u64 = 8 << 20;
/// Longest number that is taken over.
const NUMBER_CHARS_MAX: usize = 40;

/// A candle as it is written: the exchange's own digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) open_ms: i64,
    /// Open, high, low, close, volume.
    pub(super) digits: [String; 5],
}

/// The rows of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
    /// Rows that cannot be candles; left out.
    pub(super) refused: u64,
    /// The end of the last row, whether it was left out or not; `None` without rows.
    pub(super) end_ms: Option<i64>,
}

/// What a page has to be.
#[derive(Debug, Clone)]
pub(super) struct Asked<'a> {
    pub(super) what: &'a str,
    /// Open times.
    pub(super) span: Range<i64>,
    pub(super) interval: Interval,
    pub(super) rows_max: usize,
}

impl Asked<'_> {
    /// Returns the rows in an answer.
    ///
    /// Errors: text that is no JSON list may be better next time; rows that were not asked for will not
    pub(super) fn parse(&self, body: &[u8]) -> Result<Page, Trouble> {
        let rows: Vec<Vec<Value>> = serde_json::from_slice(body).map_err(|error| {
            let reason = error.to_string();
            Trouble::Again(format!(
                "expected a list of candles, found {} bytes: {}",
                body.len(),
                excerpt(&reason)
            ))
        })?;
        if rows.len() > self.rows_max {
            return Err(self.unexpected("as many candles as asked for", format!("{} rows", rows.len())));
        }
        let mut page = Page::default();
        let mut next = self.span.start;
        for row in &rows {
            let open_ms = self.open_time(row)?;
            if !(next..self.span.end).contains(&open_ms) || self.interval.floor(open_ms) != open_ms {
                return Err(self.unexpected("candles of the time asked for, in order", rfc3339(open_ms)));
            }
            next = open_ms + self.interval.ms();
            match candle(open_ms, row) {
                Some(row) => page.rows.push(row),
                None => page.refused += 1,
            }
        }
        page.end_ms = (!rows.is_empty()).then_some(next);
        Ok(page)
    }

    fn open_time(&self, row: &[Value]) -> Result<i64, Trouble> {
        let time = |index: usize| row.get(index).and_then(Value::as_i64);
        let (Some(open), Some(close)) = (time(0), time(6)) else {
            return Err(self.unexpected("rows of open time to close time", format!("{} columns", row.len())));
        };
        // Whatever numbers stand there.
        let span_ms = i128::from(close) - i128::from(open) + 1;
        match span_ms == i128::from(self.interval.ms()) {
            true => Ok(open),
            false => Err(self.unexpected("candles of the interval asked for", format!("{span_ms} ms"))),
        }
    }

    fn unexpected(&self, expected: &'static str, found: String) -> Trouble {
        Trouble::Fatal(FetchError::Unexpected { what: self.what.to_owned(), expected, found })
    }
}

/// Returns the row of a candle that can be.
fn candle(open_ms: i64, row: &[Value]) -> Option<Row> {
    let digits = |index: usize| {
        let text = row.get(index)?.as_str()?;
        let plain = text.len() <= NUMBER_CHARS_MAX && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        plain.then(|| text.to_owned())
    };
    let digits = [digits(1)?, digits(2)?, digits(3)?, digits(4)?, digits(5)?];
    let number = |index: usize| digits[index].parse::<f64>().ok();
    let (open, high, low, close, volume) = (number(0)?, number(1)?, number(2)?, number(3)?, number(4)?);
    Candle { open_time: open_ms, open, high, low, close, volume }.check().ok()?;
    Some(Row { open_ms, digits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MINUTE_MS;

    const M15: i64 = 15 * MINUTE_MS;

    fn parse(body: &str) -> Result<Page, String> {
        let asked = Asked { what: "X", span: M15..5 * M15, interval: Interval::M15, rows_max: 3 };
        asked.parse(body.as_bytes()).map_err(|trouble| match trouble {
            Trouble::Again(text) => format!("again: {text}"),
            Trouble::Fatal(error) => error.to_string(),
        })
    }

    fn row(index: i64, low: &str) -> String {
        let open = index * M15;
        format!(r#"[{open},"2.0","3.5","{low}","2.5","10",{},"1",7,"1","1","0"]"#, open + M15 - 1)
    }

    #[test]
    fn rows_keep_the_exchanges_digits() {
        let page = parse(&format!("[{},{}]", row(1, "1.50000000"), row(3, "1"))).expect("sound");
        assert_eq!(page.rows[0].digits.join(","), "2.0,3.5,1.50000000,2.5,10");
        assert_eq!((page.rows[1].open_ms, page.end_ms, page.refused), (3 * M15, Some(4 * M15), 0));
        assert_eq!(parse("[]"), Ok(Page::default()));
    }

    #[test]
    fn rows_that_cannot_be_candles_are_left_out() {
        for low in ["0", "9", "-1", "1e0", "NaN", "", "1,1"] {
            let page = parse(&format!("[{}]", row(4, low))).expect("a row is no error");
            assert_eq!((page.rows.len(), page.refused, page.end_ms), (0, 1, Some(5 * M15)), "{low:?}");
        }
    }

    #[test]
    fn answers_to_another_question_are_errors() {
        for body in ["", "[[1,", "{\"code\":1}", "<html>"] {
            assert!(parse(body).is_err_and(|error| error.starts_with("again")), "{body:?}");
        }
        let hour = row(1, "1").replace(&(2 * M15 - 1).to_string(), &(5 * M15 - 1).to_string());
        let many = ["1"; 4].iter().zip(1..).map(|(low, i)| row(i, low)).collect::<Vec<_>>().join(",");
        let beyond = format!("[{},1,1,1,1,1,{}]", i64::MIN, i64::MAX);
        for rows in [
            beyond,
            row(0, "1"),
            row(5, "1"),
            format!("{},{}", row(2, "1"), row(2, "1")),
            hour,
            many,
            "[]".into(),
        ] {
            let error = parse(&format!("[{rows}]")).expect_err("not what was asked for");
            assert!(error.starts_with("X: expected"), "{rows}: {error}");
        }
    }
}
