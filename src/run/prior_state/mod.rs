//! What is remembered of a symbol's files, so that unchanged ones are not read again and grown ones only at their end.

mod earlier;

use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

use self::earlier::EarlierManifest;
use super::input_report::SymbolReport;
use super::issue_detail::FUTURE;
use crate::engine::reuse::DayPrints;
use crate::features::frame::warm_up_ms;
use crate::fingerprint::{Canonical, Fingerprint, of_candles};
use crate::ingest::{
    CandleSource, EmptyCandles, IngestOptions, OnBadRows, OnConflict, ReadingOptions, TIME_MAX_MS,
    TIME_MIN_MS,
};
use crate::model::{Bars, Day, Interval, Symbol};
use crate::run::file_summary::{FileNote, IssueNote};
use crate::run::issue_detail::IssueDetail;
use crate::run::symbol_job::SymbolJob;

/// Raised when the same files give other candles or reports than before.
pub(super) const READING: &str = "retune reading v4";

/// A file changed so recently that a further change could leave the same time of modification; ms.
const RACY_MS: i64 = 2_000;

/// What a file looked like when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileStamp {
    pub(crate) path: String,
    pub(crate) entry: Option<String>,
    pub(crate) size: u64,
    /// `None` when it changed so recently that its next change might not show.
    pub(crate) modified_ns: Option<i128>,
    pub(crate) inode: u64,
    /// The SHA-256 that stood beside it.
    pub(crate) checksum: Option<[u8; 32]>,
}

/// What is remembered of a symbol's files, so that unchanged ones are not read again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SymbolManifest {
    pub(crate) interval_ms: i64,
    /// Fingerprint of the way files are read.
    pub(crate) reading: [u8; 32],
    pub(crate) stamps: Vec<FileStamp>,
    pub(crate) files: Vec<FileNote>,
    pub(crate) issues: Vec<IssueNote>,
    /// Fingerprint of each day's candles.
    pub(crate) days: Vec<(i32, [u8; 32])>,
    pub(crate) candles: u64,
    pub(crate) last_open: i64,
    pub(crate) fingerprint: [u8; 32],
    /// Styles (by ordinal) with the first and last day ever evaluated.
    pub(crate) evaluated: Vec<(u8, i32, i32)>,
    /// Open times of the first and last candle of each file, `None` for one that gives none.
    pub(crate) spans: Vec<Option<(i64, i64)>>,
    /// Last close of each of `days`.
    pub(crate) closes: Vec<f64>,
}

/// Returns the fingerprint of the way files are read: other candles may come of the same bytes.
pub(crate) fn reading_print(ingest: &IngestOptions) -> [u8; 32] {
    let IngestOptions {
        on_conflict,
        reading,
        // Remembered by itself, as is the last candle, which is held against the instant of the run.
        base_interval: _,
        as_of_ms: _,
        // Which files are read: each has a stamp.
        symbols: _,
        selection: _,
        // What does not fit is an error.
        room_bytes: _,
    } = ingest;
    let ReadingOptions {
        on_bad_rows,
        timezone,
        columns,
        empty_candles,
        // Of signals, which have a fingerprint of their own.
        signals_timeframe: _,
    } = reading;
    let zone = timezone.as_ref().map_or("UTC", |zone| zone.iana_name().unwrap_or_default());
    Canonical::new(READING)
        .count(match on_conflict {
            // Who looks only remembers nothing.
            OnConflict::Refuse | OnConflict::Look => 0,
            OnConflict::Last => 1,
        })
        .count(match on_bad_rows {
            OnBadRows::Refuse => 0,
            OnBadRows::Skip => 1,
        })
        .text(zone)
        .text(&format!("{columns:?}"))
        .count(match empty_candles {
            EmptyCandles::Missing => 0,
            EmptyCandles::Flat => 1,
        })
        .finish()
        .0
}

/// Returns the stamps of all files, or `None` when one is not there.
pub(crate) fn stamps_of_files(sources: &[CandleSource], now_ms: i64) -> Option<Vec<FileStamp>> {
    sources.iter().map(|source| stamp_of_file(source, now_ms)).collect()
}

fn stamp_of_file(source: &CandleSource, now_ms: i64) -> Option<FileStamp> {
    let meta = std::fs::metadata(&source.path).ok()?;
    let modified_ns = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
    let old_enough = modified_ns / 1_000_000 < i128::from(now_ms - RACY_MS);
    Some(FileStamp {
        path: source.path.display().to_string(),
        entry: source.entry.clone(),
        size: meta.len(),
        modified_ns: old_enough.then_some(modified_ns),
        inode: meta.ino(),
        checksum: source.checksum(),
    })
}

impl FileStamp {
    /// Returns whether a file that looks so is the one that looked like another.
    pub(crate) fn is_still(&self, before: &Self) -> bool {
        self.modified_ns.is_some() && self == before
    }
}

/// Begins what is remembered now. What programs before remembered begins with an interval, which is never 0.
const MARK: u8 = 0;
/// The layout of what is remembered, after the mark; raised when its bytes change.
pub(super) const MANIFEST_LAYOUT: u8 = 3;

impl SymbolManifest {
    /// Returns it as it is remembered.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let bytes = vec![MARK, MANIFEST_LAYOUT];
        postcard::to_extend(self, bytes).expect("plain values are always encodable")
    }

    /// Reads what was remembered; `None` for bytes that are no memory of a symbol's days.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (memory, rest) = match bytes.strip_prefix(&[MARK, MANIFEST_LAYOUT]) {
            Some(bytes) => postcard::take_from_bytes::<Self>(bytes).ok()?,
            None => {
                let (before, rest) = postcard::take_from_bytes::<EarlierManifest>(bytes).ok()?;
                (before.into(), rest)
            }
        };
        let days = &memory.days;
        let possible = Day::of(TIME_MIN_MS).0..Day::of(TIME_MAX_MS).0;
        let whole = rest.is_empty()
            && days.is_sorted_by(|a, b| a.0 < b.0)
            && days.first().into_iter().chain(days.last()).all(|(day, _)| possible.contains(day))
            && (days.is_empty() || (TIME_MIN_MS..TIME_MAX_MS).contains(&memory.last_open))
            && memory.closes.len() == days.len();
        whole.then_some(memory)
    }

    /// Returns whether the files look as when this was written, and were read in the same way.
    pub(crate) fn is_of(&self, job: &SymbolJob<'_>, stamps: Option<&[FileStamp]>) -> bool {
        let mut issues = self.files.iter().flat_map(|file| &file.issues);
        let unfinished = issues.any(|issue| matches!(issue.kind.as_str(), "unfinished" | FUTURE));
        stamps.is_some_and(|stamps| {
            stamps.len() == self.stamps.len()
                && stamps.iter().zip(&self.stamps).all(|(now, then)| now.is_still(then))
        }) && self.interval_ms == job.plan.interval.ms()
            && self.reading == reading_print(job.ingest)
            && job.plan.days.end.is_none()
            && !unfinished
            && self.last_open + self.interval_ms <= job.ingest.as_of_ms
            && !job.full
    }

    pub(crate) fn prints(&self) -> DayPrints {
        let days: Vec<(Day, Fingerprint)> =
            self.days.iter().map(|(day, print)| (Day(*day), Fingerprint(*print))).collect();
        DayPrints::new(&days, self.last_open)
    }

    /// Returns whether this is of files read in the same way, about which nothing was noted but what lies behind them.
    pub(crate) fn may_grow(&self, job: &SymbolJob<'_>) -> bool {
        const SETTLED: [&str; 4] = ["gap", "zero_volume", "scale_change", "flat_candle"];
        let settled = |issue: &IssueNote| SETTLED.contains(&issue.kind.as_str());
        let mut issues = self.files.iter().flat_map(|file| &file.issues).chain(&self.issues);
        let counts = [self.stamps.len(), self.spans.len()];
        self.candles > 0
            && self.closes.len() == self.days.len()
            && counts.iter().all(|count| *count == self.files.len())
            && self.interval_ms == job.plan.interval.ms()
            && self.reading == reading_print(job.ingest)
            && job.plan.days.end.is_none()
            && !job.full
            && issues.all(settled)
    }

    /// Returns what is known after more candles, or `None` when the end of what was known is not what it was.
    ///
    /// `bars` are the last days known (the first of them perhaps in part) and all that is new; files, stamps and spans
    /// stay as they are.
    pub(crate) fn grown(&self, bars: Bars<'_>) -> Option<Self> {
        let whole = Day(Day::of(*bars.open_time.first()?).0 + 1);
        let read = day_prints(bars.slice(bars.index_at(whole.start_ms())..bars.len()));
        let last_known = self.days.last()?.0;
        let overlap = |days: &[(i32, [u8; 32])]| -> Vec<(i32, [u8; 32])> {
            days.iter().filter(|(day, _)| (whole.0..last_known).contains(day)).copied().collect()
        };
        // The last known day may have gained candles; those before it have not.
        let known_end = bars.index_at(self.last_open + 1);
        let last_is_there = known_end > 0 && bars.open_time[known_end - 1] == self.last_open;
        if overlap(&read) != overlap(&self.days) || !last_is_there || bars.len() <= known_end {
            return None;
        }
        let older = self.days.partition_point(|(day, _)| *day < whole.0);
        let days = [&self.days[..older], &read].concat();
        let fresh = day_closes(bars.slice(bars.index_at(whole.start_ms())..bars.len()));
        Some(Self {
            fingerprint: series_print(&days).0,
            days,
            closes: [&self.closes[..older], &fresh].concat(),
            candles: self.candles + (bars.len() - known_end) as u64,
            last_open: *bars.open_time.last()?,
            ..self.clone()
        })
    }

    pub(crate) fn report(&self, symbol: &Symbol, job: &SymbolJob<'_>) -> SymbolReport {
        let short = self.short_history(job.plan.interval).filter(|_| job.given.is_none());
        SymbolReport {
            name: symbol.to_string(),
            candles: self.candles,
            days: self.span(),
            issues: self.issues.iter().cloned().chain(short).collect(),
            closes: self.days.iter().zip(&self.closes).map(|((day, _), close)| (Day(*day), *close)).collect(),
            last_open: self.last_open,
            fingerprint: Fingerprint(self.fingerprint),
            newest_close_ms: self.last_open + self.interval_ms,
        }
    }

    /// Returns that no signal can be derived yet, where the candles end before the features begin.
    fn short_history(&self, base: Interval) -> Option<IssueNote> {
        let warm_up_ms = warm_up_ms(base);
        let first_ms = self.span()?.0.start_ms();
        let span_ms = self.last_open + base.ms() - first_ms;
        (span_ms <= warm_up_ms).then(|| IssueNote {
            kind: "short_history".to_owned(),
            count: 1,
            line: None,
            detail: IssueDetail::ShortHistory { interval: base, warm_up_ms, span_ms },
        })
    }

    pub(crate) fn span(&self) -> Option<(Day, Day)> {
        Some((Day(self.days.first()?.0), Day(self.days.last()?.0)))
    }
}

/// Returns the fingerprint of a whole series from those of its days.
pub(crate) fn series_print(days: &[(i32, [u8; 32])]) -> Fingerprint {
    let hash = Canonical::new("retune series v1").count(days.len() as u64);
    let add = |hash: Canonical, (day, print): &(i32, [u8; 32])| {
        hash.signed((*day).into()).nested(Fingerprint(*print))
    };
    days.iter().fold(hash, add).finish()
}

/// Returns the fingerprint of every day with candles.
pub(crate) fn day_prints(bars: Bars<'_>) -> Vec<(i32, [u8; 32])> {
    days(bars).map(|(day, candles)| (day.0, of_candles(candles).0)).collect()
}

/// Returns the last close of every day with candles.
pub(crate) fn day_closes(bars: Bars<'_>) -> Vec<f64> {
    days(bars).filter_map(|(_, candles)| candles.close.last().copied()).collect()
}

/// Cuts candles into days.
fn days<'a>(bars: Bars<'a>) -> impl Iterator<Item = (Day, Bars<'a>)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let day = Day::of(*bars.open_time.get(start)?);
        let candles = bars.slice(start..bars.index_at(day.end_ms()));
        start += candles.len();
        Some((day, candles))
    })
}
