//! First passages: the candle in which each take-profit and each stop level is first reached.

use crate::model::{Bars, Direction};

/// "Not reached within the horizon".
pub const NEVER: u16 = u16::MAX;

/// Finds the first candle that reaches each level; returns how many candles it took to decide every rule.
///
/// Shape: `ahead[n]` from the entry candle on; target and stop distances ascending, price units; one slot per level
/// Units: slots are candle indices from the entry candle (0), `NEVER` when not reached
/// Rules: a target needs trade-through (beyond it), a stop needs a touch; the entry candle counts
/// Cost:  O(candles + levels); ends early once every rule is decided (all stops or all targets reached)
pub fn first_passages(
    ahead: Bars<'_>,
    direction: Direction,
    targets: &[f64],
    stops: &[f64],
    target_at: &mut [u16],
    stop_at: &mut [u16],
) -> usize {
    let entry = ahead.open[0];
    target_at.fill(NEVER);
    stop_at.fill(NEVER);
    let (mut next_target, mut next_stop) = (0, 0);
    for i in 0..ahead.len() {
        while next_target < targets.len() && beyond_target(ahead, i, direction, entry, targets[next_target]) {
            target_at[next_target] = i as u16;
            next_target += 1;
        }
        while next_stop < stops.len() && touches_stop(ahead, i, direction, entry, stops[next_stop]) {
            stop_at[next_stop] = i as u16;
            next_stop += 1;
        }
        if next_target == targets.len() || next_stop == stops.len() {
            return i + 1;
        }
    }
    ahead.len()
}

#[inline]
fn beyond_target(ahead: Bars<'_>, i: usize, direction: Direction, entry: f64, distance: f64) -> bool {
    match direction {
        Direction::Long => ahead.high[i] > entry + distance,
        Direction::Short => ahead.low[i] < entry - distance,
    }
}

#[inline]
fn touches_stop(ahead: Bars<'_>, i: usize, direction: Direction, entry: f64, distance: f64) -> bool {
    match direction {
        Direction::Long => ahead.low[i] <= entry - distance,
        Direction::Short => ahead.high[i] >= entry + distance,
    }
}
