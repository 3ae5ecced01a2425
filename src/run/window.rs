//! The days of a run: which candles it may see, and which signals count.

use crate::engine::plan::DayLimits;
use crate::model::{Bars, Day};

/// Cuts the candles to what the run may see: nothing from the end day on.
pub(crate) fn within_window<'a>(bars: Bars<'a>, days: &DayLimits) -> Bars<'a> {
    let end = days.end.map_or(bars.len(), |day| bars.index_at(day.start_ms()));
    bars.slice(0..end)
}

/// Returns the first day whose signals count.
pub(crate) fn first_day(limits: &DayLimits, first: Day, last: Day) -> Day {
    let windowed = limits.window_days.map_or(first, |days| Day(last.0 + 1 - days));
    first.max(windowed).max(limits.first.unwrap_or(first))
}
