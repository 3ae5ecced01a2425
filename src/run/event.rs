//! What a run tells while it works.

use super::unit_counts::UnitCounts;
use crate::model::Style;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunEvent {
    /// Files were listed; again before every further stage of a search in stages.
    Discovered {
        /// Symbols with files.
        symbols: usize,
    },
    /// A symbol was read as far as it had to be, and is known what to evaluate of it.
    SymbolSorted {
        /// Symbol-days of a style to evaluate; the others are reused.
        todo: usize,
    },
    /// Some symbol-days of a style were evaluated.
    Evaluated {
        /// How many.
        units: usize,
    },
    /// A symbol was read and evaluated.
    SymbolDone {
        /// Its name.
        symbol: String,
        /// Candles at the base interval.
        candles: u64,
        /// What became of its units.
        units: UnitCounts,
    },
    /// A style was studied.
    StudyDone {
        /// The style.
        style: Style,
        /// Parameter sets evaluated.
        sets: usize,
    },
    /// All changes of the run were committed.
    Committed {
        /// Its number.
        run: u64,
    },
}
