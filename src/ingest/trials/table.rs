//! Tables of trials: day, trial and return in every row, or an Optuna study with the day returns of a trial in a cell.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use super::error::TrialRowFault;
use super::{TRIAL_RETURNS_MAX, TrialDays, TrialSearch, TrialsError, TrialsFormat, TrialsReading, day_span};
use crate::ingest::RowPlace;
#[cfg(feature = "columnar")]
use crate::ingest::columnar::{COLUMNAR_BYTES_MAX, TextRows, Unread, table_rows};
use crate::ingest::layout::{Field, cell, list_names, separator_of, split_fields};
use crate::ingest::limits::DECODED_BYTES_MAX;
use crate::ingest::lines::{LINE_BYTES_MAX, LineReader, RawLine, StreamError};
use crate::ingest::number::{is_nothing, parse_number};
use crate::ingest::rejection::Rejection;
use crate::ingest::report::excerpt_of_bytes;
use crate::ingest::time::LocalClock;
use crate::model::{Day, name_excerpt};

/// The longest name of a trial.
const TRIAL_NAME_CHARS_MAX: usize = 60;
/// Gains without one loss from which a table is doubted to hold returns.
const GAINS_TO_DOUBT: usize = 20;
/// The attribute of an Optuna trial that holds its day returns.
const DAY_RETURNS: &str = "user_attrs_day_returns";

const NAME_COLUMNS: &str = "--day, --trial and --return name the columns of a long table";
const EXPORT: &str = "in the objective `trial.set_user_attr(\"day_returns\", {str(day): value, ...})`, then export with \
                      `study.trials_dataframe().to_csv(...)`: docs/howto/judge.md";

/// Reads a table whose first bytes are known.
pub(super) fn read(
    stream: impl Read,
    head: &[u8],
    path: &Path,
    reading: &TrialsReading,
) -> Result<TrialSearch, TrialsError> {
    let mut lines = LineReader::new(stream, DECODED_BYTES_MAX);
    let unread = |limit: u64| {
        move |error| match error {
            StreamError::Io(source) => TrialsError::Read { path: path.to_owned(), source },
            StreamError::TooLarge => {
                let source = Rejection::TooLarge { limit, unit: "bytes".into() };
                TrialsError::Table { path: path.to_owned(), source }
            }
        }
    };
    let mut rows = TrialRows::new(path, reading);
    #[cfg(feature = "columnar")]
    if head.starts_with(b"PAR1") {
        let bytes = lines.rest(COLUMNAR_BYTES_MAX).map_err(unread(COLUMNAR_BYTES_MAX as u64))?;
        let read = table_rows(bytes, false, &mut rows);
        read.map_err(|error| match error {
            Unread::Refused(error) => error,
            Unread::File(source) => TrialsError::Table { path: path.to_owned(), source },
        })?;
        return rows.finish();
    }
    if head.starts_with(b"\xEF\xBB\xBF") {
        lines.peek().map_err(unread(DECODED_BYTES_MAX))?;
        lines.skip(3);
    }
    while let Some((number, line)) = lines.next_line().map_err(unread(DECODED_BYTES_MAX))? {
        rows.line(number, &line)?;
    }
    rows.finish()
}

/// Where the columns stand that are read.
enum TableColumns {
    Long { day: usize, trial: usize, day_return: usize },
    Optuna { number: usize, state: Option<usize>, returns: usize },
}

/// The rows of a table, by trial.
struct TrialRows<'a> {
    path: &'a Path,
    reading: &'a TrialsReading,
    clock: LocalClock,
    separator: u8,
    /// Fields of the header, and the columns that are read.
    header: Option<(usize, TableColumns)>,
    search: TrialSearch,
    /// Every trial by its name, in the order of the file.
    known: BTreeMap<String, usize>,
    names: Vec<String>,
    /// Day, trial and return of every row.
    cells: Vec<(i32, u32, f64)>,
    fields: Vec<Field>,
}

impl<'a> TrialRows<'a> {
    fn new(path: &'a Path, reading: &'a TrialsReading) -> Self {
        Self {
            path,
            reading,
            clock: LocalClock::strict(None),
            separator: b',',
            header: None,
            search: TrialSearch::new(path, TrialsFormat::Long),
            known: BTreeMap::new(),
            names: Vec::new(),
            cells: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn line(&mut self, number: u64, line: &RawLine<'_>) -> Result<(), TrialsError> {
        let (text, ended) = match line {
            RawLine::Whole(text) => (*text, true),
            RawLine::Unended(text) => (*text, false),
            RawLine::TooLong => {
                let expected = format!("a line of at most {} KiB", LINE_BYTES_MAX >> 10);
                let advice = "write a long table of day, trial and return, or returns with fewer digits";
                return Err(TrialRowFault::new(expected, "a longer one", advice)
                    .at(self.path, RowPlace::Line(number)));
            }
        };
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        if self.header.is_none() {
            self.separator = separator_of(text);
            split_fields(text, self.separator, &mut self.fields);
            let names: Vec<String> = self
                .fields
                .iter()
                .map(|field| String::from_utf8_lossy(cell(text, *field)).into_owned())
                .collect();
            return self.set_header(&names, RowPlace::Line(number));
        }
        if !ended {
            // Cut in its last cell a row looks like another one: 0.0123 of 0.01234.
            self.search.cut = true;
            return Ok(());
        }
        split_fields(text, self.separator, &mut self.fields);
        let expected = self.header.as_ref().map_or(0, |(fields, _)| *fields);
        if self.fields.len() != expected {
            let (expected, found) =
                (format!("{expected} fields as in the header"), self.fields.len().to_string());
            let advice = "write the table again, with text that holds separators in quotes";
            return Err(TrialRowFault::new(expected, found, advice).at(self.path, RowPlace::Line(number)));
        }
        let fields = std::mem::take(&mut self.fields);
        let taken = self.take_row(|place| cell(text, fields[place]));
        self.fields = fields;
        taken.map_err(|fault| fault.at(self.path, RowPlace::Line(number)))
    }

    fn set_header(&mut self, names: &[String], at: RowPlace) -> Result<(), TrialsError> {
        let columns = self.find_columns(names).map_err(|fault| fault.at(self.path, at))?;
        self.search.format = match columns {
            TableColumns::Long { .. } => TrialsFormat::Long,
            TableColumns::Optuna { .. } => TrialsFormat::Optuna,
        };
        self.header = Some((names.len(), columns));
        Ok(())
    }

    fn find_columns(&self, names: &[String]) -> Result<TableColumns, TrialRowFault> {
        let find = |wanted: &str| -> Result<Option<usize>, TrialRowFault> {
            let mut places = (0..names.len()).filter(|place| names[*place].eq_ignore_ascii_case(wanted));
            match (places.next(), places.next()) {
                (_, Some(_)) => Err(TrialRowFault::new(
                    format!("one column {wanted:?}"),
                    "several",
                    "name each column once",
                )),
                (place, None) => Ok(place),
            }
        };
        let TrialsReading { format, day, trial, day_return } = self.reading;
        let long = (find(day)?, find(trial)?, find(day_return)?);
        if let ((Some(day), Some(trial), Some(day_return)), None | Some(TrialsFormat::Long)) = (long, format)
        {
            return Ok(TableColumns::Long { day, trial, day_return });
        }
        let of_optuna = |name: &String| {
            ["params_", "user_attrs_", "datetime_start"].iter().any(|begin| name.starts_with(begin))
        };
        let number = find("number")?;
        let is_optuna = number.is_some() && names.iter().any(of_optuna);
        let found = format!("the columns {}", list_names(names));
        match (number, find(DAY_RETURNS)?) {
            (Some(number), Some(returns)) if *format != Some(TrialsFormat::Long) => {
                Ok(TableColumns::Optuna { number, state: find("state")?, returns })
            }
            _ if (is_optuna && format.is_none()) || *format == Some(TrialsFormat::Optuna) => {
                let expected = format!("an Optuna study with the columns number and {DAY_RETURNS}");
                let found = format!("{found}: a value per trial cannot be told from luck");
                Err(TrialRowFault::new(
                    expected,
                    if is_optuna { found } else { format!("the columns {}", list_names(names)) },
                    EXPORT,
                ))
            }
            _ => Err(TrialRowFault::new(
                format!("the columns {day}, {trial} and {day_return}"),
                found,
                NAME_COLUMNS,
            )),
        }
    }

    fn take_row<'c>(&mut self, cell: impl Fn(usize) -> &'c [u8]) -> Result<(), TrialRowFault> {
        match &self.header {
            Some((_, TableColumns::Long { day, trial, day_return })) => {
                let (day, trial, day_return) = (cell(*day), cell(*trial), cell(*day_return));
                self.take_long(day, trial, day_return)
            }
            Some((_, TableColumns::Optuna { number, state, returns })) => {
                let (number, state, returns) = (cell(*number), state.map(&cell), cell(*returns));
                self.take_optuna(number, state, returns)
            }
            None => Ok(()),
        }
    }

    fn take_long(&mut self, day: &[u8], trial: &[u8], day_return: &[u8]) -> Result<(), TrialRowFault> {
        let day = self.day_of(day)?;
        let trial = self.index_of(trial)?;
        let value = number_of(day_return)?;
        self.search.empty_cells += u64::from(value.is_none());
        self.push(day, trial, value.unwrap_or(0.0))
    }

    fn take_optuna(
        &mut self,
        number: &[u8],
        state: Option<&[u8]>,
        returns: &[u8],
    ) -> Result<(), TrialRowFault> {
        let state =
            state.map_or("COMPLETE".to_owned(), |state| String::from_utf8_lossy(state).to_uppercase());
        let state = state.trim_start_matches("TRIALSTATE.");
        if is_nothing(returns) {
            return match state {
                "PRUNED" => {
                    self.search.pruned += 1;
                    Ok(())
                }
                "FAIL" | "RUNNING" | "WAITING" => {
                    self.search.unfinished += 1;
                    Ok(())
                }
                _ => Err(TrialRowFault::new(
                    format!("day returns of a trial of state {}", name_excerpt(state)),
                    "none",
                    EXPORT,
                )),
            };
        }
        if self.known.contains_key(String::from_utf8_lossy(number).as_ref()) {
            let found = format!("trial {} again", excerpt_of_bytes(number));
            return Err(TrialRowFault::new("every trial once", found, "export each study by itself"));
        }
        let trial = self.index_of(number)?;
        let pairs = day_pairs(returns)?;
        for (day, value) in pairs {
            let day = self.day_of(day.as_bytes())?;
            self.search.empty_cells += u64::from(value.is_none());
            self.push(day, trial, value.unwrap_or(0.0))?;
        }
        Ok(())
    }

    fn day_of(&mut self, cell: &[u8]) -> Result<Day, TrialRowFault> {
        let instant = self.clock.parse(cell);
        instant.map(|(ms, _)| Day::of(ms)).map_err(|_| {
            let found = format!("{:?}", excerpt_of_bytes(cell));
            TrialRowFault::new("a day such as 2025-03-01", found, "write days as dates, in UTC")
        })
    }

    fn index_of(&mut self, cell: &[u8]) -> Result<u32, TrialRowFault> {
        let name = std::str::from_utf8(cell).map(str::trim).unwrap_or_default();
        if name.is_empty() || name.chars().count() > TRIAL_NAME_CHARS_MAX {
            let expected =
                format!("the name or number of a trial, of at most {TRIAL_NAME_CHARS_MAX} characters");
            return Err(TrialRowFault::new(expected, format!("{:?}", excerpt_of_bytes(cell)), NAME_COLUMNS));
        }
        if let Some(index) = self.known.get(name) {
            return Ok(*index as u32);
        }
        self.known.insert(name.to_owned(), self.names.len());
        self.names.push(name.to_owned());
        Ok((self.names.len() - 1) as u32)
    }

    fn push(&mut self, day: Day, trial: u32, value: f64) -> Result<(), TrialRowFault> {
        if self.cells.len() as u64 >= TRIAL_RETURNS_MAX {
            let expected = format!("at most {TRIAL_RETURNS_MAX} day returns in a file");
            return Err(TrialRowFault::new(expected, "more", "judge fewer trials or days"));
        }
        self.cells.push((day.0, trial, value));
        Ok(())
    }

    /// Returns the search with a return for every day from the first of any trial to the last.
    fn finish(mut self) -> Result<TrialSearch, TrialsError> {
        let wrong = |expected, found: String, advice| TrialsError::File {
            path: self.path.to_owned(),
            expected,
            found,
            advice,
        };
        let days = self.cells.iter().map(|(day, ..)| *day);
        let (Some(first), Some(last)) = (days.clone().min(), days.max()) else { return Ok(self.search) };
        let span = day_span(Day(first), Day(last));
        if (span as u64).saturating_mul(self.names.len() as u64) > TRIAL_RETURNS_MAX {
            let found = format!("{} trials over {span} days", self.names.len());
            return Err(wrong("at most 16777216 day returns in a file", found, "judge fewer trials or days"));
        }
        let gains = self.cells.iter().filter(|(.., value)| *value > 0.0).count();
        if gains >= GAINS_TO_DOUBT && self.cells.iter().all(|(.., value)| *value >= 0.0) {
            return Err(wrong(
                "day returns, some of them below 0",
                format!("{gains} above 0 and none below"),
                "if these are balances, give what each changed by from the day before, over the account",
            ));
        }
        self.cells.sort_unstable_by_key(|(day, trial, _)| (*trial, *day));
        if let Some(pair) =
            self.cells.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1))
        {
            let (day, trial) = (Day(pair[0].0), name_excerpt(&self.names[pair[0].1 as usize]).into_owned());
            let found = format!("several of trial {trial} on {day}");
            return Err(wrong("one return per trial and day", found, "add up the results of a day, in UTC"));
        }
        let empty = |name: &String| TrialDays {
            name: name.clone(),
            first: Day(first),
            returns: vec![0.0; span],
            trades: None,
            loss: None,
        };
        self.search.trials = self.names.iter().map(empty).collect();
        for (day, trial, value) in &self.cells {
            self.search.trials[*trial as usize].returns[(day - first) as usize] = *value;
        }
        Ok(self.search)
    }
}

/// Returns the return in a cell, `None` where nothing stands.
fn number_of(cell: &[u8]) -> Result<Option<f64>, TrialRowFault> {
    if is_nothing(cell) {
        return Ok(None);
    }
    parse_number(cell).filter(|value| value.is_finite()).map(Some).ok_or_else(|| {
        let found = format!("{:?}", excerpt_of_bytes(cell));
        TrialRowFault::new("a return of the day such as 0.0125", found, NAME_COLUMNS)
    })
}

/// Returns days with their returns from an object of JSON, or as Python prints a dictionary.
fn day_pairs(cell: &[u8]) -> Result<Vec<(String, Option<f64>)>, TrialRowFault> {
    let text = String::from_utf8_lossy(cell).replace("\"\"", "\"").replace('\'', "\"");
    let mut found = Vec::new();
    let fault = || {
        let expected = "an object of days and returns such as {\"2025-03-01\": 0.0125}";
        TrialRowFault::new(expected, format!("{:?}", excerpt_of_bytes(cell)), EXPORT)
    };
    let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(fault)?;
    let mut days = BTreeSet::new();
    for pair in inner.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (day, value) = pair.rsplit_once("\":").ok_or_else(fault)?;
        let day = day.trim().strip_prefix('"').ok_or_else(fault)?;
        if !days.insert(day.to_owned()) {
            return Err(TrialRowFault::new("every day once", format!("{} again", name_excerpt(day)), EXPORT));
        }
        found.push((day.to_owned(), number_of(value.trim().as_bytes())?));
    }
    match found.is_empty() {
        true => Err(fault()),
        false => Ok(found),
    }
}

#[cfg(feature = "columnar")]
impl TextRows for TrialRows<'_> {
    type Error = TrialsError;

    fn room_bytes(&self) -> Option<u64> {
        None
    }

    fn head(&mut self, names: &[&str]) -> Result<(), TrialsError> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.set_header(&names, RowPlace::Columns)
    }

    fn row<'c>(&mut self, number: u64, cell: impl Fn(usize) -> &'c [u8]) -> Result<(), TrialsError> {
        self.take_row(cell).map_err(|fault| fault.at(self.path, RowPlace::Row(number)))
    }

    fn reads_flags(&self, _: usize) -> bool {
        false
    }
}
