//! What closes a position in its favour or at an open: take-profit, staircase of targets, and the exit of a given signal.

use super::levels::Passage;
use super::passage::NEVER;
use super::position::Position;
use crate::model::{Bars, ExitReason, Interval, MINUTE_MS};

/// Where a target closes a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TargetHit {
    /// Index of the candle from the entry on, [`NEVER`] if none does.
    pub at: u16,
    /// The target's distance from the entry; price units.
    pub distance: f64,
    /// Where it is filled.
    pub filled: Filled,
    /// Why the position is closed.
    pub reason: ExitReason,
}

/// Where an order is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// At its distance: it rests there.
    AtLevel,
    /// At the open of the candle: it is sent then, before anything else can happen in it.
    AtOpen,
}

impl TargetHit {
    /// Returns the hit of a fixed target.
    pub(super) fn fixed(passage: Passage) -> Self {
        let Passage { distance, at } = passage;
        Self { at, distance, filled: Filled::AtLevel, reason: ExitReason::TakeProfit }
    }

    /// Returns the exit of a given signal: the open of a candle, if it is among those ahead.
    pub(super) fn signal(position: &Position<'_>, ahead: Bars<'_>) -> Option<Self> {
        let at = position.exit_at.filter(|at| usize::from(*at) < ahead.len())?;
        Some(Self { at, distance: f64::INFINITY, filled: Filled::AtOpen, reason: ExitReason::ExitSignal })
    }

    /// Returns whichever comes first; of two in one candle the nearer.
    pub(super) fn or_earlier(self, other: Self) -> Self {
        if (other.at, other.distance) < (self.at, self.distance) { other } else { self }
    }
}

/// A staircase of targets: from so many candles on, so many percent of the entry price.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Staircase {
    /// Ascending by candles; each counts until the next does.
    steps: Vec<(u16, f64)>,
}

impl Staircase {
    /// Returns a staircase of rows by minutes since the entry, ascending, in percent of the entry price.
    pub(super) fn new(rows: &[(f64, f64)], interval: Interval) -> Self {
        let mut steps: Vec<(u16, f64)> = Vec::new();
        for (minutes, percent) in rows {
            let bar = (minutes * MINUTE_MS as f64 / interval.ms() as f64).ceil();
            if bar < f64::from(NEVER) {
                let bar = bar as u16;
                // Of two steps that begin with one candle the later one is in force.
                steps.retain(|(known, _)| *known != bar);
                steps.push((bar, *percent));
            }
        }
        Self { steps }
    }

    /// Finds where the staircase closes a position, within so many candles.
    ///
    /// Rules: a target needs trade-through; a step that comes into force at an open beyond its target fills there
    /// Cost:  O(candles)
    pub(super) fn hit(&self, position: &Position<'_>, ahead: Bars<'_>, count: usize) -> TargetHit {
        let side = position.direction.sign();
        let entry = position.entry_price();
        let best = if side > 0.0 { ahead.high } else { ahead.low };
        let ends = self.steps[1.min(self.steps.len())..].iter().map(|(bar, _)| usize::from(*bar));
        for ((bar, percent), end) in self.steps.iter().zip(ends.chain([count])) {
            let (first, end) = (usize::from(*bar), end.min(count));
            let distance = percent / 100.0 * entry;
            let level = side * (entry + side * distance);
            let found = (first..end).find(|i| side * best[*i] > level);
            let Some(i) = found else { continue };
            // Fewer candles than a `u16` counts.
            let at = i as u16;
            let begins = i == first && i > 0 && side * ahead.open[i] > level;
            let (filled, reason) = match begins {
                true => (Filled::AtOpen, ExitReason::RoiStep),
                false => (Filled::AtLevel, ExitReason::Roi),
            };
            return TargetHit { at, distance, filled, reason };
        }
        TargetHit { at: NEVER, distance: f64::INFINITY, filled: Filled::AtLevel, reason: ExitReason::Roi }
    }
}
