//! An exit plan: the exit rules of a run, resolved to shared levels so that one pass serves them all.

use std::collections::HashMap;
use std::ops::Range;

use super::ends::{ExitCombination, ExitSchedule, place_of};
use super::levels::{DistanceLevels, PROFIT_TIERS, STOP_TIERS};
use super::mechanisms::{MOVING_MAX, PerCloser, RuleEvents, STOPS_MAX};
use super::moving::Moving;
use super::passage::NEVER;
use super::targets::Staircase;
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, Interval, Outcomes};

/// An exit rule that cannot be simulated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expected {what} to be {expected}, found {found}")]
pub struct PlanError {
    /// The value's name.
    pub what: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// What it is.
    pub found: String,
}

/// A first target: its level among the targets, and the share closed there.
pub(super) type FirstSlot = Option<(usize, f64)>;

/// What closes a position in its favour: a level among the targets, a staircase among the plan's, the exit of its signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TargetSlots {
    pub fixed: usize,
    pub staircase: Option<usize>,
    pub follows_signal: bool,
    pub first: FirstSlot,
}

/// Stops that act together: levels among the stops, and stops that move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StopSlots {
    pub fixed: usize,
    /// Fixed stops besides: the nearest counts.
    pub others: [Option<usize>; STOPS_MAX - 1],
    pub moving: [Option<usize>; MOVING_MAX],
}

/// Consecutive rules with the same holding time and consecutive races.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RuleRun {
    pub races: Range<usize>,
    /// The end of the holding time, among the plan's.
    pub time: u16,
    /// Longest holding time in candles.
    pub hold_bars: u16,
}

/// The races of a plan in the making.
#[derive(Default)]
struct CombinationBuilder {
    all: Vec<ExitCombination>,
    /// Places among all, by target, stop and close.
    by_events: HashMap<(u16, u16, Option<u16>), usize>,
}

/// Exit rules in the order they were given, with what they share.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitPlan {
    rules: Vec<ExitRule>,
    /// What price and volume may end positions with: each combination of the events below once.
    pub(super) races: ExitSchedule,
    /// The rules, cut up into stretches.
    pub(super) stretches: Vec<RuleRun>,
    pub(super) target_events: Vec<TargetSlots>,
    pub(super) staircases: Vec<Staircase>,
    pub(super) stop_events: Vec<(StopSlots, FirstSlot)>,
    /// Places among the values of each closer; the first that finds its candle ends a position.
    pub(super) close_events: Vec<(PerCloser<Option<usize>>, FirstSlot)>,
    /// Holding times in candles.
    pub(super) time_events: Vec<(u16, FirstSlot)>,
    /// Take-profits, first targets and break-even triggers.
    pub(super) targets: DistanceLevels,
    /// Fixed and hard stops.
    pub(super) stops: DistanceLevels,
    pub(super) moving: Vec<Moving>,
    /// What each closer looks for, ascending.
    pub(super) closers: PerCloser<Vec<f64>>,
    hold_bars_max: u16,
}

impl ExitPlan {
    /// Resolves rules for candles of an interval.
    ///
    /// Errors: `PlanError` for a value outside its range, half of a pair, a holding time too long to count, or too many rules
    pub fn new(rules: Vec<ExitRule>, interval: Interval) -> Result<Self, PlanError> {
        if rules.len() > Outcomes::RULES_MAX {
            return Err(PlanError {
                what: "the number of exit rules of a style",
                expected: "at most 65535",
                found: rules.len().to_string(),
            });
        }
        rules.iter().try_for_each(check)?;
        let events: Vec<RuleEvents> = rules.iter().map(RuleEvents::of).collect();
        let stops = events.iter().flat_map(|events| events.stops.iter().copied());
        let mut plan = Self {
            targets: DistanceLevels::new(events.iter().flat_map(RuleEvents::profit_distances), PROFIT_TIERS),
            stops: DistanceLevels::new(stops, STOP_TIERS),
            closers: std::array::from_fn(|closer| {
                ascending(events.iter().filter_map(|of| of.closers[closer]))
            }),
            moving: Vec::new(),
            races: ExitSchedule::default(),
            stretches: Vec::new(),
            target_events: Vec::new(),
            staircases: Vec::new(),
            stop_events: Vec::new(),
            close_events: Vec::new(),
            time_events: Vec::new(),
            hold_bars_max: 0,
            rules,
        };
        let mut races = CombinationBuilder::default();
        for events in &events {
            plan.add(events, interval, &mut races)?;
        }
        plan.races = ExitSchedule::new(&races.all);
        Ok(plan)
    }

    /// Adds the events and the race of the next rule.
    fn add(
        &mut self,
        events: &RuleEvents,
        interval: Interval,
        races: &mut CombinationBuilder,
    ) -> Result<(), PlanError> {
        let hold_bars = hold_bars(events.hours, interval)?;
        let first: FirstSlot = events.first.map(|(distance, share)| (self.targets.slot(distance), share));
        let stops = StopSlots {
            fixed: self.stops.slot(events.stops[0]),
            others: std::array::from_fn(|nth| Some(self.stops.slot(*events.stops.get(nth + 1)?))),
            moving: std::array::from_fn(|nth| Some(place_of(&mut self.moving, *events.moving.get(nth)?))),
        };
        let closers: PerCloser<Option<usize>> = std::array::from_fn(|closer| {
            let value = events.closers[closer]?;
            Some(self.closers[closer].partition_point(|known| *known < value))
        });
        let targets = TargetSlots {
            fixed: self.targets.slot(events.target),
            staircase: (!events.steps.is_empty())
                .then(|| place_of(&mut self.staircases, Staircase::new(&events.steps, interval))),
            follows_signal: events.follows_signal,
            first,
        };
        // No more events than rules, which a `u16` counts.
        let target = place_of(&mut self.target_events, targets) as u16;
        let stop = place_of(&mut self.stop_events, (stops, first)) as u16;
        let looks = closers.iter().any(Option::is_some);
        let close = looks.then(|| place_of(&mut self.close_events, (closers, first)) as u16);
        let time = place_of(&mut self.time_events, (hold_bars, first)) as u16;
        let race = *races.by_events.entry((target, stop, close)).or_insert_with(|| {
            races.all.push(ExitCombination { target, stop, close, hold_bars_max: 0 });
            races.all.len() - 1
        });
        let longest = &mut races.all[race].hold_bars_max;
        *longest = hold_bars.max(*longest);
        self.hold_bars_max = hold_bars.max(self.hold_bars_max);
        match self.stretches.last_mut().filter(|last| (last.time, last.races.end) == (time, race)) {
            Some(last) => last.races.end += 1,
            None => self.stretches.push(RuleRun { races: race..race + 1, time, hold_bars }),
        }
        Ok(())
    }

    /// Returns the plan with a horizon of at least so many hours, whatever its rules need.
    ///
    /// Errors: as for a holding time
    pub fn reaching(mut self, hours: f64, interval: Interval) -> Result<Self, PlanError> {
        self.hold_bars_max = self.hold_bars_max.max(hold_bars(hours, interval)?);
        Ok(self)
    }

    /// Returns the rules, in order.
    pub fn rules(&self) -> &[ExitRule] {
        &self.rules
    }

    /// Returns the longest holding time in candles; a signal needs that many to be evaluated.
    pub fn hold_bars_max(&self) -> usize {
        usize::from(self.hold_bars_max)
    }

    /// Returns whether outcomes depend on the exit of the signal.
    pub fn reads_exit_signal(&self) -> bool {
        self.rules.iter().any(|rule| rule.exit_signal.is_some())
    }

    /// Returns whether outcomes depend on the score of the signal.
    pub fn reads_score(&self) -> bool {
        self.rules.iter().any(|rule| rule.dynamic_strength.is_some())
    }
}

fn hold_bars(hours: f64, interval: Interval) -> Result<u16, PlanError> {
    let bars = interval.bars_in_hours(hours);
    u16::try_from(bars).ok().filter(|bars| *bars < NEVER).ok_or(PlanError {
        what: "a holding time in candles",
        expected: "less than 65535",
        found: bars.to_string(),
    })
}

/// Returns every value once, in order.
fn ascending(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn check(rule: &ExitRule) -> Result<(), PlanError> {
    let error = |what, expected, found: &str| Err(PlanError { what, expected, found: found.to_owned() });
    for axis in &EXIT_AXES {
        if let Some(found) = axis.value(rule).filter(|value| !axis.allows(*value)) {
            return error(axis.key, "positive and within reason", &found.to_string());
        }
    }
    for (mechanism, partner) in ExitAxis::pairs() {
        if mechanism.gives_to(partner, rule) != partner.value(rule).is_some() {
            return error(partner.key, "there exactly when what it belongs to is on", "one of them");
        }
    }
    if rule.roi_decay_minutes.is_some() && rule.has_roi_rows() {
        return error("roi_decay_minutes", "off where rows of the staircase are given", "both");
    }
    if let Some((atr, percent)) = rule.doubled_level() {
        return error(percent, "off where the level is in ATR", atr);
    }
    let firsts =
        [(rule.first_target_atr, rule.take_profit_atr), (rule.first_target_at_pct, rule.take_profit_pct)];
    let is_beyond = |(first, target): &(f64, f64)| first >= target;
    match firsts.iter().filter_map(|(first, target)| first.zip(*target)).find(is_beyond) {
        Some((first, target)) => {
            error("a first target", "nearer than the take-profit", &format!("{first}, not below {target}"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exits::{Costs, Position, TradeCosts};
    use crate::model::{Candle, CandleSeries, Direction, ExitReason, Outcome, ReturnPpm, Symbol};

    fn series(bars: &[[f64; 4]]) -> CandleSeries {
        let candle = |(i, [open, high, low, close]): (usize, &[f64; 4])| Candle {
            open_time: i as i64 * Interval::M15.ms(),
            open: *open,
            high: *high,
            low: *low,
            close: *close,
            volume: 1.0,
        };
        let mut series = CandleSeries::new(Interval::M15);
        bars.iter().enumerate().map(candle).for_each(|c| series.push(c));
        series
    }

    fn position(series: &CandleSeries, direction: Direction) -> Position<'_> {
        Position { bars: series.bars(), entry: 0, direction, atr: 1.0, score: None, exit_at: None }
    }

    fn free() -> TradeCosts {
        Costs::free().of(&Symbol::parse("X").expect("a name"))
    }

    /// Cases of the fixture f21: side, bars, (exit bar, worst price, best price, reason, ambiguous); stop 2, target 4.
    #[test]
    fn the_intrabar_cases_agree() {
        use Direction::{Long, Short};
        use ExitReason::{Stop, StopGap, TakeProfit, Time};
        type Case = (Direction, &'static [[f64; 4]], (u16, f64, f64, ExitReason, bool));
        const START: [f64; 4] = [100.0, 101.0, 99.0, 100.0];
        let cases: &[Case] = &[
            (Long, &[START, [100.5, 104.5, 100.0, 104.0]], (1, 104.0, 104.0, TakeProfit, false)),
            (Long, &[START, [100.5, 101.0, 97.5, 98.2]], (1, 98.0, 98.0, Stop, false)),
            (Long, &[START, [98.9, 104.5, 97.9, 103.0]], (1, 98.0, 104.0, Stop, true)),
            (Long, &[[100.0, 104.5, 97.5, 101.0]], (0, 98.0, 104.0, Stop, true)),
            (Long, &[START, [96.0, 97.0, 95.0, 96.5]], (1, 96.0, 96.0, StopGap, false)),
            (Long, &[START, [105.0, 106.0, 104.8, 105.5]], (1, 104.0, 104.0, TakeProfit, false)),
            (Long, &[START, [105.0, 106.0, 97.0, 105.5]], (1, 104.0, 104.0, TakeProfit, false)),
            (Long, &[START, [100.5, 104.0, 100.0, 103.0]], (1, 103.0, 103.0, Time, false)),
            (Long, &[START, [100.5, 101.0, 98.0, 99.0]], (1, 98.0, 98.0, Stop, false)),
            (Short, &[START, [99.5, 99.8, 95.5, 96.0]], (1, 96.0, 96.0, TakeProfit, false)),
            (Short, &[START, [96.5, 102.5, 95.5, 100.0]], (1, 102.0, 96.0, Stop, true)),
            (Short, &[START, [104.0, 105.0, 103.0, 104.0]], (1, 104.0, 104.0, StopGap, false)),
        ];
        for (direction, bars, (bar, worst, best, reason, ambiguous)) in cases {
            let rule = ExitRule::new(4.0, 2.0, bars.len() as f64 * 0.25);
            let plan = ExitPlan::new(vec![rule], Interval::M15).expect("a plan");
            let mut out = Outcomes::new(1);
            plan.pass().outcomes(&position(&series(bars), *direction), &free(), &mut out);
            let value = |price: f64| ReturnPpm::from_fraction(direction.sign() * (price - 100.0) / 100.0);
            let expected = Outcome {
                net: value(*worst),
                best_case: value(*best),
                gross: value(*worst),
                bars_held: bar + 1,
                reason: *reason,
                ambiguous: *ambiguous,
            };
            assert_eq!(*out.row(0).of(0), expected, "{direction:?} {bars:?}");
        }
    }

    #[test]
    fn a_time_exit_is_at_its_own_horizon() {
        let rules = [0.25, 0.5, 0.75].map(|hold_hours| ExitRule::new(50.0, 50.0, hold_hours));
        let plan = ExitPlan::new(rules.to_vec(), Interval::M15).expect("a plan");
        let bars = [[100.0, 101.0, 99.0, 100.5], [100.5, 102.0, 100.0, 101.5], [101.5, 103.0, 101.0, 102.5]];
        let mut out = Outcomes::new(rules.len());
        plan.pass().outcomes(&position(&series(&bars), Direction::Long), &free(), &mut out);
        let row = out.row(0);
        assert_eq!(row.iter().map(|o| o.net.0).collect::<Vec<_>>(), [5_000, 15_000, 25_000]);
        assert_eq!(row.iter().map(|o| o.bars_held).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused() {
        let rule = ExitRule::new(1.0, 1.0, 1.0);
        for bad in [
            ExitRule { take_profit_atr: Some(0.0), ..rule },
            ExitRule { stop_atr: Some(f64::NAN), ..rule },
            ExitRule { take_profit_pct: Some(1.0), ..rule },
            ExitRule { stop_loss_pct: Some(1.0), ..rule },
            ExitRule { stop_loss_pct: Some(100.0), stop_atr: None, ..rule },
            ExitRule { stop_loss_pct: Some(1.0), stop_atr: None, leverage: Some(0.5), ..rule },
            ExitRule { hold_hours: -1.0, ..rule },
            ExitRule { roi_minutes_2: Some(60.0), ..rule },
            ExitRule { exit_signal: Some(0.5), ..rule },
            ExitRule {
                roi_pct: Some(4.0),
                roi_decay_minutes: Some(60.0),
                roi_floor_pct: Some(0.0),
                roi_minutes_2: Some(60.0),
                roi_pct_2: Some(1.0),
                ..rule
            },
            ExitRule { trailing_distance_atr: Some(1.0), ..rule },
            ExitRule { first_target_pct: Some(50.0), ..rule },
            ExitRule { first_target_atr: Some(1.0), first_target_pct: Some(50.0), ..rule },
            ExitRule { hard_stop_pct: Some(100.0), ..rule },
        ] {
            assert!(ExitPlan::new(vec![bad], Interval::M15).is_err());
        }
    }
}
