//! Metrics: derived from final tallies, in one place, in one order.

use super::outcome_table::Window;
use super::replay::Tally;
use super::sweep::GridPoint;

/// Why a metric has no value. It ranks below every defined value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Undefined {
    #[error("no trade was taken")]
    NoTrades,
    #[error("no trade won")]
    NoWins,
    #[error("no trade lost")]
    NoLosses,
    #[error("fewer than {min} trades")]
    TooFewTrades { min: u32 },
    #[error("the daily returns do not vary")]
    NoVariation,
    #[error("there was no opportunity")]
    NoOpportunities,
    #[error("why it is undefined is not kept")]
    NotKept,
}

/// A metric's value.
pub type Measure = Result<f64, Undefined>;

/// The circumstances that metrics of one window share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    /// Candidates in the window, taken or not.
    pub candidates: usize,
    /// Calendar days, those without trades included.
    pub days: usize,
    /// Fewer trades than this have no score.
    pub trades_min: u32,
    /// Share of the account that one trade uses; turns summed returns into account returns.
    pub position_ratio: f64,
}

const PPM_PER_PERCENT: f64 = 10_000.0;

/// The metrics every parameter set of the grid has.
impl GridPoint {
    /// Returns the mean net return per trade; percent.
    pub fn expectancy_pct(&self) -> Measure {
        self.per_trade(self.net_ppm())
    }

    fn per_trade(&self, ppm: i64) -> Measure {
        match self.trades {
            0 => Err(Undefined::NoTrades),
            trades => Ok(ppm as f64 / PPM_PER_PERCENT / f64::from(trades)),
        }
    }

    /// Returns the share of trades with a positive net return.
    pub fn win_rate(&self) -> Measure {
        match self.trades {
            0 => Err(Undefined::NoTrades),
            trades => Ok(f64::from(self.wins) / f64::from(trades)),
        }
    }

    /// Returns the trades without a positive net return.
    pub fn losses(&self) -> u32 {
        self.trades - self.wins
    }

    /// Returns the mean of the winning trades; percent.
    pub fn avg_win_pct(&self) -> Measure {
        match self.wins {
            0 => Err(Undefined::NoWins),
            wins => Ok(self.win_ppm as f64 / PPM_PER_PERCENT / f64::from(wins)),
        }
    }

    /// Returns the mean of the losing trades; percent, not positive.
    pub fn avg_loss_pct(&self) -> Measure {
        match self.losses() {
            0 => Err(Undefined::NoLosses),
            losses => Ok(self.loss_ppm as f64 / PPM_PER_PERCENT / f64::from(losses)),
        }
    }

    /// Returns the mean win over the mean loss.
    pub fn payoff_ratio(&self) -> Measure {
        let loss = self.avg_loss_pct()?;
        if loss == 0.0 { Err(Undefined::NoLosses) } else { Ok(self.avg_win_pct()? / loss.abs()) }
    }

    /// Returns the sum of wins over the sum of losses.
    pub fn profit_factor(&self) -> Measure {
        match self.loss_ppm {
            0 if self.trades == 0 => Err(Undefined::NoTrades),
            0 => Err(Undefined::NoLosses),
            loss => Ok(self.win_ppm as f64 / -loss as f64),
        }
    }

    /// Returns the sum of net returns at one unit per trade; percent.
    pub fn total_return_pct(&self) -> f64 {
        self.net_ppm() as f64 / PPM_PER_PERCENT
    }

    /// Returns the largest fall of the running sum from its peak; percentage points.
    pub fn max_drawdown_pct(&self) -> f64 {
        self.drawdown_ppm as f64 / PPM_PER_PERCENT
    }

    /// Returns the variance of the daily sums over all calendar days (ddof 1); ppm squared.
    fn day_variance_ppm2(&self, days: usize) -> Measure {
        if days < 2 {
            return Err(Undefined::NoVariation);
        }
        let days = days as f64;
        let total = self.net_ppm() as f64;
        // The nearest number either way; from 64 bits in one step.
        let squares =
            i64::try_from(self.day_square_ppm2).map_or(self.day_square_ppm2 as f64, |sum| sum as f64);
        let variance = (squares - total * total / days) / (days - 1.0);
        if variance > 0.0 { Ok(variance) } else { Err(Undefined::NoVariation) }
    }

    /// Returns the Sharpe ratio of daily returns: mean over standard deviation, not annualised.
    pub fn sharpe_daily(&self, days: usize) -> Measure {
        let deviation = self.day_variance_ppm2(days)?.sqrt();
        Ok(self.net_ppm() as f64 / days as f64 / deviation)
    }

    /// Returns the expectancy less one standard error of the total, from the spread of daily sums; percent.
    pub fn expectancy_low_pct(&self, days: usize) -> Measure {
        let error = (self.day_variance_ppm2(days)? * days as f64).sqrt();
        match self.trades {
            0 => Err(Undefined::NoTrades),
            trades => Ok((self.net_ppm() as f64 - error) / PPM_PER_PERCENT / f64::from(trades)),
        }
    }
}

/// Everything reported about one parameter set on one window.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "the names say it; units are in them, `GridPoint` has the definitions")]
pub struct Metrics {
    pub trades: u64,
    pub win_rate: Measure,
    pub expectancy_pct: Measure,
    pub avg_win_pct: Measure,
    pub avg_loss_pct: Measure,
    pub payoff_ratio: Measure,
    pub profit_factor: Measure,
    pub total_return_pct: Measure,
    pub max_drawdown_pct: Measure,
    pub sharpe_daily: Measure,
    /// Total with the favourable extreme first in exit candles.
    pub best_case_return_pct: Measure,
    /// Total before fees and funding.
    pub gross_return_pct: Measure,
    pub avg_hold_hours: Measure,
    pub ambiguous_exits: u64,
    /// Share of the candidates that were taken.
    pub taken_share: Measure,
    /// Hindsight: share of the opportunities a trade took part in. Never ranks anything.
    pub capture_rate: Measure,
    /// Hindsight: share of the trades that took part in an opportunity.
    pub capture_precision: Measure,
    /// Hindsight: precision over that of all candidates of the book; 1 = no better than taking everything.
    pub capture_lift: Measure,
}

/// Returns the share of a tally's trades that took part in an opportunity.
pub fn trade_precision(tally: &Tally) -> Measure {
    match tally.point.trades {
        0 => Err(Undefined::NoTrades),
        trades => Ok(tally.capturing as f64 / f64::from(trades)),
    }
}

/// Derives the metrics of a tally.
///
/// `base_precision` is the precision of taking every signal of the window ([`trade_precision`]), which lift compares with.
pub fn derive_metrics(
    tally: &Tally,
    base_precision: Measure,
    window: &Window<'_>,
    bar_hours: f64,
) -> Metrics {
    let point = &tally.point;
    let trades = f64::from(point.trades);
    let share = |part: u64, whole: f64, why: Undefined| match whole > 0.0 {
        true => Ok(part as f64 / whole),
        false => Err(why),
    };
    let some_trade = |value: f64| if point.trades > 0 { Ok(value) } else { Err(Undefined::NoTrades) };
    let precision = trade_precision(tally);
    Metrics {
        trades: point.trades.into(),
        win_rate: point.win_rate(),
        expectancy_pct: point.expectancy_pct(),
        avg_win_pct: point.avg_win_pct(),
        avg_loss_pct: point.avg_loss_pct(),
        payoff_ratio: point.payoff_ratio(),
        profit_factor: point.profit_factor(),
        total_return_pct: some_trade(point.total_return_pct()),
        max_drawdown_pct: some_trade(point.max_drawdown_pct()),
        sharpe_daily: point.sharpe_daily(window.day_count()),
        best_case_return_pct: some_trade(tally.best_case_ppm as f64 / PPM_PER_PERCENT),
        gross_return_pct: some_trade(tally.gross_ppm as f64 / PPM_PER_PERCENT),
        avg_hold_hours: some_trade(tally.bars_held as f64 * bar_hours / trades),
        ambiguous_exits: tally.ambiguous,
        taken_share: share(point.trades.into(), window.candidates as f64, Undefined::NoTrades),
        capture_rate: share(tally.captured, tally.opportunities as f64, Undefined::NoOpportunities),
        capture_precision: precision,
        capture_lift: precision.and_then(|own| match base_precision? {
            base if base > 0.0 => Ok(own / base),
            _ => Err(Undefined::NoOpportunities),
        }),
    }
}
