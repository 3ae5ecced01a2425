//! What a look at data found: a report per file.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Document;
use super::input::IssuePart;
use crate::ingest::{ColumnContent, FileReport, Issue, IssueKind, PassedOver, SignalColumn, SignalsFile};
use crate::model::{GivenSignals, Style, Symbol, rfc3339};
use crate::run::file_summary::file_name;
use crate::run::issues::is_of_series;
use crate::search::space::SIGNALS_PREFIX;

/// The quality of candle files.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CheckDataDocument {
    /// Every file, or member of an archive, that belongs to a symbol.
    pub files: Vec<FilePart>,
    /// Symbols with candles at the base interval.
    pub symbols: Vec<CheckedSymbolPart>,
    /// Files that are not read, with why.
    pub skipped: Vec<PassedOverPart>,
    /// Candles that contradict each other; a run stops on these unless told otherwise.
    pub conflicts: Vec<String>,
    /// The file of signals; null when none was named.
    pub signals: Option<SignalsFilePart>,
    /// Whether a run could use anything.
    pub usable: bool,
}

impl Document for CheckDataDocument {
    const KIND: &'static str = "check_data";
    const VERSION: u32 = 2;
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FilePart {
    pub file: String,
    pub symbol: String,
    pub interval: Option<String>,
    /// Units of the open times: s, ms, us, ns, text.
    pub time_units: Vec<String>,
    pub rows: u64,
    pub candles: u64,
    pub first_open: Option<String>,
    pub last_open: Option<String>,
    /// BLAKE3 of the decoded bytes.
    pub hash: String,
    /// Why the whole file is not used; null when it is.
    pub rejected: Option<String>,
    pub issues: Vec<IssuePart>,
}

/// One symbol over all its files.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CheckedSymbolPart {
    pub symbol: String,
    pub candles: u64,
    pub first_open: Option<String>,
    pub last_open: Option<String>,
    pub issues: Vec<IssuePart>,
}

/// A file of signals.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SignalsFilePart {
    pub file: String,
    pub rows: u64,
    /// Rows equal to an earlier one; counted once.
    pub duplicates: u64,
    /// BLAKE3 of the bytes.
    pub hash: String,
    pub symbols: Vec<SignalsSymbolPart>,
    pub columns: Vec<SignalColumnPart>,
    /// Columns that can be filtered on and that no filter of the configuration reads.
    pub columns_unused: Vec<String>,
    /// Filters on those columns, as they can stand in the configuration: TOML; null where there is none.
    pub filters: Option<String>,
    pub issues: Vec<IssuePart>,
}

/// The signals of one symbol.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SignalsSymbolPart {
    pub symbol: String,
    pub signals: u64,
    /// Time of the first and last signal.
    pub first: Option<String>,
    pub last: Option<String>,
    /// Signals on days outside the symbol's candles; null when no candles were looked at.
    pub outside: Option<u64>,
}

/// A column of the user's own.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SignalColumnPart {
    /// Its name, as filters write it behind `signals.`.
    pub name: String,
    /// Smallest number; null where the column cannot be filtered on.
    pub min: Option<f64>,
    /// Largest number.
    pub max: Option<f64>,
    /// Rows without a number.
    pub missing: Option<u64>,
    /// Why it cannot be filtered on; null where it can.
    pub unusable: Option<String>,
}

/// A file that is not read.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PassedOverPart {
    pub file: String,
    pub reason: String,
}

fn place_of_file(path: &std::path::Path, entry: Option<&String>) -> String {
    file_name(&path.display().to_string(), entry.map(String::as_str))
}

/// Returns the issue of a file or symbol.
fn issue_part(file: &str, issue: &Issue) -> IssuePart {
    IssuePart {
        file: file.to_owned(),
        line: issue.lines.first().copied(),
        kind: issue.kind.as_str().to_owned(),
        count: issue.count,
        detail: issue.cause.to_string(),
    }
}

impl FilePart {
    /// Returns the part of a report.
    pub fn new(report: &FileReport) -> Self {
        let file = place_of_file(&report.path, report.entry.as_ref());
        Self {
            symbol: report.symbol.to_string(),
            interval: report.interval.map(|interval| interval.to_string()),
            time_units: report.time_units.iter().map(|unit| unit.as_str().to_owned()).collect(),
            rows: report.rows,
            candles: report.candles,
            first_open: report.first_open.map(rfc3339),
            last_open: report.last_open.map(rfc3339),
            hash: report.hash.clone(),
            rejected: report.rejected.as_ref().map(ToString::to_string),
            // What concerns the candles of a symbol is told of the symbol.
            issues: report
                .issues
                .iter()
                .filter(|issue| !is_of_series(issue.kind.as_str()))
                .map(|issue| issue_part(&file, issue))
                .collect(),
            file,
        }
    }
}

impl CheckedSymbolPart {
    /// Returns the part of a loaded symbol.
    pub fn new(loaded: &crate::ingest::LoadedSymbol) -> Self {
        let symbol = loaded.symbol.to_string();
        let times = loaded.series.bars().open_time;
        let silent = |issues: &[Issue]| issues.iter().any(|issue| issue.kind == IssueKind::NoVolume);
        let told = |issue: &&Issue| {
            issue.kind != IssueKind::ZeroVolume || !loaded.files.iter().all(|file| silent(&file.issues))
        };
        let part = |issue: &Issue| {
            let mut part = issue_part(&symbol, issue);
            // A symbol in one file: the line is that of the file.
            if let [file] = loaded.files.as_slice() {
                let own = file.issues.iter().find(|own| own.kind == issue.kind);
                part.line = own.and_then(|own| own.lines.first().copied());
            }
            part
        };
        Self {
            candles: times.len() as u64,
            first_open: times.first().copied().map(rfc3339),
            last_open: times.last().copied().map(rfc3339),
            issues: loaded.issues.iter().filter(told).map(part).collect(),
            symbol,
        }
    }
}

impl SignalsFilePart {
    /// Returns the part of a file; `outside` counts the signals of a symbol that lie outside its candles, and `read` are the columns
    /// that filters of the configuration read.
    pub fn new(
        file: &SignalsFile,
        read: &[&str],
        outside: impl Fn(&Symbol, &GivenSignals) -> Option<u64>,
    ) -> Self {
        let name = file.path.display().to_string();
        let symbol = |(symbol, given): (&Symbol, &GivenSignals)| SignalsSymbolPart {
            symbol: symbol.to_string(),
            signals: given.signals().len() as u64,
            first: given.signals().first().map(|signal| rfc3339(signal.time_ms)),
            last: given.signals().last().map(|signal| rfc3339(signal.time_ms)),
            outside: outside(symbol, given),
        };
        let unused = file.numeric_columns().filter(|column| !read.contains(column));
        let columns_unused: Vec<String> = unused.map(str::to_owned).collect();
        Self {
            filters: filters_of(file, &columns_unused),
            columns_unused,
            rows: file.rows,
            duplicates: file.duplicates,
            hash: file.hash.clone(),
            symbols: file.symbols.iter().map(symbol).collect(),
            columns: file.columns.iter().map(SignalColumnPart::from).collect(),
            issues: file.issues.iter().map(|issue| issue_part(&name, issue)).collect(),
            file: name,
        }
    }
}

/// Returns filters on columns at their least or largest value and their quartiles, to be put into a configuration.
fn filters_of(file: &SignalsFile, columns: &[String]) -> Option<String> {
    let of_style = |style: &Style| {
        file.symbols.values().flat_map(GivenSignals::signals).any(|signal| signal.style == Some(*style))
    };
    let style = Style::ALL.into_iter().find(of_style).unwrap_or(Style::ALL[0]);
    let mut text = String::new();
    for (place, name) in columns.iter().enumerate() {
        let content = file.columns.iter().find(|column| column.name == *name).map(|column| &column.content);
        let (Some(ColumnContent::Numbers { min, max, .. }), Some(quartiles)) =
            (content, file.quartiles(name))
        else {
            continue;
        };
        // The loosest level leaves nothing out, so it is not rounded.
        let mut up = vec![*min];
        up.extend(
            quartiles.map(four_digits).into_iter().filter(|quartile| quartile > min && quartile <= max),
        );
        let mut down = vec![*max];
        down.extend(
            quartiles.map(four_digits).into_iter().rev().filter(|quartile| quartile < max && quartile >= min),
        );
        if [*min, *max] == [0.0, 1.0] && quartiles.iter().all(|quartile| quartile.fract() == 0.0) {
            (up, down) = (vec![0.0, 1.0], vec![1.0, 0.0]);
        }
        up.dedup();
        down.dedup();
        let quoted = |name: &str| toml::Value::String(name.to_owned()).to_string();
        let blank = if place > 0 { "\n" } else { "" };
        text += &format!(
            "{blank}[[style.{style}.filters]]\nkey = {}\ncolumn = {}\nat_least = {up:?}    # or at_most = {down:?}\n",
            quoted(&key_of(name, place)),
            quoted(&format!("{SIGNALS_PREFIX}{name}")),
        );
    }
    (!text.is_empty()).then_some(text)
}

/// Returns the key of a filter on a column, which may be called anything.
fn key_of(name: &str, place: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let plain: String = name.chars().take(40).map(plain).collect();
    let is_whole = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && name.len() <= 40;
    // Names that differ in what no key holds differ by their place.
    if is_whole { format!("min_{plain}") } else { format!("min_{plain}_{}", place + 1) }
}

fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

impl From<&SignalColumn> for SignalColumnPart {
    fn from(column: &SignalColumn) -> Self {
        let name = column.name.clone();
        let unusable = |why: String| Self {
            name: name.clone(),
            min: None,
            max: None,
            missing: None,
            unusable: Some(why),
        };
        match &column.content {
            ColumnContent::Numbers { min, max, missing } => {
                Self { name, min: Some(*min), max: Some(*max), missing: Some(*missing), unusable: None }
            }
            ColumnContent::Text { at, found } => {
                unusable(format!("expected numbers, found {found:?} in {at}"))
            }
            ColumnContent::Empty => unusable("expected numbers, found none".to_owned()),
        }
    }
}

impl PassedOverPart {
    /// Returns the part of a file that is not read.
    pub fn new(passed: &PassedOver) -> Self {
        Self { file: place_of_file(&passed.path, passed.entry.as_ref()), reason: passed.reason.to_string() }
    }
}
