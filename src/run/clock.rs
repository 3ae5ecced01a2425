//! A clock that was set back: candles later than it do not count, so what a run finds rests on less than the run before had.

use crate::decide::DecisionReason;
use crate::decide::reason::SetBack;
use crate::store::{Snapshot, StoreError};

/// How far a clock may lie before the beginning of a recorded run: clocks are corrected by seconds, machines that share a
/// store differ by minutes.
pub const SET_BACK_MS_MAX: i64 = 60 * 60 * 1000;

/// Runs of each profile that a clock is held against: the last one may have had the wrong clock already.
const RUNS_HELD_AGAINST: usize = 60;

/// Returns the latest beginning of the last runs of all profiles; UTC ms.
///
/// Errors: those of reading the store
pub fn latest_run_ms(snapshot: &Snapshot<'_>) -> Result<Option<i64>, StoreError> {
    let mut latest = None;
    for profile in snapshot.profiles()? {
        let runs = snapshot.runs(&profile, .., RUNS_HELD_AGAINST)?;
        latest = latest.max(runs.iter().map(|(_, run)| run.started_at_ms).max());
    }
    Ok(latest)
}

/// Returns whether a clock lies before the beginning of the last run by more than clocks are corrected by.
pub fn is_set_back(now_ms: i64, last_run_ms: i64) -> bool {
    last_run_ms.saturating_sub(now_ms) > SET_BACK_MS_MAX
}

/// Says what is wrong with a clock.
pub fn set_back(now_ms: i64, last_run_ms: i64) -> SetBack {
    SetBack { now_ms, last_run_ms, tolerated_ms: SET_BACK_MS_MAX }
}

/// Says that a run adopts nothing for a clock: somebody should know, whatever they asked to be spared.
pub(crate) fn say_set_back(clock: SetBack) {
    tracing::error!(
        "{}; if it is right and that of the last run was not, `optimizer restore NUMBER` goes back to before it",
        DecisionReason::ClockSetBack(clock)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_may_be_corrected_and_not_be_set_back() {
        assert!(!is_set_back(1_000_000, 0));
        assert!(!is_set_back(0, SET_BACK_MS_MAX));
        assert!(is_set_back(0, SET_BACK_MS_MAX + 1));
        assert!(!is_set_back(i64::MAX, i64::MIN) && is_set_back(i64::MIN, i64::MAX));
    }
}
