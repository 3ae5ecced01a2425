//! What a run evaluated and why, symbol by symbol: the same whether the run has just ended, is foreseen, or is read from the store.

use super::input_report::SymbolReport;
use super::report::RunReport;
use super::unit_counts::UnitCounts;
use crate::engine::reuse::Reason;
use crate::model::Day;

/// What became of the units of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolWork {
    /// The symbol.
    pub symbol: String,
    /// Days with units.
    pub days: u64,
    /// Days whose units were evaluated.
    pub evaluated: u64,
    /// Reused units that were evaluated again as a check.
    pub checked: u64,
    /// How much of the files was read: `unchanged`, `incremental` or `full`.
    pub files_read: String,
    /// Why days were evaluated; the store keeps the first of many.
    pub spans: Vec<WorkSpan>,
}

/// Days in succession that were evaluated for one kind of reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkSpan {
    /// The first.
    pub first_day: String,
    /// The last.
    pub last_day: String,
    /// How many.
    pub days: u64,
    /// The kind of reason.
    pub kind: String,
    /// The reason of the first day.
    pub detail: String,
}

impl SymbolWork {
    /// Returns what becomes of a symbol's units: days in succession with one kind of reason in one span.
    pub fn of(symbol: &SymbolReport, units: &UnitCounts) -> Self {
        let span = |days: &[(Day, Reason)]| {
            let ((first, reason), (last, _)) = (&days[0], &days[days.len() - 1]);
            WorkSpan {
                first_day: first.to_string(),
                last_day: last.to_string(),
                days: days.len() as u64,
                kind: reason.kind().to_owned(),
                detail: reason.to_string(),
            }
        };
        let together = |a: &(Day, Reason), b: &(Day, Reason)| a.1.kind() == b.1.kind() && b.0.0 == a.0.0 + 1;
        Self {
            symbol: symbol.name.clone(),
            days: units.total,
            evaluated: units.evaluated.len() as u64,
            checked: units.checked,
            files_read: units.read.as_str().to_owned(),
            spans: units.evaluated.chunk_by(together).map(span).collect(),
        }
    }
}

impl RunReport {
    /// Returns what became of the units of each symbol.
    pub fn work(&self) -> Vec<SymbolWork> {
        let pairs = self.input.symbols.iter().zip(&self.units);
        pairs.map(|(symbol, units)| SymbolWork::of(symbol, units)).collect()
    }
}
