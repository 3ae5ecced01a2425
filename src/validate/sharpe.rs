//! Sharpe ratios of daily returns and what can be concluded from them; per day, never annualised inside a formula.
//!
//! Source: Bailey and Lopez de Prado (2012, 2014); the project's statistics notes, sections 3.1 and 3.4.

use serde::{Deserialize, Serialize};

use super::normal::{cdf, quantile};

/// Days of a year: this market never closes.
pub const DAYS_PER_YEAR: f64 = 365.0;
const EULER: f64 = 0.577_215_664_901_532_9;

/// Moments of a series of daily returns; days without trades are part of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Moments {
    pub days: usize,
    pub mean: f64,
    /// Standard deviation with n - 1.
    pub sd: f64,
    /// Population skewness.
    pub skew: f64,
    /// Population kurtosis, 3 for the normal distribution.
    pub kurtosis: f64,
}

impl Moments {
    /// Returns the moments, or `None` for fewer than two days or returns that do not vary.
    pub fn of(returns: &[f64]) -> Option<Self> {
        let n = returns.len() as f64;
        let (mean, variance) = mean_and_variance(returns)?;
        let central = |power: i32| returns.iter().map(|r| (r - mean).powi(power)).sum::<f64>() / n;
        Some(Self {
            days: returns.len(),
            mean,
            sd: sample_deviation(variance, n),
            skew: central(3) / variance.powf(1.5),
            kurtosis: central(4) / (variance * variance),
        })
    }

    /// Returns the Sharpe ratio per day.
    pub fn sharpe(&self) -> f64 {
        self.mean / self.sd
    }

    /// Returns the variance of the Sharpe ratio times n - 1; `None` where the formula breaks down.
    fn spread(&self) -> Option<f64> {
        let sharpe = self.sharpe();
        let spread = 1.0 - self.skew * sharpe + (self.kurtosis - 1.0) / 4.0 * sharpe * sharpe;
        (spread > 0.0).then_some(spread)
    }

    /// Returns the probability that the true Sharpe ratio exceeds a benchmark (per day).
    pub fn probabilistic_sharpe(&self, benchmark: f64) -> Option<f64> {
        let n = self.days as f64;
        Some(cdf((self.sharpe() - benchmark) * (n - 1.0).sqrt() / self.spread()?.sqrt()))
    }

    /// Returns the days after which the Sharpe ratio would be told from a benchmark (per day) with a confidence;
    /// infinite where it does not exceed it.
    pub fn min_track_record(&self, benchmark: f64, confidence: f64) -> Option<f64> {
        let excess = self.sharpe() - benchmark;
        if excess <= 0.0 {
            return Some(f64::INFINITY);
        }
        Some(1.0 + self.spread()? * (quantile(confidence) / excess).powi(2))
    }
}

/// Returns mean and population variance, or `None` for fewer than two days or returns that do not vary.
fn mean_and_variance(returns: &[f64]) -> Option<(f64, f64)> {
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let variance = returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n;
    (returns.len() >= 2 && variance > f64::EPSILON * mean * mean).then_some((mean, variance))
}

/// Returns the standard deviation with n - 1 of a population variance.
fn sample_deviation(variance: f64, n: f64) -> f64 {
    (variance * n / (n - 1.0)).sqrt()
}

/// Returns the Sharpe ratio per day, that of [`Moments`], without the higher ones.
pub fn sharpe_of(returns: &[f64]) -> Option<f64> {
    let (mean, variance) = mean_and_variance(returns)?;
    Some(mean / sample_deviation(variance, returns.len() as f64))
}

/// Returns the expected largest of n independent standard normal values.
pub fn expected_max(n: f64) -> f64 {
    if n <= 1.0 {
        return 0.0;
    }
    -(1.0 - EULER) * quantile(1.0 / n) - EULER * quantile(1.0 / (n * std::f64::consts::E))
}

/// Returns the years after which the best of n independent tries without an edge is expected below a yearly Sharpe
/// ratio: with less history, such a ratio says nothing.
pub fn min_backtest_years(n: f64, sharpe_year: f64) -> f64 {
    (expected_max(n) / sharpe_year).powi(2)
}

/// Returns how many independent tries reach a largest Sharpe ratio (per day) by luck in so many days.
pub fn equivalent_trials(largest: f64, days: usize) -> f64 {
    let wanted = largest * (days as f64 - 1.0).sqrt();
    let (mut low, mut high) = (0.0_f64, 40.0_f64);
    // In the logarithm of the number of tries.
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if expected_max(middle.exp()) < wanted { low = middle } else { high = middle }
    }
    low.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers() {
        // Bailey and Lopez de Prado 2012: monthly Sharpe 0.458, skewness -2.448, kurtosis 10.164, n = 24.
        let published = Moments { days: 24, mean: 0.458, sd: 1.0, skew: -2.448, kurtosis: 10.164 };
        let rounded = |value: Option<f64>| (value.expect("defined") * 1000.0).round() / 1000.0;
        assert_eq!(rounded(published.probabilistic_sharpe(0.0)), 0.913);
        let normal = Moments { skew: 0.0, kurtosis: 3.0, ..published };
        assert_eq!(rounded(normal.probabilistic_sharpe(0.0)), 0.982);
        assert_eq!((expected_max(10.0) * 100.0).round() / 100.0, 1.57);
        assert_eq!(expected_max(1.0), 0.0);
        assert!((equivalent_trials(expected_max(50.0) / 364_f64.sqrt(), 365) - 50.0).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_be_said_is_not_said() {
        assert_eq!(Moments::of(&[1.0]), None);
        assert_eq!(Moments::of(&[0.0; 50]), None);
        let up = Moments::of(&[0.01, 0.02, -0.005, 0.01]).expect("it varies");
        assert_eq!(up.min_track_record(9.0, 0.95), Some(f64::INFINITY));
        assert!(up.min_track_record(0.0, 0.95).is_some_and(|days| days > 1.0));
        assert_eq!(sharpe_of(&[0.01, 0.02, -0.005, 0.01]), Some(up.sharpe()));
        assert_eq!((sharpe_of(&[1.0]), sharpe_of(&[0.0; 50])), (None, None));
    }
}
