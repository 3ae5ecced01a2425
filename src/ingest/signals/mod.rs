//! A file of ready-made signals, CSV, Parquet or feather, becomes signals by symbol, with the user's own columns.
//!
//! Needed are the columns `symbol`, `time` (or `open_time`, or freqtrade's `date`) and `direction` (or freqtrade's `enter_long` and
//! `enter_short`); `style` and `atr` may be there; every further column that holds numbers can be filtered on, and each text of a column
//! of tags as a column of 0 and 1. The order of rows and of columns does not matter. A row that cannot be
//! read stops with its place: to leave out a signal in silence would change what is tuned.

mod error;
mod header;
mod row;
mod tags;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::{SignalsConflict, SignalsError};

use super::cause::IssueCause;
#[cfg(feature = "columnar")]
use super::columnar::{COLUMNAR_BYTES_MAX, TextRows, Unread, table_rows};
use super::format;
#[cfg(feature = "columnar")]
use super::layout::SEPARATORS;
use super::layout::{Field, cell, split_fields};
use super::limits::{DECODED_BYTES_MAX, ROWS_MAX};
use super::lines::{LineReader, RawLine, StreamError};
use super::opening::{not_regular, open_regular};
use super::place::RowPlace;
use super::report::excerpt_of_bytes;
use super::report::{Issue, IssueKind, note};
use super::time::LocalClock;
use super::{OnBadRows, ReadingOptions};
use crate::model::{GivenSignal, GivenSignals, Interval, Sides, Style, Symbol, rfc3339};
use header::{HeaderFault, SignalHeader, TimeSays};
use row::{Number, own_number};
use tags::Tags;

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
        /// The first row that holds no number.
        at: RowPlace,
        /// What stands there.
        found: String,
    },
    /// Nothing at all.
    Empty,
}

impl SignalsFile {
    /// Reads a file of signals; `interval` is that of the candles they are traded on, `room_bytes` what reading may take.
    ///
    /// Errors: see [`SignalsError`]; only a last line that ends in the middle, or may do so, is left out and noted
    /// Cost:   O(rows log rows); 112 bytes per row and 16 per row and column, of which half stay
    pub fn read(
        path: &Path,
        interval: Interval,
        reading: &ReadingOptions,
        room_bytes: Option<u64>,
    ) -> Result<Self, SignalsError> {
        let read_error = |source| SignalsError::Read { path: path.to_owned(), source };
        // Before it is opened, which would wait for somebody who writes to a pipe.
        let metadata = fs::metadata(path).map_err(read_error)?;
        if let Some(found) = not_regular(&metadata) {
            return Err(SignalsError::NotRegular { path: path.to_owned(), found });
        }
        let file = open_regular(path).map_err(read_error)?;
        if metadata.len() > DECODED_BYTES_MAX {
            let path = path.to_owned();
            return Err(SignalsError::TooLarge { path, limit: DECODED_BYTES_MAX, unit: "bytes" });
        }
        Self::parse(file, path, interval, reading, room_bytes)
    }

    /// Reads signals from a stream; see [`SignalsFile::read`].
    pub(super) fn parse(
        stream: impl Read,
        path: &Path,
        interval: Interval,
        reading: &ReadingOptions,
        room_bytes: Option<u64>,
    ) -> Result<Self, SignalsError> {
        let unread = stream_error(path, DECODED_BYTES_MAX);
        let mut lines = LineReader::new(stream, DECODED_BYTES_MAX);
        let head = lines.peek().map_err(&unread)?;
        let (packing, recognised) = (format::packing_of(head), format::recognise_format(head));
        #[cfg(feature = "columnar")]
        if let (
            format::Packing::None,
            Ok(format @ (format::FileFormat::Parquet | format::FileFormat::Feather)),
        ) = (packing, &recognised)
        {
            let is_feather = *format == format::FileFormat::Feather;
            let room = room_bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
            let bytes =
                lines.rest(COLUMNAR_BYTES_MAX.min(room)).map_err(|error| match (error, room_bytes) {
                    (StreamError::TooLarge, Some(room_bytes)) if room < COLUMNAR_BYTES_MAX => {
                        SignalsError::NoRoom { path: path.to_owned(), rows: 0, room_bytes }
                    }
                    (error, _) => stream_error(path, COLUMNAR_BYTES_MAX as u64)(error),
                })?;
            let mut table = SignalTable::new(path, interval, reading, RowPlace::Row, room_bytes);
            table_rows(bytes, is_feather, &mut table).map_err(|error| error.of(path))?;
            return table.finish(lines.digest().1);
        }
        if let Some(found) = error::format_of(packing, recognised, head) {
            return Err(SignalsError::NotCsv { path: path.to_owned(), found });
        }
        let byte_order_mark = if head.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        lines.skip(byte_order_mark);
        let mut table = SignalTable::new(path, interval, reading, RowPlace::Line, room_bytes);
        while let Some((number, line)) = lines.next_line().map_err(&unread)? {
            table.line(number, &line)?;
        }
        table.finish(lines.digest().1)
    }

    /// Returns the names of the columns that can be filtered on, sorted.
    pub fn numeric_columns(&self) -> impl Iterator<Item = &str> {
        let numeric = |column: &&SignalColumn| matches!(column.content, ColumnContent::Numbers { .. });
        self.columns.iter().filter(numeric).map(|column| column.name.as_str())
    }

    /// Returns the values below which a quarter, a half and three quarters of those of a column lie; `None` where it holds no number.
    pub fn quartiles(&self, name: &str) -> Option<[f64; 3]> {
        let mut values: Vec<f64> = Vec::new();
        for given in self.symbols.values() {
            let place = given.columns().iter().position(|column| column == name)?;
            values.extend((0..given.signals().len()).map(|signal| given.values(signal)[place]));
        }
        values.retain(|value| !value.is_nan());
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        Some([1, 2, 3].map(|quarter| values[last * quarter / 4]))
    }

    /// Checks that the signals of a style are on sides that are traded.
    ///
    /// Errors: some are not; leaving them out in silence would tell of another strategy
    pub fn check_sides(&self, sides: Sides, style: Style) -> Result<(), SignalsError> {
        let given = self.symbols.values().flat_map(GivenSignals::signals);
        let other = given.filter(|signal| signal.is_of(style) && !sides.allow(signal.direction)).count();
        match other as u64 {
            0 => Ok(()),
            found => Err(SignalsError::Side { path: self.path.clone(), sides: sides.as_str(), found }),
        }
    }

    /// Checks that some signal has an exit of its own.
    ///
    /// Errors: none has: nothing would follow them
    pub fn check_exits(&self) -> Result<(), SignalsError> {
        let has_exit = |given: &GivenSignals| given.signals().iter().any(|signal| signal.exit_ms.is_some());
        match self.symbols.values().any(has_exit) {
            true => Ok(()),
            false => Err(SignalsError::NoExits { path: self.path.clone() }),
        }
    }

    /// Returns whether a column can be filtered on.
    ///
    /// Errors: there is no such column, or it holds something else than numbers, with the line
    pub fn check_column(&self, name: &str) -> Result<(), SignalsError> {
        let known = self.columns.iter().find(|column| column.name == name);
        let found = match known.map(|column| &column.content) {
            Some(ColumnContent::Numbers { .. }) => return Ok(()),
            Some(ColumnContent::Text { at, found }) => format!("{found:?} in {at}"),
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

/// Says why a stream was not read to its end, which holds so many bytes at most.
fn stream_error(path: &Path, limit: u64) -> impl Fn(StreamError) -> SignalsError {
    move |error| match error {
        StreamError::Io(source) => SignalsError::Read { path: path.to_owned(), source },
        StreamError::TooLarge => SignalsError::TooLarge { path: path.to_owned(), limit, unit: "bytes" },
    }
}

/// What a row takes while a file is read: itself, its place in the order, and the signal made of it.
pub(super) const ROW_BYTES: u64 = 112;
/// What a row takes in addition for every column of the user's own.
const CELL_BYTES: u64 = 16;

/// A row, without the values of the user's columns.
struct SignalRow {
    /// What it is numbered by.
    number: u64,
    /// Index of its symbol.
    symbol: u32,
    signal: GivenSignal,
}

/// The symbols of a file, each kept once.
#[derive(Default)]
struct SymbolNames {
    symbols: Vec<Symbol>,
    known: BTreeMap<Symbol, u32>,
}

impl SymbolNames {
    fn index(&mut self, symbol: Symbol) -> u32 {
        if let Some(index) = self.known.get(&symbol) {
            return *index;
        }
        let index = self.symbols.len() as u32;
        self.symbols.push(symbol.clone());
        self.known.insert(symbol, index);
        index
    }
}

/// A column of the user's own while it is read.
struct UserColumn {
    name: String,
    /// Its place among the cells.
    place: usize,
    /// One per row; NaN where there is none.
    values: Vec<f64>,
    text: Option<(RowPlace, String)>,
    /// What stands in the rows, of a column whose name says tags.
    tags: Option<Tags>,
}

impl UserColumn {
    fn new(name: String, place: usize) -> Self {
        let tags = Tags::of(&name);
        Self { name, place, values: Vec::new(), text: None, tags }
    }

    /// Returns the columns of 0 and 1 that stand for the texts of a column of tags.
    fn of_tags(&self) -> Vec<Self> {
        let tags = self.tags.iter().filter(|_| self.text.is_some()).flat_map(Tags::columns);
        let of_tag = |(tag, values): (&str, Vec<f64>)| Self {
            name: format!("{}={tag}", self.name),
            place: self.place,
            values,
            text: None,
            tags: None,
        };
        tags.map(of_tag).collect()
    }

    fn content(&self) -> ColumnContent {
        let numbers = || self.values.iter().copied().filter(|value| !value.is_nan());
        match (&self.text, numbers().reduce(f64::min), numbers().reduce(f64::max)) {
            (Some((at, found)), ..) => ColumnContent::Text { at: *at, found: found.clone() },
            (None, Some(min), Some(max)) => {
                let missing = self.values.len() - numbers().count();
                ColumnContent::Numbers { min, max, missing: missing as u64 }
            }
            (None, ..) => ColumnContent::Empty,
        }
    }
}

/// The rows of a file, in its order.
struct SignalTable<'a> {
    path: &'a Path,
    /// That of the candles that signals were given on.
    interval: Interval,
    /// Whether the user says so.
    is_interval_said: bool,
    clock: LocalClock,
    /// Rows that cannot be read are left out.
    skips: bool,
    /// What was wrong with the first row that was left out, and how many there were.
    skipped: Option<(IssueCause, u64)>,
    /// What is numbered.
    place: fn(u64) -> RowPlace,
    header: Option<SignalHeader>,
    rows: Vec<SignalRow>,
    names: SymbolNames,
    columns: Vec<UserColumn>,
    fields: Vec<Field>,
    issues: Vec<Issue>,
    /// Bytes that reading may take; `None` for whatever it takes.
    room_bytes: Option<u64>,
}

impl<'a> SignalTable<'a> {
    fn new(
        path: &'a Path,
        interval: Interval,
        reading: &ReadingOptions,
        place: fn(u64) -> RowPlace,
        room_bytes: Option<u64>,
    ) -> Self {
        Self {
            path,
            interval: reading.signals_timeframe.unwrap_or(interval),
            is_interval_said: reading.signals_timeframe.is_some(),
            clock: LocalClock::strict(reading.timezone.clone()),
            skips: reading.on_bad_rows == OnBadRows::Skip,
            skipped: None,
            place,
            header: None,
            rows: Vec::new(),
            names: SymbolNames::default(),
            columns: Vec::new(),
            fields: Vec::new(),
            issues: Vec::new(),
            room_bytes,
        }
    }

    /// Refuses a row more than there is room for.
    fn check_room(&self) -> Result<(), SignalsError> {
        let rows = self.rows.len() as u64;
        if rows >= ROWS_MAX {
            return Err(SignalsError::TooLarge { path: self.path.to_owned(), limit: ROWS_MAX, unit: "rows" });
        }
        let needed = (rows + 1) * (ROW_BYTES + CELL_BYTES * self.columns.len() as u64);
        match self.room_bytes {
            Some(room_bytes) if needed > room_bytes => {
                Err(SignalsError::NoRoom { path: self.path.to_owned(), rows, room_bytes })
            }
            _ => Ok(()),
        }
    }

    fn line(&mut self, number: u64, line: &RawLine<'_>) -> Result<(), SignalsError> {
        let (text, ended) = match line {
            RawLine::Whole(text) => (*text, true),
            RawLine::Unended(text) => (*text, false),
            RawLine::TooLong => {
                let found = "a line beyond 64 KiB".to_owned();
                let cause = self.cell_cause(number, "the whole line", "a row", found);
                return Err(SignalsError::Row(Box::new(cause)));
            }
        };
        match text.trim_ascii() {
            [] => Ok(()),
            [b'#', ..] => {
                note(&mut self.issues, IssueKind::Comment, Some(number), || IssueCause::Comment {
                    found: excerpt_of_bytes(text),
                });
                Ok(())
            }
            _ if self.header.is_none() => self.set_header(RowPlace::Line(number), SignalHeader::read(text)),
            _ => self.row(number, text, ended),
        }
    }

    fn set_header(
        &mut self,
        at: RowPlace,
        header: Result<(SignalHeader, Vec<(String, usize)>), HeaderFault>,
    ) -> Result<(), SignalsError> {
        let path = || self.path.to_owned();
        let fail = |(expected, found)| SignalsError::Header { path: path(), at, expected, found };
        let (header, own) = header.map_err(fail)?;
        self.columns = own.into_iter().map(|(name, place)| UserColumn::new(name, place)).collect();
        self.header = Some(header);
        Ok(())
    }

    fn cell_cause(&self, number: u64, column: &str, expected: &'static str, found: String) -> IssueCause {
        IssueCause::SignalCell {
            path: self.path.display().to_string(),
            place: (self.place)(number),
            column: column.to_owned(),
            expected: expected.into(),
            found,
        }
    }

    fn row(&mut self, number: u64, text: &[u8], ended: bool) -> Result<(), SignalsError> {
        let header = self.header.as_ref().expect("rows come after the header");
        split_fields(text, header.separator, &mut self.fields);
        let (expected, found) = (header.fields, self.fields.len());
        let one_empty_more = found == expected + 1 && cell(text, self.fields[expected]).is_empty();
        if !ended && found < expected {
            note(&mut self.issues, IssueKind::PartialLastLine, Some(number), || IssueCause::CutFields {
                expected: expected as u64,
                found: found as u64,
            });
            return Ok(());
        }
        if found != expected && !one_empty_more {
            let path = self.path.display().to_string();
            let (expected, found, place) = (expected as u64, found as u64, RowPlace::Line(number));
            return self.bad_row(number, IssueCause::SignalFields { path, place, expected, found });
        }
        let fields = &self.fields;
        let at = |place: usize| cell(text, fields[place]);
        if !ended && row::may_be_cut(header, text, fields, at, self.interval, &mut self.clock) {
            note(&mut self.issues, IssueKind::PartialLastLine, Some(number), || IssueCause::UnendedSignal);
            return Ok(());
        }
        let fields = std::mem::take(&mut self.fields);
        let taken = self.cells(number, |place| cell(text, fields[place]));
        self.fields = fields;
        taken
    }

    /// Leaves out a row if such are, and stops otherwise.
    fn bad_row(&mut self, number: u64, cause: IssueCause) -> Result<(), SignalsError> {
        if !self.skips {
            return Err(SignalsError::Row(Box::new(cause)));
        }
        note(&mut self.issues, IssueKind::BadRow, Some(number), || cause.clone());
        self.skipped.get_or_insert((cause, 0)).1 += 1;
        Ok(())
    }

    /// Takes in a row by its cells.
    fn cells<'c>(&mut self, number: u64, at: impl Fn(usize) -> &'c [u8]) -> Result<(), SignalsError> {
        let header = self.header.as_ref().expect("rows come after the header");
        self.check_room()?;
        let (symbol, signal) = match row::signal(header, &at, self.interval, &mut self.clock) {
            Ok(Some(read)) => read,
            Ok(None) => {
                note(&mut self.issues, IssueKind::NoEntry, Some(number), || IssueCause::NothingEntered);
                return Ok(());
            }
            Err(bad) => {
                let cause = self.cell_cause(number, bad.column, bad.expected, bad.found);
                return self.bad_row(number, cause);
            }
        };
        for column in &mut self.columns {
            let own = at(column.place);
            if let Some(tags) = &mut column.tags {
                tags.push(own);
            }
            let value = match number_or_text(own) {
                Ok(value) => value,
                Err(found) => {
                    column.text.get_or_insert(((self.place)(number), found));
                    f64::NAN
                }
            };
            column.values.push(value);
        }
        let symbol = self.names.index(symbol);
        self.rows.push(SignalRow { number, symbol, signal });
        Ok(())
    }

    /// Puts rows in order, drops those that repeat, refuses those that contradict each other.
    fn finish(mut self, hash: String) -> Result<SignalsFile, SignalsError> {
        if self.header.is_none() {
            return Err(SignalsError::NotCsv { path: self.path.to_owned(), found: "no line of text".into() });
        }
        let kept = self.rows.len() as u64;
        if let Some((first, _)) = self.skipped.take_if(|(_, skipped)| *skipped > kept) {
            return Err(SignalsError::Row(Box::new(first)));
        }
        self.check_dates()?;
        let of_tags: Vec<UserColumn> = self.columns.iter().flat_map(UserColumn::of_tags).collect();
        let is_new = |tag: &UserColumn| self.columns.iter().all(|column| column.name != tag.name);
        let of_tags: Vec<UserColumn> = of_tags.into_iter().filter(is_new).collect();
        self.columns.extend(of_tags);
        self.columns.sort_by(|a, b| a.name.cmp(&b.name));
        let described: Vec<SignalColumn> = self
            .columns
            .iter()
            .map(|column| SignalColumn { name: column.name.clone(), content: column.content() })
            .collect();
        let numeric = |column: &UserColumn| matches!(column.content(), ColumnContent::Numbers { .. });
        self.columns.retain(numeric);
        let column_names: Arc<[String]> = self.columns.iter().map(|column| column.name.clone()).collect();
        // Rows keep their order while they are read; the sort moves only where they stand.
        let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
        let names = &self.names.symbols;
        order.sort_unstable_by(|a, b| {
            let (a, b) = (&self.rows[*a as usize], &self.rows[*b as usize]);
            let by_symbol = names[a.symbol as usize].cmp(&names[b.symbol as usize]);
            by_symbol.then_with(|| a.signal.order(&b.signal)).then(a.number.cmp(&b.number))
        });
        let mut symbols: BTreeMap<Symbol, GivenSignals> = BTreeMap::new();
        let mut duplicates = 0;
        // The rows kept at one instant on one side: at most one per style.
        let mut peers: Vec<usize> = Vec::new();
        for index in order {
            let index = index as usize;
            let row = &self.rows[index];
            peers.retain(|peer| self.is_peer(*peer, index));
            let overlaps = |peer: &&usize| styles_overlap(&self.rows[**peer].signal, &row.signal);
            if let Some(peer) = peers.iter().find(overlaps) {
                self.check_equal(*peer, index)?;
                duplicates += 1;
                let first = (self.place)(self.rows[*peer].number);
                let repeated = || IssueCause::RepeatedSignal { place: first };
                note(&mut self.issues, IssueKind::Duplicate, Some(row.number), repeated);
                continue;
            }
            peers.push(index);
            let values = self.columns.iter().map(|column| column.values[index]);
            let own = symbols.entry(self.names.symbols[row.symbol as usize].clone());
            own.or_insert_with(|| GivenSignals::none(column_names.clone())).push(row.signal, values);
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

    /// Checks that a column `date` can be what freqtrade means by it, the open of the candle that a signal was given on: taken for less
    /// than that, entries would know the future.
    fn check_dates(&self) -> Result<(), SignalsError> {
        let is_date = self.header.as_ref().is_some_and(|header| header.time.1 == TimeSays::Date);
        if !is_date || self.is_interval_said {
            return Ok(());
        }
        let interval = self.interval;
        let opens = || self.rows.iter().map(|row| row.signal.time_ms - interval.ms());
        let fail = |found: String| Err(SignalsError::Dates { path: self.path.to_owned(), interval, found });
        if let Some(other) = opens().find(|open| interval.floor(*open) != *open) {
            return fail(rfc3339(other));
        }
        let is_on = |coarser: &Interval| opens().all(|open| coarser.floor(open) == open);
        let coarser = COARSER_MINUTES.map(Interval::from_minutes).into_iter();
        match coarser.filter(|coarser| coarser.ms() > interval.ms()).rfind(is_on) {
            Some(coarser) if self.rows.len() >= DATES_MIN => {
                fail(format!("dates on candles of {coarser} only"))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether two rows are of one symbol, instant and side.
    fn is_peer(&self, a: usize, b: usize) -> bool {
        let key = |row: &SignalRow| (row.signal.time_ms, row.signal.direction);
        let (a, b) = (&self.rows[a], &self.rows[b]);
        key(a) == key(b) && a.symbol == b.symbol
    }

    /// Refuses two rows of one signal that differ: which of them counts would be a guess.
    fn check_equal(&self, first: usize, second: usize) -> Result<(), SignalsError> {
        let (a, b) = (&self.rows[first], &self.rows[second]);
        let at = |row: &SignalRow| (self.place)(row.number);
        let show = |value: Option<f64>| value.map_or("nothing".to_owned(), |value| value.to_string());
        let given = |value: f64| Some(value).filter(|value| !value.is_nan());
        let style =
            |row: &SignalRow| row.signal.style.map_or("every style".to_owned(), |style| style.to_string());
        let exit = |row: &SignalRow| row.signal.exit_ms.map_or("nothing".to_owned(), rfc3339);
        let mut pairs = vec![
            ("style", style(a), style(b)),
            ("atr", show(a.signal.atr), show(b.signal.atr)),
            ("exit_time", exit(a), exit(b)),
        ];
        pairs.extend(self.columns.iter().map(|column| {
            let [a, b] = [first, second].map(|row| show(given(column.values[row])));
            (column.name.as_str(), a, b)
        }));
        let Some((column, one, other)) = pairs.into_iter().find(|(_, a, b)| a != b) else { return Ok(()) };
        // By place, so that the message does not depend on how equal keys are sorted.
        let ((one, a), (other, b)) =
            if a.number < b.number { ((one, a), (other, b)) } else { ((other, b), (one, a)) };
        Err(SignalsError::Conflict(Box::new(SignalsConflict {
            path: self.path.to_owned(),
            symbol: self.names.symbols[a.symbol as usize].clone(),
            time_ms: a.signal.time_ms,
            direction: a.signal.direction,
            column: column.to_owned(),
            first: (at(a), one),
            second: (at(b), other),
        })))
    }
}

#[cfg(feature = "columnar")]
impl TextRows for SignalTable<'_> {
    type Error = SignalsError;

    fn room_bytes(&self) -> Option<u64> {
        self.room_bytes
    }

    fn head(&mut self, names: &[&str]) -> Result<(), SignalsError> {
        let cells: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        let separator = SEPARATORS[0];
        self.set_header(RowPlace::Columns, SignalHeader::of(&cells, separator, &cells.join(&separator)))
    }

    fn row<'c>(&mut self, number: u64, cell: impl Fn(usize) -> &'c [u8]) -> Result<(), SignalsError> {
        self.cells(number, cell)
    }

    /// Of a side written as a flag nobody knows which one yes is.
    fn reads_flags(&self, place: usize) -> bool {
        self.header.as_ref().is_some_and(|header| header.direction != header::DirectionSource::Word(place))
    }
}

#[cfg(feature = "columnar")]
impl Unread<SignalsError> {
    fn of(self, path: &Path) -> SignalsError {
        match self {
            Self::Refused(error) => error,
            Self::File(source) => SignalsError::Table { path: path.to_owned(), source },
        }
    }
}

/// Intervals of candles that strategies are run on, in minutes.
const COARSER_MINUTES: [u32; 10] = [5, 15, 30, 60, 120, 240, 360, 480, 720, 1440];
/// Rows that do not stand on coarser candles all by chance.
const DATES_MIN: usize = 20;

/// Returns whether some style takes both of two signals.
fn styles_overlap(a: &GivenSignal, b: &GivenSignal) -> bool {
    a.style.zip(b.style).is_none_or(|(a, b)| a == b)
}

/// Returns the number in a cell, NaN where nothing stands, or what stands there instead.
fn number_or_text(own: &[u8]) -> Result<f64, String> {
    match own_number(own) {
        Number::Given(value) => Ok(value),
        Number::Missing => Ok(f64::NAN),
        Number::Not => Err(excerpt_of_bytes(own)),
    }
}

#[cfg(test)]
mod tests;
