//! Volume surges against a position.

use super::passage::NEVER;
use super::position::Position;

/// Candles whose mean volume a surge is measured against.
pub(super) const VOLUME_BARS: usize = 20;

/// Finds the first candle against the position with more than each multiple of the mean volume before it.
///
/// Shape: factors ascending, one slot each; the first `count` candles from the entry on
/// Rules: a candle is against the position if it closes beyond its open that way; one with fewer than
///        [`VOLUME_BARS`] candles before it is no surge
pub(super) fn first_surges(position: &Position<'_>, factors: &[f64], count: usize, at: &mut Vec<u16>) {
    let bars = position.bars;
    let side = position.direction.sign();
    at.clear();
    at.resize(factors.len(), NEVER);
    let mut next = 0;
    for i in 0..count {
        let bar = position.entry + i;
        let against = side * bars.close[bar] < side * bars.open[bar];
        if next == factors.len() || bar < VOLUME_BARS || !against {
            continue;
        }
        let mean = bars.volume[bar - VOLUME_BARS..bar].iter().sum::<f64>() / VOLUME_BARS as f64;
        while next < factors.len() && bars.volume[bar] > factors[next] * mean {
            at[next] = i as u16;
            next += 1;
        }
    }
}
