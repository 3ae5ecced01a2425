//! The space of a style: exit rules x one level per filter dimension.

use crate::evaluate::lattice::Lattice;
use crate::features::score::ScoreWeights;
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, FilterValue, Interval, Need, ParameterSet, Style};

use super::defaults::Defaults;
use super::dimension::axis_error;
pub use super::dimension::{
    Bound, Dimension, FilterSource, SIGNALS_PREFIX, SpaceError, ThresholdLevel, number_levels,
};
pub use super::exit_axes::{ExitAxes, ExitAxisValue};
use super::plateau::Neighbourhood;

/// The key under which a parameter set holds the weights of its signal score, where they are not the default ones.
pub const SCORE_WEIGHTS: &str = "score_weights";

/// Returns the weights of the signal score that a parameter set filters on; `None` where it holds none that can be read.
pub fn weights_of(set: &ParameterSet, style: Style) -> Option<ScoreWeights> {
    match set.filter(SCORE_WEIGHTS) {
        None => Some(ScoreWeights::default_of(style)),
        Some(FilterValue::Name(text)) => ScoreWeights::parse(style, text),
        Some(FilterValue::Number(_)) => None,
    }
}

/// Parameter sets per style that are enumerated at most: 24 bytes of ranking state each and more.
pub const SETS_MAX: u128 = 4_000_000;

/// The space of one style.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSpace {
    style: Style,
    rules: Vec<ExitRule>,
    dimensions: Vec<Dimension>,
    lattice: Lattice,
    weights: Option<ScoreWeights>,
}

/// The sets within some steps of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// Per exit rule.
    pub(super) rules: Vec<bool>,
    /// Per cell.
    pub(super) cells: Vec<bool>,
}

impl SearchSpace {
    /// Returns the space of exit axes and dimensions.
    ///
    /// Errors: an empty axis, two dimensions of one key, more sets than [`SETS_MAX`]
    pub fn new(style: Style, exits: &ExitAxes, dimensions: Vec<Dimension>) -> Result<Self, SpaceError> {
        exits.check()?;
        for (i, dimension) in dimensions.iter().enumerate() {
            let taken = dimensions[..i].iter().any(|other| other.key() == dimension.key());
            if taken || ExitAxis::named(dimension.key()).is_some() || dimension.key() == SCORE_WEIGHTS {
                return Err(axis_error(dimension.key(), "a key of its own", "it twice".to_owned()));
            }
        }
        // Hundreds of axes multiply to more than any number here holds.
        let cells = dimensions.iter().map(|d| d.levels().len() as u128);
        let sets = cells.fold(exits.product(), u128::saturating_mul);
        if sets > SETS_MAX {
            return Err(SpaceError::TooLarge { sets, limit: SETS_MAX });
        }
        let rules = exits.rules();
        let lattice = Lattice::new(dimensions.iter().map(|d| d.levels().len()).collect());
        Ok(Self { style, rules, dimensions, lattice, weights: None })
    }

    /// Returns the space with the signal score under some weights.
    pub fn weighed(self, weights: ScoreWeights) -> Self {
        assert!(weights.style() == self.style, "weights of the style");
        Self { weights: Some(weights), ..self }
    }

    /// Returns the weights of the signal score, where they may be others than the default ones.
    pub fn weights(&self) -> Option<&ScoreWeights> {
        self.weights.as_ref()
    }

    /// Returns the default space of a style on 15m candles: 27 exit rules x 5,184 cells.
    pub fn default_of(style: Style) -> Self {
        let exits = Self::default_exits(style);
        let dimensions = Self::default_dimensions(style);
        Self::new(style, &exits, dimensions).expect("the default space is sound")
    }

    /// Returns the default exit axes of a style on 15m candles; see [`Defaults`] for others.
    pub fn default_exits(style: Style) -> ExitAxes {
        Self::defaults(style).exits
    }

    /// Returns the default filter dimensions of a style on 15m candles.
    pub fn default_dimensions(style: Style) -> Vec<Dimension> {
        Self::defaults(style).dimensions
    }

    fn defaults(style: Style) -> Defaults {
        Defaults::of(style, Interval::M15).expect("15m is a base")
    }

    /// Returns the style.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Returns the exit rules, in order.
    pub fn rules(&self) -> &[ExitRule] {
        &self.rules
    }

    /// Returns the filter dimensions, in order.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Returns the lattice of the dimensions.
    pub fn lattice(&self) -> &Lattice {
        &self.lattice
    }

    /// Returns the fingerprint of what is enumerated.
    pub fn fingerprint(&self) -> Fingerprint {
        let Self {
            style,
            rules,
            dimensions,
            // The levels of the dimensions, multiplied.
            lattice: _,
            // Whatever they are, where they are learned it is one grid.
            weights: _,
        } = self;
        let hash = Canonical::new("retune space v1").text(style.as_str()).count(rules.len() as u64);
        let hash = rules.iter().fold(hash, |hash, rule| hash.floats(&rule.numbers()));
        let hash = hash.count(dimensions.len() as u64);
        dimensions.iter().fold(hash, |hash, dimension| dimension.hashed(hash)).finish()
    }

    /// Returns the number of parameter sets.
    pub fn sets(&self) -> usize {
        self.rules.len() * self.lattice.cells()
    }

    /// Returns the sets one step away on one axis, as (rule, cell).
    pub fn neighbours(&self, rule: usize, cell: usize) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let levels = self.lattice.levels(cell);
        for (d, size) in self.lattice.sizes().iter().enumerate() {
            let here = usize::from(levels[d]);
            for level in
                [here.checked_sub(1), Some(here + 1).filter(|next| next < size)].into_iter().flatten()
            {
                let mut moved = levels.clone();
                moved[d] = level as u8;
                found.push((rule, self.lattice.cell(&moved)));
            }
        }
        let beside =
            self.rules.iter().enumerate().filter(|(_, other)| self.are_neighbours(&self.rules[rule], other));
        found.extend(beside.map(|(other, _)| (other, cell)));
        found
    }

    /// Returns the sets that are at most so many steps away on every axis; off is a step as [`ExitAxis::rank_value`] says.
    pub fn within(&self, rule: usize, cell: usize, steps: usize) -> Reach {
        let axes = self.exit_places();
        let rules = (0..self.rules.len()).map(|other| are_within(&axes, rule, other, steps)).collect();
        let here = self.lattice.levels(cell);
        let near = |other: usize| {
            let levels = self.lattice.levels(other);
            levels.iter().zip(&here).all(|(level, here)| usize::from(level.abs_diff(*here)) <= steps)
        };
        Reach { rules, cells: (0..self.lattice.cells()).map(near).collect() }
    }

    /// Returns which sets are at most one step away from each other on every axis.
    pub fn neighbourhood(&self) -> Neighbourhood {
        let (axes, count) = (self.exit_places(), self.rules.len());
        let beside = |rule| (0..count).filter(|other| are_within(&axes, rule, *other, 1)).collect();
        Neighbourhood::new((0..count).map(beside).collect(), self.lattice.sizes())
    }

    /// Returns the place of every rule's value on each exit axis that has several. `None` where the axis comes and goes with the one before it: that is no step of its own.
    fn exit_places(&self) -> Vec<Vec<Option<usize>>> {
        let places = |axis: &'static ExitAxis| {
            let value = |rule: &ExitRule| axis.rank_value(rule);
            let mut values: Vec<f64> = self.rules.iter().map(value).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            let counts = |rule: &ExitRule| axis.need != Need::Partner || axis.value(rule).is_some();
            let place = |rule: &ExitRule| values.partition_point(|known| *known < value(rule));
            let places = self.rules.iter().map(|rule| counts(rule).then(|| place(rule))).collect();
            (values.len() > 1).then_some(places)
        };
        EXIT_AXES.iter().filter_map(places).collect()
    }

    /// Returns whether two rules differ by one step on one axis.
    fn are_neighbours(&self, a: &ExitRule, b: &ExitRule) -> bool {
        let value = |axis: &ExitAxis, rule: &ExitRule| axis.rank_value(rule);
        // What comes and goes with the axis before it is no step of its own.
        let counts = |axis: &&ExitAxis| {
            axis.need != Need::Partner || (axis.value(a).is_some() && axis.value(b).is_some())
        };
        let differing: Vec<&ExitAxis> =
            EXIT_AXES.iter().filter(counts).filter(|axis| value(axis, a) != value(axis, b)).collect();
        let [axis] = differing[..] else { return false };
        let (low, high) = (value(axis, a).min(value(axis, b)), value(axis, a).max(value(axis, b)));
        !self.rules.iter().map(|rule| value(axis, rule)).any(|between| low < between && between < high)
    }

    /// Returns the parameter set of a rule and cell.
    pub fn set(&self, rule: usize, cell: usize) -> ParameterSet {
        let filters = self.dimensions.iter().enumerate().map(|(d, dimension)| {
            let level = &dimension.levels()[self.lattice.level(cell, d)];
            (dimension.key().to_owned(), level.shown.clone())
        });
        let own = self.weights.filter(|weights| *weights != ScoreWeights::default_of(self.style));
        let own = own.map(|weights| (SCORE_WEIGHTS.to_owned(), FilterValue::Name(weights.to_string())));
        ParameterSet { exit: self.rules[rule], filters: filters.chain(own).collect() }
    }

    /// Returns the rule and cell of a parameter set, or `None` when the space does not hold it.
    pub fn find(&self, set: &ParameterSet) -> Option<(usize, usize)> {
        let rule = self.rules.iter().position(|rule| *rule == set.exit)?;
        let weights = self.weights.unwrap_or(ScoreWeights::default_of(self.style));
        let filters = set.filters.iter().filter(|(key, _)| key != SCORE_WEIGHTS).count();
        if filters != self.dimensions.len() || weights_of(set, self.style) != Some(weights) {
            return None;
        }
        let level = |dimension: &Dimension| {
            let wanted = set.filter(dimension.key())?;
            dimension.levels().iter().position(|level| level.shown == *wanted).map(|level| level as u8)
        };
        let levels: Option<Vec<u8>> = self.dimensions.iter().map(level).collect();
        Some((rule, self.lattice.cell(&levels?)))
    }
}

/// Returns whether two rules are at most so many steps apart on every axis.
fn are_within(axes: &[Vec<Option<usize>>], a: usize, b: usize, steps: usize) -> bool {
    axes.iter().all(|places| places[a].zip(places[b]).is_none_or(|(a, b)| a.abs_diff(b) <= steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_grid_is_the_legacy_one_whole() {
        for style in Style::ALL {
            let space = SearchSpace::default_of(style);
            assert_eq!((space.rules().len(), space.lattice().cells()), (27, 5_184));
            assert_eq!(space.sets(), 139_968);
            for (rule, cell) in [(0, 0), (26, 5_183), (13, 2_000)] {
                let set = space.set(rule, cell);
                assert_eq!(space.find(&set), Some((rule, cell)));
                let plain = space.clone().weighed(ScoreWeights::default_of(space.style()));
                assert_eq!(plain.set(rule, cell), set, "default weights go without saying");
                let weights = ScoreWeights::of(space.style(), |_| Some(7)).expect("for every term");
                let weighed = space.clone().weighed(weights);
                let own = weighed.set(rule, cell);
                assert_eq!((weighed.find(&own), space.find(&own)), (Some((rule, cell)), None));
                assert_eq!((weighed.find(&set), weights_of(&own, space.style())), (None, Some(weights)));
            }
        }
    }

    #[test]
    fn neighbours_are_one_step_away() {
        let space = SearchSpace::default_of(Style::Swing);
        for (rule, cell) in [(0, 0), (13, 2_000), (26, 5_183)] {
            let neighbours = space.neighbours(rule, cell);
            let own = space.set(rule, cell);
            for (other_rule, other_cell) in &neighbours {
                let other = space.set(*other_rule, *other_cell);
                let exits = [
                    own.exit.take_profit_atr != other.exit.take_profit_atr,
                    own.exit.stop_atr != other.exit.stop_atr,
                    own.exit.hold_hours != other.exit.hold_hours,
                ];
                let filters = own.filters.iter().zip(&other.filters).filter(|(a, b)| a != b).count();
                assert_eq!(exits.into_iter().filter(|differs| *differs).count() + filters, 1);
                assert!(space.neighbours(*other_rule, *other_cell).contains(&(rule, cell)), "on both sides");
            }
        }
        // The middle of three exit axes has six neighbours, a corner three.
        let exits = |rule| space.neighbours(rule, 0).into_iter().filter(|(_, cell)| *cell == 0).count();
        assert_eq!((exits(13), exits(0)), (6, 3));
    }

    #[test]
    fn reach_is_counted_in_steps_of_every_axis() {
        let space = SearchSpace::default_of(Style::Scalping);
        for (rule, cell) in [(0, 0), (13, 2_000), (26, 5_183)] {
            assert_eq!(
                space.within(rule, cell, 9),
                Reach { rules: vec![true; 27], cells: vec![true; 5_184] }
            );
            let alone = space.within(rule, cell, 0);
            assert_eq!(alone.rules.iter().filter(|within| **within).count(), 1);
            assert!(alone.rules[rule] && alone.cells[cell]);
            let one = space.within(rule, cell, 1);
            let neighbours = space.neighbours(rule, cell);
            assert!(neighbours.iter().all(|(rule, cell)| one.rules[*rule] && one.cells[*cell]));
            let own = space.rules()[rule];
            for (other, within) in space.rules().iter().zip(&one.rules) {
                // Three values an axis: more than one step is from end to end.
                let apart = |of: fn(&ExitRule) -> Option<f64>| {
                    of(&own).zip(of(other)).map_or(f64::INFINITY, |(own, other)| (own - other).abs())
                };
                let near = apart(|rule| rule.take_profit_atr) < 1.5
                    && apart(|rule| rule.stop_atr) < 1.0
                    && (own.hold_hours - other.hold_hours).abs() < 5.0;
                assert_eq!(*within, near);
            }
        }
    }

    #[test]
    fn unsound_spaces_are_refused_with_the_reason() {
        let exits = SearchSpace::default_exits(Style::Swing);
        let unknown = Dimension::new("x", "signal_scroe", Bound::AtLeast, number_levels(&[1.0]));
        let text = unknown.expect_err("a typo").to_string();
        assert!(text.contains("did you mean \"signal_score\"?"), "{text}");
        assert!(Dimension::new("x", "consensus", Bound::AtLeast, vec![]).is_err());
        assert!(Dimension::new("x", "consensus", Bound::AtLeast, number_levels(&[f64::NAN])).is_err());
        let taken = Dimension::new("hard_stop_pct", "consensus", Bound::AtLeast, number_levels(&[1.0]));
        assert!(SearchSpace::new(Style::Swing, &exits, vec![taken.expect("sound")]).is_err());
        let twice = vec![SearchSpace::default_dimensions(Style::Swing)[0].clone(); 2];
        assert!(SearchSpace::new(Style::Swing, &exits, twice).is_err());
        let many: Vec<Dimension> = (0..4)
            .map(|i| {
                let levels: Vec<f64> = (0..100).map(f64::from).collect();
                Dimension::new(&format!("d{i}"), "consensus", Bound::AtLeast, number_levels(&levels))
                    .expect("sound")
            })
            .collect();
        assert!(matches!(SearchSpace::new(Style::Swing, &exits, many), Err(SpaceError::TooLarge { .. })));
    }
}
