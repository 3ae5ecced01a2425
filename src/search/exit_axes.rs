//! The exit axes of a space: which values each number of an exit rule takes, and the rules they make.

use std::collections::HashSet;

use super::dimension::{SpaceError, axis_error};
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, ExitUnit, Need};

/// A value of an exit axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExitAxisValue {
    /// The mechanism is off.
    Off,
    /// A number, in the axis' unit.
    At(f64),
    /// At the distance of the rule's first target, in its unit; off where that is.
    AtFirstTarget,
}

/// The values of every exit axis, in the order they were given.
#[derive(Debug, Clone, PartialEq)]
pub struct ExitAxes {
    /// Per axis of [`EXIT_AXES`].
    levels: [Vec<ExitAxisValue>; EXIT_AXES.len()],
}

/// Returns the places of the axes from the outermost to the innermost of the product.
fn nesting() -> Vec<usize> {
    let mut axes: Vec<usize> = (0..EXIT_AXES.len()).collect();
    axes.sort_by_key(|axis| EXIT_AXES[*axis].depth);
    axes
}

impl ExitAxes {
    /// Returns axes with the values of what rules are made of, in the order of the table; the others as in a space that does not
    /// name them.
    pub fn new(take_profit_atr: &[f64], stop_atr: &[f64], hold_hours: &[f64]) -> Self {
        let mut always = [take_profit_atr, stop_atr, hold_hours].into_iter();
        let levels = std::array::from_fn(|axis| match &EXIT_AXES[axis] {
            axis if axis.is_optional() => Self::unnamed(axis),
            _ => {
                let values = always.next().expect("every rule has three numbers");
                values.iter().copied().map(ExitAxisValue::At).collect()
            }
        });
        Self { levels }
    }

    /// Returns the values of an axis that a rule can do without, in a space that does not name it.
    pub(super) fn unnamed(axis: &ExitAxis) -> Vec<ExitAxisValue> {
        vec![axis.unnamed.map_or(ExitAxisValue::Off, ExitAxisValue::At)]
    }

    /// Replaces the values of an axis; returns whether there is one of this key.
    pub fn set(&mut self, key: &str, levels: Vec<ExitAxisValue>) -> bool {
        let found = EXIT_AXES.iter().position(|axis| axis.key == key);
        found.map(|axis| self.levels[axis] = levels).is_some()
    }

    /// Returns the values of an axis (by its place in [`EXIT_AXES`]).
    pub(crate) fn levels(&self, axis: usize) -> &[ExitAxisValue] {
        &self.levels[axis]
    }

    /// Returns the axes of one rule; without a leverage where nothing of the rule is in percent of the stake.
    pub(crate) fn of_rule(rule: &ExitRule) -> Self {
        let reads_leverage = EXIT_AXES.iter().any(|axis| is_of_stake(axis) && axis.value(rule).is_some());
        let levels = std::array::from_fn(|axis| {
            let axis = &EXIT_AXES[axis];
            let value = axis.value(rule).filter(|_| axis.unit != ExitUnit::Leverage || reads_leverage);
            let value = value.map_or(ExitAxisValue::Off, ExitAxisValue::At);
            match value {
                // What acts on nothing has the value that it has where it is not named.
                ExitAxisValue::Off if !axis.may_be_off() => Self::unnamed(axis),
                value => vec![value],
            }
        });
        Self { levels }
    }

    /// Returns the axes with only some values of each, by their places.
    pub(super) fn with_only(&self, kept: &[Vec<usize>]) -> Self {
        let levels =
            std::array::from_fn(|axis| kept[axis].iter().map(|place| self.levels[axis][*place]).collect());
        Self { levels }
    }

    /// Checks that every axis has values and every value is one of its axis, and that a leverage has something to act on.
    pub(super) fn check(&self) -> Result<(), SpaceError> {
        for (axis, levels) in EXIT_AXES.iter().zip(&self.levels) {
            let fine = |level: &ExitAxisValue| match level {
                ExitAxisValue::Off => axis.may_be_off(),
                ExitAxisValue::At(value) => axis.allows(*value),
                ExitAxisValue::AtFirstTarget => axis.may_follow_first_target,
            };
            let is_of_one = !axis.is_fixed || levels.len() == 1;
            if levels.is_empty() || !is_of_one || !levels.iter().all(fine) {
                let shown: Vec<String> = levels.iter().map(ExitAxisValue::to_string).collect();
                return Err(axis_error(axis.key, expected_levels(axis), format!("[{}]", shown.join(", "))));
            }
        }
        let is_on = |is_asked: &dyn Fn(&ExitRule) -> bool| {
            let mut rule = ExitRule::holding(0.0);
            let on =
                EXIT_AXES.iter().zip(&self.levels).filter(|(_, levels)| **levels != [ExitAxisValue::Off]);
            on.filter(|(axis, _)| axis.need == Need::Mechanism)
                .for_each(|(axis, _)| axis.set(&mut rule, 1.0));
            is_asked(&rule)
        };
        if is_on(&|rule| rule.roi_decay_minutes.is_some() && rule.has_roi_rows()) {
            let expected = "a staircase by roi_decay_minutes or by rows such as roi_2_minutes, not by both";
            return Err(axis_error("roi_decay_minutes", expected, "both".to_owned()));
        }
        if is_on(&|rule| rule.roi_decay_minutes.is_some() && rule.roi_pct.is_none()) {
            let expected = "roi_pct beside it, from which the target falls";
            return Err(axis_error("roi_decay_minutes", expected, "none".to_owned()));
        }
        let is_named = |is_asked: &dyn Fn(&ExitAxis) -> bool| {
            EXIT_AXES
                .iter()
                .zip(&self.levels)
                .any(|(axis, levels)| is_asked(axis) && *levels != [ExitAxisValue::Off])
        };
        if is_named(&|axis| axis.unit == ExitUnit::Leverage) && !is_named(&is_of_stake) {
            let expected = "an axis in percent of the stake beside it, as take_profit_pct or stop_loss_pct: nothing else reads it";
            return Err(axis_error("leverage", expected, "none".to_owned()));
        }
        Ok(())
    }

    /// Returns an axis with values that freqtrade has no exit for.
    pub(crate) fn beyond_freqtrade(&self) -> Option<&'static ExitAxis> {
        let is_on = |(_, levels): &(&ExitAxis, &Vec<ExitAxisValue>)| **levels != [ExitAxisValue::Off];
        let named = EXIT_AXES.iter().zip(&self.levels).filter(is_on).map(|(axis, _)| axis);
        named
            .into_iter()
            .find(|axis| !axis.is_known_to_freqtrade && matches!(axis.need, Need::Level | Need::Mechanism))
    }

    /// Returns whether some rule follows the exits of given signals.
    pub(crate) fn follow_signals(&self) -> bool {
        EXIT_AXES.iter().zip(&self.levels).any(|(axis, levels)| {
            let mut rule = ExitRule::holding(0.0);
            axis.set(&mut rule, 1.0);
            rule.exit_signal.is_some() && *levels != [ExitAxisValue::Off]
        })
    }

    /// Returns the mechanism of a partner that is off in every rule of the space, by its keys: the partner has nothing to act on.
    pub(crate) fn missing_mechanism(&self, axis: &ExitAxis) -> Option<String> {
        let place = EXIT_AXES.iter().position(|known| known.key == axis.key)?;
        // The partner of a partner belongs to the mechanism of both.
        let mechanism = (0..=place).rev().find(|place| partner_of(*place).is_none())?;
        let percent = EXIT_AXES[mechanism].in_percent().filter(|_| axis.is_of_both_units);
        let keys = [Some(&EXIT_AXES[mechanism]), percent];
        let is_on = |key: &&ExitAxis| {
            EXIT_AXES
                .iter()
                .zip(&self.levels)
                .any(|(axis, levels)| axis.key == key.key && *levels != [ExitAxisValue::Off])
        };
        let keys: Vec<&ExitAxis> = keys.into_iter().flatten().collect();
        let is_missing = mechanism != place && !keys.iter().any(is_on);
        is_missing.then(|| keys.iter().map(|axis| axis.key).collect::<Vec<_>>().join(" or "))
    }

    /// Returns the values that a rule can have of an axis: its own, and those of the axis with the same level in percent. An axis
    /// that is off altogether has nothing to add to one that is not.
    fn choices(&self, axis: usize) -> impl Iterator<Item = (&'static ExitAxis, ExitAxisValue)> {
        let percent = EXIT_AXES[axis].in_percent();
        let of_percent = EXIT_AXES.iter().position(|other| percent.is_some_and(|it| it.key == other.key));
        let own = |axis: usize| self.levels[axis].iter().map(move |level| (&EXIT_AXES[axis], *level));
        let is_off = |axis: usize| self.levels[axis] == [ExitAxisValue::Off];
        let percent = of_percent.filter(|percent| !is_off(*percent));
        let plain = Some(axis).filter(|axis| percent.is_none() || !is_off(*axis));
        plain.into_iter().chain(percent).flat_map(own)
    }

    /// Returns every exit rule once, the axis of the greatest depth varying fastest: mechanisms outermost, then holding time,
    /// take-profit, stop.
    ///
    /// Rules that are the same in effect (see [`ExitRule::normalised`]) are one.
    pub fn rules(&self) -> Vec<ExitRule> {
        let mut rules = vec![ExitRule::holding(0.0)];
        // An axis in percent comes with that in ATR.
        for axis in nesting().into_iter().filter(|axis| EXIT_AXES[*axis].instead_of.is_none()) {
            let choices: Vec<(&ExitAxis, ExitAxisValue)> = self.choices(axis).collect();
            if choices.iter().all(|(_, level)| *level == ExitAxisValue::Off) && choices.len() == 1 {
                continue;
            }
            let is_idle =
                |rule: &ExitRule| partner_of(axis).is_some_and(|of| !of.gives_to(&EXIT_AXES[axis], rule));
            let with = |rule: &ExitRule| match is_idle(rule) {
                true => vec![*rule],
                false => choices.iter().map(|(axis, level)| level.applied(axis, *rule)).collect(),
            };
            rules = rules.iter().flat_map(with).collect();
        }
        let mut seen = HashSet::new();
        let rules = rules.into_iter().map(ExitRule::normalised);
        rules
            .filter(|rule| seen.insert(rule.numbers().iter().map(|v| v.to_bits()).collect::<Vec<_>>()))
            .collect()
    }

    /// Returns how many rules are made before those that are the same in effect become one.
    pub(super) fn product(&self) -> u128 {
        let of_axis = |axis: usize| {
            let partners = |(of, level): (&ExitAxis, ExitAxisValue)| match level {
                ExitAxisValue::Off => 1,
                _ => self.partners_of(of),
            };
            self.choices(axis).map(partners).fold(0, u128::saturating_add)
        };
        let is_counted = |axis: &usize| partner_of(*axis).is_none() && EXIT_AXES[*axis].instead_of.is_none();
        (0..EXIT_AXES.len()).filter(is_counted).map(of_axis).fold(1, u128::saturating_mul)
    }

    /// Returns how many values the partners of an axis that is on have together.
    fn partners_of(&self, axis: &ExitAxis) -> u128 {
        let place = |key: &str| EXIT_AXES.iter().position(|axis| axis.key == key);
        let after = |key: &str| place(key).map_or(EXIT_AXES.len(), |place| place + 1)..EXIT_AXES.len();
        let is_partner = |place: &usize| partner_of(*place).is_some();
        let own = after(axis.key).take_while(is_partner);
        let in_atr = axis.instead_of.map_or(0..0, after).take_while(is_partner);
        let shared = in_atr.filter(|place| EXIT_AXES[*place].is_of_both_units);
        own.chain(shared).map(|place| self.levels[place].len() as u128).fold(1, u128::saturating_mul)
    }
}

/// Returns what the values of an axis must be.
fn expected_levels(axis: &ExitAxis) -> &'static str {
    match axis.need {
        _ if axis.is_fixed => "one number from 1 on, within reason: all parameter sets of a space share it",
        Need::Mechanism if axis.unit == ExitUnit::Switch => "true, false or both",
        Need::Mechanism if axis.may_follow_first_target => "one or more positive numbers, \"tp1\" or \"off\"",
        _ if axis.unit == ExitUnit::Switch => "true, false or both",
        Need::Mechanism | Need::Level => "one or more positive numbers within reason, or \"off\"",
        _ if axis.may_be_zero => "one or more numbers from 0 on, within reason",
        _ => "one or more positive numbers within reason",
    }
}

/// Returns the axis that an axis belongs to, if it is a partner.
fn partner_of(axis: usize) -> Option<&'static ExitAxis> {
    let is_partner = EXIT_AXES.get(axis).is_some_and(|axis| axis.need == Need::Partner);
    is_partner.then(|| &EXIT_AXES[axis - 1])
}

impl ExitAxisValue {
    fn applied(self, axis: &ExitAxis, mut rule: ExitRule) -> ExitRule {
        match self {
            Self::Off => {}
            // Adding zero turns -0.0 into 0.0.
            Self::At(value) => axis.set(&mut rule, value + 0.0),
            // The nesting has the first target before break-even.
            Self::AtFirstTarget => {
                (rule.break_even_atr, rule.break_even_pct) =
                    (rule.first_target_atr, rule.first_target_at_pct);
            }
        }
        rule
    }
}

impl std::fmt::Display for ExitAxisValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => write!(f, "off"),
            Self::At(value) => write!(f, "{value}"),
            Self::AtFirstTarget => write!(f, "tp1"),
        }
    }
}

/// Whether an axis sets a distance in percent of the stake, which a leverage divides.
fn is_of_stake(axis: &ExitAxis) -> bool {
    axis.unit == ExitUnit::PercentOfStake && axis.need != Need::Partner
}

#[cfg(test)]
mod tests {
    use super::ExitAxisValue::{At, AtFirstTarget, Off};
    use super::*;
    use crate::model::Style;
    use crate::search::space::SearchSpace;

    #[test]
    fn a_value_that_is_none_of_its_axis_is_refused() {
        let exits = SearchSpace::default_exits(Style::Swing);
        let refused: [(&str, Vec<ExitAxisValue>); 12] = [
            ("max_holding_hours", vec![]),
            ("max_holding_hours", vec![At(5000.0)]),
            ("atr_stop_multiplier", vec![At(1.0), AtFirstTarget]),
            ("max_holding_hours", vec![At(1.0), Off]),
            ("leverage", vec![At(0.5)]),
            ("leverage", vec![At(2.0), At(3.0)]),
            ("leverage", vec![At(2.0)]),
            ("hard_stop_pct", vec![Off, At(0.0)]),
            ("tp1_atr_multiplier", vec![AtFirstTarget]),
            ("tp1_close_pct", vec![At(100.0)]),
            ("trailing_stop_activation", vec![Off]),
            ("trailing_only_offset_is_reached", vec![At(0.5)]),
        ];
        for (key, levels) in refused {
            let mut bad = exits.clone();
            assert!(bad.set(key, levels));
            let error = SearchSpace::new(Style::Swing, &bad, vec![]).expect_err("unsound").to_string();
            assert!(error.contains(key), "{error}");
        }
        assert!(!exits.clone().set("min_consensus", vec![]));
    }

    #[test]
    fn mechanisms_multiply_the_rules_and_what_cannot_act_is_not_counted_twice() {
        let plain = SearchSpace::default_exits(Style::Scalping);
        let with = |axes: &[(&str, &[ExitAxisValue])]| {
            let mut exits = plain.clone();
            axes.iter().for_each(|(key, levels)| assert!(exits.set(key, levels.to_vec())));
            exits.rules()
        };
        // An activation without a trailing stop, a share without a first target, break-even at a target that is off.
        let idle = with(&[
            ("trailing_stop_activation", &[At(0.0), At(2.0)]),
            ("tp1_close_pct", &[At(30.0)]),
            ("breakeven_atr", &[Off, AtFirstTarget]),
        ]);
        assert_eq!(idle, plain.rules());
        let trailing = with(&[
            ("trailing_stop_distance", &[Off, At(1.0), At(2.0)]),
            ("trailing_stop_activation", &[At(0.0), At(1.0)]),
        ]);
        assert_eq!(trailing.len(), 27 * (1 + 2 * 2));
        let mut wide = plain.clone();
        wide.set("trailing_stop_distance", vec![Off, At(1.0), At(2.0)]);
        wide.set("trailing_stop_activation", (0..200).map(|i| At(f64::from(i))).collect());
        assert_eq!(wide.product(), 27 * (1 + 2 * 200));
        assert!(
            matches!(SearchSpace::new(Style::Swing, &wide, SearchSpace::default_dimensions(Style::Swing)), Err(SpaceError::TooLarge { sets, .. }) if sets == 27 * 401 * 5_184)
        );
        assert_eq!(trailing[..27], plain.rules(), "the plain rules come first");
        // A first target at 1.5 ATR acts where the take-profit is at 2 or 3.
        let partial =
            with(&[("tp1_atr_multiplier", &[Off, At(1.5)]), ("breakeven_atr", &[Off, AtFirstTarget])]);
        assert_eq!(partial.len(), 27 + 18 * 2);
        assert!(partial.iter().any(|rule| rule.break_even_atr == Some(1.5)));
    }

    #[test]
    fn a_level_has_the_values_of_both_units_and_of_no_other() {
        let mut exits = ExitAxes::new(&[2.0, 3.0], &[1.5], &[8.0]);
        exits.set("take_profit_pct", vec![At(4.0), At(8.0)]);
        exits.set("stop_loss_pct", vec![Off, At(5.0)]);
        exits.set("leverage", vec![At(5.0)]);
        let levels =
            |rule: &ExitRule| (rule.take_profit_atr, rule.take_profit_pct, rule.stop_atr, rule.stop_loss_pct);
        let target = [(Some(2.0), None), (Some(3.0), None), (None, Some(4.0)), (None, Some(8.0))];
        let stop = [(Some(1.5), None), (None, None), (None, Some(5.0))];
        let all: Vec<_> = target.iter().flat_map(|t| stop.iter().map(|s| (t.0, t.1, s.0, s.1))).collect();
        let rules = exits.rules();
        assert_eq!(rules.iter().map(levels).collect::<Vec<_>>(), all);
        assert_eq!(exits.product(), 12);
        let is_leveraged = |rule: &ExitRule| rule.take_profit_pct.is_some() || rule.stop_loss_pct.is_some();
        assert!(rules.iter().all(|rule| rule.leverage.is_some() == is_leveraged(rule)));
        // What is off altogether adds nothing, and both are off where neither has a value.
        exits.set("atr_tp_multiplier", vec![Off]);
        assert_eq!((exits.rules().len(), exits.product()), (6, 6));
        exits.set("take_profit_pct", vec![Off]);
        assert!(
            exits.rules().iter().all(|rule| rule.take_profit_atr.is_none() && rule.take_profit_pct.is_none())
        );
        assert_eq!(exits.product(), 3);
    }

    #[test]
    fn partners_follow_the_unit_of_their_mechanism() {
        let mut exits = ExitAxes::new(&[9.0], &[1.5], &[8.0]);
        exits.set("trailing_stop_distance", vec![Off, At(1.0)]);
        exits.set("trailing_stop_activation", vec![At(0.0), At(1.0), At(2.0)]);
        exits.set("trailing_pct", vec![At(1.0), At(2.0)]);
        exits.set("trailing_offset_pct", vec![At(0.0), At(3.0)]);
        exits.set("trailing_only_offset_is_reached", vec![At(1.0), At(0.0)]);
        assert_eq!((exits.rules().len(), exits.product()), (1 + 3 + 2 * 4, 12));
        let rules = exits.rules();
        assert!(rules.iter().all(|rule| rule.trailing_pct.is_some() == rule.trailing_only_offset.is_some()));
        assert!(
            rules.iter().all(|rule| rule.trailing_pct.is_none() || rule.trailing_activation_atr.is_none())
        );
        let mut exits = ExitAxes::new(&[9.0], &[1.5], &[8.0]);
        exits.set("tp1_atr_multiplier", vec![Off, At(1.0)]);
        exits.set("tp1_pct", vec![At(2.0)]);
        exits.set("tp1_close_pct", vec![At(30.0), At(60.0)]);
        exits.set("breakeven_atr", vec![Off, AtFirstTarget]);
        let rules = exits.rules();
        // Off is one, each unit has two shares; break-even follows the first target in its unit.
        assert_eq!((rules.len(), exits.product()), (1 + 2 * 2 * 2, 10));
        assert!(
            rules
                .iter()
                .any(|rule| rule.break_even_pct == Some(2.0) && rule.first_target_at_pct == Some(2.0))
        );
        assert!(rules.iter().any(|rule| rule.break_even_atr == Some(1.0)));
    }

    #[test]
    fn the_axes_of_a_rule_make_that_rule_alone() {
        let mut exits = ExitAxes::new(&[2.0, 9.0], &[1.5], &[8.0]);
        for (key, levels) in [
            ("take_profit_pct", vec![At(4.0), Off]),
            ("leverage", vec![At(3.0)]),
            ("trailing_pct", vec![Off, At(2.0)]),
            ("trailing_offset_pct", vec![At(0.0), At(3.0)]),
            ("tp1_atr_multiplier", vec![Off, At(1.0)]),
            ("breakeven_atr", vec![Off, AtFirstTarget]),
            ("roi_pct", vec![Off, At(4.0)]),
            ("roi_2_minutes", vec![At(30.0)]),
            ("roi_2_pct", vec![At(1.0)]),
        ] {
            assert!(exits.set(key, levels));
        }
        let rules = exits.rules();
        assert!(rules.len() > 50);
        for rule in rules {
            let own = ExitAxes::of_rule(&rule);
            let reads_leverage =
                rule.take_profit_pct.is_some() || rule.trailing_pct.is_some() || rule.roi_pct.is_some();
            let rule = ExitRule { leverage: rule.leverage.filter(|_| reads_leverage), ..rule };
            assert_eq!((own.rules(), own.check().map_err(|error| error.to_string())), (vec![rule], Ok(())));
        }
    }

    #[test]
    fn a_staircase_is_made_by_few_numbers_or_by_rows() {
        let mut exits = ExitAxes::new(&[9.0], &[1.5], &[8.0]);
        exits.set("roi_pct", vec![Off, At(4.0), At(6.0)]);
        exits.set("roi_decay_minutes", vec![At(60.0), At(120.0)]);
        exits.set("roi_floor_pct", vec![At(0.0), At(5.0)]);
        // Without a target none falls; a floor of 5 % is one of the second target only: the first stays as it is.
        assert_eq!(exits.rules().len(), 1 + (2 + 1) + 2 * 2);
        let checked = |exits: &ExitAxes| exits.check().map_err(|error| error.to_string());
        assert_eq!(checked(&exits), Ok(()));
        exits.set("roi_2_minutes", vec![At(30.0)]);
        assert!(checked(&exits).expect_err("both").contains("roi_decay_minutes"));
        exits.set("roi_decay_minutes", vec![Off]);
        exits.set("roi_2_pct", vec![At(1.0), At(2.0)]);
        assert_eq!((checked(&exits), exits.rules().len()), (Ok(()), 3 * 2));
        let alone = {
            let mut exits = ExitAxes::new(&[9.0], &[1.5], &[8.0]);
            exits.set("roi_decay_minutes", vec![At(60.0)]);
            exits
        };
        assert!(checked(&alone).expect_err("nothing falls").contains("roi_pct beside it"));
    }

    #[test]
    fn a_level_that_is_off_stands_beside_the_furthest() {
        let mut exits = ExitAxes::new(&[2.0], &[1.0], &[8.0]);
        exits.set("atr_stop_multiplier", vec![Off, At(1.0), At(2.0)]);
        let space = SearchSpace::new(Style::Swing, &exits, vec![]).expect("sound");
        let stops: Vec<Option<f64>> = space.rules().iter().map(|rule| rule.stop_atr).collect();
        assert_eq!(stops, [None, Some(1.0), Some(2.0)]);
        assert_eq!(space.neighbours(0, 0), [(2, 0)]);
        assert_eq!(space.within(0, 0, 1).rules, [true, false, true]);
    }
}
