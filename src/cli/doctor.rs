//! `optimizer doctor`: whether store, disk, clock, configuration and candles are as they should be.

use std::path::PathBuf;
use std::time::Duration;

use super::context::Context;
use super::failure::{Failure, chain, code};
use super::files::FileArguments;
use super::incremental::{BadRows, on_conflict};
use super::values;
use crate::config::Config;
use crate::diagnose::health::{SymbolHealth, examine_candles};
use crate::documents::doctor::{
    CheckPart, DoctorDocument, DoctorRunPart, FileSpacePart, Status, SymbolFreshnessPart,
};
use crate::engine::plan::AgeLimit;
use crate::engine::plan::Plan;
use crate::model::rfc3339;
use crate::run::RunOptions;
use crate::run::clock::{is_set_back, latest_run_ms};
use crate::run::freshness::{CLOCK_MIN_MS, CLOCK_TOLERANCE_MS};
use crate::store::StoreError;
use crate::store::health::{
    ASIDE_MAX, BackupHealth, FileHealth, FileState, StoreHealth, compact_store, examine_store, repair_store,
};

/// Runs shown.
const RUNS_SHOWN: usize = 5;
/// Percent of a file that may lie idle (the engine doubles its file when it grows), and the size from which it matters.
const IDLE_PERCENT_MAX: u64 = 75;
const IDLE_BYTES_MIN: u64 = 64 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArguments {
    /// File or folder of candles; repeatable [default: data.paths of the configuration]
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    files: FileArguments,
    #[command(flatten)]
    bad_rows: BadRows,
    /// Age from which the newest candle, or the last run, is too old [default: data.stale_after of the configuration, 2d]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    stale_after: Option<Duration>,
    /// Throw away what is damaged and can be made again; what only the store knows is never touched
    #[arg(long)]
    repair: bool,
    /// Give unused space of the store's files back
    #[arg(long)]
    compact: bool,
}

pub(crate) fn run(context: &Context, arguments: &DoctorArguments) -> Result<u8, Failure> {
    let (document, exit) = examine(context, arguments)?;
    context.print(document, DoctorDocument::text)?;
    Ok(exit)
}

/// Looks at everything, and returns the exit code that says the worst of it.
pub(super) fn examine(
    context: &Context,
    arguments: &DoctorArguments,
) -> Result<(DoctorDocument, u8), Failure> {
    let mut report = DoctorReport::default();
    let dir = context.store();
    if arguments.repair {
        report.done = repair_store(&dir, context.now_ms)?;
    }
    if arguments.compact {
        let line = |file: crate::store::health::Compacted| {
            format!("compacted {}: {} -> {} bytes", file.name, file.before, file.after)
        };
        report.done.extend(compact_store(&dir, context.now_ms)?.into_iter().map(line));
    }
    let config = report.configuration(context, arguments);
    match examine_store(&dir) {
        Ok(found) => report.store(&found, config.as_ref().map(|(config, _)| config.store.backups)),
        Err(error @ StoreError::NoStore { .. }) => {
            report.note("store", Status::Warning, error.to_string(), error.hint());
        }
        Err(error) => return Err(error.into()),
    }
    let age = config.as_ref().map_or_else(AgeLimit::default, |(_, plan)| plan.age);
    let asked = arguments.stale_after.map(|time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
    let last_run_ms = report.history(context, asked.unwrap_or(age.stale_after_ms));
    if let Some((config, plan)) = &config {
        let stale_after_ms = asked.unwrap_or_else(|| age.stale_after_ms(plan.interval.ms()));
        report.candles(context, arguments, config, plan, stale_after_ms)?;
    }
    report.clock(context.now_ms, last_run_ms);
    let exit = report.exit_code();
    let document = DoctorDocument {
        healthy: exit == 0,
        checks: report.checks,
        files: report.files,
        symbols: report.symbols,
        runs: report.runs,
        done: report.done,
    };
    Ok((document, exit))
}

#[derive(Default)]
struct DoctorReport {
    checks: Vec<CheckPart>,
    files: Vec<FileSpacePart>,
    symbols: Vec<SymbolFreshnessPart>,
    runs: Vec<DoctorRunPart>,
    done: Vec<String>,
    newest_close_ms: Option<i64>,
    /// A symbol with candles that begin later than now, and what is noted of them.
    later: Option<String>,
}

impl DoctorReport {
    fn note(&mut self, name: &str, status: Status, detail: impl Into<String>, hint: Option<&str>) {
        let (name, detail) = (name.to_owned(), detail.into());
        self.checks.push(CheckPart { name, status, detail, hint: hint.map(str::to_owned) });
    }

    /// Returns the worst of what was found as an exit code.
    fn exit_code(&self) -> u8 {
        let of_check = |check: &CheckPart| match (check.status, check.name.as_str()) {
            (Status::Broken, "configuration") => (2, code::CONFIGURATION),
            (Status::Broken, _) => (3, code::STORE_REPAIR),
            (Status::Warning, _) => (1, code::ATTENTION),
            (Status::Ok | Status::Skipped, _) => (0, 0),
        };
        self.checks.iter().map(of_check).max().map_or(0, |(_, code)| code)
    }

    fn configuration(&mut self, context: &Context, arguments: &DoctorArguments) -> Option<(Config, Plan)> {
        let read = || -> Result<(Config, Plan), Failure> {
            let config = arguments.files.config(context, arguments.bad_rows.flags(), &arguments.data)?;
            let plan = config.check()?;
            super::notify::check_channels(&config)?;
            Ok((config, plan))
        };
        match read() {
            Ok((config, plan)) => {
                let sets: usize = plan.styles.iter().map(|style| style.space.sets()).sum();
                self.note("configuration", Status::Ok, format!("sound; {sets} parameter sets"), None);
                Some((config, plan))
            }
            Err(failure) => {
                let hint = "`optimizer config check` says the same after every change";
                self.note("configuration", Status::Broken, failure.message, Some(hint));
                None
            }
        }
    }

    fn store(&mut self, found: &StoreHealth, backups_asked: Option<usize>) {
        for file in &found.files {
            self.file(file);
        }
        for finding in &found.apart {
            let status = if finding.is_broken { Status::Broken } else { Status::Warning };
            self.note(finding.name, status, finding.detail.clone(), finding.hint);
        }
        let is_there = |file: &FileHealth| matches!(file.state, FileState::Whole(_));
        self.backups(&found.backups, backups_asked, found.files.first().is_some_and(is_there));
        let exposed = found.exposed.join("; ");
        match found.exposed.is_empty() {
            true => self.note("permissions", Status::Ok, "nobody else can read or write the store", None),
            false => self.note(
                "permissions",
                Status::Warning,
                exposed,
                Some(
                    "`optimizer doctor --repair` closes it to others; `sudo chown -R $(id -un) DIRECTORY` takes back what \
                     another user made",
                ),
            ),
        }
        if !found.leftovers.is_empty() {
            let hint = "a run was killed while it wrote them; `--repair` removes them";
            self.note("leftovers", Status::Warning, found.leftovers.join(", "), Some(hint));
        }
        if !found.set_aside.is_empty() {
            let bytes: u64 = found.set_aside.iter().map(|(_, bytes)| bytes).sum();
            let names: Vec<&str> = found.set_aside.iter().map(|(name, _)| name.as_str()).collect();
            let detail = format!("kept {bytes} bytes of what was replaced: {}", names.join(", "));
            let hint = format!(
                "remove them when nobody needs them any more; of each file the newest {ASIDE_MAX} are kept"
            );
            self.note("set aside", Status::Ok, detail, Some(&hint));
        }
        let detail = format!(
            "{} MiB free, {} MiB needed",
            found.free_bytes >> 20,
            found.needed_bytes.div_ceil(1 << 20)
        );
        match found.free_bytes >= found.needed_bytes {
            true => self.note("disk", Status::Ok, detail, None),
            false => {
                self.note("disk", Status::Warning, detail, Some("free disk space: runs refuse to write"))
            }
        }
    }

    /// Says how the backups are; `has_store` where there is something to have backups of.
    fn backups(&mut self, found: &BackupHealth, asked: Option<usize>, has_store: bool) {
        let BackupHealth { whole, damaged, foreign, behind } = found;
        let others = if *foreign > 0 { format!("; {foreign} of other stores") } else { String::new() };
        let detail = format!("{whole} whole{others}");
        if !damaged.is_empty() {
            let hint = "remove what cannot be used; every run makes another";
            self.note("backups", Status::Warning, format!("{detail}; {}", damaged.join("; ")), Some(hint));
            return;
        }
        let hint = "a run says why it cannot make one; `optimizer incremental` tries again";
        match (asked, behind) {
            (Some(0), _) => {
                self.note("backups", Status::Skipped, "none are asked for (store.backups = 0)", None)
            }
            (_, Some(behind)) if *behind > 0 => {
                let detail = format!("{detail}; the newest lacks the last {behind} of the runs stored");
                self.note("backups", Status::Warning, detail, Some(hint));
            }
            _ if *whole == 0 && has_store => self.note("backups", Status::Warning, detail, Some(hint)),
            _ => self.note("backups", Status::Ok, detail, None),
        }
    }

    fn file(&mut self, file: &FileHealth) {
        let mut part = FileSpacePart {
            name: file.name.to_owned(),
            bytes: file.bytes,
            stored_bytes: None,
            metadata_bytes: None,
            fragmented_bytes: None,
            free_bytes: None,
        };
        match &file.state {
            FileState::Missing if file.disposable => {
                self.note(file.name, Status::Ok, "not there; a run makes it", None);
            }
            FileState::Missing => {
                let hint = "run `optimizer incremental`, or restore a backup";
                self.note(file.name, Status::Warning, "not there", Some(hint));
            }
            FileState::Busy => self.note(file.name, Status::Skipped, "a run has it open", None),
            FileState::Broken(error) if file.disposable => {
                let hint = "`optimizer doctor --repair` throws it away (what is no file is moved aside); it is made again";
                self.note(file.name, Status::Broken, chain(error), Some(hint));
            }
            FileState::Broken(error) => self.note(file.name, Status::Broken, chain(error), error.hint()),
            FileState::Whole(space) => {
                let used = space.stored + space.metadata + space.fragmented;
                let idle = file.bytes.saturating_sub(space.stored + space.metadata);
                part.stored_bytes = Some(space.stored);
                part.metadata_bytes = Some(space.metadata);
                part.fragmented_bytes = Some(space.fragmented);
                part.free_bytes = Some(file.bytes.saturating_sub(used));
                let detail = format!(
                    "every row verified; {} of {} bytes in use",
                    file.bytes - idle.min(file.bytes),
                    file.bytes
                );
                let wasteful = file.bytes >= IDLE_BYTES_MIN && idle > file.bytes / 100 * IDLE_PERCENT_MAX;
                match wasteful {
                    true => self.note(
                        file.name,
                        Status::Warning,
                        detail,
                        Some("`optimizer doctor --compact` gives the rest back"),
                    ),
                    false => self.note(file.name, Status::Ok, detail, None),
                }
            }
        }
        if !matches!(file.state, FileState::Missing) {
            self.files.push(part);
        }
    }

    /// Reads the last runs of the profile; returns the latest beginning of those of all profiles.
    fn history(&mut self, context: &Context, stale_after_ms: i64) -> Option<i64> {
        let profile = context.global.profile.as_str();
        let read = || -> Result<_, StoreError> {
            crate::store::View::open(&context.store())?.read()?.runs(profile, .., RUNS_SHOWN)
        };
        let latest = || -> Result<Option<i64>, StoreError> {
            latest_run_ms(&crate::store::View::open(&context.store())?.read()?)
        };
        // What cannot be read was told of its file.
        let runs = read().unwrap_or_default();
        let Some((last, started_ms)) = runs.first().map(|(id, run)| (*id, run.started_at_ms)) else {
            self.note("runs", Status::Skipped, format!("none of profile {profile} yet"), None);
            return None;
        };
        let detail = format!("run {last} began {}", rfc3339(started_ms));
        match context.now_ms - started_ms > stale_after_ms {
            true => self.note("runs", Status::Warning, detail, Some("is the daily run still scheduled?")),
            false => self.note("runs", Status::Ok, detail, None),
        }
        self.runs = runs
            .into_iter()
            .map(|(id, run)| DoctorRunPart {
                run: id,
                started_at: rfc3339(run.started_at_ms),
                result: run.result,
                exit_code: run.exit_code,
                duration_ms: run.duration_ms,
                peak_rss_bytes: run.peak_rss_bytes,
            })
            .collect();
        latest().unwrap_or_default().or(Some(started_ms))
    }

    /// Looks at the candles and evaluates a sample of what would be reused.
    fn candles(
        &mut self,
        context: &Context,
        arguments: &DoctorArguments,
        config: &Config,
        plan: &Plan,
        stale_after_ms: i64,
    ) -> Result<(), Failure> {
        let data = if arguments.data.is_empty() { &config.data.paths } else { &arguments.data };
        if data.is_empty() {
            self.note("candles", Status::Skipped, "no --data and no data.paths", None);
            return Ok(());
        }
        let options = RunOptions {
            signals: config.signals.file.clone(),
            store: Some(context.location()?),
            profile: context.global.profile.clone(),
            on_conflict: on_conflict(None, config),
            cache_bytes: config.cache_bytes()?,
            ..RunOptions::over(data.clone(), context.now_ms)
        };
        let found = match context.pool()?.install(|| examine_candles(plan, &options)) {
            Ok(found) => found,
            Err(error) => {
                let failure = Failure::from(error);
                // A run at work is no ailment.
                let busy = failure.code == code::STORE_BUSY;
                let status = if busy { Status::Skipped } else { Status::Warning };
                self.note("candles", status, failure.message, failure.hint.as_deref());
                return Ok(());
            }
        };
        self.freshness(&found, context.now_ms, stale_after_ms);
        let (checked, unsound): (u64, Vec<&str>) = (
            found.iter().map(|symbol| symbol.checked).sum(),
            found.iter().filter(|symbol| !symbol.sound).map(|symbol| symbol.name.as_str()).collect(),
        );
        match (checked, unsound.is_empty()) {
            (0, _) => self.note("reuse", Status::Skipped, "nothing would be reused with this plan", None),
            (_, true) => {
                self.note("reuse", Status::Ok, format!("{checked} units evaluated again, all repeat"), None)
            }
            (_, false) => {
                let hint = "`optimizer incremental --full` evaluates everything again";
                self.note(
                    "reuse",
                    Status::Broken,
                    format!("cached units do not repeat: {}", unsound.join(", ")),
                    Some(hint),
                );
            }
        }
        Ok(())
    }

    fn freshness(&mut self, found: &[SymbolHealth], now_ms: i64, stale_after_ms: i64) {
        let stale = |symbol: &&SymbolHealth| now_ms - symbol.newest_close_ms > stale_after_ms;
        let old: Vec<&str> = found.iter().filter(stale).map(|symbol| symbol.name.as_str()).collect();
        match (found.is_empty(), old.is_empty()) {
            (true, _) => self.note("candles", Status::Warning, "no candles found", Some("check the path")),
            (_, true) => {
                self.note("candles", Status::Ok, format!("{} symbols, all fresh", found.len()), None)
            }
            (_, false) => {
                let detail = format!("too old: {}", old.join(", "));
                self.note("candles", Status::Warning, detail, Some("is the download still running?"));
            }
        }
        let later = found.iter().find_map(|symbol| Some((&symbol.name, symbol.later.as_ref()?)));
        self.later = later.map(|(symbol, detail)| format!("candles of {symbol} begin later: {detail}"));
        self.newest_close_ms = found.iter().map(|symbol| symbol.newest_close_ms).max();
        self.symbols = found
            .iter()
            .map(|symbol| SymbolFreshnessPart {
                symbol: symbol.name.clone(),
                newest_close_at: rfc3339(symbol.newest_close_ms),
                age_hours: (now_ms - symbol.newest_close_ms) as f64 / 3_600_000.0,
                reusable: symbol.reusable,
                checked: symbol.checked,
                sound: symbol.sound,
            })
            .collect();
    }

    fn clock(&mut self, now_ms: i64, last_run_ms: Option<i64>) {
        let is_before = |then: Option<i64>| then.is_some_and(|then| then > now_ms + CLOCK_TOLERANCE_MS);
        // The rule of a run, which adopts nothing then.
        let is_set_back = last_run_ms.is_some_and(|last| is_set_back(now_ms, last));
        let ahead = match (is_before(Some(CLOCK_MIN_MS)), is_set_back, is_before(self.newest_close_ms)) {
            (true, ..) => Some("year 2020"),
            (_, true, _) => Some("last run"),
            (_, _, true) => Some("newest candle"),
            _ => None,
        };
        let before = ahead.map(|what| format!("{} is before the {what}", rfc3339(now_ms)));
        let later = self.later.take().map(|later| format!("it says {}, and {later}", rfc3339(now_ms)));
        let hint = "set the clock, or look where the files come from";
        match before.or(later) {
            None => self.note("clock", Status::Ok, rfc3339(now_ms), None),
            Some(detail) => self.note("clock", Status::Warning, detail, Some(hint)),
        }
    }
}
