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
        let mut around = vec![1; self.cells];
        box_axes(&mut around, &self.sizes, &mut vec![0; self.cells]);
        around
    }

    /// Adds up every point and its neighbours, in place.
    ///
    /// Each sum has one order, whatever the number of threads
    fn add_up<T: Copy + Default + Add<Output = T> + Send + Sync>(&self, values: &mut [T]) {
        box_axes(values, &self.sizes, &mut vec![T::default(); values.len()]);
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
/// goes with it. The room is as long as the values.
fn box_axes<T: Copy + Add<Output = T>>(values: &mut [T], sizes: &[usize], room: &mut [T]) {
    let Some((size, within)) = sizes.split_first() else { return };
    let row = values.len() / size;
    let before = &mut room[..row];
    for level in 0..if *size > 1 { *size } else { 0 } {
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
    /// NaN where a point has too few trades.
    scores: Vec<f64>,
    /// Scores of a point and its neighbours: their sum and number.
    sums: Vec<f64>,
    counts: Vec<u32>,
    /// The sum of these points' means; empty where the grid is smoothed once.
    twice: Vec<f64>,
}

impl SmoothedGrid {
    /// Smooths scores.
    ///
    /// Shape: one finite score per point, NaN where it has none
    /// Cost:  O(points x (dimensions + rules beside a rule))
    pub fn new(grid: Neighbourhood, scores: Vec<f64>, smoothing: Smoothing) -> Self {
        assert!(grid.points() == scores.len(), "one score per point");
        let mut sums: Vec<f64> =
            scores.iter().map(|score| if score.is_nan() { 0.0 } else { *score }).collect();
        grid.add_up(&mut sums);
        let mut counts: Vec<u32> = scores.iter().map(|score| u32::from(!score.is_nan())).collect();
        grid.add_up(&mut counts);
        let mean = |point: usize| match scores[point].is_nan() {
            true => 0.0,
            false => sums[point] / f64::from(counts[point]),
        };
        // The same points have a mean and have a score: their number around a point is the same.
        let mut twice: Vec<f64> = match smoothing {
            Smoothing::Twice => (0..scores.len()).map(mean).collect(),
            Smoothing::Once => Vec::new(),
        };
        grid.add_up(&mut twice);
        Self { cells_around: grid.cells_around(), grid, scores, sums, counts, twice }
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
        (self.counts[point] > 0).then(|| self.sums[point] / f64::from(self.counts[point]))
    }

    /// Returns the smoothed score of a point: the mean of these means, so that the weight falls off over two steps; `None` of a grid
    /// that was smoothed once.
    pub fn smoothed(&self, point: usize) -> Option<f64> {
        let sum = self.twice.get(point).filter(|_| self.counts[point] > 0)?;
        Some(sum / f64::from(self.counts[point]))
    }

    /// Returns the score of a point plus half the mean score of its neighbours: what luck lifted alone has none that help.
    pub fn supported(&self, point: usize) -> Option<f64> {
        Some(self.score(point)? + 0.5 * self.around(point).unwrap_or(0.0))
    }

    /// Returns the mean score of a point's neighbours.
    pub fn around(&self, point: usize) -> Option<f64> {
        let own = self.score(point);
        let count = self.counts[point] - u32::from(own.is_some());
        (count > 0).then(|| (self.sums[point] - own.unwrap_or(0.0)) / f64::from(count))
    }

    /// Returns how many neighbours have a score, and how many there are.
    pub fn neighbours(&self, point: usize) -> (u32, u32) {
        let (rule, cell) = self.grid.place(point);
        let all = self.grid.rules[rule].len() as u32 * self.cells_around[cell];
        (self.counts[point] - u32::from(!self.scores[point].is_nan()), all - 1)
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
