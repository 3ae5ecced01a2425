//! The results of a candidate by kind of market.

use serde::{Deserialize, Serialize};

use crate::model::Day;
use crate::validate::regimes::{
    MarketRegime, RegimeSums, chance_of_difference, market_regimes, sums_by_regime,
};

const PPM_PER_PERCENT: f64 = 10_000.0;
/// Standard errors to either side of a mean that hold it in nine cases of ten.
const NINETY_PERCENT: f64 = 1.644_853_626_951_472_7;

/// The days of one kind of market.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RegimeResults {
    /// Days, those without trades included.
    pub days: u64,
    /// Net result of all of them.
    pub net_pct: f64,
    /// Mean of a day; `None` with fewer than 20 days.
    pub mean_pct: Option<f64>,
    /// 90 % interval of the mean.
    pub interval_pct: Option<(f64, f64)>,
}

/// A candidate's results by kind of market, as it was known when each day began.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Regimes {
    /// In the order of [`MarketRegime::ALL`].
    pub results: [RegimeResults; MarketRegime::ALL.len()],
    /// Probability that the means differ as much by chance; `None` with fewer than two means.
    pub p_alike: Option<f64>,
}

impl From<&RegimeSums> for RegimeResults {
    fn from(sums: &RegimeSums) -> Self {
        let percent = |ppm: f64| ppm / PPM_PER_PERCENT;
        let moments = sums.mean_and_error();
        let interval = |(mean, error): (f64, f64)| {
            (percent(mean - NINETY_PERCENT * error), percent(mean + NINETY_PERCENT * error))
        };
        Self {
            days: sums.days,
            net_pct: percent(sums.net_ppm as f64),
            mean_pct: moments.map(|(mean, _)| percent(mean)),
            interval_pct: moments.map(interval),
        }
    }
}

/// Returns the results of days from `first` on by kind of market; `None` where the market is never known.
///
/// Causality: the kind of a day reads closes of earlier days only
pub(crate) fn results_by_regime(daily_ppm: &[i64], first: Day, closes: &[(Day, f64)]) -> Option<Regimes> {
    let days = first..Day(first.0 + i32::try_from(daily_ppm.len()).ok()?);
    let sums = sums_by_regime(daily_ppm, &market_regimes(closes, days));
    let means: Vec<(f64, f64)> = sums.iter().filter_map(RegimeSums::mean_and_error).collect();
    let known = sums.iter().any(|sums| sums.days > 0);
    known.then(|| Regimes {
        results: sums.each_ref().map(RegimeResults::from),
        p_alike: chance_of_difference(&means),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_that_is_not_known_has_no_results() {
        assert_eq!(results_by_regime(&[1, 2, 3], Day(0), &[]), None);
    }
}
