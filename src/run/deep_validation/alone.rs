//! What the days of the candidate, and of the active set, say on their own.

use super::MethodFinding;
use crate::study::evidence::percent;
use crate::study::series::Series;
use crate::validate::bootstrap::{self, BlockDraws, confidence_interval};
use crate::validate::dependence::{autocovariances, automatic_block, effective_days, sharpe_year};
use crate::validate::equity::Equity;
use crate::validate::multiple::{any_of, haircut_sharpe, two_sided};
use crate::validate::pair::sharpe_difference;
use crate::validate::sharpe::{DAYS_PER_YEAR, Moments, min_backtest_years};

/// Mean block of days that are resampled together, and days whose dependence a comparison reckons with.
const BLOCK_DAYS: f64 = 5.0;
/// The best days that are left out together.
const BEST_DAYS: usize = 3;
const PPM: f64 = 1e6;

/// Returns what can be said from the series alone; `trials` are the sets tried, all grids together.
pub(super) fn series_findings(series: &Series, trials: u64) -> Vec<MethodFinding> {
    let mut all = vec![account_finding(series), dependence_finding(series), interval_finding(series)];
    all.extend(difference_finding(series));
    all.extend(haircut_finding(series, trials));
    all.push(left_out(series));
    all
}

/// Names the series that there are, as fractions.
fn each_series(series: &Series) -> Vec<(String, Vec<f64>)> {
    let fractions = |ppm: &[i64]| ppm.iter().map(|ppm| *ppm as f64 / PPM).collect::<Vec<_>>();
    let mut all = vec![("candidate".to_owned(), fractions(&series.candidate_ppm))];
    if !series.incumbent_ppm.is_empty() {
        all.push(("active".to_owned(), fractions(&series.incumbent_ppm)));
    }
    all
}

fn account_finding(series: &Series) -> MethodFinding {
    let year = DAYS_PER_YEAR.sqrt();
    let row = |(name, returns): (String, Vec<f64>)| {
        let found = Equity::of(&returns);
        let of = |pick: &dyn Fn(&Equity) -> Option<f64>| found.as_ref().and_then(pick);
        let values = vec![
            of(&|e| Some(100.0 * e.stretch.total)),
            of(&|e| Some(100.0 * e.stretch.fall)),
            of(&|e| Some(year * e.sharpe?)),
            of(&|e| Some(year * e.sortino?)),
            of(&|e| e.profit_factor),
            of(&|e| e.payoff()),
            of(&|e| Some(100.0 * e.bad_day)),
            of(&|e| Some(100.0 * e.ulcer)),
            of(&|e| Some(e.underwater_days as f64)),
        ];
        (name, values)
    };
    let columns = [
        "total_pct",
        "fall_pct",
        "sharpe",
        "sortino",
        "day_pf",
        "day_payoff",
        "bad_day_pct",
        "ulcer_pct",
        "below_peak_days",
    ];
    let found = Equity::of(&each_series(series)[0].1);
    let sentence = match &found {
        Some(found) => format!(
            "its deepest fall is {:.1} %; on the worst twentieth of the days it loses {:.2} % on average, and it was below \
             a peak for up to {} of {} days",
            100.0 * found.stretch.fall,
            (-100.0 * found.bad_day).max(0.0),
            found.underwater_days,
            found.days
        ),
        None => "there are no days".to_owned(),
    };
    MethodFinding::new("account", &columns, each_series(series).into_iter().map(row).collect(), sentence)
}

fn dependence_finding(series: &Series) -> MethodFinding {
    let figures = |returns: &[f64]| {
        let covariances = autocovariances(returns, 1.min(returns.len().saturating_sub(1)));
        let moments = Moments::of(returns);
        let lag = covariances.get(1).filter(|_| moments.is_some()).map(|lag| lag / covariances[0]);
        let sharpe = moments.map(|moments| moments.sharpe());
        [
            lag,
            automatic_block(returns),
            effective_days(returns, BLOCK_DAYS),
            sharpe.map(|sharpe| sharpe * DAYS_PER_YEAR.sqrt()),
            sharpe.and_then(|sharpe| sharpe_year(returns, sharpe)),
        ]
    };
    let own = figures(&each_series(series)[0].1);
    let sentence = match (own[2], own[4]) {
        (Some(days), Some(sharpe)) => format!(
            "its {} days say as much about the mean as {days:.0} independent ones; with that, a yearly Sharpe of {sharpe:.1}",
            series.candidate_ppm.len()
        ),
        _ => "its days do not vary enough to tell".to_owned(),
    };
    let rows =
        each_series(series).into_iter().map(|(name, returns)| (name, figures(&returns).to_vec())).collect();
    let columns = ["autocorrelation", "block_days", "effective_days", "sharpe", "sharpe_corrected"];
    MethodFinding::new("dependence", &columns, rows, sentence)
}

fn interval_finding(series: &Series) -> MethodFinding {
    let year = DAYS_PER_YEAR.sqrt();
    let mut rows = Vec::new();
    for (name, returns) in each_series(series) {
        let draws = BlockDraws::new(returns.len(), BLOCK_DAYS);
        let mean = confidence_interval(&returns, &draws, bootstrap::mean)
            .filter(|_| Moments::of(&returns).is_some());
        let sharpe = confidence_interval(&returns, &draws, bootstrap::sharpe);
        for (what, found, scale) in [("mean day, %", mean, 100.0), ("yearly Sharpe", sharpe, year)] {
            let values = vec![
                found.map(|found| scale * found.low),
                found.map(|found| scale * found.high),
                found.map(|found| found.not_positive),
            ];
            rows.push((format!("{name}: {what}"), values));
        }
    }
    let sentence = match (rows[1].1[0], rows[1].1[1]) {
        (Some(low), Some(high)) => format!(
            "yearly Sharpe {low:.1} to {high:.1} in nine of ten resampled histories, not corrected for having chosen it"
        ),
        _ => "too few days differ to resample them".to_owned(),
    };
    MethodFinding::new("intervals", &["low", "high", "not_positive"], rows, sentence)
}

fn difference_finding(series: &Series) -> Option<MethodFinding> {
    if series.incumbent_ppm.is_empty() {
        return None;
    }
    let (own, theirs) = (percent(&series.candidate_ppm), percent(&series.incumbent_ppm));
    let columns = ["difference", "standard_error", "t", "p"];
    let Some(found) = sharpe_difference(&own, &theirs, BLOCK_DAYS as usize) else {
        let sentence =
            "the candidate and the active set cannot be told apart: they are the same, or do not trade";
        return Some(MethodFinding::new("sharpe_difference", &columns, Vec::new(), sentence.to_owned()));
    };
    let year = DAYS_PER_YEAR.sqrt();
    let values = [found.difference * year, found.standard_error * year, found.t, found.p];
    let sentence = format!(
        "yearly Sharpe {:+.1} against the active set, p = {:.2}, before counting how many sets were tried",
        found.difference * year,
        found.p
    );
    let row = ("candidate - active".to_owned(), values.map(Some).to_vec());
    Some(MethodFinding::new("sharpe_difference", &columns, vec![row], sentence))
}

/// What is left of the Sharpe ratio if all tries had been independent, and how long a history that many tries need.
fn haircut_finding(series: &Series, trials: u64) -> Option<MethodFinding> {
    let moments = Moments::of(&each_series(series)[0].1).filter(|moments| moments.sharpe() > 0.0)?;
    let (days, year, sharpe) = (moments.days, DAYS_PER_YEAR.sqrt(), moments.sharpe());
    let p = two_sided(sharpe * (days as f64).sqrt());
    let row = |(name, tries): (&str, f64)| {
        let adjusted = any_of(p, tries);
        let left = haircut_sharpe(sharpe, days, adjusted) * year;
        let years = min_backtest_years(tries, sharpe * year);
        (name.to_owned(), vec![Some(tries), Some(adjusted), Some(left), Some(years)])
    };
    let tried = trials.max(1) as f64;
    let rows: Vec<_> = [("tried once", 1.0), ("all tries", tried)].into_iter().map(row).collect();
    let left = rows[1].1[2].unwrap_or(0.0);
    let sentence = format!(
        "{trials} independent tries would leave {left:.1} of a yearly Sharpe of {:.1}, and need {:.1} years of history; sets \
         that resemble each other count for less, which the tests against luck reckon with",
        sharpe * year,
        rows[1].1[3].unwrap_or(0.0)
    );
    Some(MethodFinding::new("haircut", &["tries", "p", "sharpe", "years_needed"], rows, sentence))
}

/// The result without each symbol, and without the best days.
fn left_out(series: &Series) -> MethodFinding {
    let total: i64 = series.candidate_ppm.iter().sum();
    let percent = |ppm: i64| ppm as f64 / 10_000.0;
    let mut best_days = series.candidate_ppm.clone();
    best_days.sort_unstable_by(|a, b| b.cmp(a));
    let best: i64 = best_days.iter().take(BEST_DAYS).sum();
    let row = |name: String, without: i64| {
        let kept = (total > 0).then(|| without as f64 / total as f64);
        (name, vec![Some(percent(without)), kept])
    };
    let mut symbols: Vec<(String, i64)> =
        series.symbols.iter().map(|symbol| (symbol.symbol.clone(), total - symbol.net_ppm)).collect();
    symbols.sort_by_key(|(_, without)| *without);
    let worst = symbols.first().cloned();
    let mut rows = vec![row("everything".to_owned(), total)];
    rows.extend(symbols.into_iter().map(|(name, without)| row(format!("without {name}"), without)));
    rows.push(row(format!("without its {BEST_DAYS} best days"), total - best));
    let said = |without: i64| match without {
        without if without <= 0 => "nothing is left".to_owned(),
        without => format!("{:.0} % is left", 100.0 * without as f64 / total as f64),
    };
    let of_symbol = worst.map(|(name, without)| format!("without {name} {}; ", said(without)));
    let sentence = match total > 0 {
        true => format!(
            "of its {:.1} %, {}without its {BEST_DAYS} best days {}",
            percent(total),
            of_symbol.unwrap_or_default(),
            said(total - best)
        ),
        false => format!("its total is {:.1} %: there is nothing to lose", percent(total)),
    };
    MethodFinding::new("left_out", &["total_pct", "share_left"], rows, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::series::SymbolTrades;

    fn series() -> Series {
        let day = |day: i64| if day % 5 == 0 { 9_000 } else { -1_000 };
        let symbol =
            |name: &str, net_ppm| SymbolTrades { symbol: name.to_owned(), trades: 40, wins: 20, net_ppm };
        let candidate_ppm: Vec<i64> = (0..200).map(day).collect();
        let total: i64 = candidate_ppm.iter().sum();
        Series {
            incumbent_ppm: (0..200).map(|i| if i % 3 == 0 { 2_000 } else { -900 }).collect(),
            symbols: vec![symbol("A", total + 5_000), symbol("B", -5_000)],
            candidate_ppm,
        }
    }

    #[test]
    fn every_method_speaks() {
        let found = series_findings(&series(), 1000);
        let methods: Vec<&str> = found.iter().map(|finding| finding.method.as_str()).collect();
        assert_eq!(
            methods,
            ["account", "dependence", "intervals", "sharpe_difference", "haircut", "left_out"]
        );
        let left = found.last().expect("six findings");
        assert!(left.sentence.contains("without A nothing is left"), "{}", left.sentence);
        assert_eq!(left.rows.len(), 4);
        // 40 days of +0.9 %, 160 of -0.1 %: 20 %; three best days are 2.7 %.
        assert_eq!(left.rows[0].values[0], Some(20.0));
        assert!((left.rows[3].values[0].expect("a number") - 17.3).abs() < 1e-9);
    }

    #[test]
    fn what_does_not_trade_is_no_error() {
        let still = Series { candidate_ppm: vec![0; 90], ..Series::default() };
        let found = series_findings(&still, 0);
        assert_eq!(found.len(), 4, "nothing to compare and nothing to cut");
        assert!(found.iter().all(|finding| !finding.sentence.contains("NaN")), "{found:?}");
        let lost = Series { candidate_ppm: vec![-5; 90], ..Series::default() };
        assert!(
            series_findings(&lost, 5).last().is_some_and(|left| left.sentence.contains("nothing to lose"))
        );
    }
}
