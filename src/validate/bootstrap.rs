//! Intervals of a statistic of daily returns, by resampling days in blocks.

use super::resample::stationary_runs;
use super::sharpe::sharpe_of;

const REPLICATES: u64 = 999;
const SEED: u64 = 2025;

/// A 90 % interval; of one series alone, not corrected for having chosen it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceInterval {
    /// 5 % quantile of the replicates.
    pub low: f64,
    /// 95 % quantile.
    pub high: f64,
    /// Share of the replicates that are not positive.
    pub not_positive: f64,
}

/// The days of every replicate: the same for all series of as many days.
#[derive(Debug)]
pub struct BlockDraws {
    days: usize,
    mean_block: f64,
    /// For each replicate runs [from, to) of days, one after the other.
    replicates: Vec<Vec<(u32, u32)>>,
}

impl BlockDraws {
    /// Draws blocks of a mean length; days.
    pub fn new(days: usize, mean_block: f64) -> Self {
        let replicate = |b: u64| stationary_runs(days, mean_block, SEED + b);
        let count = if days > 0 { REPLICATES } else { 0 };
        Self { days, mean_block, replicates: (0..count).map(replicate).collect() }
    }

    /// Returns the mean length of a block; days.
    pub fn mean_block(&self) -> f64 {
        self.mean_block
    }
}

/// Returns the interval of a statistic; `None` where it is not defined for a replicate.
///
/// Shape: as many returns as days were drawn
pub fn confidence_interval(
    returns: &[f64],
    draws: &BlockDraws,
    statistic: impl Fn(&[f64]) -> Option<f64>,
) -> Option<ConfidenceInterval> {
    assert!(returns.len() == draws.days, "draws of these days");
    let mut days = Vec::with_capacity(returns.len());
    let mut replicate = |runs: &Vec<(u32, u32)>| {
        days.clear();
        for (from, to) in runs {
            days.extend_from_slice(&returns[*from as usize..*to as usize]);
        }
        statistic(&days)
    };
    if returns.is_empty() {
        return None;
    }
    let mut found: Vec<f64> = draws.replicates.iter().map(&mut replicate).collect::<Option<_>>()?;
    found.sort_by(f64::total_cmp);
    let not_positive = found.iter().filter(|value| **value <= 0.0).count() as f64 / found.len() as f64;
    Some(ConfidenceInterval { low: quantile(&found, 0.05), high: quantile(&found, 0.95), not_positive })
}

/// Returns a quantile of sorted values, between two of them in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, part) = (sorted[at as usize], at.fract());
    below + part * (sorted[at.ceil() as usize] - below)
}

/// The mean, as a statistic.
pub fn mean(returns: &[f64]) -> Option<f64> {
    Some(returns.iter().sum::<f64>() / returns.len() as f64)
}

/// The Sharpe ratio per day, as a statistic.
pub fn sharpe(returns: &[f64]) -> Option<f64> {
    sharpe_of(returns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.25), 1.5);
        assert_eq!((quantile(&[1.0, 2.0, 4.0], 1.0), quantile(&[3.0], 0.5)), (4.0, 3.0));
    }

    #[test]
    fn an_interval_holds_what_it_was_drawn_from() {
        let returns: Vec<f64> = (0..200).map(|day| f64::from(day % 7) - 2.0).collect();
        let interval = |returns: &[f64], statistic: fn(&[f64]) -> Option<f64>| {
            confidence_interval(returns, &BlockDraws::new(returns.len(), 5.0), statistic)
        };
        let found = interval(&returns, mean).expect("defined");
        assert!(found.low < 0.98 && found.high > 0.98 && found.not_positive < 0.01, "{found:?}");
        assert_eq!(interval(&[0.0; 50], sharpe), None);
        assert_eq!(interval(&[], mean), None);
    }
}
