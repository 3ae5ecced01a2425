//! Files that gained candles: what has to be read of them, and what is known then.
//!
//! One file that grows, a new file a day, a new archive a month: in each case most files look as they did, and what is
//! new lies behind what was known. Whatever is noteworthy about the new part (gaps, bad rows, repeated candles, ...)
//! makes everything be read, so that a report never depends on how files were read.

use std::collections::BTreeMap;

use crate::engine::plan::Plan;
use crate::features::frame::lookback_days;
use crate::ingest::{CandleSource, FileReport, SymbolSources, growth, load_symbol};
use crate::model::{CandleSeries, DAY_MS};
use crate::run::error::SymbolError;
use crate::run::file_summary::FileNote;
use crate::run::prior_state::{FileStamp, SymbolManifest};
use crate::run::symbol_job::SymbolJob;

/// Returns the days of known candles that are read again: the look-back of the days that a new one touches (itself, and
/// those it completes), and a margin; 60 days of 15m candles at least.
fn reread_days(plan: &Plan) -> i64 {
    let lookback = lookback_days(plan.interval);
    let horizon = plan.styles.iter().map(|style| style.horizon_days(plan.interval)).max().unwrap_or(0);
    i64::from((2 * lookback).max(lookback + horizon + 3))
}

/// What became of a file since it was read.
enum FileChange {
    /// Nothing; its place among the files known.
    None(usize),
    /// It is longer; its place among the files known, and the hash it has now.
    Longer(usize, String),
    /// It was not there.
    New,
}

/// What has to be read of a symbol's files.
struct ReadPlan {
    /// What became of each file, in order.
    changes: Vec<FileChange>,
    /// The files of which something is read, by their place, with what is read.
    excerpts: Vec<(usize, CandleSource)>,
}

/// Takes in files that gained candles, by what they gained and the end of what was known; `None` where that is not all
/// there is to it.
pub(crate) fn read_grown(
    job: &SymbolJob<'_>,
    sources: &SymbolSources,
    old: &SymbolManifest,
    stamps: Option<&[FileStamp]>,
) -> Result<Option<(SymbolManifest, CandleSeries)>, SymbolError> {
    let Some(stamps) = stamps.filter(|_| old.may_grow(job)) else { return Ok(None) };
    let Some(reading) = plan_reading(&sources.sources, old, stamps, reread_days(job.plan))? else {
        return Ok(None);
    };
    let excerpts = reading.excerpts.iter().map(|(_, source)| source.clone()).collect();
    let excerpt = SymbolSources { symbol: sources.symbol.clone(), sources: excerpts };
    let loaded = load_symbol(&excerpt, job.ingest)?;
    let clean = |file: &FileReport| file.rejected.is_none() && file.issues.is_empty();
    if !loaded.issues.is_empty() || !loaded.files.iter().all(clean) {
        return Ok(None);
    }
    let Some(mut memory) = old.grown(loaded.series.bars()) else { return Ok(None) };
    memory.stamps = stamps.to_vec();
    (memory.files, memory.spans) = (Vec::new(), Vec::new());
    for (place, change) in reading.changes.iter().enumerate() {
        let read = reading.excerpts.iter().position(|(excerpt, _)| *excerpt == place);
        let report = read.map(|read| &loaded.files[read]);
        let (file, span) = match (change, report) {
            (FileChange::None(known), _) => (old.files[*known].clone(), old.spans[*known]),
            (FileChange::Longer(known, hash), Some(report)) => {
                let mut file = old.files[*known].clone();
                file.identity.hash.clone_from(hash);
                let first = old.spans[*known].map(|(first, _)| first);
                (file, first.zip(span_of(report).map(|(_, last)| last)))
            }
            (FileChange::New, Some(report)) => {
                let span = span_of(report);
                // What is new lies behind all that was known.
                if span.is_none_or(|(first, _)| first <= old.last_open) {
                    return Ok(None);
                }
                (FileNote::from(report), span)
            }
            (_, None) => return Ok(None),
        };
        memory.files.push(file);
        memory.spans.push(span);
    }
    Ok(Some((memory, loaded.series)))
}

/// Finds out what to read; `None` where a file is gone, or changed in another way than growing.
fn plan_reading(
    sources: &[CandleSource],
    old: &SymbolManifest,
    stamps: &[FileStamp],
    reread_days: i64,
) -> Result<Option<ReadPlan>, SymbolError> {
    let resume_ms = old.last_open - reread_days * DAY_MS;
    let mut reading = ReadPlan { changes: Vec::new(), excerpts: Vec::new() };
    let name = |stamp: &FileStamp| (stamp.path.clone(), stamp.entry.clone());
    let known: BTreeMap<_, usize> = old.stamps.iter().map(name).zip(0..).collect();
    for (place, (source, stamp)) in sources.iter().zip(stamps).enumerate() {
        let Some(known) = known.get(&name(stamp)).copied() else {
            reading.changes.push(FileChange::New);
            reading.excerpts.push((place, source.clone()));
            continue;
        };
        let last = old.spans[known].map_or(i64::MIN, |(_, last)| last);
        if stamp.is_still(&old.stamps[known]) {
            reading.changes.push(FileChange::None(known));
            if last >= resume_ms {
                reading.excerpts.push((place, source.clone()));
            }
            continue;
        }
        let (first, last) = old.spans[known].unwrap_or_default();
        let bars = u64::try_from((last - first) / old.interval_ms + 1).unwrap_or(1);
        let reread = (reread_days * DAY_MS / old.interval_ms).unsigned_abs();
        let size = old.stamps[known].size;
        let hash = &old.files[known].identity.hash;
        let Some(growth) = growth(source, size, hash, size / bars * reread)? else { return Ok(None) };
        // What columns hold without a header, all rows show together.
        if growth.excerpt.has_no_header() {
            return Ok(None);
        }
        reading.changes.push(FileChange::Longer(known, growth.hash));
        reading.excerpts.push((place, growth.excerpt));
    }
    let kept = reading.changes.iter().filter(|change| !matches!(change, FileChange::New)).count();
    Ok((kept == old.files.len()).then_some(reading))
}

/// Returns the open times of a file's first and last candle, if it is used.
pub(crate) fn span_of(report: &FileReport) -> Option<(i64, i64)> {
    report.first_open.zip(report.last_open).filter(|_| report.rejected.is_none())
}
