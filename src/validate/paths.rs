//! Combinatorial purged cross-validation: every way to leave out some folds, choosing on the rest, put together to
//! histories that might have been.
//!
//! Training days whose labels reach into a test segment, and those right after one, are left out.
//!
//! Source: Lopez de Prado (2018), chapters 7 and 12; the project's statistics notes, section 3.7.

use std::ops::Range;

use super::sharpe::Moments;

/// Folds, and how many of them are left out at a time.
const FOLDS: usize = 10;
const TEST_FOLDS: usize = 2;

/// One way to leave folds out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldSplit {
    /// Folds that are left out, ascending.
    pub test: Vec<usize>,
    /// Days that choose, as ascending ranges.
    pub train: Vec<Range<usize>>,
}

/// Folds and the splits of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPlan {
    days: usize,
    folds: Vec<Range<usize>>,
    splits: Vec<FoldSplit>,
    active_min: usize,
}

impl PathPlan {
    /// Returns the default plan: ten folds, two of them left out at a time. `active_min` days with a return are needed
    /// for a set to count.
    pub fn new(days: usize, purge: usize, embargo: usize, active_min: usize) -> Self {
        let folds = cut_folds(days, FOLDS);
        let splits = fold_splits(&folds, TEST_FOLDS, purge, embargo);
        Self { days, folds, splits, active_min }
    }
}

/// Cuts days into folds of equal length; the first ones are a day longer where it does not come out even.
pub fn cut_folds(days: usize, count: usize) -> Vec<Range<usize>> {
    let (length, longer) = (days / count, days % count);
    let start = |fold: usize| fold * length + fold.min(longer);
    (0..count).map(|fold| start(fold)..start(fold + 1)).collect()
}

/// Returns every way to leave out so many folds, in lexical order.
///
/// Causality: a training day's label reaches `purge` days ahead and never into a test segment; the `embargo` days after
/// the label of a segment's last day do not train either
pub fn fold_splits(
    folds: &[Range<usize>],
    test_folds: usize,
    purge: usize,
    embargo: usize,
) -> Vec<FoldSplit> {
    let days = folds.last().map_or(0, |fold| fold.end);
    let mut all = Vec::new();
    let mut test: Vec<usize> = (0..test_folds.min(folds.len())).collect();
    loop {
        all.push(FoldSplit { train: train_days(folds, &test, days, purge, embargo), test: test.clone() });
        // The last place that can still move on, and all behind it right after.
        let room = |i: &usize| test[*i] < folds.len() - (test.len() - i);
        let Some(moved) = (0..test.len()).rev().find(room) else { return all };
        test[moved] += 1;
        for i in moved + 1..test.len() {
            test[i] = test[i - 1] + 1;
        }
    }
}

fn train_days(
    folds: &[Range<usize>],
    test: &[usize],
    days: usize,
    purge: usize,
    embargo: usize,
) -> Vec<Range<usize>> {
    let mut train = Vec::new();
    let mut from = 0;
    for (place, fold) in test.iter().enumerate() {
        let segment = &folds[*fold];
        let to = segment.start.saturating_sub(purge);
        if from < to {
            train.push(from..to);
        }
        // Adjacent folds are one segment: nothing between them trains.
        let joined = test.get(place + 1).is_some_and(|next| folds[*next].start == segment.end);
        from = if joined { days } else { segment.end + purge + embargo };
    }
    if from < days {
        train.push(from..days);
    }
    train
}

/// Returns, per fold, the splits that leave it out; history j takes the j-th of them for every fold.
pub fn split_histories(splits: &[FoldSplit], folds: usize) -> Vec<Vec<usize>> {
    let leave_out = |fold: usize| {
        splits.iter().enumerate().filter(|(_, split)| split.test.contains(&fold)).map(|(i, _)| i).collect()
    };
    (0..folds).map(leave_out).collect()
}

/// The best set of a split.
#[derive(Debug, Clone, PartialEq)]
struct SplitBest {
    sharpe: f64,
    sd: f64,
    returns: Vec<i32>,
}

/// Accumulates the columns of a part of a grid; parts merge to the whole, ties go to the earlier column.
#[derive(Debug, Clone)]
pub struct Paths<'a> {
    plan: &'a PathPlan,
    best: Vec<Option<SplitBest>>,
}

impl<'a> Paths<'a> {
    /// Begins a part.
    pub fn new(plan: &'a PathPlan) -> Self {
        Self { plan, best: vec![None; plan.splits.len()] }
    }

    /// Takes a column in: day returns in ppm; columns come in ascending order.
    pub fn push(&mut self, returns: &[i32]) {
        assert!(returns.len() == self.plan.days, "one return per day");
        if returns.iter().filter(|ppm| **ppm != 0).count() < self.plan.active_min {
            return;
        }
        let mut sums = vec![(0.0, 0.0)];
        let (mut sum, mut square) = (0.0, 0.0);
        for ppm in returns.iter().map(|ppm| f64::from(*ppm)) {
            (sum, square) = (sum + ppm, square + ppm * ppm);
            sums.push((sum, square));
        }
        for (split, best) in self.plan.splits.iter().zip(&mut self.best) {
            let (mut n, mut sum, mut square) = (0.0, 0.0, 0.0);
            for train in &split.train {
                let (from, to) = (sums[train.start], sums[train.end]);
                n += train.len() as f64;
                (sum, square) = (sum + to.0 - from.0, square + to.1 - from.1);
            }
            let variance = (square - sum * sum / n) / (n - 1.0);
            if n < 2.0 || variance <= 0.0 {
                continue;
            }
            let (sharpe, sd) = (sum / n / variance.sqrt(), variance.sqrt());
            if best.as_ref().is_none_or(|best| sharpe > best.sharpe) {
                *best = Some(SplitBest { sharpe, sd, returns: returns.to_vec() });
            }
        }
    }

    /// Adds a part with later columns.
    pub fn merge(mut self, later: Self) -> Self {
        for (own, theirs) in self.best.iter_mut().zip(later.best) {
            let better = theirs
                .as_ref()
                .is_some_and(|theirs| own.as_ref().is_none_or(|own| theirs.sharpe > own.sharpe));
            if better {
                *own = theirs;
            }
        }
        self
    }

    /// Returns the Sharpe ratio per day of every history, each choice scaled by its deviation in training; empty where
    /// some split had no set to choose.
    pub fn sharpes(&self) -> Vec<f64> {
        let by_fold = split_histories(&self.plan.splits, self.plan.folds.len());
        let history = |j: usize| {
            let mut days = Vec::new();
            for (fold, splits) in self.plan.folds.iter().zip(&by_fold) {
                let best = self.best[splits[j]].as_ref()?;
                days.extend(best.returns[fold.clone()].iter().map(|ppm| f64::from(*ppm) / best.sd));
            }
            Moments::of(&days).map(|moments| moments.sharpe())
        };
        (0..by_fold[0].len()).map(history).collect::<Option<_>>().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_trains_reaches_into_a_test() {
        let folds = cut_folds(23, 5);
        assert_eq!(folds, [0..5, 5..10, 10..15, 15..19, 19..23]);
        let splits = fold_splits(&folds, 2, 1, 2);
        assert_eq!(splits.len(), 10);
        assert_eq!(splits[1], FoldSplit { test: vec![0, 2], train: vec![8..9, 18..23] });
        assert_eq!(
            (splits[9].test.as_slice(), splits[9].train.as_slice()),
            (&[3, 4][..], std::slice::from_ref(&(0..14)))
        );
    }

    #[test]
    fn an_edge_shows_in_every_history_and_noise_in_none() {
        let mut random = crate::validate::resample::Random::new(1);
        let mut column = |edge: f64| -> Vec<i32> {
            (0..200).map(|_| ((random.unit() - 0.5 + edge) * 20_000.0) as i32).collect()
        };
        let columns: Vec<Vec<i32>> = (0..20).map(|k| column(if k == 7 { 0.3 } else { 0.0 })).collect();
        let plan = PathPlan::new(200, 1, 1, 30);
        let run = |columns: &[Vec<i32>]| {
            let mut paths = Paths::new(&plan);
            columns.iter().for_each(|column| paths.push(column));
            paths
        };
        let whole = run(&columns).sharpes();
        assert_eq!(whole.len(), 9);
        assert!(whole.iter().all(|sharpe| *sharpe > 0.5), "{whole:?}");
        assert_eq!(run(&columns[..9]).merge(run(&columns[9..])).sharpes(), whole, "parts merge to the whole");
        assert_eq!(Paths::new(&plan).sharpes(), [0.0; 0]);
    }
}
