//! What kind of market a day falls into, as it was known when the day began, and results by kind.
//!
//! Source: the project's statistics notes, section 3.10. Deviation: where less than 180 days of volatility are known, the
//! median is that of those known, from 60 on.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::normal::cdf;
use crate::model::Day;

/// Days over which trend and volatility are measured.
const SPAN_DAYS: usize = 30;
/// Days of volatility that a day's is compared with, at most and at least.
const MEDIAN_DAYS: usize = 180;
const MEDIAN_DAYS_MIN: usize = 60;
/// Fewest days of a kind of which anything is said.
pub const REGIME_DAYS_MIN: u64 = 20;

/// A kind of market: whether it rose over 30 days, and whether it moved more than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MarketRegime {
    RisingCalm,
    RisingWild,
    FallingCalm,
    FallingWild,
}

impl MarketRegime {
    /// Every kind, in order.
    pub const ALL: [Self; 4] = [Self::RisingCalm, Self::RisingWild, Self::FallingCalm, Self::FallingWild];

    /// Returns the name used in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RisingCalm => "uptrend_low_volatility",
            Self::RisingWild => "uptrend_high_volatility",
            Self::FallingCalm => "downtrend_low_volatility",
            Self::FallingWild => "downtrend_high_volatility",
        }
    }

    /// Returns the kind of a name of documents.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|regime| regime.as_str() == name)
    }

    /// Returns the kind in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::RisingCalm => "uptrend, low volatility",
            Self::RisingWild => "uptrend, high volatility",
            Self::FallingCalm => "downtrend, low volatility",
            Self::FallingWild => "downtrend, high volatility",
        }
    }
}

/// Returns the kind of market of each of some days; `None` where too little is known.
///
/// Shape:     last closes of ascending days with candles; one entry per day out
/// Causality: a day reads closes of days before it only
/// Cost:      O(days known + days asked for)
pub fn market_regimes(closes: &[(Day, f64)], days: Range<Day>) -> Vec<Option<MarketRegime>> {
    let first = closes.first().map_or(days.start, |(day, _)| *day);
    let end = closes.last().map_or(first.0, |(day, _)| day.0 + 1);
    let mut known: Vec<Option<f64>> = vec![None; usize::try_from(end - first.0).unwrap_or(0)];
    for (day, close) in closes {
        known[(day.0 - first.0) as usize] = Some(*close).filter(|close| *close > 0.0);
    }
    let moves: Vec<Option<f64>> =
        (0..known.len()).map(|i| Some((known[i]? / known[i.checked_sub(1)?]?).ln())).collect();
    let volatility: Vec<Option<f64>> = (0..known.len()).map(|i| realised_variance(&moves, i)).collect();
    let regime = |day: i32| {
        let before = usize::try_from(day - 1 - first.0).ok()?;
        let (now, then) = (known.get(before)?.as_ref()?, known[before.checked_sub(SPAN_DAYS)?]?);
        let usual = median_of_known(&volatility[(before + 1).saturating_sub(MEDIAN_DAYS)..=before])?;
        Some(match (*now > then, volatility[before]? > usual) {
            (true, false) => MarketRegime::RisingCalm,
            (true, true) => MarketRegime::RisingWild,
            (false, false) => MarketRegime::FallingCalm,
            (false, true) => MarketRegime::FallingWild,
        })
    };
    (days.start.0..days.end.0).map(regime).collect()
}

/// Returns the mean square of the moves of the days up to one; `None` where one is not known.
fn realised_variance(moves: &[Option<f64>], day: usize) -> Option<f64> {
    let from = (day + 1).checked_sub(SPAN_DAYS)?;
    let squares: Option<f64> = moves[from..=day].iter().map(|r| r.map(|r| r * r)).sum();
    squares.map(|sum| sum / SPAN_DAYS as f64)
}

/// Returns the median of the values that are known.
fn median_of_known(values: &[Option<f64>]) -> Option<f64> {
    let mut known: Vec<f64> = values.iter().flatten().copied().collect();
    if known.len() < MEDIAN_DAYS_MIN {
        return None;
    }
    known.sort_by(f64::total_cmp);
    let middle = known.len() / 2;
    Some(if known.len() % 2 == 1 { known[middle] } else { (known[middle - 1] + known[middle]) / 2.0 })
}

/// The days of one kind together: exact sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct RegimeSums {
    pub days: u64,
    pub net_ppm: i64,
    pub square_ppm2: i128,
}

impl RegimeSums {
    /// Returns the mean of a day and its standard error, in ppm; `None` with too few days, or where they do not vary.
    pub fn mean_and_error(&self) -> Option<(f64, f64)> {
        let n = i128::from(self.days);
        let spread = n * self.square_ppm2 - i128::from(self.net_ppm).pow(2);
        if self.days < REGIME_DAYS_MIN || spread <= 0 {
            return None;
        }
        let days = self.days as f64;
        let error = (spread as f64 / (days * days * (days - 1.0))).sqrt();
        Some((self.net_ppm as f64 / days, error))
    }
}

/// Returns the sums of daily results by kind of market, in the order of [`MarketRegime::ALL`].
pub fn sums_by_regime(daily_ppm: &[i64], regimes: &[Option<MarketRegime>]) -> [RegimeSums; 4] {
    let mut all = [RegimeSums::default(); 4];
    for (net_ppm, regime) in daily_ppm.iter().zip(regimes) {
        let Some(regime) = regime else { continue };
        let sums = &mut all[*regime as usize];
        sums.days += 1;
        sums.net_ppm += net_ppm;
        sums.square_ppm2 += i128::from(*net_ppm).pow(2);
    }
    all
}

/// Returns the probability that means differ as much by chance (Cochran's Q); `None` with fewer than two.
///
/// Shape: (mean, standard error) of at most four groups; errors positive
pub fn chance_of_difference(groups: &[(f64, f64)]) -> Option<f64> {
    if groups.len() < 2 {
        return None;
    }
    let weight = |error: f64| 1.0 / (error * error);
    let weights: f64 = groups.iter().map(|(_, error)| weight(*error)).sum();
    let pooled = groups.iter().map(|(mean, error)| mean * weight(*error)).sum::<f64>() / weights;
    let q = groups.iter().map(|(mean, error)| weight(*error) * (mean - pooled).powi(2)).sum();
    chi_square_above(q, groups.len() - 1)
}

/// Returns the probability that a chi-square variable of one, two or three degrees of freedom exceeds q.
fn chi_square_above(q: f64, freedom: usize) -> Option<f64> {
    let tail = 2.0 * cdf(-q.sqrt());
    match freedom {
        1 => Some(tail),
        2 => Some((-q / 2.0).exp()),
        3 => Some(tail + (2.0 * q / std::f64::consts::PI).sqrt() * (-q / 2.0).exp()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closes of days 0, 1, ...: a rise or a fall of so many percent, up and down in turn by the size of the moves.
    fn closes(moves: &[f64]) -> Vec<(Day, f64)> {
        let mut price = 100.0;
        let close = |(day, percent): (usize, &f64)| {
            price *= 1.0 + percent / 100.0;
            (Day(day as i32), price)
        };
        moves.iter().enumerate().map(close).collect()
    }

    /// 60 quiet days that rise, 60 wild ones that fall, 60 quiet ones that fall.
    fn sample() -> Vec<(Day, f64)> {
        let of = |drift: f64, size: f64| (0..60).map(move |i| drift + if i % 2 == 0 { size } else { -size });
        closes(&of(0.2, 0.5).chain(of(-0.5, 3.0)).chain(of(-0.2, 0.5)).collect::<Vec<_>>())
    }

    #[test]
    fn kinds_follow_trend_and_volatility_with_a_day_of_delay() {
        let found = market_regimes(&sample(), Day(0)..Day(181));
        // 30 moves make a volatility, 60 of those a median: the first is known on day 89, for day 90.
        assert!(found[..90].iter().all(Option::is_none) && found[90..].iter().all(Option::is_some));
        assert_eq!(found[95], Some(MarketRegime::FallingWild));
        assert_eq!(found[178], Some(MarketRegime::FallingCalm));
        // The day after the last close is known, the one after is not.
        assert_eq!(found.len(), 181);
        assert_eq!(market_regimes(&sample(), Day(181)..Day(182)), [None]);
        let risen: Vec<f64> = (0..120).map(|i| if i % 2 == 0 { 0.6 } else { -0.2 }).collect();
        let rising = market_regimes(&closes(&risen), Day(100)..Day(101));
        assert_eq!(rising, [Some(MarketRegime::RisingCalm)]);
    }

    #[test]
    fn a_day_reads_what_is_before_it() {
        let all = sample();
        let whole = market_regimes(&all, Day(0)..Day(180));
        for day in [90, 121, 150, 179] {
            let mut known = all[..day].to_vec();
            assert_eq!(market_regimes(&known, Day(day as i32)..Day(day as i32 + 1)), whole[day..=day]);
            // The close of the day itself changes the next one at most.
            known.push((Day(day as i32), 1.0));
            assert_eq!(market_regimes(&known, Day(day as i32)..Day(day as i32 + 1)), whole[day..=day]);
        }
    }

    #[test]
    fn a_missing_day_leaves_what_needs_it_unknown() {
        let holed: Vec<_> = sample().into_iter().filter(|(day, _)| day.0 != 130).collect();
        let found = market_regimes(&holed, Day(125)..Day(170));
        let unknown: Vec<usize> = (0..found.len()).filter(|i| found[*i].is_none()).map(|i| 125 + i).collect();
        assert_eq!(unknown, (131..162).collect::<Vec<_>>());
        assert_eq!(market_regimes(&[], Day(3)..Day(5)), [None, None]);
    }

    #[test]
    fn sums_are_exact_and_means_need_days() {
        let regimes = [Some(MarketRegime::RisingCalm), None, Some(MarketRegime::FallingWild)].repeat(20);
        let daily: Vec<i64> = (0..60).map(|i| if i % 2 == 0 { 30 } else { -10 }).collect();
        let [calm, rising_wild, falling_calm, wild] = sums_by_regime(&daily, &regimes);
        assert_eq!(calm, RegimeSums { days: 20, net_ppm: 200, square_ppm2: 10 * 900 + 10 * 100 });
        assert_eq!((rising_wild, falling_calm), (RegimeSums::default(), RegimeSums::default()));
        assert_eq!(wild, calm);
        let (mean, error) = calm.mean_and_error().expect("20 days");
        // Deviations of 20 around a mean of 10: variance 400 x 20 / 19, over 20 days.
        assert!((mean - 10.0).abs() < 1e-12 && (error - (400.0_f64 / 19.0).sqrt()).abs() < 1e-12);
        assert_eq!(RegimeSums { days: 19, ..calm }.mean_and_error(), None);
        assert_eq!(RegimeSums { days: 20, net_ppm: 0, square_ppm2: 0 }.mean_and_error(), None);
    }

    /// A few of the values of the fixture f01.
    #[test]
    fn chance_of_difference_is_that_of_a_chi_square() {
        let near = |found: Option<f64>, wanted: f64| (found.expect("defined") / wanted - 1.0).abs() < 1e-10;
        assert!(near(chi_square_above(5.0, 1), 0.025_347_318_677_468_263));
        assert!(near(chi_square_above(60.0, 1), 9.485_737_571_073_848e-15));
        assert!(near(chi_square_above(2.7, 2), 0.259_240_260_645_891_5));
        // Means 2 apart with errors of 1: Q = 2.
        assert!(near(chance_of_difference(&[(1.0, 1.0), (3.0, 1.0)]), 0.157_299_207_050_285_13));
        assert_eq!(chance_of_difference(&[(1.0, 1.0)]), None);
        assert_eq!(chance_of_difference(&[(5.0, 2.0), (5.0, 1.0), (5.0, 3.0), (5.0, 1.0)]), Some(1.0));
    }
}
