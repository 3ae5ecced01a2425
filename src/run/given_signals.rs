//! The user's signals in a run: which unit each belongs to, and what became of every row.

use std::path::Path;

use super::input_report::{InputReport, SignalsNote};
use super::window::first_day;
use crate::engine::plan::{Plan, StylePlan};
use crate::fingerprint::{Canonical, Fingerprint, of_signals};
use crate::ingest::{SignalsError, SignalsFile};
use crate::model::{Day, GivenSignal, GivenSignals, Interval, Symbol};
use crate::run::file_summary::IssueNote;
use crate::run::issue_detail::{IssueDetail, UNUSED_SIGNALS};

/// The signals of all symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalsBySymbol {
    file: SignalsFile,
    /// For symbols without any.
    none: GivenSignals,
    fingerprint: Fingerprint,
}

/// Returns the columns of signals that a style filters on.
pub fn columns_of(style: &StylePlan) -> impl Iterator<Item = &str> {
    style.space.dimensions().iter().filter_map(|dimension| dimension.source().signals_column())
}

/// Returns how many signals of a symbol lie on days outside the first and last day of its candles.
pub fn signals_outside(given: &GivenSignals, days: Option<(Day, Day)>, interval: Interval) -> u64 {
    let covered = |signal: &&GivenSignal| {
        days.is_some_and(|(first, last)| (first..=last).contains(&signal.day(interval)))
    };
    (given.signals().len() - given.signals().iter().filter(covered).count()) as u64
}

/// Returns the fingerprint of all signals of a file.
fn all_print(file: &SignalsFile) -> Fingerprint {
    let SignalsFile {
        symbols,
        // The columns that hold numbers are part of each symbol's signals; no other is read.
        columns: _,
        // Where and how the rows were written, and what was noteworthy about it.
        path: _,
        hash: _,
        rows: _,
        duplicates: _,
        issues: _,
    } = file;
    let hash = Canonical::new("retune all given signals v1").count(symbols.len() as u64);
    let add = |hash: Canonical, (symbol, given): (&Symbol, &GivenSignals)| {
        hash.text(symbol.as_str()).nested(of_signals(given, 0..given.signals().len()))
    };
    symbols.iter().fold(hash, add).finish()
}

impl SignalsBySymbol {
    /// Reads the signals of a run, which may take so many bytes.
    ///
    /// Errors: the file cannot be used, holds more than fits, or lacks a column that a filter of the plan reads
    pub fn read(path: &Path, plan: &Plan, room_bytes: Option<u64>) -> Result<Self, SignalsError> {
        let file = SignalsFile::read(path, plan.interval, &plan.reading, room_bytes)?;
        plan.styles.iter().flat_map(columns_of).try_for_each(|column| file.check_column(column))?;
        plan.styles.iter().try_for_each(|style| file.check_sides(style.sides, style.space.style()))?;
        if plan.styles.iter().any(|style| style.exits.reads_exit_signal()) {
            file.check_exits()?;
        }
        let columns = file.numeric_columns().map(str::to_owned).collect();
        Ok(Self { fingerprint: all_print(&file), none: GivenSignals::none(columns), file })
    }

    /// Returns the columns that hold numbers, sorted.
    pub fn columns(&self) -> &[String] {
        self.none.columns()
    }

    /// Returns about how much memory the signals take; see [`SignalsFile::read`].
    pub(crate) fn bytes(&self) -> u64 {
        self.file.rows * (64 + 16 * self.file.numeric_columns().count() as u64)
    }

    /// Returns the number of signals.
    pub(crate) fn signals(&self) -> u64 {
        self.file.symbols.values().map(|given| given.signals().len() as u64).sum()
    }

    /// Returns the signals of a symbol.
    pub fn of(&self, symbol: &Symbol) -> &GivenSignals {
        self.file.symbols.get(symbol).unwrap_or(&self.none)
    }

    /// Returns what becomes of every row on the candles that were read.
    pub(crate) fn note(&self, plan: &Plan, input: &InputReport) -> SignalsNote {
        let mut fates = [(); FATES.len()].map(|()| SignalTally::default());
        // Of the whole run: a symbol that ended before the window is in none.
        let from = input.days().map(|(first, last)| first_day(&plan.days, first, last));
        for (symbol, given) in &self.file.symbols {
            let read = input.symbols.iter().find(|report| report.name == symbol.as_str());
            let days = read.and_then(|report| report.days);
            for signal in given.signals() {
                let fate = fate_of_signal(signal, days.zip(from), plan);
                fates[fate as usize].add(symbol, signal);
            }
        }
        let count = |fate: SignalFate| fates[fate as usize].count;
        let outside = FATES.iter().filter_map(|fate| {
            let SignalTally { count, first } = &fates[*fate as usize];
            let (kind, (symbol, time_ms)) = (fate.kind()?, first.clone()?);
            let detail = IssueDetail::UnusedSignals { why: kind.to_owned(), symbol, time_ms };
            Some(IssueNote { kind: kind.to_owned(), count: *count, line: None, detail })
        });
        SignalsNote {
            file: self.file.path.display().to_string(),
            rows: self.file.rows,
            counted: count(SignalFate::Counted),
            duplicates: self.file.duplicates,
            without_candles: count(SignalFate::WithoutCandles),
            before_candles: count(SignalFate::BeforeCandles),
            after_candles: count(SignalFate::AfterCandles),
            outside_window: count(SignalFate::OutsideWindow),
            other_styles: count(SignalFate::OtherStyle),
            fingerprint: self.fingerprint,
            issues: self.file.issues.iter().map(IssueNote::from).chain(outside).collect(),
        }
    }
}

/// What becomes of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignalFate {
    Counted,
    WithoutCandles,
    BeforeCandles,
    AfterCandles,
    OutsideWindow,
    OtherStyle,
}

/// Every fate, in order.
const FATES: [SignalFate; 6] = [
    SignalFate::Counted,
    SignalFate::WithoutCandles,
    SignalFate::BeforeCandles,
    SignalFate::AfterCandles,
    SignalFate::OutsideWindow,
    SignalFate::OtherStyle,
];

impl SignalFate {
    /// Returns the kind of its issue; none for one that is as it should be.
    fn kind(self) -> Option<&'static str> {
        (self as usize).checked_sub(1).map(|place| UNUSED_SIGNALS[place].0)
    }
}

/// How many signals have one fate; symbol and time of the first, UTC ms.
#[derive(Default)]
struct SignalTally {
    count: u64,
    first: Option<(String, i64)>,
}

impl SignalTally {
    fn add(&mut self, symbol: &Symbol, signal: &GivenSignal) {
        self.first.get_or_insert_with(|| (symbol.to_string(), signal.time_ms));
        self.count += 1;
    }
}

/// `days` are the first and last day with candles of the symbol, and the first that counts.
fn fate_of_signal(signal: &GivenSignal, days: Option<((Day, Day), Day)>, plan: &Plan) -> SignalFate {
    let Some(((first, last), from)) = days else { return SignalFate::WithoutCandles };
    let day = signal.day(plan.interval);
    let tuned = plan.styles.iter().any(|style| signal.is_of(style.space.style()));
    match day {
        day if day < first => SignalFate::BeforeCandles,
        day if day > last => SignalFate::AfterCandles,
        day if day < from => SignalFate::OutsideWindow,
        _ if !tuned => SignalFate::OtherStyle,
        _ => SignalFate::Counted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fate_stands_at_its_place() {
        for (place, fate) in FATES.iter().enumerate() {
            assert_eq!(*fate as usize, place);
        }
        assert_eq!(SignalFate::Counted.kind(), None);
        assert_eq!(SignalFate::WithoutCandles.kind(), Some("signals_without_candles"));
        assert_eq!(SignalFate::OtherStyle.kind(), Some("signals_of_other_styles"));
    }
}
