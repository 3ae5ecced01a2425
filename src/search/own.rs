//! Own parameters of a part of the market, shrunk towards those of the whole.
//!
//! A symbol has a seventh of the trades and the same number of parameter sets to be lucky with. So the score of a set
//! on the symbol counts by the trades it rests on, against a fixed number of trades with the score of the same set on
//! all symbols: score = (n x own + n0 x pooled) / (n + n0). With few trades the pooled set wins, with many the symbol
//! decides for itself.

use super::rank::{Objective, Trial};
use crate::evaluate::sweep::Sweep;

/// Returns the score of a set on a symbol, shrunk towards its score on all symbols.
///
/// Shape: trades the own score rests on, and trades the pooled one counts for (> 0)
pub fn shrunk_score(own: f64, trades: u32, pooled: f64, prior_trades: u32) -> f64 {
    let (n, n0) = (f64::from(trades), f64::from(prior_trades));
    (n * own + n0 * pooled) / (n + n0)
}

/// Scores of one part of the market, and what they are scored by.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    /// Statistics of every set.
    pub sweep: &'a Sweep,
    /// The objective with the part's circumstances.
    pub objective: &'a Objective<'a>,
}

/// Returns the set with the best shrunk score, which stands in the trial's `score`.
///
/// Only sets with a score on both count: on the symbol that asks for the objective's fewest trades.
/// Ties go to more trades, then to the earlier place in the grid.
pub fn best_own(own: Scored<'_>, pooled: Scored<'_>, prior_trades: u32) -> Option<Trial> {
    let mut best: Option<Trial> = None;
    for (cell, points) in own.sweep.cells().enumerate() {
        for (rule, point) in points.iter().enumerate() {
            let Some(own_score) = own.objective.rate(point) else { continue };
            let Some(pooled_score) = pooled.objective.rate(pooled.sweep.point(rule, cell)) else { continue };
            let score = shrunk_score(own_score, point.trades, pooled_score, prior_trades);
            let trial = Trial::peak(rule, cell, score, point.trades);
            if best.as_ref().is_none_or(|best| trial.rank(best).is_lt()) {
                best = Some(trial);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_trades_are_shrunk_and_many_decide() {
        assert_eq!(shrunk_score(1.0, 100, 0.0, 100), 0.5);
        assert!(shrunk_score(1.0, 10, 0.0, 100) < 0.1);
        assert!(shrunk_score(1.0, 10_000, 0.0, 100) > 0.99);
    }
}
