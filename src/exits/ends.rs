//! The ends of one position: which event comes first under each rule, every distinct end priced once.

use super::passage::NEVER;
use super::trade::{FirstTarget, Stops, Trade};
use crate::exits::levels::Passage;
use crate::model::{ExitReason, Outcome, RowBuilder};

/// What a position races towards besides the end of its time, as indices among the events of a plan. Rules that differ in their
/// holding time only share a race.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Race {
    /// The take-profit.
    pub target: u16,
    /// The stops.
    pub stop: u16,
    /// The volume surge, if there is one to watch for.
    pub surge: Option<u16>,
    /// The longest holding time of its rules in candles: what comes later ends none of them.
    pub hold_bars_max: u16,
}

/// A take-profit, and what may be closed before it.
#[derive(Debug)]
pub struct TargetEvent {
    passage: Passage,
    first: FirstTarget,
    /// Whether the candle that reaches it opens beyond it: then the target is filled before any stop.
    opens_beyond: bool,
}

/// Stops that act together, and what may be closed before them.
#[derive(Debug)]
pub struct StopEvent {
    stops: Stops,
    first: FirstTarget,
    at: u16,
    /// Known once priced: the candle opens beyond the stop.
    gap: bool,
}

/// The close of a candle, for a reason, and what may be closed before it.
#[derive(Debug)]
pub struct CloseEvent {
    bar: u16,
    reason: ExitReason,
    first: FirstTarget,
}

/// "Not priced yet".
const UNKNOWN: u16 = u16::MAX;

/// What can end one position, each in the order of the plan's.
#[derive(Debug, Default)]
pub struct Ends {
    targets: Vec<TargetEvent>,
    stops: Vec<StopEvent>,
    surges: Vec<CloseEvent>,
    times: Vec<CloseEvent>,
    /// The row's numbers of the ends by targets, stops, surges, times, and stops in a candle that reaches a target.
    numbers: Vec<u16>,
}

impl TargetEvent {
    /// Prepares a target of a trade.
    pub fn new(trade: &Trade<'_>, passage: Passage, first: FirstTarget) -> Self {
        let opens_beyond = passage.at != NEVER && trade.opens_beyond(passage.at, passage.distance);
        Self { passage, first, opens_beyond }
    }
}

impl StopEvent {
    /// Prepares stops of a trade.
    pub fn new(trade: &Trade<'_>, stops: Stops, first: FirstTarget) -> Self {
        let at = trade.touched_at(&stops);
        Self { stops, first, at, gap: false }
    }
}

impl CloseEvent {
    /// Prepares a close.
    pub fn new(bar: u16, reason: ExitReason, first: FirstTarget) -> Self {
        Self { bar, reason, first }
    }
}

/// One position on its way to its ends.
pub struct Racing<'a> {
    trade: &'a Trade<'a>,
    ends: &'a mut Ends,
}

impl Ends {
    /// Puts a position's events together.
    pub fn begin<'a>(
        &'a mut self,
        trade: &'a Trade<'a>,
        targets: impl Iterator<Item = TargetEvent>,
        stops: impl Iterator<Item = StopEvent>,
        surges: impl Iterator<Item = CloseEvent>,
        times: impl Iterator<Item = CloseEvent>,
    ) -> Racing<'a> {
        refill(&mut self.targets, targets);
        refill(&mut self.stops, stops);
        refill(&mut self.surges, surges);
        refill(&mut self.times, times);
        let pairs = self.stops.len() * self.targets.len();
        let count = self.targets.len() + self.stops.len() + self.surges.len() + self.times.len() + pairs;
        self.numbers.clear();
        self.numbers.resize(count, UNKNOWN);
        Racing { trade, ends: self }
    }
}

impl Racing<'_> {
    /// Returns the candle in which a race ends, and the row's number of that end: by the earliest of stop, target and surge.
    /// Where the candle is not within the longest holding time there is no end, and the number means nothing.
    ///
    /// Rules: inside one candle its open comes first, then the adverse extreme, the favourable one and the close. An open
    ///        beyond the stop fills there; a target never fills better than its level. The best case has the favourable
    ///        extreme first in the exit candle: it reaches targets, arms and moves stops.
    #[inline]
    pub fn end(&mut self, race: &Race, row: &mut RowBuilder<'_>) -> (u16, u16) {
        let [target_index, stop_index] = [race.target, race.stop].map(usize::from);
        let surge_index = race.surge.map(usize::from);
        let target = &self.ends.targets[target_index];
        let (target_at, opens_beyond) = (target.passage.at, target.opens_beyond);
        let stop_at = self.ends.stops[stop_index].at;
        let surge_at = surge_index.map_or(NEVER, |surge| self.ends.surges[surge].bar);
        let bar = stop_at.min(target_at).min(surge_at);
        if bar >= race.hold_bars_max {
            return (bar, UNKNOWN);
        }
        let number = if stop_at == bar && !(target_at == bar && opens_beyond) {
            match target_at == bar {
                true => self.stop_or_target(stop_index, target_index, row),
                false => self.stop(stop_index, row),
            }
        } else {
            match (target_at == bar, surge_index) {
                (false, Some(surge)) => self.surge(surge, row),
                _ => self.target(target_index, row),
            }
        };
        (bar, number)
    }

    fn target(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        self.priced(index, row, |racing| {
            let target = &racing.ends.targets[index];
            racing.trade.at_target(target.passage, target.first)
        })
    }

    fn stop(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        let place = self.ends.targets.len() + index;
        self.priced(place, row, |racing| {
            let stop = &mut racing.ends.stops[index];
            let (outcome, gap) = racing.trade.stopped(&stop.stops, stop.first);
            stop.gap = gap;
            outcome
        })
    }

    /// The stop is touched in a candle that reaches the target as well.
    fn stop_or_target(&mut self, stop: usize, target: usize, row: &mut RowBuilder<'_>) -> u16 {
        let stopped = self.stop(stop, row);
        if self.ends.stops[stop].gap {
            return stopped;
        }
        let pairs = self.ends.numbers.len() - self.ends.stops.len() * self.ends.targets.len();
        let place = pairs + stop * self.ends.targets.len() + target;
        if self.ends.numbers[place] == UNKNOWN {
            let reached = self.target(target, row);
            let best_case = row.added(reached).net;
            let outcome = Outcome { best_case, ambiguous: true, ..*row.added(stopped) };
            self.ends.numbers[place] = row.end(outcome);
        }
        self.ends.numbers[place]
    }

    fn surge(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        let place = self.ends.targets.len() + self.ends.stops.len() + index;
        self.priced(place, row, |racing| racing.close(&racing.ends.surges[index]))
    }

    /// Returns the row's number of the end of a holding time.
    pub fn time(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        let place = self.ends.targets.len() + self.ends.stops.len() + self.ends.surges.len() + index;
        self.priced(place, row, |racing| racing.close(&racing.ends.times[index]))
    }

    fn close(&self, event: &CloseEvent) -> Outcome {
        self.trade.at_close(event.bar, event.reason, event.first)
    }

    /// Returns the number of an end, priced when it first occurs.
    #[inline]
    fn priced(
        &mut self,
        place: usize,
        row: &mut RowBuilder<'_>,
        price: impl FnOnce(&mut Self) -> Outcome,
    ) -> u16 {
        if self.ends.numbers[place] == UNKNOWN {
            let outcome = price(self);
            self.ends.numbers[place] = row.end(outcome);
        }
        self.ends.numbers[place]
    }
}

/// Puts other items in place of those there; the memory is kept.
fn refill<T>(items: &mut Vec<T>, others: impl Iterator<Item = T>) {
    items.clear();
    items.extend(others);
}
