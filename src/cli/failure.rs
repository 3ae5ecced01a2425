//! Failures of a command: what is printed and the exit code. Exit codes are part of the interface.

use std::path::Path;
use std::process::ExitCode;

use crate::bot::BotFileError;
use crate::config::ConfigError;
#[cfg(feature = "fetch")]
use crate::fetch::FetchError;
use crate::ingest::{IngestError, Rejection, SignalsError};
use crate::run::RunError;
use crate::run::file_summary::file_name;
use crate::run::input_report::InputReport;
use crate::store::StoreError;

/// Exit codes of commands; a run that gives a result has those of [`crate::decide::RunResult::exit_code`].
pub(crate) mod code {
    /// Done, and something differs, was left alone or wants to be seen to.
    pub(crate) const ATTENTION: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const CONFIGURATION: u8 = 3;
    pub(crate) const DATA: u8 = 4;
    pub(crate) const STORE_BUSY: u8 = 5;
    pub(crate) const STORE_REPAIR: u8 = 6;
    pub(crate) const NOTIFICATION: u8 = 7;
    /// Parameters changed, by a run or by hand.
    pub(crate) const CHANGED: u8 = 10;
    /// A hand-over that is refused: the file is not ours, or what is active is nothing to hand over.
    pub(crate) const REFUSED: u8 = 12;
    pub(crate) const STOPPED: u8 = 20;
    pub(crate) const INTERNAL: u8 = 70;
    pub(crate) const IO: u8 = 74;
}

/// Why a command ended without a result.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the failure of what this program was built without.
    #[cfg(not(all(feature = "fetch", feature = "html", feature = "notify", feature = "serve")))]
    pub(crate) fn of_missing(what: &str, feature: &str) -> Self {
        let message =
            format!("{what}: expected a program built with the feature `{feature}`, found one without");
        Self::new(code::USAGE, message)
            .hint(format!("build it with `cargo build --release --features {feature}`"))
    }

    /// Returns the failure of a fetch, which may have done something all the same.
    #[cfg(feature = "fetch")]
    pub(crate) fn of_fetch(error: &FetchError) -> Self {
        let code = match error {
            FetchError::Ticker { .. }
            | FetchError::TickerName { .. }
            | FetchError::Interval { .. }
            | FetchError::BaseUrl(_)
            | FetchError::Span { .. } => code::USAGE,
            FetchError::Proxy(_) => code::CONFIGURATION,
            FetchError::Busy { .. } => code::STORE_BUSY,
            FetchError::Io { .. } => code::IO,
            FetchError::Stopped => code::STOPPED,
            _ => code::DATA,
        };
        Self { code, message: chain(error), hint: error.hint().map(str::to_owned) }
    }

    /// Prints `error:` and `hint:` to stderr and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        super::output::error_line("error", &self.message);
        if let Some(hint) = &self.hint {
            super::output::error_line("hint", hint);
        }
        ExitCode::from(self.code)
    }
}

/// Returns an error with everything behind it, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(code::CONFIGURATION, chain(&error))
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        let is_of_limit = matches!(error, IngestError::TooMany { room_bytes: Some(_), .. });
        let code = if is_of_limit { code::CONFIGURATION } else { code::DATA };
        let failure = Self::new(code, chain(&error));
        match error {
            IngestError::Missing { path } if is_for_the_shell(&path) => failure.hint(
                "`~`, `*` and `$` mean something to a shell only, and not in quotes: write the path itself",
            ),
            _ => failure,
        }
    }
}

/// Returns whether a path looks as if a shell should have made another one of it.
fn is_for_the_shell(path: &Path) -> bool {
    path.starts_with("~") || path.to_string_lossy().contains(['*', '$'])
}

impl From<SignalsError> for Failure {
    fn from(error: SignalsError) -> Self {
        let is_of_limit = matches!(
            error,
            SignalsError::NoRoom { .. } | SignalsError::Table { source: Rejection::NoRoom, .. }
        );
        let failure = Self::new(if is_of_limit { code::CONFIGURATION } else { code::DATA }, chain(&error));
        match error {
            SignalsError::Column { .. } => {
                failure.hint("`optimizer check data --signals FILE` lists its columns")
            }
            _ => failure,
        }
    }
}

#[cfg(feature = "fetch")]
impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::of_fetch(&error)
    }
}

impl From<BotFileError> for Failure {
    fn from(error: BotFileError) -> Self {
        match error {
            BotFileError::Store(error) => error.into(),
            error => Self::new(code::REFUSED, error.to_string()).hint(
                "nothing was written; search atr_tp_multiplier and atr_stop_multiplier for this bot, `optimizer rollback` goes back \
                 to earlier parameters",
            ),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Busy { .. } | StoreError::Watched { .. } => code::STORE_BUSY,
            StoreError::NoStore { .. } => code::USAGE,
            StoreError::Stopped => code::STOPPED,
            error if error.is_unreadable() => code::STORE_REPAIR,
            _ => code::IO,
        };
        let hint = error.hint().map(str::to_owned);
        Self { code, message: chain(&error), hint }
    }
}

/// Files whose reasons are given in an error; `check data` gives them all.
const REASONS_SHOWN: usize = 5;

/// Returns why each of the first files was of no use, a line each.
fn reasons_of_files(input: &InputReport) -> String {
    let passed = input.passed_over.iter().map(|file| {
        let name = file_name(&file.path.display().to_string(), file.entry.as_deref());
        (name, file.reason.to_string())
    });
    let rejected =
        input.files.iter().filter_map(|file| Some((file.name(), file.rejected.as_ref()?.to_string())));
    let line = |(file, reason): (String, String)| format!("\n  `{file}`: {reason}");
    let later = input.files.iter().filter_map(|file| {
        let issue = file.issues.iter().find(|issue| issue.kind == "future")?;
        Some((file.name(), format!("{} candles are later than now: {}", issue.count, issue.detail)))
    });
    rejected.chain(later).chain(passed).take(REASONS_SHOWN).map(line).collect()
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Ingest(error) => error.into(),
            RunError::Signals(error) => error.into(),
            RunError::Store(error) => error.into(),
            RunError::NoSignals { .. } => Self::new(code::CONFIGURATION, error.to_string())
                .hint("name the file: --signals FILE, or file under [signals]"),
            RunError::NoSignalUsed { .. } => Self::new(code::DATA, error.to_string())
                .hint("`optimizer check data PATH --signals FILE` says which days have candles"),
            RunError::NoUnitStore => Self::new(code::USAGE, error.to_string()),
            RunError::Memory(_) => Self::new(code::CONFIGURATION, error.to_string()).hint(
                "raise --max-memory, or take fewer or smaller files, fewer signals, or fewer parameter sets",
            ),
            RunError::Spill { .. } => Self::new(code::IO, error.to_string())
                .hint("nothing was stored; free disk in the store's directory, or raise --max-memory"),
            RunError::Planning(_) => Self::new(code::CONFIGURATION, error.to_string()),
            RunError::Stopped => Self::new(code::STOPPED, error.to_string())
                .hint("run the same command again; what was stored before is untouched"),
            RunError::OutOfTime { .. } => Self::new(code::STOPPED, error.to_string())
                .hint("run the same command again to go on; parameters and history are untouched"),
            RunError::NoDays { .. } => Self::new(code::DATA, error.to_string())
                .hint("nothing was stored; ask for days that have candles, or `optimizer fetch` newer ones"),
            RunError::NoCandles { ref input, .. } => {
                let is_read = input.files.iter().any(|file| file.rejected.is_none());
                Self::new(code::DATA, format!("{error}{}", reasons_of_files(input))).hint(match is_read {
                    true => {
                        "there are candles, but none that counts: those from the end of --timerange on do not, nor parts \
                         of a candle of data.base_interval"
                    }
                    false => "`optimizer check data PATH` lists every file and what is wrong with it",
                })
            }
        }
    }
}
