//! The `optimizer` command: arguments, one file per subcommand, exit codes.

mod browser;
mod check;
mod config;
mod context;
mod daily;
mod decide;
mod demo;
mod doctor;
mod eta;
mod explain;
mod export;
mod failure;
mod fetch;
mod files;
mod freqtrade;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzz/cli.rs"]
pub(crate) mod fuzz;
mod heap;
mod import;
mod incremental;
mod init;
mod inspect;
mod judge;
mod log;
mod lookahead;
mod mcp;
mod memory;
mod metrics;
mod notify;
mod output;
mod overdue;
mod panics;
mod priority;
mod progress;
mod replace;
mod report;
mod restore;
mod serve;
mod shell;
mod validate;
mod values;

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use context::Context;

/// Re-tunes a trading strategy's entry filters and exits against fresh market data.
#[derive(Debug, Parser)]
#[command(name = "optimizer", version, about, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file (TOML); repeat to merge several, later ones win
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Vec<std::path::PathBuf>,
    /// One configuration value, e.g. search.score="sharpe"; repeatable, wins over files
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Directory of the store
    #[arg(
        long,
        global = true,
        env = context::STORE_VARIABLE,
        default_value = context::DEFAULT_STORE,
        value_name = "DIR"
    )]
    store: std::path::PathBuf,
    /// Whose state in the store
    #[arg(long, global = true, default_value = "default", value_name = "NAME", value_parser = values::profile)]
    profile: String,
    /// How long to wait for another run to end, e.g. 30s or 5m [default: not at all]
    #[arg(long, global = true, value_name = "TIME", value_parser = values::wait)]
    lock_wait: Option<std::time::Duration>,
    /// Worker threads [default: all cores]
    #[arg(short, long, global = true, value_name = "N", value_parser = values::threads)]
    jobs: Option<std::num::NonZeroUsize>,
    /// Most memory to use, e.g. 64MiB; slower if need be [default: no limit]
    #[arg(long, global = true, value_name = "SIZE", value_parser = values::size)]
    max_memory: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Progress on stderr
    #[arg(long, global = true, value_enum, default_value_t = progress::Mode::Auto)]
    progress: progress::Mode,
    /// Colours on a terminal
    #[arg(long, global = true, value_enum, default_value_t = output::Colour::Auto, value_name = "WHEN")]
    color: output::Colour,
    /// File to add the log to: what is printed, with times, and more
    #[arg(long, global = true, value_name = "FILE")]
    log_file: Option<std::path::PathBuf>,
    /// How lines of the log look
    #[arg(long, global = true, value_enum, default_value_t = log::LogFormat::Text, value_name = "FORMAT")]
    log_format: log::LogFormat,
    /// File for a profile of memory by allocation site; `memory diff` compares two (needs a program built for it)
    #[arg(long, global = true, value_name = "FILE")]
    heap_profile: Option<std::path::PathBuf>,
    /// Only results and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// More of a result, and on stderr; repeat for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See a first run within seconds: made-up candles with an edge to find, or with none
    Demo(demo::DemoArguments),
    /// The whole day for a timer: fetch candles, run, write the bot's file, tell (see [daily] of the configuration)
    Daily(daily::DailyArguments),
    /// Take in new candles, search the whole grid, judge, decide, remember
    Incremental(incremental::IncrementalArguments),
    /// Download candles from an exchange's public interface; goes on where it stopped
    Fetch(fetch::Arguments),
    /// Browse what is stored
    Inspect(inspect::InspectArguments),
    /// Say why each unit of a run was evaluated or reused
    Explain(explain::ExplainArguments),
    /// Look closer at what a run found, with tests that take longer; decides nothing
    Validate(validate::ValidateArguments),
    /// Test the trials of any optimizer against luck: freqtrade, Optuna, tables of day returns
    Judge(judge::JudgeArguments),
    /// Activate the candidate of a run
    Adopt(decide::Adopt),
    /// Return to earlier parameters
    Rollback(decide::Rollback),
    /// List the backups of the store, or put one in its place
    Restore(restore::RestoreArguments),
    /// Write a run as one HTML file that opens anywhere
    Report(report::ReportArguments),
    /// Show where every profile stands on pages in a browser, and as metrics; never writes the store
    Serve(serve::ServeArguments),
    /// Let an assistant ask, by the Model Context Protocol on standard input and output; changes nothing
    Mcp(mcp::McpArguments),
    /// Write learning_config.json for legacy consumers, atomically
    ExportJson(export::ExportArguments),
    /// Write the active parameters into a freqtrade strategy's parameter file, atomically
    ExportFreqtrade(freqtrade::ExportFreqtradeArguments),
    /// Take over the learning_config.json of the old system
    ImportJson(import::ImportArguments),
    /// Take over the parameters of a freqtrade strategy from its parameter file
    ImportFreqtrade(freqtrade::import::ImportFreqtradeArguments),
    /// Look at data without running anything
    #[command(subcommand)]
    Check(check::CheckCommand),
    /// Whether store, disk, clock, configuration and candles are as they should be
    Doctor(doctor::DoctorArguments),
    /// What the memory of a run consists of, and whether a process grows
    #[command(subcommand)]
    Memory(memory::MemoryCommand),
    /// Where every profile stands, as metrics for Prometheus
    Metrics(metrics::MetricsArguments),
    /// Write a commented configuration, look for candles, say what to type next
    Init(init::InitArguments),
    /// Try the channels that tell what came of a run
    #[command(subcommand)]
    Notify(notify::NotifyCommand),
    /// Show or check the configuration in effect
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a completion script for a shell
    Completions(shell::Completions),
    /// Print the manual page (try `optimizer man | man -l -`)
    Man,
}

/// Lets a write beyond a limit on the size of files fail instead of ending the process, so that the error can be told.
fn outlive_file_limits() {
    // Without the handler such a write ends the process, as if killed; the store survives that as well.
    let _ = signal_hook::flag::register(libc::SIGXFSZ, std::sync::Arc::default());
}

/// Returns what to type instead of arguments that cannot be understood, where that is known.
fn hint_on(error: &clap::Error) -> Option<&'static str> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    let is_path = error.kind() == ErrorKind::UnknownArgument && std::path::Path::new(argument).exists();
    is_path.then_some("candles are named with `--data PATH`, a configuration with `-c FILE`")
}

/// Lets values begin like numbers below zero: `--timerange -20250630` is open at its beginning, and `--account -5` is
/// wrong because of what it says, not because it looks like a flag.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let taken = |arg: clap::Arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    };
    command.mut_args(taken).mut_subcommands(with_negative_numbers)
}

/// Parses the arguments, carries out the command and returns the exit code.
pub fn main() -> ExitCode {
    panics::note_unguarded();
    crate::store::print_no_guarded_panics();
    #[cfg(feature = "columnar")]
    crate::ingest::print_no_decoder_panics();
    panics::end_as_internal_errors(carry_out)
}

fn carry_out() -> ExitCode {
    outlive_file_limits();
    let parsed = with_negative_numbers(Cli::command()).try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no error; usage errors exit with 2.
            if let (Err(failed), false) = (error.print(), error.use_stderr()) {
                return output::unwritten_failure(&failed)
                    .map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS);
            }
            if let Some(hint) = hint_on(&error) {
                output::error_line("hint", hint);
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // Dropped at the end: that writes it.
    let _profile = match cli.global.heap_profile.as_deref().map(heap::record).transpose() {
        Ok(profile) => profile,
        Err(failure) => return failure.report(),
    };
    let context = match Context::new(cli.global) {
        Ok(context) => context,
        Err(failure) => return failure.report(),
    };
    let done = match cli.command {
        Command::Demo(arguments) => demo::run(&context, &arguments),
        Command::Daily(arguments) => daily::run(&context, &arguments),
        Command::Incremental(arguments) => incremental::run(&context, &arguments),
        Command::Fetch(arguments) => fetch::run(&context, &arguments),
        Command::Inspect(arguments) => inspect::run(&context, &arguments),
        Command::Explain(arguments) => explain::run(&context, &arguments),
        Command::Validate(arguments) => validate::run(&context, &arguments),
        Command::Judge(arguments) => judge::run(&context, &arguments),
        Command::Adopt(arguments) => decide::run_adopt(&context, &arguments),
        Command::Rollback(arguments) => decide::run_rollback(&context, &arguments),
        Command::Restore(arguments) => restore::run(&context, &arguments),
        Command::Report(arguments) => report::run(&context, &arguments),
        Command::Serve(arguments) => serve::run(&context, &arguments),
        Command::Mcp(arguments) => mcp::run(&context, &arguments),
        Command::ExportJson(arguments) => export::run(&context, &arguments),
        Command::ExportFreqtrade(arguments) => freqtrade::run(&context, &arguments),
        Command::ImportJson(arguments) => import::run(&context, &arguments),
        Command::ImportFreqtrade(arguments) => freqtrade::import::run(&context, &arguments),
        Command::Check(command) => check::run(&context, &command),
        Command::Doctor(arguments) => doctor::run(&context, &arguments),
        Command::Memory(command) => memory::run(&context, &command),
        Command::Metrics(arguments) => metrics::run(&context, &arguments),
        Command::Init(arguments) => init::run(&context, &arguments),
        Command::Notify(command) => notify::run(&context, &command),
        Command::Config(command) => config::run(&context, &command),
        Command::Completions(arguments) => shell::print_completions(&arguments),
        Command::Man => shell::print_manual(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}
