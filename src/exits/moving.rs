//! Stops that move: the trailing stop and break-even.
//!
//! Inside one candle the adverse extreme comes first. So a stop is moved by the extremes of closed candles and by the
//! present candle's open, never by its own favourable extreme.

use super::passage::NEVER;
use super::trade::Position;
use crate::model::{Bars, Direction, ExitReason};

/// A stop that arms once a profit was traded through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MovingStop {
    /// The best price so far must be beyond this one.
    arm: f64,
    /// Distance behind the best price; `None` stays at the entry.
    behind: Option<f64>,
    entry: f64,
    direction: Direction,
}

impl MovingStop {
    /// Returns a stop at the entry price, armed by a profit; price units.
    pub fn break_even(position: &Position<'_>, profit: f64) -> Self {
        let (entry, direction) = (position.entry_price(), position.direction);
        Self { arm: entry + direction.sign() * profit, behind: None, entry, direction }
    }

    /// Returns a trailing stop, armed by a profit (0: from the entry on); price units.
    pub fn trailing(position: &Position<'_>, profit: f64, behind: f64) -> Self {
        let entry = position.entry_price();
        let side = position.direction.sign();
        let arm = if profit > 0.0 { entry + side * profit } else { side * f64::NEG_INFINITY };
        Self { arm, behind: Some(behind), entry, direction: position.direction }
    }

    /// Returns the stop's price where the best price so far is `peak`, `None` while it is not armed.
    pub fn level(&self, peak: f64) -> Option<f64> {
        let side = self.direction.sign();
        let armed = side * peak > side * self.arm;
        armed.then(|| self.behind.map_or(self.entry, |behind| peak - side * behind))
    }

    /// Returns why a position that this stop closes was closed.
    pub fn reason(&self) -> ExitReason {
        if self.behind.is_some() { ExitReason::TrailingStop } else { ExitReason::BreakEven }
    }

    /// Returns the first candle that touches the stop.
    ///
    /// Cost: O(log candles) to where it arms, then O(candles) until it is touched
    pub fn first_touch(&self, ahead: Bars<'_>, peaks: &[f64]) -> u16 {
        let side = self.direction.sign();
        let armed = peaks.partition_point(|peak| side * peak <= side * self.arm);
        let touches = |i: &usize| {
            let level = self.level(peaks[*i]).expect("armed from here on");
            side * worst(ahead, *i, self.direction) <= side * level
        };
        (armed..peaks.len()).find(touches).map_or(NEVER, |i| i as u16)
    }
}

/// Returns the best price that is known when each of the first candles begins to move: the extremes of the candles
/// before it and its open.
pub fn peaks(ahead: Bars<'_>, direction: Direction, count: usize) -> Vec<f64> {
    let mut peak = ahead.open[0];
    let known = |i: usize| {
        peak = better(direction, peak, ahead.open[i]);
        let known = peak;
        peak = better(direction, peak, best(ahead, i, direction));
        known
    };
    (0..count).map(known).collect()
}

/// Returns the better of two prices for a side.
pub fn better(direction: Direction, a: f64, b: f64) -> f64 {
    match direction {
        Direction::Long => a.max(b),
        Direction::Short => a.min(b),
    }
}

/// Returns the favourable extreme of a candle.
pub fn best(ahead: Bars<'_>, i: usize, direction: Direction) -> f64 {
    match direction {
        Direction::Long => ahead.high[i],
        Direction::Short => ahead.low[i],
    }
}

fn worst(ahead: Bars<'_>, i: usize, direction: Direction) -> f64 {
    match direction {
        Direction::Long => ahead.low[i],
        Direction::Short => ahead.high[i],
    }
}
