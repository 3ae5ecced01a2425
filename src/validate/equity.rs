//! A series of days as an account sees it: falls from the peak, downside, what a bad day costs.
//!
//! Headline results add up (fixed notional); the compounded figures beside them reinvest every day.

use super::sharpe::{DAYS_PER_YEAR, Moments};

/// A stretch of days of an additive account, as far as falls are concerned. Stretches that follow each other merge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EquitySpan {
    /// Sum of the returns.
    pub total: f64,
    /// Highest running sum; at least 0, that of the start.
    pub highest: f64,
    /// Lowest running sum; at most 0.
    pub lowest: f64,
    /// Deepest fall of the running sum from its highest before.
    pub fall: f64,
}

impl EquitySpan {
    /// Returns a stretch of one day.
    pub fn day(result: f64) -> Self {
        Self { total: result, highest: result.max(0.0), lowest: result.min(0.0), fall: (-result).max(0.0) }
    }

    /// Returns this stretch followed by another.
    pub fn then(self, next: Self) -> Self {
        Self {
            total: self.total + next.total,
            highest: self.highest.max(self.total + next.highest),
            lowest: self.lowest.min(self.total + next.lowest),
            fall: self.fall.max(next.fall).max(self.highest - (self.total + next.lowest)),
        }
    }

    /// Returns the stretch of a series.
    pub fn of(returns: &[f64]) -> Self {
        returns.iter().fold(Self::day(0.0), |all, result| all.then(Self::day(*result)))
    }
}

/// An account that follows a series of daily returns (fractions); `None` where a figure is not defined.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Equity {
    pub days: usize,
    pub mean: f64,
    /// Root of the mean square of losing days, winning days as 0.
    pub downside: f64,
    pub sharpe: Option<f64>,
    /// Mean over downside deviation, per day.
    pub sortino: Option<f64>,
    /// Share of the days that won.
    pub win_rate: f64,
    pub average_win: Option<f64>,
    pub average_loss: Option<f64>,
    pub profit_factor: Option<f64>,
    /// Sum of all days over the losses of losing days.
    pub gain_to_pain: Option<f64>,
    /// All days added up, and their deepest fall.
    pub stretch: EquitySpan,
    /// Reinvested: total, per year, deepest fall (at most 0), root of the mean squared fall, longest time below a peak.
    pub compounded: f64,
    pub compounded_year: f64,
    pub compounded_fall: f64,
    pub ulcer: f64,
    pub underwater_days: usize,
    /// Yearly compounded result over the deepest fall.
    pub calmar: Option<f64>,
    /// Mean of the worst twentieth of the days.
    pub bad_day: f64,
}

impl Equity {
    /// Returns the account of a series, or `None` for no days.
    pub fn of(returns: &[f64]) -> Option<Self> {
        if returns.is_empty() {
            return None;
        }
        let n = returns.len() as f64;
        let sum = |of: &dyn Fn(f64) -> f64| returns.iter().map(|r| of(*r)).sum::<f64>();
        let count = |of: &dyn Fn(f64) -> bool| returns.iter().filter(|r| of(**r)).count() as f64;
        let (wins, losses) = (count(&|r| r > 0.0), count(&|r| r < 0.0));
        let (won, lost) = (sum(&|r| r.max(0.0)), -sum(&|r| r.min(0.0)));
        let total = sum(&|r| r);
        let downside = (sum(&|r| r.min(0.0).powi(2)) / n).sqrt();
        let over = |value: f64, by: f64| (by > 0.0).then(|| value / by);
        let (fall, ulcer, underwater_days, wealth) = reinvested_account(returns);
        let compounded_year = wealth.powf(DAYS_PER_YEAR / n) - 1.0;
        let mut sorted = returns.to_vec();
        sorted.sort_by(f64::total_cmp);
        let worst = &sorted[..((0.05 * n) as usize).max(1)];
        Some(Self {
            days: returns.len(),
            mean: total / n,
            downside,
            sharpe: Moments::of(returns).map(|moments| moments.sharpe()),
            sortino: over(total / n, downside),
            win_rate: wins / n,
            average_win: over(won, wins),
            average_loss: over(-lost, losses),
            profit_factor: over(won, lost),
            gain_to_pain: over(total, lost),
            stretch: EquitySpan::of(returns),
            compounded: wealth - 1.0,
            compounded_year,
            compounded_fall: -fall,
            ulcer,
            underwater_days,
            calmar: over(compounded_year, fall),
            bad_day: worst.iter().sum::<f64>() / worst.len() as f64,
        })
    }

    /// Returns the average win over the average loss.
    pub fn payoff(&self) -> Option<f64> {
        Some(self.average_win? / -self.average_loss?)
    }
}

/// Returns the deepest fall, the root of the mean squared fall, the longest time below a peak and the final wealth of an
/// account that reinvests every day.
fn reinvested_account(returns: &[f64]) -> (f64, f64, usize, f64) {
    let (mut wealth, mut peak, mut square, mut deepest) = (1.0_f64, 1.0_f64, 0.0, 0.0_f64);
    let (mut below, mut longest) = (0, 0);
    for result in returns {
        wealth *= 1.0 + result;
        peak = peak.max(wealth);
        let fall = 1.0 - wealth / peak;
        deepest = deepest.max(fall);
        square += fall * fall;
        below = if wealth < peak { below + 1 } else { 0 };
        longest = longest.max(below);
    }
    (deepest, (square / returns.len() as f64).sqrt(), longest, wealth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_merge_to_the_whole_wherever_they_are_cut() {
        let returns = [0.02, -0.05, 0.01, 0.04, -0.01, -0.02, 0.03];
        let whole = EquitySpan::of(&returns);
        assert!((whole.fall - 0.05).abs() < 1e-15 && (whole.total - 0.02).abs() < 1e-15);
        for cut in 0..=returns.len() {
            let merged = EquitySpan::of(&returns[..cut]).then(EquitySpan::of(&returns[cut..]));
            assert!((merged.fall - whole.fall).abs() < 1e-15 && (merged.lowest - whole.lowest).abs() < 1e-15);
        }
    }

    #[test]
    fn what_is_not_defined_is_no_number() {
        assert_eq!(Equity::of(&[]), None);
        let up = Equity::of(&[0.01, 0.02]).expect("days");
        assert_eq!((up.sortino, up.profit_factor, up.calmar, up.payoff()), (None, None, None, None));
        let still = Equity::of(&[0.0; 5]).expect("days");
        assert_eq!((still.sharpe, still.win_rate, still.underwater_days), (None, 0.0, 0));
    }
}
