//! Scores: what the search maximises.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::legacy_score::{LegacyInputs, legacy_score};
use super::metrics::{Circumstances, Measure, Undefined};
use super::sweep::GridPoint;

/// A named score; higher is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// Expectancy in units of the average loss less one standard error, payoff, win rate, account drawdown and
    /// selectivity: the legacy idea with its units repaired.
    Balanced,
    /// The legacy score, defects and all (D07, D08): for comparison only.
    Legacy,
    /// Mean net return per trade.
    Expectancy,
    /// Sum of wins over sum of losses.
    ProfitFactor,
    /// Sharpe ratio of daily returns.
    #[default]
    Sharpe,
    /// Sum of net returns.
    TotalReturn,
}

impl Score {
    /// Every score.
    pub const ALL: [Self; 6] =
        [Self::Balanced, Self::Legacy, Self::Expectancy, Self::ProfitFactor, Self::Sharpe, Self::TotalReturn];

    /// Returns the name used in configuration and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Legacy => "legacy",
            Self::Expectancy => "expectancy",
            Self::ProfitFactor => "profit_factor",
            Self::Sharpe => "sharpe",
            Self::TotalReturn => "total_return",
        }
    }

    /// Returns whether it depends on the order of trades (their drawdown), and not on sums alone.
    pub fn reads_order(self) -> bool {
        match self {
            Self::Balanced | Self::Legacy => true,
            Self::Expectancy | Self::ProfitFactor | Self::Sharpe | Self::TotalReturn => false,
        }
    }

    /// Returns the score of a parameter set.
    ///
    /// Errors: undefined with fewer trades than the minimum, or where the measure itself is undefined
    pub fn value(self, point: &GridPoint, around: &Circumstances) -> Measure {
        if point.trades < around.trades_min.max(1) {
            return Err(Undefined::TooFewTrades { min: around.trades_min });
        }
        match self {
            Self::Balanced => balanced_score(point, around),
            Self::Legacy => legacy_points(point, around),
            Self::Expectancy => point.expectancy_pct(),
            Self::ProfitFactor => point.profit_factor(),
            Self::Sharpe => point.sharpe_daily(around.days),
            Self::TotalReturn => Ok(point.total_return_pct()),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Score {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|score| score.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("a score ({names})")
        })
    }
}

/// Payoff ratio counted for a set that never lost.
const PAYOFF_WITHOUT_LOSSES: f64 = 4.0;
/// Account drawdown that costs nothing.
const DRAWDOWN_FREE: f64 = 0.20;

/// The legacy idea with repaired units, in points / 100; losing sets stay below winning ones.
///
/// points = 100 x L                          L = (expectancy less one standard error) / |average loss|
///        - 20 (1.5 - R) if R < 1.5, + min(20, 10 (R - 2)) if R >= 2
///        - 50 (0.30 - W) if W < 0.30        R payoff ratio, W win rate
///        - 100 (D - 0.20) if D > 0.20       D drawdown of an account that puts `position_ratio` in each trade
///        + 15 x share of the candidates taken
/// Source: legacy section 3; deviations: expectancy in average losses instead of percent (D06), a lower bound
/// instead of the mean so that few lucky trades do not win, drawdown as a fraction of the account (D07), negative
/// scores instead of a floor that ranked losers above winners (D08), no hindsight capture
fn balanced_score(point: &GridPoint, around: &Circumstances) -> Measure {
    let low = point.expectancy_low_pct(around.days)?;
    let (edge, payoff) = match (point.avg_loss_pct(), point.payoff_ratio()) {
        (Ok(loss), payoff) if loss < 0.0 => (low / loss.abs(), payoff.unwrap_or(0.0)),
        _ => (1.0, PAYOFF_WITHOUT_LOSSES),
    };
    let win_rate = point.win_rate()?;
    let drawdown = around.position_ratio * point.max_drawdown_pct() / 100.0;
    let taken = f64::from(point.trades) / around.candidates.max(1) as f64;
    let mut points = 100.0 * edge;
    if payoff < 1.5 {
        points -= 20.0 * (1.5 - payoff);
    } else {
        points += (10.0 * (payoff - 2.0)).clamp(0.0, 20.0);
    }
    points -= 50.0 * (0.30 - win_rate).max(0.0);
    points -= 100.0 * (drawdown - DRAWDOWN_FREE).max(0.0);
    points += 15.0 * taken;
    Ok(points / 100.0)
}

fn legacy_points(point: &GridPoint, around: &Circumstances) -> Measure {
    Ok(legacy_score(&LegacyInputs {
        captured_count: point.trades.into(),
        expectancy: point.expectancy_pct()?,
        profit_loss_ratio: point.payoff_ratio().unwrap_or(if point.loss_ppm == 0 { 999.0 } else { 0.0 }),
        win_rate: point.win_rate()?,
        max_drawdown: point.max_drawdown_pct(),
        capture_rate: f64::from(point.trades) / around.candidates.max(1) as f64,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Circumstances {
        Circumstances { candidates: 1000, days: 100, trades_min: 10, position_ratio: 0.2 }
    }

    /// 100 trades over 100 days, `wins` of them of +2 %, the rest of -1 %.
    fn point(wins: u32) -> GridPoint {
        let losses = 100 - wins;
        GridPoint {
            trades: 100,
            wins,
            win_ppm: i64::from(wins) * 20_000,
            loss_ppm: -i64::from(losses) * 10_000,
            drawdown_ppm: 50_000,
            day_square_ppm2: i128::from(wins) * 400_000_000 + i128::from(losses) * 100_000_000,
        }
    }

    #[test]
    fn more_wins_score_higher_everywhere_and_losers_never_beat_winners() {
        for score in
            [Score::Balanced, Score::Expectancy, Score::ProfitFactor, Score::Sharpe, Score::TotalReturn]
        {
            let values: Vec<f64> =
                (20..90).map(|wins| score.value(&point(wins), &around()).expect("defined")).collect();
            let falls = values.windows(2).position(|pair| pair[0] >= pair[1]);
            assert_eq!(falls, None, "{score} rises with wins: {values:?}");
        }
    }

    #[test]
    fn too_few_trades_have_no_score() {
        let few = GridPoint { trades: 9, ..point(50) };
        for score in Score::ALL {
            assert_eq!(score.value(&few, &around()), Err(Undefined::TooFewTrades { min: 10 }));
            assert_eq!(score.as_str().parse(), Ok(score));
        }
    }
}
