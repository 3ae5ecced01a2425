//! `optimizer incremental`: the daily run.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::context::{Context, typed_without};
use super::failure::{Failure, code};
use super::files::FileArguments;
use super::output::HeadTone;
use super::values;
use crate::config::{Config, ConflictPolicy};
use crate::decide::RunResult;
use crate::documents::dry_run::ForecastDocument;
use crate::documents::inspect::SymbolWorkPart;
use crate::documents::run::RunDocument;
use crate::engine::plan::{DayLimits, Plan};
use crate::ingest::OnConflict;
use crate::model::Day;
use crate::render::text::decision::{decision_text, next_command};
use crate::render::text::inspect::explain_text;
use crate::render::text::run::{rejected_lines, run_text, run_warnings, summary_line};
use crate::run::dry_run::estimate_run;
use crate::run::report::RunReport;
use crate::run::{RunOptions, incremental_to_tell};

#[derive(Debug, clap::Args)]
pub(crate) struct IncrementalArguments {
    /// File or folder of candles; repeatable [default: data.paths of the configuration]
    #[arg(long, value_name = "PATH")]
    data: Vec<PathBuf>,
    /// CSV or Parquet file of signals to tune on, instead of deriving them from candles [default: signals.file of the configuration]
    #[arg(long, value_name = "FILE")]
    signals: Option<PathBuf>,
    /// Styles to tune
    #[arg(long, value_name = "STYLE", default_value = values::EVERY_STYLE, value_parser = values::styles())]
    style: String,
    /// Only these symbols, e.g. BTCUSDT,ETHUSDT
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    symbols: Vec<String>,
    /// Days FROM-TO as YYYYMMDD-YYYYMMDD, either end open; TO is the first day not looked at
    #[arg(long, value_name = "FROM-TO")]
    timerange: Option<String>,
    /// Only the last days, e.g. 90d or 26w, or all [default: 365d]
    #[arg(long, value_name = "DAYS", value_parser = values::window)]
    window: Option<String>,
    /// What to do with differing candles for one symbol and time
    #[arg(long, value_enum, value_name = "POLICY")]
    on_conflict: Option<ConflictArgument>,
    #[command(flatten)]
    bad_rows: BadRows,
    #[command(flatten)]
    files: FileArguments,
    /// What to maximise: balanced, legacy, expectancy, profit_factor, sharpe, total_return
    #[arg(long, value_name = "NAME")]
    score: Option<String>,
    /// A condition on the result, e.g. "max_drawdown_pct<25"; repeatable
    #[arg(long, value_name = "CONDITION")]
    constraint: Vec<String>,
    /// How to search a space beyond the budget: grid (refuse it), random, coarse-fine, polish
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Parameter sets per stage and style at most; smaller spaces are searched whole [default: 200000]
    #[arg(long, value_name = "SETS", value_parser = values::parameter_sets)]
    budget: Option<u64>,
    /// Leave out the tests against luck; then nothing is adopted that has to pass them
    #[arg(long)]
    quick: bool,
    /// Parameter sets tried elsewhere; they count as tries
    #[arg(long, value_name = "N", value_parser = values::parameter_sets)]
    declared_trials: Option<u64>,
    /// Stop after so long, e.g. 45m or 90s, at the next commit of what was evaluated; run again to go on
    #[arg(long, value_name = "TIME", value_parser = values::time, conflicts_with = "no_save")]
    time_budget: Option<Duration>,
    /// Evaluate everything, whatever earlier runs left
    #[arg(long)]
    full: bool,
    /// Say why each unit was evaluated
    #[arg(long)]
    explain: bool,
    /// Compute and print, but store nothing
    #[arg(long)]
    no_save: bool,
    /// Tell nobody, whatever the configuration says
    #[arg(long)]
    no_notify: bool,
    /// Only say what would be evaluated and why, how long it would take and in how much memory; nothing is written
    #[arg(long)]
    dry_run: bool,
    /// Exit with 0 for every result (10, 11, 12 included)
    #[arg(long)]
    exit_zero: bool,
}

/// What commands that read candles take for files of many bad rows.
#[derive(Debug, clap::Args)]
pub(crate) struct BadRows {
    /// What to do with a file of which more than 1 % of the rows cannot be used
    #[arg(long, value_enum, value_name = "POLICY")]
    on_bad_rows: Option<BadRowsFlag>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum BadRowsFlag {
    /// Use nothing of the file
    Error,
    /// Leave those rows out, as long as most can be used; counted
    Skip,
}

impl BadRows {
    /// Returns the configuration key that the flag stands for.
    pub(crate) fn flags(&self) -> Vec<(&'static str, String)> {
        let policy = |flag| if matches!(flag, BadRowsFlag::Skip) { "\"skip\"" } else { "\"error\"" };
        self.on_bad_rows.map(|flag| ("data.on_bad_rows", policy(flag).to_owned())).into_iter().collect()
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ConflictArgument {
    /// Stop and name both lines
    Error,
    /// The later line wins; counted
    Last,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunEnding {
    /// Exit code of the result.
    pub(crate) result: u8,
    /// Exit code of the command, which is another where the result could not be told.
    pub(crate) code: u8,
}

/// Carries out the command, tells who wants to know, gives a sign of life, and returns the exit code of the result.
pub(crate) fn run(context: &Context, arguments: &IncrementalArguments) -> Result<u8, Failure> {
    // Without a sound configuration nobody knows whom to tell.
    let config = arguments.files.config(context, flags(arguments), &arguments.data)?;
    if arguments.dry_run {
        return print_dry_run(context, arguments, &config);
    }
    let ended = run_and_tell(context, arguments, &config);
    if !is_private(arguments) {
        let code = ended.as_ref().map_or_else(|failure| failure.code, |ended| ended.code);
        super::notify::beat(context, &config, code);
    }
    ended.map(|ended| ended.code)
}

/// Does what [`run`] does, as a step of a day: the sign of life is that of the day.
pub(crate) fn run_of_day(context: &Context, arguments: &IncrementalArguments) -> Result<RunEnding, Failure> {
    if arguments.dry_run || arguments.no_save || arguments.exit_zero {
        let message = "daily: expected a run that is stored and says what it came to, found --dry-run, --no-save or --exit-zero";
        return Err(Failure::new(code::USAGE, message));
    }
    run_and_tell(context, arguments, &context.config(&flags(arguments))?)
}

/// Returns whether nobody is to be told.
fn is_private(arguments: &IncrementalArguments) -> bool {
    arguments.no_notify || arguments.no_save
}

fn run_and_tell(
    context: &Context,
    arguments: &IncrementalArguments,
    config: &Config,
) -> Result<RunEnding, Failure> {
    // Also what is told at the end must not keep a stopped run.
    let stop = context.listen()?;
    let done = tune_and_print(context, arguments, config, &stop);
    match is_private(arguments) {
        true => done.map(|(report, code)| {
            super::overdue::note_told(context, report.run);
            RunEnding { result: code, code }
        }),
        false => super::notify::notify_result(context, config, done, &stop),
    }
}

/// Says what a run would do.
fn print_dry_run(
    context: &Context,
    arguments: &IncrementalArguments,
    config: &Config,
) -> Result<u8, Failure> {
    let stop = context.listen()?;
    let (plan, options) = options_of_run(context, arguments, config)?;
    super::priority::lower(config.limits.priority);
    let found = context.pool()?.install(|| estimate_run(&plan, &options, &stop))?;
    print_forecast(context, &ForecastDocument::new(&found), arguments.explain)
}

/// Returns what a run is asked for.
fn options_of_run(
    context: &Context,
    arguments: &IncrementalArguments,
    config: &Config,
) -> Result<(Plan, RunOptions), Failure> {
    let days = day_limits(arguments)?;
    super::notify::check_channels(config)?;
    let plan = config.plan(&values::styles_named(&arguments.style), days)?;
    let options = RunOptions {
        data: data_paths(arguments, config)?,
        signals: config.signals.file.clone(),
        store: (!arguments.no_save).then(|| context.location()).transpose()?,
        profile: context.global.profile.clone(),
        on_conflict: on_conflict(arguments.on_conflict, config),
        now_ms: context.now_ms,
        config_toml: config.to_toml(),
        full: arguments.full,
        cache_bytes: config.cache_bytes()?,
        memory_bytes: config.memory_bytes()?,
        time_budget: arguments.time_budget,
    };
    if options.time_budget.is_some() && options.cache_bytes == 0 {
        let message =
            "--time-budget: expected limits.cache above 0, found 0: nothing would be kept to go on from";
        return Err(Failure::new(code::USAGE, message));
    }
    Ok((plan, options))
}

/// Runs and prints; returns the report and the exit code of its result.
fn tune_and_print(
    context: &Context,
    arguments: &IncrementalArguments,
    config: &Config,
    stop: &AtomicBool,
) -> Result<(RunReport, u8), Failure> {
    let (plan, options) = options_of_run(context, arguments, config)?;
    // Before any thread is started: they inherit it.
    super::priority::lower(config.limits.priority);
    let progress = context.progress();
    let on_event = |event| progress.on(&event);
    let done = context.pool()?.install(|| incremental_to_tell(&plan, &options, stop, &on_event));
    progress.finish();
    let report = done?;
    print(context, &report, arguments.explain)?;
    let code = if arguments.exit_zero { 0 } else { report.result_to_tell().exit_code() };
    Ok((report, code))
}

/// What `optimizer init` writes; it is read when it is named only.
const CONFIGURATION: &str = "optimizer.toml";

/// Returns where the candles are: the flags, else the configuration.
fn data_paths(arguments: &IncrementalArguments, config: &Config) -> Result<Vec<PathBuf>, Failure> {
    let paths = if arguments.data.is_empty() { &config.data.paths } else { &arguments.data };
    match paths.is_empty() {
        false => Ok(paths.clone()),
        true => Err(Failure::new(
            code::USAGE,
            "expected candles: --data PATH, or data.paths in a configuration file",
        )
        .hint(match Path::new(CONFIGURATION).is_file() {
            true => "there is an `optimizer.toml` here; `-c optimizer.toml` takes it",
            false => "`optimizer init` looks for candles and writes a configuration",
        })),
    }
}

fn print(context: &Context, report: &RunReport, explain: bool) -> Result<(), Failure> {
    for file in report.input.files.iter().filter(|file| file.rejected.is_some()) {
        let reason = file.rejected.as_ref().map(ToString::to_string).unwrap_or_default();
        tracing::warn!("`{}` is not used: {reason}", file.name());
    }
    super::overdue::say_unreported(&report.overdue);
    let warnings = run_warnings(report);
    warnings.iter().for_each(|line| super::log::log_printed("warning", line));
    if context.global.quiet || context.global.json {
        // The text of the run, which has them, is not printed.
        let rejected = if context.global.quiet { rejected_lines(report) } else { Vec::new() };
        let told = rejected.iter().chain(&warnings);
        told.for_each(|line| super::output::print_note(&format!("warning: {line}")));
    }
    let summary = summary_line(report);
    super::log::log_printed("result", &summary);
    let reasons = if explain {
        explain_text(&report.work().iter().map(SymbolWorkPart::from).collect::<Vec<_>>())
    } else {
        String::new()
    };
    if context.global.json {
        // Stdout holds the document alone.
        super::output::print_note(&format!("{reasons}{summary}"));
        return context.print(RunDocument::new(report), |_| String::new());
    }
    if context.global.quiet {
        return super::output::print_result(&format!("{reasons}{summary}"));
    }
    if context.global.verbose > 0 {
        super::output::print_verbatim(&format!("{}{reasons}\n", run_text(report)))?;
    }
    let tone = match report.result {
        RunResult::Changed => HeadTone::Good,
        RunResult::NotConvincing => HeadTone::Open,
        RunResult::Unchanged | RunResult::Rejected => HeadTone::Plain,
    };
    // A run that stored nothing is run again to store it.
    let next = next_command(report, &context.command()).unwrap_or_else(|| typed_without("--no-save"));
    let reasons = if context.global.verbose > 0 { "" } else { &reasons };
    let next = (!context.is_apart()).then_some(next.as_str());
    super::output::print_headed(&format!("{}{reasons}{summary}", decision_text(report, next)), tone)
}

fn print_forecast(context: &Context, document: &ForecastDocument, explain: bool) -> Result<u8, Failure> {
    let summary = document.summary_line();
    super::log::log_printed("result", &summary);
    let reasons = if explain { explain_text(&document.work) } else { String::new() };
    if context.global.json {
        super::output::print_note(&format!("{reasons}{summary}"));
        context.print(document.clone(), |_| String::new())?;
    } else {
        let (text, next) = match context.global.quiet {
            true => (String::new(), String::new()),
            false => (document.text(), format!("next: {}\n", typed_without("--dry-run"))),
        };
        super::output::print_result(&format!("{text}{reasons}{next}{summary}"))?;
    }
    Ok(0)
}

/// Flags that stand for configuration keys.
fn flags(arguments: &IncrementalArguments) -> Vec<(&'static str, String)> {
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let list =
        |items: &[String]| format!("[{}]", items.iter().map(|i| quote(i)).collect::<Vec<_>>().join(", "));
    let mut flags = arguments.bad_rows.flags();
    if let Some(file) = &arguments.signals {
        flags.push(("signals.file", quote(&file.to_string_lossy())));
    }
    if let Some(score) = &arguments.score {
        flags.push(("search.score", quote(score)));
    }
    if !arguments.constraint.is_empty() {
        flags.push(("search.constraints", list(&arguments.constraint)));
    }
    if let Some(strategy) = &arguments.strategy {
        flags.push(("search.strategy", quote(strategy)));
    }
    if let Some(budget) = arguments.budget {
        flags.push(("search.budget", budget.to_string()));
    }
    if arguments.quick {
        flags.push(("validate.quick", "true".to_owned()));
    }
    if let Some(trials) = arguments.declared_trials {
        flags.push(("decide.declared_trials", trials.to_string()));
    }
    if let Some(window) = &arguments.window {
        flags.push(("data.window", quote(window)));
    }
    if !arguments.symbols.is_empty() {
        flags.push(("data.symbols", list(&arguments.symbols)));
    }
    flags
}

pub(crate) fn on_conflict(flag: Option<ConflictArgument>, config: &Config) -> OnConflict {
    match (flag, config.data.on_conflict) {
        (Some(ConflictArgument::Last), _) | (None, ConflictPolicy::Last) => OnConflict::Last,
        (Some(ConflictArgument::Error), _) | (None, ConflictPolicy::Error) => OnConflict::Refuse,
    }
}

fn day_limits(arguments: &IncrementalArguments) -> Result<DayLimits, Failure> {
    let (first, end) = match &arguments.timerange {
        None => (None, None),
        Some(text) => timerange(text)?,
    };
    Ok(DayLimits { first, end, window_days: None })
}

pub(super) fn timerange(text: &str) -> Result<(Option<Day>, Option<Day>), Failure> {
    let bad = || {
        let message = format!("--timerange: expected FROM-TO such as 20250101-20250630, found {text:?}");
        Failure::new(code::USAGE, message)
    };
    let (from, to) = text.split_once('-').ok_or_else(bad)?;
    let day = |text: &str| match text {
        "" => Ok(None),
        text => Day::parse(text).map(Some).ok_or_else(bad),
    };
    let (from, to) = (day(from)?, day(to)?);
    if let (Some(first), Some(end)) = (from, to)
        && first >= end
    {
        return Err(bad().hint("FROM must be before TO; TO is the first day not looked at"));
    }
    Ok((from, to))
}
