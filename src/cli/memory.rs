//! `optimizer memory`: what a run's memory consists of, and whether a process grows.

use std::fs::OpenOptions;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::context::Context;
use super::failure::{Failure, code};
use super::incremental::duration;
use crate::evaluate::sweep::GridPoint;
use crate::model::{Style, excerpt, rfc3339};
use crate::present::memory::{
    ComponentPart, MemoryDiffDocument, MemoryReportDocument, MemoryWatchDocument, RunPeakPart, SamplePart,
};
use crate::run::config::MemoryAlarms;
use crate::run::plan::DayLimits;
use crate::run::process::{Growth, MemorySample, ProcessError, sample, trend};
use crate::store::{StoreError, View};

/// Exit code of a watch that ends in an alarm.
const ALARM: u8 = 1;
/// Runs whose peaks are shown.
const RUNS_SHOWN: usize = 10;
/// Bytes of a line of snapshots at most.
const SNAPSHOT_BYTES_MAX: u64 = 4 << 10;
/// Samples of one watch at most: a day, second by second.
const SAMPLES_MAX: usize = 86_400;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// What the memory of a run consists of, and what earlier runs took
    Report,
    /// Follow a process and say whether its memory grows; exit 1 on an alarm or a leak
    Watch {
        /// The process
        #[arg(long)]
        pid: u32,
        /// Time between two samples
        #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
        interval: Duration,
        /// How long to follow it
        #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = duration)]
        time: Duration,
        /// File to add every sample to, one JSON object a line
        #[arg(long, value_name = "FILE")]
        snapshots: Option<PathBuf>,
    },
    /// Compare the last samples of two files of snapshots
    Diff {
        /// The earlier file
        before: PathBuf,
        /// The later file
        after: PathBuf,
    },
}

pub(crate) fn run(context: &Context, command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Report => report(context),
        Command::Watch { pid, interval, time, snapshots } => {
            watch(context, *pid, *interval, *time, snapshots.as_deref())
        }
        Command::Diff { before, after } => {
            let document = MemoryDiffDocument::new(last_sample(before)?, last_sample(after)?);
            context.print(document, MemoryDiffDocument::text)?;
            Ok(0)
        }
    }
}

fn report(context: &Context) -> Result<u8, Failure> {
    let config = context.config(&[])?;
    let plan = config.plan(&Style::ALL, DayLimits::default())?;
    let alarms = config.memory_alarms()?;
    let part = |name: &str, bytes: u64, basis: &str| ComponentPart {
        name: name.to_owned(),
        bytes,
        basis: basis.to_owned(),
    };
    let mut components = vec![
        part("page cache of the store", crate::store::STATE_CACHE_BYTES as u64, "limit"),
        part("page cache of evaluated units", crate::store::EVALS_CACHE_BYTES as u64, "limit"),
        part("page cache of a reader", crate::store::VIEW_CACHE_BYTES as u64, "limit"),
    ];
    for style in &plan.styles {
        let bytes = style.space.sets() * size_of::<GridPoint>();
        components.push(part(&format!("tallies of {}", style.space.style()), bytes as u64, "exact"));
    }
    if let Some(limit) = config.memory_bytes()? {
        components.push(part("the whole process (limits.memory)", limit, "limit"));
    }
    let own = std::process::id();
    let profile = context.global.profile.as_str();
    let runs = match View::open(&context.store()) {
        Ok(view) => view.read()?.runs(profile, .., RUNS_SHOWN)?,
        Err(StoreError::NoStore { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let peak = |(run, record): (u64, crate::store::records::RunRecord)| RunPeakPart {
        run,
        started_at: rfc3339(record.started_at_ms),
        peak_rss_bytes: record.peak_rss_bytes,
        alarm: alarms.alarm(record.peak_rss_bytes).to_owned(),
    };
    let document = MemoryReportDocument {
        own: SamplePart::new(own, &sample(own, context.now_ms)?),
        components,
        warning_bytes: alarms.warning_bytes,
        critical_bytes: alarms.critical_bytes,
        // Decisions by hand measured nothing.
        runs: runs.into_iter().filter(|(_, run)| run.peak_rss_bytes > 0).map(peak).collect(),
    };
    context.print(document, MemoryReportDocument::text)?;
    Ok(0)
}

fn watch(
    context: &Context,
    pid: u32,
    interval: Duration,
    time: Duration,
    snapshots: Option<&Path>,
) -> Result<u8, Failure> {
    let alarms: MemoryAlarms = context.config(&[])?.memory_alarms()?;
    if time.as_millis() / interval.as_millis() > SAMPLES_MAX as u128 {
        let message = format!("--interval: expected at most {SAMPLES_MAX} samples in the time given");
        return Err(Failure::new(code::USAGE, message).hint("take a longer interval"));
    }
    let mut file = match snapshots {
        Some(path) => {
            let opened = OpenOptions::new().append(true).create(true).open(path);
            Some(opened.map_err(|error| failed("write", path, &error))?)
        }
        None => None,
    };
    let clock = Instant::now();
    let mut samples: Vec<MemorySample> = Vec::new();
    let ended = loop {
        let at_ms = context.now_ms + clock.elapsed().as_millis() as i64;
        match sample(pid, at_ms) {
            Ok(found) => samples.push(found),
            Err(ProcessError::NoProcess { .. }) if !samples.is_empty() => break true,
            Err(error) => return Err(error.into()),
        }
        if let (Some(file), Some(path), Some(last)) = (&mut file, snapshots, samples.last()) {
            let line = serde_json::to_string(&SamplePart::new(pid, last)).unwrap_or_default();
            writeln!(file, "{line}").map_err(|error| failed("write", path, &error))?;
        }
        if clock.elapsed() + interval > time {
            break false;
        }
        std::thread::sleep(interval);
    };
    let found = trend(&samples, alarms.growth_per_hour_bytes as f64);
    let highest = samples.iter().map(|sample| sample.rss_bytes).max().unwrap_or(0);
    let alarm = alarms.alarm(highest);
    let document = MemoryWatchDocument::new(pid, &samples, found, alarm, ended);
    let document = document.ok_or_else(|| Failure::from(ProcessError::NoProcess { pid }))?;
    context.print(document, MemoryWatchDocument::text)?;
    Ok(if alarm != "none" || found.growth == Growth::Leak { ALARM } else { 0 })
}

/// Returns the last sample in a file of snapshots.
fn last_sample(path: &Path) -> Result<SamplePart, Failure> {
    let file = std::fs::File::open(path).map_err(|error| failed("read", path, &error))?;
    last_of(std::io::BufReader::new(file), path)
}

/// Returns the last sample among lines of snapshots.
pub(super) fn last_of(mut lines: impl BufRead, path: &Path) -> Result<SamplePart, Failure> {
    let (mut last, mut text, mut line) = (None, Vec::new(), 0_u64);
    loop {
        text.clear();
        line += 1;
        let read = (&mut lines).take(SNAPSHOT_BYTES_MAX).read_until(b'\n', &mut text);
        if read.map_err(|error| failed("read", path, &error))? == 0 {
            break;
        }
        let parsed = serde_json::from_slice(&text).map_err(|error| {
            let (path, error) = (path.display(), error.to_string());
            let message = format!("`{path}`, line {line}: expected a snapshot, found {}", excerpt(&error));
            Failure::new(code::DATA, message).hint("`optimizer memory watch --snapshots FILE` writes them")
        })?;
        last = Some(parsed);
    }
    last.ok_or_else(|| {
        Failure::new(code::DATA, format!("expected snapshots in `{}`, found none", path.display()))
    })
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(code::IO, format!("cannot {what} `{}`: {error}", path.display()))
}

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        Self::new(code::USAGE, error.to_string())
    }
}
