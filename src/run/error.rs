//! Why a run ended without a result.

use std::path::PathBuf;
use std::time::Duration;

use super::input_report::{InputReport, SignalsNote};
use super::resources::TooLittleMemory;
use crate::engine::plan::PlanningError;
use crate::ingest::{IngestError, SignalsError};
use crate::model::{Day, Style};
use crate::store::StoreError;

/// Why a run ended without a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The candles cannot be read.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The signals cannot be used.
    #[error(transparent)]
    Signals(#[from] SignalsError),
    /// A filter reads the user's signals, and there are none.
    #[error("style {style}: expected a file of signals for the filter on its column {column:?}, found none")]
    NoSignals {
        /// The style.
        style: Style,
        /// The column.
        column: String,
    },
    /// Signals were given, and none of them is of use.
    #[error("expected signals that candles follow, found none that is used of the {} given in `{}`: {reasons}", signals.rows, signals.file)]
    NoSignalUsed {
        /// What became of the rows.
        signals: Box<SignalsNote>,
        /// Why those of days that count are not used.
        reasons: String,
    },
    /// Files were found, but no usable candle.
    #[error("expected candles, found none that can be used in {}", list_paths(paths))]
    NoCandles {
        /// The paths given.
        paths: Vec<PathBuf>,
        /// What was read and why it was of no use.
        input: Box<InputReport>,
    },
    /// There are candles, but none on the days asked for.
    #[error(
        "expected candles from {asked} on (--timerange), found candles of {first} to {last}{}",
        before_end(*end)
    )]
    NoDays {
        /// First day asked for.
        asked: Day,
        /// First day with candles.
        first: Day,
        /// Last day with candles.
        last: Day,
        /// Candles from this day on were not looked at.
        end: Option<Day>,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no store that could hold evaluated units.
    #[error(
        "expected a store that keeps evaluated units, found none (a store's directory, and room for its cache)"
    )]
    NoUnitStore,
    /// The memory limit is too low.
    #[error(transparent)]
    Memory(#[from] TooLittleMemory),
    /// A stage of the search cannot be carried out.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// Outcomes that do not fit below the memory limit cannot be kept in a file.
    #[error("outcomes that do not fit below the memory limit cannot be kept in a temporary file: {source}")]
    Spill {
        /// What the system says.
        source: std::io::Error,
    },
    /// The run was asked to stop; nothing of it was stored.
    #[error("stopped on request before anything was stored")]
    Stopped,
    /// The time budget is used up; what was evaluated is kept for the next run.
    #[error("stopped after the time budget of {} s; what was evaluated is kept", budget.as_secs_f64())]
    OutOfTime {
        /// The budget.
        budget: Duration,
    },
}

/// Why a symbol could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SymbolError {
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("stopped after a commit")]
    Stopped,
    #[error("outcomes that do not fit into memory cannot be kept in a file: {0}")]
    Spill(std::io::Error),
}

fn before_end(end: Option<Day>) -> String {
    end.map(|day| format!(" before {day}")).unwrap_or_default()
}

fn list_paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

impl From<SymbolError> for RunError {
    fn from(error: SymbolError) -> Self {
        match error {
            SymbolError::Ingest(error) => Self::Ingest(error),
            SymbolError::Store(error) => Self::Store(error),
            SymbolError::Stopped => Self::Stopped,
            SymbolError::Spill(source) => Self::Spill { source },
        }
    }
}
