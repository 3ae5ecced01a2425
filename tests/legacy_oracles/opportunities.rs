//! The legacy phase 1: opportunities by hindsight, and which of them are scalping and which swing.
//!
//! The direction is the side that moved further afterwards (D03) and only moves of 8 % are kept (D04): what is found
//! cannot be traded, and contains no losers. `signals::candidates` is what this system searches on.

use super::exit_simulation::Future;
use super::signal_score::{LegacyRow, ScoreWeights, signal_score};
use super::statistics::{mean, percentile, sorted};
use retune::model::{Direction, Style};

/// Rows of 15 minutes that count as the future: a day.
pub(crate) const FUTURE_ROWS: usize = 96;
/// The smallest move in percent that is an opportunity.
pub(crate) const OBJECTIVE_MIN_PCT: f64 = 8.0;
/// Opportunities of a style that are kept: those with the highest outcome (D32).
pub(crate) const KEPT_PER_STYLE: usize = 2_000;
/// Fewer opportunities are all scalping.
const CLASSIFIED_MIN: usize = 50;

/// A snapshot row of one coin, reduced to what phase 1 reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScanRow {
    /// The columns of the score.
    pub row: LegacyRow,
    /// `price`: the entry where the close is not positive.
    pub price: f64,
    /// Whether `trend_4h` says anything.
    pub has_trend_4h: bool,
    /// `rsi_15m`, which no writer emits; 50 where it is absent (D02).
    pub rsi_15m: f64,
    /// `signal_type`; swing where it is absent.
    pub style: Style,
}

/// An opportunity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Opportunity {
    /// Place of its row.
    pub row: usize,
    pub entry_price: f64,
    pub direction: Direction,
    pub objective_profit: f64,
    pub holding_hours: f64,
    pub profit_density: f64,
    pub consensus: u32,
    pub signal_score: u32,
    pub future: Future,
}

/// Finds the opportunities of one coin.
///
/// Shape:     rows in time (the legacy sorted them by time of day only, D01)
/// Causality: looks a day ahead
/// Cost:      O(rows x 96)
/// Source:    section 9 of the legacy specification
pub(crate) fn opportunities(rows: &[ScanRow]) -> Vec<Opportunity> {
    let with_future = rows.len().saturating_sub(FUTURE_ROWS);
    (0..with_future).filter_map(|index| opportunity(rows, index)).collect()
}

fn opportunity(rows: &[ScanRow], index: usize) -> Option<Opportunity> {
    let scanned = &rows[index];
    let entry = if scanned.row.close > 0.0 { scanned.row.close } else { scanned.price };
    let consensus = scanned.row.consensus_or_recomputed();
    let passes = entry > 0.0
        && consensus >= 2
        && scanned.has_trend_4h
        && scanned.row.volume_ratio >= 1.2
        && (scanned.rsi_15m - 50.0).abs() >= 15.0;
    if !passes {
        return None;
    }
    let after = &rows[index + 1..=index + FUTURE_ROWS];
    let high = after.iter().map(|row| row.row.high).fold(f64::NEG_INFINITY, f64::max);
    let low = after.iter().map(|row| row.row.low).fold(f64::INFINITY, f64::min);
    let (up, down) = ((high - entry) / entry * 100.0, (entry - low) / entry * 100.0);
    if up.max(down) < OBJECTIVE_MIN_PCT {
        return None;
    }
    let direction = if up > down { Direction::Long } else { Direction::Short };
    let favourable = |row: &ScanRow| match direction {
        Direction::Long => (row.row.high - entry) / entry * 100.0,
        Direction::Short => (entry - row.row.low) / entry * 100.0,
    };
    let (peak, objective_profit) =
        after.iter().map(favourable).enumerate().fold((0, f64::NEG_INFINITY), |best, (index, pct)| {
            if pct > best.1 { (index, pct) } else { best }
        });
    let holding_hours = 0.25 * peak as f64;
    let weights = ScoreWeights::default_for(scanned.style);
    Some(Opportunity {
        row: index,
        entry_price: entry,
        direction,
        objective_profit,
        holding_hours,
        profit_density: objective_profit / holding_hours.max(0.25),
        consensus,
        signal_score: signal_score(&scanned.row, scanned.style, &weights),
        future: Future {
            max_high: Some(high),
            min_low: Some(low),
            final_close: Some(after[FUTURE_ROWS - 1].row.close),
        },
    })
}

/// How much the market moves, by the mean outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarketState {
    High,
    Medium,
    Low,
}

impl MarketState {
    /// Returns the legacy word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::High => "high_volatility",
            Self::Medium => "medium_volatility",
            Self::Low => "low_volatility",
        }
    }
}

/// What separates scalping from swing, drawn from the opportunities themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thresholds {
    pub state: MarketState,
    pub swing_min_profit: f64,
    pub swing_min_holding: f64,
    pub high_density: f64,
    /// 75 % points of profit and holding time, which decide in between.
    pub profit_q75: f64,
    pub holding_q75: f64,
}

/// The figures of an opportunity that decide its style.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shape {
    pub objective_profit: f64,
    pub holding_hours: f64,
    pub profit_density: f64,
}

impl Thresholds {
    /// Returns the thresholds of opportunities, `None` of fewer than 50: those are all scalping.
    ///
    /// Source:    section 9 of the legacy specification
    pub(crate) fn of(shapes: &[Shape]) -> Option<Self> {
        if shapes.len() < CLASSIFIED_MIN {
            return None;
        }
        let column = |value: fn(&Shape) -> f64| sorted(&shapes.iter().map(value).collect::<Vec<_>>());
        let (profit, holding, density) =
            (column(|s| s.objective_profit), column(|s| s.holding_hours), column(|s| s.profit_density));
        let state = match mean(profit.iter().copied()) {
            mean if mean > 15.0 => MarketState::High,
            mean if mean > 10.0 => MarketState::Medium,
            _ => MarketState::Low,
        };
        let (profit_q75, holding_q75) = (percentile(&profit, 0.75), percentile(&holding, 0.75));
        let (swing_min_profit, swing_min_holding, high_density) = match state {
            MarketState::High | MarketState::Medium => {
                (profit_q75, percentile(&holding, 0.5), percentile(&density, 0.85))
            }
            MarketState::Low => (
                (1.5 * percentile(&profit, 0.5)).max(8.0),
                percentile(&holding, 0.25),
                percentile(&density, 0.75),
            ),
        };
        Some(Self { state, swing_min_profit, swing_min_holding, high_density, profit_q75, holding_q75 })
    }

    /// Returns the style of an opportunity.
    pub(crate) fn style(&self, shape: &Shape) -> Style {
        if shape.profit_density > self.high_density {
            return Style::Scalping;
        }
        if shape.objective_profit >= self.swing_min_profit && shape.holding_hours >= self.swing_min_holding {
            return Style::Swing;
        }
        let from_scalping = (shape.profit_density - self.high_density).abs() / self.high_density;
        let from_swing = (shape.objective_profit - self.profit_q75).abs() / self.profit_q75
            + (shape.holding_hours - self.holding_q75).abs() / self.holding_q75.max(0.1);
        if from_scalping < from_swing { Style::Scalping } else { Style::Swing }
    }
}

/// Keeps the opportunities with the highest outcome, in their order of outcome, where there are more than allowed.
pub(crate) fn kept<T>(mut opportunities: Vec<T>, objective_profit: impl Fn(&T) -> f64) -> Vec<T> {
    if opportunities.len() > KEPT_PER_STYLE {
        opportunities.sort_by(|a, b| objective_profit(b).total_cmp(&objective_profit(a)));
        opportunities.truncate(KEPT_PER_STYLE);
    }
    opportunities
}

/// What phase 1 says about a style.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Baseline {
    pub count: u64,
    pub avg_objective_profit: f64,
    /// Times of 0 are left out.
    pub avg_holding_hours: f64,
    /// Times of 0 are left out.
    pub median_holding_hours: f64,
    pub avg_density: f64,
}

impl Baseline {
    /// Returns the baseline of opportunities; all 0 of none.
    pub(crate) fn of(shapes: &[Shape]) -> Self {
        let hours: Vec<f64> = shapes.iter().map(|s| s.holding_hours).filter(|hours| *hours > 0.0).collect();
        Self {
            count: shapes.len() as u64,
            avg_objective_profit: mean(shapes.iter().map(|shape| shape.objective_profit)),
            avg_holding_hours: mean(hours.iter().copied()),
            median_holding_hours: percentile(&sorted(&hours), 0.5),
            avg_density: mean(shapes.iter().map(|shape| shape.profit_density)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy_oracles::signal_score::Cell;

    /// A day and a quarter of an hour: flat, with one high of `peak` after five hours.
    fn rows(volume_ratio: f64, rsi_15m: f64, peak: f64) -> Vec<ScanRow> {
        let row = |index: usize| {
            let text = |name: &str| match name {
                "open" | "close" | "high" | "low" => Cell::Number(100.0),
                "indicator_consensus" => Cell::Number(3.0),
                "volume_ratio" => Cell::Number(volume_ratio),
                _ => Cell::Absent,
            };
            let mut row = LegacyRow::read(text);
            row.high = if index == 20 { peak } else { 100.5 };
            ScanRow { row, price: 100.0, has_trend_4h: true, rsi_15m, style: Style::Swing }
        };
        (0..=FUTURE_ROWS).map(row).collect()
    }

    #[test]
    fn only_large_moves_of_rows_with_absent_columns_are_found() {
        let found = opportunities(&rows(1.5, 70.0, 112.0));
        assert_eq!(found.len(), 1);
        let first = &found[0];
        assert_eq!((first.direction, first.row, first.holding_hours), (Direction::Long, 0, 4.75));
        assert_eq!((first.objective_profit, first.future.max_high), (12.0, Some(112.0)));
        assert_eq!(first.profit_density, 12.0 / 4.75);
        // D04: what did not move is no opportunity, so nothing ever loses.
        assert_eq!(opportunities(&rows(1.5, 70.0, 105.0)), []);
        // D02: the columns no writer emits read as 0 and 50, and nothing passes.
        assert_eq!(opportunities(&rows(0.0, 50.0, 112.0)), []);
        assert_eq!(opportunities(&rows(1.5, 70.0, 112.0)[..FUTURE_ROWS]), []);
    }

    #[test]
    fn few_opportunities_are_not_classified() {
        let shape = |profit: f64, hours: f64| Shape {
            objective_profit: profit,
            holding_hours: hours,
            profit_density: profit / hours,
        };
        let shapes: Vec<Shape> =
            (0..60).map(|i| shape(8.0 + f64::from(i) / 10.0, 1.0 + f64::from(i % 20))).collect();
        assert_eq!(Thresholds::of(&shapes[..49]), None);
        let thresholds = Thresholds::of(&shapes).expect("enough of them");
        assert_eq!(thresholds.state, MarketState::Medium);
        assert_eq!(thresholds.style(&shape(13.0, 0.5)), Style::Scalping);
        assert_eq!(thresholds.style(&shape(13.0, 20.0)), Style::Swing);
        assert_eq!(kept(vec![3.0; KEPT_PER_STYLE + 5], |profit| *profit).len(), KEPT_PER_STYLE);
        assert_eq!(Baseline::of(&[]), Baseline::default());
    }
}
