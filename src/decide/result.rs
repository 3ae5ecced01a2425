//! The result of a run over all its styles, with the exit code that stands for it.

use super::DecisionOutcome;

/// The result of a run over all its styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunResult {
    /// The active parameters of at least one style are others.
    Changed,
    /// Nothing to change.
    Unchanged,
    /// A better candidate, but its verdict is not good enough.
    NotConvincing,
    /// Every candidate was rejected.
    Rejected,
}

impl RunResult {
    /// Returns the word of the summary line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::NotConvincing => "not_convincing",
            Self::Rejected => "rejected",
        }
    }

    /// Returns the result of a word; `None` where it is another's, such as a decision by hand.
    pub fn named(word: &str) -> Option<Self> {
        [Self::Changed, Self::Unchanged, Self::NotConvincing, Self::Rejected]
            .into_iter()
            .find(|result| result.as_str() == word)
    }

    /// Returns the exit code that stands for the result.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Unchanged => 0,
            Self::Changed => 10,
            Self::NotConvincing => 11,
            Self::Rejected => 12,
        }
    }

    /// Returns the result of several styles: the one that says most to the reader.
    pub fn of(outcomes: impl Iterator<Item = DecisionOutcome>) -> Self {
        let rank = |outcome| match outcome {
            DecisionOutcome::Adopted | DecisionOutcome::Restored | DecisionOutcome::Withdrawn => {
                (3, Self::Changed)
            }
            DecisionOutcome::NotConvincing => (2, Self::NotConvincing),
            DecisionOutcome::Rejected => (1, Self::Rejected),
            DecisionOutcome::Unchanged => (0, Self::Unchanged),
        };
        outcomes.map(rank).max_by_key(|(weight, _)| *weight).map_or(Self::Unchanged, |(_, result)| result)
    }
}
