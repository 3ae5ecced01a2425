//! Opportunities: what an oracle would have taken. They measure capture and nothing else.
//!
//! The legacy system searched among opportunities, so losers could not appear and every filter looked good (D03,
//! D04, D06). Here they live in [`Hindsight`], which no stage that chooses or ranks accepts.

use crate::exits::Costs;
use crate::features::frame::Frame;
use crate::model::{Bars, Direction, Sides};

/// A value that was computed from the future. It may only be counted against.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hindsight<T>(T);

impl<T> Hindsight<T> {
    /// Marks a value as hindsight.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value, to measure capture with.
    pub fn for_capture(&self) -> &T {
        &self.0
    }
}

impl Hindsight<Vec<Opportunity>> {
    /// Returns the opportunities on sides that are traded: no other can be captured.
    pub fn on_sides(self, sides: Sides) -> Self {
        Self(self.0.into_iter().filter(|opportunity| sides.allow(opportunity.direction)).collect())
    }
}

/// What counts as an opportunity. Reference constants: part of the plan, never of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpportunityRule {
    /// Stop of the oracle, in ATR(14) at the decision; one R.
    pub stop_atr: f64,
    /// Least favourable move before the stop, after taker costs, in R.
    pub reward_min: f64,
    /// Candles the oracle may hold.
    pub horizon_bars: usize,
}

/// A move that an oracle entry would have caught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opportunity {
    /// Side of the move.
    pub direction: Direction,
    /// Open time of the oracle's entry candle.
    pub start_ms: i64,
    /// Open time of the candle with the largest favourable excursion.
    pub peak_ms: i64,
    /// Net favourable excursion in R.
    pub reward: f64,
}

impl Opportunity {
    /// Returns whether an entry at an instant takes part in the move: same side, from its start to before its peak.
    pub fn is_captured_by(&self, direction: Direction, entry_ms: i64) -> bool {
        self.direction == direction
            && (self.start_ms..self.peak_ms.max(self.start_ms + 1)).contains(&entry_ms)
    }
}

/// Returns the opportunities of a sealed day that do not overlap, chosen for the largest total reward.
///
/// Shape:     decisions at the candles of the frame's day; needs `horizon_bars` candles after the day
/// Causality: hindsight by definition
/// Source:    weighted interval scheduling per symbol and day; moves may overlap across midnight, so that a day is
///            a unit of its own
pub fn opportunities_of_day(
    frame: &Frame<'_>,
    rule: &OpportunityRule,
    costs: &Costs,
) -> Hindsight<Vec<Opportunity>> {
    let mut moves = Vec::new();
    for index in frame.day_start..frame.end {
        let Some(atr) = frame.atr(index) else { continue };
        // The entry is the next candle, not the next that is known: that one may open weeks later.
        if index + 1 >= frame.bars.len() || frame.bars.break_at(index + 1).is_some() {
            continue;
        }
        let end = (index + 1 + rule.horizon_bars).min(frame.bars.len());
        let ahead = frame.bars.slice(index + 1..end);
        for direction in [Direction::Long, Direction::Short] {
            moves.extend(oracle_move(ahead, direction, atr, rule, costs));
        }
    }
    Hindsight::new(schedule_moves(moves))
}

/// Follows an oracle entry at the first candle's open to the stop or the horizon.
fn oracle_move(
    ahead: Bars<'_>,
    direction: Direction,
    atr: f64,
    rule: &OpportunityRule,
    costs: &Costs,
) -> Option<Opportunity> {
    let entry = ahead.open[0];
    let risk = rule.stop_atr * atr;
    let (mut best, mut best_at) = (0.0, 0);
    for i in 0..ahead.len() {
        let (favourable, adverse) = match direction {
            Direction::Long => (ahead.high[i] - entry, entry - ahead.low[i]),
            Direction::Short => (entry - ahead.low[i], ahead.high[i] - entry),
        };
        if ahead.break_at(i).is_some() || adverse >= risk {
            break;
        }
        if favourable > best {
            (best, best_at) = (favourable, i);
        }
    }
    let reward = (best - costs.taker_round_trip() * entry) / risk;
    (reward >= rule.reward_min).then(|| Opportunity {
        direction,
        start_ms: ahead.open_time[0],
        peak_ms: ahead.open_time[best_at],
        reward,
    })
}

/// Picks non-overlapping moves with the largest total reward, in time order.
fn schedule_moves(mut moves: Vec<Opportunity>) -> Vec<Opportunity> {
    moves.sort_by_key(|m| (m.peak_ms, m.start_ms));
    // best[i]: largest total reward within the first i moves.
    let mut best = vec![0.0; moves.len() + 1];
    let before =
        |i: usize| moves.partition_point(|m| (m.peak_ms, m.start_ms) < (moves[i].start_ms, i64::MIN)).min(i);
    for i in 0..moves.len() {
        let taken: f64 = best[before(i)] + moves[i].reward;
        best[i + 1] = taken.max(best[i]);
    }
    let mut chosen = Vec::new();
    let mut i = moves.len();
    while i > 0 {
        if best[i] > best[i - 1] {
            chosen.push(moves[i - 1]);
            i = before(i - 1);
        } else {
            i -= 1;
        }
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Candle, CandleSeries, Interval};

    fn opportunity(start_ms: i64, peak_ms: i64, reward: f64) -> Opportunity {
        Opportunity { direction: Direction::Long, start_ms, peak_ms, reward }
    }

    #[test]
    fn the_schedule_takes_the_largest_total_without_overlap() {
        let moves = vec![opportunity(0, 10, 3.0), opportunity(5, 20, 4.0), opportunity(11, 30, 3.0)];
        let chosen = schedule_moves(moves);
        assert_eq!(chosen.iter().map(|m| m.start_ms).collect::<Vec<_>>(), vec![0, 11]);
    }

    #[test]
    fn the_oracle_stops_at_its_stop() {
        let bars = [(100.0, 101.0, 99.5), (101.0, 106.0, 100.5), (106.0, 107.0, 98.0), (98.0, 120.0, 97.0)];
        let series: CandleSeries = bars
            .iter()
            .enumerate()
            .map(|(i, (open, high, low))| Candle {
                open_time: i as i64 * Interval::M15.ms(),
                open: *open,
                high: *high,
                low: *low,
                close: *open,
                volume: 1.0,
            })
            .collect();
        let rule = OpportunityRule { stop_atr: 1.0, reward_min: 2.0, horizon_bars: 10 };
        let found = oracle_move(series.bars(), Direction::Long, 2.0, &rule, &Costs::free()).expect("a move");
        assert_eq!((found.reward, found.peak_ms), (3.0, Interval::M15.ms()));
        assert!(found.is_captured_by(Direction::Long, 0));
        assert!(!found.is_captured_by(Direction::Long, Interval::M15.ms()));
        assert!(!found.is_captured_by(Direction::Short, 0));
        assert!(oracle_move(series.bars(), Direction::Short, 2.0, &rule, &Costs::free()).is_none());
    }
}
