//! A pass over positions: what every exit rule of a plan makes of each, in room that is used again.

use super::costs::{Fills, TradeCosts};
use super::ends::{CloseEvent, ExitEvents, Results, StopEvent, TargetEvent};
use super::freqtrade;
use super::levels::{Passage, Passages, follow_levels};
use super::mechanisms::{CLOSERS, PerCloser, first_close};
use super::moving::MovingStops;
use super::plan::{ExitPlan, FirstSlot, RuleRun};
use super::position::Position;
use super::targets::TargetHit;
use super::trade::{Stops, Trade};
use crate::model::{ExitReason, Outcome, Outcomes};

/// One worker's pass over positions under a plan.
#[derive(Debug)]
pub struct ExitPass<'p> {
    plan: &'p ExitPlan,
    targets: Passages,
    stops: Passages,
    moving: MovingStops,
    /// Where each staircase closes the position.
    staircases: Vec<TargetHit>,
    /// The candles that closers find.
    closes: PerCloser<Vec<u16>>,
    ends: ExitEvents,
    results: Results,
}

impl ExitPlan {
    /// Returns a pass over positions under the plan.
    pub fn pass(&self) -> ExitPass<'_> {
        ExitPass::new(self)
    }
}

impl<'p> ExitPass<'p> {
    fn new(plan: &'p ExitPlan) -> Self {
        Self {
            plan,
            targets: Passages::default(),
            stops: Passages::default(),
            moving: MovingStops::default(),
            staircases: Vec::new(),
            closes: PerCloser::default(),
            ends: ExitEvents::default(),
            results: Results::default(),
        }
    }

    /// Appends a row with the outcome of every rule, in order, for a position entered at a candle's open.
    ///
    /// Causality: this is the label: it reads the candles after the signal and must never feed a feature
    /// Rules:     inside one candle the adverse extreme comes before the favourable one, unless the candle opens beyond a
    ///            level; an open beyond the stop fills there; a target never fills better than its level; a stop is
    ///            moved by closed candles and by the present one's open. What nothing ended before the candles do is closed at
    ///            the last close
    /// Cost:      O(candles + levels + races), O(candles) for each distinct moving stop, and a comparison of two numbers per
    ///            rule, many side by side
    ///
    /// Fills of freqtrade are those of [`super::freqtrade`]; a rule with exits that it does not have is filled as ever.
    pub fn outcomes(&mut self, position: &Position<'_>, costs: &TradeCosts, out: &mut Outcomes) {
        match costs.fills() {
            Fills::Pessimistic => self.pessimistic(position, costs, out),
            Fills::Freqtrade => self.freqtrade(position, costs, out),
        }
    }

    /// Cost: O(candles) for each rule
    fn freqtrade(&mut self, position: &Position<'_>, costs: &TradeCosts, out: &mut Outcomes) {
        let rules = self.plan.rules();
        let end = position.entry + self.plan.hold_bars_max();
        let ahead = position.bars.slice(position.entry..end.min(position.bars.len()));
        let known = rules.iter().map(|rule| freqtrade::outcome(position, ahead, costs, rule));
        let known: Vec<Option<Outcome>> = known.collect();
        let mut ours = Outcomes::new(rules.len());
        if known.iter().any(Option::is_none) {
            self.pessimistic(position, costs, &mut ours);
        }
        let chosen = known.into_iter().enumerate();
        let chosen: Vec<Outcome> =
            chosen.map(|(rule, known)| known.unwrap_or_else(|| *ours.row(0).of(rule))).collect();
        out.push_each(&chosen);
    }

    fn pessimistic(&mut self, position: &Position<'_>, costs: &TradeCosts, out: &mut Outcomes) {
        let plan = self.plan;
        let end = position.entry + plan.hold_bars_max();
        let ahead = position.bars.slice(position.entry..end.min(position.bars.len()));
        assert!(!ahead.is_empty(), "a position is entered at a candle");
        let direction = position.direction;
        let (targets, stops) = (&mut self.targets, &mut self.stops);
        let decided = follow_levels(position, ahead, (&plan.targets, targets), (&plan.stops, stops));
        let (targets, stops) = (&self.targets, &self.stops);
        let moving = plan.moving.iter().map(|moving| moving.stop(position));
        self.moving.follow(moving, ahead, direction, decided);
        for ((closer, values), found) in CLOSERS.iter().zip(&plan.closers).zip(&mut self.closes) {
            if !values.is_empty() {
                (closer.find)(position, values, decided, found);
            }
        }
        self.staircases.clear();
        self.staircases.extend(plan.staircases.iter().map(|stairs| stairs.hit(position, ahead, decided)));
        let (closes, staircases) = (&self.closes, &self.staircases);
        let signal = TargetHit::signal(position, ahead);
        let open = costs.open(direction, ahead.open[0], ahead.open_time[0]);
        let trade = Trade { ahead, direction, open, moving: &self.moving };
        let first = |first: &FirstSlot| first.map(|(slot, share)| (targets.of(slot), share));
        let target_events = plan.target_events.iter().map(|slots| {
            let fixed = TargetHit::fixed(targets.of(slots.fixed));
            let stairs = slots.staircase.map(|place| staircases[place]);
            let hit = stairs.map_or(fixed, |stairs| fixed.or_earlier(stairs));
            // An open comes before all else in its candle.
            let signal = signal.filter(|signal| slots.follows_signal && signal.at <= hit.at);
            TargetEvent::new(&trade, signal.unwrap_or(hit), first(&slots.first))
        });
        let stop_events = plan.stop_events.iter().map(|(slots, own)| {
            let others = slots.others.iter().flatten().map(|slot| stops.of(*slot));
            let nearer =
                |fixed: Passage, other: Passage| if other.distance < fixed.distance { other } else { fixed };
            let fixed = others.fold(stops.of(slots.fixed), nearer);
            StopEvent::new(Stops { fixed, moving: slots.moving }, first(own))
        });
        let close_events = plan.close_events.iter().map(|(slots, own)| {
            let slots = slots.iter().enumerate();
            let found = slots.filter_map(|(closer, slot)| Some((closer, closes[closer][(*slot)?])));
            let (reason, bar) = first_close(found);
            CloseEvent::new(bar, reason, first(own))
        });
        // Fewer than a `u16` counts, as the longest holding time is.
        let known = ahead.len() as u16;
        let time_events = plan.time_events.iter().map(|(bars, own)| match *bars <= known {
            true => CloseEvent::new(bars - 1, ExitReason::Time, first(own)),
            false => CloseEvent::new(known - 1, ExitReason::DataEnd, first(own)),
        });
        let mut race = self.ends.begin(&trade, target_events, stop_events, close_events, time_events);
        let mut row = out.begin();
        let results = &mut self.results;
        race.run(&plan.races, &mut row, results);
        for RuleRun { races, time, hold_bars } in &plan.stretches {
            let (bars, numbers) = (&results.bars[races.clone()], &results.numbers[races.clone()]);
            let hold_bars = *hold_bars;
            // All are looked at, many at a time.
            if bars.iter().fold(0, |latest, bar| *bar.max(&latest)) < hold_bars {
                row.choose(numbers.iter().copied());
                continue;
            }
            let time = race.time(usize::from(*time), &mut row);
            let earlier = move |(bar, number): (&u16, &u16)| if *bar < hold_bars { *number } else { time };
            row.choose(bars.iter().zip(numbers).map(earlier));
        }
        row.finish();
    }
}
