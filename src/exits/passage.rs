//! First passages: the candle in which each take-profit and each stop level is first reached.

use crate::model::{Bars, Direction};

/// "Not reached within the horizon".
pub(super) const NEVER: u16 = u16::MAX;

/// Finds the first candle that reaches each level; returns how many candles it took to decide every rule.
///
/// Shape: `ahead[n]` from the entry candle on; target and stop distances ascending, price units; one slot per level
/// Units: slots are candle indices from the entry candle (0), `NEVER` when not reached
/// Rules: a target needs trade-through (beyond it), a stop needs a touch; the entry candle counts
/// Cost:  O(candles + levels); ends early once every rule is decided (all stops or all targets reached)
pub(super) fn first_passages(
    ahead: Bars<'_>,
    direction: Direction,
    targets: &[f64],
    stops: &[f64],
    target_at: &mut [u16],
    stop_at: &mut [u16],
) -> usize {
    target_at.fill(NEVER);
    stop_at.fill(NEVER);
    match direction {
        Direction::Long => follow_passage::<true>(ahead, targets, stops, target_at, stop_at),
        Direction::Short => follow_passage::<false>(ahead, targets, stops, target_at, stop_at),
    }
}

/// Follows a position of one side. Prices are compared after multiplication by the side, so that upwards is always its favour.
fn follow_passage<const LONG: bool>(
    ahead: Bars<'_>,
    targets: &[f64],
    stops: &[f64],
    target_at: &mut [u16],
    stop_at: &mut [u16],
) -> usize {
    let side = if LONG { 1.0 } else { -1.0 };
    let (best, worst) = if LONG { (ahead.high, ahead.low) } else { (ahead.low, ahead.high) };
    let entry = ahead.open[0];
    let target =
        |next: usize| targets.get(next).map_or(f64::INFINITY, |distance| side * (entry + side * distance));
    let stop =
        |next: usize| stops.get(next).map_or(f64::NEG_INFINITY, |distance| side * (entry - side * distance));
    let (mut next_target, mut next_stop) = (0, 0);
    let (mut target_price, mut stop_price) = (target(0), stop(0));
    for (i, (best, worst)) in best.iter().zip(worst).enumerate() {
        while side * best > target_price {
            target_at[next_target] = i as u16;
            next_target += 1;
            target_price = target(next_target);
        }
        while side * worst <= stop_price {
            stop_at[next_stop] = i as u16;
            next_stop += 1;
            stop_price = stop(next_stop);
        }
        if next_target == targets.len() || next_stop == stops.len() {
            return i + 1;
        }
    }
    ahead.len()
}
