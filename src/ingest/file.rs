//! One file from bytes to candles of one interval in order, with everything wrong in its report.

use super::IngestOptions;
use super::collector::{Collector, Parsed, Row, Rows};
use super::error::IngestError;
use super::format::{Format, Frame};
use super::interval;
use super::rejection::Rejection;
use super::repeats::Repeats;
use super::report::{FileReport, Issue, IssueKind, TimeUnit, note};
use super::series::{Point, note_gaps, note_zero_volume};
use super::source::{self, Source};
use super::{format, name};
use crate::model::{Interval, MINUTE_MS, Symbol, rfc3339};

/// Which of the symbol's files is read, and what the ones before it hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Index among the sources of the symbol.
    pub(super) index: u32,
    /// Bytes that rows of earlier files take.
    pub(super) taken_bytes: u64,
}

/// Reads one source: its report, its rows in order of time (a rejected file gives none), and what was left out of them
/// as repeating others.
///
/// Of a short file rows of one open time are all kept, in the order of the file; the caller settles which one counts.
pub(super) fn read(
    source: &Source,
    symbol: &Symbol,
    place: Place,
    options: &IngestOptions,
) -> Result<(FileReport, Vec<Row>, Repeats), IngestError> {
    let frame = Frame { day_ms: name::day_ms(&source.path, source.entry.as_deref()) };
    let room_bytes = options.room_bytes.map(|bytes| bytes.saturating_sub(place.taken_bytes));
    let collector = Collector::new(symbol, place.index).taking(source.rows);
    let collector = collector.keeping(options.on_conflict, room_bytes);
    let outcome =
        source::read(source, |stream, bytes_max| format::parse(stream, bytes_max, collector, frame))?;
    let mut parsed =
        outcome.unwrap_or_else(|rejection| Parsed { rejected: Some(rejection), ..Parsed::default() });
    if parsed.rejected == Some(Rejection::NoRoom) {
        return Err(IngestError::too_many(symbol, source, options.room_bytes));
    }
    let repeats = std::mem::take(&mut parsed.repeats);
    let (mut report, mut rows) = report(source, symbol, parsed);
    if report.rejected.is_none()
        && let Err(rejection) = clean(&mut report, &mut rows, source.interval, options)
    {
        report.rejected = Some(rejection);
    }
    if report.rejected.is_some() {
        return Ok((report, Vec::new(), Repeats::default()));
    }
    Ok((report, rows, repeats))
}

fn report(source: &Source, symbol: &Symbol, parsed: Parsed) -> (FileReport, Vec<Row>) {
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
        of_one_symbol: source.format != Format::Snapshots && source.rows == Rows::Named,
    };
    if report.rejected.is_none() {
        report.rejected = mostly_bad(&report, parsed.rows_bad);
    }
    (report, parsed.rows)
}

/// Returns the rejection of a file of which more than half cannot be used.
fn mostly_bad(report: &FileReport, bad: u64) -> Option<Rejection> {
    if bad * 2 <= report.rows {
        return None;
    }
    let worst = report.issues.iter().filter(|issue| is_bad(issue.kind)).max_by_key(|issue| issue.count)?;
    if worst.kind == IssueKind::OtherSymbol {
        return Some(Rejection::WrongSymbol { named: report.symbol.clone(), found: worst.detail.clone() });
    }
    let line = worst.lines.first().map(|line| format!("line {line}: ")).unwrap_or_default();
    let first = format!("{line}{}", worst.detail);
    Some(Rejection::MostlyBad { bad, rows: report.rows, first })
}

fn is_bad(kind: IssueKind) -> bool {
    matches!(
        kind,
        IssueKind::BadRow | IssueKind::Impossible(_) | IssueKind::OtherSymbol | IssueKind::Misaligned
    )
}

/// Orders the rows, settles their interval and leaves out what cannot be used.
fn clean(
    report: &mut FileReport,
    rows: &mut Vec<Row>,
    claimed: Option<Interval>,
    options: &IngestOptions,
) -> Result<(), Rejection> {
    order(rows);
    let interval = interval::settle(claimed, rows.iter().map(|row| row.candle.open_time))?;
    report.interval = Some(interval);
    let base = options.base_interval;
    if interval > base {
        return Err(Rejection::Coarser { found: interval, base });
    }
    if base.divided_by(interval).is_none() {
        return Err(Rejection::DoesNotDivide { found: interval, base });
    }
    drop_misaligned(rows, interval, &mut report.issues);
    let bad = report.issues.iter().filter(|issue| is_bad(issue.kind)).map(|issue| issue.count).sum();
    if let Some(rejection) = mostly_bad(report, bad) {
        return Err(rejection);
    }
    drop_unfinished(rows, interval, options.as_of_ms, &mut report.issues);
    Ok(())
}

/// Sorts by time; rows of one time stay in the order of the file.
fn order(rows: &mut [Row]) {
    if !rows.is_sorted_by_key(|row| row.candle.open_time) {
        rows.sort_by_key(|row| row.candle.open_time);
    }
}

fn drop_misaligned(rows: &mut Vec<Row>, interval: Interval, issues: &mut Vec<Issue>) {
    rows.retain(|row| {
        let time = row.candle.open_time;
        let aligned = interval.floor(time) == time;
        if !aligned {
            note(issues, IssueKind::Misaligned, Some(u64::from(row.line)), || {
                format!("expected an open time that is a multiple of {interval}, found {}", rfc3339(time))
            });
        }
        aligned
    });
}

/// How far clocks may differ; ms.
const CLOCK_TOLERANCE_MS: i64 = 5 * MINUTE_MS;

fn drop_unfinished(rows: &mut Vec<Row>, interval: Interval, as_of_ms: i64, issues: &mut Vec<Issue>) {
    let newest_ms = rows.last().map_or(i64::MIN, |row| row.candle.open_time);
    rows.retain(|row| {
        let open_time = row.candle.open_time;
        if open_time > as_of_ms.saturating_add(CLOCK_TOLERANCE_MS) {
            note(issues, IssueKind::Future, Some(u64::from(row.line)), || {
                format!(
                    "expected candles up to {}, found {} the newest",
                    rfc3339(as_of_ms),
                    rfc3339(newest_ms)
                )
            });
            return false;
        }
        let still_open = open_time + interval.ms() > as_of_ms;
        let cut_short = row.span_ms.is_some_and(|span| i64::from(span) < interval.ms() - 1);
        if still_open || cut_short {
            note(issues, IssueKind::Unfinished, Some(u64::from(row.line)), || {
                let why = if still_open { "is not closed yet" } else { "has a close time before its end" };
                format!("the {interval} candle of {} {why}", rfc3339(open_time))
            });
        }
        !(still_open || cut_short)
    });
}

/// Completes the report of a file once its rows have one candle per open time.
pub(super) fn conclude(report: &mut FileReport, rows: &[Row]) {
    report.candles = rows.len() as u64;
    report.first_open = rows.first().map(|row| row.candle.open_time);
    report.last_open = rows.last().map(|row| row.candle.open_time);
    let points = || {
        rows.iter().map(|row| Point {
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
