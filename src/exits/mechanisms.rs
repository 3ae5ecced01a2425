//! The table of exit mechanisms: what each makes of a rule.
//!
//! A mechanism reads its axes of the rule ([`crate::model::EXIT_AXES`]) and says what it adds to the events that end positions.
//! Plan and pass know kinds of events, not mechanisms: another mechanism is an entry here, with a file of its own where it is more than
//! a distance.

use super::levels::Distance;
use super::moving::Moving;
use super::passage::NEVER;
use super::position::Position;
use super::surge;
use crate::model::{ExitReason, ExitRule};

/// What a mechanism adds to the events of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Contribution {
    /// Closes a position at a distance in its favour.
    Target(Distance),
    /// Closes a share of it there, and the rest goes on.
    FirstTarget(Distance, f64),
    /// Closes it at a distance against it; of several the nearest counts.
    Stop(Distance),
    /// Closes it at a price that moves; of all stops the tightest counts.
    Moving(Moving),
    /// Closes it at the close of the first candle that shows something, by the place in [`CLOSERS`] and a value.
    Close(usize, f64),
    /// Closes it in its favour at a distance that changes with time: from so many minutes on, so many percent of the entry price.
    Steps(Vec<(f64, f64)>),
    /// Closes it when the given signal says so.
    Signal,
    /// Closes it after so many hours.
    Time(f64),
}

/// A mechanism: what it adds to a rule, nothing where it is off.
pub(super) type Mechanism = fn(&ExitRule) -> Option<Contribution>;

/// Every mechanism. Where two stops stand at one price, the first of the table is the reason.
pub(super) static MECHANISMS: [Mechanism; 11] = [
    take_profit,
    first_target,
    stop,
    hard_stop,
    break_even,
    trailing_stop,
    trailing_before_offset,
    volume_surge,
    staircase,
    exit_signal,
    holding_time,
];

/// Mechanisms of the table that add fixed stops.
pub(super) const STOPS_MAX: usize = 2;
/// Mechanisms of the table that add stops that move.
pub(super) const MOVING_MAX: usize = 3;

/// What closes positions at the close of a candle: a mechanism that looks for one.
pub(super) struct Closer {
    /// Finds, for each value (ascending), the first candle among so many from the entry on; [`NEVER`] where there is none.
    pub find: fn(&Position<'_>, &[f64], usize, &mut Vec<u16>),
    /// Why the position is closed.
    pub reason: ExitReason,
}

/// Place of the volume surge among the closers.
const SURGE: usize = 0;

/// Every mechanism that looks for a candle.
pub(super) static CLOSERS: [Closer; 1] =
    [Closer { find: surge::first_surges, reason: ExitReason::VolumeSurge }];

/// The values of one rule's closers, by their places in [`CLOSERS`], or what became of them.
pub(super) type PerCloser<T> = [T; CLOSERS.len()];

/// A closer that found its candle first, and when.
pub(super) fn first_close(found: impl Iterator<Item = (usize, u16)>) -> (ExitReason, u16) {
    let none = (CLOSERS[0].reason, NEVER);
    found.fold(none, |first, (closer, at)| if at < first.1 { (CLOSERS[closer].reason, at) } else { first })
}

/// Returns a multiple of ATR as the rule scales it.
fn scaled(rule: &ExitRule, atr: f64) -> Distance {
    Distance::of(atr, rule.dynamic_strength)
}

/// Returns a level of a rule, in the unit in which it has it.
fn level(rule: &ExitRule, atr: Option<f64>, of_stake: Option<f64>) -> Option<Distance> {
    let percent = || of_stake.map(|percent| Distance::Percent(rule.percent_of_price(percent)));
    atr.map(|atr| scaled(rule, atr)).or_else(percent)
}

fn take_profit(rule: &ExitRule) -> Option<Contribution> {
    level(rule, rule.take_profit_atr, rule.take_profit_pct).map(Contribution::Target)
}

fn first_target(rule: &ExitRule) -> Option<Contribution> {
    let distance = level(rule, rule.first_target_atr, rule.first_target_at_pct)?;
    Some(Contribution::FirstTarget(distance, rule.first_target_pct? / 100.0))
}

fn stop(rule: &ExitRule) -> Option<Contribution> {
    level(rule, rule.stop_atr, rule.stop_loss_pct).map(Contribution::Stop)
}

fn hard_stop(rule: &ExitRule) -> Option<Contribution> {
    Some(Contribution::Stop(Distance::Percent(rule.hard_stop_pct?)))
}

fn break_even(rule: &ExitRule) -> Option<Contribution> {
    let after = level(rule, rule.break_even_atr, rule.break_even_pct)?;
    Some(Contribution::Moving(Moving::BreakEven { after }))
}

fn trailing_stop(rule: &ExitRule) -> Option<Contribution> {
    // The score does not scale it.
    let in_atr = rule.trailing_activation_atr.zip(rule.trailing_distance_atr);
    let in_atr = in_atr.map(|(activation, distance)| (Distance::Atr(activation), Distance::Atr(distance)));
    let percent = |of_stake: f64| Distance::Percent(rule.percent_of_price(of_stake));
    let in_percent = || {
        let (activation, distance) = rule.trailing_offset_pct.zip(rule.trailing_pct)?;
        Some((percent(activation), percent(distance)))
    };
    let (activation, distance) = in_atr.or_else(in_percent)?;
    Some(Contribution::Moving(Moving::Trailing { activation, distance }))
}

/// The stop itself trails from the entry on, as long as the offset is not reached.
fn trailing_before_offset(rule: &ExitRule) -> Option<Contribution> {
    rule.trailing_only_offset.filter(|only| *only == 0.0)?;
    let distance = level(rule, rule.stop_atr, rule.stop_loss_pct)?;
    Some(Contribution::Moving(Moving::Trailing { activation: Distance::Atr(0.0), distance }))
}

fn volume_surge(rule: &ExitRule) -> Option<Contribution> {
    Some(Contribution::Close(SURGE, rule.surge_factor?))
}

fn staircase(rule: &ExitRule) -> Option<Contribution> {
    let rows = rule.roi_steps().into_iter();
    let rows: Vec<(f64, f64)> = rows.map(|(from, target)| (from, rule.percent_of_price(target))).collect();
    (!rows.is_empty()).then_some(Contribution::Steps(rows))
}

fn exit_signal(rule: &ExitRule) -> Option<Contribution> {
    rule.exit_signal.filter(|follows| *follows == 1.0).map(|_| Contribution::Signal)
}

fn holding_time(rule: &ExitRule) -> Option<Contribution> {
    Some(Contribution::Time(rule.hold_hours))
}

/// What ends the positions of one rule, mechanism by mechanism put together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RuleEvents {
    /// Where it is closed in its favour; never, without a take-profit.
    pub target: Distance,
    /// Where a share is closed before.
    pub first: Option<(Distance, f64)>,
    /// Fixed stops; there is one, which is never reached where the rule has none.
    pub stops: Vec<Distance>,
    /// Stops that move.
    pub moving: Vec<Moving>,
    /// What closers look for.
    pub closers: PerCloser<Option<f64>>,
    /// Rows of the staircase, by minutes since the entry; none where it is off.
    pub steps: Vec<(f64, f64)>,
    /// Whether the signal's own exit counts.
    pub follows_signal: bool,
    /// The longest holding time in hours.
    pub hours: f64,
}

impl RuleEvents {
    /// Puts together what the mechanisms make of a rule.
    ///
    /// Panics when none closes its positions by time, or when there are two that do so or in their favour
    pub(super) fn of(rule: &ExitRule) -> Self {
        let (mut target, mut first, mut hours) = (None, None, None);
        let (mut stops, mut moving, mut closers) = (Vec::new(), Vec::new(), [None; CLOSERS.len()]);
        let (mut steps, mut follows_signal) = (Vec::new(), false);
        for contribution in MECHANISMS.iter().filter_map(|mechanism| mechanism(rule)) {
            let is_second = match contribution {
                Contribution::Target(distance) => target.replace(distance).is_some(),
                Contribution::FirstTarget(distance, share) => first.replace((distance, share)).is_some(),
                Contribution::Time(longest) => hours.replace(longest).is_some(),
                Contribution::Steps(rows) => !std::mem::replace(&mut steps, rows).is_empty(),
                Contribution::Signal => std::mem::replace(&mut follows_signal, true),
                Contribution::Close(closer, value) => closers[closer].replace(value).is_some(),
                Contribution::Stop(distance) => {
                    stops.push(distance);
                    stops.len() > STOPS_MAX
                }
                Contribution::Moving(stop) => {
                    moving.push(stop);
                    moving.len() > MOVING_MAX
                }
            };
            assert!(!is_second, "one mechanism of a kind, or as many as there is room for");
        }
        if stops.is_empty() {
            stops.push(Distance::Never);
        }
        let target = target.unwrap_or(Distance::Never);
        let hours = hours.expect("every rule has a holding time");
        Self { target, first, stops, moving, closers, steps, follows_signal, hours }
    }

    /// Returns every distance in favour of a position that something happens at.
    pub(super) fn profit_distances(&self) -> impl Iterator<Item = Distance> {
        let first = self.first.iter().map(|(distance, _)| *distance);
        [self.target].into_iter().chain(first).chain(self.moving.iter().filter_map(|moving| moving.after()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exits::ExitPlan;
    use crate::model::{EXIT_AXES, ExitAxis, ExitUnit, Interval};

    /// Returns a rule in which an axis is on, with its partner.
    fn with(axis: &ExitAxis, value: f64) -> ExitRule {
        let mut rule = ExitRule::new(9.0, 1.0, 4.0);
        if axis.is_fixed {
            rule = ExitRule { stop_atr: None, stop_loss_pct: Some(1.0), ..rule };
        }
        if let Some(atr) = axis.instead_of.and_then(ExitAxis::named) {
            atr.turn_off(&mut rule);
        }
        // What falls has something to fall from.
        rule.roi_pct = ["roi_decay_minutes", "roi_floor_pct"].contains(&axis.key).then_some(9.0);
        axis.set(&mut rule, value);
        for (mechanism, partner) in ExitAxis::pairs().rev().chain(ExitAxis::pairs()) {
            match (mechanism.gives_to(partner, &rule), partner.value(&rule)) {
                (true, None) => partner.set(&mut rule, partner.most.min(3.0)),
                (false, Some(_)) => mechanism.set(&mut rule, 3.0),
                _ => {}
            }
        }
        rule
    }

    #[test]
    fn every_axis_is_read_by_some_mechanism() {
        for axis in &EXIT_AXES {
            let values = match axis.unit {
                ExitUnit::Switch => [0.0, 1.0],
                ExitUnit::Minutes => [60.0, 90.0],
                _ => [1.5, 2.0],
            };
            let [one, other] = values.map(|value| RuleEvents::of(&with(axis, value)));
            assert_ne!(one, other, "{} changes nothing", axis.key);
        }
    }

    #[test]
    fn a_mechanism_that_is_off_adds_nothing() {
        let plain = ExitRule::new(2.0, 1.0, 4.0);
        let of = |rule: &ExitRule| MECHANISMS.iter().filter_map(|of| of(rule)).count();
        assert_eq!(of(&plain), 3, "take-profit, stop and holding time");
        for axis in EXIT_AXES.iter().filter(|axis| axis.is_optional()) {
            let is_switch = axis.unit == ExitUnit::Switch && !axis.may_be_off();
            let rule = with(
                axis,
                if is_switch {
                    0.0
                } else if axis.unit == ExitUnit::Switch {
                    1.0
                } else {
                    axis.least.max(0.5)
                },
            );
            // A switch comes with what it changes.
            let most = if is_switch { 5 } else { 4 };
            assert!((3..=most).contains(&of(&rule)), "{} adds itself, or changes another", axis.key);
            assert!(ExitPlan::new(vec![plain, rule], Interval::M15).is_ok(), "{}", axis.key);
        }
    }

    #[test]
    fn the_first_candle_that_a_closer_finds_ends_a_position() {
        let reason = CLOSERS[SURGE].reason;
        assert_eq!(first_close([(SURGE, 7), (SURGE, 3), (SURGE, 5)].into_iter()), (reason, 3));
        assert_eq!(first_close(std::iter::empty()).1, NEVER);
    }
}
