//! What a folder already holds of a symbol: rows of the file that `fetch` keeps, and archives by their names.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::error::FetchError;
use super::plan::{Part, Ticker};
use crate::ingest::{TIME_MAX_MS, open_regular};
use crate::model::Interval;

/// The first line of every file that `fetch` writes.
pub(super) const HEADER: &str = "open_time,open,high,low,close,volume";
/// Longest line; longer ones are not ours.
const LINE_BYTES_MAX: u64 = 512;

pub(super) fn io_error(path: &Path) -> impl Fn(std::io::Error) -> FetchError + '_ {
    |source| FetchError::Io { path: path.to_owned(), source }
}

/// Reads a file row by row, and holds it to what `fetch` writes.
#[derive(Debug)]
pub(super) struct Rows {
    path: PathBuf,
    interval: Interval,
    reader: BufReader<File>,
    line: u64,
    last_open_ms: Option<i64>,
}

impl Rows {
    /// Opens a file; `None` if there is none.
    ///
    /// Errors: the disk; another first line
    pub(super) fn open(path: &Path, interval: Interval) -> Result<Option<Self>, FetchError> {
        let file = match open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(path)(error)),
        };
        let reader = BufReader::with_capacity(64 << 10, file);
        let mut rows = Self { path: path.to_owned(), interval, reader, line: 0, last_open_ms: None };
        let mut first = String::new();
        match rows.read_line(&mut first)? && first == HEADER {
            true => Ok(Some(rows)),
            false => Err(rows.foreign("the header `open_time,open,high,low,close,volume`", &first)),
        }
    }

    /// Reads the next row (without the end of its line) and returns its open time; `None` at the end.
    ///
    /// Errors: the disk; a row that is not ours, or not in order
    pub(super) fn next(&mut self, row: &mut String) -> Result<Option<i64>, FetchError> {
        if !self.read_line(row)? {
            return Ok(None);
        }
        let fields = row.split(',').count();
        let open_ms = row.split(',').next().and_then(|field| field.parse::<i64>().ok());
        let possible = open_ms.filter(|open| (0..TIME_MAX_MS).contains(open));
        let aligned = possible.filter(|open| self.interval.floor(*open) == *open && fields == 6);
        let Some(open_ms) = aligned.filter(|open| self.last_open_ms.is_none_or(|last| *open > last)) else {
            return Err(self.foreign("six columns and open times of the interval, in order", row));
        };
        self.last_open_ms = Some(open_ms);
        Ok(Some(open_ms))
    }

    fn read_line(&mut self, line: &mut String) -> Result<bool, FetchError> {
        self.line += 1;
        let mut bytes = Vec::with_capacity(128);
        let read = (&mut self.reader).take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        read.map_err(io_error(&self.path))?;
        let whole = bytes.pop_if(|byte| *byte == b'\n').is_some();
        *line = String::from_utf8_lossy(&bytes).into_owned();
        match (whole, bytes.is_empty()) {
            (true, _) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => Err(self.foreign("a whole line", line)),
        }
    }

    fn foreign(&self, expected: &'static str, found: &str) -> FetchError {
        let found = found.chars().take(80).collect();
        FetchError::ForeignFile { path: self.path.clone(), line: self.line.max(1), expected, found }
    }
}

/// Returns the spans of open times without a gap in a file, in order; none if there is no file.
pub(super) fn spans_of_rows(path: &Path, interval: Interval) -> Result<Vec<Range<i64>>, FetchError> {
    let Some(mut rows) = Rows::open(path, interval)? else { return Ok(Vec::new()) };
    let mut spans: Vec<Range<i64>> = Vec::new();
    let mut row = String::new();
    while let Some(open_ms) = rows.next(&mut row)? {
        let end = open_ms + interval.ms();
        match spans.last_mut().filter(|span| span.end == open_ms) {
            Some(span) => span.end = end,
            None => spans.push(open_ms..end),
        }
    }
    Ok(spans)
}

/// Returns the spans that archives in a folder cover.
pub(super) fn spans_of_archives(
    folder: &Path,
    ticker: &Ticker,
    interval: Interval,
) -> Result<Vec<Range<i64>>, FetchError> {
    let mut spans = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io_error(folder))? {
        let name = entry.map_err(io_error(folder))?.file_name();
        let part = name.to_str().and_then(|name| Part::of_name(name, ticker, interval));
        spans.extend(part.map(Part::span));
    }
    Ok(spans)
}
