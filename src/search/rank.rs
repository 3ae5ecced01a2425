//! The exhaustive search: every parameter set scored, the best kept, and what each dimension contributes.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plateau::{SmoothedGrid, Smoothing};
use super::space::{Reach, SearchSpace};
use crate::evaluate::metrics::Circumstances;
use crate::evaluate::score::Score;
use crate::evaluate::sweep::{GridPoint, Sweep};
use crate::model::{EXIT_AXES, ExitAxis, ExitRule};

/// A scored parameter set of the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// Index of the exit rule.
    pub rule: usize,
    /// Cell of the lattice.
    pub cell: usize,
    /// Its score.
    pub score: f64,
    /// What it is ranked by: its score, or the mean of those around it.
    pub height: f64,
    /// What it stands on; that comes before height.
    pub footing: Robustness,
    /// Its trades.
    pub trades: u32,
}

/// What a trial stands on, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Robustness {
    /// Neighbours that keep its score up; or it is ranked by its own score, whatever is around.
    Sound,
    /// A spike that earns. Where nothing is sound, there is nothing better to look at.
    Earning,
    /// A spike that does not even earn.
    Losing,
}

impl Robustness {
    fn of(sound: bool, earns: bool) -> Self {
        match (sound, earns) {
            (true, _) => Self::Sound,
            (false, true) => Self::Earning,
            (false, false) => Self::Losing,
        }
    }
}

impl Trial {
    /// Returns a trial that is ranked by its own score.
    pub(super) fn peak(rule: usize, cell: usize, score: f64, trades: u32) -> Self {
        Self { rule, cell, score, height: score, footing: Robustness::Sound, trades }
    }

    /// Orders trials best first: footing, height, then more trades, then the earlier place in the grid (the looser cell).
    pub(super) fn rank(&self, other: &Self) -> Ordering {
        (self.footing.cmp(&other.footing))
            .then_with(|| other.height.total_cmp(&self.height))
            .then_with(|| other.trades.cmp(&self.trades))
            .then_with(|| (self.rule, self.cell).cmp(&(other.rule, other.cell)))
    }
}

/// What makes a parameter set the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RankBy {
    /// Its own score plus half the mean score of its neighbours.
    #[default]
    Neighbours,
    /// The mean score around it, spikes aside: what luck lifted has neighbours that it did not lift.
    Plateau,
    /// Its own score.
    Peak,
}

impl RankBy {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Neighbours, Self::Plateau, Self::Peak];

    /// Returns the name used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Neighbours => "neighbours",
            Self::Plateau => "plateau",
            Self::Peak => "peak",
        }
    }
}

/// A condition that a parameter set must meet to be ranked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constraint {
    /// The metric.
    pub metric: ConstrainedMetric,
    /// Whether the metric must stay below the limit (else above).
    pub below: bool,
    /// The limit, exclusive.
    pub limit: f64,
}

/// Metrics that constraints can name; all are known for the whole grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it; units as in `Metrics`")]
pub enum ConstrainedMetric {
    Trades,
    WinRate,
    ExpectancyPct,
    PayoffRatio,
    ProfitFactor,
    TotalReturnPct,
    MaxDrawdownPct,
    SharpeDaily,
}

impl ConstrainedMetric {
    const NAMES: [(Self, &str); 8] = [
        (Self::Trades, "trades"),
        (Self::WinRate, "win_rate"),
        (Self::ExpectancyPct, "expectancy_pct"),
        (Self::PayoffRatio, "payoff_ratio"),
        (Self::ProfitFactor, "profit_factor"),
        (Self::TotalReturnPct, "total_return_pct"),
        (Self::MaxDrawdownPct, "max_drawdown_pct"),
        (Self::SharpeDaily, "sharpe_daily"),
    ];
}

impl std::str::FromStr for Constraint {
    type Err = String;

    /// Parses `metric<limit` or `metric>limit`; an error says what was expected.
    fn from_str(text: &str) -> Result<Self, String> {
        let at = text
            .find(['<', '>'])
            .ok_or_else(|| "a constraint such as max_drawdown_pct<25 or win_rate>0.4".to_owned())?;
        let (name, limit) = (text[..at].trim(), text[at + 1..].trim());
        let names = || ConstrainedMetric::NAMES.map(|(_, name)| name).join(", ");
        let metric = ConstrainedMetric::NAMES
            .into_iter()
            .find(|(_, known)| *known == name)
            .ok_or_else(|| format!("a metric ({})", names()))?
            .0;
        let limit: f64 = limit
            .parse()
            .ok()
            .filter(|limit: &f64| limit.is_finite())
            .ok_or_else(|| format!("a number after {}", &text[at..=at]))?;
        Ok(Self { metric, below: text.as_bytes()[at] == b'<', limit })
    }
}

impl Constraint {
    /// Returns whether a parameter set meets the constraint; an undefined metric does not.
    pub fn is_met(&self, point: &GridPoint, around: &Circumstances) -> bool {
        let value = match self.metric {
            ConstrainedMetric::Trades => Ok(f64::from(point.trades)),
            ConstrainedMetric::WinRate => point.win_rate(),
            ConstrainedMetric::ExpectancyPct => point.expectancy_pct(),
            ConstrainedMetric::PayoffRatio => point.payoff_ratio(),
            ConstrainedMetric::ProfitFactor => point.profit_factor(),
            ConstrainedMetric::TotalReturnPct => Ok(point.total_return_pct()),
            ConstrainedMetric::MaxDrawdownPct => Ok(point.max_drawdown_pct()),
            ConstrainedMetric::SharpeDaily => point.sharpe_daily(around.days),
        };
        value.is_ok_and(|value| if self.below { value < self.limit } else { value > self.limit })
    }
}

/// What the search looks for.
#[derive(Debug, Clone)]
pub struct Objective<'a> {
    /// The score to maximise.
    pub score: Score,
    /// Whether it is the highest score that counts, or the highest smoothed score.
    pub by: RankBy,
    /// Conditions on the result.
    pub constraints: &'a [Constraint],
    /// The window's circumstances.
    pub around: Circumstances,
    /// The sets that may be chosen; `None` where all may.
    pub reach: Option<Reach>,
}

impl Objective<'_> {
    fn reaches(&self, rule: usize, cell: usize) -> bool {
        self.reach.as_ref().is_none_or(|reach| reach.rules[rule] && reach.cells[cell])
    }

    /// Returns the score of a parameter set that may be ranked.
    pub fn rate(&self, point: &GridPoint) -> Option<f64> {
        let met = self.constraints.iter().all(|c| c.is_met(point, &self.around));
        if met { self.score.value(point, &self.around).ok() } else { None }
    }
}

/// How much of the score one axis explains, from the whole grid.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Importance {
    /// Key of the axis.
    pub key: String,
    /// Share of the score's variance that the axis' level means explain, 0..=1.
    pub share: f64,
    /// Mean score of the best level minus that of the worst.
    pub effect: f64,
    /// The level with the best mean score, as shown.
    pub best_level: String,
}

/// The mean score over any two axes: the rest of the space averaged out.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Surface {
    /// Key of the axis across.
    pub x: String,
    /// Key of the axis down.
    pub y: String,
    /// Levels across, as shown.
    pub x_levels: Vec<String>,
    /// Levels down, as shown.
    pub y_levels: Vec<String>,
    /// Row by row; `None` where no set had a score.
    pub mean: Vec<Option<f64>>,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// The best trials, best first.
    pub top: Vec<Trial>,
    /// Parameter sets that had a score.
    pub rated: usize,
    /// Importance of each axis, exit axes first.
    pub importances: Vec<Importance>,
    /// Mean scores over every pair of axes with more than one level each.
    pub surfaces: Vec<Surface>,
}

/// Scores every parameter set and keeps the best.
///
/// Ties go to more trades, then to the earlier place in the grid: the same ranking for any number of threads
/// Cost: O(sets x (log K + axes)); by neighbours or plateau another O(sets x (dimensions + rules beside a rule)) and 20 or 28 bytes
///       per set
pub fn rank_sets(sweep: &Sweep, space: &SearchSpace, objective: &Objective<'_>, keep: usize) -> Ranking {
    let score = |point: &GridPoint| objective.rate(point).unwrap_or(f64::NAN);
    let grid = ScoredGrid {
        scores: sweep.cells().flatten().map(score).collect(),
        trades: |cell| sweep.point(0, cell).trades,
        earns: |rule, cell| sweep.point(rule, cell).net_ppm() > 0,
    };
    rank_scored(grid, space, objective, keep)
}

/// Ranks sets whose scores are known; see [`rank_sets`].
pub fn rank_scored(
    grid: ScoredGrid<impl Fn(usize) -> u32, impl Fn(usize, usize) -> bool>,
    space: &SearchSpace,
    objective: &Objective<'_>,
    keep: usize,
) -> Ranking {
    let mut axes = AxisScores::new(space);
    let mut rated = 0;
    for (cell, scores) in grid.scores.chunks_exact(space.rules().len()).enumerate() {
        for (rule, score) in scores.iter().enumerate().filter(|(_, score)| !score.is_nan()) {
            rated += 1;
            axes.add(rule, cell, *score);
        }
        axes.end_cell(cell);
    }
    let (importances, surfaces) = (axes.importances(), axes.surfaces());
    Ranking {
        top: Ranker::new(space, objective.by).best(grid, objective, keep),
        rated,
        importances,
        surfaces,
    }
}

/// The scores of a grid, with what else orders its sets.
pub struct ScoredGrid<T, E> {
    /// One per set, cells first, rules within; NaN where it has none.
    pub scores: Vec<f64>,
    /// The trades of a cell.
    pub trades: T,
    /// Whether a rule earns in a cell.
    pub earns: E,
}

/// Grids of one space that are ranked one after the other in the same memory.
pub struct Ranker<'a> {
    space: &'a SearchSpace,
    /// `None` where a set is ranked by its own score.
    landscape: Option<SmoothedGrid>,
}

impl<'a> Ranker<'a> {
    /// Prepares it.
    pub fn new(space: &'a SearchSpace, by: RankBy) -> Self {
        let smoothing = match by {
            RankBy::Peak => None,
            RankBy::Neighbours => Some(Smoothing::Once),
            RankBy::Plateau => Some(Smoothing::Twice),
        };
        let landscape = smoothing.map(|smoothing| SmoothedGrid::empty(space.neighbourhood(), smoothing));
        Self { space, landscape }
    }

    /// Returns the best sets, as many as are asked for; see [`rank_sets`].
    pub fn best(
        &mut self,
        grid: ScoredGrid<impl Fn(usize) -> u32, impl Fn(usize, usize) -> bool>,
        objective: &Objective<'_>,
        keep: usize,
    ) -> Vec<Trial> {
        let mut best = BestTrials::new(keep);
        let ScoredGrid { scores, trades, earns } = grid;
        let Some(landscape) = &mut self.landscape else {
            let rules = self.space.rules().len();
            for (at, score) in scores.iter().enumerate().filter(|(_, score)| !score.is_nan()) {
                let (rule, cell) = (at % rules, at / rules);
                if objective.reaches(rule, cell) {
                    best.offer(Trial::peak(rule, cell, *score, trades(cell)));
                }
            }
            return best.sorted();
        };
        landscape.smooth(scores);
        let by_plateau = objective.by == RankBy::Plateau;
        let height = |at| if by_plateau { landscape.smoothed(at) } else { landscape.supported(at) };
        for at in 0..landscape.grid().points() {
            let Some((score, height)) = landscape.score(at).zip(height(at)) else { continue };
            // Most are not high enough, whatever they stand on.
            if !best.may_take(height) {
                continue;
            }
            let (rule, cell) = landscape.grid().place(at);
            let footing = Robustness::Sound;
            let trial = Trial { rule, cell, score, height, footing, trades: trades(cell) };
            if objective.reaches(rule, cell) && best.takes(&trial) {
                let footing = match by_plateau {
                    true => Robustness::of(landscape.is_sound(at), earns(rule, cell)),
                    false => Robustness::Sound,
                };
                best.offer(Trial { footing, ..trial });
            }
        }
        best.sorted()
    }
}

/// The best trials so far.
struct BestTrials {
    keep: usize,
    heap: BinaryHeap<WorstFirst>,
}

impl BestTrials {
    fn new(keep: usize) -> Self {
        Self { keep, heap: BinaryHeap::with_capacity(keep + 1) }
    }

    /// Returns whether a trial is better than the worst of those kept, which is on top.
    fn takes(&self, trial: &Trial) -> bool {
        let beats = |worst: &WorstFirst| trial.rank(&worst.0) == Ordering::Less;
        self.heap.len() < self.keep || self.heap.peek().is_some_and(beats)
    }

    /// Returns whether a trial of a height could be, on the best of footings.
    fn may_take(&self, height: f64) -> bool {
        let below = |worst: &WorstFirst| worst.0.footing == Robustness::Sound && height < worst.0.height;
        self.heap.len() < self.keep || !self.heap.peek().is_some_and(below)
    }

    fn offer(&mut self, trial: Trial) {
        if !self.takes(&trial) {
            return;
        }
        self.heap.push(WorstFirst(trial));
        if self.heap.len() > self.keep {
            self.heap.pop();
        }
    }

    fn sorted(self) -> Vec<Trial> {
        let mut top: Vec<Trial> = self.heap.into_iter().map(|ranked| ranked.0).collect();
        top.sort_by(Trial::rank);
        top
    }
}

/// A trial whose largest is the worst, so that a heap gives up the worst first.
struct WorstFirst(Trial);

impl PartialEq for WorstFirst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for WorstFirst {}

impl PartialOrd for WorstFirst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for WorstFirst {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.rank(&other.0)
    }
}

/// Count and sum of scores.
#[derive(Debug, Clone, Copy, Default)]
struct Scores {
    count: u64,
    total: f64,
}

impl Scores {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.total += other.total;
    }

    fn mean(&self) -> f64 {
        self.total / self.count as f64
    }
}

/// One exit axis or dimension: its levels as shown, and the scores at each.
struct Axis {
    key: String,
    levels: Vec<(String, Scores)>,
}

impl Axis {
    fn new(key: &str, shown: impl Iterator<Item = String>) -> Self {
        Self { key: key.to_owned(), levels: shown.map(|shown| (shown, Scores::default())).collect() }
    }
}

/// Adds numbers side by side.
fn add_all(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(sum, value)| *sum += value);
}

/// An exit axis: its levels as shown, and the level of each rule.
struct ExitLevels {
    key: &'static str,
    levels: Vec<String>,
    of: Vec<usize>,
}

/// Returns where the levels of each dimension start when all stand one after the other, and how many there are.
fn level_starts(space: &SearchSpace) -> (Vec<usize>, usize) {
    let mut width = 0;
    let starts = space.dimensions().iter().map(|dimension| {
        let start = width;
        width += dimension.levels().len();
        start
    });
    (starts.collect(), width)
}

/// Sums scores by level across and down; `None` where an axis has one level only.
fn score_surface(
    (x, x_levels): (&str, Vec<String>),
    (y, y_levels): (&str, Vec<String>),
    at: impl Iterator<Item = (usize, usize, Scores)>,
) -> Option<Surface> {
    if x_levels.len() < 2 || y_levels.len() < 2 {
        return None;
    }
    let mut sums = vec![Scores::default(); x_levels.len() * y_levels.len()];
    at.for_each(|(across, down, scores)| sums[down * x_levels.len() + across].add(scores));
    let mean = sums.iter().map(|sum| (sum.count > 0).then(|| sum.mean())).collect();
    Some(Surface { x: x.to_owned(), y: y.to_owned(), x_levels, y_levels, mean })
}

/// Scores by exit rule and by cell; every axis is a sum of some of them.
struct AxisScores<'a> {
    space: &'a SearchSpace,
    rules: Vec<Scores>,
    cells: Vec<Scores>,
    /// Per level of every dimension, the dimensions one after the other: counts and sums of every rule.
    level_counts: Vec<f64>,
    level_totals: Vec<f64>,
    /// Where the levels of each dimension start among them.
    starts: Vec<usize>,
    /// The levels of every cell.
    cell_levels: Vec<u8>,
    /// Counts and sums of the rules in the cell at hand.
    row_counts: Vec<f64>,
    row_totals: Vec<f64>,
    squares: f64,
}

impl<'a> AxisScores<'a> {
    fn new(space: &'a SearchSpace) -> Self {
        let none = Scores::default();
        let lattice = space.lattice();
        let (rules, cells) = (vec![none; space.rules().len()], vec![none; lattice.cells()]);
        let (starts, width) = level_starts(space);
        let zero = |count: usize| vec![0.0; count];
        Self {
            space,
            level_counts: zero(rules.len() * width),
            level_totals: zero(rules.len() * width),
            starts,
            cell_levels: lattice.levels_of_all(),
            row_counts: zero(rules.len()),
            row_totals: zero(rules.len()),
            rules,
            cells,
            squares: 0.0,
        }
    }

    fn add(&mut self, rule: usize, cell: usize, score: f64) {
        let one = Scores { count: 1, total: score };
        self.rules[rule].add(one);
        self.cells[cell].add(one);
        self.squares += score * score;
        self.row_counts[rule] = 1.0;
        self.row_totals[rule] = score;
    }

    /// Adds the cell at hand to its level of every dimension, all rules side by side.
    fn end_cell(&mut self, cell: usize) {
        let (dimensions, rules) = (self.space.dimensions().len(), self.rules.len());
        let levels = &self.cell_levels[cell * dimensions..(cell + 1) * dimensions];
        for (start, level) in self.starts.iter().zip(levels) {
            let place = start + usize::from(*level);
            let level = place * rules..(place + 1) * rules;
            add_all(&mut self.level_counts[level.clone()], &self.row_counts);
            add_all(&mut self.level_totals[level], &self.row_totals);
        }
        self.row_counts.fill(0.0);
        self.row_totals.fill(0.0);
    }

    /// Averages the scores over every pair of axes.
    fn surfaces(&self) -> Vec<Surface> {
        let exits = self.exit_levels();
        let dimensions = self.space.dimensions();
        let shown = |d: usize| dimensions[d].levels().iter().map(|level| level.shown.to_string()).collect();
        let mut surfaces = Vec::new();
        for (i, x) in exits.iter().enumerate() {
            for y in &exits[i + 1..] {
                let at =
                    self.rules.iter().enumerate().map(|(rule, scores)| (x.of[rule], y.of[rule], *scores));
                surfaces.extend(score_surface((x.key, x.levels.clone()), (y.key, y.levels.clone()), at));
            }
            for (d, dimension) in dimensions.iter().enumerate() {
                let count = dimension.levels().len();
                let at = (0..self.rules.len() * count).map(|n| {
                    let (rule, level) = (n / count, n % count);
                    let place = (self.starts[d] + level) * self.rules.len() + rule;
                    let (count, total) = (self.level_counts[place] as u64, self.level_totals[place]);
                    (x.of[rule], level, Scores { count, total })
                });
                surfaces.extend(score_surface((x.key, x.levels.clone()), (dimension.key(), shown(d)), at));
            }
        }
        for a in 0..dimensions.len() {
            for b in a + 1..dimensions.len() {
                let levels = self.cell_levels.chunks_exact(dimensions.len());
                let at = levels.zip(&self.cells);
                let at = at.map(|(levels, scores)| (levels[a].into(), levels[b].into(), *scores));
                let (x, y) = ((dimensions[a].key(), shown(a)), (dimensions[b].key(), shown(b)));
                surfaces.extend(score_surface(x, y, at));
            }
        }
        surfaces
    }

    fn importances(&self) -> Vec<Importance> {
        let mut all = Scores::default();
        self.rules.iter().for_each(|scores| all.add(*scores));
        let mean = all.total / all.count.max(1) as f64;
        let spread = self.squares - mean * all.total;
        let axes = self.exit_axes().into_iter().chain(self.filter_axes());
        axes.filter_map(|axis| axis_importance(&axis, mean, spread)).collect()
    }

    fn exit_axes(&self) -> Vec<Axis> {
        let axis = |axis: ExitLevels| {
            let mut found = Axis::new(axis.key, axis.levels.into_iter());
            for (level, scores) in axis.of.iter().zip(&self.rules) {
                found.levels[*level].1.add(*scores);
            }
            found
        };
        self.exit_levels().into_iter().map(axis).collect()
    }

    /// Returns the exit axes of which the space has something; off comes first.
    fn exit_levels(&self) -> Vec<ExitLevels> {
        let axis = |axis: &ExitAxis| {
            // Off as -1: no axis has negative values.
            let value = |rule: &ExitRule| axis.value(rule).unwrap_or(-1.0);
            let mut levels: Vec<f64> = self.space.rules().iter().map(value).collect();
            levels.sort_by(f64::total_cmp);
            levels.dedup();
            if levels == [-1.0] {
                return None;
            }
            let shown = |level: &f64| if *level < 0.0 { "off".to_owned() } else { level.to_string() };
            let of =
                self.space.rules().iter().map(|rule| levels.partition_point(|level| *level < value(rule)));
            Some(ExitLevels { key: axis.key, of: of.collect(), levels: levels.iter().map(shown).collect() })
        };
        EXIT_AXES.iter().filter_map(axis).collect()
    }

    fn filter_axes(&self) -> Vec<Axis> {
        let axis = |(d, dimension): (usize, &super::space::Dimension)| {
            let mut found =
                Axis::new(dimension.key(), dimension.levels().iter().map(|l| l.shown.to_string()));
            let levels = self.cell_levels.chunks_exact(self.starts.len());
            for (levels, scores) in levels.zip(&self.cells) {
                found.levels[usize::from(levels[d])].1.add(*scores);
            }
            found
        };
        self.space.dimensions().iter().enumerate().map(axis).collect()
    }
}

/// Measures an axis by the spread of its level means; `None` when no set had a score.
fn axis_importance(axis: &Axis, mean: f64, spread: f64) -> Option<Importance> {
    let seen = || axis.levels.iter().filter(|(_, scores)| scores.count > 0);
    let (best_level, best) = seen().max_by(|a, b| a.1.mean().total_cmp(&b.1.mean()))?;
    let worst = seen().map(|(_, scores)| scores.mean()).fold(f64::INFINITY, f64::min);
    let explained: f64 = seen().map(|(_, s)| s.count as f64 * (s.mean() - mean).powi(2)).sum();
    let share = if spread > 0.0 { (explained / spread).clamp(0.0, 1.0) } else { 0.0 };
    let (key, best_level) = (axis.key.clone(), best_level.clone());
    Some(Importance { key, share, effect: best.mean() - worst, best_level })
}
