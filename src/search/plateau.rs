//! The plateau rather than the peak: scores smoothed over their neighbours on the grid.
//!
//! A neighbour is at most one step away on every axis: levels of the dimensions, and values of the exit axes.
//!
//! Source: the project's statistics notes, section 3.8.

use std::ops::Add;

use rayon::prelude::*;

/// Least share of the neighbours in the grid that have a score, and least mean of theirs over one's own.
const NEIGHBOURS_MIN: f64 = 0.5;
const RATIO_MIN: f64 = 0.5;

/// Cells whose rules are added up side by side.
const LANES: usize = 8;

/// Which points of a grid lie beside each other. A point is a rule and a cell; all rules of the first cell come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbourhood {
    /// For every rule those beside it, itself included.
    rules: Vec<Vec<usize>>,
    /// Levels per dimension of the cells; the last varies fastest.
    sizes: Vec<usize>,
    cells: usize,
}

impl Neighbourhood {
    /// Returns the neighbourhood of rules with these beside them, themselves included, and of cells with so many levels per
    /// dimension.
    pub fn new(rules: Vec<Vec<usize>>, sizes: &[usize]) -> Self {
        Self { rules, sizes: sizes.to_vec(), cells: sizes.iter().product() }
    }

    /// Returns the number of points.
    pub fn points(&self) -> usize {
        self.rules.len() * self.cells
    }

    /// Returns the place of a point.
    pub fn point(&self, rule: usize, cell: usize) -> usize {
        cell * self.rules.len() + rule
    }

    /// Returns rule and cell of a point.
    pub fn place(&self, point: usize) -> (usize, usize) {
        (point % self.rules.len(), point / self.rules.len())
    }

    /// Returns how many cells lie around each one, itself included.
    fn cells_around(&self) -> Vec<u32> {
        self.add_up_cells(vec![1; self.cells])
    }

    /// Adds up every cell and those around it.
    fn add_up_cells(&self, mut values: Vec<u32>) -> Vec<u32> {
        box_axes(&mut values, &self.sizes, &mut Vec::new());
        values
    }

    /// Adds up every point and its neighbours, in place.
    ///
    /// Each sum has one order, whatever the number of threads
    fn add_up<T: Copy + Default + Add<Output = T> + Send + Sync>(&self, values: &mut [T], room: &mut Vec<T>) {
        box_axes(values, &self.sizes, room);
        let rules = self.rules.len();
        values.par_chunks_mut((rules * LANES).max(1)).for_each_init(
            || vec![[T::default(); LANES]; rules],
            |side_by_side, cells| {
                for (cell, row) in cells.chunks_exact(rules).enumerate() {
                    side_by_side.iter_mut().zip(row).for_each(|(lanes, value)| lanes[cell] = *value);
                }
                for (rule, beside) in self.rules.iter().enumerate() {
                    let mut sums = [T::default(); LANES];
                    for other in beside {
                        add(&mut sums, &side_by_side[*other]);
                    }
                    cells.chunks_exact_mut(rules).zip(sums).for_each(|(row, sum)| row[rule] = sum);
                }
            },
        );
    }
}

/// Adds up the values of neighbours on every axis, in place; the last axis varies fastest, and what belongs to a level
/// goes with it. The room grows to a level of the first axis that has several.
fn box_axes<T: Copy + Default + Add<Output = T>>(values: &mut [T], sizes: &[usize], room: &mut Vec<T>) {
    let Some((size, within)) = sizes.split_first() else { return };
    if *size == 1 {
        return box_axes(values, within, room);
    }
    let row = values.len() / size;
    if room.len() < row {
        room.resize(row, T::default());
    }
    let before = &mut room[..row];
    for level in 0..*size {
        let (here, behind) = values[level * row..].split_at_mut(row);
        // Nothing is before the first level, and nothing behind the last one.
        if level == 0 {
            for ((here, before), behind) in here.iter_mut().zip(&mut *before).zip(&*behind) {
                *before = *here;
                *here = *here + *behind;
            }
        } else if behind.is_empty() {
            add(here, before);
        } else {
            for ((here, before), behind) in here.iter_mut().zip(&mut *before).zip(&*behind) {
                let own = *here;
                *here = own + *before + *behind;
                *before = own;
            }
        }
    }
    // What is left fits into ever nearer caches.
    values.chunks_exact_mut(row.max(1)).for_each(|level| box_axes(level, within, room));
}

fn add<T: Copy + Add<Output = T>>(sums: &mut [T], values: &[T]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum = *sum + *value);
}

/// How far a grid is smoothed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smoothing {
    /// Sums over neighbours.
    Once,
    /// Means over the means of neighbours as well.
    Twice,
}

/// A grid of ordered axes, smoothed.
#[derive(Debug, Clone, PartialEq)]
pub struct SmoothedGrid {
    grid: Neighbourhood,
    cells_around: Vec<u32>,
    smoothing: Smoothing,
    /// NaN where a point has too few trades.
    scores: Vec<f64>,
    /// Scores of a point and its neighbours: their sum and number.
    sums: Vec<f64>,
    counts: Counts,
    /// The sum of these points' means; empty where the grid is smoothed once.
    twice: Vec<f64>,
    room: Vec<f64>,
}

/// How many points around a point, itself included, have a score.
#[derive(Debug, Clone, PartialEq)]
enum Counts {
    /// All rules of a cell have a score or none has: the cells around each cell.
    OfCells(Vec<u32>),
    OfPoints(Vec<u32>),
}

impl Counts {
    fn new(grid: &Neighbourhood, scores: &[f64]) -> Self {
        let has_score = |score: &f64| !score.is_nan();
        let mut cells = scores.chunks_exact(grid.rules.len().max(1));
        if cells.clone().all(|rules| rules.iter().all(|score| has_score(score) == has_score(&rules[0]))) {
            let cells = cells.by_ref().map(|rules| u32::from(has_score(&rules[0]))).collect();
            return Self::OfCells(grid.add_up_cells(cells));
        }
        let mut counts: Vec<u32> = scores.iter().map(|score| u32::from(has_score(score))).collect();
        grid.add_up(&mut counts, &mut Vec::new());
        Self::OfPoints(counts)
    }

    fn of(&self, grid: &Neighbourhood, point: usize) -> u32 {
        match self {
            Self::OfPoints(counts) => counts[point],
            Self::OfCells(cells) => {
                let (rule, cell) = grid.place(point);
                cells[cell] * grid.rules[rule].len() as u32
            }
        }
    }
}

impl SmoothedGrid {
    /// Smooths scores.
    ///
    /// Shape: one finite score per point, NaN where it has none
    /// Cost:  O(points x (dimensions + rules beside a rule))
    pub fn new(grid: Neighbourhood, scores: Vec<f64>, smoothing: Smoothing) -> Self {
        let mut smoothed = Self::empty(grid, smoothing);
        smoothed.smooth(scores);
        smoothed
    }

    /// Returns a grid without a score, to smooth one list of scores after another in the same memory.
    pub fn empty(grid: Neighbourhood, smoothing: Smoothing) -> Self {
        let none = || Vec::new();
        let (cells_around, counts) = (grid.cells_around(), Counts::OfCells(vec![0; grid.cells]));
        let scores = vec![f64::NAN; grid.points()];
        Self { grid, cells_around, smoothing, scores, sums: none(), counts, twice: none(), room: none() }
    }

    /// Smooths other scores, in place of those before; see [`new`](Self::new).
    pub fn smooth(&mut self, scores: Vec<f64>) {
        assert!(self.grid.points() == scores.len(), "one score per point");
        let known = |score: &f64| if score.is_nan() { 0.0 } else { *score };
        self.sums.clear();
        self.sums.extend(scores.iter().map(known));
        self.grid.add_up(&mut self.sums, &mut self.room);
        self.counts = Counts::new(&self.grid, &scores);
        self.scores = scores;
        if self.smoothing == Smoothing::Twice {
            let Self { grid, scores, sums, counts, twice, room, .. } = self;
            let mean = |point: usize| match scores[point].is_nan() {
                true => 0.0,
                false => sums[point] / f64::from(counts.of(grid, point)),
            };
            // The same points have a mean and have a score: their number around a point is the same.
            twice.clear();
            twice.extend((0..scores.len()).map(mean));
            grid.add_up(twice, room);
        }
    }

    fn count(&self, point: usize) -> u32 {
        self.counts.of(&self.grid, point)
    }

    /// Returns which points lie beside each other.
    pub fn grid(&self) -> &Neighbourhood {
        &self.grid
    }

    /// Returns the score of a point.
    pub fn score(&self, point: usize) -> Option<f64> {
        Some(self.scores[point]).filter(|score| !score.is_nan())
    }

    /// Returns the mean over a point and its neighbours.
    pub fn once(&self, point: usize) -> Option<f64> {
        let count = self.count(point);
        (count > 0).then(|| self.sums[point] / f64::from(count))
    }

    /// Returns the smoothed score of a point: the mean of these means, so that the weight falls off over two steps; `None` of a grid
    /// that was smoothed once.
    pub fn smoothed(&self, point: usize) -> Option<f64> {
        let (sum, count) = (self.twice.get(point)?, self.count(point));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// Returns the score of a point plus half the mean score of its neighbours: what luck lifted alone has none that help.
    pub fn supported(&self, point: usize) -> Option<f64> {
        Some(self.score(point)? + 0.5 * self.around(point).unwrap_or(0.0))
    }

    /// Returns the mean score of a point's neighbours.
    pub fn around(&self, point: usize) -> Option<f64> {
        let own = self.score(point);
        let count = self.count(point) - u32::from(own.is_some());
        (count > 0).then(|| (self.sums[point] - own.unwrap_or(0.0)) / f64::from(count))
    }

    /// Returns how many neighbours have a score, and how many there are.
    pub fn neighbours(&self, point: usize) -> (u32, u32) {
        let (rule, cell) = self.grid.place(point);
        let all = self.grid.rules[rule].len() as u32 * self.cells_around[cell];
        (self.count(point) - u32::from(!self.scores[point].is_nan()), all - 1)
    }

    /// Returns the mean score of a point's neighbours over its own, where that is positive.
    pub fn ratio(&self, point: usize) -> Option<f64> {
        let own = self.score(point).filter(|own| *own > 0.0)?;
        Some(self.around(point)? / own)
    }

    /// Returns whether a point is no spike: a positive score, and neighbours that have one and keep it up.
    pub fn is_sound(&self, point: usize) -> bool {
        let (known, all) = self.neighbours(point);
        f64::from(known) >= NEIGHBOURS_MIN * f64::from(all)
            && self.ratio(point).is_some_and(|ratio| ratio >= RATIO_MIN)
    }

    /// Returns the point with the highest score; the first of equals.
    pub fn peak(&self) -> Option<usize> {
        highest_point((0..self.scores.len()).map(|point| (point, self.score(point))))
    }

    /// Returns the sound point with the highest smoothed score; the first of equals.
    pub fn plateau(&self) -> Option<usize> {
        let sound = (0..self.scores.len()).filter(|point| self.is_sound(*point));
        highest_point(sound.map(|point| (point, self.smoothed(point))))
    }
}

fn highest_point(scores: impl Iterator<Item = (usize, Option<f64>)>) -> Option<usize> {
    let better = |best: Option<(usize, f64)>, (point, score): (usize, f64)| match best {
        Some((_, known)) if known >= score => best,
        _ => Some((point, score)),
    };
    scores.filter_map(|(point, score)| Some((point, score?))).fold(None, better).map(|(point, _)| point)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells_only(sizes: &[usize], scores: Vec<f64>) -> SmoothedGrid {
        SmoothedGrid::new(Neighbourhood::new(vec![vec![0]], sizes), scores, Smoothing::Twice)
    }

    #[test]
    fn a_spike_is_passed_over_for_the_plateau() {
        let landscape = cells_only(&[9], vec![9.0, 0.0, 0.0, 0.0, 1.0, 1.2, 1.1, 1.0, 0.2]);
        assert_eq!((landscape.peak(), landscape.plateau()), (Some(0), Some(6)));
        assert_eq!(landscape.neighbours(0), (1, 1));
        assert!(!landscape.is_sound(0) && landscape.ratio(0) == Some(0.0));
    }

    #[test]
    fn points_without_a_score_are_no_neighbours() {
        let landscape = cells_only(&[2, 2], vec![1.0, f64::NAN, f64::NAN, 3.0]);
        assert_eq!((landscape.once(0), landscape.around(0)), (Some(2.0), Some(3.0)));
        assert_eq!(landscape.neighbours(0), (1, 3));
        assert_eq!(landscape.plateau(), None, "one of three neighbours is too few");
        assert_eq!(cells_only(&[2], vec![f64::NAN; 2]).peak(), None);
    }

    proptest! {
        #[test]
        fn it_is_the_plain_mean_over_the_neighbours_of_the_neighbours(
            sizes in prop::collection::vec(1_usize..5, 1..4),
            // Rules on a line with a hole now and then.
            rules in prop::collection::btree_set(0_usize..7, 1..5),
            seed in any::<u64>(),
        ) {
            let rules: Vec<usize> = rules.into_iter().collect();
            let near = |a: usize| (0..rules.len()).filter(|b| rules[a].abs_diff(rules[*b]) <= 1).collect();
            let grid = Neighbourhood::new((0..rules.len()).map(near).collect(), &sizes);
            let mut random = seed;
            let mut score = || {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let value = (random >> 40) as f64 / (1 << 20) as f64 - 4.0;
                if random >> 61 == 0 { f64::NAN } else { value }
            };
            let scores: Vec<f64> = (0..grid.points()).map(|_| score()).collect();
            let levels = |point: usize| -> Vec<usize> {
                let (rule, mut cell) = grid.place(point);
                let mut levels = vec![rules[rule]];
                for size in sizes.iter().rev() {
                    levels.push(cell % size);
                    cell /= size;
                }
                levels
            };
            let beside = |a: usize, b: usize| levels(a).iter().zip(levels(b)).all(|(a, b)| a.abs_diff(b) <= 1);
            let around = |point: usize| (0..grid.points()).filter(move |other| beside(point, *other));
            let mean = |values: Vec<f64>| {
                let known: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
                (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
            };
            let once = |point: usize| mean(around(point).map(|other| scores[other]).collect());
            let scored = |point: usize| if scores[point].is_nan() { f64::NAN } else { once(point).unwrap_or(f64::NAN) };
            let found = SmoothedGrid::new(grid.clone(), scores.clone(), Smoothing::Twice);
            for point in 0..grid.points() {
                let same = |a: Option<f64>, b: Option<f64>| match (a, b) {
                    (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                    (a, b) => a.is_some() == b.is_some(),
                };
                prop_assert!(same(found.once(point), once(point)));
                prop_assert!(same(found.smoothed(point), mean(around(point).map(scored).collect())));
                let known = around(point).filter(|other| *other != point && !scores[*other].is_nan()).count();
                let all = around(point).count() - 1;
                prop_assert_eq!(found.neighbours(point), (known as u32, all as u32));
            }
        }
    }
}
