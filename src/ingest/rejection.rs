//! Why one file gives no candles.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::as_text;
use super::cause::{FirstBadRow, Words};
use crate::model::{Interval, MarketKind, Symbol, Timeframes};

/// Why a file, or a member of an archive, was skipped. The names are those that stores keep, with their values; new
/// ones stand at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rejection {
    /// A known format that is not read.
    #[error("unsupported format: {format}; {advice}")]
    Unsupported {
        /// The format.
        format: Words,
        /// What to do.
        advice: Words,
    },
    /// Neither the name nor the place suggests candles.
    #[error("not candles: {what}")]
    NotCandles {
        /// What it is taken for.
        what: String,
    },
    /// No bytes, or an empty list.
    #[error("expected rows of candles, found an empty file; download it again or remove it")]
    Empty,
    /// The pointer Git LFS leaves where the data was not fetched.
    #[error("expected data, found a Git LFS pointer; run `git lfs pull`")]
    LfsPointer,
    /// A symbolic link to nowhere, as tools leave that keep data elsewhere.
    #[error("expected a file, found a link that leads nowhere; fetch the data it points to")]
    BrokenLink,
    /// A pipe, a socket or a device: opening one may wait for ever, so none is opened.
    #[error("expected a regular file, found {found}; write its content to a file")]
    NotRegular {
        /// What it is.
        found: Words,
    },
    /// The archive, compressed stream or table is damaged, encrypted or cut short.
    #[error("expected a readable file, found damage: {detail}; download it again")]
    Damaged {
        /// What the decoder said.
        detail: String,
    },
    /// The file beside it with its digest cannot be made out.
    #[error(
        "expected `<SHA-256 in hex>  <name of the file>` in its `.CHECKSUM`, found {found:?}; download that again or \
         remove it"
    )]
    BadChecksum {
        /// How that file begins.
        found: String,
    },
    /// The file is not the one that its `.CHECKSUM` is of.
    #[error("expected SHA-256 {expected} by its `.CHECKSUM`, found {found}; download both again")]
    OtherChecksum {
        /// The digest that stands beside the file, in hex.
        expected: String,
        /// The digest of the file, in hex.
        found: String,
    },
    /// More bytes, members or rows than allowed.
    #[error("expected at most {limit} {unit}, found more; split the file")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: Words,
    },
    /// It takes more memory than may be taken; told as an error of reading, for to pass it over would change what is read.
    #[error(
        "it decodes to more than the memory limit leaves; raise the limit (`--max-memory`) or split the file"
    )]
    NoRoom,
    /// Neither the name nor a column gives a symbol.
    #[error(
        "no symbol in the name; rename the file like `BTCUSDT-15m.csv`, put it in a folder like `BTCUSDT/15m/`, or \
         give it a column `symbol`"
    )]
    NoSymbol,
    /// The name holds a pair and a word that may make it another market.
    #[error(
        "`{token}` in the name is not understood, so this may not be {symbol}; rename the file like `BTCUSDT-15m.csv` or \
         put it in a folder like `symbol=BTCUSDT`"
    )]
    NameNotUnderstood {
        /// The first such word.
        token: String,
        /// The symbol it would be without.
        #[serde(with = "as_text")]
        symbol: Symbol,
    },
    /// The name can be read as two symbols.
    #[error(
        "the name is of {one} or of {other}; rename the file like `BTCUSDT-15m.csv` or put it in a folder like \
         `symbol=BTCUSDT`"
    )]
    NameUnclear {
        /// One symbol.
        one: String,
        /// The other.
        other: String,
    },
    /// The user asked for another market.
    #[error("a file of the {found} market; {asked} was asked for")]
    OtherMarket {
        /// The market that the name or a folder says.
        found: MarketKind,
        /// The market asked for.
        asked: MarketKind,
    },
    /// The user asked for a market that other files of the symbol say.
    #[error(
        "no market in the name, beside files of the {asked} market, which was asked for; put it in a folder `{asked}`"
    )]
    NoMarket {
        /// The market asked for.
        asked: MarketKind,
    },
    /// The user left it out.
    #[error("left out by `--exclude {glob}`")]
    Excluded {
        /// The pattern.
        glob: String,
    },
    /// The user asked for other symbols.
    #[error("symbol {symbol} was not asked for")]
    NotSelected {
        /// The symbol in the name.
        #[serde(with = "as_text")]
        symbol: Symbol,
    },
    /// Opportunities that the legacy system saved: no candles, but not useless either.
    #[error("legacy opportunities, not candles; read them with `optimizer inspect legacy FILE`")]
    LegacyOpportunities,
    /// A table without columns that candles must have.
    #[error("expected the columns {expected}, found {found}; rename the columns or export the file again")]
    MissingColumns {
        /// What is needed.
        expected: String,
        /// The columns there are.
        found: String,
    },
    /// The names of columns do not say where a candle stands.
    #[error(
        "expected columns for open_time, open, high, low and close, found {fault} in {place}: {found}; {advice}"
    )]
    UnknownNames {
        /// What is missing, or said twice.
        fault: String,
        /// Where the names stand.
        place: Box<str>,
        /// The names there are.
        found: Box<str>,
        /// What to do.
        advice: Words,
    },
    /// A column holds what can be no time, price or volume.
    #[error("expected {expected} in the column `{column}`, found {found}; convert it to CSV")]
    ColumnType {
        /// The column.
        column: String,
        /// What is needed.
        expected: Words,
        /// The type of the column.
        found: String,
    },
    /// Market snapshots tell the time of day only.
    #[error("market snapshots without a date; name the file like `20250131.csv`")]
    NoDate,
    /// Text that begins as a list of candles and goes on as something else.
    #[error("row {row}: expected {expected}, found {found:?}; write the file again")]
    BadJson {
        /// Number of the row, from 1.
        row: u64,
        /// What is needed.
        expected: Words,
        /// What stands there.
        found: String,
    },
    /// JSON with rows in more than one list.
    #[error(
        "row {row}: expected one list of rows, found two lists of rows; write the one that is meant to a file of its own"
    )]
    TwoLists {
        /// Number of the first row of the second, from 1.
        row: u64,
    },
    /// Neither a header nor a row of candles was found.
    #[error(
        "line {line}: expected a header such as `open_time,open,high,low,close,volume` or rows of Binance klines, \
         found {found:?}; write such a line above the rows, or rename the columns of the one that is there"
    )]
    NoHeader {
        /// The first line that is not blank.
        line: u64,
        /// How that line begins.
        found: String,
    },
    /// Rows without a header whose columns could mean several things.
    #[error(
        "line {line}: expected 5, 6 or 7 columns, or a close time in the seventh, found {columns} columns without a \
         header; add a header line, or say what they hold by `[data] columns`"
    )]
    UnknownColumns {
        /// The line.
        line: u64,
        /// The number of columns.
        columns: usize,
    },
    /// Rows without a header that do not show what their columns hold.
    #[error(
        "line {line}: expected a header, found {columns} columns without one, and {rows} row(s) that do not show what \
         they hold: {why}; add a header line such as `open_time,open,high,low,close,volume`, or say it by `[data] \
         columns = [...]`"
    )]
    UnprovenColumns {
        /// The first row.
        line: u64,
        /// The number of columns.
        columns: usize,
        /// The number of rows.
        rows: u64,
        /// What they leave open.
        why: Words,
    },
    /// Rows of other columns than `[data] columns` names.
    #[error(
        "line {line}: expected {expected} columns as in `[data] columns`, found {found}; correct that list"
    )]
    OtherColumns {
        /// The first row.
        line: u64,
        /// Names in the list.
        expected: usize,
        /// Columns of the row.
        found: usize,
    },
    /// Rows of two exchanges or intervals.
    #[error(
        "expected one {column} in the column of that name, found {first:?} and, in line {line}, {second:?}; split the \
         file by it"
    )]
    TwoSeries {
        /// What the column holds.
        column: Words,
        /// The first there is.
        first: String,
        /// Another.
        second: String,
        /// Where that stands.
        line: u64,
    },
    /// Dates with the year at their end that do not show which number is the day.
    #[error(
        "expected dates that can be read in one way, found {found}; write them as 2025-01-31, or as seconds since 1970"
    )]
    AmbiguousDates {
        /// What they show.
        found: Words,
    },
    /// Rows that show another meaning each time they are read by what they showed.
    #[error(
        "expected rows that show what their columns hold, found rows that contradict themselves; add a header line"
    )]
    Unsteady,
    /// More rows cannot be used than a sound file has.
    #[error("{}", too_many_bad(*bad, *allowed, *rows, first))]
    #[serde(rename = "too_many_bad")]
    ToldTooManyBad {
        /// Rows that cannot be used.
        bad: u64,
        /// So many may be.
        allowed: u64,
        /// All rows.
        rows: u64,
        /// What is wrong with the first of them, in the words of a program that kept no data.
        first: String,
    },
    /// A header and nothing else, or a single row that ends in the middle.
    #[error("expected rows of candles, found no whole one")]
    NoRows,
    /// More than half of the rows cannot be used.
    #[error("{}", mostly_bad(*bad, *rows, first))]
    #[serde(rename = "mostly_bad")]
    ToldMostlyBad {
        /// Rows that cannot be used.
        bad: u64,
        /// All rows.
        rows: u64,
        /// What is wrong with the first of them, in the words of a program that kept no data.
        first: String,
    },
    /// The symbol column names another symbol than the file name.
    #[error("the name says {named}, the symbol column holds {found}; rename the file")]
    WrongSymbol {
        /// The symbol in the name.
        #[serde(with = "as_text")]
        named: Symbol,
        /// The first other symbol in the data.
        found: String,
    },
    /// The name claims an interval the data do not have.
    #[error(
        "the name says {named} candles, the data hold {found} candles; rename the file or download it again"
    )]
    WrongInterval {
        /// The interval in the name.
        #[serde(with = "as_text")]
        named: Interval,
        /// The interval measured.
        found: String,
    },
    /// There is no interval in the name and none can be measured.
    #[error(
        "the interval is neither in the name nor to be measured from {candles} candle(s); rename the file like `BTCUSDT-15m.csv`"
    )]
    NoInterval {
        /// Candles in the file.
        candles: u64,
    },
    /// The steps between candles are not whole minutes.
    #[error("expected candles of whole minutes, found steps of {found}")]
    NotMinutes {
        /// The most frequent step.
        found: String,
    },
    /// Candles longer than the base interval: they cannot be split.
    #[error("{found} candles are coarser than the base interval {base} and cannot be split{}", way_out(*found))]
    Coarser {
        /// The interval of the file.
        #[serde(with = "as_text")]
        found: Interval,
        /// The base interval.
        #[serde(with = "as_text")]
        base: Interval,
    },
    /// Candles whose length does not divide the base interval.
    #[error("{found} candles do not divide the base interval {base}{}", way_out(*found))]
    DoesNotDivide {
        /// The interval of the file.
        #[serde(with = "as_text")]
        found: Interval,
        /// The base interval.
        #[serde(with = "as_text")]
        base: Interval,
    },
    /// More rows cannot be used than a sound file has.
    #[error("{}", too_many_bad(*bad, *allowed, *rows, first))]
    #[serde(rename = "too_many_bad_rows")]
    TooManyBad {
        /// Rows that cannot be used.
        bad: u64,
        /// So many may be.
        allowed: u64,
        /// All rows.
        rows: u64,
        /// What is wrong with the first of them.
        first: Box<FirstBadRow>,
    },
    /// More than half of the rows cannot be used.
    #[error("{}", mostly_bad(*bad, *rows, first))]
    #[serde(rename = "mostly_bad_rows")]
    MostlyBad {
        /// Rows that cannot be used.
        bad: u64,
        /// All rows.
        rows: u64,
        /// What is wrong with the first of them.
        first: Box<FirstBadRow>,
    },
    /// The user asked for another exchange.
    #[error("a file of {found}; {asked} was asked for")]
    OtherExchange {
        /// The exchange that the name or a folder says.
        found: String,
        /// The exchange asked for.
        asked: String,
    },
    /// The user asked for an exchange that other files of the symbol say.
    #[error(
        "no exchange in the name, beside files of {asked}, which was asked for; put it in a folder `{asked}`"
    )]
    NoExchange {
        /// The exchange asked for.
        asked: String,
    },
}

fn too_many_bad(bad: u64, allowed: u64, rows: u64, first: &impl fmt::Display) -> String {
    format!(
        "expected at most {allowed} of {rows} rows that cannot be used (1 %, or 3 of a short file), found {bad}; the first: \
         {first}; mend the file, or leave such rows out by `--on-bad-rows skip`"
    )
}

fn mostly_bad(bad: u64, rows: u64, first: &impl fmt::Display) -> String {
    format!("expected rows of candles, found {bad} of {rows} rows that cannot be used; the first: {first}")
}

impl Rejection {
    /// Returns that of a known format that is not read, and what to do.
    pub(super) fn unsupported(format: &'static str, advice: &'static str) -> Self {
        Self::Unsupported { format: format.into(), advice: advice.into() }
    }
}

/// Returns which base interval to set for candles of an interval, ready to print.
fn way_out(found: Interval) -> String {
    match Timeframes::base_for(found) {
        Some(base) => format!("; to run on them, set data.base_interval (`--set data.base_interval={base}`)"),
        None => format!("; a run can be on {}", Timeframes::bases()),
    }
}
