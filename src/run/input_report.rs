//! What a run read: files, symbols, signals that were given.

use super::file_summary::{FileNote, IssueNote};
use crate::fingerprint::Fingerprint;
use crate::ingest::PassedOver;
use crate::model::{Day, Symbol};

/// What was read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InputReport {
    /// Every file of a symbol, with what was wrong with it.
    pub files: Vec<FileNote>,
    /// Files that are no candles, with why.
    pub passed_over: Vec<PassedOver>,
    /// Symbols in order, with candles, the days they span and issues of all their files together.
    pub symbols: Vec<SymbolReport>,
    /// What became of the signals, where they were given.
    pub signals: Option<SignalsNote>,
}

/// What was read of one symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolReport {
    /// Its name.
    pub name: String,
    /// Candles at the base interval.
    pub candles: u64,
    /// First and last day with candles.
    pub days: Option<(Day, Day)>,
    /// Issues of all its files together.
    pub issues: Vec<IssueNote>,
    /// Open time of its last candle; UTC ms.
    pub last_open: i64,
    /// Last close of every day with candles, those before the window included.
    pub closes: Vec<(Day, f64)>,
    /// Fingerprint of its candles.
    pub fingerprint: Fingerprint,
    /// When its newest candle closed; UTC ms.
    pub newest_close_ms: i64,
}

impl InputReport {
    /// Returns the candles of all symbols.
    pub fn candles(&self) -> u64 {
        self.symbols.iter().map(|symbol| symbol.candles).sum()
    }

    /// Returns the open time of the newest candle of all symbols; UTC ms.
    pub fn newest_open(&self) -> i64 {
        self.symbols.iter().map(|symbol| symbol.last_open).max().unwrap_or(i64::MIN)
    }

    /// Returns the symbol that stands for the market: the one wanted, or the first.
    pub fn market(&self, wanted: &Symbol) -> Option<&SymbolReport> {
        self.symbols.iter().find(|symbol| symbol.name == wanted.as_str()).or(self.symbols.first())
    }

    /// Returns the first and last day with candles.
    pub fn days(&self) -> Option<(Day, Day)> {
        let spans = self.symbols.iter().filter_map(|symbol| symbol.days);
        spans.reduce(|(a, b), (first, last)| (a.min(first), b.max(last)))
    }
}

/// What a run keeps of a file of signals: every row is counted in exactly one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalsNote {
    /// The file.
    pub file: String,
    /// Data rows.
    pub rows: u64,
    /// Signals on days that count; each is evaluated, pending, or broken where candles are missing around it.
    pub counted: u64,
    /// Rows equal to an earlier one.
    pub duplicates: u64,
    /// Signals of symbols without candles.
    pub without_candles: u64,
    /// Signals on days before the first candle of their symbol.
    pub before_candles: u64,
    /// Signals on days after the last candle.
    pub after_candles: u64,
    /// Signals on days with candles that do not count: before the window.
    pub outside_window: u64,
    /// Signals of styles that are not tuned.
    pub other_styles: u64,
    /// Fingerprint of all signals and their columns.
    pub fingerprint: Fingerprint,
    /// What should be known about them.
    pub issues: Vec<IssueNote>,
}

impl SignalsNote {
    /// Returns the rows that are not on days that count, with why in words.
    pub fn unused(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let all = [
            (self.duplicates, "repeated"),
            (self.without_candles, "without candles"),
            (self.before_candles, "before the candles"),
            (self.after_candles, "after the candles"),
            (self.outside_window, "outside the window"),
            (self.other_styles, "of other styles"),
        ];
        all.into_iter().filter(|(count, _)| *count > 0)
    }
}
