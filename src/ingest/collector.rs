//! What every reader does with the rows it finds: count them, check the candles, note what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::OnConflict;
use super::candle_row::{CandleRow, decimals_of};
use super::cause::IssueCause;
use super::columns::CandleColumns;
use super::limits::{ROW_BYTES, ROWS_MAX, TABLE_SYMBOLS_MAX};
use super::rejection::Rejection;
use super::repeats::{Keep, Repeats, RowKeeper};
use super::report::{Issue, IssueKind, excerpt_of_bytes, note};
use super::time::TimeUnit;
use super::{number, time};
use crate::model::{Candle, Symbol};

/// How many cells of a symbol column are remembered with what they say.
const CELLS_KNOWN_MAX: usize = 4_096;
/// So many times of unfinished candles are kept in any case.
const UNFINISHED_MIN: usize = 16 << 10;
/// No longer cell names a symbol.
const CELL_BYTES_MAX: usize = 128;

/// What the rows of one file are, before its interval is known.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Candles that can be, in the order of the file; of a long one without those that repeat others, in order of time.
    pub(super) rows: Vec<CandleRow>,
    /// The last row of a text, which may be cut in its last cell, and is not among them.
    pub(super) doubtful: Option<CandleRow>,
    /// Rows that repeat others and are not among them.
    pub(super) repeats: Repeats,
    /// All data rows, those left out included.
    pub(super) rows_seen: u64,
    /// Rows left out.
    pub(super) rows_bad: u64,
    /// Open times of rows that call their candle unfinished.
    pub(super) unfinished: Vec<i64>,
    pub(super) units: [bool; TimeUnit::ALL.len()],
    pub(super) issues: Vec<Issue>,
    pub(super) bytes: u64,
    /// BLAKE3 in hex.
    pub(super) hash: String,
    pub(super) rejected: Option<Rejection>,
    /// The symbols in the symbol column, where they were asked for.
    pub(super) symbols: BTreeSet<Symbol>,
    /// Open times are close times still: they have to be moved by the interval.
    pub(super) close_times: bool,
    /// The rows show that they have to be read in another way.
    pub(super) again: Option<Hints>,
}

/// What a first reading of a file has shown of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Hints {
    /// The columns of rows without a header.
    pub(super) columns: Option<CandleColumns>,
    /// The first number of `1/2/2025` is the day.
    pub(super) day_first: bool,
}

/// The cells of a row as values.
pub(super) struct ReadRow {
    pub(super) candle: Candle,
    pub(super) unit: TimeUnit,
    pub(super) span_ms: Option<u32>,
    /// The row says that its candle was not finished.
    pub(super) unfinished: bool,
    /// The volume is 0 because the row does not tell it.
    pub(super) no_volume: bool,
}

/// What a row says of where it belongs, as it stands there.
#[derive(Default)]
pub(super) struct Labels<'a> {
    pub(super) symbol: Option<&'a [u8]>,
    pub(super) exchange: Option<&'a [u8]>,
    pub(super) interval: Option<&'a [u8]>,
}

/// Prices outside high and low by so much, relatively, are taken for rounded ones.
const EDGE_TOLERANCE: f64 = 1e-4;
/// So are those outside by one unit of the last digit that the candle is written with, up to this much.
const EDGE_TICK_MAX: f64 = 2e-3;

/// Why a row is left out; what an issue keeps is made only for the first of a file.
pub(super) enum RejectedRow<'a> {
    Fields {
        expected: usize,
        found: usize,
    },
    Time {
        error: time::TimeError,
        found: &'a [u8],
    },
    Number {
        column: &'static str,
        found: &'a [u8],
    },
    /// Whether the candle is finished cannot be made out.
    Flag {
        found: &'a [u8],
    },
    /// No price stands in the row.
    NoCandle,
}

impl RejectedRow<'_> {
    /// Returns it as what an issue keeps.
    pub(super) fn cause(&self) -> IssueCause {
        match *self {
            Self::Fields { expected, found } => {
                IssueCause::Fields { expected: expected as u64, found: found as u64 }
            }
            Self::Time { error, found } => {
                IssueCause::OpenTime { fault: error, found: excerpt_of_bytes(found) }
            }
            Self::Number { column, found } => {
                IssueCause::Number { column: column.into(), found: excerpt_of_bytes(found) }
            }
            Self::Flag { found } => IssueCause::Finished { found: excerpt_of_bytes(found) },
            Self::NoCandle => IssueCause::NoPrice,
        }
    }
}

/// Which rows of a file are taken, by its symbol column if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowSelection {
    /// Those of the symbol in the name; others are counted as what should not be there.
    Named,
    /// Those of one symbol of a table of several; others are skipped without a word.
    OfTable,
    /// None: what is asked for is whose rows there are.
    Survey,
}

/// What a cell of the symbol column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Other,
    /// Not whose row it is.
    Nobody,
}

/// Takes in the rows of one file.
pub(super) struct Collector<'a> {
    pub(super) symbol: &'a Symbol,
    file: u32,
    rows: RowSelection,
    /// Cells of the symbol column that were met, and what they say; the last of them first.
    cell_last: (Vec<u8>, Whose),
    cells: BTreeMap<Vec<u8>, Whose>,
    /// The exchange and the interval that the rows name.
    constants: [Option<Vec<u8>>; 2],
    time_last: i64,
    kept: RowKeeper,
    /// Bytes that reading the file may take, rows included; `None` for whatever they take.
    room_bytes: Option<u64>,
    /// So many times of unfinished candles are kept before those that repeat are left out.
    unfinished_max: usize,
    pub(super) out: Parsed,
}

impl<'a> Collector<'a> {
    /// Returns a collector for the file with this index among the sources of its symbol.
    pub(super) fn new(symbol: &'a Symbol, file: u32) -> Self {
        Self {
            symbol,
            file,
            rows: RowSelection::Named,
            cell_last: (Vec::new(), Whose::Nobody),
            cells: BTreeMap::new(),
            constants: [None, None],
            time_last: i64::MIN,
            kept: RowKeeper::new(Keep::Both, ROWS_MAX as usize),
            room_bytes: None,
            unfinished_max: UNFINISHED_MIN,
            out: Parsed::default(),
        }
    }

    /// Takes other rows than those of the symbol in the name.
    pub(super) fn taking(self, rows: RowSelection) -> Self {
        Self { rows, ..self }
    }

    /// Keeps of rows of one time what counts, in so many bytes.
    pub(super) fn keeping(self, on_conflict: OnConflict, room_bytes: Option<u64>) -> Self {
        let fitting = room_bytes.map_or(ROWS_MAX, |bytes| (bytes / ROW_BYTES).min(ROWS_MAX));
        let rows_max = usize::try_from(fitting).unwrap_or(usize::MAX);
        Self { kept: RowKeeper::new(on_conflict.into(), rows_max), room_bytes, ..self }
    }

    /// Keeps all rows of one time that differ, whatever counts.
    pub(super) fn keep_all_that_differ(&mut self) {
        self.kept.keep = Keep::Both;
    }

    /// Returns how many bytes may be taken besides the rows kept so far.
    #[cfg(feature = "columnar")]
    pub(super) fn room_bytes(&self) -> Option<u64> {
        let kept = self.kept.rows.len() as u64 * ROW_BYTES;
        self.room_bytes.map(|bytes| bytes.saturating_sub(kept))
    }

    /// Returns what the rows are.
    pub(super) fn finish(mut self) -> Parsed {
        self.out.rows = self.kept.rows;
        self.out.repeats = self.kept.repeats;
        self.out
    }

    /// Rejects the whole file.
    #[cfg(feature = "columnar")]
    pub(super) fn reject(mut self, rejection: Rejection) -> Parsed {
        self.out.rejected = Some(rejection);
        self.out
    }

    pub(super) fn count_row(&mut self) {
        self.out.rows_seen += 1;
        if self.out.rows_seen > ROWS_MAX {
            self.out.rejected = Some(Rejection::TooLarge { limit: ROWS_MAX, unit: "rows".into() });
        }
    }

    pub(super) fn note(&mut self, kind: IssueKind, number: u64, cause: impl FnOnce() -> IssueCause) {
        note(&mut self.out.issues, kind, Some(number), cause);
    }

    pub(super) fn comment(&mut self, number: u64, text: &[u8]) {
        self.note(IssueKind::Comment, number, || IssueCause::Comment { found: excerpt_of_bytes(text) });
    }

    /// Notes that rows of a file from this one on say nothing of volume.
    pub(super) fn no_volume(&mut self, number: u64) {
        self.note(IssueKind::NoVolume, number, || IssueCause::NoVolumeColumn);
    }

    /// Leaves out a row that has been counted.
    pub(super) fn bad(&mut self, kind: IssueKind, number: u64, cause: impl FnOnce() -> IssueCause) {
        self.out.rows_bad += 1;
        self.note(kind, number, cause);
    }

    /// Counts a row that gives no candle, for this reason.
    pub(super) fn unread(&mut self, number: u64, error: &RejectedRow<'_>) {
        self.count_row();
        if matches!(error, RejectedRow::NoCandle) {
            self.note(IssueKind::NoCandle, number, || error.cause());
        } else {
            self.bad(IssueKind::BadRow, number, || error.cause());
        }
    }

    /// Counts a row and keeps its candle, if it can be and is of our symbol.
    #[inline]
    pub(super) fn candle(&mut self, number: u64, read: ReadRow, labels: Labels<'_>) {
        let (mut candle, symbol) = (read.candle, labels.symbol);
        if self.passes_over(symbol) {
            return;
        }
        self.count_row();
        match symbol.map(|cell| (self.whose(cell), self.rows)) {
            Some((Whose::Other, _)) => {
                return self.bad(IssueKind::OtherSymbol, number, || IssueCause::OtherSymbol {
                    found: excerpt_of_bytes(symbol.unwrap_or_default()),
                });
            }
            Some((Whose::Nobody, RowSelection::OfTable)) => {
                return self.bad(IssueKind::BadRow, number, || IssueCause::NoSymbol {
                    found: excerpt_of_bytes(symbol.unwrap_or_default()),
                });
            }
            _ => {}
        }
        self.check_constants(number, &labels);
        if read.unfinished {
            self.out.units[read.unit as usize] = true;
            return self.unfinished(number, candle.open_time);
        }
        if candle.check().is_err() && widen_candle(&mut candle) {
            self.note(IssueKind::Widened, number, || IssueCause::Widened((&read.candle).into()));
        }
        if let Err(error) = candle.check() {
            return self.bad(IssueKind::Impossible(error), number, || IssueCause::Impossible {
                fault: error,
                candle: (&candle).into(),
            });
        }
        if read.no_volume {
            self.note(IssueKind::UnknownVolume, number, || IssueCause::NoVolume);
        }
        if candle.open_time < self.time_last {
            let (open_ms, before_ms) = (candle.open_time, self.time_last);
            self.note(IssueKind::OutOfOrder, number, || IssueCause::OutOfOrder { open_ms, before_ms });
        }
        self.time_last = candle.open_time;
        self.out.units[read.unit as usize] = true;
        let line = u32::try_from(number).unwrap_or(u32::MAX);
        let row = CandleRow { candle, file: self.file, line, span_ms: read.span_ms };
        if !self.kept.push(row) {
            self.out.rejected = Some(Rejection::NoRoom);
        }
    }

    /// Notes that the last row of a text ends in the middle, or may do so.
    pub(super) fn cut_short(&mut self, number: u64) {
        self.note(IssueKind::PartialLastLine, number, || IssueCause::NoNewline);
    }

    /// Leaves out a last row that may be cut, and keeps it aside: another file may show that it is whole.
    pub(super) fn doubt(&mut self, number: u64, read: ReadRow, labels: Labels<'_>) {
        if self.passes_over(labels.symbol) {
            return;
        }
        self.cut_short(number);
        let whose = labels.symbol.map(|cell| self.whose(cell));
        let is_ours = match whose {
            Some(Whose::Other) => false,
            Some(Whose::Nobody) => self.rows == RowSelection::Named,
            Some(Whose::Ours) | None => true,
        };
        let mut candle = read.candle;
        let is_sound = candle.check().is_ok() || widen_candle(&mut candle);
        if is_ours && is_sound && !read.unfinished && !read.no_volume {
            let line = u32::try_from(number).unwrap_or(u32::MAX);
            self.out.doubtful = Some(CandleRow { candle, file: self.file, line, span_ms: read.span_ms });
        }
    }

    /// Returns whether a row is of no interest, whatever else stands in it: one of another symbol of a table, or any
    /// row where only symbols are asked for, which are noted.
    #[inline]
    pub(super) fn passes_over(&mut self, symbol: Option<&[u8]>) -> bool {
        match self.rows {
            RowSelection::Named => false,
            RowSelection::OfTable => symbol.is_some_and(|cell| self.whose(cell) == Whose::Other),
            RowSelection::Survey => {
                self.survey(symbol);
                true
            }
        }
    }

    /// Notes a candle that its row calls unfinished.
    fn unfinished(&mut self, number: u64, open_time: i64) {
        let times = &mut self.out.unfinished;
        if times.last() != Some(&open_time) {
            times.push(open_time);
        }
        // The same few candles may be called so again and again.
        if times.len() >= self.unfinished_max {
            times.sort_unstable();
            times.dedup();
            self.unfinished_max = UNFINISHED_MIN.max(2 * times.len());
        }
        let bytes = times.len() as u64 * 8;
        if self.room_bytes.is_some_and(|room| bytes > room) {
            self.out.rejected = Some(Rejection::NoRoom);
        }
        self.note(IssueKind::Unfinished, number, || IssueCause::CalledUnfinished { open_ms: open_time });
    }

    /// Rejects a file whose rows of our symbol are of two exchanges or intervals: they are no series.
    #[inline]
    fn check_constants(&mut self, number: u64, labels: &Labels<'_>) {
        let all = [("exchange", labels.exchange), ("interval", labels.interval)];
        for (known, (column, found)) in self.constants.iter_mut().zip(all) {
            let Some(found) = found.filter(|found| !number::is_nothing(found)) else { continue };
            match known {
                Some(first) if first.eq_ignore_ascii_case(found) => {}
                Some(first) => {
                    let (first, second) = (excerpt_of_bytes(first), excerpt_of_bytes(found));
                    let rejection =
                        Rejection::TwoSeries { column: column.into(), first, second, line: number };
                    self.out.rejected.get_or_insert(rejection);
                }
                None => *known = Some(found.to_owned()),
            }
        }
    }

    fn survey(&mut self, symbol: Option<&[u8]>) {
        self.count_row();
        match symbol {
            None => self.out.rejected = Some(Rejection::NoSymbol),
            Some(cell) if cell != self.cell_last.0 => {
                self.out.symbols.extend(symbol_of(cell));
                self.cell_last.0 = cell.to_vec();
                if self.out.symbols.len() as u64 > TABLE_SYMBOLS_MAX {
                    let (limit, unit) = (TABLE_SYMBOLS_MAX, "symbols in a table");
                    self.out.rejected = Some(Rejection::TooLarge { limit, unit: unit.into() });
                }
            }
            Some(_) => {}
        }
    }

    /// Returns what a cell says; tables change their symbol from row to row, or seldom.
    fn whose(&mut self, cell: &[u8]) -> Whose {
        if self.cell_last.0 != cell {
            let whose = self.cells.get(cell).copied().unwrap_or_else(|| self.judge(cell));
            if self.cells.len() < CELLS_KNOWN_MAX && cell.len() <= CELL_BYTES_MAX {
                self.cells.insert(cell.to_vec(), whose);
            }
            self.cell_last = (cell.to_vec(), whose);
        }
        self.cell_last.1
    }

    /// Beside a name, a cell with only the base currency contradicts nothing.
    fn judge(&self, cell: &[u8]) -> Whose {
        match symbol_of(cell) {
            None => Whose::Nobody,
            Some(symbol) if symbol == *self.symbol => Whose::Ours,
            Some(symbol) if self.rows == RowSelection::Named && self.symbol.has_base(symbol.as_str()) => {
                Whose::Ours
            }
            Some(_) => Whose::Other,
        }
    }
}

/// Returns the symbol that a cell of a symbol column names.
fn symbol_of(cell: &[u8]) -> Option<Symbol> {
    if cell.len() > CELL_BYTES_MAX {
        return None;
    }
    let text = String::from_utf8_lossy(cell);
    Symbol::parse(&text).filter(|symbol| !matches!(symbol.as_str(), "NULL" | "NAN" | "NONE"))
}

/// Returns the milliseconds to a close time; one written in whole seconds counts to the end of its second.
pub(super) fn span(open_time: i64, close: i64, unit: TimeUnit) -> Option<u32> {
    let to_second_end = if matches!(unit, TimeUnit::Seconds | TimeUnit::Text) { 999 } else { 0 };
    let span = (close - open_time + to_second_end).clamp(0, i64::from(u32::MAX));
    u32::try_from(span).ok()
}

/// Widens high and low to an open or close that lies outside by a tick; returns whether that makes the candle possible.
///
/// A tick is one unit of the last digit that the candle's prices are written with, at least 0.01 % and at most 0.2 % of
/// the price.
fn widen_candle(candle: &mut Candle) -> bool {
    let Candle { open, high, low, close, .. } = *candle;
    let prices = [open, high, low, close];
    if !prices.iter().all(|price| price.is_finite() && *price > 0.0) || high < low {
        return false;
    }
    let tick = prices.iter().map(|price| decimals_of(*price)).max().map_or(0.0, |count| 0.1_f64.powi(count));
    let tolerance = (EDGE_TOLERANCE * high).max(tick.min(EDGE_TICK_MAX * high)) * (1.0 + 1e-9);
    let (top, bottom) = (open.max(close), open.min(close));
    if top - high > tolerance || low - bottom > tolerance {
        return false;
    }
    (candle.high, candle.low) = (high.max(top), low.min(bottom));
    candle.check().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(open: f64, high: f64, low: f64, close: f64) -> Candle {
        Candle { open_time: 0, open, high, low, close, volume: 1.0 }
    }

    #[test]
    fn a_tick_outside_is_rounding_and_more_is_not() {
        for (kept, edges) in [
            (candle(60_000.01, 60_000.0, 59_000.0, 59_500.0), (60_000.01, 59_000.0)),
            (candle(0.000_008_61, 0.000_008_7, 0.000_008_62, 0.000_008_65), (0.000_008_7, 0.000_008_61)),
            (candle(10.0, 10.2, 10.0, 10.201), (10.201, 10.0)),
            (candle(3.0, 3.0, 3.001, 3.001), (0.0, 0.0)),
        ] {
            let mut wide = kept;
            let possible = widen_candle(&mut wide);
            assert_eq!(possible, edges.0 > 0.0, "{kept:?}");
            if possible {
                assert_eq!(
                    (wide.high, wide.low, wide.open, wide.close),
                    (edges.0, edges.1, kept.open, kept.close)
                );
            }
        }
        for beyond in [
            candle(60_010.0, 60_000.0, 59_000.0, 59_500.5),
            candle(10.0, 10.2, 10.0, 10.3),
            candle(1.0, 2.0, 1.1, 1.5),
            candle(f64::NAN, 2.0, 1.0, 1.5),
        ] {
            let mut same = beyond;
            assert!(!widen_candle(&mut same), "{beyond:?}");
        }
    }
}
