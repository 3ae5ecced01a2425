//! What became of the units of a symbol, and how much of its files was read.

use std::collections::BTreeSet;

use crate::engine::reuse::Reason;
use crate::model::Day;

/// What became of a symbol's units: symbol-days in all, and those evaluated by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitCounts {
    /// Symbol-days.
    pub total: u64,
    /// Symbol-days of which at least one style was evaluated, with the reason of the first.
    pub evaluated: Vec<(Day, Reason)>,
    /// Units evicted from the cache to make room.
    pub evicted: u64,
    /// Units evaluated again as a check of what was reused.
    pub checked: u64,
    /// How much of the files was read.
    pub read: FilesRead,
}

impl UnitCounts {
    /// Adds what a later stage of the same run evaluated.
    pub(crate) fn then(mut self, later: Self) -> Self {
        let known: BTreeSet<Day> = self.evaluated.iter().map(|(day, _)| *day).collect();
        self.evaluated.extend(later.evaluated.into_iter().filter(|(day, _)| !known.contains(day)));
        self.evaluated.sort_by_key(|(day, _)| *day);
        self.evicted += later.evicted;
        self.checked += later.checked;
        self.read = self.read.max(later.read);
        self
    }
}

/// How much of a symbol's files was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum FilesRead {
    /// Nothing: they look as when they were read.
    #[default]
    Nothing,
    /// What the files gained, and enough before it; the rest is as it was.
    Growth,
    /// Everything.
    Whole,
}

impl FilesRead {
    /// Returns the word used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "unchanged",
            Self::Growth => "incremental",
            Self::Whole => "full",
        }
    }
}
