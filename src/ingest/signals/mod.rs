//! A file of ready-made signals becomes signals by symbol, with the user's own columns.
//!
//! Needed are the columns `symbol`, `time` (or `open_time`) and `direction`; `style` and `atr` may be there; every further
//! column that holds numbers can be filtered on. The order of rows and of columns does not matter. A row that cannot be
//! read stops with its place: to leave out a signal in silence would change what is tuned.

mod error;
mod header;
mod row;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{SignalsConflict, SignalsError};

use super::collector::ROWS_MAX;
use super::format;
use super::layout::{Field, cell, split};
use super::lines::{Line, Lines, StreamError};
use super::report::excerpt;
use super::report::{Issue, IssueKind, note};
use super::source::DECODED_BYTES_MAX;
use crate::model::{GivenSignal, GivenSignals, Interval, Symbol};
use header::Header;
use row::{Number, number};

/// The signals of a file, and what it held.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalsFile {
    /// The file.
    pub path: PathBuf,
    /// BLAKE3 of its bytes in hex.
    pub hash: String,
    /// Data rows, repeated ones included.
    pub rows: u64,
    /// Rows equal to an earlier one; counted once.
    pub duplicates: u64,
    /// The user's columns, by name.
    pub columns: Vec<SignalColumn>,
    /// The signals of each symbol, with the columns that hold numbers.
    pub symbols: BTreeMap<Symbol, GivenSignals>,
    /// What was noteworthy, ordered by kind.
    pub issues: Vec<Issue>,
}

/// A column of the user's own.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalColumn {
    /// Its name, as the header has it.
    pub name: String,
    /// What stands in it.
    pub content: ColumnContent,
}

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnContent {
    /// Numbers, and `missing` cells without one.
    Numbers {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
        /// Rows without a number.
        missing: u64,
    },
    /// Something else: it cannot be filtered on.
    Text {
        /// The first line that holds no number.
        line: u64,
        /// What stands there.
        found: String,
    },
    /// Nothing at all.
    Empty,
}

impl SignalsFile {
    /// Reads a file of signals; `interval` is that of the candles they are traded on.
    ///
    /// Errors: see [`SignalsError`]; only a last line that ends in the middle is left out and noted
    /// Cost:   O(rows log rows); 48 bytes per row and 16 per row and column
    pub fn read(path: &Path, interval: Interval) -> Result<Self, SignalsError> {
        let read_error = |source| SignalsError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read_error)?;
        let metadata = file.metadata().map_err(read_error)?;
        if metadata.is_dir() {
            return Err(SignalsError::NotCsv { path: path.to_owned(), found: "a folder" });
        }
        if metadata.len() > DECODED_BYTES_MAX {
            let path = path.to_owned();
            return Err(SignalsError::TooLarge { path, limit: DECODED_BYTES_MAX, unit: "bytes" });
        }
        Self::parse(file, path, interval)
    }

    /// Reads signals from a stream; see [`SignalsFile::read`].
    pub(super) fn parse(stream: impl Read, path: &Path, interval: Interval) -> Result<Self, SignalsError> {
        let stream_error = |error| match error {
            StreamError::Io(source) => SignalsError::Read { path: path.to_owned(), source },
            StreamError::TooLarge => {
                SignalsError::TooLarge { path: path.to_owned(), limit: DECODED_BYTES_MAX, unit: "bytes" }
            }
        };
        let mut lines = Lines::new(stream, DECODED_BYTES_MAX);
        let head = lines.peek().map_err(stream_error)?;
        if let Some(found) = error::format_of(format::packing(head), format::recognise(head)) {
            return Err(SignalsError::NotCsv { path: path.to_owned(), found });
        }
        let byte_order_mark = if head.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        lines.skip(byte_order_mark);
        let mut table = Table::new(path, interval);
        while let Some((number, line)) = lines.next_line().map_err(stream_error)? {
            table.line(number, &line)?;
        }
        table.finish(lines.digest().1)
    }

    /// Returns the names of the columns that can be filtered on, sorted.
    pub fn numeric_columns(&self) -> impl Iterator<Item = &str> {
        let numeric = |column: &&SignalColumn| matches!(column.content, ColumnContent::Numbers { .. });
        self.columns.iter().filter(numeric).map(|column| column.name.as_str())
    }

    /// Returns whether a column can be filtered on.
    ///
    /// Errors: there is no such column, or it holds something else than numbers, with the line
    pub fn check_column(&self, name: &str) -> Result<(), SignalsError> {
        let known = self.columns.iter().find(|column| column.name == name);
        let found = match known.map(|column| &column.content) {
            Some(ColumnContent::Numbers { .. }) => return Ok(()),
            Some(ColumnContent::Text { line, found }) => format!("{found:?} in line {line}"),
            Some(ColumnContent::Empty) => "no number in any row".to_owned(),
            None => {
                let names: Vec<String> =
                    self.columns.iter().map(|column| format!("{:?}", column.name)).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let names = crate::model::excerpt(&names).into_owned();
                format!("no such column; columns of your own: {names}")
            }
        };
        Err(SignalsError::Column { path: self.path.clone(), name: name.to_owned(), found })
    }
}

/// A row, without the values of the user's columns.
struct Row {
    line: u64,
    symbol: Symbol,
    signal: GivenSignal,
}

/// A column of the user's own while it is read.
struct Column {
    name: String,
    /// Its place among the cells.
    place: usize,
    /// One per row; NaN where there is none.
    values: Vec<f64>,
    text: Option<(u64, String)>,
}

impl Column {
    fn content(&self) -> ColumnContent {
        let numbers = || self.values.iter().copied().filter(|value| !value.is_nan());
        match (&self.text, numbers().reduce(f64::min), numbers().reduce(f64::max)) {
            (Some((line, found)), ..) => ColumnContent::Text { line: *line, found: found.clone() },
            (None, Some(min), Some(max)) => {
                let missing = self.values.len() - numbers().count();
                ColumnContent::Numbers { min, max, missing: missing as u64 }
            }
            (None, ..) => ColumnContent::Empty,
        }
    }
}

/// The rows of a file, in its order.
struct Table<'a> {
    path: &'a Path,
    interval: Interval,
    header: Option<Header>,
    rows: Vec<Row>,
    columns: Vec<Column>,
    fields: Vec<Field>,
    issues: Vec<Issue>,
}

impl<'a> Table<'a> {
    fn new(path: &'a Path, interval: Interval) -> Self {
        let (rows, columns, fields, issues) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { path, interval, header: None, rows, columns, fields, issues }
    }

    fn line(&mut self, number: u64, line: &Line<'_>) -> Result<(), SignalsError> {
        let (text, ended) = match line {
            Line::Whole(text) => (*text, true),
            Line::Unended(text) => (*text, false),
            Line::TooLong => {
                let found = "a line beyond 64 KiB".to_owned();
                return Err(self.cell_error(number, "the whole line", "a row", found));
            }
        };
        match text.trim_ascii() {
            [] => Ok(()),
            [b'#', ..] => {
                note(&mut self.issues, IssueKind::Comment, Some(number), || {
                    format!("expected a row, found {:?}", excerpt(text))
                });
                Ok(())
            }
            _ if self.header.is_none() => self.head(number, text),
            _ => self.row(number, text, ended),
        }
    }

    fn head(&mut self, number: u64, text: &[u8]) -> Result<(), SignalsError> {
        let fail = |(expected, found)| SignalsError::Header {
            path: self.path.to_owned(),
            line: number,
            expected,
            found,
        };
        let (header, own) = Header::read(text).map_err(fail)?;
        let column = |(name, place)| Column { name, place, values: Vec::new(), text: None };
        self.columns = own.into_iter().map(column).collect();
        self.header = Some(header);
        Ok(())
    }

    fn cell_error(&self, line: u64, column: &str, expected: &'static str, found: String) -> SignalsError {
        SignalsError::Cell { path: self.path.to_owned(), line, column: column.to_owned(), expected, found }
    }

    fn row(&mut self, number: u64, text: &[u8], ended: bool) -> Result<(), SignalsError> {
        let header = self.header.as_ref().expect("rows come after the header");
        split(text, header.separator, &mut self.fields);
        let (expected, found) = (header.fields, self.fields.len());
        let one_empty_more = found == expected + 1 && cell(text, self.fields[expected]).is_empty();
        if !ended && found < expected {
            note(&mut self.issues, IssueKind::PartialLastLine, Some(number), || {
                format!("expected {expected} fields, found {found} where the file ends")
            });
            return Ok(());
        }
        if found != expected && !one_empty_more {
            let path = self.path.to_owned();
            return Err(SignalsError::Fields { path, line: number, expected, found });
        }
        if self.rows.len() as u64 >= ROWS_MAX {
            return Err(SignalsError::TooLarge { path: self.path.to_owned(), limit: ROWS_MAX, unit: "rows" });
        }
        let at = |place: usize| cell(text, self.fields[place]);
        let read = row::signal(header, at, self.interval);
        let (symbol, signal) =
            read.map_err(|bad| self.cell_error(number, bad.column, bad.expected, bad.found))?;
        for column in &mut self.columns {
            let own = cell(text, self.fields[column.place]);
            let value = match number_or_text(own) {
                Ok(value) => value,
                Err(found) => {
                    column.text.get_or_insert((number, found));
                    f64::NAN
                }
            };
            column.values.push(value);
        }
        self.rows.push(Row { line: number, symbol, signal });
        Ok(())
    }

    /// Puts rows in order, drops those that repeat, refuses those that contradict each other.
    fn finish(mut self, hash: String) -> Result<SignalsFile, SignalsError> {
        if self.header.is_none() {
            return Err(SignalsError::NotCsv { path: self.path.to_owned(), found: "no line of text" });
        }
        self.columns.sort_by(|a, b| a.name.cmp(&b.name));
        let described: Vec<SignalColumn> = self
            .columns
            .iter()
            .map(|column| SignalColumn { name: column.name.clone(), content: column.content() })
            .collect();
        let numeric = |column: &Column| matches!(column.content(), ColumnContent::Numbers { .. });
        self.columns.retain(numeric);
        let names: Arc<[String]> = self.columns.iter().map(|column| column.name.clone()).collect();
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by(|a, b| {
            let (a, b) = (&self.rows[*a], &self.rows[*b]);
            a.symbol.cmp(&b.symbol).then_with(|| a.signal.order(&b.signal)).then(a.line.cmp(&b.line))
        });
        let mut symbols: BTreeMap<Symbol, GivenSignals> = BTreeMap::new();
        let mut duplicates = 0;
        // The rows kept at one instant on one side: at most one per style.
        let mut peers: Vec<usize> = Vec::new();
        for index in order {
            let row = &self.rows[index];
            peers.retain(|peer| self.is_peer(*peer, index));
            let overlaps = |peer: &&usize| overlap(&self.rows[**peer].signal, &row.signal);
            if let Some(peer) = peers.iter().find(overlaps) {
                self.check_equal(*peer, index)?;
                duplicates += 1;
                let (first, line) = (self.rows[*peer].line, row.line);
                note(&mut self.issues, IssueKind::Duplicate, Some(line), || {
                    format!("expected a signal once, found line {first} again")
                });
                continue;
            }
            peers.push(index);
            let values = self.columns.iter().map(|column| column.values[index]);
            let own = symbols.entry(row.symbol.clone());
            own.or_insert_with(|| GivenSignals::none(names.clone())).push(row.signal, values);
        }
        self.issues.sort_by_key(|issue| issue.kind);
        Ok(SignalsFile {
            path: self.path.to_owned(),
            hash,
            rows: self.rows.len() as u64,
            duplicates,
            columns: described,
            symbols,
            issues: self.issues,
        })
    }

    /// Returns whether two rows are of one symbol, instant and side.
    fn is_peer(&self, a: usize, b: usize) -> bool {
        let key = |row: &Row| (row.signal.time_ms, row.signal.direction);
        let (a, b) = (&self.rows[a], &self.rows[b]);
        key(a) == key(b) && a.symbol == b.symbol
    }

    /// Refuses two rows of one signal that differ: which of them counts would be a guess.
    fn check_equal(&self, first: usize, second: usize) -> Result<(), SignalsError> {
        let (a, b) = (&self.rows[first], &self.rows[second]);
        let show = |value: Option<f64>| value.map_or("nothing".to_owned(), |value| value.to_string());
        let given = |value: f64| Some(value).filter(|value| !value.is_nan());
        let style = |row: &Row| row.signal.style.map_or("every style".to_owned(), |style| style.to_string());
        let mut pairs = vec![("style", style(a), style(b)), ("atr", show(a.signal.atr), show(b.signal.atr))];
        pairs.extend(self.columns.iter().map(|column| {
            let [a, b] = [first, second].map(|row| show(given(column.values[row])));
            (column.name.as_str(), a, b)
        }));
        let Some((column, one, other)) = pairs.into_iter().find(|(_, a, b)| a != b) else { return Ok(()) };
        // By line, so that the message does not depend on how equal keys are sorted.
        let ((one, a), (other, b)) =
            if a.line < b.line { ((one, a), (other, b)) } else { ((other, b), (one, a)) };
        Err(SignalsError::Conflict(Box::new(SignalsConflict {
            path: self.path.to_owned(),
            symbol: a.symbol.clone(),
            time_ms: a.signal.time_ms,
            direction: a.signal.direction,
            column: column.to_owned(),
            first: (a.line, one),
            second: (b.line, other),
        })))
    }
}

/// Returns whether some style takes both of two signals.
fn overlap(a: &GivenSignal, b: &GivenSignal) -> bool {
    a.style.zip(b.style).is_none_or(|(a, b)| a == b)
}

/// Returns the number in a cell, NaN where nothing stands, or what stands there instead.
fn number_or_text(own: &[u8]) -> Result<f64, String> {
    match number(own) {
        Number::Given(value) => Ok(value),
        Number::Missing => Ok(f64::NAN),
        Number::Not => Err(excerpt(own)),
    }
}

#[cfg(test)]
mod tests;
