//! The plateau rather than the peak: scores smoothed over their neighbours on an ordered grid.
//!
//! Source: the project's statistics notes, section 3.8.

/// Least share of the neighbours in the grid that have a score, and least mean of theirs over one's own.
const NEIGHBOURS_MIN: f64 = 0.5;
const RATIO_MIN: f64 = 0.5;

/// A grid of ordered axes, smoothed.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    scores: Vec<Option<f64>>,
    /// Mean over the neighbours one step away, the point itself included.
    once: Vec<Option<f64>>,
    /// The same of these means: the weight falls off over two steps.
    twice: Vec<Option<f64>>,
    /// Mean of the neighbours without the point.
    around: Vec<Option<f64>>,
    /// Neighbours with a score, and all that lie in the grid.
    neighbours: Vec<(u32, u32)>,
}

impl Landscape {
    /// Smooths scores.
    ///
    /// Shape: steps per axis, the last varies fastest; one score per point, `None` where it has too few trades
    pub fn new(sizes: &[usize], scores: Vec<Option<f64>>) -> Self {
        assert!(sizes.iter().product::<usize>() == scores.len(), "one score per point");
        let known = |scores: &[Option<f64>]| -> Vec<(f64, u32)> {
            scores.iter().map(|score| score.map_or((0.0, 0), |score| (score, 1))).collect()
        };
        let sums = boxed(sizes, known(&scores));
        let all = boxed(sizes, vec![(0.0, 1); scores.len()]);
        let mean = |(sum, count): &(f64, u32)| (*count > 0).then(|| sum / f64::from(*count));
        let once: Vec<Option<f64>> = sums.iter().map(mean).collect();
        let scored: Vec<Option<f64>> = once.iter().zip(&scores).map(|(once, own)| own.and(*once)).collect();
        let twice = boxed(sizes, known(&scored)).iter().map(mean).collect();
        let around = |((sum, count), own): (&(f64, u32), &Option<f64>)| match own {
            Some(own) => mean(&(sum - own, count - 1)),
            None => mean(&(*sum, *count)),
        };
        let around = sums.iter().zip(&scores).map(around).collect();
        let counts = |point: usize| (sums[point].1 - u32::from(scores[point].is_some()), all[point].1 - 1);
        let neighbours = (0..scores.len()).map(counts).collect();
        Self { scores, once, twice, around, neighbours }
    }

    /// Returns the mean over a point and its neighbours.
    pub fn once(&self, point: usize) -> Option<f64> {
        self.once[point]
    }

    /// Returns the smoothed score of a point.
    pub fn smoothed(&self, point: usize) -> Option<f64> {
        self.twice[point]
    }

    /// Returns the mean score of a point's neighbours.
    pub fn around(&self, point: usize) -> Option<f64> {
        self.around[point]
    }

    /// Returns how many neighbours have a score, and how many there are.
    pub fn neighbours(&self, point: usize) -> (u32, u32) {
        self.neighbours[point]
    }

    /// Returns the mean score of a point's neighbours over its own, where that is positive.
    pub fn ratio(&self, point: usize) -> Option<f64> {
        Some(self.around[point]? / self.scores[point].filter(|own| *own > 0.0)?)
    }

    /// Returns whether a point is no spike: a positive score, and neighbours that have one and keep it up.
    pub fn is_sound(&self, point: usize) -> bool {
        let (known, all) = self.neighbours[point];
        f64::from(known) >= NEIGHBOURS_MIN * f64::from(all)
            && self.ratio(point).is_some_and(|ratio| ratio >= RATIO_MIN)
    }

    /// Returns the point with the highest score; the first of equals.
    pub fn peak(&self) -> Option<usize> {
        highest(self.scores.iter().copied().enumerate())
    }

    /// Returns the sound point with the highest smoothed score; the first of equals.
    pub fn plateau(&self) -> Option<usize> {
        highest(self.twice.iter().copied().enumerate().filter(|(point, _)| self.is_sound(*point)))
    }
}

fn highest(scores: impl Iterator<Item = (usize, Option<f64>)>) -> Option<usize> {
    let better = |best: Option<(usize, f64)>, (point, score): (usize, f64)| match best {
        Some((_, known)) if known >= score => best,
        _ => Some((point, score)),
    };
    scores.filter_map(|(point, score)| Some((point, score?))).fold(None, better).map(|(point, _)| point)
}

/// Adds up every point and its neighbours one step away on each axis, and across corners; axis by axis.
fn boxed(sizes: &[usize], mut values: Vec<(f64, u32)>) -> Vec<(f64, u32)> {
    let mut stride = 1;
    for size in sizes.iter().rev() {
        let before = values.clone();
        for (point, value) in values.iter_mut().enumerate() {
            let level = point / stride % size;
            let mut add = |other: usize| {
                value.0 += before[other].0;
                value.1 += before[other].1;
            };
            if level > 0 {
                add(point - stride);
            }
            if level + 1 < *size {
                add(point + stride);
            }
        }
        stride *= size;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_is_passed_over_for_the_plateau() {
        let scores = [9.0, 0.0, 0.0, 0.0, 1.0, 1.2, 1.1, 1.0, 0.2];
        let landscape = Landscape::new(&[9], scores.map(Some).to_vec());
        assert_eq!((landscape.peak(), landscape.plateau()), (Some(0), Some(6)));
        assert_eq!(landscape.neighbours(0), (1, 1));
        assert!(!landscape.is_sound(0) && landscape.ratio(0) == Some(0.0));
    }

    #[test]
    fn points_without_a_score_are_no_neighbours() {
        let landscape = Landscape::new(&[2, 2], vec![Some(1.0), None, None, Some(3.0)]);
        assert_eq!((landscape.once(0), landscape.around(0)), (Some(2.0), Some(3.0)));
        assert_eq!(landscape.neighbours(0), (1, 3));
        assert_eq!(landscape.plateau(), None, "one of three neighbours is too few");
        assert_eq!(Landscape::new(&[2], vec![None, None]).peak(), None);
    }
}
