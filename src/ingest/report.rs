//! What a file held, in numbers and with the places of whatever was wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::cause::IssueCause;
use super::rejection::Rejection;
use super::time::TimeUnit;
use crate::model::{CandleError, Interval, Symbol};

/// How many line numbers an issue keeps.
pub const ISSUE_LINES_MAX: usize = 5;

/// What was found in one file, or in one member of an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// The member, if the file is an archive.
    pub entry: Option<String>,
    /// The symbol in the name.
    pub symbol: Symbol,
    /// The interval of the candles, from the name and verified, or measured; `None` if neither was possible.
    pub interval: Option<Interval>,
    /// The units of the open times, without repetition, finest last.
    pub time_units: Vec<TimeUnit>,
    /// Data rows: neither header, comment, blank nor a partial last line.
    pub rows: u64,
    /// Candles this file gives, before other files of the symbol are considered.
    pub candles: u64,
    /// Open time of the first candle in UTC milliseconds.
    pub first_open: Option<i64>,
    /// Open time of the last candle in UTC milliseconds.
    pub last_open: Option<i64>,
    /// Decoded size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the decoded bytes in hex; empty if they could not all be read.
    pub hash: String,
    /// What was wrong, ordered by kind.
    pub issues: Vec<Issue>,
    /// Why the whole file gives no candles.
    pub rejected: Option<Rejection>,
    /// Whether the file is of this symbol alone.
    pub of_one_symbol: bool,
}

/// Something about the data the user should know; each kind at most once per file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// What it is.
    pub kind: IssueKind,
    /// How often (see the kind for what is counted).
    pub count: u64,
    /// The first few lines concerned (rows where the format has no lines), from 1, in the order met; empty where
    /// lines of several files mix.
    pub lines: Vec<u64>,
    /// What was expected and found at the first of them.
    pub cause: IssueCause,
}

/// The kinds of issue, with what their count counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IssueKind {
    /// Rows that do not parse; left out.
    BadRow,
    /// Candles that cannot be; left out.
    Impossible(CandleError),
    /// Rows of another symbol; left out.
    OtherSymbol,
    /// Rows that hold a time and no price at all, as some write where nothing was traded; left out.
    NoCandle,
    /// Candles whose open time is not a multiple of the interval; left out.
    Misaligned,
    /// Candles that had not closed when they were written or are not closed yet; left out.
    Unfinished,
    /// Candles that begin more than five minutes after the instant of the run; left out.
    Future,
    /// One: the last line ends in the middle, or may do so in its last cell, because no newline ends it; left out.
    PartialLastLine,
    /// One: no newline ends the last line, but candles of another file go on behind it; kept.
    UnendedLastLine,
    /// Candles whose open or close lay outside high and low by a tick at most; kept, high and low that wide.
    Widened,
    /// Candles without a volume among others that have one; kept with volume 0.
    UnknownVolume,
    /// One: no column tells when candles open; the open time is the close time less the interval.
    FromCloseTime,
    /// One: rows without a header whose columns are in another order than open, high, low, close, as all rows show.
    ColumnOrder,
    /// Lines that are not data: comments, a URL, a title, a header repeated.
    Comment,
    /// Rows older than the row before them.
    OutOfOrder,
    /// Rows equal to an earlier one; left out.
    Duplicate,
    /// Rows that replaced a different earlier one (`on_conflict` is `Last`).
    Replaced,
    /// Rows that replaced the row right before them in the same file, which was written before its candle was finished.
    Finished,
    /// Candles missing between the first and the last; nothing is filled.
    Gap,
    /// Candles from which on the price is counted in another scale; nothing is read across.
    ScaleChange,
    /// Candles put where one was omitted because nothing was traded (`empty_candles` is `Flat`).
    FlatCandle,
    /// Candles in stretches of two or more without volume.
    ZeroVolume,
    /// Headers without a volume column (or one: rows without it); volume is 0 below.
    NoVolume,
    /// Rows of market snapshots in the columns of another writer than the header names; read by theirs.
    OtherLayout,
    /// Base candles not built because some of their finer candles are missing.
    IncompleteBucket,
    /// Buckets for which two intervals give different prices; the coarser interval is used.
    OverlapDiffers,
    /// Files of other symbols with the same bytes.
    IdenticalFile,
    /// Rows of signals on which nothing is entered; left out.
    NoEntry,
}

impl IssueKind {
    /// Returns the name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRow => "bad_row",
            Self::Impossible(_) => "impossible_candle",
            Self::OtherSymbol => "other_symbol",
            Self::NoCandle => "no_candle",
            Self::Widened => "widened",
            Self::UnknownVolume => "unknown_volume",
            Self::FromCloseTime => "from_close_time",
            Self::ColumnOrder => "column_order",
            Self::Misaligned => "misaligned",
            Self::Unfinished => "unfinished",
            Self::Future => "future",
            Self::PartialLastLine => "partial_last_line",
            Self::UnendedLastLine => "unended_last_line",
            Self::Comment => "comment",
            Self::OutOfOrder => "out_of_order",
            Self::Duplicate => "duplicate",
            Self::Replaced => "replaced",
            Self::Finished => "finished_later",
            Self::Gap => "gap",
            Self::ScaleChange => "scale_change",
            Self::FlatCandle => "flat_candle",
            Self::ZeroVolume => "zero_volume",
            Self::NoVolume => "no_volume",
            Self::OtherLayout => "other_layout",
            Self::IncompleteBucket => "incomplete_bucket",
            Self::OverlapDiffers => "overlap_differs",
            Self::IdenticalFile => "identical_file",
            Self::NoEntry => "nothing_entered",
        }
    }
}

/// Returns the beginning of foreign bytes as text.
pub(super) fn excerpt_of_bytes(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(240)]);
    if text.chars().count() <= 60 {
        text.into_owned()
    } else {
        text.chars().take(60).chain(['…']).collect()
    }
}

/// Counts one occurrence; the first few lines and the first cause are kept.
pub(super) fn note(
    issues: &mut Vec<Issue>,
    kind: IssueKind,
    line: Option<u64>,
    cause: impl FnOnce() -> IssueCause,
) {
    let known = issues.iter_mut().find(|issue| issue.kind == kind);
    let Some(issue) = known else {
        issues.push(Issue { kind, count: 1, lines: line.into_iter().collect(), cause: cause() });
        return;
    };
    issue.count += 1;
    if issue.lines.len() < ISSUE_LINES_MAX {
        issue.lines.extend(line);
    }
}

/// What tells whether two files hold the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileIdentity {
    /// The file.
    pub path: String,
    /// The member, if the file is an archive.
    pub entry: Option<String>,
    /// The symbol in the name.
    pub symbol: String,
    /// BLAKE3 of the decoded bytes in hex; empty for a file that is not to be compared.
    pub hash: String,
}

impl FileReport {
    /// Returns the file's identity; a file that is rejected, or of many symbols, is not to be compared.
    pub fn identity(&self) -> FileIdentity {
        FileIdentity {
            path: self.path.display().to_string(),
            entry: self.entry.clone(),
            symbol: self.symbol.to_string(),
            hash: if self.rejected.is_none() && self.of_one_symbol {
                self.hash.clone()
            } else {
                String::new()
            },
        }
    }
}

/// Returns, for each file that has the same bytes as one of another symbol, its index and an issue naming that.
///
/// Files without a hash are not compared. Two files of one symbol with the same bytes are
/// no issue here: their candles are dropped as duplicates.
pub fn identical_files(reports: &[FileIdentity]) -> Vec<(usize, Issue)> {
    let mut by_hash: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, report) in reports.iter().enumerate() {
        if !report.hash.is_empty() {
            by_hash.entry(&report.hash).or_default().push(index);
        }
    }
    let mut found: Vec<(usize, Issue)> =
        by_hash.values().flat_map(|same| same_bytes(reports, same)).collect();
    found.sort_by_key(|(index, _)| *index);
    found
}

fn same_bytes(reports: &[FileIdentity], same: &[usize]) -> Vec<(usize, Issue)> {
    let symbol = |index: usize| reports[index].symbol.as_str();
    let mut of_symbol: BTreeMap<&str, usize> = BTreeMap::new();
    same.iter().for_each(|index| *of_symbol.entry(symbol(*index)).or_default() += 1);
    let Some(first) = same.first().copied() else { return Vec::new() };
    // Without a second symbol there is nothing wrong.
    let Some(second) = same.iter().copied().find(|index| symbol(*index) != symbol(first)) else {
        return Vec::new();
    };
    let issue = |index: usize| {
        let other = &reports[if symbol(index) == symbol(first) { second } else { first }];
        let FileIdentity { path, entry, symbol: of, hash: _ } = other.clone();
        let cause = IssueCause::SameBytes { symbol: of, path, entry };
        let count = (same.len() - of_symbol[symbol(index)]) as u64;
        (index, Issue { kind: IssueKind::IdenticalFile, count, lines: Vec::new(), cause })
    };
    same.iter().map(|index| issue(*index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(symbol: &str, hash: &str) -> FileReport {
        FileReport {
            path: PathBuf::from(format!("{symbol}-15m.csv")),
            entry: None,
            symbol: Symbol::parse(symbol).expect("a symbol"),
            interval: None,
            time_units: Vec::new(),
            rows: 0,
            candles: 0,
            first_open: None,
            last_open: None,
            bytes: 0,
            hash: hash.to_owned(),
            issues: Vec::new(),
            rejected: None,
            of_one_symbol: true,
        }
    }

    #[test]
    fn only_other_symbols_with_the_same_bytes_are_named() {
        let reports =
            [report("BTCUSDT", "a"), report("ETHUSDT", "b"), report("SOLUSDT", "a"), report("ETHUSDT", "b")];
        let found = identical_files(&reports.iter().map(FileReport::identity).collect::<Vec<_>>());
        assert_eq!(found.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2]);
        assert!(found[0].1.cause.to_string().contains("SOLUSDT-15m.csv"), "{}", found[0].1.cause);
        let unread = [report("BTCUSDT", ""), report("ETHUSDT", "")].map(|report| report.identity());
        assert_eq!(identical_files(&unread), []);
    }

    #[test]
    fn the_first_lines_and_the_first_cause_are_kept() {
        let mut issues = Vec::new();
        let of_row = |row| IssueCause::Fields { expected: 6, found: row };
        (1..=9).for_each(|line| note(&mut issues, IssueKind::BadRow, Some(line), || of_row(line)));
        assert_eq!(issues.len(), 1);
        assert_eq!(issues[0].lines, [1, 2, 3, 4, 5]);
        assert_eq!((issues[0].count, &issues[0].cause), (9, &of_row(1)));
    }
}
