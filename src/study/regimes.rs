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

/// Names of the figures, in the order of [`MarketRegime::ALL`]: days, net, mean, the ends of its interval.
const NAMES: [[&str; 5]; MarketRegime::ALL.len()] = [
    [
        "rising_calm_days",
        "rising_calm_net_pct",
        "rising_calm_mean_pct",
        "rising_calm_low_pct",
        "rising_calm_high_pct",
    ],
    [
        "rising_wild_days",
        "rising_wild_net_pct",
        "rising_wild_mean_pct",
        "rising_wild_low_pct",
        "rising_wild_high_pct",
    ],
    [
        "falling_calm_days",
        "falling_calm_net_pct",
        "falling_calm_mean_pct",
        "falling_calm_low_pct",
        "falling_calm_high_pct",
    ],
    [
        "falling_wild_days",
        "falling_wild_net_pct",
        "falling_wild_mean_pct",
        "falling_wild_low_pct",
        "falling_wild_high_pct",
    ],
];

impl Regimes {
    /// Returns every figure that is defined, by name.
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        let named = |(names, results): ([&'static str; 5], &RegimeResults)| {
            let values = [
                Some(results.days as f64),
                Some(results.net_pct),
                results.mean_pct,
                results.interval_pct.map(|(low, _)| low),
                results.interval_pct.map(|(_, high)| high),
            ];
            names.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)))
        };
        let alike = self.p_alike.map(|p| ("p_regimes_alike", p));
        NAMES.into_iter().zip(&self.results).flat_map(named).chain(alike).collect()
    }

    /// Reads [`Regimes::figures`]; `None` where there are none.
    pub fn of_figures(figure: impl Fn(&str) -> Option<f64>) -> Option<Self> {
        let read = |names: [&str; 5]| {
            let [days, net_pct, mean_pct, low, high] = names.map(&figure);
            Some(RegimeResults {
                days: days? as u64,
                net_pct: net_pct?,
                mean_pct,
                interval_pct: low.zip(high),
            })
        };
        let [a, b, c, d] = NAMES.map(read);
        Some(Self { results: [a?, b?, c?, d?], p_alike: figure("p_regimes_alike") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_they_were_named() {
        let of = |n: u64| RegimeResults {
            days: n,
            net_pct: n as f64 / 3.0,
            mean_pct: (n > 1).then_some(n as f64 / 7.0),
            interval_pct: (n > 1).then_some((-(n as f64), n as f64)),
        };
        let regimes = Regimes { results: [1, 2, 3, 4].map(of), p_alike: Some(0.3) };
        let figures = regimes.figures();
        let names: std::collections::BTreeSet<_> = figures.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), figures.len(), "every name is used once");
        let figure = |name: &str| figures.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        assert_eq!(Regimes::of_figures(figure), Some(regimes));
        assert_eq!(Regimes::of_figures(|_| None), None);
        for (regime, names) in MarketRegime::ALL.into_iter().zip(NAMES) {
            assert!(names.iter().all(|name| name.starts_with(regime.as_str())), "{names:?}");
        }
    }

    #[test]
    fn a_market_that_is_not_known_has_no_results() {
        assert_eq!(results_by_regime(&[1, 2, 3], Day(0), &[]), None);
    }
}
