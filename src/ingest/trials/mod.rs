//! Trials of any optimizer become day returns: epochs of a freqtrade hyperopt (`.fthypt`), a long table of day, trial and return (CSV
//! or Parquet), an Optuna study exported as CSV.
//!
//! A file is one search. An epoch is reduced to its day returns as it is read, whatever it holds besides; what a search keeps is one
//! number per trial and day. Where a line cannot be read the whole file is refused with its place: to leave out a trial in silence
//! would make the best of the others look less lucky than it is. Only a last line that is cut, as a killed search leaves it, is left
//! out, and counted.

mod epochs;
mod error;
mod table;

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

pub use error::TrialsError;

use super::format;
use super::limits::HEAD_BYTES;
use super::opening::open_regular;
use crate::model::Day;

/// The most day returns of one file; 45,000 trials over a year.
pub const TRIAL_RETURNS_MAX: u64 = 16 * 1024 * 1024;

/// What a file of trials is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialsFormat {
    /// Lines of a freqtrade hyperopt, `.fthypt`.
    Freqtrade,
    /// A table of day, trial and return.
    Long,
    /// An Optuna study as CSV, with the day returns of each trial in a user attribute.
    Optuna,
}

impl TrialsFormat {
    /// Returns the name of flags and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Freqtrade => "freqtrade",
            Self::Long => "long",
            Self::Optuna => "optuna",
        }
    }
}

/// How files of trials are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialsReading {
    /// What they are; `None` for what they look like.
    pub format: Option<TrialsFormat>,
    /// Column of the day in a long table.
    pub day: String,
    /// Column of the trial in a long table.
    pub trial: String,
    /// Column of the return in a long table.
    pub day_return: String,
}

impl Default for TrialsReading {
    fn default() -> Self {
        Self {
            format: None,
            day: "day".to_owned(),
            trial: "trial".to_owned(),
            day_return: "return".to_owned(),
        }
    }
}

/// One trial.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialDays {
    /// Its name within the search: an epoch's or trial's number.
    pub name: String,
    /// First day of the search.
    pub first: Day,
    /// A return for every day of the search, 0 where it has none.
    pub returns: Vec<f64>,
    /// Trades, where the file says it.
    pub trades: Option<u64>,
    /// What the search minimised, where the file says it.
    pub loss: Option<f64>,
}

impl TrialDays {
    /// Returns the days with a return other than 0.
    pub fn active_days(&self) -> usize {
        self.returns.iter().filter(|value| **value != 0.0).count()
    }

    /// Returns the day after the last.
    pub fn end(&self) -> Day {
        Day(self.first.0 + self.returns.len() as i32)
    }
}

/// The trials of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialSearch {
    /// The file.
    pub path: PathBuf,
    /// What it was read as.
    pub format: TrialsFormat,
    /// The strategy, where the file says it.
    pub strategy: Option<String>,
    /// The trials with day returns, in the order of the file.
    pub trials: Vec<TrialDays>,
    /// Trials that were tried and gave up before they had day returns; they count as tries.
    pub pruned: u64,
    /// Trials that failed or never ended; they count for nothing.
    pub unfinished: u64,
    /// Whether the last line was cut, and left out.
    pub cut: bool,
    /// Cells of returns that hold nothing, taken for days without a trade.
    pub empty_cells: u64,
}

impl TrialSearch {
    fn new(path: &Path, format: TrialsFormat) -> Self {
        Self {
            path: path.to_owned(),
            format,
            strategy: None,
            trials: Vec::new(),
            pruned: 0,
            unfinished: 0,
            cut: false,
            empty_cells: 0,
        }
    }

    /// Reads a file of trials.
    ///
    /// Errors: see [`TrialsError`]; one line that cannot be read refuses the file
    /// Cost:   a pass over the file; 8 bytes per trial and day, and of an epoch no more than its days at a time
    pub fn read(path: &Path, reading: &TrialsReading) -> Result<Self, TrialsError> {
        let unread = |source| TrialsError::Read { path: path.to_owned(), source };
        let (head, stream) = opened(path).map_err(unread)?;
        let kind = HeadKind::of(&head);
        let wrong = |expected, found: &str, advice| {
            Err(TrialsError::File { path: path.to_owned(), expected, found: found.to_owned(), advice })
        };
        let search = match (kind, reading.format) {
            (HeadKind::Nothing, _) => {
                return wrong("trials", "an empty file", "wait for the search to write its first epoch");
            }
            (HeadKind::Other(found, advice), _) => {
                return wrong("epochs of a freqtrade hyperopt, or a table of trials", found, advice);
            }
            (HeadKind::Epochs, Some(TrialsFormat::Long | TrialsFormat::Optuna)) => {
                return wrong(
                    "a table as --format says",
                    "lines of JSON",
                    "leave --format out, or name another file",
                );
            }
            (HeadKind::Table, Some(TrialsFormat::Freqtrade)) => {
                return wrong(
                    "lines of a freqtrade hyperopt as --format says",
                    "a table",
                    "leave --format out, or name another file",
                );
            }
            (HeadKind::Epochs, _) => epochs::read(stream, path)?,
            (HeadKind::Table, _) => table::read(stream, &head, path, reading)?,
        };
        match search.trials.is_empty() {
            true => wrong(
                "at least one trial with day returns",
                if search.cut { "one line, cut" } else { "none" },
                "let the search go on until it has some",
            ),
            false => Ok(search),
        }
    }
}

/// Returns the beginning of a file and the whole of it as a stream, unpacked.
fn opened(path: &Path) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let (head, stream) = with_head(Box::new(open_regular(path)?))?;
    match format::packing_of(&head) {
        format::Packing::Gzip => with_head(Box::new(MultiGzDecoder::new(stream))),
        _ => Ok((head, stream)),
    }
}

/// Returns the first bytes of a stream beside the whole of it. A packed stream that ends too early is one that ends.
fn with_head(mut stream: Box<dyn Read>) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = vec![0; HEAD_BYTES];
    let mut filled = 0;
    while filled < head.len() {
        match stream.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok((head.clone(), Box::new(Cursor::new(head).chain(stream))))
}

/// What a file looks like from its beginning.
enum HeadKind {
    Nothing,
    Epochs,
    Table,
    /// What it is, and what to do.
    Other(&'static str, &'static str),
}

impl HeadKind {
    fn of(head: &[u8]) -> Self {
        const HYPEROPT: &str = "name the `.fthypt` file of user_data/hyperopt_results";
        let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
        let begins = |magic: &[u8]| head.starts_with(magic);
        match text.first() {
            None => Self::Nothing,
            Some(b'{') => Self::Epochs,
            _ if begins(b"SQLite format 3\0") => Self::Other(
                "an SQLite database",
                "export an Optuna study with `study.trials_dataframe().to_csv(...)`: docs/howto/judge.md",
            ),
            _ if begins(b"PK") => Self::Other("a zip archive, which holds one backtest", HYPEROPT),
            _ if begins(b"\x80") => Self::Other("a Python pickle, which nothing but Python reads", HYPEROPT),
            _ if begins(b"ARROW1") => Self::Other("a feather file", "write the table as Parquet or CSV"),
            _ if begins(b"[") => Self::Other("a JSON list", "write a line per epoch, or a table as CSV"),
            _ if begins(b"PAR1") && cfg!(not(feature = "columnar")) => Self::Other(
                "a Parquet file, which this program was built without",
                "build it with the feature `columnar`, or write the table as CSV",
            ),
            _ => Self::Table,
        }
    }
}

/// Returns the days from the first to the last, both counted.
fn day_span(first: Day, last: Day) -> usize {
    (i64::from(last.0) - i64::from(first.0) + 1).max(0) as usize
}

#[cfg(test)]
mod tests;
