//! Rows of candles from lines: nothing is known of the file but its symbol.

mod above;
mod cells;

use std::io::Read;

use self::cells::read_row;
use super::ReadingOptions;
use super::cause::IssueCause;
use super::collector::{Collector, Hints, Labels, Parsed};
use super::columns::{self, CandleColumns, TimeColumn};
use super::ending::Endings;
use super::evidence::ColumnEvidence;
use super::layout::{self, Field, FileLayout, Heading, cell};
use super::lines::{LineReader, RawLine, StreamError};
use super::rejection::Rejection;
use super::report::IssueKind;
use super::time::{DatesSay, LocalClock};

/// The longest line between rows that may be a header.
const HEADER_BYTES_MAX: usize = 4096;

/// Reads the rows of CSV until its end, or until it is known to be of no use.
///
/// Errors: only what the stream itself reports; whatever its bytes are, they give rows or a rejection.
pub(super) fn parse_rows(
    lines: &mut LineReader<impl Read>,
    collector: Collector<'_>,
    reading: &ReadingOptions,
    hints: &Hints,
) -> Result<Parsed, StreamError> {
    let mut parser = Parser::new(collector, reading, hints);
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
    reading: &'a ReadingOptions,
    hints: &'a Hints,
    layout: Option<FileLayout>,
    /// What the rows show where no header says what they hold.
    evidence: Option<ColumnEvidence>,
    heading: Heading,
    clock: LocalClock,
    /// Line number and text of the first line that is not blank.
    first: Option<(u64, String)>,
    fields: Vec<Field>,
    endings: Endings,
}

impl<'a> Parser<'a> {
    pub(super) fn new(collector: Collector<'a>, reading: &'a ReadingOptions, hints: &'a Hints) -> Self {
        Self {
            collector,
            reading,
            hints,
            layout: None,
            evidence: None,
            heading: Heading::default(),
            clock: LocalClock::new(reading.timezone.clone(), hints.day_first),
            first: None,
            fields: Vec::new(),
            endings: Endings::default(),
        }
    }

    /// Returns whether the file is known to be of no use.
    pub(super) fn is_done(&self) -> bool {
        self.collector.out.rejected.is_some()
    }

    /// Rejects the file, if that has not been done before.
    pub(super) fn reject(&mut self, rejection: Rejection) {
        self.collector.out.rejected.get_or_insert(rejection);
    }

    /// Notes that the last row ends in the middle.
    pub(super) fn cut_short(&mut self, number: u64) {
        self.collector.note(IssueKind::PartialLastLine, number, || IssueCause::CutRow);
    }

    /// Returns the last cell of the row that was split last, if a row of these columns ends with it and it is read; with
    /// its place.
    #[inline]
    fn last_read<'t>(&self, text: &'t [u8], layout: &FileLayout) -> Option<(usize, &'t [u8])> {
        let place = self.fields.len().checked_sub(1).filter(|place| place + 1 == layout.fields)?;
        let (start, end) = self.fields[place];
        let is_read = layout.columns.places().contains(&place);
        is_read.then(|| (place, &text[start as usize..end as usize]))
    }

    pub(super) fn line(&mut self, number: u64, line: &RawLine<'_>) {
        let (text, ended) = match line {
            RawLine::Whole(text) => (*text, true),
            RawLine::Unended(text) => (*text, false),
            RawLine::TooLong => {
                self.collector.count_row();
                self.collector.bad(IssueKind::BadRow, number, || IssueCause::LineTooLong);
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
            self.above_rows(number, text, ended);
        }
    }

    fn settle(&mut self, layout: FileLayout, number: u64) {
        if layout.columns.volume.is_none() {
            self.collector.no_volume(number);
        }
        self.collector.out.close_times = matches!(layout.columns.time, TimeColumn::Close(_));
        self.layout = Some(layout);
    }

    /// Takes one row, or a header in between that changes the layout of the rows that follow.
    fn row(&mut self, number: u64, text: &[u8], ended: bool) {
        let Some(layout) = &self.layout else { return };
        layout::split_fields(text, layout.separator, &mut self.fields);
        let doubtful = if ended {
            None
        } else {
            self.last_read(text, layout).filter(|(_, cell)| !self.endings.is_whole(cell))
        };
        let error = match read_row(layout, text, &self.fields, &mut self.clock) {
            Ok(read) => {
                // A row may be shorter than the one that the columns were found in.
                let at = |column: usize| self.fields.get(column).map_or(&b""[..], |field| cell(text, *field));
                if let Some(evidence) = self.evidence.as_mut().filter(|_| doubtful.is_none()) {
                    evidence.take_in(read.candle.open_time, read.span_ms, at);
                }
                let CandleColumns { symbol, exchange, interval, .. } = layout.columns;
                let labels =
                    Labels { symbol: symbol.map(at), exchange: exchange.map(at), interval: interval.map(at) };
                return match doubtful {
                    Some((place, _)) if layout.columns.is_label(place) => self.collector.cut_short(number),
                    Some(_) => self.collector.doubt(number, read, labels),
                    None => {
                        let last = self.fields.last().map_or(0, |field| field.0);
                        self.endings.take_in(&text[last as usize..]);
                        self.collector.candle(number, read, labels)
                    }
                };
            }
            Err(error) => error,
        };
        if !ended && self.fields.len() < layout.fields {
            return self.collector.note(IssueKind::PartialLastLine, number, || error.cause());
        }
        if self.fields.len() >= 5 && text.len() <= HEADER_BYTES_MAX {
            match self.header_between(text, layout) {
                Between::Row => {}
                Between::Repeated => return self.collector.comment(number, text),
                Between::Header(next) => {
                    self.collector.comment(number, text);
                    return self.settle(next, number);
                }
                Between::Unknown => {
                    let mut heading = Heading::default();
                    heading.push(number, text);
                    let rejection = heading.layout(self.collector.symbol).err().unwrap_or(Rejection::NoRows);
                    return self.reject(rejection);
                }
            }
        }
        if doubtful.is_some() {
            return self.collector.note(IssueKind::PartialLastLine, number, || error.cause());
        }
        let whole = self.fields.len() == layout.fields;
        let symbol = layout.columns.symbol.filter(|_| whole).map(|column| cell(text, self.fields[column]));
        if self.collector.passes_over(symbol) {
            return;
        }
        self.collector.unread(number, &error);
    }

    /// Returns what a line between rows is that is no row.
    fn header_between(&self, text: &[u8], layout: &FileLayout) -> Between {
        if self.heading.repeats(text) {
            return Between::Repeated;
        }
        if let Ok(next) = layout::header_layout(text, layout.separator, self.collector.symbol) {
            let other_times =
                matches!(next.columns.time, TimeColumn::Close(_)) != self.collector.out.close_times;
            return if other_times { Between::Unknown } else { Between::Header(next) };
        }
        let names: Vec<_> =
            self.fields.iter().map(|field| String::from_utf8_lossy(cell(text, *field))).collect();
        // What follows such a line would be read by the columns of another table.
        if columns::prices_known(&names, self.collector.symbol) >= 3 {
            Between::Unknown
        } else {
            Between::Row
        }
    }

    pub(super) fn finish(mut self) -> Parsed {
        if !self.is_done() {
            let cut = self.collector.out.issues.iter().any(|issue| issue.kind == IssueKind::PartialLastLine);
            let rejected = match (&self.layout, &self.first) {
                (None, Some(_)) if cut => Some(Rejection::NoRows),
                (None, None) => Some(Rejection::Empty),
                (None, Some(_)) => Some(self.no_header()),
                (Some(_), _) if self.collector.out.rows_seen == 0 => Some(Rejection::NoRows),
                (Some(_), _) => self.weigh().err(),
            };
            self.collector.out.rejected = rejected;
        }
        self.collector.finish()
    }

    /// Asks all rows whether they were read rightly.
    fn weigh(&mut self) -> Result<(), Rejection> {
        let ambiguous = |found: &'static str| Err(Rejection::AmbiguousDates { found: found.into() });
        match self.clock.dates_say() {
            DatesSay::Settled => {}
            DatesSay::DayFirst => {
                // Steps between wrong times show nothing.
                self.collector.out.again = Some(Hints { day_first: true, ..self.hints.clone() });
                return Ok(());
            }
            DatesSay::Nothing => {
                return ambiguous("only such as 1/2/2025, which may be day and month or month and day");
            }
            DatesSay::Both => return ambiguous("days first in some rows and months first in others"),
        }
        let mut again = self.hints.clone();
        if let (Some(evidence), Some(layout)) = (&self.evidence, &self.layout)
            && evidence.rows() > 0
        {
            let shown = evidence.settle()?;
            if shown != layout.columns || self.hints.columns.is_some() {
                again.columns = Some(shown);
            }
        }
        if again != *self.hints {
            self.collector.out.again = Some(again);
        } else if let Some(columns) = &again.columns {
            self.note_order(columns);
        }
        Ok(())
    }

    /// Notes that rows without a header are in another order than most write them.
    fn note_order(&mut self, columns: &CandleColumns) {
        let CandleColumns { open, high, low, close, .. } = columns;
        if [*open, *high, *low, *close] != [1, 2, 3, 4] {
            self.collector.note(IssueKind::ColumnOrder, 1, || {
                let mut order = [(*open, "open"), (*high, "high"), (*low, "low"), (*close, "close")];
                order.sort_unstable();
                IssueCause::ColumnOrder { order: order.map(|(_, name)| name.into()).to_vec() }
            });
        }
    }
}

/// A line between rows that is no row.
enum Between {
    /// A row that cannot be read.
    Row,
    /// The header once more.
    Repeated,
    Header(FileLayout),
    /// A header that is not understood.
    Unknown,
}

#[cfg(test)]
mod tests;
