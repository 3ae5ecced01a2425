//! One figure among many: probabilities adjusted for the number of tests, and Sharpe ratios cut to match.
//!
//! Source: Holm (1979), Benjamini and Hochberg (1995), Benjamini and Yekutieli (2001), Harvey and Liu (2015).

use super::normal::{cdf, quantile};

/// How probabilities are adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Times the number of tests.
    Bonferroni,
    /// As if the tests were independent.
    Sidak,
    /// Bonferroni step by step, the smallest first.
    Holm,
    /// Holds down the share of false finds among the finds, for independent tests.
    BenjaminiHochberg,
    /// The same whatever the tests have in common.
    BenjaminiYekutieli,
}

impl Adjustment {
    /// Every way.
    pub const ALL: [Self; 5] =
        [Self::Bonferroni, Self::Sidak, Self::Holm, Self::BenjaminiHochberg, Self::BenjaminiYekutieli];

    /// Returns the name of documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bonferroni => "bonferroni",
            Self::Sidak => "sidak",
            Self::Holm => "holm",
            Self::BenjaminiHochberg => "benjamini_hochberg",
            Self::BenjaminiYekutieli => "benjamini_yekutieli",
        }
    }

    /// Returns ascending probabilities adjusted for being so many.
    ///
    /// Panics when they do not ascend
    pub fn adjust(self, sorted: &[f64]) -> Vec<f64> {
        assert!(sorted.is_sorted(), "probabilities ascend");
        let n = sorted.len() as f64;
        let harmonic = || (1..=sorted.len()).map(|i| 1.0 / i as f64).sum::<f64>();
        match self {
            Self::Bonferroni => sorted.iter().map(|p| (p * n).min(1.0)).collect(),
            Self::Sidak => sorted.iter().map(|p| any_of(*p, n)).collect(),
            Self::Holm => {
                let mut largest = 0.0_f64;
                let step = |(i, p): (usize, &f64)| {
                    largest = largest.max((p * (n - i as f64)).min(1.0));
                    largest
                };
                sorted.iter().enumerate().map(step).collect()
            }
            Self::BenjaminiHochberg => step_up(sorted, n),
            Self::BenjaminiYekutieli => step_up(sorted, n * harmonic()),
        }
    }
}

/// From the largest down: each probability times `n` over its place.
fn step_up(sorted: &[f64], n: f64) -> Vec<f64> {
    let mut least = 1.0_f64;
    let mut adjusted = vec![0.0; sorted.len()];
    for (i, p) in sorted.iter().enumerate().rev() {
        least = least.min(p * n / (i + 1) as f64);
        adjusted[i] = least;
    }
    adjusted
}

/// Returns the probability that at least one of n independent tests is as extreme as one with probability p.
pub fn any_of(p: f64, n: f64) -> f64 {
    -(n * (-p).ln_1p()).exp_m1()
}

/// Returns the probability of a t statistic at least as far from zero, either way, where there is nothing.
pub fn two_sided(t: f64) -> f64 {
    2.0 * cdf(-t.abs())
}

/// Returns the Sharpe ratio that has, tried once, the adjusted probability of this one.
///
/// Shape: Sharpe ratio per day over so many days, with its adjusted probability; what is certain to be luck becomes 0
pub fn haircut_sharpe(sharpe: f64, days: usize, adjusted: f64) -> f64 {
    let cut = if adjusted >= 1.0 { 0.0 } else { -quantile(adjusted / 2.0) };
    sharpe.signum() * cut / (days as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Benjamini and Hochberg (1995): four finds where Bonferroni has three.
    const PUBLISHED: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
        0.6528, 0.759, 1.0,
    ];

    #[test]
    fn the_published_example() {
        let finds = |how: Adjustment| how.adjust(&PUBLISHED).iter().filter(|p| **p <= 0.05).count();
        assert_eq!(Adjustment::ALL.map(finds), [3, 3, 3, 4, 3]);
    }

    #[test]
    fn one_test_needs_no_adjustment_and_none_is_no_error() {
        for how in Adjustment::ALL {
            assert!((how.adjust(&[0.03])[0] - 0.03).abs() < 1e-15, "{how:?}");
            assert!(how.adjust(&[]).is_empty());
        }
    }

    /// Harvey and Liu (2015): a yearly Sharpe ratio of 0.75 over 240 months and 200 tries is worth 0.32.
    #[test]
    fn the_published_haircut() {
        let monthly = 0.75 / 12_f64.sqrt();
        let p = two_sided(monthly * 240_f64.sqrt());
        let cut = haircut_sharpe(monthly, 240, any_of(p, 200.0)) * 12_f64.sqrt();
        assert_eq!((cut * 100.0).round() / 100.0, 0.32);
        assert!((haircut_sharpe(monthly, 240, p) / monthly - 1.0).abs() < 1e-9, "tried once, nothing is cut");
        assert_eq!(haircut_sharpe(monthly, 240, 1.0), 0.0);
    }
}
