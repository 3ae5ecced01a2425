//! One file from bytes to candles of one interval in order, with everything wrong in its report.

use super::candle_row::{CandleRow, goes_on};
use super::cause::{FirstBadRow, IssueCause};
use super::collector::{Collector, Hints, Parsed, RowSelection};
use super::error::IngestError;
use super::format::{FileFormat, RowContext};
use super::interval;
use super::rejection::Rejection;
use super::repeats::Repeats;
use super::report::{FileReport, Issue, IssueKind, note};
use super::series::{SeriesPoint, note_gaps, note_zero_volume};
use super::source::{self, CandleSource};
use super::time::TimeUnit;
use super::{IngestOptions, OnBadRows};
use super::{format, name};
use crate::model::{Interval, MINUTE_MS, Symbol};

/// Which of the symbol's files is read, and what the ones before it hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct FilePlace {
    /// Index among the sources of the symbol.
    pub(super) index: u32,
    /// Bytes that rows of earlier files take.
    pub(super) taken_bytes: u64,
}

/// What one source gives; nothing where it is rejected.
pub(super) struct FileRows {
    pub(super) report: FileReport,
    /// In order of time.
    pub(super) rows: Vec<CandleRow>,
    /// What was left out of them as repeating others.
    pub(super) repeats: Repeats,
    /// The last row, if it may be cut in its last cell.
    pub(super) doubtful: Option<CandleRow>,
}

/// Reads one source.
///
/// Of a short file rows of one open time are all kept, in the order of the file; the caller settles which one counts.
pub(super) fn read_source(
    source: &CandleSource,
    symbol: &Symbol,
    place: FilePlace,
    options: &IngestOptions,
) -> Result<FileRows, IngestError> {
    let mut parsed = parse_source(source, symbol, place, options)?;
    if parsed.rejected == Some(Rejection::NoRoom) {
        return Err(source.too_many(symbol, options.room_bytes));
    }
    let repeats = std::mem::take(&mut parsed.repeats);
    let (doubtful, closes) = (parsed.doubtful.take(), parsed.close_times);
    let (report, rows) = report(source, symbol, parsed, options);
    if report.rejected.is_some() {
        return Ok(FileRows { report, rows: Vec::new(), repeats: Repeats::default(), doubtful: None });
    }
    let doubtful = doubtful.zip(report.interval);
    let doubtful = doubtful.and_then(|(row, interval)| settled_row(row, closes, interval, options.as_of_ms));
    Ok(FileRows { report, rows, repeats, doubtful })
}

/// How often a file is read at most: what all its rows show may have to be known before they can be read.
const READINGS_MAX: usize = 3;

/// Parses a source, again where its rows show how they have to be read.
fn parse_source(
    source: &CandleSource,
    symbol: &Symbol,
    place: FilePlace,
    options: &IngestOptions,
) -> Result<Parsed, IngestError> {
    let day_ms = name::day_ms(&source.path, source.entry.as_deref());
    let mut frame = RowContext { day_ms, reading: options.reading.clone(), hints: Hints::default() };
    let room_bytes = options.room_bytes.map(|bytes| bytes.saturating_sub(place.taken_bytes));
    let mut readings = 1;
    loop {
        let collector = Collector::new(symbol, place.index).taking(source.rows);
        let collector = collector.keeping(options.on_conflict, room_bytes);
        let outcome = source::read_decoded(source, |stream, bytes_max| {
            format::parse_stream(stream, bytes_max, collector, &frame)
        })?;
        let mut parsed =
            outcome.unwrap_or_else(|rejection| Parsed { rejected: Some(rejection), ..Parsed::default() });
        match parsed.again.take() {
            Some(_) if readings == READINGS_MAX => parsed.rejected = Some(Rejection::Unsteady),
            Some(hints) => frame.hints = hints,
            None => return Ok(parsed),
        }
        if parsed.rejected.is_some() {
            return Ok(parsed);
        }
        readings += 1;
    }
}

fn report(
    source: &CandleSource,
    symbol: &Symbol,
    parsed: Parsed,
    options: &IngestOptions,
) -> (FileReport, Vec<CandleRow>) {
    let units = TimeUnit::ALL.into_iter().filter(|unit| parsed.units[*unit as usize]);
    let mut report = FileReport {
        path: source.path.clone(),
        entry: source.entry.clone(),
        symbol: symbol.clone(),
        interval: None,
        time_units: units.collect(),
        rows: parsed.rows_seen,
        candles: 0,
        first_open: None,
        last_open: None,
        bytes: parsed.bytes,
        hash: parsed.hash,
        issues: parsed.issues,
        rejected: parsed.rejected,
        of_one_symbol: source.format != FileFormat::Snapshots && source.rows == RowSelection::Named,
    };
    let mut rows = parsed.rows;
    if report.rejected.is_none() {
        report.rejected = mostly_bad(&report, parsed.rows_bad);
    }
    if report.rejected.is_none() {
        let times = Times { closes: parsed.close_times, unfinished: parsed.unfinished };
        report.rejected = clean_rows(&mut report, &mut rows, times, source.interval, options).err();
    }
    (report, rows)
}

/// What is known of the times of a file besides those of its rows.
struct Times {
    /// They are times of the close.
    closes: bool,
    /// Those of rows that call their candle unfinished.
    unfinished: Vec<i64>,
}

/// Returns the rejection of a file of which more than half cannot be used.
fn mostly_bad(report: &FileReport, bad: u64) -> Option<Rejection> {
    if bad * 2 <= report.rows {
        return None;
    }
    let worst = report.issues.iter().filter(|issue| is_bad(issue.kind)).max_by_key(|issue| issue.count)?;
    if worst.kind == IssueKind::OtherSymbol {
        return Some(Rejection::WrongSymbol { named: report.symbol.clone(), found: worst.cause.to_string() });
    }
    Some(Rejection::MostlyBad { bad, rows: report.rows, first: first_of(worst) })
}

fn first_of(issue: &Issue) -> Box<FirstBadRow> {
    Box::new(FirstBadRow { line: issue.lines.first().copied(), cause: issue.cause.clone() })
}

/// A file may have so many bad rows, however short it is.
const BAD_ROWS_FREE: u64 = 3;
/// One bad row in so many is the most a longer file may have.
const ROWS_PER_BAD: u64 = 100;

/// Returns the rejection of a file of which more rows cannot be used than a sound file has.
///
/// `lost` counts the candles that are there only as unfinished ones, though they have long closed.
fn too_many_bad(report: &FileReport, lost: u64) -> Option<Rejection> {
    let counts = |issue: &&Issue| is_bad(issue.kind) && issue.kind != IssueKind::OtherSymbol;
    let bad = report.issues.iter().filter(counts).map(|issue| issue.count).sum::<u64>() + lost;
    let allowed = BAD_ROWS_FREE.max(report.rows / ROWS_PER_BAD);
    if bad <= allowed {
        return None;
    }
    let unfinished = |issue: &&Issue| issue.kind == IssueKind::Unfinished && lost > 0;
    let worst = report.issues.iter().filter(|issue| counts(issue) || unfinished(issue));
    let first = worst.max_by_key(|issue| issue.count).map(first_of);
    debug_assert!(first.is_some(), "what is counted is noted");
    let unknown = || Box::new(FirstBadRow { line: None, cause: IssueCause::Told(String::new()) });
    Some(Rejection::TooManyBad { bad, allowed, rows: report.rows, first: first.unwrap_or_else(unknown) })
}

fn is_bad(kind: IssueKind) -> bool {
    matches!(
        kind,
        IssueKind::BadRow | IssueKind::Impossible(_) | IssueKind::OtherSymbol | IssueKind::Misaligned
    )
}

/// Orders the rows, settles their interval and leaves out what cannot be used.
fn clean_rows(
    report: &mut FileReport,
    rows: &mut Vec<CandleRow>,
    mut times: Times,
    claimed: Option<Interval>,
    options: &IngestOptions,
) -> Result<(), Rejection> {
    if times.closes {
        rows.iter_mut().for_each(|row| row.candle.open_time = end_of_candle(row.candle.open_time));
        times.unfinished.iter_mut().for_each(|time| *time = end_of_candle(*time));
    }
    let written_last = ends_when_written(rows);
    order_rows(rows);
    let interval = interval::settle_interval(claimed, rows.iter().map(|row| row.candle.open_time))?;
    report.interval = Some(interval);
    let base = options.base_interval;
    if interval > base {
        return Err(Rejection::Coarser { found: interval, base });
    }
    if base.divided_by(interval).is_none() {
        return Err(Rejection::DoesNotDivide { found: interval, base });
    }
    if times.closes {
        rows.iter_mut().for_each(|row| row.candle.open_time -= interval.ms());
        times.unfinished.iter_mut().for_each(|time| *time -= interval.ms());
        note(&mut report.issues, IssueKind::FromCloseTime, None, || IssueCause::CloseTimes { interval });
    }
    drop_misaligned(rows, interval, &mut report.issues);
    let bad = report.issues.iter().filter(|issue| is_bad(issue.kind)).map(|issue| issue.count).sum();
    if let Some(rejection) = mostly_bad(report, bad) {
        return Err(rejection);
    }
    times.unfinished.retain(|time| time + interval.ms() <= options.as_of_ms);
    times.unfinished.extend(drop_unfinished(rows, interval, options.as_of_ms, &mut report.issues));
    drop_overtaken(rows, &written_last, &mut report.issues);
    if options.reading.on_bad_rows == OnBadRows::Refuse
        && let Some(rejection) = too_many_bad(report, lost_candles(times.unfinished, rows))
    {
        return Err(rejection);
    }
    Ok(())
}

/// Returns a row of a file of known interval as [`clean_rows`] leaves it; `None` where it would leave it out.
fn settled_row(mut row: CandleRow, closes: bool, interval: Interval, as_of_ms: i64) -> Option<CandleRow> {
    let time = &mut row.candle.open_time;
    if closes {
        *time = end_of_candle(*time) - interval.ms();
    }
    let is_aligned = interval.floor(*time) == *time;
    let is_closed = time.saturating_add(interval.ms()) <= as_of_ms;
    let is_whole = row.span_ms.is_none_or(|span| i64::from(span) >= interval.ms() - 1);
    (is_aligned && is_closed && is_whole).then_some(row)
}

/// Returns the end of a candle by the instant that a file gives for it: the last second, millisecond or the end itself.
pub(super) fn end_of_candle(close: i64) -> i64 {
    let minute_end = (close + MINUTE_MS - 1).div_euclid(MINUTE_MS) * MINUTE_MS;
    if minute_end - close <= 1_000 { minute_end } else { close }
}

/// Returns how many candles are there only as unfinished ones.
fn lost_candles(mut unfinished: Vec<i64>, rows: &[CandleRow]) -> u64 {
    unfinished.sort_unstable();
    unfinished.dedup();
    let is_there = |time: &i64| rows.binary_search_by_key(time, |row| row.candle.open_time).is_ok();
    unfinished.iter().filter(|time| !is_there(time)).count() as u64
}

/// Returns the lines, ascending, of rows that were the newest when they were written: what follows goes on before them.
fn ends_when_written(rows: &[CandleRow]) -> Vec<u32> {
    let ascends = rows.is_sorted_by(|a, b| a.candle.open_time < b.candle.open_time && a.line < b.line);
    if ascends {
        return Vec::new();
    }
    let mut written: Vec<(u32, i64)> = rows.iter().map(|row| (row.line, row.candle.open_time)).collect();
    written.sort_unstable();
    let mut newest = i64::MIN;
    let mut lines = Vec::new();
    for pair in written.windows(2) {
        let ((line, time), (_, next)) = (pair[0], pair[1]);
        newest = newest.max(time);
        if time == newest && next <= time {
            lines.push(line);
        }
    }
    lines
}

/// Leaves out candles that were the newest when they were written and stand there once more, further on in their course.
///
/// Shape: rows by time, those of one time in the order of the file; `written_last` are lines, ascending
fn drop_overtaken(rows: &mut Vec<CandleRow>, written_last: &[u32], issues: &mut Vec<Issue>) {
    if written_last.is_empty() {
        return;
    }
    let overtaken: Vec<bool> = (0..rows.len())
        .map(|index| {
            let (row, next) = (&rows[index], rows.get(index + 1));
            next.is_some_and(|next| goes_on(&row.candle, &next.candle))
                && written_last.binary_search(&row.line).is_ok()
        })
        .collect();
    let mut index = 0;
    let mut before: Option<CandleRow> = None;
    rows.retain(|row| {
        let dropped = overtaken[index];
        index += 1;
        if let Some(unfinished) = before.replace(*row).filter(|_| index > 1 && overtaken[index - 2]) {
            note(issues, IssueKind::Finished, Some(u64::from(row.line)), || IssueCause::FinishedLater {
                open_ms: row.candle.open_time,
                line: unfinished.line.into(),
            });
        }
        !dropped
    });
}

/// Sorts by time; rows of one time stay in the order of the file.
fn order_rows(rows: &mut [CandleRow]) {
    if !rows.is_sorted_by_key(|row| row.candle.open_time) {
        rows.sort_by_key(|row| row.candle.open_time);
    }
}

fn drop_misaligned(rows: &mut Vec<CandleRow>, interval: Interval, issues: &mut Vec<Issue>) {
    rows.retain(|row| {
        let time = row.candle.open_time;
        let aligned = interval.floor(time) == time;
        if !aligned {
            note(issues, IssueKind::Misaligned, Some(u64::from(row.line)), || IssueCause::Misaligned {
                interval,
                open_ms: time,
            });
        }
        aligned
    });
}

/// How far clocks may differ; ms.
const CLOCK_TOLERANCE_MS: i64 = 5 * MINUTE_MS;

/// Leaves out candles that had not closed; returns the times of those that have since.
fn drop_unfinished(
    rows: &mut Vec<CandleRow>,
    interval: Interval,
    as_of_ms: i64,
    issues: &mut Vec<Issue>,
) -> Vec<i64> {
    let newest_ms = rows.last().map_or(i64::MIN, |row| row.candle.open_time);
    let mut closed_since = Vec::new();
    rows.retain(|row| {
        let open_time = row.candle.open_time;
        if open_time > as_of_ms.saturating_add(CLOCK_TOLERANCE_MS) {
            note(issues, IssueKind::Future, Some(u64::from(row.line)), || IssueCause::Future {
                as_of_ms,
                newest_ms,
            });
            return false;
        }
        let still_open = open_time + interval.ms() > as_of_ms;
        let cut_short = row.span_ms.is_some_and(|span| i64::from(span) < interval.ms() - 1);
        if still_open || cut_short {
            note(issues, IssueKind::Unfinished, Some(u64::from(row.line)), || match still_open {
                true => IssueCause::NotClosed { interval, open_ms: open_time },
                false => IssueCause::ClosedEarly { interval, open_ms: open_time },
            });
        }
        if cut_short && !still_open {
            closed_since.push(open_time);
        }
        !(still_open || cut_short)
    });
    closed_since
}

/// Completes the report of a file whose last row has turned out to be whole, by candles that go on in another file.
pub(super) fn conclude_last(report: &mut FileReport, row: &CandleRow, there: &str) {
    report.issues.retain(|issue| issue.kind != IssueKind::PartialLastLine);
    note(&mut report.issues, IssueKind::UnendedLastLine, Some(u64::from(row.line)), || IssueCause::GoesOn {
        file: there.to_owned(),
    });
    let time = row.candle.open_time;
    (report.rows, report.candles) = (report.rows + 1, report.candles + 1);
    report.first_open = report.first_open.map(|first| first.min(time));
    report.last_open = report.last_open.map(|last| last.max(time));
}

/// Completes the report of a file once its rows have one candle per open time.
pub(super) fn conclude_report(report: &mut FileReport, rows: &[CandleRow]) {
    report.candles = rows.len() as u64;
    report.first_open = rows.first().map(|row| row.candle.open_time);
    report.last_open = rows.last().map(|row| row.candle.open_time);
    let points = || {
        rows.iter().map(|row| SeriesPoint {
            open_time: row.candle.open_time,
            volume: row.candle.volume,
            line: Some(u64::from(row.line)),
        })
    };
    if let Some(interval) = report.interval {
        note_gaps(&mut report.issues, interval, points());
        if !report.issues.iter().any(|issue| issue.kind == IssueKind::NoVolume) {
            note_zero_volume(&mut report.issues, interval, points());
        }
    }
}
