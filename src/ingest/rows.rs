//! Rows of candles from lines: nothing is known of the file but its symbol.

use std::io::Read;

use super::ReadingOptions;
use super::cause::IssueCause;
use super::collector::{Collector, Hints, Labels, Parsed, ReadRow, RejectedRow, span};
use super::columns::{self, CandleColumns, TimeColumn};
use super::ending::Endings;
use super::evidence::ColumnEvidence;
use super::layout::{self, Field, FileLayout, Heading, LineKind, cell};
use super::lines::{LineReader, RawLine, StreamError};
use super::number;
use super::rejection::Rejection;
use super::report::{IssueKind, excerpt_of_bytes};
use super::time::{DatesSay, LocalClock};
use crate::model::Candle;

/// How many lines that are neither header nor row may stand on top.
const PREAMBLE_LINES_MAX: u64 = 20;
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

    /// Takes a line before it is known what columns hold.
    fn above_rows(&mut self, number: u64, text: &[u8], ended: bool) {
        let first_line = self.first.get_or_insert_with(|| (number, excerpt_of_bytes(text))).0;
        let kind = layout::kind(text, &mut self.clock.clone(), self.collector.symbol);
        let has_heading = !self.heading.is_empty();
        match kind {
            LineKind::Row(_) | LineKind::Numbers if has_heading => self.end_heading(number, text, ended),
            LineKind::Row(separator) => self.begin_without_header(number, text, separator, ended),
            LineKind::Numbers if self.reading.columns.is_some() => {
                self.begin_without_header(number, text, layout::separator_of(text), ended);
            }
            LineKind::Names if has_heading && self.names_nothing(text) && self.heading_is_whole() => {
                self.end_heading(number, text, ended);
            }
            LineKind::Names => self.heading.push(number, text),
            _ if number >= PREAMBLE_LINES_MAX + first_line => {
                let rejection = self.no_header();
                self.reject(rejection);
            }
            LineKind::Numbers => {
                self.collector.count_row();
                self.collector
                    .bad(IssueKind::BadRow, number, || IssueCause::NoRow { found: excerpt_of_bytes(text) });
            }
            LineKind::Other => self.collector.comment(number, text),
        }
    }

    fn names_nothing(&self, text: &[u8]) -> bool {
        let cells = layout::cells_of(text, layout::separator_of(text));
        let names: Vec<_> = cells.iter().map(|cell| String::from_utf8_lossy(cell)).collect();
        !columns::any_known(&names, self.collector.symbol)
    }

    fn heading_is_whole(&self) -> bool {
        self.heading.layout(self.collector.symbol).is_ok()
    }

    /// Returns why nothing of a file that shows no row is used.
    fn no_header(&self) -> Rejection {
        if !self.heading.is_empty() {
            return self.heading.layout(self.collector.symbol).err().unwrap_or(Rejection::NoRows);
        }
        let (line, found) = self.first.clone().unwrap_or_default();
        Rejection::NoHeader { line, found }
    }

    /// Takes the first row below a header, which says what columns hold.
    fn end_heading(&mut self, number: u64, text: &[u8], ended: bool) {
        match (self.heading.layout(self.collector.symbol), &self.reading.columns) {
            (Ok(layout), _) => {
                self.settle(layout, number);
                self.row(number, text, ended);
            }
            // What a header does not say, the user does.
            (Err(Rejection::UnknownNames { .. }), Some(_)) => {
                self.begin_without_header(number, text, layout::separator_of(text), ended);
            }
            (Err(rejection), _) => self.reject(rejection),
        }
    }

    /// Takes the first row of a file without a header.
    fn begin_without_header(&mut self, number: u64, text: &[u8], separator: u8, ended: bool) {
        let fields = layout::cells_of(text, separator).len();
        if let Some(stated) = &self.reading.columns {
            if stated.count != fields {
                return self.reject(Rejection::OtherColumns {
                    line: number,
                    expected: stated.count,
                    found: fields,
                });
            }
            self.settle(FileLayout { separator, fields, columns: stated.columns.clone() }, number);
            return self.row(number, text, ended);
        }
        // A first row that is cut in the middle looks like a whole one of fewer columns; from eight columns on, those
        // that are read are whole.
        if !ended && fields < 8 {
            return self.collector.note(IssueKind::PartialLastLine, number, || IssueCause::CutOnlyRow);
        }
        let mut layout = layout::by_position(fields, separator);
        if let Some(columns) = &self.hints.columns {
            layout.columns.clone_from(columns);
        }
        self.evidence = Some(ColumnEvidence::new(number, fields));
        self.settle(layout, number);
        self.row(number, text, ended);
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

#[inline]
fn read_row<'a>(
    layout: &FileLayout,
    text: &'a [u8],
    fields: &[Field],
    clock: &mut LocalClock,
) -> Result<ReadRow, RejectedRow<'a>> {
    let expected = layout.fields;
    let found = fields.len();
    let one_empty_more = found == expected + 1 && cell(text, fields[expected]).is_empty();
    if found != expected && !one_empty_more {
        return Err(RejectedRow::Fields { expected, found });
    }
    read_cells(&layout.columns, |column| cell(text, fields[column]), clock)
}

/// Reads the cells of a row.
#[inline]
fn read_cells<'a>(
    columns: &CandleColumns,
    at: impl Fn(usize) -> &'a [u8],
    clock: &mut LocalClock,
) -> Result<ReadRow, RejectedRow<'a>> {
    let (time, found) = match columns.time {
        TimeColumn::Open(place) | TimeColumn::Close(place) => (clock.parse(at(place)), at(place)),
        TimeColumn::DateAndTime(date, time) => (clock.joined(at(date), at(time)), at(time)),
    };
    let (open_time, unit) = time.map_err(|error| RejectedRow::Time { error, found })?;
    let prices =
        [("open", columns.open), ("high", columns.high), ("low", columns.low), ("close", columns.close)];
    let mut values = [0.0; 4];
    for (value, (name, place)) in values.iter_mut().zip(prices) {
        let found = at(place);
        *value = number::parse_number(found).unwrap_or(f64::NAN);
        if value.is_nan() {
            let no_candle = || prices.into_iter().all(|(_, place)| number::is_nothing(at(place)));
            if number::parse_number(found).is_none() || no_candle() {
                let no_candle = number::is_nothing(found) && no_candle();
                return Err(if no_candle {
                    RejectedRow::NoCandle
                } else {
                    RejectedRow::Number { column: name, found }
                });
            }
        }
    }
    let [open, high, low, close] = values;
    let (volume, no_volume) = match columns.volume.map(&at) {
        None => (0.0, false),
        Some(found) => match number::parse_number(found).filter(|volume| !volume.is_nan()) {
            Some(volume) => (volume, false),
            None if number::is_nothing(found) => (0.0, true),
            None => return Err(RejectedRow::Number { column: "volume", found }),
        },
    };
    let unfinished = match columns.closed.map(&at) {
        None => false,
        Some(found) => !number::parse_flag(found).ok_or(RejectedRow::Flag { found })?,
    };
    let span_ms = columns.close_time.and_then(|column| {
        let (close, unit) = clock.parse(at(column)).ok()?;
        span(open_time, close, unit)
    });
    let candle = Candle { open_time, open, high, low, close, volume };
    Ok(ReadRow { candle, unit, span_ms, unfinished, no_volume })
}

#[cfg(test)]
mod tests {
    use super::super::format::{self, RowContext};
    use super::*;
    use crate::model::Symbol;
    use proptest::prelude::*;

    const HEADER: &str = "open_time,open,high,low,close,volume";
    const ROW: &str = "1743700500000,10,12,9,11,5";

    fn parsed(text: impl AsRef<[u8]>) -> Parsed {
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        let mut bytes = text.as_ref();
        format::parse_stream(&mut bytes, 1 << 20, Collector::new(&symbol, 0), &RowContext::default())
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
            format!("{HEADER}\n\n  \n{ROW}\n"),
            format!("{HEADER},\n{ROW},\n"),
            format!("{HEADER}\n{ROW},\n"),
            "Price,Close,High,Low,Open,Volume\nTicker,BTC-USDT,BTC-USDT,BTC-USDT,BTC-USDT,BTC-USDT\nDatetime,,,,,\n2025-04-03 17:15:00+00:00,11,12,9,10,5\n"
                .to_owned(),
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>\n2025.04.03\t17:15:00\t10\t12\t9\t11\t5\n"
                .to_owned(),
            "Datum;Uhrzeit;Eröffnung;Hoch;Tief;Schluss;Volumen\n03.04.2025;17:15;10;12;9;11;5\n".to_owned(),
            ",open,high,low,close,volume\ntimestamp,,,,,\n1743700500,10,12,9,11,5\n".to_owned(),
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
            parsed.issues[1].cause.to_string(),
            "open time: expected seconds, milliseconds, microseconds, nanoseconds or text like \
             `2025-01-31 17:15:00`, found \"NULL\""
        );
    }

    #[test]
    fn a_last_row_without_a_newline_counts_only_where_it_is_whole() {
        const ALL: &str = "10,12,9,11";
        let time = |index: i64| 1_743_700_500_000 + index * 900_000;
        let fixed: String =
            (0..100).map(|index| format!("{},{ALL},{index}.12345678\n", time(index))).collect();
        let (next, close) = (time(100), time(101) - 1);
        for (text, counts) in [
            (format!("{HEADER}\n{ROW}\n{next},{ALL},5"), false),
            (format!("{HEADER}\n{ROW}\n{next},{ALL},5\r"), true),
            (format!("{HEADER}\n{ROW}\n{next},{ALL},5,"), true),
            (format!("{HEADER}\n{ROW}\n{next},{ALL},5 "), true),
            (format!("{HEADER}\n{ROW}\n{next},{ALL},"), false),
            (format!("{HEADER}\n{ROW}\n{next},{ALL},x"), false),
            (format!("{HEADER}\n{ROW}\n{next},{ALL},\"5\""), true),
            (format!("{HEADER}\n{ROW}\n{next},{ALL},\"5"), false),
            (format!("{HEADER}\n{fixed}{next},{ALL},5.00000000"), true),
            (format!("{HEADER}\n{fixed}{next},{ALL},5.0000000"), false),
            (format!("{HEADER},turnover\n{ROW},7\n{next},{ALL},5,7"), true),
            (format!("{HEADER},symbol\n{ROW},BTCUSDT\n{next},{ALL},5,BTCUSDT"), false),
            (format!("{HEADER},close_time\n{ROW},1743701399999\n{next},{ALL},5,{close}"), false),
            (format!("{HEADER},confirm\n{ROW},1\n{next},{ALL},5,1"), false),
            (format!("open,high,low,close,volume,time\n{ALL},5,1743700500\n{ALL},5,1743790500"), false),
        ] {
            let parsed = parsed(&text);
            let before = if text.contains(&fixed) { 100 } else { 1 };
            assert_eq!(parsed.rejected, None, "{text:?}");
            assert_eq!(parsed.rows.len(), before + usize::from(counts), "{text:?}");
            let told = kinds(&parsed).iter().any(|(kind, ..)| *kind == IssueKind::PartialLastLine);
            assert_eq!((told, parsed.rows_bad), (!counts, 0), "{text:?}");
        }
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
            Some(Rejection::UnprovenColumns {
                line: 1,
                columns: 8,
                rows: 1,
                why: "which prices are the high and the low".into()
            })
        );
        let words = "\na b c\nd e f\n".repeat(30);
        assert_eq!(rejected(&words), Some(Rejection::NoHeader { line: 2, found: "a b c".to_owned() }));
    }

    #[test]
    fn rows_say_themselves_what_they_lack() {
        let header = "open_time,open,high,low,close,volume,confirm,exchange";
        let row = |minute: i64, rest: &str| format!("{},{rest}\n", 1_743_700_500 + minute * 60);
        let rows = [
            row(0, "10,12,9,11,,1,binance"),
            row(15, "10,12,9,11,NaN,true,Binance"),
            row(30, "NaN,,null,,5,1,binance"),
            row(45, "10,12,9,12.001,5,1,"),
            row(60, "10,12,9,11,5,maybe,binance"),
            row(75, "10,12,9,11,5,0,binance"),
        ];
        let read = parsed(format!("{header}\n{}", rows.concat()));
        assert_eq!((&read.rejected, read.rows.len(), read.rows_seen, read.rows_bad), (&None, 3, 6, 1));
        assert_eq!((read.rows[0].candle.volume, read.rows[2].candle.high), (0.0, 12.001));
        assert_eq!(read.unfinished, [1_743_705_000_000]);
        let expected = [
            (IssueKind::UnknownVolume, 2, vec![2, 3]),
            (IssueKind::NoCandle, 1, vec![4]),
            (IssueKind::Widened, 1, vec![5]),
            (IssueKind::BadRow, 1, vec![6]),
            (IssueKind::Unfinished, 1, vec![7]),
        ];
        assert_eq!(kinds(&read), expected);
        let two = parsed(format!("{header}\n{}{}", rows[0], row(90, "10,12,9,11,5,1,okx")));
        let first = "binance".to_owned();
        let rejection =
            Rejection::TwoSeries { column: "exchange".into(), first, second: "okx".to_owned(), line: 3 };
        assert_eq!(two.rejected, Some(rejection));
    }

    #[test]
    fn a_header_that_is_not_understood_is_never_read_past() {
        let fault =
            |text: &str| parsed(text).rejected.map(|rejection| rejection.to_string()).unwrap_or_default();
        for header in [
            "a,b,d,e,f,g",
            "Price,Close,High,Low,Open,Volume",
            "time,open,high,low,price,volume",
            "x y,1a,2b,3c,4d,5e",
        ] {
            let text = format!("{header}\n{}", format!("{ROW}\n").repeat(9));
            assert!(
                fault(&text)
                    .starts_with("expected columns for open_time, open, high, low and close, found no"),
                "{header}: {}",
                fault(&text)
            );
            assert!(fault(&text).ends_with("or say what they hold by `[data] columns = [...]`"));
        }
        let between = fault(&format!("{HEADER}\n{ROW}\nPrice,Close,High,Low,Open,Volume\n{ROW}\n"));
        assert!(between.contains("the header in line 3"), "{between}");
        let spaced = fault(&format!("time open high low close volume\n{}", format!("{ROW}\n").repeat(9)));
        assert!(spaced.contains("found no column"), "{spaced}");
    }

    #[test]
    fn close_times_in_seconds_count_to_the_end_of_the_second() {
        let span = |close: &str| {
            let (close, unit) = LocalClock::default().parse(close.as_bytes()).ok()?;
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
            prop_assert!(parsed.rows.len() as u64 + parsed.rows_bad <= parsed.rows_seen);
        }

        #[test]
        fn any_text_like_candles_is_survived(
            header in proptest::bool::ANY,
            text in "([0-9]{10}(000)?[,;|\"][-.0-9eEN,\"]{0,30}[\r\n#]|open_time,open,high,low,close\n|1743700500,1,2,1,[12],[0-9]\n){0,40}",
        ) {
            let text = if header { format!("{HEADER}\n{text}") } else { text };
            let parsed = parsed(&text);
            prop_assert!(parsed.rows.iter().all(|row| row.candle.check().is_ok()));
            prop_assert!(parsed.rows.len() as u64 + parsed.rows_bad <= parsed.rows_seen);
        }
    }
}
