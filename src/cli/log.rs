//! The log: warnings on stderr, everything worth keeping in a file if one is named; as text or one JSON object a line.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as lines};

use super::Global;
use super::failure::{Failure, code};

/// Target of what is printed anyway (results, errors): it goes to the file only.
const PRINTED: &str = "retune::printed";
/// The variable with the filter.
const VARIABLE: &str = "OPTIMIZER_LOG";

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line: at, level, message, fields
    Json,
}

/// Starts the log.
///
/// Errors: a filter in the environment that is none, a file that cannot be opened
pub(crate) fn start_log(global: &Global) -> Result<(), Failure> {
    let usual = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    };
    let in_file = if global.verbose < 2 { "info" } else { usual };
    let stderr = match global.log_format {
        LogFormat::Text => {
            let layer = lines::layer().with_ansi(super::output::is_coloured());
            layer.with_writer(std::io::stderr).with_target(false).without_time().boxed()
        }
        LogFormat::Json => lines::layer().with_writer(std::io::stderr).event_format(JsonLines).boxed(),
    };
    let file = global.log_file.as_deref().map(LogFile::open).transpose()?;
    let file = file.map(|file| match global.log_format {
        LogFormat::Text => {
            lines::layer().with_ansi(false).with_writer(Mutex::new(file)).with_target(false).boxed()
        }
        LogFormat::Json => lines::layer().with_writer(Mutex::new(file)).event_format(JsonLines).boxed(),
    });
    let file = match file {
        Some(layer) => Some(layer.with_filter(filter(in_file)?)),
        None => None,
    };
    let stderr = stderr.with_filter(filter(usual)?.and(filter_fn(|meta| meta.target() != PRINTED)));
    // A second call (in one process) keeps the first log.
    let _ = tracing_subscriber::registry().with(stderr).with(file).try_init();
    Ok(())
}

/// Returns the filter of the environment, else a level.
fn filter(usual: &str) -> Result<EnvFilter, Failure> {
    let given = std::env::var(VARIABLE).unwrap_or_default();
    if given.is_empty() {
        return Ok(EnvFilter::new(usual));
    }
    EnvFilter::try_new(&given).map_err(|error| {
        let message = format!(
            "{VARIABLE}: expected a level or a filter such as retune=debug, found {given:?}: {error}"
        );
        Failure::new(code::CONFIGURATION, message)
    })
}

/// The file of the log. A run does not fail because its log does, but whoever started it is told, once.
struct LogFile {
    file: File,
    path: PathBuf,
    has_failed: bool,
}

impl LogFile {
    fn open(path: &Path) -> Result<Self, Failure> {
        let is_new = !path.exists();
        let file = OpenOptions::new().append(true).create(true).open(path).map_err(|error| {
            Failure::new(code::IO, format!("cannot write the log file `{}`: {error}", path.display()))
                .hint("check the folder and its permissions, or leave --log-file out")
        })?;
        if is_new {
            // A run made once as root is not to keep the log from the user of every day; not every disk lets that be.
            let _ = crate::store::hand_over(path);
        }
        Ok(Self { file, path: path.to_path_buf(), has_failed: false })
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if let (Err(error), false) = (&written, self.has_failed) {
            self.has_failed = true;
            let path = self.path.display();
            super::output::print_note(&format!("warning: cannot write the log file `{path}`: {error}"));
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Notes in the log file what was printed as a result or an error.
pub(crate) fn log_printed(label: &str, text: &str) {
    match label {
        "error" => tracing::error!(target: PRINTED, "{text}"),
        "warning" => tracing::warn!(target: PRINTED, "{text}"),
        _ => tracing::info!(target: PRINTED, "{text}"),
    }
}

/// One JSON object a line.
struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(Map::new());
        let now = jiff::Timestamp::now().as_millisecond();
        fields.0.insert("at".to_owned(), crate::model::rfc3339(now).into());
        fields.0.insert("level".to_owned(), event.metadata().level().as_str().to_ascii_lowercase().into());
        event.record(&mut fields);
        writeln!(writer, "{}", Value::Object(fields.0))
    }
}

/// The fields of an event; its text is the field `message`.
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}
