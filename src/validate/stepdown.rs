//! Which sets hold up besides the best: probabilities step by step, each set against luck over those that are no better.
//!
//! Source: Romano and Wolf (2005); the project's statistics notes, section 3.3.

use super::grid::{Replicates, studentised_statistic};

/// A set that is judged on its own: its statistic and what luck reaches with its days, replicate by replicate.
#[derive(Debug, Clone, PartialEq)]
pub struct StepdownSet {
    /// The set.
    pub column: usize,
    /// Root of the days times mean over deviation of the excess.
    pub statistic: f64,
    lucky: Vec<f64>,
}

impl StepdownSet {
    /// Resamples a set against a benchmark, or `None` where the excess does not vary.
    pub fn new(column: usize, returns: &[i64], benchmark: &[i64], replicates: &Replicates) -> Option<Self> {
        let (own, scaled_mean) = studentised_statistic(returns, benchmark)?;
        let n = returns.len() as f64;
        let (mean, sd) = (scaled_mean / n.sqrt(), scaled_mean / own);
        // A mean of exactly 0 leaves no deviation to divide by.
        let sd = if own == 0.0 { column_deviation(returns, benchmark) } else { sd };
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for (own, theirs) in returns.iter().zip(benchmark) {
            sum += ((own - theirs) as f64 - mean) / sd;
            sums.push(sum);
        }
        let lucky = |runs: &[(u32, u32)]| {
            let total: f64 = runs.iter().map(|(from, to)| sums[*to as usize] - sums[*from as usize]).sum();
            total / n.sqrt()
        };
        Some(Self { column, statistic: own, lucky: replicates.runs().map(lucky).collect() })
    }
}

fn column_deviation(returns: &[i64], benchmark: &[i64]) -> f64 {
    let square = |(own, theirs): (&i64, &i64)| ((own - theirs) as f64).powi(2);
    (returns.iter().zip(benchmark).map(square).sum::<f64>() / returns.len() as f64).sqrt()
}

/// Returns the adjusted probability of every set, in their order: largest statistic first.
///
/// Shape: sets sorted by statistic, descending; `rest` holds, per replicate, the largest of all sets that are worse than
/// every one of them (empty where there are none)
pub fn stepdown_p_values(sorted: &[StepdownSet], rest: &[f32]) -> Vec<f64> {
    assert!(sorted.is_sorted_by(|a, b| a.statistic >= b.statistic), "the largest comes first");
    let Some(replicates) = sorted.first().map(|judged| judged.lucky.len()) else { return Vec::new() };
    let mut largest: Vec<f64> = match rest {
        [] => vec![f64::NEG_INFINITY; replicates],
        rest => rest.iter().map(|value| f64::from(*value)).collect(),
    };
    let mut adjusted = vec![0.0; sorted.len()];
    for (place, judged) in sorted.iter().enumerate().rev() {
        largest.iter_mut().zip(&judged.lucky).for_each(|(largest, own)| *largest = largest.max(*own));
        let count = largest.iter().filter(|value| **value >= judged.statistic).count();
        adjusted[place] = (1 + count) as f64 / (replicates + 1) as f64;
    }
    let mut least = 0.0_f64;
    for p in &mut adjusted {
        least = least.max(*p);
        *p = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::grid::TestPlan;
    use crate::validate::resample::Random;

    #[test]
    fn an_edge_passes_and_what_stands_behind_it_does_not() {
        let plan = TestPlan { replicates: 199, ..TestPlan::new(200, 1) };
        let replicates = Replicates::draw(&plan);
        let mut random = Random::new(11);
        let zero = vec![0; 200];
        let mut sets: Vec<StepdownSet> = (0..30)
            .map(|column| {
                let edge = if column == 4 { 4_000 } else { 0 };
                let returns: Vec<i64> =
                    (0..200).map(|_| random.below(20_000) as i64 - 10_000 + edge).collect();
                StepdownSet::new(column, &returns, &zero, &replicates).expect("it varies")
            })
            .collect();
        sets.sort_by(|a, b| b.statistic.total_cmp(&a.statistic));
        let adjusted = stepdown_p_values(&sets, &[]);
        assert_eq!(sets[0].column, 4);
        assert!(adjusted[0] <= 0.01 && adjusted[1] > 0.05, "{adjusted:?}");
        assert!(adjusted.is_sorted());
        // The worst sets as a rest say the same.
        let rest: Vec<f32> = (0..199)
            .map(|b| sets[10..].iter().map(|set| set.lucky[b]).fold(f64::NEG_INFINITY, f64::max) as f32)
            .collect();
        assert_eq!(stepdown_p_values(&sets[..10], &rest), adjusted[..10]);
        assert!(
            StepdownSet::new(0, &zero, &zero, &replicates).is_none()
                && stepdown_p_values(&[], &rest).is_empty()
        );
    }
}
