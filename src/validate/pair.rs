//! Is the Sharpe ratio of one series of days higher than that of another on the same days?
//!
//! Source: Ledoit and Wolf (2008), the HAC version; the project's statistics notes, section 3.9.

use serde::{Deserialize, Serialize};

use super::dependence::newey_west;
use super::normal::cdf;

/// The difference of two Sharpe ratios; per day.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SharpeDifference {
    /// Own less other.
    pub difference: f64,
    pub standard_error: f64,
    pub t: f64,
    /// Probability of a difference at least as large, either way, where there is none.
    pub p: f64,
}

/// Returns the difference of the Sharpe ratios (standard deviation with n) with its standard error by the delta method;
/// `None` for fewer than three days, where a series does not vary, or the two do not differ.
///
/// Shape: both series day by day over the same days; lags are the days that depend on each other
pub fn sharpe_difference(own: &[f64], other: &[f64], lags: usize) -> Option<SharpeDifference> {
    assert!(own.len() == other.len(), "both series cover the same days");
    let n = own.len() as f64;
    let mean = |of: &dyn Fn(f64) -> f64, series: &[f64]| series.iter().map(|r| of(*r)).sum::<f64>() / n;
    let moments = |series: &[f64]| {
        let (first, second) = (mean(&|r| r, series), mean(&|r| r * r, series));
        let variance = second - first * first;
        (variance > 1e-12 * second).then(|| (first, second, variance.sqrt()))
    };
    if own.len() < 3 || own == other {
        return None;
    }
    let ((mx, gx, sx), (my, gy, sy)) = (moments(own)?, moments(other)?);
    // How much each day moves the difference: its influence, whose long-run variance is that of the difference.
    let influence = |m: f64, g: f64, s: f64, r: f64| (g * (r - m) - 0.5 * m * (r * r - g)) / (s * s * s);
    let moved: Vec<f64> =
        own.iter().zip(other).map(|(x, y)| influence(mx, gx, sx, *x) - influence(my, gy, sy, *y)).collect();
    let variance = newey_west(&moved, lags.min(own.len() - 1));
    let difference = mx / sx - my / sy;
    let standard_error = (variance / n).sqrt();
    let t = difference / standard_error;
    (variance > 0.0).then(|| SharpeDifference { difference, standard_error, t, p: 2.0 * cdf(-t.abs()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::resample::Random;

    #[test]
    fn what_cannot_be_compared_is_not() {
        let series = [0.01, -0.02, 0.005, 0.01];
        assert_eq!(sharpe_difference(&series, &series, 5), None);
        assert_eq!(sharpe_difference(&series, &[0.0; 4], 5), None);
        assert_eq!(sharpe_difference(&[0.01, 0.02], &[0.0, 0.01], 0), None);
    }

    #[test]
    fn a_difference_counts_either_way() {
        let mut random = Random::new(3);
        let noise: Vec<f64> = (0..365).map(|_| random.unit() - 0.5).collect();
        let better: Vec<f64> = noise.iter().map(|r| r * 0.9 + 0.1 + 0.2 * (random.unit() - 0.5)).collect();
        let there = sharpe_difference(&better, &noise, 5).expect("they differ");
        let back = sharpe_difference(&noise, &better, 5).expect("they differ");
        assert!(there.difference > 0.0 && there.p < 0.01, "{there:?}");
        assert!((there.t + back.t).abs() < 1e-12 && (there.p - back.p).abs() < 1e-12);
    }
}
