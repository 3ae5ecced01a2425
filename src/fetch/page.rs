//! One answer of the exchange: rows of candles in JSON, held to what was asked for.

use std::ops::Range;

use serde_json::Value;

use super::client::Trouble;
use super::error::FetchError;
use super::exchange::Exchange;
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

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Oddity {
    /// No open or close time.
    Unreadable,
    /// Beyond the time asked for.
    NotAskedFor,
    /// An open time that is no multiple of the interval.
    OffGrid,
    /// A close time that is not the end of the candle.
    CloseTime,
    /// Prices or a volume that cannot be.
    Impossible,
    /// The same row again.
    Repeated,
    /// Another candle of the same time.
    Contradictory,
    /// A sound row that is not behind the one before it: put in its place.
    OutOfOrder,
}

impl Oddity {
    /// Returns the name used in documents.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotAskedFor => "not_asked_for",
            Self::OffGrid => "off_grid",
            Self::CloseTime => "close_time",
            Self::Impossible => "impossible_candle",
            Self::Repeated => "repeated",
            Self::Contradictory => "contradictory",
            Self::OutOfOrder => "out_of_order",
        }
    }

    /// Returns what a row should have been.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Unreadable => "rows of open time to close time",
            Self::NotAskedFor | Self::OutOfOrder => "candles of the time asked for, in order",
            Self::OffGrid => "open times that are multiples of the interval",
            Self::CloseTime => "candles of the interval asked for",
            Self::Impossible => "candles that can be",
            Self::Repeated | Self::Contradictory => "one candle of a time",
        }
    }

    /// Returns whether the row is left out, and a candle with it.
    pub(crate) fn is_refusal(self) -> bool {
        !matches!(self, Self::Repeated | Self::OutOfOrder)
    }
}

/// A row that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) oddity: Oddity,
    /// What was found.
    pub(super) found: String,
    /// The candle it should have been; `None` where nobody can tell.
    pub(super) slot_ms: Option<i64>,
}

/// The rows of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Page {
    /// Sound rows of the time asked for, in order.
    pub(super) rows: Vec<Row>,
    /// What is odd about others.
    pub(super) odd: Vec<Odd>,
    /// Rows of the answer.
    pub(super) seen: u64,
    /// The end of the last row of the time asked for, whether it was left out or not; `None` without one.
    pub(super) end_ms: Option<i64>,
}

/// What a page has to be.
#[derive(Debug, Clone)]
pub(super) struct Asked<'a> {
    pub(super) exchange: &'static dyn Exchange,
    pub(super) what: &'a str,
    /// Open times.
    pub(super) span: Range<i64>,
    pub(super) interval: Interval,
    pub(super) rows_max: usize,
    /// Whether what the exchange says may be shown.
    pub(super) may_show: bool,
}

impl Asked<'_> {
    /// Returns the rows in an answer: what is sound, in order of time, and what is odd.
    ///
    /// Errors: text that is no JSON list may be better next time; more rows than were asked for will not
    pub(super) fn parse(&self, body: &[u8]) -> Result<Page, Trouble> {
        let rows = self.exchange.rows(body).map_err(|error| {
            // Where it ends to be one, and nothing of what stands there.
            Trouble::Again(format!(
                "expected a list of candles, found {} bytes that are none from line {} column {} on",
                body.len(),
                error.line(),
                error.column()
            ))
        })?;
        let mut page = Page { seen: rows.len() as u64, ..Page::default() };
        let mut last_ms = i64::MIN;
        for row in &rows {
            let row = self.row(row);
            let slot_ms = match &row {
                Ok(row) => Some(row.open_ms),
                Err(odd) => odd.slot_ms,
            };
            let end_ms = slot_ms.map(|slot| slot + self.interval.ms());
            page.end_ms = page.end_ms.max(end_ms);
            match row {
                Err(odd) => page.odd.push(odd),
                Ok(row) => {
                    if row.open_ms < last_ms {
                        page.odd.push(odd_row(Oddity::OutOfOrder, &row));
                    }
                    last_ms = last_ms.max(row.open_ms);
                    page.rows.push(row);
                }
            }
        }
        page.settle();
        if page.rows.len() > self.rows_max {
            let (what, found) = (self.what.to_owned(), format!("{} candles", page.rows.len()));
            let expected = "as many candles as asked for";
            return Err(Trouble::Fatal(FetchError::Unexpected { what, expected, found }));
        }
        Ok(page)
    }

    /// Reads a row.
    fn row(&self, row: &Value) -> Result<Row, Odd> {
        let odd = |oddity, found, slot_ms| Odd { oddity, found, slot_ms };
        let row = self.exchange.row(row);
        let (Some(open_ms), Some(close_ms)) = (row.open_ms, row.close_ms) else {
            return Err(odd(Oddity::Unreadable, format!("{} columns", row.columns), None));
        };
        if !self.span.contains(&open_ms) {
            return Err(odd(Oddity::NotAskedFor, rfc3339(open_ms), None));
        }
        let slot_ms = self.interval.floor(open_ms);
        if slot_ms != open_ms {
            let slot = Some(slot_ms).filter(|slot| self.span.contains(slot));
            return Err(odd(Oddity::OffGrid, rfc3339(open_ms), slot));
        }
        // Whatever numbers stand there.
        let span_ms = i128::from(close_ms) - i128::from(open_ms) + 1;
        if span_ms != i128::from(self.interval.ms()) {
            let found = format!("{span_ms} ms from {}", rfc3339(open_ms));
            return Err(odd(Oddity::CloseTime, found, Some(open_ms)));
        }
        candle(open_ms, row.numbers).ok_or_else(|| {
            let numbers = Value::from(row.numbers).to_string();
            let shown = if self.may_show { excerpt(&numbers) } else { "others".into() };
            let found = format!("{shown} at {}", rfc3339(open_ms));
            odd(Oddity::Impossible, found, Some(open_ms))
        })
    }
}

fn odd_row(oddity: Oddity, row: &Row) -> Odd {
    Odd { oddity, found: rfc3339(row.open_ms), slot_ms: Some(row.open_ms) }
}

impl Page {
    /// Puts the rows in order and leaves one of each time; of rows that contradict each other none.
    fn settle(&mut self) {
        if self.rows.is_sorted_by(|a, b| a.open_ms < b.open_ms) {
            return;
        }
        // Stable: of equal rows the first stays.
        self.rows.sort_by_key(|row| row.open_ms);
        let mut sound = Vec::with_capacity(self.rows.len());
        for same in self.rows.chunk_by(|a, b| a.open_ms == b.open_ms) {
            let agree = same.iter().all(|row| row.digits == same[0].digits);
            let oddity = if agree { Oddity::Repeated } else { Oddity::Contradictory };
            let left_out = if agree { &same[1..] } else { same };
            self.odd.extend(left_out.iter().map(|row| odd_row(oddity, row)));
            sound.extend(same[..same.len() - left_out.len()].iter().cloned());
        }
        self.rows = sound;
    }
}

/// Returns the row of a candle that can be.
fn candle(open_ms: i64, numbers: &[Value]) -> Option<Row> {
    let digits = |index: usize| {
        let text = numbers.get(index)?.as_str()?;
        let plain = text.len() <= NUMBER_CHARS_MAX && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        plain.then(|| text.to_owned())
    };
    let digits = [digits(0)?, digits(1)?, digits(2)?, digits(3)?, digits(4)?];
    let number = |index: usize| digits[index].parse::<f64>().ok();
    let (open, high, low, close, volume) = (number(0)?, number(1)?, number(2)?, number(3)?, number(4)?);
    Candle { open_time: open_ms, open, high, low, close, volume }.check().ok()?;
    Some(Row { open_ms, digits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::exchange::EXCHANGES;
    use crate::model::MINUTE_MS;

    const M15: i64 = 15 * MINUTE_MS;

    fn parse(body: &str) -> Result<Page, String> {
        let asked = Asked {
            exchange: EXCHANGES[0],
            what: "X",
            span: M15..5 * M15,
            interval: Interval::M15,
            rows_max: 3,
            may_show: true,
        };
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
        assert_eq!((page.rows[1].open_ms, page.end_ms, page.odd.len()), (3 * M15, Some(4 * M15), 0));
        assert_eq!(parse("[]"), Ok(Page::default()));
    }

    /// What is odd, with how many rows are sound and where the answer ends, in candles.
    fn oddities(body: &str) -> (Vec<Oddity>, usize, Option<i64>) {
        let page = parse(body).expect("a list");
        assert!(page.rows.is_sorted_by(|a, b| a.open_ms < b.open_ms), "{page:?}");
        let odd = page.odd.iter().map(|odd| odd.oddity).collect();
        (odd, page.rows.len(), page.end_ms.map(|end| end / M15))
    }

    #[test]
    fn rows_that_cannot_be_used_are_named_and_the_others_kept() {
        for low in ["0", "9", "-1", "1e0", "NaN", "", "1,1"] {
            let found = oddities(&format!("[{},{}]", row(2, "1"), row(4, low)));
            assert_eq!(found, (vec![Oddity::Impossible], 1, Some(5)), "{low:?}");
        }
        let hour = row(1, "1").replace(&(2 * M15 - 1).to_string(), &(5 * M15 - 1).to_string());
        let shifted = row(2, "1").replace(&(2 * M15).to_string(), &(2 * M15 + 14_789).to_string());
        let beyond = format!("[{},1,1,1,1,1,{}]", i64::MIN, i64::MAX);
        let numbers = row(2, "1").replace("\"2.0\"", "2.0");
        for (odd, oddity, end) in [
            (beyond, Oddity::NotAskedFor, 4),
            (row(0, "1"), Oddity::NotAskedFor, 4),
            (row(5, "1"), Oddity::NotAskedFor, 4),
            (hour, Oddity::CloseTime, 4),
            (shifted, Oddity::OffGrid, 4),
            (numbers, Oddity::Impossible, 4),
            ("[]".into(), Oddity::Unreadable, 4),
            ("null".into(), Oddity::Unreadable, 4),
            ("[1.5,\"1\"]".into(), Oddity::Unreadable, 4),
        ] {
            let found = oddities(&format!("[{odd},{}]", row(3, "1")));
            assert_eq!(found, (vec![oddity], 1, Some(end)), "{odd}");
        }
    }

    #[test]
    fn rows_are_put_in_order_and_one_of_each_time_is_left() {
        let list = |rows: &[String]| format!("[{}]", rows.join(","));
        let found = oddities(&list(&[row(3, "1"), row(1, "1"), row(2, "1")]));
        assert_eq!(found, (vec![Oddity::OutOfOrder, Oddity::OutOfOrder], 3, Some(4)));
        let found = oddities(&list(&[row(2, "1"), row(2, "1")]));
        assert_eq!(found, (vec![Oddity::Repeated], 1, Some(3)));
        let found = oddities(&list(&[row(2, "1"), row(2, "1.5"), row(3, "1")]));
        assert_eq!(found, (vec![Oddity::Contradictory, Oddity::Contradictory], 1, Some(4)));
    }

    #[test]
    fn answers_to_another_question_are_errors() {
        for body in ["", "[[1,", "{\"code\":1}", "<html>"] {
            assert!(parse(body).is_err_and(|error| error.starts_with("again")), "{body:?}");
        }
        let many = (1..=4).map(|index| row(index, "1")).collect::<Vec<_>>().join(",");
        let error = parse(&format!("[{many}]")).expect_err("not what was asked for");
        assert!(error.starts_with("X: expected as many candles as asked for"), "{error}");
    }
}
