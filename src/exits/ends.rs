//! The ends of one position: which event comes first under each rule, every distinct end priced once.

use std::ops::Range;

use super::passage::NEVER;
use super::targets::{Filled, TargetHit};
use super::trade::{FirstTarget, Stops, Trade};
use crate::model::{ExitReason, Outcome, RowBuilder};

/// Races that are run side by side, so that what decides them runs over whole vectors.
pub(super) const LANES: usize = 8;
type Lanes = [u16; LANES];

/// What a position races towards besides the end of its time, as indices among the events of a plan. Rules that differ in their
/// holding time only share a race.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ExitCombination {
    /// The take-profit.
    pub target: u16,
    /// The stops.
    pub stop: u16,
    /// The close of a candle that something looks for, if anything does.
    pub close: Option<u16>,
    /// The longest holding time of its rules in candles: what comes later ends none of them.
    pub hold_bars_max: u16,
}

/// Stops that follow one another among the events of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
struct StopBank {
    first: u16,
    /// At most [`LANES`].
    stops: u16,
}

impl StopBank {
    fn stops(self) -> Range<usize> {
        usize::from(self.first)..usize::from(self.first + self.stops)
    }
}

/// Races that differ in their stops only, which are those of a bank.
#[derive(Debug, Clone, Copy, PartialEq)]
struct LaneBatch {
    target: u16,
    close: Option<u16>,
    hold_bars_max: u16,
    /// Among the programme's.
    bank: usize,
}

/// The races of a plan, in order, put together into heats.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ExitSchedule {
    heats: Vec<LaneBatch>,
    banks: Vec<StopBank>,
    races: usize,
}

impl ExitSchedule {
    /// Puts as many races together as can be, and keeps their order.
    pub(super) fn new(races: &[ExitCombination]) -> Self {
        let mut programme = Self { races: races.len(), ..Self::default() };
        let mut rest = races;
        while let [first, ..] = rest {
            let follows = |(place, race): &(usize, &ExitCombination)| {
                ExitCombination { stop: first.stop + *place as u16, ..*first } == **race
            };
            let stops = rest.iter().take(LANES).enumerate().take_while(follows).count();
            let bank = place_of(&mut programme.banks, StopBank { first: first.stop, stops: stops as u16 });
            let ExitCombination { target, close, hold_bars_max, .. } = *first;
            programme.heats.push(LaneBatch { target, close, hold_bars_max, bank });
            rest = &rest[stops..];
        }
        programme
    }
}

/// Returns where an item stands among the known ones, added if need be.
pub(super) fn place_of<T: PartialEq>(known: &mut Vec<T>, item: T) -> usize {
    known.iter().position(|other| *other == item).unwrap_or_else(|| {
        known.push(item);
        known.len() - 1
    })
}

/// How the races of a position ended, race by race, with some room behind the last.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// The candle in which each ended.
    pub bars: Vec<u16>,
    /// The row's number of that end. Where the candle is not within the race's longest holding time there is no end, and the
    /// number means nothing.
    pub numbers: Vec<u16>,
}

impl Results {
    /// Makes room for so many races, and for what lanes without a race get.
    fn reserve(&mut self, races: usize) {
        self.bars.resize(races + LANES, NEVER);
        self.numbers.resize(races + LANES, UNKNOWN);
    }
}

/// A take-profit, and what may be closed before it.
#[derive(Debug)]
pub(super) struct TargetEvent {
    hit: TargetHit,
    first: FirstTarget,
    /// Whether the candle that reaches it opens beyond it: then the target is filled before any stop.
    opens_beyond: bool,
}

/// Stops that act together, and what may be closed before them.
#[derive(Debug)]
pub(super) struct StopEvent {
    stops: Stops,
    first: FirstTarget,
    /// Known once priced: the candle opens beyond the stop.
    gap: bool,
}

/// The close of a candle, for a reason, and what may be closed before it.
#[derive(Debug)]
pub(super) struct CloseEvent {
    bar: u16,
    reason: ExitReason,
    first: FirstTarget,
}

/// "Not priced yet".
const UNKNOWN: u16 = u16::MAX;

/// What can end one position, each in the order of the plan's.
#[derive(Debug, Default)]
pub(super) struct ExitEvents {
    targets: Vec<TargetEvent>,
    stops: Vec<StopEvent>,
    closes: Vec<CloseEvent>,
    times: Vec<CloseEvent>,
    /// The candle that first touches each of the stops, and the row's number of its end. Longer than there are stops, so that
    /// a heat finds all its lanes.
    stop_bars: Vec<u16>,
    stop_numbers: Vec<u16>,
    /// For every bank, the first candle in which none of its stops ends a race.
    reaches: Vec<u16>,
    /// The row's numbers of the ends by targets, closes, times, and stops in a candle that reaches a target.
    numbers: Vec<u16>,
}

impl TargetEvent {
    /// Prepares a target of a trade.
    pub(super) fn new(trade: &Trade<'_>, hit: TargetHit, first: FirstTarget) -> Self {
        let is_at_open = hit.filled == Filled::AtOpen;
        let opens_beyond = hit.at != NEVER && (is_at_open || trade.opens_beyond(hit.at, hit.distance));
        // In another unit the first target may be the further one: then the take-profit closes all.
        let first = first.filter(|(first, _)| match hit.filled {
            _ if first.at < hit.at => true,
            Filled::AtLevel => first.distance < hit.distance,
            Filled::AtOpen => first.at == hit.at && trade.opens_beyond(hit.at, first.distance),
        });
        Self { hit, first, opens_beyond }
    }
}

impl StopEvent {
    /// Prepares stops of a trade.
    pub(super) fn new(stops: Stops, first: FirstTarget) -> Self {
        Self { stops, first, gap: false }
    }
}

impl CloseEvent {
    /// Prepares a close.
    pub(super) fn new(bar: u16, reason: ExitReason, first: FirstTarget) -> Self {
        Self { bar, reason, first }
    }
}

/// One position on its way to its ends.
pub(super) struct Racing<'a> {
    trade: &'a Trade<'a>,
    ends: &'a mut ExitEvents,
}

impl ExitEvents {
    /// Puts a position's events together.
    pub(super) fn begin<'a>(
        &'a mut self,
        trade: &'a Trade<'a>,
        targets: impl Iterator<Item = TargetEvent>,
        stops: impl Iterator<Item = StopEvent>,
        closes: impl Iterator<Item = CloseEvent>,
        times: impl Iterator<Item = CloseEvent>,
    ) -> Racing<'a> {
        refill_items(&mut self.targets, targets);
        refill_items(&mut self.stops, stops);
        refill_items(&mut self.closes, closes);
        refill_items(&mut self.times, times);
        refill_items(&mut self.stop_bars, self.stops.iter().map(|stop| trade.touched_at(&stop.stops)));
        self.stop_bars.resize(self.stops.len() + LANES, NEVER);
        self.stop_numbers.clear();
        self.stop_numbers.resize(self.stops.len() + LANES, UNKNOWN);
        let pairs = self.stops.len() * self.targets.len();
        let count = self.targets.len() + self.closes.len() + self.times.len() + pairs;
        self.numbers.clear();
        self.numbers.resize(count, UNKNOWN);
        Racing { trade, ends: self }
    }
}

impl Racing<'_> {
    /// Runs all races of a plan: each ends by the earliest of stop, target and close.
    ///
    /// Rules: inside one candle its open comes first, then the adverse extreme, the favourable one and the close. An open
    ///        beyond the stop fills there; a target never fills better than its level. The best case has the favourable
    ///        extreme first in the exit candle: it reaches targets, arms and moves stops.
    pub(super) fn run(&mut self, programme: &ExitSchedule, row: &mut RowBuilder<'_>, results: &mut Results) {
        results.reserve(programme.races);
        self.ends.reaches.clear();
        self.ends.reaches.resize(programme.banks.len(), 0);
        for heat in &programme.heats {
            let stops_end = self.stops_end(heat);
            let reach = &mut self.ends.reaches[heat.bank];
            *reach = stops_end.max(*reach);
        }
        for (place, bank) in programme.banks.iter().enumerate() {
            for stop in bank.stops() {
                if self.ends.stop_bars[stop] < self.ends.reaches[place] {
                    self.stop(stop, row);
                }
            }
        }
        let mut first_race = 0;
        for heat in &programme.heats {
            let bank = programme.banks[heat.bank];
            self.run_heat(heat, bank, first_race, row, results);
            first_race += bank.stops().len();
        }
    }

    /// Returns the first candle in which no stop ends a heat: what else ends it does so before.
    fn stops_end(&self, heat: &LaneBatch) -> u16 {
        let target = &self.ends.targets[usize::from(heat.target)];
        let rest = target.hit.at.min(self.close_bar(heat));
        // In the same candle a stop comes first, unless the candle opens beyond the target.
        let target_wins_ties = target.hit.at == rest && target.opens_beyond;
        rest.saturating_add(u16::from(!target_wins_ties)).min(heat.hold_bars_max)
    }

    fn close_bar(&self, heat: &LaneBatch) -> u16 {
        heat.close.map_or(NEVER, |close| self.ends.closes[usize::from(close)].bar)
    }

    fn run_heat(
        &mut self,
        heat: &LaneBatch,
        bank: StopBank,
        first_race: usize,
        row: &mut RowBuilder<'_>,
        results: &mut Results,
    ) {
        let first_stop = usize::from(bank.first);
        let target = usize::from(heat.target);
        let target_bar = self.ends.targets[target].hit.at;
        let rest = target_bar.min(self.close_bar(heat));
        let stops_end = self.stops_end(heat);
        let in_time = rest < heat.hold_bars_max;
        let goes_on = |stop: usize| self.ends.stop_bars[stop] >= stops_end;
        let number = match heat.close {
            _ if !in_time || !bank.stops().any(goes_on) => UNKNOWN,
            Some(close) if target_bar != rest => self.found_close(usize::from(close), row),
            _ => self.target(target, row),
        };
        let rest = LaneRest { bar: rest, number, stops_end };
        let tied = finish_batch(
            lanes(&self.ends.stop_bars, first_stop),
            lanes(&self.ends.stop_numbers, first_stop),
            rest,
            lanes_mut(&mut results.bars, first_race),
            lanes_mut(&mut results.numbers, first_race),
        );
        if tied && in_time && target_bar == rest.bar && rest.bar < stops_end {
            for (stop, race) in bank.stops().zip(first_race..) {
                if self.ends.stop_bars[stop] == rest.bar {
                    results.numbers[race] = self.stop_or_target(stop, target, row);
                }
            }
        }
    }

    fn target(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        self.priced(index, row, |racing| {
            let target = &racing.ends.targets[index];
            racing.trade.at_target(target.hit, target.first)
        })
    }

    /// Returns the number of the end by a stop, priced when it first occurs.
    fn stop(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        if self.ends.stop_numbers[index] == UNKNOWN {
            let stop = &mut self.ends.stops[index];
            let (outcome, gap) = self.trade.stopped(&stop.stops, self.ends.stop_bars[index], stop.first);
            stop.gap = gap;
            self.ends.stop_numbers[index] = row.end(outcome);
        }
        self.ends.stop_numbers[index]
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

    fn found_close(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        let place = self.ends.targets.len() + index;
        self.priced(place, row, |racing| racing.close(&racing.ends.closes[index]))
    }

    /// Returns the row's number of the end of a holding time.
    pub(super) fn time(&mut self, index: usize, row: &mut RowBuilder<'_>) -> u16 {
        let place = self.ends.targets.len() + self.ends.closes.len() + index;
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

/// What ends those races of a heat that no stop ends before.
#[derive(Clone, Copy)]
struct LaneRest {
    bar: u16,
    number: u16,
    /// The first candle in which a stop is too late.
    stops_end: u16,
}

/// Ends the races of a heat by their stops or by the rest, whatever comes first; returns whether a stop is touched in the candle of
/// the rest.
///
/// A function of its own: among other code the compiler takes the lanes one by one.
#[inline(never)]
fn finish_batch(
    stop_bars: &Lanes,
    stop_numbers: &Lanes,
    rest: LaneRest,
    bars: &mut Lanes,
    numbers: &mut Lanes,
) -> bool {
    for lane in 0..LANES {
        bars[lane] = stop_bars[lane].min(rest.bar);
    }
    for lane in 0..LANES {
        numbers[lane] = if stop_bars[lane] < rest.stops_end { stop_numbers[lane] } else { rest.number };
    }
    stop_bars.iter().fold(false, |tied, bar| tied | (*bar == rest.bar))
}

fn lanes(values: &[u16], first: usize) -> &Lanes {
    values[first..].first_chunk().expect("as many lanes more as a heat has")
}

fn lanes_mut(values: &mut [u16], first: usize) -> &mut Lanes {
    values[first..].first_chunk_mut().expect("as many lanes more as a heat has")
}

/// Puts other items in place of those there; the memory is kept.
fn refill_items<T>(items: &mut Vec<T>, others: impl Iterator<Item = T>) {
    items.clear();
    items.extend(others);
}
