//! How many independent tries a grid is worth, from what its columns have in common. A diagnosis only: which of these
//! numbers is right depends on the grid, so that no verdict rests on them.
//!
//! The eigenvalues of the correlations of N columns over T days are those of a T x T matrix, which is all that is kept.
//!
//! Source: Galwey (2009); the project's statistics notes, section 3.4.

/// Accumulates the columns of a part of a grid; parts merge to the whole, but for rounding.
#[derive(Debug, Clone)]
pub struct Spectrum {
    days: usize,
    columns: usize,
    /// Upper half of the sum of products of standardised columns, row by row.
    products: Vec<f64>,
    /// Sum of the standardised columns, day by day.
    sums: Vec<f64>,
}

/// Effective numbers of tries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveTrials {
    /// Columns that vary.
    pub columns: usize,
    /// Mean correlation of two columns.
    pub mean_correlation: f64,
    /// Mean correlation + (1 - mean correlation) x columns.
    pub by_correlation: f64,
    /// The exponential of the entropy of the eigenvalues.
    pub by_entropy: f64,
    /// Square of the sum of eigenvalues over the sum of their squares.
    pub by_participation: f64,
    /// Square of the sum of their roots over their sum.
    pub by_galwey: f64,
}

impl Spectrum {
    /// Begins a part.
    pub fn new(days: usize) -> Self {
        Self { days, columns: 0, products: vec![0.0; days * days], sums: vec![0.0; days] }
    }

    /// Takes a column in; one that does not vary counts for nothing.
    pub fn push(&mut self, returns: &[i32]) {
        assert!(returns.len() == self.days, "one return per day");
        let n = self.days as f64;
        let mean = returns.iter().map(|ppm| f64::from(*ppm)).sum::<f64>() / n;
        let square = returns.iter().map(|ppm| (f64::from(*ppm) - mean).powi(2)).sum::<f64>();
        let sd = (square / n).sqrt();
        if sd <= 0.0 {
            return;
        }
        let standard: Vec<f64> = returns.iter().map(|ppm| (f64::from(*ppm) - mean) / sd).collect();
        self.columns += 1;
        for (day, z) in standard.iter().enumerate() {
            self.sums[day] += z;
            let row = &mut self.products[day * self.days + day..(day + 1) * self.days];
            row.iter_mut().zip(&standard[day..]).for_each(|(sum, other)| *sum += z * other);
        }
    }

    /// Adds a part.
    pub fn merge(mut self, other: Self) -> Self {
        self.columns += other.columns;
        self.products.iter_mut().zip(&other.products).for_each(|(own, theirs)| *own += theirs);
        self.sums.iter_mut().zip(&other.sums).for_each(|(own, theirs)| *own += theirs);
        self
    }

    /// Returns the effective numbers, or `None` for fewer than two columns.
    ///
    /// Cost: O(days cubed)
    pub fn effective_trials(mut self) -> Option<EffectiveTrials> {
        if self.columns < 2 {
            return None;
        }
        let (n, m) = (self.days as f64, self.columns as f64);
        for row in 0..self.days {
            for column in 0..row {
                self.products[row * self.days + column] = self.products[column * self.days + row];
            }
        }
        self.products.iter_mut().for_each(|product| *product /= n);
        let together = self.sums.iter().map(|sum| sum * sum).sum::<f64>() / n;
        let mean_correlation = (together - m) / (m * (m - 1.0));
        let values = eigenvalues(&mut self.products, self.days);
        let largest = values.iter().copied().fold(0.0, f64::max);
        // What lies below is rounding of what is 0.
        let values: Vec<f64> = values.into_iter().filter(|value| *value > 1e-10 * largest).collect();
        let sum = |of: &dyn Fn(f64) -> f64| values.iter().map(|value| of(*value)).sum::<f64>();
        let total = sum(&|v| v);
        Some(EffectiveTrials {
            columns: self.columns,
            mean_correlation,
            by_correlation: mean_correlation + (1.0 - mean_correlation) * m,
            by_entropy: (-sum(&|v| v / total * (v / total).ln())).exp(),
            by_participation: total * total / sum(&|v| v * v),
            by_galwey: sum(&f64::sqrt).powi(2) / total,
        })
    }
}

/// Returns the eigenvalues of a symmetric matrix, ascending; the matrix is used up.
///
/// Method: Householder reflections to three diagonals, then bisection by Sturm counts
fn eigenvalues(matrix: &mut [f64], n: usize) -> Vec<f64> {
    let (diagonal, beside) = three_diagonals(matrix, n);
    let radius = |i: usize| {
        let left = if i > 0 { beside[i - 1].abs() } else { 0.0 };
        left + beside.get(i).map_or(0.0, |value| value.abs())
    };
    let lowest = (0..n).map(|i| diagonal[i] - radius(i)).fold(f64::INFINITY, f64::min);
    let highest = (0..n).map(|i| diagonal[i] + radius(i)).fold(f64::NEG_INFINITY, f64::max);
    let tiny = f64::EPSILON * (highest - lowest).max(f64::MIN_POSITIVE);
    let below = |x: f64| {
        let mut count = 0;
        let mut pivot = 1.0_f64;
        for i in 0..n {
            let coupled = if i > 0 { beside[i - 1] * beside[i - 1] / pivot } else { 0.0 };
            pivot = diagonal[i] - x - coupled;
            if pivot.abs() < tiny {
                pivot = -tiny;
            }
            count += usize::from(pivot < 0.0);
        }
        count
    };
    let find = |index: usize| {
        let (mut low, mut high) = (lowest, highest);
        while high - low > 2.0 * f64::EPSILON * low.abs().max(high.abs()) + tiny {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if below(middle) > index { high = middle } else { low = middle }
        }
        f64::midpoint(low, high)
    };
    (0..n).map(find).collect()
}

/// Reflects a symmetric matrix until only the diagonal and the two beside it are left; returns them.
fn three_diagonals(matrix: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut beside = vec![0.0; n.saturating_sub(1)];
    for k in 0..n.saturating_sub(1) {
        let first = k + 1;
        let mut v: Vec<f64> = (first..n).map(|row| matrix[row * n + k]).collect();
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        beside[k] = if v[0] > 0.0 { -length } else { length };
        v[0] -= beside[k];
        let square = v.iter().map(|x| x * x).sum::<f64>();
        if square <= 0.0 {
            continue;
        }
        let row = |matrix: &[f64], i: usize| -> f64 {
            let row = &matrix[(first + i) * n + first..(first + i) * n + n];
            row.iter().zip(&v).map(|(a, b)| a * b).sum::<f64>()
        };
        let mut w: Vec<f64> = (0..v.len()).map(|i| 2.0 / square * row(matrix, i)).collect();
        let along = w.iter().zip(&v).map(|(a, b)| a * b).sum::<f64>() / square;
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= along * v);
        for i in 0..v.len() {
            let row = &mut matrix[(first + i) * n + first..(first + i) * n + n];
            for (j, value) in row.iter_mut().enumerate() {
                *value -= v[i] * w[j] + w[i] * v[j];
            }
        }
    }
    ((0..n).map(|i| matrix[i * n + i]).collect(), beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvalues_of_known_matrices() {
        let found = eigenvalues(&mut [2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 5.0], 3);
        for (found, wanted) in found.iter().zip([1.0, 3.0, 5.0]) {
            assert!((found - wanted).abs() < 1e-12, "{found}");
        }
        // The second difference of n points: 2 - 2 cos(k pi / (n + 1)), hidden by a rotation of the order.
        let n = 9;
        let order = [4, 0, 8, 2, 6, 1, 7, 3, 5];
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                let apart = usize::abs_diff(order[i], order[j]);
                matrix[i * n + j] = if apart == 0 {
                    2.0
                } else if apart == 1 {
                    -1.0
                } else {
                    0.0
                };
            }
        }
        for (k, found) in eigenvalues(&mut matrix, n).into_iter().enumerate() {
            let wanted = 2.0 - 2.0 * ((k + 1) as f64 * std::f64::consts::PI / 10.0).cos();
            assert!((found - wanted).abs() < 1e-12, "{k}: {found} is not {wanted}");
        }
    }

    #[test]
    fn equal_columns_are_one_try() {
        let mut random = crate::validate::resample::Random::new(5);
        let mut column = || -> Vec<i32> { (0..40).map(|_| random.below(2000) as i32 - 1000).collect() };
        let (one, other) = (column(), column());
        let mut same = Spectrum::new(40);
        (0..5).for_each(|_| same.push(&one));
        same.push(&[7; 40]);
        let same = same.effective_trials().expect("five columns");
        assert_eq!(same.columns, 5, "what does not vary is no try");
        for number in [same.by_correlation, same.by_entropy, same.by_participation, same.by_galwey] {
            assert!((number - 1.0).abs() < 1e-9, "{same:?}");
        }
        let part = |column: &[i32]| {
            let mut part = Spectrum::new(40);
            part.push(column);
            part
        };
        let two = part(&one).merge(part(&other)).effective_trials().expect("two columns");
        assert!(two.by_galwey > 1.8 && two.by_galwey <= 2.0, "{two:?}");
        assert_eq!(part(&one).effective_trials(), None);
    }
}
