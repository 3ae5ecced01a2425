//! `optimizer memory`: what a run's memory consists of, and whether a process grows.

use std::fs::OpenOptions;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::context::Context;
use super::failure::{Failure, code};
use super::values;
use crate::config::MemoryAlarms;
use crate::diagnose::heap::{HeapProfile, HeapProfileError, is_heap_profile};
use crate::diagnose::process::{MemoryGrowth, MemorySample, ProcessError, memory_trend, sample};
use crate::documents::memory::{
    ComponentPart, HeapDiffDocument, MemoryDiffDocument, MemoryReportDocument, MemoryWatchDocument,
    SamplePart,
};
use crate::engine::plan::DayLimits;
use crate::evaluate::sweep::GridPoint;
use crate::ingest::open_regular;
use crate::model::{Style, excerpt};
use crate::store::{StoreError, View};

/// Bytes of a line of snapshots at most.
const SNAPSHOT_BYTES_MAX: u64 = 4 << 10;
/// Longest heap profile that is read.
const HEAP_PROFILE_BYTES_MAX: u64 = 64 << 20;
/// Samples of one watch at most: a day, second by second.
const SAMPLES_MAX: usize = 86_400;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum MemoryCommand {
    /// What the memory of a run consists of, and what earlier runs took
    Report,
    /// Follow a process and say whether its memory grows; exit 1 on an alarm or a leak
    Watch {
        /// The process
        #[arg(long, value_parser = values::process())]
        pid: u32,
        #[command(flatten)]
        watching: Watching,
    },
    /// The same, with the process named first
    Attach {
        /// The process
        #[arg(value_parser = values::process())]
        pid: u32,
        #[command(flatten)]
        watching: Watching,
    },
    /// Compare two heap profiles by allocation site, growth first, or the last samples of two files of snapshots
    Diff {
        /// The earlier file
        before: PathBuf,
        /// The later file
        after: PathBuf,
    },
}

/// How a process is followed.
#[derive(Debug, clap::Args)]
pub(crate) struct Watching {
    /// Time between two samples
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = values::time)]
    interval: Duration,
    /// How long to follow it
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = values::time)]
    time: Duration,
    /// File to add every sample to, one JSON object a line
    #[arg(long, value_name = "FILE")]
    snapshots: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, command: &MemoryCommand) -> Result<u8, Failure> {
    match command {
        MemoryCommand::Report => run_report(context),
        MemoryCommand::Watch { pid, watching } | MemoryCommand::Attach { pid, watching } => {
            run_watch(context, *pid, watching)
        }
        MemoryCommand::Diff { before, after } => run_diff(context, before, after),
    }
}

/// Compares two files of the same kind.
fn run_diff(context: &Context, before: &Path, after: &Path) -> Result<u8, Failure> {
    match (read(before)?, read(after)?) {
        (MemoryFile::Heap(before), MemoryFile::Heap(after)) => {
            context.print(HeapDiffDocument::new(&before, &after), HeapDiffDocument::text)?;
        }
        (MemoryFile::Sample(before), MemoryFile::Sample(after)) => {
            context.print(MemoryDiffDocument::new(*before, *after), MemoryDiffDocument::text)?;
        }
        _ => {
            let message = "expected two heap profiles or two files of snapshots, found one of each";
            return Err(Failure::new(code::DATA, message));
        }
    }
    Ok(0)
}

fn run_report(context: &Context) -> Result<u8, Failure> {
    let config = context.config(&[])?;
    let plan = config.plan(&Style::ALL, DayLimits::default())?;
    let alarms = config.memory_alarms()?;
    let profile = context.global.profile.as_str();
    let runs = match View::open(&context.store()) {
        Ok(view) => view.read()?.runs(profile, .., MemoryReportDocument::RUNS_SHOWN)?,
        Err(StoreError::NoStore { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut document = MemoryReportDocument::of_runs(runs, &alarms, context.now_ms)?;
    let mut add = |name: String, bytes: u64, basis: &str| {
        document.components.push(ComponentPart { name, bytes, basis: basis.to_owned() });
    };
    for style in &plan.styles {
        let bytes = style.space.sets() * size_of::<GridPoint>();
        add(format!("tallies of {}", style.space.style()), bytes as u64, "exact");
    }
    if let Some(limit) = config.memory_bytes()? {
        add("the whole process (limits.memory)".to_owned(), limit, "limit");
    }
    context.print(document, MemoryReportDocument::text)?;
    Ok(0)
}

fn run_watch(context: &Context, pid: u32, watching: &Watching) -> Result<u8, Failure> {
    let (interval, time, snapshots) = (watching.interval, watching.time, watching.snapshots.as_deref());
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
    let found = memory_trend(&samples, alarms.growth_per_hour_bytes as f64);
    let highest = samples.iter().map(|sample| sample.rss_bytes).max().unwrap_or(0);
    let alarm = alarms.alarm(highest);
    let document = MemoryWatchDocument::new(pid, &samples, found, alarm, ended);
    let document = document.ok_or_else(|| Failure::from(ProcessError::NoProcess { pid }))?;
    context.print(document, MemoryWatchDocument::text)?;
    Ok(if alarm != "none" || found.growth == MemoryGrowth::Leak { code::ATTENTION } else { 0 })
}

/// A file that can be compared.
enum MemoryFile {
    /// The last of its samples.
    Sample(Box<SamplePart>),
    /// A heap profile.
    Heap(HeapProfile),
}

/// Reads a heap profile, or the last sample in a file of snapshots.
fn read(path: &Path) -> Result<MemoryFile, Failure> {
    let failed = |error| failed("read", path, &error);
    let mut input = std::io::BufReader::new(open_regular(path).map_err(failed)?);
    // A profile names its format at its beginning.
    if !is_heap_profile(&String::from_utf8_lossy(input.fill_buf().map_err(failed)?)) {
        return last_of(input, path).map(|sample| MemoryFile::Sample(Box::new(sample)));
    }
    let mut text = String::new();
    input.take(HEAP_PROFILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    let wrong = |error: HeapProfileError| {
        let (path, error) = (path.display(), error.to_string());
        Failure::new(code::DATA, format!("`{path}`: {}", excerpt(&error)))
    };
    HeapProfile::parse(&text).map(MemoryFile::Heap).map_err(wrong)
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
            Failure::new(code::DATA, message).hint(
                "`optimizer memory watch --snapshots FILE` writes them, `--heap-profile FILE` heap profiles",
            )
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
