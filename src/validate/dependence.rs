//! How days depend on those before them: autocorrelation, long-run variance, length of bootstrap blocks.
//!
//! Source: Politis and Romano (1994), Politis and White (2004, corrected by Patton 2009), Newey and West (1987), Lo
//! (2002); the project's statistics notes, section 3.2.

use super::sharpe::DAYS_PER_YEAR;

/// Autocorrelations that an annual Sharpe ratio is corrected for.
const LO_LAGS: usize = 10;

/// Returns the autocovariances at lags 0..=lags, each divided by n.
pub fn autocovariances(series: &[f64], lags: usize) -> Vec<f64> {
    let n = series.len() as f64;
    let mean = series.iter().sum::<f64>() / n;
    let centred: Vec<f64> = series.iter().map(|value| value - mean).collect();
    let at = |lag: usize| centred.iter().zip(centred.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>() / n;
    (0..=lags).map(at).collect()
}

/// Returns the long-run variance of a series by Bartlett weights (Newey and West) over so many lags.
pub fn newey_west(series: &[f64], lags: usize) -> f64 {
    let covariances = autocovariances(series, lags);
    let weight = |lag: usize| 1.0 - lag as f64 / (lags + 1) as f64;
    covariances[0] + 2.0 * (1..=lags).map(|lag| weight(lag) * covariances[lag]).sum::<f64>()
}

/// Returns the long-run variance that the stationary bootstrap has in mind.
///
/// Cost: O(n squared)
pub fn bootstrap_variance(series: &[f64], mean_block: f64) -> f64 {
    let n = series.len();
    let covariances = autocovariances(series, n.saturating_sub(1));
    let stays = 1.0 - 1.0 / mean_block;
    let weight = |lag: usize| {
        let share = lag as f64 / n as f64;
        (1.0 - share) * stays.powi(lag as i32) + share * stays.powi((n - lag) as i32)
    };
    covariances[0] + 2.0 * (1..n).map(|lag| weight(lag) * covariances[lag]).sum::<f64>()
}

/// Returns how many independent days would say as much about the mean; `None` where the series does not vary.
pub fn effective_days(series: &[f64], mean_block: f64) -> Option<f64> {
    let variance = autocovariances(series, 0)[0];
    let long_run = bootstrap_variance(series, mean_block);
    (variance > 0.0 && long_run > 0.0).then(|| series.len() as f64 * variance / long_run)
}

/// Returns the mean block length that suits a series best; `None` where it does not vary.
///
/// Method: autocorrelations up to twice the first lag from which a run of them is insignificant, under a flat top
pub fn automatic_block(series: &[f64]) -> Option<f64> {
    if series.len() < 2 {
        return None;
    }
    let n = series.len() as f64;
    let run = (n.log10() as usize).max(5);
    let lags_max = (n.sqrt().ceil() as usize + run).min(series.len().saturating_sub(1));
    let covariances = autocovariances(series, lags_max);
    if covariances[0] <= 0.0 || lags_max < run {
        return None;
    }
    let limit = 2.0 * (n.log10() / n).sqrt();
    let is_significant = |lag: usize| (covariances[lag] / covariances[0]).abs() > limit;
    let first = (1..=lags_max + 1 - run).find(|from| !(*from..from + run).any(is_significant));
    let last_significant = || (1..=lags_max).rev().find(|lag| is_significant(*lag)).unwrap_or(1);
    let lags = (2 * first.unwrap_or_else(last_significant)).min(lags_max);
    let top = |lag: usize| (2.0 * (1.0 - lag as f64 / lags as f64)).min(1.0);
    let sum = |of: &dyn Fn(usize) -> f64| (1..=lags).map(|lag| 2.0 * top(lag) * of(lag)).sum::<f64>();
    let slope = sum(&|lag| lag as f64 * covariances[lag]);
    let long_run = covariances[0] + sum(&|lag| covariances[lag]);
    let longest = (3.0 * n.sqrt()).min(n / 3.0).ceil();
    Some((slope * slope / (long_run * long_run) * n).cbrt().min(longest))
}

/// Returns what a Sharpe ratio per day is to be multiplied with for that of a horizon, when days depend on each other;
/// the root of the horizon where they do not. `None` where the series does not vary or the formula breaks down.
///
/// Shape: horizon in days; autocorrelations up to ten days, fewer for shorter horizons
pub fn horizon_factor(series: &[f64], horizon: usize) -> Option<f64> {
    let lags = LO_LAGS.min(horizon - 1);
    let covariances = autocovariances(series, lags);
    let q = horizon as f64;
    let weighted = (1..=lags).map(|lag| (q - lag as f64) * covariances[lag] / covariances[0]).sum::<f64>();
    let spread = q + 2.0 * weighted;
    (covariances[0] > 0.0 && spread > 0.0).then(|| q / spread.sqrt())
}

/// Returns the Sharpe ratio of a year in view of how days depend on each other; see [`horizon_factor`].
pub fn sharpe_year(series: &[f64], sharpe: f64) -> Option<f64> {
    Some(sharpe * horizon_factor(series, DAYS_PER_YEAR as usize)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_days_need_no_correction() {
        // Plus and minus by a fixed sequence that repeats nothing for long.
        let mut random = crate::validate::resample::Random::new(7);
        let series: Vec<f64> = (0..2000).map(|_| random.unit() - 0.5).collect();
        let effective = effective_days(&series, 5.0).expect("it varies");
        assert!((effective / 2000.0 - 1.0).abs() < 0.2, "{effective}");
        assert!((horizon_factor(&series, 7).expect("it varies") / 7_f64.sqrt() - 1.0).abs() < 0.05);
        assert!(automatic_block(&series).is_some_and(|block| block < 5.0));
    }

    #[test]
    fn days_that_follow_each_other_say_less() {
        let mut random = crate::validate::resample::Random::new(7);
        let mut last = 0.0;
        let mut next = || {
            last = 0.6 * last + random.unit() - 0.5;
            last
        };
        let series: Vec<f64> = (0..1000).map(|_| next()).collect();
        let effective = effective_days(&series, 10.0).expect("it varies");
        assert!(effective < 500.0, "{effective}");
        assert!(horizon_factor(&series, 7).is_some_and(|factor| factor < 7_f64.sqrt()));
        assert!(automatic_block(&series).is_some_and(|block| block > 5.0));
    }

    #[test]
    fn what_does_not_vary_has_no_figures() {
        let still = [0.5; 60];
        assert_eq!((effective_days(&still, 5.0), automatic_block(&still)), (None, None));
        assert_eq!(sharpe_year(&still, 1.0), None);
    }
}
