//! Market snapshots of the legacy system: CSV files of a day with a row per coin and quarter of an hour.
//!
//! Two writers append to the same files: the exporter (114 columns) and the live system (91 of them in another order),
//! not always with a header of their own. Rows are told apart by their number of fields; columns are found by name, or
//! where both writers put them. Only what makes a candle is read: everything else in a row was computed from candles.
//!
//! Times are of the day (`0930`, often with its leading zeros lost: `45` is 00:45), taken as UTC; the day stands in
//! the name of the file or in a column `snapshot_date`. A coin is traded against USDT unless it names another market.

use std::collections::BTreeSet;
use std::io::Read;

use super::cause::IssueCause;
use super::collector::{Collector, Labels, Parsed, ReadRow, RejectedRow};
use super::ending::Endings;
use super::layout::{Field, cell, list_names, split_fields};
use super::limits::TABLE_SYMBOLS_MAX;
use super::lines::{LineReader, RawLine, StreamError};
use super::rejection::Rejection;
use super::report::{IssueKind, note};
use super::time::TimeUnit;
use super::{number, time};
use crate::model::{Candle, Interval, MINUTE_MS, Symbol};

/// The candles that snapshots are taken of.
pub(super) const INTERVAL: Interval = Interval::M15;
/// Fields of a row by the exporter, and by the live system.
const WRITERS: [(usize, &str); 2] = [(114, "the exporter"), (91, "the live writer")];
/// The currency that coins are traded against.
const QUOTE: &str = "USDT";
/// The most rows of one coin and time: its candle at so many moments.
const MOMENTS_MAX: usize = 1_000;
/// Ends of names that are markets already.
const QUOTES: [&str; 4] = ["USDT", "USDC", "BUSD", "USD"];

/// Where the columns are; indexes count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SnapshotColumns {
    fields: usize,
    time: usize,
    coin: usize,
    date: Option<usize>,
    prices: [usize; 4],
    volume: Option<usize>,
}

impl SnapshotColumns {
    /// Returns the columns of a writer, `None` for a number of fields that neither writes.
    fn of_writer(fields: usize) -> Option<Self> {
        let known = WRITERS.iter().any(|(count, _)| *count == fields);
        known.then_some(Self { fields, time: 0, coin: 1, date: None, prices: [2, 3, 4, 5], volume: Some(6) })
    }

    /// Returns whether a row that no newline ends may be cut in a cell that is read.
    fn may_be_cut(&self, text: &[u8], fields: &[Field]) -> bool {
        let last = self.fields.saturating_sub(1);
        let others = [Some(self.time), Some(self.coin), self.date, self.volume];
        let is_read = self.prices.contains(&last) || others.contains(&Some(last));
        is_read
            && fields.get(last).is_some_and(|(start, end)| {
                !Endings::default().is_whole(&text[*start as usize..*end as usize])
            })
    }

    /// Returns the columns that a header names; `None` for a line that is no header of snapshots.
    fn of_header(names: &[String]) -> Option<Result<Self, Rejection>> {
        let find = |name: &str| names.iter().position(|other| other == name);
        let (time, coin) = (find("time")?, find("coin")?);
        let prices = ["open", "high", "low", "close"].map(find);
        let [Some(open), Some(high), Some(low), Some(close)] = prices else {
            return Some(Err(Rejection::MissingColumns {
                expected: "time, coin, open, high, low, close".to_owned(),
                found: list_names(names),
            }));
        };
        let date = find("snapshot_date").or_else(|| find("date"));
        let prices = [open, high, low, close];
        Some(Ok(Self { fields: names.len(), time, coin, date, prices, volume: find("volume") }))
    }
}

/// Returns whether text begins as snapshots do: with a header that has `time` and `coin`, or with a row of a writer.
pub(super) fn is_snapshots(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut fields = Vec::new();
    split_fields(line, b',', &mut fields);
    if SnapshotColumns::of_header(&names(line, &fields)).is_some() {
        return true;
    }
    let Some(columns) = SnapshotColumns::of_writer(fields.len()) else { return false };
    let at = |column: usize| cell(line, fields[column]);
    clock_ms(at(columns.time)).is_some()
        && columns.prices.iter().all(|p| number::parse_number(at(*p)).is_some())
}

fn names(line: &[u8], fields: &[Field]) -> Vec<String> {
    fields.iter().map(|field| String::from_utf8_lossy(cell(line, *field)).to_ascii_lowercase()).collect()
}

/// What a line is.
enum SnapshotLine<'a> {
    Blank,
    /// A header, and whether it was the first line.
    Header(bool),
    /// A row; with the writer's name where it is not the one of the header.
    Row(SnapshotColumns, Option<&'static str>),
    Bad(RejectedRow<'a>),
    Rejected(Rejection),
}

/// Tells headers and rows of either writer apart, line by line.
#[derive(Default)]
struct SnapshotWalk {
    columns: Option<SnapshotColumns>,
    fields: Vec<Field>,
}

impl SnapshotWalk {
    /// Returns whether a row's columns stand elsewhere than those of the header: then it may be a cut row of that one.
    fn reads_otherwise(&self, columns: &SnapshotColumns) -> bool {
        self.columns.is_some_and(|own| SnapshotColumns { fields: columns.fields, ..own } != *columns)
    }

    fn see<'a>(&mut self, line: &'a [u8]) -> SnapshotLine<'a> {
        if line.trim_ascii().is_empty() {
            return SnapshotLine::Blank;
        }
        split_fields(line, b',', &mut self.fields);
        let found = self.fields.len();
        // A header stands on top or begins with a word.
        let may_be_header = self.columns.is_none() || line.first().is_some_and(u8::is_ascii_alphabetic);
        if may_be_header && let Some(header) = SnapshotColumns::of_header(&names(line, &self.fields)) {
            let first = self.columns.is_none();
            return match header {
                Ok(columns) => {
                    self.columns = Some(columns);
                    SnapshotLine::Header(first)
                }
                Err(rejection) => SnapshotLine::Rejected(rejection),
            };
        }
        if let Some(columns) = self.columns.filter(|columns| columns.fields == found) {
            return SnapshotLine::Row(columns, None);
        }
        let expected = self.columns.map_or(WRITERS[0].0, |columns| columns.fields);
        let Some(columns) = SnapshotColumns::of_writer(found) else {
            return SnapshotLine::Bad(RejectedRow::Fields { expected, found });
        };
        let by_other = self.columns.is_some();
        self.columns.get_or_insert(columns);
        let writer = WRITERS.iter().find(|(count, _)| *count == found).map(|(_, name)| *name);
        SnapshotLine::Row(columns, writer.filter(|_| by_other))
    }
}

/// Returns the market of a coin, `None` for a cell that names none.
fn market_of_coin(cell: &[u8]) -> Option<Symbol> {
    let coin = std::str::from_utf8(cell).ok()?;
    let symbol = Symbol::parse(coin)?;
    let name = symbol.as_str();
    let is_market = QUOTES.iter().any(|quote| name.len() > quote.len() && name.ends_with(quote));
    if is_market { Some(symbol) } else { Symbol::parse(&format!("{name}{QUOTE}")) }
}

/// Returns the markets that a stream of snapshots has rows of.
pub(super) fn markets_of_stream(
    stream: &mut dyn Read,
    bytes_max: u64,
) -> Result<Result<BTreeSet<Symbol>, Rejection>, StreamError> {
    let mut lines = LineReader::new(stream, bytes_max);
    let mut walk = SnapshotWalk::default();
    let (mut found, mut last): (BTreeSet<Symbol>, Vec<u8>) = (BTreeSet::new(), Vec::new());
    let head = lines.peek()?;
    let byte_order_mark = if head.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    lines.skip(byte_order_mark);
    while let Some((_, line)) = lines.next_line()? {
        let (RawLine::Whole(text) | RawLine::Unended(text)) = line else { continue };
        match walk.see(text) {
            SnapshotLine::Row(columns, _) => {
                let coin = cell(text, walk.fields[columns.coin]);
                if coin == last.as_slice() {
                    continue;
                }
                last = coin.to_vec();
                found.extend(market_of_coin(coin));
                if found.len() as u64 > TABLE_SYMBOLS_MAX {
                    return Ok(Err(Rejection::TooLarge { limit: TABLE_SYMBOLS_MAX, unit: "coins".into() }));
                }
            }
            SnapshotLine::Rejected(rejection) => return Ok(Err(rejection)),
            SnapshotLine::Blank | SnapshotLine::Header(_) | SnapshotLine::Bad(_) => {}
        }
    }
    Ok(Ok(found))
}

/// Reads the rows of one market; those of others are skipped without a word.
///
/// `day_ms` is the midnight of the day in the name, in UTC milliseconds.
/// Errors: only what the stream itself reports
pub(super) fn parse_snapshot_rows(
    lines: &mut LineReader<impl Read>,
    mut collector: Collector<'_>,
    day_ms: Option<i64>,
) -> Result<Parsed, StreamError> {
    // Rows of one time may be one candle at several moments.
    collector.keep_all_that_differ();
    let mut walk = SnapshotWalk::default();
    while collector.out.rejected.is_none() {
        let Some((number, line)) = lines.next_line()? else { break };
        let (text, ended) = match line {
            RawLine::Whole(text) => (text, true),
            RawLine::Unended(text) => (text, false),
            RawLine::TooLong => (&b"a line beyond 64 KiB"[..], true),
        };
        match walk.see(text) {
            SnapshotLine::Blank | SnapshotLine::Header(true) => {}
            SnapshotLine::Header(false) => collector.comment(number, text),
            SnapshotLine::Rejected(rejection) => collector.out.rejected = Some(rejection),
            SnapshotLine::Bad(error) if !ended => {
                collector.note(IssueKind::PartialLastLine, number, || error.cause());
            }
            SnapshotLine::Bad(error) => {
                collector.count_row();
                collector.bad(IssueKind::BadRow, number, || error.cause());
            }
            // Cut anywhere, it may look like a row of another writer, or of another number.
            SnapshotLine::Row(columns, _)
                if !ended && (walk.reads_otherwise(&columns) || columns.may_be_cut(text, &walk.fields)) =>
            {
                let coin = cell(text, walk.fields[columns.coin]);
                if market_of_coin(coin).as_ref() == Some(collector.symbol)
                    || columns.coin + 1 == columns.fields
                {
                    collector.cut_short(number);
                }
            }
            SnapshotLine::Row(columns, other) => {
                let at = |column: usize| cell(text, walk.fields[column]);
                if market_of_coin(at(columns.coin)).as_ref() != Some(collector.symbol) {
                    continue;
                }
                if let Some(writer) = other {
                    collector.note(IssueKind::OtherLayout, number, || IssueCause::OtherLayout {
                        fields: columns.fields as u64,
                        writer: writer.into(),
                    });
                }
                if columns.volume.is_none() {
                    collector.no_volume(number);
                }
                match read_row(&columns, at, day_ms) {
                    Ok(read) => collector.candle(number, read, Labels::default()),
                    Err(RowFault::NoDate) => collector.out.rejected = Some(Rejection::NoDate),
                    Err(RowFault::Cell(error)) => {
                        collector.count_row();
                        collector.bad(IssueKind::BadRow, number, || error.cause());
                    }
                }
            }
        }
    }
    let mut parsed = collector.finish();
    if parsed.rejected.is_none() && parsed.rows_seen == 0 {
        parsed.rejected = Some(Rejection::NoRows);
    }
    drop_overtaken(&mut parsed);
    Ok(parsed)
}

enum RowFault<'a> {
    NoDate,
    Cell(RejectedRow<'a>),
}

fn read_row<'a>(
    columns: &SnapshotColumns,
    at: impl Fn(usize) -> &'a [u8],
    day_ms: Option<i64>,
) -> Result<ReadRow, RowFault<'a>> {
    let cell = at(columns.time);
    let (open_time, unit) = match clock_ms(cell) {
        Some(of_day) => {
            let written =
                columns.date.and_then(|date| time::parse_midnight(std::str::from_utf8(at(date)).ok()?));
            (written.or(day_ms).ok_or(RowFault::NoDate)? + of_day, TimeUnit::Text)
        }
        // Others write whole instants into the same columns.
        None => time::parse_time(cell)
            .map_err(|error| RowFault::Cell(RejectedRow::Time { error, found: cell }))?,
    };
    let value = |column: &'static str, place: usize| {
        let error = || RowFault::Cell(RejectedRow::Number { column, found: at(place) });
        number::parse_number(at(place)).ok_or_else(error)
    };
    let [open, high, low, close] = columns.prices;
    let candle = Candle {
        open_time,
        open: value("open", open)?,
        high: value("high", high)?,
        low: value("low", low)?,
        close: value("close", close)?,
        volume: columns.volume.map_or(Ok(0.0), |volume| value("volume", volume))?,
    };
    Ok(ReadRow { candle, unit, span_ms: None, unfinished: false, no_volume: false })
}

/// Returns the milliseconds since midnight of `HHMM` without its leading zeros (also as `HHMM.0`), or of `HH:MM`.
fn clock_ms(cell: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(cell).ok()?;
    let digits = |text: &str, most: usize| {
        let plain = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse::<i64>().ok() } else { None }
    };
    let (hour, minute) = match text.split_once(':') {
        Some((hour, minute)) => (digits(hour, 2)?, digits(minute, 2).filter(|_| minute.len() == 2)?),
        None => {
            let number = digits(text.strip_suffix(".0").unwrap_or(text), 4)?;
            (number / 100, number % 100)
        }
    };
    (hour < 24 && minute < 60).then_some((hour * 60 + minute) * MINUTE_MS)
}

/// Leaves out candles that were stored before their end: another row of the same time goes on from them.
fn drop_overtaken(parsed: &mut Parsed) {
    let rows = &parsed.rows;
    let time = |at: &u32| rows[*at as usize].candle.open_time;
    let mut by_time: Vec<u32> = (0..rows.len() as u32).collect();
    // Stable: rows of one time stay in the order of the file.
    by_time.sort_by_key(time);
    let mut overtaken: Vec<(u32, u32)> = Vec::new();
    for same_time in by_time.chunk_by(|a, b| time(a) == time(b)) {
        // Each is compared with all others.
        if same_time.len() > MOMENTS_MAX {
            let (limit, unit) = (MOMENTS_MAX as u64, "rows of one coin and time");
            parsed.rejected = Some(Rejection::TooLarge { limit, unit: unit.into() });
            return;
        }
        for at in same_time {
            let row = &rows[*at as usize];
            let goes_on = |other: &&u32| goes_on(&row.candle, &rows[**other as usize].candle);
            overtaken.extend(same_time.iter().find(goes_on).map(|whole| (*at, rows[*whole as usize].line)));
        }
    }
    overtaken.sort_unstable();
    let (mut at, mut next) = (0, overtaken.into_iter().peekable());
    let issues = &mut parsed.issues;
    parsed.rows.retain(|row| {
        let whole = next.next_if(|(overtaken, _)| *overtaken == at);
        at += 1;
        if let Some((_, line)) = whole {
            note(issues, IssueKind::Unfinished, Some(u64::from(row.line)), || IssueCause::StoredEarly {
                interval: INTERVAL,
                open_ms: row.candle.open_time,
                line: line.into(),
            });
        }
        whole.is_none()
    });
}

/// Returns whether a candle is the same one at a later moment: same open, more volume, prices that go at least as far.
fn goes_on(early: &Candle, late: &Candle) -> bool {
    late.open == early.open && late.high >= early.high && late.low <= early.low && late.volume > early.volume
}

#[cfg(test)]
mod tests {
    use super::super::format::{self, FileFormat, RowContext};
    use super::*;

    const MIDNIGHT: i64 = 1_735_689_600_000;

    fn parsed(text: &str, symbol: &str) -> Parsed {
        let symbol = Symbol::parse(symbol).expect("a symbol");
        let frame = RowContext { day_ms: Some(MIDNIGHT), ..RowContext::default() };
        format::parse_stream(&mut text.as_bytes(), 1 << 20, Collector::new(&symbol, 0), &frame)
            .expect("a slice does not fail")
    }

    fn times(parsed: &Parsed) -> Vec<i64> {
        parsed.rows.iter().map(|row| (row.candle.open_time - MIDNIGHT) / MINUTE_MS).collect()
    }

    /// A row as a writer would make it: what is read, then words.
    fn row(fields: usize, time: &str, coin: &str, volume: f64) -> String {
        let close = 11.0 + volume / 1e3;
        let rest = ",\"a, b\"".repeat(fields - 7);
        format!("{time},{coin},10,12,9,{close},{volume}{rest}\n")
    }

    fn header(fields: usize) -> String {
        let rest: String = (7..fields).map(|index| format!(",x{index}")).collect();
        format!("time,coin,open,high,low,close,volume{rest}\n")
    }

    #[test]
    fn times_of_the_day_survive_lost_zeros() {
        let minutes = |cell: &str| clock_ms(cell.as_bytes()).map(|ms| ms / MINUTE_MS);
        let cases =
            [("0045", 45), ("45", 45), ("0", 0), ("930", 570), ("2345", 1425), ("45.0", 45), ("09:30", 570)];
        for (cell, expected) in cases {
            assert_eq!(minutes(cell), Some(expected), "{cell}");
        }
        for cell in ["", "2400", "0060", "9:5", "12345", "-5", "1743700500", "x", "1:2:3"] {
            assert_eq!(minutes(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_file_of_ever_more_coins_or_moments_is_refused() {
        let head = header(114);
        let coins: String =
            (0..=TABLE_SYMBOLS_MAX).map(|coin| row(114, "0", &format!("C{coin}"), 1.0)).collect();
        let found = markets_of_stream(&mut (head.clone() + &coins).as_bytes(), u64::MAX)
            .expect("a slice does not fail");
        assert_eq!(found, Err(Rejection::TooLarge { limit: TABLE_SYMBOLS_MAX, unit: "coins".into() }));
        let moments: String =
            (0..=MOMENTS_MAX).map(|moment| row(114, "0", "BTC", 1.0 + moment as f64)).collect();
        let parsed = parsed(&(head + &moments), "BTCUSDT");
        let (limit, unit) = (MOMENTS_MAX as u64, "rows of one coin and time");
        assert_eq!(parsed.rejected, Some(Rejection::TooLarge { limit, unit: unit.into() }));
    }

    #[test]
    fn rows_of_both_writers_are_told_apart_with_and_without_headers() {
        let mixed = [
            header(114),
            row(114, "0", "BTC", 1.0),
            row(114, "0", "ETH", 1.0),
            row(91, "15", "BTC", 2.0),
            header(91),
            row(91, "0030", "BTC", 3.0),
            row(50, "0045", "BTC", 4.0),
            row(114, "0100", "BTC", 5.0).trim_end().to_owned(),
        ];
        let btc = parsed(&mixed.concat(), "BTCUSDT");
        assert_eq!((btc.rejected.clone(), times(&btc)), (None, vec![0, 15, 30, 60]));
        let noted: Vec<_> = btc.issues.iter().map(|issue| (issue.kind, issue.lines.clone())).collect();
        let expected = [
            (IssueKind::OtherLayout, vec![4, 8]),
            (IssueKind::Comment, vec![5]),
            (IssueKind::BadRow, vec![7]),
        ];
        assert_eq!(noted, expected);
        assert_eq!(times(&parsed(&mixed.concat(), "ETHUSDT")), [0]);
        let bare = [row(91, "15", "BTC", 2.0), row(114, "30", "BTC", 2.0)].concat();
        assert_eq!(format::recognise_format(bare.as_bytes()), Ok(FileFormat::Snapshots));
        assert_eq!(times(&parsed(&bare, "BTCUSDT")), [15, 30]);
        let coins =
            markets_of_stream(&mut mixed.concat().as_bytes(), 1 << 20).expect("a slice").expect("coins");
        assert_eq!(coins.iter().map(Symbol::as_str).collect::<Vec<_>>(), ["BTCUSDT", "ETHUSDT"]);
    }

    #[test]
    fn columns_are_found_by_name_and_dates_in_rows_come_first() {
        let text =
            "coin,snapshot_date,close,low,high,open,volume,time\nETH/USDT,20250102,11,9,12,10,5,09:30\n";
        let parsed = parsed(text, "ETHUSDT");
        assert_eq!(times(&parsed), [24 * 60 + 570]);
        let candle = parsed.rows[0].candle;
        assert_eq!([candle.open, candle.high, candle.low, candle.close], [10.0, 12.0, 9.0, 11.0]);
    }

    #[test]
    fn a_row_stored_before_its_end_gives_way_to_the_whole_one() {
        let rows = [row(91, "0", "BTC", 1.0), row(91, "0", "BTC", 2.0), row(91, "0", "BTC", 2.0)];
        let parsed = parsed(&(header(91) + &rows.concat()), "BTCUSDT");
        assert_eq!(
            parsed.rows.iter().map(|row| row.line).collect::<Vec<_>>(),
            [3, 4],
            "equal rows are settled later"
        );
        let noted: Vec<_> = parsed.issues.iter().map(|issue| (issue.kind, issue.lines.clone())).collect();
        assert_eq!(noted, [(IssueKind::Unfinished, vec![2])]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let rejected = |text: &str| parsed(text, "BTCUSDT").rejected.map(|reason| reason.to_string());
        let found = rejected("time,coin,price,trend_4h\n0000,BTC,10,x\n").unwrap_or_default();
        assert!(
            found.starts_with(
                "expected the columns time, coin, open, high, low, close, found time, coin, price, trend_4h;"
            ),
            "{found}"
        );
        assert_eq!(parsed("time,coin,open,high,low,close\n", "BTCUSDT").rejected, Some(Rejection::NoRows));
        let symbol = Symbol::parse("BTCUSDT").expect("a symbol");
        let text = header(91) + &row(91, "0", "BTC", 1.0);
        let undated = format::parse_stream(
            &mut text.as_bytes(),
            1 << 20,
            Collector::new(&symbol, 0),
            &RowContext::default(),
        );
        assert_eq!(undated.map(|parsed| parsed.rejected).ok(), Some(Some(Rejection::NoDate)));
    }
}
