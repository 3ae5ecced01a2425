//! Stops that move: the trailing stop and break-even.
//!
//! Inside one candle the adverse extreme comes first. So a stop is moved by the extremes of closed candles and by the
//! present candle's open, never by its own favourable extreme.

use super::levels::{Distance, PROFIT_TIERS, STOP_TIERS};
use super::passage::NEVER;
use super::position::Position;
use crate::model::{Bars, Direction, ExitReason};

/// A stop that moves, before a position gives it prices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Moving {
    /// To the entry, once a distance in favour of the position is passed.
    BreakEven {
        /// The distance.
        after: Distance,
    },
    /// Behind the best price.
    Trailing {
        /// Profit from which on it moves.
        activation: Distance,
        /// How far behind.
        distance: Distance,
    },
}

impl Moving {
    /// Returns the distance in favour of a position that the stop waits for, if there is one of its own.
    pub(super) fn after(&self) -> Option<Distance> {
        match *self {
            Self::BreakEven { after } => Some(after),
            Self::Trailing { .. } => None,
        }
    }

    /// Returns the stop of a position.
    pub(super) fn stop(&self, position: &Position<'_>) -> MovingStop {
        match *self {
            Self::BreakEven { after } => MovingStop::break_even(position, after.size(position, PROFIT_TIERS)),
            Self::Trailing { activation, distance } => {
                let profit = activation.size(position, PROFIT_TIERS);
                MovingStop::trailing(position, profit, distance.size(position, STOP_TIERS))
            }
        }
    }
}

/// A stop that arms once a profit was traded through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MovingStop {
    /// The best price so far must be beyond this one.
    arm: f64,
    /// Distance behind the best price; `None` stays at the entry.
    behind: Option<f64>,
    entry: f64,
}

impl MovingStop {
    /// Returns a stop at the entry price, armed by a profit; price units.
    pub(super) fn break_even(position: &Position<'_>, profit: f64) -> Self {
        let entry = position.entry_price();
        Self { arm: entry + position.direction.sign() * profit, behind: None, entry }
    }

    /// Returns a trailing stop, armed by a profit (0: from the entry on); price units.
    pub(super) fn trailing(position: &Position<'_>, profit: f64, behind: f64) -> Self {
        let entry = position.entry_price();
        let side = position.direction.sign();
        let arm = if profit > 0.0 { entry + side * profit } else { side * f64::NEG_INFINITY };
        Self { arm, behind: Some(behind), entry }
    }

    /// Returns the stop's price for a side where the best price so far is `peak`, `None` while it is not armed.
    #[inline]
    pub(super) fn level(&self, direction: Direction, peak: f64) -> Option<f64> {
        let side = direction.sign();
        let armed = side * peak > side * self.arm;
        armed.then(|| self.behind.map_or(self.entry, |behind| peak - side * behind))
    }

    /// Returns why a position that this stop closes was closed.
    pub(super) fn reason(&self) -> ExitReason {
        if self.behind.is_some() { ExitReason::TrailingStop } else { ExitReason::BreakEven }
    }
}

/// The moving stops of one position.
#[derive(Debug, Default)]
pub(super) struct MovingStops {
    /// With the candle that first touches each, [`NEVER`] if none does.
    stops: Vec<(MovingStop, u16)>,
    /// The best price known when each candle begins to move, as far as the last touch.
    peaks: Vec<f64>,
}

impl MovingStops {
    /// Follows the stops of a position for so many candles, or until all are touched.
    ///
    /// Cost: O(candles x stops)
    pub(super) fn follow(
        &mut self,
        stops: impl Iterator<Item = MovingStop>,
        ahead: Bars<'_>,
        direction: Direction,
        count: usize,
    ) {
        self.stops.clear();
        self.stops.extend(stops.map(|stop| (stop, NEVER)));
        self.peaks.clear();
        match direction {
            Direction::Long => self.touch::<true>(ahead, count),
            Direction::Short => self.touch::<false>(ahead, count),
        }
    }

    /// Finds the candles that first touch the stops of a position of one side.
    fn touch<const LONG: bool>(&mut self, ahead: Bars<'_>, count: usize) {
        let direction = if LONG { Direction::Long } else { Direction::Short };
        let mut waiting = self.stops.len();
        // Of the candles that are closed.
        let mut extreme = ahead.open[0];
        for i in 0..count {
            if waiting == 0 {
                break;
            }
            let peak = better_price(direction, extreme, ahead.open[i]);
            self.peaks.push(peak);
            extreme = better_price(direction, peak, best_extreme(ahead, i, direction));
            let worst = worst_extreme(ahead, i, direction);
            for (stop, at) in self.stops.iter_mut().filter(|(_, at)| *at == NEVER) {
                if stop
                    .level(direction, peak)
                    .is_some_and(|level| direction.sign() * worst <= direction.sign() * level)
                {
                    *at = i as u16;
                    waiting -= 1;
                }
            }
        }
    }

    /// Returns a stop.
    pub(super) fn stop(&self, place: usize) -> &MovingStop {
        &self.stops[place].0
    }

    /// Returns the candle that first touches a stop.
    pub(super) fn at(&self, place: usize) -> u16 {
        self.stops[place].1
    }

    /// Returns the best price that is known when a candle begins to move: the extremes of the candles before it and its open.
    /// `None` after all stops were touched.
    pub(super) fn peak(&self, bar: usize) -> Option<f64> {
        self.peaks.get(bar).copied()
    }
}

/// Returns the better of two prices for a side.
#[inline]
pub(super) fn better_price(direction: Direction, a: f64, b: f64) -> f64 {
    match direction {
        Direction::Long => a.max(b),
        Direction::Short => a.min(b),
    }
}

/// Returns the favourable extreme of a candle.
#[inline]
pub(super) fn best_extreme(ahead: Bars<'_>, i: usize, direction: Direction) -> f64 {
    match direction {
        Direction::Long => ahead.high[i],
        Direction::Short => ahead.low[i],
    }
}

/// Returns the adverse extreme of a candle.
#[inline]
pub(super) fn worst_extreme(ahead: Bars<'_>, i: usize, direction: Direction) -> f64 {
    match direction {
        Direction::Long => ahead.low[i],
        Direction::Short => ahead.high[i],
    }
}
