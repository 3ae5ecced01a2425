//! Memory of processes: reports, watches, differences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::document::Document;
use crate::config::MemoryAlarms;
use crate::diagnose::heap::{HeapProfile, SiteChange, heap_differences};
use crate::diagnose::process::{MemorySample, MemoryTrend, ProcessError, sample};
use crate::model::rfc3339;
use crate::store::records::RunRecord;
use crate::store::{EVALS_CACHE_BYTES, STATE_CACHE_BYTES, VIEW_CACHE_BYTES};

/// A sample; also a line of a file of snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SamplePart {
    pub at: String,
    pub pid: u32,
    pub rss_bytes: u64,
    pub peak_rss_bytes: u64,
    /// Heap and stacks.
    pub anonymous_bytes: u64,
    /// The program and mapped files.
    pub file_bytes: u64,
    pub swap_bytes: u64,
    pub threads: u64,
}

impl SamplePart {
    /// Returns the part of a sample.
    pub fn new(pid: u32, sample: &MemorySample) -> Self {
        Self {
            at: rfc3339(sample.at_ms),
            pid,
            rss_bytes: sample.rss_bytes,
            peak_rss_bytes: sample.peak_rss_bytes,
            anonymous_bytes: sample.anonymous_bytes,
            file_bytes: sample.file_bytes,
            swap_bytes: sample.swap_bytes,
            threads: sample.threads,
        }
    }
}

/// The observations of a process over a time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MemoryWatchDocument {
    pub pid: u32,
    pub samples: u64,
    pub first: SamplePart,
    pub last: SamplePart,
    pub highest_rss_bytes: u64,
    /// Slope of least squares of resident memory.
    pub bytes_per_hour: f64,
    /// Share of the spread that a straight line explains.
    pub explained: f64,
    /// `steady`, `uneven`, `leak`, or `too_short` to say.
    pub growth: String,
    /// `none`, `warning` or `critical`, by `[memory]`.
    pub alarm: String,
    /// Whether the process ended before the watch did.
    pub ended: bool,
}

impl Document for MemoryWatchDocument {
    const KIND: &'static str = "memory_watch";
}

impl MemoryWatchDocument {
    /// Returns the document of a watch; there is at least one sample.
    pub fn new(
        pid: u32,
        samples: &[MemorySample],
        trend: MemoryTrend,
        alarm: &str,
        ended: bool,
    ) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        Some(Self {
            pid,
            samples: samples.len() as u64,
            first: SamplePart::new(pid, first),
            last: SamplePart::new(pid, last),
            highest_rss_bytes: samples.iter().map(|sample| sample.rss_bytes).max()?,
            bytes_per_hour: trend.bytes_per_hour,
            explained: trend.explained,
            growth: trend.growth.as_str().to_owned(),
            alarm: alarm.to_owned(),
            ended,
        })
    }
}

/// A part of the memory of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ComponentPart {
    /// What it is.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// `limit`: never more; `exact`: just that; `estimate`: by measured constants.
    pub basis: String,
}

/// The peak of an earlier run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RunPeakPart {
    pub run: u64,
    pub started_at: String,
    pub peak_rss_bytes: u64,
    /// `none`, `warning` or `critical`, by `[memory]`.
    pub alarm: String,
}

/// The parts of a run's memory, and what earlier runs took.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MemoryReportDocument {
    /// This process, which only made the report.
    pub own: SamplePart,
    /// Parts of a run with this configuration.
    pub components: Vec<ComponentPart>,
    pub warning_bytes: u64,
    pub critical_bytes: u64,
    /// The last runs of the profile, newest first.
    pub runs: Vec<RunPeakPart>,
}

impl Document for MemoryReportDocument {
    const KIND: &'static str = "memory_report";
}

impl MemoryReportDocument {
    /// Runs whose peaks are shown.
    pub const RUNS_SHOWN: usize = 10;

    /// Returns what this process and some runs took, with the parts that every program that opens a store has.
    ///
    /// Errors: the system does not say what this process takes
    pub fn of_runs(
        runs: Vec<(u64, RunRecord)>,
        alarms: &MemoryAlarms,
        now_ms: i64,
    ) -> Result<Self, ProcessError> {
        let part = |name: &str, bytes: usize| ComponentPart {
            name: name.to_owned(),
            bytes: bytes as u64,
            basis: "limit".to_owned(),
        };
        let own = std::process::id();
        let peak = |(run, record): (u64, RunRecord)| RunPeakPart {
            run,
            started_at: rfc3339(record.started_at_ms),
            peak_rss_bytes: record.peak_rss_bytes,
            alarm: alarms.alarm(record.peak_rss_bytes).to_owned(),
        };
        Ok(Self {
            own: SamplePart::new(own, &sample(own, now_ms)?),
            components: vec![
                part("page cache of the store", STATE_CACHE_BYTES),
                part("page cache of evaluated units", EVALS_CACHE_BYTES),
                part("page cache of a reader", VIEW_CACHE_BYTES),
            ],
            warning_bytes: alarms.warning_bytes,
            critical_bytes: alarms.critical_bytes,
            // Decisions by hand measured nothing.
            runs: runs.into_iter().filter(|(_, run)| run.peak_rss_bytes > 0).map(peak).collect(),
        })
    }
}

/// The differences in memory between two snapshots.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MemoryDiffDocument {
    pub before: SamplePart,
    pub after: SamplePart,
    /// After less before, by name.
    pub changes: std::collections::BTreeMap<String, i64>,
}

impl Document for MemoryDiffDocument {
    const KIND: &'static str = "memory_diff";
}

/// Picks one figure of a sample.
type Figure = fn(&SamplePart) -> u64;

impl MemoryDiffDocument {
    /// Compares two snapshots.
    pub fn new(before: SamplePart, after: SamplePart) -> Self {
        let parts: [(&str, Figure); 6] = [
            ("rss_bytes", |part| part.rss_bytes),
            ("peak_rss_bytes", |part| part.peak_rss_bytes),
            ("anonymous_bytes", |part| part.anonymous_bytes),
            ("file_bytes", |part| part.file_bytes),
            ("swap_bytes", |part| part.swap_bytes),
            ("threads", |part| part.threads),
        ];
        let change = |(name, part): (&str, Figure)| {
            (name.to_owned(), part(&after).cast_signed().saturating_sub(part(&before).cast_signed()))
        };
        let changes = parts.into_iter().map(change).collect();
        Self { before, after, changes }
    }
}

/// What one allocation site held in two profiles.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SitePart {
    /// The innermost function of the program that asked for the memory, with its place in the source if known.
    pub site: String,
    /// Bytes at the peak of the whole heap.
    pub peak_bytes_before: u64,
    pub peak_bytes_after: u64,
    /// After less before.
    pub growth_bytes: i64,
    /// Blocks at the peak of the whole heap.
    pub peak_blocks_before: u64,
    pub peak_blocks_after: u64,
}

impl SitePart {
    fn new(change: SiteChange) -> Self {
        Self {
            growth_bytes: change.growth_bytes(),
            peak_bytes_before: change.before.peak_bytes,
            peak_bytes_after: change.after.peak_bytes,
            peak_blocks_before: change.before.peak_blocks,
            peak_blocks_after: change.after.peak_blocks,
            site: change.site,
        }
    }
}

/// The differences of two heap profiles.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct HeapDiffDocument {
    /// All sites together.
    pub all: SitePart,
    /// Sites that differ: the one that grew most first, the one that shrank most last.
    pub sites: Vec<SitePart>,
    /// Sites that are the same at the peak of both.
    pub unchanged: u64,
}

impl Document for HeapDiffDocument {
    const KIND: &'static str = "heap_diff";
}

impl HeapDiffDocument {
    /// Compares two profiles.
    pub fn new(before: &HeapProfile, after: &HeapProfile) -> Self {
        let changes = heap_differences(before, after);
        let known = before.sites.keys().chain(after.sites.keys()).collect::<BTreeSet<_>>().len();
        let all = SiteChange { site: "all".to_owned(), before: before.sum(), after: after.sum() };
        Self {
            all: SitePart::new(all),
            unchanged: (known - changes.len()) as u64,
            sites: changes.into_iter().map(SitePart::new).collect(),
        }
    }
}
