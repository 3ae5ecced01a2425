//! Searching spaces that are too large to enumerate: in stages, each of which enumerates a part of the space whole.
//!
//! A part keeps some values of every axis, so that everything that holds for a grid (exact statistics, marginal
//! importance, neighbours, tests against luck) holds for it as well. Which values it keeps is a function of the axes, the
//! budget, the seed and the starting points: the same search everywhere.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exit_axes::{ExitAxes, ExitAxisValue};
use super::space::{Dimension, SETS_MAX, SearchSpace, SpaceError};
use crate::fingerprint::{Canonical, Fingerprint};
use crate::model::{EXIT_AXES, ExitAxis, ExitRule, ExitUnit, FilterValue, ParameterSet, Style};

/// How a space beyond the budget is searched. One within it is always enumerated whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Not at all: the whole space or an error.
    #[default]
    Grid,
    /// Values of every axis at random.
    Random,
    /// Evenly spaced values of every axis first, then all values around the best of them.
    CoarseFine,
    /// All values around the active parameters.
    Polish,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 4] = [Self::Grid, Self::Random, Self::CoarseFine, Self::Polish];

    /// Returns the name used in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::CoarseFine => "coarse-fine",
            Self::Polish => "polish",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much is searched, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search {
    /// How.
    pub strategy: Strategy,
    /// Parameter sets per stage and style at most.
    pub budget: u64,
    /// What the lot depends on.
    pub seed: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self { strategy: Strategy::Grid, budget: 200_000, seed: 1 }
    }
}

/// Exit rules per stage at most: every one is simulated for every signal.
const RULES_MAX: u128 = 128;
/// Starting points of the last stage at most.
pub const STARTS_MAX: usize = 6;

/// The axes of a space, not multiplied yet.
#[derive(Debug, Clone, PartialEq)]
pub struct SpaceAxes {
    style: Style,
    exits: ExitAxes,
    dimensions: Vec<Dimension>,
}

/// Axes that the fingerprint of a space has always had, named or not.
const FIRST_AXES: usize = 11;

/// Which values of every axis are kept, ascending: exit axes first, then dimensions.
type Kept = Vec<Vec<usize>>;

impl SpaceAxes {
    /// Returns an axis with values that freqtrade has no exit for.
    pub(crate) fn beyond_freqtrade(&self) -> Option<&'static ExitAxis> {
        self.exits.beyond_freqtrade()
    }

    /// Returns the axes of a style's space.
    pub fn new(style: Style, exits: ExitAxes, dimensions: Vec<Dimension>) -> Self {
        Self { style, exits, dimensions }
    }

    /// Returns the default axes of a style.
    pub fn default_of(style: Style) -> Self {
        Self::new(style, SearchSpace::default_exits(style), SearchSpace::default_dimensions(style))
    }

    /// Returns the style.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Returns every exit rule of the axes.
    ///
    /// Errors: an axis without sense, more rules than can be enumerated
    pub fn rules(&self) -> Result<Vec<ExitRule>, SpaceError> {
        self.exits.check()?;
        match self.exits.product() {
            rules if rules > SETS_MAX => Err(SpaceError::TooLarge { sets: rules, limit: SETS_MAX }),
            _ => Ok(self.exits.rules()),
        }
    }

    /// Returns the filters.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Returns the number of parameter sets, rules that are the same in effect counted apart.
    pub fn sets(&self) -> u128 {
        let cells = self.dimensions.iter().map(|dimension| dimension.levels().len() as u128);
        cells.fold(self.exits.product(), u128::saturating_mul)
    }

    /// Returns the longest holding time, in hours.
    pub fn hold_hours_max(&self) -> f64 {
        let hours = |level: &ExitAxisValue| if let ExitAxisValue::At(hours) = level { *hours } else { 0.0 };
        self.levels_in(ExitUnit::Hours).map(hours).fold(0.0, f64::max)
    }

    /// Returns whether some exit rule scales with the signal score.
    pub fn scales_with_score(&self) -> bool {
        self.levels_in(ExitUnit::ScoreStrength).any(|level| *level != ExitAxisValue::Off)
    }

    /// Returns the values of all exit axes of a unit.
    fn levels_in(&self, unit: ExitUnit) -> impl Iterator<Item = &ExitAxisValue> {
        let axes = EXIT_AXES.iter().enumerate().filter(move |(_, axis)| axis.unit == unit);
        axes.flat_map(|(axis, _)| self.exits.levels(axis))
    }

    /// Returns the fingerprint of the axes and the way they are searched.
    pub fn fingerprint(&self, search: &Search) -> Fingerprint {
        let Self { style, exits, dimensions } = self;
        let Search { strategy, budget, seed } = search;
        let mut hash = Canonical::new("retune searched axes v1").text(style.as_str());
        hash = hash.text(strategy.as_str()).count(*budget).count(*seed);
        for (place, axis) in EXIT_AXES.iter().enumerate() {
            let levels = exits.levels(place);
            if place >= FIRST_AXES {
                // One more than there were: spaces that do not name it are what they were.
                if *levels == ExitAxes::unnamed(axis) {
                    continue;
                }
                hash = hash.text(axis.key);
            }
            hash = levels
                .iter()
                .fold(hash.count(levels.len() as u64), |hash, level| hash.text(&level.to_string()));
        }
        dimensions.iter().fold(hash, |hash, dimension| dimension.hashed(hash)).finish()
    }

    /// Returns the whole space.
    ///
    /// Errors: see [`SearchSpace::new`]
    pub fn whole(&self) -> Result<SearchSpace, SpaceError> {
        SearchSpace::new(self.style, &self.exits, self.dimensions.clone())
    }

    /// Returns the part of the space that is enumerated before anything is known.
    ///
    /// Errors: see [`SearchSpace::new`]
    pub fn first_stage(&self, search: &Search) -> Result<SearchSpace, SpaceError> {
        self.exits.check()?;
        let (sizes, budget) = (self.sizes(), u128::from(search.budget.max(1)));
        match search.strategy {
            Strategy::Grid => self.whole(),
            Strategy::Random => {
                let counts = self.thinned(budget);
                let lot = |(axis, (size, count))| by_lot(search.seed, axis, size, count);
                self.part(&sizes.into_iter().zip(counts).enumerate().map(lot).collect())
            }
            Strategy::CoarseFine => {
                let counts = self.thinned(budget);
                self.part(
                    &sizes.into_iter().zip(counts).map(|(size, count)| spread_places(size, count)).collect(),
                )
            }
            Strategy::Polish => self.around(&[], search),
        }
    }

    /// Returns the part of the space around starting points, as many of them (the first ones) as the budget has room for;
    /// around the middle of every axis where there is none.
    ///
    /// Errors: see [`SearchSpace::new`]
    pub fn around(&self, starts: &[ParameterSet], search: &Search) -> Result<SearchSpace, SpaceError> {
        let places: Vec<Vec<usize>> = match starts {
            [] => vec![self.sizes().iter().map(|size| size / 2).collect()],
            starts => starts.iter().take(STARTS_MAX).map(|start| self.nearest(start)).collect(),
        };
        let budget = u128::from(search.budget.max(1));
        let fits = |kept: &Kept| self.counted(kept) <= budget && self.rules_counted(kept) <= RULES_MAX;
        let wide = (1..=places.len()).rev().map(|count| self.neighbourhood(&places[..count]));
        if let Some(kept) = wide.into_iter().find(fits) {
            return self.part(&kept);
        }
        // Not even one start with all its neighbours: the last dimensions stay where they are.
        let mut kept = self.neighbourhood(&places[..1]);
        for axis in (0..kept.len()).rev() {
            if fits(&kept) {
                break;
            }
            kept[axis] = vec![places[0][axis]];
        }
        self.part(&kept)
    }

    /// Returns the number of values of every axis.
    fn sizes(&self) -> Vec<usize> {
        let exits = (0..EXIT_AXES.len()).map(|axis| self.exits.levels(axis).len());
        exits.chain(self.dimensions.iter().map(|dimension| dimension.levels().len())).collect()
    }

    /// Returns how many values each axis keeps within a budget: the longest axis gives one up, until it fits.
    fn thinned(&self, budget: u128) -> Vec<usize> {
        let mut counts = self.sizes();
        loop {
            let kept: Kept = counts.iter().map(|count| (0..*count).collect()).collect();
            let too_many_rules = self.rules_counted(&kept) > RULES_MAX;
            if !too_many_rules && self.counted(&kept) <= budget {
                return counts;
            }
            let axes = if too_many_rules { 0..EXIT_AXES.len() } else { 0..counts.len() };
            // The first of the longest.
            let longest = axes.rev().max_by_key(|axis| counts[*axis]).filter(|axis| counts[*axis] > 1);
            let Some(longest) = longest else { return counts };
            counts[longest] -= 1;
        }
    }

    fn counted(&self, kept: &Kept) -> u128 {
        kept[EXIT_AXES.len()..]
            .iter()
            .fold(self.rules_counted(kept), |sets, levels| sets.saturating_mul(levels.len() as u128))
    }

    fn rules_counted(&self, kept: &Kept) -> u128 {
        self.exits.with_only(&kept[..EXIT_AXES.len()]).product()
    }

    fn part(&self, kept: &Kept) -> Result<SearchSpace, SpaceError> {
        let (exits, dimensions) = kept.split_at(EXIT_AXES.len());
        let dimensions =
            self.dimensions.iter().zip(dimensions).map(|(dimension, kept)| dimension.with_only(kept));
        SearchSpace::new(self.style, &self.exits.with_only(exits), dimensions.collect())
    }

    /// Returns the places of all values beside those of some points.
    fn neighbourhood(&self, places: &[Vec<usize>]) -> Kept {
        let near = |axis: usize, size: usize| {
            let is_near = |value: &usize| places.iter().any(|place| place[axis].abs_diff(*value) <= 1);
            (0..size).filter(is_near).collect()
        };
        self.sizes().into_iter().enumerate().map(|(axis, size)| near(axis, size)).collect()
    }

    /// Returns the places of the values that are nearest to those of a parameter set.
    fn nearest(&self, set: &ParameterSet) -> Vec<usize> {
        let exit = |axis: usize| {
            let levels = self.exits.levels(axis);
            let own = EXIT_AXES[axis].value(&set.exit);
            let is_first_target =
                |own| [set.exit.first_target_atr, set.exit.first_target_at_pct].contains(&Some(own));
            let distance = |level: &ExitAxisValue| match (level, own) {
                (ExitAxisValue::Off, None) => 0.0,
                (ExitAxisValue::At(value), Some(own)) => (value - own).abs(),
                (ExitAxisValue::AtFirstTarget, Some(own)) if is_first_target(own) => 0.0,
                _ => f64::INFINITY,
            };
            nearest_of(levels.iter().map(distance))
        };
        let filter = |dimension: &Dimension| {
            let own = set.filter(dimension.key());
            let distance = |level: &super::space::ThresholdLevel| match own {
                Some(own) if *own == level.shown => 0.0,
                Some(FilterValue::Number(own)) => (level.threshold - own).abs(),
                _ => f64::INFINITY,
            };
            nearest_of(dimension.levels().iter().map(distance))
        };
        (0..EXIT_AXES.len()).map(exit).chain(self.dimensions.iter().map(filter)).collect()
    }
}

/// Returns the first place of the smallest distance; the middle where none is finite.
fn nearest_of(distances: impl ExactSizeIterator<Item = f64>) -> usize {
    let middle = distances.len() / 2;
    let best = distances.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
    best.filter(|(_, distance)| distance.is_finite()).map_or(middle, |(place, _)| place)
}

/// Returns places evenly spread over an axis, both ends included; the middle for one.
fn spread_places(size: usize, count: usize) -> Vec<usize> {
    match count {
        0 | 1 => vec![size / 2],
        _ => (0..count).map(|i| (i * (size - 1) + (count - 1) / 2) / (count - 1)).collect(),
    }
}

/// Returns places of an axis at random, ascending.
fn by_lot(seed: u64, axis: usize, size: usize, count: usize) -> Vec<usize> {
    let ticket = |place: &usize| {
        Canonical::new("retune lot v1").count(seed).count(axis as u64).count(*place as u64).finish().0
    };
    let mut places: Vec<usize> = (0..size).collect();
    places.sort_by_key(ticket);
    places.truncate(count);
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::space::{Bound, number_levels};

    fn steps(count: usize) -> Vec<f64> {
        (0..count).map(|i| 0.5 + i as f64 / 4.0).collect()
    }

    /// 20 x 12 x 8 exit rules, 5 x 7 x 3 cells: 201,600 sets.
    fn axes() -> SpaceAxes {
        let exits = ExitAxes::new(&steps(20), &steps(12), &steps(8));
        let dimension = |key: &str, column, size| {
            Dimension::new(key, column, Bound::AtLeast, number_levels(&steps(size))).expect("sound")
        };
        let dimensions = [("a", "consensus", 5), ("b", "signal_score", 7), ("c", "risk_reward", 3)];
        SpaceAxes::new(
            Style::Swing,
            exits,
            dimensions.map(|(key, column, size)| dimension(key, column, size)).to_vec(),
        )
    }

    fn search(strategy: Strategy, budget: u64) -> Search {
        Search { strategy, budget, seed: 7 }
    }

    #[test]
    fn a_stage_stays_within_the_budget_and_within_the_space() {
        let whole = axes().whole().expect("enumerable");
        for strategy in [Strategy::Random, Strategy::CoarseFine, Strategy::Polish] {
            for budget in [1, 50, 1_000, 7_000] {
                let stage = axes().first_stage(&search(strategy, budget)).expect("sound");
                assert!(stage.sets() as u64 <= budget, "{strategy} {budget}: {}", stage.sets());
                assert!(stage.rules().len() as u128 <= RULES_MAX);
                for place in [(0, 0), (stage.rules().len() - 1, stage.lattice().cells() - 1)] {
                    assert!(whole.find(&stage.set(place.0, place.1)).is_some());
                }
                assert_eq!(axes().first_stage(&search(strategy, budget)).expect("sound"), stage, "repeats");
            }
        }
        // Of 6,000 the stages use most.
        let coarse = axes().first_stage(&search(Strategy::CoarseFine, 6_000)).expect("sound");
        assert!(coarse.sets() > 3_000, "{}", coarse.sets());
    }

    #[test]
    fn a_coarse_stage_keeps_both_ends() {
        let stage = axes().first_stage(&search(Strategy::CoarseFine, 7_000)).expect("sound");
        let targets: Vec<f64> = stage.rules().iter().filter_map(|rule| rule.take_profit_atr).collect();
        assert!(targets.contains(&0.5) && targets.contains(&5.25));
        assert_eq!(
            (spread_places(9, 3), spread_places(9, 1), spread_places(2, 2)),
            (vec![0, 4, 8], vec![4], vec![0, 1])
        );
    }

    #[test]
    fn another_seed_draws_another_lot() {
        let draw =
            |seed| axes().first_stage(&Search { seed, ..search(Strategy::Random, 500) }).expect("sound");
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn the_last_stage_holds_its_starts_and_what_is_beside_them() {
        let whole = axes().whole().expect("enumerable");
        let start = whole.set(777, 50);
        let stage =
            axes().around(std::slice::from_ref(&start), &search(Strategy::CoarseFine, 7_000)).expect("sound");
        let (rule, cell) = stage.find(&start).expect("the start");
        let (whole_rule, whole_cell) = whole.find(&start).expect("there");
        let beside = whole.neighbours(whole_rule, whole_cell);
        assert!(stage.sets() <= 3_usize.pow(6));
        for (rule, cell) in beside {
            assert!(stage.find(&whole.set(rule, cell)).is_some());
        }
        assert_eq!(stage.neighbours(rule, cell).len(), whole.neighbours(whole_rule, whole_cell).len());
        // With little room only the first start is left, and then not all of its neighbours.
        let other = whole.set(3, 3);
        let both = [start.clone(), other.clone()];
        let stage = axes().around(&both, &search(Strategy::CoarseFine, 900)).expect("sound");
        assert!(stage.find(&start).is_some() && stage.find(&other).is_none());
        let stage = axes().around(&both, &search(Strategy::CoarseFine, 40)).expect("sound");
        assert!(stage.find(&start).is_some() && stage.sets() <= 40);
    }

    #[test]
    fn what_is_not_among_the_values_starts_from_the_nearest() {
        let whole = axes().whole().expect("enumerable");
        let mut start = whole.set(0, 0);
        start.exit.take_profit_atr = Some(50.0);
        start.filters[0].1 = FilterValue::Number(1.1);
        let stage = axes().around(&[start], &search(Strategy::Polish, 700)).expect("sound");
        assert!(stage.rules().iter().all(|rule| rule.take_profit_atr >= Some(5.0)));
        let levels: Vec<f64> = stage.dimensions()[0].levels().iter().map(|level| level.threshold).collect();
        assert_eq!(levels, [0.75, 1.0, 1.25]);
    }
}
