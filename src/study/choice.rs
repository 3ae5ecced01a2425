//! The scores of every set for several choices on one window at once.

use std::ops::Range;

use crate::evaluate::outcome_table::Window;
use crate::evaluate::sweep::{GridPoint, draw_figures};
use crate::model::Day;
use crate::search::rank::{Objective, RankBy, ScoredGrid};

/// A choice by the days of a window, some left out.
#[derive(Clone)]
pub(super) struct Choice<'a> {
    pub(super) objective: Objective<'a>,
    /// Days without a say; empty where all have one. Without them drawdowns are not known.
    pub(super) left_out: Range<Day>,
}

/// What a choice looks at.
pub(super) struct ChoiceScores {
    rules: usize,
    /// Of every set, cells first, rules within; NaN where it has none.
    scores: Vec<f64>,
    /// Net returns, in ppm, where it matters which sets earn.
    nets: Vec<f64>,
    /// Trades of every cell.
    trades: Vec<u32>,
}

impl ChoiceScores {
    /// Returns them as they are ranked.
    pub(super) fn into_grid(self) -> ScoredGrid<impl Fn(usize) -> u32, impl Fn(usize, usize) -> bool> {
        let Self { rules, scores, nets, trades } = self;
        let earns = move |rule, cell| earns(&nets, cell * rules + rule);
        ScoredGrid { scores, trades: move |cell| trades[cell], earns }
    }

    /// Returns the scores.
    pub(super) fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// Returns the exit rules of a cell.
    pub(super) fn rules(&self) -> usize {
        self.rules
    }

    /// Returns the trades of every cell.
    pub(super) fn trades(&self) -> &[u32] {
        &self.trades
    }

    /// Returns whether a set earns, where that matters.
    pub(super) fn earns(&self, rule: usize, cell: usize) -> bool {
        earns(&self.nets, cell * self.rules + rule)
    }
}

fn earns(nets: &[f64], at: usize) -> bool {
    nets.get(at).is_some_and(|net| *net > 0.0)
}

/// Scores every set for every choice, by one sweep: what is known without some days is what all days have, less what they have before
/// the last of those, with what they have before the first.
///
/// Cost: a sweep; 8 bytes per set and choice, 16 where sets are ranked by plateau
pub(super) fn score_choices(window: &Window<'_>, choices: &[Choice<'_>]) -> Vec<ChoiceScores> {
    if choices.is_empty() {
        return Vec::new();
    }
    let parts = choices.iter().filter(|choice| !choice.left_out.is_empty());
    let mut cuts: Vec<Day> = parts.flat_map(|choice| [choice.left_out.start, choice.left_out.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let at = |day: Day| cuts.partition_point(|cut| *cut < day);
    let spans: Vec<(usize, usize)> =
        choices.iter().map(|choice| (at(choice.left_out.start), at(choice.left_out.end))).collect();
    // Of a set that no neighbour holds up it matters whether it earns.
    let by_plateau = choices.iter().any(|choice| choice.objective.by == RankBy::Plateau);
    let draw = |before: &[GridPoint], figures: &mut [f64]| {
        let all = &before[cuts.len()];
        for (n, ((from, to), choice)) in spans.iter().zip(choices).enumerate() {
            // Most sets without a score trade too rarely: the rest need not be known.
            if all.trades - (before[*to].trades - before[*from].trades) < choice.objective.around.trades_min {
                figures[n] = f64::NAN;
                continue;
            }
            let known = if from == to { *all } else { all.without(&before[*to].without(&before[*from])) };
            figures[n] = choice.objective.rate(&known).unwrap_or(f64::NAN);
            if by_plateau {
                figures[choices.len() + n] = known.net_ppm() as f64;
            }
        }
    };
    let mut drawn = draw_figures(window, &cuts, choices.len() * if by_plateau { 2 } else { 1 }, draw);
    let mut nets = drawn.figures.split_off(choices.len()).into_iter();
    let (cells, rules) = (window.book.lattice().cells(), window.book.rules());
    let scores = std::mem::take(&mut drawn.figures).into_iter().zip(&spans);
    let one = |(scores, (from, to)): (Vec<f64>, &(usize, usize))| {
        let trades = |cell: usize| {
            let before = drawn.trades(cell);
            before[cuts.len()] - (before[*to] - before[*from])
        };
        let trades = (0..cells).map(trades).collect();
        ChoiceScores { rules, scores, nets: nets.next().unwrap_or_default(), trades }
    };
    scores.map(one).collect()
}
