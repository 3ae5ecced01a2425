//! Choosing the best trial without some of the days, and earning on them.

use std::ops::Range;

use crate::study::cross_fit::CrossFit;
use crate::validate::sharpe::Moments;

/// Folds of a cross-fit, as a run has them.
const FOLDS: usize = 5;
/// Fewest days of a fold.
const FOLD_DAYS_MIN: usize = 10;

/// Returns what choosing the trial with the highest Sharpe ratio on all days but a fold, and those beside it, earned on the fold; `None`
/// with too few days.
///
/// Shape: columns of equal length, all of which may be chosen
pub(super) fn cross_fit(columns: &[&[f64]], purge_days: usize) -> Option<CrossFit> {
    let days = columns.first()?.len();
    if days / FOLDS < FOLD_DAYS_MIN.max(2 * purge_days) {
        return None;
    }
    let fold = |k: usize| k * days / FOLDS..(k + 1) * days / FOLDS;
    let choices: Vec<FoldEarned> =
        (0..FOLDS).map(|k| choose_without(columns, fold(k), purge_days)).collect::<Option<_>>()?;
    let mut chosen: Vec<usize> = choices.iter().map(|choice| choice.column).collect();
    chosen.sort_unstable();
    chosen.dedup();
    Some(CrossFit {
        folds: FOLDS,
        earning: choices.iter().filter(|choice| choice.days.iter().sum::<f64>() > 0.0).count(),
        distinct: chosen.len(),
        days: choices.into_iter().flat_map(|choice| choice.days).collect(),
    })
}

/// What a choice earned on its fold, in standard deviations of what it was chosen on.
struct FoldEarned {
    column: usize,
    days: Vec<f64>,
}

fn choose_without(columns: &[&[f64]], fold: Range<usize>, purge_days: usize) -> Option<FoldEarned> {
    let left_out = fold.start.saturating_sub(purge_days)..fold.end + purge_days;
    let mut best: Option<(usize, Moments)> = None;
    let mut rest = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        rest.clear();
        rest.extend_from_slice(&column[..left_out.start]);
        rest.extend_from_slice(column.get(left_out.end..).unwrap_or_default());
        let Some(moments) = Moments::of(&rest) else { continue };
        if best.as_ref().is_none_or(|(_, known)| moments.sharpe() > known.sharpe()) {
            best = Some((index, moments));
        }
    }
    let (column, moments) = best?;
    Some(FoldEarned { column, days: columns[column][fold].iter().map(|value| value / moments.sd).collect() })
}
