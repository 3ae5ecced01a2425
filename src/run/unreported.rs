//! Runs that were stored and never reported: each is told by the next, however it was made.

use crate::decide::ParameterChange;
use crate::store::{Store, StoreError};

/// A run that was interrupted after it was stored, before it was published or told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// The run.
    pub run: u64,
    /// When it began; UTC ms.
    pub started_at_ms: i64,
    /// How it ended, as the history says.
    pub result: String,
    /// What it changed in the active parameters.
    pub changes: Vec<ParameterChange>,
}

/// Returns the runs of a profile that were stored and not reported, oldest first.
///
/// Errors: those of reading the store
pub fn unreported_runs(store: &Store, profile: &str) -> Result<Vec<Overdue>, StoreError> {
    let runs = store.not_reported(profile)?;
    let snapshot = store.read()?;
    let tell = |(run, record): (u64, crate::store::records::RunRecord)| {
        let decisions = snapshot.decisions(profile, run)?.into_iter();
        let changes = decisions.filter(|(_, decision)| decision.changed);
        Ok(Overdue {
            run,
            started_at_ms: record.started_at_ms,
            result: record.result,
            changes: changes
                .flat_map(|(_, decision)| decision.changes)
                .map(|change| ParameterChange::from(&change))
                .collect(),
        })
    };
    runs.into_iter().map(tell).collect()
}
