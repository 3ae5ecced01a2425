//! Means and deviations, summed in the order given.

/// Returns the mean, left to right; 0 of nothing.
pub fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// Returns the deviation of a whole population; 0 of nothing.
pub fn population_deviation(values: &[f64]) -> f64 {
    let average = mean(values.iter().copied());
    mean(values.iter().map(|value| (value - average) * (value - average))).sqrt()
}
